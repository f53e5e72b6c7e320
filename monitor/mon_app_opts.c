/* SPDX-License-Identifier: MIT */
/* The command line of both monitors. */
#include "monitor/mon_app_opts.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <forecourt/units.h>

#include "evse_msgs.h"
#include "lib/can/can_bus.h"
#include "lib/core/opts.h"
#include "pev_msgs.h"

/* Longest time that may be asked for: a year, far from any overflow. */
#define MAX_S (366 * 86400)

/* A bus knows 10 kbit/s to 1 Mbit/s; the load is worked out from it. */
#define MIN_BITRATE 10000
#define MAX_BITRATE 1000000

enum {
	ARG_PISTOL_INDEX = 256,
	ARG_PROTOCOL,
	ARG_BITRATE,
	ARG_TEXT,
	ARG_JSON,
	ARG_EVERY,
	ARG_ONCE,
	ARG_TIMEOUT,
	ARG_REPLAY,
	ARG_SPEED,
	ARG_START_AT,
	ARG_PAUSED,
	ARG_METRICS,
	ARG_METRICS_ANY,
	ARG_JOURNAL,
	ARG_ASCII,
	ARG_NO_COLOR,
};

static const struct option options[] = {
	{"can", required_argument, NULL, 'i'},
	{"pistol-index", required_argument, NULL, ARG_PISTOL_INDEX},
	{"protocol", required_argument, NULL, ARG_PROTOCOL},
	{"bitrate", required_argument, NULL, ARG_BITRATE},
	{"text", no_argument, NULL, ARG_TEXT},
	{"json", no_argument, NULL, ARG_JSON},
	{"every", required_argument, NULL, ARG_EVERY},
	{"once", no_argument, NULL, ARG_ONCE},
	{"timeout", required_argument, NULL, ARG_TIMEOUT},
	{"replay", required_argument, NULL, ARG_REPLAY},
	{"speed", required_argument, NULL, ARG_SPEED},
	{"start-at", required_argument, NULL, ARG_START_AT},
	{"paused", no_argument, NULL, ARG_PAUSED},
	{"metrics", required_argument, NULL, ARG_METRICS},
	{"metrics-any", no_argument, NULL, ARG_METRICS_ANY},
	{"journal", required_argument, NULL, ARG_JOURNAL},
	{"ascii", no_argument, NULL, ARG_ASCII},
	{"no-color", no_argument, NULL, ARG_NO_COLOR},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

const char *mon_opts_program(enum mon_side side)
{
	return side == MON_EVSE ? "evse-monitor" : "pev-monitor";
}

void mon_opts_help(enum mon_side side)
{
	printf("usage: %s [-i URL | --replay LOG] [OPTION]...\n"
	       "Shows a %s generic interface and who waits for what. Only listens.\n",
	       mon_opts_program(side), side == MON_EVSE ? "charger's" : "vehicle's");
	fputs("  -i, --can URL         can0 (default), vcan0, udp, udp:GROUP:PORT; of a log: its channel\n",
	      stdout);
	if (side == MON_EVSE)
		fputs("      --pistol-index N  show these only: 1 to 15, a list as 1,3 (default all)\n",
		      stdout);
	fputs("      --protocol V      version of the interface (default the newest)\n"
	      "      --bitrate N       of the bus, for its load (default 500000)\n"
	      "      --text            a line per change; also without a terminal\n"
	      "      --json            an object per change\n"
	      "      --every MS        text, json: the whole state every so often instead\n"
	      "      --once            one snapshot as text or json, then the end\n"
	      "      --timeout S       how long --once waits for frames (default 1)\n"
	      "      --replay LOG      a candump or ASC log instead of a bus, - is standard input\n"
	      "      --speed N         of the replay: 1 as it was (screen), max (text, json)\n"
	      "      --start-at S      replay: begin S seconds into the log\n"
	      "      --paused          replay: stand still at the start\n"
	      "      --metrics [ADDRESS:]PORT  serve Prometheus metrics; --metrics-any: to other hosts too\n"
	      "      --journal FILE    write each finished session into this SQLite database\n"
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

/* Seconds with up to three decimals. */
static int parse_seconds(const char *name, const char *text, int64_t *us, char *err, size_t err_size)
{
	int64_t milli;

	if (opts_parse_milli(text, &milli) != 0 || milli < 0 || milli > INT64_C(1000) * MAX_S)
		return bad(err, err_size, "--%s: '%.40s' is no number of seconds", name, text);
	*us = milli * 1000;
	return 0;
}

static int parse_whole(const char *name, const char *text, long min, long max, long *number, char *err,
		       size_t err_size)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || end == text || *end || n < min || n > max)
		return bad(err, err_size, "--%s: '%.40s' is not a number from %ld to %ld", name, text, min,
			   max);
	*number = n;
	return 0;
}

/* "1", "1,3,15" */
static int parse_points(const char *text, uint16_t *mask, char *err, size_t err_size)
{
	const char *at = text;
	unsigned found = 0;
	char *end;

	for (;;) {
		unsigned long n = *at >= '0' && *at <= '9' ? strtoul(at, &end, 10) : 0;

		if (n < 1 || n >= MON_N_POINTS)
			return bad(err, err_size,
				   "--pistol-index: '%.40s' is not a list of numbers from 1 to %d", text,
				   MON_N_POINTS - 1);
		found |= 1u << n;
		if (*end == '\0')
			break;
		at = *end == ',' ? end + 1 : "";
	}
	*mask = (uint16_t)found;
	return 0;
}

static int parse_version(enum mon_side side, const char *text, unsigned *version, char *err, size_t err_size)
{
	const char *const *names = side == MON_EVSE ? evse_version_names : pev_version_names;
	unsigned n = side == MON_EVSE ? EVSE_N_VERSIONS : PEV_N_VERSIONS, i;
	char known[80] = "";
	size_t at = 0;

	for (i = 0; i < n; i++) {
		if (strcmp(names[i], text) == 0) {
			*version = i;
			return 0;
		}
		if (at < sizeof(known))
			at += (size_t)snprintf(known + at, sizeof(known) - at, " %s", names[i]);
	}
	return bad(err, err_size, "--protocol: '%.20s' is none of%s", text, known);
}

static int parse_speed(struct mon_opts *o, const char *text, char *err, size_t err_size)
{
	int64_t permille;

	o->has_speed = true;
	o->speed_permille = MON_SPEED_MAX;
	if (strcmp(text, "max") == 0)
		return 0;
	if (opts_parse_milli(text, &permille) != 0 || permille < MON_SPEED_LOWEST ||
	    permille > MON_SPEED_HIGHEST)
		return bad(err, err_size, "--speed: '%.40s' is not max or a number from 0.01 to 64", text);
	o->speed_permille = (int32_t)permille;
	return 0;
}

static int parse_output(struct mon_opts *o, enum mon_output output, char *err, size_t err_size)
{
	if (o->output != MON_OUTPUT_AUTO && o->output != output)
		return bad(err, err_size, "--text and --json exclude each other");
	o->output = output;
	return 0;
}

/* Options with a value of their own form. */
static int take_value(struct mon_opts *o, int c, const char *text, char *err, size_t err_size)
{
	long n = 0;
	int r;

	switch (c) {
	case 'i':
		o->can = text;
		return 0;
	case ARG_PISTOL_INDEX:
		if (o->model.side != MON_EVSE)
			return bad(err, err_size, "a vehicle has no --pistol-index");
		return parse_points(text, &o->model.points_mask, err, err_size);
	case ARG_PROTOCOL:
		return parse_version(o->model.side, text, &o->model.version, err, err_size);
	case ARG_BITRATE:
		r = parse_whole("bitrate", text, MIN_BITRATE, MAX_BITRATE, &n, err, err_size);
		o->model.bitrate = (uint32_t)n;
		return r;
	case ARG_EVERY:
		r = parse_whole("every", text, 10, 1000L * MAX_S, &n, err, err_size);
		o->every_us = n * INT64_C(1000);
		return r;
	case ARG_TIMEOUT:
		return parse_seconds("timeout", text, &o->timeout_us, err, err_size);
	case ARG_SPEED:
		return parse_speed(o, text, err, err_size);
	case ARG_START_AT:
		o->has_start = true;
		return parse_seconds("start-at", text, &o->start_us, err, err_size);
	case ARG_METRICS:
		o->has_metrics = true;
		return mon_serve_parse(text, &o->metrics, err, err_size);
	case ARG_REPLAY:
		o->replay = text;
		return 0;
	default:
		o->journal = text;
		return 0;
	}
}

static int take(struct mon_opts *o, int c, const char *text, char *err, size_t err_size)
{
	switch (c) {
	case 'h':
		o->task = MON_TASK_HELP;
		return 0;
	case 'V':
		if (o->task == MON_TASK_RUN)
			o->task = MON_TASK_VERSION;
		return 0;
	case ARG_TEXT:
		return parse_output(o, MON_OUTPUT_TEXT, err, err_size);
	case ARG_JSON:
		return parse_output(o, MON_OUTPUT_JSON, err, err_size);
	case ARG_ONCE:
		o->is_once = true;
		return 0;
	case ARG_PAUSED:
		o->is_paused = true;
		return 0;
	case ARG_METRICS_ANY:
		o->is_metrics_any = true;
		return 0;
	case ARG_ASCII:
		o->is_ascii = true;
		return 0;
	case ARG_NO_COLOR:
		o->no_color = true;
		return 0;
	default:
		return take_value(o, c, text, err, err_size);
	}
}

/* What the options mean together. */
static int check(const struct mon_opts *o, char *err, size_t err_size)
{
	if (!o->replay && (o->has_speed || o->has_start || o->is_paused))
		return bad(err, err_size, "--speed, --start-at and --paused need --replay");
	if (o->is_paused && (o->is_once || o->output != MON_OUTPUT_AUTO))
		return bad(err, err_size, "--paused is for the screen");
	if (o->every_us && o->is_once)
		return bad(err, err_size, "--every and --once exclude each other");
	if (o->is_once && (o->has_metrics || o->journal))
		return bad(err, err_size, "--once serves no metrics and writes no journal");
	if (o->is_metrics_any && !o->has_metrics)
		return bad(err, err_size, "--metrics-any needs --metrics");
	if (o->has_metrics && !o->metrics.is_loopback && !o->is_metrics_any)
		return bad(err, err_size,
			   "--metrics: other hosts would be served; add --metrics-any if that is meant");
	if (!o->replay && o->can && !can_bus_check_url(o->can, err, err_size))
		return -EINVAL;
	return 0;
}

static void set_defaults(struct mon_opts *o, enum mon_side side)
{
	const char *no_color = getenv("NO_COLOR");

	memset(o, 0, sizeof(*o));
	o->model.side = side;
	o->model.version = side == MON_EVSE ? EVSE_N_VERSIONS - 1 : PEV_N_VERSIONS - 1;
	o->timeout_us = FC_US_PER_S;
	o->speed_permille = 1000;
	o->no_color = no_color && *no_color;
}

int mon_opts_parse(struct mon_opts *o, enum mon_side side, int argc, char **argv, char *err, size_t err_size)
{
	int c, r;

	set_defaults(o, side);
	opterr = 0; /* its words would not be ours */
	optind = 0;
	while ((c = getopt_long(argc, argv, ":i:hV", options, NULL)) != -1) {
		const char *shown = argv[optind > 1 ? optind - 1 : 1];

		if (c == ':')
			return bad(err, err_size, "option %.40s needs a value", shown);
		if (c == '?')
			return bad(err, err_size, "unknown or wrong option %.40s, see --help", shown);
		r = take(o, c, optarg, err, err_size);
		if (r)
			return r;
	}
	if (o->task != MON_TASK_RUN)
		return 0;
	if (optind < argc)
		return bad(err, err_size, "unexpected argument '%.40s'", argv[optind]);
	return check(o, err, err_size);
}
