/* SPDX-License-Identifier: MIT */
/*
 * The light simulation of a lot: sessions and networks as files, the judge, slots, counts.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/sim_run_lot_sim.h"
#include "site-ctrl/load_net.h"
#include "tests/lib/tool_rig.h"

#define SLOT   LOT_SLOT_S
#define NO_END INT32_MAX

/* Three stations of 32 A at 230 V, whole amperes, together 40 A. */
static const char trio_stations[] = "station,phase_deg,volts,min_a,max_a,steps\n"
				    "A,0,230.0,6,32,1\nB,0,230.0,6,32,1\nC,0,230.0,6,32,1\n";
static const char trio_constraints[] = "constraint,limit_a,limit_a_per_kw,station,coef\n"
				       "main,40,,A,1\nmain,40,,B,1\nmain,40,,C,1\n";
/* Line to line on three pairs, a transformer per kW, and stations with levels. */
static const char delta_stations[] = "station,phase_deg,volts,min_a,max_a,steps\n"
				     "AB1,30,208.0,6,32,1\nAB2,30,208.0,8,32,8;16;24;32\n"
				     "BC1,-90,208.0,6,32,1\nCA1,150,208.0,10,32,10;13;32\n";
static const char delta_constraints[] = "constraint,limit_a,limit_a_per_kw,station,coef\n"
					"line A,,2,AB1,1\nline A,,2,AB2,1\nline A,,2,CA1,-1\n"
					"line B,,2,AB1,-1\nline B,,2,AB2,-1\nline B,,2,BC1,1\n"
					"pod,48,,AB1,1\npod,48,,AB2,1\n";
#define HEAD "session,station,arrival_s,departure_s,energy_wh\n"

/* cmocka's own compares floats. */
#define assert_near(is, should, by) assert_true(fabs((is) - (should)) <= (by))

static struct tool_rig rig;
static struct site_load net;
static struct lot_judge judge;
static struct lot_workload work;
static struct lot_sim sim;
static struct lot_result result;
static char err[512];

static void load_net(const char *stations, const char *constraints, int64_t size_W, bool is_continuous)
{
	char base[128];

	tool_write(&rig, "net_stations.csv", stations);
	tool_write(&rig, "net_constraints.csv", constraints);
	snprintf(base, sizeof(base), "%s/net", rig.dir);
	assert_int_equal(site_load_net(&net, base, size_W, is_continuous, err, sizeof(err)), 0);
	assert_int_equal(lot_judge_load(&judge, &net.model, base, (double)size_W / 1000, is_continuous, err,
					sizeof(err)),
			 0);
}

static int read_sessions(const char *text, int32_t end_s)
{
	err[0] = '\0';
	return lot_workload_read(&work, &net.model, "w.csv", text, strlen(text), end_s, err, sizeof(err));
}

static int set_up(void **state)
{
	(void)state;
	tool_begin(&rig, "sim-run");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lot_sim_free(&sim);
	lot_workload_free(&work);
	lot_judge_free(&judge);
	site_load_free(&net);
	tool_end(&rig);
	return 0;
}

/* --- sessions ------------------------------------------------------------------------------------------------ */

static void test_sessions_columns_in_any_order_read(void **state)
{
	(void)state;
	load_net(trio_stations, trio_constraints, 0, false);
	assert_int_equal(read_sessions("\xef\xbb\xbf"
				       "energy_wh,note,station,departure_s,user_departure_s,arrival_s\r\n"
				       "\r\n"
				       "1500.5,\"a, b\",B,7200,9000,600\r\n"
				       "0,,\"A\",900,,600",
				       NO_END),
			 0);
	assert_int_equal(work.n_sessions, 2);
	assert_int_equal(work.session[0].point, 1);
	assert_int_equal(work.session[0].arrival_s, 600);
	assert_int_equal(work.session[0].departure_s, 7200);
	assert_int_equal(work.session[0].stated_s, 9000);
	assert_int_equal(work.session[0].energy_uJ, INT64_C(5401800000000));
	assert_int_equal(work.session[1].stated_s, LOT_NOT_STATED);
	assert_int_equal(work.end_s, 7200);
	assert_true(work.has_stated);
}

