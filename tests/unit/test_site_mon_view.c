/* SPDX-License-Identifier: MIT */
/* What the site's monitor shows: the screen, text and JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "monitor/site_mon_text.h"
#include "tests/lib/json_check.h"
#include "tests/lib/site_mon_rig.h"

#define TEXT_SIZE 65536

/* --- screen -------------------------------------------------------------------------------------------- */

static bool on_screen(struct smon_rig *r, int rows, int cols, const char *text)
{
	static char line[4 * GRID_MAX_COLS + 1];
	const struct mon_source s = {.name = "can0", .wall_us = r->now_us, .speed = 1};
	bool is_there = false;
	int i;

	grid_reset(&r->grid, rows, cols, false);
	smon_view_draw(&r->view, &r->model, &r->names, &s, &r->grid);
	for (i = 0; i < r->grid.rows; i++) {
		grid_row_text(&r->grid, i, line, sizeof(line));
		is_there |= strstr(line, text) != NULL;
	}
	return is_there;
}

static void key(struct smon_rig *r, int k, enum mon_action want)
{
	const struct mon_source s = {.name = "can0", .speed = 1};

	assert_int_equal(smon_view_key(&r->view, &r->model, &r->names, &s, k), want);
}

static void test_smon_screen_shows_points_rows_and_events(void **state)
{
	struct smon_rig *r = *state;

	smon_rig_report(r, 100, 255, 0);
	smon_rig_grant(r, 100, 0, 16000);
	smon_rig_report(r, 101, 1, 0);
	smon_rig_row(r, 7, 16000, 20000);
	smon_rig_status(r, 0);
	snprintf(r->names.row[7].name, sizeof(r->names.row[7].name), "feeder L1");
	snprintf(r->names.point[0][SMON_RIG_POINT].name, SMON_NAME_MAX, "bay 3");
	r->names.n_rows = 8;
	assert_true(on_screen(r, 24, 80, "feeder L1"));
	assert_true(on_screen(r, 24, 80, "room 4.0 A"));
	assert_true(on_screen(r, 24, 80, "bay 3"));
	assert_true(on_screen(r, 24, 80, "policy fair"));
	assert_true(on_screen(r, 24, 80, "no limit exceeded"));
	key(r, '2', MON_ACT_REDRAW);
	assert_true(on_screen(r, 24, 80, "10s feeder L1"));
	assert_true(on_screen(r, 24, 150, "10s      0 limit feeder L1"));
	assert_true(on_screen(r, 24, 80, "42  20.5  1:30"));
	key(r, MON_KEY_TAB, MON_ACT_REDRAW);
	assert_true(on_screen(r, 24, 80, "heard: charging"));
	smon_rig_row(r, 7, 26000, 20000);
	key(r, '1', MON_ACT_REDRAW);
	assert_true(on_screen(r, 24, 80, "-6.0  OVER"));
	assert_true(on_screen(r, 24, 80, "! 1 limit may be exceeded, tightest feeder L1: 26.0 of 20.0 A"));
}

/*
 * A file with a tree: "main" with a power limit and "bay 3", and "bay 9" that nobody hears; row 8 is a
 * constraint.
 */
static void name_tree(struct smon_rig *r)
{
	struct smon_names *n = &r->names;
	unsigned k;

	snprintf(n->site, sizeof(n->site), "main");
	n->n_nodes = 2;
	n->n_rows = 9;
	for (k = 0; k < 4; k++)
		n->node[0].row[k] = n->node[1].row[k] = SMON_NO_ROW;
	snprintf(n->node[0].name, SMON_NAME_MAX, "main");
	n->node[0].row[3] = 7;
	n->n_main = 1;
	n->main_row[0] = 7;
	n->row[7] = (struct smon_named_row){"main power", 300000, 230000, true};
	n->row[8] = (struct smon_named_row){"duct", 75000, 0, false};
	snprintf(n->node[1].name, SMON_NAME_MAX, "street");
	n->node[1].depth = 1;
	n->point[0][SMON_RIG_POINT] = (struct smon_named_point){"bay 3", "L1L2L3", 0, 32000};
	n->point[0][9] = (struct smon_named_point){"bay 9", "L1", 1, 16000};
	for (k = 0; k < 7; k++)
		n->row[k].is_in_tree = true;
}

