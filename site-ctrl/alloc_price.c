/* SPDX-License-Identifier: MIT */
/*
 * Filling by price: the largest sum of worth x current. Pure.
 *
 * Class by class, highest first. Everybody aims at his maximum. Where the rows that are too full for that
 * form a tree of plain sums, highest worth first is the best there is, and exact. Otherwise a linear program
 * over all rows (alloc_lp) says how much each gets. Sites too large for one take one program for each node,
 * leaves first, each lowering what those below it left; three times over, since then the leaves know what is
 * dear above them. The aims go through the kit's exact arithmetic in the order of worth, and what is left
 * over is given out in that order.
 *
 * Who has not been admitted gets nothing or at least his minimum: who would be left in between gets it where
 * those who come before him can give way.
 */
#include "site-ctrl/alloc_price.h"

#include <string.h>

#define NOBODY	  UINT32_MAX
#define PASSES	  3  /* from node to node; more gain less than 0.1 % of the sum */
#define FEW	  64 /* lists up to this are sorted by insertion */
#define TRIES	  3
#define GOOD_PART 256
#define PART_BITS 20 /* of a part of a current; PART: all of it */
#define PART	  (INT64_C(1) << PART_BITS)
#define MAX_WORTH ((INT64_C(1) << 31) - 1)

void alloc_price_lay_out(struct alloc_price *p, const struct alloc_site *site, struct kit_cutter *c)
{
	size_t n = site->n_points, rows = site->n_rows, dirs = 0;
	struct alloc_lp *lp = &p->lp;
	uint32_t r;

	for (r = 0; r < rows; r++)
		if (site->row[r].first_dir + site->row[r].n_dirs > dirs)
			dirs = site->row[r].first_dir + site->row[r].n_dirs;
	p->g_size = (ALLOC_LP_MAX_CUTS + 1) * (n < ALLOC_PRICE_WHOLE ? n : ALLOC_PRICE_WHOLE);
	if (p->g_size < 9 * n)
		p->g_size = 9 * n;
	lp->var = alloc_kit_cut(c, n, sizeof(*lp->var));
	lp->var_of = alloc_kit_cut(c, n, sizeof(*lp->var_of));
	lp->sum_q16 = alloc_kit_cut(c, dirs, sizeof(*lp->sum_q16));
	lp->g = alloc_kit_cut(c, p->g_size, sizeof(*lp->g));
	lp->effect = alloc_kit_cut(c, n, sizeof(*lp->effect));
	lp->heap = alloc_kit_cut(c, n + ALLOC_LP_MAX_CUTS, sizeof(*lp->heap));
	p->key = alloc_kit_cut(c, n, sizeof(*p->key));
	p->order = alloc_kit_cut(c, n, sizeof(*p->order));
	p->wants = alloc_kit_cut(c, n, sizeof(*p->wants));
	p->place = alloc_kit_cut(c, n, sizeof(*p->place));
	p->list = alloc_kit_cut(c, n, sizeof(*p->list));
	p->aim_mA = alloc_kit_cut(c, n, sizeof(*p->aim_mA));
	p->price = alloc_kit_cut(c, rows, sizeof(*p->price));
	p->before_mA = alloc_kit_cut(c, n, sizeof(*p->before_mA));
	p->above = alloc_kit_cut(c, rows, sizeof(*p->above));
	p->coef = alloc_kit_cut(c, rows, sizeof(*p->coef));
}

/* --- who takes part ------------------------------------------------------------------------------------- */

static bool can_rise(const struct alloc_kit_state *k, uint32_t i)
{
	return (k->flags[i] & KIT_WANTS) && k->point[i].mA >= 0 && k->point[i].mA < k->point[i].max_mA;
}

static int64_t worth_of(const int64_t *worth, uint32_t i)
{
	return worth[i] < 1 ? 1 : (worth[i] > MAX_WORTH ? MAX_WORTH : worth[i]);
}

/* Puts everybody who can rise in order; worth becomes 1..ALLOC_LP_WORTH, no two alike. */
static void gather(struct alloc_kit_state *k, struct alloc_price *p, const int64_t *worth)
{
	int64_t most = 1, factor;
	uint32_t n_all, at, n = 0;

	for (at = 0; at < k->n_points; at++)
		p->key[at] = -worth_of(worth, at);
	n_all = alloc_kit_sort(k, p->key, p->order);
	for (at = 0; at < n_all; at++) {
		uint32_t i = p->order[at];

		if (!can_rise(k, i))
			continue;
		p->place[i] = n;
		p->order[n++] = i;
		if (-p->key[i] > most)
			most = -p->key[i];
	}
	p->n_order = n;
	factor = ((ALLOC_LP_WORTH - n - 1) << 31) / most;
	for (at = 0; at < n; at++) {
		uint32_t i = p->order[at];

		p->key[i] = ((-p->key[i] * factor) >> 31) + n - at;
	}
}

