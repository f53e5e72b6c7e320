/* SPDX-License-Identifier: MIT */
/* The table of points. Columns come with the width of the screen. Pure. */
#include "monitor/site_mon_view_draw.h"

#include <stdio.h>
#include <string.h>

#define LOW_US	 (3 * FC_US_PER_S) /* a lease that ends soon: a report or two were lost */
#define LONG_MIN (100 * 60)

enum column {
	COL_NAME,
	COL_STATE,
	COL_BAR,
	COL_WANTED,
	COL_GRANTED,
	COL_DRAWN,
	COL_MAY,
	COL_SOC,
	COL_KWH,
	COL_GOT,
	COL_LEAVES,
	COL_LEASE,
	COL_MISSED,
	COL_WHY,
	N_COLUMNS
};

static const struct {
	const char *title;
	int cols, wide_cols; /* wide_cols: from SMON_HUGE_COLS on */
	int from;	     /* shown on screens of at least so many columns */
	bool is_left;
} columns[N_COLUMNS] = {
	[COL_NAME] = {"point", 12, 24, 0, true},
	[COL_STATE] = {"state", 11, 11, 0, true},
	[COL_BAR] = {"", 10, 16, 110, true},
	[COL_WANTED] = {"wanted", 6, 7, 0, false},
	[COL_GRANTED] = {"grant", 6, 7, 0, false},
	[COL_DRAWN] = {"drawn", 6, 7, 0, false},
	[COL_MAY] = {"may", 6, 7, SMON_WIDE_COLS, false},
	[COL_SOC] = {"%", 3, 4, 0, false},
	[COL_KWH] = {"kWh", 5, 6, 80, false},
	[COL_GOT] = {"got", 5, 6, SMON_HUGE_COLS, false},
	[COL_LEAVES] = {"leave", 5, 6, 80, false},
	[COL_LEASE] = {"lease", 5, 5, 70, false},
	[COL_MISSED] = {"missed", 6, 6, SMON_HUGE_COLS, false},
	[COL_WHY] = {"why", 10, 10, 0, true},
};

struct table {
	int col[N_COLUMNS], cols[N_COLUMNS]; /* cols 0: not shown */
};

static struct table table_of(int cols)
{
	struct table t = {0};
	int i, at = 1;

	for (i = 0; i < N_COLUMNS; i++) {
		if (cols < columns[i].from)
			continue;
		t.col[i] = at;
		t.cols[i] = cols >= SMON_HUGE_COLS ? columns[i].wide_cols : columns[i].cols;
		at += t.cols[i] + 1;
	}
	t.cols[COL_WHY] = cols - t.col[COL_WHY] > 0 ? cols - t.col[COL_WHY] : 1;
	return t;
}

struct row {
	const struct smon_ctx *c;
	const struct table *t;
	int row;
	enum grid_style style; /* of everything, where chosen or silent */
	bool is_chosen;
};

static void put(const struct row *r, enum column i, enum grid_style style, const char *text)
{
	if (r->is_chosen)
		style = GRID_SELECTED;
	if (r->t->cols[i] == 0)
		return;
	if (columns[i].is_left)
		view_cut(r->c->g, r->row, r->t->col[i], r->t->cols[i], style, text);
	else
		view_right(r->c->g, r->row, r->t->col[i], r->t->cols[i], style, text);
}

static void put_number(const struct row *r, enum column i, enum grid_style style, bool is_known,
		       int64_t number, int64_t scale, int decimals)
{
	char text[VIEW_TEXT];

	view_number(text, number, scale, decimals);
	put(r, i, is_known ? style : GRID_DIM, is_known ? text : "--");
}

static void put_grant(const struct row *r, const struct smon_point *p)
{
	const struct site_grant *g = &p->in_force.grant;
	bool is_fed = g->charge_current_mA == 0 && g->discharge_current_mA > 0;

	if (smon_lease_left_us(r->c->m, p) < 0) {
		put(r, COL_GRANTED, GRID_WARN, smon_has_unheard_grant(p) ? "?" : "none");
		return;
	}
	put_number(r, COL_GRANTED,
		   r->c->m->now_us - p->changed_us < SMON_CHANGED_US ? GRID_CHANGED : r->style, true,
		   is_fed ? -(int64_t)g->discharge_current_mA : g->charge_current_mA, 1000, 1);
}

static void put_session(const struct row *r, const struct smon_point *p)
{
	bool is_there = p->session_us != SMON_NEVER && p->report.state != SITE_POINT_REPORT_STATE_IDLE;
	const struct site_point_session *s = &p->session;
	char text[VIEW_TEXT];

	put_number(r, COL_SOC, r->style, is_there && s->state_of_charge <= 100, s->state_of_charge, 1, 0);
	put_number(r, COL_KWH, r->style, is_there && s->energy_wanted != UINT16_MAX, s->energy_wanted, 10, 1);
	put_number(r, COL_GOT, r->style, is_there && p->meter_us != SMON_NEVER, p->meter.energy_session, 100,
		   1);
	if (!is_there || s->departure == UINT16_MAX)
		snprintf(text, sizeof(text), "--");
	else if (s->departure >= LONG_MIN)
		snprintf(text, sizeof(text), "%ud", s->departure / 1440u);
	else
		snprintf(text, sizeof(text), "%u:%02u", s->departure / 60u, s->departure % 60u);
	put(r, COL_LEAVES, text[0] == '-' ? GRID_DIM : r->style, text);
}

