/* SPDX-License-Identifier: MIT */
/* The picture of the tree: what is in it, in both alphabets, and that it keeps to its buffer. */
#include "site-ctrl/site_show.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
	struct site_model m;
	struct site_node_conf node[3];
	struct site_point_conf point[4];
	struct site_constraint_conf constraint[1];
	struct site_limits l;
	void *block, *limit_block;
	char text[8192], err[256];
};

static const struct site_term term[] = {{0, ALLOC_Q16, 0}, {1, -ALLOC_Q16 / 2, 30000}};

static void add_point(struct fixture *f, const char *name, uint32_t node, enum site_kind kind, uint8_t number)
{
	struct site_point_conf p = {.node = node,
				    .kind = (int32_t)kind,
				    .phase = {2, 3, 1},
				    .min_mA = 6000,
				    .max_mA = 32000,
				    .safe_mA = 6000,
				    .number = number,
				    .weight_permille = 1000};

	snprintf(p.name, sizeof(p.name), "%s", name);
	assert_int_equal(site_model_add_point(&f->m, &p, f->err, sizeof(f->err)), 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct site_node_conf n = {.name = "main",
				   .parent = SITE_NO_NODE,
				   .limit_mA = {100000, 100000, 80500},
				   .limit_W = 50000,
				   .voltage_mV = 230000};
	struct site_node_conf a = {.name = "left",
				   .limit_mA = {63000, 63000, 63000},
				   .base_mA = {4000, 0, 0},
				   .has_meter = true,
				   .meter_max_age_ms = 5000};
	struct site_node_conf b = {.name = "right", .limit_mA = {63000, 63000, 63000}};
	struct site_constraint_conf c = {.name = "duct", .limit_mA = 40000, .term = term, .n_terms = 2};

	if (!f)
		return -1;
	site_model_init(&f->m, f->node, 3, f->point, 4, f->constraint, 1);
	assert_int_equal(site_model_add_node(&f->m, &n, f->err, sizeof(f->err)), 0);
	assert_int_equal(site_model_add_node(&f->m, &a, f->err, sizeof(f->err)), 0);
	assert_int_equal(site_model_add_node(&f->m, &b, f->err, sizeof(f->err)), 0);
	add_point(f, "P1", 1, SITE_AC3, 1);
	add_point(f, "P2", 2, SITE_AC1, 2);
	add_point(f, "P3", 1, SITE_DC, 0);
	assert_int_equal(site_model_add_constraint(&f->m, &c, f->err, sizeof(f->err)), 0);
	f->block = malloc(site_model_size(&f->m));
	assert_int_equal(site_model_compile(&f->m, f->block, f->err, sizeof(f->err)), 0);
	f->limit_block = malloc(site_limits_size(&f->m));
	site_limits_init(&f->l, &f->m, f->limit_block);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	free(f->block);
	free(f->limit_block);
	free(f);
	return 0;
}

static void test_show_tree_has_limits_safe_currents_and_points(void **state)
{
	struct fixture *f = *state;
	struct site_show show = {.is_ascii = true};

	assert_true(site_show_write(&f->m, &show, f->text, sizeof(f->text)) < sizeof(f->text));
	assert_string_equal(
		f->text,
		"site          limit A           safe A            others A\n"
		"main          100/100/80.5      12/18/12          0                 50.0 kW\n"
		"|- left       3x63              3x12              4/0/0             meter (5 s)\n"
		"|  |- P1      6..32             6                                   AC L2L3L1 #1\n"
		"|  `- P3      6..32             6                                   DC L2L3L1\n"
		"`- right      3x63              0/6/0             0\n"
		"   `- P2      6..32             6                                   AC L2 #2\n"
		"duct          40                6                                   P1 -0.5*P2@30\n"
		"3 points (1 DC), 3 nodes, 1 constraints, 11 rows; 1 without a number, for simulation only\n");
}

static void test_show_with_limits_and_loads_has_their_columns(void **state)
{
	struct fixture *f = *state;
	const int32_t drawn[] = {10000, 7500, 20000};
	struct site_show show = {.is_ascii = true, .limits = &f->l, .point_mA = drawn};

	site_show_write(&f->m, &show, f->text, sizeof(f->text));
	assert_non_null(strstr(f->text, "now A"));
	assert_non_null(strstr(f->text, "drawn A"));
	assert_non_null(strstr(f->text,
			       "|- left       3x63              59/63/63          3x12              4/0/0  "
			       "           3x30              meter (5 s), METER STALE\n"));
	assert_non_null(strstr(f->text, "50.0 kW (now 49.0 kW)"));
	assert_non_null(strstr(f->text, "7.5"));
	assert_int_equal(
		site_limits_set(&f->l, SITE_LIMIT_OPERATOR, 1, 1, 13000, FC_NEVER, f->err, sizeof(f->err)),
		0);
	site_limits_update(&f->l, 0, &(int64_t){0});
	site_show_write(&f->m, &show, f->text, sizeof(f->text));
	assert_non_null(strstr(f->text, "BELOW SAFE CURRENTS"));
}

static void test_show_without_points_leaves_the_nodes(void **state)
{
	struct fixture *f = *state;
	struct site_show show = {.no_points = true};

	site_show_write(&f->m, &show, f->text, sizeof(f->text));
	assert_null(strstr(f->text, "P3"));
	assert_non_null(strstr(f->text, "├─ left "));
	assert_non_null(strstr(f->text, "└─ right"));
}

/* As snprintf: the same length for any buffer, a zero at its end, and not a byte more. */
static void test_show_any_buffer_is_kept_to(void **state)
{
	struct fixture *f = *state;
	struct site_show show = {.limits = &f->l};
	size_t whole = site_show_write(&f->m, &show, f->text, sizeof(f->text)), size;

	assert_int_equal(strlen(f->text), whole);
	for (size = 0; size <= whole + 2; size++) {
		char *small = malloc(size + 1);

		memset(small, 'x', size + 1);
		assert_int_equal(site_show_write(&f->m, &show, small, size), whole);
		assert_int_equal(small[size], 'x');
		if (size) {
			size_t n = strlen(small);

			assert_int_equal(n, size - 1 < whole ? size - 1 : whole);
			assert_memory_equal(small, f->text, n);
		}
		free(small);
	}
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_show_tree_has_limits_safe_currents_and_points),
		T(test_show_with_limits_and_loads_has_their_columns),
		T(test_show_without_points_leaves_the_nodes),
		T(test_show_any_buffer_is_kept_to),
	};

	return cmocka_run_group_tests_name("site_show", tests, NULL, NULL);
}
