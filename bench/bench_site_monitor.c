/* SPDX-License-Identifier: MIT */
/*
 * site-monitor in a terminal of 160 x 50 on four UDP buses with 54 points that report once a second and are
 * answered at once: processor time, memory, and bytes to the terminal, on each page and with nothing on the
 * buses. Beside it in the same run a floor: a process per bus that takes each frame and writes it as a line
 * (bench/proc_dump.h).
 *
 * usage: bench_site_monitor [--quick]
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#include "bench/bench_time.h"
#include "bench/proc_dump.h"
#include "bench/proc_measure.h"
#include "lib/can/can_bus.h"
#include "site_msgs.h"
#include "tests/lib/term_rig.h"

#define ROWS	   50
#define COLS	   160
#define N_BUSES	   4
#define N_POINTS   54
#define N_ROWS	   40
#define ROWS_PER_S 8
#define SETTLE_MS  3000
#define NS_PER_S   INT64_C(1000000000)
#define N_PAGES	   3

struct traffic {
	char url[N_BUSES][64];
	struct can_bus *bus[N_BUSES];
	uint64_t random;
	_Atomic bool *is_on;
};

/* --- the site ------------------------------------------------------------------------------------------ */

static void send(struct traffic *t, unsigned bus, enum site_msg msg, unsigned number, const void *content)
{
	struct can_frame f;

	msg_to_frame(&site_layouts[SITE_V1][msg], content, number, &f);
	can_bus_send(t->bus[bus], &f);
}

/* A report, and the grant that answers it. What is drawn trembles, a grant moves now and then. */
static void say_point(struct traffic *t, unsigned i, uint32_t number)
{
	int32_t grant_mA = 12000 + (int32_t)(number / 20 + i) % 8 * 100;
	const struct site_point_report head = {.number = number,
					       .ack_age = 1,
					       .state = SITE_POINT_REPORT_STATE_CHARGING,
					       .may_draw_mA = grant_mA};
	const struct site_point_demand demand = {.requested_mA = 32000,
						 .present_mA = grant_mA -
							       (int32_t)(bench_random(&t->random) % 4) * 100,
						 .maximum_mA = 32000,
						 .minimum_mA = 6000};
	const struct site_point_session session = {.energy_wanted = 200,
						   .departure = 90,
						   .plugged_for = (uint16_t)(number / 10),
						   .state_of_charge = 42};
	const struct site_point_meter meter = {.energy_session = number * 3 / 10,
					       .output_voltage_mV = 230000};
	const struct site_grant grant = {.number = number, .duration = 5, .charge_current_mA = grant_mA};
	const struct site_grant_reason why = {
		.reason = SITE_GRANT_REASON_REASON_LIMIT, .row = 3, .phase = 1, .aim_mA = grant_mA};
	unsigned bus = i % N_BUSES, n = 1 + i / N_BUSES;

	send(t, bus, SITE_POINT_REPORT, n, &head);
	send(t, bus, SITE_POINT_DEMAND, n, &demand);
	send(t, bus, SITE_POINT_SESSION, n, &session);
	send(t, bus, SITE_POINT_METER, n, &meter);
	send(t, bus, SITE_GRANT, n, &grant);
	send(t, bus, SITE_GRANT_REASON, n, &why);
	can_bus_service(t->bus[bus], proc_now_us());
}

static void say_site(struct traffic *t, uint32_t second)
{
	const struct site_status status = {.state = SITE_STATUS_STATE_RUNNING,
					   .policy = SITE_STATUS_POLICY_FAIR,
					   .points = N_POINTS,
					   .reporting = N_POINTS};
	unsigned i;

	for (i = 0; i < N_BUSES; i++)
		send(t, i, SITE_STATUS, 0, &status);
	for (i = 0; i < ROWS_PER_S; i++) {
		int32_t drawn_mA = 600000 + (int32_t)(bench_random(&t->random) % 50) * 100;
		const struct site_row_load row = {.row = (uint16_t)((second * ROWS_PER_S + i) % N_ROWS),
						  .drawn_mA = drawn_mA,
						  .taken_mA = drawn_mA + 20000,
						  .limit_mA = 760000};

		send(t, 0, SITE_ROW_LOAD, 0, &row);
	}
	for (i = 0; i < N_BUSES; i++)
		can_bus_service(t->bus[i], proc_now_us());
}

/* Points one after the other at even distances. */
static int play(void *ctx)
{
	struct traffic *t = ctx;
	struct timespec next;
	char err[160];
	uint32_t n;
	unsigned i;

	prctl(PR_SET_NAME, "traffic");
	for (i = 0; i < N_BUSES; i++) {
		if (can_bus_open(t->url[i], &t->bus[i], err, sizeof(err)))
			return 1;
		can_bus_service(t->bus[i], proc_now_us());
	}
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (n = 1;; n++) {
		if (*t->is_on)
			say_site(t, n);
		for (i = 0; i < N_POINTS; i++) {
			next.tv_nsec += NS_PER_S / N_POINTS;
			if (next.tv_nsec >= NS_PER_S) {
				next.tv_nsec -= NS_PER_S;
				next.tv_sec++;
			}
			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
			if (*t->is_on)
				say_point(t, i, n);
		}
	}
}

