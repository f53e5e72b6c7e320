/* SPDX-License-Identifier: MIT */
/*
 * candump's text forms of a frame <-> struct can_frame. Pure.
 *
 * Logs of hours are read with this, so it walks each line once, by pointer, and uses neither scanf nor strtol.
 */
#include "lib/core/frame_text.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define SECONDS_DIGITS_MAX 12 /* 10^12 s in microseconds still fit an int64_t */

/* Value of a hex digit plus one; 0: not one. */
static const uint8_t hex_value[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,	['6'] = 7,  ['7'] = 8,
	['8'] = 9,  ['9'] = 10, ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
	['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

static const char hex_digit[] = "0123456789ABCDEF";

struct cursor {
	const char *p;
	const char *end;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void skip_blanks(struct cursor *c)
{
	while (c->p < c->end && is_blank(*c->p))
		c->p++;
}

/* At the end of the text, or before a blank. */
static bool is_at_gap(const struct cursor *c)
{
	return c->p == c->end || is_blank(*c->p);
}

static bool skip_word(struct cursor *c, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(c->end - c->p) < n || memcmp(c->p, word, n) != 0)
		return false;
	c->p += n;
	return true;
}

/* Two hex digits. */
static bool read_byte(struct cursor *c, uint8_t *byte)
{
	unsigned high, low;

	if (c->end - c->p < 2)
		return false;
	high = hex_value[(uint8_t)c->p[0]];
	low = hex_value[(uint8_t)c->p[1]];
	if (!high || !low)
		return false;
	*byte = (uint8_t)((high - 1) << 4 | (low - 1));
	c->p += 2;
	return true;
}

/* 3 digits: 11 bit; 8 digits: 29 bit, or an error frame when the error flag is set. */
static bool read_id(struct cursor *c, canid_t *id)
{
	canid_t value = 0;
	unsigned n = 0;

	while (c->p + n < c->end && hex_value[(uint8_t)c->p[n]]) {
		if (++n > 8)
			return false;
		value = value << 4 | (canid_t)(hex_value[(uint8_t)c->p[n - 1]] - 1);
	}
	c->p += n;
	if (n == 3) {
		*id = value;
		return value <= CAN_SFF_MASK;
	}
	if (n != 8)
		return false;
	if (value & CAN_ERR_FLAG) {
		*id = value;
		return !(value & ~(CAN_ERR_FLAG | CAN_ERR_MASK));
	}
	*id = value | CAN_EFF_FLAG;
	return value <= CAN_EFF_MASK;
}

/* Behind "#R": an optional length. */
static bool read_remote(struct cursor *c, struct can_frame *f)
{
	if (f->can_id & CAN_ERR_FLAG)
		return false;
	f->can_id |= CAN_RTR_FLAG;
	if (c->p < c->end && *c->p >= '0' && *c->p <= '8')
		f->can_dlc = (uint8_t)(*c->p++ - '0');
	return true;
}

/* Behind "#": pairs of digits, dots allowed between them; "_9" to "_F" is the raw length code of 8 bytes. */
static bool read_data(struct cursor *c, struct can_frame *f)
{
	uint8_t n = 0;

	while (c->p < c->end && n < CAN_MAX_DLEN) {
		if (!read_byte(c, &f->data[n]))
			break;
		n++;
		if (c->end - c->p > 1 && *c->p == '.')
			c->p++;
	}
	f->can_dlc = n;
	if (n == CAN_MAX_DLEN && c->end - c->p >= 2 && *c->p == '_') {
		unsigned code = hex_value[(uint8_t)c->p[1]];

		if (code <= CAN_MAX_DLEN + 1)
			return false;
		f->len8_dlc = (uint8_t)(code - 1);
		c->p += 2;
	}
	return true;
}

static bool read_frame(struct cursor *c, struct can_frame *f)
{
	if (!read_id(c, &f->can_id) || c->p == c->end || *c->p != '#')
		return false;
	c->p++;
	if (c->p < c->end && (*c->p == 'R' || *c->p == 'r')) {
		c->p++;
		return read_remote(c, f);
	}
	return read_data(c, f);
}

int frame_text_read(const char *text, size_t len, struct can_frame *f)
{
	struct cursor c = {text, text + len};
	struct can_frame frame = {0};
	const char *nul = memchr(text, '\0', len);

	if (nul)
		c.end = nul;
	if (!read_frame(&c, &frame) || c.p != c.end)
		return -EINVAL;
	*f = frame;
	return 0;
}

/* "(seconds.fraction)"; digits beyond the microsecond are dropped. */
static bool read_time(struct cursor *c, int64_t *time_us)
{
	int64_t s = 0, us = 0;
	unsigned n = 0, n_fraction = 0;

	if (!skip_word(c, "("))
		return false;
	skip_blanks(c);
	for (; c->p < c->end && (unsigned)(*c->p - '0') <= 9; c->p++) {
		if (++n > SECONDS_DIGITS_MAX)
			return false;
		s = s * 10 + (*c->p - '0');
	}
	if (!n || !skip_word(c, "."))
		return false;
	for (; c->p < c->end && (unsigned)(*c->p - '0') <= 9; c->p++)
		if (++n_fraction <= 6)
			us = us * 10 + (*c->p - '0');
	if (!n_fraction || n_fraction > 9 || !skip_word(c, ")"))
		return false;
	for (; n_fraction < 6; n_fraction++)
		us *= 10;
	*time_us = s * 1000000 + us;
	return true;
}

static bool read_channel(struct cursor *c, char channel[FRAME_CHANNEL_MAX])
{
	size_t n = 0;

	while (c->p + n < c->end && !is_blank(c->p[n]))
		n++;
	if (n == 0 || n >= FRAME_CHANNEL_MAX)
		return false;
	memcpy(channel, c->p, n);
	channel[n] = '\0';
	c->p += n;
	return true;
}

/* "RX - -  " of candump -x: direction and two flags. */
static void skip_direction(struct cursor *c)
{
	unsigned i;

	if (!skip_word(c, "RX ") && !skip_word(c, "TX "))
		return;
	for (i = 0; i < 2; i++) {
		skip_blanks(c);
		if (c->end - c->p >= 2 && is_blank(c->p[1]))
			c->p++;
	}
	skip_blanks(c);
}

/* "123   [4]  11 22 AA BB", "123   [2]  remote request", "20000004   [8]  00 .. 00   ERRORFRAME". */
static bool read_screen_frame(struct cursor *c, struct can_frame *f)
{
	uint8_t i;

	skip_direction(c);
	if (!read_id(c, &f->can_id))
		return false;
	skip_blanks(c);
	if (c->end - c->p < 3 || c->p[0] != '[' || c->p[1] < '0' || c->p[1] > '8' || c->p[2] != ']')
		return false;
	f->can_dlc = (uint8_t)(c->p[1] - '0');
	c->p += 3;
	skip_blanks(c);
	if (skip_word(c, "remote request")) {
		if (f->can_id & CAN_ERR_FLAG)
			return false;
		f->can_id |= CAN_RTR_FLAG;
		return is_at_gap(c);
	}
	for (i = 0; i < f->can_dlc; i++) {
		if (!read_byte(c, &f->data[i]) || !is_at_gap(c))
			return false;
		skip_blanks(c);
	}
	/* What may follow (text of an error frame, the bytes as characters) carries nothing new. */
	return c->p == c->end || !hex_value[(uint8_t)*c->p] || skip_word(c, "ERRORFRAME");
}

/* Behind the frame of a log line: blanks and the direction. */
static bool is_log_tail(struct cursor *c)
{
	if (!is_at_gap(c))
		return false;
	skip_blanks(c);
	if (c->p < c->end && (*c->p == 'R' || *c->p == 'T'))
		c->p++;
	skip_blanks(c);
	return c->p == c->end;
}

int frame_log_read(const char *line, size_t len, int64_t *time_us, char channel[FRAME_CHANNEL_MAX],
		   struct can_frame *f)
{
	struct cursor c = {line, line + len};
	struct can_frame frame = {0};
	char name[FRAME_CHANNEL_MAX];
	const char *at;
	int64_t t_us = -1;

	while (c.end > c.p && (c.end[-1] == '\n' || c.end[-1] == '\r' || c.end[-1] == '\0'))
		c.end--;
	skip_blanks(&c);
	if (c.p == c.end || *c.p == '#' || *c.p == ';')
		return -ENODATA;
	if (*c.p == '(' && !read_time(&c, &t_us))
		return -EINVAL;
	skip_blanks(&c);
	if (!read_channel(&c, name))
		return -EINVAL;
	skip_blanks(&c);
	at = c.p;
	if (t_us < 0 || !read_frame(&c, &frame) || !is_log_tail(&c)) {
		c.p = at;
		memset(&frame, 0, sizeof(frame));
		if (!read_screen_frame(&c, &frame))
			return -EINVAL;
	}
	*time_us = t_us;
	memcpy(channel, name, sizeof(name));
	*f = frame;
	return 0;
}

static char *write_hex(char *p, uint32_t value, unsigned n_digits)
{
	while (n_digits-- > 0)
		*p++ = hex_digit[value >> 4 * n_digits & 0xF];
	return p;
}

/* At least n_digits decimal digits. */
static char *write_decimal(char *p, uint64_t value, unsigned n_digits)
{
	char digits[20];
	unsigned n = 0;

	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	while (n < n_digits)
		digits[n++] = '0';
	while (n > 0)
		*p++ = digits[--n];
	return p;
}

static char *write_frame(char *p, const struct can_frame *f)
{
	uint8_t n = f->can_dlc <= CAN_MAX_DLEN ? f->can_dlc : CAN_MAX_DLEN;
	uint8_t i;

	if (f->can_id & CAN_ERR_FLAG)
		p = write_hex(p, f->can_id & (CAN_ERR_FLAG | CAN_ERR_MASK), 8);
	else if (f->can_id & CAN_EFF_FLAG)
		p = write_hex(p, f->can_id & CAN_EFF_MASK, 8);
	else
		p = write_hex(p, f->can_id & CAN_SFF_MASK, 3);
	*p++ = '#';
	if (f->can_id & CAN_RTR_FLAG && !(f->can_id & CAN_ERR_FLAG)) {
		*p++ = 'R';
		if (n)
			*p++ = (char)('0' + n);
		return p;
	}
	for (i = 0; i < n; i++)
		p = write_hex(p, f->data[i], 2);
	if (n == CAN_MAX_DLEN && f->len8_dlc > CAN_MAX_DLEN && f->len8_dlc <= CAN_MAX_RAW_DLC) {
		*p++ = '_';
		p = write_hex(p, f->len8_dlc, 1);
	}
	return p;
}

size_t frame_text_write(const struct can_frame *f, char text[FRAME_TEXT_MAX])
{
	char *end = write_frame(text, f);

	*end = '\0';
	return (size_t)(end - text);
}

size_t frame_log_write(int64_t time_us, const char *channel, const struct can_frame *f,
		       char line[FRAME_LOG_LINE_MAX])
{
	uint64_t t_us = time_us > 0 ? (uint64_t)time_us : 0;
	size_t n = strlen(channel);
	char *p = line;

	*p++ = '(';
	p = write_decimal(p, t_us / 1000000, 10);
	*p++ = '.';
	p = write_decimal(p, t_us % 1000000, 6);
	*p++ = ')';
	*p++ = ' ';
	if (n >= FRAME_CHANNEL_MAX)
		n = FRAME_CHANNEL_MAX - 1;
	memcpy(p, channel, n);
	p += n;
	*p++ = ' ';
	p = write_frame(p, f);
	*p = '\0';
	return (size_t)(p - line);
}
