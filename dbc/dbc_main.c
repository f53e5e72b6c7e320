/* SPDX-License-Identifier: MIT */
/*
 * The command dbc: lists, checks, compares databases, decodes and encodes frames. See dbc(1).
 */
#include "dbc/dbc_table.h"
#include "dbc/dbc_tools.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DONE = 0, FAILED = 1, USAGE = 2 };

static const char help[] =
	"usage: dbc list FILE [--json]              messages and signals\n"
	"       dbc check FILE...                   problems, as file:line:column: sentence\n"
	"       dbc diff OLD NEW [--exit-code]      what changed\n"
	"       dbc decode FILE [--json] [--index N|any]\n"
	"                                           candump lines on stdin to named values\n"
	"       dbc encode FILE MESSAGE [SIGNAL=VALUE...] [--index N]\n"
	"                                           named values to ID#DATA\n"
	"\n"
	"  -j, --json       list: one array; decode: one object a line\n"
	"  -n, --index N    pistol index in bits 28..24 of 29-bit identifiers, 0..31;\n"
	"                   decode: only frames with that index (any: whatever index)\n"
	"  -e, --exit-code  diff: exit status 1 if the files differ\n"
	"  -h, --help       this text\n"
	"  -V, --version    the version\n"
	"\n"
	"Values are physical (401.6) or names of values (Power_Transfer); signals that are\n"
	"not given are raw 0. FILE is a .dbc file, UTF-8 or Windows-1252.\n"
	"Exit status: 0 done, 1 failed (check: problems found), 2 wrong usage.\n";

struct options {
	bool is_json, has_exit_code;
	int index;
};

static int usage(const char *sentence, const char *what)
{
	fprintf(stderr, "dbc: %s%s\nTry \"dbc --help\".\n", sentence, what);
	return USAGE;
}

/* A reader that has seen enough is no failure of ours; a full disk is. */
static int finish(int status)
{
	errno = 0;
	bool is_bad = fflush(stdout) != 0 || ferror(stdout);

	if (is_bad && errno != EPIPE && errno != 0) {
		fprintf(stderr, "dbc: cannot write: %s\n", strerror(errno));
		return FAILED;
	}
	return status;
}

static struct dbc_db *open_database(const char *path)
{
	struct dbc_error error;
	struct dbc_db *db = NULL;

	if (dbc_parse_file(path, &db, &error)) {
		fprintf(stderr, "%s\n", error.text);
		return NULL;
	}
	return db;
}

static int run_list(char **args, int n, const struct options *o)
{
	if (n != 1)
		return usage("list takes one file", "");
	struct dbc_db *db = open_database(args[0]);
	if (!db)
		return FAILED;
	dbc_list(db, o->is_json, stdout);
	dbc_free(db);
	return DONE;
}

static int run_check(char **args, int n, const struct options *o)
{
	int status = DONE;

	(void)o;
	if (n < 1)
		return usage("check takes at least one file", "");
	for (int i = 0; i < n; i++) {
		struct dbc_error error;
		struct dbc_db *db = NULL;

		/* Here a file that cannot be read is a finding like the others. */
		if (dbc_parse_file(args[i], &db, &error)) {
			printf("%s\n", error.text);
			status = FAILED;
			continue;
		}
		if (dbc_check(db, stdout))
			status = FAILED;
		dbc_free(db);
	}
	return status;
}

static int run_diff(char **args, int n, const struct options *o)
{
	if (n != 2)
		return usage("diff takes two files", "");
	struct dbc_db *a = open_database(args[0]);
	struct dbc_db *b = a ? open_database(args[1]) : NULL;
	int status = b ? DONE : FAILED;
	if (b && dbc_diff(a, b, stdout) && o->has_exit_code)
		status = FAILED;
	dbc_free(a);
	dbc_free(b);
	return status;
}

static void last_words(const struct dbc_decoder *d)
{
	if (d->n_bad_lines)
		fprintf(stderr, "dbc: %llu lines were no frames\n", (unsigned long long)d->n_bad_lines);
	if (d->n_unknown_index && d->index == DBC_INDEX_NONE)
		fprintf(stderr, "dbc: %llu unknown frames would be known with --index any\n",
			(unsigned long long)d->n_unknown_index);
}

/*
 * All whole lines of a buffer; returns how many bytes are left over. At the end the last line needs no line
 * end.
 */
static size_t decode_lines(struct dbc_decoder *d, char *buf, size_t n, bool is_end)
{
	size_t from = 0;
	char *eol;

	while ((eol = memchr(buf + from, '\n', n - from)) != NULL) {
		dbc_decode_line(d, buf + from, (size_t)(eol - buf) - from, stdout);
		from = (size_t)(eol - buf) + 1;
	}
	if (is_end && n > from) {
		dbc_decode_line(d, buf + from, n - from, stdout);
		from = n;
	}
	memmove(buf, buf + from, n - from);
	return n - from;
}

