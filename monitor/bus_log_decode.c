/* SPDX-License-Identifier: MIT */
/*
 * bus-log decode: a log in words.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "monitor/bus_log_cmd.h"
#include "monitor/bus_log_print.h"

enum side { SIDE_AUTO, SIDE_EVSE, SIDE_PEV, SIDE_PLUG, SIDE_SITE };

struct settings {
	int32_t side, format, index, is_changes, is_all;
	struct arg_list protocols, files, ids, names;
	char output[256], from[64], to[64];
};

static const struct opt_name sides[] = {{SIDE_AUTO, "auto"}, {SIDE_EVSE, "evse"}, {SIDE_PEV, "pev"},
					{SIDE_PLUG, "plug"}, {SIDE_SITE, "site"}, {0, NULL}};
static const struct opt_name formats[] = {
	{DICT_TEXT, "text"}, {DICT_CSV, "csv"}, {DICT_JSON, "json"}, {0, NULL}};

#define AT(member) offsetof(struct settings, member)

static const struct opt table[] = {
	{"format", 'f', OPT_ENUM, 0, "FORMAT", 0, 0, "text", AT(format), 0, formats,
	 "text (default), csv, json"},
	{"output", 'o', OPT_TEXT, 0, "FILE", 0, 0, "", AT(output), sizeof(((struct settings *)0)->output),
	 NULL, "default: standard output"},
	{"changes", 'c', OPT_BOOL, 0, "", 0, 0, "no", AT(is_changes), 0, NULL,
	 "messages with a new content, only what is new in them"},
	{"all", 'a', OPT_BOOL, 0, "", 0, 0, "no", AT(is_all), 0, NULL, "every frame (the default)"},
	{"side", 's', OPT_ENUM, 0, "SIDE", 0, 0, "auto", AT(side), 0, sides,
	 "evse, pev, plug, site; default: all of them"},
	{"protocol", 'p', OPT_TEXT, ARG_LIST, "V", 0, 0, "", AT(protocols), 0, NULL, ARGS_PROTOCOL_HELP},
	{"dbc", 'd', OPT_TEXT, ARG_LIST, "FILE", 0, 0, "", AT(files), 0, NULL,
	 "this database in place of our own; may be repeated"},
	{"index", 'n', OPT_INT, 0, "N", -1, 31, "-1", AT(index), 0, NULL,
	 "only this pistol, of 29-bit identifiers"},
	{"id", 'i', OPT_TEXT, ARG_LIST, "LIST", 0, 0, "", AT(ids), 0, NULL,
	 "only these: 123, 0106B000, 123:7F0 (mask)"},
	{"message", 'm', OPT_TEXT, ARG_LIST, "NAME", 0, 0, "", AT(names), 0, NULL,
	 "only this message; may be repeated"},
	{"from", 0, OPT_TEXT, 0, "TIME", 0, 0, "", AT(from), sizeof(((struct settings *)0)->from), NULL,
	 "seconds from the first frame, since 1970, or a date"},
	{"to", 0, OPT_TEXT, 0, "TIME", 0, 0, "", AT(to), sizeof(((struct settings *)0)->to), NULL,
	 "the same"},
};

static const struct arg_command command = {
	.name = "decode",
	.operands = "LOG",
	.purpose = "Prints the frames of a log in words: time, channel, identifier, message, and its\n"
		   "signals with units and names of values. LOG: candump or ASC; - is standard input.\n",
	.notes = "",
	.table = table,
	.n_table = sizeof(table) / sizeof(table[0]),
	.min_operands = 1,
	.max_operands = 1,
};

/* -1, or the exit status. */
static int configure(const struct settings *s, struct dict_cfg *cfg)
{
	bool is_all = s->side == SIDE_AUTO && s->files.n == 0;
	char err[200];

	memset(cfg, 0, sizeof(*cfg));
	cfg->format = (enum dict_format)s->format;
	cfg->has_evse = is_all || s->side == SIDE_EVSE;
	cfg->has_pev = is_all || s->side == SIDE_PEV;
	cfg->has_plug = is_all || s->side == SIDE_PLUG;
	cfg->has_site = is_all || s->side == SIDE_SITE;
	cfg->files = s->files;
	cfg->index = s->index;
	cfg->is_indexed = s->index >= 0;
	cfg->names = s->names;
	if (args_protocols(&command, &s->protocols, &cfg->evse_version, &cfg->pev_version) >= 0)
		return EXIT_USAGE;
	if (filter_take(&cfg->ids, &s->ids, err, sizeof(err)))
		return args_refuse(&command, "--id: %s", err);
	if (s->is_all && s->is_changes)
		return args_refuse(&command, "--all or --changes, not both");
	return -1;
}

static bool has_message(const struct dict *d, const char *name)
{
	unsigned i;

	for (i = 0; i < d->n_msgs; i++)
		if (strcasecmp(d->msg[i].name, name) == 0)
			return true;
	return false;
}

/* The whole log; 0 or a negative errno of reading. Ends early when nobody takes the output. */
static int decode(struct printer *p, struct log_reader *r, struct arg_span *span)
{
	bool has_span = span->from.is_set || span->to.is_set;
	struct log_entry e;
	int rc, place = 0;

	print_begin(p);
	while ((rc = log_next(r, &e)) > 0) {
		if (has_span)
			place = args_span_place(span, e.time_us);
		if (place == 0)
			print_entry(p, &e);
		if (p->out->error)
			return 0;
	}
	if (place == 0)
		print_end(p);
	return rc;
}

static int run(const struct settings *s, const struct dict_cfg *cfg, const char *path, struct arg_span *span)
{
	struct dict d;
	struct log_reader r;
	struct printer p;
	struct out out;
	char err[400];
	int rc, status;
	unsigned i;

	if (dict_build(&d, cfg, err, sizeof(err))) {
		dict_free(&d);
		return args_fail(command.name, "%s", err);
	}
	for (i = 0; i < s->names.n; i++)
		if (!has_message(&d, s->names.item[i])) {
			dict_free(&d);
			return args_refuse(&command, "--message: nobody knows \"%s\"", s->names.item[i]);
		}
	if (!args_open_log(command.name, path, &r)) {
		dict_free(&d);
		return EXIT_FAILED;
	}
	if (!args_open_out(command.name, &r, s->output, &out)) {
		log_close(&r);
		dict_free(&d);
		return EXIT_FAILED;
	}
	print_init(&p, &out, &d, &r, s->is_changes);
	rc = decode(&p, &r, span);
	status = args_close_out(command.name, s->output, &out);
	dict_free(&d);
	rc = args_close_log(command.name, path, &r, rc);
	return status ? status : rc;
}

int bus_log_decode(int argc, char **argv)
{
	struct settings s = {0};
	struct dict_cfg cfg;
	struct arg_span span;
	const char *path[2];
	int status = args_take(&command, &s, argc, argv, path);

	if (status < 0)
		status = configure(&s, &cfg);
	if (status >= 0)
		return status;
	if (!args_span(&command, s.from, s.to, &span))
		return EXIT_USAGE;
	return run(&s, &cfg, path[0], &span);
}
