/* SPDX-License-Identifier: MIT */
/* Tests of the simulated power stack: the conformance program, the bench without a vehicle, faults, options. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/pm_conformance.h"
#include "tests/lib/stack_bench.h"

/* --- conformance ------------------------------------------------------------------------------------------- */

struct conformance_vehicle {
	struct pm_rig *rig;
	int64_t next_us;
	struct path_load_data load;
};

static void vehicle_reset(void *ctx, struct pm_rig *rig, int64_t now_us)
{
	struct conformance_vehicle *v = ctx;

	memset(v, 0, sizeof(*v));
	v->rig = rig;
	v->next_us = now_us;
	v->load.is_present = true;
	v->load.r_ohm = 0.08;
	v->load.c_inlet_F = 1e-6;
	v->load.insulation_kohm = PATH_INSULATION_OPEN;
}

static void vehicle_load(void *ctx, enum pm_load load, int32_t v_mV)
{
	struct conformance_vehicle *v = ctx;

	v->load.is_closed = load == PM_LOAD_BATTERY;
	v->load.ocv_V = v_mV * 1e-3;
}

static int64_t vehicle_tick(void *ctx, int64_t now_us)
{
	struct conformance_vehicle *v = ctx;

	if (now_us >= v->next_us) {
		struct can_frame f;

		path_load_frame(&v->load, 1, &f);
		pm_rig_feed(v->rig, 0, &f);
		v->next_us += 100 * MS;
	}
	return v->next_us;
}

static void test_sim_stack_passes_conformance(void **state)
{
	struct conformance_vehicle v;
	struct pm_environment env = {&v, vehicle_reset, vehicle_load, NULL, vehicle_tick};

	(void)state;
	pm_conformance_run(&sim_stack_plugin, NULL, 0, &env);
}

static void test_sim_stack_bidirectional_passes_conformance(void **state)
{
	struct forecourt_kv kv[] = {{"bidirectional", "yes"}, {"has-output-contactors", "no"}};
	struct conformance_vehicle v;
	struct pm_environment env = {&v, vehicle_reset, vehicle_load, NULL, vehicle_tick};

	(void)state;
	pm_conformance_run(&sim_stack_plugin, kv, 2, &env);
}

/* --- without a vehicle ------------------------------------------------------------------------------------- */

static void test_stack_without_vehicle_runs_vendor_session(void **state)
{
	struct stack_bench b;

	(void)state;
	stack_bench_start(&b);
	stack_bench_order(&b, PM_STANDBY, 0, 0);
	stack_bench_run(&b, 1500 * MS);
	assert_true(b.st.is_ready);
	stack_bench_order(&b, PM_INSULATION_TEST, 500000, 0);
	stack_bench_run(&b, 3300 * MS + 200 * MS);
	assert_true(b.st.v_mV >= 450000); /* 1 s dead, then 200 V/s */
	assert_int_equal(b.st.insulation_ohm, 100000);
	assert_true(b.st.insulation_valid);
	stack_bench_run(&b, 1 * S);
	stack_bench_order(&b, PM_STANDBY, 0, 0);
	b.sp.is_bleeding = 1;
	stack_bench_run(&b, 5 * S);
	assert_true(b.st.v_mV <= 20000);
	stack_bench_order(&b, PM_PRECHARGE, 330000, 2000);
	stack_bench_run(&b, 3 * S);
	assert_in_range(b.st.v_mV, 325000, 335000);
	stack_bench_order(&b, PM_STANDBY, 0, 0);
	stack_bench_run(&b, 600 * S); /* state 6 may last */
	assert_in_range(b.st.v_mV, 326700, 333300);
	stack_bench_order(&b, PM_TRANSFER, 400000, 100000);
	stack_bench_run(&b, 3500 * MS);
	assert_in_range(b.st.i_mA, 45000, 51000); /* 1 s dead, then 20 A/s */
	stack_bench_run(&b, 4 * S);
	assert_in_range(b.st.i_mA, 99000, 101000);
	assert_in_range(b.st.v_mV, 329000, 331000);
	stack_bench_order(&b, PM_STANDBY, 0, 0);
	stack_bench_run(&b, 2 * S);
	assert_true(b.st.i_mA < 1000);
	b.sp.is_closed = 0;
	stack_bench_run(&b, 1 * S);
	assert_false(b.st.is_closed);
	b.sp.is_bleeding = 1;
	stack_bench_run(&b, 5 * S);
	assert_true(b.st.v_mV <= 20000);
}

