/* SPDX-License-Identifier: MIT */
/* A lot of charge points as energy models. Energy is in integers, so a run is the same everywhere. */
#include "sim/sim_run_lot_sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define UJ_PER_MWH     INT64_C(3600000)
#define PROGRESS_EVERY 64 /* cycles */

static double clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int out_of_memory(char *err, size_t err_size)
{
	snprintf(err, err_size, "not enough memory for the simulation");
	return -ENOMEM;
}

/* The step of evenly spaced levels from min to max; else their greatest common divisor, and grants are rounded down. */
static int32_t step_of(const struct site_point_conf *p)
{
	uint32_t i;
	int32_t a = p->step_mA > 0 ? p->step_mA : 1, b, rest;

	for (i = 0; i < p->n_levels; i++) {
		for (a = i ? a : 0, b = p->level_mA[i]; b > 0; b = rest) {
			rest = a % b;
			a = b;
		}
	}
	return a > 0 ? a : 1;
}

int lot_sim_init(struct lot_sim *s, const struct site_model *model, const struct lot_workload *work,
		 struct lot_judge *judge, bool is_stated, char *err, size_t err_size)
{
	size_t n = model->n_points + 1u, n_sessions = work->n_sessions + 1u;
	uint32_t i;

	*s = (struct lot_sim){.model = model, .work = work, .judge = judge, .is_stated = is_stated};
	s->run_block = malloc(alloc_run_size(&model->site));
	s->point = calloc(n, sizeof(*s->point));
	s->ask = calloc(n, sizeof(*s->ask));
	s->grant = calloc(n, sizeof(*s->grant));
	s->limit_mA = calloc(model->site.n_rows + 1u, sizeof(*s->limit_mA));
	s->share = calloc(n_sessions, sizeof(*s->share));
	s->delivered_uJ = calloc(n_sessions, sizeof(*s->delivered_uJ));
	if (!s->run_block || !s->point || !s->ask || !s->grant || !s->limit_mA || !s->share ||
	    !s->delivered_uJ) {
		lot_sim_free(s);
		return out_of_memory(err, err_size);
	}
	for (i = 0; i < model->site.n_rows; i++)
		s->limit_mA[i] = model->info[i].limit_mA;
	for (i = 0; i < model->n_points; i++) {
		const struct site_point_conf *p = &model->point[i];

		s->point[i].step_mA = step_of(p);
		s->point[i].mV = p->kind == SITE_AC1 && p->voltage_mV > 0
					 ? p->voltage_mV
					 : site_point_mW_per_mA(p) * INT64_C(1000);
	}
	return 0;
}

void lot_sim_free(struct lot_sim *s)
{
	free(s->run_block);
	free(s->point);
	free(s->ask);
	free(s->grant);
	free(s->limit_mA);
	free(s->share);
	free(s->delivered_uJ);
	memset(s, 0, sizeof(*s));
}

/* --- one time ------------------------------------------------------------------------------------------------ */

static void plug(struct lot_sim *s, const struct lot_session *session)
{
	struct lot_point *p = &s->point[session->point];
	const struct site_point_conf *conf = &s->model->point[session->point];
	int64_t told_s = s->is_stated ? session->stated_s : session->departure_s;

	p->session = (uint32_t)(session - s->work->session);
	p->departure_s = session->departure_s;
	p->rest_uJ = session->energy_uJ;
	p->pause_s = -1;
	s->ask[session->point] = (struct alloc_point){
		.id = session->point,
		.class = conf->class,
		.weight_permille = conf->weight_permille > 0 ? conf->weight_permille : 1000,
		.min_mA = conf->min_mA,
		.step_mA = p->step_mA,
		.mW_per_mA = site_point_mW_per_mA(conf),
		.since_us = session->arrival_s * (int64_t)FC_US_PER_S,
		.changed_us = ALLOC_UNKNOWN,
		.departure_us = told_s == LOT_NOT_STATED ? ALLOC_UNKNOWN : told_s * FC_US_PER_S,
	};
}

