/* SPDX-License-Identifier: MIT */
/* The virtual SECC from start-up to the insulation test (rules E-22 to E-47). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/duo.h"

static size_t n_power(const struct duo *d)
{
	return bench_count(d->bench, duo_evse_id(d, EVSE_DC_POWER_CONTROL), 0);
}

/* First DC_Power_Control with this function from record `from` on. */
static const struct bench_record *first_function(const struct duo *d, size_t from, uint8_t function)
{
	const struct bench_record *r;
	size_t n;

	for (n = 0; (r = bench_find(d->bench, duo_evse_id(d, EVSE_DC_POWER_CONTROL), from, n)); n++) {
		if (duo_power(d, r).power_function == function)
			return r;
	}
	return NULL;
}

static void assert_finished(const struct duo *d, uint8_t state)
{
	const struct bench_record *r = bench_last(d->bench, duo_evse_id(d, EVSE_CHARGE_SESSION_FINISHED));

	assert_non_null(r);
	assert_int_equal(r->frame.data[0], state);
	assert_int_equal(bench_count(d->bench, r->frame.can_id, 0), 1);
}

/* ---- start ------------------------------------------------------------------------------------------------ */

static void test_secc_start_with_sequence_flags_shows_12_first(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	(void)state;
	d->evcc_cfg.plug_at_start = 0;
	duo_start(d);
	duo_run(d, 3);
	assert_int_equal(d->evse.states[0], 0);
	assert_int_equal(d->evse.states[1], 12);
	assert_int_equal(d->evse.states[2], 1);
	assert_int_equal(d->evse.n_states, 3);
	duo_free(d);
}

static void test_secc_start_without_sequence_flags_goes_to_1(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	(void)state;
	d->secc_cfg.use_sequence_flags = 0;
	d->evcc_cfg.plug_at_start = 0;
	duo_start(d);
	duo_run(d, 3);
	assert_int_equal(d->evse.states[1], 1);
	assert_int_equal(d->evse.n_states, 2);
	duo_free(d);
}

/* E-23, E-24: plugged while not allowed: no session, 100 % duty; the permit starts it without a replug. */
static void test_secc_plug_before_permit_is_remembered(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	(void)state;
	d->evse.is_start_allowed = false;
	duo_start(d);
	duo_run(d, 20);
	assert_int_equal(d->secc.state, SECC_NOT_AVAILABLE);
	assert_int_equal(d->secc.cp, CP_B);
	assert_int_equal(d->secc.duty_permille, 1000);
	assert_int_equal(d->evcc.stage, EVCC_NEGOTIATING);
	d->evse.flags.start_charge_authorisation = 1;
	assert_true(duo_until_state(d, SECC_NEGOTIATING, 0.4));
	assert_true(duo_until_state(d, SECC_FULL_INFO, 5));
	duo_free(d);
}

/* E-25 */
static void test_secc_withdrawn_permit_counts_only_outside_a_session(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	(void)state;
	d->evcc_cfg.plug_at_start = 0;
	d->evse.charge_ms = -1;
	duo_start(d);
	duo_run(d, 3);
	d->evse.is_start_allowed = false;
	d->evse.flags.start_charge_authorisation = 0;
	duo_run(d, 0.3);
	assert_int_equal(d->secc.state, SECC_NOT_AVAILABLE);
	d->evse.is_start_allowed = true;
	d->evse.flags.start_charge_authorisation = 1;
	duo_run(d, 0.3);
	assert_int_equal(d->secc.state, SECC_WAITING_FOR_PEV);
	bench_command(d->bench, d->evcc_at, "plug");
	assert_true(duo_until_state(d, SECC_CHARGING, 30));
	d->evse.is_start_allowed = false;
	d->evse.flags.start_charge_authorisation = 0;
	duo_run(d, 5);
	assert_int_equal(d->secc.state, SECC_CHARGING);
	bench_command(d->bench, d->secc_at, "stop");
	assert_true(duo_until_state(d, SECC_NOT_AVAILABLE, 30));
	duo_free(d);
}

/* ---- authorisation ---------------------------------------------------------------------------------------- */

static void test_secc_free_service_never_shows_11(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	uint32_t i;

	(void)state;
	duo_start(d);
	assert_true(duo_until_state(d, SECC_CHARGING, 30));
	for (i = 0; i < d->evse.n_states; i++)
		assert_int_not_equal(d->evse.states[i], 11);
	duo_free(d);
}

/* E-27: no time limit on the charger's side. */
static void test_secc_external_authorisation_waits_for_done(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	(void)state;
	d->secc_cfg.free_service = 0;
	d->evse.authorisation_ms = 250000;
	duo_start(d);
	duo_run(d, 240);
	assert_int_equal(d->secc.state, SECC_AUTHORISATION);
	assert_true(duo_until_state(d, SECC_FULL_INFO, 20));
	duo_free(d);
}

