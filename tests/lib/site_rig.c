/* SPDX-License-Identifier: MIT */
/* A site and its cars in virtual time. */
#include "tests/lib/site_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "site-ctrl/site_conf.h"

#define STEP_US	  INT64_C(20000)
#define REPORT_US INT64_C(1000000)

uint32_t site_rig_random(struct site_rig *r)
{
	r->seed = r->seed * 1664525u + 1013904223u;
	return r->seed >> 8;
}

static void keep_line(void *ctx, enum log_level level, const char *text)
{
	struct site_rig *r = ctx;

	(void)level;
	snprintf(r->line[r->n_lines++ % SITE_RIG_LINES], sizeof(r->line[0]), "%s", text);
}

bool site_rig_has_logged(const struct site_rig *r, const char *part)
{
	uint32_t k;

	for (k = 0; k < SITE_RIG_LINES; k++)
		if (strstr(r->line[k], part))
			return true;
	return false;
}

/* --- building ---------------------------------------------------------------------------------------------- */

uint32_t site_rig_node(struct site_rig *r, const char *name, uint32_t parent, int32_t limit_mA)
{
	struct site_node_conf n = {
		.parent = parent, .limit_mA = {limit_mA, limit_mA, limit_mA}, .voltage_mV = 230000};
	char err[200];

	snprintf(n.name, sizeof(n.name), "%s", name);
	if (site_model_add_node(&r->model, &n, err, sizeof(err)))
		fail_msg("%s", err);
	return r->model.n_nodes - 1;
}

uint32_t site_rig_point(struct site_rig *r, uint32_t node, unsigned phase)
{
	uint32_t i = r->model.n_points;
	struct site_point_conf p = {.node = node,
				    .bus = (uint8_t)(i / 31),
				    .number = (uint8_t)(i % 31 + 1),
				    .kind = phase ? SITE_AC1 : SITE_AC3,
				    .phase = {(uint8_t)(phase ? phase : 1), 2, 3},
				    .voltage_mV = 230000,
				    .min_mA = 6000,
				    .max_mA = 32000,
				    .step_mA = 100,
				    .weight_permille = 1000};
	char err[200];

	if (phase)
		p.phase[1] = p.phase[2] = 0;
	snprintf(p.name, sizeof(p.name), "p%u", i);
	if (site_model_add_point(&r->model, &p, err, sizeof(err)))
		fail_msg("%s", err);
	return i;
}

void site_rig_points(struct site_rig *r, uint32_t n)
{
	while (n-- > 0)
		site_rig_point(r, 0, 0);
}

int site_rig_set_up(void **state)
{
	struct site_rig *r = calloc(1, sizeof(*r));

	site_conf_defaults(&r->conf);
	r->conf.min_on_ms = r->conf.min_off_ms = 0;
	r->seed = 1;
	r->is_checked = true;
	r->now_us = 1000000;
	r->sink = (struct log_sink){.line = keep_line, .ctx = r, .level = LOG_DBG};
	site_model_init(&r->model, r->node, SITE_RIG_NODES, r->point, SITE_RIG_POINTS, r->constraint, 2);
	site_rig_node(r, "main", SITE_NO_NODE, 100000);
	*state = r;
	return 0;
}

int site_rig_tear_down(void **state)
{
	struct site_rig *r = *state;
	unsigned k;

	for (k = 0; k < 3; k++)
		free(r->block[k]);
	free(r);
	return 0;
}

static int32_t run_policy(void *ctx, struct alloc_call *call)
{
	struct site_rig *r = ctx;

	return r->policy->allocate(r->policy_self, call);
}

static void start_car(struct site_rig *r, uint32_t i)
{
	struct rig_car *c = &r->car[i];

	lease_hold_init(&c->hold, r->point[i].safe_mA, 1000 + i * 100);
	c->maximum_mA = r->point[i].max_mA;
	c->minimum_mA = r->point[i].min_mA;
	c->appetite_mA = INT32_MAX;
	c->requested_mA = -1;
	c->energy_100Wh = c->departure_min = 65535;
	c->report_us = r->now_us + (int64_t)(site_rig_random(r) % 1000) * 1000;
	c->on_us = ALLOC_UNKNOWN;
}

void site_rig_boot(struct site_rig *r)
{
	struct site_policy policy = {.name = "test", .code = 255, .allocate = run_policy, .ctx = r};
	char err[200];
	uint32_t i;

	free(r->block[0]);
	free(r->block[1]);
	free(r->block[2]);
	r->block[0] = malloc(site_model_size(&r->model));
	if (site_model_compile(&r->model, r->block[0], err, sizeof(err)))
		fail_msg("%s", err);
	r->block[1] = malloc(site_limits_size(&r->model));
	site_limits_init(&r->limits, &r->model, r->block[1]);
	r->block[2] = malloc(site_size(&r->model));
	if (site_init(&r->site, &r->conf, &r->model, &r->limits, r->block[2], &r->sink, r->now_us, err,
		      sizeof(err)))
		fail_msg("%s", err);
	if (r->policy)
		site_set_policy(&r->site, &policy);
	for (i = 0; i < r->model.n_points; i++)
		start_car(r, i);
}

