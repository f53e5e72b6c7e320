/* SPDX-License-Identifier: MIT */
/*
 * The site's wiring: what is refused, and which rows it becomes. That they are enough: test_site_draw.c.
 */
#include "site-ctrl/site_model.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "site-ctrl/alloc_run.h"
#include "tests/lib/site_build.h"
#include "tests/lib/site_judge.h"

#define PI 3.14159265358979323846

/* --- angles --------------------------------------------------------------------------------------------- */

static void test_angle_any_is_within_1e_8(void **state)
{
	int32_t a;

	(void)state;
	for (a = -360000; a <= 360000; a += 37) {
		struct alloc_dir d = site_angle_dir(a);

		assert_true(fabs(d.cos_q30 / 1073741824.0 - cos(a * PI / 180000)) < 1e-8);
		assert_true(fabs(d.sin_q30 / 1073741824.0 - sin(a * PI / 180000)) < 1e-8);
	}
}

static void test_angle_multiples_of_30_degrees_are_exact(void **state)
{
	static const int32_t half = ALLOC_Q30 / 2, root = 929887697; /* sqrt(3) / 2 */
	static const int32_t want[12][2] = {{ALLOC_Q30, 0}, {root, half},    {half, root},    {0, ALLOC_Q30},
					    {-half, root},  {-root, half},   {-ALLOC_Q30, 0}, {-root, -half},
					    {-half, -root}, {0, -ALLOC_Q30}, {half, -root},   {root, -half}};
	int i, turn;

	(void)state;
	for (i = 0; i < 12; i++) {
		for (turn = -2; turn <= 2; turn++) {
			struct alloc_dir d = site_angle_dir(i * 30000 + turn * 360000);

			assert_int_equal(d.cos_q30, want[i][0]);
			assert_int_equal(d.sin_q30, want[i][1]);
		}
	}
}

/* --- the tree ------------------------------------------------------------------------------------------- */

static void test_model_tree_has_rows_deepest_first_and_members_in_order(void **state)
{
	struct site_build_rig *f = *state;
	const struct alloc_site *s = &f->m.site;
	uint32_t i, k;

	assert_int_equal(site_build_add_node(f, site_build_node("main", SITE_NO_NODE, 100000)), 0);
	assert_int_equal(site_build_add_node(f, site_build_node("feeder", 0, 63000)), 0);
	assert_int_equal(site_build_add_point(f, site_build_point("B", 0, SITE_AC1, 2)), 0);
	assert_int_equal(site_build_add_point(f, site_build_point("A", 1, SITE_AC3, 2)), 0);
	assert_int_equal(site_build_add_point(f, site_build_point("C", 1, SITE_AC1, 2)), 0);
	assert_int_equal(site_build_compile(f), 0);
	assert_int_equal(s->n_rows, 6);
	assert_int_equal(s->n_points, 3);
	assert_int_equal(s->n_members, 1 + 2 + 1 + 1 + 3 + 1);
	for (i = 0; i < 3; i++) {
		assert_int_equal(s->row[i].node, 1);
		assert_int_equal(s->row[i].phase, i + 1);
		assert_int_equal(s->row[i].n_dirs, 1);
		assert_int_equal(f->m.info[i].limit_mA, 63000);
		assert_int_equal(s->row[3 + i].node, 0);
	}
	assert_int_equal(s->row[1].n_members, 2);
	assert_int_equal(s->row[4].n_members, 3);
	assert_int_equal(site_build_member(f, "main L2", 0)->point, 0);
	assert_int_equal(site_build_member(f, "main L2", 2)->point, 2);
	/* From the points: point 1 is in all six, nearest first. */
	assert_int_equal(s->first_of[1], 1);
	assert_int_equal(s->first_of[2], 7);
	assert_int_equal(s->first_of[3], 9);
	for (k = s->first_of[1]; k < s->first_of[2]; k++) {
		assert_int_equal(s->member[s->of_point[k]].point, 1);
		assert_int_equal(s->member[s->of_point[k]].row, k - 1);
	}
}

