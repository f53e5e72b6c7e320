/* SPDX-License-Identifier: MIT */
/*
 * What must be true of every allocation, on random sites: trees with one and three phases, between lines, and free rows
 * of phasors. docs/allocation.md has the list of properties, and those that look true and are not.
 *
 * --count N (or ALLOC_COUNT=N) instances for each property, --seed S the first; a failure prints the seed of its
 * instance, to be run alone with --seed S --count 1.
 */
#include "tests/lib/alloc_judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "site-ctrl/alloc_kit.h"
#include "site-ctrl/policies/policies.h"

#define MAX_POINTS    160
#define DEFAULT_COUNT 250

struct options {
	uint64_t count, seed;
};

static struct rig_conf random_conf(struct alloc_rig *g)
{
	struct rig_conf c = {.kind = (enum rig_kind)rig_below(g, RIG_N_KINDS)};

	c.n_points = 1 + rig_below(g, rig_below(g, 10) ? 20 : 90);
	c.has_minimum = rig_below(g, 4) != 0;
	c.has_weights = rig_below(g, 2);
	c.has_power = rig_below(g, 3) == 0;
	c.idle_permille = rig_below(g, 500);
	c.step_mA = rig_below(g, 2) ? 1 : rig_below(g, 2) ? 1000 : 0;
	return c;
}

/* One instance: a site that is made, and a text when the property does not hold. */
typedef bool property(struct alloc_rig *g, struct rig_conf *c, struct judge *j);

/* Returns how many were cut short. */
static uint64_t hold(void **state, property *is_true, enum rig_kind last_kind, int32_t step_mA)
{
	const struct options *o = *state;
	uint64_t n_cut_short = 0;

	for (uint64_t seed = o->seed; seed < o->seed + o->count; seed++) {
		struct alloc_rig g = {.random = seed * 0x9E3779B1u};
		struct judge j = {.g = &g, .text = ""};
		struct rig_conf c = random_conf(&g);
		bool holds;

		c.kind = (enum rig_kind)((uint32_t)c.kind % ((uint32_t)last_kind + 1));
		if (step_mA)
			c.step_mA = step_mA;
		rig_make(&g, &c);
		holds = is_true(&g, &c, &j);
		rig_free(&g);
		n_cut_short += j.is_cut_short;
		if (!holds)
			fail_msg("seed %llu: %s", (unsigned long long)seed, j.text);
	}
	return n_cut_short;
}

