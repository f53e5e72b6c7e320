/* SPDX-License-Identifier: MIT */
/* pev-ctrl closes contactors, or does not: rules P-20, P-24, P-25, P-26. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/car.h"

static struct car car;

static int check_car(void **state)
{
	(void)state;
	car_check(&car);
	return 0;
}

static int new_car(void **state)
{
	(void)state;
	car_init(&car, PEV_V2_5);
	return 0;
}

/* ------------------------------------------------------------------------------- P-20, P-24, P-25, P-26 */

static void test_p20_contactors_stay_open_in_stages_0_to_4(void **state)
{
	uint8_t stage;

	(void)state;
	car_close(&car, false);
	car_match(&car, true);
	for (stage = 0; stage <= 4; stage++) {
		car_stage(&car, stage);
		car_close(&car, true);
		car_run_ms(&car, 1500);
		assert_int_equal(car.vehicle.n_closes, 0);
		assert_int_equal(car_status2(&car).contactors_closed, 0);
		assert_true(car_has_fault(&car, PEV_FAULT_CLOSE_REFUSED));
	}
}

static void test_p20_fall_back_to_stage_3_opens_at_once(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	car_stage(&car, 3);
	assert_false(car.vehicle.cmd.is_closed);
	assert_true(car.vehicle.cmd.is_urgent);
}

static void test_p20_fall_back_while_we_wait_for_a_normal_end_opens_at_once(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	assert_int_equal(car_command(&car, "stop"), 0);
	car_run_ms(&car, 100);
	car_stage(&car, 4);
	assert_int_equal(car_state(&car), PEV_ST_STOPPING);
	assert_false(car.vehicle.cmd.is_closed);
	assert_true(car.vehicle.cmd.is_urgent);
}

static void test_p24_close_in_the_same_wake_up_reported_by_feedback_only(void **state)
{
	int64_t asked_us;

	(void)state;
	car_to_stage(&car, 4);
	car_stage(&car, 5);
	car_match(&car, true);
	car_run_ms(&car, 40);
	asked_us = car.now_us;
	car_close(&car, true);
	assert_int_equal(car.vehicle.closed_us, asked_us);
	car_run_ms(&car, 500);
	assert_int_equal(car_status2(&car).contactors_closed, 0);
	car_run_ms(&car, 200);
	assert_int_equal(car_status2(&car).contactors_closed, 1);
	assert_int_equal(car.point.session.contactors.state, PEV_K_CLOSED);
}

static void test_p24_unknown_feedback_is_never_reported_closed_and_never_closes(void **state)
{
	(void)state;
	car_to_stage(&car, 4);
	car.vehicle.st.is_closed = -1;
	car_stage(&car, 5);
	car_match(&car, true);
	car_close(&car, true);
	car_run_ms(&car, 1000);
	assert_int_equal(car.vehicle.n_closes, 0);
	assert_int_equal(car_status2(&car).contactors_closed, 0);
	assert_true(car_has_fault(&car, PEV_FAULT_READINGS_STALE));
}

static void test_p24_contactors_that_do_not_close_are_a_fault_until_cleared(void **state)
{
	(void)state;
	car.vehicle.is_stuck_open = true;
	car_to_stage(&car, 5);
	car_run_ms(&car, 3500);
	assert_false(car.vehicle.cmd.is_closed);
	assert_true(car_has_fault(&car, PEV_FAULT_NOT_CLOSING));
	car_to_stage(&car, 5);
	assert_int_equal(car.vehicle.n_closes, 1);
	car.vehicle.is_stuck_open = false;
	assert_int_equal(car_command(&car, "clear-fault"), 0);
	car_run_ms(&car, 500);
	assert_int_equal(car.vehicle.n_closes, 1); /* not in the session that failed */
	car_to_stage(&car, 5);
	assert_int_equal(car.vehicle.n_closes, 2);
}

