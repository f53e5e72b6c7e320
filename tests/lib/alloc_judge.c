/* SPDX-License-Identifier: MIT */
/* Judges of an allocation. */
#include "tests/lib/alloc_judge.h"

#include <stdarg.h>
#include <stdio.h>

__extension__ typedef __int128 wide;

static bool wrong(struct judge *j, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool wrong(struct judge *j, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(j->text, sizeof(j->text), format, ap);
	va_end(ap);
	return false;
}

static int32_t step_of(const struct alloc_point *p)
{
	return p->step_mA > 1 ? p->step_mA : 1;
}

/* Least and most in whole steps. */
static int64_t low_of(const struct alloc_point *p)
{
	return (p->min_mA + (int64_t)step_of(p) - 1) / step_of(p) * step_of(p);
}

static int64_t high_of(const struct alloc_point *p)
{
	return p->max_mA - p->max_mA % step_of(p);
}

static bool can_be_served(const struct alloc_point *p)
{
	return alloc_wants(p) && high_of(p) > 0 && low_of(p) <= high_of(p);
}

/* What a row carries by a sum of our own: exact for one direction, in long double for more. */
static bool row_holds(const struct alloc_rig *g, uint32_t r, long double *carried_mA)
{
	const struct alloc_row *row = &g->row[r];
	const struct alloc_dir *dir = &g->dir[row->first_dir];
	long double x = 0, y = 0;
	wide sum = 0;

	for (uint32_t m = row->first_member; m < row->first_member + row->n_members; m++) {
		const struct alloc_member *member = &g->member[m];
		wide q16 = (wide)g->grant[member->point].mA * member->coef_q16;

		sum += q16;
		x += (long double)q16 * dir[member->dir].cos_q30 / ALLOC_Q30 / ALLOC_Q16;
		y += (long double)q16 * dir[member->dir].sin_q30 / ALLOC_Q30 / ALLOC_Q16;
	}
	if (row->n_dirs == 1) {
		*carried_mA = (long double)sum / ALLOC_Q16;
		return sum <= (wide)g->limit_mA[r] * ALLOC_Q16;
	}
	*carried_mA = __builtin_sqrtl(x * x + y * y);
	return *carried_mA <= (long double)g->limit_mA[r] * (1 + 1e-15L) + 1e-9L;
}

bool judge_is_safe(struct judge *j)
{
	const struct alloc_rig *g = j->g;
	struct alloc_verdict v;

	for (uint32_t i = 0; i < g->site.n_points; i++) {
		const struct alloc_point *p = &g->point[i];
		int32_t mA = g->grant[i].mA;

		if (mA == 0)
			continue;
		if (!alloc_wants(p) || mA < 0 || mA > p->max_mA || mA < p->min_mA || mA % step_of(p))
			return wrong(j, "point %u: %d mA, state %d, %d to %d in steps of %d", i, mA, p->state,
				     p->min_mA, p->max_mA, p->step_mA);
	}
	for (uint32_t r = 0; r < g->site.n_rows; r++) {
		long double mA;

		if (!row_holds(g, r, &mA))
			return wrong(j, "row %u: %.6Lf mA of %d", r, mA, g->limit_mA[r]);
	}
	if (!alloc_check(&g->call, &v))
		return wrong(j, "alloc_check: %s, point %u, row %u", alloc_fault_name(v.fault), v.point,
			     v.row);
	return true;
}

/* First row of point i that has no room for so much more; ALLOC_NO_ROW: all have. */
static uint32_t row_against(const struct alloc_rig *g, uint32_t i, int32_t more_mA)
{
	uint32_t blocking = ALLOC_NO_ROW;

	g->grant[i].mA += more_mA;
	for (uint32_t k = g->first_of[i]; k < g->first_of[i + 1] && blocking == ALLOC_NO_ROW; k++) {
		uint32_t r = g->member[g->of_point[k]].row;

		if (alloc_row_mA(&g->site, r, &g->grant->mA, sizeof(*g->grant), false) > g->limit_mA[r])
			blocking = r;
	}
	g->grant[i].mA -= more_mA;
	return blocking;
}

bool judge_is_conserving(struct judge *j)
{
	const struct alloc_rig *g = j->g;

	for (uint32_t i = 0; i < g->site.n_points; i++) {
		const struct alloc_point *p = &g->point[i];
		int64_t more = g->grant[i].mA > 0 || low_of(p) == 0 ? step_of(p) : low_of(p);

		if (!can_be_served(p) || g->grant[i].mA + more > high_of(p))
			continue;
		if (row_against(g, i, (int32_t)more) == ALLOC_NO_ROW)
			return wrong(j, "point %u has %d mA and could have %lld more, up to %d", i,
				     g->grant[i].mA, (long long)more, p->max_mA);
	}
	return true;
}

/* Each member may have lost up to a step of a row in rounding, and others taken it elsewhere. */
static int64_t slack_of(const struct alloc_rig *g, uint32_t r)
{
	const struct alloc_row *row = &g->row[r];
	int64_t sum_q16 = 0;

	for (uint32_t m = row->first_member; m < row->first_member + row->n_members; m++)
		sum_q16 += (int64_t)g->member[m].coef_q16 * step_of(&g->point[g->member[m].point]);
	/* Where phasors meet, the kit keeps as much back again for what rounding may turn. */
	return (row->n_dirs > 1 ? 3 : 1) * (sum_q16 / ALLOC_Q16 + 1);
}

/* Is row r full for point i, and has nobody in it who could give more for his weight than i? */
static bool is_bottleneck(const struct alloc_rig *g, uint32_t r, uint32_t i, const int64_t *weight,
			  int32_t tolerance, bool has_classes)
{
	const struct alloc_row *row = &g->row[r];
	wide mine = g->grant[i].mA + (wide)tolerance * step_of(&g->point[i]);

	for (uint32_t m = row->first_member; m < row->first_member + row->n_members; m++) {
		uint32_t o = g->member[m].point;
		const struct alloc_point *p = &g->point[o];
		wide theirs = g->grant[o].mA - (wide)tolerance * step_of(p);

		if (!alloc_wants(p) || theirs <= low_of(p))
			continue;
		if (has_classes && p->class != g->point[i].class) {
			if (p->class < g->point[i].class)
				return false;
			continue;
		}
		if (theirs * weight[i] > mine * weight[o])
			return false;
	}
	return true;
}

bool judge_is_max_min(struct judge *j, const int64_t *weight, int32_t tolerance, bool has_classes)
{
	const struct alloc_rig *g = j->g;

	for (uint32_t i = 0; i < g->site.n_points; i++) {
		const struct alloc_point *p = &g->point[i];
		int32_t step = step_of(p), mA = g->grant[i].mA;
		bool has_bottleneck = false;

		if (!can_be_served(p) || mA == 0 || mA + (int64_t)tolerance * step > high_of(p))
			continue;
		for (uint32_t k = g->first_of[i]; k < g->first_of[i + 1] && !has_bottleneck; k++) {
			const struct alloc_member *m = &g->member[g->of_point[k]];
			bool is_full =
				alloc_row_mA(&g->site, m->row, &g->grant->mA, sizeof(*g->grant), false) +
					slack_of(g, m->row) >
				g->limit_mA[m->row];

			has_bottleneck =
				is_full && is_bottleneck(g, m->row, i, weight, tolerance, has_classes);
		}
		if (!has_bottleneck)
			return wrong(j, "point %u: %d mA at weight %lld has no bottleneck", i, mA,
				     (long long)weight[i]);
	}
	return true;
}

bool judge_is_in_order(struct judge *j, const int64_t *key)
{
	const struct alloc_rig *g = j->g;
	const struct alloc_point *p = g->point;

	for (uint32_t a = 0; a < g->site.n_points; a++) {
		int32_t step = step_of(&p[a]);

		if (!can_be_served(&p[a]) || g->grant[a].mA == 0 || g->grant[a].mA + step > high_of(&p[a]))
			continue;
		for (uint32_t b = 0; b < g->site.n_points; b++) {
			bool is_ahead =
				p[a].class > p[b].class || (p[a].class == p[b].class && key[a] < key[b]);
			bool could;

			if (b == a || !is_ahead || g->grant[b].mA - step < low_of(&p[b]))
				continue;
			g->grant[b].mA -= step;
			could = row_against(g, a, step) == ALLOC_NO_ROW;
			g->grant[b].mA += step;
			if (could)
				return wrong(j, "point %u has %d mA behind %u, who has %d and could use it",
					     b, g->grant[b].mA, a, g->grant[a].mA);
		}
	}
	return true;
}

int64_t judge_total_mA(const struct alloc_rig *g)
{
	int64_t sum = 0;

	for (uint32_t i = 0; i < g->site.n_points; i++)
		sum += g->grant[i].mA;
	return sum;
}
