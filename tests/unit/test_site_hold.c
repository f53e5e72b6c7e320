/* SPDX-License-Identifier: MIT */
/*
 * Slow rules: reclaim and probing, minimum times, turns, and numbers without noise. The parts alone, then in
 * a site.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "site-ctrl/site_conf.h"
#include "tests/lib/site_rig.h"

#define S INT64_C(1000000)

/* --- reclaim alone ----------------------------------------------------------------------------------------- */

static void hold_start(struct site_hold *h, struct site_conf *c)
{
	site_conf_defaults(c);
	site_hold_reset(h);
}

/* A report a second of the same draw. */
static bool draw_for(struct site_hold *h, const struct site_conf *c, int64_t *now_us, int seconds,
		     int32_t granted_mA, int32_t drawn_mA)
{
	bool was_lifted = false;

	for (; seconds > 0; seconds--, *now_us += S)
		was_lifted |= site_hold_draw(h, c, *now_us, granted_mA, drawn_mA, 32000, 6000);
	return was_lifted;
}

static void test_reclaim_takes_the_rest_after_a_minute_of_low_draw(void **state)
{
	struct site_hold h;
	struct site_conf c;
	int64_t now_us = S;

	(void)state;
	hold_start(&h, &c);
	draw_for(&h, &c, &now_us, 60, 32000, 10000);
	assert_int_equal(h.cap_mA, INT32_MAX);
	draw_for(&h, &c, &now_us, 1, 32000, 10000);
	assert_int_equal(h.cap_mA, 12000);
}

static void test_reclaim_counts_the_largest_draw_of_that_minute(void **state)
{
	struct site_hold h;
	struct site_conf c;
	int64_t now_us = S;

	(void)state;
	hold_start(&h, &c);
	draw_for(&h, &c, &now_us, 30, 32000, 10000);
	draw_for(&h, &c, &now_us, 1, 32000, 20000);
	draw_for(&h, &c, &now_us, 30, 32000, 10000);
	assert_int_equal(h.cap_mA, 22000);
}

static void test_reclaim_never_goes_below_the_minimum(void **state)
{
	struct site_hold h;
	struct site_conf c;
	int64_t now_us = S;

	(void)state;
	hold_start(&h, &c);
	draw_for(&h, &c, &now_us, 61, 32000, 0);
	assert_int_equal(h.cap_mA, 6000);
}

static void test_reclaim_leaves_who_draws_nearly_all(void **state)
{
	struct site_hold h;
	struct site_conf c;
	int64_t now_us = S;

	(void)state;
	hold_start(&h, &c);
	draw_for(&h, &c, &now_us, 300, 32000, 29500);
	assert_int_equal(h.cap_mA, INT32_MAX);
}

static void test_draw_at_the_cap_lifts_it_at_once(void **state)
{
	struct site_hold h;
	struct site_conf c;
	int64_t now_us = S;

	(void)state;
	hold_start(&h, &c);
	draw_for(&h, &c, &now_us, 61, 32000, 10000);
	assert_false(draw_for(&h, &c, &now_us, 20, 12000, 10500));
	assert_true(draw_for(&h, &c, &now_us, 1, 12000, 11600));
	assert_int_equal(h.cap_mA, INT32_MAX);
}

static void test_request_that_rises_lifts_the_cap(void **state)
{
	struct site_hold h;
	struct site_conf c;
	int64_t now_us = S;

	(void)state;
	hold_start(&h, &c);
	for (; now_us <= 62 * S; now_us += S)
		site_hold_draw(&h, &c, now_us, 32000, 10000, 10000, 6000);
	assert_int_equal(h.cap_mA, 12000);
	assert_false(site_hold_draw(&h, &c, now_us, 12000, 10000, 10900, 6000));
	assert_true(site_hold_draw(&h, &c, now_us, 12000, 10000, 11100, 6000));
}

