/* SPDX-License-Identifier: MIT */
/*
 * dbc check: what the grammar allows but no bus can carry, or no reader would expect.
 */
#include "dbc/dbc_tools.h"

#include "dbc/dbc_text_out.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct checker {
	const struct dbc_db *db;
	FILE *out;
	unsigned n;
};

__attribute__((format(printf, 3, 4))) static void problem(struct checker *c, uint32_t at, const char *format,
							  ...)
{
	unsigned line, column;
	va_list ap;

	c->n++;
	dbc_locate(c->db, at, &line, &column);
	fprintf(c->out, "%s:%u:%u: ", c->db->file, line, column);
	va_start(ap, format);
	vfprintf(c->out, format, ap);
	va_end(ap);
	putc('\n', c->out);
}

static bool is_identifier(const char *s)
{
	if (isdigit((unsigned char)*s) || !*s)
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && *s != '_')
			return false;
	return true;
}

static bool is_node(const struct dbc_db *db, const char *name)
{
	if (!name[0] || strcmp(name, "Vector__XXX") == 0)
		return true;
	for (uint32_t i = 0; i < db->n_nodes; i++)
		if (strcmp(db->nodes[i].name, name) == 0)
			return true;
	return false;
}

static bool is_fd_length(unsigned dlc)
{
	return dlc <= 8 || dlc == 12 || dlc == 16 || dlc == 20 || dlc == 24 || dlc == 32 || dlc == 48 ||
	       dlc == 64;
}

/* Bits of the payload that a signal takes, as a map of bytes. */
static void mark_bits(const struct dbc_signal *s, uint8_t map[DBC_MAX_DLC])
{
	unsigned bit = s->start;

	for (unsigned i = 0; i < s->length && bit / 8 < DBC_MAX_DLC; i++) {
		map[bit / 8] |= (uint8_t)(1u << bit % 8);
		if (s->is_motorola)
			bit = bit % 8 ? bit - 1 : bit + 15;
		else
			bit++;
	}
}

static unsigned end_byte(const struct dbc_signal *s)
{
	unsigned first = s->is_motorola ? s->start / 8u * 8u + (7u - s->start % 8u) : s->start;

	return s->length ? (first + s->length - 1) / 8 + 1 : 0;
}

static bool do_ranges_meet(const struct dbc_signal *a, const struct dbc_signal *b)
{
	for (unsigned i = 0; i < a->n_mux; i++)
		for (unsigned k = 0; k < b->n_mux; k++)
			if (a->mux[i].first <= b->mux[k].last && b->mux[k].first <= a->mux[i].last)
				return true;
	return false;
}

/* Can both be in one frame? Not if, somewhere up, one multiplexor would need two numbers. */
static bool can_meet(const struct dbc_message *m, const struct dbc_signal *a, const struct dbc_signal *b)
{
	int depth = 0;

	for (const struct dbc_signal *x = a; x->mux_parent >= 0 && depth < 64;
	     x = &m->signals[x->mux_parent], depth++) {
		int other = 0;

		for (const struct dbc_signal *y = b; y->mux_parent >= 0 && other < 64;
		     y = &m->signals[y->mux_parent], other++)
			if (x->mux_parent == y->mux_parent && !do_ranges_meet(x, y))
				return false;
	}
	return true;
}

static bool is_shared(const uint8_t a[DBC_MAX_DLC], const uint8_t b[DBC_MAX_DLC])
{
	for (unsigned i = 0; i < DBC_MAX_DLC; i++)
		if (a[i] & b[i])
			return true;
	return false;
}

