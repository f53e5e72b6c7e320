/* SPDX-License-Identifier: MIT */
/*
 * The full simulation of a site: the link, the judge, and short runs of the program with complete stacks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/sim_run_site_judge.h"
#include "sim/sim_run_site_link.h"
#include "tests/lib/json_check.h"
#include "tests/lib/tool_rig.h"

#define S FC_US_PER_S

/* --- the link ------------------------------------------------------------------------------------------------ */

static struct site_link link_;
static struct site_line line;

static struct can_frame numbered(uint32_t id, uint8_t n)
{
	struct can_frame f = {.can_id = id | CAN_EFF_FLAG, .can_dlc = 8};

	f.data[0] = n;
	return f;
}

static void test_link_without_delay_keeps_order(void **state)
{
	struct site_link_frame f;

	(void)state;
	site_link_init(&link_, 1, 0, 0);
	assert_true(site_link_next_us(&link_) == FC_NEVER);
	for (unsigned i = 0; i < 100; i++) {
		struct can_frame sent = numbered(0xa8000, (uint8_t)i);

		site_link_send(&link_, 1000 + i / 10, i, SITE_LINK_TO_SITE, &sent);
	}
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(site_link_next_us(&link_), 1000 + i / 10 + SITE_LINK_WIRE_US);
		site_link_take(&link_, &f);
		assert_int_equal(f.frame.data[0], i);
		assert_int_equal(f.from, i);
	}
	assert_true(site_link_next_us(&link_) == FC_NEVER);
}

static void test_link_delay_stays_within_and_time_in_order(void **state)
{
	struct site_link_frame f;
	int64_t last_us = 0;
	unsigned n_overtaken = 0, last = 0;

	(void)state;
	site_link_init(&link_, 7, 0, 2 * S);
	for (unsigned i = 0; i < 200; i++) {
		struct can_frame sent = numbered(0xa8000, (uint8_t)i);

		site_link_send(&link_, i * 1000, 0, 1, &sent);
	}
	for (unsigned i = 0; i < 200; i++) {
		site_link_take(&link_, &f);
		assert_true(f.due_us >= last_us);
		assert_true(f.due_us >= f.frame.data[0] * 1000 + SITE_LINK_WIRE_US);
		assert_true(f.due_us <= f.frame.data[0] * 1000 + SITE_LINK_WIRE_US + 2 * S);
		n_overtaken += f.frame.data[0] < last;
		last = f.frame.data[0];
		last_us = f.due_us;
	}
	assert_true(n_overtaken > 20);
}

static void test_link_loses_what_was_asked_and_repeats(void **state)
{
	uint64_t n_lost = 0;

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		site_link_init(&link_, 3, 200000, 0);
		for (unsigned i = 0; i < 5000; i++) {
			struct can_frame sent = numbered(0xa8000, 0);

			site_link_send(&link_, i, 0, 1, &sent);
		}
		assert_in_range(link_.n_lost, 900, 1100);
		assert_int_equal(link_.n + link_.n_lost, 5000);
		assert_true(round == 0 || n_lost == link_.n_lost);
		n_lost = link_.n_lost;
	}
}

static void test_line_puts_the_points_number_into_identifiers(void **state)
{
	struct can_frame f = numbered(0x010a8000, 5);
	struct site_link_frame taken;
	static struct out_queue out;

	(void)state;
	site_link_init(&link_, 1, 0, 0);
	line = (struct site_line){.link = &link_, .point = 9, .number = 23};
	out_queue_init(&out);
	site_line_ops.rx(&line, 100, &f, &out);
	site_link_take(&link_, &taken);
	assert_int_equal(taken.frame.can_id, 0x170a8000 | CAN_EFF_FLAG);
	assert_int_equal(taken.from, 9);
	f = numbered(0x170a8010, 6);
	assert_true(site_line_put(&line, 500, &f));
	assert_int_equal(site_line_ops.next_us(&line), 500);
	site_line_ops.tick(&line, 499, &out);
	assert_int_equal(out.n, 0);
	site_line_ops.tick(&line, 500, &out);
	assert_int_equal(out.n, 1);
	assert_int_equal(out.item[0].u.frame.can_id, 0x010a8010 | CAN_EFF_FLAG);
	assert_true(site_line_ops.next_us(&line) == FC_NEVER);
}

