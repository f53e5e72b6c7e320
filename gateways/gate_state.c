/* SPDX-License-Identifier: MIT */
/* State of a point. Pure. */
#include "gateways/gate_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateways/gate_record.h"
#include "lib/core/log.h"
#include "lib/core/opts.h"

void gate_state_init(struct gate_state *s)
{
	memset(s, 0, sizeof(*s));
	s->reported = GATE_SILENT;
	s->is_local = s->has_grant = GATE_UNKNOWN;
	s->is_session_open = s->is_start_allowed = s->is_closed = GATE_UNKNOWN;
}

bool gate_state_is_same(const struct gate_state *a, const struct gate_state *b)
{
	return a->reported == b->reported && a->is_local == b->is_local && a->has_grant == b->has_grant &&
	       a->is_session_open == b->is_session_open && a->is_start_allowed == b->is_start_allowed &&
	       a->is_closed == b->is_closed && strcmp(a->controller, b->controller) == 0 &&
	       strcmp(a->faults, b->faults) == 0;
}

const char *gate_state_name(uint8_t reported)
{
	const struct msg_layout *l = &site_layouts[SITE_V1][SITE_POINT_REPORT];
	unsigned i;

	if (reported == GATE_SILENT)
		return "Silent";
	for (i = 0; i < l->n_fields; i++)
		if (l->fields[i].n_values > 0)
			return msg_value_name(&l->fields[i], reported);
	return NULL;
}

/* --- in words ------------------------------------------------------------------------------------------- */

struct words {
	char *text;
	size_t n;
};

static void say(struct words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct words *w, const char *format, ...)
{
	va_list args;
	int n;

	if (w->n >= GATE_TEXT_MAX - 1)
		return;
	va_start(args, format);
	n = vsnprintf(w->text + w->n, GATE_TEXT_MAX - w->n, format, args);
	va_end(args);
	if (n > 0)
		w->n += (size_t)n;
}

static const char *separator(const struct words *w)
{
	return w->n ? ", " : "";
}

static void say_reported(struct words *w, uint8_t from, uint8_t to)
{
	const char *old = gate_state_name(from), *new = gate_state_name(to);

	if (from != to)
		say(w, "%s -> %s", old ? old : "unnamed state", new ? new : "unnamed state");
}

static void say_flag(struct words *w, int from, int to, const char *yes, const char *no)
{
	if (from != to && to != GATE_UNKNOWN)
		say(w, "%s%s", separator(w), to ? yes : no);
}

int gate_state_describe(const struct gate_state *from, const struct gate_state *to, char text[GATE_TEXT_MAX])
{
	struct words w = {.text = text};
	int level = LOG_INF;

	text[0] = '\0';
	say_reported(&w, from->reported, to->reported);
	if (strcmp(from->controller, to->controller) != 0)
		say(&w, "%scontroller %s", separator(&w),
		    to->controller[0] ? to->controller : "does not answer");
	if (to->is_session_open == 0 && from->is_session_open != 1)
		; /* the first thing heard of it */
	else
		say_flag(&w, from->is_session_open, to->is_session_open, "session begins", "session ends");
	say_flag(&w, from->is_closed, to->is_closed, "contactors closed", "contactors open");
	say_flag(&w, from->is_start_allowed, to->is_start_allowed, "start allowed", "locked");
	say_flag(&w, from->has_grant, to->has_grant, "grant in force", "no grant in force");
	say_flag(&w, from->is_local, to->is_local, "taken out of the site's hand", "in the site's hand");
	if (strcmp(from->faults, to->faults) != 0)
		say(&w, "%s%s%s", separator(&w), to->faults[0] ? "faults: " : "no faults", to->faults);
	if (to->faults[0] && strcmp(from->faults, to->faults) != 0)
		level = LOG_ERR_LEVEL;
	else if ((to->reported == GATE_SILENT && from->reported != GATE_SILENT) ||
		 (!to->controller[0] && from->controller[0]))
		level = LOG_WARN;
	else if (from->reported != to->reported || from->is_session_open != to->is_session_open)
		level = LOG_NOTE;
	return level;
}

/* --- answers of the controller -------------------------------------------------------------------------- */

/* The line's key without the pistol's number; NULL: of another pistol. */
static const char *own_key(const char *line, unsigned number)
{
	char *end;
	unsigned long n;

	if (*line < '0' || *line > '9')
		return line;
	n = strtoul(line, &end, 10);
	return n == number && *end == '.' ? end + 1 : NULL;
}

static bool is_key(const char *key, size_t len, const char *name)
{
	return len == strlen(name) && memcmp(key, name, len) == 0;
}

static void copy(char *to, size_t size, const char *from, size_t len)
{
	if (len >= size)
		len = size - 1;
	memcpy(to, from, len);
	to[len] = '\0';
}

static int8_t flag_of(const char *value, size_t len)
{
	if (len != 1 || (*value != '0' && *value != '1'))
		return GATE_UNKNOWN;
	return (int8_t)(*value - '0');
}

static void take_value(struct gate_facts *f, const char *key, size_t key_len, const char *value, size_t len)
{
	char number[32];
	int64_t mA;

	if (is_key(key, key_len, "state")) {
		copy(f->controller, sizeof(f->controller), value, len);
	} else if (is_key(key, key_len, "session_open")) {
		f->is_session_open = flag_of(value, len);
	} else if (is_key(key, key_len, "start_allowed")) {
		f->is_start_allowed = flag_of(value, len);
	} else if (is_key(key, key_len, "contactors")) {
		f->is_closed = is_key(value, len, "closed") ? 1
			       : is_key(value, len, "open") ? 0
							    : GATE_UNKNOWN;
	} else if (is_key(key, key_len, "faults")) {
		f->has_faults = true;
		copy(f->faults, sizeof(f->faults), value, is_key(value, len, "none") ? 0 : len);
	} else if (is_key(key, key_len, "maximum_charge_current")) {
		copy(number, sizeof(number), value, len);
		f->max_charge_mA = opts_parse_milli(number, &mA) == 0 ? mA : -1;
	}
}

bool gate_facts_parse(struct gate_facts *f, const char *text, unsigned number)
{
	memset(f, 0, sizeof(*f));
	f->is_session_open = f->is_start_allowed = f->is_closed = GATE_UNKNOWN;
	f->max_charge_mA = -1;
	while (*text) {
		size_t n = strcspn(text, "\n");
		const char *key = own_key(text, number);
		const char *equals = memchr(text, '=', n);

		if (key && equals && key < equals)
			take_value(f, key, (size_t)(equals - key), equals + 1,
				   n - (size_t)(equals + 1 - text));
		text += n + (text[n] == '\n');
	}
	return f->controller[0] != '\0';
}

void gate_state_set_facts(struct gate_state *s, const struct gate_facts *f)
{
	s->is_session_open = f ? f->is_session_open : GATE_UNKNOWN;
	s->is_start_allowed = f ? f->is_start_allowed : GATE_UNKNOWN;
	s->is_closed = f ? f->is_closed : GATE_UNKNOWN;
	snprintf(s->controller, sizeof(s->controller), "%s", f ? f->controller : "");
	snprintf(s->faults, sizeof(s->faults), "%s", f ? f->faults : "");
}
