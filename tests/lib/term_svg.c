/* SPDX-License-Identifier: MIT */
/* Cells to SVG. */
#include "tests/lib/term_svg.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define CELL_W	    8.4
#define CELL_H	    18.0
#define BASELINE    13.4
#define FONT_SIZE   14
#define MARGIN	    14.0
#define BAR	    30.0
#define WINDOW	    "#0f141a"
#define BAR_COLOUR  "#1d242d"
#define PLAIN_FG    0xd3dae3u
#define PLAIN_BG    0x0f141au
#define DIM_PERCENT 58

/* --- colours ----------------------------------------------------------------------------------------------- */

/* The sixteen named colours as a present-day terminal shows them; the others are the fixed ones of xterm. */
static uint32_t palette(int i)
{
	static const uint32_t named[16] = {0x1d242d, 0xf0605d, 0x58c46c, 0xe3b341, 0x5aa7f0, 0xc792ea,
					   0x4cc9d0, 0xc6cdd5, 0x6e7985, 0xff8a86, 0x7ee08f, 0xffd166,
					   0x86c2ff, 0xe0b3ff, 0x7fe6ec, 0xffffff};
	static const uint8_t level[6] = {0, 95, 135, 175, 215, 255};

	if (i < 16)
		return named[i];
	if (i >= 232)
		return (uint32_t)(8 + 10 * (i - 232)) * 0x010101u;
	i -= 16;
	return (uint32_t)level[i / 36] << 16 | (uint32_t)level[i / 6 % 6] << 8 | level[i % 6];
}