static void set_nobody(struct alloc_point *ask, uint32_t i)
{
	*ask = (struct alloc_point){
		.id = i,
		.weight_permille = 1000,
		.step_mA = 1,
		.since_us = ALLOC_UNKNOWN,
		.changed_us = ALLOC_UNKNOWN,
		.departure_us = ALLOC_UNKNOWN,
		.energy_mWh = ALLOC_UNKNOWN,
	};
}

static void unplug(struct lot_sim *s, uint32_t i)
{
	struct lot_point *p = &s->point[i];

	s->delivered_uJ[p->session] = s->work->session[p->session].energy_uJ - p->rest_uJ;
	p->session = LOT_NOBODY;
	p->rest_uJ = 0;
	p->set_mA = 0;
	set_nobody(&s->ask[i], i);
}

/* The most it can use in what is left of the slot: its maximum, or what fills it. */
static int32_t most_mA(const struct lot_sim *s, uint32_t i, int32_t left_s)
{
	const struct lot_point *p = &s->point[i];
	const struct site_point_conf *conf = &s->model->point[i];
	int64_t per_mA = p->mV * left_s, need = per_mA > 0 ? (p->rest_uJ + per_mA - 1) / per_mA : 0;
	uint32_t k;

	need = (need + p->step_mA - 1) / p->step_mA * p->step_mA;
	for (k = 0; k < conf->n_levels; k++)
		if (conf->level_mA[k] >= need)
			return conf->level_mA[k];
	if (need < conf->min_mA)
		need = conf->min_mA;
	return need < conf->max_mA ? (int32_t)need : conf->max_mA;
}

/* Who is there now; returns how many want current. */
static uint32_t look(struct lot_sim *s, int32_t now_s)
{
	uint32_t i, n_wanting = 0;

	for (i = 0; i < s->model->n_points; i++)
		if (s->point[i].session != LOT_NOBODY && s->point[i].departure_s <= now_s)
			unplug(s, i);
	for (; s->next < s->work->n_sessions && s->work->session[s->next].arrival_s <= now_s; s->next++)
		plug(s, &s->work->session[s->next]);
	for (i = 0; i < s->model->n_points; i++) {
		struct lot_point *p = &s->point[i];
		struct alloc_point *ask = &s->ask[i];

		p->next_mA = 0;
		if (p->session == LOT_NOBODY)
			continue;
		ask->grant_mA = ask->drawn_mA = p->set_mA;
		ask->state = ALLOC_IDLE;
		ask->max_mA = 0;
		ask->min_mA = 0;
		ask->energy_mWh = ALLOC_UNKNOWN;
		if (p->rest_uJ == 0)
			continue;
		n_wanting++;
		ask->state = p->set_mA > 0 ? ALLOC_CHARGING : ALLOC_WAITING;
		ask->min_mA = s->model->point[i].min_mA;
		ask->max_mA = most_mA(s, i, LOT_SLOT_S - now_s % LOT_SLOT_S);
		ask->energy_mWh = (p->rest_uJ + UJ_PER_MWH - 1) / UJ_PER_MWH;
	}
	return n_wanting;
}

