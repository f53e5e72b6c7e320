/* SPDX-License-Identifier: MIT */
/* Text forms of frames: written, read back, and everything that must be refused. */
#include "lib/core/frame_text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <linux/can/error.h>

#include <cmocka.h>

static struct can_frame frame_of(canid_t id, uint8_t dlc)
{
	struct can_frame f = {.can_id = id, .can_dlc = dlc};
	uint8_t i;

	for (i = 0; i < dlc; i++)
		f.data[i] = (uint8_t)(0x11 * (i + 1));
	return f;
}

static void assert_text(const struct can_frame *f, const char *expected)
{
	char text[FRAME_TEXT_MAX];
	struct can_frame back;
	size_t n = frame_text_write(f, text);

	assert_string_equal(text, expected);
	assert_int_equal(n, strlen(expected));
	assert_int_equal(frame_text_read(text, n, &back), 0);
	assert_memory_equal(&back, f, sizeof(back));
}

static void test_text_each_kind_of_frame_survives_the_round_trip(void **state)
{
	struct can_frame standard = frame_of(0x123, 4);
	struct can_frame extended = frame_of(0x063001 | CAN_EFF_FLAG, 8);
	struct can_frame empty = frame_of(0x7FF, 0);
	struct can_frame remote = {.can_id = 0x123 | CAN_RTR_FLAG, .can_dlc = 3};
	struct can_frame remote0 = {.can_id = 0x123 | CAN_RTR_FLAG};
	struct can_frame error = {.can_id = CAN_ERR_FLAG | CAN_ERR_BUSOFF, .can_dlc = 8};
	struct can_frame raw_dlc = frame_of(0x1FFFFFFF | CAN_EFF_FLAG, 8);

	(void)state;
	raw_dlc.len8_dlc = 15;
	assert_text(&standard, "123#11223344");
	assert_text(&extended, "00063001#1122334455667788");
	assert_text(&empty, "7FF#");
	assert_text(&remote, "123#R3");
	assert_text(&remote0, "123#R");
	assert_text(&error, "20000040#0000000000000000");
	assert_text(&raw_dlc, "1FFFFFFF#1122334455667788_F");
}

static void test_text_dots_and_lower_case_are_read(void **state)
{
	struct can_frame f;

	(void)state;
	assert_int_equal(frame_text_read("1ab#de.ad.be.ef", 15, &f), 0);
	assert_int_equal(f.can_id, 0x1AB);
	assert_int_equal(f.can_dlc, 4);
	assert_int_equal(f.data[3], 0xEF);
}

static void test_text_bad_frames_are_refused_and_leave_the_result_alone(void **state)
{
	static const char *const bad[] = {
		"",
		"#",
		"123",
		"12#11",
		"1234#11",
		"800#11", /* beyond 11 bit */
		"20000000000#11",
		"40000123#11", /* beyond 29 bit, no error flag */
		"60000123#11", /* error flag with another flag */
		"123#1",
		"123#1g",
		"123#112233445566778899",
		"123#11.",
		"123#R9",
		"123#R3x",
		"123##011", /* CAN FD */
		"123#1122334455667788_8",
		"123#11223344556677_9",
		"123#11 ",
		" 123#11",
		"20000040#R",
	};
	struct can_frame f, before;
	size_t i;

	(void)state;
	memset(&before, 0x5A, sizeof(before));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		f = before;
		assert_int_equal(frame_text_read(bad[i], strlen(bad[i]), &f), -EINVAL);
		assert_memory_equal(&f, &before, sizeof(f));
	}
}

static void test_text_length_limit_is_respected(void **state)
{
	struct can_frame f;

	(void)state;
	assert_int_equal(frame_text_read("123#112233", 8, &f), 0);
	assert_int_equal(f.can_dlc, 2);
}

static void assert_log(const char *line, int64_t time_us, const char *channel, const char *frame)
{
	char name[FRAME_CHANNEL_MAX], text[FRAME_TEXT_MAX];
	struct can_frame f;
	int64_t t_us = 0;

	assert_int_equal(frame_log_read(line, strlen(line), &t_us, name, &f), 0);
	assert_true(t_us == time_us);
	assert_string_equal(name, channel);
	frame_text_write(&f, text);
	assert_string_equal(text, frame);
}

static void test_log_line_survives_the_round_trip(void **state)
{
	struct can_frame f = frame_of(0x123, 4);
	char line[FRAME_LOG_LINE_MAX];

	(void)state;
	assert_int_equal(frame_log_write(1436509052249713, "vcan0", &f, line), 38);
	assert_string_equal(line, "(1436509052.249713) vcan0 123#11223344");
	assert_log(line, 1436509052249713, "vcan0", "123#11223344");
	frame_log_write(7, "vcan0", &f, line);
	assert_string_equal(line, "(0000000000.000007) vcan0 123#11223344");
	assert_log(line, 7, "vcan0", "123#11223344");
}

