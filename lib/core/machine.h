/* SPDX-License-Identifier: MIT */
/*
 * A pure machine as its runner sees it: the same record is run by a Linux process on a real bus
 * (lib/linux/run.c), by sim/world.c in virtual time, by tests and by fuzzers. Pure.
 *
 * Contract: `now_us` never goes backwards. Everything a machine wants done is queued in `out`, which the
 * runner performs in order after each wake-up. A second tick with the same time emits nothing. Frames with
 * CAN_ERR_FLAG tell about the bus itself. A machine may refuse input but never fails.
 */
#ifndef CORE_MACHINE_H
#define CORE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/can.h>

#include "lib/core/out_queue.h"

#define MACHINE_MAX_FILTERS 256

struct machine_ops {
	void (*rx)(void *self, int64_t now_us, const struct can_frame *frame, struct out_queue *out);
	void (*tick)(void *self, int64_t now_us, struct out_queue *out);
	int64_t (*next_us)(const void *self); /* absolute; FC_NEVER: nothing due */
	/* Receive filters, derived from the message tables; returns how many, at most n. */
	size_t (*filters)(const void *self, struct can_filter *f, size_t n);
	/* Ordered stop (SIGINT, SIGTERM): asked once; the runner goes on until is_stopped. */
	void (*stop)(void *self, int64_t now_us, struct out_queue *out);
	bool (*is_stopped)(const void *self);
	/*
	 * One request of the control socket, words separated by blanks, no line end. Writes zero or more lines
	 * "key=value\n" into answer (always terminated). 0, or a negative errno: -ENOENT unknown word, -EINVAL
	 * bad value, -EBUSY not now; then answer holds the reason.
	 */
	int (*command)(void *self, int64_t now_us, const char *line, char *answer, size_t size,
		       struct out_queue *out);
};

struct machine {
	const struct machine_ops *ops;
	void *self;
	const char *name;
};

#endif
