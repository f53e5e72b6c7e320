/* SPDX-License-Identifier: MIT */
/*
 * The buffer, the lines and the counts of the log reader. What a line says is found out by log_read_fast.c,
 * log_read_candump.c and log_read_asc.c.
 */
#include "monitor/log_read.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monitor/log_read_parse.h"

static void reset(struct log_reader *r)
{
	r->format = LOG_UNKNOWN;
	memset(&r->stats, 0, sizeof(r->stats));
	r->at = 0;
	r->n = 0;
	r->is_end = false;
	memset(r->channel, 0, sizeof(r->channel));
	memset(r->fast, 0, sizeof(r->fast));
	r->n_channels = 0;
	r->base_us = 0;
	r->last_us = 0;
	r->is_hex = true;
	r->is_relative = false;
	r->is_local = false;
	r->lost_next = 0;
	r->offset = 0;
	r->is_too_long = false;
	r->read_error = 0;
	/* Two texts that overlap and differ where they do: no line equals both. */
	r->fast_second[0] = UINT64_MAX;
	r->fast_second[1] = 0;
	r->fast_second_us = 0;
	r->fast_channel = 0;
}

/* Moves the rest to the front and reads behind it; sets is_end when no more can come. */
static void fill(struct log_reader *r)
{
	ssize_t got;

	if (r->fd < 0) {
		r->is_end = true;
		return;
	}
	r->offset += r->at;
	memmove(r->buffer, r->buffer + r->at, r->n - r->at);
	r->n -= r->at;
	r->at = 0;
	do
		got = read(r->fd, r->buffer + r->n, LOG_BUFFER_SIZE - r->n);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		r->read_error = -errno;
	if (got <= 0)
		r->is_end = true;
	else
		r->n += (size_t)got;
}

__attribute__((format(printf, 4, 5))) static int refuse(int error, char *err, size_t err_size,
							const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(err, err_size, format, list);
	va_end(list);
	return error;
}

/* Formats that are not text are named, so that nobody looks for broken lines. */
static int check_magic(const struct log_reader *r, const char *path, char *err, size_t err_size)
{
	static const struct {
		const char *magic;
		size_t n;
		const char *tool;
	} packed[] = {
		{"\x1f\x8b", 2, "zcat"},
		{"\xfd"
		 "7zXZ",
		 5, "xzcat"},
		{"\x28\xb5\x2f\xfd", 4, "zstdcat"},
		{"BZh", 3, "bzcat"},
	};
	size_t i;

	if (r->n >= 4 && memcmp(r->buffer, "LOGG", 4) == 0)
		return refuse(-EPROTONOSUPPORT, err, err_size,
			      "%s: a binary log (BLF), which is not supported: convert it to ASC first",
			      path);
	for (i = 0; i < sizeof(packed) / sizeof(packed[0]); i++)
		if (r->n >= packed[i].n && memcmp(r->buffer, packed[i].magic, packed[i].n) == 0)
			return refuse(-EPROTONOSUPPORT, err, err_size,
				      "%s: compressed; use: %s LOG | ... with - in place of LOG", path,
				      packed[i].tool);
	return 0;
}

int log_open(struct log_reader *r, const char *path, char *err, size_t err_size)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int rc;

	r->fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0)
		return refuse(-errno, err, err_size, "%s: %s", path, strerror(errno));
	reset(r);
	r->buffer = malloc(LOG_BUFFER_SIZE);
	if (!r->buffer) {
		rc = refuse(-ENOMEM, err, err_size, "%s: not enough memory", path);
	} else {
		posix_fadvise(r->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
		fill(r);
		rc = r->read_error
			     ? refuse(r->read_error, err, err_size, "%s: %s", path, strerror(-r->read_error))
			     : check_magic(r, is_stdin ? "standard input" : path, err, err_size);
	}
	if (rc)
		log_close(r);
	return rc;
}

void log_open_memory(struct log_reader *r, const char *text, size_t n)
{
	reset(r);
	r->fd = -1;
	r->buffer = (char *)(uintptr_t)text; /* never written to: there is no file to fill it from */
	r->n = n;
	r->is_end = true;
}

