/* SPDX-License-Identifier: MIT */
/* The virtual SECC from precharge to the end of a session (rules E-49 to E-80, E-94). */
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
	return d;
}

static struct duo *charging(void)
{
	struct duo *d = fresh();

	duo_start(d);
	assert_true(duo_until_state(d, SECC_CHARGING, 30));
	return d;
}

static struct evse_dc_power_control last_power(const struct duo *d)
{
	return duo_power(d, bench_last(d->bench, duo_evse_id(d, EVSE_DC_POWER_CONTROL)));
}

/* First frame of an identifier after a state was entered, from the status frame of that state on. */
static size_t at_state(const struct duo *d, uint8_t state)
{
	canid_t id = duo_evse_id(d, EVSE_ADVANTICS_CONTROLLER_STATUS);
	const struct bench_record *r;
	size_t n;

	for (n = 0; (r = bench_find(d->bench, id, 0, n)); n++) {
		if (r->frame.data[0] == state)
			return bench_at(d->bench, r);
	}
	fail_msg("state %d was never shown", state);
	return 0;
}

/* ---- precharge and start ---------------------------------------------------------------------------------- */

/* E-49 */
static void test_secc_precharge_carries_battery_voltage_and_current_cap(void **state)
{
	struct duo *d = fresh();

	(void)state;
	d->evcc_cfg.precharge_current_mA = 1500;
	duo_start(d);
	assert_true(duo_until_state(d, SECC_PRECHARGE, 30));
	duo_run(d, 0.3);
	/* 330 V, 1.5 A, Range_Mode, Close. */
	assert_memory_equal(bench_last(d->bench, duo_evse_id(d, EVSE_DC_POWER_CONTROL))->frame.data,
			    "\xE4\x0C\x0F\x00\x00\x00\x64", 7);
	d->pev.battery_mV = 340000; /* follows the battery */
	duo_run(d, 0.3);
	assert_int_equal(last_power(d).target_voltage_mV, 340000);
	duo_free(d);
}

/* E-52: the vehicle never matches; its own limit is made longer to see the charger's. */
static void test_secc_precharge_gives_up_after_7_s(void **state)
{
	struct duo *d = fresh();
	int64_t start_us;

	(void)state;
	d->evcc_cfg.precharge_timeout_ms = 60000;
	d->pev.force_inlet_mV = 100000;
	duo_start(d);
	assert_true(duo_until_state(d, SECC_PRECHARGE, 30));
	start_us = d->bench->now_us;
	assert_true(duo_until_state(d, SECC_CLOSING, 30));
	assert_in_range(d->bench->now_us - start_us, SECONDS(6.5), SECONDS(7.5));
	assert_int_equal(d->secc.cause, SECC_CAUSE_PRECHARGE_TIMEOUT);
	duo_free(d);
}

/* E-53, E-55: floating Standby with closed contactors, then state 6 with one Started and one Standby. */
static void test_secc_start_floats_and_reports_once(void **state)
{
	struct duo *d = fresh();
	canid_t pc, change;
	size_t at6, at7, i, n_standby = 0;
	const struct bench_record *r;

	(void)state;
	d->secc_cfg.waiting_ms = 2000;
	duo_start(d);
	assert_true(duo_until_state(d, SECC_CHARGING, 40));
	pc = duo_evse_id(d, EVSE_DC_POWER_CONTROL);
	change = duo_evse_id(d, EVSE_CHARGE_STATUS_CHANGE);
	at6 = at_state(d, 6);
	at7 = at_state(d, 7);
	for (i = at6; i-- > 0 && d->bench->trace[i].frame.can_id != pc;)
		;
	assert_memory_equal(d->bench->trace[i].frame.data, "\x00\x00\x00\x00\x00\x00\x41", 7);
	assert_int_equal(bench_count(d->bench, change, 0), 1);
	r = bench_find(d->bench, change, at6, 0);
	assert_true(bench_at(d->bench, r) < at7);
	assert_int_equal(r->frame.data[0], 1);
	for (i = at6; i < at7; i++) {
		if (d->bench->trace[i].frame.can_id == pc &&
		    duo_power(d, &d->bench->trace[i]).power_function == SECC_FN_STANDBY)
			n_standby++;
	}
	assert_int_equal(n_standby, 1);
	duo_free(d);
}

