/* SPDX-License-Identifier: MIT */
/*
 * site.conf into a site model. Shell. Nodes first, in the order of the file, then points, then constraints:
 * so a section may stand anywhere but a node behind its parent.
 */
#include "site-ctrl/load_conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "site-ctrl/load_point.h"

#define VOLTAGE_mV	 230000
#define METER_MAX_AGE_ms 10000
#define MAX_W		 100000000
#define MAX_AGE_ms	 3600000
#define N_MEMBER_KEYS	 16

enum site_key { SITE_VOLTAGE, SITE_STATIONS, SITE_CONSTRAINTS, SITE_SCHEDULE, N_SITE_KEYS };
static const char *const site_key[] = {"voltage_V", "stations", "constraints", "schedule"};

/* Four of a current: for all phases, and for each. */
enum node_key {
	NODE_PARENT,
	NODE_LIMIT,
	NODE_EXPORT = NODE_LIMIT + 4,
	NODE_BASE = NODE_EXPORT + 4,
	NODE_FEED = NODE_BASE + 4,
	NODE_LIMIT_kW = NODE_FEED + 4,
	NODE_VOLTAGE,
	NODE_METER,
	NODE_METER_AGE,
	N_NODE_KEYS
};
static const char *const node_key[] = {
	"parent",	  "limit_A",	       "limit_L1_A",	    "limit_L2_A",	 "limit_L3_A",
	"export_limit_A", "export_limit_L1_A", "export_limit_L2_A", "export_limit_L3_A", "base_load_A",
	"base_load_L1_A", "base_load_L2_A",    "base_load_L3_A",    "feed_in_A",	 "feed_in_L1_A",
	"feed_in_L2_A",	  "feed_in_L3_A",      "limit_kW",	    "voltage_V",	 "meter",
	"meter_max_age_s"};

enum constraint_key {
	CONSTRAINT_LIMIT,
	CONSTRAINT_SUM,
	CONSTRAINT_MEMBERS,
	N_CONSTRAINT_KEYS = CONSTRAINT_MEMBERS + N_MEMBER_KEYS
};
static const char *const constraint_key[] = {
	"limit_A",    "sum",	    "members",	  "members_2",	"members_3",  "members_4",
	"members_5",  "members_6",  "members_7",  "members_8",	"members_9",  "members_10",
	"members_11", "members_12", "members_13", "members_14", "members_15", "members_16"};

struct reading {
	struct site_load *l;
	struct conf_ini *conf;
	struct load_terms terms;
	int32_t voltage_mV;
	char stations[SITE_PATH_MAX], constraints[SITE_PATH_MAX];
	char *err;
	size_t err_size;
};

static struct load_keys keys_of(struct reading *r, const char *thing, const char *const *name, uint32_t n)
{
	return (struct load_keys){.path = r->conf->path,
				  .thing = thing,
				  .name = name,
				  .n = n,
				  .err = r->err,
				  .err_size = r->err_size};
}

/* --- [site] --------------------------------------------------------------------------------------------- */

/* A file beside this one. */
static int take_path(const struct load_keys *k, uint32_t key, char path[SITE_PATH_MAX])
{
	const char *text = k->value[key], *slash = strrchr(k->path, '/');
	int dir = slash && text && *text != '/' ? (int)(slash + 1 - k->path) : 0;

	if (!text)
		return 0;
	if (!*text || snprintf(path, SITE_PATH_MAX, "%.*s%s", dir, k->path, text) >= SITE_PATH_MAX)
		return load_keys_error(k, key, -EINVAL, "%s is no name of a file", k->name[key]);
	return 0;
}

static int read_site(struct reading *r, uint32_t section)
{
	struct load_keys k = keys_of(r, "site", site_key, N_SITE_KEYS);
	int e = load_keys_section(&k, r->conf, section);

	if (!e)
		e = load_keys_milli(&k, SITE_VOLTAGE, LOAD_ROUND_NEAREST, 1000, SITE_MAX_mV, &r->voltage_mV);
	if (!e)
		e = take_path(&k, SITE_STATIONS, r->stations);
	if (!e)
		e = take_path(&k, SITE_CONSTRAINTS, r->constraints);
	if (!e)
		e = take_path(&k, SITE_SCHEDULE, r->l->schedule);
	return e;
}

/* --- [node.NAME] ---------------------------------------------------------------------------------------- */

