/* SPDX-License-Identifier: MIT */
/* pev-ctrl on the bus: framing, profiles, periods, worked frames. Rules P-01 to P-04, P-06, P-07, P-09, P-10. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <linux/can/error.h>

#include <cmocka.h>

#include "tests/lib/car.h"

static struct car car;

static void expect_frame(canid_t id, const char *bytes, uint8_t n)
{
	const struct can_frame *f = car_last(&car, id);

	assert_non_null(f);
	assert_int_equal(f->can_id, id);
	assert_int_equal(f->can_dlc, n);
	assert_memory_equal(f->data, bytes, n);
}

#define EXPECT(id, bytes) expect_frame(id, bytes, sizeof(bytes) - 1)

/* ------------------------------------------------------------------------------- worked frames, section 16 */

static void test_v25_frames_of_reference_byte_for_byte(void **state)
{
	(void)state;
	car_init(&car, PEV_V2_5);
	car.vehicle.st.capacity_Wh = 75500;
	car_to_stage(&car, 1);
	EXPECT(0x610, "\x1E\xF3\x02");
	EXPECT(0x611, "\x00");
	EXPECT(0x612, "\xC8\x00\x00\x00\x00\x00\x00\x00");
	EXPECT(0x614, "\x5C\x02\xF3\x02\xE3\x00");
	EXPECT(0x615, "\xE3\x00\x5C\x02");
	EXPECT(0x616, "\x80\x51\x01\x00");
	car_check(&car);
}

static void test_v20ex_frames_of_reference_byte_for_byte(void **state)
{
	(void)state;
	car_init(&car, PEV_V2_0_EX);
	car.vehicle.st.energy_target_Wh = 60420;
	car.vehicle.st.energy_max_Wh = 75530;
	car.vehicle.st.energy_min_Wh = 22660;
	car.vehicle.st.v2x_min_Wh = 22660;
	car.vehicle.st.v2x_max_Wh = 60420;
	car_to_stage(&car, 1);
	EXPECT(0x610, "\x1E\x81\x1D");
	EXPECT(0x612, "\xD0\x07\x00\x00\x00\x00\x00\x00");
	EXPECT(0x614, "\x9A\x17\xDA\x08\x81\x1D");
	EXPECT(0x615, "\xDA\x08\x9A\x17");
	EXPECT(0x616, "\x80\x51\x01\x00");
	car_check(&car);
}

static void test_v25_bidirectional_request_of_reference(void **state)
{
	struct pev_conf conf;

	(void)state;
	car_conf(&conf, PEV_V2_5);
	conf.is_bidirectional = 1;
	car_init_conf(&car, &conf);
	car.vehicle.st.i_charge_max_mA = 100000;
	car.vehicle.st.i_discharge_max_mA = 80000;
	car.vehicle.st.current_mA = -20000;
	car.vehicle.st.v_target_mV = 420000;
	car.point.session.caps.v_max_mV = 450000;
	car_to_stage(&car, 1);
	EXPECT(0x612, "\x64\x00\xEC\xFF\x50\x00\xA4\x01");
}

static void test_contactors_closed_and_stop_bits_of_reference(void **state)
{
	(void)state;
	car_init(&car, PEV_V2_5);
	car_to_stage(&car, 7);
	car.vehicle.st.inlet_mV = 329500;
	car_run_ms(&car, 200);
	EXPECT(0x613, "\x01\xE4\x0C\xDF\x0C");
	car.vehicle.st.inlet_mV = 330000;
	assert_int_equal(car_command(&car, "stop"), 0);
	car_run_ms(&car, 200);
	EXPECT(0x613, "\x03\xE4\x0C\xE4\x0C");
	car_check(&car);
}

static void test_emergency_bit_of_reference(void **state)
{
	(void)state;
	car_init(&car, PEV_V2_5);
	car_to_stage(&car, 7);
	assert_int_equal(car_command(&car, "emergency"), 0);
	car_run_ms(&car, 100);
	EXPECT(0x613, "\x05\xE4\x0C\xE4\x0C");
}

