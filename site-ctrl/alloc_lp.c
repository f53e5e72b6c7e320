/* SPDX-License-Identifier: MIT */
/*
 * Rounds of the dual simplex method: something has to come down (a row over its limit, a variable beyond a
 * bound), its price rises until it does. Pure.
 */
#include "site-ctrl/alloc_lp.h"

#include <string.h>

#include "site-ctrl/alloc_lp_factor.h"

#define Q	     FACTOR_Q
#define ONE	     FACTOR_ONE
#define NOBODY	     UINT32_MAX
#define MIN_EFFECT   (ONE >> 9) /* of one mA on a row; smaller ones are none */
#define MAX_EFFECT   (ONE << 10)
#define MAX_PRICE    (INT64_C(1) << 38)
#define MAX_EXCESS   (INT64_C(1) << 60)
#define SLACK_mA     2
#define PLAIN_SLACK  (8 * ALLOC_Q16)
#define PHASOR_SLACK 11				 /* that many bits less than the limit */
#define MIN_UNIT     (INT64_C(1000) * ALLOC_Q16) /* limits below 1 A count as 1 A */
#define SOLVE_BITS   6				 /* fraction bits of currents while solving */
#define MAX_ROUNDS   400

static int64_t clamp(int64_t v, int64_t most)
{
	return v > most ? most : (v < -most ? -most : v);
}

/* Of a price (up to MAX_PRICE) and an effect (Q20, up to 2^38), in two halves. */
static int64_t price_of(int64_t t, int64_t effect)
{
	return clamp((t >> Q) * effect + (((t & (ONE - 1)) * effect) >> Q), MAX_PRICE);
}

static uint32_t bits_of(uint64_t v)
{
	return v ? 64u - (uint32_t)__builtin_clzll(v) : 0;
}

/* --- rows ----------------------------------------------------------------------------------------------- */

static int64_t limit_q16(const struct alloc_lp *lp, uint32_t r)
{
	return lp->kit->side[KIT_IMPORT].limit_q16[r];
}

/* Vector of a phasor row in 1/16 mA, cut down to 31 bits; returns by how many bits. */
static unsigned vector_of(const struct alloc_lp *lp, const struct alloc_row *row, int64_t *re, int64_t *im)
{
	int64_t x = 0, y = 0;
	uint32_t d, bits;

	for (d = row->first_dir; d < row->first_dir + row->n_dirs; d++) {
		int64_t s = lp->sum_q16[d] >> 8;

		x += (s * (lp->kit->site->dir[d].cos_q30 >> 10)) >> 24;
		y += (s * (lp->kit->site->dir[d].sin_q30 >> 10)) >> 24;
	}
	bits = bits_of((uint64_t)factor_size(x) | (uint64_t)factor_size(y));
	bits = bits > 31 ? bits - 31 : 0;
	*re = x >> bits;
	*im = y >> bits;
	return bits;
}

int64_t alloc_lp_excess(const struct alloc_lp *lp, uint32_t r)
{
	const struct alloc_row *row = &lp->kit->site->row[r];
	int64_t limit = limit_q16(lp, r), unit = limit > MIN_UNIT ? limit : MIN_UNIT, re, im, most, over;
	unsigned shift;

	if (row->n_dirs == 1) {
		over = lp->sum_q16[row->first_dir] - limit;
		return over > PLAIN_SLACK ? over / (unit >> Q) + 1 : 0;
	}
	shift = vector_of(lp, row, &re, &im);
	most = (limit + (limit >> PHASOR_SLACK) + PLAIN_SLACK) >> 12 >> shift;
	if (most >> 31 || re * re + im * im <= most * most)
		return 0;
	over = ((int64_t)alloc_isqrt((uint64_t)(re * re + im * im)) << shift << 12) - limit;
	return over > 0 ? over / (unit >> Q) + 1 : 1;
}

