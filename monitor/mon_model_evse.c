/* SPDX-License-Identifier: MIT */
/* What the contents of the charger's interface mean for events, sessions and the history. Pure. */
#include "monitor/mon_model_priv.h"

#define BIT(msg) (UINT32_C(1) << (msg))

/* DC_Power_Control comes at the vehicle's pace, up to a minute (evse-v3.md section 5). */
#define POWER_CONTROL_STALE_US INT64_C(60000000)

/* Bit 15 of the identifier tells who sends (evse-v3.md section 1); in 3.0 it happens to be the same. */
#define MODULE_ID_BIT 0x8000u

/* An event message with the same content within a second is the same event. */
#define REPEAT_US INT64_C(1000000)

/* After the cable test less than this per volt stops the charger (rule E-83). */
#define OHM_PER_V 100

#define FN_INSULATION_TEST EVSE_DC_POWER_CONTROL_POWER_FUNCTION_INSULATION_TEST
#define FN_PRECHARGE	   EVSE_DC_POWER_CONTROL_POWER_FUNCTION_PRECHARGE
#define FN_TRANSFER	   EVSE_DC_POWER_CONTROL_POWER_FUNCTION_POWER_TRANSFER

enum {
	INITIALISING = EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_INITIALISING,
	NEGOTIATING = EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_NEGOTIATING_CONNECTION,
	FULL_INFO = EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_CONNECTED_WITH_FULL_INFO,
	INSULATION = EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_INSULATION_TEST,
	PRECHARGE = EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_PRECHARGE,
	WAITING = EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_WAITING_FOR_CHARGE,
	CHARGING = EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_CHARGING,
	ENDING = EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_ENDING_CHARGE,
	CLOSING = EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_CLOSING_COMMUNICATION,
	AUTHORISATION = EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_CCS_AUTHORISATION_PROCESS,
	PAUSE = EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_CHARGE_PAUSE,
};

void mon_evse_init(struct mon_model *m)
{
	unsigned i;

	for (i = 0; i < m->n_msgs; i++)
		if (m->layouts[i].id & MODULE_ID_BIT)
			m->is_module |= BIT(i);
	/* Sent in some phases only; their silence means nothing. */
	m->is_watched &=
		~(BIT(EVSE_NEW_CHARGE_SESSION) | BIT(EVSE_EV_ID_CCS_PART2_DIN) | BIT(EVSE_DC_POWER_CONTROL));
	m->stale_us[EVSE_NEW_CHARGE_SESSION] = FC_NEVER;
	m->stale_us[EVSE_EV_ID_CCS_PART2_DIN] = FC_NEVER;
	m->stale_us[EVSE_DC_POWER_CONTROL] = POWER_CONTROL_STALE_US;
	/* The two that grew with 3.3 are taken in their old form, too (rule E-08). */
	for (i = EVSE_EV_INFORMATION_BATTERY; i <= EVSE_EV_INFORMATION_VOLTAGES; i++)
		if (msg_exists(&m->layouts[i]))
			m->min_dlc[i] = evse_layouts[EVSE_V3_1][i].dlc;
	/* A new session may say the same as the one before. */
	m->is_each = BIT(EVSE_CHARGE_SESSION_FINISHED) | BIT(EVSE_CHARGE_STATUS_CHANGE) |
		     BIT(EVSE_EMERGENCY_STOP) | BIT(EVSE_NEW_CHARGE_SESSION) |
		     BIT(EVSE_EV_INFORMATION_BATTERY);
	m->is_bearing = m->is_each | BIT(EVSE_POWER_MODULES_STATUS) | BIT(EVSE_DC_POWER_PARAMETERS) |
			BIT(EVSE_SEQUENCE_CONTROL) | BIT(EVSE_ADVANTICS_CONTROLLER_STATUS) |
			BIT(EVSE_DC_POWER_CONTROL) | BIT(EVSE_OCPP_CONTROL);
	m->sample_msg = EVSE_POWER_MODULES_STATUS;
	m->state_msg = EVSE_ADVANTICS_CONTROLLER_STATUS;
}

/* --- what the charger says ------------------------------------------------------------------------------------ */

