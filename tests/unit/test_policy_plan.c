/* SPDX-License-Identifier: MIT */
/* `plan`: energy by departure at the least cost, with limits that change and vehicles that can feed back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "site-ctrl/policies/policies.h"
#include "tests/lib/alloc_judge.h"

#define MIN_US	 (60 * (int64_t)FC_US_PER_S)
#define HOUR_US	 (60 * MIN_US)
#define WH_10A	 2300 /* of an hour with 10 A at 230 V */
#define MAX_STEP 24

static struct alloc_outlook outlook[MAX_STEP];

/* n points of 230 V on one row; energy may be fed back. */
static void one_row(struct alloc_rig *g, uint32_t n, int32_t limit_mA)
{
	rig_begin(g, n, 1, n);
	rig_add_row(g, limit_mA, NULL, 1);
	for (uint32_t i = 0; i < n; i++)
		rig_add_member(g, 0, i, ALLOC_Q16, 0);
	rig_end(g);
	g->call.now_us = 1000 * HOUR_US;
	g->call.outlook = outlook;
	g->call.n_outlook = 0;
	g->export_limit_mA[0] = limit_mA;
}

static void car(struct alloc_rig *g, uint32_t i, int64_t wh, int64_t minutes)
{
	rig_want(g, i, 0, 10000);
	g->point[i].energy_mWh = wh * 1000;
	g->point[i].departure_us = g->call.now_us + minutes * MIN_US;
}

/* The next hours, the present one first. */
static void hours(struct alloc_rig *g, const int32_t *price, const int32_t *permille, uint32_t n)
{
	assert_true(n <= MAX_STEP);
	for (uint32_t i = 0; i < n; i++) {
		outlook[i].from_us = g->call.now_us + i * HOUR_US;
		outlook[i].price = price[i];
		outlook[i].limit_permille = permille ? permille[i] : 1000;
	}
	g->call.n_outlook = n;
}

static void run(struct alloc_rig *g)
{
	g->call.again_us = FC_NEVER;
	memset(g->arena, 0x5a, g->arena_size); /* nothing may depend on what it holds */
	assert_int_equal(alloc_run_cycle(&g->run, policy_plan.ops, NULL, &g->call), ALLOC_OK);
}

static void test_plan_waits_for_the_cheap_hour(void **state)
{
	static const int32_t price[] = {30, 10, 20};
	struct alloc_rig g = {.random = 1};

	(void)state;
	one_row(&g, 1, 20000);
	car(&g, 0, WH_10A / 2, 180);
	hours(&g, price, NULL, 3);
	run(&g);
	assert_int_equal(rig_mA(&g, 0), 0);
	assert_int_equal(g.grant[0].reason, ALLOC_REASON_POLICY);
	assert_true(g.call.again_us == g.call.now_us + HOUR_US);
	hours(&g, price + 1, NULL, 2);
	run(&g);
	assert_int_equal(rig_mA(&g, 0), 10000);
	rig_free(&g);
}

static void test_plan_charges_at_a_high_price_when_there_is_no_time_left(void **state)
{
	static const int32_t price[] = {30, 10};
	struct alloc_rig g = {.random = 1};

	(void)state;
	one_row(&g, 1, 20000);
	car(&g, 0, WH_10A, 60);
	hours(&g, price, NULL, 2);
	run(&g);
	assert_int_equal(rig_mA(&g, 0), 10000);
	/* The same with so much need that the cheap hour is not enough. */
	car(&g, 0, 2 * WH_10A, 120);
	run(&g);
	assert_int_equal(rig_mA(&g, 0), 10000);
	rig_free(&g);
}

static void test_plan_a_cheap_hour_that_is_full_makes_the_next_one_wait_less(void **state)
{
	static const int32_t price[] = {20, 10, 30};
	struct alloc_rig g = {.random = 1};

	(void)state;
	one_row(&g, 2, 11200);
	car(&g, 0, WH_10A * 9 / 10, 180);
	car(&g, 1, WH_10A * 9 / 10, 181);
	hours(&g, price, NULL, 3);
	run(&g);
	/* Who leaves first has the cheap hour, the other one the cheaper of the rest: now. */
	assert_int_equal(rig_mA(&g, 0), 0);
	assert_true(rig_mA(&g, 1) >= 9000);
	rig_free(&g);
}

static void test_plan_charges_before_a_limit_falls(void **state)
{
	static const int32_t price[] = {30, 10, 10}, none[] = {1000, 0, 0};
	struct alloc_rig g = {.random = 1};

	(void)state;
	one_row(&g, 1, 20000);
	car(&g, 0, WH_10A, 180);
	hours(&g, price, none, 3);
	run(&g);
	assert_int_equal(rig_mA(&g, 0), 10000);
	rig_free(&g);
}

