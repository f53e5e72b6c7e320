# SPDX-License-Identifier: MIT
"""The sessions of vendor_session.py: who takes part, and what has to be true of it."""
import statistics
import struct

from vendor_drop_in import odd_for_evse, odd_for_pev, safety_of_evse, safety_of_pev
from vendor_evse import EvseCustomer
from vendor_facts import facts
from vendor_pev import PevCustomer
from vendor_wire import EVSE_32, PEV_20EX, Failure, Judge

CHARGE_S = 3.0
PLUGGED = [12, 1, 2, 11, 3, 4, 5, 6, 7, 8]
STAGES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]


def booted(values):
    """Without the value of a module that is starting."""
    return values[1:] if values[:1] == [0] else values


def text(values):
    return "-".join(str(v) for v in values)


def check_wire(checks, judge, what):
    checks(f"{what}: identifiers, lengths, values, reserved bits", not judge.complaints, "; ".join(judge.complaints))


def check_states(checks, judge, n_sessions=1):
    """E-96."""
    states = booted(judge.changes(0x6B000))
    again = (PLUGGED[2:] + [9, 10, 1]) * (n_sessions - 1)
    expected = PLUGGED + [9, 10, 1] + again
    without_welding = [s for s in expected if s != 9]
    checks("states of the charger's module", [s for s in states if s != 9] == without_welding, text(states))


def check_stages(checks, judge):
    """P-54."""
    stages = booted(judge.changes(0x600))
    checks("stages of the vehicle's module", stages == STAGES + [1], text(stages))


def check_end_of_charge(checks, judge, n_sessions=1):
    """E-74, E-80: the end's DC_Power_Control in order, Open only below 1 A, one clean finish."""
    events = [(t, "state", d[0]) for t, d in judge.seen[0x6B000]]
    events += [(t, "power", d[6]) for t, d in judge.seen[0x6B003]]
    events += [(t, "current", struct.unpack_from("<h", d, 2)[0] / 10) for t, d in judge.seen[0x63000]]
    state, current, order, opened_A = None, 0.0, [], []
    for _, kind, value in sorted(events, key=lambda e: e[0]):
        if kind == "current":
            current = value
        elif kind == "state":
            if value == 8 and state != 8:
                order = []
            state = value
        elif state in (8, 9, 10):
            name = {0x41: "close", 0x01: "open", 0x81: "lower"}.get(value, f"{value:#04x}")
            if name == "open" and order[-1:] == ["close"]:
                opened_A.append(current)
            if order[-1:] != [name]:
                order.append(name)
    # The set point of the loop may stand until the first of the three; when all is done Open may be told again.
    tail = [name for name in order if not name.startswith("0x")]
    checks("end of charge: Standby closed, open, lowering", tail[:3] == ["close", "open", "lower"], ", ".join(order))
    checks("module opens below 1 A", len(opened_A) == n_sessions and max(opened_A) < 1, opened_A)
    finished = [data[0] for data in judge.datas(0x6B004)]
    checks("one clean finish a session", finished == [0] * n_sessions, finished)
    checks("no emergency", not judge.datas(0x6B005))
    changes = [data[0] for data in judge.datas(0x6B002)]
    checks("Charge_Started and Charge_Stopped once each", changes == [1, 0] * n_sessions, changes)


def unplugged(bench, judge):
    bench.until(lambda: judge.changes(0x600)[-1:] == [1], 10, "vehicle's module idle after unplugging")


def plug_and_charge(bench, judge, plug, n_sessions=1):
    """From the start of the programs to the idle modules after the last session.

    Unplugged in state 10: in state 1 a charger's module would soon begin anew with a vehicle that is still there.
    """

    def shown(state, times):
        return lambda: judge.changes(0x6B000).count(state) >= times

    for n in range(1, n_sessions + 1):
        bench.until(shown(1, n), 20, "charger's module waits for a vehicle")
        bench.tell(plug, "plug")
        bench.until(shown(7, n), 40, f"charging, session {n}")
        bench.until(shown(10, n), 40, f"end of session {n}")
        bench.tell(plug, "unplug")
        if 0x600 in judge.seen:
            unplugged(bench, judge)
        bench.until(shown(1, n + 1), 20, f"idle after session {n}")


# --- vendor-like customers ---------------------------------------------------------------------------------


def check_evse_customer(checks, customer):
    checks("EVSE customer took every frame", True, f"{customer.n_power_controls} DC_Power_Control")
    checks("current flowed at the EVSE customer", customer.peak_A >= 20, f"{customer.peak_A:.0f} A")
    checks("and ended", customer.current_A == 0, f"{customer.current_A:.1f} A")


