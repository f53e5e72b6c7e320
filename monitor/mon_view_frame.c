/* SPDX-License-Identifier: MIT */
/*
 * What is around every page: the top line, the line of the replay, the help line. All of fixed widths, so that only
 * digits change. Pure.
 */
#include "monitor/mon_view_draw.h"

#include <stdio.h>
#include <string.h>

#include "evse_msgs.h"
#include "pev_msgs.h"

#define BAD_COLS    9 /* "✗ 12 bad": lines of the log that could not be read */
#define QUIT_COLS   8
#define SCROLL_COLS 14 /* "▲123-145/164▼" */

static const char *version_name(const struct mon_model *m)
{
	if (m->cfg.side == MON_EVSE)
		return m->cfg.version < EVSE_N_VERSIONS ? evse_version_names[m->cfg.version] : "?";
	return m->cfg.version < PEV_N_VERSIONS ? pev_version_names[m->cfg.version] : "?";
}

static unsigned count_heard(const struct mon_model *m)
{
	unsigned n = 0;

	for (unsigned i = 0; i < MON_N_POINTS; i++)
		n += mon_point(m, i) != NULL;
	return n;
}

static void draw_bus(const struct view_ctx *c, int col)
{
	const struct mon_bus *bus = &c->m->bus;
	char clock[VIEW_TEXT], load[VIEW_TEXT];

	view_number(load, bus->load_permille, 10, 1);
	if (bus->is_up)
		grid_printf(c->g, 0, col, 11, GRID_BAR, "bus %5s %%", load);
	else
		grid_text(c->g, 0, col, 11, GRID_BAD, "BUS DOWN!");
	grid_printf(c->g, 0, col + 12, 11, bus->n_errors ? GRID_BAD : GRID_BAR, "errors %-4llu",
		    (unsigned long long)bus->n_errors);
	grid_printf(c->g, 0, col + 24, 10, bus->n_dropped ? GRID_WARN : GRID_BAR, "drops %-4llu",
		    (unsigned long long)bus->n_dropped);
	view_clock(clock, c->source->wall_us, true, false);
	grid_text(c->g, 0, col + 35, 8, GRID_BAR, clock);
}

static void draw_top(const struct view_ctx *c)
{
	const struct mon_model *m = c->m;
	struct mon_grid *g = c->g;
	int bus_col = g->cols - 44;
	int col = 1;

	grid_fill(g, (struct grid_rect){0, 0, 1, g->cols}, ' ', GRID_BAR);
	col += grid_printf(g, 0, col, bus_col - col, GRID_BAR, "%s %s",
			   m->cfg.side == MON_EVSE ? "EVSE" : "PEV", version_name(m));
	col += 2;
	if (m->cfg.side == MON_EVSE) {
		unsigned n = count_heard(m);

		if (c->v->page == MON_PAGE_LIST || n == 0)
			col += grid_printf(g, 0, col, bus_col - col, GRID_BAR, "%u pistol%s", n,
					   n == 1 ? "" : "s");
		else
			col += grid_printf(g, 0, col, bus_col - col, GRID_BAR,
					   n > 1 ? "pistol %u (%u heard)" : "pistol %u", c->v->point, n);
		col += 2;
	}
	view_cut(g, 0, col, bus_col - col - 1, GRID_BAR, c->source->name ? c->source->name : "");
	draw_bus(c, bus_col);
}

/* Keys of the replay, shortest first where there is little room. */
static void draw_replay_keys(struct mon_grid *g, int row)
{
	static const char keys[] = ". step  ←→ 10 s  [] 1 min  <> speed";
	static const char few[] = ".step ←→10s []1min <>speed";
	const char *text = g->cols >= 120 ? keys : few;

	view_right(g, row, 0, g->cols - 1, GRID_DIM, text);
}

