/* SPDX-License-Identifier: MIT */
/*
 * Sending with held frames: the transmit half of can_port.h.
 */
#include "lib/can/can_port.h"

#include <errno.h>

#include "lib/can/can_rx_batch.h"

static int hold_frame(struct can_port *p, const struct can_frame *f, int64_t now_us)
{
	if (p->hold.n == 0)
		p->retry_us = now_us + CAN_HOLD_RETRY_US;
	switch (can_hold_put(&p->hold, f, now_us)) {
	case CAN_HOLD_ADDED:
		return 0;
	case CAN_HOLD_REPLACED:
		p->bus.stats.n_tx_replaced++;
		return 0;
	case CAN_HOLD_FULL:
		break;
	}
	p->bus.stats.n_tx_failed++;
	return -ENOBUFS;
}

/* Hands over up to n frames; how many went, with what stopped it in *rc (0: nothing). */
static size_t transmit(struct can_port *p, const struct can_frame *f, size_t n, int *rc)
{
	size_t done = 0;

	*rc = 0;
	while (done < n) {
		*rc = p->ops->transmit(p, f + done, n - done < CAN_PORT_CHUNK ? n - done : CAN_PORT_CHUNK);
		if (*rc < 0)
			break;
		done += (size_t)*rc;
		*rc = 0;
	}
	p->bus.stats.n_tx += done;
	return done;
}

/* The frames may be held. Otherwise *rc is made what the caller of send is told. */
static bool is_transient(struct can_port *p, int *rc)
{
	int link_rc;

	if (*rc == -EAGAIN || *rc == -ENOBUFS)
		return true;
	link_rc = p->ops->link_error(*rc);
	if (link_rc) {
		can_port_mark_down(p, link_rc);
		*rc = link_rc;
	}
	return false;
}

int can_port_send_many(struct can_bus *b, const struct can_frame *f, size_t n)
{
	struct can_port *p = (struct can_port *)b;
	int64_t now_us;
	size_t i, done = 0;
	int rc = 0, one;

	for (i = 0; i < n && rc == 0; i++)
		if (f[i].can_dlc > CAN_MAX_DLEN)
			rc = -EINVAL;
	if (rc == 0)
		rc = p->down_rc;
	if (rc == 0 && p->hold.n == 0)
		done = transmit(p, f, n, &rc);
	if (done == n)
		return 0;
	if (rc && !is_transient(p, &rc)) {
		b->stats.n_tx_failed += n - done;
		return rc;
	}
	now_us = can_rx_batch_now_us();
	for (rc = 0; done < n; done++) { /* behind those that wait already */
		one = hold_frame(p, &f[done], now_us);
		if (rc == 0)
			rc = one;
	}
	return rc;
}

int can_port_send(struct can_bus *b, const struct can_frame *f)
{
	return can_port_send_many(b, f, 1);
}

void can_port_retry(struct can_port *p, int64_t now_us)
{
	size_t done;
	int rc;

	if (p->hold.n == 0 || now_us < p->retry_us)
		return;
	p->retry_us = now_us + CAN_HOLD_RETRY_US;
	p->bus.stats.n_tx_failed += can_hold_expire(&p->hold, now_us);
	done = transmit(p, p->hold.frame, p->hold.n, &rc);
	can_hold_pop(&p->hold, done);
	if (rc == 0 || is_transient(p, &rc) || p->hold.n == 0)
		return;
	/* The first one cannot be sent at all: drop it so that it does not block the others. */
	p->bus.stats.n_tx_failed++;
	can_hold_pop(&p->hold, 1);
}
