/* SPDX-License-Identifier: MIT */
/*
 * A log as the source of a monitor: feeds its frames to the model on the log's own time, which runs with
 * the clock, faster, slower, or stands still. What the model has seen at a moment of the log is the same
 * however one got there: its ticks lie on a grid that begins with the log.
 */
#ifndef MONITOR_MON_APP_REPLAY_H
#define MONITOR_MON_APP_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "monitor/log_read.h"
#include "monitor/mon_feed.h"

struct mon_replay {
	struct log_reader log;
	bool is_open;
	const char *path;
	const char *channel; /* of the log; NULL: all */
	struct mon_feed feed;
	struct log_entry entry; /* the next one */
	bool has_entry;
	int error;		  /* of reading: negative errno */
	int64_t begin_us, end_us; /* of the log; end 0: not known yet */
	int64_t at_us;		  /* now, in the log's time */
	int64_t tick_us;	  /* the next one of the grid */
	int64_t goal_us;	  /* on the way there without a pause; FC_NEVER: no */
	bool is_stepping;	  /* on the way to the next frame of the interface */
	int64_t stop_us;	  /* set by the caller: not past this in one run; FC_NEVER: no matter */
	int64_t anchor_us, anchor_at_us; /* clock and log at the last change of the speed */
	int32_t speed_permille;		 /* 0: as fast as it goes */
	bool is_paused, is_at_end;
};

/*
 * The first half: finds the first frame. is_open is false before. 0, or a negative errno with a sentence in
 * err.
 */
int mon_replay_open(struct mon_replay *r, const char *path, const char *channel, char *err, size_t err_size);
/* The second half: restarts the feed's model. Frames come with the number of their channel in the log. */
void mon_replay_start(struct mon_replay *r, const struct mon_feed *feed, int64_t now_us);
void mon_replay_close(struct mon_replay *r);
/*
 * In every wake-up: feeds what is due, for some milliseconds at most. True when the model has changed.
 * *next_us is brought forward to when it wants to be called again: at once while there is more to do.
 */
bool mon_replay_run(struct mon_replay *r, int64_t now_us, int64_t *next_us);
/* Still on the way to where it was sent: what the model shows is of a moment nobody asked for. */
bool mon_replay_is_seeking(const struct mon_replay *r);

void mon_replay_pause(struct mon_replay *r, bool is_paused, int64_t now_us);
/* Pauses, and goes on to the next frame of the interface. */
void mon_replay_step(struct mon_replay *r);
/* By delta_us, within the log. 0, or -ESPIPE: a pipe goes forward only. */
int mon_replay_seek(struct mon_replay *r, int64_t delta_us, int64_t now_us);
void mon_replay_set_speed(struct mon_replay *r, int32_t speed_permille, int64_t now_us);

#endif
