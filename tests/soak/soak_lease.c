/* SPDX-License-Identifier: MIT */
/*
 * 54 points on five rows for thousands of virtual hours: a fifth of all frames lost, the others 0 to 8 s late, some of
 * them twice, all clocks wrong by up to 1 %, processes of both sides dying, limits that fall and rise. The judge
 * (tests/lib/lease_judge.h) looks at the frames alone; the promise is 0 ms over any limit.
 *
 * usage: soak_lease [HOURS [SEED [site|ledger]]]     10000 h, seed 1, the site machine of site-ctrl; `ledger`: the
 * ledger with the small allocator of the tests. The hours are shared among processes, one per processor, with seeds of
 * their own; 10,000 h take a quarter of an hour of one processor. Exit status 0: kept.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/lease_alloc.h"
#include "tests/lib/lease_site.h"

#define S	 INT64_C(1000000)
#define MAX_JOBS 8
#define HOUR_US	 (3600 * S)

static struct lease_world world;
static struct lease_alloc alloc;
static struct lease_site site;

static const struct world_conf soak = {.n_points = 54,
				       .n_rows = 5,
				       .lease_us = 10 * S,
				       .report_us = 2 * S,
				       .loss_permille = 200,
				       .double_permille = 20,
				       .max_delay_us = 8 * S,
				       .drift_ppm = 10000,
				       .point_dies_us = 1800 * S,
				       .site_dies_us = 3600 * S,
				       .limit_us = 120 * S,
				       .max_down_us = 20 * S};

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool set_up(uint64_t seed, bool is_ledger)
{
	struct world_conf conf = soak;
	struct world_site ops = lease_site_ops(&site);

	conf.seed = seed;
	conf.has_demand = !is_ledger;
	if (is_ledger)
		lease_alloc_init(&alloc, conf.lease_us, &ops);
	lease_world_init(&world, &conf, &ops);
	return is_ledger || lease_site_build(&site, &world);
}

/* One line in one write: others print too. */
static void tell(long hours, uint64_t seed, double since)
{
	const struct lease_judge *j = &world.judge;
	char line[512];

	snprintf(
		line, sizeof(line),
		"seed %llu: %ld h, %llu reports, %llu grants delivered, %llu taken, %llu frames lost, starts: %llu of points, "
		"%llu of the site, %llu falls of limits, mean current of a point %.1f A, %.0f s\n",
		(unsigned long long)seed, hours, (unsigned long long)j->n_reports,
		(unsigned long long)j->n_grants, (unsigned long long)world.n_taken,
		(unsigned long long)world.n_lost, (unsigned long long)world.n_point_starts,
		(unsigned long long)world.n_site_starts, (unsigned long long)world.n_limit_falls,
		(double)world.drawn_mAs / 1000 / ((double)j->n_reports * (double)(soak.report_us / S)),
		seconds() - since);
	fputs(line, stdout);
	fflush(stdout);
}

/* Exit status: kept or not. */
static int run(long hours, uint64_t seed, bool is_ledger)
{
	const struct lease_judge *j = &world.judge;
	double since = seconds();
	long step = hours >= 5 ? hours / 5 : hours;

	if (!set_up(seed, is_ledger)) {
		fprintf(stderr, "soak_lease: %s\n", site.err);
		return 1;
	}
	for (long done = 0; done < hours && j->n_over == 0;) {
		done = done + step > hours ? hours : done + step;
		lease_world_run(&world, done * HOUR_US, UINT64_MAX);
		tell(done, seed, since);
	}
	printf("seed %llu: %lld ms over a limit, %llu times, by %lld mA at most%s\n",
	       (unsigned long long)seed, (long long)(j->over_us / 1000), (unsigned long long)j->n_over,
	       (long long)j->worst_mA, j->n_overflows ? "; the judge lost track" : "");
	fflush(stdout);
	lease_site_free(&site);
	return j->n_over > 0 || j->n_overflows > 0 || world.n_taken == 0;
}

int main(int argc, char **argv)
{
	long hours = argc > 1 ? strtol(argv[1], NULL, 10) : 10000, n_jobs = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	bool is_ledger = argc > 3 && strcmp(argv[3], "ledger") == 0;
	int n_bad = 0, status;

	if (hours <= 0 || argc > 4 || (argc > 3 && !is_ledger && strcmp(argv[3], "site") != 0)) {
		fprintf(stderr, "usage: soak_lease [HOURS [SEED [site|ledger]]]\n");
		return 2;
	}
	n_jobs = n_jobs < 1 ? 1 : n_jobs > MAX_JOBS ? MAX_JOBS : n_jobs;
	for (long k = 0; k < n_jobs; k++) {
		long share = hours * (k + 1) / n_jobs - hours * k / n_jobs;
		pid_t pid = fork();

		if (pid == 0)
			_exit(share > 0 ? run(share, seed + (uint64_t)k, is_ledger) : 0);
		n_bad += pid < 0;
	}
	while (wait(&status) > 0)
		n_bad += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	printf("%u points, %ld virtual hours: %s\n", soak.n_points, hours,
	       n_bad ? "A LIMIT WAS NOT KEPT" : "0 ms over any limit");
	return n_bad > 0;
}
