/* SPDX-License-Identifier: MIT */
/* The virtual EVCC from start-up to the charging loop (rules P-13, P-14, P-17, P-18, P-21 to P-23, P-27 to P-30). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/duo.h"

static struct duo *fresh(void)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	d->evse.charge_ms = -1;
	d->evse.max_charge_mA = 500000;
	d->secc_cfg.max_current_mA = 500000;
	d->secc_cfg.max_cable_current_mA = 500000;
	return d;
}

static struct duo *charging(struct duo *d)
{
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_CHARGING, 40));
	return d;
}

static struct plug_current_demand_req last_demand(const struct duo *d)
{
	struct plug_current_demand_req m = {0};
	const struct bench_record *r = bench_last(d->bench, duo_plug_id(d, PLUG_CURRENT_DEMAND_REQ));

	assert_non_null(r);
	plug_layouts[0][PLUG_CURRENT_DEMAND_REQ].unpack(&m, r->frame.data);
	return m;
}

/* ---- connection, lock, hold-off --------------------------------------------------------------------------- */

static void test_evcc_stage_1_re_initialises_everything(void **state)
{
	struct duo *d = charging(fresh());

	(void)state;
	bench_command(d->bench, d->evcc_at, "stop");
	assert_true(duo_until_stage(d, EVCC_CLOSING, 30));
	assert_int_equal(d->pev.protocol, 3);
	bench_command(d->bench, d->evcc_at, "unplug");
	duo_run(d, 1);
	assert_memory_equal(bench_last(d->bench, 0x600)->frame.data, "\x01\x00\x00\x00\x00\x00", 6);
	assert_memory_equal(bench_last(d->bench, 0x602)->frame.data, "\x00", 1);
	assert_memory_equal(bench_last(d->bench, 0x605)->frame.data, "\0\0\0\0\0\0\0\0", 8);
	duo_free(d);
}

/* P-17: locking takes its pulse; no insulation test before the feedback. */
static void test_evcc_locks_before_the_insulation_test(void **state)
{
	struct duo *d = fresh();
	int64_t start_us;

	(void)state;
	d->evcc_cfg.locking_ms = 1500;
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_FULL_INFO, 30));
	start_us = d->bench->now_us;
	assert_int_equal(d->pev.ccs.inlet_lock_state, 0);
	assert_true(duo_until_stage(d, EVCC_INSULATION_TEST, 5));
	assert_in_range(d->bench->now_us - start_us, SECONDS(1.5), SECONDS(1.7));
	duo_run(d, 0.2);
	assert_int_equal(d->pev.ccs.inlet_lock_state, 1);
	assert_true(d->secc.is_locked);
	duo_free(d);
}

static void test_evcc_lock_that_does_not_move_ends_the_session_after_2_s(void **state)
{
	struct duo *d = fresh();
	int64_t start_us;

	(void)state;
	duo_start(d);
	assert_int_equal(bench_command(d->bench, d->evcc_at, "fault lock on"), 0);
	assert_true(duo_until_stage(d, EVCC_FULL_INFO, 30));
	start_us = d->bench->now_us;
	assert_true(duo_until_stage(d, EVCC_CLOSING, 5));
	assert_in_range(d->bench->now_us - start_us, SECONDS(2), SECONDS(2.1));
	duo_run(d, 0.3);
	assert_int_equal(d->pev.diagnostic.lock_failure, 1);
	assert_int_equal(d->pev.ccs.inlet_lock_state, 2);
	/* The charger was told: no power function was ever asked for. */
	assert_int_equal(d->secc.cause, SECC_CAUSE_VEHICLE);
	assert_int_equal(bench_count(d->bench, duo_evse_id(d, EVSE_DC_POWER_CONTROL), 0), 0);
	duo_free(d);
}

static void test_evcc_without_inlet_lock_goes_on_at_once(void **state)
{
	struct duo *d = fresh();

	(void)state;
	d->evcc_cfg.no_inlet_lock = 1;
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_CHARGING, 40));
	assert_int_equal(d->evcc.lock, EVCC_UNLOCKED);
	duo_free(d);
}

/* P-18 */
static void test_evcc_hold_off_keeps_stage_3_until_released(void **state)
{
	struct duo *d = fresh();

	(void)state;
	d->pev.flags.hv_preparing_hold_off = 1;
	scripted_pev_send_flags(&d->pev);
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_FULL_INFO, 30));
	duo_run(d, 30);
	assert_int_equal(d->evcc.stage, EVCC_FULL_INFO);
	d->pev.flags.hv_preparing_hold_off = 0;
	scripted_pev_send_flags(&d->pev);
	duo_run(d, 0.3);
	assert_int_equal(d->evcc.stage, EVCC_INSULATION_TEST);
	duo_free(d);
}

