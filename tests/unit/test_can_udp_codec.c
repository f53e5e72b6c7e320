/* SPDX-License-Identifier: MIT */
/*
 * Datagrams of the UDP bus: round trips, every form msgpack has for a value, and malformed ones.
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
#include "lib/can/can_udp_codec.h"

/* A datagram being written by hand. */
struct datagram {
	size_t n;
	uint8_t b[2 * CAN_UDP_READ_MAX];
};

static void put(struct datagram *d, const void *bytes, size_t n)
{
	memcpy(d->b + d->n, bytes, n);
	d->n += n;
}

#define PUT(d, literal) put(d, literal, sizeof(literal) - 1)

static void put_key(struct datagram *d, const char *name)
{
	uint8_t mark = (uint8_t)(0xa0 | strlen(name));

	put(d, &mark, 1);
	put(d, name, strlen(name));
}

static struct datagram map_of(uint8_t n)
{
	struct datagram d = {1, {(uint8_t)(0x80 | n)}};

	return d;
}

/* The frame 123#1122 with one key first, whose value is still to be put. */
static struct datagram frame_with(const char *key)
{
	struct datagram d = map_of(4);

	put_key(&d, "arbitration_id");
	PUT(&d, "\xcd\x01\x23");
	put_key(&d, "is_extended_id");
	PUT(&d, "\xc2");
	put_key(&d, "data");
	PUT(&d, "\xc4\x02\x11\x22");
	put_key(&d, key);
	return d;
}

static struct can_frame decoded(const struct datagram *d)
{
	struct can_frame f;

	memset(&f, 0xee, sizeof(f));
	assert_int_equal(can_udp_decode(d->b, d->n, &f), 0);
	return f;
}

static int refusal(const struct datagram *d)
{
	struct can_frame f, before;
	int rc;

	memset(&f, 0xee, sizeof(f));
	before = f;
	rc = can_udp_decode(d->b, d->n, &f);
	assert_memory_equal(&f, &before, sizeof(f));
	return rc;
}

static void test_codec_round_trip_keeps_every_kind_of_frame(void **state)
{
	static const canid_t ids[] = {
		0,
		0x7ff,
		0x123,
		CAN_EFF_FLAG,
		CAN_EFF_FLAG | CAN_EFF_MASK,
		CAN_EFF_FLAG | 0x123,
		CAN_RTR_FLAG | 0x123,
		CAN_EFF_FLAG | CAN_RTR_FLAG | 0x0a0001,
		CAN_BUS_DOWN_ID,
		CAN_BUS_UP_ID,
		CAN_ERR_FLAG | CAN_ERR_CRTL,
		CAN_ERR_FLAG | CAN_EFF_MASK,
	};
	uint8_t out[CAN_UDP_WRITE_MAX], dlc;
	struct can_frame f, back;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		for (dlc = 0; dlc <= 8; dlc++) {
			memset(&f, 0, sizeof(f));
			f.can_id = ids[i];
			f.can_dlc = dlc;
			if (!(f.can_id & CAN_RTR_FLAG) || f.can_id & CAN_ERR_FLAG)
				memcpy(f.data, "\x80\xff\x00\x7f\x01\xc1\xa0\x90", dlc);
			n = can_udp_encode(&f, 1700000000123456, out);
			assert_in_range(n, 150, CAN_UDP_WRITE_MAX);
			memset(&back, 0xee, sizeof(back));
			assert_int_equal(can_udp_decode(out, n, &back), 0);
			assert_memory_equal(&back, &f, sizeof(f));
		}
}

