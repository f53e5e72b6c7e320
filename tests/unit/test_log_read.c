/* SPDX-License-Identifier: MIT */
/*
 * The log reader: every form of a line, broken ones, odd places where a buffer ends, pipes.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/can/error.h>

#include "lib/core/frame_text.h"
#include "monitor/log_read.h"
#include "monitor/log_read_parse.h"

#define T0 INT64_C(1436509052249713)

static struct log_reader r;
static struct log_entry e;

static void from_text(const char *text)
{
	log_open_memory(&r, text, strlen(text));
}

/* Reads to the end and returns the number of frames. */
static uint64_t read_all(void)
{
	while (log_next(&r, &e) > 0)
		assert_in_range(e.frame.can_dlc, 0, CAN_MAX_DLEN);
	assert_int_equal(r.stats.n_lines, r.stats.n_frames + r.stats.n_comments + r.stats.n_bad);
	return r.stats.n_frames;
}

/* --- candump ---------------------------------------------------------------------------------------------- */

/* Behind it so much text that the fast path may be taken. */
static void expect_line(const char *line, canid_t id, uint8_t dlc, const char *data)
{
	char text[1024];
	bool is_fast;

	for (unsigned i = 0; i < 2; i++) {
		is_fast = i == 1;
		snprintf(
			text, sizeof(text), "(1436509052.249713) vcan0 000#\n%s\n%s", line,
			is_fast ? "#                                                                                "
				  "                                       \n"
				: "");
		from_text(text);
		assert_int_equal(log_next(&r, &e), 1);
		assert_int_equal(log_next(&r, &e), 1);
		assert_int_equal(e.frame.can_id, id);
		assert_int_equal(e.frame.can_dlc, dlc);
		assert_memory_equal(e.frame.data, data, dlc);
		assert_int_equal(e.time_us, T0);
		assert_string_equal(log_channel(&r, e.channel), "vcan0");
		assert_int_equal(e.line, 2);
		assert_int_equal(log_next(&r, &e), 0);
	}
}

static void test_candump_line_forms_are_the_frame(void **state)
{
	(void)state;
	expect_line("(1436509052.249713) vcan0 123#", 0x123, 0, "");
	expect_line("(1436509052.249713) vcan0 7ff#a1", 0x7FF, 1, "\xa1");
	expect_line("(1436509052.249713) vcan0 123#1122AABBCCDDEEFF", 0x123, 8,
		    "\x11\x22\xaa\xbb\xcc\xdd\xee\xff");
	expect_line("(1436509052.249713) vcan0 0106B203#0CE80300", 0x0106B203 | CAN_EFF_FLAG, 4,
		    "\x0c\xe8\x03\x00");
	expect_line("(1436509052.249713) vcan0 1FFFFFFF#0CE8030001\r", CAN_EFF_MASK | CAN_EFF_FLAG, 5,
		    "\x0c\xe8\x03\x00\x01");
	expect_line("(1436509052.249713)  vcan0   123#11.22", 0x123, 2, "\x11\x22");
	expect_line("(1436509052.249713) vcan0 123#R5", 0x123 | CAN_RTR_FLAG, 5, "\0\0\0\0\0");
	expect_line("(1436509052.249713) vcan0 20000040#0000000000000000", CAN_ERR_FLAG | CAN_ERR_BUSOFF, 8,
		    "\0\0\0\0\0\0\0\0");
	expect_line(" (1436509052.249713)  vcan0  123   [2]  11 22", 0x123, 2, "\x11\x22");
	expect_line(" (1436509052.249713)  vcan0  RX - -  00000123   [2]  11 22", 0x123 | CAN_EFF_FLAG, 2,
		    "\x11\x22");
}

static void test_candump_direction_is_kept(void **state)
{
	(void)state;
	expect_line("(1436509052.249713) vcan0 123#11 R", 0x123, 1, "\x11");
	from_text("(1.000000) a 001#11 T\n(1.000000) a 001#R T\n(1.000000) a 001#\n");
	assert_int_equal(log_next(&r, &e), 1);
	assert_int_equal(e.direction, 'T');
	assert_int_equal(log_next(&r, &e), 1);
	assert_int_equal(e.direction, 'T');
	assert_int_equal(log_next(&r, &e), 1);
	assert_int_equal(e.direction, 0);
}

