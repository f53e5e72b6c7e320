/* SPDX-License-Identifier: MIT */
/* Sites for the allocator's tests. */
#include "tests/lib/alloc_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "site-ctrl/policies/policies.h"

#define HOUR_US	  INT64_C(3600000000)
#define NOW_US	  (100 * HOUR_US)
#define SQRT3_Q16 113512
#define MAX_DEPTH 6

uint64_t rig_random(struct alloc_rig *g)
{
	/* splitmix64 */
	uint64_t z = g->random += 0x9E3779B97F4A7C15u;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

uint32_t rig_below(struct alloc_rig *g, uint32_t n)
{
	return (uint32_t)((rig_random(g) >> 32) * n >> 32);
}

static void *get(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p) {
		perror("alloc_rig");
		abort();
	}
	return p;
}

/* --- building ---------------------------------------------------------------------------------------------- */

void rig_begin(struct alloc_rig *g, uint32_t n_points, uint32_t max_rows, uint32_t max_members)
{
	uint64_t random = g->random;

	memset(g, 0, sizeof(*g));
	g->random = random;
	g->max_rows = max_rows;
	g->max_members = max_members;
	g->max_dirs = max_rows * 3 + 64;
	g->row = get(max_rows, sizeof(*g->row));
	g->dir = get(g->max_dirs, sizeof(*g->dir));
	g->member = get(max_members, sizeof(*g->member));
	g->first_of = get(n_points + 1, sizeof(*g->first_of));
	g->of_point = get(max_members, sizeof(*g->of_point));
	g->point = get(n_points, sizeof(*g->point));
	g->grant = get(n_points, sizeof(*g->grant));
	g->limit_mA = get(max_rows, sizeof(*g->limit_mA));
	g->export_limit_mA = get(max_rows, sizeof(*g->export_limit_mA));
	g->is_fed = get(max_rows, sizeof(*g->is_fed));
	g->site = (struct alloc_site){.size = sizeof(g->site), .version = 1, .n_points = n_points};
	for (uint32_t i = 0; i < n_points; i++) {
		g->point[i] = (struct alloc_point){.id = i,
						   .weight_permille = 1000,
						   .step_mA = 1,
						   .mW_per_mA = 230,
						   .changed_us = ALLOC_UNKNOWN,
						   .departure_us = ALLOC_UNKNOWN,
						   .energy_mWh = ALLOC_UNKNOWN};
	}
}

uint32_t rig_add_row(struct alloc_rig *g, int32_t limit_mA, const struct alloc_dir *dir, uint32_t n_dirs)
{
	const struct alloc_dir plain = {ALLOC_Q30, 0};
	uint32_t r = g->site.n_rows++, first = r ? g->row[r - 1].first_dir + g->row[r - 1].n_dirs : 0;

	if (!dir) {
		dir = &plain;
		n_dirs = 1;
	}
	if (r >= g->max_rows || first + n_dirs > g->max_dirs)
		abort();
	g->row[r] = (struct alloc_row){.first_dir = first, .n_dirs = n_dirs, .node = r};
	memcpy(&g->dir[first], dir, n_dirs * sizeof(*dir));
	g->limit_mA[r] = limit_mA;
	return r;
}

void rig_add_member(struct alloc_rig *g, uint32_t row, uint32_t point, int32_t coef_q16, uint32_t dir)
{
	if (g->site.n_members >= g->max_members)
		abort();
	g->member[g->site.n_members++] =
		(struct alloc_member){.point = point, .row = row, .coef_q16 = coef_q16, .dir = dir};
}

static int by_row(const void *a, const void *b)
{
	const struct alloc_member *x = a, *y = b;

	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	return x->point < y->point ? -1 : x->point > y->point;
}

static void index_members(struct alloc_rig *g)
{
	struct alloc_site *s = &g->site;
	uint32_t *next = get(s->n_points + 1, sizeof(*next));

	qsort(g->member, s->n_members, sizeof(*g->member), by_row);
	for (uint32_t m = s->n_members; m-- > 0;) {
		g->row[g->member[m].row].first_member = m;
		g->row[g->member[m].row].n_members++;
		g->first_of[g->member[m].point + 1]++;
	}
	for (uint32_t i = 0; i < s->n_points; i++)
		g->first_of[i + 1] += g->first_of[i];
	memcpy(next, g->first_of, s->n_points * sizeof(*next));
	for (uint32_t m = 0; m < s->n_members; m++)
		g->of_point[next[g->member[m].point]++] = m;
	free(next);
}

