/* SPDX-License-Identifier: MIT */
/* Emergencies and watchdogs of the virtual SECC (rules E-15, E-82 to E-84, E-06, E-08). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/duo.h"

static struct duo *reached(enum secc_state state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	d->evse.charge_ms = -1;
	d->secc_cfg.waiting_ms = 1000;
	duo_start(d);
	assert_true(duo_until_state(d, state, 40));
	return d;
}

/* Emergency_Stop with this origin every 100 ms, Finished Rushed once, no power any more. */
static void assert_emergency(struct duo *d, uint8_t origin)
{
	canid_t id = duo_evse_id(d, EVSE_EMERGENCY_STOP);
	const struct bench_record *first = bench_find(d->bench, id, 0, 0);
	int64_t min_us, max_us;
	size_t i;

	assert_non_null(first);
	assert_int_equal(first->frame.data[0], origin);
	duo_run(d, 1.5);
	bench_intervals(d->bench, id, 0, d->bench->now_us, &min_us, &max_us);
	assert_int_equal(min_us, 100000);
	assert_int_equal(max_us, 100000);
	assert_int_equal(bench_count(d->bench, duo_evse_id(d, EVSE_CHARGE_SESSION_FINISHED), 0), 1);
	assert_int_equal(bench_last(d->bench, duo_evse_id(d, EVSE_CHARGE_SESSION_FINISHED))->frame.data[0],
			 1);
	for (i = bench_at(d->bench, first); i < d->bench->n_trace; i++) {
		if (d->bench->trace[i].frame.can_id != duo_evse_id(d, EVSE_DC_POWER_CONTROL))
			continue;
		assert_true(duo_power(d, &d->bench->trace[i]).power_function <= SECC_FN_STANDBY);
		assert_int_equal(duo_power(d, &d->bench->trace[i]).output_contactors, 0);
	}
}

/* E-15: in every supervised state, 500 ms after the last status. */
static void test_secc_lost_customer_is_an_emergency_in_every_phase(void **state)
{
	static const enum secc_state states[] = {SECC_INSULATION_TEST, SECC_PRECHARGE,
						 SECC_WAITING_FOR_CHARGE, SECC_CHARGING};
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct duo *d = reached(states[i]);
		int64_t last_us;

		d->evse.sends_status = false;
		last_us = d->secc.pms_us;
		assert_true(duo_until_state(d, SECC_CLOSING, 2));
		assert_in_range(d->bench->now_us - last_us, 500000, 600000);
		assert_int_equal(d->secc.emergency, SECC_CAUSE_CUSTOMER_LOST);
		assert_emergency(d, SECC_ORIGIN_EVSE);
		assert_int_equal(d->evcc.stage, EVCC_CLOSING);
		duo_free(d);
	}
}

static void test_secc_missing_status_in_idle_and_negotiation_is_ignored(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	(void)state;
	d->evse.sends_status = false;
	duo_start(d);
	duo_run(d, 20);
	/* Not armed before the first status: only the wake-up limit counts (CE-29). */
	assert_int_equal(d->secc.state, SECC_INSULATION_TEST);
	assert_int_equal(d->secc.count.n_emergencies, 0);
	duo_free(d);
}

/* E-84: while the customer stays silent the emergency stays and no session starts; then all is well again. */
static void test_secc_lost_customer_blocks_until_it_is_back(void **state)
{
	struct duo *d = reached(SECC_CHARGING);

	(void)state;
	d->evse.sends_status = false;
	duo_run(d, 10);
	assert_int_equal(d->secc.state, SECC_WAITING_FOR_PEV);
	assert_int_equal(d->secc.emergency, SECC_CAUSE_CUSTOMER_LOST);
	assert_int_equal(bench_last(d->bench, duo_evse_id(d, EVSE_EMERGENCY_STOP))->time_us / 200000,
			 d->bench->now_us / 200000);
	bench_command(d->bench, d->evcc_at, "unplug force");
	duo_run(d, 2);
	bench_command(d->bench, d->evcc_at, "plug");
	duo_run(d, 5);
	assert_int_equal(d->secc.count.n_sessions, 1);
	d->evse.sends_status = true;
	duo_run(d, 1);
	assert_int_equal(d->secc.emergency, SECC_CAUSE_NONE);
	assert_true(duo_until_state(d, SECC_CHARGING, 40));
	assert_int_equal(d->secc.count.n_sessions, 2);
	duo_free(d);
}

