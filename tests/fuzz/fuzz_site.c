/* SPDX-License-Identifier: MIT */
/*
 * The site's machine under random frames, limits, requests, time and policies. Input: records of one byte
 * kind and its data. Invariants: a wake-up of ours never brings a row of the ledger over its limit (reports
 * may, by what they claim), and every grant that leaves is 0 or between minimum and maximum of its point, in
 * whole tenths of an ampere.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "site-ctrl/site.h"
#include "site-ctrl/site_conf.h"

#define N_POINTS 7
#define N_NODES	 3
#define MAX_ROWS 32
#define MAX_mA	 32000

struct input {
	const uint8_t *data;
	size_t size;
};

struct bench {
	struct site_node_conf node[N_NODES];
	struct site_point_conf point[N_POINTS];
	struct site_constraint_conf constraint[1];
	struct site_model model;
	struct site_limits limits;
	struct site site;
	struct out_queue out;
	struct input *in;
	int64_t now_us;
	/* What a point remembers of the grants it took, so that reports can acknowledge them. */
	uint32_t number[N_POINTS], acked[N_POINTS];
	uint8_t revision[N_POINTS];
	int64_t load[MAX_ROWS];
	void *block[3];
};

static struct bench bench;

static void must(bool is_true)
{
	if (!is_true)
		abort();
}

static void must_start(int ret, const char *err)
{
	if (ret == 0)
		return;
	fprintf(stderr, "%s\n", err);
	abort();
}

static uint8_t take(struct input *in)
{
	if (in->size == 0)
		return 0;
	in->size--;
	return *in->data++;
}

static int32_t take_number(struct input *in)
{
	uint32_t n = (uint32_t)take(in) << 8;

	return (int32_t)(n | take(in));
}

/* --- the site ---------------------------------------------------------------------------------------------- */

static void add_node(struct bench *b, const char *name, uint32_t parent, int32_t limit_mA)
{
	struct site_node_conf n = {.parent = parent,
				   .limit_mA = {limit_mA, limit_mA, limit_mA},
				   .export_limit_mA = {10000, 10000, 10000},
				   .limit_W = parent == 0 ? 20000 : 0,
				   .voltage_mV = 230000,
				   .has_meter = true,
				   .meter_max_age_ms = 5000};
	char err[200];

	snprintf(n.name, sizeof(n.name), "%s", name);
	must_start(site_model_add_node(&b->model, &n, err, sizeof(err)), err);
}

static void add_point(struct bench *b, unsigned i)
{
	struct site_point_conf p = {.node = i % N_NODES,
				    .number = (uint8_t)(i + 1),
				    .kind = i < 3    ? SITE_AC3
					    : i == 6 ? SITE_DC
						     : SITE_AC1,
				    .phase = {1, 2, 3},
				    .is_line_to_line = i == 4,
				    .voltage_mV = i == 4 ? 400000 : 230000,
				    .min_mA = i == 6 ? 0 : 6000,
				    .max_mA = MAX_mA,
				    .step_mA = i == 1 ? 1000 : 100,
				    .safe_mA = i == 2 ? 6000 : 0,
				    .weight_permille = 1000,
				    .max_discharge_mA = i == 6 ? 8000 : 0};
	char err[200];

	if (i == 3 || i == 5)
		p.phase[1] = p.phase[2] = 0;
	if (i == 4)
		p.phase[2] = 0;
	snprintf(p.name, sizeof(p.name), "p%u", i);
	must_start(site_model_add_point(&b->model, &p, err, sizeof(err)), err);
}

static int32_t answer(void *ctx, struct alloc_call *call);

