/* SPDX-License-Identifier: MIT */
/*
 * The parts of bus-log: numbers as text, times and lists on the command line, counts, files put aside, stretches of
 * time, decoded lines.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "evse_msgs.h"
#include "lib/core/frame_text.h"
#include "monitor/bus_log_args.h"
#include "monitor/bus_log_count.h"
#include "monitor/bus_log_filter.h"
#include "monitor/bus_log_find.h"
#include "monitor/bus_log_half.h"
#include "monitor/bus_log_print.h"
#include "monitor/bus_log_rotate.h"
#include "pev_msgs.h"

/* --- numbers ---------------------------------------------------------------------------------------------- */

static void expect_text(const char *begin, const char *end, const char *text)
{
	assert_int_equal(end - begin, strlen(text));
	assert_memory_equal(begin, text, strlen(text));
}

static void test_numbers_are_exact_decimals(void **state)
{
	char t[64];

	(void)state;
	expect_text(t, put_decimal(t, 4016, 1), "401.6");
	expect_text(t, put_decimal(t, 4000, 1), "400");
	expect_text(t, put_decimal(t, -5, 2), "-0.05");
	expect_text(t, put_decimal(t, 0, 3), "0");
	expect_text(t, put_decimal(t, 1000001, 6), "1.000001");
	expect_text(t, put_signed(t, INT64_MIN), "-9223372036854775808");
	expect_text(t, put_unsigned(t, UINT64_MAX), "18446744073709551615");
	expect_text(t, put_unsigned(t, 1000000000), "1000000000");
	expect_text(t, put_seconds(t, 1436509052249713, 10), "1436509052.249713");
	expect_text(t, put_seconds(t, 1500000, 10), "0000000001.500000");
	expect_text(t, put_seconds(t, -1, 1), "-0.000001");
	expect_text(t, put_id(t, 0x7F), "07F");
	expect_text(t, put_id(t, 0x106B000 | CAN_EFF_FLAG), "0106B000");
	expect_text(t, put_id(t, CAN_ERR_FLAG | 0x40), "20000040");
}

/* --- command lines ---------------------------------------------------------------------------------------- */

static void expect_time(const char *text, bool is_relative, int64_t us)
{
	struct arg_time t;

	assert_int_equal(args_time(text, &t), 0);
	assert_true(t.is_set);
	assert_int_equal(t.is_relative, is_relative);
	assert_int_equal(t.us, us);
}

static void test_times_of_all_forms_are_read(void **state)
{
	static const char *const bad[] = {"x",	"1.5s", "-1", ".", "2026-11-20T", "2026-11-20T14:05:33.5z",
					  "1e3"};
	struct arg_time t;

	(void)state;
	expect_time("0", true, 0);
	expect_time("12.5", true, 12500000);
	expect_time("12.5000009", true, 12500000);
	expect_time("1436509052.249713", false, 1436509052249713);
	expect_time("2015-07-10T06:17:32.249713Z", false, 1436509052249713);
	expect_time("2015-07-10 06:17:32", false, 1436509052000000);
	expect_time("2015-07-10T06:17", false, 1436509020000000);
	expect_time("2015-07-10", false, 1436486400000000);
	assert_int_equal(args_time("", &t), 0);
	assert_false(t.is_set);
	assert_int_equal(args_time_us(&t, 7, 99), 99);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(args_time(bad[i], &t), -EINVAL);
}

static void test_span_counts_from_the_first_frame(void **state)
{
	struct arg_span s = {.from = {true, true, 1000000}, .to = {true, false, 12000000}};

	(void)state;
	assert_int_equal(args_span_place(&s, 10000000), -1);
	assert_int_equal(args_span_place(&s, 10999999), -1);
	assert_int_equal(args_span_place(&s, 11000000), 0);
	assert_int_equal(args_span_place(&s, 12000000), 0);
	assert_int_equal(args_span_place(&s, 12000001), 1);
}