void site_rig_start(struct site_rig *r)
{
	site_rig_boot(r);
	site_rig_run_ms(r, SITE_RIG_QUIET_MS);
}

/* --- invariants -------------------------------------------------------------------------------------------- */

static void check_rows(struct site_rig *r, const int32_t *mA, const char *who)
{
	char name[64];
	uint32_t row;

	for (row = 0; row < r->model.site.n_rows; row++) {
		int64_t load = alloc_row_mA(&r->model.site, row, mA, sizeof(mA[0]), false);

		if (load > r->limits.limit_mA[row])
			fail_msg("t=%.3f s %s: %s carries %lld mA, limit %d", (double)r->now_us / 1e6, who,
				 site_row_name(&r->model, row, name, sizeof(name)), (long long)load,
				 r->limits.limit_mA[row]);
	}
}

void site_rig_check(struct site_rig *r)
{
	int32_t may_mA[SITE_RIG_POINTS], can_mA[SITE_RIG_POINTS];
	uint32_t i;

	for (i = 0; i < r->model.n_points; i++) {
		may_mA[i] = lease_may_draw_mA(&r->site.ledger, i, r->now_us);
		can_mA[i] = lease_hold_charge_mA(&r->car[i].hold, r->now_us);
		/* Before that the former self of the site may have promised anything. */
		if (can_mA[i] > may_mA[i] && r->now_us >= r->site.ledger.quiet_until_us)
			fail_msg("t=%.3f s p%u may draw %d mA, the ledger thinks %d", (double)r->now_us / 1e6,
				 i, can_mA[i], may_mA[i]);
	}
	check_rows(r, may_mA, "ledger");
	check_rows(r, can_mA, "cars");
}

/* --- cars -------------------------------------------------------------------------------------------------- */

static bool is_lost(struct site_rig *r)
{
	return site_rig_random(r) % 1000 < r->loss_permille;
}

static int32_t noise(struct site_rig *r, const struct rig_car *c)
{
	if (c->noise_mA == 0)
		return 0;
	return (int32_t)(site_rig_random(r) % (2 * (uint32_t)c->noise_mA + 1)) - c->noise_mA;
}

static void say(struct site_rig *r, uint32_t i, enum site_msg msg, const void *content)
{
	const struct site_point_conf *p = &r->point[i];
	struct can_frame f;

	msg_to_frame(&site_layouts[SITE_V1][msg], content, p->number, &f);
	if (!is_lost(r))
		site_bus_rx(&r->site, r->now_us, p->bus, &f, &r->out);
}

static bool is_there(const struct rig_car *c)
{
	return c->state >= SITE_POINT_REPORT_STATE_WAITING && c->state <= SITE_POINT_REPORT_STATE_FINISHED;
}

static int32_t drawn_mA(struct site_rig *r, struct rig_car *c)
{
	int32_t mA = fc_min_i32(lease_hold_charge_mA(&c->hold, r->now_us), c->appetite_mA);

	if (c->state != SITE_POINT_REPORT_STATE_WAITING && c->state != SITE_POINT_REPORT_STATE_CHARGING)
		return 0;
	return mA > 0 ? fc_max_i32(mA + noise(r, c), 0) : 0;
}

static void report(struct site_rig *r, uint32_t i)
{
	struct rig_car *c = &r->car[i];
	struct site_point_report head = {.state = c->state, .is_local = c->is_local};
	struct site_point_demand demand = {.present_mA = drawn_mA(r, c),
					   .maximum_mA = fc_max_i32(c->maximum_mA + noise(r, c), 0),
					   .minimum_mA = c->minimum_mA};
	struct site_point_session session = {.energy_wanted = c->energy_100Wh,
					     .departure = c->departure_min,
					     .plugged_for =
						     (uint16_t)((r->now_us - c->plugged_us) / 10000000),
					     .state_of_charge = 255,
					     .priority = c->priority};
	struct site_point_meter meter = {.discharge_maximum_mA = c->max_discharge_mA};

	lease_hold_followed(&c->hold, r->now_us);
	head.number = lease_hold_report(&c->hold, r->now_us, &head.ack_age, &head.ack_revision);
	head.may_draw_mA = lease_hold_may_draw_mA(&c->hold, r->now_us);
	demand.requested_mA =
		c->requested_mA >= 0 ? c->requested_mA : fc_min_i32(c->appetite_mA, c->maximum_mA);
	say(r, i, SITE_POINT_REPORT, &head);
	say(r, i, SITE_POINT_DEMAND, &demand);
	if (!is_there(c))
		return;
	say(r, i, SITE_POINT_SESSION, &session);
	say(r, i, SITE_POINT_METER, &meter);
}

void site_rig_plug(struct site_rig *r, uint32_t i)
{
	r->car[i].state = SITE_POINT_REPORT_STATE_WAITING;
	r->car[i].plugged_us = r->now_us;
}