void rig_end(struct alloc_rig *g)
{
	struct alloc_site *s = &g->site;

	index_members(g);
	s->row = g->row;
	s->dir = g->dir;
	s->member = g->member;
	s->first_of = g->first_of;
	s->of_point = g->of_point;
	g->block = get(alloc_run_size(s), 1);
	alloc_run_init(&g->run, s, g->block);
	for (unsigned i = 0; alloc_policies[i]; i++) {
		const struct alloc_policy_ops *ops = alloc_policies[i]->ops;
		size_t size = ops->arena_size ? (size_t)ops->arena_size(NULL, s) : 0;

		g->arena_size = size > g->arena_size ? size : g->arena_size;
	}
	g->arena = get(g->arena_size, 1);
	g->call = (struct alloc_call){.size = sizeof(g->call),
				      .n_points = s->n_points,
				      .now_us = NOW_US,
				      .site = s,
				      .limit_mA = g->limit_mA,
				      .point = g->point,
				      .point_stride = sizeof(*g->point),
				      .outlook_stride = sizeof(struct alloc_outlook),
				      .grant_stride = sizeof(*g->grant),
				      .grant = g->grant,
				      .arena = g->arena};
}

void rig_free(struct alloc_rig *g)
{
	free(g->row);
	free(g->dir);
	free(g->member);
	free(g->first_of);
	free(g->of_point);
	free(g->point);
	free(g->grant);
	free(g->limit_mA);
	free(g->export_limit_mA);
	free(g->is_fed);
	free(g->block);
	free(g->arena);
	memset(g, 0, sizeof(*g));
}

/* --- at random --------------------------------------------------------------------------------------------- */

static uint32_t kind_of(struct alloc_rig *g, enum rig_kind kind)
{
	switch (kind) {
	case RIG_SINGLE:
		return 1;
	case RIG_THREE:
		return 3;
	case RIG_LINES:
		return 1 + rig_below(g, 3); /* 2: between lines */
	case RIG_MIXED:
	case RIG_PHASOR:
	case RIG_N_KINDS:
		break;
	}
	return rig_below(g, 2) ? 3 : 1;
}

/* Member of the three rows of a board: on one phase, on three, or between two lines, 30 degrees to either side. */
static void connect(struct alloc_rig *g, uint32_t first_row, uint32_t point, uint32_t kind, uint32_t phase)
{
	for (uint32_t p = 0; p < 3; p++) {
		if (kind == 3 || (kind == 1 && p == phase))
			rig_add_member(g, first_row + p, point, ALLOC_Q16, 0);
		else if (kind == 2 && p == phase)
			rig_add_member(g, first_row + p, point, ALLOC_Q16, 1);
		else if (kind == 2 && p == (phase + 1) % 3)
			rig_add_member(g, first_row + p, point, ALLOC_Q16, 2);
	}
}

static const struct alloc_dir line_dir[3] = {
	{ALLOC_Q30, 0}, {929887697, 536870912}, {929887697, -536870912}}; /* 0, 30 and -30 degrees */

