/* SPDX-License-Identifier: MIT */
/*
 * Time of one allocation cycle (policy, proof, reasons), inputs changed before each: trees of 10 to 10,000 points, half
 * of them on three phases, 20 % idle, limits at 45 % of full load, minimum current on, all built-in policies. Minimum,
 * median and 99th percentile, growth from one size to the next, and that nothing is allocated.
 *
 * Floor: the proof alone. Peers in the same run, in C: the largest current by halving with all rows looked at each time,
 * as acnportal's sorted policies do it, and slices of 0.5 A in turn, as EVerest's EnergyManager does it. The programs
 * themselves are in no package; their figures, measured once on a machine of the same class, are printed as quoted.
 */
#include <malloc.h>
#include <stdio.h>

#include "bench/bench_time.h"
#include "site-ctrl/policies/policies.h"
#include "tests/lib/alloc_rig.h"

#define N_CYCLES   1000
#define N_SIZES	   5
#define N_POLICIES 16
#define BUDGET_ns  8e9 /* for one policy at one size */
#define FLOOR	   (N_POLICIES - 1)

static const uint32_t size[N_SIZES] = {10, 54, 100, 1000, 10000};

struct result {
	double min, median, p99;
	unsigned n;
};

typedef void cycle(struct alloc_rig *g, const char *name);

/* As the host does it: the arena is cleared when a policy begins, not in each cycle. */
static void run_policy(struct alloc_rig *g, const char *name)
{
	alloc_run_cycle(&g->run, rig_policy(name), NULL, &g->call);
}

/* Of an answer that holds: all rows are looked at. */
static void run_proof(struct alloc_rig *g, const char *name)
{
	struct alloc_verdict v;

	(void)name;
	bench_use(alloc_check(&g->call, &v) ? &v : NULL);
}

/* --- peers ------------------------------------------------------------------------------------------------- */

static bool all_rows_fit(const struct alloc_rig *g)
{
	for (uint32_t r = 0; r < g->site.n_rows; r++)
		if (alloc_row_mA(&g->site, r, &g->grant->mA, sizeof(*g->grant), false) > g->limit_mA[r])
			return false;
	return true;
}

static void clear(struct alloc_rig *g)
{
	for (uint32_t i = 0; i < g->site.n_points; i++)
		g->grant[i].mA = 0;
}

/* In the order of the points, 10 mA exact; minima left out. */
static void run_halving(struct alloc_rig *g, const char *name)
{
	(void)name;
	clear(g);
	for (uint32_t i = 0; i < g->site.n_points; i++) {
		int32_t low = 0, high = alloc_wants(&g->point[i]) ? g->point[i].max_mA + 1 : 1;

		while (high - low > 10) {
			int32_t middle = low + (high - low) / 2;

			g->grant[i].mA = middle;
			if (all_rows_fit(g))
				low = middle;
			else
				high = middle;
		}
		g->grant[i].mA = low;
	}
}

static bool slice_fits(struct alloc_rig *g, uint32_t i, int32_t mA)
{
	g->grant[i].mA += mA;
	for (uint32_t k = g->first_of[i]; k < g->first_of[i + 1]; k++) {
		uint32_t r = g->member[g->of_point[k]].row;

		if (alloc_row_mA(&g->site, r, &g->grant->mA, sizeof(*g->grant), false) > g->limit_mA[r]) {
			g->grant[i].mA -= mA;
			return false;
		}
	}
	return true;
}

static void run_slices(struct alloc_rig *g, const char *name)
{
	bool has_risen = true;

	(void)name;
	clear(g);
	for (unsigned round = 0; round < 100 && has_risen; round++) {
		has_risen = false;
		for (uint32_t i = 0; i < g->site.n_points; i++) {
			int32_t slice = g->grant[i].mA ? 500 : fc_max_i32(g->point[i].min_mA, 500);

			if (alloc_wants(&g->point[i]) && g->grant[i].mA + slice <= g->point[i].max_mA)
				has_risen |= slice_fits(g, i, slice);
		}
	}
}

/* --- measuring --------------------------------------------------------------------------------------------- */

