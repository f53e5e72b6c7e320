/* SPDX-License-Identifier: MIT */
/*
 * The virtual bus with a bit rate: how long frames take and who wins. Pure.
 *
 * Each node has a queue in order of sending and offers its first frame. When the bus is free, the offered
 * frame of the lowest rank starts; all nodes that offer one at that instant compete, whatever the order of
 * their calls. So the winner is not fixed at the call but worked out from the times in the queues.
 */
#include <errno.h>

#include "lib/can/can_hub.h"

#define NS_PER_S 1000000000u

static int64_t bits_to_ns(const struct can_hub *hub, unsigned n_bits)
{
	return (int64_t)((uint64_t)n_bits * NS_PER_S / hub->bitrate);
}

/* The node whose frame is on the wire, or will be next, and when that starts. False: none waits. */
static bool find_winner(const struct can_hub *hub, unsigned *winner, int64_t *start_ns)
{
	const struct can_hub_node *n;
	uint64_t left;
	int64_t first_us = FC_NEVER;
	uint32_t rank, best = UINT32_MAX;

	if (!hub->waiting)
		return false;
	for (left = hub->waiting; left; left &= left - 1) {
		n = &hub->node[__builtin_ctzll(left)];
		first_us = fc_min_i64(first_us, n->tx[n->tx_head].since_us);
	}
	*start_ns = first_us * 1000 > hub->free_ns ? first_us * 1000 : hub->free_ns;
	for (left = hub->waiting; left; left &= left - 1) {
		n = &hub->node[__builtin_ctzll(left)];
		rank = can_frame_rank(n->tx[n->tx_head].frame.can_id);
		if (n->tx[n->tx_head].since_us * 1000 <= *start_ns && rank < best) {
			best = rank;
			*winner = n->idx;
		}
	}
	return true;
}

static int64_t end_ns(const struct can_hub *hub, unsigned winner, int64_t start_ns)
{
	const struct can_hub_node *n = &hub->node[winner];

	return start_ns + bits_to_ns(hub, can_frame_bits(&n->tx[n->tx_head].frame, hub->stuffing));
}

int64_t can_hub_wire_due_us(const struct can_hub *hub)
{
	unsigned winner = 0;
	int64_t start_ns;

	if (!find_winner(hub, &winner, &start_ns))
		return FC_NEVER;
	return (end_ns(hub, winner, start_ns) + 999) / 1000;
}

static void pop_tx(struct can_hub *hub, struct can_hub_node *node)
{
	node->tx_head = (node->tx_head + 1) % CAN_HUB_TX_LEN;
	node->tx_n--;
	if (node->tx_n == 0)
		hub->waiting &= ~((uint64_t)1 << node->idx);
}

void can_hub_wire_run(struct can_hub *hub)
{
	struct can_hub_node *node;
	struct can_frame f;
	unsigned winner = 0;
	int64_t start_ns;

	if (!find_winner(hub, &winner, &start_ns))
		return;
	node = &hub->node[winner];
	f = node->tx[node->tx_head].frame;
	hub->free_ns = end_ns(hub, winner, start_ns) + bits_to_ns(hub, CAN_INTERFRAME_BITS);
	hub->busy_ns += (uint64_t)(hub->free_ns - start_ns);
	pop_tx(hub, node);
	node->bus.stats.n_tx++;
	can_hub_deliver(hub, node->idx, &f);
}

/* A frame of this identifier that waits and is not on the wire takes the new content: nothing stale goes out.
 */
static bool replace_waiting(struct can_hub_node *node, const struct can_frame *f)
{
	struct can_hub_tx *slot;
	unsigned i;

	for (i = 1; i < node->tx_n; i++) {
		slot = &node->tx[(node->tx_head + i) % CAN_HUB_TX_LEN];
		if (slot->frame.can_id != f->can_id)
			continue;
		slot->frame = *f;
		node->bus.stats.n_tx_replaced++;
		return true;
	}
	return false;
}

int can_hub_wire_send(struct can_hub *hub, struct can_hub_node *node, const struct can_frame *f)
{
	struct can_hub_tx *slot;

	if (node->tx_n == CAN_HUB_TX_LEN) {
		if (replace_waiting(node, f))
			return 0;
		node->bus.stats.n_tx_failed++;
		return -ENOBUFS;
	}
	slot = &node->tx[(node->tx_head + node->tx_n) % CAN_HUB_TX_LEN];
	slot->frame = *f;
	slot->since_us = hub->now_us;
	node->tx_n++;
	hub->waiting |= (uint64_t)1 << node->idx;
	can_hub_update_due(hub);
	return 0;
}

unsigned can_hub_wire_clear(struct can_hub *hub, struct can_hub_node *node)
{
	unsigned winner = 0, n = node->tx_n;
	int64_t start_ns;

	if (find_winner(hub, &winner, &start_ns) && winner == node->idx && start_ns < hub->now_us * 1000) {
		hub->busy_ns += (uint64_t)(hub->now_us * 1000 - start_ns);
		hub->free_ns = hub->now_us * 1000;
	}
	node->tx_head = 0;
	node->tx_n = 0;
	hub->waiting &= ~((uint64_t)1 << node->idx);
	return n;
}
