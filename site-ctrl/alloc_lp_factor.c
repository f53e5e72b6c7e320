/* SPDX-License-Identifier: MIT */
/* Gauss's elimination in integers; the largest of a column is the pivot, so factors are at most 1. Pure. */
#include "site-ctrl/alloc_lp_factor.h"

#define Q	  FACTOR_Q
#define ONE	  FACTOR_ONE
#define MIN_PIVOT (ONE >> 12)
#define MAX_COEF  (INT64_C(1) << 24)
#define MAX_VALUE (INT64_C(1) << 38) /* of what a coefficient is multiplied with */

static int64_t clamp_to(int64_t v, int64_t most)
{
	return v > most ? most : (v < -most ? -most : v);
}

static int64_t clamp(int64_t v)
{
	return clamp_to(v, MAX_VALUE);
}

static void exchange(struct factor *f, uint32_t i, uint32_t j)
{
	uint32_t c, p = f->perm[i];

	f->perm[i] = f->perm[j];
	f->perm[j] = p;
	for (c = 0; c < f->n; c++) {
		int64_t v = f->a[i][c];

		f->a[i][c] = f->a[j][c];
		f->a[j][c] = v;
	}
}

/* Takes row j out of row i. */
static void reduce(struct factor *f, uint32_t i, uint32_t j)
{
	int64_t m;
	uint32_t c;

	if (f->a[i][j] == 0)
		return;
	m = f->a[i][j] * ONE / f->a[j][j];
	f->a[i][j] = m;
	for (c = j + 1; c < f->n; c++)
		f->a[i][c] = clamp_to(f->a[i][c] - factor_mul(m, f->a[j][c]), MAX_COEF);
}

bool factor_do(struct factor *f)
{
	uint32_t i, j, best;

	for (i = 0; i < f->n; i++)
		f->perm[i] = i;
	for (j = 0; j < f->n; j++) {
		best = j;
		for (i = j + 1; i < f->n; i++)
			if (factor_size(f->a[i][j]) > factor_size(f->a[best][j]))
				best = i;
		if (factor_size(f->a[best][j]) < MIN_PIVOT)
			return false;
		if (best != j)
			exchange(f, j, best);
		for (i = j + 1; i < f->n; i++)
			reduce(f, i, j);
	}
	return true;
}

void factor_solve(const struct factor *f, const int64_t *b, int64_t *x)
{
	uint32_t i, j;
	int64_t v;

	for (i = 0; i < f->n; i++) {
		v = b[f->perm[i]];
		for (j = 0; j < i; j++)
			v -= factor_mul(f->a[i][j], x[j]);
		x[i] = clamp(v);
	}
	for (i = f->n; i-- > 0;) {
		v = x[i];
		for (j = i + 1; j < f->n; j++)
			v -= factor_mul(f->a[i][j], x[j]);
		x[i] = clamp(clamp(v) * ONE / f->a[i][i]);
	}
}

void factor_solve_transposed(const struct factor *f, const int64_t *b, int64_t *x)
{
	int64_t z[FACTOR_MAX], v;
	uint32_t i, j;

	for (i = 0; i < f->n; i++) {
		v = b[i];
		for (j = 0; j < i; j++)
			v -= factor_mul(f->a[j][i], z[j]);
		z[i] = clamp(clamp(v) * ONE / f->a[i][i]);
	}
	for (i = f->n; i-- > 0;) {
		for (j = i + 1; j < f->n; j++)
			z[i] -= factor_mul(f->a[j][i], z[j]);
		z[i] = clamp(z[i]);
	}
	for (i = 0; i < f->n; i++)
		x[f->perm[i]] = z[i];
}