/* One changed character at a time: the fast path takes only what the general parser reads the same way. */
static void test_fast_path_mutated_line_agrees_with_general_parser(void **state)
{
	static const char good[] = "(1436509052.249713) vcan0 0106B203#0CE80300AA\n";
	char text[sizeof(good) + LOG_FAST_ROOM];
	size_t n_taken = 0;

	(void)state;
	for (size_t at = 0; at < sizeof(good) - 1; at++) {
		for (unsigned c = 0; c < 256; c++) {
			struct log_entry fast = {0};
			char name[FRAME_CHANNEL_MAX];
			struct can_frame f;
			int64_t time_us;
			size_t n;

			memset(text, '\n', sizeof(text));
			memcpy(text, good, sizeof(good) - 1);
			text[at] = (char)c;
			log_open_memory(&r, text, sizeof(text));
			assert_int_equal(log_channel_of(&r, "vcan0"), 0);
			n = log_fast_read(&r, text, &fast);
			if (!n)
				continue;
			n_taken++;
			assert_int_equal(frame_log_read(text, n, &time_us, name, &f), 0);
			assert_int_equal(time_us, fast.time_us);
			assert_string_equal(name, "vcan0");
			assert_memory_equal(&f, &fast.frame, sizeof(f));
		}
	}
	/* Digits of time, of the identifier (its first may be 0 or 1) and of the data in both cases, at least. */
	assert_in_range(n_taken, 16 * 10 + 7 * 22 + 2 + 10 * 22, sizeof(good) * 40);
}

static void test_candump_times_without_stamp_are_those_of_the_line_before(void **state)
{
	(void)state;
	from_text(
		"  vcan0  123   [1]  11\n (000000002.500000)  vcan0  123   [1]  11\n  vcan0  123   [1]  11\n");
	assert_int_equal(log_next(&r, &e), 1);
	assert_int_equal(e.time_us, 0);
	assert_int_equal(log_next(&r, &e), 1);
	assert_int_equal(e.time_us, 2500000);
	assert_int_equal(log_next(&r, &e), 1);
	assert_int_equal(e.time_us, 2500000);
}

static void test_candump_date_stamps_are_local_time(void **state)
{
	(void)state;
	from_text(" (2015-07-10 06:17:32.249713)  vcan0  123   [1]  11\n");
	assert_int_equal(log_next(&r, &e), 1);
	assert_int_equal(e.time_us, T0);
}

static void test_candump_broken_lines_are_counted_with_numbers(void **state)
{
	(void)state;
	from_text("(1436509052.249713) vcan0 123#1122\n"
		  "(1436509052.24971\n"
		  "\n"
		  "# a word\n"
		  "(1436509052.249713) vcan0 123##1112233\n"
		  "  vcan0  123  [12]  00 11 22 33 44 55 66 77 88 99 AA BB\n"
		  "(1436509052.249714) vcan0 123#1122");
	assert_int_equal(read_all(), 2);
	assert_int_equal(r.stats.n_lines, 7);
	assert_int_equal(r.stats.n_comments, 2);
	assert_int_equal(r.stats.n_bad, 3);
	assert_int_equal(r.stats.bad_line[0], 2);
	assert_string_equal(r.stats.bad_reason[0], "not a frame");
	assert_int_equal(r.stats.bad_line[1], 5);
	assert_string_equal(r.stats.bad_reason[1], "not classic CAN: a CAN FD frame");
	assert_int_equal(r.stats.bad_line[2], 6);
	assert_string_equal(r.stats.bad_reason[2], "not classic CAN: a CAN FD frame");
}

