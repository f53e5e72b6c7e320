/* SPDX-License-Identifier: MIT */
/*
 * The kit through its table, as a policy sees it, on small sites with answers worked out by hand; and the built-in
 * policies that are nothing but an order or a weight.
 */
#include "tests/lib/alloc_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "site-ctrl/alloc_kit.h"

#define N 4

/* Points 0..3 under a main of 40 A; 0 and 1 on a board of 15 A. Rows: 0 the board, 1 the main. */
static int set_up(void **state)
{
	struct alloc_rig *g = calloc(1, sizeof(*g));

	rig_begin(g, N, 2, 2 * N);
	rig_add_row(g, 15000, NULL, 1);
	rig_add_row(g, 40000, NULL, 1);
	for (uint32_t i = 0; i < N; i++) {
		if (i < 2)
			rig_add_member(g, 0, i, ALLOC_Q16, 0);
		rig_add_member(g, 1, i, ALLOC_Q16, 0);
	}
	rig_end(g);
	for (uint32_t i = 0; i < N; i++)
		rig_want(g, i, 6000, 32000);
	*state = g;
	return 0;
}

static int tear_down(void **state)
{
	rig_free(*state);
	free(*state);
	return 0;
}

static const struct alloc_kit *begin(struct alloc_rig *g)
{
	alloc_run_begin(&g->run, &g->call);
	return g->call.kit;
}

/* sort, admit; then the caller's fill. */
static uint32_t admitted(struct alloc_rig *g, const int64_t *key, uint32_t order[N])
{
	const struct alloc_kit *kit = begin(g);
	uint32_t n = kit->sort(kit->ctx, key, order);

	kit->admit(kit->ctx, order, n);
	return n;
}

static void finish(struct alloc_rig *g)
{
	struct alloc_verdict v;

	g->call.kit->finish(g->call.kit->ctx, g->grant, sizeof(*g->grant));
	assert_true(alloc_check(&g->call, &v));
}

static void assert_grants(struct alloc_rig *g, int32_t a, int32_t b, int32_t c, int32_t d)
{
	finish(g);
	assert_int_equal(rig_mA(g, 0), a);
	assert_int_equal(rig_mA(g, 1), b);
	assert_int_equal(rig_mA(g, 2), c);
	assert_int_equal(rig_mA(g, 3), d);
}

/* --- sort -------------------------------------------------------------------------------------------------- */

static void assert_order(struct alloc_rig *g, const int64_t *key, const char *expected)
{
	const struct alloc_kit *kit = begin(g);
	uint32_t order[N], n = kit->sort(kit->ctx, key, order);
	char text[N + 1] = "";

	for (uint32_t at = 0; at < n; at++)
		text[at] = (char)('0' + order[at]);
	assert_string_equal(text, expected);
}

static void test_kit_sort_goes_by_class_key_and_id(void **state)
{
	struct alloc_rig *g = *state;
	const int64_t key[N] = {5, -7, INT64_MAX, INT64_MIN}, same[N] = {1, 1, 1, 1};

	assert_order(g, key, "3102");
	assert_order(g, NULL, "0123");
	g->point[2].class = 1;
	g->point[3].class = -1;
	assert_order(g, key, "2103");
	g->point[0].id = 900;
	assert_order(g, same, "2103");
	g->point[1].state = ALLOC_IDLE;
	g->point[3].max_mA = g->point[3].min_mA = 0;
	assert_order(g, key, "20");
}

static void test_kit_sort_of_many_is_the_same_as_of_few(void **state)
{
	struct alloc_rig g = {.random = 3};
	const uint32_t n = 3000;
	int64_t *key = calloc(n, sizeof(*key));
	uint32_t *order = calloc(n, sizeof(*order));

	(void)state;
	rig_begin(&g, n, 1, 1);
	rig_add_row(&g, 0, NULL, 1);
	rig_end(&g);
	for (uint32_t i = 0; i < n; i++) {
		rig_want(&g, i, 0, 1000);
		g.point[i].id = (uint32_t)(i * UINT64_C(2654435761));
		g.point[i].class = (int32_t)rig_below(&g, 3) - 1;
		key[i] = (int64_t)rig_random(&g) >> (rig_below(&g, 2) ? 61 : 0);
	}
	alloc_run_begin(&g.run, &g.call);
	assert_int_equal(g.call.kit->sort(g.call.kit->ctx, key, order), n);
	for (uint32_t at = 1; at < n; at++) {
		const struct alloc_point *a = &g.point[order[at - 1]], *b = &g.point[order[at]];
		int64_t x = key[order[at - 1]], y = key[order[at]];

		assert_true(a->class >= b->class);
		assert_true(a->class > b->class || x <= y);
		assert_true(a->class > b->class || x < y || a->id < b->id);
	}
	rig_free(&g);
	free(key);
	free(order);
}

