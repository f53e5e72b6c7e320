/* SPDX-License-Identifier: MIT */
/* The bare minimum of a charge point's traffic. */
#include "bench/proc_floor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/can/can_udp_codec.h"
#include "tests/lib/proc_module.h"

#define MAX_POINTS PROC_MAX_INDEX
#define MAX_RX	   64
#define RX_SIZE	   256
#define STAMP_END \
	20 /* the map, the key "timestamp" and its value: the part that differs between equal frames */
#define SILENCE_US 200000

struct datagram {
	uint8_t data[CAN_UDP_WRITE_MAX];
	size_t n;
};

struct floor {
	int fd, epoll_fd, timer_fd, silence_fd; /* silence_fd -1: not watched */
	struct sockaddr_in group;
	unsigned n_points;
	bool is_charging;
	struct datagram idle[MAX_POINTS], charging[MAX_POINTS]; /* what is sent each cycle */
	struct datagram sequence;
	/* What is answered. */
	struct datagram waiting, unavailable, any_state, transfer, off, standby, emergency;
	struct mmsghdr tx[MAX_POINTS], rx[MAX_RX];
	struct iovec tx_iov[MAX_POINTS], rx_iov[MAX_RX];
	uint8_t buffer[MAX_RX][RX_SIZE];
};

/* --- frames ------------------------------------------------------------------------------------------------ */

static void encode(struct datagram *d, enum evse_msg msg, unsigned index, const void *content)
{
	struct can_frame f;

	msg_to_frame(&evse_layouts[EVSE_V3_6][msg], content, index, &f);
	d->n = can_udp_encode(&f, 0, d->data);
}

static void encode_state(struct datagram *d, uint8_t state)
{
	struct evse_advantics_controller_status st = {.state = state};

	encode(d, EVSE_ADVANTICS_CONTROLLER_STATUS, 1, &st);
}

static void encode_power(struct datagram *d, struct evse_dc_power_control power)
{
	encode(d, EVSE_DC_POWER_CONTROL, 1, &power);
}

static void encode_all(struct floor *f)
{
	struct evse_power_modules_status idle = {.system_enable = 1};
	struct evse_power_modules_status charging = {.present_voltage_mV = PROC_TRANSFER_mV,
						     .present_current_mA = PROC_TRANSFER_mA,
						     .system_enable = 1};
	struct evse_sequence_control sequence = {.start_charge_authorisation = 1};
	struct evse_emergency_stop emergency = {.origin = EVSE_EMERGENCY_STOP_ORIGIN_PEV};
	unsigned i;

	for (i = 0; i < f->n_points; i++) {
		encode(&f->idle[i], EVSE_POWER_MODULES_STATUS, i + 1, &idle);
		encode(&f->charging[i], EVSE_POWER_MODULES_STATUS, i + 1, &charging);
	}
	encode(&f->sequence, EVSE_SEQUENCE_CONTROL, 1, &sequence);
	encode(&f->emergency, EVSE_EMERGENCY_STOP, 1, &emergency);
	encode_state(&f->waiting, 1);
	encode_state(&f->unavailable, 12);
	encode_state(&f->any_state, 7);
	encode_power(&f->off, proc_power_off());
	encode_power(&f->standby, proc_power_standby());
	encode_power(&f->transfer, proc_power_transfer());
}

static bool is_same(const uint8_t *data, size_t n, const struct datagram *d)
{
	return n == d->n && memcmp(data + STAMP_END, d->data + STAMP_END, n - STAMP_END) == 0;
}

/* --- input and output -------------------------------------------------------------------------------------- */

/* Nothing can be done about an error, and nothing is counted: the bench sees what is missing. */
static void send_one(const struct floor *f, const struct datagram *d)
{
	const struct sockaddr *to = (const struct sockaddr *)&f->group;

	if (sendto(f->fd, d->data, d->n, MSG_DONTWAIT, to, sizeof(f->group)) < 0)
		return;
}

static void send_cycle(struct floor *f)
{
	struct datagram *d = f->is_charging ? f->charging : f->idle;
	unsigned i;

	for (i = 0; i < f->n_points; i++) {
		f->tx_iov[i].iov_base = d[i].data;
		f->tx_iov[i].iov_len = d[i].n;
	}
	sendmmsg(f->fd, f->tx, f->n_points, MSG_DONTWAIT);
}

static void set_silence(const struct floor *f)
{
	struct itimerspec t = {.it_value = {.tv_nsec = SILENCE_US * 1000}};

	timerfd_settime(f->silence_fd, 0, &t, NULL);
}

