/* SPDX-License-Identifier: MIT */
/*
 * Situations of the vehicle's interface up to the transfer of power, and its faults. Numbers: pev-v2.md
 * (sections are named), rules.md (P-..) and the timers of v2g/messages.md section 6.1. Pure.
 */
#include "monitor/explain_pev.h"

/* --- link, silence, emergency -------------------------------------------------------------------------- */

/* Five cycles of EVSE_Information. */
static bool is_module_silent(struct explain_scene *c)
{
	return c->module_age_us > MS(500);
}

/* Three cycles; P-11 gives it 1 s. */
static bool is_control_silent(struct explain_scene *c)
{
	return c->v.control_age_us > MS(300);
}

static bool is_vehicle_emergency(struct explain_scene *c)
{
	return c->v.voltage.emergency_stop;
}

static bool is_charger_emergency(struct explain_scene *c)
{
	return c->v.diagnostic.evse_status_code ==
	       PEV_EVCC_MEVC_DIAGNOSTIC_STATUS_EVSE_STATUS_CODE_EVSE_EMERGENCY_SHUTDOWN;
}

static bool is_charger_malfunction(struct explain_scene *c)
{
	return c->v.diagnostic.evse_status_code ==
	       PEV_EVCC_MEVC_DIAGNOSTIC_STATUS_EVSE_STATUS_CODE_EVSE_MALFUNCTION;
}

static bool is_utility_interrupt(struct explain_scene *c)
{
	return c->v.diagnostic.evse_status_code ==
	       PEV_EVCC_MEVC_DIAGNOSTIC_STATUS_EVSE_STATUS_CODE_EVSE_UTILITY_INTERRUPT_EVENT;
}

/* Two cycles missed; the module waits for five (P-13). */
static bool is_dc_vehicle_silent(struct explain_scene *c)
{
	return !c->v.is_ac && c->controller_age_us > MS(250);
}

static bool is_vehicle_missing(struct explain_scene *c)
{
	return explain_is_older(c->controller_age_us, MS(250)) ||
	       explain_is_older(c->v.battery_age_us, MS(250));
}

/* --- faults -------------------------------------------------------------------------------------------- */

static bool is_fault(struct explain_scene *c, enum explain_group group)
{
	if (!(c->v.groups >> group & 1))
		return false;
	c->fault = c->v.group_fault[group];
	return true;
}

static bool is_lock_failed(struct explain_scene *c)
{
	return is_fault(c, EXPLAIN_LOCK);
}

static bool is_unlock_refused(struct explain_scene *c)
{
	return is_fault(c, EXPLAIN_UNLOCK);
}

static bool is_hot(struct explain_scene *c)
{
	return is_fault(c, EXPLAIN_HOT);
}

static bool is_contactor_fault(struct explain_scene *c)
{
	return is_fault(c, EXPLAIN_CONTACTOR);
}

static bool is_voltage_fault(struct explain_scene *c)
{
	return is_fault(c, EXPLAIN_VOLTAGE);
}

static bool is_current_fault(struct explain_scene *c)
{
	return is_fault(c, EXPLAIN_CURRENT);
}

static bool is_precharge_fault(struct explain_scene *c)
{
	return is_fault(c, EXPLAIN_PRECHARGE);
}

static bool is_mating_fault(struct explain_scene *c)
{
	return is_fault(c, EXPLAIN_MATING);
}

static bool is_pilot_fault(struct explain_scene *c)
{
	return is_fault(c, EXPLAIN_PILOT);
}

static bool is_pilot_odd(struct explain_scene *c)
{
	return is_fault(c, EXPLAIN_PILOT_ODD);
}

static bool is_link_fault(struct explain_scene *c)
{
	return is_fault(c, EXPLAIN_LINK);
}

static bool is_sequence_timeout(struct explain_scene *c)
{
	return is_fault(c, EXPLAIN_SEQUENCE_TIMEOUT);
}

