/* SPDX-License-Identifier: MIT */
/* The monitors' model: which frames count, what is kept of each message, the load of the bus, questions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <linux/can/error.h>

#include "monitor/mon_model_priv.h"
#include "tests/lib/mon_events.h"

#define START INT64_C(5000000)
#define MS    INT64_C(1000)

static struct mon_model m;
static struct mon_events told;

static void start(enum mon_side side, unsigned version)
{
	struct mon_cfg cfg = {.side = side, .version = version};
	struct mon_sink sink = mon_events_sink(&told);

	mon_model_init(&m, &cfg, &sink, START);
}

static void rx(int64_t ms, canid_t id, uint8_t dlc, uint64_t data)
{
	struct can_frame f = {.can_id = id, .can_dlc = dlc};

	msg_store64(f.data, data);
	mon_model_rx(&m, START + ms * MS, &f);
}

static canid_t evse_id(unsigned msg, unsigned pistol)
{
	return m.layouts[msg].id | (canid_t)pistol << MSG_INDEX_SHIFT;
}

static void status(int64_t ms, uint8_t state)
{
	rx(ms, evse_id(EVSE_ADVANTICS_CONTROLLER_STATUS, 1), 1, state);
}

static const struct mon_msg *msg_of(unsigned point, unsigned msg)
{
	assert_non_null(mon_point(&m, point));
	return &mon_point(&m, point)->msg[msg];
}

/* --- which frames count ---------------------------------------------------------------------------------------- */

static void test_model_every_message_of_every_version_fits_the_content_buffer(void **state)
{
	(void)state;
	for (unsigned v = 0; v < EVSE_N_VERSIONS; v++)
		for (unsigned i = 0; i < EVSE_N_MSGS; i++)
			assert_true(evse_layouts[v][i].msg_size <= sizeof(union mon_content));
	for (unsigned v = 0; v < PEV_N_VERSIONS; v++)
		for (unsigned i = 0; i < PEV_N_MSGS; i++)
			assert_true(pev_layouts[v][i].msg_size <= sizeof(union mon_content));
}

static void test_model_frames_of_others_are_foreign(void **state)
{
	(void)state;
	start(MON_EVSE, EVSE_V3_6);
	rx(0, 0x600, 6, 7);					    /* the vehicle's interface */
	rx(1, 0x6B000, 1, 7);					    /* 11 bits (rule E-02) */
	rx(2, 0x010A0000 | CAN_EFF_FLAG, 8, 0);			    /* the virtual plug */
	rx(3, evse_id(EVSE_ADVANTICS_CONTROLLER_STATUS, 0), 1, 7);  /* no pistol */
	rx(4, evse_id(EVSE_ADVANTICS_CONTROLLER_STATUS, 16), 1, 7); /* beyond the last one */
	rx(5, evse_id(EVSE_ADVANTICS_CONTROLLER_STATUS, 15), 1, 7);
	assert_int_equal(m.bus.n_frames, 6);
	assert_int_equal(m.bus.n_foreign, 5);
	assert_int_equal(m.bus.n_ours, 1);
	assert_null(mon_point(&m, 0));
	assert_null(mon_point(&m, 1));
	assert_null(mon_point(&m, 16));
	assert_int_equal(msg_of(15, EVSE_ADVANTICS_CONTROLLER_STATUS)->n, 1);
}

static void test_model_pistols_that_are_not_asked_for_are_foreign(void **state)
{
	struct mon_cfg cfg = {.side = MON_EVSE, .version = EVSE_V3_6, .points_mask = 1 << 2};

	(void)state;
	mon_model_init(&m, &cfg, NULL, START);
	rx(0, evse_id(EVSE_ADVANTICS_CONTROLLER_STATUS, 1), 1, 7);
	rx(0, evse_id(EVSE_ADVANTICS_CONTROLLER_STATUS, 2), 1, 7);
	assert_null(mon_point(&m, 1));
	assert_non_null(mon_point(&m, 2));
	assert_int_equal(m.bus.n_foreign, 1);
}