static void test_stack_without_vehicle_or_precharge_follows_target(void **state)
{
	struct stack_bench b;

	(void)state;
	stack_bench_start(&b);
	stack_bench_order(&b, PM_STANDBY, 0, 0);
	stack_bench_run(&b, 2 * S);
	stack_bench_order(&b, PM_TRANSFER, 400000, 50000);
	stack_bench_run(&b, 6 * S);
	assert_in_range(b.st.v_mV, 399000, 401000);
	assert_in_range(b.st.i_mA, 49500, 50500);
}

static void test_stack_vehicle_vanishing_stops_current_and_returning_resumes(void **state)
{
	struct stack_bench b;

	(void)state;
	stack_bench_start(&b);
	stack_bench_deliver(&b, 50000);
	b.has_vehicle = false;
	stack_bench_run(&b, 400 * MS);
	assert_true(b.st.i_mA > 40000);
	stack_bench_run(&b, 300 * MS);
	assert_int_equal(b.st.i_mA, 0);
	stack_bench_run(&b, 10 * S);
	assert_int_equal(b.st.i_mA, 0);
	assert_true(b.st.v_mV < 360000);
	b.has_vehicle = true;
	stack_bench_run(&b, 5 * S);
	assert_in_range(b.st.i_mA, 49000, 51000);
}

static void test_stack_unplugged_vehicle_is_an_open_cable(void **state)
{
	struct stack_bench b;

	(void)state;
	stack_bench_start(&b);
	b.has_vehicle = true;
	b.load.is_closed = true; /* a lie without presence */
	stack_bench_order(&b, PM_STANDBY, 0, 0);
	stack_bench_run(&b, 2 * S);
	stack_bench_order(&b, PM_TRANSFER, 400000, 50000);
	stack_bench_run(&b, 6 * S);
	assert_true(b.st.i_mA < 100);
	assert_in_range(b.st.v_mV, 399000, 401000);
}

static void test_stack_power_ordered_while_asleep_waits_for_wake_up(void **state)
{
	struct forecourt_kv kv[] = {{"power_modules_wake_up_duration", "5"},
				    {"power_modules_dead_time", "0"}};
	struct stack_bench b;

	(void)state;
	stack_bench_start_with(&b, kv, 2);
	stack_bench_order(&b, PM_INSULATION_TEST, 500000, 0);
	stack_bench_run(&b, 4900 * MS);
	assert_int_equal(b.st.v_mV, 0);
	assert_int_equal(b.st.state, PM_ST_WAKING);
	stack_bench_run(&b, 3 * S);
	assert_int_equal(b.st.v_mV, 500000);
}

static void test_stack_frozen_reading_does_not_confirm_off(void **state)
{
	struct stack_bench b;

	(void)state;
	stack_bench_start(&b);
	stack_bench_order(&b, PM_STANDBY, 0, 0);
	stack_bench_run(&b, 2 * S);
	assert_true(b.st.is_off_confirmed);
	stack_bench_live(&b, "fault", "frozen");
	stack_bench_run(&b, 1 * S);
	assert_false(b.st.is_off_confirmed);
	assert_true(b.now_us - b.st.t_vi_us >= 900 * MS);
}

static void test_stack_each_function_starts_with_its_dead_time(void **state)
{
	struct stack_bench b;

	(void)state;
	stack_bench_start(&b);
	stack_bench_order(&b, PM_STANDBY, 0, 0);
	stack_bench_run(&b, 2 * S);
	stack_bench_order(&b, PM_INSULATION_TEST, 500000, 0);
	stack_bench_run(&b, 5 * S);
	stack_bench_order(&b, PM_PRECHARGE, 300000, 2000);
	stack_bench_run(&b, 900 * MS);
	assert_true(b.st.v_mV > 499000);
	stack_bench_run(&b, 1 * S);
	assert_in_range(b.st.v_mV, 410000, 430000);
	/* The same function with another target has none. */
	stack_bench_run(&b, 2 * S);
	stack_bench_order(&b, PM_PRECHARGE, 310000, 2000);
	stack_bench_run(&b, 200 * MS);
	assert_true(b.st.v_mV > 309000);
}

/* --- faults ------------------------------------------------------------------------------------------------ */

