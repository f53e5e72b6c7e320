/* SPDX-License-Identifier: MIT */
/*
 * Earliest departure first: in the order of departure, each the most that fits once everybody who can be served has
 * his minimum. Who did not say when goes last. Pure.
 */
#include "site-ctrl/policies/policies.h"
#include "site-ctrl/policies/policy_arena.h"

static int32_t allocate(void *self, struct alloc_call *call)
{
	struct policy_arena a = policy_arena_of(call);
	const struct alloc_kit *kit = call->kit;
	uint32_t n;

	(void)self;
	for (uint32_t i = 0; i < call->n_points; i++)
		a.key[i] = policy_key_by_time(alloc_point_at(call, i), alloc_point_at(call, i)->departure_us);
	n = kit->sort(kit->ctx, a.key, a.order);
	kit->admit(kit->ctx, a.order, n);
	kit->fill_order(kit->ctx, a.order, n);
	kit->climb(kit->ctx, a.order, n);
	kit->finish(kit->ctx, call->grant, call->grant_stride);
	return 0;
}

static const struct alloc_policy_ops ops = {
	.init = policy_no_init,
	.arena_size = policy_arena_size,
	.allocate = allocate,
};

const struct forecourt_plugin policy_edf = {
	.magic = FORECOURT_PLUGIN_MAGIC,
	.abi_major = FORECOURT_ABI_MAJOR,
	.abi_minor = FORECOURT_ABI_MINOR,
	.record_size = sizeof(struct forecourt_plugin),
	.kind = FORECOURT_KIND_ALLOC_POLICY,
	.name = "edf",
	.version = FORECOURT_VERSION,
	.ops = &ops,
	.ops_size = sizeof(ops),
};
