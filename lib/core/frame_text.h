/* SPDX-License-Identifier: MIT */
/*
 * candump's text form of a frame <-> struct can_frame. Pure.
 *
 * Frame: ID#DATA (3 hex digits: 11 bit, 8: 29 bit; "R" or "R3" for remote frames; error frames have the error
 * flag in the 8-digit id). Log line of candump -L: "(1436509052.249713) vcan0 123#1122AABB", optionally
 * followed by blanks and " R" or " T".
 */
#ifndef CORE_FRAME_TEXT_H
#define CORE_FRAME_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include <linux/can.h>

#define FRAME_TEXT_MAX	   32 /* frame alone, with the final NUL */
#define FRAME_LOG_LINE_MAX 96 /* log line, with the final NUL, no line end */
#define FRAME_CHANNEL_MAX  32

/* Returns the length written (without NUL). */
size_t frame_text_write(const struct can_frame *f, char text[FRAME_TEXT_MAX]);
/* Parses at most len characters; 0 or -EINVAL. */
int frame_text_read(const char *text, size_t len, struct can_frame *f);
/* "(s.us) channel frame"; time_us >= 0. Returns the length. */
size_t frame_log_write(int64_t time_us, const char *channel, const struct can_frame *f,
		       char line[FRAME_LOG_LINE_MAX]);
/*
 * Reads a log line, or the screen form of candump ("  vcan0  123   [4]  11 22 AA BB", with or without a leading
 * "(time)" stamp; then time_us is -1 without one). 0, -EINVAL, or -ENODATA for an empty or comment line.
 */
int frame_log_read(const char *line, size_t len, int64_t *time_us, char channel[FRAME_CHANNEL_MAX],
		   struct can_frame *f);

#endif
