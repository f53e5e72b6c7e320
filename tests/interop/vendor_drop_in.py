# SPDX-License-Identifier: MIT
"""What the vendor's simulators do wrong (section 14 of both interfaces) and our controllers must not: an odd frame
ends nothing, silence and emergency take the current away, no current comes back by itself, contactors do not close on
a mismatch, and a signal ends everything in a safe way. The module is played by hand.
"""
from vendor_evse import OFF, POWER_CONTROL, STANDBY, TRANSFER
from vendor_module import ODD_FOR_EVSE, ODD_FOR_PEV, Evcc, Secc, power
from vendor_wire import EVSE_32, PEV_20EX, Failure, Judge

VOLTS = 400.0
AMPERES = 40.0
LITTLE_A = 1.0
QUICK_STACK = (
    "--power-modules-wake-up-duration", "0", "--power-modules-dead-time", "0",
    "--voltage-ramp-up-slope", "1000", "--voltage-ramp-down-slope", "1000",
    "--current-ramp-up-slope", "200", "--current-ramp-down-slope", "200",
)


def attempt(checks, what, action):
    """A check whose failure is the Failure of an action; the session goes on. True when it held."""
    try:
        result = action()
    except Failure as failure:
        checks(what, False, failure)
        return False
    checks(what, True, result if isinstance(result, str) else "")
    return True


def start_evse(bench):
    module = bench.add(Secc)
    judge = bench.add(Judge, evse=EVSE_32)
    bench.start(
        "evse", "evse-ctrl", "--protocol", "3.2", "--charge-duration", "0",
        "--charge-parameters-negotiation-duration", "0", *QUICK_STACK,
    )
    return module, judge


def check_ours(checks, judge, numbers):
    ours = [c for c in judge.complaints if int(c.split("#")[0], 16) & 0xFFFFFF in numbers]
    checks("own frames: identifiers, lengths, values, reserved bits", not ours, "; ".join(ours))


def follows(bench, module, amperes):
    module.power = power(TRANSFER, VOLTS, amperes)
    bench.until(lambda: abs(module.amperes() - amperes) <= 1.5, 4, f"current follows to {amperes} A")


def odd_for_evse(bench, checks):
    module, judge = start_evse(bench)
    attempt(checks, "charges with a module by hand", lambda: module.charge(bench, VOLTS, AMPERES))
    for i, (name, base, data, more) in enumerate(ODD_FOR_EVSE):
        module.send(base, data, **more)
        attempt(checks, f"reacts after {name}", lambda i=i: follows(bench, module, AMPERES - 10 * (i % 2 == 0)))
    status = bench.ask("evse", "status")
    checks("no fault from odd frames", status["faults"] == "none", status["faults"])
    checks("odd frames were counted", int(status["rx_dropped"]) > 0, f"{status['rx_dropped']} dropped")
    check_ours(checks, judge, (0x63000, 0x63001, 0x63002, 0x63201))


def falls(bench, module, since, limit_s):
    """Until the current is gone; how long that took from `since`, by the kernel's clock."""
    bench.until(lambda: abs(module.amperes()) < LITTLE_A, limit_s, "current falls below 1 A")
    took_ms = (module.status[-1][0] - since) * 1000
    return f"{took_ms:.0f} ms"


def stays_off(bench, module, seconds, why):
    n = len(module.status)
    bench.never(lambda: abs(module.amperes()) >= LITTLE_A, seconds, f"{module.amperes()} A {why}")
    if len(module.status) < n + seconds * 5:
        raise Failure("Power_Modules_Status stopped")


def lone_frame(bench, checks, module, name, function):
    """E-04, E-64. The vendor's current comes back after one frame of these."""
    module.power = None
    begin = module.status[-1][0]
    module.send(POWER_CONTROL, power(function))
    attempt(checks, f"one {name} takes the current away", lambda: falls(bench, module, begin, 2))
    attempt(checks, "no current comes back after it", lambda: stays_off(bench, module, 1.5, f"after {name}"))
    if function != OFF:
        attempt(checks, f"a new set point after {name} works", lambda: follows(bench, module, AMPERES))


