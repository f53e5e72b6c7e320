/* SPDX-License-Identifier: MIT */
/*
 * Describing a site: every node, point and constraint is checked as it is added, and found again by its name.
 * Pure.
 */
#include "site-ctrl/site_model_priv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NO_LINK UINT32_MAX
/* A point at another voltage than its node would carry another current there. */
#define VOLTAGE_TOLERANCE_PERMILLE 200
#define SQRT3_PPM		   1732051
#define MAX_WEIGHT_PERMILLE	   1000000
#define MAX_CLASS		   1000

const char *site_text_A(int64_t mA, char text[SITE_A_LEN])
{
	uint64_t size = mA < 0 ? (uint64_t)-mA : (uint64_t)mA;

	snprintf(text, SITE_A_LEN, "%s%u.%03u A", mA < 0 ? "-" : "",
		 (unsigned)(size / 1000 < UINT32_MAX ? size / 1000 : UINT32_MAX), (unsigned)(size % 1000));
	return text;
}

int site_error(int error, char *err, size_t err_size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err, err_size, format, args);
	va_end(args);
	return error;
}

/* --- names ---------------------------------------------------------------------------------------------- */

/* FNV-1a, with the low bits spread so that "P001", "P002" do not make a list of the tree. */
static uint32_t hash_name(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	h ^= h >> 16;
	h *= 0x85ebca6bu;
	h ^= h >> 13;
	h *= 0xc2b2ae35u;
	return h ^ h >> 16;
}

/* An array of structs that have a name and a link. */
struct names {
	char *base;
	size_t stride, name_at, link_at;
	uint32_t n;
};

static struct site_name_link *link_of(const struct names *t, uint32_t i)
{
	return (struct site_name_link *)(void *)(t->base + i * t->stride + t->link_at);
}

static const char *name_of(const struct names *t, uint32_t i)
{
	return t->base + i * t->stride + t->name_at;
}

/* Index of a name, or UINT32_MAX and in *slot where it would hang (NULL: the array is empty). */
static uint32_t look_up(const struct names *t, const char *name, uint32_t hash, uint32_t **slot)
{
	uint32_t i = t->n ? 0 : NO_LINK;

	*slot = NULL;
	while (i != NO_LINK) {
		struct site_name_link *link = link_of(t, i);

		if (link->hash == hash && strcmp(name_of(t, i), name) == 0)
			return i;
		*slot = hash < link->hash ? &link->left : &link->right;
		i = **slot;
	}
	return UINT32_MAX;
}

static struct names nodes_of(const struct site_model *m)
{
	return (struct names){(char *)m->node, sizeof(*m->node), offsetof(struct site_node_conf, name),
			      offsetof(struct site_node_conf, link), m->n_nodes};
}

static struct names points_of(const struct site_model *m)
{
	return (struct names){(char *)m->point, sizeof(*m->point), offsetof(struct site_point_conf, name),
			      offsetof(struct site_point_conf, link), m->n_points};
}

static struct names constraints_of(const struct site_model *m)
{
	return (struct names){(char *)m->constraint, sizeof(*m->constraint),
			      offsetof(struct site_constraint_conf, name),
			      offsetof(struct site_constraint_conf, link), m->n_constraints};
}

static uint32_t find(struct names t, const char *name)
{
	uint32_t *slot;

	return look_up(&t, name, hash_name(name), &slot);
}

uint32_t site_model_find_node(const struct site_model *m, const char *name)
{
	return find(nodes_of(m), name);
}

uint32_t site_model_find_point(const struct site_model *m, const char *name)
{
	return find(points_of(m), name);
}

uint32_t site_model_find_constraint(const struct site_model *m, const char *name)
{
	return find(constraints_of(m), name);
}

uint32_t site_model_find_place(const struct site_model *m, const char *name)
{
	uint32_t i = site_model_find_node(m, name);

	if (i != UINT32_MAX)
		return i;
	i = site_model_find_constraint(m, name);
	return i == UINT32_MAX ? i : m->n_nodes + i;
}

