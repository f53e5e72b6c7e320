/* SPDX-License-Identifier: MIT */
/* Facts of each state of a charge point. Pure. */
#include "evse-ctrl/evse_states.h"

#include <forecourt/units.h>

#define S(seconds) ((int64_t)(seconds)*FC_US_PER_S)
#define NO_POWER   (EVSE_MODE_BIT(PM_OFF) | EVSE_MODE_BIT(PM_STANDBY))

/*
 * Sources of the times: the module gives up an insulation test after 30 s and a precharge after 7 to 10 s
 * (evse-v3.md section 5, v2g/messages.md section 6.1), so ours are the later net under it. Standby may last
 * for hours in Waiting_For_Charge (rule E-56): the module's status watchdog of 200 ms is its exit. Transfer
 * ends by the same watchdog; silence of DC_Power_Control alone leads to zero current after 60 s (E-18).
 * A session that asks for nothing: wake-up limit 40 s plus negotiation of parameters, doubled.
 */
static const struct evse_state_row rows[EVSE_N_STATES] = {
	[EVSE_ST_NO_MODULE] = {"No_Module", FC_NEVER, EVSE_MODE_BIT(PM_OFF), false, false, false, false},
	[EVSE_ST_IDLE] = {"Idle", FC_NEVER, EVSE_MODE_BIT(PM_OFF), false, false, true, false},
	[EVSE_ST_SESSION] = {"Session", S(600), NO_POWER, true, true, true, false},
	[EVSE_ST_STANDBY] = {"Standby", FC_NEVER, NO_POWER, true, true, true, true},
	[EVSE_ST_LOWERING] = {"Lowering", S(120), NO_POWER, true, true, true, true},
	[EVSE_ST_INSULATION] = {"Insulation_Test", S(90), NO_POWER | EVSE_MODE_BIT(PM_INSULATION_TEST), true,
				true, true, true},
	[EVSE_ST_PRECHARGE] = {"Precharge", S(60), NO_POWER | EVSE_MODE_BIT(PM_PRECHARGE), true, true, true,
			       true},
	[EVSE_ST_TRANSFER] = {"Transfer", FC_NEVER, NO_POWER | EVSE_MODE_BIT(PM_TRANSFER), true, true, true,
			      true},
	[EVSE_ST_CLOSING] = {"Closing", S(120), NO_POWER, false, false, true, false},
	[EVSE_ST_SHUTDOWN] = {"Shutdown", S(5), NO_POWER, true, true, false, false},
	[EVSE_ST_BLOCKED] = {"Blocked", FC_NEVER, NO_POWER, false, true, false, false},
	[EVSE_ST_FAULT] = {"Fault", FC_NEVER, EVSE_MODE_BIT(PM_OFF), false, false, false, false},
	[EVSE_ST_STOPPED] = {"Stopped", FC_NEVER, EVSE_MODE_BIT(PM_OFF), false, false, false, false},
};

const struct evse_state_row *evse_state_row(enum evse_state state)
{
	return &rows[state];
}

const char *evse_fault_name(enum evse_fault fault)
{
	switch (fault) {
	case EVSE_FAULT_MEASUREMENT_STALE:
		return "measurement_stale";
	case EVSE_FAULT_POWER_MODULE:
		return "power_module";
	case EVSE_FAULT_OVER_VOLTAGE:
		return "over_voltage";
	case EVSE_FAULT_OVER_CURRENT:
		return "over_current";
	case EVSE_FAULT_CURRENT_STUCK:
		return "current_stuck";
	case EVSE_FAULT_STATE_TIMEOUT:
		return "state_timeout";
	case EVSE_FAULT_CONTACTOR:
		return "contactor";
	case EVSE_FAULT_GUARD:
		return "guard";
	case EVSE_FAULT_NOT_READY:
		return "not_ready";
	case EVSE_FAULT_EMERGENCY_BUTTON:
		return "emergency_button";
	case EVSE_N_FAULTS:
		break;
	}
	return "unknown";
}
