/* SPDX-License-Identifier: MIT */
/*
 * A line of Vector's ASC: the header, and events behind a time. Frames and error frames of classic CAN are handed
 * out; other events (statistics, chip states, requests to send) are comments.
 *
 *     date Wed Apr 16 09:21:13.159 am 2014
 *     base hex  timestamps absolute
 *        0.015991 1  36             Rx   d 8 00 11 22 33 44 55 66 77  Length = 0 BitCount = 64 ID = 54
 *        1.015991 1  18EBFF00x      Rx   d 2 01 A0
 *        2.500000 1  300            Tx   r
 *        3.000000 1  ErrorFrame
 */
#include "monitor/log_read_parse.h"

#include <linux/can/error.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define LATEST_US (INT64_MAX / 16) /* dates to the year 9999; relative times may not add up beyond */
#define MAX_WORDS 16 /* time, channel, id, direction, kind, length, 8 bytes, and one that follows */

struct words {
	const char *p[MAX_WORDS];
	size_t n[MAX_WORDS];
	unsigned count;
};

static void split(const char *line, size_t n, struct words *w)
{
	const char *end = line + n;

	w->count = 0;
	while (w->count < MAX_WORDS) {
		while (line < end && (*line == ' ' || *line == '\t'))
			line++;
		if (line == end)
			return;
		w->p[w->count] = line;
		while (line < end && *line != ' ' && *line != '\t')
			line++;
		w->n[w->count] = (size_t)(line - w->p[w->count]);
		w->count++;
	}
}

static bool is_word(const struct words *w, unsigned i, const char *word)
{
	return i < w->count && w->n[i] == strlen(word) && strncasecmp(w->p[i], word, w->n[i]) == 0;
}

/* "12.345678" seconds; digits beyond the microsecond are dropped. */
static bool read_seconds(const char *p, size_t n, int64_t *us)
{
	const char *end = p + n;
	int64_t s = 0, fraction = 0;
	unsigned digits = 0;

	for (; p < end && *p >= '0' && *p <= '9'; p++) {
		if (++digits > 11)
			return false;
		s = s * 10 + (*p - '0');
	}
	if (!digits || p == end || *p++ != '.')
		return false;
	for (digits = 0; p < end && *p >= '0' && *p <= '9'; p++)
		if (digits < 6) {
			fraction = fraction * 10 + (*p - '0');
			digits++;
		}
	for (; digits < 6; digits++)
		fraction *= 10;
	*us = s * 1000000 + fraction;
	return p == end;
}

/* The names of a month in English and in German, as the tools write them; -1: none of these. */
static int read_month(const char *p, size_t n)
{
	static const struct {
		char name[5];
		int month;
	} months[] = {
		{"Jan", 0}, {"Feb", 1}, {"Mar", 2}, {"Mrz", 2},	 {"M\xc3\xa4r", 2}, {"M\xe4r", 2},
		{"Apr", 3}, {"May", 4}, {"Mai", 4}, {"Jun", 5},	 {"Jul", 6},	    {"Aug", 7},
		{"Sep", 8}, {"Oct", 9}, {"Okt", 9}, {"Nov", 10}, {"Dec", 11},	    {"Dez", 11},
	};
	size_t i;

	for (i = 0; i < sizeof(months) / sizeof(months[0]); i++)
		if (n >= strlen(months[i].name) &&
		    strncasecmp(p, months[i].name, strlen(months[i].name)) == 0)
			return months[i].month;
	return -1;
}

/* "09:21:13.159" into t and us. */
static bool read_clock(const char *p, size_t n, struct tm *t, int64_t *us)
{
	uint32_t hour, minute;

	*us = 0;
	if (n < 8 || p[2] != ':' || p[5] != ':' || !log_number(p, 2, 10, &hour) ||
	    !log_number(p + 3, 2, 10, &minute))
		return false;
	t->tm_hour = (int)hour;
	t->tm_min = (int)minute;
	if (n == 8) {
		uint32_t second;

		if (!log_number(p + 6, 2, 10, &second))
			return false;
		t->tm_sec = (int)second;
		return true;
	}
	if (!read_seconds(p + 6, n - 6, us) || *us >= 61 * INT64_C(1000000))
		return false;
	t->tm_sec = (int)(*us / 1000000);
	*us %= 1000000;
	return true;
}

/* "date Wed Apr 16 09:21:13.159 am 2014"; what cannot be read leaves the times counting from 0. */
static void read_date(struct log_reader *r, const struct words *w)
{
	struct tm t = {.tm_isdst = -1};
	uint32_t day, year;
	unsigned i = 5;
	int64_t us;
	time_t s;

	if (w->count < 6 || !log_number(w->p[3], w->n[3], 10, &day) || !read_clock(w->p[4], w->n[4], &t, &us))
		return;
	if (is_word(w, i, "am") || is_word(w, i, "pm")) {
		t.tm_hour = t.tm_hour % 12 + (is_word(w, i, "pm") ? 12 : 0);
		i++;
	}
	t.tm_mon = read_month(w->p[2], w->n[2]);
	if (i >= w->count || !log_number(w->p[i], w->n[i], 10, &year) || t.tm_mon < 0 || year < 1970 ||
	    year > 9999 || day < 1 || day > 31)
		return;
	t.tm_mday = (int)day;
	t.tm_year = (int)year - 1900;
	s = mktime(&t);
	if (s < 0)
		return;
	r->base_us = (int64_t)s * 1000000 + us;
	r->last_us = r->base_us;
	r->is_local = true;
}

static enum log_line take_header(struct log_reader *r, const struct words *w, const char **reason)
{
	static const char *const others[] = {"internal", "no", "begin", "end", "filter"};
	unsigned i;

