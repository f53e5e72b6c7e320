/* SPDX-License-Identifier: MIT */
/*
 * Linux SocketCAN, the sending half: what can_bus_open() gives, on top of can_bus_socketcan.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <libsocketcan.h>
#include <linux/can/raw.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "lib/can/can_backends.h"
#include "lib/can/can_socketcan.h"

struct socketcan_tx {
	struct socketcan half; /* first, so that a pointer to it, or to its bus, is one to this */
	struct mmsghdr msg[CAN_PORT_CHUNK];
	struct iovec iov[CAN_PORT_CHUNK];
};

static int transmit(struct can_port *p, const struct can_frame *f, size_t n)
{
	struct socketcan_tx *s = (struct socketcan_tx *)p;
	size_t i;
	int rc;

	for (i = 0; i < n; i++)
		s->iov[i].iov_base = (void *)(uintptr_t)&f[i]; /* sendmmsg does not write to it */
	do {
		if (n == 1)
			rc = send(s->half.fd, f, sizeof(*f), MSG_DONTWAIT) < 0 ? -1 : 1;
		else
			rc = sendmmsg(s->half.fd, s->msg, (unsigned)n, MSG_DONTWAIT);
	} while (rc < 0 && errno == EINTR);
	return rc < 0 ? -errno : rc;
}

static int prepare(struct socketcan *s)
{
	const int send_bytes = CAN_PORT_SEND_BYTES, echo = s->has_echo;

	if (setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof(send_bytes)) != 0)
		return -errno;
	if (setsockopt(s->fd, SOL_CAN_RAW, CAN_RAW_RECV_OWN_MSGS, &echo, sizeof(echo)) != 0)
		return -errno;
	return 0;
}

static const struct can_port_ops port_ops = {
	.transmit = transmit,
	.link_error = can_socketcan_link_error,
	.retry = can_port_retry,
};

static const struct can_bus_ops ops = {
	.send = can_port_send,
	.send_many = can_port_send_many,
	.recv = can_socketcan_recv,
	.set_filters = can_socketcan_set_filters,
	.fd = can_socketcan_fd,
	.service = can_socketcan_service,
	.close = can_socketcan_close,
};

int can_socketcan_open(const struct can_url *url, struct can_bus **bus, char *err, size_t err_size)
{
	struct socketcan_tx *s = calloc(1, sizeof(*s));
	size_t i;
	int rc;

	if (!s) {
		snprintf(err, err_size, "out of memory");
		return -ENOMEM;
	}
	can_port_init(&s->half.port, &ops, &port_ops);
	s->half.prepare = prepare;
	s->half.restart = can_do_restart;
	for (i = 0; i < CAN_PORT_CHUNK; i++) {
		s->iov[i].iov_len = sizeof(struct can_frame);
		s->msg[i].msg_hdr.msg_iov = &s->iov[i];
		s->msg[i].msg_hdr.msg_iovlen = 1;
	}
	rc = can_socketcan_start(&s->half, url, err, err_size);
	if (rc)
		free(s);
	else
		*bus = &s->half.port.bus;
	return rc;
}