/* --- admission --------------------------------------------------------------------------------------------- */

static void test_kit_admit_gives_minima_in_order_and_names_the_row_that_stopped_the_rest(void **state)
{
	struct alloc_rig *g = *state;
	uint32_t order[N];

	g->limit_mA[0] = 11000; /* for one of 0 and 1 */
	g->limit_mA[1] = 13000; /* for two in all */
	admitted(g, NULL, order);
	assert_grants(g, 6000, 0, 6000, 0);
	assert_int_equal(g->grant[1].reason, ALLOC_REASON_WAITING);
	assert_int_equal(g->grant[1].row, 0);
	assert_int_equal(g->grant[3].reason, ALLOC_REASON_WAITING);
	assert_int_equal(g->grant[3].row, 1);
}

static void test_kit_bounds_are_whole_steps(void **state)
{
	struct alloc_rig *g = *state;
	uint32_t order[N], n;

	g->point[0].min_mA = 6100; /* 6500 in steps */
	g->point[0].max_mA = 7900; /* 7500 */
	g->point[0].step_mA = 500;
	g->point[2].min_mA = 6100; /* nothing between 6100 and 6400 */
	g->point[2].max_mA = 6400;
	g->point[2].step_mA = 500;
	g->point[3].min_mA = INT32_MAX;
	g->point[3].max_mA = INT32_MAX;
	g->point[3].step_mA = 1000;
	n = admitted(g, NULL, order);
	assert_int_equal(n, 4);
	g->call.kit->fill_order(g->call.kit->ctx, order, n);
	assert_grants(g, 7500, 7500, 0, 0);
	assert_int_equal(g->grant[0].reason, ALLOC_REASON_MAXIMUM);
	assert_int_equal(g->grant[1].reason, ALLOC_REASON_ROW);
	assert_int_equal(g->grant[1].row, 0);
}

/* --- fills ------------------------------------------------------------------------------------------------- */

static void test_kit_fill_order_gives_the_most_that_fits(void **state)
{
	struct alloc_rig *g = *state;
	uint32_t order[N], n;
	const int64_t key[N] = {4, 3, 2, 1};

	n = admitted(g, key, order);
	g->call.kit->fill_order(g->call.kit->ctx, order, n);
	assert_grants(g, 6000, 6000, 6000, 22000);
	assert_int_equal(g->grant[2].row, 1);
}

static void test_kit_fill_level_is_max_min(void **state)
{
	struct alloc_rig *g = *state;
	const int64_t one[N] = {1, 1, 1, 1}, weight[N] = {1, 2, 3, 1},
		      big[N] = {INT64_MAX, INT64_MAX, INT64_MAX, 1};
	uint32_t order[N];

	admitted(g, NULL, order);
	g->call.kit->fill_level(g->call.kit->ctx, one, NULL);
	assert_grants(g, 7500, 7500, 12500, 12500); /* the board is full first */
	admitted(g, NULL, order);
	g->call.kit->fill_level(g->call.kit->ctx, weight, NULL);
	/* Board: 6 A and 9 A of 15 A at level 4.5. Main: 25 A for 2 and 3; 18.75 at three to one is over 6 A. */
	assert_grants(g, 6000, 9000, 18750, 6250);
	admitted(g, NULL, order);
	g->call.kit->fill_level(g->call.kit->ctx, big, NULL);
	assert_grants(g, 7500, 7500, 19000, 6000);
	admitted(g, NULL, order);
	g->call.kit->fill_level(g->call.kit->ctx, NULL, NULL); /* all equal */
	assert_grants(g, 7500, 7500, 12500, 12500);
}

