/* SPDX-License-Identifier: MIT */
/* evse_session on the bench: sequence and power functions, rules that bind the charger's controller. */
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

/* --- sequence -------------------------------------------------------------------------------------------- */

static void test_evse_clean_session_passes_all_states(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_TRANSFER);
	assert_int_equal(r->status.present_current_mA, 100000);
	assert_int_equal(r->status.system_enable, 1);
	/* The three messages of the end, E-74 as seen by the customer. */
	rig_module_state(r, EVSE_MS_ENDING);
	rig_power(r, EVSE_FN_STANDBY, 0, 0, true, false);
	assert_true(r->driver.sp.is_closed);
	rig_run_ms(r, 200);
	rig_power(r, EVSE_FN_STANDBY, 0, 0, false, false);
	assert_false(r->driver.sp.is_closed);
	rig_run_ms(r, 200);
	rig_power(r, EVSE_FN_STANDBY, 0, 0, false, true);
	assert_int_equal(rig_state(r), EVSE_ST_LOWERING);
	rig_run_ms(r, 500);
	assert_int_equal(r->status.present_voltage_mV, 0);
	rig_module_state(r, EVSE_MS_CLOSING);
	rig_finish(r);
	assert_int_equal(rig_state(r), EVSE_ST_CLOSING);
	assert_int_equal(r->point.session.record.cause, EVSE_CAUSE_VEHICLE);
	r->sends_power = false;
	rig_run_ms(r, 1000);
	rig_module_state(r, EVSE_MS_WAITING_FOR_PEV);
	assert_int_equal(rig_state(r), EVSE_ST_IDLE);
	assert_int_equal(r->driver.sp.mode, PM_OFF);
	assert_int_equal(r->point.session.faults.latched, 0);
}

static void test_evse_next_session_works_after_a_clean_one(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_TRANSFER);
	rig_module_state(r, EVSE_MS_CLOSING);
	rig_finish(r);
	r->sends_power = false;
	rig_run_ms(r, 3000);
	rig_to(r, EVSE_ST_TRANSFER);
	assert_int_equal(rig_state(r), EVSE_ST_TRANSFER);
	assert_int_equal(r->point.session.record.n_sessions, 2);
}

static void test_evse_E14_status_every_100_ms_always(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	assert_int_equal(r->n_tx[EVSE_POWER_MODULES_STATUS], 1); /* first frame at once */
	rig_run_ms(r, 10000);
	assert_int_equal(r->n_tx[EVSE_POWER_MODULES_STATUS], 101);
	assert_int_equal(r->tx_gap_min_us[EVSE_POWER_MODULES_STATUS], 100000);
	assert_int_equal(r->tx_gap_max_us[EVSE_POWER_MODULES_STATUS], 100000);
}

static void test_evse_E16_parameters_at_change_each_second_never_closer_than_100_ms(void **state)
{
	struct rig *r = *state;
	uint32_t n;

	rig_start(r);
	rig_run_ms(r, 10050);
	assert_in_range(r->n_tx[EVSE_DC_POWER_PARAMETERS], 10, 12);
	for (n = 0; n < 40; n++) {
		r->driver.avail_mA = 50000 + (int32_t)n * 100;
		rig_run_ms(r, 30);
	}
	assert_true(r->tx_gap_min_us[EVSE_DC_POWER_PARAMETERS] >= 100000);
	rig_run_ms(r, 120);
	assert_int_equal(r->parameters.maximum_charge_current_mA, 53900);
}

static void test_evse_parameters_never_announce_zero_current(void **state)
{
	struct rig *r = *state;

	r->driver.avail_mA = 0;
	rig_start(r);
	assert_int_equal(r->parameters.maximum_charge_current_mA, 100); /* 0 would mean "default" */
}

static void test_evse_E17_sequence_on_states_12_1_11_3(void **state)
{
	static const uint8_t states[] = {EVSE_MS_NOT_AVAILABLE, EVSE_MS_WAITING_FOR_PEV,
					 EVSE_MS_AUTHORISATION, EVSE_MS_CONNECTED};
	struct rig *r = *state;
	unsigned i;

	rig_start(r);
	for (i = 0; i < 4; i++) {
		uint32_t n = r->n_tx[EVSE_SEQUENCE_CONTROL];

		rig_module_state(r, states[i]);
		assert_int_equal(r->n_tx[EVSE_SEQUENCE_CONTROL], n + 1);
		assert_int_equal(r->tx_us[EVSE_SEQUENCE_CONTROL], r->now_us);
	}
	assert_int_equal(r->sequence.start_charge_authorisation, 1);
}

