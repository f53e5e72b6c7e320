/* SPDX-License-Identifier: MIT */
/* Tests of the simulated vehicle: contactors, imagined charger, BMS, dead man, faults, options. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/sim_vehicle.h"

#define MS ((int64_t)FC_US_PER_MS)
#define S  ((int64_t)FC_US_PER_S)

struct bench {
	struct sim_vehicle vehicle;
	struct forecourt_host host;
	const struct vehicle_hw_ops *ops;
	struct vh_command cmd;
	struct vh_status st;
	struct phys_source charger; /* only its inlet, current and charge are sent */
	bool has_charger, is_refreshing;
	int64_t now_us, last_tx_us;
	unsigned n_tx;
	struct path_load_data last;
};

static void bench_log(void *ctx, int32_t level, const char *text)
{
	(void)ctx;
	(void)level;
	(void)text;
}

static int32_t bench_send(void *ctx, uint32_t bus, const struct can_frame *f)
{
	struct bench *b = ctx;

	assert_int_equal(bus, 0);
	assert_true(path_load_read(f, 1, &b->last));
	b->n_tx++;
	b->last_tx_us = b->now_us;
	return 0;
}

static void bench_start_with(struct bench *b, const struct forecourt_kv *kv, uint32_t n_kv)
{
	char err[160];

	memset(b, 0, sizeof(*b));
	b->ops = sim_vehicle_plugin.ops;
	b->host.size = sizeof(b->host);
	b->host.ctx = b;
	b->host.log = bench_log;
	b->host.send = bench_send;
	b->is_refreshing = true;
	b->st.size = sizeof(b->st);
	assert_int_equal(b->ops->init(&b->vehicle, &b->host, kv, n_kv, 0, err, sizeof(err)), 0);
}

static void bench_start(struct bench *b)
{
	bench_start_with(b, NULL, 0);
}

static void bench_run(struct bench *b, int64_t for_us)
{
	int64_t end_us = b->now_us + for_us;

	while (b->now_us < end_us) {
		struct can_frame f;

		b->now_us += 10 * MS;
		if (b->has_charger && b->now_us % (100 * MS) == 0) {
			b->charger.charge_As += b->charger.i_A * 0.1;
			path_source_frame(&b->charger, 1, &f);
			b->ops->rx(&b->vehicle, b->now_us, 0, &f);
		}
		if (b->is_refreshing && b->now_us % (100 * MS) == 0) {
			b->cmd.size = sizeof(b->cmd);
			b->cmd.valid_until_us = b->now_us + 400 * MS;
			b->cmd.is_in_session = b->cmd.phase != VH_PHASE_IDLE;
			b->ops->set(&b->vehicle, b->now_us, &b->cmd);
		}
		if (b->ops->next_us(&b->vehicle) <= b->now_us) {
			b->ops->tick(&b->vehicle, b->now_us);
			assert_true(b->ops->next_us(&b->vehicle) > b->now_us);
		}
	}
	b->ops->status(&b->vehicle, b->now_us, &b->st);
	assert_true(b->st.t_vi_us <= b->now_us);
}

static void bench_phase(struct bench *b, int32_t phase, int32_t is_closed)
{
	b->cmd.phase = phase;
	b->cmd.is_closed = is_closed;
}

static void bench_live(struct bench *b, const char *key, const char *value)
{
	char answer[160];

	assert_int_equal(b->ops->live(&b->vehicle, b->now_us, key, value, answer, sizeof(answer)), 0);
}

/* Plugged in, contactors closed, the charger pushes i_A. */
static void bench_charge(struct bench *b, double i_A)
{
	b->has_charger = true;
	bench_phase(b, VH_PHASE_CONNECTED, 0);
	bench_run(b, 500 * MS);
	bench_phase(b, VH_PHASE_PRECHARGE, 1);
	b->charger.v_inlet_V = 312.0;
	bench_run(b, 1 * S);
	bench_phase(b, VH_PHASE_TRANSFER, 1);
	b->charger.i_A = i_A;
	bench_run(b, 1 * S);
}