static void test_evcc_hold_off_for_40_s_ends_the_session(void **state)
{
	struct duo *d = fresh();
	int64_t start_us;

	(void)state;
	d->pev.flags.hv_preparing_hold_off = 1;
	scripted_pev_send_flags(&d->pev);
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_FULL_INFO, 30));
	start_us = d->bench->now_us;
	assert_true(duo_until_stage(d, EVCC_CLOSING, 60));
	assert_in_range(d->bench->now_us - start_us, SECONDS(39.5), SECONDS(40.5));
	assert_int_equal(d->evcc.cause, EVCC_CAUSE_HOLD_OFF);
	duo_free(d);
}

static void test_evcc_hold_off_option_starts_asserted(void **state)
{
	struct duo *d = fresh();

	(void)state;
	d->evcc_cfg.hold_off_until_bms_ready = 1;
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_FULL_INFO, 30));
	duo_run(d, 5);
	assert_int_equal(d->evcc.stage, EVCC_FULL_INFO);
	scripted_pev_send_flags(&d->pev);
	assert_true(duo_until_stage(d, EVCC_INSULATION_TEST, 1));
	duo_free(d);
}

static void test_evcc_charger_below_its_window_is_refused(void **state)
{
	struct duo *d = fresh();

	(void)state;
	d->evcc_cfg.min_voltage_mV = 450000;
	d->evse.max_mV = 400000;
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_CLOSING, 30));
	assert_int_equal(d->evcc.cause, EVCC_CAUSE_INCOMPATIBLE);
	duo_run(d, 0.5);
	assert_int_equal(d->secc.cause, SECC_CAUSE_VEHICLE);
	duo_free(d);
}

/* ---- supervision ------------------------------------------------------------------------------------------ */

/* P-13: either frame, in each supervised stage. */
static void test_evcc_missing_vehicle_frames_end_the_session(void **state)
{
	static const enum evcc_stage stages[] = {EVCC_INSULATION_TEST, EVCC_PRECHARGE, EVCC_CHARGING,
						 EVCC_WELDING_DETECTION};
	unsigned i, which;

	(void)state;
	for (i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
		for (which = 0; which < 2; which++) {
			struct duo *d = fresh();
			int64_t last_us;

			duo_start(d);
			if (stages[i] == EVCC_WELDING_DETECTION) {
				assert_true(duo_until_stage(d, EVCC_CHARGING, 40));
				d->pev.force_current_mA = 2000;
				bench_command(d->bench, d->evcc_at, "stop");
			}
			assert_true(duo_until_stage(d, stages[i], 40));
			duo_run(d, 0.2);
			if (which)
				d->pev.sends_dc1 = false;
			else
				d->pev.sends_dc2 = false;
			last_us = which ? d->evcc.dc1_watch.last_us : d->evcc.dc2_watch.last_us;
			assert_true(duo_until_stage(d, EVCC_CLOSING, 2));
			assert_in_range(d->bench->now_us - last_us, 500000, 600000);
			assert_int_equal(d->evcc.cause, stages[i] == EVCC_WELDING_DETECTION
								? EVCC_CAUSE_CAN_TIMEOUT
								: EVCC_CAUSE_CAN_TIMEOUT);
			duo_run(d, 0.2);
			/* A missing current reading does not keep the contactors closed. */
			assert_memory_equal(bench_last(d->bench, 0x602)->frame.data,
					    d->pev.sends_dc1 && d->pev.force_current_mA ? "\x01" : "\x00", 1);
			duo_free(d);
		}
	}
}

static void test_evcc_missing_vehicle_frames_in_negotiation_are_ignored(void **state)
{
	struct duo *d = fresh();

	(void)state;
	d->pev.sends_dc1 = d->pev.sends_dc2 = false;
	d->evse.parameters_ms = 20000;
	duo_start(d);
	duo_run(d, 15);
	assert_int_equal(d->evcc.stage, EVCC_NEGOTIATING);
	assert_int_equal(d->evcc.cause, EVCC_CAUSE_NONE);
	duo_free(d);
}

/* ---- precharge -------------------------------------------------------------------------------------------- */

