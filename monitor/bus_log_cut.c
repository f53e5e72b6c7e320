/* SPDX-License-Identifier: MIT */
/*
 * bus-log cut: a part of a log, by time, by the module's state, or by session. States and sessions take the log twice:
 * once to find them, once to write.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "monitor/bus_log_args.h"
#include "monitor/bus_log_cmd.h"
#include "monitor/bus_log_find.h"
#include "monitor/log_write.h"

enum { SIDE_AUTO, SIDE_EVSE, SIDE_PEV };

struct settings {
	char from[64], to[64], state[128], channel[32];
	struct arg_list protocols;
	int32_t session, margin_ms, point, side;
};

#define AT(member)   offsetof(struct settings, member)
#define SIZE(member) sizeof(((struct settings *)0)->member)

static const struct opt_name sides[] = {
	{SIDE_AUTO, "auto"}, {SIDE_EVSE, "evse"}, {SIDE_PEV, "pev"}, {0, NULL}};

static const struct opt table[] = {
	{"from", 'f', OPT_TEXT, 0, "TIME", 0, 0, "", AT(from), SIZE(from), NULL,
	 "seconds from the first frame, since 1970, or a date"},
	{"to", 't', OPT_TEXT, 0, "TIME", 0, 0, "", AT(to), SIZE(to), NULL, "the same"},
	{"state", 's', OPT_TEXT, 0, "LIST", 0, 0, "", AT(state), SIZE(state), NULL,
	 "while the module is in one: Charging, 4..7, Precharge,6"},
	{"session", 'n', OPT_INT, 0, "N", -9999, 9999, "0", AT(session), 0, NULL,
	 "the Nth session, from 1; -1: the last one"},
	{"margin", 'm', OPT_MILLI, 0, "S", 0, 100000000, "0", AT(margin_ms), 0, NULL,
	 "and S seconds before and after"},
	{"point", 'p', OPT_INT, 0, "I", -1, 15, "-1", AT(point), 0, NULL,
	 "states and sessions of this pistol alone"},
	{"side", 0, OPT_ENUM, 0, "SIDE", 0, 0, "auto", AT(side), 0, sides,
	 "evse or pev; default: which is in the log"},
	{"protocol", 0, OPT_TEXT, ARG_LIST, "V", 0, 0, "", AT(protocols), 0, NULL, ARGS_PROTOCOL_HELP},
	{"channel", 0, OPT_TEXT, 0, "NAME", 0, 0, "", AT(channel), SIZE(channel), NULL,
	 "only frames of this channel"},
};

static const struct arg_command command = {
	.name = "cut",
	.operands = "LOG OUT",
	.purpose = "Writes a part of a log, all frames of it. OUT is written in candump's format, or in\n"
		   "that of Vector when it ends in .asc; - is standard output.\n",
	.notes = "States and sessions need a LOG that can be read twice: no pipe.\n",
	.table = table,
	.n_table = sizeof(table) / sizeof(table[0]),
	.min_operands = 2,
	.max_operands = 2,
};

struct cut {
	struct log_reader log;
	struct arg_span span;
	struct stretches keep; /* merged */
	bool has_keep;
	const char *channel;
	uint64_t n_written;
};

static bool is_channel(const struct cut *c, const struct log_entry *e)
{
	return !c->channel || strcmp(log_channel(&c->log, e->channel), c->channel) == 0;
}

/* --- finding ---------------------------------------------------------------------------------------------- */

/* The whole log through both; rc of log_next(). */
static int read_all(struct cut *c, struct finder f[2])
{
	struct log_entry e;
	int rc;

	while ((rc = log_next(&c->log, &e)) > 0) {
		if (!is_channel(c, &e))
			continue;
		find_rx(&f[MON_EVSE], e.time_us, &e.frame, e.n_lost);
		find_rx(&f[MON_PEV], e.time_us, &e.frame, e.n_lost);
	}
	return rc;
}

/* Which side is meant where nobody said: the charger's, unless it is not there or does not know the states. */
static enum mon_side choose(const struct settings *s, const struct finder f[2], bool is_evse_heard)
{
	if (s->side != SIDE_AUTO)
		return s->side == SIDE_EVSE ? MON_EVSE : MON_PEV;
	return is_evse_heard && (!s->state[0] || f[MON_EVSE].has_states) ? MON_EVSE : MON_PEV;
}

/* Fills c->keep. -1, or the exit status. */
static int take_stretches(struct cut *c, const struct settings *s, const struct finder *f)
{
	int64_t margin_us = s->margin_ms * INT64_C(1000);
	const struct stretches *from = s->state[0] ? &f->states : &f->sessions;
	size_t i, first = 0, last = from->n;

	if (s->state[0] && !f->has_states)
		return args_refuse(&command, "--state: \"%s\" names no state of the %s interface", s->state,
				   s->side == SIDE_AUTO	 ? "EVSE or PEV"
				   : f->side == MON_EVSE ? "EVSE"
							 : "PEV");
	if (s->session) {
		size_t n = (size_t)(s->session < 0 ? -s->session : s->session);

		if (n > from->n)
			return args_fail(command.name, "there %s %zu session%s in the log",
					 from->n == 1 ? "is" : "are", from->n, from->n == 1 ? "" : "s");
		first = s->session < 0 ? from->n - n : n - 1;
		last = first + 1;
	}
	for (i = first; i < last; i++)
		stretches_add(&c->keep, from->list[i].from_us - margin_us,
			      from->list[i].to_us == INT64_MAX ? INT64_MAX : from->list[i].to_us + margin_us);
	stretches_merge(&c->keep);
	c->has_keep = true;
	return c->keep.is_out_of_memory || from->is_out_of_memory
		       ? args_fail(command.name, "not enough memory")
		       : -1;
}

