/* SPDX-License-Identifier: MIT */
/*
 * What the SocketCAN and the UDP bus have in common: sending with held frames, and a link that comes and
 * goes.
 */
#ifndef CAN_CAN_PORT_H
#define CAN_CAN_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/can/can_bus.h"
#include "lib/can/can_hold.h"
#include "lib/can/can_link.h"

/* Frames handed to the kernel in one call at most. */
#define CAN_PORT_CHUNK 64
/*
 * Send buffer asked for. The kernel doubles it and takes 768 bytes a CAN frame: 42 frames, some 10 ms at
 * 500 kbit/s. More would let set points of the past queue up in front of the present one.
 */
#define CAN_PORT_SEND_BYTES 16384

struct can_port;

struct can_port_ops {
	/*
	 * Sends the first of n frames (n <= CAN_PORT_CHUNK): how many, at least 1, or a negative errno.
	 * NULL on a receive-only bus.
	 */
	int (*transmit)(struct can_port *p, const struct can_frame *f, size_t n);
	/*
	 * What an errno of transmit or recv (negative) says of the link: 0 nothing, else -ENETDOWN or
	 * -ENODEV.
	 */
	int (*link_error)(int rc);
	/*
	 * can_port_retry, or NULL on a receive-only bus: so the receiving half does not link the sending
	 * one.
	 */
	void (*retry)(struct can_port *p, int64_t now_us);
};

struct can_port {
	struct can_bus bus; /* first, so that a pointer to it is one to this */
	const struct can_port_ops *ops;
	int down_rc;	  /* 0: link is up; else -ENETDOWN or -ENODEV */
	int64_t check_us; /* when to look at the link */
	int64_t retry_us; /* when to retry held frames */
	struct can_edges edges;
	struct can_hold hold;
};

/* The rest is zeroed by the caller; the link counts as up. */
void can_port_init(struct can_port *p, const struct can_bus_ops *bus_ops, const struct can_port_ops *ops);
int can_port_send(struct can_bus *b, const struct can_frame *f);
int can_port_send_many(struct can_bus *b, const struct can_frame *f, size_t n);
/* Retries held frames when it is time; can_port_tx.c, like the two above. */
void can_port_retry(struct can_port *p, int64_t now_us);
/* When can_port_retry has something to do; FC_NEVER: nothing is held. */
int64_t can_port_retry_us(const struct can_port *p);
/*
 * The link went down (-ENETDOWN) or away (-ENODEV): reports it once, drops what is held: it would be stale.
 */
void can_port_mark_down(struct can_port *p, int rc);
void can_port_mark_up(struct can_port *p);
/* True with an edge not yet reported. */
bool can_port_take_edge(struct can_port *p, struct can_frame *f, struct can_rx_info *info);
/* The send operations of a receive-only bus: -EPERM. */
int can_port_refuse(struct can_bus *b, const struct can_frame *f);
int can_port_refuse_many(struct can_bus *b, const struct can_frame *f, size_t n);

#endif
