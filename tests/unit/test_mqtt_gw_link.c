/* SPDX-License-Identifier: MIT */
/*
 * The thread of the connection, in this process, against name servers and brokers that do not behave: one
 * that never answers a name, one that takes a connection and is silent, one that talks nonsense, one that
 * does not let us listen. Nothing of that may hold up the owner. Needs no broker.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateways/mqtt_gw_link.h"
#include "tests/lib/proc_child.h"

#define LIMIT_US (20 * INT64_C(1000000))
#define SLOW	 "slow.example"
#define BOTH	 "both.example"

/* --- a name server that takes its time ---------------------------------------------------------------- */

static int release_pipe[2] = {-1, -1}, entered_pipe[2] = {-1, -1};

/* In the place of the C library's, for the MQTT library too. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	char byte;

	if (node && strcmp(node, SLOW) == 0) {
		ssize_t n = write(entered_pipe[1], "x", 1);

		n = read(release_pipe[0], &byte, 1); /* until the test lets go */
		(void)n;
		return EAI_AGAIN;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	if (node && strcmp(node, BOTH) == 0) { /* ::1, then 127.0.0.1 */
		int r = real("::1", service, hints, result);
		struct addrinfo *last = *result;

		if (r)
			return r;
		while (last->ai_next)
			last = last->ai_next;
		return real("127.0.0.1", service, hints, &last->ai_next);
	}
	return real(node, service, hints, result);
}

/* --- link and fake broker ----------------------------------------------------------------------------- */

struct fixture {
	struct mqtt_gw_link link;
	struct mqtt_gw_link_conf conf;
	struct gate_broker broker;
	int listener, client;
};

static int set_up(void **state)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct fixture *f = calloc(1, sizeof(*f));
	socklen_t size = sizeof(a);

	*state = f;
	f->client = -1;
	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(f->listener, (const struct sockaddr *)&a, sizeof(a)) || listen(f->listener, 8) ||
	    getsockname(f->listener, (struct sockaddr *)&a, &size) || pipe(release_pipe) ||
	    pipe(entered_pipe))
		return -1;
	f->broker = (struct gate_broker){.host = "127.0.0.1", .port = ntohs(a.sin_port)};
	f->conf = (struct mqtt_gw_link_conf){.broker = &f->broker,
					     .n_brokers = 1,
					     .client_id = "test",
					     .user = "",
					     .password = "",
					     .cafile = "",
					     .capath = "",
					     .certfile = "",
					     .keyfile = "",
					     .keepalive_s = 60,
					     .connect_timeout_ms = 10000,
					     .backoff_min_ms = 10,
					     .backoff_max_ms = 20,
					     .n_subscriptions = 1,
					     .subscription = {{.topic = "a/b", .qos = 1}}};
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	if (f->client >= 0)
		close(f->client);
	close(f->listener);
	close(release_pipe[0]);
	close(release_pipe[1]);
	close(entered_pipe[0]);
	close(entered_pipe[1]);
	free(f);
	return 0;
}

static void start(struct fixture *f)
{
	char err[160];

	if (mqtt_gw_link_start(&f->link, &f->conf, 42, err, sizeof(err)))
		fail_msg("%s", err);
}

/* The next item; NULL: none in time. */
static struct mqtt_gw_item *next(struct fixture *f)
{
	int64_t end_us = proc_now_us() + LIMIT_US;
	struct mqtt_gw_item *item;

	while (!(item = mqtt_gw_link_take(&f->link)) && proc_now_us() < end_us) {
		struct pollfd p = {.fd = mqtt_gw_link_fd(&f->link), .events = POLLIN};

		poll(&p, 1, (int)((end_us - proc_now_us()) / 1000 + 1));
	}
	return item;
}

static void expect_down(struct fixture *f, const char *reason)
{
	struct mqtt_gw_item *item = next(f);

	if (!item || item->kind != MQTT_GW_LINK_DOWN || !strstr(item->payload, reason))
		fail_msg("not down because of '%s': kind %d %s", reason, item ? (int)item->kind : -1,
			 item ? item->payload : "");
	free(item);
}

