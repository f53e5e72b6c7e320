/* SPDX-License-Identifier: MIT */
/*
 * Situations of the charger's interface up to the transfer of power. Numbers: evse-v3.md (sections are
 * named), rules.md (E-..), and the vehicle's own timers, v2g/messages.md section 6.1. Pure.
 */
#include "monitor/explain_evse.h"

/* --- link, silence, emergency -------------------------------------------------------------------------- */

/* E-12: 200 ms. */
static bool is_module_silent(struct explain_scene *c)
{
	return c->module_age_us > MS(200);
}

/* Sent every 100 ms while active (E-84), over when it is absent for 200 ms (E-85). */
static bool is_emergency(const struct explain_scene *c)
{
	return c->e.emergency_age_us >= 0 && c->e.emergency_age_us <= MS(200);
}

static bool is_charger_emergency(const struct explain_scene *c)
{
	return is_emergency(c) && c->e.emergency.origin == EVSE_EMERGENCY_STOP_ORIGIN_EVSE;
}

static bool is_emergency_silence(struct explain_scene *c)
{
	return is_charger_emergency(c) && explain_is_older(c->e.pms_age_us, MS(500)); /* E-15 */
}

static bool is_low_resistance(const struct explain_scene *c)
{
	return c->insulation_ohm != MON_UNKNOWN &&
	       (int64_t)c->insulation_ohm * 10 < c->present_mV; /* 100 ohm/V */
}

static bool is_emergency_insulation(struct explain_scene *c)
{
	/* 0 is no measurement: so does a charger report whose power modules were just switched off. */
	return is_charger_emergency(c) && c->insulation_ohm > 0 && is_low_resistance(c);
}

static bool is_emergency_disabled(struct explain_scene *c)
{
	return is_charger_emergency(c) && !c->e.pms.system_enable;
}

static bool is_emergency_charger(struct explain_scene *c)
{
	return is_charger_emergency(c);
}

static bool is_emergency_vehicle(struct explain_scene *c)
{
	return is_emergency(c) && c->e.emergency.origin == EVSE_EMERGENCY_STOP_ORIGIN_PEV;
}

static bool is_emergency_unknown(struct explain_scene *c)
{
	return is_emergency(c);
}

/* Two cycles missed; the module waits for five. */
static bool is_controller_silent(struct explain_scene *c)
{
	return c->e.pms_age_us > MS(250);
}

static bool is_controller_unheard(struct explain_scene *c)
{
	return c->e.pms_age_us < 0;
}

static bool is_controller_missing(struct explain_scene *c)
{
	return explain_is_older(c->e.pms_age_us, MS(250));
}

/* --- idle, negotiation --------------------------------------------------------------------------------- */

static bool is_start_allowed(struct explain_scene *c)
{
	return c->e.flags.start_charge_authorisation;
}

static bool is_authorised(struct explain_scene *c)
{
	return c->e.flags.ccs_authorisation_done && c->e.flags.ccs_authorisation_valid;
}

static bool is_refused(struct explain_scene *c)
{
	return c->e.flags.ccs_authorisation_done;
}

static bool is_done_without_limits(struct explain_scene *c)
{
	return c->e.flags.charge_parameters_done && c->e.parameters_age_us < 0;
}

static bool is_parameters_done(struct explain_scene *c)
{
	return c->e.flags.charge_parameters_done;
}

/* --- wake-up, insulation test -------------------------------------------------------------------------- */

/* The module sends its first Standby only after System_Enable was 1 (E-37). */
static bool is_enable_withdrawn(struct explain_scene *c)
{
	return is_disabled(c) && c->e.has_power && c->e.power.power_function >= FN_STANDBY;
}

static bool is_test_rising(struct explain_scene *c)
{
	return is_function(c, FN_TEST) && (int64_t)c->present_mV * 10 < (int64_t)c->target_mV * 9;
}

static bool is_test_unmeasured(struct explain_scene *c)
{
	return is_function(c, FN_TEST) && c->insulation_ohm == 0;
}

