/* SPDX-License-Identifier: MIT */
/*
 * Down-sampling for the report: three lanes of columns (first minute, whole, last minute), merged into one table.
 */
#include "monitor/bus_log_report_track.h"

#include <stdlib.h>
#include <string.h>

static const struct report_range unknown = {MON_UNKNOWN, MON_UNKNOWN};

static struct report_range merge(struct report_range a, struct report_range b)
{
	if (a.low == MON_UNKNOWN)
		return b;
	if (b.low == MON_UNKNOWN)
		return a;
	return (struct report_range){a.low < b.low ? a.low : b.low, a.high > b.high ? a.high : b.high};
}

static struct report_range *lane_column(const struct report_lane *l, int64_t column)
{
	uint32_t slot = (uint32_t)(l->is_ring ? column % l->n_slots : column);

	return &l->cell[(size_t)slot * REPORT_N_SERIES];
}

static bool lane_init(struct report_lane *l, uint32_t n_slots, bool is_ring, bool is_scaled)
{
	l->is_ring = is_ring;
	l->is_scaled = is_scaled;
	l->is_over = false;
	l->n_slots = n_slots;
	l->width = 1;
	l->last = -1;
	l->cell = malloc((size_t)n_slots * REPORT_N_SERIES * sizeof(*l->cell));
	return l->cell != NULL;
}

/* A column in which nobody said anything new shows what was said before. */
static void lane_close(struct report_lane *l, const int32_t *held)
{
	struct report_range *c = lane_column(l, l->last);

	for (unsigned s = 0; s < REPORT_N_SERIES; s++)
		if (c[s].low == MON_UNKNOWN)
			c[s] = (struct report_range){held[s], held[s]};
}

static void lane_open(struct report_lane *l, int64_t column)
{
	struct report_range *c = lane_column(l, column);

	for (unsigned s = 0; s < REPORT_N_SERIES; s++)
		c[s] = unknown;
	l->last = column;
}

static void lane_widen(struct report_lane *l)
{
	for (int64_t i = 0; i <= l->last / 2; i++) {
		struct report_range *to = lane_column(l, i), *from = lane_column(l, 2 * i);
		bool is_pair = 2 * i + 1 <= l->last;

		for (unsigned s = 0; s < REPORT_N_SERIES; s++)
			to[s] = is_pair ? merge(from[s], from[s + REPORT_N_SERIES]) : from[s];
	}
	l->last /= 2;
	l->width *= 2;
}

/* Makes the column of this moment the open one. False: the lane is full and over. */
static bool lane_advance(struct report_lane *l, int64_t unit, const int32_t *held)
{
	while (l->is_scaled && unit / l->width >= l->n_slots)
		lane_widen(l);

	int64_t column = unit / l->width, next = l->last + 1;

	if (l->is_over || column <= l->last)
		return !l->is_over;
	if (l->last >= 0)
		lane_close(l, held);
	if (l->is_ring && column - next >= l->n_slots)
		next = column - l->n_slots + 1;
	l->is_over = !l->is_ring && column >= l->n_slots;
	if (l->is_over)
		column = l->n_slots;
	for (; next < column; next++) {
		lane_open(l, next);
		lane_close(l, held);
	}
	if (!l->is_over)
		lane_open(l, column);
	return !l->is_over;
}

static void lane_set(struct report_lane *l, unsigned series, int32_t value)
{
	struct report_range *c = &lane_column(l, l->last)[series];

	*c = merge(*c, (struct report_range){value, value});
}

struct report_track *report_track_create(int64_t begin_us)
{
	struct report_track *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->begin_us = begin_us;
	for (unsigned s = 0; s < REPORT_N_SERIES; s++)
		t->held[s] = MON_UNKNOWN;
	if (!lane_init(&t->head, REPORT_N_FINE, false, false) ||
	    !lane_init(&t->whole, REPORT_N_COLUMNS, false, true) ||
	    !lane_init(&t->tail, REPORT_N_FINE, true, false)) {
		report_track_destroy(t);
		return NULL;
	}
	return t;
}

void report_track_destroy(struct report_track *t)
{
	if (!t)
		return;
	free(t->head.cell);
	free(t->whole.cell);
	free(t->tail.cell);
	free(t);
}

static int64_t track_unit(const struct report_track *t, int64_t now_us)
{
	return now_us <= t->begin_us ? 0 : (now_us - t->begin_us) / REPORT_UNIT_US;
}

void report_track_set(struct report_track *t, int64_t now_us, unsigned series, int32_t value)
{
	struct report_lane *lane[] = {&t->head, &t->whole, &t->tail};
	int64_t unit = track_unit(t, now_us);

	for (unsigned i = 0; i < 3; i++)
		if (lane_advance(lane[i], unit, t->held) && value != MON_UNKNOWN)
			lane_set(lane[i], series, value);
	t->held[series] = value;
}