static int decode_stream(struct dbc_decoder *d)
{
	static char buf[1 << 16];
	size_t n = 0;
	bool is_too_long = false;

	while (!ferror(stdout)) {
		ssize_t got = read(STDIN_FILENO, buf + n, sizeof(buf) - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			fprintf(stderr, "dbc: cannot read: %s\n", strerror(errno));
			return FAILED;
		}
		n = decode_lines(d, buf, n + (size_t)got, got == 0);
		if (got == 0)
			break;
		if (n == sizeof(buf)) {
			/* No frame is that long: what is left of this line becomes a bad line too. */
			d->n_bad_lines += !is_too_long;
			is_too_long = true;
			n = 0;
		} else {
			is_too_long = false;
		}
		/* With a live bus in front, a reader behind us wants the frames now. */
		fflush(stdout);
	}
	last_words(d);
	return DONE;
}

static int run_decode(char **args, int n, const struct options *o)
{
	if (n != 1)
		return usage("decode takes one file; frames come on stdin", "");
	struct dbc_db *db = open_database(args[0]);
	struct dbc_codec *codec = NULL;
	if (!db)
		return FAILED;
	if (dbc_codec_build(db, &codec)) {
		fprintf(stderr, "dbc: out of memory\n");
		dbc_free(db);
		return FAILED;
	}
	struct dbc_decoder d = {.db = db, .codec = codec, .is_json = o->is_json, .index = o->index};
	int status = decode_stream(&d);
	dbc_codec_free(codec);
	dbc_free(db);
	return status;
}

static int run_encode(char **args, int n, const struct options *o)
{
	char error[512];

	if (n < 2)
		return usage("encode takes a file and a message", "");
	if (o->index == DBC_INDEX_ANY)
		return usage("encode needs a number after --index", "");
	struct dbc_db *db = open_database(args[0]);
	struct dbc_codec *codec = NULL;
	if (!db)
		return FAILED;
	int err = dbc_codec_build(db, &codec);
	if (err)
		snprintf(error, sizeof(error), "out of memory");
	else
		err = dbc_encode_text(db, codec, args[1], args + 2, (size_t)n - 2, o->index, stdout, error,
				      sizeof(error));
	if (err)
		fprintf(stderr, "dbc: %s\n", error);
	dbc_codec_free(codec);
	dbc_free(db);
	return err ? FAILED : DONE;
}

static const struct command {
	const char *name, *letters; /* options it knows */
	int (*run)(char **args, int n, const struct options *o);
} commands[] = {
	{"list", "j", run_list},      {"check", "", run_check},	   {"diff", "e", run_diff},
	{"decode", "jn", run_decode}, {"encode", "n", run_encode},
};

static bool parse_index(const char *text, int *index)
{
	char *end;

	if (strcmp(text, "any") == 0) {
		*index = DBC_INDEX_ANY;
		return true;
	}
	long v = strtol(text, &end, 10);
	*index = (int)v;
	return end > text && !*end && v >= 0 && v <= DBC_INDEX_MAX;
}

/* -1: go on; else the exit status. */
static int parse_options(int argc, char **argv, struct options *o, char *seen)
{
	static const struct option longs[] = {
		{"json", no_argument, NULL, 'j'},      {"index", required_argument, NULL, 'n'},
		{"exit-code", no_argument, NULL, 'e'}, {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},   {NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "jn:ehV", longs, NULL)) != -1) {
		switch (c) {
		case 'j':
			o->is_json = true;
			break;
		case 'n':
			if (!parse_index(optarg, &o->index))
				return usage("--index takes 0 to 31 or any, not ", optarg);
			break;
		case 'e':
			o->has_exit_code = true;
			break;
		case 'h':
			fputs(help, stdout);
			return DONE;
		case 'V':
			puts("dbc (forecourt) " FORECOURT_VERSION);
			return DONE;
		default:
			fputs("Try \"dbc --help\".\n", stderr);
			return USAGE;
		}
		if (!strchr(seen, c))
			seen[strlen(seen)] = (char)c;
	}
	return -1;
}

int main(int argc, char **argv)
{
	struct options o = {.index = DBC_INDEX_NONE};
	char seen[8] = "";

	signal(SIGPIPE, SIG_IGN);
	int status = parse_options(argc, argv, &o, seen);
	if (status >= 0)
		return finish(status);
	if (optind >= argc)
		return usage("a command is missing", "");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *c = &commands[i];

		if (strcmp(argv[optind], c->name) != 0)
			continue;
		for (const char *p = seen; *p; p++)
			if (!strchr(c->letters, *p))
				return usage("an option that does not belong to ", c->name);
		return finish(c->run(argv + optind + 1, argc - optind - 1, &o));
	}
	return usage("unknown command ", argv[optind]);
}
