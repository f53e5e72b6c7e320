/* SPDX-License-Identifier: MIT */
/*
 * Datagrams of a socket in batches: one recvmmsg fills a ring, then frames are handed out without a system
 * call, with the kernel's time stamp and drop counter. Shared by the SocketCAN and the UDP bus.
 */
#ifndef CAN_CAN_RX_BATCH_H
#define CAN_CAN_RX_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/can/can_rx_clock.h"

#define CAN_RX_BATCH_LEN 64

/* Space for the ancillary data of one datagram: the stamp and the drop counter. */
struct can_rx_control {
	_Alignas(size_t) char bytes[CMSG_SPACE(sizeof(struct timespec)) + CMSG_SPACE(sizeof(uint32_t))];
};

struct can_rx_batch {
	int fd;
	unsigned n, next;   /* filled slots, next one to hand out */
	bool is_drained;    /* the last fill left the socket empty */
	uint32_t n_dropped; /* by the kernel, since the socket was opened */
	struct can_rx_clock clock;
	struct mmsghdr msg[CAN_RX_BATCH_LEN];
	struct iovec iov[CAN_RX_BATCH_LEN];
	struct sockaddr_in from[CAN_RX_BATCH_LEN];
	struct can_rx_control control[CAN_RX_BATCH_LEN];
};

struct can_rx_slot {
	const uint8_t *data; /* valid until the next call */
	size_t len;
	int flags; /* MSG_DONTROUTE, MSG_CONFIRM (CAN), MSG_TRUNC */
	int64_t time_us;
	const struct sockaddr_in *from; /* UDP only */
};

/* Turns on stamps and drop counter of fd and asks for a large receive buffer; 0 or a negative errno. */
int can_rx_batch_prepare(int fd);
/* buffer: CAN_RX_BATCH_LEN slots of slot_size bytes, kept by the caller. */
void can_rx_batch_init(struct can_rx_batch *b, int fd, void *buffer, size_t slot_size);
/* 1 got one, 0 empty for now, or a negative errno. */
int can_rx_batch_next(struct can_rx_batch *b, struct can_rx_slot *slot);

/* The monotonic clock in microseconds. */
int64_t can_rx_batch_now_us(void);

#endif
