/* SPDX-License-Identifier: MIT */
/*
 * Writes the log of the site that the golden screens of site-monitor are made from: the real machine of
 * site-ctrl with the policy fair, and points that hold leases, in virtual time on tests/screen/site.conf.
 * Within two minutes everything happens that the screens can show. The same bytes every time.
 *
 * usage: make_site_log FOLDER
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/frame_text.h"
#include "lib/core/lease_hold.h"
#include "sim/sim_run_lot_policy.h"
#include "site-ctrl/load_conf.h"
#include "site-ctrl/policies/policies.h"
#include "site-ctrl/site.h"
#include "site-ctrl/site_conf.h"

#define S	     ((int64_t)FC_US_PER_S)
#define START_US     (1700000000 * S)
#define STEP_US	     INT64_C(20000)
#define LOG_FROM_US  (33 * S) /* a site grants nothing for 36 s after its start */
#define SITE_DIES_US (112 * S)
#define END_US	     (126 * S)
#define MAX_CARS     8
#define UNKNOWN	     65535
#define DRAW_PERCENT 97 /* of what it may: nobody draws the last tenth */

struct car {
	struct lease_hold hold;
	int64_t report_us, plugged_us;
	uint8_t state; /* enum site_point_report_state */
	bool is_mute;
	int32_t drawn_mA, feeds_mA;
	int64_t energy_mWs; /* drawn */
	int32_t wanted_Wh, soc_percent, leaves_min;
};

struct lot {
	struct site_load load;
	struct site_limits limits;
	struct site site;
	struct lot_policy policy;
	struct out_queue out;
	struct car car[MAX_CARS];
	int64_t now_us;
	bool is_fed; /* the policy takes current from a vehicle */
	void *limits_block, *site_block;
	FILE *log;
	unsigned n_frames;
};

/* --- the log ------------------------------------------------------------------------------------------- */

static void note(struct lot *lot, unsigned bus, const struct can_frame *f)
{
	char line[FRAME_LOG_LINE_MAX];

	if (lot->now_us < LOG_FROM_US)
		return;
	frame_log_write(START_US + lot->now_us, bus ? "can1" : "can0", f, line);
	fprintf(lot->log, "%s\n", line);
	lot->n_frames++;
}

/* --- points -------------------------------------------------------------------------------------------- */

static void say(struct lot *lot, uint32_t i, enum site_msg msg, const void *content)
{
	const struct site_point_conf *p = &lot->load.model.point[i];
	struct can_frame f;

	msg_to_frame(&site_layouts[SITE_V1][msg], content, p->number, &f);
	note(lot, p->bus, &f);
	if (lot->now_us < SITE_DIES_US)
		site_bus_rx(&lot->site, lot->now_us, p->bus, &f, &lot->out);
}

/* It follows what it may draw from one report to the next. */
static void draw(struct lot *lot, struct car *c)
{
	int32_t may_mA = lease_hold_charge_mA(&c->hold, lot->now_us);

	if (c->drawn_mA <= may_mA)
		lease_hold_followed(&c->hold, lot->now_us);
	c->energy_mWs += (int64_t)c->drawn_mA * 690; /* three phases of 230 V */
	if (c->state == SITE_POINT_REPORT_STATE_WAITING && may_mA > 0)
		c->state = SITE_POINT_REPORT_STATE_CHARGING;
	c->drawn_mA = c->state == SITE_POINT_REPORT_STATE_CHARGING ? may_mA / 100 * DRAW_PERCENT : 0;
	if (c->feeds_mA == 0)
		return;
	c->drawn_mA = -fc_min_i32(lease_hold_discharge_mA(&c->hold, lot->now_us), c->feeds_mA);
	c->state = c->drawn_mA < 0 ? SITE_POINT_REPORT_STATE_DISCHARGING : SITE_POINT_REPORT_STATE_CHARGING;
}

static void report_session(struct lot *lot, uint32_t i, const struct car *c)
{
	const struct site_point_conf *p = &lot->load.model.point[i];
	int64_t plugged_us = lot->now_us - c->plugged_us;
	const struct site_point_session session = {
		.energy_wanted = (uint16_t)(c->wanted_Wh / 100),
		.departure = (uint16_t)(c->leaves_min ? c->leaves_min - plugged_us / (60 * S) : UNKNOWN),
		.plugged_for = (uint16_t)(plugged_us / (10 * S)),
		.state_of_charge = (uint8_t)(c->soc_percent ? c->soc_percent : 255),
		.priority = (uint8_t)p->class};
	const struct site_point_meter meter = {.energy_session = (uint32_t)(c->energy_mWs / 36000000),
					       .discharge_maximum_mA = p->max_discharge_mA,
					       .output_voltage_mV = p->kind == SITE_DC ? 398000 : 230000};

	say(lot, i, SITE_POINT_SESSION, &session);
	say(lot, i, SITE_POINT_METER, &meter);
}

