/* SPDX-License-Identifier: MIT */
/* pev-ctrl at the end of a session: rules P-39, P-43, own stops, emergency, faults of hardware and bus. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <linux/can/error.h>

#include <cmocka.h>

#include "tests/lib/car.h"

#define BIT_CLOSED    0
#define BIT_END	      1
#define BIT_EMERGENCY 2

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

/* ---------------------------------------------------------------------------------------------------- P-39 */

static void test_p39_stop_bit_is_held_500_ms_then_0(void **state)
{
	int64_t from_us;

	(void)state;
	car_to_stage(&car, 7);
	from_us = car.now_us;
	assert_int_equal(car_command(&car, "stop"), 0);
	car_run_ms(&car, 2000);
	assert_in_range(car_bit_time_us(&car, BIT_END, from_us), CAR_MS(500), CAR_MS(800));
	assert_int_equal(car_status2(&car).normal_end_of_charge, 0);
	assert_int_equal(car_bit_time_us(&car, BIT_EMERGENCY, from_us), 0);
}

static void test_p39_emergency_bit_is_held_500_ms_then_0(void **state)
{
	int64_t from_us;

	(void)state;
	car_to_stage(&car, 7);
	from_us = car.now_us;
	assert_int_equal(car_command(&car, "emergency"), 0);
	car_run_ms(&car, 2000);
	assert_in_range(car_bit_time_us(&car, BIT_EMERGENCY, from_us), CAR_MS(500), CAR_MS(800));
	assert_int_equal(car_status2(&car).emergency_stop, 0);
}

static void test_p39_second_request_makes_a_second_edge(void **state)
{
	unsigned n_edges = 0;
	uint32_t i;
	bool was = false;

	(void)state;
	car_to_stage(&car, 7);
	assert_int_equal(car_command(&car, "emergency"), 0);
	car_run_ms(&car, 650);
	pev_pulse_start(&car.point.session.emergency);
	car_run_ms(&car, 3000);
	for (i = 0; i < car.n_frames; i++) {
		bool is = car.frame[i].f.can_id == 0x613 && (car.frame[i].f.data[0] & 4);

		if (car.frame[i].f.can_id != 0x613)
			continue;
		n_edges += is && !was;
		was = is;
	}
	assert_int_equal(n_edges, 2);
}

static void test_p39_20ex_has_no_emergency_bit_and_asks_for_a_normal_end(void **state)
{
	(void)state;
	car_init(&car, PEV_V2_0_EX);
	car_to_stage(&car, 7);
	assert_int_equal(car_command(&car, "emergency"), 0);
	car_run_ms(&car, 100);
	assert_int_equal(car_last(&car, 0x613)->data[0] & 0x06, 0x02);
}

/* --------------------------------------------------------------------------------------------- normal stop */

static void test_stop_asks_for_zero_and_waits_for_the_module(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	assert_int_equal(car_command(&car, "stop"), 0);
	car_run_ms(&car, 100);
	assert_int_equal(car_state(&car), PEV_ST_STOPPING);
	assert_int_equal(car_status1(&car).max_charge_current_mA, 0);
	assert_true(car.vehicle.cmd.is_closed);
	car_stage(&car, 8);
	assert_int_equal(car_state(&car), PEV_ST_ENDING);
	assert_true(car.vehicle.cmd.is_closed);
}

static void test_stop_before_charging_is_said_again_in_stage_7(void **state)
{
	int64_t from_us;

	(void)state;
	car_to_stage(&car, 6);
	assert_int_equal(car_command(&car, "stop"), 0);
	car_run_ms(&car, 1500);
	from_us = car.now_us;
	assert_int_equal(car_status2(&car).normal_end_of_charge, 0);
	car_stage(&car, 7);
	assert_int_equal(car_state(&car), PEV_ST_STOPPING);
	car_run_ms(&car, 1500);
	assert_in_range(car_bit_time_us(&car, BIT_END, from_us), CAR_MS(500), CAR_MS(800));
}