const char *site_model_place_name(const struct site_model *m, uint32_t place)
{
	if (place < m->n_nodes)
		return m->node[place].name;
	if (place - m->n_nodes < m->n_constraints)
		return m->constraint[place - m->n_nodes].name;
	return "";
}

/*
 * A name that is new among its like; *link is made for it. What is hung into the tree is hung by the caller.
 */
static int check_name(const struct names *t, const char *what, const char *name, struct site_name_link *link,
		      uint32_t **slot, char *err, size_t err_size)
{
	const char *end = memchr(name, '\0', SITE_NAME_MAX), *p;

	if (!end)
		return site_error(-EINVAL, err, err_size, "name of a %s is longer than %d characters", what,
				  SITE_NAME_MAX - 1);
	if (end == name)
		return site_error(-EINVAL, err, err_size, "%s without a name", what);
	for (p = name; *p; p++)
		if ((uint8_t)*p < ' ' || *p == 127)
			return site_error(-EINVAL, err, err_size, "name of a %s with a control character",
					  what);
	*link = (struct site_name_link){hash_name(name), NO_LINK, NO_LINK};
	if (look_up(t, name, link->hash, slot) != UINT32_MAX)
		return site_error(-EEXIST, err, err_size, "%s %s is there already", what, name);
	return 0;
}

/* --- nodes ---------------------------------------------------------------------------------------------- */

void site_model_init(struct site_model *m, struct site_node_conf *node, uint32_t max_nodes,
		     struct site_point_conf *point, uint32_t max_points,
		     struct site_constraint_conf *constraint, uint32_t max_constraints)
{
	memset(m, 0, sizeof(*m));
	m->node = node;
	m->max_nodes = max_nodes < SITE_MAX_NODES ? max_nodes : SITE_MAX_NODES;
	m->point = point;
	m->max_points = max_points < SITE_MAX_POINTS ? max_points : SITE_MAX_POINTS;
	m->constraint = constraint;
	m->max_constraints = max_constraints;
}

static bool is_current(int32_t mA)
{
	return mA >= 0 && mA <= SITE_MAX_mA;
}

static bool is_near_voltage(int64_t a_mV, int64_t b_mV)
{
	int64_t d = a_mV > b_mV ? a_mV - b_mV : b_mV - a_mV;

	return d * 1000 <= b_mV * VOLTAGE_TOLERANCE_PERMILLE;
}

static int check_node_currents(const struct site_node_conf *n, char *err, size_t err_size)
{
	char a[SITE_A_LEN], b[SITE_A_LEN];
	int p;

	for (p = 0; p < 3; p++) {
		if (!is_current(n->limit_mA[p]) && n->limit_mA[p] != SITE_NO_LIMIT_mA)
			return site_error(-EINVAL, err, err_size, "node %s: limit of L%d is not 0 to %s",
					  n->name, p + 1, site_text_A(SITE_MAX_mA, a));
		if (!is_current(n->export_limit_mA[p]) && n->export_limit_mA[p] != SITE_NO_LIMIT_mA)
			return site_error(-EINVAL, err, err_size,
					  "node %s: export limit of L%d is not 0 to %s", n->name, p + 1,
					  site_text_A(SITE_MAX_mA, a));
		if (n->export_limit_mA[p] > n->limit_mA[p])
			return site_error(-EINVAL, err, err_size,
					  "node %s: export limit of L%d is over its limit of %s", n->name,
					  p + 1, site_text_A(n->limit_mA[p], a));
		if (!is_current(n->base_mA[p]) || !is_current(n->feed_in_mA[p]))
			return site_error(-EINVAL, err, err_size,
					  "node %s: other loads of L%d are not 0 to %s", n->name, p + 1,
					  site_text_A(SITE_MAX_mA, a));
		if (n->base_mA[p] > n->limit_mA[p])
			return site_error(-ERANGE, err, err_size,
					  "node %s: other loads of %s on L%d are over its limit of %s",
					  n->name, site_text_A(n->base_mA[p], a), p + 1,
					  site_text_A(n->limit_mA[p], b));
	}
	return 0;
}