void log_close(struct log_reader *r)
{
	if (r->fd < 0)
		return;
	free(r->buffer);
	r->buffer = NULL;
	if (r->fd != STDIN_FILENO)
		close(r->fd);
	r->fd = -1;
}

int log_rewind(struct log_reader *r)
{
	size_t n = r->n;

	if (r->fd >= 0 && lseek(r->fd, 0, SEEK_SET) < 0)
		return -errno;
	reset(r);
	if (r->fd < 0) {
		r->n = n;
		r->is_end = true;
	}
	return 0;
}

bool log_number(const char *p, size_t n, unsigned base, uint32_t *value)
{
	uint32_t v = 0;

	if (n == 0 || n > 9)
		return false;
	for (; n > 0; n--, p++) {
		unsigned digit = *p >= '0' && *p <= '9'	  ? (unsigned)(*p - '0')
				 : *p >= 'a' && *p <= 'f' ? (unsigned)(*p - 'a' + 10)
				 : *p >= 'A' && *p <= 'F' ? (unsigned)(*p - 'A' + 10)
							  : 99;

		if (digit >= base || v > (UINT32_MAX - digit) / base)
			return false;
		v = v * base + digit;
	}
	*value = v;
	return true;
}

/* No control characters: names are printed, and told to terminals. */
static bool is_name(const char *name)
{
	for (; *name; name++)
		if ((unsigned char)*name <= ' ' || *name == 0x7f)
			return false;
	return true;
}

int log_channel_of(struct log_reader *r, const char *name)
{
	unsigned i;

	for (i = 0; i < r->n_channels; i++)
		if (strcmp(r->channel[i], name) == 0)
			return (int)i;
	if (i == LOG_MAX_CHANNELS || !name[0] || strlen(name) >= sizeof(r->channel[0]) || !is_name(name))
		return -1;
	strcpy(r->channel[i], name);
	r->n_channels++;
	log_fast_learn(r, i);
	return (int)i;
}

const char *log_channel(const struct log_reader *r, unsigned channel)
{
	return channel < r->n_channels ? r->channel[channel] : "";
}

uint64_t log_position(const struct log_reader *r)
{
	return r->offset + r->at;
}

