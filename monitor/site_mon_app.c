/* SPDX-License-Identifier: MIT */
/* site-monitor from argv to the exit status. */
#include "monitor/site_mon_app.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EXIT_FAILED 1
#define EXIT_USAGE  2

static void fail(struct smon_app *app, const char *what, int error)
{
	snprintf(app->err, sizeof(app->err), "%s: %s", what, strerror(-error));
	app->status = EXIT_FAILED;
	app->is_over = true;
}

/* --- the model as a source sees it --------------------------------------------------------------------- */

/* Several -i with a log: its channels in the order of the site's buses. False: not one of them. */
static bool find_bus(const struct smon_app *app, unsigned channel, unsigned *bus)
{
	const char *name = log_channel(&app->replay.log, channel);
	unsigned i;

	for (i = 0; i < app->opts.n_can; i++)
		if (strcmp(name, app->opts.can[i]) == 0) {
			*bus = i;
			return true;
		}
	return false;
}

static void feed_rx(void *ctx, int64_t now_us, unsigned bus, const struct can_frame *frame)
{
	struct smon_app *app = ctx;

	if (smon_is_replay(app) && app->opts.n_can > 1 && !find_bus(app, bus, &bus))
		return;
	smon_rx(&app->model, now_us, bus, frame);
}

static void feed_tick(void *ctx, int64_t now_us)
{
	smon_tick(&((struct smon_app *)ctx)->model, now_us);
}

static void feed_dropped(void *ctx, int64_t now_us, uint32_t n_frames)
{
	smon_dropped(&((struct smon_app *)ctx)->model, now_us, n_frames);
}

static void on_event(void *ctx, const struct smon_event *e)
{
	struct smon_app *app = ctx;

	if (app->opts.output != SMON_OUTPUT_SCREEN && !app->opts.is_once && !app->is_muted)
		smon_text_event(&app->text, e);
}

static void feed_restart(void *ctx, int64_t now_us)
{
	struct smon_app *app = ctx;
	const struct smon_sink sink = {app, on_event};

	smon_init(&app->model, &sink, now_us);
}

static uint64_t feed_n_ours(const void *ctx)
{
	return ((const struct smon_app *)ctx)->model.n_ours;
}

/* --- sources ------------------------------------------------------------------------------------------- */

static int64_t wall_offset_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * FC_US_PER_S + t.tv_nsec / 1000 - loop_clock_us();
}

static int open_replay(struct smon_app *app)
{
	const struct smon_opts *o = &app->opts;
	const char *slash = strrchr(o->replay, '/');
	int r = mon_replay_open(&app->replay, o->replay, o->n_can == 1 ? o->can[0] : NULL, app->err,
				sizeof(app->err));

	if (r)
		return r;
	app->is_muted = o->start_us > 0;
	mon_replay_start(&app->replay, &app->feed, app->loop.now_us);
	if (o->start_us > 0 || o->is_paused)
		r = mon_replay_seek(&app->replay, o->start_us, app->loop.now_us);
	mon_replay_set_speed(&app->replay, o->speed_permille, app->loop.now_us);
	mon_replay_pause(&app->replay, o->is_paused, app->loop.now_us);
	snprintf(app->source_name, sizeof(app->source_name), "%s", slash && slash[1] ? slash + 1 : o->replay);
	return r;
}

static int open_source(struct smon_app *app)
{
	struct smon_opts *o = &app->opts;
	unsigned i;
	int r = 0;

	app->feed = (struct mon_feed){app, feed_rx, feed_tick, feed_dropped, feed_restart, feed_n_ours};
	app->source.name = app->source_name;
	if (smon_is_replay(app))
		return open_replay(app);
	if (o->n_can == 0)
		o->can[o->n_can++] = "can0";
	app->wall_offset_us = wall_offset_us();
	snprintf(app->source_name, sizeof(app->source_name), o->n_can > 1 ? "%.60s +%u" : "%.60s", o->can[0],
		 o->n_can - 1);
	feed_restart(app, app->loop.now_us);
	for (i = 0; i < o->n_can && r == 0; i++)
		r = mon_live_open(&app->live[i], o->can[i], i, &app->feed, &app->loop, app->err,
				  sizeof(app->err));
	return r;
}

static void run_source(struct smon_app *app, int64_t now_us, int64_t *next_us)
{
	unsigned i;
	int error = 0;

	if (smon_is_replay(app)) {
		if (mon_replay_run(&app->replay, now_us, next_us))
			app->is_dirty = true;
		if (app->is_muted && !mon_replay_is_seeking(&app->replay)) {
			app->is_muted = false;
			app->snapshot_us = app->model.now_us;
		}
		if (app->replay.error)
			fail(app, app->opts.replay, app->replay.error);
		return;
	}
	for (i = 0; i < app->opts.n_can; i++) {
		mon_live_run(&app->live[i], now_us, next_us, &error);
		if (error) {
			fail(app, app->opts.can[i], error);
			return;
		}
	}
}

/* --- output -------------------------------------------------------------------------------------------- */

static void write_snapshot(struct smon_app *app)
{
	int r = smon_text_snapshot(&app->text);

	if (r && r != -EPIPE)
		fail(app, "output", r);
	app->is_over |= r != 0;
}

static void finish_once(struct smon_app *app)
{
	app->is_over = true;
	if (app->model.n_ours) {
		write_snapshot(app);
		return;
	}
	snprintf(app->err, sizeof(app->err), "%s: nothing heard of a site", app->source.name);
	app->status = EXIT_FAILED;
}

