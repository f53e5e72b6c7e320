/* SPDX-License-Identifier: MIT */
/*
 * Situations of the vehicle's interface from the transfer of power to the end. Numbers: pev-v2.md (sections
 * are named) and rules.md (P-..). Pure.
 */
#include "monitor/explain_pev.h"

/* --- charging ------------------------------------------------------------------------------------------ */

static bool is_stop_asked(struct explain_scene *c)
{
	return c->v.voltage.normal_end_of_charge;
}

static bool is_stop_input(struct explain_scene *c)
{
	return c->v.inputs.stop_charge;
}

static bool is_pause_asked(struct explain_scene *c)
{
	return c->v.status.charge_pause_request;
}

/* Where the module drives the contactors itself, its own inputs tell. */
static bool is_open_while_charging(struct explain_scene *c)
{
	return !c->v.is_ac && !is_closed(c) &&
	       !(c->v.inputs.dc_contactor_positive_feedback && c->v.inputs.dc_contactor_negative_feedback);
}

static bool is_dc_apart(struct explain_scene *c)
{
	return !c->v.is_ac && is_apart(c);
}

static bool is_charger_ending(struct explain_scene *c)
{
	return c->v.diagnostic.evse_status_code ==
	       PEV_EVCC_MEVC_DIAGNOSTIC_STATUS_EVSE_STATUS_CODE_EVSE_SHUTDOWN;
}

/* P-37: max_soc, 99 % by default. */
static bool is_full(struct explain_scene *c)
{
	return !c->v.is_ac && c->soc_permille >= 990;
}

static bool is_discharging(struct explain_scene *c)
{
	return !c->v.is_ac && c->present_mA <= -1000;
}

static bool is_zero_flowing(struct explain_scene *c)
{
	return !c->v.is_ac && c->high_mA == 0 && explain_is_flowing(c);
}

static bool is_zero(struct explain_scene *c)
{
	return !c->v.is_ac && c->high_mA == 0;
}

static bool is_nothing_offered(struct explain_scene *c)
{
	return !c->v.is_ac && !explain_is_flowing(c) && c->offer_mA == MON_UNKNOWN;
}

static bool is_nothing_flowing(struct explain_scene *c)
{
	return !c->v.is_ac && !explain_is_flowing(c);
}

/* P-41: 10 A. A battery in Dynamic mode only tells its limit, which is not exceeded either. */
static bool is_above(struct explain_scene *c)
{
	return !c->v.is_ac && c->present_mA > (int64_t)c->high_mA + 10000;
}

static bool is_over_offer(struct explain_scene *c)
{
	return !c->v.is_ac && c->offer_mA != MON_UNKNOWN && c->high_mA > c->offer_mA;
}

static bool is_below(struct explain_scene *c)
{
	return !c->v.is_ac && (int64_t)c->present_mA * 10 < (int64_t)c->high_mA * 8 &&
	       c->present_mA < c->high_mA - 1000;
}

static bool is_ac_charger_ending(struct explain_scene *c)
{
	return c->v.is_ac && !c->v.ac_control.ready_to_deliver_power;
}

static bool is_ac_vehicle_ending(struct explain_scene *c)
{
	return c->v.is_ac && !c->v.ac_status.ready_to_charge;
}

/* --- end ----------------------------------------------------------------------------------------------- */

static bool is_ac_still_ready(struct explain_scene *c)
{
	return c->v.is_ac && c->v.ac_status.ready_to_charge;
}

/* P-42: 1 A by default. */
static bool is_over_1A(struct explain_scene *c)
{
	return c->present_mA != MON_UNKNOWN && (c->present_mA > 1000 || c->present_mA < -1000);
}

static bool is_close_loaded(struct explain_scene *c)
{
	return is_close_commanded(c) && is_over_1A(c);
}

static bool is_unsafe(struct explain_scene *c)
{
	return is_closed(c) || is_inlet_live(c) || is_over_1A(c);
}

static bool is_resume_asked(struct explain_scene *c)
{
	return c->v.status.charge_resume_request;
}

static bool is_locked(struct explain_scene *c)
{
	return c->v.lines_age_us >= 0 &&
	       c->v.lines.inlet_lock_state == PEV_CCS_EXTRA_INFORMATION_INLET_LOCK_STATE_LOCKED;
}

/* --- the table ----------------------------------------------------------------------------------------- */

#define ANY	  EXPLAIN_ANY
#define ST(stage) EXPLAIN_STATE(PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_##stage)

#define GOES_ON "goes on until the vehicle, the user or the charger ends it"

