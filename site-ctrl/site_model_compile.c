/* SPDX-License-Identifier: MIT */
/*
 * The description into rows and members, in time of the order of the members. Pure.
 */
#include "site-ctrl/site_model_priv.h"

#include <errno.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#include "site-ctrl/alloc_run.h"

#define SLOTS	     4 /* rows of a node: L1, L2, L3, power */
#define POWER	     3
#define QUARTER_mdeg 90000
#define LINE_mdeg    30000 /* between the voltage of a line to neutral and that to another line */

struct counts {
	size_t n_rows, n_members, n_dirs, n_items;
};

/* What compile works with besides what the model keeps. */
struct work {
	struct site_build build;
	uint32_t *slot; /* n_nodes x SLOTS: members, then where the next one goes */
	int64_t *sum;
	uint32_t *first_of, *of_point;
};

/* Where the arrays begin in the block, one behind the other. */
struct layout {
	size_t row, dir, member, item, slot, sum, info, first_row, first_of, of_point, end;
};

static size_t behind(size_t *end, size_t n, size_t size)
{
	size_t a = alignof(max_align_t), at = *end;

	*end += (n * size + a - 1) / a * a;
	return at;
}

static struct layout lay_out(const struct site_model *m, const struct counts *c)
{
	size_t n_slots = (size_t)m->n_nodes * SLOTS;
	struct layout l = {.end = 0};

	l.row = behind(&l.end, c->n_rows, sizeof(struct alloc_row));
	l.dir = behind(&l.end, c->n_dirs, sizeof(struct alloc_dir));
	l.member = behind(&l.end, c->n_members, sizeof(struct alloc_member));
	l.item = behind(&l.end, c->n_items, sizeof(struct site_item));
	l.slot = behind(&l.end, n_slots, sizeof(uint32_t));
	l.sum = behind(&l.end, n_slots, sizeof(int64_t));
	l.info = behind(&l.end, c->n_rows, sizeof(struct site_row_info));
	l.first_row = behind(&l.end, m->n_nodes + m->n_constraints, sizeof(uint32_t));
	l.first_of = behind(&l.end, (size_t)m->n_points + 1, sizeof(uint32_t));
	l.of_point = behind(&l.end, c->n_members, sizeof(uint32_t));
	return l;
}

static void *at(void *block, size_t offset)
{
	return (char *)block + offset;
}

static void take_arrays(struct work *w, void *block, const struct layout *l)
{
	struct site_model *m = w->build.m;

	w->build.row = at(block, l->row);
	w->build.dir = at(block, l->dir);
	w->build.member = at(block, l->member);
	w->build.item = at(block, l->item);
	w->slot = at(block, l->slot);
	w->sum = at(block, l->sum);
	w->first_of = at(block, l->first_of);
	w->of_point = at(block, l->of_point);
	m->info = at(block, l->info);
	m->first_row = at(block, l->first_row);
	m->site.first_of = w->first_of;
	m->site.of_point = w->of_point;
	m->block = block;
	m->block_size = l->end;
}

/* Upper bounds, by looking at everything once. */
static void count(const struct site_model *m, struct counts *c)
{
	uint32_t i, k, s;

	*c = (struct counts){.n_rows = (size_t)m->n_nodes * SLOTS};
	for (i = 0; i < m->n_points; i++) {
		uint32_t node = m->point[i].node;
		size_t depth = node == SITE_NO_NODE ? 0 : m->node[node].depth + 1;

		c->n_members += depth * SLOTS;
	}
	for (i = 0; i < m->n_constraints; i++) {
		const struct site_constraint_conf *conf = &m->constraint[i];
		struct site_fan fan;

		site_fan_make(conf, &fan);
		c->n_rows += fan.n_sets;
		c->n_items = conf->n_terms > c->n_items ? conf->n_terms : c->n_items;
		for (k = 0; k < conf->n_terms; k++)
			for (s = 0; s < fan.n_sets; s++)
				c->n_members +=
					fan.set[s] >> site_fan_find(&fan, site_term_angle(&conf->term[k])) &
					1;
	}
	c->n_dirs = c->n_rows * ALLOC_MAX_DIR;
}

size_t site_model_size(const struct site_model *m)
{
	struct counts c;

	count(m, &c);
	return lay_out(m, &c).end;
}

