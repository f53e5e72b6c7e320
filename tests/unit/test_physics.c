/* SPDX-License-Identifier: MIT */
/* Tests of the electrical model: ramps, limits, capacitors, joining a battery, energy, step sizes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <forecourt/units.h>

#include "sim/physics.h"

#define MS FC_US_PER_MS
#define S  FC_US_PER_S

#define assert_near(a, b, tol) assert_true(fabs((a) - (b)) <= (tol))

static struct phys_source start(double dead_s)
{
	struct phys_source_cfg cfg;
	struct phys_source s;

	phys_source_defaults(&cfg);
	cfg.dead_s = dead_s;
	phys_source_init(&s, &cfg, 0);
	return s;
}

static struct phys_load battery_load(double ocv_V)
{
	struct phys_load load = {
		.is_closed = true, .ocv_V = ocv_V, .r_ohm = 0.08, .c_inlet_F = 1e-6, .g_inlet_S = 1e-6};

	return load;
}

static struct phys_load open_load(void)
{
	struct phys_load load = {.r_ohm = 0.08, .c_inlet_F = 1e-6, .g_inlet_S = 1e-6};

	return load;
}

static struct phys_order target(double v_V, double i_A)
{
	struct phys_order o = {
		.is_on = true, .is_relay_closed = true, .v_V = v_V, .i_high_A = i_A, .i_low_A = i_A};

	return o;
}

/* Source on a battery, relay closed, still off. */
static struct phys_source on_battery(double ocv_V, double dead_s)
{
	struct phys_source s = start(dead_s);
	struct phys_load load = battery_load(ocv_V);
	struct phys_order o = {.is_relay_closed = true};

	phys_source_set_load(&s, 0, &load);
	phys_source_set_order(&s, 0, &o);
	return s;
}

static void test_physics_voltage_after_dead_time_rises_with_slope(void **state)
{
	struct phys_source s = start(1.0);
	struct phys_load load = open_load();
	struct phys_order o = target(500.0, 1.0);

	(void)state;
	phys_source_set_load(&s, 0, &load);
	phys_source_set_order(&s, 0, &o);
	phys_source_advance(&s, 1 * S);
	assert_near(s.v_out_V, 0.0, 0.01);
	phys_source_advance(&s, 2 * S);
	assert_near(s.v_out_V, 200.0, 0.5);
	phys_source_advance(&s, 4 * S);
	assert_near(s.v_out_V, 500.0, 0.01);
	assert_near(s.v_inlet_V, 500.0, 0.01);
	assert_false(s.is_moving);
}

static void test_physics_current_ramp_is_monotone_without_overshoot(void **state)
{
	struct phys_source s = on_battery(350.0, 0.0);
	struct phys_order o = target(500.0, 100.0);
	double last = 0.0;
	int64_t t;

	(void)state;
	phys_source_set_order(&s, 0, &o);
	for (t = 10 * MS; t <= 8 * S; t += 10 * MS) {
		phys_source_advance(&s, t);
		assert_true(s.i_A >= last - 1e-9);
		assert_true(s.i_A <= 100.0 + 1e-9);
		assert_true(s.i_A <= 20.0 * (double)t * 1e-6 + 1e-6);
		last = s.i_A;
	}
	assert_near(s.i_A, 100.0, 1e-6);
	assert_near(s.v_inlet_V, 358.0, 1e-6);
	assert_near(s.v_out_V, 360.0, 1e-6);
	/* A target that no step hits exactly. */
	o = target(500.0, 110.19);
	phys_source_set_order(&s, t, &o);
	for (; t <= 10 * S; t += 7 * MS) {
		phys_source_advance(&s, t);
		assert_true(s.i_A <= 110.19 + 1e-9);
	}
	assert_near(s.i_A, 110.19, 1e-9);
}

