/* SPDX-License-Identifier: MIT */
/*
 * From aims to grants: sums of rows, the ledger's order, reaction to limits, ramp, and no change without a
 * cause.
 */
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

/* --- sums of rows ------------------------------------------------------------------------------------------ */

/* Points between lines besides those of one and three phases: rows that add phasors. */
static void add_mixed(struct site_rig *r, uint32_t n)
{
	uint32_t i, k;

	for (k = 0; k < n; k++) {
		i = site_rig_point(r, 0, k % 4);
		if (k % 3 || k % 4 == 0)
			continue;
		r->point[i].is_line_to_line = true;
		r->point[i].phase[0] = (uint8_t)(k % 4);
		r->point[i].phase[1] = (uint8_t)(k % 4 % 3 + 1);
		r->point[i].voltage_mV = 400000;
	}
}

static void test_rows_carry_what_the_proof_says_and_hardly_more(void **state)
{
	struct site_rig *r = *state;
	int32_t mA[24] = {0};
	struct site_rows rows;
	bool has_phasors = false;
	uint32_t k, row;
	void *block;

	add_mixed(r, 24);
	site_rig_boot(r);
	block = malloc(site_rows_size(&r->model.site));
	site_rows_init(&rows, &r->model.site, block);
	for (k = 0; k < 3000; k++) {
		uint32_t i = site_rig_random(r) % 24;
		int32_t next_mA = (int32_t)(site_rig_random(r) % 32001) * (site_rig_random(r) % 4 > 0);

		site_rows_add(&rows, i, next_mA - mA[i]);
		mA[i] = next_mA;
		for (row = 0; row < r->model.site.n_rows; row++) {
			int64_t proof = alloc_row_mA(&r->model.site, row, mA, sizeof(mA[0]), false);
			int64_t ours = site_rows_mA(&rows, row), n_dirs = r->model.site.row[row].n_dirs;

			has_phasors = has_phasors || n_dirs > 1;
			assert_true(n_dirs == 1 ? ours == proof : ours >= proof && ours <= proof + 2);
		}
	}
	assert_true(has_phasors);
	free(block);
}

static void test_room_is_what_fits_and_one_step_more_does_not(void **state)
{
	struct site_rig *r = *state;
	int32_t mA[24] = {0}, limit_mA[64];
	struct site_rows rows;
	uint32_t k, row, full, n_short = 0;
	void *block;

	add_mixed(r, 24);
	site_rig_boot(r);
	block = malloc(site_rows_size(&r->model.site));
	site_rows_init(&rows, &r->model.site, block);
	for (row = 0; row < r->model.site.n_rows; row++)
		limit_mA[row] = 60000 + (int32_t)row * 1111;
	for (k = 0; k < 2000; k++) {
		uint32_t i = site_rig_random(r) % 24;
		int32_t want_mA = (int32_t)(site_rig_random(r) % 32001), room_mA;

		site_rows_add(&rows, i, -mA[i]);
		room_mA = site_rows_room_mA(&rows, limit_mA, i, want_mA, &full);
		assert_in_range(room_mA, 0, want_mA);
		site_rows_add(&rows, i, room_mA);
		mA[i] = room_mA;
		assert_true(site_rows_is_within(&rows, limit_mA, i, &row));
		for (row = 0; row < r->model.site.n_rows; row++)
			assert_true(alloc_row_mA(&r->model.site, row, mA, sizeof(mA[0]), false) <=
				    limit_mA[row]);
		if (room_mA == want_mA)
			continue;
		n_short++;
		mA[i] += 3;
		assert_true(alloc_row_mA(&r->model.site, full, mA, sizeof(mA[0]), false) > limit_mA[full]);
		mA[i] -= 3;
	}
	assert_true(n_short > 100);
	free(block);
}

/* --- reaction ---------------------------------------------------------------------------------------------- */

static void test_halved_limit_lowers_everybody_in_the_same_wakeup(void **state)
{
	struct site_rig *r = *state;
	uint64_t lowered;
	char err[200];
	uint32_t i;

	site_rig_points(r, 6);
	site_rig_start(r);
	for (i = 0; i < 6; i++)
		site_rig_plug(r, i);
	site_rig_run_ms(r, 10000);
	lowered = r->site.count.n_lowered;
	assert_int_equal(site_limits_set(&r->limits, SITE_LIMIT_EXTERNAL, 0, 0, FULL_mA / 2, FC_NEVER, err,
					 sizeof(err)),
			 0);
	site_limits_changed(&r->site, r->now_us, &r->out);
	assert_int_equal(r->site.count.n_lowered - lowered, 6);
	for (i = 0; i < 6; i++) /* the lowered grants come first */
		assert_int_equal(site_wire_find(&r->out.item[i].u.frame, &(unsigned){0}), SITE_GRANT);
	r->is_checked = false; /* until it is confirmed the old grants may still be drawn */
	site_rig_run_ms(r, 2500);
	r->is_checked = true;
	site_rig_run_ms(r, 10000);
	assert_in_range(site_rig_granted_mA(r), FULL_mA / 2 - 600, FULL_mA / 2);
}

