/* SPDX-License-Identifier: MIT */
/* pev-ctrl under blows: end of the program (P-47), pause (P-52), each stage x each fault, limits of time. */
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

/* ---------------------------------------------------------------------------------------------------- P-47 */

static void test_p47_sigterm_while_charging_ends_in_order_within_2_s(void **state)
{
	int64_t from_us;

	(void)state;
	car_to_stage(&car, 7);
	from_us = car.now_us;
	car_stop(&car);
	assert_true(car.vehicle.cmd.is_closed);
	car_run_ms(&car, 150);
	assert_int_equal(car_status1(&car).max_charge_current_mA, 0);
	assert_int_equal(car_status2(&car).emergency_stop, 1);
	car.vehicle.st.current_mA = 0;
	while (!car.m.ops->is_stopped(car.m.self))
		car_run_ms(&car, 10);
	assert_in_range(car.now_us - from_us, CAR_MS(700), CAR_MS(2000));
	assert_in_range(car_bit_time_us(&car, BIT_EMERGENCY, from_us), CAR_MS(500), CAR_MS(800));
	assert_false(car.vehicle.cmd.is_closed);
	assert_false(car.vehicle.cmd.is_urgent);
	assert_int_equal(car.vehicle.st.is_closed, 0);
	/* The module is told so, whatever the phase of the cycle was. */
	assert_int_equal(car_status2(&car).contactors_closed, 0);
	car.n_frames = 0;
	car_run_ms(&car, 1000);
	car_stage(&car, 7);
	assert_int_equal(car.n_frames, 0);
}

static void test_p47_sigterm_under_load_that_stays_is_forced_within_2_s(void **state)
{
	int64_t from_us;

	(void)state;
	car_to_stage(&car, 7);
	from_us = car.now_us;
	car_stop(&car);
	car_run_ms(&car, 2000);
	assert_true(car.m.ops->is_stopped(car.m.self));
	assert_int_equal(car.vehicle.opened_us - from_us, CAR_MS(1000));
	assert_true(car_has_fault(&car, PEV_FAULT_OPENED_UNDER_LOAD));
}

static void test_p47_sigterm_with_a_dead_driver_still_ends_and_opens(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	car.vehicle.has_frozen_readings = car.vehicle.has_frozen_feedback = car.vehicle.has_frozen_bms = true;
	car_stop(&car);
	car_run_ms(&car, 2000);
	assert_true(car.m.ops->is_stopped(car.m.self));
	assert_false(car.vehicle.cmd.is_closed);
}

static void test_p47_second_sigterm_does_not_prolong(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	car_stop(&car);
	car_run_ms(&car, 1000);
	car_stop(&car);
	car_run_ms(&car, 1000);
	assert_true(car.m.ops->is_stopped(car.m.self));
}

static void test_p47_sigterm_without_session_ends_at_once(void **state)
{
	(void)state;
	car_to_stage(&car, 1);
	car_stop(&car);
	assert_true(car.m.ops->is_stopped(car.m.self));
	assert_int_equal(car.m.ops->next_us(car.m.self), FC_NEVER);
	car_stop(&car);
}

static void test_p47_sigterm_in_every_stage_ends_within_2_s_with_open_contactors(void **state)
{
	int protocol, stage;

	(void)state;
	for (protocol = 0; protocol < PEV_N_VERSIONS; protocol++) {
		for (stage = 0; stage <= 12; stage++) {
			int64_t from_us;

			car_init(&car, protocol);
			car_to_stage(&car, stage <= 10 ? (uint8_t)stage : 7);
			if (stage > 10)
				car_stage(&car, (uint8_t)stage);
			from_us = car.now_us;
			car_stop(&car);
			car_run_ms(&car, 2000);
			assert_true(car.m.ops->is_stopped(car.m.self));
			assert_false(car.vehicle.cmd.is_closed);
			if (stage >= 2 && stage != 10)
				assert_true(car_bit_time_us(&car, protocol ? BIT_EMERGENCY : BIT_END,
							    from_us) >= CAR_MS(500));
			car_check(&car);
		}
	}
}

