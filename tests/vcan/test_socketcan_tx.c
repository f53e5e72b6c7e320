/* SPDX-License-Identifier: MIT */
/*
 * The SocketCAN bus when queues are full. That comes from a queueing discipline on vcan0 and from a serial
 * line (slcan on a pseudo-terminal) that nobody reads. Run it by tests/vcan/run.sh.
 */
#include "tests/vcan/vcan_rig.h"

#include <fcntl.h>
#include <termios.h>

#include <sys/ioctl.h>

#include "lib/can/can_hold.h"

/* Sends 200 frames of 50 identifiers at once, then runs the bus; the newest of each must have arrived. */
static void check_held_frames(struct can_bus *b, int raw, const char *what)
{
	struct can_frame f[200], got;
	uint8_t newest[50] = {0};
	struct can_rx_info info;
	struct pollfd p = {.fd = raw, .events = POLLIN};
	int64_t end_us = now_us() + TIMEOUT_US;
	unsigned i, n_newest = 0;

	for (i = 0; i < 200; i++)
		f[i] = frame(0x100 + i % 50, (uint8_t)(1 + i / 50));
	assert_int_equal(can_bus_send_many(b, f, 200), 0);
	if (b->stats.n_tx >= 200)
		fail_msg("%s: the queue was never full", what);
	while (n_newest < 50 && now_us() < end_us) {
		next(b, &got, &info, 1000);
		while (poll(&p, 1, 0) > 0 && read(raw, &got, sizeof(got)) == sizeof(got)) {
			n_newest += newest[got.can_id - 0x100] < 4 && got.data[0] == 4;
			if (got.data[0] < newest[got.can_id - 0x100])
				fail_msg("%s: an old frame after a newer one", what);
			newest[got.can_id - 0x100] = got.data[0];
		}
	}
	assert_int_equal(n_newest, 50);
	assert_true(b->stats.n_tx_replaced > 0);
	assert_int_equal(b->stats.n_tx + b->stats.n_tx_replaced, 200);
	assert_int_equal(b->stats.n_tx_failed, 0);
	assert_int_equal(can_bus_service(b, now_us()), FC_NEVER);
}

static void test_socketcan_full_queue_of_the_link_keeps_the_newest(void **state)
{
	struct can_bus *b = open_bus("vcan0");
	int raw = open_raw("vcan0");

	(void)state;
	shell("tc qdisc replace dev vcan0 root netem delay 5ms limit 8"); /* ENOBUFS */
	check_held_frames(b, raw, "ENOBUFS");
	close(raw);
	can_bus_close(b);
}

static void test_socketcan_full_send_buffer_keeps_the_newest(void **state)
{
	struct can_bus *b = open_bus("vcan0");
	int raw = open_raw("vcan0");

	(void)state;
	/* EAGAIN: the frames wait in a long queue, but count against our buffer. */
	shell("tc qdisc replace dev vcan0 root tbf rate 64kbit burst 200b limit 20000b");
	check_held_frames(b, raw, "EAGAIN");
	close(raw);
	can_bus_close(b);
}

/* A serial CAN adapter: an interface on a pseudo-terminal, we are the adapter at *master. */
static int open_slcan(int *master, char name[IFNAMSIZ])
{
	const int n_slcan = 17;
	char command[64];
	struct termios t;
	int slave;

	*master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	assert_true(*master >= 0);
	assert_int_equal(grantpt(*master), 0);
	assert_int_equal(unlockpt(*master), 0);
	slave = open(ptsname(*master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	tcgetattr(slave, &t);
	cfmakeraw(&t);
	tcsetattr(slave, TCSANOW, &t);
	assert_int_equal(ioctl(slave, TIOCSETD, &n_slcan), 0);
	assert_int_equal(ioctl(slave, SIOCGIFNAME, name), 0);
	snprintf(command, sizeof(command), "ip link set %s up", name);
	shell(command);
	return slave;
}

static void test_socketcan_serial_adapter_foreign_frames_full_line_and_unplug(void **state)
{
	struct can_rx_info info;
	struct can_frame f = frame(0x100, 0);
	struct can_bus *b;
	char line[256], name[IFNAMSIZ];
	int master, slave = open_slcan(&master, name);
	int64_t end_us;

	(void)state;
	b = open_bus(name);
	assert_int_equal(write(master, "t12321122\r", 10), 10);
	assert_true(next(b, &f, &info, TIMEOUT_US));
	assert_int_equal(f.can_id, 0x123);
	assert_false(info.is_local); /* it came over the wire */
	/* Nobody reads the line: its queue fills, frames are held and then too old to go out. */
	f = frame(0x100, 1);
	for (end_us = now_us() + TIMEOUT_US; b->stats.n_tx_replaced == 0 && now_us() < end_us;)
		assert_int_equal(can_bus_send(b, &f), 0);
	assert_true(b->stats.n_tx_replaced > 0);
	can_bus_service(b, now_us() + CAN_HOLD_MAX_US + 10000);
	assert_int_equal(b->stats.n_tx_failed, 1);
	f = frame(0x101, 7);
	assert_int_equal(can_bus_send(b, &f), 0);
	for (end_us = now_us() + TIMEOUT_US; can_bus_service(b, now_us()) != FC_NEVER && now_us() < end_us;)
		while (read(master, line, sizeof(line)) > 0)
			;
	assert_int_equal(can_bus_service(b, now_us()), FC_NEVER);
	close(slave);
	close(master);
	expect(b, CAN_BUS_DOWN_ID);
	assert_int_equal(can_bus_send(b, &f), -ENODEV);
	can_bus_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VCAN_TEST(test_socketcan_full_queue_of_the_link_keeps_the_newest),
		VCAN_TEST(test_socketcan_full_send_buffer_keeps_the_newest),
		VCAN_TEST(test_socketcan_serial_adapter_foreign_frames_full_line_and_unplug),
	};

	if (!has_vcan())
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
