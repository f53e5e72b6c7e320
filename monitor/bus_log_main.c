/* SPDX-License-Identifier: MIT */
/*
 * bus-log: writes what is on a bus into a log that candump, canplayer and log2asc read. Receive only: a frame
 * is never sent. Frames that the kernel dropped are written into the log as a comment, never lost silently.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/can/can_bus.h"
#include "lib/core/frame_text.h"

static volatile sig_atomic_t is_stopping;

static void on_signal(int number)
{
	(void)number;
	is_stopping = 1;
}

static const char usage[] = "usage: bus-log record [-i URL] [FILE]\n"
			    "\n"
			    "Writes every frame of a bus into FILE (standard output without one) in the log\n"
			    "format of candump -L, until SIGINT or SIGTERM.\n"
			    "\n"
			    "  -i, --can URL   can0, vcan0, udp, udp:GROUP:PORT (default can0)\n"
			    "  -h, --help      this text\n"
			    "  -V, --version   version\n"
			    "\n"
			    "Exit status: 0 stopped by a signal, 1 failed, 2 wrong use.\n";

static int64_t clock_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Writes all frames that are waiting; false when the file cannot take them. */
static bool write_waiting(struct can_bus *bus, const char *channel, int64_t wall_us, uint32_t *n_dropped,
			  FILE *file)
{
	char line[FRAME_LOG_LINE_MAX];
	struct can_rx_info info;
	struct can_frame f;

	while (can_bus_recv(bus, &f, &info) > 0) {
		if (info.n_dropped != *n_dropped)
			fprintf(file, "# %u frames lost before the next one\n", info.n_dropped - *n_dropped);
		*n_dropped = info.n_dropped;
		frame_log_write(info.time_us + wall_us, channel, &f, line);
		fprintf(file, "%s\n", line);
	}
	return fflush(file) == 0;
}

static int record(const char *url, FILE *file)
{
	const struct can_filter all = {0, 0};
	int64_t wall_us = clock_us(CLOCK_REALTIME) - clock_us(CLOCK_MONOTONIC);
	const char *channel = strchr(url, ':') || strcmp(url, "udp") == 0 ? "udp" : url;
	uint32_t n_dropped = 0;
	struct can_bus *bus;
	char err[160];
	bool is_good = true;

	if (can_bus_open(url, &bus, err, sizeof(err)) < 0) {
		fprintf(stderr, "bus-log: %s\n", err);
		return 1;
	}
	can_bus_set_filters(bus, &all, 1);
	while (!is_stopping && is_good) {
		struct pollfd p = {.fd = can_bus_fd(bus), .events = POLLIN};

		poll(&p, 1, 200);
		can_bus_service(bus, clock_us(CLOCK_MONOTONIC));
		is_good = write_waiting(bus, channel, wall_us, &n_dropped, file);
	}
	can_bus_close(bus);
	if (!is_good)
		fprintf(stderr, "bus-log: cannot write: %s\n", strerror(errno));
	return is_good ? 0 : 1;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"can", required_argument, NULL, 'i'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	const struct sigaction action = {.sa_handler = on_signal};
	const char *url = "can0";
	FILE *file = stdout;
	int c, status;

	while ((c = getopt_long(argc, argv, "i:hV", options, NULL)) != -1) {
		if (c == 'i') {
			url = optarg;
		} else if (c == 'h' || c == 'V') {
			printf("%s", c == 'h' ? usage : "bus-log " FORECOURT_VERSION "\n");
			return 0;
		} else {
			return 2;
		}
	}
	if (argc - optind < 1 || argc - optind > 2 || strcmp(argv[optind], "record") != 0) {
		fputs(usage, stderr);
		return 2;
	}
	if (argc - optind == 2 && strcmp(argv[optind + 1], "-") != 0 &&
	    !(file = fopen(argv[optind + 1], "w"))) {
		fprintf(stderr, "bus-log: %s: %s\n", argv[optind + 1], strerror(errno));
		return 1;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	status = record(url, file);
	if (fclose(file) != 0)
		status = 1;
	return status;
}