static void test_vehicle_starts_with_vendor_battery(void **state)
{
	struct vh_caps caps = {.size = sizeof(caps)};
	struct bench b;

	(void)state;
	bench_start(&b);
	bench_run(&b, 1 * S);
	assert_int_equal(b.st.soc_permille, 300);
	assert_int_equal(b.st.battery_mV, 311800);
	assert_int_equal(b.st.capacity_Wh, 75530);
	assert_int_equal(b.st.i_charge_max_mA, 120000);
	assert_int_equal(b.st.energy_target_Wh, 60424);
	assert_int_equal(b.st.energy_max_Wh, 75530);
	assert_int_equal(b.st.energy_min_Wh, 22659);
	assert_int_equal(b.st.departure_s, 86400);
	assert_int_equal(b.st.is_hv_ready, 1);
	assert_int_equal(b.st.is_closed, 0);
	assert_int_equal(b.st.faults, 0);
	b.ops->caps(&b.vehicle, &caps);
	assert_int_equal(caps.v_max_mV, 400000);
	assert_int_equal(caps.contactor_delay_us, 600 * MS);
	assert_false(b.last.is_present);
}

static void test_vehicle_without_charger_behaves_as_vendor_simulator(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b);
	bench_phase(&b, VH_PHASE_CONNECTED, 0);
	bench_run(&b, 1 * S);
	bench_phase(&b, VH_PHASE_INSULATION, 0);
	bench_run(&b, 5 * S);
	assert_int_equal(b.st.inlet_mV, 0);
	bench_phase(&b, VH_PHASE_PRECHARGE, 0);
	bench_run(&b, 1000 * MS);
	assert_in_range(b.st.inlet_mV, 0, 1000);
	bench_run(&b, 1000 * MS);
	assert_in_range(b.st.inlet_mV, 170000, 200000); /* 1 s dead, then 200 V/s */
	bench_run(&b, 1 * S);
	assert_int_equal(b.st.inlet_mV, 311800);
	bench_phase(&b, VH_PHASE_PRECHARGE, 1);
	bench_run(&b, 500 * MS);
	assert_int_equal(b.st.is_closed, 0);
	bench_run(&b, 300 * MS);
	assert_int_equal(b.st.is_closed, 1);
	bench_phase(&b, VH_PHASE_TRANSFER, 1);
	b.cmd.i_request_mA = 60000;
	bench_run(&b, 2 * S);
	assert_in_range(b.st.current_mA, 15000, 21000);
	bench_run(&b, 4 * S);
	assert_int_equal(b.st.current_mA, 60000);
	assert_int_equal(b.st.inlet_mV, b.st.battery_mV);
	assert_in_range(b.st.battery_mV, 311800 + 4800, 311800 + 4900);
	bench_run(&b, 600 * S);
	assert_true(b.st.soc_permille > 340);
	bench_phase(&b, VH_PHASE_ENDING, 1);
	bench_run(&b, 1 * S);
	assert_int_equal(b.st.current_mA, 0);
	bench_phase(&b, VH_PHASE_ENDING, 0);
	bench_run(&b, 1 * S);
	assert_int_equal(b.st.is_closed, 0);
	assert_int_equal(b.st.inlet_mV, 0);
	bench_phase(&b, VH_PHASE_IDLE, 0);
	bench_run(&b, 200 * MS);
	assert_int_equal(b.st.soc_permille, 300); /* restored between sessions */
}

