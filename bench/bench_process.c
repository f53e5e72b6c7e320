/* SPDX-License-Identifier: MIT */
/*
 * The evse-ctrl process on a real bus: processor time, memory, start, period and reaction, each beside the floor's
 * figure from the same run (bench/proc_floor.h: the bare minimum of system calls on the same bus). We play the
 * module's side ourselves. Rounds alternate between the two programs.
 *
 * The bus is the UDP one, which every machine has. It costs more than SocketCAN: no kernel filters, so that each
 * process is woken by all traffic; and what a process sends comes back to it.
 *
 * usage: bench_process [--quick]
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/proc_floor.h"
#include "bench/proc_measure.h"
#include "tests/lib/proc_flood.h"

#define MS	  1000
#define S	  1000000
#define SETTLE_US (300 * MS)
#define FLOOD_FPS 6000
#define LOAD_FPS  3800 /* a full bus at 500 kbit/s */
#define N_BUSY	  2
#define MANY	  15 /* pistol indices on one bus */

struct plan {
	unsigned rounds, n_answers, n_stops, n_silences, n_starts;
	int64_t window_us; /* of one processor time or period */
};

struct result {
	struct samples cpu_idle, cpu_charging, cpu_flood, cpu_many_idle,
		cpu_many_charging; /* percent, one a round */
	struct samples start, period, period_load, period_many, answer, stop[STOP_N_KINDS]; /* ms */
	unsigned n_unanswered, n_missed[STOP_N_KINDS];
	double rss_kB, pss_kB, heap_kB, threads;
};

/* Under foreign traffic; the window is for the processor time. */
static bool with_flood(struct subject *s, const struct plan *plan, struct result *r)
{
	struct proc_flood flood = {.url = s->url, .frames_per_s = FLOOD_FPS, .index = 1};
	struct proc_child c;

	if (proc_flood_start(&c, &flood))
		return false;
	proc_module_wait(&s->module, SETTLE_US, NULL, NULL);
	samples_add(&r->cpu_flood, measure_cpu(s, plan->window_us));
	proc_end(&c);
	return true;
}

static bool with_load(struct subject *s, const struct plan *plan, struct samples *ms)
{
	struct proc_flood flood = {.url = s->url, .frames_per_s = LOAD_FPS, .index = 31};
	struct proc_child c[1 + N_BUSY];
	bool is_started;
	unsigned i;

	is_started = proc_flood_start(&c[0], &flood) == 0;
	for (i = 1; i <= N_BUSY; i++)
		is_started = proc_busy_start(&c[i]) == 0 && is_started;
	proc_module_wait(&s->module, SETTLE_US, NULL, NULL);
	measure_period(s, 2 * plan->window_us, ms);
	for (i = 0; i <= N_BUSY; i++)
		proc_end(&c[i]);
	return is_started;
}

static void read_memory(const struct subject *s, struct result *r)
{
	pid_t pid = s->child.pid;

	r->rss_kB = (double)proc_number(pid, "status", "VmRSS");
	r->heap_kB = (double)proc_number(pid, "status", "RssAnon");
	r->pss_kB = (double)proc_number(pid, "smaps_rollup", "Pss");
	r->threads = (double)proc_number(pid, "status", "Threads");
}

static bool measure_one(enum subject_kind kind, const struct plan *plan, struct result *r)
{
	static struct subject s; /* large */
	bool is_ok = subject_start(&s, kind, 1, false);

	if (is_ok) {
		proc_module_wait(&s.module, SETTLE_US, NULL, NULL);
		samples_add(&r->cpu_idle, measure_cpu(&s, plan->window_us));
		r->n_unanswered += measure_answers(&s, plan->n_answers, &r->answer);
		is_ok = subject_charge(&s);
	}
	if (is_ok) {
		proc_module_wait(&s.module, SETTLE_US, NULL, NULL);
		samples_add(&r->cpu_charging, measure_cpu(&s, plan->window_us));
		measure_period(&s, plan->window_us, &r->period);
		read_memory(&s, r);
		is_ok = with_flood(&s, plan, r) && with_load(&s, plan, &r->period_load);
	}
	subject_end(&s);
	return is_ok;
}

static bool measure_reactions(enum subject_kind kind, const struct plan *plan, struct result *r)
{
	static struct subject s; /* large */
	bool is_ok = subject_start(&s, kind, 1, true) && subject_charge(&s);
	int i;

	for (i = 0; is_ok && i < STOP_N_KINDS; i++) {
		unsigned n = i == STOP_SILENCE ? plan->n_silences : plan->n_stops;

		r->n_missed[i] += measure_stops(&s, (enum stop_kind)i, n, &r->stop[i]);
	}
	subject_end(&s);
	return is_ok;
}