static int find(struct cut *c, const struct settings *s, struct finder f[2])
{
	bool is_evse_heard;
	int rc;

	rc = read_all(c, f);
	if (rc < 0)
		return args_fail(command.name, "%s", strerror(-rc));
	is_evse_heard = find_end(&f[MON_EVSE]);
	find_end(&f[MON_PEV]);
	rc = take_stretches(c, s, &f[choose(s, f, is_evse_heard)]);
	if (rc >= 0)
		return rc;
	rc = log_rewind(&c->log);
	return rc ? args_fail(command.name, "%s", strerror(-rc)) : -1;
}

/* -1, or the exit status. */
static int find_what(struct cut *c, const struct settings *s)
{
	struct finder f[2];
	unsigned evse, pev;
	int status = args_protocols(&command, &s->protocols, &evse, &pev);

	if (status >= 0)
		return status;
	if (log_rewind(&c->log))
		return args_fail(command.name, "states and sessions need a log that can be read twice");
	if (find_begin(&f[MON_EVSE], MON_EVSE, evse, s->point))
		return args_fail(command.name, "not enough memory");
	if (find_begin(&f[MON_PEV], MON_PEV, pev, s->point)) {
		find_free(&f[MON_EVSE]);
		return args_fail(command.name, "not enough memory");
	}
	if (s->state[0]) {
		find_want(&f[MON_EVSE], s->state);
		find_want(&f[MON_PEV], s->state);
	}
	status = find(c, s, f);
	find_free(&f[MON_EVSE]);
	find_free(&f[MON_PEV]);
	return status;
}

/* --- writing ---------------------------------------------------------------------------------------------- */

static int write_part(struct cut *c, enum log_format format, struct out *out)
{
	struct log_writer w;
	struct log_entry e;
	size_t hint = 0;
	uint32_t n_lost = 0;
	bool is_kept = false;
	char *p;
	int rc;

	log_write_init(&w, format);
	while ((rc = log_next(&c->log, &e)) > 0 && !out->error) {
		/* What was lost before a frame of another channel is lost before the next one of this. */
		n_lost += e.n_lost;
		if (!is_channel(c, &e))
			continue;
		e.n_lost = n_lost;
		n_lost = 0;
		is_kept = args_span_place(&c->span, e.time_us) == 0 &&
			  (!c->has_keep || stretches_have(&c->keep, e.time_us, &hint));
		if (!is_kept)
			continue;
		c->n_written++;
		p = out_begin(out, LOG_WRITE_MAX);
		out_end(out, p + log_write_entry(&w, &e, log_channel(&c->log, e.channel), p));
	}
	n_lost += c->log.lost_next;
	p = out_begin(out, LOG_WRITE_MAX);
	if (is_kept && n_lost) /* behind the last frame */
		out_end(out, p + log_write_lost(&w, n_lost, p));
	p = out_begin(out, LOG_WRITE_MAX);
	out_end(out, p + log_write_end(&w, p));
	return rc;
}

static int run(struct cut *c, const struct settings *s, const char *const path[])
{
	struct out out;
	int rc, status = -1;

	if (s->state[0] || s->session)
		status = find_what(c, s);
	if (status >= 0 || !args_open_out(command.name, &c->log, path[1], &out)) {
		log_close(&c->log);
		return status >= 0 ? status : EXIT_FAILED;
	}
	rc = write_part(c, log_format_of(path[1]), &out);
	status = args_close_out(command.name, path[1], &out);
	rc = args_close_log(command.name, path[0], &c->log, rc);
	if (status == EXIT_OK && rc == EXIT_OK && c->n_written == 0)
		fprintf(stderr, "bus-log cut: nothing of the log is in there\n");
	return status ? status : rc;
}

int bus_log_cut(int argc, char **argv)
{
	struct settings s = {0};
	struct cut c = {0};
	const char *path[3];
	int status = args_take(&command, &s, argc, argv, path);

	if (status >= 0)
		return status;
	if (s.state[0] && s.session)
		return args_refuse(&command, "--state or --session, not both");
	if (!s.state[0] && !s.session && s.margin_ms)
		return args_refuse(&command, "--margin goes with --state or --session");
	if (!s.from[0] && !s.to[0] && !s.state[0] && !s.session && !s.channel[0])
		return args_refuse(&command,
				   "say what to keep: --from, --to, --state, --session or --channel");
	if (!args_span(&command, s.from, s.to, &c.span))
		return EXIT_USAGE;
	c.channel = s.channel[0] ? s.channel : NULL;
	if (!args_open_log(command.name, path[0], &c.log))
		return EXIT_FAILED;
	status = run(&c, &s, path);
	stretches_free(&c.keep);
	return status;
}