static void test_model_messages_that_a_version_lacks_are_foreign(void **state)
{
	(void)state;
	start(MON_EVSE, EVSE_V3_2);
	rx(0, 0x0106B203 | CAN_EFF_FLAG, 8, 0);
	assert_int_equal(m.bus.n_foreign, 1);
	start(MON_EVSE, EVSE_V3_0);
	rx(0, 0x01068009 | CAN_EFF_FLAG, 1, 7);
	assert_int_equal(m.bus.n_ours, 1);
	start(MON_PEV, PEV_V2_0_EX);
	rx(0, 0x605, 8, 0);
	assert_int_equal(m.bus.n_foreign, 1);
}

static void test_model_vehicle_frames_count_with_11_and_29_bits(void **state)
{
	(void)state;
	start(MON_PEV, PEV_V2_5);
	rx(0, 0x610, 3, 30);
	rx(1, 0x610 | CAN_EFF_FLAG, 3, 31);
	rx(2, 0x01000610 | CAN_EFF_FLAG, 3, 32);
	assert_int_equal(m.bus.n_ours, 2);
	assert_int_equal(msg_of(0, PEV_EV_INFORMATION)->data[0], 31);
}

static void test_model_short_and_remote_frames_are_counted_and_dropped(void **state)
{
	const canid_t id = 0x01063000 | CAN_EFF_FLAG;

	(void)state;
	start(MON_EVSE, EVSE_V3_6);
	rx(0, id, 8, 1);
	rx(1, id, 7, 2);
	rx(2, id, 0, 3);
	rx(3, id | CAN_RTR_FLAG, 8, 4);
	rx(4, id, 9, 5); /* no frame of this bus */
	assert_int_equal(msg_of(1, EVSE_POWER_MODULES_STATUS)->n, 1);
	assert_int_equal(msg_of(1, EVSE_POWER_MODULES_STATUS)->data[0], 1);
	assert_int_equal(msg_of(1, EVSE_POWER_MODULES_STATUS)->n_short, 3);
	assert_int_equal(m.bus.n_bad, 4);
	assert_int_equal(m.bus.n_ours, 5);
}

static void test_model_old_short_forms_are_taken_and_the_rest_is_unknown(void **state)
{
	int old, new;

	(void)state;
	start(MON_EVSE, EVSE_V3_6);
	old = mon_field_find(&m, EVSE_EV_INFORMATION_BATTERY, "Present_State_of_Charge");
	new = mon_field_find(&m, EVSE_EV_INFORMATION_BATTERY, "Target_State_of_Charge");
	rx(0, 0x0106B100 | CAN_EFF_FLAG, 2, 0);
	assert_int_equal(m.bus.n_bad, 1);
	rx(0, 0x0106B100 | CAN_EFF_FLAG, 3, 0x1E004C);
	assert_int_equal(mon_field(&m, 1, EVSE_EV_INFORMATION_BATTERY, (unsigned)old).number, 300);
	assert_false(mon_field(&m, 1, EVSE_EV_INFORMATION_BATTERY, (unsigned)new).is_known);
	rx(1, 0x0106B100 | CAN_EFF_FLAG, 6, 0x5A500A1E004C);
	assert_true(mon_field(&m, 1, EVSE_EV_INFORMATION_BATTERY, (unsigned)new).is_known);
	assert_int_equal(mon_field(&m, 1, EVSE_EV_INFORMATION_BATTERY, (unsigned)new).number, 800);
	start(MON_PEV, PEV_V2_0_EX);
	rx(0, 0x612, 4, 0x000007D0);
	rx(1, 0x612, 8, 0x000007D0);
	assert_int_equal(msg_of(0, PEV_DC_STATUS1)->n, 2);
	start(MON_PEV, PEV_V2_5);
	rx(0, 0x612, 4, 0);
	assert_int_equal(m.bus.n_bad, 1);
}