def check_pev_customer(checks, customer):
    checks("PEV customer took every frame", True, text(booted(customer.stages)))
    checks("its contactors closed once and are open", customer.closings == 1 and not customer.is_closed)


def evse_customer(bench, checks):
    """E-96. Twice, for the stop button has to be released and the second session not be stopped by the first."""
    customer = bench.add(EvseCustomer, charge_s=CHARGE_S)
    judge = bench.add(Judge, evse=EVSE_32)
    bench.start("secc", "secc-sim", "--protocol", "3.2", "--no-free-service")
    bench.start("evcc", "evcc-sim")
    bench.start("pev", "pev-ctrl")
    plug_and_charge(bench, judge, "evcc", 2)
    check_states(checks, judge, 2)
    check_wire(checks, judge, "3.2 (E-07)")
    check_evse_customer(checks, customer)
    check_end_of_charge(checks, judge, 2)
    status = bench.ask("pev", "status")
    checks("vehicle's contactors are open", status["contactors"] == "Open", status["contactors"])
    checks("vehicle has no fault", status["faults_latched"] == "none", status["faults_latched"])


def evse_customer_model(bench, checks):
    customer = bench.add(EvseCustomer, charge_s=CHARGE_S)
    judge = bench.add(Judge, evse=EVSE_32)
    bench.start("secc", "secc-sim", "--protocol", "3.2", "--no-free-service", "--vehicle", "model")
    plug_and_charge(bench, judge, "secc")
    check_states(checks, judge)
    check_wire(checks, judge, "3.2 (E-07)")
    check_evse_customer(checks, customer)
    check_end_of_charge(checks, judge)


def check_request(checks, judge, customer):
    """P-03: the scale of Max_Current."""
    largest = max(struct.unpack_from("<h", data, 3)[0] / 10 for data in judge.datas(0x600))
    checks("maximum told in tenths of an ampere", 20 <= largest <= 120, f"{largest} A")
    checks("less current than asked is accepted", customer.closings == 1 and 8 in customer.stages)


def pev_customer(bench, checks):
    """P-54."""
    customer = bench.add(PevCustomer)
    judge = bench.add(Judge, pev=PEV_20EX)
    bench.start("evcc", "evcc-sim", "--protocol", "2.0-ex")
    bench.start("secc", "secc-sim", "--no-free-service")
    bench.start("evse", "evse-ctrl", "--charge-duration", str(CHARGE_S))
    plug_and_charge(bench, judge, "evcc")
    check_stages(checks, judge)
    check_wire(checks, judge, "2.0-ex (P-05)")
    check_pev_customer(checks, customer)
    check_request(checks, judge, customer)
    asked = [struct.unpack_from("<h", d, 2)[0] / 10 for d in judge.datas(0x6B003) if d[6] & 15 == 8]
    checks("charger is asked for 200 A within its limit", 20 <= max(asked) <= 100, f"{max(asked)} A")
    status = bench.ask("evse", "status")
    checks("charger ended cleanly", status["session_finished"] == "Clean_Stop" and status["faults"] == "none")


def pev_customer_model(bench, checks):
    customer = bench.add(PevCustomer)
    judge = bench.add(Judge, pev=PEV_20EX)
    bench.start("evcc", "evcc-sim", "--protocol", "2.0-ex", "--charger", "model", "--stop-after", str(CHARGE_S))
    bench.until(lambda: judge.changes(0x600)[-1:] == [1], 20, "vehicle's module is idle")
    bench.tell("evcc", "plug")
    bench.until(lambda: 7 in customer.stages, 40, "charging")
    bench.until(lambda: 10 in customer.stages, 40, "end of the session")
    bench.tell("evcc", "unplug")
    unplugged(bench, judge)
    check_stages(checks, judge)
    check_wire(checks, judge, "2.0-ex (P-05)")
    check_pev_customer(checks, customer)
    check_request(checks, judge, customer)


def both_customers(bench, checks):
    charger = bench.add(EvseCustomer, charge_s=CHARGE_S)
    vehicle = bench.add(PevCustomer)
    judge = bench.add(Judge, evse=EVSE_32, pev=PEV_20EX)
    bench.start("secc", "secc-sim", "--protocol", "3.2", "--no-free-service")
    bench.start("evcc", "evcc-sim", "--protocol", "2.0-ex")
    plug_and_charge(bench, judge, "evcc")
    # The last state asks for Sequence_Control too: its answer is still on its way.
    idle_s = judge.seen[0x6B000][-1][0]
    bench.until(lambda: judge.seen[0x63002][-1][0] >= idle_s - 0.01, 5, "Sequence_Control of the idle charger")
    check_states(checks, judge)
    check_stages(checks, judge)
    check_wire(checks, judge, "3.2 and 2.0-ex")
    check_evse_customer(checks, charger)
    check_pev_customer(checks, vehicle)
    check_end_of_charge(checks, judge)


