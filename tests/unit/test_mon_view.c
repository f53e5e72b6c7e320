/* SPDX-License-Identifier: MIT */
/* The monitors' detail page and frame, on a real simulated session: what must be there, at every size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "monitor/mon_view_draw.h"
#include "tests/lib/mon_screen.h"

#include "evse_msgs.h"
#include "pev_msgs.h"

#define PRECHARGE EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_PRECHARGE
#define CHARGING  EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_CHARGING

static struct mon_screen s;

static const struct {
	int rows, cols;
} sizes[] = {{24, 80}, {30, 100}, {40, 120}, {60, 200}, {120, 320}};

#define N_SIZES (sizeof(sizes) / sizeof(*sizes))

static void need(const char *text)
{
	if (mon_screen_find(&s, 0, text, NULL) >= 0)
		return;
	mon_screen_print(&s);
	fail_msg("\"%s\" is not on the screen", text);
}

static bool has_braille(void)
{
	for (int i = 0; i < s.grid.rows * s.grid.cols; i++)
		if (s.grid.cell[i].ch > 0x2800 && s.grid.cell[i].ch <= 0x28ff)
			return true;
	return false;
}

/* --- sizes ------------------------------------------------------------------------------------------------------- */

static void test_view_too_small_says_the_size(void **state)
{
	(void)state;
	mon_screen_start(&s);
	mon_screen_draw(&s, MON_EVSE, 23, 80);
	need("The terminal has 80 x 23; 80 x 24 are needed.");
	mon_screen_draw(&s, MON_EVSE, 24, 79);
	need("79 x 24");
	for (int rows = 0; rows < 24; rows += 3)
		for (int cols = 0; cols < 79; cols++)
			mon_screen_draw(&s, MON_EVSE, rows, cols);
}

static void test_view_nothing_heard_is_a_calm_screen(void **state)
{
	(void)state;
	mon_screen_start(&s);
	for (size_t i = 0; i < N_SIZES; i++)
		for (int side = MON_EVSE; side <= MON_PEV; side++) {
			mon_screen_draw(&s, (enum mon_side)side, sizes[i].rows, sizes[i].cols);
			need("nothing heard");
			need("----");
			need("no data");
			need("q quit");
		}
	s.view[MON_EVSE].page = MON_PAGE_LIST;
	mon_screen_draw(&s, MON_EVSE, 24, 80);
	need("Listening on vcan0");
}

/* Everything that the smallest screen owes to whoever looks at it. */
static void test_view_charging_has_what_is_needed_at_every_size(void **state)
{
	(void)state;
	mon_screen_start(&s);
	mon_screen_run_to(&s, CHARGING, 8);
	for (size_t i = 0; i < N_SIZES; i++)
		for (int side = MON_EVSE; side <= MON_PEV; side++) {
			int row, col;

			mon_screen_draw(&s, (enum mon_side)side, sizes[i].rows, sizes[i].cols);
			need(side == MON_EVSE ? "EVSE 3.6  pistol 1" : "PEV 2.5");
			need("vcan0");
			need("bus ");
			need("errors 0");
			need("drops 0");
			need(side == MON_EVSE ? "E520" : "V518"); /* the explanation's code */
			need("charging: ");
			need("→ goes on until");
			need("► charging"); /* the present step by a symbol */
			need("● precharge");
			need("○ ending");
			need("Charging (7) for ");
			need("CCS ISO 15118 2013 v2 · CCS DC Extended");
			need("◄ binds");
			need("kWh");
			need("Events");
			need("Waiting for Charge → Charging");
			need("[2 detail]");
			need("q quit");
			assert_true(has_braille());
			row = mon_screen_find(&s, 0, "► charging", &col);
			assert_int_equal(s.grid.cell[row * s.grid.cols + col].style, GRID_SELECTED);
		}
}