static void test_stop_that_the_module_ignores_ends_in_the_ordered_shutdown(void **state)
{
	int64_t from_us;

	(void)state;
	car_to_stage(&car, 7);
	from_us = car.now_us;
	assert_int_equal(car_command(&car, "stop"), 0);
	car_run_ms(&car, 9900);
	assert_true(car.vehicle.cmd.is_closed);
	assert_int_equal(car_bit_time_us(&car, BIT_EMERGENCY, from_us), 0);
	car_run_ms(&car, 1300);
	assert_true(car_has_fault(&car, PEV_FAULT_STOP_IGNORED));
	assert_false(car.vehicle.cmd.is_closed);
	assert_true(car_bit_time_us(&car, BIT_EMERGENCY, from_us) >= CAR_MS(500));
}

static void test_stop_is_over_in_every_stage_that_ends_a_session(void **state)
{
	static const uint8_t stage[] = {8, 9, 10, 11, 0, 1};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(stage); i++) {
		car_init(&car, PEV_V2_5);
		car_to_stage(&car, 7);
		car.vehicle.st.current_mA = 0;
		assert_int_equal(car_command(&car, "stop"), 0);
		car_stage(&car, stage[i]);
		assert_int_equal(car_state(&car), pev_state_of_stage(stage[i]));
	}
}

static void test_stop_at_full_battery_can_be_switched_off(void **state)
{
	(void)state;
	car_to_stage(&car, 6);
	assert_int_equal(car_command(&car, "set stop_soc_pct 0"), 0);
	car.vehicle.st.soc_permille = 1000;
	car_stage(&car, 7);
	car_run_ms(&car, 1000);
	assert_int_equal(car_state(&car), PEV_ST_CHARGING);
}

static void test_stop_without_session_is_refused(void **state)
{
	(void)state;
	assert_int_equal(car_command(&car, "stop"), -EBUSY);
	car_to_stage(&car, 1);
	assert_int_equal(car_command(&car, "stop"), -EBUSY);
	car_to_stage(&car, 10);
	assert_int_equal(car_command(&car, "stop"), -EBUSY);
}

static void expect_own_stop(void)
{
	car_run_ms(&car, 200);
	assert_int_equal(car_state(&car), PEV_ST_STOPPING);
	assert_int_equal(car_status2(&car).normal_end_of_charge, 1);
	assert_int_equal(car_status1(&car).max_charge_current_mA, 0);
	assert_int_equal(car.point.session.faults.latched, 0);
}

static void test_stop_at_full_battery(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	car.vehicle.st.soc_permille = 999;
	car_run_ms(&car, 200);
	assert_int_equal(car_state(&car), PEV_ST_CHARGING);
	car.vehicle.st.soc_permille = 1000;
	expect_own_stop();
}

static void test_stop_at_voltage(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	assert_int_equal(car_command(&car, "set stop_voltage_mV 340000"), 0);
	car_run_ms(&car, 200);
	assert_int_equal(car_state(&car), PEV_ST_CHARGING);
	car.vehicle.st.battery_mV = car.vehicle.st.inlet_mV = 340000;
	expect_own_stop();
}

static void test_stop_after_charge_duration(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	assert_int_equal(car_command(&car, "set charge_duration_s 5"), 0);
	car_run_ms(&car, 4500);
	assert_int_equal(car_state(&car), PEV_ST_CHARGING);
	car_run_ms(&car, 300);
	expect_own_stop();
}

static void test_stop_by_the_vehicle(void **state)
{
	(void)state;
	car_to_stage(&car, 6);
	car.vehicle.st.stop_request = 1;
	expect_own_stop();
}

/* ---------------------------------------------------------------------------------------------------- P-43 */

