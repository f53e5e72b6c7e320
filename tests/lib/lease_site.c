/* SPDX-License-Identifier: MIT */
/* The real site machine in the world of the tests of leases; see lease_site.h. */
#include "tests/lib/lease_site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "site-ctrl/site_conf.h"
#include "site_msgs.h"

#define POINTS_PER_BUS 31

/* Row 0 of the world is the root, the others hang below it. */
static bool build_nodes(struct lease_site *s, const struct lease_world *w)
{
	for (uint32_t r = 0; r < w->conf.n_rows; r++) {
		struct site_node_conf n = {.parent = r == 0 ? SITE_NO_NODE : 0, .voltage_mV = 230000};

		snprintf(n.name, sizeof(n.name), "row-%u", r);
		n.limit_mA[0] = w->nominal_mA[r];
		n.limit_mA[1] = n.limit_mA[2] = SITE_NO_LIMIT_mA;
		if (site_model_add_node(&s->model, &n, s->err, sizeof(s->err)))
			return false;
	}
	return true;
}

static bool build_points(struct lease_site *s, const struct lease_world *w)
{
	for (uint32_t i = 0; i < w->conf.n_points; i++) {
		struct site_point_conf p = {.bus = (uint8_t)(i / POINTS_PER_BUS),
					    .number = (uint8_t)(i % POINTS_PER_BUS + 1),
					    .kind = SITE_AC1,
					    .phase = {1},
					    .voltage_mV = 230000,
					    .min_mA = 6000,
					    .max_mA = 64000,
					    .step_mA = 100,
					    .safe_mA = w->judge.point[i].safe_mA,
					    .weight_permille = 1000};

		snprintf(p.name, sizeof(p.name), "p%u", i);
		for (uint32_t r = 1; r < w->conf.n_rows; r++)
			if (w->point[i].rows >> r & 1)
				p.node = r;
		if (site_model_add_point(&s->model, &p, s->err, sizeof(s->err)))
			return false;
	}
	return true;
}

bool lease_site_build(struct lease_site *s, const struct lease_world *w)
{
	site_model_init(&s->model, s->node, JUDGE_MAX_ROWS, s->point, JUDGE_MAX_POINTS, NULL, 0);
	if (!build_nodes(s, w) || !build_points(s, w))
		return false;
	s->model_block = malloc(site_model_size(&s->model));
	if (site_model_compile(&s->model, s->model_block, s->err, sizeof(s->err)))
		return false;
	s->limits_block = malloc(site_limits_size(&s->model));
	s->site_block = malloc(site_size(&s->model));
	/* Nothing but the ledger keeps anybody from his share: it is the ledger that is tried. */
	site_conf_defaults(&s->conf);
	s->conf.lease_ms = (int32_t)(w->conf.lease_us / 1000);
	s->conf.longest_lease_ms = s->conf.lease_ms;
	s->conf.cycle_ms = (int32_t)(w->conf.report_us / 1000);
	s->conf.report_timeout_ms = s->conf.cycle_ms * 7 / 2;
	s->conf.ramp_mA_per_s = s->conf.min_on_ms = s->conf.min_off_ms = 0;
	s->conf.reclaim_ms = s->conf.probe_ms = s->conf.wait_max_ms = 0;
	return true;
}

void lease_site_free(struct lease_site *s)
{
	free(s->model_block);
	free(s->limits_block);
	free(s->site_block);
}

/* --- the world's calls ---------------------------------------------------------------------------------------- */

/* What was queued goes out; only grants matter to points. */
static int64_t flush(struct lease_site *s, struct lease_world *w)
{
	for (unsigned k = 0; k < s->out.n; k++) {
		const struct out_item *item = &s->out.item[k];
		const struct can_frame *f = &item->u.frame;

		if (item->kind == OUT_FRAME && site_find(SITE_V1, msg_base_id(f->can_id)) == SITE_GRANT)
			lease_world_send(w, item->bus * POINTS_PER_BUS + msg_index(f->can_id) - 1, f);
	}
	out_queue_clear(&s->out);
	return site_ops.next_us(&s->site);
}

static int64_t tick(void *self, struct lease_world *w, int64_t now_us)
{
	struct lease_site *s = self;

	site_ops.tick(&s->site, now_us, &s->out);
	return flush(s, w);
}

static int64_t limit(void *self, struct lease_world *w, unsigned row, int64_t now_us)
{
	struct lease_site *s = self;

	site_limits_set(&s->limits, SITE_LIMIT_EXTERNAL, row, 1, w->limit_mA[row], FC_NEVER, s->err,
			sizeof(s->err));
	site_limits_changed(&s->site, now_us, &s->out);
	return flush(s, w);
}

static int64_t start(void *self, struct lease_world *w, int64_t now_us)
{
	struct lease_site *s = self;

	out_queue_init(&s->out);
	site_limits_init(&s->limits, &s->model, s->limits_block);
	if (site_init(&s->site, &s->conf, &s->model, &s->limits, s->site_block, &s->sink, now_us, s->err,
		      sizeof(s->err)))
		return FC_NEVER;
	for (unsigned r = 0; r < w->conf.n_rows; r++)
		limit(s, w, r, now_us);
	return flush(s, w);
}

static int64_t frame(void *self, struct lease_world *w, unsigned point, const struct can_frame *f,
		     int64_t now_us)
{
	struct lease_site *s = self;

	site_bus_rx(&s->site, now_us, point / POINTS_PER_BUS, f, &s->out);
	return flush(s, w);
}

struct world_site lease_site_ops(struct lease_site *s)
{
	return (struct world_site){.self = s, .start = start, .frame = frame, .limit = limit, .tick = tick};
}