static void start(struct bench *b, struct input *in)
{
	static const struct site_policy policy = {
		.name = "fuzz", .code = 255, .allocate = answer, .ctx = &bench};
	struct site_conf conf;
	char err[200];
	unsigned i;

	memset(b, 0, sizeof(*b));
	b->in = in;
	b->now_us = 1000000;
	site_conf_defaults(&conf);
	conf.min_on_ms = take(in) * 100;
	conf.min_off_ms = take(in) * 100;
	conf.wait_max_ms = take(in) * 200;
	conf.ramp_mA_per_s = take(in) % 4 * 1000;
	site_model_init(&b->model, b->node, N_NODES, b->point, N_POINTS, b->constraint, 1);
	add_node(b, "main", SITE_NO_NODE, 100000);
	add_node(b, "left", 0, 40000);
	add_node(b, "right", 0, 63000);
	for (i = 0; i < N_POINTS; i++)
		add_point(b, i);
	b->block[0] = malloc(site_model_size(&b->model));
	must_start(site_model_compile(&b->model, b->block[0], err, sizeof(err)), err);
	must(b->model.site.n_rows <= MAX_ROWS);
	b->block[1] = malloc(site_limits_size(&b->model));
	site_limits_init(&b->limits, &b->model, b->block[1]);
	b->block[2] = malloc(site_size(&b->model));
	must_start(site_init(&b->site, &conf, &b->model, &b->limits, b->block[2], NULL, b->now_us, err,
			     sizeof(err)),
		   err);
	site_set_policy(&b->site, &policy);
	if (take(in) & 1)
		b->now_us = b->site.ledger.quiet_until_us;
}

/* --- invariants -------------------------------------------------------------------------------------------- */

static int64_t load_of(const struct bench *b, uint32_t row)
{
	int32_t may_mA[N_POINTS];
	unsigned i;

	for (i = 0; i < N_POINTS; i++)
		may_mA[i] = lease_may_draw_mA(&b->site.ledger, i, b->now_us);
	return alloc_row_mA(&b->model.site, row, may_mA, sizeof(may_mA[0]), false);
}

static void before(struct bench *b)
{
	uint32_t row;

	for (row = 0; row < b->model.site.n_rows; row++)
		b->load[row] = load_of(b, row);
}

static void check_grant(struct bench *b, const struct can_frame *f, unsigned number)
{
	const struct site_point_conf *p = &b->point[number - 1];
	struct site_grant g;

	must(number >= 1 && number <= N_POINTS);
	site_layouts[SITE_V1][SITE_GRANT].unpack(&g, f->data);
	must(g.charge_current_mA % 100 == 0 && g.discharge_current_mA % 100 == 0);
	must(g.charge_current_mA == 0 || g.charge_current_mA >= p->min_mA);
	must(g.charge_current_mA <= p->max_mA && g.discharge_current_mA <= p->max_discharge_mA);
	must(g.charge_current_mA == 0 || g.discharge_current_mA == 0);
	must(g.duration == 5);
	if (take(b->in) & 3) { /* the point takes it */
		b->acked[number - 1] = g.number;
		b->revision[number - 1] = g.revision;
	}
}

static void after(struct bench *b)
{
	unsigned number;
	uint32_t row, k;

	must(b->out.n_dropped == 0);
	for (k = 0; k < b->out.n; k++)
		if (site_wire_find(&b->out.item[k].u.frame, &number) == SITE_GRANT)
			check_grant(b, &b->out.item[k].u.frame, number);
	out_queue_clear(&b->out);
	for (row = 0; row < b->model.site.n_rows; row++) {
		int64_t load = load_of(b, row);

		must(load <= b->load[row] || load <= b->limits.limit_mA[row]);
	}
}

/* --- events ------------------------------------------------------------------------------------------------ */

/* Mostly what a good policy does, by the kit; sometimes numbers. */
static int32_t answer(void *ctx, struct alloc_call *call)
{
	struct bench *b = ctx;
	const struct alloc_kit *kit = call->kit;
	uint8_t how = take(b->in);
	uint32_t order[N_POINTS], i, n;

	if (how > 200) {
		for (i = 0; i < call->n_points; i++)
			alloc_grant_at(call, i)->mA = take_number(b->in) * (how & 1 ? 100 : -100);
		return how & 2 ? -1 : 0;
	}
	n = kit->sort(kit->ctx, NULL, order);
	for (i = 1; i < n; i++)
		if (how >> i & 1) { /* another order each time */
			uint32_t other = order[i];

			order[i] = order[0];
			order[0] = other;
		}
	kit->admit(kit->ctx, order, n);
	kit->fill_order(kit->ctx, order, n);
	kit->climb(kit->ctx, order, n);
	kit->finish(kit->ctx, call->grant, call->grant_stride);
	return 0;
}

static void send(struct bench *b, enum site_msg msg, unsigned number, const void *content)
{
	struct can_frame f;

	msg_to_frame(&site_layouts[SITE_V1][msg], content, number, &f);
	site_bus_rx(&b->site, b->now_us, 0, &f, &b->out);
}

