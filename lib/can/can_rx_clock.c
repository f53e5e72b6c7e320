/* SPDX-License-Identifier: MIT */
/*
 * Kernel receive stamps on the monotonic clock. Pure.
 */
#include "lib/can/can_rx_clock.h"

#include <string.h>

#define CAN_RX_CLOCK_MAX_PPM   500  /* of adjtimex(2) slewing */
#define CAN_RX_CLOCK_JITTER_US 1000 /* a thread may lose the processor between the two readings */

void can_rx_clock_init(struct can_rx_clock *c)
{
	memset(c, 0, sizeof(*c));
}

void can_rx_clock_sample(struct can_rx_clock *c, int64_t real_us, int64_t monotonic_us)
{
	int64_t offset_us = real_us - monotonic_us, drift_us, limit_us;

	if (!c->is_sampled) {
		c->offset_us = offset_us;
		c->sampled_us = monotonic_us;
		c->is_sampled = true;
	}
	c->offset_before_us = c->offset_us;
	c->sampled_before_us = c->sampled_us;
	c->offset_us = offset_us;
	c->sampled_us = monotonic_us;
	drift_us = c->offset_us - c->offset_before_us;
	limit_us = (c->sampled_us - c->sampled_before_us) / (1000000 / CAN_RX_CLOCK_MAX_PPM) +
		   CAN_RX_CLOCK_JITTER_US;
	c->has_jumped = drift_us > limit_us || drift_us < -limit_us;
}

int64_t can_rx_clock_convert(struct can_rx_clock *c, int64_t stamp_us)
{
	int64_t t_us = stamp_us - c->offset_us;

	if (c->has_jumped && (t_us > c->sampled_us || t_us < c->sampled_before_us))
		t_us = stamp_us - c->offset_before_us;
	if (t_us > c->sampled_us)
		t_us = c->sampled_us;
	if (t_us < c->last_us)
		t_us = c->last_us;
	c->last_us = t_us;
	return t_us;
}

int64_t can_rx_clock_arrival(struct can_rx_clock *c)
{
	if (c->last_us < c->sampled_us)
		c->last_us = c->sampled_us;
	return c->last_us;
}
