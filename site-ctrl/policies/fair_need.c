/* SPDX-License-Identifier: MIT */
/*
 * Fair in energy: weighted max-min with the current that a vehicle needs from now to its departure as the weight, so
 * that shares of what each wants grow alike. Who did not say what or until when is taken for the median of those
 * who did; if nobody did, all are equal. Pure.
 */
#include "site-ctrl/policies/policies.h"
#include "site-ctrl/policies/policy_arena.h"

#define LEAST_ms    300000	       /* overdue, or nearly: as if five minutes were left */
#define MAX_mWh	    (INT64_C(1) << 40) /* 1.1 MWh */
#define MAX_mW	    (INT64_C(1) << 33) /* 8.6 MW */
#define uA_PER_mA   1000
#define MAX_WEIGHT  100000 /* permille */
#define ms_PER_HOUR INT64_C(3600000)

/* Current needed on average, in uA; 0: unknown. */
static int64_t need_uA(const struct alloc_point *p, int64_t now_us)
{
	int64_t left_ms, need_mW;

	if (p->energy_mWh == ALLOC_UNKNOWN || p->departure_us == ALLOC_UNKNOWN || p->energy_mWh <= 0)
		return 0;
	left_ms = p->departure_us > now_us ? (p->departure_us - now_us) / FC_US_PER_MS : 0;
	if (left_ms < LEAST_ms)
		left_ms = LEAST_ms;
	need_mW = fc_min_i64(p->energy_mWh, MAX_mWh) * ms_PER_HOUR / left_ms;
	return fc_min_i64(need_mW, MAX_mW) * uA_PER_mA / (p->mW_per_mA > 0 ? p->mW_per_mA : 1) + 1;
}

/* Of the positive ones; 0 when there are none. By halving the range of values: no memory, no order needed. */
static int64_t median_of(const int64_t *value, uint32_t n)
{
	int64_t low = INT64_MAX, high = 0;
	uint32_t n_known = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (value[i] <= 0)
			continue;
		n_known++;
		low = fc_min_i64(low, value[i]);
		high = value[i] > high ? value[i] : high;
	}
	while (n_known && low < high) {
		int64_t middle = low + (high - low) / 2;
		uint32_t n_below = 0;

		for (uint32_t i = 0; i < n; i++)
			n_below += value[i] > 0 && value[i] <= middle;
		if (n_below >= (n_known + 1) / 2)
			high = middle;
		else
			low = middle + 1;
	}
	return n_known ? low : 0;
}

static int32_t allocate(void *self, struct alloc_call *call)
{
	struct policy_arena a = policy_arena_of(call);
	const struct alloc_kit *kit = call->kit;
	int64_t median;
	uint32_t n;

	(void)self;
	for (uint32_t i = 0; i < call->n_points; i++) {
		const struct alloc_point *p = alloc_point_at(call, i);

		a.key[i] = policy_key_by_turn(p);
		a.weight[i] = alloc_wants(p) ? need_uA(p, call->now_us) : 0;
	}
	median = median_of(a.weight, call->n_points);
	for (uint32_t i = 0; i < call->n_points; i++) {
		int64_t need = a.weight[i] > 0 ? a.weight[i] : median > 0 ? median : 1;

		a.weight[i] = need * fc_min_i32(alloc_point_at(call, i)->weight_permille, MAX_WEIGHT);
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

const struct forecourt_plugin policy_fair_need = {
	.magic = FORECOURT_PLUGIN_MAGIC,
	.abi_major = FORECOURT_ABI_MAJOR,
	.abi_minor = FORECOURT_ABI_MINOR,
	.record_size = sizeof(struct forecourt_plugin),
	.kind = FORECOURT_KIND_ALLOC_POLICY,
	.name = "fair-need",
	.version = FORECOURT_VERSION,
	.ops = &ops,
	.ops_size = sizeof(ops),
};
