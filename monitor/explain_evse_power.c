/* SPDX-License-Identifier: MIT */
/*
 * Situations of the charger's interface from the transfer of power to the end. Numbers: evse-v3.md
 * (sections are named) and rules.md (E-..). Pure.
 */
#include "monitor/explain_evse.h"

/* --- charging ------------------------------------------------------------------------------------------ */

/* E-18: nothing is wrong before 60 s, but a vehicle that asks at all asks every few 100 ms. */
static bool is_command_old(struct explain_scene *c)
{
	return is_function(c, FN_POWER) && c->e.power_age_us > MS(5000);
}

static bool is_output_dead(struct explain_scene *c)
{
	return !is_output_high(c);
}

static bool is_stop_pressed(struct explain_scene *c)
{
	return c->e.flags.user_stop_button;
}

static bool is_zero_asked(const struct explain_scene *c)
{
	return is_function(c, FN_POWER) && c->high_mA == 0 && c->low_mA == 0;
}

static bool is_zero_flowing(struct explain_scene *c)
{
	return is_zero_asked(c) && explain_is_flowing(c);
}

static bool is_zero(struct explain_scene *c)
{
	return is_zero_asked(c);
}

static bool is_target_mode(const struct explain_scene *c)
{
	return is_function(c, FN_POWER) &&
	       c->e.power.setpoints_mode == EVSE_DC_POWER_CONTROL_SETPOINTS_MODE_TARGET_MODE;
}

/*
 * Current in the direction of the set point, so that a vehicle that feeds back is judged like one that
 * charges.
 */
static int64_t along_mA(const struct explain_scene *c)
{
	return c->high_mA < 0 ? -(int64_t)c->present_mA : c->present_mA;
}

static int64_t asked_mA(const struct explain_scene *c)
{
	return fc_abs_i32(c->high_mA);
}

/*
 * 1 A + 1 % is what the charger owes (E-58); the vendor's window of 0.8 to 1.1 counts as following (section
 * 7).
 */
static int64_t slack_mA(const struct explain_scene *c)
{
	return 1000 + asked_mA(c) / 100;
}

static bool is_below(const struct explain_scene *c)
{
	return along_mA(c) * 10 < asked_mA(c) * 8 && along_mA(c) < asked_mA(c) - slack_mA(c);
}

static bool is_above(struct explain_scene *c)
{
	return is_target_mode(c) && along_mA(c) * 10 > asked_mA(c) * 11 &&
	       along_mA(c) > asked_mA(c) + slack_mA(c);
}

static bool is_tracking(const struct explain_scene *c)
{
	return is_target_mode(c) && !is_below(c);
}

static bool is_charging(struct explain_scene *c)
{
	return is_tracking(c) && c->high_mA > 0;
}

static bool is_discharging(struct explain_scene *c)
{
	return is_tracking(c);
}

static bool is_at_voltage_limit(struct explain_scene *c)
{
	return is_target_mode(c) && c->high_mA > 0 && c->present_mA >= 1000 &&
	       (int64_t)c->present_mV * 100 >= (int64_t)c->target_mV * 99;
}

static bool is_over_offer(struct explain_scene *c)
{
	return is_target_mode(c) && c->offer_mA != MON_UNKNOWN && c->high_mA > c->offer_mA;
}

static bool is_following(struct explain_scene *c)
{
	return is_target_mode(c);
}

static bool is_range(const struct explain_scene *c)
{
	return is_function(c, FN_POWER);
}

static bool is_over_range(struct explain_scene *c)
{
	return is_range(c) && c->present_mA > (int64_t)c->high_mA + slack_mA(c);
}

static bool is_under_range(struct explain_scene *c)
{
	return is_range(c) && c->present_mA < (int64_t)c->low_mA - slack_mA(c);
}

static bool is_range_idle(struct explain_scene *c)
{
	return is_range(c) && !explain_is_flowing(c);
}

static bool is_range_charging(struct explain_scene *c)
{
	return is_range(c) && c->present_mA > 0;
}

static bool is_range_discharging(struct explain_scene *c)
{
	return is_range(c);
}

/* --- end ----------------------------------------------------------------------------------------------- */

static bool is_closed_loaded(struct explain_scene *c)
{
	return c->e.is_closed && explain_is_flowing(c);
}

static bool is_closed(struct explain_scene *c)
{
	return c->e.is_closed;
}

static bool is_high_lowering(struct explain_scene *c)
{
	return is_output_high(c) && c->e.is_lowering;
}

static bool is_rushed(struct explain_scene *c)
{
	return c->e.finished_age_us >= 0 &&
	       c->e.finished.state != EVSE_CHARGE_SESSION_FINISHED_STATE_CLEAN_STOP;
}

static bool is_finished(struct explain_scene *c)
{
	return c->e.finished_age_us >= 0;
}

static bool is_flowing(struct explain_scene *c)
{
	return explain_is_flowing(c);
}

/* --- the table ----------------------------------------------------------------------------------------- */

