/* SPDX-License-Identifier: MIT */
/*
 * What the kernel knows of a network interface: is it there and up; and of a CAN controller behind it: its
 * state, and a restart after bus-off. Never configures a link. Also the two edges a bus reports of it.
 */
#ifndef CAN_CAN_LINK_H
#define CAN_CAN_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/can.h>
#include <net/if.h>

/* How often a vanished interface is looked for. */
#define CAN_LINK_CHECK_US 200000

/* 0 with the index (0: no such interface) and whether it is up; needs any socket. */
void can_link_read(int fd, const char *name, int *ifindex, bool *is_up);

/* Edges not yet reported through recv, at most one of each, the down edge first. */
struct can_edges {
	bool has_down, has_up;
};

void can_edges_down(struct can_edges *e);
void can_edges_up(struct can_edges *e);
/* True with the next edge as an error frame. */
bool can_edges_take(struct can_edges *e, struct can_frame *f);

/*
 * The controller. Real ones have a state; vcan, slcan and vxcan have none, then has_state is false and
 * nothing more is asked. While bus-off, next_us is when to look again.
 */
struct can_controller {
	char name[IFNAMSIZ];
	bool has_state;
	bool is_bus_off;
	uint32_t restart_ms; /* of the kernel's own restart; 0: it has none */
	int64_t backoff_us, next_us;
	int (*restart)(const char *name); /* NULL: never restarted by us */
};

/* Reads state and restart time; quiet where there are none. restart: libsocketcan's, or NULL to look only. */
void can_controller_open(struct can_controller *c, const char *name, int (*restart)(const char *name),
			 int64_t now_us);
/* A bus-off was reported. */
void can_controller_bus_off(struct can_controller *c, int64_t now_us);
/* The controller was restarted, by whomever. */
void can_controller_restarted(struct can_controller *c);
/*
 * When next_us has come: reads the state; still bus-off and without the kernel's own restart: restarts it
 * (needs CAP_NET_ADMIN, without it only looks), again after 1, 2, 4 .. 30 s. True when it is found active
 * again.
 */
bool can_controller_service(struct can_controller *c, int64_t now_us);

#endif
