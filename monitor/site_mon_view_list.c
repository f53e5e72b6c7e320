/* SPDX-License-Identifier: MIT */
/* The lines of the tree and of the table of points, and which of them is chosen. Pure. */
#include "monitor/site_mon_view_draw.h"

#include <string.h>

/* --- what is there ------------------------------------------------------------------------------------- */

static void add(struct smon_view *v, struct smon_line line)
{
	if (v->n_lines < SMON_MAX_LINES)
		v->line[v->n_lines++] = line;
}

static void add_point(struct smon_view *v, unsigned bus, unsigned number, unsigned node, unsigned depth)
{
	add(v, (struct smon_line){.kind = SMON_LINE_POINT,
				  .depth = (uint8_t)depth,
				  .bus = (uint8_t)bus,
				  .number = (uint8_t)number,
				  .node = (uint16_t)node,
				  .row = SMON_NO_ROW});
}

/* Heard of, or in the site's file: who never reports has to be seen as well. */
static bool is_there(const struct smon_ctx *c, unsigned bus, unsigned number)
{
	return c->n->point[bus][number].name[0] || smon_point(c->m, bus, number);
}

static void add_points_of(const struct smon_ctx *c, unsigned node, unsigned depth)
{
	unsigned bus, number;

	for (bus = 0; bus < SMON_MAX_BUSES; bus++)
		for (number = 1; number < SMON_N_NUMBERS; number++)
			if (c->n->point[bus][number].node == node && is_there(c, bus, number))
				add_point(c->v, bus, number, node, depth);
}

static void add_node(const struct smon_ctx *c, unsigned i)
{
	const struct smon_node *node = &c->n->node[i];
	struct smon_line line = {.kind = SMON_LINE_ROW,
				 .depth = node->depth,
				 .is_first = true,
				 .node = (uint16_t)i,
				 .row = SMON_NO_ROW};
	unsigned k;

	for (k = 0; k < 4; k++) {
		if (node->row[k] == SMON_NO_ROW)
			continue;
		line.row = node->row[k];
		line.phase = (uint8_t)(k + 1);
		add(c->v, line);
		line.is_first = false;
	}
	if (line.is_first) {
		line.kind = SMON_LINE_NODE;
		add(c->v, line);
	}
	add_points_of(c, i, node->depth + 1u);
}

static void add_other_rows(const struct smon_ctx *c)
{
	uint32_t n_rows = c->m->n_rows > c->n->n_rows ? c->m->n_rows : c->n->n_rows, i;

	for (i = 0; i < n_rows && i < SMON_MAX_ROWS; i++)
		if (!c->n->row[i].is_in_tree && (i < c->n->n_rows || smon_row(c->m, i)))
			add(c->v, (struct smon_line){.kind = SMON_LINE_ROW,
						     .is_first = true,
						     .node = SMON_NO_NODE,
						     .row = (uint16_t)i});
}

void smon_list_tree(const struct smon_ctx *c)
{
	unsigned i;

	c->v->n_lines = 0;
	for (i = 0; i < c->n->n_nodes; i++)
		add_node(c, i);
	add_other_rows(c);
	add_points_of(c, SMON_NO_NODE, 0);
}

/* --- the order of points ------------------------------------------------------------------------------- */

static int rank_of_state(const struct smon_point *p)
{
	static const uint8_t ranks[] = {
		[SITE_POINT_REPORT_STATE_FAULT] = 0,	   [SITE_POINT_REPORT_STATE_CHARGING] = 2,
		[SITE_POINT_REPORT_STATE_DISCHARGING] = 3, [SITE_POINT_REPORT_STATE_WAITING] = 4,
		[SITE_POINT_REPORT_STATE_FINISHED] = 5,	   [SITE_POINT_REPORT_STATE_IDLE] = 6,
		[SITE_POINT_REPORT_STATE_UNAVAILABLE] = 7};

	if (!p || p->report_us == SMON_NEVER)
		return 9;
	if (p->is_silent)
		return 1;
	return p->report.state < sizeof(ranks) ? ranks[p->report.state] : 8;
}

