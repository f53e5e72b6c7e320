/* SPDX-License-Identifier: MIT */
/* `ready`, and what it is made of: the kit's filling by price and the linear program behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "site-ctrl/policies/policies.h"
#include "tests/lib/alloc_judge.h"
#include "tests/lib/lp_check.h"

#define MIN_US	   (60 * (int64_t)FC_US_PER_S)
#define HOUR_US	   (60 * MIN_US)
#define MAX_POINTS 512

/* What a policy of the test gives to fill_price; the arena of a call is not used. */
static int64_t worth[MAX_POINTS];
static uint32_t order[MAX_POINTS];
static int64_t key[MAX_POINTS];

static int32_t by_price(void *self, struct alloc_call *call)
{
	(void)self;
	call->kit->fill_price(call->kit->ctx, worth);
	call->kit->finish(call->kit->ctx, call->grant, call->grant_stride);
	return 0;
}

static int32_t by_order(void *self, struct alloc_call *call)
{
	uint32_t n;

	(void)self;
	for (uint32_t i = 0; i < call->n_points; i++)
		key[i] = -worth[i];
	n = call->kit->sort(call->kit->ctx, key, order);
	call->kit->admit(call->kit->ctx, order, n);
	call->kit->fill_order(call->kit->ctx, order, n);
	call->kit->finish(call->kit->ctx, call->grant, call->grant_stride);
	return 0;
}

static const struct alloc_policy_ops price_ops = {.allocate = by_price}, order_ops = {.allocate = by_order};

static void run(struct alloc_rig *g, const struct alloc_policy_ops *ops)
{
	struct judge j = {.g = g};

	assert_int_equal(alloc_run_cycle(&g->run, ops, NULL, &g->call), ALLOC_OK);
	if (!judge_is_safe(&j))
		fail_msg("%s", j.text);
}

static void random_worth(struct alloc_rig *g)
{
	for (uint32_t i = 0; i < g->site.n_points; i++)
		worth[i] = 1000 + rig_below(g, 1000000);
}

/* A car that wants Wh and leaves in so many minutes. */
static void car(struct alloc_rig *g, uint32_t i, int32_t max_mA, int64_t wh, int64_t minutes)
{
	rig_want(g, i, 0, max_mA);
	g->point[i].energy_mWh = wh * 1000;
	g->point[i].departure_us = g->call.now_us + minutes * MIN_US;
}

/* n points of 230 V on one row. */
static void one_row(struct alloc_rig *g, uint32_t n, int32_t limit_mA)
{
	rig_begin(g, n, 1, n);
	rig_add_row(g, limit_mA, NULL, 1);
	for (uint32_t i = 0; i < n; i++)
		rig_add_member(g, 0, i, ALLOC_Q16, 0);
	rig_end(g);
}

/* --- the policy ----------------------------------------------------------------------------------------- */

static void test_ready_least_laxity_goes_first(void **state)
{
	struct alloc_rig g = {.random = 1};

	(void)state;
	one_row(&g, 3, 40000);
	car(&g, 0, 32000, 7000, 600);
	car(&g, 1, 32000, 7000, 60);
	car(&g, 2, 32000, 7000, 120);
	assert_int_equal(rig_run(&g, "ready"), ALLOC_OK);
	assert_int_equal(rig_mA(&g, 1), 32000);
	assert_int_equal(rig_mA(&g, 2), 8000);
	assert_int_equal(rig_mA(&g, 0), 0);
	rig_free(&g);
}

static void test_ready_who_charges_keeps_his_place_until_another_is_clearly_more_urgent(void **state)
{
	struct alloc_rig g = {.random = 1};

	(void)state;
	one_row(&g, 2, 32000);
	car(&g, 0, 32000, 3000, 300);
	car(&g, 1, 32000, 3000, 290);
	g.point[0].state = ALLOC_CHARGING;
	g.point[0].grant_mA = 32000;
	rig_run(&g, "ready");
	assert_int_equal(rig_mA(&g, 0), 32000);
	car(&g, 1, 32000, 3000, 200);
	rig_run(&g, "ready");
	assert_int_equal(rig_mA(&g, 0), 0);
	assert_int_equal(rig_mA(&g, 1), 32000);
	rig_free(&g);
}

