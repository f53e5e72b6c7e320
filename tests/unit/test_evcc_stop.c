/* SPDX-License-Identifier: MIT */
/* The virtual EVCC: stops, deviations, emergencies, lock safety (rules P-37 to P-46, P-53). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/duo.h"

static struct duo *charging(void)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	d->evse.charge_ms = -1;
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_CHARGING, 40));
	duo_run(d, 1);
	return d;
}

static bool is_close_shown(const struct duo *d)
{
	return bench_last(d->bench, 0x602)->frame.data[0] == 1;
}

/* ---- normal stops ----------------------------------------------------------------------------------------- */

static void assert_stops(struct duo *d, enum evcc_cause cause, double within_s)
{
	int64_t start_us = d->bench->now_us;

	assert_true(duo_until_stage(d, EVCC_ENDING_CHARGE, 5));
	assert_true(d->bench->now_us - start_us <= SECONDS(within_s));
	assert_int_equal(d->evcc.cause, cause);
	assert_true(duo_until_stage(d, EVCC_CLOSING, 30));
	duo_run(d, 0.2);
	assert_int_equal(d->evcc.lock, EVCC_UNLOCKED);
	assert_int_equal(d->secc.cause, SECC_CAUSE_VEHICLE);
	assert_int_equal(d->secc.count.n_emergencies + d->evcc.count.n_emergencies, 0);
	duo_free(d);
}

/* P-37 */
static void test_evcc_stops_at_max_soc(void **state)
{
	struct duo *d = charging();

	(void)state;
	d->pev.soc_permille = 980;
	duo_run(d, 1);
	assert_int_equal(d->evcc.stage, EVCC_CHARGING);
	d->pev.soc_permille = 990;
	assert_stops(d, EVCC_CAUSE_FULL, 1);
}

static void test_evcc_stops_at_max_charge_voltage(void **state)
{
	struct duo *d = charging();

	(void)state;
	bench_command(d->bench, d->evcc_at, "set max_charge_voltage 335");
	duo_run(d, 1);
	assert_int_equal(d->evcc.stage, EVCC_CHARGING);
	d->pev.battery_mV = 335000;
	d->pev.force_inlet_mV = 335000;
	assert_true(duo_until_stage(d, EVCC_ENDING_CHARGE, 1));
	assert_int_equal(d->evcc.cause, EVCC_CAUSE_VOLTAGE);
	duo_free(d);
}

static void test_evcc_stops_by_input(void **state)
{
	struct duo *d = charging();

	(void)state;
	bench_command(d->bench, d->evcc_at, "input stop 1");
	assert_stops(d, EVCC_CAUSE_INPUT, 1);
}

static void test_evcc_stops_by_temperature_and_shows_it(void **state)
{
	struct duo *d = charging();

	(void)state;
	bench_command(d->bench, d->evcc_at, "temperature ptc2 90");
	assert_true(duo_until_stage(d, EVCC_WELDING_DETECTION, 1.2));
	assert_int_equal(d->evcc.cause, EVCC_CAUSE_TEMPERATURE);
	duo_run(d, 0.2);
	assert_int_equal(d->pev.diagnostic.high_temperature, 1);
	duo_free(d);
}

/* P-38: the edge; held from before it is no request. */
static void test_evcc_normal_end_acts_on_the_edge_only(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	(void)state;
	d->evse.charge_ms = -1;
	d->pev.is_stop_requested = true;
	d->pev.is_emergency_requested = true;
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_CHARGING, 40));
	duo_run(d, 3);
	assert_int_equal(d->evcc.stage, EVCC_CHARGING);
	d->pev.is_stop_requested = false;
	duo_run(d, 0.5);
	d->pev.is_stop_requested = true;
	assert_stops(d, EVCC_CAUSE_VEHICLE_STOP, 0.2);
}

static void test_evcc_stop_after_option_ends_by_itself(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	int64_t start_us;

	(void)state;
	d->evse.charge_ms = -1;
	d->evcc_cfg.stop_after_ms = 4000;
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_CHARGING, 40));
	start_us = d->bench->now_us;
	assert_true(duo_until_stage(d, EVCC_WELDING_DETECTION, 10));
	assert_in_range(d->bench->now_us - start_us, SECONDS(4), SECONDS(4.1));
	duo_free(d);
}

