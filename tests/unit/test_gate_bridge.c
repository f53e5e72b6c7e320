/* SPDX-License-Identifier: MIT */
/*
 * The way over the gap, in virtual time: records out of frames, the newest alone, nothing late, and states.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <forecourt/units.h>

#include "gateways/gate_bridge.h"
#include "lib/core/log.h"

#define MS	INT64_C(1000)
#define S	INT64_C(1000000)
#define QUEUED	64
#define SILENCE (3 * S)

struct fixture {
	struct gate_bridge b;
	struct gate_queue changes, events;
	struct out_queue out;
	_Alignas(16) unsigned char memory[2][QUEUED * 512];
};

static struct fixture *make(enum gate_role role, unsigned number)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_true(gate_queue_bytes(QUEUED, sizeof(struct gate_change)) <= sizeof(f->memory[0]));
	assert_true(gate_queue_bytes(QUEUED, sizeof(struct gate_event)) <= sizeof(f->memory[1]));
	gate_queue_init(&f->changes, f->memory[0], QUEUED, sizeof(struct gate_change));
	gate_queue_init(&f->events, f->memory[1], QUEUED, sizeof(struct gate_event));
	gate_bridge_init(&f->b, role, SILENCE);
	assert_int_equal(gate_bridge_add(&f->b, (uint8_t)number), 0);
	f->b.changes = &f->changes;
	f->b.events = &f->events;
	out_queue_init(&f->out);
	return f;
}

static void rx(struct fixture *f, int64_t now_us, enum site_msg msg, unsigned number, const void *content)
{
	struct can_frame frame;

	msg_to_frame(&site_layouts[SITE_V1][msg], content, number, &frame);
	gate_bridge_rx(&f->b, now_us, &frame);
}

static void rx_report(struct fixture *f, int64_t now_us, uint32_t number, uint8_t state)
{
	const struct site_point_report r = {.number = number, .ack_age = 255, .state = state};

	rx(f, now_us, SITE_POINT_REPORT, 1, &r);
}

static struct gate_record down_grant(uint32_t number, uint8_t revision)
{
	return (struct gate_record){.parts = GATE_PART(SITE_GRANT),
				    .grant = {.number = number, .revision = revision, .duration = 5}};
}

/* --- up ------------------------------------------------------------------------------------------------- */

static void test_bridge_record_is_whole_at_its_last_part(void **state)
{
	const struct site_point_demand d = {.requested_mA = 16000};
	const struct site_point_session s = {.priority = 2};
	const struct site_point_meter m = {.energy_session = 7};
	struct fixture *f = make(GATE_POINT, 1);
	struct gate_record r;

	(void)state;
	rx_report(f, 0, 9, 2);
	rx(f, 0, SITE_POINT_DEMAND, 1, &d);
	rx(f, 0, SITE_POINT_SESSION, 1, &s);
	assert_false(gate_bridge_take_up(&f->b, 0, 0, &r));
	rx(f, 0, SITE_POINT_METER, 1, &m);
	assert_true(gate_bridge_take_up(&f->b, 0, 0, &r));
	assert_int_equal(r.parts, GATE_REPORT_PARTS);
	assert_int_equal(r.report.number, 9);
	assert_int_equal(r.demand.requested_mA, 16000);
	assert_int_equal(r.session.priority, 2);
	assert_int_equal(r.meter.energy_session, 7);
	assert_false(gate_bridge_take_up(&f->b, 0, 0, &r));
	free(f);
}

static void test_bridge_record_without_vehicle_closes_after_a_moment(void **state)
{
	const struct site_point_demand d = {.maximum_mA = 32000};
	struct fixture *f = make(GATE_POINT, 1);
	struct gate_record r;

	(void)state;
	rx_report(f, 5 * MS, 9, 0);
	rx(f, 5 * MS, SITE_POINT_DEMAND, 1, &d);
	assert_int_equal(gate_bridge_next_us(&f->b), 5 * MS + GATE_COLLECT_US);
	gate_bridge_tick(&f->b, 5 * MS + GATE_COLLECT_US - 1);
	assert_false(gate_bridge_take_up(&f->b, 0, 0, &r));
	gate_bridge_tick(&f->b, 5 * MS + GATE_COLLECT_US);
	assert_true(gate_bridge_take_up(&f->b, 0, 0, &r));
	assert_int_equal(r.parts, GATE_PART(SITE_POINT_REPORT) | GATE_PART(SITE_POINT_DEMAND));
	free(f);
}

