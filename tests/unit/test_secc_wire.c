/* SPDX-License-Identifier: MIT */
/* Frames of the virtual SECC: profiles, lengths, periods, what is dropped (rules E-01 to E-11, E-19, E-20, E-95). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/duo.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static struct duo *charging(enum evse_version version)
{
	struct duo *d = duo_new(version, PEV_V2_5);

	d->evse.charge_ms = -1;
	duo_start(d);
	assert_true(duo_until_state(d, SECC_CHARGING, 30));
	return d;
}

/* E-01, E-07, E-09: a whole session in each profile sends nothing the profile does not know. */
static void test_secc_sends_only_what_the_profile_knows(void **state)
{
	unsigned version;

	(void)state;
	for (version = 0; version < EVSE_N_VERSIONS; version++) {
		struct duo *d = duo_new((enum evse_version)version, PEV_V2_5);
		size_t i;

		d->secc_cfg.index = 5;
		d->evcc_cfg.pistol_index = 5;
		d->secc_cfg.free_service = 0;
		duo_start(d);
		duo_run(d, 45);
		for (i = 0; i < d->bench->n_trace; i++) {
			const struct bench_record *r = &d->bench->trace[i];
			canid_t base = r->frame.can_id & (CAN_EFF_FLAG | 0x00FFFFFFu);
			int msg;

			if (r->sender != d->secc_at || (base & 0x00FF0000u) == PLUG_BASE_ID)
				continue;
			assert_true(r->frame.can_id & CAN_EFF_FLAG);
			assert_false(r->frame.can_id & (CAN_RTR_FLAG | CAN_ERR_FLAG));
			assert_int_equal((r->frame.can_id >> MSG_INDEX_SHIFT) & 0x1F, 5);
			msg = evse_find((enum evse_version)version, base);
			assert_true(msg >= 0);
			assert_int_equal(r->frame.can_dlc, evse_layouts[version][msg].dlc);
		}
		assert_int_equal(d->secc.cause, SECC_CAUSE_VEHICLE);
		duo_free(d);
	}
}

static void test_secc_profile_3_2_has_short_vehicle_messages(void **state)
{
	struct duo *d = charging(EVSE_V3_2);

	(void)state;
	assert_int_equal(bench_last(d->bench, duo_evse_id(d, EVSE_EV_INFORMATION_BATTERY))->frame.can_dlc, 3);
	assert_int_equal(bench_last(d->bench, duo_evse_id(d, EVSE_EV_INFORMATION_VOLTAGES))->frame.can_dlc,
			 4);
	assert_int_equal(bench_count(d->bench, 0x0106B104u | CAN_EFF_FLAG, 0), 0);
	assert_int_equal(bench_count(d->bench, 0x0106B105u | CAN_EFF_FLAG, 0), 0);
	assert_int_equal(bench_count(d->bench, 0x0106B203u | CAN_EFF_FLAG, 0), 0);
	duo_free(d);
}

/* E-09: the old numbers, and the state of charge inside DC_Power_Control follows the vehicle. */
static void test_secc_profile_3_0_has_the_old_layout(void **state)
{
	struct duo *d = charging(EVSE_V3_0);
	const struct bench_record *r;

	(void)state;
	duo_run(d, 8);
	r = bench_last(d->bench, 0x01068005u | CAN_EFF_FLAG);
	assert_int_equal(r->frame.can_dlc, 8);
	assert_int_equal(r->frame.data[6] & 0x0F, 8);
	assert_int_equal(r->frame.data[7], 30);
	d->pev.soc_permille = 420;
	duo_run(d, 0.5);
	r = bench_last(d->bench, 0x01068005u | CAN_EFF_FLAG);
	assert_int_equal(r->frame.data[7], 42);
	/* DIN or ISO, extended pins, 500.0 V, 500.0 A, 76 kWh in steps of 2, 30 %. */
	r = bench_last(d->bench, 0x01068001u | CAN_EFF_FLAG);
	assert_memory_equal(r->frame.data, "\x02\x01\x88\x13\x88\x13\x26\x1E", 8);
	duo_free(d);
}

