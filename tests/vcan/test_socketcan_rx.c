/* SPDX-License-Identifier: MIT */
/*
 * A SocketCAN bus to listen to: hears others, sends nothing, and finds an interface that was gone. Run it by
 * tests/vcan/run.sh.
 */
#include "tests/vcan/vcan_rig.h"

#include "lib/can/can_bus_rx.h"

static struct can_bus *open_listener(void)
{
	struct can_filter all = can_filter_all();
	struct can_bus *bus = NULL;
	char err[200] = "";

	if (can_bus_open_rx("vcan0", &bus, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_int_equal(can_bus_set_filters(bus, &all, 1), 0);
	can_bus_service(bus, now_us());
	return bus;
}

static void test_socketcan_listener_hears_and_refuses_to_send(void **state)
{
	struct can_bus *b = open_listener();
	const struct can_frame f[2] = {frame(0x1, 1), frame(0x2, 2)};
	int raw = open_raw("vcan0");
	struct can_frame got;

	(void)state;
	assert_int_equal(can_bus_send(b, f), -EPERM);
	assert_int_equal(can_bus_send_many(b, f, 2), -EPERM);
	can_bus_service(b, now_us() + FC_US_PER_S);
	assert_int_equal(recv(raw, &got, sizeof(got), MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	put(raw, 0x123, 7);
	assert_int_equal(expect(b, 0x123).data[0], 7);
	close(raw);
	can_bus_close(b);
}

static void test_socketcan_listener_finds_the_interface_again(void **state)
{
	struct can_bus *b = open_listener();
	int raw;

	(void)state;
	shell("ip link set vcan0 down");
	expect(b, CAN_BUS_DOWN_ID);
	shell("ip link set vcan0 up");
	expect(b, CAN_BUS_UP_ID);
	shell("ip link del vcan0");
	expect(b, CAN_BUS_DOWN_ID);
	shell("ip link add dev vcan0 type vcan && ip link set vcan0 up");
	expect(b, CAN_BUS_UP_ID);
	raw = open_raw("vcan0");
	put(raw, 0x321, 9);
	assert_int_equal(expect(b, 0x321).data[0], 9);
	close(raw);
	can_bus_close(b);
}

static void test_socketcan_listener_has_the_buffer_it_asks_for(void **state)
{
	struct can_bus *b = open_listener();
	uint32_t room = can_bus_rx_room(b), i;
	struct can_rx_info info;
	int raw = open_raw("vcan0");
	struct can_frame f;

	(void)state;
	assert_true(room >= CAN_BUS_RX_BYTES / 1280); /* root may have it all */
	for (i = 0; i < room; i++)
		put(raw, 0x100, (uint8_t)i);
	for (i = 0; i < room; i++) {
		assert_true(next(b, &f, &info, TIMEOUT_US));
		assert_int_equal(f.data[0], (uint8_t)i);
		assert_int_equal(info.n_dropped, 0);
	}
	close(raw);
	can_bus_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VCAN_TEST(test_socketcan_listener_hears_and_refuses_to_send),
		VCAN_TEST(test_socketcan_listener_finds_the_interface_again),
		VCAN_TEST(test_socketcan_listener_has_the_buffer_it_asks_for),
	};

	if (!has_vcan())
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