static void decide(struct lot_sim *s, const struct alloc_policy_ops *policy, void *self, void *arena,
		   int32_t now_s)
{
	struct alloc_call call = {
		.size = sizeof(call),
		.n_points = s->model->n_points,
		.now_us = now_s * (int64_t)FC_US_PER_S,
		.site = &s->model->site,
		.limit_mA = s->limit_mA,
		.point = s->ask,
		.point_stride = sizeof(*s->ask),
		.outlook_stride = sizeof(struct alloc_outlook),
		.grant_stride = sizeof(*s->grant),
		.grant = s->grant,
		.arena = arena,
		.again_us = FC_NEVER,
	};
	double begin_us = clock_us(), took_us;
	enum alloc_fault fault = alloc_run_cycle(&s->run, policy, self, &call);
	uint32_t i;

	took_us = clock_us() - begin_us;
	s->cycles_us += took_us;
	if (took_us > s->result->cycle_max_us)
		s->result->cycle_max_us = took_us;
	s->result->n_cycles++;
	if (fault != ALLOC_OK) {
		s->result->n_faults++;
		s->result->fault = fault;
	}
	for (i = 0; i < s->model->n_points; i++)
		if (s->point[i].rest_uJ > 0)
			s->point[i].next_mA = site_point_round_mA(&s->model->point[i], s->grant[i].mA);
}

static void count_change(struct lot_sim *s, struct lot_point *p, int32_t now_s)
{
	s->result->n_changes++;
	if (p->next_mA == 0) {
		s->result->n_pauses++;
		p->pause_s = now_s;
	} else if (p->pause_s >= 0) {
		if (s->result->shortest_pause_s == 0 || now_s - p->pause_s < s->result->shortest_pause_s)
			s->result->shortest_pause_s = now_s - p->pause_s;
		p->pause_s = -1;
	}
}

/* "12.345", "6": in decimals no more than there are. */
static void write_row(struct lot_sim *s, uint32_t i, int32_t now_s, int32_t mA)
{
	char part[8] = "";
	int n = 0;

	s->result->n_rows++;
	if (!s->out)
		return;
	if (mA % 1000) {
		n = snprintf(part, sizeof(part), ".%03d", mA % 1000);
		while (part[n - 1] == '0')
			part[--n] = '\0';
	}
	fprintf(s->out, "%d,%s,%d%s\n", now_s, s->model->point[i].name, mA / 1000, part);
}

/* What was decided comes into force. */
static void put(struct lot_sim *s, int32_t now_s)
{
	int64_t sum_mA = 0, sum_mW = 0;
	uint32_t i;

	for (i = 0; i < s->model->n_points; i++) {
		struct lot_point *p = &s->point[i];

		if (p->next_mA != p->set_mA) {
			if (p->rest_uJ > 0)
				count_change(s, p, now_s);
			if ((p->next_mA > 0) != (p->set_mA > 0))
				s->ask[i].changed_us = now_s * (int64_t)FC_US_PER_S;
			p->set_mA = p->next_mA;
		}
		if (p->set_mA != p->written_mA) {
			p->written_mA = p->set_mA;
			write_row(s, i, now_s, p->set_mA);
			if (s->judge)
				lot_judge_set(s->judge, i, p->set_mA / 1000.0, now_s);
		}
		sum_mA += p->set_mA;
		sum_mW += p->set_mA * p->mV / 1000;
	}
	if (s->judge)
		lot_judge_settle(s->judge, now_s);
	if (sum_mA > s->result->peak_mA)
		s->result->peak_mA = sum_mA;
	if (sum_mW > s->result->peak_mW)
		s->result->peak_mW = sum_mW;
}

/* When something happens next; INT32_MAX: nothing more. */
static int32_t next_time(const struct lot_sim *s, int32_t now_s, bool is_wanted)
{
	int32_t next_s = is_wanted ? now_s - now_s % LOT_SLOT_S + LOT_SLOT_S : INT32_MAX;
	uint32_t i;

	if (s->next < s->work->n_sessions && s->work->session[s->next].arrival_s < next_s)
		next_s = s->work->session[s->next].arrival_s;
	for (i = 0; i < s->model->n_points; i++)
		if (s->point[i].session != LOT_NOBODY && s->point[i].departure_s < next_s)
			next_s = s->point[i].departure_s;
	return next_s;
}

static void charge(struct lot_sim *s, int32_t for_s)
{
	uint32_t i;

	for (i = 0; i < s->model->n_points; i++) {
		struct lot_point *p = &s->point[i];

		if (p->set_mA > 0)
			p->rest_uJ -= fc_min_i64(p->rest_uJ, p->set_mA * p->mV * for_s);
	}
}

