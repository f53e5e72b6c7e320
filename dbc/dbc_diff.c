/* SPDX-License-Identifier: MIT */
/*
 * dbc diff: what changed between two databases, message by message and signal by signal.
 */
#include "dbc/dbc_tools.h"

#include "dbc/dbc_text_out.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

struct differ {
	FILE *out;
	unsigned n;
	const char *title; /* of the message under comparison */
	bool has_title;
};

__attribute__((format(printf, 2, 3))) static void line(struct differ *d, const char *format, ...)
{
	va_list ap;

	if (d->title && !d->has_title) {
		fprintf(d->out, "~ %s\n", d->title);
		d->has_title = true;
	}
	d->n++;
	fputs(d->title ? "    " : "", d->out);
	va_start(ap, format);
	vfprintf(d->out, format, ap);
	va_end(ap);
	putc('\n', d->out);
}

static void changed_number(struct differ *d, const char *what, double a, double b)
{
	char x[DBC_NUMBER_MAX], y[DBC_NUMBER_MAX];

	if (a == b)
		return;
	dbc_format_double(a, x);
	dbc_format_double(b, y);
	line(d, "%s: %s -> %s", what, x, y);
}

static void changed_text(struct differ *d, const char *what, const char *a, const char *b)
{
	if (strcmp(a, b) != 0)
		line(d, "%s: \"%s\" -> \"%s\"", what, a, b);
}

static void changed_id(struct differ *d, const struct dbc_message *a, const struct dbc_message *b)
{
	if (a->raw_id != b->raw_id)
		line(d, "id: 0x%X%s -> 0x%X%s", a->id, a->is_extended ? " (29 bit)" : "", b->id,
		     b->is_extended ? " (29 bit)" : "");
}

static const char *value_name(const struct dbc_signal *s, int64_t number)
{
	for (uint32_t i = 0; i < s->values.n; i++)
		if (s->values.list[i].number == number)
			return s->values.list[i].name;
	return NULL;
}

static void changed_values(struct differ *d, const struct dbc_signal *a, const struct dbc_signal *b)
{
	for (uint32_t i = 0; i < a->values.n; i++) {
		const struct dbc_value *v = &a->values.list[i];
		const char *now = value_name(b, v->number);

		if (!now)
			line(d, "- %s value %" PRId64 " \"%s\"", a->name, v->number, v->name);
		else if (strcmp(now, v->name) != 0)
			line(d, "~ %s value %" PRId64 ": \"%s\" -> \"%s\"", a->name, v->number, v->name, now);
	}
	for (uint32_t i = 0; i < b->values.n; i++)
		if (!value_name(a, b->values.list[i].number))
			line(d, "+ %s value %" PRId64 " \"%s\"", b->name, b->values.list[i].number,
			     b->values.list[i].name);
}

static const char *number_name(const struct dbc_signal *s)
{
	return s->number == DBC_FLOAT32	  ? "float"
	       : s->number == DBC_FLOAT64 ? "double"
	       : s->is_signed		  ? "signed"
					  : "unsigned";
}

static bool is_same_mux(const struct dbc_message *ma, const struct dbc_signal *a,
			const struct dbc_message *mb, const struct dbc_signal *b)
{
	if (a->is_multiplexor != b->is_multiplexor || a->n_mux != b->n_mux ||
	    (a->mux_parent < 0) != (b->mux_parent < 0))
		return false;
	if (a->n_mux && memcmp(a->mux, b->mux, a->n_mux * sizeof(*a->mux)) != 0)
		return false;
	return a->mux_parent < 0 ||
	       strcmp(ma->signals[a->mux_parent].name, mb->signals[b->mux_parent].name) == 0;
}

static void changed_signal(struct differ *d, const struct dbc_message *ma, const struct dbc_signal *a,
			   const struct dbc_message *mb, const struct dbc_signal *b)
{
	char what[200];

#define WHAT(word) (snprintf(what, sizeof(what), "~ %.150s %s", a->name, word), what)
	changed_number(d, WHAT("start"), a->start, b->start);
	changed_number(d, WHAT("length"), a->length, b->length);
	changed_text(d, WHAT("byte order"), a->is_motorola ? "big" : "little",
		     b->is_motorola ? "big" : "little");
	changed_text(d, WHAT("type"), number_name(a), number_name(b));
	changed_number(d, WHAT("factor"), a->factor, b->factor);
	changed_number(d, WHAT("offset"), a->offset, b->offset);
	changed_number(d, WHAT("minimum"), a->min, b->min);
	changed_number(d, WHAT("maximum"), a->max, b->max);
	changed_text(d, WHAT("unit"), a->unit, b->unit);
#undef WHAT
	if (!is_same_mux(ma, a, mb, b))
		line(d, "~ %s multiplexing", a->name);
	changed_values(d, a, b);
}

static void signal_line(struct differ *d, char sign, const struct dbc_signal *s)
{
	char factor[DBC_NUMBER_MAX], offset[DBC_NUMBER_MAX];

	dbc_format_double(s->factor, factor);
	dbc_format_double(s->offset, offset);
	line(d, "%c %s %u|%u %s %s (%s,%s)%s%s", sign, s->name, s->start, s->length,
	     s->is_motorola ? "big" : "little", number_name(s), factor, offset, s->unit[0] ? " " : "",
	     s->unit);
}

/* By full name: short ones may differ by accident. */
static const struct dbc_signal *same_signal(const struct dbc_message *m, const char *name)
{
	for (unsigned i = 0; i < m->n_signals; i++)
		if (strcmp(m->signals[i].name, name) == 0)
			return &m->signals[i];
	return NULL;
}

static const struct dbc_message *same_message(const struct dbc_db *db, const char *name)
{
	for (uint32_t i = 0; i < db->n_messages; i++)
		if (strcmp(db->messages[i].name, name) == 0)
			return &db->messages[i];
	return NULL;
}

static void changed_message(struct differ *d, const struct dbc_db *da, const struct dbc_message *a,
			    const struct dbc_db *db, const struct dbc_message *b)
{
	d->title = a->name;
	d->has_title = false;
	changed_id(d, a, b);
	changed_number(d, "length", a->dlc, b->dlc);
	changed_number(d, "cycle in ms", dbc_cycle_ms(da, a), dbc_cycle_ms(db, b));
	changed_text(d, "sender", a->sender, b->sender);
	for (unsigned i = 0; i < a->n_signals; i++) {
		const struct dbc_signal *s = &a->signals[i], *now = same_signal(b, s->name);

		if (now)
			changed_signal(d, a, s, b, now);
		else
			signal_line(d, '-', s);
	}
	for (unsigned i = 0; i < b->n_signals; i++)
		if (!same_signal(a, b->signals[i].name))
			signal_line(d, '+', &b->signals[i]);
	d->title = NULL;
}

static void message_line(struct differ *d, char sign, const struct dbc_message *m)
{
	line(d, "%c %s 0x%X, %u bytes, %u signals", sign, m->name, m->id, m->dlc, m->n_signals);
}

unsigned dbc_diff(const struct dbc_db *a, const struct dbc_db *b, FILE *out)
{
	struct differ d = {out, 0, NULL, false};

	for (uint32_t i = 0; i < a->n_messages && !ferror(out); i++) {
		const struct dbc_message *m = &a->messages[i], *now = same_message(b, m->name);

		if (now)
			changed_message(&d, a, m, b, now);
		else
			message_line(&d, '-', m);
	}
	for (uint32_t i = 0; i < b->n_messages && !ferror(out); i++)
		if (!same_message(a, b->messages[i].name))
			message_line(&d, '+', &b->messages[i]);
	return d.n;
}