/* Zero current is asked for before PowerDelivery ends, as long as the current is not low. */
static void test_evcc_normal_stop_lowers_the_current_first(void **state)
{
	struct duo *d = charging();
	canid_t demand, delivery;
	size_t from;
	struct plug_current_demand_req m = {0};

	(void)state;
	demand = duo_plug_id(d, PLUG_CURRENT_DEMAND_REQ);
	delivery = duo_plug_id(d, PLUG_POWER_DELIVERY_REQ);
	duo_run(d, 2);
	d->pev.force_current_mA = 40000;
	duo_run(d, 0.2);
	bench_command(d->bench, d->evcc_at, "stop");
	from = d->bench->n_trace;
	duo_run(d, 2);
	assert_int_equal(d->evcc.stage, EVCC_ENDING_CHARGE);
	assert_int_equal(bench_count(d->bench, delivery, from), 0);
	assert_true(bench_count(d->bench, demand, from) >= 18);
	plug_layouts[0][PLUG_CURRENT_DEMAND_REQ].unpack(&m, bench_last(d->bench, demand)->frame.data);
	assert_int_equal(m.target_current_mA, 0);
	d->pev.force_current_mA = 5000;
	duo_run(d, 0.5);
	assert_int_equal(bench_count(d->bench, delivery, from), 1);
	duo_free(d);
}

/* ---- deviations ------------------------------------------------------------------------------------------- */

/* P-40 */
static void test_evcc_open_contactor_in_the_loop_is_a_fault(void **state)
{
	struct duo *d = charging();

	(void)state;
	d->pev.is_closed = false;
	d->pev.is_not_closing = true;
	assert_true(duo_until_stage(d, EVCC_ENDING_CHARGE, 0.3));
	duo_run(d, 0.2);
	assert_int_equal(d->pev.diagnostic.contactor_fault, 1);
	assert_int_equal(d->evcc.cause, EVCC_CAUSE_CONTACTOR);
	duo_free(d);
}

static void test_evcc_voltage_deviation_in_the_loop_is_a_fault(void **state)
{
	struct duo *d = charging();

	(void)state;
	d->pev.force_inlet_mV = 349000;
	duo_run(d, 1);
	assert_int_equal(d->evcc.stage, EVCC_CHARGING);
	d->pev.force_inlet_mV = 351000;
	assert_true(duo_until_stage(d, EVCC_ENDING_CHARGE, 0.3));
	duo_run(d, 0.2);
	assert_int_equal(d->pev.diagnostic.voltage_deviation, 1);
	duo_free(d);
}

/* P-41: more than 10 A too much for 10 s; less is accepted by default, and not when configured. */
static void test_evcc_current_deviation_lasts_10_s(void **state)
{
	struct duo *d = charging();
	int64_t start_us;

	(void)state;
	d->pev.request_mA = 20000;
	d->pev.force_current_mA = 29000;
	duo_run(d, 15);
	assert_int_equal(d->evcc.stage, EVCC_CHARGING);
	d->pev.force_current_mA = 31000;
	start_us = d->bench->now_us;
	assert_true(duo_until_stage(d, EVCC_ENDING_CHARGE, 20));
	assert_in_range(d->bench->now_us - start_us, SECONDS(9.5), SECONDS(10.5));
	duo_run(d, 0.2);
	assert_int_equal(d->pev.diagnostic.current_deviation, 1);
	duo_free(d);
}

static void test_evcc_less_current_than_asked_is_accepted_unless_configured(void **state)
{
	struct duo *d = charging();

	(void)state;
	d->pev.force_current_mA = 0;
	duo_run(d, 30);
	assert_int_equal(d->evcc.stage, EVCC_CHARGING);
	bench_command(d->bench, d->evcc_at, "set current_deviation_accept_less false");
	duo_run(d, 11);
	assert_int_equal(d->evcc.cause, EVCC_CAUSE_CURRENT_DEVIATION);
	duo_free(d);
}

/* ---- opening and unlocking -------------------------------------------------------------------------------- */

/* P-42 */
static void test_evcc_opens_contactors_only_below_1_A(void **state)
{
	struct duo *d = charging();

	(void)state;
	d->pev.force_current_mA = 2000; /* 1 A a bit on the wire */
	duo_run(d, 0.2);
	bench_command(d->bench, d->evcc_at, "stop");
	assert_true(duo_until_stage(d, EVCC_WELDING_DETECTION, 5));
	duo_run(d, 3);
	assert_true(is_close_shown(d));
	d->pev.force_current_mA = -1000; /* the sign does not matter */
	duo_run(d, 0.3);
	assert_false(is_close_shown(d));
	duo_free(d);
}

