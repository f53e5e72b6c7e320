/* SPDX-License-Identifier: MIT */
/* The site's machine: memory, frames, and when what is done. Pure. */
#include "site-ctrl/site.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "site-ctrl/site_conf.h"
#include "site-ctrl/site_ctl.h"
#include "site-ctrl/site_priv.h"

/* --- memory ------------------------------------------------------------------------------------------------ */

#define ALIGN 16

/* Hands out the parts of a block; block NULL: only counts. */
struct parts {
	char *block;
	size_t used;
};

static void *take(struct parts *p, size_t size)
{
	void *at = p->block ? p->block + p->used : NULL;

	p->used += (size + ALIGN - 1) / ALIGN * ALIGN;
	return at;
}

static void cut(struct site *s, const struct site_model *m, struct parts *p, void *rows[3], void *runs[2])
{
	const struct alloc_site *site = &m->site;
	size_t n = site->n_points, n_rows = site->n_rows;
	unsigned k;

	s->slot = take(p, n * sizeof(*s->slot));
	s->lease = take(p, n * sizeof(*s->lease));
	s->want = take(p, n * sizeof(*s->want));
	s->grant = take(p, n * sizeof(*s->grant));
	s->shadow.grant = take(p, n * sizeof(*s->grant));
	s->may_draw_mA = take(p, n * sizeof(int32_t));
	s->may_feed_mA = take(p, n * sizeof(int32_t));
	s->drawn_mA = take(p, n * sizeof(int32_t));
	s->calm = take(p, n_rows * sizeof(*s->calm));
	s->calm_export = take(p, n_rows * sizeof(*s->calm));
	s->calm_mA = take(p, n_rows * sizeof(int32_t));
	s->calm_export_mA = take(p, n_rows * sizeof(int32_t));
	s->asked_mA = take(p, n_rows * sizeof(int32_t));
	s->asked_export_mA = take(p, n_rows * sizeof(int32_t));
	for (k = 0; k < 3; k++)
		rows[k] = take(p, site_rows_size(site));
	for (k = 0; k < 2; k++)
		runs[k] = take(p, alloc_run_size(site));
}

size_t site_size(const struct site_model *m)
{
	struct parts p = {NULL, 0};
	void *rows[3], *runs[2];
	struct site s;

	cut(&s, m, &p, rows, runs);
	return p.used;
}

/* --- start ------------------------------------------------------------------------------------------------- */

static int map_points(struct site *s, char *err, size_t err_size)
{
	const struct site_model *m = s->model;
	uint32_t i;

	memset(s->point_of, 0xff, sizeof(s->point_of));
	for (i = 0; i < m->n_points; i++) {
		const struct site_point_conf *p = &m->point[i];

		if (p->bus >= SITE_MAX_BUSES || p->number > SITE_WIRE_MAX_NUMBER) {
			snprintf(err, err_size, "point %s: bus %u and number %u; at most %d and %d", p->name,
				 p->bus, p->number, SITE_MAX_BUSES - 1, SITE_WIRE_MAX_NUMBER);
			return -EINVAL;
		}
		if (p->number > 0)
			s->point_of[p->bus][p->number] = i;
		s->n_buses = p->bus >= s->n_buses ? p->bus + 1u : s->n_buses;
		s->has_export = s->has_export || p->max_discharge_mA > 0;
	}
	return 0;
}

static void start_slots(struct site *s)
{
	uint32_t i;

	for (i = 0; i < s->model->n_points; i++) {
		struct site_slot *slot = &s->slot[i];

		memset(slot, 0, sizeof(*slot));
		site_wire_forget(&slot->heard);
		site_hold_reset(&slot->hold);
		slot->since_us = slot->departure_us = slot->over_us = slot->raised_us = ALLOC_UNKNOWN;
		slot->aim_row = slot->row = ALLOC_NO_ROW;
		slot->was_silent = true;
		lease_set_safe(&s->ledger, i, s->model->point[i].safe_mA);
	}
}

static void start_times(struct site *s, int64_t now_us)
{
	grid_start(&s->cycle, now_us, (int64_t)s->conf.cycle_ms * FC_US_PER_MS);
	grid_start(&s->tell, now_us, FC_US_PER_S);
	grid_start(&s->trim, now_us + SITE_CALM_PERIOD_US, SITE_CALM_PERIOD_US);
	s->early_us = s->pass_us = s->pump_us = FC_NEVER;
	s->limits_us = now_us;
	s->cycled_us = now_us - SITE_EARLY_GAP_US;
	s->turn_us = now_us;
	s->other_us = ALLOC_UNKNOWN;
	s->logged_fault_us = s->shadow.logged_us = ALLOC_UNKNOWN;
}

