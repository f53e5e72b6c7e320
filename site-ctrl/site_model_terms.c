/* SPDX-License-Identifier: MIT */
/*
 * Free constraints into rows: signs become directions, phases of one point are added up, and where grants are
 * only upper bounds every half plane of directions gets a row of its own (see site_model.h). Pure. Angles are
 * whole thousandths of a degree, so what lies in a half plane is decided exactly.
 */
#include "site-ctrl/site_model_priv.h"

#include <errno.h>

#define HALF_mdeg    180000
#define QUARTER_mdeg 90000

int32_t site_term_angle(const struct site_term *t)
{
	return site_angle_norm((int64_t)t->angle_mdeg + (t->coef_q16 < 0 ? HALF_mdeg : 0));
}

uint32_t site_fan_find(const struct site_fan *fan, int32_t angle_mdeg)
{
	uint32_t i;

	for (i = 0; i < fan->n_angles; i++)
		if (fan->angle_mdeg[i] == angle_mdeg)
			return i;
	return ALLOC_MAX_DIR;
}

/* Is all of `set` in `other`, and does what `other` has besides never shorten a sum? */
static bool is_covered(const struct site_fan *fan, uint32_t set, uint32_t other)
{
	uint32_t i, k;

	if ((set & other) != set)
		return false;
	for (i = 0; i < fan->n_angles; i++) {
		if (!((other & ~set) >> i & 1))
			continue;
		for (k = 0; k < fan->n_angles; k++)
			if (other >> k & 1 &&
			    site_angle_between(fan->angle_mdeg[i], fan->angle_mdeg[k]) > QUARTER_mdeg)
				return false;
	}
	return true;
}

/* Directions less than 90 degrees from `towards`, which is in half thousandths of a degree. */
static uint32_t half_plane(const struct site_fan *fan, int32_t towards_half)
{
	uint32_t i, set = 0;

	for (i = 0; i < fan->n_angles; i++) {
		int32_t d = 2 * fan->angle_mdeg[i] - towards_half;

		d = d < 0 ? -d : d;
		d = d > 2 * HALF_mdeg ? 4 * HALF_mdeg - d : d;
		if (d < 2 * QUARTER_mdeg)
			set |= UINT32_C(1) << i;
	}
	return set;
}

/* Keeps the sets that no other one covers. */
static void keep_set(struct site_fan *fan, uint32_t set)
{
	uint32_t i, n = 0;

	if (!set)
		return;
	for (i = 0; i < fan->n_sets; i++)
		if (is_covered(fan, set, fan->set[i]))
			return;
	for (i = 0; i < fan->n_sets; i++)
		if (!is_covered(fan, fan->set[i], set))
			fan->set[n++] = fan->set[i];
	fan->set[n] = set;
	fan->n_sets = n + 1;
}

static void make_sets(struct site_fan *fan)
{
	/* A half plane takes in or loses a direction where its own is at right angles to it. */
	int32_t edge[SITE_MAX_SETS];
	uint32_t n = 0, i, k;

	for (i = 0; i < 2 * fan->n_angles; i++) {
		int32_t a = site_angle_norm((int64_t)fan->angle_mdeg[i / 2] +
					    (i & 1 ? QUARTER_mdeg : -QUARTER_mdeg));

		for (k = n++; k > 0 && edge[k - 1] > a; k--)
			edge[k] = edge[k - 1];
		edge[k] = a;
	}
	for (i = 0; i < n; i++) {
		int32_t next = i + 1 < n ? edge[i + 1] : edge[0] + 2 * HALF_mdeg;

		if (next > edge[i])
			keep_set(fan, half_plane(fan, (edge[i] + next) % (4 * HALF_mdeg)));
	}
}

bool site_fan_make(const struct site_constraint_conf *c, struct site_fan *fan)
{
	uint32_t i;

	fan->n_angles = 0;
	fan->n_sets = 0;
	for (i = 0; i < c->n_terms; i++) {
		int32_t angle = site_term_angle(&c->term[i]);

		if (site_fan_find(fan, angle) != ALLOC_MAX_DIR)
			continue;
		if (fan->n_angles == ALLOC_MAX_DIR)
			return false;
		fan->angle_mdeg[fan->n_angles++] = angle;
	}
	if (c->is_drawn) {
		fan->set[0] = (UINT32_C(1) << fan->n_angles) - 1;
		fan->n_sets = 1;
	} else {
		make_sets(fan);
	}
	return true;
}

int32_t site_constraint_limit_mA(const struct site_constraint_conf *c, int64_t size_W)
{
	/* nA per kW times W is 10^-12 A. */
	int64_t mA = c->limit_mA + c->limit_nA_per_kW * size_W / INT64_C(1000000000);

	return fc_clamp_i32(mA, 0, SITE_NO_LIMIT_mA);
}

/* --- order ---------------------------------------------------------------------------------------------- */

/* By point, then line of the angle: opposite directions are one. */
static bool is_before(const struct site_item *a, const struct site_item *b)
{
	if (a->point != b->point)
		return a->point < b->point;
	return a->angle_mdeg % HALF_mdeg < b->angle_mdeg % HALF_mdeg;
}

