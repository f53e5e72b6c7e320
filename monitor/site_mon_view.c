/* SPDX-License-Identifier: MIT */
/* Frame of the site's screen: head line, totals, the page, and keys. Pure. */
#include "monitor/site_mon_view_draw.h"

#include <stdio.h>
#include <string.h>

#define MIN_ROWS   12
#define MIN_COLS   60
#define TOTAL_ROWS 3
#define BAR_COLS   24
#define QUIT_COLS  8
#define MARK_COLS  14
#define SEEK_US	   (10 * FC_US_PER_S)
#define SEEK_FAR   (60 * FC_US_PER_S)

void smon_view_init(struct smon_view *v)
{
	memset(v, 0, sizeof(*v));
}

/* --- head ---------------------------------------------------------------------------------------------- */

static void draw_head(const struct smon_ctx *c)
{
	const struct site_status *st = &c->m->status;
	struct mon_grid *g = c->g;
	char clock[VIEW_TEXT];
	int col, end = g->cols - 10;

	grid_fill(g, (struct grid_rect){0, 0, 1, g->cols}, ' ', GRID_BAR);
	view_clock(clock, c->s->wall_us, true, false);
	view_right(g, 0, end, 9, GRID_BAR, clock);
	if (!c->s->is_replay && c->s->is_paused) {
		end -= 9;
		grid_text(g, 0, end, -1, GRID_BAR, "‖ PAUSED");
	}
	col = 1 + grid_text(g, 0, 1, -1, GRID_BAR, "SITE");
	if (c->n->site[0])
		col += 1 + view_cut(g, 0, col + 1, 20, GRID_BAR, c->n->site);
	col += 2 + view_cut(g, 0, col + 2, g->cols / 4, GRID_BAR, c->s->name ? c->s->name : "");
	if (c->m->status_us == SMON_NEVER)
		view_cut(g, 0, col + 2, end - col - 3, GRID_BAR, "no word of site-ctrl yet");
	else if (col + 2 < end)
		grid_printf(g, 0, col + 2, end - col - 3, GRID_BAR, "%s · policy %s%s%s",
			    c->m->is_site_silent ? "SILENT" : smon_site_state_name(st->state),
			    smon_policy_name(st->policy), st->shadow ? " · shadow " : "",
			    st->shadow ? smon_policy_name(st->shadow) : "");
}

static int put_amount(const struct smon_ctx *c, int row, int col, uint32_t index, const char *label,
		      int32_t mA, enum grid_style style)
{
	char text[VIEW_TEXT];

	smon_row_number(c->n, index, mA, text);
	col += grid_printf(c->g, row, col, -1, GRID_LABEL, "  %s ", label);
	return col + grid_printf(c->g, row, col, -1, style, "%s", text);
}

/* The limit of the whole site. */
static void draw_main_row(const struct smon_ctx *c, int row)
{
	uint32_t index = 0;
	const struct smon_row *r = smon_main_row(c->m, c->n, &index);
	char name[SMON_ROW_NAME_MAX];
	enum grid_style style;
	int col = 1;

	if (!r) {
		grid_text(c->g, row, 1, -1, GRID_DIM, "no limit heard yet");
		return;
	}
	style = smon_row_is_old(c->m, r) ? GRID_DIM : smon_row_style(r);
	col += view_cut(c->g, row, col, c->g->cols / 4, GRID_TITLE,
			smon_row_text(c->n, index, name, sizeof(name)));
	col = put_amount(c, row, col, index, "drawn", r->load.drawn_mA, GRID_VALUE);
	col = put_amount(c, row, col, index, "may", r->load.taken_mA, style);
	col = put_amount(c, row, col, index, "limit", r->load.limit_mA, GRID_VALUE);
	col = put_amount(c, row, col, index, "room", r->load.limit_mA - r->load.taken_mA, style);
	col += grid_printf(c->g, row, col, -1, GRID_LABEL, " %s", smon_row_unit(c->n, index));
	if (col + 2 + BAR_COLS < c->g->cols)
		smon_bar(c->g, row, c->g->cols - BAR_COLS - 1, BAR_COLS, r->load.drawn_mA, r->load.taken_mA,
			 r->load.limit_mA, style);
}

