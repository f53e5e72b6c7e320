/* SPDX-License-Identifier: MIT */
/*
 * Flags of Sequence_Control, announced parameters, and the timers of the operator's side: authorisation,
 * parameter negotiation, charge duration, user stop. Pure. Rules E-16, E-17, E-26, E-29, E-33, E-73.
 */
#include "evse-ctrl/evse_session.h"

#define PARAMETERS_REFRESH_US (1 * (int64_t)FC_US_PER_S) /* evse-v3.md section 2 */
#define PARAMETERS_SPACING_US (100 * (int64_t)FC_US_PER_MS)
#define SESSION_FLAGS \
	(EVSE_FLAG_AUTH_DONE | EVSE_FLAG_AUTH_VALID | EVSE_FLAG_PARAMETERS_DONE | EVSE_FLAG_USER_STOP)

static void send_sequence(struct evse_session *s, struct out_queue *out)
{
	struct can_frame f;

	s->flags_sent = s->flags;
	if (!s->conf.is_sequence_sent)
		return;
	evse_wire_sequence(&s->wire, s->flags, &f);
	evse_guard_frame(&s->guard, &f, out);
}

void evse_seq_send_if_changed(struct evse_session *s, struct out_queue *out)
{
	if (s->flags != s->flags_sent)
		send_sequence(s, out);
}

static void send_parameters(struct evse_session *s, int64_t now_us, const struct evse_parameters_out *p,
			    struct out_queue *out)
{
	struct can_frame f;

	s->parameters_sent = *p;
	s->parameters_last_us = now_us;
	s->parameters_next_us = now_us + PARAMETERS_REFRESH_US;
	if (!s->conf.is_parameters_sent)
		return;
	evse_wire_parameters(&s->wire, p, &f);
	evse_guard_frame(&s->guard, &f, out);
}

/* At change, every second, never closer than 100 ms (rule E-16). */
static void update_parameters(struct evse_session *s, int64_t now_us, struct out_queue *out)
{
	struct evse_parameters_out p;
	struct evse_grant_cap grant;
	bool is_changed;

	if (!s->has_input)
		return;
	evse_site_cap(s, now_us, &grant);
	evse_limits_announce(&s->conf, &s->in.status, &s->in.caps, &grant, s->parameters_sent.max_charge_mA,
			     &p);
	is_changed = p.max_voltage_mV != s->parameters_sent.max_voltage_mV ||
		     p.max_charge_mA != s->parameters_sent.max_charge_mA ||
		     p.max_discharge_mA != s->parameters_sent.max_discharge_mA;
	if (is_changed && s->parameters_last_us != FC_NEVER)
		s->parameters_next_us =
			fc_min_i64(s->parameters_next_us, s->parameters_last_us + PARAMETERS_SPACING_US);
	if (now_us >= s->parameters_next_us)
		send_parameters(s, now_us, &p, out);
}

static void set_authorised(struct evse_session *s, bool is_valid)
{
	s->auth_us = FC_NEVER;
	s->is_auth_given = false;
	s->flags |= EVSE_FLAG_AUTH_DONE;
	if (is_valid)
		s->flags |= EVSE_FLAG_AUTH_VALID;
	else
		s->flags &= ~(uint32_t)EVSE_FLAG_AUTH_VALID;
}

static void start_authorisation(struct evse_session *s, int64_t now_us)
{
	if ((s->flags & EVSE_FLAG_AUTH_DONE) || s->auth_us != FC_NEVER || s->conf.authorisation_ms < 0)
		return;
	if (s->conf.authorisation_ms == 0 && !s->site.is_holding)
		set_authorised(s, s->conf.is_authorised != 0);
	else
		s->auth_us = now_us + (int64_t)s->conf.authorisation_ms * FC_US_PER_MS;
}

static void start_parameters(struct evse_session *s, int64_t now_us)
{
	if ((s->flags & EVSE_FLAG_PARAMETERS_DONE) || s->parameters_us != FC_NEVER)
		return;
	s->parameters_us = now_us + (int64_t)s->conf.parameters_ms * FC_US_PER_MS;
}

static void clear_session_flags(struct evse_session *s)
{
	s->flags = s->is_start_allowed ? EVSE_FLAG_START : 0;
	s->is_auth_given = false;
	s->auth_us = FC_NEVER;
	s->parameters_us = FC_NEVER;
	s->charge_end_us = FC_NEVER;
	s->user_stop_end_us = FC_NEVER;
}