static void test_filter_takes_identifiers_masks_and_names(void **state)
{
	const struct arg_list list = {{"123,0106B000", "200:7F0", "power_modules_status"}, 3};
	struct id_filter f;
	char err[160];

	(void)state;
	assert_int_equal(filter_take(&f, &list, err, sizeof(err)), 0);
	assert_true(filter_fits(&f, 0x123));
	assert_false(filter_fits(&f, 0x123 | CAN_EFF_FLAG));
	assert_true(filter_fits(&f, 0x106B000 | CAN_EFF_FLAG));
	assert_false(filter_fits(&f, 0x206B000 | CAN_EFF_FLAG));
	assert_true(filter_fits(&f, 0x20F));
	assert_false(filter_fits(&f, 0x210));
	assert_int_equal(filter_take(&f, &(const struct arg_list){{"EVSE_Information"}, 1}, err, sizeof(err)),
			 0);
	assert_true(filter_fits(&f, 0x600) && filter_fits(&f, 0x600 | CAN_EFF_FLAG));
	assert_false(filter_fits(&f, 0x601) || filter_fits(&f, 0x1000600 | CAN_EFF_FLAG));
	assert_int_equal(filter_take(&f, &list, err, sizeof(err)), 0);
	/* By name: of every point. */
	assert_true(filter_fits(&f, 0x0063000 | CAN_EFF_FLAG));
	assert_true(filter_fits(&f, 0xF063000 | CAN_EFF_FLAG));
	assert_false(filter_fits(&f, 0x123 | CAN_ERR_FLAG));
}

static void test_filter_refuses_what_is_neither(void **state)
{
	static const char *const bad[] = {"", "xyz", "800", "123:", "123:800", "20000000", "123,", "123 "};
	struct id_filter f;
	char err[160];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct arg_list list = {{bad[i]}, 1};

		assert_int_equal(filter_take(&f, &list, err, sizeof(err)), -EINVAL);
		assert_non_null(strstr(err, "nor the name of a message"));
	}
}

static void test_half_knows_who_sends_what(void **state)
{
	struct id_filter f = {.n = 0};

	(void)state;
	assert_int_equal(half_filter(&f, MON_EVSE, MON_MODULE), 0);
	assert_true(filter_fits(&f, evse_layouts[0][EVSE_DC_POWER_CONTROL].id));
	assert_true(filter_fits(&f, evse_layouts[0][EVSE_DC_POWER_CONTROL].id | 0x2000000));
	assert_false(filter_fits(&f, evse_layouts[0][EVSE_POWER_MODULES_STATUS].id));
	f.n = 0;
	assert_int_equal(half_filter(&f, MON_PEV, MON_CONTROLLER), 0);
	assert_true(filter_fits(&f, pev_layouts[PEV_N_VERSIONS - 1][PEV_DC_STATUS1].id));
	assert_false(filter_fits(&f, pev_layouts[PEV_N_VERSIONS - 1][PEV_EVSE_INFORMATION].id));
}

/* --- files put aside -------------------------------------------------------------------------------------- */

static void test_rotation_sizes_and_times_are_read(void **state)
{
	uint64_t bytes = 7;
	int64_t us = 7;

	(void)state;
	assert_int_equal(rotate_parse_size("100M", &bytes), 0);
	assert_int_equal(bytes, 100 << 20);
	assert_int_equal(rotate_parse_size("17", &bytes), 0);
	assert_int_equal(bytes, 17);
	assert_int_equal(rotate_parse_time("2h", &us), 0);
	assert_int_equal(us, INT64_C(7200000000));
	assert_int_equal(rotate_parse_size("100MB", &bytes), -EINVAL);
	assert_int_equal(rotate_parse_size("M", &bytes), -EINVAL);
	assert_int_equal(rotate_parse_size("-1", &bytes), -EINVAL);
	assert_int_equal(rotate_parse_size("9999999999G", &bytes), -ERANGE);
	assert_int_equal(bytes, 17);
	assert_int_equal(rotate_parse_time("99999999d", &us), -ERANGE);
}

static void write_number(const struct rotate_file *f, char number)
{
	assert_int_equal(write(f->fd, &number, 1), 1);
}

static char read_number(const char *path, const char *suffix)
{
	char name[200], c = 0;
	FILE *in;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	in = fopen(name, "r");
	if (!in)
		return 0;
	assert_int_equal(fread(&c, 1, 1, in), 1);
	fclose(in);
	return c;
}

