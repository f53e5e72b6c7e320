/* SPDX-License-Identifier: MIT */
/*
 * Frames as lines of a log: candump -L, and Vector ASC with absolute times. The other half of log_read.h: what is
 * written here reads back as the same frames at the same times (ASC knows no details of error frames, and channels
 * only by number). Pure: text into the caller's buffer.
 */
#ifndef MONITOR_LOG_WRITE_H
#define MONITOR_LOG_WRITE_H

#include "monitor/log_read.h"

#define LOG_WRITE_MAX 512 /* most that one call writes */

struct log_writer {
	enum log_format format; /* LOG_CANDUMP or LOG_ASC */
	int64_t base_us;	/* ASC: the date line, whole milliseconds */
	bool has_begun;
	uint8_t number[LOG_MAX_CHANNELS]; /* ASC: of each channel of the reader; 0: none yet */
};

void log_write_init(struct log_writer *w, enum log_format format);
/* Header (ASC, before the first), what was lost before it, and the frame. channel: its name. Returns the bytes. */
size_t log_write_entry(struct log_writer *w, const struct log_entry *e, const char *channel,
		       char text[LOG_WRITE_MAX]);
/* What has to follow the last frame. A log without frames gets its header too. */
size_t log_write_end(struct log_writer *w, char text[LOG_WRITE_MAX]);
/* "# N frames lost before the next one": what every reader of ours understands. */
size_t log_write_lost(struct log_writer *w, uint64_t n, char text[LOG_WRITE_MAX]);
/* By the name's end: .asc is ASC, all else candump's. */
enum log_format log_format_of(const char *path);

#endif