static void put_bar(const struct row *r, const struct smon_point *p)
{
	int32_t max_mA = r->c->n->point[p->bus][p->number].max_mA;

	smon_bar(r->c->g, r->row, r->t->col[COL_BAR], r->t->cols[COL_BAR], p->demand.present_mA,
		 p->report.may_draw_mA, max_mA ? max_mA : p->demand.maximum_mA, r->style);
}

static void put_why(const struct row *r, const struct smon_point *p)
{
	char text[128];

	if (r->c->g->cols >= SMON_HUGE_COLS)
		smon_why(r->c->m, r->c->n, p, text, sizeof(text));
	else
		smon_why_short(r->c->m, r->c->n, p, text, sizeof(text));
	put(r, COL_WHY, GRID_PLAIN, text);
}

static void draw_point(const struct row *r, const struct smon_line *line)
{
	const struct smon_point *p = smon_point(r->c->m, line->bus, line->number);
	char text[VIEW_TEXT];
	int64_t left_us;

	put(r, COL_NAME, GRID_LABEL, smon_point_name(r->c->n, line->bus, line->number, text, sizeof(text)));
	if (!p || p->report_us == SMON_NEVER) {
		put(r, COL_STATE, GRID_DIM, smon_point_state(p));
		put(r, COL_WHY, GRID_DIM, "no report yet");
		return;
	}
	left_us = smon_lease_left_us(r->c->m, p);
	put(r, COL_STATE,
	    p->is_silent || p->report.state == SITE_POINT_REPORT_STATE_FAULT ? GRID_BAD : r->style,
	    smon_point_state(p));
	put_bar(r, p);
	put_number(r, COL_WANTED, r->style, p->demand_us != SMON_NEVER, p->demand.requested_mA, 1000, 1);
	put_grant(r, p);
	put_number(r, COL_DRAWN, r->style, p->demand_us != SMON_NEVER, p->demand.present_mA, 1000, 1);
	put_number(r, COL_MAY, r->style, true, p->report.may_draw_mA, 1000, 1);
	put_session(r, p);
	snprintf(text, sizeof(text), "%ds", (int)(left_us / FC_US_PER_S));
	put(r, COL_LEASE,
	    left_us < 0	       ? GRID_DIM
	    : left_us < LOW_US ? GRID_WARN
			       : r->style,
	    left_us < 0 ? "--" : text);
	put_number(r, COL_MISSED, p->n_missed ? GRID_WARN : GRID_DIM, true, p->n_missed, 1, 0);
	put_why(r, p);
}

static void draw_titles(const struct smon_ctx *c, const struct table *t, int row)
{
	int i;

	for (i = 0; i < N_COLUMNS; i++) {
		if (t->cols[i] && columns[i].is_left)
			grid_text(c->g, row, t->col[i], t->cols[i], GRID_TITLE, columns[i].title);
		else if (t->cols[i])
			view_right(c->g, row, t->col[i], t->cols[i], GRID_TITLE, columns[i].title);
	}
}

void smon_page_points(const struct smon_ctx *c, struct grid_rect r)
{
	struct table t = table_of(c->g->cols);
	struct grid_rect panel = r;
	int chosen, i, top;

	smon_list_points(c);
	chosen = smon_list_chosen(c);
	panel.rows = smon_panel_rows(c, r.rows);
	panel.row += r.rows - panel.rows;
	smon_list_show(c, chosen, r.rows - panel.rows - 1);
	draw_titles(c, &t, r.row);
	top = c->v->top[SMON_PAGE_POINTS];
	for (i = 0; i < c->v->n_shown[SMON_PAGE_POINTS]; i++) {
		const struct smon_line *line = &c->v->line[top + i];
		const struct smon_point *p = smon_point(c->m, line->bus, line->number);
		struct row row = {.c = c, .t = &t, .row = r.row + 1 + i, .is_chosen = top + i == chosen};

		row.style = row.is_chosen ? GRID_SELECTED : p && p->is_silent ? GRID_DIM : GRID_VALUE;
		if (row.is_chosen) {
			grid_fill(c->g, (struct grid_rect){row.row, 0, 1, c->g->cols}, ' ', GRID_SELECTED);
			grid_put(c->g, row.row, 0, 0x25ba, GRID_SELECTED);
		}
		draw_point(&row, line);
	}
	if (c->v->n_lines == 0)
		grid_text(c->g, r.row + 1, 1, -1, GRID_DIM, "no point heard yet");
	if (panel.rows && chosen >= 0)
		smon_detail(c, &c->v->line[chosen], panel);
}
