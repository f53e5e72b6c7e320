/* SPDX-License-Identifier: MIT */
/*
 * Opening a bus by URL.
 */
#include "lib/can/can_bus.h"

#include <errno.h>

#include "lib/can/can_backends.h"
#include "lib/can/can_url.h"

int can_bus_open(const char *url, struct can_bus **bus, char *err, size_t err_size)
{
	struct can_url u;
	int rc;

	rc = can_url_parse(url, &u, err, err_size);
	if (rc)
		return rc;
	switch (u.kind) {
	case CAN_URL_SOCKETCAN:
		return can_socketcan_open(&u, bus, err, err_size);
	case CAN_URL_UDP:
		return can_udp_open(&u, bus, err, err_size);
	}
	return -EINVAL;
}
