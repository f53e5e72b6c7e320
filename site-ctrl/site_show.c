/* SPDX-License-Identifier: MIT */
/*
 * The site's tree as text. Pure. Looks for the children of a node in the whole array: a picture is made on
 * demand.
 */
#include "site-ctrl/site_show.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "site-ctrl/alloc_run.h"

#define CELL	    16 /* width of a column */
#define CELL_TEXT   48
#define INDENT	    3
#define SHOWN_TERMS 12
#define NAME_WIDTH  12 /* at least */

struct out {
	const struct site_model *m;
	const struct site_show *show;
	char *text;
	size_t size, n;
	int name_width;
	int pad;       /* blanks before the next text of the line, if there is any */
	uint32_t more; /* bits: levels whose last child is still to come */
};

static void put(struct out *o, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct out *o, const char *format, ...)
{
	va_list args;
	int n;

	while (o->pad > 0) {
		if (o->n + 1 < o->size)
			o->text[o->n] = ' ';
		else if (o->n < o->size)
			o->text[o->n] = '\0';
		o->n++;
		o->pad--;
	}
	va_start(args, format);
	n = vsnprintf(o->n < o->size ? o->text + o->n : NULL, o->n < o->size ? o->size - o->n : 0, format,
		      args);
	va_end(args);
	o->n += n > 0 ? (size_t)n : 0;
}

/* --- cells ---------------------------------------------------------------------------------------------- */

/* With as few decimals as it needs. */
static void text_mA(int64_t mA, char *text, size_t size)
{
	const char *sign = mA < 0 ? "-" : "";
	uint64_t a = mA < 0 ? (uint64_t)-mA : (uint64_t)mA;
	unsigned whole = (unsigned)(a / 1000), rest = (unsigned)(a % 1000);

	if (mA == SITE_NO_LIMIT_mA)
		snprintf(text, size, "none");
	else if (rest == 0)
		snprintf(text, size, "%s%u", sign, whole);
	else if (rest % 100 == 0)
		snprintf(text, size, "%s%u.%u", sign, whole, rest / 100);
	else
		snprintf(text, size, "%s%u.%03u", sign, whole, rest);
}

static void text_three(const int64_t mA[3], char *text, size_t size)
{
	char a[3][CELL_TEXT / 3];
	int i;

	for (i = 0; i < 3; i++)
		text_mA(mA[i], a[i], sizeof(a[i]));
	if (mA[0] != mA[1] || mA[0] != mA[2])
		snprintf(text, size, "%s/%s/%s", a[0], a[1], a[2]);
	else if (mA[0] == 0 || mA[0] == SITE_NO_LIMIT_mA)
		snprintf(text, size, "%s", a[0]);
	else
		snprintf(text, size, "3x%s", a[0]);
}

static void put_cell(struct out *o, const char *text)
{
	int width = (int)strlen(text);

	o->pad += 2;
	if (width)
		put(o, "%s", text);
	o->pad += width < CELL ? CELL - width : 0;
}

static void put_mA(struct out *o, int64_t mA)
{
	char text[CELL_TEXT];

	text_mA(mA, text, sizeof(text));
	put_cell(o, text);
}

/* The branch and the name, padded. Box characters are three bytes and one column wide. */
static void put_name(struct out *o, unsigned depth, bool is_last, const char *name)
{
	bool ascii = o->show->is_ascii;
	unsigned i;
	int used = (int)(depth * INDENT + strlen(name));

	for (i = 1; i < depth; i++)
		put(o, "%s", o->more >> i & 1 ? (ascii ? "|  " : "│  ") : "   ");
	if (depth)
		put(o, "%s", is_last ? (ascii ? "`- " : "└─ ") : (ascii ? "|- " : "├─ "));
	put(o, "%s", name);
	o->pad = used < o->name_width ? o->name_width - used : 0;
}

static void put_end(struct out *o)
{
	o->pad = 0;
	put(o, "\n");
}

/* --- columns -------------------------------------------------------------------------------------------- */

static void put_header(struct out *o)
{
	put_name(o, 0, true, "site");
	put_cell(o, "limit A");
	if (o->show->limits)
		put_cell(o, "now A");
	put_cell(o, "safe A");
	put_cell(o, "others A");
	if (o->show->point_mA)
		put_cell(o, "drawn A");
	put_end(o);
}

