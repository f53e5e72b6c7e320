/* SPDX-License-Identifier: MIT */
/*
 * The URL of a bus taken apart; the forms are in can_bus.h. Pure.
 */
#ifndef CAN_CAN_URL_H
#define CAN_CAN_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAN_URL_IFACE_MAX 16 /* IFNAMSIZ of the kernel, with the final NUL */

/* Group and port of python-can's udp_multicast bus for IPv4. */
#define CAN_URL_UDP_GROUP 0xef4aa302u /* 239.74.163.2, host byte order */
#define CAN_URL_UDP_PORT  43113

enum can_url_kind { CAN_URL_SOCKETCAN, CAN_URL_UDP };

struct can_url {
	enum can_url_kind kind;
	char iface[CAN_URL_IFACE_MAX]; /* SocketCAN interface, or the network interface of the group */
	uint32_t group;		       /* UDP: IPv4 address, host byte order */
	uint16_t port;
	uint8_t ttl; /* UDP: 0 stays on the host; default 0 on the loopback, 1 elsewhere */
	bool has_echo;
};

/* 0, or -EINVAL with a sentence in err; *url untouched on failure. */
int can_url_parse(const char *text, struct can_url *url, char *err, size_t err_size);

#endif
