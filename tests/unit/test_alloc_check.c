/* SPDX-License-Identifier: MIT */
/*
 * The proof of an answer and what a row carries, on small sites with numbers worked out by hand, at both sides of
 * every border; and the cycle around it: equal share takes over whatever a policy does.
 */
#include "tests/lib/alloc_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DEG_60                           \
	{                                \
		ALLOC_Q30 / 2, 929887697 \
	}
#define DEG_120                             \
	{                                   \
		-(ALLOC_Q30 / 2), 929887697 \
	}
#define DEG_90               \
	{                    \
		0, ALLOC_Q30 \
	}
#define DEG_180               \
	{                     \
		-ALLOC_Q30, 0 \
	}

/* Points 0..2 in one plain row of 30 A, point 2 in a row of its own of 10 A besides. */
static int set_up(void **state)
{
	struct alloc_rig *g = calloc(1, sizeof(*g));

	rig_begin(g, 3, 2, 4);
	rig_add_row(g, 30000, NULL, 1);
	rig_add_row(g, 10000, NULL, 1);
	for (uint32_t i = 0; i < 3; i++)
		rig_add_member(g, 0, i, ALLOC_Q16, 0);
	rig_add_member(g, 1, 2, ALLOC_Q16, 0);
	rig_end(g);
	for (uint32_t i = 0; i < 3; i++)
		rig_want(g, i, 6000, 16000);
	*state = g;
	return 0;
}

static int tear_down(void **state)
{
	rig_free(*state);
	free(*state);
	return 0;
}

static void put(struct alloc_rig *g, int32_t a_mA, int32_t b_mA, int32_t c_mA)
{
	g->grant[0].mA = a_mA;
	g->grant[1].mA = b_mA;
	g->grant[2].mA = c_mA;
}

static void assert_passes(struct alloc_rig *g)
{
	struct alloc_verdict v;

	assert_true(alloc_check(&g->call, &v));
	assert_int_equal(v.fault, ALLOC_OK);
	assert_int_equal(v.point, ALLOC_NO_ROW);
	assert_int_equal(v.row, ALLOC_NO_ROW);
}

static void assert_fails(struct alloc_rig *g, enum alloc_fault fault, uint32_t point, uint32_t row,
			 int64_t value_mA, int64_t limit_mA)
{
	struct alloc_verdict v;

	assert_false(alloc_check(&g->call, &v));
	assert_int_equal(v.fault, fault);
	assert_int_equal(v.point, point);
	assert_int_equal(v.row, row);
	assert_int_equal(v.value_mA, value_mA);
	assert_int_equal(v.limit_mA, limit_mA);
}

/* --- points ------------------------------------------------------------------------------------------------ */

static void test_check_nothing_for_anybody_passes(void **state)
{
	struct alloc_rig *g = *state;

	put(g, 0, 0, 0);
	assert_passes(g);
	g->point[0].state = ALLOC_GONE;
	g->limit_mA[0] = 0;
	assert_passes(g);
	g->limit_mA[0] = -5; /* less than nothing is nothing */
	assert_passes(g);
}

static void test_check_current_outside_of_the_range_is_refused(void **state)
{
	struct alloc_rig *g = *state;

	put(g, 6000, 0, 0);
	assert_passes(g);
	put(g, 5999, 0, 0);
	assert_fails(g, ALLOC_FAULT_RANGE, 0, ALLOC_NO_ROW, 5999, 6000);
	put(g, 1, 0, 0);
	assert_fails(g, ALLOC_FAULT_RANGE, 0, ALLOC_NO_ROW, 1, 6000);
	put(g, 0, 16000, 0);
	assert_passes(g);
	put(g, 0, 16001, 0);
	assert_fails(g, ALLOC_FAULT_RANGE, 1, ALLOC_NO_ROW, 16001, 16000);
	put(g, 0, 0, INT32_MAX);
	assert_fails(g, ALLOC_FAULT_RANGE, 2, ALLOC_NO_ROW, INT32_MAX, 16000);
}

static void test_check_current_off_its_step_is_refused(void **state)
{
	struct alloc_rig *g = *state;

	g->point[0].step_mA = 500;
	put(g, 6500, 0, 0);
	assert_passes(g);
	put(g, 6501, 0, 0);
	assert_fails(g, ALLOC_FAULT_RANGE, 0, ALLOC_NO_ROW, 6501, 500);
	g->point[0].step_mA = 2;
	assert_fails(g, ALLOC_FAULT_RANGE, 0, ALLOC_NO_ROW, 6501, 2);
	g->point[0].step_mA = 1;
	assert_passes(g);
	g->point[0].step_mA = 0; /* any */
	assert_passes(g);
}