#define ANY	  EXPLAIN_ANY
#define ST(state) EXPLAIN_STATE(EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_##state)

/* A vehicle that checks: P-41. */
#define DEVIATION "a vehicle that checks it stops after 10 s of more than 10 A difference"
#define GOES_ON	  "goes on until the vehicle, the user or the charger ends it"

const struct explain_row explain_evse_power_rows[] = {
	/* E-82, E-18, E-72; section 8. */
	{{"E500", "Enable withdrawn while charging", MON_FAULT, "System_Enable is withdrawn while charging",
	  "the module makes an emergency stop within 200 ms", 0},
	 ST(CHARGING),
	 is_disabled,
	 EXPLAIN_NEVER},
	{{"E501", "No new command", MON_NOTICE,
	  "no new command of the module for {command age}: the last set point holds",
	  "the controller goes to Standby{in}", 60000},
	 ST(CHARGING),
	 is_command_old,
	 EXPLAIN_MODULE},
	{{"E502", "No voltage while charging", MON_WARNING,
	  "charging, but the output has only {V}: are the contactors closed?",
	  "the vehicle stops when inlet and battery differ by more than 20 V", 0},
	 ST(CHARGING),
	 is_output_dead,
	 EXPLAIN_NEVER},
	{{"E503", "Stop button pressed", MON_NOTICE,
	  "stop button pressed: waiting for the vehicle to end, {A} flow",
	  "it is a request only: a vehicle that ignores it charges on", 0},
	 ST(CHARGING),
	 is_stop_pressed,
	 EXPLAIN_NEVER},

	/* E-57 to E-71; section 7, steps 14 and 14a; section 9. */
	{{"E510", "Standby while charging", MON_INFO, "standby: waiting for a request of the vehicle",
	  "no limit; power may be asked for at any moment", 0},
	 ST(CHARGING),
	 is_standby,
	 EXPLAIN_NEVER},
	{{"E511", "Zero asked, current flows", MON_NOTICE,
	  "asked for zero: waiting for the current to fall, {A}", DEVIATION, 0},
	 ST(CHARGING),
	 is_zero_flowing,
	 EXPLAIN_NEVER},
	{{"E512", "Zero asked", MON_INFO, "waiting for a request above zero",
	  "no limit; power may be asked for at any moment", 0},
	 ST(CHARGING),
	 is_zero,
	 EXPLAIN_NEVER},
	{{"E525", "More current than asked", MON_WARNING, "more current than asked: {A}, asked {asked A}",
	  DEVIATION, 0},
	 ST(CHARGING),
	 is_above,
	 EXPLAIN_NEVER},
	{{"E520", "Charging", MON_INFO, "charging: {A} of {asked A} at {V}", GOES_ON, 0},
	 ST(CHARGING),
	 is_charging,
	 EXPLAIN_NEVER},
	{{"E521", "Discharging", MON_INFO, "discharging: {A} of {asked A} at {V}", GOES_ON, 0},
	 ST(CHARGING),
	 is_discharging,
	 EXPLAIN_NEVER},
	{{"E522", "Charging at the voltage limit", MON_INFO,
	  "charging at the voltage limit {target V}: {A} of {asked A}",
	  "the current falls as the battery fills, until the vehicle ends it", 0},
	 ST(CHARGING),
	 is_at_voltage_limit,
	 EXPLAIN_NEVER},
	{{"E524", "Request above the offer", MON_NOTICE,
	  "asked for {asked A}, but the charger offers {offered A}: {A} flow",
	  "the module asks for less within 1 s of a change of the offer", 0},
	 ST(CHARGING),
	 is_over_offer,
	 EXPLAIN_NEVER},
	{{"E523", "Less current than asked", MON_NOTICE,
	  "current is not there yet: {A} of {asked A}, ramp or limit of the charger", DEVIATION, 0},
	 ST(CHARGING),
	 is_following,
	 EXPLAIN_NEVER},
	{{"E530", "Above the range", MON_WARNING, "current {A} is above the range, {least A} to {asked A}",
	  "the charger has to clip its set point within 100 ms", 0},
	 ST(CHARGING),
	 is_over_range,
	 EXPLAIN_NEVER},
	{{"E531", "Below the range", MON_WARNING, "current {A} is below the range, {least A} to {asked A}",
	  "the charger has to clip its set point within 100 ms", 0},
	 ST(CHARGING),
	 is_under_range,
	 EXPLAIN_NEVER},
	{{"E534", "Idle in the range", MON_INFO,
	  "range {least A} to {asked A}: the charger chooses no current",
	  "no limit; the operating point is the charger's or its back end's choice", 0},
	 ST(CHARGING),
	 is_range_idle,
	 EXPLAIN_NEVER},
	{{"E532", "Charging in the range", MON_INFO,
	  "charging: {A} at {V}, chosen from {least A} to {asked A}", GOES_ON, 0},
	 ST(CHARGING),
	 is_range_charging,
	 EXPLAIN_NEVER},
	{{"E533", "Discharging in the range", MON_INFO,
	  "discharging: {A} at {V}, chosen from {least A} to {asked A}", GOES_ON, 0},
	 ST(CHARGING),
	 is_range_discharging,
	 EXPLAIN_NEVER},

	/* E-74 to E-77: less than 1 A within 2 s, contactors do not open above it; section 8. */
	{{"E600", "Ending: current falls", MON_INFO,
	  "ending: waiting for less than 1 A to open the contactors, {A}",
	  "expected{in}; only an emergency opens them before", 2000},
	 ST(ENDING_CHARGE),
	 is_closed_loaded,
	 EXPLAIN_STATE},
	{{"E601", "Ending: contactors to open", MON_INFO,
	  "ending: current is gone, waiting for the module to open the contactors", "expected at once", 0},
	 ST(ENDING_CHARGE),
	 is_closed,
	 EXPLAIN_NEVER},
	{{"E602", "Ending: output is lowered", MON_INFO,
	  "ending: contactors are open, waiting for the output to fall to 20 V, now {V}",
	  "the module does not wait for it", 0},
	 ST(ENDING_CHARGE),
	 is_high_lowering,
	 EXPLAIN_NEVER},
	{{"E603", "Ending: output still high", MON_INFO,
	  "ending: contactors are open, output {V}: waiting for the order to lower it", "expected at once",
	  0},
	 ST(ENDING_CHARGE),
	 is_output_high,
	 EXPLAIN_NEVER},
	{{"E604", "Ending: output safe", MON_INFO, "ending: output is safe, waiting for the vehicle",
	  "the vehicle tests its contactors or closes the session", 0},
	 ST(ENDING_CHARGE),
	 NULL,
	 EXPLAIN_NEVER},

	/* E-79; the vehicle's test ends below 60 V (v2g/messages.md section 6.2). */
	{{"E700", "Welding test: output high", MON_INFO,
	  "welding test of the vehicle: waiting for the output to fall, {V}",
	  "the vehicle's test needs less than 60 V; welded contactors keep the voltage up", 0},
	 ST(WELDING_DETECTION),
	 is_output_high,
	 EXPLAIN_NEVER},
	{{"E701", "Welding test", MON_INFO, "the vehicle tests its contactors for welding",
	  "it closes the session by itself; no power is allowed meanwhile", 0},
	 ST(WELDING_DETECTION),
	 NULL,
	 EXPLAIN_NEVER},

	/* E-80: closing takes 3 s. */
	{{"E800", "Closing: output high", MON_NOTICE,
	  "closing: waiting for the output to fall to 20 V, now {V}",
	  "the module asks to lower it; a CHAdeMO plug stays locked above 10 V", 0},
	 ST(CLOSING_COMMUNICATION),
	 is_output_high,
	 EXPLAIN_NEVER},
	{{"E801", "Session ended in a hurry", MON_WARNING, "session ended by a fault: the plug may be pulled",
	  "the module is ready again{in}", 3000},
	 ST(CLOSING_COMMUNICATION),
	 is_rushed,
	 EXPLAIN_STATE},
	{{"E802", "Session over", MON_INFO, "session is over: the plug may be pulled",
	  "the module is ready again{in}", 3000},
	 ST(CLOSING_COMMUNICATION),
	 is_finished,
	 EXPLAIN_STATE},
	{{"E803", "Closing", MON_INFO, "closing: waiting for the module's word that the session is finished",
	  "the module is ready again{in}", 3000},
	 ST(CLOSING_COMMUNICATION),
	 NULL,
	 EXPLAIN_STATE},

	/* E-93. */
	{{"E851", "Current in a pause", MON_WARNING, "paused, but {A} flow", "no power is allowed in a pause",
	  0},
	 ST(CHARGE_PAUSE),
	 is_flowing,
	 EXPLAIN_NEVER},
	{{"E850", "Paused", MON_INFO, "paused by the vehicle: waiting for it to resume",
	  "no limit; a resumed session begins again with the limits and the insulation test", 0},
	 ST(CHARGE_PAUSE),
	 NULL,
	 EXPLAIN_NEVER},

	/* E-05, E-04. */
	{{"E900", "Unknown state", MON_WARNING,
	  "the module is in state {state}, which this protocol version does not know",
	  "power still follows DC_Power_Control only ({function})", 0},
	 EXPLAIN_STATE(EXPLAIN_STATE_UNKNOWN),
	 NULL,
	 EXPLAIN_NEVER},
	{{"E910", "Unusual combination", MON_WARNING,
	  "{state} with {function}: not foreseen by the interface",
	  "power follows DC_Power_Control; an unknown function counts as Standby", 0},
	 ANY,
	 NULL,
	 EXPLAIN_NEVER},
};
const size_t explain_n_evse_power_rows = sizeof(explain_evse_power_rows) / sizeof(explain_evse_power_rows[0]);