static void test_sessions_days_keep_arrivals_within(void **state)
{
	(void)state;
	load_net(trio_stations, trio_constraints, 0, false);
	assert_int_equal(read_sessions(HEAD "1,A,0,100000,1\n2,B,86399,90000,1\n3,C,86400,90000,1\n", 86400),
			 0);
	assert_int_equal(work.n_sessions, 2);
	assert_int_equal(work.end_s, 100000);
	assert_false(work.has_stated);
}

static void test_sessions_broken_line_named(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"", "w.csv:0: is empty"},
		{"\n\n", "w.csv:2: is empty"},
		{"session,station,arrival_s,departure_s\n", "w.csv:1: there is no column energy_wh"},
		{"station,station,arrival_s,departure_s,energy_wh\n",
		 "w.csv:1: column station stands here twice"},
		{HEAD "1,A,0,300\n", "w.csv:2: 4 fields where the first line has 5"},
		{HEAD "1,A,0,300,5,6\n", "w.csv:2: 6 fields"},
		{HEAD "\n1,D,0,300,5\n", "w.csv:3: there is no station \"D\""},
		{HEAD "1,,0,300,5\n", "w.csv:2: there is no station \"\""},
		{HEAD "1,A,0,300,-5\n", "w.csv:2: energy_wh takes a number"},
		{HEAD "1,A,0,300,nan\n", "not \"nan\""},
		{HEAD "1,A,0,300,1e99\n", "not \"1e99\""},
		{HEAD "1,A,0,300,0x10\n", "not \"0x10\""},
		{HEAD "1,A,0,300, 5\n", "not \" 5\""},
		{HEAD "1,A,0,300,\n", "not \"\""},
		{HEAD "1,A,0.5,300,5\n", "w.csv:2: arrival_s takes whole seconds"},
		{HEAD "1,A,-300,300,5\n", "not \"-300\""},
		{HEAD "1,A,0,99999999999999999999,5\n", "w.csv:2: departure_s takes"},
		{HEAD "1,A,300,300,5\n", "w.csv:2: departure_s 300 is not behind arrival_s 300"},
		{HEAD "1,A,600,900,5\n2,B,300,900,5\n", "w.csv:3: not in the order of arrival"},
		{HEAD "1,A,0,900,5\n2,B,0,900,5\n3,A,600,1200,5\n",
		 "w.csv:4: station A is taken until 900 s"},
		{HEAD "1,\"A,0,300,5\n", "w.csv:2: quotes must"},
		{HEAD "1,A\"A,0,300,5\n", "w.csv:2: quotes must"},
	};

	(void)state;
	load_net(trio_stations, trio_constraints, 0, false);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(read_sessions(cases[i].text, NO_END), -EINVAL);
		if (!strstr(err, cases[i].says))
			fail_msg("%s: not \"%s\"", err, cases[i].says);
		assert_null(work.session);
	}
}

static void test_sessions_back_to_back_allowed(void **state)
{
	(void)state;
	load_net(trio_stations, trio_constraints, 0, false);
	assert_int_equal(read_sessions(HEAD "1,A,0,900,5\n2,A,900,1200,5\n", NO_END), 0);
	assert_int_equal(work.n_sessions, 2);
}

/* --- the judge ----------------------------------------------------------------------------------------------- */

static void test_judge_phasors_magnitude_counts(void **state)
{
	(void)state;
	/* 20 kW: lines of 40 A. Two stations of the pair AB make 48 A; with CA against them it is sqrt(3) times. */
	load_net(delta_stations, delta_constraints, 20000, false);
	lot_judge_set(&judge, 0, 32, 0);
	lot_judge_set(&judge, 3, 13, 0);
	lot_judge_settle(&judge, 0);
	/* sqrt(32^2 + 13^2 + 32 x 13) = 40.16 */
	assert_int_equal(judge.n_violations, 1);
	assert_string_equal(judge.worst, "line A");
	assert_near(judge.worst_a, sqrt(32 * 32 + 13 * 13 + 32 * 13) - 40, 1e-9);
	lot_judge_restart(&judge);
	lot_judge_set(&judge, 0, 31, 300);
	lot_judge_set(&judge, 3, 13, 300);
	lot_judge_settle(&judge, 300);
	assert_int_equal(judge.n_violations, 0);
	lot_judge_set(&judge, 1, 24, 600);
	lot_judge_settle(&judge, 600);
	/* pod 55 > 48, line A, line B 55 > 40 */
	assert_int_equal(judge.n_violations, 3);
	assert_int_equal(judge.worst_s, 600);
}

