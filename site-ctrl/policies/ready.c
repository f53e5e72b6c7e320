/* SPDX-License-Identifier: MIT */
/*
 * Ready by schedule: what is delivered counts, and that of whoever can least wait counts most. The worth of
 * an ampere falls with laxity, the time that would be left if a vehicle charged at its maximum from now on: 1
 * when there is none, one half at half_worth_min, and so on as half_worth_min / (half_worth_min + laxity).
 * The kit then looks for the largest sum of worth x current that the rows allow, so that currents of several
 * phases are put together where they fit. Pure.
 *
 * Who did not say until when or how much counts as one who can wait half_worth_min. Overdue ones have no
 * laxity left. Whoever charges is worth hold_permille of that, so that two who are nearly alike do not take
 * turns.
 *
 * Nobody is admitted beforehand: minima for all who come would fill the rows in any order but the best. The
 * filling gives nothing or at least the minimum, and what is left over in the order of worth.
 */
#include <errno.h>

#include "site-ctrl/policies/policies.h"
#include "site-ctrl/policies/policy_arena.h"
#include "site-ctrl/policies/policy_laxity.h"
#include "site-ctrl/policies/policy_option.h"

#define MAX_MIN	   10080   /* a week */
#define MAX_HOLD   10000   /* permille */
#define MAX_WEIGHT 1000000 /* permille */
#define PERMILLE   1000

struct ready {
	int64_t half_worth_us;
	int64_t hold_permille;
};

static const struct ready defaults = {.half_worth_us = 120 * POLICY_US_PER_MIN, .hold_permille = 1100};

static int64_t worth_of(const struct ready *r, const struct alloc_point *p, int64_t now_us)
{
	int64_t worth = policy_worth(p, now_us, r->half_worth_us);

	worth = worth * fc_min_i32(p->weight_permille, MAX_WEIGHT) / PERMILLE;
	return worth > 0 ? worth : 1;
}

static int32_t allocate(void *self, struct alloc_call *call)
{
	const struct ready *r = self ? self : &defaults;
	struct policy_arena a = policy_arena_of(call);
	const struct alloc_kit *kit = call->kit;

	for (uint32_t i = 0; i < call->n_points; i++) {
		const struct alloc_point *p = alloc_point_at(call, i);

		a.weight[i] = alloc_wants(p) ? worth_of(r, p, call->now_us) : 0;
	}
	kit->fill_price_steady(kit->ctx, a.weight, (int32_t)r->hold_permille);
	kit->finish(kit->ctx, call->grant, call->grant_stride);
	return 0;
}

static int32_t init(void *self, const struct forecourt_host *host, const struct forecourt_kv *kv,
		    uint32_t n_kv)
{
	struct ready *r = self;
	int64_t half_worth_min = defaults.half_worth_us / POLICY_US_PER_MIN;

	*r = defaults;
	for (uint32_t i = 0; i < n_kv; i++) {
		if (policy_option_is(&kv[i], "half_worth_min")) {
			if (!policy_number(host, &kv[i], 1, MAX_MIN, &half_worth_min))
				return -EINVAL;
		} else if (policy_option_is(&kv[i], "hold_permille")) {
			if (!policy_number(host, &kv[i], PERMILLE, MAX_HOLD, &r->hold_permille))
				return -EINVAL;
		}
	}
	r->half_worth_us = half_worth_min * POLICY_US_PER_MIN;
	return 0;
}

static const struct forecourt_option options[] = {
	{"half_worth_min", "min", "120", "laxity that halves the worth of an ampere, 1..10080"},
	{"hold_permille", "permille", "1100", "worth of who charges, 1000..10000; 1000: no hysteresis"},
};

static const struct alloc_policy_ops ops = {
	.init = init,
	.arena_size = policy_arena_size,
	.allocate = allocate,
};

const struct forecourt_plugin policy_ready = {
	.magic = FORECOURT_PLUGIN_MAGIC,
	.abi_major = FORECOURT_ABI_MAJOR,
	.abi_minor = FORECOURT_ABI_MINOR,
	.record_size = sizeof(struct forecourt_plugin),
	.kind = FORECOURT_KIND_ALLOC_POLICY,
	.name = "ready",
	.version = FORECOURT_VERSION,
	.ops = &ops,
	.ops_size = sizeof(ops),
	.state_size = sizeof(struct ready),
	.options = options,
	.n_options = sizeof(options) / sizeof(options[0]),
	.option_stride = sizeof(options[0]),
};
