/* SPDX-License-Identifier: MIT */
/*
 * A month of a parking lot by the light simulation (sim-run --workload): a whole process with its files read and
 * written, for each policy, beside the floor of reading and writing the same files alone.
 *
 * The month is that of the published sessions in ../shared/workloads where that folder exists (954 sessions, 54
 * stations, 10,732 slots), else a made-up one of about the same size. A second, made-up lot is thousands of stations
 * large. bench_lot [--quick]. Exit status 1 when the goal of half a second is missed.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench_time.h"
#include "site-ctrl/policies/policies.h"
#include "tests/lib/proc_child.h"

#define N_ROUNDS   7
#define GOAL_S	   0.5
#define LIMIT_MS   120000 /* a hang */
#define PUBLISHED  "../shared/workloads/"
#define BIG_POINTS 4000
#define BIG_DAYS   7
#define SLOT_S	   300

struct lot {
	char workload[128], network[128], out[64], program[PROC_PATH_MAX];
	const char *limit_kw;
	unsigned n_rounds;
	bool is_continuous;
};

/* --- made-up lots -------------------------------------------------------------------------------------------- */

static double unit(uint64_t *seed)
{
	return (double)(bench_random(seed) >> 11) / 9007199254740992.0;
}

/* Outlets of 32 A on L1, L2, L3 in turn, boards of 24 with 100 A a phase, a main limit per kW. */
static bool make_network(const char *base, unsigned n)
{
	char path[160];
	FILE *f;
	unsigned i, phase;

	snprintf(path, sizeof(path), "%s_stations.csv", base);
	f = fopen(path, "w");
	if (!f)
		return false;
	fprintf(f, "station,phase_deg,volts,min_a,max_a,steps\n");
	for (i = 0; i < n; i++)
		fprintf(f, "S%05u,0,230,6,32,1\n", i + 1);
	if (fclose(f))
		return false;
	snprintf(path, sizeof(path), "%s_constraints.csv", base);
	f = fopen(path, "w");
	if (!f)
		return false;
	fprintf(f, "constraint,limit_a,limit_a_per_kw,station,coef\n");
	for (phase = 0; phase < 3; phase++) {
		for (i = phase; i < n; i += 3)
			fprintf(f, "board %u L%u,100,,S%05u,1\n", i / 24 + 1, phase + 1, i + 1);
		for (i = phase; i < n; i += 3)
			fprintf(f, "main L%u,,1.449275362,S%05u,1\n", phase + 1, i + 1);
	}
	return fclose(f) == 0;
}

struct stay {
	unsigned station, arrival_s, departure_s;
	double wh;
};

static int by_arrival(const void *a, const void *b)
{
	const struct stay *x = a, *y = b;

	if (x->arrival_s != y->arrival_s)
		return x->arrival_s < y->arrival_s ? -1 : 1;
	return x->station < y->station ? -1 : x->station > y->station;
}

/* On two days of three a vehicle comes around half past eight and stays for about eight hours. */
static bool make_sessions(const char *path, unsigned n, unsigned days)
{
	struct stay *stay = calloc((size_t)n * days, sizeof(*stay));
	FILE *f = fopen(path, "w");
	uint64_t seed = 1;
	unsigned i, day, n_stays = 0;

	if (!stay || !f) {
		free(stay);
		if (f)
			fclose(f);
		return false;
	}
	for (day = 0; day < days; day++) {
		for (i = 0; i < n; i++) {
			unsigned at = (unsigned)(7 * 12 + unit(&seed) * 36) * SLOT_S + day * 86400;

			if (unit(&seed) > 0.6667)
				continue;
			stay[n_stays++] =
				(struct stay){i + 1, at, at + (unsigned)(60 + unit(&seed) * 72) * SLOT_S,
					      1000 + unit(&seed) * 20000};
		}
	}
	qsort(stay, n_stays, sizeof(*stay), by_arrival);
	fprintf(f, "session,station,arrival_s,departure_s,energy_wh\n");
	for (i = 0; i < n_stays; i++)
		fprintf(f, "%u,S%05u,%u,%u,%.1f\n", i + 1, stay[i].station, stay[i].arrival_s,
			stay[i].departure_s, stay[i].wh);
	free(stay);
	return fclose(f) == 0;
}

/* --- times --------------------------------------------------------------------------------------------------- */

/* Seconds of a process from start to end; negative: it failed. */
static double run_process(const struct lot *l, const char *policy)
{
	const char *argv[] = {l->program,
			      "--workload",
			      l->workload,
			      "--network",
			      l->network,
			      "--limit-kw",
			      l->limit_kw,
			      "--policy",
			      policy,
			      "--out",
			      l->out,
			      "-q",
			      l->is_continuous ? "--continuous" : NULL,
			      NULL};
	struct proc_child c;
	double begin_ns = bench_now_ns();
	bool is_good = proc_start(&c, argv, NULL) == 0 && proc_wait(&c, LIMIT_MS) && proc_exit_code(&c) == 0;

	begin_ns = bench_now_ns() - begin_ns;
	proc_end(&c);
	return is_good ? begin_ns / 1e9 : -1;
}

