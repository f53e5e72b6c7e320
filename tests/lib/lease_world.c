/* SPDX-License-Identifier: MIT */
/* A site in virtual time for the tests of leases; see lease_world.h. */
#include "tests/lib/lease_world.h"

#include <stdio.h>
#include <string.h>

#include "site_msgs.h"

#define SLOT_SHIFT 15
#define NO_EVENT   UINT32_MAX
#define SAFE_mA	   6000

enum { TO_SITE, TO_POINT, REPORT, LAPSE, TICK, POINT_STARTS, POINT_DIES, SITE_STARTS, SITE_DIES, LIMIT };

uint64_t lease_world_random(struct lease_world *w, uint64_t n)
{
	w->random ^= w->random >> 12;
	w->random ^= w->random << 25;
	w->random ^= w->random >> 27;
	return (w->random * UINT64_C(2685821657736338717) >> 11) % n;
}

static int64_t up_to(struct lease_world *w, int64_t us)
{
	return (int64_t)lease_world_random(w, (uint64_t)us + 1);
}

static bool is_chance(struct lease_world *w, int32_t permille)
{
	return (int64_t)lease_world_random(w, 1000) < permille;
}

/* --- clocks --------------------------------------------------------------------------------------------------- */

static void set_clock(struct lease_world *w, struct world_clock *c)
{
	c->true_us = w->now_us;
	c->own_us = up_to(w, INT64_C(1) << 40);
	c->ppm = (int32_t)(up_to(w, 2 * w->conf.drift_ppm) - w->conf.drift_ppm);
}

static int64_t own_us(const struct lease_world *w, const struct world_clock *c)
{
	int64_t d = w->now_us - c->true_us;

	return c->own_us + d + d / 1000000 * c->ppm + d % 1000000 * c->ppm / 1000000;
}

/* The first true time at which the clock shows at least that. */
static int64_t true_us(const struct lease_world *w, const struct world_clock *c, int64_t own)
{
	int64_t d = own - own_us(w, c);

	return w->now_us + (d <= 0 ? 0 : d * 1000000 / (1000000 + c->ppm) + 2);
}

/* --- events ----------------------------------------------------------------------------------------------------- */

static void put(struct lease_world *w, uint32_t e)
{
	int64_t at_us = w->event[e].at_us, last_us = w->slot_us + ((int64_t)(WORLD_SLOTS - 1) << SLOT_SHIFT);
	uint32_t *link;

	/* Too far away: into the last slot, and again when that comes. */
	if (at_us > last_us)
		at_us = last_us;
	link = &w->slot[at_us >> SLOT_SHIFT & (WORLD_SLOTS - 1)];
	while (*link != NO_EVENT && w->event[*link].at_us <= w->event[e].at_us)
		link = &w->event[*link].next;
	w->event[e].next = *link;
	*link = e;
}

static struct world_event *add(struct lease_world *w, int kind, unsigned point, uint32_t process,
			       int64_t at_us)
{
	uint32_t e = w->free;

	if (e == NO_EVENT) {
		w->judge.n_overflows++;
		return NULL;
	}
	w->free = w->event[e].next;
	w->event[e].at_us = at_us < w->now_us ? w->now_us : at_us;
	w->event[e].kind = (uint8_t)kind;
	w->event[e].point = (uint8_t)point;
	w->event[e].process = process;
	put(w, e);
	return &w->event[e];
}

/* Index of the next event at or before until_us, unlinked, or NO_EVENT. */
static uint32_t take_next(struct lease_world *w, int64_t until_us)
{
	for (;;) {
		uint32_t *link = &w->slot[w->slot_us >> SLOT_SHIFT & (WORLD_SLOTS - 1)], e = *link;
		int64_t end_us = w->slot_us + (INT64_C(1) << SLOT_SHIFT);

		if (e != NO_EVENT && w->event[e].at_us < end_us) {
			if (w->event[e].at_us > until_us)
				return NO_EVENT;
			*link = w->event[e].next;
			return e;
		}
		if (end_us > until_us)
			return NO_EVENT;
		/* What is left here lies further on. */
		*link = NO_EVENT;
		w->slot_us = end_us;
		while (e != NO_EVENT) {
			uint32_t next = w->event[e].next;

			put(w, e);
			e = next;
		}
	}
}

/* --- network ---------------------------------------------------------------------------------------------------- */

static void carry(struct lease_world *w, int kind, unsigned point, const struct can_frame *f)
{
	struct world_event *e;

	if (is_chance(w, w->conf.loss_permille)) {
		w->n_lost++;
		return;
	}
	do {
		e = add(w, kind, point, 0, w->now_us + up_to(w, w->conf.max_delay_us));
		if (e)
			e->frame = *f;
	} while (is_chance(w, w->conf.double_permille));
}

