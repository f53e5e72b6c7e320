/* SPDX-License-Identifier: MIT */
/* The terminal's part of a monitor: when it is drawn, and what its keys do. */
#include "monitor/mon_app.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include <forecourt/units.h>

/*
 * Ten times a second at most. A wake-up on the grid of 100 ms may be a little earlier than the last one was
 * late.
 */
#define DRAW_US	   INT64_C(100000)
#define EARLY_US   INT64_C(5000)
#define CLOCK_US   FC_US_PER_S /* nothing new: ages and the clock go on by the second */
#define US_PER_DAY (86400 * (int64_t)FC_US_PER_S)
#define SEEKING_US INT64_C(300000) /* on a long way through a log the screen shows how far it is */

/* Keys are read after every wake-up, for a resize comes without input; here is only what cannot be read. */
static void on_terminal(void *ctx, int64_t now_us, uint32_t events)
{
	struct mon_app *app = ctx;

	(void)now_us;
	if (events & (EPOLLHUP | EPOLLERR))
		app->is_over = true; /* the terminal is gone */
}

/*
 * A resize between the last look at the keys and the wait would be seen with the next key only: see
 * loop_wait().
 */
static void hold_resize(void)
{
	sigset_t resize;

	sigemptyset(&resize);
	sigaddset(&resize, SIGWINCH);
	sigprocmask(SIG_BLOCK, &resize, NULL);
}

int mon_app_screen_open(struct mon_app *app)
{
	const struct mon_curses_cfg cfg = {.is_ascii = app->opts.is_ascii, .no_color = app->opts.no_color};
	int r;

	hold_resize();
	r = mon_curses_open(&app->screen, &cfg, app->err, sizeof(app->err));
	if (r)
		return r;
	mon_view_init(&app->view, &app->model);
	app->is_dirty = true;
	app->drawn_us =
		app->loop.now_us - DRAW_US; /* at once; of a log only when it is where --start-at says */
	return app->screen.in_fd < 0 ? 0 : loop_add(&app->loop, app->screen.in_fd, EPOLLIN, on_terminal, app);
}

void mon_app_screen_close(struct mon_app *app)
{
	mon_curses_close(&app->screen);
	free(app->frozen);
	app->frozen = NULL;
}

/* --- keys ----------------------------------------------------------------------------------------------- */

/* On a bus the model goes on; what the screen shows meanwhile is a copy. */
static void toggle_frozen(struct mon_app *app)
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

static void set_speed(struct mon_app *app, bool is_faster, int64_t now_us)
{
	int32_t speed = app->replay.speed_permille;

	if (speed == MON_SPEED_MAX)
		speed = is_faster ? MON_SPEED_MAX : MON_SPEED_HIGHEST;
	else if (is_faster)
		speed = speed > MON_SPEED_HIGHEST / 2 ? MON_SPEED_MAX : 2 * speed;
	else if (speed / 2 >= MON_SPEED_LOWEST)
		speed /= 2;
	mon_replay_set_speed(&app->replay, speed, now_us);
}

static void steer_replay(struct mon_app *app, enum mon_action action, int64_t now_us)
{
	struct mon_replay *r = &app->replay;

	switch (action) {
	case MON_ACT_PAUSE:
		mon_replay_pause(r, !r->is_paused, now_us);
		return;
	case MON_ACT_STEP:
		mon_replay_step(r);
		return;
	case MON_ACT_SEEK:
		if (mon_replay_seek(r, app->view.seek_us, now_us))
			mon_curses_beep(&app->screen); /* standard input goes forward only */
		return;
	case MON_ACT_FASTER:
	case MON_ACT_SLOWER:
		set_speed(app, action == MON_ACT_FASTER, now_us);
		return;
	case MON_ACT_NONE:
	case MON_ACT_REDRAW:
	case MON_ACT_QUIT:
		return;
	}
}

static void act(struct mon_app *app, enum mon_action action, int64_t now_us)
{
	if (action == MON_ACT_NONE)
		return;
	app->is_dirty = true;
	if (action == MON_ACT_QUIT)
		app->is_over = true;
	else if (mon_app_is_replay(app))
		steer_replay(app, action, now_us);
	else if (action == MON_ACT_PAUSE)
		toggle_frozen(app);
}

