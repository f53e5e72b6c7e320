/* SPDX-License-Identifier: MIT */
/* The model of the site's monitor: what it makes of reports, grants and rows, and what it tells of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/site_mon_rig.h"

#define S ((int64_t)FC_US_PER_S)

static void test_smon_grant_is_in_force_when_acknowledged(void **state)
{
	struct smon_rig *r = *state;

	smon_rig_report(r, 100, 255, 0);
	r->now_us += 20000;
	smon_rig_grant(r, 100, 2, 16000);
	assert_int_equal(smon_lease_left_us(&r->model, smon_rig_point(r)), -1);
	r->now_us += SMON_RIG_S;
	smon_rig_report(r, 101, 1, 2);
	assert_int_equal(smon_rig_point(r)->in_force.grant.charge_current_mA, 16000);
	/* From the sending of the answered report: 10 s less the 1.02 s that have passed. */
	assert_int_equal(smon_lease_left_us(&r->model, smon_rig_point(r)),
			 10 * SMON_RIG_S - SMON_RIG_S - 20000);
	assert_int_equal(smon_totals(&r->model).granted_mA, 16000);
}

static void test_smon_lease_that_runs_out_is_not_in_force(void **state)
{
	struct smon_rig *r = *state;

	smon_rig_report(r, 100, 255, 0);
	smon_rig_grant(r, 100, 0, 16000);
	smon_rig_report(r, 101, 1, 0);
	smon_tick(&r->model, SMON_RIG_BEGIN_US + 10 * SMON_RIG_S);
	assert_int_equal(smon_lease_left_us(&r->model, smon_rig_point(r)), -1);
	assert_int_equal(smon_totals(&r->model).granted_mA, 0);
	r->now_us = SMON_RIG_BEGIN_US + 10 * SMON_RIG_S;
	smon_rig_report(r, 111, 255, 0);
	assert_true(smon_rig_has_event(r, "lease over"));
}

static void test_smon_other_revision_is_not_taken_for_the_acknowledged_one(void **state)
{
	struct smon_rig *r = *state;

	smon_rig_report(r, 100, 255, 0);
	smon_rig_grant(r, 100, 0, 16000);
	smon_rig_grant(r, 100, 1, 6000);
	smon_rig_report(r, 101, 1, 0);
	assert_int_equal(smon_rig_point(r)->in_force.grant.charge_current_mA, 16000);
	smon_rig_report(r, 102, 2, 1);
	assert_int_equal(smon_rig_point(r)->in_force.grant.charge_current_mA, 6000);
}

static void test_smon_numbers_wrap(void **state)
{
	struct smon_rig *r = *state;

	smon_rig_report(r, 0xffffff, 255, 0);
	smon_rig_grant(r, 0xffffff, 0, 16000);
	smon_rig_report(r, 0, 1, 0);
	assert_int_equal(smon_rig_point(r)->in_force.grant.charge_current_mA, 16000);
	assert_int_equal(smon_rig_point(r)->n_missed, 0);
	smon_rig_report(r, 4, 5, 0);
	assert_int_equal(smon_rig_point(r)->n_missed, 3);
	smon_rig_report(r, 6, 7, 0);
	assert_int_equal(smon_rig_point(r)->n_missed, 4);
}

static void test_smon_silence_of_point_and_site_is_told_once(void **state)
{
	struct smon_rig *r = *state;
	uint32_t n;

	smon_rig_report(r, 100, 255, 0);
	smon_rig_status(r, 0);
	smon_tick(&r->model, SMON_RIG_BEGIN_US + SMON_SILENT_US - 1);
	assert_false(smon_rig_point(r)->is_silent || r->model.is_site_silent);
	smon_tick(&r->model, SMON_RIG_BEGIN_US + SMON_SILENT_US);
	assert_true(smon_rig_point(r)->is_silent && r->model.is_site_silent);
	n = r->model.n_events;
	smon_tick(&r->model, SMON_RIG_BEGIN_US + 2 * SMON_SILENT_US);
	assert_int_equal(r->model.n_events, n);
	r->now_us = SMON_RIG_BEGIN_US + 3 * SMON_SILENT_US;
	smon_rig_report(r, 200, 255, 0);
	smon_rig_status(r, 0);
	assert_false(smon_rig_point(r)->is_silent || r->model.is_site_silent);
	assert_true(smon_rig_has_event(r, "reports again") && smon_rig_has_event(r, "speaks again"));
}

static void test_smon_row_over_its_limit_is_told(void **state)
{
	struct smon_rig *r = *state;

	smon_rig_row(r, 7, 20000, 20000);
	assert_int_equal(smon_totals(&r->model).n_rows_over, 0);
	smon_rig_row(r, 7, 20100, 20000);
	assert_int_equal(smon_totals(&r->model).n_rows_over, 1);
	assert_true(smon_rig_has_event(r, "20.1 A may be drawn, limit 20.0 A"));
	smon_rig_row(r, 7, 15000, 20000);
	assert_int_equal(smon_totals(&r->model).n_rows_over, 0);
	assert_int_equal(r->model.row[7].n_over, 1);
}

