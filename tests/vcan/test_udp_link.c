/* SPDX-License-Identifier: MIT */
/*
 * The UDP bus when its interface goes down, away and comes back. It takes links down, so it is run by
 * tests/vcan/run.sh, where they are nobody else's.
 */
#include "tests/vcan/vcan_rig.h"

static void test_udp_loopback_down_is_an_edge_and_comes_back(void **state)
{
	struct can_bus *a = open_bus("udp"), *b = open_bus("udp");
	struct can_frame f = {.can_id = 0x10, .can_dlc = 1};

	(void)state;
	shell("ip link set lo down");
	assert_int_equal(can_bus_send(a, &f), -ENETDOWN);
	expect(a, CAN_BUS_DOWN_ID);
	assert_false(a->stats.is_up);
	shell("ip link set lo up");
	expect(a, CAN_BUS_UP_ID);
	assert_int_equal(can_bus_send(a, &f), 0);
	expect(b, 0x10);
	assert_int_equal(can_bus_service(a, now_us()), FC_NEVER);
	can_bus_close(a);
	can_bus_close(b);
}

static void test_udp_removed_interface_is_found_again(void **state)
{
	static const char make[] = "ip link add dummy9 type dummy && ip addr add 192.0.2.9/24 dev dummy9 && "
				   "ip link set dummy9 up";
	struct can_frame f = {.can_id = 0x10, .can_dlc = 1};
	struct can_bus *a, *b;

	(void)state;
	if (system(make) != 0) {
		print_message("skipped: this kernel has no dummy interfaces\n");
		skip();
	}
	a = open_bus("udp?iface=dummy9&ttl=0");
	b = open_bus("udp?iface=dummy9&ttl=0");
	assert_int_equal(can_bus_send(a, &f), 0);
	expect(b, 0x10);
	shell("ip link del dummy9");
	expect(b, CAN_BUS_DOWN_ID); /* a receiver finds it by looking */
	assert_true(can_bus_send(a, &f) < 0);
	expect(a, CAN_BUS_DOWN_ID);
	shell(make);
	expect(a, CAN_BUS_UP_ID);
	expect(b, CAN_BUS_UP_ID);
	assert_int_equal(can_bus_send(a, &f), 0);
	expect(b, 0x10);
	can_bus_close(a);
	can_bus_close(b);
	shell("ip link del dummy9");
}

static void test_udp_open_without_a_usable_interface_says_why(void **state)
{
	struct can_bus *b = NULL;
	char err[200] = "";

	(void)state;
	shell("ip link set lo down");
	assert_int_equal(can_bus_open("udp", &b, err, sizeof(err)), -ENETDOWN);
	assert_string_equal(err, "network interface lo is down");
	shell("ip link set lo up");
	shell("ip link set vcan0 up");
	assert_int_equal(can_bus_open("udp?iface=vcan0", &b, err, sizeof(err)), -EADDRNOTAVAIL);
	assert_string_equal(err, "network interface vcan0 has no IPv4 address");
	assert_null(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VCAN_TEST(test_udp_loopback_down_is_an_edge_and_comes_back),
		VCAN_TEST(test_udp_removed_interface_is_found_again),
		VCAN_TEST(test_udp_open_without_a_usable_interface_says_why),
	};

	if (!has_vcan())
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
