/* SPDX-License-Identifier: MIT */
/*
 * The monitors' screens: model and size in, grid of cells out. Both sides have the same pages and panels. Pure.
 */
#ifndef MONITOR_MON_VIEW_H
#define MONITOR_MON_VIEW_H

#include "monitor/mon_grid.h"
#include "monitor/mon_model.h"

#define MON_VIEW_MIN_COLS 80
#define MON_VIEW_MIN_ROWS 24

enum mon_page {
	MON_PAGE_LIST,	   /* all pistols, one line each */
	MON_PAGE_DETAIL,   /* one point: panels, ladder, plots, explanation */
	MON_PAGE_MESSAGES, /* period, jitter, count, age and content of each message */
	MON_PAGE_EVENTS,   /* the log of state changes */
	MON_PAGE_HELP,
	MON_N_PAGES,
};

/* Keys as the view knows them; the terminal maps its own to these, letters are themselves. */
enum mon_key {
	MON_KEY_UP = 0x100,
	MON_KEY_DOWN,
	MON_KEY_LEFT,
	MON_KEY_RIGHT,
	MON_KEY_PAGE_UP,
	MON_KEY_PAGE_DOWN,
	MON_KEY_HOME,
	MON_KEY_END,
	MON_KEY_ENTER,
	MON_KEY_ESCAPE,
	MON_KEY_TAB,
};

/* What a key asks of the shell. */
enum mon_action {
	MON_ACT_NONE,
	MON_ACT_REDRAW,
	MON_ACT_QUIT,
	MON_ACT_PAUSE,	/* toggle; live: the screen stands still, the model goes on */
	MON_ACT_STEP,	/* replay: one frame of the interface on, and pause */
	MON_ACT_SEEK,	/* replay: by view->seek_us relative, which may be negative */
	MON_ACT_FASTER, /* replay: speed doubled or halved */
	MON_ACT_SLOWER,
};

/* Where the frames come from, for the top line; kept by the shell. */
struct mon_source {
	const char *name; /* "vcan0", "udp:...", or the log's name */
	bool is_replay, is_paused, is_at_end;
	double speed;			 /* replay; 0: as fast as it goes */
	int64_t begin_us, end_us, at_us; /* replay: in the log's time; end_us 0: not known */
	int64_t wall_us; /* wall clock at the model's now; shown as it is: the shell adds the time zone */
	uint64_t n_bad_lines;
};

struct mon_view {
	enum mon_page page, previous;
	unsigned point;	    /* shown; chosen by the view when it is not heard of */
	enum mon_span span; /* of the plots */
	int scroll[MON_N_PAGES];
	bool is_log_following; /* events: newest at the bottom */
	int64_t seek_us;
	int page_rows; /* lines that the page last drawn can scroll by; set by drawing */
	/* Nobody chose a page yet: the list while several pistols are heard, else the only one's detail. */
	bool is_page_free;
};

void mon_view_init(struct mon_view *v, const struct mon_model *m);
/* Draws the page for a grid of this size; below 80x24 a sentence that says so. */
void mon_view_draw(struct mon_view *v, const struct mon_model *m, const struct mon_source *source,
		   struct mon_grid *g);
enum mon_action mon_view_key(struct mon_view *v, const struct mon_model *m, const struct mon_source *source,
			     int key);

#endif