static void test_secc_profile_3_6_sends_vehicle_data_and_identity(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	const struct bench_record *r;

	(void)state;
	d->evse.charge_ms = -1;
	d->evcc_cfg.bulk_soc = 70;
	d->evcc_cfg.max_power_W = 90000;
	duo_start(d);
	assert_true(duo_until_state(d, SECC_CHARGING, 30));
	r = bench_last(d->bench, duo_evse_id(d, EVSE_EV_INFORMATION_BATTERY));
	/* 76 kWh (75.5 rounded), 30 %, no minimum, 70 %, 100 %. */
	assert_memory_equal(r->frame.data, "\x4C\x00\x1E\x00\x46\x64", 6);
	r = bench_last(d->bench, duo_evse_id(d, EVSE_EV_INFORMATION_CHARGE_LIMITS));
	assert_memory_equal(r->frame.data, "\x00\x00\x88\x13\x00\x00\x5A\x00", 8); /* 500.0 A, 90 kW */
	r = bench_last(d->bench, duo_evse_id(d, EVSE_EV_ID_CCS_PART2_DIN));
	assert_memory_equal(r->frame.data, "\x02\x46\x4F\x00\x00\x01", 6);
	assert_memory_equal(bench_last(d->bench, duo_evse_id(d, EVSE_NEW_CHARGE_SESSION))->frame.data,
			    "\x02\x01", 2);
	duo_free(d);
}

/* E-30: all vehicle messages after the first New_Charge_Session; a changed SoC is sent again. */
static void test_secc_vehicle_data_follow_first_new_session(void **state)
{
	static const enum evse_msg info[] = {
		EVSE_EV_INFORMATION_BATTERY, EVSE_EV_INFORMATION_VOLTAGES, EVSE_EV_INFORMATION_CHARGE_LIMITS,
		EVSE_EV_INFORMATION_DISCHARGE_LIMITS, EVSE_EV_INFORMATION_ENERGY};
	struct duo *d = charging(EVSE_V3_6);
	const struct bench_record *first =
		bench_find(d->bench, duo_evse_id(d, EVSE_NEW_CHARGE_SESSION), 0, 0);
	size_t before;
	unsigned i;

	(void)state;
	assert_non_null(first);
	for (i = 0; i < N(info); i++) {
		const struct bench_record *r = bench_find(d->bench, duo_evse_id(d, info[i]), 0, 0);

		assert_non_null(r);
		assert_true(bench_at(d->bench, r) > bench_at(d->bench, first));
		assert_true(r->time_us - first->time_us <= 200000);
	}
	before = d->bench->n_trace;
	duo_run(d, 1);
	assert_int_equal(bench_count(d->bench, duo_evse_id(d, EVSE_EV_INFORMATION_BATTERY), before), 0);
	d->pev.soc_permille = 310;
	duo_run(d, 0.5);
	assert_int_equal(bench_count(d->bench, duo_evse_id(d, EVSE_EV_INFORMATION_BATTERY), before), 1);
	duo_free(d);
}

/* E-11, E-20: the grid, and never a gap of 200 ms in the status over a whole session. */
static void test_secc_periods_are_exact(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	int64_t min_us, max_us;

	(void)state;
	duo_start(d);
	duo_run(d, 45);
	bench_intervals(d->bench, duo_evse_id(d, EVSE_ADVANTICS_CONTROLLER_STATUS), 0, SECONDS(45), &min_us,
			&max_us);
	assert_int_equal(max_us, 100000);
	bench_intervals(d->bench, duo_evse_id(d, EVSE_CCS_EXTRA_INFORMATION), 0, SECONDS(45), &min_us,
			&max_us);
	assert_int_equal(min_us, 100000);
	assert_int_equal(max_us, 100000);
	bench_intervals(d->bench, duo_evse_id(d, EVSE_NEW_CHARGE_SESSION), 0, SECONDS(45), &min_us, &max_us);
	assert_int_equal(min_us, 100000);
	assert_int_equal(max_us, 100000);
	bench_intervals(d->bench, duo_evse_id(d, EVSE_ADM_CS_SECC_INPUTS), 0, SECONDS(45), &min_us, &max_us);
	assert_int_equal(min_us, 1000000);
	assert_int_equal(max_us, 1000000);
	duo_free(d);
}