static void test_model_longer_frames_count_with_their_leading_bytes(void **state)
{
	(void)state;
	start(MON_EVSE, EVSE_V3_6);
	rx(0, 0x0106B000 | CAN_EFF_FLAG, 8, 0xFFFFFF07);
	rx(1, 0x0106B000 | CAN_EFF_FLAG, 1, 0x07);
	assert_int_equal(msg_of(1, EVSE_ADVANTICS_CONTROLLER_STATUS)->dlc, 1);
	assert_int_equal(msg_load64(msg_of(1, EVSE_ADVANTICS_CONTROLLER_STATUS)->data), 7);
	assert_int_equal(msg_of(1, EVSE_ADVANTICS_CONTROLLER_STATUS)->n_changes, 0);
}

static void test_model_time_that_goes_back_counts_as_the_last_one(void **state)
{
	(void)state;
	start(MON_EVSE, EVSE_V3_6);
	status(100, 1);
	status(50, 1);
	assert_int_equal(msg_of(1, EVSE_ADVANTICS_CONTROLLER_STATUS)->last_us, START + 100 * MS);
	mon_model_tick(&m, START);
	assert_int_equal(m.now_us, START + 100 * MS);
	mon_model_tick(&m, INT64_MAX);
	mon_model_rx(&m, INT64_MIN, &(struct can_frame){.can_id = 1});
	assert_true(m.now_us > START);
}

static void test_model_unknown_version_is_the_newest(void **state)
{
	(void)state;
	start(MON_EVSE, 99);
	assert_int_equal(m.cfg.version, EVSE_V3_6);
	start(MON_PEV, 99);
	assert_int_equal(m.cfg.version, PEV_V2_5);
}

static void test_model_second_init_forgets_all(void **state)
{
	(void)state;
	start(MON_EVSE, EVSE_V3_6);
	status(0, 7);
	rx(1, 0x02063000 | CAN_EFF_FLAG, 8, 1);
	start(MON_EVSE, EVSE_V3_6);
	assert_null(mon_point(&m, 1));
	assert_int_equal(m.bus.n_frames, 0);
	assert_int_equal(m.n_events, 0);
	rx(0, 0x02063001 | CAN_EFF_FLAG, 8, 1);
	assert_int_equal(msg_of(2, EVSE_POWER_MODULES_STATUS)->n, 0);
	assert_int_equal(m.point[1].first_us, -1);
}

/* --- what is kept of a message ---------------------------------------------------------------------------------- */

static void test_model_period_and_jitter_settle_at_those_of_the_message(void **state)
{
	const struct mon_msg *g;

	(void)state;
	start(MON_EVSE, EVSE_V3_6);
	status(0, 1);
	assert_int_equal(msg_of(1, EVSE_ADVANTICS_CONTROLLER_STATUS)->period_us, 0);
	status(101, 1);
	assert_int_equal(msg_of(1, EVSE_ADVANTICS_CONTROLLER_STATUS)->period_us, 101 * MS);
	assert_int_equal(msg_of(1, EVSE_ADVANTICS_CONTROLLER_STATUS)->jitter_us, 0);
	for (int i = 2; i < 400; i++) /* 98 and 102 ms by turns */
		status(100 * i + (i % 2 ? -1 : 1), 1);
	g = msg_of(1, EVSE_ADVANTICS_CONTROLLER_STATUS);
	assert_in_range(g->period_us, 99800, 100200);
	assert_in_range(g->jitter_us, 1800, 2200);
	assert_int_equal(g->gap_max_us, 102 * MS);
	assert_int_equal(g->n, 400);
	assert_int_equal(g->first_us, START);
}

static void test_model_changes_are_counted_and_marked_by_their_bits(void **state)
{
	const struct mon_msg *g;

	(void)state;
	start(MON_EVSE, EVSE_V3_6);
	rx(0, 0x01063000 | CAN_EFF_FLAG, 8, 0x0100000000000FA0);
	g = msg_of(1, EVSE_POWER_MODULES_STATUS);
	assert_int_equal(g->n_changes, 0);
	assert_int_equal(g->changed_us, START);
	rx(100, 0x01063000 | CAN_EFF_FLAG, 8, 0x0100000000000FA0);
	assert_int_equal(g->n_changes, 0);
	rx(200, 0x01063000 | CAN_EFF_FLAG, 8, 0x0100000000010FA1);
	assert_int_equal(g->n_changes, 1);
	assert_int_equal(g->changed, 0x10001);
	assert_int_equal(g->changed_us, START + 200 * MS);
	assert_int_equal(g->n, 3);
}

