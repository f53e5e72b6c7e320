/* SPDX-License-Identifier: MIT */
/* Primal simplex on a full tableau; the smallest index of those that may come in or go out, so it ends. */
#include "tests/lib/lp_check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define CORNERS 96
#define TINY	1e-9

struct tableau {
	double *a; /* (n_rows + 1) x n_columns: coefficients, slacks, right side; the last row is the objective */
	uint32_t n_rows, n_columns, n_x;
	uint32_t *basic;
};

static double *at(struct tableau *t, uint32_t row, uint32_t column)
{
	return &t->a[(size_t)row * t->n_columns + column];
}

static void pivot(struct tableau *t, uint32_t row, uint32_t column)
{
	double p = *at(t, row, column);

	for (uint32_t c = 0; c < t->n_columns; c++)
		*at(t, row, c) /= p;
	for (uint32_t r = 0; r <= t->n_rows; r++) {
		double f = *at(t, r, column);

		if (r == row || f == 0)
			continue;
		for (uint32_t c = 0; c < t->n_columns; c++)
			*at(t, r, c) -= f * *at(t, row, c);
	}
	t->basic[row] = column;
}

static double maximise(struct tableau *t)
{
	for (;;) {
		uint32_t column = 0, row = UINT32_MAX, right = t->n_columns - 1;
		double least = 0;

		while (column < right && *at(t, t->n_rows, column) <= TINY)
			column++;
		if (column == right)
			return -*at(t, t->n_rows, right);
		for (uint32_t r = 0; r < t->n_rows; r++) {
			double ratio;

			if (*at(t, r, column) <= TINY)
				continue;
			ratio = *at(t, r, right) / *at(t, r, column);
			if (row == UINT32_MAX || ratio < least - TINY ||
			    (ratio <= least + TINY && t->basic[r] < t->basic[row])) {
				row = r;
				least = ratio;
			}
		}
		if (row == UINT32_MAX)
			abort(); /* every current has a maximum */
		pivot(t, row, column);
	}
}

static void set_row(struct tableau *t, const struct alloc_rig *g, uint32_t r, uint32_t k, uint32_t corner)
{
	const struct alloc_row *row = &g->row[r];
	double angle = 2 * 3.14159265358979323846 * corner / CORNERS;

	for (uint32_t m = row->first_member; m < row->first_member + row->n_members; m++) {
		const struct alloc_member *mb = &g->member[m];
		const struct alloc_dir *d = &g->dir[row->first_dir + mb->dir];
		double along = row->n_dirs == 1
				       ? 1
				       : (cos(angle) * d->cos_q30 + sin(angle) * d->sin_q30) / ALLOC_Q30;

		*at(t, k, mb->point) += along * mb->coef_q16 / ALLOC_Q16;
	}
	*at(t, k, t->n_columns - 1) = g->limit_mA[r] / 1000.0;
}

double lp_check_best(const struct alloc_rig *g, const int64_t *worth)
{
	struct tableau t = {.n_x = g->site.n_points, .n_rows = g->site.n_points};
	uint32_t k = 0, r;
	double best;

	for (r = 0; r < g->site.n_rows; r++)
		t.n_rows += g->row[r].n_dirs == 1 ? 1 : CORNERS;
	t.n_columns = t.n_x + t.n_rows + 1;
	t.a = calloc((size_t)(t.n_rows + 1) * t.n_columns, sizeof(*t.a));
	t.basic = calloc(t.n_rows, sizeof(*t.basic));
	if (!t.a || !t.basic)
		abort();
	for (uint32_t i = 0; i < t.n_x; i++, k++) {
		const struct alloc_point *p = &g->point[i];

		*at(&t, k, i) = 1;
		*at(&t, k, t.n_columns - 1) = alloc_wants(p) ? p->max_mA / 1000.0 : 0;
		*at(&t, t.n_rows, i) = alloc_wants(p) ? (double)worth[i] : 0;
	}
	for (r = 0; r < g->site.n_rows; r++)
		for (uint32_t c = 0; c < (g->row[r].n_dirs == 1 ? 1 : CORNERS); c++)
			set_row(&t, g, r, k++, c);
	for (r = 0; r < t.n_rows; r++) {
		*at(&t, r, t.n_x + r) = 1;
		t.basic[r] = t.n_x + r;
	}
	best = maximise(&t) * 1000;
	free(t.a);
	free(t.basic);
	return best;
}

double lp_check_sum(const struct alloc_rig *g, const int64_t *worth)
{
	double sum = 0;

	for (uint32_t i = 0; i < g->site.n_points; i++)
		sum += (double)worth[i] * g->grant[i].mA;
	return sum;
}
