/* SPDX-License-Identifier: MIT */
/*
 * bus-log replay on the UDP bus, beside floors from the same run. In time: errors of the gaps between frames, as the
 * kernel stamps them at the receiver, against a C program that sleeps to the same absolute moments and sends one ready
 * datagram each. At full speed: frames a second, against sendmmsg of ready datagrams.
 *
 * bench_replay [--quick]. Exit status 1 when the goal is missed: p50 at most 0.05 ms over the floor, and no drift.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench_time.h"
#include "lib/can/can_bus_rx.h"
#include "lib/can/can_udp_codec.h"
#include "lib/core/frame_text.h"
#include "tests/lib/proc_child.h"

#define MAX_FRAMES    100000
#define GAP_US	      1000
#define N_TIMED	      3000
#define N_TIMED_QUICK 500
#define N_FAST	      100000
#define N_FAST_QUICK  10000
#define N_IDS	      48 /* identifiers of a whole charge point with its vehicle and plug */
#define N_ROUNDS      3
#define GOAL_US	      50.0
#define GOAL_DRIFT_US 1000.0
#define SENDMMSG_MAX  64

struct bench {
	char url[64], log[64], program[PROC_PATH_MAX];
	struct can_frame frame[MAX_FRAMES];
	int64_t time_us[MAX_FRAMES]; /* from the first one */
	unsigned n;
	double rx_us[MAX_FRAMES];
	bool is_missed;
};

/* What a run showed. */
struct gaps {
	double p50_us, p99_us, drift_us;
	unsigned n_lost;
};

static void make_frames(struct bench *b, unsigned n)
{
	b->n = n;
	for (unsigned i = 0; i < n; i++) {
		struct can_frame *f = &b->frame[i];

		memset(f, 0, sizeof(*f));
		f->can_id = CAN_EFF_FLAG | (0x01063000 + i % N_IDS);
		f->can_dlc = 8;
		memcpy(f->data, &i, sizeof(i));
		b->time_us[i] = (int64_t)i * GAP_US;
	}
}

static bool write_log(const struct bench *b)
{
	FILE *out = fopen(b->log, "w");
	char line[FRAME_LOG_LINE_MAX];

	for (unsigned i = 0; out && i < b->n; i++) {
		frame_log_write(INT64_C(1700000000000000) + b->time_us[i], "sim0", &b->frame[i], line);
		fprintf(out, "%s\n", line);
	}
	return out && fclose(out) == 0;
}

/* --- the floor -------------------------------------------------------------------------------------------- */

static int open_sender(const struct bench *b, struct sockaddr_in *to)
{
	const struct in_addr loopback = {htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char group[64];
	unsigned port;

	memset(to, 0, sizeof(*to));
	if (sscanf(b->url, "udp:%63[^:]:%u", group, &port) != 2 || fd < 0)
		return -1;
	to->sin_family = AF_INET;
	to->sin_port = htons((uint16_t)port);
	inet_pton(AF_INET, group, &to->sin_addr);
	setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &loopback, sizeof(loopback));
	return connect(fd, (struct sockaddr *)to, sizeof(*to)) == 0 ? fd : -1;
}

static int floor_timed(void *ctx)
{
	const struct bench *b = ctx;
	uint8_t data[CAN_UDP_WRITE_MAX];
	struct sockaddr_in to;
	struct timespec start, t;
	int fd = open_sender(b, &to);

	prctl(PR_SET_TIMERSLACK, 1);
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (unsigned i = 0; i < b->n; i++) {
		size_t n = can_udp_encode(&b->frame[i], 0, data);
		int64_t ns = start.tv_nsec + b->time_us[i] * 1000;

		t.tv_sec = start.tv_sec + ns / 1000000000;
		t.tv_nsec = ns % 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
		if (send(fd, data, n, 0) < 0)
			return 1;
	}
	return 0;
}