static void test_rotation_newest_has_smallest_number_and_oldest_goes(void **state)
{
	char dir[] = "/tmp/test_rotate.XXXXXX", path[64], name[80];
	struct rotate_file f;
	int old_fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/log", dir);
	const struct rotate_cfg cfg = {path, 1, 0, 2};
	assert_int_equal(rotate_open(&f, &cfg, false, 0), 0);
	write_number(&f, '1');
	for (char c = '2'; c <= '4'; c++) {
		assert_int_equal(rotate_turn(&f, 0, &old_fd), 0);
		close(old_fd);
		write_number(&f, c);
	}
	assert_int_equal(read_number(path, ""), '4');
	assert_int_equal(read_number(path, ".1"), '3');
	assert_int_equal(read_number(path, ".2"), '2');
	assert_int_equal(read_number(path, ".3"), 0);
	close(f.fd);
	/* A new start empties nothing. */
	assert_int_equal(rotate_open(&f, &cfg, false, 0), 0);
	assert_int_equal(read_number(path, ".1"), '4');
	assert_int_equal(f.bytes, 0);
	close(f.fd);
	for (const char *const *s = (const char *const[]){"", ".1", ".2", NULL}; *s; s++) {
		snprintf(name, sizeof(name), "%s%s", path, *s);
		unlink(name);
	}
	rmdir(dir);
}

static void test_rotation_is_due_by_size_or_age_but_not_empty(void **state)
{
	struct rotate_file f = {.cfg = {"x", 100, 1000, 1}, .bytes = 99, .opened_us = 5000};

	(void)state;
	assert_false(rotate_is_due(&f, 5999));
	assert_true(rotate_is_due(&f, 6000));
	f.bytes = 100;
	assert_true(rotate_is_due(&f, 5000));
	f.bytes = 0;
	assert_false(rotate_is_due(&f, 9000));
}

/* A crash cut the last line off: the next one does not continue it. And a file that somebody took away is no loss. */
static void test_rotation_appends_whole_lines_and_bears_a_file_taken_away(void **state)
{
	char dir[] = "/tmp/test_rotate.XXXXXX", path[64], name[80], text[8] = "";
	struct rotate_file f;
	int old_fd, fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/log", dir);
	const struct rotate_cfg cfg = {path, 0, 0, 2};
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(rotate_open(&f, &cfg, true, 0), 0);
		write_number(&f, (char)('1' + i));
		if (i == 1)
			assert_int_equal(write(f.fd, "\n", 1), 1);
		close(f.fd);
	}
	assert_int_equal(f.bytes, 4);
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, text, sizeof(text) - 1), 5);
	close(fd);
	assert_string_equal(text, "1\n2\n3");
	assert_int_equal(rotate_open(&f, &cfg, true, 0), 0);
	unlink(path);
	assert_int_equal(rotate_turn(&f, 0, &old_fd), 0);
	close(old_fd);
	write_number(&f, '4');
	close(f.fd);
	assert_int_equal(read_number(path, ""), '4');
	for (const char *const *s = (const char *const[]){"", ".1", NULL}; *s; s++) {
		snprintf(name, sizeof(name), "%s%s", path, *s);
		unlink(name);
	}
	rmdir(dir);
}

/* --- counts and stretches --------------------------------------------------------------------------------- */

static struct log_entry entry(int64_t time_us, canid_t id, uint8_t dlc)
{
	struct log_entry e = {.time_us = time_us, .frame = {.can_id = id, .can_dlc = dlc}};

	return e;
}

static void count(struct counts *c, int64_t time_us, canid_t id, uint8_t dlc)
{
	struct log_entry e = entry(time_us, id, dlc);

	count_entry(c, &e);
}

static void test_count_periods_of_each_identifier(void **state)
{
	struct counts c;

	(void)state;
	count_init(&c);
	count(&c, 0, 0x200, 8);
	count(&c, 100, 0x100, 2);
	count(&c, 100000, 0x200, 8);
	count(&c, 220000, 0x200, 4);
	count(&c, 210000, 0x200, 4); /* back: no distance */
	count(&c, 300000, CAN_ERR_FLAG | 4, 8);
	count_end(&c);
	assert_int_equal(c.n_ids, 2);
	assert_int_equal(c.n_frames, 5);
	assert_int_equal(c.n_errors, 1);
	assert_int_equal(c.id[0].id, 0x100);
	assert_int_equal(c.id[0].n_gaps, 0);
	assert_int_equal(c.id[1].n, 4);
	assert_int_equal(c.id[1].n_gaps, 2);
	assert_int_equal(c.id[1].gap_min_us, 100000);
	assert_int_equal(c.id[1].gap_max_us, 120000);
	assert_float_equal(count_mean_us(&c.id[1]), 110000, 0.01);
	assert_float_equal(count_jitter_us(&c.id[1]), 10000, 0.01);
	assert_int_equal(c.id[1].dlc_min, 4);
	assert_int_equal(c.id[1].dlc_max, 8);
	/* 11-bit frames: 47 bits with what follows, and the data. */
	assert_int_equal(c.bits, 5 * 47 + 8 * (8 + 2 + 8 + 4 + 4));
	count_free(&c);
}

