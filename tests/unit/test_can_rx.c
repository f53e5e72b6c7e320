/* SPDX-License-Identifier: MIT */
/* A bus to listen to, on UDP: hears what a bus of the other kind sends, and refuses to send. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/can/can_bus_rx.h"
#include "lib/can/can_rx_batch.h"
#include "tests/lib/proc_child.h"

#define HANG_MS 10000

struct pair {
	struct can_bus *sender, *listener;
	char url[64];
};

static int setup(void **state)
{
	static struct pair p;
	const struct can_filter all = can_filter_all();
	char err[160];

	if (!proc_pick_bus(p.url, sizeof(p.url)) || can_bus_open(p.url, &p.sender, err, sizeof(err)) ||
	    can_bus_open_rx(p.url, &p.listener, err, sizeof(err)))
		return -1;
	*state = &p;
	return can_bus_set_filters(p.listener, &all, 1);
}

static int teardown(void **state)
{
	struct pair *p = *state;

	can_bus_close(p->sender);
	can_bus_close(p->listener);
	return 0;
}

static struct can_frame frame(uint8_t value)
{
	struct can_frame f;

	memset(&f, 0, sizeof(f));
	f.can_id = 0x123;
	f.can_dlc = 1;
	f.data[0] = value;
	return f;
}

static int wait_and_receive(struct can_bus *b, struct can_frame *f, struct can_rx_info *info)
{
	struct pollfd p = {.fd = can_bus_fd(b), .events = POLLIN};
	int rc;

	while ((rc = can_bus_recv(b, f, info)) == 0)
		assert_int_equal(poll(&p, 1, HANG_MS), 1);
	return rc;
}

static void test_rx_bus_hears_what_is_sent(void **state)
{
	struct pair *p = *state;
	struct can_frame f = frame(7), got;
	struct can_rx_info info;

	assert_int_equal(can_bus_send(p->sender, &f), 0);
	assert_int_equal(wait_and_receive(p->listener, &got, &info), 1);
	assert_memory_equal(&got, &f, sizeof(f));
	assert_true(info.is_local);
	assert_false(info.is_own);
	assert_true(info.time_us <= can_rx_batch_now_us());
}

static void test_rx_bus_refuses_to_send(void **state)
{
	struct pair *p = *state;
	const struct can_frame f[2] = {frame(1), frame(2)};
	struct can_frame mark = frame(99), got;
	struct can_rx_info info;

	assert_int_equal(can_bus_send(p->listener, f), -EPERM);
	assert_int_equal(can_bus_send_many(p->listener, f, 2), -EPERM);
	assert_int_equal(p->listener->stats.n_tx, 0);
	/* Nothing is held to be sent later either: the mark is the first thing on the bus. */
	can_bus_service(p->listener, can_rx_batch_now_us() + 10000);
	can_bus_send(p->sender, &mark);
	assert_int_equal(wait_and_receive(p->listener, &got, &info), 1);
	assert_int_equal(got.data[0], 99);
}

static void test_rx_bus_has_room_for_a_while_of_a_full_bus(void **state)
{
	struct pair *p = *state;
	struct can_frame f = frame(0), got;
	struct can_rx_info info;
	uint32_t room = can_bus_rx_room(p->listener), i;

	assert_true(room >=
		    300); /* 33 ms of the fastest bus, where the system allows no more than its default */
	room = room < 1500 ? room : 1500;
	for (i = 0; i < room; i++) {
		f.data[0] = (uint8_t)i;
		assert_int_equal(can_bus_send(p->sender, &f), 0);
	}
	for (i = 0; i < room; i++) {
		assert_int_equal(wait_and_receive(p->listener, &got, &info), 1);
		assert_int_equal(got.data[0], (uint8_t)i);
		assert_int_equal(info.n_dropped, 0);
	}
}

static void test_rx_bus_that_cannot_be_opened_says_why(void **state)
{
	struct can_bus *b = NULL;
	char err[160] = "";

	(void)state;
	assert_true(can_bus_open_rx("udp:1.2.3.4", &b, err, sizeof(err)) < 0);
	assert_non_null(strstr(err, "1.2.3.4"));
	assert_true(can_bus_open_rx("udp?iface=nonesuch0", &b, err, sizeof(err)) < 0);
	assert_non_null(strstr(err, "nonesuch0"));
	assert_true(can_bus_open_rx("nonesuch0", &b, err, sizeof(err)) < 0);
	assert_non_null(strstr(err, "nonesuch0"));
	assert_null(b);
}

#define ON_BUS(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BUS(test_rx_bus_hears_what_is_sent),
		ON_BUS(test_rx_bus_refuses_to_send),
		ON_BUS(test_rx_bus_has_room_for_a_while_of_a_full_bus),
		cmocka_unit_test(test_rx_bus_that_cannot_be_opened_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
