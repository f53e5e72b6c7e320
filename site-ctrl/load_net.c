/* SPDX-License-Identifier: MIT */
/*
 * Networks of stations as CSV files. Shell. Lines of a constraint need not follow each other, so the second
 * file is read whole, its members are put together by constraint, and then the constraints are added in the
 * order of their first lines.
 */
#include "site-ctrl/load_net.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "site-ctrl/load_csv.h"

#define AMPERE_mA  1000
#define LEVELS_MAX 64
#define NO_INDEX   UINT32_MAX

enum station_column { ST_NAME, ST_PHASE, ST_VOLTS, ST_MIN, ST_MAX, ST_STEPS, N_STATION_COLUMNS };
enum member_column { CO_NAME, CO_STATION, CO_COEF, CO_LIMIT, CO_PER_KW, N_MEMBER_COLUMNS };

static const char *const station_column[] = {"station", "phase_deg", "volts", "min_a", "max_a", "steps"};
static const char *const member_column[] = {"constraint", "station", "coef", "limit_a", "limit_a_per_kw"};

/* One line of the second file. */
struct member {
	uint32_t constraint, line;
	struct site_term term;
};

struct net {
	struct site_load *l;
	struct load_csv csv;
	struct site_constraint_conf *constraint; /* with their first lines in link.hash, members in n_terms */
	uint32_t n_constraints, max_constraints;
	struct member *member;
	uint32_t n_members, max_members;
	uint32_t *slot; /* names of constraints: open addressing, 2^n of them */
	uint32_t n_slots;
	char *err;
	size_t err_size;
};

/* A field as a number from low to high in thousandths; else its column in the sentence. */
static int take_number(struct net *n, uint32_t column, const char *name, int digits, enum load_round round,
		       int64_t low, int64_t high, int64_t *value)
{
	const char *text = load_csv_get(&n->csv, column);
	int r = load_decimal(text, digits, round, value);

	if (r == 0 && (*value < low || *value > high))
		r = -ERANGE;
	if (r == -EINVAL)
		return load_csv_error(&n->csv, r, n->err, n->err_size, "%s is not a number: '%.20s'", name,
				      text);
	if (r)
		return load_csv_error(&n->csv, r, n->err, n->err_size, "%s is out of range: %.20s", name,
				      text);
	return 0;
}

/* --- stations ------------------------------------------------------------------------------------------- */

/* "8;16;24;32" */
static int take_levels(struct net *n, const char *text, int32_t *level, uint32_t *n_levels)
{
	char item[24];
	const char *p = text;

	*n_levels = 0;
	while (p) {
		const char *end = strchr(p, ';');
		size_t size = end ? (size_t)(end - p) : strlen(p);
		int64_t mA;

		if (size >= sizeof(item) || *n_levels == LEVELS_MAX)
			return load_csv_error(&n->csv, -EINVAL, n->err, n->err_size,
					      "steps: more than %d currents, or one is too long", LEVELS_MAX);
		memcpy(item, p, size);
		item[size] = '\0';
		if (load_decimal(item, 3, LOAD_ROUND_DOWN, &mA) || mA < 0 || mA > SITE_MAX_mA)
			return load_csv_error(&n->csv, -EINVAL, n->err, n->err_size,
					      "steps is neither 1 nor currents separated by ';': '%.40s'",
					      text);
		if (mA > 0)
			level[(*n_levels)++] = (int32_t)mA;
		p = end ? end + 1 : NULL;
	}
	return 0;
}

