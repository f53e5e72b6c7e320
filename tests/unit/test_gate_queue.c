/* SPDX-License-Identifier: MIT */
/* What must arrive, the pauses between attempts, addresses and topics: gate_queue, gate_backoff, gate_url. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateways/gate_backoff.h"
#include "gateways/gate_queue.h"
#include "gateways/gate_url.h"

#define S    INT64_C(1000000)
#define SIZE 8

struct fixture {
	struct gate_queue q;
	_Alignas(16) unsigned char block[4096];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_true(gate_queue_bytes(SIZE, sizeof(int)) <= sizeof(f->block));
	gate_queue_init(&f->q, f->block, SIZE, sizeof(int));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static void push(struct gate_queue *q, int from, int to)
{
	for (; from <= to; from++)
		gate_queue_push(q, &from);
}

/* Sends the next one; its content, 0: there is none. */
static int send(struct gate_queue *q, uint32_t window, uint64_t *number)
{
	const int *record = gate_queue_next(q, window, number);
	int content = record ? *record : 0;

	if (record)
		gate_queue_sent(q);
	return content;
}

/* --- queue ---------------------------------------------------------------------------------------------- */

static void test_queue_sends_in_order_within_window(void **state)
{
	struct gate_queue *q = &((struct fixture *)*state)->q;
	uint64_t a, b, c;

	push(q, 1, 3);
	assert_int_equal(send(q, 2, &a), 1);
	assert_int_equal(send(q, 2, &b), 2);
	assert_int_equal(send(q, 2, &c), 0);
	assert_true(gate_queue_acked(q, a, 0));
	assert_int_equal(send(q, 2, &c), 3);
	assert_true(gate_queue_acked(q, c, 0)); /* in any order */
	assert_true(gate_queue_acked(q, b, 0));
	assert_int_equal(q->n_acked, 3);
	assert_int_equal(q->n_waiting, 0);
	assert_int_equal(q->n_flying, 0);
}

static void test_queue_acknowledgement_of_nothing_is_ignored(void **state)
{
	struct gate_queue *q = &((struct fixture *)*state)->q;
	uint64_t a;

	push(q, 1, 2);
	assert_int_equal(send(q, 8, &a), 1);
	assert_false(gate_queue_acked(q, a + 1, 0)); /* not sent */
	assert_false(gate_queue_acked(q, 0, 0));
	assert_false(gate_queue_acked(q, 1000, 0));
	assert_true(gate_queue_acked(q, a, 0));
	assert_false(gate_queue_acked(q, a, 0)); /* twice */
	assert_int_equal(q->n_acked, 1);
}

static void test_queue_after_loss_sends_unacknowledged_and_recent_again(void **state)
{
	struct gate_queue *q = &((struct fixture *)*state)->q;
	uint64_t n[5];
	unsigned i;

	push(q, 1, 5);
	for (i = 0; i < 4; i++)
		assert_int_equal(send(q, 8, &n[i]), (int)i + 1);
	gate_queue_acked(q, n[0], 1 * S);
	gate_queue_acked(q, n[1], 5 * S);
	gate_queue_rewind(q, 10 * S, 6 * S);
	assert_int_equal(send(q, 8, &n[0]), 2); /* acknowledged five seconds before: once more */
	assert_int_equal(send(q, 8, &n[1]), 3);
	assert_int_equal(send(q, 8, &n[2]), 4);
	assert_int_equal(send(q, 8, &n[3]), 5);
	assert_int_equal(q->n_again, 3);
	for (i = 0; i < 4; i++)
		assert_true(gate_queue_acked(q, n[i], 11 * S));
	assert_int_equal(q->n_acked, 5); /* each counted once */
	assert_int_equal(q->n_flying, 0);
}

static void test_queue_full_drops_oldest_and_counts(void **state)
{
	struct gate_queue *q = &((struct fixture *)*state)->q;
	uint64_t a;

	push(q, 1, SIZE + 3);
	assert_int_equal(q->n_dropped, 3);
	assert_int_equal(q->n_waiting, SIZE);
	assert_int_equal(send(q, 8, &a), 4);
}

static void test_queue_full_of_acknowledged_drops_nothing(void **state)
{
	struct gate_queue *q = &((struct fixture *)*state)->q;
	uint64_t a;
	int i;

	for (i = 1; i < 100; i++) {
		push(q, i, i);
		assert_int_equal(send(q, 1, &a), i);
		assert_true(gate_queue_acked(q, a, i * S));
	}
	assert_int_equal(q->n_dropped, 0);
	assert_int_equal(q->n_acked, 99);
}