static void test_codec_writes_the_known_bytes(void **state)
{
	static const uint8_t expected[] = "\x8b\xa9timestamp\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00"
					  "\xae"
					  "arbitration_id\xce\x18\x0a\x00\x01"
					  "\xaeis_extended_id\xc3"
					  "\xafis_remote_frame\xc2"
					  "\xaeis_error_frame\xc2"
					  "\xa7"
					  "channel\xc0"
					  "\xa3"
					  "dlc\x02"
					  "\xa4"
					  "data\xc4\x02\xab\xcd"
					  "\xa5is_fd\xc2"
					  "\xae"
					  "bitrate_switch\xc2"
					  "\xb5"
					  "error_state_indicator\xc2";
	const struct can_frame f = {.can_id = CAN_EFF_FLAG | 0x180a0001, .can_dlc = 2, .data = {0xab, 0xcd}};
	uint8_t out[CAN_UDP_WRITE_MAX];

	(void)state;
	assert_int_equal(can_udp_encode(&f, 1500000, out), sizeof(expected) - 1);
	assert_memory_equal(out, expected, sizeof(expected) - 1);
}

static void test_codec_longest_frame_fits_exactly(void **state)
{
	const struct can_frame f = {.can_id = CAN_EFF_FLAG, .can_dlc = 8};
	uint8_t out[CAN_UDP_WRITE_MAX];

	(void)state;
	assert_int_equal(can_udp_encode(&f, 0, out), CAN_UDP_WRITE_MAX);
}

/* Every form of the number 0x23 (35), and of larger ones. */
static void test_codec_reads_every_form_of_a_number(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		canid_t id;
	} forms[] = {
		{"\x23", 1, 0x23},
		{"\xcc\x23", 2, 0x23},
		{"\xcc\xff", 2, 0xff},
		{"\xcd\x01\x23", 3, 0x123},
		{"\xce\x00\x00\x01\x23", 5, 0x123},
		{"\xcf\x00\x00\x00\x00\x00\x00\x01\x23", 9, 0x123},
		{"\xd0\x23", 2, 0x23},
		{"\xd1\x01\x23", 3, 0x123},
		{"\xd2\x00\x00\x01\x23", 5, 0x123},
		{"\xd3\x00\x00\x00\x00\x00\x00\x01\x23", 9, 0x123},
		{"\xca\x42\x0c\x00\x00", 5, 35},
		{"\xcb\x40\x41\x80\x00\x00\x00\x00\x00", 9, 35},
	};
	struct datagram d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		d = map_of(1);
		put_key(&d, "arbitration_id");
		put(&d, forms[i].bytes, forms[i].n);
		assert_int_equal(decoded(&d).can_id, CAN_EFF_FLAG | forms[i].id);
	}
}

static void test_codec_refuses_numbers_out_of_place(void **state)
{
	static const struct {
		const char *key, *bytes;
		size_t n;
	} forms[] = {
		{"arbitration_id", "\xff", 1},
		{"arbitration_id", "\xd0\x80", 2},
		{"arbitration_id", "\xd3\xff\xff\xff\xff\xff\xff\xff\xff", 9},
		{"arbitration_id", "\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9},
		{"arbitration_id", "\xce\x20\x00\x00\x00", 5},
		{"arbitration_id", "\xcd\x08\x00", 3}, /* not extended: eleven bits */
		{"arbitration_id", "\xca\x42\x0c\x00\x01", 5},
		{"arbitration_id", "\xca\x7f\xc0\x00\x00", 5},		       /* not a number */
		{"arbitration_id", "\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00", 9}, /* infinite */
		{"arbitration_id", "\xcb\xc0\x41\x80\x00\x00\x00\x00\x00", 9}, /* -35 */
		{"arbitration_id", "\xc3", 1},
		{"arbitration_id", "\xc0", 1},
		{"arbitration_id", "\xa1\x31", 2},
		{"dlc", "\x03", 1}, /* data has two */
		{"dlc", "\x09", 1},
		{"dlc", "\xff", 1},
		{"dlc", "\xa1\x32", 2},
		{"is_extended_id", "\xa4True", 5},
		{"is_extended_id", "\x90", 1},
		{"is_fd", "\x80", 1},
		{"bitrate_switch", "\xc3", 1},
		{"error_state_indicator", "\xc3", 1},
	};
	struct datagram d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		d = frame_with(forms[i].key);
		put(&d, forms[i].bytes, forms[i].n);
		if (refusal(&d) != -EINVAL)
			fail_msg("form %zu of %s was taken", i, forms[i].key);
	}
}

