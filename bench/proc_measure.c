/* SPDX-License-Identifier: MIT */
/* One process under measurement. */
#include "bench/proc_measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench_time.h"
#include "bench/proc_floor.h"

#define MS		 1000
#define S		 1000000
#define ANSWER_LIMIT_US	 (100 * MS)
#define STOP_LIMIT_US	 (1 * S)
#define START_LIMIT_US	 (3 * S)
#define EMERGENCY_GAP_US (350 * MS) /* without Emergency_Stop, before power may be asked again */

void samples_add(struct samples *s, double v)
{
	if (s->n < MAX_SAMPLES)
		s->v[s->n++] = v;
}

double samples_at(struct samples *s, double p)
{
	if (s->n == 0)
		return NAN;
	qsort(s->v, s->n, sizeof(s->v[0]), bench_by_value);
	return s->v[(size_t)(p * (double)(s->n - 1) + 0.5)];
}

/* --- the process ------------------------------------------------------------------------------------------- */

static bool write_config(struct subject *s)
{
	FILE *f;
	unsigned i;
	int fd;

	snprintf(s->config, sizeof(s->config), "/tmp/bench_process.XXXXXX");
	fd = mkstemp(s->config);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f)
		return false;
	for (i = 1; i <= s->n_points; i++)
		fprintf(f, "[pistol.%u]\n", i);
	return fclose(f) == 0;
}

static bool start_floor(struct subject *s, bool does_watch)
{
	char n[16];
	const char *argv[] = {"/proc/self/exe",	      FLOOR_WORD, strrchr(s->url, ':') + 1, n,
			      does_watch ? "1" : "0", NULL};

	snprintf(n, sizeof(n), "%u", s->n_points);
	return proc_start(&s->child, argv, NULL) == 0;
}

static bool start_ours(struct subject *s)
{
	const char *argv[] = {NULL, NULL, "--control=none", PROC_FAST_OPTIONS, NULL, NULL, NULL, NULL};
	char path[PROC_PATH_MAX], can[96];
	size_t n = 0;

	if (!proc_find_program("evse-ctrl", path))
		return false;
	snprintf(can, sizeof(can), "--can=%s", s->url);
	argv[0] = path;
	argv[1] = can;
	while (argv[n])
		n++;
	if (s->kind == SUBJECT_OURS_REALTIME)
		argv[n++] = "--realtime=50";
	if (s->n_points > 1) {
		if (!write_config(s))
			return false;
		argv[n++] = "--config";
		argv[n++] = s->config;
	}
	return proc_start(&s->child, argv, NULL) == 0;
}

static bool has_all(const struct proc_module *m, void *ctx)
{
	const struct subject *s = ctx;
	unsigned i;

	for (i = 1; i <= s->n_points; i++)
		if (m->point[i].n_status == 0)
			return false;
	return true;
}

bool subject_start(struct subject *s, enum subject_kind kind, unsigned n_points, bool does_watch)
{
	char err[256] = "no free port";
	unsigned i;

	memset(s, 0, sizeof(*s));
	s->kind = kind;
	s->n_points = n_points;
	s->child.pid_fd = s->child.output_fd = -1;
	if (!proc_pick_bus(s->url, sizeof(s->url)) ||
	    proc_module_open(&s->module, s->url, 1, n_points, err, sizeof(err))) {
		fprintf(stderr, "bench_process: %s\n", err);
		return false;
	}
	if (!(kind == SUBJECT_FLOOR ? start_floor(s, does_watch) : start_ours(s)) ||
	    !proc_module_wait(&s->module, START_LIMIT_US, has_all, s)) {
		proc_output(&s->child, err, sizeof(err));
		fprintf(stderr, "bench_process: the %s does not start: %s\n",
			kind == SUBJECT_FLOOR ? "floor" : "evse-ctrl", err);
		return false;
	}
	for (i = 1; i <= n_points; i++)
		proc_module_state(&s->module, i, 1);
	return true;
}

void subject_end(struct subject *s)
{
	proc_end(&s->child);
	proc_module_close(&s->module);
	if (s->config[0])
		unlink(s->config);
}

bool subject_charge(struct subject *s)
{
	const struct evse_dc_power_control power = proc_power_transfer();
	unsigned i;
	int at;

	s->is_charging = true;
	if (s->kind != SUBJECT_FLOOR) {
		if (proc_module_walk(&s->module, -1, PROC_TRANSFER, &at))
			return true;
		fprintf(stderr, "bench_process: no session: stuck in %s\n", proc_step_name(at));
		return false;
	}
	for (i = 1; i <= s->n_points; i++) {
		proc_module_state(&s->module, i, 7);
		proc_module_power(&s->module, i, &power);
	}
	return true;
}

/* --- figures ----------------------------------------------------------------------------------------------- */

double measure_cpu(struct subject *s, int64_t us)
{
	int64_t cpu_ns = proc_cpu_ns(s->child.pid), begin_us = proc_now_us();

	proc_module_wait(&s->module, us, NULL, NULL);
	return 0.1 * (double)(proc_cpu_ns(s->child.pid) - cpu_ns) / (double)(proc_now_us() - begin_us);
}

