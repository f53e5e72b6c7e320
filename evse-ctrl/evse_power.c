/* SPDX-License-Identifier: MIT */
/* Set points of each state, supervision of the output, progress of the ordered shutdown. Pure. */
#include "evse-ctrl/evse_session.h"

#include <string.h>

/* Refreshed every 100 ms; the driver goes to off by itself when four refreshes are missing. */
#define SETPOINT_VALID_US   (400 * (int64_t)FC_US_PER_MS)
#define FEEDBACK_TIMEOUT_US (1 * (int64_t)FC_US_PER_S)
#define OVER_CURRENT_US	    (500 * (int64_t)FC_US_PER_MS)
/* Beyond the set point by this much for that long: the stack does not follow (rules E-58, E-59 with margin). */
#define OVER_CURRENT_mA	      5000
#define OVER_CURRENT_PERMILLE 100
#define OVER_VOLTAGE_mV	      5000
#define OVER_VOLTAGE_PERMILLE 50

enum evse_state evse_power_state(const struct evse_session *s, const struct evse_power_command *p)
{
	switch (p->function) {
	case EVSE_FN_OFF:
		return EVSE_ST_SESSION;
	case EVSE_FN_STANDBY:
		if (!p->is_lowering)
			return EVSE_ST_STANDBY;
		/* Without own contactors the battery may still be connected in state 8 (rule E-77). */
		if (!s->conf.has_output_contactors && s->module_state == EVSE_MS_ENDING)
			return EVSE_ST_STANDBY;
		return EVSE_ST_LOWERING;
	case EVSE_FN_INSULATION_TEST:
		return p->is_closed ? EVSE_ST_INSULATION : EVSE_ST_STANDBY;
	case EVSE_FN_PRECHARGE:
		return p->is_closed ? EVSE_ST_PRECHARGE : EVSE_ST_STANDBY;
	case EVSE_FN_POWER_TRANSFER:
		return p->is_closed ? EVSE_ST_TRANSFER : EVSE_ST_STANDBY;
	case EVSE_FN_UNKNOWN:
		break;
	}
	return EVSE_ST_STANDBY;
}

static bool is_current_low(const struct evse_session *s, int64_t now_us)
{
	return evse_session_is_reading_fresh(s, now_us) &&
	       fc_abs_i32(s->in.status.i_mA) < s->conf.stop_current_mA;
}

/* Interface 3.0 has no contactor bit; bleeding at the end means that ours are open by now. */
static bool wants_closed(const struct evse_session *s)
{
	if (!evse_state_row(s->state)->may_close || s->power_us == FC_NEVER)
		return false;
	if (s->wire.version == EVSE_V3_0 && s->power.function != EVSE_FN_OFF)
		return s->module_state < EVSE_MS_ENDING || s->module_state == EVSE_MS_AUTHORISATION;
	return s->power.is_closed;
}

/*
 * Contactors follow the command, but open only without current: zero is asked first and opening is forced
 * after a bounded time (rules E-75, E-76).
 */
static bool contactors(struct evse_session *s, int64_t now_us, bool *may_force)
{
	bool is_closed = s->sp.is_closed != 0;

	*may_force = false;
	if (s->state == EVSE_ST_SHUTDOWN) {
		*may_force = now_us >= s->shutdown.force_us;
		return is_closed && s->shutdown.confirm_us == FC_NEVER && !is_current_low(s, now_us) &&
		       !*may_force;
	}
	if (wants_closed(s) || !is_closed) {
		s->open_force_us = FC_NEVER;
		return wants_closed(s);
	}
	if (is_current_low(s, now_us)) {
		s->open_force_us = FC_NEVER;
		return false;
	}
	if (s->open_force_us == FC_NEVER)
		s->open_force_us = now_us + (int64_t)s->conf.stop_timeout_ms * FC_US_PER_MS;
	return true;
}

