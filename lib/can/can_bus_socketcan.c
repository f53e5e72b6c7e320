/* SPDX-License-Identifier: MIT */
/*
 * Linux SocketCAN: one CAN_RAW socket with filters in the kernel. The same socket serves for the life of the
 * bus: when its interface vanishes it is bound again to the one that later has the name, so that epoll need
 * not know. This is the receiving half; can_bus_socketcan_tx.c adds sending.
 */
#include "lib/can/can_socketcan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/can/raw.h>
#include <sys/socket.h>

#include <forecourt/units.h>

#include "lib/can/can_backends.h"

static struct socketcan *self_of(struct can_bus *b)
{
	return (struct socketcan *)b;
}

int can_socketcan_link_error(int rc)
{
	if (rc == -ENODEV || rc == -ENXIO) /* ENXIO: sending on a socket bound to no interface */
		return -ENODEV;
	return rc == -ENETDOWN ? -ENETDOWN : 0;
}

/* Filters and error classes: kept by the kernel while bound, lost when the interface is removed. */
static int apply_filters(struct socketcan *s)
{
	const can_err_mask_t classes = CAN_BUS_ERR_MASK;

	if (setsockopt(s->fd, SOL_CAN_RAW, CAN_RAW_FILTER, s->n_filters ? s->filter : NULL,
		       (socklen_t)(s->n_filters * sizeof(s->filter[0]))) != 0)
		return -errno;
	if (setsockopt(s->fd, SOL_CAN_RAW, CAN_RAW_ERR_FILTER, &classes, sizeof(classes)) != 0)
		return -errno;
	return 0;
}

static int bind_to(struct socketcan *s, int ifindex)
{
	struct sockaddr_can a;
	int rc;

	/* Filters first: a bound socket must never have the kernel's default, which is to receive everything.
	 */
	rc = apply_filters(s);
	if (rc)
		return rc;
	memset(&a, 0, sizeof(a));
	a.can_family = AF_CAN;
	a.can_ifindex = ifindex;
	if (bind(s->fd, (const struct sockaddr *)&a, sizeof(a)) != 0)
		return -errno;
	s->ifindex = ifindex;
	return 0;
}

/* The interface went down, or away, as rc says. */
static void mark_down(struct socketcan *s, int rc)
{
	if (rc == -ENODEV)
		s->ifindex = 0;
	can_controller_restarted(&s->controller);
	can_port_mark_down(&s->port, rc);
}

/* Found bus-off by asking; its error frame came before we listened. */
static void report_bus_off(struct socketcan *s)
{
	s->port.bus.stats.is_up = false;
	can_edges_down(&s->port.edges);
}

static void note_error_frame(struct socketcan *s, const struct can_frame *f)
{
	s->port.bus.stats.n_err++;
	if (f->can_id & CAN_ERR_BUSOFF) {
		s->port.bus.stats.is_up = false;
		can_controller_bus_off(&s->controller, can_rx_batch_now_us());
	} else if (f->can_id & CAN_ERR_RESTARTED) {
		s->port.bus.stats.is_up = true;
		can_controller_restarted(&s->controller);
	}
}

/* True when the slot holds a frame. */
static bool read_slot(struct socketcan *s, const struct can_rx_slot *slot, struct can_frame *f,
		      struct can_rx_info *info)
{
	if (slot->len != sizeof(*f)) {
		s->port.bus.stats.n_rx_bad++;
		return false;
	}
	memcpy(f, slot->data, sizeof(*f));
	if (f->can_dlc > CAN_MAX_DLEN) {
		s->port.bus.stats.n_rx_bad++;
		return false;
	}
	info->time_us = slot->time_us;
	info->n_dropped = s->batch.n_dropped;
	info->is_local = (slot->flags & MSG_DONTROUTE) != 0;
	info->is_own = (slot->flags & MSG_CONFIRM) != 0;
	s->port.bus.stats.n_rx_dropped = s->batch.n_dropped;
	if (f->can_id & CAN_ERR_FLAG) {
		note_error_frame(s, f);
		return true;
	}
	s->port.bus.stats.n_rx++;
	if (!info->is_local && !s->controller.is_bus_off)
		s->port.bus.stats.is_up = s->port.down_rc == 0; /* a foreign frame: the bus works */
	return true;
}

int can_socketcan_recv(struct can_bus *b, struct can_frame *f, struct can_rx_info *info)
{
	struct socketcan *s = self_of(b);
	struct can_rx_slot slot;
	int rc;

	if (can_port_take_edge(&s->port, f, info))
		return 1;
	while ((rc = can_rx_batch_next(&s->batch, &slot)) > 0)
		if (read_slot(s, &slot, f, info))
			return 1;
	if (rc == 0 || can_socketcan_link_error(rc) == 0)
		return rc;
	mark_down(s, can_socketcan_link_error(rc));
	return can_port_take_edge(&s->port, f, info);
}

