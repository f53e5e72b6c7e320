/* SPDX-License-Identifier: MIT */
/*
 * The table of limits, prices and forecasts over time: what holds when. Shell. Whether a row holds is asked
 * anew each minute of the local clock, so nothing has to know when clocks change.
 */
#include "site-ctrl/load_schedule.h"

#include <string.h>
#include <time.h>

#define MINUTE_s     60
#define MAX_PERMILLE 10000

/* A minute of the wall clock as the rows see it. */
struct minute {
	int64_t wall_s;
	int weekday, of_day;
};

static struct minute minute_at(int64_t wall_s)
{
	time_t t = (time_t)wall_s;
	struct tm tm = {0};

	localtime_r(&t, &tm);
	return (struct minute){wall_s, tm.tm_wday, tm.tm_hour * 60 + tm.tm_min};
}

static bool holds(const struct load_schedule_row *r, const struct minute *m)
{
	int yesterday = (m->weekday + 6) % 7;

	if (!r->is_weekly)
		return m->wall_s >= r->from && m->wall_s < r->to;
	if (r->from < r->to)
		return r->days >> m->weekday & 1 && m->of_day >= r->from && m->of_day < r->to;
	return (r->days >> m->weekday & 1 && m->of_day >= r->from) ||
	       (r->days >> yesterday & 1 && m->of_day < r->to);
}

/* --- limits --------------------------------------------------------------------------------------------- */

static void lower(int32_t *mA, int32_t to_mA)
{
	*mA = fc_min_i32(*mA, to_mA);
}

static void find_least(struct load_schedule *s, const struct minute *now)
{
	uint32_t n = s->model->n_nodes + s->model->n_constraints, i;
	unsigned k;

	for (i = 0; i < n; i++)
		for (k = 0; k < 4; k++)
			s->least[i][k] = SITE_NO_LIMIT_mA;
	for (i = 0; i < s->n_rows; i++) {
		const struct load_schedule_row *r = &s->row[i];

		if (r->place == UINT32_MAX || !holds(r, now))
			continue;
		for (k = 0; k < 3; k++)
			if (r->phase == 0 || r->phase == k + 1)
				lower(&s->least[r->place][k], r->limit_mA);
		lower(&s->least[r->place][3], r->power_mA);
	}
}

/* A constraint has one limit, which site_limits_set() knows as phase 0. */
static int set_place(struct load_schedule *s, struct site_limits *l, uint32_t place, char *err,
		     size_t err_size)
{
	const int32_t *least = s->least[place];
	int r = 0, failed = 0;
	unsigned k;

	site_limits_clear(l, SITE_LIMIT_SCHEDULE, place);
	for (k = 0; k < 4; k++) {
		if (least[k] == SITE_NO_LIMIT_mA || (place >= s->model->n_nodes && k > 0))
			continue;
		r = site_limits_set(l, SITE_LIMIT_SCHEDULE, place, place >= s->model->n_nodes ? 0 : k + 1,
				    least[k], FC_NEVER, err, err_size);
		failed = r ? r : failed;
	}
	return failed;
}

int load_schedule_apply(struct load_schedule *s, struct site_limits *l, int64_t wall_s, int64_t *next_wall_s,
			char *err, size_t err_size)
{
	struct minute now = minute_at(wall_s);
	uint32_t n = s->model->n_nodes + s->model->n_constraints, i;
	int changed = 0, failed = 0;

	*next_wall_s = wall_s - wall_s % MINUTE_s + MINUTE_s;
	find_least(s, &now);
	for (i = 0; i < n; i++) {
		int r;

		if (memcmp(s->least[i], l->node[i].mA[SITE_LIMIT_SCHEDULE], sizeof(s->least[i])) == 0)
			continue;
		changed = 1;
		r = set_place(s, l, i, err, err_size);
		failed = r ? r : failed;
	}
	return failed ? failed : changed;
}

/* --- outlook -------------------------------------------------------------------------------------------- */

/* What a row leaves of the configured limit of its node; a phase without one has a third of the power's. */
static int32_t part_permille(const struct site_node_conf *n, const struct load_schedule_row *r)
{
	int32_t part = 1000, power_mA = fc_current_at_power_mA(n->limit_W, n->voltage_mV);
	unsigned k;

	for (k = 0; k < 3; k++) {
		int32_t whole_mA = n->limit_mA[k] == SITE_NO_LIMIT_mA ? power_mA / 3 : n->limit_mA[k];

		if ((r->phase == 0 || r->phase == k + 1) && r->limit_mA < whole_mA)
			lower(&part, (int32_t)((int64_t)r->limit_mA * 1000 / whole_mA));
	}
	if (r->power_mA < power_mA)
		lower(&part, (int32_t)((int64_t)r->power_mA * 1000 / power_mA));
	return part;
}

/* Price, and the part of the configured root limits that there is in that minute. */
static void look(const struct load_schedule *s, int64_t wall_s, int32_t *price, int32_t *permille)
{
	struct minute m = minute_at(wall_s);
	int32_t part = 1000, forecast = 1000;
	uint32_t i;

	*price = 0;
	for (i = 0; i < s->n_rows; i++) {
		const struct load_schedule_row *r = &s->row[i];

		if (!holds(r, &m))
			continue;
		if (r->has_price)
			*price = r->price;
		if (r->has_forecast)
			forecast = r->forecast_permille;
		if (r->place < s->model->n_nodes && s->model->node[r->place].parent == SITE_NO_NODE)
			lower(&part, part_permille(&s->model->node[r->place], r));
	}
	*permille = fc_clamp_i32((int64_t)part * forecast / 1000, 0, MAX_PERMILLE);
}

uint32_t load_schedule_outlook(const struct load_schedule *s, int64_t wall_s, int64_t now_us,
			       int64_t horizon_s, struct alloc_outlook *outlook, uint32_t max)
{
	int64_t t = wall_s - wall_s % MINUTE_s;
	int32_t price, permille, now_permille;
	uint32_t n = 0;

	if (!s->has_outlook)
		return 0;
	look(s, t, &price, &now_permille);
	/* Limits of the outlook are relative to those in force now. */
	now_permille = fc_max_i32(now_permille, 1);
	for (; n < max && t <= wall_s + horizon_s; t += MINUTE_s) {
		int64_t from_us = n ? now_us + (t - wall_s) * FC_US_PER_S : now_us;
		int32_t limit;

		look(s, t, &price, &permille);
		limit = fc_clamp_i32((int64_t)permille * 1000 / now_permille, 0, MAX_PERMILLE);
		if (n && outlook[n - 1].price == price && outlook[n - 1].limit_permille == limit)
			continue;
		outlook[n++] = (struct alloc_outlook){from_us, price, limit};
	}
	return n;
}
