/* SPDX-License-Identifier: MIT */
/* Both virtual modules joined by the plug: time-outs of every phase, the control pilot, injected faults. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/duo.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* ---- time-outs -------------------------------------------------------------------------------------------- */

struct silence {
	struct duo *d;
	enum plug_msg msg;
};

static bool swallow(void *ctx, struct bench *b, unsigned sender, struct can_frame *f)
{
	const struct silence *s = ctx;

	(void)b;
	(void)sender;
	return f->can_id != duo_plug_id(s->d, s->msg);
}

/* Each answer that does not come ends the session after its own time limit. */
static void test_plug_missing_answer_times_out_in_every_phase(void **state)
{
	static const struct {
		enum v2g_msg msg;
		double limit_s;
	} rows[] = {
		{V2G_SESSION_SETUP, 2},	 {V2G_SERVICE_DISCOVERY, 2},
		{V2G_AUTHORIZATION, 2},	 {V2G_CHARGE_PARAMETER_DISCOVERY, 2},
		{V2G_CABLE_CHECK, 2},	 {V2G_PRE_CHARGE, 2},
		{V2G_POWER_DELIVERY, 5}, {V2G_CURRENT_DEMAND, 2},
	};
	unsigned i;

	(void)state;
	for (i = 0; i < N(rows); i++) {
		struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
		struct silence s = {d, v2g_answer_layout(rows[i].msg)};
		const struct bench_record *r;

		d->bench->tap = swallow;
		d->bench->ctx = &s;
		duo_start(d);
		assert_true(duo_until_stage(d, EVCC_CLOSING, 60));
		r = bench_last(d->bench, duo_plug_id(d, v2g_request_layout(rows[i].msg)));
		assert_non_null(r);
		assert_int_equal(d->evcc.cause, EVCC_CAUSE_TIMEOUT);
		assert_in_range(d->bench->now_us - r->time_us, SECONDS(rows[i].limit_s),
				SECONDS(rows[i].limit_s + 0.1));
		duo_run(d, 0.2);
		assert_int_equal(d->pev.diagnostic.v2gtp_sequence_timeout, 1);
		duo_free(d);
	}
}

/* The loop's limit is a setting. */
static void test_plug_loop_timeout_is_configurable(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	struct silence s = {d, PLUG_CURRENT_DEMAND_RES};
	const struct bench_record *r;

	(void)state;
	d->evcc_cfg.current_demand_timeout_ms = 300;
	d->bench->tap = swallow;
	d->bench->ctx = &s;
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_CLOSING, 60));
	r = bench_last(d->bench, duo_plug_id(d, PLUG_CURRENT_DEMAND_REQ));
	assert_in_range(d->bench->now_us - r->time_us, 300000, 400000);
	assert_int_equal(d->evcc.is_emergency, true);
	duo_free(d);
}

static void test_plug_nobody_answers_the_handshake_within_20_s(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	struct silence s = {d, PLUG_SUPPORTED_APP_PROTOCOL_RES};
	int64_t begun_us;

	(void)state;
	d->secc_cfg.setup_timeout_ms = 60000;
	d->bench->tap = swallow;
	d->bench->ctx = &s;
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_NEGOTIATING, 10));
	duo_run(d, 0.5);
	begun_us = d->evcc.v2g.begun_us;
	assert_true(duo_until_stage(d, EVCC_CLOSING, 60));
	assert_int_equal(d->evcc.cause, EVCC_CAUSE_NO_CHARGER);
	assert_in_range(d->bench->now_us - begun_us, SECONDS(20), SECONDS(20.1));
	duo_free(d);
}

static void test_plug_secc_gives_up_setup_after_18_s(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	struct silence s = {d, PLUG_SUPPORTED_APP_PROTOCOL_REQ};
	int64_t session_us;

	(void)state;
	d->bench->tap = swallow;
	d->bench->ctx = &s;
	duo_start(d);
	assert_true(duo_until_state(d, SECC_NEGOTIATING, 10));
	session_us = d->bench->now_us;
	assert_true(duo_until_state(d, SECC_CLOSING, 60));
	assert_int_equal(d->secc.cause, SECC_CAUSE_SETUP_TIMEOUT);
	assert_in_range(d->bench->now_us - session_us, SECONDS(18), SECONDS(18.1));
	duo_free(d);
}

static bool is_closing(void *ctx)
{
	struct duo *d = ctx;

	return d->secc.state == SECC_CLOSING;
}