/* --- building rows -------------------------------------------------------------------------------------- */

struct alloc_row *site_build_row(struct site_build *b, const struct site_row_info *info, uint32_t place)
{
	struct alloc_row *row = &b->row[b->n_rows];

	*row = (struct alloc_row){
		.first_member = b->n_members, .first_dir = b->n_dirs, .node = place, .phase = info->phase};
	b->m->info[b->n_rows] = *info;
	if (b->m->first_row[place] == ALLOC_NO_ROW)
		b->m->first_row[place] = b->n_rows;
	b->n_rows++;
	return row;
}

int site_build_dir(struct site_build *b, struct alloc_row *row, struct alloc_dir dir)
{
	struct alloc_dir *d = &b->dir[row->first_dir];
	uint32_t i;

	for (i = 0; i < row->n_dirs; i++)
		if (d[i].cos_q30 == dir.cos_q30 && d[i].sin_q30 == dir.sin_q30)
			return (int)i;
	if (i == ALLOC_MAX_DIR)
		return -E2BIG;
	d[i] = dir;
	row->n_dirs++;
	b->n_dirs++;
	return (int)i;
}

void site_build_close(struct site_build *b, struct alloc_row *row)
{
	row->n_members = b->n_members - row->first_member;
	if (row->n_members == 0) {
		/* Nobody is in it: it never was. */
		b->n_rows--;
		if (b->m->first_row[row->node] == b->n_rows)
			b->m->first_row[row->node] = ALLOC_NO_ROW;
	} else if (row->n_dirs == 1) {
		b->dir[row->first_dir] = (struct alloc_dir){ALLOC_Q30, 0};
	}
}

/* --- the tree ------------------------------------------------------------------------------------------- */

void site_tree_sum(const struct site_model *m, int64_t *sum)
{
	uint32_t i, k;

	/* Parents were added before their children. */
	for (i = m->n_nodes; i-- > 0;)
		if (m->node[i].parent != SITE_NO_NODE)
			for (k = 0; k < SLOTS; k++)
				sum[m->node[i].parent * SLOTS + k] += sum[i * SLOTS + k];
}

int64_t site_power_mA(const struct site_node_conf *n, int64_t power_uW)
{
	return (power_uW + n->voltage_mV - 1) / n->voltage_mV;
}

/*
 * Slots of a point in each node above it: bits 0..2 its phases, bit 3 the power row where the node has one.
 */
static uint32_t slots_of(const struct site_node_conf *n, const struct site_point_conf *p)
{
	uint32_t slots = n->limit_W ? 1u << POWER : 0;

	if (p->kind != SITE_AC1)
		return slots | 7u;
	slots |= 1u << (p->phase[0] - 1);
	if (p->is_line_to_line)
		slots |= 1u << (p->phase[1] - 1);
	return slots;
}

/* Of its current in that conductor, against the voltage of the conductor to neutral. */
static int32_t angle_in_slot(const struct site_point_conf *p, uint32_t slot)
{
	uint32_t other;

	if (!p->is_line_to_line)
		return site_angle_norm(p->angle_mdeg);
	other = p->phase[0] - 1u == slot ? p->phase[1] - 1u : p->phase[0] - 1u;
	return site_angle_norm((int64_t)p->angle_mdeg + (other == (slot + 1) % 3 ? LINE_mdeg : -LINE_mdeg));
}

static int32_t coef_in_slot(const struct site_node_conf *n, const struct site_point_conf *p, uint32_t slot)
{
	int64_t conductors = p->kind == SITE_AC1 ? 1 : 3;

	if (slot != POWER)
		return ALLOC_Q16;
	return (int32_t)((p->voltage_mV * conductors * ALLOC_Q16 + n->voltage_mV - 1) / n->voltage_mV);
}

static struct site_row_info node_row_info(const struct site_node_conf *n, uint32_t node, uint32_t slot)
{
	struct site_row_info info = {.node = node, .constraint = UINT32_MAX};

	if (slot == POWER) {
		info.is_power = true;
		info.limit_mA = fc_current_at_power_mA(n->limit_W, n->voltage_mV);
		info.export_limit_mA = info.limit_mA;
	} else {
		info.phase = (uint8_t)(slot + 1);
		info.limit_mA = n->limit_mA[slot];
		info.export_limit_mA = n->export_limit_mA[slot];
	}
	return info;
}

