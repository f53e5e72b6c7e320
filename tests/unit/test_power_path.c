/* SPDX-License-Identifier: MIT */
/*
 * Tests of the power path: the simulated power stack and the simulated vehicle joined by frames in virtual time,
 * with a small host on each side that refreshes its commands every 100 ms.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <forecourt/units.h>

#include "sim/sim_stack.h"
#include "sim/sim_vehicle.h"

#define MS	    ((int64_t)FC_US_PER_MS)
#define S	    ((int64_t)FC_US_PER_S)
#define N_IN_FLIGHT 16

struct pair {
	struct sim_stack stack;
	struct sim_vehicle vehicle;
	struct forecourt_host host_stack, host_vehicle;
	const struct power_module_ops *pm;
	const struct vehicle_hw_ops *vh;
	struct pm_setpoint sp;
	struct vh_command cmd;
	struct pm_status st;
	struct vh_status vst;
	struct can_frame flight[N_IN_FLIGHT]; /* delivered at the end of the event */
	unsigned n_flight;
	unsigned loss_percent;
	uint32_t seed;
	unsigned n_sent, n_lost;
	int64_t now_us, host_us;
	int32_t i_max_mA; /* largest set point: invariant */
};

static void quiet(void *ctx, int32_t level, const char *text)
{
	(void)ctx;
	(void)level;
	(void)text;
}

static int32_t post(void *ctx, uint32_t bus, const struct can_frame *f)
{
	struct pair *p = ctx;

	(void)bus;
	p->n_sent++;
	p->seed = p->seed * 1664525u + 1013904223u;
	if ((p->seed >> 8) % 100 < p->loss_percent) {
		p->n_lost++;
		return 0;
	}
	assert_true(p->n_flight < N_IN_FLIGHT);
	p->flight[p->n_flight++] = *f;
	return 0;
}

static void deliver(struct pair *p)
{
	unsigned i;

	for (i = 0; i < p->n_flight; i++) {
		p->pm->rx(&p->stack, p->now_us, 0, &p->flight[i]);
		p->vh->rx(&p->vehicle, p->now_us, 0, &p->flight[i]);
	}
	p->n_flight = 0;
}

static void pair_start(struct pair *p, const struct forecourt_kv *kv_stack, uint32_t n_stack,
		       const struct forecourt_kv *kv_vehicle, uint32_t n_vehicle)
{
	struct forecourt_host host = {.size = sizeof(host), .index = 1, .ctx = p, .log = quiet, .send = post};
	char err[160];

	memset(p, 0, sizeof(*p));
	p->seed = 4711;
	p->host_stack = p->host_vehicle = host;
	p->host_vehicle.index = 0;
	p->pm = sim_stack_plugin.ops;
	p->vh = sim_vehicle_plugin.ops;
	p->st.size = sizeof(p->st);
	p->vst.size = sizeof(p->vst);
	p->i_max_mA = 2000;
	assert_int_equal(p->pm->init(&p->stack, &p->host_stack, kv_stack, n_stack, 0, err, sizeof(err)), 0);
	assert_int_equal(
		p->vh->init(&p->vehicle, &p->host_vehicle, kv_vehicle, n_vehicle, 0, err, sizeof(err)), 0);
}

static void hosts(struct pair *p)
{
	p->sp.size = sizeof(p->sp);
	p->sp.valid_until_us = p->now_us + 400 * MS;
	p->sp.seq++;
	p->pm->set(&p->stack, p->now_us, &p->sp);
	p->cmd.size = sizeof(p->cmd);
	p->cmd.valid_until_us = p->now_us + 400 * MS;
	p->cmd.is_in_session = p->cmd.phase != VH_PHASE_IDLE;
	p->vh->set(&p->vehicle, p->now_us, &p->cmd);
	p->pm->status(&p->stack, p->now_us, &p->st);
	p->vh->status(&p->vehicle, p->now_us, &p->vst);
}