/* E-28: refused: closed, Clean_Stop, not one DC_Power_Control. */
static void test_secc_refused_authorisation_closes_without_power(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	(void)state;
	d->secc_cfg.free_service = 0;
	d->evse.is_authorised = false;
	duo_start(d);
	duo_run(d, 20);
	assert_int_equal(d->secc.cause, SECC_CAUSE_REFUSED);
	assert_finished(d, 0);
	assert_int_equal(n_power(d), 0);
	assert_int_equal(bench_count(d->bench, duo_evse_id(d, EVSE_NEW_CHARGE_SESSION), 0), 0);
	assert_int_equal(d->evcc.cause, EVCC_CAUSE_AUTHORIZATION);
	duo_free(d);
}

/* ---- parameters ------------------------------------------------------------------------------------------- */

/* E-31 */
static void test_secc_state_3_waits_for_parameters_done(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	(void)state;
	d->evse.parameters_ms = 30000;
	duo_start(d);
	assert_true(duo_until_state(d, SECC_FULL_INFO, 10));
	duo_run(d, 29);
	assert_int_equal(d->secc.state, SECC_FULL_INFO);
	assert_true(duo_until_state(d, SECC_INSULATION_TEST, 5));
	duo_free(d);
}

static void test_secc_without_flags_goes_on_by_itself(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	(void)state;
	d->secc_cfg.use_sequence_flags = 0;
	d->evse.sends_sequence = false;
	d->evse.charge_ms = -1;
	duo_start(d);
	assert_true(duo_until_state(d, SECC_CHARGING, 30));
	duo_free(d);
}

/* E-32: the smaller of configuration and message; 0 means the configuration. */
static void announced(int32_t message_mV, int32_t message_mA, int32_t *v_mV, int32_t *i_mA)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	struct plug_evse_limits m = {0};

	d->secc_cfg.max_cable_current_mA = 500000;
	d->evse.max_mV = message_mV;
	d->evse.max_charge_mA = message_mA;
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_FULL_INFO, 30));
	plug_layouts[0][PLUG_EVSE_LIMITS].unpack(
		&m, bench_last(d->bench, duo_plug_id(d, PLUG_EVSE_LIMITS))->frame.data);
	*v_mV = m.evse_maximum_voltage_mV;
	*i_mA = m.evse_maximum_current_mA;
	duo_run(d, 0.2);
	assert_int_equal(d->pev.max_current_mA, *i_mA);
	duo_free(d);
}

static void test_secc_announces_the_smaller_limit_and_0_is_the_default(void **state)
{
	int32_t v_mV, i_mA;

	(void)state;
	announced(400000, 80000, &v_mV, &i_mA);
	assert_int_equal(v_mV, 400000);
	assert_int_equal(i_mA, 80000);
	announced(900000, 300000, &v_mV, &i_mA);
	assert_int_equal(v_mV, 500000);
	assert_int_equal(i_mA, 120000);
	announced(0, 0, &v_mV, &i_mA);
	assert_int_equal(v_mV, 500000);
	assert_int_equal(i_mA, 120000);
}

/* ---- wake-up and insulation ------------------------------------------------------------------------------- */

/* E-19, E-34: state 4 before System_Enable; New_Charge_Session until then. */
static void test_secc_new_session_repeats_until_enabled_in_state_4(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	canid_t id;
	size_t n;

	(void)state;
	d->evse.wake_up_ms = 10000;
	duo_start(d);
	id = duo_evse_id(d, EVSE_NEW_CHARGE_SESSION);
	assert_true(duo_until_state(d, SECC_INSULATION_TEST, 30));
	n = bench_count(d->bench, id, 0);
	duo_run(d, 9);
	assert_in_range(bench_count(d->bench, id, 0) - n, 89, 91);
	assert_int_equal(n_power(d), 0);
	duo_run(d, 2);
	n = bench_count(d->bench, id, 0);
	duo_run(d, 5);
	assert_int_equal(bench_count(d->bench, id, 0), n);
	duo_free(d);
}

static void test_secc_new_session_is_sent_once_when_already_enabled(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	(void)state;
	d->evse.force_enable = 1;
	duo_start(d);
	assert_true(duo_until_state(d, SECC_PRECHARGE, 30));
	assert_int_equal(bench_count(d->bench, duo_evse_id(d, EVSE_NEW_CHARGE_SESSION), 0), 1);
	duo_free(d);
}