static void test_ready_unknown_departure_is_between_urgent_and_patient(void **state)
{
	struct alloc_rig g = {.random = 1};

	(void)state;
	one_row(&g, 3, 32000);
	rig_want(&g, 0, 0, 32000);
	car(&g, 1, 32000, 100, 1000);
	car(&g, 2, 32000, 20000, 10);
	rig_run(&g, "ready");
	assert_int_equal(rig_mA(&g, 2), 32000);
	g.point[2].state = ALLOC_IDLE;
	rig_run(&g, "ready");
	assert_int_equal(rig_mA(&g, 0), 32000);
	rig_free(&g);
}

/*
 * Three groups between two lines each, in a transformer with a limit for each line: 120 degrees apart, they
 * share.
 */
static void test_ready_puts_phases_together(void **state)
{
	static const struct alloc_dir dir[2] = {{929887697, 536870912}, {929887697, -536870912}};
	struct alloc_rig g = {.random = 1};
	int64_t ready_mA;

	(void)state;
	rig_begin(&g, 12, 3, 24);
	for (uint32_t r = 0; r < 3; r++)
		rig_add_row(&g, 50000, dir, 2);
	for (uint32_t i = 0; i < 12; i++) {
		rig_add_member(&g, i % 3, i, ALLOC_Q16, 0);
		rig_add_member(&g, (i + 1) % 3, i, ALLOC_Q16, 1);
	}
	rig_end(&g);
	/* All of the first group leave soonest: an order gives them everything, 50 A in all. */
	for (uint32_t i = 0; i < 12; i++)
		car(&g, i, 32000, 7000, i % 3 == 0 ? 200 : 210);
	rig_run(&g, "edf");
	assert_in_range(judge_total_mA(&g), 49900, 50100);
	rig_run(&g, "ready");
	ready_mA = judge_total_mA(&g);
	assert_in_range(ready_mA, 86400, 86603); /* sqrt(3) x 50 A */
	rig_free(&g);
}

static void test_ready_overdue_and_hopeless_are_urgent_alike(void **state)
{
	struct alloc_rig g = {.random = 1};

	(void)state;
	one_row(&g, 3, 64000);
	car(&g, 0, 32000, 3000, -100);
	car(&g, 1, 32000, 90000, 20);
	car(&g, 2, 32000, 3000, 60);
	rig_run(&g, "ready");
	assert_int_equal(rig_mA(&g, 0), 32000);
	assert_int_equal(rig_mA(&g, 1), 32000);
	rig_free(&g);
}

static void test_ready_refuses_bad_options(void **state)
{
	const struct alloc_policy_ops *ops = policy_ready.ops;
	static const char *const bad[] = {"", "x", "0", "-1", "12h", "99999999999999999999", "10081"};
	char self[64] __attribute__((aligned(16)));

	(void)state;
	assert_true(policy_ready.state_size <= sizeof(self));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct forecourt_kv kv = {"half_worth_min", bad[i]};

		assert_true(ops->init(self, NULL, &kv, 1) < 0);
	}
	assert_int_equal(ops->init(self, NULL, &(struct forecourt_kv){"half-worth-min", "30"}, 1), 0);
}

/* --- the filling ---------------------------------------------------------------------------------------- */

static void test_fill_price_on_a_tree_is_highest_worth_first(void **state)
{
	int32_t mA[MAX_POINTS];

	(void)state;
	for (uint32_t seed = 0; seed < 400; seed++) {
		struct alloc_rig g = {.random = seed};
		const struct rig_conf c = {.kind = RIG_SINGLE, .n_points = 1 + seed % 60, .step_mA = 1};

		rig_make(&g, &c);
		random_worth(&g);
		run(&g, &order_ops);
		for (uint32_t i = 0; i < c.n_points; i++)
			mA[i] = rig_mA(&g, i);
		run(&g, &price_ops);
		for (uint32_t i = 0; i < c.n_points; i++)
			assert_int_equal(rig_mA(&g, i), mA[i]);
		rig_free(&g);
	}
}

