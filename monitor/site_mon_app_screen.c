/* SPDX-License-Identifier: MIT */
/* The terminal's part of site-monitor. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "monitor/site_mon_app.h"

#define DRAW_US	   INT64_C(200000) /* reports come once a second: five times a second is plenty */
#define KEY_US	   INT64_C(100000) /* after a key or another size */
#define EARLY_US   INT64_C(5000)
#define CLOCK_US   FC_US_PER_S
#define US_PER_DAY (86400 * (int64_t)FC_US_PER_S)
#define FASTEST	   64000
#define SLOWEST	   10
#define SEEKING_US INT64_C(300000) /* on a long way through a log the screen shows how far it is */

static void on_terminal(void *ctx, int64_t now_us, uint32_t events)
{
	struct smon_app *app = ctx;

	(void)now_us; /* keys are read after every wake-up */
	if (events & (EPOLLHUP | EPOLLERR))
		app->is_over = true;
}

int smon_screen_open(struct smon_app *app)
{
	const struct mon_curses_cfg cfg = {.is_ascii = app->opts.is_ascii, .no_color = app->opts.no_color};
	sigset_t resize;
	int r;

	/* Let through by loop_wait() only: between a look at the keys and the wait it would be overlooked. */
	sigemptyset(&resize);
	sigaddset(&resize, SIGWINCH);
	sigprocmask(SIG_BLOCK, &resize, NULL);
	r = mon_curses_open(&app->screen, &cfg, app->err, sizeof(app->err));
	if (r)
		return r;
	smon_view_init(&app->view);
	app->is_dirty = true;
	app->drawn_us =
		app->loop.now_us - DRAW_US; /* at once; of a log only when it is where --start-at says */
	return app->screen.in_fd < 0 ? 0 : loop_add(&app->loop, app->screen.in_fd, EPOLLIN, on_terminal, app);
}

void smon_screen_close(struct smon_app *app)
{
	mon_curses_close(&app->screen);
	free(app->frozen);
	app->frozen = NULL;
}

/* --- keys ---------------------------------------------------------------------------------------------- */

static void toggle_frozen(struct smon_app *app)
{
	if (app->frozen) {
		free(app->frozen);
		app->frozen = NULL;
		return;
	}
	app->frozen = malloc(sizeof(*app->frozen));
	if (app->frozen)
		memcpy(app->frozen, &app->model, sizeof(*app->frozen));
	else
		mon_curses_beep(&app->screen);
}

/* Beyond the fastest comes as fast as it goes (0). */
static void set_speed(struct smon_app *app, bool is_faster, int64_t now_us)
{
	int32_t speed = app->replay.speed_permille;

	if (speed == 0)
		speed = is_faster ? 0 : FASTEST;
	else if (is_faster)
		speed = speed > FASTEST / 2 ? 0 : 2 * speed;
	else
		speed = fc_max_i32(speed / 2, SLOWEST);
	mon_replay_set_speed(&app->replay, speed, now_us);
}

static void steer_replay(struct smon_app *app, enum mon_action action, int64_t now_us)
{
	struct mon_replay *r = &app->replay;

	if (action == MON_ACT_PAUSE)
		mon_replay_pause(r, !r->is_paused, now_us);
	else if (action == MON_ACT_STEP)
		mon_replay_step(r);
	else if (action == MON_ACT_SEEK && mon_replay_seek(r, app->view.seek_us, now_us))
		mon_curses_beep(&app->screen); /* standard input goes forward only */
	else if (action == MON_ACT_FASTER || action == MON_ACT_SLOWER)
		set_speed(app, action == MON_ACT_FASTER, now_us);
}

static void act(struct smon_app *app, enum mon_action action, int64_t now_us)
{
	if (action == MON_ACT_NONE)
		return;
	app->is_dirty = app->is_urgent = true;
	if (action == MON_ACT_QUIT)
		app->is_over = true;
	else if (smon_is_replay(app))
		steer_replay(app, action, now_us);
	else if (action == MON_ACT_PAUSE)
		toggle_frozen(app);
}

/* The wall's clock, in local time; a log without dates counts from 0, which no zone moves. */
static int64_t local_us(int64_t utc_us)
{
	time_t utc_s = (time_t)(utc_us / FC_US_PER_S);
	struct tm local;

	if (utc_us < US_PER_DAY || !localtime_r(&utc_s, &local))
		return utc_us;
	return utc_us + (int64_t)local.tm_gmtoff * FC_US_PER_S;
}

static const struct smon_model *shown(const struct smon_app *app)
{
	return app->frozen ? app->frozen : &app->model;
}

static void fill_source(struct smon_app *app)
{
	struct mon_source *s = &app->source;
	const struct mon_replay *r = &app->replay;

	s->is_replay = smon_is_replay(app);
	s->is_paused = app->frozen != NULL;
	s->wall_us = local_us(shown(app)->now_us + app->wall_offset_us);
	if (!s->is_replay)
		return;
	s->is_paused = r->is_paused;
	s->is_at_end = r->is_at_end;
	s->speed = (double)r->speed_permille / 1000;
	s->begin_us = r->begin_us;
	s->end_us = r->end_us;
	s->at_us = r->at_us;
	s->n_bad_lines = r->log.stats.n_bad;
}

void smon_screen_keys(struct smon_app *app, int64_t now_us)
{
	int key;

	while (!app->is_over && (key = mon_curses_key(&app->screen)) != MON_CURSES_NONE) {
		if (key == MON_CURSES_RESIZED) {
			app->is_dirty = app->is_urgent = true;
			continue;
		}
		fill_source(app);
		act(app, smon_view_key(&app->view, shown(app), &app->names, &app->source, key), now_us);
	}
}

/* --- drawing ------------------------------------------------------------------------------------------- */

static bool draw(struct smon_app *app)
{
	int rows, cols;

	mon_curses_size(&app->screen, &rows, &cols);
	grid_reset(&app->grid, rows, cols, app->screen.is_ascii);
	fill_source(app);
	smon_view_draw(&app->view, shown(app), &app->names, &app->source, &app->grid);
	return mon_curses_draw(&app->screen, &app->grid);
}

void smon_screen_run(struct smon_app *app, int64_t now_us, int64_t *next_us)
{
	bool has_clock = !app->frozen && !smon_is_replay(app);
	int64_t due_us;

	if (!app->frozen && app->model.n_changes != app->drawn_mark)
		app->is_dirty = true;
	due_us = app->is_urgent ? KEY_US : app->is_dirty ? DRAW_US : has_clock ? CLOCK_US : FC_NEVER;
	if (due_us == FC_NEVER)
		return;
	if (smon_is_replay(app) && mon_replay_is_seeking(&app->replay))
		due_us = SEEKING_US;
	if (now_us - app->drawn_us < due_us - EARLY_US) {
		*next_us = fc_min_i64(*next_us, app->drawn_us + due_us);
		return;
	}
	/* A terminal that takes nothing now is asked again; it will get what is then, not what it missed. */
	app->is_dirty = !draw(app);
	app->is_urgent = false;
	app->drawn_mark = app->model.n_changes;
	app->drawn_us = now_us;
	if (app->is_dirty || has_clock)
		*next_us = fc_min_i64(*next_us, now_us + (app->is_dirty ? DRAW_US : CLOCK_US));
}
