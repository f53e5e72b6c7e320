/* SPDX-License-Identifier: MIT */
/* site.conf and the tables beside it: what is read, and that everything else is an error with its place. */
#include "site-ctrl/load_conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/site_files.h"
#include "tests/lib/site_judge.h"

/* --- site.conf ------------------------------------------------------------------------------------------ */

static void assert_conf_refused(struct site_files *f, const char *text, unsigned line, const char *part)
{
	assert_true(site_files_load_conf(f, text) < 0);
	site_files_assert_sentence(f, "site.conf", line, part);
}

static void test_conf_keys_reach_the_model(void **state)
{
	struct site_files *f = *state;
	const struct site_node_conf *n;
	const struct site_point_conf *p;

	assert_int_equal(
		site_files_load_conf(
			f,
			"[site]\nvoltage_V = 240\n"
			"[point.A]\nnode = sub\nmax_A = 32.0\nmin_A = 6\nstep_A = 1\nsafe_A = 6\n"
			"phases = L2L3L1\nbus = 1\nnumber = 3\npriority = 2\nweight = 1.5\n"
			"[node.main]\nlimit_A = 100\nlimit_L3-A = 80\nlimit_kW = 50.5\nexport_limit_A = 10\n"
			"[point.D]\nkind = dc\nnode = sub\nmax_A = 90\ndischarge_A = 5.5\n"
			"[node.sub]\nparent = main\nlimit_A = none\nbase_load_L2_A = 3.2\nfeed_in_A = 4\n"
			"meter = yes\nmeter_max_age_s = 2.5\n"
			"[point.L]\nnode = main\nphases = L3-L1\nlevels_A = 8, 16 24\nmax_A = 24\n"),
		0);
	n = &f->l.model.node[0];
	assert_string_equal(n->name, "main");
	assert_int_equal(n->limit_mA[0], 100000);
	assert_int_equal(n->limit_mA[2], 80000);
	assert_int_equal(n->limit_W, 50500);
	assert_int_equal(n->export_limit_mA[1], 10000);
	assert_int_equal(n->voltage_mV, 240000);
	n = &f->l.model.node[1];
	assert_int_equal(n->parent, 0);
	assert_int_equal(n->limit_mA[0], SITE_NO_LIMIT_mA);
	assert_int_equal(n->base_mA[1], 3200);
	assert_int_equal(n->feed_in_mA[2], 4000);
	assert_true(n->has_meter);
	assert_int_equal(n->meter_max_age_ms, 2500);
	p = &f->l.model.point[0];
	assert_int_equal(p->kind, SITE_AC3);
	assert_int_equal(p->phase[0] * 100 + p->phase[1] * 10 + p->phase[2], 231);
	assert_int_equal(p->bus, 1);
	assert_int_equal(p->number, 3);
	assert_int_equal(p->safe_mA, 6000);
	assert_int_equal(p->class, 2);
	assert_int_equal(p->weight_permille, 1500);
	p = &f->l.model.point[1];
	assert_int_equal(p->kind, SITE_DC);
	assert_int_equal(p->min_mA, 0);
	assert_int_equal(p->max_discharge_mA, 5500);
	p = &f->l.model.point[2];
	assert_true(p->is_line_to_line);
	assert_int_equal(p->n_levels, 3);
	assert_int_equal(p->level_mA[1], 16000);
	assert_int_equal(p->voltage_mV, 415692);
}

static void test_conf_bad_sections_and_keys_are_refused_with_their_line(void **state)
{
	struct site_files *f = *state;

	assert_conf_refused(f, "limit_A = 3\n" ROOT, 1, "key before the first section");
	assert_conf_refused(f, ROOT "[nodes.x]\n", 3, "section is not site, node.NAME");
	assert_conf_refused(f, ROOT "limit = 5\n", 3, "unknown key of a node: limit");
	assert_conf_refused(f, ROOT "limit_L1_A = 5 A\n", 3, "limit_L1_A is not a number: '5 A'");
	assert_conf_refused(f, ROOT "limit_kW = -1\n", 3, "limit_kW is not 0 to 100000: -1");
	assert_conf_refused(f, ROOT "meter = true\n", 3, "meter is neither yes nor no");
	assert_conf_refused(f, ROOT "meter_max_age_s = 5\n", 3, "without meter = yes");
	assert_conf_refused(f, "[node.main]\n", 1, "neither parent nor limit_A nor limit_kW");
	assert_conf_refused(f, "[node.a]\nparent = b\n" ROOT, 2, "parent is no node above: b");
	assert_conf_refused(f, "[node.a b]\nlimit_A = 5\n", 1, "name of a node");
	assert_conf_refused(f, ROOT "[node.sub]\nparent = main\nvoltage_V = 400\n", 3,
			    "differs from the 230 V");
	assert_conf_refused(f, ROOT, 0, "no charge points");
	assert_conf_refused(f, ROOT ROOT, 3, "section appears twice");
}

