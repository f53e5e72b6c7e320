/* SPDX-License-Identifier: MIT */
/*
 * Rows while the level rises: how much is left, how fast it goes, when it will be gone, and which row is first.
 * Pure.
 *
 * What is left is always rounded down and slopes up, so that a row is never believed to have more than it has.
 */
#include "site-ctrl/alloc_kit_level.h"

#define SLOPE_WIDE (INT64_C(1) << 50)
#define SUM_MAX	   (INT64_C(1) << 58)
#define WORD	   30 /* bits of vectors that are squared */

/* Slope of a member, rounded up. */
static int64_t slope_of(const struct kit_member *m, int32_t weight)
{
	return ((int64_t)m->coef_q16 * weight + (1 << LEVEL_SLOPE_BITS) - 1) >> LEVEL_SLOPE_BITS;
}

/* slope x dt in 2^-24 mA, rounded up; in sane sites far below SUM_MAX. */
static int64_t risen_q24(int64_t slope, int64_t dt)
{
	int64_t fine = dt & ((1 << LEVEL_SLOPE_BITS) - 1), coarse = dt >> LEVEL_SLOPE_BITS, risen;

	if (__builtin_mul_overflow(slope, coarse, &risen) || risen > SUM_MAX)
		return SUM_MAX;
	if (slope < SLOPE_WIDE)
		return risen + ((slope * fine + (1 << LEVEL_SLOPE_BITS) - 1) >> LEVEL_SLOPE_BITS);
	return risen + ((slope >> LEVEL_SLOPE_BITS) + 1) * fine;
}

/* How long until that much has risen, rounded down. left < 2^55. */
static int64_t time_for(int64_t left_q24, int64_t slope)
{
	int64_t dt;

	if (left_q24 < SLOPE_WIDE)
		return (left_q24 << LEVEL_SLOPE_BITS) / slope;
	dt = (left_q24 << 7) / slope;
	return dt > LEVEL_MAX_T * 2 >> 5 ? LEVEL_MAX_T * 2 : dt << (LEVEL_SLOPE_BITS - 7);
}

void level_row_begin(struct alloc_kit_state *k)
{
	const struct kit_side *s = &k->side[KIT_IMPORT];
	struct kit_level *l = k->level;

	for (uint32_t r = 0; r < k->n_rows; r++) {
		int64_t left = s->room_q16[r] > 0 ? s->room_q16[r] : 0;

		l->row[r] = (struct level_row){.left_q24 = left << LEVEL_LEFT_BITS,
					       .last = -LEVEL_MAX_T,
					       .key = FC_NEVER,
					       .at = ALLOC_NO_ROW};
	}
	if (k->has_phasors) {
		for (uint32_t r = 0; r < k->n_rows; r++)
			l->n_risen[r] = 0;
		for (uint32_t i = 0; i < k->n_slots; i++) {
			l->sum_q24[i] = s->sum_q16[i] << LEVEL_LEFT_BITS;
			l->slope[i] = 0;
		}
	}
	l->n_heap = l->n_dirty = 0;
}

void level_row_advance(struct alloc_kit_state *k, uint32_t row, int64_t t)
{
	struct kit_level *l = k->level;
	struct level_row *r = &l->row[row];
	uint32_t slot = k->first_slot[row];
	int64_t dt = t - r->last;

	r->last = t;
	if (r->slope == 0 || dt == 0)
		return;
	if (slot == KIT_PLAIN) {
		int64_t left = r->left_q24 - risen_q24(r->slope, dt);

		r->left_q24 = left > 0 ? left : 0;
		return;
	}
	for (uint32_t d = 0; d < k->site->row[row].n_dirs; d++)
		if (l->slope[slot + d])
			l->sum_q24[slot + d] =
				fc_min_i64(l->sum_q24[slot + d] + risen_q24(l->slope[slot + d], dt), SUM_MAX);
}

void level_row_add(struct alloc_kit_state *k, const struct kit_member *m, int64_t t, int32_t weight, int sign)
{
	struct kit_level *l = k->level;
	struct level_row *r = &l->row[m->row];
	int64_t slope = sign * slope_of(m, weight);

	k->n_work++;

	if (r->last != t)
		level_row_advance(k, m->row, t);
	r->slope += slope;
	if (m->slot != KIT_PLAIN) {
		l->slope[m->slot] += slope;
		l->n_risen[m->row] += sign > 0;
	} else if (sign < 0) {
		return; /* full later than its key says: seen when its turn comes */
	}
	if (!r->is_dirty) {
		r->is_dirty = true;
		l->dirty[l->n_dirty++] = m->row;
	}
}

/* --- phasor rows: |V + G tau| = limit ---------------------------------------------------------------------- */

static unsigned bits_of(uint64_t n)
{
	return n ? 64 - (unsigned)__builtin_clzll(n) : 0;
}

struct level_vector {
	int64_t x, y;
};

/* Sum over the directions of amount x 2^-shift; amounts below 2^(shift + 32). */
static struct level_vector vector_of(const struct alloc_kit_state *k, uint32_t row, const int64_t *amount,
				     int shift)
{
	const struct alloc_row *r = &k->site->row[row];
	const struct alloc_dir *u = &k->site->dir[r->first_dir];
	struct level_vector v = {0, 0};

	for (uint32_t d = 0; d < r->n_dirs; d++) {
		int64_t here = shift >= 0 ? amount[d] >> shift : amount[d] << -shift;

		v.x += (here * u[d].cos_q30) >> 15;
		v.y += (here * u[d].sin_q30) >> 15;
	}
	v.x >>= 15;
	v.y >>= 15;
	return v;
}

