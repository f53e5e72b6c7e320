/* SPDX-License-Identifier: MIT */
/* evse_session on the bench: watchdogs, emergency, faults, frames that must not matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/evse_rig.h"

static struct rig rig;

static int setup(void **state)
{
	rig_defaults(&rig);
	*state = &rig;
	return 0;
}

/* --- watchdogs, emergency, faults ------------------------------------------------------------------------ */

static void test_evse_E12_module_silence_stops_power_at_200_ms(void **state)
{
	struct rig *r = *state;
	int64_t last_us;

	rig_start_to(r, EVSE_ST_TRANSFER);
	rig_run_ms(r, 50);
	last_us = r->point.session.status_watch.last_us;
	r->module_alive = false;
	rig_run_ms(r, 1000);
	assert_int_equal(r->driver.off_at_us - last_us, 200000);
	assert_int_equal(r->status.present_current_mA, 0);
	assert_false(r->driver.sp.is_closed);
	assert_int_equal(rig_state(r), EVSE_ST_BLOCKED);
}

static void test_evse_E13_power_needs_status_and_a_newer_command(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_TRANSFER);
	r->module_alive = false;
	rig_run_ms(r, 500);
	rig_power(r, EVSE_FN_POWER_TRANSFER, 400000, 90000, true, false); /* a command alone */
	assert_int_equal(r->driver.i_mA, 0);
	rig_run_ms(r, 10);
	r->sends_power = false;
	rig_module_state(r, EVSE_MS_CHARGING); /* status alone */
	rig_run_ms(r, 300);
	assert_int_equal(r->driver.i_mA, 0);
	rig_power(r, EVSE_FN_POWER_TRANSFER, 400000, 90000, true, false);
	assert_int_equal(r->driver.i_mA, 90000);
	assert_int_equal(r->status.system_enable, 1);
}

static void test_evse_E85_emergency_stop_needs_200_ms_absence_and_a_new_command(void **state)
{
	struct evse_emergency_stop stop = {.origin = 3};
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_TRANSFER);
	rig_send(r, EVSE_EMERGENCY_STOP, &stop);
	assert_int_equal(r->driver.i_mA, 0);
	assert_int_equal(r->status.present_current_mA, 0); /* shown at once */
	r->sends_power = false;
	rig_run_ms(r, 100);
	assert_false(r->driver.sp.is_closed);
	rig_power(r, EVSE_FN_POWER_TRANSFER, 400000, 90000, true, false); /* too early */
	r->sends_power = false;
	assert_int_equal(r->driver.i_mA, 0);
	rig_run_ms(r, 150);
	assert_int_equal(r->driver.i_mA, 0);
	rig_power(r, EVSE_FN_POWER_TRANSFER, 400000, 90000, true, false);
	assert_int_equal(r->driver.i_mA, 90000);
}

static void test_evse_emergency_stop_repeated_keeps_power_off(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_TRANSFER);
	r->sends_emergency = true;
	rig_run_ms(r, 3000);
	assert_int_equal(rig_state(r), EVSE_ST_BLOCKED);
	assert_int_equal(r->driver.i_mA, 0);
}

static void test_evse_E81_session_end_in_either_order(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_TRANSFER);
	rig_finish(r);
	assert_int_equal(r->driver.i_mA, 0);
	rig_run_ms(r, 200);
	assert_int_equal(rig_state(r), EVSE_ST_CLOSING);
	rig_module_state(r, EVSE_MS_CLOSING);
	assert_int_equal(r->point.session.record.n_sessions, 1);
	r->sends_power = false;
	rig_run_ms(r, 3000);
	rig_to(r, EVSE_ST_TRANSFER);
	rig_module_state(r, EVSE_MS_CLOSING);
	assert_int_equal(r->driver.i_mA, 0);
	rig_finish(r);
	rig_run_ms(r, 200);
	assert_int_equal(rig_state(r), EVSE_ST_CLOSING);
	assert_int_equal(r->status.system_enable, 0);
}