/* Share of each direction of a phasor row along its present angle; returns the magnitude, 1/65536 mA. */
static int64_t project(const struct alloc_lp *lp, const struct alloc_row *row, int64_t *share)
{
	int64_t re, im, size, total = 0;
	uint32_t d;

	vector_of(lp, row, &re, &im);
	size = (int64_t)alloc_isqrt((uint64_t)(re * re + im * im));
	size = size > 0 ? size : 1;
	re = re * ONE / size;
	im = im * ONE / size;
	for (d = 0; d < row->n_dirs && d < ALLOC_MAX_DIR; d++) {
		const struct alloc_dir *dir = &lp->kit->site->dir[row->first_dir + d];

		share[d] =
			factor_mul(dir->cos_q30 >> (30 - Q), re) + factor_mul(dir->sin_q30 >> (30 - Q), im);
		total += (lp->sum_q16[row->first_dir + d] >> 8) * (share[d] >> 4) >> (Q - 12);
	}
	return total;
}

/*
 * Makes a row the last cut, in a scale in which the largest coefficient is about 1; returns by how much it is
 * over.
 */
static int64_t make_cut(struct alloc_lp *lp, uint32_t r)
{
	const struct alloc_site *site = lp->kit->site;
	const struct alloc_row *row = &site->row[r];
	int32_t *g = lp->cut[lp->k].g;
	int64_t share[ALLOC_MAX_DIR] = {ONE}, total = lp->sum_q16[row->first_dir];
	uint32_t m, v, bits, all = 1;

	if (row->n_dirs > 1)
		total = project(lp, row, share);
	for (m = row->first_member; m < row->first_member + row->n_members; m++)
		all |= (uint32_t)site->member[m].coef_q16;
	bits = bits_of(all);
	lp->cut[lp->k].row = r;
	lp->cut[lp->k].bits = bits;
	memset(g, 0, lp->n * sizeof(*g));
	for (m = row->first_member; m < row->first_member + row->n_members; m++) {
		const struct alloc_member *mb = &site->member[m];

		v = lp->var_of[mb->point];
		if (v != NOBODY)
			g[v] = (int32_t)(((int64_t)mb->coef_q16 * share[mb->dir]) >> bits);
	}
	total -= limit_q16(lp, r);
	return bits <= Q ? clamp(total, MAX_EXCESS >> (Q - bits)) * (INT64_C(1) << (Q - bits))
			 : total >> (bits - Q);
}

int64_t alloc_lp_price(const struct alloc_lp *lp, uint32_t c)
{
	return (lp->cut[c].price * ALLOC_Q16) >> lp->cut[c].bits;
}

/* --- variables ------------------------------------------------------------------------------------------ */

void alloc_lp_set(struct alloc_lp *lp, uint32_t v, int64_t x_mA)
{
	const struct alloc_kit_state *kit = lp->kit;
	struct alloc_lp_var *var = &lp->var[v];
	const struct kit_member *m = &kit->member[kit->first_of[var->point]];
	const struct kit_member *end = &kit->member[kit->first_of[var->point + 1]];
	int64_t change = x_mA - var->x_mA;

	if (change == 0)
		return;
	var->x_mA = (int32_t)x_mA;
	for (; m < end; m++)
		lp->sum_q16[m->dir] += change * m->coef_q16;
}

static int32_t bound_of(const struct alloc_lp_var *var)
{
	return var->at == ALLOC_LP_HIGH ? var->high_mA : var->low_mA;
}

/* The variable takes so much more at its bound: that is taken out of the rest of every equation. */
static void take_part(struct alloc_lp *lp, uint32_t v, int64_t mA)
{
	uint32_t c;

	for (c = 0; c < lp->n_cuts; c++)
		lp->cut[c].rest -= lp->cut[c].g[v] * mA;
}

/* The coefficients of those in between, factored. False: the equations are not independent. */
static bool load_factor(const struct alloc_lp *lp, struct factor *f)
{
	uint32_t c, j;

	f->n = lp->k;
	for (c = 0; c < lp->k; c++)
		for (j = 0; j < lp->k; j++)
			f->a[c][j] = lp->cut[c].g[lp->between[j]];
	return factor_do(f);
}