static void test_vehicle_contactors_follow_after_delay_and_tell_the_charger_at_once(void **state)
{
	struct forecourt_kv kv = {"contactors_delay", "0.65"}; /* off the grid of the cyclic frames */
	struct bench b;
	int64_t commanded;

	(void)state;
	bench_start_with(&b, &kv, 1);
	b.has_charger = true;
	bench_phase(&b, VH_PHASE_CONNECTED, 0);
	bench_run(&b, 1 * S);
	assert_true(b.last.is_present);
	bench_phase(&b, VH_PHASE_PRECHARGE, 1);
	bench_run(&b, 100 * MS);
	commanded = b.now_us;
	while (!b.last.is_closed)
		bench_run(&b, 10 * MS);
	assert_in_range(b.last_tx_us - commanded, 640 * MS, 660 * MS);
	while (b.now_us % (100 * MS) != 0)
		bench_run(&b, 10 * MS);
	bench_phase(&b, VH_PHASE_ENDING, 0);
	bench_run(&b, 100 * MS);
	commanded = b.now_us;
	while (b.last.is_closed)
		bench_run(&b, 10 * MS);
	assert_in_range(b.last_tx_us - commanded, 640 * MS, 660 * MS);
}

static void test_vehicle_charge_comes_from_the_counter(void **state)
{
	struct bench b;
	double start;

	(void)state;
	bench_start(&b);
	bench_charge(&b, 100.0);
	assert_int_equal(b.st.current_mA, 100000);
	assert_int_equal(b.st.inlet_mV, b.st.battery_mV);
	start = b.vehicle.battery.charge_As;
	bench_run(&b, 100 * S);
	assert_in_range((int64_t)(b.vehicle.battery.charge_As - start + 0.5), 9999, 10001);
	/* A lost second is caught up by the next frame. */
	b.has_charger = false;
	b.charger.charge_As += 100.0 * 0.4;
	bench_run(&b, 400 * MS);
	b.has_charger = true;
	bench_run(&b, 1 * S);
	assert_in_range((int64_t)(b.vehicle.battery.charge_As - start + 0.5), 10139, 10141);
	/* A restarted charger does not add its fresh counter. */
	b.charger.charge_As = 500000.0;
	start = b.vehicle.battery.charge_As;
	bench_run(&b, 100 * MS);
	assert_int_equal((int64_t)(b.vehicle.battery.charge_As - start), 0);
	assert_int_equal(b.vehicle.meter.n_rebased, 1);
	/*
	 * Nor does one that comes back after a few seconds, with nothing counted, take away what its former
	 * self gave.
	 */
	b.charger.charge_As = 500.0;
	bench_run(&b, 1 * S);
	start = b.vehicle.battery.charge_As;
	b.has_charger = false;
	bench_run(&b, 3 * S);
	b.has_charger = true;
	b.charger.charge_As = 0.0;
	b.charger.i_A = 0.0;
	bench_run(&b, 100 * MS);
	assert_int_equal((int64_t)(b.vehicle.battery.charge_As - start), 0);
}

static void test_vehicle_charger_vanishing_means_no_current(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b);
	bench_charge(&b, 100.0);
	b.has_charger = false;
	bench_run(&b, 400 * MS);
	assert_int_equal(b.st.current_mA, 100000);
	bench_run(&b, 300 * MS);
	assert_int_equal(b.st.current_mA, 0);
	assert_int_equal(b.st.battery_mV, b.st.inlet_mV); /* still closed */
	bench_phase(&b, VH_PHASE_ENDING, 0);
	bench_run(&b, 2 * S);
	assert_int_equal(b.st.inlet_mV, 0); /* not imagined: it was there */
	/* Lost in the moment of plugging in. */
	bench_start(&b);
	b.has_charger = true;
	bench_run(&b, 1 * S);
	b.has_charger = false;
	bench_phase(&b, VH_PHASE_PRECHARGE, 0);
	bench_run(&b, 5 * S);
	assert_int_equal(b.st.inlet_mV, 0);
}

static void test_vehicle_dead_man_opens_contactors(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b);
	bench_charge(&b, 0.5);
	b.is_refreshing = false;
	bench_run(&b, 250 * MS);
	assert_int_equal(b.st.is_closed, 1);
	bench_run(&b, 900 * MS);
	assert_int_equal(b.st.is_closed, 0);
	assert_int_equal(b.vehicle.n_expired, 1);
}

