/* SPDX-License-Identifier: MIT */
/*
 * Strict classes: nobody of a lower class gets more than his minimum while someone of a higher one who shares a full row
 * could use it. Within a class all share one level, equally: the classes are the whole of what the operator said,
 * and an order by arrival inside of them is what fcfs is for. Pure.
 *
 * One rising level does it: each class begins to rise where the one before it has reached the largest maximum. Offsets
 * beyond 537 kA count as that; far more classes than anybody configures fit below it.
 */
#include "site-ctrl/policies/policies.h"
#include "site-ctrl/policies/policy_arena.h"

static int32_t allocate(void *self, struct alloc_call *call)
{
	struct policy_arena a = policy_arena_of(call);
	const struct alloc_kit *kit = call->kit;
	int64_t top_mA = 0, offset_mA = 0;
	uint32_t n;

	(void)self;
	for (uint32_t i = 0; i < call->n_points; i++) {
		const struct alloc_point *p = alloc_point_at(call, i);

		a.key[i] = policy_key_by_time(p, p->since_us);
		a.weight[i] = 1;
		top_mA = p->max_mA > top_mA ? p->max_mA : top_mA;
	}
	n = kit->sort(kit->ctx, a.key, a.order);
	for (uint32_t at = 0; at < n; at++) {
		uint32_t i = a.order[at];

		if (at > 0 && alloc_point_at(call, i)->class != alloc_point_at(call, a.order[at - 1])->class)
			offset_mA -= top_mA + 1;
		a.offset_mA[i] = offset_mA;
	}
	kit->admit(kit->ctx, a.order, n);
	kit->fill_level(kit->ctx, a.weight, a.offset_mA);
	kit->climb(kit->ctx, a.order, n);
	kit->finish(kit->ctx, call->grant, call->grant_stride);
	return 0;
}

static const struct alloc_policy_ops ops = {
	.init = policy_no_init,
	.arena_size = policy_arena_size,
	.allocate = allocate,
};

const struct forecourt_plugin policy_priority = {
	.magic = FORECOURT_PLUGIN_MAGIC,
	.abi_major = FORECOURT_ABI_MAJOR,
	.abi_minor = FORECOURT_ABI_MINOR,
	.record_size = sizeof(struct forecourt_plugin),
	.kind = FORECOURT_KIND_ALLOC_POLICY,
	.name = "priority",
	.version = FORECOURT_VERSION,
	.ops = &ops,
	.ops_size = sizeof(ops),
};
