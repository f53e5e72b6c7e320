/* SPDX-License-Identifier: MIT */
/* The command line of site-monitor. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/opts.h"
#include "monitor/site_mon_app.h"

#define MAX_S (366 * 86400)

enum {
	ARG_SITE = 256,
	ARG_TEXT,
	ARG_JSON,
	ARG_EVERY,
	ARG_ONCE,
	ARG_TIMEOUT,
	ARG_REPLAY,
	ARG_SPEED,
	ARG_START_AT,
	ARG_PAUSED,
	ARG_ASCII,
	ARG_NO_COLOR,
};

static const struct option options[] = {
	{"can", required_argument, NULL, 'i'},
	{"site", required_argument, NULL, ARG_SITE},
	{"text", no_argument, NULL, ARG_TEXT},
	{"json", no_argument, NULL, ARG_JSON},
	{"every", required_argument, NULL, ARG_EVERY},
	{"once", no_argument, NULL, ARG_ONCE},
	{"timeout", required_argument, NULL, ARG_TIMEOUT},
	{"replay", required_argument, NULL, ARG_REPLAY},
	{"speed", required_argument, NULL, ARG_SPEED},
	{"start-at", required_argument, NULL, ARG_START_AT},
	{"paused", no_argument, NULL, ARG_PAUSED},
	{"ascii", no_argument, NULL, ARG_ASCII},
	{"no-color", no_argument, NULL, ARG_NO_COLOR},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

void smon_opts_help(void)
{
	fputs("usage: site-monitor [-i URL]... [--site FILE] [--replay LOG] [OPTION]...\n"
	      "Shows who gets how much of a site's current, and why. Only listens.\n"
	      "  -i, --can URL       can0 (default), vcan0, udp, udp:GROUP:PORT; again for each further\n"
	      "                      bus of the site, in its order; of a log: channels of it (all)\n"
	      "      --site FILE     the site's file: names and the tree\n"
	      "      --text          a line per event; also without a terminal\n"
	      "      --json          an object per event\n"
	      "      --every MS      text, json: the whole state every so often besides\n"
	      "      --once          one snapshot as text or json, then the end\n"
	      "      --timeout S     how long --once listens (default 6)\n"
	      "      --replay LOG    a candump or ASC log instead of a bus; - is standard input\n"
	      "      --speed N       of the replay: 1 as it was (screen), max (text, json)\n"
	      "      --start-at S    replay: begin S seconds into the log\n"
	      "      --paused        replay: stand still at the start\n"
	      "      --ascii  --no-color   plain characters, no colours (also $NO_COLOR)\n"
	      "  -h, --help  -V, --version\n"
	      "Exit status: 0 ended, 1 failed (--once: nothing heard), 2 wrong use.\n",
	      stdout);
}

__attribute__((format(printf, 3, 4))) static int bad(char *err, size_t err_size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err, err_size, format, args);
	va_end(args);
	return -EINVAL;
}

static int parse_seconds(const char *name, const char *text, int64_t *us, char *err, size_t err_size)
{
	int64_t milli;

	if (opts_parse_milli(text, &milli) != 0 || milli < 0 || milli > INT64_C(1000) * MAX_S)
		return bad(err, err_size, "--%s: '%.40s' is no number of seconds", name, text);
	*us = milli * 1000;
	return 0;
}

static int parse_every(struct smon_opts *o, const char *text, char *err, size_t err_size)
{
	char *end;
	long ms;

	errno = 0;
	ms = strtol(text, &end, 10);
	if (errno || end == text || *end || ms < 100 || ms > 86400000)
		return bad(err, err_size, "--every: '%.40s' is not a number of ms from 100 to 86400000",
			   text);
	o->every_us = (int64_t)ms * FC_US_PER_MS;
	return 0;
}

static int parse_speed(struct smon_opts *o, const char *text, char *err, size_t err_size)
{
	int64_t permille;

	o->has_speed = true;
	o->speed_permille = 0;
	if (strcmp(text, "max") == 0)
		return 0;
	if (opts_parse_milli(text, &permille) != 0 || permille < 10 || permille > 64000)
		return bad(err, err_size, "--speed: '%.40s' is not max or a number from 0.01 to 64", text);
	o->speed_permille = (int32_t)permille;
	return 0;
}

static int take_bus(struct smon_opts *o, const char *url, char *err, size_t err_size)
{
	if (o->n_can == SMON_MAX_BUSES)
		return bad(err, err_size, "more than %d buses", SMON_MAX_BUSES);
	o->can[o->n_can++] = url;
	return 0;
}

static int take(struct smon_opts *o, int c, char *err, size_t err_size)
{
	switch (c) {
	case 'i':
		return take_bus(o, optarg, err, err_size);
	case ARG_SITE:
		o->site = optarg;
		return 0;
	case ARG_TEXT:
		o->output = SMON_OUTPUT_TEXT;
		return 0;
	case ARG_JSON:
		o->output = SMON_OUTPUT_JSON;
		return 0;
	case ARG_EVERY:
		return parse_every(o, optarg, err, err_size);
	case ARG_ONCE:
		o->is_once = true;
		return 0;
	case ARG_TIMEOUT:
		return parse_seconds("timeout", optarg, &o->timeout_us, err, err_size);
	case ARG_REPLAY:
		o->replay = optarg;
		return 0;
	case ARG_SPEED:
		return parse_speed(o, optarg, err, err_size);
	case ARG_START_AT:
		return parse_seconds("start-at", optarg, &o->start_us, err, err_size);
	case ARG_PAUSED:
		o->is_paused = true;
		return 0;
	case ARG_ASCII:
		o->is_ascii = true;
		return 0;
	case ARG_NO_COLOR:
		o->no_color = true;
		return 0;
	case 'h':
		o->task = SMON_TASK_HELP;
		return 0;
	case 'V':
		o->task = SMON_TASK_VERSION;
		return 0;
	default:
		return bad(err, err_size, "try --help");
	}
}

static int check(const struct smon_opts *o, char *err, size_t err_size)
{
	if (!o->replay && (o->has_speed || o->is_paused || o->start_us > 0))
		return bad(err, err_size, "--speed, --start-at and --paused need --replay");
	if (o->is_once && o->every_us)
		return bad(err, err_size, "--once and --every exclude each other");
	return 0;
}

int smon_opts_parse(struct smon_opts *o, int argc, char **argv, char *err, size_t err_size)
{
	const char *no_color = getenv("NO_COLOR");
	int c, r;

	memset(o, 0, sizeof(*o));
	o->timeout_us =
		6 * FC_US_PER_S; /* the site tells all its limits within 5 s, where they are not too many */
	o->speed_permille = 1000;
	o->no_color = no_color && no_color[0];
	while ((c = getopt_long(argc, argv, "i:hV", options, NULL)) != -1) {
		r = take(o, c, err, err_size);
		if (r)
			return r;
		if (o->task != SMON_TASK_RUN)
			return 0;
	}
	if (optind < argc)
		return bad(err, err_size, "unexpected argument %s", argv[optind]);
	return check(o, err, err_size);
}
