/* SPDX-License-Identifier: MIT */
/* pev-ctrl from plug-in to charging: rules P-11, P-12, P-15, P-16, P-19, P-31, P-32, P-35. */
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

/* -------------------------------------------------------------------------------------------- the session */

static void test_session_walks_all_stages_and_back(void **state)
{
	static const enum pev_state expected[] = {
		PEV_ST_IDLE,	   PEV_ST_IDLE,	     PEV_ST_NEGOTIATING, PEV_ST_CONNECTED,
		PEV_ST_INSULATION, PEV_ST_PRECHARGE, PEV_ST_READY,	 PEV_ST_CHARGING,
		PEV_ST_ENDING,	   PEV_ST_WELDING,   PEV_ST_CLOSING,
	};
	uint8_t stage;

	(void)state;
	assert_int_equal(car_state(&car), PEV_ST_OFFLINE);
	for (stage = 0; stage <= 10; stage++) {
		car_to_stage(&car, stage);
		if (stage == 0)
			car_stage(&car, 0);
		assert_int_equal(car_state(&car), expected[stage]);
		assert_int_equal(car.vehicle.cmd.is_closed, stage >= 5 && stage <= 8);
		car_check(&car);
		car_init(&car, PEV_V2_5);
	}
	car_to_stage(&car, 10);
	assert_int_equal(car.vehicle.n_closes, 1);
	car_stage(&car, 1);
	assert_int_equal(car_state(&car), PEV_ST_IDLE);
	assert_int_equal(car.point.session.faults.latched, 0);
	car_to_stage(&car, 7);
	assert_int_equal(car_state(&car), PEV_ST_CHARGING);
	assert_int_equal(car.point.session.record.n_sessions, 2);
}

static void test_session_works_in_every_profile(void **state)
{
	int32_t protocol;

	(void)state;
	for (protocol = 0; protocol < PEV_N_VERSIONS; protocol++) {
		car_init(&car, protocol);
		car_to_stage(&car, 7);
		assert_true(car.vehicle.cmd.is_closed);
		assert_int_equal(car_status1(&car).max_charge_current_mA, 200000);
		car_init(&car, protocol);
		car_to_stage(&car, 10);
		assert_int_equal(car.vehicle.n_closes, 1);
		assert_int_equal(car.point.session.faults.latched, 0);
		car_check(&car);
	}
}

static void test_driver_is_told_phase_request_and_session(void **state)
{
	(void)state;
	car_to_stage(&car, 1);
	assert_int_equal(car.vehicle.cmd.phase, VH_PHASE_IDLE);
	assert_int_equal(car.vehicle.cmd.is_in_session, 0);
	car_stage(&car, 2);
	assert_int_equal(car.vehicle.cmd.phase, VH_PHASE_CONNECTED);
	assert_int_equal(car.vehicle.cmd.is_in_session, 1);
	car_stage(&car, 4);
	assert_int_equal(car.vehicle.cmd.phase, VH_PHASE_INSULATION);
	car_stage(&car, 5);
	assert_int_equal(car.vehicle.cmd.phase, VH_PHASE_PRECHARGE);
	car_to_stage(&car, 7);
	assert_int_equal(car.vehicle.cmd.phase, VH_PHASE_TRANSFER);
	assert_int_equal(car.vehicle.cmd.i_request_mA, 200000);
	assert_int_equal(car.vehicle.cmd.size, sizeof(struct vh_command));
	car_stage(&car, 8);
	assert_int_equal(car.vehicle.cmd.phase, VH_PHASE_ENDING);
}

static void test_energy_is_counted_while_closed(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	car_run(&car, INT64_C(3600) * 1000000);
	/* 330 V x 100 A for one hour, and the 300 ms of the walk. */
	assert_in_range(car.point.session.record.energy_mJ / 3600000, 32990, 33010);
}

/* ------------------------------------------------------------------------------- P-11, P-12: DC_Control lost */