/* P-21 */
static void test_evcc_close_command_needs_a_match(void **state)
{
	struct duo *d = fresh();

	(void)state;
	d->pev.force_inlet_mV = 309000; /* 21 V below */
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_PRECHARGE, 40));
	duo_run(d, 3);
	assert_false(d->evcc.is_close_commanded);
	d->pev.force_inlet_mV = 310000; /* 20 V */
	duo_run(d, 0.3);
	assert_true(d->evcc.is_close_commanded);
	assert_memory_equal(bench_last(d->bench, 0x602)->frame.data, "\x01", 1);
	duo_free(d);
}

static void test_evcc_no_close_command_without_a_battery(void **state)
{
	struct duo *d = fresh();

	(void)state;
	d->pev.battery_mV = 15000; /* matches an empty inlet, but is none */
	d->pev.force_inlet_mV = 10000;
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_PRECHARGE, 40));
	assert_true(duo_until_stage(d, EVCC_CLOSING, 10));
	assert_int_equal(d->evcc.cause, EVCC_CAUSE_PRECHARGE);
	assert_false(d->pev.is_closed);
	duo_free(d);
}

/* P-22: one second of grace after the close command, then Open within 100 ms. */
static void test_evcc_lost_match_opens_after_the_inhibit_time(void **state)
{
	struct duo *d = fresh();
	int64_t close_us;

	(void)state;
	d->pev.is_not_closing = true;
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_PRECHARGE, 40));
	while (!d->evcc.is_close_commanded)
		duo_run(d, 0.01);
	close_us = d->evcc.close_us;
	d->pev.force_inlet_mV = 200000;
	duo_run(d, 0.8);
	assert_true(d->evcc.is_close_commanded);
	while (d->evcc.is_close_commanded)
		duo_run(d, 0.01);
	assert_in_range(d->bench->now_us - close_us, SECONDS(1), SECONDS(1.1));
	d->pev.force_inlet_mV = 330000; /* and closes again when matched */
	duo_run(d, 0.3);
	assert_true(d->evcc.is_close_commanded);
	duo_free(d);
}

/* P-23 */
static void test_evcc_precharge_not_closed_within_7_s_times_out(void **state)
{
	struct duo *d = fresh();
	int64_t start_us;

	(void)state;
	d->pev.is_not_closing = true;
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_PRECHARGE, 40));
	start_us = d->bench->now_us;
	assert_true(duo_until_stage(d, EVCC_CLOSING, 20));
	assert_in_range(d->bench->now_us - start_us, SECONDS(6.5), SECONDS(7.5));
	duo_run(d, 0.3);
	assert_int_equal(d->pev.diagnostic.precharge_timeout, 1);
	assert_memory_equal(bench_last(d->bench, 0x602)->frame.data, "\x00", 1);
	duo_free(d);
}

/* P-27 */
static void test_evcc_own_contactor_outputs_ignore_can_feedback(void **state)
{
	struct duo *d = fresh();

	(void)state;
	d->evcc_cfg.contactors_use_ios = 1;
	d->pev.is_not_closing = true; /* the vehicle reports Open for ever */
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_CHARGING, 40));
	duo_run(d, 0.2);
	assert_memory_equal(bench_last(d->bench, 0x602)->frame.data, "\x01", 1);
	assert_int_equal(bench_last(d->bench, 0x604)->frame.data[0] & 3, 3);
	duo_free(d);
}

/* ---- request ---------------------------------------------------------------------------------------------- */

/* P-29: 2 A per 100 ms, linear, not beyond; P-28: the vehicle's own request is the end of it. */
static void test_evcc_request_ramps_up_at_20_A_per_s_and_down_at_once(void **state)
{
	struct duo *d = charging(fresh());
	canid_t id = duo_plug_id(d, PLUG_CURRENT_DEMAND_REQ);
	int32_t last_mA = 0;
	size_t n;
	const struct bench_record *r;

	(void)state;
	duo_run(d, 15);
	for (n = 0; (r = bench_find(d->bench, id, 0, n)); n++) {
		struct plug_current_demand_req m = {0};

		plug_layouts[0][PLUG_CURRENT_DEMAND_REQ].unpack(&m, r->frame.data);
		assert_true(m.target_current_mA - last_mA <= 2100);
		if (last_mA < 190000)
			assert_true(m.target_current_mA >= last_mA + 1900 || n == 0);
		last_mA = m.target_current_mA;
	}
	assert_int_equal(last_mA, 200000);
	d->pev.request_mA = 50000;
	duo_run(d, 0.3);
	assert_int_equal(last_demand(d).target_current_mA, 50000);
	duo_free(d);
}

