/* SPDX-License-Identifier: MIT */
/* Policies in the site: what they decide, and what they cannot do. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/site_rig.h"

#define FULL_mA 100000

/* --- policies ---------------------------------------------------------------------------------------------- */

static void test_policy_decides_within_the_limits(void **state)
{
	struct site_rig *r = *state;
	uint32_t i;

	r->policy = &rig_fcfs;
	site_rig_points(r, 5);
	site_rig_start(r);
	for (i = 0; i < 5; i++) {
		site_rig_plug(r, i);
		site_rig_run_ms(r, 3000);
	}
	site_rig_run_ms(r, 3000);
	assert_int_equal(r->car[0].granted_mA, 32000);
	assert_int_equal(r->car[1].granted_mA, 32000);
	assert_int_equal(r->car[2].granted_mA, 24000);
	assert_int_equal(r->car[3].granted_mA, 6000);
	assert_int_equal(r->car[4].granted_mA, 6000);
}

static int32_t greedy(void *self, struct alloc_call *call)
{
	uint32_t i;

	(void)self;
	for (i = 0; i < call->n_points; i++)
		alloc_grant_at(call, i)->mA = alloc_point_at(call, i)->max_mA;
	return 0;
}

static const struct alloc_policy_ops greedy_ops = {.allocate = greedy};

static void test_greedy_policy_is_refused_and_equal_share_takes_over(void **state)
{
	struct site_rig *r = *state;
	uint32_t i;

	r->policy = &greedy_ops;
	site_rig_points(r, 5);
	site_rig_start(r);
	for (i = 0; i < 5; i++)
		site_rig_plug(r, i);
	site_rig_run_ms(r, 10000);
	assert_int_equal(site_rig_granted_mA(r), FULL_mA);
	assert_int_equal(r->car[0].reason, ALLOC_REASON_FALLBACK);
	assert_int_equal(r->status.state, SITE_STATUS_STATE_FALLBACK);
	assert_true(r->status.alarm & SITE_STATUS_FALLBACK);
	assert_true(r->status.policy_faults > 5);
	assert_true(site_rig_has_logged(r, "equal share instead"));
}

static int32_t random_answer(void *self, struct alloc_call *call)
{
	struct site_rig *r = self;
	uint32_t i;

	for (i = 0; i < call->n_points; i++) {
		struct alloc_grant *g = alloc_grant_at(call, i);
		uint32_t kind = site_rig_random(r) % 8;

		g->mA = kind == 0   ? INT32_MAX
			: kind == 1 ? INT32_MIN
			: kind == 2 ? -(int32_t)(site_rig_random(r) % 40000)
			: kind == 3 ? 0
				    : (int32_t)(site_rig_random(r) % 40000) / 100 * 100;
		g->reason = (int32_t)site_rig_random(r);
		g->row = site_rig_random(r);
	}
	call->again_us = (int64_t)site_rig_random(r) * 1000 - 5000000;
	return site_rig_random(r) % 4 ? 0 : -EIO;
}

static void test_random_policy_never_gets_a_row_over_its_limit(void **state)
{
	static struct alloc_policy_ops ops = {.allocate = random_answer};
	struct site_rig *r = *state;
	uint32_t i, k;

	r->policy = &ops;
	r->policy_self = r;
	r->conf.min_on_ms = 3000;
	r->conf.min_off_ms = 2000;
	r->conf.wait_max_ms = 20000;
	site_rig_node(r, "feeder", 0, 40000);
	for (i = 0; i < 12; i++)
		site_rig_point(r, i % 2, i % 4);
	site_rig_start(r);
	for (k = 0; k < 200; k++) {
		i = site_rig_random(r) % 12;
		if (r->car[i].state == SITE_POINT_REPORT_STATE_IDLE)
			site_rig_plug(r, i);
		else if (k % 3 == 0)
			site_rig_unplug(r, i);
		site_rig_run_ms(r, 2000);
	}
	assert_true(r->status.policy_faults > 100);
	assert_true(r->site.count.n_changes > 100);
}

static void test_shadow_is_compared_and_never_granted(void **state)
{
	struct site_rig *r = *state;
	struct site_policy shadow = {.name = "greedy", .code = 7, .ctx = NULL};
	uint32_t i;

	shadow.allocate = greedy;
	r->policy = &rig_fcfs;
	site_rig_points(r, 5);
	site_rig_start(r);
	site_set_shadow(&r->site, &shadow);
	for (i = 0; i < 5; i++) {
		site_rig_plug(r, i);
		site_rig_run_ms(r, 3000);
	}
	site_rig_run_ms(r, 65000);
	assert_int_equal(r->car[4].granted_mA, 6000);
	assert_int_equal(r->status.shadow, 7);
	assert_int_equal(r->status.policy_faults, 0);
	assert_true(r->site.count.n_shadow_different > 10);
	assert_true(site_rig_has_logged(r, "shadow greedy differs"));
	assert_true(r->n_lines < 20); /* at most one a minute of them */
}