uint64_t log_size(const struct log_reader *r)
{
	struct stat st;

	if (r->fd < 0)
		return r->n;
	return fstat(r->fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

void log_take_comment(struct log_reader *r, const char *text, size_t n)
{
	static const char tail[] = "lost before the next one";
	const char *end = text + n;
	uint32_t lost = 0;

	while (text < end && (*text == '#' || *text == '/' || *text == ' '))
		text++;
	while (text < end && *text >= '0' && *text <= '9' && lost < UINT32_MAX / 10 - 1)
		lost = lost * 10 + (uint32_t)(*text++ - '0');
	if (!lost || (size_t)(end - text) < 7 || memcmp(text, " frame", 6) != 0)
		return;
	text += 6;
	if (*text == 's')
		text++;
	if ((size_t)(end - text) < sizeof(tail) || memcmp(text + 1, tail, sizeof(tail) - 1) != 0)
		return;
	r->lost_next += lost;
	r->stats.n_lost += lost;
}

static void count_bad(struct log_reader *r, const char *reason)
{
	struct log_stats *s = &r->stats;

	if (s->n_bad < LOG_MAX_BAD_KEPT) {
		s->bad_line[s->n_bad] = s->n_lines;
		s->bad_reason[s->n_bad] = reason;
	}
	s->n_bad++;
}

/* The format is told by the first line that is surely of one of them. */
static void find_format(struct log_reader *r, const char *line, size_t n)
{
	while (n && (*line == ' ' || *line == '\t')) {
		line++;
		n--;
	}
	if (!n || *line == '#' || *line == ';')
		return;
	if ((n >= 5 && memcmp(line, "date ", 5) == 0) || (n >= 5 && memcmp(line, "base ", 5) == 0) ||
	    (n >= 2 && memcmp(line, "//", 2) == 0))
		r->format = LOG_ASC;
	else if (*line == '(')
		r->format = LOG_CANDUMP;
}

/* A frame: what all formats have in common. */
static int hand_out(struct log_reader *r, struct log_entry *e)
{
	struct log_stats *s = &r->stats;

	e->line = s->n_lines;
	e->n_lost = r->lost_next;
	r->lost_next = 0;
	if (s->n_frames++ && e->time_us < r->last_us)
		s->n_backwards++;
	r->last_us = e->time_us;
	return 1;
}

/* One whole line without its end. */
static enum log_line take_line(struct log_reader *r, const char *line, size_t n, struct log_entry *e)
{
	const char *reason = "not a frame";
	enum log_line what;

	r->stats.n_lines++;
	while (n && line[n - 1] == '\r')
		n--;
	if (r->format == LOG_UNKNOWN)
		find_format(r, line, n);
	if (r->format == LOG_ASC) {
		what = log_asc_line(r, line, n, e, &reason);
	} else {
		what = log_candump_line(r, line, n, e, &reason);
		if (what == LOG_LINE_FRAME)
			r->format = LOG_CANDUMP;
	}
	if (what == LOG_LINE_BAD)
		count_bad(r, reason);
	else if (what == LOG_LINE_COMMENT)
		r->stats.n_comments++;
	return what;
}

/* Throws away what is in the buffer of a line that is longer than the buffer. */
static void skip_long(struct log_reader *r, const char *end)
{
	if (!r->is_too_long) {
		r->stats.n_lines++;
		count_bad(r, "longer than a line can be");
	}
	r->is_too_long = !end;
	r->at = end ? (size_t)(end + 1 - r->buffer) : r->n;
}

/* The next line by the general way: 1 it was a frame, 0 it was not, -1 there is none. */
static int slow_line(struct log_reader *r, struct log_entry *e)
{
	const char *line = r->buffer + r->at;
	const char *end = r->n > r->at ? memchr(line, '\n', r->n - r->at) : NULL;
	size_t n;

	if (!end && !r->is_end) {
		if (r->is_too_long || (r->at == 0 && r->n == LOG_BUFFER_SIZE))
			skip_long(r, NULL);
		fill(r);
		return 0;
	}
	if (!end && r->at == r->n)
		return -1;
	if (r->is_too_long) {
		skip_long(r, end);
		return 0;
	}
	r->stats.is_cut_off = !end;
	n = end ? (size_t)(end - line) : r->n - r->at;
	r->at += n + (end ? 1 : 0);
	return take_line(r, line, n, e) == LOG_LINE_FRAME;
}

int log_next(struct log_reader *r, struct log_entry *e)
{
	int rc;

	do {
		if (r->n - r->at >= LOG_FAST_ROOM && r->format == LOG_CANDUMP && !r->is_too_long) {
			size_t n = log_fast_read(r, r->buffer + r->at, e);

			if (n) {
				r->at += n;
				r->stats.n_lines++;
				return hand_out(r, e);
			}
		}
		rc = slow_line(r, e);
	} while (rc == 0);
	if (rc > 0)
		return hand_out(r, e);
	rc = r->read_error;
	r->read_error = 0;
	return rc;
}

void log_tell_bad(const struct log_reader *r, const char *prefix, FILE *out)
{
	const struct log_stats *s = &r->stats;
	uint64_t i, n = s->n_bad < LOG_MAX_BAD_KEPT ? s->n_bad : LOG_MAX_BAD_KEPT;

	if (s->is_cut_off)
		fprintf(out, "%s: line %" PRIu64 " has no end: cut off, or still being written\n", prefix,
			s->n_lines);
	if (!s->n_bad)
		return;
	for (i = 0; i < n; i++)
		fprintf(out, "%s: line %" PRIu64 ": %s\n", prefix, s->bad_line[i], s->bad_reason[i]);
	fprintf(out, "%s: %" PRIu64 " of %" PRIu64 " lines could not be read%s\n", prefix, s->n_bad,
		s->n_lines, n < s->n_bad ? "; the first ones are named above" : "");
}