/* E-82 */
static void test_secc_disabled_in_the_loop_is_an_emergency(void **state)
{
	struct duo *d = reached(SECC_CHARGING);
	int64_t start_us = d->bench->now_us;

	(void)state;
	d->evse.force_enable = 0;
	assert_true(duo_until_state(d, SECC_CLOSING, 1));
	assert_true(d->bench->now_us - start_us <= 200000);
	assert_int_equal(d->secc.emergency, SECC_CAUSE_DISABLED);
	assert_emergency(d, SECC_ORIGIN_EVSE);
	duo_run(d, 5);
	assert_int_equal(d->secc.emergency, SECC_CAUSE_NONE); /* in idle it is no fault to be disabled */
	duo_free(d);
}

/* E-83: 100 ohm per volt at 330 V: 32 kohm is too little, 34 kohm is enough. */
static void test_secc_insulation_alarm_under_power(void **state)
{
	struct duo *d = reached(SECC_CHARGING);

	(void)state;
	duo_run(d, 1);
	d->evse.insulation_ohm = 34000;
	duo_run(d, 1);
	assert_int_equal(d->secc.state, SECC_CHARGING);
	d->evse.insulation_ohm = 32000;
	assert_true(duo_until_state(d, SECC_CLOSING, 0.2));
	assert_int_equal(d->secc.emergency, SECC_CAUSE_INSULATION_ALARM);
	assert_emergency(d, SECC_ORIGIN_EVSE);
	duo_free(d);
}

static void test_secc_insulation_alarm_in_precharge(void **state)
{
	struct duo *d = reached(SECC_PRECHARGE);

	(void)state;
	duo_run(d, 2.5); /* the voltage is up */
	assert_int_equal(d->secc.state, SECC_PRECHARGE);
	d->evse.insulation_ohm = 10000;
	assert_true(duo_until_state(d, SECC_CLOSING, 0.2));
	assert_int_equal(d->secc.emergency, SECC_CAUSE_INSULATION_ALARM);
	duo_free(d);
}

static void test_secc_interlock_blocks_until_cleared(void **state)
{
	struct duo *d = reached(SECC_CHARGING);

	(void)state;
	assert_int_equal(bench_command(d->bench, d->secc_at, "emergency"), 0);
	assert_int_equal(d->secc.state, SECC_CLOSING);
	assert_emergency(d, SECC_ORIGIN_EVSE);
	duo_run(d, 10);
	assert_int_equal(d->secc.emergency, SECC_CAUSE_INTERLOCK);
	assert_int_equal(bench_command(d->bench, d->secc_at, "emergency clear"), 0);
	duo_run(d, 0.3);
	assert_int_equal(d->secc.emergency, SECC_CAUSE_NONE);
	duo_free(d);
}

/* Also without a session the emergency is told, and none starts. */
static void test_secc_interlock_in_idle_prevents_sessions(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	size_t from;

	(void)state;
	d->evcc_cfg.plug_at_start = 0;
	duo_start(d);
	duo_run(d, 3);
	bench_command(d->bench, d->secc_at, "emergency evse");
	from = d->bench->n_trace;
	bench_command(d->bench, d->evcc_at, "plug");
	duo_run(d, 5);
	assert_int_equal(d->secc.state, SECC_WAITING_FOR_PEV);
	assert_in_range(bench_count(d->bench, duo_evse_id(d, EVSE_EMERGENCY_STOP), from), 49, 51);
	assert_int_equal(bench_count(d->bench, duo_evse_id(d, EVSE_CHARGE_SESSION_FINISHED), 0), 0);
	bench_command(d->bench, d->secc_at, "emergency clear");
	assert_true(duo_until_state(d, SECC_NEGOTIATING, 1));
	duo_free(d);
}

/* The vehicle's emergency: control pilot back to B under power. */
static void test_secc_vehicle_emergency_has_origin_pev(void **state)
{
	struct duo *d = reached(SECC_CHARGING);

	(void)state;
	duo_run(d, 1);
	d->pev.is_emergency_requested = true;
	assert_true(duo_until_state(d, SECC_CLOSING, 0.3));
	assert_int_equal(d->secc.emergency, SECC_CAUSE_VEHICLE_EMERGENCY);
	assert_emergency(d, SECC_ORIGIN_PEV);
	duo_free(d);
}

static void test_secc_error_code_of_the_vehicle_is_an_emergency(void **state)
{
	struct duo *d = reached(SECC_CHARGING);
	struct plug_current_demand_req q = {.ev_ready = 0, .ev_error_code = V2G_EV_MALFUNCTION};

	(void)state;
	q.session_tag = d->secc.v2g.tag;
	duo_inject_plug(d, PLUG_CURRENT_DEMAND_REQ, &q);
	duo_run(d, 0.001);
	assert_int_equal(d->secc.emergency, SECC_CAUSE_VEHICLE_EMERGENCY);
	assert_emergency(d, SECC_ORIGIN_PEV);
	duo_free(d);
}

