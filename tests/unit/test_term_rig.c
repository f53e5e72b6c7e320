/* SPDX-License-Identifier: MIT */
/*
 * The terminal under test itself, with the shell as the program: what it shows, what it counts, what it notices of
 * a terminal that was left in disorder.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/term_rig.h"

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct term_rig));
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	term_end(*state);
	free(*state);
	return 0;
}

static void run_shell(struct term_rig *t, const char *script)
{
	const char *argv[] = {"/bin/sh", "-c", script, NULL};

	assert_int_equal(term_start(t, argv, NULL, 24, 80), 0);
}

static void expect_text(struct term_rig *t, const char *text)
{
	if (term_wait_text(t, text))
		return;
	term_show(t);
	fail_msg("never shown: %s", text);
}

static void test_rig_text_is_found_where_it_stands(void **state)
{
	struct term_rig *t = *state;
	int row, col;

	run_shell(t, "printf '\\033[5;11Hgrün 24 °C │'; read x");
	expect_text(t, "24 °C");
	assert_true(term_find(t, "24 °C", &row, &col));
	assert_int_equal(row, 4);
	assert_int_equal(col, 15);
	assert_int_equal(term_cell(t, 4, 21).ch, 0x2502);
	assert_int_equal(term_cell(t, 4, 70).ch, ' ');
}

static void test_rig_attributes_and_colours_are_read(void **state)
{
	struct term_rig *t = *state;
	struct term_cell c;

	run_shell(
		t,
		"printf '\\033[1;33mA\\033[0;2mB\\033[22mC\\033[0;7;38;5;208mD\\033[0mE\\033[48;5;2mF'; read x");
	expect_text(t, "ABCDEF");
	c = term_cell(t, 0, 0);
	assert_true(c.is_bold && !c.is_dim && c.fg == 3 && c.bg == -1);
	c = term_cell(t, 0, 1);
	assert_true(c.is_dim && !c.is_bold && c.fg == -1);
	c = term_cell(t, 0, 2);
	assert_true(!c.is_dim && !c.is_bold);
	c = term_cell(t, 0, 3);
	assert_true(c.is_reverse && c.fg == 208);
	c = term_cell(t, 0, 4);
	assert_true(!c.is_reverse && c.fg == -1 && c.bg == -1);
	c = term_cell(t, 0, 5);
	assert_true(c.bg == 2 && !c.is_dim);
}

/* What ncurses may use of this terminal and an emulator may lack: repeat, erase and insert characters. */
static void test_rig_knows_what_terminfo_promises(void **state)
{
	struct term_rig *t = *state;

	run_shell(
		t,
		"printf 'x\\033[4b|abcdef\\033[4D\\033[2X\\r\\n'; tput rep 121 12; tput cup 7 3; tput ech 2;"
		"printf done; read x");
	expect_text(t, "done");
	expect_text(t, "xxxxx|ab  ef");
	expect_text(t, "yyyyyyyyyyyy");
}

static void test_rig_keys_and_sizes_reach_the_program(void **state)
{
	struct term_rig *t = *state;

	run_shell(t, "trap 'echo size $(stty size)' WINCH; stty size; while read x; do echo got $x; done");
	expect_text(t, "24 80");
	term_send(t, "hello\r");
	expect_text(t, "got hello");
	term_resize(t, 60, 200);
	/* The shell runs the trap when its read has returned. */
	term_send(t, "more\r");
	expect_text(t, "size 60 200");
	assert_true(term_cell(t, 59, 199).ch == ' ');
}

static void test_rig_disorder_at_the_end_is_noticed(void **state)
{
	struct term_rig *t = *state;

	run_shell(
		t,
		"tput smcup; tput civis; tput clear; echo in; read x; tput rmcup; echo out; read x; tput cnorm");
	expect_text(t, "in");
	assert_true(t->is_alternate);
	assert_false(t->is_cursor_visible);
	assert_true(t->n_clears >= 1);
	assert_false(term_is_restored(t));
	term_send(t, "\r");
	expect_text(t, "out");
	assert_false(term_is_restored(t));
	term_send(t, "\r");
	assert_true(term_wait_exit(t, TERM_LIMIT_MS));
	assert_int_equal(term_exit_code(t), 0);
	assert_true(term_is_restored(t));
}

static void test_rig_line_settings_left_raw_are_noticed(void **state)
{
	struct term_rig *t = *state;

	run_shell(t, "stty raw -echo; exit 3");
	assert_true(term_wait_exit(t, TERM_LIMIT_MS));
	assert_int_equal(term_exit_code(t), 3);
	assert_false(term_is_restored(t));
}

static void test_rig_wait_ends_with_the_program(void **state)
{
	struct term_rig *t = *state;

	run_shell(t, "echo last words; kill -TERM $$");
	assert_false(term_wait_text(t, "never said"));
	assert_int_equal(term_exit_code(t), -15);
	assert_true(term_wait_text(t, "last words"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rig_text_is_found_where_it_stands, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rig_attributes_and_colours_are_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rig_knows_what_terminfo_promises, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rig_keys_and_sizes_reach_the_program, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rig_disorder_at_the_end_is_noticed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rig_line_settings_left_raw_are_noticed, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_rig_wait_ends_with_the_program, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