static void test_count_many_identifiers_keep_apart(void **state)
{
	struct counts c;

	(void)state;
	count_init(&c);
	for (unsigned k = 0; k < 2; k++)
		for (canid_t id = 0; id < 20000; id++)
			count(&c, k * 1000, id * 37 | CAN_EFF_FLAG, 0);
	count_end(&c);
	assert_int_equal(c.n_ids, 20000);
	for (size_t i = 0; i < c.n_ids; i++) {
		assert_int_equal(c.id[i].id, i * 37 | CAN_EFF_FLAG);
		assert_int_equal(c.id[i].n, 2);
	}
	assert_int_equal(c.peak_frames, 40000);
	count_free(&c);
}

static void test_stretches_that_touch_become_one(void **state)
{
	struct stretches s = {0};
	size_t hint = 0;

	(void)state;
	stretches_add(&s, 50, 60);
	stretches_add(&s, 10, 20);
	stretches_add(&s, 15, 30);
	stretches_add(&s, 100, INT64_MAX);
	stretches_merge(&s);
	assert_int_equal(s.n, 3);
	assert_false(stretches_have(&s, 9, &hint));
	assert_true(stretches_have(&s, 10, &hint));
	assert_true(stretches_have(&s, 30, &hint));
	assert_false(stretches_have(&s, 31, &hint));
	assert_true(stretches_have(&s, 50, &hint));
	assert_true(stretches_have(&s, 1000, &hint));
	assert_true(stretches_have(&s, 12, &hint)); /* a time that goes back */
	stretches_free(&s);
	hint = 0;
	assert_false(stretches_have(&s, 0, &hint));
}

static void test_find_states_by_number_name_and_range(void **state)
{
	struct finder f;

	(void)state;
	assert_int_equal(find_begin(&f, MON_EVSE, EVSE_N_VERSIONS - 1, -1), 0);
	assert_true(find_want(&f, "charging,2..3"));
	assert_true(f.wanted[7] && f.wanted[2] && f.wanted[3]);
	assert_false(f.wanted[4] || f.wanted[1]);
	assert_false(find_want(&f, "Charging,nothing"));
	assert_false(find_want(&f, "3..2"));
	assert_false(find_want(&f, ""));
	assert_false(find_want(&f, "256"));
	find_free(&f);
}

/* --- decoded lines ---------------------------------------------------------------------------------------- */

static const char log_text[] = "(1436509052.249713) can0 01063000#A00FF4FF3C3C0132\n"
			       "(1436509052.349713) can0 01063000#A00FF4FF3C3C0132\n"
			       "(1436509052.449713) can0 01063000#A10FF4FF3C3C0132\n"
			       "# 2 frames lost before the next one\n"
			       "(1436509053.000000) can0 123#1122\n"
			       "(1436509053.000000) can0 0106B000#07\n"
			       "(1436509053.000001) can0 20000040#0000000000000000\n"
			       "(1436509053.000002) can0 0106B000#R1\n"
			       "(1436509053.000003) can0 02063000#A0\n";

/* Everything that the printer writes for a log, to be freed. */
static char *print_log(const char *log, enum dict_format format, bool is_changes, int index)
{
	struct dict_cfg cfg = {.format = format, .has_evse = true, .evse_version = EVSE_V3_6, .index = index};
	char path[] = "/tmp/test_print.XXXXXX", *got = calloc(1, 4096), err[100];
	struct log_reader r;
	struct log_entry e;
	struct printer p;
	struct dict d;
	struct out out;
	int fd = mkstemp(path);
	ssize_t n;

	assert_int_equal(dict_build(&d, &cfg, err, sizeof(err)), 0);
	assert_int_equal(out_init(&out, fd), 0);
	log_open_memory(&r, log, strlen(log));
	print_init(&p, &out, &d, &r, is_changes);
	print_begin(&p);
	while (log_next(&r, &e) > 0)
		print_entry(&p, &e);
	print_end(&p);
	assert_int_equal(out_finish(&out), 0);
	n = pread(fd, got, 4095, 0);
	assert_true(n >= 0);
	close(fd);
	unlink(path);
	dict_free(&d);
	return got;
}