/* --- the judge ----------------------------------------------------------------------------------------------- */

/* Two points of 32 A, safe current 6 A, on one phase of 40 A. */
static struct site_node_conf node[1];
static struct site_point_conf point[2];
static struct site_constraint_conf constraint[1];
static struct site_model model;
static struct site_judge judge;
static struct site_judge_point judged[2];
static int32_t limit_mA[8];

static void make_site(void)
{
	struct site_node_conf n = {.name = "grid",
				   .parent = SITE_NO_NODE,
				   .voltage_mV = 230000,
				   .limit_mA = {40000, SITE_NO_LIMIT_mA, SITE_NO_LIMIT_mA}};
	struct site_point_conf p = {.kind = SITE_AC1,
				    .phase = {1},
				    .min_mA = 6000,
				    .max_mA = 32000,
				    .step_mA = 100,
				    .safe_mA = 6000,
				    .weight_permille = 1000};
	char err[256];

	site_model_init(&model, node, 1, point, 2, constraint, 1);
	assert_int_equal(site_model_add_node(&model, &n, err, sizeof(err)), 0);
	for (unsigned i = 0; i < 2; i++) {
		snprintf(p.name, sizeof(p.name), "P%u", i);
		p.number = (uint8_t)(i + 1);
		assert_int_equal(site_model_add_point(&model, &p, err, sizeof(err)), 0);
	}
	free(model.block);
	assert_int_equal(site_model_compile(&model, malloc(site_model_size(&model)), err, sizeof(err)), 0);
	for (unsigned i = 0; i < model.site.n_rows; i++)
		limit_mA[i] = model.info[i].limit_mA;
	site_judge_init(&judge, &model, limit_mA, judged);
}

static void report(uint32_t i, int64_t now_us, uint32_t number, int32_t may_mA, uint8_t state)
{
	struct site_point_report r = {.number = number, .may_draw_mA = may_mA, .state = state};
	struct can_frame f;

	msg_to_frame(&site_layouts[SITE_V1][SITE_POINT_REPORT], &r, i + 1, &f);
	site_judge_left(&judge, i, now_us, &f);
}

static void grant(uint32_t i, int64_t now_us, uint32_t number, uint8_t revision, int32_t mA)
{
	struct site_grant g = {
		.number = number, .revision = revision, .duration = 5, .charge_current_mA = mA};
	struct can_frame f;

	msg_to_frame(&site_layouts[SITE_V1][SITE_GRANT], &g, i + 1, &f);
	site_judge_reached(&judge, i, now_us, &f);
}

static void test_judge_sum_of_grants_over_limit_found(void **state)
{
	(void)state;
	make_site();
	report(0, 0, 1, 6000, 1);
	report(1, 0, 1, 6000, 1);
	grant(0, 1 * S, 1, 0, 20000);
	grant(1, 1 * S, 1, 0, 20000);
	assert_int_equal(judge.n_violations, 0);
	grant(1, 2 * S, 1, 1, 20200);
	assert_int_equal(judge.n_violations, 1);
	assert_in_range(judge.worst_mA, 199, 201);
	assert_int_equal(judge.worst_us, 2 * S);
	free(model.block);
	model.block = NULL;
}

static void test_judge_lowered_grant_counts_only_when_confirmed(void **state)
{
	(void)state;
	make_site();
	report(0, 0, 1, 32000, 2);
	report(1, 0, 1, 6000, 1);
	grant(0, 1 * S, 1, 0, 8000);
	grant(1, 1 * S, 1, 0, 32000);
	assert_int_equal(judge.n_violations, 1);
	report(1, 2 * S, 2, 32000, 2);
	assert_int_equal(judge.n_violations, 2);
	report(0, 3 * S, 2, 8000, 2);
	report(1, 3 * S, 3, 32000, 2);
	assert_int_equal(judge.n_violations, 2);
	free(model.block);
	model.block = NULL;
}