static void test_smon_tree_of_a_file_shows_power_in_kW_and_who_is_not_heard(void **state)
{
	struct smon_rig *r = *state;

	name_tree(r);
	smon_rig_report(r, 100, 255, 0);
	smon_rig_row(r, 7, 100000, 200000);
	smon_rig_row(r, 8, 20000, 75000);
	assert_true(on_screen(r, 24, 80, " main power  drawn 3.6  may 23.0  limit 46.0  room 23.0 kW"));
	assert_true(on_screen(r, 24, 80, "►main                   kW"));
	assert_true(on_screen(r, 24, 110, "of 69.0"));
	assert_true(on_screen(r, 24, 80, "   street"));
	assert_true(on_screen(r, 24, 80, " duct  "));
	assert_true(on_screen(r, 24, 80, "1 of 2 report"));
	assert_true(on_screen(r, 24, 80, "bay 9"));
	key(r, '2', MON_ACT_REDRAW);
	assert_true(on_screen(r, 24, 80, " bay 9        unheard"));
}

static void test_smon_chosen_line_is_kept_from_page_to_page(void **state)
{
	struct smon_rig *r = *state;

	name_tree(r);
	smon_rig_report(r, 100, 255, 0);
	smon_rig_row(r, 7, 100000, 200000);
	assert_true(on_screen(r, 24, 80, " main power kW, ten minutes "));
	key(r, 'w', MON_ACT_REDRAW);
	assert_true(on_screen(r, 24, 80, " main power kW, since the start "));
	key(r, MON_KEY_DOWN, MON_ACT_REDRAW);
	assert_true(on_screen(r, 24, 80, " bay 3 · number 3 on bus 0 · at main · L1L2L3 · up to 32.0 A "));
	key(r, MON_KEY_DOWN, MON_ACT_REDRAW);
	key(r, MON_KEY_DOWN, MON_ACT_REDRAW);
	key(r, '2', MON_ACT_REDRAW);
	assert_true(on_screen(r, 24, 80, "►bay 9"));
	key(r, MON_KEY_UP, MON_ACT_REDRAW); /* before the next drawing as well */
	key(r, '1', MON_ACT_REDRAW);
	assert_true(on_screen(r, 24, 80, "►  ╴ bay 3"));
	key(r, MON_KEY_ENTER, MON_ACT_REDRAW);
	assert_false(on_screen(r, 24, 80, "number 3 on bus 0"));
}

static bool is_above(struct smon_rig *r, const char *upper, const char *lower)
{
	char line[4 * GRID_MAX_COLS + 1];
	int i, at = -1;

	on_screen(r, 24, 80, "");
	for (i = 0; i < r->grid.rows; i++) {
		grid_row_text(&r->grid, i, line, sizeof(line));
		if (strstr(line, lower))
			return at >= 0;
		if (strstr(line, upper))
			at = i;
	}
	return false;
}

static void test_smon_points_are_sorted(void **state)
{
	struct smon_rig *r = *state;
	struct site_point_report m = {.number = 1, .ack_age = 255, .state = SITE_POINT_REPORT_STATE_FAULT};

	snprintf(r->names.point[0][9].name, SMON_NAME_MAX, "annex");
	snprintf(r->names.point[0][SMON_RIG_POINT].name, SMON_NAME_MAX, "yard");
	key(r, MON_KEY_ENTER, MON_ACT_REDRAW);
	key(r, '2', MON_ACT_REDRAW);
	smon_rig_report(r, 100, 255, 0);
	smon_rig_send(r, SITE_POINT_REPORT, 9, &m);
	assert_true(is_above(r, "yard", "annex")); /* by number */
	key(r, 's', MON_ACT_REDRAW);
	assert_true(is_above(r, "annex", "yard")); /* by name */
	key(r, 's', MON_ACT_REDRAW);
	assert_true(is_above(r, "annex", "yard")); /* a fault first */
	key(r, 's', MON_ACT_REDRAW);
	assert_true(is_above(r, "yard", "annex")); /* wants more than it has */
	key(r, 's', MON_ACT_REDRAW);
	assert_true(is_above(r, "yard", "annex")); /* leaves sooner */
}

