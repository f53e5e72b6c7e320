/* SPDX-License-Identifier: MIT */
/*
 * What a frame costs on each bus, beside a floor from the same run: bare sendmmsg and recvmmsg of the same
 * bytes without stamps, filters and counters (UDP and SocketCAN), bare copies in and out of an array (virtual
 * bus).
 *
 * bench_can [INTERFACE]: with the name of a CAN interface that one too. Medians of rounds, ns a frame.
 */
#include "bench/bench_time.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/can/can_bus.h"
#include "lib/can/can_bus_virtual.h"
#include "lib/can/can_udp_codec.h"

#define N_BURST	 64  /* all points of a bus in one tick */
#define N_BURSTS 200 /* a round */
#define N_ROUNDS 21
#define N_NODES	 4

struct cost {
	double send[N_ROUNDS], recv[N_ROUNDS];
};

static struct can_frame frames[N_BURST];

static void make_frames(void)
{
	unsigned i;

	for (i = 0; i < N_BURST; i++) {
		frames[i].can_id = CAN_EFF_FLAG | 0x180a0000 | i;
		frames[i].can_dlc = 8;
		memset(frames[i].data, (int)i, 8);
	}
}

static void report(const char *what, struct cost *ours, struct cost *base)
{
	double s = bench_median(ours->send, N_ROUNDS), r = bench_median(ours->recv, N_ROUNDS);
	double fs = bench_median(base->send, N_ROUNDS), fr = bench_median(base->recv, N_ROUNDS);

	printf("%s: send %.0f, receive %.0f ns/frame; floor %.0f, %.0f; ratio %.2f, %.2f\n", what, s, r, fs,
	       fr, s / fs, r / fr);
}

/* --- buses with a socket -------------------------------------------------------------------------------- */

static struct can_bus *open_bus(const char *url)
{
	struct can_filter filters[N_BURST];
	struct can_bus *bus = NULL;
	char err[200];
	unsigned i;

	if (can_bus_open(url, &bus, err, sizeof(err)) != 0) {
		fprintf(stderr, "%s\n", err);
		return NULL;
	}
	for (i = 0; i < N_BURST; i++)
		filters[i] = can_filter_exact(frames[i].can_id);
	can_bus_set_filters(bus, filters, N_BURST);
	return bus;
}

/* False when a frame was lost: the figures would be worth nothing. */
static bool round_of_bus(struct can_bus *from, struct can_bus *to, double *send_ns, double *recv_ns)
{
	struct can_rx_info info;
	struct can_frame f;
	double start, between, sending = 0, receiving = 0;
	unsigned i, n = 0;

	for (i = 0; i < N_BURSTS; i++) {
		start = bench_now_ns();
		can_bus_send_many(from, frames, N_BURST);
		between = bench_now_ns();
		/* 64 fill a batch, so it takes a second look to find the socket empty, as in a loop with
		 * poll. */
		while (can_bus_recv(to, &f, &info) == 1)
			n++;
		receiving += bench_now_ns() - between;
		sending += between - start;
		bench_use(&f);
		can_bus_service(from, INT64_MAX / 2);
	}
	*send_ns = sending / (N_BURSTS * N_BURST);
	*recv_ns = receiving / (N_BURSTS * N_BURST);
	return n == N_BURSTS * N_BURST;
}

struct bare {
	int from, to;
	struct mmsghdr tx[N_BURST], rx[N_BURST];
	struct iovec tx_iov[N_BURST], rx_iov[N_BURST];
	struct can_frame
		frames[N_BURST]; /* identifiers of their own, so that the two do not hear each other */
	uint8_t out[N_BURST][CAN_UDP_WRITE_MAX], in[N_BURST][CAN_UDP_READ_MAX];
};