static void test_physics_ramp_integrals_are_exact(void **state)
{
	struct phys_source s = on_battery(350.0, 0.0);
	struct phys_order o = target(500.0, 100.0);
	double charge, cable;

	(void)state;
	charge = s.charge_As;
	cable = s.cable_J;
	phys_source_set_order(&s, 0, &o);
	phys_source_advance(&s, 7 * S);
	/* 5 s of ramp, 2 s level. */
	assert_near(s.charge_As - charge, 250.0 + 200.0, 1e-6);
	assert_near(s.cable_J - cable, 0.02 * (400.0 * 125.0 / 3.0 + 20000.0), 1e-6);
}

static void test_physics_lower_voltage_limit_bites_without_using_up_headroom(void **state)
{
	struct phys_source s = on_battery(350.0, 0.0);
	struct phys_order o = target(900.0, 100.0);

	(void)state;
	phys_source_set_order(&s, 0, &o);
	phys_source_advance(&s, 10 * S);
	assert_near(s.v_out_V, 360.0, 1e-6);
	o.v_V = 352.0;
	phys_source_set_order(&s, 10 * S, &o);
	phys_source_advance(&s, 10 * S + 150 * MS);
	assert_near(s.v_out_V, 352.0, 1e-6);
}

static void test_physics_current_yields_at_voltage_limit(void **state)
{
	struct phys_source s = on_battery(390.0, 0.0);
	struct phys_order o = target(395.0, 120.0);
	int64_t t;

	(void)state;
	phys_source_set_order(&s, 0, &o);
	for (t = 0; t <= 10 * S; t += 50 * MS) {
		phys_source_advance(&s, t);
		assert_true(s.v_out_V <= 395.0 + 1e-6);
	}
	assert_near(s.v_out_V, 395.0, 1e-6);
	assert_near(s.i_A, 50.0, 1e-3);
	assert_int_equal(s.bound, PHYS_BOUND_VOLTAGE);
	/* A lower limit acts at once. */
	o.v_V = 392.0;
	phys_source_set_order(&s, 10 * S, &o);
	phys_source_advance(&s, 10 * S + 500 * MS);
	assert_near(s.v_out_V, 392.0, 1e-6);
}

static void test_physics_current_yields_at_power_limit(void **state)
{
	struct phys_source s = on_battery(350.0, 0.0);
	struct phys_order o = target(500.0, 120.0);

	(void)state;
	o.p_W = 20000.0;
	phys_source_set_order(&s, 0, &o);
	phys_source_advance(&s, 20 * S);
	assert_near(s.v_out_V * s.i_A, 20000.0, 0.1);
	assert_int_equal(s.bound, PHYS_BOUND_POWER);
}

static void test_physics_diode_never_lets_battery_discharge(void **state)
{
	struct phys_source s = on_battery(390.0, 0.0);
	struct phys_order o = target(300.0, 50.0);

	(void)state;
	phys_source_set_order(&s, 0, &o);
	phys_source_advance(&s, 5 * S);
	assert_near(s.i_A, 0.0, 1e-9);
	assert_near(s.v_out_V, 390.0, 1e-9);
	o = target(300.0, -50.0);
	phys_source_set_order(&s, 5 * S, &o);
	phys_source_advance(&s, 10 * S);
	assert_near(s.i_A, 0.0, 1e-9);
}

static void test_physics_bidirectional_sign_change_passes_zero_by_ramp(void **state)
{
	struct phys_source s = on_battery(350.0, 0.0);
	struct phys_source_cfg cfg = s.cfg;
	struct phys_order o = target(500.0, 40.0);
	double last;
	int64_t t;

	(void)state;
	cfg.i_reverse_A = 200.0;
	phys_source_configure(&s, 0, &cfg);
	phys_source_set_order(&s, 0, &o);
	phys_source_advance(&s, 5 * S);
	assert_near(s.i_A, 40.0, 1e-6);
	o = target(500.0, -40.0);
	phys_source_set_order(&s, 5 * S, &o);
	for (last = s.i_A, t = 5 * S; t <= 10 * S; t += 10 * MS) {
		phys_source_advance(&s, t);
		assert_true(last - s.i_A <= 0.2 + 1e-6);
		last = s.i_A;
	}
	assert_near(s.i_A, -40.0, 1e-6);
	assert_near(s.v_out_V, 350.0 - 40.0 * 0.1, 1e-6);
	/* Towards zero at one slope, away from it at the other. */
	cfg.i_down_Aps = 80.0;
	phys_source_configure(&s, 10 * S, &cfg);
	o = target(500.0, 40.0);
	phys_source_set_order(&s, 10 * S, &o);
	phys_source_advance(&s, 11 * S);
	assert_near(s.i_A, 10.0, 1e-6); /* half a second to zero, then 20 A/s */
}