/* What the rows of a node carry, by phase, and its power row in [3]. */
static void row_values(const struct out *o, uint32_t node, const int32_t *mA, size_t stride, int64_t value[4])
{
	const struct site_model *m = o->m;
	uint32_t r;

	memset(value, 0, 4 * sizeof(*value));
	for (r = m->first_row[node]; r < m->site.n_rows && m->site.row[r].node == node; r++) {
		const struct site_row_info *info = &m->info[r];
		int64_t *v = &value[info->is_power ? 3 : info->phase ? info->phase - 1 : 0];
		int64_t now = alloc_row_mA(&m->site, r, mA, stride, false);

		/* A constraint may have several rows: the fullest. */
		*v = now > *v ? now : *v;
	}
}

static void limit_values(const struct out *o, uint32_t place, int64_t value[4])
{
	const struct site_model *m = o->m;
	uint32_t r;
	int k;

	for (k = 0; k < 4; k++)
		value[k] = place < m->n_nodes && k < 3 ? m->node[place].limit_mA[k] : SITE_NO_LIMIT_mA;
	for (r = m->first_row[place]; r < m->site.n_rows && m->site.row[r].node == place; r++) {
		const struct site_row_info *info = &m->info[r];

		value[info->is_power ? 3 : info->phase ? info->phase - 1 : 0] = o->show->limits->limit_mA[r];
	}
}

static void put_three(struct out *o, const int64_t mA[3])
{
	char text[CELL_TEXT];

	text_three(mA, text, sizeof(text));
	put_cell(o, text);
}

static uint32_t alarms_of(const struct out *o, uint32_t place)
{
	uint32_t r, alarm = 0;

	if (o->show->limits)
		for (r = o->m->first_row[place]; r < o->m->site.n_rows && o->m->site.row[r].node == place;
		     r++)
			alarm |= o->show->limits->alarm[r];
	return alarm;
}

static void put_alarms(struct out *o, uint32_t place, const char **comma)
{
	uint32_t alarm = alarms_of(o, place);

	if (alarm & SITE_ALARM_BELOW_SAFE)
		put(o, "%sBELOW SAFE CURRENTS", *comma), *comma = ", ";
	if (alarm & SITE_ALARM_METER_STALE)
		put(o, "%sMETER STALE", *comma), *comma = ", ";
}

/* --- nodes ---------------------------------------------------------------------------------------------- */

static void put_power(struct out *o, const struct site_node_conf *n, const int64_t now[4], const char **comma)
{
	if (!n->limit_W)
		return;
	put(o, "%s%d.%01d kW", *comma, n->limit_W / 1000, n->limit_W % 1000 / 100);
	if (o->show->limits && now[3] != SITE_NO_LIMIT_mA) {
		int64_t W = now[3] * n->voltage_mV / 1000000;

		put(o, " (now %d.%01d kW)", (int)(W / 1000), (int)(W % 1000 / 100));
	}
	*comma = ", ";
}

static void put_node_notes(struct out *o, uint32_t node, const int64_t now[4])
{
	const struct site_node_conf *n = &o->m->node[node];
	int64_t out_mA[3] = {n->export_limit_mA[0], n->export_limit_mA[1], n->export_limit_mA[2]};
	int64_t feed_mA[3] = {n->feed_in_mA[0], n->feed_in_mA[1], n->feed_in_mA[2]};
	const char *comma = "  ";
	char text[CELL_TEXT];

	put_power(o, n, now, &comma);
	if (out_mA[0] || out_mA[1] || out_mA[2]) {
		text_three(out_mA, text, sizeof(text));
		put(o, "%sexport %s", comma, text), comma = ", ";
	}
	if (feed_mA[0] || feed_mA[1] || feed_mA[2]) {
		text_three(feed_mA, text, sizeof(text));
		put(o, "%sfed in %s", comma, text), comma = ", ";
	}
	if (n->has_meter)
		put(o, "%smeter (%d s)", comma, n->meter_max_age_ms / 1000), comma = ", ";
	put_alarms(o, node, &comma);
}

