/* SPDX-License-Identifier: MIT */
/*
 * What rows still have room for, exactly and in constant time for each member. Pure.
 *
 * In a phasor row the largest current of one member is the far root of a quadratic: with V the vector of the row, u
 * the direction, p = V.u and q = V x u, the magnitude is the limit L at a = sqrt(L^2 - q^2) - p. Computed in 31 bits
 * with all errors upwards, then proved, and lowered until the proof holds.
 */
#include "site-ctrl/alloc_kit.h"

#define LIMB_MASK ((INT64_C(1) << KIT_LIMB) - 1)
#define WORD	  31 /* bits of a component whose square still fits */

static unsigned bits_of(uint64_t n)
{
	return n ? 64 - (unsigned)__builtin_clzll(n) : 0;
}

uint64_t alloc_isqrt(uint64_t n)
{
	unsigned half;
	uint64_t x, y;

	if (n < 4)
		return n > 0;
	/* Newton from above falls until it is there: at least the root, and within 6 % of it on normalised n. */
	half = (bits_of(n) - 1) / 2;
	x = (UINT64_C(1) << half) / 2 + (n >> half) / 2 + 1;
	for (;;) {
		y = (x + n / x) / 2;
		if (y >= x)
			return x;
		x = y;
	}
}

/* --- vectors ----------------------------------------------------------------------------------------------- */

static void add_limb(int64_t *hi, int64_t *lo, int64_t q16, int32_t unit_q30)
{
	int64_t low = *lo + (q16 & LIMB_MASK) * unit_q30;

	*hi += (q16 >> KIT_LIMB) * unit_q30 + (low >> KIT_LIMB);
	*lo = low & LIMB_MASK;
}

static void add_vector(struct kit_vector *v, const struct alloc_dir *u, int64_t q16)
{
	add_limb(&v->hi_x, &v->lo_x, q16, u->cos_q30);
	add_limb(&v->hi_y, &v->lo_y, q16, u->sin_q30);
}

/* |value| in 1/65536 mA, rounded up. */
static uint64_t up_q16(int64_t hi, int64_t lo)
{
	return (uint64_t)((hi >= 0 ? hi + (lo > 0) : -hi) + 15) >> 4;
}

/* The rule of alloc_row_mA: both components up to 31 bits, squares compared. */
static bool is_within(const struct kit_vector *v, int64_t limit_q16)
{
	uint64_t x = up_q16(v->hi_x, v->lo_x), y = up_q16(v->hi_y, v->lo_y), limit;
	unsigned bits = bits_of(x | y), shift = bits > WORD ? bits - WORD : 0;
	uint64_t round = (UINT64_C(1) << shift) - 1;

	limit = (uint64_t)limit_q16 >> shift;
	x = (x + round) >> shift;
	y = (y + round) >> shift;
	return limit > UINT32_MAX || x * x + y * y <= limit * limit;
}

void alloc_kit_vector_q16(const struct alloc_kit_state *k, uint32_t row, int64_t *x, int64_t *y)
{
	const struct kit_vector *v = &k->side[KIT_IMPORT].vector[row];

	*x = v->hi_x >> 4;
	*y = v->hi_y >> 4;
}

bool alloc_kit_rows_fit(const struct alloc_kit_state *k)
{
	const struct kit_side *s = &k->side[KIT_IMPORT];

	for (uint32_t r = 0; r < k->n_rows; r++)
		if (k->first_slot[r] == KIT_PLAIN ? s->room_q16[r] < 0
						  : !is_within(&s->vector[r], s->limit_q16[r]))
			return false;
	return true;
}

int64_t alloc_kit_used_q16(const struct alloc_kit_state *k, uint32_t row)
{
	const struct kit_side *s = &k->side[KIT_IMPORT];
	const struct kit_vector *v;
	uint64_t x, y, sum, root;
	unsigned bits, shift;

	if (k->first_slot[row] == KIT_PLAIN)
		return s->limit_q16[row] - s->room_q16[row];
	v = &s->vector[row];
	x = up_q16(v->hi_x, v->lo_x);
	y = up_q16(v->hi_y, v->lo_y);
	bits = bits_of(x | y);
	shift = bits > WORD ? bits - WORD : 0;
	x = (x + (UINT64_C(1) << shift) - 1) >> shift;
	y = (y + (UINT64_C(1) << shift) - 1) >> shift;
	sum = x * x + y * y;
	root = alloc_isqrt(sum);
	return (int64_t)((root + (root * root < sum)) << shift);
}

/* --- one member of a phasor row ---------------------------------------------------------------------------- */

static bool phasor_fits(const struct alloc_kit_state *k, const struct kit_side *s, const struct kit_member *m,
			int64_t delta_mA)
{
	struct kit_vector v = s->vector[m->row];
	int64_t q16 = delta_mA * m->coef_q16;

	if (q16 > KIT_MAX_Q16 - s->sum_q16[m->slot])
		return false;
	add_vector(&v, &k->site->dir[m->dir], q16);
	return is_within(&v, s->limit_q16[m->row]);
}