static void test_physics_window_below_battery_voltage_discharges_by_ramp(void **state)
{
	struct phys_source s = on_battery(350.0, 0.0);
	struct phys_source_cfg cfg = s.cfg;
	struct phys_order o = {
		.is_on = true, .is_relay_closed = true, .v_V = 300.0, .i_high_A = 100.0, .i_low_A = -30.0};

	(void)state;
	cfg.i_reverse_A = 200.0;
	phys_source_configure(&s, 0, &cfg);
	phys_source_set_order(&s, 0, &o);
	phys_source_advance(&s, 500 * MS);
	assert_true(s.i_A >= -10.0 - 1e-6);
	phys_source_advance(&s, 10 * S);
	assert_near(s.i_A, -30.0, 1e-6);
}

static void test_physics_bleeding_from_1000_V_is_below_20_V_within_10_s(void **state)
{
	struct phys_source s = start(0.0);
	struct phys_load load = open_load();
	struct phys_order o = target(1000.0, 1.0);

	(void)state;
	phys_source_set_load(&s, 0, &load);
	phys_source_set_order(&s, 0, &o);
	phys_source_advance(&s, 6 * S);
	assert_near(s.v_out_V, 1000.0, 0.01);
	memset(&o, 0, sizeof(o));
	o.is_relay_closed = o.is_bleeding = true;
	phys_source_set_order(&s, 6 * S, &o);
	phys_source_advance(&s, 16 * S);
	assert_true(s.v_out_V <= 20.0);
	assert_true(s.v_inlet_V <= 20.0);
}

static void test_physics_standby_floats_below_one_volt_per_second(void **state)
{
	struct phys_source s = start(0.0);
	struct phys_load load = open_load();
	struct phys_order o = target(800.0, 1.0);
	double v;
	int i;

	(void)state;
	load.g_inlet_S = 0.0; /* the charger's own action only */
	phys_source_set_load(&s, 0, &load);
	phys_source_set_order(&s, 0, &o);
	phys_source_advance(&s, 6 * S);
	o.is_on = false;
	phys_source_set_order(&s, 6 * S, &o);
	for (i = 0; i < 60; i++) {
		v = s.v_out_V;
		phys_source_advance(&s, (7 + i) * S);
		assert_true(v - s.v_out_V <= 1.0);
		assert_true(v - s.v_out_V > 0.0);
	}
}

static void test_physics_standby_on_battery_is_held_without_current(void **state)
{
	struct phys_source s = on_battery(333.0, 0.0);

	(void)state;
	phys_source_advance(&s, 3600 * (int64_t)S);
	assert_near(s.v_out_V, 333.0, 1e-9);
	assert_near(s.i_A, 0.0, 1e-9);
	/* What was booked is the output capacitor that the battery filled when the loop closed. */
	assert_near(s.charge_As, -0.333, 1e-6);
}

static void test_physics_off_on_battery_ramps_down_within_stop_time(void **state)
{
	struct phys_source s = on_battery(350.0, 0.0);
	struct phys_order o = target(500.0, 120.0);

	(void)state;
	phys_source_set_order(&s, 0, &o);
	phys_source_advance(&s, 10 * S);
	o.is_on = false;
	phys_source_set_order(&s, 10 * S, &o);
	phys_source_advance(&s, 10 * S + 150 * MS);
	assert_near(s.i_A, 60.0, 0.1);
	phys_source_advance(&s, 10 * S + 300 * MS);
	assert_near(s.i_A, 0.0, 1e-6);
	o.is_on = true;
	phys_source_set_order(&s, 11 * S, &o);
	phys_source_advance(&s, 20 * S);
	o.is_on = false;
	o.is_urgent = true;
	phys_source_set_order(&s, 20 * S, &o);
	assert_near(s.i_A, 0.0, 1e-9);
	assert_near(s.v_out_V, 350.0, 1e-9);
}

