/* SPDX-License-Identifier: MIT */
/* Names and the tree of a site from its file. The file is read once; only what is shown is kept. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "monitor/site_mon_app.h"
#include "site-ctrl/load_conf.h"
#include "site-ctrl/site.h"

_Static_assert(SMON_MAX_BUSES >= SITE_MAX_BUSES, "a point on every bus of a site can be shown");
_Static_assert(SMON_NAME_MAX == SITE_NAME_MAX, "names fit");

#define POWER_COLUMN 3 /* of the rows of a node, behind its three phases */

static void add_main(struct smon_names *n, uint32_t row)
{
	if (n->n_main < SMON_MAX_MAIN)
		n->main_row[n->n_main++] = (uint16_t)row;
}

static void take_row(struct smon_names *n, const struct site_model *m, uint32_t i, const uint16_t *place)
{
	const struct site_row_info *info = &m->info[i];
	struct smon_named_row *row = &n->row[i];
	char text[SMON_ROW_NAME_MAX];

	snprintf(row->name, sizeof(row->name), "%s", site_row_name(m, i, text, sizeof(text)));
	row->limit_mA = info->limit_mA;
	if (info->node == SITE_NO_NODE)
		return;
	if (info->is_power)
		row->power_mV = m->node[info->node].voltage_mV;
	if (m->node[info->node].parent == SITE_NO_NODE)
		add_main(n, i);
	if (place[info->node] == SMON_NO_NODE)
		return;
	row->is_in_tree = true;
	n->node[place[info->node]].row[info->is_power ? POWER_COLUMN : info->phase - 1u] = (uint16_t)i;
}

static const char *phases_of(const struct site_point_conf *p, char *text, size_t size)
{
	int n = 0;
	unsigned i;

	text[0] = '\0';
	for (i = 0; i < 3 && p->phase[i]; i++)
		n += snprintf(text + n, size - (size_t)n, "%sL%u", i && p->is_line_to_line ? "-" : "",
			      p->phase[i]);
	return text;
}

static void take_points(struct smon_names *n, const struct site_model *m, const uint16_t *place)
{
	uint32_t i;

	for (i = 0; i < m->n_points; i++) {
		const struct site_point_conf *p = &m->point[i];
		struct smon_named_point *known;

		if (p->bus >= SMON_MAX_BUSES || p->number >= SMON_N_NUMBERS || p->number == 0)
			continue;
		known = &n->point[p->bus][p->number];
		snprintf(known->name, sizeof(known->name), "%s", p->name);
		phases_of(p, known->phases, sizeof(known->phases));
		known->max_mA = p->max_mA;
		if (p->node < m->n_nodes)
			known->node = place[p->node];
	}
}

/* Depth first: a node, then its children; parents come before their children in the file. */
static void place_node(struct smon_names *n, const struct site_model *m, uint32_t node, uint16_t *place)
{
	struct smon_node *at = &n->node[n->n_nodes];
	uint32_t i;

	if (n->n_nodes == SMON_MAX_NODES)
		return;
	snprintf(at->name, sizeof(at->name), "%s", m->node[node].name);
	at->depth = (uint8_t)(m->node[node].depth < 8 ? m->node[node].depth : 8);
	for (i = 0; i < 4; i++)
		at->row[i] = SMON_NO_ROW;
	place[node] = (uint16_t)n->n_nodes++;
	for (i = node + 1; i < m->n_nodes; i++)
		if (m->node[i].parent == node)
			place_node(n, m, i, place);
}

int smon_names_load(struct smon_names *n, const char *path, char *err, size_t err_size)
{
	static struct site_load load; /* of use once, at the start */
	uint16_t place[SITE_MAX_NODES];
	uint32_t i;
	int r = site_load_conf(&load, path, err, err_size);

	if (r) {
		site_load_free(&load);
		return r;
	}
	memset(place, 0xff, sizeof(place));
	for (i = 0; i < load.model.n_nodes; i++)
		if (load.model.node[i].parent == SITE_NO_NODE)
			place_node(n, &load.model, i, place);
	n->n_rows = load.model.site.n_rows < SMON_MAX_ROWS ? load.model.site.n_rows : SMON_MAX_ROWS;
	for (i = 0; i < n->n_rows; i++)
		take_row(n, &load.model, i, place);
	take_points(n, &load.model, place);
	if (n->n_nodes)
		snprintf(n->site, sizeof(n->site), "%s", n->node[0].name);
	site_load_free(&load);
	return 0;
}
