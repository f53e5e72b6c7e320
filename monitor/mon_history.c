/* SPDX-License-Identifier: MIT */
/* History of the plotted quantities. Pure. */
#include "monitor/mon_history.h"

#include "monitor/mon_model.h"

#define KEPT_UNKNOWN INT16_MIN

static const struct mon_step_kept step_unknown = {KEPT_UNKNOWN, KEPT_UNKNOWN, KEPT_UNKNOWN};

/* What 1 of a kept number is worth: the resolution of the interfaces, and for power less than a dot of a plot. */
static const int32_t kept_unit[MON_N_SERIES] = {
	[MON_SERIES_mV] = 100,
	[MON_SERIES_mA] = 100,
	[MON_SERIES_W] = 200,
	[MON_SERIES_SOC_permille] = 1,
};

static int16_t to_kept(enum mon_series series, int32_t value)
{
	int32_t unit = kept_unit[series];
	int32_t n = value / unit + value % unit * 2 / unit; /* to nearest */

	return (int16_t)(n > INT16_MAX ? INT16_MAX : n < -INT16_MAX ? -INT16_MAX : n);
}

static int32_t from_kept(enum mon_series series, int16_t kept)
{
	return kept == KEPT_UNKNOWN ? MON_UNKNOWN : kept * kept_unit[series];
}

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

static void step_merge(struct mon_step_kept *into, const struct mon_step_kept *a,
		       const struct mon_step_kept *b)
{
	struct mon_step_kept sum = *a;

	if (b->last != KEPT_UNKNOWN) {
		if (sum.last == KEPT_UNKNOWN)
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
		struct mon_step_kept *step = t->step[s];

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
	int16_t kept;
	unsigned i;

	if (value == MON_UNKNOWN)
		return;
	kept = to_kept(series, value);
	mon_history_advance(h, now_us);
	for (i = 0; i < MON_N_SPANS; i++) {
		struct mon_track *t = &h->track[i];
		struct mon_step_kept *step;

		if (t->is_closed || t->n == 0)
			continue;
		step = &t->step[series][step_at(t, t->n - 1)];
		if (step->last == KEPT_UNKNOWN || kept < step->low)
			step->low = kept;
		if (step->last == KEPT_UNKNOWN || kept > step->high)
			step->high = kept;
		step->last = kept;
	}
}

struct mon_step mon_history_step(const struct mon_history *h, enum mon_span span, enum mon_series series,
				 uint32_t i)
{
	const struct mon_track *t = &h->track[span];
	const struct mon_step_kept *kept = i < t->n ? &t->step[series][step_at(t, i)] : &step_unknown;

	return (struct mon_step){
		.low = from_kept(series, kept->low),
		.high = from_kept(series, kept->high),
		.last = from_kept(series, kept->last),
	};
}
