/* SPDX-License-Identifier: MIT */
/* The point's half of a site without a session: conversion, reports, grants, the upper bound of the draw. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "evse-ctrl/evse_grant.h"

#define S_US	((int64_t)FC_US_PER_S)
#define MS_US	((int64_t)FC_US_PER_MS)
#define T0_US	(1000 * S_US)
#define INDEX	3
#define SAFE_mA 6000
#define FIRST	70000u

static struct evse_grant g;
static struct evse_grant_facts facts;
static struct evse_grant_draw draw;
static struct can_frame frame[EVSE_GRANT_N_FRAMES];
static int64_t now_us;

static int setup(void **state)
{
	(void)state;
	now_us = T0_US;
	evse_grant_init(&g, INDEX, SAFE_mA, FIRST, now_us);
	facts = (struct evse_grant_facts){.energy_wanted_Wh = EVSE_GRANT_UNKNOWN,
					  .departure_us = EVSE_GRANT_UNKNOWN,
					  .soc_percent = -1,
					  .maximum_mA = 63000,
					  .minimum_mA = 2000};
	draw = (struct evse_grant_draw){.is_fresh = true};
	return 0;
}

/* One cycle of the point; true when it reported. */
static bool cycle(void)
{
	draw.sampled_us = now_us;
	evse_grant_follow(&g, now_us, &draw);
	return evse_grant_report(&g, now_us, &facts, frame) > 0;
}

/* Cycles of 100 ms; how many reports left. */
static unsigned run_ms(int64_t ms)
{
	int64_t end_us = now_us + ms * MS_US;
	unsigned n = 0;

	while (now_us < end_us) {
		now_us += 100 * MS_US;
		evse_grant_expire(&g, now_us);
		n += cycle();
	}
	return n;
}

static struct site_point_report last_report(void)
{
	struct site_point_report r = {0};

	assert_true(msg_from_frame(&site_layouts[SITE_V1][SITE_POINT_REPORT], &r, &frame[0], 8));
	return r;
}

static enum evse_grant_event give(uint32_t number, uint8_t revision, uint8_t units, int32_t charge_mA)
{
	struct site_grant m = {.number = number,
			       .revision = revision,
			       .duration = units,
			       .charge_current_mA = charge_mA,
			       .discharge_current_mA = 1000};
	struct can_frame f;

	msg_to_frame(&site_layouts[SITE_V1][SITE_GRANT], &m, INDEX, &f);
	return evse_grant_rx(&g, now_us, &f);
}

/* --- conversion --------------------------------------------------------------------------------------- */

static const struct evse_supply three = {400000, 3, 950, 0}, one = {230000, 1, 900, 500};

static void test_supply_32_A_three_phases_give_21_kW(void **state)
{
	(void)state;
	/* 32 A x 400 V x sqrt 3 x 0.95 = 21061.7 W */
	assert_int_equal(evse_supply_dc_W(&three, 32000), 21061);
	/* (16 A - 0.5 A) x 230 V x 0.9 = 3208.5 W */
	assert_int_equal(evse_supply_dc_W(&one, 16000), 3208);
	assert_int_equal(evse_supply_dc_W(&one, 500), 0);
	assert_int_equal(evse_supply_dc_W(&one, 0), 0);
	assert_int_equal(evse_supply_dc_W(&three, -1000), 0);
}

static void test_supply_back_is_the_same_current_rounded_up(void **state)
{
	int32_t mA;

	(void)state;
	assert_int_equal(evse_supply_draw_mA(&three, 0), 0);
	assert_int_equal(evse_supply_draw_mA(&one, 0), 500);
	assert_int_equal(evse_supply_draw_mA(&one, -5), 500);
	for (mA = 1000; mA < 600000; mA += 977) {
		int64_t three_mW = evse_supply_dc_W(&three, mA) * INT64_C(1000);
		int64_t one_mW = evse_supply_dc_W(&one, mA) * INT64_C(1000);

		/* Never more than granted, and at most what a watt is less. */
		assert_in_range(evse_supply_draw_mA(&three, three_mW), mA - 2, mA);
		assert_in_range(evse_supply_draw_mA(&one, one_mW), mA - 5, mA);
		assert_true(evse_supply_draw_mA(&three, three_mW + 1000) > mA - 2);
	}
}