/* The instruments say what the physics do. */
static void test_view_instruments_are_the_truth(void **state)
{
	struct mon_facts f;
	char text[VIEW_TEXT];

	(void)state;
	mon_screen_start(&s);
	mon_screen_run_to(&s, CHARGING, 8);
	mon_screen_draw(&s, MON_EVSE, 24, 80);
	mon_facts(&s.model[MON_EVSE], 1, &f);
	assert_true(f.present_mA > 90000); /* the session really charges */
	snprintf(text, sizeof(text), "Voltage  %d.%d V", f.present_mV / 1000, f.present_mV / 100 % 10);
	need(text);
	snprintf(text, sizeof(text), "Current  %d.%d A", f.present_mA / 1000, f.present_mA / 100 % 10);
	need(text);
	need("Battery     30 %");
	need("holds     76.0 kWh");
}

/* --- fields ------------------------------------------------------------------------------------------------------ */

static const struct view_panel *panels(int side, unsigned *n)
{
	*n = side == MON_EVSE ? view_evse_n_panels : view_pev_n_panels;
	return side == MON_EVSE ? view_evse_panels : view_pev_panels;
}

/* Has a row of its own in this version. */
static bool is_shown(int side, const struct view_field *f)
{
	return f->label[0] && !f->is_or &&
	       (f->format >= VIEW_RULE || view_find(&s.model[side], f->msg, f->offset) >= 0);
}

static void test_view_every_field_of_the_newest_version_is_in_sight_at_200x60(void **state)
{
	(void)state;
	mon_screen_start(&s);
	mon_screen_run_to(&s, CHARGING, 2);
	for (int side = MON_EVSE; side <= MON_PEV; side++) {
		unsigned n;
		const struct view_panel *p = panels(side, &n);

		mon_screen_draw(&s, (enum mon_side)side, 60, 200);
		for (unsigned i = 0; i < n; i++) {
			need(p[i].title);
			for (unsigned k = 0; k < p[i].n_fields; k++)
				if (is_shown(side, &p[i].fields[k]))
					need(p[i].fields[k].label);
		}
	}
}

/* Every signal of the interface has a row of some panel in the newest version. */
static void test_view_panels_leave_out_no_signal(void **state)
{
	(void)state;
	mon_screen_start(&s);
	for (int side = MON_EVSE; side <= MON_PEV; side++) {
		const struct mon_model *m = &s.model[side];
		unsigned n;
		const struct view_panel *p = panels(side, &n);

		for (unsigned msg = 0; msg < m->n_msgs; msg++)
			for (unsigned field = 0; field < m->layouts[msg].n_fields; field++) {
				unsigned offset = m->layouts[msg].fields[field].offset;
				bool is_there = side == MON_PEV &&
						msg == PEV_EVCC_MEVC_DIAGNOSTIC_STATUS; /* bits: decoded */

				for (unsigned i = 0; i < n && !is_there; i++)
					for (unsigned k = 0; k < p[i].n_fields; k++) {
						const struct view_field *f = &p[i].fields[k];

						is_there |= f->format < VIEW_RULE && f->msg == msg &&
							    offset >= f->offset &&
							    offset < f->offset + (unsigned)f->n;
					}
				if (!is_there)
					fail_msg("%s.%s is shown nowhere", m->layouts[msg].name,
						 m->layouts[msg].fields[field].signal);
			}
	}
}

static void test_view_every_field_is_reached_at_80x24_by_scrolling(void **state)
{
	static bool is_seen[32][64];

	(void)state;
	mon_screen_start(&s);
	mon_screen_run_to(&s, CHARGING, 2);
	for (int side = MON_EVSE; side <= MON_PEV; side++) {
		unsigned n;
		const struct view_panel *p = panels(side, &n);

		memset(is_seen, 0, sizeof(is_seen));
		mon_screen_draw(&s, (enum mon_side)side, 24, 80);
		for (int page = 0; page < 12; page++) {
			for (unsigned i = 0; i < n; i++)
				for (unsigned k = 0; k < p[i].n_fields; k++)
					is_seen[i][k] |=
						mon_screen_find(&s, 10, p[i].fields[k].label, NULL) >= 0;
			mon_screen_key(&s, (enum mon_side)side, MON_KEY_PAGE_DOWN);
		}
		for (unsigned i = 0; i < n; i++)
			for (unsigned k = 0; k < p[i].n_fields; k++)
				if (is_shown(side, &p[i].fields[k]) && !is_seen[i][k])
					fail_msg("%s is not reached", p[i].fields[k].label);
	}
}