static void test_candump_lost_frames_go_to_the_next_one(void **state)
{
	(void)state;
	from_text(
		"(1.000000) a 001#\n# 7 frames lost before the next one\n# 1 frame lost before the next one\n"
		"(2.000000) a 001#\n# 3 frames in all\n(3.000000) a 001#\n");
	assert_int_equal(log_next(&r, &e), 1);
	assert_int_equal(e.n_lost, 0);
	assert_int_equal(log_next(&r, &e), 1);
	assert_int_equal(e.n_lost, 8);
	assert_int_equal(log_next(&r, &e), 1);
	assert_int_equal(e.n_lost, 0);
	assert_int_equal(log_next(&r, &e), 0);
	assert_int_equal(r.stats.n_lost, 8);
}

static void test_candump_time_that_goes_back_is_counted_and_kept(void **state)
{
	(void)state;
	from_text("(2.000000) a 001#\n(1.000000) a 001#\n(1.000000) a 001#\n");
	assert_int_equal(log_next(&r, &e), 1);
	assert_int_equal(log_next(&r, &e), 1);
	assert_int_equal(e.time_us, 1000000);
	assert_int_equal(read_all(), 3);
	assert_int_equal(r.stats.n_backwards, 1);
}

static void test_channels_too_many_are_broken_lines(void **state)
{
	static char text[64 * 40];
	size_t n = 0;

	(void)state;
	for (unsigned i = 0; i < 40; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "(1436509052.249713) can%u 123#1122\n", i);
	from_text(text);
	assert_int_equal(read_all(), LOG_MAX_CHANNELS);
	assert_int_equal(r.stats.n_bad, 40 - LOG_MAX_CHANNELS);
	assert_string_equal(log_channel(&r, 31), "can31");
	assert_string_equal(log_channel(&r, 32), "");
}

/* --- ASC -------------------------------------------------------------------------------------------------- */

static const char asc[] =
	"date Fri Jul 10 06:17:32.249 am 2015\r\n"
	"base hex  timestamps absolute\r\n"
	"internal events logged\r\n"
	"// version 8.1.0\r\n"
	"Begin Triggerblock Fri Jul 10 06:17:32.249 am 2015\r\n"
	"   0.000000 Start of measurement\r\n"
	"   0.015991 CAN 1 Status:chip status error active\r\n"
	"   0.015992 1  Statistic: D 0 R 0 XD 0 XR 0 E 0 O 0 B 0.00%\r\n"
	"   0.100713 1  36             Rx   d 8 00 11 22 33 44 55 66 FF  Length = 0 BitCount = 64\r\n"
	"   0.200000 2  18EBFF00x      Tx   d 2 01 A0\r\n"
	"   0.300000 1  300            Rx   r\r\n"
	"   0.300001 1  300            TxRq r\r\n"
	"   0.300002 1  300            Tx   r 4\r\n"
	"   0.400000 1  ErrorFrame\tECC: 10100010\r\n"
	"// 5 frames lost before the next one\r\n"
	"   0.500000 1  36             Rx   d 1 0\r\n"
	"End TriggerBlock\r\n";

static void expect_asc(int64_t time_us, canid_t id, uint8_t dlc, char direction, const char *channel)
{
	assert_int_equal(log_next(&r, &e), 1);
	assert_int_equal(e.time_us, time_us);
	assert_int_equal(e.frame.can_id, id);
	assert_int_equal(e.frame.can_dlc, dlc);
	assert_int_equal(e.direction, direction);
	assert_string_equal(log_channel(&r, e.channel), channel);
}

