/* SPDX-License-Identifier: MIT */
/*
 * A bus to listen to. A program that opens its buses here and not with can_bus_open() has no function
 * linked that could send a frame or restart a controller: the sending halves of the backends are
 * translation units of their own, and only can_bus_open() refers to them (tests/rx_only.sh looks at the
 * programs).
 */
#ifndef CAN_CAN_BUS_RX_H
#define CAN_CAN_BUS_RX_H

#include <stddef.h>
#include <stdint.h>

#include "lib/can/can_bus.h"

/*
 * URLs, errors and use as with can_bus_open(); can_bus_send() gives -EPERM. The receive buffer is as large
 * as the system lets us have, at most CAN_BUS_RX_BYTES, so that the listener may come once in a while
 * rather than for every frame.
 */
#define CAN_BUS_RX_BYTES (4 * 1024 * 1024)
int can_bus_open_rx(const char *url, struct can_bus **bus, char *err, size_t err_size);
/* Frames that surely fit into the receive buffer, while nobody reads. */
uint32_t can_bus_rx_room(const struct can_bus *bus);

#endif
