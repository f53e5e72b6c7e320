/* SPDX-License-Identifier: MIT */
/* The plots of the monitors' detail page: no peak is lost, nothing wobbles, all of a session is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/mon_screen.h"

#include "evse_msgs.h"

#define CHARGING EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_CHARGING

static struct mon_screen s;

static void need(const char *text)
{
	if (mon_screen_find(&s, 0, text, NULL) >= 0)
		return;
	mon_screen_print(&s);
	fail_msg("\"%s\" is not on the screen", text);
}

static void hear_voltage(int64_t time_us, int32_t volts)
{
	struct mon_model *m = &s.model[MON_EVSE];
	struct can_frame f = {.can_dlc = 8, .data = {(uint8_t)(volts * 10), (uint8_t)(volts * 10 >> 8)}};

	f.can_id = m->layouts[EVSE_POWER_MODULES_STATUS].id | 1u << MSG_INDEX_SHIFT;
	mon_model_rx(m, time_us, &f);
	mon_model_tick(m, time_us);
}

/* Two frames in one step of the history: the first is a peak. */
static void test_view_plot_shows_a_peak_of_one_frame(void **state)
{
	int row, n = 0;

	(void)state;
	mon_screen_start(&s);
	for (int i = 0; i < 300; i++) {
		hear_voltage(s.start_us + i * 100000 + 10000, i == 155 ? 500 : 0);
		hear_voltage(s.start_us + i * 100000 + 20000, 0);
	}
	mon_screen_draw(&s, MON_EVSE, 24, 80);
	row = mon_screen_find(&s, 10, "500┤", NULL);
	assert_true(row > 0);
	for (int col = 0; col < 39; col++)
		n += s.grid.cell[row * 80 + col].style == GRID_PLOT_A;
	assert_in_range(n, 1, 2);
	need("0.0 … 500.0");
}

/* Before and after the ring of the history is full. */
static void test_view_plot_stands_still_between_its_dots(void **state)
{
	static struct mon_grid before;
	int n_moves = 0;

	(void)state;
	mon_screen_start(&s);
	for (int i = 0; i < 1000; i++) {
		hear_voltage(s.start_us + i * 100000, i / 23 % 2 ? 400 : 0);
		mon_screen_draw(&s, MON_EVSE, 24, 80);
		int n = 0;

		/* The newest dot grows at the right end; all the others stay. */
		for (int k = 0; k < 24 * 80; k++)
			n += i > 0 && k % 80 < 37 && before.cell[k].ch != s.grid.cell[k].ch &&
			     (s.grid.cell[k].style == GRID_PLOT_A || before.cell[k].style == GRID_PLOT_A);
		n_moves += i > 300 && n > 0;
		before = s.grid;
	}
	assert_in_range(n_moves, 50, 90); /* 70 s at about one dot a second, not 700 times */
}

static void test_view_plot_joins_its_dots(void **state)
{
	(void)state;
	for (int edge = 300; edge < 310; edge++) { /* wherever it lies between two dots */
		int top, n = 0;

		mon_screen_start(&s);
		for (int i = 0; i < 600; i++)
			hear_voltage(s.start_us + i * 100000, i < edge ? 0 : 500);
		mon_screen_draw(&s, MON_EVSE, 24, 80);
		top = mon_screen_find(&s, 10, "500┤", NULL);
		for (int col = 7; col < 39; col++) {
			int n_rows = 0;

			for (int row = top; row < top + 5; row++)
				n_rows += s.grid.cell[row * 80 + col].style == GRID_PLOT_A;
			n += n_rows == 5;
		}
		assert_int_equal(n, 1); /* from the bottom to the top */
	}
}

static void test_view_plot_of_the_session_keeps_all_of_it(void **state)
{
	int row, first = -1;

	(void)state;
	mon_screen_start(&s);
	mon_screen_run(&s, 0.1); /* nothing but the idle charge point */
	for (int i = 0; i < 2000; i++)
		hear_voltage(s.start_us + 100000 + i * 100000, i < 20 ? 500 : 0);
	s.view[MON_EVSE].span = MON_SPAN_SESSION;
	mon_screen_draw(&s, MON_EVSE, 24, 80);
	row = mon_screen_find(&s, 10, "500┤", NULL);
	assert_true(row > 0);
	for (int col = 39; col >= 0; col--)
		if (s.grid.cell[row * 80 + col].style == GRID_PLOT_A)
			first = col;
	assert_in_range(first, 7, 9); /* 200 s ago: at the left */
	s.view[MON_EVSE].span = MON_SPAN_MINUTE;
	mon_screen_draw(&s, MON_EVSE, 24, 80);
	need("0.0 … 0.0");
}

static void test_view_w_toggles_minute_and_session(void **state)
{
	(void)state;
	mon_screen_start(&s);
	mon_screen_run_to(&s, CHARGING, 2);
	mon_screen_draw(&s, MON_EVSE, 40, 120);
	need("now");
	mon_screen_key(&s, MON_EVSE, 'w');
	assert_int_equal(mon_screen_find(&s, 0, "now", NULL), -1);
	mon_screen_key(&s, MON_EVSE, 'w');
	need("now");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_view_plot_shows_a_peak_of_one_frame),
		cmocka_unit_test(test_view_plot_stands_still_between_its_dots),
		cmocka_unit_test(test_view_plot_joins_its_dots),
		cmocka_unit_test(test_view_plot_of_the_session_keeps_all_of_it),
		cmocka_unit_test(test_view_w_toggles_minute_and_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
