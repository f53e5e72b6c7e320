/* SPDX-License-Identifier: MIT */
/*
 * Reads a bus log line by line in constant memory: candump -L and its screen form, and Vector ASC. A broken line
 * is counted with its number and skipped; the log is always read to its end. Not pure: reads a file or a pipe.
 *
 * The format is found by the first line that tells it. Every line is a frame, a comment (empty lines, headers and
 * events of ASC too) or broken: n_lines == n_frames + n_comments + n_bad, always. CAN FD frames are broken lines
 * here. The candump line that every recorder writes takes a path of its own, a word at a time (log_read_fast.c);
 * all else goes through lib/core/frame_text.c. Compressed logs and binary ones (BLF) are refused by log_open().
 *
 * Times without a stamp of their own (candump's screen form) are those of the line before, at first 0. Channel n
 * of an ASC log is called as asc2log(1) does: can(n-1).
 */
#ifndef MONITOR_LOG_READ_H
#define MONITOR_LOG_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <linux/can.h>

#define LOG_MAX_BAD_KEPT 16
#define LOG_MAX_CHANNELS 32
#define LOG_BUFFER_SIZE	 (256 * 1024)

enum log_format { LOG_UNKNOWN, LOG_CANDUMP, LOG_ASC };

struct log_entry {
	int64_t time_us; /* as the log says; candump -L: since 1970; ASC: its date line (local time) and on, or from 0 */
	struct can_frame frame; /* error frames included */
	uint8_t channel;	/* index of log_channel() */
	char direction;		/* 'R', 'T', or 0 where the log does not say */
	uint64_t line;		/* from 1 */
	uint32_t n_lost;	/* frames that the recorder says it lost just before this one */
};

/* n_bad counts all; of the first ones the numbers and reasons are kept. */
struct log_stats {
	uint64_t n_lines, n_frames, n_comments, n_bad, n_lost;
	uint64_t n_backwards;		     /* times smaller than the one before; handed out as they are */
	bool is_cut_off;		     /* the last line has no end: it may be a part of one */
	uint64_t bad_line[LOG_MAX_BAD_KEPT]; /* numbers of the first ones */
	const char *bad_reason[LOG_MAX_BAD_KEPT]; /* static sentences */
};

/* What log_read_fast.c knows of a channel: its name and the blank behind it, as two words. */
struct log_fast_name {
	uint64_t name[2], mask[2];
	uint32_t n; /* bytes; 0: too long for the fast path */
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
	bool is_local;		  /* times came from dates without a time zone, which were taken for ours */
	uint32_t lost_next;
	uint64_t offset; /* of byte 0 of the buffer in the file */
	/* ---- the reader's own */
	bool is_too_long;	 /* inside a line that did not fit the buffer */
	int read_error;		 /* of the file; told when the buffer is empty */
	uint64_t fast_second[2]; /* text of the second last seen, and its value */
	int64_t fast_second_us;
	unsigned fast_channel; /* last one */
	struct log_fast_name fast[LOG_MAX_CHANNELS];
};

/* "-": standard input. 0 or a negative errno with a sentence in err; then there is nothing to close. */
int log_open(struct log_reader *r, const char *path, char *err, size_t err_size);
/* From memory that stays until the end; for tests and fuzzers. log_close() need not be called. */
void log_open_memory(struct log_reader *r, const char *text, size_t n);
void log_close(struct log_reader *r);
/* 1 a frame, 0 the end, or a negative errno of reading. */
int log_next(struct log_reader *r, struct log_entry *e);
/* Back to the start; statistics start again. -ESPIPE on a pipe. */
int log_rewind(struct log_reader *r);
/* Name of a channel; "" beyond those seen so far. */
const char *log_channel(const struct log_reader *r, unsigned channel);
/* Where the next line begins in the file, for a bar of progress; and the size of the file, 0: not known. */
uint64_t log_position(const struct log_reader *r);
uint64_t log_size(const struct log_reader *r);
/*
 * Says on `out` what was not read: one line per kept broken line and a sum, each behind "prefix: "; and that the
 * log ends within a line, as one that is still being written may. Nothing when all was well.
 */
void log_tell_bad(const struct log_reader *r, const char *prefix, FILE *out);

#endif