static void bare_prepare(struct bare *b, bool is_udp)
{
	unsigned i;

	for (i = 0; i < N_BURST; i++) {
		b->frames[i] = frames[i];
		b->frames[i].can_id |= 0x00100000;
		b->tx_iov[i].iov_base = is_udp ? b->out[i] : (void *)&b->frames[i];
		b->tx_iov[i].iov_len = is_udp ? can_udp_encode(&frames[i], 0, b->out[i]) : sizeof(frames[i]);
		b->rx_iov[i].iov_base = b->in[i];
		b->rx_iov[i].iov_len = is_udp ? sizeof(b->in[i]) : sizeof(frames[i]);
		b->tx[i].msg_hdr.msg_iov = &b->tx_iov[i];
		b->rx[i].msg_hdr.msg_iov = &b->rx_iov[i];
		b->tx[i].msg_hdr.msg_iovlen = b->rx[i].msg_hdr.msg_iovlen = 1;
	}
}

static bool bare_udp(struct bare *b)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);

	bare_prepare(b, true);
	b->to = socket(AF_INET, SOCK_DGRAM, 0);
	b->from = socket(AF_INET, SOCK_DGRAM, 0);
	return bind(b->to, (struct sockaddr *)&a, len) == 0 &&
	       getsockname(b->to, (struct sockaddr *)&a, &len) == 0 &&
	       connect(b->from, (struct sockaddr *)&a, len) == 0;
}

static bool bare_can(struct bare *b, const char *interface)
{
	struct sockaddr_can a = {.can_family = AF_CAN, .can_ifindex = (int)if_nametoindex(interface)};
	const struct can_filter own = {CAN_EFF_FLAG | 0x00100000, CAN_EFF_FLAG | 0x00100000};

	bare_prepare(b, false);
	b->to = socket(PF_CAN, SOCK_RAW, CAN_RAW);
	b->from = socket(PF_CAN, SOCK_RAW, CAN_RAW);
	setsockopt(b->from, SOL_CAN_RAW, CAN_RAW_FILTER, NULL, 0);
	setsockopt(b->to, SOL_CAN_RAW, CAN_RAW_FILTER, &own, sizeof(own));
	return bind(b->to, (struct sockaddr *)&a, sizeof(a)) == 0 &&
	       bind(b->from, (struct sockaddr *)&a, sizeof(a)) == 0;
}

static bool round_of_bare(struct bare *b, double *send_ns, double *recv_ns)
{
	double start, between, sending = 0, receiving = 0;
	unsigned i;
	int n = 0, got;

	for (i = 0; i < N_BURSTS; i++) {
		start = bench_now_ns();
		sendmmsg(b->from, b->tx, N_BURST, MSG_DONTWAIT);
		between = bench_now_ns();
		while ((got = recvmmsg(b->to, b->rx, N_BURST, MSG_DONTWAIT, NULL)) > 0)
			n += got;
		receiving += bench_now_ns() - between;
		sending += between - start;
		bench_use(b->in);
	}
	*send_ns = sending / (N_BURSTS * N_BURST);
	*recv_ns = receiving / (N_BURSTS * N_BURST);
	return n == N_BURSTS * N_BURST;
}

static int bench_sockets(const char *what, const char *url, struct bare *bare)
{
	struct can_bus *from = open_bus(url), *to = open_bus(url);
	struct cost ours, base;
	bool is_complete = from && to;
	unsigned i;

	for (i = 0; is_complete && i < N_ROUNDS; i++)
		is_complete = round_of_bus(from, to, &ours.send[i], &ours.recv[i]) &&
			      round_of_bare(bare, &base.send[i], &base.recv[i]);
	if (is_complete)
		report(what, &ours, &base);
	else
		fprintf(stderr, "%s: frames were lost, no figures\n", what);
	if (from)
		can_bus_close(from);
	if (to)
		can_bus_close(to);
	close(bare->from);
	close(bare->to);
	return !is_complete;
}

/* --- the virtual bus ------------------------------------------------------------------------------------ */

/* Everything a frame costs: sent by one node, taken by the one or two that want it, polled by the pending
 * mask. */
static double round_of_hub(struct can_hub *hub, struct can_bus **bus)
{
	double start = bench_now_ns();
	struct can_rx_info info;
	struct can_frame f;
	uint64_t left;
	unsigned i, k;

	for (i = 0; i < N_BURSTS; i++) {
		can_hub_advance(hub, hub->now_us + 100000);
		for (k = 0; k < N_BURST; k++)
			can_bus_send(bus[k % N_NODES], &frames[k]);
		while ((left = can_hub_pending(hub)) != 0)
			for (; left; left &= left - 1)
				while (can_bus_recv(bus[__builtin_ctzll(left)], &f, &info) == 1)
					bench_use(&f);
	}
	return (bench_now_ns() - start) / (N_BURSTS * N_BURST);
}