static bool is_test_bad(struct explain_scene *c)
{
	return is_function(c, FN_TEST) && is_low_resistance(c);
}

static bool is_test_low(struct explain_scene *c)
{
	return is_function(c, FN_TEST) && c->insulation_ohm < c->pass_ohm;
}

static bool is_test_good(struct explain_scene *c)
{
	return is_function(c, FN_TEST);
}

static bool is_lowering(struct explain_scene *c)
{
	return is_function(c, FN_STANDBY) && c->e.is_lowering && is_output_high(c);
}

static bool is_lowered(struct explain_scene *c)
{
	return is_function(c, FN_STANDBY) && c->e.is_lowering;
}

static bool is_before_test(struct explain_scene *c)
{
	return !c->e.has_power || c->e.power.power_function <= FN_STANDBY;
}

/* --- precharge, waiting -------------------------------------------------------------------------------- */

/*
 * E-83. 0 is what a charger sends whose module measures itself (section 12): then only the emergency tells.
 */
static bool is_insulation_alarm(struct explain_scene *c)
{
	return c->e.has_power && c->e.power.power_function >= FN_PRECH && c->insulation_ohm > 0 &&
	       is_low_resistance(c);
}

static bool is_precharge_matched(struct explain_scene *c)
{
	return is_function(c, FN_PRECH) && c->present_mV >= c->target_mV - MATCH_mV &&
	       c->present_mV <= c->target_mV + MATCH_mV;
}

static bool is_precharge(struct explain_scene *c)
{
	return is_function(c, FN_PRECH);
}

static bool is_off(struct explain_scene *c)
{
	return !c->e.has_power || c->e.power.power_function == EVSE_DC_POWER_CONTROL_POWER_FUNCTION_OFF;
}

static bool has_started(struct explain_scene *c)
{
	return c->e.has_started;
}

/* --- the table ----------------------------------------------------------------------------------------- */

#define ANY	  EXPLAIN_ANY
#define ST(state) EXPLAIN_STATE(EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_##state)
#define SESSION                                                                                        \
	(ST(CONNECTED_WITH_FULL_INFO) | ST(INSULATION_TEST) | ST(PRECHARGE) | ST(WAITING_FOR_CHARGE) | \
	 ST(CHARGING) | ST(ENDING_CHARGE) | ST(WELDING_DETECTION) | ST(CHARGE_PAUSE))

/* E-43: no pass within 30 s. */
#define TEST_ENDS "the module ends the session{in} and reports a malfunction"
/* The vehicle's limit for the whole cable check, 40 s. */
#define CHECK_ENDS "the vehicle gives up the cable check{in}"
/* E-52: the vehicle's limit for the whole precharge, 7 s. */
#define PRECHARGE_ENDS "the vehicle gives up the precharge{in}"

