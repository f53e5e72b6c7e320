/* SPDX-License-Identifier: MIT */
/*
 * dbc list: messages and signals of a database, as a table or as JSON.
 */
#include "dbc/dbc_tools.h"

#include "dbc/dbc_text_out.h"

#include <inttypes.h>
#include <string.h>

static bool has_range(const struct dbc_signal *s)
{
	return s->min != 0 || s->max != 0;
}

static void json_names(FILE *out, const char *const *names, uint32_t n)
{
	bool is_first = true;

	putc('[', out);
	for (uint32_t i = 0; i < n; i++) {
		if (strcmp(names[i], "Vector__XXX") == 0)
			continue;
		if (!is_first)
			fputs(", ", out);
		is_first = false;
		dbc_json_string(out, names[i]);
	}
	putc(']', out);
}

static void json_mux(const struct dbc_message *m, const struct dbc_signal *s, FILE *out)
{
	if (s->is_multiplexor)
		fputs(", \"multiplexor\": true", out);
	if (s->mux_parent < 0)
		return;
	fputs(", \"selected_by\": ", out);
	dbc_json_string(out, m->signals[s->mux_parent].name);
	fputs(", \"selectors\": [", out);
	for (unsigned i = 0; i < s->n_mux; i++)
		fprintf(out, "%s[%" PRIu64 ", %" PRIu64 "]", i ? ", " : "", s->mux[i].first, s->mux[i].last);
	putc(']', out);
}

static void json_values(const struct dbc_signal *s, FILE *out)
{
	if (!s->values.n)
		return;
	fputs(", \"values\": {", out);
	for (uint32_t i = 0; i < s->values.n; i++) {
		fprintf(out, "%s\"%" PRId64 "\": ", i ? ", " : "", s->values.list[i].number);
		dbc_json_string(out, s->values.list[i].name);
	}
	putc('}', out);
}

static void json_signal(const struct dbc_message *m, const struct dbc_signal *s, FILE *out)
{
	static const char *const types[] = {"integer", "float", "double"};

	fputs("      ", out);
	dbc_json_string(out, s->name);
	fprintf(out,
		": {\"start\": %u, \"length\": %u, \"byte_order\": \"%s\", \"signed\": %s, \"type\": \"%s\"",
		s->start, s->length, s->is_motorola ? "big" : "little", s->is_signed ? "true" : "false",
		types[s->number]);
	fputs(", \"factor\": ", out);
	dbc_json_double(out, s->factor);
	fputs(", \"offset\": ", out);
	dbc_json_double(out, s->offset);
	fputs(", \"min\": ", out);
	has_range(s) ? dbc_json_double(out, s->min) : (void)fputs("null", out);
	fputs(", \"max\": ", out);
	has_range(s) ? dbc_json_double(out, s->max) : (void)fputs("null", out);
	fputs(", \"unit\": ", out);
	dbc_json_string(out, s->unit);
	fputs(", \"receivers\": ", out);
	json_names(out, s->receivers, s->n_receivers);
	json_mux(m, s, out);
	json_values(s, out);
	if (s->comment) {
		fputs(", \"comment\": ", out);
		dbc_json_string(out, s->comment);
	}
	putc('}', out);
}

static void json_message(const struct dbc_db *db, const struct dbc_message *m, FILE *out)
{
	fputs("  {\"name\": ", out);
	dbc_json_string(out, m->name);
	fprintf(out, ", \"id\": %u, \"extended\": %s, \"dlc\": %u, \"cycle_ms\": %u, \"sender\": ", m->id,
		m->is_extended ? "true" : "false", m->dlc, dbc_cycle_ms(db, m));
	dbc_json_string(out, m->sender);
	if (m->comment) {
		fputs(", \"comment\": ", out);
		dbc_json_string(out, m->comment);
	}
	fputs(",\n    \"signals\": {", out);
	for (unsigned i = 0; i < m->n_signals; i++) {
		fputs(i ? ",\n" : "\n", out);
		json_signal(m, &m->signals[i], out);
	}
	fputs("}}", out);
}

static void text_signal(const struct dbc_message *m, const struct dbc_signal *s, FILE *out)
{
	char factor[DBC_NUMBER_MAX], offset[DBC_NUMBER_MAX], min[DBC_NUMBER_MAX], max[DBC_NUMBER_MAX];

	dbc_format_double(s->factor, factor);
	dbc_format_double(s->offset, offset);
	dbc_format_double(s->min, min);
	dbc_format_double(s->max, max);
	fprintf(out, "  %-36s %3u|%-2u %c%c  (%s,%s)", s->name, s->start, s->length,
		s->is_motorola ? 'B' : 'L', s->number == DBC_INTEGER ? (s->is_signed ? 'S' : 'U') : 'F',
		factor, offset);
	if (has_range(s))
		fprintf(out, " [%s..%s]", min, max);
	if (s->unit[0])
		fprintf(out, " %s", s->unit);
	if (s->is_multiplexor)
		fputs(" multiplexor", out);
	if (s->mux_parent >= 0 && s->n_mux)
		fprintf(out, " if %s=%" PRIu64 "%s", m->signals[s->mux_parent].name, s->mux[0].first,
			s->n_mux > 1 || s->mux[0].last > s->mux[0].first ? ".." : "");
	for (uint32_t i = 0; i < s->values.n; i++)
		fprintf(out, "%s%" PRId64 "=%s", i ? " " : "  ", s->values.list[i].number,
			s->values.list[i].name);
	putc('\n', out);
}

static void text_message(const struct dbc_db *db, const struct dbc_message *m, FILE *out)
{
	unsigned cycle_ms = dbc_cycle_ms(db, m);

	fprintf(out, m->is_extended ? "%08X" : "%03X", m->id);
	fprintf(out, " %s, %u bytes", m->name, m->dlc);
	if (cycle_ms)
		fprintf(out, ", every %u ms", cycle_ms);
	if (m->sender[0] && strcmp(m->sender, "Vector__XXX") != 0)
		fprintf(out, ", from %s", m->sender);
	putc('\n', out);
	for (unsigned i = 0; i < m->n_signals && !ferror(out); i++)
		text_signal(m, &m->signals[i], out);
}

void dbc_list(const struct dbc_db *db, bool is_json, FILE *out)
{
	if (!is_json) {
		for (uint32_t i = 0; i < db->n_messages && !ferror(out); i++)
			text_message(db, &db->messages[i], out);
		return;
	}
	fputs("[\n", out);
	for (uint32_t i = 0; i < db->n_messages && !ferror(out); i++) {
		if (i)
			fputs(",\n", out);
		json_message(db, &db->messages[i], out);
	}
	fputs("\n]\n", out);
}