/*
 * What the rows carry, with everybody of the class at his maximum. False: numbers beyond what programs are
 * made for.
 */
static bool sum_up(struct alloc_kit_state *k, struct alloc_price *p, uint32_t first, uint32_t end)
{
	const struct kit_side *s = &k->side[KIT_IMPORT];
	bool is_sane = true;
	uint32_t r, d, at, m;

	for (r = 0; r < k->n_rows; r++) {
		const struct alloc_row *row = &k->site->row[r];

		if (k->first_slot[r] == KIT_PLAIN)
			p->lp.sum_q16[row->first_dir] = s->limit_q16[r] - s->room_q16[r];
		else
			for (d = 0; d < row->n_dirs; d++)
				p->lp.sum_q16[row->first_dir + d] = s->sum_q16[k->first_slot[r] + d];
	}
	for (at = first; at < end; at++) {
		uint32_t i = p->order[at];
		int64_t rise = k->point[i].max_mA - k->point[i].mA;

		p->aim_mA[i] = k->point[i].max_mA;
		is_sane = is_sane && k->point[i].max_mA <= ALLOC_LP_MAX_mA;
		for (m = k->first_of[i]; m < k->first_of[i + 1]; m++) {
			int64_t *sum = &p->lp.sum_q16[k->member[m].dir];

			*sum += rise * k->member[m].coef_q16;
			if (*sum > KIT_MAX_Q16) {
				*sum = KIT_MAX_Q16;
				is_sane = false;
			}
		}
	}
	return is_sane;
}

/* False: all rows hold. Marks those that do. */
static bool find_tight(const struct alloc_kit_state *k, struct alloc_price *p)
{
	bool is_any = false;
	uint32_t r;

	for (r = 0; r < k->n_rows; r++) {
		bool is_tight = k->first_slot[r] == KIT_PLAIN ? p->lp.sum_q16[k->site->row[r].first_dir] >
									k->side[KIT_IMPORT].limit_q16[r]
							      : alloc_lp_excess(&p->lp, r) > 0;

		p->coef[r] = is_tight ? PRICE_UNSEEN : PRICE_LOOSE;
		p->above[r] = NOBODY;
		is_any |= is_tight;
	}
	return is_any;
}

void alloc_price_rise(struct alloc_kit_state *k, uint32_t i, int32_t mA)
{
	if (mA > 0)
		alloc_kit_move(k, i, mA);
	if (k->point[i].mA > 0 || k->point[i].min_mA == 0)
		k->flags[i] |= KIT_ADMITTED;
}

/* --- linear programs ------------------------------------------------------------------------------------ */

/* Worth of point i after what one mA of it costs in the rows above those of a program. */
static int64_t net_worth(const struct alloc_kit_state *k, const struct alloc_price *p, uint32_t i,
			 uint32_t row, uint32_t n_rows)
{
	int64_t worth = p->key[i];
	uint32_t m;

	for (m = k->first_of[i]; m < k->first_of[i + 1]; m++) {
		const struct kit_member *mb = &k->member[m];

		if (mb->row >= row + n_rows && p->price[mb->row] > 0)
			worth -= p->price[mb->row] * mb->coef_q16 / ALLOC_Q16;
	}
	return worth > 1 ? worth : 1;
}

static void note_prices(struct alloc_price *p, uint32_t row, uint32_t n_rows)
{
	const struct alloc_lp *lp = &p->lp;
	uint32_t r, c;

	for (r = row; r < row + n_rows; r++)
		p->price[r] = 0;
	for (c = 0; c < lp->k; c++)
		if (lp->kit->first_slot[lp->cut[c].row] == KIT_PLAIN)
			p->price[lp->cut[c].row] += alloc_lp_price(lp, c);
}

/*
 * One program over some rows for the points in list[] (in order of worth), who may have up to their aims;
 * lowers the aims. False: not solved, the aims are as they were.
 */
