/* SPDX-License-Identifier: MIT */
/*
 * Plots in braille dots, 2 x 4 in a cell, or in '.', ''' and ':' where only ASCII is known, 1 x 2 in a cell. A dot
 * column stands for a whole number of steps of the history, aligned to the clock, so that a plot moves by whole dots
 * and not a bit in between; it spans from the lowest to the highest value, so that no peak is lost. Pure.
 */
#include "monitor/mon_view_draw.h"

#include <stdio.h>
#include <string.h>

#define LABEL_COLS 6
#define MAX_DOTS   (2 * GRID_MAX_COLS)
#define MARK_COLS  7 /* between two times of the axis */
#define BRIDGE_US  INT64_C(500000)
#define AXIS_ROWS  8 /* from this height on there is a time axis below */

struct series_look {
	const char *name, *unit;
	int32_t scale;
	int32_t floor; /* smallest top of the axis, in the unit of the series */
	int decimals;
	enum grid_style style;
};

static const struct series_look looks[MON_N_SERIES] = {
	[MON_SERIES_mV] = {"Voltage", "V", 1000, 100000, 1, GRID_PLOT_A},
	[MON_SERIES_mA] = {"Current", "A", 1000, 10000, 1, GRID_PLOT_B},
	[MON_SERIES_W] = {"Power", "kW", 1000, 4000, 1, GRID_PLOT_C},
	[MON_SERIES_SOC_permille] = {"Battery", "%", 10, 1000, 0, GRID_PLOT_D},
};

struct plot {
	const struct series_look *look;
	bool is_ascii;
	int cell_x, cell_y; /* dots in a cell */
	int n_dots, n_levels;
	int32_t low, high; /* of all that is shown */
	bool is_any;
	int64_t bottom, top; /* of the axis */
	int64_t us_per_dot;
	int32_t dot_low[MAX_DOTS], dot_high[MAX_DOTS], dot_last[MAX_DOTS]; /* MON_UNKNOWN: nothing there */
};

static void add_step(struct plot *p, int dot, const struct mon_step *s)
{
	if (dot < 0 || dot >= p->n_dots || s->last == MON_UNKNOWN)
		return;
	if (p->dot_last[dot] == MON_UNKNOWN || s->low < p->dot_low[dot])
		p->dot_low[dot] = s->low;
	if (p->dot_last[dot] == MON_UNKNOWN || s->high > p->dot_high[dot])
		p->dot_high[dot] = s->high;
	p->dot_last[dot] = s->last;
	if (!p->is_any || s->low < p->low)
		p->low = s->low;
	if (!p->is_any || s->high > p->high)
		p->high = s->high;
	p->is_any = true;
}

/* The minute scrolls: its newest dot is at the right. The session grows from the left, then halves itself. */
static void collect(struct plot *p, const struct mon_history *h, enum mon_span span, enum mon_series series)
{
	const struct mon_track *t = &h->track[span];
	int64_t per_dot = 1, step_us = t->step_us > 0 ? t->step_us : MON_HISTORY_STEP_US;
	int64_t first = t->begin_us / step_us, offset = 0;

	for (int i = 0; i < p->n_dots; i++)
		p->dot_last[i] = MON_UNKNOWN;
	if (span == MON_SPAN_MINUTE) {
		per_dot = (MON_HISTORY_LEN + p->n_dots - 1) / p->n_dots;
		offset = (first + (int64_t)t->n - 1) / per_dot - (p->n_dots - 1);
	} else {
		while (((int64_t)t->n + per_dot - 1) / per_dot > p->n_dots)
			per_dot *= 2;
		first = 0;
	}
	p->us_per_dot = per_dot * step_us;
	/* A state of charge holds until the next is told; of the rest a frame may come a little late. */
	int64_t bridge = series == MON_SERIES_SOC_permille ? INT64_MAX : BRIDGE_US / step_us, missing = 0;
	struct mon_step held = {MON_UNKNOWN, MON_UNKNOWN, MON_UNKNOWN};

	/* The oldest dot of a full ring loses its steps one by one: better to lose it at once. */
	uint32_t begin = span == MON_SPAN_MINUTE && t->n == MON_HISTORY_LEN
				 ? (uint32_t)((per_dot - first % per_dot) % per_dot)
				 : 0;

	for (uint32_t i = begin; i < t->n; i++) {
		struct mon_step s = mon_history_step(h, span, series, i);

		if (s.last != MON_UNKNOWN) {
			held = (struct mon_step){s.last, s.last, s.last};
			missing = 0;
		} else if (++missing <= bridge) {
			s = held;
		}
		add_step(p, (int)((first + i) / per_dot - offset), &s);
	}
}

