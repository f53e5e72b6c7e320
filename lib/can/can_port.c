/* SPDX-License-Identifier: MIT */
/*
 * Sending with held frames, and a link that comes and goes.
 */
#include "lib/can/can_port.h"

#include <errno.h>

#include <forecourt/units.h>

#include "lib/can/can_rx_batch.h"

void can_port_init(struct can_port *p, const struct can_bus_ops *bus_ops, const struct can_port_ops *ops)
{
	p->bus.ops = bus_ops;
	p->bus.stats.is_up = true;
	p->ops = ops;
	p->down_rc = 0;
	p->check_us = FC_NEVER;
	p->retry_us = FC_NEVER;
	can_hold_init(&p->hold);
}

void can_port_mark_down(struct can_port *p, int rc)
{
	bool was_up = p->down_rc == 0;

	if (was_up || rc == -ENODEV)
		p->down_rc = rc;
	if (!was_up)
		return;
	p->bus.stats.is_up = false;
	p->bus.stats.n_tx_failed += p->hold.n;
	can_hold_init(&p->hold);
	can_edges_down(&p->edges);
	/* Not at once: whoever watches is_up shall see the pause, however short it was. */
	p->check_us = can_rx_batch_now_us() + CAN_LINK_CHECK_US;
}

void can_port_mark_up(struct can_port *p)
{
	if (p->down_rc == 0)
		return;
	p->down_rc = 0;
	p->bus.stats.is_up = true;
	can_edges_up(&p->edges);
}

bool can_port_take_edge(struct can_port *p, struct can_frame *f, struct can_rx_info *info)
{
	if (!can_edges_take(&p->edges, f))
		return false;
	info->time_us = can_rx_batch_now_us();
	info->n_dropped = (uint32_t)p->bus.stats.n_rx_dropped;
	info->is_local = true;
	info->is_own = false;
	p->bus.stats.n_err++;
	return true;
}

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

int64_t can_port_retry_us(const struct can_port *p)
{
	return p->hold.n > 0 ? p->retry_us : FC_NEVER;
}