static void test_physics_steep_precharge_honours_current_limit(void **state)
{
	struct phys_source s = start(0.0);
	struct phys_source_cfg cfg = s.cfg;
	struct phys_load load = open_load();
	struct phys_order o = target(400.0, 2.0);
	int64_t t;

	(void)state;
	cfg.v_up_Vps = 1e6;
	load.c_inlet_F = 250e-6;
	phys_source_configure(&s, 0, &cfg);
	phys_source_set_load(&s, 0, &load);
	o.i_low_A = 0.0;
	phys_source_set_order(&s, 0, &o);
	for (t = 1 * MS; t < 200 * MS; t += 1 * MS) {
		phys_source_advance(&s, t);
		assert_true(s.i_A <= 2.0 + 0.5);
	}
	assert_near(s.v_out_V, 400.0, 0.01);
	/* The battery 15 V above: the limit holds in the closed loop too. */
	load = battery_load(385.0);
	phys_source_set_load(&s, 200 * MS, &load);
	for (t = 200 * MS; t < 2 * S; t += 1 * MS) {
		phys_source_advance(&s, t);
		assert_true(s.i_A <= 2.0 + 0.5);
	}
	assert_near(s.i_A, 2.0, 1e-6);
}

static void test_physics_precharge_follows_a_falling_target(void **state)
{
	struct phys_source s = start(0.0);
	struct phys_load load = open_load();
	struct phys_order o = target(400.0, 2.0);

	(void)state;
	phys_source_set_load(&s, 0, &load);
	phys_source_set_order(&s, 0, &o);
	phys_source_advance(&s, 3 * S);
	o.v_V = 300.0;
	phys_source_set_order(&s, 3 * S, &o);
	phys_source_advance(&s, 4 * S + 10 * MS);
	assert_near(s.v_out_V, 300.0, 0.01);
}

static void test_physics_load_vanishing_leaves_no_current_and_reference_restarts(void **state)
{
	struct phys_source s = on_battery(350.0, 0.0);
	struct phys_order o = target(900.0, 100.0);
	struct phys_load load = open_load();

	(void)state;
	phys_source_set_order(&s, 0, &o);
	phys_source_advance(&s, 10 * S);
	phys_source_set_load(&s, 10 * S, &load);
	assert_near(s.i_A, 0.0, 1e-9);
	phys_source_advance(&s, 10 * S + 100 * MS);
	assert_true(s.v_out_V < 360.0 + 200.0 * 0.1 + 1.0);
}

static void test_physics_relay_opened_under_load_is_counted(void **state)
{
	struct phys_source s = on_battery(350.0, 0.0);
	struct phys_order o = target(500.0, 100.0);

	(void)state;
	phys_source_set_order(&s, 0, &o);
	phys_source_advance(&s, 10 * S);
	o.is_on = o.is_relay_closed = false;
	phys_source_set_order(&s, 10 * S, &o);
	assert_int_equal(s.n_relay_opened_loaded, 1);
	assert_near(s.worst_relay_open_A, 100.0, 1e-6);
	assert_near(s.i_A, 0.0, 1e-9);
}

