/* SPDX-License-Identifier: MIT */
/* The common main of both monitors. */
#include "monitor/mon_app.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <forecourt/units.h>

#include "monitor/mon_metrics.h"

#define EXIT_FAILED 1
#define EXIT_USAGE  2

/* --once: nothing new has been heard for so long, so the snapshot is as complete as it gets. Three cycles. */
#define SETTLED_US INT64_C(300000)

bool mon_app_is_replay(const struct mon_app *app)
{
	return app->opts.replay != NULL;
}

static int64_t wall_offset_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * FC_US_PER_S + t.tv_nsec / 1000 - loop_clock_us();
}

static void fail(struct mon_app *app, const char *what, int error)
{
	snprintf(app->err, sizeof(app->err), "%s: %s", what, strerror(-error));
	app->status = EXIT_FAILED;
	app->is_over = true;
}

/* --- sources -------------------------------------------------------------------------------------------- */

static const char *bus_of(const struct mon_app *app)
{
	return app->opts.can ? app->opts.can : "can0";
}

/* The last part of a path: what fits into a line of the screen. */
static const char *name_of_log(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (strcmp(path, "-") == 0)
		return "standard input";
	return slash && slash[1] ? slash + 1 : path;
}

static int open_replay(struct mon_app *app, const struct mon_feed *feed)
{
	const struct mon_opts *o = &app->opts;
	struct mon_replay *r = &app->replay;
	int rc = mon_replay_open(r, o->replay, o->can, app->err, sizeof(app->err));

	if (rc)
		return rc;
	mon_replay_start(r, feed, app->loop.now_us);
	/* A pause at the very start shows the first instant of the log, not an empty screen. */
	if (o->start_us > 0 || o->is_paused)
		rc = mon_replay_seek(r, o->start_us, app->loop.now_us);
	mon_out_mute(&app->out, o->start_us > 0);
	mon_replay_set_speed(r, o->speed_permille, app->loop.now_us);
	mon_replay_pause(r, o->is_paused, app->loop.now_us);
	app->source.name = name_of_log(o->replay);
	return rc;
}

static int open_source(struct mon_app *app)
{
	struct mon_feed feed;

	app->feed = (struct mon_model_feed){&app->model, &app->opts.model, mon_out_sink(&app->out)};
	feed = mon_model_feed(&app->feed);
	if (mon_app_is_replay(app))
		return open_replay(app, &feed);
	app->wall_offset_us = wall_offset_us();
	app->source.name = bus_of(app);
	feed.restart(feed.ctx, app->loop.now_us);
	return mon_live_open(&app->live, bus_of(app), 0, &feed, &app->loop, app->err, sizeof(app->err));
}

static void run_source(struct mon_app *app, int64_t now_us, int64_t *next_us)
{
	int64_t wanted_us = mon_out_next_us(&app->out);
	int error = 0;
	bool is_new;

	if (mon_app_is_replay(app)) {
		app->replay.stop_us = wanted_us;
		is_new = mon_replay_run(&app->replay, now_us, next_us);
		error = app->replay.error;
		if (!mon_replay_is_seeking(&app->replay))
			mon_out_mute(&app->out, false);
	} else {
		if (now_us >= wanted_us)
			app->live.next_us = fc_min_i64(app->live.next_us, now_us);
		is_new = mon_live_run(&app->live, now_us, next_us, &error);
		*next_us = fc_min_i64(*next_us, wanted_us > now_us ? wanted_us : FC_NEVER);
	}
	if (is_new && app->opts.output == MON_OUTPUT_SCREEN)
		mon_app_screen_news(app);
	if (error)
		fail(app, mon_app_is_replay(app) ? app->opts.replay : bus_of(app), error);
}

/* --- metrics -------------------------------------------------------------------------------------------- */

/* A scrape sees the bus as it is now, not as it was at the last look. */
static size_t give_metrics(void *ctx, int64_t now_us, char *text, size_t size)
{
	struct mon_app *app = ctx;
	int64_t next_us = FC_NEVER;

	if (!mon_app_is_replay(app)) {
		app->live.next_us = fc_min_i64(app->live.next_us, now_us);
		run_source(app, now_us, &next_us);
	}
	return mon_metrics_write(&app->model, text, size);
}

static int open_metrics(struct mon_app *app)
{
	int r;

	if (!app->opts.has_metrics)
		return 0;
	r = mon_serve_open(&app->serve, &app->opts.metrics, &app->loop, app->program, give_metrics, app,
			   app->err, sizeof(app->err));
	if (r == 0 && app->opts.metrics.port == 0)
		fprintf(stderr, "%s: metrics on port %u\n", app->program, mon_serve_port(&app->serve));
	return r;
}

/* --- the end by itself ---------------------------------------------------------------------------------- */

static uint32_t count_known(const struct mon_model *m)
{
	uint32_t n = 0;
	unsigned point, msg;

	for (point = 0; point < MON_N_POINTS; point++) {
		const struct mon_point *p = mon_point(m, point);

		for (msg = 0; p && msg < m->n_msgs; msg++)
			n += p->msg[msg].n > 0;
	}
	return n;
}

