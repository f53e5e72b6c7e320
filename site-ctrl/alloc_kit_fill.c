/* SPDX-License-Identifier: MIT */
/*
 * Admission, filling in an order, rounding and climbing, and single points by hand. Pure.
 */
#include "site-ctrl/alloc_kit.h"

static bool can_be_served(const struct alloc_kit_state *k, uint32_t i)
{
	return i < k->n_points && (k->flags[i] & KIT_WANTS) && k->point[i].max_mA > 0;
}

/* The minimum, or nothing where there is none. */
static void admit_one(struct alloc_kit_state *k, uint32_t i)
{
	if (k->point[i].min_mA == 0 || alloc_kit_try(k, i, k->point[i].min_mA, &k->blocked[i])) {
		k->flags[i] |= KIT_ADMITTED;
		k->blocked[i] = ALLOC_NO_ROW;
	}
}

void alloc_kit_admit(struct alloc_kit_state *k, const uint32_t *order, uint32_t n)
{
	for (uint32_t at = 0; at < n; at++) {
		uint32_t i = order[at];

		if (can_be_served(k, i) && k->point[i].mA == 0 && !alloc_kit_is_admitted(k, i))
			admit_one(k, i);
	}
}

/* As many steps as fit. True when it rose. */
static bool raise_to_most(struct alloc_kit_state *k, uint32_t i)
{
	struct kit_point *p = &k->point[i];
	int32_t most, old = p->mA;

	if (old >= p->max_mA)
		return false;
	k->n_work += k->first_of[i + 1] - k->first_of[i];
	most = old + alloc_kit_room_mA(k, i, p->max_mA - old, &k->blocked[i]);
	most = alloc_kit_down_to_step(most, p->step_mA);
	if (most > old)
		alloc_kit_move(k, i, most - old);
	return most > old;
}

void alloc_kit_fill_order(struct alloc_kit_state *k, const uint32_t *order, uint32_t n)
{
	for (uint32_t at = 0; at < n; at++) {
		uint32_t i = order[at];

		if (can_be_served(k, i) && alloc_kit_is_admitted(k, i) && k->point[i].mA >= 0)
			raise_to_most(k, i);
	}
}

/*
 * Rounding can put a row over its limit where the currents of some are turned against those of others, and by a hair
 * after a fill. Rare, so it may cost a sort.
 */
void alloc_kit_repair(struct alloc_kit_state *k)
{
	int64_t *aim = k->aim_mA;
	uint32_t n = alloc_kit_sort(k, NULL, k->list), at;
	bool is_possible;

	for (at = 0; at < n; at++) {
		struct kit_point *p = &k->point[k->list[at]];

		aim[k->list[at]] = p->mA;
		if (p->mA > p->min_mA)
			alloc_kit_move(k, k->list[at], p->min_mA - p->mA);
	}
	is_possible = alloc_kit_rows_fit(k);
	for (at = 0; at < n && !is_possible; at++) {
		if (k->point[k->list[at]].mA <= 0 || k->point[k->list[at]].min_mA == 0)
			continue;
		alloc_kit_move(k, k->list[at], -k->point[k->list[at]].mA);
		k->flags[k->list[at]] &= (uint8_t)~KIT_ADMITTED;
	}
	for (at = 0; at < n; at++) {
		struct kit_point *p = &k->point[k->list[at]];
		uint32_t i = k->list[at], row;

		if (aim[i] > 0 && p->mA == 0 && p->min_mA > 0)
			admit_one(k, i);
		if (p->mA >= p->min_mA && aim[i] > p->mA) {
			int32_t rise = alloc_kit_room_mA(k, i, (int32_t)aim[i] - p->mA, &row);

			alloc_kit_move(k, i, alloc_kit_down_to_step(rise, p->step_mA));
		}
	}
	k->is_lowered = true;
}

/* --- climb ------------------------------------------------------------------------------------------------- */

static void round_down(struct alloc_kit_state *k, uint32_t i)
{
	struct kit_point *p = &k->point[i];
	int32_t over = p->mA > 0 && p->step_mA > 1 ? p->mA % p->step_mA : 0;

	if (over)
		alloc_kit_move(k, i, -over);
}