static void test_hold_off_pause_and_outputs_of_reference(void **state)
{
	(void)state;
	car_init(&car, PEV_V2_5);
	car.vehicle.st.is_hv_ready = 0;
	car_to_stage(&car, 2);
	EXPECT(0x618, "\x01\x00\x00\x00\x00\x00\x00\x00");
	car.vehicle.st.is_hv_ready = 1;
	car_to_stage(&car, 7);
	assert_int_equal(car_command(&car, "pause"), 0);
	EXPECT(0x618, "\x02\x00\x00\x00\x00\x00\x00\x00");
	assert_int_equal(car_command(&car, "set digital_output1 true led1_pct 100 led3_pct 10"), 0);
	EXPECT(0x617, "\x01\x00\x00\x00\x00\x64\x00\x0A");
}

static void test_frames_of_module_of_reference_are_read(void **state)
{
	struct can_frame f = {.can_id = 0x600, .can_dlc = 6, .data = {7, 3, 5, 0x78, 0, 0}};
	struct can_frame extra = {.can_id = 0x603, .can_dlc = 6, .data = {0x32, 0, 0x5A, 9, 0x96, 1}};
	struct can_frame diag = {.can_id = 0x605, .can_dlc = 8, .data = {0x41, 0, 0, 0, 0, 0, 0x16, 0x23}};
	const struct pev_module *m = &car.point.session.wire.module;

	(void)state;
	car_init(&car, PEV_V2_5);
	car_send(&car, &f);
	assert_int_equal(m->information.max_current_mA, 120000);
	assert_int_equal(m->information.communication_stage, PEV_STAGE_CHARGING);
	car_send(&car, &extra);
	assert_int_equal(m->ccs.cp_duty_cycle_permille, 50);
	assert_int_equal(m->ccs.pp_resistance_ohm, 1500);
	car_send(&car, &diag);
	assert_int_equal(m->diagnostic.lock_failure, 1);
	assert_int_equal(m->diagnostic.precharge_timeout, 1);
	assert_int_equal(m->diagnostic.hlc_response_code, 22);
	car_init(&car, PEV_V2_0_EX);
	f.data[3] = 0xB0;
	f.data[4] = 4;
	car_send(&car, &f);
	assert_int_equal(m->information.max_current_mA, 120000);
}

/* ------------------------------------------------------------------------------------------- P-01 and P-02 */

static void test_p01_force_extended_ids_sends_29_bit_frames(void **state)
{
	struct pev_conf conf;

	(void)state;
	car_conf(&conf, PEV_V2_5);
	conf.is_extended_forced = 1;
	car_init_conf(&car, &conf);
	car_to_stage(&car, 2);
	assert_int_equal(car_last(&car, 0x612)->can_id, 0x612 | CAN_EFF_FLAG);
	car_check(&car);
}

static void test_p02_both_kinds_of_identifier_are_accepted(void **state)
{
	(void)state;
	car_init(&car, PEV_V2_5);
	car.is_extended = true;
	car_to_stage(&car, 7);
	assert_int_equal(car_state(&car), PEV_ST_CHARGING);
	assert_true(car.vehicle.cmd.is_closed);
	car.is_extended = false;
	car_stage(&car, 8);
	assert_int_equal(car_state(&car), PEV_ST_ENDING);
	car_check(&car);
}

static void test_p02_odd_frames_are_dropped_counted_and_do_no_harm(void **state)
{
	const struct can_frame odd[] = {
		{.can_id = 0x600, .can_dlc = 5, .data = {1}},
		{.can_id = 0x602, .can_dlc = 0},
		{.can_id = 0x602 | CAN_RTR_FLAG, .can_dlc = 1},
		{.can_id = 0x600 | CAN_RTR_FLAG, .can_dlc = 6},
		{.can_id = 0x607, .can_dlc = 8},
		{.can_id = 0x613, .can_dlc = 5, .data = {5}},
		{.can_id = 0x1600 | CAN_EFF_FLAG, .can_dlc = 6, .data = {1}},
		{.can_id = CAN_ERR_FLAG | CAN_ERR_CRTL, .can_dlc = 8},
	};
	const struct pev_counters *c = &car.point.session.wire.count;
	size_t i;

	(void)state;
	car_init(&car, PEV_V2_5);
	car_to_stage(&car, 7);
	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		car_send(&car, &odd[i]);
	car_run_ms(&car, 2000);
	assert_int_equal(car_state(&car), PEV_ST_CHARGING);
	assert_true(car.vehicle.cmd.is_closed);
	assert_int_equal(c->n_short, 2);
	assert_int_equal(c->n_kind, 2);
	assert_int_equal(c->n_foreign, 3);
	assert_int_equal(c->n_errors, 1);
	car_stage(&car, 8);
	assert_int_equal(car_state(&car), PEV_ST_ENDING);
	car_check(&car);
}

