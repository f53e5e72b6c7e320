/* SPDX-License-Identifier: MIT */
/*
 * Rules of the charger's controller that show only with a power stack that moves: voltages, currents and their
 * times. The complete charge point in virtual time; sampled every 10 ms.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/point_rig.h"

static struct point_rig *rig;

static int setup(void **state)
{
	point_rig_defaults(rig);
	point_rig_set(rig, "evse.charge_duration=0");
	*state = rig;
	return 0;
}

static const struct pm_status *output(const struct point_rig *r)
{
	return &r->point.evse.session.in.status;
}

static void run_ms(struct point_rig *r, int64_t ms)
{
	world_run(&r->point.world, r->point.world.now_us + ms * FC_US_PER_MS, NULL, NULL);
}

/* Runs until the controller is in a state; returns how long that took. */
static int64_t run_to_ms(struct point_rig *r, enum evse_state state, int64_t limit_ms)
{
	int64_t begin_us = r->point.world.now_us;

	while (r->point.evse.session.state != state) {
		run_ms(r, 10);
		if (r->point.world.now_us - begin_us > limit_ms * FC_US_PER_MS)
			fail_msg("state %s not reached", evse_state_row(state)->name);
	}
	return (r->point.world.now_us - begin_us) / FC_US_PER_MS;
}

static void test_E39_insulation_test_reaches_90_percent_within_10_s_and_stays_within_2(void **state)
{
	struct point_rig *r = *state;
	int64_t begin_us;

	r->point.secc_conf.insulation_iterations = 60;
	point_rig_start(r);
	run_to_ms(r, EVSE_ST_INSULATION, 60000);
	begin_us = r->point.world.now_us;
	while (output(r)->v_mV < 450000)
		run_ms(r, 10);
	assert_true(r->point.world.now_us - begin_us <= 10000000);
	run_ms(r, 2000);
	assert_in_range(output(r)->v_mV, 490000, 510000);
	assert_int_equal(r->point.evse.session.state, EVSE_ST_INSULATION);
}

static void test_E45_output_is_lowered_within_10_s_from_1000_V(void **state)
{
	struct point_rig *r = *state;
	int64_t begin_us;

	point_rig_set(r, "evse.maximum_voltage=1000");
	point_rig_set(r, "secc.max_charger_voltage=1000");
	point_rig_set(r, "secc.max_cable_voltage=1000");
	point_rig_set(r, "secc.test_voltage=1000");
	point_rig_start(r);
	run_to_ms(r, EVSE_ST_LOWERING, 60000);
	begin_us = r->point.world.now_us;
	assert_true(output(r)->v_mV > 950000);
	while (output(r)->v_mV > 20000)
		run_ms(r, 10);
	assert_true(r->point.world.now_us - begin_us <= 10000000);
}

static void test_E50_E51_precharge_matches_in_5_s_and_keeps_the_current_limit(void **state)
{
	struct point_rig *r = *state;
	int64_t begin_us, worst_mA = 0, target_mV;

	point_rig_start(r);
	run_to_ms(r, EVSE_ST_PRECHARGE, 60000);
	begin_us = r->point.world.now_us;
	target_mV = r->point.evse.session.power.v_mV;
	while (labs(output(r)->v_mV - target_mV) > 5000) {
		run_ms(r, 10);
		if (output(r)->i_mA > worst_mA)
			worst_mA = output(r)->i_mA;
	}
	assert_true(r->point.world.now_us - begin_us <= 5000000);
	assert_true(worst_mA <= r->point.evse.session.power.i_max_mA + 500);
}

static void test_E54_standby_after_precharge_leaves_the_battery_voltage(void **state)
{
	struct point_rig *r = *state;
	int32_t v_mV;

	r->point.secc_conf.waiting_ms = 4000; /* the vehicle waits 5 s for its answer */
	point_rig_start(r);
	point_rig_run_to(r, SECC_WAITING_FOR_CHARGE);
	run_ms(r, 200);
	v_mV = output(r)->v_mV;
	assert_true(v_mV > 300000);
	run_ms(r, 3000);
	assert_int_equal(r->point.evse.session.state, EVSE_ST_STANDBY);
	assert_in_range(output(r)->v_mV, v_mV * 99 / 100, v_mV * 101 / 100);
	assert_int_equal(output(r)->i_mA, 0);
}

static void test_E58_E59_current_follows_by_a_monotonic_ramp_without_overshoot(void **state)
{
	struct point_rig *r = *state;
	int32_t last_mA = 0, asked_mA = 0;

	point_rig_start(r);
	run_to_ms(r, EVSE_ST_TRANSFER, 60000);
	do {
		run_ms(r, 10);
		if (r->point.evse.session.power.i_max_mA > asked_mA)
			asked_mA = r->point.evse.session.power.i_max_mA;
		assert_true(output(r)->i_mA >= last_mA - 10);
		assert_true(output(r)->i_mA <= asked_mA + 1000);
		last_mA = output(r)->i_mA;
	} while (r->point.world.now_us - r->point.evse.session.state_since_us < 12000000);
	assert_in_range(last_mA, asked_mA - 1000 - asked_mA / 100, asked_mA + 1000 + asked_mA / 100);
	/* Down again: monotonic, never below the new set point. */
	point_rig_command(r, SIM_EVCC, "set max_current 40");
	run_ms(r, 100);
	while (output(r)->i_mA > 41000) {
		last_mA = output(r)->i_mA;
		run_ms(r, 10);
		assert_true(output(r)->i_mA <= last_mA + 10);
	}
	run_ms(r, 1000);
	assert_in_range(output(r)->i_mA, 38600, 41400);
}

/* Power_Modules_Status as it was on the bus. */
struct seen {
	struct evse_power_modules_status status;
	int64_t us, worst_age_us;
	struct point_rig *r;
};

