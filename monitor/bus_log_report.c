/* SPDX-License-Identifier: MIT */
/*
 * bus-log report: options, and from log to page.
 */
#include "monitor/bus_log_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "monitor/bus_log_args.h"
#include "monitor/bus_log_report_html.h"

enum { SIDE_BOTH, SIDE_EVSE, SIDE_PEV };

struct settings {
	char output[512], channel[32];
	struct arg_list protocols;
	int32_t side, bitrate, is_quiet;
};

#define AT(member)   offsetof(struct settings, member)
#define SIZE(member) sizeof(((struct settings *)0)->member)

static const struct opt_name sides[] = {
	{SIDE_BOTH, "both"}, {SIDE_EVSE, "evse"}, {SIDE_PEV, "pev"}, {0, NULL}};

static const struct opt table[] = {
	{"output", 'o', OPT_TEXT, 0, "FILE", 0, 0, "", AT(output), SIZE(output), NULL,
	 "the page (default: LOG with .html for its ending)"},
	{"side", 's', OPT_ENUM, 0, "SIDE", 0, 0, "both", AT(side), 0, sides, "evse, pev or both (default)"},
	{"protocol", 'p', OPT_TEXT, ARG_LIST, "V", 0, 0, "", AT(protocols), 0, NULL, ARGS_PROTOCOL_HELP},
	{"channel", 0, OPT_TEXT, 0, "NAME", 0, 0, "", AT(channel), SIZE(channel), NULL,
	 "only frames of this channel"},
	{"bitrate", 'b', OPT_INT, 0, "N", 10000, 1000000, "500000", AT(bitrate), 0, NULL,
	 "bit/s of the bus, for its load (default 500000)"},
	{"quiet", 'q', OPT_BOOL, 0, "", 0, 0, "no", AT(is_quiet), 0, NULL, "no progress and no last line"},
};

static const struct arg_command command = {
	.name = "report",
	.operands = "LOG",
	.purpose = "Writes one HTML page for a log, with nothing outside of it: sessions, states of\n"
		   "both sides over time, plots, timing of the messages, faults and events. The page\n"
		   "of a LOG from standard input (-) goes to standard output, as with -o -.\n",
	.notes = "",
	.table = table,
	.n_table = sizeof(table) / sizeof(table[0]),
	.min_operands = 1,
	.max_operands = 1,
};

/* "x.log" to "x.html". NULL: no memory. */
static char *page_name(const char *log)
{
	size_t n = strlen(log);
	const char *slash = strrchr(log, '/'), *dot = strrchr(log, '.');
	char *name = malloc(n + 6);

	if (!name)
		return NULL;
	/* A name that begins with its dot has no ending. */
	if (dot && dot > (slash ? slash + 1 : log))
		n = (size_t)(dot - log);
	memcpy(name, log, n);
	memcpy(name + n, ".html", 6);
	return name;
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && S_ISREG(x.st_mode) && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

static int write_page(struct report *r, const char *name)
{
	bool is_stdout = strcmp(name, "-") == 0;
	FILE *out = is_stdout ? stdout : fopen(name, "w");
	int error = 0;
	long size;

	if (!out)
		return args_fail(command.name, "%s: %s", name, strerror(errno));
	report_fit_page(r);
	errno = 0;
	report_write(r, out);
	size = is_stdout ? 0 : ftell(out);
	if (fflush(out) != 0 || ferror(out))
		error = errno ? errno : EIO;
	if (!is_stdout && fclose(out) != 0 && !error)
		error = errno;
	/* A reader that closed the pipe early has what it wanted. */
	if (error && !(is_stdout && error == EPIPE))
		return args_fail(command.name, "%s: %s", is_stdout ? "standard output" : name,
				 strerror(error));
	if (!is_stdout && !r->cfg.is_quiet)
		printf("%s: %u session%s, %ld kB\n", name, report_n_sections(r),
		       report_n_sections(r) == 1 ? "" : "s", (size + 999) / 1000);
	return EXIT_OK;
}

static int make(const struct report_cfg *cfg, const char *name)
{
	struct report *r = calloc(1, sizeof(*r));
	struct log_reader *reader = calloc(1, sizeof(*reader));
	int status = EXIT_FAILED, rc;

	if (!r || !reader) {
		args_fail(command.name, "not enough memory");
	} else if (args_open_log(command.name, cfg->path, reader)) {
		rc = report_read(r, cfg, reader);
		status = rc ? args_fail(command.name, "%s", strerror(-rc)) : write_page(r, name);
		/* What could be read has its page all the same. */
		rc = args_close_log(command.name, cfg->path, reader, r->read_error);
		status = status ? status : rc;
		report_free(r);
	}
	free(reader);
	free(r);
	return status;
}

static int make_named(const struct report_cfg *cfg, const char *output)
{
	char *own_name = NULL;
	int status;

	if (!output[0] && strcmp(cfg->path, "-") == 0)
		output = "-";
	if (!output[0])
		output = own_name = page_name(cfg->path);
	if (!output)
		return args_fail(command.name, "not enough memory");
	if (is_same_file(cfg->path, output))
		status = args_fail(command.name, "%s: this is the log that is read", output);
	else
		status = make(cfg, output);
	free(own_name);
	return status;
}

int bus_log_report(int argc, char **argv)
{
	struct settings s = {0};
	struct report_cfg cfg = {0};
	const char *path[2];
	int status = args_take(&command, &s, argc, argv, path);

	if (status < 0)
		status =
			args_protocols(&command, &s.protocols, &cfg.version[MON_EVSE], &cfg.version[MON_PEV]);
	if (status >= 0)
		return status;
	cfg.path = path[0];
	cfg.channel = s.channel[0] ? s.channel : NULL;
	cfg.has_side[MON_EVSE] = s.side != SIDE_PEV;
	cfg.has_side[MON_PEV] = s.side != SIDE_EVSE;
	cfg.bitrate = (uint32_t)s.bitrate;
	cfg.is_quiet = s.is_quiet;
	return make_named(&cfg, s.output);
}