static void test_vehicle_opening_waits_for_current_unless_urgent(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b);
	bench_charge(&b, 50.0);
	bench_phase(&b, VH_PHASE_ENDING, 0);
	bench_run(&b, 1500 * MS);
	assert_int_equal(b.st.is_closed, 1);
	b.charger.i_A = 0.0;
	bench_run(&b, 1 * S);
	assert_int_equal(b.st.is_closed, 0);
	assert_int_equal(sim_vehicle_contactor(&b.vehicle)->n_opened_loaded, 0);

	bench_start(&b);
	bench_charge(&b, 50.0);
	bench_phase(&b, VH_PHASE_ENDING, 0);
	b.cmd.is_urgent = 1;
	bench_run(&b, 1 * S);
	assert_int_equal(b.st.is_closed, 0);
	assert_int_equal(sim_vehicle_contactor(&b.vehicle)->n_opened_loaded, 1);
}

static void test_vehicle_contactor_faults_are_found_and_latched(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b);
	bench_charge(&b, 0.0);
	bench_live(&b, "fault", "welded");
	bench_phase(&b, VH_PHASE_ENDING, 0);
	bench_run(&b, 800 * MS);
	assert_int_equal(b.st.faults, 0);
	bench_run(&b, 400 * MS);
	assert_int_equal(b.st.is_closed, 1);
	assert_true(b.st.faults_stop & VH_FAULT_CONTACTOR_WELDED);
	bench_live(&b, "fault", "none");
	bench_run(&b, 100 * MS);
	assert_int_equal(b.st.is_closed, 0);
	assert_true(b.st.faults & VH_FAULT_CONTACTOR_WELDED);
	b.cmd.clear_fault++;
	bench_run(&b, 100 * MS);
	assert_int_equal(b.st.faults, 0);
	bench_live(&b, "fault", "not_closing");
	bench_phase(&b, VH_PHASE_PRECHARGE, 1);
	bench_run(&b, 2 * S);
	assert_int_equal(b.st.is_closed, 0);
	assert_true(b.st.faults & VH_FAULT_CONTACTOR_NOT_CLOSING);
}

static void test_vehicle_silent_bms_and_frozen_sensor_show_their_age(void **state)
{
	struct bench b;
	int64_t t_bms, t_vi;

	(void)state;
	bench_start(&b);
	bench_charge(&b, 20.0);
	t_bms = b.st.t_bms_us;
	bench_live(&b, "fault", "bms_silent");
	bench_run(&b, 700 * MS);
	assert_in_range(b.st.t_bms_us, t_bms, t_bms + 10 * MS);
	assert_true(b.st.faults_stop & VH_FAULT_BMS_LOST);
	bench_live(&b, "fault", "none");
	bench_live(&b, "fault", "frozen");
	t_vi = b.st.t_vi_us;
	bench_run(&b, 700 * MS);
	assert_in_range(b.st.t_vi_us, t_vi, t_vi + 10 * MS);
	bench_live(&b, "fault", "none");
	bench_live(&b, "fault", "over_temp");
	bench_run(&b, 100 * MS);
	assert_true(b.st.faults_stop & VH_FAULT_OVER_TEMP);
	assert_true(b.st.temp_mdegC > 60000);
	bench_live(&b, "fault", "feedback_unknown");
	bench_run(&b, 100 * MS);
	assert_int_equal(b.st.is_closed, -1);
}

static void test_vehicle_tapers_and_asks_to_stop_when_full(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b);
	bench_charge(&b, 50.0);
	assert_int_equal(b.st.stop_request, 0);
	bench_live(&b, "soc", "95.238");
	bench_run(&b, 100 * MS);
	assert_in_range(b.st.i_charge_max_mA, 74000, 76000); /* 6 V left over 80 mohm */
	assert_int_equal(b.st.stop_request, 0);
	bench_live(&b, "soc", "99.95");
	bench_run(&b, 100 * MS);
	assert_int_equal(b.st.stop_request, 1);
	bench_live(&b, "soc", "100");
	bench_run(&b, 100 * MS);
	assert_int_equal(b.st.i_charge_max_mA, 0);
	bench_phase(&b, VH_PHASE_ENDING, 0);
	b.charger.i_A = 0.0;
	bench_run(&b, 1 * S);
	assert_int_equal(b.st.stop_request, 0);
}