static void test_stack_stuck_on_is_found_and_asks_for_mains_cut(void **state)
{
	struct stack_bench b;

	(void)state;
	stack_bench_start(&b);
	stack_bench_deliver(&b, 50000);
	stack_bench_live(&b, "fault", "stuck_on");
	stack_bench_order(&b, PM_STANDBY, 0, 0);
	stack_bench_run(&b, 1 * S);
	assert_in_range(b.st.i_mA, 49000, 51000);
	assert_false(b.st.is_off_confirmed);
	b.sp.is_closed = 0;
	stack_bench_run(&b, 1500 * MS);
	assert_true(b.st.faults & PM_FAULT_STUCK_ON);
	assert_true(b.st.demand_mains_cut);
	stack_bench_run(&b, 2 * S);
	/* Forced open under load in the end, and recorded. */
	assert_false(b.st.is_closed);
	assert_int_equal(sim_stack_physics(&b.stack)->n_relay_opened_loaded, 1);
	stack_bench_live(&b, "fault", "none");
	stack_bench_run(&b, 1 * S);
	assert_true(b.st.faults_latched & PM_FAULT_STUCK_ON);
	b.sp.clear_fault++;
	stack_bench_run(&b, 1 * S);
	assert_int_equal(b.st.faults, 0);
}

static void test_stack_lost_link_freezes_readings_and_watchdog_ends_delivery(void **state)
{
	struct stack_bench b;
	int64_t t_vi;

	(void)state;
	stack_bench_start(&b);
	stack_bench_deliver(&b, 50000);
	t_vi = b.st.t_vi_us;
	stack_bench_live(&b, "fault", "comm_lost");
	stack_bench_order(&b, PM_OFF, 0, 0);
	stack_bench_run(&b, 1500 * MS);
	assert_in_range(b.st.t_vi_us, t_vi, t_vi + 20 * MS);
	assert_true(b.st.faults_stop & PM_FAULT_COMM_LOST);
	assert_false(b.st.is_off_confirmed);
	assert_true(b.stack.phys.i_A > 45.0); /* the module has not heard the off */
	stack_bench_run(&b, 1 * S);
	assert_true(b.stack.phys.i_A < 1.0);
	assert_false(b.st.is_off_confirmed); /* nobody measured it */
	stack_bench_live(&b, "fault", "-comm_lost");
	stack_bench_run(&b, 500 * MS);
	assert_true(b.st.is_off_confirmed);
	assert_int_equal(b.st.faults_stop, 0);
}

static void test_stack_faults_stop_output_and_latch_by_kind(void **state)
{
	static const struct {
		const char *name;
		uint32_t bit;
		bool is_latched;
	} rows[] = {
		{"over_temp", PM_FAULT_OVER_TEMP, false},
		{"hardware", PM_FAULT_HARDWARE, true},
		{"short_circuit", PM_FAULT_SHORT_CIRCUIT, true},
		{"over_voltage", PM_FAULT_OVER_VOLTAGE_DC, true},
		{"mains", PM_FAULT_MAINS_VOLTAGE, false},
		{"interlock", PM_FAULT_INTERLOCK, true},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stack_bench b;

		stack_bench_start(&b);
		stack_bench_deliver(&b, 20000);
		stack_bench_live(&b, "fault", rows[i].name);
		stack_bench_run(&b, 100 * MS);
		assert_true(b.st.faults_stop & rows[i].bit);
		assert_int_equal(b.st.i_mA, 0);
		assert_false(b.st.is_ready);
		assert_int_equal(b.st.state, PM_ST_FAULT);
		stack_bench_live(&b, "fault", "none");
		stack_bench_run(&b, 100 * MS);
		assert_int_equal((b.st.faults & rows[i].bit) != 0, rows[i].is_latched);
		b.sp.clear_fault++;
		stack_bench_run(&b, 200 * MS);
		assert_int_equal(b.st.faults, 0);
	}
}