/* Currents of those in between from the equations. False: they contradict each other. */
static bool place_between(struct alloc_lp *lp, struct factor *f)
{
	int64_t b[ALLOC_LP_MAX_CUTS], x[ALLOC_LP_MAX_CUTS];
	uint32_t j;

	if (!load_factor(lp, f))
		return false;
	for (j = 0; j < lp->k; j++)
		b[j] = lp->cut[j].rest >> (Q - SOLVE_BITS);
	factor_solve(f, b, x);
	for (j = 0; j < lp->k; j++) {
		int64_t mA = (x[j] + (1 << (SOLVE_BITS - 1))) >> SOLVE_BITS;

		if (factor_size(mA) > INT32_MAX)
			return false;
		alloc_lp_set(lp, lp->between[j], mA);
	}
	return true;
}

/* --- one round ------------------------------------------------------------------------------------------ */

/* What has to come down: a row, or a variable that is beyond a bound. */
struct excess {
	bool is_row;
	uint32_t row;
	uint32_t pos; /* of the variable, in between[] */
	bool is_below;
	int64_t amount; /* mA Q20 */
};

static void sift(struct alloc_lp_break *h, uint32_t n, uint32_t i)
{
	struct alloc_lp_break e = h[i];

	for (;;) {
		uint32_t c = 2 * i + 1;

		if (c >= n)
			break;
		if (c + 1 < n && (h[c + 1].t < h[c].t || (h[c + 1].t == h[c].t && h[c + 1].who > h[c].who)))
			c++;
		if (!(h[c].t < e.t || (h[c].t == e.t && h[c].who > e.who)))
			break;
		h[i] = h[c];
		i = c;
	}
	h[i] = e;
}

/* Effect of each variable on the excess, and the price at which each would give way. */
static uint32_t find_breaks(struct alloc_lp *lp, const int64_t *parts, const int32_t *g)
{
	uint32_t i, c, n = 0;

	for (i = 0; i < lp->n; i++)
		lp->effect[i] = g ? g[i] : 0;
	for (c = 0; c < lp->k; c++) {
		const int32_t *gc = lp->cut[c].g;
		int64_t p = clamp(parts[c], MAX_EFFECT);

		if (p != 0)
			for (i = 0; i < lp->n; i++)
				lp->effect[i] -= (p * gc[i]) >> Q;
	}
	for (i = 0; i < lp->n; i++) {
		const struct alloc_lp_var *v = &lp->var[i];
		int64_t a = lp->effect[i];

		if (v->at == ALLOC_LP_BETWEEN || v->low_mA == v->high_mA)
			continue;
		if (v->at == ALLOC_LP_HIGH ? a < MIN_EFFECT : a > -MIN_EFFECT)
			continue;
		/* A gain on the wrong side is a rounding error: gives way at once. */
		lp->heap[n].t = (v->at == ALLOC_LP_HIGH) == (v->gain >= 0) ? v->gain * ONE / a : 0;
		lp->heap[n++].who = i;
	}
	for (c = 0; c < lp->k; c++) {
		if (parts[c] < MIN_EFFECT)
			continue;
		lp->heap[n].t = lp->cut[c].price > 0 ? lp->cut[c].price * ONE / parts[c] : 0;
		lp->heap[n++].who = lp->n + c;
	}
	for (i = n / 2; i-- > 0;)
		sift(lp->heap, n, i);
	return n;
}

static void flip(struct alloc_lp *lp, uint32_t v)
{
	struct alloc_lp_var *var = &lp->var[v];
	int32_t from = bound_of(var);

	var->at = var->at == ALLOC_LP_HIGH ? ALLOC_LP_LOW : ALLOC_LP_HIGH;
	take_part(lp, v, bound_of(var) - from);
	alloc_lp_set(lp, v, bound_of(var));
}