static void test_judge_currents_not_allowed_counted(void **state)
{
	static const struct {
		uint32_t station;
		double amps;
		bool is_bad;
	} cases[] = {
		{0, 0, false}, {0, 6, false}, {0, 5, true},   {0, 6.5, true}, {0, 33, true},  {0, -1, true},
		{1, 8, false}, {1, 10, true}, {3, 13, false}, {3, 14, true},  {0, NAN, true},
	};

	(void)state;
	load_net(delta_stations, delta_constraints, 2000000, false);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		lot_judge_restart(&judge);
		lot_judge_set(&judge, cases[i].station, cases[i].amps, 0);
		assert_int_equal(judge.n_violations > 0, cases[i].is_bad);
	}
}

/* --- policies of the test ------------------------------------------------------------------------------------ */

/* By arrival, each the most that fits. */
static int32_t greedy(void *self, struct alloc_call *call)
{
	uint32_t order[8], n;

	(void)self;
	assert_true(call->n_points <= 8);
	n = call->kit->sort(call->kit->ctx, NULL, order);
	call->kit->admit(call->kit->ctx, order, n);
	call->kit->fill_order(call->kit->ctx, order, n);
	call->kit->climb(call->kit->ctx, order, n);
	call->kit->finish(call->kit->ctx, call->grant, call->grant_stride);
	return 0;
}

/* As much as everybody wants, whatever the limit; every third time an error. */
struct reckless {
	unsigned n;
};

static int32_t reckless(void *self, struct alloc_call *call)
{
	struct reckless *r = self;

	for (uint32_t i = 0; i < call->n_points; i++)
		alloc_grant_at(call, i)->mA = r->n % 2 ? INT32_MAX : alloc_point_at(call, i)->max_mA;
	return ++r->n % 3 ? 0 : -EIO;
}

/* Gives all by arrival and notes what it was told about one point. */
struct note {
	uint32_t watch;
	unsigned n;
	struct alloc_point seen[16];
	int64_t now_us[16];
	unsigned off; /* gives nothing in this call; counts from 1 */
};

static int32_t take_note(void *self, struct alloc_call *call)
{
	struct note *n = self;

	if (n->n < 16) {
		n->now_us[n->n] = call->now_us;
		n->seen[n->n] = *alloc_point_at(call, n->watch);
	}
	if (++n->n == n->off) {
		call->kit->finish(call->kit->ctx, call->grant, call->grant_stride);
		return 0;
	}
	return greedy(NULL, call);
}

static const struct alloc_policy_ops greedy_ops = {.allocate = greedy};
static const struct alloc_policy_ops reckless_ops = {.allocate = reckless};
static const struct alloc_policy_ops note_ops = {.allocate = take_note};

static char *run_to_text(const struct alloc_policy_ops *ops, void *self)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	lot_sim_run(&sim, ops, self, NULL, out, &result);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void prepare(const char *sessions, bool is_stated)
{
	assert_int_equal(read_sessions(sessions, NO_END), 0);
	assert_int_equal(lot_sim_init(&sim, &net.model, &work, &judge, is_stated, err, sizeof(err)), 0);
}

static void expect_run(const struct alloc_policy_ops *ops, void *self, const char *rows)
{
	char *text = run_to_text(ops, self);

	assert_string_equal(text, rows);
	free(text);
}

/* --- slots --------------------------------------------------------------------------------------------------- */

