/* SPDX-License-Identifier: MIT */
/* Parts of the report: down-sampling that keeps peaks, words that cannot become markup, and the command line. */
#include "monitor/bus_log_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "monitor/bus_log_report_html.h"

#define S	 INT64_C(1000000)
#define STEP_US	 INT64_C(100000)
#define START_US (INT64_C(1700000000) * S)

/* --- down-sampling ------------------------------------------------------------------------------------- */

static void test_track_peak_of_one_step_survives_a_day(void **state)
{
	struct report_track *t = report_track_create(START_US);
	struct report_columns *c;
	unsigned n_with_peak = 0;

	(void)state;
	for (int64_t i = 0; i < 864000; i++)
		report_track_set(t, START_US + i * STEP_US, REPORT_mA,
				 i == 432123  ? 777
				 : i == 55555 ? -3
					      : 100);
	c = report_track_finish(t, START_US + 864000 * STEP_US);
	assert_true(c->n <= REPORT_N_COLUMNS + 2 * REPORT_N_FINE);
	assert_true(c->n > REPORT_N_COLUMNS / 2);
	assert_int_equal(report_columns_range(c, REPORT_mA).high, 777);
	assert_int_equal(report_columns_range(c, REPORT_mA).low, -3);
	for (uint32_t i = 0; i < c->n; i++) {
		if (report_columns_at(c, REPORT_mA, i).high == 777) {
			n_with_peak++;
			assert_true(c->begin[i] <= 432123 && (i + 1 == c->n || c->begin[i + 1] > 432123));
		}
		assert_true(i == 0 || c->begin[i] > c->begin[i - 1]);
	}
	assert_int_equal(n_with_peak, 1);
	while (c->n > 1)
		report_columns_halve(c);
	assert_int_equal(report_columns_range(c, REPORT_mA).high, 777);
	assert_int_equal(report_columns_range(c, REPORT_mA).low, -3);
	report_columns_destroy(c);
	report_track_destroy(t);
}

static void test_track_first_and_last_minute_keep_every_step(void **state)
{
	struct report_track *t = report_track_create(0);
	struct report_columns *c;

	(void)state;
	for (int64_t i = 0; i < 36000; i++)
		report_track_set(t, i * STEP_US, REPORT_mV, (int32_t)i);
	c = report_track_finish(t, 36000 * STEP_US - 1);
	for (uint32_t i = 0; i < REPORT_N_FINE; i++) {
		struct report_range first = report_columns_at(c, REPORT_mV, i);
		struct report_range last = report_columns_at(c, REPORT_mV, c->n - REPORT_N_FINE + i);

		assert_int_equal(c->begin[i], i);
		assert_int_equal(first.low, i);
		assert_int_equal(first.high, i);
		assert_int_equal(last.low, 36000 - REPORT_N_FINE + i);
		assert_int_equal(last.high, last.low);
	}
	report_columns_destroy(c);
	report_track_destroy(t);
}

static void test_track_value_is_held_until_nobody_knows_it(void **state)
{
	struct report_track *t = report_track_create(0);
	struct report_columns *c;

	(void)state;
	report_track_set(t, 5 * STEP_US, REPORT_mV, 42);
	report_track_set(t, 10 * STEP_US, REPORT_mV, MON_UNKNOWN);
	report_track_set(t, 20 * STEP_US, REPORT_mV, 7);
	c = report_track_finish(t, 30 * STEP_US);
	assert_int_equal(c->n, 31);
	assert_int_equal(report_columns_at(c, REPORT_mV, 4).low, MON_UNKNOWN);
	assert_int_equal(report_columns_at(c, REPORT_mV, 5).low, 42);
	assert_int_equal(report_columns_at(c, REPORT_mV, 9).high, 42);
	assert_int_equal(report_columns_at(c, REPORT_mV, 10).low, MON_UNKNOWN);
	assert_int_equal(report_columns_at(c, REPORT_mV, 19).low, MON_UNKNOWN);
	assert_int_equal(report_columns_at(c, REPORT_mV, 30).low, 7);
	assert_int_equal(c->n_used, 1);
	report_columns_destroy(c);
	report_track_destroy(t);
}

static void test_track_jump_of_fifty_years_fits(void **state)
{
	struct report_track *t = report_track_create(0);
	struct report_columns *c;

	(void)state;
	report_track_set(t, 0, REPORT_mV, 1);
	report_track_set(t, START_US, REPORT_mV, 9);
	report_track_set(t, START_US + STEP_US, REPORT_mV, 5);
	c = report_track_finish(t, START_US + STEP_US);
	assert_true(c->n <= REPORT_N_COLUMNS + 2 * REPORT_N_FINE);
	assert_int_equal(report_columns_range(c, REPORT_mV).high, 9);
	report_columns_destroy(c);
	report_track_destroy(t);
}

/* --- words --------------------------------------------------------------------------------------------- */

static void assert_escaped(const char *text, const char *expected)
{
	char *out = NULL;
	size_t n;
	FILE *f = open_memstream(&out, &n);

	report_put_text(f, text);
	fclose(f);
	assert_string_equal(out, expected);
	free(out);
}