/*
 * Raises the price of the excess until it is gone: who gives way first goes to his other bound. Returns who
 * stays.
 */
static uint32_t pass_breaks(struct alloc_lp *lp, uint32_t n, int64_t amount, int64_t *t)
{
	while (n > 0) {
		struct alloc_lp_break b = lp->heap[0];
		const struct alloc_lp_var *v;

		lp->heap[0] = lp->heap[--n];
		sift(lp->heap, n, 0);
		*t = b.t;
		if (b.who >= lp->n)
			return b.who;
		v = &lp->var[b.who];
		amount -= factor_size(lp->effect[b.who]) * (v->high_mA - v->low_mA);
		if (amount <= 0)
			return b.who;
		flip(lp, b.who);
	}
	return NOBODY;
}

static void move_prices(struct alloc_lp *lp, const int64_t *parts, int64_t t)
{
	uint32_t i, c;

	t = clamp(t, MAX_PRICE);
	for (i = 0; i < lp->n; i++)
		lp->var[i].gain = clamp(lp->var[i].gain - price_of(t, lp->effect[i]), MAX_PRICE);
	for (c = 0; c < lp->k; c++)
		lp->cut[c].price = clamp(lp->cut[c].price - price_of(t, parts[c]), MAX_PRICE);
}

/* The variable leaves its bound. */
static void enter(struct alloc_lp *lp, uint32_t v, uint32_t pos)
{
	struct alloc_lp_var *var = &lp->var[v];

	take_part(lp, v, -(int64_t)bound_of(var));
	var->at = ALLOC_LP_BETWEEN;
	var->gain = 0;
	lp->between[pos] = v;
}

/* The variable at pos stays at the bound that it was beyond. */
static void leave(struct alloc_lp *lp, const struct excess *e, int64_t t)
{
	uint32_t v = lp->between[e->pos];
	struct alloc_lp_var *var = &lp->var[v];

	var->at = e->is_below ? ALLOC_LP_LOW : ALLOC_LP_HIGH;
	var->gain = e->is_below ? -t : t;
	take_part(lp, v, bound_of(var));
	alloc_lp_set(lp, v, bound_of(var));
}

static void drop_cut(struct alloc_lp *lp, uint32_t c)
{
	struct alloc_lp_cut gone = lp->cut[c];

	lp->k--;
	lp->cut[c] = lp->cut[lp->k];
	lp->cut[lp->k] = gone; /* its memory serves the next one */
}

/*
 * What came down to its bound: a row that is an equation now, in place of another or with the variable that
 * balances it.
 */
static void settle_row(struct alloc_lp *lp, uint32_t who, int64_t t)
{
	lp->cut[lp->k].price = t;
	if (who >= lp->n) {
		struct alloc_lp_cut old = lp->cut[who - lp->n];

		lp->cut[who - lp->n] = lp->cut[lp->k];
		lp->cut[lp->k] = old;
	} else {
		enter(lp, who, lp->k);
		lp->k++;
	}
}

/* ... or a variable, in whose place another balances the equations, or one equation less is left. */
static void settle_variable(struct alloc_lp *lp, const struct excess *e, uint32_t who, int64_t t)
{
	leave(lp, e, t);
	if (who >= lp->n) {
		drop_cut(lp, who - lp->n);
		lp->between[e->pos] = lp->between[lp->k];
	} else {
		enter(lp, who, e->pos);
	}
}