/* P-44: each condition alone keeps the inlet locked. */
static void test_evcc_unlock_needs_every_condition(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 4; i++) {
		struct duo *d = charging();

		bench_command(d->bench, d->evcc_at, "set welding_timeout 2");
		bench_command(d->bench, d->evcc_at, "stop");
		assert_true(duo_until_stage(d, EVCC_WELDING_DETECTION, 5));
		if (i == 0)
			d->pev.force_inlet_mV = 61000;
		if (i == 1)
			d->pev.is_welded = true;
		if (i == 2) {
			while (d->pev.is_closed)
				duo_run(d, 0.01);
			d->pev.force_current_mA = 2000; /* although open */
		}
		if (i == 3)
			d->pev.sends_dc1 = false;
		duo_run(d, 20);
		assert_int_equal(d->evcc.stage, EVCC_CLOSING);
		assert_int_equal(d->evcc.lock, EVCC_LOCKED);
		assert_int_equal(d->pev.diagnostic.unlock_declined_inlet_energized, 1);
		/* All well again: it unlocks by itself. */
		d->pev.force_inlet_mV = -1;
		d->pev.force_current_mA = 0;
		d->pev.is_welded = false;
		d->pev.sends_dc1 = true;
		duo_run(d, 3);
		assert_int_equal(d->evcc.lock, EVCC_UNLOCKED);
		duo_free(d);
	}
}

/* ---- emergency -------------------------------------------------------------------------------------------- */

/* P-38, P-46: pilot to B at once, contactors open as soon as the current is low, locked until P-44 holds. */
static void test_evcc_emergency_request_ends_at_once_and_keeps_the_lock(void **state)
{
	struct duo *d = charging();
	int64_t start_us;

	(void)state;
	d->pev.force_current_mA = 3000;
	duo_run(d, 0.2);
	start_us = d->bench->now_us;
	d->pev.is_emergency_requested = true;
	assert_true(duo_until_stage(d, EVCC_CLOSING, 1));
	assert_true(d->bench->now_us - start_us <= 100000);
	assert_int_equal(d->secc.cp, CP_B);
	duo_run(d, 2);
	assert_true(is_close_shown(d)); /* 3 A still flow */
	assert_int_equal(d->evcc.lock, EVCC_LOCKED);
	d->pev.force_current_mA = 0;
	duo_run(d, 0.3);
	assert_false(is_close_shown(d));
	duo_run(d, 3);
	assert_int_equal(d->evcc.lock, EVCC_UNLOCKED);
	assert_int_equal(d->evcc.stage, EVCC_CLOSING);
	duo_free(d);
}

static void test_evcc_emergency_signal_does_not_exist_in_2_0_ex(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_0_EX);

	(void)state;
	d->evse.charge_ms = -1;
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_CHARGING, 40));
	d->pev.is_emergency_requested = true;
	duo_run(d, 1);
	assert_int_equal(d->evcc.stage, EVCC_CHARGING);
	duo_free(d);
}

/* The option's clock runs, but never above 5 A. */
static void test_evcc_forced_opening_is_an_option_below_5_A(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	(void)state;
	d->evse.charge_ms = -1;
	d->evcc_cfg.force_open_timed = 1;
	d->evcc_cfg.force_open_timeout_ms = 3000;
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_CHARGING, 40));
	d->pev.force_current_mA = 6000;
	duo_run(d, 0.3);
	bench_command(d->bench, d->evcc_at, "emergency");
	duo_run(d, 10);
	assert_true(is_close_shown(d));
	d->pev.force_current_mA = 4900;
	duo_run(d, 0.3);
	assert_false(is_close_shown(d));
	duo_free(d);
}

/* Without a current reading: at once by default, later or never when configured. */
static void test_evcc_blind_opening_follows_the_options(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

		d->evse.charge_ms = -1;
		d->evcc_cfg.force_open_delayed = i == 1;
		d->evcc_cfg.force_open_delay_ms = 5000;
		d->evcc_cfg.force_open_disabled = i == 2;
		duo_start(d);
		assert_true(duo_until_stage(d, EVCC_CHARGING, 40));
		d->pev.sends_dc1 = false;
		assert_true(duo_until_stage(d, EVCC_CLOSING, 2));
		duo_run(d, 1);
		assert_int_equal(is_close_shown(d), i != 0);
		duo_run(d, 5);
		assert_int_equal(is_close_shown(d), i == 2);
		assert_int_equal(d->evcc.lock, EVCC_LOCKED); /* blind: stays locked */
		duo_free(d);
	}
}