static void test_supply_beyond_the_arithmetic_saturates(void **state)
{
	static const struct evse_supply none = {0, 3, 950, 0};

	(void)state;
	assert_in_range(evse_supply_dc_W(&three, INT32_MAX), 1413000000, 1414000000);
	assert_in_range(evse_supply_draw_mA(&three, INT64_MAX), 1519000000, 1520000000); /* of a gigawatt */
	assert_int_equal(evse_supply_draw_mA(&none, 1000), INT32_MAX);
}

static void test_supply_feeding_back_is_reckoned_without_losses(void **state)
{
	(void)state;
	assert_int_equal(evse_supply_feed_mA(&three, 21061700), 30400);
	assert_int_equal(evse_supply_feed_mA(&three, 0), 0);
	assert_int_equal(evse_supply_feed_mA(&three, -1), 0);
	assert_int_equal(evse_supply_feed_W(&three, 32000), 22170);
	assert_int_equal(evse_supply_feed_W(&three, -1), 0);
	assert_true(evse_supply_feed_mA(&three, evse_supply_feed_W(&three, 32000) * INT64_C(1000)) <= 32000);
}

/* --- reports ------------------------------------------------------------------------------------------ */

static void test_report_first_after_300_ms_then_once_a_second(void **state)
{
	(void)state;
	assert_false(cycle());
	assert_int_equal(evse_grant_next_us(&g), T0_US + 300 * MS_US);
	assert_int_equal(run_ms(200), 0);
	assert_int_equal(run_ms(100), 1);
	assert_int_equal(last_report().number, FIRST);
	assert_int_equal(run_ms(10000), 10);
	assert_int_equal(last_report().number, FIRST + 10);
	assert_false(cycle()); /* the same moment again */
}

static void test_report_without_a_vehicle_is_two_frames_with_one_four(void **state)
{
	(void)state;
	now_us += 300 * MS_US;
	assert_int_equal(evse_grant_report(&g, now_us, &facts, frame), 2);
	facts.has_vehicle = true;
	facts.plugged_us = now_us - 95 * S_US;
	facts.energy_wanted_Wh = 20049;
	facts.departure_us = now_us + 90 * 60 * S_US;
	facts.soc_percent = 41;
	facts.priority = 7;
	facts.energy_session_Wh = 12345;
	facts.output_voltage_mV = 401300;
	facts.discharge_maximum_mA = 9990;
	now_us += S_US;
	assert_int_equal(evse_grant_report(&g, now_us, &facts, frame), 4);
	{
		struct site_point_session s;
		struct site_point_meter m;

		assert_true(msg_from_frame(&site_layouts[SITE_V1][SITE_POINT_SESSION], &s, &frame[2], 8));
		assert_true(msg_from_frame(&site_layouts[SITE_V1][SITE_POINT_METER], &m, &frame[3], 8));
		assert_int_equal(s.energy_wanted, 201); /* 0.1 kWh, nobody is promised less than he wants */
		assert_int_equal(s.departure, 90);
		assert_int_equal(s.plugged_for, 9);
		assert_int_equal(s.state_of_charge, 41);
		assert_int_equal(s.priority, 7);
		assert_int_equal(m.energy_session, 1234);
		assert_int_equal(m.output_voltage_mV, 401300);
		assert_int_equal(m.discharge_maximum_mA, 9900);
	}
	assert_int_equal(msg_index(frame[3].can_id), INDEX);
}