/* False: nobody can give way. */
static bool bring_down(struct alloc_lp *lp, const struct factor *f, const struct excess *e)
{
	int64_t unit[ALLOC_LP_MAX_CUTS] = {0}, parts[ALLOC_LP_MAX_CUTS] = {0}, amount = e->amount, t = 0;
	const int32_t *g = NULL;
	uint32_t j, n, who;

	if (e->is_row) {
		struct alloc_lp_cut *cut = &lp->cut[lp->k];

		amount = make_cut(lp, e->row);
		g = cut->g;
		/*
		 * amount = taken by all - limit, so what those in between may take is what they do take -
		 * amount.
		 */
		cut->rest = -amount;
		for (j = 0; j < lp->k; j++) {
			unit[j] = g[lp->between[j]];
			cut->rest += unit[j] * lp->var[lp->between[j]].x_mA;
		}
		lp->n_cuts = lp->k + 1;
	} else {
		unit[e->pos] = e->is_below ? -ONE : ONE;
	}
	factor_solve_transposed(f, unit, parts);
	n = find_breaks(lp, parts, g);
	who = pass_breaks(lp, n, amount, &t);
	if (who != NOBODY) {
		move_prices(lp, parts, t);
		if (e->is_row)
			settle_row(lp, who, t);
		else
			settle_variable(lp, e, who, t);
	}
	lp->n_cuts = lp->k;
	return who != NOBODY;
}

/* --- the whole ------------------------------------------------------------------------------------------ */

static bool find_excess(const struct alloc_lp *lp, struct excess *e)
{
	int64_t most = SLACK_mA;
	uint32_t i;

	*e = (struct excess){0};
	for (i = 0; i < lp->k; i++) {
		const struct alloc_lp_var *v = &lp->var[lp->between[i]];
		int64_t below = (int64_t)v->low_mA - v->x_mA, above = (int64_t)v->x_mA - v->high_mA;

		if (below > most || above > most) {
			e->is_below = below > above;
			most = e->is_below ? below : above;
			e->pos = i;
			e->amount = most * ONE;
		}
	}
	if (e->amount > 0)
		return true;
	most = 0;
	for (i = lp->first_row; i < lp->first_row + lp->n_rows; i++) {
		int64_t over = alloc_lp_excess(lp, i);

		if (over > most) {
			most = over;
			e->is_row = true;
			e->row = i;
		}
	}
	return e->is_row;
}

/* Of those left between nothing and their minimum the first gets his minimum. False: there is none. */
static bool raise_to_minimum(struct alloc_lp *lp)
{
	uint32_t i, first = NOBODY;

	for (i = 0; i < lp->k; i++) {
		const struct alloc_lp_var *v = &lp->var[lp->between[i]];

		if (v->x_mA < v->min_mA && v->low_mA < v->min_mA && lp->between[i] < first)
			first = lp->between[i];
	}
	if (first == NOBODY)
		return false;
	lp->var[first].low_mA = lp->var[first].min_mA;
	lp->var[first].is_raised = true;
	return true;
}

/* Not all who were raised fit: the last of them in the order gets nothing, for good. False: nobody was. */
static bool lower_again(struct alloc_lp *lp)
{
	struct alloc_lp_var *v;
	uint32_t i = lp->n;

	while (i > 0 && !lp->var[i - 1].is_raised)
		i--;
	if (i-- == 0)
		return false;
	v = &lp->var[i];
	v->is_raised = false;
	v->low_mA = v->min_mA = v->high_mA = 0;
	if (v->at != ALLOC_LP_BETWEEN) {
		take_part(lp, i, -(int64_t)v->x_mA);
		alloc_lp_set(lp, i, 0);
	}
	return true;
}

bool alloc_lp_solve(struct alloc_lp *lp)
{
	struct factor f;
	struct excess e;
	uint32_t i;

	lp->k = lp->n_cuts = 0;
	for (i = 0; i <= lp->max_cuts; i++)
		lp->cut[i].g = lp->g + (size_t)i * lp->n;
	for (i = 0; i < lp->n; i++)
		lp->var[i].at = ALLOC_LP_HIGH;
	for (lp->n_rounds = 0; lp->n_rounds < MAX_ROUNDS; lp->n_rounds++) {
		if (!place_between(lp, &f))
			return false;
		if (!find_excess(lp, &e)) {
			if (!raise_to_minimum(lp))
				return true;
			continue;
		}
		if (e.is_row && lp->k == lp->max_cuts)
			return false;
		if (!bring_down(lp, &f, &e) && !lower_again(lp))
			return false;
	}
	return false;
}