/* key: for all phases; key + 1..3: for each. "none" is no limit. */
static int take_three(const struct load_keys *k, uint32_t key, enum load_round round, bool may_be_none,
		      int32_t mA[3])
{
	int32_t value;
	uint32_t i, p;
	int e = 0;

	for (i = 0; i < 4 && !e; i++) {
		if (!k->value[key + i])
			continue;
		value = SITE_NO_LIMIT_mA;
		if (!may_be_none || strcmp(k->value[key + i], "none") != 0)
			e = load_keys_milli(k, key + i, round, 0, SITE_MAX_mA, &value);
		for (p = 0; p < 3; p++)
			if (i == 0 || p == i - 1)
				mA[p] = value;
	}
	return e;
}

static bool has_limit(const struct load_keys *k)
{
	return k->value[NODE_LIMIT] || k->value[NODE_LIMIT_kW] ||
	       (k->value[NODE_LIMIT + 1] && k->value[NODE_LIMIT + 2] && k->value[NODE_LIMIT + 3]);
}

static int take_parent(struct reading *r, const struct load_keys *k, struct site_node_conf *n)
{
	n->parent = SITE_NO_NODE;
	n->voltage_mV = r->voltage_mV;
	if (!k->value[NODE_PARENT]) {
		if (has_limit(k))
			return 0;
		return load_keys_error(
			k, k->n, -EINVAL,
			"node %s has neither parent nor limit_A nor limit_kW (limit_A = none where "
			"that is meant)",
			n->name);
	}
	n->parent = site_model_find_node(&r->l->model, k->value[NODE_PARENT]);
	n->voltage_mV = 0;
	if (n->parent == UINT32_MAX)
		return load_keys_error(k, NODE_PARENT, -ENOENT, "parent is no node above: %.40s",
				       k->value[NODE_PARENT]);
	return 0;
}

static int take_meter(const struct load_keys *k, struct site_node_conf *n)
{
	int e = load_keys_bool(k, NODE_METER, &n->has_meter);

	if (e)
		return e;
	if (!n->has_meter && k->value[NODE_METER_AGE])
		return load_keys_error(k, NODE_METER_AGE, -EINVAL, "meter_max_age_s without meter = yes");
	n->meter_max_age_ms = METER_MAX_AGE_ms;
	return load_keys_milli(k, NODE_METER_AGE, LOAD_ROUND_DOWN, 1, MAX_AGE_ms, &n->meter_max_age_ms);
}

static int read_node(struct reading *r, uint32_t section, const char *name)
{
	struct load_keys k = keys_of(r, "node", node_key, N_NODE_KEYS);
	struct site_node_conf n = {.limit_mA = {SITE_NO_LIMIT_mA, SITE_NO_LIMIT_mA, SITE_NO_LIMIT_mA}};
	char sentence[200];
	int e = load_keys_section(&k, r->conf, section);

	if (!e && !load_is_name(name))
		e = load_keys_error(&k, k.n, -EINVAL,
				    "name of a node is not of 1 to %d letters, digits, - and _: '%.40s'",
				    SITE_NAME_MAX - 1, name);
	if (e)
		return e;
	snprintf(n.name, sizeof(n.name), "%s", name);
	e = take_parent(r, &k, &n);
	if (!e)
		e = take_three(&k, NODE_LIMIT, LOAD_ROUND_DOWN, true, n.limit_mA);
	if (!e)
		e = take_three(&k, NODE_EXPORT, LOAD_ROUND_DOWN, true, n.export_limit_mA);
	if (!e)
		e = take_three(&k, NODE_BASE, LOAD_ROUND_UP, false, n.base_mA);
	if (!e)
		e = take_three(&k, NODE_FEED, LOAD_ROUND_UP, false, n.feed_in_mA);
	if (!e)
		e = load_keys_milli(&k, NODE_LIMIT_kW, LOAD_ROUND_DOWN, 1, MAX_W, &n.limit_W); /* mkW is W */
	if (!e)
		e = load_keys_milli(&k, NODE_VOLTAGE, LOAD_ROUND_NEAREST, 1000, SITE_MAX_mV, &n.voltage_mV);
	if (!e)
		e = take_meter(&k, &n);
	if (e)
		return e;
	e = site_load_add_node(r->l, &n, sentence, sizeof(sentence));
	return e ? load_keys_error(&k, k.n, e, "%s", sentence) : 0;
}

/* --- [point.NAME] and the table of stations ------------------------------------------------------------- */

static int read_point(struct reading *r, uint32_t section, const char *name)
{
	struct load_keys k = keys_of(r, "point", load_point_key, LOAD_POINT_KEYS);
	int e = load_keys_section(&k, r->conf, section);

	return e ? e : load_point(r->l, &k, name);
}