static void test_kit_fill_level_stops_at_maxima_and_passes_the_rest_on(void **state)
{
	struct alloc_rig *g = *state;
	uint32_t order[N];

	g->point[0].max_mA = 6500;
	g->point[2].max_mA = 10000;
	admitted(g, NULL, order);
	g->call.kit->fill_level(g->call.kit->ctx, NULL, NULL);
	assert_grants(g, 6500, 8500, 10000, 15000);
	assert_int_equal(g->grant[0].reason, ALLOC_REASON_MAXIMUM);
	assert_int_equal(g->grant[0].row, ALLOC_NO_ROW);
	assert_int_equal(g->grant[1].row, 0);
	assert_int_equal(g->grant[3].row, 1);
}

static void test_kit_fill_level_offsets_rise_later_or_sooner(void **state)
{
	struct alloc_rig *g = *state;
	const int64_t offset[N] = {0, 0, 4000, -4000}, far[N] = {0, 0, INT64_MAX, INT64_MIN};
	uint32_t order[N];

	admitted(g, NULL, order);
	g->call.kit->fill_level(g->call.kit->ctx, NULL, offset);
	assert_grants(g, 7500, 7500, 16500, 8500);
	admitted(g, NULL, order);
	g->call.kit->fill_level(g->call.kit->ctx, NULL, far);
	assert_grants(g, 6000, 6000, 22000, 6000);
}

static void test_kit_fill_level_rises_from_what_is_there(void **state)
{
	struct alloc_rig *g = *state;
	const struct alloc_kit *kit;
	uint32_t order[N];

	admitted(g, NULL, order);
	kit = g->call.kit;
	assert_int_equal(kit->set(kit->ctx, 2, 20000), 20000);
	kit->fill_level(kit->ctx, NULL, NULL);
	assert_grants(g, 6666, 6666, 20000, 6666);
}

static void test_kit_fill_level_shares_thirds_and_climb_gives_the_rest(void **state)
{
	struct alloc_rig *g = *state;
	uint32_t order[N], n;

	g->limit_mA[1] = 31000;
	g->limit_mA[0] = 31000;
	g->point[3].state = ALLOC_IDLE;
	n = admitted(g, NULL, order);
	g->call.kit->fill_level(g->call.kit->ctx, NULL, NULL);
	assert_grants(g, 10333, 10333, 10333, 0);
	g->call.kit->climb(g->call.kit->ctx, order, n);
	assert_grants(g, 10334, 10333, 10333, 0);
}

/* --- climb ------------------------------------------------------------------------------------------------- */

static void test_kit_climb_rounds_down_and_gives_steps_in_turn(void **state)
{
	struct alloc_rig *g = *state;
	uint32_t order[N], n;

	for (uint32_t i = 0; i < N; i++)
		g->point[i].step_mA = 1000;
	n = admitted(g, NULL, order);
	g->call.kit->fill_level(g->call.kit->ctx, NULL, NULL);
	g->call.kit->climb(g->call.kit->ctx, order, n);
	assert_grants(g, 8000, 7000, 13000, 12000);
	/* Only one of them can go on. */
	g->limit_mA[1] = 60000;
	g->point[2].max_mA = 7000;
	n = admitted(g, NULL, order);
	g->call.kit->climb(g->call.kit->ctx, order, n);
	assert_grants(g, 8000, 7000, 7000, 32000);
}

static void test_kit_climb_starts_who_waited_when_rounding_makes_room(void **state)
{
	struct alloc_rig *g = *state;
	uint32_t order[N], n;

	g->limit_mA[0] = 12000;
	admitted(g, NULL, order);
	n = g->call.kit->sort(g->call.kit->ctx, NULL, order);
	g->call.kit->set(g->call.kit->ctx, 1, 0);
	g->call.kit->climb(g->call.kit->ctx, order, n);
	finish(g);
	assert_int_equal(rig_mA(g, 0), 12000); /* it was first in turn */
	assert_int_equal(rig_mA(g, 1), 0);
	g->point[0].max_mA = 6000;
	admitted(g, NULL, order);
	g->call.kit->set(g->call.kit->ctx, 1, 0);
	g->call.kit->climb(g->call.kit->ctx, order, n);
	finish(g);
	assert_int_equal(rig_mA(g, 1), 6000);
}

/* --- by hand ----------------------------------------------------------------------------------------------- */