static void test_check_current_for_who_wants_none_is_refused(void **state)
{
	struct alloc_rig *g = *state;

	put(g, 6000, 0, 0);
	g->point[0].state = ALLOC_CHARGING;
	assert_passes(g);
	g->point[0].state = ALLOC_IDLE;
	assert_fails(g, ALLOC_FAULT_STATE, 0, ALLOC_NO_ROW, 6000, 0);
	g->point[0].state = ALLOC_GONE;
	assert_fails(g, ALLOC_FAULT_STATE, 0, ALLOC_NO_ROW, 6000, 0);
	g->point[0].state = 77;
	assert_fails(g, ALLOC_FAULT_STATE, 0, ALLOC_NO_ROW, 6000, 0);
	g->point[0].state = ALLOC_WAITING;
	g->point[0].min_mA = g->point[0].max_mA = 0;
	assert_fails(g, ALLOC_FAULT_RANGE, 0, ALLOC_NO_ROW, 6000, 0);
}

static void test_check_discharge_is_refused_but_where_it_is_offered(void **state)
{
	struct alloc_rig *g = *state;

	put(g, -1000, 0, 0);
	assert_fails(g, ALLOC_FAULT_RANGE, 0, ALLOC_NO_ROW, -1000, 0);
	g->point[0].max_discharge_mA = 5000; /* but nobody may feed back */
	assert_fails(g, ALLOC_FAULT_RANGE, 0, ALLOC_NO_ROW, -1000, 0);
	g->call.export_limit_mA = g->export_limit_mA;
	g->export_limit_mA[0] = g->export_limit_mA[1] = 40000;
	assert_passes(g);
	put(g, -5000, 0, 0);
	assert_passes(g);
	put(g, -5001, 0, 0);
	assert_fails(g, ALLOC_FAULT_RANGE, 0, ALLOC_NO_ROW, -5001, -5000);
	put(g, INT32_MIN, 0, 0);
	assert_fails(g, ALLOC_FAULT_RANGE, 0, ALLOC_NO_ROW, INT32_MIN, -5000);
	g->point[0].max_discharge_mA = 0;
	put(g, -1, 0, 0);
	assert_fails(g, ALLOC_FAULT_RANGE, 0, ALLOC_NO_ROW, -1, 0);
	g->point[0].max_discharge_mA = 5000;
	g->point[0].step_mA = 1000;
	put(g, -1500, 0, 0);
	assert_fails(g, ALLOC_FAULT_RANGE, 0, ALLOC_NO_ROW, -1500, 1000);
	put(g, -2000, 0, 0);
	assert_passes(g);
}

/* --- rows -------------------------------------------------------------------------------------------------- */

static void test_check_row_over_its_limit_by_a_milliampere_is_refused(void **state)
{
	struct alloc_rig *g = *state;

	put(g, 12000, 12000, 6000);
	assert_passes(g);
	put(g, 12000, 12000, 6001);
	assert_fails(g, ALLOC_FAULT_ROW, ALLOC_NO_ROW, 0, 30001, 30000);
	put(g, 0, 0, 10000);
	assert_passes(g);
	put(g, 0, 0, 10001);
	assert_fails(g, ALLOC_FAULT_ROW, ALLOC_NO_ROW, 1, 10001, 10000);
	g->limit_mA[1] = 0;
	put(g, 0, 0, 6000);
	assert_fails(g, ALLOC_FAULT_ROW, ALLOC_NO_ROW, 1, 6000, 0);
	g->limit_mA[1] = -1;
	assert_fails(g, ALLOC_FAULT_ROW, ALLOC_NO_ROW, 1, 6000, 0);
}

