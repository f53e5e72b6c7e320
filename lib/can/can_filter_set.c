/* SPDX-License-Identifier: MIT */
/*
 * Receive filters in software, with the kernel's meaning. Pure.
 */
#include "lib/can/can_filter_set.h"

#include <errno.h>
#include <string.h>

/* No frame has it: error and remote flag together with all bits of an identifier. */
#define CAN_FILTER_NO_ID UINT32_MAX

static uint32_t hash_of(canid_t id)
{
	return (id * 2654435769u) >> 22; /* Fibonacci hashing to the ten bits of CAN_FILTER_HASH_LEN */
}

_Static_assert(CAN_FILTER_HASH_LEN == 1 << 10, "hash_of gives ten bits");

bool can_filter_match(const struct can_filter *filter, canid_t can_id)
{
	canid_t mask = filter->can_mask;
	bool is_equal;

	if (can_id & CAN_ERR_FLAG || mask & CAN_ERR_FLAG)
		return false;
	/* A filter that asks for 11-bit frames compares 11 bits only. */
	if (mask & CAN_EFF_FLAG && !(filter->can_id & CAN_EFF_FLAG))
		mask &= CAN_SFF_MASK | CAN_EFF_FLAG | CAN_RTR_FLAG;
	is_equal = (can_id & mask) == (filter->can_id & mask);
	return filter->can_id & CAN_INV_FILTER ? !is_equal : is_equal;
}

/* One identifier, data frames only, so that a hash can decide it. */
static bool is_exact(const struct can_filter *f)
{
	canid_t needed =
		CAN_EFF_FLAG | CAN_RTR_FLAG | (f->can_id & CAN_EFF_FLAG ? CAN_EFF_MASK : CAN_SFF_MASK);

	return (f->can_mask & needed) == needed && !(f->can_mask & CAN_ERR_FLAG) &&
	       !(f->can_id & (CAN_INV_FILTER | CAN_RTR_FLAG));
}

void can_filter_set_init(struct can_filter_set *set)
{
	memset(set->hash, 0xff, sizeof(set->hash));
	set->n_general = 0;
	set->n_exact = 0;
}

static void put_exact(struct can_filter_set *set, canid_t id)
{
	uint32_t i = hash_of(id);

	while (set->hash[i] != CAN_FILTER_NO_ID && set->hash[i] != id)
		i = (i + 1) % CAN_FILTER_HASH_LEN;
	if (set->hash[i] == id)
		return;
	set->hash[i] = id;
	set->n_exact++;
}

int can_filter_set_put(struct can_filter_set *set, const struct can_filter *f, size_t n)
{
	size_t i;

	if (n > CAN_BUS_MAX_FILTERS)
		return -E2BIG;
	can_filter_set_init(set);
	for (i = 0; i < n; i++) {
		if (!is_exact(&f[i]))
			set->general[set->n_general++] = f[i];
		else if (f[i].can_id & CAN_EFF_FLAG)
			put_exact(set, f[i].can_id & (CAN_EFF_FLAG | CAN_EFF_MASK));
		else
			put_exact(set, f[i].can_id & CAN_SFF_MASK);
	}
	return 0;
}

bool can_filter_set_match(const struct can_filter_set *set, canid_t can_id)
{
	uint32_t i;
	size_t k;

	if (can_id & CAN_ERR_FLAG)
		return (can_id & CAN_BUS_ERR_MASK) != 0;
	for (i = hash_of(can_id); set->hash[i] != CAN_FILTER_NO_ID; i = (i + 1) % CAN_FILTER_HASH_LEN)
		if (set->hash[i] == can_id)
			return true;
	for (k = 0; k < set->n_general; k++)
		if (can_filter_match(&set->general[k], can_id))
			return true;
	return false;
}