static void test_p02_longer_frame_counts_with_leading_bytes_and_reserved_bits_are_ignored(void **state)
{
	struct can_frame info = {.can_id = 0x600, .can_dlc = 8, .data = {2, 3, 5, 0x78, 0, 0xFE, 0xFF, 0xFF}};
	struct can_frame open = {.can_id = 0x602, .can_dlc = 8, .data = {0xFE, 0xFF}};

	(void)state;
	car_init(&car, PEV_V2_5);
	car_send(&car, &info);
	assert_int_equal(car_state(&car), PEV_ST_NEGOTIATING);
	assert_int_equal(car.point.session.wire.module.information.rcd_status, 0);
	car_send(&car, &open);
	assert_int_equal(car.point.session.wire.module.dc_control.close_contactors, 0);
	assert_true(car.point.session.is_armed);
}

static void test_p02_values_beyond_the_signal_are_saturated(void **state)
{
	(void)state;
	car_init(&car, PEV_V2_5);
	car.vehicle.st.battery_mV = 7000000;
	car.vehicle.st.inlet_mV = -5;
	car.vehicle.st.soc_permille = 1500;
	car.vehicle.st.departure_s = INT64_MAX;
	car.vehicle.st.current_mA = -40000000;
	car_run_ms(&car, 100);
	assert_int_equal(car_last(&car, 0x610)->data[0], 100);
	assert_int_equal(car_status2(&car).battery_voltage_mV, 6553500);
	assert_int_equal(car_status2(&car).inlet_voltage_mV, 0);
	assert_int_equal(car_status1(&car).present_current_mA, -32768000);
	EXPECT(0x616, "\xFF\xFF\xFF\xFF");
}

/* ------------------------------------------------------------------------------------- P-03, P-04 and P-06 */

static void test_p03_scales_by_profile(void **state)
{
	static const struct {
		int32_t protocol;
		int request, capacity;
	} row[] = {
		{PEV_V2_0_EX, 1234, 7553}, {PEV_V2_0, 123, 7553}, {PEV_V2_1, 123, 755},
		{PEV_V2_2, 123, 755},	   {PEV_V2_4, 123, 755},  {PEV_V2_5, 123, 755},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		const struct can_frame *f;

		car_init(&car, row[i].protocol);
		car.vehicle.st.i_charge_max_mA = 123450;
		car_run_ms(&car, 100);
		f = car_last(&car, 0x612);
		assert_int_equal(f->data[0] | f->data[1] << 8, row[i].request);
		f = car_last(&car, 0x610);
		assert_int_equal(f->data[1] | f->data[2] << 8, row[i].capacity);
		car_check(&car);
	}
}

static void test_p04_energy_order_is_swapped_only_where_asked(void **state)
{
	struct pev_conf conf;
	char err[200];

	(void)state;
	car_conf(&conf, PEV_V2_0_EX);
	conf.energy_order = PEV_ORDER_TARGET_MAX_MIN;
	car_init_conf(&car, &conf);
	car_run_ms(&car, 100);
	EXPECT(0x614, "\x98\x17\x7E\x1D\xDE\x08");
	conf.energy_order = PEV_ORDER_TARGET_MIN_MAX;
	car_init_conf(&car, &conf);
	car_run_ms(&car, 100);
	EXPECT(0x614, "\x98\x17\xDE\x08\x7E\x1D");
	conf.protocol = PEV_V2_5;
	assert_int_equal(pev_conf_check(&conf, err, sizeof(err)), -EINVAL);
}

static void test_p06_unknown_profile_is_refused_and_default_is_25(void **state)
{
	const struct vh_caps caps = {.size = sizeof(caps)};
	struct pev_session s;
	struct pev_conf conf;
	char err[200];

	(void)state;
	opts_defaults(pev_conf_table, pev_conf_n, &conf);
	assert_int_equal(conf.protocol, PEV_V2_5);
	assert_string_equal(pev_wire_version_name(conf.protocol), "2.5");
	assert_int_not_equal(opts_set(&pev_conf_table[opts_find(pev_conf_table, pev_conf_n, "protocol")],
				      &conf, "2.3", err, sizeof(err)),
			     0);
	conf.protocol = PEV_N_VERSIONS;
	assert_int_equal(pev_session_init(&s, &conf, &caps, NULL, 0, err, sizeof(err)), -EINVAL);
	conf.protocol = -1;
	assert_int_equal(pev_session_init(&s, &conf, &caps, NULL, 0, err, sizeof(err)), -EINVAL);
	assert_null(pev_wire_version_name(-1));
}

