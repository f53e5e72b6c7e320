/* SPDX-License-Identifier: MIT */
/*
 * Are the rows of a site enough, and not more than that? Against currents in complex numbers, drawn in every
 * combination, without looking at rows.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "site-ctrl/alloc_run.h"
#include "tests/lib/site_build.h"
#include "tests/lib/site_judge.h"

#define PI 3.14159265358979323846

/* Sum of the constraint when the points of a set draw their grants and the others nothing. */
static double sum_of(const struct site_term *term, uint32_t n_terms, const int32_t *mA, uint32_t set)
{
	double x = 0, y = 0;
	uint32_t i;

	for (i = 0; i < n_terms; i++) {
		double a = term[i].angle_mdeg * PI / 180000, c = term[i].coef_q16 / 65536.0;

		if (!(set >> term[i].point & 1))
			continue;
		x += c * mA[term[i].point] * cos(a);
		y += c * mA[term[i].point] * sin(a);
	}
	return sqrt(x * x + y * y);
}

/* The largest over all ways to draw between nothing and the grant: at a corner, so all of them. */
static double worst_draw(const struct site_term *term, uint32_t n_terms, const int32_t *mA, uint32_t n_points)
{
	double worst = 0;
	uint32_t set;

	for (set = 0; set < UINT32_C(1) << n_points; set++)
		worst = fmax(worst, sum_of(term, n_terms, mA, set));
	return worst;
}

static double worst_row(const struct site_build_rig *f, const int32_t *mA)
{
	int64_t worst = 0;
	uint32_t r;

	for (r = 0; r < f->m.site.n_rows; r++) {
		int64_t now = alloc_row_mA(&f->m.site, r, mA, sizeof(mA[0]), false);

		worst = now > worst ? now : worst;
	}
	return (double)worst;
}

#define N_RANDOM 9

/* One term for each point, angles of all kinds: the rows say exactly what can be drawn at worst. */
static void test_constraint_rows_are_the_worst_of_any_draw(void **state)
{
	struct site_build_rig *f = *state;
	struct site_term term[N_RANDOM];
	int32_t mA[N_RANDOM];
	uint64_t seed = 12345;
	int run;
	uint32_t i;

	site_build_free_points(f, N_RANDOM);
	for (run = 0; run < 300; run++) {
		double drawn, counted;

		for (i = 0; i < N_RANDOM; i++) {
			int32_t angle = run % 3 == 0 ? (int32_t)(site_build_random(&seed) % 12) * 30000
						     : (int32_t)(site_build_random(&seed) % 360000);
			int32_t coef = (int32_t)(site_build_random(&seed) % 8) * 16384 - 3 * 16384;

			term[i] = (struct site_term){i, coef ? coef : ALLOC_Q16, angle};
			mA[i] = (int32_t)(site_build_random(&seed) % 33) * 1000;
		}
		f->m.n_constraints = 0;
		assert_int_equal(site_build_add_constraint(f, "c", term, N_RANDOM, false), 0);
		assert_int_equal(site_build_compile(f), 0);
		site_judge_rows(&f->m);
		drawn = worst_draw(term, N_RANDOM, mA, N_RANDOM);
		counted = worst_row(f, mA);
		if (counted < drawn - 0.01 || counted > drawn + 2)
			fail_msg("run %d: %.3f can be drawn, %.3f is counted", run, drawn, counted);
	}
}