/* Who caps the request is told once per change, not per cycle (rule E-60). */
static void tell_limit(struct evse_session *s, const struct evse_setpoint *sp)
{
	if (sp->binds == EVSE_LIMIT_RAMP ||
	    (sp->binds == s->told_binds && sp->is_v_clipped == s->told_v_clipped))
		return;
	s->told_binds = sp->binds;
	s->told_v_clipped = sp->is_v_clipped;
	log_f(&s->log, LOG_INF, "set point limited by=%s i_mA=%d asked_mA=%d%s v_mV=%d asked_mV=%d",
	      evse_limit_name(sp->binds), sp->i_mA, s->power.i_max_mA,
	      sp->is_v_clipped ? " voltage clipped" : "", sp->v_mV, s->power.v_mV);
}

static void transfer_setpoint(struct evse_session *s, int64_t now_us, const struct evse_grant_cap *grant,
			      struct pm_setpoint *sp)
{
	struct evse_limits_in in = {
		.conf = &s->conf,
		.request = &s->power,
		.status = &s->in.status,
		.caps = &s->in.caps,
		.ocpp_target_mA = s->ocpp_target_mA,
		.has_ocpp_target = s->has_ocpp_target,
		.grant = *grant,
		.last_mA = s->last_i_mA,
		.dt_us = now_us - s->sp_us,
	};
	struct evse_setpoint limited;

	evse_limits_apply(&in, &limited);
	sp->mode = PM_TRANSFER;
	sp->v_mV = limited.v_mV;
	sp->i_max_mA = limited.i_mA;
	sp->i_min_mA = limited.i_mA;
	sp->p_max_W = s->conf.max_power_W;
	s->binds = limited.binds;
	tell_limit(s, &limited);
}

static void choose_mode(struct evse_session *s, int64_t now_us, const struct evse_grant_cap *grant,
			struct pm_setpoint *sp)
{
	int32_t max_mV = evse_limits_max_mV(&s->conf, &s->in.status, &s->in.caps);

	sp->mode = PM_STANDBY;
	s->binds = EVSE_LIMIT_NONE;
	switch (s->state) {
	case EVSE_ST_NO_MODULE:
	case EVSE_ST_IDLE:
	case EVSE_ST_FAULT:
	case EVSE_ST_STOPPED:
		sp->mode = PM_OFF;
		break;
	case EVSE_ST_SHUTDOWN:
		sp->mode = s->shutdown.is_urgent ? PM_OFF : PM_STANDBY;
		sp->is_urgent = s->shutdown.is_urgent;
		break;
	case EVSE_ST_SESSION:
	case EVSE_ST_STANDBY:
	case EVSE_ST_BLOCKED:
		break;
	case EVSE_ST_LOWERING:
	case EVSE_ST_CLOSING:
		sp->is_bleeding = s->power_us != FC_NEVER && s->power.is_lowering &&
				  evse_power_state(s, &s->power) == EVSE_ST_LOWERING;
		break;
	case EVSE_ST_INSULATION:
		sp->mode = PM_INSULATION_TEST;
		sp->v_mV = fc_min_i32(s->power.v_mV, max_mV);
		sp->i_max_mA = s->conf.insulation_test_current_mA;
		break;
	case EVSE_ST_PRECHARGE:
		sp->mode = PM_PRECHARGE;
		sp->v_mV = fc_min_i32(s->power.v_mV, max_mV);
		/* A limit of 0 means "not given": our own minimum then charges the cable (CE-08). */
		sp->i_max_mA = s->power.i_max_mA > 0 ? s->power.i_max_mA : s->conf.precharge_current_mA;
		break;
	case EVSE_ST_TRANSFER:
		transfer_setpoint(s, now_us, grant, sp);
		break;
	case EVSE_N_STATES:
		break;
	}
}

static bool is_same(const struct pm_setpoint *a, const struct pm_setpoint *b)
{
	return a->mode == b->mode && a->v_mV == b->v_mV && a->i_max_mA == b->i_max_mA &&
	       a->i_min_mA == b->i_min_mA && a->is_closed == b->is_closed && a->p_max_W == b->p_max_W &&
	       a->is_bleeding == b->is_bleeding && a->is_urgent == b->is_urgent &&
	       a->clear_fault == b->clear_fault;
}