static void test_evse_E29_authorisation_done_and_valid_in_one_frame(void **state)
{
	struct rig *r = *state;

	rig_start(r);
	rig_module_state(r, EVSE_MS_AUTHORISATION);
	rig_run_ms(r, 2990);
	assert_int_equal(r->sequence.ccs_authorisation_done, 0);
	assert_int_equal(r->sequence.ccs_authorisation_valid, 0);
	rig_run_ms(r, 20);
	assert_int_equal(r->sequence.ccs_authorisation_done, 1);
	assert_int_equal(r->sequence.ccs_authorisation_valid, 1);
}

static void test_evse_refused_authorisation_sets_done_alone(void **state)
{
	struct rig *r = *state;

	r->conf.is_authorised = 0;
	rig_start(r);
	rig_module_state(r, EVSE_MS_AUTHORISATION);
	rig_run_ms(r, 3100);
	assert_int_equal(r->sequence.ccs_authorisation_done, 1);
	assert_int_equal(r->sequence.ccs_authorisation_valid, 0);
}

static void test_evse_authorisation_waits_for_operator_when_configured(void **state)
{
	struct rig *r = *state;

	r->conf.authorisation_ms = -1;
	rig_start(r);
	rig_module_state(r, EVSE_MS_AUTHORISATION);
	rig_run_ms(r, 600000);
	assert_int_equal(r->sequence.ccs_authorisation_done, 0);
	evse_session_authorise(&r->point.session, true, &r->point.inner);
	evse_point_settle(&r->point, r->now_us, &r->out);
	rig_run_ms(r, 1100);
	assert_int_equal(r->sequence.ccs_authorisation_valid, 1);
}

static void test_evse_E26_flags_cleared_on_entering_1(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_TRANSFER);
	assert_int_equal(r->sequence.charge_parameters_done, 1);
	rig_module_state(r, EVSE_MS_WAITING_FOR_PEV);
	assert_int_equal(r->sequence.charge_parameters_done, 0);
	assert_int_equal(r->sequence.start_charge_authorisation, 1);
}

static void test_evse_start_permit_is_dropped_after_a_session_when_not_kept(void **state)
{
	struct rig *r = *state;

	r->conf.is_start_kept = 0;
	rig_start_to(r, EVSE_ST_TRANSFER);
	assert_int_equal(r->sequence.start_charge_authorisation, 1);
	rig_module_state(r, EVSE_MS_CLOSING);
	assert_int_equal(r->sequence.start_charge_authorisation, 0);
}

static void test_evse_E33_parameters_sent_before_done(void **state)
{
	struct rig *r = *state;
	int64_t parameters_us;

	r->conf.parameters_ms = 0;
	rig_start(r);
	parameters_us = r->tx_us[EVSE_DC_POWER_PARAMETERS];
	rig_module_state(r, EVSE_MS_CONNECTED);
	rig_run_ms(r, 10);
	assert_true(r->n_tx[EVSE_DC_POWER_PARAMETERS] > 0);
	assert_int_equal(r->sequence.charge_parameters_done, 1);
	assert_true(parameters_us <= r->tx_us[EVSE_SEQUENCE_CONTROL]);
}

static void test_evse_E35_enable_follows_new_session_and_readiness(void **state)
{
	struct rig *r = *state;

	r->driver.is_ready_after_wake = false;
	rig_start(r);
	rig_to(r, EVSE_ST_SESSION);
	rig_run_ms(r, 5000);
	assert_int_equal(r->status.system_enable, 0);
	assert_int_equal(r->driver.sp.mode, PM_STANDBY); /* woken */
	r->driver.is_ready_after_wake = true;
	rig_run_ms(r, 100);
	assert_int_equal(r->status.system_enable, 1);
}

static void test_evse_E73_user_stop_is_held_500_ms(void **state)
{
	struct rig *r = *state;
	int64_t pressed_us;

	r->conf.charge_duration_ms = 4000;
	rig_start_to(r, EVSE_ST_TRANSFER);
	while (!r->sequence.user_stop_button)
		rig_run_ms(r, 10);
	pressed_us = r->now_us;
	while (r->sequence.user_stop_button)
		rig_run_ms(r, 10);
	assert_in_range(r->now_us - pressed_us, 510000, 600000); /* 10 ms of this loop's grid */
	rig_run_ms(r, 3000);
	assert_int_equal(r->sequence.user_stop_button, 0);
}

/* --- power functions ------------------------------------------------------------------------------------- */

static void test_evse_E04_unknown_function_means_no_power(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_TRANSFER);
	rig_power(r, 5, 400000, 100000, true, true);
	assert_int_equal(r->driver.sp.mode, PM_STANDBY);
	assert_int_equal(r->driver.sp.is_bleeding, 0);
	assert_int_equal(r->driver.i_mA, 0);
}