static void expect_printed(enum dict_format format, bool is_changes, int index, const char *text)
{
	char *got = print_log(log_text, format, is_changes, index);

	assert_string_equal(got, text);
	free(got);
}

#define STATUS                                                       \
	"Present_Current=-1.2A Power_Modules_Temperature=20\xc2\xb0" \
	"C Enclosure_Temperature=20\xc2\xb0"                         \
	"C System_Enable=Allowed(1) Insulation_Resistance=100k\xce\xa9\n"

static void test_print_text_is_golden(void **state)
{
	(void)state;
	expect_printed(DICT_TEXT, false, -1,
		       "(1436509052.249713) can0 01063000 Power_Modules_Status Present_Voltage=400V " STATUS
		       "(1436509052.349713) can0 01063000 Power_Modules_Status Present_Voltage=400V " STATUS
		       "(1436509052.449713) can0 01063000 Power_Modules_Status Present_Voltage=400.1V " STATUS
		       "# 2 frames lost before the next one\n"
		       "(1436509053.000000) can0 123#1122 unknown\n"
		       "(1436509053.000000) can0 0106B000 Advantics_Controller_Status State=Charging(7)\n"
		       "(1436509053.000001) can0 20000040#0000000000000000 error frame\n"
		       "(1436509053.000002) can0 0106B000#R1 remote frame\n"
		       "(1436509053.000003) can0 02063000 Power_Modules_Status\n");
}

static void test_print_changes_shows_only_what_is_new(void **state)
{
	(void)state;
	expect_printed(DICT_TEXT, true, 1,
		       "(1436509052.249713) can0 01063000 Power_Modules_Status Present_Voltage=400V " STATUS
		       "(1436509052.449713) can0 01063000 Power_Modules_Status Present_Voltage=400.1V\n"
		       "# 2 frames lost before the next one\n"
		       "(1436509053.000000) can0 0106B000 Advantics_Controller_Status State=Charging(7)\n");
}

static void test_print_csv_changes_is_golden(void **state)
{
	(void)state;
	expect_printed(
		DICT_CSV, true, -1,
		"time,channel,id,index,message,signal,value,unit,label\n"
		"1436509052.249713,can0,01063000,1,Power_Modules_Status,Present_Voltage,400,V,\n"
		"1436509052.249713,can0,01063000,1,Power_Modules_Status,Present_Current,-1.2,A,\n"
		"1436509052.249713,can0,01063000,1,Power_Modules_Status,Power_Modules_Temperature,20,\xc2\xb0"
		"C,\n"
		"1436509052.249713,can0,01063000,1,Power_Modules_Status,Enclosure_Temperature,20,\xc2\xb0"
		"C,\n"
		"1436509052.249713,can0,01063000,1,Power_Modules_Status,System_Enable,1,,Allowed\n"
		"1436509052.249713,can0,01063000,1,Power_Modules_Status,Insulation_Resistance,100,k\xce\xa9,\n"
		"1436509052.449713,can0,01063000,1,Power_Modules_Status,Present_Voltage,400.1,V,\n"
		"1436509053.000000,can0,,,,lost,2,frames,\n"
		"1436509053.000000,can0,0106B000,1,Advantics_Controller_Status,State,7,,Charging\n");
}