static void see_enable(struct mon_model *m, const struct mon_seen *seen, bool is_enabled)
{
	struct mon_point *p = &m->point[seen->point];
	struct mon_own *o = &p->own;

	if (o->is_enabled >= 0 && (o->is_enabled > 0) == is_enabled)
		return;
	if (o->is_enabled >= 0)
		mon_event_add(m, seen->time_us, seen->point, MON_INFO, "System_Enable %s",
			      is_enabled ? "allowed" : "not allowed");
	if (!is_enabled && o->is_enabled > 0 && p->session.is_running && o->state >= FULL_INFO &&
	    o->state <= CHARGING) {
		o->is_enable_lost = true;
		mon_session_note(m, seen->point, seen->time_us, MON_FAULT, "System_Enable withdrawn");
	}
	o->is_enabled = is_enabled;
	o->was_enabled |= is_enabled;
}

/*
 * A module with an insulation monitor of its own needs no value in this message, which then stays 0: a zero counts
 * only after something else was reported in the session.
 */
static void see_insulation(struct mon_model *m, const struct mon_seen *seen, int32_t ohm, int32_t voltage_mV)
{
	struct mon_own *o = &m->point[seen->point].own;
	bool is_tested = o->power_function == FN_PRECHARGE || o->power_function == FN_TRANSFER;
	bool is_low = is_tested && ohm < (int64_t)voltage_mV * OHM_PER_V / 1000;

	if (ohm > 0)
		o->has_insulation = true;
	else if (!o->has_insulation)
		return;
	if (is_low && !o->is_insulation_low)
		mon_session_note(m, seen->point, seen->time_us, MON_FAULT, "insulation too low");
	o->is_insulation_low = is_low;
}

/* Less than asked, and not on the way there: derating, or a charger at its end (mon_facts). */
static void see_shortfall(struct mon_model *m, const struct mon_seen *seen, int32_t current_mA)
{
	struct mon_own *o = &m->point[seen->point].own;
	struct evse_dc_power_control want;
	int32_t floor_mA = 0;

	mon_get(m, seen->point, EVSE_DC_POWER_CONTROL, &want);
	if (o->power_function == FN_TRANSFER && !want.setpoints_mode) /* rule E-58 */
		floor_mA = want.current_range_max_mA - 1000 - want.current_range_max_mA / 100;
	mon_watch_shortfall(o, seen->time_us, floor_mA, current_mA);
}

static void see_status(struct mon_model *m, const struct mon_seen *seen,
		       const struct evse_power_modules_status *s)
{
	see_enable(m, seen, s->system_enable != 0);
	mon_sample(m, seen, s->present_voltage_mV, s->present_voltage_mV, s->present_current_mA);
	see_insulation(m, seen, s->insulation_resistance_ohm, s->present_voltage_mV);
	see_shortfall(m, seen, s->present_current_mA);
}

static void see_parameters(struct mon_model *m, const struct mon_seen *seen,
			   const struct evse_dc_power_parameters *now)
{
	struct mon_point *p = &m->point[seen->point];
	union mon_content old;

	mon_unpack(m, seen->msg, seen->old, &old);
	if (seen->is_first || !p->session.is_running ||
	    old.parameters.maximum_charge_current_mA == now->maximum_charge_current_mA)
		return;
	if (old.parameters.maximum_charge_current_mA > p->own.offered_max_mA)
		p->own.offered_max_mA = old.parameters.maximum_charge_current_mA;
	mon_event_add(m, seen->time_us, seen->point, MON_INFO, "charger limit %d.%d A -> %d.%d A",
		      old.parameters.maximum_charge_current_mA / 1000,
		      old.parameters.maximum_charge_current_mA % 1000 / 100,
		      now->maximum_charge_current_mA / 1000, now->maximum_charge_current_mA % 1000 / 100);
}