static void finish(struct fixture *f)
{
	struct mqtt_gw_item *item;
	bool is_over = false;

	mqtt_gw_link_stop(&f->link);
	while (!is_over && (item = next(f))) {
		is_over = item->kind == MQTT_GW_LINK_OVER;
		free(item);
	}
	assert_true(is_over);
	mqtt_gw_link_close(&f->link);
}

/* Takes a connection and what the client says first; answers with these bytes. */
static void serve(struct fixture *f, const void *answer, size_t n)
{
	struct pollfd p = {.fd = f->listener, .events = POLLIN};
	char greeting[512];

	if (f->client >= 0)
		close(f->client);
	assert_int_equal(poll(&p, 1, (int)(LIMIT_US / 1000)), 1);
	f->client = accept(f->listener, NULL, NULL);
	assert_true(f->client >= 0);
	assert_true(recv(f->client, greeting, sizeof(greeting), 0) > 0);
	assert_int_equal(greeting[0], 0x10); /* CONNECT */
	if (n > 0)
		assert_int_equal(send(f->client, answer, n, MSG_NOSIGNAL), (ssize_t)n);
}

static const unsigned char accepted[] = {0x20, 2, 0, 0};

/* Reads the SUBSCRIBE and grants it, or not. */
static void grant_subscription(struct fixture *f, unsigned char qos)
{
	unsigned char packet[256], answer[] = {0x90, 3, 0, 0, qos};

	assert_true(recv(f->client, packet, sizeof(packet), 0) >= 4);
	assert_int_equal(packet[0], 0x82);
	memcpy(answer + 2, packet + 2, 2);
	assert_int_equal(send(f->client, answer, sizeof(answer), MSG_NOSIGNAL), sizeof(answer));
}

static void come_up(struct fixture *f)
{
	struct mqtt_gw_item *item;

	start(f);
	serve(f, accepted, sizeof(accepted));
	grant_subscription(f, 1);
	item = next(f);
	assert_true(item && item->kind == MQTT_GW_LINK_UP && item->connection == 1);
	free(item);
}

/* --- tests -------------------------------------------------------------------------------------------- */

static void test_link_that_waits_for_a_name_holds_nobody_up(void **state)
{
	struct pollfd entered = {.fd = entered_pipe[0], .events = POLLIN};
	struct fixture *f = *state;

	snprintf(f->broker.host, sizeof(f->broker.host), "%s", SLOW);
	start(f);
	assert_int_equal(poll(&entered, 1, (int)(LIMIT_US / 1000)), 1);
	assert_null(mqtt_gw_link_take(&f->link));
	assert_int_equal(mqtt_gw_link_publish(&f->link, 1, "a", "x", 1, false, 7), 0); /* of no connection */
	mqtt_gw_link_stop(&f->link);
	assert_null(mqtt_gw_link_take(&f->link));
	assert_int_equal(write(release_pipe[1], "x", 1), 1);
	expect_down(f, "looking up " SLOW ": ");
	finish(f);
}

static void test_link_to_name_of_both_families_tries_the_other_one(void **state)
{
	struct fixture *f = *state;
	struct mqtt_gw_item *item;

	snprintf(f->broker.host, sizeof(f->broker.host), "%s", BOTH);
	start(f);
	expect_down(f, "connecting"); /* nobody listens on ::1 */
	serve(f, accepted, sizeof(accepted));
	grant_subscription(f, 1);
	item = next(f);
	assert_true(item && item->kind == MQTT_GW_LINK_UP);
	free(item);
	finish(f);
}

static void test_link_to_silent_broker_gives_up_in_time(void **state)
{
	struct fixture *f = *state;

	f->conf.connect_timeout_ms = 100;
	start(f);
	serve(f, NULL, 0);
	expect_down(f, "no answer in time");
	finish(f);
}

static void test_link_to_broker_that_talks_nonsense_goes_down_and_tries_again(void **state)
{
	static const unsigned char nonsense[][8] = {
		{0x20, 2, 0, 5},		/* refused: not authorised */
		{0x20, 0x7f, 1},		/* a packet that never ends */
		{0xff, 0xff, 0xff, 0xff, 0xff}, /* a length that never ends */
		{0x90, 3, 0, 1, 1},		/* an answer to nothing */
		{0x31, 2, 0, 9},		/* a message with a topic beyond its end */
	};
	struct fixture *f = *state;
	size_t i;

	f->conf.connect_timeout_ms = 200;
	start(f);
	for (i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		serve(f, nonsense[i], sizeof(nonsense[i]));
		expect_down(f, "");
	}
	finish(f);
}