static void test_bridge_parts_in_any_order_make_the_record(void **state)
{
	const struct site_grant_reason why = {.reason = 2, .row = 7};
	const struct site_grant g = {.number = 3, .duration = 5};
	struct fixture *f = make(GATE_SITE, 16);
	struct gate_record r;

	(void)state;
	rx(f, 0, SITE_GRANT_REASON, 16, &why);
	assert_false(gate_bridge_take_up(&f->b, 0, 0, &r));
	rx(f, 0, SITE_GRANT, 16, &g);
	assert_true(gate_bridge_take_up(&f->b, 0, 0, &r));
	assert_int_equal(r.parts, GATE_GRANT_PARTS);
	assert_int_equal(r.reason.row, 7);
	free(f);
}

/* A part whose key was lost must not be taken for one of a later record. */
static void test_bridge_part_left_over_is_not_part_of_the_next_record(void **state)
{
	const struct site_point_demand d = {.maximum_mA = 32000};
	const struct site_point_session s = {.priority = 2};
	struct fixture *f = make(GATE_POINT, 1);
	struct gate_record r;

	(void)state;
	rx(f, 0, SITE_POINT_DEMAND, 1, &d);
	rx(f, 0, SITE_POINT_SESSION, 1, &s); /* then the vehicle leaves */
	rx(f, S, SITE_POINT_DEMAND, 1, &d);
	rx_report(f, S, 10, 0);
	gate_bridge_tick(&f->b, S + GATE_COLLECT_US);
	assert_true(gate_bridge_take_up(&f->b, 0, S, &r));
	assert_int_equal(r.parts, GATE_PART(SITE_POINT_REPORT) | GATE_PART(SITE_POINT_DEMAND));
	free(f);
}

static void test_bridge_only_the_newest_waits_and_the_rest_is_counted(void **state)
{
	struct fixture *f = make(GATE_POINT, 1);
	struct gate_record r;
	uint32_t i;

	(void)state;
	for (i = 0; i < 100; i++) {
		rx_report(f, i * S, i, 2);
		gate_bridge_tick(&f->b, i * S + GATE_COLLECT_US);
	}
	assert_true(gate_bridge_take_up(&f->b, 0, 100 * S, &r));
	assert_int_equal(r.report.number, 99);
	assert_false(gate_bridge_take_up(&f->b, 0, 100 * S, &r));
	assert_int_equal(f->b.count.n_up_overtaken, 99);
	assert_int_equal(f->b.count.n_up, 1);
	free(f);
}

static void test_bridge_record_older_than_longest_lease_is_void(void **state)
{
	struct fixture *f = make(GATE_POINT, 1);
	struct gate_record r;

	(void)state;
	rx_report(f, 0, 1, 2);
	gate_bridge_tick(&f->b, GATE_COLLECT_US);
	assert_false(gate_bridge_take_up(&f->b, 0, GATE_COLLECT_US + GATE_VOID_US, &r));
	assert_int_equal(f->b.count.n_up_void, 1);
	free(f);
}

static void test_bridge_foreign_and_broken_frames_make_nothing(void **state)
{
	const struct site_grant g = {.number = 3, .duration = 5};
	const struct site_point_report p = {.number = 1};
	struct fixture *f = make(GATE_POINT, 1);
	struct can_frame frame;
	struct gate_record r;

	(void)state;
	rx(f, 0, SITE_POINT_REPORT, 2, &p); /* another point */
	rx(f, 0, SITE_GRANT, 1, &g);	    /* the other way */
	msg_to_frame(&site_layouts[SITE_V1][SITE_POINT_REPORT], &p, 1, &frame);
	frame.can_dlc = 7;
	gate_bridge_rx(&f->b, 0, &frame);
	frame.can_dlc = 8;
	frame.can_id |= CAN_RTR_FLAG;
	gate_bridge_rx(&f->b, 0, &frame);
	frame.can_id = 0x123;
	gate_bridge_rx(&f->b, 0, &frame);
	gate_bridge_tick(&f->b, S);
	assert_false(gate_bridge_take_up(&f->b, 0, S, &r));
	assert_int_equal(f->b.count.n_frames_bad, 4);
	assert_int_equal(f->b.count.n_changes, 0);
	free(f);
}

/* --- down ----------------------------------------------------------------------------------------------- */

static void send_down(struct fixture *f, uint32_t number, uint8_t revision)
{
	const struct gate_record r = down_grant(number, revision);

	gate_bridge_put_down(&f->b, 0, &r);
}