void view_replay(struct mon_grid *g, const struct mon_source *s, int row)
{
	int keys = g->cols >= 120 ? 37 : g->cols >= MON_VIEW_MIN_COLS ? 28 : 0;
	char at[VIEW_TEXT], end[VIEW_TEXT], speed[VIEW_TEXT] = "max";
	int64_t length_us = s->end_us > s->begin_us ? s->end_us - s->begin_us : 0;
	int64_t at_us = s->at_us > s->begin_us ? s->at_us - s->begin_us : 0;

	/* A tenth would change at every drawing; only who stands still can read it. */
	view_clock(at, at_us, false, s->is_paused || s->is_at_end);
	if (length_us > 0)
		view_clock(end, length_us, false, false);
	else
		snprintf(end, sizeof(end), "--:--:--");
	if (s->speed > 0)
		snprintf(speed, sizeof(speed), s->speed < 1 ? "x%.2f" : "x%.0f", s->speed);
	int col = 1 + grid_printf(g, row, 1, 14, s->is_paused ? GRID_WARN : GRID_GOOD, "%s %-6s",
				  s->is_at_end	 ? "■ end"
				  : s->is_paused ? "‖ stop"
						 : "► play",
				  speed);

	col += 1 + grid_printf(g, row, col + 1, 12, GRID_VALUE, "%-12s", at);
	int bar_cols = g->cols - keys - col - 11 - (s->n_bad_lines ? BAD_COLS : 0);
	int done = length_us > 0 && bar_cols > 1
			   ? (int)((at_us < length_us ? at_us : length_us) / (length_us / (bar_cols - 1) + 1))
			   : 0;

	for (int i = 0; i < bar_cols; i++)
		grid_put(g, row, col + 1 + i,
			 i < done    ? 0x2501
			 : i == done ? 0x25cf
				     : 0x2500,
			 i <= done ? GRID_VALUE : GRID_FRAME);
	if (bar_cols > 0)
		col += bar_cols + 1;
	col += grid_text(g, row, col + 1, 8, GRID_LABEL, end);
	if (s->n_bad_lines)
		grid_printf(g, row, col + 2, BAD_COLS - 1, GRID_WARN, "✗ %llu bad",
			    (unsigned long long)s->n_bad_lines);
	if (keys)
		draw_replay_keys(g, row);
}

static void draw_help(const struct view_ctx *c)
{
	static const struct {
		enum mon_page page;
		const char *text;
	} tabs[] = {
		{MON_PAGE_LIST, "1 list"},	   {MON_PAGE_DETAIL, "2 detail"},
		{MON_PAGE_MESSAGES, "3 messages"}, {MON_PAGE_EVENTS, "4 events"},
		{MON_PAGE_HELP, "? help"},
	};
	static const char *const keys[] = {"↑↓ move",	    "w span",	  "n/p pistol", "space pause",
					   "tab next page", "enter open", "esc back"};
	struct mon_grid *g = c->g;
	int row = g->rows - 1, col = 0, end = g->cols - QUIT_COLS - SCROLL_COLS;

	grid_fill(g, (struct grid_rect){row, 0, 1, g->cols}, ' ', GRID_BAR);
	for (size_t i = 0; i < sizeof(tabs) / sizeof(*tabs); i++) {
		bool is_here = tabs[i].page == c->v->page;

		/* Brackets: reverse or colour may not be there. */
		col += grid_printf(g, row, col, -1, is_here ? GRID_SELECTED : GRID_BAR,
				   is_here ? "[%s]" : " %s ", tabs[i].text);
	}
	if (!c->source->is_replay && c->source->is_paused)
		col += grid_text(g, row, col, -1, GRID_WARN, "‖ PAUSED");
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		int width = view_columns(keys[i]);

		if (col + 1 + width > end)
			break;
		col += 1 + grid_text(g, row, col + 1, width, GRID_BAR, keys[i]);
	}
	view_right(g, row, g->cols - QUIT_COLS, QUIT_COLS - 1, GRID_BAR, "q quit");
}

struct grid_rect view_frame(const struct view_ctx *c)
{
	int top = c->source->is_replay ? 2 : 1;

	draw_top(c);
	if (c->source->is_replay)
		view_replay(c->g, c->source, 1);
	draw_help(c);
	return (struct grid_rect){top, 0, c->g->rows - top - 1, c->g->cols};
}

void view_scroll_mark(const struct view_ctx *c, int first, int shown, int total)
{
	struct mon_grid *g = c->g;
	char text[VIEW_TEXT];

	if (shown >= total || shown <= 0)
		return;
	int last = first + shown < total ? first + shown : total;

	snprintf(text, sizeof(text), "%s%d-%d/%d%s", first > 0 ? "▲" : " ", first + 1, last, total,
		 last < total ? "▼" : " ");
	view_right(g, g->rows - 1, g->cols - QUIT_COLS - SCROLL_COLS, SCROLL_COLS, GRID_BAR, text);
}

void view_clamp_scroll(int *scroll, int shown, int total)
{
	if (*scroll > total - shown)
		*scroll = total - shown;
	if (*scroll < 0)
		*scroll = 0;
}
