/* SPDX-License-Identifier: MIT */
/*
 * The common main of evse-monitor and pev-monitor: one model, fed by a bus or a log, and what shows it: the
 * screen, lines of text or JSON, the metrics port, the journal. One thread, one loop; nobody is woken by a
 * single frame (mon_app_live.h).
 */
#ifndef MONITOR_MON_APP_H
#define MONITOR_MON_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/linux/loop.h"
#include "monitor/mon_app_feed.h"
#include "monitor/mon_app_live.h"
#include "monitor/mon_app_opts.h"
#include "monitor/mon_app_out.h"
#include "monitor/mon_app_replay.h"
#include "monitor/mon_curses.h"
#include "monitor/mon_grid.h"
#include "monitor/mon_model.h"
#include "monitor/mon_serve.h"
#include "monitor/mon_view.h"

/* Starts as zeros: a static object, of which only what is used is ever touched. */
struct mon_app {
	struct mon_opts opts;
	const char *program;
	struct loop loop;
	struct mon_model_feed feed;
	struct mon_live live;
	struct mon_replay replay;
	struct mon_out out;
	struct mon_source source;
	struct mon_view view;
	struct mon_curses screen;
	/*
	 * Wall clock minus the model's clock. Measured once at the start, as in lib/linux/trace.h: a clock
	 * that is set meanwhile does not tear times of one log apart. 0 in a replay, whose times are the
	 * log's own.
	 */
	int64_t wall_offset_us;
	int64_t start_us;	  /* of the loop */
	int64_t drawn_us;	  /* the screen was */
	bool is_dirty;		  /* it should be */
	uint64_t content_mark;	  /* of what was on the bus */
	struct mon_model *frozen; /* what a paused screen on a bus shows; NULL: the model itself */
	uint32_t n_known;	  /* messages heard so far, for --once */
	int64_t grown_us;	  /* when that grew */
	bool is_over;
	int status;
	char err[256]; /* why it failed, told when the terminal is itself again */
	struct mon_serve serve;
	struct mon_grid grid;
	struct mon_model model;
};

/* Everything from argv to the exit status. */
int mon_app_main(struct mon_app *app, enum mon_side side, int argc, char **argv);

/* mon_app_screen.c: the terminal's part. */
int mon_app_screen_open(struct mon_app *app);
void mon_app_screen_keys(struct mon_app *app, int64_t now_us);
/* The source has moved on. */
void mon_app_screen_news(struct mon_app *app);
/* Draws when it is time; *next_us is brought forward to when it will be. */
void mon_app_screen_run(struct mon_app *app, int64_t now_us, int64_t *next_us);
void mon_app_screen_close(struct mon_app *app);

/* What both know: */
bool mon_app_is_replay(const struct mon_app *app);

#endif
