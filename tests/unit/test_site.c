/* SPDX-License-Identifier: MIT */
/* The site's machine as a whole: start, sharing, roles of points, messages, and input that is none. */
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

/* --- start ------------------------------------------------------------------------------------------------- */

static void test_start_grants_nothing_in_the_quiet_time(void **state)
{
	struct site_rig *r = *state;
	uint32_t i;

	site_rig_points(r, 4);
	site_rig_boot(r);
	for (i = 0; i < 4; i++)
		site_rig_plug(r, i);
	site_rig_run_ms(r, 35000);
	assert_int_equal(r->site.count.n_grants, 0);
	assert_int_equal(r->status.state, SITE_STATUS_STATE_STARTING);
	assert_int_equal(r->car[2].reason, ALLOC_REASON_START);
	site_rig_run_ms(r, 5000);
	assert_int_equal(r->status.state, SITE_STATUS_STATE_RUNNING);
	assert_true(site_rig_granted_mA(r) > FULL_mA - 1000);
}

static void test_init_refuses_a_lease_that_is_no_multiple(void **state)
{
	struct site_rig *r = *state;
	struct site s;
	char err[200];

	site_rig_points(r, 1);
	site_rig_boot(r);
	r->conf.lease_ms = 9000;
	assert_int_equal(
		site_init(&s, &r->conf, &r->model, &r->limits, r->block[2], NULL, 0, err, sizeof(err)),
		-EINVAL);
	assert_non_null(strstr(err, "9000"));
}

/* --- sharing ----------------------------------------------------------------------------------------------- */

static void test_six_cars_share_the_limit_to_the_last_tenth(void **state)
{
	struct site_rig *r = *state;
	uint32_t i;

	site_rig_points(r, 6);
	site_rig_start(r);
	for (i = 0; i < 6; i++)
		site_rig_plug(r, i);
	site_rig_run_ms(r, 10000);
	assert_int_equal(site_rig_granted_mA(r), FULL_mA);
	for (i = 0; i < 6; i++) {
		assert_in_range(r->car[i].granted_mA, 16600, 16700);
		assert_int_equal(r->car[i].reason, ALLOC_REASON_ROW);
		assert_in_range(r->car[i].row, 0, 2);
	}
}

static void test_every_report_is_answered(void **state)
{
	struct site_rig *r = *state;
	uint32_t i;

	site_rig_points(r, 8);
	site_rig_start(r);
	for (i = 0; i < 8; i++)
		site_rig_plug(r, i);
	site_rig_run_ms(r, 10000);
	for (i = 0; i < 8; i++)
		r->car[i].n_grants = 0;
	site_rig_run_ms(r, 60000);
	for (i = 0; i < 8; i++) {
		assert_in_range(r->car[i].n_grants, 59, 61);
		assert_int_equal(r->car[i].hold.n_expired, 0);
	}
}

static void test_single_phase_points_fill_their_own_phase(void **state)
{
	struct site_rig *r = *state;
	unsigned k;

	for (k = 0; k < 6; k++)
		site_rig_point(r, 0, k < 4 ? 1 : 2);
	site_rig_start(r);
	for (k = 0; k < 6; k++)
		site_rig_plug(r, k);
	site_rig_run_ms(r, 10000);
	for (k = 0; k < 4; k++)
		assert_int_equal(r->car[k].granted_mA, 25000);
	assert_int_equal(r->car[4].granted_mA, 32000);
	assert_int_equal(r->car[4].reason, ALLOC_REASON_MAXIMUM);
	assert_int_equal(r->car[0].row, 0); /* main L1 */
}

static void test_minimum_that_does_not_fit_waits(void **state)
{
	struct site_rig *r = *state;
	uint32_t i;

	r->conf.wait_max_ms = 0;
	site_rig_points(r, 5);
	site_rig_start(r);
	site_rig_limit(r, 0, 20000);
	for (i = 0; i < 5; i++)
		site_rig_plug(r, i);
	site_rig_run_ms(r, 10000);
	assert_int_equal(site_rig_granted_mA(r), 20000);
	for (i = 0; i < 5; i++)
		assert_true(r->car[i].granted_mA == 0 || r->car[i].granted_mA >= 6000);
}

