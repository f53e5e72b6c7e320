/* SPDX-License-Identifier: MIT */
/*
 * A bus over UDP multicast, for machines without kernel CAN and without any right. One socket receives (bound
 * to the group, joined on one interface); this is that half. can_bus_udp_tx.c adds another one that sends from
 * a port of its own, by which we know our own datagrams.
 */
#include "lib/can/can_udp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <forecourt/units.h>

#include "lib/can/can_backends.h"

/* A socket learns nothing of its interface by itself: looked at once a second, not on the loopback. */
#define WATCH_US 1000000

static struct udp *self_of(struct can_bus *b)
{
	return (struct udp *)b;
}

int can_udp_link_error(int rc)
{
	switch (-rc) {
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTUNREACH:
	case EADDRNOTAVAIL:
		return -ENETDOWN;
	case ENODEV:
	case ENXIO:
		return -ENODEV;
	default:
		return 0;
	}
}

static void ask_local(struct udp *u)
{
	struct ifreq list[CAN_UDP_MAX_LOCAL];
	struct ifconf conf = {.ifc_len = sizeof(list)};
	unsigned i;

	conf.ifc_req = list;
	u->n_local = 0;
	memset(list, 0, sizeof(list));
	if (ioctl(u->rx_fd, SIOCGIFCONF, &conf) != 0)
		return;
	for (i = 0; i < (unsigned)conf.ifc_len / sizeof(list[0]); i++)
		u->local[u->n_local++] =
			((const struct sockaddr_in *)(const void *)&list[i].ifr_addr)->sin_addr;
}

/*
 * A program that does not choose an interface, python-can for one, sends to the group where its route leads; the
 * kernel loops that back to us. On the loopback bus such a datagram counts when it comes from this host.
 */
static bool is_from_here(struct udp *u, struct in_addr from, int64_t now_us)
{
	unsigned i;

	/* No address at all: the route leads to an interface without one of its own; none comes from the wire so. */
	if (ntohl(from.s_addr) >> 24 == IN_LOOPBACKNET || from.s_addr == htonl(INADDR_ANY))
		return true;
	for (i = 0; i < u->n_local; i++) {
		if (u->local[i].s_addr == from.s_addr)
			return true;
	}
	if (now_us - u->local_us >= WATCH_US) { /* an address may be new */
		u->local_us = now_us;
		ask_local(u);
		for (i = 0; i < u->n_local; i++) {
			if (u->local[i].s_addr == from.s_addr)
				return true;
		}
	}
	return false;
}

/* True when the slot holds a frame for us. */
static bool read_slot(struct udp *u, const struct can_rx_slot *slot, struct can_frame *f,
		      struct can_rx_info *info)
{
	info->time_us = slot->time_us;
	info->n_dropped = u->batch.n_dropped;
	u->port.bus.stats.n_rx_dropped = u->batch.n_dropped;
	info->is_own = slot->from->sin_port == u->own.sin_port &&
		       slot->from->sin_addr.s_addr == u->own.sin_addr.s_addr;
	if (info->is_own && !u->has_echo)
		return false;
	info->is_local = u->is_loopback || slot->from->sin_addr.s_addr == u->own.sin_addr.s_addr;
	if (u->is_loopback && !is_from_here(u, slot->from->sin_addr, slot->time_us)) {
		u->port.bus.stats.n_rx_bad++;
		return false;
	}
	if (slot->flags & MSG_TRUNC || can_udp_decode(slot->data, slot->len, f) != 0) {
		u->port.bus.stats.n_rx_bad++;
		return false;
	}
	if (!can_filter_set_match(&u->filters, f->can_id))
		return false;
	if (f->can_id & CAN_ERR_FLAG)
		u->port.bus.stats.n_err++;
	else
		u->port.bus.stats.n_rx++;
	return true;
}

int can_udp_recv(struct can_bus *b, struct can_frame *f, struct can_rx_info *info)
{
	struct udp *u = self_of(b);
	struct can_rx_slot slot;
	int rc;

	if (can_port_take_edge(&u->port, f, info))
		return 1;
	while ((rc = can_rx_batch_next(&u->batch, &slot)) > 0)
		if (read_slot(u, &slot, f, info))
			return 1;
	if (rc == 0 || can_udp_link_error(rc) == 0)
		return rc;
	can_port_mark_down(&u->port, can_udp_link_error(rc));
	return can_port_take_edge(&u->port, f, info);
}

int can_udp_set_filters(struct can_bus *b, const struct can_filter *f, size_t n)
{
	return can_filter_set_put(&self_of(b)->filters, f, n);
}

int can_udp_fd(const struct can_bus *b)
{
	return ((const struct udp *)b)->rx_fd;
}

/* --- opening -------------------------------------------------------------------------------------------- */

int can_udp_set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) == 0 ? 0 : -errno;
}

/* Member of the group on this interface. */
static int join(struct udp *u, int ifindex)
{
	struct ip_mreqn m;

	memset(&m, 0, sizeof(m));
	m.imr_multiaddr = u->group.sin_addr;
	m.imr_ifindex = u->ifindex;
	if (u->ifindex != 0)
		setsockopt(u->rx_fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, &m,
			   sizeof(m)); /* gone with the old one */
	m.imr_ifindex = ifindex;
	if (setsockopt(u->rx_fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)) != 0 && errno != EADDRINUSE)
		return -errno;
	u->ifindex = ifindex;
	return 0;
}