/* Rows of all boards, the leaves first. Board b of a level has `fan` children; level 0 holds the points. */
static void make_tree(struct alloc_rig *g, const struct rig_conf *c, uint32_t depth, uint32_t fan)
{
	uint32_t n_dirs = c->kind == RIG_LINES ? 3 : 1, per[MAX_DEPTH] = {fan}, first[MAX_DEPTH];

	for (uint32_t d = 0; d < depth; d++) {
		uint32_t n_boards;

		per[d] = d == 0 ? fan : per[d - 1] * fan;
		if (d == depth - 1)
			per[d] = c->n_points;
		n_boards = (c->n_points + per[d] - 1) / per[d];
		first[d] = g->site.n_rows;
		for (uint32_t r = 0; r < 3 * n_boards; r++)
			g->row[rig_add_row(g, 0, line_dir, n_dirs)].phase = r % 3 + 1;
		for (uint32_t b = 0; c->has_power && b < n_boards; b++)
			rig_add_row(g, 0, NULL, 1);
	}
	for (uint32_t i = 0; i < c->n_points; i++) {
		uint32_t kind = kind_of(g, c->kind), phase = rig_below(g, 3);

		g->point[i].reserved = (int32_t)kind;
		g->point[i].mW_per_mA = kind == 3 ? 690 : kind == 2 ? 400 : 230;
		for (uint32_t d = 0; d < depth; d++) {
			uint32_t b = i / per[d], n_boards = (c->n_points + per[d] - 1) / per[d];

			connect(g, first[d] + 3 * b, i, kind, phase);
			if (c->has_power)
				rig_add_member(g, first[d] + 3 * n_boards + b, i,
					       kind == 3   ? 3 * ALLOC_Q16
					       : kind == 2 ? SQRT3_Q16
							   : ALLOC_Q16,
					       0);
		}
	}
}

/* A unit vector; the tangent half-angle keeps its length right to the last bits. */
static struct alloc_dir random_dir(struct alloc_rig *g)
{
	double t = (double)rig_below(g, 2001) / 1000.0 - 1.0, x = (1 - t * t) / (1 + t * t),
	       y = 2 * t / (1 + t * t);
	struct alloc_dir d = {(int32_t)(x * ALLOC_Q30), (int32_t)(y * ALLOC_Q30)};

	if (rig_below(g, 2)) {
		d.cos_q30 = -d.cos_q30;
		d.sin_q30 = -d.sin_q30;
	}
	return d;
}

static void add_free_rows(struct alloc_rig *g, uint32_t n)
{
	for (uint32_t k = 0; k < n; k++) {
		struct alloc_dir dir[6];
		uint32_t n_dirs = 2 + rig_below(g, 5), r;

		for (uint32_t d = 0; d < n_dirs; d++)
			dir[d] = random_dir(g);
		r = rig_add_row(g, 0, dir, n_dirs);
		for (uint32_t i = 0; i < g->site.n_points; i++)
			if (rig_below(g, 3))
				rig_add_member(g, r, i, (int32_t)(1 + rig_below(g, 3 * ALLOC_Q16)),
					       rig_below(g, n_dirs));
	}
}

static void shake_point(struct alloc_rig *g, const struct rig_conf *c, struct alloc_point *p)
{
	static const int32_t max_mA[] = {10000, 13000, 16000, 16000, 20000, 32000, 32000, 63000};
	static const int32_t step_mA[] = {1, 1, 100, 250, 500, 1000};
	uint32_t pick = rig_below(g, 1000);

	p->state = pick < c->idle_permille ? (pick % 4 ? ALLOC_IDLE : ALLOC_GONE)
					   : (rig_below(g, 2) ? ALLOC_WAITING : ALLOC_CHARGING);
	p->class = rig_below(g, 4) ? 0 : (int32_t)rig_below(g, 3) - 1;
	p->weight_permille = c->has_weights ? 1 + (int32_t)rig_below(g, 4000) : 1000;
	p->max_mA = max_mA[rig_below(g, 8)];
	p->min_mA = c->has_minimum ? (rig_below(g, 8) ? 6000 : 1 + (int32_t)rig_below(g, 9999)) : 0;
	p->step_mA = c->step_mA ? c->step_mA : step_mA[rig_below(g, 6)];
	if (p->min_mA > p->max_mA)
		p->min_mA = p->max_mA;
	p->since_us = NOW_US - (int64_t)rig_below(g, 8 * 3600) * FC_US_PER_S;
	p->changed_us = rig_below(g, 4) ? p->since_us + (NOW_US - p->since_us) / 2 : ALLOC_UNKNOWN;
	p->departure_us = rig_below(g, 4) ? NOW_US + ((int64_t)rig_below(g, 10 * 3600) - 1800) * FC_US_PER_S
					  : ALLOC_UNKNOWN;
	p->energy_mWh = rig_below(g, 4) ? 1 + (int64_t)rig_below(g, 60000000) : ALLOC_UNKNOWN;
}