static void test_conf_bad_points_are_refused_with_their_line(void **state)
{
	struct site_files *f = *state;

	assert_conf_refused(f, ROOT "[point.A]\nmax_A = 32\n", 3, "node is missing");
	assert_conf_refused(f, ROOT "[point.A]\nnode = main\n", 3, "max_A is missing");
	assert_conf_refused(f, ROOT "[point.A]\nnode = x\nmax_A = 32\n", 4, "unknown node: x");
	assert_conf_refused(f, ROOT POINT "phases = L1L2\n", 6, "phases is not like");
	assert_conf_refused(f, ROOT POINT "phases = L1L2L2\n", 3, "phase L2 twice");
	assert_conf_refused(f, ROOT POINT "kind = DC\n", 6, "kind is neither ac nor dc");
	assert_conf_refused(f, ROOT POINT "kind = dc\nphases = L1\n", 7, "supplied by three phases");
	assert_conf_refused(f, ROOT POINT "levels_A = 8\nmin_A = 6\n", 6, "in place of min_A and step_A");
	assert_conf_refused(f, ROOT POINT "levels_A = 8 x\n", 6, "no current: 'x'");
	assert_conf_refused(f, ROOT POINT "number = 0\n", 6, "number is not 1 to 31");
	assert_conf_refused(f, ROOT POINT "number = 1.5\n", 6, "not a whole number");
	assert_conf_refused(f, ROOT POINT "weight = 0\n", 6, "weight is not 0 to 1000");
	assert_conf_refused(f, ROOT POINT "safe_A = 3\n", 3, "safe current is neither 0 nor");
	assert_conf_refused(f, ROOT POINT "number = 1\n[point.B]\nnode = main\nmax_A = 16\nnumber = 1\n", 7,
			    "number 1 of bus 0");
}

static void test_conf_safe_currents_over_a_limit_are_refused(void **state)
{
	struct site_files *f = *state;

	assert_conf_refused(
		f, ROOT "base_load_A = 40\n" POINT "safe_A = 24\n", 0,
		"main L1: safe currents of 24.000 A and other loads of 40.000 A do not fit into its "
		"limit of 63.000 A");
}

static void test_conf_constraint_members_have_the_angles_of_their_phases(void **state)
{
	struct site_files *f = *state;
	const struct site_constraint_conf *c;

	assert_int_equal(
		site_files_load_conf(
			f, ROOT POINT
			"[point.B]\nnode = main\nphases = L2\nmax_A = 16\n"
			"[point.C]\nnode = main\nphases = L1-L2\nmax_A = 16\n"
			"[constraint.n]\nlimit_A = 20\nmembers = A.L1 -0.5*A.L3, B\nmembers_2 = -C C.L2\n"
			"[constraint.sum]\nlimit_A = 50\nsum = amounts\nmembers = A 0.25*B C\n"),
		0);
	assert_int_equal(f->l.model.n_constraints, 2);
	c = &f->l.model.constraint[0];
	assert_int_equal(c->n_terms, 5);
	assert_int_equal(c->term[0].angle_mdeg, 0);
	assert_int_equal(c->term[1].angle_mdeg, 120000);
	assert_int_equal(c->term[1].coef_q16, -32768);
	assert_int_equal(c->term[2].angle_mdeg, -120000);
	assert_int_equal(c->term[3].angle_mdeg, 30000);
	assert_int_equal(c->term[3].coef_q16, -65536);
	assert_int_equal(c->term[4].angle_mdeg, -150000);
	c = &f->l.model.constraint[1];
	assert_int_equal(c->n_terms, 3);
	assert_int_equal(c->term[1].angle_mdeg, 0);
	assert_int_equal(c->term[1].coef_q16, 16384);
	assert_int_equal(f->l.model.site.row[f->l.model.first_row[2]].n_dirs, 1);
}

