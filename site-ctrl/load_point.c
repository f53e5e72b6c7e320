/* SPDX-License-Identifier: MIT */
/*
 * Charge points and members of constraints from text. Shell.
 */
#include "site-ctrl/load_point.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS_MAX	  32
#define AC_MIN_mA	  6000 /* IEC 61851-1: the smallest current that can be offered */
#define STEP_mA		  100  /* that of a grant on the bus */
#define THIRD_mdeg	  120000
#define LINE_mdeg	  30000
#define TOKEN_MAX	  96
#define MAX_WEIGHT_MILLI  1000000
#define MAX_PRIORITY	  1000
#define MAX_POINT_VOLT_mV (2 * SITE_MAX_mV)

const char *const load_point_key[LOAD_POINT_KEYS] = {
	"node",	  "max_A", "min_A",  "step_A",	 "levels_A", "safe_A",	    "kind",
	"phases", "bus",   "number", "priority", "weight",   "discharge_A", "voltage_V"};

/* --- a point -------------------------------------------------------------------------------------------- */

static int take_kind(const struct load_keys *k, struct site_point_conf *p, bool *is_dc)
{
	const char *text = k->value[POINT_KIND];

	*is_dc = false;
	if (text && strcmp(text, "dc") == 0)
		*is_dc = true;
	else if (text && strcmp(text, "ac") != 0)
		return load_keys_error(k, POINT_KIND, -EINVAL, "kind is neither ac nor dc: '%.40s'", text);
	p->kind = *is_dc ? SITE_DC : SITE_AC3;
	return 0;
}

/* "L1", "L2L3L1", "L1-L2" */
static int take_phases(const struct load_keys *k, struct site_point_conf *p, bool is_dc)
{
	const char *text = k->value[POINT_PHASES] ? k->value[POINT_PHASES] : "L1L2L3", *c = text;
	unsigned n = 0;
	bool has_dash = false;

	while (n < 3 && c[0] == 'L' && c[1] >= '1' && c[1] <= '3') {
		p->phase[n++] = (uint8_t)(c[1] - '0');
		c += 2;
		if (n == 1 && *c == '-') {
			has_dash = true;
			c++;
		}
	}
	if (*c || (has_dash ? n != 2 : n != 1 && n != 3))
		return load_keys_error(k, POINT_PHASES, -EINVAL,
				       "phases is not like L1, L1L2L3 or L1-L2: '%.40s'", text);
	if (is_dc && n != 3)
		return load_keys_error(k, POINT_PHASES, -EINVAL, "a DC point is supplied by three phases");
	if (n < 3)
		p->kind = SITE_AC1;
	p->is_line_to_line = has_dash;
	return 0;
}

static int take_levels(const struct load_keys *k, struct site_point_conf *p, int32_t *level)
{
	const char *c = k->value[POINT_LEVELS];
	char item[24];

	while (c && *c) {
		size_t n;
		int64_t mA;

		c += strspn(c, " ,;");
		n = strcspn(c, " ,;");
		if (n == 0)
			break;
		if (n >= sizeof(item) || p->n_levels == LEVELS_MAX)
			return load_keys_error(k, POINT_LEVELS, -EINVAL, "levels_A has more than %d currents",
					       LEVELS_MAX);
		memcpy(item, c, n);
		item[n] = '\0';
		c += n;
		if (load_decimal(item, 3, LOAD_ROUND_DOWN, &mA) || mA <= 0 || mA > SITE_MAX_mA)
			return load_keys_error(k, POINT_LEVELS, -EINVAL, "levels_A: no current: '%s'", item);
		level[p->n_levels++] = (int32_t)mA;
	}
	if (p->n_levels && (k->value[POINT_MIN] || k->value[POINT_STEP]))
		return load_keys_error(k, POINT_LEVELS, -EINVAL,
				       "levels_A stands in place of min_A and step_A");
	p->level_mA = p->n_levels ? level : NULL;
	return 0;
}