struct lines {
	char text[4096];
};

static void keep_line(void *ctx, enum log_level level, const char *text)
{
	struct lines *l = ctx;
	size_t n = strlen(l->text);

	(void)level;
	snprintf(l->text + n, sizeof(l->text) - n, "%s\n", text);
}

static void test_p06_profile_in_use_is_logged_at_start(void **state)
{
	const struct vh_caps caps = {.size = sizeof(caps), .has_feedback = 1};
	struct lines l = {""};
	struct log_sink sink = {keep_line, &l, LOG_INF};
	struct pev_session s;
	struct pev_conf conf;
	char err[200];

	(void)state;
	car_conf(&conf, PEV_V2_0_EX);
	assert_int_equal(pev_session_init(&s, &conf, &caps, &sink, 0, err, sizeof(err)), 0);
	assert_non_null(strstr(l.text, "protocol=2.0-ex current_step_mA=100"));
}

/* ---------------------------------------------------------------------------------------------------- P-07 */

static void test_p07_unknown_stage_is_a_number_and_dc_control_governs(void **state)
{
	char answer[8192];

	(void)state;
	car_init(&car, PEV_V2_5);
	car_to_stage(&car, 7);
	car.info.protocol = 99;
	car.info.pins = 77;
	car_stage(&car, 42);
	car_run_ms(&car, 1000);
	assert_int_equal(car_state(&car), PEV_ST_UNKNOWN);
	assert_true(car.vehicle.cmd.is_closed);
	assert_int_equal(car_command_answer(&car, "status", answer, sizeof(answer)), 0);
	assert_non_null(strstr(answer, "stage=42\n"));
	assert_non_null(strstr(answer, "charging_protocol=99\n"));
	assert_non_null(strstr(answer, "pins=77\n"));
	car.vehicle.st.current_mA = 0;
	car_close(&car, false);
	assert_false(car.vehicle.cmd.is_closed);
	car_run_ms(&car, 1000);
	car_close(&car, true);
	assert_true(car.vehicle.cmd.is_closed);
	car_check(&car);
}

static void test_p07_stage_11_has_no_name_in_20ex(void **state)
{
	(void)state;
	car_init(&car, PEV_V2_0_EX);
	car_to_stage(&car, 7);
	car_stage(&car, 11);
	assert_int_equal(car.point.session.wire.count.n_unknown, 1);
	assert_int_equal(car_state(&car), PEV_ST_UNKNOWN);
	car_run(&car, CAR_MS(500));
	assert_int_equal(car.point.given.is_closed, 1); /* DC_Control alone governs */
	car_check(&car);
}

/* ------------------------------------------------------------------------------------------ P-09 and P-10 */

static void test_p09_cyclic_messages_every_100_ms_in_every_stage(void **state)
{
	static const canid_t id[] = {0x610, 0x611, 0x612, 0x613, 0x614, 0x615, 0x616};
	size_t i;
	int stage;

	(void)state;
	car_init(&car, PEV_V2_5);
	for (stage = -1; stage <= 11; stage++) {
		int64_t from_us;

		if (stage >= 0)
			car_stage(&car, (uint8_t)stage);
		car_close(&car, false);
		from_us = car.now_us + 1;
		car_run_ms(&car, 1000);
		for (i = 0; i < sizeof(id) / sizeof(id[0]); i++)
			assert_int_equal(car_count(&car, id[i], from_us), 10);
	}
	for (i = 0; i < car.n_frames; i++)
		if (car.frame[i].f.can_id < 0x617)
			assert_int_equal((car.frame[i].time_us - CAR_START_US) % CAR_MS(100), 0);
	car_check(&car);
}

