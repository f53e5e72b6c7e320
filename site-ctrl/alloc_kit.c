/* SPDX-License-Identifier: MIT */
/*
 * The kit's memory, its beginning and end in a cycle, and its table for policies. Pure.
 */
#include "site-ctrl/alloc_kit.h"

#include <string.h>

#include "site-ctrl/alloc_kit_level.h"
#include "site-ctrl/alloc_price.h"

static uint32_t count_slots(const struct alloc_site *site)
{
	uint32_t n = 0;

	for (uint32_t r = 0; r < site->n_rows; r++)
		if (site->row[r].n_dirs > 1)
			n += site->row[r].n_dirs;
	return n;
}

static void lay_out(struct alloc_kit_state *k, const struct alloc_site *site, struct kit_cutter *c)
{
	size_t points = site->n_points, rows = site->n_rows;
	struct kit_level none;
	struct alloc_price no_price;

	k->point = alloc_kit_cut(c, points, sizeof(*k->point));
	k->flags = alloc_kit_cut(c, points, sizeof(*k->flags));
	k->blocked = alloc_kit_cut(c, points, sizeof(*k->blocked));
	k->member = alloc_kit_cut(c, site->n_members, sizeof(*k->member));
	k->first_slot = alloc_kit_cut(c, rows, sizeof(*k->first_slot));
	for (unsigned d = 0; d < 2; d++) {
		struct kit_side *s = &k->side[d];

		s->limit_q16 = alloc_kit_cut(c, rows, sizeof(*s->limit_q16));
		s->room_q16 = alloc_kit_cut(c, rows, sizeof(*s->room_q16));
		s->vector = alloc_kit_cut(c, k->n_slots ? rows : 0, sizeof(*s->vector));
		s->sum_q16 = alloc_kit_cut(c, k->n_slots, sizeof(*s->sum_q16));
		k->sort[d] = alloc_kit_cut(c, points, sizeof(*k->sort[d]));
	}
	k->list = alloc_kit_cut(c, points, sizeof(*k->list));
	k->order = alloc_kit_cut(c, points, sizeof(*k->order));
	k->gain_mA = alloc_kit_cut(c, points, sizeof(*k->gain_mA));
	k->aim_mA = alloc_kit_cut(c, points, sizeof(*k->aim_mA));
	for (unsigned i = 0; i < 4; i++)
		k->wide[i] = alloc_kit_cut(c, points, sizeof(*k->wide[i]));
	for (unsigned i = 0; i < 2; i++)
		k->row_wide[i] = alloc_kit_cut(c, rows, sizeof(*k->row_wide[i]));
	k->level = alloc_kit_cut(c, 1, sizeof(*k->level));
	alloc_kit_level_lay_out(k->level ? k->level : &none, site, k->n_slots, c);
	k->price = alloc_kit_cut(c, 1, sizeof(*k->price));
	alloc_price_lay_out(k->price ? k->price : &no_price, site, c);
}

size_t alloc_kit_size(const struct alloc_site *site)
{
	struct alloc_kit_state k = {.n_slots = count_slots(site)};
	struct kit_cutter c = {.block = NULL};

	alloc_kit_cut(&c, 1, sizeof(k));
	lay_out(&k, site, &c);
	return c.used;
}

static void copy_members(struct alloc_kit_state *k)
{
	const struct alloc_site *site = k->site;
	uint32_t slot = 0;

	for (uint32_t r = 0; r < k->n_rows; r++) {
		bool is_phasor = site->row[r].n_dirs > 1;

		k->first_slot[r] = is_phasor ? slot : KIT_PLAIN;
		slot += is_phasor ? site->row[r].n_dirs : 0;
	}
	for (uint32_t m = 0; m < k->n_members; m++) {
		const struct alloc_member *from = &site->member[site->of_point[m]];
		uint32_t first = k->first_slot[from->row];

		k->member[m] = (struct kit_member){
			.row = from->row,
			.slot = first == KIT_PLAIN ? KIT_PLAIN : first + from->dir,
			.coef_q16 = from->coef_q16,
			.dir = site->row[from->row].first_dir + from->dir,
		};
	}
}