static void check_overlaps(struct checker *c, const struct dbc_message *m)
{
	uint8_t(*maps)[DBC_MAX_DLC] = calloc(m->n_signals ? m->n_signals : 1, sizeof(*maps));
	uint8_t all[DBC_MAX_DLC] = {0};

	if (!maps)
		return;
	for (unsigned i = 0; i < m->n_signals; i++) {
		mark_bits(&m->signals[i], maps[i]);
		/* Most share nothing with any signal before. */
		for (unsigned k = 0; is_shared(all, maps[i]) && k < i; k++)
			if (is_shared(maps[k], maps[i]) && can_meet(m, &m->signals[i], &m->signals[k]))
				problem(c, m->signals[i].at, "%s.%s overlaps %s", m->name, m->signals[i].name,
					m->signals[k].name);
		for (unsigned b = 0; b < DBC_MAX_DLC; b++)
			all[b] |= maps[i][b];
	}
	free(maps);
}

/* Declared range against what the field can hold. */
static void check_range(struct checker *c, const struct dbc_message *m, const struct dbc_signal *s)
{
	double bits = s->is_signed ? s->length - 1 : s->length;
	double a = (s->is_signed ? -ldexp(1, (int)bits) : 0) * s->factor + s->offset;
	double b = (ldexp(1, (int)bits) - 1) * s->factor + s->offset;
	double low = fmin(a, b), high = fmax(a, b), slack = 1e-9 * fmax(fabs(low), fabs(high));
	char text[2][DBC_NUMBER_MAX];

	if (s->min > s->max) {
		problem(c, s->at, "%s.%s: the minimum is above the maximum", m->name, s->name);
		return;
	}
	if (s->number != DBC_INTEGER || (s->min == 0 && s->max == 0))
		return;
	if (s->min < low - slack || s->max > high + slack) {
		dbc_format_double(low, text[0]);
		dbc_format_double(high, text[1]);
		problem(c, s->at, "%s.%s: the range goes beyond %s .. %s, which is what the bits can hold",
			m->name, s->name, text[0], text[1]);
	}
}

static void check_values(struct checker *c, const struct dbc_message *m, const struct dbc_signal *s)
{
	for (uint32_t i = 0; i < s->values.n && s->length < 64 && s->length && s->number == DBC_INTEGER;
	     i++) {
		int64_t v = s->values.list[i].number;
		int64_t top = (int64_t)1 << (s->is_signed ? s->length - 1 : s->length);

		if (v >= top || v < (s->is_signed ? -top : 0))
			problem(c, s->at, "%s.%s: value %lld (%s) does not fit into %u bits", m->name,
				s->name, (long long)v, s->values.list[i].name, s->length);
		for (uint32_t k = 0; k < i; k++)
			if (s->values.list[k].number == v)
				problem(c, s->at, "%s.%s: value %lld has two names", m->name, s->name,
					(long long)v);
	}
}

static void check_signal(struct checker *c, const struct dbc_message *m, unsigned i)
{
	const struct dbc_signal *s = &m->signals[i];

	if (!is_identifier(s->name))
		problem(c, s->at, "%s.%s: the name is no identifier", m->name, s->name);
	for (unsigned k = 0; k < i; k++)
		if (strcmp(m->signals[k].name, s->name) == 0)
			problem(c, s->at, "%s.%s: there are two signals of that name", m->name, s->name);
	if (s->length == 0 || s->length > DBC_MAX_LENGTH)
		problem(c, s->at, "%s.%s: %u bits, expected 1 to 64", m->name, s->name, s->length);
	else if (end_byte(s) > m->dlc)
		problem(c, s->at, "%s.%s ends in byte %u, the message has %u", m->name, s->name, end_byte(s),
			m->dlc);
	if ((s->number == DBC_FLOAT32 && s->length != 32) || (s->number == DBC_FLOAT64 && s->length != 64))
		problem(c, s->at, "%s.%s: a float of %u bits", m->name, s->name, s->length);
	if (s->factor == 0)
		problem(c, s->at, "%s.%s: the factor is 0", m->name, s->name);
	if (s->n_mux && s->mux_parent < 0)
		problem(c, s->at, "%s.%s is multiplexed, but the message has no multiplexor", m->name,
			s->name);
	int depth = 0;
	for (int p = s->mux_parent; p >= 0 && depth <= 64; p = m->signals[p].mux_parent)
		depth++;
	if (depth > 60)
		problem(c, s->at, "%s.%s: multiplexors that select each other", m->name, s->name);
	for (unsigned k = 0; k < s->n_receivers; k++)
		if (!is_node(c->db, s->receivers[k]))
			problem(c, s->at, "%s.%s: receiver %s is no node", m->name, s->name, s->receivers[k]);
	check_range(c, m, s);
	check_values(c, m, s);
}

