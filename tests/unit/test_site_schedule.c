/* SPDX-License-Identifier: MIT */
/* Limits, prices and forecasts over time: windows, days, dates, changes of the clock, and what is refused. */
#include "site-ctrl/load_schedule.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/lib/site_files.h"

/* --- schedules ------------------------------------------------------------------------------------------ */

/* Central European time without the system's time zones. */
static void use_cet(void)
{
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
}

static int64_t local(int year, int month, int day, int hour, int minute)
{
	struct tm tm = {.tm_year = year - 1900,
			.tm_mon = month - 1,
			.tm_mday = day,
			.tm_hour = hour,
			.tm_min = minute,
			.tm_isdst = -1};

	return mktime(&tm);
}

static int open_schedule(struct site_files *f, const char *text)
{
	use_cet();
	if (!f->l.model.n_points)
		assert_int_equal(site_files_load_conf(f, ROOT "limit_kW = 40\n" POINT "safe_A = 6\n"), 0);
	load_schedule_close(&f->s);
	return load_schedule_open(&f->s, site_files_put(f, "s.csv", text), &f->l.model, f->err,
				  sizeof(f->err));
}

/* Limit of L1 of main as scheduled at a time. */
static int32_t scheduled_mA(struct site_files *f, int64_t wall_s)
{
	void *block = calloc(1, site_limits_size(&f->l.model));
	struct site_limits l;
	int64_t next_s;
	int32_t mA;

	site_limits_init(&l, &f->l.model, block);
	assert_true(load_schedule_apply(&f->s, &l, wall_s, &next_s, f->err, sizeof(f->err)) >= 0);
	assert_true(next_s > wall_s && next_s <= wall_s + 60 && next_s % 60 == 0);
	mA = l.node[0].mA[SITE_LIMIT_SCHEDULE][0];
	free(block);
	return mA;
}

static void test_schedule_windows_hold_on_their_days_and_over_midnight(void **state)
{
	struct site_files *f = *state;

	assert_int_equal(open_schedule(f, "days,from,to,node,limit_A\nmon-fri,17:00,20:00,main,40\n"
					  "fri sat,22:00,06:00,main,30\nsun,05:00,24:00,main,20\n"),
			 0);
	/* 2026-11-20 is a Friday. */
	assert_int_equal(scheduled_mA(f, local(2026, 11, 20, 16, 59)), SITE_NO_LIMIT_mA);
	assert_int_equal(scheduled_mA(f, local(2026, 11, 20, 17, 0)), 40000);
	assert_int_equal(scheduled_mA(f, local(2026, 11, 20, 20, 0)), SITE_NO_LIMIT_mA);
	assert_int_equal(scheduled_mA(f, local(2026, 11, 20, 23, 0)), 30000);
	assert_int_equal(scheduled_mA(f, local(2026, 11, 21, 5, 59)), 30000);
	assert_int_equal(scheduled_mA(f, local(2026, 11, 21, 6, 0)), SITE_NO_LIMIT_mA);
	assert_int_equal(scheduled_mA(f, local(2026, 11, 21, 17, 30)), SITE_NO_LIMIT_mA);
	assert_int_equal(scheduled_mA(f, local(2026, 11, 22, 5, 30)), 20000); /* both: the least */
	assert_int_equal(scheduled_mA(f, local(2026, 11, 22, 23, 59)), 20000);
	assert_int_equal(scheduled_mA(f, local(2026, 11, 23, 0, 0)), SITE_NO_LIMIT_mA);
	/* The Thursday before has no window over midnight into Friday. */
	assert_int_equal(scheduled_mA(f, local(2026, 11, 20, 1, 0)), SITE_NO_LIMIT_mA);
}

static void test_schedule_windows_follow_the_clock_when_it_changes(void **state)
{
	struct site_files *f = *state;
	int64_t spring = 1774746000; /* 2026-03-29 01:00 UTC: 02:00 becomes 03:00 */
	int64_t autumn = 1792890000; /* 2026-10-25 01:00 UTC: 03:00 becomes 02:00 */

	assert_int_equal(open_schedule(f, "from,to,node,limit_A\n02:30,04:00,main,40\n"), 0);
	assert_int_equal(scheduled_mA(f, spring - 60), SITE_NO_LIMIT_mA);
	assert_int_equal(scheduled_mA(f, spring), 40000); /* 03:00: half past two was left out */
	assert_int_equal(scheduled_mA(f, spring + 3600), SITE_NO_LIMIT_mA);
	assert_int_equal(scheduled_mA(f, autumn - 3600), SITE_NO_LIMIT_mA); /* 02:00 the first time */
	assert_int_equal(scheduled_mA(f, autumn - 1800), 40000);	    /* 02:30 */
	assert_int_equal(scheduled_mA(f, autumn), SITE_NO_LIMIT_mA);	    /* 02:00 again */
	assert_int_equal(scheduled_mA(f, autumn + 1800), 40000);
	assert_int_equal(scheduled_mA(f, autumn + 7200), SITE_NO_LIMIT_mA); /* 04:00 */
}

