/* SPDX-License-Identifier: MIT */
/*
 * Over a horizon: everybody's energy by his departure at the least cost, within limits that change. Pure.
 *
 * The outlook's steps are slots with a price and a capacity for each row (root rows scaled by the step's
 * limit, less a reserve for those who will come and the share of those who said nothing). Earliest departure
 * first, each takes what he needs out of the cheapest slots before he leaves, the earlier of equal ones
 * first. Who has something in the present slot is served now: at least the current that makes it by the end
 * of the slot, more where there is room, for a slot has one price. The others wait for a cheaper one. So the
 * plan is made anew in each cycle and no more than its first slot is ever carried out. Who cannot get all he
 * needs is served whenever it is possible.
 *
 * Feeding back: who may is sold in the dearest slots in which he does not charge, as far as it can be bought
 * back later, before he leaves, in slots that he has left over, at a gain after losses.
 *
 * Who did not say until when or how much is served at once, like `fair`.
 */
#include <errno.h>
#include <string.h>

#include "site-ctrl/policies/policies.h"
#include "site-ctrl/policies/policy_arena.h"
#include "site-ctrl/policies/policy_laxity.h"
#include "site-ctrl/policies/policy_option.h"

#define MAX_SLOTS  96
#define HORIZON_US (7 * 24 * POLICY_US_PER_HOUR)
#define S_PER_HOUR 3600
#define PERMILLE   1000
#define LINES_Q16 \
	75674 /* 2/sqrt(3): what a row of three directions carries of a plain sum, when they are balanced */
#define HALF_WORTH_US (120 * POLICY_US_PER_MIN)
#define MAX_WEIGHT    1000000 /* permille */
#define MAX_GAIN      1000000
#define MAX_mA	      (INT32_C(1) << 26)

struct plan {
	int64_t reserve_permille; /* of each limit, in later slots */
	int64_t loss_permille;	  /* of energy, there and back */
	int64_t least_gain;	  /* price of a unit of energy fed back */
};

static const struct plan defaults = {.reserve_permille = 100, .loss_permille = 150, .least_gain = 0};

struct slot {
	int64_t from_us;
	int64_t length_s;
	int32_t price;
	int32_t limit_permille;
};

/* Charge is current times time, in mA s. */
struct work {
	const struct plan *conf;
	const struct alloc_call *call;
	struct policy_arena a;
	struct slot slot[MAX_SLOTS];
	uint32_t n_slots, by_price[MAX_SLOTS]; /* cheap ones first, then early ones */
	bool is_short;			       /* somebody does not get all he needs */
	bool has_unknown;
	int64_t *left;	 /* of each row and slot */
	int64_t *charge; /* of each point and slot: planned */
};

static uint64_t arena_size(const void *self, const struct alloc_site *site)
{
	uint64_t own = policy_arena_size(self, site);

	return (own + 7) / 8 * 8 + ((uint64_t)site->n_rows + site->n_points) * MAX_SLOTS * sizeof(int64_t);
}

static bool is_known(const struct alloc_point *p)
{
	return alloc_wants(p) && p->departure_us != ALLOC_UNKNOWN && p->energy_mWh != ALLOC_UNKNOWN;
}

/* --- the slots ------------------------------------------------------------------------------------------ */

static const struct alloc_outlook *outlook_at(const struct alloc_call *c, uint32_t i)
{
	return (const struct alloc_outlook *)(const void *)((const char *)c->outlook +
							    (size_t)i * c->outlook_stride);
}

static void sort_by_price(struct work *w)
{
	uint32_t s, j;

	for (s = 0; s < w->n_slots; s++) {
		for (j = s; j > 0 && w->slot[w->by_price[j - 1]].price > w->slot[s].price; j--)
			w->by_price[j] = w->by_price[j - 1];
		w->by_price[j] = s;
	}
}