static void fill_facts(const struct evse_session *s, int64_t now_us, bool may_force,
		       const struct evse_grant_cap *grant, struct evse_guard_facts *facts)
{
	facts->has_grant = grant->is_on;
	facts->grant_W = grant->charge_W;
	facts->grant_feed_W = grant->feed_W;
	facts->grant_v_mV = grant->v_mV;
	facts->state = s->state;
	facts->is_status_fresh = !s->is_status_lost && s->status_watch.last_us != FC_NEVER;
	facts->is_emergency = s->is_emergency;
	facts->is_reading_fresh = evse_session_is_reading_fresh(s, now_us);
	facts->has_latched_fault = s->faults.latched != 0;
	facts->i_mA = s->in.status.i_mA;
	facts->max_voltage_mV = evse_limits_max_mV(&s->conf, &s->in.status, &s->in.caps);
	facts->max_charge_mA = fc_max_i32(s->conf.max_charge_current_mA, s->conf.precharge_current_mA);
	facts->max_charge_mA = fc_max_i32(facts->max_charge_mA, s->conf.insulation_test_current_mA);
	facts->max_discharge_mA = s->conf.max_discharge_current_mA;
	facts->open_limit_mA = s->conf.stop_current_mA;
	facts->is_closed = s->sp.is_closed != 0;
	facts->may_force_open = may_force;
}

void evse_power_update(struct evse_session *s, int64_t now_us, bool is_refresh, struct out_queue *out)
{
	struct evse_guard_facts facts;
	struct evse_grant_cap grant;
	struct pm_setpoint sp;
	bool may_force;

	if (!s->has_input)
		return;
	memset(&sp, 0, sizeof(sp));
	sp.size = sizeof(sp);
	sp.v_load_mV = s->wire.vehicle.v_present_mV > 0 ? s->wire.vehicle.v_present_mV : -1;
	sp.clear_fault = s->sp.clear_fault;
	evse_site_cap(s, now_us, &grant);
	choose_mode(s, now_us, &grant, &sp);
	evse_limits_bind(&grant, &sp);
	sp.is_closed = contactors(s, now_us, &may_force);
	if (is_same(&sp, &s->sp) && !is_refresh)
		return;
	sp.seq = s->sp.seq + 1;
	sp.valid_until_us = now_us + SETPOINT_VALID_US;
	fill_facts(s, now_us, may_force, &grant, &facts);
	if (s->sp.i_max_mA != 0 && sp.i_max_mA == 0)
		s->is_zero_pending = true;
	if (!evse_guard_setpoint(&s->guard, &facts, &sp, out)) {
		s->sp = sp;
		s->sp_us = now_us;
		evse_session_fault(s, now_us, EVSE_FAULT_GUARD, out);
		fault_lower(&s->faults, EVSE_FAULT_GUARD); /* an event, not a condition */
		return;
	}
	s->sp = sp;
	s->sp_us = now_us;
	s->last_i_mA = sp.mode == PM_TRANSFER ? sp.i_max_mA : 0;
}

static bool is_powered(const struct evse_session *s)
{
	return s->sp.mode == PM_INSULATION_TEST || s->sp.mode == PM_PRECHARGE || s->sp.mode == PM_TRANSFER;
}

/*
 * Output current beyond what was asked, for longer than the stack's own ramp from the moment of asking and
 * half a second explain. Asking for less starts a new wait.
 */