static void test_model_plain_row_is_a_sum_along_one_direction(void **state)
{
	struct site_build_rig *f = *state;
	int32_t mA[2] = {20000, 12345};

	assert_int_equal(site_build_add_node(f, site_build_node("main", SITE_NO_NODE, 63000)), 0);
	assert_int_equal(site_build_add_point(f, site_build_point("A", 0, SITE_AC1, 3)), 0);
	assert_int_equal(site_build_add_point(f, site_build_point("B", 0, SITE_DC, 1)), 0);
	assert_int_equal(site_build_compile(f), 0);
	assert_int_equal(f->m.site.dir[f->m.site.row[site_build_row_named(f, "main L3")].first_dir].cos_q30,
			 ALLOC_Q30);
	assert_int_equal(
		alloc_row_mA(&f->m.site, site_build_row_named(f, "main L3"), mA, sizeof(mA[0]), false),
		32345);
	assert_int_equal(
		alloc_row_mA(&f->m.site, site_build_row_named(f, "main L1"), mA, sizeof(mA[0]), false),
		12345);
}

/* A line of the delta: two groups 60 degrees apart carry sqrt(3) of one. */
static void test_model_line_to_line_points_add_as_phasors(void **state)
{
	struct site_build_rig *f = *state;
	int32_t mA[4] = {10000, 10000, 0, 0};

	assert_int_equal(site_build_add_node(f, site_build_node("main", SITE_NO_NODE, 63000)), 0);
	assert_int_equal(site_build_add_point(f, site_build_line_point("AB", 0, 1, 2)), 0);
	assert_int_equal(site_build_add_point(f, site_build_line_point("CA", 0, 3, 1)), 0);
	assert_int_equal(site_build_add_point(f, site_build_line_point("BC", 0, 3, 2)), 0); /* turned round */
	assert_int_equal(site_build_add_point(f, site_build_point("N", 0, SITE_AC1, 1)), 0);
	assert_int_equal(site_build_compile(f), 0);
	assert_int_equal(f->m.site.row[site_build_row_named(f, "main L1")].n_members, 3);
	assert_int_equal(f->m.site.row[site_build_row_named(f, "main L1")].n_dirs, 3);
	assert_in_range(
		alloc_row_mA(&f->m.site, site_build_row_named(f, "main L1"), mA, sizeof(mA[0]), false), 17321,
		17322);
	assert_in_range(
		alloc_row_mA(&f->m.site, site_build_row_named(f, "main L2"), mA, sizeof(mA[0]), false), 10000,
		10001);
	mA[2] = 10000;
	assert_in_range(
		alloc_row_mA(&f->m.site, site_build_row_named(f, "main L2"), mA, sizeof(mA[0]), false), 17321,
		17322);
	mA[2] = 0;
	mA[3] = 10000; /* in line with the middle of both */
	assert_in_range(
		alloc_row_mA(&f->m.site, site_build_row_named(f, "main L1"), mA, sizeof(mA[0]), false), 27321,
		27322);
}

static void test_model_power_row_counts_conductors(void **state)
{
	struct site_build_rig *f = *state;
	struct site_node_conf n = site_build_node("main", SITE_NO_NODE, SITE_NO_LIMIT_mA);

	n.limit_W = 20000;
	assert_int_equal(site_build_add_node(f, n), 0);
	assert_int_equal(site_build_add_point(f, site_build_point("A", 0, SITE_AC1, 1)), 0);
	assert_int_equal(site_build_add_point(f, site_build_point("B", 0, SITE_AC3, 1)), 0);
	assert_int_equal(site_build_add_point(f, site_build_line_point("C", 0, 1, 2)), 0);
	assert_int_equal(site_build_compile(f), 0);
	assert_int_equal(f->m.info[site_build_row_named(f, "main power")].limit_mA,
			 86956); /* 20 kW / 230 V, down */
	assert_int_equal(site_build_member(f, "main power", 0)->coef_q16, ALLOC_Q16);
	assert_int_equal(site_build_member(f, "main power", 1)->coef_q16, 3 * ALLOC_Q16);
	assert_in_range(site_build_member(f, "main power", 2)->coef_q16, 113512, 113513); /* sqrt(3), up */
	assert_int_equal(f->m.site.row[site_build_row_named(f, "main power")].n_dirs, 1);
	assert_int_equal(f->m.info[site_build_row_named(f, "main L1")].limit_mA, SITE_NO_LIMIT_mA);
}