static void test_p43_open_without_current_opens_at_once(void **state)
{
	(void)state;
	car_to_stage(&car, 8);
	car.vehicle.st.current_mA = -1000;
	car_stage(&car, 9);
	car_close(&car, false);
	assert_int_equal(car.vehicle.opened_us, car.now_us);
	assert_false(car.vehicle.cmd.is_urgent);
	car_run_ms(&car, 700);
	assert_int_equal(car_status2(&car).contactors_closed, 0);
	assert_int_equal(car.point.session.faults.latched, 0);
}

static void test_p43_open_under_load_asks_for_zero_waits_and_opens_when_low(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	car_close(&car, false);
	assert_true(car.vehicle.cmd.is_closed);
	car_run_ms(&car, 100);
	assert_int_equal(car_status1(&car).max_charge_current_mA, 0);
	assert_int_equal(car.point.session.request.by, PEV_LIMIT_CONTACTORS);
	car_run_ms(&car, 300);
	assert_true(car.vehicle.cmd.is_closed);
	car.vehicle.st.current_mA = 900;
	car_run_ms(&car, 100);
	assert_false(car.vehicle.cmd.is_closed);
	assert_false(car.vehicle.cmd.is_urgent);
	assert_int_equal(car.point.session.faults.latched, 0);
}

static void test_p43_open_under_load_is_forced_after_the_bounded_time(void **state)
{
	int64_t from_us;

	(void)state;
	car_to_stage(&car, 7);
	from_us = car.now_us;
	car_close(&car, false);
	car_run_ms(&car, 1500);
	assert_int_equal(car.vehicle.opened_us - from_us, CAR_MS(1000));
	assert_true(car.vehicle.cmd.is_urgent);
	assert_true(car_has_fault(&car, PEV_FAULT_OPENED_UNDER_LOAD));
}

static void test_p43_close_while_shedding_does_not_close_again(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	car_close(&car, false);
	car_run_ms(&car, 300);
	car_close(&car, true);
	car.vehicle.st.current_mA = 0;
	car_run_ms(&car, 100);
	assert_false(car.vehicle.cmd.is_closed);
}

static void test_p43_stage_10_by_abort_opens_in_order(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	car_stage(&car, 10);
	assert_true(car.vehicle.cmd.is_closed);
	car.vehicle.st.current_mA = 0;
	car_run_ms(&car, 100);
	assert_false(car.vehicle.cmd.is_closed);
	assert_false(car.vehicle.cmd.is_urgent);
}

static void test_welded_contactors_are_a_fault_and_stay_reported_closed(void **state)
{
	(void)state;
	car_to_stage(&car, 8);
	car.vehicle.is_stuck_closed = true;
	car_stage(&car, 9);
	car_close(&car, false);
	car_run_ms(&car, 3500);
	assert_true(car_has_fault(&car, PEV_FAULT_WELDED));
	assert_int_equal(car_status2(&car).contactors_closed, 1);
	assert_true(car.vehicle.cmd.is_urgent);
	assert_int_equal(car_command(&car, "clear-fault"), -EBUSY);
	car.vehicle.is_stuck_closed = false;
	car_run_ms(&car, 200);
	car_stage(&car, 1);
	assert_int_equal(car_state(&car), PEV_ST_BLOCKED);
	assert_int_equal(car_command(&car, "clear-fault"), 0);
	assert_int_equal(car_state(&car), PEV_ST_IDLE);
	assert_int_equal(car.vehicle.cmd.clear_fault, 2);
}

static void test_contactors_welded_at_start_are_found(void **state)
{
	(void)state;
	car.vehicle.is_stuck_closed = true;
	car_to_stage(&car, 2);
	car_run_ms(&car, 3000);
	assert_true(car_has_fault(&car, PEV_FAULT_WELDED));
	assert_int_equal(car_state(&car), PEV_ST_BLOCKED);
	assert_int_equal(car_ev_status(&car).hv_preparing_hold_off, 1);
}

