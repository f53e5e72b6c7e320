/* SPDX-License-Identifier: MIT */
/*
 * Any site, any wants, any limits, any sequence of the kit's calls with any arguments: whatever a policy does with the
 * kit, its answer passes the proof; the built-in policies' answers do; and when an answer is made up, equal share
 * that takes its place does. The first bytes choose the sizes, then come rows, members, points, calls.
 */
#include "tests/lib/alloc_judge.h"

#include <stdlib.h>
#include <string.h>

#include "site-ctrl/policies/policies.h"

#define MAX_POINTS 24
#define MAX_ROWS   12

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

struct reader {
	const uint8_t *p, *end;
};

static uint8_t byte(struct reader *r)
{
	return r->p < r->end ? *r->p++ : 0;
}

/* Mostly numbers of a charging site, at times the borders of the type. */
static int32_t number(struct reader *r)
{
	static const int32_t odd[8] = {0, 1, -1, INT32_MAX, INT32_MIN, INT32_MAX - 1, 65536, 6000};
	uint8_t kind = byte(r);

	if (kind >= 248)
		return odd[kind - 248];
	if (kind >= 240)
		return (int32_t)(byte(r) | (uint32_t)byte(r) << 8 | (uint32_t)byte(r) << 16 |
				 (uint32_t)byte(r) << 24);
	return kind * 250 + (kind & 1 ? byte(r) : 0);
}

static int64_t wide_number(struct reader *r)
{
	int64_t n = number(r);

	switch (byte(r) & 7) {
	case 0:
		return ALLOC_UNKNOWN;
	case 1:
		return INT64_MAX - (n < 0 ? -n : n);
	case 2:
		return n * INT32_MAX;
	default:
		return n;
	}
}

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

/* A twelfth of a circle; the same as an integer near the unit circle. */
static struct alloc_dir direction(uint8_t twelfth)
{
	static const int32_t cosine[12] = {ALLOC_Q30,  929887697,  536870912,  0, -536870912, -929887697,
					   -ALLOC_Q30, -929887697, -536870912, 0, 536870912,  929887697};

	return (struct alloc_dir){cosine[twelfth % 12], cosine[(twelfth + 9) % 12]};
}

static void make_rows(struct alloc_rig *g, struct reader *r, uint32_t n_rows)
{
	for (uint32_t k = 0; k < n_rows; k++) {
		struct alloc_dir dir[ALLOC_MAX_DIR];
		uint8_t kind = byte(r);
		uint32_t n_dirs = kind & 1 ? 1 + (kind >> 1) % ALLOC_MAX_DIR : 1, row;

		for (uint32_t d = 0; d < n_dirs; d++)
			dir[d] = direction(byte(r));
		if (n_dirs == 1)
			dir[0] = direction(0);
		row = rig_add_row(g, number(r), dir, n_dirs);
		g->export_limit_mA[row] = number(r);
		for (uint32_t i = 0; i < g->site.n_points; i++) {
			uint8_t member = byte(r);
			int32_t coef_q16 = member & 2 ? number(r) : ALLOC_Q16;

			if (member & 1)
				rig_add_member(g, row, i, coef_q16 > 0 ? coef_q16 : 1,
					       (member >> 2) % n_dirs);
		}
	}
}

/* What the host has checked holds: 0 <= min <= max. */
static void make_points(struct alloc_rig *g, struct reader *r)
{
	for (uint32_t i = 0; i < g->site.n_points; i++) {
		struct alloc_point *p = &g->point[i];
		uint8_t kind = byte(r);

		p->state = kind & 4 ? kind & 3 : ALLOC_WAITING + (kind & 1);
		p->class = kind & 8 ? number(r) : 0;
		p->weight_permille = kind & 16 ? fc_max_i32(number(r), 1) : 1000;
		p->max_mA = fc_max_i32(number(r), 0);
		p->min_mA = fc_min_i32(fc_max_i32(kind & 32 ? number(r) : 6000, 0), p->max_mA);
		p->step_mA = kind & 64 ? fc_max_i32(number(r), 1) : 1;
		p->max_discharge_mA = kind & 128 ? fc_max_i32(number(r), 0) : 0;
		p->grant_mA = number(r);
		p->mW_per_mA = number(r);
		p->since_us = wide_number(r);
		p->changed_us = wide_number(r);
		p->departure_us = wide_number(r);
		p->energy_mWh = wide_number(r);
		if (p->energy_mWh <= 0)
			p->energy_mWh = ALLOC_UNKNOWN;
	}
}