static void test_model_currents_far_apart_in_a_node_are_refused(void **state)
{
	struct site_build_rig *f = *state;
	struct site_point_conf p = site_build_point("A", 0, SITE_AC1, 1);

	assert_int_equal(site_build_add_node(f, site_build_node("main", SITE_NO_NODE, 63000)), 0);
	assert_int_equal(site_build_add_point(f, p), 0);
	p = site_build_point("B", 0, SITE_AC1, 1);
	p.angle_mdeg = 91000;
	assert_int_equal(site_build_add_point(f, p), 0);
	assert_int_equal(site_build_compile(f), -EINVAL);
	assert_string_equal(f->err, "main L1: currents are more than 90 degrees apart");
}

static void test_model_safe_currents_that_do_not_fit_are_refused_with_numbers(void **state)
{
	struct site_build_rig *f = *state;
	struct site_point_conf p = site_build_point("A", 1, SITE_AC3, 1),
			       q = site_build_point("B", 1, SITE_AC1, 2);
	struct site_node_conf n = site_build_node("main", SITE_NO_NODE, 40000);

	n.base_mA[1] = 20000;
	n.has_meter = true; /* it may fall silent */
	n.meter_max_age_ms = 1000;
	p.safe_mA = 10000;
	q.safe_mA = 10001;
	assert_int_equal(site_build_add_node(f, n), 0);
	assert_int_equal(site_build_add_node(f, site_build_node("feeder", 0, 32000)), 0);
	assert_int_equal(site_build_add_point(f, p), 0);
	assert_int_equal(site_build_add_point(f, q), 0);
	assert_int_equal(site_build_compile(f), -ERANGE);
	assert_string_equal(f->err, "main L2: safe currents of 20.001 A and other loads of 20.000 A do not "
				    "fit into its limit of 40.000 A");
	f->point[1].safe_mA = 10000;
	assert_int_equal(site_build_compile(f), 0);
}

static void test_model_rows_that_nobody_is_in_do_not_exist(void **state)
{
	struct site_build_rig *f = *state;

	assert_int_equal(site_build_add_node(f, site_build_node("main", SITE_NO_NODE, 40000)), 0);
	assert_int_equal(site_build_add_node(f, site_build_node("empty", 0, 32000)), 0);
	assert_int_equal(site_build_add_point(f, site_build_point("A", 0, SITE_AC1, 1)), 0);
	assert_int_equal(site_build_compile(f), 0);
	assert_int_equal(f->m.site.n_rows, 1);
	assert_int_equal(f->m.first_row[0], 0);
	assert_int_equal(f->m.first_row[1], ALLOC_NO_ROW);
}

/* --- what is refused ------------------------------------------------------------------------------------ */

static void assert_node_refused(struct site_build_rig *f, struct site_node_conf n, int error,
				const char *part)
{
	assert_int_equal(site_build_add_node(f, n), error);
	if (!strstr(f->err, part))
		fail_msg("'%s' is not in '%s'", part, f->err);
}