static void test_schedule_dates_hold_once_and_power_reaches_its_row(void **state)
{
	struct site_files *f = *state;
	struct site_limits l;
	void *block;
	int64_t next_s;

	assert_int_equal(open_schedule(f, "from,to,node,limit_A,limit_kW\n"
					  "2026-11-21T10:00Z,2026-11-21T12:00Z,main,,20\n"
					  "2026-11-21T10:00,2026-11-21T11:30,main,25,\n"),
			 0);
	assert_int_equal(scheduled_mA(f, local(2026, 11, 21, 9, 59)), SITE_NO_LIMIT_mA);
	assert_int_equal(scheduled_mA(f, local(2026, 11, 21, 10, 0)), 25000);
	assert_int_equal(scheduled_mA(f, local(2026, 11, 21, 11, 30)), SITE_NO_LIMIT_mA);
	block = calloc(1, site_limits_size(&f->l.model));
	site_limits_init(&l, &f->l.model, block);
	assert_int_equal(load_schedule_apply(&f->s, &l, 1795258800, &next_s, f->err, sizeof(f->err)), 1);
	assert_int_equal(l.node[0].mA[SITE_LIMIT_SCHEDULE][3], 86956);
	assert_int_equal(load_schedule_apply(&f->s, &l, 1795258860, &next_s, f->err, sizeof(f->err)), 0);
	assert_int_equal(load_schedule_apply(&f->s, &l, 1795258800 + 7200, &next_s, f->err, sizeof(f->err)),
			 1);
	assert_int_equal(l.node[0].mA[SITE_LIMIT_SCHEDULE][3], SITE_NO_LIMIT_mA);
	free(block);
}

static void test_schedule_outlook_has_prices_and_what_limits_will_be(void **state)
{
	struct site_files *f = *state;
	struct alloc_outlook o[8];
	int64_t now = local(2026, 11, 20, 16, 0) + 30, us = 5000000;

	assert_int_equal(
		open_schedule(f, "from,to,node,limit_A,price,forecast_percent\n17:00,20:00,main,31.5,,\n"
				 "00:00,24:00,,,0.30,\n18:00,19:00,,,-0.0512,50\n"),
		0);
	assert_int_equal(load_schedule_outlook(&f->s, now, us, 6 * 3600, o, 8), 5);
	assert_int_equal(o[0].from_us, us);
	assert_int_equal(o[0].price, 3000);
	assert_int_equal(o[0].limit_permille, 1000);
	assert_int_equal(o[1].from_us, us + INT64_C(3570) * 1000000);
	assert_int_equal(o[1].limit_permille, 500);
	assert_int_equal(o[2].price, -512);
	assert_int_equal(o[2].limit_permille, 250);
	assert_int_equal(o[3].price, 3000);
	assert_int_equal(o[3].limit_permille, 500);
	assert_int_equal(o[4].limit_permille, 1000);
	/* Seen from within the lower limit, the normal one is twice of now. */
	assert_int_equal(load_schedule_outlook(&f->s, local(2026, 11, 20, 19, 30), us, 3600, o, 8), 2);
	assert_int_equal(o[0].limit_permille, 1000);
	assert_int_equal(o[1].limit_permille, 2000);
	assert_int_equal(load_schedule_outlook(&f->s, now, us, 6 * 3600, o, 2), 2);
}

static void assert_schedule_refused(struct site_files *f, const char *row, const char *part)
{
	char text[256];

	snprintf(text, sizeof(text), "days,from,to,node,phase,limit_A,limit_kW,price,forecast_percent\n%s\n",
		 row);
	assert_true(open_schedule(f, text) < 0);
	site_files_assert_sentence(f, "s.csv", 2, part);
}

static void test_schedule_bad_rows_are_refused_with_their_line(void **state)
{
	struct site_files *f = *state;

	assert_schedule_refused(f, ",17:00,,main,,5,,,", "to is missing");
	assert_schedule_refused(f, ",17:60,18:00,main,,50,,,", "from is no time");
	assert_schedule_refused(f, ",24:00,18:00,main,,50,,,", "from is no time");
	assert_schedule_refused(f, ",17:00,25:00,main,,50,,,", "to is no time");
	assert_schedule_refused(f, ",17:00,17:00,main,,50,,,", "are the same");
	assert_schedule_refused(f, "mo,17:00,18:00,main,,50,,,", "days is not like");
	assert_schedule_refused(f, "mon-,17:00,18:00,main,,50,,,", "days is not like");
	assert_schedule_refused(f, "mon,2026-11-21T10:00,2026-11-21T11:00,main,,50,,,", "not with dates");
	assert_schedule_refused(f, ",2026-02-30T10:00,2026-11-21T11:00,main,,50,,,", "from is no time");
	assert_schedule_refused(f, ",2026-11-21T10:00,11:00,main,,50,,,", "to is no time with a date");
	assert_schedule_refused(f, ",2026-11-21T10:00,2026-11-21T10:00,main,,50,,,", "to is not after from");
	assert_schedule_refused(f, ",17:00,18:00,mein,,50,,,", "unknown node or constraint: mein");
	assert_schedule_refused(f, ",17:00,18:00,main,,,,,", "a node, but no limit");
	assert_schedule_refused(f, ",17:00,18:00,,,50,,,", "a limit, but of no node");
	assert_schedule_refused(f, ",17:00,18:00,main,4,50,,,", "phase is not");
	assert_schedule_refused(f, ",17:00,18:00,,,,,,", "neither limit nor price");
	assert_schedule_refused(f, ",17:00,18:00,,,,,x,", "price is not a number");
	assert_schedule_refused(
		f, ",17:00,18:00,main,,5,,,",
		"main L1: 5.000 A is below the 6.000 A that are drawn there without any grant");
}

#define T(test) cmocka_unit_test_setup_teardown(test, site_files_set_up, site_files_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_schedule_windows_hold_on_their_days_and_over_midnight),
		T(test_schedule_windows_follow_the_clock_when_it_changes),
		T(test_schedule_dates_hold_once_and_power_reaches_its_row),
		T(test_schedule_outlook_has_prices_and_what_limits_will_be),
		T(test_schedule_bad_rows_are_refused_with_their_line),
	};

	return cmocka_run_group_tests_name("site_schedule", tests, NULL, NULL);
}
