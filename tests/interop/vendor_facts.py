# SPDX-License-Identifier: MIT
"""Do our stand-ins for the vendor's simulators behave as those were measured? Frames byte by byte, ramps and delays
in a time of their own, and what they refuse (evse-v3 and pev-v2, sections 14 and 16).
"""
import can

from vendor_evse import OCPP, POWER_CONTROL, PRECHARGE, STANDBY, STATE, STATUS, TRANSFER, EvseCustomer
from vendor_module import power
from vendor_pev import PevCustomer
from vendor_wire import INDEX, PERIOD_S, Failure

INSULATION_TEST = 2


class Still:
    """A client on no bus: what it sends is kept, its time is what we say."""

    def __init__(self, kind, bench, is_extended):
        self.client = kind(bench.group, bench.port)
        self.client.transmit = self.keep
        self.is_extended = is_extended
        self.frames = []
        self.now = 0.0

    def keep(self, identifier, data, is_extended):
        self.frames.append((identifier & 0xFFFFFF, bytes(data)))

    def hears(self, number, data, **more):
        number |= INDEX << 24 if self.is_extended else 0
        message = can.Message(arbitration_id=number, data=data, is_extended_id=self.is_extended, **more)
        self.client.on_message(message, self.now)

    def refuses(self, number, data):
        try:
            self.hears(number, data)
        except Failure:
            return True
        return False

    def runs(self, seconds):
        for _ in range(round(seconds / PERIOD_S)):
            self.now += PERIOD_S
            self.client.on_tick(self.now)

    def takes(self, condition, limit_s=20.0):
        """Seconds until the condition holds."""
        begin = self.now
        while not condition(self.client) and self.now - begin < limit_s:
            self.runs(PERIOD_S)
        return self.now - begin

    def sent(self, number):
        return [data.hex(" ").upper() for n, data in self.frames if n == number]


def near(checks, what, value, expected):
    checks(what, abs(value - expected) <= 0.25, f"{value:.1f} s, measured {expected} s")


def check_evse_frames(checks, evse):
    evse.hears(STATE, bytes([12]))
    evse.hears(STATE, bytes([1]))
    evse.hears(STATE, bytes([11]))
    evse.runs(3.2)
    evse.hears(STATE, bytes([3]))
    evse.runs(1.7)
    evse.hears(STATE, bytes([4]))
    evse.runs(0.8)
    early = evse.client.is_enabled
    evse.runs(0.4)
    checks("System_Enable 1 s after state 4", evse.client.is_enabled and not early)
    sequence = evse.sent(0x63002)
    checks("Sequence_Control", sequence == ["01 00 00", "01 03 00", "01 07 00"], " / ".join(sequence))
    checks("DC_Power_Parameters", set(evse.sent(0x63001)) == {"88 13 B0 04 B0 04 00 00"}, evse.sent(0x63001)[-1])


def check_evse_ramps(checks, evse):
    client = evse.client
    evse.hears(POWER_CONTROL, power(INSULATION_TEST, 500))
    checks("100 kohm at once", client.insulation_kohm == 100)
    near(checks, "90 % of 500 V", evse.takes(lambda c: c.voltage_V >= 450), 3.3)
    evse.runs(2)
    evse.hears(POWER_CONTROL, power(STANDBY, is_lowering=True))
    near(checks, "500 V to 20 V", evse.takes(lambda c: c.voltage_V <= 20), 4.8)
    evse.hears(POWER_CONTROL, power(PRECHARGE, 330, 2, 0))
    near(checks, "20 V to 310 V", evse.takes(lambda c: c.voltage_V >= 310), 2.5)
    evse.runs(2)
    evse.hears(POWER_CONTROL, power(TRANSFER, 400, 40))
    evse.hears(STATE, bytes([7]))
    evse.runs(5)
    checks("40 A at 330 V", (client.current_A, client.voltage_V) == (40.0, 330.0))
    evse.hears(POWER_CONTROL, power(STANDBY))
    first = len(evse.sent(STATUS))
    evse.runs(0.4)
    amperes = [int.from_bytes(bytes.fromhex(s)[2:4], "little") / 10 for s in evse.sent(STATUS)[first:]]
    checks("current after one Standby", amperes == [0, 2, 4, 6], amperes)
    evse.runs(10)
    evse.hears(STATE, bytes([8]))
    evse.runs(5)
    checks("stop button never let go", evse.sent(0x63002)[-1] == "01 07 01")
    evse.hears(STATE, bytes([1]))
    checks("before state 1", evse.sent(0x63002)[-1] == "01 00 00")


def check_refusals(checks, peer, name, frames):
    taken = [f"{number:X}#{data.hex()}" for number, data in frames if not peer.refuses(number, data)]
    checks(f"{name} refuses {len(frames)} odd frames", not taken, ", ".join(taken))


def check_pev(checks, pev):
    pev.runs(0.1)
    expected = {
        0x610: "1E 81 1D", 0x612: "D0 07 00 00 00 00 00 00", 0x613: "00 E4 0C 00 00",
        0x614: "9A 17 DA 08 81 1D", 0x615: "DA 08 9A 17", 0x616: "80 51 01 00",
    }
    wrong = {f"{number:X}": pev.sent(number) for number, text in expected.items() if pev.sent(number) != [text]}
    checks("frames of the PEV customer", not wrong, wrong or "")
    pev.hears(0x600, bytes([5, 3, 5, 0, 0, 0]))
    near(checks, "inlet at 310 V", pev.takes(lambda c: c.inlet_V >= 310), 2.6)
    pev.hears(0x602, bytes([1]))
    near(checks, "contactors close", pev.takes(lambda c: c.is_closed), 0.6)
    pev.hears(0x602, bytes([0]))
    near(checks, "and open", pev.takes(lambda c: not c.is_closed), 0.6)
    checks("inlet is dead then", pev.client.inlet_V == 0)


def facts(bench, checks):
    evse = Still(EvseCustomer, bench, True)
    check_evse_frames(checks, evse)
    check_evse_ramps(checks, evse)
    odd = [(STATE, b""), (STATE, bytes(2)), (STATE, bytes([13])), (POWER_CONTROL, bytes(6)), (POWER_CONTROL, bytes(8))]
    odd += [(POWER_CONTROL, power(3)), (OCPP, bytes(1)), (OCPP, bytes(3)), (STATUS, bytes(8))]
    check_refusals(checks, evse, "EVSE customer", odd)
    pev = Still(PevCustomer, bench, False)
    check_pev(checks, pev)
    odd = [(0x600, bytes(5)), (0x600, bytes(7)), (0x601, bytes(2)), (0x602, b"")]
    odd += [(0x600, bytes([11, 3, 5, 0, 0, 0])), (0x600, bytes([1, 5, 5, 0, 0, 0])), (0x600, bytes([1, 3, 6, 0, 0, 0]))]
    check_refusals(checks, pev, "PEV customer", odd)
    evse.client.close()
    pev.client.close()