/* Returns the frames a second; nobody listens but the kernel. */
static double floor_fast(const struct bench *b)
{
	static uint8_t data[SENDMMSG_MAX][CAN_UDP_WRITE_MAX];
	struct mmsghdr msg[SENDMMSG_MAX] = {0};
	struct iovec iov[SENDMMSG_MAX];
	struct sockaddr_in to;
	int fd = open_sender(b, &to);
	double start = bench_now_ns();

	for (unsigned i = 0; i < SENDMMSG_MAX; i++) {
		iov[i].iov_base = data[i];
		iov[i].iov_len = can_udp_encode(&b->frame[i], 0, data[i]);
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	for (unsigned i = 0; i < b->n; i += SENDMMSG_MAX)
		if (sendmmsg(fd, msg, SENDMMSG_MAX, 0) < 0)
			return -1;
	close(fd);
	return b->n / (bench_now_ns() - start) * 1e9;
}

/* --- measuring -------------------------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Takes all frames of the bus until none came for a second; how many. */
static unsigned receive(struct bench *b, struct can_bus *bus)
{
	struct pollfd p = {.fd = can_bus_fd(bus), .events = POLLIN};
	struct can_rx_info info;
	struct can_frame f;
	unsigned n = 0;

	while (n < b->n && poll(&p, 1, 1000) > 0)
		while (can_bus_recv(bus, &f, &info) > 0 && n < b->n)
			b->rx_us[n++] = (double)info.time_us;
	return n;
}

static bool timed_run(struct bench *b, bool is_ours, struct gaps *g)
{
	static double error[MAX_FRAMES];
	const struct can_filter all = can_filter_all();
	const char *const argv[] = {b->program, "replay", b->log, "-q", "-i", b->url, NULL};
	struct proc_child child;
	struct can_bus *bus;
	char err[200];
	unsigned n;

	if (can_bus_open_rx(b->url, &bus, err, sizeof(err)) != 0) {
		fprintf(stderr, "%s\n", err);
		return false;
	}
	can_bus_set_filters(bus, &all, 1);
	if ((is_ours ? proc_start(&child, argv, NULL) : proc_fork(&child, floor_timed, b)) != 0)
		return false;
	n = receive(b, bus);
	proc_wait(&child, 5000);
	proc_end(&child);
	can_bus_close(bus);
	g->n_lost = b->n - n;
	if (n < b->n)
		return true;
	for (unsigned i = 1; i < n; i++)
		error[i - 1] =
			fabs(b->rx_us[i] - b->rx_us[i - 1] - (double)(b->time_us[i] - b->time_us[i - 1]));
	qsort(error, n - 1, sizeof(error[0]), by_size);
	g->p50_us = error[(n - 1) / 2];
	g->p99_us = error[(size_t)((n - 1) * 0.99)];
	g->drift_us = b->rx_us[n - 1] - b->rx_us[0] - (double)(b->time_us[n - 1] - b->time_us[0]);
	return true;
}

static void tell(const char *who, const struct gaps *g)
{
	if (g->n_lost)
		printf("%s: %u frames lost at the receiver\n", who, g->n_lost);
	else
		printf("%s: gap error p50 %.0f, p99 %.0f us; drift over the run %.0f us\n", who, g->p50_us,
		       g->p99_us, g->drift_us);
}

static void bench_timed(struct bench *b, unsigned n)
{
	struct gaps ours, base;
	double over[N_ROUNDS], drift[N_ROUNDS];

	make_frames(b, n);
	if (!write_log(b)) {
		b->is_missed = true;
		return;
	}
	printf("%u frames, %d us apart\n", n, GAP_US);
	for (unsigned i = 0; i < N_ROUNDS; i++) {
		if (!timed_run(b, false, &base) || !timed_run(b, true, &ours)) {
			b->is_missed = true;
			return;
		}
		tell("  floor         ", &base);
		tell("  bus-log replay", &ours);
		over[i] = ours.n_lost ? INFINITY : ours.p50_us - base.p50_us;
		drift[i] = fabs(ours.drift_us);
	}
	b->is_missed |=
		bench_median(over, N_ROUNDS) > GOAL_US || bench_median(drift, N_ROUNDS) > GOAL_DRIFT_US;
	printf("p50 over the floor %.0f us (goal %.0f us)\n", bench_median(over, N_ROUNDS), GOAL_US);
}

static void bench_fast(struct bench *b, unsigned n)
{
	const char *const argv[] = {b->program, "replay", b->log, "-q", "--speed", "max", "-i", b->url, NULL};
	double rate[N_ROUNDS], base[N_ROUNDS];

	make_frames(b, n);
	if (!write_log(b)) {
		b->is_missed = true;
		return;
	}
	for (unsigned i = 0; i < N_ROUNDS; i++) {
		struct proc_child child;
		double start = bench_now_ns();

		base[i] = floor_fast(b);
		start = bench_now_ns();
		if (proc_start(&child, argv, NULL) != 0 || !proc_wait(&child, 60000) ||
		    proc_exit_code(&child) != 0)
			b->is_missed = true;
		rate[i] = n / (bench_now_ns() - start) * 1e9;
		proc_end(&child);
	}
	printf("full speed: %.0f k frames/s, start of the program included; sendmmsg %.0f k; ratio %.2f\n",
	       bench_median(rate, N_ROUNDS) / 1e3, bench_median(base, N_ROUNDS) / 1e3,
	       bench_median(rate, N_ROUNDS) / bench_median(base, N_ROUNDS));
}

int main(int argc, char **argv)
{
	static struct bench b = {.log = "/tmp/bench_replay.XXXXXX"};
	bool is_quick = argc > 1 && strcmp(argv[1], "--quick") == 0;

	close(mkstemp(b.log));
	if (proc_find_program("bus-log", b.program) && proc_pick_bus(b.url, sizeof(b.url))) {
		bench_timed(&b, is_quick ? N_TIMED_QUICK : N_TIMED);
		bench_fast(&b, is_quick ? N_FAST_QUICK : N_FAST);
	} else {
		puts("bus-log is not built");
		b.is_missed = true;
	}
	unlink(b.log);
	return b.is_missed;
}