struct periods {
	struct samples *ms;
	int64_t last_us[PROC_MAX_INDEX + 1];
};

static void note_period(void *ctx, unsigned index, int64_t time_us)
{
	struct periods *p = ctx;

	if (p->last_us[index] > 0)
		samples_add(p->ms, 1e-3 * (double)(time_us - p->last_us[index]));
	p->last_us[index] = time_us;
}

void measure_period(struct subject *s, int64_t us, struct samples *ms)
{
	struct periods p = {.ms = ms};

	s->module.on_status = note_period;
	s->module.ctx = &p;
	proc_module_wait(&s->module, us, NULL, NULL);
	s->module.on_status = NULL;
}

static bool has_sequence(const struct proc_module *m, void *ctx)
{
	(void)ctx;
	return m->point[1].n_sequence > 0;
}

/* Another phase each time, so that nothing of ours and theirs keeps meeting. */
static void pause_at_random(struct subject *s, int64_t from_us, int64_t to_us)
{
	proc_module_wait(&s->module, from_us + (int64_t)rand() % (to_us - from_us), NULL, NULL);
}

unsigned measure_answers(struct subject *s, unsigned n, struct samples *ms)
{
	struct proc_point *p = &s->module.point[1];
	unsigned i, n_missed = 0;

	for (i = 0; i < n; i++) {
		int64_t sent_us;

		p->n_sequence = 0;
		proc_module_state(&s->module, 1, 1);
		proc_module_wait(&s->module, ANSWER_LIMIT_US, has_sequence, NULL);
		pause_at_random(s, 1 * MS, 6 * MS);
		p->n_sequence = 0;
		sent_us = proc_module_state(&s->module, 1, 12);
		if (proc_module_wait(&s->module, ANSWER_LIMIT_US, has_sequence, NULL))
			samples_add(ms, 1e-3 * (double)(p->sequence_us - sent_us));
		else
			n_missed++;
		pause_at_random(s, 1 * MS, 6 * MS);
	}
	proc_module_state(&s->module, 1, 1);
	return n_missed;
}

static bool is_powerless(const struct proc_module *m, void *ctx)
{
	(void)ctx;
	return m->point[1].n_powerless > 0;
}

static bool is_charging(const struct proc_module *m, void *ctx)
{
	(void)ctx;
	return m->point[1].status.present_current_mA >= PROC_TRANSFER_mA - 1000;
}

static int64_t command_stop(struct proc_module *m, enum stop_kind kind)
{
	static const struct evse_emergency_stop emergency = {.origin = EVSE_EMERGENCY_STOP_ORIGIN_PEV};
	struct evse_dc_power_control off = proc_power_off(), standby = proc_power_standby();
	int64_t now_us;

	switch (kind) {
	case STOP_OFF:
		return proc_module_power(m, 1, &off);
	case STOP_STANDBY:
		return proc_module_power(m, 1, &standby);
	case STOP_EMERGENCY:
		m->point[1].sends_power = false;
		m->point[1].sends_emergency = true;
		return proc_module_send(m, 1, EVSE_EMERGENCY_STOP, &emergency);
	case STOP_SILENCE:
	case STOP_N_KINDS:
		break;
	}
	now_us = proc_module_state(m, 1, 7);
	m->point[1].sends_status = false;
	return now_us;
}

unsigned measure_stops(struct subject *s, enum stop_kind kind, unsigned n, struct samples *ms)
{
	const struct evse_dc_power_control power = proc_power_transfer();
	struct proc_point *p = &s->module.point[1];
	unsigned i, n_missed = 0;

	for (i = 0; i < n; i++) {
		int64_t sent_us;

		proc_module_state(&s->module, 1, 7);
		pause_at_random(s, 1 * MS, 2 * MS); /* power counts only when it is newer than the status */
		proc_module_power(&s->module, 1, &power);
		proc_module_wait(&s->module, STOP_LIMIT_US, is_charging, NULL);
		pause_at_random(s, 1 * MS, 100 * MS);
		p->n_powerless = 0;
		sent_us = command_stop(&s->module, kind);
		if (proc_module_wait(&s->module, STOP_LIMIT_US, is_powerless, NULL))
			samples_add(ms, 1e-3 * (double)(p->powerless_us - sent_us));
		else
			n_missed++;
		p->sends_emergency = false;
		if (kind == STOP_EMERGENCY)
			proc_module_wait(&s->module, EMERGENCY_GAP_US, NULL, NULL);
	}
	proc_module_state(&s->module, 1, 7);
	proc_module_power(&s->module, 1, &power);
	return n_missed;
}

bool measure_start(enum subject_kind kind, struct samples *ms)
{
	static struct subject s; /* large */
	bool is_started = subject_start(&s, kind, 1, false);

	if (is_started)
		samples_add(ms, 1e-3 * (double)(s.module.point[1].first_us - s.child.exec_us));
	subject_end(&s);
	return is_started;
}
