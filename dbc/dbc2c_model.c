/* SPDX-License-Identifier: MIT */
/*
 * dbc2c: merges the versions of an interface into messages with members that serve all of them.
 */
#include "dbc/dbc2c.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * Units of the databases and ours (docs/architecture.md): everything electrical is an integer of known unit.
 */
static const struct gen_unit units[] = {
	{"V", "_mV", "int32_t", 1000, 4, true},	    {"mV", "_mV", "int32_t", 1, 4, true},
	{"A", "_mA", "int32_t", 1000, 4, true},	    {"mA", "_mA", "int32_t", 1, 4, true},
	{"W", "_W", "int32_t", 1, 4, true},	    {"kW", "_W", "int32_t", 1000, 4, true},
	{"Wh", "_Wh", "int64_t", 1, 8, true},	    {"kWh", "_Wh", "int64_t", 1000, 8, true},
	{"Ω", "_ohm", "int32_t", 1, 4, true},	    {"kΩ", "_ohm", "int32_t", 1000, 4, true},
	{"°C", "_mdegC", "int32_t", 1000, 4, true}, {"%", "_permille", "int32_t", 10, 4, true},
	{"s", "_s", "uint32_t", 1, 4, false},	    {"ms", "_ms", "uint32_t", 1, 4, false},
	{"min", "_min", "uint32_t", 1, 4, false},   {"Hz", "_Hz", "int32_t", 1, 4, true},
};

static const struct gen_unit no_unit = {"", "", NULL, 1, 0, false};

static const struct gen_unit *find_unit(const struct gen_version *v, const struct dbc_message *m,
					const struct dbc_signal *s)
{
	if (s->unit[0] == '\0')
		return &no_unit;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(units[i].text, s->unit) == 0)
			return &units[i];
	gen_fail("%s: %s.%s: unknown unit \"%s\"", v->path, m->name, s->name, s->unit);
}

/* A whole number, or the end: the member must hold every raw value exactly. */
static int64_t whole(const struct gen_version *v, const struct dbc_message *m, const struct dbc_signal *s,
		     double x)
{
	double r = round(x);

	/* 0.1 has no exact double: its product with 1000 is 100 within a few units in the last place. */
	if (fabs(x - r) > 1e-9 * fmax(1, fabs(r)) || fabs(r) > 1e15)
		gen_fail("%s: %s.%s: factor %g or offset %g is no whole number of the member's unit", v->path,
			 m->name, s->name, s->factor, s->offset);
	return (int64_t)r;
}

static void check_message(const struct gen_version *v, const struct dbc_message *m)
{
	if (m->dlc == 0 || m->dlc > 8)
		gen_fail("%s: %s: length %u, expected 1 to 8", v->path, m->name, m->dlc);
	if (m->id > (m->is_extended ? 0x1fffffffu : 0x7ffu))
		gen_fail("%s: %s: identifier 0x%x is out of range", v->path, m->name, m->id);
}

static void check_signal(const struct gen_version *v, const struct dbc_message *m, const struct dbc_signal *s)
{
	if (s->is_motorola || s->number != DBC_INTEGER || s->n_mux || s->is_multiplexor)
		gen_fail("%s: %s.%s: only plain little-endian integers are supported", v->path, m->name,
			 s->name);
	if (s->length == 0 || s->length > 64 || s->start + s->length > m->dlc * 8)
		gen_fail("%s: %s.%s: does not fit into the message", v->path, m->name, s->name);
	if (s->factor == 0)
		gen_fail("%s: %s.%s: factor 0", v->path, m->name, s->name);
	for (uint32_t i = 0; i < m->n_signals; i++) {
		const struct dbc_signal *o = &m->signals[i];

		if (o != s && o->start < s->start + s->length && s->start < o->start + o->length)
			gen_fail("%s: %s: %s and %s overlap", v->path, m->name, s->name, o->name);
	}
}

static bool is_reserved(const struct dbc_signal *s)
{
	return strncmp(s->name, "Reserved", 8) == 0;
}

/* Attribute "MemberName": a signal that another version calls by that name. */
static const char *member_name(const struct gen_version *v, const struct dbc_signal *s)
{
	const struct dbc_attr_value *a = dbc_find_attr(v->db, s->attrs, "MemberName");

	return a && a->text && a->text[0] ? a->text : s->name;
}

