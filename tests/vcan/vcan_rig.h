/* SPDX-License-Identifier: MIT */
/*
 * Helpers of the programs that tests/vcan/run.sh runs: a bus run as a loop does, a plain raw socket beside
 * it, and commands that change the links. Header only.
 */
#ifndef TESTS_VCAN_RIG_H
#define TESTS_VCAN_RIG_H

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

#include <linux/can/raw.h>
#include <net/if.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <forecourt/units.h>

#include "lib/can/can_bus.h"

#define TIMEOUT_US (5 * (int64_t)FC_US_PER_S) /* a lost link must be back by then; a hang limit */

static inline int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * FC_US_PER_S + t.tv_nsec / 1000;
}

static inline void shell(const char *command)
{
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

static inline struct can_bus *open_bus(const char *url)
{
	struct can_filter all = can_filter_all();
	struct can_bus *bus = NULL;
	char err[200] = "";

	if (can_bus_open(url, &bus, err, sizeof(err)) != 0)
		fail_msg("%s: %s", url, err);
	assert_int_equal(can_bus_set_filters(bus, &all, 1), 0);
	can_bus_service(bus, now_us());
	return bus;
}

/* A socket of our own next to the bus. */
static inline int open_raw(const char *name)
{
	struct sockaddr_can a = {.can_family = AF_CAN, .can_ifindex = (int)if_nametoindex(name)};
	int fd = socket(PF_CAN, SOCK_RAW, CAN_RAW);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static inline struct can_frame frame(canid_t id, uint8_t value)
{
	struct can_frame f = {.can_id = id, .can_dlc = 1, .data = {value}};

	return f;
}

static inline void put(int raw, canid_t id, uint8_t value)
{
	struct can_frame f = frame(id, value);

	assert_int_equal(write(raw, &f, sizeof(f)), sizeof(f));
}

/* Runs the bus as a loop does until a frame comes; false: none within the limit. */
static inline bool next(struct can_bus *b, struct can_frame *f, struct can_rx_info *info, int64_t limit_us)
{
	struct pollfd p = {.fd = can_bus_fd(b), .events = POLLIN};
	int64_t end_us = now_us() + limit_us, wake_us;
	int rc;

	for (;;) {
		wake_us = can_bus_service(b, now_us());
		rc = can_bus_recv(b, f, info);
		if (rc != 0) {
			assert_int_equal(rc, 1);
			return true;
		}
		if (now_us() >= end_us)
			return false;
		wake_us = fc_min_i64(wake_us, end_us) - now_us();
		poll(&p, 1, wake_us <= 0 ? 0 : (int)((wake_us + 999) / 1000));
	}
}

static inline struct can_frame expect(struct can_bus *b, canid_t id)
{
	struct can_rx_info info;
	struct can_frame f;

	if (!next(b, &f, &info, TIMEOUT_US))
		fail_msg("%08x did not come", id);
	assert_int_equal(f.can_id, id);
	return f;
}

/* vcan0 delivers within the call that sends: what is not there will not come. */
static inline void expect_nothing(struct can_bus *b)
{
	struct can_rx_info info;
	struct can_frame f;

	if (can_bus_recv(b, &f, &info) == 1 || can_bus_recv(b, &f, &info) == 1)
		fail_msg("%08x came", f.can_id);
}

static inline int fresh_vcan(void **state)
{
	(void)state;
	shell("ip link del vcan0 2>/dev/null; ip link add dev vcan0 type vcan && ip link set vcan0 up");
	return 0;
}

/* False, with the reason on stderr, where links are not ours to change. */
static inline bool has_vcan(void)
{
	if (if_nametoindex("vcan0") != 0)
		return true;
	fprintf(stderr, "there is no vcan0; run this by tests/vcan/run.sh\n");
	return false;
}

#define VCAN_TEST(name) cmocka_unit_test_setup(name, fresh_vcan)

#endif