/* The same number of copies in and out. */
static double round_of_copies(void)
{
	static struct can_hub_rx ring[2 * N_BURST];
	double start = bench_now_ns();
	struct can_frame f;
	unsigned i, k;

	for (i = 0; i < N_BURSTS; i++) {
		for (k = 0; k < N_BURST; k++) {
			ring[2 * k].frame = frames[k];
			ring[2 * k].time_us = i;
			ring[2 * k + 1].frame = frames[k];
			ring[2 * k + 1].time_us = i;
		}
		bench_use(ring);
		for (k = 0; k < 2 * N_BURST; k++) {
			f = ring[k].frame;
			bench_use(&f);
		}
	}
	return (bench_now_ns() - start) / (N_BURSTS * N_BURST);
}

/* Each frame is wanted by two of the three that did not send it. */
static void bench_hub(void)
{
	static struct can_hub hub;
	const struct can_hub_cfg cfg = {.seed = 1};
	struct can_filter filters[N_BURST];
	struct can_bus *bus[N_NODES];
	double ours[N_ROUNDS], base[N_ROUNDS], x, y;
	unsigned i, k, n;

	can_hub_init(&hub, &cfg, 0);
	for (i = 0; i < N_NODES; i++) {
		for (n = 0, k = 0; k < N_BURST; k++)
			if ((k + 1) % N_NODES != i)
				filters[n++] = can_filter_exact(frames[k].can_id);
		can_hub_add_node(&hub, &bus[i]);
		can_bus_set_filters(bus[i], filters, n);
	}
	for (i = 0; i < N_ROUNDS; i++) {
		ours[i] = round_of_hub(&hub, bus);
		base[i] = round_of_copies();
	}
	x = bench_median(ours, N_ROUNDS);
	y = bench_median(base, N_ROUNDS);
	printf("virtual bus, %d nodes, 2 receivers: %.1f ns/frame in all; copies only %.1f; ratio %.2f\n",
	       N_NODES, x, y, x / y);
}

/* --- the UDP codec -------------------------------------------------------------------------------------- */

static void bench_codec(void)
{
	double encode[N_ROUNDS], decode[N_ROUNDS], start;
	static uint8_t out[N_BURST][CAN_UDP_WRITE_MAX];
	size_t len = 0;
	struct can_frame f;
	unsigned r, i, k;

	for (r = 0; r < N_ROUNDS; r++) {
		start = bench_now_ns();
		for (i = 0; i < N_BURSTS; i++)
			for (k = 0; k < N_BURST; k++) {
				len = can_udp_encode(&frames[k], i, out[k]);
				bench_use(out[k]);
			}
		encode[r] = (bench_now_ns() - start) / (N_BURSTS * N_BURST);
		start = bench_now_ns();
		for (i = 0; i < N_BURSTS; i++)
			for (k = 0; k < N_BURST; k++) {
				can_udp_decode(out[k], len, &f);
				bench_use(&f);
			}
		decode[r] = (bench_now_ns() - start) / (N_BURSTS * N_BURST);
	}
	printf("UDP datagram: encode %.0f, decode %.0f ns\n", bench_median(encode, N_ROUNDS),
	       bench_median(decode, N_ROUNDS));
}

int main(int argc, char **argv)
{
	static struct bare bare;
	int rc = 0;

	make_frames();
	bench_hub();
	bench_codec();
	if (!bare_udp(&bare))
		return 1;
	rc |= bench_sockets("UDP on the loopback", "udp:239.74.163.79:43213", &bare);
	if (argc > 1) {
		if (!bare_can(&bare, argv[1])) {
			fprintf(stderr, "%s: no CAN interface\n", argv[1]);
			return 1;
		}
		rc |= bench_sockets(argv[1], argv[1], &bare);
	}
	return rc;
}