static void test_p11_dc_control_missing_1s_opens_contactors_and_asks_for_emergency(void **state)
{
	int64_t last_us;

	(void)state;
	car_to_stage(&car, 7);
	car.is_control_sent = false;
	last_us = car.control_rx_us;
	car_run_ms(&car, 900);
	assert_true(car.vehicle.cmd.is_closed);
	car_run_ms(&car, 300);
	assert_false(car.vehicle.cmd.is_closed);
	assert_true(car.vehicle.cmd.is_urgent);
	assert_in_range(car.vehicle.opened_us - last_us, CAR_MS(1000), CAR_MS(1100));
	assert_true(car_has_fault(&car, PEV_FAULT_DC_CONTROL_LOST));
	car_run_ms(&car, 100);
	assert_int_equal(car_status2(&car).emergency_stop, 1);
	assert_int_equal(car_status1(&car).max_charge_current_mA, 0);
}

static void test_p11_request_falls_to_zero_before_contactors_open(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	car.is_control_sent = false;
	car_run_ms(&car, 700);
	assert_true(car.vehicle.cmd.is_closed);
	assert_int_equal(car_status1(&car).max_charge_current_mA, 0);
	assert_int_equal(car.point.session.request.by, PEV_LIMIT_DC_CONTROL_LATE);
	car_close(&car, true);
	car_run_ms(&car, 100);
	assert_int_equal(car_status1(&car).max_charge_current_mA, 200000);
}

static void test_p11_silence_before_contactors_close_is_an_emergency_too(void **state)
{
	(void)state;
	car_to_stage(&car, 3);
	car.is_control_sent = false;
	car_run_ms(&car, 1200);
	assert_int_equal(car_state(&car), PEV_ST_BLOCKED);
	assert_int_equal(car_status2(&car).emergency_stop, 1);
}

static void test_p11_silence_of_an_idle_module_is_no_fault(void **state)
{
	(void)state;
	car_to_stage(&car, 1);
	car.is_control_sent = false;
	car.is_info_sent = false;
	car_run_ms(&car, 5000);
	assert_int_equal(car_state(&car), PEV_ST_OFFLINE);
	assert_int_equal(car.point.session.faults.latched, 0);
}

static void test_module_that_was_silent_is_met_as_if_it_were_new(void **state)
{
	int64_t from_us;

	(void)state;
	car_to_stage(&car, 1);
	car.is_info_sent = car.is_control_sent = false;
	car_run_ms(&car, 2000);
	assert_int_equal(car_state(&car), PEV_ST_OFFLINE);
	from_us = car.now_us;
	car_stage(&car, 1);
	assert_int_equal(car_state(&car), PEV_ST_IDLE);
	assert_int_equal(car_count(&car, 0x618, from_us), 1);
}

static void test_p12_close_after_silence_counts_only_after_open(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	car.is_control_sent = false;
	car_run_ms(&car, 2500);
	car.vehicle.st.current_mA = 0;
	car_close(&car, true);
	car_run_ms(&car, 3000);
	assert_false(car.vehicle.cmd.is_closed);
	assert_int_equal(car_state(&car), PEV_ST_BLOCKED);
	car_close(&car, false);
	car_run_ms(&car, 300);
	assert_int_equal(car_state(&car), PEV_ST_CHARGING);
	car_close(&car, true);
	assert_true(car.vehicle.cmd.is_closed);
}

static void test_p12_close_as_first_word_after_start_is_not_obeyed(void **state)
{
	(void)state;
	car_match(&car, true);
	car_stage(&car, 5);
	car_close(&car, true);
	car_run_ms(&car, 2000);
	assert_int_equal(car.vehicle.n_closes, 0);
	car_close(&car, false);
	car_close(&car, true);
	assert_int_equal(car.vehicle.n_closes, 1);
}

/* ------------------------------------------------------------------------------------------ P-15, P-16, P-19 */

static void test_p15_stage_1_clears_bits_opens_contactors_and_resets(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	assert_int_equal(car_command(&car, "stop"), 0);
	assert_int_equal(car_command(&car, "emergency"), 0);
	car_run_ms(&car, 100);
	car_stage(&car, 1);
	assert_false(car.vehicle.cmd.is_closed);
	car_run_ms(&car, 100);
	assert_int_equal(car_status2(&car).normal_end_of_charge, 0);
	assert_int_equal(car_status2(&car).emergency_stop, 0);
}

static void test_p15_stage_1_with_closed_contactors_opens_at_once_under_load(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	car_stage(&car, 1);
	assert_false(car.vehicle.cmd.is_closed);
	assert_true(car.vehicle.cmd.is_urgent);
	assert_true(car_has_fault(&car, PEV_FAULT_OPENED_UNDER_LOAD));
	car_run_ms(&car, 1000);
	assert_int_equal(car_state(&car), PEV_ST_IDLE);
}