static void test_asc_frames_and_events_are_told_apart(void **state)
{
	const int64_t base_us = INT64_C(1436509052249000);

	(void)state;
	from_text(asc);
	expect_asc(base_us + 100713, 0x36, 8, 'R', "can0");
	assert_memory_equal(e.frame.data, "\x00\x11\x22\x33\x44\x55\x66\xff", 8);
	expect_asc(base_us + 200000, 0x18EBFF00 | CAN_EFF_FLAG, 2, 'T', "can1");
	expect_asc(base_us + 300000, 0x300 | CAN_RTR_FLAG, 0, 'R', "can0");
	expect_asc(base_us + 300002, 0x300 | CAN_RTR_FLAG, 4, 'T', "can0");
	expect_asc(base_us + 400000, CAN_ERR_FLAG | CAN_ERR_PROT, 8, 0, "can0");
	expect_asc(base_us + 500000, 0x36, 1, 'R', "can0");
	assert_int_equal(e.n_lost, 5);
	assert_int_equal(read_all(), 6);
	assert_int_equal(r.stats.n_bad, 0);
	assert_int_equal(r.format, LOG_ASC);
}

static void test_asc_decimal_and_relative_are_followed(void **state)
{
	(void)state;
	from_text("base dec  timestamps relative\n0.5 1 256 Rx d 2 10 255\n0.25 Start of measurement\n"
		  "0.5 1 418119424x Rx d 0\n");
	expect_asc(500000, 0x100, 2, 'R', "can0");
	assert_memory_equal(e.frame.data, "\x0a\xff", 2);
	expect_asc(1250000, 0x18EBFF00 | CAN_EFF_FLAG, 0, 'R', "can0");
	assert_int_equal(read_all(), 2);
}

static void test_asc_dates_of_many_tools_are_read(void **state)
{
	static const char *const dates[] = {
		"date Fri Jul 10 06:17:32.249 2015",
		"date Fri Jul 10 06:17:32.249 am 2015",
		"date Fr Jul 10 06:17:32.249000 2015",
		"date Fri jul 10 06:17:32.249 AM 2015",
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		snprintf(text, sizeof(text), "%s\nbase hex timestamps absolute\n1.0 1 1 Rx d 0\n", dates[i]);
		from_text(text);
		assert_int_equal(log_next(&r, &e), 1);
		assert_int_equal(e.time_us, INT64_C(1436509053249000));
	}
	from_text("date Fri Okt 32 06:17:32.249 2015\nbase hex timestamps absolute\n1.0 1 1 Rx d 0\n");
	assert_int_equal(log_next(&r, &e), 1);
	assert_int_equal(e.time_us, 1000000);
}

static void test_asc_broken_lines_are_counted(void **state)
{
	(void)state;
	from_text("base hex  timestamps absolute\n"
		  "0.1 1 36 Rx d 8 00 11\n"
		  "0.1 1 36 Rx\n"
		  "0.1 1 1000 Rx d 0\n"
		  "0.1 1 Engine_Speed Rx d 0\n"
		  "0.1 1 36 Xx d 0\n"
		  "0.1 0 36 Rx d 0\n"
		  "0,1 1 36 Rx d 0\n"
		  "0.1 CANFD 1 Rx 36 0 0 8 8 00 11 22 33 44 55 66 77\n"
		  "nonsense\n"
		  "0.1 1 36 Rx d 1 100\n");
	assert_int_equal(read_all(), 0);
	assert_int_equal(r.stats.n_bad, 10);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(r.stats.bad_line[i], i + 2);
	assert_string_equal(r.stats.bad_reason[7], "not classic CAN: a CAN FD frame");
}

/* --- files ------------------------------------------------------------------------------------------------ */