static void test_smon_alarms_come_and_go_as_events(void **state)
{
	struct smon_rig *r = *state;

	smon_rig_status(r, 0);
	assert_false(smon_rig_has_event(r, "stale"));
	smon_rig_status(r, 2);
	assert_true(smon_rig_has_event(r, "a meter is stale"));
	smon_rig_status(r, 0);
	assert_true(smon_rig_has_event(r, "over: a meter is stale"));
}

static void test_smon_change_of_a_grant_is_told_with_its_own_reason(void **state)
{
	struct smon_rig *r = *state;

	smon_rig_report(r, 100, 255, 0);
	smon_rig_grant(r, 100, 0, 16000);
	smon_rig_grant(r, 100, 1, 16000);
	assert_false(smon_rig_has_event(r, "raised"));
	smon_rig_grant(r, 100, 2, 6000);
	assert_true(smon_rig_has_event(r, "lowered 16.0 -> 6.0 A: limit"));
}

static void test_smon_grant_that_trembles_is_told_once_it_has_moved(void **state)
{
	struct smon_rig *r = *state;
	uint32_t n;
	int32_t mA;

	smon_rig_report(r, 100, 255, 0);
	smon_rig_grant(r, 100, 0, 16000);
	n = r->model.n_events;
	for (mA = 16000; mA < 17600; mA += 100)
		smon_rig_grant(r, 100, 1, mA);
	assert_int_equal(r->model.n_events, n);
	smon_rig_grant(r, 100, 2, 17600);
	assert_true(smon_rig_has_event(r, "raised 16.0 -> 17.6 A"));
	smon_rig_grant(r, 100, 3, 0);
	assert_true(smon_rig_has_event(r, "lowered 17.6 -> 0.0 A"));
	smon_rig_grant(r, 100, 4, 100);
	assert_true(smon_rig_has_event(r, "raised 0.0 -> 0.1 A"));
}

static void test_smon_limit_that_follows_a_meter_is_told_now_and_then(void **state)
{
	struct smon_rig *r = *state;
	int i;

	for (i = 0; i <= 60; i++, r->now_us += SMON_RIG_S) {
		smon_tick(&r->model, r->now_us);
		smon_rig_row(r, 7, 0, 100000 + (i % 2 ? 8000 : 0));
	}
	assert_in_range(r->model.n_events, 2, 3);
	smon_rig_row(r, 7, 0, 50000);
	assert_true(smon_rig_has_event(r, "-> 50.0 A"));
}

static void test_smon_grant_not_heard_is_not_taken_for_an_older_one(void **state)
{
	struct smon_rig *r = *state;

	smon_rig_report(r, 100, 255, 0);
	smon_rig_grant(r, 100, 0, 16000);
	smon_rig_report(r, 101, 1, 0);
	smon_rig_report(r, 102, 1, 0); /* acknowledges an answer to 101, which was lost on its way to us */
	assert_int_equal(smon_lease_left_us(&r->model, smon_rig_point(r)), -1);
	assert_true(smon_has_unheard_grant(smon_rig_point(r)));
	assert_false(smon_rig_has_event(r, "lease over"));
	/* The same one for long, while newer ones do not reach the point. */
	for (int i = 0; i < 2 * SMON_SENT; i++)
		smon_rig_grant(r, 102, (uint8_t)(i % 16), 6000);
	smon_rig_report(r, 103, 1, 15);
	for (int i = 0; i < 2 * SMON_SENT; i++)
		smon_rig_grant(r, 103, (uint8_t)(i % 8), 8000);
	smon_rig_report(r, 104, 2, 15);
	assert_int_equal(smon_rig_point(r)->in_force.grant.charge_current_mA, 6000);
}

static void test_smon_restart_and_operator_are_told(void **state)
{
	struct smon_rig *r = *state;
	struct site_point_report m = {.number = 7, .ack_age = 255};

	smon_rig_send(r, SITE_POINT_REPORT, SMON_RIG_POINT, &m);
	m.is_restarted = m.is_local = 1;
	m.number = 9000;
	smon_rig_send(r, SITE_POINT_REPORT, SMON_RIG_POINT, &m);
	assert_true(smon_rig_has_event(r, "started anew") && smon_rig_has_event(r, "out of the site's hand"));
	m.is_local = 0;
	smon_rig_send(r, SITE_POINT_REPORT, SMON_RIG_POINT, &m);
	assert_true(smon_rig_has_event(r, "back in the site's hand"));
	assert_int_equal(smon_rig_point(r)->n_missed, 0);
}

static void test_smon_bad_frames_are_counted_and_dropped(void **state)
{
	struct smon_rig *r = *state;
	struct can_frame f = {.can_id = 0x030A8000 | CAN_EFF_FLAG, .can_dlc = 4};
	struct can_frame standard = {.can_id = 0x100, .can_dlc = 8};

	smon_rx(&r->model, r->now_us, 0, &f);
	smon_rx(&r->model, r->now_us, 0, &standard);
	smon_rx(&r->model, r->now_us, SMON_MAX_BUSES, &f);
	smon_rig_row(r, SMON_MAX_ROWS, 1, 1);
	assert_int_equal(r->model.n_bad, 2);
	assert_int_equal(r->model.n_frames, 4);
	assert_null(smon_next_point(&r->model, 0, 0));
}