static struct mon_value pms_value(const char *signal)
{
	int field = mon_field_find(&m, EVSE_POWER_MODULES_STATUS, signal);

	assert_true(field >= 0);
	return mon_field(&m, 1, EVSE_POWER_MODULES_STATUS, (unsigned)field);
}

static void test_model_value_comes_in_our_units_with_age_label_and_marks(void **state)
{
	(void)state;
	start(MON_EVSE, EVSE_V3_6);
	assert_false(pms_value("Present_Voltage").is_known);
	assert_int_equal(pms_value("Present_Voltage").age_us, -1);
	rx(0, 0x01063000 | CAN_EFF_FLAG, 8, 0x3201143CFDD50FB7);
	mon_model_tick(&m, START + 40 * MS);
	assert_true(pms_value("Present_Voltage").is_known);
	assert_int_equal(pms_value("Present_Voltage").number, 402300);
	assert_int_equal(pms_value("Present_Current").number, -55500);
	assert_int_equal(pms_value("Insulation_Resistance").number, 100000);
	assert_int_equal(pms_value("Present_Voltage").age_us, 40 * MS);
	assert_string_equal(pms_value("System_Enable").label, "Allowed");
	assert_null(pms_value("Present_Voltage").label);
	assert_false(pms_value("Present_Voltage").is_stale);
	mon_model_tick(&m, START + 301 * MS);
	assert_true(pms_value("Present_Voltage").is_stale);
}

static void test_model_changed_mark_lasts_a_second_whatever_the_neighbours_do(void **state)
{
	(void)state;
	start(MON_EVSE, EVSE_V3_6);
	rx(0, 0x01063000 | CAN_EFF_FLAG, 8, 0);
	assert_false(pms_value("Present_Voltage").is_changed);
	rx(100, 0x01063000 | CAN_EFF_FLAG, 8, 1);
	assert_true(pms_value("Present_Voltage").is_changed);
	assert_false(pms_value("Present_Current").is_changed);
	for (int i = 2; i <= 11; i++) {
		rx(100 * i, 0x01063000 | CAN_EFF_FLAG, 8, 1 | (uint64_t)i << 16);
		assert_true(pms_value("Present_Voltage").is_changed);
	}
	for (int i = 12; i <= 17; i++)
		rx(100 * i, 0x01063000 | CAN_EFF_FLAG, 8, 1 | (uint64_t)i << 16);
	assert_false(pms_value("Present_Voltage").is_changed);
	assert_true(pms_value("Present_Current").is_changed);
	mon_model_tick(&m, START + 2701 * MS);
	assert_false(pms_value("Present_Current").is_changed);
}

static void test_model_get_unpacks_the_whole_message(void **state)
{
	struct evse_power_modules_status s = {.present_voltage_mV = 5};

	(void)state;
	start(MON_EVSE, EVSE_V3_6);
	assert_int_equal(mon_get(&m, 1, EVSE_POWER_MODULES_STATUS, &s), -1);
	assert_int_equal(s.present_voltage_mV, 0);
	rx(0, 0x01063000 | CAN_EFF_FLAG, 8, 0x3201143CFDD50FB7);
	mon_model_tick(&m, START + 7);
	assert_int_equal(mon_get(&m, 1, EVSE_POWER_MODULES_STATUS, &s), 7);
	assert_int_equal(s.present_voltage_mV, 402300);
	assert_int_equal(s.power_modules_temperature_mdegC, 20000);
	assert_int_equal(mon_get(&m, 1, MON_MAX_MSGS, &s), -1);
	assert_int_equal(mon_get(&m, 99, EVSE_POWER_MODULES_STATUS, &s), -1);
}

static unsigned n_told_of(const char *signal)
{
	unsigned n = 0;

	for (unsigned i = 0; i < told.n_changes; i++)
		n += strcmp(m.layouts[told.change[i].msg].fields[told.change[i].field].signal, signal) == 0;
	return n;
}