static void put_node(struct out *o, uint32_t node, unsigned depth, bool is_last)
{
	const struct site_node_conf *n = &o->m->node[node];
	int64_t limit[3] = {n->limit_mA[0], n->limit_mA[1], n->limit_mA[2]};
	int64_t others[3] = {n->base_mA[0], n->base_mA[1], n->base_mA[2]};
	int64_t value[4], now[4];

	put_name(o, depth, is_last, n->name);
	put_three(o, limit);
	if (o->show->limits) {
		limit_values(o, node, now);
		put_three(o, now);
	}
	row_values(o, node, &o->m->point[0].safe_mA, sizeof(o->m->point[0]), value);
	put_three(o, value);
	put_three(o, others);
	if (o->show->point_mA) {
		row_values(o, node, o->show->point_mA, sizeof(*o->show->point_mA), value);
		put_three(o, value);
	}
	put_node_notes(o, node, now);
	put_end(o);
}

/* --- points --------------------------------------------------------------------------------------------- */

static void text_range(const struct site_point_conf *p, char *text, size_t size)
{
	char low[CELL_TEXT / 3], high[CELL_TEXT / 3];

	text_mA(p->min_mA, low, sizeof(low));
	text_mA(p->max_mA, high, sizeof(high));
	snprintf(text, size, "%s..%s%s", low, high, p->n_levels ? " levels" : "");
}

static void put_point_notes(struct out *o, const struct site_point_conf *p)
{
	char text[CELL_TEXT];

	put(o, "  %s L%u", p->kind == SITE_DC ? "DC" : "AC", (unsigned)p->phase[0]);
	if (p->is_line_to_line)
		put(o, "-L%u", (unsigned)p->phase[1]);
	else if (p->kind != SITE_AC1)
		put(o, "L%uL%u", (unsigned)p->phase[1], (unsigned)p->phase[2]);
	if (p->number)
		put(o, " #%u", (unsigned)p->number);
	if (p->bus)
		put(o, " bus %u", (unsigned)p->bus);
	if (p->class)
		put(o, ", priority %d", p->class);
	if (p->weight_permille != 1000)
		put(o, ", weight %d.%03d", p->weight_permille / 1000, p->weight_permille % 1000);
	if (p->max_discharge_mA) {
		text_mA(p->max_discharge_mA, text, sizeof(text));
		put(o, ", feeds back %s", text);
	}
}

static void put_point(struct out *o, uint32_t i, unsigned depth, bool is_last)
{
	const struct site_point_conf *p = &o->m->point[i];
	char text[CELL_TEXT];

	put_name(o, depth, is_last, p->name);
	text_range(p, text, sizeof(text));
	put_cell(o, text);
	if (o->show->limits)
		put_cell(o, "");
	put_mA(o, p->safe_mA);
	put_cell(o, "");
	if (o->show->point_mA)
		put_mA(o, o->show->point_mA[i]);
	put_point_notes(o, p);
	put_end(o);
}

/* --- the whole ------------------------------------------------------------------------------------------ */

static uint32_t next_child(const struct site_model *m, uint32_t parent, uint32_t from)
{
	while (from < m->n_nodes && m->node[from].parent != parent)
		from++;
	return from;
}

static uint32_t next_point(const struct out *o, uint32_t node, uint32_t from)
{
	if (o->show->no_points)
		return o->m->n_points;
	while (from < o->m->n_points && o->m->point[from].node != node)
		from++;
	return from;
}

static void put_points(struct out *o, uint32_t node, unsigned depth, bool is_followed)
{
	uint32_t i, next;

	for (i = next_point(o, node, 0); i < o->m->n_points; i = next) {
		next = next_point(o, node, i + 1);
		put_point(o, i, depth, next == o->m->n_points && !is_followed);
	}
}

/* Depth of the tree is bounded by SITE_MAX_DEPTH, and so is this. */
static void put_branch(struct out *o, uint32_t node, unsigned depth, bool is_last)
{
	uint32_t child = next_child(o->m, node, 0), next;

	put_node(o, node, depth, is_last);
	if (is_last)
		o->more &= ~(UINT32_C(1) << depth);
	else
		o->more |= UINT32_C(1) << depth;
	put_points(o, node, depth + 1, child < o->m->n_nodes);
	for (; child < o->m->n_nodes; child = next) {
		next = next_child(o->m, node, child + 1);
		put_branch(o, child, depth + 1, next == o->m->n_nodes);
	}
}