static void test_codec_reads_every_form_of_a_flag(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		bool is_set;
	} forms[] = {
		{"\xc2", 1, false},
		{"\xc3", 1, true},
		{"\xc0", 1, false},
		{"\x00", 1, false},
		{"\x01", 1, true},
		{"\xff", 1, true},
		{"\xcc\x00", 2, false},
		{"\xca\x00\x00\x00\x00", 5, false},
		{"\xca\x80\x00\x00\x00", 5, false},
		{"\xca\x3f\x80\x00\x00", 5, true},
	};
	struct datagram d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		d = frame_with("is_error_frame");
		put(&d, forms[i].bytes, forms[i].n);
		assert_int_equal(decoded(&d).can_id, forms[i].is_set ? CAN_ERR_FLAG | 0x123 : 0x123);
	}
}

static void test_codec_reads_every_form_of_data(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} forms[] = {
		{"\xc4\x02\xab\xcd", 4},
		{"\xc5\x00\x02\xab\xcd", 5},
		{"\xc6\x00\x00\x00\x02\xab\xcd", 7},
		{"\xa2\xab\xcd", 3},
		{"\xd9\x02\xab\xcd", 4},
		{"\xda\x00\x02\xab\xcd", 5},
		{"\xdb\x00\x00\x00\x02\xab\xcd", 7},
		{"\x92\xcc\xab\xcc\xcd", 5},
		{"\xdc\x00\x02\xcd\x00\xab\xd1\x00\xcd", 9},
		{"\xdd\x00\x00\x00\x02\xcc\xab\xcc\xcd", 9},
	};
	struct datagram d;
	struct can_frame f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		d = frame_with("data"); /* the last of two equal keys counts */
		put(&d, forms[i].bytes, forms[i].n);
		f = decoded(&d);
		assert_int_equal(f.can_dlc, 2);
		assert_memory_equal(f.data, "\xab\xcd\0\0\0\0\0\0", 8);
	}
	d = frame_with("data");
	PUT(&d, "\xc0");
	assert_int_equal(decoded(&d).can_dlc, 0);
}

static void test_codec_refuses_data_out_of_range(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} forms[] = {
		{"\xc4\x09"
		 "123456789",
		 11},
		{"\x01", 1},
		{"\x91\xcd\x01\x00", 4},
		{"\x91\xff", 2},
		{"\x91\xc3", 2},
		{"\x81\x01\x01", 3},
		{"\xc7\x01\x00\x01", 4},
		{"\xd4\x00\x01", 3},
	};
	struct datagram d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		d = frame_with("data");
		put(&d, forms[i].bytes, forms[i].n);
		assert_int_equal(refusal(&d), -EINVAL);
	}
}

static void test_codec_skips_unknown_keys_of_any_form(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} forms[] = {
		{"\xc0", 1},
		{"\xcb\x00\x00\x00\x00\x00\x00\x00\x00", 9},
		{"\xa3"
		 "abc",
		 4},
		{"\xd9\x03"
		 "abc",
		 5},
		{"\xc4\x03"
		 "abc",
		 5},
		{"\xc7\x03\x05"
		 "abc",
		 6},
		{"\xc8\x00\x03\x05"
		 "abc",
		 7},
		{"\xc9\x00\x00\x00\x03\x05"
		 "abc",
		 9},
		{"\xd4\x05"
		 "a",
		 3},
		{"\xd5\x05"
		 "ab",
		 4},
		{"\xd6\xff"
		 "abcd",
		 6},
		{"\xd7\x05"
		 "abcdefgh",
		 10},
		{"\xd8\x05"
		 "abcdefghabcdefgh",
		 18},
		{"\x93\x01\x91\x90\x82\x01\x02\x03\x80", 9},
		{"\xde\x00\x01\x90\xdc\x00\x02\xc0\xc0", 9},
		{"\xdf\x00\x00\x00\x01\xa1x\xdd\x00\x00\x00\x01\x07", 13},
	};
	static const char *const keys[] = {"is_rx", "channel", "timestamp", "x"};
	struct datagram d;
	struct can_frame f;
	size_t i, k;

	(void)state;
	for (k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
		for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
			d = frame_with(keys[k]);
			put(&d, forms[i].bytes, forms[i].n);
			f = decoded(&d);
			assert_int_equal(f.can_id, 0x123);
			assert_memory_equal(f.data, "\x11\x22\0\0\0\0\0\0", 8);
		}
}