static struct gen_member *find_member(struct gen_message *m, const char *base)
{
	for (size_t i = 0; i < m->n_members; i++)
		if (strcmp(m->members[i]->base, base) == 0)
			return m->members[i];
	return NULL;
}

static struct gen_member *add_member(struct gen_message *m, char *base, const struct gen_unit *unit)
{
	struct gen_member *x = gen_alloc(sizeof(*x));

	x->base = base;
	x->unit = unit;
	x->name = gen_format("%s%s%s", base, unit->suffix,
			     gen_is_reserved_word(base) && !*unit->suffix ? "_" : "");
	m->members = realloc(m->members, (m->n_members + 1) * sizeof(struct gen_member *));
	if (!m->members)
		gen_fail("out of memory");
	m->members[m->n_members++] = x;
	return x;
}

static bool has_number(const struct gen_member *x, int64_t number, const char *name)
{
	for (size_t i = 0; i < x->n_values; i++)
		if (x->values[i].number == number &&
		    (name ? x->values[i].name && strcmp(x->values[i].name, name) == 0 : !x->values[i].name))
			return true;
	return false;
}

static void merge_values(struct gen_member *x, const struct dbc_signal *s, int version)
{
	for (uint32_t i = 0; i < s->values.n; i++) {
		char *name = s->values.list[i].name[0] ? gen_upper(gen_snake(s->values.list[i].name)) : NULL;

		if (has_number(x, s->values.list[i].number, name))
			continue;
		x->values = realloc(x->values, (x->n_values + 1) * sizeof(*x->values));
		if (!x->values)
			gen_fail("out of memory");
		x->values[x->n_values++] = (struct gen_value){s->values.list[i].number, name, version};
	}
}

/* The same name for another number in an older version gets that version's name. */
static void settle_names(const struct gen *g, struct gen_member *x)
{
	for (size_t i = 0; i < x->n_values; i++)
		for (size_t k = 0; k < i && x->values[i].name; k++)
			if (x->values[k].name && strcmp(x->values[k].name, x->values[i].name) == 0)
				x->values[i].name = gen_format("%s_%s", x->values[i].name,
							       g->versions[x->values[i].version].upper);
}

static int by_number(const void *a, const void *b)
{
	const struct gen_value *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return y->version - x->version;
}

static void add_field(struct gen *g, struct gen_message *m, int version, const struct dbc_signal *s)
{
	const struct gen_version *v = &g->versions[version];
	struct gen_layout *l = &m->layouts[version];
	const struct gen_unit *unit = find_unit(v, l->message, s);
	char *base = gen_snake(member_name(v, s));
	struct gen_member *x = find_member(m, base);
	struct gen_field f = {.signal = s};

	if (x && strcmp(x->unit->suffix, unit->suffix) != 0)
		gen_fail("%s: %s.%s: unit \"%s\" where a newer version has \"%s\"", v->path, m->name, s->name,
			 s->unit, x->unit->text);
	for (size_t i = 0; i < l->n_fields; i++)
		if (x && l->fields[i].member == x)
			gen_fail("%s: %s: two signals give the member %s", v->path, m->name, x->name);
	if (!x) {
		x = add_member(m, base, unit);
		x->comment = s->comment;
	}
	f.member = x;
	f.num = whole(v, l->message, s, s->factor * (double)unit->per_unit);
	f.add = whole(v, l->message, s, s->offset * (double)unit->per_unit);
	if (s->length > 53 && (f.num != 1 || f.add != 0))
		gen_fail("%s: %s.%s: a scaled signal of %u bits", v->path, m->name, s->name, s->length);
	if (f.num <= 0)
		gen_fail("%s: %s.%s: factor %g is not positive", v->path, m->name, s->name, s->factor);
	if (s->is_signed) {
		f.raw_min = -(int64_t)((uint64_t)1 << (s->length - 1));
		f.raw_max = (int64_t)(((uint64_t)1 << (s->length - 1)) - 1);
	} else {
		f.raw_max = s->length >= 64 ? INT64_MAX : (int64_t)(((uint64_t)1 << s->length) - 1);
	}
	int64_t lo = f.raw_min * f.num + f.add, hi = f.raw_max * f.num + f.add;
	x->min = lo < x->min ? lo : x->min;
	x->max = hi > x->max ? hi : x->max;
	merge_values(x, s, version);
	l->fields[l->n_fields++] = f;
}