/* A report as points send them: honest about what they took, with demands of any kind. */
static void report(struct bench *b, unsigned i)
{
	uint8_t kind = take(b->in);
	uint32_t age = (b->number[i] + 1 - b->acked[i]) & LEASE_NUMBER_MASK;
	struct site_point_report head = {.number = ++b->number[i],
					 .ack_age = b->acked[i] && age < 255 ? (uint8_t)age : 255,
					 .ack_revision = b->revision[i],
					 .state = kind % 8,
					 .is_local = kind == 0xff};
	struct site_point_demand demand = {.requested_mA = take(b->in) * 300,
					   .present_mA = take(b->in) * 200 - 5000,
					   .maximum_mA = take(b->in) * 150,
					   .minimum_mA = take(b->in) * 50};
	struct site_point_session session = {.energy_wanted = (uint16_t)take_number(b->in),
					     .departure = (uint16_t)take_number(b->in),
					     .plugged_for = take(b->in),
					     .priority = take(b->in) % 3};
	struct site_point_meter meter = {.discharge_maximum_mA = take(b->in) * 100};

	send(b, SITE_POINT_REPORT, i + 1, &head);
	if (kind & 16)
		return; /* the rest is lost */
	send(b, SITE_POINT_DEMAND, i + 1, &demand);
	send(b, SITE_POINT_SESSION, i + 1, &session);
	send(b, SITE_POINT_METER, i + 1, &meter);
}

static void random_frame(struct bench *b)
{
	struct can_frame f = {.can_dlc = 8};
	uint8_t kind = take(b->in);
	unsigned k;

	f.can_id = site_layouts[SITE_V1][kind % SITE_N_MSGS].id | (canid_t)(take(b->in) & 31)
									  << MSG_INDEX_SHIFT;
	if (kind & 64)
		f.can_id ^= (canid_t)take(b->in);
	if (kind & 128)
		f.can_dlc = take(b->in) & 15;
	for (k = 0; k < 8; k++)
		f.data[k] = take(b->in);
	site_bus_rx(&b->site, b->now_us, take(b->in) & 31, &f, &b->out);
}

/* Words with a number for each '#'. */
static void command(struct bench *b)
{
	static const char *const lines[] = {
		"limit main #",
		"limit left L2 # 3",
		"external right #",
		"unlimit main",
		"meter main # 3 -2",
		"meter left # # 1",
		"priority p1 #",
		"set min_on_ms #",
		"set ramp_mA_per_s #",
		"limit left power #",
		"status",
		"points",
		"rows",
		"show",
		"faults",
		"counters",
		"unlimit left",
		"unlimit right external",
	};
	const char *from = lines[take(b->in) % (sizeof(lines) / sizeof(lines[0]))];
	char line[128], text[8192];
	size_t n = 0;

	for (; *from && n + 8 < sizeof(line); from++) {
		if (*from == '#')
			n += (size_t)snprintf(line + n, sizeof(line) - n, "%d", take(b->in) / 2);
		else
			line[n++] = *from;
	}
	line[n] = '\0';
	site_ops.command(&b->site, b->now_us, line, text, sizeof(text), &b->out);
}

static void wake(struct bench *b, int64_t us)
{
	int64_t at_us = site_ops.next_us(&b->site);

	b->now_us += us;
	if (at_us > b->now_us && us > 500000)
		b->now_us = at_us;
	before(b);
	if (b->now_us >= site_ops.next_us(&b->site))
		site_ops.tick(&b->site, b->now_us, &b->out);
	after(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct bench *b = &bench;
	unsigned k;

	start(b, &in);
	while (in.size > 0) {
		uint8_t kind = take(&in);

		before(b);
		if (kind < 128)
			report(b, kind % N_POINTS);
		else if (kind < 144)
			random_frame(b);
		else if (kind < 176)
			command(b);
		if (kind >= 128 && kind < 144)
			out_queue_clear(&b->out); /* a random report may claim anything */
		else if (kind >= 144 && kind < 176)
			after(b);
		wake(b, kind & 1 ? 20000 : (int64_t)take(&in) * 10000);
	}
	for (k = 0; k < 3; k++)
		free(b->block[k]);
	return 0;
}