const struct explain_row explain_pev_power_rows[] = {
	/* P-37 to P-40, P-52; section 8. */
	{{"V503", "Contactors open while charging", MON_FAULT,
	  "charging, but the contactors are reported open", "the module stops within 300 ms: contactor fault",
	  0},
	 ST(CHARGING),
	 is_open_while_charging,
	 EXPLAIN_NEVER},
	{{"V504", "Voltages differ while charging", MON_FAULT,
	  "inlet and battery differ by {difference V} while charging",
	  "the module stops within 300 ms: voltage deviation", 0},
	 ST(CHARGING),
	 is_dc_apart,
	 EXPLAIN_NEVER},
	{{"V500", "Stop asked for", MON_NOTICE,
	  "normal stop asked for: waiting for the module to end charging",
	  "expected within 200 ms; a bit that was 1 from the start has no effect", 0},
	 ST(CHARGING),
	 is_stop_asked,
	 EXPLAIN_NEVER},
	{{"V501", "Stop input", MON_NOTICE, "stop input is active: waiting for the module to end charging",
	  "expected within 1 s", 0},
	 ST(CHARGING),
	 is_stop_input,
	 EXPLAIN_NEVER},
	{{"V502", "Pause asked for", MON_NOTICE, "pause asked for: waiting for the module",
	  "current to zero, contactors open, stage 11; without ISO 15118 it is ignored", 0},
	 ST(CHARGING),
	 is_pause_asked,
	 EXPLAIN_NEVER},
	{{"V505", "Charger ends", MON_NOTICE,
	  "the charger ends the session: waiting for the current to fall, {A}",
	  "the module ends charging by itself", 0},
	 ST(CHARGING),
	 is_charger_ending,
	 EXPLAIN_NEVER},
	{{"V506", "Battery full", MON_INFO, "battery at {charge}: waiting for the module to end charging",
	  "expected within 1 s, unless the module is set to charge further (max_soc)", 0},
	 ST(CHARGING),
	 is_full,
	 EXPLAIN_NEVER},

	/* P-28 to P-36, P-41; section 11. */
	{{"V516", "Discharging", MON_INFO, "discharging: {A} at {battery V}", GOES_ON, 0},
	 ST(CHARGING),
	 is_discharging,
	 EXPLAIN_NEVER},
	{{"V511", "Zero asked, current flows", MON_NOTICE,
	  "asked for zero: waiting for the current to fall, {A}",
	  "more than 10 A for 10 s and the module stops: current deviation", 0},
	 ST(CHARGING),
	 is_zero_flowing,
	 EXPLAIN_NEVER},
	{{"V510", "Zero asked", MON_INFO, "the vehicle asks for no current", "no limit", 0},
	 ST(CHARGING),
	 is_zero,
	 EXPLAIN_NEVER},
	{{"V512", "No current offered", MON_NOTICE,
	  "asked for {asked A}: nothing flows, the charger's limit is zero or not known",
	  "no limit; less than asked is accepted", 0},
	 ST(CHARGING),
	 is_nothing_offered,
	 EXPLAIN_NEVER},
	{{"V513", "No current", MON_NOTICE, "asked for {asked A}: waiting for the current of the charger",
	  "no limit; if it stays, see max_current of the module (0 A until set) and the charger", 0},
	 ST(CHARGING),
	 is_nothing_flowing,
	 EXPLAIN_NEVER},
	{{"V515", "More current than asked", MON_WARNING, "more current than asked: {A}, asked {asked A}",
	  "more than 10 A for 10 s and the module stops: current deviation", 0},
	 ST(CHARGING),
	 is_above,
	 EXPLAIN_NEVER},
	{{"V514", "Request above the offer", MON_NOTICE,
	  "asked for {asked A}, but the charger offers {offered A}: {A} flow",
	  "no limit; the module caps the request", 0},
	 ST(CHARGING),
	 is_over_offer,
	 EXPLAIN_NEVER},
	{{"V517", "Less current than asked", MON_INFO,
	  "less current than asked: {A} of {asked A}, ramp or limit of the charger",
	  "no limit; less than asked is accepted", 0},
	 ST(CHARGING),
	 is_below,
	 EXPLAIN_NEVER},
	/* P-50; section 10. */
	{{"V520", "AC charger ends", MON_NOTICE,
	  "the AC charger ends: the on-board charger has to stop drawing",
	  "it has to be at zero and not ready{in}", 3000},
	 ST(CHARGING),
	 is_ac_charger_ending,
	 EXPLAIN_COMMAND},
	{{"V521", "On-board charger ends", MON_NOTICE,
	  "the on-board charger has ended: waiting for the charger",
	  "the module unlocks 100 ms after the charger's relays are open", 0},
	 ST(CHARGING),
	 is_ac_vehicle_ending,
	 EXPLAIN_NEVER},
	{{"V522", "AC charging", MON_INFO, "AC charging: up to {offered A}", GOES_ON, 0},
	 ST(CHARGING),
	 is_ac,
	 EXPLAIN_NEVER},
	{{"V518", "Charging", MON_INFO, "charging: {A} of {asked A} at {battery V}", GOES_ON, 0},
	 ST(CHARGING),
	 NULL,
	 EXPLAIN_NEVER},

	/* P-42 to P-45, P-50, P-51; section 7, steps 10 to 13; section 10. */
	{{"V602", "Ending: on-board charger", MON_INFO,
	  "ending: waiting for the on-board charger to be not ready",
	  "it has to stop drawing and be not ready{in}", 3000},
	 ST(ENDING_CHARGE),
	 is_ac_still_ready,
	 EXPLAIN_STATE},
	{{"V603", "Ending: AC charger", MON_INFO, "ending: waiting for the charger's relays, then unlocking",
	  "100 ms after they are open the module unlocks", 0},
	 ST(ENDING_CHARGE),
	 is_ac,
	 EXPLAIN_NEVER},
	{{"V600", "Ending: current falls", MON_INFO, "ending: waiting for the current to fall to 1 A, {A}",
	  "no limit; contactors do not open under load", 0},
	 ST(ENDING_CHARGE),
	 is_over_1A,
	 EXPLAIN_NEVER},
	{{"V601", "Ending: current gone", MON_INFO, "ending: current is gone, waiting for the module",
	  "expected at once: contactors open next", 0},
	 ST(ENDING_CHARGE),
	 NULL,
	 EXPLAIN_NEVER},
	{{"V700", "Opening: current flows", MON_INFO,
	  "waiting for the current to fall to 1 A before the contactors open, {A}",
	  "no limit; contactors do not open under load", 0},
	 ST(WELDING_DETECTION),
	 is_close_loaded,
	 EXPLAIN_NEVER},
	{{"V701", "Opening: command", MON_INFO,
	  "current is gone: waiting for the command to open the contactors", "expected at once", 0},
	 ST(WELDING_DETECTION),
	 is_close_commanded,
	 EXPLAIN_NEVER},
	{{"V702", "Contactors open", MON_INFO, "waiting for the contactors to open",
	  "closed for more than 1 s they count as welded", 0},
	 ST(WELDING_DETECTION),
	 is_closed,
	 EXPLAIN_NEVER},
	{{"V703", "Inlet voltage falls", MON_INFO, "waiting for the inlet to fall to 60 V, now {V}",
	  "the inlet stays locked until then", 0},
	 ST(WELDING_DETECTION),
	 is_inlet_live,
	 EXPLAIN_NEVER},
	{{"V704", "Inlet safe", MON_INFO, "inlet is safe: waiting for the module to unlock and close",
	  "expected at once", 0},
	 ST(WELDING_DETECTION),
	 NULL,
	 EXPLAIN_NEVER},
	{{"V800", "Closed but not safe", MON_WARNING, "session is over, but the inlet is not safe: {V}, {A}",
	  "it stays locked until contactors are open, current up to 1 A, inlet up to 60 V", 0},
	 ST(CLOSING_COMMUNICATION),
	 is_unsafe,
	 EXPLAIN_NEVER},
	{{"V801", "Restart asked for", MON_INFO, "restart asked for: waiting for the module",
	  "a new session begins with the negotiation; before version 2.5 it is ignored", 0},
	 ST(CLOSING_COMMUNICATION),
	 is_resume_asked,
	 EXPLAIN_NEVER},
	{{"V802", "Inlet unlocks", MON_INFO, "session is over: waiting for the inlet to unlock",
	  "no limit; all readings have to be young and safe", 0},
	 ST(CLOSING_COMMUNICATION),
	 is_locked,
	 EXPLAIN_NEVER},
	{{"V803", "Waiting for unplugging", MON_INFO, "session is over: waiting for the plug to be pulled",
	  "no limit", 0},
	 ST(CLOSING_COMMUNICATION),
	 NULL,
	 EXPLAIN_NEVER},

	/* P-52. */
	{{"V851", "Current in a pause", MON_WARNING, "paused, but {A} flow", "a pause allows no current", 0},
	 ST(CHARGE_PAUSE),
	 is_flowing,
	 EXPLAIN_NEVER},
	{{"V852", "Resume asked for", MON_INFO, "resume asked for: waiting for the module",
	  "a new session begins with the negotiation", 0},
	 ST(CHARGE_PAUSE),
	 is_resume_asked,
	 EXPLAIN_NEVER},
	{{"V850", "Paused", MON_INFO, "paused: waiting for the vehicle to resume or to stop",
	  "no limit; the inlet stays locked", 0},
	 ST(CHARGE_PAUSE),
	 NULL,
	 EXPLAIN_NEVER},

	/* P-07. */
	{{"V900", "Unknown stage", MON_WARNING,
	  "the module is in stage {state}, which this protocol version does not know",
	  "contactors still follow DC_Control only", 0},
	 ANY,
	 NULL,
	 EXPLAIN_NEVER},
};
const size_t explain_n_pev_power_rows = sizeof(explain_pev_power_rows) / sizeof(explain_pev_power_rows[0]);
