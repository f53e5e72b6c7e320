/* SPDX-License-Identifier: MIT */
/*
 * Filling by price that keeps what is in force unless another answer is better. Pure.
 *
 * Whoever has current counts a little more: worth x (1 + hold). Seen from an answer x, another one y is worth
 *
 *     F(y | x) = sum over all of  worth x y x (1 + hold where x > 0)
 *
 * and takes its place when that is more than F(x | x); then the next one is looked for from y. No answer
 * comes back that way: around a circle the gains would have to add up to more than nothing, but what y has of
 * those who had current in x is at most all it has. So this ends, and if nothing changes the next cycle
 * begins where it ended, finds the same candidate, refuses it again, and gives the same answer to the last
 * milliampere. Large sites look for one candidate in a cycle, to keep the work bounded; they come to the same
 * end some cycles later.
 */
#include "site-ctrl/alloc_price.h"

#define MAX_TRIES 6  /* candidates in one cycle; more than two are seldom */
#define EXACT	  16 /* F is larger when it is so by more than 2^-16 of itself */
#define PERMILLE  1000
#define SHIFT	  11 /* worth of up to 2^31 becomes 2^20, so that sums stay in 64 bits */
#define MAX_HOLD  100000
#define MAX_WORTH ((INT64_C(1) << 31) - 1)

/* Currents of everybody, put into the kit's answer as they are, or taken out of it. */
static void put_all(struct alloc_kit_state *k, const int64_t *mA)
{
	uint32_t i;

	for (i = 0; i < k->n_points; i++) {
		int32_t want = (k->flags[i] & KIT_WANTS) ? (int32_t)mA[i] : 0;

		if (k->point[i].mA < 0 || !(k->flags[i] & KIT_WANTS))
			continue;
		if (want != k->point[i].mA)
			alloc_kit_move(k, i, want - k->point[i].mA);
		k->blocked[i] = ALLOC_NO_ROW;
		k->flags[i] &= (uint8_t)~KIT_ADMITTED;
		if (want > 0 || k->point[i].min_mA == 0)
			k->flags[i] |= KIT_ADMITTED;
	}
}

static void read_all(const struct alloc_kit_state *k, int64_t *mA)
{
	uint32_t i;

	for (i = 0; i < k->n_points; i++)
		mA[i] = k->point[i].mA > 0 ? k->point[i].mA : 0;
}

/* The grants in force, as far as they are allowed now. False: nobody has any. */
static bool read_grants(const struct alloc_kit_state *k, int64_t *mA)
{
	bool is_any = false;
	uint32_t i;

	for (i = 0; i < k->n_points; i++) {
		const struct kit_point *pt = &k->point[i];
		int32_t grant_mA = fc_min_i32(alloc_point_at(k->call, i)->grant_mA, pt->max_mA);

		grant_mA = alloc_kit_down_to_step(grant_mA, pt->step_mA);
		mA[i] = (k->flags[i] & KIT_WANTS) && grant_mA > 0 && grant_mA >= pt->min_mA ? grant_mA : 0;
		is_any = is_any || mA[i] > 0;
	}
	return is_any;
}

static bool rows_hold(const struct alloc_kit_state *k)
{
	uint32_t r;

	for (r = 0; r < k->n_rows; r++)
		if (alloc_kit_used_q16(k, r) > k->side[KIT_IMPORT].limit_q16[r])
			return false;
	return true;
}

/* Worth of each, raised for those who have current. */
static void raise_worth(const struct alloc_kit_state *k, const int64_t *worth, const int64_t *mA,
			int64_t hold_permille, int64_t *raised)
{
	uint32_t i;

	for (i = 0; i < k->n_points; i++) {
		int64_t w = worth[i] < 1 ? 1 : fc_min_i64(worth[i], MAX_WORTH);

		raised[i] = fc_min_i64(mA[i] > 0 ? w * hold_permille / PERMILLE : w, MAX_WORTH);
	}
}

/* Is the answer in the kit worth more than x? Classes count one after the other, the highest first. */
static bool is_better(const struct alloc_kit_state *k, const int64_t *raised, const int64_t *x)
{
	const struct alloc_price *p = k->price;
	int64_t gain = 0, all = 0;
	uint32_t at;

	for (at = 0; at < p->n_wants; at++) {
		uint32_t i = p->wants[at];
		int64_t y = fc_min_i32(k->point[i].mA, ALLOC_LP_MAX_mA),
			old = fc_min_i64(x[i], ALLOC_LP_MAX_mA);
		int64_t w = (raised[i] >> SHIFT) + 1;

		gain += w * (y - old);
		all += w * old;
		if (at + 1 < p->n_wants &&
		    alloc_point_at(k->call, p->wants[at + 1])->class == alloc_point_at(k->call, i)->class)
			continue;
		if (gain > all >> EXACT)
			return true;
		if (gain < 0)
			return false;
		gain = all = 0;
	}
	return false;
}

/* On top of what there is; what one who leaves has left over, without the best sum, in the order of worth. */
static void fill(struct alloc_kit_state *k, const int64_t *raised, bool is_best)
{
	if (is_best)
		alloc_kit_fill_price(k, raised);
	alloc_price_sort(k, raised);
	alloc_kit_climb(k, k->price->order, k->price->n_order);
}

void alloc_kit_fill_price_steady(struct alloc_kit_state *k, const int64_t *worth, int32_t hold_permille)
{
	int64_t *raised = k->wide[0], *best = k->wide[1], *none = k->wide[2];
	int64_t hold = fc_clamp_i32(hold_permille, PERMILLE, MAX_HOLD);
	bool has_best, is_large;
	uint32_t i, tries;

	for (i = 0; i < k->n_points; i++)
		none[i] = 0;
	k->price->n_wants = alloc_kit_sort(k, NULL, k->price->wants); /* classes one after the other */
	has_best = read_grants(k, best);
	put_all(k, best);
	has_best = has_best && rows_hold(k);
	is_large = k->price->n_wants > ALLOC_PRICE_WHOLE;
	if (has_best) {
		raise_worth(k, worth, best, hold, raised);
		fill(k, raised, !is_large);
		read_all(k, best);
	}
	for (tries = 0; tries < (is_large ? 1 : MAX_TRIES); tries++) {
		raise_worth(k, worth, best, hold, raised);
		put_all(k, none);
		fill(k, raised, true);
		if (has_best && !is_better(k, raised, best))
			break;
		read_all(k, best);
		has_best = true;
	}
	put_all(k, best);
	k->is_lowered = true; /* what was full for a candidate may not be now */
}
