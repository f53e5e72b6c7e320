/* SPDX-License-Identifier: MIT */
/*
 * A whole allocation policy: fair shares, but while energy costs more than price_max nobody gets more than the
 * minimum. Build it with the installed headers alone:
 *
 *     cc -std=c11 -fPIC -shared -fvisibility=hidden -Iinclude -o thrifty.so alloc_policy_example.c
 *     site-ctrl --policy $PWD/thrifty.so --policy-options price_max=30
 */
#include <forecourt/alloc_policy.h>

#include <errno.h>
#include <stdlib.h>

static int32_t init(void *self, const struct forecourt_host *host, const struct forecourt_kv *kv,
		    uint32_t n_kv)
{
	int64_t *price_max = self; /* the whole state */
	char *end;

	*price_max = 30;
	for (uint32_t i = 0; i < n_kv; i++) { /* the host knows that it is price_max */
		*price_max = strtoll(kv[i].value, &end, 10);
		if (end == kv[i].value || *end) {
			host->log(host->ctx, FORECOURT_LOG_ERROR, "price_max must be a whole number");
			return -EINVAL;
		}
	}
	return 0;
}

static uint64_t arena_size(const void *self, const struct alloc_site *site)
{
	(void)self;
	return (uint64_t)site->n_points * (sizeof(int64_t) + sizeof(uint32_t));
}

/* The step that holds now, and when the next one begins. */
static int32_t price_now(struct alloc_call *call)
{
	int32_t price = 0;

	for (uint32_t i = 0; i < call->n_outlook; i++) {
		const struct alloc_outlook *o =
			(const void *)((const char *)call->outlook + (size_t)i * call->outlook_stride);

		if (o->from_us > call->now_us) {
			call->again_us = o->from_us;
			break;
		}
		price = o->price;
	}
	return price;
}

static int32_t allocate(void *self, struct alloc_call *call)
{
	const int64_t *price_max = self;
	const struct alloc_kit *kit = call->kit;
	int64_t *key = call->arena;
	uint32_t *order = (uint32_t *)(void *)(key + call->n_points), n;
	bool is_dear = price_now(call) > *price_max;

	for (uint32_t i = 0; i < call->n_points; i++) {
		const struct alloc_point *p = alloc_point_at(call, i);

		key[i] = p->since_us;
		if (is_dear)
			kit->cap(kit->ctx, i, p->min_mA);
	}
	n = kit->sort(kit->ctx, key, order);   /* who is first when not all minima fit */
	kit->admit(kit->ctx, order, n);	       /* minima */
	kit->fill_level(kit->ctx, NULL, NULL); /* equal shares of the rest */
	kit->climb(kit->ctx, order, n);	       /* whole steps */
	kit->finish(kit->ctx, call->grant, call->grant_stride);
	return 0;
}

static const struct alloc_policy_ops ops = {.init = init, .arena_size = arena_size, .allocate = allocate};

static const struct forecourt_option options[] = {
	{"price_max", "", "30", "above it everybody has the minimum"}};

extern const struct forecourt_plugin forecourt_plugin;
__attribute__((visibility("default"))) const struct forecourt_plugin forecourt_plugin = {
	.magic = FORECOURT_PLUGIN_MAGIC,
	.abi_major = FORECOURT_ABI_MAJOR,
	.abi_minor = FORECOURT_ABI_MINOR,
	.record_size = sizeof(struct forecourt_plugin),
	.kind = FORECOURT_KIND_ALLOC_POLICY,
	.name = "thrifty",
	.version = "1.0",
	.ops = &ops,
	.ops_size = sizeof(ops),
	.state_size = sizeof(int64_t),
	.options = options,
	.n_options = 1,
	.option_stride = sizeof(options[0]),
};