static void see_sequence(struct mon_model *m, const struct mon_seen *seen,
			 const struct evse_sequence_control *now)
{
	union mon_content content;
	const struct evse_sequence_control *old = &content.sequence;

	mon_unpack(m, seen->msg, seen->old, &content);
	if (seen->is_first)
		return; /* what is pressed already when we come is no edge */
	if (now->start_charge_authorisation != old->start_charge_authorisation)
		mon_event_add(m, seen->time_us, seen->point, MON_INFO, "start of a charge %s",
			      now->start_charge_authorisation ? "permitted" : "not permitted");
	if (now->ccs_authorisation_done && !old->ccs_authorisation_done)
		mon_event_add(m, seen->time_us, seen->point,
			      now->ccs_authorisation_valid ? MON_INFO : MON_WARNING, "user authorisation %s",
			      now->ccs_authorisation_valid ? "valid" : "refused");
	if (now->charge_parameters_done && !old->charge_parameters_done)
		mon_event_add(m, seen->time_us, seen->point, MON_INFO, "charge parameters done");
	if (now->chademo_start_button && !old->chademo_start_button)
		mon_event_add(m, seen->time_us, seen->point, MON_INFO, "start button pressed");
	if (now->user_stop_button && !old->user_stop_button) {
		mon_event_add(m, seen->time_us, seen->point, MON_NOTICE, "user stop button pressed");
		mon_session_cause(m, seen->point, "user stop");
	}
}

/* --- what the module says -------------------------------------------------------------------------------------- */

static void see_state(struct mon_model *m, const struct mon_seen *seen, unsigned state)
{
	struct mon_point *p = &m->point[seen->point];

	mon_state_set(m, seen->point, seen->time_us, state);
	if (state == ENDING && p->own.was_state == CHARGING)
		mon_session_cause(m, seen->point, "vehicle finished");
}

static void see_power(struct mon_model *m, const struct mon_seen *seen,
		      const struct evse_dc_power_control *now)
{
	struct mon_own *o = &m->point[seen->point].own;
	bool has_contactors = m->cfg.version != EVSE_V3_0; /* the bit came with 3.1 */

	if (m->cfg.version == EVSE_V3_0 && now->state_of_charge_permille > 0)
		mon_soc(m, seen->point, seen->time_us, now->state_of_charge_permille);
	if (o->power_function != now->power_function) {
		if (o->power_function >= 0)
			mon_event_add(m, seen->time_us, seen->point, MON_INFO, "power function %s -> %s",
				      mon_label(m, seen->msg, "Power_Function", o->power_function,
						"an unknown value"),
				      mon_label(m, seen->msg, "Power_Function", now->power_function,
						"an unknown value"));
		o->power_function = now->power_function;
	}
	if (has_contactors && o->is_closed != now->output_contactors) {
		if (o->is_closed >= 0)
			mon_event_add(m, seen->time_us, seen->point, MON_INFO, "output contactors %s",
				      now->output_contactors ? "close" : "open");
		o->is_closed = (int8_t)now->output_contactors;
	}
}

static void see_change(struct mon_model *m, const struct mon_seen *seen, bool is_started)
{
	mon_event_add(m, seen->time_us, seen->point, MON_INFO, "vehicle %s",
		      is_started ? "starts charging" : "stops charging");
	if (!is_started)
		mon_session_cause(m, seen->point, "vehicle finished");
}

static void see_finished(struct mon_model *m, const struct mon_seen *seen, unsigned state)
{
	bool is_rushed = state != EVSE_CHARGE_SESSION_FINISHED_STATE_CLEAN_STOP;
	struct mon_own *o = &m->point[seen->point].own;

	mon_event_add(m, seen->time_us, seen->point, is_rushed ? MON_WARNING : MON_INFO, "module says: %s",
		      mon_label(m, seen->msg, "State", state, "an unknown value"));
	if (!is_rushed || o->is_rushed)
		return;
	o->is_rushed = true;
	if (m->point[seen->point].session.is_running)
		mon_session_fault(&m->point[seen->point].session, "rushed stop");
}

static void see_emergency(struct mon_model *m, const struct mon_seen *seen, unsigned origin)
{
	const char *what = origin == EVSE_EMERGENCY_STOP_ORIGIN_EVSE  ? "emergency stop by EVSE"
			   : origin == EVSE_EMERGENCY_STOP_ORIGIN_PEV ? "emergency stop by PEV"
								      : "emergency stop of unknown origin";

	mon_emergency_begin(m, seen->point, seen->time_us, what);
}

