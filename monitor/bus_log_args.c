/* SPDX-License-Identifier: MIT */
/*
 * Command lines of bus-log's subcommands.
 */
#include "monitor/bus_log_args.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "evse_msgs.h"
#include "pev_msgs.h"

#define MAX_OPTIONS  24
#define FIRST_NUMBER 256		      /* getopt's answer for option i of the table */
#define ABSOLUTE_US  INT64_C(100000000000000) /* numbers from 1e8 s on are since 1970 */

__attribute__((format(printf, 2, 0))) static void say(const char *name, const char *format, va_list list)
{
	fprintf(stderr, "bus-log %s: ", name);
	vfprintf(stderr, format, list);
	fputc('\n', stderr);
}

static int try_help(const struct arg_command *c)
{
	fprintf(stderr, "Try \"bus-log %s --help\".\n", c->name);
	return EXIT_USAGE;
}

int args_refuse(const struct arg_command *c, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	say(c->name, format, list);
	va_end(list);
	return try_help(c);
}

int args_fail(const char *name, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	say(name, format, list);
	va_end(list);
	return EXIT_FAILED;
}

static void print_help(const struct arg_command *c)
{
	char left[64];
	size_t i;

	printf("usage: bus-log %s %s [options]\n\n%s\n", c->name, c->operands, c->purpose);
	for (i = 0; i < c->n_table; i++) {
		const struct opt *o = &c->table[i];
		char letter[8] = "    ";

		if (o->letter)
			snprintf(letter, sizeof(letter), "-%c, ", o->letter);
		snprintf(left, sizeof(left), "%s--%s%s%s", letter, o->name, o->unit[0] ? " " : "", o->unit);
		printf("  %-24s %s\n", left, o->help);
	}
	printf("  %-24s %s\n%s%sExit status: 0 done, 1 failed, 2 wrong use.\n", "-h, --help", "this text",
	       c->notes[0] ? "\n" : "", c->notes);
}

static int set_option(const struct arg_command *c, const struct opt *o, void *settings, const char *text)
{
	char err[160];

	if (o->flags & ARG_LIST) {
		struct arg_list *list = (struct arg_list *)((char *)settings + o->offset);

		if (list->n == ARG_MAX_ITEMS)
			return args_refuse(c, "--%s: at most %d of them", o->name, ARG_MAX_ITEMS);
		list->item[list->n++] = text;
		return -1;
	}
	if (opts_set(o, settings, o->type == OPT_BOOL ? "yes" : text, err, sizeof(err)) == 0)
		return -1;
	return args_refuse(c, "--%s: %s", o->name, err);
}

/* The table in getopt's form. */
static void make_options(const struct arg_command *c, struct option *options, char *letters)
{
	size_t i;

	for (i = 0; i < c->n_table; i++) {
		const struct opt *o = &c->table[i];
		bool has_value = o->type != OPT_BOOL;

		options[i].name = o->name;
		options[i].has_arg = has_value ? required_argument : no_argument;
		options[i].flag = NULL;
		options[i].val = FIRST_NUMBER + (int)i;
		if (o->letter)
			*letters++ = o->letter;
		if (o->letter && has_value)
			*letters++ = ':';
	}
	options[i].name = "help";
	options[i].has_arg = no_argument;
	options[i].flag = NULL;
	options[i].val = 'h';
	memset(&options[i + 1], 0, sizeof(options[i + 1]));
	strcpy(letters, "h");
}

static const struct opt *find_option(const struct arg_command *c, int value)
{
	size_t i;

	if (value >= FIRST_NUMBER)
		return &c->table[value - FIRST_NUMBER];
	for (i = 0; i < c->n_table; i++)
		if (c->table[i].letter == value)
			return &c->table[i];
	return NULL;
}

static int take_operands(const struct arg_command *c, int argc, char **argv, const char *operand[])
{
	unsigned i, n = (unsigned)(argc - optind);

	if (n < c->min_operands)
		return args_refuse(c, "it needs %s", c->operands);
	if (n > c->max_operands)
		return args_refuse(c, "%s is one too many", argv[optind + (int)c->max_operands]);
	for (i = 0; i <= c->max_operands; i++)
		operand[i] = i < n ? argv[optind + (int)i] : NULL;
	return -1;
}

