/* SPDX-License-Identifier: MIT */
/*
 * The backends behind can_bus_open and can_bus_open_rx. Each: 0, or a negative errno with a sentence in err.
 */
#ifndef CAN_CAN_BACKENDS_H
#define CAN_CAN_BACKENDS_H

#include <stddef.h>

#include "lib/can/can_bus.h"
#include "lib/can/can_url.h"

int can_socketcan_open(const struct can_url *url, struct can_bus **bus, char *err, size_t err_size);
int can_udp_open(const struct can_url *url, struct can_bus **bus, char *err, size_t err_size);
/* Without the sending half. */
int can_socketcan_open_rx(const struct can_url *url, struct can_bus **bus, char *err, size_t err_size);
int can_udp_open_rx(const struct can_url *url, struct can_bus **bus, char *err, size_t err_size);

#endif
