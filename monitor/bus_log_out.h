/* SPDX-License-Identifier: MIT */
/*
 * A big output buffer in front of a file descriptor, and numbers as text, fast: what bus-log writes goes through
 * here. Errors stay until the end: nothing is written behind one, and out_finish() tells it.
 */
#ifndef MONITOR_BUS_LOG_OUT_H
#define MONITOR_BUS_LOG_OUT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define OUT_SIZE ((size_t)256 * 1024)

struct out {
	int fd; /* -1: none, everything is thrown away */
	char *buffer;
	size_t n;
	int error;	   /* negative errno of the first write that failed */
	uint64_t n_before; /* bytes written out so far */
};

/* 0 or -ENOMEM. The descriptor stays the caller's. */
int out_init(struct out *o, int fd);
/* Writes out what is buffered. 0 or the error. */
int out_flush(struct out *o);
/* Flushes and frees the buffer. 0 or the first error. */
int out_finish(struct out *o);
/*
 * Opens FILE for writing and empties it; "-" or NULL: standard output. 0 or a negative errno with a sentence.
 */
int out_open(struct out *o, const char *path, char *err, size_t err_size);
/* Finishes and closes (standard output stays open). 0 or the first error. */
int out_close(struct out *o);

/* A place for up to `room` bytes (at most OUT_SIZE); out_end() says where they ended. */
static inline char *out_begin(struct out *o, size_t room)
{
	if (OUT_SIZE - o->n < room)
		out_flush(o);
	return o->buffer + o->n;
}

static inline void out_end(struct out *o, const char *end)
{
	o->n = (size_t)(end - o->buffer);
}

/* Any length. */
void out_text(struct out *o, const char *text, size_t n);

/* --- text at p; each returns the end ------------------------------------------------------------------------- */

extern const char out_pairs[201]; /* "00" to "99" */
extern const char out_hex_pairs[513];

static inline char *put_text(char *p, const char *text, size_t n)
{
	memcpy(p, text, n);
	return p + n;
}

/* Text that lies in a block of at least OUT_SHORT bytes, to a place with as much room: mostly one move. */
#define OUT_SHORT 32
static inline char *put_short(char *p, const char *text, size_t n)
{
	if (n <= OUT_SHORT)
		memcpy(p, text, OUT_SHORT);
	else
		memcpy(p, text, n);
	return p + n;
}

static inline char *put_hex_byte(char *p, uint8_t byte)
{
	memcpy(p, out_hex_pairs + 2 * (size_t)byte, 2);
	return p + 2;
}

/* 11 or 29 bits, error frames with their flag; 3 or 8 digits. */
char *put_id(char *p, uint32_t can_id);
/* At most 20 digits. */
char *put_unsigned(char *p, uint64_t v);
char *put_signed(char *p, int64_t v);
/* v / 10^decimals (at most 9) without trailing zeros. */
char *put_decimal(char *p, int64_t v, unsigned decimals);
/* Microseconds as seconds with six digits behind the point; at least min_digits in front of it. */
char *put_seconds(char *p, int64_t us, unsigned min_digits);

#endif
