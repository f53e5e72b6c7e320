/* SPDX-License-Identifier: MIT */
/*
 * Receive filters in software, with the kernel's meaning of struct can_filter, for buses without a kernel.
 * Pure.
 *
 * Exact filters of data frames (the usual kind, see can_filter_exact) are looked up in a hash; all others are
 * tried in turn.
 */
#ifndef CAN_CAN_FILTER_SET_H
#define CAN_CAN_FILTER_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/can/can_bus.h"

#define CAN_FILTER_HASH_LEN (2 * CAN_BUS_MAX_FILTERS) /* power of two; never more than half full */

struct can_filter_set {
	uint32_t hash[CAN_FILTER_HASH_LEN]; /* identifiers; CAN_FILTER_NO_ID: free */
	struct can_filter general[CAN_BUS_MAX_FILTERS];
	size_t n_general, n_exact;
};

/* True when one filter lets a frame with this identifier (flags included) pass; never for error frames. */
bool can_filter_match(const struct can_filter *filter, canid_t can_id);

void can_filter_set_init(struct can_filter_set *set);
/* 0 or -E2BIG; then the set is unchanged. */
int can_filter_set_put(struct can_filter_set *set, const struct can_filter *f, size_t n);
/* Error frames pass by CAN_BUS_ERR_MASK, whatever the filters. */
bool can_filter_set_match(const struct can_filter_set *set, canid_t can_id);

#endif