/* What is wanted and not granted. */
static int32_t short_mA(const struct smon_ctx *c, const struct smon_point *p)
{
	if (!p || p->is_silent || p->demand_us == SMON_NEVER)
		return -1;
	return fc_max_i32(p->demand.requested_mA - (smon_lease_left_us(c->m, p) >= 0
							    ? p->in_force.grant.charge_current_mA
							    : 0),
			  0);
}

static int leave_min(const struct smon_point *p)
{
	return !p || p->is_silent || p->session_us == SMON_NEVER ? UINT16_MAX : p->session.departure;
}

static bool is_before(const struct smon_ctx *c, const struct smon_line *a, const struct smon_line *b)
{
	const struct smon_point *p = smon_point(c->m, a->bus, a->number),
				*q = smon_point(c->m, b->bus, b->number);
	char name[SMON_NAME_MAX], other[SMON_NAME_MAX];

	switch (c->v->sort) {
	case SMON_SORT_NAME:
		return strcmp(smon_point_name(c->n, a->bus, a->number, name, sizeof(name)),
			      smon_point_name(c->n, b->bus, b->number, other, sizeof(other))) < 0;
	case SMON_SORT_STATE:
		return rank_of_state(p) < rank_of_state(q);
	case SMON_SORT_SHORT:
		return short_mA(c, p) > short_mA(c, q);
	case SMON_SORT_LEAVE:
		return leave_min(p) < leave_min(q);
	case SMON_SORT_NUMBER:
	case SMON_N_SORTS:
		break;
	}
	return false;
}

/* Equals keep the order of their numbers. A few hundred at most. */
static void sort(const struct smon_ctx *c)
{
	struct smon_line *line = c->v->line;
	int i, k;

	for (i = 1; i < c->v->n_lines; i++) {
		struct smon_line moved = line[i];

		for (k = i; k > 0 && is_before(c, &moved, &line[k - 1]); k--)
			line[k] = line[k - 1];
		line[k] = moved;
	}
}

void smon_list_points(const struct smon_ctx *c)
{
	unsigned bus, number;

	c->v->n_lines = 0;
	for (bus = 0; bus < SMON_MAX_BUSES; bus++)
		for (number = 1; number < SMON_N_NUMBERS; number++)
			if (is_there(c, bus, number))
				add_point(c->v, bus, number, SMON_NO_NODE, 0);
	if (c->v->sort != SMON_SORT_NUMBER)
		sort(c);
}

/* --- the chosen line ----------------------------------------------------------------------------------- */

static bool is_same(const struct smon_line *a, const struct smon_line *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == SMON_LINE_POINT)
		return a->bus == b->bus && a->number == b->number;
	return a->kind == SMON_LINE_ROW ? a->row == b->row : a->node == b->node;
}

static int find(const struct smon_view *v, const struct smon_line *line)
{
	int i;

	for (i = 0; i < v->n_lines; i++)
		if (is_same(&v->line[i], line))
			return i;
	return -1;
}

int smon_list_chosen(const struct smon_ctx *c)
{
	struct smon_line line = {.kind = SMON_LINE_ROW};
	int at = find(c->v, &c->v->pick);
	uint32_t row;

	if (at >= 0 || c->v->n_lines == 0)
		return c->v->n_lines ? at : -1;
	if (!smon_main_row(c->m, c->n, &row))
		return 0;
	line.row = (uint16_t)row;
	at = find(c->v, &line);
	return at >= 0 ? at : 0;
}

void smon_list_show(const struct smon_ctx *c, int chosen, int rows)
{
	struct smon_view *v = c->v;
	int *top = &v->top[v->page], *n_shown = &v->n_shown[v->page];

	if (rows < 0)
		rows = 0;
	*n_shown = v->n_lines < rows ? v->n_lines : rows;
	if (chosen >= 0 && *top > chosen)
		*top = chosen;
	if (*top <= chosen - rows)
		*top = chosen - rows + 1;
	view_clamp_scroll(top, *n_shown, v->n_lines);
}

void smon_list_move(const struct smon_ctx *c, int lines)
{
	struct smon_view *v = c->v;
	int at = smon_list_chosen(c);

	if (at < 0)
		return;
	at += lines;
	at = at < 0 ? 0 : at >= v->n_lines ? v->n_lines - 1 : at;
	v->pick = v->line[at];
}