static void test_lot_one_vehicle_filled_and_ended(void **state)
{
	(void)state;
	load_net(trio_stations, trio_constraints, 0, false);
	/* 32 A x 230 V x 300 s is 613.3 Wh; the rest, 136.7 Wh, is 7.13 A of a slot. */
	prepare(HEAD "1,B,600,7200,750\n", false);
	expect_run(&greedy_ops, NULL, "time_s,station,amps\n600,B,32\n900,B,8\n1200,B,0\n");
	assert_int_equal(result.delivered_uJ, result.wanted_uJ);
	assert_int_equal(result.n_full, 1);
	assert_near(result.jain, 1, 1e-12);
	assert_near(result.share_5, 1, 1e-12);
	assert_int_equal(result.peak_mA, 32000);
	assert_int_equal(result.peak_mW, 7360000);
	assert_int_equal(result.n_changes, 2);
	assert_int_equal(result.n_pauses, 0);
	assert_int_equal(result.n_slots, 25);
	assert_int_equal(result.n_cycles, 2);
	assert_int_equal(result.n_faults, 0);
	assert_int_equal(result.n_violations, 0);
}

static void test_lot_continuous_last_slot_exact(void **state)
{
	(void)state;
	load_net(trio_stations, trio_constraints, 0, true);
	prepare(HEAD "1,B,0,7200,750\n", false);
	/* 136.667 Wh / 230 V / (1/12 h) = 7.1304 A, rounded up to the mA */
	expect_run(&greedy_ops, NULL, "time_s,station,amps\n0,B,32\n300,B,7.131\n600,B,0\n");
	assert_int_equal(result.delivered_uJ, result.wanted_uJ);
}

static void test_lot_departure_ends_and_room_goes_on(void **state)
{
	(void)state;
	load_net(trio_stations, trio_constraints, 0, false);
	prepare(HEAD "1,A,0,600,50000\n2,B,0,900,50000\n3,A,600,900,50000\n", false);
	/* A's second vehicle comes when the first leaves: one row. */
	expect_run(&greedy_ops, NULL, "time_s,station,amps\n0,A,32\n0,B,8\n900,A,0\n900,B,0\n");
	/* 32 A x 600 s + 8 A x 900 s + 32 A x 300 s, at 230 V */
	assert_int_equal(result.delivered_uJ, (32000 * 900 + 8000 * 900) * INT64_C(230000));
	assert_int_equal(result.n_full, 0);
	assert_int_equal(result.n_changes, 3);
}

static void test_lot_shares_and_jain_of_two(void **state)
{
	(void)state;
	load_net(trio_stations, trio_constraints, 0, false);
	/* In 300 s: 32 A are 613.33 Wh, 8 A 153.33 Wh. Wanted: twice and ten times that; one that wants nothing. */
	prepare(HEAD "1,A,0,300,1226.6666667\n2,B,0,300,1533.3333333\n3,C,0,300,0\n", false);
	free(run_to_text(&greedy_ops, NULL));
	assert_int_equal(result.n_sessions, 3);
	assert_int_equal(result.n_wanting, 2);
	assert_near(result.jain, 0.6 * 0.6 / (2 * (0.25 + 0.01)), 1e-9);
	assert_near(result.share_5, 0.1 + 0.05 * 0.4, 1e-9);
}

static void test_lot_pause_counted_once(void **state)
{
	struct note note = {.watch = 0, .off = 2};

	(void)state;
	load_net(trio_stations, trio_constraints, 0, false);
	prepare(HEAD "1,A,0,1200,50000\n", false);
	expect_run(&note_ops, &note, "time_s,station,amps\n0,A,32\n300,A,0\n600,A,32\n1200,A,0\n");
	assert_int_equal(result.n_pauses, 1);
	assert_int_equal(result.shortest_pause_s, 300);
	assert_int_equal(result.n_changes, 3);
	/* What it was told: when it began and ended to charge. */
	assert_int_equal(note.seen[0].state, ALLOC_WAITING);
	assert_int_equal(note.seen[0].changed_us, ALLOC_UNKNOWN);
	assert_int_equal(note.seen[1].state, ALLOC_CHARGING);
	assert_int_equal(note.seen[1].grant_mA, 32000);
	assert_int_equal(note.seen[1].changed_us, 0);
	assert_int_equal(note.seen[2].state, ALLOC_WAITING);
	assert_int_equal(note.seen[2].changed_us, 300 * INT64_C(1000000));
	assert_int_equal(note.now_us[3], 900 * INT64_C(1000000));
}