static unsigned n_in_file(const struct smon_ctx *c)
{
	unsigned bus, number, n = 0;

	for (bus = 0; bus < SMON_MAX_BUSES; bus++)
		for (number = 1; number < SMON_N_NUMBERS; number++)
			n += c->n->point[bus][number].name[0] || smon_point(c->m, bus, number);
	return n;
}

static void draw_points_sum(const struct smon_ctx *c, const struct smon_totals *t, int row)
{
	struct mon_grid *g = c->g;
	unsigned n = n_in_file(c);
	int col = 1;

	col += grid_printf(g, row, col, -1, t->n_reporting < n ? GRID_WARN : GRID_LABEL, "%u of %u report",
			   t->n_reporting, n);
	col += grid_printf(g, row, col, -1, GRID_LABEL, " · %u charging · %u waiting", t->n_charging,
			   t->n_waiting);
	if (t->n_discharging)
		col += grid_printf(g, row, col, -1, GRID_LABEL, " · %u discharging", t->n_discharging);
	if (t->n_faulted) {
		col += grid_text(g, row, col, -1, GRID_LABEL, " · ");
		col += grid_printf(g, row, col, -1, GRID_BAD, "%u faulted", t->n_faulted);
	}
	if (g->cols < SMON_WIDE_COLS)
		return;
	grid_printf(g, row, col, -1, GRID_LABEL, " · together %.1f of %.1f A granted, %.1f wanted",
		    t->drawn_mA / 1000.0, t->granted_mA / 1000.0, t->requested_mA / 1000.0);
}

/* The worst of all, in words; NULL: all is well. */
static const char *alarm_text(const struct smon_model *m, const struct smon_totals *t)
{
	static const uint8_t order[SMON_N_ALARMS] = {4, 0, 2, 1, 3};
	unsigned i;

	if (m->is_site_silent)
		return "the site is silent: leases run out, points fall to their safe currents";
	if (t->n_rows_over)
		return NULL; /* said with its name */
	for (i = 0; i < SMON_N_ALARMS; i++)
		if (m->status_us != SMON_NEVER && m->status.alarm >> order[i] & 1)
			return smon_alarm_text(order[i]);
	return NULL;
}

static void draw_alarm(const struct smon_ctx *c, const struct smon_totals *t, int row)
{
	const char *alarm = alarm_text(c->m, t);
	uint32_t index = 0;
	const struct smon_row *r = smon_tightest_row(c->m, &index);
	char text[VIEW_TEXT], taken[VIEW_TEXT], limit[VIEW_TEXT], name[SMON_ROW_NAME_MAX];

	if (alarm) {
		grid_printf(c->g, row, 1, -1, GRID_BAD, "! %s", alarm);
		return;
	}
	if (!r)
		return;
	if (t->n_rows_over)
		snprintf(text, sizeof(text), "! %u limit%s may be exceeded", t->n_rows_over,
			 t->n_rows_over > 1 ? "s" : "");
	else
		snprintf(text, sizeof(text), "no limit exceeded");
	smon_row_number(c->n, index, r->load.taken_mA, taken);
	smon_row_number(c->n, index, r->load.limit_mA, limit);
	grid_printf(c->g, row, 1, -1, t->n_rows_over ? GRID_BAD : GRID_GOOD, "%s, tightest %s: %s of %s %s",
		    text, smon_row_text(c->n, index, name, sizeof(name)), taken, limit,
		    smon_row_unit(c->n, index));
}

/* --- frame --------------------------------------------------------------------------------------------- */

