/* SPDX-License-Identifier: MIT */
/* `sllf`: all who are served come to one level of laxity. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "site-ctrl/policies/policies.h"
#include "tests/lib/alloc_judge.h"

#define MIN_US (60 * (int64_t)FC_US_PER_S)

/* n points of 230 V on one row. */
static void one_row(struct alloc_rig *g, uint32_t n, int32_t limit_mA)
{
	rig_begin(g, n, 1, n);
	rig_add_row(g, limit_mA, NULL, 1);
	for (uint32_t i = 0; i < n; i++)
		rig_add_member(g, 0, i, ALLOC_Q16, 0);
	rig_end(g);
}

/* Who wants two hours of 10 A and leaves so many minutes after they would be over. */
static void car(struct alloc_rig *g, uint32_t i, int64_t laxity_min)
{
	rig_want(g, i, 0, 10000);
	g->point[i].energy_mWh = 2 * 10 * 230 * 1000;
	g->point[i].departure_us = g->call.now_us + (120 + laxity_min) * MIN_US;
}

static void test_sllf_equal_laxity_is_equal_current(void **state)
{
	struct alloc_rig g = {.random = 1};

	(void)state;
	one_row(&g, 2, 12000);
	car(&g, 0, 50);
	car(&g, 1, 50);
	assert_int_equal(rig_run(&g, "sllf"), ALLOC_OK);
	assert_int_equal(rig_mA(&g, 0), 6000);
	assert_int_equal(rig_mA(&g, 1), 6000);
	rig_free(&g);
}

/* Slot 60 min: 30 min more of laxity are half of the maximum less current. */
static void test_sllf_brings_laxities_to_one_level_within_the_slot(void **state)
{
	struct alloc_rig g = {.random = 1};

	(void)state;
	one_row(&g, 2, 12000);
	car(&g, 0, 60);
	car(&g, 1, 90);
	assert_int_equal(rig_run(&g, "sllf"), ALLOC_OK);
	assert_in_range(rig_mA(&g, 0), 8498, 8502);
	assert_in_range(rig_mA(&g, 1), 3498, 3502);
	rig_free(&g);
}

static void test_sllf_far_more_laxity_waits(void **state)
{
	struct alloc_rig g = {.random = 1};

	(void)state;
	one_row(&g, 2, 10000);
	car(&g, 0, 10);
	car(&g, 1, 300);
	assert_int_equal(rig_run(&g, "sllf"), ALLOC_OK);
	assert_int_equal(rig_mA(&g, 0), 10000);
	assert_int_equal(rig_mA(&g, 1), 0);
	rig_free(&g);
}

static void test_sllf_shorter_slot_is_nearer_to_an_order(void **state)
{
	const struct alloc_policy_ops *ops = policy_sllf.ops;
	char self[64] __attribute__((aligned(16)));
	struct forecourt_kv kv = {"slot_min", "5"};
	struct alloc_rig g = {.random = 1};

	(void)state;
	assert_true(policy_sllf.state_size <= sizeof(self));
	assert_int_equal(ops->init(self, NULL, &kv, 1), 0);
	one_row(&g, 2, 12000);
	car(&g, 0, 60);
	car(&g, 1, 90);
	assert_int_equal(alloc_run_cycle(&g.run, ops, self, &g.call), ALLOC_OK);
	assert_int_equal(rig_mA(&g, 0), 10000);
	assert_int_equal(rig_mA(&g, 1), 2000);
	rig_free(&g);
}

static void test_sllf_unknown_counts_as_two_hours(void **state)
{
	struct alloc_rig g = {.random = 1};

	(void)state;
	one_row(&g, 3, 10000);
	car(&g, 0, 240);
	rig_want(&g, 1, 0, 10000);
	car(&g, 2, 5);
	rig_run(&g, "sllf");
	assert_int_equal(rig_mA(&g, 2), 10000);
	g.point[2].state = ALLOC_IDLE;
	rig_run(&g, "sllf");
	assert_int_equal(rig_mA(&g, 1), 10000);
	rig_free(&g);
}

static void test_sllf_who_charges_is_admitted_before_one_nearly_as_urgent(void **state)
{
	struct alloc_rig g = {.random = 1};

	(void)state;
	one_row(&g, 2, 8000);
	car(&g, 0, 60);
	car(&g, 1, 70);
	g.point[0].min_mA = g.point[1].min_mA = 6000;
	g.point[1].state = ALLOC_CHARGING;
	rig_run(&g, "sllf");
	assert_int_equal(rig_mA(&g, 0), 0);
	assert_int_equal(rig_mA(&g, 1), 8000);
	car(&g, 0, 40);
	g.point[0].min_mA = 6000;
	rig_run(&g, "sllf");
	assert_int_equal(rig_mA(&g, 0), 8000);
	assert_int_equal(rig_mA(&g, 1), 0);
	rig_free(&g);
}

static void test_sllf_is_safe_and_wastes_nothing_on_random_sites(void **state)
{
	(void)state;
	for (uint32_t seed = 0; seed < 1500; seed++) {
		struct alloc_rig g = {.random = seed};
		struct judge j = {.g = &g};
		const struct rig_conf c = {.kind = seed % RIG_N_KINDS,
					   .n_points = 1 + seed % 37,
					   .has_minimum = seed & 1,
					   .has_weights = true,
					   .has_power = seed % 3 == 0};

		rig_make(&g, &c);
		if (seed % 11 == 0)
			g.point[0].energy_mWh = INT64_MAX;
		if (seed % 13 == 0)
			g.point[0].departure_us = INT64_MAX;
		assert_int_equal(rig_run(&g, "sllf"), ALLOC_OK);
		if (!judge_is_safe(&j) || !judge_is_conserving(&j))
			fail_msg("seed %u: %s", seed, j.text);
		rig_free(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sllf_equal_laxity_is_equal_current),
		cmocka_unit_test(test_sllf_brings_laxities_to_one_level_within_the_slot),
		cmocka_unit_test(test_sllf_far_more_laxity_waits),
		cmocka_unit_test(test_sllf_shorter_slot_is_nearer_to_an_order),
		cmocka_unit_test(test_sllf_unknown_counts_as_two_hours),
		cmocka_unit_test(test_sllf_who_charges_is_admitted_before_one_nearly_as_urgent),
		cmocka_unit_test(test_sllf_is_safe_and_wastes_nothing_on_random_sites),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
