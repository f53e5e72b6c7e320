/* SPDX-License-Identifier: MIT */
/*
 * The proof of a policy's answer, and what a row carries. Pure. It shares no code and no state with the kit that
 * policies work with: everything is computed anew from the site, the limits and the grants.
 *
 * The rule for a row of several directions: the exact sum of current x direction, both components rounded away from
 * zero to 1/65536 mA; both shifted right, rounded up, until the larger has 31 bits; the root of the sum of their
 * squares, rounded up, and shifted back. Never too low; too high by less than one part in 2^30.
 */
#include "site-ctrl/alloc_run.h"

#define SUM_MAX_Q16 (INT64_C(1) << 49) /* 8.6 MA: no row carries more, and more cannot be squared */
#define HALF_BITS   26		       /* where a sum is split so that products with a direction fit */
#define SQUARE_BITS 31

static int32_t current_at(const int32_t *mA, size_t stride, uint32_t i, bool is_export)
{
	int32_t value = *(const int32_t *)(const void *)((const char *)mA + (size_t)i * stride);

	if (is_export)
		return value >= 0 ? 0 : value == INT32_MIN ? INT32_MAX : -value;
	return value > 0 ? value : 0;
}

/* Sum of each direction; false when one is beyond everything. */
static bool sum_directions(const struct alloc_site *site, const struct alloc_row *row, const int32_t *mA,
			   size_t stride, bool is_export, int64_t sum_q16[ALLOC_MAX_DIR])
{
	const struct alloc_member *m = &site->member[row->first_member];

	for (uint32_t i = 0; i < row->n_members; i++, m++) {
		int64_t *sum = &sum_q16[row->n_dirs > 1 ? m->dir : 0];

		*sum += (int64_t)m->coef_q16 * current_at(mA, stride, m->point, is_export);
		if (*sum > SUM_MAX_Q16)
			return false;
	}
	return true;
}

/* |sum of amount x unit| in 1/65536 mA, rounded up. */
static uint64_t component_q16(const struct alloc_dir *dir, uint32_t n_dirs, const int64_t *sum_q16,
			      bool is_sine)
{
	const int64_t mask = (INT64_C(1) << HALF_BITS) - 1;
	int64_t high = 0, low = 0;

	for (uint32_t d = 0; d < n_dirs; d++) {
		int64_t unit_q30 = is_sine ? dir[d].sin_q30 : dir[d].cos_q30;

		high += (sum_q16[d] >> HALF_BITS) * unit_q30;
		low += (sum_q16[d] & mask) * unit_q30;
	}
	/* high x 2^26 + low, of which 2^30 make 1/65536 mA. */
	high += low >> HALF_BITS;
	low &= mask;
	if (high < 0)
		return ((uint64_t)-high + 15) / 16;
	return ((uint64_t)high + (low != 0) + 15) / 16;
}

static uint64_t root_up(uint64_t n)
{
	uint64_t root = 0;

	for (uint64_t bit = UINT64_C(1) << 31; bit; bit /= 2)
		if ((root + bit) * (root + bit) <= n)
			root += bit;
	return root + (root * root < n);
}

static uint64_t magnitude_q16(uint64_t x, uint64_t y)
{
	unsigned shift = 0;

	while ((x | y) >> shift >> SQUARE_BITS)
		shift++;
	x = (x + (UINT64_C(1) << shift) - 1) >> shift;
	y = (y + (UINT64_C(1) << shift) - 1) >> shift;
	return root_up(x * x + y * y) << shift;
}

int64_t alloc_row_mA(const struct alloc_site *site, uint32_t row, const int32_t *mA, size_t stride,
		     bool is_export)
{
	const struct alloc_row *r = &site->row[row];
	const struct alloc_dir *dir = &site->dir[r->first_dir];
	int64_t sum_q16[ALLOC_MAX_DIR] = {0};
	uint64_t q16;

	if (!sum_directions(site, r, mA, stride, is_export, sum_q16))
		return INT64_MAX;
	if (r->n_dirs <= 1)
		q16 = (uint64_t)sum_q16[0];
	else
		q16 = magnitude_q16(component_q16(dir, r->n_dirs, sum_q16, false),
				    component_q16(dir, r->n_dirs, sum_q16, true));
	return (int64_t)((q16 + ALLOC_Q16 - 1) / ALLOC_Q16);
}