static int check_node(const struct site_model *m, struct site_node_conf *n, char *err, size_t err_size)
{
	const struct site_node_conf *parent = NULL;

	if (n->parent != SITE_NO_NODE) {
		if (n->parent >= m->n_nodes)
			return site_error(-EINVAL, err, err_size, "node %s: its parent is not known",
					  n->name);
		parent = &m->node[n->parent];
	}
	n->depth = parent ? parent->depth + 1 : 0;
	if (n->depth >= SITE_MAX_DEPTH)
		return site_error(-EINVAL, err, err_size, "node %s: deeper than %d levels", n->name,
				  SITE_MAX_DEPTH);
	if (n->voltage_mV == 0 && parent)
		n->voltage_mV = parent->voltage_mV;
	if (n->voltage_mV < 1000 || n->voltage_mV > SITE_MAX_mV)
		return site_error(-EINVAL, err, err_size, "node %s: voltage is not 1 to %d V", n->name,
				  SITE_MAX_mV / 1000);
	if (parent && !is_near_voltage(n->voltage_mV, parent->voltage_mV))
		return site_error(
			-EINVAL, err, err_size,
			"node %s: %d V differs from the %d V of its parent %s; give the limits of a "
			"transformer's other side for this side",
			n->name, n->voltage_mV / 1000, parent->voltage_mV / 1000, parent->name);
	if (n->limit_W < 0)
		return site_error(-EINVAL, err, err_size, "node %s: power limit is negative", n->name);
	if (n->has_meter && n->meter_max_age_ms <= 0)
		return site_error(-EINVAL, err, err_size,
				  "node %s: its meter has no greatest age of a reading", n->name);
	return check_node_currents(n, err, err_size);
}

int site_model_add_node(struct site_model *m, const struct site_node_conf *n, char *err, size_t err_size)
{
	struct names t = nodes_of(m);
	struct site_node_conf copy = *n;
	uint32_t *slot;
	int r = check_name(&t, "node", copy.name, &copy.link, &slot, err, err_size);

	if (!r)
		r = check_node(m, &copy, err, err_size);
	if (r)
		return r;
	if (m->n_nodes == m->max_nodes)
		return site_error(-ENOSPC, err, err_size, "node %s: more than %u nodes", copy.name,
				  (unsigned)m->max_nodes);
	if (slot)
		*slot = m->n_nodes;
	m->node[m->n_nodes++] = copy;
	return 0;
}

/* --- points --------------------------------------------------------------------------------------------- */

static int check_phases(const struct site_point_conf *p, char *err, size_t err_size)
{
	int n = p->kind == SITE_AC1 ? (p->is_line_to_line ? 2 : 1) : 3, i;
	unsigned seen = 0;

	if (p->kind != SITE_AC1 && p->kind != SITE_AC3 && p->kind != SITE_DC)
		return site_error(-EINVAL, err, err_size, "point %s: unknown kind", p->name);
	if (p->is_line_to_line && p->kind != SITE_AC1)
		return site_error(-EINVAL, err, err_size, "point %s: only one of two lines is between lines",
				  p->name);
	for (i = 0; i < n; i++) {
		if (p->phase[i] < 1 || p->phase[i] > 3)
			return site_error(-EINVAL, err, err_size, "point %s: phase is not L1, L2 or L3",
					  p->name);
		if (seen & 1u << p->phase[i])
			return site_error(-EINVAL, err, err_size, "point %s: phase L%u twice", p->name,
					  (unsigned)p->phase[i]);
		seen |= 1u << p->phase[i];
	}
	return 0;
}

static int check_levels(struct site_point_conf *p, char *err, size_t err_size)
{
	uint32_t i;

	if (!p->n_levels)
		return 0;
	for (i = 0; i < p->n_levels; i++)
		if (p->level_mA[i] <= (i ? p->level_mA[i - 1] : 0) || p->level_mA[i] > p->max_mA)
			return site_error(-EINVAL, err, err_size,
					  "point %s: allowed currents are not ascending, or over its maximum",
					  p->name);
	p->min_mA = p->level_mA[0];
	p->step_mA = 1;
	return 0;
}