int args_take(const struct arg_command *c, void *settings, int argc, char **argv, const char *operand[])
{
	struct option options[MAX_OPTIONS + 2];
	char letters[2 * MAX_OPTIONS + 2];
	char name[48];
	char *argv0 = argv[0];
	int value, rc = -1;
	size_t i;

	for (i = 0; i < c->n_table; i++)
		if (!(c->table[i].flags & ARG_LIST))
			opts_defaults(&c->table[i], 1, settings);
	make_options(c, options, letters);
	snprintf(name, sizeof(name), "bus-log %s", c->name);
	argv[0] = name; /* for getopt's own messages */
	optind = 0;
	while (rc < 0 && (value = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		const struct opt *o = find_option(c, value);

		if (value == 'h' && !o) {
			print_help(c);
			rc = EXIT_OK;
		} else if (!o) {
			rc = try_help(c); /* getopt has told */
		} else {
			rc = set_option(c, o, settings, optarg);
		}
	}
	argv[0] = argv0;
	return rc >= 0 ? rc : take_operands(c, argc, argv, operand);
}

/* --- versions ---------------------------------------------------------------------------------------------- */

static bool find_version(const char *const *names, unsigned n, const char *name, unsigned *version)
{
	unsigned i;

	for (i = 0; i < n && strcmp(names[i], name) != 0; i++)
		;
	if (i < n)
		*version = i;
	return i < n;
}

int args_protocols(const struct arg_command *c, const struct arg_list *names, unsigned *evse, unsigned *pev)
{
	unsigned i;

	*evse = EVSE_N_VERSIONS - 1;
	*pev = PEV_N_VERSIONS - 1;
	for (i = 0; i < names->n; i++)
		if (!find_version(evse_version_names, EVSE_N_VERSIONS, names->item[i], evse) &&
		    !find_version(pev_version_names, PEV_N_VERSIONS, names->item[i], pev))
			return args_refuse(c, "--protocol: there is no version \"%s\"", names->item[i]);
	return -1;
}

/* --- times ------------------------------------------------------------------------------------------------- */

/* "12.5"; at most 12 digits in front of the point. */
static bool read_seconds(const char *text, int64_t *us)
{
	int64_t s = 0, fraction = 0, unit = 100000;
	unsigned n = 0;

	for (; *text >= '0' && *text <= '9'; text++, n++)
		s = s * 10 + (n < 12 ? *text - '0' : 0);
	if (*text == '.')
		for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
			fraction += unit * (*text - '0');
	*us = s * 1000000 + fraction;
	return n > 0 && n <= 12 && *text == '\0';
}

/* "2026-11-20T14:05:33.5Z": from the minutes on everything may be left out. */
static bool read_date(const char *text, int64_t *us)
{
	struct tm t = {.tm_isdst = -1};
	int64_t fraction = 0, unit = 100000;
	const char *p = NULL;
	time_t s;

	static const char *const shapes[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M",
					     "%Y-%m-%d %H:%M", "%Y-%m-%d"};
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]) && !p; i++) {
		memset(&t, 0, sizeof(t));
		t.tm_isdst = -1;
		p = strptime(text, shapes[i], &t);
	}
	if (!p)
		return false;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++, unit /= 10)
			fraction += unit * (*p - '0');
	s = *p == 'Z' ? timegm(&t) : mktime(&t);
	if (*p == 'Z')
		p++;
	*us = (int64_t)s * 1000000 + fraction;
	return *p == '\0';
}

int args_time(const char *text, struct arg_time *t)
{
	memset(t, 0, sizeof(*t));
	if (!text[0])
		return 0;
	t->is_set = true;
	if (read_seconds(text, &t->us)) {
		t->is_relative = t->us < ABSOLUTE_US;
		return 0;
	}
	return read_date(text, &t->us) ? 0 : -EINVAL;
}

int64_t args_time_us(const struct arg_time *t, int64_t begin_us, int64_t fallback)
{
	if (!t->is_set)
		return fallback;
	return t->is_relative ? begin_us + t->us : t->us;
}

bool args_span(const struct arg_command *c, const char *from, const char *to, struct arg_span *s)
{
	memset(s, 0, sizeof(*s));
	if (args_time(from, &s->from) || args_time(to, &s->to)) {
		args_refuse(
			c,
			"\"%s\" is no time: seconds from the first frame, seconds since 1970, or a date such as "
			"2026-11-20T14:05:33.5",
			args_time(from, &s->from) ? from : to);
		return false;
	}
	if (s->from.is_set && s->to.is_set && s->from.is_relative == s->to.is_relative &&
	    s->to.us < s->from.us) {
		args_refuse(c, "--to %s lies before --from %s", to, from);
		return false;
	}
	return true;
}

int args_span_place(struct arg_span *s, int64_t time_us)
{
	if (!s->has_begun) {
		s->has_begun = true;
		s->begin_us = time_us;
		s->from_us = args_time_us(&s->from, time_us, INT64_MIN);
		s->to_us = args_time_us(&s->to, time_us, INT64_MAX);
	}
	return time_us < s->from_us ? -1 : time_us > s->to_us ? 1 : 0;
}

/* --- logs -------------------------------------------------------------------------------------------------- */

bool args_open_log(const char *name, const char *path, struct log_reader *r)
{
	char err[300];

	if (log_open(r, path, err, sizeof(err)) == 0)
		return true;
	args_fail(name, "%s", err);
	return false;
}

int args_close_log(const char *name, const char *path, struct log_reader *r, int rc)
{
	int status = EXIT_OK;
	char prefix[300];

	snprintf(prefix, sizeof(prefix), "bus-log %s: %s", name, path);
	log_tell_bad(r, prefix, stderr);
	if (rc < 0)
		status = args_fail(name, "%s: %s", path, strerror(-rc));
	else if (r->stats.n_frames == 0 && r->stats.n_bad > 0)
		status = args_fail(name, "%s: not a single line could be read", path);
	log_close(r);
	return status;
}

bool args_open_out(const char *name, const struct log_reader *r, const char *path, struct out *out)
{
	struct stat in, there;
	char err[300];

	if (!path || !path[0])
		path = "-";
	if (strcmp(path, "-") != 0 && stat(path, &there) == 0 && fstat(r->fd, &in) == 0 &&
	    S_ISREG(there.st_mode) && in.st_dev == there.st_dev && in.st_ino == there.st_ino) {
		args_fail(name, "%s: this is the log that is read", path);
		return false;
	}
	if (out_open(out, path, err, sizeof(err)) == 0)
		return true;
	args_fail(name, "%s", err);
	return false;
}

int args_close_out(const char *name, const char *path, struct out *out)
{
	int rc = out_close(out);

	if (rc == 0 || rc == -EPIPE)
		return EXIT_OK;
	return args_fail(name, "%s: %s", path[0] && strcmp(path, "-") != 0 ? path : "standard output",
			 strerror(-rc));
}
