/* SPDX-License-Identifier: MIT */
/* Both virtual modules joined by the plug: whole sessions, and the rules of the charging protocol between them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/duo.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static const struct plug_session_stop_req any_stop = {.charging_session = V2G_TERMINATE};

/* ---- whole sessions --------------------------------------------------------------------------------------- */

/* E-96, P-54: the vendor's simulators as customers, both alive at the end. */
static void test_plug_vendor_like_customers_complete_a_session(void **state)
{
	static const int states[] = {0, 12, 1, 2, 11, 3, 4, 5, 6, 7, 8, 10, 1, -1};
	static const int stages[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, -1};
	struct duo *d = duo_new(EVSE_V3_2, PEV_V2_0_EX);

	(void)state;
	d->secc_cfg.free_service = 0;
	d->evcc_cfg.welding_detection = 0;
	d->evcc_cfg.unplug_after_ms = 500;
	duo_start(d);
	duo_run(d, 60);
	assert_string_equal(d->evse.raised, "");
	assert_string_equal(d->pev.raised, "");
	assert_true(scripted_evse_passed(&d->evse, states));
	assert_true(scripted_pev_passed(&d->pev, stages));
	assert_int_equal(d->secc.count.n_emergencies, 0);
	assert_int_equal(d->evcc.count.n_emergencies, 0);
	assert_int_equal(d->pev.protocol, 0); /* cleared in stage 1 */
	duo_free(d);
}

static void test_plug_every_profile_completes_a_session(void **state)
{
	unsigned evse, pev;

	(void)state;
	for (evse = 0; evse < EVSE_N_VERSIONS; evse++) {
		for (pev = 0; pev < PEV_N_VERSIONS; pev++) {
			struct duo *d = duo_new((enum evse_version)evse, (enum pev_version)pev);

			d->evcc_cfg.unplug_after_ms = 500;
			duo_start(d);
			duo_run(d, 45);
			assert_string_equal(d->evse.raised, "");
			assert_string_equal(d->pev.raised, "");
			assert_int_equal(d->secc.count.n_sessions, 1);
			assert_int_equal(d->secc.cause, SECC_CAUSE_VEHICLE);
			assert_int_equal(d->evcc.cause, EVCC_CAUSE_CHARGER_STOP);
			assert_true(d->evcc.count.n_loops > 80);
			assert_int_equal(d->secc.state, SECC_WAITING_FOR_PEV);
			assert_int_equal(d->evcc.stage, EVCC_WAITING_FOR_EVSE);
			duo_free(d);
		}
	}
}

static void test_plug_second_session_after_replug(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	uint16_t first_tag;

	(void)state;
	duo_start(d);
	assert_true(duo_until_state(d, SECC_CHARGING, 30));
	first_tag = d->secc.v2g.tag;
	assert_true(duo_until_stage(d, EVCC_CLOSING, 30));
	/* Still plugged: no second session by itself. */
	duo_run(d, 30);
	assert_int_equal(d->secc.count.n_sessions, 1);
	assert_int_equal(d->evcc.stage, EVCC_CLOSING);
	assert_int_equal(bench_command(d->bench, d->evcc_at, "unplug"), 0);
	duo_run(d, 1);
	assert_int_equal(bench_command(d->bench, d->evcc_at, "plug"), 0);
	assert_true(duo_until_state(d, SECC_CHARGING, 30));
	assert_int_equal(d->secc.count.n_sessions, 2);
	assert_int_not_equal(d->secc.v2g.tag, first_tag);
	assert_int_not_equal(d->secc.v2g.tag, 0);
	duo_free(d);
}

static void test_plug_same_seed_gives_same_trace(void **state)
{
	struct duo *a = duo_new(EVSE_V3_6, PEV_V2_5), *b = duo_new(EVSE_V3_6, PEV_V2_5);
	size_t i;

	(void)state;
	duo_start(a);
	duo_start(b);
	duo_run(a, 40);
	duo_run(b, 40);
	assert_int_equal(a->bench->n_trace, b->bench->n_trace);
	for (i = 0; i < a->bench->n_trace; i++) {
		assert_int_equal(a->bench->trace[i].time_us, b->bench->trace[i].time_us);
		assert_memory_equal(&a->bench->trace[i].frame, &b->bench->trace[i].frame,
				    sizeof(struct can_frame));
	}
	duo_free(a);
	duo_free(b);
}

