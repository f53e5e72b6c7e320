/* SPDX-License-Identifier: MIT */
/* The last gate of pev-ctrl: each rule on its own, every line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <forecourt/units.h>

#include "pev-ctrl/pev_guard.h"

#define HOLD_US 1100000

static struct pev_guard guard;
static struct pev_wire wire;
static struct out_queue out;

/* Facts that permit everything. */
static struct pev_guard_facts good(void)
{
	struct pev_guard_facts facts = {
		.now_us = 5000000,
		.permit = PEV_PERMIT_CLOSE,
		.is_control_fresh = true,
		.is_close_asked = true,
		.is_readings_fresh = true,
		.is_feedback_closed = false,
		.is_ready = true,
		.battery_mV = 330000,
		.inlet_mV = 325000,
		.match_limit_mV = 20000,
		.may_request = true,
		.max_request_mA = 150000,
		.max_discharge_mA = 50000,
		.max_voltage_mV = 400000,
	};

	return facts;
}

static int setup(void **state)
{
	struct pev_conf conf;

	(void)state;
	memset(&conf, 0, sizeof(conf));
	opts_defaults(pev_conf_table, pev_conf_n, &conf);
	assert_int_equal(pev_wire_init(&wire, &conf), 0);
	pev_guard_init(&guard, HOLD_US);
	out_queue_init(&out);
	return 0;
}

static bool command(const struct pev_guard_facts *facts, bool is_closed)
{
	struct vh_command cmd = {.size = sizeof(cmd), .is_closed = is_closed};
	bool is_good;

	out_queue_clear(&out);
	is_good = pev_guard_command(&guard, facts, &cmd, &out);
	assert_int_equal(out.n, 1);
	assert_int_equal(out.item[0].kind, OUT_COMMAND);
	assert_int_equal(out.item[0].u.command.is_closed, is_closed && is_good);
	if (!is_good)
		assert_int_equal(out.item[0].u.command.is_urgent, 1);
	return is_good;
}

static void test_close_passes_when_everything_is_good(void **state)
{
	struct pev_guard_facts facts = good();

	(void)state;
	assert_true(command(&facts, true));
	assert_int_equal(guard.n_withheld, 0);
}

static void test_close_is_withheld_for_each_single_reason(void **state)
{
	struct pev_guard_facts facts[11];
	size_t i;

	(void)state;
	for (i = 0; i < 11; i++)
		facts[i] = good();
	facts[0].permit = PEV_PERMIT_HOLD;
	facts[1].permit = PEV_PERMIT_OPEN;
	facts[2].permit = PEV_PERMIT_OPEN_NOW;
	facts[3].is_held = true;
	facts[4].is_ready = false;
	facts[5].is_control_fresh = false;
	facts[6].is_close_asked = false;
	facts[7].is_readings_fresh = false;
	facts[8].battery_mV = facts[8].inlet_mV = 20000;
	facts[9].inlet_mV = 330000 + 20001;
	facts[10].inlet_mV = 330000 - 20001;
	for (i = 0; i < 11; i++)
		assert_false(command(&facts[i], true));
	assert_int_equal(guard.n_withheld, 11);
}

static void test_voltages_match_at_the_limit_and_without_overflow(void **state)
{
	(void)state;
	assert_true(pev_voltages_match(350000, 330000, 20000));
	assert_true(pev_voltages_match(310000, 330000, 20000));
	assert_false(pev_voltages_match(350001, 330000, 20000));
	assert_false(pev_voltages_match(INT32_MAX, INT32_MIN, 20000));
	assert_false(pev_voltages_match(INT32_MIN, INT32_MAX, 20000));
}

static void test_closed_needs_the_match_only_at_the_moment_of_closing(void **state)
{
	struct pev_guard_facts facts = good();

	(void)state;
	assert_true(command(&facts, true));
	facts.inlet_mV = 0;
	facts.is_readings_fresh = false;
	assert_true(command(&facts, true));
}