static bool is_protocol_fault(struct explain_scene *c)
{
	return is_fault(c, EXPLAIN_V2G);
}

/* Section 3: 1 to 5 are good, 6 to 21 warnings, from 22 on failures. */
static bool is_response(struct explain_scene *c, unsigned low, unsigned high)
{
	const unsigned code = c->v.diagnostic.hlc_response_code;

	if (code < low || code > high)
		return false;
	c->fault = mon_label(c->m, PEV_EVCC_MEVC_DIAGNOSTIC_STATUS, "HLC_ResponseCode", code,
			     "a code without a name");
	return true;
}

static bool is_response_failed(struct explain_scene *c)
{
	return is_response(c, 22, 255);
}

static bool is_response_warning(struct explain_scene *c)
{
	return is_response(c, 6, 21);
}

static bool is_isolation_fault(struct explain_scene *c)
{
	return c->v.diagnostic.evse_isolation_level ==
	       PEV_EVCC_MEVC_DIAGNOSTIC_STATUS_EVSE_ISOLATION_LEVEL_FAULT;
}

/* Inputs that are not wired both read Open. */
static bool is_feedback_split(struct explain_scene *c)
{
	return c->v.inputs.dc_contactor_positive_feedback != c->v.inputs.dc_contactor_negative_feedback;
}

static bool is_welded(struct explain_scene *c)
{
	return !is_close_commanded(c) && is_closed(c) && is_command_settled(c);
}

/* --- idle, negotiation, locking ------------------------------------------------------------------------ */

static bool is_locked(struct explain_scene *c)
{
	return c->v.lines_age_us >= 0 &&
	       c->v.lines.inlet_lock_state == PEV_CCS_EXTRA_INFORMATION_INLET_LOCK_STATE_LOCKED;
}

static bool is_unlocked(struct explain_scene *c)
{
	return c->v.lines_age_us >= 0 && !is_locked(c) &&
	       c->v.information.pins != PEV_EVSE_INFORMATION_PINS_MCS;
}

static bool is_lock_faulty(struct explain_scene *c)
{
	return c->v.lines_age_us >= 0 &&
	       c->v.lines.inlet_lock_state == PEV_CCS_EXTRA_INFORMATION_INLET_LOCK_STATE_FAULT;
}

static bool is_held_off(struct explain_scene *c)
{
	return c->v.status.hv_preparing_hold_off;
}

static bool is_ac_charger_waited_for(struct explain_scene *c)
{
	return c->v.is_ac && !c->v.ac_control.ready_to_deliver_power;
}

static bool is_ac_vehicle_waited_for(struct explain_scene *c)
{
	return c->v.is_ac && !c->v.ac_status.ready_to_charge;
}

/* --- insulation, precharge ----------------------------------------------------------------------------- */

static bool is_isolation(const struct explain_scene *c, unsigned level)
{
	return c->v.diagnostic.evse_isolation_level == level;
}

static bool is_isolation_warning(struct explain_scene *c)
{
	return is_isolation(c, PEV_EVCC_MEVC_DIAGNOSTIC_STATUS_EVSE_ISOLATION_LEVEL_WARNING);
}

static bool is_test_passed(struct explain_scene *c)
{
	return is_isolation(c, PEV_EVCC_MEVC_DIAGNOSTIC_STATUS_EVSE_ISOLATION_LEVEL_VALID);
}

/* Voltage back near zero: 20 V, as on the charger's side (evse-v3.md section 5). */
static bool is_test_passed_high(struct explain_scene *c)
{
	return is_test_passed(c) && c->present_mV > MATCH_mV;
}

static bool is_battery_low(struct explain_scene *c)
{
	return c->battery_mV <= MATCH_mV;
}

static bool is_drifting(struct explain_scene *c)
{
	return is_close_commanded(c) && is_command_settled(c) && is_apart(c);
}

static bool is_closing_late(struct explain_scene *c)
{
	return is_close_commanded(c) && is_command_settled(c);
}