static bool wrong(struct judge *j, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool wrong(struct judge *j, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(j->text, sizeof(j->text), format, ap);
	va_end(ap);
	return false;
}

static bool with_name(struct judge *j, const char *name)
{
	char text[sizeof(j->text)];

	memcpy(text, j->text, sizeof(text));
	return wrong(j, "%s: %.150s", name, text);
}

/* --- 1 to 5 ------------------------------------------------------------------------------------------------ */

static bool is_safe(struct alloc_rig *g, struct rig_conf *c, struct judge *j)
{
	(void)c;
	for (unsigned p = 0; alloc_policies[p]; p++) {
		const char *name = alloc_policies[p]->name;

		if (rig_run(g, name) != ALLOC_OK)
			return wrong(j, "%s was refused: %s, row %u", name,
				     alloc_fault_name(g->run.last.fault), g->run.last.row);
		if (!judge_is_safe(j))
			return with_name(j, name);
	}
	rig_run(g, NULL);
	return judge_is_safe(j) && g->run.n_zero == 0;
}

static void test_properties_rows_and_ranges_hold(void **state)
{
	hold(state, is_safe, RIG_PHASOR, 0);
}

/* Free rows of phasors can make climb go on for ever smaller steps; then it is ended. Seldom. */
static bool is_conserving(struct alloc_rig *g, struct rig_conf *c, struct judge *j)
{
	for (unsigned p = 0; alloc_policies[p]; p++) {
		/* plan may leave room on purpose: for a cheaper hour. */
		if (strcmp(alloc_policies[p]->name, "plan") == 0)
			continue;
		rig_run(g, alloc_policies[p]->name);
		j->is_cut_short = c->kind == RIG_PHASOR && g->run.kit_state->is_cut_short;
		if (j->is_cut_short)
			return true;
		if (!judge_is_conserving(j))
			return with_name(j, alloc_policies[p]->name);
	}
	rig_run(g, NULL);
	j->is_cut_short = c->kind == RIG_PHASOR && g->run.kit_state->is_cut_short;
	return j->is_cut_short || judge_is_conserving(j);
}

static void test_properties_nobody_could_rise_alone(void **state)
{
	const struct options *o = *state;

	assert_true(hold(state, is_conserving, RIG_PHASOR, 0) <= o->count / 1000 + 1);
}

/* --- 6 ----------------------------------------------------------------------------------------------------- */

static bool is_order_free(struct alloc_rig *g, struct rig_conf *c, struct judge *j)
{
	uint32_t n = c->n_points, n_more = n + rig_below(g, 8), place[MAX_POINTS], order[MAX_POINTS];
	struct alloc_rig other = {.random = 0};
	bool is_same = true;

	for (uint32_t i = 0; i < n_more; i++)
		order[i] = i;
	for (uint32_t i = n_more; i > 1; i--) {
		uint32_t k = rig_below(g, i), swap = order[i - 1];

		order[i - 1] = order[k];
		order[k] = swap;
	}
	memcpy(place, order, n * sizeof(place[0]));
	rig_reorder(&other, g, place, n_more);
	for (unsigned p = 0; alloc_policies[p] && is_same; p++) {
		const char *name = alloc_policies[p]->name;

		rig_run(g, name);
		rig_run(&other, name);
		for (uint32_t i = 0; i < n && is_same; i++)
			if (rig_mA(g, i) != rig_mA(&other, place[i]))
				is_same = wrong(j, "%s: point %u has %d mA, elsewhere %d", name, i,
						rig_mA(g, i), rig_mA(&other, place[i]));
	}
	rig_free(&other);
	return is_same;
}

static void test_properties_order_and_idle_points_change_nothing(void **state)
{
	hold(state, is_order_free, RIG_PHASOR, 0);
}

/* --- 7 ----------------------------------------------------------------------------------------------------- */

#define EQUAL_STEPS 4 /* mA that rounding and climbing may give one and not another */
#define EQUAL_PHASORS \
	200 /* the same where phasors meet: a mA is kept back for each member, and climbed later */
#define EQUAL_AMPERE \
	16 /* the same in whole amperes: what many lose by rounding goes to the few who can use it */

static bool is_fair(struct alloc_rig *g, struct rig_conf *c, struct judge *j)
{
	int64_t weight[MAX_POINTS], one[MAX_POINTS];
	int32_t steps = c->step_mA > 1 ? EQUAL_AMPERE : c->kind == RIG_LINES ? EQUAL_PHASORS : EQUAL_STEPS;

	for (uint32_t i = 0; i < c->n_points; i++) {
		weight[i] = g->point[i].weight_permille;
		one[i] = 1;
	}
	rig_run(g, "fair");
	if (!judge_is_max_min(j, weight, steps, false))
		return with_name(j, "fair");
	rig_run(g, NULL);
	if (!judge_is_max_min(j, one, steps, false))
		return with_name(j, "equal share");
	rig_run(g, "priority");
	return judge_is_max_min(j, one, steps, true) || with_name(j, "priority");
}

static void test_properties_fair_has_a_bottleneck_for_everybody(void **state)
{
	hold(state, is_fair, RIG_LINES, 1);
}

static void test_properties_fair_has_a_bottleneck_in_whole_amperes(void **state)
{
	hold(state, is_fair, RIG_MIXED, 1000);
}

/* --- 8 ----------------------------------------------------------------------------------------------------- */

static bool is_in_order(struct alloc_rig *g, struct rig_conf *c, struct judge *j)
{
	int64_t key[MAX_POINTS];

	for (uint32_t i = 0; i < c->n_points; i++)
		key[i] = g->point[i].since_us;
	rig_run(g, "fcfs");
	if (!judge_is_in_order(j, key))
		return with_name(j, "fcfs");
	for (uint32_t i = 0; i < c->n_points; i++)
		key[i] = g->point[i].departure_us == ALLOC_UNKNOWN ? INT64_MAX : g->point[i].departure_us;
	rig_run(g, "edf");
	return judge_is_in_order(j, key) || with_name(j, "edf");
}

static void test_properties_orders_are_kept_on_trees_of_one_phase(void **state)
{
	hold(state, is_in_order, RIG_SINGLE, 0);
}

/* --- 9 ----------------------------------------------------------------------------------------------------- */

static bool has_less(struct judge *j, const char *name, uint32_t i, int32_t before_mA, int32_t tolerance_mA)
{
	int32_t now_mA = rig_mA(j->g, i);

	if (now_mA >= before_mA - tolerance_mA)
		return false;
	wrong(j, "%s: point %u had %d mA, now that it counts more %d", name, i, before_mA, now_mA);
	return true;
}

static bool is_weight_good(struct alloc_rig *g, struct rig_conf *c, struct judge *j)
{
	uint32_t i = rig_below(g, c->n_points);
	int32_t before_mA;

	rig_run(g, "fair");
	before_mA = rig_mA(g, i);
	g->point[i].weight_permille += 1 + (int32_t)rig_below(g, 3000);
	rig_run(g, "fair");
	return !has_less(j, "fair", i, before_mA, EQUAL_STEPS);
}

static void test_properties_more_weight_never_means_less_current(void **state)
{
	hold(state, is_weight_good, RIG_MIXED, 1);
}

static bool is_class_good(struct alloc_rig *g, struct rig_conf *c, struct judge *j)
{
	static const char *const names[] = {"fcfs", "edf", "priority"};
	uint32_t i = rig_below(g, c->n_points);

	for (unsigned p = 0; p < 3; p++) {
		int32_t before_mA;

		rig_run(g, names[p]);
		before_mA = rig_mA(g, i);
		g->point[i].class += 1 + (int32_t)rig_below(g, 2);
		rig_run(g, names[p]);
		if (has_less(j, names[p], i, before_mA, EQUAL_STEPS))
			return false;
	}
	return true;
}

static void test_properties_higher_class_never_means_less_current(void **state)
{
	hold(state, is_class_good, RIG_MIXED, 1);
}

/* --- 10 ---------------------------------------------------------------------------------------------------- */

/*
 * Everything k times as large: k times the answer, but that each current is whole mA. Both answers are within some mA of
 * the exact one for each point that shares a row.
 */
static bool is_scaled(struct alloc_rig *g, struct rig_conf *c, struct judge *j)
{
	static const char *const names[] = {"fcfs", "edf", "fair", "fair-need", "priority"};
	int32_t k = 2 + (int32_t)rig_below(g, 9), before_mA[MAX_POINTS], slack_mA = 12;

	for (unsigned p = 0; p < 5; p++) {
		rig_run(g, names[p]);
		for (uint32_t i = 0; i < c->n_points; i++)
			before_mA[i] = rig_mA(g, i);
		for (uint32_t i = 0; i < c->n_points; i++) {
			g->point[i].min_mA *= k;
			g->point[i].max_mA *= k;
		}
		for (uint32_t r = 0; r < g->site.n_rows; r++)
			g->limit_mA[r] *= k;
		rig_run(g, names[p]);
		for (uint32_t i = 0; i < c->n_points; i++)
			if (abs(rig_mA(g, i) - k * before_mA[i]) > k * slack_mA)
				return wrong(j, "%s: point %u has %d mA, of %d times as much %d", names[p], i,
					     before_mA[i], k, rig_mA(g, i));
		for (uint32_t i = 0; i < c->n_points; i++) {
			g->point[i].min_mA /= k;
			g->point[i].max_mA /= k;
		}
		for (uint32_t r = 0; r < g->site.n_rows; r++)
			g->limit_mA[r] /= k;
	}
	return true;
}

static void test_properties_scaled_site_scales_the_answer(void **state)
{
	hold(state, is_scaled, RIG_MIXED, 1);
}

/* --- 11 ---------------------------------------------------------------------------------------------------- */

struct hostile {
	struct alloc_rig *g;
	uint32_t way;
};

static int32_t hostile_mA(struct hostile *h, const struct alloc_point *p)
{
	switch (h->way) {
	case 0:
		return (int32_t)rig_random(h->g);
	case 1:
		return INT32_MIN;
	case 2:
		return INT32_MAX;
	case 3:
		return p->max_mA;
	case 4:
		return p->min_mA - 1;
	case 5:
		return p->max_mA + 1;
	case 6:
		return -1;
	default:
		return (int32_t)rig_below(h->g, 70000);
	}
}

static int32_t hostile_allocate(void *self, struct alloc_call *call)
{
	struct hostile *h = self;

	for (uint32_t i = 0; i < call->n_points; i++)
		*alloc_grant_at(call, i) = (struct alloc_grant){.mA = hostile_mA(h, alloc_point_at(call, i)),
								.reason = (int32_t)rig_random(h->g),
								.row = (uint32_t)rig_random(h->g)};
	call->n_points = (uint32_t)rig_random(h->g);
	call->limit_mA = NULL;
	call->grant = NULL;
	call->site = NULL;
	return rig_below(h->g, 5) ? 0 : (int32_t)rig_random(h->g);
}

static bool is_fenced(struct alloc_rig *g, struct rig_conf *c, struct judge *j)
{
	const struct alloc_policy_ops ops = {.allocate = hostile_allocate};

	(void)c;
	for (uint32_t way = 0; way < 8; way++) {
		struct hostile h = {g, way};
		enum alloc_fault fault = alloc_run_cycle(&g->run, &ops, &h, &g->call);

		if (!judge_is_safe(j))
			return false;
		for (uint32_t i = 0; i < g->site.n_points; i++)
			if ((fault != ALLOC_OK && g->grant[i].reason != ALLOC_REASON_NONE &&
			     g->grant[i].reason != ALLOC_REASON_FALLBACK) ||
			    (g->grant[i].row != ALLOC_NO_ROW && g->grant[i].row >= g->site.n_rows))
				return wrong(j, "reason %d, row %u", g->grant[i].reason, g->grant[i].row);
	}
	return true;
}

static void test_properties_hostile_policy_never_gets_through(void **state)
{
	hold(state, is_fenced, RIG_PHASOR, 0);
}

/* --- 14 ---------------------------------------------------------------------------------------------------- */

/* As the host does between cycles. */
static void grant_takes_effect(struct alloc_rig *g)
{
	for (uint32_t i = 0; i < g->site.n_points; i++) {
		struct alloc_point *p = &g->point[i];
		int32_t state = g->grant[i].mA > 0 ? ALLOC_CHARGING : ALLOC_WAITING;

		if (!alloc_wants(p))
			continue;
		if (state != p->state)
			p->changed_us = g->call.now_us;
		p->state = state;
		p->grant_mA = g->grant[i].mA;
	}
}

#define SETTLE_CYCLES 4

/* Runs another cycle; the point whose grant it changed, or n. */
static uint32_t run_again(struct alloc_rig *g, const char *name, int32_t *before_mA)
{
	uint32_t n = g->site.n_points, changed = n;

	grant_takes_effect(g);
	for (uint32_t i = 0; i < n; i++)
		before_mA[i] = rig_mA(g, i);
	rig_run(g, name);
	for (uint32_t i = 0; i < n && changed == n; i++)
		if (before_mA[i] != rig_mA(g, i))
			changed = i;
	return changed;
}

static bool is_steady(struct alloc_rig *g, struct rig_conf *c, struct judge *j)
{
	int32_t before_mA[MAX_POINTS];

	for (unsigned p = 0; alloc_policies[p]; p++) {
		const char *name = alloc_policies[p]->name;
		uint32_t i;

		/* The first cycles may begin and end charging, which changes who is ahead of equals. */
		rig_run(g, name);
		for (unsigned k = 0; k < SETTLE_CYCLES; k++)
			run_again(g, name, before_mA);
		i = run_again(g, name, before_mA);
		if (i < c->n_points)
			return wrong(j, "%s: point %u had %d mA, now %d, and nothing changed", name, i,
				     before_mA[i], rig_mA(g, i));
	}
	return true;
}

static void test_properties_nothing_changes_when_nothing_changed(void **state)
{
	/* Not for free rows of opposite phasors: whose minimum fits there depends on who was admitted before. */
	hold(state, is_steady, RIG_LINES, 0);
}

/* --- 15 ---------------------------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Median and worst of many sites of one kind, in thousandths for each point and member. */
static void measure_work(const struct options *o, enum rig_kind kind, const char *policy, uint64_t *work)
{
	uint64_t n = o->count / RIG_N_KINDS + 1;

	for (uint64_t k = 0; k < n; k++) {
		struct alloc_rig g = {.random = o->seed + k};
		struct rig_conf c = {
			.kind = kind, .n_points = 54, .step_mA = 1, .has_minimum = true, .has_weights = true};

		rig_make(&g, &c);
		rig_run(&g, policy);
		work[k] = g.run.kit_state->n_work * 1000 / (c.n_points + g.site.n_members);
		rig_free(&g);
	}
	qsort(work, (size_t)n, sizeof(*work), by_value);
	print_message("%-9s kind %d: work for each point and member: median %.2f, worst %.2f\n", policy, kind,
		      (double)work[n / 2] / 1000, (double)work[n - 1] / 1000);
	/* In free rows of opposite phasors one's rise makes room for another, and climb goes round more often. */
	if (kind == RIG_PHASOR)
		assert_true(work[n - 1] <= KIT_PASSES * 1000);
	else
		assert_true(work[n - 1] <= 5 * work[n / 2]);
}

/* Work is counted, not timed: rows and members touched. */
static void test_properties_work_of_the_worst_site_is_near_the_median(void **state)
{
	static const char *const names[] = {"fcfs", "edf", "fair", "fair-need", "priority"};
	const struct options *o = *state;
	uint64_t *work = calloc((size_t)o->count, sizeof(*work));

	assert_non_null(work);
	for (int kind = 0; kind < RIG_N_KINDS; kind++)
		for (unsigned p = 0; p < 5; p++)
			measure_work(o, (enum rig_kind)kind, names[p], work);
	free(work);
}

static uint64_t number(const char *text, uint64_t otherwise)
{
	uint64_t n = text ? strtoull(text, NULL, 0) : 0;

	return n ? n : otherwise;
}

int main(int argc, char **argv)
{
	struct options o = {.count = number(getenv("ALLOC_COUNT"), DEFAULT_COUNT), .seed = 1};
	struct CMUnitTest tests[] = {
		cmocka_unit_test(test_properties_rows_and_ranges_hold),
		cmocka_unit_test(test_properties_nobody_could_rise_alone),
		cmocka_unit_test(test_properties_order_and_idle_points_change_nothing),
		cmocka_unit_test(test_properties_fair_has_a_bottleneck_for_everybody),
		cmocka_unit_test(test_properties_fair_has_a_bottleneck_in_whole_amperes),
		cmocka_unit_test(test_properties_orders_are_kept_on_trees_of_one_phase),
		cmocka_unit_test(test_properties_more_weight_never_means_less_current),
		cmocka_unit_test(test_properties_higher_class_never_means_less_current),
		cmocka_unit_test(test_properties_scaled_site_scales_the_answer),
		cmocka_unit_test(test_properties_hostile_policy_never_gets_through),
		cmocka_unit_test(test_properties_nothing_changes_when_nothing_changed),
		cmocka_unit_test(test_properties_work_of_the_worst_site_is_near_the_median),
	};

	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--count") == 0)
			o.count = number(argv[i + 1], o.count);
		else if (strcmp(argv[i], "--seed") == 0)
			o.seed = number(argv[i + 1], o.seed);
	}
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tests[i].initial_state = &o;
	return cmocka_run_group_tests_name("alloc properties", tests, NULL, NULL);
}