# --- our controllers in their place ------------------------------------------------------------------------


def check_period(checks, judge, number, name):
    """On a shared machine only the median and gross outliers count."""
    intervals = judge.intervals(number)
    if len(intervals) < 20:
        checks(f"{name} every 100 ms", False, f"{len(intervals)} intervals")
        return
    median_ms = statistics.median(intervals) * 1000
    outliers = sum(not 0.08 <= i <= 0.12 for i in intervals)
    gross = sum(i > 0.3 for i in intervals)
    detail = f"median {median_ms:.1f} ms, longest {max(intervals) * 1000:.0f} ms, {outliers} of {len(intervals)} off"
    checks(f"{name} every 100 ms", 98 <= median_ms <= 102 and gross <= 2, detail)


def check_sequence_control(checks, judge):
    """E-17, E-26, E-73: at every state that asks for it, and the stop button let go."""
    sent = judge.seen[0x63002]
    late = []
    state = None
    for t, data in judge.seen[0x6B000]:
        if data[0] != state and data[0] in (12, 1, 11, 3):
            waits = [s - t for s, _ in sent if s >= t - 0.01]
            late += [(data[0], round(waits[0] if waits else 9, 3))] if not waits or waits[0] > 0.25 else []
        state = data[0]
    checks("Sequence_Control at states 12, 1, 11, 3", not late, late or "")
    pressed = [t for t, data in sent if data[2] & 1]
    released = [t for t, data in sent if pressed and t > pressed[-1] and not data[2] & 1]
    held_s = released[0] - pressed[0] if released else 0
    checks("user stop is pressed and let go", 0.48 <= held_s <= 1.5, f"{held_s * 1000:.0f} ms")


def check_parameters(checks, judge):
    """E-16, E-33."""
    gaps = judge.intervals(0x63001)
    checks("DC_Power_Parameters not closer than 100 ms", sum(gap < 0.08 for gap in gaps) <= 1, f"{min(gaps):.3f} s")
    checks("and every second", max(gaps) < 1.5, f"{max(gaps):.3f} s")
    volts = {struct.unpack_from("<H", data)[0] / 10 for data in judge.datas(0x63001)}
    checks("maximum voltage as configured", volts == {500.0}, volts)


def drop_in(bench, checks):
    judge = bench.add(Judge, evse=EVSE_32, pev=PEV_20EX)
    bench.start("secc", "secc-sim", "--protocol", "3.2", "--no-free-service")
    bench.start("evcc", "evcc-sim", "--protocol", "2.0-ex")
    bench.start("evse", "evse-ctrl", "--protocol", "3.2", "--charge-duration", str(CHARGE_S))
    bench.start("pev", "pev-ctrl", "--protocol", "2.0-ex")
    plug_and_charge(bench, judge, "evcc")
    check_states(checks, judge)
    check_stages(checks, judge)
    check_wire(checks, judge, "3.2 and 2.0-ex")
    check_end_of_charge(checks, judge)
    check_period(checks, judge, 0x63000, "Power_Modules_Status")
    for number, name in (
        (0x610, "EV_Information"), (0x611, "AC_Status"), (0x612, "DC_Status1"), (0x613, "DC_Status2"),
    ):
        check_period(checks, judge, number, name)
    check_sequence_control(checks, judge)
    check_parameters(checks, judge)
    current = [struct.unpack_from("<h", data, 2)[0] / 10 for data in judge.datas(0x63000)]
    checks("current flowed and ended", max(current) >= 20 and abs(current[-1]) < 1, f"{max(current)} A")
    request = [struct.unpack_from("<h", data)[0] / 10 for data in judge.datas(0x612)]
    checks("request in tenths of an ampere", 20 <= max(request) <= 120, f"{max(request)} A")
    capacity = {struct.unpack_from("<H", data, 1)[0] for data in judge.datas(0x610)}
    checks("capacity in hundredths of a kWh", capacity == {7553}, capacity)
    energies = {struct.unpack("<HHH", data) for data in judge.datas(0x614)}
    ordered = all(target <= largest and least <= target for target, least, largest in energies)
    checks("energies as the vendor's simulator orders them", ordered, energies or "not sent")


SESSIONS = {
    "facts": facts,
    "evse-customer": evse_customer,
    "pev-customer": pev_customer,
    "both": both_customers,
    "drop-in": drop_in,
    "evse-model": evse_customer_model,
    "pev-model": pev_customer_model,
    "evse-odd": odd_for_evse,
    "evse-safety": safety_of_evse,
    "pev-odd": odd_for_pev,
    "pev-safety": safety_of_pev,
}

__all__ = ["SESSIONS", "Failure"]
