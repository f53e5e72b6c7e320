/* SPDX-License-Identifier: MIT */
/*
 * The ledger of leases. Pure. docs/leases.md proves what is done here.
 *
 * Every rule errs towards more: what was merged or not understood counts until it is over by the clock. A report never
 * raises anything; only a grant does, and the end of what is counted needs no event.
 */
#include "site-ctrl/lease.h"

#include <errno.h>
#include <string.h>

#include <forecourt/units.h>

/* So long by our clock that it is over by anybody's. */
static int64_t surely_us(int64_t us)
{
	return us + us * LEASE_DRIFT_PERMILLE / 1000;
}

/* The longest that anything granted by anyone before now may still matter. */
static int64_t quiet_us(const struct lease_ledger *l)
{
	return surely_us(l->longest_us + l->reaction_us);
}

void lease_init(struct lease_ledger *l, struct lease_point *point, uint32_t n_points, int64_t duration_us,
		int64_t reaction_us, int64_t now_us)
{
	l->point = point;
	l->n_points = n_points;
	l->duration_us = fc_clamp_i32(duration_us / LEASE_UNIT_US, 1, LEASE_MAX_UNITS) * LEASE_UNIT_US;
	l->longest_us = LEASE_MAX_UNITS * LEASE_UNIT_US;
	l->reaction_us = reaction_us;
	l->start_us = now_us;
	l->quiet_until_us = now_us + quiet_us(l);
	memset(point, 0, n_points * sizeof(*point));
}

void lease_set_longest(struct lease_ledger *l, int64_t longest_us)
{
	l->longest_us = longest_us > l->duration_us ? longest_us : l->duration_us;
	l->quiet_until_us = l->start_us + quiet_us(l);
}

void lease_set_safe(struct lease_ledger *l, uint32_t i, int32_t safe_mA)
{
	l->point[i].safe_mA = safe_mA;
}

/* --- reports -------------------------------------------------------------------------------------------------- */

static bool is_later(uint32_t number, uint32_t than)
{
	uint32_t ahead = (number - than) & LEASE_NUMBER_MASK;

	return ahead != 0 && ahead <= LEASE_NUMBER_MASK / 2;
}

/* Forgets n grants, all of them in force or older, or none of them. */
static void drop(struct lease_point *p, unsigned from, unsigned n)
{
	p->n_grants = (uint8_t)(p->n_grants - n);
	p->n_acked = (uint8_t)(p->n_acked > n ? p->n_acked - n : 0);
	for (unsigned k = from; k < p->n_grants; k++)
		p->grant[k] = p->grant[k + n];
}

/* Later ones are never over before earlier ones: they answer later reports, and all last equally long. */
static void drop_over(struct lease_point *p, int64_t now_us)
{
	unsigned n = 0;

	while (n < p->n_grants && p->grant[n].over_us <= now_us)
		n++;
	drop(p, 0, n);
}

/*
 * grant[n] was in force when the report was sent, and what came before it was void: the draw has left that after the
 * reaction time, and is already down to what the report says.
 */
static void confirm(const struct lease_ledger *l, struct lease_point *p, unsigned n, int32_t may_draw_mA,
		    int64_t now_us)
{
	p->n_acked = (uint8_t)(n + 1);
	while (n-- > 0) {
		struct lease_sent *g = &p->grant[n];
		const struct lease_sent *in_force = &p->grant[p->n_acked - 1];

		g->over_us = fc_min_i64(g->over_us, now_us + surely_us(l->reaction_us));
		g->charge_mA = fc_min_i32(g->charge_mA, may_draw_mA);
		if (g->charge_mA <= in_force->charge_mA && g->discharge_mA <= in_force->discharge_mA)
			drop(p, n, 1);
	}
}

static void acknowledge(const struct lease_ledger *l, struct lease_point *p, const struct lease_report *r,
			int64_t now_us)
{
	uint32_t number = (r->number - r->ack_age) & LEASE_NUMBER_MASK;

	if (now_us < l->quiet_until_us) {
		/* Given by our former self, and over by the end of the quiet time. */
		p->grant[0] =
			(struct lease_sent){number, r->ack_revision, r->may_draw_mA, 0, l->quiet_until_us};
		p->n_grants = p->n_acked = 1;
		return;
	}
	/* A point never goes back: nothing before the one it was known to have is looked at. */
	for (unsigned n = p->n_acked ? p->n_acked - 1u : 0; n < p->n_grants; n++)
		if (p->grant[n].number == number && p->grant[n].revision == r->ack_revision) {
			confirm(l, p, n, r->may_draw_mA, now_us);
			return;
		}
}

bool lease_report(struct lease_ledger *l, uint32_t i, const struct lease_report *r, int64_t now_us)
{
	struct lease_point *p = &l->point[i];

	if (r->ack_age == 0 || r->may_draw_mA < 0 || r->number > LEASE_NUMBER_MASK)
		return false;
	if (p->has_report && now_us < p->report_us + quiet_us(l) && !is_later(r->number, p->number))
		return false;
	drop_over(p, now_us);
	p->has_report = true;
	p->number = r->number;
	p->report_us = now_us;
	p->revision = 0;
	if (r->ack_age != LEASE_NO_ACK)
		acknowledge(l, p, r, now_us);
	return true;
}