static void test_p15_pause_bit_is_cleared_on_stage_1(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	assert_int_equal(car_command(&car, "pause"), 0);
	assert_int_equal(car_ev_status(&car).charge_pause_request, 1);
	car_stage(&car, 1);
	assert_int_equal(car_ev_status(&car).charge_pause_request, 0);
}

static void test_p16_soc_and_capacity_are_sent_before_stage_2(void **state)
{
	struct pev_ev_information m = {0};

	(void)state;
	car_run_ms(&car, 50);
	car.point.session.wire.tx[0]->unpack(&m, car_last(&car, 0x610)->data);
	assert_int_equal(m.state_of_charge_permille, 300);
	assert_int_equal(m.energy_capacity_Wh, 75500);
}

static void test_p16_capacity_falls_back_to_ratings_then_to_settings(void **state)
{
	struct pev_ev_information m = {0};

	(void)state;
	car.vehicle.st.capacity_Wh = 0;
	car_run_ms(&car, 50);
	car.point.session.wire.tx[0]->unpack(&m, car_last(&car, 0x610)->data);
	assert_int_equal(m.energy_capacity_Wh, 75500);
	car.point.session.caps.capacity_Wh = 0;
	car.point.session.conf.energy_capacity_Wh = 50000;
	car_run_ms(&car, 100);
	car.point.session.wire.tx[0]->unpack(&m, car_last(&car, 0x610)->data);
	assert_int_equal(m.energy_capacity_Wh, 50000);
}

static void test_p19_hold_off_until_high_voltage_system_is_ready(void **state)
{
	int64_t from_us;

	(void)state;
	car.vehicle.st.is_hv_ready = 0;
	car_to_stage(&car, 2);
	assert_int_equal(car_ev_status(&car).hv_preparing_hold_off, 1);
	car_stage(&car, 3);
	car_run_ms(&car, 2000);
	from_us = car.now_us;
	car.vehicle.st.is_hv_ready = 1;
	car_run_ms(&car, 100);
	assert_int_equal(car_ev_status(&car).hv_preparing_hold_off, 0);
	assert_int_equal(car_count(&car, 0x618, from_us), 1);
}

static void test_p19_latched_fault_holds_the_session_off(void **state)
{
	(void)state;
	car_to_stage(&car, 1);
	assert_int_equal(car_command(&car, "emergency"), 0);
	assert_int_equal(car_ev_status(&car).hv_preparing_hold_off, 1);
	car_stage(&car, 2);
	car_run_ms(&car, 500);
	assert_int_equal(car_state(&car), PEV_ST_BLOCKED);
	assert_int_equal(car_command(&car, "clear-fault"), 0);
	assert_int_equal(car_ev_status(&car).hv_preparing_hold_off, 0);
	assert_int_equal(car_state(&car), PEV_ST_NEGOTIATING);
}

static void test_p19_not_ready_in_precharge_ends_the_session(void **state)
{
	car_init(&car, PEV_V2_0); /* no hold-off there */
	(void)state;
	car.vehicle.st.is_hv_ready = 0;
	car_to_stage(&car, 4);
	assert_int_equal(car_state(&car), PEV_ST_INSULATION);
	car_stage(&car, 5);
	assert_true(car_has_fault(&car, PEV_FAULT_NOT_READY));
	assert_int_equal(car_state(&car), PEV_ST_BLOCKED);
}

static void test_p19_not_ready_any_more_ends_in_ready_and_charging(void **state)
{
	uint8_t stage;

	(void)state;
	for (stage = 6; stage <= 7; stage++) {
		car_init(&car, PEV_V2_5);
		car_to_stage(&car, stage);
		car.vehicle.st.is_hv_ready = 0;
		car_run_ms(&car, 100);
		assert_true(car_has_fault(&car, PEV_FAULT_NOT_READY));
	}
}

static void test_p19_fault_cleared_in_stage_3_lets_the_session_go_on(void **state)
{
	(void)state;
	car_to_stage(&car, 1);
	assert_int_equal(car_command(&car, "emergency"), 0);
	car_stage(&car, 3);
	assert_int_equal(car_command(&car, "clear-fault"), 0);
	assert_int_equal(car_state(&car), PEV_ST_CONNECTED);
	assert_int_equal(car_ev_status(&car).hv_preparing_hold_off, 0);
}

