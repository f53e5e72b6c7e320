/* SPDX-License-Identifier: MIT */
/*
 * Requests of the control socket. Pure.
 *
 *     status | points [NAME...] | rows [NAME...] | show | counters | faults
 *     limit PLACE [L1|L2|L3|power] VALUE [SECONDS]     A, or kW for power; the operator's
 *     external PLACE [L1|L2|L3|power] VALUE [SECONDS]  the same, of the grid or a meter
 *     unlimit PLACE [external]
 *     meter NODE L1 L2 L3                              reading of the other loads there, in A
 *     policy NAME|none [KEY=VALUE...] | shadow NAME|none [KEY=VALUE...]
 *     priority POINT CLASS|default                     until the vehicle leaves
 *     get [KEY...] | set KEY VALUE...
 *
 * ("stats", "log" and "quit" are the runner's.)
 */
#ifndef SITE_SITE_CTL_H
#define SITE_SITE_CTL_H

#include <stddef.h>
#include <stdint.h>

struct out_queue;

/* machine_ops.command; self: struct site. */
int site_ctl_command(void *self, int64_t now_us, const char *line, char *answer, size_t size,
		     struct out_queue *out);
/* Names for people. */
const char *site_role_name(unsigned role);
const char *site_reason_name(unsigned reason);

#endif