	if (is_word(w, 0, "date")) {
		read_date(r, w);
		return LOG_LINE_COMMENT;
	}
	if (is_word(w, 0, "base")) {
		r->is_hex = !is_word(w, 1, "dec");
		r->is_relative = is_word(w, 3, "relative");
		return LOG_LINE_COMMENT;
	}
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (is_word(w, 0, others[i]))
			return LOG_LINE_COMMENT;
	*reason = "neither a header nor an event of ASC";
	return LOG_LINE_BAD;
}

/* "36" or "18EBFF00x". */
static bool read_id(const struct log_reader *r, const char *p, size_t n, canid_t *id)
{
	bool is_extended = n > 1 && (p[n - 1] == 'x' || p[n - 1] == 'X');
	uint32_t value;

	if (!log_number(p, is_extended ? n - 1 : n, r->is_hex ? 16 : 10, &value))
		return false;
	*id = value | (is_extended ? CAN_EFF_FLAG : 0);
	return value <= (is_extended ? CAN_EFF_MASK : CAN_SFF_MASK);
}

/* From the kind on: "d 8 00 11 ..." or "r" or "r 8". */
static bool read_content(const struct log_reader *r, const struct words *w, struct can_frame *f)
{
	uint32_t n, byte;
	unsigned i;

	if (is_word(w, 4, "r")) {
		f->can_id |= CAN_RTR_FLAG;
		if (w->count > 5 && log_number(w->p[5], w->n[5], 16, &n) && n <= 15)
			f->can_dlc = (uint8_t)(n < CAN_MAX_DLEN ? n : CAN_MAX_DLEN);
		return true;
	}
	if (w->count < 6 || !log_number(w->p[5], w->n[5], 16, &n) || n > CAN_MAX_RAW_DLC)
		return false;
	if (n > CAN_MAX_DLEN) {
		f->len8_dlc = (uint8_t)n;
		n = CAN_MAX_DLEN;
	}
	if (w->count < 6 + n)
		return false;
	for (i = 0; i < n; i++) {
		if (!log_number(w->p[6 + i], w->n[6 + i], r->is_hex ? 16 : 10, &byte) || byte > 0xff)
			return false;
		f->data[i] = (uint8_t)byte;
	}
	f->can_dlc = (uint8_t)n;
	return true;
}

/* A line with a time, a channel and more. */
static enum log_line take_event(const struct log_reader *r, const struct words *w, struct log_entry *e,
				const char **reason)
{
	bool is_rx = is_word(w, 3, "Rx"), is_tx = is_word(w, 3, "Tx");
	bool has_kind = is_word(w, 4, "d") || is_word(w, 4, "r");

	memset(&e->frame, 0, sizeof(e->frame));
	e->direction = is_rx ? 'R' : is_tx ? 'T' : 0;
	if (is_word(w, 2, "ErrorFrame")) {
		e->direction = 0;
		e->frame.can_id = CAN_ERR_FLAG | CAN_ERR_PROT;
		e->frame.can_dlc = CAN_ERR_DLC;
		return LOG_LINE_FRAME;
	}
	/* Statistics, chip states, requests to send (the frame follows when it is sent). */
	if (is_word(w, 3, "TxRq") || (!is_rx && !is_tx && !has_kind))
		return LOG_LINE_COMMENT;
	*reason = "neither Rx nor Tx";
	if (!is_rx && !is_tx)
		return LOG_LINE_BAD;
	*reason = "neither data nor remote frame";
	if (!has_kind)
		return LOG_LINE_BAD;
	*reason = "not an identifier";
	if (!read_id(r, w->p[2], w->n[2], &e->frame.can_id))
		return LOG_LINE_BAD;
	*reason = "not the data it promises";
	return read_content(r, w, &e->frame) ? LOG_LINE_FRAME : LOG_LINE_BAD;
}

/* Channel n is called can(n-1). */
static int read_channel(struct log_reader *r, uint32_t n)
{
	char name[32];

	if (n == 0)
		return -1;
	snprintf(name, sizeof(name), "can%u", n - 1);
	return log_channel_of(r, name);
}

enum log_line log_asc_line(struct log_reader *r, const char *line, size_t n, struct log_entry *e,
			   const char **reason)
{
	enum log_line what;
	struct words w;
	uint32_t number;
	int64_t us, begin_us;
	int channel;

	split(line, n, &w);
	if (w.count == 0)
		return LOG_LINE_COMMENT;
	if ((w.n[0] >= 2 && memcmp(w.p[0], "//", 2) == 0) || w.p[0][0] == '#' || w.p[0][0] == ';') {
		log_take_comment(r, w.p[0], (size_t)(line + n - w.p[0]));
		return LOG_LINE_COMMENT;
	}
	if (w.p[0][0] < '0' || w.p[0][0] > '9')
		return take_header(r, &w, reason);
	*reason = "not a time";
	begin_us = r->is_relative ? r->last_us : r->base_us;
	if (!read_seconds(w.p[0], w.n[0], &us) || us > LATEST_US - begin_us)
		return LOG_LINE_BAD;
	/* Relative times count from the line before, whatever it was. */
	e->time_us = us + begin_us;
	if (r->is_relative)
		r->last_us = e->time_us;
	*reason = "not classic CAN: a CAN FD frame";
	if (is_word(&w, 1, "CANFD"))
		return LOG_LINE_BAD;
	if (w.count < 3 || !log_number(w.p[1], w.n[1], 10, &number))
		return LOG_LINE_COMMENT;
	what = take_event(r, &w, e, reason);
	if (what != LOG_LINE_FRAME)
		return what;
	channel = read_channel(r, number);
	*reason = "not a channel, or more of them than a log can have";
	if (channel < 0)
		return LOG_LINE_BAD;
	e->channel = (uint8_t)channel;
	return LOG_LINE_FRAME;
}