/* Random pushes, losses and acknowledgements: the counts always fit, and nothing comes out of order. */
static void test_queue_random_walk_keeps_order_and_counts(void **state)
{
	struct gate_queue *q = &((struct fixture *)*state)->q;
	uint64_t flying[SIZE], n_flying = 0, a;
	int content, last = 0, pushed = 0;
	int64_t now_us = 0;
	unsigned i;

	srand(7);
	for (i = 0; i < 100000; i++) {
		now_us += rand() % 1000;
		switch (rand() % 5) {
		case 0:
			pushed++;
			push(q, pushed, pushed);
			break;
		case 1:
		case 2:
			content = send(q, SIZE, &a);
			assert_true(content == 0 || content > last || q->n_again > 0);
			last = content ? content : last;
			if (content)
				flying[n_flying++ % SIZE] = a;
			break;
		case 3:
			if (n_flying > 0)
				gate_queue_acked(
					q, flying[(unsigned)rand() % (n_flying < SIZE ? n_flying : SIZE)],
					now_us);
			break;
		default:
			if (rand() % 50 == 0) {
				gate_queue_rewind(q, now_us, 500);
				last = 0;
			}
		}
		assert_true(q->first <= q->next && q->next <= q->end && q->end - q->first <= SIZE);
		assert_true(q->n_flying <= q->next - q->first);
		assert_int_equal(q->n_acked + q->n_dropped + q->n_waiting, pushed);
	}
}

/* --- back-off ------------------------------------------------------------------------------------------- */

static void test_backoff_doubles_to_its_maximum_with_jitter(void **state)
{
	struct gate_backoff b;
	int64_t most_us = S;
	unsigned i;

	(void)state;
	gate_backoff_init(&b, S, 60 * S, 1, 42);
	for (i = 0; i < 100; i++) {
		int64_t pause_us = gate_backoff_failed(&b, 0);

		assert_true(pause_us >= most_us / 2 && pause_us <= most_us);
		most_us = 2 * most_us < 60 * S ? 2 * most_us : 60 * S;
	}
}

static void test_backoff_differs_between_gateways(void **state)
{
	struct gate_backoff a, b;
	unsigned i, n_equal = 0;

	(void)state;
	gate_backoff_init(&a, S, 60 * S, 1, 1);
	gate_backoff_init(&b, S, 60 * S, 1, 3);
	for (i = 0; i < 20; i++)
		n_equal += gate_backoff_failed(&a, 0) == gate_backoff_failed(&b, 0);
	assert_true(n_equal < 3);
}

static void test_backoff_goes_round_the_list_before_it_waits_longer(void **state)
{
	struct gate_backoff b;

	(void)state;
	gate_backoff_init(&b, S, 60 * S, 3, 42);
	assert_int_equal(b.at, 0);
	assert_true(gate_backoff_failed(&b, 0) <= S);
	assert_int_equal(b.at, 1);
	assert_true(gate_backoff_failed(&b, 0) <= S);
	assert_int_equal(b.at, 2);
	gate_backoff_failed(&b, 0); /* a whole round */
	assert_int_equal(b.at, 0);
	gate_backoff_failed(&b, 0);
	gate_backoff_failed(&b, 0);
	assert_true(gate_backoff_failed(&b, 0) >= S); /* half of two */
}

static void test_backoff_begins_anew_only_after_a_connection_that_held(void **state)
{
	struct gate_backoff b;
	unsigned i;

	(void)state;
	gate_backoff_init(&b, S, 60 * S, 1, 42);
	for (i = 0; i < 10; i++)
		gate_backoff_failed(&b, S); /* taken and dropped at once */
	assert_true(gate_backoff_failed(&b, S) >= 30 * S);
	assert_true(gate_backoff_failed(&b, GATE_BACKOFF_HELD_US) <= S);
}

/* --- addresses ------------------------------------------------------------------------------------------ */

static void test_url_list_is_taken_apart(void **state)
{
	struct gate_broker b[GATE_MAX_BROKERS];
	char err[160];
	uint32_t n;

	(void)state;
	assert_int_equal(
		gate_brokers_parse("mqtt://a.example, mqtts://b:1 mqtt://[::1]:1885,mqtts://[fe80::1%2]", b,
				   &n, err, sizeof(err)),
		0);
	assert_int_equal(n, 4);
	assert_string_equal(b[0].host, "a.example");
	assert_int_equal(b[0].port, 1883);
	assert_false(b[0].is_tls);
	assert_int_equal(b[1].port, 1);
	assert_true(b[1].is_tls);
	assert_string_equal(b[2].host, "::1");
	assert_int_equal(b[2].port, 1885);
	assert_string_equal(b[3].host, "fe80::1%2");
	assert_int_equal(b[3].port, 8883);
}