/* --- the whole ----------------------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

void lot_sum_up(struct lot_result *r, const struct lot_workload *w, const int64_t *delivered_uJ,
		double *share)
{
	double sum = 0, squares = 0, at;
	uint32_t i, n = 0, k;

	for (i = 0; i < w->n_sessions; i++) {
		int64_t wanted_uJ = w->session[i].energy_uJ;

		if (wanted_uJ == 0)
			continue;
		share[n] = (double)delivered_uJ[i] / (double)wanted_uJ;
		sum += share[n];
		squares += share[n] * share[n];
		r->n_full += share[n] >= 0.999;
		r->wanted_uJ += wanted_uJ;
		r->delivered_uJ += delivered_uJ[i];
		n++;
	}
	r->n_sessions = w->n_sessions;
	r->n_wanting = n;
	r->jain = squares > 0 ? sum * sum / (n * squares) : 0;
	if (n == 0)
		return;
	/* Between the two nearest of the sorted shares. */
	qsort(share, n, sizeof(*share), by_value);
	at = 0.05 * (n - 1);
	k = (uint32_t)at;
	r->share_5 = share[k] + (k + 1 < n ? (at - k) * (share[k + 1] - share[k]) : 0);
}

static void run_days(struct lot_sim *s, const struct alloc_policy_ops *policy, void *self, void *arena)
{
	int32_t now_s = s->work->n_sessions ? s->work->session[0].arrival_s : INT32_MAX, next_s;
	uint32_t n_wanting;

	while (now_s != INT32_MAX) {
		n_wanting = look(s, now_s);
		if (n_wanting) {
			decide(s, policy, self, arena, now_s);
			if (s->progress && s->result->n_cycles % PROGRESS_EVERY == 0)
				s->progress(s->ctx, now_s, s->work->end_s);
		}
		put(s, now_s);
		next_s = next_time(s, now_s, n_wanting > 0);
		if (next_s != INT32_MAX)
			charge(s, next_s - now_s);
		now_s = next_s;
	}
}

static void restart(struct lot_sim *s, FILE *out, struct lot_result *result)
{
	uint32_t i;

	memset(result, 0, sizeof(*result));
	s->result = result;
	s->out = out;
	s->next = 0;
	s->cycles_us = 0;
	alloc_run_init(&s->run, &s->model->site, s->run_block);
	if (s->judge)
		lot_judge_restart(s->judge);
	for (i = 0; i < s->model->n_points; i++) {
		struct lot_point *p = &s->point[i];

		p->session = LOT_NOBODY;
		p->rest_uJ = 0;
		p->set_mA = p->next_mA = p->written_mA = 0;
		set_nobody(&s->ask[i], i);
	}
}

void lot_sim_run(struct lot_sim *s, const struct alloc_policy_ops *policy, void *self, void *arena, FILE *out,
		 struct lot_result *result)
{
	double begin_us = clock_us();

	restart(s, out, result);
	if (out)
		fprintf(out, "time_s,station,amps\n");
	run_days(s, policy, self, arena);
	lot_sum_up(result, s->work, s->delivered_uJ, s->share);
	/* With the one in which the last has left. */
	result->n_slots = s->work->n_sessions ? (uint64_t)(s->work->end_s / LOT_SLOT_S) + 1 : 0;
	result->cycle_mean_us = result->n_cycles ? s->cycles_us / (double)result->n_cycles : 0;
	result->wall_s = (clock_us() - begin_us) / 1e6;
	if (s->judge) {
		result->n_violations = s->judge->n_violations;
		result->worst_a = s->judge->worst_a;
		result->worst_s = s->judge->worst_s;
		memcpy(result->worst, s->judge->worst, sizeof(result->worst));
	}
}