static void test_codec_reads_every_form_of_map_and_keys(void **state)
{
	static const char *const forms[] = {
		"\xde\x00\x01\xd9\x03"
		"dlc",
		"\xdf\x00\x00\x00\x01\xa3"
		"dlc",
		"\x81\xda\x00\x03"
		"dlc",
		"\x81\xdb\x00\x00\x00\x03"
		"dlc",
		"\x81\xc4\x03"
		"dlc",
	};
	static const size_t lengths[] = {8, 9, 7, 9, 6};
	struct datagram d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		d.n = 0;
		put(&d, forms[i], lengths[i]);
		PUT(&d, "\x00");
		assert_int_equal(decoded(&d).can_id, CAN_EFF_FLAG);
	}
	d = map_of(3); /* keys that are no text, among them a nested one */
	PUT(&d, "\x01\x02\x92\x01\x80\x03");
	put_key(&d, "arbitration_id");
	PUT(&d, "\x05");
	assert_int_equal(decoded(&d).can_id, CAN_EFF_FLAG | 5);
}

static void test_codec_missing_keys_take_the_defaults(void **state)
{
	struct datagram d = map_of(0);
	struct can_frame f = decoded(&d);

	(void)state;
	assert_int_equal(f.can_id, CAN_EFF_FLAG);
	assert_int_equal(f.can_dlc, 0);
	d = frame_with("is_rx");
	PUT(&d, "\xc3");
	assert_int_equal(decoded(&d).can_dlc, 2); /* from the data */
}

static void test_codec_remote_frame_has_a_length_and_no_data(void **state)
{
	struct datagram d = map_of(3);
	struct can_frame f;

	(void)state;
	put_key(&d, "dlc");
	PUT(&d, "\x08");
	put_key(&d, "data");
	PUT(&d, "\xc4\x00");
	put_key(&d, "is_remote_frame");
	PUT(&d, "\xc3");
	f = decoded(&d);
	assert_int_equal(f.can_id, CAN_EFF_FLAG | CAN_RTR_FLAG);
	assert_int_equal(f.can_dlc, 8);
	d.b[0] = 0x84;
	put_key(&d, "is_error_frame");
	PUT(&d, "\xc3");
	assert_int_equal(refusal(&d), -EINVAL);
}

static void test_codec_fd_frame_is_told_apart(void **state)
{
	struct datagram d = frame_with("is_fd");

	(void)state;
	PUT(&d, "\xc3");
	assert_int_equal(refusal(&d), -EPROTONOSUPPORT);
}

static void test_codec_every_cut_of_a_datagram_is_refused(void **state)
{
	const struct can_frame f = {.can_id = 0x123, .can_dlc = 8, .data = {1, 2, 3, 4, 5, 6, 7, 8}};
	struct datagram d = {0, {0}}, cut;
	uint8_t *exact;
	size_t n;

	(void)state;
	d.n = can_udp_encode(&f, 1, d.b);
	for (n = 0; n < d.n; n++) {
		cut = d;
		cut.n = n;
		assert_int_equal(refusal(&cut), -EINVAL);
		exact = malloc(n ? n : 1); /* so that the sanitizer sees a read past the end */
		memcpy(exact, d.b, n);
		assert_int_equal(can_udp_decode(exact, n, &(struct can_frame){0}), -EINVAL);
		free(exact);
	}
	d.b[d.n++] = 0xc0; /* and one byte too many */
	assert_int_equal(refusal(&d), -EINVAL);
}