/* Times a power of ten: the half of it is short as well. */
static int64_t nice_above(int64_t value, int64_t floor)
{
	static const int steps[] = {1, 2, 3, 4, 5, 6, 8};

	if (value < floor)
		value = floor;
	for (int64_t ten = 1;; ten *= 10)
		for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
			if (steps[i] * ten >= value)
				return steps[i] * ten;
}

static void set_axis(struct plot *p, enum mon_series series, int32_t target)
{
	int64_t most = p->is_any ? p->high : 0, least = p->is_any ? p->low : 0;

	if (target != MON_UNKNOWN && target > most)
		most = target;
	if (target != MON_UNKNOWN && target < least)
		least = target;
	if (-least > most)
		most = -least;
	p->top = series == MON_SERIES_SOC_permille && most <= 1000 ? 1000 : nice_above(most, p->look->floor);
	p->bottom = least < 0 ? -p->top : 0;
}

static int level_of(const struct plot *p, int64_t value)
{
	int64_t span = p->top - p->bottom;
	int64_t level = ((value - p->bottom) * (p->n_levels - 1) * 2 + span) / (span * 2);

	return level < 0 ? 0 : level >= p->n_levels ? p->n_levels - 1 : (int)level;
}

/* From levels to dots; a line joins a dot column with its neighbour to the left. */
static void to_levels(struct plot *p)
{
	int previous = -1;

	for (int i = 0; i < p->n_dots; i++) {
		if (p->dot_last[i] == MON_UNKNOWN) {
			previous = -1;
			continue;
		}
		int low = level_of(p, p->dot_low[i]), high = level_of(p, p->dot_high[i]);
		int last = level_of(p, p->dot_last[i]);

		if (previous >= 0 && previous < low)
			low = previous + 1;
		if (previous >= 0 && previous > high)
			high = previous - 1;
		p->dot_low[i] = low;
		p->dot_high[i] = high;
		previous = last;
	}
}

static bool is_dot(const struct plot *p, int dot, int level)
{
	return dot < p->n_dots && p->dot_last[dot] != MON_UNKNOWN && level >= p->dot_low[dot] &&
	       level <= p->dot_high[dot];
}

static uint32_t cell_of(const struct plot *p, int col, int row_from_bottom)
{
	/* Bits of the braille pattern, from the bottom up, left and right column. */
	static const uint8_t bits[2][4] = {{0x40, 0x04, 0x02, 0x01}, {0x80, 0x20, 0x10, 0x08}};
	uint32_t set = 0;

	if (p->is_ascii) {
		bool is_low = is_dot(p, col, row_from_bottom * 2),
		     is_high = is_dot(p, col, row_from_bottom * 2 + 1);

		return is_low && is_high ? ':' : is_low ? '.' : is_high ? '\'' : ' ';
	}
	for (int x = 0; x < 2; x++)
		for (int y = 0; y < 4; y++)
			if (is_dot(p, col * 2 + x, row_from_bottom * 4 + y))
				set |= bits[x][y];
	return set ? 0x2800 + set : ' ';
}

static void draw_title(const struct view_ctx *c, const struct plot *p, int row, int col, int cols)
{
	char text[3 * VIEW_TEXT], low[VIEW_TEXT], high[VIEW_TEXT];
	int decimals = cols < 30 ? 0 : p->look->decimals;

	snprintf(text, sizeof(text), "%s %s", p->look->name, p->look->unit);
	view_rule(c->g, row, col, cols, text);
	int used = view_columns(text) + 1;

	if (p->is_any) {
		view_number(low, p->low, p->look->scale, decimals);
		view_number(high, p->high, p->look->scale, decimals);
		snprintf(text, sizeof(text), " %s … %s ", low, high);
	} else {
		snprintf(text, sizeof(text), " no data ");
	}
	view_right(c->g, row, col + used, cols - used - 1, GRID_LABEL, text);
}

static void draw_label(const struct view_ctx *c, const struct plot *p, int row, int col, int64_t value)
{
	char text[VIEW_TEXT];

	view_number(text, value, p->look->scale, value % p->look->scale ? 1 : 0);
	view_right(c->g, row, col, LABEL_COLS - 1, GRID_DIM, text);
	grid_put(c->g, row, col + LABEL_COLS - 1, 0x2524, GRID_FRAME);
}