static void test_physics_result_is_independent_of_step_size(void **state)
{
	static const int64_t steps_us[] = {1 * MS, 7 * MS, 20 * MS, 100 * MS, 333 * MS, 1 * S};
	double charge = 0.0, energy = 0.0;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(steps_us) / sizeof(steps_us[0]); i++) {
		struct phys_source s = on_battery(350.0, 1.0);
		struct phys_order o = target(362.0, 200.0);
		int64_t t;

		phys_source_set_order(&s, 0, &o);
		for (t = 0; t < 30 * S; t += steps_us[i])
			phys_source_advance(&s, t);
		phys_source_advance(&s, 30 * S);
		o.is_on = false;
		phys_source_set_order(&s, 30 * S, &o);
		for (t = 30 * S; t < 40 * S; t += steps_us[i])
			phys_source_advance(&s, t);
		phys_source_advance(&s, 40 * S);
		if (i == 0) {
			charge = s.charge_As;
			energy = s.out_J;
		}
		assert_near(s.charge_As, charge, fabs(charge) * 1e-4);
		assert_near(s.out_J, energy, energy * 1e-4);
		assert_near(s.out_J, s.cable_J + s.inlet_J, 1e-6 * energy);
	}
}

static void test_physics_absurd_step_is_stable(void **state)
{
	struct phys_source s = on_battery(350.0, 1.0);
	struct phys_order o = target(362.0, 200.0);

	(void)state;
	phys_source_set_order(&s, 0, &o);
	phys_source_advance(&s, 100000 * (int64_t)S);
	assert_near(s.i_A, 120.0, 1e-3);
	phys_source_advance(&s, 5);
	assert_int_equal(s.t_us, 100000 * (int64_t)S);
}

static void test_physics_source_and_battery_energies_agree(void **state)
{
	struct phys_battery_cfg cfg = {
		.capacity_Wh = 75530.0, .r_ohm = 0.08, .i_charge_A = 120.0, .speed = 1.0};
	struct phys_source s = on_battery(300.0, 1.0);
	struct phys_order o = target(500.0, 120.0);
	struct phys_load load;
	struct phys_battery b;
	double base, soc0;
	int64_t t;

	(void)state;
	phys_battery_linear(&cfg, 274.0, 400.0);
	phys_battery_init(&b, &cfg, 0.30);
	soc0 = b.soc;
	load = battery_load(b.ocv_V);
	phys_source_set_load(&s, 0, &load);
	phys_source_set_order(&s, 0, &o);
	base = s.charge_As;
	s.out_J = s.cable_J = s.inlet_J = 0.0;
	for (t = 100 * MS; t <= 1800 * (int64_t)S; t += 100 * MS) {
		phys_source_advance(&s, t);
		phys_battery_charge(&b, s.charge_As - base, s.i_A);
		base = s.charge_As;
		load.ocv_V = b.ocv_V;
		phys_source_set_load(&s, t, &load);
	}
	assert_near(s.out_J, s.cable_J + b.loss_J + b.chemical_J, s.out_J * 1e-4);
	assert_near(s.inlet_J, b.loss_J + b.chemical_J, s.out_J * 1e-4);
	assert_near((b.soc - soc0) * cfg.capacity_Wh * 3600.0, b.chemical_J, b.chemical_J * 1e-6);
}

static void test_physics_battery_tapers_at_its_limit_and_speed_scales_soc_only(void **state)
{
	struct phys_battery_cfg cfg = {.capacity_Wh = 1000.0,
				       .r_ohm = 0.1,
				       .i_charge_A = 120.0,
				       .i_discharge_A = 50.0,
				       .v_limit_V = 400.0,
				       .v_floor_V = 300.0,
				       .speed = 10.0};
	struct phys_battery b;

	(void)state;
	phys_battery_linear(&cfg, 300.0, 400.0);
	phys_battery_init(&b, &cfg, 0.5);
	assert_near(phys_battery_charge_limit_A(&b), 120.0, 1e-9);
	phys_battery_charge(&b, 36.0, 100.0);
	assert_near(b.chemical_J, 36.0 * 350.0, 1e-6);
	assert_near(b.soc, 0.5 + 10.0 * 36.0 * 350.0 / 3.6e6, 1e-9);
	phys_battery_set_soc(&b, 0.95);
	assert_near(phys_battery_charge_limit_A(&b), 50.0, 1e-6);
	phys_battery_set_soc(&b, 1.0);
	assert_near(phys_battery_charge_limit_A(&b), 0.0, 1e-9);
	phys_battery_set_soc(&b, 0.02);
	assert_near(phys_battery_discharge_limit_A(&b), 20.0, 1e-6);
	phys_battery_set_soc(&b, -1.0);
	assert_near(phys_battery_discharge_limit_A(&b), 0.0, 1e-9);
}

