/* SPDX-License-Identifier: MIT */
/*
 * Absolute deadlines and periodic grids. Pure; header only because each is a comparison or two.
 *
 * A grid keeps the phase of its start for ever: next += period, missed slots are skipped instead of sent in
 * a burst. Times are microseconds of the machine's clock; FC_NEVER is "not due".
 */
#ifndef CORE_DEADLINE_H
#define CORE_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

#include <forecourt/units.h>

struct grid {
	int64_t next_us;
	int64_t period_us;
};

/* First slot at first_us; period_us > 0. */
static inline void grid_start(struct grid *g, int64_t first_us, int64_t period_us)
{
	g->next_us = first_us;
	g->period_us = period_us;
}

static inline void grid_stop(struct grid *g)
{
	g->next_us = FC_NEVER;
}

/* True once per slot that has come; late calls consume all missed slots at once. */
static inline bool grid_due(struct grid *g, int64_t now_us)
{
	if (now_us < g->next_us)
		return false;
	g->next_us += g->period_us;
	if (g->next_us <= now_us)
		g->next_us += (now_us - g->next_us) / g->period_us * g->period_us + g->period_us;
	return true;
}

/* now + delay, FC_NEVER for a negative delay ("no limit"). */
static inline int64_t deadline_after(int64_t now_us, int64_t delay_us)
{
	if (delay_us < 0 || delay_us >= FC_NEVER - now_us)
		return FC_NEVER;
	return now_us + delay_us;
}

#endif