static void test_hold_permits_to_stay_but_not_to_close(void **state)
{
	struct pev_guard_facts facts = good();

	(void)state;
	assert_true(command(&facts, true));
	facts.permit = PEV_PERMIT_HOLD;
	facts.now_us += 3600 * (int64_t)FC_US_PER_S;
	assert_true(command(&facts, true));
	assert_true(command(&facts, false));
	assert_false(command(&facts, true));
}

static void test_closed_without_dc_control_or_in_a_low_stage_opens_at_once(void **state)
{
	struct pev_guard_facts facts = good(), lost = good(), low = good();

	(void)state;
	lost.is_control_fresh = false;
	low.permit = PEV_PERMIT_OPEN_NOW;
	assert_true(command(&facts, true));
	assert_false(command(&lost, true));
	assert_true(command(&facts, true));
	assert_false(command(&low, true));
}

static void expect_bounded_hold(struct pev_guard_facts *reason)
{
	struct pev_guard_facts facts = good();

	assert_true(command(&facts, true));
	assert_true(command(reason, true));
	reason->now_us += HOLD_US - 1;
	assert_true(command(reason, true));
	reason->now_us += 1;
	assert_false(command(reason, true));
}

static void test_closed_after_the_permission_went_is_bounded(void **state)
{
	struct pev_guard_facts opened = good(), held = good(), ended = good();

	(void)state;
	opened.is_close_asked = false;
	expect_bounded_hold(&opened);
	held.is_held = true;
	expect_bounded_hold(&held);
	ended.permit = PEV_PERMIT_OPEN;
	expect_bounded_hold(&ended);
}

static void test_bounded_time_starts_anew_after_permission_came_back(void **state)
{
	struct pev_guard_facts facts = good(), opened = good();

	(void)state;
	opened.is_close_asked = false;
	assert_true(command(&facts, true));
	assert_true(command(&opened, true));
	assert_true(command(&facts, true));
	opened.now_us += HOLD_US;
	assert_true(command(&opened, true));
}

static void test_open_always_passes(void **state)
{
	struct pev_guard_facts facts = {0};

	(void)state;
	assert_true(command(&facts, false));
	assert_int_equal(guard.n_withheld, 0);
}

/* ----------------------------------------------------------------------------------------------- messages */

static struct pev_dc_status1 sent_status1(const struct pev_guard_facts *facts, struct pev_dc_status1 m)
{
	struct pev_dc_status1 back = {0};

	out_queue_clear(&out);
	assert_true(pev_guard_send(&guard, facts, &wire, 2, &m, &out));
	assert_int_equal(out.n, 1);
	assert_int_equal(out.item[0].u.frame.can_id, 0x612);
	wire.tx[2]->unpack(&back, out.item[0].u.frame.data);
	return back;
}

static void test_request_is_clipped_to_the_limits_and_rounded_down(void **state)
{
	struct pev_guard_facts facts = good();
	struct pev_dc_status1 m = {.max_charge_current_mA = 500000,
				   .max_discharge_current_mA = 500000,
				   .target_voltage_mV = 500000};

	(void)state;
	facts.max_request_mA = 120900;
	m = sent_status1(&facts, m);
	assert_int_equal(m.max_charge_current_mA, 120000);
	assert_int_equal(m.max_discharge_current_mA, 50000);
	assert_int_equal(m.target_voltage_mV, 400000);
	assert_int_equal(guard.n_clipped, 3);
}

static void test_request_within_the_limits_is_left_alone(void **state)
{
	struct pev_guard_facts facts = good();
	struct pev_dc_status1 m = {.max_charge_current_mA = 99000, .present_current_mA = -5000};

	(void)state;
	facts.max_voltage_mV = 0;
	m.target_voltage_mV = 600000;
	m = sent_status1(&facts, m);
	assert_int_equal(m.max_charge_current_mA, 99000);
	assert_int_equal(m.present_current_mA, -5000);
	assert_int_equal(m.target_voltage_mV, 600000);
	assert_int_equal(guard.n_clipped, 0);
}