void lease_world_send(struct lease_world *w, unsigned point, const struct can_frame *f)
{
	carry(w, TO_POINT, point, f);
}

/* --- vehicles ----------------------------------------------------------------------------------------------------- */

static void note(struct lease_world *w, const char *what, unsigned i, int64_t value, int64_t limit)
{
	if (!w->n_draw_faults++)
		snprintf(w->fault, sizeof(w->fault), "%s: number %u value_mA=%lld limit_mA=%lld at_us=%lld",
			 what, i, (long long)value, (long long)limit, (long long)w->now_us);
}

static int32_t larger(int32_t a, int32_t b)
{
	return a > b ? a : b;
}

static int32_t draw_mA(const struct lease_world *w, const struct world_draw *d)
{
	int32_t mA = d->told_mA;

	for (unsigned k = 0; k < 8; k++)
		if (w->now_us < d->past_until_us[k])
			mA = larger(mA, d->past_mA[k]);
	return mA;
}

/* The vehicle hears something else: upwards it follows at once, downwards as late as it may. */
static void tell(struct lease_world *w, struct world_draw *d, int32_t mA, int64_t lag_us)
{
	if (mA < d->told_mA) {
		d->past_mA[d->n_past % 8] = d->told_mA;
		d->past_until_us[d->n_past++ % 8] = w->now_us + lag_us;
	}
	d->told_mA = mA;
}

static void check_draw(struct lease_world *w, unsigned i)
{
	int32_t mA = draw_mA(w, &w->point[i].charge), back_mA = draw_mA(w, &w->point[i].discharge);
	int32_t may_mA = lease_judge_may_draw_mA(&w->judge, i, w->now_us);
	int32_t may_back_mA = lease_judge_may_discharge_mA(&w->judge, i, w->now_us);

	if (mA > may_mA)
		note(w, "drawn more than the judge allows: point", i, mA, may_mA);
	if (back_mA > may_back_mA)
		note(w, "discharged more than the judge allows: point", i, back_mA, may_back_mA);
	for (unsigned r = 0; r < w->conf.n_rows; r++) {
		int64_t sum_mA = 0;

		if (!(w->point[i].rows >> r & 1))
			continue;
		for (unsigned k = 0; k < w->conf.n_points; k++)
			if (w->point[k].rows >> r & 1)
				sum_mA += draw_mA(w, &w->point[k].charge);
		if (sum_mA > lease_judge_allowed_mA(&w->judge, r, w->now_us))
			note(w, "row over its limit: row", r, sum_mA,
			     lease_judge_allowed_mA(&w->judge, r, w->now_us));
	}
}

/* --- points ------------------------------------------------------------------------------------------------------- */

static void tell_from_hold(struct lease_world *w, unsigned i, int64_t own)
{
	struct world_point *p = &w->point[i];

	tell(w, &p->charge, lease_hold_charge_mA(&p->hold, own), p->lag_us);
	tell(w, &p->discharge, lease_hold_discharge_mA(&p->hold, own), p->lag_us);
}

static void point_demands(struct lease_world *w, unsigned i)
{
	struct world_point *p = &w->point[i];
	struct site_point_demand d = {.minimum_mA = SAFE_mA};
	struct can_frame f;

	if (lease_world_random(w, 40) == 0)
		p->want_mA = lease_world_random(w, 4) ? 10000 + (int32_t)lease_world_random(w, 50000) : 0;
	d.requested_mA = d.maximum_mA = p->want_mA;
	d.present_mA = p->want_mA / 2;
	msg_to_frame(&site_layouts[SITE_V1][SITE_POINT_DEMAND], &d, i % 31 + 1, &f);
	carry(w, TO_SITE, i, &f);
}

static void point_reports(struct lease_world *w, unsigned i)
{
	struct world_point *p = &w->point[i];
	struct site_point_report r = {.state = p->want_mA > 0 ? SITE_POINT_REPORT_STATE_CHARGING
							      : SITE_POINT_REPORT_STATE_IDLE};
	int64_t own = own_us(w, &p->clock), wait_us = w->conf.report_us;
	struct can_frame f;

	/* A setpoint that its source enforces: known to be met when it is. */
	if (w->conf.has_draw && p->lag_us < 1000000 && draw_mA(w, &p->charge) == p->charge.told_mA)
		lease_hold_followed(&p->hold, own);
	r.number = lease_hold_report(&p->hold, own, &r.ack_age, &r.ack_revision);
	r.may_draw_mA = lease_hold_may_draw_mA(&p->hold, own);
	msg_to_frame(&site_layouts[SITE_V1][SITE_POINT_REPORT], &r, i % 31 + 1, &f);
	lease_judge_frame(&w->judge, i, &f, w->now_us);
	carry(w, TO_SITE, i, &f);
	if (w->conf.has_demand)
		point_demands(w, i);
	w->drawn_mAs += lease_hold_charge_mA(&p->hold, own) * (w->conf.report_us / 1000) / 1000;
	/* Now and then something has changed. */
	if (is_chance(w, 30))
		wait_us = LEASE_HOLD_MIN_GAP_US * 102 / 100 + up_to(w, wait_us / 2);
	add(w, REPORT, i, p->process, true_us(w, &p->clock, own + wait_us));
}