static bool is_over_current(struct evse_session *s, int64_t now_us)
{
	int32_t i = fc_abs_i32(s->in.status.i_mA);
	int32_t asked = fc_max_i32(fc_abs_i32(s->sp.i_max_mA), fc_abs_i32(s->sp.i_min_mA));
	int32_t ramp_mA_per_s = s->sp.mode == PM_TRANSFER ? s->in.caps.ramp_mA_per_s : 0;

	if (i <= asked + OVER_CURRENT_mA + fc_permille_of(asked, OVER_CURRENT_PERMILLE)) {
		s->over_until_us = FC_NEVER;
		return false;
	}
	if (s->over_until_us == FC_NEVER || asked < s->over_asked_mA) {
		s->over_until_us = now_us + OVER_CURRENT_US;
		if (ramp_mA_per_s > 0)
			s->over_until_us += (int64_t)(i - asked) * FC_US_PER_S / ramp_mA_per_s;
	}
	s->over_asked_mA = asked;
	return now_us >= s->over_until_us;
}

void evse_power_supervise(struct evse_session *s, int64_t now_us, struct out_queue *out)
{
	const struct evse_state_row *row = evse_state_row(s->state);
	const struct pm_status *st = &s->in.status;
	int32_t max_mV = s->conf.max_voltage_mV;

	if (row->needs_readings && !evse_session_is_reading_fresh(s, now_us))
		evse_session_fault(s, now_us, EVSE_FAULT_MEASUREMENT_STALE, out);
	else if (evse_session_is_reading_fresh(s, now_us))
		fault_lower(&s->faults, EVSE_FAULT_MEASUREMENT_STALE);

	if (!s->has_input)
		return;
	if (st->faults_stop != 0)
		evse_session_fault(s, now_us, EVSE_FAULT_POWER_MODULE, out);
	else
		fault_lower(&s->faults, EVSE_FAULT_POWER_MODULE);

	if (is_powered(s) &&
	    st->v_mV > max_mV + OVER_VOLTAGE_mV + fc_permille_of(max_mV, OVER_VOLTAGE_PERMILLE))
		evse_session_fault(s, now_us, EVSE_FAULT_OVER_VOLTAGE, out);
	else
		fault_lower(&s->faults, EVSE_FAULT_OVER_VOLTAGE);

	if (is_over_current(s, now_us))
		evse_session_fault(
			s, now_us,
			s->sp.mode == PM_TRANSFER ? EVSE_FAULT_OVER_CURRENT : EVSE_FAULT_CURRENT_STUCK, out);
	else if (s->over_until_us == FC_NEVER) {
		fault_lower(&s->faults, EVSE_FAULT_OVER_CURRENT);
		fault_lower(&s->faults, EVSE_FAULT_CURRENT_STUCK);
	}
	if (!st->is_closed)
		fault_lower(&s->faults, EVSE_FAULT_CONTACTOR);
	if (now_us >= s->open_force_us)
		evse_session_fault(s, now_us, EVSE_FAULT_CURRENT_STUCK, out);
	if (is_powered(s) && s->was_ready && !st->is_ready) {
		evse_session_fault(s, now_us, EVSE_FAULT_NOT_READY, out);
		fault_lower(&s->faults, EVSE_FAULT_NOT_READY);
	}
}

/* Runs after each input and tick while in Shutdown: opened? confirmed? then on to the next state. */
void evse_power_shutdown_step(struct evse_session *s, int64_t now_us, struct out_queue *out)
{
	struct evse_shutdown *d = &s->shutdown;

	if (s->state != EVSE_ST_SHUTDOWN)
		return;
	evse_power_update(s, now_us, false, out);
	if (s->sp.is_closed)
		return;
	if (d->confirm_us == FC_NEVER)
		d->confirm_us = now_us + FEEDBACK_TIMEOUT_US;
	if (s->has_input && s->in.status.is_closed && (s->in.caps.flags & PM_CAP_OUTPUT_RELAY)) {
		if (now_us < d->confirm_us)
			return;
		fault_raise(&s->faults, EVSE_FAULT_CONTACTOR);
		d->next = EVSE_ST_FAULT;
	}
	evse_session_enter(s, now_us, s->faults.latched ? EVSE_ST_FAULT : d->next, evse_cause_name(d->cause));
	evse_power_update(s, now_us, true, out);
}
