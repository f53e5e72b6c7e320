/* SPDX-License-Identifier: MIT */
/* History of the plots: steps over a minute, and a whole session in as many; no peak is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "monitor/mon_model.h"

#define STEP MON_HISTORY_STEP_US
#define UNIT 100 /* mA: what is kept of a current */

static struct mon_history h;

static void assert_step(enum mon_span span, uint32_t i, int32_t low, int32_t high, int32_t last)
{
	struct mon_step s = mon_history_step(&h, span, MON_SERIES_mA, i);

	assert_int_equal(s.low, low == MON_UNKNOWN ? low : low * UNIT);
	assert_int_equal(s.high, high == MON_UNKNOWN ? high : high * UNIT);
	assert_int_equal(s.last, last == MON_UNKNOWN ? last : last * UNIT);
}

static void assert_nothing(enum mon_span span, uint32_t i)
{
	assert_step(span, i, MON_UNKNOWN, MON_UNKNOWN, MON_UNKNOWN);
}

static void add(int64_t now_us, int32_t value)
{
	mon_history_add(&h, now_us, MON_SERIES_mA, value == MON_UNKNOWN ? value : value * UNIT);
}

static void test_history_step_keeps_lowest_highest_and_last(void **state)
{
	(void)state;
	mon_history_init(&h, 1000);
	add(1000, 5);
	add(2000, -7);
	add(1000 + STEP - 1, 3);
	assert_int_equal(h.track[MON_SPAN_MINUTE].n, 1);
	assert_step(MON_SPAN_MINUTE, 0, -7, 5, 3);
	assert_step(MON_SPAN_SESSION, 0, -7, 5, 3);
	add(1000 + STEP, 4);
	assert_step(MON_SPAN_MINUTE, 1, 4, 4, 4);
}

static void test_history_series_are_apart(void **state)
{
	(void)state;
	mon_history_init(&h, 0);
	mon_history_add(&h, 0, MON_SERIES_mV, 400000);
	assert_nothing(MON_SPAN_MINUTE, 0);
	assert_int_equal(mon_history_step(&h, MON_SPAN_MINUTE, MON_SERIES_mV, 0).last, 400000);
	add(1, MON_UNKNOWN);
	assert_nothing(MON_SPAN_MINUTE, 0);
}

static void test_history_rounds_to_the_interface_and_stops_at_its_ends(void **state)
{
	(void)state;
	mon_history_init(&h, 0);
	mon_history_add(&h, 0, MON_SERIES_mA, 149);
	assert_int_equal(mon_history_step(&h, MON_SPAN_MINUTE, MON_SERIES_mA, 0).last, 100);
	mon_history_add(&h, 0, MON_SERIES_mA, -150);
	assert_int_equal(mon_history_step(&h, MON_SPAN_MINUTE, MON_SERIES_mA, 0).last, -200);
	mon_history_add(&h, 0, MON_SERIES_W, 3750100);
	assert_int_equal(mon_history_step(&h, MON_SPAN_MINUTE, MON_SERIES_W, 0).high, 3750200);
	mon_history_add(&h, 0, MON_SERIES_mV, INT32_MAX);
	mon_history_add(&h, 0, MON_SERIES_mV, -INT32_MAX);
	assert_int_equal(mon_history_step(&h, MON_SPAN_MINUTE, MON_SERIES_mV, 0).high, 3276700);
	assert_int_equal(mon_history_step(&h, MON_SPAN_MINUTE, MON_SERIES_mV, 0).low, -3276700);
}

static void test_history_silent_steps_are_unknown(void **state)
{
	(void)state;
	mon_history_init(&h, 0);
	add(0, 1);
	add(3 * STEP, 2);
	assert_int_equal(h.track[MON_SPAN_MINUTE].n, 4);
	assert_nothing(MON_SPAN_MINUTE, 1);
	assert_nothing(MON_SPAN_MINUTE, 2);
	assert_step(MON_SPAN_MINUTE, 3, 2, 2, 2);
	mon_history_advance(&h, 5 * STEP);
	assert_nothing(MON_SPAN_MINUTE, 5);
	assert_nothing(MON_SPAN_MINUTE, 6); /* past the end */
}

static void test_history_minute_forgets_the_oldest(void **state)
{
	const int n = MON_HISTORY_LEN + 10;

	(void)state;
	mon_history_init(&h, 0);
	for (int i = 0; i < n; i++)
		add(i * STEP, i);
	assert_int_equal(h.track[MON_SPAN_MINUTE].n, MON_HISTORY_LEN);
	assert_int_equal(h.track[MON_SPAN_MINUTE].begin_us, 10 * STEP);
	for (uint32_t i = 0; i < MON_HISTORY_LEN; i++)
		assert_step(MON_SPAN_MINUTE, i, (int)i + 10, (int)i + 10, (int)i + 10);
}

