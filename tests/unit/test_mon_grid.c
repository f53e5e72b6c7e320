/* SPDX-License-Identifier: MIT */
/* The grid of cells: cutting, what gets into a cell, borders, and the way back to text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "monitor/mon_grid.h"

static struct mon_grid g;

static const char *row_text(int row)
{
	static char text[4 * GRID_MAX_COLS + 1];

	grid_row_text(&g, row, text, sizeof(text));
	return text;
}

static void test_grid_reset_clamps_the_size_and_blanks(void **state)
{
	(void)state;
	grid_reset(&g, 1000, 1000, false);
	assert_int_equal(g.rows, GRID_MAX_ROWS);
	assert_int_equal(g.cols, GRID_MAX_COLS);
	grid_text(&g, 0, 0, -1, GRID_PLAIN, "x");
	grid_reset(&g, -5, -5, false);
	assert_int_equal(g.rows, 0);
	assert_int_equal(g.cols, 0);
	grid_reset(&g, 2, 3, false);
	assert_string_equal(row_text(0), "");
	assert_int_equal(g.cell[5].ch, ' ');
}

static void test_grid_writing_outside_is_cut_off(void **state)
{
	(void)state;
	grid_reset(&g, 2, 4, false);
	memset(&g.cell[8], 0x5a, sizeof(g.cell) - 8 * sizeof(*g.cell));
	grid_put(&g, -1, 0, 'a', GRID_PLAIN);
	grid_put(&g, 2, 0, 'a', GRID_PLAIN);
	grid_put(&g, 0, -1, 'a', GRID_PLAIN);
	grid_put(&g, 0, 4, 'a', GRID_PLAIN);
	assert_int_equal(grid_text(&g, 0, 2, -1, GRID_PLAIN, "long text"), 2);
	assert_int_equal(grid_text(&g, 5, 0, -1, GRID_PLAIN, "nowhere"), 0);
	assert_int_equal(grid_text(&g, 0, 9, -1, GRID_PLAIN, "nowhere"), 0);
	assert_string_equal(row_text(0), "  lo");
	assert_string_equal(row_text(1), "");
	grid_fill(&g, (struct grid_rect){1, -3, 70000, 5}, '#', GRID_BAD);
	assert_string_equal(row_text(0), "  lo");
	assert_string_equal(row_text(1), "##");
	for (size_t i = 8 * sizeof(*g.cell); i < sizeof(g.cell); i++)
		assert_int_equal(((uint8_t *)g.cell)[i], 0x5a);
}

static void test_grid_text_counts_columns_not_bytes(void **state)
{
	(void)state;
	grid_reset(&g, 1, 10, false);
	assert_int_equal(grid_text(&g, 0, 0, 4, GRID_VALUE, "°Ω→ü…"), 4);
	assert_string_equal(row_text(0), "°Ω→ü");
	assert_int_equal(g.cell[3].style, GRID_VALUE);
	assert_int_equal(g.cell[4].style, GRID_PLAIN);
}

static void test_grid_cell_takes_one_column_characters_only(void **state)
{
	static const uint32_t bad[] = {0,      0x1b,   '\n',	0x7f,	  0x9b,	     0xad,
				       0x301,  0x200b, 0x202e,	0x3042,	  0xd800,    0xfeff,
				       0xff21, 0xfffd, 0x1f50c, 0x110000, UINT32_MAX};

	(void)state;
	grid_reset(&g, 1, 1, false);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		grid_put(&g, 0, 0, bad[i], GRID_PLAIN);
		assert_int_equal(g.cell[0].ch, '?');
	}
	grid_put(&g, 0, 0, 0x28ff, GRID_PLAIN);
	assert_int_equal(g.cell[0].ch, 0x28ff);
}

static void test_grid_text_broken_utf8_becomes_question_marks(void **state)
{
	(void)state;
	grid_reset(&g, 1, 12, false);
	grid_text(&g, 0, 0, -1, GRID_PLAIN, "a\xff\xc3z\xe2\x82");
	assert_string_equal(row_text(0), "a??z??");
	grid_text(&g, 0, 0, -1, GRID_PLAIN, "\xf0\x9f\x94\x8c!\xc0\x80");
	assert_string_equal(row_text(0), "?!????"); /* one sign for four bytes, then the rest of before */
}

static void test_grid_ascii_replaces_what_it_cannot_show(void **state)
{
	(void)state;
	grid_reset(&g, 1, 40, true);
	grid_text(&g, 0, 0, -1, GRID_PLAIN, "─│┌●○►◄✓✗·→…█░ü⣿");
	assert_string_equal(row_text(0), "-|+*o><vx.>~#.??");
}

static void test_grid_box_returns_its_inside(void **state)
{
	struct grid_rect in;

	(void)state;
	grid_reset(&g, 3, 12, false);
	in = grid_box(&g, (struct grid_rect){0, 0, 3, 12}, "A title that is long");
	assert_int_equal(in.row, 1);
	assert_int_equal(in.col, 1);
	assert_int_equal(in.rows, 1);
	assert_int_equal(in.cols, 10);
	assert_string_equal(row_text(0), "╭ A title  ╮");
	assert_string_equal(row_text(1), "│          │");
	assert_string_equal(row_text(2), "╰──────────╯");
	assert_int_equal(grid_box(&g, (struct grid_rect){0, 0, 1, 12}, "x").rows, 0);
}

static void test_grid_row_text_never_splits_a_character(void **state)
{
	char small[5];

	(void)state;
	grid_reset(&g, 1, 4, false);
	grid_text(&g, 0, 0, -1, GRID_PLAIN, "→→");
	assert_int_equal(grid_row_text(&g, 0, small, sizeof(small)), 3);
	assert_string_equal(small, "→");
	assert_int_equal(grid_row_text(&g, 0, small, 1), 0);
	assert_string_equal(small, "");
	assert_int_equal(grid_row_text(&g, 7, small, sizeof(small)), 0);
	small[0] = 'q';
	assert_int_equal(grid_row_text(&g, 0, small, 0), 0);
	assert_int_equal(small[0], 'q');
}

static void test_grid_printf_cuts_at_the_width(void **state)
{
	(void)state;
	grid_reset(&g, 1, 20, false);
	assert_int_equal(grid_printf(&g, 0, 1, 5, GRID_WARN, "%d volts", 400), 5);
	assert_string_equal(row_text(0), " 400 v");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grid_reset_clamps_the_size_and_blanks),
		cmocka_unit_test(test_grid_writing_outside_is_cut_off),
		cmocka_unit_test(test_grid_text_counts_columns_not_bytes),
		cmocka_unit_test(test_grid_cell_takes_one_column_characters_only),
		cmocka_unit_test(test_grid_text_broken_utf8_becomes_question_marks),
		cmocka_unit_test(test_grid_ascii_replaces_what_it_cannot_show),
		cmocka_unit_test(test_grid_box_returns_its_inside),
		cmocka_unit_test(test_grid_row_text_never_splits_a_character),
		cmocka_unit_test(test_grid_printf_cuts_at_the_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
