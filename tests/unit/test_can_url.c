/* SPDX-License-Identifier: MIT */
/*
 * Bus URLs: forms that are accepted, and what is said of those that are not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>

#include <cmocka.h>

#include "lib/can/can_bus.h"
#include "lib/can/can_url.h"

static struct can_url parsed(const char *text)
{
	struct can_url u;
	char err[200] = "";

	assert_int_equal(can_url_parse(text, &u, err, sizeof(err)), 0);
	assert_string_equal(err, "");
	return u;
}

static void test_url_plain_name_is_socketcan(void **state)
{
	struct can_url u = parsed("can0");

	(void)state;
	assert_int_equal(u.kind, CAN_URL_SOCKETCAN);
	assert_string_equal(u.iface, "can0");
	assert_false(u.has_echo);
	u = parsed("socketcan:udp?echo=1");
	assert_string_equal(u.iface, "udp");
	assert_true(u.has_echo);
	assert_string_equal(parsed("fifteen-chars_x").iface, "fifteen-chars_x");
}

static void test_url_udp_without_more_is_the_default_group_on_loopback(void **state)
{
	struct can_url u = parsed("udp");

	(void)state;
	assert_int_equal(u.kind, CAN_URL_UDP);
	assert_int_equal(u.group, 239u << 24 | 74 << 16 | 163 << 8 | 2);
	assert_int_equal(u.port, 43113);
	assert_string_equal(u.iface, "lo");
	assert_int_equal(u.ttl, 0);
}

static void test_url_udp_parts_and_options_are_taken(void **state)
{
	struct can_url u = parsed("udp:224.1.2.3:5000?iface=eth0&ttl=7&echo=1");

	(void)state;
	assert_int_equal(u.group, 224u << 24 | 1 << 16 | 2 << 8 | 3);
	assert_int_equal(u.port, 5000);
	assert_string_equal(u.iface, "eth0");
	assert_int_equal(u.ttl, 7);
	assert_true(u.has_echo);
	assert_int_equal(parsed("udp:239.0.0.1").port, 43113);
	assert_int_equal(parsed("udp?iface=eth0").ttl, 1);
	assert_int_equal(parsed("udp?iface=lo").ttl, 0);
	assert_int_equal(parsed("udp?iface=eth0&ttl=0").ttl, 0);
}

/* URL, words that the sentence must contain. */
static const char *const bad_urls[][2] = {
	{"", "empty"},
	{"?echo=1", "empty"},
	{"socketcan:", "name is missing"},
	{"sixteen-chars_xx", "at most 15"},
	{"can 0", "interface name"},
	{"can/0", "interface name"},
	{"..", "not an interface name"},
	{"can0\n", "interface name"},
	{"tcp:1.2.3.4", "unknown kind"},
	{"udp:", "not an IPv4"},
	{"udp:eth0", "not an IPv4"},
	{"udp:239.1.2", "not an IPv4"},
	{"udp:239.1.2.3.4", "not an IPv4"},
	{"udp:239.1.2.256", "not an IPv4"},
	{"udp:239.1..3", "not an IPv4"},
	{"udp:239.1.2.-3", "not an IPv4"},
	{"udp:192.0.2.1", "multicast"},
	{"udp:240.0.0.0", "multicast"},
	{"udp:[ff15::1]:5", "IPv4"},
	{"udp:239.1.2.3:", "port"},
	{"udp:239.1.2.3:0", "port"},
	{"udp:239.1.2.3:65536", "port"},
	{"udp:239.1.2.3:12345678901234567890", "port"},
	{"udp:239.1.2.3:5x", "port"},
	{"udp?", "unknown option"},
	{"udp?ttl", "ttl"},
	{"udp?ttl=256", "ttl"},
	{"udp?ttl=-1", "ttl"},
	{"udp?iface=", "missing"},
	{"udp?echo=2", "echo"},
	{"udp?echo=1&", "unknown option"},
	{"udp?hops=1", "known are iface, ttl, echo"},
	{"can0?ttl=1", "known are echo"},
	{"can0?", "unknown option"},
};

static void test_url_bad_is_refused_with_a_reason(void **state)
{
	struct can_url u;
	char err[256];
	size_t i;

	(void)state;
	memset(&u, 0x55, sizeof(u));
	for (i = 0; i < sizeof(bad_urls) / sizeof(bad_urls[0]); i++) {
		err[0] = '\0';
		assert_int_equal(can_url_parse(bad_urls[i][0], &u, err, sizeof(err)), -EINVAL);
		if (!strstr(err, bad_urls[i][1]))
			fail_msg("\"%s\": \"%s\" has no \"%s\"", bad_urls[i][0], err, bad_urls[i][1]);
		assert_int_equal(u.ttl, 0x55);
		assert_false(can_bus_check_url(bad_urls[i][0], err, sizeof(err)));
	}
}

static void test_url_reason_fits_any_buffer(void **state)
{
	char err[8] = "1234567";
	struct can_url u;

	(void)state;
	assert_int_equal(can_url_parse("tcp:x", &u, err, sizeof(err)), -EINVAL);
	assert_int_equal(strlen(err), 7);
	assert_int_equal(can_url_parse("tcp:x", &u, NULL, 0), -EINVAL);
}

static void test_open_of_a_missing_interface_says_so(void **state)
{
	struct can_bus *bus = NULL;
	char err[200] = "";
	int rc;

	(void)state;
	rc = can_bus_open("nosuchcan9", &bus, err, sizeof(err));
	assert_true(rc == -ENODEV || rc == -EAFNOSUPPORT); /* the latter where the kernel has no CAN at all */
	assert_non_null(strstr(err, "nosuchcan9"));
	rc = can_bus_open("udp?iface=nosuchif9", &bus, err, sizeof(err));
	assert_int_equal(rc, -ENODEV);
	assert_non_null(strstr(err, "nosuchif9 does not exist"));
	assert_int_equal(can_bus_open("x:y", &bus, err, sizeof(err)), -EINVAL);
	assert_null(bus);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_url_plain_name_is_socketcan),
		cmocka_unit_test(test_url_udp_without_more_is_the_default_group_on_loopback),
		cmocka_unit_test(test_url_udp_parts_and_options_are_taken),
		cmocka_unit_test(test_url_bad_is_refused_with_a_reason),
		cmocka_unit_test(test_url_reason_fits_any_buffer),
		cmocka_unit_test(test_open_of_a_missing_interface_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