static const struct mon_model *shown_model(const struct mon_app *app)
{
	return app->frozen ? app->frozen : &app->model;
}

/* The clock on the screen is the wall's: local time. A log without dates counts from 0, which no zone moves. */
static int64_t zone_us(int64_t utc_us)
{
	time_t utc_s = (time_t)(utc_us / FC_US_PER_S);
	struct tm local;

	if (utc_us < US_PER_DAY || !localtime_r(&utc_s, &local))
		return 0;
	return (int64_t)local.tm_gmtoff * FC_US_PER_S;
}

static void fill_source(struct mon_app *app)
{
	struct mon_source *s = &app->source;
	const struct mon_replay *r = &app->replay;

	s->wall_us = shown_model(app)->now_us + app->wall_offset_us;
	s->wall_us += zone_us(s->wall_us);
	s->is_paused = app->frozen != NULL;
	if (!mon_app_is_replay(app))
		return;
	s->is_replay = true;
	s->is_paused = r->is_paused;
	s->is_at_end = r->is_at_end;
	s->speed = (double)r->speed_permille / 1000;
	s->begin_us = r->begin_us;
	s->end_us = r->end_us;
	s->at_us = r->at_us;
	s->wall_us = r->at_us + zone_us(r->at_us);
	s->n_bad_lines = r->log.stats.n_bad;
}

void mon_app_screen_keys(struct mon_app *app, int64_t now_us)
{
	int key;

	while (!app->is_over && (key = mon_curses_key(&app->screen)) != MON_CURSES_NONE) {
		if (key == MON_CURSES_RESIZED) {
			app->is_dirty = true;
			continue;
		}
		fill_source(app);
		act(app, mon_view_key(&app->view, shown_model(app), &app->source, key), now_us);
	}
}

/* --- drawing -------------------------------------------------------------------------------------------- */

/*
 * Differs when the content of any message does, or something happened; not when a message just came once
 * more.
 */
static uint64_t content_mark(const struct mon_model *m)
{
	uint64_t mark = m->n_events + m->bus.n_errors + m->bus.n_dropped + m->bus.is_up;
	unsigned point, msg;

	for (point = 0; point < MON_N_POINTS; point++) {
		const struct mon_point *p = mon_point(m, point);

		for (msg = 0; p && msg < m->n_msgs; msg++)
			mark += p->msg[msg].n_changes + (p->msg[msg].n > 0) +
				((uint64_t)p->msg[msg].is_lost << 40);
	}
	return mark;
}

void mon_app_screen_news(struct mon_app *app)
{
	uint64_t mark;

	if (app->frozen)
		return;
	mark = mon_app_is_replay(app) ? 0 : content_mark(&app->model);
	/*
	 * What comes without news, counts and ages, goes on by the second. The place in a log always moves.
	 */
	if (mon_app_is_replay(app) || mark != app->content_mark)
		app->is_dirty = true;
	app->content_mark = mark;
}

static bool draw(struct mon_app *app)
{
	int rows, cols;

	mon_curses_size(&app->screen, &rows, &cols);
	grid_reset(&app->grid, rows, cols, app->screen.is_ascii);
	fill_source(app);
	mon_view_draw(&app->view, shown_model(app), &app->source, &app->grid);
	return mon_curses_draw(&app->screen, &app->grid);
}

void mon_app_screen_run(struct mon_app *app, int64_t now_us, int64_t *next_us)
{
	int64_t since_us = now_us - app->drawn_us, due_us;
	bool has_clock = !app->frozen && !mon_app_is_replay(app);

	due_us = app->is_dirty ? DRAW_US : has_clock ? CLOCK_US : FC_NEVER;
	if (due_us != FC_NEVER && mon_app_is_replay(app) && mon_replay_is_seeking(&app->replay))
		due_us = SEEKING_US;
	if (due_us == FC_NEVER)
		return;
	if (since_us < due_us - EARLY_US) {
		*next_us = fc_min_i64(*next_us, app->drawn_us + due_us);
		return;
	}
	/* A terminal that takes nothing now is asked again; it will get what is then, not what it missed. */
	app->is_dirty = !draw(app);
	app->drawn_us = now_us;
	*next_us = fc_min_i64(*next_us, now_us + (app->is_dirty ? DRAW_US
						  : has_clock	? CLOCK_US
								: FC_NEVER - now_us));
}
