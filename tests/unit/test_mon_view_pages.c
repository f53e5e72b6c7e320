/* SPDX-License-Identifier: MIT */
/* The monitors' list, messages, events and help pages, and the keys. */
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

#define CHARGING EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_CHARGING

static struct mon_screen s;

static void need(const char *text)
{
	if (mon_screen_find(&s, 0, text, NULL) >= 0)
		return;
	mon_screen_print(&s);
	fail_msg("\"%s\" is not on the screen", text);
}

static void need_not(const char *text)
{
	if (mon_screen_find(&s, 0, text, NULL) < 0)
		return;
	mon_screen_print(&s);
	fail_msg("\"%s\" is on the screen", text);
}

static enum mon_action key(int k)
{
	return mon_view_key(&s.view[s.side], &s.model[s.side], &s.source, k);
}

/* A status of another pistol. */
static void hear_pistol(unsigned pistol, uint8_t state)
{
	struct mon_model *m = &s.model[MON_EVSE];
	struct can_frame f = {.can_dlc = 1, .data = {state}};

	f.can_id = m->layouts[EVSE_ADVANTICS_CONTROLLER_STATUS].id | pistol << MSG_INDEX_SHIFT;
	mon_model_rx(m, m->now_us, &f);
}

static void start_charging(void)
{
	mon_screen_start(&s);
	mon_screen_run_to(&s, CHARGING, 8);
	mon_screen_draw(&s, MON_EVSE, 24, 80);
}

/* --- list -------------------------------------------------------------------------------------------------------- */

static void test_list_is_sorted_and_sums_up(void **state)
{
	int at[3];

	(void)state;
	start_charging();
	hear_pistol(12, 1);
	hear_pistol(3, 12);
	s.view[MON_EVSE].page = MON_PAGE_LIST;
	mon_screen_draw(&s, MON_EVSE, 24, 80);
	need("3 pistols");
	at[0] = mon_screen_find(&s, 0, "► 1 Charging", NULL);
	at[1] = mon_screen_find(&s, 0, "  3 Not Available", NULL);
	at[2] = mon_screen_find(&s, 0, " 12 Waiting for PEV", NULL);
	assert_true(at[0] > 0 && at[1] == at[0] + 1 && at[2] == at[1] + 1);
	need("all together");
	need("E520 Charging");
	need("charging: "); /* the explanation of the chosen one, in full */
	assert_int_equal(s.grid.cell[at[0] * 80].style, GRID_SELECTED);
}

static void test_list_comes_by_itself_with_a_second_pistol_until_a_page_is_chosen(void **state)
{
	struct mon_view *v = &s.view[MON_EVSE];

	(void)state;
	mon_view_init(v, &s.model[MON_EVSE]);
	mon_screen_draw(&s, MON_EVSE, 24, 80);
	assert_int_equal(v->page, MON_PAGE_LIST); /* nothing heard yet */
	start_charging();
	mon_view_init(v, &s.model[MON_EVSE]);
	mon_screen_draw(&s, MON_EVSE, 24, 80);
	assert_int_equal(v->page, MON_PAGE_DETAIL);
	hear_pistol(3, 12);
	mon_screen_draw(&s, MON_EVSE, 24, 80);
	assert_int_equal(v->page, MON_PAGE_LIST);
	mon_screen_key(&s, MON_EVSE, MON_KEY_ENTER);
	mon_screen_draw(&s, MON_EVSE, 24, 80);
	assert_int_equal(v->page, MON_PAGE_DETAIL);
}