static bool measure_many(enum subject_kind kind, const struct plan *plan, struct result *r)
{
	static struct subject s; /* large */
	bool is_ok = subject_start(&s, kind, MANY, false);

	if (is_ok) {
		proc_module_wait(&s.module, SETTLE_US, NULL, NULL);
		samples_add(&r->cpu_many_idle, measure_cpu(&s, plan->window_us));
		is_ok = subject_charge(&s);
	}
	if (is_ok) {
		proc_module_wait(&s.module, SETTLE_US, NULL, NULL);
		samples_add(&r->cpu_many_charging, measure_cpu(&s, plan->window_us));
		is_ok = with_load(&s, plan, &r->period_many);
	}
	subject_end(&s);
	return is_ok;
}

/* May be forbidden: then there are no figures. */
static void measure_realtime(const struct plan *plan, struct result *r)
{
	static struct subject s; /* large */

	if (subject_start(&s, SUBJECT_OURS_REALTIME, 1, false) && subject_charge(&s))
		with_load(&s, plan, &r->period_load);
	subject_end(&s);
}

static bool measure_all(const struct plan *plan, struct result r[SUBJECT_N_KINDS])
{
	unsigned round, i, kind;
	bool is_ok = true;

	for (round = 0; is_ok && round < plan->rounds; round++) {
		for (kind = SUBJECT_FLOOR; is_ok && kind <= SUBJECT_OURS; kind++) {
			is_ok = measure_one((enum subject_kind)kind, plan, &r[kind]) &&
				measure_reactions((enum subject_kind)kind, plan, &r[kind]) &&
				measure_many((enum subject_kind)kind, plan, &r[kind]);
			for (i = 0; is_ok && i < plan->n_starts; i++)
				is_ok = measure_start((enum subject_kind)kind, &r[kind].start);
		}
		if (is_ok)
			measure_realtime(plan, &r[SUBJECT_OURS_REALTIME]);
	}
	return is_ok;
}

/* --- output ------------------------------------------------------------------------------------------------ */

static void number(double v)
{
	if (isfinite(v))
		printf(" %9.3f", v);
	else
		printf(" %9s", "-");
}

/* One figure; limit NAN: no goal. */
static void row(const char *no, const char *what, const char *goal, double limit, double ours, double base)
{
	printf("%-4s %-50s %-12s", no, what, goal);
	number(ours);
	number(base);
	number(ours / base);
	printf("  %s\n", isnan(limit) ? "" : ours <= limit ? "met" : "MISSED");
}

static void rows_of_period(const char *number, const char *what, const char *goal, double limit,
			   struct samples *ours, struct samples *base)
{
	char text[80];

	snprintf(text, sizeof(text), "%s, p99 - p50, ms", what);
	row(number, text, goal, limit, samples_at(ours, 0.99) - samples_at(ours, 0.5),
	    samples_at(base, 0.99) - samples_at(base, 0.5));
	snprintf(text, sizeof(text), "%s, p50, ms", what);
	row("", text, "", NAN, samples_at(ours, 0.5), samples_at(base, 0.5));
	snprintf(text, sizeof(text), "%s, longest, ms (n=%zu)", what, ours->n);
	row("", text, "<= 110", 110.0, samples_at(ours, 1.0), samples_at(base, 1.0));
}

static void rows_of_stops(struct result *ours, struct result *base)
{
	static const char *const names[] = {"Off", "Standby", "Emergency_Stop"};
	char text[80];
	int i;

	for (i = STOP_OFF; i <= STOP_EMERGENCY; i++) {
		snprintf(text, sizeof(text), "%s to a status with 0 A, p50, ms", names[i]);
		row(i ? "" : "12", text, "", NAN, samples_at(&ours->stop[i], 0.5),
		    samples_at(&base->stop[i], 0.5));
		snprintf(text, sizeof(text), "%s, p99, ms (n=%zu)", names[i], ours->stop[i].n);
		row("", text, "<= 2", 2.0, samples_at(&ours->stop[i], 0.99),
		    samples_at(&base->stop[i], 0.99));
		snprintf(text, sizeof(text), "%s, missed", names[i]);
		row("", text, "0", 0.0, ours->n_missed[i], base->n_missed[i]);
	}
	row("13", "silence of the module to a status with 0 A, shortest", ">= 190", NAN,
	    samples_at(&ours->stop[STOP_SILENCE], 0.0), samples_at(&base->stop[STOP_SILENCE], 0.0));
	snprintf(text, sizeof(text), "longest, ms (n=%zu)", ours->stop[STOP_SILENCE].n);
	row("", text, "<= 210", 210.0, samples_at(&ours->stop[STOP_SILENCE], 1.0),
	    samples_at(&base->stop[STOP_SILENCE], 1.0));
	row("", "missed", "0", 0.0, ours->n_missed[STOP_SILENCE], base->n_missed[STOP_SILENCE]);
}