static void point_hears(struct lease_world *w, unsigned i, const struct can_frame *f)
{
	struct world_point *p = &w->point[i];
	int64_t own = own_us(w, &p->clock);
	struct site_grant g;

	lease_judge_frame(&w->judge, i, f, w->now_us);
	if (site_find(SITE_V1, msg_base_id(f->can_id)) != SITE_GRANT ||
	    !msg_from_frame(&site_layouts[SITE_V1][SITE_GRANT], &g, f, 8))
		return;
	if (lease_hold_grant(&p->hold, own, g.number, g.revision, INT64_C(2000000) * g.duration,
			     g.charge_current_mA, g.discharge_current_mA) != LEASE_TAKEN)
		return;
	w->n_taken++;
	if (!w->conf.has_draw)
		return;
	tell_from_hold(w, i, own);
	add(w, LAPSE, i, p->process, true_us(w, &p->clock, lease_hold_next_us(&p->hold)));
}

static void point_starts(struct lease_world *w, unsigned i)
{
	struct world_point *p = &w->point[i];
	if (w->conf.has_reboots && p->process && is_chance(w, 125)) {
		/* Half of them look old to the site. None comes near numbers that frames under way may answer. */
		p->boot_base += 200 + (uint32_t)lease_world_random(w, LEASE_HOLD_NUMBER_MASK - (1u << 20));
		w->n_reboots++;
	}
	p->process++;
	p->is_up = true;
	w->n_point_starts++;
	set_clock(w, &p->clock);
	lease_hold_init(&p->hold, SAFE_mA, lease_hold_first_number(p->boot_base, w->now_us));
	if (w->conf.has_draw)
		tell_from_hold(w, i, own_us(w, &p->clock));
	add(w, REPORT, i, p->process,
	    w->now_us + LEASE_HOLD_MIN_GAP_US * 102 / 100 + up_to(w, w->conf.report_us));
	if (w->conf.point_dies_us)
		add(w, POINT_DIES, i, p->process, w->now_us + up_to(w, 2 * w->conf.point_dies_us));
}

/* --- the rest ------------------------------------------------------------------------------------------------------- */

/* next_us by the site's clock. */
static void wake_site(struct lease_world *w, int64_t next_us)
{
	int64_t at_us = true_us(w, &w->site_clock, next_us);

	if (at_us >= w->wake_us)
		return;
	w->wake_us = at_us;
	add(w, TICK, 0, w->site_process, at_us);
}

static void site_starts(struct lease_world *w)
{
	w->site_process++;
	w->is_site_up = true;
	w->n_site_starts++;
	set_clock(w, &w->site_clock);
	w->wake_us = INT64_MAX;
	wake_site(w, w->site.start(w->site.self, w, own_us(w, &w->site_clock)));
	if (w->conf.site_dies_us)
		add(w, SITE_DIES, 0, w->site_process, w->now_us + up_to(w, 2 * w->conf.site_dies_us));
}

static void change_limit(struct lease_world *w)
{
	unsigned r = (unsigned)lease_world_random(w, w->conf.n_rows);
	int32_t mA = w->lowest_mA[r] + (int32_t)up_to(w, w->nominal_mA[r] - w->lowest_mA[r]);

	if (is_chance(w, 300))
		mA = w->nominal_mA[r];
	if (mA < w->limit_mA[r])
		w->n_limit_falls++;
	w->limit_mA[r] = mA;
	lease_judge_limit(&w->judge, r, mA, w->now_us);
	if (w->is_site_up)
		wake_site(w, w->site.limit(w->site.self, w, r, own_us(w, &w->site_clock)));
	add(w, LIMIT, 0, 0, w->now_us + up_to(w, 2 * w->conf.limit_us));
}

