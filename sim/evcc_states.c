/* SPDX-License-Identifier: MIT */
/* Facts of each stage of the virtual EVCC and of each way a session ends. Pure. */
#include "sim/evcc_priv.h"

#define FLAG(member) offsetof(struct pev_evcc_mevc_diagnostic_status, member)

/* Columns: name, session, supervised, energised, control pilot. */
static const struct evcc_stage_row rows[EVCC_N_STAGES] = {
	[EVCC_INITIALISING] = {"Initialising", false, false, false, CP_B},
	[EVCC_WAITING_FOR_EVSE] = {"Waiting_For_EVSE", false, false, false, CP_B},
	[EVCC_NEGOTIATING] = {"Negotiating_Connection", true, false, false, CP_B},
	[EVCC_FULL_INFO] = {"Connected_With_Full_Info", true, false, false, CP_B},
	[EVCC_INSULATION_TEST] = {"Insulation_Test", true, true, false, CP_C},
	[EVCC_PRECHARGE] = {"Precharge", true, true, true, CP_C},
	[EVCC_WAITING_FOR_CHARGE] = {"Waiting_For_Charge", true, true, true, CP_C},
	[EVCC_CHARGING] = {"Charging", true, true, true, CP_C},
	[EVCC_ENDING_CHARGE] = {"Ending_Charge", true, true, true, CP_C},
	[EVCC_WELDING_DETECTION] = {"Welding_Detection", true, true, false, CP_B},
	[EVCC_CLOSING] = {"Closing_Communication", false, false, false, CP_B},
	[EVCC_CHARGE_PAUSE] = {"Charge_Pause", true, false, false, CP_B},
};

static const struct evcc_cause_row causes[EVCC_N_CAUSES] = {
	[EVCC_CAUSE_NONE] = {"none", EVCC_STOP, EVCC_NO_FLAG},
	[EVCC_CAUSE_CHARGER_STOP] = {"charger_stop", EVCC_STOP, EVCC_NO_FLAG},
	[EVCC_CAUSE_VEHICLE_STOP] = {"vehicle_stop", EVCC_STOP, EVCC_NO_FLAG},
	[EVCC_CAUSE_FULL] = {"full", EVCC_STOP, EVCC_NO_FLAG},
	[EVCC_CAUSE_VOLTAGE] = {"voltage", EVCC_STOP, EVCC_NO_FLAG},
	[EVCC_CAUSE_INPUT] = {"input", EVCC_STOP, EVCC_NO_FLAG},
	[EVCC_CAUSE_TEMPERATURE] = {"temperature", EVCC_STOP, FLAG(high_temperature)},
	[EVCC_CAUSE_COMMAND] = {"command", EVCC_STOP, EVCC_NO_FLAG},
	[EVCC_CAUSE_PROGRAM_END] = {"program_end", EVCC_STOP, EVCC_NO_FLAG},
	[EVCC_CAUSE_LOCK] = {"lock", EVCC_FAULT, FLAG(lock_failure)},
	[EVCC_CAUSE_HOLD_OFF] = {"hold_off", EVCC_FAULT, EVCC_NO_FLAG},
	[EVCC_CAUSE_INCOMPATIBLE] = {"incompatible", EVCC_FAULT, FLAG(v2gtp_payload_invalid)},
	[EVCC_CAUSE_TRANSFER_MODE] = {"transfer_mode", EVCC_FAULT,
				      FLAG(v2gtp_energy_transfer_mode_not_supported)},
	[EVCC_CAUSE_PRECHARGE] = {"precharge_timeout", EVCC_FAULT, FLAG(precharge_timeout)},
	[EVCC_CAUSE_CONTACTOR] = {"contactor", EVCC_FAULT, FLAG(contactor_fault)},
	[EVCC_CAUSE_VOLTAGE_DEVIATION] = {"voltage_deviation", EVCC_FAULT, FLAG(voltage_deviation)},
	[EVCC_CAUSE_CURRENT_DEVIATION] = {"current_deviation", EVCC_FAULT, FLAG(current_deviation)},
	[EVCC_CAUSE_NO_CHARGER] = {"no_charger", EVCC_LINK, FLAG(sdp_error)},
	[EVCC_CAUSE_NO_PROTOCOL] = {"no_protocol", EVCC_LINK, FLAG(v2gtp_protocol_version_invalid)},
	[EVCC_CAUSE_AUTHORIZATION] = {"authorization", EVCC_LINK, FLAG(v2gtp_authorization_failure)},
	[EVCC_CAUSE_SERVICE] = {"service", EVCC_LINK, FLAG(v2gtp_service_selection_failure)},
	[EVCC_CAUSE_SEQUENCE_ERROR] = {"sequence_error", EVCC_LINK, FLAG(v2gtp_sequence_error)},
	[EVCC_CAUSE_SESSION_ID] = {"session_id", EVCC_LINK, FLAG(v2gtp_session_id_unexpected)},
	[EVCC_CAUSE_PAYLOAD] = {"payload", EVCC_LINK, FLAG(v2gtp_payload_invalid)},
	[EVCC_CAUSE_FAILED] = {"failed", EVCC_LINK, EVCC_NO_FLAG},
	[EVCC_CAUSE_TIMEOUT] = {"timeout", EVCC_LINK, FLAG(v2gtp_sequence_timeout)},
	[EVCC_CAUSE_UNPLUGGED] = {"unplugged", EVCC_LINK, FLAG(proximity_pilot_not_detected)},
	[EVCC_CAUSE_PILOT] = {"pilot", EVCC_LINK, FLAG(control_pilot_fault)},
	[EVCC_CAUSE_DUTY] = {"duty", EVCC_LINK, FLAG(control_pilot_duty_cycle_unexpected)},
	[EVCC_CAUSE_VEHICLE_EMERGENCY] = {"vehicle_emergency", EVCC_EMERGENCY, EVCC_NO_FLAG},
	[EVCC_CAUSE_CAN_TIMEOUT] = {"can_timeout", EVCC_EMERGENCY, EVCC_NO_FLAG},
	[EVCC_CAUSE_CHARGER_EMERGENCY] = {"charger_emergency", EVCC_EMERGENCY, EVCC_NO_FLAG},
	[EVCC_CAUSE_COMMAND_EMERGENCY] = {"command_emergency", EVCC_EMERGENCY, EVCC_NO_FLAG},
};

const struct evcc_stage_row *evcc_stage_row(enum evcc_stage stage)
{
	return &rows[stage < EVCC_N_STAGES ? stage : EVCC_INITIALISING];
}

const struct evcc_cause_row *evcc_cause_row(enum evcc_cause cause)
{
	return &causes[cause < EVCC_N_CAUSES ? cause : EVCC_CAUSE_NONE];
}

const char *evcc_stage_name(enum evcc_stage stage)
{
	return evcc_stage_row(stage)->name;
}

const char *evcc_cause_name(enum evcc_cause cause)
{
	return evcc_cause_row(cause)->name;
}

const char *evcc_step_name(enum evcc_step step)
{
	static const char *const names[EVCC_N_STEPS] = {"none",	   "current", "open",
							"welding", "unlock",  "goodbye"};

	return step < EVCC_N_STEPS ? names[step] : "?";
}

const char *evcc_lock_name(enum evcc_lock lock)
{
	switch (lock) {
	case EVCC_UNLOCKED:
		return "unlocked";
	case EVCC_LOCKING:
		return "locking";
	case EVCC_LOCKED:
		return "locked";
	case EVCC_UNLOCKING:
		return "unlocking";
	}
	return "?";
}
