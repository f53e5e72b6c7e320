/* SPDX-License-Identifier: MIT */
/* The ledger of commands, in virtual time: each step, each end, repeats, and a memory that is full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <forecourt/units.h>

#include "gateways/gate_command.h"

#define S	INT64_C(1000000)
#define EXECUTE (10 * S)
#define CONFIRM (60 * S)
#define QUEUED	1024

struct fixture {
	struct gate_ledger l;
	struct gate_queue answers;
	_Alignas(16) unsigned char memory[QUEUED * 400];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_true(gate_queue_bytes(QUEUED, sizeof(struct gate_answer)) <= sizeof(f->memory));
	gate_queue_init(&f->answers, f->memory, QUEUED, sizeof(struct gate_answer));
	gate_ledger_init(&f->l, &f->answers, EXECUTE, CONFIRM);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static struct gate_request make(const char *id, enum gate_verb verb)
{
	struct gate_request r = {.verb = verb};

	snprintf(r.id, sizeof(r.id), "%s", id);
	return r;
}

static int ask(struct fixture *f, int64_t now_us, const char *id, enum gate_verb verb)
{
	const struct gate_request r = make(id, verb);

	return gate_ledger_request(&f->l, now_us, &r);
}

/* The next answer must be that step of that command. */
static const struct gate_answer *expect(struct fixture *f, const char *id, enum gate_step step)
{
	uint64_t number;
	const struct gate_answer *a = gate_queue_next(&f->answers, UINT32_MAX, &number);

	if (!a || strcmp(a->request.id, id) != 0 || a->step != step)
		fail_msg("%s %s is due, it is %s %s", id, gate_step_name(step), a ? a->request.id : "nothing",
			 a ? gate_step_name(a->step) : "");
	gate_queue_sent(&f->answers);
	return a;
}

static void expect_nothing(struct fixture *f)
{
	uint64_t number;

	assert_null(gate_queue_next(&f->answers, UINT32_MAX, &number));
}

/* Up to executed, all lines accepted. */
static int execute(struct fixture *f, int64_t now_us, const char *id, enum gate_verb verb)
{
	int slot = ask(f, now_us, id, verb);

	while (gate_ledger_next(&f->l, 1) == slot) {
		gate_ledger_delivered(&f->l, now_us, slot);
		gate_ledger_answered(&f->l, now_us, slot, true, "");
	}
	expect(f, id, GATE_REQUESTED);
	expect(f, id, GATE_DELIVERED);
	expect(f, id, GATE_EXECUTED);
	return slot;
}

static struct gate_facts facts(void)
{
	return (struct gate_facts){.is_session_open = GATE_UNKNOWN,
				   .is_start_allowed = GATE_UNKNOWN,
				   .is_closed = GATE_UNKNOWN,
				   .max_charge_mA = -1};
}

/* --- each verb ------------------------------------------------------------------------------------------ */

static void test_command_each_verb_has_its_requests_and_its_effect(void **state)
{
	const struct gate_facts none = facts();
	struct gate_facts opened = facts(), closed = facts(), locked = facts(), free_ = facts(),
			  sound = facts(), current = facts();
	const struct {
		enum gate_verb verb;
		const char *line[2];
		const struct gate_facts *effect;
	} cases[] = {
		{GATE_START, {"3 start allow", "3 authorise yes"}, &opened},
		{GATE_STOP, {"3 stop"}, &closed},
		{GATE_LOCK, {"3 start deny"}, &locked},
		{GATE_UNLOCK, {"3 start allow"}, &free_},
		{GATE_RESET, {"3 clear-fault"}, &sound},
		{GATE_SET_CURRENT, {"3 set maximum_charge_current 32.050"}, &current},
	};
	struct fixture *f = *state;
	char line[GATE_LINE_MAX];
	size_t i, k;

	opened.is_session_open = 1;
	closed.is_session_open = 0;
	locked.is_start_allowed = 0;
	free_.is_start_allowed = 1;
	sound.has_faults = true;
	current.max_charge_mA = 32050;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *id = gate_verb_name(cases[i].verb);
		struct gate_request r = make(id, cases[i].verb);
		int slot;

		r.current_mA = cases[i].verb == GATE_SET_CURRENT ? 32050 : 0;
		slot = gate_ledger_request(&f->l, 0, &r);
		expect(f, id, GATE_REQUESTED);
		for (k = 0; k < 2 && cases[i].line[k]; k++) {
			assert_int_equal(gate_ledger_next(&f->l, 1), slot);
			gate_command_line(&f->l.command[slot], 3, line);
			assert_string_equal(line, cases[i].line[k]);
			gate_ledger_delivered(&f->l, 0, slot);
			if (k == 0)
				expect(f, id, GATE_DELIVERED);
			gate_ledger_answered(&f->l, 0, slot, true, "");
		}
		assert_int_equal(gate_ledger_next(&f->l, 1), -1);
		expect(f, id, GATE_EXECUTED);
		gate_ledger_observe(&f->l, 1, 1, 0, &none);
		expect_nothing(f); /* what is not known confirms nothing */
		gate_ledger_observe(&f->l, 1, 1, 1, cases[i].effect);
		expect_nothing(f); /* another point */
		gate_ledger_observe(&f->l, 1, 1, 0, cases[i].effect);
		expect(f, id, GATE_CONFIRMED);
		expect_nothing(f);
	}
}

