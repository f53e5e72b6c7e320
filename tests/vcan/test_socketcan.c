/* SPDX-License-Identifier: MIT */
/*
 * The SocketCAN bus on a real vcan0: receiving, the link, can-utils. Run it by tests/vcan/run.sh, as it takes
 * links down and away. What the bus does is checked against plain raw sockets, candump and cansend.
 */
#include "tests/vcan/vcan_rig.h"

#include <fcntl.h>

#include "lib/can/can_filter_set.h"

/* The processor may be lost between the readings of the two clocks that convert a stamp (can_rx_clock.h). */
#define STAMP_ERROR_US 50000

/* --- receiving ------------------------------------------------------------------------------------------ */

static void test_socketcan_filters_are_exact_in_the_kernel(void **state)
{
	struct can_filter filters[2] = {can_filter_exact(0x123), can_filter_exact(CAN_EFF_FLAG | 0x180a0001)};
	struct can_bus *b = open_bus("vcan0");
	int raw = open_raw("vcan0");

	(void)state;
	assert_int_equal(can_bus_set_filters(b, filters, 2), 0);
	put(raw, CAN_EFF_FLAG | 0x123, 1);
	put(raw, CAN_RTR_FLAG | 0x123, 1);
	put(raw, 0x124, 1);
	put(raw, CAN_EFF_FLAG | CAN_RTR_FLAG | 0x180a0001, 1);
	put(raw, CAN_EFF_FLAG | 0x190a0001, 1);
	expect_nothing(b);
	put(raw, 0x123, 1);
	put(raw, CAN_EFF_FLAG | 0x180a0001, 1);
	expect(b, 0x123);
	expect(b, CAN_EFF_FLAG | 0x180a0001);
	assert_int_equal(can_bus_set_filters(b, NULL, 0), 0);
	put(raw, 0x123, 1);
	expect_nothing(b);
	assert_int_equal(b->stats.n_rx, 2);
	assert_int_equal(can_bus_set_filters(b, filters, CAN_BUS_MAX_FILTERS + 1), -E2BIG);
	close(raw);
	can_bus_close(b);
}

static void test_socketcan_new_bus_receives_nothing_before_filters(void **state)
{
	struct can_bus *b = NULL;
	char err[200];
	int raw = open_raw("vcan0");

	(void)state;
	assert_int_equal(can_bus_open("socketcan:vcan0", &b, err, sizeof(err)), 0);
	put(raw, 0x123, 1);
	expect_nothing(b);
	close(raw);
	can_bus_close(b);
}