const struct explain_row explain_evse_rows[] = {
	/* E-88. */
	{{"E010", "Bus down", MON_FAULT, "the bus is down or bus-off: nobody is heard",
	  "goes on by itself when the bus is back; until then both sides count as silent", 0},
	 ANY,
	 explain_is_bus_down,
	 EXPLAIN_NEVER},
	{{"E011", "Nothing heard", MON_NOTICE, "waiting for any message of this pistol",
	  "nothing is shown; check wiring, bit rate, pistol index and protocol version", 0},
	 ANY,
	 explain_is_unheard,
	 EXPLAIN_NEVER},
	/* Section 5: module boot. */
	{{"E012", "Module not heard yet", MON_WARNING,
	  "waiting for the module's first status; it takes about 15 s to start",
	  "without a module no session begins; it should be heard{in}", 15000},
	 ANY,
	 explain_is_module_unheard,
	 EXPLAIN_FIRST},
	/* E-12, E-13. */
	{{"E013", "Module silent", MON_FAULT, "the module's status is missing for {module age}",
	  "after 200 ms the controller stops all power; it resumes with status and a new command", 0},
	 ANY,
	 is_module_silent,
	 EXPLAIN_NEVER},

	/* E-15, E-82, E-83, E-84, E-85; section 8. */
	{{"E020", "Emergency stop: controller silent", MON_FAULT,
	  "emergency stop by the charger: its controller is silent for {controller age}",
	  "no power; over when Emergency_Stop is gone for 200 ms and a new command came", 0},
	 ANY,
	 is_emergency_silence,
	 EXPLAIN_NEVER},
	{{"E021", "Emergency stop: insulation", MON_FAULT,
	  "emergency stop by the charger: insulation {ohm} is below 100 Ohm/V at {V}",
	  "no power; over when Emergency_Stop is gone for 200 ms and a new command came", 0},
	 ANY,
	 is_emergency_insulation,
	 EXPLAIN_NEVER},
	{{"E022", "Emergency stop: charger not enabled", MON_FAULT,
	  "emergency stop by the charger: System_Enable is withdrawn, before it or for it",
	  "no power; over when Emergency_Stop is gone for 200 ms and a new command came", 0},
	 ANY,
	 is_emergency_disabled,
	 EXPLAIN_NEVER},
	{{"E023", "Emergency stop: charger", MON_FAULT,
	  "emergency stop by the charger: stop line, current loop, heat or its module",
	  "no power; over when Emergency_Stop is gone for 200 ms and a new command came", 0},
	 ANY,
	 is_emergency_charger,
	 EXPLAIN_NEVER},
	{{"E024", "Emergency stop: vehicle", MON_FAULT, "emergency stop by the vehicle",
	  "no power; over when Emergency_Stop is gone for 200 ms and a new command came", 0},
	 ANY,
	 is_emergency_vehicle,
	 EXPLAIN_NEVER},
	{{"E025", "Emergency stop: unknown origin", MON_FAULT,
	  "emergency stop of an origin that the interface does not know",
	  "no power; over when Emergency_Stop is gone for 200 ms and a new command came", 0},
	 ANY,
	 is_emergency_unknown,
	 EXPLAIN_NEVER},

	/* E-15. */
	{{"E030", "Controller silent in a session", MON_FAULT,
	  "the controller's Power_Modules_Status is missing for {controller age}",
	  "the module makes an emergency stop{in}", 500},
	 SESSION,
	 is_controller_silent,
	 EXPLAIN_CONTROLLER},
	/* E-36, CE-29: the watchdog is armed by the first status only. */
	{{"E031", "Controller never heard, wake-up", MON_WARNING,
	  "waiting for the charger's controller: its Power_Modules_Status was never heard",
	  "the module closes the session without any power{in}", 40000},
	 ST(INSULATION_TEST),
	 is_controller_unheard,
	 EXPLAIN_STATE},
	/* E-14, E-15: no reaction outside of a session; after its end it may stop sending. */
	{{"E032", "Controller not heard", MON_WARNING,
	  "the charger's controller is not heard: Power_Modules_Status is due every 100 ms",
	  "before a session nothing happens, but none gets power without it", 0},
	 ANY & ~ST(CLOSING_COMMUNICATION),
	 is_controller_missing,
	 EXPLAIN_NEVER},

	/* Sections 5 and 7, steps 1 to 3; E-22 to E-24. */
	{{"E100", "Module starts", MON_INFO, "the module is starting",
	  "it should be ready{in}; if it stays here it has a fault of its own", 15000},
	 ST(INITIALISING),
	 NULL,
	 EXPLAIN_STATE},
	{{"E111", "Start permitted", MON_INFO,
	  "start is permitted: waiting for the module to become available",
	  "expected{in}; if it stays, the module is busy or blocked by an emergency", 200},
	 ST(NOT_AVAILABLE),
	 is_start_allowed,
	 EXPLAIN_FLAGS},
	{{"E110", "Waiting for start permission", MON_INFO,
	  "waiting for the controller to permit a start (Start_Charge_Authorisation)",
	  "no limit; a vehicle that is plugged in meanwhile starts when it is given", 0},
	 ST(NOT_AVAILABLE),
	 NULL,
	 EXPLAIN_NEVER},
	{{"E120", "Waiting for a vehicle", MON_INFO, "waiting for a vehicle to be plugged in", "no limit", 0},
	 ST(WAITING_FOR_PEV),
	 NULL,
	 EXPLAIN_NEVER},

	/* Plug-in to SessionSetup: 20 s; EVSEProcessing Ongoing in total: 60 s. E-27 to E-33. */
	{{"E200", "Link set-up", MON_INFO, "link set-up with the vehicle: signal, address, session",
	  "the vehicle gives up{in} if no session is set up", 20000},
	 ST(NEGOTIATING_CONNECTION),
	 explain_is_setup,
	 EXPLAIN_STATE},
	{{"E201", "Negotiation takes long", MON_NOTICE, "negotiation with the vehicle takes longer than 20 s",
	  "no limit as a whole; the vehicle gives up a step that is not done in 60 s", 0},
	 ST(NEGOTIATING_CONNECTION),
	 NULL,
	 EXPLAIN_NEVER},
	{{"E211", "Authorised", MON_INFO, "authorised: waiting for the vehicle's parameters",
	  "expected at once; the vehicle gives up after 60 s in one step", 0},
	 ST(CCS_AUTHORISATION_PROCESS),
	 is_authorised,
	 EXPLAIN_NEVER},
	{{"E212", "Authorisation refused", MON_WARNING,
	  "authorisation refused: the module closes the session",
	  "no power will flow; the vehicle cannot override it", 0},
	 ST(CCS_AUTHORISATION_PROCESS),
	 is_refused,
	 EXPLAIN_NEVER},
	{{"E210", "Waiting for authorisation", MON_INFO,
	  "waiting for the user's authorisation (CCS_Authorisation_Done)",
	  "the module waits for ever, but most vehicles give up{in}", 60000},
	 ST(CCS_AUTHORISATION_PROCESS),
	 NULL,
	 EXPLAIN_STATE},
	{{"E221", "Limits never sent", MON_WARNING,
	  "limits are declared done, but DC_Power_Parameters was never heard",
	  "the module announces the limits of its own configuration", 0},
	 ST(CONNECTED_WITH_FULL_INFO),
	 is_done_without_limits,
	 EXPLAIN_NEVER},
	{{"E222", "Limits announced", MON_INFO, "limits are announced: waiting for the vehicle's cable check",
	  "most vehicles give up{in}", 60000},
	 ST(CONNECTED_WITH_FULL_INFO),
	 is_parameters_done,
	 EXPLAIN_STATE},
	{{"E220", "Waiting for the charger's limits", MON_INFO,
	  "waiting for the charger's limits (Charge_Parameters_Done)",
	  "the module waits for ever, but most vehicles give up{in}", 60000},
	 ST(CONNECTED_WITH_FULL_INFO),
	 NULL,
	 EXPLAIN_STATE},

	/* E-34 to E-47; sections 5 and 7, steps 7 to 10. */
	{{"E300", "Enable withdrawn before charging", MON_WARNING,
	  "the charger withdrew System_Enable before charging",
	  "the module closes the session within 300 ms: service not available", 0},
	 ST(INSULATION_TEST) | ST(PRECHARGE) | ST(WAITING_FOR_CHARGE),
	 is_enable_withdrawn,
	 EXPLAIN_NEVER},
	{{"E301", "Power modules wake", MON_INFO, "waiting for the power modules to wake (System_Enable)",
	  "the module closes the session without any power{in}", 40000},
	 ST(INSULATION_TEST),
	 is_disabled,
	 EXPLAIN_STATE},
	{{"E302", "Insulation test: voltage rises", MON_INFO,
	  "insulation test: waiting for the output, {V} of {target V}, 90 % needed", TEST_ENDS, 30000},
	 ST(INSULATION_TEST),
	 is_test_rising,
	 EXPLAIN_COMMAND},
	{{"E303", "Insulation test: nothing measured", MON_NOTICE,
	  "insulation test: waiting for a resistance, none is measured", TEST_ENDS, 30000},
	 ST(INSULATION_TEST),
	 is_test_unmeasured,
	 EXPLAIN_COMMAND},
	{{"E304", "Insulation test: below 100 Ohm/V", MON_WARNING,
	  "insulation test: {ohm} is below 100 Ohm/V at {V}", TEST_ENDS, 30000},
	 ST(INSULATION_TEST),
	 is_test_bad,
	 EXPLAIN_COMMAND},
	{{"E305", "Insulation test: below the pass limit", MON_WARNING,
	  "insulation test: waiting for {needed ohm}, measured {ohm}", TEST_ENDS, 30000},
	 ST(INSULATION_TEST),
	 is_test_low,
	 EXPLAIN_COMMAND},
	{{"E306", "Insulation test: counting", MON_INFO,
	  "insulation test: {ohm} is good, waiting for 10 good samples in a row", TEST_ENDS, 30000},
	 ST(INSULATION_TEST),
	 is_test_good,
	 EXPLAIN_COMMAND},
	{{"E307", "Lowering the output", MON_INFO,
	  "insulation passed: waiting for the output to fall to 20 V, now {V}", CHECK_ENDS, 40000},
	 ST(INSULATION_TEST),
	 is_lowering,
	 EXPLAIN_STATE},
	{{"E308", "Output lowered", MON_INFO, "output is lowered: waiting for the vehicle's precharge",
	  CHECK_ENDS, 40000},
	 ST(INSULATION_TEST),
	 is_lowered,
	 EXPLAIN_STATE},
	{{"E309", "Awake, test not begun", MON_INFO,
	  "power modules are awake: waiting for the insulation test",
	  "it begins after one Standby; the vehicle gives up the cable check{in}", 40000},
	 ST(INSULATION_TEST),
	 is_before_test,
	 EXPLAIN_STATE},

	/* E-48 to E-56, E-83; section 7, steps 11 to 13. */
	{{"E400", "Insulation lost", MON_FAULT, "insulation {ohm} is below 100 Ohm/V at {V}",
	  "the module makes an emergency stop within 200 ms", 0},
	 ST(PRECHARGE) | ST(WAITING_FOR_CHARGE) | ST(CHARGING),
	 is_insulation_alarm,
	 EXPLAIN_NEVER},
	{{"E411", "Precharge: matched", MON_INFO,
	  "precharge: {V} matches {target V}, waiting for the vehicle's contactors", PRECHARGE_ENDS, 7000},
	 ST(PRECHARGE),
	 is_precharge_matched,
	 EXPLAIN_STATE},
	{{"E410", "Precharge: waiting for the match", MON_INFO,
	  "precharge: waiting for {target V} within 20 V, output is {V}", PRECHARGE_ENDS, 7000},
	 ST(PRECHARGE),
	 is_precharge,
	 EXPLAIN_STATE},
	{{"E412", "Precharge done", MON_INFO,
	  "precharge is done: contactors should be closed, waiting for the vehicle",
	  "the vehicle gives up{in} if its contactors did not close", 7000},
	 ST(PRECHARGE),
	 is_standby,
	 EXPLAIN_STATE},
	{{"E413", "Precharge not begun", MON_INFO, "waiting for the module's precharge command",
	  PRECHARGE_ENDS, 7000},
	 ST(PRECHARGE),
	 is_off,
	 EXPLAIN_STATE},
	{{"E421", "Vehicle announced its start", MON_INFO,
	  "the vehicle announced its start: waiting for the first request of current",
	  "no limit; power may be asked for at any moment", 0},
	 ST(WAITING_FOR_CHARGE),
	 has_started,
	 EXPLAIN_NEVER},
	{{"E420", "Waiting for charge", MON_INFO, "waiting for the vehicle to start charging",
	  "no limit, it may take hours; power may be asked for at any moment", 0},
	 ST(WAITING_FOR_CHARGE),
	 NULL,
	 EXPLAIN_NEVER},
};
const size_t explain_n_evse_rows = sizeof(explain_evse_rows) / sizeof(explain_evse_rows[0]);