static void test_model_bad_nodes_are_refused(void **state)
{
	struct site_build_rig *f = *state;
	struct site_node_conf n = site_build_node("main", SITE_NO_NODE, 63000);

	assert_int_equal(site_build_add_node(f, n), 0);
	assert_node_refused(f, n, -EEXIST, "main is there already");
	assert_node_refused(f, site_build_node("", 0, 63000), -EINVAL, "without a name");
	assert_node_refused(f, site_build_node("a\nb", 0, 63000), -EINVAL, "control character");
	assert_node_refused(f, site_build_node("x", 7, 63000), -EINVAL, "parent is not known");
	assert_node_refused(f, site_build_node("x", 0, -1), -EINVAL, "limit of L1");
	n = site_build_node("x", 0, 63000);
	memset(n.name, 'x', sizeof(n.name));
	assert_node_refused(f, n, -EINVAL, "longer than 31");
	n = site_build_node("x", 0, 63000);
	n.voltage_mV = 10000000;
	assert_node_refused(f, n, -EINVAL, "differs from the 230 V of its parent main");
	n = site_build_node("x", 0, 63000);
	n.export_limit_mA[2] = 64000;
	assert_node_refused(f, n, -EINVAL, "export limit of L3 is over its limit of 63.000 A");
	n = site_build_node("x", 0, 63000);
	n.base_mA[1] = 63001;
	assert_node_refused(f, n, -ERANGE, "other loads of 63.001 A on L2 are over");
	n = site_build_node("x", 0, 63000);
	n.has_meter = true;
	assert_node_refused(f, n, -EINVAL, "no greatest age");
}

static void test_model_too_deep_a_tree_is_refused(void **state)
{
	struct site_build_rig *f = *state;
	char name[16];
	uint32_t i;

	for (i = 0; i < SITE_MAX_DEPTH; i++) {
		snprintf(name, sizeof(name), "n%u", (unsigned)i);
		assert_int_equal(
			site_build_add_node(f, site_build_node(name, i ? i - 1 : SITE_NO_NODE, 63000)), 0);
	}
	assert_node_refused(f, site_build_node("last", i - 1, 63000), -EINVAL, "deeper than 32");
}

static void assert_point_refused(struct site_build_rig *f, struct site_point_conf p, int error,
				 const char *part)
{
	assert_int_equal(site_build_add_point(f, p), error);
	if (!strstr(f->err, part))
		fail_msg("'%s' is not in '%s'", part, f->err);
}

static void test_model_bad_points_are_refused(void **state)
{
	struct site_build_rig *f = *state;
	struct site_point_conf good = site_build_point("x", 0, SITE_AC3, 1), p;

	assert_int_equal(site_build_add_node(f, site_build_node("main", SITE_NO_NODE, 63000)), 0);
	p = site_build_point("A", 0, SITE_AC3, 1);
	p.bus = 1;
	p.number = 3;
	assert_int_equal(site_build_add_point(f, p), 0);
	assert_point_refused(f, p, -EEXIST, "A is there already");
	p = good, p.bus = 1, p.number = 3;
	assert_point_refused(f, p, -EEXIST, "number 3 of bus 1");
	p = good, p.number = 32;
	assert_point_refused(f, p, -EINVAL, "1 to 31");
	p = good, p.phase[2] = 1;
	assert_point_refused(f, p, -EINVAL, "phase L1 twice");
	p = good, p.phase[0] = 4;
	assert_point_refused(f, p, -EINVAL, "not L1, L2 or L3");
	p = good, p.is_line_to_line = true;
	assert_point_refused(f, p, -EINVAL, "between lines");
	p = good, p.kind = 9;
	assert_point_refused(f, p, -EINVAL, "unknown kind");
	p = good, p.node = 5;
	assert_point_refused(f, p, -EINVAL, "node is not known");
	p = good, p.max_mA = 0;
	assert_point_refused(f, p, -EINVAL, "maximum");
	p = good, p.min_mA = 33000;
	assert_point_refused(f, p, -EINVAL, "minimum is not 0 to its maximum of 32.000 A");
	p = good, p.min_mA = 6500;
	assert_point_refused(f, p, -EINVAL, "no multiple of its step");
	p = good, p.safe_mA = 3000;
	assert_point_refused(f, p, -EINVAL, "safe current is neither 0 nor 6.000 A to 32.000 A");
	p = good, p.weight_permille = 0;
	assert_point_refused(f, p, -EINVAL, "weight");
	p = good, p.class = 1001;
	assert_point_refused(f, p, -EINVAL, "class");
	p = good, p.voltage_mV = 120000;
	assert_point_refused(f, p, -EINVAL, "120 V does not fit the 230 V of node main");
	p = good, p.max_discharge_mA = -1;
	assert_point_refused(f, p, -EINVAL, "discharge");
}