/* The present step, then those to come, up to the last departure that counts. */
static void make_slots(struct work *w)
{
	const struct alloc_call *c = w->call;
	int64_t end_us = c->now_us + POLICY_US_PER_HOUR, next_us;
	uint32_t i, s;

	for (i = 0; i < c->n_points; i++) {
		const struct alloc_point *p = alloc_point_at(c, i);

		if (is_known(p) && p->departure_us > end_us)
			end_us = fc_min_i64(p->departure_us, c->now_us + HORIZON_US);
	}
	w->slot[0] = (struct slot){.from_us = c->now_us, .limit_permille = PERMILLE};
	w->n_slots = 1;
	for (i = 0; i < c->n_outlook; i++) {
		const struct alloc_outlook *o = outlook_at(c, i);

		if (o->from_us <= c->now_us) {
			w->slot[0].price = o->price;
		} else if (o->from_us < end_us && w->n_slots < MAX_SLOTS &&
			   o->from_us > w->slot[w->n_slots - 1].from_us) {
			w->slot[w->n_slots++] =
				(struct slot){.from_us = o->from_us,
					      .price = o->price,
					      .limit_permille = fc_clamp_i32(o->limit_permille, 0, 100000)};
		}
	}
	for (s = 0; s < w->n_slots; s++) {
		next_us = s + 1 < w->n_slots ? w->slot[s + 1].from_us : end_us;
		w->slot[s].length_s = (next_us - w->slot[s].from_us) / FC_US_PER_S;
		if (w->slot[s].length_s < 1)
			w->slot[s].length_s = 1;
	}
	sort_by_price(w);
}

/* The row belongs to the topmost node of one of its points. */
static bool is_root(const struct alloc_site *site, uint32_t row)
{
	uint32_t point, last;

	if (site->row[row].n_members == 0)
		return true;
	point = site->member[site->row[row].first_member].point;
	last = site->of_point[site->first_of[point + 1] - 1];
	return site->row[row].node == site->row[site->member[last].row].node;
}

/*
 * What a row has in all slots for those who said what they want: the share of their number, less the reserve.
 */
static void set_row(struct work *w, uint32_t r)
{
	const struct alloc_site *site = w->call->site;
	const struct alloc_row *row = &site->row[r];
	int64_t n_known = 0, n_all = 0, mA = w->call->limit_mA[r], limit;
	uint32_t m, s;
	bool is_scaled = is_root(site, r);

	for (m = row->first_member; m < row->first_member + row->n_members; m++) {
		const struct alloc_point *p = alloc_point_at(w->call, site->member[m].point);

		n_all += alloc_wants(p);
		n_known += is_known(p);
	}
	if (row->n_dirs > 1)
		mA = mA * LINES_Q16 / ALLOC_Q16;
	for (s = 0; s < w->n_slots; s++) {
		limit = n_all > 0 ? mA * n_known / n_all : mA;
		if (s > 0)
			limit = limit * (PERMILLE - w->conf->reserve_permille) / PERMILLE;
		if (is_scaled)
			limit = limit * w->slot[s].limit_permille / PERMILLE;
		w->left[(size_t)r * MAX_SLOTS + s] = limit * w->slot[s].length_s;
	}
}

/* --- planning ------------------------------------------------------------------------------------------- */

static int64_t *charge_of(const struct work *w, uint32_t i)
{
	return w->charge + (size_t)i * MAX_SLOTS;
}

/* How much of slot s is before the departure of point i. */
static int64_t usable_s(const struct work *w, uint32_t i, uint32_t s)
{
	int64_t until_us = alloc_point_at(w->call, i)->departure_us - w->slot[s].from_us;

	return until_us <= 0 ? 0 : fc_min_i64(w->slot[s].length_s, until_us / FC_US_PER_S);
}

/* left / coefficient, where that can be said in 64 bits. */
static int64_t members_share(int64_t left, int32_t coef_q16)
{
	if (left <= 0)
		return 0;
	if (left / coef_q16 >= INT64_MAX / ALLOC_Q16 - 1)
		return INT64_MAX;
	return left / coef_q16 * ALLOC_Q16 + left % coef_q16 * ALLOC_Q16 / coef_q16;
}

/* Plans up to `want` more for point i in slot s; returns how much. */
static int64_t take(struct work *w, uint32_t i, uint32_t s, int64_t want)
{
	const struct alloc_site *site = w->call->site;
	const struct alloc_point *p = alloc_point_at(w->call, i);
	int64_t most = fc_min_i32(p->max_mA, MAX_mA) * usable_s(w, i, s) - charge_of(w, i)[s];
	uint32_t k;

	if (most > want)
		most = want;
	for (k = site->first_of[i]; k < site->first_of[i + 1] && most > 0; k++) {
		const struct alloc_member *m = &site->member[site->of_point[k]];

		most = fc_min_i64(most, members_share(w->left[(size_t)m->row * MAX_SLOTS + s], m->coef_q16));
	}
	if (most <= 0)
		return 0;
	for (k = site->first_of[i]; k < site->first_of[i + 1]; k++) {
		const struct alloc_member *m = &site->member[site->of_point[k]];

		/* Factored, for the product of both may need more than 64 bits. */
		w->left[(size_t)m->row * MAX_SLOTS + s] -=
			most / ALLOC_Q16 * m->coef_q16 + most % ALLOC_Q16 * m->coef_q16 / ALLOC_Q16;
	}
	charge_of(w, i)[s] += most;
	return most;
}