static void rows_of_cost(struct result *ours, struct result *base)
{
	double charging = samples_at(&ours->cpu_charging, 0.5),
	       floor_charging = samples_at(&base->cpu_charging, 0.5);

	row("5", "one point idle, % of a core", "<= 0.08", 0.08, samples_at(&ours->cpu_idle, 0.5),
	    samples_at(&base->cpu_idle, 0.5));
	row("", "one point charging, % of a core", "<= 0.08", 0.08, charging, floor_charging);
	row("6", "6000 foreign frames/s more, % (no kernel filters)", "(+0.02 CAN)", NAN,
	    samples_at(&ours->cpu_flood, 0.5) - charging, samples_at(&base->cpu_flood, 0.5) - floor_charging);
	row("7", "15 points idle, % of a core", "<= 0.15", 0.15, samples_at(&ours->cpu_many_idle, 0.5),
	    samples_at(&base->cpu_many_idle, 0.5));
	row("", "15 points charging, % of a core", "<= 0.15", 0.15, samples_at(&ours->cpu_many_charging, 0.5),
	    samples_at(&base->cpu_many_charging, 0.5));
	row("8", "resident memory, kB", "<= 2560", 2560.0, ours->rss_kB, base->rss_kB);
	row("", "its share of shared pages counted, kB", "", NAN, ours->pss_kB, base->pss_kB);
	row("", "of its own (data, heap, stack), kB", "", NAN, ours->heap_kB, base->heap_kB);
	row("", "threads", "1", 1.0, ours->threads, base->threads);
	row("", "exec to first frame, p50, ms", "<= 10", 10.0, samples_at(&ours->start, 0.5),
	    samples_at(&base->start, 0.5));
	row("", "exec to first frame, longest, ms", "", NAN, samples_at(&ours->start, 1.0),
	    samples_at(&base->start, 1.0));
}

static void print_all(struct result r[SUBJECT_N_KINDS])
{
	struct result *ours = &r[SUBJECT_OURS], *base = &r[SUBJECT_FLOOR];

	printf("%-4s %-50s %-12s %9s %9s %9s\n", "", "UDP bus on the loopback", "goal", "ours", "floor",
	       "ratio");
	rows_of_cost(ours, base);
	rows_of_period("9", "period on an idle host", "<= 0.2", 0.2, &ours->period, &base->period);
	rows_of_period("10", "period under load", "<= 2", 2.0, &ours->period_load, &base->period_load);
	rows_of_period("", "the same, SCHED_FIFO", "<= 0.5", 0.5, &r[SUBJECT_OURS_REALTIME].period_load,
		       &base->period_load);
	rows_of_period("", "15 points under load", "<= 2", 2.0, &ours->period_many, &base->period_many);
	row("11", "Not_Available to Sequence_Control, p50, ms", "<= 0.1", 0.1, samples_at(&ours->answer, 0.5),
	    samples_at(&base->answer, 0.5));
	row("", "the same, p99, ms", "<= 0.3", 0.3, samples_at(&ours->answer, 0.99),
	    samples_at(&base->answer, 0.99));
	row("", "unanswered", "0", 0.0, ours->n_unanswered, base->n_unanswered);
	rows_of_stops(ours, base);
}

int main(int argc, char **argv)
{
	static const struct plan full = {.rounds = 3,
					 .n_answers = 100,
					 .n_stops = 10,
					 .n_silences = 4,
					 .n_starts = 10,
					 .window_us = 1400 * MS};
	static const struct plan quick = {.rounds = 1,
					  .n_answers = 20,
					  .n_stops = 3,
					  .n_silences = 1,
					  .n_starts = 3,
					  .window_us = 400 * MS};
	static struct result r[SUBJECT_N_KINDS]; /* large */
	bool is_quick = argc == 2 && strcmp(argv[1], "--quick") == 0;

	if (argc > 1 && strcmp(argv[1], FLOOR_WORD) == 0)
		return floor_main(argc, argv);
	if (argc > 1 && !is_quick) {
		fprintf(stderr, "usage: bench_process [--quick]\n");
		return 2;
	}
	if (!measure_all(is_quick ? &quick : &full, r))
		return 1;
	print_all(r);
	return 0;
}