static void test_lot_point_as_policies_see_it(void **state)
{
	struct note note = {.watch = 1};

	(void)state;
	load_net(delta_stations, delta_constraints, 20000, false);
	prepare("station,arrival_s,departure_s,energy_wh,user_departure_s\nAB2,300,7200,300,9999\n", true);
	free(run_to_text(&note_ops, &note));
	assert_int_equal(note.seen[0].id, 1);
	assert_int_equal(note.seen[0].min_mA, 8000);
	assert_int_equal(note.seen[0].step_mA, 8000);
	/* 300 Wh in 300 s at 208 V are 17.3 A: the next level up. */
	assert_int_equal(note.seen[0].max_mA, 24000);
	assert_int_equal(note.seen[0].since_us, 300 * INT64_C(1000000));
	assert_int_equal(note.seen[0].departure_us, 9999 * INT64_C(1000000));
	assert_int_equal(note.seen[0].energy_mWh, 300000);
	assert_int_equal(note.seen[0].mW_per_mA, 208);
	assert_int_equal(note.seen[0].weight_permille, 1000);
}

static void test_lot_departure_true_stated_or_unknown(void **state)
{
	static const char sessions[] = "station,arrival_s,departure_s,energy_wh,user_departure_s\n"
				       "A,0,600,9000,1234\nA,600,1200,9000,\n";
	struct note note = {.watch = 0};

	(void)state;
	load_net(trio_stations, trio_constraints, 0, false);
	prepare(sessions, true);
	free(run_to_text(&note_ops, &note));
	assert_int_equal(note.seen[0].departure_us, 1234 * INT64_C(1000000));
	assert_int_equal(note.seen[2].departure_us, ALLOC_UNKNOWN);
	lot_sim_free(&sim);
	lot_workload_free(&work);
	prepare(sessions, false);
	note = (struct note){.watch = 0};
	free(run_to_text(&note_ops, &note));
	assert_int_equal(note.seen[0].departure_us, 600 * INT64_C(1000000));
	assert_int_equal(note.seen[2].departure_us, 1200 * INT64_C(1000000));
}

static void test_lot_events_off_the_grid_exact(void **state)
{
	(void)state;
	load_net(trio_stations, trio_constraints, 0, false);
	prepare(HEAD "1,A,100,450,50000\n2,B,250,999,50000\n", false);
	expect_run(&greedy_ops, NULL, "time_s,station,amps\n100,A,32\n250,B,8\n450,A,0\n450,B,32\n999,B,0\n");
	assert_int_equal(result.delivered_uJ, (32 * 350 + 8 * 200 + 32 * 549) * INT64_C(230000000));
}

static void test_lot_uneven_levels_rounded_down(void **state)
{
	(void)state;
	load_net(delta_stations, delta_constraints, 2000000, false);
	/* 200 Wh in a slot at 208 V: 11.5 A, so 13 A of 10, 13, 32. */
	prepare(HEAD "1,CA1,0,900,200\n", false);
	expect_run(&greedy_ops, NULL, "time_s,station,amps\n0,CA1,13\n300,CA1,0\n");
	assert_int_equal(result.n_violations, 0);
}

static void test_lot_reckless_policy_no_violation(void **state)
{
	struct reckless self = {0};

	(void)state;
	load_net(trio_stations, trio_constraints, 0, false);
	prepare(HEAD "1,A,0,7200,50000\n2,B,0,7200,50000\n3,C,300,7200,50000\n", false);
	free(run_to_text(&reckless_ops, &self));
	assert_int_equal(result.n_faults, result.n_cycles);
	assert_int_equal(result.n_violations, 0);
	assert_true(result.delivered_uJ > 0);
}

static void test_lot_nobody_at_all(void **state)
{
	(void)state;
	load_net(trio_stations, trio_constraints, 0, false);
	prepare(HEAD, false);
	expect_run(&greedy_ops, NULL, "time_s,station,amps\n");
	assert_int_equal(result.n_sessions, 0);
	assert_int_equal(result.n_slots, 0);
}

/* --- made-up months ------------------------------------------------------------------------------------------ */

