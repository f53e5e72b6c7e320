/* SPDX-License-Identifier: MIT */
/* A log as the source of a monitor. */
#include "monitor/mon_app_replay.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include <forecourt/units.h>

#include "lib/linux/loop.h"

/* The model's own step. */
#define TICK_US INT64_C(100000)
/* Looked at again so soon while it runs with the clock: as often as the screen may change. */
#define BEAT_US INT64_C(100000)
/* At a stretch, before keys and the screen have their turn again. */
#define STRETCH_US  INT64_C(10000)
#define CHECK_EVERY 256 /* frames between two looks at the clock */
/*
 * A silence in the log is ticked through finely at first, then by the second, and beyond an hour not at
 * all.
 */
#define FINE_US	  (10 * FC_US_PER_S)
#define SKIP_US	  (INT64_C(3600) * FC_US_PER_S)
#define TAIL_SIZE 65536 /* of a file, to find its last frame */

/* --- the log -------------------------------------------------------------------------------------------- */

static void next_entry(struct mon_replay *r)
{
	int n;

	do
		n = log_next(&r->log, &r->entry);
	while (n > 0 && r->channel && strcmp(log_channel(&r->log, r->entry.channel), r->channel) != 0);
	r->has_entry = n > 0;
	if (n < 0)
		r->error = n;
}

/* Time of the last frame of a candump file, 0 where that cannot be said without reading it all. */
static int64_t find_end(const struct mon_replay *r)
{
	struct log_reader tail;
	struct log_entry e;
	char text[TAIL_SIZE];
	const char *begin;
	int64_t end_us = 0;
	struct stat st;
	ssize_t n;

	if (r->log.format != LOG_CANDUMP || fstat(r->log.fd, &st) != 0 || !S_ISREG(st.st_mode))
		return 0;
	n = pread(r->log.fd, text, sizeof(text), st.st_size > TAIL_SIZE ? st.st_size - TAIL_SIZE : 0);
	if (n <= 0)
		return 0;
	begin = st.st_size > TAIL_SIZE ? memchr(text, '\n', (size_t)n) : text; /* not from within a line */
	if (!begin)
		return 0;
	log_open_memory(&tail, begin, (size_t)(text + n - begin));
	while (log_next(&tail, &e) > 0)
		end_us = e.time_us > end_us ? e.time_us : end_us;
	return end_us;
}

int mon_replay_open(struct mon_replay *r, const char *path, const char *channel, char *err, size_t err_size)
{
	int n = log_open(&r->log, path, err, err_size);

	if (n)
		return n;
	r->is_open = true;
	r->path = path;
	r->channel = channel;
	r->error = 0;
	next_entry(r);
	if (r->has_entry) {
		r->begin_us = r->entry.time_us;
		r->end_us = find_end(r);
		return 0;
	}
	n = r->error ? r->error : -ENODATA;
	if (r->error)
		snprintf(err, err_size, "%.100s: %s", path, strerror(-r->error));
	else if (channel)
		snprintf(err, err_size, "%.100s: no frames of channel %.40s", path, channel);
	else
		snprintf(err, err_size, "%.100s: no frames in it", path);
	return n;
}

void mon_replay_close(struct mon_replay *r)
{
	if (r->is_open)
		log_close(&r->log);
	r->is_open = false;
}

/* --- feeding -------------------------------------------------------------------------------------------- */

static void begin(struct mon_replay *r)
{
	r->feed.restart(r->feed.ctx, r->begin_us);
	r->at_us = r->begin_us;
	r->tick_us = r->begin_us + TICK_US;
	r->is_at_end = false;
}

void mon_replay_start(struct mon_replay *r, const struct mon_feed *feed, int64_t now_us)
{
	r->feed = *feed;
	r->goal_us = FC_NEVER;
	r->is_stepping = false;
	r->is_paused = false;
	r->stop_us = FC_NEVER;
	r->speed_permille = 1000;
	begin(r);
	r->anchor_us = now_us;
	r->anchor_at_us = r->at_us;
}

/* The ticks of the grid up to `to_us`. */
static void tick_through(struct mon_replay *r, int64_t to_us)
{
	int64_t silent_from_us = r->at_us;

	while (r->tick_us <= to_us) {
		int64_t step_us = TICK_US;

		r->feed.tick(r->feed.ctx, r->tick_us);
		if (r->tick_us - silent_from_us >= SKIP_US)
			step_us = (to_us - r->tick_us) / TICK_US * TICK_US + TICK_US;
		else if (r->tick_us - silent_from_us >= FINE_US)
			step_us = FC_US_PER_S;
		r->tick_us += step_us;
	}
}