static void test_request_without_permission_or_negative_is_zero(void **state)
{
	struct pev_guard_facts facts = good();
	struct pev_dc_status1 m = {.max_charge_current_mA = 99000};

	(void)state;
	facts.may_request = false;
	assert_int_equal(sent_status1(&facts, m).max_charge_current_mA, 0);
	facts = good();
	facts.max_request_mA = -1;
	facts.max_discharge_mA = -1;
	assert_int_equal(sent_status1(&facts, m).max_charge_current_mA, 0);
	m.max_charge_current_mA = -99000;
	assert_int_equal(sent_status1(&facts, m).max_charge_current_mA, 0);
}

static void test_stale_readings_leave_as_safe_values(void **state)
{
	struct pev_guard_facts facts = good();
	struct pev_dc_status1 m1 = {.present_current_mA = 100};
	struct pev_dc_status2 m2 = {.battery_voltage_mV = 330000, .inlet_voltage_mV = 1000}, back = {0};

	(void)state;
	facts.is_readings_fresh = false;
	assert_int_equal(sent_status1(&facts, m1).present_current_mA, 32767000);
	out_queue_clear(&out);
	assert_true(pev_guard_send(&guard, &facts, &wire, 3, &m2, &out));
	wire.tx[3]->unpack(&back, out.item[0].u.frame.data);
	assert_int_equal(back.battery_voltage_mV, 0);
	assert_int_equal(back.inlet_voltage_mV, 6553500);
	assert_int_equal(guard.n_masked, 2);
}

static void test_contactors_are_reported_by_feedback_only(void **state)
{
	struct pev_guard_facts facts = good();
	struct pev_dc_status2 m = {.contactors_closed = 1};

	(void)state;
	assert_true(pev_guard_send(&guard, &facts, &wire, 3, &m, &out));
	assert_int_equal(out.item[0].u.frame.data[0] & 1, 0);
	facts.is_feedback_closed = true;
	m.contactors_closed = 0;
	assert_true(pev_guard_send(&guard, &facts, &wire, 3, &m, &out));
	assert_int_equal(out.item[1].u.frame.data[0] & 1, 1);
}

static void test_state_of_charge_stays_between_0_and_100(void **state)
{
	struct pev_guard_facts facts = good();
	struct pev_ev_information m = {.state_of_charge_permille = 1001};

	(void)state;
	assert_true(pev_guard_send(&guard, &facts, &wire, 0, &m, &out));
	assert_int_equal(out.item[0].u.frame.data[0], 100);
	m.state_of_charge_permille = -1;
	assert_true(pev_guard_send(&guard, &facts, &wire, 0, &m, &out));
	assert_int_equal(out.item[1].u.frame.data[0], 0);
}

static void test_messages_that_do_not_exist_are_not_sent(void **state)
{
	struct pev_guard_facts facts = good();
	struct pev_ev_status m = {0};
	struct pev_conf conf;

	(void)state;
	opts_defaults(pev_conf_table, pev_conf_n, &conf);
	conf.protocol = PEV_V2_0_EX;
	assert_int_equal(pev_wire_init(&wire, &conf), 0);
	assert_false(pev_guard_send(&guard, &facts, &wire, 8, &m, &out));
	assert_false(pev_guard_send(&guard, &facts, &wire, 9, &m, &out));
	assert_int_equal(out.n, 0);
}

static unsigned pack_too_much(uint8_t data[8], const void *msg)
{
	(void)msg;
	memset(data, 0x7F, 8);
	return 0;
}

static unsigned pack_negative(uint8_t data[8], const void *msg)
{
	(void)msg;
	memset(data, 0xFF, 8);
	return 0;
}

