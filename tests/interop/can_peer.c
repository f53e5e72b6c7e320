/* SPDX-License-Identifier: MIT */
/*
 * A bus for a test script: frames received go to stdout as candump text, one a line; lines of stdin are sent.
 * Ends with its input; then prints "bad N", the number of datagrams that were dropped. usage: can_peer URL
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <forecourt/units.h>

#include "lib/can/can_bus.h"
#include "lib/core/frame_text.h"

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * FC_US_PER_S + t.tv_nsec / 1000;
}

static int print_received(struct can_bus *bus)
{
	char text[FRAME_TEXT_MAX];
	struct can_rx_info info;
	struct can_frame f;
	int rc;

	while ((rc = can_bus_recv(bus, &f, &info)) == 1) {
		frame_text_write(&f, text);
		puts(text);
	}
	return rc;
}

static int send_line(struct can_bus *bus)
{
	char line[FRAME_TEXT_MAX + 2];
	struct can_frame f;

	/* Unbuffered, so that poll knows of every line. */
	if (!fgets(line, sizeof(line), stdin))
		return 1;
	if (frame_text_read(line, strcspn(line, "\n"), &f) != 0)
		return -EINVAL;
	return can_bus_send(bus, &f);
}

int main(int argc, char **argv)
{
	struct can_filter all = can_filter_all();
	struct pollfd p[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.events = POLLIN}};
	struct can_bus *bus;
	char err[256];
	int rc = 0;

	if (argc != 2 || can_bus_open(argv[1], &bus, err, sizeof(err)) != 0) {
		fprintf(stderr, "can_peer: %s\n", argc != 2 ? "usage: can_peer URL" : err);
		return 2;
	}
	setvbuf(stdin, NULL, _IONBF, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	can_bus_set_filters(bus, &all, 1);
	puts("ready");
	p[1].fd = can_bus_fd(bus);
	while (rc == 0) {
		can_bus_service(bus, now_us());
		if (poll(p, 2, 100) < 0 && errno != EINTR)
			rc = -errno;
		if (rc == 0)
			rc = print_received(bus);
		if (rc == 0 && p[0].revents)
			rc = send_line(bus);
	}
	if (rc < 0)
		fprintf(stderr, "can_peer: %s\n", strerror(-rc));
	printf("bad %llu\n", (unsigned long long)bus->stats.n_rx_bad);
	can_bus_close(bus);
	return rc < 0;
}