static void test_bridge_burst_after_outage_sends_the_newest_alone(void **state)
{
	struct fixture *f = make(GATE_POINT, 3);
	struct site_grant g;
	uint32_t i;

	(void)state;
	for (i = 1; i <= 500; i++)
		send_down(f, i, 0);
	gate_bridge_send(&f->b, &f->out);
	assert_int_equal(f->out.n, 1);
	assert_true(msg_from_frame(&site_layouts[SITE_V1][SITE_GRANT], &g, &f->out.item[0].u.frame, 8));
	assert_int_equal(g.number, 500);
	assert_int_equal(msg_index(f->out.item[0].u.frame.can_id), 3);
	assert_int_equal(f->b.count.n_down_overtaken, 499);
	out_queue_clear(&f->out);
	gate_bridge_send(&f->b, &f->out);
	assert_int_equal(f->out.n, 0); /* nothing is repeated */
	free(f);
}

static void test_bridge_late_and_doubled_are_dropped_over_the_wrap(void **state)
{
	static const struct {
		uint32_t number;
		uint8_t revision;
		bool passes;
	} steps[] = {
		{0xfffffe, 0, true},  {0xfffffe, 0, false}, {0xfffffe, 1, true}, {0xfffffe, 0, false},
		{0xfffffd, 9, false}, {0xffffff, 0, true},  {0, 0, true},	 {0xffffff, 1, false},
		{5, 0, true},	      {4, 15, false},	    {5, 1, true},
	};
	struct fixture *f = make(GATE_POINT, 1);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		const struct gate_record r = down_grant(steps[i].number, steps[i].revision);

		if (gate_bridge_put_down(&f->b, 0, &r) != steps[i].passes)
			fail_msg("step %zu", i);
	}
	assert_int_equal(f->b.count.n_down_late, 5);
	free(f);
}

/* A point whose clock went back begins far behind: it must not be cut off. */
static void test_bridge_numbering_that_begins_again_passes(void **state)
{
	struct fixture *f = make(GATE_SITE, 16);
	const struct gate_record before = {.parts = GATE_PART(SITE_POINT_REPORT),
					   .report = {.number = 900000}};
	const struct gate_record after = {.parts = GATE_PART(SITE_POINT_REPORT), .report = {.number = 100}};
	const struct gate_record next = {.parts = GATE_PART(SITE_POINT_REPORT), .report = {.number = 101}};

	(void)state;
	assert_true(gate_bridge_put_down(&f->b, 0, &before));
	assert_true(gate_bridge_put_down(&f->b, 0, &after));
	assert_true(gate_bridge_put_down(&f->b, 0, &next));
	assert_false(gate_bridge_put_down(&f->b, 0, &next));
	free(f);
}

/* --- states --------------------------------------------------------------------------------------------- */

static void test_bridge_every_change_of_state_is_queued_once_with_its_number(void **state)
{
	struct fixture *f = make(GATE_POINT, 1);
	const struct gate_change *c;
	uint64_t number;
	uint8_t i;

	(void)state;
	f->b.wall_offset_us = 1000 * S;
	for (i = 0; i < 20; i++)
		rx_report(f, i * MS, i, i / 2 % 7); /* each state twice */
	for (i = 0; i < 10; i++) {
		c = gate_queue_next(&f->changes, UINT32_MAX, &number);
		assert_non_null(c);
		assert_int_equal(c->seq, i + 1u);
		assert_int_equal(c->state.reported, i % 7);
		assert_int_equal(c->wall_us, 1000 * S + 2 * i * MS);
		gate_queue_sent(&f->changes);
	}
	assert_null(gate_queue_next(&f->changes, UINT32_MAX, &number));
	free(f);
}

static void test_bridge_silence_is_a_state(void **state)
{
	struct fixture *f = make(GATE_POINT, 1);

	(void)state;
	rx_report(f, 0, 1, 2);
	gate_bridge_tick(&f->b, SILENCE - 1);
	assert_int_equal(f->b.point[0].state.reported, 2);
	gate_bridge_tick(&f->b, SILENCE);
	assert_int_equal(f->b.point[0].state.reported, GATE_SILENT);
	assert_int_equal(f->b.point[0].state.has_grant, GATE_UNKNOWN);
	assert_int_equal(f->b.count.n_changes, 2);
	gate_bridge_tick(&f->b, 10 * SILENCE);
	assert_int_equal(f->b.count.n_changes, 2);
	free(f);
}