/* Limits: a share of what all members could draw at once. */
static void shake_limits(struct alloc_rig *g, const struct rig_conf *c)
{
	for (uint32_t r = 0; r < g->site.n_rows; r++) {
		const struct alloc_row *row = &g->row[r];
		uint32_t permille = c->load_permille ? c->load_permille : rig_below(g, 1300);
		int64_t sum = 0;

		for (uint32_t m = row->first_member; m < row->first_member + row->n_members; m++)
			sum += (int64_t)g->point[g->member[m].point].max_mA * g->member[m].coef_q16 /
			       ALLOC_Q16;
		g->limit_mA[r] = fc_clamp_i32(sum * permille / 1000, 0, INT32_MAX);
		if (!c->load_permille && rig_below(g, 40) == 0)
			g->limit_mA[r] = 0;
	}
}

void rig_shake(struct alloc_rig *g, const struct rig_conf *c)
{
	for (uint32_t i = 0; i < g->site.n_points; i++)
		shake_point(g, c, &g->point[i]);
	shake_limits(g, c);
}

void rig_make(struct alloc_rig *g, const struct rig_conf *c)
{
	uint32_t depth = 1 + rig_below(g, 3), fan = 2 + rig_below(g, c->n_points < 40 ? 6 : 30);
	uint32_t n_free = c->kind == RIG_PHASOR ? 1 + rig_below(g, 4) : 0;

	if (c->n_points > 40)
		depth = 2 + rig_below(g, 2);
	depth = c->depth ? c->depth : depth;
	fan = c->fan ? c->fan : fan;
	rig_begin(g, c->n_points, (c->n_points + 8) * depth * 4 + n_free, c->n_points * (depth * 4 + n_free));
	make_tree(g, c, depth, fan);
	add_free_rows(g, n_free);
	rig_end(g);
	rig_shake(g, c);
}

/* --- the same in another order ----------------------------------------------------------------------------- */

void rig_reorder(struct alloc_rig *to, const struct alloc_rig *from, const uint32_t *place, uint32_t n_points)
{
	uint32_t n = from->site.n_points;

	rig_begin(to, n_points, from->site.n_rows, from->site.n_members);
	for (uint32_t i = 0; i < n_points; i++)
		to->point[i].id = n + i;
	for (uint32_t i = 0; i < n; i++)
		to->point[place[i]] = from->point[i];
	for (uint32_t r = 0; r < from->site.n_rows; r++)
		rig_add_row(to, from->limit_mA[r], &from->dir[from->row[r].first_dir], from->row[r].n_dirs);
	for (uint32_t m = 0; m < from->site.n_members; m++) {
		const struct alloc_member *x = &from->member[m];

		rig_add_member(to, x->row, place[x->point], x->coef_q16, x->dir);
	}
	rig_end(to);
	to->call.now_us = from->call.now_us;
}

void rig_want(struct alloc_rig *g, uint32_t i, int32_t min_mA, int32_t max_mA)
{
	struct alloc_point *p = &g->point[i];

	p->state = ALLOC_WAITING;
	p->min_mA = min_mA;
	p->max_mA = max_mA;
}

/* --- running ----------------------------------------------------------------------------------------------- */

const struct alloc_policy_ops *rig_policy(const char *name)
{
	for (unsigned i = 0; name && alloc_policies[i]; i++)
		if (strcmp(alloc_policies[i]->name, name) == 0)
			return alloc_policies[i]->ops;
	return NULL;
}

enum alloc_fault rig_run(struct alloc_rig *g, const char *policy)
{
	const struct alloc_policy_ops *ops = rig_policy(policy);

	if (policy && !ops) {
		fprintf(stderr, "alloc_rig: no policy %s\n", policy);
		abort();
	}
	memset(g->arena, 0, g->arena_size);
	return alloc_run_cycle(&g->run, ops, NULL, &g->call);
}

int32_t rig_mA(const struct alloc_rig *g, uint32_t i)
{
	return g->grant[i].mA;
}