/*
 * Of free rows with directions at random, some nearly opposite, next to nothing is known; there a tenth is
 * allowed.
 */
static void test_fill_price_is_within_two_permille_of_the_best_sum(void **state)
{
	(void)state;
	for (uint32_t seed = 0; seed < 150; seed++) {
		struct alloc_rig g = {.random = seed};
		const struct rig_conf c = {.kind = seed % RIG_N_KINDS,
					   .n_points = 1 + seed % 9,
					   .step_mA = 1,
					   .has_power = seed & 1};
		double best;

		rig_make(&g, &c);
		for (uint32_t i = 0; i < c.n_points; i++)
			g.point[i].class = 0;
		random_worth(&g);
		run(&g, &price_ops);
		best = lp_check_best(&g, worth);
		if (lp_check_sum(&g, worth) < best * (c.kind == RIG_PHASOR ? 0.9 : 0.998) - 20.0 * 1000000)
			fail_msg("seed %u: %.6g of %.6g", seed, lp_check_sum(&g, worth), best);
		assert_true(lp_check_sum(&g, worth) <= best * 1.00001);
		rig_free(&g);
	}
}

/* Beyond 256 points there is one program for each node, and what is dear further up is learned in passes. */
static void test_fill_price_by_node_loses_little(void **state)
{
	(void)state;
	for (uint32_t seed = 3; seed < 5; seed++) {
		struct alloc_rig g = {.random = seed};
		const struct rig_conf c = {
			.kind = RIG_MIXED, .n_points = 280, .step_mA = 1, .load_permille = 500};
		double part;

		rig_make(&g, &c);
		for (uint32_t i = 0; i < c.n_points; i++) {
			g.point[i].class = 0;
			worth[i] = 1000 + rig_below(&g, 1000000);
		}
		for (uint32_t r = 0; r < g.site.n_rows; r++) {
			g.limit_mA[r] = g.limit_mA[r] / 100 * (60 + (int32_t)rig_below(&g, 80));
			g.row[r].node = r / 3;
		}
		run(&g, &price_ops);
		part = lp_check_sum(&g, worth) / lp_check_best(&g, worth);
		if (part < 0.995 || part > 1.00001)
			fail_msg("seed %u: %.4f of the best", seed, part);
		rig_free(&g);
	}
}

static void test_fill_price_gives_the_last_one_his_minimum_out_of_the_others_surplus(void **state)
{
	struct alloc_rig g = {.random = 1};

	(void)state;
	one_row(&g, 3, 36000);
	for (uint32_t i = 0; i < 3; i++) {
		rig_want(&g, i, 6000, 32000);
		g.point[i].step_mA = 1000;
		worth[i] = 1000 - i;
	}
	run(&g, &price_ops);
	assert_int_equal(rig_mA(&g, 0), 30000);
	assert_int_equal(rig_mA(&g, 1), 6000);
	assert_int_equal(rig_mA(&g, 2), 0);
	rig_free(&g);
}

static void test_fill_price_drops_whose_minimum_does_not_fit(void **state)
{
	struct alloc_rig g = {.random = 1};

	(void)state;
	one_row(&g, 2, 10000);
	rig_want(&g, 0, 8000, 8000);
	rig_want(&g, 1, 6000, 32000);
	worth[0] = 2;
	worth[1] = 1;
	run(&g, &price_ops);
	assert_int_equal(rig_mA(&g, 0), 8000);
	assert_int_equal(rig_mA(&g, 1), 0);
	rig_free(&g);
}

static void test_fill_price_serves_the_higher_class_first(void **state)
{
	struct alloc_rig g = {.random = 1};

	(void)state;
	one_row(&g, 2, 40000);
	rig_want(&g, 0, 0, 32000);
	rig_want(&g, 1, 0, 32000);
	g.point[1].class = 1;
	worth[0] = 1000000;
	worth[1] = 1;
	run(&g, &price_ops);
	assert_int_equal(rig_mA(&g, 1), 32000);
	assert_int_equal(rig_mA(&g, 0), 8000);
	rig_free(&g);
}

