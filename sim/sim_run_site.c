/* SPDX-License-Identifier: MIT */
/*
 * The full simulation of a lot: site-ctrl's machine and, at every point, the complete stack of both sides, in the same
 * virtual time.
 *
 * The points run apart from each other for one time of the link at most, since no frame is faster; what they say in
 * that time is handed on at its end. So the order in which they run does not matter, and a run is repeatable.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/core/frame_text.h"
#include "sim/sim_run_lot.h"
#include "sim/sim_run_lot_policy.h"
#include "sim/sim_run_site_car.h"
#include "sim/sim_run_site_judge.h"
#include "site-ctrl/load_conf.h"
#include "site-ctrl/site.h"

#define START_US     (1700000000 * (int64_t)FC_US_PER_S) /* as of a single point: sim_run.c */
#define BEFORE_US    (60 * (int64_t)FC_US_PER_S)	 /* modules boot, the site's quiet time passes */
#define AFTER_US     (120 * (int64_t)FC_US_PER_S)
#define DRAW_US	     (100 * (int64_t)FC_US_PER_MS) /* between two looks at what is drawn */
#define MOST_POINTS  256
#define EVENTS_MAX   4096
#define PROGRESS_N   4096 /* windows */
#define UJ_PER_UWH   INT64_C(3600)
#define ERR_MAX	     512
#define CODE_UNKNOWN 255

/* A frame at a point, to be judged in the order of time. */
struct event {
	int64_t time_us;
	uint32_t point;
	bool is_reached;
	struct can_frame frame;
};

/* Where log lines come from, and their clock. */
struct voice {
	struct log_sink sink;
	const char *name;
	const int64_t *now_us;
};

struct site_run {
	const struct lot_options *o;
	struct voice site_voice, *voice; /* of each car */
	struct site_load load;
	struct lot_workload work;
	struct site_limits limits;
	struct site site;
	void *limits_block, *site_block;
	struct lot_policy policy;
	double cycle_us, longest_us;
	uint64_t n_cycles;
	struct out_queue out;
	struct site_link link;
	struct site_car **car;
	int64_t *next_us; /* of each car */
	struct site_car_visit *visit;
	uint32_t *session_of;	/* of each visit */
	int64_t *delivered_uWh; /* of each visit */
	struct site_judge judge;
	struct site_judge_point *judged;
	struct event event[EVENTS_MAX];
	uint32_t n_events, n_unjudged;
	struct site_link_frame arrived[SITE_LINK_LEN]; /* for the site, in this window */
	uint32_t n_arrived;
	int64_t now_us, end_us, draw_us;
	struct lot_progress progress;
	bool is_log_failed;
	struct lot_result *result;
	char err[ERR_MAX];
};

static double clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int64_t later_us(int64_t a_us, int64_t b_us)
{
	return a_us > b_us ? a_us : b_us;
}

/* --- the policy ---------------------------------------------------------------------------------------------- */