static void test_report_unknown_and_enormous_needs_have_their_numbers(void **state)
{
	struct site_point_session s;

	(void)state;
	facts.has_vehicle = true;
	now_us += 300 * MS_US;
	assert_int_equal(evse_grant_report(&g, now_us, &facts, frame), 4);
	assert_true(msg_from_frame(&site_layouts[SITE_V1][SITE_POINT_SESSION], &s, &frame[2], 8));
	assert_int_equal(s.energy_wanted, 65535);
	assert_int_equal(s.departure, 65535);
	assert_int_equal(s.state_of_charge, 255);
	facts.energy_wanted_Wh = INT64_C(1) << 40;
	facts.departure_us = now_us - 5 * S_US; /* gone by */
	facts.plugged_us = now_us - 10000000 * S_US;
	now_us += S_US;
	assert_int_equal(evse_grant_report(&g, now_us, &facts, frame), 4);
	assert_true(msg_from_frame(&site_layouts[SITE_V1][SITE_POINT_SESSION], &s, &frame[2], 8));
	assert_int_equal(s.energy_wanted, 65534);
	assert_int_equal(s.departure, 0);
	assert_int_equal(s.plugged_for, 65535);
}

static void test_report_demand_rounds_bounds_to_the_safe_side(void **state)
{
	struct site_point_demand d;

	(void)state;
	facts.requested_mA = 20010;
	facts.present_mA = -12340;
	facts.maximum_mA = 31990;
	facts.minimum_mA = 2010;
	now_us += 300 * MS_US;
	evse_grant_report(&g, now_us, &facts, frame);
	assert_true(msg_from_frame(&site_layouts[SITE_V1][SITE_POINT_DEMAND], &d, &frame[1], 8));
	assert_int_equal(d.requested_mA, 20100);
	assert_int_equal(d.present_mA, -12300);
	assert_int_equal(d.maximum_mA, 31900);
	assert_int_equal(d.minimum_mA, 2100);
	facts.maximum_mA = 1550; /* a vehicle that can take less than the least */
	facts.minimum_mA = 1550;
	now_us += S_US;
	evse_grant_report(&g, now_us, &facts, frame);
	assert_true(msg_from_frame(&site_layouts[SITE_V1][SITE_POINT_DEMAND], &d, &frame[1], 8));
	assert_int_equal(d.minimum_mA, d.maximum_mA);
}

static void test_report_changes_leave_at_once_but_not_within_250_ms(void **state)
{
	(void)state;
	run_ms(1000); /* reported at 0.3 s */
	facts.state = SITE_POINT_REPORT_STATE_WAITING;
	now_us += 20 * MS_US;
	assert_true(cycle());
	facts.state = SITE_POINT_REPORT_STATE_CHARGING;
	now_us += 50 * MS_US;
	assert_false(cycle());
	assert_int_equal(evse_grant_next_us(&g), now_us + 200 * MS_US);
	now_us += 199 * MS_US;
	assert_false(cycle());
	now_us += MS_US;
	assert_true(cycle());
	assert_int_equal(last_report().state, SITE_POINT_REPORT_STATE_CHARGING);
	/* The second's slot fell into the spacing: it is made up for, and the grid keeps its phase. */
	assert_int_equal(run_ms(300), 1);
	assert_int_equal(evse_grant_next_us(&g), T0_US + 2300 * MS_US);
}

static void test_report_tells_for_a_minute_that_the_process_is_new(void **state)
{
	(void)state;
	run_ms(59300);
	assert_true(last_report().is_restarted);
	run_ms(1000);
	assert_false(last_report().is_restarted);
}

/* --- grants ------------------------------------------------------------------------------------------- */

static void test_grant_in_force_is_acknowledged_in_the_next_report(void **state)
{
	(void)state;
	assert_int_equal(evse_grant_allowed_mA(&g, now_us), SAFE_mA);
	run_ms(1300);
	assert_int_equal(last_report().ack_age, 255);
	assert_int_equal(give(FIRST + 1, 2, 5, 32000), EVSE_GRANT_TAKEN);
	assert_int_equal(evse_grant_allowed_mA(&g, now_us), 32000);
	assert_int_equal(evse_grant_feed_mA(&g, now_us), 1000);
	assert_false(cycle()); /* 0 ms after the last one */
	assert_int_equal(run_ms(300), 1);
	assert_int_equal(last_report().ack_age, 1);
	assert_int_equal(last_report().ack_revision, 2);
	assert_int_equal(last_report().may_draw_mA, 32000);
}