static void test_log_longest_line_fits(void **state)
{
	struct can_frame f = frame_of(0x1FFFFFFF | CAN_EFF_FLAG, 8);
	char line[FRAME_LOG_LINE_MAX];

	(void)state;
	f.len8_dlc = 15;
	assert_true(frame_log_write(INT64_MAX, "a-channel-with-a-name-far-longer-than-allowed", &f, line) <
		    FRAME_LOG_LINE_MAX);
}

static void test_log_forms_of_candump_are_read(void **state)
{
	(void)state;
	assert_log("(1.5) can0 123#R\n", 1500000, "can0", "123#R");
	assert_log("(1.123456789) can0 123#R\r\n", 1123456, "can0", "123#R");
	assert_log("(0000000001.000000) udp 00063001#11 T", 1000000, "udp", "00063001#11");
	assert_log("(1.000000) can0 123#11   R \n", 1000000, "can0", "123#11");
	assert_log("  vcan0  123   [4]  11 22 AA BB", -1, "vcan0", "123#1122AABB");
	assert_log(" (000.100000)  vcan0       123   [2]  11 22\n", 100000, "vcan0", "123#1122");
	assert_log(" (1.000000)  vcan0  TX - -  00063001   [1]  FE", 1000000, "vcan0", "00063001#FE");
	assert_log("  vcan0  RX B E  123   [0]", -1, "vcan0", "123#");
	assert_log("  vcan0  123   [3]  remote request", -1, "vcan0", "123#R3");
	assert_log("  vcan0  123   [2]  41 42                     'AB'", -1, "vcan0", "123#4142");
	assert_log("  vcan0  20000040   [8]  00 00 00 00 00 00 00 00   ERRORFRAME", -1, "vcan0",
		   "20000040#0000000000000000");
}

static void test_log_empty_and_comment_lines_carry_no_data(void **state)
{
	static const char *const lines[] = {"", "\n", "   \t\r\n", "# comment", "  ; comment"};
	char channel[FRAME_CHANNEL_MAX];
	struct can_frame f;
	int64_t t_us;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(frame_log_read(lines[i], strlen(lines[i]), &t_us, channel, &f), -ENODATA);
}

static void test_log_bad_lines_are_refused(void **state)
{
	static const char *const lines[] = {
		"(1436509052.249713)",
		"(1436509052.249713) vcan0",
		"(1436509052) vcan0 123#11",
		"(1436509052.) vcan0 123#11",
		"(.5) vcan0 123#11",
		"(-1.5) vcan0 123#11",
		"(1.0000000000) vcan0 123#11",
		"(1234567890123.5) vcan0 123#11",
		"1436509052.249713 vcan0 123#11",
		"(1.5) vcan0 123#11x",
		"(1.5) vcan0 123#11 X",
		"(1.5) vcan0 123##011",
		"(1.5) a-channel-with-a-name-far-longer-than-allowed 123#11",
		"vcan0 123#11", /* the short form needs its time stamp */
		"  vcan0  123   [9]  11",
		"  vcan0  123   [02]  11 22", /* CAN FD */
		"  vcan0  123   [2]  11",
		"  vcan0  123   [1]  11 22",
		"  vcan0  123   [2]  1122",
		"  vcan0  123   [1]  remote requests",
		"  vcan0  20000004   [8]  remote request",
		"  vcan0  RX",
	};
	char channel[FRAME_CHANNEL_MAX];
	struct can_frame f;
	int64_t t_us;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(frame_log_read(lines[i], strlen(lines[i]), &t_us, channel, &f), -EINVAL);
}

/* Every cut of every good line either parses or is refused; the sanitizers watch the reads. */
static void test_log_cut_lines_never_read_past_their_length(void **state)
{
	static const char *const lines[] = {
		"(1436509052.249713) vcan0 1FFFFFFF#1122334455667788_F T",
		" (1.000000)  vcan0  TX - -  00063001   [8]  11 22 33 44 55 66 77 88",
		"  vcan0  123   [3]  remote request",
	};
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		for (n = 0; n <= strlen(lines[i]); n++) {
			char channel[FRAME_CHANNEL_MAX];
			struct can_frame f;
			int64_t t_us;
			char *copy = test_malloc(n + 1);
			int r;

			memcpy(copy, lines[i], n);
			r = frame_log_read(copy, n, &t_us, channel, &f);
			assert_true(r == 0 || r == -EINVAL || r == -ENODATA);
			test_free(copy);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_each_kind_of_frame_survives_the_round_trip),
		cmocka_unit_test(test_text_dots_and_lower_case_are_read),
		cmocka_unit_test(test_text_bad_frames_are_refused_and_leave_the_result_alone),
		cmocka_unit_test(test_text_length_limit_is_respected),
		cmocka_unit_test(test_log_line_survives_the_round_trip),
		cmocka_unit_test(test_log_longest_line_fits),
		cmocka_unit_test(test_log_forms_of_candump_are_read),
		cmocka_unit_test(test_log_empty_and_comment_lines_carry_no_data),
		cmocka_unit_test(test_log_bad_lines_are_refused),
		cmocka_unit_test(test_log_cut_lines_never_read_past_their_length),
	};

	return cmocka_run_group_tests_name("frame_text", tests, NULL, NULL);
}