static void look_for_end(struct smon_app *app, int64_t now_us, int64_t *next_us)
{
	const struct mon_replay *r = &app->replay;

	if (smon_is_replay(app)) {
		if (app->opts.is_once &&
		    (r->is_at_end || (app->opts.start_us > 0 && !mon_replay_is_seeking(r))))
			finish_once(app);
		else if (r->is_at_end && app->opts.output != SMON_OUTPUT_SCREEN)
			app->is_over = true;
	} else if (app->opts.is_once) {
		*next_us = fc_min_i64(*next_us, app->start_us + app->opts.timeout_us);
		if (now_us >= app->start_us + app->opts.timeout_us)
			finish_once(app);
	}
}

static void run_text(struct smon_app *app, int64_t *next_us)
{
	bool has_snapshots = app->opts.every_us && !app->is_muted;
	int r;

	if (has_snapshots && app->model.now_us >= app->snapshot_us) {
		app->snapshot_us = app->model.now_us + app->opts.every_us;
		write_snapshot(app);
	}
	if (smon_is_replay(app))
		app->replay.stop_us = has_snapshots ? app->snapshot_us : FC_NEVER;
	else if (has_snapshots)
		*next_us = fc_min_i64(*next_us, app->snapshot_us);
	r = mon_text_flush(&app->text.out);
	if (r == -EPIPE)
		app->is_over = true; /* whoever read has enough */
	else if (r)
		fail(app, "output", r);
}

/* --- the loop ------------------------------------------------------------------------------------------ */

static void turn(struct smon_app *app)
{
	int64_t now_us = app->loop.now_us, next_us = FC_NEVER;
	bool has_screen = app->opts.output == SMON_OUTPUT_SCREEN;
	int r;

	if (has_screen)
		smon_screen_keys(app, now_us);
	run_source(app, now_us, &next_us);
	if (!has_screen)
		run_text(app, &next_us);
	look_for_end(app, now_us, &next_us);
	if (has_screen)
		smon_screen_run(app, now_us, &next_us);
	if (app->is_over)
		return;
	loop_arm(&app->loop, next_us);
	r = loop_wait(&app->loop);
	if (r)
		fail(app, "waiting", r);
	if (app->loop.n_signals > 0)
		app->is_over = true;
}

static int open_all(struct smon_app *app)
{
	const struct smon_opts *o = &app->opts;
	int r;

	smon_names_init(&app->names);
	if (o->site) {
		r = smon_names_load(&app->names, o->site, app->err, sizeof(app->err));
		if (r)
			return r;
	}
	r = loop_open(&app->loop);
	if (r) {
		snprintf(app->err, sizeof(app->err), "event loop: %s", strerror(-r));
		return r;
	}
	app->start_us = app->loop.now_us;
	smon_text_init(&app->text, &app->model, &app->names,
		       o->output == SMON_OUTPUT_JSON ? MON_TEXT_JSON : MON_TEXT_LINES, mon_text_write_file,
		       stdout);
	r = open_source(app);
	if (r)
		return r;
	app->text.out.wall_offset_us = app->wall_offset_us;
	app->snapshot_us = app->model.start_us + o->every_us;
	return o->output == SMON_OUTPUT_SCREEN ? smon_screen_open(app) : 0;
}

static void close_all(struct smon_app *app)
{
	unsigned i;

	smon_screen_close(app);
	if (app->opts.output != SMON_OUTPUT_SCREEN && app->text.out.write)
		mon_text_flush(&app->text.out);
	if (app->replay.is_open)
		log_tell_bad(&app->replay.log, "site-monitor", stderr);
	mon_replay_close(&app->replay);
	for (i = 0; i < SMON_MAX_BUSES; i++)
		mon_live_close(&app->live[i]);
	if (app->loop.epoll_fd >= 0)
		loop_close(&app->loop);
}

/* What depends on where the output goes. */
static int settle_output(struct smon_opts *o, char *err, size_t err_size)
{
	if (o->output == SMON_OUTPUT_AUTO)
		o->output = o->is_once || o->every_us || !isatty(STDOUT_FILENO) ? SMON_OUTPUT_TEXT
										: SMON_OUTPUT_SCREEN;
	if (o->output == SMON_OUTPUT_SCREEN)
		return 0;
	if (!o->has_speed)
		o->speed_permille = o->replay ? 0 : 1000;
	if (!o->is_paused)
		return 0;
	snprintf(err, err_size, "--paused is for the screen, and the output is no terminal");
	return -EINVAL;
}

int smon_app_main(struct smon_app *app, int argc, char **argv)
{
	app->loop.epoll_fd = -1;
	if (smon_opts_parse(&app->opts, argc, argv, app->err, sizeof(app->err)) ||
	    (app->opts.task == SMON_TASK_RUN && settle_output(&app->opts, app->err, sizeof(app->err)))) {
		fprintf(stderr, "site-monitor: %s\n", app->err);
		return EXIT_USAGE;
	}
	if (app->opts.task != SMON_TASK_RUN) {
		if (app->opts.task == SMON_TASK_HELP)
			smon_opts_help();
		else
			printf("site-monitor " FORECOURT_VERSION "\n");
		return fflush(stdout) == 0 ? 0 : EXIT_FAILED;
	}
	if (open_all(app)) {
		app->status = EXIT_FAILED;
		app->is_over = true;
	}
	while (!app->is_over)
		turn(app);
	close_all(app);
	if (app->err[0] && app->status)
		fprintf(stderr, "site-monitor: %s\n", app->err);
	return app->status;
}