static void test_kit_set_is_clipped_to_what_fits(void **state)
{
	struct alloc_rig *g = *state;
	const struct alloc_kit *kit = begin(g);

	assert_int_equal(kit->set(kit->ctx, 0, 10000), 10000);
	assert_int_equal(kit->most(kit->ctx, 0), 15000);
	assert_int_equal(kit->most(kit->ctx, 1), 0); /* 5 A are no minimum */
	assert_int_equal(kit->set(kit->ctx, 1, 20000), 0);
	assert_int_equal(kit->set(kit->ctx, 0, 9000), 9000);
	assert_int_equal(kit->set(kit->ctx, 1, 20000), 6000);
	assert_int_equal(kit->set(kit->ctx, 0, 5999), 0);
	assert_int_equal(kit->get(kit->ctx, 1), 6000);
	assert_int_equal(kit->set(kit->ctx, 2, INT32_MAX), 32000);
	assert_int_equal(kit->most(kit->ctx, 3), 0);
	assert_int_equal(kit->set(kit->ctx, 2, INT32_MIN), 0); /* cannot feed back */
	g->point[3].state = ALLOC_IDLE;
	kit = begin(g);
	assert_int_equal(kit->set(kit->ctx, 3, 10000), 0);
	finish(g);
}

static void test_kit_discharge_keeps_to_the_export_rows_and_makes_no_room(void **state)
{
	struct alloc_rig *g = *state;
	const struct alloc_kit *kit;

	g->call.export_limit_mA = g->export_limit_mA;
	g->export_limit_mA[0] = 5000;
	g->export_limit_mA[1] = 9000;
	for (uint32_t i = 0; i < N; i++)
		g->point[i].max_discharge_mA = 8000;
	kit = begin(g);
	assert_int_equal(kit->set(kit->ctx, 0, -3000), -3000);
	assert_int_equal(kit->set(kit->ctx, 1, -3000), -2000);
	assert_int_equal(kit->set(kit->ctx, 2, INT32_MIN), -4000);
	assert_int_equal(kit->set(kit->ctx, 0, -1000), -1000);
	assert_int_equal(kit->set(kit->ctx, 1, -8000), -4000);
	assert_int_equal(kit->most(kit->ctx, 3), 32000);
	assert_int_equal(kit->set(kit->ctx, 3, 32000), 32000);
	assert_int_equal(kit->set(kit->ctx, 1, 10000), 8000); /* the main has 8 A left for who draws */
	finish(g);
	assert_int_equal(g->grant[2].reason, ALLOC_REASON_POLICY);
	assert_int_equal(rig_mA(g, 2), -4000);
	assert_int_equal(kit->set(kit->ctx, 1, -4000), -4000);
	assert_int_equal(kit->set(kit->ctx, 0, 0), 0);
	finish(g);
}

static void test_kit_cap_holds_for_everything_and_can_be_lifted(void **state)
{
	struct alloc_rig *g = *state;
	const struct alloc_kit *kit = begin(g);
	uint32_t order[N], n = kit->sort(kit->ctx, NULL, order);

	kit->cap(kit->ctx, 0, 0);
	kit->cap(kit->ctx, 2, 8000);
	kit->cap(kit->ctx, 3, 40000); /* above its own maximum: no cap */
	kit->admit(kit->ctx, order, n);
	kit->fill_level(kit->ctx, NULL, NULL);
	kit->climb(kit->ctx, order, n);
	assert_grants(g, 0, 15000, 8000, 17000);
	assert_int_equal(g->grant[0].reason, ALLOC_REASON_POLICY);
	assert_int_equal(g->grant[2].reason, ALLOC_REASON_POLICY);
	assert_int_equal(g->grant[3].reason, ALLOC_REASON_ROW);
	kit->cap(kit->ctx, 3, 5000); /* below its minimum, and it has more */
	kit->cap(kit->ctx, 2, INT32_MAX);
	kit->climb(kit->ctx, order, n);
	assert_grants(g, 0, 15000, 25000, 0);
}