static void test_print_json_is_golden(void **state)
{
	(void)state;
	expect_printed(
		DICT_JSON, true, -1,
		"{\"time\": 1436509052.249713, \"channel\": \"can0\", \"id\": 17182720, \"extended\": true, "
		"\"index\": 1, \"data\": \"A00FF4FF3C3C0132\", \"message\": \"Power_Modules_Status\", "
		"\"signals\": {\"Present_Voltage\": 400, \"Present_Current\": -1.2, "
		"\"Power_Modules_Temperature\": 20, \"Enclosure_Temperature\": 20, \"System_Enable\": 1, "
		"\"Insulation_Resistance\": 100}, \"labels\": {\"System_Enable\": \"Allowed\"}}\n"
		"{\"time\": 1436509052.449713, \"channel\": \"can0\", \"id\": 17182720, \"extended\": true, "
		"\"index\": 1, \"data\": \"A10FF4FF3C3C0132\", \"message\": \"Power_Modules_Status\", "
		"\"signals\": {\"Present_Voltage\": 400.1}, \"labels\": {}}\n"
		"{\"time\": 1436509053.000000, \"lost\": 2}\n"
		"{\"time\": 1436509053.000000, \"channel\": \"can0\", \"id\": 17215488, \"extended\": true, "
		"\"index\": 1, \"data\": \"07\", \"message\": \"Advantics_Controller_Status\", \"signals\": "
		"{\"State\": 7}, \"labels\": {\"State\": \"Charging\"}}\n"
		"{\"time\": 1436509053.000003, \"channel\": \"can0\", \"id\": 33959936, \"extended\": true, "
		"\"index\": 2, \"data\": \"A0\", \"message\": \"Power_Modules_Status\", \"signals\": {}, "
		"\"labels\": {}}\n");
}

/* More identifiers than the table remembers: every line is still there. */
static void test_print_random_identifiers_overflow_the_table(void **state)
{
	struct dict_cfg cfg = {.format = DICT_TEXT, .has_evse = true, .index = -1};
	struct log_reader r;
	struct printer p;
	struct dict d;
	struct out out;
	char err[100];

	(void)state;
	assert_int_equal(dict_build(&d, &cfg, err, sizeof(err)), 0);
	assert_int_equal(out_init(&out, -1), 0);
	log_open_memory(&r, "", 0);
	print_init(&p, &out, &d, &r, true);
	for (canid_t id = 0; id < 3 * DICT_MAX_SLOTS; id++) {
		struct log_entry e = entry(id, (id * 0x10001 & CAN_EFF_MASK) | CAN_EFF_FLAG, 8);

		print_entry(&p, &e);
	}
	assert_in_range(d.n_slots, 1, DICT_MAX_SLOTS / 2);
	assert_in_range(p.n_unknown, 3 * DICT_MAX_SLOTS - 100, 3 * DICT_MAX_SLOTS);
	out_finish(&out);
	dict_free(&d);
}

static void test_print_tells_channels_with_commas_and_what_was_lost_last(void **state)
{
	static const char log[] = "(1.000000) a,\"b 123#11\n# 1 frame lost before the next one\n";
	char *text = print_log(log, DICT_CSV, false, -1);

	(void)state;
	assert_string_equal(text, "time,channel,id,index,message,signal,value,unit,label\n"
				  "1.000000,\"a,\"\"b\",123,,,data,11,,\n"
				  "1.000000,,,,,lost,1,frames,\n");
	free(text);
	text = print_log(log, DICT_TEXT, false, -1);
	assert_string_equal(text, "(1.000000) a,\"b 123#11 unknown\n# 1 frame lost before the next one\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_are_exact_decimals),
		cmocka_unit_test(test_times_of_all_forms_are_read),
		cmocka_unit_test(test_span_counts_from_the_first_frame),
		cmocka_unit_test(test_filter_takes_identifiers_masks_and_names),
		cmocka_unit_test(test_filter_refuses_what_is_neither),
		cmocka_unit_test(test_half_knows_who_sends_what),
		cmocka_unit_test(test_rotation_sizes_and_times_are_read),
		cmocka_unit_test(test_rotation_newest_has_smallest_number_and_oldest_goes),
		cmocka_unit_test(test_rotation_is_due_by_size_or_age_but_not_empty),
		cmocka_unit_test(test_rotation_appends_whole_lines_and_bears_a_file_taken_away),
		cmocka_unit_test(test_count_periods_of_each_identifier),
		cmocka_unit_test(test_count_many_identifiers_keep_apart),
		cmocka_unit_test(test_stretches_that_touch_become_one),
		cmocka_unit_test(test_find_states_by_number_name_and_range),
		cmocka_unit_test(test_print_text_is_golden),
		cmocka_unit_test(test_print_changes_shows_only_what_is_new),
		cmocka_unit_test(test_print_csv_changes_is_golden),
		cmocka_unit_test(test_print_json_is_golden),
		cmocka_unit_test(test_print_random_identifiers_overflow_the_table),
		cmocka_unit_test(test_print_tells_channels_with_commas_and_what_was_lost_last),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