static bool solve(struct alloc_kit_state *k, struct alloc_price *p, uint32_t row, uint32_t n_rows,
		  const uint32_t *list, uint32_t n)
{
	struct alloc_lp *lp = &p->lp;
	size_t cuts = n ? p->g_size / n - 1 : 0;
	uint32_t v;
	bool is_solved;

	lp->first_row = row;
	lp->n_rows = n_rows;
	lp->max_cuts = cuts < ALLOC_LP_MAX_CUTS ? (uint32_t)cuts : ALLOC_LP_MAX_CUTS;
	lp->n = n;
	for (v = 0; v < n; v++) {
		uint32_t i = list[v];

		lp->var_of[i] = v;
		lp->var[v] = (struct alloc_lp_var){
			.point = i,
			.low_mA = k->point[i].mA,
			.high_mA = p->aim_mA[i],
			.min_mA = k->point[i].mA > 0 ? 0 : k->point[i].min_mA,
			.x_mA = p->aim_mA[i],
			.gain = net_worth(k, p, i, row, n_rows),
		};
	}
	is_solved = alloc_lp_solve(lp);
	k->n_work += (uint64_t)(lp->n_rounds + 1) * (n + n_rows);
	if (is_solved)
		note_prices(p, row, n_rows);
	for (v = 0; v < n; v++) {
		uint32_t i = list[v];

		/* A little beyond a bound is within the tolerance of the program. */
		alloc_lp_set(lp, v,
			     is_solved ? fc_clamp_i32(lp->var[v].x_mA, k->point[i].mA, p->aim_mA[i])
				       : p->aim_mA[i]);
		p->aim_mA[i] = lp->var[v].x_mA;
		lp->var_of[i] = NOBODY;
	}
	return is_solved;
}

static bool is_over(const struct alloc_price *p, uint32_t row, uint32_t n_rows)
{
	uint32_t r;

	for (r = row; r < row + n_rows; r++)
		if (p->coef[r] != PRICE_LOOSE && alloc_lp_excess(&p->lp, r) > 0)
			return true;
	return false;
}

/*
 * Those of the class who are in some rows and can still come down, in order of worth; to list[]. Returns how
 * many.
 */
static uint32_t collect(struct alloc_kit_state *k, struct alloc_price *p, uint32_t row, uint32_t n_rows,
			uint32_t first, uint32_t end)
{
	const struct alloc_site *site = k->site;
	uint32_t m = site->row[row].first_member, n = 0, at;
	uint32_t m_end = site->row[row + n_rows - 1].first_member + site->row[row + n_rows - 1].n_members;

	for (; m < m_end; m++) {
		uint32_t i = site->member[m].point, j;

		at = p->place[i];
		if (at < first || at >= end || p->order[at] != i || p->lp.var_of[i] != NOBODY ||
		    p->aim_mA[i] <= k->point[i].mA)
			continue;
		p->lp.var_of[i] = n; /* seen */
		for (j = n++; n <= FEW && j > 0 && p->place[p->list[j - 1]] > at; j--)
			p->list[j] = p->list[j - 1];
		p->list[j] = i;
	}
	if (n <= FEW)
		return n;
	for (at = first, n = 0; at < end; at++)
		if (p->lp.var_of[p->order[at]] != NOBODY)
			p->list[n++] = p->order[at];
	return n;
}

/* One program for the rows of each node, leaves first; where even that is too much, for each row. */
static void solve_by_node(struct alloc_kit_state *k, struct alloc_price *p, uint32_t first, uint32_t end)
{
	uint32_t r = 0, n_rows, n, one;

	for (; r < k->n_rows; r += n_rows) {
		for (n_rows = 1; r + n_rows < k->n_rows; n_rows++)
			if (k->site->row[r + n_rows].node != k->site->row[r].node)
				break;
		if (!is_over(p, r, n_rows)) {
			memset(&p->price[r], 0, n_rows * sizeof(p->price[r]));
			continue;
		}
		n = collect(k, p, r, n_rows, first, end);
		if (solve(k, p, r, n_rows, p->list, n))
			continue;
		for (one = r; one < r + n_rows; one++) {
			if (!is_over(p, one, 1))
				continue;
			n = collect(k, p, one, 1, first, end);
			solve(k, p, one, 1, p->list, n);
		}
	}
}

/* Whole steps of an aim, less a part of it; not below the minimum if the aim is not. */
static int32_t target_mA(const struct kit_point *pt, int32_t aim_mA, int64_t part)
{
	int64_t mA = pt->mA + (((aim_mA - pt->mA) * part) >> PART_BITS);

	if (mA < pt->min_mA)
		mA = aim_mA >= pt->min_mA ? pt->min_mA : 0;
	mA = alloc_kit_down_to_step((int32_t)mA, pt->step_mA);
	return mA < pt->mA ? pt->mA : (int32_t)mA;
}

/*
 * How much of its limit is left to the row that is over it most, as a part of what it carries; PART: none is
 * over.
 */
static int64_t least_part(const struct alloc_kit_state *k)
{
	int64_t least = PART, part, used, limit;
	uint32_t r;

	for (r = 0; r < k->n_rows; r++) {
		used = alloc_kit_used_q16(k, r);
		limit = k->side[KIT_IMPORT].limit_q16[r];
		if (used <= limit)
			continue;
		part = (limit >> PART_BITS) * PART / ((used >> PART_BITS) + 1);
		least = part < least ? part : least;
	}
	return least;
}