/* E-10: two pistols on one bus, another vehicle each. */
static void test_plug_two_pistols_are_independent(void **state)
{
	struct duo *one = duo_new(EVSE_V3_6, PEV_V2_5), *two = duo_new(EVSE_V3_6, PEV_V2_5);
	struct machine m;

	(void)state;
	one->evse.charge_ms = -1;
	duo_start(one);
	/* The second pair joins the bench of the first; its vehicle's own bus is another one. */
	two->secc_cfg.index = 2;
	two->evcc_cfg.pistol_index = 2;
	two->evse.index = 2;
	two->evse.charge_ms = 2000;
	secc_init(&two->secc, &two->secc_cfg, NULL, 0);
	evcc_init(&two->evcc, &two->evcc_cfg, NULL, 0);
	m = secc_machine(&two->secc);
	bench_add(one->bench, &m);
	m = evcc_machine(&two->evcc);
	bench_add(one->bench, &m);
	m = scripted_evse_machine(&two->evse);
	bench_add(one->bench, &m);
	/* Both EVCCs hear the same scripted vehicle; what counts is that the sessions do not touch each other. */
	bench_run(one->bench, SECONDS(30));
	assert_int_equal(one->secc.state, SECC_CHARGING);
	assert_int_equal(two->secc.count.n_sessions, 1);
	assert_int_equal(two->secc.cause, SECC_CAUSE_VEHICLE);
	assert_int_not_equal(one->secc.v2g.tag, two->secc.v2g.tag);
	duo_free(one);
	duo_free(two);
}

/* ---- protocol choice -------------------------------------------------------------------------------------- */

static enum v2g_protocol agreed(int32_t priority, int32_t din_priority, int32_t enable_din,
				int32_t enable_iso2)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	enum v2g_protocol p;

	d->secc_cfg.priority = priority;
	d->secc_cfg.enable_din = enable_din;
	d->secc_cfg.enable_iso2 = enable_iso2;
	d->evcc_cfg.din_priority = din_priority;
	duo_start(d);
	duo_until_state(d, SECC_FULL_INFO, 20);
	p = d->secc.v2g.protocol;
	duo_free(d);
	return p;
}

static void test_plug_handshake_follows_priorities(void **state)
{
	(void)state;
	assert_int_equal(agreed(SECC_PRIO_STANDARD, 3, 1, 1), V2G_PROTOCOL_ISO2);
	assert_int_equal(agreed(SECC_PRIO_STANDARD, 1, 1, 1), V2G_PROTOCOL_DIN);
	assert_int_equal(agreed(SECC_PRIO_LATEST, 1, 1, 1), V2G_PROTOCOL_ISO2);
	assert_int_equal(agreed(SECC_PRIO_OLDEST, 3, 1, 1), V2G_PROTOCOL_DIN);
	assert_int_equal(agreed(SECC_PRIO_STANDARD, 3, 1, 0), V2G_PROTOCOL_DIN);
}

static void test_plug_no_common_protocol_ends_session_on_both_sides(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	(void)state;
	d->secc_cfg.enable_iso2 = 0;
	d->evcc_cfg.enable_din = 0;
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_CLOSING, 20));
	duo_run(d, 0.5);
	assert_int_equal(d->evcc.cause, EVCC_CAUSE_NO_PROTOCOL);
	assert_int_equal(d->pev.diagnostic.v2gtp_protocol_version_invalid, 1);
	assert_int_equal(d->secc.cause, SECC_CAUSE_NO_PROTOCOL);
	assert_int_equal(d->secc.state, SECC_CLOSING);
	duo_free(d);
}

/* ---- order, session, codes -------------------------------------------------------------------------------- */