static void test_p09_late_tick_skips_slots_instead_of_bursting(void **state)
{
	(void)state;
	car_init(&car, PEV_V2_5);
	car_run_ms(&car, 100);
	car.n_frames = 0;
	car.now_us += CAR_MS(537);
	car_tick(&car);
	car_tick(&car);
	assert_int_equal(car_count(&car, 0x612, 0), 1);
	assert_int_equal(car.m.ops->next_us(car.m.self), CAR_START_US + CAR_MS(700));
}

static void test_enable_switches_act_live_per_message(void **state)
{
	static const struct {
		const char *off, *on;
		canid_t id;
	} row[] = {
		{"set enable_ev_information false", "set enable_ev_information true", 0x610},
		{"set enable_ac_status false", "set enable_ac_status true", 0x611},
		{"set enable_dc_status_1 false", "set enable_dc_status_1 true", 0x612},
		{"set enable_dc_status_2 false", "set enable_dc_status_2 true", 0x613},
		{"set enable_ev_energy_request false", "set enable_ev_energy_request true", 0x614},
		{"set enable_ev_v2x_energy_request false", "set enable_ev_v2x_energy_request true", 0x615},
		{"set enable_ev_extra_bpt_info false", "set enable_ev_extra_bpt_info true", 0x616},
		{"set enable_ev_status false", "set enable_ev_status true", 0x618},
	};
	size_t i;

	(void)state;
	car_init(&car, PEV_V2_4);
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		int64_t from_us = car.now_us + 1;

		assert_int_equal(car_command(&car, row[i].off), 0);
		car_run_ms(&car, 500);
		assert_int_equal(car_count(&car, row[i].id, from_us), 0);
		assert_int_equal(car_command(&car, row[i].on), 0);
		car_run_ms(&car, 500);
		assert_int_equal(car_count(&car, row[i].id, from_us), 5);
	}
	car_check(&car);
}

static void test_p10_25_sends_ev_status_on_change_once_repeated_and_on_stages_1_and_2(void **state)
{
	int64_t from_us;

	(void)state;
	car_init(&car, PEV_V2_5);
	car_run_ms(&car, 1000);
	assert_int_equal(car_count(&car, 0x618, 0), 0);
	car.vehicle.st.is_hv_ready = 0;
	car_run_ms(&car, 1000);
	assert_int_equal(car_count(&car, 0x618, 0), 2); /* the change and its repetition */
	from_us = car.now_us;
	car_stage(&car, 1);
	assert_int_equal(car_count(&car, 0x618, from_us), 1);
	car_run_ms(&car, 1000);
	assert_int_equal(car_count(&car, 0x618, from_us), 2);
	from_us = car.now_us;
	car_close(&car, false);
	car_stage(&car, 2);
	assert_int_equal(car_count(&car, 0x618, from_us), 1);
	car_run_ms(&car, 1000);
	assert_int_equal(car_count(&car, 0x618, from_us), 2);
	from_us = car.now_us;
	car_stage(&car, 3);
	car_run_ms(&car, 1000);
	assert_int_equal(car_count(&car, 0x618, from_us), 0);
	assert_int_equal(car_count(&car, 0x617, 0), 0);
	car_check(&car);
}

static void test_p10_switched_off_ev_status_is_said_again_when_switched_on(void **state)
{
	(void)state;
	car_init(&car, PEV_V2_5);
	assert_int_equal(car_command(&car, "set enable_ev_status false"), 0);
	car.vehicle.st.is_hv_ready = 0;
	car_run_ms(&car, 500);
	assert_int_equal(car_count(&car, 0x618, 0), 0);
	assert_int_equal(car_command(&car, "set enable_ev_status true"), 0);
	assert_int_equal(car_ev_status(&car).hv_preparing_hold_off, 1);
}

static void test_p10_25_outputs_on_change_only_once_they_were_set(void **state)
{
	(void)state;
	car_init(&car, PEV_V2_5);
	car_to_stage(&car, 2);
	assert_int_equal(car_count(&car, 0x617, 0), 0);
	assert_int_equal(car_command(&car, "set digital_output2 true"), 0);
	car_run_ms(&car, 500);
	assert_int_equal(car_count(&car, 0x617, 0), 2);
	assert_int_equal(car_command(&car, "set digital_output2 false"), 0);
	car_run_ms(&car, 500);
	assert_int_equal(car_count(&car, 0x617, 0), 4);
	car_stage(&car, 1);
	car_run_ms(&car, 500);
	assert_int_equal(car_count(&car, 0x617, 0), 6);
}

