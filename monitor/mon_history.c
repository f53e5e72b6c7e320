/* SPDX-License-Identifier: MIT */
/* History of the plotted quantities. Pure. */
#include "monitor/mon_history.h"

#include "monitor/mon_model.h"

static const struct mon_step step_unknown = {MON_UNKNOWN, MON_UNKNOWN, MON_UNKNOWN};

static uint32_t step_at(const struct mon_track *t, uint32_t i)
{
	uint32_t at = t->first + i;

	return at < MON_HISTORY_LEN ? at : at - MON_HISTORY_LEN;
}

static void step_clear(struct mon_track *t, uint32_t at)
{
	unsigned s;

	for (s = 0; s < MON_N_SERIES; s++)
		t->step[s][at] = step_unknown;
}

static void track_start(struct mon_track *t, int64_t now_us)
{
	t->begin_us = now_us;
	t->step_us = MON_HISTORY_STEP_US;
	t->first = 0;
	t->n = 0;
	t->is_closed = false;
}

static void step_merge(struct mon_step *into, const struct mon_step *a, const struct mon_step *b)
{
	struct mon_step sum = *a;

	if (b->last != MON_UNKNOWN) {
		if (sum.last == MON_UNKNOWN)
			sum = *b;
		sum.low = b->low < sum.low ? b->low : sum.low;
		sum.high = b->high > sum.high ? b->high : sum.high;
		sum.last = b->last;
	}
	*into = sum;
}

/* Two steps become one. Only a track that never wrapped is halved: its first step is step 0. */
static void track_halve(struct mon_track *t)
{
	uint32_t half = (t->n + 1) / 2, i;
	unsigned s;

	for (s = 0; s < MON_N_SERIES; s++) {
		struct mon_step *step = t->step[s];

		for (i = 0; i < half; i++)
			step_merge(&step[i], &step[2 * i],
				   2 * i + 1 < t->n ? &step[2 * i + 1] : &step_unknown);
	}
	t->n = half;
	t->step_us *= 2;
}

/* The last minute: the oldest step makes room for the newest. */
static void minute_advance(struct mon_track *t, int64_t now_us)
{
	int64_t missing = (now_us - t->begin_us) / t->step_us + 1 - t->n;

	if (missing > MON_HISTORY_LEN) { /* nothing of what was is still to be seen */
		t->begin_us += (t->n + missing - MON_HISTORY_LEN) * t->step_us;
		t->first = 0;
		t->n = 0;
		missing = MON_HISTORY_LEN;
	}
	for (; missing > 0; missing--) {
		if (t->n < MON_HISTORY_LEN) {
			step_clear(t, step_at(t, t->n++));
		} else {
			step_clear(t, t->first);
			t->first = step_at(t, 1);
			t->begin_us += t->step_us;
		}
	}
}

/* The session: all of it, the steps become longer. */
static void session_advance(struct mon_track *t, int64_t now_us)
{
	while ((now_us - t->begin_us) / t->step_us >= MON_HISTORY_LEN)
		track_halve(t);
	while (t->begin_us + t->n * t->step_us <= now_us)
		step_clear(t, t->n++);
}

static bool has_step(const struct mon_track *t, int64_t now_us)
{
	return now_us < t->begin_us + t->n * t->step_us;
}

void mon_history_init(struct mon_history *h, int64_t now_us)
{
	unsigned i;

	for (i = 0; i < MON_N_SPANS; i++)
		track_start(&h->track[i], now_us);
}

void mon_history_begin_session(struct mon_history *h, int64_t now_us)
{
	track_start(&h->track[MON_SPAN_SESSION], now_us);
}

void mon_history_end_session(struct mon_history *h)
{
	h->track[MON_SPAN_SESSION].is_closed = true;
}

void mon_history_advance(struct mon_history *h, int64_t now_us)
{
	struct mon_track *minute = &h->track[MON_SPAN_MINUTE], *session = &h->track[MON_SPAN_SESSION];

	if (!has_step(minute, now_us))
		minute_advance(minute, now_us);
	if (!session->is_closed && !has_step(session, now_us))
		session_advance(session, now_us);
}

void mon_history_add(struct mon_history *h, int64_t now_us, enum mon_series series, int32_t value)
{
	unsigned i;

	if (value == MON_UNKNOWN)
		return;
	mon_history_advance(h, now_us);
	for (i = 0; i < MON_N_SPANS; i++) {
		struct mon_track *t = &h->track[i];
		struct mon_step *step;

		if (t->is_closed || t->n == 0)
			continue;
		step = &t->step[series][step_at(t, t->n - 1)];
		if (step->last == MON_UNKNOWN || value < step->low)
			step->low = value;
		if (step->last == MON_UNKNOWN || value > step->high)
			step->high = value;
		step->last = value;
	}
}

const struct mon_step *mon_history_step(const struct mon_history *h, enum mon_span span,
					enum mon_series series, uint32_t i)
{
	const struct mon_track *t = &h->track[span];

	return i < t->n ? &t->step[series][step_at(t, i)] : &step_unknown;
}