static void test_evse_E86_own_fault_stops_first_then_tells(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_TRANSFER);
	r->driver.faults_stop = PM_FAULT_OVER_TEMP;
	rig_run_ms(r, 100);
	assert_int_equal(r->driver.i_mA, 0);
	assert_int_equal(r->status.system_enable, 0);
	rig_run_ms(r, 200);
	assert_int_equal(rig_state(r), EVSE_ST_FAULT);
	assert_false(r->driver.sp.is_closed);
	/* Latched while present, even over a new session. */
	r->sends_power = false;
	assert_int_equal(evse_session_clear_faults(&r->point.session, r->now_us, &r->point.inner), -16);
	r->driver.faults_stop = 0;
	rig_run_ms(r, 200);
	assert_int_equal(rig_state(r), EVSE_ST_FAULT);
	rig_module_state(r, EVSE_MS_CLOSING);
	rig_module_state(r, EVSE_MS_WAITING_FOR_PEV);
	assert_int_equal(rig_state(r), EVSE_ST_IDLE);
	rig_to(r, EVSE_ST_TRANSFER);
	assert_int_equal(r->driver.i_mA, 100000);
}

static void test_evse_stale_readings_are_a_fault(void **state)
{
	struct rig *r = *state;
	int64_t since_us;

	rig_start_to(r, EVSE_ST_TRANSFER);
	since_us = r->driver.stale_since_us = r->now_us;
	rig_run_ms(r, 2000);
	assert_in_range(r->driver.off_at_us - since_us, 600000, 720000);
	assert_true(r->point.session.faults.latched & 1u << EVSE_FAULT_MEASUREMENT_STALE);
	assert_int_equal(r->status.system_enable, 0);
	assert_false(r->driver.sp.is_closed); /* forced after the bounded wait */
}

static void test_evse_over_voltage_and_over_current_are_faults(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_TRANSFER);
	r->driver.stuck_mA = 150000;
	rig_run_ms(r, 2000);
	assert_true(r->point.session.faults.latched & 1u << EVSE_FAULT_OVER_CURRENT);
	rig_defaults(r);
	rig_start_to(r, EVSE_ST_TRANSFER);
	r->driver.v_mV = 540000;
	rig_run_ms(r, 200);
	assert_true(r->point.session.faults.latched & 1u << EVSE_FAULT_OVER_VOLTAGE);
	assert_int_equal(r->driver.i_mA, 0);
}

static void test_evse_falling_at_the_stacks_own_ramp_is_no_fault(void **state)
{
	struct rig *r = *state;

	r->driver.fall_mA_per_s = 20000;
	rig_start_to(r, EVSE_ST_TRANSFER);
	rig_power(r, EVSE_FN_POWER_TRANSFER, 400000, 60000, true, false);
	rig_run_ms(r, 1000);
	rig_power(r, EVSE_FN_POWER_TRANSFER, 400000, 0, true, false);
	rig_run_ms(r, 6000);
	assert_int_equal(r->point.session.faults.latched, 0);
	assert_int_equal(r->status.present_current_mA, 0);
}

static void test_evse_current_that_does_not_stop_is_a_fault_and_opens_in_time(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_TRANSFER);
	r->driver.stuck_mA = 50000;
	rig_power(r, EVSE_FN_STANDBY, 0, 0, true, false);
	rig_run_ms(r, 1000);
	assert_true(r->point.session.faults.latched & 1u << EVSE_FAULT_CURRENT_STUCK);
	assert_int_equal(r->driver.sp.mode, PM_OFF);
	assert_false(r->driver.sp.is_closed);
}