static void test_model_sink_hears_each_field_once_and_then_its_changes(void **state)
{
	(void)state;
	start(MON_EVSE, EVSE_V3_6);
	rx(0, 0x01063000 | CAN_EFF_FLAG, 8, 0);
	assert_int_equal(told.n_changes, m.layouts[EVSE_POWER_MODULES_STATUS].n_fields);
	assert_true(told.change[0].is_first);
	assert_int_equal(told.change[0].old, told.change[0].number);
	rx(100, 0x01063000 | CAN_EFF_FLAG, 8, 0);
	assert_int_equal(told.n_changes, m.layouts[EVSE_POWER_MODULES_STATUS].n_fields);
	rx(200, 0x01063000 | CAN_EFF_FLAG, 8, 0x0FA0);
	assert_int_equal(told.n_changes, m.layouts[EVSE_POWER_MODULES_STATUS].n_fields + 1u);
	assert_int_equal(n_told_of("Present_Voltage"), 2);
	assert_int_equal(told.change[told.n_changes - 1].old, 0);
	assert_int_equal(told.change[told.n_changes - 1].number, 400000);
	assert_int_equal(told.change[told.n_changes - 1].time_us, START + 200 * MS);
	assert_int_equal(told.change[told.n_changes - 1].point, 1);
	assert_false(told.change[told.n_changes - 1].is_first);
}

static void test_model_sink_hears_fields_that_appear_with_a_longer_frame_as_first(void **state)
{
	(void)state;
	start(MON_EVSE, EVSE_V3_6);
	rx(0, 0x0106B100 | CAN_EFF_FLAG, 3, 0x1E004C);
	assert_int_equal(told.n_changes, 2);
	rx(1, 0x0106B100 | CAN_EFF_FLAG, 6, 0x00500A1E004C);
	assert_int_equal(told.n_changes, 5);
	assert_true(told.change[2].is_first);
	rx(2, 0x0106B100 | CAN_EFF_FLAG, 3, 0x1E004C);
	assert_int_equal(told.n_changes, 5);
}

static void test_model_stale_times_are_three_periods_at_least_what_is_configured(void **state)
{
	struct mon_cfg cfg = {.side = MON_EVSE, .version = EVSE_V3_6, .stale_us = 700 * MS};

	(void)state;
	start(MON_EVSE, EVSE_V3_6);
	assert_int_equal(mon_stale_after_us(&m, EVSE_ADVANTICS_CONTROLLER_STATUS), 300 * MS);
	assert_int_equal(mon_stale_after_us(&m, EVSE_ADM_CS_SECC_INPUTS), 3000 * MS);
	assert_int_equal(mon_stale_after_us(&m, EVSE_DC_POWER_CONTROL), 60000 * MS);
	assert_true(mon_stale_after_us(&m, EVSE_OCPP_CONTROL) == FC_NEVER);
	assert_true(mon_stale_after_us(&m, EVSE_NEW_CHARGE_SESSION) == FC_NEVER);
	mon_model_init(&m, &cfg, NULL, START);
	assert_int_equal(mon_stale_after_us(&m, EVSE_ADVANTICS_CONTROLLER_STATUS), 700 * MS);
	assert_int_equal(mon_stale_after_us(&m, EVSE_ADM_CS_SECC_INPUTS), 3000 * MS);
	assert_true(mon_is_stale(&m, 1, EVSE_OCPP_CONTROL)); /* never heard */
	rx(0, 0x0106B300 | CAN_EFF_FLAG, 2, 100);
	mon_model_tick(&m, START + 3600000 * MS);
	assert_false(mon_is_stale(&m, 1, EVSE_OCPP_CONTROL));
}