static void test_grant_same_again_is_no_reason_to_hurry(void **state)
{
	(void)state;
	run_ms(1300);
	give(FIRST + 1, 0, 5, 32000);
	run_ms(1000);
	give(last_report().number, 0, 5, 32000);
	assert_int_equal(run_ms(900), 0);
	assert_int_equal(run_ms(100), 1);
}

static void test_grant_ends_at_its_moment_and_not_before(void **state)
{
	int64_t end_us;

	(void)state;
	run_ms(1300);
	end_us = now_us + 4 * S_US;
	assert_int_equal(give(FIRST + 1, 0, 2, 32000), EVSE_GRANT_TAKEN);
	run_ms(2000);
	assert_false(evse_grant_expire(&g, end_us - 1));
	assert_int_equal(evse_grant_allowed_mA(&g, end_us - 1), 32000);
	assert_int_equal(evse_grant_allowed_mA(&g, end_us), SAFE_mA);
	assert_int_equal(evse_grant_feed_mA(&g, end_us), 0);
	assert_true(evse_grant_next_us(&g) <= end_us);
	assert_true(evse_grant_expire(&g, end_us));
	assert_false(evse_grant_expire(&g, end_us));
}

static void test_grant_expiry_is_told_even_if_others_saw_it_first(void **state)
{
	(void)state;
	run_ms(1300);
	give(FIRST + 1, 0, 2, 32000);
	now_us += 5 * S_US;
	cycle(); /* asks the lease, which ends by that */
	assert_true(evse_grant_expire(&g, now_us));
}

static void test_grant_late_doubled_overtaken_malformed_are_dropped_and_counted(void **state)
{
	struct can_frame f;

	(void)state;
	run_ms(5300);
	assert_int_equal(give(FIRST + 40, 0, 5, 32000), EVSE_GRANT_DROPPED); /* never sent */
	assert_int_equal(give(FIRST, 0, 2, 32000), EVSE_GRANT_DROPPED);	     /* over for a second */
	assert_int_equal(give(FIRST + 4, 1, 5, 20000), EVSE_GRANT_TAKEN);
	assert_int_equal(give(FIRST + 4, 1, 5, 40000), EVSE_GRANT_DROPPED);
	assert_int_equal(give(FIRST + 3, 9, 5, 40000), EVSE_GRANT_DROPPED);
	assert_int_equal(give(FIRST + 5, 0, 0, 40000), EVSE_GRANT_DROPPED);
	assert_int_equal(evse_grant_allowed_mA(&g, now_us), 20000);
	assert_int_equal(evse_grant_n_dropped(&g), 5);
	memset(&f, 0, sizeof(f));
	f.can_id = site_layouts[SITE_V1][SITE_GRANT].id | INDEX << MSG_INDEX_SHIFT;
	f.can_dlc = 7;
	assert_int_equal(evse_grant_rx(&g, now_us, &f), EVSE_GRANT_DROPPED);
	f.can_id = site_layouts[SITE_V1][SITE_GRANT_REASON].id | INDEX << MSG_INDEX_SHIFT;
	assert_int_equal(evse_grant_rx(&g, now_us, &f), EVSE_GRANT_DROPPED);
	assert_int_equal(evse_grant_n_dropped(&g), 7);
}

static void test_grant_frames_of_others_are_not_touched(void **state)
{
	const struct msg_layout *l = &site_layouts[SITE_V1][SITE_GRANT];
	struct can_frame f = {.can_dlc = 8};

	(void)state;
	f.can_id = l->id | (INDEX + 1) << MSG_INDEX_SHIFT;
	assert_int_equal(evse_grant_rx(&g, now_us, &f), EVSE_GRANT_OTHER);
	f.can_id = (l->id | INDEX << MSG_INDEX_SHIFT) ^ CAN_EFF_FLAG;
	assert_int_equal(evse_grant_rx(&g, now_us, &f), EVSE_GRANT_OTHER);
	f.can_id = l->id | INDEX << MSG_INDEX_SHIFT | CAN_RTR_FLAG;
	assert_int_equal(evse_grant_rx(&g, now_us, &f), EVSE_GRANT_OTHER);
	f.can_id = l->id | INDEX << MSG_INDEX_SHIFT | CAN_ERR_FLAG;
	assert_int_equal(evse_grant_rx(&g, now_us, &f), EVSE_GRANT_OTHER);
	f.can_id = site_layouts[SITE_V1][SITE_POINT_REPORT].id | INDEX << MSG_INDEX_SHIFT;
	assert_int_equal(evse_grant_rx(&g, now_us, &f), EVSE_GRANT_OTHER);
	assert_int_equal(evse_grant_n_dropped(&g), 0);
}

