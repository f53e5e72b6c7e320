/* SPDX-License-Identifier: MIT */
/*
 * Between the two halves of the SocketCAN bus: receiving (can_bus_socketcan.c) and sending
 * (can_bus_socketcan_tx.c), which a receive-only program does not link.
 */
#ifndef CAN_CAN_SOCKETCAN_H
#define CAN_CAN_SOCKETCAN_H

#include "lib/can/can_bus.h"
#include "lib/can/can_link.h"
#include "lib/can/can_port.h"
#include "lib/can/can_rx_batch.h"
#include "lib/can/can_url.h"

struct socketcan {
	struct can_port port; /* first, so that a pointer to it, or to its bus, is one to this */
	int fd;
	int ifindex; /* bound to; 0: to none */
	bool has_echo;
	/* Of the sending half; NULL: receive only. A listener leaves the controller alone. */
	int (*prepare)(struct socketcan *s);   /* options of the fresh socket; 0 or a negative errno */
	int (*restart)(const char *interface); /* a controller that is bus-off */
	char iface[CAN_URL_IFACE_MAX];
	struct can_controller controller;
	size_t n_filters;
	struct can_filter filter[CAN_BUS_MAX_FILTERS];
	struct can_rx_batch batch;
	struct can_frame rx[CAN_RX_BATCH_LEN];
};

/* Opens and binds the socket of a zeroed record whose port is initialised and whose hooks are set. */
int can_socketcan_start(struct socketcan *s, const struct can_url *url, char *err, size_t err_size);
int can_socketcan_link_error(int rc);

int can_socketcan_recv(struct can_bus *b, struct can_frame *f, struct can_rx_info *info);
int can_socketcan_set_filters(struct can_bus *b, const struct can_filter *f, size_t n);
int can_socketcan_fd(const struct can_bus *b);
int64_t can_socketcan_service(struct can_bus *b, int64_t now_us);
/* Frees the record: it must be the first member of whatever was allocated. */
void can_socketcan_close(struct can_bus *b);

#endif
