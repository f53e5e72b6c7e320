# SPDX-License-Identifier: MIT
"""Modules by hand: what a charger's or a vehicle's module sends, every frame as the test wants it.

They send what is set every 100 ms, leave out what is None, and note what the controller answers.
"""
import struct

from vendor_evse import INSULATION_TEST, OCPP, POWER_CONTROL, PRECHARGE, SEQUENCE, STANDBY, STATE, STATUS, TRANSFER
from vendor_wire import INDEX, Client

NEW_SESSION = 0x6B001
STATUS_CHANGE = 0x6B002
EMERGENCY = 0x6B005
PATH_SOURCE = 0xA0010  # of the virtual plug: what the simulated vehicle takes for its inlet


def power(function, volts=0.0, amperes=0.0, low=None, is_closed=True, is_lowering=False):
    """Data of DC_Power_Control."""
    low = amperes if low is None else low
    bits = function | (0x20 if function == PRECHARGE else 0) | is_closed << 6 | is_lowering << 7
    return struct.pack("<HhhB", round(volts * 10), round(amperes * 10), round(low * 10), bits)


class Secc(Client):
    """A charger's module of profile 3.2."""

    def __init__(self, group, port):
        super().__init__(group, port)
        self.state = None
        self.power = None
        self.is_opening = False
        self.is_emergency = False
        self.status = []  # (kernel time, V, A, System_Enable, kohm)
        self.sequence = 0

    def send(self, base, data, **more):
        self.transmit(base | INDEX << 24, data, is_extended=True, **more)

    def on_message(self, message, now):
        data = bytes(message.data)
        if message.arbitration_id == STATUS | INDEX << 24 and len(data) == 8:
            volts, amperes, _, _, enable, insulation = struct.unpack("<HhBBBB", data)
            self.status.append((message.timestamp, volts / 10, amperes / 10, enable, insulation * 2))
        elif message.arbitration_id == SEQUENCE | INDEX << 24 and len(data) == 3:
            self.sequence = int.from_bytes(data, "little")

    def on_tick(self, now):
        if self.state is not None:
            self.send(STATE, bytes([self.state]))
        if self.is_opening:
            self.send(NEW_SESSION, bytes([2, 1]))
        if self.is_emergency:
            self.send(EMERGENCY, bytes([1]))
        if self.power is not None:
            self.send(POWER_CONTROL, self.power)

    def volts(self):
        return self.status[-1][1] if self.status else 0.0

    def amperes(self):
        return self.status[-1][2] if self.status else 0.0

    def enable(self):
        return self.status[-1][3] if self.status else 0

    def charge(self, bench, volts, amperes):
        """A session from the beginning until this current flows."""
        for self.state in (12, 1, 2):
            bench.until(lambda: self.sequence & 1, 5, "Start_Charge_Authorisation")
        self.power = None
        self.state = 3
        self.is_opening = True
        bench.until(lambda: self.sequence & 0x400, 5, "Charge_Parameters_Done")
        self.state = 4
        bench.until(self.enable, 5, "System_Enable")
        self.is_opening = False
        self.power = power(INSULATION_TEST, 500)
        bench.until(lambda: self.volts() >= 450 and self.status[-1][4] >= 100, 8, "insulation test at 450 V")
        self.power = power(STANDBY, is_lowering=True)
        bench.until(lambda: self.volts() <= 20, 8, "output lowered to 20 V")
        self.state = 5
        self.power = power(PRECHARGE, volts, 2, 0)
        bench.until(lambda: abs(self.volts() - volts) <= 20, 8, f"precharge to {volts} V")
        self.state = 6
        self.power = power(STANDBY)
        self.send(STATUS_CHANGE, bytes([1]))
        self.state = 7
        self.power = power(TRANSFER, volts, amperes)
        bench.until(lambda: abs(self.amperes() - amperes) <= 1.5, 8, f"{amperes} A flow")


# What a module of another version, or a bad one, may send: (name, base, data, more about the frame).
ODD_FOR_EVSE = (
    ("state of 2 bytes", STATE, bytes([7, 0]), {}),
    ("state without a byte", STATE, b"", {}),
    ("state 13", STATE, bytes([13]), {}),
    ("state 255", STATE, bytes([255]), {}),
    ("power control of 6 bytes", POWER_CONTROL, bytes(6), {}),
    ("power control of 8 bytes", POWER_CONTROL, power(TRANSFER, 400, 40) + b"\0", {}),
    ("power function 3", POWER_CONTROL, power(3, 400, 40), {}),
    ("power function 15", POWER_CONTROL, power(15, 400, 40), {}),
    ("OCPP control of 1 byte", OCPP, bytes(1), {}),
    ("new session of 1 byte", NEW_SESSION, bytes(1), {}),
    ("unknown protocol and pins", NEW_SESSION, bytes([200, 200]), {}),
    ("emergency without a byte", EMERGENCY, b"", {}),
    ("remote frame", POWER_CONTROL, None, {"is_remote_frame": True, "dlc": 7}),
)