/* Several phases of one point: they count as one current when all flow, and each alone is covered too. */
static void test_constraint_phases_of_a_point_are_added_as_phasors(void **state)
{
	struct site_build_rig *f = *state;
	struct site_term term[2 * N_RANDOM];
	int32_t mA[N_RANDOM];
	uint64_t seed = 99;
	int run;
	uint32_t i;

	site_build_free_points(f, N_RANDOM);
	for (run = 0; run < 200; run++) {
		bool is_drawn = run & 1;
		double drawn, counted;

		for (i = 0; i < 2 * N_RANDOM; i++)
			term[i] = (struct site_term){
				(i * 7) % N_RANDOM, (int32_t)(site_build_random(&seed) % 4 + 1) * 16384,
				(int32_t)(i / N_RANDOM + site_build_random(&seed) % 2) * 60000};
		for (i = 0; i < N_RANDOM; i++)
			mA[i] = (int32_t)(site_build_random(&seed) % 33) * 1000;
		f->m.n_constraints = 0;
		assert_int_equal(site_build_add_constraint(f, "c", term, 2 * N_RANDOM, is_drawn), 0);
		assert_int_equal(site_build_compile(f), 0);
		for (i = 0; i < f->m.site.n_rows; i++)
			assert_in_range(f->m.site.row[i].n_members, 1, N_RANDOM);
		drawn = is_drawn ? sum_of(term, 2 * N_RANDOM, mA, UINT32_MAX)
				 : worst_draw(term, 2 * N_RANDOM, mA, N_RANDOM);
		counted = worst_row(f, mA);
		/* A coefficient that was added up is rounded up by less than 2 of 65536. */
		if (counted < drawn - 0.01 || (is_drawn && counted > drawn + 12))
			fail_msg("run %d: %.3f can be drawn, %.3f is counted", run, drawn, counted);
	}
}

/* Current in a conductor as a complex number, from the voltages of the phases alone. */
static double conductor_mA(const struct site_build_rig *f, unsigned phase, const int32_t *mA, uint32_t set)
{
	static const double angle[4] = {0, 0, -2 * PI / 3, 2 * PI / 3};
	double x = 0, y = 0;
	uint32_t i;

	for (i = 0; i < f->m.n_points; i++) {
		const struct site_point_conf *p = &f->m.point[i];
		double a = angle[phase], sign = 1;

		if (!(set >> i & 1))
			continue;
		if (p->is_line_to_line) {
			double from = angle[p->phase[0]], to = angle[p->phase[1]];

			a = atan2(sin(from) - sin(to), cos(from) - cos(to));
			sign = p->phase[0] == phase ? 1 : p->phase[1] == phase ? -1 : 0;
		} else if (p->kind == SITE_AC1) {
			sign = p->phase[0] == phase;
		}
		a += p->angle_mdeg * PI / 180000;
		x += sign * mA[i] * cos(a);
		y += sign * mA[i] * sin(a);
	}
	return sqrt(x * x + y * y);
}

static void test_model_tree_rows_are_the_worst_of_any_draw(void **state)
{
	static const uint8_t pair[3][2] = {{1, 2}, {3, 2}, {3, 1}};
	struct site_build_rig *f = *state;
	int32_t mA[N_RANDOM];
	uint64_t seed = 7;
	uint32_t i, set;
	unsigned phase;
	int run;

	assert_int_equal(site_build_add_node(f, site_build_node("main", SITE_NO_NODE, SITE_NO_LIMIT_mA)), 0);
	for (i = 0; i < N_RANDOM; i++) {
		uint8_t k = (uint8_t)(i / 3);
		struct site_point_conf p;
		char name[16];

		snprintf(name, sizeof(name), "P%u", (unsigned)i);
		p = i % 3 == 0	 ? site_build_point(name, 0, SITE_AC3, k + 1)
		    : i % 3 == 1 ? site_build_line_point(name, 0, pair[k][0], pair[k][1])
				 : site_build_point(name, 0, SITE_AC1, k + 1);
		p.angle_mdeg = (int32_t)k * 20000 - 25000;
		assert_int_equal(site_build_add_point(f, p), 0);
	}
	assert_int_equal(site_build_compile(f), 0);
	for (run = 0; run < 100; run++) {
		for (i = 0; i < N_RANDOM; i++)
			mA[i] = (int32_t)(site_build_random(&seed) % 33) * 1000;
		for (phase = 1; phase <= 3; phase++) {
			double counted =
				(double)alloc_row_mA(&f->m.site, phase - 1, mA, sizeof(mA[0]), false);
			double worst = 0;

			for (set = 0; set < UINT32_C(1) << N_RANDOM; set++)
				worst = fmax(worst, conductor_mA(f, phase, mA, set));
			assert_true(counted > worst - 0.01 && counted < worst + 2);
		}
	}
}

#define T(test) cmocka_unit_test_setup_teardown(test, site_build_set_up, site_build_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_constraint_rows_are_the_worst_of_any_draw),
		T(test_constraint_phases_of_a_point_are_added_as_phasors),
		T(test_model_tree_rows_are_the_worst_of_any_draw),
	};

	return cmocka_run_group_tests_name("site_draw", tests, NULL, NULL);
}