/* --- measuring ----------------------------------------------------------------------------------------- */

struct figures {
	double cpu_percent, bytes_s;
};

static bool is_never(struct term_rig *t, void *ctx)
{
	(void)t;
	(void)ctx;
	return false;
}

static struct figures measure(struct term_rig *t, const char *key, int64_t window_ms)
{
	int64_t cpu_ns, begin_us;
	uint64_t n_bytes;
	double s;

	term_send(t, key);
	term_wait(t, is_never, NULL, SETTLE_MS);
	cpu_ns = proc_cpu_ns(t->pid);
	n_bytes = t->n_bytes;
	begin_us = proc_now_us();
	term_wait(t, is_never, NULL, window_ms);
	s = (double)(proc_now_us() - begin_us) / 1e6;
	return (struct figures){(double)(proc_cpu_ns(t->pid) - cpu_ns) / 1e7 / s,
				(double)(t->n_bytes - n_bytes) / s};
}

/* All of its processes together; negative: it cannot be started. */
static double measure_floor(const struct traffic *t, int64_t window_ms)
{
	struct proc_child c[N_BUSES];
	int64_t cpu_ns = 0, begin_us;
	struct timespec pause = {.tv_sec = window_ms / 1000, .tv_nsec = window_ms % 1000 * 1000000};
	unsigned i, n = 0;
	double s;

	while (n < N_BUSES && dump_start(&c[n], t->url[n]) == 0)
		n++;
	nanosleep(&(struct timespec){.tv_sec = SETTLE_MS / 1000}, NULL);
	begin_us = proc_now_us();
	for (i = 0; i < n; i++)
		cpu_ns -= proc_cpu_ns(c[i].pid);
	nanosleep(&pause, NULL);
	for (i = 0; i < n; i++)
		cpu_ns += proc_cpu_ns(c[i].pid);
	s = (double)(proc_now_us() - begin_us) / 1e6;
	for (i = 0; i < n; i++)
		proc_end(&c[i]);
	return n == N_BUSES ? (double)cpu_ns / 1e7 / s : -1;
}

static bool run(struct traffic *t, int64_t window_ms)
{
	static const char *const names[N_PAGES] = {"tree", "points", "events"};
	static const char *const keys[N_PAGES] = {"1", "2", "3"};
	char path[PROC_PATH_MAX];
	const char *argv[] = {path, "-i", t->url[0], "-i", t->url[1], "-i", t->url[2], "-i", t->url[3], NULL};
	struct term_rig term;
	struct figures f;
	double floor;
	int i;

	if (!proc_find_program("site-monitor", path) || term_start(&term, argv, NULL, ROWS, COLS) != 0 ||
	    !term_wait_text(&term, "SITE ")) {
		fprintf(stderr, "bench_site_monitor: site-monitor does not start\n");
		return false;
	}
	f = measure(&term, "1", window_ms);
	printf("%-44s %9s %9s %9s %9s\n", "54 points on four UDP buses, 160 x 50", "ours", "floor",
	       "to floor", "bytes/s");
	printf("%-44s %9.3f %9s %9s %9.0f\n", "nobody speaks, % of a core", f.cpu_percent, "", "", f.bytes_s);
	*t->is_on = true;
	floor = measure_floor(t, window_ms);
	for (i = 0; i < N_PAGES; i++) {
		f = measure(&term, keys[i], window_ms);
		printf("336 frames/s, %-30s %9.3f %9.3f %9.2f %9.0f\n", names[i], f.cpu_percent, floor,
		       f.cpu_percent / floor, f.bytes_s);
	}
	printf("%-44s %9lld\n", "resident memory, kB", (long long)proc_number(term.pid, "status", "VmHWM"));
	term_end(&term);
	return floor > 0;
}

int main(int argc, char **argv)
{
	static struct traffic t = {.random = 1};
	bool is_quick = argc == 2 && strcmp(argv[1], "--quick") == 0, is_good = true;
	struct proc_child child;
	unsigned i;

	if (argc > 1 && !is_quick) {
		fprintf(stderr, "usage: bench_site_monitor [--quick]\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	t.is_on = mmap(NULL, sizeof(*t.is_on), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < N_BUSES; i++)
		is_good = is_good && proc_pick_bus(t.url[i], sizeof(t.url[i]));
	if (!is_good || t.is_on == MAP_FAILED || proc_fork(&child, play, &t))
		return 1;
	is_good = run(&t, is_quick ? 2000 : 10000);
	proc_end(&child);
	return is_good ? 0 : 1;
}
