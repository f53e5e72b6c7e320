/* SPDX-License-Identifier: MIT */
/*
 * The list page: one line per pistol, the explanation of the chosen one in full below. Pure.
 */
#include "monitor/mon_view_draw.h"

#include <stdio.h>
#include <string.h>

#define EXPLAIN_ROWS  3
#define MIN_PLOT_ROWS 6
#define MAX_PLOT_ROWS 12

struct column {
	const char *title;
	int col, cols;
};

enum { COL_POINT, COL_STATE, COL_V, COL_A, COL_kW, COL_SOC, COL_kWh, COL_SINCE, COL_MARK, N_COLUMNS };

static const struct column columns[N_COLUMNS] = {
	[COL_POINT] = {"", 0, 4},   [COL_STATE] = {"State", 5, 20}, [COL_V] = {"V", 25, 7},
	[COL_A] = {"A", 32, 7},	    [COL_kW] = {"kW", 39, 6},	    [COL_SOC] = {"SoC%", 45, 5},
	[COL_kWh] = {"kWh", 50, 7}, [COL_SINCE] = {"since", 58, 5}, [COL_MARK] = {"situation", 65, 15},
};

static void put(struct mon_grid *g, int row, int column, enum grid_style style, const char *text)
{
	const struct column *l = &columns[column];

	if (column == COL_STATE || column == COL_MARK)
		view_cut(g, row, l->col, l->cols - 1, style, text);
	else
		view_right(g, row, l->col, l->cols, style, text);
}

static void put_number(struct mon_grid *g, int row, int column, enum grid_style style, int64_t number,
		       int64_t scale, int decimals)
{
	char text[VIEW_TEXT];

	view_number(text, number, scale, decimals);
	put(g, row, column, number == MON_UNKNOWN && style != GRID_SELECTED ? GRID_DIM : style, text);
}

static void draw_point(const struct view_ctx *c, int row, unsigned point)
{
	const struct mon_point *p = mon_point(c->m, point);
	bool is_chosen = c->v->point == point;
	struct mon_facts f;
	struct explain e;
	char text[VIEW_TEXT];

	mon_facts(c->m, point, &f);
	explain_point(c->m, point, &e);
	enum grid_style style = is_chosen ? GRID_SELECTED : GRID_PLAIN;
	enum grid_style value = is_chosen				       ? GRID_SELECTED
				: f.is_controller_silent || f.is_module_silent ? GRID_DIM
									       : GRID_VALUE;

	if (is_chosen)
		grid_fill(c->g, (struct grid_rect){row, 0, 1, c->g->cols}, ' ', GRID_SELECTED);
	snprintf(text, sizeof(text), "%s %u", is_chosen ? "►" : " ", point);
	put(c->g, row, COL_POINT, style, text);
	view_label(text, sizeof(text), f.state_name ? f.state_name : "");
	put(c->g, row, COL_STATE, style, text);
	put_number(c->g, row, COL_V, value, f.present_mV, 1000, 1);
	put_number(c->g, row, COL_A, value, f.present_mA, 1000, 1);
	put_number(c->g, row, COL_kW, value, f.power_W, 1000, 1);
	put_number(c->g, row, COL_SOC, value, f.soc_permille, 10, 0);
	put_number(c->g, row, COL_kWh, value, p->session.is_known ? mon_session_Wh(&p->session) : MON_UNKNOWN,
		   1000, 2);
	view_age(text, f.state_for_us);
	put(c->g, row, COL_SINCE, style, text);
	if (e.situation->severity >= MON_WARNING)
		grid_put(c->g, row, columns[COL_MARK].col - 2, view_mark(e.situation->severity),
			 is_chosen ? GRID_SELECTED : view_style(e.situation->severity));
	int col = columns[COL_MARK].col;

	col += grid_text(c->g, row, col, 5, is_chosen ? GRID_SELECTED : view_style(e.situation->severity),
			 e.situation->code);
	/* The sentence, with its live numbers, is below for the chosen one: in every row it would flicker. */
	view_cut(c->g, row, col + 1, c->g->cols - col - 2, style, e.situation->title);
}