static uint32_t random_next(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

/* The software filters of the other buses mean what the kernel's do. */
static void test_socketcan_software_filters_agree_with_the_kernel(void **state)
{
	static struct can_filter_set set;
	struct can_filter filters[4];
	struct can_bus *b = open_bus("vcan0");
	int raw = open_raw("vcan0");
	uint32_t x = 88172645; /* fixed seed */
	struct can_rx_info info;
	struct can_frame f;
	unsigned round, i;
	canid_t id;

	(void)state;
	for (round = 0; round < 200; round++) {
		for (i = 0; i < 4; i++) { /* few bits, so that matches are frequent; bit 29 means inverted */
			filters[i].can_id = random_next(&x) & 0xe0001803;
			filters[i].can_mask = random_next(&x) & (i == 0 ? 0xdfffffff : 0xc0001803);
		}
		assert_int_equal(can_bus_set_filters(b, filters, 1 + round % 4), 0);
		can_filter_set_put(&set, filters, 1 + round % 4);
		for (i = 0; i < 20; i++) {
			id = random_next(&x) & 0xc0001803;
			if (!(id & CAN_EFF_FLAG))
				id &= CAN_RTR_FLAG | CAN_SFF_MASK;
			put(raw, id, (uint8_t)i);
			if (can_filter_set_match(&set, id)) {
				assert_true(next(b, &f, &info, TIMEOUT_US));
				assert_int_equal(f.can_id, id);
			} else {
				expect_nothing(b);
			}
		}
	}
	close(raw);
	can_bus_close(b);
}

static void test_socketcan_stamps_are_monotone_and_near_now(void **state)
{
	struct can_bus *b = open_bus("vcan0");
	int raw = open_raw("vcan0");
	int64_t sent_us[101], last_us = 0;
	struct can_rx_info info;
	struct can_frame f;
	unsigned i;

	(void)state;
	for (i = 0; i < 100; i++) {
		sent_us[i] = now_us();
		put(raw, i, 0);
	}
	sent_us[100] = now_us();
	poll(NULL, 0, 3 * STAMP_ERROR_US / FC_US_PER_MS); /* so that they are read much later */
	for (i = 0; i < 100; i++) {
		assert_true(next(b, &f, &info, TIMEOUT_US));
		assert_int_equal(f.can_id, i);
		assert_true(info.time_us >= last_us);
		/* Not before it was sent, and the stamp is of the sending, not of the reading. */
		assert_true(info.time_us >= sent_us[i] - STAMP_ERROR_US);
		assert_true(info.time_us <= sent_us[i + 1] + STAMP_ERROR_US);
		last_us = info.time_us;
		assert_true(info.is_local);
		assert_false(info.is_own);
	}
	close(raw);
	can_bus_close(b);
}

static void test_socketcan_echo_brings_own_frames_back_marked(void **state)
{
	struct can_bus *b = open_bus("vcan0?echo=1"), *c = open_bus("vcan0");
	struct can_frame sent = frame(0x123, 9), f;
	struct can_rx_info info;

	(void)state;
	assert_int_equal(can_bus_send(b, &sent), 0);
	assert_true(next(b, &f, &info, TIMEOUT_US));
	assert_true(info.is_own);
	expect(c, 0x123);
	assert_int_equal(can_bus_send(c, &sent), 0);
	expect_nothing(c);
	assert_true(next(b, &f, &info, TIMEOUT_US));
	assert_false(info.is_own);
	can_bus_close(b);
	can_bus_close(c);
}

static void test_socketcan_overflow_is_counted_exactly(void **state)
{
	struct can_bus *b = open_bus("vcan0");
	int raw = open_raw("vcan0");
	struct can_rx_info info;
	struct can_frame f;
	unsigned i, n_got = 0;

	(void)state;
	for (i = 0; i < 20000; i++)
		put(raw, 1, 0);
	do {
		while (can_bus_recv(b, &f, &info) == 1)
			n_got++;
	} while (can_bus_recv(b, &f, &info) == 1 && ++n_got);
	assert_in_range(n_got, 100, 19999);
	put(raw, 2, 0); /* the counter comes with the next frame */
	assert_true(next(b, &f, &info, TIMEOUT_US));
	assert_int_equal(f.can_id, 2);
	assert_int_equal(n_got + info.n_dropped, 20000);
	assert_int_equal(b->stats.n_rx_dropped, info.n_dropped);
	close(raw);
	can_bus_close(b);
}

static void test_socketcan_error_frames_come_by_class_without_filters(void **state)
{
	struct can_frame passive = {.can_id = CAN_ERR_FLAG | CAN_ERR_CRTL, .can_dlc = 8};
	struct can_frame lost = {.can_id = CAN_ERR_FLAG | CAN_ERR_LOSTARB, .can_dlc = 8}, f;
	struct can_bus *b = open_bus("vcan0");
	int raw = open_raw("vcan0");

	(void)state;
	passive.data[1] = CAN_ERR_CRTL_RX_PASSIVE | CAN_ERR_CRTL_TX_PASSIVE;
	can_bus_set_filters(b, NULL, 0);
	assert_int_equal(write(raw, &lost, sizeof(lost)), sizeof(lost));
	assert_int_equal(write(raw, &passive, sizeof(passive)), sizeof(passive));
	f = expect(b, CAN_ERR_FLAG | CAN_ERR_CRTL);
	assert_int_equal(f.data[1], passive.data[1]);
	assert_true(b->stats.is_up);
	put(raw, CAN_BUS_DOWN_ID, 0);
	expect(b, CAN_BUS_DOWN_ID);
	assert_false(b->stats.is_up);
	/* vcan has no controller to restart: nothing to do by itself. */
	assert_int_equal(can_bus_service(b, now_us()), FC_NEVER);
	put(raw, CAN_BUS_UP_ID, 0);
	expect(b, CAN_BUS_UP_ID);
	assert_true(b->stats.is_up);
	assert_int_equal(b->stats.n_err, 3);
	close(raw);
	can_bus_close(b);
}

/* --- the link ------------------------------------------------------------------------------------------- */

static void test_socketcan_open_is_quiet_without_a_controller(void **state)
{
	char text[64];
	int saved = dup(STDERR_FILENO), p[2];

	(void)state;
	assert_int_equal(pipe2(p, O_NONBLOCK), 0);
	dup2(p[1], STDERR_FILENO);
	can_bus_close(open_bus("vcan0"));
	fprintf(stderr, "still there\n"); /* and stderr works as before */
	dup2(saved, STDERR_FILENO);
	close(saved);
	assert_int_equal(read(p[0], text, sizeof(text)), 12);
	assert_memory_equal(text, "still there\n", 12);
	close(p[0]);
	close(p[1]);
}

static void test_socketcan_open_of_what_is_no_can_interface_is_refused(void **state)
{
	struct can_bus *b = NULL;
	char err[200] = "";

	(void)state;
	assert_int_equal(can_bus_open("lo", &b, err, sizeof(err)), -ENODEV);
	assert_string_equal(err, "lo: not a CAN interface");
	assert_int_equal(can_bus_open("vcan9", &b, err, sizeof(err)), -ENODEV);
	assert_string_equal(err, "CAN interface vcan9 does not exist");
	assert_null(b);
}

static void test_socketcan_link_down_is_an_edge_and_comes_back(void **state)
{
	struct can_bus *b = open_bus("vcan0");
	struct can_frame f = frame(0x10, 1);
	int64_t up_us;
	int raw, fd = can_bus_fd(b);

	(void)state;
	shell("ip link set vcan0 down");
	expect(b, CAN_BUS_DOWN_ID);
	assert_false(b->stats.is_up);
	assert_int_equal(can_bus_send(b, &f), -ENETDOWN);
	assert_int_equal(b->stats.n_tx_failed, 1);
	assert_true(can_bus_service(b, now_us()) <= now_us() + 200000);
	expect_nothing(b);
	shell("ip link set vcan0 up");
	up_us = now_us();
	expect(b, CAN_BUS_UP_ID);
	assert_true(now_us() - up_us < TIMEOUT_US);
	assert_true(b->stats.is_up);
	assert_int_equal(can_bus_fd(b), fd);
	raw = open_raw("vcan0");
	assert_int_equal(can_bus_send(b, &f), 0);
	put(raw, 0x11, 1);
	expect(b, 0x11);
	assert_int_equal(read(raw, &f, sizeof(f)), sizeof(f));
	assert_int_equal(f.can_id, 0x10);
	assert_int_equal(can_bus_service(b, now_us()), FC_NEVER);
	close(raw);
	can_bus_close(b);
}

static void test_socketcan_link_down_is_found_by_sending_too(void **state)
{
	struct can_bus *b = open_bus("vcan0");
	struct can_frame f = frame(0x10, 1);

	(void)state;
	shell("ip link set vcan0 down");
	assert_int_equal(can_bus_send(b, &f), -ENETDOWN);
	expect(b, CAN_BUS_DOWN_ID);
	shell("ip link set vcan0 up");
	expect(b, CAN_BUS_UP_ID);
	expect_nothing(b); /* the kernel's own word of it must not be taken for a second edge */
	assert_true(b->stats.is_up);
	can_bus_close(b);
}

static void test_socketcan_open_on_a_link_that_is_down_waits_for_it(void **state)
{
	struct can_bus *b;

	(void)state;
	shell("ip link set vcan0 down");
	b = open_bus("vcan0");
	expect(b, CAN_BUS_DOWN_ID);
	expect_nothing(b);
	shell("ip link set vcan0 up");
	expect(b, CAN_BUS_UP_ID);
	can_bus_close(b);
}

static void test_socketcan_removed_interface_is_found_again_with_its_filters(void **state)
{
	struct can_filter exact = can_filter_exact(0x123);
	struct can_bus *b = open_bus("vcan0");
	struct can_frame f = frame(0x10, 1);
	unsigned round;
	int raw;

	(void)state;
	can_bus_set_filters(b, &exact, 1);
	for (round = 0; round < 3; round++) {
		shell("ip link del vcan0");
		expect(b, CAN_BUS_DOWN_ID);
		assert_int_equal(can_bus_send(b, &f), -ENODEV);
		shell("ip link add dev vcan0 type vcan");
		can_bus_service(b, now_us() + 200000);
		assert_int_equal(can_bus_send(b, &f), -ENODEV); /* there, but not up */
		shell("ip link set vcan0 up");
		expect(b, CAN_BUS_UP_ID);
		raw = open_raw("vcan0");
		put(raw, 0x124, 1);
		put(raw, 0x123, 1);
		expect(b, 0x123);
		put(raw, CAN_ERR_FLAG | CAN_ERR_CRTL, 1);
		expect(b, CAN_ERR_FLAG | CAN_ERR_CRTL);
		assert_int_equal(can_bus_send(b, &f), 0);
		close(raw);
	}
	can_bus_close(b);
}

static void test_socketcan_quick_removal_and_return_is_not_missed(void **state)
{
	struct can_bus *b = open_bus("vcan0");
	int raw;

	(void)state;
	shell("ip link del vcan0; ip link add dev vcan0 type vcan; ip link set vcan0 up");
	expect(b, CAN_BUS_DOWN_ID);
	expect(b, CAN_BUS_UP_ID);
	raw = open_raw("vcan0");
	put(raw, 0x11, 1);
	expect(b, 0x11);
	close(raw);
	can_bus_close(b);
}

/* --- can-utils ------------------------------------------------------------------------------------------ */

static void test_socketcan_candump_sees_our_frames(void **state)
{
	struct can_frame f[2] = {{.can_id = CAN_EFF_FLAG | 0x180a0001, .can_dlc = 3, .data = {1, 2, 0xab}},
				 {.can_id = 0x7ff}};
	struct can_bus *b = open_bus("vcan0");
	char line[128];
	FILE *dump;

	(void)state;
	dump = popen("exec candump -L -n 2 vcan0", "r");
	assert_non_null(dump);
	/* It is ready when its socket shows in the kernel's list of receivers of all frames besides ours. */
	shell("n=0; until [ $(grep -c vcan0 /proc/net/can/rcvlist_all) -ge 2 ]; "
	      "do n=$((n + 1)); [ $n -lt 1000 ] || exit 1; sleep 0.01; done");
	assert_int_equal(can_bus_send_many(b, f, 2), 0);
	assert_non_null(fgets(line, sizeof(line), dump));
	assert_non_null(strstr(line, ") vcan0 180A0001#0102AB\n"));
	assert_non_null(fgets(line, sizeof(line), dump));
	assert_non_null(strstr(line, ") vcan0 7FF#\n"));
	pclose(dump);
	can_bus_close(b);
}

static void test_socketcan_cansend_reaches_us(void **state)
{
	struct can_bus *b = open_bus("vcan0");
	struct can_frame f;

	(void)state;
	shell("cansend vcan0 18A50112#DEADBEEF");
	f = expect(b, CAN_EFF_FLAG | 0x18a50112);
	assert_int_equal(f.can_dlc, 4);
	assert_memory_equal(f.data, "\xde\xad\xbe\xef", 4);
	shell("cansend vcan0 123#R4");
	f = expect(b, CAN_RTR_FLAG | 0x123);
	assert_int_equal(f.can_dlc, 4);
	can_bus_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VCAN_TEST(test_socketcan_filters_are_exact_in_the_kernel),
		VCAN_TEST(test_socketcan_new_bus_receives_nothing_before_filters),
		VCAN_TEST(test_socketcan_software_filters_agree_with_the_kernel),
		VCAN_TEST(test_socketcan_stamps_are_monotone_and_near_now),
		VCAN_TEST(test_socketcan_echo_brings_own_frames_back_marked),
		VCAN_TEST(test_socketcan_overflow_is_counted_exactly),
		VCAN_TEST(test_socketcan_error_frames_come_by_class_without_filters),
		VCAN_TEST(test_socketcan_open_is_quiet_without_a_controller),
		VCAN_TEST(test_socketcan_open_of_what_is_no_can_interface_is_refused),
		VCAN_TEST(test_socketcan_link_down_is_an_edge_and_comes_back),
		VCAN_TEST(test_socketcan_link_down_is_found_by_sending_too),
		VCAN_TEST(test_socketcan_open_on_a_link_that_is_down_waits_for_it),
		VCAN_TEST(test_socketcan_removed_interface_is_found_again_with_its_filters),
		VCAN_TEST(test_socketcan_quick_removal_and_return_is_not_missed),
		VCAN_TEST(test_socketcan_candump_sees_our_frames),
		VCAN_TEST(test_socketcan_cansend_reaches_us),
	};

	if (!has_vcan())
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
