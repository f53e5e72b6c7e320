/* SPDX-License-Identifier: MIT */
/* The floor beside a monitor. */
#include "bench/proc_dump.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/can/can_udp_codec.h"
#include "lib/core/frame_text.h"

#define GROUP "239.74.163.2"

static int open_socket(const char *url)
{
	const char *port = strrchr(url, ':');
	const int on = 1, size = 1024 * 1024;
	struct sockaddr_in group = {.sin_family = AF_INET};
	struct ip_mreqn m = {.imr_address = {.s_addr = htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	group.sin_port = htons((uint16_t)(port ? strtoul(port + 1, NULL, 10) : 0));
	inet_pton(AF_INET, GROUP, &group.sin_addr);
	m.imr_multiaddr = group.sin_addr;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	if (fd < 0 || bind(fd, (const struct sockaddr *)&group, sizeof(group)) ||
	    setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)))
		return -1;
	return fd;
}

static int64_t stamp_of(struct msghdr *h)
{
	struct cmsghdr *c;
	struct timespec t;

	for (c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&t, CMSG_DATA(c), sizeof(t));
			return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
		}
	return 0;
}

static void dump_one(int fd, FILE *out)
{
	uint8_t data[CAN_UDP_READ_MAX];
	char control[CMSG_SPACE(sizeof(struct timespec))], line[FRAME_LOG_LINE_MAX];
	struct iovec iov = {data, sizeof(data)};
	struct msghdr h = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &h, 0);
	struct can_frame f;
	size_t len;

	if (n <= 0 || can_udp_decode(data, (size_t)n, &f))
		return;
	len = frame_log_write(stamp_of(&h), "udp", &f, line);
	line[len++] = '\n';
	fwrite(line, 1, len, out);
}

static int run(void *ctx)
{
	struct epoll_event e = {.events = EPOLLIN};
	int fd = open_socket(ctx), epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	FILE *out = fopen("/dev/null", "we");

	if (fd < 0 || epoll_fd < 0 || !out || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e))
		return 1;
	for (;;)
		if (epoll_wait(epoll_fd, &e, 1, -1) == 1)
			dump_one(fd, out);
}

int dump_start(struct proc_child *c, const char *url)
{
	return proc_fork(c, run, (void *)(uintptr_t)url);
}