/* The snapshot makes sense: all that speaks has spoken, or the time is over. */
static bool is_settled(struct mon_app *app, int64_t now_us, int64_t *next_us)
{
	uint32_t n_known = count_known(&app->model);
	int64_t end_us = app->start_us + app->opts.timeout_us;

	if (n_known > app->n_known) {
		app->n_known = n_known;
		app->grown_us = now_us;
	}
	if (n_known > 0)
		end_us = fc_min_i64(end_us, app->grown_us + SETTLED_US);
	*next_us = fc_min_i64(*next_us, end_us);
	return now_us >= end_us;
}

static void finish_once(struct mon_app *app)
{
	app->is_over = true;
	if (mon_out_snapshot(&app->out))
		return; /* turn() will find it and say so */
	if (app->model.bus.n_ours > 0)
		return;
	snprintf(app->err, sizeof(app->err), "%s: nothing heard of the interface", app->source.name);
	app->status = EXIT_FAILED;
}

static void look_for_end(struct mon_app *app, int64_t now_us, int64_t *next_us)
{
	const struct mon_replay *r = &app->replay;

	if (app->opts.is_once) {
		if (mon_app_is_replay(app)
			    ? r->is_at_end || (app->opts.has_start && !mon_replay_is_seeking(r))
			    : is_settled(app, now_us, next_us))
			finish_once(app);
	} else if (mon_app_is_replay(app) && r->is_at_end && app->opts.output != MON_OUTPUT_SCREEN) {
		app->is_over = true;
	}
}

/* --- the loop ------------------------------------------------------------------------------------------- */

static void turn(struct mon_app *app)
{
	int64_t now_us = app->loop.now_us, next_us = FC_NEVER;
	int r;

	if (app->opts.output == MON_OUTPUT_SCREEN)
		mon_app_screen_keys(app, now_us);
	run_source(app, now_us, &next_us);
	look_for_end(app, now_us, &next_us);
	r = mon_out_run(&app->out, now_us, &next_us);
	if (r == -EPIPE)
		app->is_over = true; /* whoever read has enough */
	else if (r)
		fail(app, "output", r);
	if (app->opts.output == MON_OUTPUT_SCREEN)
		mon_app_screen_run(app, now_us, &next_us);
	next_us = fc_min_i64(next_us, mon_serve_service(&app->serve, now_us));
	if (app->is_over)
		return;
	loop_arm(&app->loop, next_us);
	r = loop_wait(&app->loop);
	if (r)
		fail(app, "waiting", r);
	if (app->loop.n_signals > 0)
		app->is_over = true;
}

static int open_all(struct mon_app *app)
{
	int r = loop_open(&app->loop);

	if (r) {
		snprintf(app->err, sizeof(app->err), "event loop: %s", strerror(-r));
		return r;
	}
	app->start_us = app->loop.now_us;
	app->grown_us = app->start_us;
	r = mon_out_open(&app->out, &app->opts, &app->model, STDOUT_FILENO, app->err, sizeof(app->err));
	if (r)
		return r;
	r = open_source(app);
	if (r)
		return r;
	mon_out_begin(&app->out, app->model.start_us, app->wall_offset_us);
	r = open_metrics(app);
	if (r || app->opts.output != MON_OUTPUT_SCREEN)
		return r;
	return mon_app_screen_open(app); /* last: until here errors are seen where they are written */
}

static void close_all(struct mon_app *app)
{
	mon_app_screen_close(app);
	mon_serve_close(&app->serve);
	mon_out_close(&app->out, app->program, stderr);
	if (app->replay.is_open)
		log_tell_bad(&app->replay.log, app->program, stderr);
	mon_replay_close(&app->replay);
	mon_live_close(&app->live);
	if (app->loop.epoll_fd >= 0)
		loop_close(&app->loop);
}

/* --- the command line ----------------------------------------------------------------------------------- */

/* What depends on where the output goes. */
static int settle_output(struct mon_opts *o, char *err, size_t err_size)
{
	if (o->output == MON_OUTPUT_AUTO)
		o->output = o->is_once || !isatty(STDOUT_FILENO) ? MON_OUTPUT_TEXT : MON_OUTPUT_SCREEN;
	if (o->output != MON_OUTPUT_SCREEN && !o->has_speed)
		o->speed_permille = o->replay ? MON_SPEED_MAX : 1000;
	if (o->output != MON_OUTPUT_SCREEN && o->is_paused)
		snprintf(err, err_size, "--paused is for the screen, and the output is no terminal");
	else if (o->output == MON_OUTPUT_SCREEN && o->every_us)
		snprintf(err, err_size, "--every needs --text or --json");
	else
		return 0;
	return -EINVAL;
}

int mon_app_main(struct mon_app *app, enum mon_side side, int argc, char **argv)
{
	app->program = mon_opts_program(side);
	app->serve.fd = -1;
	app->loop.epoll_fd = -1;
	if (mon_opts_parse(&app->opts, side, argc, argv, app->err, sizeof(app->err)) ||
	    (app->opts.task == MON_TASK_RUN && settle_output(&app->opts, app->err, sizeof(app->err)))) {
		fprintf(stderr, "%s: %s\n", app->program, app->err);
		return EXIT_USAGE;
	}
	if (app->opts.task != MON_TASK_RUN) {
		if (app->opts.task == MON_TASK_HELP)
			mon_opts_help(side);
		else
			printf("%s " FORECOURT_VERSION "\n", app->program);
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
		fprintf(stderr, "%s: %s\n", app->program, app->err);
	return app->status;
}