static void test_contactors_that_open_by_themselves_end_the_session(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	car.vehicle.is_stuck_open = true;
	car_run_ms(&car, 100);
	assert_true(car_has_fault(&car, PEV_FAULT_OPENED_BY_ITSELF));
	assert_false(car.vehicle.cmd.is_closed);
	car_run_ms(&car, 100);
	assert_int_equal(car_status2(&car).emergency_stop, 1);
}

/* ---------------------------------------------------------------------------------------------- emergency */

static void test_emergency_opens_at_once_and_blocks_until_cleared(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	assert_int_equal(car_command(&car, "emergency"), 0);
	assert_int_equal(car.vehicle.opened_us, car.now_us);
	assert_true(car.vehicle.cmd.is_urgent);
	car.vehicle.st.current_mA = 0;
	car_run_ms(&car, 1000);
	assert_int_equal(car_state(&car), PEV_ST_BLOCKED);
	car_to_stage(&car, 7);
	assert_int_equal(car.vehicle.n_closes, 1);
	assert_int_equal(car_command(&car, "clear-fault"), 0);
	car_run_ms(&car, 1000);
	assert_int_equal(car.vehicle.n_closes, 1);
	car_to_stage(&car, 7);
	assert_int_equal(car.vehicle.n_closes, 2);
}

static void test_emergency_while_opening_in_order_is_passed_on_at_once(void **state)
{
	(void)state;
	car_to_stage(&car, 8);
	car_stage(&car, 9);
	car_close(&car, false);
	assert_false(car.vehicle.cmd.is_closed);
	assert_false(car.vehicle.cmd.is_urgent);
	car_run_ms(&car, 50);
	assert_int_equal(car_command(&car, "emergency"), 0);
	assert_true(car.vehicle.cmd.is_urgent);
}

static void test_fault_of_the_driver_ends_in_order_and_releases_in_a_new_session(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	car.vehicle.st.faults = car.vehicle.st.faults_stop = VH_FAULT_OVER_TEMP;
	car_run_ms(&car, 200);
	assert_true(car_has_fault(&car, PEV_FAULT_HARDWARE));
	assert_true(car.vehicle.cmd.is_closed);
	assert_int_equal(car_status1(&car).max_charge_current_mA, 0);
	car.vehicle.st.current_mA = 0;
	car_run_ms(&car, 1000);
	assert_int_equal(car_state(&car), PEV_ST_BLOCKED);
	car_stage(&car, 1);
	car_run_ms(&car, 200);
	assert_int_equal(car_state(&car), PEV_ST_BLOCKED);
	car.vehicle.st.faults = car.vehicle.st.faults_stop = 0;
	car_run_ms(&car, 200);
	assert_int_equal(car_state(&car), PEV_ST_IDLE);
	assert_true(car_has_fault(&car, PEV_FAULT_HARDWARE));
	car_to_stage(&car, 7);
	assert_int_equal(car.vehicle.n_closes, 2);
}

static void test_welding_reported_by_the_driver_blocks(void **state)
{
	(void)state;
	car_to_stage(&car, 3);
	car.vehicle.st.faults = VH_FAULT_CONTACTOR_WELDED;
	car_run_ms(&car, 200);
	assert_true(car_has_fault(&car, PEV_FAULT_WELDED));
	assert_int_equal(car_state(&car), PEV_ST_BLOCKED);
}

static void test_bus_off_while_closed_ends_and_recovers_in_a_new_session(void **state)
{
	struct can_frame down = {.can_id = CAN_ERR_FLAG | CAN_ERR_BUSOFF, .can_dlc = 8};
	struct can_frame up = {.can_id = CAN_ERR_FLAG | CAN_ERR_RESTARTED, .can_dlc = 8};

	(void)state;
	car_to_stage(&car, 7);
	car_send(&car, &down);
	assert_true(car_has_fault(&car, PEV_FAULT_BUS_DOWN));
	assert_int_equal(car_state(&car), PEV_ST_SHUTDOWN);
	car.is_info_sent = car.is_control_sent = false;
	car_run_ms(&car, 1500);
	assert_false(car.vehicle.cmd.is_closed);
	car.vehicle.st.current_mA = 0;
	car_send(&car, &up);
	assert_false(car.point.session.is_bus_down);
	car_to_stage(&car, 7);
	assert_true(car.vehicle.cmd.is_closed);
}

