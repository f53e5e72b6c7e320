/* SPDX-License-Identifier: MIT */
/* The events of a site, and the page of help. Pure. */
#include "monitor/site_mon_view_draw.h"

#include <stdio.h>
#include <string.h>

#define ABOUT_COL 12
#define TEXT_MAX  160

static int about_cols(int cols)
{
	return cols >= SMON_HUGE_COLS ? 32 : cols >= SMON_WIDE_COLS ? 22 : 15;
}

/* "->" as an arrow. */
static void put_arrow(const char *text, char *out, size_t size)
{
	const char *at = strstr(text, "->");

	if (at)
		snprintf(out, size, "%.*s→%s", (int)(at - text), text, at + 2);
	else
		snprintf(out, size, "%s", text);
}

static void draw_event(const struct smon_ctx *c, const struct smon_event *e, int row)
{
	static const enum grid_style styles[] = {GRID_PLAIN, GRID_GOOD, GRID_WARN, GRID_BAD};
	static const uint32_t marks[] = {' ', '+', '!', 0x2717};
	int cols = about_cols(c->g->cols), col = ABOUT_COL + cols + 1;
	char text[TEXT_MAX], shown[TEXT_MAX];

	view_clock(text, c->s->wall_us - (c->m->now_us - e->time_us), true, false);
	grid_text(c->g, row, 1, -1, GRID_DIM, text);
	grid_put(c->g, row, 10, marks[e->severity], styles[e->severity]);
	view_cut(c->g, row, ABOUT_COL, cols, GRID_LABEL, smon_event_about(c->n, e, text, sizeof(text)));
	put_arrow(smon_event_text(c->n, e, text, sizeof(text)), shown, sizeof(shown));
	view_cut(c->g, row, col, c->g->cols - col - 1, styles[e->severity], shown);
}

static bool is_wanted(const struct smon_ctx *c, const struct smon_event *e)
{
	const struct smon_line *pick = &c->v->pick;

	if (c->v->filter == SMON_FILTER_NO_GRANTS)
		return e->kind != SMON_EVENT_GRANT;
	if (c->v->filter != SMON_FILTER_CHOSEN)
		return true;
	if (pick->kind == SMON_LINE_POINT)
		return e->bus == pick->bus && e->number == pick->number;
	return pick->kind != SMON_LINE_ROW || e->row == pick->row;
}

/* Numbers of those that are wanted, newest first; how many. *n_new: of them since the last drawing. */
static int collect(const struct smon_ctx *c, uint16_t number[SMON_N_EVENTS], int *n_new)
{
	const struct smon_event *e;
	uint32_t i, fresh = c->m->n_events - c->v->n_events;
	int n = 0;

	*n_new = 0;
	for (i = 0; (e = smon_event(c->m, i)) != NULL; i++) {
		if (!is_wanted(c, e))
			continue;
		*n_new += i < fresh;
		number[n++] = (uint16_t)i;
	}
	return n;
}

void smon_page_events(const struct smon_ctx *c, struct grid_rect r)
{
	struct smon_view *v = c->v;
	int *top = &v->top[SMON_PAGE_EVENTS], *n_shown = &v->n_shown[SMON_PAGE_EVENTS], i, n_new;
	uint16_t number[SMON_N_EVENTS];

	v->n_lines = collect(c, number, &n_new);
	*n_shown = v->n_lines < r.rows ? v->n_lines : r.rows;
	/* Who has scrolled down reads on where he was; not after a log went back. */
	if (*top > 0 && c->m->n_events >= v->n_events)
		*top += n_new;
	v->n_events = c->m->n_events;
	view_clamp_scroll(top, *n_shown, v->n_lines);
	for (i = 0; i < *n_shown; i++)
		draw_event(c, smon_event(c->m, number[*top + i]), r.row + i);
	if (v->n_lines == 0)
		grid_text(c->g, r.row, 1, -1, GRID_DIM, "nothing has happened yet");
}

void smon_page_help(const struct smon_ctx *c, struct grid_rect r)
{
	static const char *const lines[] = {
		"1 2 3, Tab       tree, points, events",
		"↑ ↓ PgUp PgDn    choose a line, scroll the events; Home End: first, last",
		"Enter            close and open what stands below the list",
		"w                plot of ten minutes, or since the start",
		"s                points by number, name, state, what is short, departure",
		"f                events: all, without grants, of the chosen line",
		"space, q         stand still; quit",
		". ← → [ ] < >    of a log: a frame, 10 s, a minute, speed",
		"drawn   as reported                        bar: full",
		"may     the worst that can still be drawn,  bar: grey",
		"        whatever was lost on the way",
		"limit   in force now, without what other loads take; of a point: its grant",
		"of      as configured, where other loads, a schedule or an operator lower it",
		"lease   what is left of the lease of the grant",
		"",
		"A grant counts once its point has acknowledged it. When its lease ends, the",
		"point falls to its safe current, which the site has always set aside.",
	};
	int i;

	view_rule(c->g, r.row, 0, c->g->cols, " Help");
	for (i = 0; i < (int)(sizeof(lines) / sizeof(lines[0])) && i + 1 < r.rows; i++)
		view_cut(c->g, r.row + 1 + i, 2, c->g->cols - 3, GRID_PLAIN, lines[i]);
}
