/* SPDX-License-Identifier: MIT */
/*
 * What the pages of the monitors share among themselves: the drawing context, texts for numbers and times, the parts
 * of the frame, and the field panels. Not for users of the views. Pure.
 */
#ifndef MONITOR_MON_VIEW_DRAW_H
#define MONITOR_MON_VIEW_DRAW_H

#include "monitor/explain.h"
#include "monitor/mon_facts.h"
#include "monitor/mon_view.h"

#define VIEW_TEXT	64
#define VIEW_WIDE_COLS	100 /* from here on four instruments have a plot each below them */
#define VIEW_ROOMY_ROWS 36  /* from here on empty lines part what belongs together */

struct view_ctx {
	struct mon_view *v;
	const struct mon_model *m;
	const struct mon_source *source;
	struct mon_grid *g;
	const struct mon_facts *facts; /* of v->point; detail page only */
	const struct explain *explain;
};

/* A part of the screen that shows a taller page from line `scroll` on. */
struct view_pane {
	struct grid_rect r;
	int scroll;
};

/* Row of the grid where line `line` of the page is, or -1: not in sight. The grid cuts row -1 off. */
static inline int view_pane_row(const struct view_pane *p, int line)
{
	int row = line - p->scroll;

	return row < 0 || row >= p->r.rows ? -1 : p->r.row + row;
}

/* --- texts: mon_view_text.c -------------------------------------------------------------------------------------- */

/* number / scale with `decimals` digits behind the point, rounded to nearest; "----" for MON_UNKNOWN. */
void view_number(char out[VIEW_TEXT], int64_t number, int64_t scale, int decimals);
/* The same in the unit that people use for the member's suffix; *unit is "" where there is none. */
void view_quantity(char out[VIEW_TEXT], const struct msg_field *f, int64_t number, const char **unit);
/* "" below 1 s, then "7s", "59s", "4m", "3h", "9d": at most 3 columns, and changes once a second at most. */
void view_age(char out[VIEW_TEXT], int64_t age_us);
/* "7 s", "12 m 05 s", "3 h 07 m", "2 d 04 h"; "----" below 0. */
void view_span(char out[VIEW_TEXT], int64_t us);
/* "hh:mm:ss" or "hh:mm:ss.mmm" of a time in the day, or since a start (hours go on past 24 then). */
void view_clock(char out[VIEW_TEXT], int64_t us, bool is_of_day, bool has_ms);
/* Wall-clock time of a moment of the model. */
int64_t view_wall_us(const struct view_ctx *c, int64_t time_us);
/* "Waiting_For_PEV" as "Waiting for PEV"; in whole sentences "->" becomes an arrow as well. */
void view_label(char *out, size_t size, const char *name);
/* Number of columns that a text of one-column characters takes. */
int view_columns(const char *text);
/* Text cut at `width` columns with an ellipsis where it does not fit. Returns the columns written. */
int view_cut(struct mon_grid *g, int row, int col, int width, enum grid_style style, const char *text);
/* Right-aligned in [col, col + width). */
void view_right(struct mon_grid *g, int row, int col, int width, enum grid_style style, const char *text);
/* Bytes of `text` that fill a line of `width` columns, broken between words where that is possible. */
size_t view_wrap(const char *text, int width);
/* Severity as one character and a style. */
uint32_t view_mark(enum mon_severity severity);
enum grid_style view_style(enum mon_severity severity);
/* A line with a title; the rest of a panel is below. */
void view_rule(struct mon_grid *g, int row, int col, int width, const char *title);

/* --- frame: mon_view_frame.c ------------------------------------------------------------------------------------- */

/* Draws the top lines and the help line; returns what is left between them. */
struct grid_rect view_frame(const struct view_ctx *c);
/* The line of a replay: where in the log, how fast, and the keys for it. */
void view_replay(struct mon_grid *g, const struct mon_source *s, int row);
/* "12-30/64" in the help line, with arrows where there is more; nothing when all is in sight. */
void view_scroll_mark(const struct view_ctx *c, int first, int shown, int total);
/* Keeps *scroll where something is to be seen. */
void view_clamp_scroll(int *scroll, int shown, int total);

/* --- pages ------------------------------------------------------------------------------------------------------- */

void view_list(const struct view_ctx *c, struct grid_rect r);
void view_detail(const struct view_ctx *c, struct grid_rect r);
void view_messages(const struct view_ctx *c, struct grid_rect r);
void view_events(const struct view_ctx *c, struct grid_rect r);
void view_help(const struct view_ctx *c, struct grid_rect r);
/* The last events that fit, without the page around them: lines [line, line + n) of a pane. */
void view_event_lines(const struct view_ctx *c, const struct view_pane *p, int line, int n, int width);

