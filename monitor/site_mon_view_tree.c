/* SPDX-License-Identifier: MIT */
/*
 * The tree of limits with the points below them. Limits and points share the columns: what is drawn, what may
 * be drawn at worst, and the limit, which of a point is its grant. Pure.
 */
#include "monitor/site_mon_view_draw.h"

#include <stdio.h>
#include <string.h>

#define NUMBER_COLS  8
#define MIN_PANEL    7
#define MAX_PANEL    16
#define MAX_FREE     24 /* where the list leaves room */
#define FULL_PERCENT 95 /* taken: no room worth the name */

struct layout {
	int name, phase, bar, bar_cols; /* columns where they begin; bar_cols 0: none */
	int drawn, may, limit, room;	/* right-aligned, NUMBER_COLS - 1 wide */
	int rest;
};

static struct layout layout_of(int cols)
{
	struct layout l = {.name = 1};
	int name_cols = cols / 4 + 2;

	if (name_cols < 22)
		name_cols = 22;
	if (name_cols > 44)
		name_cols = 44;
	l.phase = l.name + name_cols + 1;
	l.bar = l.phase + 3;
	l.bar_cols = cols >= SMON_HUGE_COLS ? 24 : cols >= SMON_WIDE_COLS ? 16 : cols >= 80 ? 12 : 0;
	l.drawn = l.bar + l.bar_cols + (l.bar_cols > 0);
	l.may = l.drawn + NUMBER_COLS;
	l.limit = l.may + NUMBER_COLS;
	l.room = l.limit + NUMBER_COLS;
	l.rest = l.room + NUMBER_COLS;
	return l;
}

void smon_bar(struct mon_grid *g, int row, int col, int cols, int64_t now, int64_t may, int64_t whole,
	      enum grid_style style)
{
	int64_t n_now = now, n_may = may;
	int i;

	if (whole <= 0) /* any at all fills it */
		whole = 1;
	n_now = now > whole ? cols : (now * cols + whole / 2) / whole;
	n_may = may > whole ? cols : (may * cols + whole / 2) / whole;
	for (i = 0; i < cols; i++) {
		if (i < n_now)
			grid_put(g, row, col + i, g->is_ascii ? '#' : 0x2588, style);
		else if (i < n_may)
			grid_put(g, row, col + i, g->is_ascii ? '=' : 0x2592, style);
		else
			grid_put(g, row, col + i, g->is_ascii ? '.' : 0xb7,
				 style == GRID_SELECTED ? style : GRID_DIM);
	}
}

enum grid_style smon_row_style(const struct smon_row *r)
{
	if (r->is_over)
		return GRID_BAD;
	return r->load.taken_mA * INT64_C(100) >= r->load.limit_mA * (int64_t)FULL_PERCENT ? GRID_WARN
											   : GRID_GOOD;
}

/* What a row is worth mentioning for. */
static void row_remark(const struct smon_ctx *c, const struct smon_row *r, char text[VIEW_TEXT])
{
	char age[VIEW_TEXT];

	text[0] = '\0';
	if (smon_row_is_old(c->m, r)) {
		view_age(age, c->m->now_us - r->heard_us);
		snprintf(text, VIEW_TEXT, "old %.8s", age);
	} else if (r->is_over) {
		snprintf(text, VIEW_TEXT, "OVER");
	} else if (smon_row_style(r) == GRID_WARN) {
		snprintf(text, VIEW_TEXT, "full");
	}
}

static void draw_row_rest(const struct smon_ctx *c, const struct smon_row *r, uint32_t index, int row,
			  int col, bool is_chosen)
{
	char text[VIEW_TEXT], limit[VIEW_TEXT];
	int32_t configured_mA = index < c->n->n_rows ? c->n->row[index].limit_mA : 0;

	row_remark(c, r, text);
	grid_text(c->g, row, col, 8, is_chosen ? GRID_SELECTED : r->is_over ? GRID_BAD : GRID_WARN, text);
	/* Other loads, a schedule or an operator have taken something off it. */
	if (c->g->cols >= SMON_WIDE_COLS && configured_mA > r->load.limit_mA) {
		smon_row_number(c->n, index, configured_mA, limit);
		grid_printf(c->g, row, col + 9, -1, is_chosen ? GRID_SELECTED : GRID_DIM, "of %s", limit);
	}
}

