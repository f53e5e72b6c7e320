/* SPDX-License-Identifier: MIT */
/*
 * Silence: cyclic messages that are over-due, halves that say nothing any more, sessions that end by it. A message
 * is told lost only when others of its half go on; when all stop, one event says that the half is silent. Pure.
 */
#include "monitor/mon_model_priv.h"

enum due_kind { DUE_NONE, DUE_MSG, DUE_TELL, DUE_HALF, DUE_SESSION };

struct due {
	int64_t time_us;
	enum due_kind kind;
	unsigned point, what; /* message or half */
};

static void earlier(struct due *first, int64_t time_us, enum due_kind kind, unsigned point, unsigned what)
{
	if (time_us >= first->time_us)
		return;
	*first = (struct due){time_us, kind, point, what};
}

static const char *half_name(const struct mon_model *m, unsigned half)
{
	if (half == MON_MODULE)
		return "module";
	return m->cfg.side == MON_EVSE ? "charger controller" : "vehicle controller";
}

static const char *half_fault(const struct mon_model *m, unsigned half)
{
	if (half == MON_MODULE)
		return "module silent";
	return m->cfg.side == MON_EVSE ? "charger controller silent" : "vehicle controller silent";
}

/*
 * When a half counts as silent: the rule's limit, but never before a message counts as stale. One that came back
 * with slow messages alone keeps to their pace; it would be silent and speak again every second.
 */
static int64_t half_limit_us(const struct mon_model *m, unsigned point, unsigned half)
{
	const struct mon_point *p = &m->point[point];
	int64_t rule_us = mon_silence_limit_us(m, (enum mon_half)half);
	int64_t limit_us = rule_us > m->cfg.stale_us ? rule_us : m->cfg.stale_us, pace_us = 0;
	uint32_t left;

	for (left = m->is_watched; left; left &= left - 1) {
		unsigned msg = (unsigned)__builtin_ctz(left);
		const struct mon_msg *g = &p->msg[msg];

		if (mon_half(m, msg) != half || g->n == 0 || g->last_us < p->own.resume_us[half])
			continue;
		if (m->stale_us[msg] <= limit_us)
			return limit_us;
		if (m->stale_us[msg] > pace_us)
			pace_us = m->stale_us[msg];
	}
	return pace_us > limit_us ? pace_us : limit_us;
}

/* A half that came back has time to send all its messages again. */
static int64_t msg_since_us(const struct mon_model *m, unsigned point, unsigned msg)
{
	const struct mon_point *p = &m->point[point];
	int64_t resume_us = p->own.resume_us[mon_half(m, msg)], last_us = p->msg[msg].last_us;

	return resume_us > last_us ? resume_us : last_us;
}

/* Two periods after the message stopped, something else of the same half was still heard. */
static bool does_half_go_on(const struct mon_model *m, unsigned point, unsigned msg)
{
	int64_t two_us = 2 * (int64_t)FC_US_PER_MS * m->layouts[msg].cycle_ms;

	return m->point[point].own.half_us[mon_half(m, msg)] >= msg_since_us(m, point, msg) + two_us;
}

static void find_due_of_point(const struct mon_model *m, unsigned point, struct due *first)
{
	const struct mon_point *p = &m->point[point];
	uint32_t left;
	unsigned half;

	for (half = MON_MODULE; half <= MON_CONTROLLER; half++)
		if (p->own.half_us[half] >= 0 && !p->own.is_silent[half])
			earlier(first, p->own.half_us[half] + half_limit_us(m, point, half), DUE_HALF, point,
				half);
	if (p->session.is_running)
		earlier(first, p->own.half_us[MON_MODULE] + MON_SESSION_SILENCE_US, DUE_SESSION, point, 0);
	for (left = m->is_watched; left; left &= left - 1) {
		unsigned msg = (unsigned)__builtin_ctz(left);
		const struct mon_msg *g = &p->msg[msg];

		if (g->n == 0 || g->is_told)
			continue;
		if (!g->is_lost)
			earlier(first, msg_since_us(m, point, msg) + m->stale_us[msg], DUE_MSG, point, msg);
		else if (does_half_go_on(m, point, msg))
			earlier(first, m->now_us, DUE_TELL, point, msg);
		else if (!p->own.is_silent[mon_half(m, msg)]) /* look again in the next step */
			earlier(first, m->now_us + MON_STEP_US, DUE_NONE, point, msg);
	}
}