/* Every request in every state of a session: out of order is FAILED_SequenceError in its own response. */
static void test_plug_request_out_of_order_is_refused_in_every_phase(void **state)
{
	static const enum secc_state phases[] = {SECC_FULL_INFO, SECC_INSULATION_TEST, SECC_PRECHARGE,
						 SECC_CHARGING};
	/* Not allowed in any of these phases after the request that led there. */
	static const enum v2g_msg wrong[] = {V2G_SERVICE_DISCOVERY, V2G_PAYMENT_SERVICE_SELECTION,
					     V2G_WELDING_DETECTION};
	unsigned p, w;

	(void)state;
	for (p = 0; p < N(phases); p++) {
		for (w = 0; w < N(wrong); w++) {
			struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
			struct plug_service_discovery_req q = {0}; /* the tag leads every request */
			const struct bench_record *r;

			d->evse.charge_ms = -1;
			duo_start(d);
			assert_true(duo_until_state(d, phases[p], 30));
			q.session_tag = d->secc.v2g.tag;
			{
				struct can_frame f;

				msg_to_frame(&plug_layouts[0][PLUG_SERVICE_DISCOVERY_REQ], &q, 1, &f);
				f.can_id = duo_plug_id(d, v2g_request_layout(wrong[w]));
				bench_inject(d->bench, &f);
			}
			duo_run(d, 0.01);
			r = bench_last(d->bench, duo_plug_id(d, v2g_answer_layout(wrong[w])));
			assert_non_null(r);
			assert_int_equal(r->frame.data[2], V2G_FAILED_SEQUENCE_ERROR);
			assert_int_equal(d->secc.state, SECC_CLOSING);
			assert_int_equal(d->secc.cause, SECC_CAUSE_SEQUENCE_ERROR);
			duo_free(d);
		}
	}
}

/* The order as a table: what may follow each message once it is finished. */
static void test_plug_order_is_the_standards(void **state)
{
	static const uint32_t stop = UINT32_C(1) << V2G_SESSION_STOP;
	static const enum v2g_msg next[V2G_SESSION_STOP] = {
		V2G_SESSION_SETUP, V2G_SERVICE_DISCOVERY,	   V2G_PAYMENT_SERVICE_SELECTION,
		V2G_AUTHORIZATION, V2G_CHARGE_PARAMETER_DISCOVERY, V2G_CABLE_CHECK,
		V2G_PRE_CHARGE,
	};
	unsigned msg;

	(void)state;
	for (msg = V2G_SESSION_SETUP; msg <= V2G_CABLE_CHECK; msg++) {
		assert_int_equal(v2g_allowed_after((enum v2g_msg)msg, true, false),
				 UINT32_C(1) << next[msg] | stop);
		/* Ongoing: the same again, or goodbye. */
		assert_int_equal(v2g_allowed_after((enum v2g_msg)msg, false, false),
				 UINT32_C(1) << msg | stop);
	}
	assert_int_equal(v2g_allowed_after(V2G_CURRENT_DEMAND, true, true),
			 UINT32_C(1) << V2G_CURRENT_DEMAND | UINT32_C(1) << V2G_POWER_DELIVERY);
	assert_int_equal(v2g_allowed_after(V2G_POWER_DELIVERY, true, false),
			 UINT32_C(1) << V2G_WELDING_DETECTION | stop);
	assert_int_equal(v2g_allowed_after(V2G_NONE, true, false), 1);
	assert_int_equal(v2g_allowed_after(V2G_SESSION_STOP, true, false), 1);
}

static void test_plug_wrong_session_tag_is_unknown_session(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);
	struct plug_session_stop_req q = any_stop;
	const struct bench_record *r;

	(void)state;
	duo_start(d);
	assert_true(duo_until_state(d, SECC_INSULATION_TEST, 30));
	q.session_tag = (uint16_t)(d->secc.v2g.tag + 1);
	duo_inject_plug(d, PLUG_SESSION_STOP_REQ, &q);
	duo_run(d, 0.01);
	r = bench_last(d->bench, duo_plug_id(d, PLUG_SESSION_STOP_RES));
	assert_non_null(r);
	assert_int_equal(r->frame.data[2], V2G_FAILED_UNKNOWN_SESSION);
	assert_int_equal(d->secc.cause, SECC_CAUSE_UNKNOWN_SESSION);
	duo_free(d);
}

