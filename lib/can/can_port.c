/* SPDX-License-Identifier: MIT */
/*
 * A link that comes and goes. Sending is in can_port_tx.c, which a receive-only program does not link.
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

int64_t can_port_retry_us(const struct can_port *p)
{
	return p->hold.n > 0 ? p->retry_us : FC_NEVER;
}

int can_port_refuse(struct can_bus *b, const struct can_frame *f)
{
	(void)b;
	(void)f;
	return -EPERM;
}

int can_port_refuse_many(struct can_bus *b, const struct can_frame *f, size_t n)
{
	(void)b;
	(void)f;
	(void)n;
	return -EPERM;
}
