/* SPDX-License-Identifier: MIT */
/*
 * Opening a bus to listen to.
 */
#include "lib/can/can_bus_rx.h"

#include <errno.h>
#include <sys/socket.h>

#include "lib/can/can_backends.h"
#include "lib/can/can_url.h"

/* What the kernel takes of the buffer for a frame: 768 bytes on CAN and on the loopback, 1280 behind some cards. */
#define BYTES_PER_FRAME 1280

static void grow(int fd)
{
	const int size = CAN_BUS_RX_BYTES;

	/* Past the system's limit if we may (CAP_NET_ADMIN), else up to it. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

int can_bus_open_rx(const char *url, struct can_bus **bus, char *err, size_t err_size)
{
	struct can_url u;
	int rc = can_url_parse(url, &u, err, err_size);

	if (rc)
		return rc;
	switch (u.kind) {
	case CAN_URL_SOCKETCAN:
		rc = can_socketcan_open_rx(&u, bus, err, err_size);
		break;
	case CAN_URL_UDP:
		rc = can_udp_open_rx(&u, bus, err, err_size);
		break;
	}
	if (rc == 0)
		grow(can_bus_fd(*bus));
	return rc;
}

uint32_t can_bus_rx_room(const struct can_bus *bus)
{
	int bytes = 0;
	socklen_t len = sizeof(bytes);

	if (getsockopt(can_bus_fd(bus), SOL_SOCKET, SO_RCVBUF, &bytes, &len) != 0 || bytes < 0)
		return 0;
	return (uint32_t)bytes / BYTES_PER_FRAME;
}
