/* SPDX-License-Identifier: MIT */
/* Sums of the rows, one point at a time. Pure. */
#include "site-ctrl/site_rows.h"

#include <string.h>

/*
 * Vectors of phasor rows are in 1/32768 mA: a direction has 30 bits, of which the lower 15 are added
 * separately.
 */
#define PART 32768

static size_t n_sums(const struct alloc_site *site)
{
	size_t n = 0;
	uint32_t row;

	for (row = 0; row < site->n_rows; row++)
		n += site->row[row].n_dirs;
	return n;
}

/* The 64-bit sums come first in the block. */
size_t site_rows_size(const struct alloc_site *site)
{
	return n_sums(site) * sizeof(int64_t) + ((size_t)site->n_rows + 2) / 2 * 2 * sizeof(uint32_t);
}

void site_rows_init(struct site_rows *r, const struct alloc_site *site, void *block)
{
	uint32_t row, at = 0;

	r->site = site;
	r->sum = block;
	r->first = (uint32_t *)(void *)(r->sum + n_sums(site));
	for (row = 0; row < site->n_rows; row++) {
		r->first[row] = at;
		at += site->row[row].n_dirs;
	}
	r->first[site->n_rows] = at;
	site_rows_clear(r);
}

void site_rows_clear(struct site_rows *r)
{
	memset(r->sum, 0, r->first[r->site->n_rows] * sizeof(r->sum[0]));
}

void site_rows_add(struct site_rows *r, uint32_t i, int32_t delta_mA)
{
	const struct alloc_site *site = r->site;
	uint32_t k;

	if (delta_mA == 0)
		return;
	for (k = site->first_of[i]; k < site->first_of[i + 1]; k++) {
		const struct alloc_member *m = &site->member[site->of_point[k]];

		r->sum[r->first[m->row] + m->dir] += (int64_t)delta_mA * m->coef_q16;
	}
}

static int64_t absolute(int64_t a)
{
	return a < 0 ? -a : a;
}

/*
 * Sum of the row as a vector in PARTs, each component rounded away from zero; `extra` is added in direction
 * dir. False when there is nothing.
 */
static bool vector(const struct site_rows *r, uint32_t row, uint32_t dir, int64_t extra, int64_t *x,
		   int64_t *y)
{
	const struct alloc_row *shape = &r->site->row[row];
	const struct alloc_dir *dirs = r->site->dir + shape->first_dir;
	int64_t high[2] = {0, 0}, low[2] = {0, 0}, any = 0;
	uint32_t d, k;

	for (d = 0; d < shape->n_dirs; d++) {
		int64_t sum = r->sum[r->first[row] + d] + (d == dir ? extra : 0);
		int64_t whole = sum / ALLOC_Q16, part = sum % ALLOC_Q16;
		int32_t axis[2] = {dirs[d].cos_q30, dirs[d].sin_q30};

		any |= sum;
		for (k = 0; k < 2; k++) {
			high[k] += whole * (axis[k] / PART);
			low[k] += whole * (axis[k] % PART) + part * axis[k] / ALLOC_Q16;
		}
	}
	/* The divisions cut off less than one PART for each direction. */
	*x = absolute(high[0] + low[0] / PART) + shape->n_dirs + 1;
	*y = absolute(high[1] + low[1] / PART) + shape->n_dirs + 1;
	return any != 0;
}

static uint64_t root_up(uint64_t n)
{
	uint64_t root = 0, bit = UINT64_C(1) << 31;

	for (; bit; bit >>= 1)
		if ((root + bit) * (root + bit) <= n)
			root += bit;
	return root * root == n ? root : root + 1;
}

/* Both components under 2^31 at this scale, so that their squares fit. */
static unsigned scale_of(int64_t x, int64_t y)
{
	int64_t larger = x > y ? x : y;
	unsigned shift = 0;

	for (; larger >> shift >= INT64_C(1) << 31; shift++)
		;
	return shift;
}

static int64_t sum_up(int64_t sum)
{
	return (sum + ALLOC_Q16 - 1) / ALLOC_Q16;
}

static int64_t load_mA(const struct site_rows *r, uint32_t row, uint32_t dir, int64_t extra)
{
	int64_t x, y;
	uint64_t a, b, root;
	unsigned shift;

	if (r->site->row[row].n_dirs == 1)
		return sum_up(r->sum[r->first[row]] + extra);
	if (!vector(r, row, dir, extra, &x, &y))
		return 0;
	shift = scale_of(x, y);
	a = (uint64_t)(x >> shift) + (shift > 0);
	b = (uint64_t)(y >> shift) + (shift > 0);
	root = root_up(a * a + b * b) << shift;
	/* One more than the magnitude rounded up: the other way of computing it may round differently. */
	return (int64_t)((root + PART - 1) / PART) + 1;
}

int64_t site_rows_mA(const struct site_rows *r, uint32_t row)
{
	return load_mA(r, row, 0, 0);
}

static int32_t room_of_sum(int64_t limit_mA, int64_t sum, int32_t coef_q16, int32_t want_mA)
{
	int64_t left = limit_mA * ALLOC_Q16 - sum;

	if (left <= 0)
		return 0;
	left /= coef_q16;
	return left < want_mA ? (int32_t)left : want_mA;
}

/* The currents that fit begin at 0 and are one interval: bisection finds its end. */
static int32_t room_of_phasors(const struct site_rows *r, const struct alloc_member *m, int64_t limit_mA,
			       int32_t want_mA)
{
	int32_t low = 0, high = want_mA;

	if (load_mA(r, m->row, m->dir, (int64_t)want_mA * m->coef_q16) <= limit_mA)
		return want_mA;
	if (load_mA(r, m->row, m->dir, 0) > limit_mA)
		return 0;
	while (high - low > 1) {
		int32_t middle = low + (high - low) / 2;

		if (load_mA(r, m->row, m->dir, (int64_t)middle * m->coef_q16) <= limit_mA)
			low = middle;
		else
			high = middle;
	}
	return low;
}

int32_t site_rows_room_mA(const struct site_rows *r, const int32_t *limit_mA, uint32_t i, int32_t want_mA,
			  uint32_t *row)
{
	const struct alloc_site *site = r->site;
	uint32_t k;

	*row = ALLOC_NO_ROW;
	for (k = site->first_of[i]; k < site->first_of[i + 1] && want_mA > 0; k++) {
		const struct alloc_member *m = &site->member[site->of_point[k]];
		int32_t room;

		if (site->row[m->row].n_dirs == 1)
			room = room_of_sum(limit_mA[m->row], r->sum[r->first[m->row]], m->coef_q16, want_mA);
		else
			room = room_of_phasors(r, m, limit_mA[m->row], want_mA);
		if (room < want_mA) {
			want_mA = room;
			*row = m->row;
		}
	}
	return want_mA;
}

bool site_rows_is_within(const struct site_rows *r, const int32_t *limit_mA, uint32_t i, uint32_t *row)
{
	const struct alloc_site *site = r->site;
	uint32_t k;

	*row = ALLOC_NO_ROW;
	for (k = site->first_of[i]; k < site->first_of[i + 1]; k++) {
		const struct alloc_member *m = &site->member[site->of_point[k]];

		if (load_mA(r, m->row, 0, 0) > limit_mA[m->row]) {
			*row = m->row;
			return false;
		}
	}
	return true;
}
