/* SPDX-License-Identifier: MIT */
/* Facts of each state of the virtual SECC and of each way a session ends. Pure. */
#include "sim/secc_priv.h"

#define LIMIT(member) offsetof(struct secc_cfg, member)

enum {
	FN_STANDBY = 1 << SECC_FN_STANDBY,
	FN_TEST = 1 << SECC_FN_INSULATION,
	FN_PRECHARGE = 1 << SECC_FN_PRECHARGE,
	FN_TRANSFER = 1 << SECC_FN_TRANSFER,
};

/*
 * Columns: name, session, supervised, energised, functions, longest stay, cause when it is over. The limits of
 * Insulation_Test belong to its steps; where no limit is given the vehicle's silence (60 s) is the exit.
 */
static const struct secc_state_row rows[SECC_N_STATES] = {
	[SECC_INITIALISING] = {"Initialising", false, false, false, 0, 0, SECC_CAUSE_NONE},
	[SECC_WAITING_FOR_PEV] = {"Waiting_For_PEV", false, false, false, 0, 0, SECC_CAUSE_NONE},
	[SECC_NEGOTIATING] = {"Negotiating_Connection", true, false, false, 0, 0, SECC_CAUSE_NONE},
	[SECC_FULL_INFO] = {"Connected_With_Full_Info", true, true, false, 0, 0, SECC_CAUSE_NONE},
	[SECC_INSULATION_TEST] = {"Insulation_Test", true, true, false, FN_STANDBY | FN_TEST, 0,
				  SECC_CAUSE_NONE},
	[SECC_PRECHARGE] = {"Precharge", true, true, true, FN_STANDBY | FN_PRECHARGE,
			    LIMIT(precharge_timeout_ms), SECC_CAUSE_PRECHARGE_TIMEOUT},
	[SECC_WAITING_FOR_CHARGE] = {"Waiting_For_Charge", true, true, true, FN_STANDBY | FN_TRANSFER, 0,
				     SECC_CAUSE_NONE},
	[SECC_CHARGING] = {"Charging", true, true, true, FN_STANDBY | FN_TRANSFER, 0, SECC_CAUSE_NONE},
	[SECC_ENDING_CHARGE] = {"Ending_Charge", true, true, false, FN_STANDBY, 0, SECC_CAUSE_NONE},
	[SECC_WELDING_DETECTION] = {"Welding_Detection", true, true, false, FN_STANDBY, 0, SECC_CAUSE_NONE},
	[SECC_CLOSING] = {"Closing_Communication", false, false, false, FN_STANDBY, LIMIT(closing_delay_ms),
			  SECC_CAUSE_NONE},
	[SECC_AUTHORISATION] = {"CCS_Authorisation_Process", true, false, false, 0, 0, SECC_CAUSE_NONE},
	[SECC_NOT_AVAILABLE] = {"Not_Available", false, false, false, 0, 0, SECC_CAUSE_NONE},
	[SECC_CHARGE_PAUSE] = {"Charge_Pause", true, true, false, FN_STANDBY, 0, SECC_CAUSE_NONE},
};

static const struct secc_cause_row causes[SECC_N_CAUSES] = {
	[SECC_CAUSE_NONE] = {"none", false, V2G_FAILED, V2G_EVSE_NOT_READY},
	[SECC_CAUSE_VEHICLE] = {"vehicle", false, V2G_FAILED, V2G_EVSE_SHUTDOWN},
	[SECC_CAUSE_REFUSED] = {"refused", false, V2G_FAILED, V2G_EVSE_NOT_READY},
	[SECC_CAUSE_NO_PROTOCOL] = {"no_protocol", false, V2G_FAILED, V2G_EVSE_NOT_READY},
	[SECC_CAUSE_PARAMETERS] = {"parameters", false, V2G_FAILED_WRONG_CHARGE_PARAMETER,
				   V2G_EVSE_NOT_READY},
	[SECC_CAUSE_SETUP_TIMEOUT] = {"setup_timeout", false, V2G_FAILED, V2G_EVSE_NOT_READY},
	[SECC_CAUSE_SEQUENCE_TIMEOUT] = {"sequence_timeout", true, V2G_FAILED, V2G_EVSE_SHUTDOWN},
	[SECC_CAUSE_SEQUENCE_ERROR] = {"sequence_error", true, V2G_FAILED_SEQUENCE_ERROR,
				       V2G_EVSE_MALFUNCTION},
	[SECC_CAUSE_UNKNOWN_SESSION] = {"unknown_session", true, V2G_FAILED_UNKNOWN_SESSION,
					V2G_EVSE_MALFUNCTION},
	[SECC_CAUSE_NOT_ENABLED] = {"not_enabled", false, V2G_FAILED, V2G_EVSE_NOT_READY},
	[SECC_CAUSE_UNAVAILABLE] = {"unavailable", false, V2G_FAILED, V2G_EVSE_SHUTDOWN},
	[SECC_CAUSE_INSULATION_FAILED] = {"insulation_failed", true, V2G_FAILED, V2G_EVSE_MALFUNCTION},
	[SECC_CAUSE_NOT_LOWERED] = {"not_lowered", true, V2G_FAILED, V2G_EVSE_MALFUNCTION},
	[SECC_CAUSE_PRECHARGE_TIMEOUT] = {"precharge_timeout", true, V2G_FAILED, V2G_EVSE_SHUTDOWN},
	[SECC_CAUSE_UNPLUGGED] = {"unplugged", true, V2G_FAILED, V2G_EVSE_SHUTDOWN},
	[SECC_CAUSE_STOPPED] = {"stopped", false, V2G_FAILED, V2G_EVSE_SHUTDOWN},
	[SECC_CAUSE_DISABLED] = {"disabled", true, V2G_FAILED, V2G_EVSE_EMERGENCY},
	[SECC_CAUSE_CUSTOMER_LOST] = {"customer_lost", true, V2G_FAILED, V2G_EVSE_EMERGENCY},
	[SECC_CAUSE_INSULATION_ALARM] = {"insulation_alarm", true, V2G_FAILED, V2G_EVSE_EMERGENCY},
	[SECC_CAUSE_INTERLOCK] = {"interlock", true, V2G_FAILED, V2G_EVSE_EMERGENCY},
	[SECC_CAUSE_VEHICLE_EMERGENCY] = {"vehicle_emergency", true, V2G_FAILED, V2G_EVSE_EMERGENCY},
};

const struct secc_state_row *secc_state_row(enum secc_state state)
{
	return &rows[state < SECC_N_STATES ? state : SECC_INITIALISING];
}

const struct secc_cause_row *secc_cause_row(enum secc_cause cause)
{
	return &causes[cause < SECC_N_CAUSES ? cause : SECC_CAUSE_NONE];
}

const char *secc_state_name(enum secc_state state)
{
	return secc_state_row(state)->name;
}

const char *secc_cause_name(enum secc_cause cause)
{
	return secc_cause_row(cause)->name;
}

const char *secc_step_name(enum secc_step step)
{
	static const char *const names[SECC_N_STEPS] = {
		"none", "wake", "ready", "test", "lower", "passed", "end_current", "end_open", "end_lower",
	};

	return step < SECC_N_STEPS ? names[step] : "?";
}