static void test_evse_relay_that_does_not_open_is_a_fault(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_TRANSFER);
	r->driver.relay_stuck = true;
	r->sends_emergency = true;
	rig_run_ms(r, 3000);
	assert_true(r->point.session.faults.latched & 1u << EVSE_FAULT_CONTACTOR);
	assert_int_equal(rig_state(r), EVSE_ST_FAULT);
}

static void test_evse_readiness_lost_under_power_is_a_fault(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_TRANSFER);
	r->driver.is_ready_after_wake = false;
	rig_run_ms(r, 100);
	assert_int_equal(r->driver.i_mA, 0);
	assert_int_equal(r->status.system_enable, 0);
}

static void test_evse_states_of_a_session_end_by_time(void **state)
{
	static const enum evse_state timed[] = {EVSE_ST_INSULATION, EVSE_ST_PRECHARGE, EVSE_ST_LOWERING};
	struct rig *r = *state;
	unsigned i;

	for (i = 0; i < 3; i++) {
		rig_defaults(r);
		rig_start_to(r, timed[i]);
		rig_run_ms(r, 130000);
		assert_int_equal(rig_state(r), EVSE_ST_FAULT);
		assert_true(r->point.session.faults.latched & 1u << EVSE_FAULT_STATE_TIMEOUT);
		assert_int_equal(r->driver.sp.mode, PM_OFF);
	}
}

static void test_evse_E87_signal_ends_within_500_ms_with_three_status_frames(void **state)
{
	static const enum evse_state from[] = {EVSE_ST_SESSION,	 EVSE_ST_STANDBY,   EVSE_ST_INSULATION,
					       EVSE_ST_LOWERING, EVSE_ST_PRECHARGE, EVSE_ST_TRANSFER};
	struct rig *r = *state;
	unsigned i;

	for (i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		int64_t begin_us;
		uint32_t n;

		rig_defaults(r);
		rig_start_to(r, from[i]);
		begin_us = r->now_us;
		n = r->n_tx[EVSE_POWER_MODULES_STATUS];
		evse_session_stop(&r->point.session, r->now_us, &r->point.inner);
		evse_point_settle(&r->point, r->now_us, &r->out);
		assert_int_equal(r->driver.i_mA, 0);
		while (!evse_session_is_stopped(&r->point.session))
			rig_run_ms(r, 10);
		assert_true(r->now_us - begin_us <= 500000);
		assert_true(r->n_tx[EVSE_POWER_MODULES_STATUS] - n >= 3);
		assert_int_equal(r->status.system_enable, 0);
		assert_false(r->driver.sp.is_closed);
		assert_int_equal(r->driver.sp.mode, PM_OFF);
	}
}

static void test_evse_signal_outside_a_session_ends_at_once(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_IDLE);
	evse_session_stop(&r->point.session, r->now_us, &r->point.inner);
	assert_true(evse_session_is_stopped(&r->point.session));
}

static void test_evse_E88_bus_off_counts_as_silence_and_recovers(void **state)
{
	struct can_frame f = {.can_id = CAN_ERR_FLAG | 0x40u, .can_dlc = 8};
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_TRANSFER);
	rig_rx(r, &f);
	assert_int_equal(r->driver.i_mA, 0);
	rig_run_ms(r, 2000); /* the module went on talking */
	assert_int_equal(r->driver.i_mA, 100000);
}

static void test_evse_emergency_button_stops_and_is_told(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_TRANSFER);
	evse_session_emergency(&r->point.session, r->now_us, &r->point.inner);
	evse_point_settle(&r->point, r->now_us, &r->out);
	assert_int_equal(r->driver.i_mA, 0);
	rig_run_ms(r, 100);
	assert_int_equal(r->status.system_enable, 0);
}

