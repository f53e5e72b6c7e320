/* SPDX-License-Identifier: MIT */
/*
 * A line of candump in any of its forms, the general way: log form, screen form, and times as dates (candump -tA).
 */
#include "monitor/log_read_parse.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "lib/core/frame_text.h"

/* Why a line is no frame that we take: CAN FD has "##", or a length of two digits on the screen. */
static const char *blame(const char *line, size_t n)
{
	const char *p = memmem(line, n, "##", 2);

	if (p)
		return "not classic CAN: a CAN FD frame";
	p = memchr(line, '[', n);
	if (p && (size_t)(line + n - p) > 3 && p[1] >= '0' && p[1] <= '6' && p[2] >= '0' && p[2] <= '9' &&
	    p[3] == ']')
		return "not classic CAN: a CAN FD frame";
	return "not a frame";
}

static bool number(const char *p, unsigned n, int *value)
{
	*value = 0;
	for (; n > 0; n--, p++) {
		if (*p < '0' || *p > '9')
			return false;
		*value = *value * 10 + (*p - '0');
	}
	return true;
}

/* "(2015-07-10 04:04:12.249713)", local time; returns its length or 0. */
static size_t read_date(const char *p, size_t n, int64_t *time_us)
{
	static const char shape[] = "(dddd-dd-dd dd:dd:dd.dddddd)";
	struct tm t = {.tm_isdst = -1};
	size_t i;
	int us;

	if (n < sizeof(shape) - 1)
		return 0;
	for (i = 0; i < sizeof(shape) - 1; i++)
		if (shape[i] != 'd' && p[i] != shape[i])
			return 0;
	if (!number(p + 1, 4, &t.tm_year) || !number(p + 6, 2, &t.tm_mon) || !number(p + 9, 2, &t.tm_mday) ||
	    !number(p + 12, 2, &t.tm_hour) || !number(p + 15, 2, &t.tm_min) ||
	    !number(p + 18, 2, &t.tm_sec) || !number(p + 21, 6, &us))
		return 0;
	t.tm_year -= 1900;
	t.tm_mon -= 1;
	*time_us = (int64_t)mktime(&t) * 1000000 + us;
	return sizeof(shape) - 1;
}

enum log_line log_candump_line(struct log_reader *r, const char *line, size_t n, struct log_entry *e,
			       const char **reason)
{
	char name[FRAME_CHANNEL_MAX], direction = 0;
	int64_t time_us = -1, date_us = -1;
	size_t skip = 0;
	int rc, channel;

	if (memchr(line, '\0', n)) {
		*reason = "zero bytes in the line";
		return LOG_LINE_BAD;
	}
	while (skip < n && (line[skip] == ' ' || line[skip] == '\t'))
		skip++;
	skip += read_date(line + skip, n - skip, &date_us);
	if (date_us < 0)
		skip = 0;
	rc = frame_log_read(line + skip, n - skip, &time_us, name, &e->frame);
	if (rc == -ENODATA) {
		log_take_comment(r, line, n);
		return LOG_LINE_COMMENT;
	}
	if (rc) {
		*reason = blame(line, n);
		return LOG_LINE_BAD;
	}
	channel = log_channel_of(r, name);
	if (channel < 0) {
		*reason = "not a channel, or more of them than a log can have";
		return LOG_LINE_BAD;
	}
	if (n > 2 && line[n - 2] == ' ' && (line[n - 1] == 'R' || line[n - 1] == 'T'))
		direction = line[n - 1];
	r->is_local |= date_us >= 0;
	e->time_us = time_us >= 0 ? time_us : date_us >= 0 ? date_us : r->last_us;
	e->channel = (uint8_t)channel;
	e->direction = direction;
	return LOG_LINE_FRAME;
}