/* Everybody feeds back what he can, until an even minute of the site's time; then charges. */
static int32_t feed(void *self, struct alloc_call *call)
{
	int32_t left_mA = call->export_limit_mA ? call->export_limit_mA[0] : 0;
	uint32_t i;

	(void)self;
	for (i = 0; i < call->n_points; i++) {
		const struct alloc_point *p = alloc_point_at(call, i);
		int32_t mA = fc_min_i32(p->max_discharge_mA, left_mA);

		if (call->now_us / 60000000 % 2 || !alloc_wants(p)) {
			alloc_grant_at(call, i)->mA = alloc_wants(p) ? p->min_mA : 0;
			continue;
		}
		alloc_grant_at(call, i)->mA = -mA;
		left_mA -= mA;
	}
	return 0;
}

static void test_discharge_keeps_to_the_export_limit(void **state)
{
	static const struct alloc_policy_ops ops = {.allocate = feed};
	struct site_rig *r = *state;
	uint32_t i, k;
	int64_t most_mA = 0;
	bool has_charged = false;

	r->policy = &ops;
	for (k = 0; k < 3; k++)
		r->node[0].export_limit_mA[k] = 16000;
	site_rig_points(r, 4);
	for (i = 0; i < 4; i++) {
		r->point[i].kind = SITE_DC;
		r->point[i].max_discharge_mA = 10000;
	}
	r->loss_permille = 100;
	site_rig_start(r);
	for (i = 0; i < 4; i++) {
		r->car[i].max_discharge_mA = 7000;
		site_rig_plug(r, i);
	}
	for (k = 0; k < 400; k++) {
		int64_t sum_mA = 0;

		site_rig_run_ms(r, 500);
		for (i = 0; i < 4; i++) {
			int32_t mA = lease_hold_discharge_mA(&r->car[i].hold, r->now_us);

			assert_in_range(mA, 0, 7000);
			assert_true(mA == 0 || lease_hold_charge_mA(&r->car[i].hold, r->now_us) == 0);
			sum_mA += mA;
		}
		assert_true(sum_mA <= 16000);
		most_mA = sum_mA > most_mA ? sum_mA : most_mA;
		has_charged = has_charged || site_rig_granted_mA(r) >= 24000;
	}
	assert_int_equal(most_mA, 16000);
	assert_true(has_charged);
	assert_int_equal(r->status.policy_faults, 0);
}

/* Feeding back is being on: the minimum time off has nothing to say between charging and it. */
static void test_discharge_is_not_taken_for_being_off(void **state)
{
	static const struct alloc_policy_ops ops = {.allocate = feed};
	struct site_rig *r = *state;
	const struct lease_hold *hold = &r->car[0].hold;
	uint32_t k, n_fed = 0;

	r->policy = &ops;
	r->conf.min_off_ms = 45000;
	for (k = 0; k < 3; k++)
		r->node[0].export_limit_mA[k] = 16000;
	site_rig_points(r, 1);
	r->point[0].kind = SITE_DC;
	r->point[0].max_discharge_mA = 10000;
	site_rig_start(r);
	r->car[0].max_discharge_mA = 7000;
	site_rig_plug(r, 0);
	for (k = 0; k < 240 && lease_hold_charge_mA(hold, r->now_us) == 0; k++)
		site_rig_run_ms(r, 1000);
	for (k = 0; k < 240 && lease_hold_discharge_mA(hold, r->now_us) == 0; k++)
		site_rig_run_ms(r, 1000);
	for (k = 0; k < 30; k++) {
		n_fed += lease_hold_discharge_mA(hold, r->now_us) > 0;
		site_rig_run_ms(r, 1000);
	}
	assert_int_equal(n_fed, 30);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, site_rig_set_up, site_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_policy_decides_within_the_limits),
		TEST(test_greedy_policy_is_refused_and_equal_share_takes_over),
		TEST(test_random_policy_never_gets_a_row_over_its_limit),
		TEST(test_shadow_is_compared_and_never_granted),
		TEST(test_discharge_keeps_to_the_export_limit),
		TEST(test_discharge_is_not_taken_for_being_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