static void test_fill_price_any_numbers_are_safe(void **state)
{
	(void)state;
	for (uint32_t seed = 0; seed < 300; seed++) {
		struct alloc_rig g = {.random = seed};
		const struct rig_conf c = {
			.kind = seed % RIG_N_KINDS, .n_points = 1 + seed % 40, .has_minimum = true};

		rig_make(&g, &c);
		for (uint32_t i = 0; i < c.n_points; i++) {
			worth[i] = (int64_t)rig_random(&g);
			if (rig_below(&g, 4) == 0)
				g.point[i].max_mA = INT32_MAX - (int32_t)rig_below(&g, 9);
		}
		run(&g, &price_ops);
		for (uint32_t r = 0; r < g.site.n_rows; r++)
			g.limit_mA[r] = rig_below(&g, 2) ? INT32_MAX : (int32_t)rig_below(&g, 10);
		run(&g, &price_ops);
		rig_free(&g);
	}
}

/* --- properties ----------------------------------------------------------------------------------------- */

static void make_any(struct alloc_rig *g, uint32_t seed)
{
	struct rig_conf c = {.kind = seed % RIG_N_KINDS};

	g->random = seed;
	c.n_points = 1 + rig_below(g, seed % 40 == 0 ? 300 : 24);
	c.step_mA = rig_below(g, 2) ? 1 : 0;
	c.has_minimum = rig_below(g, 2);
	c.has_weights = rig_below(g, 2);
	c.has_power = rig_below(g, 3) == 0;
	c.idle_permille = rig_below(g, 400);
	c.load_permille = rig_below(g, 2) ? 0 : 100 + rig_below(g, 900);
	rig_make(g, &c);
}

static void test_ready_is_safe_and_wastes_nothing_on_random_sites(void **state)
{
	(void)state;
	for (uint32_t seed = 0; seed < 2000; seed++) {
		struct alloc_rig g = {0};
		struct judge j = {.g = &g};

		make_any(&g, seed);
		assert_int_equal(rig_run(&g, "ready"), ALLOC_OK);
		if (!judge_is_safe(&j) || !judge_is_conserving(&j))
			fail_msg("seed %u: %s", seed, j.text);
		rig_free(&g);
	}
}

static void test_ready_does_not_depend_on_the_order_of_points(void **state)
{
	(void)state;
	for (uint32_t seed = 0; seed < 600; seed++) {
		struct alloc_rig g = {0}, h = {0};
		uint32_t place[MAX_POINTS], n, more;

		make_any(&g, seed);
		n = g.site.n_points;
		more = n + rig_below(&g, 5);
		for (uint32_t i = 0; i < more; i++)
			place[i] = i;
		for (uint32_t i = more - 1; i > 0; i--) {
			uint32_t o = rig_below(&g, i + 1), p = place[i];

			place[i] = place[o];
			place[o] = p;
		}
		rig_run(&g, "ready");
		rig_reorder(&h, &g, place, more);
		rig_run(&h, "ready");
		for (uint32_t i = 0; i < n; i++)
			if (rig_mA(&h, place[i]) != rig_mA(&g, i))
				fail_msg("seed %u: point %u has %d or %d mA", seed, i, rig_mA(&g, i),
					 rig_mA(&h, place[i]));
		rig_free(&g);
		rig_free(&h);
	}
}