static void pair_run(struct pair *p, int64_t for_us)
{
	int64_t end_us = p->now_us + for_us;

	while (p->now_us < end_us) {
		int64_t next = fc_min_i64(end_us, p->host_us);

		next = fc_min_i64(next, p->pm->next_us(&p->stack));
		next = fc_min_i64(next, p->vh->next_us(&p->vehicle));
		if (next > p->now_us)
			p->now_us = next;
		p->pm->tick(&p->stack, p->now_us);
		p->vh->tick(&p->vehicle, p->now_us);
		deliver(p);
		if (p->now_us >= p->host_us) {
			hosts(p);
			p->host_us = p->now_us + 100 * MS;
		}
		assert_true(fc_abs_i32(p->stack.i_mA) <= p->i_max_mA + 500);
	}
	p->pm->status(&p->stack, p->now_us, &p->st);
	p->vh->status(&p->vehicle, p->now_us, &p->vst);
}

static void order(struct pair *p, int32_t mode, int32_t v_mV, int32_t i_mA)
{
	p->sp.mode = mode;
	p->sp.v_mV = v_mV;
	p->sp.i_max_mA = p->sp.i_min_mA = i_mA;
	p->sp.is_closed = 1;
	p->sp.is_bleeding = 0;
	p->i_max_mA = fc_max_i32(p->i_max_mA, fc_abs_i32(i_mA));
}

static void command(struct pair *p, int32_t phase, int32_t is_closed)
{
	p->cmd.phase = phase;
	p->cmd.is_closed = is_closed;
}

/* Plug, wake, insulation test, lowering, precharge, close: ready for transfer. */
static void pair_precharge(struct pair *p)
{
	command(p, VH_PHASE_CONNECTED, 0);
	order(p, PM_STANDBY, 0, 0);
	pair_run(p, 2 * S);
	assert_true(p->st.is_ready);
	command(p, VH_PHASE_INSULATION, 0);
	order(p, PM_INSULATION_TEST, 500000, 0);
	pair_run(p, 5 * S);
	assert_in_range(p->st.v_mV, 495000, 505000);
	assert_in_range(p->vst.inlet_mV, 495000, 505000);
	order(p, PM_STANDBY, 0, 0);
	p->sp.is_bleeding = 1;
	pair_run(p, 5500 * MS);
	assert_true(p->vst.inlet_mV <= 20000);
	command(p, VH_PHASE_PRECHARGE, 0);
	order(p, PM_PRECHARGE, p->vst.battery_mV, 2000);
	p->sp.i_min_mA = 0;
	pair_run(p, 4 * S);
	assert_true(fc_abs_i32(p->vst.inlet_mV - p->vst.battery_mV) <= 5000);
	command(p, VH_PHASE_PRECHARGE, 1);
	pair_run(p, 1 * S);
	assert_int_equal(p->vst.is_closed, 1);
	order(p, PM_STANDBY, 0, 0);
	pair_run(p, 1 * S);
	assert_true(fc_abs_i32(p->st.v_mV - p->vst.battery_mV) <= 1000);
}

/* Current to zero, vehicle opens, charger opens and lowers. */
static void pair_stop(struct pair *p)
{
	command(p, VH_PHASE_ENDING, 1);
	order(p, PM_STANDBY, 0, 0);
	pair_run(p, 1 * S);
	assert_true(fc_abs_i32(p->vst.current_mA) < 1000);
	command(p, VH_PHASE_ENDING, 0);
	pair_run(p, 1 * S);
	assert_int_equal(p->vst.is_closed, 0);
	p->sp.is_closed = 0;
	pair_run(p, 500 * MS);
	assert_int_equal(p->st.is_closed, 0);
	p->sp.is_bleeding = 1;
	pair_run(p, 5 * S);
	assert_true(p->st.v_mV <= 20000);
	assert_true(p->vst.inlet_mV <= 20000);
	order(p, PM_OFF, 0, 0);
	p->sp.is_closed = 0;
	command(p, VH_PHASE_IDLE, 0);
	pair_run(p, 1 * S);
	assert_true(p->st.is_off_confirmed);
}