static struct result measure(struct alloc_rig *g, const struct rig_conf *c, cycle *run, const char *name)
{
	static double ns[N_CYCLES];
	struct result r = {.n = 0};
	double total = 0;

	rig_shake(g, c);
	memset(g->arena, 0, g->arena_size);
	run(g, name); /* pages and caches */
	while (r.n < N_CYCLES && (total < BUDGET_ns || r.n < 3)) {
		double start;

		rig_shake(g, c);
		if (run == run_proof)
			run_policy(g, "fcfs");
		start = bench_now_ns();
		run(g, name);
		ns[r.n] = bench_now_ns() - start;
		total += ns[r.n++];
	}
	r.median = bench_median(ns, r.n); /* sorts */
	r.min = ns[0];
	r.p99 = ns[(r.n - 1) * 99 / 100];
	return r;
}

static void print(const char *name, const struct result *r, const struct result *smaller, uint32_t i)
{
	printf("  %-22s %10.2f %10.2f %10.2f us", name, r->min / 1e3, r->median / 1e3, r->p99 / 1e3);
	if (smaller && smaller->n)
		printf("   x%6.1f for x%.1f points", r->median / smaller->median,
		       (double)size[i] / size[i - 1]);
	printf(r->n < N_CYCLES ? "   (%u cycles)\n" : "\n", r->n);
}

static void measure_size(uint32_t i, struct result last[N_POLICIES])
{
	struct rig_conf c = {.kind = RIG_MIXED,
			     .n_points = size[i],
			     .step_mA = 100,
			     .has_minimum = true,
			     .idle_permille = 200,
			     .load_permille = 450,
			     .depth = size[i] > 200 ? 3 : 2,
			     .fan = size[i] > 20 ? 18 : 5};
	struct alloc_rig g = {.random = size[i]};
	struct result r;
	uint64_t n_faults;
	size_t heap;

	rig_make(&g, &c);
	heap = mallinfo2().uordblks;
	printf("%u points, %u rows, %u members, %zu kB; min, median, p99\n", size[i], g.site.n_rows,
	       g.site.n_members, alloc_run_size(&g.site) >> 10);
	for (unsigned p = 0; alloc_policies[p] && p < FLOOR; p++) {
		r = measure(&g, &c, run_policy, alloc_policies[p]->name);
		print(alloc_policies[p]->name, &r, i ? &last[p] : NULL, i);
		last[p] = r;
	}
	n_faults = g.run.n_calls - g.run.n_faults[ALLOC_OK];
	r = measure(&g, &c, run_proof, NULL);
	print("floor: the proof alone", &r, i ? &last[FLOOR] : NULL, i);
	last[FLOOR] = r;
	if (size[i] <= 1000) {
		r = measure(&g, &c, run_halving, NULL);
		print("peer: halving", &r, NULL, i);
		r = measure(&g, &c, run_slices, NULL);
		print("peer: slices in turn", &r, NULL, i);
	}
	printf("  allocated since the start: %zu bytes; answers refused: %llu\n", mallinfo2().uordblks - heap,
	       (unsigned long long)n_faults);
	rig_free(&g);
}

int main(void)
{
	static struct result last[N_POLICIES];

	printf("one allocation cycle, inputs changed each time, up to %d cycles\n", N_CYCLES);
	setvbuf(stdout, NULL, _IOLBF, 1 << 12); /* its buffer is no allocation of ours */
	for (uint32_t i = 0; i < N_SIZES; i++)
		measure_size(i, last);
	printf("quoted, in ms at 10, 54, 100, 1000, 10000 points (x86-64, 2025):\n"
	       "  acnportal 0.3.3 FCFS          6.5   31   70   6560      -\n"
	       "  acnportal 0.3.3 EDF           6.6   36  103   8660      -\n"
	       "  acnportal 0.3.3 LLF           6.8   37   97   8790      -\n"
	       "  acnportal 0.3.3 round robin  11.8   69  194  17000      -\n"
	       "  EVerest EnergyManager         0.40   2.2   3.9   43    740\n");
	return 0;
}