void evse_seq_module_state(struct evse_session *s, int64_t now_us, uint8_t state, struct out_queue *out)
{
	if (state == EVSE_MS_NOT_AVAILABLE || state == EVSE_MS_WAITING_FOR_PEV) {
		clear_session_flags(s);
		send_sequence(s, out);
	} else if (state == EVSE_MS_AUTHORISATION) {
		start_authorisation(s, now_us);
		send_sequence(s, out);
	} else if (state == EVSE_MS_CONNECTED) {
		start_parameters(s, now_us);
		send_sequence(s, out);
	} else if (state == EVSE_MS_CHARGING) {
		if (s->conf.charge_duration_ms > 0 && s->charge_end_us == FC_NEVER)
			s->charge_end_us = now_us + (int64_t)s->conf.charge_duration_ms * FC_US_PER_MS;
	} else if (state == EVSE_MS_NEGOTIATING && s->conf.authorisation_ms == 0) {
		/* "0: authorised from the start" (simulators.md section 1) */
		start_authorisation(s, now_us);
		evse_seq_send_if_changed(s, out);
	}
}

/* State 3 may have been missed; the session's first message starts the same timer. */
void evse_seq_session_opened(struct evse_session *s, int64_t now_us)
{
	start_parameters(s, now_us);
}

void evse_seq_session_ended(struct evse_session *s, struct out_queue *out)
{
	if (!s->conf.is_start_kept)
		s->is_start_allowed = false;
	clear_session_flags(s);
	evse_seq_send_if_changed(s, out);
}

void evse_seq_user_stop(struct evse_session *s, int64_t now_us, struct out_queue *out)
{
	s->charge_end_us = FC_NEVER;
	s->user_stop_end_us = now_us + (int64_t)s->conf.user_stop_hold_ms * FC_US_PER_MS;
	s->flags |= EVSE_FLAG_USER_STOP;
	evse_seq_send_if_changed(s, out);
}

/* The best place to wait for a grant: the vehicle waits as for a person, who may take any time. */
static void finish_authorisation(struct evse_session *s, int64_t now_us)
{
	bool is_valid = s->is_auth_given || s->conf.is_authorised != 0;

	if (s->site.is_holding && is_valid)
		s->auth_us = now_us + PARAMETERS_SPACING_US;
	else
		set_authorised(s, is_valid);
}

/* Done goes to 1 only after valid parameters left in this session's life (rule E-33). */
static void finish_parameters(struct evse_session *s, int64_t now_us)
{
	if (!s->has_input || s->parameters_last_us == FC_NEVER || s->site.is_holding) {
		s->parameters_us = now_us + PARAMETERS_SPACING_US;
		return;
	}
	s->parameters_us = FC_NEVER;
	s->flags |= EVSE_FLAG_PARAMETERS_DONE;
}

void evse_seq_tick(struct evse_session *s, int64_t now_us, struct out_queue *out)
{
	update_parameters(s, now_us, out);
	if (now_us >= s->auth_us)
		finish_authorisation(s, now_us);
	if (now_us >= s->parameters_us)
		finish_parameters(s, now_us);
	if (now_us >= s->charge_end_us)
		evse_session_user_stop(s, now_us, out);
	if (now_us >= s->user_stop_end_us) {
		s->user_stop_end_us = FC_NEVER;
		s->flags &= ~(uint32_t)EVSE_FLAG_USER_STOP;
	}
	if (grid_due(&s->sequence_cycle, now_us))
		send_sequence(s, out);
	else
		evse_seq_send_if_changed(s, out);
}

int64_t evse_seq_next_us(const struct evse_session *s)
{
	int64_t next = fc_min_i64(s->sequence_cycle.next_us, s->parameters_next_us);

	next = fc_min_i64(next, fc_min_i64(s->auth_us, s->parameters_us));
	return fc_min_i64(next, fc_min_i64(s->charge_end_us, s->user_stop_end_us));
}

void evse_session_authorise(struct evse_session *s, bool is_valid, struct out_queue *out)
{
	if (s->site.is_holding && is_valid) {
		s->is_auth_given = true;
		s->auth_us = 0; /* due */
	} else {
		set_authorised(s, is_valid);
	}
	evse_seq_send_if_changed(s, out);
}

void evse_session_allow_start(struct evse_session *s, bool is_allowed, struct out_queue *out)
{
	s->is_start_allowed = is_allowed;
	if (is_allowed)
		s->flags |= EVSE_FLAG_START;
	else
		s->flags &= ~(uint32_t)EVSE_FLAG_START;
	evse_seq_send_if_changed(s, out);
}
