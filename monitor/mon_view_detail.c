/* SPDX-License-Identifier: MIT */
/*
 * The detail page: the head stays, below it plots, events and panels. Where all of it fits, the plots and the events
 * take what is left over; where not, the lower part scrolls. Heights depend on size, side and version only. Pure.
 */
#include "monitor/mon_view_draw.h"

#define GAP	      2
#define MIN_COLUMN    38
#define MAX_COLUMNS   7
#define MIN_PLOT_ROWS 6
#define MAX_PLOT_ROWS 16
#define MAX_PANELS    16

/* Where everything is on the page; lines count from the top of the scrolling part. */
struct layout {
	int n_columns, column_cols;
	int plots_in_row, plot_rows;
	int plot_line, event_line, event_rows; /* event_rows: with the title */
	int panel_line, more_plots_line;       /* -1: all plots are in one row */
	int panel_at[MAX_PANELS], panel_column[MAX_PANELS];
	int n_lines;
};

static const struct view_panel *panels_of(const struct mon_model *m, unsigned *n)
{
	*n = m->cfg.side == MON_EVSE ? view_evse_n_panels : view_pev_n_panels;
	return m->cfg.side == MON_EVSE ? view_evse_panels : view_pev_panels;
}

/* Each panel goes to the column that is the shortest so far. Returns the height of the tallest. */
static int place_panels(const struct mon_model *m, struct layout *l)
{
	unsigned n;
	const struct view_panel *panels = panels_of(m, &n);
	int height[MAX_COLUMNS] = {0}, tallest = 0;

	for (unsigned i = 0; i < n && i < MAX_PANELS; i++) {
		int column = 0;

		for (int k = 1; k < l->n_columns; k++)
			if (height[k] < height[column])
				column = k;
		l->panel_column[i] = column;
		l->panel_at[i] = height[column];
		height[column] += view_panel_lines(m, &panels[i]) + 1;
		if (height[column] > tallest)
			tallest = height[column];
	}
	return tallest;
}

static void plan(const struct mon_model *m, struct grid_rect r, struct layout *l)
{
	*l = (struct layout){.more_plots_line = -1};
	l->n_columns = r.cols / (MIN_COLUMN + GAP);
	if (l->n_columns > MAX_COLUMNS)
		l->n_columns = MAX_COLUMNS;
	l->column_cols = (r.cols - 1) / l->n_columns - GAP + 1;
	l->plots_in_row = r.cols >= VIEW_WIDE_COLS ? MON_N_SERIES : 2;
	int panel_lines = place_panels(m, l);
	int left = r.rows - panel_lines - MIN_PLOT_ROWS - 1;

	if (left >= 6 && l->plots_in_row == MON_N_SERIES) {
		/* Everything is in sight: half of what is left makes the plots higher, the rest shows events. */
		l->plot_rows = MIN_PLOT_ROWS + left / 2;
		if (l->plot_rows > MAX_PLOT_ROWS)
			l->plot_rows = MAX_PLOT_ROWS;
		l->panel_line = l->plot_rows + 1;
		l->event_line = l->panel_line + panel_lines;
		l->event_rows = r.rows - l->event_line;
		l->n_lines = r.rows;
		return;
	}
	l->plot_rows = r.rows < 16 ? MIN_PLOT_ROWS : r.rows < 28 ? MIN_PLOT_ROWS + 2 : MIN_PLOT_ROWS + 4;
	l->event_line = l->plot_rows;
	l->event_rows = r.rows < 16 ? 4 : r.rows < 28 ? 5 : 7;
	l->panel_line = l->event_line + l->event_rows + 1;
	l->n_lines = l->panel_line + panel_lines;
	if (l->plots_in_row < MON_N_SERIES) {
		l->more_plots_line = l->n_lines;
		l->n_lines += l->plot_rows;
	}
}

static void draw_plots(const struct view_ctx *c, const struct view_pane *p, const struct layout *l)
{
	const struct mon_facts *f = c->facts;
	const int32_t target[MON_N_SERIES] = {
		[MON_SERIES_mV] = f->target_mV,
		[MON_SERIES_mA] = f->target_mA,
		[MON_SERIES_W] = MON_UNKNOWN,
		[MON_SERIES_SOC_permille] = f->target_soc_permille,
	};
	int cols = p->r.cols / l->plots_in_row;

	for (int i = 0; i < MON_N_SERIES; i++) {
		int line = i < l->plots_in_row ? l->plot_line : l->more_plots_line;

		view_plot(c, p, line, l->plot_rows, 1 + i % l->plots_in_row * cols, cols - GAP,
			  (enum mon_series)i, target[i]);
	}
}

void view_detail(const struct view_ctx *c, struct grid_rect r)
{
	unsigned n;
	const struct view_panel *panels = panels_of(c->m, &n);
	struct layout l;
	int head = view_head(c, r);
	struct view_pane pane = {.r = {r.row + head, r.col, r.rows - head, r.cols}};

	if (c->g->rows >= VIEW_ROOMY_ROWS) {
		pane.r.row++;
		pane.r.rows--;
	}
	plan(c->m, pane.r, &l);
	c->v->page_rows = pane.r.rows;
	view_clamp_scroll(&c->v->scroll[MON_PAGE_DETAIL], pane.r.rows, l.n_lines);
	pane.scroll = c->v->scroll[MON_PAGE_DETAIL];
	draw_plots(c, &pane, &l);
	view_rule(c->g, view_pane_row(&pane, l.event_line), 1, r.cols - 2, "Events");
	view_event_lines(c, &pane, l.event_line + 1, l.event_rows - 1, r.cols - 2);
	for (unsigned i = 0; i < n && i < MAX_PANELS; i++)
		view_panel_draw(c, &pane, &panels[i], l.panel_line + l.panel_at[i],
				1 + l.panel_column[i] * (l.column_cols + GAP - 1), l.column_cols - 1);
	view_scroll_mark(c, pane.scroll, pane.r.rows, l.n_lines);
}
