/* SPDX-License-Identifier: MIT */
/*
 * One CAN bus behind one interface, chosen by a URL:
 *   can0, vcan0, socketcan:NAME            Linux SocketCAN; the link is never configured, only read
 *   udp, udp:GROUP, udp:GROUP:PORT         UDP multicast, wire-compatible with python-can's udp_multicast;
 *                                          IPv4; default udp:239.74.163.2:43113, loopback interface only;
 *                                          ?iface=eth0 leaves the loopback, ?ttl=N sets the hop limit
 *   ?echo=1                                (both) our own frames come back too, marked is_own
 * The in-process bus of virtual time (can_bus_virtual.h) implements the same operations.
 *
 * A program that chooses no interface, python-can for one, goes where the route of the group leads; what such a
 * program on this host sends is heard on the loopback bus too, and it hears us. Datagrams of other hosts are not.
 *
 * Frames are the kernel's struct can_frame everywhere. Bus conditions come through recv as frames with
 * CAN_ERR_FLAG, in every backend: those of the controller (classes CAN_BUS_ERR_MASK), and two of our own, an
 * interface that went down or vanished (CAN_BUS_DOWN_ID) and one that is back (CAN_BUS_UP_ID). They arrive
 * whatever the filters say.
 *
 * How a loop uses it: wait for input on fd; call recv until it is not 1; call service once after
 * open, after every wake-up (sends included) and at the time it returned; then recv again while it gives 1,
 * for service may have found the interface back. Nothing allocates between open and close. One thread.
 */
#ifndef CAN_CAN_BUS_H
#define CAN_CAN_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/can.h>
#include <linux/can/error.h>

/* Most filters a bus takes: CAN_RAW_FILTER_MAX of the kernel. */
#define CAN_BUS_MAX_FILTERS 512

/* Classes of error frames that recv reports: controller problems and error-passive, bus-off, restarted. */
#define CAN_BUS_ERR_MASK (CAN_ERR_CRTL | CAN_ERR_BUSOFF | CAN_ERR_RESTARTED)

/* The two edges: nothing passes, frames pass again. A bus-off and its end look the same. */
#define CAN_BUS_DOWN_ID (CAN_ERR_FLAG | CAN_ERR_BUSOFF)
#define CAN_BUS_UP_ID	(CAN_ERR_FLAG | CAN_ERR_RESTARTED)

struct can_rx_info {
	/*
	 * Receive time: monotonic clock, or virtual time. The kernel stamps on the real-time clock; that is
	 * converted with the offset of the two clocks, measured at each batch (can_rx_clock.h), so that a
	 * clock that is set does not move it. Never decreases, never lies in the future.
	 */
	int64_t time_us;
	uint32_t n_dropped; /* frames dropped on this socket for want of room, since open */
	bool is_local;	    /* sent by a program on this host */
	bool is_own;	    /* our own echo; only with ?echo=1 */
};

struct can_bus_stats {
	uint64_t n_rx, n_tx;
	uint64_t n_rx_dropped;	/* lost in the kernel (virtual bus: in the node's full queue) */
	uint64_t n_rx_bad;	/* malformed datagrams or frames, dropped */
	uint64_t n_tx_replaced; /* held frames overtaken by a newer one of the same identifier */
	uint64_t n_tx_failed;	/* never sent: interface down, held too long, held queue full */
	uint64_t n_err;		/* error frames seen, our own edges included */
	bool is_up;		/* false from a down edge or bus-off until the bus is back */
};

struct can_bus;

struct can_bus_ops {
	/*
	 * 0 sent or held for a retry; -ENETDOWN, -ENODEV (interface gone): not sent; -ENOBUFS: not sent, too
	 * many identifiers are held already; -EINVAL: not a frame; -EPERM: a bus to listen to (can_bus_rx.h).
	 * See can_bus_service.
	 */
	int (*send)(struct can_bus *b, const struct can_frame *f);
	/* Sends n frames in one call where the backend can; 0 or the first negative errno. */
	int (*send_many)(struct can_bus *b, const struct can_frame *f, size_t n);
	/* 1 got one, 0 empty for now (wait on fd), or a negative errno. */
	int (*recv)(struct can_bus *b, struct can_frame *f, struct can_rx_info *info);
	/*
	 * Replaces all filters; a frame passes when one of them matches, as in the kernel (CAN_INV_FILTER
	 * too). 0, -E2BIG over CAN_BUS_MAX_FILTERS, or a negative errno.
	 */
	int (*set_filters)(struct can_bus *b, const struct can_filter *f, size_t n);
	int (*fd)(const struct can_bus *b); /* -1: none; the same one from open to close */
	/*
	 * Housekeeping at `now_us` of the monotonic clock: retries held frames (after ENOBUFS or EAGAIN only
	 * the newest frame of each identifier is kept, for 200 ms at most, so nothing stale goes out), finds
	 * a vanished interface again, ends a bus-off. Returns when it wants to be called again, FC_NEVER when
	 * nothing is pending.
	 */
	int64_t (*service)(struct can_bus *b, int64_t now_us);
	void (*close)(struct can_bus *b);
};

struct can_bus {
	const struct can_bus_ops *ops;
	struct can_bus_stats stats;
};

/* Opens a URL. 0, or a negative errno with a sentence in err. The bus receives nothing until set_filters. */
int can_bus_open(const char *url, struct can_bus **bus, char *err, size_t err_size);
/* True when the URL is well formed; otherwise a sentence in err. Opens nothing. */
bool can_bus_check_url(const char *url, char *err, size_t err_size);

static inline int can_bus_send(struct can_bus *b, const struct can_frame *f)
{
	return b->ops->send(b, f);
}

static inline int can_bus_send_many(struct can_bus *b, const struct can_frame *f, size_t n)
{
	return b->ops->send_many(b, f, n);
}

static inline int can_bus_recv(struct can_bus *b, struct can_frame *f, struct can_rx_info *info)
{
	return b->ops->recv(b, f, info);
}

static inline int can_bus_set_filters(struct can_bus *b, const struct can_filter *f, size_t n)
{
	return b->ops->set_filters(b, f, n);
}

static inline int can_bus_fd(const struct can_bus *b)
{
	return b->ops->fd(b);
}

static inline int64_t can_bus_service(struct can_bus *b, int64_t now_us)
{
	return b->ops->service(b, now_us);
}

static inline void can_bus_close(struct can_bus *b)
{
	b->ops->close(b);
}

/* The exact-match filter of one identifier (with CAN_EFF_FLAG or without): data frames only. */
static inline struct can_filter can_filter_exact(canid_t id)
{
	struct can_filter f;

	f.can_id = id;
	f.can_mask = ((id & CAN_EFF_FLAG) ? CAN_EFF_MASK : CAN_SFF_MASK) | CAN_EFF_FLAG | CAN_RTR_FLAG;
	return f;
}

/* The filter that lets every frame pass: for monitors. */
static inline struct can_filter can_filter_all(void)
{
	struct can_filter f = {0, 0};

	return f;
}

#endif