static void see_session(struct mon_model *m, const struct mon_seen *seen,
			const struct evse_new_charge_session *s)
{
	mon_session_protocol(m, seen->point, seen->msg, "Communication_Protocol", s->communication_protocol);
	if (s->state_of_charge_permille > 0) /* 3.0 only */
		mon_soc(m, seen->point, seen->time_us, s->state_of_charge_permille);
}

static void see_ocpp(struct mon_model *m, const struct mon_seen *seen, int32_t target_mA)
{
	mon_event_add(m, seen->time_us, seen->point, MON_INFO, "OCPP target %s%d.%d A",
		      target_mA < 0 ? "-" : "", fc_abs_i32(target_mA) / 1000,
		      fc_abs_i32(target_mA) % 1000 / 100);
}

void mon_evse_seen(struct mon_model *m, const struct mon_seen *seen)
{
	const struct mon_msg *g = &m->point[seen->point].msg[seen->msg];
	bool is_same = !seen->is_first && g->dlc == seen->old_dlc && memcmp(g->data, seen->old, 8) == 0;
	bool is_repeat = is_same && seen->gap_us < REPEAT_US;
	union mon_content c;

	mon_unpack(m, seen->msg, g->data, &c);
	switch (seen->msg) {
	case EVSE_POWER_MODULES_STATUS:
		see_status(m, seen, &c.pms);
		break;
	case EVSE_DC_POWER_PARAMETERS:
		see_parameters(m, seen, &c.parameters);
		break;
	case EVSE_SEQUENCE_CONTROL:
		see_sequence(m, seen, &c.sequence);
		break;
	case EVSE_ADVANTICS_CONTROLLER_STATUS:
		see_state(m, seen, c.status.state);
		break;
	case EVSE_NEW_CHARGE_SESSION:
		see_session(m, seen, &c.session);
		break;
	case EVSE_CHARGE_STATUS_CHANGE:
		if (!is_repeat)
			see_change(m, seen, c.change.vehicle_ready_for_charging != 0);
		break;
	case EVSE_DC_POWER_CONTROL:
		see_power(m, seen, &c.power);
		break;
	case EVSE_CHARGE_SESSION_FINISHED:
		if (!is_repeat)
			see_finished(m, seen, c.finished.state);
		break;
	case EVSE_EMERGENCY_STOP:
		see_emergency(m, seen, c.emergency.origin);
		break;
	case EVSE_EV_INFORMATION_BATTERY:
		if (c.battery.present_state_of_charge_permille > 0)
			mon_soc(m, seen->point, seen->time_us, c.battery.present_state_of_charge_permille);
		break;
	case EVSE_OCPP_CONTROL:
		if (!is_same)
			see_ocpp(m, seen, c.ocpp.dynamic_target_current_mA);
		break;
	default:
		break;
	}
}

const char *mon_evse_reason(const struct mon_model *m, unsigned point, unsigned state)
{
	const struct mon_own *o = &m->point[point].own;
	struct evse_sequence_control flags;
	bool is_refused = mon_get(m, point, EVSE_SEQUENCE_CONTROL, &flags) >= 0 &&
			  flags.ccs_authorisation_done && !flags.ccs_authorisation_valid;

	switch (state) {
	case NEGOTIATING:
		return "ended while negotiating";
	case AUTHORISATION:
		return is_refused ? "authorisation refused" : "ended during authorisation";
	case FULL_INFO:
		return is_refused	   ? "authorisation refused"
		       : o->is_enable_lost ? "System_Enable withdrawn"
					   : "ended before the insulation test";
	case INSULATION:
		return !o->was_enabled	   ? "charger never ready"
		       : o->is_enable_lost ? "System_Enable withdrawn"
					   : "insulation test failed";
	case PRECHARGE:
		return o->is_enable_lost ? "System_Enable withdrawn" : "precharge failed";
	case WAITING:
		return o->is_enable_lost ? "System_Enable withdrawn" : "ended before charging";
	case CHARGING:
		return "broken off while charging";
	case PAUSE:
		return "ended in a pause";
	default:
		return "ended";
	}
}