static void test_plug_silent_vehicle_ends_session_after_60_s(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	int64_t last_us;

	(void)state;
	d->evcc_cfg.request_period_ms = 60000;
	d->evcc_cfg.setup_timeout_ms = 600000;
	d->secc_cfg.setup_timeout_ms = 600000;
	d->secc_cfg.sequence_timeout_ms = 20000;
	duo_start(d);
	/* Handshake, then SessionSetup 60 s later, then nothing for 20 s. */
	bench_run_until(d->bench, SECONDS(100), is_closing, d);
	last_us = bench_last(d->bench, duo_plug_id(d, PLUG_SESSION_SETUP_REQ))->time_us;
	assert_int_equal(d->secc.cause, SECC_CAUSE_SEQUENCE_TIMEOUT);
	assert_in_range(d->bench->now_us - last_us, SECONDS(20), SECONDS(20.1));
	duo_free(d);
}

/* Ongoing is not for ever: 60 s for the parameters, 40 s for the cable check. */
static void test_plug_ongoing_parameters_time_out_after_60_s(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	int64_t first_us;

	(void)state;
	d->evse.parameters_ms = 600000;
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_CLOSING, 90));
	first_us = bench_find(d->bench, duo_plug_id(d, PLUG_CHARGE_PARAMETER_DISCOVERY_REQ), 0, 0)->time_us;
	assert_in_range(d->bench->now_us - first_us, SECONDS(60), SECONDS(60.1));
	assert_int_equal(d->evcc.cause, EVCC_CAUSE_TIMEOUT);
	duo_free(d);
}

static void test_plug_cable_check_times_out_after_40_s(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	int64_t first_us;

	(void)state;
	d->secc_cfg.wake_up_limit_ms = 600000;
	d->evse.wake_up_ms = 600000;
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_CLOSING, 90));
	first_us = bench_find(d->bench, duo_plug_id(d, PLUG_CABLE_CHECK_REQ), 0, 0)->time_us;
	assert_in_range(d->bench->now_us - first_us, SECONDS(40), SECONDS(40.1));
	duo_free(d);
}

/* Waiting for a person: ISO 15118-2 says so and stops the vehicle's limit, DIN 70121 cannot. */
static void test_plug_authorisation_wait_has_no_limit_in_iso_only(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	(void)state;
	d->secc_cfg.free_service = 0;
	d->evse.authorisation_ms = 3600000;
	duo_start(d);
	duo_run(d, 300);
	assert_int_equal(d->secc.state, SECC_AUTHORISATION);
	assert_int_equal(d->evcc.stage, EVCC_NEGOTIATING);
	duo_free(d);

	d = duo_new(EVSE_V3_6, PEV_V2_5);
	d->secc_cfg.free_service = 0;
	d->evcc_cfg.enable_iso2 = 0;
	d->evse.authorisation_ms = 3600000;
	duo_start(d);
	duo_run(d, 100);
	assert_int_equal(d->evcc.stage, EVCC_CLOSING);
	duo_free(d);
}

/* ---- pilot ------------------------------------------------------------------------------------------------ */

static void test_plug_pilot_follows_the_session(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	(void)state;
	d->evcc_cfg.plug_at_start = 0;
	duo_start(d);
	duo_run(d, 3);
	assert_int_equal(d->secc.cp, CP_A);
	assert_int_equal(d->secc.duty_permille, 1000);
	assert_int_equal(d->pev.ccs.cp_state, 12);
	assert_int_equal(d->pev.ccs.pp_resistance_ohm, 2550);
	bench_command(d->bench, d->evcc_at, "plug");
	assert_true(duo_until_state(d, SECC_NEGOTIATING, 1));
	duo_run(d, 0.3);
	assert_int_equal(d->secc.cp, CP_B);
	assert_int_equal(d->pev.ccs.cp_duty_cycle_permille, 50);
	assert_int_equal(d->pev.ccs.cp_state, 9);
	assert_int_equal(d->pev.ccs.pp_resistance_ohm, 1500);
	assert_true(duo_until_state(d, SECC_CHARGING, 30));
	assert_int_equal(d->secc.cp, CP_C);
	assert_true(duo_until_stage(d, EVCC_WELDING_DETECTION, 30));
	duo_run(d, 0.1);
	assert_int_equal(d->secc.cp, CP_B);
	assert_int_equal(d->secc.duty_permille, 50); /* the oscillator stays on until the end */
	duo_free(d);
}