/* Charger's meter = cable loss + battery (stored and lost), within permille_x100 (100 is 1 permille). */
static void assert_balance(const struct pair *p, int64_t permille_x100)
{
	int64_t out = sim_stack_energy_uWh(&p->stack);
	int64_t in = sim_stack_cable_loss_uWh(&p->stack) + sim_vehicle_energy_uWh(&p->vehicle);
	int64_t magnitude = out < 0 ? -out : out;

	assert_true(magnitude > 1000000);
	if (llabs(out - in) > magnitude * permille_x100 / 100000)
		fail_msg("out %lld uWh, arrived %lld uWh", (long long)out, (long long)in);
}

static void assert_no_arcs(const struct pair *p)
{
	assert_int_equal(sim_stack_physics(&p->stack)->n_relay_opened_loaded, 0);
	assert_int_equal(sim_vehicle_contactor(&p->vehicle)->n_opened_loaded, 0);
	assert_true(sim_vehicle_contactor(&p->vehicle)->worst_join_V <= 20.0);
}

static void test_path_full_session_agrees_on_both_sides(void **state)
{
	struct pair p;
	double soc;

	(void)state;
	pair_start(&p, NULL, 0, NULL, 0);
	pair_precharge(&p);
	soc = p.vehicle.battery.soc;
	command(&p, VH_PHASE_TRANSFER, 1);
	order(&p, PM_TRANSFER, 500000, 120000);
	pair_run(&p, 10 * S);
	assert_in_range(p.st.i_mA, 119900, 120100);
	assert_in_range(p.vst.current_mA, 119900, 120100);
	/* The charger sees the battery's terminals plus its own cable. */
	assert_true(fc_abs_i32(p.st.v_mV - p.vst.inlet_mV - 2400) <= 200);
	assert_int_equal(p.vst.inlet_mV, p.vst.battery_mV);
	pair_run(&p, 1790 * S);
	pair_stop(&p);
	assert_balance(&p, 50); /* 0.05 % */
	assert_no_arcs(&p);
	/* 120 A for 1794 s at about 320 V are some 19.4 kWh. */
	assert_in_range(sim_stack_energy_uWh(&p.stack) / 1000000, 18500, 20500);
	assert_true(soc < 0.301 && soc > 0.299);
}

static void test_path_short_session_with_ramps_balances(void **state)
{
	struct pair p;
	int i;

	(void)state;
	pair_start(&p, NULL, 0, NULL, 0);
	pair_precharge(&p);
	command(&p, VH_PHASE_TRANSFER, 1);
	for (i = 0; i < 20; i++) {
		order(&p, PM_TRANSFER, 500000, i % 2 ? 20000 : 100000);
		pair_run(&p, 3 * S);
	}
	pair_stop(&p);
	assert_balance(&p, 100); /* 0.1 %: nothing but ramps */
	assert_no_arcs(&p);
}

static void test_path_losing_30_percent_of_frames_still_balances(void **state)
{
	struct pair p;
	double counted;

	(void)state;
	pair_start(&p, NULL, 0, NULL, 0);
	pair_precharge(&p);
	command(&p, VH_PHASE_TRANSFER, 1);
	order(&p, PM_TRANSFER, 500000, 100000);
	p.loss_percent = 30;
	pair_run(&p, 600 * S);
	p.loss_percent = 0;
	pair_stop(&p);
	assert_in_range(p.n_lost * 100 / p.n_sent, 25, 33);
	counted = sim_stack_physics(&p.stack)->charge_As - sim_vehicle_battery(&p.vehicle)->charge_As;
	/* Not one count lost; what differs is the output capacitor's charge before the first frame counted. */
	assert_true(counted < 0.7 && counted > -0.7);
	assert_balance(&p, 200);
	assert_int_equal(p.vehicle.meter.n_rebased, 0);
	assert_int_equal(sim_vehicle_contactor(&p.vehicle)->n_opened_loaded, 0);
}