static void test_cap_is_probed_after_ten_minutes(void **state)
{
	struct site_hold h;
	struct site_conf c;
	int64_t now_us = S;

	(void)state;
	hold_start(&h, &c);
	draw_for(&h, &c, &now_us, 61, 32000, 10000);
	site_hold_probe(&h, &c, h.cap_us + 599 * S);
	assert_int_equal(h.cap_mA, 12000);
	site_hold_probe(&h, &c, h.cap_us + 600 * S);
	assert_int_equal(h.cap_mA, INT32_MAX);
}

/* --- the rest alone ---------------------------------------------------------------------------------------- */

static void test_ramp_gives_the_minimum_at_once_and_never_more_than_asked(void **state)
{
	struct site_conf c;

	(void)state;
	site_conf_defaults(&c);
	assert_int_equal(site_hold_ramp_mA(&c, 0, 32000, 6000, S), 32000);
	c.ramp_mA_per_s = 1000;
	assert_int_equal(site_hold_ramp_mA(&c, 0, 32000, 6000, S), 6000);
	assert_int_equal(site_hold_ramp_mA(&c, 6000, 32000, 6000, S), 7000);
	assert_int_equal(site_hold_ramp_mA(&c, 6000, 6500, 6000, S), 6500);
	assert_int_equal(site_hold_ramp_mA(&c, 20000, 6500, 6000, S), 6500);
	assert_int_equal(site_hold_ramp_mA(&c, 6000, 32000, 6000, 0), 6000);
}

static void test_turn_is_the_waiting_time_shared_and_not_under_the_time_on(void **state)
{
	struct site_conf c;

	(void)state;
	site_conf_defaults(&c);
	assert_true(site_hold_turn_us(&c, 1) == 898 * S);
	assert_true(site_hold_turn_us(&c, 2) == 449 * S);
	assert_true(site_hold_turn_us(&c, 100) == 60 * S);
}

static void test_calm_limit_falls_at_once_and_rises_after_a_minute(void **state)
{
	struct site_calm c = {0};

	(void)state;
	assert_int_equal(site_calm_limit_mA(&c, 63000, false), 63000);
	assert_int_equal(site_calm_limit_mA(&c, 62800, false), 62300); /* with its guard */
	assert_int_equal(site_calm_limit_mA(&c, 63100, false), 62300);
	assert_int_equal(site_calm_limit_mA(&c, 62500, true), 62300); /* low of the minute: 62500 */
	assert_int_equal(site_calm_limit_mA(&c, 62500, false), 62300);
	assert_int_equal(site_calm_limit_mA(&c, 62500, true), 62500); /* stood still */
	assert_int_equal(site_calm_limit_mA(&c, 32000, false), 32000);
	assert_int_equal(site_calm_limit_mA(&c, 63000, false), 63000);
}

static void test_calm_limit_is_never_over_the_limit(void **state)
{
	struct site_calm c = {0};
	uint32_t seed = 7;
	int32_t limit_mA = 20000;
	unsigned k;

	(void)state;
	for (k = 0; k < 100000; k++) {
		seed = seed * 1664525u + 1013904223u;
		limit_mA += (int32_t)(seed >> 8) % 1200 - (seed >> 31 ? 600 : 598);
		limit_mA = limit_mA < 0 ? 0 : limit_mA;
		assert_true(site_calm_limit_mA(&c, limit_mA, k % 60 == 0) <= limit_mA);
	}
}

/* --- in a site --------------------------------------------------------------------------------------------- */

static void test_tapering_vehicle_gives_back_what_others_can_use(void **state)
{
	struct site_rig *r = *state;

	site_rig_points(r, 2);
	site_rig_start(r);
	site_rig_limit(r, 0, 40000);
	site_rig_plug(r, 0);
	site_rig_plug(r, 1);
	r->car[0].appetite_mA = 8000;
	r->car[0].requested_mA = 32000; /* it never said so */
	site_rig_run_ms(r, 60000);
	assert_int_equal(r->car[1].granted_mA, 20000);
	site_rig_run_ms(r, 15000);
	assert_int_equal(r->car[0].granted_mA, 10000);
	assert_int_equal(r->car[1].granted_mA, 30000);
	r->car[0].appetite_mA = INT32_MAX; /* wants more again */
	site_rig_run_ms(r, 5000);
	assert_int_equal(r->car[0].granted_mA, 20000);
}

