/* SPDX-License-Identifier: MIT */
/*
 * Weighted max-min by a rising level. Pure.
 *
 * A sweep over the level t with three kinds of events: a point leaves its minimum, a point reaches its maximum, a
 * row is full. For each row the sum of what rises in it is one number, the slope, so an event costs one step
 * for each row of the point. The row that will be full first is at the top of a heap; when points stop rising
 * the rows they are in will be full later than their key says, which is found out when their turn comes, so
 * only points that start to rise move keys in the heap. All together O(members + (points + rows) log).
 *
 * Rows and points of the same level are treated as one event, so that the answer does not depend on the order in
 * which they are stored.
 *
 * Phasor rows: each direction has its own sum and slope, and the level at which the magnitude is at the limit is
 * computed anew after every event of theirs, since another's end can make it come earlier.
 */
#include "site-ctrl/alloc_kit_level.h"

#include <string.h>

#define SIGN_64 (UINT64_C(1) << 63)

void alloc_kit_level_lay_out(struct kit_level *l, const struct alloc_site *site, uint32_t n_slots,
			     struct kit_cutter *c)
{
	l->row = alloc_kit_cut(c, site->n_rows, sizeof(*l->row));
	l->point = alloc_kit_cut(c, site->n_points, sizeof(*l->point));
	l->sum_q24 = alloc_kit_cut(c, n_slots, sizeof(*l->sum_q24));
	l->slope = alloc_kit_cut(c, n_slots, sizeof(*l->slope));
	l->n_risen = alloc_kit_cut(c, n_slots ? site->n_rows : 0, sizeof(*l->n_risen));
	l->heap = alloc_kit_cut(c, site->n_rows, sizeof(*l->heap));
	l->dirty = alloc_kit_cut(c, site->n_rows, sizeof(*l->dirty));
	l->full = alloc_kit_cut(c, site->n_rows, sizeof(*l->full));
	l->start = alloc_kit_cut(c, site->n_points, sizeof(*l->start));
	l->end = alloc_kit_cut(c, site->n_points, sizeof(*l->end));
}

/* --- who rises, from when to when -------------------------------------------------------------------------- */

static bool can_rise(const struct alloc_kit_state *k, uint32_t i, const int64_t *weight)
{
	const struct kit_point *p = &k->point[i];

	return alloc_kit_is_admitted(k, i) && p->mA >= 0 && p->mA < p->max_mA && (!weight || weight[i] > 0);
}

/* Bits to drop, or to add, so that the largest weight has LEVEL_MAX_WEIGHT. */
static int weight_shift(const struct alloc_kit_state *k, const int64_t *weight)
{
	uint64_t all = 1;

	for (uint32_t i = 0; weight && i < k->n_points; i++)
		if (can_rise(k, i, weight))
			all |= (uint64_t)weight[i];
	return 64 - __builtin_clzll(all) - LEVEL_MAX_WEIGHT;
}

static int64_t scale_weight(int64_t weight, int shift)
{
	return shift >= 0 ? weight >> shift : weight << -shift;
}

static int64_t clamp(int64_t value, int64_t most)
{
	return value > most ? most : value < -most ? -most : value;
}

/* Level at which a current has risen by mA at this weight, rounded down (up: is_up). */
static int64_t level_after(int64_t mA, int32_t weight, bool is_up)
{
	return (mA * (INT64_C(1) << LEVEL_RISE_BITS) + (is_up ? weight - 1 : 0)) / weight;
}

/* before: who was planned last. Most are like him, and dividing is dear. */
static void plan_rise(const struct kit_point *p, int32_t weight, int64_t offset_mA,
		      const struct level_point *before, struct level_point *out)
{
	int64_t way = clamp(p->mA - clamp(offset_mA, LEVEL_MAX_mA), LEVEL_MAX_mA);
	int64_t rise = clamp(p->max_mA - p->mA, LEVEL_MAX_mA);

	*out = (struct level_point){.weight = weight > 0 ? weight : 1,
				    .from_mA = p->mA,
				    .mA = p->mA,
				    .way_mA = (int32_t)way,
				    .rise_mA = (int32_t)rise,
				    .state = LEVEL_LOW};
	if (before->weight == out->weight && before->way_mA == way)
		out->start = before->start;
	else
		out->start = clamp(level_after(way, out->weight, false), LEVEL_MAX_T);
	if (before->weight == out->weight && before->rise_mA == rise)
		out->end = out->start + (before->end - before->start);
	else
		out->end = out->start + level_after(rise, out->weight, true);
}

static void sort_by(struct alloc_kit_state *k, uint32_t *list, bool is_end)
{
	struct kit_level *l = k->level;
	struct kit_sort *s = k->sort[0];

	for (uint32_t at = 0; at < l->n_rises; at++) {
		const struct level_point *p = &l->point[list[at]];

		s[at] = (struct kit_sort){.key = (uint64_t)(is_end ? p->end : p->start) ^ SIGN_64,
					  .point = list[at]};
	}
	s = alloc_kit_sort_list(s, k->sort[1], l->n_rises);
	for (uint32_t at = 0; at < l->n_rises; at++)
		list[at] = s[at].point;
}