def silence(bench, checks, module):
    """E-12, E-13: only the status is silent, the set point goes on."""
    state, module.state = module.state, None
    begin = module.status[-1][0]
    attempt(checks, "silence of the module takes the current away", lambda: falls(bench, module, begin, 2))
    attempt(checks, "set points alone bring none back", lambda: stays_off(bench, module, 1.0, "without the module"))
    module.power = None
    bench.never(lambda: False, 0.3, "")
    module.state = state
    attempt(checks, "nor does the status alone", lambda: stays_off(bench, module, 1.0, "without a new set point"))
    attempt(checks, "both together do (E-13)", lambda: follows(bench, module, AMPERES))


def emergency(bench, checks, module):
    """E-85."""
    module.is_emergency = True
    begin = module.status[-1][0]
    attempt(checks, "Emergency_Stop takes the current away", lambda: falls(bench, module, begin, 2))
    attempt(checks, "none comes back in it", lambda: stays_off(bench, module, 1.0, "in an emergency"))
    module.power = None
    module.is_emergency = False
    attempt(checks, "nor by its end alone", lambda: stays_off(bench, module, 1.0, "after an emergency"))
    attempt(checks, "a new set point does", lambda: follows(bench, module, AMPERES))


def end_by_signal(bench, checks, module):
    """E-87."""
    n = len(module.status)
    status, took_s = bench.terminate("evse", 3)
    last = module.status[n:]
    n_disabled = sum(enable == 0 for _, _, _, enable, _ in last)
    checks("SIGTERM while charging: exit status 0", status == 0, status)
    checks("in time", took_s <= 1.0, f"{took_s * 1000:.0f} ms")
    checks("three last Power_Modules_Status with System_Enable 0", n_disabled >= 3, n_disabled)
    checks("the last of them without current", abs(module.amperes()) < LITTLE_A, f"{module.amperes()} A")


def safety_of_evse(bench, checks):
    module, judge = start_evse(bench)
    attempt(checks, "charges with a module by hand", lambda: module.charge(bench, VOLTS, AMPERES))
    lone_frame(bench, checks, module, "Standby", STANDBY)
    lone_frame(bench, checks, module, "unknown function", 3)
    silence(bench, checks, module)
    emergency(bench, checks, module)
    lone_frame(bench, checks, module, "Off", OFF)
    attempt(checks, "charges in a new session", lambda: module.charge(bench, VOLTS, AMPERES))
    end_by_signal(bench, checks, module)
    check_ours(checks, judge, (0x63000, 0x63001, 0x63002, 0x63201))


# --- vehicle -----------------------------------------------------------------------------------------------

OURS_PEV = range(0x610, 0x620)


def start_pev(bench):
    module = bench.add(Evcc)
    judge = bench.add(Judge, pev=PEV_20EX)
    bench.start("pev", "pev-ctrl", "--protocol", "2.0-ex")
    return module, judge


def request_follows(bench, module, amperes):
    """P-31: never above what the module allows."""
    module.max_current_A = amperes
    began = len(module.status2)
    bench.until(lambda: abs(module.request_A() - amperes) < 0.2, 3, f"request follows to {amperes} A")
    bench.until(module.is_closed, 5, "contactors close again")
    return "contactors opened and closed again" if any(row[1] == 0 for row in module.status2[began:]) else ""


