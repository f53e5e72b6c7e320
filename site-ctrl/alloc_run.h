/* SPDX-License-Identifier: MIT */
/*
 * One allocation cycle around a policy: the kit it works with, the proof of its answer, and equal share when the
 * proof fails. Pure; all memory is one block of the caller's.
 *
 *     policy -> answer -> alloc_check -> grants          or: error, bad answer -> equal share -> grants
 *
 * Equal share is weighted max-min by the kit with weight 1 (what `fair` does with equal weights), and the zero
 * answer if even that were refused. Nothing here knows leases: limit_mA is what is left for those who are asked.
 */
#ifndef SITE_ALLOC_RUN_H
#define SITE_ALLOC_RUN_H

#include <stdbool.h>

#include <forecourt/alloc_policy.h>

/* --- alloc_check: the proof. Independent of the kit: it recomputes every row from the grants. --------------- */

enum alloc_fault {
	ALLOC_OK,
	ALLOC_FAULT_ERROR, /* the policy said so, or did not answer in time */
	ALLOC_FAULT_RANGE, /* a grant below 0 where none may be, over the maximum, between 0 and the minimum, off its step */
	ALLOC_FAULT_ROW,    /* a row over its limit */
	ALLOC_FAULT_EXPORT, /* a row over its export limit */
	ALLOC_FAULT_STATE,  /* current for someone who wants none */
	ALLOC_N_FAULTS,
};

struct alloc_verdict {
	enum alloc_fault fault;
	uint32_t point, row; /* first one found; ALLOC_NO_ROW where it does not apply */
	int64_t value_mA, limit_mA;
};

/* True: every rule holds for the call's grants. */
bool alloc_check(const struct alloc_call *call, struct alloc_verdict *v);
/*
 * Magnitude of a row for currents mA[stride in bytes], rounded up, in mA; only positive ones count (is_export:
 * only negative ones, as positive numbers). The one place that says what a row carries; exact for plain sums, never
 * too low and at most 1 mA too high for phasors.
 */
int64_t alloc_row_mA(const struct alloc_site *site, uint32_t row, const int32_t *mA, size_t stride,
		     bool is_export);
const char *alloc_fault_name(enum alloc_fault fault);

/* --- the cycle ------------------------------------------------------------------------------------------------ */

struct alloc_kit_state; /* alloc_kit.h */

struct alloc_run {
	const struct alloc_site *site;
	struct alloc_kit kit;
	struct alloc_kit_state *kit_state;
	uint64_t n_calls, n_faults[ALLOC_N_FAULTS];
	uint64_t n_zero;	   /* even equal share was refused: must stay 0 */
	struct alloc_verdict last; /* of the last policy answer that was refused */
};

/* Bytes of the block for a site. */
size_t alloc_run_size(const struct alloc_site *site);
/* block: max-aligned, alloc_run_size() bytes, kept as long as *run. Again for a changed site. */
void alloc_run_init(struct alloc_run *run, const struct alloc_site *site, void *block);
/* Makes the kit ready for a call and puts it into it. Whoever calls a policy himself (another process) begins here. */
void alloc_run_begin(struct alloc_run *run, struct alloc_call *call);
/*
 * begin, allocate, check, else equal share. The call's grants are safe afterwards, whatever the policy did.
 * policy NULL: equal share at once. Returns the fault, ALLOC_OK when the policy's answer counts.
 */
enum alloc_fault alloc_run_cycle(struct alloc_run *run, const struct alloc_policy_ops *policy, void *self,
				 struct alloc_call *call);
/* The second half for an answer that came from elsewhere: error as allocate() returned it. */
enum alloc_fault alloc_run_finish(struct alloc_run *run, struct alloc_call *call, int32_t error);

#endif