static void test_link_that_may_not_listen_is_no_connection(void **state)
{
	struct fixture *f = *state;

	start(f);
	serve(f, accepted, sizeof(accepted));
	grant_subscription(f, 0x80);
	expect_down(f, "refuses a subscription");
	finish(f);
}

static void test_link_lost_drops_what_belongs_to_the_lost_connection(void **state)
{
	struct fixture *f = *state;
	unsigned char packet[256];
	struct mqtt_gw_item *item;

	come_up(f);
	close(f->client);
	f->client = -1;
	expect_down(f, "connection lost");
	assert_int_equal(mqtt_gw_link_publish(&f->link, 1, "old", "x", 1, false, 7), 0);
	serve(f, accepted, sizeof(accepted));
	grant_subscription(f, 1);
	item = next(f);
	assert_true(item && item->kind == MQTT_GW_LINK_UP && item->connection == 2);
	free(item);
	assert_int_equal(mqtt_gw_link_publish(&f->link, 1, "old", "x", 1, false, 8), 0);
	assert_int_equal(mqtt_gw_link_publish(&f->link, 2, "new", "y", 1, false, 9), 0);
	assert_true(recv(f->client, packet, sizeof(packet), 0) >= 8);
	assert_int_equal(packet[0] & 0xf0, 0x30);
	assert_memory_equal(packet + 4, "new", 3);
	/* Acknowledged: its owner hears of it. */
	packet[0] = 0x40;
	packet[1] = 2;
	memmove(packet + 2, packet + 7, 2);
	assert_int_equal(send(f->client, packet, 4, MSG_NOSIGNAL), 4);
	item = next(f);
	assert_true(item && item->kind == MQTT_GW_LINK_ACK && item->tag == 9 && item->connection == 2);
	free(item);
	finish(f);
}

static void test_link_message_is_handed_on_with_its_length(void **state)
{
	static const unsigned char message[] = {0x31, 8, 0, 3, 'a', '/', 'b', 'x', 0, 'y'};
	struct fixture *f = *state;
	struct mqtt_gw_item *item;

	come_up(f);
	assert_int_equal(send(f->client, message, sizeof(message), MSG_NOSIGNAL), sizeof(message));
	item = next(f);
	assert_true(item && item->kind == MQTT_GW_LINK_MESSAGE);
	assert_string_equal(item->topic, "a/b");
	assert_int_equal(item->n, 3);
	assert_memory_equal(item->payload, "x\0y", 4); /* and a zero byte behind */
	assert_true(item->is_retained);
	free(item);
	finish(f);
}

static void test_link_more_than_fits_is_refused_and_counted(void **state)
{
	static char large[MQTT_GW_LINK_OUT_MAX + 1];
	struct fixture *f = *state;
	unsigned i;
	int r = 0;

	come_up(f);
	assert_true(mqtt_gw_link_publish(&f->link, 1, "a", large, sizeof(large), false, 1) < 0);
	/* A broker that acknowledges nothing: window, then queue, then no more. */
	for (i = 0; i < 2 * (MQTT_GW_LINK_QUEUE + MQTT_GW_LINK_FLYING) && r == 0; i++)
		r = mqtt_gw_link_publish(&f->link, 1, "a", "x", 1, false, i);
	assert_true(r < 0);
	assert_true(i >= MQTT_GW_LINK_QUEUE);
	finish(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_link_that_waits_for_a_name_holds_nobody_up),
		TEST(test_link_to_name_of_both_families_tries_the_other_one),
		TEST(test_link_to_silent_broker_gives_up_in_time),
		TEST(test_link_to_broker_that_talks_nonsense_goes_down_and_tries_again),
		TEST(test_link_that_may_not_listen_is_no_connection),
		TEST(test_link_lost_drops_what_belongs_to_the_lost_connection),
		TEST(test_link_message_is_handed_on_with_its_length),
		TEST(test_link_more_than_fits_is_refused_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