/* The first Power_Transfer is on the bus before state 7 is shown. */
static void test_secc_first_transfer_precedes_state_7(void **state)
{
	struct duo *d = charging();
	size_t at7 = at_state(d, 7), i;

	(void)state;
	for (i = at7; i-- > 0 && d->bench->trace[i].frame.can_id != duo_evse_id(d, EVSE_DC_POWER_CONTROL);)
		;
	assert_int_equal(duo_power(d, &d->bench->trace[i]).power_function, SECC_FN_TRANSFER);
	duo_free(d);
}

/* ---- transfer --------------------------------------------------------------------------------------------- */

/* E-57, E-70: target mode throughout, equal ends, never negative, at the vehicle's pace. */
static void test_secc_transfer_is_target_mode_at_the_vehicles_pace(void **state)
{
	struct duo *d = charging();
	canid_t pc = duo_evse_id(d, EVSE_DC_POWER_CONTROL);
	int64_t min_us, max_us;
	size_t i;

	(void)state;
	duo_run(d, 10);
	for (i = at_state(d, 7); i < d->bench->n_trace; i++) {
		struct evse_dc_power_control m;

		if (d->bench->trace[i].frame.can_id != pc)
			continue;
		m = duo_power(d, &d->bench->trace[i]);
		assert_int_equal(m.power_function, SECC_FN_TRANSFER);
		assert_int_equal(m.setpoints_mode, 0);
		assert_int_equal(m.output_contactors, 1);
		assert_int_equal(m.current_range_max_mA, m.current_range_min_mA);
		assert_true(m.current_range_max_mA >= 0);
	}
	bench_intervals(d->bench, pc, d->bench->now_us - SECONDS(8), d->bench->now_us, &min_us, &max_us);
	assert_int_equal(min_us, 100000);
	assert_int_equal(max_us, 100000);
	/* The vehicle's 200 A are cut to the 100 A of the cable. */
	assert_int_equal(last_power(d).current_range_max_mA, 100000);
	assert_int_equal(last_power(d).target_voltage_mV, 450000);
	duo_free(d);
}

/* E-61: at once, also between two requests of the vehicle. */
static void test_secc_lowered_limit_is_respected_at_once(void **state)
{
	struct duo *d = charging();

	(void)state;
	duo_run(d, 10);
	assert_int_equal(last_power(d).current_range_max_mA, 100000);
	d->evse.max_charge_mA = 30000;
	duo_run(d, 0.2);
	assert_int_equal(last_power(d).current_range_max_mA, 30000);
	duo_run(d, 0.5);
	assert_int_equal(d->pev.max_current_mA, 30000); /* and the vehicle knows */
	d->evse.max_charge_mA = 0;			/* back to the configuration */
	duo_run(d, 10);
	assert_int_equal(last_power(d).current_range_max_mA, 100000);
	duo_free(d);
}

static void test_secc_power_limit_follows_the_present_voltage(void **state)
{
	struct duo *d = fresh();

	(void)state;
	d->secc_cfg.max_power_mkW = 16500; /* 16.5 kW at 330 V: 50 A */
	duo_start(d);
	assert_true(duo_until_state(d, SECC_CHARGING, 30));
	duo_run(d, 10);
	assert_in_range(last_power(d).current_range_max_mA, 49500, 50000);
	duo_free(d);
}

static void test_secc_slow_vehicle_gets_repeated_setpoints(void **state)
{
	struct duo *d = fresh();
	int64_t min_us, max_us;

	(void)state;
	d->evcc_cfg.request_period_ms = 1000;
	duo_start(d);
	assert_true(duo_until_state(d, SECC_CHARGING, 60));
	duo_run(d, 20);
	bench_intervals(d->bench, duo_evse_id(d, EVSE_DC_POWER_CONTROL), d->bench->now_us - SECONDS(9),
			d->bench->now_us, &min_us, &max_us);
	assert_true(max_us <= 200000);
	duo_free(d);
}

/* E-63: the answer comes in the same instant, with what the customer said last. */
static void test_secc_answers_at_once_with_last_readings(void **state)
{
	struct duo *d = charging();
	const struct bench_record *q, *a;
	struct plug_current_demand_res m = {0};

	(void)state;
	duo_run(d, 5);
	q = bench_last(d->bench, duo_plug_id(d, PLUG_CURRENT_DEMAND_REQ));
	a = bench_last(d->bench, duo_plug_id(d, PLUG_CURRENT_DEMAND_RES));
	assert_true(bench_at(d->bench, a) > bench_at(d->bench, q));
	assert_int_equal(a->time_us, q->time_us);
	plug_layouts[0][PLUG_CURRENT_DEMAND_RES].unpack(&m, a->frame.data);
	assert_int_equal(m.present_voltage_mV, d->secc.pms.present_voltage_mV);
	assert_int_equal(m.present_current_mA, d->secc.pms.present_current_mA);
	duo_free(d);
}