static void report(struct lot *lot, uint32_t i)
{
	const struct site_point_conf *p = &lot->load.model.point[i];
	struct car *c = &lot->car[i];
	bool is_there = c->state != SITE_POINT_REPORT_STATE_IDLE;
	struct site_point_report head = {0};
	struct site_point_demand demand = {.minimum_mA = p->min_mA};

	draw(lot, c);
	head.state = c->state;
	head.number = lease_hold_report(&c->hold, lot->now_us, &head.ack_age, &head.ack_revision);
	head.may_draw_mA = lease_hold_may_draw_mA(&c->hold, lot->now_us);
	demand.present_mA = c->drawn_mA;
	if (is_there && c->state != SITE_POINT_REPORT_STATE_FAULT)
		demand.requested_mA = demand.maximum_mA = p->max_mA;
	say(lot, i, SITE_POINT_REPORT, &head);
	say(lot, i, SITE_POINT_DEMAND, &demand);
	if (is_there)
		report_session(lot, i, c);
}

static void points(struct lot *lot)
{
	uint32_t i;

	for (i = 0; i < lot->load.model.n_points; i++) {
		struct car *c = &lot->car[i];

		lease_hold_tick(&c->hold, lot->now_us);
		if (lot->now_us < c->report_us)
			continue;
		c->report_us += S;
		if (!c->is_mute)
			report(lot, i);
	}
}

/* --- the site ------------------------------------------------------------------------------------------ */

/* The policy fair; for a while it has the DC point feed back. */
static int32_t allocate(void *ctx, struct alloc_call *call)
{
	struct lot *lot = ctx;
	uint32_t i = site_model_find_point(&lot->load.model, "fast");
	int32_t ret;

	call->arena = lot->policy.arena;
	ret = lot->policy.plug.ops.policy.allocate(lot->policy.self, call);
	if (lot->is_fed && alloc_wants(alloc_point_at(call, i)))
		*alloc_grant_at(call, i) = (struct alloc_grant){
			.mA = -15000, .reason = ALLOC_REASON_POLICY, .row = ALLOC_NO_ROW};
	return ret;
}

static void take_grant(struct lot *lot, unsigned bus, const struct can_frame *f)
{
	const struct msg_layout *l = &site_layouts[SITE_V1][SITE_GRANT];
	uint32_t i = lot->site.point_of[bus][msg_index(f->can_id)];
	struct site_grant g;

	if (site_find(SITE_V1, msg_base_id(f->can_id)) != SITE_GRANT || i == UINT32_MAX ||
	    !msg_from_frame(l, &g, f, l->dlc) || lot->car[i].is_mute)
		return;
	lease_hold_grant(&lot->car[i].hold, lot->now_us, g.number, g.revision, g.duration * 2 * S,
			 g.charge_current_mA, g.discharge_current_mA);
}

static void run(struct lot *lot, int64_t until_us)
{
	uint32_t k;

	for (; lot->now_us < until_us; lot->now_us += STEP_US) {
		points(lot);
		if (lot->now_us < SITE_DIES_US && lot->now_us >= site_ops.next_us(&lot->site))
			site_ops.tick(&lot->site, lot->now_us, &lot->out);
		for (k = 0; k < lot->out.n; k++) {
			note(lot, lot->out.item[k].bus, &lot->out.item[k].u.frame);
			take_grant(lot, lot->out.item[k].bus, &lot->out.item[k].u.frame);
		}
		out_queue_clear(&lot->out);
	}
}

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "make_site_log: %s: %s\n", what, why);
	return 1;
}

