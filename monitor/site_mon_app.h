/* SPDX-License-Identifier: MIT */
/*
 * site-monitor: buses or a log feed the site's model; a screen, lines of text or JSON show it. One thread,
 * one loop; receive only (mon_app_live.h, can_bus_rx.h).
 */
#ifndef MONITOR_SITE_MON_APP_H
#define MONITOR_SITE_MON_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/linux/loop.h"
#include "monitor/mon_app_live.h"
#include "monitor/mon_app_replay.h"
#include "monitor/mon_curses.h"
#include "monitor/site_mon_text.h"
#include "monitor/site_mon_view.h"

enum smon_output { SMON_OUTPUT_AUTO, SMON_OUTPUT_SCREEN, SMON_OUTPUT_TEXT, SMON_OUTPUT_JSON };
enum smon_task { SMON_TASK_RUN, SMON_TASK_HELP, SMON_TASK_VERSION };

struct smon_opts {
	enum smon_task task;
	const char *can[SMON_MAX_BUSES]; /* URLs, or channels of the log */
	unsigned n_can;
	const char *site;   /* its file; NULL: none */
	const char *replay; /* NULL: a bus */
	enum smon_output output;
	int64_t every_us; /* 0: events only */
	bool is_once, is_paused, is_ascii, no_color, has_speed;
	int64_t timeout_us, start_us;
	int32_t speed_permille; /* 0: as fast as it goes */
};

struct smon_app {
	struct smon_opts opts;
	struct loop loop;
	struct mon_live live[SMON_MAX_BUSES];
	struct mon_replay replay;
	struct mon_feed feed;
	struct mon_source source;
	char source_name[80];
	struct smon_view view;
	struct smon_text text;
	struct mon_curses screen;
	int64_t wall_offset_us; /* wall clock minus the model's; 0 of a log */
	int64_t start_us, drawn_us, snapshot_us;
	bool is_dirty, is_urgent, is_over, is_muted;
	uint64_t drawn_mark;
	struct smon_model *frozen; /* what a paused screen on a bus shows */
	int status;
	char err[256];
	struct mon_grid grid;
	struct smon_names names;
	struct smon_model model;
};

int smon_app_main(struct smon_app *app, int argc, char **argv);

/* site_mon_app_opts.c: 0, or -EINVAL with a sentence. */
int smon_opts_parse(struct smon_opts *o, int argc, char **argv, char *err, size_t err_size);
void smon_opts_help(void);
/*
 * site_mon_app_names.c: names and tree from the site's file. 0, or a negative errno with FILE:LINE: sentence.
 */
int smon_names_load(struct smon_names *n, const char *path, char *err, size_t err_size);
/* site_mon_app_screen.c */
int smon_screen_open(struct smon_app *app);
void smon_screen_keys(struct smon_app *app, int64_t now_us);
void smon_screen_run(struct smon_app *app, int64_t now_us, int64_t *next_us);
void smon_screen_close(struct smon_app *app);

static inline bool smon_is_replay(const struct smon_app *app)
{
	return app->opts.replay != NULL;
}

#endif
