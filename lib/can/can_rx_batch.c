/* SPDX-License-Identifier: MIT */
/*
 * Datagrams of a socket in batches.
 */
#include "lib/can/can_rx_batch.h"

#include <errno.h>
#include <string.h>

#include <sys/uio.h>

/*
 * Room for some 2,500 frames (a CAN frame takes 768 bytes of it): a second of a full bus at 250 kbit/s. The
 * system limit net.core.rmem_max may cut it to about 550; what is lost then is counted.
 */
#define CAN_RX_BUFFER_BYTES (1024 * 1024)

static int64_t clock_us(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t can_rx_batch_now_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

int can_rx_batch_prepare(int fd)
{
	const int on = 1, size = CAN_RX_BUFFER_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) != 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on)) != 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) != 0)
		return -errno;
	return 0;
}

void can_rx_batch_init(struct can_rx_batch *b, int fd, void *buffer, size_t slot_size)
{
	unsigned i;

	memset(b, 0, sizeof(*b));
	b->fd = fd;
	can_rx_clock_init(&b->clock);
	for (i = 0; i < CAN_RX_BATCH_LEN; i++) {
		b->iov[i].iov_base = (uint8_t *)buffer + i * slot_size;
		b->iov[i].iov_len = slot_size;
		b->msg[i].msg_hdr.msg_iov = &b->iov[i];
		b->msg[i].msg_hdr.msg_iovlen = 1;
		b->msg[i].msg_hdr.msg_name = &b->from[i];
		b->msg[i].msg_hdr.msg_control = &b->control[i];
	}
	b->n = CAN_RX_BATCH_LEN; /* the first fill resets the lengths of all slots */
	b->next = b->n;
}

/* 1 filled, 0 empty, or a negative errno. */
static int fill(struct can_rx_batch *b)
{
	unsigned i;
	int n;

	for (i = 0; i < b->n; i++) { /* the kernel wrote the lengths of the slots it used */
		b->msg[i].msg_hdr.msg_namelen = sizeof(b->from[i]);
		b->msg[i].msg_hdr.msg_controllen = sizeof(b->control[i]);
	}
	b->n = 0;
	b->next = 0;
	do {
		n = recvmmsg(b->fd, b->msg, CAN_RX_BATCH_LEN, MSG_DONTWAIT, NULL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
	b->n = (unsigned)n;
	b->is_drained = n < CAN_RX_BATCH_LEN;
	can_rx_clock_sample(&b->clock, clock_us(CLOCK_REALTIME), clock_us(CLOCK_MONOTONIC));
	return n > 0;
}

static void read_control(struct can_rx_batch *b, struct msghdr *m, int64_t *time_us)
{
	struct timespec stamp;
	struct cmsghdr *c;
	bool has_stamp = false;

	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_TIMESTAMPNS && c->cmsg_len >= CMSG_LEN(sizeof(stamp))) {
			memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
			has_stamp = true;
		} else if (c->cmsg_type == SO_RXQ_OVFL && c->cmsg_len >= CMSG_LEN(sizeof(b->n_dropped))) {
			memcpy(&b->n_dropped, CMSG_DATA(c), sizeof(b->n_dropped));
		}
	}
	if (has_stamp)
		*time_us = can_rx_clock_convert(&b->clock,
						(int64_t)stamp.tv_sec * 1000000 + stamp.tv_nsec / 1000);
	else
		*time_us = can_rx_clock_arrival(&b->clock);
}

int can_rx_batch_next(struct can_rx_batch *b, struct can_rx_slot *slot)
{
	struct mmsghdr *m;
	int rc;

	if (b->next == b->n) {
		/* After a short batch the socket was empty: say so without asking again; poll tells of more.
		 */
		if (b->is_drained) {
			b->is_drained = false;
			return 0;
		}
		rc = fill(b);
		if (rc <= 0)
			return rc;
	}
	m = &b->msg[b->next];
	slot->data = b->iov[b->next].iov_base;
	slot->from = &b->from[b->next];
	slot->len = m->msg_len;
	slot->flags = m->msg_hdr.msg_flags;
	read_control(b, &m->msg_hdr, &slot->time_us);
	b->next++;
	return 1;
}
