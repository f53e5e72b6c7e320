/* SPDX-License-Identifier: MIT */
/*
 * Tells the service manager that we are ready, stopping, and alive: the datagrams of the notification protocol
 * ($NOTIFY_SOCKET), and the watchdog of WATCHDOG_USEC at half of its time. Without these variables every call
 * does nothing.
 */
#ifndef LINUX_NOTIFY_H
#define LINUX_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

struct notify {
	int fd;		     /* -1: nobody listens */
	int64_t interval_us; /* half of the watchdog time; 0: no watchdog */
	int64_t due_us;	     /* next sign of life; FC_NEVER: none */
};

/* Reads the environment. 0, or a negative errno: the socket named there cannot be used. */
int notify_open(struct notify *n, int64_t now_us);
void notify_close(struct notify *n);
void notify_ready(struct notify *n);
void notify_stopping(struct notify *n);
/*
 * Called in every wake-up with whether the cycle really runs. Sends the sign of life when it is time and
 * is_alive; a machine that hangs is thus restarted by the service manager.
 */
void notify_alive(struct notify *n, int64_t now_us, bool is_alive);
/*
 * When a wake-up is needed for the sign of life alone, given the machine's next one: FC_NEVER when that one
 * comes early enough to carry it.
 */
int64_t notify_next_us(const struct notify *n, int64_t machine_next_us);

#endif
