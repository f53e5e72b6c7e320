/* SPDX-License-Identifier: MIT */
/*
 * The load of a row over time: drawn as a filled area, what may be drawn and the limit as lines over it. A
 * column stands for a whole number of steps, the highest of which it shows. Pure.
 */
#include "monitor/site_mon_view_draw.h"

#include <stdio.h>

#define LABEL_COLS 8
#define MARK_COLS  8
#define WIRE_mA	   100 /* of a step */
#define PARTS	   8   /* of a cell */

struct plot {
	int n_cols;
	int64_t us_per_col;
	bool is_recent;
	int64_t most; /* top of the axis, in the unit of a step */
	struct smon_step col[GRID_MAX_COLS];
};

static void add_step(struct plot *p, int64_t col, const struct smon_step *s)
{
	struct smon_step *into;

	if (col < 0 || col >= p->n_cols || s->drawn == SMON_GAP)
		return;
	into = &p->col[col];
	if (into->drawn == SMON_GAP) {
		*into = *s;
	} else {
		into->drawn = s->drawn > into->drawn ? s->drawn : into->drawn;
		into->taken = s->taken > into->taken ? s->taken : into->taken;
		into->limit = s->limit;
		into->is_over |= s->is_over;
	}
	p->most = s->limit > p->most ? s->limit : p->most;
	p->most = s->taken > p->most ? s->taken : p->most;
	p->most = s->drawn > p->most ? s->drawn : p->most;
}

/* The last minutes scroll, the newest at the right; everything since the start grows from the left. */
static void collect(const struct smon_ctx *c, uint32_t row, struct plot *p)
{
	enum smon_span span = c->v->span;
	const struct smon_track *t = &c->m->history.track[span];
	uint32_t n = smon_history_n(c->m, span), i;
	int64_t first = (int64_t)t->n - n, per_col = 1, offset = 0;

	for (i = 0; i < (uint32_t)p->n_cols; i++)
		p->col[i].drawn = SMON_GAP;
	p->is_recent = span == SMON_SPAN_RECENT;
	p->most = 10; /* an axis of 1 A at least */
	if (p->is_recent) {
		per_col = SMON_HISTORY > p->n_cols ? SMON_HISTORY / p->n_cols : 1;
		offset = (first + n - 1) / per_col - (p->n_cols - 1);
	} else {
		while ((n + per_col - 1) / per_col > p->n_cols)
			per_col++;
	}
	p->us_per_col = per_col * t->step_us;
	for (i = 0; i < n; i++) {
		struct smon_step s = smon_history_step(c->m, row, span, i);

		add_step(p, (first + i) / per_col - offset, &s);
	}
}

/* A line goes through the cell that its value ends in. */
static bool is_in_cell(const struct plot *p, uint16_t value, int rows, int from_bottom)
{
	int64_t at = (int64_t)value * rows * PARTS / p->most;

	return at > (int64_t)from_bottom * PARTS && at <= (int64_t)(from_bottom + 1) * PARTS;
}

static void draw_column(const struct plot *p, struct mon_grid *g, const struct smon_step *s,
			struct grid_rect at)
{
	int64_t drawn = (int64_t)s->drawn * at.rows * PARTS / p->most;
	int i;

	for (i = 0; i < at.rows; i++) {
		int from_bottom = at.rows - 1 - i;
		int64_t part = drawn - (int64_t)from_bottom * PARTS;

		if (s->is_over && is_in_cell(p, s->taken, at.rows, from_bottom))
			grid_put(g, at.row + i, at.col, '!', GRID_BAD);
		else if (is_in_cell(p, s->limit, at.rows, from_bottom) && part < PARTS)
			grid_put(g, at.row + i, at.col, g->is_ascii ? '-' : 0x2500, GRID_PLOT_D);
		else if (part >= PARTS)
			grid_put(g, at.row + i, at.col, g->is_ascii ? '#' : 0x2588, GRID_PLOT_B);
		else if (is_in_cell(p, s->taken, at.rows, from_bottom) && part < PARTS / 2)
			grid_put(g, at.row + i, at.col, g->is_ascii ? '+' : 0x2504, GRID_PLOT_C);
		else if (part > 0)
			grid_put(g, at.row + i, at.col,
				 !g->is_ascii	     ? 0x2580u + (uint32_t)part
				 : part >= PARTS / 2 ? '#'
						     : '.',
				 GRID_PLOT_B);
	}
}

