/* SPDX-License-Identifier: MIT */
/*
 * Filling by price where the rows that bind are a tree of plain sums: highest worth first is the best sum
 * there, and it is exact but for what minima and unlike steps leave over. Pure.
 */
#include "site-ctrl/alloc_price.h"

#define NOBODY UINT32_MAX
#define TOP    (UINT32_MAX - 1) /* above[]: there is no next row */
#define STUCK  (-2)		/* coef[]: nobody in the row can give way */

/* `row` comes next above `below` for a point. False: another row does for another point. */
static bool chain(struct alloc_price *p, uint32_t below, uint32_t row)
{
	if (below == NOBODY)
		return true;
	if (p->above[below] == NOBODY)
		p->above[below] = row;
	return p->above[below] == row;
}

/* Each tight row has one next row for all its points, and takes them all alike. */
bool alloc_price_is_tree(const struct alloc_kit_state *k, struct alloc_price *p, uint32_t first, uint32_t end)
{
	uint32_t at, m, below;

	for (at = first; at < end; at++) {
		uint32_t i = p->order[at];

		below = NOBODY;
		for (m = k->first_of[i]; m < k->first_of[i + 1]; m++) {
			uint32_t row = k->member[m].row;

			if (p->coef[row] == PRICE_LOOSE)
				continue;
			if (k->member[m].slot != KIT_PLAIN || !chain(p, below, row) ||
			    (p->coef[row] != PRICE_UNSEEN && p->coef[row] != k->member[m].coef_q16))
				return false;
			p->coef[row] = k->member[m].coef_q16;
			below = row;
		}
		if (!chain(p, below, TOP))
			return false;
	}
	return true;
}

/*
 * Of those in the row who come before and rose above their minimum, the last; NOBODY: there is none. aim_mA:
 * before.
 */
static uint32_t last_who_can_give(const struct alloc_kit_state *k, const struct alloc_price *p, uint32_t row,
				  uint32_t first, uint32_t place)
{
	const struct alloc_row *r = &k->site->row[row];
	uint32_t m, found = NOBODY;

	for (m = r->first_member; m < r->first_member + r->n_members; m++) {
		uint32_t i = k->site->member[m].point, at = p->place[i];

		if (at < first || at >= place || p->order[at] != i)
			continue;
		if (k->point[i].mA > fc_max_i32(k->point[i].min_mA, p->aim_mA[i]) &&
		    (found == NOBODY || at > p->place[found]))
			found = i;
	}
	return found;
}

/* To the most that fits, in whole steps. */
static void rise_to_most(struct alloc_kit_state *k, uint32_t i)
{
	struct kit_point *pt = &k->point[i];
	int32_t room = alloc_kit_room_mA(k, i, pt->max_mA - pt->mA, &k->blocked[i]);

	alloc_price_rise(k, i, alloc_kit_down_to_step(pt->mA + room, pt->step_mA) - pt->mA);
}

/*
 * There is something left for point i, but less than its minimum: those before it who have more than theirs
 * give way, the last one first. What they gave for nothing they get back at once.
 */
static void make_room(struct alloc_kit_state *k, struct alloc_price *p, uint32_t i, uint32_t first)
{
	int32_t min_mA = k->point[i].min_mA, room, give, least;
	uint32_t row, who, n = 0;

	while ((room = alloc_kit_room_mA(k, i, min_mA, &row)) < min_mA) {
		who = p->coef[row] == STUCK ? NOBODY : last_who_can_give(k, p, row, first, p->place[i]);
		if (who == NOBODY) {
			p->coef[row] = STUCK;
			break;
		}
		least = fc_max_i32(k->point[who].min_mA, p->aim_mA[who]);
		give = min_mA - room + k->point[who].step_mA - 1;
		give = fc_min_i32(give - give % k->point[who].step_mA, k->point[who].mA - least);
		alloc_kit_move(k, who, -give);
		k->is_lowered = true;
		if (n < k->n_points && (n == 0 || p->list[n - 1] != who))
			p->list[n++] = who;
	}
	if (room >= min_mA)
		alloc_price_rise(k, i, min_mA);
	while (n-- > 0)
		rise_to_most(k, p->list[n]);
	if (room >= min_mA)
		rise_to_most(k, i); /* what their steps left */
}

/* Highest worth first. can_give: lowering somebody makes room in all rows, as it does in trees. */
void alloc_price_fill_tree(struct alloc_kit_state *k, struct alloc_price *p, uint32_t first, uint32_t end,
			   bool can_give)
{
	uint32_t at;

	for (at = first; at < end; at++)
		p->aim_mA[p->order[at]] = k->point[p->order[at]].mA;
	for (at = first; at < end; at++) {
		uint32_t i = p->order[at];
		struct kit_point *pt = &k->point[i];
		int32_t room = alloc_kit_room_mA(k, i, pt->max_mA - pt->mA, &k->blocked[i]);

		room = alloc_kit_down_to_step(pt->mA + room, pt->step_mA) - pt->mA;
		if (pt->mA + room >= pt->min_mA)
			alloc_price_rise(k, i, room);
		else if (room > 0 && can_give)
			make_room(k, p, i, first);
	}
}