static void test_kit_wrong_arguments_change_nothing(void **state)
{
	struct alloc_rig *g = *state;
	const struct alloc_kit *kit = begin(g);
	const uint32_t bad[] = {4, 0, UINT32_MAX, 0, 77, 2};
	const int64_t weight[N] = {0, -5, 1, INT64_MIN};

	assert_int_equal(kit->sort(kit->ctx, NULL, NULL), 0);
	kit->admit(kit->ctx, NULL, 4);
	kit->fill_order(kit->ctx, NULL, 4);
	kit->climb(kit->ctx, NULL, 4);
	kit->fill_price(kit->ctx, NULL);
	kit->finish(kit->ctx, NULL, 16);
	assert_int_equal(kit->most(kit->ctx, 4), 0);
	assert_int_equal(kit->get(kit->ctx, UINT32_MAX), 0);
	assert_int_equal(kit->set(kit->ctx, 4, 1000), 0);
	kit->cap(kit->ctx, 4, 1000);
	kit->admit(kit->ctx, bad, UINT32_MAX); /* looks at four */
	assert_grants(g, 6000, 0, 0, 0);
	kit->admit(kit->ctx, bad + 2, 4);
	kit->fill_level(kit->ctx, weight, NULL);
	assert_grants(g, 6000, 0, 32000, 0);
}

/* --- phasors ----------------------------------------------------------------------------------------------- */

/* 0 and 1 on lines 60 degrees apart in a row of 20 A, 2 against them. */
static struct alloc_rig *phasors(void)
{
	static const struct alloc_dir dir[3] = {
		{ALLOC_Q30, 0}, {ALLOC_Q30 / 2, 929887697}, {-(ALLOC_Q30 / 2), -929887697}};
	struct alloc_rig *g = calloc(1, sizeof(*g));

	rig_begin(g, 3, 1, 3);
	rig_add_row(g, 20000, dir, 3);
	for (uint32_t i = 0; i < 3; i++)
		rig_add_member(g, 0, i, ALLOC_Q16, i);
	rig_end(g);
	for (uint32_t i = 0; i < 3; i++)
		rig_want(g, i, 0, 40000);
	return g;
}

static void test_kit_phasor_room_is_the_far_root(void **state)
{
	struct alloc_rig *g = phasors();
	const struct alloc_kit *kit = begin(g);

	(void)state;
	assert_int_equal(kit->most(kit->ctx, 0), 20000);
	assert_int_equal(kit->set(kit->ctx, 0, 10000), 10000);
	/* |10 + a e^i60| = 20: a = -5 + sqrt(325) */
	assert_int_equal(kit->most(kit->ctx, 1), 13027);
	assert_int_equal(kit->set(kit->ctx, 1, 40000), 13027);
	assert_int_equal(kit->most(kit->ctx, 0), 10000);
	/* 2 is opposite to 1: it may cancel it and go on. |10 - a e^i60| = 20: a = 5 + sqrt(325) */
	assert_int_equal(kit->most(kit->ctx, 2), 13027 + 23027);
	assert_int_equal(kit->set(kit->ctx, 2, 13027), 13027);
	assert_int_equal(kit->most(kit->ctx, 0), 20000);
	finish(g);
	rig_free(g);
	free(g);
}

static void test_kit_phasor_level_stops_at_the_limit(void **state)
{
	struct alloc_rig *g = phasors();
	uint32_t order[N], n;

	(void)state;
	g->point[2].state = ALLOC_IDLE;
	n = admitted(g, NULL, order);
	g->call.kit->fill_level(g->call.kit->ctx, NULL, NULL);
	/* sqrt(3) t = 20 A; a mA for each is kept back */
	assert_in_range(g->call.kit->get(g->call.kit->ctx, 0), 11543, 11547);
	assert_int_equal(g->call.kit->get(g->call.kit->ctx, 0), g->call.kit->get(g->call.kit->ctx, 1));
	g->call.kit->climb(g->call.kit->ctx, order, n);
	finish(g);
	assert_in_range(rig_mA(g, 0) + rig_mA(g, 1), 23093, 23094);
	assert_int_equal(alloc_row_mA(&g->site, 0, &g->grant->mA, sizeof(*g->grant), false), 20000);
	rig_free(g);
	free(g);
}

/* 1 A steps: rounding down one of two opposite currents would lift the sum over the limit. */
static void test_kit_climb_keeps_the_limit_where_less_is_more(void **state)
{
	struct alloc_rig *g = phasors();
	const struct alloc_kit *kit;
	uint32_t order[N], n;

	(void)state;
	kit = begin(g);
	n = kit->sort(kit->ctx, NULL, order);
	assert_int_equal(kit->set(kit->ctx, 1, 19900), 19900);
	assert_int_equal(kit->set(kit->ctx, 2, 39800), 39800); /* 19.9 A the other way */
	g->run.kit_state->point[1].step_mA = 1000;
	kit->climb(kit->ctx, order, n);
	finish(g);
	assert_int_equal(rig_mA(g, 1) % 1000, 0);
	rig_free(g);
	free(g);
}