static void test_smon_history_of_all_the_time_holds_days_and_their_peaks(void **state)
{
	struct smon_rig *r = *state;
	const struct smon_track *t = &r->model.history.track[SMON_SPAN_ALL];
	struct smon_step s;
	uint32_t i, n_peaks = 0;
	int k;

	for (k = 0; k < 3 * 86400; k += 7) {
		r->now_us = SMON_RIG_BEGIN_US + k * SMON_RIG_S;
		smon_tick(&r->model, r->now_us);
		smon_rig_status(r, 0);
		smon_rig_row(r, 4, k == 86401 ? 90000 : 16000,
			     100000); /* told once, and lower again before the step is over */
	}
	assert_int_equal(t->n, smon_history_n(&r->model, SMON_SPAN_ALL));
	assert_true(t->n > SMON_HISTORY / 2 - 1);
	assert_true(t->begin_us + (int64_t)t->n * t->step_us > r->now_us);
	for (i = 0; i < t->n; i++) {
		s = smon_history_step(&r->model, 4, SMON_SPAN_ALL, i);
		assert_int_equal(s.limit, 1000);
		n_peaks += s.taken == 900;
	}
	assert_int_equal(n_peaks, 1);
}

static void test_smon_history_of_ten_minutes_is_the_last_ten(void **state)
{
	struct smon_rig *r = *state;
	uint32_t n, i;
	int k;

	for (k = 0; k < 1000; k++) {
		r->now_us = SMON_RIG_BEGIN_US + k * SMON_RIG_S;
		smon_tick(&r->model, r->now_us);
		smon_rig_status(r, 0);
		smon_rig_row(r, 4, 100 * k, 100000);
	}
	n = smon_history_n(&r->model, SMON_SPAN_RECENT);
	assert_int_equal(n, SMON_HISTORY);
	for (i = 0; i < n; i++) /* the last of each two seconds */
		assert_int_equal(smon_history_step(&r->model, 4, SMON_SPAN_RECENT, i).taken,
				 1000 - 599 + 2 * i);
	/* A year later nothing of it is left, and nobody waits for every step of the year. */
	smon_tick(&r->model, r->now_us + INT64_C(365) * 86400 * SMON_RIG_S);
	assert_int_equal(smon_history_step(&r->model, 4, SMON_SPAN_RECENT, n - 1).drawn, SMON_GAP);
}

static void test_smon_history_has_a_gap_before_a_row_and_while_the_site_is_silent(void **state)
{
	struct smon_rig *r = *state;
	uint32_t n;

	smon_rig_status(r, 0);
	r->now_us += 3 * SMON_RIG_S;
	smon_tick(&r->model, r->now_us);
	smon_rig_row(r, 4, 16000, 20000);
	r->now_us += 60 * SMON_RIG_S;
	smon_tick(&r->model, r->now_us);
	r->now_us += 10 * SMON_RIG_S;
	smon_tick(&r->model, r->now_us);
	n = smon_history_n(&r->model, SMON_SPAN_RECENT);
	assert_int_equal(smon_history_step(&r->model, 4, SMON_SPAN_RECENT, 0).drawn, SMON_GAP);
	assert_int_equal(smon_history_step(&r->model, 4, SMON_SPAN_RECENT, 1).taken, 160);
	assert_int_equal(smon_history_step(&r->model, 4, SMON_SPAN_RECENT, n - 1).drawn, SMON_GAP);
	assert_int_equal(smon_history_step(&r->model, 5, SMON_SPAN_RECENT, 1).drawn, SMON_GAP);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, smon_rig_set_up, smon_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_smon_grant_is_in_force_when_acknowledged),
		TEST(test_smon_lease_that_runs_out_is_not_in_force),
		TEST(test_smon_other_revision_is_not_taken_for_the_acknowledged_one),
		TEST(test_smon_numbers_wrap),
		TEST(test_smon_silence_of_point_and_site_is_told_once),
		TEST(test_smon_row_over_its_limit_is_told),
		TEST(test_smon_alarms_come_and_go_as_events),
		TEST(test_smon_change_of_a_grant_is_told_with_its_own_reason),
		TEST(test_smon_grant_that_trembles_is_told_once_it_has_moved),
		TEST(test_smon_limit_that_follows_a_meter_is_told_now_and_then),
		TEST(test_smon_grant_not_heard_is_not_taken_for_an_older_one),
		TEST(test_smon_restart_and_operator_are_told),
		TEST(test_smon_bad_frames_are_counted_and_dropped),
		TEST(test_smon_history_of_all_the_time_holds_days_and_their_peaks),
		TEST(test_smon_history_of_ten_minutes_is_the_last_ten),
		TEST(test_smon_history_has_a_gap_before_a_row_and_while_the_site_is_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
