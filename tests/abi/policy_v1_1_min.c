/* SPDX-License-Identifier: MIT */
/*
 * The smallest allocation policy: the two operations that must be there and nothing else, first come first served by the
 * order of the points. It is compiled against the headers of ABI 1.1, frozen in tests/abi/v1_1, for ever; it must load
 * and work in every later host of the same major number.
 */
#include <forecourt/alloc_policy.h>

#define MAX_POINTS 64

static int32_t init(void *self, const struct forecourt_host *host, const struct forecourt_kv *kv,
		    uint32_t n_kv)
{
	(void)self;
	(void)host;
	(void)kv;
	(void)n_kv;
	return 0;
}

static int32_t allocate(void *self, struct alloc_call *call)
{
	const struct alloc_kit *kit = call->kit;
	uint32_t order[MAX_POINTS], n;

	(void)self;
	if (call->n_points > MAX_POINTS)
		return -1;
	n = kit->sort(kit->ctx, NULL, order);
	kit->admit(kit->ctx, order, n);
	kit->fill_order(kit->ctx, order, n);
	kit->climb(kit->ctx, order, n);
	kit->finish(kit->ctx, call->grant, call->grant_stride);
	return 0;
}

static const struct {
	__typeof__(((struct alloc_policy_ops *)0)->init) init;
	__typeof__(((struct alloc_policy_ops *)0)->arena_size) arena_size;
	__typeof__(((struct alloc_policy_ops *)0)->allocate) allocate;
} ops = {init, NULL, allocate}; /* shorter than the header's table: what is missing does not exist */

extern const struct forecourt_plugin forecourt_plugin;
__attribute__((visibility("default"))) const struct forecourt_plugin forecourt_plugin = {
	.magic = FORECOURT_PLUGIN_MAGIC,
	.abi_major = FORECOURT_ABI_MAJOR,
	.abi_minor = FORECOURT_ABI_MINOR,
	.record_size = sizeof(struct forecourt_plugin),
	.kind = FORECOURT_KIND_ALLOC_POLICY,
	.name = "policy_v1_1_min",
	.version = "1.0",
	.ops = &ops,
	.ops_size = sizeof(ops),
};