static double time_policy(const struct lot *l, const char *policy)
{
	double list[N_ROUNDS];
	unsigned i;

	for (i = 0; i < l->n_rounds; i++) {
		list[i] = run_process(l, policy);
		if (list[i] < 0) {
			printf("sim-run fails with policy %s\n", policy);
			exit(1);
		}
	}
	return bench_median(list, l->n_rounds);
}

/* Reads a file; its bytes. */
static size_t read_file(const char *path, char **text)
{
	FILE *f = fopen(path, "r");
	size_t n = 0;

	*text = NULL;
	if (f && fseek(f, 0, SEEK_END) == 0 && (*text = malloc((size_t)ftell(f) + 1))) {
		n = (size_t)ftell(f);
		rewind(f);
		n = fread(*text, 1, n, f);
	}
	if (f)
		fclose(f);
	return n;
}

/* The same files by a process that does nothing else with them. */
static double time_floor(const struct lot *l, size_t *bytes)
{
	static const char *const suffix[] = {"_stations.csv", "_constraints.csv"};
	double list[N_ROUNDS];
	char path[160], *text, *rows;
	size_t n_rows = read_file(l->out, &rows);
	unsigned i, k;
	FILE *f;

	for (i = 0; i < l->n_rounds; i++) {
		double begin_ns = bench_now_ns();

		*bytes = n_rows + read_file(l->workload, &text);
		free(text);
		for (k = 0; k < 2; k++) {
			snprintf(path, sizeof(path), "%s%s", l->network, suffix[k]);
			*bytes += read_file(path, &text);
			free(text);
		}
		f = fopen(l->out, "w");
		if (!f || fwrite(rows, 1, n_rows, f) != n_rows || fclose(f) != 0)
			exit(1);
		list[i] = (bench_now_ns() - begin_ns) / 1e9;
	}
	free(rows);
	return bench_median(list, l->n_rounds);
}

static bool measure(const struct lot *l, const char *title, double goal_s)
{
	const struct forecourt_plugin *const *p;
	double s, floor_s;
	bool is_met = true;
	size_t bytes = 0;

	printf("%s, %s kW%s\n", title, l->limit_kw, l->is_continuous ? ", continuous" : "");
	printf("%-12s %10s %10s %10s %8s\n", "policy", "process s", "goal s", "floor s", "ratio");
	for (p = alloc_policies; *p; p++) {
		s = time_policy(l, (*p)->name);
		floor_s = time_floor(l, &bytes);
		printf("%-12s %10.3f %10.1f %10.6f %8.0f\n", (*p)->name, s, goal_s, floor_s, s / floor_s);
		is_met &= s <= goal_s;
	}
	printf("floor: the same files (%zu bytes) read and written alone\n\n", bytes);
	unlink(l->out);
	return is_met;
}

static bool bench_month(struct lot *l, const char *dir)
{
	if (access(PUBLISHED "caltech_2019_03.csv", R_OK) == 0) {
		snprintf(l->workload, sizeof(l->workload), PUBLISHED "caltech_2019_03.csv");
		snprintf(l->network, sizeof(l->network), PUBLISHED "net_caltech");
	} else {
		snprintf(l->workload, sizeof(l->workload), "%s/month.csv", dir);
		snprintf(l->network, sizeof(l->network), "%s/month", dir);
		if (!make_network(l->network, 54) || !make_sessions(l->workload, 54, 31))
			return false;
	}
	l->limit_kw = "30";
	return measure(l, "a month of 54 stations", GOAL_S);
}

static bool bench_big(struct lot *l, const char *dir)
{
	char title[64];

	snprintf(l->workload, sizeof(l->workload), "%s/big.csv", dir);
	snprintf(l->network, sizeof(l->network), "%s/big", dir);
	if (!make_network(l->network, BIG_POINTS) || !make_sessions(l->workload, BIG_POINTS, BIG_DAYS))
		return false;
	l->limit_kw = "6000";
	l->n_rounds = 1;
	snprintf(title, sizeof(title), "%d days of %d stations", BIG_DAYS, BIG_POINTS);
	return measure(l, title, 30);
}

int main(int argc, char **argv)
{
	struct lot l = {.n_rounds = N_ROUNDS};
	bool is_quick = argc > 1 && strcmp(argv[1], "--quick") == 0, is_met;
	char dir[] = "/tmp/bench_lot.XXXXXX", command[64];

	if (!proc_find_program("sim-run", l.program) || !mkdtemp(dir)) {
		printf("bench_lot: sim-run is not built\n");
		return 1;
	}
	if (is_quick)
		l.n_rounds = 1;
	snprintf(l.out, sizeof(l.out), "%s/out.csv", dir);
	is_met = bench_month(&l, dir);
	l.is_continuous = true;
	is_met &= bench_month(&l, dir);
	l.is_continuous = false;
	if (!is_quick)
		is_met &= bench_big(&l, dir);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command) != 0)
		printf("bench_lot: %s is left behind\n", dir);
	printf("%s\n", is_met ? "goal met" : "GOAL MISSED");
	return is_met ? 0 : 1;
}