static void check_message(struct checker *c, const struct dbc_message *m)
{
	if (!is_identifier(m->name))
		problem(c, m->at, "%s: the name is no identifier", m->name);
	if (m->id > (m->is_extended ? 0x1fffffffu : 0x7ffu))
		problem(c, m->at, "%s: identifier 0x%X does not fit into %d bits", m->name, m->id,
			m->is_extended ? 29 : 11);
	if (!is_fd_length(m->dlc))
		problem(c, m->at, "%s: no frame has %u bytes", m->name, m->dlc);
	if (!is_node(c->db, m->sender))
		problem(c, m->at, "%s: sender %s is no node", m->name, m->sender);
	unsigned n_plain = 0;
	for (unsigned i = 0; i < m->n_signals; i++) {
		check_signal(c, m, i);
		n_plain += m->signals[i].is_multiplexor && !m->signals[i].n_mux;
	}
	/* With ranges given for every signal, several are in order. */
	for (unsigned i = 0; n_plain > 1 && i < m->n_signals; i++)
		if (m->signals[i].n_mux && m->signals[i].mux_parent < 0)
			problem(c, m->signals[i].at, "%s.%s: which multiplexor selects it?", m->name,
				m->signals[i].name);
	check_overlaps(c, m);
}

struct named {
	const struct dbc_message *m;
};

static int by_name(const void *a, const void *b)
{
	const struct dbc_message *x = ((const struct named *)a)->m, *y = ((const struct named *)b)->m;
	int d = strcmp(x->name, y->name);

	return d ? d : x->at < y->at ? -1 : 1;
}

static int by_id(const void *a, const void *b)
{
	const struct dbc_message *x = ((const struct named *)a)->m, *y = ((const struct named *)b)->m;

	return x->raw_id != y->raw_id ? (x->raw_id < y->raw_id ? -1 : 1) : x->at < y->at ? -1 : 1;
}

static void check_duplicates(struct checker *c)
{
	uint32_t n = c->db->n_messages;
	struct named *list = calloc(n ? n : 1, sizeof(*list));

	if (!list)
		return;
	for (uint32_t i = 0; i < n; i++)
		list[i].m = &c->db->messages[i];
	if (n)
		qsort(list, n, sizeof(*list), by_name);
	for (uint32_t i = 1; i < n; i++)
		if (strcmp(list[i].m->name, list[i - 1].m->name) == 0)
			problem(c, list[i].m->at, "%s: there are two messages of that name", list[i].m->name);
	if (n)
		qsort(list, n, sizeof(*list), by_id);
	for (uint32_t i = 1; i < n; i++)
		if (list[i].m->raw_id == list[i - 1].m->raw_id)
			problem(c, list[i].m->at, "%s: the identifier is that of %s", list[i].m->name,
				list[i - 1].m->name);
	free(list);
}

unsigned dbc_check(const struct dbc_db *db, FILE *out)
{
	struct checker c = {db, out, 0};

	for (const struct dbc_note *n = db->notes; n; n = n->next)
		problem(&c, n->at, "%s", n->text);
	check_duplicates(&c);
	for (uint32_t i = 0; i < db->n_messages && !ferror(out); i++)
		if (!db->messages[i].is_independent)
			check_message(&c, &db->messages[i]);
	return c.n;
}