/* One step, or what one who has nothing needs at least. */
static bool rise_one(struct alloc_kit_state *k, uint32_t i)
{
	struct kit_point *p = &k->point[i];

	if (p->mA > 0 || p->min_mA == 0) {
		k->flags[i] |= KIT_ADMITTED;
		return alloc_kit_try(k, i, p->step_mA, &k->blocked[i]);
	}
	admit_one(k, i);
	return p->mA > 0;
}

/* Who could rise if there were room: true of nobody whose plain row is full, for those stay full. */
static bool is_hopeful(const struct alloc_kit_state *k, uint32_t i)
{
	const struct kit_point *p;
	uint32_t row;

	if (!can_be_served(k, i))
		return false;
	p = &k->point[i];
	row = k->blocked[i];
	return p->mA >= 0 && p->mA < p->max_mA &&
	       (row == ALLOC_NO_ROW || k->first_slot[row] != KIT_PLAIN || k->is_lowered);
}

/* As much as fits, in the order; the minimum first. True when it rose. */
static bool raise_one(struct alloc_kit_state *k, uint32_t i)
{
	bool has_risen = false;

	if (k->point[i].mA == 0 && k->point[i].min_mA > 0) {
		admit_one(k, i);
		has_risen = k->point[i].mA > 0;
	}
	return (alloc_kit_is_admitted(k, i) && raise_to_most(k, i)) || has_risen;
}

/* times what each rose in the last pass, for all together. Undone when it does not fit. */
static bool leap(struct alloc_kit_state *k, const uint32_t *list, uint32_t n, int64_t times)
{
	for (uint32_t at = 0; at < n; at++) {
		uint32_t i = list[at];

		k->aim_mA[i] = fc_min_i64(k->gain_mA[i] * times, k->point[i].max_mA - k->point[i].mA);
		alloc_kit_move(k, i, (int32_t)k->aim_mA[i]);
	}
	k->n_work += k->n_rows;
	if (alloc_kit_rows_fit(k))
		return true;
	for (uint32_t at = 0; at < n; at++)
		alloc_kit_move(k, list[at], (int32_t)-k->aim_mA[list[at]]);
	return false;
}

/*
 * Where one's rise can make room for another (phasors that are far apart), once is not enough. They may take turns in
 * ever smaller steps; then all leap in the direction of the last pass, as far as that goes.
 */
static void raise_the_rest(struct alloc_kit_state *k, const uint32_t *order, uint32_t n)
{
	uint64_t most_work = k->n_work + (uint64_t)KIT_PASSES * (k->n_points + k->n_members);
	bool has_risen = true;

	for (unsigned pass = 1; has_risen && k->n_work < most_work; pass++) {
		uint32_t n_hopeful = 0;

		has_risen = false;
		for (uint32_t at = 0; at < n; at++) {
			uint32_t i = order[at];
			int32_t before_mA;

			if (!is_hopeful(k, i))
				continue;
			before_mA = k->point[i].mA;
			has_risen |= raise_one(k, i);
			k->gain_mA[i] = k->point[i].mA - before_mA;
			k->list[n_hopeful++] = i;
		}
		k->n_work += n;
		order = k->list;
		n = n_hopeful;
		has_risen = has_risen && k->has_phasors;
		for (int64_t times = KIT_LEAP; has_risen && pass % 4 == 0 && times > 0; times /= 2)
			leap(k, order, n, times);
	}
	k->is_cut_short = has_risen;
}

void alloc_kit_climb(struct alloc_kit_state *k, const uint32_t *order, uint32_t n)
{
	uint32_t *list = k->list, n_left = 0;

	for (uint32_t at = 0; at < n; at++)
		if (order[at] < k->n_points)
			round_down(k, order[at]);
	if (k->has_phasors && !alloc_kit_rows_fit(k))
		alloc_kit_repair(k);
	for (uint32_t at = 0; at < n; at++) {
		uint32_t i = order[at];

		if (can_be_served(k, i) && k->point[i].mA >= 0 && k->point[i].mA < k->point[i].max_mA)
			list[n_left++] = i;
	}
	/* One step each, in turn, among those who could rise the last time: what rounding left is little. */
	for (unsigned round = 0; n_left && round < KIT_TRIES; round++) {
		uint32_t n_risen = 0;

		for (uint32_t at = 0; at < n_left; at++) {
			uint32_t i = list[at];

			/* Somebody may be in the order twice. */
			if (k->point[i].mA >= k->point[i].max_mA || !rise_one(k, i))
				continue;
			list[n_risen++] = i;
		}
		n_left = n_risen;
	}
	if (k->has_phasors)
		raise_the_rest(k, order, n);
	else if (n_left)
		raise_the_rest(k, list, n_left);
}