static void draw_row(const struct smon_ctx *c, const struct smon_line *line, const struct layout *l, int row,
		     bool is_chosen)
{
	const struct smon_row *r = smon_row(c->m, line->row);
	enum grid_style style, plain = is_chosen ? GRID_SELECTED : GRID_VALUE;
	char text[VIEW_TEXT];

	if (!r) {
		grid_text(c->g, row, l->bar, -1, is_chosen ? GRID_SELECTED : GRID_DIM, "not heard yet");
		return;
	}
	style = is_chosen ? GRID_SELECTED : smon_row_style(r);
	if (!is_chosen && smon_row_is_old(c->m, r))
		plain = style = GRID_DIM;
	smon_bar(c->g, row, l->bar, l->bar_cols, r->load.drawn_mA, r->load.taken_mA, r->load.limit_mA, style);
	smon_row_number(c->n, line->row, r->load.drawn_mA, text);
	view_right(c->g, row, l->drawn, NUMBER_COLS - 1, plain, text);
	smon_row_number(c->n, line->row, r->load.taken_mA, text);
	view_right(c->g, row, l->may, NUMBER_COLS - 1, style, text);
	smon_row_number(c->n, line->row, r->load.limit_mA, text);
	view_right(c->g, row, l->limit, NUMBER_COLS - 1, plain, text);
	smon_row_number(c->n, line->row, r->load.limit_mA - r->load.taken_mA, text);
	view_right(c->g, row, l->room, NUMBER_COLS - 1, style, text);
	draw_row_rest(c, r, line->row, row, l->rest + 1, is_chosen);
}

static void draw_row_name(const struct smon_ctx *c, const struct smon_line *line, const struct layout *l,
			  int row, bool is_chosen)
{
	static const char *const phases[] = {"", "L1", "L2", "L3", "kW"};
	enum grid_style style = is_chosen ? GRID_SELECTED : GRID_LABEL;
	int col = l->name + 2 * line->depth, width = l->phase - 1 - col;
	char name[SMON_ROW_NAME_MAX];

	if (line->node == SMON_NO_NODE)
		smon_row_text(c->n, line->row, name, sizeof(name));
	else
		snprintf(name, sizeof(name), "%s", line->is_first ? c->n->node[line->node].name : "");
	view_cut(c->g, row, col, width, style, name);
	grid_text(c->g, row, l->phase, 2, style, phases[line->phase]);
}

/* A grant, or what is in its place; negative: of a discharge. */
static void grant_text(const struct smon_ctx *c, const struct smon_point *p, char text[VIEW_TEXT])
{
	const struct site_grant *g = &p->in_force.grant;

	if (smon_lease_left_us(c->m, p) < 0)
		snprintf(text, VIEW_TEXT, smon_has_unheard_grant(p) ? "?" : "none");
	else if (g->charge_current_mA == 0 && g->discharge_current_mA > 0)
		view_number(text, -(int64_t)g->discharge_current_mA, 1000, 1);
	else
		view_number(text, g->charge_current_mA, 1000, 1);
}

static int64_t whole_of(const struct smon_ctx *c, const struct smon_point *p)
{
	int32_t max_mA = c->n->point[p->bus][p->number].max_mA;

	return max_mA ? max_mA : p->demand.maximum_mA;
}

static void draw_point(const struct smon_ctx *c, const struct smon_line *line, const struct layout *l,
		       int row, bool is_chosen)
{
	const struct smon_point *p = smon_point(c->m, line->bus, line->number);
	enum grid_style style = is_chosen ? GRID_SELECTED : p && p->is_silent ? GRID_DIM : GRID_VALUE;
	int col = l->name + 2 * line->depth;
	char text[VIEW_TEXT + 32];

	col += grid_text(c->g, row, col, 2, is_chosen ? GRID_SELECTED : GRID_FRAME,
			 c->g->is_ascii ? "- " : "╴ ");
	view_cut(c->g, row, col, l->phase + 2 - col, is_chosen ? GRID_SELECTED : GRID_PLAIN,
		 smon_point_name(c->n, line->bus, line->number, text, sizeof(text)));
	grid_text(c->g, row, l->room + 1, 11,
		  is_chosen							     ? GRID_SELECTED
		  : !p || p->report_us == SMON_NEVER				     ? GRID_DIM
		  : p->is_silent || p->report.state == SITE_POINT_REPORT_STATE_FAULT ? GRID_BAD
										     : GRID_PLAIN,
		  smon_point_state(p));
	if (!p)
		return;
	smon_bar(c->g, row, l->bar, l->bar_cols, p->demand.present_mA, p->report.may_draw_mA, whole_of(c, p),
		 style);
	if (p->demand_us != SMON_NEVER) {
		view_number(text, p->demand.present_mA, 1000, 1);
		view_right(c->g, row, l->drawn, NUMBER_COLS - 1, style, text);
	}
	if (p->report_us != SMON_NEVER) {
		view_number(text, p->report.may_draw_mA, 1000, 1);
		view_right(c->g, row, l->may, NUMBER_COLS - 1, style, text);
	}
	grant_text(c, p, text);
	view_right(c->g, row, l->limit, NUMBER_COLS - 1,
		   is_chosen					    ? GRID_SELECTED
		   : smon_lease_left_us(c->m, p) < 0		    ? GRID_WARN
		   : c->m->now_us - p->changed_us < SMON_CHANGED_US ? GRID_CHANGED
								    : style,
		   text);
	if (c->g->cols >= SMON_HUGE_COLS)
		smon_why(c->m, c->n, p, text, sizeof(text));
	else
		smon_why_short(c->m, c->n, p, text, sizeof(text));
	if (c->g->cols >= SMON_WIDE_COLS)
		view_cut(c->g, row, l->room + 13, c->g->cols - l->room - 14,
			 is_chosen ? GRID_SELECTED : GRID_DIM, text);
}