static bool spoil_tag(void *ctx, struct bench *b, unsigned sender, struct can_frame *f)
{
	struct duo *d = ctx;

	(void)b;
	if (sender == d->secc_at && f->can_id == duo_plug_id(d, PLUG_CABLE_CHECK_RES))
		f->data[0] ^= 1;
	return true;
}

static void test_plug_answer_of_another_session_is_diagnosed(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	(void)state;
	d->bench->tap = spoil_tag;
	d->bench->ctx = d;
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_CLOSING, 30));
	duo_run(d, 0.3);
	assert_int_equal(d->evcc.cause, EVCC_CAUSE_SESSION_ID);
	assert_int_equal(d->pev.diagnostic.v2gtp_session_id_unexpected, 1);
	duo_free(d);
}

/* P-53: the last response code and the flag it stands for are shown until stage 1. */
static bool refuse_authorization(void *ctx, struct bench *b, unsigned sender, struct can_frame *f)
{
	struct duo *d = ctx;

	(void)b;
	if (sender == d->secc_at && f->can_id == duo_plug_id(d, PLUG_AUTHORIZATION_RES))
		f->data[2] = V2G_FAILED;
	return true;
}

static void test_plug_failure_code_reaches_diagnostics_and_stays(void **state)
{
	struct duo *d = duo_new(EVSE_V3_6, PEV_V2_5);

	(void)state;
	d->bench->tap = refuse_authorization;
	d->bench->ctx = d;
	duo_start(d);
	assert_true(duo_until_stage(d, EVCC_CLOSING, 30));
	duo_run(d, 20);
	assert_int_equal(d->pev.diagnostic.v2gtp_authorization_failure, 1);
	assert_int_equal(d->pev.diagnostic.hlc_response_code, 22); /* FAILED */
	bench_command(d->bench, d->evcc_at, "unplug");
	duo_run(d, 1);
	assert_int_equal(d->evcc.stage, EVCC_WAITING_FOR_EVSE);
	assert_int_equal(d->pev.diagnostic.v2gtp_authorization_failure, 0);
	assert_int_equal(d->pev.diagnostic.hlc_response_code, 0);
	duo_free(d);
}

static void test_plug_hlc_codes_are_the_interfaces_numbers(void **state)
{
	(void)state;
	assert_int_equal(evcc_hlc_code(V2G_OK), 1);
	assert_int_equal(evcc_hlc_code(V2G_OK_NEW_SESSION), 3);
	assert_int_equal(evcc_hlc_code(V2G_OK_OLD_SESSION), 4);
	assert_int_equal(evcc_hlc_code(V2G_FAILED), 22);
	assert_int_equal(evcc_hlc_code(V2G_FAILED_SEQUENCE_ERROR), 35);
	assert_int_equal(evcc_hlc_code(V2G_FAILED_UNKNOWN_SESSION), 39);
	assert_int_equal(evcc_hlc_code(V2G_FAILED_WRONG_CHARGE_PARAMETER), 40);
	assert_int_equal(evcc_hlc_code(V2G_FAILED_CONTACTOR), 24);
	assert_int_equal(evcc_hlc_code(27), 53);
	assert_int_equal(evcc_hlc_code(200), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plug_vendor_like_customers_complete_a_session),
		cmocka_unit_test(test_plug_every_profile_completes_a_session),
		cmocka_unit_test(test_plug_second_session_after_replug),
		cmocka_unit_test(test_plug_same_seed_gives_same_trace),
		cmocka_unit_test(test_plug_two_pistols_are_independent),
		cmocka_unit_test(test_plug_handshake_follows_priorities),
		cmocka_unit_test(test_plug_no_common_protocol_ends_session_on_both_sides),
		cmocka_unit_test(test_plug_request_out_of_order_is_refused_in_every_phase),
		cmocka_unit_test(test_plug_order_is_the_standards),
		cmocka_unit_test(test_plug_wrong_session_tag_is_unknown_session),
		cmocka_unit_test(test_plug_answer_of_another_session_is_diagnosed),
		cmocka_unit_test(test_plug_failure_code_reaches_diagnostics_and_stays),
		cmocka_unit_test(test_plug_hlc_codes_are_the_interfaces_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
