/* SPDX-License-Identifier: MIT */
/*
 * Notices when the host stands still. usage: stall_watch FILE
 *
 * One thread on each processor sleeps to a grid of 5 ms and does nothing else. One that wakes more than 30 ms late
 * appends the line "TIME LATE" to FILE: monotonic clock and lateness, both in ms. Whatever kept it from running
 * kept the processes of a test from running too, and then a failed test says nothing about them (tests/run.sh).
 * 30 ms is less than any margin of a test with real time, and more than an ordinary scheduler takes with a few
 * busy neighbours. Ends on SIGTERM, SIGINT or with its parent.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define GRID_US	   5000
#define LATE_US	   30000
#define STACK_SIZE 65536

struct watch {
	int file;
	unsigned cpu;
};

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* One write, so that lines of several threads and watches stay whole. */
static void report(int file, int64_t at_us, int64_t late_us)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "%lld %lld\n", (long long)(at_us / 1000),
			 (long long)(late_us / 1000));

	if (write(file, line, (size_t)n) != n)
		fprintf(stderr, "stall_watch: %s\n", strerror(errno));
}

static void *watch_cpu(void *arg)
{
	const struct watch *w = arg;
	int64_t due_us, late_us;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(w->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set); /* one that was taken away is watched from elsewhere */
	for (due_us = now_us();;) {
		struct timespec t;

		due_us += GRID_US;
		t.tv_sec = (time_t)(due_us / 1000000);
		t.tv_nsec = (long)(due_us % 1000000) * 1000;
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
			;
		late_us = now_us() - due_us;
		if (late_us > LATE_US)
			report(w->file, due_us + late_us, late_us);
		if (late_us > GRID_US)
			due_us += late_us / GRID_US * GRID_US;
	}
	return NULL;
}

static int start_threads(int file)
{
	static struct watch watches[CPU_SETSIZE];
	pthread_attr_t attr;
	pthread_t thread;
	cpu_set_t set;
	unsigned cpu;
	int n = 0;

	if (sched_getaffinity(0, sizeof(set), &set)) { /* more processors than a set holds */
		CPU_ZERO(&set);
		CPU_SET(0, &set);
	}
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &set))
			continue;
		watches[cpu].file = file;
		watches[cpu].cpu = cpu;
		n += pthread_create(&thread, &attr, watch_cpu, &watches[cpu]) == 0;
	}
	pthread_attr_destroy(&attr);
	return n;
}

int main(int argc, char **argv)
{
	pid_t parent = getppid();
	sigset_t ends;
	int file, number;

	if (argc != 2) {
		fprintf(stderr, "usage: stall_watch FILE\n");
		return 2;
	}
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		return 0;
	file = open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0 || start_threads(file) == 0) {
		fprintf(stderr, "stall_watch: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	sigwait(&ends, &number);
	return 0;
}