static void test_model_halves_of_all_messages_are_those_of_the_interface(void **state)
{
	(void)state;
	for (unsigned v = EVSE_V3_0; v < EVSE_N_VERSIONS; v++) {
		start(MON_EVSE, v);
		for (unsigned i = 0; i < m.n_msgs; i++)
			if (msg_exists(&m.layouts[i]))
				assert_int_equal(mon_half(&m, i), i < EVSE_ADVANTICS_CONTROLLER_STATUS);
	}
	start(MON_PEV, PEV_V2_5);
	for (unsigned i = 0; i < m.n_msgs; i++)
		assert_int_equal(mon_half(&m, i), i >= PEV_EV_INFORMATION);
}

static void test_model_names_and_questions_out_of_range(void **state)
{
	(void)state;
	start(MON_EVSE, EVSE_V3_6);
	for (int i = 0; i < MON_N_PHASES; i++)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(mon_phase_name((enum mon_phase)i),
						mon_phase_name((enum mon_phase)k));
	assert_string_equal(mon_phase_name(MON_PHASE_PRECHARGE), "precharge");
	assert_string_equal(mon_severity_name(MON_FAULT), "fault");
	assert_int_equal(mon_field_find(&m, EVSE_POWER_MODULES_STATUS, "Nonsense"), -1);
	assert_int_equal(mon_field_find(&m, 99, "State"), -1);
	assert_null(mon_field(&m, 1, 99, 0).field);
	assert_null(mon_field(&m, 1, EVSE_POWER_MODULES_STATUS, 99).field);
	assert_true(mon_stale_after_us(&m, 99) == FC_NEVER);
	assert_int_equal(mon_half_age_us(&m, 1, MON_MODULE), -1);
	status(0, 1);
	mon_model_tick(&m, START + 5);
	assert_int_equal(mon_half_age_us(&m, 1, MON_MODULE), 5);
	assert_int_equal(mon_half_age_us(&m, 1, MON_CONTROLLER), -1);
}

/* --- the bus ---------------------------------------------------------------------------------------------------- */

static void test_model_load_of_a_full_bus(void **state)
{
	(void)state;
	start(MON_EVSE, EVSE_V3_6);
	for (int i = 0; i < 8000; i++) { /* 131 bits at 500 kbit/s: one every 262 us */
		struct can_frame f = {.can_id = 0x0106B203 | CAN_EFF_FLAG, .can_dlc = 8};

		mon_model_rx(&m, START + 262 * i, &f);
	}
	assert_in_range(m.bus.load_permille, 997, 1001);
	assert_in_range(m.bus.frames_per_s, 3812, 3822);
	mon_model_tick(&m, m.now_us + 1100 * MS);
	assert_int_equal(m.bus.load_permille, 0);
	assert_int_equal(m.bus.frames_per_s, 0);
}

static void test_model_load_counts_headers_by_their_kind(void **state)
{
	(void)state;
	start(MON_PEV, PEV_V2_5);
	for (int i = 0; i < 10; i++) {
		rx(100 * i, 0x123, 2, 0);		 /* 63 bits */
		rx(100 * i, 0x123 | CAN_RTR_FLAG, 8, 0); /* 47 */
		rx(100 * i, 0x123 | CAN_EFF_FLAG, 0, 0); /* 67 */
	}
	mon_model_tick(&m, START + 1000 * MS);
	assert_int_equal(m.bus.frames_per_s, 30);
	assert_int_equal(m.bus.load_permille, 1770 * 1000 / 500000);
}

static void error_frame(int64_t ms, canid_t class, uint8_t data1)
{
	rx(ms, CAN_ERR_FLAG | class, CAN_ERR_DLC, (uint64_t)data1 << 8);
}

static void test_model_bus_off_and_back_are_edges(void **state)
{
	(void)state;
	start(MON_EVSE, EVSE_V3_6);
	assert_true(m.bus.is_up);
	error_frame(0, CAN_ERR_RESTARTED, 0);
	error_frame(10, CAN_ERR_BUSOFF, 0);
	error_frame(20, CAN_ERR_BUSOFF, 0);
	assert_false(m.bus.is_up);
	error_frame(30, CAN_ERR_RESTARTED, 0);
	assert_true(m.bus.is_up);
	assert_int_equal(m.bus.n_errors, 4);
	assert_int_equal(m.bus.n_frames, 0);
	assert_int_equal(mon_events_count(&told, "bus down"), 1);
	assert_int_equal(mon_events_count(&told, "bus up"), 1);
	assert_int_equal(mon_events_need(&told, "bus down")->severity, MON_FAULT);
}