static void test_evse_command_of_a_silent_module_is_ignored_without_a_fault(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_SESSION);
	r->module_alive = false;
	rig_run_ms(r, 500);
	rig_power(r, EVSE_FN_INSULATION_TEST, 500000, 0, true, false);
	rig_run_ms(r, 300);
	assert_int_equal(r->point.session.faults.latched, 0);
	assert_int_equal(r->point.session.guard.n_withheld, 0);
	assert_false(r->driver.sp.is_closed);
	rig_module_state(r, EVSE_MS_INSULATION_TEST);
	rig_run_ms(r, 20);
	rig_power(r, EVSE_FN_INSULATION_TEST, 500000, 0, true, false);
	assert_int_equal(rig_state(r), EVSE_ST_INSULATION);
}

/* --- frames that must not matter -------------------------------------------------------------------------- */

static void test_evse_E02_odd_frames_are_counted_and_change_nothing(void **state)
{
	struct rig *r = *state;
	struct can_frame good, f;
	struct evse_counters *c = &r->point.session.wire.count;
	struct evse_dc_power_control off = {0};
	unsigned dlc;

	rig_start_to(r, EVSE_ST_TRANSFER);
	msg_to_frame(&evse_layouts[EVSE_V3_6][EVSE_DC_POWER_CONTROL], &off, 1, &good);
	f = good;
	f.can_id = 0x06B003 & CAN_SFF_MASK; /* 11 bit */
	rig_rx(r, &f);
	f = good;
	f.can_id |= CAN_RTR_FLAG;
	rig_rx(r, &f);
	assert_int_equal(c->n_kind, 2);
	f = good;
	f.can_id = (good.can_id & ~0x1F000000u) | 2u << 24; /* other index */
	rig_rx(r, &f);
	f = good;
	f.can_id += 0x55;
	rig_rx(r, &f);
	assert_int_equal(c->n_foreign, 2);
	for (dlc = 0; dlc < 7; dlc++) {
		f = good;
		f.can_dlc = (uint8_t)dlc;
		rig_rx(r, &f);
	}
	assert_int_equal(c->n_short, 7);
	assert_int_equal(rig_state(r), EVSE_ST_TRANSFER);
	assert_int_equal(r->driver.i_mA, 100000);
	f = good;
	f.can_dlc = 8; /* longer: the leading bytes count */
	rig_rx(r, &f);
	assert_int_equal(r->driver.i_mA, 0);
}

static void test_evse_E06_index_out_of_range_is_refused(void **state)
{
	struct rig *r = *state;
	struct evse_session *s = &r->point.session;

	assert_int_equal(evse_session_init(s, &r->conf, 0, NULL, 0), -22);
	assert_int_equal(evse_session_init(s, &r->conf, 16, NULL, 0), -22);
	assert_int_equal(evse_session_init(s, &r->conf, 15, NULL, 0), 0);
}

static void test_evse_E08_battery_and_voltages_in_both_lengths(void **state)
{
	struct rig *r = *state;
	struct can_frame f = {
		.can_id = 0x0106B100u | CAN_EFF_FLAG, .can_dlc = 3, .data = {0x4C, 0, 0x1E, 9, 9, 9}};

	rig_start(r);
	rig_rx(r, &f);
	assert_int_equal(r->point.session.wire.vehicle.capacity_Wh, 76000);
	assert_int_equal(r->point.session.wire.vehicle.soc_permille, 300);
	assert_int_equal(r->point.session.wire.vehicle.soc_target_permille, 0);
	f.can_dlc = 6;
	f.data[4] = 80;
	rig_rx(r, &f);
	assert_int_equal(r->point.session.wire.vehicle.soc_target_permille, 800);
	f.can_dlc = 2;
	rig_rx(r, &f);
	assert_int_equal(r->point.session.wire.count.n_short, 1);
}

static void test_evse_E09_profile_3_0_runs_a_whole_session(void **state)
{
	struct rig *r = *state;

	r->conf.protocol = EVSE_V3_0;
	rig_start_to(r, EVSE_ST_TRANSFER);
	assert_int_equal(r->driver.i_mA, 100000);
	assert_int_equal(r->last[EVSE_POWER_MODULES_STATUS].can_id, 0x01060010u | CAN_EFF_FLAG);
	rig_module_state(r, EVSE_MS_ENDING);
	rig_power(r, EVSE_FN_STANDBY, 0, 0, false, true);
	rig_run_ms(r, 300);
	assert_false(r->driver.sp.is_closed);
}