static void test_list_cursor_chooses_and_enter_opens(void **state)
{
	(void)state;
	start_charging();
	hear_pistol(12, 1);
	hear_pistol(3, 12);
	s.view[MON_EVSE].page = MON_PAGE_LIST;
	mon_screen_key(&s, MON_EVSE, MON_KEY_DOWN);
	need("► 3 Not Available");
	mon_screen_key(&s, MON_EVSE, MON_KEY_END);
	need("► 12 Waiting");
	mon_screen_key(&s, MON_EVSE, MON_KEY_DOWN);
	need("► 12 Waiting");
	mon_screen_key(&s, MON_EVSE, MON_KEY_ENTER);
	assert_int_equal(s.view[MON_EVSE].page, MON_PAGE_DETAIL);
	need("pistol 12 (3 heard)");
	mon_screen_key(&s, MON_EVSE, MON_KEY_ESCAPE);
	assert_int_equal(s.view[MON_EVSE].page, MON_PAGE_LIST);
	mon_screen_key(&s, MON_EVSE, MON_KEY_HOME);
	need("► 1 Charging");
}

static void test_list_has_room_for_all_pistols_at_the_smallest_size(void **state)
{
	(void)state;
	start_charging();
	for (unsigned i = 2; i < MON_N_POINTS; i++)
		hear_pistol(i, 1);
	s.view[MON_EVSE].page = MON_PAGE_LIST;
	mon_screen_draw(&s, MON_EVSE, 24, 80);
	need(" 15 Waiting for PEV"); /* all fifteen */
	need("► 1 Charging");
}

/* --- messages ---------------------------------------------------------------------------------------------------- */

static void test_messages_tell_timing_and_content(void **state)
{
	int row;

	(void)state;
	start_charging();
	s.view[MON_EVSE].page = MON_PAGE_MESSAGES;
	mon_screen_draw(&s, MON_EVSE, 24, 80);
	row = mon_screen_find(&s, 0, "M Advantics_Controlle", NULL);
	assert_true(row > 0);
	assert_non_null(strstr(mon_screen_row(&s, row), "100/100"));
	assert_non_null(strstr(mon_screen_row(&s, row), " 07"));
	row = mon_screen_find(&s, 0, "C Power_Modules_Status", NULL);
	assert_non_null(strstr(mon_screen_row(&s, row), "63000"));
	need("ours");
	need("foreign");
	need("error frames");
	need("heard for ");
	mon_screen_draw(&s, MON_EVSE, 40, 180);
	need("EV_Information_Discharge_Limits 0106B103");
	need("State Charging");
	need("M OCPP_Control");
}

static void test_messages_every_one_is_reached_at_80x24(void **state)
{
	(void)state;
	start_charging();
	s.view[MON_EVSE].page = MON_PAGE_MESSAGES;
	mon_screen_draw(&s, MON_EVSE, 24, 80);
	need_not("OCPP_Control");
	mon_screen_key(&s, MON_EVSE, MON_KEY_PAGE_DOWN);
	need("OCPP_Control");
	mon_screen_key(&s, MON_EVSE, MON_KEY_HOME);
	need("Power_Modules_Status");
}

static void test_messages_lost_and_changed_are_marked(void **state)
{
	int row;

	(void)state;
	start_charging();
	s.is_controller_muted[MON_EVSE] = true;
	mon_screen_run(&s, 3);
	s.view[MON_EVSE].page = MON_PAGE_MESSAGES;
	mon_screen_draw(&s, MON_EVSE, 40, 120);
	row = mon_screen_find(&s, 0, "C Power_Modules_Status", NULL);
	assert_non_null(strstr(mon_screen_row(&s, row), "✗"));
	assert_non_null(strstr(mon_screen_row(&s, row), "3s"));
	hear_pistol(1, 8); /* a change of the first byte */
	mon_screen_draw(&s, MON_EVSE, 40, 120);
	row = mon_screen_find(&s, 0, "M Advantics_Controller_Status", NULL);
	assert_non_null(strstr(mon_screen_row(&s, row), "·08"));
	assert_null(strstr(mon_screen_row(&s, row), "✗"));
}

/* --- events ------------------------------------------------------------------------------------------------------ */

static void test_events_have_clock_and_session_time(void **state)
{
	(void)state;
	start_charging();
	s.view[MON_EVSE].page = MON_PAGE_EVENTS;
	mon_screen_draw(&s, MON_EVSE, 40, 120);
	need("+0.000   session begins");
	need(" 14:00:0");
	need("state Waiting for Charge → Charging");
}