static void draw_title(const struct smon_ctx *c, uint32_t row, struct grid_rect r)
{
	struct mon_grid *g = c->g;
	char name[SMON_ROW_NAME_MAX], text[VIEW_TEXT + SMON_ROW_NAME_MAX];
	int col;

	snprintf(text, sizeof(text), " %s %s, %s", smon_row_text(c->n, row, name, sizeof(name)),
		 smon_row_unit(c->n, row),
		 c->v->span == SMON_SPAN_RECENT ? "ten minutes" : "since the start");
	view_rule(g, r.row, 0, g->cols, text);
	col = g->cols - 34;
	if (col < view_columns(text) + 2)
		return;
	col += grid_text(g, r.row, col, 1, GRID_PLOT_B, g->is_ascii ? "#" : "█");
	col += grid_text(g, r.row, col, -1, GRID_LABEL, " drawn ");
	col += grid_text(g, r.row, col, -1, GRID_PLOT_C, g->is_ascii ? " ++" : " ┄┄");
	col += grid_text(g, r.row, col, -1, GRID_LABEL, " may be drawn ");
	col += grid_text(g, r.row, col, -1, GRID_PLOT_D, g->is_ascii ? "--" : "──");
	grid_text(g, r.row, col, -1, GRID_LABEL, " limit ");
}

/* Whole units that people count time in; the smallest that leaves room between the marks. */
static int64_t mark_us(int64_t us_per_col)
{
	static const int32_t seconds[] = {10,	30,   60,   120,   300,	  600,	 900,
					  1800, 3600, 7200, 10800, 21600, 43200, 86400};
	size_t i;

	for (i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++)
		if (seconds[i] * INT64_C(1000000) >= us_per_col * MARK_COLS)
			return seconds[i] * INT64_C(1000000);
	return INT64_C(86400000000) * (1 + us_per_col * MARK_COLS / INT64_C(86400000000));
}

/* "50s", "1:10" between whole minutes, "2m", "1h30" between whole hours, "3h", "2d". */
static void mark_text(char text[VIEW_TEXT], int64_t us, int64_t step_us)
{
	int64_t s = us / FC_US_PER_S;

	if (s >= 60 && s < 3600 && step_us < 60 * (int64_t)FC_US_PER_S)
		snprintf(text, VIEW_TEXT, "%d:%02d", (int)(s / 60), (int)(s % 60));
	else if (s >= 3600 && s % 3600 && s < 86400)
		snprintf(text, VIEW_TEXT, "%dh%02d", (int)(s / 3600), (int)(s / 60 % 60));
	else
		view_age(text, us);
}

/* "-2m" and "now", or the time since the start. */
static void draw_axis(const struct plot *p, struct mon_grid *g, struct grid_rect at)
{
	int64_t step_us = mark_us(p->us_per_col), t;

	grid_put(g, at.row, at.col - 1, 0x2514, GRID_FRAME);
	grid_fill(g, (struct grid_rect){at.row, at.col, 1, at.cols}, 0x2500, GRID_FRAME);
	for (t = 0; t / p->us_per_col < at.cols; t += step_us) {
		char text[VIEW_TEXT], age[VIEW_TEXT];
		int x = (int)(t / p->us_per_col), n, col;

		mark_text(age, t, step_us);
		if (t == 0)
			snprintf(text, sizeof(text), p->is_recent ? " now" : "start ");
		else
			snprintf(text, sizeof(text), " %s%.8s ", p->is_recent ? "-" : "", age);
		n = view_columns(text);
		col = at.col + (p->is_recent ? at.cols - 1 - x : x) - n / 2;
		if (col + n > at.col + at.cols)
			col = at.col + at.cols - n;
		if (t == 0 && col < at.col)
			col = at.col;
		if (col >= at.col)
			grid_text(g, at.row, col, n, GRID_DIM, text);
	}
}

static void draw_label(const struct smon_ctx *c, uint32_t row, int at, int64_t value)
{
	char text[VIEW_TEXT];

	smon_row_number(c->n, row, (int32_t)value * WIRE_mA, text);
	view_right(c->g, at, 0, LABEL_COLS - 1, GRID_DIM, text);
}

void smon_plot(const struct smon_ctx *c, uint32_t row, struct grid_rect r)
{
	struct grid_rect in = {r.row + 1, LABEL_COLS + 1, r.rows - 2, c->g->cols - LABEL_COLS - 2};
	struct plot p = {.n_cols = in.cols};
	int i;

	if (in.rows < 1 || in.cols < 1)
		return;
	collect(c, row, &p);
	draw_title(c, row, r);
	for (i = 0; i < in.rows; i++)
		grid_put(c->g, in.row + i, LABEL_COLS, i == 0 || i == in.rows - 1 ? 0x2524 : 0x2502,
			 GRID_FRAME);
	draw_label(c, row, in.row, p.most);
	if (in.rows > 1)
		draw_label(c, row, in.row + in.rows - 1, 0);
	for (i = 0; i < p.n_cols; i++)
		if (p.col[i].drawn != SMON_GAP)
			draw_column(&p, c->g, &p.col[i], (struct grid_rect){in.row, in.col + i, in.rows, 1});
	draw_axis(&p, c->g, (struct grid_rect){in.row + in.rows, in.col, 1, in.cols});
}