static void test_blocked_vehicle_is_told_whether_it_is_plugged(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	car.vehicle.st.current_mA = 0;
	assert_int_equal(car_command(&car, "emergency"), 0);
	car_run_ms(&car, 1000);
	assert_int_equal(car.vehicle.cmd.phase, VH_PHASE_ENDING);
	car_stage(&car, 1);
	assert_int_equal(car_state(&car), PEV_ST_BLOCKED);
	assert_int_equal(car.vehicle.cmd.phase, VH_PHASE_IDLE);
	assert_int_equal(car_command(&car, "clear-fault"), 0);
	assert_int_equal(car_command(&car, "emergency"), 0);
	car_stage(&car, 2);
	assert_int_equal(car.vehicle.cmd.phase, VH_PHASE_ENDING);
}

/* ------------------------------------------------------------------------------------- P-31, P-32, P-35 */

static void test_p31_request_never_above_the_chargers_maximum(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	car.info.max_current_mA = 120000;
	car_stage(&car, 7);
	car_run_ms(&car, 100);
	assert_int_equal(car_status1(&car).max_charge_current_mA, 120000);
	assert_int_equal(car.point.session.request.by, PEV_LIMIT_CHARGER);
	car.info.max_current_mA = -5000; /* counts as not known */
	car_stage(&car, 7);
	car_run_ms(&car, 100);
	assert_int_equal(car_status1(&car).max_charge_current_mA, 200000);
}

static void test_p31_request_is_rounded_down_to_the_signal(void **state)
{
	(void)state;
	car.vehicle.st.i_charge_max_mA = 120900;
	car_run_ms(&car, 100);
	assert_int_equal(car_status1(&car).max_charge_current_mA, 120000);
}

static void test_p31_own_limit_and_users_wish_act_live(void **state)
{
	(void)state;
	car_to_stage(&car, 7);
	assert_int_equal(car_command(&car, "set requested_current_mA 50000"), 0);
	car_run_ms(&car, 100);
	assert_int_equal(car_status1(&car).max_charge_current_mA, 50000);
	car.conf.max_charge_current_mA = 30000;
	assert_int_equal(car_command(&car, "set max_charge_current_mA 30000"), 0);
	car_run_ms(&car, 100);
	assert_int_equal(car_status1(&car).max_charge_current_mA, 30000);
	assert_int_equal(car.point.session.request.by, PEV_LIMIT_PACK);
}

static void test_discharge_is_announced_only_with_bidirectional_and_fresh_bms(void **state)
{
	struct pev_conf conf;

	(void)state;
	car.vehicle.st.i_discharge_max_mA = 80000;
	car_run_ms(&car, 100);
	assert_int_equal(car_status1(&car).max_discharge_current_mA, 0);
	car_conf(&conf, PEV_V2_5);
	conf.is_bidirectional = 1;
	car_init_conf(&car, &conf);
	car.vehicle.st.i_discharge_max_mA = 180000;
	car_run_ms(&car, 100);
	assert_int_equal(car_status1(&car).max_discharge_current_mA, 100000);
	car.vehicle.has_frozen_bms = true;
	car_run_ms(&car, 600);
	assert_int_equal(car_status1(&car).max_discharge_current_mA, 0);
	assert_false(pev_session_facts(&car.point.session, car.now_us).may_request);
}

static void test_p32_stale_bms_asks_for_zero_then_ends(void **state)
{
	int64_t from_us;

	(void)state;
	car_to_stage(&car, 7);
	car.vehicle.has_frozen_bms = true;
	from_us = car.now_us;
	while (car_status1(&car).max_charge_current_mA > 0)
		car_run_ms(&car, 10);
	assert_in_range(car.now_us - from_us, 0, CAR_MS(500));
	car_run_ms(&car, 100);
	assert_int_equal(car_state(&car), PEV_ST_STOPPING);
	assert_true(car_has_fault(&car, PEV_FAULT_BMS_STALE));
	assert_int_equal(car_status2(&car).normal_end_of_charge, 1);
	assert_true(car.vehicle.cmd.is_closed);
	car.vehicle.st.current_mA = 0;
	car_stage(&car, 8);
	car_stage(&car, 9);
	car_close(&car, false);
	assert_false(car.vehicle.cmd.is_closed);
	assert_false(car.vehicle.cmd.is_urgent);
}