static void test_vehicle_speed_moves_soc_only(void **state)
{
	struct forecourt_kv kv = {"charging_speed_multiplier", "60"};
	struct bench b;
	int64_t before;

	(void)state;
	bench_start_with(&b, &kv, 1);
	bench_charge(&b, 100.0);
	before = sim_vehicle_energy_uWh(&b.vehicle);
	bench_run(&b, 36 * S);
	assert_in_range(sim_vehicle_energy_uWh(&b.vehicle) - before, 330000000,
			342000000); /* 1 Ah while 312..346 V, plus the internal drop */
	assert_in_range(b.st.soc_permille, 530, 590);
}

static void test_vehicle_hv_delay_and_kept_soc(void **state)
{
	struct forecourt_kv kv[] = {
		{"hv_ready_delay", "2.5"}, {"restore_soc", "no"}, {"ev_battery_soc", "50"}};
	struct bench b;

	(void)state;
	bench_start_with(&b, kv, 3);
	bench_run(&b, 1 * S);
	assert_int_equal(b.st.is_hv_ready, 0);
	bench_phase(&b, VH_PHASE_CONNECTED, 0);
	bench_run(&b, 2 * S);
	assert_int_equal(b.st.is_hv_ready, 0);
	bench_run(&b, 1 * S);
	assert_int_equal(b.st.is_hv_ready, 1);
	bench_live(&b, "soc", "66.6");
	bench_phase(&b, VH_PHASE_IDLE, 0);
	bench_run(&b, 200 * MS);
	assert_int_equal(b.st.soc_permille, 666);
	assert_int_equal(b.st.is_hv_ready, 0);
}

static void test_vehicle_older_host_without_phase_still_works(void **state)
{
	struct bench b;
	int i;

	(void)state;
	bench_start(&b);
	b.is_refreshing = false;
	for (i = 0; i < 20; i++) {
		b.cmd.size = offsetof(struct vh_command, phase);
		b.cmd.is_in_session = 1;
		b.cmd.is_closed = i >= 5;
		b.cmd.valid_until_us = b.now_us + 400 * MS;
		b.ops->set(&b.vehicle, b.now_us, &b.cmd);
		bench_run(&b, 100 * MS);
	}
	assert_true(b.last.is_present);
	assert_int_equal(b.st.is_closed, 1);
	assert_int_equal(b.vehicle.phase, VH_PHASE_TRANSFER);
	/* One that cannot carry its validity is not obeyed. */
	b.cmd.size = offsetof(struct vh_command, valid_until_us);
	b.cmd.is_closed = 0;
	b.ops->set(&b.vehicle, b.now_us, &b.cmd);
	assert_int_equal(b.vehicle.cmd.is_closed, 1);
}

static void test_vehicle_ocv_table_is_used_and_checked(void **state)
{
	static const char *const bad[] = {"300,310", "300,310,320,330,340,350,360,370,380,390,abc",
					  "400,310,320,330,340,350,360,370,380,390,395",
					  "300,310,320,330,340,350,360,370,380,390,400,410"};
	struct forecourt_kv kv = {"ev_battery_ocv_table", "300,340,345,350,352,354,356,360,370,385,405.5"};
	struct forecourt_kv volts[] = {{"ev_battery_min_voltage", "400"}, {"ev_battery_max_voltage", "400"}};
	struct bench b;
	char err[160];
	size_t i;

	(void)state;
	bench_start_with(&b, &kv, 1);
	bench_run(&b, 100 * MS);
	assert_int_equal(b.st.battery_mV, 350000);
	assert_int_equal(b.st.v_target_mV, 405500);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		kv.value = bad[i];
		err[0] = '\0';
		assert_int_equal(b.ops->init(&b.vehicle, &b.host, &kv, 1, 0, err, sizeof(err)), -EINVAL);
		assert_true(strlen(err) > 10);
	}
	assert_int_equal(b.ops->init(&b.vehicle, &b.host, volts, 2, 0, err, sizeof(err)), -EINVAL);
}

