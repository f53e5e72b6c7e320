# SPDX-License-Identifier: MIT
"""A charger's controller that behaves on the wire as the vendor's EVSE simulator is described: profile 3.2.

Its peculiarities are kept, for a module has to live with them: it wakes its power modules only when it sees state 4,
moves its output 1 s after a function was asked for, ignores the precharge current, raises its current again after a
lone Standby frame, and never releases the stop button before state 1. It raises an exception where the vendor's
program would end its reader: another length, a number it does not know.
"""
import collections
import struct

from vendor_wire import EVSE_BASE_MASK, FUNCTIONS, INDEX, PERIOD_S, Client, Failure, approach, show

STATUS = 0x63000
PARAMETERS = 0x63001
SEQUENCE = 0x63002
STATE = 0x6B000
POWER_CONTROL = 0x6B003
OCPP = 0x6B300

START = 0x000001
DONE = 0x000100
VALID = 0x000200
PARAMETERS_DONE = 0x000400
USER_STOP = 0x010000

OFF, STANDBY, INSULATION_TEST, PRECHARGE, TRANSFER = FUNCTIONS

TEMPERATURE_DEGC = 20
INSULATION_KOHM = 100


def tenths(value):
    return round(value * 10)


class EvseCustomer(Client):
    LENGTHS = {STATE: 1, POWER_CONTROL: 7, OCPP: 2}

    def __init__(self, group, port, charge_s=10.0, authorisation_s=3.0, parameters_s=1.5, wake_up_s=1.0, dead_s=1.0):
        super().__init__(group, port)
        self.charge_s = charge_s
        self.authorisation_s = authorisation_s
        self.parameters_s = parameters_s
        self.wake_up_s = wake_up_s
        self.dead_s = dead_s
        self.sent = collections.deque(maxlen=64)
        self.timers = []
        self.state = None
        self.states = []
        self.flags = 0
        self.function = OFF
        self.moves_s = 0.0  # the output stands still until then
        self.last_range_max = 0.0
        self.ocpp_A = 0.0
        self.peak_A = 0.0
        self.n_power_controls = 0
        self.reset()

    def reset(self):
        self.voltage_V = self.current_A = 0.0
        self.voltage_target_V = self.current_target_A = 0.0
        self.is_enabled = False
        self.insulation_kohm = 0

    def send(self, base, data):
        identifier = base | INDEX << 24
        self.sent.append((identifier, data))
        self.transmit(identifier, data, is_extended=True)

    def send_flags(self):
        self.send(SEQUENCE, self.flags.to_bytes(3, "little"))

    def set_flags(self, flags):
        if flags != self.flags:
            self.flags = flags
            self.send_flags()

    def after(self, now, seconds, action):
        self.timers.append((now + seconds, action))

    # --- receiving -----------------------------------------------------------------------------------------

    def on_message(self, message, now):
        if not message.is_extended_id or message.arbitration_id >> 24 != INDEX:
            return
        base = message.arbitration_id & EVSE_BASE_MASK
        data = bytes(message.data)
        if base in (STATUS, PARAMETERS, SEQUENCE):
            self.expect_own(message, data)
        elif base in self.LENGTHS:
            if len(data) != self.LENGTHS[base]:
                raise Failure(f"EVSE customer: {show(message)} has {len(data)} bytes, not {self.LENGTHS[base]}")
            {STATE: self.on_state, POWER_CONTROL: self.on_power_control, OCPP: self.on_ocpp}[base](data, now)

    def expect_own(self, message, data):
        """Another sender of these would overwrite what this program shows: no test has one."""
        try:
            self.sent.remove((message.arbitration_id, data))
        except ValueError:
            raise Failure(f"EVSE customer: {show(message)} from another sender") from None

    def on_state(self, data, now):
        state = data[0]
        if state > 12:
            raise Failure(f"EVSE customer: state {state}, unknown in 3.2")
        if state == self.state:
            return
        self.state = state
        self.states.append(state)
        self.timers.clear()
        if state == 12:
            self.flags |= START
            self.send_flags()
        elif state == 1:
            self.reset()
            self.set_flags(START)
        elif state == 11:
            self.after(now, self.authorisation_s, lambda: self.set_flags(self.flags | DONE | VALID))
        elif state == 3:
            self.after(now, self.parameters_s, lambda: self.set_flags(self.flags | PARAMETERS_DONE))
        elif state == 4:
            self.after(now, self.wake_up_s, self.enable)
        elif state == 7:
            self.ocpp_A = self.last_range_max
            self.after(now, self.charge_s, lambda: self.set_flags(self.flags | USER_STOP))

    def enable(self):
        self.is_enabled = True

    def on_power_control(self, data, now):
        target, highest, lowest, bits = struct.unpack("<HhhB", data)
        function = bits & 0x0F
        is_range = bool(bits & 0x20)
        is_lowering = bool(bits & 0x80)
        if function not in FUNCTIONS:
            raise Failure(f"EVSE customer: power function {function}")
        self.n_power_controls += 1
        self.last_range_max = highest / 10
        if function != self.function:
            self.function = function
            self.moves_s = now + (self.dead_s if function in (INSULATION_TEST, PRECHARGE, TRANSFER) else 0.0)
        if function == OFF:
            self.voltage_V = self.current_A = 0.0
            self.voltage_target_V = self.current_target_A = 0.0
        elif function == STANDBY:
            self.current_A = 0.0  # but not its target: the current comes back unless the next frame says so again
            self.voltage_target_V = 0.0 if is_lowering else self.voltage_V
            if is_lowering:
                self.current_target_A = 0.0
        elif function in (INSULATION_TEST, PRECHARGE):
            self.voltage_target_V = target / 10
            if function == INSULATION_TEST:
                self.insulation_kohm = INSULATION_KOHM
        elif is_range:
            self.current_target_A = min(max(self.ocpp_A, lowest / 10), highest / 10)
        else:
            self.current_target_A = highest / 10

    def on_ocpp(self, data, _now):
        self.ocpp_A = struct.unpack("<h", data)[0] / 10

    # --- sending -------------------------------------------------------------------------------------------

    def on_tick(self, now):
        due = [action for t, action in self.timers if t <= now]
        self.timers = [timer for timer in self.timers if timer[0] > now]
        for action in due:
            action()
        temperature = TEMPERATURE_DEGC + 40
        self.send(
            STATUS,
            struct.pack(
                "<HhBBBB", tenths(self.voltage_V), tenths(self.current_A), temperature, temperature,
                self.is_enabled, self.insulation_kohm // 2,
            ),
        )
        self.send(PARAMETERS, struct.pack("<HHHh", tenths(500), tenths(120), tenths(120), 0))
        # After the message: the first one after a lone Standby says 0 A, the next ones 2, 4, 6 A.
        if now >= self.moves_s:
            self.voltage_V = approach(self.voltage_V, self.voltage_target_V, 200 * PERIOD_S, 100 * PERIOD_S)
            self.current_A = approach(self.current_A, self.current_target_A, 20 * PERIOD_S, 20 * PERIOD_S)
        self.peak_A = max(self.peak_A, self.current_A)