static void answer(struct floor *f, const uint8_t *data, size_t n)
{
	if (is_same(data, n, &f->waiting) || is_same(data, n, &f->unavailable)) {
		send_one(f, &f->sequence);
	} else if (is_same(data, n, &f->transfer)) {
		f->is_charging = true;
	} else if (is_same(data, n, &f->off) || is_same(data, n, &f->standby) ||
		   is_same(data, n, &f->emergency)) {
		if (f->is_charging)
			send_one(f, &f->idle[0]);
		f->is_charging = false;
	} else if (f->silence_fd >= 0 && is_same(data, n, &f->any_state)) {
		set_silence(f);
	}
}

static void receive(struct floor *f)
{
	int i, n = recvmmsg(f->fd, f->rx, MAX_RX, MSG_DONTWAIT, NULL);

	for (i = 0; i < n; i++)
		answer(f, f->buffer[i], f->rx[i].msg_len);
}

/* --- set-up ------------------------------------------------------------------------------------------------ */

/* Not connected: it would then hear the group's own address only. */
static int open_socket(struct sockaddr_in *group, unsigned port)
{
	const int on = 1, size = 1024 * 1024;
	struct ip_mreqn m = {.imr_address = {.s_addr = htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	group->sin_family = AF_INET;
	group->sin_port = htons((uint16_t)port);
	inet_pton(AF_INET, "239.74.163.2", &group->sin_addr);
	m.imr_multiaddr = group->sin_addr;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (fd < 0 || bind(fd, (const struct sockaddr *)group, sizeof(*group)) ||
	    setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)) ||
	    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof(m)))
		return -1;
	return fd;
}

/* Only a timer that was read starts again. */
static void take_expiry(const struct floor *f)
{
	uint64_t n;

	if (read(f->timer_fd, &n, sizeof(n)) < 0)
		return;
}

static void watch(const struct floor *f, int fd, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.fd = fd};

	epoll_ctl(f->epoll_fd, EPOLL_CTL_ADD, fd, &e);
}

static void start_timer(const struct floor *f)
{
	struct itimerspec t = {.it_interval = {.tv_nsec = 100000000}};

	clock_gettime(CLOCK_MONOTONIC, &t.it_value);
	timerfd_settime(f->timer_fd, TFD_TIMER_ABSTIME, &t, NULL);
}

static int open_all(struct floor *f, unsigned port, bool does_watch)
{
	unsigned i;

	for (i = 0; i < MAX_POINTS; i++)
		f->tx[i].msg_hdr = (struct msghdr){.msg_iov = &f->tx_iov[i],
						   .msg_iovlen = 1,
						   .msg_name = &f->group,
						   .msg_namelen = sizeof(f->group)};
	for (i = 0; i < MAX_RX; i++) {
		f->rx_iov[i] = (struct iovec){f->buffer[i], RX_SIZE};
		f->rx[i].msg_hdr = (struct msghdr){.msg_iov = &f->rx_iov[i], .msg_iovlen = 1};
	}
	f->fd = open_socket(&f->group, port);
	f->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	f->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	f->silence_fd = does_watch ? timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC) : -1;
	if (f->fd < 0 || f->epoll_fd < 0 || f->timer_fd < 0)
		return 1;
	watch(f, f->fd, EPOLLIN);
	watch(f, f->timer_fd, EPOLLIN | EPOLLET);
	if (does_watch)
		watch(f, f->silence_fd, EPOLLIN | EPOLLET);
	start_timer(f);
	return 0;
}

int floor_main(int argc, char **argv)
{
	static struct floor f; /* too large for the stack; main's own */

	if (argc < 5)
		return 2;
	f.n_points = (unsigned)strtoul(argv[3], NULL, 10);
	encode_all(&f);
	if (open_all(&f, (unsigned)strtoul(argv[2], NULL, 10), argv[4][0] == '1'))
		return 1;
	for (;;) {
		struct epoll_event e[3];
		int i, n = epoll_wait(f.epoll_fd, e, 3, -1);

		for (i = 0; i < n; i++) {
			if (e[i].data.fd == f.fd) {
				receive(&f);
			} else if (e[i].data.fd == f.timer_fd) {
				take_expiry(&f);
				send_cycle(&f);
			} else if (f.is_charging) {
				f.is_charging = false;
				send_one(&f, &f.idle[0]);
			}
		}
	}
}
