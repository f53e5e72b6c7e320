/* SPDX-License-Identifier: MIT */
/*
 * The messages page: timing and content of every message of the interface, and the totals of the bus. Pure.
 */
#include "monitor/mon_view_draw.h"

#include <stdio.h>
#include <string.h>

#include <linux/can.h>

#define WIDE_COLS    106 /* whole identifiers, bytes with space between them */
#define DECODED_COLS 150 /* the content in words as well */
#define N_TOTALS     3

/* Widths of the columns; those of a narrow screen just fit 80. */
struct columns {
	int name, id, count, period, jitter, gap, age, content;
	int decoded; /* where it begins; 0: nowhere */
};

static void set_columns(struct columns *w, int cols, unsigned longest_id)
{
	bool is_wide = cols >= WIDE_COLS;

	*w = (struct columns){
		.name = 3,
		.id = is_wide ? 35 : 24,
		.count = is_wide ? 44 : 30,
		.period = is_wide ? 52 : 37,
		.jitter = is_wide ? 63 : 48,
		.gap = is_wide ? 68 : 53,
		.age = is_wide ? 75 : 60,
		.content = is_wide ? 80 : 64,
	};
	if (!is_wide && longest_id <= 3)
		w->id += 2;
	if (cols >= DECODED_COLS)
		w->decoded = w->content + 26;
}

static void put_count(struct mon_grid *g, int row, int col, int width, enum grid_style style, uint64_t n)
{
	char text[VIEW_TEXT];

	if (n < 10000000)
		snprintf(text, sizeof(text), "%u", (unsigned)n);
	else
		snprintf(text, sizeof(text), "%llu.%uM", (unsigned long long)(n / 1000000),
			 (unsigned)(n / 100000 % 10));
	view_right(g, row, col, width, style, text);
}

/* Milliseconds in at most 5 columns, whole seconds and "s" where that is not enough. */
static void put_ms(struct mon_grid *g, int row, int col, int width, enum grid_style style, int64_t us,
		   int decimals)
{
	char text[VIEW_TEXT];

	if (us >= INT64_C(99999500))
		snprintf(text, sizeof(text), "%llds", (long long)(us / 1000000));
	else
		view_number(text, us, 1000, us < 10000 ? decimals : 0);
	view_right(g, row, col, width, style, text);
}

static void draw_content(const struct view_ctx *c, const struct mon_msg *msg, int row, int col, bool is_stale)
{
	bool is_wide = c->g->cols >= WIDE_COLS,
	     is_fresh = msg->changed && c->m->now_us - msg->changed_us < 1000000;

	for (unsigned i = 0; i < msg->dlc && i < 8; i++) {
		bool is_changed = is_fresh && (msg->changed >> (8 * i) & 0xff);
		enum grid_style style = is_changed ? GRID_CHANGED : is_stale ? GRID_DIM : GRID_VALUE;

		if (is_wide && is_changed)
			grid_put(c->g, row, col, 0xb7, style);
		grid_printf(c->g, row, col + is_wide, 2, style, "%02x", msg->data[i]);
		col += is_wide ? 3 : 2;
	}
}

/* The fields in words, most telling ones first as the interface orders them. */
static void draw_decoded(const struct view_ctx *c, unsigned i, int row, int col)
{
	const struct msg_layout *l = &c->m->layouts[i];
	int end = c->g->cols - 1, begin = col;

	for (unsigned k = 0; k < l->n_fields && col < end - 8; k++) {
		struct mon_value v = mon_field(c->m, c->v->point, i, k);
		char text[VIEW_TEXT], both[4 * VIEW_TEXT];
		const char *unit = "", *gap = col > begin ? " · " : "";

		if (!v.is_known)
			continue;
		if (v.label)
			view_label(text, sizeof(text), v.label);
		else
			view_quantity(text, v.field, v.number, &unit);
		/* A flag that is off says nothing here. */
		if (v.field->length == 1 && v.number == 0)
			continue;
		snprintf(both, sizeof(both), "%s %s%s%s", v.field->signal, text, unit[0] ? " " : "", unit);
		col += grid_text(c->g, row, col, end - col, GRID_FRAME, gap);
		for (char *p = both; *p; p++)
			if (*p == '_')
				*p = ' ';
		col += view_cut(c->g, row, col, end - col,
				v.is_changed ? GRID_CHANGED
				: v.is_stale ? GRID_DIM
					     : GRID_PLAIN,
				both);
	}
}

static void draw_timing(const struct view_ctx *c, const struct columns *w, const struct mon_msg *msg,
			unsigned i, int row)
{
	uint16_t cycle_ms = c->m->layouts[i].cycle_ms;
	bool is_stale = mon_is_stale(c->m, c->v->point, i);
	enum grid_style style = is_stale ? GRID_DIM : GRID_VALUE;
	int64_t age_us = c->m->now_us - msg->last_us;
	char text[VIEW_TEXT], nominal[VIEW_TEXT] = "evt";

	put_count(c->g, row, w->count, 7, style, msg->n);
	if (cycle_ms)
		snprintf(nominal, sizeof(nominal), "%u", cycle_ms);
	if (msg->n > 1) {
		put_ms(c->g, row, w->period, 5, style, msg->period_us, 0);
		if (cycle_ms) {
			put_ms(c->g, row, w->jitter, 4, style, msg->jitter_us, 1);
			/* Twice the cycle and more is a gap that deserves a look. */
			put_ms(c->g, row, w->gap, 5,
			       msg->gap_max_us > 2000 * (int64_t)cycle_ms ? GRID_WARN : style,
			       msg->gap_max_us, 0);
		}
	}
	grid_printf(c->g, row, w->period + 5, 5, GRID_DIM, "/%-4s", nominal);
	view_age(text, age_us);
	if (msg->is_lost || is_stale)
		grid_put(c->g, row, w->age - 1, msg->is_lost ? 0x2717 : '!',
			 msg->is_lost ? GRID_BAD : GRID_WARN);
	view_right(c->g, row, w->age, 3, is_stale ? GRID_WARN : GRID_DIM, text);
	draw_content(c, msg, row, w->content, is_stale);
	if (w->decoded)
		draw_decoded(c, i, row, w->decoded);
}