static void test_deaf_points_are_within_a_fallen_limit_after_lease_and_reaction(void **state)
{
	struct site_rig *r = *state;
	uint32_t i;

	site_rig_points(r, 6);
	site_rig_start(r);
	for (i = 0; i < 6; i++)
		site_rig_plug(r, i);
	site_rig_run_ms(r, 10000);
	for (i = 0; i < 6; i++)
		r->car[i].is_deaf = true;
	r->is_checked = false;
	site_rig_limit(r, 0, 30000);
	site_rig_run_ms(r, 10500);
	assert_int_equal(site_rig_granted_mA(r), 0);
	site_rig_run_ms(r, 5000);
	r->is_checked = true; /* and by the ledger, which allows for two bad clocks */
	site_rig_run_ms(r, 1000);
}

static void test_raise_waits_for_the_confirmation_of_who_was_lowered(void **state)
{
	struct site_rig *r = *state;

	site_rig_points(r, 2);
	site_rig_start(r);
	site_rig_limit(r, 0, 32000);
	site_rig_plug(r, 0);
	site_rig_run_ms(r, 3000);
	assert_int_equal(r->car[0].granted_mA, 32000);
	r->car[0].is_deaf = true;
	site_rig_plug(r, 1);
	site_rig_run_ms(r, 8000);
	assert_int_equal(r->car[1].granted_mA, 0);
	assert_int_equal(r->car[1].reason, ALLOC_REASON_LEDGER);
	r->car[0].is_deaf = false;
	site_rig_run_ms(r, 3000);
	assert_int_equal(r->car[0].granted_mA, 16000);
	assert_int_equal(r->car[1].granted_mA, 16000);
}

static void test_losses_never_put_a_row_over_its_limit(void **state)
{
	struct site_rig *r = *state;
	uint32_t i, k;

	site_rig_points(r, 12);
	r->loss_permille = 300;
	site_rig_start(r);
	for (k = 0; k < 300; k++) {
		i = site_rig_random(r) % 12;
		if (r->car[i].state == SITE_POINT_REPORT_STATE_IDLE)
			site_rig_plug(r, i);
		else
			site_rig_unplug(r, i);
		site_rig_run_ms(r, 100 + site_rig_random(r) % 4000);
	}
	assert_true(r->site.count.n_changes > 300);
	assert_true(r->site.count.n_refused_reports == 0);
}

/*
 * A limit fell, p0 has not confirmed. That p1 may still be drawing more than its newest grant is no reason to
 * give it back: then the old currents of both would go on.
 */
static void test_nothing_is_given_back_while_a_row_is_over_its_limit(void **state)
{
	struct site_rig *r = *state;

	r->policy = &rig_fcfs;
	site_rig_points(r, 2);
	site_rig_start(r);
	site_rig_plug(r, 0);
	site_rig_plug(r, 1);
	site_rig_run_ms(r, 5000);
	while (r->car[1].report_us - r->now_us < 900000) /* just after a report of p1 */
		site_rig_run_ms(r, 20);
	r->car[0].is_deaf = true;
	r->is_checked = false;
	site_rig_limit(r, 0, 32000);
	assert_int_equal(r->car[1].granted_mA, 6000);
	assert_int_equal(site_rig_ask(r, "priority p1 5"), 0);
	site_rig_run_ms(r, 600);
	assert_int_equal(r->car[1].granted_mA, 6000);
	site_rig_run_ms(r, 2000);
	assert_int_equal(r->car[1].granted_mA, 6000);
	assert_int_equal(r->car[1].reason, ALLOC_REASON_LEDGER);
	site_rig_run_ms(r, 16000);
	assert_int_equal(r->car[1].granted_mA, 26000); /* and 6 A for p0 */
}

/* Gives everything to p0; knows nothing of safe currents. */
static int32_t only_first(void *self, struct alloc_call *call)
{
	int32_t mA = alloc_point_at(call, 0)->max_mA;

	(void)self;
	if (mA > call->limit_mA[0])
		mA = call->limit_mA[0] / 100 * 100;
	if (alloc_wants(alloc_point_at(call, 0)))
		alloc_grant_at(call, 0)->mA = mA;
	return 0;
}