def odd_for_pev(bench, checks):
    module, judge = start_pev(bench)
    attempt(checks, "charges with a module by hand", lambda: module.charge(bench))
    for i, (name, number, data, more) in enumerate(ODD_FOR_PEV):
        module.send(number, data, **more)
        what = f"reacts after {name}"
        if not attempt(checks, what, lambda i=i: request_follows(bench, module, 40 + 20 * (i % 2))):
            module.charge(bench)  # so that the next one is judged for itself
    status = bench.ask("pev", "status")
    checks("no fault from odd frames", status["faults_latched"] == "none", status["faults_latched"])
    module.is_close = False
    attempt(checks, "opens when told", lambda: bench.until(lambda: not module.is_closed(), 3, "contactors open"))
    check_ours(checks, judge, OURS_PEV)


def mismatch(bench, checks, module):
    """P-25."""
    module.precharge(bench, module.battery_V() - 60)
    module.is_close = True
    attempt(
        checks, "contactors stay open on a mismatch of 60 V",
        lambda: bench.never(module.is_closed, 2.0, "closed on a mismatch"),
    )
    module.is_close = False
    module.inlet_V = module.battery_V()
    bench.until(lambda: abs(module.shown_inlet_V() - module.battery_V()) < 1, 3, "inlet matches")
    module.is_close = True
    attempt(checks, "close on a match", lambda: bench.until(module.is_closed, 3, "contactors closed"))


def early_close(bench, checks, module):
    """P-20."""
    module.stage = 4
    module.is_close = True
    module.inlet_V = module.battery_V()
    attempt(
        checks, "contactors stay open in stage 4",
        lambda: bench.never(module.is_closed, 1.5, "closed in stage 4"),
    )
    module.is_close = False


def load(bench, module):
    module.load_A = 30.0
    bench.until(lambda: abs(module.status1[-1][2] - 30) < 1, 3, "a current of 30 A is shown")


def lost_control(bench, checks, module):
    """P-11, P-12."""
    load(bench, module)
    begin = module.status2[-1][0]
    module.is_controlling = False
    opens = attempt(
        checks, "silence of DC_Control opens the contactors",
        lambda: bench.until(lambda: not module.is_closed(), 4, "contactors open"),
    )
    took_s = module.status2[-1][0] - begin
    checks("in time, their own 0.6 s included", opens and 1.0 <= took_s <= 2.2, f"{took_s * 1000:.0f} ms")
    module.is_controlling = True
    attempt(
        checks, "they stay open until Open was heard",
        lambda: bench.never(module.is_closed, 1.5, "closed again without Open"),
    )


def pev_by_signal(bench, checks, module):
    """P-47; profile 2.0-ex has no emergency bit, a normal end stands in."""
    load(bench, module)
    n1, n2 = len(module.status1), len(module.status2)
    status, took_s = bench.terminate("pev", 5)
    checks("SIGTERM while charging: exit status 0", status == 0, status)
    checks("in time", took_s <= 2.5, f"{took_s * 1000:.0f} ms")
    checks("last request is 0 A", len(module.status1) > n1 and module.request_A() == 0, f"{module.request_A()} A")
    checks("a normal end is asked for", any(row[2] for row in module.status2[n2:]))
    checks("contactors are shown open at last", not module.is_closed())
    opened = [t for t, closed, *_ in module.status2[n2:] if not closed]
    low = [t for t, _, amperes in module.status1[n1:] if abs(amperes) < LITTLE_A]
    checks("after the current had gone", bool(opened and low) and low[0] <= opened[0])


def safety_of_pev(bench, checks):
    module, judge = start_pev(bench)
    module.inlet_V = 0.0
    bench.until(lambda: module.status2 and module.battery_V() > 0, 5, "battery voltage")
    module.stage = 1
    bench.until(lambda: len(module.status2) > 10, 5, "DC_Status2")
    module.stage = 2
    early_close(bench, checks, module)
    mismatch(bench, checks, module)
    attempt(checks, "charges in a new session", lambda: module.charge(bench))
    lost_control(bench, checks, module)
    attempt(checks, "charges in a new session after that", lambda: module.charge(bench))
    pev_by_signal(bench, checks, module)
    check_ours(checks, judge, OURS_PEV)
