/* SPDX-License-Identifier: MIT */
/*
 * Limits in force: what is configured, what somebody has lowered it to for a time, and what other loads leave
 * of it. Pure.
 */
#include "site-ctrl/site_model_priv.h"

#include <errno.h>
#include <stdalign.h>
#include <string.h>

#include "site-ctrl/alloc_run.h"

#define SLOTS 4
#define POWER 3

static uint32_t n_places(const struct site_model *m)
{
	return m->n_nodes + m->n_constraints;
}

/* Sums of a node: what others draw, what they feed in, and whether a meter at or below it is silent. */
static int64_t *draw_sums(const struct site_limits *l)
{
	return l->scratch;
}

static int64_t *feed_sums(const struct site_limits *l)
{
	return l->scratch + (size_t)l->model->n_nodes * SLOTS;
}

static int64_t *stale_sums(const struct site_limits *l)
{
	return l->scratch + (size_t)l->model->n_nodes * SLOTS * 2;
}

/* Where the arrays begin in the block, one behind the other. */
struct layout {
	size_t node, limit, export_limit, safe, alarm, scratch, end;
};

static size_t behind(size_t *end, size_t n, size_t size)
{
	size_t a = alignof(max_align_t), at = *end;

	*end += (n * size + a - 1) / a * a;
	return at;
}

static struct layout lay_out(const struct site_model *m)
{
	struct layout l = {.end = 0};

	l.node = behind(&l.end, n_places(m), sizeof(struct site_node_limit));
	l.limit = behind(&l.end, m->site.n_rows, sizeof(int32_t));
	l.export_limit = behind(&l.end, m->site.n_rows, sizeof(int32_t));
	l.safe = behind(&l.end, m->site.n_rows, sizeof(int32_t));
	l.alarm = behind(&l.end, m->site.n_rows, sizeof(uint32_t));
	l.scratch = behind(&l.end, (size_t)m->n_nodes * SLOTS * 3, sizeof(int64_t));
	return l;
}

size_t site_limits_size(const struct site_model *m)
{
	return lay_out(m).end;
}

static void *at(void *block, size_t offset)
{
	return (char *)block + offset;
}

static void clear(struct site_node_limit *n, unsigned source)
{
	unsigned k;

	for (k = 0; k < SLOTS; k++)
		n->mA[source][k] = SITE_NO_LIMIT_mA;
	n->until_us[source] = FC_NEVER;
}

void site_limits_init(struct site_limits *l, const struct site_model *m, void *block)
{
	struct layout layout = lay_out(m);
	uint32_t i;
	unsigned s;
	int64_t next_us;

	l->model = m;
	memset(block, 0, layout.end);
	l->node = at(block, layout.node);
	l->limit_mA = at(block, layout.limit);
	l->export_limit_mA = at(block, layout.export_limit);
	l->safe_mA = at(block, layout.safe);
	l->alarm = at(block, layout.alarm);
	l->scratch = at(block, layout.scratch);
	for (i = 0; i < n_places(m); i++) {
		l->node[i].base_us = ALLOC_UNKNOWN;
		for (s = 0; s < SITE_N_LIMIT_SOURCES; s++)
			clear(&l->node[i], s);
	}
	for (i = 0; i < m->site.n_rows; i++)
		l->safe_mA[i] = fc_clamp_i32(
			alloc_row_mA(&m->site, i, &m->point[0].safe_mA, sizeof(m->point[0]), false), 0,
			INT32_MAX);
	/* No meter has spoken: with the worst of everything. */
	site_limits_update(l, 0, &next_us);
}

/* Which of the four limits of its place binds a row. */
static unsigned slot_of(const struct site_row_info *info)
{
	if (info->is_power)
		return POWER;
	return info->phase ? info->phase - 1u : 0;
}

/* --- other loads ---------------------------------------------------------------------------------------- */

static bool is_fresh(const struct site_node_conf *n, const struct site_node_limit *s, int64_t now_us)
{
	return n->has_meter && s->base_us != ALLOC_UNKNOWN &&
	       now_us - s->base_us <= n->meter_max_age_ms * (int64_t)FC_US_PER_MS;
}