static void test_bridge_controller_answers_become_state_and_events(void **state)
{
	static const char answer[] = "2.state=Transfer\n3.state=Idle\n2.session_open=1\n2.start_allowed=1\n"
				     "2.contactors=closed\n2.faults=over_voltage,guard\n"
				     "2.maximum_charge_current=80.5\nnonsense\n=x\n2.soc_percent=7\n";
	struct fixture *f = make(GATE_POINT, 2);
	const struct gate_event *e;
	struct gate_facts facts;
	uint64_t number;

	(void)state;
	assert_true(gate_facts_parse(&facts, answer, 2));
	assert_int_equal(facts.max_charge_mA, 80500);
	gate_bridge_set_facts(&f->b, 0, 0, &facts);
	assert_string_equal(f->b.point[0].state.controller, "Transfer");
	assert_string_equal(f->b.point[0].state.faults, "over_voltage,guard");
	assert_int_equal(f->b.point[0].state.is_session_open, 1);
	assert_int_equal(f->b.point[0].state.is_closed, 1);
	e = gate_queue_next(&f->events, UINT32_MAX, &number);
	assert_non_null(e);
	assert_int_equal(e->level, LOG_ERR_LEVEL);
	assert_non_null(strstr(e->text, "session begins"));
	assert_non_null(strstr(e->text, "faults: over_voltage,guard"));
	gate_bridge_set_facts(&f->b, 0, 0, NULL);
	assert_string_equal(f->b.point[0].state.controller, "");
	assert_int_equal(f->b.point[0].state.is_session_open, GATE_UNKNOWN);
	free(f);
}

static void test_bridge_controller_answers_of_any_length_are_survived(void **state)
{
	struct gate_facts facts;
	char text[600];

	(void)state;
	assert_false(gate_facts_parse(&facts, "", 1));
	assert_false(gate_facts_parse(&facts, "state", 1));
	assert_false(gate_facts_parse(&facts, "state=", 1));
	assert_false(gate_facts_parse(&facts, "99999999999999999999.state=x\n", 1));
	assert_true(gate_facts_parse(&facts, "state=x", 1)); /* no line end */
	memset(text, 'x', sizeof(text));
	memcpy(text, "faults=", 7);
	text[300] = '\n';
	memcpy(text + 301, "state=", 6);
	text[599] = '\0';
	assert_true(gate_facts_parse(&facts, text, 1));
	assert_int_equal(strlen(facts.controller), GATE_CONTROLLER_MAX - 1);
	assert_int_equal(strlen(facts.faults), GATE_FAULTS_MAX - 1);
	assert_true(gate_facts_parse(&facts, "state=x\nmaximum_charge_current=what\nsession_open=2\n", 1));
	assert_int_equal(facts.max_charge_mA, -1);
	assert_int_equal(facts.is_session_open, GATE_UNKNOWN);
}

static void test_bridge_points_are_found_by_number_and_taken_once(void **state)
{
	struct fixture *f = make(GATE_SITE, 16);
	unsigned i;

	(void)state;
	assert_int_equal(gate_bridge_add(&f->b, 16), -1);
	for (i = 17; i < 32; i++)
		assert_int_equal(gate_bridge_add(&f->b, (uint8_t)i), (int)i - 16);
	assert_int_equal(gate_bridge_add(&f->b, 1), -1); /* full */
	assert_int_equal(gate_bridge_find(&f->b, 31), 15);
	assert_int_equal(gate_bridge_find(&f->b, 1), -1);
	free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bridge_record_is_whole_at_its_last_part),
		cmocka_unit_test(test_bridge_record_without_vehicle_closes_after_a_moment),
		cmocka_unit_test(test_bridge_parts_in_any_order_make_the_record),
		cmocka_unit_test(test_bridge_part_left_over_is_not_part_of_the_next_record),
		cmocka_unit_test(test_bridge_only_the_newest_waits_and_the_rest_is_counted),
		cmocka_unit_test(test_bridge_record_older_than_longest_lease_is_void),
		cmocka_unit_test(test_bridge_foreign_and_broken_frames_make_nothing),
		cmocka_unit_test(test_bridge_burst_after_outage_sends_the_newest_alone),
		cmocka_unit_test(test_bridge_late_and_doubled_are_dropped_over_the_wrap),
		cmocka_unit_test(test_bridge_numbering_that_begins_again_passes),
		cmocka_unit_test(test_bridge_every_change_of_state_is_queued_once_with_its_number),
		cmocka_unit_test(test_bridge_silence_is_a_state),
		cmocka_unit_test(test_bridge_controller_answers_become_state_and_events),
		cmocka_unit_test(test_bridge_controller_answers_of_any_length_are_survived),
		cmocka_unit_test(test_bridge_points_are_found_by_number_and_taken_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
