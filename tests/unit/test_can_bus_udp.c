/* SPDX-License-Identifier: MIT */
/*
 * The UDP bus on the loopback: several sockets in one process, poll instead of sleeping. Each run has a port
 * of its own, taken from the process number, so that runs side by side do not hear each other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <forecourt/units.h>

#include "lib/can/can_bus.h"
#include "lib/can/can_udp_codec.h"

#define GROUP	   "239.74.163.77"
#define TIMEOUT_MS 5000

static unsigned port(void)
{
	return 20000 + (unsigned)getpid() % 20000;
}

static struct can_bus *open_bus(const char *options)
{
	struct can_filter all = can_filter_all();
	struct can_bus *bus = NULL;
	char url[80], err[200] = "";

	snprintf(url, sizeof(url), "udp:%s:%u%s", GROUP, port(), options);
	if (can_bus_open(url, &bus, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_int_equal(can_bus_set_filters(bus, &all, 1), 0);
	return bus;
}

static struct can_frame frame(canid_t id, uint8_t value)
{
	struct can_frame f;

	memset(&f, 0, sizeof(f));
	f.can_id = id;
	f.can_dlc = 1;
	f.data[0] = value;
	return f;
}

/* The next frame, waiting for it; false: none came. */
static bool next(struct can_bus *b, struct can_frame *f, struct can_rx_info *info)
{
	struct pollfd p = {.fd = can_bus_fd(b), .events = POLLIN};
	int rc;

	while ((rc = can_bus_recv(b, f, info)) == 0)
		if (poll(&p, 1, TIMEOUT_MS) <= 0)
			return false;
	assert_int_equal(rc, 1);
	return true;
}

/*
 * True when nothing waits but what `from` sends now. Delivery on the loopback is done when send returns, so
 * what is not there yet will not come.
 */
static bool is_quiet(struct can_bus *b, struct can_bus *from)
{
	struct can_frame mark = frame(CAN_EFF_FLAG | 0x1ffffff0, 0), f;
	struct can_rx_info info;

	can_bus_send(from, &mark);
	return next(b, &f, &info) && f.can_id == mark.can_id;
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * FC_US_PER_S + t.tv_nsec / 1000;
}

/* A plain sender from elsewhere: any bytes to the group. */
static int raw_sender(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port())};
	struct ip_mreqn m = {.imr_ifindex = 1};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	inet_pton(AF_INET, GROUP, &a.sin_addr);
	setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof(m));
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void test_udp_frame_reaches_all_others_but_not_its_sender(void **state)
{
	struct can_bus *a = open_bus(""), *b = open_bus(""), *c = open_bus("");
	struct can_frame sent = frame(CAN_EFF_FLAG | 0x180a0001, 7), f;
	struct can_rx_info info;
	int64_t before_us = now_us();

	(void)state;
	assert_int_equal(can_bus_send(a, &sent), 0);
	assert_true(next(b, &f, &info));
	assert_memory_equal(&f, &sent, sizeof(f));
	assert_true(info.is_local);
	assert_false(info.is_own);
	/* The processor may be lost between the readings of the two clocks that convert the stamp. */
	assert_in_range(info.time_us, before_us - 200 * FC_US_PER_MS, now_us());
	assert_true(next(c, &f, &info));
	assert_true(is_quiet(a, b));
	assert_int_equal(a->stats.n_tx, 1);
	assert_int_equal(b->stats.n_rx, 1);
	can_bus_close(a);
	can_bus_close(b);
	can_bus_close(c);
}

static void test_udp_echo_brings_own_frames_back_marked(void **state)
{
	struct can_bus *a = open_bus("?echo=1"), *b = open_bus("");
	struct can_frame sent = frame(0x123, 7), f;
	struct can_rx_info info;

	(void)state;
	can_bus_send(a, &sent);
	assert_true(next(a, &f, &info));
	assert_true(info.is_own);
	can_bus_send(b, &sent);
	assert_true(next(a, &f, &info));
	assert_false(info.is_own);
	can_bus_close(a);
	can_bus_close(b);
}

static void test_udp_filters_take_exactly_what_they_name(void **state)
{
	struct can_bus *a = open_bus(""), *b = open_bus("");
	struct can_filter filters[2] = {can_filter_exact(0x123), can_filter_exact(CAN_EFF_FLAG | 0x1ffffff0)};
	const struct can_frame sent[] = {frame(CAN_EFF_FLAG | 0x123, 1), frame(CAN_RTR_FLAG | 0x123, 2),
					 frame(0x122, 3), frame(0x123, 4)};
	struct can_frame f;
	struct can_rx_info info;

	(void)state;
	assert_int_equal(can_bus_set_filters(b, filters, 2), 0);
	assert_int_equal(can_bus_send_many(a, sent, 4), 0);
	assert_true(next(b, &f, &info));
	assert_int_equal(f.data[0], 4);
	assert_true(is_quiet(b, a));
	can_bus_close(a);
	can_bus_close(b);
}

static void test_udp_new_bus_receives_nothing_before_filters(void **state)
{
	struct can_bus *a = open_bus(""), *b = open_bus("");
	struct can_filter mark = can_filter_exact(CAN_EFF_FLAG | 0x1ffffff0);
	struct can_frame sent = frame(0x123, 1);

	(void)state;
	assert_int_equal(can_bus_set_filters(b, NULL, 0), 0);
	can_bus_send(a, &sent);
	assert_int_equal(can_bus_recv(b, &(struct can_frame){0}, &(struct can_rx_info){0}), 0);
	can_bus_set_filters(b, &mark, 1);
	assert_true(is_quiet(b, a));
	can_bus_close(a);
	can_bus_close(b);
}

