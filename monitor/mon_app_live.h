/* SPDX-License-Identifier: MIT */
/*
 * A bus as the source of a monitor. It is not woken by every frame: while there is traffic it empties the
 * receive buffer ten times a second, more often where the buffer is too small to hold what the fastest bus
 * can bring in that time; on a silent bus it sleeps until the first frame, and then waits a little for
 * those behind it.
 */
#ifndef MONITOR_MON_APP_LIVE_H
#define MONITOR_MON_APP_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/can/can_bus.h"
#include "lib/linux/loop.h"
#include "monitor/mon_feed.h"

struct mon_live {
	struct can_bus *bus; /* NULL: closed */
	struct loop *loop;
	struct mon_feed feed;
	unsigned number;  /* of this bus, for the feed */
	int64_t beat_us;  /* between two drains under traffic */
	int64_t next_us;  /* the next drain */
	int64_t frame_us; /* when a drain last found something */
	int64_t tick_us;  /* the model's last tick */
	bool is_watched;  /* the loop wakes us by the first frame */
	bool is_woken;	  /* it has */
	uint32_t n_dropped;
	unsigned n_errors; /* drains that failed, in a row */
};

/* l->bus is NULL before. The feed's model is ready. 0, or a negative errno with a sentence in err. */
int mon_live_open(struct mon_live *l, const char *url, unsigned number, const struct mon_feed *feed,
		  struct loop *loop, char *err, size_t err_size);
void mon_live_close(struct mon_live *l);
/*
 * In every wake-up: feeds the model when it is time, and ticks it. True when the model has changed.
 * *next_us is brought forward to when it wants to be called again. A bus that cannot be read any more:
 * *error is a negative errno.
 */
bool mon_live_run(struct mon_live *l, int64_t now_us, int64_t *next_us, int *error);

#endif
