/* SPDX-License-Identifier: MIT */
/*
 * The events: clock, seconds of the session, pistol, severity and text; newest at the bottom. Pure.
 */
#include "monitor/mon_view_draw.h"

#include <stdio.h>

#define SINCE_COL 14

static const struct mon_event *event_at(const struct mon_model *m, uint64_t i)
{
	return &m->event[i % MON_N_EVENTS];
}

static uint64_t oldest(const struct mon_model *m)
{
	return m->n_events > MON_N_EVENTS ? m->n_events - MON_N_EVENTS : 0;
}

/* Seconds since the start of the session that the event belongs to; "" outside of one. */
static void session_time(const struct view_ctx *c, const struct mon_event *e, char out[VIEW_TEXT])
{
	const struct mon_point *p = mon_point(c->m, e->point);

	out[0] = '\0';
	if (!p || !p->session.is_known || e->time_us < p->session.start_us ||
	    (!p->session.is_running && e->time_us > p->session.end_us))
		return;
	int64_t us = e->time_us - p->session.start_us, s = us / 1000000;

	if (s < 1000)
		snprintf(out, VIEW_TEXT, "+%d.%03d", (int)s, (int)(us / 1000 % 1000));
	else
		snprintf(out, VIEW_TEXT, "+%lld", (long long)(s < 9999999 ? s : 9999999));
}

static bool are_many(const struct mon_model *m)
{
	unsigned n = 0;

	for (unsigned i = 0; i < MON_N_POINTS; i++)
		n += mon_point(m, i) != NULL;
	return n > 1;
}

static void draw_event(const struct view_ctx *c, const struct mon_event *e, int row, int width)
{
	char clock[VIEW_TEXT], since[VIEW_TEXT], text[MON_EVENT_TEXT + VIEW_TEXT];
	enum mon_severity severity = (enum mon_severity)e->severity;
	int col = SINCE_COL + 9;

	view_clock(clock, view_wall_us(c, e->time_us), true, true);
	session_time(c, e, since);
	grid_text(c->g, row, 1, 12, GRID_DIM, clock);
	view_right(c->g, row, SINCE_COL, 8, GRID_DIM, since);
	if (are_many(c->m)) {
		grid_printf(c->g, row, col, 2, e->point == c->v->point ? GRID_PLAIN : GRID_DIM, "%2u",
			    e->point);
		col += 3;
	}
	grid_put(c->g, row, col, view_mark(severity), view_style(severity));
	view_label(text, sizeof(text), e->text);
	view_cut(c->g, row, col + 2, width - col - 2, view_style(severity), text);
}

void view_event_lines(const struct view_ctx *c, const struct view_pane *p, int line, int n, int width)
{
	const struct mon_model *m = c->m;
	uint64_t first = m->n_events > (uint64_t)n ? m->n_events - (uint64_t)n : 0;

	if (first < oldest(m))
		first = oldest(m);
	for (uint64_t i = first; i < m->n_events; i++, line++) {
		int row = view_pane_row(p, line);

		if (row >= 0)
			draw_event(c, event_at(m, i), row, width + 1);
	}
}

void view_events(const struct view_ctx *c, struct grid_rect r)
{
	const struct mon_model *m = c->m;
	int shown = r.rows - 1, *scroll = &c->v->scroll[MON_PAGE_EVENTS];
	uint64_t low = oldest(m);
	int total = (int)(m->n_events - low);

	c->v->page_rows = shown;

	/*
	 * Scrolled back, the position counts events from the start: what is read stays where it is while new ones come,
	 * until it falls out of the store.
	 */
	int top = c->v->is_log_following ? total - shown : *scroll - (int)low;

	view_clamp_scroll(&top, shown, total);
	*scroll = (int)low + top;
	if (top >= total - shown)
		c->v->is_log_following = true; /* who comes to the end follows again */
	view_rule(c->g, r.row, 1, r.cols - 2,
		  c->v->is_log_following ? "Events" : "Events, scrolled back: end follows");
	for (int k = 0; k < shown && top + k < total; k++)
		draw_event(c, event_at(m, low + (uint64_t)(top + k)), r.row + 1 + k, r.cols - 1);
	if (total == 0)
		grid_text(c->g, r.row + 2, 2, -1, GRID_DIM, "nothing has happened yet");
	view_scroll_mark(c, top, shown, total);
}