/* Columns: those of a point and, last, its name. */
static int read_stations(struct reading *r)
{
	struct load_keys k = keys_of(r, "point", load_point_key, LOAD_POINT_KEYS);
	const char *column[LOAD_POINT_KEYS + 1];
	struct load_csv csv;
	int e;

	memcpy(column, load_point_key, sizeof(load_point_key));
	column[LOAD_POINT_KEYS] = "point";
	e = load_csv_open(&csv, r->stations, column, POINT_MAX + 1, LOAD_POINT_KEYS + 1, r->err, r->err_size);
	if (e)
		return e;
	k.path = r->stations;
	while ((e = load_csv_next(&csv, r->err, r->err_size)) > 0) {
		load_keys_row(&k, &csv);
		e = load_point(r->l, &k, load_csv_get(&csv, LOAD_POINT_KEYS));
		if (e)
			break;
	}
	load_csv_close(&csv);
	return e;
}

/* --- [constraint.NAME] and the table of constraints ----------------------------------------------------- */

static int take_sum(const struct load_keys *k, const char *text, bool *is_amount)
{
	*is_amount = text && strcmp(text, "amounts") == 0;
	if (text && !*is_amount && strcmp(text, "phasors") != 0)
		return load_keys_error(k, CONSTRAINT_SUM, -EINVAL,
				       "sum is neither phasors nor amounts: '%.40s'", text);
	return 0;
}

/* With the terms that were read. */
static int add_constraint(struct reading *r, const struct load_keys *k, struct site_constraint_conf *c)
{
	char sentence[200];
	int e;

	c->term = r->terms.term;
	c->n_terms = r->terms.n;
	e = site_load_add_constraint(r->l, c, sentence, sizeof(sentence));
	load_terms_clear(&r->terms);
	return e ? load_keys_error(k, k->n, e, "%s", sentence) : 0;
}

static int begin_constraint(const struct load_keys *k, const char *name, struct site_constraint_conf *c,
			    bool *is_amount)
{
	int e = load_keys_need(k, CONSTRAINT_LIMIT);

	if (!e && !load_is_name(name))
		e = load_keys_error(
			k, k->n, -EINVAL,
			"name of a constraint is not of 1 to %d letters, digits, - and _: '%.40s'",
			SITE_NAME_MAX - 1, name);
	if (!e)
		e = load_keys_milli(k, CONSTRAINT_LIMIT, LOAD_ROUND_DOWN, 0, SITE_MAX_mA, &c->limit_mA);
	if (!e)
		e = take_sum(k, k->value[CONSTRAINT_SUM], is_amount);
	if (!e)
		snprintf(c->name, sizeof(c->name), "%s", name);
	return e;
}

static int read_constraint(struct reading *r, uint32_t section, const char *name)
{
	struct load_keys k = keys_of(r, "constraint", constraint_key, N_CONSTRAINT_KEYS);
	struct site_constraint_conf c = {0};
	char sentence[200];
	bool is_amount = false;
	uint32_t i;
	int e = load_keys_section(&k, r->conf, section);

	if (!e)
		e = begin_constraint(&k, name, &c, &is_amount);
	for (i = CONSTRAINT_MEMBERS; i < N_CONSTRAINT_KEYS && !e; i++) {
		if (!k.value[i])
			continue;
		e = load_terms_add(&r->terms, &r->l->model, k.value[i], is_amount, sentence,
				   sizeof(sentence));
		if (e)
			return load_keys_error(&k, i, e, "%s", sentence);
	}
	return e ? e : add_constraint(r, &k, &c);
}

/* constraint,limit_A,sum,members: a row for each, or several that follow each other. */
static int read_constraint_rows(struct reading *r, struct load_csv *csv, struct load_keys *k)
{
	struct site_constraint_conf c = {0}, next = {0};
	bool is_amount = false;
	char sentence[200];
	int e;

	while ((e = load_csv_next(csv, r->err, r->err_size)) > 0) {
		load_keys_row(k, csv);
		/* The name is the last column. */
		k->value[CONSTRAINT_MEMBERS + 1] = NULL;
		e = begin_constraint(k, load_csv_get(csv, CONSTRAINT_MEMBERS + 1), &next, &is_amount);
		if (!e && c.name[0] && strcmp(c.name, next.name) != 0)
			e = add_constraint(r, k, &c);
		else if (!e && c.name[0] && c.limit_mA != next.limit_mA)
			e = load_keys_error(k, CONSTRAINT_LIMIT, -EINVAL,
					    "constraint %s has another limit in the line above", c.name);
		if (e)
			return e;
		c = next;
		e = load_terms_add(&r->terms, &r->l->model, load_csv_get(csv, CONSTRAINT_MEMBERS), is_amount,
				   sentence, sizeof(sentence));
		if (e)
			return load_keys_error(k, CONSTRAINT_MEMBERS, e, "%s", sentence);
	}
	if (!e && c.name[0])
		e = add_constraint(r, k, &c);
	return e;
}

