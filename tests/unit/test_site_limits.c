/* SPDX-License-Identifier: MIT */
/*
 * Limits in force: the least of all sources, other loads taken off, readings that age, and what is refused.
 */
#include "site-ctrl/site_model.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S(seconds) ((seconds)*INT64_C(1000000))

/*
 * main 100 A (fixed loads 5 A, export 20 A, 40 kW) - shop 63 A (meter, 40 A at worst, up to 16 A of solar) -
 * two three-phase points of 6 A safe; and a free constraint over both.
 */
struct fixture {
	struct site_model m;
	struct site_node_conf node[2];
	struct site_point_conf point[2];
	struct site_constraint_conf constraint[1];
	struct site_limits l;
	void *block, *limit_block;
	char err[256];
	int64_t next_us;
};

static const struct site_term both[] = {{0, ALLOC_Q16, 0}, {1, ALLOC_Q16, 0}};

static void describe(struct fixture *f)
{
	struct site_node_conf main_node = {.name = "main",
					   .parent = SITE_NO_NODE,
					   .limit_mA = {100000, 100000, 100000},
					   .export_limit_mA = {20000, 20000, 20000},
					   .base_mA = {5000, 5000, 5000},
					   .limit_W = 40000,
					   .voltage_mV = 230000};
	struct site_node_conf shop = {.name = "shop",
				      .limit_mA = {63000, 63000, 63000},
				      .export_limit_mA = {30000, 30000, 30000},
				      .base_mA = {40000, 30000, 20000},
				      .feed_in_mA = {16000, 16000, 16000},
				      .has_meter = true,
				      .meter_max_age_ms = 10000};
	struct site_constraint_conf c = {.name = "cable", .limit_mA = 50000, .term = both, .n_terms = 2};
	struct site_point_conf p = {.node = 1,
				    .kind = SITE_AC3,
				    .phase = {1, 2, 3},
				    .min_mA = 6000,
				    .max_mA = 32000,
				    .safe_mA = 6000,
				    .weight_permille = 1000};

	assert_int_equal(site_model_add_node(&f->m, &main_node, f->err, sizeof(f->err)), 0);
	assert_int_equal(site_model_add_node(&f->m, &shop, f->err, sizeof(f->err)), 0);
	snprintf(p.name, sizeof(p.name), "A");
	assert_int_equal(site_model_add_point(&f->m, &p, f->err, sizeof(f->err)), 0);
	snprintf(p.name, sizeof(p.name), "B");
	assert_int_equal(site_model_add_point(&f->m, &p, f->err, sizeof(f->err)), 0);
	assert_int_equal(site_model_add_constraint(&f->m, &c, f->err, sizeof(f->err)), 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	site_model_init(&f->m, f->node, 2, f->point, 2, f->constraint, 1);
	describe(f);
	f->block = malloc(site_model_size(&f->m));
	assert_non_null(f->block);
	if (site_model_compile(&f->m, f->block, f->err, sizeof(f->err)))
		fail_msg("%s", f->err);
	f->limit_block = malloc(site_limits_size(&f->m));
	assert_non_null(f->limit_block);
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

static uint32_t row_named(const struct fixture *f, const char *name)
{
	char text[64];
	uint32_t r;

	for (r = 0; r < f->m.site.n_rows; r++)
		if (strcmp(site_row_name(&f->m, r, text, sizeof(text)), name) == 0)
			return r;
	fail_msg("no row %s", name);
	return 0;
}

static int32_t limit_of(const struct fixture *f, const char *name)
{
	return f->l.limit_mA[row_named(f, name)];
}

static int32_t export_of(const struct fixture *f, const char *name)
{
	return f->l.export_limit_mA[row_named(f, name)];
}

static bool update(struct fixture *f, int64_t now_us)
{
	return site_limits_update(&f->l, now_us, &f->next_us);
}

static int set(struct fixture *f, enum site_limit_source source, uint32_t place, unsigned phase, int32_t mA,
	       int64_t until_us)
{
	return site_limits_set(&f->l, source, place, phase, mA, until_us, f->err, sizeof(f->err));
}

static void meter(struct fixture *f, int32_t l1_mA, int32_t l2_mA, int32_t l3_mA, int64_t now_us)
{
	const int32_t mA[3] = {l1_mA, l2_mA, l3_mA};

	site_limits_meter(&f->l, 1, mA, now_us);
}

static void test_limits_without_reading_count_the_worst(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(limit_of(f, "shop L1"), 23000);
	assert_int_equal(limit_of(f, "shop L3"), 43000);
	assert_int_equal(limit_of(f, "main L1"), 55000); /* its own 5 A and the shop's 40 A */
	assert_int_equal(limit_of(f, "main L2"), 65000);
	assert_int_equal(limit_of(f, "main power"), 173913 - 105000); /* all phases of both */
	assert_int_equal(limit_of(f, "cable"), 50000);
	assert_int_equal(f->l.alarm[row_named(f, "shop L2")], SITE_ALARM_METER_STALE);
	assert_int_equal(f->l.alarm[row_named(f, "main L2")], SITE_ALARM_METER_STALE);
	assert_int_equal(f->l.alarm[row_named(f, "cable")], 0);
	assert_int_equal(f->l.safe_mA[row_named(f, "main L1")], 12000);
	assert_int_equal(f->l.safe_mA[row_named(f, "main power")], 36000);
}

static void test_limits_follow_the_reading_until_it_is_too_old(void **state)
{
	struct fixture *f = *state;

	meter(f, 10000, 11000, 12000, S(100));
	assert_false(update(f, S(100)));
	assert_int_equal(limit_of(f, "shop L1"), 53000);
	assert_int_equal(limit_of(f, "main L3"), 100000 - 5000 - 12000);
	assert_int_equal(f->l.alarm[row_named(f, "shop L1")], 0);
	assert_int_equal(f->next_us, S(110) + 1);
	assert_false(update(f, S(110)));
	assert_int_equal(limit_of(f, "shop L1"), 53000);
	assert_true(update(f, S(110) + 1));
	assert_int_equal(limit_of(f, "shop L1"), 23000);
	assert_int_equal(f->l.alarm[row_named(f, "main L1")], SITE_ALARM_METER_STALE);
	assert_true(f->next_us == FC_NEVER);
}

static void test_limits_loads_above_the_limit_leave_nothing_and_alarm(void **state)
{
	struct fixture *f = *state;

	meter(f, 58000, 70000, 0, S(1));
	update(f, S(1));
	assert_int_equal(limit_of(f, "shop L1"), 5000);
	assert_int_equal(limit_of(f, "shop L2"), 0);
	assert_int_equal(f->l.alarm[row_named(f, "shop L1")], SITE_ALARM_BELOW_SAFE);
	assert_int_equal(f->l.alarm[row_named(f, "shop L2")], SITE_ALARM_BELOW_SAFE);
	assert_int_equal(f->l.alarm[row_named(f, "shop L3")], 0);
}

static void test_limits_solar_makes_no_room_but_takes_from_the_export(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(export_of(f, "shop L1"), 30000 - 16000); /* nobody knows: at worst */
	assert_int_equal(export_of(f, "main L1"), 20000 - 16000);
	meter(f, -10000, 0, 5000, S(1));
	update(f, S(1));
	assert_int_equal(limit_of(f, "shop L1"), 63000);
	assert_int_equal(export_of(f, "shop L1"), 20000);
	assert_int_equal(export_of(f, "shop L2"), 30000);
	assert_int_equal(export_of(f, "main L1"), 10000);
	meter(f, -25000, 0, 0, S(2));
	assert_true(update(f, S(2)));
	assert_int_equal(export_of(f, "main L1"), 0);
}

static void test_limits_the_least_source_counts_and_lapses_by_itself(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(set(f, SITE_LIMIT_OPERATOR, 0, 0, 80000, FC_NEVER), 0);
	assert_int_equal(set(f, SITE_LIMIT_EXTERNAL, 0, 2, 70000, S(50)), 0);
	assert_int_equal(set(f, SITE_LIMIT_SCHEDULE, 0, 2, 90000, S(40)), 0);
	assert_true(update(f, S(10)));
	assert_int_equal(limit_of(f, "main L1"), 80000 - 45000);
	assert_int_equal(limit_of(f, "main L2"), 70000 - 35000);
	assert_int_equal(f->next_us, S(40));
	assert_false(update(f, S(50)));
	assert_int_equal(limit_of(f, "main L2"), 80000 - 35000);
	assert_true(f->next_us == FC_NEVER);
	site_limits_clear(&f->l, SITE_LIMIT_OPERATOR, 0);
	update(f, S(51));
	assert_int_equal(limit_of(f, "main L2"), 65000);
}

static void test_limits_power_and_free_constraints_can_be_lowered(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		site_limits_set_W(&f->l, SITE_LIMIT_EXTERNAL, 0, 30000, FC_NEVER, f->err, sizeof(f->err)), 0);
	assert_int_equal(set(f, SITE_LIMIT_OPERATOR, 2, 0, 40000, FC_NEVER), 0); /* place 2: the constraint */
	assert_true(update(f, S(1)));
	assert_int_equal(limit_of(f, "main power"), 130434 - 105000);
	assert_int_equal(limit_of(f, "cable"), 40000);
	assert_int_equal(export_of(f, "cable"), 40000);
	assert_int_equal(set(f, SITE_LIMIT_OPERATOR, 2, 1, 40000, FC_NEVER), -EINVAL);
	assert_int_equal(
		site_limits_set_W(&f->l, SITE_LIMIT_EXTERNAL, 1, 30000, FC_NEVER, f->err, sizeof(f->err)),
		-ENOENT);
	assert_string_equal(f->err, "shop: has no power limit in the site's file, so none can be set");
}

static void test_limits_below_what_is_drawn_anyway_are_refused_with_the_number(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(set(f, SITE_LIMIT_OPERATOR, 0, 0, 16999, FC_NEVER), -ERANGE);
	assert_string_equal(f->err,
			    "main L1: 16.999 A is below the 17.000 A that are drawn there without any grant");
	assert_int_equal(set(f, SITE_LIMIT_OPERATOR, 0, 0, 17000, FC_NEVER), 0);
	/* The shop's loads have a meter: what they are is not known beforehand. */
	assert_int_equal(set(f, SITE_LIMIT_OPERATOR, 1, 1, 12000, FC_NEVER), 0);
	assert_int_equal(set(f, SITE_LIMIT_OPERATOR, 1, 1, 11999, FC_NEVER), -ERANGE);
	assert_int_equal(set(f, SITE_LIMIT_OPERATOR, 2, 0, 11999, FC_NEVER), -ERANGE);
	assert_int_equal(
		site_limits_set_W(&f->l, SITE_LIMIT_EXTERNAL, 0, 11000, FC_NEVER, f->err, sizeof(f->err)),
		-ERANGE);
	update(f, S(1));
	assert_int_equal(limit_of(f, "shop L1"), 0); /* 12 A, of which 40 A may be drawn by others */
	assert_int_equal(f->l.alarm[row_named(f, "shop L1")], SITE_ALARM_BELOW_SAFE | SITE_ALARM_METER_STALE);
}

static void test_limits_of_unknown_places_and_phases_are_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(set(f, SITE_LIMIT_OPERATOR, 3, 0, 50000, FC_NEVER), -ENOENT);
	assert_int_equal(set(f, SITE_LIMIT_OPERATOR, 0, 5, 50000, FC_NEVER), -EINVAL);
	assert_int_equal(set(f, SITE_LIMIT_OPERATOR, 0, 1, -1, FC_NEVER), -EINVAL);
	site_limits_clear(&f->l, SITE_LIMIT_OPERATOR, 99);
	meter(f, 1, 2, 3, S(1));
	site_limits_meter(&f->l, 99, (const int32_t[3]){1, 2, 3}, S(1));
}