static void test_evse_E05_unknown_state_number_changes_nothing(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_TRANSFER);
	rig_module_state(r, 77);
	rig_run_ms(r, 500);
	assert_int_equal(rig_state(r), EVSE_ST_TRANSFER);
	assert_int_equal(r->driver.i_mA, 100000);
}

static void test_evse_E18_command_silence_60_s_leads_to_standby(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_TRANSFER);
	r->sends_power = false;
	rig_run_ms(r, 59000);
	assert_int_equal(r->driver.i_mA, 100000);
	rig_run_ms(r, 2000);
	assert_int_equal(r->driver.i_mA, 0);
	assert_int_equal(rig_state(r), EVSE_ST_STANDBY);
	rig_power(r, EVSE_FN_POWER_TRANSFER, 400000, 80000, true, false);
	assert_int_equal(r->driver.i_mA, 80000);
}

static void test_evse_E40_E41_insulation_reported_only_when_measured(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_INSULATION);
	assert_int_equal(r->status.insulation_resistance_ohm, 400000);
	rig_power(r, EVSE_FN_STANDBY, 0, 0, true, true);
	rig_run_ms(r, 100);
	assert_int_equal(r->status.insulation_resistance_ohm, 0);
}

static void test_evse_E45_E46_standby_bleeds_only_when_lowering_is_asked(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_INSULATION);
	rig_power(r, EVSE_FN_STANDBY, 0, 0, true, false);
	assert_int_equal(r->driver.sp.is_bleeding, 0);
	assert_int_equal(r->driver.v_mV, 500000);
	rig_power(r, EVSE_FN_STANDBY, 0, 0, true, true);
	assert_int_equal(r->driver.sp.is_bleeding, 1);
	assert_true(r->driver.sp.is_closed);
}

static void test_evse_E51_precharge_current_is_the_vehicles_or_own_minimum(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_PRECHARGE);
	rig_power(r, EVSE_FN_PRECHARGE, 350000, 1500, true, false);
	assert_int_equal(r->driver.sp.i_max_mA, 1500);
	rig_power(r, EVSE_FN_PRECHARGE, 350000, 0, true, false);
	assert_int_equal(r->driver.sp.i_max_mA, 2000);
}

static void test_evse_E56_hours_of_waiting_and_lost_status_change(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_PRECHARGE);
	rig_power(r, EVSE_FN_STANDBY, 0, 0, true, false);
	rig_module_state(r, EVSE_MS_WAITING_FOR_CHARGE);
	rig_run_ms(r, 6 * 3600 * 1000);
	assert_int_equal(r->point.session.faults.latched, 0);
	rig_power(r, EVSE_FN_POWER_TRANSFER, 400000, 50000, true, false);
	assert_int_equal(r->driver.i_mA, 50000);
}

static void test_evse_E60_voltage_and_current_clipped_to_own_limits(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_TRANSFER);
	rig_power(r, EVSE_FN_POWER_TRANSFER, 900000, 400000, true, false);
	assert_int_equal(r->driver.sp.v_mV, 500000);
	assert_int_equal(r->driver.sp.i_max_mA, 120000);
	assert_int_equal(r->point.session.binds, EVSE_LIMIT_CONFIG);
	r->driver.avail_mA = 60000;
	rig_run_ms(r, 200);
	assert_int_equal(r->driver.sp.i_max_mA, 60000);
	assert_int_equal(r->point.session.binds, EVSE_LIMIT_HARDWARE);
}

static void test_evse_power_limit_uses_the_higher_voltage(void **state)
{
	struct rig *r = *state;

	r->conf.max_power_W = 20000;
	rig_start_to(r, EVSE_ST_TRANSFER);
	assert_int_equal(r->driver.sp.i_max_mA, 50000); /* 20 kW at 400 V */
	assert_int_equal(r->point.session.binds, EVSE_LIMIT_POWER);
}

static void test_evse_own_ramp_limits_the_rise(void **state)
{
	struct rig *r = *state;

	r->conf.ramp_up_mA_per_s = 10000;
	rig_start_to(r, EVSE_ST_TRANSFER);
	assert_in_range(r->driver.sp.i_max_mA, 9000, 11000); /* one second after the start */
	assert_int_equal(r->point.session.binds, EVSE_LIMIT_RAMP);
	rig_run_ms(r, 10000);
	assert_int_equal(r->driver.sp.i_max_mA, 100000);
	assert_int_equal(r->point.session.binds, EVSE_LIMIT_REQUEST);
}

static void test_evse_negative_request_is_refused_by_a_unidirectional_stack(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_TRANSFER);
	rig_power(r, EVSE_FN_POWER_TRANSFER, 400000, -50000, true, false);
	assert_int_equal(r->driver.sp.i_max_mA, 0);
}