static void test_evse_all_profiles_run_a_whole_session(void **state)
{
	struct rig *r = *state;
	int32_t v;

	for (v = EVSE_V3_0; v < EVSE_N_VERSIONS; v++) {
		rig_defaults(r);
		r->conf.protocol = v;
		rig_start_to(r, EVSE_ST_TRANSFER);
		rig_module_state(r, EVSE_MS_CLOSING);
		rig_finish(r);
		rig_run_ms(r, 500);
		assert_int_equal(rig_state(r), EVSE_ST_CLOSING);
	}
}

static void test_evse_worked_frames_of_the_status_and_flags(void **state)
{
	static const uint8_t status[8] = {0xB7, 0x0F, 0xD5, 0xFD, 0x4B, 0x3C, 0x01, 0x32};
	struct evse_wire w;
	struct evse_status_out st = {402300, -55500, 35000, 20000, true, 100000};
	struct evse_parameters_out p = {500000, 120000, 120000};
	struct can_frame f;

	(void)state;
	assert_int_equal(evse_wire_init(&w, EVSE_V3_6, 1), 0);
	evse_wire_status(&w, &st, &f);
	assert_int_equal(f.can_id, 0x01063000u | CAN_EFF_FLAG);
	assert_memory_equal(f.data, status, 8);
	evse_wire_parameters(&w, &p, &f);
	assert_memory_equal(f.data, "\x88\x13\xB0\x04\xB0\x04\x00\x00", 8);
	evse_wire_sequence(&w, EVSE_FLAG_START | EVSE_FLAG_AUTH_DONE | EVSE_FLAG_AUTH_VALID, &f);
	assert_int_equal(f.can_dlc, 3);
	assert_memory_equal(f.data, "\x01\x03\x00", 3);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_evse_E12_module_silence_stops_power_at_200_ms),
		T(test_evse_E13_power_needs_status_and_a_newer_command),
		T(test_evse_E85_emergency_stop_needs_200_ms_absence_and_a_new_command),
		T(test_evse_emergency_stop_repeated_keeps_power_off),
		T(test_evse_E81_session_end_in_either_order),
		T(test_evse_E86_own_fault_stops_first_then_tells),
		T(test_evse_stale_readings_are_a_fault),
		T(test_evse_over_voltage_and_over_current_are_faults),
		T(test_evse_falling_at_the_stacks_own_ramp_is_no_fault),
		T(test_evse_current_that_does_not_stop_is_a_fault_and_opens_in_time),
		T(test_evse_relay_that_does_not_open_is_a_fault),
		T(test_evse_readiness_lost_under_power_is_a_fault),
		T(test_evse_states_of_a_session_end_by_time),
		T(test_evse_E87_signal_ends_within_500_ms_with_three_status_frames),
		T(test_evse_signal_outside_a_session_ends_at_once),
		T(test_evse_E88_bus_off_counts_as_silence_and_recovers),
		T(test_evse_emergency_button_stops_and_is_told),
		T(test_evse_command_of_a_silent_module_is_ignored_without_a_fault),
		T(test_evse_E02_odd_frames_are_counted_and_change_nothing),
		T(test_evse_E06_index_out_of_range_is_refused),
		T(test_evse_E08_battery_and_voltages_in_both_lengths),
		T(test_evse_E09_profile_3_0_runs_a_whole_session),
		T(test_evse_all_profiles_run_a_whole_session),
		T(test_evse_worked_frames_of_the_status_and_flags),
	};

	return cmocka_run_group_tests_name("evse_faults", tests, NULL, NULL);
}