int can_socketcan_set_filters(struct can_bus *b, const struct can_filter *f, size_t n)
{
	struct socketcan *s = self_of(b);

	if (n > CAN_BUS_MAX_FILTERS)
		return -E2BIG;
	if (n > 0)
		memcpy(s->filter, f, n * sizeof(*f));
	s->n_filters = n;
	return apply_filters(s);
}

int can_socketcan_fd(const struct can_bus *b)
{
	return ((const struct socketcan *)b)->fd;
}

static void look_for_link(struct socketcan *s, int64_t now_us)
{
	int ifindex, pending = 0;
	socklen_t len = sizeof(pending);
	bool is_up;

	if (now_us < s->port.check_us)
		return;
	s->port.check_us = now_us + CAN_LINK_CHECK_US;
	/* Errors of the past must not be taken for a new down edge later. */
	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &pending, &len) == 0 &&
	    can_socketcan_link_error(-pending) == -ENODEV)
		s->ifindex = 0;
	can_link_read(s->fd, s->iface, &ifindex, &is_up);
	if (!is_up || (ifindex != s->ifindex && bind_to(s, ifindex) != 0))
		return;
	can_controller_open(&s->controller, s->iface, s->restart, now_us);
	can_port_mark_up(&s->port);
	if (s->controller.is_bus_off)
		report_bus_off(s);
}

int64_t can_socketcan_service(struct can_bus *b, int64_t now_us)
{
	struct socketcan *s = self_of(b);

	if (s->port.down_rc == 0 && can_controller_service(&s->controller, now_us)) {
		b->stats.is_up = true;
		can_edges_up(&s->port.edges);
	}
	if (s->port.ops->retry)
		s->port.ops->retry(&s->port, now_us);
	if (s->port.down_rc)
		look_for_link(s, now_us);
	if (s->port.down_rc)
		return s->port.check_us;
	return fc_min_i64(s->controller.next_us, can_port_retry_us(&s->port));
}

void can_socketcan_close(struct can_bus *b)
{
	struct socketcan *s = self_of(b);

	close(s->fd);
	free(s);
}

static int open_link(struct socketcan *s, char *err, size_t err_size)
{
	bool is_up;
	int ifindex, rc;

	can_link_read(s->fd, s->iface, &ifindex, &is_up);
	if (ifindex == 0) {
		snprintf(err, err_size, "CAN interface %s does not exist", s->iface);
		return -ENODEV;
	}
	rc = bind_to(s, ifindex);
	if (rc) {
		snprintf(err, err_size, "%s: %s", s->iface,
			 rc == -ENODEV ? "not a CAN interface" : strerror(-rc));
		return rc;
	}
	can_controller_open(&s->controller, s->iface, s->restart, can_rx_batch_now_us());
	if (!is_up)
		mark_down(s, -ENETDOWN);
	else if (s->controller.is_bus_off)
		report_bus_off(s);
	return 0;
}

int can_socketcan_start(struct socketcan *s, const struct can_url *url, char *err, size_t err_size)
{
	int rc;

	s->has_echo = url->has_echo;
	snprintf(s->iface, sizeof(s->iface), "%s", url->iface);
	s->fd = socket(PF_CAN, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, CAN_RAW);
	if (s->fd < 0) {
		rc = -errno;
		if (rc == -EAFNOSUPPORT || rc == -EPROTONOSUPPORT)
			snprintf(err, err_size, "%s: this kernel has no CAN; use udp instead", url->iface);
		else
			snprintf(err, err_size, "%s: no CAN socket: %s", url->iface, strerror(-rc));
		return rc;
	}
	can_rx_batch_init(&s->batch, s->fd, s->rx, sizeof(s->rx[0]));
	rc = can_rx_batch_prepare(s->fd);
	if (rc == 0 && s->prepare)
		rc = s->prepare(s);
	if (rc)
		snprintf(err, err_size, "%s: %s", url->iface, strerror(-rc));
	else
		rc = open_link(s, err, err_size);
	if (rc)
		close(s->fd);
	return rc;
}

static const struct can_bus_ops rx_ops = {
	.send = can_port_refuse,
	.send_many = can_port_refuse_many,
	.recv = can_socketcan_recv,
	.set_filters = can_socketcan_set_filters,
	.fd = can_socketcan_fd,
	.service = can_socketcan_service,
	.close = can_socketcan_close,
};

static const struct can_port_ops rx_port_ops = {.link_error = can_socketcan_link_error};

int can_socketcan_open_rx(const struct can_url *url, struct can_bus **bus, char *err, size_t err_size)
{
	struct socketcan *s = calloc(1, sizeof(*s));
	int rc;

	if (!s) {
		snprintf(err, err_size, "out of memory");
		return -ENOMEM;
	}
	can_port_init(&s->port, &rx_ops, &rx_port_ops);
	rc = can_socketcan_start(s, url, err, err_size);
	if (rc)
		free(s);
	else
		*bus = &s->port.bus;
	return rc;
}
