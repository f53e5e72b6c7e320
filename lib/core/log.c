/* SPDX-License-Identifier: MIT */
/* Formatting of log lines. Pure. */
#include "lib/core/log.h"

#include <stdarg.h>
#include <stdio.h>

void log_init(struct log *log, const struct log_sink *sink, const char *prefix)
{
	log->sink = sink;
	snprintf(log->prefix, sizeof(log->prefix), "%s", prefix);
}

void log_f(const struct log *log, enum log_level level, const char *format, ...)
{
	char text[LOG_LINE_MAX];
	va_list args;
	int n;

	if (!log->sink || !log->sink->line || level > log->sink->level)
		return;
	n = snprintf(text, sizeof(text), "%s%s", log->prefix, log->prefix[0] ? ": " : "");
	va_start(args, format);
	vsnprintf(text + n, sizeof(text) - (size_t)n, format, args);
	va_end(args);
	log->sink->line(log->sink->ctx, level, text);
}