/* The pilot's frames every 100 ms; 300 ms without them is a broken connection. */
static void test_plug_lost_pilot_frames_are_an_unplugged_vehicle(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	int64_t min_us, max_us, cut_us;

	(void)state;
	d->evse.charge_ms = -1;
	duo_start(d);
	assert_true(duo_until_state(d, SECC_CHARGING, 30));
	duo_run(d, 2);
	bench_intervals(d->bench, duo_plug_id(d, PLUG_PILOT_EV), d->bench->now_us - SECONDS(1),
			d->bench->now_us, &min_us, &max_us);
	assert_int_equal(min_us, 100000);
	assert_int_equal(max_us, 100000);
	cut_us = bench_last(d->bench, duo_plug_id(d, PLUG_PILOT_EV))->time_us;
	d->bench->is_mute[d->evcc_at] = true;
	assert_true(duo_until_state(d, SECC_CLOSING, 2));
	assert_in_range(d->bench->now_us - cut_us, 1000000, 1100000);
	assert_int_equal(d->secc.emergency, SECC_CAUSE_VEHICLE_EMERGENCY);
	assert_int_equal(d->secc.origin, SECC_ORIGIN_PEV);
	duo_free(d);
}

static void test_plug_dead_charger_is_a_pilot_fault_for_the_vehicle(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	(void)state;
	d->evse.charge_ms = -1;
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_CHARGING, 30));
	duo_run(d, 1);
	d->bench->is_mute[d->secc_at] = true;
	assert_true(duo_until_stage(d, EVCC_CLOSING, 2));
	duo_run(d, 1.5);
	assert_int_equal(d->pev.diagnostic.control_pilot_fault, 1);
	assert_int_equal(d->evcc.is_emergency, true);
	assert_int_equal(d->pev.is_closed, false);
	duo_free(d);
}

static void test_plug_unplug_is_refused_while_locked_and_forced_breaks(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	(void)state;
	d->evse.charge_ms = -1;
	duo_start(d);
	assert_true(duo_until_state(d, SECC_CHARGING, 30));
	assert_int_equal(bench_command(d->bench, d->evcc_at, "unplug"), -EBUSY);
	assert_int_equal(bench_command(d->bench, d->secc_at, "unplug"), -EBUSY);
	assert_int_equal(d->secc.state, SECC_CHARGING);
	assert_int_equal(bench_command(d->bench, d->evcc_at, "unplug force"), 0);
	duo_run(d, 0.01);
	assert_int_equal(d->secc.state, SECC_CLOSING);
	assert_int_equal(d->secc.emergency, SECC_CAUSE_VEHICLE_EMERGENCY);
	duo_run(d, 0.3);
	assert_int_equal(d->pev.diagnostic.proximity_pilot_not_detected, 1);
	duo_free(d);
}

/* ---- fault injection -------------------------------------------------------------------------------------- */

static void test_plug_injected_faults_spoil_frames(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	canid_t status;
	const struct bench_record *r;
	size_t from;

	(void)state;
	duo_start(d);
	status = duo_evse_id(d, EVSE_ADVANTICS_CONTROLLER_STATUS);
	duo_run(d, 2);
	from = d->bench->n_trace;
	assert_int_equal(bench_command(d->bench, d->secc_at, "fault drop Advantics_Controller_Status 5"), 0);
	duo_run(d, 1);
	assert_in_range(bench_count(d->bench, status, from), 4, 6);
	assert_int_equal(bench_command(d->bench, d->secc_at, "fault dlc Advantics_Controller_Status 3 1"), 0);
	duo_run(d, 0.1);
	r = bench_last(d->bench, status);
	assert_int_equal(r->frame.can_dlc, 3);
	duo_run(d, 0.1);
	assert_int_equal(bench_last(d->bench, status)->frame.can_dlc, 1);
	assert_int_equal(bench_command(d->bench, d->secc_at, "fault enum Advantics_Controller_Status 1"), 0);
	duo_run(d, 0.1);
	assert_int_equal(bench_last(d->bench, status)->frame.data[0], 255);
	assert_int_equal(bench_command(d->bench, d->secc_at, "fault delay Advantics_Controller_Status 30 1"),
			 0);
	duo_run(d, 0.15);
	assert_int_equal(bench_last(d->bench, status)->time_us % 100000, 30000);
	assert_int_equal(bench_command(d->bench, d->secc_at, "fault silence on"), 0);
	from = d->bench->n_trace;
	duo_run(d, 1);
	assert_int_equal(bench_count(d->bench, status, from), 0);
	assert_int_equal(bench_command(d->bench, d->secc_at, "fault clear"), 0);
	duo_run(d, 0.2);
	assert_true(bench_count(d->bench, status, from) > 0);
	duo_free(d);
}

