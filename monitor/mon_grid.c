/* SPDX-License-Identifier: MIT */
/*
 * A screen as a grid of cells. Nothing but what takes exactly one column gets into a cell: control characters,
 * wide and combining ones become '?', so that a name from a log cannot disturb the screen. Pure.
 */
#include "monitor/mon_grid.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_PRINT 512

struct span {
	uint32_t first, last;
};

/* One column wide in every terminal: letters, arrows, operators, lines, blocks, shapes, ticks, braille. */
static const struct span allowed[] = {
	{0x20, 0x7e},	  {0xa0, 0xac},	    {0xae, 0x2ff},    {0x370, 0x482},	{0x48a, 0x52f},
	{0x2010, 0x2027}, {0x2030, 0x205e}, {0x2070, 0x20bf}, {0x2100, 0x218b}, {0x2190, 0x22ff},
	{0x2500, 0x25fc}, {0x2713, 0x2718}, {0x2800, 0x28ff},
};

/* What stands for a character where only ASCII is known; ordered by code point. */
static const struct {
	uint16_t ch;
	char ascii;
} plain[] = {
	{0xa0, ' '},	{0xb0, ' '},	{0xb1, '~'},   {0xb5, 'u'},   {0xb7, '.'},   {0xd7, 'x'},
	{0x3a9, 'O'},	{0x3bc, 'u'},	{0x2010, '-'}, {0x2013, '-'}, {0x2014, '-'}, {0x2016, '|'},
	{0x2018, '\''}, {0x2019, '\''}, {0x201c, '"'}, {0x201d, '"'}, {0x2022, '*'}, {0x2026, '~'},
	{0x2126, 'O'},	{0x2190, '<'},	{0x2191, '^'}, {0x2192, '>'}, {0x2193, 'v'}, {0x2212, '-'},
	{0x2248, '~'},	{0x2260, '#'},	{0x2264, '<'}, {0x2265, '>'}, {0x25a0, '#'}, {0x25b2, '^'},
	{0x25b6, '>'},	{0x25b8, '>'},	{0x25ba, '>'}, {0x25bc, 'v'}, {0x25c0, '<'}, {0x25c2, '<'},
	{0x25c4, '<'},	{0x25c6, '*'},	{0x25c9, '@'}, {0x25cb, 'o'}, {0x25cf, '*'}, {0x25e6, 'o'},
	{0x2713, 'v'},	{0x2717, 'x'},
};

static bool is_one_column(uint32_t ch)
{
	if ((ch >= 0x2500 && ch <= 0x25fc) || (ch >= 0x2800 && ch <= 0x28ff)) /* by far the most */
		return true;
	for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed); i++)
		if (ch >= allowed[i].first && ch <= allowed[i].last)
			return true;
	return false;
}

static uint32_t to_ascii(uint32_t ch)
{
	if (ch < 0x7f)
		return ch;
	if (ch >= 0x2500 && ch <= 0x257f) /* lines: horizontal, vertical, else a corner */
		return ch == 0x2500 || ch == 0x2501 || ch == 0x2550 || ch == 0x2504 || ch == 0x2508 ||
				       ch == 0x254c
			       ? '-'
		       : ch == 0x2502 || ch == 0x2503 || ch == 0x2551 || ch == 0x2506 || ch == 0x250a ? '|'
												      : '+';
	if (ch >= 0x2580 && ch <= 0x259f) /* blocks: the light shade is an empty part of a bar */
		return ch == 0x2591 ? '.' : '#';
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		if (plain[i].ch == ch)
			return (uint32_t)plain[i].ascii;
	return '?';
}

/* Next code point of UTF-8; a broken sequence takes one byte and counts as '?'. */
static uint32_t decode(const char **text)
{
	const unsigned char *p = (const unsigned char *)*text;
	unsigned n = p[0] < 0x80 ? 0 : p[0] >= 0xc2 && p[0] < 0xe0 ? 1 : p[0] >= 0xe0 && p[0] < 0xf0 ? 2 : 9;
	uint32_t ch = n == 1 ? p[0] & 0x1fu : n == 2 ? p[0] & 0x0fu : p[0];

	if (p[0] >= 0xf0 && p[0] < 0xf5) {
		n = 3;
		ch = p[0] & 0x07u;
	}
	*text += 1;
	if (n == 9)
		return '?';
	for (unsigned i = 1; i <= n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return '?';
		ch = ch << 6 | (p[i] & 0x3fu);
	}
	*text += n;
	return ch;
}