static void draw_empty(const struct view_ctx *c, struct grid_rect r)
{
	const char *name = c->source->name ? c->source->name : "the bus";

	grid_text(c->g, r.row + 1, 2, -1, GRID_TITLE, "Nothing heard yet");
	grid_printf(c->g, r.row + 3, 2, -1, GRID_PLAIN, "Listening on %s for a module's messages.", name);
	grid_printf(c->g, r.row + 4, 2, -1, GRID_PLAIN,
		    "Frames so far: %llu; foreign (another interface or version): %llu.",
		    (unsigned long long)c->m->bus.n_frames, (unsigned long long)c->m->bus.n_foreign);
}

static void draw_total(const struct view_ctx *c, int row)
{
	int64_t sum_mA = 0, sum_W = 0, sum_Wh = 0;
	char amps[VIEW_TEXT], power[VIEW_TEXT], energy[VIEW_TEXT];

	for (unsigned i = 0; i < MON_N_POINTS; i++) {
		const struct mon_point *p = mon_point(c->m, i);
		struct mon_facts f;

		if (!p)
			continue;
		mon_facts(c->m, i, &f);
		sum_mA += f.present_mA == MON_UNKNOWN ? 0 : f.present_mA;
		sum_W += f.power_W == MON_UNKNOWN ? 0 : f.power_W;
		sum_Wh += p->session.is_known ? mon_session_Wh(&p->session) : 0;
	}
	view_number(amps, sum_mA, 1000, 1);
	view_number(power, sum_W, 1000, 1);
	view_number(energy, sum_Wh, 1000, 2);
	put(c->g, row, COL_STATE, GRID_LABEL, "all together");
	put(c->g, row, COL_A, GRID_PLAIN, amps);
	put(c->g, row, COL_kW, GRID_PLAIN, power);
	put(c->g, row, COL_kWh, GRID_PLAIN, energy);
}

/* Plots of the chosen one, where all pistols leave room for them; returns the rows used. */
static int draw_plots(const struct view_ctx *c, struct grid_rect r)
{
	static const enum mon_series series[] = {MON_SERIES_mV, MON_SERIES_mA, MON_SERIES_W,
						 MON_SERIES_SOC_permille};
	int n = r.cols >= VIEW_WIDE_COLS ? 4 : 2, cols = r.cols / n;
	int rows = r.rows > MAX_PLOT_ROWS ? MAX_PLOT_ROWS : r.rows;
	struct view_pane pane = {.r = {r.row + r.rows - rows, r.col, rows, r.cols}};

	if (rows < MIN_PLOT_ROWS)
		return 0;
	for (int i = 0; i < n; i++)
		view_plot(c, &pane, 0, rows, 1 + i * cols, cols - 2, series[i], MON_UNKNOWN);
	return rows;
}

/* 15 pistols and their sum fit the smallest screen, with the line of a replay too: nothing scrolls. */
void view_list(const struct view_ctx *c, struct grid_rect r)
{
	int row = r.row + 1, bottom = r.row + r.rows, n = 0;

	c->v->page_rows = MON_N_POINTS;
	for (unsigned i = 0; i < MON_N_POINTS; i++) {
		if (!mon_point(c->m, i))
			continue;
		draw_point(c, row++, i);
		n++;
	}
	if (n == 0) {
		draw_empty(c, r);
		return;
	}
	for (int i = 0; i < N_COLUMNS; i++)
		put(c->g, r.row, i, GRID_TITLE, columns[i].title);
	if (n > 1)
		draw_total(c, row);
	/* What is above ends with the header, all points and the sum. */
	int above = r.row + 1 + MON_N_POINTS;

	bottom -= draw_plots(c, (struct grid_rect){above + 1 + EXPLAIN_ROWS, 0,
						   bottom - above - 1 - EXPLAIN_ROWS, r.cols});
	bottom -= EXPLAIN_ROWS;
	view_explanation(c->g, c->explain, (struct grid_rect){bottom, 0, EXPLAIN_ROWS, r.cols});
	view_rule(c->g, bottom - 1, 1, r.cols - 2, c->m->cfg.side == MON_EVSE ? "Chosen pistol" : "Vehicle");
}