static int add_station(struct net *n, bool is_continuous)
{
	struct site_point_conf p = {.node = SITE_NO_NODE, .phase = {1}, .weight_permille = 1000};
	const char *name = load_csv_get(&n->csv, ST_NAME), *steps = load_csv_get(&n->csv, ST_STEPS);
	char sentence[160];
	int32_t level[LEVELS_MAX];
	int64_t phase = 0, mV = 0, min = 0, max = 0;
	int r = take_number(n, ST_PHASE, "phase_deg", 3, LOAD_ROUND_NEAREST, -360000, 360000, &phase);

	if (!r)
		r = take_number(n, ST_VOLTS, "volts", 3, LOAD_ROUND_NEAREST, 1000, SITE_MAX_mV, &mV);
	if (!r)
		r = take_number(n, ST_MIN, "min_a", 3, LOAD_ROUND_UP, 0, SITE_MAX_mA, &min);
	if (!r)
		r = take_number(n, ST_MAX, "max_a", 3, LOAD_ROUND_DOWN, 1, SITE_MAX_mA, &max);
	if (!r && strcmp(steps, "1") != 0)
		r = take_levels(n, steps, level, &p.n_levels);
	if (r)
		return r;
	snprintf(p.name, sizeof(p.name), "%s", name);
	if (strlen(name) >= sizeof(p.name))
		return load_csv_error(&n->csv, -EINVAL, n->err, n->err_size,
				      "name of a station is longer than %d characters", SITE_NAME_MAX - 1);
	p.angle_mdeg = (int32_t)phase;
	p.voltage_mV = (int32_t)mV;
	p.max_mA = (int32_t)max;
	if (is_continuous) {
		p.n_levels = 0;
	} else {
		p.min_mA = (int32_t)min;
		p.step_mA = p.n_levels ? 1 : AMPERE_mA;
		p.level_mA = p.n_levels ? level : NULL;
	}
	r = site_load_add_point(n->l, &p, sentence, sizeof(sentence));
	return r ? load_csv_error(&n->csv, r, n->err, n->err_size, "%s", sentence) : 0;
}

static int read_stations(struct net *n, const char *path, bool is_continuous)
{
	int r = load_csv_open(&n->csv, path, station_column, N_STATION_COLUMNS, N_STATION_COLUMNS, n->err,
			      n->err_size);

	if (r)
		return r;
	while ((r = load_csv_next(&n->csv, n->err, n->err_size)) > 0) {
		r = add_station(n, is_continuous);
		if (r)
			break;
	}
	if (r == 0 && n->l->model.n_points == 0)
		r = load_csv_error(&n->csv, -EINVAL, n->err, n->err_size, "no stations");
	load_csv_close(&n->csv);
	return r;
}

/* --- constraints ---------------------------------------------------------------------------------------- */

static uint32_t hash_name(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return h ^ h >> 15;
}

static int no_memory(struct net *n)
{
	return load_csv_error(&n->csv, -ENOMEM, n->err, n->err_size, "not enough memory");
}

/* Twice the slots, all names put in again. */
static bool grow_slots(struct net *n)
{
	uint32_t size = n->n_slots ? 2 * n->n_slots : 256, i, at;
	uint32_t *slot = malloc(size * sizeof(*slot));

	if (!slot)
		return false;
	memset(slot, 0xff, size * sizeof(*slot));
	for (i = 0; i < n->n_constraints; i++) {
		for (at = hash_name(n->constraint[i].name) & (size - 1); slot[at] != NO_INDEX;
		     at = (at + 1) & (size - 1))
			;
		slot[at] = i;
	}
	free(n->slot);
	n->slot = slot;
	n->n_slots = size;
	return true;
}

/* Where a name is, or an empty slot for it. */
static uint32_t find_slot(const struct net *n, const char *name)
{
	uint32_t at = hash_name(name) & (n->n_slots - 1);

	while (n->slot[at] != NO_INDEX && strcmp(n->constraint[n->slot[at]].name, name) != 0)
		at = (at + 1) & (n->n_slots - 1);
	return at;
}