struct hand {
	struct reader *r;
	bool is_answer_made_up;
};

/* A policy that calls the kit as the input says. */
static int32_t play(void *self, struct alloc_call *call)
{
	struct hand *h = self;
	struct reader *r = h->r;
	const struct alloc_kit *kit = call->kit;
	uint32_t order[MAX_POINTS] = {0};
	int64_t value[MAX_POINTS], other[MAX_POINTS];
	uint32_t n = kit->sort(kit->ctx, NULL, order);

	for (unsigned k = 0; k < 24 && r->p < r->end; k++) {
		uint8_t op = byte(r), i = byte(r);

		for (uint32_t at = 0; at < MAX_POINTS && (op & 0x80); at++) {
			value[at] = wide_number(r);
			other[at] = wide_number(r);
		}
		if (!(op & 0x80))
			for (uint32_t at = 0; at < MAX_POINTS; at++)
				value[at] = other[at] = at + 1;
		switch (op & 15) {
		case 0:
			n = kit->sort(kit->ctx, value, order);
			break;
		case 1:
			kit->admit(kit->ctx, order, op & 16 ? i : n);
			break;
		case 2:
			kit->fill_order(kit->ctx, order, op & 16 ? i : n);
			break;
		case 3:
			kit->fill_level(kit->ctx, op & 16 ? NULL : value, op & 32 ? NULL : other);
			break;
		case 4:
			kit->fill_price(kit->ctx, value);
			break;
		case 5:
			kit->climb(kit->ctx, order, op & 16 ? i : n);
			break;
		case 6:
			require(kit->most(kit->ctx, i) >= kit->get(kit->ctx, i));
			break;
		case 7:
			kit->cap(kit->ctx, i, number(r));
			break;
		case 8:
			order[i % MAX_POINTS] = (uint32_t)number(r);
			break;
		default:
			kit->set(kit->ctx, i % MAX_POINTS, number(r));
			break;
		}
	}
	/* As every policy ends. */
	n = kit->sort(kit->ctx, NULL, order);
	kit->climb(kit->ctx, order, n);
	kit->finish(kit->ctx, call->grant, call->grant_stride);
	for (uint32_t i = 0; i < call->n_points && h->is_answer_made_up; i++)
		alloc_grant_at(call, i)->mA = number(r);
	return 0;
}

/* The judge's sums know no discharge. */
static void require_safe(const struct alloc_rig *g)
{
	struct judge j = {.g = g};
	struct alloc_verdict v;

	require(alloc_check(&g->call, &v));
	for (uint32_t i = 0; i < g->site.n_points; i++)
		if (g->grant[i].mA < 0)
			return;
	for (uint32_t r = 0; r < g->site.n_rows; r++)
		if (g->limit_mA[r] < 0)
			return;
	require(judge_is_safe(&j));
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	const struct alloc_policy_ops player = {.allocate = play};
	struct reader r = {input, input + len};
	uint32_t n_points = 1 + byte(&r) % MAX_POINTS, n_rows = 1 + byte(&r) % MAX_ROWS;
	struct alloc_rig g = {.random = 1};
	struct hand h = {.r = &r};

	rig_begin(&g, n_points, n_rows + 64, n_points * n_rows);
	make_rows(&g, &r, n_rows);
	rig_end(&g);
	make_points(&g, &r);
	if (byte(&r) & 1)
		g.call.export_limit_mA = g.export_limit_mA;
	for (unsigned p = 0; alloc_policies[p]; p++) {
		require(rig_run(&g, alloc_policies[p]->name) == ALLOC_OK);
		require_safe(&g);
	}
	require(alloc_run_cycle(&g.run, &player, &h, &g.call) == ALLOC_OK);
	require_safe(&g);
	h.is_answer_made_up = true;
	alloc_run_cycle(&g.run, &player, &h, &g.call);
	require_safe(&g);
	require(g.run.n_zero == 0);
	rig_free(&g);
	return 0;
}
