/* SPDX-License-Identifier: MIT */
/*
 * The site's bus of a simulated site: frames between one machine (the site) and many worlds (charge points with
 * their vehicles), each with a bus of its own. Pure.
 *
 * A line is a machine on the bus of a point that hears the point's frames of dbc/site.dbc and says those of the
 * site; on its bus every point has the index 1. Between the lines and the site is the link: a frame takes the wire's
 * time at least, may take up to delay_us more, so that frames overtake each other, and may be lost; a random number
 * each, of a seed.
 */
#ifndef SIM_SIM_RUN_SITE_LINK_H
#define SIM_SIM_RUN_SITE_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/machine.h"

/* The worlds run apart from each other for so long; no frame is faster. */
#define SITE_LINK_WIRE_US  (10 * (int64_t)FC_US_PER_MS)
#define SITE_LINK_LEN	   8192 /* frames on their way */
#define SITE_LINE_LEN	   64
#define SITE_LINK_TO_SITE  UINT32_MAX
#define SITE_LINK_ID_BLOCK 0x000a8000u
#define SITE_LINK_ID_MASK  0x00fff000u

struct site_link_frame {
	int64_t due_us;
	uint64_t seq;	   /* order among equal times */
	uint32_t from, to; /* point, or SITE_LINK_TO_SITE */
	struct can_frame frame;
};

struct site_link {
	struct site_link_frame frame[SITE_LINK_LEN]; /* heap, earliest first */
	uint32_t n;
	uint64_t seq, random;
	uint32_t loss_ppm;
	int64_t delay_us; /* at most, besides the wire */
	uint64_t n_sent, n_lost, n_full;
};

void site_link_init(struct site_link *l, uint64_t seed, uint32_t loss_ppm, int64_t delay_us);
void site_link_send(struct site_link *l, int64_t now_us, uint32_t from, uint32_t to,
		    const struct can_frame *f);
/* FC_NEVER: nothing is on its way. */
int64_t site_link_next_us(const struct site_link *l);
/* The earliest one; only when there is one. */
void site_link_take(struct site_link *l, struct site_link_frame *f);

/* --- one end on the bus of a point --------------------------------------------------------------------------- */

struct site_line {
	struct site_link *link;
	uint32_t point;
	uint8_t number;			    /* of the point on its site's bus: goes into the identifiers */
	struct can_frame in[SITE_LINE_LEN]; /* to be said at in_us */
	int64_t in_us[SITE_LINE_LEN];
	uint32_t head, n;
	uint32_t n_full;
	/* A frame of the point leaves it now, or one of the site reaches it; may be NULL. */
	void (*passed)(void *ctx, uint32_t point, bool is_reached, int64_t now_us, const struct can_frame *f);
	void *ctx;
};

extern const struct machine_ops site_line_ops; /* self: struct site_line */

/* A frame of the site reaches the point at at_us, not before those put earlier. False: no room. */
bool site_line_put(struct site_line *l, int64_t at_us, const struct can_frame *f);

#endif