int site_init(struct site *s, const struct site_conf *conf, const struct site_model *model,
	      struct site_limits *limits, void *block, const struct log_sink *sink, int64_t now_us, char *err,
	      size_t err_size)
{
	const struct alloc_site *site = &model->site;
	struct parts p = {block, 0};
	void *rows[3], *runs[2];
	int ret = site_conf_check(conf, err, err_size);

	if (ret)
		return ret;
	memset(s, 0, sizeof(*s));
	s->conf = *conf;
	s->model = model;
	s->limits = limits;
	log_init(&s->log, sink, "site");
	cut(s, model, &p, rows, runs);
	memset(block, 0, p.used);
	s->n_buses = 1;
	ret = map_points(s, err, err_size);
	if (ret)
		return ret;
	site_rows_init(&s->taken, site, rows[0]);
	site_rows_init(&s->fed, site, rows[1]);
	site_rows_init(&s->aside, site, rows[2]);
	alloc_run_init(&s->run, site, runs[0]);
	alloc_run_init(&s->shadow.run, site, runs[1]);
	lease_init(&s->ledger, s->lease, site->n_points, (int64_t)conf->lease_ms * FC_US_PER_MS,
		   (int64_t)conf->reaction_ms * FC_US_PER_MS, now_us);
	lease_set_longest(&s->ledger, (int64_t)conf->longest_lease_ms * FC_US_PER_MS);
	start_slots(s);
	start_times(s, now_us);
	return 0;
}

void site_set_policy(struct site *s, const struct site_policy *policy)
{
	s->policy = policy ? *policy : (struct site_policy){.name = "none"};
	s->early_us = s->cycled_us + SITE_EARLY_GAP_US;
}

void site_set_shadow(struct site *s, const struct site_policy *policy)
{
	s->shadow_policy = policy ? *policy : (struct site_policy){.name = "none"};
	s->shadow.n_different = 0;
	s->shadow.most_mA = 0;
}

void site_set_outlook(struct site *s, const struct alloc_outlook *outlook, uint32_t n)
{
	s->outlook = outlook;
	s->n_outlook = n;
}

void site_set_conf(struct site *s, const struct site_conf *conf)
{
	const struct site_conf fixed = s->conf;

	s->conf = *conf;
	s->conf.cycle_ms = fixed.cycle_ms;
	s->conf.lease_ms = fixed.lease_ms;
	s->conf.longest_lease_ms = fixed.longest_lease_ms;
	s->conf.reaction_ms = fixed.reaction_ms;
}

/* --- frames ------------------------------------------------------------------------------------------------ */

/* A cycle before its time, but not closer to the last one than the gap. */
static void hurry(struct site *s, int64_t now_us)
{
	int64_t at_us = now_us + SITE_SETTLE_US, gap_us = s->cycled_us + SITE_EARLY_GAP_US;

	s->early_us = fc_min_i64(s->early_us, at_us > gap_us ? at_us : gap_us);
}

static void look_at_draw(struct site *s, uint32_t i, int64_t now_us)
{
	struct site_slot *slot = &s->slot[i];
	int32_t may_mA = lease_may_draw_mA(&s->ledger, i, now_us);
	int32_t drawn_mA = fc_max_i32(slot->heard.present_mA, 0);
	bool was_over = slot->is_over;

	s->drawn_mA[i] = drawn_mA;
	if (site_wants(slot) && slot->charge_mA > 0 &&
	    site_hold_draw(&slot->hold, &s->conf, now_us, slot->charge_mA, drawn_mA, slot->heard.requested_mA,
			   s->want[i].min_mA))
		hurry(s, now_us);
	/* One ampere and a twentieth are for what the two measure differently. */
	slot->n_over =
		drawn_mA > may_mA + may_mA / 20 + 1000 ? (uint8_t)(slot->n_over + (slot->n_over < 3)) : 0;
	slot->is_over = slot->n_over == 3;
	if (slot->is_over != was_over)
		log_f(&s->log, LOG_WARN, "point %s %s drawn_mA=%d may_mA=%d", s->model->point[i].name,
		      slot->is_over ? "draws more than it may" : "keeps to its current again", drawn_mA,
		      may_mA);
}

static void take_report(struct site *s, uint32_t i, int64_t now_us, const struct site_point_report *report,
			const struct lease_report *r)
{
	struct site_slot *slot = &s->slot[i];
	int32_t before_mA = lease_may_draw_mA(&s->ledger, i, now_us);
	bool did_want = site_wants(slot);

	if (!lease_report(&s->ledger, i, r, now_us)) {
		s->count.n_refused_reports++;
		return;
	}
	s->count.n_reports++;
	site_wire_report(&slot->heard, now_us, report);
	site_session(slot, now_us);
	if (did_want != site_wants(slot) || slot->was_silent)
		hurry(s, now_us);
	/* Somebody waits for what this one has given up. */
	if (s->is_waiting && lease_may_draw_mA(&s->ledger, i, now_us) < before_mA)
		s->pass_us = fc_min_i64(s->pass_us, now_us + SITE_SETTLE_US);
}