static void feed(struct mon_replay *r)
{
	int64_t t_us = r->entry.time_us > r->at_us ? r->entry.time_us : r->at_us; /* time does not go back */

	tick_through(r, t_us);
	r->at_us = t_us;
	if (r->entry.n_lost)
		r->feed.dropped(r->feed.ctx, t_us, r->entry.n_lost);
	r->feed.rx(r->feed.ctx, t_us, r->channel ? 0 : r->entry.channel, &r->entry.frame);
	next_entry(r);
}

/* The log has been read to its end. */
static void finish(struct mon_replay *r)
{
	r->is_at_end = true;
	r->end_us = r->at_us > r->end_us ? r->at_us : r->end_us;
	r->goal_us = FC_NEVER;
	r->is_stepping = false;
	tick_through(r, r->at_us);
	r->feed.tick(r->feed.ctx, r->at_us);
}

/* Feeds up to a time of the log. False: not there yet, but the stretch is over. */
static bool feed_until(struct mon_replay *r, int64_t to_us)
{
	int64_t begin_us = loop_clock_us();
	unsigned n = 0;

	while (r->has_entry && r->entry.time_us <= to_us) {
		if (++n % CHECK_EVERY == 0 && loop_clock_us() - begin_us > STRETCH_US)
			return false;
		feed(r);
	}
	if (!r->has_entry) {
		finish(r);
		return true;
	}
	if (to_us < FC_NEVER && to_us > r->at_us) {
		tick_through(r, to_us);
		r->at_us = to_us;
		r->feed.tick(r->feed.ctx, to_us);
	}
	return true;
}

static bool feed_step(struct mon_replay *r)
{
	uint64_t n_ours = r->feed.n_ours(r->feed.ctx);
	int64_t begin_us = loop_clock_us();
	unsigned n = 0;

	while (r->has_entry && r->feed.n_ours(r->feed.ctx) == n_ours) {
		if (++n % CHECK_EVERY == 0 && loop_clock_us() - begin_us > STRETCH_US)
			return false;
		feed(r);
	}
	r->is_stepping = false;
	if (!r->has_entry)
		finish(r);
	return true;
}

static void set_anchor(struct mon_replay *r, int64_t now_us)
{
	r->anchor_us = now_us;
	r->anchor_at_us = r->at_us;
}

/* Where the log should be now. */
static int64_t due_us(const struct mon_replay *r, int64_t now_us)
{
	if (r->speed_permille == 0)
		return FC_NEVER;
	return r->anchor_at_us + (now_us - r->anchor_us) * r->speed_permille / 1000;
}

bool mon_replay_run(struct mon_replay *r, int64_t now_us, int64_t *next_us)
{
	int64_t to_us = r->goal_us;
	bool is_there;

	if (r->is_at_end)
		return false;
	if (r->goal_us == FC_NEVER && r->is_stepping) {
		is_there = feed_step(r);
	} else if (r->goal_us == FC_NEVER && r->is_paused) {
		return false;
	} else {
		if (r->goal_us == FC_NEVER)
			to_us = due_us(r, now_us);
		is_there = feed_until(r, fc_min_i64(to_us, r->stop_us)) && to_us <= r->stop_us;
		if (r->goal_us != FC_NEVER)
			set_anchor(r, now_us);
		if (is_there)
			r->goal_us = FC_NEVER;
	}
	if (!is_there && !r->is_at_end)
		*next_us = now_us;
	else if (!r->is_at_end && !r->is_paused)
		*next_us = fc_min_i64(*next_us, now_us + BEAT_US);
	return true;
}

bool mon_replay_is_seeking(const struct mon_replay *r)
{
	return r->goal_us != FC_NEVER || r->is_stepping;
}

/* --- steering ------------------------------------------------------------------------------------------- */

void mon_replay_pause(struct mon_replay *r, bool is_paused, int64_t now_us)
{
	r->is_paused = is_paused;
	set_anchor(r, now_us);
}

void mon_replay_step(struct mon_replay *r)
{
	r->is_paused = true;
	r->is_stepping = !r->is_at_end;
}

int mon_replay_seek(struct mon_replay *r, int64_t delta_us, int64_t now_us)
{
	/* Several keys at once: each goes on from where the one before it leads to. */
	int64_t to_us = (r->goal_us == FC_NEVER ? r->at_us : r->goal_us) + delta_us;
	int n;

	if (to_us < r->begin_us)
		to_us = r->begin_us;
	if (r->end_us && to_us > r->end_us)
		to_us = r->end_us;
	if (to_us < r->at_us) {
		n = log_rewind(&r->log);
		if (n)
			return n;
		r->error = 0;
		next_entry(r);
		begin(r);
	}
	if (r->is_at_end)
		return 0;
	r->is_stepping = false;
	r->goal_us = to_us;
	set_anchor(r, now_us);
	return 0;
}

void mon_replay_set_speed(struct mon_replay *r, int32_t speed_permille, int64_t now_us)
{
	r->speed_permille = speed_permille;
	set_anchor(r, now_us);
}
