/* SPDX-License-Identifier: MIT */
/*
 * Whole sessions of one charge point in virtual time: both controllers, both modules, plug and physics. What is
 * asserted is the trace of states and the invariants that hold after every event.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/point_rig.h"

static struct point_rig *rig;

static int setup(void **state)
{
	point_rig_defaults(rig);
	*state = rig;
	return 0;
}

static void assert_states(const struct sim_point_states *s, const uint8_t *expected, unsigned n)
{
	unsigned i;

	if (s->n != n || memcmp(s->state, expected, n) != 0) {
		for (i = 0; i < s->n; i++)
			print_message(" %u", s->state[i]);
		print_message("\n");
	}
	assert_int_equal(s->n, n);
	assert_memory_equal(s->state, expected, n);
}

static void assert_clean(const struct point_rig *r)
{
	const struct evse_session *s = &r->point.evse.session;

	assert_true(sim_point_is_session_over(&r->point));
	assert_int_equal(s->record.finished, 0); /* Clean_Stop */
	assert_int_equal(s->faults.latched, 0);
	assert_int_equal(s->guard.n_withheld, 0);
	assert_int_equal(r->point.world.n_lost, 0);
	assert_int_equal(sim_stack_physics(&r->point.stack)->n_relay_opened_loaded, 0);
	assert_int_equal(sim_vehicle_contactor(&r->point.vehicle)->n_opened_loaded, 0);
}

