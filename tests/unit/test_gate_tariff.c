/* SPDX-License-Identifier: MIT */
/* Tariff windows: texts, the week, midnight, and clocks that are set forward and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateways/gate_tariff.h"

#define HOUR 3600
#define DAY  86400

/*
 * Central Europe in 2026: summer time from 29 March 01:00 UTC (a Sunday) to 25 October 01:00 UTC (a Sunday).
 * Seconds since 1970.
 */
#define MARCH_29   INT64_C(1774742400) /* 00:00 UTC */
#define OCTOBER_25 INT64_C(1792886400)

static int32_t europe(void *ctx, int64_t utc_s)
{
	(void)ctx;
	return utc_s >= MARCH_29 + HOUR && utc_s < OCTOBER_25 + HOUR ? 2 * HOUR : HOUR;
}

static int32_t far_west(void *ctx, int64_t utc_s)
{
	(void)ctx, (void)utc_s;
	return -11 * HOUR;
}

static struct gate_tariff tariff(gate_offset_fn offset, const char *const windows[])
{
	struct gate_tariff t = {.offset_s = offset};
	char err[160];

	for (; *windows; windows++)
		if (gate_window_parse(*windows, &t.window[t.n_windows++], err, sizeof(err)))
			fail_msg("%s", err);
	return t;
}

static bool is_open(const struct gate_tariff *t, int64_t utc_s)
{
	return gate_tariff_is_open(t, "bay-1", utc_s);
}

/* Opens and closes at these moments, and at no other minute between. */
static void check_turn(const struct gate_tariff *t, int64_t from, int64_t to, int64_t opens, int64_t closes)
{
	int64_t at;

	for (at = from; at < to; at += 60)
		if (is_open(t, at) != (at >= opens && at < closes))
			fail_msg("%s at %lld s after %lld", is_open(t, at) ? "open" : "closed",
				 (long long)(at - from), (long long)from);
	assert_int_equal(gate_tariff_next_s(t, "bay-1", from), opens);
	assert_int_equal(gate_tariff_next_s(t, "bay-1", opens), closes);
}

/* --- texts ---------------------------------------------------------------------------------------------- */

static void test_window_texts_are_read(void **state)
{
	static const struct {
		const char *text;
		uint8_t days;
		uint16_t from, to;
		const char *point;
	} good[] = {
		{"mon-fri 22:00-06:00", 0x1f, 1320, 360, ""},
		{" sat,sun  00:00-24:00 ", 0x60, 0, 1440, ""},
		{"daily 11:30-13:00 @bay-1", 0x7f, 690, 780, "bay-1"},
		{"sat-mon 00:00-00:01", 0x61, 0, 1, ""},
		{"wed 23:00-00:00", 0x04, 1380, 1440, ""},
		{"mon,wed-fri 08:00-09:00  @x ", 0x1d, 480, 540, "x"},
	};
	struct gate_window w;
	char err[160];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (gate_window_parse(good[i].text, &w, err, sizeof(err)))
			fail_msg("%s", err);
		assert_int_equal(w.days, good[i].days);
		assert_int_equal(w.from_min, good[i].from);
		assert_int_equal(w.to_min, good[i].to);
		assert_string_equal(w.point, good[i].point);
	}
}

static void test_window_texts_that_mean_nothing_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"22:00-06:00",
		"mon",
		"mon 22:00",
		"mon 22-06",
		"mon 22:00 06:00",
		"mon 22:60-23:00",
		"mon 24:00-06:00",
		"mon 22:00-24:01",
		"mon 22:00-22:00",
		"mon- 22:00-23:00",
		"mon, 22:00-23:00",
		"monday 22:00-23:00",
		"mon22:00-23:00",
		"mon 22:00-23:00 x",
		"mon 22:00-23:00 @",
		"mon 22:00-23:00 @a/b",
		"mon 22:00-23:00 @a b",
		"mon 22:00-23:00 @1234567890123456789012345678901234567890",
		"mon 22:00-23:000",
		"mon 2:00-3:00",
	};
	struct gate_window w;
	char err[160];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err[0] = '\0';
		if (gate_window_parse(bad[i], &w, err, sizeof(err)) == 0 || !err[0])
			fail_msg("taken: '%s'", bad[i]);
	}
}