/* --- the finished table -------------------------------------------------------------------------------- */

struct picker {
	struct report_columns *out;
	uint32_t n_max;
};

/* Columns [from, to) of a lane; the first one may begin late, at `begin`. */
static void pick(struct picker *p, const struct report_lane *l, int64_t from, int64_t to, int64_t begin)
{
	struct report_columns *c = p->out;

	for (int64_t i = from; i < to && c->n < p->n_max; i++) {
		const struct report_range *cell = lane_column(l, i);
		int64_t at = i * l->width;

		c->begin[c->n] = at < begin ? begin : at;
		for (unsigned s = 0; s < REPORT_N_SERIES; s++)
			c->cell[(size_t)s * p->n_max + c->n] = cell[s];
		c->n++;
	}
}

static void pick_all(struct picker *p, const struct report_track *t)
{
	int64_t last = t->tail.last, width = t->whole.width;

	if (width == 1) {
		pick(p, &t->whole, 0, t->whole.last + 1, 0);
		return;
	}
	/* Wider columns exist only when the track is longer than both fine parts together. */
	int64_t fine_from = last - REPORT_N_FINE + 1, first = REPORT_N_FINE / width;

	pick(p, &t->head, 0, REPORT_N_FINE, 0);
	pick(p, &t->whole, first, (fine_from + width - 1) / width, REPORT_N_FINE);
	pick(p, &t->tail, fine_from, last + 1, fine_from);
}

/* Takes the quantities that were never known out of the table. */
static bool pack(struct picker *p)
{
	struct report_columns *c = p->out;
	struct report_range *smaller;

	for (unsigned s = 0; s < REPORT_N_SERIES; s++) {
		struct report_range *from = &c->cell[(size_t)s * p->n_max];
		bool is_known = false;

		for (uint32_t i = 0; i < c->n; i++)
			is_known |= from[i].low != MON_UNKNOWN;
		c->slot[s] = is_known ? (int8_t)c->n_used : -1;
		if (is_known)
			memmove(&c->cell[(size_t)c->n_used++ * c->n], from, c->n * sizeof(*from));
	}
	smaller = realloc(c->cell, ((size_t)c->n_used * c->n + 1) * sizeof(*c->cell));
	if (smaller)
		c->cell = smaller;
	return smaller != NULL;
}

struct report_columns *report_track_finish(struct report_track *t, int64_t end_us)
{
	struct report_columns *c = calloc(1, sizeof(*c));
	struct picker p = {.out = c, .n_max = REPORT_N_COLUMNS + 2 * REPORT_N_FINE};
	int64_t end = track_unit(t, end_us);

	/* What was heard after the end (the silence that ended it was waited for) is left out. */
	report_track_set(t, end_us, 0, t->held[0]);
	lane_close(&t->whole, t->held);
	lane_close(&t->tail, t->held);
	if (!t->head.is_over)
		lane_close(&t->head, t->held);
	if (c) {
		c->begin = calloc(p.n_max, sizeof(*c->begin));
		c->cell = calloc((size_t)p.n_max * REPORT_N_SERIES, sizeof(*c->cell));
	}
	if (!c || !c->begin || !c->cell) {
		report_columns_destroy(c);
		return NULL;
	}
	pick_all(&p, t);
	while (c->n > 1 && c->begin[c->n - 1] > end)
		c->n--;
	c->end = end + 1;
	if (!pack(&p)) {
		report_columns_destroy(c);
		return NULL;
	}
	return c;
}

void report_columns_destroy(struct report_columns *c)
{
	if (!c)
		return;
	free(c->begin);
	free(c->cell);
	free(c);
}

void report_columns_halve(struct report_columns *c)
{
	uint32_t half = (c->n + 1) / 2;

	for (unsigned s = 0; s < c->n_used; s++)
		for (uint32_t i = 0; i < half; i++) {
			const struct report_range *from = &c->cell[(size_t)s * c->n + 2 * i];

			c->cell[(size_t)s * half + i] = 2 * i + 1 < c->n ? merge(from[0], from[1]) : from[0];
		}
	for (uint32_t i = 0; i < half; i++)
		c->begin[i] = c->begin[2 * i];
	c->n = half;
}

struct report_range report_columns_at(const struct report_columns *c, unsigned series, uint32_t i)
{
	if (c->slot[series] < 0 || i >= c->n)
		return unknown;
	return c->cell[(size_t)c->slot[series] * c->n + i];
}

struct report_range report_columns_range(const struct report_columns *c, unsigned series)
{
	struct report_range all = unknown;

	for (uint32_t i = 0; i < c->n; i++)
		all = merge(all, report_columns_at(c, series, i));
	return all;
}