/* A discharge is no room for others, and what is drawn none for those who feed back. */
static void test_check_directions_of_energy_do_not_cancel(void **state)
{
	struct alloc_rig *g = *state;

	g->call.export_limit_mA = g->export_limit_mA;
	g->export_limit_mA[0] = 7000;
	g->export_limit_mA[1] = 4000;
	for (uint32_t i = 0; i < 3; i++)
		g->point[i].max_discharge_mA = 9000;
	g->limit_mA[0] = 12000;
	put(g, 12000, -3000, -4000);
	assert_passes(g);
	put(g, 12001, -3000, -4000);
	assert_fails(g, ALLOC_FAULT_ROW, ALLOC_NO_ROW, 0, 12001, 12000);
	put(g, 12000, -3001, -4000);
	assert_fails(g, ALLOC_FAULT_EXPORT, ALLOC_NO_ROW, 0, 7001, 7000);
	put(g, 12000, 0, -4001);
	assert_fails(g, ALLOC_FAULT_EXPORT, ALLOC_NO_ROW, 1, 4001, 4000);
	g->export_limit_mA[1] = -1;
	assert_fails(g, ALLOC_FAULT_EXPORT, ALLOC_NO_ROW, 1, 4001, 0);
	/* Nobody feeds back: limits of that direction do not matter. */
	g->export_limit_mA[0] = -1;
	put(g, 12000, 0, 0);
	assert_passes(g);
}

static void test_check_wider_structs_of_a_later_version_are_read_by_their_stride(void **state)
{
	struct alloc_rig *g = *state;
	struct wide_point {
		struct alloc_point p;
		int64_t more[3];
	} point[3];
	struct wide_grant {
		struct alloc_grant g;
		int32_t more[5];
	} grant[3];
	struct alloc_call call = g->call;
	struct alloc_verdict v;

	memset(point, 0x55, sizeof(point));
	memset(grant, 0x55, sizeof(grant));
	for (uint32_t i = 0; i < 3; i++) {
		point[i].p = g->point[i];
		grant[i].g.mA = 10000;
	}
	call.point = &point[0].p;
	call.point_stride = sizeof(point[0]);
	call.grant = &grant[0].g;
	call.grant_stride = sizeof(grant[0]);
	assert_true(alloc_check(&call, &v));
	grant[1].g.mA = 10001;
	assert_false(alloc_check(&call, &v));
	assert_int_equal(v.value_mA, 30001);
	point[1].p.max_mA = 9000;
	assert_false(alloc_check(&call, &v));
	assert_int_equal(v.point, 1);
}

/* --- what a row carries ------------------------------------------------------------------------------------ */

/* Magnitude of up to four currents, one for each direction, with the same coefficient. */
static int64_t carried(const struct alloc_dir *dir, const int32_t *mA, uint32_t n, int32_t coef_q16,
		       bool is_export)
{
	struct alloc_rig g = {.random = 0};
	int64_t sum;

	rig_begin(&g, n, 1, n);
	rig_add_row(&g, 0, dir, dir ? n : 1);
	for (uint32_t i = 0; i < n; i++)
		rig_add_member(&g, 0, i, coef_q16, dir ? i : 0);
	rig_end(&g);
	sum = alloc_row_mA(&g.site, 0, mA, sizeof(*mA), is_export);
	rig_free(&g);
	return sum;
}

static void test_row_plain_sums_are_exact_and_rounded_up(void **state)
{
	const int32_t mA[] = {1, 2, 0, 4000000}, odd[] = {3, 0, -70, 0}, minus[] = {-5, 7, INT32_MIN, -1};

	(void)state;
	assert_int_equal(carried(NULL, mA, 4, ALLOC_Q16, false), 4000003);
	assert_int_equal(carried(NULL, mA, 4, 2 * ALLOC_Q16, false), 8000006);
	assert_int_equal(carried(NULL, odd, 4, ALLOC_Q16 / 2, false), 2); /* 1.5 */
	assert_int_equal(carried(NULL, odd, 4, ALLOC_Q16 + 1, false), 4); /* 3.00005 */
	assert_int_equal(carried(NULL, odd, 4, ALLOC_Q16, true), 70);
	assert_int_equal(carried(NULL, minus, 4, ALLOC_Q16, false), 7);
	assert_int_equal(carried(NULL, minus, 4, ALLOC_Q16, true), INT64_C(2147483653));
}

static void test_row_plain_sum_beyond_everything_is_beyond_every_limit(void **state)
{
	const int32_t mA[] = {INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX};

	(void)state;
	/* 2^33 mA is the most that is added up. */
	assert_int_equal(carried(NULL, mA, 4, ALLOC_Q16, false), 4 * (int64_t)INT32_MAX);
	assert_true(carried(NULL, mA, 4, ALLOC_Q16 + 1, false) == INT64_MAX);
	assert_true(carried(NULL, mA, 4, INT32_MAX, false) == INT64_MAX);
}