/* What point i still needs; returns what could not be planned, 0 for less than a thousandth. */
static int64_t plan_need(struct work *w, uint32_t i)
{
	const struct alloc_point *p = alloc_point_at(w->call, i);
	int64_t all = fc_min_i64(p->energy_mWh, POLICY_MAX_mWh) * S_PER_HOUR /
		      (p->mW_per_mA > 0 ? p->mW_per_mA : 1);
	int64_t need = all > 0 ? all : 1;
	uint32_t at;

	for (at = 0; at < w->n_slots && need > 0; at++)
		need -= take(w, i, w->by_price[at], need);
	return need > all / PERMILLE ? need : 0;
}

/* Sells `sold` of slot s as far as it can be bought back behind it at a gain; returns how much. */
static int64_t buy_back(struct work *w, uint32_t i, uint32_t s, int64_t sold)
{
	int64_t income = (int64_t)w->slot[s].price * (PERMILLE - w->conf->loss_permille), bought = 0;
	uint32_t at;

	for (at = 0; at < w->n_slots && bought < sold; at++) {
		uint32_t b = w->by_price[at];

		if (income - (int64_t)w->slot[b].price * PERMILLE <= w->conf->least_gain * PERMILLE)
			break;
		if (b > s)
			bought += take(w, i, b, sold - bought);
	}
	return bought;
}

/* What point i feeds back now, mA: the dearest slots sell first. */
static int32_t plan_sale_mA(struct work *w, uint32_t i)
{
	const struct alloc_point *p = alloc_point_at(w->call, i);
	uint32_t at;

	for (at = w->n_slots; at-- > 0;) {
		uint32_t s = w->by_price[at];
		int64_t most = (int64_t)fc_min_i32(p->max_discharge_mA, MAX_mA) * usable_s(w, i, s), sold;

		if (most <= 0 || charge_of(w, i)[s] > 0)
			continue;
		sold = buy_back(w, i, s, most);
		if (s == 0)
			return (int32_t)(sold / w->slot[0].length_s);
	}
	return 0;
}

/* --- this cycle ----------------------------------------------------------------------------------------- */

/*
 * Who has something in the first slot, or will not get all he needs, may charge now, and begins with what he
 * must have.
 */
static void serve(struct work *w, uint32_t i)
{
	const struct alloc_point *p = alloc_point_at(w->call, i);
	const struct alloc_kit *kit = w->call->kit;
	int64_t unmet = plan_need(w, i), now_mA = charge_of(w, i)[0] / w->slot[0].length_s;

	w->is_short = w->is_short || unmet > 0;
	w->a.offset_mA[i] = unmet > 0 ? p->max_mA : now_mA;
	if (charge_of(w, i)[0] == 0 && unmet <= 0)
		kit->cap(kit->ctx, i, 0);
}

/* Feeds back what the plan sells now. */
static void sell(struct work *w, uint32_t n)
{
	const struct alloc_call *c = w->call;
	uint32_t at;

	for (at = 0; at < n && c->export_limit_mA; at++) {
		uint32_t i = w->a.order[at];
		const struct alloc_point *p = alloc_point_at(c, i);
		int32_t sale_mA;

		if (!is_known(p) || p->max_discharge_mA <= 0 || charge_of(w, i)[0] > 0 ||
		    w->a.offset_mA[i] > 0)
			continue;
		sale_mA = plan_sale_mA(w, i);
		if (sale_mA > 0)
			c->kit->set(c->kit->ctx, i, -sale_mA);
	}
}

/* There is not enough for all: the most that can be delivered, as `ready` does it. */
static uint32_t share_shortage(struct work *w)
{
	const struct alloc_call *c = w->call;
	uint32_t i;

	for (i = 0; i < c->n_points; i++) {
		const struct alloc_point *p = alloc_point_at(c, i);

		w->a.weight[i] = policy_worth(p, c->now_us, HALF_WORTH_US) *
				 fc_min_i32(p->weight_permille, MAX_WEIGHT) / PERMILLE;
		if (p->state == ALLOC_CHARGING)
			w->a.weight[i] += w->a.weight[i] / 10; /* no taking turns */
		w->a.key[i] = -w->a.weight[i];
	}
	c->kit->fill_price(c->kit->ctx, w->a.weight);
	return c->kit->sort(c->kit->ctx, w->a.key, w->a.order);
}