struct alloc_kit_state *alloc_kit_init(const struct alloc_site *site, void *block)
{
	struct kit_cutter c = {.block = block};
	struct alloc_kit_state *k = alloc_kit_cut(&c, 1, sizeof(*k));

	memset(k, 0, sizeof(*k));
	k->site = site;
	k->n_points = site->n_points;
	k->n_rows = site->n_rows;
	k->n_members = site->n_members;
	k->n_slots = count_slots(site);
	k->has_phasors = k->n_slots > 0;
	k->first_of = site->first_of;
	lay_out(k, site, &c);
	copy_members(k);
	return k;
}

static void begin_side(struct alloc_kit_state *k, unsigned d, const int32_t *limit_mA)
{
	struct kit_side *s = &k->side[d];

	for (uint32_t r = 0; r < k->n_rows; r++)
		s->room_q16[r] = s->limit_q16[r] = (int64_t)fc_max_i32(limit_mA[r], 0) * ALLOC_Q16;
	if (k->has_phasors) {
		memset(s->vector, 0, k->n_rows * sizeof(*s->vector));
		memset(s->sum_q16, 0, k->n_slots * sizeof(*s->sum_q16));
	}
}

/* Bounds in whole steps; what nobody could get between them becomes a maximum of 0. */
void alloc_kit_bounds(const struct alloc_point *p, int32_t cap_mA, struct kit_point *out)
{
	uint32_t step = p->step_mA > 1 ? (uint32_t)p->step_mA : 1;
	uint32_t low = p->min_mA > 0 ? (uint32_t)p->min_mA : 0;
	uint32_t high = (uint32_t)fc_max_i32(fc_min_i32(p->max_mA, cap_mA), 0);

	if (step > 1) {
		low = (low + step - 1) / step * step;
		high -= high % step;
	}
	out->step_mA = (int32_t)step;
	out->min_mA = low <= INT32_MAX ? (int32_t)low : INT32_MAX;
	out->max_mA = high >= low ? (int32_t)high : 0;
}

void alloc_kit_begin(struct alloc_kit_state *k, const struct alloc_call *call)
{
	k->call = call;
	k->is_lowered = k->is_cut_short = false;
	k->n_work = k->n_points + k->n_rows;
	k->can_export = call->export_limit_mA != NULL;
	begin_side(k, KIT_IMPORT, call->limit_mA);
	if (k->can_export)
		begin_side(k, KIT_EXPORT, call->export_limit_mA);
	for (uint32_t i = 0; i < k->n_points; i++) {
		const struct alloc_point *p = alloc_point_at(call, i);
		bool wants = alloc_wants(p);

		k->flags[i] = wants ? KIT_WANTS : 0;
		k->blocked[i] = ALLOC_NO_ROW;
		k->point[i].mA = 0;
		if (wants)
			alloc_kit_bounds(p, INT32_MAX, &k->point[i]);
		else
			k->point[i] = (struct kit_point){.step_mA = p->step_mA > 1 ? p->step_mA : 1};
	}
}

/* --- the end ----------------------------------------------------------------------------------------------- */

/* Why point i has no more than it has. */
static enum alloc_reason reason_of(const struct alloc_kit_state *k, uint32_t i, uint32_t *row)
{
	const struct kit_point *p = &k->point[i];
	int32_t more = p->mA > 0 || p->min_mA == 0 ? p->step_mA : p->min_mA;