static void test_p10_older_profiles_send_them_cyclically(void **state)
{
	static const struct {
		int32_t protocol;
		uint32_t n_status, n_outputs;
	} row[] = {
		{PEV_V2_0_EX, 0, 0}, {PEV_V2_0, 0, 3},	{PEV_V2_1, 30, 3},
		{PEV_V2_2, 30, 3},   {PEV_V2_4, 30, 3},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		car_init(&car, row[i].protocol);
		car_run_ms(&car, 2950);
		assert_int_equal(car_count(&car, 0x618, 0), row[i].n_status);
		assert_int_equal(car_count(&car, 0x617, 0), row[i].n_outputs);
		car_check(&car);
	}
}

/* ------------------------------------------------------------------------------------------------- filters */

static void test_filters_are_exact_for_both_kinds_and_the_drivers(void **state)
{
	struct can_filter f[MACHINE_MAX_FILTERS];

	(void)state;
	car_init(&car, PEV_V2_5);
	assert_int_equal(car.m.ops->filters(car.m.self, f, MACHINE_MAX_FILTERS), 14);
	assert_int_equal(f[0].can_id, 0x600);
	assert_int_equal(f[1].can_id, 0x600 | CAN_EFF_FLAG);
	assert_int_equal(f[0].can_mask, CAN_SFF_MASK | CAN_EFF_FLAG | CAN_RTR_FLAG);
	assert_int_equal(car.m.ops->filters(car.m.self, f, 3), 2);
	car_init(&car, PEV_V2_0_EX);
	assert_int_equal(car.m.ops->filters(car.m.self, f, MACHINE_MAX_FILTERS), 10);
	car.point.driver_filter[0].can_id = 0x123;
	car.point.n_driver_filters = 1;
	assert_int_equal(car.m.ops->filters(car.m.self, f, MACHINE_MAX_FILTERS), 11);
	assert_int_equal(f[10].can_id, 0x123);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v25_frames_of_reference_byte_for_byte),
		cmocka_unit_test(test_v20ex_frames_of_reference_byte_for_byte),
		cmocka_unit_test(test_v25_bidirectional_request_of_reference),
		cmocka_unit_test(test_contactors_closed_and_stop_bits_of_reference),
		cmocka_unit_test(test_emergency_bit_of_reference),
		cmocka_unit_test(test_hold_off_pause_and_outputs_of_reference),
		cmocka_unit_test(test_frames_of_module_of_reference_are_read),
		cmocka_unit_test(test_p01_force_extended_ids_sends_29_bit_frames),
		cmocka_unit_test(test_p02_both_kinds_of_identifier_are_accepted),
		cmocka_unit_test(test_p02_odd_frames_are_dropped_counted_and_do_no_harm),
		cmocka_unit_test(
			test_p02_longer_frame_counts_with_leading_bytes_and_reserved_bits_are_ignored),
		cmocka_unit_test(test_p02_values_beyond_the_signal_are_saturated),
		cmocka_unit_test(test_p03_scales_by_profile),
		cmocka_unit_test(test_p04_energy_order_is_swapped_only_where_asked),
		cmocka_unit_test(test_p06_unknown_profile_is_refused_and_default_is_25),
		cmocka_unit_test(test_p06_profile_in_use_is_logged_at_start),
		cmocka_unit_test(test_p07_unknown_stage_is_a_number_and_dc_control_governs),
		cmocka_unit_test(test_p07_stage_11_has_no_name_in_20ex),
		cmocka_unit_test(test_p09_cyclic_messages_every_100_ms_in_every_stage),
		cmocka_unit_test(test_p09_late_tick_skips_slots_instead_of_bursting),
		cmocka_unit_test(test_enable_switches_act_live_per_message),
		cmocka_unit_test(test_p10_25_sends_ev_status_on_change_once_repeated_and_on_stages_1_and_2),
		cmocka_unit_test(test_p10_switched_off_ev_status_is_said_again_when_switched_on),
		cmocka_unit_test(test_p10_25_outputs_on_change_only_once_they_were_set),
		cmocka_unit_test(test_p10_older_profiles_send_them_cyclically),
		cmocka_unit_test(test_filters_are_exact_for_both_kinds_and_the_drivers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