static void test_row_of_two_lines_adds_as_phasors(void **state)
{
	const struct alloc_dir right[] = {{ALLOC_Q30, 0}, DEG_90}, sixty[] = {{ALLOC_Q30, 0}, DEG_60};
	const struct alloc_dir against[] = {{ALLOC_Q30, 0}, DEG_180};
	const int32_t a[] = {3000, 4000}, b[] = {3000, 4001}, c[] = {10000, 10000}, d[] = {7000, 10000};

	(void)state;
	assert_int_equal(carried(right, a, 2, ALLOC_Q16, false), 5000);
	assert_int_equal(carried(right, b, 2, ALLOC_Q16, false), 5001);	 /* 5000.8 */
	assert_int_equal(carried(sixty, c, 2, ALLOC_Q16, false), 17321); /* 17320.5 */
	assert_int_equal(carried(against, c, 2, ALLOC_Q16, false), 0);
	assert_int_equal(carried(against, d, 2, ALLOC_Q16, false), 3000);
	assert_int_equal(carried(against, d, 2, ALLOC_Q16 / 2, false), 1500);
}

static void test_row_of_three_balanced_lines_carries_next_to_nothing(void **state)
{
	const struct alloc_dir star[] = {{ALLOC_Q30, 0}, DEG_120, {-(ALLOC_Q30 / 2), -929887697}};
	const int32_t even[] = {32000, 32000, 32000}, odd[] = {32000, 32000, 6000};

	(void)state;
	assert_int_equal(carried(star, even, 3, ALLOC_Q16, false), 0);
	/* 26 A but for the last bits of the directions, and rounded up. */
	assert_in_range(carried(star, odd, 3, ALLOC_Q16, false), 26000, 26001);
}

/* Magnitudes of millions of amperes need all bits: never too low, and too high by no more than a part in 2^30. */
static void test_row_of_phasors_is_never_too_low(void **state)
{
	struct alloc_rig g = {.random = 7};

	(void)state;
	for (unsigned k = 0; k < 2000; k++) {
		unsigned bits = 1 + rig_below(&g, 31);
		const struct alloc_dir right[] = {{ALLOC_Q30, 0}, DEG_90};
		int32_t mA[2] = {(int32_t)(rig_random(&g) >> (64 - bits)),
				 (int32_t)(rig_random(&g) >> (64 - bits))};
		long double x = mA[0], y = mA[1], sum = x * x + y * y, low;
		int64_t carried_mA = carried(right, mA, 2, ALLOC_Q16, false);

		assert_true((long double)carried_mA * carried_mA >= sum);
		low = (long double)carried_mA - 1 - (long double)carried_mA / ALLOC_Q30 * 2;
		assert_true(low <= 0 || low * low <= sum);
	}
}

/* A component that is over a whole number by less than a bit of a current is over it. */
static void test_row_of_phasors_rounds_each_component_away_from_zero(void **state)
{
	const struct alloc_dir more[] = {{ALLOC_Q30 + 1, 0}, DEG_90}, less[] = {{-ALLOC_Q30 - 1, 0}, DEG_90};
	const struct alloc_dir up[] = {{0, ALLOC_Q30 + 1}, {ALLOC_Q30, 0}},
			       down[] = {{0, -ALLOC_Q30 - 1}, {ALLOC_Q30, 0}};
	const struct alloc_dir hair[] = {{ALLOC_Q30, 0}, {1, 0}};
	const int32_t mA[] = {3000, 0}, fine[] = {100 * ALLOC_Q16, 1};

	(void)state;
	assert_int_equal(carried(more, mA, 2, ALLOC_Q16, false), 3001);
	assert_int_equal(carried(less, mA, 2, ALLOC_Q16, false), 3001);
	assert_int_equal(carried(up, mA, 2, ALLOC_Q16, false), 3001);
	assert_int_equal(carried(down, mA, 2, ALLOC_Q16, false), 3001);
	assert_int_equal(carried(hair, fine, 2, 1, false), 101);
}

/* --- names ------------------------------------------------------------------------------------------------- */