static void test_conf_bad_constraints_are_refused_with_their_line(void **state)
{
	struct site_files *f = *state;

	assert_conf_refused(f, ROOT POINT "[constraint.c]\nmembers = A.L1\n", 6, "limit_A is missing");
	assert_conf_refused(f, ROOT POINT "[constraint.c]\nlimit_A = 5\n", 6, "has no members");
	assert_conf_refused(f, ROOT POINT "[constraint.c]\nlimit_A = 5\nmembers = B\n", 8,
			    "unknown point: 'B'");
	assert_conf_refused(f, ROOT POINT "[constraint.c]\nlimit_A = 5\nmembers = A\n", 8,
			    "which of its phases");
	assert_conf_refused(f, ROOT POINT "[constraint.c]\nlimit_A = 5\nmembers = A.L4\n", 8, "not a member");
	assert_conf_refused(f, ROOT POINT "[constraint.c]\nlimit_A = 5\nmembers = x*A.L1\n", 8,
			    "not a member");
	assert_conf_refused(f, ROOT POINT "[constraint.c]\nlimit_A = 5\nmembers = A.L1 A.L1\n", 8,
			    "member appears twice");
	assert_conf_refused(f, ROOT POINT "[constraint.c]\nlimit_A = 5\nsum = amounts\nmembers = A.L1\n", 9,
			    "has no phases");
	assert_conf_refused(f, ROOT POINT "phases = L1\n[constraint.c]\nlimit_A = 5\nmembers = A.L2\n", 9,
			    "not on this phase");
	assert_conf_refused(f, ROOT POINT "[constraint.main]\nlimit_A = 5\nmembers = A.L1\n", 6,
			    "has the name of a node");
}

static void test_conf_tables_beside_it_add_points_and_constraints(void **state)
{
	struct site_files *f = *state;

	site_files_put(f, "points.csv", "point,node,max_A,phases,number\nB,main,16,L1,2\nC,main,16,,\n");
	site_files_put(f, "rows.csv",
		       "constraint,limit_A,sum,members\nx,40,,B A.L2\nx,40,,C.L3\ny,50,amounts,A B C\n");
	assert_int_equal(
		site_files_load_conf(f, "[site]\nstations = points.csv\nconstraints = rows.csv\n" ROOT POINT),
		0);
	assert_int_equal(f->l.model.n_points, 3);
	assert_int_equal(f->l.model.point[1].number, 2);
	assert_int_equal(f->l.model.point[2].kind, SITE_AC3);
	assert_int_equal(f->l.model.n_constraints, 2);
	assert_int_equal(f->l.model.constraint[0].n_terms, 3);
	assert_int_equal(f->l.model.constraint[1].n_terms, 3);
	site_files_put(f, "rows.csv", "constraint,limit_A,sum,members\nx,40,,B A.L2\nx,41,,C.L3\n");
	assert_true(site_files_load_conf(
			    f, "[site]\nstations = points.csv\nconstraints = rows.csv\n" ROOT POINT) < 0);
	site_files_assert_sentence(f, "rows.csv", 3, "another limit");
	site_files_put(f, "points.csv", "point,node,max_A\nB,nowhere,16\n");
	assert_true(site_files_load_conf(f, "[site]\nstations = points.csv\n" ROOT POINT) < 0);
	site_files_assert_sentence(f, "points.csv", 2, "unknown node: nowhere");
}

static void test_conf_example_loads(void **state)
{
	struct site_files *f = *state;

	if (site_load_conf(&f->l, "examples/site.conf", f->err, sizeof(f->err)))
		fail_msg("%s", f->err);
	assert_string_equal(f->l.schedule, "examples/site_schedule.csv");
	assert_int_equal(f->l.model.n_points, 10);
	site_judge_rows(&f->l.model);
	if (load_schedule_open(&f->s, f->l.schedule, &f->l.model, f->err, sizeof(f->err)))
		fail_msg("%s", f->err);
}

#define T(test) cmocka_unit_test_setup_teardown(test, site_files_set_up, site_files_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_conf_keys_reach_the_model),
		T(test_conf_bad_sections_and_keys_are_refused_with_their_line),
		T(test_conf_bad_points_are_refused_with_their_line),
		T(test_conf_safe_currents_over_a_limit_are_refused),
		T(test_conf_constraint_members_have_the_angles_of_their_phases),
		T(test_conf_bad_constraints_are_refused_with_their_line),
		T(test_conf_tables_beside_it_add_points_and_constraints),
		T(test_conf_example_loads),
	};

	return cmocka_run_group_tests_name("site_load_conf", tests, NULL, NULL);
}