static void test_history_minute_after_a_long_silence_is_empty(void **state)
{
	struct mon_track *t = &h.track[MON_SPAN_MINUTE];
	const int64_t now_us = INT64_C(86400) * 365 * 1000000 + 12345;

	(void)state;
	mon_history_init(&h, 0);
	add(0, 1);
	add(now_us, 2);
	assert_int_equal(t->n, MON_HISTORY_LEN);
	assert_nothing(MON_SPAN_MINUTE, 0);
	assert_nothing(MON_SPAN_MINUTE, MON_HISTORY_LEN - 2);
	assert_step(MON_SPAN_MINUTE, MON_HISTORY_LEN - 1, 2, 2, 2);
	assert_true(t->begin_us + (MON_HISTORY_LEN - 1) * t->step_us <= now_us);
	assert_true(t->begin_us + MON_HISTORY_LEN * t->step_us > now_us);
}

static void test_history_session_doubles_its_steps_and_keeps_all(void **state)
{
	struct mon_track *t = &h.track[MON_SPAN_SESSION];
	const int n = MON_HISTORY_LEN;

	(void)state;
	mon_history_init(&h, 0);
	for (int i = 0; i < n; i++)
		add(i * STEP, i == 183 ? 9999 : i);
	assert_int_equal(t->step_us, STEP);
	add(n * STEP, n);
	assert_int_equal(t->step_us, 2 * STEP);
	assert_int_equal(t->n, n / 2 + 1);
	assert_int_equal(t->begin_us, 0);
	assert_step(MON_SPAN_SESSION, 0, 0, 1, 1);
	assert_step(MON_SPAN_SESSION, 91, 182, 9999, 9999); /* the peak of step 183 */
	assert_step(MON_SPAN_SESSION, n / 2 - 1, n - 2, n - 1, n - 1);
	assert_step(MON_SPAN_SESSION, n / 2, n, n, n);
}

static void test_history_session_merges_known_with_unknown(void **state)
{
	(void)state;
	mon_history_init(&h, 0);
	add(0, 7);
	add(3 * STEP, 8);
	mon_history_advance(&h, MON_HISTORY_LEN * STEP);
	assert_step(MON_SPAN_SESSION, 0, 7, 7, 7); /* steps 0 and 1 */
	assert_step(MON_SPAN_SESSION, 1, 8, 8, 8); /* steps 2 and 3 */
	assert_nothing(MON_SPAN_SESSION, 2);
}

static void test_history_session_holds_a_year(void **state)
{
	struct mon_track *t = &h.track[MON_SPAN_SESSION];
	const int64_t now_us = INT64_C(86400) * 365 * 1000000;

	(void)state;
	mon_history_init(&h, 0);
	add(0, 1);
	add(now_us, 2);
	assert_true(t->n <= MON_HISTORY_LEN && t->n > MON_HISTORY_LEN / 2);
	assert_true(t->begin_us + t->n * t->step_us > now_us);
	assert_step(MON_SPAN_SESSION, 0, 1, 1, 1);
	assert_step(MON_SPAN_SESSION, t->n - 1, 2, 2, 2);
}

static void test_history_next_session_starts_again_and_the_minute_goes_on(void **state)
{
	(void)state;
	mon_history_init(&h, 0);
	add(0, 1);
	mon_history_begin_session(&h, 5 * STEP + 17);
	add(5 * STEP + 17, 2);
	assert_int_equal(h.track[MON_SPAN_SESSION].n, 1);
	assert_int_equal(h.track[MON_SPAN_SESSION].begin_us, 5 * STEP + 17);
	assert_step(MON_SPAN_SESSION, 0, 2, 2, 2);
	assert_int_equal(h.track[MON_SPAN_MINUTE].n, 6);
	assert_step(MON_SPAN_MINUTE, 0, 1, 1, 1);
}

static void test_history_finished_session_stays_as_it_is(void **state)
{
	(void)state;
	mon_history_init(&h, 0);
	mon_history_begin_session(&h, 0);
	add(0, 1);
	mon_history_end_session(&h);
	add(1, 100);
	mon_history_advance(&h, 10 * STEP);
	assert_int_equal(h.track[MON_SPAN_SESSION].n, 1);
	assert_step(MON_SPAN_SESSION, 0, 1, 1, 1);
	assert_int_equal(h.track[MON_SPAN_MINUTE].n, 11);
	mon_history_begin_session(&h, 10 * STEP);
	add(10 * STEP, 3);
	assert_step(MON_SPAN_SESSION, 0, 3, 3, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_history_step_keeps_lowest_highest_and_last),
		cmocka_unit_test(test_history_series_are_apart),
		cmocka_unit_test(test_history_rounds_to_the_interface_and_stops_at_its_ends),
		cmocka_unit_test(test_history_silent_steps_are_unknown),
		cmocka_unit_test(test_history_minute_forgets_the_oldest),
		cmocka_unit_test(test_history_minute_after_a_long_silence_is_empty),
		cmocka_unit_test(test_history_session_doubles_its_steps_and_keeps_all),
		cmocka_unit_test(test_history_session_merges_known_with_unknown),
		cmocka_unit_test(test_history_session_holds_a_year),
		cmocka_unit_test(test_history_next_session_starts_again_and_the_minute_goes_on),
		cmocka_unit_test(test_history_finished_session_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