static struct due find_due(const struct mon_model *m)
{
	struct due first = {FC_NEVER, DUE_NONE, 0, 0};
	uint32_t left;

	for (left = m->heard; left; left &= left - 1)
		find_due_of_point(m, (unsigned)__builtin_ctz(left), &first);
	return first;
}

static void tell_lost(struct mon_model *m, const struct due *d)
{
	struct mon_point *p = &m->point[d->point];

	p->msg[d->what].is_told = true;
	mon_event_add(m, d->time_us, d->point, p->session.is_running ? MON_WARNING : MON_NOTICE, "%s lost",
		      m->layouts[d->what].name);
}

static void msg_due(struct mon_model *m, const struct due *d)
{
	m->point[d->point].msg[d->what].is_lost = true;
	if (m->cfg.side == MON_EVSE && d->what == EVSE_EMERGENCY_STOP) {
		/* Its absence is good news. */
		m->point[d->point].msg[d->what].is_told = true;
		mon_emergency_end(m, d->point, d->time_us);
	} else if (does_half_go_on(m, d->point, d->what)) {
		tell_lost(m, d);
	}
}

static void half_due(struct mon_model *m, const struct due *d)
{
	struct mon_point *p = &m->point[d->point];

	p->own.is_silent[d->what] = true;
	mon_event_add(m, d->time_us, d->point, p->session.is_running ? MON_FAULT : MON_NOTICE, "%s silent",
		      half_name(m, d->what));
	if (p->session.is_running)
		mon_session_fault(&p->session, half_fault(m, d->what));
}

static void session_due(struct mon_model *m, const struct due *d)
{
	struct mon_point *p = &m->point[d->point];

	/* It ended when the module was heard for the last time. */
	mon_session_end(m, d->point, p->own.half_us[MON_MODULE], d->time_us, false, "module silent");
	mon_state_forget(m, d->point);
}

void mon_watch(struct mon_model *m)
{
	struct due d;

	for (;;) {
		d = find_due(m);
		if (d.time_us > m->now_us)
			break;
		switch (d.kind) {
		case DUE_NONE:
			break;
		case DUE_MSG:
			msg_due(m, &d);
			break;
		case DUE_TELL:
			tell_lost(m, &d);
			break;
		case DUE_HALF:
			half_due(m, &d);
			break;
		case DUE_SESSION:
			session_due(m, &d);
			break;
		}
	}
	m->watch_due_us = d.time_us;
}

static void half_back(struct mon_model *m, unsigned point, unsigned half, int64_t time_us)
{
	struct mon_point *p = &m->point[point];
	char text[MON_TIME_TEXT];
	uint32_t left;

	p->own.is_silent[half] = false;
	p->own.resume_us[half] = time_us;
	mon_event_add(m, time_us, point, MON_NOTICE, "%s speaks again after %s", half_name(m, half),
		      mon_time_text(time_us - p->own.half_us[half], text));
	for (left = m->is_watched; left; left &= left - 1) {
		struct mon_msg *g = &p->msg[__builtin_ctz(left)];

		if (mon_half(m, (unsigned)__builtin_ctz(left)) == half && !g->is_told)
			g->is_lost = false;
	}
}

void mon_watch_back(struct mon_model *m, unsigned point, unsigned msg, int64_t time_us, int64_t gap_us)
{
	struct mon_point *p = &m->point[point];
	struct mon_msg *g = &p->msg[msg];
	char text[MON_TIME_TEXT];

	if (p->own.is_silent[mon_half(m, msg)])
		half_back(m, point, mon_half(m, msg), time_us);
	if (g->is_told && !(m->cfg.side == MON_EVSE && msg == EVSE_EMERGENCY_STOP))
		mon_event_add(m, time_us, point, MON_NOTICE, "%s back after %s", m->layouts[msg].name,
			      mon_time_text(gap_us, text));
	g->is_lost = false;
	g->is_told = false;
	m->watch_due_us = fc_min_i64(m->watch_due_us, time_us + m->cfg.stale_us);
}
