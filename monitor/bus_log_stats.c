/* SPDX-License-Identifier: MIT */
/*
 * bus-log stats: what is in a log, in one table.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "evse_msgs.h"
#include "monitor/bus_log_args.h"
#include "monitor/bus_log_cmd.h"
#include "monitor/bus_log_count.h"
#include "monitor/bus_log_dict.h"
#include "pev_msgs.h"

struct settings {
	char from[64], to[64];
	int32_t bitrate, is_json;
	struct arg_list files;
};

#define AT(member)   offsetof(struct settings, member)
#define SIZE(member) sizeof(((struct settings *)0)->member)

static const struct opt table[] = {
	{"json", 'j', OPT_BOOL, 0, "", 0, 0, "no", AT(is_json), 0, NULL, "one JSON object"},
	{"bitrate", 'b', OPT_INT, 0, "N", 10000, 1000000, "500000", AT(bitrate), 0, NULL,
	 "bit/s of the bus, for its load (default 500000)"},
	{"dbc", 'd', OPT_TEXT, ARG_LIST, "FILE", 0, 0, "", AT(files), 0, NULL,
	 "names of messages from this database, before our own"},
	{"from", 0, OPT_TEXT, 0, "TIME", 0, 0, "", AT(from), SIZE(from), NULL,
	 "seconds from the first frame, since 1970, or a date"},
	{"to", 0, OPT_TEXT, 0, "TIME", 0, 0, "", AT(to), SIZE(to), NULL, "the same"},
};

static const struct arg_command command = {
	.name = "stats",
	.operands = "LOG",
	.purpose = "Counts the frames of a log: every identifier with its shortest, mean and longest\n"
		   "distance and their standard deviation (jitter); load of the bus; losses.\n",
	.notes = "Load counts the bits of the frames without stuff bits, of all channels together.\n",
	.table = table,
	.n_table = sizeof(table) / sizeof(table[0]),
	.min_operands = 1,
	.max_operands = 1,
};

struct report {
	const struct counts *counts;
	const struct log_reader *log;
	struct dict *dict;
	const char *path;
	double seconds, mean_permille, peak_permille;
};

static void make_report(struct report *r, int32_t bitrate)
{
	const struct counts *c = r->counts;

	r->seconds = (double)(c->last_us - c->first_us) / 1e6;
	r->mean_permille = r->seconds > 0 ? (double)c->bits * 1000 / (bitrate * r->seconds) : 0;
	r->peak_permille = (double)c->peak_bits * 1000 / bitrate;
}

static const char *format_name(const struct log_reader *r)
{
	return r->format == LOG_ASC ? "asc" : r->format == LOG_CANDUMP ? "candump" : "unknown";
}

static void write_date(int64_t time_us, char text[48])
{
	time_t s = (time_t)(time_us / 1000000);
	struct tm t = {0};

	localtime_r(&s, &t);
	snprintf(text, 48, "%04d-%02d-%02d %02d:%02d:%02d.%06d", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
		 t.tm_hour, t.tm_min, t.tm_sec, (int)(time_us % 1000000));
}

static const char *name_of(const struct report *r, const struct count_id *i)
{
	const struct dict_msg *m = dict_find(r->dict, i->id)->msg;

	return m ? m->name : i->id & CAN_RTR_FLAG ? "(remote)" : "";
}

static void text_id(const struct report *r, const struct count_id *i)
{
	char id[16], dlc[16];

	*put_id(id, i->id) = '\0';
	snprintf(dlc, sizeof(dlc), i->dlc_min == i->dlc_max ? "%u" : "%u-%u", i->dlc_min, i->dlc_max);
	printf("%-8s %-8s %-32s %-3s %9" PRIu64, log_channel(r->log, i->channel), id, name_of(r, i), dlc,
	       i->n);
	if (i->n_gaps)
		printf(" %10.3f %10.3f %10.3f %9.3f", (double)i->gap_min_us / 1e3, count_mean_us(i) / 1e3,
		       (double)i->gap_max_us / 1e3, count_jitter_us(i) / 1e3);
	putchar('\n');
}

static void text_report(const struct report *r)
{
	const struct log_stats *s = &r->log->stats;
	const struct counts *c = r->counts;
	char date[48];
	size_t i;

	printf("log       %s (%s)\n", r->path, format_name(r->log));
	printf("lines     %" PRIu64 ": %" PRIu64 " frames, %" PRIu64 " comments, %" PRIu64 " broken\n",
	       s->n_lines, s->n_frames, s->n_comments, s->n_bad);
	if (!c->n_frames) {
		printf("errors    %" PRIu64 " error frames\n", c->n_errors);
		return;
	}
	write_date(c->first_us, date);
	printf("begin     %s\nduration  %.6f s\n", date, r->seconds);
	printf("frames    %" PRIu64 ": %" PRIu64 " bytes of data, %" PRIu64
	       " remote; %zu identifiers on %u channel%s\n",
	       c->n_frames, c->n_bytes, c->n_remote, c->n_ids, r->log->n_channels,
	       r->log->n_channels == 1 ? "" : "s");
	printf("rate      %.1f frames/s, at most %" PRIu64 " in a second\n",
	       r->seconds > 0 ? (double)c->n_frames / r->seconds : 0, c->peak_frames);
	printf("load      %.1f %%, at most %.1f %% in a second\n", r->mean_permille / 10,
	       r->peak_permille / 10);
	printf("errors    %" PRIu64 " error frames, %" PRIu64 " frames lost by the recorder, %" PRIu64
	       " times out of order\n\n",
	       c->n_errors, s->n_lost, s->n_backwards);
	printf("%-8s %-8s %-32s %-3s %9s %10s %10s %10s %9s\n", "channel", "id", "message", "len", "count",
	       "min ms", "mean ms", "max ms", "jitter ms");
	for (i = 0; i < c->n_ids; i++)
		text_id(r, &c->id[i]);
	if (c->n_other)
		printf("and %" PRIu64 " frames of more identifiers\n", c->n_other);
}

static void json_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < ' ' || c >= 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void json_id(const struct report *r, const struct count_id *i)
{
	const struct dict_msg *m = dict_find(r->dict, i->id)->msg;

	fputs("{\"channel\": ", stdout);
	json_string(log_channel(r->log, i->channel));
	printf(", \"id\": %u, \"extended\": %s, \"remote\": %s, \"message\": ",
	       i->id & (i->id & CAN_EFF_FLAG ? CAN_EFF_MASK : CAN_SFF_MASK),
	       i->id & CAN_EFF_FLAG ? "true" : "false", i->id & CAN_RTR_FLAG ? "true" : "false");
	if (m)
		json_string(m->name);
	else
		fputs("null", stdout);
	printf(", \"count\": %" PRIu64 ", \"length_min\": %u, \"length_max\": %u", i->n, i->dlc_min,
	       i->dlc_max);
	if (i->n_gaps)
		printf(", \"min_ms\": %.3f, \"mean_ms\": %.3f, \"max_ms\": %.3f, \"jitter_ms\": %.3f",
		       (double)i->gap_min_us / 1e3, count_mean_us(i) / 1e3, (double)i->gap_max_us / 1e3,
		       count_jitter_us(i) / 1e3);
	putchar('}');
}

static void json_report(const struct report *r)
{
	const struct log_stats *s = &r->log->stats;
	const struct counts *c = r->counts;
	size_t i;

	fputs("{\"log\": ", stdout);
	json_string(r->path);
	printf(", \"format\": \"%s\", \"lines\": %" PRIu64 ", \"comments\": %" PRIu64 ", \"broken\": %" PRIu64
	       ", \"lost\": %" PRIu64 ", \"backwards\": %" PRIu64,
	       format_name(r->log), s->n_lines, s->n_comments, s->n_bad, s->n_lost, s->n_backwards);
	printf(", \"begin\": %.6f, \"duration_s\": %.6f, \"frames\": %" PRIu64 ", \"error_frames\": %" PRIu64
	       ", \"remote_frames\": %" PRIu64 ", \"data_bytes\": %" PRIu64,
	       (double)c->first_us / 1e6, r->seconds, c->n_frames, c->n_errors, c->n_remote, c->n_bytes);
	printf(", \"load_permille\": %.1f, \"peak_load_permille\": %.1f, \"peak_frames_per_s\": %" PRIu64
	       ", \"other_frames\": %" PRIu64 ", \"identifiers\": [",
	       r->mean_permille, r->peak_permille, c->peak_frames, c->n_other);
	for (i = 0; i < c->n_ids; i++) {
		if (i)
			fputs(",\n ", stdout);
		json_id(r, &c->id[i]);
	}
	puts("]}");
}

static int count_log(struct counts *c, struct log_reader *r, struct arg_span *span)
{
	bool has_span = span->from.is_set || span->to.is_set;
	struct log_entry e;
	int rc;

	while ((rc = log_next(r, &e)) > 0)
		if (!has_span || args_span_place(span, e.time_us) == 0)
			count_entry(c, &e);
	return rc;
}

static int run(const struct settings *s, const char *path, struct arg_span *span, struct dict *d)
{
	struct log_reader log;
	struct counts c;
	struct report r = {.counts = &c, .log = &log, .dict = d, .path = path};
	int rc, status = EXIT_OK;

	if (!args_open_log(command.name, path, &log))
		return EXIT_FAILED;
	count_init(&c);
	rc = count_log(&c, &log, span);
	count_end(&c);
	make_report(&r, s->bitrate);
	if (s->is_json)
		json_report(&r);
	else
		text_report(&r);
	if (c.is_out_of_memory)
		status = args_fail(command.name, "not enough memory for all identifiers");
	if (fflush(stdout) != 0 && errno != EPIPE)
		status = args_fail(command.name, "standard output: %s", strerror(errno));
	count_free(&c);
	rc = args_close_log(command.name, path, &log, rc);
	return status ? status : rc;
}

int bus_log_stats(int argc, char **argv)
{
	struct settings s = {0};
	struct dict_cfg cfg = {.format = DICT_TEXT,
			       .has_evse = true,
			       .has_pev = true,
			       .has_plug = true,
			       .has_site = true,
			       .index = -1};
	struct arg_span span;
	struct dict d;
	const char *path[2];
	char err[400];
	int status = args_take(&command, &s, argc, argv, path);

	if (status >= 0)
		return status;
	if (!args_span(&command, s.from, s.to, &span))
		return EXIT_USAGE;
	cfg.evse_version = EVSE_N_VERSIONS - 1;
	cfg.pev_version = PEV_N_VERSIONS - 1;
	cfg.files = s.files;
	if (dict_build(&d, &cfg, err, sizeof(err)) == 0)
		status = run(&s, path[0], &span, &d);
	else
		status = args_fail(command.name, "%s", err);
	dict_free(&d);
	return status;
}