/* E-94: linear between 60 and 90 degrees; at 90 a normal stop. */
static void test_secc_cable_temperature_derates_and_stops(void **state)
{
	struct duo *d = charging();

	(void)state;
	duo_run(d, 8);
	bench_command(d->bench, d->secc_at, "temperature ptc1 75");
	duo_run(d, 2);
	assert_int_equal(last_power(d).current_range_max_mA, 75000);
	bench_command(d->bench, d->secc_at, "temperature ptc1 -40");
	duo_run(d, 4);
	assert_int_equal(last_power(d).current_range_max_mA, 100000);
	bench_command(d->bench, d->secc_at, "temperature ptc2 90");
	assert_true(duo_until_state(d, SECC_CLOSING, 30));
	assert_int_equal(d->secc.cause, SECC_CAUSE_VEHICLE);
	assert_int_equal(d->evcc.cause, EVCC_CAUSE_CHARGER_STOP);
	duo_free(d);
}

/* ---- end -------------------------------------------------------------------------------------------------- */

/* E-72: the edge asks once; held, or pressed before the session, it does nothing. */
static void test_secc_user_stop_acts_on_the_edge_only(void **state)
{
	struct duo *d = fresh();

	(void)state;
	d->evcc_cfg.plug_at_start = 0;
	duo_start(d);
	duo_run(d, 3);
	d->evse.flags.user_stop_button = 1; /* held from before */
	duo_run(d, 1);
	bench_command(d->bench, d->evcc_at, "plug");
	assert_true(duo_until_state(d, SECC_CHARGING, 30));
	duo_run(d, 5);
	assert_int_equal(d->secc.state, SECC_CHARGING);
	d->evse.flags.user_stop_button = 0;
	duo_run(d, 1);
	assert_int_equal(d->secc.state, SECC_CHARGING);
	d->evse.flags.user_stop_button = 1;
	assert_true(duo_until_state(d, SECC_ENDING_CHARGE, 2));
	assert_int_equal(d->evcc.cause, EVCC_CAUSE_CHARGER_STOP);
	duo_free(d);
}

/* A stop between authorisation and the loop is honoured too. */
static void test_secc_user_stop_before_the_loop_ends_the_session(void **state)
{
	static const enum secc_state states[] = {SECC_FULL_INFO, SECC_INSULATION_TEST, SECC_PRECHARGE};
	unsigned i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct duo *d = fresh();

		duo_start(d);
		assert_true(duo_until_state(d, states[i], 30));
		bench_command(d->bench, d->secc_at, "stop");
		assert_true(duo_until_state(d, SECC_CLOSING, 20));
		assert_int_equal(d->secc.cause, SECC_CAUSE_VEHICLE);
		assert_int_equal(bench_count(d->bench, duo_evse_id(d, EVSE_EMERGENCY_STOP), 0), 0);
		duo_free(d);
	}
}

/* E-74: Stopped once; Close until below 1 A, then Open, then Open with lowering; each every 100 ms. */
static void test_secc_end_messages_come_in_order_with_their_conditions(void **state)
{
	struct duo *d = charging();
	canid_t pc = duo_evse_id(d, EVSE_DC_POWER_CONTROL);
	size_t i, n1 = 0, n2 = 0, n3 = 0;

	(void)state;
	duo_run(d, 5);
	d->evse.is_current_stuck = true;
	d->evse.i_target_A = 40;
	d->pev.force_current_mA = 4000; /* the vehicle waits with its contactors */
	bench_command(d->bench, d->secc_at, "stop");
	assert_true(duo_until_state(d, SECC_ENDING_CHARGE, 5));
	duo_run(d, 3);
	assert_int_equal(d->secc.step, SECC_STEP_END_CURRENT);
	assert_int_equal(last_power(d).output_contactors, 1);
	d->evse.is_current_stuck = false;
	d->pev.force_current_mA = 0;
	assert_true(duo_until_state(d, SECC_CLOSING, 20));
	for (i = at_state(d, 8); i < d->bench->n_trace; i++) {
		const uint8_t *data = d->bench->trace[i].frame.data;

		if (d->bench->trace[i].frame.can_id != pc)
			continue;
		if (memcmp(data, "\x00\x00\x00\x00\x00\x00\x41", 7) == 0) {
			assert_int_equal(n2 + n3, 0);
			n1++;
		} else if (memcmp(data, "\x00\x00\x00\x00\x00\x00\x01", 7) == 0 && n3 == 0) {
			assert_true(n1 > 0);
			n2++;
		} else if (memcmp(data, "\x00\x00\x00\x00\x00\x00\x81", 7) == 0) {
			assert_true(n2 > 0);
			n3++;
		}
	}
	assert_true(n1 >= 30);
	assert_in_range(n2, 2, 4); /* 0.2 s for the contactors */
	assert_true(n3 >= 1);
	assert_int_equal(bench_count(d->bench, duo_evse_id(d, EVSE_CHARGE_STATUS_CHANGE), 0), 2);
	duo_free(d);
}