static void test_model_error_passive_is_told_once(void **state)
{
	(void)state;
	start(MON_EVSE, EVSE_V3_6);
	error_frame(0, CAN_ERR_CRTL, CAN_ERR_CRTL_TX_WARNING);
	error_frame(1, CAN_ERR_CRTL, CAN_ERR_CRTL_TX_PASSIVE);
	error_frame(2, CAN_ERR_CRTL, CAN_ERR_CRTL_TX_PASSIVE);
	error_frame(3, CAN_ERR_CRTL, CAN_ERR_CRTL_ACTIVE);
	assert_int_equal(mon_events_count(&told, "error-passive"), 1);
	assert_int_equal(mon_events_count(&told, "warning limit"), 1);
	assert_int_equal(mon_events_count(&told, "active again"), 1);
}

static void test_model_drops_are_told_at_once_and_then_once_a_second(void **state)
{
	(void)state;
	start(MON_EVSE, EVSE_V3_6);
	mon_model_dropped(&m, START, 0);
	assert_int_equal(told.n_events, 0);
	mon_model_dropped(&m, START, 12);
	for (int i = 1; i <= 50; i++)
		mon_model_dropped(&m, START + i * 10 * MS, 2);
	assert_int_equal(m.bus.n_dropped, 112);
	assert_int_equal(mon_events_count(&told, "lost between"), 1);
	mon_events_need(&told, "12 frames lost between");
	mon_model_tick(&m, START + 1100 * MS);
	mon_events_need(&told, "100 frames lost between");
	mon_model_tick(&m, START + 5000 * MS);
	assert_int_equal(mon_events_count(&told, "lost between"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model_every_message_of_every_version_fits_the_content_buffer),
		cmocka_unit_test(test_model_frames_of_others_are_foreign),
		cmocka_unit_test(test_model_pistols_that_are_not_asked_for_are_foreign),
		cmocka_unit_test(test_model_messages_that_a_version_lacks_are_foreign),
		cmocka_unit_test(test_model_vehicle_frames_count_with_11_and_29_bits),
		cmocka_unit_test(test_model_short_and_remote_frames_are_counted_and_dropped),
		cmocka_unit_test(test_model_old_short_forms_are_taken_and_the_rest_is_unknown),
		cmocka_unit_test(test_model_longer_frames_count_with_their_leading_bytes),
		cmocka_unit_test(test_model_time_that_goes_back_counts_as_the_last_one),
		cmocka_unit_test(test_model_unknown_version_is_the_newest),
		cmocka_unit_test(test_model_second_init_forgets_all),
		cmocka_unit_test(test_model_period_and_jitter_settle_at_those_of_the_message),
		cmocka_unit_test(test_model_changes_are_counted_and_marked_by_their_bits),
		cmocka_unit_test(test_model_value_comes_in_our_units_with_age_label_and_marks),
		cmocka_unit_test(test_model_changed_mark_lasts_a_second_whatever_the_neighbours_do),
		cmocka_unit_test(test_model_get_unpacks_the_whole_message),
		cmocka_unit_test(test_model_sink_hears_each_field_once_and_then_its_changes),
		cmocka_unit_test(test_model_sink_hears_fields_that_appear_with_a_longer_frame_as_first),
		cmocka_unit_test(test_model_stale_times_are_three_periods_at_least_what_is_configured),
		cmocka_unit_test(test_model_halves_of_all_messages_are_those_of_the_interface),
		cmocka_unit_test(test_model_names_and_questions_out_of_range),
		cmocka_unit_test(test_model_load_of_a_full_bus),
		cmocka_unit_test(test_model_load_counts_headers_by_their_kind),
		cmocka_unit_test(test_model_bus_off_and_back_are_edges),
		cmocka_unit_test(test_model_error_passive_is_told_once),
		cmocka_unit_test(test_model_drops_are_told_at_once_and_then_once_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