static uint32_t dice(uint64_t *seed, uint32_t n)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*seed >> 33) % n;
}

/* Sessions one after the other at four stations, in the order of arrival. */
static char *make_sessions(uint64_t seed, unsigned n)
{
	static const char *const name[4] = {"AB1", "AB2", "BC1", "CA1"};
	uint32_t free_s[4] = {0}, arrival_s = 0;
	char *text = malloc(64 + n * 64u);
	int at = sprintf(text, HEAD);

	assert_non_null(text);
	for (unsigned i = 0; i < n; i++) {
		uint32_t k = dice(&seed, 4), stay_s = SLOT * (1 + dice(&seed, 40));

		arrival_s += SLOT * dice(&seed, 6);
		if (free_s[k] > arrival_s)
			continue;
		free_s[k] = arrival_s + stay_s;
		at += sprintf(text + at, "%u,%s,%u,%u,%u.%u\n", i, name[k], arrival_s, arrival_s + stay_s,
			      dice(&seed, 9000), dice(&seed, 10));
	}
	return text;
}

/* Every row again from the text alone, with other means than the judge's: sums of squares by law of cosines. */
static void check_rows(const char *text, double line_a)
{
	double amps[4] = {0}, a;
	int time_s, last_s = 0, used;
	char name[8];
	unsigned n = 0;

	text = strchr(text, '\n') + 1;
	for (; *text; text += used, n++) {
		assert_int_equal(sscanf(text, "%d,%7[^,],%lf\n%n", &time_s, name, &a, &used), 3);
		assert_true(time_s >= last_s);
		if (time_s > last_s) {
			double ab = amps[0] + amps[1], bc = amps[2], ca = amps[3];

			assert_true(ab <= 48 + 1e-9);
			assert_true(sqrt(ab * ab + ca * ca + ab * ca) <= line_a + 1e-9);
			assert_true(sqrt(ab * ab + bc * bc + ab * bc) <= line_a + 1e-9);
			last_s = time_s;
		}
		amps[strcmp(name, "AB1") == 0 ? 0 : strcmp(name, "AB2") == 0 ? 1 : *name == 'B' ? 2 : 3] = a;
	}
	assert_true(n > 100);
	for (unsigned i = 0; i < 4; i++)
		assert_true(amps[i] == 0);
}

static void test_lot_random_sessions_rows_hold_and_repeat(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		char *sessions = make_sessions(i, 400), *first, *second;

		load_net(delta_stations, delta_constraints, 15000, i % 2);
		prepare(sessions, false);
		first = run_to_text(&greedy_ops, NULL);
		assert_int_equal(result.n_violations, 0);
		assert_int_equal(result.n_faults, 0);
		assert_true(result.delivered_uJ > 0 && result.delivered_uJ < result.wanted_uJ);
		check_rows(first, 30);
		second = run_to_text(&greedy_ops, NULL);
		assert_string_equal(first, second);
		free(first);
		free(second);
		free(sessions);
		lot_sim_free(&sim);
		lot_workload_free(&work);
		lot_judge_free(&judge);
		site_load_free(&net);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		TEST(test_sessions_columns_in_any_order_read),
		TEST(test_sessions_days_keep_arrivals_within),
		TEST(test_sessions_broken_line_named),
		TEST(test_sessions_back_to_back_allowed),
		TEST(test_judge_phasors_magnitude_counts),
		TEST(test_judge_currents_not_allowed_counted),
		TEST(test_lot_one_vehicle_filled_and_ended),
		TEST(test_lot_continuous_last_slot_exact),
		TEST(test_lot_departure_ends_and_room_goes_on),
		TEST(test_lot_shares_and_jain_of_two),
		TEST(test_lot_pause_counted_once),
		TEST(test_lot_point_as_policies_see_it),
		TEST(test_lot_departure_true_stated_or_unknown),
		TEST(test_lot_events_off_the_grid_exact),
		TEST(test_lot_uneven_levels_rounded_down),
		TEST(test_lot_reckless_policy_no_violation),
		TEST(test_lot_nobody_at_all),
		TEST(test_lot_random_sessions_rows_hold_and_repeat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