/* P-46: a power cycle forgets the session, not the lock. */
static void test_evcc_restart_keeps_the_inlet_locked_until_safe(void **state)
{
	struct duo *d = charging();

	(void)state;
	d->pev.is_welded = true;
	d->pev.force_inlet_mV = 330000;
	assert_int_equal(bench_command(d->bench, d->evcc_at, "restart"), 0);
	assert_int_equal(d->evcc.stage, EVCC_INITIALISING);
	duo_run(d, 5);
	assert_int_equal(d->evcc.lock, EVCC_LOCKED);
	assert_false(is_close_shown(d));
	d->pev.is_welded = false;
	d->pev.force_inlet_mV = 0;
	duo_run(d, 3);
	assert_int_equal(d->evcc.lock, EVCC_UNLOCKED);
	duo_free(d);
}

/* The charger's emergency reaches the vehicle by the pilot within one frame. */
static void test_evcc_charger_emergency_is_an_emergency(void **state)
{
	struct duo *d = charging();

	(void)state;
	bench_command(d->bench, d->secc_at, "emergency");
	duo_run(d, 0.01);
	assert_int_equal(d->evcc.stage, EVCC_CLOSING);
	assert_true(d->evcc.is_emergency);
	duo_run(d, 0.2);
	assert_int_equal(d->pev.diagnostic.control_pilot_fault, 1);
	assert_int_equal(d->pev.ccs.cp_state, 0);
	duo_free(d);
}

/* P-45 */
static void test_evcc_stays_in_closing_until_unplugged(void **state)
{
	struct duo *d = charging();

	(void)state;
	bench_command(d->bench, d->evcc_at, "stop");
	assert_true(duo_until_stage(d, EVCC_CLOSING, 30));
	duo_run(d, 300);
	assert_int_equal(d->evcc.stage, EVCC_CLOSING);
	bench_command(d->bench, d->evcc_at, "unplug");
	duo_run(d, 0.2);
	assert_int_equal(d->evcc.stage, EVCC_WAITING_FOR_EVSE);
	duo_free(d);
}

static void test_evcc_program_end_stops_in_order(void **state)
{
	struct duo *d = charging();
	struct machine m = evcc_machine(&d->evcc);

	(void)state;
	m.ops->stop(m.self, d->bench->now_us, &d->bench->out);
	assert_false(m.ops->is_stopped(m.self));
	duo_run(d, 5);
	assert_true(m.ops->is_stopped(m.self));
	assert_false(is_close_shown(d));
	assert_int_equal(d->secc.cause, SECC_CAUSE_VEHICLE);
	duo_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_evcc_stops_at_max_soc),
		cmocka_unit_test(test_evcc_stops_at_max_charge_voltage),
		cmocka_unit_test(test_evcc_stops_by_input),
		cmocka_unit_test(test_evcc_stops_by_temperature_and_shows_it),
		cmocka_unit_test(test_evcc_normal_end_acts_on_the_edge_only),
		cmocka_unit_test(test_evcc_stop_after_option_ends_by_itself),
		cmocka_unit_test(test_evcc_normal_stop_lowers_the_current_first),
		cmocka_unit_test(test_evcc_open_contactor_in_the_loop_is_a_fault),
		cmocka_unit_test(test_evcc_voltage_deviation_in_the_loop_is_a_fault),
		cmocka_unit_test(test_evcc_current_deviation_lasts_10_s),
		cmocka_unit_test(test_evcc_less_current_than_asked_is_accepted_unless_configured),
		cmocka_unit_test(test_evcc_opens_contactors_only_below_1_A),
		cmocka_unit_test(test_evcc_unlock_needs_every_condition),
		cmocka_unit_test(test_evcc_emergency_request_ends_at_once_and_keeps_the_lock),
		cmocka_unit_test(test_evcc_emergency_signal_does_not_exist_in_2_0_ex),
		cmocka_unit_test(test_evcc_forced_opening_is_an_option_below_5_A),
		cmocka_unit_test(test_evcc_blind_opening_follows_the_options),
		cmocka_unit_test(test_evcc_restart_keeps_the_inlet_locked_until_safe),
		cmocka_unit_test(test_evcc_charger_emergency_is_an_emergency),
		cmocka_unit_test(test_evcc_stays_in_closing_until_unplugged),
		cmocka_unit_test(test_evcc_program_end_stops_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