static void count_slots(const struct site_model *m, uint32_t *slot)
{
	uint32_t i, node, k;

	memset(slot, 0, (size_t)m->n_nodes * SLOTS * sizeof(*slot));
	for (i = 0; i < m->n_points; i++) {
		for (node = m->point[i].node; node != SITE_NO_NODE; node = m->node[node].parent) {
			uint32_t slots = slots_of(&m->node[node], &m->point[i]);

			for (k = 0; k < SLOTS; k++)
				slot[node * SLOTS + k] += slots >> k & 1;
		}
	}
}

/* Rows of the nodes, deepest first. slot[] turns from how many members into where the first one goes. */
static void place_rows(struct work *w)
{
	struct site_model *m = w->build.m;
	uint32_t depth, node, k;

	for (depth = SITE_MAX_DEPTH; depth-- > 0;) {
		for (node = 0; node < m->n_nodes * SLOTS; node++) {
			struct site_row_info info;
			struct alloc_row *row;

			k = node % SLOTS;
			if (m->node[node / SLOTS].depth != depth || w->slot[node] == 0)
				continue;
			info = node_row_info(&m->node[node / SLOTS], node / SLOTS, k);
			row = site_build_row(&w->build, &info, node / SLOTS);
			row->n_members = w->slot[node];
			w->slot[node] = w->build.n_members;
			w->build.n_members += row->n_members;
		}
	}
}

/* Points in their order, so that the members of every row are in theirs. dir is an angle for now. */
static void place_members(struct work *w)
{
	const struct site_model *m = w->build.m;
	uint32_t i, node, k;

	for (i = 0; i < m->n_points; i++) {
		const struct site_point_conf *p = &m->point[i];

		for (node = p->node; node != SITE_NO_NODE; node = m->node[node].parent) {
			uint32_t slots = slots_of(&m->node[node], p);

			for (k = 0; k < SLOTS; k++) {
				if (!(slots >> k & 1))
					continue;
				w->build.member[w->slot[node * SLOTS + k]++] = (struct alloc_member){
					.point = i,
					.coef_q16 = coef_in_slot(&m->node[node], p, k),
					.dir = k == POWER ? 0 : (uint32_t)angle_in_slot(p, k)};
			}
		}
	}
}

/* Angles of a row of the tree into directions; they must not be so far apart that less could be more. */
static int place_dirs(struct site_build *b, uint32_t r)
{
	struct alloc_row *row = &b->row[r];
	int32_t angle[ALLOC_MAX_DIR];
	uint32_t i, k, n = 0;
	char name[64];

	row->first_dir = b->n_dirs;
	for (i = row->first_member; i < row->first_member + row->n_members; i++) {
		struct alloc_member *member = &b->member[i];

		for (k = 0; k < n && angle[k] != (int32_t)member->dir; k++)
			;
		if (k == n && n == ALLOC_MAX_DIR)
			return site_error(-E2BIG, b->err, b->err_size, "%s: more than %d different angles",
					  site_row_name(b->m, r, name, sizeof(name)), ALLOC_MAX_DIR);
		if (k == n) {
			angle[n++] = (int32_t)member->dir;
			b->dir[b->n_dirs++] = site_angle_dir(angle[k]);
		}
		member->row = r;
		member->dir = k;
	}
	row->n_dirs = n;
	for (i = 0; i < n; i++)
		for (k = 0; k < i; k++)
			if (site_angle_between(angle[i], angle[k]) > QUARTER_mdeg)
				return site_error(-EINVAL, b->err, b->err_size,
						  "%s: currents are more than 90 degrees apart",
						  site_row_name(b->m, r, name, sizeof(name)));
	if (n == 1)
		b->dir[row->first_dir] = (struct alloc_dir){ALLOC_Q30, 0};
	return 0;
}

static int build_tree(struct work *w)
{
	uint32_t r;
	int error = 0;

	count_slots(w->build.m, w->slot);
	place_rows(w);
	place_members(w);
	w->build.m->site.row = w->build.row; /* names of rows in sentences */
	for (r = 0; r < w->build.n_rows && !error; r++)
		error = place_dirs(&w->build, r);
	return error;
}

/* --- the whole ------------------------------------------------------------------------------------------ */