/* Smallest type for members without unit; the unit's type otherwise. */
static void settle_type(const struct gen_message *m, struct gen_member *x)
{
	static const char *const names[2][4] = {{"uint8_t", "uint16_t", "uint32_t", "uint64_t"},
						{"int8_t", "int16_t", "int32_t", "int64_t"}};
	int k = 0;

	if (x->unit->type) {
		x->type = x->unit->type;
		x->size = x->unit->size;
		x->is_signed = x->unit->is_signed;
		int64_t top = x->size == 8 ? INT64_MAX : x->is_signed ? INT32_MAX : UINT32_MAX;
		int64_t bottom = x->is_signed ? -top - 1 : 0;
		if (x->min < bottom || x->max > top)
			gen_fail("%s.%s: %lld .. %lld does not fit %s", m->name, x->name, (long long)x->min,
				 (long long)x->max, x->type);
		return;
	}
	x->is_signed = x->min < 0;
	for (k = 0; k < 3; k++) {
		int bits = (8 << k) - x->is_signed;

		if (x->max < (int64_t)1 << bits && x->min >= -((int64_t)1 << bits))
			break;
	}
	x->type = names[x->is_signed][k];
	x->size = 1u << k;
}

static struct gen_message *find_message(struct gen *g, const char *snake)
{
	for (size_t i = 0; i < g->n_messages; i++)
		if (strcmp(g->messages[i].snake, snake) == 0)
			return &g->messages[i];
	return NULL;
}

static void add_message(struct gen *g, int version, const struct dbc_message *d)
{
	const struct gen_version *v = &g->versions[version];
	char *snake = gen_snake(d->name);
	struct gen_message *m = find_message(g, snake);

	check_message(v, d);
	if (!m) {
		g->messages = realloc(g->messages, (g->n_messages + 1) * sizeof(*m));
		if (!g->messages)
			gen_fail("out of memory");
		m = &g->messages[g->n_messages++];
		*m = (struct gen_message){.name = d->name, .snake = snake, .upper = gen_upper(snake)};
		m->comment = d->comment;
	}
	struct gen_layout *l = &m->layouts[version];
	if (l->message)
		gen_fail("%s: two messages give the name %s", v->path, snake);
	l->message = d;
	l->cycle_ms = dbc_cycle_ms(v->db, d);
	const struct dbc_attr_value *sent = dbc_find_attr(v->db, d->attrs, "SentLength");
	l->sent_length =
		sent && sent->number >= d->dlc && sent->number <= 8 ? (unsigned)sent->number : d->dlc;
	if (l->cycle_ms > UINT16_MAX)
		gen_fail("%s: %s: cycle time %u ms", v->path, d->name, l->cycle_ms);
	l->fields = gen_alloc(d->n_signals * sizeof(*l->fields));
	for (uint32_t i = 0; i < d->n_signals; i++) {
		check_signal(v, d, &d->signals[i]);
		if (!is_reserved(&d->signals[i]))
			add_field(g, m, version, &d->signals[i]);
	}
}

static void check_identifiers(const struct gen_version *v)
{
	for (uint32_t i = 0; i < v->db->n_messages; i++)
		for (uint32_t k = 0; k < i; k++)
			if (v->db->messages[i].raw_id == v->db->messages[k].raw_id)
				gen_fail("%s: %s and %s have the same identifier", v->path,
					 v->db->messages[k].name, v->db->messages[i].name);
}

void gen_build(struct gen *g)
{
	/* Newest first: its order, comments and value names lead. */
	for (int v = g->n_versions - 1; v >= 0; v--) {
		check_identifiers(&g->versions[v]);
		for (uint32_t i = 0; i < g->versions[v].db->n_messages; i++)
			add_message(g, v, &g->versions[v].db->messages[i]);
	}
	for (size_t i = 0; i < g->n_messages; i++) {
		struct gen_message *m = &g->messages[i];

		for (size_t k = 0; k < m->n_members; k++) {
			struct gen_member *x = m->members[k];

			settle_type(m, x);
			settle_names(g, x);
			if (x->n_values)
				qsort(x->values, x->n_values, sizeof(*x->values), by_number);
		}
	}
}