static void test_codec_malformed_is_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} forms[] = {
		{"\xc0", 1},
		{"\x90", 1},
		{"\xc1", 1},
		{"hello", 5},
		{"\x81\xc1\x00", 3},
		{"\x81\x01\xc1", 3},
		{"\x81\x01\xc6\xff\xff\xff\xff", 7},
		{"\x81\x01\xc9\xff\xff\xff\xff\x01", 8},
		{"\x81\x01\xdd\xff\xff\xff\xff", 7},
		{"\x81\x01\xdf\xff\xff\xff\xff\x01", 8},
		{"\xdf\xff\xff\xff\xff", 5},
		{"\xde\xff\xff\x01\x01", 5},
		{"\x81\x01\xcb\x00", 4},
		{"\x81\xa4"
		 "data\x94\x01\x02",
		 9},
	};
	struct datagram d;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		d.n = 0;
		put(&d, forms[i].bytes, forms[i].n);
		assert_int_equal(refusal(&d), -EINVAL);
	}
}

static void test_codec_deep_nesting_costs_nothing(void **state)
{
	struct datagram d = frame_with("x");
	size_t i;

	(void)state;
	for (i = 0; i < 800; i++)
		PUT(&d, "\x91");
	assert_int_equal(refusal(&d), -EINVAL);
	PUT(&d, "\xc0");
	assert_int_equal(decoded(&d).can_id, 0x123);
}

static void test_codec_oversized_is_refused(void **state)
{
	struct datagram d = frame_with("x");
	uint8_t head[3] = {0xc5};
	size_t fill;

	(void)state;
	fill = CAN_UDP_READ_MAX - d.n - 3;
	head[1] = (uint8_t)(fill >> 8);
	head[2] = (uint8_t)fill;
	put(&d, head, 3);
	memset(d.b + d.n, 0, fill + 1);
	d.n += fill;
	assert_int_equal(decoded(&d).can_id, 0x123);
	head[2]++;
	memcpy(d.b + CAN_UDP_READ_MAX - fill - 3, head, 3);
	d.n++;
	assert_int_equal(refusal(&d), -EINVAL);
}

static void test_codec_random_bytes_never_do_harm(void **state)
{
	const struct can_frame f = {.can_id = CAN_EFF_FLAG | 0x123, .can_dlc = 8};
	uint32_t x = 2463534242u; /* fixed seed */
	struct can_frame g;
	struct datagram d;
	unsigned round, i;

	(void)state;
	for (round = 0; round < 20000; round++) {
		d.n = can_udp_encode(&f, 1, d.b);
		for (i = 0; i < 1 + round % 8; i++) {
			x ^= x << 13;
			x ^= x >> 17;
			x ^= x << 5;
			d.b[(x >> 8) % d.n] = (uint8_t)x;
		}
		if (can_udp_decode(d.b, d.n, &g) == 0)
			assert_true(g.can_dlc <= 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codec_round_trip_keeps_every_kind_of_frame),
		cmocka_unit_test(test_codec_writes_the_known_bytes),
		cmocka_unit_test(test_codec_longest_frame_fits_exactly),
		cmocka_unit_test(test_codec_reads_every_form_of_a_number),
		cmocka_unit_test(test_codec_refuses_numbers_out_of_place),
		cmocka_unit_test(test_codec_reads_every_form_of_a_flag),
		cmocka_unit_test(test_codec_reads_every_form_of_data),
		cmocka_unit_test(test_codec_refuses_data_out_of_range),
		cmocka_unit_test(test_codec_skips_unknown_keys_of_any_form),
		cmocka_unit_test(test_codec_reads_every_form_of_map_and_keys),
		cmocka_unit_test(test_codec_missing_keys_take_the_defaults),
		cmocka_unit_test(test_codec_remote_frame_has_a_length_and_no_data),
		cmocka_unit_test(test_codec_fd_frame_is_told_apart),
		cmocka_unit_test(test_codec_every_cut_of_a_datagram_is_refused),
		cmocka_unit_test(test_codec_malformed_is_refused),
		cmocka_unit_test(test_codec_deep_nesting_costs_nothing),
		cmocka_unit_test(test_codec_oversized_is_refused),
		cmocka_unit_test(test_codec_random_bytes_never_do_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