static void test_limits_never_rise_above_the_configured_ones(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(set(f, SITE_LIMIT_OPERATOR, 1, 0, 500000, FC_NEVER), 0);
	meter(f, 0, 0, 0, S(1));
	update(f, S(1));
	assert_int_equal(limit_of(f, "shop L1"), 63000);
}

static void test_limits_lowered_hold_both_ways(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(set(f, SITE_LIMIT_OPERATOR, 1, 3, 15000, FC_NEVER), 0);
	meter(f, 0, 0, 0, S(1));
	update(f, S(1));
	assert_int_equal(export_of(f, "shop L3"), 15000);
	assert_int_equal(export_of(f, "shop L2"), 30000);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_limits_without_reading_count_the_worst),
		T(test_limits_follow_the_reading_until_it_is_too_old),
		T(test_limits_loads_above_the_limit_leave_nothing_and_alarm),
		T(test_limits_solar_makes_no_room_but_takes_from_the_export),
		T(test_limits_the_least_source_counts_and_lapses_by_itself),
		T(test_limits_power_and_free_constraints_can_be_lowered),
		T(test_limits_below_what_is_drawn_anyway_are_refused_with_the_number),
		T(test_limits_of_unknown_places_and_phases_are_refused),
		T(test_limits_never_rise_above_the_configured_ones),
		T(test_limits_lowered_hold_both_ways),
	};

	return cmocka_run_group_tests_name("site_limits", tests, NULL, NULL);
}
