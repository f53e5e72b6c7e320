/* SPDX-License-Identifier: MIT */
/*
 * Which frames are meant: identifiers, identifiers with a mask, and names of messages.
 */
#ifndef MONITOR_BUS_LOG_FILTER_H
#define MONITOR_BUS_LOG_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/can.h>

#include "monitor/bus_log_args.h"

#define FILTER_MAX 128

struct id_filter {
	struct can_filter rule[FILTER_MAX]; /* as the kernel has them: id & mask == rule & mask */
	unsigned n;
};

/*
 * Items of a list, each several with commas between them: "123", "0106B000" (8 digits: 29 bits), "123:7F0" (only the
 * bits of the mask count), or the name of a message of the interfaces or the virtual plug, of every point. 0 or
 * -EINVAL with a sentence.
 */
int filter_take(struct id_filter *f, const struct arg_list *list, char *err, size_t err_size);
/*
 * A message of the interfaces or the virtual plug, of every point; one of the vehicle with 29 bits, too (rule P-02).
 * Nothing where there is no room.
 */
void filter_add_message(struct id_filter *f, canid_t id);
/* Does one rule fit? An empty filter fits nothing. Error frames fit never. */
bool filter_fits(const struct id_filter *f, canid_t id);

#endif