/* --- head of the detail page: mon_view_head.c -------------------------------------------------------------------- */

/* Explanation, ladder, state, instruments, limit. Returns the rows used, which depend on the size only. */
int view_head(const struct view_ctx *c, struct grid_rect r);
/* Code, waiting and otherwise on `rows` rows. */
void view_explanation(struct mon_grid *g, const struct explain *e, struct grid_rect r);

/* --- plots: mon_view_plot.c -------------------------------------------------------------------------------------- */

/* One plot on lines [line, line + rows) of the pane, title line included; target: MON_UNKNOWN none. */
void view_plot(const struct view_ctx *c, const struct view_pane *p, int line, int rows, int col, int cols,
	       enum mon_series series, int32_t target);

/* --- panels of fields: mon_view_panel.c, tables in mon_view_evse.c and mon_view_pev.c ----------------------------- */

/* How a field is shown. Everything but VIEW_AUTO gives a number a meaning for the eye. */
enum view_format {
	VIEW_AUTO,    /* name of the value, or a number with its unit */
	VIEW_GIVEN,   /* the same, but 0 says "not given" (rules of the interface for vehicle data) */
	VIEW_TEMP,    /* the same, but the lowest value says "not fitted" */
	VIEW_GATE,    /* flag: set is good, else it is waited for */
	VIEW_REQUEST, /* flag: set asks for something out of the ordinary */
	VIEW_FAULT,   /* flag: set is bad */
	VIEW_CLOSED,  /* contactor: set is closed */
	VIEW_STOP,    /* as VIEW_AUTO, in warning style while it is fresh news */
	VIEW_LEVELS,  /* n consecutive members: "1:H 2:L" */
	VIEW_LEVELS0, /* the same, counted from 0 */
	VIEW_NUMBERS, /* n consecutive members: "100 50 0" */
	VIEW_BYTES,   /* n consecutive members: "01:02:03" */
	VIEW_RULE,    /* an empty line */
	VIEW_DERIVED, /* `offset` is an enum view_derived */
	VIEW_LIMIT,   /* limit n of the facts */
	VIEW_TROUBLE, /* diagnostic n of the facts; the last row counts what does not fit */
};

enum view_derived {
	VIEW_SESSION_START,
	VIEW_SESSION_SPAN,
	VIEW_SESSION_ENERGY,
	VIEW_SESSION_CHARGE,
	VIEW_SESSION_PEAK_mA,
	VIEW_SESSION_PEAK_W,
	VIEW_SESSION_SOC,
	VIEW_SESSION_REASON,
	VIEW_SESSION_COUNT,
	VIEW_STATE_SPAN,
	VIEW_DERATING,
	VIEW_HOTTEST,
	VIEW_MODULE_AGE,
	VIEW_CONTROLLER_AGE,
};

struct view_field {
	uint8_t msg;	 /* of the interface */
	uint16_t offset; /* of the member in the generated struct: the same in all versions */
	const char *label;
	uint8_t format; /* enum view_format */
	uint8_t n;	/* members, or number of a limit or diagnostic */
	bool is_or;	/* takes the place of the row before when only this one has been heard */
};

struct view_panel {
	const char *title;
	const struct view_field *fields;
	unsigned n_fields;
};

extern const struct view_panel view_evse_panels[];
extern const unsigned view_evse_n_panels;
extern const struct view_panel view_pev_panels[];
extern const unsigned view_pev_n_panels;

/* Lines that a panel takes, title included: depends on side and version only, so that nothing jumps. */
int view_panel_lines(const struct mon_model *m, const struct view_panel *panel);
void view_panel_draw(const struct view_ctx *c, const struct view_pane *p, const struct view_panel *panel,
		     int line, int col, int cols);
/* Field of the layout whose member has this offset, or -1: this version has none. */
int view_find(const struct mon_model *m, unsigned msg, unsigned offset);

/* Rows of the panels' tables (struct view_field) that are no signal. */
#define VIEW_N(a) (sizeof(a) / sizeof(*(a)))
#define VIEW_ROW_DERIVED(what, text)                  \
	{                                             \
		0, what, text, VIEW_DERIVED, 1, false \
	}
#define VIEW_ROW_LIMIT(i)                      \
	{                                      \
		0, 0, "", VIEW_LIMIT, i, false \
	}
#define VIEW_ROW_TROUBLE(i)                      \
	{                                        \
		0, 0, "", VIEW_TROUBLE, i, false \
	}

#endif
