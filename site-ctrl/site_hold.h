/* SPDX-License-Identifier: MIT */
/*
 * What the site remembers of one point between two cycles, and the slow rules over it: ramp, minimum time on
 * and off, reclaim of what a vehicle does not draw, and waiting time. Pure; knows nothing of rows and leases.
 *
 * Pins. Two of the rules need a promise that no policy can break: who has just been switched on stays on for
 * a while, and who has waited longest gets his turn. Both are a pin: until pin_until_us the site sets the
 * point's minimum aside before it asks the policy, which then shares what is left (the rest of that point
 * included). So they hold with any policy, and where nobody is pinned the policy's order is left as it is.
 *
 * Turns. Of W points that wait (wanting, with nothing, and not because the policy wants them to), the one
 * that waited longest is pinned every wait_max / W, for as long. Then the last in the queue waits W turns,
 * which is wait_max. A turn is never shorter than min_on: with very many waiting on one breaker it is W x
 * min_on instead.
 */
#ifndef SITE_SITE_HOLD_H
#define SITE_SITE_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include <forecourt/alloc_policy.h>

#include "site-ctrl/site_settings.h"

/* Reclaim must free at least so much, or a draw that trembles would be reclaimed from for ever. */
#define SITE_HOLD_WORTH_mA 1000
/* The request must rise by so much to count as asking for more. */
#define SITE_HOLD_ASKS_mA 1000

struct site_hold {
	/* Reclaim. */
	int32_t cap_mA; /* INT32_MAX: none */
	int64_t cap_us; /* since */
	int32_t cap_requested_mA;
	int64_t low_us; /* draws less than it might since then; ALLOC_UNKNOWN: does not */
	int32_t low_most_mA;
	/* Switching. */
	int64_t on_us, off_us; /* last switched on, off; ALLOC_UNKNOWN: not in this session */
	/* Waiting. */
	int64_t wait_us;      /* since; ALLOC_UNKNOWN: does not */
	int64_t pin_until_us; /* 0: not pinned */
};

/* Another vehicle, or none. */
void site_hold_reset(struct site_hold *h);
/*
 * A report: what is granted and drawn, what the vehicle asks for, and its minimum. True when a cap was
 * lifted: the point should be given more at once.
 */
bool site_hold_draw(struct site_hold *h, const struct site_conf *c, int64_t now_us, int32_t granted_mA,
		    int32_t drawn_mA, int32_t requested_mA, int32_t min_mA);
/* Lifts a cap that is old enough to be tried again. */
void site_hold_probe(struct site_hold *h, const struct site_conf *c, int64_t now_us);
/* The grant went from nothing to something or back, for a vehicle that wants. */
void site_hold_switched(struct site_hold *h, int64_t now_us, bool is_on);
/* Minimum time on, off not over yet. */
bool site_hold_is_fixed_on(const struct site_hold *h, const struct site_conf *c, int64_t now_us);
bool site_hold_is_fixed_off(const struct site_hold *h, const struct site_conf *c, int64_t now_us);
/* When it is over; FC_NEVER. */
int64_t site_hold_fixed_until_us(const struct site_hold *h, const struct site_conf *c, int64_t now_us);
/*
 * Of a raise from `from` to `to`, what may be given dt after the last one: at least the minimum, never over
 * `to`.
 */
int32_t site_hold_ramp_mA(const struct site_conf *c, int32_t from_mA, int32_t to_mA, int32_t min_mA,
			  int64_t dt_us);
/* Between two turns when n points wait, n > 0. */
int64_t site_hold_turn_us(const struct site_conf *c, uint32_t n_waiting);

#endif