static void test_command_get_all_is_confirmed_by_its_answer(void **state)
{
	struct fixture *f = *state;

	execute(f, 0, "g", GATE_GET_ALL);
	expect(f, "g", GATE_CONFIRMED);
	expect_nothing(f);
}

static void test_command_names_are_found(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < GATE_N_VERBS; i++)
		assert_int_equal(gate_verb_find(gate_verb_name((enum gate_verb)i)), i);
	assert_int_equal(gate_verb_find("explode"), GATE_N_VERBS);
	assert_string_equal(gate_verb_name(GATE_N_VERBS), "unknown");
	assert_string_equal(gate_step_name(GATE_N_STEPS), "unknown");
}

/* --- what shows must be later than the execution -------------------------------------------------------- */

static void test_command_is_not_confirmed_by_what_was_asked_before(void **state)
{
	struct gate_facts closed = facts();
	struct fixture *f = *state;

	closed.is_session_open = 0;
	execute(f, 5 * S, "s", GATE_STOP);
	gate_ledger_observe(&f->l, 6 * S, 5 * S - 1, 0, &closed); /* an answer on its way */
	expect_nothing(f);
	assert_true(gate_ledger_is_waiting(&f->l, 0));
	gate_ledger_observe(&f->l, 6 * S, 5 * S, 0, &closed);
	expect(f, "s", GATE_CONFIRMED);
	assert_false(gate_ledger_is_waiting(&f->l, 0));
}

/* --- ends ----------------------------------------------------------------------------------------------- */

static void test_command_expires_in_each_step(void **state)
{
	struct fixture *f = *state;
	int slot;

	ask(f, 0, "a", GATE_STOP);
	slot = ask(f, 0, "b", GATE_STOP);
	gate_ledger_delivered(&f->l, S, slot);
	assert_int_equal(gate_ledger_next_us(&f->l), EXECUTE);
	gate_ledger_tick(&f->l, EXECUTE - 1);
	expect(f, "a", GATE_REQUESTED);
	expect(f, "b", GATE_REQUESTED);
	expect(f, "b", GATE_DELIVERED);
	expect_nothing(f);
	gate_ledger_tick(&f->l, EXECUTE);
	assert_non_null(strstr(expect(f, "a", GATE_EXPIRED)->reason, "could not be reached"));
	assert_non_null(strstr(expect(f, "b", GATE_EXPIRED)->reason, "did not answer"));
	execute(f, 20 * S, "c", GATE_STOP);
	assert_int_equal(gate_ledger_next_us(&f->l), 20 * S + CONFIRM);
	gate_ledger_tick(&f->l, 20 * S + CONFIRM);
	assert_non_null(strstr(expect(f, "c", GATE_EXPIRED)->reason, "did not show"));
	assert_int_equal(gate_ledger_next_us(&f->l), FC_NEVER);
}

static void test_command_own_limit_counts(void **state)
{
	struct gate_request r = make("a", GATE_STOP);
	struct fixture *f = *state;

	r.expires_ms = 3000;
	gate_ledger_request(&f->l, 0, &r);
	assert_int_equal(gate_ledger_next_us(&f->l), 3 * S);
}

/* A broker may have kept it for hours. */
static void test_command_that_came_after_its_time_is_void(void **state)
{
	struct gate_request r = make("a", GATE_START);
	struct fixture *f = *state;

	f->l.wall_offset_us = 1000 * S;
	r.not_after_ms = 1005000;
	assert_int_equal(gate_ledger_request(&f->l, 5 * S + 1000, &r), -1);
	assert_non_null(strstr(expect(f, "a", GATE_EXPIRED)->reason, "after its time"));
	assert_int_equal(f->l.n_taken, 0);
	assert_true(gate_ledger_request(&f->l, 5 * S, &r) >= 0);
	expect(f, "a", GATE_REQUESTED);
	assert_true(gate_ledger_request(&f->l, 50 * S, &r) >= 0); /* known: how far it is */
	assert_true(expect(f, "a", GATE_REQUESTED)->is_repeat);
}

static void test_command_expired_is_not_sent_and_late_answer_changes_nothing(void **state)
{
	struct fixture *f = *state;
	int slot = ask(f, 0, "a", GATE_STOP);

	gate_ledger_delivered(&f->l, 0, slot);
	gate_ledger_tick(&f->l, EXECUTE);
	assert_int_equal(gate_ledger_next(&f->l, 1), -1);
	gate_ledger_answered(&f->l, EXECUTE + 1, slot, true, "");
	expect(f, "a", GATE_REQUESTED);
	expect(f, "a", GATE_DELIVERED);
	expect(f, "a", GATE_EXPIRED);
	expect_nothing(f);
}