/* of_point: by point, then row. Members are by row, so one pass keeps that order. */
static void index_points(struct site_model *m, uint32_t *first_of, uint32_t *of_point)
{
	uint32_t i;

	memset(first_of, 0, ((size_t)m->n_points + 1) * sizeof(*first_of));
	for (i = 0; i < m->site.n_members; i++)
		first_of[m->site.member[i].point + 1]++;
	for (i = 0; i < m->n_points; i++)
		first_of[i + 1] += first_of[i];
	for (i = 0; i < m->site.n_members; i++)
		of_point[first_of[m->site.member[i].point]++] = i;
	/* Each has moved to where the next begins. */
	for (i = m->n_points; i > 0; i--)
		first_of[i] = first_of[i - 1];
	first_of[0] = 0;
}

/* Other loads at worst: a meter may fall silent. */
static void sum_worst_base(const struct site_model *m, int64_t *sum)
{
	uint32_t i, k;

	for (i = 0; i < m->n_nodes; i++) {
		const struct site_node_conf *n = &m->node[i];
		int64_t *s = &sum[i * SLOTS];

		for (k = 0; k < 3; k++)
			s[k] = n->base_mA[k];
		s[POWER] = (s[0] + s[1] + s[2]) * n->voltage_mV;
	}
	site_tree_sum(m, sum);
}

/* Without any grant everything must be well. */
static int check_safe(struct work *w)
{
	const struct site_model *m = w->build.m;
	char name[64], a[SITE_A_LEN], b[SITE_A_LEN], c[SITE_A_LEN];
	uint32_t r;

	sum_worst_base(m, w->sum);
	for (r = 0; r < m->site.n_rows; r++) {
		const struct site_row_info *info = &m->info[r];
		int64_t base = 0, safe;

		if (info->node != SITE_NO_NODE && info->is_power)
			base = site_power_mA(&m->node[info->node], w->sum[info->node * SLOTS + POWER]);
		else if (info->node != SITE_NO_NODE)
			base = w->sum[info->node * SLOTS + info->phase - 1];
		safe = alloc_row_mA(&m->site, r, &m->point[0].safe_mA, sizeof(m->point[0]), false);
		if (info->limit_mA == SITE_NO_LIMIT_mA || safe + base <= info->limit_mA)
			continue;
		return site_error(
			-ERANGE, w->build.err, w->build.err_size,
			"%s: safe currents of %s and other loads of %s do not fit into its limit of %s",
			site_row_name(m, r, name, sizeof(name)), site_text_A(safe, a), site_text_A(base, b),
			site_text_A(info->limit_mA, c));
	}
	return 0;
}

int site_model_compile(struct site_model *m, void *block, char *err, size_t err_size)
{
	struct work w = {.build = {.m = m, .err = err, .err_size = err_size}};
	struct layout l;
	struct counts c;
	uint32_t i;
	int r;

	if (m->size_W < 0 || m->size_W > SITE_MAX_SIZE_W)
		return site_error(-EINVAL, err, err_size, "size of the transformer is not 0 to %d kW",
				  SITE_MAX_SIZE_W / 1000);
	count(m, &c);
	l = lay_out(m, &c);
	take_arrays(&w, block, &l);
	for (i = 0; i < m->n_nodes + m->n_constraints; i++)
		m->first_row[i] = ALLOC_NO_ROW;
	r = build_tree(&w);
	for (i = 0; i < m->n_constraints && !r; i++)
		r = site_build_constraint(&w.build, i);
	if (r)
		return r;
	m->site.size = sizeof(m->site);
	m->site.version++;
	m->site.n_points = m->n_points;
	m->site.n_rows = w.build.n_rows;
	m->site.n_members = w.build.n_members;
	m->site.row = w.build.row;
	m->site.dir = w.build.dir;
	m->site.member = w.build.member;
	index_points(m, w.first_of, w.of_point);
	return check_safe(&w);
}

const char *site_row_name(const struct site_model *m, uint32_t row, char *text, size_t size)
{
	const struct site_row_info *info = &m->info[row];
	const char *place = site_model_place_name(m, m->site.row[row].node);

	if (info->is_power)
		snprintf(text, size, "%s power", place);
	else if (info->phase)
		snprintf(text, size, "%s L%u", place, (unsigned)info->phase);
	else
		snprintf(text, size, "%s", place);
	return text;
}