/*
 * All at once, since where phasors meet one's rise may wait for another's: what is over the rows by the
 * tolerance of the program is taken off all alike. False: does not fit; nothing has changed.
 */
static bool settle_together(struct alloc_kit_state *k, struct alloc_price *p, uint32_t first, uint32_t end)
{
	int64_t part = PART, fits;
	uint32_t at, i, tries;

	for (tries = 0; tries < TRIES; tries++) {
		for (at = first; at < end; at++) {
			i = p->order[at];
			p->list[at] =
				(uint32_t)(target_mA(&k->point[i], p->aim_mA[i], part) - k->point[i].mA);
			if (p->list[at] > 0)
				alloc_kit_move(k, i, (int32_t)p->list[at]);
		}
		fits = least_part(k);
		if (fits == PART)
			break;
		for (at = first; at < end; at++)
			if (p->list[at] > 0)
				alloc_kit_move(k, p->order[at], -(int32_t)p->list[at]);
		part = ((part * fits) >> PART_BITS) - 1;
	}
	for (at = first; at < end && tries < TRIES; at++)
		alloc_price_rise(k, p->order[at], 0);
	return tries < TRIES;
}

/* One after the other, as far as they fit. False: a good part of the aims did not. */
static bool settle(struct alloc_kit_state *k, const struct alloc_price *p, uint32_t first, uint32_t end)
{
	int64_t wanted = 0, missing = 0;
	uint32_t at;

	for (at = first; at < end; at++) {
		uint32_t i = p->order[at];
		struct kit_point *pt = &k->point[i];
		int32_t want = p->aim_mA[i] - pt->mA, room = want;

		if (want > 0)
			room = alloc_kit_room_mA(k, i, want, &k->blocked[i]);
		wanted += want;
		missing += want - room;
		room = alloc_kit_down_to_step(pt->mA + room, pt->step_mA) - pt->mA;
		if (pt->mA + room >= pt->min_mA)
			alloc_price_rise(k, i, room);
	}
	return missing <= wanted / GOOD_PART;
}

/* Where phasors meet, one's rise may have to wait for another's: then all at once. */
static void settle_best(struct alloc_kit_state *k, struct alloc_price *p, uint32_t first, uint32_t end)
{
	uint32_t at, i;

	for (at = first; at < end; at++)
		p->before_mA[p->order[at]] = k->point[p->order[at]].mA;
	if (settle(k, p, first, end) || !k->has_phasors)
		return;
	for (at = first; at < end; at++) {
		i = p->order[at];
		alloc_kit_move(k, i, p->before_mA[i] - k->point[i].mA);
	}
	if (!settle_together(k, p, first, end))
		settle(k, p, first, end);
}

/* --- the call ------------------------------------------------------------------------------------------- */

static void fill_class(struct alloc_kit_state *k, struct alloc_price *p, uint32_t first, uint32_t end)
{
	uint32_t n = end - first, pass;
	bool is_sane = sum_up(k, p, first, end);

	if (find_tight(k, p)) {
		if (!is_sane || alloc_price_is_tree(k, p, first, end)) {
			alloc_price_fill_tree(k, p, first, end, is_sane);
			alloc_kit_fill_order(k, p->order + first, n);
			return;
		}
		memset(p->price, 0, k->n_rows * sizeof(*p->price));
		if (n > ALLOC_PRICE_WHOLE || !solve(k, p, 0, k->n_rows, p->order + first, n)) {
			/* From the second time on it is known what is dear further up. */
			for (pass = 0; pass < PASSES; pass++) {
				if (pass > 0)
					sum_up(k, p, first, end);
				solve_by_node(k, p, first, end);
			}
		}
	}
	settle_best(k, p, first, end);
	alloc_kit_fill_order(k, p->order + first, n);
}

void alloc_price_sort(struct alloc_kit_state *k, const int64_t *worth)
{
	gather(k, k->price, worth);
}

void alloc_kit_fill_price(struct alloc_kit_state *k, const int64_t *worth)
{
	struct alloc_price *p = k->price;
	uint32_t first, end;

	p->lp.kit = k;
	memset(p->place, 0xff, k->n_points * sizeof(*p->place));
	memset(p->lp.var_of, 0xff, k->n_points * sizeof(*p->lp.var_of));
	gather(k, p, worth);
	for (first = 0; first < p->n_order; first = end) {
		int32_t class = alloc_point_at(k->call, p->order[first])->class;

		for (end = first + 1; end < p->n_order; end++)
			if (alloc_point_at(k->call, p->order[end])->class != class)
				break;
		fill_class(k, p, first, end);
	}
}