static int take_limit(struct net *n, struct site_constraint_conf *c)
{
	bool has_a = *load_csv_get(&n->csv, CO_LIMIT), has_per_kw = *load_csv_get(&n->csv, CO_PER_KW);
	int64_t mA = 0, nA = 0;
	int r = 0;

	if (has_a == has_per_kw)
		return load_csv_error(&n->csv, -EINVAL, n->err, n->err_size,
				      "either limit_a or limit_a_per_kw, one of them");
	if (has_a)
		r = take_number(n, CO_LIMIT, "limit_a", 3, LOAD_ROUND_DOWN, 0, SITE_MAX_mA, &mA);
	else
		r = take_number(n, CO_PER_KW, "limit_a_per_kw", 9, LOAD_ROUND_DOWN, 0, SITE_MAX_nA_PER_kW,
				&nA);
	c->limit_mA = (int32_t)mA;
	c->limit_nA_per_kW = nA;
	return r;
}

/* The constraint of the present row in *index, new or known. */
static int take_constraint(struct net *n, uint32_t *index)
{
	struct site_constraint_conf c = {.is_drawn = true};
	const char *name = load_csv_get(&n->csv, CO_NAME);
	uint32_t at;
	int r = take_limit(n, &c);

	if (r)
		return r;
	if (*name == '\0' || strlen(name) >= sizeof(c.name))
		return load_csv_error(&n->csv, -EINVAL, n->err, n->err_size,
				      "name of a constraint is not 1 to %d characters", SITE_NAME_MAX - 1);
	if (2 * n->n_constraints >= n->n_slots && !grow_slots(n))
		return no_memory(n);
	at = find_slot(n, name);
	*index = n->slot[at];
	if (*index != NO_INDEX) {
		const struct site_constraint_conf *known = &n->constraint[*index];

		if (known->limit_mA != c.limit_mA || known->limit_nA_per_kW != c.limit_nA_per_kW)
			return load_csv_error(&n->csv, -EINVAL, n->err, n->err_size,
					      "constraint %s has another limit here than in line %u", name,
					      (unsigned)known->link.hash);
		return 0;
	}
	if (n->n_constraints == n->max_constraints) {
		uint32_t max = n->max_constraints ? 2 * n->max_constraints : 64;
		void *bigger = realloc(n->constraint, max * sizeof(*n->constraint));

		if (!bigger)
			return no_memory(n);
		n->constraint = bigger;
		n->max_constraints = max;
	}
	snprintf(c.name, sizeof(c.name), "%s", name);
	c.link.hash = n->csv.line;
	*index = n->slot[at] = n->n_constraints;
	n->constraint[n->n_constraints++] = c;
	return 0;
}

static int add_member(struct net *n)
{
	const struct site_model *m = &n->l->model;
	const char *name = load_csv_get(&n->csv, CO_STATION);
	struct member member = {.line = n->csv.line};
	int r = take_constraint(n, &member.constraint);

	if (r)
		return r;
	member.term.point = site_model_find_point(m, name);
	if (member.term.point == UINT32_MAX)
		return load_csv_error(&n->csv, -ENOENT, n->err, n->err_size, "unknown station: %.40s", name);
	r = load_coef_q16(load_csv_get(&n->csv, CO_COEF), &member.term.coef_q16);
	if (r)
		return load_csv_error(&n->csv, r, n->err, n->err_size,
				      "coef is not a number other than 0, up to 256: '%.20s'",
				      load_csv_get(&n->csv, CO_COEF));
	member.term.angle_mdeg = m->point[member.term.point].angle_mdeg;
	if (n->n_members == n->max_members) {
		uint32_t max = n->max_members ? 2 * n->max_members : 256;
		void *bigger = max <= UINT32_MAX / 2 ? realloc(n->member, max * sizeof(*n->member)) : NULL;

		if (!bigger)
			return no_memory(n);
		n->member = bigger;
		n->max_members = max;
	}
	n->member[n->n_members++] = member;
	n->constraint[member.constraint].n_terms++;
	return 0;
}