static void test_bus_off_without_a_session_is_no_fault_and_ends_with_any_frame(void **state)
{
	struct can_frame down = {.can_id = CAN_ERR_FLAG | CAN_ERR_BUSOFF, .can_dlc = 8};

	(void)state;
	car_to_stage(&car, 2);
	car_send(&car, &down);
	assert_true(car.point.session.is_bus_down);
	assert_int_equal(car.point.session.faults.latched, 0);
	car_run_ms(&car, 100);
	assert_false(car.point.session.is_bus_down);
}

static void test_information_lost_in_a_session_ends_in_order(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	car.is_info_sent = false;
	car_run_ms(&car, 1100);
	assert_true(car_has_fault(&car, PEV_FAULT_EVSE_INFORMATION_LOST));
	assert_int_equal(car_status2(&car).emergency_stop, 1);
	assert_true(car.vehicle.cmd.is_closed);
	car.vehicle.st.current_mA = 0;
	car_run_ms(&car, 100);
	assert_false(car.vehicle.cmd.is_closed);
	assert_false(car.vehicle.cmd.is_urgent);
	car_stage(&car, 7);
	car_run_ms(&car, 1000);
	assert_int_equal(car_state(&car), PEV_ST_BLOCKED);
	car_stage(&car, 1);
	assert_int_equal(car_state(&car), PEV_ST_IDLE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, new_car, check_car)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_p39_stop_bit_is_held_500_ms_then_0),
		TEST(test_p39_emergency_bit_is_held_500_ms_then_0),
		TEST(test_p39_second_request_makes_a_second_edge),
		TEST(test_p39_20ex_has_no_emergency_bit_and_asks_for_a_normal_end),
		TEST(test_stop_asks_for_zero_and_waits_for_the_module),
		TEST(test_stop_before_charging_is_said_again_in_stage_7),
		TEST(test_stop_that_the_module_ignores_ends_in_the_ordered_shutdown),
		TEST(test_stop_is_over_in_every_stage_that_ends_a_session),
		TEST(test_stop_at_full_battery_can_be_switched_off),
		TEST(test_stop_without_session_is_refused),
		TEST(test_stop_at_full_battery),
		TEST(test_stop_at_voltage),
		TEST(test_stop_after_charge_duration),
		TEST(test_stop_by_the_vehicle),
		TEST(test_p43_open_without_current_opens_at_once),
		TEST(test_p43_open_under_load_asks_for_zero_waits_and_opens_when_low),
		TEST(test_p43_open_under_load_is_forced_after_the_bounded_time),
		TEST(test_p43_close_while_shedding_does_not_close_again),
		TEST(test_p43_stage_10_by_abort_opens_in_order),
		TEST(test_welded_contactors_are_a_fault_and_stay_reported_closed),
		TEST(test_contactors_welded_at_start_are_found),
		TEST(test_contactors_that_open_by_themselves_end_the_session),
		TEST(test_emergency_opens_at_once_and_blocks_until_cleared),
		TEST(test_emergency_while_opening_in_order_is_passed_on_at_once),
		TEST(test_fault_of_the_driver_ends_in_order_and_releases_in_a_new_session),
		TEST(test_welding_reported_by_the_driver_blocks),
		TEST(test_bus_off_while_closed_ends_and_recovers_in_a_new_session),
		TEST(test_bus_off_without_a_session_is_no_fault_and_ends_with_any_frame),
		TEST(test_information_lost_in_a_session_ends_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