static void test_vehicle_live_values_read_back_and_bad_ones_change_nothing(void **state)
{
	struct bench b;
	char answer[160];

	(void)state;
	bench_start(&b);
	bench_live(&b, "ev_dc_max_charge_current", "80.5");
	bench_run(&b, 100 * MS);
	assert_int_equal(b.st.i_charge_max_mA, 80500);
	assert_int_equal(b.ops->live(&b.vehicle, 0, "soc", "101", answer, sizeof(answer)), -EINVAL);
	assert_int_equal(b.ops->live(&b.vehicle, 0, "soc", NULL, answer, sizeof(answer)), 0);
	assert_string_equal(answer, "30.000");
	assert_int_equal(b.ops->live(&b.vehicle, 0, "pistol_index", "2", answer, sizeof(answer)), -EINVAL);
	assert_int_equal(b.ops->live(&b.vehicle, 0, "nonsense", NULL, answer, sizeof(answer)), -ENOENT);
	assert_int_equal(b.ops->live(&b.vehicle, 0, "fault", "nonsense", answer, sizeof(answer)), -EINVAL);
	assert_int_equal(b.ops->live(&b.vehicle, 0, "departure_time", NULL, answer, sizeof(answer)), 0);
	assert_string_equal(answer, "86400");
}

static void test_vehicle_ignores_frames_of_other_pistols_and_short_ones(void **state)
{
	struct bench b;
	struct can_frame f;

	(void)state;
	bench_start(&b);
	b.charger.v_inlet_V = 123.0;
	path_source_frame(&b.charger, 2, &f);
	b.ops->rx(&b.vehicle, 0, 0, &f);
	path_source_frame(&b.charger, 1, &f);
	f.can_dlc = 7;
	b.ops->rx(&b.vehicle, 0, 0, &f);
	f.can_dlc = 8;
	f.can_id |= CAN_RTR_FLAG;
	b.ops->rx(&b.vehicle, 0, 0, &f);
	assert_int_equal(b.vehicle.link, PATH_NEVER);
	f.can_id &= ~CAN_RTR_FLAG;
	b.ops->rx(&b.vehicle, 0, 0, &f);
	assert_int_equal(b.vehicle.link, PATH_FRESH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vehicle_starts_with_vendor_battery),
		cmocka_unit_test(test_vehicle_without_charger_behaves_as_vendor_simulator),
		cmocka_unit_test(test_vehicle_contactors_follow_after_delay_and_tell_the_charger_at_once),
		cmocka_unit_test(test_vehicle_charge_comes_from_the_counter),
		cmocka_unit_test(test_vehicle_charger_vanishing_means_no_current),
		cmocka_unit_test(test_vehicle_dead_man_opens_contactors),
		cmocka_unit_test(test_vehicle_opening_waits_for_current_unless_urgent),
		cmocka_unit_test(test_vehicle_contactor_faults_are_found_and_latched),
		cmocka_unit_test(test_vehicle_silent_bms_and_frozen_sensor_show_their_age),
		cmocka_unit_test(test_vehicle_tapers_and_asks_to_stop_when_full),
		cmocka_unit_test(test_vehicle_speed_moves_soc_only),
		cmocka_unit_test(test_vehicle_hv_delay_and_kept_soc),
		cmocka_unit_test(test_vehicle_older_host_without_phase_still_works),
		cmocka_unit_test(test_vehicle_ocv_table_is_used_and_checked),
		cmocka_unit_test(test_vehicle_live_values_read_back_and_bad_ones_change_nothing),
		cmocka_unit_test(test_vehicle_ignores_frames_of_other_pistols_and_short_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
