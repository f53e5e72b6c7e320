/* SPDX-License-Identifier: MIT */
/*
 * One allocation cycle: the policy, the proof of its answer, equal share in its place. Pure.
 *
 * The policy gets a copy of the call, so that it cannot move what the proof looks at.
 */
#include "site-ctrl/alloc_run.h"

#include <errno.h>
#include <string.h>

#include "site-ctrl/alloc_kit.h"

size_t alloc_run_size(const struct alloc_site *site)
{
	return alloc_kit_size(site);
}

void alloc_run_init(struct alloc_run *run, const struct alloc_site *site, void *block)
{
	memset(run, 0, sizeof(*run));
	run->site = site;
	run->kit_state = alloc_kit_init(site, block);
	alloc_kit_table(run->kit_state, &run->kit);
}

void alloc_run_begin(struct alloc_run *run, struct alloc_call *call)
{
	call->kit = &run->kit;
	call->again_us = FC_NEVER;
	alloc_kit_begin(run->kit_state, call);
}

static void clear_grants(const struct alloc_call *call, enum alloc_reason reason)
{
	const struct alloc_grant none = {.reason = (int32_t)reason, .row = ALLOC_NO_ROW};
	size_t size = call->grant_stride < sizeof(none) ? call->grant_stride : sizeof(none);

	for (uint32_t i = 0; i < call->site->n_points; i++)
		memcpy(alloc_grant_at(call, i), &none, size);
}

/* Reasons are for people: one that makes no sense is not worth refusing a good answer. */
static void tidy_reasons(const struct alloc_call *call)
{
	for (uint32_t i = 0; i < call->site->n_points; i++) {
		struct alloc_grant *g = alloc_grant_at(call, i);

		if (g->reason < ALLOC_REASON_NONE || g->reason > ALLOC_REASON_POLICY)
			g->reason = ALLOC_REASON_POLICY;
		if (g->row >= call->site->n_rows)
			g->row = ALLOC_NO_ROW;
	}
}

/* Whoever has current keeps it before those who wait; among equals the lowest id. */
static void share_equally(struct alloc_run *run, struct alloc_call *call, bool is_fallback)
{
	struct alloc_kit_state *k = run->kit_state;
	struct alloc_verdict v;
	uint32_t *order = k->order;
	int64_t *key = k->wide[0];
	uint32_t n;

	alloc_run_begin(run, call);
	for (uint32_t i = 0; i < k->n_points; i++)
		key[i] = alloc_point_at(call, i)->state != ALLOC_CHARGING;
	n = alloc_kit_sort(k, key, order);
	alloc_kit_admit(k, order, n);
	alloc_kit_fill_level(k, NULL, NULL);
	alloc_kit_climb(k, order, n);
	alloc_kit_finish(k, call->grant, call->grant_stride);
	if (!alloc_check(call, &v)) {
		run->n_zero++;
		clear_grants(call, ALLOC_REASON_FALLBACK);
	}
	for (uint32_t i = 0; is_fallback && i < k->n_points; i++)
		if (alloc_grant_at(call, i)->reason != ALLOC_REASON_NONE)
			alloc_grant_at(call, i)->reason = ALLOC_REASON_FALLBACK;
}

enum alloc_fault alloc_run_finish(struct alloc_run *run, struct alloc_call *call, int32_t error)
{
	struct alloc_verdict v = {
		.fault = ALLOC_FAULT_ERROR, .point = ALLOC_NO_ROW, .row = ALLOC_NO_ROW, .value_mA = error};

	if (!error)
		alloc_check(call, &v);
	run->n_faults[v.fault]++;
	if (v.fault == ALLOC_OK) {
		tidy_reasons(call);
		return ALLOC_OK;
	}
	run->last = v;
	share_equally(run, call, true);
	return v.fault;
}

enum alloc_fault alloc_run_cycle(struct alloc_run *run, const struct alloc_policy_ops *policy, void *self,
				 struct alloc_call *call)
{
	struct alloc_call theirs;
	enum alloc_fault fault;
	int32_t error = -ENOSYS;

	run->n_calls++;
	if (!policy) {
		share_equally(run, call, false);
		run->n_faults[ALLOC_OK]++;
		return ALLOC_OK;
	}
	alloc_run_begin(run, call);
	clear_grants(call, ALLOC_REASON_NONE);
	theirs = *call;
	if (policy->allocate)
		error = policy->allocate(self, &theirs);
	fault = alloc_run_finish(run, call, error);
	if (fault == ALLOC_OK)
		call->again_us = theirs.again_us;
	return fault;
}