static char *make_file(const char *text, size_t n)
{
	static char path[64];
	int fd;

	strcpy(path, "/tmp/test_log_read.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	close(fd);
	return path;
}

/* Three buffers of lines of many lengths, among them one that fits no buffer: none is lost or read twice. */
static void test_file_lines_across_buffers_are_whole(void **state)
{
	size_t size = 4 * LOG_BUFFER_SIZE, n = 0;
	char *text = malloc(size), *path;
	char err[200];
	uint64_t n_lines = 0;

	(void)state;
	assert_non_null(text);
	for (; n < 3 * LOG_BUFFER_SIZE; n_lines++)
		n += (size_t)snprintf(text + n, size - n, "(%010u.%06u) vcan0 %s#%.*s\n",
				      (unsigned)n_lines / 1000, (unsigned)n_lines % 1000,
				      n_lines % 3 ? "123" : "01063000", (int)(n_lines % 9 * 2),
				      "1122334455667788");
	path = make_file(text, n);
	assert_int_equal(log_open(&r, path, err, sizeof(err)), 0);
	assert_int_equal(log_size(&r), n);
	for (uint64_t i = 0; i < n_lines; i++) {
		assert_int_equal(log_next(&r, &e), 1);
		assert_int_equal(e.time_us, i / 1000 * 1000000 + i % 1000);
		assert_int_equal(e.frame.can_dlc, i % 9);
		assert_int_equal(e.line, i + 1);
	}
	assert_int_equal(log_next(&r, &e), 0);
	assert_int_equal(log_position(&r), n);
	assert_int_equal(log_rewind(&r), 0);
	assert_int_equal(read_all(), n_lines);
	log_close(&r);
	unlink(path);
	free(text);
}

static void test_file_line_longer_than_the_buffer_is_one_broken_line(void **state)
{
	static const char head[] = "(1.000000) a 001#\n", tail[] = "\n(2.000000) a 001#\n";
	size_t size = 3 * LOG_BUFFER_SIZE;
	char *text = malloc(size), *path;
	char err[200];

	(void)state;
	assert_non_null(text);
	for (unsigned is_last = 0; is_last < 2; is_last++) {
		memset(text, 'x', size);
		memcpy(text, head, sizeof(head) - 1);
		if (!is_last)
			memcpy(text + size - sizeof(tail) + 1, tail, sizeof(tail) - 1);
		path = make_file(text, size);
		assert_int_equal(log_open(&r, path, err, sizeof(err)), 0);
		assert_int_equal(read_all(), is_last ? 1 : 2);
		assert_int_equal(r.stats.n_bad, 1);
		assert_int_equal(r.stats.bad_line[0], 2);
		log_close(&r);
		unlink(path);
	}
	free(text);
}

static void test_file_of_another_kind_is_refused_with_its_name(void **state)
{
	static const struct {
		const char *text;
		const char *word;
	} kinds[] = {{"LOGG\x90", "BLF"},
		     {"\x1f\x8b\x08", "zcat"},
		     {"\x28\xb5\x2f\xfd", "zstdcat"},
		     {"BZh9", "bzcat"}};
	char err[200];

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char *path = make_file(kinds[i].text, strlen(kinds[i].text));

		assert_int_equal(log_open(&r, path, err, sizeof(err)), -EPROTONOSUPPORT);
		assert_non_null(strstr(err, kinds[i].word));
		unlink(path);
	}
	assert_int_equal(log_open(&r, "/nonexistent/log", err, sizeof(err)), -ENOENT);
	assert_int_equal(log_open(&r, "/tmp", err, sizeof(err)), -EISDIR);
}

static void test_file_empty_ends_at_once(void **state)
{
	char *path = make_file("", 0);
	char err[200];

	(void)state;
	assert_int_equal(log_open(&r, path, err, sizeof(err)), 0);
	assert_int_equal(read_all(), 0);
	assert_int_equal(r.stats.n_lines, 0);
	log_close(&r);
	unlink(path);
}