static void test_plan_waits_for_the_sun(void **state)
{
	static const int32_t price[] = {30, 0, 30}, sun[] = {1000, 3000, 1000};
	struct alloc_rig g = {.random = 1};

	(void)state;
	one_row(&g, 2, 8000);
	car(&g, 0, WH_10A, 180);
	car(&g, 1, WH_10A, 180);
	hours(&g, price, sun, 3);
	run(&g);
	assert_int_equal(rig_mA(&g, 0), 0);
	assert_int_equal(rig_mA(&g, 1), 0);
	rig_free(&g);
}

static void test_plan_unknown_wants_are_served_at_once(void **state)
{
	static const int32_t price[] = {30, 10, 10, 10, 10, 10};
	struct alloc_rig g = {.random = 1};

	(void)state;
	one_row(&g, 3, 12000);
	car(&g, 0, WH_10A, 360);
	rig_want(&g, 1, 0, 10000);
	rig_want(&g, 2, 0, 10000);
	g.point[2].energy_mWh = 1000;
	hours(&g, price, NULL, 6);
	run(&g);
	assert_int_equal(rig_mA(&g, 0), 0);
	assert_int_equal(rig_mA(&g, 1), 6000);
	assert_int_equal(rig_mA(&g, 2), 6000);
	rig_free(&g);
}

static void test_plan_without_an_outlook_serves_everybody(void **state)
{
	struct alloc_rig g = {.random = 1};

	(void)state;
	one_row(&g, 2, 40000);
	car(&g, 0, WH_10A, 600);
	car(&g, 1, WH_10A, 60);
	run(&g);
	assert_int_equal(rig_mA(&g, 0), 10000);
	assert_int_equal(rig_mA(&g, 1), 10000);
	assert_true(g.call.again_us == FC_NEVER);
	rig_free(&g);
}

static void test_plan_feeds_back_in_the_dear_hour_what_it_can_buy_again(void **state)
{
	static const int32_t price[] = {40, 10, 10, 10};
	struct alloc_rig g = {.random = 1};

	(void)state;
	one_row(&g, 1, 20000);
	car(&g, 0, WH_10A, 240);
	g.point[0].max_discharge_mA = 8000;
	g.call.export_limit_mA = g.export_limit_mA;
	hours(&g, price, NULL, 4);
	run(&g);
	assert_int_equal(rig_mA(&g, 0), -8000);
	/* With a lower limit of what may be fed back. */
	g.export_limit_mA[0] = 3000;
	run(&g);
	assert_int_equal(rig_mA(&g, 0), -3000);
	/* Where nobody may. */
	g.call.export_limit_mA = NULL;
	run(&g);
	assert_int_equal(rig_mA(&g, 0), 0);
	rig_free(&g);
}

static void test_plan_feeds_back_no_more_than_the_departure_allows(void **state)
{
	static const int32_t price[] = {40, 10, 10};
	struct alloc_rig g = {.random = 1};

	(void)state;
	one_row(&g, 1, 20000);
	g.call.export_limit_mA = g.export_limit_mA;
	/* Two hours behind this one, one and a half of them needed. */
	car(&g, 0, WH_10A * 3 / 2, 180);
	g.point[0].max_discharge_mA = 10000;
	hours(&g, price, NULL, 3);
	run(&g);
	assert_in_range(-rig_mA(&g, 0), 4900, 5000);
	/* All needed. */
	car(&g, 0, WH_10A * 2, 180);
	run(&g);
	assert_true(rig_mA(&g, 0) >= 0);
	rig_free(&g);
}

static void test_plan_does_not_feed_back_for_less_than_the_losses(void **state)
{
	static const int32_t price[] = {11, 10, 10, 10};
	struct alloc_rig g = {.random = 1};

	(void)state;
	one_row(&g, 1, 20000);
	g.call.export_limit_mA = g.export_limit_mA;
	car(&g, 0, WH_10A, 240);
	g.point[0].max_discharge_mA = 8000;
	hours(&g, price, NULL, 4);
	run(&g);
	assert_int_equal(rig_mA(&g, 0), 0);
	rig_free(&g);
}

/* --- a night -------------------------------------------------------------------------------------------- */

/*
 * Four cars from the evening to the morning on a row for one and a half; returns the cost, fails when one is
 * not full.
 */
