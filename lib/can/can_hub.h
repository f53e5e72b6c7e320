/* SPDX-License-Identifier: MIT */
/*
 * Between the three files of the virtual bus: nodes and delivery (can_bus_virtual.c), faults
 * (can_hub_fault.c), bit times and arbitration (can_hub_wire.c). Pure.
 */
#ifndef CAN_CAN_HUB_H
#define CAN_CAN_HUB_H

#include "lib/can/can_bus_virtual.h"

/* The tap as a receiver among the nodes. */
#define CAN_HUB_TAP	(1ull << 63)
#define CAN_HUB_RECOVER 255

_Static_assert(CAN_HUB_NODES < 63 && CAN_HUB_FAULTS < CAN_HUB_RECOVER, "bit masks and markers hold them");

/* A complete frame goes to whoever wants it, past the faults. */
void can_hub_deliver(struct can_hub *hub, unsigned sender, const struct can_frame *f);
/* Puts a frame into the queues of `receivers` (bit mask, CAN_HUB_TAP included). */
void can_hub_put(struct can_hub *hub, unsigned sender, const struct can_frame *f, uint64_t receivers);

/* Applies the rules from first_fault on, then can_hub_put. */
void can_hub_fault_pass(struct can_hub *hub, unsigned first_fault, unsigned sender, const struct can_frame *f,
			uint64_t receivers);
/* False where there is no room. */
bool can_hub_delay(struct can_hub *hub, const struct can_hub_delayed *d);
int64_t can_hub_delayed_due_us(const struct can_hub *hub);
/* The earliest one is due: does it. */
void can_hub_delayed_run(struct can_hub *hub);

/* Queues a frame for the bus; 0 or -ENOBUFS. */
int can_hub_wire_send(struct can_hub *hub, struct can_hub_node *node, const struct can_frame *f);
/* End of the frame that is on the wire now or next. */
int64_t can_hub_wire_due_us(const struct can_hub *hub);
/* That end has come: delivers the frame. */
void can_hub_wire_run(struct can_hub *hub);
/* The node is off the bus: its frames are lost, the one on the wire breaks off. Returns how many. */
unsigned can_hub_wire_clear(struct can_hub *hub, struct can_hub_node *node);

/* After any change of what is due. */
void can_hub_update_due(struct can_hub *hub);

#endif
