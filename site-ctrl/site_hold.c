/* SPDX-License-Identifier: MIT */
/* Slow rules over one point. Pure. */
#include "site-ctrl/site_hold.h"

#include <string.h>

#include <forecourt/units.h>

static int64_t us(int32_t ms)
{
	return (int64_t)ms * FC_US_PER_MS;
}

void site_hold_reset(struct site_hold *h)
{
	memset(h, 0, sizeof(*h));
	h->cap_mA = INT32_MAX;
	h->low_us = h->on_us = h->off_us = h->wait_us = ALLOC_UNKNOWN;
}

static void lift(struct site_hold *h)
{
	h->cap_mA = INT32_MAX;
	h->low_us = ALLOC_UNKNOWN;
}

/* Half the margin is for vehicles that stay a little below what they may have. */
static bool wants_more(const struct site_hold *h, const struct site_conf *c, int32_t drawn_mA,
		       int32_t requested_mA)
{
	return drawn_mA > h->cap_mA - c->margin_mA / 2 ||
	       requested_mA > (int64_t)h->cap_requested_mA + SITE_HOLD_ASKS_mA;
}

static void look_for_unused(struct site_hold *h, const struct site_conf *c, int64_t now_us,
			    int32_t granted_mA, int32_t drawn_mA, int32_t requested_mA, int32_t min_mA)
{
	int64_t enough_mA = (int64_t)drawn_mA + c->margin_mA + SITE_HOLD_WORTH_mA;

	if (granted_mA < enough_mA || granted_mA <= min_mA) {
		h->low_us = ALLOC_UNKNOWN;
		return;
	}
	if (h->low_us == ALLOC_UNKNOWN) {
		h->low_us = now_us;
		h->low_most_mA = drawn_mA;
	}
	h->low_most_mA = fc_max_i32(h->low_most_mA, drawn_mA);
	if (now_us - h->low_us < us(c->reclaim_ms))
		return;
	h->cap_mA = fc_max_i32(h->low_most_mA + c->margin_mA, min_mA);
	h->cap_us = now_us;
	h->cap_requested_mA = requested_mA;
	h->low_us = ALLOC_UNKNOWN;
}

bool site_hold_draw(struct site_hold *h, const struct site_conf *c, int64_t now_us, int32_t granted_mA,
		    int32_t drawn_mA, int32_t requested_mA, int32_t min_mA)
{
	if (c->reclaim_ms == 0) {
		lift(h);
		return false;
	}
	if (h->cap_mA != INT32_MAX && wants_more(h, c, drawn_mA, requested_mA)) {
		lift(h);
		return true;
	}
	/* A request that fell meanwhile is the level from which it may rise again. */
	h->cap_requested_mA = fc_min_i32(h->cap_requested_mA, requested_mA);
	look_for_unused(h, c, now_us, granted_mA, drawn_mA, requested_mA, min_mA);
	return false;
}

void site_hold_probe(struct site_hold *h, const struct site_conf *c, int64_t now_us)
{
	if (h->cap_mA != INT32_MAX && c->probe_ms > 0 && now_us - h->cap_us >= us(c->probe_ms))
		lift(h);
}

void site_hold_switched(struct site_hold *h, int64_t now_us, bool is_on)
{
	if (is_on)
		h->on_us = now_us;
	else
		h->off_us = now_us;
	h->wait_us = is_on ? ALLOC_UNKNOWN : now_us;
	h->low_us = ALLOC_UNKNOWN;
}

static bool is_within(int64_t since_us, int32_t ms, int64_t now_us)
{
	return since_us != ALLOC_UNKNOWN && now_us - since_us < us(ms);
}

bool site_hold_is_fixed_on(const struct site_hold *h, const struct site_conf *c, int64_t now_us)
{
	return is_within(h->on_us, c->min_on_ms, now_us);
}

bool site_hold_is_fixed_off(const struct site_hold *h, const struct site_conf *c, int64_t now_us)
{
	return is_within(h->off_us, c->min_off_ms, now_us);
}

int64_t site_hold_fixed_until_us(const struct site_hold *h, const struct site_conf *c, int64_t now_us)
{
	if (site_hold_is_fixed_on(h, c, now_us))
		return h->on_us + us(c->min_on_ms);
	return FC_NEVER;
}

int32_t site_hold_ramp_mA(const struct site_conf *c, int32_t from_mA, int32_t to_mA, int32_t min_mA,
			  int64_t dt_us)
{
	int64_t most_mA;

	if (c->ramp_mA_per_s == 0 || to_mA <= from_mA)
		return to_mA;
	most_mA = (int64_t)from_mA + fc_slope_step(c->ramp_mA_per_s, dt_us);
	if (most_mA < min_mA)
		most_mA = min_mA; /* there is nothing between 0 and the minimum to ramp over */
	return most_mA < to_mA ? (int32_t)most_mA : to_mA;
}

int64_t site_hold_turn_us(const struct site_conf *c, uint32_t n_waiting)
{
	/* Two cycles less: one until the turn is seen to be due, one until the grant is out. */
	int64_t all_us = us(c->wait_max_ms) - 2 * us(c->cycle_ms);
	int64_t turn_us = all_us > 0 ? all_us / n_waiting : 0;

	return turn_us > us(c->min_on_ms) ? turn_us : us(c->min_on_ms);
}