static void test_udp_error_frames_pass_both_ways(void **state)
{
	struct can_bus *a = open_bus(""), *b = open_bus("");
	struct can_frame sent = {.can_id = CAN_BUS_DOWN_ID, .can_dlc = 8, .data = {1, 2, 3, 4, 5, 6, 7, 8}},
			 f;
	struct can_rx_info info;

	(void)state;
	can_bus_set_filters(b, NULL, 0);
	can_bus_send(a, &sent);
	assert_true(next(b, &f, &info));
	assert_memory_equal(&f, &sent, sizeof(f));
	assert_int_equal(b->stats.n_err, 1);
	assert_int_equal(b->stats.n_rx, 0);
	can_bus_close(a);
	can_bus_close(b);
}

static void test_udp_malformed_datagrams_are_counted_and_dropped(void **state)
{
	struct can_bus *a = open_bus(""), *b = open_bus("");
	static char big[3000];
	uint8_t fd_frame[] = "\x81\xa5is_fd\xc3";
	uint8_t cut[CAN_UDP_READ_MAX + 1] = "\x81\xc5\x03\xfb"; /* whole up to the last byte that is read */
	int fd = raw_sender();

	(void)state;
	assert_int_equal(send(fd, "", 0, 0), 0);
	assert_int_equal(send(fd, "\xc1", 1, 0), 1);
	assert_int_equal(send(fd, fd_frame, sizeof(fd_frame) - 1, 0), (int)sizeof(fd_frame) - 1);
	assert_int_equal(send(fd, big, sizeof(big), 0), (int)sizeof(big));
	assert_int_equal(send(fd, cut, sizeof(cut), 0), (int)sizeof(cut));
	close(fd);
	assert_true(is_quiet(b, a));
	assert_int_equal(b->stats.n_rx_bad, 5);
	can_bus_close(a);
	can_bus_close(b);
}

static void test_udp_many_frames_keep_their_order_and_time(void **state)
{
	struct can_bus *a = open_bus(""), *b = open_bus("");
	struct can_frame sent[150], f;
	struct can_rx_info info;
	int64_t last_us = 0;
	unsigned i;

	(void)state;
	for (i = 0; i < 150; i++)
		sent[i] = frame(i, (uint8_t)i);
	assert_int_equal(can_bus_send_many(a, sent, 150), 0);
	for (i = 0; i < 150; i++) {
		assert_true(next(b, &f, &info));
		assert_int_equal(f.can_id, i);
		assert_true(info.time_us >= last_us);
		last_us = info.time_us;
	}
	assert_int_equal(a->stats.n_tx, 150);
	can_bus_close(a);
	can_bus_close(b);
}

static void test_udp_overflow_is_counted(void **state)
{
	struct can_bus *a = open_bus(""), *b = open_bus("");
	struct can_frame sent[64], f;
	struct can_rx_info info = {0};
	unsigned i, n_sent = 0, n_got = 0;

	(void)state;
	for (i = 0; i < 64; i++)
		sent[i] = frame(i, 0);
	for (i = 0; i < 100; i++, n_sent += 64)
		assert_int_equal(can_bus_send_many(a, sent, 64), 0);
	while (can_bus_recv(b, &f, &info) == 1 || can_bus_recv(b, &f, &info) == 1)
		n_got++;
	assert_in_range(n_got, 1, n_sent - 1);
	sent[0].can_id = 0x7ff;
	can_bus_send(a, &sent[0]); /* the counter comes with the next frame */
	for (; next(b, &f, &info) && f.can_id != 0x7ff; n_got++)
		;
	assert_int_equal(f.can_id, 0x7ff);
	assert_int_equal(n_got + info.n_dropped, n_sent);
	assert_int_equal(b->stats.n_rx_dropped, info.n_dropped);
	can_bus_close(a);
	can_bus_close(b);
}

static void test_udp_invalid_frame_is_refused(void **state)
{
	struct can_bus *a = open_bus("");
	struct can_frame f = frame(1, 1);

	(void)state;
	f.can_dlc = 9;
	assert_int_equal(can_bus_send(a, &f), -EINVAL);
	assert_int_equal(a->stats.n_tx_failed, 1);
	can_bus_close(a);
}

static void test_udp_quiet_bus_needs_no_service(void **state)
{
	struct can_bus *a = open_bus("");

	(void)state;
	assert_int_equal(can_bus_service(a, now_us()), FC_NEVER);
	assert_true(a->stats.is_up);
	can_bus_close(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_udp_frame_reaches_all_others_but_not_its_sender),
		cmocka_unit_test(test_udp_echo_brings_own_frames_back_marked),
		cmocka_unit_test(test_udp_filters_take_exactly_what_they_name),
		cmocka_unit_test(test_udp_new_bus_receives_nothing_before_filters),
		cmocka_unit_test(test_udp_error_frames_pass_both_ways),
		cmocka_unit_test(test_udp_malformed_datagrams_are_counted_and_dropped),
		cmocka_unit_test(test_udp_many_frames_keep_their_order_and_time),
		cmocka_unit_test(test_udp_overflow_is_counted),
		cmocka_unit_test(test_udp_invalid_frame_is_refused),
		cmocka_unit_test(test_udp_quiet_bus_needs_no_service),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