static void test_p47_open_wait_longer_than_the_end_is_cut_short(void **state)
{
	struct pev_conf conf;

	(void)state;
	car_conf(&conf, PEV_V2_5);
	conf.open_wait_ms = 10000;
	conf.shutdown_limit_ms = 1000;
	car_init_conf(&car, &conf);
	car_to_stage(&car, 7);
	car_stop(&car);
	car_run_ms(&car, 2000);
	assert_true(car.m.ops->is_stopped(car.m.self));
	assert_false(car.vehicle.cmd.is_closed);
	assert_true(car.vehicle.cmd.is_urgent);
}

/* ---------------------------------------------------------------------------------------------------- P-52 */

static void test_p52_pause_and_resume(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	assert_int_equal(car_command(&car, "pause"), 0);
	assert_int_equal(car_ev_status(&car).charge_pause_request, 1);
	car_run_ms(&car, 500);
	assert_int_equal(car_ev_status(&car).charge_pause_request, 1);
	car_run_ms(&car, 300);
	assert_int_equal(car_ev_status(&car).charge_pause_request, 0);
	car.vehicle.st.current_mA = 0;
	car_close(&car, false);
	car_stage(&car, 11);
	car_run_ms(&car, 60000);
	assert_int_equal(car_state(&car), PEV_ST_PAUSED);
	assert_false(car.vehicle.cmd.is_closed);
	assert_int_equal(car_command(&car, "resume"), 0);
	assert_int_equal(car_ev_status(&car).charge_resume_request, 1);
	car_stage(&car, 2);
	assert_int_equal(car_state(&car), PEV_ST_NEGOTIATING);
}

static void test_p52_pause_and_resume_are_refused_elsewhere(void **state)
{
	(void)state;
	car_to_stage(&car, 6);
	assert_int_equal(car_command(&car, "pause"), -EBUSY);
	assert_int_equal(car_command(&car, "resume"), -EBUSY);
	car_to_stage(&car, 10);
	assert_int_equal(car_command(&car, "resume"), 0); /* 2.5: restart while plugged */
	car_init(&car, PEV_V2_4);
	car_to_stage(&car, 7);
	assert_int_equal(car_command(&car, "pause"), 0);
	car_init(&car, PEV_V2_4);
	car_to_stage(&car, 10);
	assert_int_equal(car_command(&car, "resume"), -EBUSY);
	car_init(&car, PEV_V2_2);
	car_to_stage(&car, 7);
	assert_int_equal(car_command(&car, "pause"), -ENOTSUP);
	assert_int_equal(car_command(&car, "resume"), -ENOTSUP);
}

/* ------------------------------------------------------------------------------------------- fault matrix */

enum blow {
	LOSE_CONTROL,
	LOSE_INFORMATION,
	LOSE_BOTH,
	LOSE_READINGS,
	LOSE_BMS,
	DRIVER_FAULT,
	BUS_OFF,
	EMERGENCY,
	N_BLOWS,
};

static void strike(enum blow blow)
{
	struct can_frame down = {.can_id = CAN_ERR_FLAG | CAN_ERR_BUSOFF, .can_dlc = 8};

	if (blow == LOSE_CONTROL || blow == LOSE_BOTH || blow == BUS_OFF)
		car.is_control_sent = false;
	if (blow == LOSE_INFORMATION || blow == LOSE_BOTH || blow == BUS_OFF)
		car.is_info_sent = false;
	if (blow == LOSE_READINGS)
		car.vehicle.has_frozen_readings = true;
	if (blow == LOSE_BMS)
		car.vehicle.has_frozen_bms = true;
	if (blow == DRIVER_FAULT)
		car.vehicle.st.faults_stop = VH_FAULT_INTERNAL;
	if (blow == BUS_OFF)
		car_send(&car, &down);
	if (blow == EMERGENCY)
		car_command(&car, "emergency");
}

/* The cause gone, a new session charges again; what blocks until clear-fault is cleared. */
static void expect_recovery(void)
{
	uint32_t n_closes = car.vehicle.n_closes;

	car.vehicle.has_frozen_readings = car.vehicle.has_frozen_bms = false;
	car.vehicle.st.faults_stop = 0;
	car.vehicle.st.current_mA = 0;
	car_stage(&car, 1);
	car_close(&car, false);
	car_run_ms(&car, 1000);
	car_match(&car, false);
	assert_int_equal(car_command(&car, "clear-fault"), 0);
	car_to_stage(&car, 7);
	assert_int_equal(car_state(&car), PEV_ST_CHARGING);
	assert_int_equal(car.vehicle.n_closes, n_closes + 1);
	assert_int_equal(car.point.session.faults.latched, 0);
}