static void test_grant_filters_are_those_two_messages_of_the_own_number(void **state)
{
	struct can_filter f[4];

	(void)state;
	assert_int_equal(evse_grant_filters(&g, f, 4), 2);
	assert_int_equal(f[0].can_id, CAN_EFF_FLAG | 0x030a8010);
	assert_int_equal(f[1].can_id, CAN_EFF_FLAG | 0x030a8011);
	assert_int_equal(f[1].can_mask, CAN_EFF_MASK | CAN_EFF_FLAG | CAN_RTR_FLAG);
	assert_int_equal(evse_grant_filters(&g, f, 1), 1);
}

static void test_grant_reason_is_kept_and_has_names(void **state)
{
	struct site_grant_reason m = {.reason = 2, .row = 17, .node = 4, .phase = 1, .aim_mA = 40000};
	struct can_frame f;

	(void)state;
	assert_false(g.has_why);
	msg_to_frame(&site_layouts[SITE_V1][SITE_GRANT_REASON], &m, INDEX, &f);
	assert_int_equal(evse_grant_rx(&g, now_us, &f), EVSE_GRANT_WHY);
	assert_true(g.has_why);
	assert_int_equal(g.why.row, 17);
	assert_int_equal(g.why.aim_mA, 40000);
	assert_string_equal(evse_grant_reason_name(2), "Limit");
	assert_string_equal(evse_grant_reason_name(200), "unknown");
	assert_string_equal(evse_grant_state_name(SITE_POINT_REPORT_STATE_CHARGING), "Charging");
}

static void test_grant_local_keeps_to_the_safe_current(void **state)
{
	(void)state;
	run_ms(1300);
	give(FIRST + 1, 0, 5, 32000);
	g.is_local = true;
	assert_int_equal(evse_grant_allowed_mA(&g, now_us), SAFE_mA);
	assert_int_equal(evse_grant_feed_mA(&g, now_us), 0);
}

/* --- upper bound of the draw -------------------------------------------------------------------------- */

/* A grant of 32 A that is in use. */
static void charge(void)
{
	run_ms(1300);
	give(FIRST + 1, 0, 5, 32000);
	draw.is_powered = true;
	draw.mA = 31800;
	run_ms(1000);
	assert_int_equal(g.may_draw_mA, 32000);
}

static void test_bound_of_a_lowered_grant_stays_until_the_draw_was_seen_below(void **state)
{
	(void)state;
	charge();
	assert_int_equal(give(last_report().number, 0, 5, 10000), EVSE_GRANT_TAKEN);
	assert_true(cycle() || run_ms(300) > 0);
	assert_int_equal(last_report().may_draw_mA, 32000);
	draw.mA = 20000; /* on its way */
	run_ms(600);
	assert_int_equal(g.may_draw_mA, 32000);
	draw.mA = 10150; /* there, within the noise */
	run_ms(300);
	assert_int_equal(g.may_draw_mA, 10000);
	assert_int_equal(last_report().may_draw_mA, 10000);
}

static void test_bound_does_not_trust_a_sample_of_the_past(void **state)
{
	int64_t sampled_us;

	(void)state;
	charge();
	draw.mA = 0; /* the vehicle happens to take nothing */
	give(last_report().number, 0, 5, 10000);
	sampled_us = now_us + EVSE_GRANT_SETTLE_US - 1;
	for (now_us += 100 * MS_US; now_us < T0_US + 4 * S_US; now_us += 100 * MS_US) {
		draw.sampled_us = sampled_us;
		evse_grant_follow(&g, now_us, &draw);
		assert_int_equal(g.may_draw_mA, 32000);
	}
	draw.sampled_us = sampled_us + 1 + 100 * MS_US;
	evse_grant_follow(&g, now_us, &draw);
	assert_int_equal(g.may_draw_mA, 10000);
}