static void test_model_full_arrays_are_refused(void **state)
{
	struct site_build_rig *f = *state;

	f->m.max_nodes = 1;
	f->m.max_points = 1;
	assert_int_equal(site_build_add_node(f, site_build_node("main", SITE_NO_NODE, 63000)), 0);
	assert_node_refused(f, site_build_node("more", 0, 63000), -ENOSPC, "more than 1 nodes");
	assert_int_equal(site_build_add_point(f, site_build_point("A", 0, SITE_AC1, 1)), 0);
	assert_point_refused(f, site_build_point("B", 0, SITE_AC1, 1), -ENOSPC, "more than 1 points");
	assert_int_equal(f->m.n_points, 1);
	assert_int_equal(site_model_find_point(&f->m, "B"), UINT32_MAX);
}

/* --- points --------------------------------------------------------------------------------------------- */

static void test_point_levels_take_the_place_of_minimum_and_steps(void **state)
{
	struct site_build_rig *f = *state;
	static const int32_t level[] = {8000, 16000, 24000, 32000}, falling[] = {8000, 8000};
	struct site_point_conf p = site_build_point("A", SITE_NO_NODE, SITE_AC1, 1);

	p.voltage_mV = 208000;
	p.level_mA = level;
	p.n_levels = 4;
	assert_int_equal(site_build_add_point(f, p), 0);
	assert_int_equal(f->point[0].min_mA, 8000);
	assert_int_equal(f->point[0].step_mA, 1);
	assert_int_equal(site_point_round_mA(&f->point[0], 7999), 0);
	assert_int_equal(site_point_round_mA(&f->point[0], 8000), 8000);
	assert_int_equal(site_point_round_mA(&f->point[0], 31999), 24000);
	assert_int_equal(site_point_round_mA(&f->point[0], 99999), 32000);
	snprintf(p.name, sizeof(p.name), "B");
	p.level_mA = falling;
	p.n_levels = 2;
	assert_point_refused(f, p, -EINVAL, "not ascending");
}

static void test_point_steps_round_down_and_below_minimum_is_nothing(void **state)
{
	struct site_point_conf p = site_build_point("A", 0, SITE_AC1, 1);

	(void)state;
	assert_int_equal(site_point_round_mA(&p, 5999), 0);
	assert_int_equal(site_point_round_mA(&p, 6999), 6000);
	assert_int_equal(site_point_round_mA(&p, 40000), 32000);
	assert_int_equal(site_point_round_mA(&p, -5), 0);
	p.voltage_mV = 230000;
	assert_int_equal(site_point_mW_per_mA(&p), 230);
	p.kind = SITE_DC;
	assert_int_equal(site_point_mW_per_mA(&p), 690);
}

static void test_point_without_voltage_takes_that_of_its_node(void **state)
{
	struct site_build_rig *f = *state;

	assert_int_equal(site_build_add_node(f, site_build_node("main", SITE_NO_NODE, 63000)), 0);
	assert_int_equal(site_build_add_point(f, site_build_point("A", 0, SITE_AC1, 1)), 0);
	assert_int_equal(site_build_add_point(f, site_build_line_point("B", 0, 1, 2)), 0);
	assert_int_equal(f->point[0].voltage_mV, 230000);
	assert_int_equal(f->point[1].voltage_mV, 398372);
}

/* --- free constraints ----------------------------------------------------------------------------------- */