/* --- whole policies ---------------------------------------------------------------------------------------- */

static void assert_policy(struct alloc_rig *g, const char *name, int32_t a, int32_t b, int32_t c, int32_t d)
{
	assert_int_equal(rig_run(g, name), ALLOC_OK);
	assert_int_equal(rig_mA(g, 0), a);
	assert_int_equal(rig_mA(g, 1), b);
	assert_int_equal(rig_mA(g, 2), c);
	assert_int_equal(rig_mA(g, 3), d);
}

static void test_policies_follow_their_rule(void **state)
{
	struct alloc_rig *g = *state;
	const int64_t hour = INT64_C(3600000000), now = g->call.now_us;

	for (uint32_t i = 0; i < N; i++) {
		g->point[i].since_us = now - (int64_t)i * hour;
		g->point[i].departure_us = now + (int64_t)(i + 1) * hour;
		g->point[i].energy_mWh = 4600000; /* 20 Ah at 230 V: 20, 10, 6.67 and 5 A */
	}
	assert_policy(g, "fair", 7500, 7500, 12500, 12500);
	assert_policy(g, "fcfs", 6000, 6000, 6000, 22000);
	assert_policy(g, "edf", 9000, 6000, 19000, 6000);
	assert_policy(g, "fair-need", 9000, 6000, 14285, 10715);
	g->point[3].departure_us = ALLOC_UNKNOWN; /* the median of 20, 10 and 6.67 */
	assert_policy(g, "fair-need", 9000, 6000, 10000, 15000);
	g->point[2].class = g->point[1].class = 1;
	assert_policy(g, "priority", 6000, 9000, 19000, 6000);
	g->point[3].class = 1;
	assert_policy(g, "priority", 6000, 9000, 12500, 12500);
}

static void test_policies_place_is_kept_by_who_charges_and_goes_to_who_waited_longest(void **state)
{
	struct alloc_rig *g = *state;
	const int64_t now = g->call.now_us;

	g->limit_mA[0] = 6000;
	g->limit_mA[1] = 12000;
	for (uint32_t i = 0; i < N; i++)
		g->point[i].changed_us = now - 1000 * (int64_t)(i + 1);
	assert_policy(g, "fair", 0, 0, 6000, 6000); /* the longest waiting */
	g->point[0].state = g->point[1].state = ALLOC_CHARGING;
	assert_policy(g, "fair", 6000, 0, 0, 6000); /* 1 has charged longer than 0 */
	g->point[2].state = ALLOC_CHARGING;
	assert_policy(g, "fair", 6000, 0, 6000, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_kit_sort_goes_by_class_key_and_id),
		cmocka_unit_test(test_kit_sort_of_many_is_the_same_as_of_few),
		TEST(test_kit_admit_gives_minima_in_order_and_names_the_row_that_stopped_the_rest),
		TEST(test_kit_bounds_are_whole_steps),
		TEST(test_kit_fill_order_gives_the_most_that_fits),
		TEST(test_kit_fill_level_is_max_min),
		TEST(test_kit_fill_level_stops_at_maxima_and_passes_the_rest_on),
		TEST(test_kit_fill_level_offsets_rise_later_or_sooner),
		TEST(test_kit_fill_level_rises_from_what_is_there),
		TEST(test_kit_fill_level_shares_thirds_and_climb_gives_the_rest),
		TEST(test_kit_climb_rounds_down_and_gives_steps_in_turn),
		TEST(test_kit_climb_starts_who_waited_when_rounding_makes_room),
		TEST(test_kit_set_is_clipped_to_what_fits),
		TEST(test_kit_discharge_keeps_to_the_export_rows_and_makes_no_room),
		TEST(test_kit_cap_holds_for_everything_and_can_be_lifted),
		TEST(test_kit_wrong_arguments_change_nothing),
		cmocka_unit_test(test_kit_phasor_room_is_the_far_root),
		cmocka_unit_test(test_kit_phasor_level_stops_at_the_limit),
		cmocka_unit_test(test_kit_climb_keeps_the_limit_where_less_is_more),
		TEST(test_policies_follow_their_rule),
		TEST(test_policies_place_is_kept_by_who_charges_and_goes_to_who_waited_longest),
	};

	return cmocka_run_group_tests_name("alloc kit", tests, NULL, NULL);
}
