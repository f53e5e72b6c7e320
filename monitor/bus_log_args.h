/* SPDX-License-Identifier: MIT */
/*
 * Options of the subcommands of bus-log: one table each (lib/core/opts.h), from which the parser and --help come.
 *
 * In these tables `unit` is the word that stands for the value in --help; ARG_LIST marks an option that may be
 * given many times.
 */
#ifndef MONITOR_BUS_LOG_ARGS_H
#define MONITOR_BUS_LOG_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/opts.h"
#include "monitor/bus_log_out.h"
#include "monitor/log_read.h"

#define ARG_MAX_ITEMS 32
#define ARG_LIST      (1u << 8) /* flag of an option: OPT_TEXT into a struct arg_list, may be repeated */

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct arg_list {
	const char *item[ARG_MAX_ITEMS];
	unsigned n;
};

struct arg_command {
	const char *name;     /* "cut" */
	const char *operands; /* "LOG OUT" */
	const char *purpose;  /* whole lines */
	const char *notes;    /* whole lines behind the options, or "" */
	const struct opt *table;
	size_t n_table;
	unsigned min_operands, max_operands;
};

/*
 * Sets the defaults, then takes argv[1..]. -1: go on, operand[] holds argv's, the rest NULL (room for
 * max_operands + 1). Else the exit status, after --help or a sentence on stderr.
 */
int args_take(const struct arg_command *c, void *settings, int argc, char **argv, const char *operand[]);
/* "bus-log NAME: sentence" on stderr; returns EXIT_USAGE. */
int args_refuse(const struct arg_command *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for what failed; returns EXIT_FAILED. */
int args_fail(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * --protocol: a version of the charger's interface (3.x) or of the vehicle's (2.x), given once for each; what is not
 * given becomes the newest one. -1, or the exit status after a sentence.
 */
#define ARGS_PROTOCOL_HELP "version: 3.0 to 3.6 (EVSE), 2.0 to 2.5 (PEV); default: newest"
int args_protocols(const struct arg_command *c, const struct arg_list *names, unsigned *evse, unsigned *pev);

/*
 * A point in time on the command line: seconds from the first frame of the log ("12.5"), seconds since 1970 as the
 * log has them ("1436509052.25": from 1e8 on), or a date ("2026-11-20T14:05", "2026-11-20 14:05:33.5", local time;
 * with Z at the end UTC).
 */
struct arg_time {
	bool is_set, is_relative;
	int64_t us;
};

/* Empty text: not set. 0 or -EINVAL. */
int args_time(const char *text, struct arg_time *t);
/* In the time of a log whose first frame came at begin_us; unset: fallback. */
int64_t args_time_us(const struct arg_time *t, int64_t begin_us, int64_t fallback);

/* --from and --to of a subcommand, as a log goes by. */
struct arg_span {
	struct arg_time from, to;
	bool has_begun;
	int64_t begin_us; /* first frame */
	int64_t from_us, to_us;
};

/* False after a sentence on stderr. */
bool args_span(const struct arg_command *c, const char *from, const char *to, struct arg_span *s);
/* -1: before the span, 0: inside, 1: behind it. */
int args_span_place(struct arg_span *s, int64_t time_us);

/* Opens the log or says why not. */
bool args_open_log(const char *name, const char *path, struct log_reader *r);
/*
 * What every subcommand says at the end of a log: broken lines; that there was nothing readable at all (then
 * EXIT_FAILED), or a reading error (rc of log_next()).
 */
int args_close_log(const char *name, const char *path, struct log_reader *r, int rc);
/*
 * Opens the output; path NULL, "" or "-": standard output. False after a sentence on stderr: also when it is the very
 * log that is being read, which it would empty.
 */
bool args_open_out(const char *name, const struct log_reader *r, const char *path, struct out *out);
/*
 * Closes the output; EXIT_FAILED with a sentence when it did not take everything. A reader that closed the pipe early
 * is no failure.
 */
int args_close_out(const char *name, const char *path, struct out *out);

#endif
