/* SPDX-License-Identifier: MIT */
/*
 * A CAN bus inside one process, in virtual time: up to 40 nodes, each a struct can_bus. Pure; all memory is
 * the caller's.
 *
 * Without a bit rate a frame is with its receivers at the instant it is sent, in the order of sending. With
 * one, frames take their time on the wire, the lowest identifier among those waiting wins, and each node
 * sends in order. A frame reaches every node but its sender whose filters let it pass.
 *
 * How a world runs it: at each instant call the machines; poll the nodes in can_hub_pending; when nobody has
 * anything left, advance to the earliest of the machines' deadlines and can_hub_next_us.
 *
 * Differences to a real bus, on purpose: no acknowledgement is needed (one node may talk alone); two nodes
 * that send the same identifier at once do not collide, the node added first wins; error frames that a node
 * sends go to all others at once and take no time.
 */
#ifndef CAN_CAN_BUS_VIRTUAL_H
#define CAN_CAN_BUS_VIRTUAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <forecourt/units.h>

#include "lib/can/can_bus.h"
#include "lib/can/can_frame_bits.h"

#define CAN_HUB_NODES	 40
#define CAN_HUB_RX_LEN	 256 /* frames waiting for one node; then the newest is lost and counted */
#define CAN_HUB_TX_LEN	 64  /* frames waiting for the bus, with a bit rate */
#define CAN_HUB_FAULTS	 32
#define CAN_HUB_DELAYED	 256 /* frames held back by faults, recoveries due */
#define CAN_HUB_ROUTES	 1024
#define CAN_FAULT_ALWAYS 1000000

enum can_fault_kind {
	CAN_FAULT_LOSE,
	CAN_FAULT_DELAY,     /* arrives delay_us later; frames after it may overtake */
	CAN_FAULT_DUPLICATE, /* arrives once more, delay_us later (0: right behind) */
	CAN_FAULT_REORDER,   /* swapped with the next frame that matches; after delay_us it goes alone */
	CAN_FAULT_CORRUPT,   /* bits of set_mask become those of set_value; mask all 0: a random bit flips */
};

/* A rule. Rules apply in the order they were added, each to what those before it have left. */
struct can_fault {
	enum can_fault_kind kind;
	canid_t id, mask; /* where (can_id & mask) == (id & mask), flags included; mask 0: every frame */
	uint64_t from;	  /* nodes that send it, bit n is node n; 0: any */
	/*
	 * Nodes that suffer; 0: all of them and the tap, as if it had happened at the sender. With nodes
	 * given, the tap and all others see the sound frame.
	 */
	uint64_t to;
	int64_t since_us, until_us; /* since <= now < until; until 0: for ever */
	uint32_t probability_ppm;   /* 0 never .. CAN_FAULT_ALWAYS */
	uint32_t max_hits;	    /* 0: any number */
	int64_t delay_us;
	uint8_t set_mask[8], set_value[8];
};

struct can_hub;

/* Sees every frame that made it onto the bus, when it is complete. Must not call into the hub. */
typedef void can_hub_tap_fn(void *ctx, int64_t time_us, unsigned sender, const struct can_frame *f);

struct can_hub_rx {
	struct can_frame frame;
	int64_t time_us;
};

/* Private below; here so that the caller can provide the memory. */

struct can_hub_tx {
	struct can_frame frame;
	int64_t since_us;
};

struct can_hub_node {
	struct can_bus bus; /* first, so that a pointer to it is one to this */
	struct can_hub *hub;
	unsigned idx;
	unsigned rx_head, rx_n, tx_head, tx_n;
	bool is_link_up, is_bus_off;
	int64_t recover_us; /* end of this bus-off; FC_NEVER: not by itself */
	size_t n_filters;
	struct can_hub_rx rx[CAN_HUB_RX_LEN];
	struct can_hub_tx tx[CAN_HUB_TX_LEN];
	struct can_filter filter[CAN_BUS_MAX_FILTERS];
};

/* Which nodes want an identifier; valid while generation is that of the hub. */
struct can_hub_route {
	canid_t id;
	uint32_t generation;
	uint64_t receivers;
};