/* Events at times of their own, so that every line is different. */
static void make_events(int n)
{
	static uint8_t status = 7;
	struct mon_model *m = &s.model[MON_EVSE];

	for (int i = 0; i < n; i++) {
		status = status == 7 ? 8 : 7;
		mon_model_tick(m, m->now_us + 1000);
		hear_pistol(1, status);
	}
	mon_screen_draw(&s, MON_EVSE, 24, 80);
}

static void test_events_follow_until_scrolled(void **state)
{
	static char first[256];

	(void)state;
	start_charging();
	s.view[MON_EVSE].page = MON_PAGE_EVENTS;
	make_events(300); /* more than are kept */
	assert_true(s.view[MON_EVSE].is_log_following);
	snprintf(first, sizeof(first), "%s", mon_screen_row(&s, 22));
	make_events(1);
	assert_string_equal(mon_screen_row(&s, 21), first);
	mon_screen_key(&s, MON_EVSE, MON_KEY_UP);
	assert_false(s.view[MON_EVSE].is_log_following);
	need("scrolled back");
	assert_string_equal(mon_screen_row(&s, 22), first);
	snprintf(first, sizeof(first), "%s", mon_screen_row(&s, 2));
	make_events(21);
	assert_string_equal(mon_screen_row(&s, 2), first); /* what is read stays */
	mon_screen_key(&s, MON_EVSE, MON_KEY_END);
	assert_true(s.view[MON_EVSE].is_log_following);
	need_not("scrolled back");
	mon_screen_key(&s, MON_EVSE, MON_KEY_HOME);
	assert_false(s.view[MON_EVSE].is_log_following);
	for (int i = 0; i < 20; i++)
		mon_screen_key(&s, MON_EVSE, MON_KEY_PAGE_DOWN);
	assert_true(s.view[MON_EVSE].is_log_following); /* at the end by moving */
}

static void test_events_that_fell_out_of_the_store_are_skipped(void **state)
{
	(void)state;
	start_charging();
	s.view[MON_EVSE].page = MON_PAGE_EVENTS;
	mon_screen_draw(&s, MON_EVSE, 24, 80);
	mon_screen_key(&s, MON_EVSE, MON_KEY_HOME);
	for (int i = 0; i < 3 * MON_N_EVENTS; i++)
		hear_pistol(1, i % 2 ? 7 : 8);
	mon_screen_draw(&s, MON_EVSE, 24, 80);
	need("state Charging → Ending Charge");
	need("/256");
}

/* --- help and keys ----------------------------------------------------------------------------------------------- */

static void test_help_lists_every_situation(void **state)
{
	static bool is_seen[512];

	(void)state;
	start_charging();
	s.view[MON_EVSE].page = MON_PAGE_HELP;
	mon_screen_draw(&s, MON_EVSE, 24, 80);
	need_not("…"); /* all of it fits */
	need("a request out of the ordinary");
	assert_in_range(explain_count(), 30, 512);
	for (int page = 0; page < 20; page++) {
		for (size_t i = 0; i < explain_count(); i++) {
			char text[64];

			snprintf(text, sizeof(text), " %s  ", explain_get(i)->code);
			is_seen[i] |= mon_screen_find(&s, 0, text, NULL) > 0;
		}
		mon_screen_key(&s, MON_EVSE, MON_KEY_PAGE_DOWN);
	}
	for (size_t i = 0; i < explain_count(); i++)
		assert_true(is_seen[i]);
}