static int64_t cost_of_a_night(const char *policy)
{
	static const int32_t price[MAX_STEP] = {40, 45, 45, 40, 30, 20, 12, 10, 10, 11, 15, 30};
	struct alloc_rig g = {.random = 1};
	int64_t cost = 0, begin_us, mWs[4];

	one_row(&g, 4, 15000);
	begin_us = g.call.now_us;
	for (uint32_t i = 0; i < 4; i++) {
		car(&g, i, WH_10A * (2 + i % 2), 600 + i * 30);
		mWs[i] = g.point[i].energy_mWh * 3600;
	}
	for (int64_t minute = 0; minute < 12 * 60; minute += 5) {
		uint32_t hour = (uint32_t)(minute / 60);

		g.call.now_us = begin_us + minute * MIN_US;
		for (uint32_t i = 0; i < 12; i++)
			outlook[i] = (struct alloc_outlook){begin_us + i * HOUR_US, price[i], 1000};
		g.call.n_outlook = 12;
		for (uint32_t i = 0; i < 4; i++)
			if (mWs[i] <= 0 || g.point[i].departure_us <= g.call.now_us)
				g.point[i].state = ALLOC_IDLE;
			else
				g.point[i].energy_mWh = (mWs[i] + 3599) / 3600;
		assert_int_equal(rig_run(&g, policy), ALLOC_OK);
		for (uint32_t i = 0; i < 4; i++) {
			int64_t step_mWs = fc_min_i64((int64_t)rig_mA(&g, i) * 230 * 300, mWs[i]);

			cost += step_mWs / 3600000 * price[hour];
			mWs[i] -= step_mWs;
			g.point[i].state = g.point[i].state == ALLOC_IDLE ? ALLOC_IDLE
					   : rig_mA(&g, i) > 0		  ? ALLOC_CHARGING
									  : ALLOC_WAITING;
		}
	}
	for (uint32_t i = 0; i < 4; i++)
		assert_true(mWs[i] <= 0);
	rig_free(&g);
	return cost;
}

static void test_plan_a_night_costs_less_than_half_and_all_are_full(void **state)
{
	int64_t fair, plan;

	(void)state;
	fair = cost_of_a_night("fair");
	plan = cost_of_a_night("plan");
	assert_true(plan * 2 < fair);
}

static void test_plan_is_safe_on_random_sites(void **state)
{
	(void)state;
	for (uint32_t seed = 0; seed < 1500; seed++) {
		struct alloc_rig g = {.random = seed};
		struct judge j = {.g = &g};
		const struct rig_conf c = {.kind = seed % RIG_N_KINDS,
					   .n_points = 1 + seed % 37,
					   .has_minimum = seed & 1,
					   .has_power = seed % 3 == 0};
		int64_t from_us;

		rig_make(&g, &c);
		from_us = g.call.now_us - 90 * MIN_US;
		for (uint32_t i = 0; i < MAX_STEP; i++) {
			outlook[i].from_us = from_us;
			outlook[i].price = (int32_t)rig_below(&g, 100) - 20;
			outlook[i].limit_permille = (int32_t)rig_below(&g, 2000);
			from_us += (int64_t)rig_below(&g, 120) * MIN_US;
		}
		g.call.outlook = outlook;
		g.call.n_outlook = rig_below(&g, MAX_STEP + 1);
		assert_int_equal(alloc_run_cycle(&g.run, policy_plan.ops, NULL, &g.call), ALLOC_OK);
		if (!judge_is_safe(&j))
			fail_msg("seed %u: %s", seed, j.text);
		/* With feeding back the host's proof judges. */
		for (uint32_t r = 0; r < g.site.n_rows; r++)
			g.export_limit_mA[r] = (int32_t)rig_below(&g, 50000);
		for (uint32_t i = 0; i < g.site.n_points; i++)
			g.point[i].max_discharge_mA = (int32_t)rig_below(&g, 20000);
		g.call.export_limit_mA = g.export_limit_mA;
		assert_int_equal(alloc_run_cycle(&g.run, policy_plan.ops, NULL, &g.call), ALLOC_OK);
		rig_free(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_waits_for_the_cheap_hour),
		cmocka_unit_test(test_plan_charges_at_a_high_price_when_there_is_no_time_left),
		cmocka_unit_test(test_plan_a_cheap_hour_that_is_full_makes_the_next_one_wait_less),
		cmocka_unit_test(test_plan_charges_before_a_limit_falls),
		cmocka_unit_test(test_plan_waits_for_the_sun),
		cmocka_unit_test(test_plan_unknown_wants_are_served_at_once),
		cmocka_unit_test(test_plan_without_an_outlook_serves_everybody),
		cmocka_unit_test(test_plan_feeds_back_in_the_dear_hour_what_it_can_buy_again),
		cmocka_unit_test(test_plan_feeds_back_no_more_than_the_departure_allows),
		cmocka_unit_test(test_plan_does_not_feed_back_for_less_than_the_losses),
		cmocka_unit_test(test_plan_a_night_costs_less_than_half_and_all_are_full),
		cmocka_unit_test(test_plan_is_safe_on_random_sites),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