static void test_path_discharge_balances_with_negative_sign(void **state)
{
	struct forecourt_kv kv = {"bidirectional", "yes"};
	struct forecourt_kv soc = {"ev_battery_soc", "80"};
	struct pair p;
	double before;

	(void)state;
	pair_start(&p, &kv, 1, &soc, 1);
	pair_precharge(&p);
	before = p.vehicle.battery.soc;
	command(&p, VH_PHASE_TRANSFER, 1);
	order(&p, PM_TRANSFER, 500000, -50000);
	pair_run(&p, 600 * S);
	assert_in_range(-p.st.i_mA, 49900, 50100);
	assert_in_range(-p.vst.current_mA, 49900, 50100);
	assert_true(p.st.v_mV < p.vst.inlet_mV);
	assert_true(p.vehicle.battery.soc < before - 0.03);
	pair_stop(&p);
	assert_true(sim_stack_energy_uWh(&p.stack) < 0);
	assert_balance(&p, 50);
	assert_no_arcs(&p);
}

static void test_path_taper_ends_full_without_passing_the_limit(void **state)
{
	struct forecourt_kv kv[] = {{"ev_battery_soc", "85"}, {"charging_speed_multiplier", "20"}};
	struct pair p;
	int32_t worst = 0;
	int i;

	(void)state;
	pair_start(&p, NULL, 0, kv, 2);
	pair_precharge(&p);
	command(&p, VH_PHASE_TRANSFER, 1);
	for (i = 0; i < 6000 && !p.vst.stop_request; i++) {
		order(&p, PM_TRANSFER, 500000, p.vst.i_charge_max_mA);
		pair_run(&p, 100 * MS);
		worst = fc_max_i32(worst, p.vst.battery_mV);
	}
	assert_int_equal(p.vst.stop_request, 1);
	assert_true(p.vst.soc_permille >= 995);
	assert_in_range(worst, 399000, 401500);
	assert_int_equal(p.vst.faults, 0);
	pair_stop(&p);
	assert_no_arcs(&p);
}

static void test_path_emergency_opening_under_load_is_recorded_and_stops_current(void **state)
{
	struct pair p;

	(void)state;
	pair_start(&p, NULL, 0, NULL, 0);
	pair_precharge(&p);
	command(&p, VH_PHASE_TRANSFER, 1);
	order(&p, PM_TRANSFER, 400000, 100000);
	pair_run(&p, 10 * S);
	command(&p, VH_PHASE_ENDING, 0);
	p.cmd.is_urgent = 1;
	pair_run(&p, 800 * MS);
	assert_int_equal(p.vst.is_closed, 0);
	assert_int_equal(p.vst.current_mA, 0);
	assert_true(p.st.i_mA < 100);
	assert_int_equal(sim_vehicle_contactor(&p.vehicle)->n_opened_loaded, 1);
	pair_run(&p, 5 * S);
	assert_true(p.st.v_mV <= 404000); /* rises to its limit, not beyond */
	assert_balance(&p, 100);
}

static void test_path_replugging_starts_a_second_session(void **state)
{
	struct pair p;
	int i;

	(void)state;
	pair_start(&p, NULL, 0, NULL, 0);
	for (i = 0; i < 2; i++) {
		pair_precharge(&p);
		command(&p, VH_PHASE_TRANSFER, 1);
		order(&p, PM_TRANSFER, 500000, 60000);
		pair_run(&p, 60 * S);
		pair_stop(&p);
		assert_int_equal(p.vst.soc_permille, 300);
	}
	assert_balance(&p, 100);
	assert_no_arcs(&p);
}

