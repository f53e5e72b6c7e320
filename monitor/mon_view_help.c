/* SPDX-License-Identifier: MIT */
/*
 * The help page: keys, marks, and the table of situations that the explanation knows. Pure.
 */
#include "monitor/mon_view_draw.h"

#define KEY_COLS 16

/* "" as key: a title; NULL as text: an empty line. */
static const struct {
	const char *key, *text;
} lines[] = {
	{"", "Pages"},
	{"1 2 3 4 5, Tab", "list, detail, messages, events, help (? as well); Tab: next"},
	{"Enter  Esc", "from the list to the chosen pistol; back where you were"},
	{"n p  + -", "next and previous pistol that was heard"},
	{"↑ ↓ PgUp PgDn", "choose a line; move a page that is longer than the screen"},
	{"Home End", "first and last line; events: End follows the newest again"},
	{"w", "plots: the last minute, or the whole session"},
	{"space", "the screen stands still, or a replay pauses; again: on"},
	{"q", "quit"},
	{NULL, NULL},
	{"", "Replay of a log"},
	{".", "one frame of the interface, and pause"},
	{"← →   [ ]", "10 seconds, 1 minute back and on"},
	{"< >", "half and double speed"},
	{NULL, NULL},
	{"", "Marks"},
	{"----", "never heard"},
	{"!", "over-due: older than the cycle of its message allows"},
	{"·", "changed within the last second; an event of note"},
	{"7s 4m 3h", "age of the value, from 1 second on"},
	{"● ○", "flag set, not set"},
	{"▲ ✗", "a request out of the ordinary; a fault"},
	{"●━►─○", "steps done, the present one, steps to come"},
	{"◄", "the limit that binds; in a plot: the target"},
	{"not given", "the other side sent 0, which says nothing"},
	{NULL, NULL},
	{"", "Situations: who waits for what"},
};

#define N_LINES (sizeof(lines) / sizeof(*lines))

void view_help(const struct view_ctx *c, struct grid_rect r)
{
	int total = (int)(N_LINES + explain_count()), *scroll = &c->v->scroll[MON_PAGE_HELP];
	struct view_pane p = {.r = r};

	c->v->page_rows = r.rows;
	view_clamp_scroll(scroll, r.rows, total);
	p.scroll = *scroll;
	for (int i = 0; i < total; i++) {
		int row = view_pane_row(&p, i);

		if (row < 0)
			continue;
		if (i >= (int)N_LINES) {
			const struct explain_situation *s = explain_get((size_t)i - N_LINES);

			grid_put(c->g, row, 2, view_mark(s->severity), view_style(s->severity));
			grid_text(c->g, row, 4, KEY_COLS - 3, GRID_VALUE, s->code);
			view_cut(c->g, row, 2 + KEY_COLS, r.cols - KEY_COLS - 3, GRID_PLAIN, s->title);
		} else if (lines[i].text && !lines[i].key[0]) {
			view_rule(c->g, row, 1, r.cols - 2, lines[i].text);
		} else if (lines[i].text) {
			grid_text(c->g, row, 2, KEY_COLS - 1, GRID_VALUE, lines[i].key);
			view_cut(c->g, row, 2 + KEY_COLS, r.cols - KEY_COLS - 3, GRID_PLAIN, lines[i].text);
		}
	}
	view_scroll_mark(c, p.scroll, r.rows, total);
}