static void test_leaving_vehicle_gives_its_current_to_others(void **state)
{
	struct site_rig *r = *state;
	uint32_t i;

	site_rig_points(r, 5);
	site_rig_start(r);
	for (i = 0; i < 5; i++)
		site_rig_plug(r, i);
	site_rig_run_ms(r, 10000);
	assert_int_equal(r->car[0].granted_mA, 20000);
	site_rig_unplug(r, 4);
	site_rig_run_ms(r, 6000);
	assert_int_equal(r->car[4].granted_mA, 0);
	assert_int_equal(r->car[0].granted_mA, 25000);
}

static void test_silent_point_keeps_its_share_reserved_until_its_lease_is_over(void **state)
{
	struct site_rig *r = *state;

	site_rig_points(r, 2);
	r->point[0].safe_mA = r->point[1].safe_mA = 6000;
	site_rig_start(r);
	site_rig_limit(r, 0, 40000);
	site_rig_plug(r, 0);
	site_rig_plug(r, 1);
	site_rig_run_ms(r, 10000);
	assert_int_equal(r->car[0].granted_mA, 20000);
	r->car[1].is_mute = true;
	site_rig_run_ms(r, 10000);
	assert_true(site_rig_has_logged(r, "p1 silent"));
	assert_int_equal(r->status.reporting, 1);
	assert_true(r->car[0].granted_mA <= 20000);
	site_rig_run_ms(r, 10000);
	assert_int_equal(r->car[0].granted_mA, 32000);
}

static void test_fault_local_and_finished_get_nothing(void **state)
{
	struct site_rig *r = *state;
	uint32_t i;

	site_rig_points(r, 4);
	site_rig_start(r);
	for (i = 0; i < 4; i++)
		site_rig_plug(r, i);
	site_rig_run_ms(r, 5000);
	r->car[1].state = SITE_POINT_REPORT_STATE_FAULT;
	r->car[2].state = SITE_POINT_REPORT_STATE_FINISHED;
	r->car[3].is_local = true;
	site_rig_run_ms(r, 25000);
	assert_int_equal(r->car[0].granted_mA, 32000);
	for (i = 1; i < 4; i++)
		assert_int_equal(r->car[i].granted_mA, 0);
}

/* --- what it says ------------------------------------------------------------------------------------------ */

static void test_status_once_a_second_and_every_row_within_five(void **state)
{
	struct site_rig *r = *state;

	site_rig_points(r, 3);
	site_rig_start(r);
	r->n_status = r->n_rows = 0;
	site_rig_run_ms(r, 10000);
	assert_int_equal(r->n_status, 10);
	assert_in_range(r->n_rows, 2 * r->model.site.n_rows, 40);
	assert_int_equal(r->status.points, 3);
	assert_int_equal(r->status.reporting, 3);
}

static void test_frames_of_many_points_are_spread_over_wakeups(void **state)
{
	struct site_rig *r = *state;
	uint32_t i;

	site_rig_points(r, SITE_RIG_POINTS);
	site_rig_start(r);
	for (i = 0; i < SITE_RIG_POINTS; i++)
		site_rig_plug(r, i);
	r->n_most_frames = 0;
	site_rig_run_ms(r, 10000);
	assert_true(r->n_most_frames <= SITE_FRAMES_PER_TICK + 13); /* status on three buses and ten rows */
	for (i = 0; i < SITE_RIG_POINTS; i++)
		assert_int_equal(r->car[i].hold.n_expired, 0);
}

static void test_second_tick_of_the_same_time_says_nothing(void **state)
{
	struct site_rig *r = *state;
	uint32_t n;

	site_rig_points(r, 3);
	site_rig_start(r);
	while (r->now_us < site_ops.next_us(&r->site))
		r->now_us += 1000;
	site_ops.tick(&r->site, r->now_us, &r->out);
	n = r->out.n;
	assert_true(n > 0);
	site_ops.tick(&r->site, r->now_us, &r->out);
	assert_int_equal(r->out.n, n);
}

static void test_overdrawing_point_sets_the_alarm(void **state)
{
	struct site_rig *r = *state;

	site_rig_points(r, 2);
	site_rig_start(r);
	site_rig_plug(r, 0);
	site_rig_run_ms(r, 5000);
	assert_int_equal(r->status.alarm, 0);
	r->car[0].noise_mA = 0;
	r->site.conf.reclaim_ms = 0;
	/* A lying meter, or a point that does not obey. */
	r->car[0].maximum_mA = 10000;
	site_rig_run_ms(r, 3000);
	r->car[0].hold.charge_mA = 20000;
	r->car[0].is_deaf = true;
	r->is_checked = false;
	site_rig_run_ms(r, 5000);
	assert_true(r->status.alarm & SITE_STATUS_OVERDRAWN);
	assert_true(site_rig_has_logged(r, "draws more than it may"));
}