static void test_bound_counts_a_draw_above_the_grant_whatever_was_commanded(void **state)
{
	(void)state;
	charge();
	draw.mA = 32300; /* noise: 1 % */
	run_ms(300);
	assert_int_equal(g.may_draw_mA, 32000);
	draw.mA = 35000;
	run_ms(300);
	assert_int_equal(g.may_draw_mA, 35400); /* 35 A and 1 %, rounded up */
	draw.mA = 20000;
	run_ms(100);
	assert_int_equal(g.may_draw_mA, 32000);
}

static void test_bound_without_a_reading_stays_where_it_was(void **state)
{
	(void)state;
	charge();
	draw.mA = 35000;
	run_ms(100);
	draw.is_fresh = false;
	draw.mA = 0;
	run_ms(500);
	assert_int_equal(g.may_draw_mA, 35400);
	draw.is_powered = false; /* the fault has switched it off */
	run_ms(100);
	assert_int_equal(g.may_draw_mA, 32000);
}

static void test_bound_of_an_expired_lease_follows_the_same_way(void **state)
{
	(void)state;
	charge();
	run_ms(10000);
	assert_int_equal(evse_grant_allowed_mA(&g, now_us), SAFE_mA);
	assert_true(g.may_draw_mA > 31800); /* the draw stays, so does what we say of it */
	draw.mA = 5900;
	run_ms(300);
	assert_int_equal(g.may_draw_mA, SAFE_mA);
}

static void test_bound_of_a_new_process_acknowledges_when_the_output_is_quiet(void **state)
{
	(void)state;
	draw.mA = 20000; /* what the process before us left behind */
	run_ms(1300);
	give(FIRST + 1, 0, 5, 10000);
	run_ms(300);
	assert_int_equal(last_report().ack_age, 255);
	setup(state);
	run_ms(1300);
	give(FIRST + 1, 0, 5, 32000);
	run_ms(300);
	assert_int_equal(last_report().ack_age, 1);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_supply_32_A_three_phases_give_21_kW),
		T(test_supply_back_is_the_same_current_rounded_up),
		T(test_supply_beyond_the_arithmetic_saturates),
		T(test_supply_feeding_back_is_reckoned_without_losses),
		T(test_report_first_after_300_ms_then_once_a_second),
		T(test_report_without_a_vehicle_is_two_frames_with_one_four),
		T(test_report_unknown_and_enormous_needs_have_their_numbers),
		T(test_report_demand_rounds_bounds_to_the_safe_side),
		T(test_report_changes_leave_at_once_but_not_within_250_ms),
		T(test_report_tells_for_a_minute_that_the_process_is_new),
		T(test_grant_in_force_is_acknowledged_in_the_next_report),
		T(test_grant_same_again_is_no_reason_to_hurry),
		T(test_grant_ends_at_its_moment_and_not_before),
		T(test_grant_expiry_is_told_even_if_others_saw_it_first),
		T(test_grant_late_doubled_overtaken_malformed_are_dropped_and_counted),
		T(test_grant_frames_of_others_are_not_touched),
		T(test_grant_filters_are_those_two_messages_of_the_own_number),
		T(test_grant_reason_is_kept_and_has_names),
		T(test_grant_local_keeps_to_the_safe_current),
		T(test_bound_of_a_lowered_grant_stays_until_the_draw_was_seen_below),
		T(test_bound_does_not_trust_a_sample_of_the_past),
		T(test_bound_counts_a_draw_above_the_grant_whatever_was_commanded),
		T(test_bound_without_a_reading_stays_where_it_was),
		T(test_bound_of_an_expired_lease_follows_the_same_way),
		T(test_bound_of_a_new_process_acknowledges_when_the_output_is_quiet),
	};

	return cmocka_run_group_tests_name("evse_grant", tests, NULL, NULL);
}