static void test_session_E48_clean_passes_all_states_and_stages(void **state)
{
	static const uint8_t secc[] = {0, 12, 1, 2, 11, 3, 4, 5, 6, 7, 8, 9, 10, 1};
	static const uint8_t evcc[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
	struct point_rig *r = *state;

	r->point.secc_conf.free_service = 0;
	point_rig_start(r);
	point_rig_run_session(r);
	assert_clean(r);
	assert_states(&r->point.secc_states, secc, sizeof(secc));
	assert_states(&r->point.evcc_states, evcc, sizeof(evcc));
	assert_int_equal(r->point.evse.session.record.cause, EVSE_CAUSE_USER_STOP);
	assert_in_range(r->point.evse.session.record.peak_mA, 100000, 121000);
}

static void test_session_energy_balances_within_half_a_percent(void **state)
{
	struct point_rig *r = *state;
	int64_t out_uWh, loss_uWh, inlet_uWh;
	double soc;

	point_rig_set(r, "evse.charge_duration=600");
	point_rig_start(r);
	soc = sim_vehicle_battery(&r->point.vehicle)->soc;
	point_rig_run_session(r);
	assert_clean(r);
	out_uWh = sim_stack_energy_uWh(&r->point.stack);
	loss_uWh = sim_stack_cable_loss_uWh(&r->point.stack);
	inlet_uWh = sim_vehicle_energy_uWh(&r->point.vehicle);
	assert_true(out_uWh > 5000000);
	assert_true(llabs(out_uWh - loss_uWh - inlet_uWh) * 200 < out_uWh);
	/* The controller's own count, from what it reported in its status. */
	assert_true(llabs(r->point.evse.session.record.energy_mJ / 3600 * 1000 - out_uWh) * 200 < out_uWh);
	assert_true(r->max_soc > soc + 0.05); /* the battery really filled */
}

static void test_session_from_30_to_80_percent_tapers_and_stops_by_the_vehicle(void **state)
{
	struct point_rig *r = *state;

	point_rig_set(r, "evse.charge_duration=0");
	point_rig_set(r, "pev.stop_soc_pct=80");
	point_rig_start(r);
	point_rig_run_session(r);
	assert_clean(r);
	assert_int_equal(r->point.evse.session.record.cause, EVSE_CAUSE_VEHICLE);
	assert_true(r->max_soc > 0.795 && r->max_soc < 0.82);
}

static void test_session_current_tapers_at_the_battery_limit(void **state)
{
	struct point_rig *r = *state;

	point_rig_set(r, "evse.charge_duration=0");
	point_rig_set(r, "vehicle.ev_battery_soc=85");
	point_rig_start(r);
	point_rig_run_session(r);
	assert_clean(r);
	assert_true(r->max_soc > 0.97);
	/* In the last minute before the end less than half of the peak flowed. */
	assert_true(r->last_current_mA < r->point.evse.session.record.peak_mA / 2);
}

static void test_session_same_seed_same_trace_byte_for_byte(void **state)
{
	struct point_rig *r = *state;
	uint64_t first;

	point_rig_start(r);
	point_rig_run_session(r);
	first = r->trace_hash;
	assert_true(r->n_frames > 1000);
	point_rig_defaults(r);
	point_rig_start(r);
	point_rig_run_session(r);
	assert_true(r->trace_hash == first);
	point_rig_defaults(r);
	point_rig_set(r, "secc.seed=77");
	point_rig_start(r);
	point_rig_run_session(r);
	assert_true(r->trace_hash != first); /* the hash does see a difference */
}

static void test_session_every_pair_of_profiles(void **state)
{
	static const char *const evse[] = {"3.0", "3.1", "3.2", "3.3", "3.5", "3.6"};
	static const char *const pev[] = {"2.0-ex", "2.0", "2.1", "2.2", "2.4", "2.5"};
	struct point_rig *r = *state;
	unsigned i;

	for (i = 0; i < 6; i++) {
		point_rig_defaults(r);
		point_rig_set2(r, "evse.protocol", evse[i]);
		point_rig_set2(r, "secc.protocol", evse[i]);
		point_rig_set2(r, "pev.protocol", pev[i]);
		point_rig_set2(r, "evcc.protocol", pev[i]);
		point_rig_start(r);
		point_rig_run_session(r);
		assert_clean(r);
		assert_in_range(r->point.evse.session.record.peak_mA, 100000, 121000);
	}
}

static void test_session_next_one_follows_after_unplug_and_plug(void **state)
{
	struct point_rig *r = *state;
	unsigned i;

	point_rig_start(r);
	for (i = 1; i <= 3; i++) {
		point_rig_run_session(r);
		assert_clean(r);
		assert_int_equal(r->point.evse.session.record.n_sessions, i);
		point_rig_replug(r);
	}
}

static void test_session_refused_authorisation_ends_without_power(void **state)
{
	struct point_rig *r = *state;

	r->point.secc_conf.free_service = 0;
	point_rig_set(r, "evse.ccs_authorisation_success=no");
	point_rig_start(r);
	point_rig_run_session(r);
	assert_int_equal(r->peak_power_mode, PM_OFF); /* E-28: no power function was or will be sent */
	assert_int_equal(r->point.secc.cause, SECC_CAUSE_REFUSED);
	point_rig_set(r, "evse.ccs_authorisation_success=yes");
	r->point.evse.session.conf.is_authorised = 1;
	point_rig_replug(r);
	point_rig_run_session(r);
	assert_clean(r);
}

static void test_session_bad_insulation_ends_without_precharge(void **state)
{
	struct point_rig *r = *state;

	point_rig_set(r, "stack.insulation_resistance=80");
	point_rig_start(r);
	point_rig_run_session(r);
	assert_int_equal(r->point.secc.cause, SECC_CAUSE_INSULATION_FAILED);
	assert_int_equal(r->peak_power_mode, PM_INSULATION_TEST);
	assert_int_equal(r->point.evse.session.record.finished, 1); /* Rushed_Stop */
}

static void test_session_vehicle_stop_request_ends_normally(void **state)
{
	struct point_rig *r = *state;

	point_rig_set(r, "evse.charge_duration=0");
	point_rig_start(r);
	point_rig_run_to(r, SECC_CHARGING);
	point_rig_run_s(r, 5);
	point_rig_command(r, SIM_PEV, "stop");
	point_rig_run_session(r);
	assert_clean(r);
	assert_int_equal(r->point.evse.session.record.cause, EVSE_CAUSE_VEHICLE);
}

static void test_session_emergency_of_the_vehicle_is_rushed_and_safe(void **state)
{
	struct point_rig *r = *state;

	point_rig_set(r, "evse.charge_duration=0");
	point_rig_start(r);
	point_rig_run_to(r, SECC_CHARGING);
	point_rig_run_s(r, 8);
	point_rig_command(r, SIM_PEV, "emergency");
	point_rig_run_s(r, 3);
	assert_int_equal(r->point.evse.session.in.status.i_mA, 0);
	assert_false(sim_vehicle_contactor(&r->point.vehicle)->is_closed);
	point_rig_run_session(r);
	assert_int_equal(r->point.evse.session.record.finished, 1);
	point_rig_command(r, SIM_PEV, "clear-fault");
	point_rig_replug(r);
	point_rig_run_session(r);
	assert_clean(r);
}

static void test_session_emergency_of_the_charger_is_rushed_and_safe(void **state)
{
	struct point_rig *r = *state;

	point_rig_set(r, "evse.charge_duration=0");
	point_rig_start(r);
	point_rig_run_to(r, SECC_CHARGING);
	point_rig_run_s(r, 8);
	point_rig_command(r, SIM_EVSE, "emergency");
	assert_int_equal(r->point.evse.session.in.status.i_mA, 0);
	point_rig_run_session(r);
	assert_int_equal(r->point.evse.session.record.finished, 1);
	point_rig_replug(r);
	point_rig_run_session(r);
	assert_clean(r);
}

static void test_session_limit_lowered_while_charging_is_respected_within_a_second(void **state)
{
	struct point_rig *r = *state;

	point_rig_set(r, "evse.charge_duration=0");
	point_rig_start(r);
	point_rig_run_to(r, SECC_CHARGING);
	point_rig_run_s(r, 10);
	point_rig_command(r, SIM_EVSE, "set maximum_charge_current 60");
	point_rig_run_s(r, 1);
	assert_true(r->point.secc.power.i_max_mA <= 60000); /* E-61 */
	point_rig_run_s(r, 5);
	assert_in_range(r->point.evse.session.in.status.i_mA, 59000, 60100);
}

static void test_session_lossy_bus_still_charges(void **state)
{
	struct can_fault lose = {.kind = CAN_FAULT_LOSE, .probability_ppm = 10000};
	struct point_rig *r = *state;

	point_rig_start(r);
	can_hub_add_fault(&r->point.world.hub, &lose);
	point_rig_run_s(r, 300);
	/* One frame in a hundred is lost: whatever happened, nothing unsafe did (invariants), and time goes on. */
	assert_true(r->n_frames > 10000);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_session_E48_clean_passes_all_states_and_stages),
		T(test_session_energy_balances_within_half_a_percent),
		T(test_session_from_30_to_80_percent_tapers_and_stops_by_the_vehicle),
		T(test_session_current_tapers_at_the_battery_limit),
		T(test_session_same_seed_same_trace_byte_for_byte),
		T(test_session_every_pair_of_profiles),
		T(test_session_next_one_follows_after_unplug_and_plug),
		T(test_session_refused_authorisation_ends_without_power),
		T(test_session_bad_insulation_ends_without_precharge),
		T(test_session_vehicle_stop_request_ends_normally),
		T(test_session_emergency_of_the_vehicle_is_rushed_and_safe),
		T(test_session_emergency_of_the_charger_is_rushed_and_safe),
		T(test_session_limit_lowered_while_charging_is_respected_within_a_second),
		T(test_session_lossy_bus_still_charges),
	};
	int ret;

	rig = calloc(1, sizeof(*rig));
	if (!rig)
		return 1;
	ret = cmocka_run_group_tests_name("session_dc", tests, NULL, NULL);
	free(rig);
	return ret;
}
