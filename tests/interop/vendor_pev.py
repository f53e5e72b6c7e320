# SPDX-License-Identifier: MIT
"""A vehicle's controller that behaves on the wire as the vendor's PEV simulator is described: profile 2.0-ex.

Its inlet follows a clock of its own and not the charger, its current stays 0 A and its state of charge 30 %, it asks
for 200 A for ever and never asks for an end. It raises an exception where the vendor's program would end its reader.
"""
import struct

from vendor_wire import PERIOD_S, Client, Failure, approach, show

INFORMATION = 0x600
AC_CONTROL = 0x601
DC_CONTROL = 0x602

SOC_PERCENT = 30
CAPACITY_KWH = 75.53
TARGET_KWH = 60.424
MINIMUM_KWH = 22.659
REQUEST_A = 200
BATTERY_V = 330.0
DEPARTURE_S = 86400
CONTACTORS_S = 0.6
CHARGER_DEAD_S = 1.0


def hundredths(value):
    return round(value * 100)


class PevCustomer(Client):
    LENGTHS = {INFORMATION: 6, AC_CONTROL: 1, DC_CONTROL: 1}
    LIMITS = ("stage", 10), ("protocol", 4), ("pins", 5)

    def __init__(self, group, port):
        super().__init__(group, port)
        self.stage = None
        self.stages = []
        self.max_current_A = 0.0
        self.closings = 0
        self.reset()

    def reset(self):
        self.inlet_V = 0.0
        self.current_A = 0.0
        self.is_closed = False
        self.is_commanded = False
        self.moves_s = None  # contactors follow then
        self.rises_s = None  # inlet of stage 5

    def on_message(self, message, now):
        number = message.arbitration_id
        if message.is_extended_id or number not in self.LENGTHS:
            return
        data = bytes(message.data)
        if len(data) != self.LENGTHS[number]:
            raise Failure(f"PEV customer: {show(message)} has {len(data)} bytes, not {self.LENGTHS[number]}")
        if number == INFORMATION:
            for value, (name, largest) in zip(data, self.LIMITS):
                if value > largest:
                    raise Failure(f"PEV customer: {name} {value}, unknown in 2.0-ex")
            self.max_current_A = struct.unpack_from("<h", data, 3)[0] / 10
            self.on_stage(data[0], now)
        elif number == DC_CONTROL:
            self.on_dc_control(bool(data[0] & 1), now)

    def on_stage(self, stage, now):
        if stage == self.stage:
            return
        self.stage = stage
        self.stages.append(stage)
        self.rises_s = None
        if stage == 1:
            self.reset()
        elif stage == 5:
            self.rises_s = now + CHARGER_DEAD_S
        elif stage == 9:
            self.current_A = 0.0

    def on_dc_control(self, is_close, now):
        if is_close != self.is_commanded:
            self.is_commanded = is_close
            self.moves_s = now + CONTACTORS_S

    def on_tick(self, now):
        if self.rises_s is not None and now >= self.rises_s:
            self.inlet_V = approach(self.inlet_V, BATTERY_V, 200 * PERIOD_S, 200 * PERIOD_S)
        if self.moves_s is not None and now >= self.moves_s:
            self.moves_s = None
            self.rises_s = None
            self.is_closed = self.is_commanded
            self.closings += self.is_closed
            self.inlet_V = BATTERY_V if self.is_closed else 0.0
        self.send(0x610, struct.pack("<BH", SOC_PERCENT, hundredths(CAPACITY_KWH)))
        self.send(0x612, struct.pack("<hhI", REQUEST_A * 10, round(self.current_A * 10), 0))
        self.send(0x613, struct.pack("<BHH", self.is_closed, round(BATTERY_V * 10), round(self.inlet_V * 10)))
        self.send(
            0x614, struct.pack("<HHH", hundredths(TARGET_KWH), hundredths(MINIMUM_KWH), hundredths(CAPACITY_KWH))
        )
        self.send(0x615, struct.pack("<HH", hundredths(MINIMUM_KWH), hundredths(TARGET_KWH)))
        self.send(0x616, struct.pack("<I", DEPARTURE_S))

    def send(self, number, data):
        self.transmit(number, data, is_extended=False)