static void test_secc_state_change_is_sent_at_once(void **state)
{
	struct duo *d = charging(EVSE_V3_6);
	const struct bench_record *r = bench_last(d->bench, duo_evse_id(d, EVSE_ADVANTICS_CONTROLLER_STATUS));

	(void)state;
	assert_int_equal(r->time_us, d->bench->now_us);
	assert_int_equal(r->frame.data[0], 7);
	duo_free(d);
}

static void test_secc_input_change_is_sent_and_stops(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	size_t before;

	(void)state;
	d->secc_cfg.input[0] = SECC_IN_MONITOR;
	d->evse.charge_ms = -1;
	duo_start(d);
	assert_true(duo_until_state(d, SECC_CHARGING, 30));
	before = d->bench->n_trace;
	bench_command(d->bench, d->secc_at, "input 1 1");
	duo_run(d, 0.1);
	assert_int_equal(
		bench_find(d->bench, duo_evse_id(d, EVSE_ADM_CS_SECC_INPUTS), before, 0)->frame.data[0], 1);
	/* Input 2 is CCS_DC_Stop by default: shown as 0, acts as a normal stop. */
	bench_command(d->bench, d->secc_at, "input 2 1");
	assert_true(duo_until_state(d, SECC_CLOSING, 20));
	assert_int_equal(d->secc.cause, SECC_CAUSE_VEHICLE);
	assert_int_equal(d->evcc.cause, EVCC_CAUSE_CHARGER_STOP);
	duo_free(d);
}

/* E-02: what is not for us or malformed is counted and changes nothing. */
static void test_secc_foreign_and_malformed_frames_are_dropped(void **state)
{
	struct duo *d = charging(EVSE_V3_6);
	struct evse_power_modules_status m = {0}; /* System_Enable 0 would be an emergency */
	struct can_frame good, f;
	uint64_t dropped;

	(void)state;
	msg_to_frame(&evse_layouts[EVSE_V3_6][EVSE_POWER_MODULES_STATUS], &m, 1, &good);
	d->bench->is_mute[d->evse_at] = false;
	dropped = d->secc.count.n_dropped;
	f = good; /* other index */
	f.can_id = good.can_id + (1u << MSG_INDEX_SHIFT);
	bench_inject(d->bench, &f);
	f = good; /* 11 bits */
	f.can_id = good.can_id & CAN_SFF_MASK;
	bench_inject(d->bench, &f);
	f = good;
	f.can_id |= CAN_RTR_FLAG;
	bench_inject(d->bench, &f);
	f = good;
	f.can_dlc = 7;
	bench_inject(d->bench, &f);
	f = good; /* unknown */
	f.can_id = CAN_EFF_FLAG | 0x010630FFu;
	bench_inject(d->bench, &f);
	f.can_id = CAN_ERR_FLAG | 0x40;
	bench_inject(d->bench, &f);
	duo_run(d, 0.001);
	assert_int_equal(d->secc.state, SECC_CHARGING);
	assert_true(d->secc.count.n_dropped >= dropped + 5);
	assert_int_equal(d->secc.count.n_bus_errors, 1);
	bench_inject(d->bench, &good);
	duo_run(d, 0.001);
	assert_int_equal(d->secc.state, SECC_CLOSING);
	duo_free(d);
}

static void test_secc_longer_frames_count_with_their_leading_bytes(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	struct evse_sequence_control flags = {.start_charge_authorisation = 1};
	struct can_frame f;

	(void)state;
	d->evse.sends_sequence = false;
	duo_start(d);
	duo_run(d, 2);
	assert_int_equal(d->secc.state, SECC_NOT_AVAILABLE);
	msg_to_frame(&evse_layouts[EVSE_V3_6][EVSE_SEQUENCE_CONTROL], &flags, 1, &f);
	f.can_dlc = 8;
	memset(&f.data[3], 0xFF, 5); /* E-03: unassigned bits are ignored too */
	f.data[0] |= 0xFC;
	bench_inject(d->bench, &f);
	duo_run(d, 0.2);
	assert_int_equal(d->secc.state, SECC_NEGOTIATING);
	duo_free(d);
}

