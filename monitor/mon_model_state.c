/* SPDX-License-Identifier: MIT */
/* States, sessions, measured points: what is the same on both sides. Pure. */
#include <inttypes.h>

#include "monitor/mon_model_priv.h"

/* Numbers that both sides share (evse-v3.md and pev-v2.md section 6). */
#define STATE_INITIALISING 0
#define STATE_WAITING	   1
#define STATE_CLOSING	   10
#define EVSE_NOT_AVAILABLE EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_NOT_AVAILABLE

#define EVSE_LAST_STATE EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_CHARGE_PAUSE
#define PEV_LAST_STATE	PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_CHARGE_PAUSE

static bool is_idle(const struct mon_model *m, unsigned state)
{
	return state <= STATE_WAITING || (m->cfg.side == MON_EVSE && state == EVSE_NOT_AVAILABLE);
}

/* A session begins in any of its states, for a listener may come late; but nothing begins by closing. */
static bool does_begin(const struct mon_model *m, unsigned state)
{
	unsigned last = m->cfg.side == MON_EVSE ? EVSE_LAST_STATE : PEV_LAST_STATE;

	return !is_idle(m, state) && state != STATE_CLOSING && state <= last;
}

static void session_begin(struct mon_model *m, unsigned point, int64_t time_us, unsigned state)
{
	struct mon_point *p = &m->point[point];

	mon_session_begin(&p->session, time_us);
	mon_session_state(&p->session, state);
	mon_history_begin_session(&p->history, time_us);
	p->own.cause = NULL;
	p->own.is_rushed = false;
	p->own.was_enabled = p->own.is_enabled > 0;
	p->own.is_enable_lost = false;
	p->own.has_insulation = false;
	p->own.is_insulation_low = false;
	p->own.offered_max_mA = MON_UNKNOWN;
	p->own.short_us = -1;
	p->own.closing_from = -1;
	if (m->cfg.side == MON_PEV && p->own.soc_permille != MON_UNKNOWN)
		mon_session_soc(&p->session, p->own.soc_permille);
	mon_sample_hold(m, point, time_us); /* what was measured before counts from the first step on */
	m->watch_due_us = fc_min_i64(m->watch_due_us, time_us + MON_SESSION_SILENCE_US);
	mon_event_add(m, time_us, point, MON_INFO, "session begins");
}

/* In units of 1000, one decimal, rounded to nearest. */
static const char *decimal(int64_t value, char text[MON_TIME_TEXT])
{
	int64_t tenths = ((value < 0 ? -value : value) + 50) / 100;

	snprintf(text, MON_TIME_TEXT, "%s%" PRId64 ".%d", value < 0 ? "-" : "", tenths / 10,
		 (int)(tenths % 10));
	return text;
}

static const char *energy_text(int64_t energy_Wh, char text[MON_TIME_TEXT])
{
	char number[MON_TIME_TEXT];

	if (energy_Wh > -1000 && energy_Wh < 1000)
		snprintf(text, MON_TIME_TEXT, "%d Wh", (int)energy_Wh);
	else
		snprintf(text, MON_TIME_TEXT, "%.*s kWh", MON_TIME_TEXT - 5, decimal(energy_Wh, number));
	return text;
}

void mon_session_end(struct mon_model *m, unsigned point, int64_t end_us, int64_t time_us, bool is_clean,
		     const char *reason)
{
	struct mon_point *p = &m->point[point];
	struct mon_session *s = &p->session;
	char energy[MON_TIME_TEXT], lasted[MON_TIME_TEXT], peak[MON_TIME_TEXT];

	if (!s->is_running)
		return;
	mon_session_finish(s, end_us, is_clean, reason);
	p->n_sessions++;
	mon_history_end_session(&p->history);
	if (m->cfg.side == MON_EVSE)
		p->own.soc_permille = MON_UNKNOWN; /* that vehicle is gone */
	mon_event_add(m, time_us, point, is_clean ? MON_INFO : MON_WARNING,
		      "session ends: %s, %s in %s, peak %s A", reason, energy_text(mon_session_Wh(s), energy),
		      mon_time_text(s->end_us - s->start_us, lasted), decimal(s->peak_mA, peak));
	if (m->sink.session_end)
		m->sink.session_end(m->sink.ctx, point, s);
}