/* So that neither the sum of all nor what it is compared with has more than WORD bits. */
static int shift_for(const int64_t *amount, uint32_t n, int64_t at_least)
{
	uint64_t all = 0;

	for (uint32_t d = 0; d < n; d++)
		all += (uint64_t)amount[d];
	return (int)bits_of(all | (uint64_t)at_least) - WORD;
}

/* value x 2^exponent, below 2^62 */
static int64_t scale(int64_t value, int exponent)
{
	if (exponent <= 0)
		return exponent < -62 ? 0 : value >> -exponent;
	return bits_of((uint64_t)value) + (unsigned)exponent > 62 ? LEVEL_MAX_T * 2 : value << exponent;
}

/* Time until the row is full, rounded down with room for what the rounding of its members may add. */
static int64_t phasor_time(const struct alloc_kit_state *k, uint32_t row)
{
	const struct kit_level *l = k->level;
	uint32_t slot = k->first_slot[row], n_dirs = k->site->row[row].n_dirs;
	int64_t limit = k->side[KIT_IMPORT].limit_q16[row] - (int64_t)l->n_risen[row] * ALLOC_Q16;
	int shift, slope_shift;
	struct level_vector v, g;
	int64_t speed, along, across, way;

	if (limit <= 0)
		return 0;
	limit <<= LEVEL_LEFT_BITS;
	shift = shift_for(&l->sum_q24[slot], n_dirs, limit);
	slope_shift = shift_for(&l->slope[slot], n_dirs, 0);
	v = vector_of(k, row, &l->sum_q24[slot], shift);
	g = vector_of(k, row, &l->slope[slot], slope_shift);
	speed = (int64_t)alloc_isqrt((uint64_t)(g.x * g.x + g.y * g.y));
	if (speed == 0)
		return FC_NEVER;
	along = (v.x * g.x + v.y * g.y) / speed;
	across = (v.x * g.y - v.y * g.x) / speed;
	limit = shift >= 0 ? limit >> shift : limit << -shift;
	if (across >= limit || across <= -limit)
		return 0;
	way = (int64_t)alloc_isqrt((uint64_t)(limit * limit - across * across)) - along - 8;
	if (way <= 0)
		return 0;
	/* way / speed, 31 bits more of it, and back. */
	return scale((way << 31) / (speed + 1), shift + LEVEL_SLOPE_BITS - slope_shift - 31);
}

int64_t level_row_full_at(const struct alloc_kit_state *k, uint32_t row)
{
	const struct level_row *r = &k->level->row[row];
	int64_t dt;

	if (r->slope == 0 || r->is_full)
		return FC_NEVER;
	dt = k->first_slot[row] == KIT_PLAIN ? time_for(r->left_q24, r->slope) : phasor_time(k, row);
	return dt >= FC_NEVER - LEVEL_MAX_T * 2 ? FC_NEVER : r->last + dt;
}

/* --- the heap ---------------------------------------------------------------------------------------------- */

static void place(struct kit_level *l, uint32_t at, uint32_t row)
{
	l->heap[at] = row;
	l->row[row].at = at;
}

static void sift_up(struct kit_level *l, uint32_t at)
{
	uint32_t row = l->heap[at];

	while (at > 0 && l->row[l->heap[(at - 1) / 2]].key > l->row[row].key) {
		place(l, at, l->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	place(l, at, row);
}

static void sift_down(struct kit_level *l, uint32_t at)
{
	uint32_t row = l->heap[at];

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= l->n_heap)
			break;
		if (child + 1 < l->n_heap && l->row[l->heap[child + 1]].key < l->row[l->heap[child]].key)
			child++;
		if (l->row[l->heap[child]].key >= l->row[row].key)
			break;
		place(l, at, l->heap[child]);
		at = child;
	}
	place(l, at, row);
}

void level_row_set_key(struct kit_level *l, uint32_t row, int64_t key)
{
	struct level_row *r = &l->row[row];
	int64_t old = r->key;

	r->key = key;
	if (key == FC_NEVER) {
		uint32_t at = r->at, last;

		if (at == ALLOC_NO_ROW)
			return;
		r->at = ALLOC_NO_ROW;
		last = l->heap[--l->n_heap];
		if (last == row)
			return;
		place(l, at, last);
		sift_up(l, at);
		sift_down(l, l->row[last].at);
	} else if (r->at == ALLOC_NO_ROW) {
		l->heap[l->n_heap] = row;
		r->at = l->n_heap++;
		sift_up(l, r->at);
	} else if (key < old) {
		sift_up(l, r->at);
	} else if (key > old) {
		sift_down(l, r->at);
	}
}

void level_row_settle(struct alloc_kit_state *k)
{
	struct kit_level *l = k->level;

	k->n_work += l->n_dirty;
	for (uint32_t i = 0; i < l->n_dirty; i++) {
		uint32_t row = l->dirty[i];

		l->row[row].is_dirty = false;
		level_row_set_key(l, row, level_row_full_at(k, row));
	}
	l->n_dirty = 0;
}