/* Longest time that a wanting vehicle was without current, over some time; -1: one never had any. */
static int64_t longest_wait_s(struct site_rig *r, uint32_t n, int64_t seconds)
{
	int64_t off_us[SITE_RIG_POINTS], most_us = 0;
	bool had[SITE_RIG_POINTS] = {false};
	uint32_t i;

	for (i = 0; i < n; i++)
		off_us[i] = r->now_us;
	for (; seconds > 0; seconds--) {
		site_rig_run_ms(r, 1000);
		for (i = 0; i < n; i++) {
			had[i] = had[i] || r->car[i].granted_mA > 0;
			if (r->car[i].granted_mA > 0)
				off_us[i] = r->now_us;
			else if (r->now_us - off_us[i] > most_us)
				most_us = r->now_us - off_us[i];
		}
	}
	for (i = 0; i < n; i++)
		if (!had[i])
			return -1;
	return most_us / S;
}

/* Property 13 of allocation.md. */
static void test_everybody_is_served_within_the_longest_wait(void **state)
{
	struct site_rig *r = *state;
	uint32_t i;

	r->policy = &rig_fcfs; /* would leave the last ones without for ever */
	r->conf.wait_max_ms = 120000;
	site_rig_points(r, 5);
	site_rig_start(r);
	site_rig_limit(r, 0, 13000); /* two of five */
	for (i = 0; i < 5; i++)
		site_rig_plug(r, i);
	assert_in_range(longest_wait_s(r, 5, 1200), 20, 121);
}

static void test_everybody_is_served_when_one_fits_and_the_policy_has_a_favourite(void **state)
{
	struct site_rig *r = *state;
	uint32_t i;

	r->policy = &rig_fcfs;
	r->conf.wait_max_ms = 120000;
	site_rig_points(r, 7);
	site_rig_start(r);
	site_rig_limit(r, 0, 7000);
	for (i = 0; i < 7; i++) {
		r->car[i].priority = i == 3 ? 5 : 0; /* with a class of its own */
		site_rig_plug(r, i);
	}
	assert_in_range(longest_wait_s(r, 7, 1200), 20, 121);
}

static void test_without_a_longest_wait_the_policy_rules_alone(void **state)
{
	struct site_rig *r = *state;
	uint32_t i;

	r->policy = &rig_fcfs;
	r->conf.wait_max_ms = 0;
	site_rig_points(r, 3);
	site_rig_start(r);
	site_rig_limit(r, 0, 7000);
	for (i = 0; i < 3; i++) {
		site_rig_plug(r, i);
		site_rig_run_ms(r, 2000);
	}
	assert_int_equal(longest_wait_s(r, 3, 600), -1);
	assert_int_equal(r->car[0].granted_mA, 7000);
}

static int32_t flip(void *self, struct alloc_call *call)
{
	uint32_t i, who = (uint32_t)(call->now_us / 10000000) % 2;

	(void)self;
	for (i = 0; i < call->n_points; i++) {
		const struct alloc_point *p = alloc_point_at(call, i);

		if (alloc_wants(p) && i == who && p->min_mA <= call->limit_mA[0])
			alloc_grant_at(call, i)->mA = p->min_mA;
		alloc_grant_at(call, i)->row = ALLOC_NO_ROW;
		alloc_grant_at(call, i)->reason = ALLOC_REASON_WAITING;
	}
	return 0;
}

static const struct alloc_policy_ops flip_ops = {.allocate = flip};