static void test_p25_mismatch_is_not_closed_shown_and_closed_when_it_matches(void **state)
{
	(void)state;
	car_to_stage(&car, 4);
	car_stage(&car, 5);
	car.vehicle.st.inlet_mV = 330000 - 20001;
	car_close(&car, true);
	car_run_ms(&car, 500);
	assert_int_equal(car.vehicle.n_closes, 0);
	assert_true(car_has_fault(&car, PEV_FAULT_VOLTAGE_MISMATCH));
	assert_int_equal(car_state(&car), PEV_ST_PRECHARGE);
	car.vehicle.st.inlet_mV = 330000 + 20000;
	car_run_ms(&car, 100);
	assert_int_equal(car.vehicle.n_closes, 1);
	assert_true(car_has_fault(&car, PEV_FAULT_VOLTAGE_MISMATCH));
	assert_int_equal(car.point.session.faults.present, 0);
}

static void test_p25_voltages_that_part_after_closing_are_a_deviation(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	car.vehicle.st.current_mA = 0;
	car.vehicle.st.inlet_mV = 300000;
	car_run_ms(&car, 900);
	assert_true(car.vehicle.cmd.is_closed);
	car_run_ms(&car, 300);
	assert_true(car_has_fault(&car, PEV_FAULT_VOLTAGE_DEVIATION));
	assert_false(car.vehicle.cmd.is_closed);
}

static void test_p25_dead_battery_is_not_closed(void **state)
{
	(void)state;
	car_to_stage(&car, 4);
	car.vehicle.st.battery_mV = 20000;
	car.vehicle.st.inlet_mV = 20000;
	car_stage(&car, 5);
	car_close(&car, true);
	car_run_ms(&car, 500);
	assert_int_equal(car.vehicle.n_closes, 0);
}

static void test_p26_stale_readings_are_never_sent_as_fresh(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	car.vehicle.has_frozen_readings = true;
	car_run_ms(&car, 450);
	assert_int_equal(car_status2(&car).battery_voltage_mV, 0);
	assert_int_equal(car_status2(&car).inlet_voltage_mV, 6553500);
	assert_int_equal(car_status1(&car).present_current_mA, 32767000);
	assert_int_equal(car_status1(&car).max_charge_current_mA, 0);
	assert_true(car_has_fault(&car, PEV_FAULT_READINGS_STALE));
	assert_int_equal(car_status2(&car).emergency_stop, 1);
	/* The current is not known: the bounded wait, then by force. */
	assert_true(car.vehicle.cmd.is_closed);
	car_run_ms(&car, 1000);
	assert_false(car.vehicle.cmd.is_closed);
	assert_true(car.vehicle.cmd.is_urgent);
}

static void test_p26_stale_readings_outside_a_session_are_masked_but_no_fault(void **state)
{
	(void)state;
	car_to_stage(&car, 1);
	car.vehicle.has_frozen_readings = true;
	car_run_ms(&car, 1000);
	assert_int_equal(car_status2(&car).inlet_voltage_mV, 6553500);
	assert_int_equal(car.point.session.faults.latched, 0);
	assert_int_equal(car_ev_status(&car).hv_preparing_hold_off, 1);
}

static void test_p26_stale_feedback_while_closed_is_a_fault(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	car.vehicle.has_frozen_feedback = true;
	car_run_ms(&car, 500);
	assert_true(car_has_fault(&car, PEV_FAULT_READINGS_STALE));
	assert_int_equal(car_status2(&car).contactors_closed, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, new_car, check_car)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_p20_contactors_stay_open_in_stages_0_to_4),
		TEST(test_p20_fall_back_to_stage_3_opens_at_once),
		TEST(test_p20_fall_back_while_we_wait_for_a_normal_end_opens_at_once),
		TEST(test_p24_close_in_the_same_wake_up_reported_by_feedback_only),
		TEST(test_p24_unknown_feedback_is_never_reported_closed_and_never_closes),
		TEST(test_p24_contactors_that_do_not_close_are_a_fault_until_cleared),
		TEST(test_p25_mismatch_is_not_closed_shown_and_closed_when_it_matches),
		TEST(test_p25_voltages_that_part_after_closing_are_a_deviation),
		TEST(test_p25_dead_battery_is_not_closed),
		TEST(test_p26_stale_readings_are_never_sent_as_fresh),
		TEST(test_p26_stale_readings_outside_a_session_are_masked_but_no_fault),
		TEST(test_p26_stale_feedback_while_closed_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