struct can_hub_delayed {
	int64_t due_us;
	uint32_t seq; /* order among equal times */
	uint8_t sender;
	uint8_t next_fault; /* rules from here on still apply; CAN_HUB_RECOVER: end of a bus-off */
	uint8_t held_by;    /* reorder rule that releases it; CAN_HUB_FAULTS: none */
	uint64_t receivers;
	struct can_frame frame;
};

struct can_hub_fault {
	struct can_fault rule;
	bool is_used;
	uint32_t n_hits;
};

struct can_hub {
	int64_t now_us;
	int64_t due_us;	  /* next event of its own */
	uint64_t pending; /* nodes with frames waiting */
	uint64_t alive;	  /* nodes that take part: link up, not bus-off */
	uint64_t waiting; /* nodes with frames waiting for the bus */
	unsigned n_nodes, n_faults, n_delayed;
	uint32_t generation;
	uint32_t bitrate; /* 0: none */
	enum can_stuffing stuffing;
	int64_t free_ns;	 /* with a bit rate: the bus is busy until then */
	uint64_t busy_ns;	 /* with a bit rate: total time on the wire, interframe space included */
	uint64_t n_frames;	 /* that made it onto the bus */
	uint64_t n_delayed_lost; /* no room to hold them back */
	uint64_t random;
	uint32_t seq;
	can_hub_tap_fn *tap;
	void *tap_ctx;
	struct can_hub_fault fault[CAN_HUB_FAULTS];
	struct can_hub_delayed delayed[CAN_HUB_DELAYED]; /* heap, earliest first */
	struct can_hub_route route[CAN_HUB_ROUTES];
	struct can_hub_node node[CAN_HUB_NODES];
};

struct can_hub_cfg {
	uint32_t bitrate; /* bit/s; 0: frames take no time */
	enum can_stuffing stuffing;
	uint64_t seed; /* of the random numbers of faults */
};

void can_hub_init(struct can_hub *hub, const struct can_hub_cfg *cfg, int64_t now_us);
/*
 * Adds a node, link up, no filters. Its number (0, 1, ..), or -ENOSPC. Closing it takes the link down; the
 * hub keeps its place.
 */
int can_hub_add_node(struct can_hub *hub, struct can_bus **bus);
/* NULL: none. */
void can_hub_set_tap(struct can_hub *hub, can_hub_tap_fn *tap, void *ctx);

/* Nodes that have frames or edges to receive. */
static inline uint64_t can_hub_pending(const struct can_hub *hub)
{
	return hub->pending;
}

/* When something will happen by itself: a delivery, a recovery; FC_NEVER: nothing. */
static inline int64_t can_hub_next_us(const struct can_hub *hub)
{
	return hub->due_us;
}

/* Does all that is due up to now_us, each at its own time, and makes now_us the present. Never goes back. */
void can_hub_run(struct can_hub *hub, int64_t now_us);

static inline void can_hub_advance(struct can_hub *hub, int64_t now_us)
{
	if (now_us >= hub->due_us)
		can_hub_run(hub, now_us);
	else if (now_us > hub->now_us)
		hub->now_us = now_us;
}

/* Link of a node down or up: edges through its recv, sends fail with -ENETDOWN, waiting frames are lost. */
void can_hub_set_link(struct can_hub *hub, unsigned node, bool is_up);
/*
 * Bus-off of a node: it gets the error frame, its sends are lost, it receives nothing, until recover_us
 * (FC_NEVER: until can_hub_recover). No effect while the link is down or it is bus-off already.
 */
void can_hub_set_bus_off(struct can_hub *hub, unsigned node, int64_t recover_us);
void can_hub_recover(struct can_hub *hub, unsigned node);
/* Any error frame into one node's receive queue, for instance CAN_ERR_FLAG | CAN_ERR_CRTL with data. */
void can_hub_put_error(struct can_hub *hub, unsigned node, const struct can_frame *f);

/* A handle for the calls below, or -ENOSPC, or -EINVAL (probability, delay, reorder without a delay). */
int can_hub_add_fault(struct can_hub *hub, const struct can_fault *fault);
/* How many frames the rule has hit. */
uint32_t can_hub_fault_hits(const struct can_hub *hub, int handle);
/* Frames it holds back still arrive. */
void can_hub_remove_fault(struct can_hub *hub, int handle);
void can_hub_remove_faults(struct can_hub *hub);

#endif