static uint32_t count_switches(struct site_rig *r, int64_t seconds)
{
	uint32_t i, n = 0;

	for (i = 0; i < 2; i++)
		r->car[i].n_ons = 0;
	site_rig_run_ms(r, seconds * 1000);
	for (i = 0; i < 2; i++)
		n += r->car[i].n_ons;
	return n;
}

static void test_minimum_times_hold_against_a_policy_that_flaps(void **state)
{
	struct site_rig *r = *state;

	r->policy = &flip_ops;
	r->conf.wait_max_ms = 0;
	r->conf.min_on_ms = 60000;
	r->conf.min_off_ms = 60000;
	site_rig_points(r, 2);
	site_rig_start(r);
	site_rig_plug(r, 0);
	site_rig_plug(r, 1);
	assert_in_range(count_switches(r, 600), 2, 12);
	r->site.conf.min_on_ms = r->site.conf.min_off_ms = 0;
	assert_true(count_switches(r, 600) > 50);
}

static void test_minimum_time_on_yields_to_a_falling_limit(void **state)
{
	struct site_rig *r = *state;

	r->conf.min_on_ms = 600000;
	site_rig_points(r, 3);
	site_rig_start(r);
	site_rig_plug(r, 0);
	site_rig_plug(r, 1);
	site_rig_plug(r, 2);
	site_rig_run_ms(r, 5000);
	r->is_checked = false;
	site_rig_limit(r, 0, 13000);
	site_rig_run_ms(r, 3000);
	r->is_checked = true;
	site_rig_run_ms(r, 5000);
	assert_int_equal(site_rig_granted_mA(r) <= 13000, 1);
	assert_true(site_rig_granted_mA(r) >= 12000);
}

static void test_operator_class_goes_before_others(void **state)
{
	struct site_rig *r = *state;
	uint32_t i;

	r->policy = &rig_fcfs;
	r->conf.wait_max_ms = 0;
	site_rig_points(r, 3);
	site_rig_start(r);
	site_rig_limit(r, 0, 7000);
	for (i = 0; i < 3; i++) {
		site_rig_plug(r, i);
		site_rig_run_ms(r, 2000);
	}
	assert_int_equal(site_rig_ask(r, "priority p2 3"), 0);
	site_rig_run_ms(r, 4000);
	assert_int_equal(r->car[2].granted_mA, 7000);
	assert_int_equal(r->car[0].granted_mA, 0);
	assert_int_equal(site_rig_ask(r, "priority p2 default"), 0);
	site_rig_run_ms(r, 4000);
	assert_int_equal(r->car[0].granted_mA, 7000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, site_rig_set_up, site_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reclaim_takes_the_rest_after_a_minute_of_low_draw),
		cmocka_unit_test(test_reclaim_counts_the_largest_draw_of_that_minute),
		cmocka_unit_test(test_reclaim_never_goes_below_the_minimum),
		cmocka_unit_test(test_reclaim_leaves_who_draws_nearly_all),
		cmocka_unit_test(test_draw_at_the_cap_lifts_it_at_once),
		cmocka_unit_test(test_request_that_rises_lifts_the_cap),
		cmocka_unit_test(test_cap_is_probed_after_ten_minutes),
		cmocka_unit_test(test_ramp_gives_the_minimum_at_once_and_never_more_than_asked),
		cmocka_unit_test(test_turn_is_the_waiting_time_shared_and_not_under_the_time_on),
		cmocka_unit_test(test_calm_limit_falls_at_once_and_rises_after_a_minute),
		cmocka_unit_test(test_calm_limit_is_never_over_the_limit),
		TEST(test_tapering_vehicle_gives_back_what_others_can_use),
		TEST(test_everybody_is_served_within_the_longest_wait),
		TEST(test_everybody_is_served_when_one_fits_and_the_policy_has_a_favourite),
		TEST(test_without_a_longest_wait_the_policy_rules_alone),
		TEST(test_minimum_times_hold_against_a_policy_that_flaps),
		TEST(test_minimum_time_on_yields_to_a_falling_limit),
		TEST(test_operator_class_goes_before_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