static void test_p35_energy_levels_are_put_in_order(void **state)
{
	struct pev_ev_energy_request e = {0};
	struct pev_ev_v2x_energy_request v = {0};

	(void)state;
	car.vehicle.st.energy_target_Wh = 90000;
	car.vehicle.st.energy_max_Wh = 80000;
	car.vehicle.st.energy_min_Wh = 20000;
	car.vehicle.st.v2x_min_Wh = 10000;
	car.vehicle.st.v2x_max_Wh = 99000;
	car_run_ms(&car, 100);
	car.point.session.wire.tx[4]->unpack(&e, car_last(&car, 0x614)->data);
	car.point.session.wire.tx[5]->unpack(&v, car_last(&car, 0x615)->data);
	assert_int_equal(e.maximum_energy_request_Wh, 75500);
	assert_int_equal(e.target_energy_request_Wh, 75500);
	assert_int_equal(e.minimum_energy_request_Wh, 20000);
	assert_int_equal(v.minimum_v2x_energy_request_Wh, 20000);
	assert_int_equal(v.maximum_v2x_energy_request_Wh, 75500);
}

static void test_p35_levels_that_the_bms_does_not_give_span_the_battery(void **state)
{
	struct pev_ev_energy_request e = {0};

	(void)state;
	car.vehicle.st.energy_target_Wh = car.vehicle.st.energy_max_Wh = car.vehicle.st.energy_min_Wh = -1;
	car.vehicle.st.v2x_min_Wh = car.vehicle.st.v2x_max_Wh = -1;
	car.vehicle.st.departure_s = -1;
	car_run_ms(&car, 100);
	car.point.session.wire.tx[4]->unpack(&e, car_last(&car, 0x614)->data);
	assert_int_equal(e.maximum_energy_request_Wh, 75500);
	assert_int_equal(e.minimum_energy_request_Wh, 0);
	assert_int_equal(car_count(&car, 0x616, 0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, new_car, check_car)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_session_walks_all_stages_and_back),
		TEST(test_session_works_in_every_profile),
		TEST(test_driver_is_told_phase_request_and_session),
		TEST(test_energy_is_counted_while_closed),
		TEST(test_p11_dc_control_missing_1s_opens_contactors_and_asks_for_emergency),
		TEST(test_p11_request_falls_to_zero_before_contactors_open),
		TEST(test_p11_silence_before_contactors_close_is_an_emergency_too),
		TEST(test_p11_silence_of_an_idle_module_is_no_fault),
		TEST(test_module_that_was_silent_is_met_as_if_it_were_new),
		TEST(test_p12_close_after_silence_counts_only_after_open),
		TEST(test_p12_close_as_first_word_after_start_is_not_obeyed),
		TEST(test_p15_stage_1_clears_bits_opens_contactors_and_resets),
		TEST(test_p15_stage_1_with_closed_contactors_opens_at_once_under_load),
		TEST(test_p15_pause_bit_is_cleared_on_stage_1),
		TEST(test_p16_soc_and_capacity_are_sent_before_stage_2),
		TEST(test_p16_capacity_falls_back_to_ratings_then_to_settings),
		TEST(test_p19_hold_off_until_high_voltage_system_is_ready),
		TEST(test_p19_latched_fault_holds_the_session_off),
		TEST(test_p19_not_ready_in_precharge_ends_the_session),
		TEST(test_p19_not_ready_any_more_ends_in_ready_and_charging),
		TEST(test_p19_fault_cleared_in_stage_3_lets_the_session_go_on),
		TEST(test_blocked_vehicle_is_told_whether_it_is_plugged),
		TEST(test_p31_request_never_above_the_chargers_maximum),
		TEST(test_p31_request_is_rounded_down_to_the_signal),
		TEST(test_p31_own_limit_and_users_wish_act_live),
		TEST(test_discharge_is_announced_only_with_bidirectional_and_fresh_bms),
		TEST(test_p32_stale_bms_asks_for_zero_then_ends),
		TEST(test_p35_energy_levels_are_put_in_order),
		TEST(test_p35_levels_that_the_bms_does_not_give_span_the_battery),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