void grid_reset(struct mon_grid *g, int rows, int cols, bool is_ascii)
{
	g->rows = rows < 0 ? 0 : rows > GRID_MAX_ROWS ? GRID_MAX_ROWS : rows;
	g->cols = cols < 0 ? 0 : cols > GRID_MAX_COLS ? GRID_MAX_COLS : cols;
	g->is_ascii = is_ascii;
	for (int i = 0; i < g->rows * g->cols; i++)
		g->cell[i] = (struct grid_cell){.ch = ' ', .style = GRID_PLAIN};
}

void grid_put(struct mon_grid *g, int row, int col, uint32_t ch, enum grid_style style)
{
	if (row < 0 || row >= g->rows || col < 0 || col >= g->cols)
		return;
	if (ch < 0x20 || ch > 0x7e) {
		if (!is_one_column(ch))
			ch = '?';
		else if (g->is_ascii)
			ch = to_ascii(ch);
	}
	g->cell[row * g->cols + col] = (struct grid_cell){.ch = ch & 0xffffff, .style = (uint8_t)style};
}

int grid_text(struct mon_grid *g, int row, int col, int width, enum grid_style style, const char *text)
{
	int n = 0;

	if (row < 0 || row >= g->rows || col >= g->cols || !text)
		return 0;
	if (width < 0 || width > g->cols - col)
		width = g->cols - col;
	while (*text && n < width)
		grid_put(g, row, col + n++, decode(&text), style);
	return n;
}

int grid_printf(struct mon_grid *g, int row, int col, int width, enum grid_style style, const char *format,
		...)
{
	char text[MAX_PRINT];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return grid_text(g, row, col, width, style, text);
}

void grid_fill(struct mon_grid *g, struct grid_rect r, uint32_t ch, enum grid_style style)
{
	int row_end = r.rows > g->rows - r.row ? g->rows : r.row + r.rows;
	int col_end = r.cols > g->cols - r.col ? g->cols : r.col + r.cols;

	for (int row = r.row < 0 ? 0 : r.row; row < row_end; row++)
		for (int col = r.col < 0 ? 0 : r.col; col < col_end; col++)
			grid_put(g, row, col, ch, style);
}

struct grid_rect grid_box(struct mon_grid *g, struct grid_rect r, const char *title)
{
	int right = r.col + r.cols - 1, bottom = r.row + r.rows - 1;

	if (r.rows < 2 || r.cols < 2)
		return (struct grid_rect){r.row, r.col, 0, 0};
	grid_fill(g, (struct grid_rect){r.row, r.col, 1, r.cols}, 0x2500, GRID_FRAME);
	grid_fill(g, (struct grid_rect){bottom, r.col, 1, r.cols}, 0x2500, GRID_FRAME);
	grid_fill(g, (struct grid_rect){r.row, r.col, r.rows, 1}, 0x2502, GRID_FRAME);
	grid_fill(g, (struct grid_rect){r.row, right, r.rows, 1}, 0x2502, GRID_FRAME);
	grid_put(g, r.row, r.col, 0x256d, GRID_FRAME);
	grid_put(g, r.row, right, 0x256e, GRID_FRAME);
	grid_put(g, bottom, r.col, 0x2570, GRID_FRAME);
	grid_put(g, bottom, right, 0x256f, GRID_FRAME);
	if (title && title[0] && r.cols > 6) {
		grid_put(g, r.row, r.col + 1, ' ', GRID_FRAME);
		int n = grid_text(g, r.row, r.col + 2, r.cols - 4, GRID_TITLE, title);
		grid_put(g, r.row, r.col + 2 + n, ' ', GRID_FRAME);
	}
	return (struct grid_rect){r.row + 1, r.col + 1, r.rows - 2, r.cols - 2};
}

static size_t encode(uint32_t ch, char out[4])
{
	if (ch < 0x80) {
		out[0] = (char)ch;
		return 1;
	}
	if (ch < 0x800) {
		out[0] = (char)(0xc0 | ch >> 6);
		out[1] = (char)(0x80 | (ch & 0x3f));
		return 2;
	}
	out[0] = (char)(0xe0 | ch >> 12);
	out[1] = (char)(0x80 | (ch >> 6 & 0x3f));
	out[2] = (char)(0x80 | (ch & 0x3f));
	return 3;
}

size_t grid_row_text(const struct mon_grid *g, int row, char *text, size_t size)
{
	size_t n = 0;
	int end = g->cols;

	if (size == 0)
		return 0;
	if (row >= 0 && row < g->rows) {
		const struct grid_cell *cell = &g->cell[row * g->cols];

		while (end > 0 && cell[end - 1].ch == ' ')
			end--;
		for (int i = 0; i < end; i++) {
			char bytes[4];
			size_t length = encode(cell[i].ch, bytes);

			if (n + length >= size)
				break;
			memcpy(text + n, bytes, length);
			n += length;
		}
	}
	text[n] = '\0';
	return n;
}
