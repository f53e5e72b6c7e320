/* SPDX-License-Identifier: MIT */
/*
 * Between the two halves of the UDP bus: receiving (can_bus_udp.c) and sending (can_bus_udp_tx.c), which a
 * receive-only program does not link.
 */
#ifndef CAN_CAN_UDP_H
#define CAN_CAN_UDP_H

#include <netinet/in.h>

#include "lib/can/can_bus.h"
#include "lib/can/can_filter_set.h"
#include "lib/can/can_link.h"
#include "lib/can/can_port.h"
#include "lib/can/can_rx_batch.h"
#include "lib/can/can_udp_codec.h"
#include "lib/can/can_url.h"

/* Addresses of this host, for the loopback rule. */
#define CAN_UDP_MAX_LOCAL 32

struct udp {
	struct can_port port; /* first, so that a pointer to it, or to its bus, is one to this */
	int rx_fd;
	int ifindex; /* joined on */
	bool has_echo, is_loopback;
	uint8_t ttl;
	char iface[CAN_URL_IFACE_MAX];
	struct sockaddr_in group;
	struct sockaddr_in own; /* where our datagrams come from; zero: we send none */
	/* Of the sending half; NULL: receive only. */
	int (*open_tx)(struct udp *u, int ifindex); /* a fresh way out; the old one stays when it fails */
	void (*close_tx)(struct udp *u);
	struct in_addr local[CAN_UDP_MAX_LOCAL];
	unsigned n_local;
	int64_t local_us; /* when they were asked for */
	struct can_filter_set filters;
	struct can_rx_batch batch;
	uint8_t rx[CAN_RX_BATCH_LEN][CAN_UDP_READ_MAX];
};

/* Opens a zeroed record whose port is initialised and whose hooks are set; frees it on failure. */
int can_udp_start(struct udp *u, const struct can_url *url, char *err, size_t err_size);
int can_udp_link_error(int rc);
/* setsockopt of a number: 0 or a negative errno. */
int can_udp_set_int(int fd, int level, int name, int value);

int can_udp_recv(struct can_bus *b, struct can_frame *f, struct can_rx_info *info);
int can_udp_set_filters(struct can_bus *b, const struct can_filter *f, size_t n);
int can_udp_fd(const struct can_bus *b);
int64_t can_udp_service(struct can_bus *b, int64_t now_us);
/* Frees the record: it must be the first member of whatever was allocated. */
void can_udp_close(struct can_bus *b);

#endif