static void test_constraint_coefficients_are_kept_exactly_and_signs_turn_directions(void **state)
{
	struct site_build_rig *f = *state;
	static const struct site_term term[] = {
		{1, -ALLOC_Q16 / 2, 30000}, {0, ALLOC_Q16 / 4, 30000}, {2, ALLOC_Q16, 210000}};
	const struct alloc_row *r;

	site_build_free_points(f, 3);
	assert_int_equal(site_build_add_constraint(f, "c", term, 3, true), 0);
	assert_int_equal(site_build_compile(f), 0);
	assert_int_equal(f->m.site.n_rows, 1);
	r = &f->m.site.row[0];
	assert_int_equal(r->n_dirs, 2);
	assert_int_equal(r->node, 0); /* the first place: there are no nodes */
	assert_int_equal(site_build_member(f, "c", 0)->point, 0);
	assert_int_equal(site_build_member(f, "c", 0)->coef_q16, 16384);
	assert_int_equal(site_build_member(f, "c", 1)->coef_q16, 32768);
	assert_int_equal(site_build_member(f, "c", 1)->dir, site_build_member(f, "c", 2)->dir);
	assert_int_not_equal(site_build_member(f, "c", 0)->dir, site_build_member(f, "c", 1)->dir);
}

static void test_constraint_opposite_directions_become_two_sums_when_grants_are_bounds(void **state)
{
	struct site_build_rig *f = *state;
	static const struct site_term term[] = {{0, ALLOC_Q16, 0}, {1, -ALLOC_Q16, 0}, {2, ALLOC_Q16, 0}};
	int32_t mA[3] = {50000, 50000, 10000};

	site_build_free_points(f, 3);
	assert_int_equal(site_build_add_constraint(f, "c", term, 3, false), 0);
	assert_int_equal(site_build_compile(f), 0);
	assert_int_equal(f->m.site.n_rows, 2);
	assert_int_equal(f->m.site.row[0].n_dirs, 1);
	assert_int_equal(f->m.site.row[1].n_dirs, 1);
	assert_int_equal(alloc_row_mA(&f->m.site, 0, mA, 4, false) +
				 alloc_row_mA(&f->m.site, 1, mA, 4, false),
			 110000);
}

static void test_constraint_limit_per_kw_is_exact_to_the_milliampere(void **state)
{
	struct site_build_rig *f = *state;
	static const struct site_term term = {0, ALLOC_Q16, 0};
	struct site_constraint_conf c = {
		.name = "c", .limit_nA_per_kW = 1203369434, .term = &term, .n_terms = 1};

	site_build_free_points(f, 1);
	assert_int_equal(site_model_add_constraint(&f->m, &c, f->err, sizeof(f->err)), 0);
	f->m.size_W = 30000;
	assert_int_equal(site_build_compile(f), 0);
	assert_int_equal(f->m.info[0].limit_mA, 36101);
	f->m.size_W = SITE_MAX_SIZE_W + 1;
	assert_int_equal(site_build_compile(f), -EINVAL);
}

static void test_constraint_bad_ones_are_refused(void **state)
{
	struct site_build_rig *f = *state;
	struct site_term term[13] = {{5, ALLOC_Q16, 0}};
	uint32_t i;

	site_build_free_points(f, 2);
	assert_int_equal(site_build_add_constraint(f, "c", term, 1, true), -EINVAL);
	assert_non_null(strstr(f->err, "a member is not known"));
	assert_int_equal(site_build_add_constraint(f, "c", term, 0, true), -EINVAL);
	assert_non_null(strstr(f->err, "has no members"));
	term[0] = (struct site_term){1, 0, 0};
	assert_int_equal(site_build_add_constraint(f, "c", term, 1, true), -EINVAL);
	assert_non_null(strstr(f->err, "coefficient of P1 is 0 or beyond 256"));
	for (i = 0; i < 13; i++)
		term[i] = (struct site_term){0, ALLOC_Q16, (int32_t)i * 1000};
	assert_int_equal(site_build_add_constraint(f, "c", term, 13, true), -E2BIG);
	assert_int_equal(site_build_add_constraint(f, "c", term, 12, true), 0);
	assert_int_equal(site_build_add_constraint(f, "c", term, 12, true), -EEXIST);
	assert_int_equal(site_build_add_node(f, site_build_node("main", SITE_NO_NODE, 63000)), 0);
	assert_int_equal(site_build_add_constraint(f, "main", term, 12, true), -EEXIST);
}