static void draw_marks(const struct smon_ctx *c)
{
	const struct smon_view *v = c->v;
	int top = v->top[v->page], last = top + v->n_shown[v->page];
	char text[VIEW_TEXT];

	if (v->is_help || v->n_lines <= v->n_shown[v->page])
		return;
	snprintf(text, sizeof(text), "%s%d-%d/%d%s", top > 0 ? "▲" : " ", top + 1, last, v->n_lines,
		 last < v->n_lines ? "▼" : " ");
	view_right(c->g, c->g->rows - 1, c->g->cols - QUIT_COLS - MARK_COLS, MARK_COLS, GRID_BAR, text);
}

static void draw_keys(const struct smon_ctx *c)
{
	static const char *const tabs[] = {"1 tree", "2 points", "3 events"};
	static const char *const sorts[SMON_N_SORTS] = {"s by number", "s by name", "s by state",
							"s by short", "s by leaving"};
	static const char *const filters[SMON_N_FILTERS] = {"f all", "f no grants", "f of the chosen"};
	const char *keys[] = {c->v->page == SMON_PAGE_POINTS   ? sorts[c->v->sort]
			      : c->v->page == SMON_PAGE_EVENTS ? filters[c->v->filter]
							       : "",
			      "space pause", c->v->page == SMON_PAGE_TREE ? "w span" : "", "enter panel",
			      "tab next page"};
	struct mon_grid *g = c->g;
	int col = 0, row = g->rows - 1, end = g->cols - QUIT_COLS - MARK_COLS;
	size_t i;

	grid_fill(g, (struct grid_rect){row, 0, 1, g->cols}, ' ', GRID_BAR);
	/* Brackets: reverse or colour may not be there. */
	for (i = 0; i < SMON_N_PAGES; i++) {
		bool is_here = !c->v->is_help && (size_t)c->v->page == i;

		col += grid_printf(g, row, col, -1, is_here ? GRID_SELECTED : GRID_BAR,
				   is_here ? "[%s]" : " %s ", tabs[i]);
	}
	col += grid_text(g, row, col, -1, c->v->is_help ? GRID_SELECTED : GRID_BAR,
			 c->v->is_help ? "[? help]" : " ? help ");
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		int width = view_columns(keys[i]);

		if (width && col + 1 + width <= end)
			col += 1 + grid_text(g, row, col + 1, width, GRID_BAR, keys[i]);
	}
	draw_marks(c);
	view_right(g, row, g->cols - QUIT_COLS, QUIT_COLS - 1, GRID_BAR, "q quit");
}

void smon_view_draw(struct smon_view *v, const struct smon_model *m, const struct smon_names *n,
		    const struct mon_source *s, struct mon_grid *g)
{
	const struct smon_ctx c = {v, m, n, s, g};
	const struct smon_totals t = smon_totals(m);
	int top = s->is_replay ? 2 : 1;
	struct grid_rect page = {top + TOTAL_ROWS, 0, g->rows - top - TOTAL_ROWS - 1, g->cols};

	if (g->rows < MIN_ROWS || g->cols < MIN_COLS) {
		grid_printf(g, 0, 0, -1, GRID_BAD, "%d x %d is too small: %d x %d at least", g->cols, g->rows,
			    MIN_COLS, MIN_ROWS);
		return;
	}
	draw_head(&c);
	if (s->is_replay)
		view_replay(g, s, 1);
	draw_main_row(&c, top);
	draw_points_sum(&c, &t, top + 1);
	draw_alarm(&c, &t, top + 2);
	if (v->is_help)
		smon_page_help(&c, page);
	else if (v->page == SMON_PAGE_TREE)
		smon_page_tree(&c, page);
	else if (v->page == SMON_PAGE_POINTS)
		smon_page_points(&c, page);
	else
		smon_page_events(&c, page);
	draw_keys(&c);
}

/* --- keys ---------------------------------------------------------------------------------------------- */

static enum mon_action move(const struct smon_ctx *c, int lines)
{
	struct smon_view *v = c->v;