/* --- what may be drawn -------------------------------------------------------------------------------------------- */

int32_t lease_may_draw_mA(const struct lease_ledger *l, uint32_t i, int64_t now_us)
{
	const struct lease_point *p = &l->point[i];
	int32_t mA = p->safe_mA;

	for (unsigned n = 0; n < p->n_grants; n++)
		if (now_us < p->grant[n].over_us)
			mA = fc_max_i32(mA, p->grant[n].charge_mA);
	return mA;
}

int32_t lease_may_discharge_mA(const struct lease_ledger *l, uint32_t i, int64_t now_us)
{
	const struct lease_point *p = &l->point[i];
	int32_t mA = 0;

	for (unsigned n = 0; n < p->n_grants; n++)
		if (now_us < p->grant[n].over_us)
			mA = fc_max_i32(mA, p->grant[n].discharge_mA);
	return mA;
}

int32_t lease_would_draw_mA(const struct lease_ledger *l, uint32_t i, int32_t charge_mA, int64_t now_us)
{
	return fc_max_i32(charge_mA, lease_may_draw_mA(l, i, now_us));
}

int32_t lease_would_discharge_mA(const struct lease_ledger *l, uint32_t i, int32_t discharge_mA,
				 int64_t now_us)
{
	return fc_max_i32(discharge_mA, lease_may_discharge_mA(l, i, now_us));
}

/* NULL: none that may still be in force. */
static const struct lease_sent *newest(const struct lease_point *p, int64_t now_us)
{
	const struct lease_sent *g = p->n_grants ? &p->grant[p->n_grants - 1] : NULL;

	return g && now_us < g->over_us ? g : NULL;
}

int32_t lease_will_draw_mA(const struct lease_ledger *l, uint32_t i, int64_t now_us)
{
	const struct lease_sent *g = newest(&l->point[i], now_us);

	return fc_max_i32(l->point[i].safe_mA, g ? g->charge_mA : 0);
}

int32_t lease_will_discharge_mA(const struct lease_ledger *l, uint32_t i, int64_t now_us)
{
	const struct lease_sent *g = newest(&l->point[i], now_us);

	return g ? g->discharge_mA : 0;
}

/* --- grants ------------------------------------------------------------------------------------------------------- */

static int32_t on_wire_mA(int32_t mA)
{
	return fc_clamp_i32(mA, 0, LEASE_WIRE_MAX_mA) / LEASE_WIRE_STEP_mA * LEASE_WIRE_STEP_mA;
}

/* No room for another one: the two oldest count as the later of them, with the larger currents. */
static void merge_oldest(struct lease_point *p)
{
	p->grant[1].charge_mA = fc_max_i32(p->grant[0].charge_mA, p->grant[1].charge_mA);
	p->grant[1].discharge_mA = fc_max_i32(p->grant[0].discharge_mA, p->grant[1].discharge_mA);
	drop(p, 0, 1);
}

bool lease_can_grant(const struct lease_ledger *l, uint32_t i, int64_t now_us)
{
	const struct lease_point *p = &l->point[i];

	return p->has_report && now_us < p->report_us + l->duration_us && p->revision < LEASE_REVISIONS;
}

int lease_grant(struct lease_ledger *l, uint32_t i, int32_t charge_mA, int32_t discharge_mA, int64_t now_us,
		struct lease_sent *sent)
{
	struct lease_point *p = &l->point[i];

	if (now_us < l->quiet_until_us)
		return -EBUSY;
	if (!lease_can_grant(l, i, now_us))
		return -EAGAIN;
	drop_over(p, now_us);
	if (p->n_grants == LEASE_MAX_GRANTS)
		merge_oldest(p);
	*sent = (struct lease_sent){.number = p->number,
				    .revision = p->revision++,
				    .charge_mA = on_wire_mA(charge_mA),
				    .discharge_mA = on_wire_mA(discharge_mA),
				    .over_us = p->report_us + surely_us(l->duration_us + l->reaction_us)};
	p->grant[p->n_grants++] = *sent;
	return 0;
}

/* --- times ---------------------------------------------------------------------------------------------------------- */

static int64_t sooner(int64_t next_us, int64_t at_us, int64_t now_us)
{
	return at_us > now_us ? fc_min_i64(next_us, at_us) : next_us;
}

int64_t lease_next_us(const struct lease_ledger *l, int64_t now_us)
{
	int64_t next_us = sooner(FC_NEVER, l->quiet_until_us, now_us);

	for (uint32_t i = 0; i < l->n_points; i++)
		for (unsigned n = 0; n < l->point[i].n_grants; n++)
			next_us = sooner(next_us, l->point[i].grant[n].over_us, now_us);
	return next_us;
}

bool lease_in_force(const struct lease_ledger *l, uint32_t i, int64_t now_us, int32_t *charge_mA,
		    int64_t *until_us)
{
	const struct lease_point *p = &l->point[i];
	const struct lease_sent *g = p->n_acked ? &p->grant[p->n_acked - 1] : NULL;

	if (!g || now_us >= g->over_us - surely_us(l->reaction_us))
		return false;
	*charge_mA = g->charge_mA;
	*until_us = g->over_us - surely_us(l->reaction_us);
	return true;
}