static int take_currents(const struct load_keys *k, struct site_point_conf *p)
{
	int r = load_keys_milli(k, POINT_MAX, LOAD_ROUND_DOWN, 0, SITE_MAX_mA, &p->max_mA);

	if (!r)
		r = load_keys_milli(k, POINT_MIN, LOAD_ROUND_UP, 0, SITE_MAX_mA, &p->min_mA);
	if (!r)
		r = load_keys_milli(k, POINT_STEP, LOAD_ROUND_UP, 1, SITE_MAX_mA, &p->step_mA);
	if (!r)
		r = load_keys_milli(k, POINT_SAFE, LOAD_ROUND_UP, 0, SITE_MAX_mA, &p->safe_mA);
	if (!r)
		r = load_keys_milli(k, POINT_DISCHARGE, LOAD_ROUND_DOWN, 0, SITE_MAX_mA,
				    &p->max_discharge_mA);
	return r;
}

static int take_rest(const struct load_keys *k, struct site_point_conf *p)
{
	int32_t bus = 0, number = 0;
	int r = load_keys_int(k, POINT_BUS, 0, 255, &bus);

	if (!r)
		r = load_keys_int(k, POINT_NUMBER, 1, 31, &number);
	if (!r)
		r = load_keys_int(k, POINT_PRIORITY, -MAX_PRIORITY, MAX_PRIORITY, &p->class);
	if (!r)
		r = load_keys_milli(k, POINT_WEIGHT, LOAD_ROUND_NEAREST, 1, MAX_WEIGHT_MILLI,
				    &p->weight_permille);
	if (!r)
		r = load_keys_milli(k, POINT_VOLTAGE, LOAD_ROUND_NEAREST, 1000, MAX_POINT_VOLT_mV,
				    &p->voltage_mV);
	p->bus = (uint8_t)bus;
	p->number = (uint8_t)number;
	return r;
}

int load_point(struct site_load *l, const struct load_keys *k, const char *name)
{
	struct site_point_conf p = {.step_mA = STEP_mA, .weight_permille = 1000};
	int32_t level[LEVELS_MAX];
	char sentence[200];
	bool is_dc;
	int r;

	if (!load_is_name(name))
		return load_keys_error(k, k->n, -EINVAL,
				       "name of a point is not of 1 to %d letters, digits, - and _: '%.40s'",
				       SITE_NAME_MAX - 1, name);
	snprintf(p.name, sizeof(p.name), "%s", name);
	r = load_keys_need(k, POINT_NODE);
	if (!r)
		r = load_keys_need(k, POINT_MAX);
	if (!r)
		r = take_kind(k, &p, &is_dc);
	if (r)
		return r;
	p.min_mA = is_dc ? 0 : AC_MIN_mA;
	p.node = site_model_find_node(&l->model, k->value[POINT_NODE]);
	if (p.node == UINT32_MAX)
		return load_keys_error(k, POINT_NODE, -ENOENT, "unknown node: %.40s", k->value[POINT_NODE]);
	r = take_phases(k, &p, is_dc);
	if (!r)
		r = take_currents(k, &p);
	if (!r)
		r = take_levels(k, &p, level);
	if (!r)
		r = take_rest(k, &p);
	if (r)
		return r;
	r = site_load_add_point(l, &p, sentence, sizeof(sentence));
	return r ? load_keys_error(k, k->n, r, "%s", sentence) : 0;
}

/* --- members of a constraint ---------------------------------------------------------------------------- */

static int refuse(int error, char *err, size_t err_size, const char *sentence, const char *token)
{
	snprintf(err, err_size, "%s: '%s'", sentence, token);
	return error;
}

/*
 * Angle of the current in a conductor of the point, against L1's voltage. False: the point has no such
 * conductor.
 */
static bool find_angle(const struct site_point_conf *p, unsigned phase, int32_t *angle_mdeg)
{
	int32_t of_phase = phase == 2 ? -THIRD_mdeg : phase == 3 ? THIRD_mdeg : 0;
	unsigned other;

	*angle_mdeg = of_phase + p->angle_mdeg;
	if (p->kind != SITE_AC1)
		return true;
	if (phase != p->phase[0] && (!p->is_line_to_line || phase != p->phase[1]))
		return false;
	if (!p->is_line_to_line)
		return true;
	other = phase == p->phase[0] ? p->phase[1] : p->phase[0];
	*angle_mdeg += other == phase % 3 + 1 ? LINE_mdeg : -LINE_mdeg;
	return true;
}