	if (v->is_help)
		return MON_ACT_NONE;
	if (v->page == SMON_PAGE_EVENTS) {
		v->top[v->page] += lines; /* drawing keeps it within the list */
		if (v->top[v->page] < 0)
			v->top[v->page] = 0;
		return MON_ACT_REDRAW;
	}
	/* Keys may come faster than drawings: the list is that of the page that will be drawn. */
	if (v->page == SMON_PAGE_TREE)
		smon_list_tree(c);
	else
		smon_list_points(c);
	smon_list_move(c, lines);
	return MON_ACT_REDRAW;
}

static enum mon_action turn_to(struct smon_view *v, enum smon_page page)
{
	v->page = page;
	v->is_help = false;
	return MON_ACT_REDRAW;
}

static enum mon_action seek(struct smon_view *v, const struct mon_source *s, int64_t us)
{
	v->seek_us = us;
	return s->is_replay ? MON_ACT_SEEK : MON_ACT_NONE;
}

static enum mon_action list_key(const struct smon_ctx *c, int key)
{
	int page = c->v->n_shown[c->v->page] > 1 ? c->v->n_shown[c->v->page] : 1;

	switch (key) {
	case MON_KEY_UP:
	case 'k':
		return move(c, -1);
	case MON_KEY_DOWN:
	case 'j':
		return move(c, 1);
	case MON_KEY_PAGE_UP:
		return move(c, -page);
	case MON_KEY_PAGE_DOWN:
		return move(c, page);
	case MON_KEY_HOME:
		return move(c, -SMON_MAX_LINES);
	case MON_KEY_END:
		return move(c, SMON_MAX_LINES);
	default:
		return MON_ACT_NONE;
	}
}

static enum mon_action page_key(const struct smon_ctx *c, int key)
{
	struct smon_view *v = c->v;

	switch (key) {
	case '1':
	case '2':
	case '3':
		return turn_to(v, (enum smon_page)(key - '1'));
	case MON_KEY_TAB:
		return turn_to(v, (enum smon_page)((v->page + 1) % SMON_N_PAGES));
	case '?':
	case 'h':
		v->is_help = !v->is_help;
		return MON_ACT_REDRAW;
	case MON_KEY_ESCAPE:
		v->is_help = false;
		return MON_ACT_REDRAW;
	case MON_KEY_ENTER:
		v->is_panel_closed = !v->is_panel_closed;
		return MON_ACT_REDRAW;
	case 'w':
		v->span = v->span == SMON_SPAN_RECENT ? SMON_SPAN_ALL : SMON_SPAN_RECENT;
		return MON_ACT_REDRAW;
	case 'f':
		v->filter = (enum smon_filter)((v->filter + 1) % SMON_N_FILTERS);
		return MON_ACT_REDRAW;
	case 's':
		v->sort = (enum smon_sort)((v->sort + 1) % SMON_N_SORTS);
		return MON_ACT_REDRAW;
	default:
		return list_key(c, key);
	}
}

enum mon_action smon_view_key(struct smon_view *v, const struct smon_model *m, const struct smon_names *n,
			      const struct mon_source *s, int key)
{
	const struct smon_ctx c = {v, m, n, s, NULL};

	switch (key) {
	case ' ':
		return MON_ACT_PAUSE;
	case 'q':
		return MON_ACT_QUIT;
	case '.':
		return s->is_replay ? MON_ACT_STEP : MON_ACT_NONE;
	case '<':
		return s->is_replay ? MON_ACT_SLOWER : MON_ACT_NONE;
	case '>':
		return s->is_replay ? MON_ACT_FASTER : MON_ACT_NONE;
	case MON_KEY_LEFT:
		return seek(v, s, -SEEK_US);
	case MON_KEY_RIGHT:
		return seek(v, s, SEEK_US);
	case '[':
		return seek(v, s, -SEEK_FAR);
	case ']':
		return seek(v, s, SEEK_FAR);
	default:
		return page_key(&c, key);
	}
}
