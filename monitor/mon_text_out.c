/* SPDX-License-Identifier: MIT */
/* Buffered output of mon_text: lines are handed on whole, and always valid UTF-8 and JSON. */
#include "monitor/mon_text_priv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "monitor/mon_utf8.h"

int mon_text_write_file(void *file, const char *text, size_t n)
{
	FILE *f = file;

	errno = 0;
	if (fwrite(text, 1, n, f) != n || fflush(f) != 0)
		return errno ? -errno : -EIO;
	return 0;
}

static void hand_on(struct mon_text *t, size_t n)
{
	if (n && !t->error)
		t->error = t->write(t->ctx, t->buffer, n);
	memmove(t->buffer, t->buffer + n, t->n - n);
	t->n -= n;
	t->line = 0;
}

int mon_text_flush(struct mon_text *t)
{
	hand_on(t, t->n);
	return t->error;
}

void text_putn(struct mon_text *t, const char *text, size_t n)
{
	while (n) {
		size_t room = sizeof(t->buffer) - t->n;

		if (room == 0) {
			hand_on(t,
				t->line ? t->line : t->n); /* a line longer than the buffer goes in parts */
			continue;
		}
		if (room > n)
			room = n;
		memcpy(t->buffer + t->n, text, room);
		t->n += room;
		text += room;
		n -= room;
	}
}

void text_put(struct mon_text *t, const char *text)
{
	text_putn(t, text, strlen(text));
}

void text_printf(struct mon_text *t, const char *format, ...)
{
	char text[256];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (n > 0)
		text_putn(t, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

void text_decimal(struct mon_text *t, int64_t number, unsigned digits, unsigned shown)
{
	char text[MON_DECIMAL_TEXT];

	text_putn(t, text, mon_decimal(text, number, digits, shown));
}

void text_time(struct mon_text *t, int64_t time_us)
{
	text_decimal(t, time_us + t->wall_offset_us, 6, 6);
}

void text_end_line(struct mon_text *t)
{
	text_putn(t, "\n", 1);
	t->line = t->n;
	t->n_lines++;
}

static void put_safe(struct mon_text *t, const char *text, bool is_json)
{
	for (const uint8_t *p = (const uint8_t *)text; *p;) {
		const size_t n = mon_utf8_length(p);

		if (n == 0) {
			text_put(t, "\xef\xbf\xbd");
			p++;
			continue;
		}
		if (is_json && (*p == '"' || *p == '\\'))
			text_printf(t, "\\%c", *p);
		else if (*p < 0x20 || *p == 0x7f)
			text_put(t, " ");
		else
			text_putn(t, (const char *)p, n);
		p += n;
	}
}

void text_utf8(struct mon_text *t, const char *text)
{
	put_safe(t, text, false);
}

void mon_json_string(struct mon_text *t, const char *text)
{
	text_put(t, "\"");
	put_safe(t, text, true);
	text_put(t, "\"");
}

void mon_json_key(struct mon_text *t, const char *key)
{
	if (!t->is_first)
		text_put(t, ",");
	t->is_first = false;
	if (!key)
		return;
	mon_json_string(t, key);
	text_put(t, ":");
}

void mon_json_open(struct mon_text *t, const char *key, const char *open)
{
	mon_json_key(t, key);
	text_put(t, open);
	t->is_first = true;
}

void mon_json_close(struct mon_text *t, const char *close)
{
	text_put(t, close);
	t->is_first = false;
}

void mon_json_text(struct mon_text *t, const char *key, const char *value)
{
	mon_json_key(t, key);
	mon_json_string(t, value ? value : "");
}

void mon_json_null(struct mon_text *t, const char *key)
{
	mon_json_key(t, key);
	text_put(t, "null");
}

void mon_json_bool(struct mon_text *t, const char *key, bool value)
{
	mon_json_key(t, key);
	text_put(t, value ? "true" : "false");
}

void mon_json_integer(struct mon_text *t, const char *key, int64_t value)
{
	mon_json_decimal(t, key, value, 0, 0);
}

void mon_json_decimal(struct mon_text *t, const char *key, int64_t number, unsigned digits, unsigned shown)
{
	mon_json_key(t, key);
	text_decimal(t, number, digits, shown);
}

void mon_json_known(struct mon_text *t, const char *key, int32_t number, unsigned digits)
{
	mon_json_key(t, key);
	if (number == MON_UNKNOWN)
		text_put(t, "null");
	else
		text_decimal(t, number, digits, 0);
}

void mon_json_seconds(struct mon_text *t, const char *key, int64_t us)
{
	mon_json_key(t, key);
	if (us < 0)
		text_put(t, "null");
	else
		text_decimal(t, us, 6, 0);
}

void mon_json_time(struct mon_text *t, const char *key, int64_t time_us)
{
	mon_json_key(t, key);
	text_time(t, time_us);
}