/* A pipe hands out what is there: half a line waits for its other half, a whole one does not wait. */
static void test_pipe_line_is_read_when_it_is_whole(void **state)
{
	static const char first[] = "(1.000000) a 001#11\n(2.000000) a 0", second[] = "02#22\n";
	int fd[2], saved = dup(STDIN_FILENO);
	char err[200];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(write(fd[1], first, sizeof(first) - 1), sizeof(first) - 1);
	assert_int_equal(dup2(fd[0], STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(log_open(&r, "-", err, sizeof(err)), 0);
	assert_int_equal(log_next(&r, &e), 1);
	assert_int_equal(write(fd[1], second, sizeof(second) - 1), sizeof(second) - 1);
	close(fd[1]);
	assert_int_equal(log_next(&r, &e), 1);
	assert_int_equal(e.frame.can_id, 2);
	assert_int_equal(log_next(&r, &e), 0);
	assert_int_equal(log_rewind(&r), -ESPIPE);
	log_close(&r);
	dup2(saved, STDIN_FILENO);
	close(saved);
	close(fd[0]);
}

static void test_tell_bad_names_lines_and_sum(void **state)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	(void)state;
	from_text("x\n(1.000000) a 001#\ny\n");
	read_all();
	log_tell_bad(&r, "bus-log", out);
	fclose(out);
	assert_string_equal(text, "bus-log: line 1: not a frame\nbus-log: line 3: not a frame\n"
				  "bus-log: 2 of 3 lines could not be read\n");
	free(text);
}

static void test_tell_bad_log_that_ends_within_a_line(void **state)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	(void)state;
	from_text("(1.000000) a 001#\n(2.000000) a 001#11"); /* the rest of the data is not there yet */
	assert_int_equal(read_all(), 2);
	log_tell_bad(&r, "bus-log", out);
	from_text("(1.000000) a 001#\n");
	read_all();
	log_tell_bad(&r, "bus-log", out);
	fclose(out);
	assert_string_equal(text, "bus-log: line 2 has no end: cut off, or still being written\n");
	free(text);
}

/* Each is a time that there is; together they are none. */
static void test_asc_relative_times_do_not_add_up_for_ever(void **state)
{
	char text[8192] = "base hex  timestamps relative\n";

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		strcat(text, "99999999999.0 1 1 Rx d 0\n");
	from_text(text);
	assert_in_range(read_all(), 1, 10);
	assert_true(e.time_us > 0);
	assert_string_equal(r.stats.bad_reason[0], "not a time");
}

static void test_dates_without_a_zone_are_known_as_local(void **state)
{
	(void)state;
	from_text("date Fri Jul 10 06:17:32.249 2015\nbase hex timestamps absolute\n1.0 1 1 Rx d 0\n");
	assert_int_equal(read_all(), 1);
	assert_true(r.is_local);
	from_text("(2015-07-10 06:17:32.249713)  can0  001   [0]\n");
	assert_int_equal(read_all(), 1);
	assert_true(r.is_local);
	from_text("(1436509052.249713) can0 001#\n");
	assert_int_equal(read_all(), 1);
	assert_false(r.is_local);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_candump_line_forms_are_the_frame),
		cmocka_unit_test(test_candump_direction_is_kept),
		cmocka_unit_test(test_fast_path_mutated_line_agrees_with_general_parser),
		cmocka_unit_test(test_candump_times_without_stamp_are_those_of_the_line_before),
		cmocka_unit_test(test_candump_date_stamps_are_local_time),
		cmocka_unit_test(test_candump_broken_lines_are_counted_with_numbers),
		cmocka_unit_test(test_candump_lost_frames_go_to_the_next_one),
		cmocka_unit_test(test_candump_time_that_goes_back_is_counted_and_kept),
		cmocka_unit_test(test_channels_too_many_are_broken_lines),
		cmocka_unit_test(test_asc_frames_and_events_are_told_apart),
		cmocka_unit_test(test_asc_decimal_and_relative_are_followed),
		cmocka_unit_test(test_asc_dates_of_many_tools_are_read),
		cmocka_unit_test(test_asc_broken_lines_are_counted),
		cmocka_unit_test(test_file_lines_across_buffers_are_whole),
		cmocka_unit_test(test_file_line_longer_than_the_buffer_is_one_broken_line),
		cmocka_unit_test(test_file_of_another_kind_is_refused_with_its_name),
		cmocka_unit_test(test_file_empty_ends_at_once),
		cmocka_unit_test(test_pipe_line_is_read_when_it_is_whole),
		cmocka_unit_test(test_tell_bad_names_lines_and_sum),
		cmocka_unit_test(test_tell_bad_log_that_ends_within_a_line),
		cmocka_unit_test(test_asc_relative_times_do_not_add_up_for_ever),
		cmocka_unit_test(test_dates_without_a_zone_are_known_as_local),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
