/* SPDX-License-Identifier: MIT */
/*
 * The bus in virtual time: nodes, routes, delivery. Pure.
 */
#include "lib/can/can_bus_virtual.h"

#include <errno.h>
#include <string.h>

#include "lib/can/can_filter_set.h"
#include "lib/can/can_hub.h"

_Static_assert((CAN_HUB_RX_LEN & (CAN_HUB_RX_LEN - 1)) == 0, "queue positions wrap by a bit mask");

static struct can_hub_node *node_of(struct can_bus *b)
{
	return (struct can_hub_node *)b;
}

static uint64_t bit_of(unsigned node)
{
	return (uint64_t)1 << node;
}

/* --- delivery ------------------------------------------------------------------------------------------- */

static void put_rx(struct can_hub *hub, struct can_hub_node *node, const struct can_frame *f)
{
	struct can_hub_rx *slot;

	if (node->rx_n == CAN_HUB_RX_LEN) {
		node->bus.stats.n_rx_dropped++;
		return;
	}
	slot = &node->rx[(node->rx_head + node->rx_n) & (CAN_HUB_RX_LEN - 1)];
	slot->frame = *f;
	slot->time_us = hub->now_us;
	node->rx_n++;
	hub->pending |= bit_of(node->idx);
}

void can_hub_put(struct can_hub *hub, unsigned sender, const struct can_frame *f, uint64_t receivers)
{
	uint64_t left = receivers & hub->alive;

	if (receivers & CAN_HUB_TAP) {
		hub->n_frames++;
		if (hub->tap)
			hub->tap(hub->tap_ctx, hub->now_us, sender, f);
	}
	for (; left; left &= left - 1)
		put_rx(hub, &hub->node[__builtin_ctzll(left)], f);
}

static bool node_wants(const struct can_hub_node *node, canid_t id)
{
	size_t i;

	if (id & CAN_ERR_FLAG)
		return (id & CAN_BUS_ERR_MASK) != 0;
	for (i = 0; i < node->n_filters; i++)
		if (can_filter_match(&node->filter[i], id))
			return true;
	return false;
}

static uint64_t find_receivers(const struct can_hub *hub, canid_t id)
{
	uint64_t receivers = 0;
	unsigned i;

	for (i = 0; i < hub->n_nodes; i++)
		if (node_wants(&hub->node[i], id))
			receivers |= bit_of(i);
	return receivers;
}

/* Direct-mapped: the filters of all nodes are tried once for each identifier after a change of any filter. */
static uint64_t receivers_of(struct can_hub *hub, canid_t id)
{
	struct can_hub_route *route = &hub->route[(id * 2654435769u) >> 22];

	if (route->id != id || route->generation != hub->generation) {
		route->id = id;
		route->generation = hub->generation;
		route->receivers = find_receivers(hub, id);
	}
	return route->receivers;
}

_Static_assert(CAN_HUB_ROUTES == 1 << 10, "the hash gives ten bits");

void can_hub_deliver(struct can_hub *hub, unsigned sender, const struct can_frame *f)
{
	uint64_t receivers = (receivers_of(hub, f->can_id) & ~bit_of(sender)) | CAN_HUB_TAP;

	if (hub->n_faults)
		can_hub_fault_pass(hub, 0, sender, f, receivers);
	else
		can_hub_put(hub, sender, f, receivers);
}

/* --- operations of a node ------------------------------------------------------------------------------- */

static int virtual_send(struct can_bus *b, const struct can_frame *f)
{
	struct can_hub_node *node = node_of(b);
	struct can_hub *hub = node->hub;

	if (f->can_dlc > CAN_MAX_DLEN) {
		b->stats.n_tx_failed++;
		return -EINVAL;
	}
	if (!(hub->alive & bit_of(node->idx))) {
		b->stats.n_tx_failed++;
		/* A controller in bus-off takes frames and loses them. */
		return node->is_link_up ? 0 : -ENETDOWN;
	}
	if (hub->bitrate && !(f->can_id & CAN_ERR_FLAG))
		return can_hub_wire_send(hub, node, f);
	b->stats.n_tx++;
	can_hub_deliver(hub, node->idx, f);
	return 0;
}

static int virtual_send_many(struct can_bus *b, const struct can_frame *f, size_t n)
{
	int rc = 0, one;
	size_t i;

	for (i = 0; i < n; i++) {
		one = virtual_send(b, &f[i]);
		if (rc == 0)
			rc = one;
	}
	return rc;
}

static int virtual_recv(struct can_bus *b, struct can_frame *f, struct can_rx_info *info)
{
	struct can_hub_node *node = node_of(b);
	const struct can_hub_rx *slot;

	if (node->rx_n == 0)
		return 0;
	slot = &node->rx[node->rx_head];
	*f = slot->frame;
	info->time_us = slot->time_us;
	info->n_dropped = (uint32_t)b->stats.n_rx_dropped;
	info->is_local = false;
	info->is_own = false;
	if (f->can_id & CAN_ERR_FLAG)
		b->stats.n_err++;
	else
		b->stats.n_rx++;
	node->rx_head = (node->rx_head + 1) & (CAN_HUB_RX_LEN - 1);
	if (--node->rx_n == 0) {
		node->rx_head = 0; /* a quiet node stays in the same few cache lines */
		node->hub->pending &= ~bit_of(node->idx);
	}
	return 1;
}

static int virtual_set_filters(struct can_bus *b, const struct can_filter *f, size_t n)
{
	struct can_hub_node *node = node_of(b);

	if (n > CAN_BUS_MAX_FILTERS)
		return -E2BIG;
	if (n > 0)
		memcpy(node->filter, f, n * sizeof(*f));
	node->n_filters = n;
	node->hub->generation++;
	return 0;
}

