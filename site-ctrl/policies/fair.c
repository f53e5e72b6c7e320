/* SPDX-License-Identifier: MIT */
/*
 * Weighted max-min: one level rises for all, current = weight x level between minimum and maximum, and who is in a full
 * row stops. Nobody can get more without taking it from someone who has less for his weight. Needs nothing from
 * the driver; the default. Pure.
 */
#include "site-ctrl/policies/policies.h"
#include "site-ctrl/policies/policy_arena.h"

static int32_t allocate(void *self, struct alloc_call *call)
{
	struct policy_arena a = policy_arena_of(call);
	const struct alloc_kit *kit = call->kit;
	uint32_t n;

	(void)self;
	for (uint32_t i = 0; i < call->n_points; i++) {
		const struct alloc_point *p = alloc_point_at(call, i);

		a.key[i] = policy_key_by_turn(p);
		a.weight[i] = p->weight_permille;
	}
	n = kit->sort(kit->ctx, a.key, a.order);
	kit->admit(kit->ctx, a.order, n);
	kit->fill_level(kit->ctx, a.weight, NULL);
	kit->climb(kit->ctx, a.order, n);
	kit->finish(kit->ctx, call->grant, call->grant_stride);
	return 0;
}

static const struct alloc_policy_ops ops = {
	.init = policy_no_init,
	.arena_size = policy_arena_size,
	.allocate = allocate,
};

const struct forecourt_plugin policy_fair = {
	.magic = FORECOURT_PLUGIN_MAGIC,
	.abi_major = FORECOURT_ABI_MAJOR,
	.abi_minor = FORECOURT_ABI_MINOR,
	.record_size = sizeof(struct forecourt_plugin),
	.kind = FORECOURT_KIND_ALLOC_POLICY,
	.name = "fair",
	.version = FORECOURT_VERSION,
	.ops = &ops,
	.ops_size = sizeof(ops),
};