static void test_smon_events_stay_where_they_are_read(void **state)
{
	struct smon_rig *r = *state;
	int i;

	for (i = 0; i < 100; i++)
		smon_rig_status(r, (uint8_t)(i % 2));
	key(r, '3', MON_ACT_REDRAW);
	on_screen(r, 24, 80, "");
	key(r, MON_KEY_DOWN, MON_ACT_REDRAW);
	on_screen(r, 24, 80, "");
	smon_rig_status(r, 2);
	on_screen(r, 24, 80, "");
	assert_int_equal(r->view.top[SMON_PAGE_EVENTS], 1 + 2); /* one alarm went, one came */
	key(r, MON_KEY_HOME, MON_ACT_REDRAW);
	smon_rig_status(r, 0);
	assert_true(on_screen(r, 24, 80, "over: a meter is stale"));
}

static void test_smon_events_are_filtered(void **state)
{
	struct smon_rig *r = *state;

	name_tree(r);
	smon_rig_report(r, 100, 255, 0);
	smon_rig_grant(r, 100, 0, 16000);
	smon_rig_grant(r, 100, 1, 6000);
	smon_rig_status(r, 0);
	key(r, '3', MON_ACT_REDRAW);
	assert_true(on_screen(r, 24, 80, "lowered 16.0 → 6.0 A: limit (main power)"));
	key(r, 'f', MON_ACT_REDRAW);
	assert_false(on_screen(r, 24, 80, "lowered"));
	assert_true(on_screen(r, 24, 80, "policy fair"));
	key(r, '2', MON_ACT_REDRAW);
	key(r, MON_KEY_HOME, MON_ACT_REDRAW);
	key(r, '3', MON_ACT_REDRAW);
	key(r, 'f', MON_ACT_REDRAW);
	assert_true(on_screen(r, 24, 80, "lowered"));
	assert_false(on_screen(r, 24, 80, "  policy fair"));
}

static void test_smon_screen_of_any_size_stays_inside(void **state)
{
	struct smon_rig *r = *state;
	int rows, cols, page;

	name_tree(r);
	smon_rig_report(r, 100, 255, 0);
	smon_rig_status(r, 31);
	smon_rig_row(r, 7, 16000, 0);
	smon_rig_row(r, 500, 6553500, 6553500);
	smon_rig_send(r, SITE_POINT_SESSION, SMON_RIG_POINT,
		      &(const struct site_point_session){.energy_wanted = 65534,
							 .departure = 65534,
							 .plugged_for = 65535,
							 .state_of_charge = 100,
							 .priority = 255});
	key(r, '2', MON_ACT_REDRAW);
	key(r, MON_KEY_HOME, MON_ACT_REDRAW);
	for (page = 0; page < SMON_N_PAGES; page++) {
		key(r, '1' + page, MON_ACT_REDRAW);
		for (rows = 1; rows < 60; rows += 3)
			for (cols = 1; cols < 200; cols += 13)
				on_screen(r, rows, cols, "");
	}
	assert_true(on_screen(r, 5, 20, "too small"));
}

