/* SPDX-License-Identifier: MIT */
/*
 * Lines of a candump log a second: read, counted, decoded to text; beside a floor from the same run and peers where
 * they are installed. The log is a session of both sides (sim-run), written several times in a row.
 *
 * bench_log [--quick] [--big]: --big adds the peak memory on a log of 1 GB, made in /tmp and removed. The ratio
 * is what survives another machine. Exit status 1 when a goal of docs/performance.md is missed.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench_time.h"
#include "monitor/log_read.h"
#include "tests/lib/proc_child.h"

#define N_ROUNDS    9
#define GOAL_SCAN   8e6
#define GOAL_DECODE 1.5e6
#define GOAL_START  5.0	  /* ms */
#define GOAL_MEMORY 32768 /* kB */
#define BIG_BYTES   ((off_t)1000 * 1000 * 1000)
#define TEXT_BYTES  ((size_t)32 * 1024 * 1024)
#define QUICK_BYTES ((size_t)4 * 1024 * 1024)

struct bench {
	char log[64], program[PROC_PATH_MAX];
	uint64_t n_lines;
	unsigned n_rounds;
	bool is_missed;
};

/* --- the log ---------------------------------------------------------------------------------------------- */

/* What sim-run writes for one session, with times that go on. */
static bool make_session(const char *path)
{
	char program[PROC_PATH_MAX];
	struct proc_child c;
	bool is_good;

	if (!proc_find_program("sim-run", program))
		return false;
	const char *const argv[] = {program, "--session", "dc", "--log", path, NULL};
	is_good = proc_start(&c, argv, NULL) == 0 && proc_wait(&c, 20000) && proc_exit_code(&c) == 0;
	proc_end(&c);
	return is_good;
}

/* A session again and again, a minute later each time. */
static bool repeat(const char *from, const char *to, off_t bytes)
{
	struct log_reader r;
	struct log_entry e;
	char err[200], line[128];
	FILE *out = fopen(to, "w");
	int64_t shift_us = 0;

	if (!out || log_open(&r, from, err, sizeof(err)) != 0)
		return false;
	while (ftello(out) < bytes) {
		while (log_next(&r, &e) > 0) {
			size_t n = (size_t)snprintf(line, sizeof(line), "(%lld.%06d) %s ",
						    (long long)(e.time_us + shift_us) / 1000000,
						    (int)((e.time_us + shift_us) % 1000000),
						    log_channel(&r, e.channel));
			unsigned i;

			n += (size_t)snprintf(line + n, sizeof(line) - n,
					      e.frame.can_id & CAN_EFF_FLAG ? "%08X#" : "%03X#",
					      e.frame.can_id & CAN_EFF_MASK);
			for (i = 0; i < e.frame.can_dlc; i++)
				n += (size_t)snprintf(line + n, sizeof(line) - n, "%02X", e.frame.data[i]);
			line[n++] = '\n';
			fwrite(line, 1, n, out);
		}
		shift_us += 60000000;
		if (log_rewind(&r) != 0)
			return false;
	}
	log_close(&r);
	return fclose(out) == 0;
}

/* --- the floor: mapped, nothing checked, every field taken --------------------------------------------------- */

static uint8_t nibble[256];

static void make_nibbles(void)
{
	for (int c = '0'; c <= '9'; c++)
		nibble[c] = (uint8_t)(c - '0');
	for (int c = 'A'; c <= 'F'; c++)
		nibble[c] = (uint8_t)(c - 'A' + 10);
}

static double floor_round(const struct bench *b)
{
	int fd = open(b->log, O_RDONLY);
	struct stat st;
	const uint8_t *p, *end;
	double start = bench_now_ns();
	uint64_t sum = 0;

	if (fd < 0 || fstat(fd, &st) != 0)
		return -1;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (p == MAP_FAILED)
		return -1;
	for (end = p + st.st_size; p < end; p++) {
		uint64_t time = 0, id = 0, data = 0;

		for (p++; *p != ')'; p++)
			time = *p == '.' ? time : time * 10 + (uint64_t)(*p - '0');
		for (p += 2; *p != ' '; p++)
			;
		for (p++; *p != '#'; p++)
			id = id << 4 | nibble[*p];
		for (p++; *p != '\n'; p++)
			data = data << 4 | nibble[*p];
		sum += time ^ id ^ data;
	}
	bench_use(&sum);
	munmap((void *)(uintptr_t)(end - st.st_size), (size_t)st.st_size);
	close(fd);
	return (double)b->n_lines / (bench_now_ns() - start) * 1e9;
}

static double read_round(const struct bench *b)
{
	struct log_reader r;
	struct log_entry e;
	char err[200];
	double start = bench_now_ns();
	uint64_t sum = 0;

	if (log_open(&r, b->log, err, sizeof(err)) != 0)
		return -1;
	while (log_next(&r, &e) > 0)
		sum += (uint64_t)e.time_us ^ e.frame.can_id;
	bench_use(&sum);
	log_close(&r);
	return (double)b->n_lines / (bench_now_ns() - start) * 1e9;
}

/* --- programs --------------------------------------------------------------------------------------------- */

/* Runs argv with its output to /dev/null; wall time in ns, or -1. Peak memory in kB. */
static double run(const char *const argv[], long *peak_kB)
{
	double start = bench_now_ns();
	struct rusage usage;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int fd = open("/dev/null", O_WRONLY);

		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status) != 0)
		return -1;
	if (peak_kB)
		*peak_kB = usage.ru_maxrss;
	return bench_now_ns() - start;
}