static void see(void *ctx, int64_t time_us, unsigned sender, const struct can_frame *f)
{
	struct seen *s = ctx;

	(void)sender;
	if (f->can_id != (0x01063000u | CAN_EFF_FLAG))
		return;
	evse_layouts[EVSE_V3_6][EVSE_POWER_MODULES_STATUS].unpack(&s->status, f->data);
	s->us = time_us;
	if (time_us - s->r->point.evse.session.in.status.t_vi_us > s->worst_age_us)
		s->worst_age_us = time_us - s->r->point.evse.session.in.status.t_vi_us;
}

static void test_E62_status_carries_readings_younger_than_100_ms(void **state)
{
	struct point_rig *r = *state;
	struct seen seen = {.r = r};

	point_rig_start(r);
	can_hub_set_tap(&r->point.world.hub, see, &seen);
	point_rig_run_to(r, SECC_CHARGING);
	point_rig_run_s(r, 20);
	assert_true(seen.worst_age_us <= 100000);
	assert_in_range(seen.status.present_current_mA, output(r)->i_mA - 100, output(r)->i_mA + 100);
}

static void test_E75_first_end_message_brings_the_current_below_1_A_within_2_s(void **state)
{
	struct evse_dc_power_control standby = {.power_function = EVSE_FN_STANDBY, .output_contactors = 1};
	struct can_frame f;
	struct point_rig *r = *state;
	struct seen seen = {.r = r};
	int64_t begin_us;

	point_rig_start(r);
	point_rig_run_to(r, SECC_CHARGING);
	point_rig_run_s(r, 10);
	can_hub_set_tap(&r->point.world.hub, see, &seen);
	begin_us = r->point.world.now_us;
	msg_to_frame(&evse_layouts[EVSE_V3_6][EVSE_DC_POWER_CONTROL], &standby, 1, &f);
	can_bus_send(r->point.world.node[SIM_SECC].bus, &f);
	run_ms(r, 1);
	assert_true(abs(output(r)->i_mA) < 1000);
	assert_true(output(r)->is_closed);
	/* And it is told at once, not only with the next cycle. */
	assert_int_equal(seen.us, begin_us);
	assert_int_equal(seen.status.present_current_mA, 0);
}

static void test_E21_duplicated_informative_frames_change_nothing(void **state)
{
	struct can_fault twice = {
		.kind = CAN_FAULT_DUPLICATE, .probability_ppm = CAN_FAULT_ALWAYS, .delay_us = 30000};
	struct point_rig *r = *state;
	static const canid_t informative[] = {0x06B002, 0x06B100, 0x06B101, 0x06B102,
					      0x06B103, 0x06B201, 0x06B203};
	unsigned i;

	point_rig_set(r, "evse.charge_duration=10");
	point_rig_start(r);
	twice.mask = CAN_EFF_FLAG | CAN_EFF_MASK;
	for (i = 0; i < sizeof(informative) / sizeof(informative[0]); i++) {
		twice.id = CAN_EFF_FLAG | 0x01000000u | informative[i];
		assert_true(can_hub_add_fault(&r->point.world.hub, &twice) >= 0);
	}
	point_rig_run_session(r);
	assert_int_equal(r->point.evse.session.record.finished, 0);
	assert_int_equal(r->point.evse.session.record.n_sessions, 1);
}

static void test_E03_values_beyond_a_signal_are_saturated_and_rounded(void **state)
{
	struct evse_status_out st = {7000000, -4000000, 300000, -60000, true, 100000};
	struct evse_power_modules_status back;
	struct evse_wire w;
	struct can_frame f;

	(void)state;
	assert_int_equal(evse_wire_init(&w, EVSE_V3_6, 1), 0);
	evse_wire_status(&w, &st, &f);
	evse_layouts[EVSE_V3_6][EVSE_POWER_MODULES_STATUS].unpack(&back, f.data);
	assert_int_equal(back.present_voltage_mV, 6553500);
	assert_int_equal(back.present_current_mA, -3276800);
	assert_int_equal(back.power_modules_temperature_mdegC, 215000);
	assert_int_equal(back.enclosure_temperature_mdegC, -40000);
	assert_true(w.count.n_clipped >= 4);
	st = (struct evse_status_out){400049, 50050, 20499, 20500, true, 0};
	evse_wire_status(&w, &st, &f);
	evse_layouts[EVSE_V3_6][EVSE_POWER_MODULES_STATUS].unpack(&back, f.data);
	assert_int_equal(back.present_voltage_mV, 400000);
	assert_int_equal(back.present_current_mA, 50100);
	assert_int_equal(back.power_modules_temperature_mdegC, 20000);
	assert_int_equal(back.enclosure_temperature_mdegC, 21000);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_E39_insulation_test_reaches_90_percent_within_10_s_and_stays_within_2),
		T(test_E45_output_is_lowered_within_10_s_from_1000_V),
		T(test_E50_E51_precharge_matches_in_5_s_and_keeps_the_current_limit),
		T(test_E54_standby_after_precharge_leaves_the_battery_voltage),
		T(test_E58_E59_current_follows_by_a_monotonic_ramp_without_overshoot),
		T(test_E62_status_carries_readings_younger_than_100_ms),
		T(test_E75_first_end_message_brings_the_current_below_1_A_within_2_s),
		T(test_E21_duplicated_informative_frames_change_nothing),
		T(test_E03_values_beyond_a_signal_are_saturated_and_rounded),
	};
	int ret;

	rig = calloc(1, sizeof(*rig));
	if (!rig)
		return 1;
	ret = cmocka_run_group_tests_name("rules_charger", tests, NULL, NULL);
	free(rig);
	return ret;
}