/* E-36 */
static void test_secc_not_enabled_in_time_closes_without_power(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	int64_t start_us;

	(void)state;
	d->evse.wake_up_ms = 1000000;
	d->evcc_cfg.cable_check_timeout_ms = 600000;
	duo_start(d);
	assert_true(duo_until_state(d, SECC_INSULATION_TEST, 30));
	start_us = d->bench->now_us;
	assert_true(duo_until_state(d, SECC_CLOSING, 60));
	assert_in_range(d->bench->now_us - start_us, SECONDS(39), SECONDS(41));
	duo_run(d, 1);
	assert_finished(d, 0);
	assert_int_equal(n_power(d), 0);
	duo_free(d);
}

/* E-37, E-38: one Standby, open; then the test with exact values. */
static void test_secc_ready_standby_then_insulation_test(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	canid_t id;
	struct evse_dc_power_control m;

	(void)state;
	duo_start(d);
	id = duo_evse_id(d, EVSE_DC_POWER_CONTROL);
	assert_true(duo_until_state(d, SECC_PRECHARGE, 30));
	assert_memory_equal(bench_find(d->bench, id, 0, 0)->frame.data, "\x00\x00\x00\x00\x00\x00\x01", 7);
	assert_memory_equal(bench_find(d->bench, id, 0, 1)->frame.data, "\x88\x13\x00\x00\x00\x00\x42", 7);
	m = duo_power(d, bench_find(d->bench, id, 0, 2));
	assert_int_equal(m.power_function, SECC_FN_INSULATION);
	duo_free(d);
}

static void test_secc_test_voltage_is_capped_by_the_announced_limit(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	(void)state;
	d->evse.max_mV = 420000;
	duo_start(d);
	assert_true(duo_until_state(d, SECC_PRECHARGE, 30));
	assert_int_equal(duo_power(d, first_function(d, 0, SECC_FN_INSULATION)).target_voltage_mV, 420000);
	duo_free(d);
}

/* E-42: ten consecutive samples at 90 % of the voltage or more; E-44: then lowering until 20 V, nothing else. */
static void test_secc_insulation_needs_ten_samples_then_lowers(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	const struct bench_record *r;
	unsigned n_good = 0;
	size_t i;

	(void)state;
	duo_start(d);
	assert_true(duo_until_state(d, SECC_PRECHARGE, 30));
	for (i = 0; i < d->bench->n_trace; i++) {
		struct evse_power_modules_status pms = {0};
		struct evse_dc_power_control m;

		r = &d->bench->trace[i];
		if (r->frame.can_id == duo_evse_id(d, EVSE_POWER_MODULES_STATUS)) {
			evse_layouts[EVSE_V3_6][EVSE_POWER_MODULES_STATUS].unpack(&pms, r->frame.data);
			if (pms.present_voltage_mV >= 450000 && n_good < 1000)
				n_good++;
		}
		if (r->frame.can_id != duo_evse_id(d, EVSE_DC_POWER_CONTROL))
			continue;
		m = duo_power(d, r);
		if (m.lower_output_voltage)
			break;
	}
	assert_int_equal(n_good, 10);
	for (; i < d->bench->n_trace; i++) {
		r = &d->bench->trace[i];
		if (r->frame.can_id == duo_evse_id(d, EVSE_DC_POWER_CONTROL) &&
		    duo_power(d, r).power_function != SECC_FN_PRECHARGE)
			assert_memory_equal(r->frame.data, "\x00\x00\x00\x00\x00\x00\xC1", 7);
	}
	assert_true(d->evse.v_V <= 20);
	duo_free(d);
}

static bool spoil_one_sample(void *ctx, struct bench *b, unsigned sender, struct can_frame *f)
{
	struct duo *d = ctx;

	(void)b;
	if (sender == d->evse_at && f->can_id == duo_evse_id(d, EVSE_POWER_MODULES_STATUS) &&
	    d->secc.n_good == 9)
		f->data[7] = 10; /* 20 kOhm */
	return true;
}

/* Every ninth good sample is followed by a bad one: never ten in a row, so the test fails after 30 s (E-43). */
static void test_secc_bad_sample_restarts_the_count_and_test_gives_up(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	int64_t start_us;

	(void)state;
	d->bench->tap = spoil_one_sample;
	d->bench->ctx = d;
	duo_start(d);
	assert_true(duo_until_state(d, SECC_CLOSING, 60));
	start_us = first_function(d, 0, SECC_FN_INSULATION)->time_us;
	assert_in_range(d->bench->now_us - start_us, SECONDS(29), SECONDS(31));
	assert_int_equal(d->secc.cause, SECC_CAUSE_INSULATION_FAILED);
	assert_finished(d, 1);
	assert_null(first_function(d, 0, SECC_FN_PRECHARGE));
	duo_run(d, 0.3);
	/* Malfunction reported to the vehicle: EVSE_Malfunction is 7 there. */
	assert_int_equal(d->pev.diagnostic.evse_status_code, 7);
	duo_free(d);
}