static uint32_t colour(int index, const uint8_t rgb[3], uint32_t plain)
{
	if (index == -1)
		return plain;
	if (index == -2)
		return (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
	return palette(index);
}

static uint32_t mix(uint32_t a, uint32_t b, unsigned percent)
{
	uint32_t mixed = 0;
	int shift;

	for (shift = 0; shift < 24; shift += 8)
		mixed |= ((a >> shift & 255) * percent + (b >> shift & 255) * (100 - percent)) / 100 << shift;
	return mixed;
}

struct look {
	uint32_t fg, bg;
	bool is_bold, is_underlined;
};

static struct look look_of(const struct term_cell *c)
{
	uint32_t fg = colour(c->fg, c->fg_rgb, PLAIN_FG), bg = colour(c->bg, c->bg_rgb, PLAIN_BG);
	struct look l = {c->is_reverse ? bg : fg, c->is_reverse ? fg : bg, c->is_bold, c->is_underlined};

	if (c->is_dim)
		l.fg = mix(l.fg, l.bg, DIM_PERCENT);
	return l;
}

/* --- shapes ------------------------------------------------------------------------------------------------ */

#define ARMS(up, right, down, left) (uint16_t)(0x8000 | (up) << 6 | (right) << 4 | (down) << 2 | (left))

/* Arms from the middle of the cell, 1 light, 2 heavy; 0: not a line. */
static uint16_t arms_of(uint32_t ch)
{
	static const struct {
		uint16_t ch, arms;
	} lines[] = {
		{0x2500, ARMS(0, 1, 0, 1)}, {0x2501, ARMS(0, 2, 0, 2)}, {0x2502, ARMS(1, 0, 1, 0)},
		{0x2503, ARMS(2, 0, 2, 0)}, {0x250c, ARMS(0, 1, 1, 0)}, {0x2510, ARMS(0, 0, 1, 1)},
		{0x2514, ARMS(1, 1, 0, 0)}, {0x2518, ARMS(1, 0, 0, 1)}, {0x251c, ARMS(1, 1, 1, 0)},
		{0x2524, ARMS(1, 0, 1, 1)}, {0x252c, ARMS(0, 1, 1, 1)}, {0x2534, ARMS(1, 1, 0, 1)},
		{0x253c, ARMS(1, 1, 1, 1)}, {0x256d, ARMS(0, 1, 1, 0)}, {0x256e, ARMS(0, 0, 1, 1)},
		{0x256f, ARMS(1, 0, 0, 1)}, {0x2570, ARMS(1, 1, 0, 0)}, {0x2574, ARMS(0, 0, 0, 1)},
		{0x2575, ARMS(1, 0, 0, 0)}, {0x2576, ARMS(0, 1, 0, 0)}, {0x2577, ARMS(0, 0, 1, 0)},
	};
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (lines[i].ch == ch)
			return lines[i].arms;
	return 0;
}

static void draw_arms(FILE *f, uint16_t arms, double x, double y, const struct look *l)
{
	static const double dx[4] = {0, CELL_W / 2, 0, -CELL_W / 2};
	static const double dy[4] = {-CELL_H / 2, 0, CELL_H / 2, 0};
	unsigned i, weight = 1;

	for (i = 0; i < 4; i++)
		if ((arms >> 2 * (3 - i) & 3) == 2)
			weight = 2;
	fprintf(f, "<path stroke=\"#%06x\" stroke-width=\"%.1f\" fill=\"none\" d=\"", (unsigned)l->fg,
		weight * 1.2);
	for (i = 0; i < 4; i++)
		if (arms >> 2 * (3 - i) & 3)
			fprintf(f, "M%.1f %.1fl%.1f %.1f", x + CELL_W / 2, y + CELL_H / 2, dx[i], dy[i]);
	fprintf(f, "\"/>\n");
}

static void draw_box(FILE *f, double x, double y, double w, double h, uint32_t fill)
{
	fprintf(f, "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"#%06x\"/>\n", x, y, w,
		h, (unsigned)fill);
}

static void draw_braille(FILE *f, unsigned dots, double x, double y, const struct look *l)
{
	static const uint8_t column[8] = {0, 0, 0, 1, 1, 1, 0, 1}, row[8] = {0, 1, 2, 0, 1, 2, 3, 3};
	unsigned i;

	fprintf(f, "<path fill=\"#%06x\" d=\"", (unsigned)l->fg);
	for (i = 0; i < 8; i++)
		if (dots >> i & 1)
			fprintf(f, "M%.1f %.1fh2.6v2.6h-2.6z", x + CELL_W * (0.25 + 0.5 * column[i]) - 1.3,
				y + CELL_H * (0.125 + 0.25 * row[i]) - 1.3);
	fprintf(f, "\"/>\n");
}

/* False: it is text. */
static bool draw_shape(FILE *f, uint32_t ch, double x, double y, const struct look *l)
{
	uint16_t arms = arms_of(ch);
	double part = (ch - 0x2580u) / 8.0;

	if (arms)
		draw_arms(f, arms, x, y, l);
	else if (ch >= 0x2800 && ch <= 0x28ff)
		draw_braille(f, ch - 0x2800, x, y, l);
	else if (ch == 0x2580)
		draw_box(f, x, y, CELL_W, CELL_H / 2, l->fg);
	else if (ch > 0x2580 && ch <= 0x2588)
		draw_box(f, x, y + CELL_H * (1 - part), CELL_W + 0.2, CELL_H * part, l->fg);
	else if (ch > 0x2588 && ch <= 0x258f)
		draw_box(f, x, y, CELL_W * (2 - part), CELL_H, l->fg);
	else if (ch == 0x2590)
		draw_box(f, x + CELL_W / 2, y, CELL_W / 2, CELL_H, l->fg);
	else if (ch >= 0x2591 && ch <= 0x2593)
		draw_box(f, x, y, CELL_W + 0.2, CELL_H, mix(l->fg, l->bg, 25 * (ch - 0x2590)));
	else
		return false;
	return true;
}

/* --- text -------------------------------------------------------------------------------------------------- */

static void put_char(FILE *f, uint32_t c)
{
	if (c == '&')
		fputs("&amp;", f);
	else if (c == '<')
		fputs("&lt;", f);
	else if (c == '>')
		fputs("&gt;", f);
	else if (c < 0x80)
		fputc((int)c, f);
	else
		fprintf(f, "&#%u;", (unsigned)c);
}

static bool is_same(const struct look *a, const struct look *b)
{
	return a->fg == b->fg && a->bg == b->bg && a->is_bold == b->is_bold &&
	       a->is_underlined == b->is_underlined;
}

static bool is_drawn(uint32_t ch)
{
	return arms_of(ch) || (ch >= 0x2580 && ch <= 0x2593) || (ch >= 0x2800 && ch <= 0x28ff);
}

/* One run of text of one look, cut at two blanks; its length is told, so that columns stay columns. */
static int put_text(FILE *f, const struct term_rig *t, int row, int col, double x0, double y)
{
	struct term_cell c = term_cell(t, row, col), next = c;
	struct look l = look_of(&c);
	int end = col, last = col;

	while (end < t->cols) {
		struct look other;

		next = term_cell(t, row, end);
		other = look_of(&next);
		if (is_drawn(next.ch) || !is_same(&l, &other) || end - last > 1)
			break;
		if (next.ch != ' ')
			last = end;
		end++;
	}
	fprintf(f, "<text x=\"%.1f\" y=\"%.1f\" fill=\"#%06x\" textLength=\"%.1f\"%s%s>", x0 + col * CELL_W,
		y + BASELINE, (unsigned)l.fg, (last + 1 - col) * CELL_W,
		l.is_bold ? " font-weight=\"700\"" : "",
		l.is_underlined ? " text-decoration=\"underline\"" : "");
	for (end = col; end <= last; end++)
		if (term_cell(t, row, end).ch)
			put_char(f, term_cell(t, row, end).ch);
	fprintf(f, "</text>\n");
	return last + 1;
}

static void put_row(FILE *f, const struct term_rig *t, int row, double x0, double y)
{
	int col, begin;

	for (begin = 0; begin < t->cols; begin = col) {
		struct term_cell c = term_cell(t, row, begin);
		struct look l = look_of(&c);

		for (col = begin + 1; col < t->cols; col++) {
			struct term_cell next = term_cell(t, row, col);

			if (look_of(&next).bg != l.bg)
				break;
		}
		if (l.bg != PLAIN_BG)
			draw_box(f, x0 + begin * CELL_W, y, (col - begin) * CELL_W + 0.2, CELL_H + 0.2, l.bg);
	}
	for (col = 0; col < t->cols;) {
		struct term_cell c = term_cell(t, row, col);
		struct look l = look_of(&c);

		if (draw_shape(f, c.ch, x0 + col * CELL_W, y, &l) || c.ch == ' ' || c.ch == 0)
			col++;
		else
			col = put_text(f, t, row, col, x0, y);
	}
}

int term_svg_write(const struct term_rig *t, const char *title, FILE *f)
{
	double w = t->cols * CELL_W + 2 * MARGIN, h = t->rows * CELL_H + BAR + MARGIN + 4;
	const char *p;
	int row;

	fprintf(f,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
		"height=\"%.0f\" font-family=\"'DejaVu Sans Mono','Liberation Mono',Menlo,Consolas,monospace\" "
		"font-size=\"%d\" xml:space=\"preserve\" role=\"img\">\n<title>",
		w, h, w, h, FONT_SIZE);
	for (p = title; *p; p++)
		put_char(f, (unsigned char)*p);
	fprintf(f,
		"</title>\n<rect width=\"%.0f\" height=\"%.0f\" rx=\"9\" fill=\"" WINDOW "\"/>\n"
		"<path d=\"M0 %.0fV9a9 9 0 0 1 9-9h%.0fa9 9 0 0 1 9 9v%.0fz\" fill=\"" BAR_COLOUR "\"/>\n"
		"<text x=\"%.0f\" y=\"20\" fill=\"#9aa5b1\" font-size=\"13\" text-anchor=\"middle\">",
		w, h, BAR - 6, w - 18, BAR - 15, w / 2);
	for (p = title; *p; p++)
		put_char(f, (unsigned char)*p);
	fprintf(f, "</text>\n");
	for (row = 0; row < t->rows; row++)
		put_row(f, t, row, MARGIN, BAR + row * CELL_H);
	fprintf(f, "</svg>\n");
	return ferror(f) ? -EIO : 0;
}
