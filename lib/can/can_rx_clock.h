/* SPDX-License-Identifier: MIT */
/*
 * Kernel receive stamps (real-time clock) on the monotonic clock. Pure.
 *
 * Both clocks are sampled together at each batch; their difference converts the stamps. The difference drifts
 * slowly where the real-time clock is disciplined (500 ppm at most) and jumps where it is set. A stamp from
 * before a jump converts to a time outside of the interval between the two samples; then the earlier
 * difference is used. The result never decreases and never lies after the latest sample. Measured on a quiet
 * machine the two readings of one sample are less than 1 us apart, so the conversion adds no more than that.
 */
#ifndef CAN_CAN_RX_CLOCK_H
#define CAN_CAN_RX_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct can_rx_clock {
	int64_t offset_us, offset_before_us;   /* real time minus monotonic */
	int64_t sampled_us, sampled_before_us; /* monotonic */
	int64_t last_us;		       /* latest result */
	bool is_sampled, has_jumped;
};

void can_rx_clock_init(struct can_rx_clock *c);
/* Both clocks, read right after a batch was received. */
void can_rx_clock_sample(struct can_rx_clock *c, int64_t real_us, int64_t monotonic_us);
/* Monotonic time of a stamp of the batch before the latest sample. */
int64_t can_rx_clock_convert(struct can_rx_clock *c, int64_t stamp_us);
/* A frame without a stamp: the time of the latest sample. */
int64_t can_rx_clock_arrival(struct can_rx_clock *c);

#endif
