/* SPDX-License-Identifier: MIT */
/*
 * The monitors' screens: which page is shown, and what the keys do. Pure.
 */
#include "monitor/mon_view.h"

#include <limits.h>
#include <stdio.h>

#include "monitor/mon_view_draw.h"

#define SEEK_US	    INT64_C(10000000)
#define SEEK_FAR_US INT64_C(60000000)

void mon_view_init(struct mon_view *v, const struct mon_model *m)
{
	*v = (struct mon_view){
		.page = m->cfg.side == MON_EVSE ? MON_PAGE_LIST : MON_PAGE_DETAIL,
		.previous = MON_PAGE_DETAIL,
		.point = m->cfg.side == MON_EVSE ? 1 : 0,
		.is_log_following = true,
		.is_page_free = m->cfg.side == MON_EVSE,
	};
}

/* The next point that was heard, in a direction; the same one where there is none. */
static unsigned neighbour(const struct mon_model *m, unsigned point, int step)
{
	for (int i = (int)point + step; i >= 0 && i < MON_N_POINTS; i += step)
		if (mon_point(m, (unsigned)i))
			return (unsigned)i;
	return point;
}

static void choose_point(struct mon_view *v, const struct mon_model *m)
{
	if (v->point < MON_N_POINTS && mon_point(m, v->point))
		return;
	for (unsigned i = 0; i < MON_N_POINTS; i++)
		if (mon_point(m, i)) {
			v->point = i;
			return;
		}
	v->point = m->cfg.side == MON_EVSE ? 1 : 0;
}

static void choose_page(struct mon_view *v, const struct mon_model *m)
{
	unsigned n_heard = 0;

	if (!v->is_page_free)
		return;
	for (unsigned i = 0; i < MON_N_POINTS; i++)
		n_heard += mon_point(m, i) != NULL;
	v->page = n_heard == 1 ? MON_PAGE_DETAIL : MON_PAGE_LIST;
}

static void draw_too_small(struct mon_grid *g)
{
	char text[VIEW_TEXT + 32];
	int row = g->rows / 2;

	snprintf(text, sizeof(text), "The terminal has %d x %d; %d x %d are needed.", g->cols, g->rows,
		 MON_VIEW_MIN_COLS, MON_VIEW_MIN_ROWS);
	for (const char *p = text; *p && row < g->rows;) {
		size_t n = view_wrap(p, g->cols);

		if (n == 0)
			break;
		grid_printf(g, row++, 0, -1, GRID_WARN, "%.*s", (int)n, p);
		p += n;
		p += *p == ' ';
	}
}

void mon_view_draw(struct mon_view *v, const struct mon_model *m, const struct mon_source *source,
		   struct mon_grid *g)
{
	struct mon_facts facts;
	struct explain explain;
	struct view_ctx c = {.v = v, .m = m, .source = source, .g = g, .facts = &facts, .explain = &explain};

	grid_reset(g, g->rows, g->cols, g->is_ascii);
	if (g->rows < MON_VIEW_MIN_ROWS || g->cols < MON_VIEW_MIN_COLS) {
		draw_too_small(g);
		return;
	}
	choose_point(v, m);
	choose_page(v, m);
	mon_facts(m, v->point, &facts);
	explain_point(m, v->point, &explain);
	struct grid_rect r = view_frame(&c);

	switch (v->page) {
	case MON_PAGE_LIST:
		view_list(&c, r);
		break;
	case MON_PAGE_MESSAGES:
		view_messages(&c, r);
		break;
	case MON_PAGE_EVENTS:
		view_events(&c, r);
		break;
	case MON_PAGE_HELP:
		view_help(&c, r);
		break;
	case MON_PAGE_DETAIL:
	case MON_N_PAGES:
		view_detail(&c, r);
		break;
	}
}

static enum mon_action go(struct mon_view *v, enum mon_page page)
{
	v->is_page_free = false;
	if (page == v->page)
		return MON_ACT_NONE;
	v->previous = v->page;
	v->page = page;
	return MON_ACT_REDRAW;
}

/* Drawing brings a line number beyond the end back to it. */
static enum mon_action scroll(struct mon_view *v, int lines)
{
	int *at = &v->scroll[v->page];