/* Numbers change, their places do not. */
static void test_view_labels_stay_where_they_are(void **state)
{
	static int row[32][64], col[32][64];
	int found = 0;

	(void)state;
	for (size_t size = 0; size < N_SIZES; size++) {
		mon_screen_start(&s);
		for (int step = 0; step < 5; step++) {
			for (int side = MON_EVSE; side <= MON_PEV; side++) {
				unsigned n;
				const struct view_panel *p = panels(side, &n);

				mon_screen_draw(&s, (enum mon_side)side, sizes[size].rows, sizes[size].cols);
				for (unsigned i = 0; i < n; i++) {
					unsigned at = i + (side == MON_PEV ? 16 : 0);
					int c = -1, r = mon_screen_find(&s, 12, p[i].title, &c);

					if (step > 0)
						assert_true(r == row[at][0] && c == col[at][0]);
					row[at][0] = r;
					col[at][0] = c;
					found += r >= 0;
				}
			}
			mon_screen_run(&s, step == 0 ? 1 : 9);
		}
	}
	assert_true(found > 100);
}

static void test_view_silence_is_marked_not_only_coloured(void **state)
{
	int row, col;

	(void)state;
	mon_screen_start(&s);
	mon_screen_run_to(&s, CHARGING, 2);
	mon_screen_draw(&s, MON_EVSE, 60, 200);
	row = mon_screen_find(&s, 14, "Present voltage", &col);
	assert_true(s.grid.cell[row * 200 + col + 33].ch != '!');
	s.is_controller_muted[MON_EVSE] = true;
	mon_screen_run(&s, 5);
	mon_screen_draw(&s, MON_EVSE, 60, 200);
	row = mon_screen_find(&s, 14, "Present voltage", &col);
	assert_non_null(strstr(mon_screen_row(&s, row), "! 5s"));
	assert_int_equal(s.grid.cell[row * 200 + col + 24].style, GRID_DIM);
	need("! controller silent for 5 s");
	mon_screen_draw(&s, MON_EVSE, 24, 80);
	need(" V  !");
}

static void test_view_change_is_marked_for_a_second(void **state)
{
	struct can_frame f = {.can_id = 0x0106B200 | CAN_EFF_FLAG, .can_dlc = 8};
	int row;

	(void)state;
	mon_screen_start(&s);
	mon_screen_run_to(&s, CHARGING, 2);
	struct mon_model *m = &s.model[MON_EVSE];

	f.can_id = m->layouts[EVSE_OCPP_CONTROL].id | 1u << MSG_INDEX_SHIFT;
	f.can_dlc = 2;
	mon_model_rx(m, m->now_us, &f);
	f.data[0] = 100;
	mon_model_rx(m, m->now_us, &f);
	mon_screen_draw(&s, MON_EVSE, 60, 200);
	row = mon_screen_find(&s, 14, "OCPP target", NULL);
	assert_non_null(strstr(mon_screen_row(&s, row), "10.0 A    ·"));
	mon_screen_run(&s, 1.2);
	mon_screen_draw(&s, MON_EVSE, 60, 200);
	row = mon_screen_find(&s, 14, "OCPP target", NULL);
	assert_null(strstr(mon_screen_row(&s, row), "10.0 A    ·"));
	assert_non_null(strstr(mon_screen_row(&s, row), "10.0 A      1s"));
}

static void test_view_unknown_value_shows_its_number(void **state)
{
	struct can_frame f = {.can_dlc = 7};

	(void)state;
	mon_screen_start(&s);
	mon_screen_run_to(&s, CHARGING, 2);
	struct mon_model *m = &s.model[MON_EVSE];

	f.can_id = m->layouts[EVSE_DC_POWER_CONTROL].id | 1u << MSG_INDEX_SHIFT;
	f.data[6] = 0x0b; /* power function 11 is none */
	mon_model_rx(m, m->now_us, &f);
	mon_screen_draw(&s, MON_EVSE, 60, 200);
	need("Power function    11");
}