/* Any response code can be provoked and arrives as the PEV interface's number. */
static void test_plug_injected_response_code_reaches_the_vehicle(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	(void)state;
	d->evse.charge_ms = -1;
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_CHARGING, 30));
	assert_int_equal(
		bench_command(d->bench, d->secc_at, "fault code CurrentDemand FAILED_ContactorError"), 0);
	assert_true(duo_until_stage(d, EVCC_CLOSING, 1));
	duo_run(d, 0.2);
	assert_int_equal(d->pev.diagnostic.hlc_response_code, 24);
	assert_true(d->evcc.is_emergency);
	assert_true(bench_command(d->bench, d->secc_at, "fault code CurrentDemand NONSENSE") < 0);
	duo_free(d);
}

/* The charger's half pulled is an open proximity line for the vehicle, and back in it is a new plug-in. */
static void test_plug_pulled_at_the_chargers_end_is_unplugged(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	(void)state;
	d->evse.charge_ms = -1;
	duo_start(d);
	assert_true(duo_until_state(d, SECC_CHARGING, 30));
	assert_int_equal(bench_command(d->bench, d->secc_at, "unplug force"), 0);
	duo_run(d, 0.3);
	assert_int_equal(d->evcc.cause, EVCC_CAUSE_UNPLUGGED);
	assert_int_equal(d->pev.diagnostic.proximity_pilot_not_detected, 1);
	duo_run(d, 5);
	assert_int_equal(d->evcc.stage, EVCC_WAITING_FOR_EVSE);
	assert_int_equal(bench_command(d->bench, d->secc_at, "plug"), 0);
	assert_true(duo_until_state(d, SECC_CHARGING, 40));
	assert_int_equal(d->secc.count.n_sessions, 2);
	duo_free(d);
}

static void test_plug_bad_requests_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"nonsense",
		"fault drop Nobody",
		"fault dlc Pilot_EVSE 9",
		"fault silence",
		"set no_such 1",
		"set index 3",
		"input 9 1",
		"emergency sideways",
		"temperature ptc1 x",
		"fault delay Pilot_EVSE 0",
		"plug",
	};
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	unsigned i;

	(void)state;
	duo_start(d);
	duo_run(d, 2);
	for (i = 0; i < N(bad); i++) {
		assert_true(bench_command(d->bench, d->secc_at, bad[i]) < 0);
		assert_true(bench_command(d->bench, d->evcc_at, bad[i]) < 0);
	}
	assert_int_equal(bench_command(d->bench, d->secc_at, "status"), 0);
	assert_int_equal(bench_command(d->bench, d->evcc_at, "status"), 0);
	duo_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plug_missing_answer_times_out_in_every_phase),
		cmocka_unit_test(test_plug_loop_timeout_is_configurable),
		cmocka_unit_test(test_plug_nobody_answers_the_handshake_within_20_s),
		cmocka_unit_test(test_plug_secc_gives_up_setup_after_18_s),
		cmocka_unit_test(test_plug_silent_vehicle_ends_session_after_60_s),
		cmocka_unit_test(test_plug_ongoing_parameters_time_out_after_60_s),
		cmocka_unit_test(test_plug_cable_check_times_out_after_40_s),
		cmocka_unit_test(test_plug_authorisation_wait_has_no_limit_in_iso_only),
		cmocka_unit_test(test_plug_pilot_follows_the_session),
		cmocka_unit_test(test_plug_lost_pilot_frames_are_an_unplugged_vehicle),
		cmocka_unit_test(test_plug_dead_charger_is_a_pilot_fault_for_the_vehicle),
		cmocka_unit_test(test_plug_unplug_is_refused_while_locked_and_forced_breaks),
		cmocka_unit_test(test_plug_injected_faults_spoil_frames),
		cmocka_unit_test(test_plug_injected_response_code_reaches_the_vehicle),
		cmocka_unit_test(test_plug_pulled_at_the_chargers_end_is_unplugged),
		cmocka_unit_test(test_plug_bad_requests_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
