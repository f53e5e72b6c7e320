/* SPDX-License-Identifier: MIT */
/* Foreign and hostile traffic. */
#include "tests/lib/proc_flood.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "evse_msgs.h"
#include "lib/can/can_bus.h"
#include "lib/can/can_udp_codec.h"

#define BURST_US  1000
#define MAX_BURST 64
#define LAG_US	  20000

struct flooder {
	struct can_bus *bus;
	int raw_fd; /* for what is no frame */
	uint64_t random;
	const struct proc_flood *how;
};

static uint32_t draw(struct flooder *f)
{
	f->random = f->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(f->random >> 33);
}

static void fill(struct flooder *f, struct can_frame *frame)
{
	unsigned i;

	frame->can_dlc = (uint8_t)(draw(f) % 9);
	for (i = 0; i < frame->can_dlc; i++)
		frame->data[i] = (uint8_t)draw(f);
}

/* Messages of the interface for other pistols, the vehicle's interface, and anything else. */
static void make_foreign(struct flooder *f, struct can_frame *frame)
{
	canid_t index = f->how->index % 15 + 1 + draw(f) % 13; /* 1..28 but never ours */

	fill(f, frame);
	if (index == f->how->index)
		index = 30;
	switch (draw(f) % 4) {
	case 0:
		frame->can_id = 0x6B000 | CAN_EFF_FLAG | index << MSG_INDEX_SHIFT;
		break;
	case 1:
		frame->can_id = 0x6B003 | CAN_EFF_FLAG | index << MSG_INDEX_SHIFT;
		break;
	case 2:
		frame->can_id = 0x600 + draw(f) % 0x20;
		break;
	default:
		frame->can_id = (0x10000000 | draw(f) % 0x10000) | CAN_EFF_FLAG;
		break;
	}
}

/* Our own identifiers in a form that must not count. */
static void make_malformed(struct flooder *f, struct can_frame *frame)
{
	static const canid_t base[] = {0x6B000, 0x6B001, 0x6B003, 0x6B005, 0x6B300};

	fill(f, frame);
	frame->can_id = base[draw(f) % 5] | f->how->index << MSG_INDEX_SHIFT | CAN_EFF_FLAG;
	switch (draw(f) % 4) {
	case 0:
		frame->can_dlc = 0;
		break;
	case 1:
		frame->can_id |= CAN_RTR_FLAG;
		break;
	case 2:
		frame->can_id &= CAN_SFF_MASK;
		break;
	default:
		frame->can_id = CAN_ERR_FLAG | CAN_ERR_PROT;
		frame->can_dlc = CAN_ERR_DLC;
		break;
	}
}

/* A datagram cut short, with bytes changed, or of noise. */
static void send_garbage(struct flooder *f)
{
	uint8_t data[CAN_UDP_WRITE_MAX];
	struct can_frame frame;
	size_t n, i;

	memset(&frame, 0, sizeof(frame));
	make_malformed(f, &frame);
	/* Not from an error frame: one changed byte makes a bus-off of it, and that is rightly believed. */
	frame.can_id &= ~(canid_t)CAN_ERR_FLAG;
	frame.can_dlc = 0;
	n = can_udp_encode(&frame, 0, data);
	switch (draw(f) % 3) {
	case 0:
		n = draw(f) % n;
		break;
	case 1:
		data[draw(f) % n] = (uint8_t)draw(f);
		break;
	default:
		for (i = 0; i < n; i++)
			data[i] = (uint8_t)draw(f);
		break;
	}
	if (send(f->raw_fd, data, n, MSG_DONTWAIT) < 0)
		return; /* what is not sent does not disturb */
}

static void burst(struct flooder *f, unsigned n)
{
	struct can_frame frame[MAX_BURST];
	unsigned i, used = 0;

	memset(frame, 0, sizeof(frame));
	for (i = 0; i < n; i++) {
		unsigned kind = f->how->is_hostile ? draw(f) % 4 : 0;

		if (kind == 3)
			send_garbage(f);
		else if (kind == 2)
			make_malformed(f, &frame[used++]);
		else
			make_foreign(f, &frame[used++]);
	}
	can_bus_send_many(f->bus, frame, used);
	can_bus_service(f->bus, proc_now_us());
}

static int open_raw(const char *url)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct in_addr lo = {.s_addr = htonl(INADDR_LOOPBACK)};
	const char *port = strrchr(url, ':');
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, "239.74.163.2", &to.sin_addr);
	to.sin_port = htons((uint16_t)(port ? strtoul(port + 1, NULL, 10) : 0));
	if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &lo, sizeof(lo)) ||
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)))
		return -1;
	return fd;
}

static int run_flood(void *ctx)
{
	const struct proc_flood *how = ctx;
	struct flooder f = {.how = how, .random = how->seed + 1};
	int64_t at_us = proc_now_us(), begin_us = at_us;
	uint64_t n_due, n_sent = 0;
	char err[128];

	f.raw_fd = open_raw(how->url);
	if (f.raw_fd < 0 || can_bus_open(how->url, &f.bus, err, sizeof(err)))
		return 1;
	can_bus_service(f.bus, at_us);
	for (;;) {
		struct timespec t = {.tv_sec = (time_t)(at_us / 1000000),
				     .tv_nsec = (long)(at_us % 1000000) * 1000};

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
		n_due = (uint64_t)(at_us - begin_us) * how->frames_per_s / 1000000;
		/* What a host that stood still owes does not come in one heap, for no bus would. */
		if (n_due - n_sent > how->frames_per_s / (1000000 / LAG_US))
			n_sent = n_due - how->frames_per_s / (1000000 / LAG_US);
		while (n_sent < n_due) {
			unsigned n = n_due - n_sent < MAX_BURST ? (unsigned)(n_due - n_sent) : MAX_BURST;

			burst(&f, n);
			n_sent += n;
		}
		at_us += BURST_US;
	}
}

int proc_flood_start(struct proc_child *c, struct proc_flood *flood)
{
	return proc_fork(c, run_flood, flood);
}

static int run_busy(void *ctx)
{
	volatile uint64_t n = 0;

	(void)ctx;
	for (;;)
		n = n + 1;
	return 0;
}

int proc_busy_start(struct proc_child *c)
{
	return proc_fork(c, run_busy, NULL);
}