static void test_payload_that_says_more_than_permitted_is_withheld(void **state)
{
	struct pev_guard_facts facts = good();
	struct pev_dc_status1 m = {.max_charge_current_mA = 1000};
	struct msg_layout broken = *wire.tx[2];

	(void)state;
	wire.tx[2] = &broken;
	broken.pack = pack_too_much;
	assert_false(pev_guard_send(&guard, &facts, &wire, 2, &m, &out));
	facts.may_request = false;
	assert_false(pev_guard_send(&guard, &facts, &wire, 2, &m, &out));
	broken.pack = pack_negative;
	assert_false(pev_guard_send(&guard, &facts, &wire, 2, &m, &out));
	assert_int_equal(out.n, 0);
	assert_int_equal(guard.n_frames_withheld, 3);
}

static void test_frame_with_a_wrong_head_is_withheld(void **state)
{
	struct pev_guard_facts facts = good();
	struct pev_ac_status m = {0};
	struct msg_layout broken = *wire.tx[1];

	(void)state;
	broken.id = 0x602;
	wire.tx[1] = &broken;
	assert_false(pev_guard_send(&guard, &facts, &wire, 1, &m, &out));
	assert_int_equal(out.n, 0);
	assert_int_equal(guard.n_frames_withheld, 1);
}

static void test_driver_may_not_speak_for_us_or_for_the_module(void **state)
{
	struct can_frame f = {.can_id = 0x123, .can_dlc = 1};

	(void)state;
	assert_true(pev_guard_driver_frame(&guard, 0, &f, &out));
	f.can_id = 0x613;
	assert_true(pev_guard_driver_frame(&guard, 1, &f, &out));
	assert_int_equal(out.item[1].bus, 1);
	assert_false(pev_guard_driver_frame(&guard, 0, &f, &out));
	f.can_id = 0x602 | CAN_EFF_FLAG;
	assert_false(pev_guard_driver_frame(&guard, 0, &f, &out));
	f.can_id = 0x61F;
	assert_false(pev_guard_driver_frame(&guard, 0, &f, &out));
	f.can_id = 0x620;
	assert_true(pev_guard_driver_frame(&guard, 0, &f, &out));
	f.can_id = 0x5FF;
	assert_true(pev_guard_driver_frame(&guard, 0, &f, &out));
	f.can_id = 0x600;
	assert_false(pev_guard_driver_frame(&guard, 0, &f, &out));
	assert_true(pev_guard_driver_frame(&guard, 255, &f, &out));
	assert_false(pev_guard_driver_frame(&guard, 256, &f, &out));
	assert_int_equal(guard.n_frames_withheld, 5);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_close_passes_when_everything_is_good),
		TEST(test_close_is_withheld_for_each_single_reason),
		TEST(test_voltages_match_at_the_limit_and_without_overflow),
		TEST(test_closed_needs_the_match_only_at_the_moment_of_closing),
		TEST(test_hold_permits_to_stay_but_not_to_close),
		TEST(test_closed_without_dc_control_or_in_a_low_stage_opens_at_once),
		TEST(test_closed_after_the_permission_went_is_bounded),
		TEST(test_bounded_time_starts_anew_after_permission_came_back),
		TEST(test_open_always_passes),
		TEST(test_request_is_clipped_to_the_limits_and_rounded_down),
		TEST(test_request_within_the_limits_is_left_alone),
		TEST(test_request_without_permission_or_negative_is_zero),
		TEST(test_stale_readings_leave_as_safe_values),
		TEST(test_contactors_are_reported_by_feedback_only),
		TEST(test_state_of_charge_stays_between_0_and_100),
		TEST(test_messages_that_do_not_exist_are_not_sent),
		TEST(test_payload_that_says_more_than_permitted_is_withheld),
		TEST(test_frame_with_a_wrong_head_is_withheld),
		TEST(test_driver_may_not_speak_for_us_or_for_the_module),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