/*
 * What must have happened 3 s after the blow in stages 2 to 9: the state, and whether an emergency (or a normal
 * end) was asked for. B blocked, S stopping, . nothing.
 */
static void test_matrix_each_stage_x_each_blow_ends_as_the_table_says(void **state)
{
	static const char *const expected[N_BLOWS] = {
		/* stage 23456789 */
		[LOSE_CONTROL] = "BBBBBBBB",  [LOSE_INFORMATION] = "BBBBBBBB", [LOSE_BOTH] = "BBBBBBBB",
		[LOSE_READINGS] = "...BBBBB", [LOSE_BMS] = "...SSS..",	       [DRIVER_FAULT] = "BBBBBBBB",
		[BUS_OFF] = "BBBBBBBB",	      [EMERGENCY] = "BBBBBBBB",
	};
	int blow, stage;

	(void)state;
	for (blow = 0; blow < N_BLOWS; blow++) {
		for (stage = 2; stage <= 9; stage++) {
			char want = expected[blow][stage - 2];
			int64_t from_us;

			car_init(&car, PEV_V2_5);
			car_to_stage(&car, (uint8_t)stage);
			from_us = car.now_us;
			strike((enum blow)blow);
			car_run_ms(&car, 3000);
			if (want == 'B') {
				assert_int_equal(car_state(&car), PEV_ST_BLOCKED);
				assert_int_equal(car.vehicle.cmd.is_closed, 0);
				assert_true(car_bit_time_us(&car, BIT_EMERGENCY, from_us) >= CAR_MS(500));
			} else if (want == 'S') {
				assert_int_equal(car_state(&car), PEV_ST_STOPPING);
				assert_true(car_bit_time_us(&car, BIT_END, from_us) >= CAR_MS(500));
			} else {
				assert_int_equal(car_state(&car), pev_state_of_stage((uint8_t)stage));
			}
			car_check(&car);
			expect_recovery();
			car_check(&car);
		}
	}
}

static void test_matrix_every_state_of_a_session_has_an_end_by_time(void **state)
{
	static const int64_t limit_ms[] = {600000, 120000, 120000, 20000, 600000, 604800000, 60000, 120000};
	uint8_t stage;

	(void)state;
	for (stage = 2; stage <= 9; stage++) {
		if (stage == PEV_STAGE_CHARGING)
			continue; /* a week; the limit is tested by its row */
		car_init(&car, PEV_V2_5);
		car_to_stage(&car, stage);
		car_run_ms(&car, limit_ms[stage - 2] - 1800);
		assert_int_equal(car_state(&car), pev_state_of_stage(stage));
		car_run_ms(&car, 6000);
		assert_int_equal(car_state(&car), PEV_ST_BLOCKED);
		assert_true(car_has_fault(&car, PEV_FAULT_STATE_TIMEOUT));
		assert_false(car.vehicle.cmd.is_closed);
		car_check(&car);
	}
	for (stage = 0; stage < PEV_N_STATES; stage++) {
		const struct pev_state_row *row = pev_state_row((enum pev_state)stage);

		assert_non_null(row->name);
		if (row->is_session && stage != PEV_ST_PAUSED)
			assert_true(row->limit_at > 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, new_car, check_car)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_p47_sigterm_while_charging_ends_in_order_within_2_s),
		TEST(test_p47_sigterm_under_load_that_stays_is_forced_within_2_s),
		TEST(test_p47_sigterm_with_a_dead_driver_still_ends_and_opens),
		TEST(test_p47_second_sigterm_does_not_prolong),
		TEST(test_p47_sigterm_without_session_ends_at_once),
		TEST(test_p47_sigterm_in_every_stage_ends_within_2_s_with_open_contactors),
		TEST(test_p47_open_wait_longer_than_the_end_is_cut_short),
		TEST(test_p52_pause_and_resume),
		TEST(test_p52_pause_and_resume_are_refused_elsewhere),
		TEST(test_matrix_each_stage_x_each_blow_ends_as_the_table_says),
		TEST(test_matrix_every_state_of_a_session_has_an_end_by_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