	*row = ALLOC_NO_ROW;
	if (p->mA < 0)
		return ALLOC_REASON_POLICY;
	if (!(k->flags[i] & KIT_WANTS))
		return ALLOC_REASON_NONE;
	if (p->mA >= p->max_mA)
		return k->flags[i] & KIT_CAPPED ? ALLOC_REASON_POLICY : ALLOC_REASON_MAXIMUM;
	if (k->blocked[i] != ALLOC_NO_ROW && !k->is_lowered)
		*row = k->blocked[i];
	else
		alloc_kit_room_mA(k, i, more, row);
	if (*row == ALLOC_NO_ROW)
		return ALLOC_REASON_POLICY;
	return p->mA == 0 && p->min_mA > 0 ? ALLOC_REASON_WAITING : ALLOC_REASON_ROW;
}

void alloc_kit_finish(struct alloc_kit_state *k, struct alloc_grant *grant, uint32_t stride)
{
	size_t size = stride < sizeof(*grant) ? stride : sizeof(*grant);

	for (uint32_t i = 0; i < k->n_points; i++) {
		struct alloc_grant g = {.mA = k->point[i].mA};

		g.reason = (int32_t)reason_of(k, i, &g.row);
		memcpy((char *)grant + (size_t)i * stride, &g, size);
	}
}

/* --- the table: what a policy passes is looked at before it is used ------------------------------------------- */

static uint32_t limit_n(const struct alloc_kit_state *k, uint32_t n)
{
	return n < k->n_points ? n : k->n_points;
}

static uint32_t call_sort(void *ctx, const int64_t *key, uint32_t *order)
{
	return order ? alloc_kit_sort(ctx, key, order) : 0;
}

static void call_admit(void *ctx, const uint32_t *order, uint32_t n)
{
	if (order)
		alloc_kit_admit(ctx, order, limit_n(ctx, n));
}

static void call_fill_order(void *ctx, const uint32_t *order, uint32_t n)
{
	if (order)
		alloc_kit_fill_order(ctx, order, limit_n(ctx, n));
}

static void call_fill_level(void *ctx, const int64_t *weight, const int64_t *offset_mA)
{
	alloc_kit_fill_level(ctx, weight, offset_mA);
}

static void call_fill_price(void *ctx, const int64_t *worth)
{
	if (worth)
		alloc_kit_fill_price(ctx, worth);
}

static void call_fill_price_steady(void *ctx, const int64_t *worth, int32_t hold_permille)
{
	if (worth)
		alloc_kit_fill_price_steady(ctx, worth, hold_permille);
}

static void call_climb(void *ctx, const uint32_t *order, uint32_t n)
{
	if (order)
		alloc_kit_climb(ctx, order, limit_n(ctx, n));
}

static int32_t call_most(void *ctx, uint32_t i)
{
	struct alloc_kit_state *k = ctx;

	return i < k->n_points ? alloc_kit_most(k, i) : 0;
}

static int32_t call_get(void *ctx, uint32_t i)
{
	const struct alloc_kit_state *k = ctx;

	return i < k->n_points ? k->point[i].mA : 0;
}

static int32_t call_set(void *ctx, uint32_t i, int32_t mA)
{
	struct alloc_kit_state *k = ctx;

	return i < k->n_points ? alloc_kit_set(k, i, mA) : 0;
}

static void call_cap(void *ctx, uint32_t i, int32_t max_mA)
{
	struct alloc_kit_state *k = ctx;

	if (i < k->n_points)
		alloc_kit_cap(k, i, max_mA);
}

static void call_finish(void *ctx, struct alloc_grant *grant, uint32_t stride)
{
	if (grant)
		alloc_kit_finish(ctx, grant, stride);
}

void alloc_kit_table(struct alloc_kit_state *k, struct alloc_kit *kit)
{
	*kit = (struct alloc_kit){
		.size = sizeof(*kit),
		.ctx = k,
		.sort = call_sort,
		.admit = call_admit,
		.fill_order = call_fill_order,
		.fill_level = call_fill_level,
		.fill_price = call_fill_price,
		.climb = call_climb,
		.most = call_most,
		.get = call_get,
		.set = call_set,
		.cap = call_cap,
		.finish = call_finish,
		.fill_price_steady = call_fill_price_steady,
	};
}