/* --- large sites ---------------------------------------------------------------------------------------- */

#define BIG_BOARD 24

/* 16,384 points under boards under a main. The limit is for a hang: it takes some hundredths of a second. */
static void test_model_largest_site_compiles_at_once(void **state)
{
	struct site_node_conf *node = calloc(SITE_MAX_NODES, sizeof(*node));
	struct site_point_conf *point = calloc(SITE_MAX_POINTS, sizeof(*point));
	struct timespec start, end;
	struct site_model m;
	char err[200], name[16];
	void *block;
	uint32_t i;

	(void)state;
	assert_non_null(node);
	assert_non_null(point);
	clock_gettime(CLOCK_MONOTONIC, &start);
	site_model_init(&m, node, SITE_MAX_NODES, point, SITE_MAX_POINTS, NULL, 0);
	for (i = 0; i <= SITE_MAX_POINTS / BIG_BOARD + 1; i++) {
		struct site_node_conf n;

		snprintf(name, sizeof(name), "board%u", (unsigned)i);
		n = site_build_node(name, i ? 0 : SITE_NO_NODE, i ? 100000 : SITE_MAX_mA);
		assert_int_equal(site_model_add_node(&m, &n, err, sizeof(err)), 0);
	}
	for (i = 0; i < SITE_MAX_POINTS; i++) {
		struct site_point_conf p;

		snprintf(name, sizeof(name), "S%05u", (unsigned)i);
		p = site_build_point(name, 1 + i / BIG_BOARD, i % 2 ? SITE_AC3 : SITE_AC1,
				     (uint8_t)(i % 3 + 1));
		assert_int_equal(site_model_add_point(&m, &p, err, sizeof(err)), 0);
	}
	block = malloc(site_model_size(&m));
	assert_non_null(block);
	assert_int_equal(site_model_compile(&m, block, err, sizeof(err)), 0);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_int_equal(m.site.n_members, SITE_MAX_POINTS / 2 * (1 + 3) * 2);
	site_judge_rows(&m);
	assert_int_equal(site_model_find_point(&m, "S16383"), 16383);
	assert_true(end.tv_sec - start.tv_sec < 10);
	free(block);
	free(node);
	free(point);
}

#define T(test) cmocka_unit_test_setup_teardown(test, site_build_set_up, site_build_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_angle_any_is_within_1e_8),
		cmocka_unit_test(test_angle_multiples_of_30_degrees_are_exact),
		T(test_model_tree_has_rows_deepest_first_and_members_in_order),
		T(test_model_plain_row_is_a_sum_along_one_direction),
		T(test_model_line_to_line_points_add_as_phasors),
		T(test_model_power_row_counts_conductors),
		T(test_model_currents_far_apart_in_a_node_are_refused),
		T(test_model_safe_currents_that_do_not_fit_are_refused_with_numbers),
		T(test_model_rows_that_nobody_is_in_do_not_exist),
		T(test_model_bad_nodes_are_refused),
		T(test_model_too_deep_a_tree_is_refused),
		T(test_model_bad_points_are_refused),
		T(test_model_full_arrays_are_refused),
		T(test_point_levels_take_the_place_of_minimum_and_steps),
		cmocka_unit_test(test_point_steps_round_down_and_below_minimum_is_nothing),
		T(test_point_without_voltage_takes_that_of_its_node),
		T(test_constraint_coefficients_are_kept_exactly_and_signs_turn_directions),
		T(test_constraint_opposite_directions_become_two_sums_when_grants_are_bounds),
		T(test_constraint_limit_per_kw_is_exact_to_the_milliampere),
		T(test_constraint_bad_ones_are_refused),
		cmocka_unit_test(test_model_largest_site_compiles_at_once),
	};

	return cmocka_run_group_tests_name("site_model", tests, NULL, NULL);
}