static void test_judge_void_grants_do_not_count(void **state)
{
	(void)state;
	make_site();
	report(0, 0, 1, 6000, 1);
	report(1, 0, 7, 6000, 1);
	/* Nobody's number; too late; overtaken by a later revision and by a later number. */
	grant(0, 1 * S, 2, 0, 99000);
	grant(0, 10 * S, 1, 0, 99000);
	report(0, 11 * S, 2, 6000, 1);
	grant(0, 12 * S, 2, 1, 10000);
	grant(0, 12 * S, 2, 0, 99000);
	grant(0, 12 * S, 1, 5, 99000);
	assert_int_equal(judge.n_violations, 0);
	assert_int_equal(judge.n_void, 4);
	/* Just not too late. */
	grant(1, 10 * S - 1, 7, 0, 99000);
	assert_int_equal(judge.n_violations, 1);
	free(model.block);
	model.block = NULL;
}

static void test_judge_draw_over_limit_found(void **state)
{
	(void)state;
	make_site();
	judged[0].drawn_mA = judged[1].drawn_mA = 20000;
	site_judge_draw(&judge, 0);
	assert_int_equal(judge.n_violations, 0);
	judged[1].drawn_mA = 20100;
	site_judge_draw(&judge, 0);
	assert_int_equal(judge.n_violations, 1);
	free(model.block);
	model.block = NULL;
}

static void test_judge_pauses_and_changes_counted(void **state)
{
	(void)state;
	make_site();
	report(0, 0, 1, 6000, SITE_POINT_REPORT_STATE_CHARGING);
	grant(0, 1 * S, 1, 0, 8000);
	grant(0, 1 * S, 1, 1, 8000);
	report(0, 2 * S, 2, 8000, SITE_POINT_REPORT_STATE_WAITING);
	report(0, 5 * S, 3, 8000, SITE_POINT_REPORT_STATE_WAITING);
	report(0, 9 * S, 4, 8000, SITE_POINT_REPORT_STATE_CHARGING);
	report(0, 10 * S, 5, 8000, SITE_POINT_REPORT_STATE_FINISHED);
	assert_int_equal(judged[0].n_pauses, 1);
	assert_int_equal(judged[0].n_changes, 1);
	assert_int_equal(judge.shortest_pause_us, 7 * S);
	free(model.block);
	model.block = NULL;
}

/* --- the program --------------------------------------------------------------------------------------------- */

static const char site_conf[] = "[site]\nvoltage_V = 230\n[node.grid]\nlimit_A = 24\n"
				"[point.P1]\nnode = grid\nkind = dc\nmax_A = 32\nmin_A = 6\nnumber = 1\n"
				"[point.P2]\nnode = grid\nkind = dc\nmax_A = 32\nmin_A = 6\nnumber = 20\n";
static const char workload[] = "session,station,arrival_s,departure_s,energy_wh\n"
			       "1,P1,0,1200,2000\n2,P2,60,1200,9000\n3,P1,1200,1500,9000\n";

static struct tool_rig rig;

static int set_up(void **state)
{
	(void)state;
	tool_begin(&rig, "sim-run");
	tool_write(&rig, "site.conf", site_conf);
	tool_write(&rig, "w.csv", workload);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tool_end(&rig);
	return 0;
}

static double number_of(const char *key)
{
	const char *at = strstr(rig.said, key);

	assert_non_null(at);
	return strtod(at + strlen(key), NULL);
}