/* Draws and feeds of every node with all below it, in mA, and their power in uW. */
static void sum_others(struct site_limits *l, int64_t now_us, int64_t *next_us)
{
	const struct site_model *m = l->model;
	uint32_t i, k;

	for (i = 0; i < m->n_nodes; i++) {
		const struct site_node_conf *n = &m->node[i];
		bool fresh = is_fresh(n, &l->node[i], now_us);
		int64_t *draw = draw_sums(l) + (size_t)i * SLOTS, *feed = feed_sums(l) + (size_t)i * SLOTS;
		int64_t *stale = stale_sums(l) + (size_t)i * SLOTS;

		for (k = 0; k < 3; k++) {
			int32_t base_mA = l->node[i].base_mA[k];

			draw[k] = fresh ? fc_max_i32(base_mA, 0) : n->base_mA[k];
			feed[k] = fresh ? fc_max_i32(-base_mA, 0) : n->feed_in_mA[k];
			stale[k] = 0;
		}
		draw[POWER] = (draw[0] + draw[1] + draw[2]) * n->voltage_mV;
		feed[POWER] = (feed[0] + feed[1] + feed[2]) * n->voltage_mV;
		stale[POWER] = n->has_meter && !fresh;
		if (fresh)
			*next_us =
				fc_min_i64(*next_us, l->node[i].base_us +
							     n->meter_max_age_ms * (int64_t)FC_US_PER_MS + 1);
	}
	site_tree_sum(m, draw_sums(l));
	site_tree_sum(m, feed_sums(l));
	site_tree_sum(m, stale_sums(l));
}

void site_limits_meter(struct site_limits *l, uint32_t node, const int32_t base_mA[3], int64_t now_us)
{
	unsigned k;

	if (node >= l->model->n_nodes)
		return;
	for (k = 0; k < 3; k++)
		l->node[node].base_mA[k] = fc_clamp_i32(base_mA[k], -SITE_MAX_mA, SITE_MAX_mA);
	l->node[node].base_us = now_us;
}

/* --- update --------------------------------------------------------------------------------------------- */

static void end_lapsed(struct site_limits *l, int64_t now_us, int64_t *next_us)
{
	uint32_t i;
	unsigned s;

	for (i = 0; i < n_places(l->model); i++) {
		struct site_node_limit *n = &l->node[i];

		for (s = 0; s < SITE_N_LIMIT_SOURCES; s++) {
			if (n->until_us[s] <= now_us)
				clear(n, s);
			*next_us = fc_min_i64(*next_us, n->until_us[s]);
		}
	}
}

/* What is left of a limit; one that is not there stays so. */
static int32_t rest_of(int32_t limit_mA, int64_t taken_mA)
{
	if (limit_mA == SITE_NO_LIMIT_mA)
		return limit_mA;
	return fc_clamp_i32(limit_mA - taken_mA, 0, INT32_MAX);
}

static bool update_row(struct site_limits *l, uint32_t r)
{
	const struct site_model *m = l->model;
	const struct site_row_info *info = &m->info[r];
	const struct site_node_limit *place = &l->node[m->site.row[r].node];
	int32_t limit_mA = info->limit_mA, was_mA = l->limit_mA[r], export_was_mA = l->export_limit_mA[r];
	int64_t draw = 0, feed = 0;
	unsigned slot = slot_of(info), s;
	uint32_t alarm = 0;

	for (s = 0; s < SITE_N_LIMIT_SOURCES; s++)
		limit_mA = fc_min_i32(limit_mA, place->mA[s][slot]);
	if (info->node != SITE_NO_NODE) {
		size_t at = (size_t)info->node * SLOTS + slot;

		draw = draw_sums(l)[at];
		feed = feed_sums(l)[at];
		if (info->is_power) {
			draw = site_power_mA(&m->node[info->node], draw);
			feed = site_power_mA(&m->node[info->node], feed);
		}
		if (stale_sums(l)[(size_t)info->node * SLOTS + POWER])
			alarm |= SITE_ALARM_METER_STALE;
	}
	if (limit_mA != SITE_NO_LIMIT_mA && limit_mA - draw < l->safe_mA[r])
		alarm |= SITE_ALARM_BELOW_SAFE;
	l->alarm[r] = alarm;
	l->limit_mA[r] = rest_of(limit_mA, draw);
	l->export_limit_mA[r] = rest_of(fc_min_i32(info->export_limit_mA, limit_mA), feed);
	return l->limit_mA[r] < was_mA || l->export_limit_mA[r] < export_was_mA;
}

