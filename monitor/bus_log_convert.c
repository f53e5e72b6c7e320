/* SPDX-License-Identifier: MIT */
/*
 * bus-log convert: a log in another format.
 */
#include <errno.h>
#include <string.h>

#include "monitor/bus_log_args.h"
#include "monitor/bus_log_cmd.h"
#include "monitor/log_write.h"

struct settings {
	int32_t to;
};

static const struct opt_name formats[] = {
	{LOG_UNKNOWN, "auto"}, {LOG_CANDUMP, "candump"}, {LOG_ASC, "asc"}, {0, NULL}};

static const struct opt table[] = {
	{"to", 't', OPT_ENUM, 0, "FORMAT", 0, 0, "auto", offsetof(struct settings, to), 0, formats,
	 "candump or asc; default: by the ending of OUT (.asc)"},
};

static const struct arg_command command = {
	.name = "convert",
	.operands = "LOG OUT",
	.purpose = "Writes a log in another format: candump -L to Vector ASC and back. With - for OUT\n"
		   "(standard output) and no --to, it is the format that LOG does not have.\n",
	.notes = "ASC knows channels by number (can0 is 1) and no details of error frames; its date is\n"
		 "local time. Binary logs (BLF) cannot be read.\n",
	.table = table,
	.n_table = 1,
	.min_operands = 2,
	.max_operands = 2,
};

static enum log_format choose(const struct settings *s, const struct log_reader *r, const char *path)
{
	if (s->to != LOG_UNKNOWN)
		return (enum log_format)s->to;
	if (strcmp(path, "-") != 0)
		return log_format_of(path);
	return r->format == LOG_ASC ? LOG_CANDUMP : LOG_ASC;
}

static int convert(struct log_reader *r, const struct settings *s, const char *path, struct out *out)
{
	struct log_writer w;
	struct log_entry e;
	int rc = log_next(r, &e);
	char *p;

	/* The first frame tells the format of the log. */
	log_write_init(&w, choose(s, r, path));
	for (; rc > 0 && !out->error; rc = log_next(r, &e)) {
		/* ASC always tells the direction; candump only where it matters. */
		if (r->format == LOG_ASC && e.direction == 'R')
			e.direction = 0;
		p = out_begin(out, LOG_WRITE_MAX);
		out_end(out, p + log_write_entry(&w, &e, log_channel(r, e.channel), p));
	}
	if (r->lost_next) {
		p = out_begin(out, LOG_WRITE_MAX);
		out_end(out, p + log_write_lost(&w, r->lost_next, p));
	}
	p = out_begin(out, LOG_WRITE_MAX);
	out_end(out, p + log_write_end(&w, p));
	return rc;
}

int bus_log_convert(int argc, char **argv)
{
	struct settings s = {0};
	struct log_reader r;
	struct out out;
	const char *path[3];
	int rc, status = args_take(&command, &s, argc, argv, path);

	if (status >= 0)
		return status;
	if (!args_open_log(command.name, path[0], &r))
		return EXIT_FAILED;
	if (!args_open_out(command.name, &r, path[1], &out)) {
		log_close(&r);
		return EXIT_FAILED;
	}
	rc = convert(&r, &s, path[1], &out);
	status = args_close_out(command.name, path[1], &out);
	rc = args_close_log(command.name, path[0], &r, rc);
	return status ? status : rc;
}