static void test_text_markup_controls_and_broken_utf8_are_harmless(void **state)
{
	(void)state;
	assert_escaped("a<b>&\"'_", "a&lt;b&gt;&amp;&quot;&#39;_");
	assert_escaped("\x01\x1b[31m\x7f", "\xEF\xBF\xBD\xEF\xBF\xBD[31m\xEF\xBF\xBD");
	assert_escaped("µ→\xF0\x9F\x94\x8C", "µ→\xF0\x9F\x94\x8C");
	assert_escaped("\xC3", "\xEF\xBF\xBD");
	assert_escaped("\xC0\xBC", "\xEF\xBF\xBD\xEF\xBF\xBD");
	assert_escaped("\xC2\x85", "\xEF\xBF\xBD");
	assert_escaped("\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

static void assert_duration(int64_t us, const char *expected)
{
	char text[REPORT_TEXT];

	assert_string_equal(report_duration(text, us), expected);
}

static void test_text_numbers_and_times_read_well(void **state)
{
	char text[REPORT_TEXT];

	(void)state;
	assert_duration(0, "0.0 ms");
	assert_duration(400000, "400 ms");
	assert_duration(4200000, "4.2 s");
	assert_duration(59949999, "59.9 s");
	assert_duration(59950000, "1 min 00 s");
	assert_duration(725 * S, "12 min 05 s");
	assert_duration(3995 * S, "1 h 06 min 35 s");
	assert_duration(-5, "0.0 ms");
	assert_string_equal(report_count(text, 944268), "944,268");
	assert_string_equal(report_count(text, 12), "12");
	assert_string_equal(report_decimal(text, -3, 1000, 1), "0.0");
	assert_string_equal(report_decimal(text, 400123, 1000, 1), "400.1");
	assert_string_equal(report_energy(text, INT64_C(291240000000)), "80.9 Wh");
	assert_string_equal(report_energy(text, INT64_C(-140000000000000)), "-38.89 kWh");
	assert_string_equal(report_clock(text, START_US + 300000, 1), "22:13:20.3");
	assert_string_equal(report_clock(text, 90061 * S, 0), "25:01:01");
	assert_string_equal(report_date(text, START_US), "Tue 14 Nov 2023");
	assert_string_equal(report_date(text, 5 * S), "");
	assert_string_equal(report_offset(text, 3995300000), "+1:06:35.3");
}

/* --- the command --------------------------------------------------------------------------------------- */

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/report_test_XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const names[] = {"a.log", "a.html", "b.html"};
	char path[128];

	(void)state;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

static char *in_folder(char path[128], const char *name)
{
	snprintf(path, 128, "%s/%s", folder, name);
	return path;
}

/* Output of the command is not looked at; stderr is kept out of the test's own. */
static int run(char *a, char *b, char *c)
{
	char *argv[] = {(char[]){"report"}, a, b, c, NULL};
	int argc = 1 + (a != NULL) + (b != NULL) + (c != NULL), status, out = dup(1), err = dup(2);
	FILE *null = fopen("/dev/null", "w");

	fflush(stdout);
	dup2(fileno(null), 1);
	dup2(fileno(null), 2);
	status = bus_log_report(argc, argv);
	fflush(stdout);
	dup2(out, 1);
	dup2(err, 2);
	close(out);
	close(err);
	fclose(null);
	return status;
}

static void test_command_names_the_page_after_the_log_and_never_overwrites_it(void **state)
{
	char log[128], page[128];
	FILE *f;

	(void)state;
	f = fopen(in_folder(log, "a.log"), "w");
	fputs("(1700000000.000000) can0 0106B000#01\n(1700000000.100000) can0 0106B000#01\n", f);
	fclose(f);
	assert_int_equal(run(log, NULL, NULL), 0);
	assert_int_equal(access(in_folder(page, "a.html"), R_OK), 0);
	assert_int_equal(run(log, (char[]){"-o"}, in_folder(page, "b.html")), 0);
	assert_int_equal(access(page, R_OK), 0);
	assert_int_equal(run(log, (char[]){"-o"}, log), 1);
	assert_int_equal(run(log, (char[]){"--side"}, (char[]){"pev"}), 0);
	assert_int_equal(run(log, (char[]){"--side"}, (char[]){"left"}), 2);
	assert_int_equal(run(log, (char[]){"--protocol"}, (char[]){"3.2"}), 0);
	assert_int_equal(run(log, (char[]){"--protocol"}, (char[]){"9.9"}), 2);
	assert_int_equal(run(log, (char[]){"--bitrate"}, (char[]){"fast"}), 2);
	assert_int_equal(run(log, (char[]){"-o"}, (char[]){"/nonexistent/x.html"}), 1);
}

static void test_command_without_a_readable_log_fails(void **state)
{
	(void)state;
	assert_int_equal(run(NULL, NULL, NULL), 2);
	assert_int_equal(run((char[]){"/nonexistent/x.log"}, NULL, NULL), 1);
	assert_int_equal(run((char[]){"--nonsense"}, NULL, NULL), 2);
	assert_int_equal(run((char[]){"--help"}, NULL, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_track_peak_of_one_step_survives_a_day),
		cmocka_unit_test(test_track_first_and_last_minute_keep_every_step),
		cmocka_unit_test(test_track_value_is_held_until_nobody_knows_it),
		cmocka_unit_test(test_track_jump_of_fifty_years_fits),
		cmocka_unit_test(test_text_markup_controls_and_broken_utf8_are_harmless),
		cmocka_unit_test(test_text_numbers_and_times_read_well),
		cmocka_unit_test_setup_teardown(
			test_command_names_the_page_after_the_log_and_never_overwrites_it, make_folder,
			remove_folder),
		cmocka_unit_test(test_command_without_a_readable_log_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