bool site_limits_update(struct site_limits *l, int64_t now_us, int64_t *next_us)
{
	bool fell = false;
	uint32_t r;

	*next_us = FC_NEVER;
	end_lapsed(l, now_us, next_us);
	sum_others(l, now_us, next_us);
	for (r = 0; r < l->model->site.n_rows; r++)
		fell |= update_row(l, r);
	return fell;
}

/* --- what somebody asks for ----------------------------------------------------------------------------- */

/* Loads of a node and all below it that no meter will ever say less of. */
static void sum_fixed(struct site_limits *l)
{
	const struct site_model *m = l->model;
	int64_t *sum = draw_sums(l);
	uint32_t i, k;

	for (i = 0; i < m->n_nodes; i++) {
		const struct site_node_conf *n = &m->node[i];

		sum[i * SLOTS + POWER] = 0;
		for (k = 0; k < 3; k++) {
			sum[i * SLOTS + k] = n->has_meter ? 0 : n->base_mA[k];
			sum[i * SLOTS + POWER] += sum[i * SLOTS + k] * n->voltage_mV;
		}
	}
	site_tree_sum(m, sum);
}

static int check_row(struct site_limits *l, uint32_t r, int32_t mA, char *err, size_t err_size)
{
	const struct site_row_info *info = &l->model->info[r];
	char name[64], a[SITE_A_LEN], b[SITE_A_LEN];
	int64_t needed_mA = l->safe_mA[r];

	if (info->node != SITE_NO_NODE) {
		int64_t fixed = draw_sums(l)[(size_t)info->node * SLOTS + slot_of(info)];

		needed_mA += info->is_power ? site_power_mA(&l->model->node[info->node], fixed) : fixed;
	}
	if (mA >= needed_mA)
		return 0;
	return site_error(-ERANGE, err, err_size,
			  "%s: %s is below the %s that are drawn there without any grant",
			  site_row_name(l->model, r, name, sizeof(name)), site_text_A(mA, a),
			  site_text_A(needed_mA, b));
}

static int check_place(const struct site_limits *l, uint32_t place, unsigned phase, int32_t mA, char *err,
		       size_t err_size)
{
	const struct site_model *m = l->model;

	if (place >= n_places(m))
		return site_error(-ENOENT, err, err_size, "no such node");
	if (mA < 0)
		return site_error(-EINVAL, err, err_size, "%s: a limit is not negative",
				  site_model_place_name(m, place));
	if (phase > SITE_PHASE_POWER || (place >= m->n_nodes && phase != 0))
		return site_error(-EINVAL, err, err_size, "%s: has no such phase",
				  site_model_place_name(m, place));
	if (phase == SITE_PHASE_POWER && m->node[place].limit_W == 0)
		return site_error(-ENOENT, err, err_size,
				  "%s: has no power limit in the site's file, so none can be set",
				  site_model_place_name(m, place));
	return 0;
}

int site_limits_set(struct site_limits *l, enum site_limit_source source, uint32_t node, unsigned phase,
		    int32_t mA, int64_t until_us, char *err, size_t err_size)
{
	const struct site_model *m = l->model;
	unsigned slots = phase == 0 ? 7u : 1u << (phase - 1), k;
	int r = check_place(l, node, phase, mA, err, err_size);
	uint32_t row;

	if (r)
		return r;
	sum_fixed(l);
	for (row = m->first_row[node]; row < m->site.n_rows && m->site.row[row].node == node; row++) {
		if (!(slots >> slot_of(&m->info[row]) & 1))
			continue;
		r = check_row(l, row, mA, err, err_size);
		if (r)
			return r;
	}
	for (k = 0; k < SLOTS; k++)
		if (slots >> k & 1)
			l->node[node].mA[source][k] = mA;
	l->node[node].until_us[source] = until_us;
	return 0;
}

int site_limits_set_W(struct site_limits *l, enum site_limit_source source, uint32_t node, int32_t W,
		      int64_t until_us, char *err, size_t err_size)
{
	int32_t mA = SITE_NO_LIMIT_mA;

	if (node < l->model->n_nodes)
		mA = fc_current_at_power_mA(W, l->model->node[node].voltage_mV);
	return site_limits_set(l, source, node, SITE_PHASE_POWER, mA, until_us, err, err_size);
}

void site_limits_clear(struct site_limits *l, enum site_limit_source source, uint32_t node)
{
	if (node < n_places(l->model))
		clear(&l->node[node], source);
}