static void test_safe_currents_are_kept_free_though_the_policy_forgets_them(void **state)
{
	static const struct alloc_policy_ops ops = {.allocate = only_first};
	struct site_rig *r = *state;

	r->policy = &ops;
	r->conf.wait_max_ms = 0;
	site_rig_points(r, 2);
	r->point[1].safe_mA = 6000;
	site_rig_start(r);
	site_rig_limit(r, 0, 40000);
	site_rig_plug(r, 0);
	site_rig_plug(r, 1);
	site_rig_run_ms(r, 5000);
	assert_int_equal(r->car[0].granted_mA, 32000);
	r->is_checked = false;
	site_rig_limit(r, 0, 36000);
	assert_int_equal(r->car[0].granted_mA, 30000);
	site_rig_run_ms(r, 3000);
	r->is_checked = true;
	site_rig_run_ms(r, 3000);
}

/* --- reasons, ramp ----------------------------------------------------------------------------------------- */

static void test_ramp_raises_slowly_and_lowers_at_once(void **state)
{
	struct site_rig *r = *state;

	r->conf.ramp_mA_per_s = 2000;
	site_rig_points(r, 1);
	site_rig_start(r);
	site_rig_plug(r, 0);
	site_rig_run_ms(r, 1200);
	assert_in_range(r->car[0].granted_mA, 6000, 8400);
	assert_int_equal(r->car[0].reason, ALLOC_REASON_RAMP);
	site_rig_run_ms(r, 3000);
	assert_in_range(r->car[0].granted_mA, 12000, 14000);
	site_rig_run_ms(r, 12000);
	assert_int_equal(r->car[0].granted_mA, 32000);
	r->is_checked = false; /* not confirmed yet */
	site_rig_limit(r, 0, 16000);
	assert_int_equal(r->car[0].granted_mA, 16000);
}

/* --- fixed point ------------------------------------------------------------------------------------------- */

static void test_nothing_changes_when_nothing_changed(void **state)
{
	struct site_rig *r = *state;
	uint64_t changes;
	uint32_t i;

	site_rig_points(r, 9);
	r->conf.wait_max_ms = 0;
	site_rig_start(r);
	site_rig_limit(r, 0, 47000); /* not all fit */
	for (i = 0; i < 9; i++)
		site_rig_plug(r, i);
	site_rig_run_ms(r, 20000);
	changes = r->site.count.n_changes;
	site_rig_run_ms(r, 400000);
	assert_int_equal(r->site.count.n_changes, changes);
}

static void test_noise_of_half_an_ampere_changes_grants_once_a_minute_at_most(void **state)
{
	struct site_rig *r = *state;
	uint32_t i, minute;

	site_rig_points(r, 6);
	r->node[0].has_meter = true;
	r->node[0].meter_max_age_ms = 10000;
	site_rig_start(r);
	for (i = 0; i < 6; i++) {
		r->car[i].noise_mA = 500;
		site_rig_plug(r, i);
	}
	for (minute = 0; minute < 12; minute++) {
		uint32_t second;

		for (i = 0; i < 6; i++)
			r->car[i].n_changes = 0;
		for (second = 0; second < 60; second++) {
			int32_t base_mA = 20000 + (int32_t)(site_rig_random(r) % 1001) - 500;

			site_limits_meter(&r->limits, 0, (int32_t[3]){base_mA, base_mA, base_mA}, r->now_us);
			site_limits_changed(&r->site, r->now_us, &r->out);
			r->is_checked = false; /* a limit that trembles falls before anybody can follow */
			site_rig_run_ms(r, 1000);
		}
		for (i = 0; i < 6 && minute > 1; i++)
			assert_true(r->car[i].n_changes <= 1);
	}
	assert_in_range(site_rig_granted_mA(r), 77000, 80500);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, site_rig_set_up, site_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rows_carry_what_the_proof_says_and_hardly_more),
		TEST(test_room_is_what_fits_and_one_step_more_does_not),
		TEST(test_halved_limit_lowers_everybody_in_the_same_wakeup),
		TEST(test_deaf_points_are_within_a_fallen_limit_after_lease_and_reaction),
		TEST(test_raise_waits_for_the_confirmation_of_who_was_lowered),
		TEST(test_losses_never_put_a_row_over_its_limit),
		TEST(test_nothing_is_given_back_while_a_row_is_over_its_limit),
		TEST(test_safe_currents_are_kept_free_though_the_policy_forgets_them),
		TEST(test_ramp_raises_slowly_and_lowers_at_once),
		TEST(test_nothing_changes_when_nothing_changed),
		TEST(test_noise_of_half_an_ampere_changes_grants_once_a_minute_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