static const char *reason_of(const struct mon_model *m, unsigned point, unsigned old, unsigned state)
{
	const struct mon_own *o = &m->point[point].own;
	unsigned from = old == STATE_CLOSING && o->closing_from >= 0 ? (unsigned)o->closing_from : old;

	if (o->cause)
		return o->cause;
	if (state == STATE_INITIALISING)
		return "module restarted";
	return m->cfg.side == MON_EVSE ? mon_evse_reason(m, point, from) : mon_pev_reason(m, point, from);
}

static void session_step(struct mon_model *m, unsigned point, int64_t time_us, int old, unsigned state)
{
	struct mon_point *p = &m->point[point];
	bool is_again = old == STATE_CLOSING && does_begin(m, state);

	if (p->session.is_running && (is_idle(m, state) || is_again)) {
		bool is_clean = old == STATE_CLOSING && state != STATE_INITIALISING && !p->own.is_rushed;

		mon_session_end(m, point, time_us, time_us, is_clean,
				reason_of(m, point, (unsigned)old, state));
	}
	if (!p->session.is_running) {
		if (does_begin(m, state))
			session_begin(m, point, time_us, state);
		return;
	}
	mon_session_state(&p->session, state);
	if (state == STATE_CLOSING)
		p->own.closing_from = (int16_t)old;
}

void mon_state_set(struct mon_model *m, unsigned point, int64_t time_us, unsigned state)
{
	struct mon_point *p = &m->point[point];
	const char *word = m->cfg.side == MON_EVSE ? "state" : "stage";
	char now[MON_TIME_TEXT], was[MON_TIME_TEXT], lasted[MON_TIME_TEXT];
	int old = p->own.state;

	if (old == (int)state)
		return;
	if (old < 0)
		mon_event_add(m, time_us, point, MON_INFO, "%s %s", word,
			      mon_state_label(m, (int)state, now));
	else
		mon_event_add(m, time_us, point, MON_INFO, "%s %s -> %s after %s", word,
			      mon_state_label(m, old, was), mon_state_label(m, (int)state, now),
			      mon_time_text(time_us - p->state_us, lasted));
	p->own.was_state = (int16_t)old;
	p->own.state = (int16_t)state;
	p->state_us = time_us;
	session_step(m, point, time_us, old, state);
}

void mon_state_forget(struct mon_model *m, unsigned point)
{
	struct mon_point *p = &m->point[point];

	p->own.state = -1;
	p->own.was_state = -1;
	p->own.is_enabled = -1;
	p->own.is_closed = -1;
	p->own.power_function = -1;
	p->state_us = -1;
}

void mon_session_cause(struct mon_model *m, unsigned point, const char *cause)
{
	struct mon_point *p = &m->point[point];

	if (p->session.is_running && !p->own.cause) {
		p->own.cause = cause;
		p->session.reason = cause;
	}
}

void mon_session_note(struct mon_model *m, unsigned point, int64_t time_us, enum mon_severity severity,
		      const char *fault)
{
	struct mon_session *s = &m->point[point].session;

	if (!s->is_running || mon_session_fault(s, fault))
		mon_event_add(m, time_us, point, severity, "%s", fault);
}

void mon_session_protocol(struct mon_model *m, unsigned point, unsigned msg, const char *signal,
			  unsigned number)
{
	struct mon_session *s = &m->point[point].session;

	if (!s->is_running || mon_field_find(m, msg, signal) < 0)
		return;
	s->protocol = (uint8_t)number;
	s->protocol_name = mon_label(m, msg, signal, number, "unknown");
}

/* --- measured points ------------------------------------------------------------------------------------------- */

/* From the last sample over the unchanged frames until the one before this, then to this one. */
static void integrate(struct mon_point *p, const struct mon_seen *seen, int64_t power_mW, int32_t current_mA)
{
	struct mon_own *o = &p->own;
	int64_t from_us = o->sample_us > p->session.start_us ? o->sample_us : p->session.start_us;
	int64_t before_us = seen->time_us - seen->gap_us;

	if (before_us > from_us) {
		mon_session_integrate(&p->session, before_us - from_us, o->power_mW, o->power_mW,
				      o->sample_mA, o->sample_mA);
		from_us = before_us;
	}
	if (seen->gap_us <= MON_SESSION_GAP_US && seen->time_us > from_us)
		mon_session_integrate(&p->session, seen->time_us - from_us, o->power_mW, power_mW,
				      o->sample_mA, current_mA);
}