static int start(struct lot *lot)
{
	static const struct lot_policy_setup setup = {.builtin = alloc_policies};
	const struct site_policy policy = {
		.name = "fair", .code = SITE_STATUS_POLICY_FAIR, .allocate = allocate, .ctx = lot};
	const struct site_model *m = &lot->load.model;
	struct site_conf conf;
	char err[256];
	uint32_t i;

	if (site_load_conf(&lot->load, "tests/screen/site.conf", err, sizeof(err)))
		return fail("site", err);
	if (lot_policy_open(&lot->policy, "fair", &setup) || !lot_policy_arena(&lot->policy, &m->site) ||
	    m->n_points > MAX_CARS)
		return fail("policy", "cannot be opened");
	site_conf_defaults(&conf);
	conf.min_off_ms = 0; /* from charging to discharging at once */
	lot->limits_block = calloc(1, site_limits_size(m));
	lot->site_block = calloc(1, site_size(m));
	if (!lot->limits_block || !lot->site_block)
		return fail("site", "not enough memory");
	site_limits_init(&lot->limits, m, lot->limits_block);
	if (site_init(&lot->site, &conf, m, &lot->limits, lot->site_block, NULL, lot->now_us, err,
		      sizeof(err)))
		return fail("site", err);
	site_set_policy(&lot->site, &policy);
	out_queue_init(&lot->out);
	for (i = 0; i < m->n_points; i++) {
		lease_hold_init(&lot->car[i].hold, m->point[i].safe_mA, 1000 * (i + 1));
		lot->car[i].report_us = i * (S / 10);
	}
	return 0;
}

/* --- what happens -------------------------------------------------------------------------------------- */

static struct car *car(struct lot *lot, const char *name)
{
	return &lot->car[site_model_find_point(&lot->load.model, name)];
}

static void plug(struct lot *lot, const char *name, int32_t wanted_Wh, int32_t soc_percent,
		 int32_t leaves_min)
{
	struct car *c = car(lot, name);

	c->state = SITE_POINT_REPORT_STATE_WAITING;
	c->plugged_us = lot->now_us;
	c->wanted_Wh = wanted_Wh;
	c->soc_percent = soc_percent;
	c->leaves_min = leaves_min;
}

static void limit(struct lot *lot, const char *node, int32_t mA)
{
	char err[200];

	if (site_limits_set(&lot->limits, SITE_LIMIT_OPERATOR, site_model_find_place(&lot->load.model, node),
			    0, mA, FC_NEVER, err, sizeof(err)))
		fail("limit", err);
	site_limits_changed(&lot->site, lot->now_us, &lot->out);
}

static void meter(struct lot *lot, int32_t mA)
{
	const int32_t base_mA[3] = {mA, mA, mA};

	site_limits_meter(&lot->limits, 0, base_mA, lot->now_us);
	site_limits_changed(&lot->site, lot->now_us, &lot->out);
}

/* Readings of the other loads come every five seconds. */
static void run_metered(struct lot *lot, int64_t until_s, int32_t mA)
{
	while (lot->now_us < until_s * S) {
		meter(lot, mA);
		run(lot, fc_min_i64(lot->now_us + 5 * S, until_s * S));
	}
}

static void play(struct lot *lot)
{
	car(lot, "pillar-right")->is_mute = true; /* never heard */
	run_metered(lot, 39, 12000);
	plug(lot, "street-1", 18000, 0, 0);
	run_metered(lot, 44, 12000);
	plug(lot, "fast", 32000, 41, 95);
	run_metered(lot, 50, 12000);
	plug(lot, "street-2", 7400, 0, 480);
	plug(lot, "pillar-left", 5500, 0, 4000);
	run_metered(lot, 56, 12000);
	plug(lot, "garden-of-the-house-behind-wall", 11000, 0, 600);
	run_metered(lot, 66, 25000);
	car(lot, "pillar-left")->state = SITE_POINT_REPORT_STATE_FAULT;
	run_metered(lot, 72, 25000);
	car(lot, "street-2")->is_mute = true;
	run_metered(lot, 77, 20000);
	limit(lot, "street", 25000); /* less than the silent one may still take */
	run_metered(lot, 90, 20000);
	car(lot, "street-2")->is_mute = false;
	limit(lot, "street", 63000);
	run_metered(lot, 98, 20000);
	lot->is_fed = true;
	car(lot, "fast")->feeds_mA = 15000;
	run_metered(lot, SITE_DIES_US / S, 20000);
	run(lot, END_US);
}

int main(int argc, char **argv)
{
	static struct lot lot; /* large */
	char path[512];

	if (argc != 2) {
		fprintf(stderr, "usage: make_site_log FOLDER\n");
		return 2;
	}
	snprintf(path, sizeof(path), "%s/site.log", argv[1]);
	lot.log = fopen(path, "w");
	if (!lot.log || start(&lot))
		return 1;
	play(&lot);
	printf("%s: %u frames, %ld bytes\n", path, lot.n_frames, ftell(lot.log));
	lot_policy_close(&lot.policy);
	site_load_free(&lot.load);
	free(lot.limits_block);
	free(lot.site_block);
	return fclose(lot.log) != 0;
}