static int virtual_fd(const struct can_bus *b)
{
	(void)b;
	return -1;
}

static int64_t virtual_service(struct can_bus *b, int64_t now_us)
{
	(void)b;
	(void)now_us;
	return FC_NEVER;
}

static void virtual_close(struct can_bus *b)
{
	struct can_hub_node *node = node_of(b);

	virtual_set_filters(b, NULL, 0);
	can_hub_set_link(node->hub, node->idx, false);
	node->rx_n = 0;
	node->hub->pending &= ~bit_of(node->idx);
}

static const struct can_bus_ops virtual_ops = {
	.send = virtual_send,
	.send_many = virtual_send_many,
	.recv = virtual_recv,
	.set_filters = virtual_set_filters,
	.fd = virtual_fd,
	.service = virtual_service,
	.close = virtual_close,
};

/* --- the hub -------------------------------------------------------------------------------------------- */

void can_hub_init(struct can_hub *hub, const struct can_hub_cfg *cfg, int64_t now_us)
{
	/* Nodes are set up when they are added; clearing all their queues here would cost more than a
	 * session. */
	memset(hub, 0, offsetof(struct can_hub, node));
	hub->now_us = now_us;
	hub->due_us = FC_NEVER;
	hub->generation = 1;
	hub->bitrate = cfg->bitrate;
	hub->stuffing = cfg->stuffing;
	hub->random = cfg->seed ^ 0x9e3779b97f4a7c15u;
	if (hub->random == 0)
		hub->random = 1; /* the one state xorshift cannot leave */
	hub->free_ns = INT64_MIN;
}

int can_hub_add_node(struct can_hub *hub, struct can_bus **bus)
{
	struct can_hub_node *node;

	if (hub->n_nodes == CAN_HUB_NODES)
		return -ENOSPC;
	node = &hub->node[hub->n_nodes];
	memset(node, 0, offsetof(struct can_hub_node, rx));
	node->bus.ops = &virtual_ops;
	node->bus.stats.is_up = true;
	node->hub = hub;
	node->idx = hub->n_nodes;
	node->is_link_up = true;
	hub->alive |= bit_of(node->idx);
	hub->generation++;
	*bus = &node->bus;
	return (int)hub->n_nodes++;
}

void can_hub_set_tap(struct can_hub *hub, can_hub_tap_fn *tap, void *ctx)
{
	hub->tap = tap;
	hub->tap_ctx = ctx;
}

void can_hub_update_due(struct can_hub *hub)
{
	hub->due_us = fc_min_i64(can_hub_delayed_due_us(hub), can_hub_wire_due_us(hub));
}

void can_hub_run(struct can_hub *hub, int64_t now_us)
{
	while (hub->due_us <= now_us && hub->due_us != FC_NEVER) {
		if (hub->due_us > hub->now_us)
			hub->now_us = hub->due_us;
		if (can_hub_delayed_due_us(hub) == hub->due_us)
			can_hub_delayed_run(hub);
		else
			can_hub_wire_run(hub);
		can_hub_update_due(hub);
	}
	if (now_us > hub->now_us)
		hub->now_us = now_us;
}

static void put_edge(struct can_hub *hub, struct can_hub_node *node, canid_t id)
{
	struct can_frame f;

	memset(&f, 0, sizeof(f));
	f.can_id = id;
	f.can_dlc = CAN_ERR_DLC;
	put_rx(hub, node, &f);
}

/* Takes part in the bus or not; what waits to be sent is lost when it leaves. */
static void update_alive(struct can_hub *hub, struct can_hub_node *node)
{
	bool is_alive = node->is_link_up && !node->is_bus_off;
	bool was_alive = (hub->alive & bit_of(node->idx)) != 0;

	if (is_alive == was_alive)
		return;
	node->bus.stats.is_up = is_alive;
	if (is_alive) {
		hub->alive |= bit_of(node->idx);
	} else {
		hub->alive &= ~bit_of(node->idx);
		node->bus.stats.n_tx_failed += can_hub_wire_clear(hub, node);
		can_hub_update_due(hub);
	}
	put_edge(hub, node, is_alive ? CAN_BUS_UP_ID : CAN_BUS_DOWN_ID);
}

void can_hub_set_link(struct can_hub *hub, unsigned node, bool is_up)
{
	if (node >= hub->n_nodes)
		return;
	hub->node[node].is_link_up = is_up;
	if (!is_up)
		hub->node[node].is_bus_off = false; /* taking a link down and up resets its controller */
	update_alive(hub, &hub->node[node]);
}

void can_hub_set_bus_off(struct can_hub *hub, unsigned node, int64_t recover_us)
{
	struct can_hub_delayed d;

	if (node >= hub->n_nodes || !(hub->alive & bit_of(node)))
		return;
	hub->node[node].is_bus_off = true;
	hub->node[node].recover_us = recover_us;
	update_alive(hub, &hub->node[node]);
	if (recover_us == FC_NEVER)
		return;
	memset(&d, 0, sizeof(d));
	d.due_us = recover_us;
	d.sender = (uint8_t)node;
	d.next_fault = CAN_HUB_RECOVER;
	d.held_by = CAN_HUB_FAULTS;
	can_hub_delay(hub, &d);
	can_hub_update_due(hub);
}

void can_hub_recover(struct can_hub *hub, unsigned node)
{
	if (node >= hub->n_nodes)
		return;
	hub->node[node].is_bus_off = false;
	update_alive(hub, &hub->node[node]);
}

void can_hub_put_error(struct can_hub *hub, unsigned node, const struct can_frame *f)
{
	if (node < hub->n_nodes && f->can_id & CAN_ERR_FLAG)
		put_rx(hub, &hub->node[node], f);
}
