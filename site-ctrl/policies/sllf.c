/* SPDX-License-Identifier: MIT */
/*
 * Smoothed least laxity: currents such that the smallest laxity at the end of the next slot is as large as
 * the rows allow. Charging with current x for a slot changes the laxity of a vehicle by slot x (x / maximum -
 * 1); so all who are served come to one level of laxity, and x = maximum x (level - laxity) / slot is what
 * the kit's rising level finds. A longer slot is smoother and nearer to equal shares, a shorter one nearer to
 * least laxity first. Pure.
 *
 * Who did not say until when or how much counts as one with unknown_min of laxity. Minima go by laxity; who
 * charges is ahead by hold_min, so that two who are nearly alike do not take turns.
 */
#include <errno.h>

#include "site-ctrl/policies/policies.h"
#include "site-ctrl/policies/policy_arena.h"
#include "site-ctrl/policies/policy_laxity.h"
#include "site-ctrl/policies/policy_option.h"

#define MAX_MIN	   10080   /* a week */
#define MAX_WEIGHT 1000000 /* permille */
#define MAX_mA	   (INT64_C(1) << 29)
#define MAX_POINT  (INT64_C(1) << 30)

struct sllf {
	int64_t slot_min, hold_min, unknown_min;
};

static const struct sllf defaults = {.slot_min = 60, .hold_min = 15, .unknown_min = 120};

/* a x b / c without leaving 64 bits; a, b >= 0. */
static int64_t scale(int64_t a, int64_t b, int64_t c)
{
	return a / c * b + a % c * b / c;
}

static void set_levels(const struct sllf *r, const struct alloc_call *call, const struct policy_arena *a)
{
	int64_t least_s = INT64_MAX, slot_s = r->slot_min * 60;
	uint32_t i;

	for (i = 0; i < call->n_points; i++)
		if (alloc_wants(alloc_point_at(call, i)) && a->key[i] < least_s)
			least_s = a->key[i];
	for (i = 0; i < call->n_points; i++) {
		const struct alloc_point *p = alloc_point_at(call, i);
		int64_t slope;

		a->weight[i] = 1;
		a->offset_mA[i] = 0;
		if (!alloc_wants(p))
			continue;
		slope = fc_min_i64(p->max_mA, MAX_POINT) * fc_min_i32(p->weight_permille, MAX_WEIGHT) / 1000;
		a->weight[i] = slope > 0 ? slope : 1;
		a->offset_mA[i] = -fc_min_i64(scale(a->key[i] - least_s, a->weight[i], slot_s), MAX_mA);
	}
}

static int32_t allocate(void *self, struct alloc_call *call)
{
	const struct sllf *r = self ? self : &defaults;
	struct policy_arena a = policy_arena_of(call);
	const struct alloc_kit *kit = call->kit;
	uint32_t i, n;

	for (i = 0; i < call->n_points; i++)
		a.key[i] = policy_laxity_us(alloc_point_at(call, i), call->now_us,
					    r->unknown_min * POLICY_US_PER_MIN) /
			   FC_US_PER_S;
	set_levels(r, call, &a);
	for (i = 0; i < call->n_points; i++)
		if (alloc_point_at(call, i)->state == ALLOC_CHARGING)
			a.key[i] -= r->hold_min * 60;
	n = kit->sort(kit->ctx, a.key, a.order);
	kit->admit(kit->ctx, a.order, n);
	kit->fill_level(kit->ctx, a.weight, a.offset_mA);
	kit->climb(kit->ctx, a.order, n);
	kit->finish(kit->ctx, call->grant, call->grant_stride);
	return 0;
}

static int32_t init(void *self, const struct forecourt_host *host, const struct forecourt_kv *kv,
		    uint32_t n_kv)
{
	struct sllf *r = self;

	*r = defaults;
	for (uint32_t i = 0; i < n_kv; i++) {
		bool is_good = true;

		if (policy_option_is(&kv[i], "slot_min"))
			is_good = policy_number(host, &kv[i], 1, MAX_MIN, &r->slot_min);
		else if (policy_option_is(&kv[i], "hold_min"))
			is_good = policy_number(host, &kv[i], 0, MAX_MIN, &r->hold_min);
		else if (policy_option_is(&kv[i], "unknown_min"))
			is_good = policy_number(host, &kv[i], 0, MAX_MIN, &r->unknown_min);
		if (!is_good)
			return -EINVAL;
	}
	return 0;
}

static const struct forecourt_option options[] = {
	{"slot_min", "min", "60",
	 "time in which laxities are brought to one level, 1..10080; longer is smoother"},
	{"hold_min", "min", "15", "who charges is admitted as if he had so much less laxity, 0..10080"},
	{"unknown_min", "min", "120", "laxity of who said no departure or energy, 0..10080"},
};

static const struct alloc_policy_ops ops = {
	.init = init,
	.arena_size = policy_arena_size,
	.allocate = allocate,
};

const struct forecourt_plugin policy_sllf = {
	.magic = FORECOURT_PLUGIN_MAGIC,
	.abi_major = FORECOURT_ABI_MAJOR,
	.abi_minor = FORECOURT_ABI_MINOR,
	.record_size = sizeof(struct forecourt_plugin),
	.kind = FORECOURT_KIND_ALLOC_POLICY,
	.name = "sllf",
	.version = FORECOURT_VERSION,
	.ops = &ops,
	.ops_size = sizeof(ops),
	.state_size = sizeof(struct sllf),
	.options = options,
	.n_options = sizeof(options) / sizeof(options[0]),
	.option_stride = sizeof(options[0]),
};