/* --- days ----------------------------------------------------------------------------------------------- */

static void test_tariff_over_midnight_belongs_to_the_day_it_opens(void **state)
{
	static const char *const windows[] = {"fri 22:00-06:00", NULL};
	struct gate_tariff t = tariff(europe, windows);
	int64_t friday = MARCH_29 - 30 * DAY - HOUR; /* 27 February 2026, 00:00 local */

	(void)state;
	check_turn(&t, friday, friday + 6 * DAY, friday + 22 * HOUR, friday + 30 * HOUR);
}

static void test_tariff_of_whole_days_does_not_close_between_them(void **state)
{
	static const char *const windows[] = {"sat,sun 00:00-24:00", NULL};
	struct gate_tariff t = tariff(europe, windows);
	int64_t thursday = MARCH_29 - 10 * DAY - HOUR; /* 19 March 2026 */

	(void)state;
	check_turn(&t, thursday, thursday + 6 * DAY, thursday + 2 * DAY, thursday + 4 * DAY);
}

static void test_tariff_windows_that_overlap_are_one(void **state)
{
	static const char *const windows[] = {"mon 08:00-12:00", "mon 11:00-15:00", "mon 15:00-16:00", NULL};
	struct gate_tariff t = tariff(europe, windows);
	int64_t sunday = MARCH_29 - 7 * DAY - HOUR; /* 22 March 2026 */

	(void)state;
	check_turn(&t, sunday, sunday + 5 * DAY, sunday + 32 * HOUR, sunday + 40 * HOUR);
}

static void test_tariff_west_of_greenwich_counts_local_days(void **state)
{
	static const char *const windows[] = {"sun 20:00-21:00", NULL};
	struct gate_tariff t = tariff(far_west, windows);
	int64_t sunday = MARCH_29 + 11 * HOUR; /* 00:00 local */

	(void)state;
	check_turn(&t, sunday, sunday + 5 * DAY, sunday + 20 * HOUR, sunday + 21 * HOUR);
}

static void test_tariff_before_1970_does_not_matter(void **state)
{
	static const char *const windows[] = {"thu 00:00-01:00", NULL};
	struct gate_tariff t = tariff(far_west, windows);

	(void)state;
	assert_true(is_open(&t, 11 * HOUR)); /* 1970-01-01 00:00 local was a Thursday */
	assert_false(is_open(&t, 0));
	assert_false(is_open(&t, -DAY));
}

static void test_tariff_of_other_point_is_none(void **state)
{
	static const char *const windows[] = {"mon 08:00-12:00 @bay-2", NULL};
	struct gate_tariff t = tariff(europe, windows);

	(void)state;
	assert_false(gate_tariff_has(&t, "bay-1"));
	assert_true(gate_tariff_has(&t, "bay-2"));
	assert_int_equal(gate_tariff_next_s(&t, "bay-1", MARCH_29), GATE_TARIFF_NO_END);
}

static void test_tariff_always_open_never_changes(void **state)
{
	static const char *const windows[] = {"daily 00:00-24:00", NULL};
	struct gate_tariff t = tariff(europe, windows);

	(void)state;
	assert_true(is_open(&t, MARCH_29 + 90 * 60));
	assert_int_equal(gate_tariff_next_s(&t, "bay-1", MARCH_29), GATE_TARIFF_NO_END);
}

/* --- clocks set forward: 02:00 becomes 03:00 at 01:00 UTC ----------------------------------------------- */

static void test_tariff_night_of_spring_is_an_hour_shorter(void **state)
{
	static const char *const windows[] = {"sat 22:00-06:00", NULL};
	struct gate_tariff t = tariff(europe, windows);
	int64_t noon = MARCH_29 - 12 * HOUR;

	(void)state;
	check_turn(&t, noon, noon + 2 * DAY, MARCH_29 - 3 * HOUR, MARCH_29 + 4 * HOUR);
}