static void test_path_vehicle_process_ending_stops_the_charger(void **state)
{
	struct pair p;
	int64_t end_us;

	(void)state;
	pair_start(&p, NULL, 0, NULL, 0);
	pair_precharge(&p);
	command(&p, VH_PHASE_TRANSFER, 1);
	order(&p, PM_TRANSFER, 500000, 100000);
	pair_run(&p, 10 * S);
	end_us = p.now_us + 700 * MS;
	for (; p.now_us < end_us; p.now_us += 50 * MS) {
		p.sp.valid_until_us = p.now_us + 400 * MS;
		p.pm->set(&p.stack, p.now_us, &p.sp);
		p.pm->tick(&p.stack, p.now_us);
		p.n_flight = 0;
	}
	p.pm->status(&p.stack, p.now_us, &p.st);
	assert_int_equal(p.st.i_mA, 0);
}

static uint32_t counter_of(double charge_As)
{
	struct phys_source s;
	struct path_source_data data;
	struct can_frame f;

	memset(&s, 0, sizeof(s));
	s.charge_As = charge_As;
	s.i_A = -12.34;
	s.v_inlet_V = 432.1;
	path_source_frame(&s, 5, &f);
	assert_true(path_source_read(&f, 5, &data));
	assert_true(data.current_A < -12.33 && data.current_A > -12.35);
	assert_true(data.inlet_V > 432.0 && data.inlet_V < 432.2);
	return data.counter;
}

static void test_path_counter_rounds_down_and_wraps_both_ways(void **state)
{
	struct path_meter m;
	int64_t tenths = 0;
	double q;
	int i;

	(void)state;
	assert_int_equal(counter_of(0.19), 1);
	assert_int_equal(counter_of(-0.01), 0xFFFFFF);
	assert_int_equal(counter_of(1677721.6), 0);
	memset(&m, 0, sizeof(m));
	assert_true(path_meter_charge_As(&m, 0, counter_of(1677700.0)) == 0.0);
	for (i = 1, q = 1677700.0; i <= 20; i++) {
		q += 3.75;
		tenths += (int64_t)(path_meter_charge_As(&m, i * 100 * MS, counter_of(q)) * 10.0 + 0.5);
	}
	assert_int_equal(tenths, 750);
	for (; i <= 60; i++) {
		q -= 3.75;
		tenths -= (int64_t)(path_meter_charge_As(&m, i * 100 * MS, counter_of(q)) * -10.0 + 0.5);
	}
	assert_int_equal(tenths, -750);
	assert_int_equal(m.n_rebased, 0);
}

static void test_path_load_frame_survives_extremes(void **state)
{
	struct path_load_data in = {true, true, 812.3, 0.0, 1.0, 100000}, out;
	struct phys_load load;
	struct can_frame f;

	(void)state;
	path_load_frame(&in, 15, &f);
	assert_false(path_load_read(&f, 14, &out));
	assert_true(path_load_read(&f, 15, &out));
	assert_true(out.r_ohm > 0.0);
	assert_true(out.c_inlet_F < 256e-6);
	assert_int_equal(out.insulation_kohm, PATH_INSULATION_OPEN);
	memset(f.data, 0, 8);
	assert_true(path_load_read(&f, 15, &out));
	path_load_apply(&out, &load);
	assert_true(load.r_ohm > 0.0);
	assert_false(load.is_closed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path_full_session_agrees_on_both_sides),
		cmocka_unit_test(test_path_short_session_with_ramps_balances),
		cmocka_unit_test(test_path_losing_30_percent_of_frames_still_balances),
		cmocka_unit_test(test_path_discharge_balances_with_negative_sign),
		cmocka_unit_test(test_path_taper_ends_full_without_passing_the_limit),
		cmocka_unit_test(test_path_emergency_opening_under_load_is_recorded_and_stops_current),
		cmocka_unit_test(test_path_replugging_starts_a_second_session),
		cmocka_unit_test(test_path_vehicle_process_ending_stops_the_charger),
		cmocka_unit_test(test_path_counter_rounds_down_and_wraps_both_ways),
		cmocka_unit_test(test_path_load_frame_survives_extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