static int check_currents(struct site_point_conf *p, char *err, size_t err_size)
{
	char a[SITE_A_LEN], b[SITE_A_LEN];
	int r;

	if (p->max_mA <= 0 || p->max_mA > SITE_MAX_mA)
		return site_error(-EINVAL, err, err_size, "point %s: maximum is not over 0 and up to %s",
				  p->name, site_text_A(SITE_MAX_mA, a));
	r = check_levels(p, err, err_size);
	if (r)
		return r;
	p->step_mA = p->step_mA ? p->step_mA : 1;
	if (p->min_mA < 0 || p->min_mA > p->max_mA)
		return site_error(-EINVAL, err, err_size, "point %s: minimum is not 0 to its maximum of %s",
				  p->name, site_text_A(p->max_mA, a));
	if (p->step_mA < 1 || p->step_mA > p->max_mA || p->min_mA % p->step_mA)
		return site_error(-EINVAL, err, err_size,
				  "point %s: its minimum of %s is no multiple of its step", p->name,
				  site_text_A(p->min_mA, a));
	if (p->safe_mA < 0 || p->safe_mA > p->max_mA || (p->safe_mA && p->safe_mA < p->min_mA))
		return site_error(-EINVAL, err, err_size, "point %s: safe current is neither 0 nor %s to %s",
				  p->name, site_text_A(p->min_mA, a), site_text_A(p->max_mA, b));
	if (!is_current(p->max_discharge_mA))
		return site_error(-EINVAL, err, err_size, "point %s: discharge is not 0 to %s", p->name,
				  site_text_A(SITE_MAX_mA, a));
	return 0;
}

static int check_point(const struct site_model *m, struct site_point_conf *p, char *err, size_t err_size)
{
	const struct site_node_conf *n = p->node < m->n_nodes ? &m->node[p->node] : NULL;
	int64_t nominal = 0;
	int r = check_phases(p, err, err_size);

	if (r)
		return r;
	if (!n && p->node != SITE_NO_NODE)
		return site_error(-EINVAL, err, err_size, "point %s: its node is not known", p->name);
	if (n)
		nominal = p->is_line_to_line ? ((int64_t)n->voltage_mV * SQRT3_PPM + 500000) / 1000000
					     : n->voltage_mV;
	if (p->voltage_mV == 0 && n)
		p->voltage_mV = (int32_t)nominal;
	if (p->voltage_mV < 1000 || p->voltage_mV > 2 * SITE_MAX_mV)
		return site_error(-EINVAL, err, err_size, "point %s: voltage is not 1 to %d V", p->name,
				  2 * SITE_MAX_mV / 1000);
	if (n && !is_near_voltage(p->voltage_mV, nominal))
		return site_error(-EINVAL, err, err_size, "point %s: %d V does not fit the %d V of node %s",
				  p->name, p->voltage_mV / 1000, (int)(nominal / 1000), n->name);
	if (p->weight_permille < 1 || p->weight_permille > MAX_WEIGHT_PERMILLE)
		return site_error(-EINVAL, err, err_size, "point %s: weight is not 0.001 to 1000", p->name);
	if (p->class < -MAX_CLASS || p->class > MAX_CLASS)
		return site_error(-EINVAL, err, err_size, "point %s: class is not -%d to %d", p->name,
				  MAX_CLASS, MAX_CLASS);
	if (p->number > 31)
		return site_error(-EINVAL, err, err_size, "point %s: number is not 1 to 31", p->name);
	if (p->number && m->numbers[p->bus] & UINT32_C(1) << p->number)
		return site_error(-EEXIST, err, err_size, "point %s: number %u of bus %u is another point's",
				  p->name, (unsigned)p->number, (unsigned)p->bus);
	return check_currents(p, err, err_size);
}