static void test_secc_unplugged_in_negotiation_just_closes(void **state)
{
	struct duo *d = reached(SECC_FULL_INFO);

	(void)state;
	bench_command(d->bench, d->evcc_at, "unplug force");
	duo_run(d, 0.001);
	assert_int_equal(d->secc.state, SECC_CLOSING);
	assert_int_equal(d->secc.cause, SECC_CAUSE_UNPLUGGED);
	assert_int_equal(d->secc.count.n_emergencies, 0);
	duo_run(d, 5);
	assert_int_equal(d->secc.state, SECC_WAITING_FOR_PEV);
	duo_free(d);
}

/* B-C-B after a session wakes the charger without a replug. */
static void test_secc_pilot_toggle_starts_a_new_session(void **state)
{
	struct duo *d = reached(SECC_CHARGING);
	struct plug_pilot_ev pilot = {.resistance = CP_C, .is_mated = 1};

	(void)state;
	bench_command(d->bench, d->secc_at, "stop");
	assert_true(duo_until_state(d, SECC_WAITING_FOR_PEV, 30));
	duo_run(d, 5);
	assert_int_equal(d->secc.state, SECC_WAITING_FOR_PEV);
	d->bench->is_mute[d->evcc_at] = true;
	duo_inject_plug(d, PLUG_PILOT_EV, &pilot);
	duo_run(d, 0.2);
	pilot.resistance = CP_B;
	duo_inject_plug(d, PLUG_PILOT_EV, &pilot);
	duo_run(d, 0.05);
	assert_int_equal(d->secc.state, SECC_NEGOTIATING);
	duo_free(d);
}

/* E-06 */
static void test_secc_index_0_and_16_are_refused(void **state)
{
	struct secc_cfg cfg;
	char err[128];
	int at = opts_find(secc_conf_table, secc_conf_n, "index");

	(void)state;
	opts_defaults(secc_conf_table, secc_conf_n, &cfg);
	assert_true(at >= 0);
	assert_int_equal(opts_set(&secc_conf_table[at], &cfg, "0", err, sizeof(err)), -ERANGE);
	assert_int_equal(opts_set(&secc_conf_table[at], &cfg, "16", err, sizeof(err)), -ERANGE);
	assert_int_equal(opts_set(&secc_conf_table[at], &cfg, "15", err, sizeof(err)), 0);
	assert_int_equal(cfg.index, 15);
}

/* SIGTERM: the vehicle gets the time for an orderly end, then Finished is sent before the process goes. */
static void test_secc_program_end_closes_the_session(void **state)
{
	struct duo *d = reached(SECC_CHARGING);
	struct machine m = secc_machine(&d->secc);

	(void)state;
	m.ops->stop(m.self, d->bench->now_us, &d->bench->out);
	assert_false(m.ops->is_stopped(m.self));
	duo_run(d, 4);
	assert_true(m.ops->is_stopped(m.self));
	assert_int_equal(bench_count(d->bench, duo_evse_id(d, EVSE_CHARGE_SESSION_FINISHED), 0), 1);
	duo_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secc_lost_customer_is_an_emergency_in_every_phase),
		cmocka_unit_test(test_secc_missing_status_in_idle_and_negotiation_is_ignored),
		cmocka_unit_test(test_secc_lost_customer_blocks_until_it_is_back),
		cmocka_unit_test(test_secc_disabled_in_the_loop_is_an_emergency),
		cmocka_unit_test(test_secc_insulation_alarm_under_power),
		cmocka_unit_test(test_secc_insulation_alarm_in_precharge),
		cmocka_unit_test(test_secc_interlock_blocks_until_cleared),
		cmocka_unit_test(test_secc_interlock_in_idle_prevents_sessions),
		cmocka_unit_test(test_secc_vehicle_emergency_has_origin_pev),
		cmocka_unit_test(test_secc_error_code_of_the_vehicle_is_an_emergency),
		cmocka_unit_test(test_secc_unplugged_in_negotiation_just_closes),
		cmocka_unit_test(test_secc_pilot_toggle_starts_a_new_session),
		cmocka_unit_test(test_secc_index_0_and_16_are_refused),
		cmocka_unit_test(test_secc_program_end_closes_the_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