/* --- by hand ----------------------------------------------------------------------------------------------- */

int32_t alloc_kit_most(struct alloc_kit_state *k, uint32_t i)
{
	const struct kit_point *p = &k->point[i];
	int32_t most;
	uint32_t row;

	if (!can_be_served(k, i) || p->mA < 0 || p->mA >= p->max_mA)
		return p->mA;
	most = p->mA + alloc_kit_room_mA(k, i, p->max_mA - p->mA, &row);
	most = alloc_kit_down_to_step(most, p->step_mA);
	if (most < p->min_mA)
		most = 0;
	return fc_max_i32(most, p->mA);
}

/* Towards 0, in either direction. */
static void lower_to(struct alloc_kit_state *k, uint32_t i, int32_t mA)
{
	struct kit_point *p = &k->point[i];

	if (p->mA < 0) {
		alloc_kit_side_move(k, &k->side[KIT_EXPORT], i, p->mA - mA);
		p->mA = mA;
	} else {
		alloc_kit_move(k, i, mA - p->mA);
	}
	k->is_lowered = true;
}

static void discharge(struct alloc_kit_state *k, uint32_t i, int32_t mA)
{
	const struct alloc_point *a = alloc_point_at(k->call, i);
	struct kit_point *p = &k->point[i];
	struct kit_side *s = &k->side[KIT_EXPORT];
	int32_t want = mA < -INT32_MAX ? INT32_MAX : -mA, room;
	uint32_t row;

	if (!k->can_export || (a->state != ALLOC_WAITING && a->state != ALLOC_CHARGING))
		return;
	want = fc_min_i32(want, fc_max_i32(a->max_discharge_mA, 0));
	if (want < -p->mA) {
		lower_to(k, i, -want);
	} else {
		room = alloc_kit_side_room_mA(k, s, i, want + p->mA, &row);
		want = alloc_kit_down_to_step(-p->mA + room, p->step_mA);
		if (want > -p->mA) {
			alloc_kit_side_move(k, s, i, want + p->mA);
			p->mA = -want;
		}
	}
}

int32_t alloc_kit_set(struct alloc_kit_state *k, uint32_t i, int32_t mA)
{
	struct kit_point *p = &k->point[i];
	int32_t want = fc_min_i32(mA, p->max_mA);

	if ((mA >= 0 && p->mA < 0) || (mA < 0 && p->mA > 0))
		lower_to(k, i, 0);
	k->blocked[i] = ALLOC_NO_ROW;
	if (mA < 0) {
		k->flags[i] &= (uint8_t)~KIT_ADMITTED;
		discharge(k, i, mA);
		return p->mA;
	}
	want = alloc_kit_down_to_step(want, p->step_mA);
	if (want > p->mA)
		want = fc_min_i32(want, alloc_kit_most(k, i));
	if (want < p->min_mA)
		want = 0;
	if (want < p->mA)
		lower_to(k, i, want);
	else if (want > p->mA)
		alloc_kit_move(k, i, want - p->mA);
	if (p->mA > 0)
		k->flags[i] |= KIT_ADMITTED;
	else
		k->flags[i] &= (uint8_t)~KIT_ADMITTED;
	return p->mA;
}

void alloc_kit_cap(struct alloc_kit_state *k, uint32_t i, int32_t max_mA)
{
	struct kit_point *p = &k->point[i];
	struct kit_point own = {.mA = p->mA};

	if (!(k->flags[i] & KIT_WANTS))
		return;
	alloc_kit_bounds(alloc_point_at(k->call, i), INT32_MAX, &own);
	alloc_kit_bounds(alloc_point_at(k->call, i), fc_max_i32(max_mA, 0), p);
	k->flags[i] &= (uint8_t)~KIT_CAPPED;
	if (p->max_mA < own.max_mA)
		k->flags[i] |= KIT_CAPPED;
	k->blocked[i] = ALLOC_NO_ROW;
	if (p->mA > p->max_mA)
		lower_to(k, i, p->max_mA);
	if (p->max_mA == 0)
		k->flags[i] &= (uint8_t)~KIT_ADMITTED;
}
