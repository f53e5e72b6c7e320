/* SPDX-License-Identifier: MIT */
/* Frames of the virtual EVCC: profiles, scales, periods, what is accepted (rules P-01 to P-08, P-14, P-36). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/duo.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static struct duo *charging(enum pev_version version)
{
	struct duo *d = duo_new(EVSE_V3_6, version);

	d->evse.charge_ms = -1;
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_CHARGING, 30));
	return d;
}

/* P-01, P-05: a whole session in each profile sends nothing the profile does not know. */
static void test_evcc_sends_only_what_the_profile_knows(void **state)
{
	unsigned version;

	(void)state;
	for (version = 0; version < PEV_N_VERSIONS; version++) {
		struct duo *d = duo_new(EVSE_V3_6, (enum pev_version)version);
		size_t i;

		d->evcc_cfg.unplug_after_ms = 500;
		duo_start(d);
		duo_run(d, 45);
		for (i = 0; i < d->bench->n_trace; i++) {
			const struct bench_record *r = &d->bench->trace[i];
			int msg;

			if (r->sender != d->evcc_at || (r->frame.can_id & CAN_EFF_FLAG))
				continue;
			msg = pev_find((enum pev_version)version, r->frame.can_id);
			assert_true(msg >= 0 && msg <= PEV_MCS_EXTRA_INFORMATION);
			assert_int_equal(r->frame.can_dlc, pev_layouts[version][msg].dlc);
		}
		assert_string_equal(d->pev.raised, "");
		duo_free(d);
	}
}

static void test_evcc_forced_extended_ids_keep_the_numbers(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	size_t i;

	(void)state;
	d->evcc_cfg.force_extended_ids = 1;
	d->pev.is_extended = true; /* P-02: and takes 29-bit frames */
	d->evse.charge_ms = -1;
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_CHARGING, 30));
	for (i = 0; i < d->bench->n_trace; i++) {
		if (d->bench->trace[i].sender == d->evcc_at)
			assert_true(d->bench->trace[i].frame.can_id & CAN_EFF_FLAG);
	}
	assert_non_null(bench_last(d->bench, CAN_EFF_FLAG | 0x600));
	duo_free(d);
}

/* P-03: 100 A of the charger as 1 A or 0.1 A a bit; 12.3 A is told as 12 A, never more. */
static void test_evcc_current_limit_has_the_profiles_scale_and_rounds_down(void **state)
{
	struct duo *d = charging(PEV_V2_5);

	(void)state;
	duo_run(d, 0.2);
	assert_memory_equal(bench_last(d->bench, 0x600)->frame.data, "\x07\x03\x05\x64\x00\x00", 6);
	d->evse.max_charge_mA = 12900;
	duo_run(d, 1);
	assert_int_equal(bench_last(d->bench, 0x600)->frame.data[3], 12);
	duo_free(d);
	d = charging(PEV_V2_0_EX);
	duo_run(d, 0.2);
	assert_memory_equal(bench_last(d->bench, 0x600)->frame.data, "\x07\x03\x05\xE8\x03\x00", 6);
	d->evse.max_charge_mA = 12900;
	duo_run(d, 1);
	assert_int_equal(bench_last(d->bench, 0x600)->frame.data[3], 129);
	duo_free(d);
}

/* The same request of 200 A means the same in both scales. */
static void test_evcc_request_is_read_in_the_profiles_scale(void **state)
{
	unsigned version;

	(void)state;
	for (version = 0; version < PEV_N_VERSIONS; version++) {
		struct duo *d = duo_new(EVSE_V3_6, (enum pev_version)version);

		duo_start(d);
		duo_run(d, 3);
		assert_int_equal(d->evcc.dc1.max_charge_current_mA, 200000);
		assert_int_equal(d->evcc.battery.energy_capacity_Wh, version >= PEV_V2_1 ? 75500 : 75530);
		duo_free(d);
	}
}

/* P-05: four bytes or eight in 2.0-ex; eight only elsewhere. */
static void test_evcc_dc_status1_of_four_bytes_counts_in_2_0_ex_only(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_0_EX);

	(void)state;
	d->pev.is_short_dc1 = true;
	duo_start(d);
	duo_run(d, 1);
	assert_int_equal(d->evcc.dc1.max_charge_current_mA, 200000);
	{
		struct can_frame f = {.can_id = 0x612, .can_dlc = 3};

		bench_inject(d->bench, &f); /* too short even there */
		duo_run(d, 0.001);
		assert_int_equal(d->evcc.dc1.max_charge_current_mA, 200000);
	}
	duo_free(d);
	d = duo_new(EVSE_V3_6, PEV_V2_5);
	d->pev.is_short_dc1 = true;
	duo_start(d);
	duo_run(d, 1);
	assert_int_equal(d->evcc.dc1.max_charge_current_mA, 0);
	assert_true(d->evcc.count.n_dropped > 0);
	duo_free(d);
}