int site_model_add_point(struct site_model *m, const struct site_point_conf *p, char *err, size_t err_size)
{
	struct names t = points_of(m);
	struct site_point_conf copy = *p;
	uint32_t *slot;
	int r = check_name(&t, "point", copy.name, &copy.link, &slot, err, err_size);

	if (!r)
		r = check_point(m, &copy, err, err_size);
	if (r)
		return r;
	if (m->n_points == m->max_points)
		return site_error(-ENOSPC, err, err_size, "point %s: more than %u points", copy.name,
				  (unsigned)m->max_points);
	if (copy.number)
		m->numbers[copy.bus] |= UINT32_C(1) << copy.number;
	if (slot)
		*slot = m->n_points;
	m->point[m->n_points++] = copy;
	return 0;
}

int32_t site_point_round_mA(const struct site_point_conf *p, int32_t mA)
{
	uint32_t low = 0, high = p->n_levels;

	mA = fc_min_i32(mA, p->max_mA);
	if (mA <= 0 || mA < p->min_mA)
		return 0;
	if (!p->n_levels)
		return mA - mA % p->step_mA;
	while (high - low > 1) {
		uint32_t mid = low + (high - low) / 2;

		if (p->level_mA[mid] <= mA)
			low = mid;
		else
			high = mid;
	}
	return p->level_mA[low];
}

int32_t site_point_mW_per_mA(const struct site_point_conf *p)
{
	int64_t conductors = p->kind == SITE_AC1 ? 1 : 3;

	return fc_clamp_i32((p->voltage_mV * conductors + 500) / 1000, 1, INT32_MAX);
}

/* --- constraints ---------------------------------------------------------------------------------------- */

static int check_constraint(const struct site_model *m, const struct site_constraint_conf *c, char *err,
			    size_t err_size)
{
	struct site_fan fan;
	char a[SITE_A_LEN];
	uint32_t i;

	if (!is_current(c->limit_mA) || c->limit_nA_per_kW < 0 || c->limit_nA_per_kW > SITE_MAX_nA_PER_kW)
		return site_error(-EINVAL, err, err_size, "constraint %s: limit is not 0 to %s", c->name,
				  site_text_A(SITE_MAX_mA, a));
	if (!c->n_terms)
		return site_error(-EINVAL, err, err_size, "constraint %s has no members", c->name);
	for (i = 0; i < c->n_terms; i++) {
		if (c->term[i].point >= m->n_points)
			return site_error(-EINVAL, err, err_size, "constraint %s: a member is not known",
					  c->name);
		if (c->term[i].coef_q16 == 0 || c->term[i].coef_q16 > SITE_MAX_COEF ||
		    c->term[i].coef_q16 < -SITE_MAX_COEF)
			return site_error(-EINVAL, err, err_size,
					  "constraint %s: coefficient of %s is 0 or beyond %d", c->name,
					  m->point[c->term[i].point].name, SITE_MAX_COEF / ALLOC_Q16);
	}
	if (!site_fan_make(c, &fan))
		return site_error(-E2BIG, err, err_size, "constraint %s: more than %d different angles",
				  c->name, ALLOC_MAX_DIR);
	return 0;
}

int site_model_add_constraint(struct site_model *m, const struct site_constraint_conf *c, char *err,
			      size_t err_size)
{
	struct names t = constraints_of(m);
	struct site_constraint_conf copy = *c;
	uint32_t *slot;
	int r = check_name(&t, "constraint", copy.name, &copy.link, &slot, err, err_size);

	if (!r && site_model_find_node(m, copy.name) != UINT32_MAX)
		r = site_error(-EEXIST, err, err_size, "constraint %s has the name of a node", copy.name);
	if (!r)
		r = check_constraint(m, &copy, err, err_size);
	if (r)
		return r;
	if (m->n_constraints == m->max_constraints)
		return site_error(-ENOSPC, err, err_size, "constraint %s: more than %u constraints",
				  copy.name, (unsigned)m->max_constraints);
	if (slot)
		*slot = m->n_constraints;
	m->constraint[m->n_constraints++] = copy;
	return 0;
}