static void test_view_older_version_takes_no_rows_for_what_it_lacks(void **state)
{
	(void)state;
	mon_screen_start(&s);
	struct mon_cfg cfg = {.side = MON_EVSE, .version = EVSE_V3_0};

	mon_model_init(&s.model[MON_EVSE], &cfg, NULL, s.start_us);
	mon_screen_draw(&s, MON_EVSE, 60, 200);
	need("EVSE 3.0");
	need("Output bleed");
	need("Maximum current");
	assert_int_equal(mon_screen_find(&s, 0, "EV identifier", NULL), -1);
	assert_int_equal(mon_screen_find(&s, 0, "Energy wanted", NULL), -1);
	assert_int_equal(mon_screen_find(&s, 0, "MCS CE state", NULL), -1);
}

static void test_view_scrolling_ends_at_the_last_line(void **state)
{
	static char row[512];

	(void)state;
	mon_screen_start(&s);
	mon_screen_run_to(&s, CHARGING, 2);
	mon_screen_draw(&s, MON_EVSE, 24, 80);
	for (int i = 0; i < 30; i++)
		mon_screen_key(&s, MON_EVSE, MON_KEY_PAGE_DOWN);
	need("Battery %");
	snprintf(row, sizeof(row), "%s", mon_screen_row(&s, 15));
	mon_screen_key(&s, MON_EVSE, MON_KEY_UP);
	assert_string_equal(mon_screen_row(&s, 16), row);
	mon_screen_key(&s, MON_EVSE, MON_KEY_HOME);
	need("Voltage V");
	mon_screen_key(&s, MON_EVSE, MON_KEY_END);
	assert_string_equal(mon_screen_row(&s, 15), row);
}

/* --- the whole --------------------------------------------------------------------------------------------------- */

static void test_view_ascii_terminal_gets_ascii(void **state)
{
	(void)state;
	mon_screen_start(&s);
	mon_screen_run_to(&s, CHARGING, 8);
	s.grid.is_ascii = true;
	for (int side = MON_EVSE; side <= MON_PEV; side++)
		for (int page = 0; page < MON_N_PAGES; page++) {
			s.view[side].page = (enum mon_page)page;
			mon_screen_draw(&s, (enum mon_side)side, 60, 200);
			for (int i = 0; i < 60 * 200; i++)
				assert_in_range(s.grid.cell[i].ch, 0x20, 0x7e);
		}
	s.view[MON_EVSE].page = MON_PAGE_DETAIL;
	mon_screen_draw(&s, MON_EVSE, 24, 80);
	need("> charging");
	need("< binds");
	assert_true(mon_screen_find(&s, 10, "''''", NULL) > 0 || mon_screen_find(&s, 10, "....", NULL) > 0);
}

static void test_view_drawing_twice_gives_the_same(void **state)
{
	static struct mon_grid first;
	static struct mon_view view;

	(void)state;
	mon_screen_start(&s);
	mon_screen_run_to(&s, PRECHARGE, 1);
	mon_screen_draw(&s, MON_EVSE, 40, 120);
	first = s.grid;
	view = s.view[MON_EVSE];
	memset(s.grid.cell, 0x5a, sizeof(s.grid.cell));
	mon_screen_draw(&s, MON_EVSE, 40, 120);
	for (int i = 0; i < 40 * 120; i++) {
		assert_int_equal(s.grid.cell[i].ch, first.cell[i].ch);
		assert_int_equal(s.grid.cell[i].style, first.cell[i].style);
	}
	assert_memory_equal(&s.view[MON_EVSE], &view, sizeof(view));
}

/* What a terminal is sent, as runs of changed cells: goal 15, at most 6 kB/s at 10 drawings a second. */
static size_t bytes_between(const struct mon_grid *old, const struct mon_grid *new)
{
	size_t n = 0;

	for (int i = 0; i < new->rows *new->cols; i++) {
		bool is_same = new->cell[i].ch == old->cell[i].ch &&new->cell[i].style == old->cell[i].style;
		bool is_run = i > 0 && (new->cell[i - 1].ch != old->cell[i - 1].ch ||
					new->cell[i - 1].style != old->cell[i - 1].style);

		n += is_same ? 0 : (new->cell[i].ch < 0x80 ? 1 : 3) + (is_run ? 0 : 14u);
	}
	return n;
}