static void test_fault_names_are_there(void **state)
{
	(void)state;
	assert_string_equal(alloc_fault_name(ALLOC_OK), "ok");
	assert_string_equal(alloc_fault_name(ALLOC_FAULT_ERROR), "error");
	assert_string_equal(alloc_fault_name(ALLOC_FAULT_RANGE), "range");
	assert_string_equal(alloc_fault_name(ALLOC_FAULT_ROW), "row");
	assert_string_equal(alloc_fault_name(ALLOC_FAULT_EXPORT), "export");
	assert_string_equal(alloc_fault_name(ALLOC_FAULT_STATE), "state");
	assert_string_equal(alloc_fault_name(ALLOC_N_FAULTS), "unknown");
}

/* --- the cycle --------------------------------------------------------------------------------------------- */

struct script {
	int32_t mA[3];
	int32_t error;
	bool is_silent; /* writes nothing */
	int64_t again_us;
	const struct alloc_kit *seen_kit;
};

static int32_t act(void *self, struct alloc_call *call)
{
	struct script *s = self;

	s->seen_kit = call->kit;
	for (uint32_t i = 0; i < 3 && !s->is_silent; i++)
		*alloc_grant_at(call, i) = (struct alloc_grant){.mA = s->mA[i], .reason = 99, .row = 99};
	call->again_us = s->again_us;
	return s->error;
}

static const struct alloc_policy_ops script_ops = {.allocate = act};

static void test_cycle_good_answer_counts(void **state)
{
	struct alloc_rig *g = *state;
	struct script s = {.mA = {6000, 7000, 8000}, .again_us = 123};

	assert_int_equal(alloc_run_cycle(&g->run, &script_ops, &s, &g->call), ALLOC_OK);
	assert_int_equal(rig_mA(g, 0), 6000);
	assert_int_equal(rig_mA(g, 2), 8000);
	assert_int_equal(g->call.again_us, 123);
	assert_ptr_equal(s.seen_kit, &g->run.kit);
	assert_int_equal(g->run.n_calls, 1);
	assert_int_equal(g->run.n_faults[ALLOC_OK], 1);
	/* Reasons that make no sense become harmless. */
	assert_int_equal(g->grant[0].reason, ALLOC_REASON_POLICY);
	assert_int_equal(g->grant[0].row, ALLOC_NO_ROW);
}

static void assert_equal_share(struct alloc_rig *g)
{
	assert_int_equal(rig_mA(g, 0), 10000);
	assert_int_equal(rig_mA(g, 1), 10000);
	assert_int_equal(rig_mA(g, 2), 10000);
	assert_int_equal(g->grant[0].reason, ALLOC_REASON_FALLBACK);
	assert_int_equal(g->call.again_us, FC_NEVER);
	assert_int_equal(g->run.n_zero, 0);
}

static void test_cycle_bad_answers_give_way_to_equal_share(void **state)
{
	static const int32_t bad[][3] = {
		{16001, 0, 0},	    {INT32_MIN, 0, 0}, {INT32_MAX, INT32_MAX, INT32_MAX},
		{5999, 0, 0},	    {-1, 0, 0},	       {16000, 16000, 0},
		{6000, 6000, 10001}};
	static const enum alloc_fault fault[] = {ALLOC_FAULT_RANGE, ALLOC_FAULT_RANGE, ALLOC_FAULT_RANGE,
						 ALLOC_FAULT_RANGE, ALLOC_FAULT_RANGE, ALLOC_FAULT_ROW,
						 ALLOC_FAULT_ROW};
	struct alloc_rig *g = *state;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct script s = {.again_us = 5};

		memcpy(s.mA, bad[i], sizeof(s.mA));
		assert_int_equal(alloc_run_cycle(&g->run, &script_ops, &s, &g->call), fault[i]);
		assert_int_equal(g->run.last.fault, fault[i]);
		assert_equal_share(g);
	}
	assert_int_equal(g->run.n_faults[ALLOC_FAULT_RANGE], 5);
	assert_int_equal(g->run.n_faults[ALLOC_FAULT_ROW], 2);
}