static int32_t settled_request(struct duo *d)
{
	int32_t i_mA;

	charging(d);
	duo_run(d, 15);
	i_mA = last_demand(d).target_current_mA;
	duo_free(d);
	return i_mA;
}

/* P-28: each cap of the list alone. */
static void test_evcc_each_cap_limits_the_request(void **state)
{
	struct duo *d = fresh();

	(void)state;
	d->evcc_cfg.max_current_mA = 150000;
	assert_int_equal(settled_request(d), 150000);
	d = fresh();
	d->evcc_cfg.max_current_mA = 0; /* the real module's default: nothing flows */
	assert_int_equal(settled_request(d), 0);
	d = fresh();
	d->secc_cfg.max_cable_current_mA = 90000;
	assert_int_equal(settled_request(d), 90000);
	d = fresh();
	d->evcc_cfg.max_power_W = 33000; /* at 330 V */
	assert_int_equal(settled_request(d), 100000);
	d = fresh();
	d->secc_cfg.max_power_mkW = 16500;
	assert_int_equal(settled_request(d), 50000);
	d = fresh();
	d->pev.request_mA = -5000; /* not bidirectional */
	assert_int_equal(settled_request(d), 0);
	d = fresh();
	d->evcc_cfg.no_bms = 1;
	d->evcc_cfg.max_current_mA = 60000;
	d->pev.request_mA = 0;
	assert_int_equal(settled_request(d), 60000);
}

static void test_evcc_temperature_derates_the_request(void **state)
{
	struct duo *d = charging(fresh());

	(void)state;
	bench_command(d->bench, d->evcc_at, "temperature ptc0 75");
	duo_run(d, 15);
	assert_int_equal(last_demand(d).target_current_mA, 150000); /* 200 A less 25 % */
	duo_free(d);
}

/* P-30 */
static void test_evcc_target_voltage_is_configured_or_dynamic_and_capped(void **state)
{
	struct duo *d = charging(fresh());

	(void)state;
	duo_run(d, 0.5);
	assert_int_equal(last_demand(d).target_voltage_mV, 450000);
	duo_free(d);
	d = fresh();
	d->evcc_cfg.dynamic_target_voltage = 1;
	d->pev.target_mV = 410000;
	charging(d);
	duo_run(d, 0.5);
	assert_int_equal(last_demand(d).target_voltage_mV, 410000);
	d->pev.target_mV = 0; /* the configuration */
	duo_run(d, 0.5);
	assert_int_equal(last_demand(d).target_voltage_mV, 450000);
	d->pev.target_mV = 600000; /* max_voltage and the charger's 500 V */
	duo_run(d, 0.5);
	assert_int_equal(last_demand(d).target_voltage_mV, 500000);
	duo_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_evcc_stage_1_re_initialises_everything),
		cmocka_unit_test(test_evcc_locks_before_the_insulation_test),
		cmocka_unit_test(test_evcc_lock_that_does_not_move_ends_the_session_after_2_s),
		cmocka_unit_test(test_evcc_without_inlet_lock_goes_on_at_once),
		cmocka_unit_test(test_evcc_hold_off_keeps_stage_3_until_released),
		cmocka_unit_test(test_evcc_hold_off_for_40_s_ends_the_session),
		cmocka_unit_test(test_evcc_hold_off_option_starts_asserted),
		cmocka_unit_test(test_evcc_charger_below_its_window_is_refused),
		cmocka_unit_test(test_evcc_missing_vehicle_frames_end_the_session),
		cmocka_unit_test(test_evcc_missing_vehicle_frames_in_negotiation_are_ignored),
		cmocka_unit_test(test_evcc_close_command_needs_a_match),
		cmocka_unit_test(test_evcc_no_close_command_without_a_battery),
		cmocka_unit_test(test_evcc_lost_match_opens_after_the_inhibit_time),
		cmocka_unit_test(test_evcc_precharge_not_closed_within_7_s_times_out),
		cmocka_unit_test(test_evcc_own_contactor_outputs_ignore_can_feedback),
		cmocka_unit_test(test_evcc_request_ramps_up_at_20_A_per_s_and_down_at_once),
		cmocka_unit_test(test_evcc_each_cap_limits_the_request),
		cmocka_unit_test(test_evcc_temperature_derates_the_request),
		cmocka_unit_test(test_evcc_target_voltage_is_configured_or_dynamic_and_capped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