static void inject_energy(struct duo *d, const char *data)
{
	struct can_frame f = {.can_id = 0x614, .can_dlc = 6};

	memcpy(f.data, data, 6);
	bench_inject(d->bench, &f);
	duo_run(d, 0.001);
}

/* P-04: worked frames of both interfaces: target 60.42, min 22.66, max 75.53 kWh. */
static void test_evcc_energy_order_follows_profile_and_option(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_0_EX);

	(void)state;
	duo_start(d);
	inject_energy(d, "\x9A\x17\xDA\x08\x81\x1D");
	assert_int_equal(d->evcc.energy.target_energy_request_Wh, 60420);
	assert_int_equal(d->evcc.energy.minimum_energy_request_Wh, 22660);
	assert_int_equal(d->evcc.energy.maximum_energy_request_Wh, 75530);
	duo_free(d);
	d = duo_new(EVSE_V3_6, PEV_V2_0_EX);
	d->evcc_cfg.energy_order = EVCC_TARGET_MAX_MIN;
	duo_start(d);
	inject_energy(d, "\x9A\x17\x81\x1D\xDA\x08");
	assert_int_equal(d->evcc.energy.minimum_energy_request_Wh, 22660);
	duo_free(d);
	d = duo_new(EVSE_V3_6, PEV_V2_5);
	duo_start(d);
	inject_energy(d, "\x5C\x02\xF3\x02\xE3\x00");
	assert_int_equal(d->evcc.energy.target_energy_request_Wh, 60400);
	assert_int_equal(d->evcc.energy.maximum_energy_request_Wh, 75500);
	assert_int_equal(d->evcc.energy.minimum_energy_request_Wh, 22700);
	duo_free(d);
}

/* P-08: exact over a whole session, whatever happens in it. */
static void test_evcc_periods_are_exact(void **state)
{
	static const canid_t ids[] = {0x600, 0x601, 0x602, 0x603, 0x605, 0x606};
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	int64_t min_us, max_us;
	unsigned i;

	(void)state;
	duo_start(d);
	duo_run(d, 45);
	for (i = 0; i < N(ids); i++) {
		bench_intervals(d->bench, ids[i], 0, SECONDS(45), &min_us, &max_us);
		assert_int_equal(min_us, 100000);
		assert_int_equal(max_us, 100000);
	}
	bench_intervals(d->bench, 0x604, 0, SECONDS(45), &min_us, &max_us);
	assert_int_equal(min_us, 1000000);
	assert_int_equal(max_us, 1000000);
	duo_free(d);
}

static void test_evcc_input_change_is_sent(void **state)
{
	struct duo *d = charging(PEV_V2_5);
	const struct bench_record *r;
	size_t before;

	(void)state;
	duo_run(d, 0.35);
	before = d->bench->n_trace;
	bench_command(d->bench, d->evcc_at, "input stop 1");
	duo_run(d, 0.1);
	r = bench_find(d->bench, 0x604, before, 0);
	assert_non_null(r);
	assert_int_equal(r->frame.data[0], 0x10);
	duo_free(d);
}

/* P-02 */
static void test_evcc_foreign_and_malformed_frames_are_dropped(void **state)
{
	struct duo *d = charging(PEV_V2_5);
	struct pev_dc_status2 m = {.emergency_stop = 1, .contactors_closed = 1};
	struct can_frame good, f;
	uint64_t dropped;

	(void)state;
	m.battery_voltage_mV = m.inlet_voltage_mV = d->pev.battery_mV;
	msg_to_frame(&pev_layouts[PEV_V2_5][PEV_DC_STATUS2], &m, 0, &good);
	dropped = d->evcc.count.n_dropped;
	f = good;
	f.can_dlc = 4;
	bench_inject(d->bench, &f);
	f = good;
	f.can_id |= CAN_RTR_FLAG;
	bench_inject(d->bench, &f);
	f = good;
	f.can_id = 0x7FF;
	bench_inject(d->bench, &f);
	f = good;
	f.can_id |= CAN_EFF_FLAG | 0x1000; /* another 29-bit number */
	bench_inject(d->bench, &f);
	duo_run(d, 0.001);
	assert_int_equal(d->evcc.stage, EVCC_CHARGING);
	assert_true(d->evcc.count.n_dropped >= dropped + 4);
	good.can_dlc = 8; /* longer: the leading bytes count */
	bench_inject(d->bench, &good);
	duo_run(d, 0.001);
	assert_int_equal(d->evcc.stage, EVCC_CLOSING);
	duo_free(d);
}

