/* SPDX-License-Identifier: MIT */
/*
 * What the built-in policies have in common: an arena of a few arrays over points, and who goes first among equals.
 * Pure.
 */
#ifndef SITE_POLICIES_POLICY_ARENA_H
#define SITE_POLICIES_POLICY_ARENA_H

#include <forecourt/alloc_policy.h>

struct policy_arena {
	int64_t *key, *weight, *offset_mA; /* n_points each */
	uint32_t *order;
};

static inline uint64_t policy_arena_size(const void *self, const struct alloc_site *site)
{
	(void)self;
	return (uint64_t)site->n_points * (3 * sizeof(int64_t) + sizeof(uint32_t));
}

static inline struct policy_arena policy_arena_of(const struct alloc_call *call)
{
	struct policy_arena a;

	a.key = call->arena;
	a.weight = a.key + call->n_points;
	a.offset_mA = a.weight + call->n_points;
	a.order = (uint32_t *)(void *)(a.offset_mA + call->n_points);
	return a;
}

/* No options. */
static inline int32_t policy_no_init(void *self, const struct forecourt_host *host,
				     const struct forecourt_kv *kv, uint32_t n_kv)
{
	(void)self;
	(void)host;
	(void)kv;
	(void)n_kv;
	return 0;
}

/* By a time, the earliest first, unknown ones last; of equals those first who charge. */
static inline int64_t policy_key_by_time(const struct alloc_point *p, int64_t time_us)
{
	int64_t limit = INT64_MAX / 4;

	if (time_us == ALLOC_UNKNOWN || time_us > limit)
		time_us = limit;
	if (time_us < -limit)
		time_us = -limit;
	return 2 * time_us + (p->state != ALLOC_CHARGING);
}

/*
 * For policies that have no order of their own: whoever charges keeps his place, since switching costs; who has
 * charged longest is the first to lose it, and of those who wait the one who has waited longest is the next.
 */
static inline int64_t policy_key_by_turn(const struct alloc_point *p)
{
	int64_t changed_us = p->changed_us == ALLOC_UNKNOWN ? p->since_us : p->changed_us;
	int64_t limit = INT64_MAX / 4;

	if (changed_us < 0)
		changed_us = 0;
	if (changed_us > limit)
		changed_us = limit;
	return p->state == ALLOC_CHARGING ? -changed_us - 1 : changed_us;
}

#endif