static int open_rx(struct udp *u)
{
	int rc;

	u->rx_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (u->rx_fd < 0)
		return -errno;
	rc = can_udp_set_int(u->rx_fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (rc == 0)
		rc = can_udp_set_int(u->rx_fd, SOL_SOCKET, SO_REUSEPORT, 1);
	/* The loopback bus also hears what others on this host loop back through another interface (is_from_here). */
	if (rc == 0)
		rc = can_udp_set_int(u->rx_fd, IPPROTO_IP, IP_MULTICAST_ALL, u->is_loopback);
	if (rc == 0)
		rc = can_rx_batch_prepare(u->rx_fd);
	/* Bound to the group: datagrams to the host's own addresses do not get in. */
	if (rc == 0 && bind(u->rx_fd, (const struct sockaddr *)&u->group, sizeof(u->group)) != 0)
		rc = -errno;
	return rc;
}

/* Joins, and opens the way out if there is one, on the interface as it is now. */
static int attach(struct udp *u, int ifindex)
{
	int rc = ifindex == u->ifindex ? 0 : join(u, ifindex);

	return rc || !u->open_tx ? rc : u->open_tx(u, ifindex);
}

static void look_at_link(struct udp *u, int64_t now_us)
{
	int ifindex;
	bool is_up;

	can_link_read(u->rx_fd, u->iface, &ifindex, &is_up);
	if (!is_up || ifindex != u->ifindex)
		can_port_mark_down(&u->port, ifindex == 0 ? -ENODEV : -ENETDOWN);
	if (u->port.down_rc && is_up && attach(u, ifindex) == 0)
		can_port_mark_up(&u->port);
	if (u->port.down_rc)
		u->port.check_us = now_us + CAN_LINK_CHECK_US;
	else
		u->port.check_us = u->is_loopback ? FC_NEVER : now_us + WATCH_US;
}

int64_t can_udp_service(struct can_bus *b, int64_t now_us)
{
	struct udp *u = self_of(b);

	if (u->port.ops->retry)
		u->port.ops->retry(&u->port, now_us);
	if (now_us >= u->port.check_us)
		look_at_link(u, now_us);
	return fc_min_i64(u->port.check_us, can_port_retry_us(&u->port));
}

void can_udp_close(struct can_bus *b)
{
	struct udp *u = self_of(b);

	if (u->rx_fd >= 0)
		close(u->rx_fd);
	if (u->close_tx)
		u->close_tx(u);
	free(u);
}

static int open_link(struct udp *u, char *err, size_t err_size)
{
	int ifindex, rc;
	bool is_up;

	can_link_read(u->rx_fd, u->iface, &ifindex, &is_up);
	if (ifindex == 0) {
		snprintf(err, err_size, "network interface %s does not exist", u->iface);
		return -ENODEV;
	}
	if (!is_up) {
		snprintf(err, err_size, "network interface %s is down", u->iface);
		return -ENETDOWN;
	}
	rc = attach(u, ifindex);
	if (rc == -EADDRNOTAVAIL)
		snprintf(err, err_size, "network interface %s has no IPv4 address", u->iface);
	else if (rc)
		snprintf(err, err_size, "no multicast on %s: %s", u->iface, strerror(-rc));
	return rc;
}

int can_udp_start(struct udp *u, const struct can_url *url, char *err, size_t err_size)
{
	int rc;

	u->port.check_us = 0;
	u->local_us = -WATCH_US;
	u->has_echo = url->has_echo;
	u->ttl = url->ttl;
	u->is_loopback = strcmp(url->iface, "lo") == 0;
	snprintf(u->iface, sizeof(u->iface), "%s", url->iface);
	u->group.sin_family = AF_INET;
	u->group.sin_port = htons(url->port);
	u->group.sin_addr.s_addr = htonl(url->group);
	can_filter_set_init(&u->filters);
	rc = open_rx(u);
	if (rc)
		snprintf(err, err_size, "no UDP socket on port %u: %s", url->port, strerror(-rc));
	else
		rc = open_link(u, err, err_size);
	if (rc) {
		can_udp_close(&u->port.bus);
		return rc;
	}
	can_rx_batch_init(&u->batch, u->rx_fd, u->rx, sizeof(u->rx[0]));
	return 0;
}

static const struct can_bus_ops rx_ops = {
	.send = can_port_refuse,
	.send_many = can_port_refuse_many,
	.recv = can_udp_recv,
	.set_filters = can_udp_set_filters,
	.fd = can_udp_fd,
	.service = can_udp_service,
	.close = can_udp_close,
};

static const struct can_port_ops rx_port_ops = {.link_error = can_udp_link_error};

int can_udp_open_rx(const struct can_url *url, struct can_bus **bus, char *err, size_t err_size)
{
	struct udp *u = calloc(1, sizeof(*u));
	int rc;

	if (!u) {
		snprintf(err, err_size, "out of memory");
		return -ENOMEM;
	}
	can_port_init(&u->port, &rx_ops, &rx_port_ops);
	rc = can_udp_start(u, url, err, err_size);
	if (rc == 0)
		*bus = &u->port.bus;
	return rc;
}