static void test_secc_insulation_below_100_kohm_fails(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	(void)state;
	d->evse.insulation_ohm = 98000;
	duo_start(d);
	assert_true(duo_until_state(d, SECC_CLOSING, 60));
	assert_int_equal(d->secc.cause, SECC_CAUSE_INSULATION_FAILED);
	duo_free(d);
}

static void test_secc_injected_isolation_fault_fails_the_test(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	(void)state;
	duo_start(d);
	assert_int_equal(bench_command(d->bench, d->secc_at, "fault isolation on"), 0);
	assert_true(duo_until_state(d, SECC_CLOSING, 60));
	assert_int_equal(d->secc.cause, SECC_CAUSE_INSULATION_FAILED);
	duo_free(d);
}

static void test_secc_output_that_stays_up_ends_the_session(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	(void)state;
	d->evse.is_voltage_stuck = true;
	duo_start(d);
	assert_true(duo_until_state(d, SECC_CLOSING, 60));
	assert_int_equal(d->secc.cause, SECC_CAUSE_NOT_LOWERED);
	assert_null(first_function(d, 0, SECC_FN_PRECHARGE));
	duo_free(d);
}

static void test_secc_skip_cable_check_sends_no_insulation_test(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	(void)state;
	d->secc_cfg.skip_cable_check = 1;
	d->evse.insulation_ohm = 0;
	d->evse.charge_ms = -1;
	duo_start(d);
	assert_true(duo_until_state(d, SECC_CHARGING, 30));
	duo_run(d, 3);
	assert_int_equal(d->secc.state, SECC_CHARGING);
	assert_null(first_function(d, 0, SECC_FN_INSULATION));
	duo_free(d);
}

/* E-47: in each state between New_Charge_Session and the loop. */
static void test_secc_withdrawn_enable_before_the_loop_closes(void **state)
{
	static const enum secc_state states[] = {SECC_INSULATION_TEST, SECC_PRECHARGE,
						 SECC_WAITING_FOR_CHARGE};
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
		int64_t start_us;

		d->secc_cfg.waiting_ms = 3000;
		duo_start(d);
		assert_true(duo_until_state(d, states[i], 30));
		duo_run(d, states[i] == SECC_INSULATION_TEST ? 3 : 0.5);
		assert_int_equal(d->secc.state, states[i]);
		start_us = d->bench->now_us;
		d->evse.force_enable = 0;
		assert_true(duo_until_state(d, SECC_CLOSING, 1));
		assert_true(d->bench->now_us - start_us <= 300000);
		assert_int_equal(d->secc.cause, SECC_CAUSE_UNAVAILABLE);
		duo_run(d, 0.5);
		assert_finished(d, 0);
		assert_int_equal(d->evcc.stage, EVCC_CLOSING);
		assert_int_equal(bench_count(d->bench, duo_evse_id(d, EVSE_EMERGENCY_STOP), 0), 0);
		duo_free(d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secc_start_with_sequence_flags_shows_12_first),
		cmocka_unit_test(test_secc_start_without_sequence_flags_goes_to_1),
		cmocka_unit_test(test_secc_plug_before_permit_is_remembered),
		cmocka_unit_test(test_secc_withdrawn_permit_counts_only_outside_a_session),
		cmocka_unit_test(test_secc_free_service_never_shows_11),
		cmocka_unit_test(test_secc_external_authorisation_waits_for_done),
		cmocka_unit_test(test_secc_refused_authorisation_closes_without_power),
		cmocka_unit_test(test_secc_state_3_waits_for_parameters_done),
		cmocka_unit_test(test_secc_without_flags_goes_on_by_itself),
		cmocka_unit_test(test_secc_announces_the_smaller_limit_and_0_is_the_default),
		cmocka_unit_test(test_secc_new_session_repeats_until_enabled_in_state_4),
		cmocka_unit_test(test_secc_new_session_is_sent_once_when_already_enabled),
		cmocka_unit_test(test_secc_not_enabled_in_time_closes_without_power),
		cmocka_unit_test(test_secc_ready_standby_then_insulation_test),
		cmocka_unit_test(test_secc_test_voltage_is_capped_by_the_announced_limit),
		cmocka_unit_test(test_secc_insulation_needs_ten_samples_then_lowers),
		cmocka_unit_test(test_secc_bad_sample_restarts_the_count_and_test_gives_up),
		cmocka_unit_test(test_secc_insulation_below_100_kohm_fails),
		cmocka_unit_test(test_secc_injected_isolation_fault_fails_the_test),
		cmocka_unit_test(test_secc_output_that_stays_up_ends_the_session),
		cmocka_unit_test(test_secc_skip_cable_check_sends_no_insulation_test),
		cmocka_unit_test(test_secc_withdrawn_enable_before_the_loop_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