static void test_contactor_follows_after_delay_and_records_load(void **state)
{
	struct phys_contactor c;

	(void)state;
	phys_contactor_init(&c, 600 * MS);
	phys_contactor_command(&c, 0, true);
	assert_false(phys_contactor_advance(&c, 599 * MS, 0.0, 12.0));
	assert_true(phys_contactor_advance(&c, 600 * MS, 0.0, 12.0));
	assert_true(c.is_closed);
	assert_near(c.worst_join_V, 12.0, 1e-9);
	phys_contactor_command(&c, 1 * S, false);
	phys_contactor_command(&c, 1 * S + 100 * MS, true);
	assert_false(phys_contactor_advance(&c, 3 * S, 0.0, 0.0));
	assert_true(c.is_closed);
	c.is_welded = true;
	phys_contactor_command(&c, 3 * S, false);
	assert_false(phys_contactor_advance(&c, 5 * S, 80.0, 0.0));
	c.is_welded = false;
	assert_true(phys_contactor_advance(&c, 6 * S, 80.0, 0.0));
	assert_int_equal(c.n_opened_loaded, 1);
	assert_near(c.worst_open_A, 80.0, 1e-9);
}

static void test_physics_full_power_heats_with_its_time_constant(void **state)
{
	struct phys_source s = on_battery(400.0, 0.0);
	struct phys_order o = target(1000.0, 500.0);
	int64_t t;

	(void)state;
	phys_source_set_order(&s, 0, &o);
	for (t = 0; t <= 1200 * (int64_t)S; t += 100 * MS)
		phys_source_advance(&s, t);
	assert_near(s.v_out_V * s.i_A, 150e3, 1.0);
	assert_near(s.temp_degC, 60.0, 0.1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_physics_voltage_after_dead_time_rises_with_slope),
		cmocka_unit_test(test_physics_current_ramp_is_monotone_without_overshoot),
		cmocka_unit_test(test_physics_ramp_integrals_are_exact),
		cmocka_unit_test(test_physics_lower_voltage_limit_bites_without_using_up_headroom),
		cmocka_unit_test(test_physics_current_yields_at_voltage_limit),
		cmocka_unit_test(test_physics_current_yields_at_power_limit),
		cmocka_unit_test(test_physics_diode_never_lets_battery_discharge),
		cmocka_unit_test(test_physics_bidirectional_sign_change_passes_zero_by_ramp),
		cmocka_unit_test(test_physics_window_below_battery_voltage_discharges_by_ramp),
		cmocka_unit_test(test_physics_bleeding_from_1000_V_is_below_20_V_within_10_s),
		cmocka_unit_test(test_physics_standby_floats_below_one_volt_per_second),
		cmocka_unit_test(test_physics_standby_on_battery_is_held_without_current),
		cmocka_unit_test(test_physics_off_on_battery_ramps_down_within_stop_time),
		cmocka_unit_test(test_physics_steep_precharge_honours_current_limit),
		cmocka_unit_test(test_physics_precharge_follows_a_falling_target),
		cmocka_unit_test(test_physics_load_vanishing_leaves_no_current_and_reference_restarts),
		cmocka_unit_test(test_physics_relay_opened_under_load_is_counted),
		cmocka_unit_test(test_physics_result_is_independent_of_step_size),
		cmocka_unit_test(test_physics_absurd_step_is_stable),
		cmocka_unit_test(test_physics_source_and_battery_energies_agree),
		cmocka_unit_test(test_physics_battery_tapers_at_its_limit_and_speed_scales_soc_only),
		cmocka_unit_test(test_contactor_follows_after_delay_and_records_load),
		cmocka_unit_test(test_physics_full_power_heats_with_its_time_constant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