/* No less than the largest rise, mA; near it but where the member is nearly tangent to the limit. */
static int64_t phasor_guess_mA(const struct alloc_kit_state *k, const struct kit_side *s,
			       const struct kit_member *m)
{
	const struct alloc_dir *u = &k->site->dir[m->dir];
	const struct kit_vector *v = &s->vector[m->row];
	int64_t x = v->hi_x >> 4, y = v->hi_y >> 4, limit = s->limit_q16[m->row], along, across, root;
	unsigned bits = bits_of((uint64_t)limit | (uint64_t)(x < 0 ? -x : x) | (uint64_t)(y < 0 ? -y : y));
	unsigned shift = bits > WORD ? bits - WORD : 0;

	x >>= shift;
	y >>= shift;
	limit = (limit >> shift) + 1;
	along = (x * u->cos_q30 + y * u->sin_q30) >> 30;
	across = (x * u->sin_q30 - y * u->cos_q30) >> 30;
	across = (across < 0 ? -across : across) - 4;
	if (across < 0)
		across = 0;
	root = across >= limit ? 0 : (int64_t)alloc_isqrt((uint64_t)(limit * limit - across * across)) + 1;
	root += 4 - along;
	return root <= 0 ? 0 : (int64_t)(((uint64_t)root << shift) / (uint64_t)m->coef_q16) + 1;
}

/* The largest rise up to most_mA; what is there now is within the limit, so the ones that fit are 0..result. */
static int32_t phasor_room_mA(const struct alloc_kit_state *k, const struct kit_side *s,
			      const struct kit_member *m, int32_t most_mA)
{
	int64_t fits = 0, high = phasor_guess_mA(k, s, m), step = 1;

	if (high > most_mA)
		high = most_mA;
	if (high <= 0 || phasor_fits(k, s, m, high))
		return high <= 0 ? 0 : (int32_t)high;
	/* `high` does not fit; go down from it in growing steps, then halve what is left. */
	while (high > 0) {
		fits = high > step ? high - step : 0;
		if (fits == 0 || phasor_fits(k, s, m, fits))
			break;
		high = fits;
		step *= 2;
	}
	while (high - fits > 1) {
		int64_t middle = fits + (high - fits) / 2;

		if (phasor_fits(k, s, m, middle))
			fits = middle;
		else
			high = middle;
	}
	return (int32_t)fits;
}

/* --- all rows of a point ----------------------------------------------------------------------------------- */

int32_t alloc_kit_side_room_mA(const struct alloc_kit_state *k, const struct kit_side *s, uint32_t i,
			       int32_t limit_mA, uint32_t *row)
{
	const struct kit_member *m = &k->member[k->first_of[i]];
	const struct kit_member *end = &k->member[k->first_of[i + 1]];
	int32_t most = limit_mA;

	*row = ALLOC_NO_ROW;
	for (; m < end && most > 0; m++) {
		int32_t here;

		if (m->slot == KIT_PLAIN) {
			int64_t room = s->room_q16[m->row];

			if ((int64_t)most * m->coef_q16 <= room)
				continue;
			here = m->coef_q16 == ALLOC_Q16 ? (int32_t)(room / ALLOC_Q16)
							: (int32_t)(room / m->coef_q16);
		} else {
			here = phasor_room_mA(k, s, m, most);
		}
		if (here < most) {
			most = here < 0 ? 0 : here;
			*row = m->row;
		}
	}
	return most < 0 ? 0 : most;
}

int32_t alloc_kit_room_mA(const struct alloc_kit_state *k, uint32_t i, int32_t limit_mA, uint32_t *row)
{
	return alloc_kit_side_room_mA(k, &k->side[KIT_IMPORT], i, limit_mA, row);
}

/* Nobody can have more than KIT_MAX_Q16; moves that say so are undone by the same. */
static void move_member(const struct alloc_kit_state *k, struct kit_side *s, const struct kit_member *m,
			int64_t q16)
{
	q16 = q16 > KIT_MAX_Q16 ? KIT_MAX_Q16 : q16 < -KIT_MAX_Q16 ? -KIT_MAX_Q16 : q16;
	if (m->slot == KIT_PLAIN) {
		s->room_q16[m->row] -= q16;
	} else {
		s->sum_q16[m->slot] += q16;
		add_vector(&s->vector[m->row], &k->site->dir[m->dir], q16);
	}
}

void alloc_kit_side_move(struct alloc_kit_state *k, struct kit_side *s, uint32_t i, int32_t delta_mA)
{
	const struct kit_member *m = &k->member[k->first_of[i]];
	const struct kit_member *end = &k->member[k->first_of[i + 1]];

	k->n_work += (uint64_t)(end - m);
	for (; m < end; m++)
		move_member(k, s, m, (int64_t)delta_mA * m->coef_q16);
}

void alloc_kit_move(struct alloc_kit_state *k, uint32_t i, int32_t delta_mA)
{
	alloc_kit_side_move(k, &k->side[KIT_IMPORT], i, delta_mA);
	k->point[i].mA += delta_mA;
}

bool alloc_kit_try(struct alloc_kit_state *k, uint32_t i, int32_t delta_mA, uint32_t *row)
{
	struct kit_side *s = &k->side[KIT_IMPORT];
	const struct kit_member *first = &k->member[k->first_of[i]], *m = first;
	const struct kit_member *end = &k->member[k->first_of[i + 1]];

	for (; m < end; m++) {
		int64_t q16 = (int64_t)delta_mA * m->coef_q16;

		if (m->slot == KIT_PLAIN ? s->room_q16[m->row] < q16 : !phasor_fits(k, s, m, delta_mA))
			break;
		move_member(k, s, m, q16);
	}
	k->n_work += (uint64_t)(m - first) + 1;
	if (m == end) {
		k->point[i].mA += delta_mA;
		return true;
	}
	*row = m->row;
	while (m > first) {
		m--;
		move_member(k, s, m, -(int64_t)delta_mA * m->coef_q16);
	}
	return false;
}