static void test_secc_outputs_need_can_controlled_channels(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	struct evse_adm_cs_secc_outputs m = {
		.digital_output1 = 1, .digital_output2 = 1, .led1 = 50, .led2 = 200};
	struct can_frame f;

	(void)state;
	d->secc_cfg.is_output_can[1] = 1;
	d->secc_cfg.is_led_can[1] = 1;
	duo_start(d);
	duo_run(d, 2);
	msg_to_frame(&evse_layouts[EVSE_V3_6][EVSE_ADM_CS_SECC_OUTPUTS], &m, 1, &f);
	bench_inject(d->bench, &f);
	duo_run(d, 0.1);
	assert_int_equal(d->secc.output[0], 0);
	assert_int_equal(d->secc.output[1], 1);
	assert_int_equal(d->secc.led[0], 0);
	assert_int_equal(d->secc.led[1], 100);
	duo_free(d);
}

static void test_secc_filters_take_what_the_machine_uses(void **state)
{
	struct can_filter f[MACHINE_MAX_FILTERS];
	struct secc_cfg cfg;
	struct secc *s = test_malloc(sizeof(*s));
	struct machine m;
	size_t n, i;
	bool has_request = false, has_answer = false;

	(void)state;
	opts_defaults(secc_conf_table, secc_conf_n, &cfg);
	cfg.index = 3;
	secc_init(s, &cfg, NULL, 0);
	m = secc_machine(s);
	n = m.ops->filters(m.self, f, N(f));
	assert_in_range(n, 5, 16);
	for (i = 0; i < n; i++) {
		canid_t request = plug_layouts[0][PLUG_CURRENT_DEMAND_REQ].id | 3u << MSG_INDEX_SHIFT;

		assert_true(f[i].can_mask & CAN_EFF_FLAG);
		assert_true(f[i].can_mask & CAN_RTR_FLAG);
		has_request |= (request & f[i].can_mask) == (f[i].can_id & f[i].can_mask);
		has_answer |= ((request + 1) & f[i].can_mask) == (f[i].can_id & f[i].can_mask);
	}
	assert_true(has_request);
	assert_false(has_answer);
	test_free(s);
}

/* E-03: what the wire cannot carry is clipped, never wrapped. */
static void test_secc_values_beyond_the_wire_saturate(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	const struct bench_record *r;

	(void)state;
	d->pev.soc_permille = 2550;
	d->pev.capacity_Wh = 6553500;
	d->evcc_cfg.max_soc = 101;
	d->evse.charge_ms = -1;
	duo_start(d);
	assert_true(duo_until_state(d, SECC_FULL_INFO, 30));
	duo_run(d, 0.2);
	r = bench_last(d->bench, duo_evse_id(d, EVSE_EV_INFORMATION_BATTERY));
	assert_int_equal(r->frame.data[2], 255);
	assert_int_equal(r->frame.data[0] | r->frame.data[1] << 8, 6554);
	duo_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secc_sends_only_what_the_profile_knows),
		cmocka_unit_test(test_secc_profile_3_2_has_short_vehicle_messages),
		cmocka_unit_test(test_secc_profile_3_0_has_the_old_layout),
		cmocka_unit_test(test_secc_profile_3_6_sends_vehicle_data_and_identity),
		cmocka_unit_test(test_secc_vehicle_data_follow_first_new_session),
		cmocka_unit_test(test_secc_periods_are_exact),
		cmocka_unit_test(test_secc_state_change_is_sent_at_once),
		cmocka_unit_test(test_secc_input_change_is_sent_and_stops),
		cmocka_unit_test(test_secc_foreign_and_malformed_frames_are_dropped),
		cmocka_unit_test(test_secc_longer_frames_count_with_their_leading_bytes),
		cmocka_unit_test(test_secc_outputs_need_can_controlled_channels),
		cmocka_unit_test(test_secc_filters_take_what_the_machine_uses),
		cmocka_unit_test(test_secc_values_beyond_the_wire_saturate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