static void test_stack_insulation_is_valid_only_while_measured(void **state)
{
	struct stack_bench b;

	(void)state;
	stack_bench_start(&b);
	b.has_vehicle = b.load.is_present = true;
	b.load.insulation_kohm = 100;
	stack_bench_order(&b, PM_STANDBY, 0, 0);
	stack_bench_run(&b, 2 * S);
	assert_false(b.st.insulation_valid);
	assert_int_equal(b.st.insulation_ohm, 0);
	stack_bench_order(&b, PM_INSULATION_TEST, 500000, 0);
	stack_bench_run(&b, 2 * S);
	assert_false(b.st.insulation_valid); /* not at the test voltage yet */
	stack_bench_run(&b, 3 * S);
	assert_true(b.st.insulation_valid);
	assert_int_equal(b.st.insulation_ohm, 50000); /* in parallel with the vehicle's */
	stack_bench_live(&b, "fault", "isolation");
	stack_bench_run(&b, 100 * MS);
	assert_int_equal(b.st.insulation_ohm, 1000);
	stack_bench_live(&b, "fault", "none");
	stack_bench_live(&b, "insulation_resistance", "300");
	stack_bench_run(&b, 100 * MS);
	assert_int_equal(b.st.insulation_ohm, 75000);
	stack_bench_live(&b, "fault", "imd_silent");
	stack_bench_run(&b, 100 * MS);
	assert_false(b.st.insulation_valid);
	assert_int_equal(b.st.insulation_ohm, 0);
	stack_bench_live(&b, "fault", "none");
	stack_bench_order(&b, PM_OFF, 0, 0);
	stack_bench_run(&b, 100 * MS);
	assert_false(b.st.insulation_valid);
}

static void test_stack_welded_relay_and_open_bleeder_are_reported(void **state)
{
	struct stack_bench b;

	(void)state;
	stack_bench_start(&b);
	stack_bench_order(&b, PM_STANDBY, 0, 0);
	stack_bench_run(&b, 2 * S);
	stack_bench_order(&b, PM_INSULATION_TEST, 500000, 0);
	stack_bench_run(&b, 5 * S);
	stack_bench_live(&b, "fault", "bleeder_open");
	stack_bench_live(&b, "fault", "relay_welded");
	stack_bench_order(&b, PM_STANDBY, 0, 0);
	b.sp.is_closed = 0;
	b.sp.is_bleeding = 1;
	stack_bench_run(&b, 6 * S);
	assert_true(b.st.is_closed);
	assert_true(b.st.faults & PM_FAULT_WELDED_CONTACTOR);
	assert_true(b.st.faults & PM_FAULT_DISCHARGE_FAILED);
	assert_true(b.st.v_mV > 450000);
	stack_bench_live(&b, "fault", "none");
	stack_bench_run(&b, 1 * S);
	assert_false(b.st.is_closed);
}

static void test_stack_heat_derates_then_trips_and_comes_back(void **state)
{
	struct stack_bench b;

	(void)state;
	stack_bench_start(&b);
	stack_bench_deliver(&b, 100000);
	stack_bench_live(&b, "temperature", "70");
	stack_bench_run(&b, 600 * S);
	assert_true(b.st.temp_hot_mdegC > 75000);
	assert_true(b.st.avail_i_max_mA < 500000);
	assert_int_equal(b.st.faults_stop, 0);
	stack_bench_live(&b, "temperature", "95");
	stack_bench_run(&b, 1 * S);
	assert_true(b.st.faults_stop & PM_FAULT_OVER_TEMP);
	assert_int_equal(b.st.i_mA, 0);
	stack_bench_live(&b, "temperature", "80");
	stack_bench_run(&b, 600 * S);
	assert_true(b.st.faults_stop & PM_FAULT_OVER_TEMP); /* not before it is cool */
	stack_bench_live(&b, "temperature", "20");
	stack_bench_run(&b, 600 * S);
	assert_int_equal(b.st.faults, 0);
	stack_bench_live(&b, "fault", "derate");
	stack_bench_run(&b, 1 * S);
	assert_int_equal(b.st.avail_i_max_mA <= 250000, 1);
}

/* --- options and frames ------------------------------------------------------------------------------------ */

static void test_stack_options_have_vendor_names_and_defaults(void **state)
{
	static const struct {
		const char *name, *def;
	} expected[] = {
		{"power_modules_wake_up_duration", "1"}, {"power_modules_dead_time", "1"},
		{"voltage_ramp_up_slope", "200"},	 {"voltage_ramp_down_slope", "100"},
		{"current_ramp_up_slope", "20"},	 {"current_ramp_down_slope", "20"},
		{"insulation_resistance", "100"},
	};
	const char *row = (const char *)sim_stack_plugin.options;
	size_t i, k;

	(void)state;
	for (i = 0; i < sim_stack_plugin.n_options; i++) {
		const struct forecourt_option *o =
			(const struct forecourt_option *)(const void *)(row +
									i * sim_stack_plugin.option_stride);

		assert_non_null(o->name);
		assert_non_null(o->def);
		assert_true(strlen(o->help) > 5);
		for (k = 0; k < sizeof(expected) / sizeof(expected[0]); k++)
			if (strcmp(o->name, expected[k].name) == 0)
				assert_string_equal(o->def, expected[k].def);
	}
}