static void sift_down(struct site_item *item, uint32_t top, uint32_t n)
{
	struct site_item moved = item[top];
	uint32_t child;

	while ((child = 2 * top + 1) < n) {
		if (child + 1 < n && is_before(&item[child], &item[child + 1]))
			child++;
		if (!is_before(&moved, &item[child]))
			break;
		item[top] = item[child];
		top = child;
	}
	item[top] = moved;
}

/* Heap sort: no memory, and n log n for any input. Files are usually in order already. */
static void sort_items(struct site_item *item, uint32_t n)
{
	uint32_t i;

	for (i = 1; i < n && !is_before(&item[i], &item[i - 1]); i++)
		;
	if (i >= n)
		return;
	for (i = n / 2; i > 0; i--)
		sift_down(item, i - 1, n);
	for (i = n - 1; i > 0; i--) {
		struct site_item last = item[i];

		item[i] = item[0];
		item[0] = last;
		sift_down(item, 0, i);
	}
}

/* The terms as sorted items with positive coefficients, one for each point and line of angle; how many. */
static uint32_t take_items(const struct site_constraint_conf *c, struct site_item *item)
{
	uint32_t i, k, n = 0;

	for (i = 0; i < c->n_terms; i++)
		item[i] = (struct site_item){c->term[i].point, site_term_angle(&c->term[i]),
					     fc_abs_i32(c->term[i].coef_q16)};
	sort_items(item, c->n_terms);
	for (i = 0; i < c->n_terms; i = k) {
		int64_t sum = item[i].coef_q16;
		int32_t angle = item[i].angle_mdeg;

		for (k = i + 1; k < c->n_terms && item[k].point == item[i].point &&
				item[k].angle_mdeg % HALF_mdeg == angle % HALF_mdeg;
		     k++)
			sum += item[k].angle_mdeg == angle ? item[k].coef_q16 : -item[k].coef_q16;
		if (sum == 0)
			continue;
		item[n].point = item[i].point;
		item[n].angle_mdeg = sum > 0 ? angle : site_angle_norm((int64_t)angle + HALF_mdeg);
		item[n++].coef_q16 = fc_clamp_i32(sum > 0 ? sum : -sum, 1, INT32_MAX);
	}
	return n;
}

/* --- rows ----------------------------------------------------------------------------------------------- */

/* The items first..end - 1 are of one point: what of them is in the set becomes one member. */
static int add_member(struct site_build *b, struct alloc_row *row, const struct site_fan *fan, uint32_t set,
		      uint32_t first, uint32_t end)
{
	struct alloc_dir dir = {0, 0};
	int64_t x = 0, y = 0;
	int32_t coef = 0;
	uint32_t i, n = 0;
	int r;

	for (i = first; i < end; i++) {
		if (!(set >> site_fan_find(fan, b->item[i].angle_mdeg) & 1))
			continue;
		dir = site_angle_dir(b->item[i].angle_mdeg);
		coef = b->item[i].coef_q16;
		x += (int64_t)coef * dir.cos_q30;
		y += (int64_t)coef * dir.sin_q30;
		n++;
	}
	if (n > 1)
		coef = site_vector_split(x, y, &dir);
	if (n == 0 || coef == 0)
		return 0;
	if (coef > SITE_MAX_COEF)
		return -ERANGE;
	r = site_build_dir(b, row, dir);
	if (r < 0)
		return r;
	b->member[b->n_members++] =
		(struct alloc_member){b->item[first].point, b->n_rows - 1, coef, (uint32_t)r};
	return 0;
}

static int build_set(struct site_build *b, uint32_t constraint, const struct site_fan *fan, uint32_t set,
		     uint32_t n_items)
{
	const struct site_constraint_conf *c = &b->m->constraint[constraint];
	struct site_row_info info = {.limit_mA = site_constraint_limit_mA(c, b->m->size_W),
				     .node = SITE_NO_NODE,
				     .constraint = constraint};
	struct alloc_row *row;
	uint32_t i, end;
	int r;

	/* A magnitude has no sign: what may flow one way may flow the other. */
	info.export_limit_mA = info.limit_mA;
	row = site_build_row(b, &info, b->m->n_nodes + constraint);
	for (i = 0; i < n_items; i = end) {
		for (end = i + 1; end < n_items && b->item[end].point == b->item[i].point; end++)
			;
		r = add_member(b, row, fan, set, i, end);
		if (r == -E2BIG)
			return site_error(r, b->err, b->err_size,
					  "constraint %s: more than %d different angles", c->name,
					  ALLOC_MAX_DIR);
		if (r)
			return site_error(r, b->err, b->err_size,
					  "constraint %s: coefficients of %s are beyond %d together", c->name,
					  b->m->point[b->item[i].point].name, SITE_MAX_COEF / ALLOC_Q16);
	}
	site_build_close(b, row);
	return 0;
}

int site_build_constraint(struct site_build *b, uint32_t constraint)
{
	const struct site_constraint_conf *c = &b->m->constraint[constraint];
	struct site_fan fan;
	uint32_t i, n_items;
	int r = 0;

	site_fan_make(c, &fan);
	n_items = take_items(c, b->item);
	for (i = 0; i < fan.n_sets && !r; i++)
		r = build_set(b, constraint, &fan, fan.set[i], n_items);
	return r;
}