static void test_tariff_start_that_does_not_exist_is_the_change(void **state)
{
	static const char *const windows[] = {"sun 02:30-05:00", NULL};
	struct gate_tariff t = tariff(europe, windows);
	int64_t noon = MARCH_29 - 12 * HOUR;

	(void)state;
	check_turn(&t, noon, noon + 2 * DAY, MARCH_29 + HOUR, MARCH_29 + 3 * HOUR);
}

static void test_tariff_end_that_does_not_exist_is_the_change(void **state)
{
	static const char *const windows[] = {"sun 01:00-02:30", NULL};
	struct gate_tariff t = tariff(europe, windows);
	int64_t noon = MARCH_29 - 12 * HOUR;

	(void)state;
	check_turn(&t, noon, noon + 2 * DAY, MARCH_29, MARCH_29 + HOUR);
}

static void test_tariff_window_inside_the_gap_does_not_open(void **state)
{
	static const char *const windows[] = {"sun 02:10-02:50", NULL};
	struct gate_tariff t = tariff(europe, windows);
	int64_t at;

	(void)state;
	for (at = MARCH_29 - HOUR; at < MARCH_29 + 4 * HOUR; at += 60)
		assert_false(is_open(&t, at));
}

/* --- clocks set back: 03:00 becomes 02:00 at 01:00 UTC -------------------------------------------------- */

static void test_tariff_night_of_autumn_is_an_hour_longer(void **state)
{
	static const char *const windows[] = {"sat 22:00-06:00", NULL};
	struct gate_tariff t = tariff(europe, windows);
	int64_t noon = OCTOBER_25 - 12 * HOUR;

	(void)state;
	check_turn(&t, noon, noon + 2 * DAY, OCTOBER_25 - 4 * HOUR, OCTOBER_25 + 5 * HOUR);
}

static void test_tariff_start_in_doubled_hour_opens_once_at_the_first(void **state)
{
	static const char *const windows[] = {"sun 02:30-05:00", NULL};
	struct gate_tariff t = tariff(europe, windows);
	int64_t noon = OCTOBER_25 - 12 * HOUR;

	(void)state;
	check_turn(&t, noon, noon + 2 * DAY, OCTOBER_25 + HOUR / 2, OCTOBER_25 + 4 * HOUR);
}

static void test_tariff_end_in_doubled_hour_closes_once_at_the_first(void **state)
{
	static const char *const windows[] = {"sun 01:00-02:30", NULL};
	struct gate_tariff t = tariff(europe, windows);
	int64_t noon = OCTOBER_25 - 12 * HOUR;

	(void)state;
	check_turn(&t, noon, noon + 2 * DAY, OCTOBER_25 - HOUR, OCTOBER_25 + HOUR / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_window_texts_are_read),
		cmocka_unit_test(test_window_texts_that_mean_nothing_are_refused),
		cmocka_unit_test(test_tariff_over_midnight_belongs_to_the_day_it_opens),
		cmocka_unit_test(test_tariff_of_whole_days_does_not_close_between_them),
		cmocka_unit_test(test_tariff_windows_that_overlap_are_one),
		cmocka_unit_test(test_tariff_west_of_greenwich_counts_local_days),
		cmocka_unit_test(test_tariff_before_1970_does_not_matter),
		cmocka_unit_test(test_tariff_of_other_point_is_none),
		cmocka_unit_test(test_tariff_always_open_never_changes),
		cmocka_unit_test(test_tariff_night_of_spring_is_an_hour_shorter),
		cmocka_unit_test(test_tariff_start_that_does_not_exist_is_the_change),
		cmocka_unit_test(test_tariff_end_that_does_not_exist_is_the_change),
		cmocka_unit_test(test_tariff_window_inside_the_gap_does_not_open),
		cmocka_unit_test(test_tariff_night_of_autumn_is_an_hour_longer),
		cmocka_unit_test(test_tariff_start_in_doubled_hour_opens_once_at_the_first),
		cmocka_unit_test(test_tariff_end_in_doubled_hour_closes_once_at_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