/* E-80, CE-21: state 10, then Finished exactly once; at last a plain open Standby; idle after 3 s. */
static void test_secc_closing_finishes_once_and_returns_to_idle(void **state)
{
	struct duo *d = charging();
	canid_t finished = duo_evse_id(d, EVSE_CHARGE_SESSION_FINISHED);
	int64_t start_us;

	(void)state;
	duo_run(d, 3);
	bench_command(d->bench, d->secc_at, "stop");
	assert_true(duo_until_state(d, SECC_CLOSING, 20));
	start_us = d->bench->now_us;
	assert_true(duo_until_state(d, SECC_WAITING_FOR_PEV, 20));
	assert_in_range(d->bench->now_us - start_us, SECONDS(2.5), SECONDS(3.5));
	assert_int_equal(bench_count(d->bench, finished, 0), 1);
	assert_int_equal(bench_last(d->bench, finished)->frame.data[0], 0);
	assert_true(bench_at(d->bench, bench_last(d->bench, finished)) > at_state(d, 10));
	assert_memory_equal(bench_last(d->bench, duo_evse_id(d, EVSE_DC_POWER_CONTROL))->frame.data,
			    "\x00\x00\x00\x00\x00\x00\x01", 7);
	duo_free(d);
}

/* E-79 */
static void test_secc_welding_detection_has_no_power_function(void **state)
{
	struct duo *d = charging();
	size_t i;
	bool is_answered = false;

	(void)state;
	duo_run(d, 2);
	/* A contactor that is slow to let go keeps the inlet up for a while. */
	d->pev.contactor_ms = 200;
	bench_command(d->bench, d->evcc_at, "stop");
	assert_true(duo_until_stage(d, EVCC_WELDING_DETECTION, 20));
	d->pev.force_inlet_mV = 200000;
	duo_run(d, 3);
	assert_int_equal(d->secc.state, SECC_WELDING_DETECTION);
	for (i = at_state(d, 9); i < d->bench->n_trace; i++) {
		const struct bench_record *r = &d->bench->trace[i];

		if (r->frame.can_id == duo_evse_id(d, EVSE_DC_POWER_CONTROL))
			assert_true(duo_power(d, r).power_function <= SECC_FN_STANDBY);
		is_answered |= r->frame.can_id == duo_plug_id(d, PLUG_WELDING_DETECTION_RES);
	}
	assert_true(is_answered);
	d->pev.force_inlet_mV = 30000;
	assert_true(duo_until_state(d, SECC_CLOSING, 20));
	duo_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secc_precharge_carries_battery_voltage_and_current_cap),
		cmocka_unit_test(test_secc_precharge_gives_up_after_7_s),
		cmocka_unit_test(test_secc_start_floats_and_reports_once),
		cmocka_unit_test(test_secc_first_transfer_precedes_state_7),
		cmocka_unit_test(test_secc_transfer_is_target_mode_at_the_vehicles_pace),
		cmocka_unit_test(test_secc_lowered_limit_is_respected_at_once),
		cmocka_unit_test(test_secc_power_limit_follows_the_present_voltage),
		cmocka_unit_test(test_secc_slow_vehicle_gets_repeated_setpoints),
		cmocka_unit_test(test_secc_answers_at_once_with_last_readings),
		cmocka_unit_test(test_secc_cable_temperature_derates_and_stops),
		cmocka_unit_test(test_secc_user_stop_acts_on_the_edge_only),
		cmocka_unit_test(test_secc_user_stop_before_the_loop_ends_the_session),
		cmocka_unit_test(test_secc_end_messages_come_in_order_with_their_conditions),
		cmocka_unit_test(test_secc_closing_finishes_once_and_returns_to_idle),
		cmocka_unit_test(test_secc_welding_detection_has_no_power_function),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