static void test_url_malformed_is_refused_without_showing_passwords(void **state)
{
	static const char *const bad[] = {
		"",
		" , ",
		"localhost",
		"tcp://localhost",
		"mqtt://",
		"mqtt://:1883",
		"mqtt://a:0",
		"mqtt://a:65536",
		"mqtt://a:",
		"mqtt://a:12x",
		"mqtt://a/b",
		"mqtt://[::1",
		"mqtt://[]",
		"mqtt://a b://c",
		"mqtts://user:secret@host",
		"mqtt://a mqtt://a mqtt://a mqtt://a mqtt://a mqtt://a mqtt://a mqtt://a mqtt://a",
	};
	struct gate_broker b[GATE_MAX_BROKERS];
	char err[200], longest[400] = "mqtt://";
	size_t i;
	uint32_t n;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err[0] = '\0';
		if (gate_brokers_parse(bad[i], b, &n, err, sizeof(err)) == 0 || !err[0])
			fail_msg("taken: '%s'", bad[i]);
		assert_null(strstr(err, "secret"));
	}
	memset(longest + 7, 'a', 150);
	assert_int_not_equal(gate_brokers_parse(longest, b, &n, err, sizeof(err)), 0);
	memset(longest + 7, 'a', 380);
	assert_int_not_equal(gate_brokers_parse(longest, b, &n, err, sizeof(err)), 0);
}

static void test_topic_names_make_no_wildcards_or_levels(void **state)
{
	static const char *const bad[] = {"",
					  "a/b",
					  "#",
					  "+",
					  "a+",
					  ".a",
					  "a b",
					  "a\n",
					  "\xc3\xa4",
					  "$SYS",
					  "12345678901234567890123456789012"};
	size_t i;

	(void)state;
	assert_true(gate_is_name("bay-1_A.b", GATE_NAME_MAX));
	assert_true(gate_is_name("1234567890123456789012345678901", GATE_NAME_MAX));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (gate_is_name(bad[i], GATE_NAME_MAX))
			fail_msg("taken: '%s'", bad[i]);
	assert_true(gate_is_prefix("acme/charging"));
	assert_false(gate_is_prefix("/acme"));
	assert_false(gate_is_prefix("acme/"));
	assert_false(gate_is_prefix("acme//x"));
	assert_false(gate_is_prefix("acme/#"));
	assert_false(gate_is_prefix(""));
}

static void test_topic_made_is_topic_parsed(void **state)
{
	char topic[GATE_TOPIC_MAX], name[GATE_NAME_MAX];
	enum gate_topic kind;
	int i;

	(void)state;
	for (i = 0; i < GATE_N_TOPICS; i++) {
		gate_topic_point(topic, "x/y", "bay-1", (enum gate_topic)i);
		assert_true(gate_topic_parse(topic, "x/y", name, &kind));
		assert_string_equal(name, "bay-1");
		assert_int_equal(kind, i);
	}
	assert_false(gate_topic_parse("x/y/point/bay-1/nothing", "x/y", name, &kind));
	assert_false(gate_topic_parse("x/y/point/bay-1", "x/y", name, &kind));
	assert_false(gate_topic_parse("x/y/point//state", "x/y", name, &kind));
	assert_false(gate_topic_parse("x/z/point/bay-1/state", "x/y", name, &kind));
	assert_false(gate_topic_parse("x/y/point/bay-1/command/7/status", "x/y", name, &kind));
	assert_false(
		gate_topic_parse("x/y/point/12345678901234567890123456789012/state", "x/y", name, &kind));
	assert_string_equal(gate_topic_answer(topic, "x/y", "bay-1", "7"),
			    "x/y/point/bay-1/command/7/status");
	assert_string_equal(gate_topic_gateway(topic, "x/y", "gw", GATE_TOPIC_LOG), "x/y/gateway/gw/log");
}

#define QUEUE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		QUEUE(test_queue_sends_in_order_within_window),
		QUEUE(test_queue_acknowledgement_of_nothing_is_ignored),
		QUEUE(test_queue_after_loss_sends_unacknowledged_and_recent_again),
		QUEUE(test_queue_full_drops_oldest_and_counts),
		QUEUE(test_queue_full_of_acknowledged_drops_nothing),
		QUEUE(test_queue_random_walk_keeps_order_and_counts),
		cmocka_unit_test(test_backoff_doubles_to_its_maximum_with_jitter),
		cmocka_unit_test(test_backoff_differs_between_gateways),
		cmocka_unit_test(test_backoff_goes_round_the_list_before_it_waits_longer),
		cmocka_unit_test(test_backoff_begins_anew_only_after_a_connection_that_held),
		cmocka_unit_test(test_url_list_is_taken_apart),
		cmocka_unit_test(test_url_malformed_is_refused_without_showing_passwords),
		cmocka_unit_test(test_topic_names_make_no_wildcards_or_levels),
		cmocka_unit_test(test_topic_made_is_topic_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
