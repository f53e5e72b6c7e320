/* SPDX-License-Identifier: MIT */
/*
 * The report of a log of an hour: time, size of the page, and the memory that it takes at most. Each run is a process
 * of its own, so that its memory is its own. The floor is the same log read by the same reader with nothing done to its
 * frames. A log of four hours beside it shows that the memory does not grow with the log.
 *
 * How long the page takes to open is told by tests/report_test.sh, in a browser.
 *
 * usage: bench_report [--quick]      --quick: a tenth of the hour, nothing is judged
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <forecourt/units.h>

#include "bench/bench_time.h"
#include "lib/core/frame_text.h"
#include "monitor/bus_log_report.h"
#include "monitor/log_read.h"
#include "sim/sim_run_point.h"

#define S	     ((int64_t)FC_US_PER_S)
#define START_US     (1700000000 * S)
#define N_ROUNDS     5
#define GOAL_PAGE_kB 2000
#define GOAL_MEM_kB  32000
#define N_HOURS_LONG 4

struct bench_log {
	char path[96], page[96];
	FILE *file;
	uint64_t n_frames;
	bool is_bad;
};

struct cost {
	double ns;
	long peak_kB;
};

static void write_frame(void *ctx, int64_t time_us, unsigned sender, const struct can_frame *f)
{
	char line[FRAME_LOG_LINE_MAX];
	struct bench_log *log = ctx;

	(void)sender;
	frame_log_write(time_us, "can0", f, line);
	log->is_bad |= fprintf(log->file, "%s\n", line) < 0;
	log->n_frames++;
}

/* One session that charges all the time, both sides and the plug on one bus. */
static bool make_log(struct sim_point *p, struct bench_log *log, const char *folder, const char *name,
		     const char *battery, int64_t seconds)
{
	const struct can_hub_cfg bus = {.seed = 1};
	char err[160];

	snprintf(log->path, sizeof(log->path), "%s/%s.log", folder, name);
	snprintf(log->page, sizeof(log->page), "%s/%s.html", folder, name);
	log->file = fopen(log->path, "w");
	if (!log->file) {
		printf("bench_report: %s: %s\n", log->path, strerror(errno));
		return false;
	}
	sim_point_defaults(p);
	if (sim_point_set(p, "evse.charge_duration=0", err, sizeof(err)) ||
	    sim_point_set(p, battery, err, sizeof(err)) ||
	    sim_point_start(p, &bus, START_US, err, sizeof(err))) {
		printf("bench_report: %s\n", err);
		fclose(log->file);
		return false;
	}
	can_hub_set_tap(&p->world.hub, write_frame, log);
	world_run(&p->world, START_US + seconds * S, NULL, NULL);
	log->is_bad |= fclose(log->file) != 0;
	return !log->is_bad;
}

static int read_only(const struct bench_log *log)
{
	static struct log_reader reader;
	struct log_entry e;
	char err[160];

	if (log_open(&reader, log->path, err, sizeof(err)))
		return 1;
	while (log_next(&reader, &e) > 0)
		bench_use(&e);
	log_close(&reader);
	return 0;
}

static int write_report(const struct bench_log *log)
{
	char path[96], page[96],
		*argv[] = {(char[]){"report"}, path, (char[]){"-q"}, (char[]){"-o"}, page, NULL};

	memcpy(path, log->path, sizeof(path));
	memcpy(page, log->page, sizeof(page));
	return bus_log_report(5, argv);
}

/* In a process of its own. False when it failed. */
static bool measure(int (*job)(const struct bench_log *log), const struct bench_log *log, struct cost *cost)
{
	double start_ns = bench_now_ns();
	struct rusage usage;
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(job(log));
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || status != 0)
		return false;
	cost->ns = bench_now_ns() - start_ns;
	cost->peak_kB = usage.ru_maxrss;
	return true;
}

static bool measure_best(int (*job)(const struct bench_log *log), const struct bench_log *log,
			 struct cost *best)
{
	for (unsigned i = 0; i < N_ROUNDS; i++) {
		struct cost c;

		if (!measure(job, log, &c)) {
			printf("bench_report: a run failed\n");
			return false;
		}
		if (i == 0 || c.ns < best->ns)
			best->ns = c.ns;
		if (i == 0 || c.peak_kB > best->peak_kB)
			best->peak_kB = c.peak_kB;
	}
	return true;
}

static void judge(const char *what, long figure, const char *unit, long goal, bool is_quick)
{
	printf("%-40s %8ld %s", what, figure, unit);
	if (is_quick)
		printf("\n");
	else
		printf("  (goal under %ld: %s)\n", goal, figure < goal ? "met" : "MISSED");
}

static bool bench(const struct bench_log *hour, const struct bench_log *hours, bool is_quick)
{
	struct cost report, more, floor;
	struct stat log, page;

	if (!measure_best(read_only, hour, &floor) || !measure_best(write_report, hour, &report) ||
	    !measure_best(write_report, hours, &more) || stat(hour->path, &log) || stat(hour->page, &page))
		return false;
	printf("%-40s %8llu lines, %.1f MB\n", "log", (unsigned long long)hour->n_frames,
	       (double)log.st_size / 1e6);
	printf("%-40s %8.0f ms, %.1f million lines a second\n", "report", report.ns / 1e6,
	       (double)hour->n_frames / report.ns * 1e3);
	printf("%-40s %8.0f ms, %.1f million lines a second; ratio %.1f\n", "floor: the same reader alone",
	       floor.ns / 1e6, (double)hour->n_frames / floor.ns * 1e3, report.ns / floor.ns);
	judge("page", (long)(page.st_size / 1000), "kB", GOAL_PAGE_kB, is_quick);
	judge("memory at most", report.peak_kB, "kB", GOAL_MEM_kB, is_quick);
	judge("memory at most, log of four hours", more.peak_kB, "kB", GOAL_MEM_kB, is_quick);
	return true;
}

int main(int argc, char **argv)
{
	static struct sim_point point;
	static struct bench_log hour, hours;
	bool is_quick = argc > 1 && strcmp(argv[1], "--quick") == 0, is_good;
	int64_t seconds = is_quick ? 360 : 3600;
	char folder[] = "/tmp/bench_report_XXXXXX";

	if (!mkdtemp(folder)) {
		printf("bench_report: %s: %s\n", folder, strerror(errno));
		return 1;
	}
	/* Batteries that are charged from 30 to some 75 % in that time. */
	is_good = make_log(&point, &hour, folder, "hour", "vehicle.ev_battery_capacity=75.53", seconds) &&
		  make_log(&point, &hours, folder, "hours", "vehicle.ev_battery_capacity=302",
			   N_HOURS_LONG * seconds) &&
		  bench(&hour, &hours, is_quick);
	unlink(hour.path);
	unlink(hour.page);
	unlink(hours.path);
	unlink(hours.page);
	rmdir(folder);
	return !is_good;
}