	if (v->page == MON_PAGE_EVENTS)
		v->is_log_following = lines == INT_MAX;
	if (lines == INT_MAX || lines == INT_MIN)
		*at = lines == INT_MAX ? INT_MAX / 2 : 0;
	else
		*at = *at + lines < 0 ? 0 : *at + lines;
	return MON_ACT_REDRAW;
}

static enum mon_action move(struct mon_view *v, const struct mon_model *m, int lines)
{
	if (v->page != MON_PAGE_LIST)
		return scroll(v, lines);
	int n = lines > MON_N_POINTS ? MON_N_POINTS : lines < -MON_N_POINTS ? -MON_N_POINTS : lines;

	for (; n != 0; n += n < 0 ? 1 : -1)
		v->point = neighbour(m, v->point, n < 0 ? -1 : 1);
	return MON_ACT_REDRAW;
}

static enum mon_action other_point(struct mon_view *v, const struct mon_model *m, int step)
{
	unsigned old = v->point;

	v->point = neighbour(m, v->point, step);
	return v->point == old ? MON_ACT_NONE : MON_ACT_REDRAW;
}

static enum mon_action seek(struct mon_view *v, const struct mon_source *source, int64_t us)
{
	if (!source->is_replay)
		return MON_ACT_NONE;
	v->seek_us = us;
	return MON_ACT_SEEK;
}

static enum mon_action replay_key(struct mon_view *v, const struct mon_model *m,
				  const struct mon_source *source, int key)
{
	switch (key) {
	case MON_KEY_LEFT:
		return source->is_replay ? seek(v, source, -SEEK_US) : other_point(v, m, -1);
	case MON_KEY_RIGHT:
		return source->is_replay ? seek(v, source, SEEK_US) : other_point(v, m, 1);
	case '[':
		return seek(v, source, -SEEK_FAR_US);
	case ']':
		return seek(v, source, SEEK_FAR_US);
	case '.':
		return source->is_replay ? MON_ACT_STEP : MON_ACT_NONE;
	case '<':
		return source->is_replay ? MON_ACT_SLOWER : MON_ACT_NONE;
	case '>':
		return source->is_replay ? MON_ACT_FASTER : MON_ACT_NONE;
	case ' ':
		return MON_ACT_PAUSE;
	case 'q':
		return MON_ACT_QUIT;
	default:
		return MON_ACT_NONE;
	}
}

static enum mon_action move_key(struct mon_view *v, const struct mon_model *m, int key)
{
	int page = v->page_rows > 2 ? v->page_rows - 1 : 1; /* one line stays in sight */

	switch (key) {
	case MON_KEY_UP:
		return move(v, m, -1);
	case MON_KEY_DOWN:
		return move(v, m, 1);
	case MON_KEY_PAGE_UP:
		return move(v, m, -page);
	case MON_KEY_PAGE_DOWN:
		return move(v, m, page);
	case MON_KEY_HOME:
		return move(v, m, INT_MIN);
	default:
		return move(v, m, INT_MAX);
	}
}

enum mon_action mon_view_key(struct mon_view *v, const struct mon_model *m, const struct mon_source *source,
			     int key)
{
	switch (key) {
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
		return go(v, (enum mon_page)(key - '1'));
	case '?':
		return go(v, v->page == MON_PAGE_HELP ? v->previous : MON_PAGE_HELP);
	case MON_KEY_TAB:
		return go(v, (enum mon_page)((v->page + 1) % MON_N_PAGES));
	case MON_KEY_ENTER:
		return v->page == MON_PAGE_LIST ? go(v, MON_PAGE_DETAIL) : MON_ACT_NONE;
	case MON_KEY_ESCAPE:
		return go(v, v->page == v->previous ? MON_PAGE_LIST : v->previous);
	case 'w':
		v->span = v->span == MON_SPAN_MINUTE ? MON_SPAN_SESSION : MON_SPAN_MINUTE;
		return MON_ACT_REDRAW;
	case 'n':
	case '+':
		return other_point(v, m, 1);
	case 'p':
	case '-':
		return other_point(v, m, -1);
	case MON_KEY_UP:
	case MON_KEY_DOWN:
	case MON_KEY_PAGE_UP:
	case MON_KEY_PAGE_DOWN:
	case MON_KEY_HOME:
	case MON_KEY_END:
		return move_key(v, m, key);
	default:
		return replay_key(v, m, source, key);
	}
}