static void test_keys_change_pages(void **state)
{
	static const enum mon_page page[] = {MON_PAGE_LIST, MON_PAGE_DETAIL, MON_PAGE_MESSAGES,
					     MON_PAGE_EVENTS, MON_PAGE_HELP};

	(void)state;
	start_charging();
	struct mon_view *v = &s.view[MON_EVSE];

	for (int i = 0; i < 5; i++) {
		key('1' + i);
		assert_int_equal(v->page, page[i]);
	}
	assert_int_equal(key('5'), MON_ACT_NONE);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(key(MON_KEY_TAB), MON_ACT_REDRAW);
		assert_int_equal(v->page, page[i]);
	}
	key('3');
	key('?');
	assert_int_equal(v->page, MON_PAGE_HELP);
	key('?');
	assert_int_equal(v->page, MON_PAGE_MESSAGES);
	assert_int_equal(key(MON_KEY_ENTER), MON_ACT_NONE);
	assert_int_equal(key('y'), MON_ACT_NONE);
	assert_int_equal(key('q'), MON_ACT_QUIT);
	assert_int_equal(key(' '), MON_ACT_PAUSE);
}

static void test_keys_choose_among_heard_pistols(void **state)
{
	(void)state;
	start_charging();
	struct mon_view *v = &s.view[MON_EVSE];

	assert_int_equal(key('n'), MON_ACT_NONE);
	hear_pistol(9, 1);
	assert_int_equal(key('n'), MON_ACT_REDRAW);
	assert_int_equal(v->point, 9);
	key('+');
	assert_int_equal(v->point, 9);
	key('p');
	assert_int_equal(v->point, 1);
	key(MON_KEY_RIGHT); /* on a bus left and right do the same */
	assert_int_equal(v->point, 9);
	key(MON_KEY_LEFT);
	key('-');
	assert_int_equal(v->point, 1);
	v->point = 7; /* not heard: drawing chooses the first that is */
	mon_screen_draw(&s, MON_EVSE, 24, 80);
	assert_int_equal(v->point, 1);
}

static void test_keys_of_replay_do_nothing_on_a_bus(void **state)
{
	static const int keys[] = {'.', '[', ']', '<', '>'};

	(void)state;
	start_charging();
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		assert_int_equal(key(keys[i]), MON_ACT_NONE);
}

static void test_keys_of_replay_step_seek_and_speed(void **state)
{
	(void)state;
	start_charging();
	s.source.is_replay = true;
	struct mon_view *v = &s.view[MON_EVSE];

	assert_int_equal(key('.'), MON_ACT_STEP);
	assert_int_equal(key('>'), MON_ACT_FASTER);
	assert_int_equal(key('<'), MON_ACT_SLOWER);
	assert_int_equal(key(MON_KEY_LEFT), MON_ACT_SEEK);
	assert_int_equal(v->seek_us, -10000000);
	assert_int_equal(key(MON_KEY_RIGHT), MON_ACT_SEEK);
	assert_int_equal(v->seek_us, 10000000);
	assert_int_equal(key('['), MON_ACT_SEEK);
	assert_int_equal(v->seek_us, -60000000);
	assert_int_equal(key(']'), MON_ACT_SEEK);
	assert_int_equal(v->seek_us, 60000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_is_sorted_and_sums_up),
		cmocka_unit_test(test_list_comes_by_itself_with_a_second_pistol_until_a_page_is_chosen),
		cmocka_unit_test(test_list_cursor_chooses_and_enter_opens),
		cmocka_unit_test(test_list_has_room_for_all_pistols_at_the_smallest_size),
		cmocka_unit_test(test_messages_tell_timing_and_content),
		cmocka_unit_test(test_messages_every_one_is_reached_at_80x24),
		cmocka_unit_test(test_messages_lost_and_changed_are_marked),
		cmocka_unit_test(test_events_have_clock_and_session_time),
		cmocka_unit_test(test_events_follow_until_scrolled),
		cmocka_unit_test(test_events_that_fell_out_of_the_store_are_skipped),
		cmocka_unit_test(test_help_lists_every_situation),
		cmocka_unit_test(test_keys_change_pages),
		cmocka_unit_test(test_keys_choose_among_heard_pistols),
		cmocka_unit_test(test_keys_of_replay_do_nothing_on_a_bus),
		cmocka_unit_test(test_keys_of_replay_step_seek_and_speed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