static void happen(struct lease_world *w, const struct world_event *e)
{
	struct world_point *p = &w->point[e->point];
	bool is_point_alive = p->is_up && e->process == p->process;
	bool is_site_alive = w->is_site_up && e->process == w->site_process;

	switch (e->kind) {
	case TO_SITE:
		if (w->is_site_up)
			wake_site(w, w->site.frame(w->site.self, w, e->point, &e->frame,
						   own_us(w, &w->site_clock)));
		break;
	case TO_POINT:
		if (p->is_up)
			point_hears(w, e->point, &e->frame);
		break;
	case REPORT:
		if (is_point_alive)
			point_reports(w, e->point);
		break;
	case LAPSE: /* of a dead process too: its power source lets go by itself */
		if (e->process == p->process)
			tell_from_hold(w, e->point, own_us(w, &p->clock));
		break;
	case TICK: /* others were put off: it was called sooner */
		if (!is_site_alive || e->at_us != w->wake_us)
			break;
		w->wake_us = INT64_MAX;
		wake_site(w, w->site.tick(w->site.self, w, own_us(w, &w->site_clock)));
		break;
	case POINT_STARTS:
		point_starts(w, e->point);
		break;
	case POINT_DIES:
		p->is_up = p->is_up && !is_point_alive;
		if (!p->is_up)
			add(w, POINT_STARTS, e->point, 0, w->now_us + up_to(w, w->conf.max_down_us));
		break;
	case SITE_STARTS:
		site_starts(w);
		break;
	case SITE_DIES:
		w->is_site_up = false;
		add(w, SITE_STARTS, 0, 0, w->now_us + up_to(w, w->conf.max_down_us));
		break;
	default:
		change_limit(w);
		break;
	}
}

void lease_world_run(struct lease_world *w, int64_t until_us, uint64_t max_events)
{
	while (w->n_events < max_events) {
		uint32_t e = take_next(w, until_us);
		struct world_event event;

		if (e == NO_EVENT) {
			w->now_us = until_us;
			return;
		}
		event = w->event[e];
		w->event[e].next = w->free;
		w->free = e;
		w->now_us = event.at_us;
		w->n_events++;
		w->n_delivered += event.kind <= TO_POINT;
		happen(w, &event);
		if (w->conf.has_draw) {
			check_draw(w, event.point);
			check_draw(w, (unsigned)lease_world_random(w, w->conf.n_points));
		}
	}
}

static void lay_out(struct lease_world *w)
{
	unsigned n = w->conf.n_points, n_groups = w->conf.n_rows - 1;

	for (unsigned r = 0; r < w->conf.n_rows; r++) {
		int32_t share = (int32_t)(r == 0 || n_groups == 0 ? n : (n + n_groups - 1) / n_groups);

		w->lowest_mA[r] = share * SAFE_mA;
		/* A third of what all would like, so that there is always something to take from somebody. */
		w->nominal_mA[r] = w->limit_mA[r] = share * (r == 0 ? 16000 : 22000);
		w->export_mA[r] = share * 4000;
		lease_judge_add_row(&w->judge, w->limit_mA[r], w->export_mA[r]);
	}
	for (unsigned i = 0; i < n; i++) {
		struct world_point *p = &w->point[i];

		p->rows = 1;
		/* The numbers wrap within the first minutes. */
		p->boot_base = LEASE_HOLD_NUMBER_MASK - (uint32_t)lease_world_random(w, 2000);
		if (n_groups)
			p->rows |= UINT64_C(1) << (1 + i % n_groups);
		/* Power modules that follow at once, and vehicles that take their time. */
		p->lag_us = i % 2 ? up_to(w, 200000) : 5000000 - up_to(w, 1000000) * (i % 4 / 2);
		p->charge.told_mA = SAFE_mA;
		lease_judge_add_point(&w->judge, SAFE_mA, p->rows);
		add(w, POINT_STARTS, i, 0, up_to(w, 5000000));
	}
}

void lease_world_init(struct lease_world *w, const struct world_conf *conf, const struct world_site *site)
{
	memset(w, 0, sizeof(*w));
	w->conf = *conf;
	w->site = *site;
	w->random = conf->seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	for (uint32_t e = 0; e < WORLD_MAX_EVENTS; e++)
		w->event[e].next = e + 1 < WORLD_MAX_EVENTS ? e + 1 : NO_EVENT;
	for (unsigned s = 0; s < WORLD_SLOTS; s++)
		w->slot[s] = NO_EVENT;
	lease_judge_init(&w->judge, conf->lease_us, 5000000);
	lay_out(w);
	add(w, SITE_STARTS, 0, 0, up_to(w, 5000000));
	if (conf->limit_us)
		add(w, LIMIT, 0, 0, up_to(w, 2 * conf->limit_us));
}
