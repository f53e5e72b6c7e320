/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the log reader share: the words it reads lines by, and the parser of each format.
 */
#ifndef MONITOR_LOG_READ_PARSE_H
#define MONITOR_LOG_READ_PARSE_H

#include "monitor/log_read.h"

/* Bytes that must follow the start of a line in the buffer before the fast path may look at it. */
#define LOG_FAST_ROOM 96

/* What a line turned out to be; a broken one has a reason. */
enum log_line { LOG_LINE_FRAME, LOG_LINE_COMMENT, LOG_LINE_BAD };

/*
 * The canonical line of candump -L at p, LOG_FAST_ROOM bytes readable: fills time, frame, channel and direction of *e
 * and returns the bytes of the line with its end, or 0: not canonical, ask the general parser.
 */
size_t log_fast_read(struct log_reader *r, const char *p, struct log_entry *e);
/* Makes a channel known to the fast path. */
void log_fast_learn(struct log_reader *r, unsigned channel);

/* One line of n bytes without its end. */
enum log_line log_candump_line(struct log_reader *r, const char *line, size_t n, struct log_entry *e,
			       const char **reason);
enum log_line log_asc_line(struct log_reader *r, const char *line, size_t n, struct log_entry *e,
			   const char **reason);

/* All of n characters as a number, upper or lower case; false: something else, more than 9 digits, or above 32 bits. */
bool log_number(const char *p, size_t n, unsigned base, uint32_t *value);
/* Number of a channel by name; makes a new one; -1: there are too many, or it is no name. */
int log_channel_of(struct log_reader *r, const char *name);
/* A recorder's "N frames lost before the next one" behind the comment sign: noted for the next frame. */
void log_take_comment(struct log_reader *r, const char *text, size_t n);

#endif