static uint8_t code_of(const char *name)
{
	static const char *const names[] = {
		[SITE_STATUS_POLICY_FCFS] = "fcfs",
		[SITE_STATUS_POLICY_FAIR] = "fair",
		[SITE_STATUS_POLICY_FAIR_NEED] = "fair-need",
		[SITE_STATUS_POLICY_PRIORITY] = "priority",
		[SITE_STATUS_POLICY_EDF] = "edf",
		[SITE_STATUS_POLICY_SLLF] = "sllf",
		[SITE_STATUS_POLICY_READY] = "ready",
		[SITE_STATUS_POLICY_PLAN] = "plan",
	};
	uint8_t i;

	for (i = 1; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	return CODE_UNKNOWN;
}

static int32_t allocate(void *ctx, struct alloc_call *call)
{
	struct site_run *r = ctx;
	double begin_us = clock_us(), took_us;
	int32_t ret;

	call->arena = r->policy.arena;
	ret = r->policy.plug.ops.policy.allocate(r->policy.self, call);
	took_us = clock_us() - begin_us;
	r->n_cycles++;
	r->cycle_us += took_us;
	if (took_us > r->longest_us)
		r->longest_us = took_us;
	return ret;
}

/* --- frames -------------------------------------------------------------------------------------------------- */

static void write_log(struct site_run *r, int64_t time_us, unsigned bus, const struct can_frame *f)
{
	char channel[16], line[FRAME_LOG_LINE_MAX];
	size_t n;

	if (!r->o->log)
		return;
	snprintf(channel, sizeof(channel), "site%u", bus);
	n = frame_log_write(time_us, channel, f, line);
	line[n++] = '\n';
	if (fwrite(line, 1, n, r->o->log) != n)
		r->is_log_failed = true;
}

/* At a point's end of its line. */
static void note_frame(void *ctx, uint32_t point, bool is_reached, int64_t now_us, const struct can_frame *f)
{
	struct site_run *r = ctx;

	if (r->n_events == EVENTS_MAX) {
		r->n_unjudged++;
		return;
	}
	r->event[r->n_events++] = (struct event){now_us, point, is_reached, *f};
}

/* Within a window points come one after the other; the order of each is right already. */
static void judge_events(struct site_run *r)
{
	uint32_t i, k;

	for (i = 1; i < r->n_events; i++) {
		struct event e = r->event[i];

		for (k = i; k && r->event[k - 1].time_us > e.time_us; k--)
			r->event[k] = r->event[k - 1];
		r->event[k] = e;
	}
	for (i = 0; i < r->n_events; i++) {
		const struct event *e = &r->event[i];

		if (e->is_reached)
			site_judge_reached(&r->judge, e->point, e->time_us, &e->frame);
		else
			site_judge_left(&r->judge, e->point, e->time_us, &e->frame);
	}
	r->n_events = 0;
}

/* What the site has queued goes onto the link, to the point of its bus and number; what is for all is not needed. */
static void perform(struct site_run *r, int64_t now_us)
{
	uint32_t i, point;

	for (i = 0; i < r->out.n; i++) {
		const struct out_item *item = &r->out.item[i];
		unsigned number = (item->u.frame.can_id & MSG_INDEX_MASK) >> MSG_INDEX_SHIFT;

		if (item->kind != OUT_FRAME || item->bus >= SITE_MAX_BUSES)
			continue;
		write_log(r, now_us, item->bus, &item->u.frame);
		point = number ? r->site.point_of[item->bus][number] : UINT32_MAX;
		if (point < r->load.model.n_points)
			site_link_send(&r->link, now_us, SITE_LINK_TO_SITE, point, &item->u.frame);
	}
	out_queue_clear(&r->out);
}

/* --- time ---------------------------------------------------------------------------------------------------- */

/* Frames that arrive in the window: those for points into their lines, those for the site aside. */
static void hand_on(struct site_run *r, int64_t end_us)
{
	r->n_arrived = 0;
	while (site_link_next_us(&r->link) <= end_us) {
		struct site_link_frame *f = &r->arrived[r->n_arrived];

		site_link_take(&r->link, f);
		if (f->to == SITE_LINK_TO_SITE) {
			r->n_arrived++;
			continue;
		}
		site_line_put(&r->car[f->to]->line, f->due_us, &f->frame);
		r->next_us[f->to] = fc_min_i64(r->next_us[f->to], f->due_us);
	}
}

static void run_cars(struct site_run *r, int64_t end_us)
{
	uint32_t i;

	for (i = 0; i < r->load.model.n_points; i++) {
		if (r->next_us[i] > end_us)
			continue;
		site_car_run(r->car[i], end_us);
		r->next_us[i] = site_car_next_us(r->car[i]);
	}
}

static void run_site(struct site_run *r, int64_t end_us)
{
	uint32_t i = 0;

	for (;;) {
		int64_t tick_us = site_ops.next_us(&r->site);
		int64_t frame_us = i < r->n_arrived ? r->arrived[i].due_us : FC_NEVER;

		if (tick_us > end_us && frame_us == FC_NEVER)
			return;
		if (frame_us <= tick_us) {
			const struct site_link_frame *f = &r->arrived[i++];
			unsigned bus = r->load.model.point[f->from].bus;

			write_log(r, frame_us, bus, &f->frame);
			site_bus_rx(&r->site, frame_us, bus, &f->frame, &r->out);
			perform(r, frame_us);
		} else {
			site_ops.tick(&r->site, tick_us, &r->out);
			perform(r, tick_us);
		}
	}
}

static void look_at_draw(struct site_run *r, int64_t now_us)
{
	int64_t sum_mA = 0, sum_mW = 0;
	uint32_t i;

	for (i = 0; i < r->load.model.n_points; i++) {
		int32_t mA = site_car_drawn_mA(r->car[i]);

		r->judged[i].drawn_mA = mA > 0 ? mA : 0;
		sum_mA += r->judged[i].drawn_mA;
		sum_mW += (int64_t)r->judged[i].drawn_mA * site_point_mW_per_mA(&r->load.model.point[i]);
	}
	site_judge_draw(&r->judge, now_us);
	if (sum_mA > r->result->peak_mA)
		r->result->peak_mA = sum_mA;
	if (sum_mW > r->result->peak_mW)
		r->result->peak_mW = sum_mW;
}

static int64_t next_event_us(const struct site_run *r)
{
	int64_t next_us = fc_min_i64(site_link_next_us(&r->link), site_ops.next_us(&r->site));
	uint32_t i;

	for (i = 0; i < r->load.model.n_points; i++)
		next_us = fc_min_i64(next_us, r->next_us[i]);
	return next_us;
}

static void run_days(struct site_run *r)
{
	uint64_t n = 0;

	for (; r->now_us < r->end_us; n++) {
		int64_t next_us = next_event_us(r);
		int64_t end_us = later_us(r->now_us, fc_min_i64(next_us, r->end_us) - 1) + SITE_LINK_WIRE_US;

		hand_on(r, end_us);
		run_cars(r, end_us);
		run_site(r, end_us);
		judge_events(r);
		if (end_us >= r->draw_us) {
			look_at_draw(r, end_us);
			r->draw_us = end_us + DRAW_US;
		}
		r->now_us = end_us;
		if (n % PROGRESS_N == 0)
			lot_progress_show(&r->progress, r->policy.name,
					  (int32_t)((r->now_us - START_US) / FC_US_PER_S), r->work.end_s);
	}
}

/* Lines of the machines that run now; their own prefixes say which, the name says where. */
static void log_line(void *ctx, enum log_level level, const char *text)
{
	const struct voice *v = ctx;
	int64_t ms = (*v->now_us - START_US) / FC_US_PER_MS;

	(void)level;
	fprintf(stderr, "%6lld.%03lld %s %s\n", (long long)(ms / 1000), (long long)(ms % 1000), v->name,
		text);
}

/* --- making it ----------------------------------------------------------------------------------------------- */

static int out_of_memory(struct site_run *r)
{
	snprintf(r->err, sizeof(r->err), "not enough memory for the simulation");
	return -ENOMEM;
}

static int load(struct site_run *r)
{
	int32_t end_s = r->o->days ? r->o->days * 86400 : INT32_MAX;
	const struct site_model *m = &r->load.model;
	int ret = site_load_conf(&r->load, r->o->site, r->err, sizeof(r->err));

	if (!ret)
		ret = lot_workload_load(&r->work, m, r->o->workload, end_s, r->err, sizeof(r->err));
	if (!ret && r->o->is_stated && !r->work.has_stated) {
		snprintf(r->err, sizeof(r->err), "%s:1: there is no column user_departure_s", r->o->workload);
		ret = -EINVAL;
	}
	if (!ret && m->n_points > MOST_POINTS) {
		snprintf(r->err, sizeof(r->err), "%s: %u points are too many for full stacks, at most %d",
			 r->o->site, (unsigned)m->n_points, MOST_POINTS);
		ret = -E2BIG;
	}
	return ret;
}

/* Between two conductors of three phases, across the load of one; 0: nobody knows. */
static int32_t supply_mV(const struct site_model *m, const struct site_point_conf *p)
{
	int32_t mV = p->voltage_mV;

	if (mV == 0 && p->node < m->n_nodes)
		mV = p->is_line_to_line ? (int32_t)(m->node[p->node].voltage_mV * sqrt(3.0))
					: m->node[p->node].voltage_mV;
	return p->kind == SITE_AC1 ? mV : (int32_t)(mV * sqrt(3.0));
}

/* Sessions that want nothing are left out: no vehicle comes for that. */
static void list_visits(struct site_run *r, uint32_t point, struct site_car *c, uint32_t *used)
{
	uint32_t i;

	c->visit = &r->visit[*used];
	c->delivered_uWh = &r->delivered_uWh[*used];
	for (i = 0; i < r->work.n_sessions; i++) {
		const struct lot_session *s = &r->work.session[i];
		int64_t told_s = r->o->is_stated ? s->stated_s : s->departure_s;

		if (s->point != point || s->energy_uJ < LOT_UJ_PER_WH)
			continue;
		r->session_of[*used] = i;
		r->visit[(*used)++] = (struct site_car_visit){
			.arrival_us = START_US + s->arrival_s * (int64_t)FC_US_PER_S,
			.departure_us = START_US + s->departure_s * (int64_t)FC_US_PER_S,
			.stated_us = told_s == LOT_NOT_STATED ? FC_NEVER : START_US + told_s * FC_US_PER_S,
			.energy_Wh = s->energy_uJ / LOT_UJ_PER_WH,
		};
		c->n_visits++;
	}
}

static int make_car(struct site_run *r, uint32_t i, uint32_t *used)
{
	const struct site_model *m = &r->load.model;
	const struct site_point_conf *conf = &m->point[i];
	struct site_car *c = r->car[i] = malloc(sizeof(*c));
	int ret;

	if (!c)
		return out_of_memory(r);
	if (conf->number == 0 || supply_mV(m, conf) <= 0) {
		snprintf(r->err, sizeof(r->err), "%s: point %s needs a number on its bus and a voltage",
			 r->o->site, conf->name);
		return -EINVAL;
	}
	ret = site_car_init(c, conf, supply_mV(m, conf), r->err, sizeof(r->err));
	if (ret)
		return ret;
	if (r->o->is_verbose) {
		r->voice[i] =
			(struct voice){{log_line, &r->voice[i], LOG_INF}, conf->name, &c->point.world.now_us};
		c->point.sink = &r->voice[i].sink;
	}
	c->line = (struct site_line){
		.link = &r->link, .point = i, .number = conf->number, .passed = note_frame, .ctx = r};
	list_visits(r, i, c, used);
	ret = site_car_start(c, r->o->seed + i, r->now_us, r->err, sizeof(r->err));
	r->next_us[i] = r->now_us;
	return ret;
}

static int make_cars(struct site_run *r)
{
	uint32_t i, used = 0, n = r->load.model.n_points, n_sessions = r->work.n_sessions + 1u;
	int ret = 0;

	r->car = calloc(n + 1u, sizeof(struct site_car *));
	r->next_us = calloc(n + 1u, sizeof(*r->next_us));
	r->voice = calloc(n + 1u, sizeof(*r->voice));
	r->judged = calloc(n + 1u, sizeof(*r->judged));
	r->visit = calloc(n_sessions, sizeof(*r->visit));
	r->session_of = calloc(n_sessions, sizeof(*r->session_of));
	r->delivered_uWh = calloc(n_sessions, sizeof(*r->delivered_uWh));
	if (!r->car || !r->next_us || !r->voice || !r->judged || !r->visit || !r->session_of ||
	    !r->delivered_uWh)
		return out_of_memory(r);
	for (i = 0; i < n && !ret; i++)
		ret = make_car(r, i, &used);
	return ret;
}

static int make_site(struct site_run *r)
{
	const struct site_model *m = &r->load.model;
	const struct site_policy policy = {
		.name = r->policy.name, .code = code_of(r->policy.name), .allocate = allocate, .ctx = r};
	int ret;

	r->limits_block = calloc(1, site_limits_size(m));
	r->site_block = calloc(1, site_size(m));
	if (!r->limits_block || !r->site_block || !lot_policy_arena(&r->policy, &m->site))
		return out_of_memory(r);
	site_limits_init(&r->limits, m, r->limits_block);
	out_queue_init(&r->out);
	r->site_voice = (struct voice){{log_line, &r->site_voice, LOG_INF}, "site", &r->now_us};
	ret = site_init(&r->site, &r->o->conf, m, &r->limits, r->site_block,
			r->o->is_verbose ? &r->site_voice.sink : NULL, r->now_us, r->err, sizeof(r->err));
	if (!ret)
		site_set_policy(&r->site, &policy);
	return ret;
}

static void drop(struct site_run *r)
{
	uint32_t i;

	for (i = 0; r->car && i < r->load.model.n_points; i++)
		free(r->car[i]);
	lot_policy_close(&r->policy);
	free(r->car);
	free(r->next_us);
	free(r->voice);
	free(r->judged);
	free(r->visit);
	free(r->session_of);
	free(r->delivered_uWh);
	free(r->limits_block);
	free(r->site_block);
	lot_workload_free(&r->work);
	site_load_free(&r->load);
	free(r);
}

/* --- results ------------------------------------------------------------------------------------------------- */

static int sum_up(struct site_run *r)
{
	struct lot_result *result = r->result;
	uint32_t i, n = r->work.n_sessions + 1u, n_visits = 0;
	int64_t *delivered_uJ = calloc(n, sizeof(*delivered_uJ));
	double *share = calloc(n, sizeof(*share));

	if (!delivered_uJ || !share) {
		free(delivered_uJ);
		free(share);
		return out_of_memory(r);
	}
	for (i = 0; i < r->load.model.n_points; i++) {
		n_visits += r->car[i]->n_visits;
		result->n_changes += r->judged[i].n_changes;
		result->n_pauses += r->judged[i].n_pauses;
	}
	for (i = 0; i < n_visits; i++) {
		int64_t wanted_uJ = r->work.session[r->session_of[i]].energy_uJ;

		/* The last cell is filled by whole steps of the state of charge. */
		delivered_uJ[r->session_of[i]] = fc_min_i64(r->delivered_uWh[i] * UJ_PER_UWH, wanted_uJ);
	}
	lot_sum_up(result, &r->work, delivered_uJ, share);
	result->shortest_pause_s = (int32_t)(r->judge.shortest_pause_us / FC_US_PER_S);
	result->n_cycles = r->n_cycles;
	result->n_slots = (uint64_t)(r->end_us - START_US) / (LOT_SLOT_S * (uint64_t)FC_US_PER_S) + 1;
	/* A frame that was not judged may have been one. */
	result->n_violations = r->judge.n_violations + r->n_unjudged;
	result->worst_a = (double)r->judge.worst_mA / 1000.0;
	result->worst_s = (int32_t)((r->judge.worst_us - START_US) / FC_US_PER_S);
	if (r->judge.n_violations)
		site_row_name(&r->load.model, r->judge.worst_row, result->worst, sizeof(result->worst));
	for (i = ALLOC_OK + 1; i < ALLOC_N_FAULTS; i++) {
		result->n_faults += r->site.run.n_faults[i];
		if (r->site.run.n_faults[i])
			result->fault = (enum alloc_fault)i;
	}
	result->cycle_mean_us = r->n_cycles ? r->cycle_us / (double)r->n_cycles : 0;
	result->cycle_max_us = r->longest_us;
	free(delivered_uJ);
	free(share);
	return 0;
}

/* Things that must not happen, and would make the results worth less. */
static int check_end(struct site_run *r)
{
	uint32_t i, n_refused = 0, n_forced = 0;

	for (i = 0; i < r->load.model.n_points; i++) {
		n_refused += r->car[i]->n_refused;
		n_forced += r->car[i]->n_forced;
	}
	if (n_forced)
		fprintf(stderr, "sim-run: %u plugs were pulled from a lock that did not open\n",
			(unsigned)n_forced);
	if (n_refused) {
		snprintf(r->err, sizeof(r->err), "%u words to vehicles were refused", (unsigned)n_refused);
		return -EPROTO;
	}
	if (r->is_log_failed) {
		snprintf(r->err, sizeof(r->err), "cannot write the log");
		return -EIO;
	}
	return 0;
}

int lot_run_site(const struct lot_options *o, const char *policy, struct lot_result *result)
{
	const struct lot_policy_setup setup = {o->builtin, o->kv, o->n_kv, o->is_verbose};
	struct site_run *r = calloc(1, sizeof(*r));
	double begin_us = clock_us();
	int ret;

	if (!r) {
		fprintf(stderr, "sim-run: not enough memory\n");
		return 1;
	}
	memset(result, 0, sizeof(*result));
	r->o = o;
	r->result = result;
	ret = lot_policy_open(&r->policy, policy, &setup);
	if (ret) {
		drop(r);
		return ret;
	}
	ret = load(r);
	r->now_us = START_US - BEFORE_US;
	if (r->work.n_sessions)
		r->now_us += r->work.session[0].arrival_s * (int64_t)FC_US_PER_S;
	r->end_us = START_US + AFTER_US + r->work.end_s * (int64_t)FC_US_PER_S;
	site_link_init(&r->link, o->seed, (uint32_t)o->loss_ppm, o->delay_ms * (int64_t)FC_US_PER_MS);
	lot_progress_begin(&r->progress);
	if (!ret)
		ret = make_site(r);
	if (!ret)
		ret = make_cars(r);
	if (!ret) {
		site_judge_init(&r->judge, &r->load.model, r->limits.limit_mA, r->judged);
		run_days(r);
		lot_progress_end(&r->progress);
		ret = sum_up(r);
		if (!ret)
			ret = check_end(r);
	}
	if (ret)
		fprintf(stderr, "sim-run: %s\n", r->err);
	result->policy = r->policy.name;
	result->wall_s = (clock_us() - begin_us) / 1e6;
	drop(r);
	return ret ? 1 : 0;
}
