/* SPDX-License-Identifier: MIT */
/*
 * A bus over UDP multicast, the sending half: what can_bus_open() gives, on top of can_bus_udp.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "lib/can/can_backends.h"
#include "lib/can/can_udp.h"

struct udp_tx {
	struct udp half; /* first, so that a pointer to it, or to its bus, is one to this */
	int fd;		 /* -1: none */
	struct mmsghdr msg[CAN_PORT_CHUNK];
	struct iovec iov[CAN_PORT_CHUNK];
	uint8_t buffer[CAN_PORT_CHUNK][CAN_UDP_WRITE_MAX];
};

static int transmit(struct can_port *p, const struct can_frame *f, size_t n)
{
	struct udp_tx *u = (struct udp_tx *)p;
	struct timespec t;
	int64_t now_us;
	size_t i;
	int rc;

	clock_gettime(CLOCK_REALTIME, &t);
	now_us = (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
	for (i = 0; i < n; i++)
		u->iov[i].iov_len = can_udp_encode(&f[i], now_us, u->buffer[i]);
	do {
		if (n == 1)
			rc = send(u->fd, u->buffer[0], u->iov[0].iov_len, MSG_DONTWAIT) < 0 ? -1 : 1;
		else
			rc = sendmmsg(u->fd, u->msg, (unsigned)n, MSG_DONTWAIT);
	} while (rc < 0 &&
		 (errno == EINTR || errno == ECONNREFUSED)); /* the latter: word of an earlier one */
	return rc < 0 ? -errno : rc;
}

static int iface_address(const struct udp *u, struct in_addr *address)
{
	const struct sockaddr_in *a;
	struct ifreq r;

	memset(&r, 0, sizeof(r));
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", u->iface);
	r.ifr_addr.sa_family = AF_INET;
	if (ioctl(u->rx_fd, SIOCGIFADDR, &r) != 0)
		return -errno;
	a = (const struct sockaddr_in *)(const void *)&r.ifr_addr;
	*address = a->sin_addr;
	return 0;
}

/* A fresh sending socket on this interface; the old one stays when it fails. */
static int open_tx(struct udp *half, int ifindex)
{
	struct udp_tx *u = (struct udp_tx *)half;
	struct sockaddr_in own;
	socklen_t len = sizeof(own);
	struct ip_mreqn m;
	int rc, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	memset(&m, 0, sizeof(m));
	m.imr_ifindex = ifindex;
	memset(&own, 0, sizeof(own));
	own.sin_family = AF_INET;
	rc = iface_address(half, &own.sin_addr);
	if (rc == 0)
		rc = can_udp_set_int(fd, SOL_SOCKET, SO_SNDBUF, CAN_PORT_SEND_BYTES);
	if (rc == 0)
		rc = can_udp_set_int(fd, IPPROTO_IP, IP_MULTICAST_TTL, half->ttl);
	if (rc == 0)
		rc = can_udp_set_int(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 1);
	if (rc == 0 && setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof(m)) != 0)
		rc = -errno;
	if (rc == 0 && (bind(fd, (const struct sockaddr *)&own, sizeof(own)) != 0 ||
			connect(fd, (const struct sockaddr *)&half->group, sizeof(half->group)) != 0 ||
			getsockname(fd, (struct sockaddr *)&own, &len) != 0))
		rc = -errno;
	if (rc) {
		close(fd);
		return rc;
	}
	if (u->fd >= 0)
		close(u->fd);
	u->fd = fd;
	half->own = own;
	return 0;
}

static void close_tx(struct udp *half)
{
	struct udp_tx *u = (struct udp_tx *)half;

	if (u->fd >= 0)
		close(u->fd);
}

static const struct can_port_ops port_ops = {
	.transmit = transmit,
	.link_error = can_udp_link_error,
	.retry = can_port_retry,
};

static const struct can_bus_ops ops = {
	.send = can_port_send,
	.send_many = can_port_send_many,
	.recv = can_udp_recv,
	.set_filters = can_udp_set_filters,
	.fd = can_udp_fd,
	.service = can_udp_service,
	.close = can_udp_close,
};

int can_udp_open(const struct can_url *url, struct can_bus **bus, char *err, size_t err_size)
{
	struct udp_tx *u = calloc(1, sizeof(*u));
	size_t i;
	int rc;

	if (!u) {
		snprintf(err, err_size, "out of memory");
		return -ENOMEM;
	}
	can_port_init(&u->half.port, &ops, &port_ops);
	u->half.open_tx = open_tx;
	u->half.close_tx = close_tx;
	u->fd = -1;
	for (i = 0; i < CAN_PORT_CHUNK; i++) {
		u->iov[i].iov_base = u->buffer[i];
		u->msg[i].msg_hdr.msg_iov = &u->iov[i];
		u->msg[i].msg_hdr.msg_iovlen = 1;
	}
	rc = can_udp_start(&u->half, url, err, err_size);
	if (rc == 0)
		*bus = &u->half.port.bus;
	return rc;
}
