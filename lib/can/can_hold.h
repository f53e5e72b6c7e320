/* SPDX-License-Identifier: MIT */
/*
 * Frames that could not be sent at once (ENOBUFS, EAGAIN): the newest of each identifier, in the order in
 * which the identifiers came, for a limited time. Pure.
 */
#ifndef CAN_CAN_HOLD_H
#define CAN_CAN_HOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/can.h>

/* Sixteen pistols with four messages each, twice. */
#define CAN_HOLD_LEN 128
/*
 * Two cycles of 100 ms: a cyclic frame has been replaced by then, and the charge controller gives up on a
 * silent peer after 200 ms, so nothing older may go out.
 */
#define CAN_HOLD_MAX_US 200000
/* Between retries: about eight frame times at 500 kbit/s. */
#define CAN_HOLD_RETRY_US 2000

struct can_hold {
	size_t n;
	struct can_frame frame[CAN_HOLD_LEN]; /* oldest identifier first */
	int64_t since_us[CAN_HOLD_LEN];	      /* when this content was handed over */
};

enum can_hold_result { CAN_HOLD_ADDED, CAN_HOLD_REPLACED, CAN_HOLD_FULL };

static inline void can_hold_init(struct can_hold *h)
{
	h->n = 0;
}

enum can_hold_result can_hold_put(struct can_hold *h, const struct can_frame *f, int64_t now_us);
/* Forgets frames that are too old; returns how many. */
size_t can_hold_expire(struct can_hold *h, int64_t now_us);
/* Forgets the first n. */
void can_hold_pop(struct can_hold *h, size_t n);

#endif