static int read_constraints(struct reading *r)
{
	static const char *const column[] = {"limit_A", "sum", "members", "constraint"};
	struct load_keys k = keys_of(r, "constraint", column, 4);
	struct load_csv csv;
	int e = load_csv_open(&csv, r->constraints, column, 4, 4, r->err, r->err_size);

	if (e)
		return e;
	k.path = r->constraints;
	e = read_constraint_rows(r, &csv, &k);
	load_csv_close(&csv);
	return e;
}

/* --- the file ------------------------------------------------------------------------------------------- */

enum section_kind { SECTION_SITE, SECTION_NODE, SECTION_POINT, SECTION_CONSTRAINT, SECTION_OTHER };

/* What a section is, and the name behind its dot. */
static enum section_kind kind_of(const char *section, const char **name)
{
	static const char *const prefix[] = {"site", "node.", "point.", "constraint."};
	int i;

	*name = "";
	if (strcmp(section, prefix[SECTION_SITE]) == 0)
		return SECTION_SITE;
	for (i = SECTION_NODE; i <= SECTION_CONSTRAINT; i++) {
		size_t n = strlen(prefix[i]);

		if (strncmp(section, prefix[i], n) == 0) {
			*name = section + n;
			return (enum section_kind)i;
		}
	}
	return SECTION_OTHER;
}

static int check_sections(struct reading *r)
{
	const struct conf_ini *c = r->conf;
	const char *name;
	uint32_t i;

	if (c->n_items && c->item[0].section == 0)
		return conf_ini_error(c, c->item[0].line, -EINVAL, r->err, r->err_size,
				      "key before the first section: %.40s", c->item[0].key);
	for (i = 1; i < c->n_sections; i++)
		if (kind_of(c->section[i].name, &name) == SECTION_OTHER)
			return conf_ini_error(
				c, c->section[i].line, -EINVAL, r->err, r->err_size,
				"section is not site, node.NAME, point.NAME or constraint.NAME: "
				"%.60s",
				c->section[i].name);
	return 0;
}

/* All sections of one kind. */
static int read_kind(struct reading *r, enum section_kind kind)
{
	uint32_t i;
	int e = 0;

	for (i = 1; i < r->conf->n_sections && !e; i++) {
		const char *name;

		if (kind_of(r->conf->section[i].name, &name) != kind)
			continue;
		if (kind == SECTION_SITE)
			e = read_site(r, i);
		else if (kind == SECTION_NODE)
			e = read_node(r, i, name);
		else if (kind == SECTION_POINT)
			e = read_point(r, i, name);
		else
			e = read_constraint(r, i, name);
	}
	return e;
}

static int read_all(struct reading *r)
{
	int e = check_sections(r);

	if (!e)
		e = read_kind(r, SECTION_SITE);
	if (!e)
		e = read_kind(r, SECTION_NODE);
	if (!e)
		e = read_kind(r, SECTION_POINT);
	if (!e && r->stations[0])
		e = read_stations(r);
	if (!e)
		e = read_kind(r, SECTION_CONSTRAINT);
	if (!e && r->constraints[0])
		e = read_constraints(r);
	return e;
}

int site_load_conf(struct site_load *l, const char *path, char *err, size_t err_size)
{
	struct reading r = {.l = l,
			    .conf = malloc(sizeof(*r.conf)),
			    .voltage_mV = VOLTAGE_mV,
			    .err = err,
			    .err_size = err_size};
	char sentence[256];
	int e = site_load_begin(l, err, err_size);

	if (!e && !r.conf) {
		snprintf(err, err_size, "%s: not enough memory", path);
		e = -ENOMEM;
	}
	if (!e)
		e = conf_ini_load(r.conf, path, err, err_size);
	if (!e)
		e = read_all(&r);
	if (!e) {
		e = site_load_finish(l, sentence, sizeof(sentence));
		if (e)
			snprintf(err, err_size, "%s: %s", path, sentence);
	}
	free(r.terms.term);
	free(r.terms.seen);
	free(r.conf);
	if (e)
		site_load_free(l);
	return e;
}