void mon_sample(struct mon_model *m, const struct mon_seen *seen, int32_t shown_mV, int32_t power_mV,
		int32_t current_mA)
{
	struct mon_point *p = &m->point[seen->point];
	struct mon_own *o = &p->own;
	int64_t power_mW = power_mV == MON_UNKNOWN ? 0 : (int64_t)power_mV * current_mA / 1000;
	int32_t power_W = fc_clamp_i32(power_mW / 1000, INT32_MIN + 1, INT32_MAX);

	if (p->session.is_running) {
		if (o->sample_us >= 0 && !seen->is_first)
			integrate(p, seen, power_mW, current_mA);
		mon_session_peak(&p->session, shown_mV == MON_UNKNOWN ? 0 : shown_mV, current_mA, power_W);
	}
	o->sample_us = seen->time_us;
	o->sample_due_us = seen->time_us + MON_STEP_US;
	o->power_mW = power_mW;
	o->has_power = power_mV != MON_UNKNOWN;
	o->sample_mV = shown_mV;
	o->sample_mA = current_mA;
	mon_history_add(&p->history, seen->time_us, MON_SERIES_mV, shown_mV);
	mon_history_add(&p->history, seen->time_us, MON_SERIES_mA, current_mA);
	if (power_mV != MON_UNKNOWN)
		mon_history_add(&p->history, seen->time_us, MON_SERIES_W, power_W);
}

void mon_sample_hold(struct mon_model *m, unsigned point, int64_t time_us)
{
	struct mon_point *p = &m->point[point];
	struct mon_own *o = &p->own;
	bool is_vehicle_there = p->session.is_running ||
				(m->cfg.side == MON_PEV && !mon_is_stale(m, point, PEV_EV_INFORMATION));

	mon_history_advance(&p->history, time_us);
	if (o->sample_us >= 0 && time_us - p->msg[m->sample_msg].last_us <= m->stale_us[m->sample_msg]) {
		mon_history_add(&p->history, time_us, MON_SERIES_mV, o->sample_mV);
		mon_history_add(&p->history, time_us, MON_SERIES_mA, o->sample_mA);
		if (o->has_power)
			mon_history_add(&p->history, time_us, MON_SERIES_W, (int32_t)(o->power_mW / 1000));
	}
	if (is_vehicle_there)
		mon_history_add(&p->history, time_us, MON_SERIES_SOC_permille, o->soc_permille);
}

void mon_watch_shortfall(struct mon_own *o, int64_t time_us, int32_t floor_mA, int32_t current_mA)
{
	const int32_t rise_mA = 2000;

	if (floor_mA <= 0 || current_mA >= floor_mA) {
		o->short_us = -1;
	} else if (o->short_us < 0 || current_mA - o->short_mA >= rise_mA) {
		o->short_us = time_us;
		o->short_mA = current_mA;
	}
}

void mon_soc(struct mon_model *m, unsigned point, int64_t time_us, int32_t soc_permille)
{
	struct mon_point *p = &m->point[point];

	p->own.soc_permille = soc_permille;
	mon_history_add(&p->history, time_us, MON_SERIES_SOC_permille, soc_permille);
	if (p->session.is_running)
		mon_session_soc(&p->session, soc_permille);
}

/* --- emergency ------------------------------------------------------------------------------------------------- */

void mon_emergency_begin(struct mon_model *m, unsigned point, int64_t time_us, const char *what)
{
	struct mon_own *o = &m->point[point].own;

	if (o->is_emergency)
		return;
	o->is_emergency = true;
	o->emergency_us = time_us;
	o->is_rushed = true;
	mon_event_add(m, time_us, point, MON_FAULT, "%s", what);
	mon_session_cause(m, point, what);
	if (m->point[point].session.is_running)
		mon_session_fault(&m->point[point].session, what);
}

void mon_emergency_end(struct mon_model *m, unsigned point, int64_t time_us)
{
	struct mon_own *o = &m->point[point].own;
	char text[MON_TIME_TEXT];

	if (!o->is_emergency)
		return;
	o->is_emergency = false;
	mon_event_add(m, time_us, point, MON_NOTICE, "emergency stop over after %s",
		      mon_time_text(time_us - o->emergency_us, text));
}