static void test_stop_says_so_and_is_done_at_once(void **state)
{
	struct site_rig *r = *state;

	site_rig_points(r, 2);
	site_rig_start(r);
	site_rig_plug(r, 0);
	site_rig_run_ms(r, 5000);
	site_ops.stop(&r->site, r->now_us, &r->out);
	assert_true(site_ops.is_stopped(&r->site));
	assert_true(site_ops.next_us(&r->site) == FC_NEVER);
	site_rig_run_ms(r, 9000);
	assert_int_equal(r->status.state, SITE_STATUS_STATE_STOPPING);
	site_rig_run_ms(r, 3000);
	assert_int_equal(r->car[0].granted_mA, 0);
}

static void test_another_site_on_the_bus_stops_the_grants(void **state)
{
	struct site_rig *r = *state;
	struct site_status other = {.state = SITE_STATUS_STATE_RUNNING};
	struct can_frame f;
	uint64_t n;
	unsigned k;

	site_rig_points(r, 2);
	site_rig_start(r);
	site_rig_plug(r, 0);
	site_rig_run_ms(r, 5000);
	n = r->site.count.n_grants;
	site_wire_status(&f, &other);
	for (k = 0; k < 5; k++) {
		site_bus_rx(&r->site, r->now_us, 0, &f, &r->out);
		site_rig_run_ms(r, 1000);
	}
	assert_true(r->site.count.n_grants <= n + 2);
	assert_true(r->status.alarm & SITE_STATUS_OTHER_SITE);
	assert_true(site_rig_has_logged(r, "another site"));
	site_rig_run_ms(r, 6000);
	assert_int_equal(r->car[0].granted_mA, 32000);
}

/* --- input that is none ------------------------------------------------------------------------------------ */

static void test_foreign_short_and_unknown_frames_are_counted_and_dropped(void **state)
{
	struct site_rig *r = *state;
	struct can_frame f = {.can_id = 0x123, .can_dlc = 8};

	site_rig_points(r, 2);
	site_rig_start(r);
	site_bus_rx(&r->site, r->now_us, 0, &f, &r->out);
	f.can_id = site_layouts[SITE_V1][SITE_POINT_REPORT].id | 9u << MSG_INDEX_SHIFT;
	site_bus_rx(&r->site, r->now_us, 0, &f, &r->out);
	assert_int_equal(r->site.count.n_unknown_points, 1);
	f.can_id = site_layouts[SITE_V1][SITE_POINT_REPORT].id | 1u << MSG_INDEX_SHIFT;
	f.can_dlc = 3;
	site_bus_rx(&r->site, r->now_us, 0, &f, &r->out);
	assert_int_equal(r->site.count.n_bad_frames, 1);
	f.can_dlc = 8;
	site_bus_rx(&r->site, r->now_us, 16, &f, &r->out);
	assert_int_equal(r->site.count.n_unknown_points, 2);
	site_bus_rx(&r->site, r->now_us, 99, &f, &r->out);
	f.can_id |= CAN_RTR_FLAG;
	site_bus_rx(&r->site, r->now_us, 0, &f, &r->out);
	assert_int_equal(r->site.count.n_unknown_points, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, site_rig_set_up, site_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_start_grants_nothing_in_the_quiet_time),
		TEST(test_init_refuses_a_lease_that_is_no_multiple),
		TEST(test_six_cars_share_the_limit_to_the_last_tenth),
		TEST(test_every_report_is_answered),
		TEST(test_single_phase_points_fill_their_own_phase),
		TEST(test_minimum_that_does_not_fit_waits),
		TEST(test_leaving_vehicle_gives_its_current_to_others),
		TEST(test_silent_point_keeps_its_share_reserved_until_its_lease_is_over),
		TEST(test_fault_local_and_finished_get_nothing),
		TEST(test_status_once_a_second_and_every_row_within_five),
		TEST(test_frames_of_many_points_are_spread_over_wakeups),
		TEST(test_second_tick_of_the_same_time_says_nothing),
		TEST(test_overdrawing_point_sets_the_alarm),
		TEST(test_stop_says_so_and_is_done_at_once),
		TEST(test_another_site_on_the_bus_stops_the_grants),
		TEST(test_foreign_short_and_unknown_frames_are_counted_and_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
