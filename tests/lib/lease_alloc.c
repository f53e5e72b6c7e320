/* SPDX-License-Identifier: MIT */
/* A small site for the tests of leases; see lease_alloc.h. */
#include "tests/lib/lease_alloc.h"

#include <string.h>

#include "site_msgs.h"

#define CYCLE_US INT64_C(1000000)

static int32_t larger(int32_t a, int32_t b)
{
	return a > b ? a : b;
}

static int32_t smaller(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

/* Least room of the rows of a point when each carries sum_mA. */
static int32_t least_room_mA(const struct lease_world *w, unsigned i, const int32_t *limit_mA,
			     const int64_t *sum_mA)
{
	int64_t room = INT32_MAX;

	for (unsigned r = 0; r < w->conf.n_rows; r++)
		if (w->point[i].rows >> r & 1 && limit_mA[r] - sum_mA[r] < room)
			room = limit_mA[r] - sum_mA[r];
	return (int32_t)room;
}

static void add_to_rows(const struct lease_world *w, unsigned i, int32_t mA, int64_t *sum_mA)
{
	for (unsigned r = 0; r < w->conf.n_rows; r++)
		if (w->point[i].rows >> r & 1)
			sum_mA[r] += mA;
}

/* First come first served from a changing first one: fits every row as lease.h asks for. */
static void make_aim(struct lease_alloc *a, const struct lease_world *w, int64_t now_us, int32_t *aim_mA,
		     int32_t *back_mA)
{
	int64_t sum_mA[JUDGE_MAX_ROWS] = {0}, sum_back_mA[JUDGE_MAX_ROWS] = {0};

	for (unsigned i = 0; i < w->conf.n_points; i++) {
		bool can = lease_can_grant(&a->ledger, i, now_us);

		add_to_rows(w, i, can ? a->point[i].safe_mA : lease_may_draw_mA(&a->ledger, i, now_us),
			    sum_mA);
		add_to_rows(w, i, can ? 0 : lease_may_discharge_mA(&a->ledger, i, now_us), sum_back_mA);
		aim_mA[i] = back_mA[i] = 0;
	}
	for (unsigned k = 0; k < w->conf.n_points; k++) {
		unsigned i = (a->first + k) % w->conf.n_points;
		int32_t room_mA = least_room_mA(w, i, w->limit_mA, sum_mA);

		if (!lease_can_grant(&a->ledger, i, now_us))
			continue;
		aim_mA[i] = smaller(a->want_mA[i], a->point[i].safe_mA + larger(room_mA, 0));
		add_to_rows(w, i, larger(aim_mA[i] - a->point[i].safe_mA, 0), sum_mA);
		back_mA[i] = smaller(a->want_back_mA[i],
				     larger(least_room_mA(w, i, w->export_mA, sum_back_mA), 0));
		add_to_rows(w, i, back_mA[i], sum_back_mA);
	}
}

static void change_wants(struct lease_alloc *a, struct lease_world *w)
{
	if (lease_world_random(w, 20) == 0)
		a->first = (unsigned)lease_world_random(w, w->conf.n_points);
	for (unsigned i = 0; i < w->conf.n_points; i++) {
		if (lease_world_random(w, 30) == 0)
			a->want_mA[i] =
				(int32_t)(lease_world_random(w, 3) ? lease_world_random(w, 64000) : 0);
		if (lease_world_random(w, 60) == 0)
			a->want_back_mA[i] =
				(int32_t)(lease_world_random(w, 4) ? 0 : lease_world_random(w, 30000));
	}
}

static void send_grant(struct lease_alloc *a, struct lease_world *w, unsigned i, int32_t mA, int32_t back_mA,
		       int64_t now_us)
{
	struct lease_sent sent;
	struct site_grant g;
	struct can_frame f;

	if (lease_grant(&a->ledger, i, mA, back_mA, now_us, &sent)) {
		a->n_refused++;
		return;
	}
	g = (struct site_grant){.number = sent.number,
				.revision = sent.revision,
				.duration = (uint8_t)(a->ledger.duration_us / LEASE_UNIT_US + a->lie_units),
				.charge_current_mA = sent.charge_mA,
				.discharge_current_mA = sent.discharge_mA};
	msg_to_frame(&site_layouts[SITE_V1][SITE_GRANT], &g, i % 31 + 1, &f);
	lease_world_send(w, i, &f);
}

/* The sums of U, and whether they are within what was asked long enough ago. */
static void add_up(struct lease_alloc *a, const struct lease_world *w, int64_t now_us, int64_t *sum_mA,
		   int64_t *sum_back_mA)
{
	memset(sum_mA, 0, JUDGE_MAX_ROWS * sizeof(*sum_mA));
	memset(sum_back_mA, 0, JUDGE_MAX_ROWS * sizeof(*sum_back_mA));
	for (unsigned i = 0; i < w->conf.n_points; i++) {
		add_to_rows(w, i, lease_may_draw_mA(&a->ledger, i, now_us), sum_mA);
		add_to_rows(w, i, lease_may_discharge_mA(&a->ledger, i, now_us), sum_back_mA);
	}
	for (unsigned r = 0; r < w->conf.n_rows; r++)
		a->n_over += (sum_mA[r] > w->limit_mA[r] && now_us >= a->met_from_us[r]) ||
			     sum_back_mA[r] > w->export_mA[r];
}

/* lease.h, "what may be granted": the lesser of aim and what it has anyway, more as far as the sum of U allows. */
static void grant_all(struct lease_alloc *a, struct lease_world *w, bool is_lowering, int64_t now_us)
{
	int32_t aim_mA[JUDGE_MAX_POINTS], back_mA[JUDGE_MAX_POINTS];
	int64_t sum_mA[JUDGE_MAX_ROWS], sum_back_mA[JUDGE_MAX_ROWS];

	if (now_us < a->ledger.quiet_until_us)
		return;
	make_aim(a, w, now_us, aim_mA, back_mA);
	add_up(a, w, now_us, sum_mA, sum_back_mA);
	for (unsigned i = 0; i < w->conf.n_points; i++) {
		const struct lease_ledger *l = &a->ledger;
		int32_t will_mA = lease_will_draw_mA(l, i, now_us),
			will_back_mA = lease_will_discharge_mA(l, i, now_us);
		int32_t may_mA = lease_may_draw_mA(l, i, now_us),
			may_back_mA = lease_may_discharge_mA(l, i, now_us);
		int32_t room_mA = least_room_mA(w, i, w->limit_mA, sum_mA);
		int32_t room_back_mA = least_room_mA(w, i, w->export_mA, sum_back_mA);
		int32_t mA = room_mA < 0 ? will_mA : may_mA + room_mA;
		int32_t to_mA = smaller(aim_mA[i], larger(mA, will_mA));
		int32_t back_to_mA =
			smaller(back_mA[i], room_back_mA < 0 ? will_back_mA : may_back_mA + room_back_mA);

		if (is_lowering && to_mA >= will_mA)
			continue;
		send_grant(a, w, i, to_mA, back_to_mA, now_us);
		add_to_rows(w, i, lease_may_draw_mA(l, i, now_us) - may_mA, sum_mA);
		add_to_rows(w, i, lease_may_discharge_mA(l, i, now_us) - may_back_mA, sum_back_mA);
	}
}

static int64_t start(void *self, struct lease_world *w, int64_t now_us)
{
	struct lease_alloc *a = self;

	lease_init(&a->ledger, a->point, w->conf.n_points, a->lease_us, LEASE_REACTION_US, now_us);
	/* The shortest quiet time that is allowed. */
	lease_set_longest(&a->ledger, a->lease_us);
	for (unsigned i = 0; i < w->conf.n_points; i++)
		lease_set_safe(&a->ledger, i, w->judge.point[i].safe_mA);
	memcpy(a->known_mA, w->limit_mA, sizeof(a->known_mA));
	memset(a->met_from_us, 0, sizeof(a->met_from_us));
	for (unsigned r = 0; r < w->conf.n_rows; r++)
		a->met_from_us[r] = a->ledger.quiet_until_us;
	return a->next_us = now_us;
}

static int64_t frame(void *self, struct lease_world *w, unsigned i, const struct can_frame *f, int64_t now_us)
{
	struct lease_alloc *a = self;
	struct site_point_report r;

	(void)w;
	if (site_find(SITE_V1, msg_base_id(f->can_id)) == SITE_POINT_REPORT &&
	    msg_from_frame(&site_layouts[SITE_V1][SITE_POINT_REPORT], &r, f, 8))
		lease_report(&a->ledger, i,
			     &(struct lease_report){r.number, r.ack_age, r.ack_revision, r.may_draw_mA},
			     now_us);
	return a->next_us;
}

static int64_t limit(void *self, struct lease_world *w, unsigned row, int64_t now_us)
{
	struct lease_alloc *a = self;

	if (w->limit_mA[row] < a->known_mA[row]) {
		/* By our clock, and with the ledger's margins. */
		a->met_from_us[row] = now_us + (a->ledger.duration_us + a->ledger.reaction_us) * 1025 / 1000;
		grant_all(a, w, true, now_us);
	}
	a->known_mA[row] = w->limit_mA[row];
	return a->next_us;
}

static int64_t tick(void *self, struct lease_world *w, int64_t now_us)
{
	struct lease_alloc *a = self;

	change_wants(a, w);
	grant_all(a, w, false, now_us);
	return a->next_us = now_us + CYCLE_US;
}

void lease_alloc_init(struct lease_alloc *a, int64_t lease_us, struct world_site *site)
{
	memset(a, 0, sizeof(*a));
	a->lease_us = lease_us;
	*site = (struct world_site){.self = a, .start = start, .frame = frame, .limit = limit, .tick = tick};
}