/* Lines a second of a program on the log, median of rounds. */
static double program_rate(const struct bench *b, const char *const argv[])
{
	double rate[N_ROUNDS];

	for (unsigned i = 0; i < b->n_rounds; i++) {
		double ns = run(argv, NULL);

		if (ns < 0)
			return -1;
		rate[i] = (double)b->n_lines / ns * 1e9;
	}
	return bench_median(rate, b->n_rounds);
}

static double function_rate(const struct bench *b, double (*round)(const struct bench *))
{
	double rate[N_ROUNDS];

	for (unsigned i = 0; i < b->n_rounds; i++)
		rate[i] = round(b);
	return bench_median(rate, b->n_rounds);
}

static void report(struct bench *b, const char *what, double rate, double base, double goal)
{
	if (rate < 0) {
		printf("%-28s failed\n", what);
		b->is_missed = true;
		return;
	}
	printf("%-28s %8.2f M lines/s, %.2f of the floor", what, rate / 1e6, rate / base);
	if (goal > 0) {
		printf(" (goal %.1f M)%s", goal / 1e6, rate < goal ? " MISSED" : "");
		b->is_missed |= rate < goal;
	}
	putchar('\n');
}

static void bench_rates(struct bench *b)
{
	const char *const stats[] = {b->program, "stats", b->log, NULL};
	const char *const text[] = {b->program, "decode", b->log, NULL};
	const char *const changes[] = {b->program, "decode", "--changes", b->log, NULL};
	const char *const csv[] = {b->program, "decode", "--format", "csv", b->log, NULL};
	const char *const json[] = {b->program, "decode", "--format", "json", b->log, NULL};
	const char *const asc[] = {b->program, "convert", "--to", "asc", b->log, "-", NULL};
	const char *const peer[] = {"log2asc", "-I", b->log, "-O", "/dev/null", "sim0", NULL};
	double base = function_rate(b, floor_round), theirs;

	printf("%-28s %8.2f M lines/s (mapped, unchecked, nothing printed)\n", "floor", base / 1e6);
	report(b, "log_read", function_rate(b, read_round), base, GOAL_SCAN);
	report(b, "bus-log stats", program_rate(b, stats), base, GOAL_SCAN);
	report(b, "bus-log decode", program_rate(b, text), base, GOAL_DECODE);
	report(b, "bus-log decode --changes", program_rate(b, changes), base, 0);
	report(b, "bus-log decode csv", program_rate(b, csv), base, 0);
	report(b, "bus-log decode json", program_rate(b, json), base, 0);
	report(b, "bus-log convert --to asc", program_rate(b, asc), base, 0);
	theirs = program_rate(b, peer);
	if (theirs < 0)
		puts("log2asc (can-utils) is not installed");
	else
		report(b, "log2asc, no decoding", theirs, base, 0);
}

/* From exec to the end with an empty log, ms. */
static void bench_start(struct bench *b)
{
	const char *const argv[] = {b->program, "decode", "/dev/null", NULL};
	double ms[21];

	for (unsigned i = 0; i < 21; i++)
		ms[i] = run(argv, NULL) / 1e6;
	double median = bench_median(ms, 21);
	printf("%-28s %8.2f ms (goal %.0f ms)%s\n", "start and end of decode", median, GOAL_START,
	       median > GOAL_START ? " MISSED" : "");
	b->is_missed |= median > GOAL_START;
}

static void bench_big(struct bench *b, const char *session)
{
	static const char *const commands[] = {"stats", "decode"};
	long kB = 0;

	if (!repeat(session, b->log, BIG_BYTES)) {
		puts("no room for a log of 1 GB");
		return;
	}
	for (unsigned i = 0; i < 2; i++) {
		const char *const argv[] = {b->program, commands[i], b->log, NULL};
		double ns = run(argv, &kB);

		printf("bus-log %-20s %8.2f s for 1 GB, %.1f MB at most (goal %d MB)%s\n", commands[i],
		       ns / 1e9, (double)kB / 1024, GOAL_MEMORY / 1024,
		       ns < 0 || kB > GOAL_MEMORY ? " MISSED" : "");
		b->is_missed |= ns < 0 || kB > GOAL_MEMORY;
	}
}

static bool prepare(struct bench *b, const char *session, off_t bytes)
{
	struct log_reader r;
	struct log_entry e;
	char err[200];

	if (!proc_find_program("bus-log", b->program) || !make_session(session) ||
	    !repeat(session, b->log, bytes) || log_open(&r, b->log, err, sizeof(err)) != 0)
		return false;
	while (log_next(&r, &e) > 0)
		;
	b->n_lines = r.stats.n_lines;
	log_close(&r);
	return true;
}

int main(int argc, char **argv)
{
	struct bench b = {.n_rounds = N_ROUNDS, .log = "/tmp/bench_log.XXXXXX"};
	char session[] = "/tmp/bench_session.XXXXXX";
	bool is_big = false, is_quick = false;

	for (int i = 1; i < argc; i++) {
		is_big |= strcmp(argv[i], "--big") == 0;
		is_quick |= strcmp(argv[i], "--quick") == 0;
	}
	if (is_quick)
		b.n_rounds = 3;
	close(mkstemp(session));
	close(mkstemp(b.log));
	make_nibbles();
	if (prepare(&b, session, (off_t)(is_quick ? QUICK_BYTES : TEXT_BYTES))) {
		bench_rates(&b);
		bench_start(&b);
		if (is_big)
			bench_big(&b, session);
	} else {
		puts("the programs are not built, or /tmp is full");
		b.is_missed = true;
	}
	unlink(session);
	unlink(b.log);
	return b.is_missed;
}
