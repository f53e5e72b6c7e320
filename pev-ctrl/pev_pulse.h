/* SPDX-License-Identifier: MIT */
/*
 * A request bit that is read by its edge: 1 for a stated time, then 0 for as long before the next one (rules
 * P-38, P-39). The time counts from the first frame that carries the 1. Pure; header only.
 */
#ifndef PEV_PULSE_H
#define PEV_PULSE_H

#include <stdbool.h>
#include <stdint.h>

#include <forecourt/units.h>

struct pev_pulse {
	bool is_wanted;
	bool is_high;
	int64_t until_us; /* end of the 1, or of the 0 that must follow it */
};

static inline void pev_pulse_init(struct pev_pulse *p)
{
	p->is_wanted = false;
	p->is_high = false;
	p->until_us = INT64_MIN;
}

static inline void pev_pulse_start(struct pev_pulse *p)
{
	p->is_wanted = true;
}

/* Back to 0 in the next frame, even when it was short (rule P-15). */
static inline void pev_pulse_cancel(struct pev_pulse *p, int64_t now_us, int64_t hold_us)
{
	if (p->is_high)
		p->until_us = now_us + hold_us;
	p->is_high = false;
	p->is_wanted = false;
}

static inline bool pev_pulse_is_busy(const struct pev_pulse *p)
{
	return p->is_wanted || p->is_high;
}

/* The bit of a frame that is sent now. */
static inline bool pev_pulse_bit(struct pev_pulse *p, int64_t now_us, int64_t hold_us)
{
	if (now_us >= p->until_us) {
		if (p->is_high) {
			p->is_high = false;
			p->until_us = now_us + hold_us;
		} else if (p->is_wanted) {
			p->is_wanted = false;
			p->is_high = true;
			p->until_us = now_us + hold_us;
		}
	}
	return p->is_high;
}

#endif