void site_rig_unplug(struct site_rig *r, uint32_t i)
{
	r->car[i].state = SITE_POINT_REPORT_STATE_IDLE;
}

static void take_grant(struct site_rig *r, struct rig_car *c, const struct site_grant *g)
{
	if (c->is_deaf || is_lost(r))
		return;
	if (lease_hold_grant(&c->hold, r->now_us, g->number, g->revision, g->duration * LEASE_UNIT_US,
			     g->charge_current_mA, g->discharge_current_mA) != LEASE_TAKEN)
		return;
	c->n_grants++;
	c->n_changes += c->granted_mA != g->charge_current_mA;
	if (g->charge_current_mA > 0 && c->granted_mA == 0) {
		c->n_ons++;
		c->on_us = r->now_us;
	}
	c->granted_mA = g->charge_current_mA;
}

static void deliver(struct site_rig *r, unsigned bus, const struct can_frame *f)
{
	unsigned number;
	int msg = site_wire_find(f, &number);
	const struct msg_layout *l = msg >= 0 ? &site_layouts[SITE_V1][msg] : NULL;
	uint32_t i = r->site.point_of[bus][number];
	struct site_grant g;
	struct site_grant_reason why;

	r->n_frames++;
	if (msg == SITE_STATUS) {
		l->unpack(&r->status, f->data);
		r->n_status++;
	} else if (msg == SITE_ROW_LOAD) {
		r->n_rows++;
	} else if (msg == SITE_GRANT && i != UINT32_MAX) {
		l->unpack(&g, f->data);
		take_grant(r, &r->car[i], &g);
	} else if (msg == SITE_GRANT_REASON && i != UINT32_MAX) {
		l->unpack(&why, f->data);
		r->car[i].reason = why.reason;
		r->car[i].row = why.row;
	} else {
		fail_msg("a frame that nobody knows: %08X on bus %u", f->can_id, bus);
	}
}

/* --- time -------------------------------------------------------------------------------------------------- */

static void flush(struct site_rig *r)
{
	uint32_t k;

	assert_int_equal(r->out.n_dropped, 0);
	if (r->out.n > r->n_most_frames)
		r->n_most_frames = r->out.n;
	for (k = 0; k < r->out.n; k++)
		deliver(r, r->out.item[k].bus, &r->out.item[k].u.frame);
	out_queue_clear(&r->out);
	if (r->is_checked)
		site_rig_check(r);
}

void site_rig_run_ms(struct site_rig *r, int64_t ms)
{
	int64_t end_us = r->now_us + ms * FC_US_PER_MS;
	uint32_t i;

	while (r->now_us < end_us) {
		for (i = 0; i < r->model.n_points; i++) {
			lease_hold_tick(&r->car[i].hold, r->now_us);
			if (!r->car[i].hold.has_grant)
				r->car[i].granted_mA = 0;
			if (r->car[i].is_mute || r->now_us < r->car[i].report_us)
				continue;
			r->car[i].report_us += REPORT_US;
			report(r, i);
		}
		if (r->now_us >= site_ops.next_us(&r->site))
			site_ops.tick(&r->site, r->now_us, &r->out);
		flush(r);
		r->now_us += STEP_US;
	}
}

int site_rig_ask(struct site_rig *r, const char *line)
{
	int ret = site_ops.command(&r->site, r->now_us, line, r->text, sizeof(r->text), &r->out);

	flush(r);
	return ret;
}

void site_rig_limit(struct site_rig *r, uint32_t node, int32_t mA)
{
	char err[200];

	if (site_limits_set(&r->limits, SITE_LIMIT_OPERATOR, node, 0, mA, FC_NEVER, err, sizeof(err)))
		fail_msg("%s", err);
	site_limits_changed(&r->site, r->now_us, &r->out);
	flush(r);
}

int64_t site_rig_granted_mA(const struct site_rig *r)
{
	int64_t sum = 0;
	uint32_t i;

	for (i = 0; i < r->model.n_points; i++)
		sum += r->car[i].granted_mA;
	return sum;
}

/* --- a policy ---------------------------------------------------------------------------------------------- */

static int32_t fcfs_init(void *self, const struct forecourt_host *host, const struct forecourt_kv *kv,
			 uint32_t n_kv)
{
	(void)self, (void)host, (void)kv, (void)n_kv;
	return 0;
}

static int32_t fcfs_allocate(void *self, struct alloc_call *call)
{
	int64_t key[SITE_RIG_POINTS];
	uint32_t order[SITE_RIG_POINTS], i, n;
	const struct alloc_kit *kit = call->kit;

	(void)self;
	for (i = 0; i < call->n_points; i++)
		key[i] = alloc_point_at(call, i)->since_us;
	n = kit->sort(kit->ctx, key, order);
	kit->admit(kit->ctx, order, n);
	kit->fill_order(kit->ctx, order, n);
	kit->climb(kit->ctx, order, n);
	kit->finish(kit->ctx, call->grant, call->grant_stride);
	return 0;
}

const struct alloc_policy_ops rig_fcfs = {.init = fcfs_init, .allocate = fcfs_allocate};