static void test_ready_on_a_tree_nobody_behind_has_what_one_ahead_could_use(void **state)
{
	(void)state;
	for (uint32_t seed = 0; seed < 1500; seed++) {
		struct alloc_rig g = {.random = seed};
		struct judge j = {.g = &g};
		const struct rig_conf c = {
			.kind = RIG_SINGLE, .n_points = 1 + seed % 60, .has_minimum = seed & 1};

		rig_make(&g, &c);
		for (uint32_t i = 0; i < c.n_points; i++) {
			g.point[i].departure_us = ALLOC_UNKNOWN;
			g.point[i].state =
				g.point[i].state == ALLOC_CHARGING ? ALLOC_WAITING : g.point[i].state;
			g.point[i].weight_permille = 1000 + (int32_t)(i * 7919 % 997);
			key[i] = -g.point[i].weight_permille;
		}
		assert_int_equal(rig_run(&g, "ready"), ALLOC_OK);
		if (!judge_is_in_order(&j, key))
			fail_msg("seed %u: %s", seed, j.text);
		rig_free(&g);
	}
}

static void test_ready_more_weight_never_means_less_current_on_plain_sites(void **state)
{
	(void)state;
	for (uint32_t seed = 0; seed < 600; seed++) {
		struct alloc_rig g = {.random = seed};
		const struct rig_conf c = {.kind = seed % 3, .n_points = 1 + seed % 30, .step_mA = 1};
		uint32_t i = seed % c.n_points;
		int32_t before_mA;

		rig_make(&g, &c);
		rig_run(&g, "ready");
		before_mA = rig_mA(&g, i);
		g.point[i].weight_permille += 1 + (int32_t)rig_below(&g, 3000);
		rig_run(&g, "ready");
		assert_true(rig_mA(&g, i) >= before_mA - 4); /* what the program's rounding may move */
		rig_free(&g);
	}
}

/* The second cycle of a site begins with what the first one gave, the third one with the same. */
static void test_ready_nothing_changes_when_nothing_changed(void **state)
{
	int32_t mA[MAX_POINTS];

	(void)state;
	for (uint32_t seed = 0; seed < 1500; seed++) {
		struct alloc_rig g = {0};

		make_any(&g, seed);
		for (unsigned cycle = 0; cycle < 3; cycle++) {
			rig_run(&g, "ready");
			for (uint32_t i = 0; i < g.site.n_points; i++) {
				struct alloc_point *p = &g.point[i];

				if (cycle == 2 && rig_mA(&g, i) != mA[i])
					fail_msg("seed %u: point %u had %d mA, now %d", seed, i, mA[i],
						 rig_mA(&g, i));
				mA[i] = p->grant_mA = rig_mA(&g, i);
				if (alloc_wants(p))
					p->state = mA[i] > 0 ? ALLOC_CHARGING : ALLOC_WAITING;
			}
		}
		rig_free(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ready_least_laxity_goes_first),
		cmocka_unit_test(test_ready_who_charges_keeps_his_place_until_another_is_clearly_more_urgent),
		cmocka_unit_test(test_ready_unknown_departure_is_between_urgent_and_patient),
		cmocka_unit_test(test_ready_puts_phases_together),
		cmocka_unit_test(test_ready_overdue_and_hopeless_are_urgent_alike),
		cmocka_unit_test(test_ready_refuses_bad_options),
		cmocka_unit_test(test_fill_price_on_a_tree_is_highest_worth_first),
		cmocka_unit_test(test_fill_price_is_within_two_permille_of_the_best_sum),
		cmocka_unit_test(test_fill_price_by_node_loses_little),
		cmocka_unit_test(test_fill_price_gives_the_last_one_his_minimum_out_of_the_others_surplus),
		cmocka_unit_test(test_fill_price_drops_whose_minimum_does_not_fit),
		cmocka_unit_test(test_fill_price_serves_the_higher_class_first),
		cmocka_unit_test(test_fill_price_any_numbers_are_safe),
		cmocka_unit_test(test_ready_is_safe_and_wastes_nothing_on_random_sites),
		cmocka_unit_test(test_ready_does_not_depend_on_the_order_of_points),
		cmocka_unit_test(test_ready_on_a_tree_nobody_behind_has_what_one_ahead_could_use),
		cmocka_unit_test(test_ready_more_weight_never_means_less_current_on_plain_sites),
		cmocka_unit_test(test_ready_nothing_changes_when_nothing_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
