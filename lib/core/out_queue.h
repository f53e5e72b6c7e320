/* SPDX-License-Identifier: MIT */
/*
 * What a pure machine wants done: a fixed-size queue of frames and requests, performed in order by whoever
 * runs the machine. Pure. Overflow loses the newest item and is counted, never silent.
 */
#ifndef CORE_OUT_QUEUE_H
#define CORE_OUT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/can.h>

#include <forecourt/power_module.h>
#include <forecourt/vehicle_hw.h>

enum out_kind {
	OUT_FRAME,    /* send a frame on bus `bus` */
	OUT_SETPOINT, /* hand a set point to the power stack */
	OUT_COMMAND,  /* hand a command to the vehicle hardware */
};

struct out_item {
	enum out_kind kind;
	uint8_t bus; /* 0: the charge controller's bus; 1..n: a driver's own */
	union {
		struct can_frame frame;
		struct pm_setpoint setpoint;
		struct vh_command command;
	} u;
};

/* Sixteen pistols in one tick send at most 16 x 4 frames of the interface and 16 x 4 reports to the site; the rest is headroom for drivers. */
#define OUT_QUEUE_LEN 256

struct out_queue {
	uint32_t n;	    /* items held, performed from 0 to n - 1 */
	uint32_t n_dropped; /* items that did not fit, since init */
	struct out_item item[OUT_QUEUE_LEN];
};

void out_queue_init(struct out_queue *q);
/* Forgets the items, keeps the drop count. */
void out_queue_clear(struct out_queue *q);
/* True when queued. */
bool out_queue_frame(struct out_queue *q, uint8_t bus, const struct can_frame *frame);
bool out_queue_setpoint(struct out_queue *q, const struct pm_setpoint *sp);
bool out_queue_command(struct out_queue *q, const struct vh_command *cmd);

#endif