/* P-36 and the charger's view: absolute levels become a request relative to what is in the battery. */
static void test_evcc_energy_request_is_relative(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	struct plug_ev_charge_parameters m = {0};

	(void)state;
	d->pev.capacity_Wh = 100000;
	d->pev.soc_permille = 200;
	duo_start(d);
	duo_run(d, 1.5);
	inject_energy(d, "\x20\x03\xE8\x03\x64\x00"); /* target 80 kWh */
	assert_true(duo_until_state(d, SECC_FULL_INFO, 30));
	plug_layouts[0][PLUG_EV_CHARGE_PARAMETERS].unpack(
		&m, bench_last(d->bench, duo_plug_id(d, PLUG_EV_CHARGE_PARAMETERS))->frame.data);
	assert_int_equal(m.ev_energy_capacity_Wh, 100000);
	assert_int_equal(m.ev_energy_request_Wh, 60000);
	duo_free(d);
	/* Nothing given by the vehicle: the configuration, capped by the capacity. */
	d = duo_new(EVSE_V3_6, PEV_V2_5);
	d->pev.capacity_Wh = 0;
	d->pev.soc_permille = 500;
	d->evcc_cfg.energy_capacity_Wh = 60000;
	d->evcc_cfg.max_energy_Wh = 90000;
	duo_start(d);
	assert_true(duo_until_state(d, SECC_FULL_INFO, 30));
	plug_layouts[0][PLUG_EV_CHARGE_PARAMETERS].unpack(
		&m, bench_last(d->bench, duo_plug_id(d, PLUG_EV_CHARGE_PARAMETERS))->frame.data);
	assert_int_equal(m.ev_energy_request_Wh, 30000);
	duo_free(d);
}

static void test_evcc_outputs_need_can_controlled_channels(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	struct pev_adm_cs_evcc_mevc_outputs m = {
		.digital_output1 = 1, .digital_output3 = 1, .led1 = 30, .led3 = 255};
	struct can_frame f;

	(void)state;
	d->evcc_cfg.is_output_can[2] = 1;
	d->evcc_cfg.is_led_can[2] = 1;
	duo_start(d);
	msg_to_frame(&pev_layouts[PEV_V2_5][PEV_ADM_CS_EVCC_MEVC_OUTPUTS], &m, 0, &f);
	bench_inject(d->bench, &f);
	duo_run(d, 0.001);
	assert_int_equal(d->evcc.outputs, 4);
	assert_int_equal(d->evcc.leds[0], 0);
	assert_int_equal(d->evcc.leds[2], 100);
	duo_free(d);
}

static void test_evcc_filters_take_what_the_machine_uses(void **state)
{
	struct can_filter f[MACHINE_MAX_FILTERS];
	struct evcc_cfg cfg;
	struct evcc *e = test_malloc(sizeof(*e));
	struct machine m;
	size_t n, i;
	bool has_answer = false, has_request = false, has_short = false;

	(void)state;
	opts_defaults(evcc_conf_table, evcc_conf_n, &cfg);
	cfg.pistol_index = 2;
	evcc_init(e, &cfg, NULL, 0);
	m = evcc_machine(e);
	n = m.ops->filters(m.self, f, N(f));
	for (i = 0; i < n; i++) {
		canid_t answer = plug_layouts[0][PLUG_CURRENT_DEMAND_RES].id | 2u << MSG_INDEX_SHIFT;

		has_answer |= (answer & f[i].can_mask) == (f[i].can_id & f[i].can_mask);
		has_request |= ((answer - 1) & f[i].can_mask) == (f[i].can_id & f[i].can_mask);
		has_short |= (0x612 & f[i].can_mask) == (f[i].can_id & f[i].can_mask);
	}
	assert_true(has_answer);
	assert_true(has_short);
	assert_false(has_request);
	test_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_evcc_sends_only_what_the_profile_knows),
		cmocka_unit_test(test_evcc_forced_extended_ids_keep_the_numbers),
		cmocka_unit_test(test_evcc_current_limit_has_the_profiles_scale_and_rounds_down),
		cmocka_unit_test(test_evcc_request_is_read_in_the_profiles_scale),
		cmocka_unit_test(test_evcc_dc_status1_of_four_bytes_counts_in_2_0_ex_only),
		cmocka_unit_test(test_evcc_energy_order_follows_profile_and_option),
		cmocka_unit_test(test_evcc_periods_are_exact),
		cmocka_unit_test(test_evcc_input_change_is_sent),
		cmocka_unit_test(test_evcc_foreign_and_malformed_frames_are_dropped),
		cmocka_unit_test(test_evcc_energy_request_is_relative),
		cmocka_unit_test(test_evcc_outputs_need_can_controlled_channels),
		cmocka_unit_test(test_evcc_filters_take_what_the_machine_uses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