static void test_cycle_error_gives_way_to_equal_share(void **state)
{
	struct alloc_rig *g = *state;
	struct script s = {.mA = {6000, 6000, 6000}, .error = -EIO};
	const struct alloc_policy_ops empty = {.allocate = NULL};

	assert_int_equal(alloc_run_cycle(&g->run, &script_ops, &s, &g->call), ALLOC_FAULT_ERROR);
	assert_int_equal(g->run.last.value_mA, -EIO);
	assert_equal_share(g);
	s.error = 1;
	assert_int_equal(alloc_run_cycle(&g->run, &script_ops, &s, &g->call), ALLOC_FAULT_ERROR);
	assert_int_equal(alloc_run_cycle(&g->run, &empty, NULL, &g->call), ALLOC_FAULT_ERROR);
	assert_equal_share(g);
	assert_int_equal(g->run.n_faults[ALLOC_FAULT_ERROR], 3);
}

static void test_cycle_policy_that_writes_nothing_gives_nothing(void **state)
{
	struct alloc_rig *g = *state;
	struct script s = {.is_silent = true, .again_us = FC_NEVER};

	put(g, 16000, 16000, 16000); /* of the cycle before */
	assert_int_equal(alloc_run_cycle(&g->run, &script_ops, &s, &g->call), ALLOC_OK);
	assert_int_equal(rig_mA(g, 0), 0);
	assert_int_equal(rig_mA(g, 2), 0);
}

static void test_cycle_without_a_policy_shares_equally(void **state)
{
	struct alloc_rig *g = *state;

	g->limit_mA[0] = 15000; /* for two: who charges keeps it */
	g->point[2].state = ALLOC_CHARGING;
	assert_int_equal(alloc_run_cycle(&g->run, NULL, NULL, &g->call), ALLOC_OK);
	assert_int_equal(rig_mA(g, 0), 7500);
	assert_int_equal(rig_mA(g, 1), 0);
	assert_int_equal(rig_mA(g, 2), 7500);
	assert_int_equal(g->grant[0].reason, ALLOC_REASON_ROW);
	assert_int_equal(g->grant[0].row, 0);
	assert_int_equal(g->grant[1].reason, ALLOC_REASON_WAITING);
	assert_int_equal(g->grant[1].row, 0);
}

/* Sums of limits that are no limits at all, and nothing to give: nobody gets anything, and nothing breaks. */
static void test_cycle_limits_below_zero_give_nothing(void **state)
{
	struct alloc_rig *g = *state;

	g->limit_mA[0] = INT32_MIN;
	assert_int_equal(alloc_run_cycle(&g->run, NULL, NULL, &g->call), ALLOC_OK);
	assert_int_equal(rig_mA(g, 0) + rig_mA(g, 1) + rig_mA(g, 2), 0);
	g->limit_mA[0] = INT32_MAX;
	assert_int_equal(alloc_run_cycle(&g->run, NULL, NULL, &g->call), ALLOC_OK);
	assert_int_equal(rig_mA(g, 0), 16000);
	assert_int_equal(rig_mA(g, 2), 10000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_check_nothing_for_anybody_passes),
		TEST(test_check_current_outside_of_the_range_is_refused),
		TEST(test_check_current_off_its_step_is_refused),
		TEST(test_check_current_for_who_wants_none_is_refused),
		TEST(test_check_discharge_is_refused_but_where_it_is_offered),
		TEST(test_check_row_over_its_limit_by_a_milliampere_is_refused),
		TEST(test_check_directions_of_energy_do_not_cancel),
		TEST(test_check_wider_structs_of_a_later_version_are_read_by_their_stride),
		TEST(test_cycle_good_answer_counts),
		TEST(test_cycle_bad_answers_give_way_to_equal_share),
		TEST(test_cycle_error_gives_way_to_equal_share),
		TEST(test_cycle_policy_that_writes_nothing_gives_nothing),
		TEST(test_cycle_without_a_policy_shares_equally),
		TEST(test_cycle_limits_below_zero_give_nothing),
		cmocka_unit_test(test_row_plain_sums_are_exact_and_rounded_up),
		cmocka_unit_test(test_row_plain_sum_beyond_everything_is_beyond_every_limit),
		cmocka_unit_test(test_row_of_two_lines_adds_as_phasors),
		cmocka_unit_test(test_row_of_three_balanced_lines_carries_next_to_nothing),
		cmocka_unit_test(test_row_of_phasors_is_never_too_low),
		cmocka_unit_test(test_row_of_phasors_rounds_each_component_away_from_zero),
		cmocka_unit_test(test_fault_names_are_there),
	};

	return cmocka_run_group_tests_name("alloc check", tests, NULL, NULL);
}