static void test_command_refusal_of_the_controller_ends_it_with_its_words(void **state)
{
	struct fixture *f = *state;
	int slot = ask(f, 0, "a", GATE_RESET);

	gate_ledger_delivered(&f->l, 0, slot);
	gate_ledger_answered(&f->l, 0, slot, false, "the cause of a fault is still present\nsecond line");
	expect(f, "a", GATE_REQUESTED);
	expect(f, "a", GATE_DELIVERED);
	assert_string_equal(expect(f, "a", GATE_REFUSED)->reason, "the cause of a fault is still present");
	slot = ask(f, 0, "b", GATE_LOCK);
	gate_ledger_delivered(&f->l, 0, slot);
	gate_ledger_answered(&f->l, 0, slot, false, "unknown request; known: status");
	expect(f, "b", GATE_REQUESTED);
	expect(f, "b", GATE_DELIVERED);
	expect(f, "b", GATE_UNSUPPORTED);
	expect_nothing(f);
}

/* --- repeats, memory ------------------------------------------------------------------------------------ */

static void test_command_same_id_is_answered_from_memory(void **state)
{
	struct fixture *f = *state;
	int slot = execute(f, 0, "a", GATE_LOCK);
	const struct gate_answer *a;

	assert_int_equal(ask(f, 5 * S, "a", GATE_LOCK), slot);
	a = expect(f, "a", GATE_EXECUTED);
	assert_true(a->is_repeat);
	assert_int_equal(a->wall_us, 0); /* when it was so */
	assert_int_equal(gate_ledger_next(&f->l, 1), -1);
	assert_int_equal(f->l.n_taken, 1);
	assert_int_equal(f->l.n_repeated, 1);
	assert_int_equal(ask(f, 5 * S, "a", GATE_UNLOCK), -1);
	assert_non_null(strstr(expect(f, "a", GATE_REFUSED)->reason, "another command"));
	assert_int_equal(f->l.command[slot].step, GATE_EXECUTED); /* the first one goes on */
}

static void test_command_same_id_at_other_point_is_its_own(void **state)
{
	struct gate_request r = make("a", GATE_STOP);
	struct fixture *f = *state;

	gate_ledger_request(&f->l, 0, &r);
	r.point = 1;
	gate_ledger_request(&f->l, 0, &r);
	assert_int_equal(f->l.n_taken, 2);
	assert_int_equal(gate_ledger_next(&f->l, 1u << 1), 1);
}

static void test_command_oldest_goes_first(void **state)
{
	struct fixture *f = *state;
	int second, first;

	second = ask(f, 2, "b", GATE_STOP);
	gate_ledger_unsupported(&f->l, 3, second, "x"); /* leaves its slot to nobody yet */
	first = ask(f, 4, "c", GATE_STOP);
	ask(f, 5, "d", GATE_STOP);
	assert_int_equal(gate_ledger_next(&f->l, 1), first);
}

static void test_command_memory_forgets_what_ended_first_and_refuses_when_all_are_busy(void **state)
{
	struct fixture *f = *state;
	char id[16];
	int i;

	for (i = 0; i < GATE_COMMANDS; i++) {
		snprintf(id, sizeof(id), "n%d", i);
		assert_true(ask(f, 0, id, GATE_STOP) >= 0);
	}
	assert_int_equal(ask(f, 0, "one-more", GATE_STOP), -1);
	assert_int_equal(f->l.n_refused, 1);
	gate_ledger_unsupported(&f->l, 2, 7, "x");
	gate_ledger_unsupported(&f->l, 1, 9, "x");
	assert_int_equal(ask(f, 3, "one-more", GATE_STOP), 9);
	assert_int_equal(ask(f, 3, "another", GATE_STOP), 7);
	assert_int_equal(ask(f, 3, "n7", GATE_STOP), -1); /* forgotten, and no room */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_command_each_verb_has_its_requests_and_its_effect),
		TEST(test_command_get_all_is_confirmed_by_its_answer),
		TEST(test_command_names_are_found),
		TEST(test_command_is_not_confirmed_by_what_was_asked_before),
		TEST(test_command_expires_in_each_step),
		TEST(test_command_own_limit_counts),
		TEST(test_command_that_came_after_its_time_is_void),
		TEST(test_command_expired_is_not_sent_and_late_answer_changes_nothing),
		TEST(test_command_refusal_of_the_controller_ends_it_with_its_words),
		TEST(test_command_same_id_is_answered_from_memory),
		TEST(test_command_same_id_at_other_point_is_its_own),
		TEST(test_command_oldest_goes_first),
		TEST(test_command_memory_forgets_what_ended_first_and_refuses_when_all_are_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