static void test_smon_keys_scroll_within_the_list(void **state)
{
	struct smon_rig *r = *state;
	int i;

	for (i = 0; i < 100; i++)
		smon_rig_row(r, (uint16_t)i, 1000, 2000);
	on_screen(r, 24, 80, "");
	key(r, MON_KEY_END, MON_ACT_REDRAW);
	assert_true(on_screen(r, 24, 80, "row 99"));
	key(r, MON_KEY_DOWN, MON_ACT_REDRAW);
	assert_true(on_screen(r, 24, 80, "►row 99"));
	key(r, MON_KEY_HOME, MON_ACT_REDRAW);
	assert_true(on_screen(r, 24, 80, "►row 0"));
	key(r, 'q', MON_ACT_QUIT);
	key(r, ' ', MON_ACT_PAUSE);
	key(r, MON_KEY_LEFT, MON_ACT_NONE); /* a bus cannot be sought */
}

/* --- text and JSON ------------------------------------------------------------------------------------- */

struct said {
	struct smon_text text;
	char out[TEXT_SIZE];
	size_t n;
};

static int catch_text(void *ctx, const char *text, size_t n)
{
	struct said *s = ctx;

	assert_true(s->n + n < TEXT_SIZE);
	memcpy(s->out + s->n, text, n);
	s->n += n;
	s->out[s->n] = '\0';
	return 0;
}

/* Some events and a snapshot. */
static void play(struct smon_rig *r, struct said *s, enum mon_text_form form)
{
	const struct smon_sink sink = {&s->text, smon_text_event};

	memset(s, 0, sizeof(*s));
	smon_init(&r->model, &sink, r->now_us);
	smon_text_init(&s->text, &r->model, &r->names, form, catch_text, s);
	snprintf(r->names.point[0][SMON_RIG_POINT].name, SMON_NAME_MAX, "bay \"3\"\n\xff");
	smon_rig_report(r, 100, 255, 0);
	smon_rig_grant(r, 100, 0, 16000);
	smon_rig_report(r, 101, 1, 0);
	smon_rig_row(r, 7, 26000, 20000);
	smon_rig_status(r, 4);
	assert_int_equal(smon_text_snapshot(&s->text), 0);
}

static void test_smon_text_has_a_line_per_event_and_a_snapshot(void **state)
{
	struct smon_rig *r = *state;
	static struct said s; /* large */

	play(r, &s, MON_TEXT_LINES);
	assert_non_null(strstr(s.out, "1700000000.000000 site bad somebody draws more than granted\n"));
	assert_non_null(strstr(
		s.out, "snapshot site running policy fair main \"row 7\" drawn 15.5 A may_draw 26.0 A"));
	assert_non_null(strstr(s.out, "row \"row 7\" drawn 15.5 A may_draw 26.0 A limit 20.0 A OVER\n"));
	assert_null(utf8_check(s.out, s.n));
}

static void test_smon_json_is_valid_line_by_line(void **state)
{
	struct smon_rig *r = *state;
	static struct said s; /* large */
	const char *line;
	size_t n;

	play(r, &s, MON_TEXT_JSON);
	for (line = s.out; *line; line += n + 1) {
		n = strcspn(line, "\n");
		if (json_check(line, n))
			fail_msg("not JSON at \"%.60s\" of %.*s", json_check(line, n), (int)n, line);
	}
	assert_non_null(strstr(s.out, "\"granted_A\":16.0"));
	assert_non_null(strstr(s.out, "\"is_over\":true"));
	assert_non_null(strstr(s.out, "\"alarms\":[\"overdrawn\"]"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, smon_rig_set_up, smon_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_smon_screen_shows_points_rows_and_events),
		TEST(test_smon_tree_of_a_file_shows_power_in_kW_and_who_is_not_heard),
		TEST(test_smon_chosen_line_is_kept_from_page_to_page),
		TEST(test_smon_points_are_sorted),
		TEST(test_smon_events_stay_where_they_are_read),
		TEST(test_smon_events_are_filtered),
		TEST(test_smon_screen_of_any_size_stays_inside),
		TEST(test_smon_keys_scroll_within_the_list),
		TEST(test_smon_text_has_a_line_per_event_and_a_snapshot),
		TEST(test_smon_json_is_valid_line_by_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