static bool fail(struct alloc_verdict *v, enum alloc_fault fault, uint32_t point, uint32_t row,
		 int64_t value_mA, int64_t limit_mA)
{
	*v = (struct alloc_verdict){
		.fault = fault, .point = point, .row = row, .value_mA = value_mA, .limit_mA = limit_mA};
	return false;
}

/* 0, or min..max, or down to the discharge; in steps; and only for who is there. */
static bool check_point(const struct alloc_call *call, uint32_t i, struct alloc_verdict *v)
{
	const struct alloc_point *p = alloc_point_at(call, i);
	int32_t mA = alloc_grant_at(call, i)->mA;

	if (mA == 0)
		return true;
	if (p->state != ALLOC_WAITING && p->state != ALLOC_CHARGING)
		return fail(v, ALLOC_FAULT_STATE, i, ALLOC_NO_ROW, mA, 0);
	if (mA < 0 && (!call->export_limit_mA || p->max_discharge_mA <= 0 || mA < -p->max_discharge_mA))
		return fail(v, ALLOC_FAULT_RANGE, i, ALLOC_NO_ROW, mA,
			    call->export_limit_mA ? -(int64_t)p->max_discharge_mA : 0);
	if (mA > p->max_mA)
		return fail(v, ALLOC_FAULT_RANGE, i, ALLOC_NO_ROW, mA, p->max_mA);
	if (mA > 0 && mA < p->min_mA)
		return fail(v, ALLOC_FAULT_RANGE, i, ALLOC_NO_ROW, mA, p->min_mA);
	if (p->step_mA > 1 && mA % p->step_mA != 0)
		return fail(v, ALLOC_FAULT_RANGE, i, ALLOC_NO_ROW, mA, p->step_mA);
	return true;
}

bool alloc_check(const struct alloc_call *call, struct alloc_verdict *v)
{
	const struct alloc_site *site = call->site;
	const int32_t *mA = &call->grant->mA;
	bool has_export = false;

	*v = (struct alloc_verdict){.fault = ALLOC_OK, .point = ALLOC_NO_ROW, .row = ALLOC_NO_ROW};
	for (uint32_t i = 0; i < site->n_points; i++) {
		if (!check_point(call, i, v))
			return false;
		has_export = has_export || alloc_grant_at(call, i)->mA < 0;
	}
	for (uint32_t r = 0; r < site->n_rows; r++) {
		int64_t limit_mA = fc_max_i32(call->limit_mA[r], 0);
		int64_t carried_mA = alloc_row_mA(site, r, mA, call->grant_stride, false);

		if (carried_mA > limit_mA)
			return fail(v, ALLOC_FAULT_ROW, ALLOC_NO_ROW, r, carried_mA, limit_mA);
	}
	for (uint32_t r = 0; has_export && r < site->n_rows; r++) {
		int64_t limit_mA = fc_max_i32(call->export_limit_mA[r], 0);
		int64_t carried_mA = alloc_row_mA(site, r, mA, call->grant_stride, true);

		if (carried_mA > limit_mA)
			return fail(v, ALLOC_FAULT_EXPORT, ALLOC_NO_ROW, r, carried_mA, limit_mA);
	}
	return true;
}

const char *alloc_fault_name(enum alloc_fault fault)
{
	static const char *const name[ALLOC_N_FAULTS] = {
		[ALLOC_OK] = "ok",	   [ALLOC_FAULT_ERROR] = "error",   [ALLOC_FAULT_RANGE] = "range",
		[ALLOC_FAULT_ROW] = "row", [ALLOC_FAULT_EXPORT] = "export", [ALLOC_FAULT_STATE] = "state",
	};

	return (unsigned)fault < ALLOC_N_FAULTS ? name[fault] : "unknown";
}