static bool push(struct load_terms *t, const struct site_term *term)
{
	if (t->n == t->max) {
		uint32_t max = t->max ? 2 * t->max : 64;
		void *bigger = realloc(t->term, max * sizeof(*t->term));

		if (!bigger)
			return false;
		t->term = bigger;
		t->max = max;
	}
	t->term[t->n++] = *term;
	return true;
}

/* Splits "-0.5*A01.L1" in place: the coefficient, the name, the phase or 0. */
static int split(char *token, const char **name, int32_t *coef_q16, unsigned *phase)
{
	char *star = strchr(token, '*'), *point = star ? star + 1 : token, *dot;

	*coef_q16 = ALLOC_Q16;
	if (star) {
		*star = '\0';
		if (load_coef_q16(token, coef_q16))
			return -EINVAL;
	} else if (*point == '-' || *point == '+') {
		*coef_q16 = *point++ == '-' ? -ALLOC_Q16 : ALLOC_Q16;
	}
	dot = strchr(point, '.');
	*phase = 0;
	if (dot) {
		if (dot[1] != 'L' || dot[2] < '1' || dot[2] > '3' || dot[3])
			return -EINVAL;
		*phase = (unsigned)(dot[2] - '0');
		*dot = '\0';
	}
	*name = point;
	return 0;
}

static int add_token(struct load_terms *t, const struct site_model *m, const char *token, bool is_amount,
		     char *err, size_t err_size)
{
	const struct site_point_conf *p;
	struct site_term term = {0};
	char copy[TOKEN_MAX];
	const char *name;
	unsigned phase;

	snprintf(copy, sizeof(copy), "%s", token);
	if (split(copy, &name, &term.coef_q16, &phase))
		return refuse(-EINVAL, err, err_size, "not a member such as -0.5*NAME.L1", token);
	term.point = site_model_find_point(m, name);
	if (term.point == UINT32_MAX)
		return refuse(-ENOENT, err, err_size, "unknown point", token);
	p = &m->point[term.point];
	if (is_amount && phase)
		return refuse(-EINVAL, err, err_size, "a sum of amounts has no phases", token);
	if (!is_amount && !phase && p->kind != SITE_AC1)
		return refuse(-EINVAL, err, err_size, "which of its phases, as in NAME.L1?", token);
	if (!phase)
		phase = p->phase[0];
	if (!is_amount && !find_angle(p, phase, &term.angle_mdeg))
		return refuse(-EINVAL, err, err_size, "the point is not on this phase", token);
	if (t->seen[term.point] & 1u << phase)
		return refuse(-EEXIST, err, err_size, "member appears twice", token);
	t->seen[term.point] |= (uint8_t)(1u << phase);
	return push(t, &term) ? 0 : refuse(-ENOMEM, err, err_size, "not enough memory", token);
}

int load_terms_add(struct load_terms *t, const struct site_model *m, const char *text, bool is_amount,
		   char *err, size_t err_size)
{
	char token[TOKEN_MAX];
	int r = 0;

	if (!t->seen) {
		t->seen = calloc(m->n_points + 1, 1);
		if (!t->seen)
			return refuse(-ENOMEM, err, err_size, "not enough memory", "");
		t->n_points = m->n_points;
	}
	while (!r) {
		size_t n;

		text += strspn(text, " ,\t");
		n = strcspn(text, " ,\t");
		if (n == 0)
			return 0;
		if (n >= sizeof(token))
			return refuse(-EINVAL, err, err_size, "member is too long", "");
		memcpy(token, text, n);
		token[n] = '\0';
		text += n;
		r = add_token(t, m, token, is_amount, err, err_size);
	}
	return r;
}

void load_terms_clear(struct load_terms *t)
{
	uint32_t i;

	for (i = 0; i < t->n; i++)
		t->seen[t->term[i].point] = 0;
	t->n = 0;
}