static void test_stack_bad_options_are_refused_with_reason(void **state)
{
	static const struct forecourt_kv bad[] = {
		{"voltage_ramp_up_slope", "0"},
		{"voltage_ramp_up_slope", "fast"},
		{"insulation_resistance", "511"},
		{"no_such_option", "1"},
	};
	const struct power_module_ops *ops = sim_stack_plugin.ops;
	struct forecourt_host host = {.size = sizeof(host), .index = 1};
	struct sim_stack stack;
	char err[160];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err[0] = '\0';
		assert_true(ops->init(&stack, &host, &bad[i], 1, 0, err, sizeof(err)) < 0);
		assert_true(strlen(err) > 10);
	}
}

static void test_stack_live_values_read_back_and_act(void **state)
{
	struct stack_bench b;
	char answer[160];

	(void)state;
	stack_bench_start(&b);
	stack_bench_live(&b, "current-ramp-up-slope", "100.5");
	assert_int_equal(b.ops->live(&b.stack, 0, "current_ramp_up_slope", NULL, answer, sizeof(answer)), 0);
	assert_string_equal(answer, "100.5");
	assert_int_equal(b.ops->live(&b.stack, 0, "rated_voltage", "800", answer, sizeof(answer)), -EINVAL);
	assert_int_equal(b.ops->live(&b.stack, 0, "nonsense", "1", answer, sizeof(answer)), -ENOENT);
	assert_int_equal(b.ops->live(&b.stack, 0, "fault", "nonsense", answer, sizeof(answer)), -EINVAL);
	stack_bench_live(&b, "fault", "fan");
	stack_bench_live(&b, "fault", "mains");
	assert_int_equal(b.ops->live(&b.stack, 0, "fault", NULL, answer, sizeof(answer)), 0);
	assert_string_equal(answer, "mains,fan");
	stack_bench_live(&b, "fault", "none");
	stack_bench_deliver(&b, 100000);
	assert_in_range(b.st.i_mA, 99000, 101000);
}

static void test_stack_path_frames_slow_at_rest_and_fast_in_motion(void **state)
{
	struct stack_bench b;
	unsigned n;

	(void)state;
	stack_bench_start(&b);
	stack_bench_run(&b, 10 * S);
	assert_int_equal(b.n_tx, 0); /* no simulated vehicle on the bus: nothing to tell */
	stack_bench_deliver(&b, 100000);
	n = b.n_tx;
	stack_bench_run(&b, 10 * S);
	assert_in_range(b.n_tx - n, 100, 102);
	stack_bench_order(&b, PM_TRANSFER, 500000, 20000);
	n = b.n_tx;
	stack_bench_run(&b, 2 * S);
	assert_in_range(b.n_tx - n, 38, 42);
	assert_true(b.last.counter > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sim_stack_passes_conformance),
		cmocka_unit_test(test_sim_stack_bidirectional_passes_conformance),
		cmocka_unit_test(test_stack_without_vehicle_runs_vendor_session),
		cmocka_unit_test(test_stack_without_vehicle_or_precharge_follows_target),
		cmocka_unit_test(test_stack_vehicle_vanishing_stops_current_and_returning_resumes),
		cmocka_unit_test(test_stack_unplugged_vehicle_is_an_open_cable),
		cmocka_unit_test(test_stack_power_ordered_while_asleep_waits_for_wake_up),
		cmocka_unit_test(test_stack_frozen_reading_does_not_confirm_off),
		cmocka_unit_test(test_stack_each_function_starts_with_its_dead_time),
		cmocka_unit_test(test_stack_stuck_on_is_found_and_asks_for_mains_cut),
		cmocka_unit_test(test_stack_lost_link_freezes_readings_and_watchdog_ends_delivery),
		cmocka_unit_test(test_stack_faults_stop_output_and_latch_by_kind),
		cmocka_unit_test(test_stack_insulation_is_valid_only_while_measured),
		cmocka_unit_test(test_stack_welded_relay_and_open_bleeder_are_reported),
		cmocka_unit_test(test_stack_heat_derates_then_trips_and_comes_back),
		cmocka_unit_test(test_stack_options_have_vendor_names_and_defaults),
		cmocka_unit_test(test_stack_bad_options_are_refused_with_reason),
		cmocka_unit_test(test_stack_live_values_read_back_and_act),
		cmocka_unit_test(test_stack_path_frames_slow_at_rest_and_fast_in_motion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
