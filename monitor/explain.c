/* SPDX-License-Identifier: MIT */
/* Finds the situation of a point and words it. Pure. */
#include "monitor/explain.h"

#include <forecourt/units.h>

#include "monitor/explain_priv.h"

static int64_t left_of(const struct explain_row *r, const struct explain_scene *c)
{
	const int64_t begin_us = c->since_us[r->since];
	int64_t left_us;

	if (!r->s.limit_ms || begin_us < 0)
		return -1;
	left_us = begin_us + (int64_t)r->s.limit_ms * FC_US_PER_MS - c->now_us;
	return left_us > 0 ? left_us : 0;
}

/* One side's table in its two parts. */
struct table {
	const struct explain_row *part[2];
	size_t n[2];
};

static struct table table_of(enum mon_side side)
{
	if (side == MON_EVSE)
		return (struct table){{explain_evse_rows, explain_evse_power_rows},
				      {explain_n_evse_rows, explain_n_evse_power_rows}};
	return (struct table){{explain_pev_rows, explain_pev_power_rows},
			      {explain_n_pev_rows, explain_n_pev_power_rows}};
}

static const struct explain_row *row_at(const struct table *t, size_t i)
{
	return i < t->n[0] ? &t->part[0][i] : &t->part[1][i - t->n[0]];
}

static const struct explain_row *find(const struct table *t, struct explain_scene *c)
{
	const size_t n = t->n[0] + t->n[1];
	size_t i;

	for (i = 0; i + 1 < n; i++) {
		const struct explain_row *r = row_at(t, i);

		if ((r->states >> c->state_bit & 1) && (!r->fits || r->fits(c)))
			break;
	}
	return row_at(t, i);
}

void explain_point(const struct mon_model *m, unsigned point, struct explain *out)
{
	const struct table t = table_of(m->cfg.side);
	struct explain_scene c;
	const struct explain_row *r;

	explain_look(m, point, &c);
	r = find(&t, &c);
	out->situation = &r->s;
	out->left_us = left_of(r, &c);
	explain_write(&c, out->left_us, r->s.waiting, out->waiting);
	explain_write(&c, out->left_us, r->s.otherwise, out->otherwise);
}

size_t explain_count(void)
{
	return explain_n_evse_rows + explain_n_evse_power_rows + explain_n_pev_rows +
	       explain_n_pev_power_rows;
}

const struct explain_situation *explain_get(size_t i)
{
	const struct table evse = table_of(MON_EVSE), pev = table_of(MON_PEV);
	const size_t n = evse.n[0] + evse.n[1];

	if (i >= explain_count())
		return NULL;
	return i < n ? &row_at(&evse, i)->s : &row_at(&pev, i - n)->s;
}
