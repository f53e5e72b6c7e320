/* SPDX-License-Identifier: MIT */
/*
 * What a source of frames, a bus or a log, does to a monitor's model: the same for every kind of model. Header only.
 */
#ifndef MONITOR_MON_FEED_H
#define MONITOR_MON_FEED_H

#include <stdint.h>

#include <linux/can.h>

struct mon_feed {
	void *ctx;
	/* bus: number of the source where there are several, or of the log's channel */
	void (*rx)(void *ctx, int64_t now_us, unsigned bus, const struct can_frame *frame);
	void (*tick)(void *ctx, int64_t now_us);
	void (*dropped)(void *ctx, int64_t now_us, uint32_t n_frames);
	/* Begins from nothing: at the start of a log, and when it is sought back. */
	void (*restart)(void *ctx, int64_t now_us);
	/* Frames of the interface so far: a step through a log goes on to the next one. */
	uint64_t (*n_ours)(const void *ctx);
};

#endif