static void draw_line(const struct smon_ctx *c, const struct smon_line *line, const struct layout *l, int row,
		      bool is_chosen)
{
	if (is_chosen) {
		grid_fill(c->g, (struct grid_rect){row, 0, 1, c->g->cols}, ' ', GRID_SELECTED);
		grid_put(c->g, row, 0, 0x25ba, GRID_SELECTED);
	}
	if (line->kind == SMON_LINE_POINT) {
		draw_point(c, line, l, row, is_chosen);
	} else if (line->kind == SMON_LINE_ROW) {
		draw_row_name(c, line, l, row, is_chosen);
		draw_row(c, line, l, row, is_chosen);
	} else {
		view_cut(c->g, row, l->name + 2 * line->depth, c->g->cols,
			 is_chosen ? GRID_SELECTED : GRID_LABEL, c->n->node[line->node].name);
	}
}

static void draw_titles(const struct smon_ctx *c, const struct layout *l, int row)
{
	grid_text(c->g, row, l->name, -1, GRID_TITLE, "limits and points");
	view_right(c->g, row, l->drawn, NUMBER_COLS - 1, GRID_TITLE, "drawn");
	view_right(c->g, row, l->may, NUMBER_COLS - 1, GRID_TITLE, "may");
	view_right(c->g, row, l->limit, NUMBER_COLS - 1, GRID_TITLE, "limit");
	view_right(c->g, row, l->room, NUMBER_COLS - 1, GRID_TITLE, "room");
}

/* Below the list: the load of the chosen limit over time, or everything about the chosen point. */
static void draw_panel(const struct smon_ctx *c, int chosen, struct grid_rect r)
{
	const struct smon_line *line = chosen >= 0 ? &c->v->line[chosen] : NULL;
	uint32_t row;

	if (line && line->kind == SMON_LINE_POINT)
		smon_detail(c, line, r);
	else if (line && line->kind == SMON_LINE_ROW)
		smon_plot(c, line->row, r);
	else if (smon_main_row(c->m, c->n, &row))
		smon_plot(c, row, r);
}

int smon_panel_rows(const struct smon_ctx *c, int rows)
{
	int n = rows / 3, free = rows - 1 - c->v->n_lines;

	if (c->v->is_panel_closed || rows < 2 * MIN_PANEL)
		return 0;
	n = n < MIN_PANEL ? MIN_PANEL : n > MAX_PANEL ? MAX_PANEL : n;
	return free > n ? (free < MAX_FREE ? free : MAX_FREE) : n;
}

void smon_page_tree(const struct smon_ctx *c, struct grid_rect r)
{
	struct layout l = layout_of(c->g->cols);
	struct grid_rect panel = r;
	int chosen, top, i;

	smon_list_tree(c);
	chosen = smon_list_chosen(c);
	panel.rows = smon_panel_rows(c, r.rows);
	panel.row += r.rows - panel.rows;
	smon_list_show(c, chosen, r.rows - panel.rows - 1);
	draw_titles(c, &l, r.row);
	top = c->v->top[SMON_PAGE_TREE];
	for (i = 0; i < c->v->n_shown[SMON_PAGE_TREE]; i++)
		draw_line(c, &c->v->line[top + i], &l, r.row + 1 + i, top + i == chosen);
	if (c->v->n_lines == 0)
		grid_text(c->g, r.row + 1, 1, -1, GRID_DIM, "nothing heard of a site yet");
	if (panel.rows)
		draw_panel(c, chosen, panel);
}