/* Whole units that people count time in; the smallest that leaves room between the marks. */
static int64_t mark_interval_us(int64_t us_per_col)
{
	static const int32_t seconds[] = {5,   10,   15,   30,	 60,	120,   300,  600,
					  900, 1800, 3600, 7200, 14400, 21600, 43200};

	for (size_t i = 0; i < sizeof(seconds) / sizeof(*seconds); i++)
		if (seconds[i] * INT64_C(1000000) >= us_per_col * MARK_COLS)
			return seconds[i] * INT64_C(1000000);
	return INT64_C(86400000000) * (1 + us_per_col * MARK_COLS / INT64_C(86400000000));
}

/* "-30 s" and "now", or "30 s" from the start of the session: the middle of a text is where its time is. */
static void draw_time_axis(const struct view_ctx *c, const struct plot *p, int row, int col, int cols)
{
	bool is_minute = c->v->span == MON_SPAN_MINUTE;
	int left = col + LABEL_COLS, width = cols - LABEL_COLS - 1;
	int64_t us_per_col = p->us_per_dot * p->cell_x;

	if (row < 0)
		return;
	grid_put(c->g, row, left - 1, 0x2514, GRID_FRAME);
	grid_fill(c->g, (struct grid_rect){row, left, 1, width}, 0x2500, GRID_FRAME);
	if (us_per_col <= 0)
		return;
	for (int64_t t = 0, step = mark_interval_us(us_per_col); t / us_per_col < width; t += step) {
		char text[2 * VIEW_TEXT], span[VIEW_TEXT];

		view_span(span, t);
		snprintf(text, sizeof(text), is_minute && t == 0 ? " now" : " %s%s ", is_minute ? "-" : "",
			 span);
		int n = view_columns(text), x = (int)(t / us_per_col);
		int at = left + (is_minute ? width - 1 - x : x) - n / 2;

		if (at + n > left + width)
			at = left + width - n;
		if (at >= left)
			grid_text(c->g, row, at, n, GRID_DIM, text);
	}
}

static void draw_dots(const struct view_ctx *c, const struct view_pane *pane, const struct plot *p, int line,
		      int height, struct grid_rect at, int32_t target)
{
	int target_row = target == MON_UNKNOWN ? -1 : level_of(p, target) / p->cell_y;

	for (int k = 0; k < height; k++) {
		int from_bottom = height - 1 - k, row = view_pane_row(pane, line + k);

		if (row < 0)
			continue;
		if (k == 0)
			draw_label(c, p, row, at.col, p->top);
		else if (from_bottom == 0)
			draw_label(c, p, row, at.col, p->bottom);
		else if (height >= 5 && k == height / 2 && height % 2)
			draw_label(c, p, row, at.col, (p->top + p->bottom) / 2);
		else
			grid_put(c->g, row, at.col + LABEL_COLS - 1, 0x2502, GRID_FRAME);
		for (int x = 0; x < p->n_dots / p->cell_x; x++) {
			uint32_t ch = cell_of(p, x, from_bottom);

			if (ch != ' ')
				grid_put(c->g, row, at.col + LABEL_COLS + x, ch, p->look->style);
		}
		if (from_bottom == target_row)
			grid_put(c->g, row, at.col + at.cols - 1, 0x25c4, GRID_LABEL);
	}
}

void view_plot(const struct view_ctx *c, const struct view_pane *pane, int line, int rows, int col, int cols,
	       enum mon_series series, int32_t target)
{
	const struct mon_point *point = mon_point(c->m, c->v->point);
	bool has_axis = rows >= AXIS_ROWS;
	int height = rows - 1 - has_axis, width = cols - LABEL_COLS - 1;
	struct plot p = {.look = &looks[series], .is_ascii = c->g->is_ascii};

	if (height < 1 || width < 4)
		return;
	p.cell_x = p.is_ascii ? 1 : 2;
	p.cell_y = p.is_ascii ? 2 : 4;
	p.n_dots = width * p.cell_x;
	p.n_levels = height * p.cell_y;
	if (point)
		collect(&p, &point->history, c->v->span, series);
	else
		p.n_dots = 0;
	set_axis(&p, series, target);
	to_levels(&p);
	draw_title(c, &p, view_pane_row(pane, line), col, cols);
	draw_dots(c, pane, &p, line + 1, height, (struct grid_rect){0, col, height, cols}, target);
	if (has_axis)
		draw_time_axis(c, &p, view_pane_row(pane, line + 1 + height), col, cols);
}
