/* SPDX-License-Identifier: MIT */
/*
 * Reads a bus log line by line in constant memory: candump -L and its screen form, and Vector ASC. A broken line
 * is counted with its number and skipped; the log is always read to its end. Not pure: reads a file or a pipe.
 */
#ifndef MONITOR_LOG_READ_H
#define MONITOR_LOG_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/can.h>

#define LOG_MAX_BAD_KEPT 16
#define LOG_MAX_CHANNELS 32
#define LOG_BUFFER_SIZE	 (256 * 1024)

enum log_format { LOG_UNKNOWN, LOG_CANDUMP, LOG_ASC };

struct log_entry {
	int64_t time_us; /* as the log says; candump -L: since 1970; ASC: since its date line, or from 0 without one */
	struct can_frame frame; /* error frames included */
	uint8_t channel;	/* index of log_channel() */
	char direction;		/* 'R', 'T', or 0 where the log does not say */
	uint64_t line;		/* from 1 */
	uint32_t n_lost;	/* frames that the recorder says it lost just before this one */
};

struct log_stats {
	uint64_t n_lines, n_frames, n_comments, n_bad, n_lost;
	uint64_t n_backwards; /* times smaller than the one before; handed out as they are */
	uint64_t bad_line[LOG_MAX_BAD_KEPT]; /* numbers of the first ones */
	const char *bad_reason[LOG_MAX_BAD_KEPT]; /* static sentences */
};

struct log_reader {
	int fd; /* -1: memory */
	enum log_format format;
	struct log_stats stats;
	bool is_end;
	char *buffer;
	size_t at, n; /* unread bytes: [at, n) */
	char channel[LOG_MAX_CHANNELS][32];
	unsigned n_channels;
	int64_t base_us, last_us; /* ASC: date and previous time */
	bool is_hex, is_relative; /* ASC */
	uint32_t lost_next;
	uint64_t offset; /* of byte 0 of the buffer in the file */
};

/* "-": standard input. 0 or a negative errno with a sentence in err. */
int log_open(struct log_reader *r, const char *path, char *err, size_t err_size);
/* From memory that stays until the end; for tests and fuzzers. */
void log_open_memory(struct log_reader *r, const char *text, size_t n);
void log_close(struct log_reader *r);
/* 1 a frame, 0 the end, or a negative errno of reading. */
int log_next(struct log_reader *r, struct log_entry *e);
/* Back to the start; statistics start again. -ESPIPE on a pipe. */
int log_rewind(struct log_reader *r);
const char *log_channel(const struct log_reader *r, unsigned channel);

#endif