/* There is: to each what he must have now, and the rest to all alike who may charge now. */
static void share_plenty(struct work *w, uint32_t n)
{
	const struct alloc_call *c = w->call;
	const struct alloc_kit *kit = c->kit;
	uint32_t at;

	for (at = 0; at < n; at++) {
		uint32_t i = w->a.order[at];
		const struct alloc_point *p = alloc_point_at(c, i);

		if (is_known(p) && charge_of(w, i)[0] > 0)
			kit->set(kit->ctx, i, fc_max_i32(p->min_mA, (int32_t)w->a.offset_mA[i]));
	}
	for (at = 0; at < c->n_points; at++)
		w->a.weight[at] = alloc_point_at(c, at)->weight_permille;
	kit->admit(kit->ctx, w->a.order, n);
	kit->fill_level(kit->ctx, w->a.weight, NULL);
}

static int32_t allocate(void *self, struct alloc_call *call)
{
	struct work w = {.conf = self ? self : &defaults, .call = call, .a = policy_arena_of(call)};
	uint64_t own = (policy_arena_size(NULL, call->site) + 7) / 8;
	uint32_t i, r, n;

	w.left = (int64_t *)call->arena + own;
	w.charge = w.left + (size_t)call->site->n_rows * MAX_SLOTS;
	make_slots(&w);
	for (r = 0; r < call->site->n_rows; r++)
		set_row(&w, r);
	for (i = 0; i < call->n_points; i++) {
		memset(charge_of(&w, i), 0, w.n_slots * sizeof(*w.charge));
		w.a.key[i] =
			policy_key_by_time(alloc_point_at(call, i), alloc_point_at(call, i)->departure_us);
	}
	n = call->kit->sort(call->kit->ctx, w.a.key, w.a.order);
	for (i = 0; i < n; i++) {
		if (is_known(alloc_point_at(call, w.a.order[i])))
			serve(&w, w.a.order[i]);
		else
			w.has_unknown = true;
	}
	sell(&w, n);
	if (w.is_short && !w.has_unknown)
		n = share_shortage(&w);
	else
		share_plenty(&w, n);
	call->kit->climb(call->kit->ctx, w.a.order, n);
	call->kit->finish(call->kit->ctx, call->grant, call->grant_stride);
	if (w.n_slots > 1)
		call->again_us = w.slot[1].from_us;
	return 0;
}

static int32_t init(void *self, const struct forecourt_host *host, const struct forecourt_kv *kv,
		    uint32_t n_kv)
{
	struct plan *r = self;

	*r = defaults;
	for (uint32_t i = 0; i < n_kv; i++) {
		bool is_good = true;

		if (policy_option_is(&kv[i], "reserve_permille"))
			is_good = policy_number(host, &kv[i], 0, PERMILLE, &r->reserve_permille);
		else if (policy_option_is(&kv[i], "loss_permille"))
			is_good = policy_number(host, &kv[i], 0, PERMILLE, &r->loss_permille);
		else if (policy_option_is(&kv[i], "least_gain"))
			is_good = policy_number(host, &kv[i], 0, MAX_GAIN, &r->least_gain);
		if (!is_good)
			return -EINVAL;
	}
	return 0;
}

static const struct forecourt_option options[] = {
	{"reserve_permille", "permille", "100", "of each limit left free in later slots, 0..1000"},
	{"loss_permille", "permille", "150", "of energy fed back and bought again, 0..1000"},
	{"least_gain", "", "0", "price per unit of energy that feeding back must gain, after losses"},
};

static const struct alloc_policy_ops ops = {
	.init = init,
	.arena_size = arena_size,
	.allocate = allocate,
};

const struct forecourt_plugin policy_plan = {
	.magic = FORECOURT_PLUGIN_MAGIC,
	.abi_major = FORECOURT_ABI_MAJOR,
	.abi_minor = FORECOURT_ABI_MINOR,
	.record_size = sizeof(struct forecourt_plugin),
	.kind = FORECOURT_KIND_ALLOC_POLICY,
	.name = "plan",
	.version = FORECOURT_VERSION,
	.ops = &ops,
	.ops_size = sizeof(ops),
	.state_size = sizeof(struct plan),
	.options = options,
	.n_options = sizeof(options) / sizeof(options[0]),
	.option_stride = sizeof(options[0]),
};