static void draw_message(const struct view_ctx *c, const struct columns *w, unsigned i, int row)
{
	const struct mon_model *m = c->m;
	const struct msg_layout *l = &m->layouts[i];
	const struct mon_point *p = mon_point(m, c->v->point);
	const struct mon_msg *msg = p && p->msg[i].n > 0 ? &p->msg[i] : NULL;
	bool is_module = mon_half(m, i) == MON_MODULE;
	bool is_long = c->g->cols >= WIDE_COLS && (l->id & CAN_EFF_FLAG);
	canid_t id = l->id & CAN_EFF_MASK;
	char text[VIEW_TEXT];

	grid_put(c->g, row, 1, is_module ? 'M' : 'C', msg ? GRID_PLAIN : GRID_DIM);
	snprintf(text, sizeof(text), "%s", l->name);
	/* A narrow column cuts the ends: the word that most names share goes first. */
	char *info = w->id - w->name < 32 ? strstr(text, "Information") : NULL;
	if (info)
		memmove(info + 4, info + 11, strlen(info + 11) + 1);
	view_cut(c->g, row, w->name, w->id - w->name - 1, msg ? GRID_LABEL : GRID_DIM, text);
	if (is_long)
		grid_printf(c->g, row, w->id, 8, GRID_DIM, "%08X",
			    (unsigned)(id | c->v->point << MSG_INDEX_SHIFT));
	else
		grid_printf(c->g, row, w->id, 5, GRID_DIM, "%03X", (unsigned)id);
	if (msg)
		draw_timing(c, w, msg, i, row);
	else
		view_right(c->g, row, w->count, 7, GRID_DIM, "----");
	if (msg && msg->n_short > 0 && c->g->cols >= WIDE_COLS)
		grid_printf(c->g, row, w->content + 18, 8, GRID_BAD, "%u short", msg->n_short);
}

static void draw_totals(const struct view_ctx *c, int row)
{
	const struct mon_bus *b = &c->m->bus;
	struct mon_grid *g = c->g;
	char load[VIEW_TEXT], span[VIEW_TEXT];

	view_number(load, b->load_permille, 10, 1);
	view_span(span, c->m->now_us - c->m->start_us);
	view_rule(g, row, 1, g->cols - 2, "Bus");
	grid_printf(g, row + 1, 1, -1, GRID_PLAIN, "%-4s %10llu frames  %6u /s  load %5s %%  heard for %s",
		    b->is_up ? "up" : "DOWN", (unsigned long long)b->n_frames, b->frames_per_s, load, span);
	int col = 1 + grid_printf(g, row + 2, 1, -1, GRID_PLAIN, "%15llu ours  %10llu foreign  ",
				  (unsigned long long)b->n_ours, (unsigned long long)b->n_foreign);
	col += grid_printf(g, row + 2, col, -1, b->n_bad ? GRID_WARN : GRID_PLAIN, "%llu bad  ",
			   (unsigned long long)b->n_bad);
	col += grid_printf(g, row + 2, col, -1, b->n_errors ? GRID_BAD : GRID_PLAIN, "%llu error frames  ",
			   (unsigned long long)b->n_errors);
	grid_printf(g, row + 2, col, -1, b->n_dropped ? GRID_WARN : GRID_PLAIN, "%llu dropped",
		    (unsigned long long)b->n_dropped);
}

static void draw_titles(const struct view_ctx *c, const struct columns *w, int row)
{
	struct mon_grid *g = c->g;

	grid_text(g, row, w->name, -1, GRID_TITLE, "Message");
	grid_text(g, row, w->id, -1, GRID_TITLE, "id");
	view_right(g, row, w->count, 7, GRID_TITLE, "count");
	grid_text(g, row, w->period + 3, -1, GRID_TITLE, "ms/nom");
	view_right(g, row, w->jitter, 4, GRID_TITLE, "jit");
	view_right(g, row, w->gap, 5, GRID_TITLE, "gap");
	view_right(g, row, w->age, 3, GRID_TITLE, "age");
	grid_text(g, row, w->content + (g->cols >= WIDE_COLS), -1, GRID_TITLE, "content");
	if (w->decoded)
		grid_text(g, row, w->decoded, -1, GRID_TITLE, "in words");
}

void view_messages(const struct view_ctx *c, struct grid_rect r)
{
	const struct mon_model *m = c->m;
	int shown = r.rows - 1 - N_TOTALS, total = 0, line = 0, *scroll = &c->v->scroll[MON_PAGE_MESSAGES];
	struct columns w;

	for (unsigned i = 0; i < m->n_msgs; i++)
		total += msg_exists(&m->layouts[i]);
	set_columns(&w, r.cols, m->cfg.side == MON_EVSE ? 5 : 3);
	c->v->page_rows = shown;
	view_clamp_scroll(scroll, shown, total);
	draw_titles(c, &w, r.row);
	for (unsigned i = 0; i < m->n_msgs; i++) {
		if (!msg_exists(&m->layouts[i]))
			continue;
		if (line >= *scroll && line < *scroll + shown)
			draw_message(c, &w, i, r.row + 1 + line - *scroll);
		line++;
	}
	draw_totals(c, r.row + r.rows - N_TOTALS);
	view_scroll_mark(c, *scroll, shown, total);
}