static void hear_other_site(struct site *s, int64_t now_us, const struct can_frame *f)
{
	const struct msg_layout *l = &site_layouts[SITE_V1][SITE_STATUS];
	struct site_status status;

	if (!msg_from_frame(l, &status, f, l->dlc) || status.state == SITE_STATUS_STATE_STOPPING)
		return;
	if (s->other_us == ALLOC_UNKNOWN || now_us - s->other_us > SITE_OTHER_US)
		log_f(&s->log, LOG_ERR_LEVEL,
		      "another site controls this bus too: nothing is granted while it does");
	s->other_us = now_us;
	s->count.n_other_sites++;
}

void site_bus_rx(struct site *s, int64_t now_us, unsigned bus, const struct can_frame *f,
		 struct out_queue *out)
{
	struct site_point_report report;
	struct lease_report r;
	unsigned number = 0;
	int msg = site_wire_find(f, &number);
	uint32_t i;

	(void)out; /* what follows from a frame is done by the tick of the same wake-up */
	if (msg < 0 || bus >= SITE_MAX_BUSES)
		return;
	if (msg == SITE_STATUS && number == 0) {
		hear_other_site(s, now_us, f);
		return;
	}
	i = s->point_of[bus][number];
	if (i == UINT32_MAX) {
		s->count.n_unknown_points++;
		return;
	}
	switch (site_wire_take(&s->slot[i].heard, now_us, msg, f, &report, &r)) {
	case 1:
		take_report(s, i, now_us, &report, &r);
		break;
	case 0:
		if (msg == SITE_POINT_DEMAND)
			look_at_draw(s, i, now_us);
		break;
	default:
		s->count.n_bad_frames++;
		break;
	}
}

static void rx(void *self, int64_t now_us, const struct can_frame *frame, struct out_queue *out)
{
	site_bus_rx(self, now_us, 0, frame, out);
}

bool site_send(struct site *s, struct out_queue *out, unsigned bus, const struct can_frame *f)
{
	if (out_queue_frame(out, (uint8_t)bus, f))
		return true;
	s->count.n_not_queued++;
	return false;
}

/* --- time -------------------------------------------------------------------------------------------------- */

static void run_cycle(struct site *s, int64_t now_us, bool is_renewal)
{
	site_cycle(s, now_us);
	site_plan(s, now_us, is_renewal);
	s->cycled_us = now_us;
	s->early_us = FC_NEVER;
	s->pass_us = FC_NEVER;
	s->pump_us = now_us;
}

static bool update_limits(struct site *s, int64_t now_us)
{
	return site_limits_update(s->limits, now_us, &s->limits_us);
}

void site_limits_changed(struct site *s, int64_t now_us, struct out_queue *out)
{
	if (s->is_stopping || !update_limits(s, now_us))
		return;
	s->count.n_early++;
	run_cycle(s, now_us, false);
	site_pump(s, now_us, out);
}

static void run_due(struct site *s, int64_t now_us)
{
	bool has_fallen = now_us >= s->limits_us && update_limits(s, now_us);

	s->is_trim = grid_due(&s->trim, now_us) || s->is_trim;
	if (grid_due(&s->cycle, now_us)) {
		run_cycle(s, now_us, true);
	} else if (has_fallen || now_us >= s->early_us) {
		s->count.n_early++;
		run_cycle(s, now_us, false);
	} else if (now_us >= s->pass_us) {
		s->count.n_passes++;
		site_plan(s, now_us, false);
		s->pass_us = FC_NEVER;
		s->pump_us = now_us;
	}
}

static void tick(void *self, int64_t now_us, struct out_queue *out)
{
	struct site *s = self;

	if (s->is_stopping)
		return;
	run_due(s, now_us);
	if (now_us >= s->pump_us)
		site_pump(s, now_us, out);
	if (grid_due(&s->tell, now_us))
		site_tell(s, now_us, out);
}

static int64_t next_us(const void *self)
{
	const struct site *s = self;
	int64_t at_us = fc_min_i64(s->cycle.next_us, s->tell.next_us);

	if (s->is_stopping)
		return FC_NEVER;
	at_us = fc_min_i64(at_us, s->early_us);
	at_us = fc_min_i64(at_us, s->pass_us);
	at_us = fc_min_i64(at_us, s->pump_us);
	return fc_min_i64(at_us, s->limits_us);
}

static size_t filters(const void *self, struct can_filter *f, size_t n)
{
	(void)self;
	return site_wire_filters(f, n);
}

/* Leases run out by themselves: there is nothing to wait for. */
static void stop(void *self, int64_t now_us, struct out_queue *out)
{
	struct site *s = self;

	(void)now_us;
	if (!s->is_stopping)
		site_tell_stop(s, out);
	s->is_stopping = true;
}

static bool is_stopped(const void *self)
{
	return ((const struct site *)self)->is_stopping;
}

const struct machine_ops site_ops = {
	.rx = rx,
	.tick = tick,
	.next_us = next_us,
	.filters = filters,
	.stop = stop,
	.is_stopped = is_stopped,
	.command = site_ctl_command,
};