static void test_view_session_sends_little_to_the_terminal(void **state)
{
	static struct mon_grid before;

	(void)state;
	for (size_t size = 0; size < 4; size++)
		for (int side = MON_EVSE; side <= MON_PEV; side++) {
			size_t n = 0;
			int n_draws = 300;

			mon_screen_start(&s);
			mon_screen_draw(&s, (enum mon_side)side, sizes[size].rows, sizes[size].cols);
			for (int i = 0; i < n_draws; i++) {
				before = s.grid;
				mon_screen_run(&s, 0.1);
				mon_screen_draw(&s, (enum mon_side)side, sizes[size].rows, sizes[size].cols);
				n += bytes_between(&before, &s.grid);
			}
			assert_in_range(n * 10 / (size_t)n_draws, 100, 6000);
		}
}

static void test_view_replay_line_tells_state_speed_and_place(void **state)
{
	(void)state;
	mon_screen_start(&s);
	mon_screen_run_to(&s, CHARGING, 1);
	s.source =
		(struct mon_source){.name = "day.log", .is_replay = true, .speed = 4, .begin_us = s.start_us};
	s.source.end_us = s.start_us + INT64_C(3600000000);
	mon_screen_draw(&s, MON_EVSE, 24, 80);
	need("► play x4");
	need("01:00:00");
	need("●────");
	need("day.log");
	s.source.is_paused = true;
	s.source.speed = 0;
	s.source.n_bad_lines = 3;
	mon_screen_draw(&s, MON_EVSE, 24, 80);
	need("‖ stop max");
	need("✗ 3 bad");
	s.source.is_at_end = true;
	s.source.end_us = 0;
	mon_screen_draw(&s, MON_EVSE, 24, 80);
	need("■ end");
	need("--:--:--");
}

static void test_view_trouble_of_the_bus_is_on_top(void **state)
{
	(void)state;
	mon_screen_start(&s);
	mon_screen_run(&s, 1);
	s.model[MON_EVSE].bus.is_up = false;
	s.model[MON_EVSE].bus.n_errors = 12;
	s.model[MON_EVSE].bus.n_dropped = 7;
	s.source.is_paused = true;
	mon_screen_draw(&s, MON_EVSE, 24, 80);
	need("BUS DOWN!");
	need("errors 12");
	need("drops 7");
	need("‖ PAUSED");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_view_too_small_says_the_size),
		cmocka_unit_test(test_view_nothing_heard_is_a_calm_screen),
		cmocka_unit_test(test_view_charging_has_what_is_needed_at_every_size),
		cmocka_unit_test(test_view_instruments_are_the_truth),
		cmocka_unit_test(test_view_every_field_of_the_newest_version_is_in_sight_at_200x60),
		cmocka_unit_test(test_view_panels_leave_out_no_signal),
		cmocka_unit_test(test_view_every_field_is_reached_at_80x24_by_scrolling),
		cmocka_unit_test(test_view_labels_stay_where_they_are),
		cmocka_unit_test(test_view_silence_is_marked_not_only_coloured),
		cmocka_unit_test(test_view_change_is_marked_for_a_second),
		cmocka_unit_test(test_view_unknown_value_shows_its_number),
		cmocka_unit_test(test_view_older_version_takes_no_rows_for_what_it_lacks),
		cmocka_unit_test(test_view_scrolling_ends_at_the_last_line),
		cmocka_unit_test(test_view_ascii_terminal_gets_ascii),
		cmocka_unit_test(test_view_drawing_twice_gives_the_same),
		cmocka_unit_test(test_view_session_sends_little_to_the_terminal),
		cmocka_unit_test(test_view_replay_line_tells_state_speed_and_place),
		cmocka_unit_test(test_view_trouble_of_the_bus_is_on_top),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