static void test_evse_E64_standby_in_charging_stops_current_and_may_resume(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_TRANSFER);
	rig_power(r, EVSE_FN_STANDBY, 0, 0, true, false);
	assert_int_equal(r->driver.i_mA, 0);
	rig_power(r, EVSE_FN_POWER_TRANSFER, 400000, 70000, true, false);
	assert_int_equal(r->driver.i_mA, 70000);
}

static void test_evse_E76_contactors_open_only_without_current(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_TRANSFER);
	r->driver.stuck_mA = 30000;
	rig_power(r, EVSE_FN_STANDBY, 0, 0, false, false);
	assert_true(r->driver.sp.is_closed);
	rig_run_ms(r, 400);
	assert_true(r->driver.sp.is_closed);
	r->driver.stuck_mA = 0;
	rig_run_ms(r, 100);
	assert_false(r->driver.sp.is_closed);
}

static void test_evse_E77_lowering_ignored_in_ending_without_own_contactors(void **state)
{
	struct rig *r = *state;

	r->conf.has_output_contactors = 0;
	rig_start_to(r, EVSE_ST_TRANSFER);
	rig_module_state(r, EVSE_MS_ENDING);
	rig_power(r, EVSE_FN_STANDBY, 0, 0, false, true);
	rig_run_ms(r, 300);
	assert_int_equal(r->driver.sp.is_bleeding, 0);
	rig_module_state(r, EVSE_MS_CLOSING);
	rig_power(r, EVSE_FN_STANDBY, 0, 0, false, true);
	rig_run_ms(r, 300);
	assert_int_equal(r->driver.sp.is_bleeding, 1);
}

static void test_evse_E78_lost_end_messages_give_the_same_end(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_TRANSFER);
	rig_module_state(r, EVSE_MS_ENDING);
	rig_power(r, EVSE_FN_STANDBY, 0, 0, false, true); /* the first two were lost */
	rig_run_ms(r, 500);
	assert_false(r->driver.sp.is_closed);
	assert_int_equal(r->driver.sp.is_bleeding, 1);
	assert_int_equal(r->driver.i_mA, 0);
	assert_int_equal(r->point.session.faults.latched, 0);
}

static void test_evse_power_before_a_session_is_ignored(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_IDLE);
	rig_power(r, EVSE_FN_POWER_TRANSFER, 400000, 100000, true, false);
	rig_run_ms(r, 500);
	assert_int_equal(r->driver.sp.mode, PM_OFF);
	assert_false(r->driver.sp.is_closed);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_evse_clean_session_passes_all_states),
		T(test_evse_next_session_works_after_a_clean_one),
		T(test_evse_E14_status_every_100_ms_always),
		T(test_evse_E16_parameters_at_change_each_second_never_closer_than_100_ms),
		T(test_evse_parameters_never_announce_zero_current),
		T(test_evse_E17_sequence_on_states_12_1_11_3),
		T(test_evse_E29_authorisation_done_and_valid_in_one_frame),
		T(test_evse_refused_authorisation_sets_done_alone),
		T(test_evse_authorisation_waits_for_operator_when_configured),
		T(test_evse_E26_flags_cleared_on_entering_1),
		T(test_evse_start_permit_is_dropped_after_a_session_when_not_kept),
		T(test_evse_E33_parameters_sent_before_done),
		T(test_evse_E35_enable_follows_new_session_and_readiness),
		T(test_evse_E73_user_stop_is_held_500_ms),
		T(test_evse_E04_unknown_function_means_no_power),
		T(test_evse_E05_unknown_state_number_changes_nothing),
		T(test_evse_E18_command_silence_60_s_leads_to_standby),
		T(test_evse_E40_E41_insulation_reported_only_when_measured),
		T(test_evse_E45_E46_standby_bleeds_only_when_lowering_is_asked),
		T(test_evse_E51_precharge_current_is_the_vehicles_or_own_minimum),
		T(test_evse_E56_hours_of_waiting_and_lost_status_change),
		T(test_evse_E60_voltage_and_current_clipped_to_own_limits),
		T(test_evse_power_limit_uses_the_higher_voltage),
		T(test_evse_own_ramp_limits_the_rise),
		T(test_evse_negative_request_is_refused_by_a_unidirectional_stack),
		T(test_evse_E64_standby_in_charging_stops_current_and_may_resume),
		T(test_evse_E76_contactors_open_only_without_current),
		T(test_evse_E77_lowering_ignored_in_ending_without_own_contactors),
		T(test_evse_E78_lost_end_messages_give_the_same_end),
		T(test_evse_power_before_a_session_is_ignored),
	};

	return cmocka_run_group_tests_name("evse_session", tests, NULL, NULL);
}