class Evcc(Client):
    """A vehicle's module of profile 2.0-ex."""

    def __init__(self, group, port):
        super().__init__(group, port)
        self.stage = 0
        self.max_current_A = 100
        self.is_close = False
        self.is_controlling = True  # sends DC_Control
        self.inlet_V = None
        self.load_A = 0.0  # what flows while as much is asked for
        self.current_A = 0.0
        self.charge_As = 0.0
        self.last_s = None
        self.status1 = []  # (kernel time, request A, current A)
        self.status2 = []  # (kernel time, is closed, end requested, battery V, inlet V)

    def send(self, number, data, **more):
        self.transmit(number, data, is_extended=False, **more)

    def on_message(self, message, now):
        data = bytes(message.data)
        if message.is_extended_id:
            return
        if message.arbitration_id == 0x612 and len(data) == 8:
            request, current = struct.unpack_from("<hh", data)
            self.status1.append((message.timestamp, request / 10, current / 10))
        elif message.arbitration_id == 0x613 and len(data) == 5:
            bits, battery, inlet = struct.unpack("<BHH", data)
            self.status2.append((message.timestamp, bits & 1, bits >> 1 & 1, battery / 10, inlet / 10))

    def on_tick(self, now):
        self.send(0x600, struct.pack("<BBBhB", self.stage, 3, 5, self.max_current_A * 10, 0))
        self.send(0x601, bytes(1))
        if self.is_controlling:
            self.send(0x602, bytes([self.is_close]))
        self.send(0x603, bytes([50, 0, 90, 9, 150, 1]))
        self.current_A = min(self.load_A, self.request_A()) if self.is_closed() and self.status1 else 0.0
        if self.inlet_V is not None:
            self.charge_As += self.current_A * (now - self.last_s if self.last_s else 0.0)
            data = struct.pack("<H", round(self.inlet_V * 10)) + struct.pack("<i", round(self.current_A * 100))[:3]
            data += struct.pack("<I", int(self.charge_As * 10) & 0xFFFFFF)[:3]
            self.transmit(PATH_SOURCE | INDEX << 24, data, is_extended=True)
        self.last_s = now

    def is_closed(self):
        return bool(self.status2) and self.status2[-1][1] == 1

    def battery_V(self):
        return self.status2[-1][3]

    def shown_inlet_V(self):
        return self.status2[-1][4]

    def request_A(self):
        return self.status1[-1][1]

    def precharge(self, bench, inlet_V):
        """A new session up to stage 5, with this at the inlet."""
        self.is_close = False
        self.inlet_V = 0.0
        self.load_A = 0.0
        for self.stage in (1, 2, 3, 4):
            n = len(self.status2)
            bench.until(lambda n=n: len(self.status2) > n + 2, 5, "DC_Status2")
        self.stage = 5
        self.inlet_V = inlet_V
        bench.until(lambda: abs(self.shown_inlet_V() - inlet_V) < 1, 5, f"inlet shown as {inlet_V} V")

    def charge(self, bench):
        """Until the contactors are closed and stage 7 is on."""
        bench.until(lambda: self.status2 and self.battery_V() > 0, 5, "battery voltage")
        self.precharge(bench, self.battery_V())
        self.is_close = True
        bench.until(self.is_closed, 5, "contactors close on a match")
        self.stage = 6
        n = len(self.status2)
        bench.until(lambda: len(self.status2) > n + 2, 5, "DC_Status2")
        self.stage = 7
        bench.until(lambda: self.request_A() > 0, 5, "a current is asked for")


ODD_FOR_PEV = (
    ("information of 5 bytes", 0x600, bytes([7, 3, 5, 0, 0]), {}),
    ("information without a byte", 0x600, b"", {}),
    ("information of 8 bytes", 0x600, bytes([7, 3, 5, 0xE8, 3, 0, 0, 0]), {}),
    ("stage 11", 0x600, bytes([11, 3, 5, 0xE8, 3, 0]), {}),
    ("stage 255", 0x600, bytes([255, 3, 5, 0xE8, 3, 0]), {}),
    ("pins 6 and protocol 9", 0x600, bytes([7, 9, 6, 0xE8, 3, 0]), {}),
    ("negative maximum", 0x600, bytes([7, 3, 5, 0x18, 0xFC, 0]), {}),
    ("control without a byte", 0x602, b"", {}),
    ("control of 2 bytes", 0x602, bytes([1, 0]), {}),
    ("control, reserved bits", 0x602, bytes([0xFF]), {}),
    ("AC control of 8 bytes", 0x601, bytes(8), {}),
    ("diagnostics of a later version", 0x605, bytes(8), {}),
    ("remote frame", 0x602, None, {"is_remote_frame": True, "dlc": 1}),
)
