/* SPDX-License-Identifier: MIT */
/*
 * Log lines of a pure machine, through a sink record that may be absent. Pure: formats into a buffer on the
 * stack and hands the text on. Form of a line: free words, then key=value with unit suffixes.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <stdint.h>

enum log_level { /* numbers of syslog(3), so that a sink may prefix them */
		 LOG_ERR_LEVEL = 3,
		 LOG_WARN = 4,
		 LOG_NOTE = 5,
		 LOG_INF = 6,
		 LOG_DBG = 7,
};

#define LOG_LINE_MAX 256

struct log_sink {
	void (*line)(void *ctx, enum log_level level, const char *text);
	void *ctx;
	enum log_level level; /* lines above it are not formatted */
};

struct log {
	const struct log_sink *sink; /* NULL: silent */
	char prefix[24];	     /* "evse.1", put before each line */
};

void log_init(struct log *log, const struct log_sink *sink, const char *prefix);
void log_f(const struct log *log, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