static void begin(struct alloc_kit_state *k, const int64_t *weight, const int64_t *offset_mA)
{
	struct kit_level *l = k->level;
	const struct level_point nobody = {.weight = 0}, *before = &nobody;
	int shift = weight_shift(k, weight);

	l->n_rises = 0;
	for (uint32_t i = 0; i < k->n_points; i++) {
		l->point[i].state = LEVEL_OUT;
		if (!can_rise(k, i, weight))
			continue;
		plan_rise(&k->point[i], (int32_t)scale_weight(weight ? weight[i] : 1, shift),
			  offset_mA ? offset_mA[i] : 0, before, &l->point[i]);
		before = &l->point[i];
		l->start[l->n_rises] = l->end[l->n_rises] = i;
		l->n_rises++;
	}
	l->n_left = l->n_rises;
	sort_by(k, l->start, false);
	sort_by(k, l->end, true);
	level_row_begin(k);
}

/* --- events ------------------------------------------------------------------------------------------------ */

/* Its current at level t is final. */
static void stop(struct alloc_kit_state *k, uint32_t i, int64_t t)
{
	struct kit_level *l = k->level;
	struct level_point *p = &l->point[i];

	if (p->state == LEVEL_RISES) {
		/* t is rounded down: what is whole in truth must not become one less. */
		int64_t way = p->weight * (t - p->start) + p->weight + LEVEL_HAIR;
		int64_t mA = p->mA + (way >> LEVEL_RISE_BITS);

		p->mA = (int32_t)fc_min_i64(mA, k->point[i].max_mA);
		for (uint32_t m = k->first_of[i]; m < k->first_of[i + 1]; m++)
			level_row_add(k, &k->member[m], t, p->weight, -1);
	}
	p->state = LEVEL_DONE;
	l->n_left--;
}

static void start(struct alloc_kit_state *k, uint32_t i, int64_t t)
{
	struct kit_level *l = k->level;
	struct level_point *p = &l->point[i];

	p->state = LEVEL_RISES;
	for (uint32_t m = k->first_of[i]; m < k->first_of[i + 1]; m++)
		level_row_add(k, &k->member[m], t, p->weight, 1);
}

/* Rows that are full at t: their members stop. The keys that were too early are put right. */
static void fill_rows(struct alloc_kit_state *k, int64_t t)
{
	struct kit_level *l = k->level;
	uint32_t n_full = 0;

	while (level_row_first(l) <= t) {
		uint32_t row = l->heap[0];
		int64_t key = level_row_full_at(k, row);

		k->n_work++;
		if (key <= t) {
			l->row[row].is_full = true;
			l->full[n_full++] = row;
			key = FC_NEVER;
		}
		level_row_set_key(l, row, key);
	}
	for (uint32_t f = 0; f < n_full; f++) {
		const struct alloc_row *r = &k->site->row[l->full[f]];

		k->n_work += r->n_members;
		for (uint32_t m = r->first_member; m < r->first_member + r->n_members; m++) {
			uint32_t i = k->site->member[m].point, state = l->point[i].state;

			if (state == LEVEL_RISES || state == LEVEL_LOW)
				stop(k, i, t);
		}
	}
	level_row_settle(k);
}

static void sweep(struct alloc_kit_state *k)
{
	struct kit_level *l = k->level;
	uint32_t s = 0, e = 0;

	while (l->n_left > 0) {
		int64_t t = FC_NEVER;

		while (s < l->n_rises && l->point[l->start[s]].state != LEVEL_LOW)
			s++;
		while (e < l->n_rises && l->point[l->end[e]].state == LEVEL_DONE)
			e++;
		if (s < l->n_rises)
			t = l->point[l->start[s]].start;
		if (e < l->n_rises)
			t = fc_min_i64(t, l->point[l->end[e]].end);
		if (level_row_first(l) <= t) {
			fill_rows(k, level_row_first(l));
			continue;
		}
		for (; e < l->n_rises && l->point[l->end[e]].end == t; e++)
			if (l->point[l->end[e]].state == LEVEL_RISES)
				stop(k, l->end[e], t);
		for (; s < l->n_rises && l->point[l->start[s]].start == t; s++)
			if (l->point[l->start[s]].state == LEVEL_LOW)
				start(k, l->start[s], t);
		level_row_settle(k);
	}
}

/* --- the answer -------------------------------------------------------------------------------------------- */

void alloc_kit_fill_level(struct alloc_kit_state *k, const int64_t *weight, const int64_t *offset_mA)
{
	struct kit_level *l = k->level;

	begin(k, weight, offset_mA);
	sweep(k);
	for (uint32_t at = 0; at < l->n_rises; at++) {
		const struct level_point *p = &l->point[l->start[at]];

		if (p->mA > p->from_mA)
			alloc_kit_move(k, l->start[at], p->mA - p->from_mA);
	}
	if (!alloc_kit_rows_fit(k))
		alloc_kit_repair(k);
}