static void put_term(struct out *o, const struct site_term *t)
{
	int64_t thousandths = (int64_t)t->coef_q16 * 1000;
	char text[CELL_TEXT];

	/* Coefficients were rounded up to Q16: back to the nearest. */
	thousandths = (thousandths + (thousandths < 0 ? -ALLOC_Q16 / 2 : ALLOC_Q16 / 2)) / ALLOC_Q16;
	put(o, " ");
	if (t->coef_q16 == -ALLOC_Q16) {
		put(o, "-");
	} else if (t->coef_q16 != ALLOC_Q16) {
		text_mA(thousandths, text, sizeof(text));
		put(o, "%s*", text);
	}
	put(o, "%s", o->m->point[t->point].name);
	if (t->angle_mdeg) {
		text_mA(t->angle_mdeg, text, sizeof(text));
		put(o, "@%s", text);
	}
}

static void put_constraint(struct out *o, uint32_t i)
{
	const struct site_constraint_conf *c = &o->m->constraint[i];
	uint32_t place = o->m->n_nodes + i, k, row = o->m->first_row[place];
	const char *comma = "  ";
	int64_t value[4], now[4];

	put_name(o, 0, true, c->name);
	put_mA(o, row == ALLOC_NO_ROW ? c->limit_mA : o->m->info[row].limit_mA);
	if (o->show->limits) {
		limit_values(o, place, now);
		put_mA(o, now[0]);
	}
	row_values(o, place, &o->m->point[0].safe_mA, sizeof(o->m->point[0]), value);
	put_mA(o, value[0]);
	put_cell(o, "");
	if (o->show->point_mA) {
		row_values(o, place, o->show->point_mA, sizeof(*o->show->point_mA), value);
		put_mA(o, value[0]);
	}
	put(o, " ");
	for (k = 0; k < c->n_terms && k < SHOWN_TERMS; k++)
		put_term(o, &c->term[k]);
	if (k < c->n_terms)
		put(o, " and %u more", (unsigned)(c->n_terms - k));
	put_alarms(o, place, &comma);
	put_end(o);
}

static void find_width(struct out *o)
{
	const struct site_model *m = o->m;
	uint32_t i;

	o->name_width = NAME_WIDTH;
	for (i = 0; i < m->n_nodes; i++)
		o->name_width = fc_max_i32(o->name_width,
					   (int32_t)(m->node[i].depth * INDENT + strlen(m->node[i].name)));
	for (i = 0; i < m->n_points && !o->show->no_points; i++) {
		uint32_t node = m->point[i].node;
		uint32_t depth = node == SITE_NO_NODE ? 0 : m->node[node].depth + 1;

		o->name_width =
			fc_max_i32(o->name_width, (int32_t)(depth * INDENT + strlen(m->point[i].name)));
	}
	for (i = 0; i < m->n_constraints; i++)
		o->name_width = fc_max_i32(o->name_width, (int32_t)strlen(m->constraint[i].name));
}

static void put_totals(struct out *o)
{
	const struct site_model *m = o->m;
	uint32_t i, n_dc = 0, n_number = 0;

	for (i = 0; i < m->n_points; i++) {
		n_dc += m->point[i].kind == SITE_DC;
		n_number += m->point[i].number != 0;
	}
	put(o, "%u points (%u DC), %u nodes, %u constraints, %u rows", (unsigned)m->n_points, (unsigned)n_dc,
	    (unsigned)m->n_nodes, (unsigned)m->n_constraints, (unsigned)m->site.n_rows);
	if (n_number < m->n_points)
		put(o, "; %u without a number, for simulation only", (unsigned)(m->n_points - n_number));
	put_end(o);
}

size_t site_show_write(const struct site_model *m, const struct site_show *show, char *text, size_t size)
{
	struct out o = {.m = m, .show = show, .text = text, .size = size};
	uint32_t i;

	find_width(&o);
	put_header(&o);
	for (i = next_child(m, SITE_NO_NODE, 0); i < m->n_nodes; i = next_child(m, SITE_NO_NODE, i + 1))
		put_branch(&o, i, 0, true);
	put_points(&o, SITE_NO_NODE, 0, false);
	for (i = 0; i < m->n_constraints; i++)
		put_constraint(&o, i);
	put_totals(&o);
	return o.n;
}