/* Two charge at 12 A each until the first is full, in about 15 minutes; limits hold; the same twice. */
static void test_program_site_shares_and_repeats(void **state)
{
	static const char run[] = "sim-run --site site.conf --workload w.csv --policy fair --json --log %s";
	char *first, *second;

	(void)state;
	assert_int_equal(tool_run(&rig, run, "a.log"), 0);
	assert_null(json_check(rig.said, strlen(rig.said)));
	assert_true(number_of("\"violations\":") == 0);
	assert_true(number_of("\"policy_faults\":") == 0);
	assert_true(number_of("\"sessions\":") == 3);
	assert_true(number_of("\"full_percent\":") > 33);
	/* 24 A of three phases at 230 V are 16.6 kW at the supply; 25 minutes less the starts. */
	assert_true(number_of("\"delivered_kWh\":") > 4.5 && number_of("\"delivered_kWh\":") < 6.6);
	assert_true(number_of("\"peak_A\":") > 22 && number_of("\"peak_A\":") <= 24.001);
	first = tool_read(&rig, "a.log");
	assert_int_equal(tool_run(&rig, run, "b.log"), 0);
	second = tool_read(&rig, "b.log");
	assert_string_equal(first, second);
	free(first);
	free(second);
}

static void test_program_site_loss_and_delay_no_violation(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 3; seed++) {
		assert_int_equal(tool_run(&rig,
					  "sim-run --site site.conf --workload w.csv --policy edf --json "
					  "--site-loss 20 --site-delay-ms 4000 --seed %u",
					  seed),
				 0);
		assert_true(number_of("\"violations\":") == 0);
		assert_true(number_of("\"delivered_kWh\":") > 1);
	}
}

static void test_program_site_wrong_use_and_bad_files(void **state)
{
	static const struct {
		const char *arguments;
		int status;
		const char *says;
	} cases[] = {
		{"--site site.conf --policy fair", 2, "a lot needs"},
		{"--site site.conf --workload w.csv --policy fair --limit-kw 3", 2, "do not go with --site"},
		{"--site site.conf --workload w.csv --policy fair --site-loss 101", 2, "--site-loss takes"},
		{"--site site.conf --workload w.csv --policy fair --site-delay-ms -1", 2,
		 "--site-delay-ms takes"},
		{"--site site.conf --workload w.csv --policy fair --set site.nonsense=1", 2, "nonsense"},
		{"--site site.conf --workload w.csv --policy fair --set site.lease_ms=1", 2, "lease_ms"},
		{"--site site.conf --workload w.csv --policy fair,edf --log x.log", 2, "one policy"},
		{"--site none.conf --workload w.csv --policy fair", 1, "none.conf"},
		{"--site bare.conf --workload w.csv --policy fair", 1, "P1 needs a number"},
		{"--site site.conf --workload bad.csv --policy fair", 1, "bad.csv:2: there is no station"},
		{"--site site.conf --workload w.csv --policy fair --log /dev/full", 1,
		 "cannot write the log"},
	};

	(void)state;
	tool_write(&rig, "bad.csv", "station,arrival_s,departure_s,energy_wh\nX,0,1,1\n");
	tool_write(&rig, "bare.conf",
		   "[site]\nvoltage_V = 230\n[node.grid]\nlimit_A = 24\n"
		   "[point.P1]\nnode = grid\nkind = dc\nmax_A = 32\n[point.P2]\nnode = grid\nmax_A = 32\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(tool_run(&rig, "sim-run %s", cases[i].arguments), cases[i].status);
		if (!strstr(rig.said, cases[i].says))
			fail_msg("%s: not \"%s\" but %s", cases[i].arguments, cases[i].says, rig.said);
	}
}

int main(void)
{
#define PROGRAM(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_link_without_delay_keeps_order),
		cmocka_unit_test(test_link_delay_stays_within_and_time_in_order),
		cmocka_unit_test(test_link_loses_what_was_asked_and_repeats),
		cmocka_unit_test(test_line_puts_the_points_number_into_identifiers),
		cmocka_unit_test(test_judge_sum_of_grants_over_limit_found),
		cmocka_unit_test(test_judge_lowered_grant_counts_only_when_confirmed),
		cmocka_unit_test(test_judge_void_grants_do_not_count),
		cmocka_unit_test(test_judge_draw_over_limit_found),
		cmocka_unit_test(test_judge_pauses_and_changes_counted),
		PROGRAM(test_program_site_shares_and_repeats),
		PROGRAM(test_program_site_loss_and_delay_no_violation),
		PROGRAM(test_program_site_wrong_use_and_bad_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