/* --- the table ----------------------------------------------------------------------------------------- */

#define ANY	  EXPLAIN_ANY
#define ST(stage) EXPLAIN_STATE(PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_##stage)
#define IDLE	  (ST(INITIALISING) | ST(WAITING_FOR_EVSE))
#define POWERED                                                                                            \
	(ST(INSULATION_TEST) | ST(PRECHARGE) | ST(WAITING_FOR_CHARGE) | ST(CHARGING) | ST(ENDING_CHARGE) | \
	 ST(WELDING_DETECTION))
#define RUNNING (POWERED | ST(NEGOTIATING_CONNECTION) | ST(CONNECTED_WITH_FULL_INFO) | ST(CHARGE_PAUSE))

/* P-53. */
#define LATCHED "the session ends; the fault is shown until the plug is pulled"
/* Section 5: wait_hv_ready, precharge_process; the cable check's 40 s. */
#define CHECK_ENDS     "the module gives up the cable check{in}"
#define PRECHARGE_ENDS "the module gives up the precharge{in} and ends the session"

const struct explain_row explain_pev_rows[] = {
	{{"V010", "Bus down", MON_FAULT, "the bus is down or bus-off: nobody is heard",
	  "goes on by itself when the bus is back; until then both sides count as silent", 0},
	 ANY,
	 explain_is_bus_down,
	 EXPLAIN_NEVER},
	{{"V011", "Nothing heard", MON_NOTICE, "waiting for any message of the vehicle's interface",
	  "nothing is shown; check wiring, bit rate and protocol version", 0},
	 ANY,
	 explain_is_unheard,
	 EXPLAIN_NEVER},
	/* Section 5: boot. */
	{{"V012", "Module not heard yet", MON_WARNING,
	  "waiting for the module's first message; it takes about 15 s to start",
	  "without a module no session begins; it should be heard{in}", 15000},
	 ANY,
	 explain_is_module_unheard,
	 EXPLAIN_FIRST},
	/* P-11. */
	{{"V013", "Module silent", MON_FAULT, "the module is silent for {module age}",
	  "1 s after the last DC_Control the vehicle opens its contactors{in}", 1000},
	 ANY,
	 is_module_silent,
	 EXPLAIN_MODULE},
	{{"V014", "DC_Control missing", MON_FAULT, "DC_Control is missing for {command age}",
	  "the vehicle opens its contactors{in} and reports an emergency", 1000},
	 ANY,
	 is_control_silent,
	 EXPLAIN_MODULE},

	/* P-38; section 8. */
	{{"V020", "Emergency stop: vehicle", MON_FAULT, "emergency stop asked for by the vehicle",
	  "the module ends the session within 100 ms; unlocked when current and voltage are gone", 0},
	 RUNNING | ST(CLOSING_COMMUNICATION),
	 is_vehicle_emergency,
	 EXPLAIN_NEVER},
	{{"V021", "Emergency stop: charger", MON_FAULT, "emergency shutdown by the charger",
	  "contactors open; unlocked when current and voltage are gone", 0},
	 RUNNING,
	 is_charger_emergency,
	 EXPLAIN_NEVER},
	{{"V022", "Charger malfunction", MON_FAULT, "the charger reports a malfunction",
	  "the session ends; unlocked when current and voltage are gone", 0},
	 RUNNING,
	 is_charger_malfunction,
	 EXPLAIN_NEVER},
	{{"V023", "Charger's supply interrupted", MON_WARNING,
	  "the charger's supply asks for an interruption",
	  "the session ends or stands still until the charger may go on", 0},
	 RUNNING,
	 is_utility_interrupt,
	 EXPLAIN_NEVER},

	/* P-13, P-16, P-09. */
	{{"V030", "Vehicle silent in a session", MON_FAULT,
	  "the vehicle's DC_Status1 or DC_Status2 is missing for {controller age}",
	  "the module stops and opens the contactors{in}", 500},
	 POWERED,
	 is_dc_vehicle_silent,
	 EXPLAIN_CONTROLLER},
	{{"V031", "Vehicle's controller not heard", MON_WARNING,
	  "the vehicle's controller is not heard: its messages are due every 100 ms",
	  "negotiation needs its state of charge, power needs current and voltages", 0},
	 ANY,
	 is_vehicle_missing,
	 EXPLAIN_NEVER},

	/* P-20, P-42 to P-44. */
	{{"V040", "Contactors welded", MON_FAULT,
	  "contactors are to be open but are reported closed: welded?",
	  "no session may go on, and the inlet stays locked until they open", 0},
	 ANY,
	 is_welded,
	 EXPLAIN_NEVER},
	{{"V041", "Contactor feedback differs", MON_WARNING,
	  "feedback inputs differ: one contactor is closed, the other open",
	  "the module reports a contactor fault if it stays so", 0},
	 POWERED,
	 is_feedback_split,
	 EXPLAIN_NEVER},

	/* Section 3, message 0x605; P-17, P-23, P-40, P-41, P-44, P-53. Latched until stage 1. */
	{{"V050", "Lock failed", MON_FAULT, "fault: {fault}", LATCHED, 0},
	 ANY & ~IDLE,
	 is_lock_failed,
	 EXPLAIN_NEVER},
	{{"V051", "Unlocking refused", MON_WARNING, "fault: {fault} ({V}, {A})",
	  "the inlet stays locked until contactors are open, current up to 1 A, inlet up to 60 V", 0},
	 ANY & ~IDLE,
	 is_unlock_refused,
	 EXPLAIN_NEVER},
	{{"V052", "Too hot", MON_WARNING, "fault: {fault}", LATCHED, 0}, ANY & ~IDLE, is_hot, EXPLAIN_NEVER},
	{{"V053", "Contactor fault", MON_FAULT, "fault: {fault}", LATCHED, 0},
	 ANY & ~IDLE,
	 is_contactor_fault,
	 EXPLAIN_NEVER},
	{{"V054", "Voltage deviation", MON_FAULT, "fault: {fault} ({V}, battery {battery V})", LATCHED, 0},
	 ANY & ~IDLE,
	 is_voltage_fault,
	 EXPLAIN_NEVER},
	{{"V055", "Current deviation", MON_FAULT, "fault: {fault} ({A}, asked {asked A})", LATCHED, 0},
	 ANY & ~IDLE,
	 is_current_fault,
	 EXPLAIN_NEVER},
	{{"V056", "Precharge timeout", MON_FAULT, "fault: {fault}", LATCHED, 0},
	 ANY & ~IDLE,
	 is_precharge_fault,
	 EXPLAIN_NEVER},
	{{"V057", "Plug not detected", MON_FAULT, "fault: {fault}", LATCHED, 0},
	 ANY & ~IDLE,
	 is_mating_fault,
	 EXPLAIN_NEVER},
	{{"V058", "Pilot line fault", MON_FAULT, "fault: {fault}", LATCHED, 0},
	 ANY & ~IDLE,
	 is_pilot_fault,
	 EXPLAIN_NEVER},
	{{"V059", "Pilot unexpected", MON_FAULT, "fault: {fault}", LATCHED, 0},
	 ANY & ~IDLE,
	 is_pilot_odd,
	 EXPLAIN_NEVER},
	{{"V060", "Link to the charger", MON_FAULT, "fault: {fault}", LATCHED, 0},
	 ANY & ~IDLE,
	 is_link_fault,
	 EXPLAIN_NEVER},
	{{"V061", "Charging protocol", MON_FAULT, "fault: {fault}", LATCHED, 0},
	 ANY & ~IDLE,
	 is_protocol_fault,
	 EXPLAIN_NEVER},
	{{"V062", "Charging protocol timeout", MON_FAULT, "fault: {fault}", LATCHED, 0},
	 ANY & ~IDLE,
	 is_sequence_timeout,
	 EXPLAIN_NEVER},
	{{"V063", "Charger refused", MON_FAULT, "the charger answered {fault}", LATCHED, 0},
	 ANY & ~IDLE,
	 is_response_failed,
	 EXPLAIN_NEVER},
	{{"V064", "Insulation fault", MON_FAULT, "the charger reports an insulation fault",
	  "the charger ends the session; no power will flow", 0},
	 POWERED,
	 is_isolation_fault,
	 EXPLAIN_NEVER},

	/* Sections 5 to 7, steps 1 to 4; P-14 to P-19. */
	{{"V100", "Module starts", MON_INFO, "the module is starting",
	  "it should be ready{in}; if it stays here it has a fault of its own", 15000},
	 ST(INITIALISING),
	 NULL,
	 EXPLAIN_STATE},
	{{"V111", "Idle but locked", MON_WARNING,
	  "idle, but the inlet is locked: the module checks that it is safe",
	  "it unlocks when contactors are open, current up to 1 A and inlet up to 60 V", 0},
	 ST(WAITING_FOR_EVSE),
	 is_locked,
	 EXPLAIN_NEVER},
	{{"V110", "Waiting for a charger", MON_INFO, "waiting for a charger to be plugged in", "no limit", 0},
	 ST(WAITING_FOR_EVSE),
	 NULL,
	 EXPLAIN_NEVER},
	{{"V202", "Charger warned", MON_NOTICE, "negotiation: the charger answered {fault}",
	  "a warning only; the negotiation goes on", 0},
	 ST(NEGOTIATING_CONNECTION),
	 is_response_warning,
	 EXPLAIN_NEVER},
	{{"V200", "Link set-up", MON_INFO, "link set-up with the charger: signal, address, session",
	  "the module gives up{in} if no session is set up", 20000},
	 ST(NEGOTIATING_CONNECTION),
	 explain_is_setup,
	 EXPLAIN_STATE},
	{{"V201", "Waiting for the charger's side", MON_NOTICE,
	  "negotiation: waiting for the charger, perhaps for a user's authorisation",
	  "no limit as a whole; the module gives up a step that is not done in 60 s", 0},
	 ST(NEGOTIATING_CONNECTION),
	 NULL,
	 EXPLAIN_NEVER},
	{{"V210", "Vehicle holds off", MON_INFO, "hold-off: waiting for the vehicle's high-voltage system",
	  "the module ends the session{in}", 40000},
	 ST(CONNECTED_WITH_FULL_INFO),
	 is_held_off,
	 EXPLAIN_STATE},
	{{"V211", "Lock reports a fault", MON_WARNING, "the inlet lock reports a fault",
	  "the module ends the session{in}: lock failure", 2000},
	 ST(CONNECTED_WITH_FULL_INFO),
	 is_lock_faulty,
	 EXPLAIN_STATE},
	{{"V212", "Inlet locks", MON_INFO, "waiting for the inlet to lock",
	  "the module ends the session{in}: lock failure", 2000},
	 ST(CONNECTED_WITH_FULL_INFO),
	 is_unlocked,
	 EXPLAIN_STATE},
	{{"V220", "Waiting for the AC charger", MON_INFO,
	  "locked: waiting for the AC charger (Ready_To_Deliver_Power)", "no limit", 0},
	 ST(CONNECTED_WITH_FULL_INFO),
	 is_ac_charger_waited_for,
	 EXPLAIN_NEVER},
	{{"V221", "Waiting for the on-board charger", MON_INFO,
	  "charger is ready: waiting for the on-board charger (Ready_To_Charge)", "no limit", 0},
	 ST(CONNECTED_WITH_FULL_INFO),
	 is_ac_vehicle_waited_for,
	 EXPLAIN_NEVER},
	{{"V222", "AC about to start", MON_INFO, "both sides are ready: waiting for the charger's relays",
	  "expected at once; the charger has 3 s", 0},
	 ST(CONNECTED_WITH_FULL_INFO),
	 is_ac,
	 EXPLAIN_NEVER},
	{{"V213", "Locked, waiting for the charger", MON_INFO,
	  "locked and ready: waiting for the charger's limits and its cable check", "the module gives up{in}",
	  60000},
	 ST(CONNECTED_WITH_FULL_INFO),
	 NULL,
	 EXPLAIN_STATE},

	/* Section 7, steps 5 to 8; P-20 to P-25. */
	{{"V300", "Insulation warning", MON_WARNING, "insulation test: the charger reports a warning",
	  "the session may go on; " CHECK_ENDS, 40000},
	 ST(INSULATION_TEST),
	 is_isolation_warning,
	 EXPLAIN_STATE},
	{{"V302", "Insulation passed, voltage falls", MON_INFO,
	  "insulation passed: waiting for the inlet to fall to 20 V, now {V}", CHECK_ENDS, 40000},
	 ST(INSULATION_TEST),
	 is_test_passed_high,
	 EXPLAIN_STATE},
	{{"V303", "Insulation passed", MON_INFO, "insulation passed: waiting for precharge", CHECK_ENDS,
	  40000},
	 ST(INSULATION_TEST),
	 is_test_passed,
	 EXPLAIN_STATE},
	{{"V301", "Insulation test", MON_INFO,
	  "insulation test by the charger: {V} at the inlet, contactors stay open", CHECK_ENDS, 40000},
	 ST(INSULATION_TEST),
	 NULL,
	 EXPLAIN_STATE},
	{{"V400", "Battery voltage implausible", MON_WARNING,
	  "precharge: waiting for a battery voltage over 20 V, told {battery V}", PRECHARGE_ENDS, 7000},
	 ST(PRECHARGE),
	 is_battery_low,
	 EXPLAIN_STATE},
	{{"V404", "Contactors closed", MON_INFO, "contactors are closed: waiting for the charger",
	  PRECHARGE_ENDS, 7000},
	 ST(PRECHARGE),
	 is_closed,
	 EXPLAIN_STATE},
	{{"V402", "Voltages drift apart", MON_WARNING,
	  "inlet and battery differ by {difference V} before the contactors closed",
	  "the module takes the close command back", 0},
	 ST(PRECHARGE),
	 is_drifting,
	 EXPLAIN_NEVER},
	{{"V405", "Contactors do not close", MON_WARNING,
	  "contactors were told to close, but it is not confirmed", PRECHARGE_ENDS, 7000},
	 ST(PRECHARGE),
	 is_closing_late,
	 EXPLAIN_STATE},
	{{"V403", "Contactors close", MON_INFO, "waiting for the contactors to close", PRECHARGE_ENDS, 7000},
	 ST(PRECHARGE),
	 is_close_commanded,
	 EXPLAIN_STATE},
	{{"V401", "Precharge: waiting for the match", MON_INFO,
	  "precharge: inlet {V}, battery {battery V}: waiting for less than 20 V difference", PRECHARGE_ENDS,
	  7000},
	 ST(PRECHARGE),
	 is_apart,
	 EXPLAIN_STATE},
	{{"V406", "Precharge: matched", MON_INFO, "precharge: matched, waiting for the close command",
	  PRECHARGE_ENDS, 7000},
	 ST(PRECHARGE),
	 NULL,
	 EXPLAIN_STATE},
	/* E-56: the charger's side sets no limit either. */
	{{"V410", "Waiting for charge", MON_INFO, "ready: waiting for the charger to start",
	  "no limit of the interface", 0},
	 ST(WAITING_FOR_CHARGE),
	 NULL,
	 EXPLAIN_NEVER},
};
const size_t explain_n_pev_rows = sizeof(explain_pev_rows) / sizeof(explain_pev_rows[0]);