/* Members by constraint, in the order of the lines, and none twice. */
static int group(struct net *n, struct site_term *term, uint32_t *next, uint32_t *seen_in)
{
	uint32_t i, at = 0, k;

	for (i = 0; i < n->n_constraints; i++) {
		next[i] = at;
		at += n->constraint[i].n_terms;
	}
	for (i = 0; i < n->n_members; i++)
		term[next[n->member[i].constraint]++] = n->member[i].term;
	memset(seen_in, 0xff, n->l->model.n_points * sizeof(*seen_in));
	for (i = 0, at = 0; i < n->n_constraints; i++) {
		for (k = 0; k < n->constraint[i].n_terms; k++, at++) {
			uint32_t point = term[at].point;

			if (seen_in[point] == i) {
				n->csv.line = n->constraint[i].link.hash;
				return load_csv_error(&n->csv, -EEXIST, n->err, n->err_size,
						      "constraint %s has station %s twice",
						      n->constraint[i].name, n->l->model.point[point].name);
			}
			seen_in[point] = i;
		}
	}
	return 0;
}

static int add_constraints(struct net *n, const struct site_term *term)
{
	char sentence[160];
	uint32_t i;
	int r;

	for (i = 0; i < n->n_constraints; i++) {
		struct site_constraint_conf *c = &n->constraint[i];

		n->csv.line = c->link.hash;
		if (c->limit_nA_per_kW && n->l->model.size_W == 0)
			return load_csv_error(
				&n->csv, -EINVAL, n->err, n->err_size,
				"constraint %s has a limit per kW: the size of the transformer is "
				"needed",
				c->name);
		c->term = term;
		term += c->n_terms;
		r = site_load_add_constraint(n->l, c, sentence, sizeof(sentence));
		if (r)
			return load_csv_error(&n->csv, r, n->err, n->err_size, "%s", sentence);
	}
	return 0;
}

static int put_together(struct net *n)
{
	struct site_term *term = calloc(n->n_members + 1, sizeof(*term));
	uint32_t *next = calloc(n->n_constraints + 1, sizeof(*next));
	uint32_t *seen_in = calloc(n->l->model.n_points, sizeof(*seen_in));
	int r = term && next && seen_in ? group(n, term, next, seen_in) : no_memory(n);

	if (!r)
		r = add_constraints(n, term);
	free(term);
	free(next);
	free(seen_in);
	return r;
}

static int read_constraints(struct net *n, const char *path)
{
	int r = load_csv_open(&n->csv, path, member_column, N_MEMBER_COLUMNS, N_MEMBER_COLUMNS, n->err,
			      n->err_size);

	if (r)
		return r;
	while ((r = load_csv_next(&n->csv, n->err, n->err_size)) > 0) {
		r = add_member(n);
		if (r)
			break;
	}
	if (r == 0)
		r = put_together(n);
	load_csv_close(&n->csv);
	free(n->constraint);
	free(n->member);
	free(n->slot);
	return r;
}

int site_load_net(struct site_load *l, const char *base, int64_t size_W, bool is_continuous, char *err,
		  size_t err_size)
{
	struct net n = {.l = l, .err = err, .err_size = err_size};
	char path[PATH_MAX], sentence[200];
	int r = site_load_begin(l, err, err_size);

	if (!r && snprintf(path, sizeof(path), "%s_constraints.csv", base) >= (int)sizeof(path)) {
		snprintf(err, err_size, "%.40s...: name is too long", base);
		r = -ENAMETOOLONG;
	}
	if (r)
		return r;
	l->model.size_W = size_W;
	snprintf(path, sizeof(path), "%s_stations.csv", base);
	r = read_stations(&n, path, is_continuous);
	if (!r) {
		snprintf(path, sizeof(path), "%s_constraints.csv", base);
		r = read_constraints(&n, path);
	}
	if (!r) {
		r = site_load_finish(l, sentence, sizeof(sentence));
		if (r)
			snprintf(err, err_size, "%s: %s", path, sentence);
	}
	if (r)
		site_load_free(l);
	return r;
}
