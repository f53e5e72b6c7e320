/* SPDX-License-Identifier: MIT */
/*
 * The canonical line of candump -L, eight characters at a time: "(1436509052.249713) vcan0 123#1122AABB". Pure.
 *
 * No table, no branch per character: a word of eight characters is tested for being hex digits, and turned into its
 * four bytes, by a dozen operations. The second of the line before is remembered, so that only the fraction is
 * read. Anything unusual (remote and error frames, other widths, two blanks, a long channel name) returns 0 and is
 * left to the general parser, which decides what is right; what this path takes means the same there.
 */
#include <string.h>

#include "dbc/msg_map.h"
#include "monitor/log_read_parse.h"

#define ONES	 UINT64_C(0x0101010101010101)
#define HIGH	 (ONES * 0x80)
#define N_SECOND 12 /* "(1436509052." */

static uint64_t load(const char *p)
{
	return msg_load64((const uint8_t *)p);
}

/* Leading characters of the word that are hex digits, 0..8. */
static unsigned count_hex(uint64_t w)
{
	uint64_t low = w & ~HIGH;
	uint64_t not_decimal = (low ^ ONES * '0') + ONES * (0x80 - 10);
	uint64_t letter = (low | ONES * 0x20) ^ ONES * 0x60;
	uint64_t is_letter = (letter + ONES * 0x7f) & ~(letter + ONES * (0x80 - 7));
	uint64_t bad = ((not_decimal & ~is_letter) | w) & HIGH;

	return bad ? (unsigned)__builtin_ctzll(bad) / 8 : 8;
}

/* Eight hex digits to eight nibbles. */
static uint64_t nibbles(uint64_t w)
{
	return (w & ONES * 0x0f) + 9 * (w >> 6 & ONES);
}

/* Eight nibbles to four bytes, the first pair lowest. */
static uint32_t squeeze(uint64_t w)
{
	w = (w << 4 | w >> 8) & UINT64_C(0x00ff00ff00ff00ff);
	w = (w | w >> 8) & UINT64_C(0x0000ffff0000ffff);
	return (uint32_t)(w | w >> 16);
}

/* The first n of eight characters, the others as if they were 0. */
static uint64_t first(uint64_t w, unsigned n)
{
	return n < 8 ? w & ((UINT64_C(1) << 8 * n) - 1) : w;
}

/* Are all eight characters decimal digits? */
static bool is_decimal(uint64_t w)
{
	uint64_t d = w ^ ONES * '0';

	return !((d | (d + ONES * (0x80 - 10))) & HIGH);
}

/* Eight decimal digits. */
static uint32_t decimal(uint64_t w)
{
	w = (w & ONES * 0x0f) * 2561 >> 8;
	w = (w & UINT64_C(0x00ff00ff00ff00ff)) * 6553601 >> 16;
	return (uint32_t)((w & UINT64_C(0x0000ffff0000ffff)) * UINT64_C(42949672960001) >> 32);
}

/* "(1436509052." into the memory of the last second; false: it is something else. */
static bool learn_second(struct log_reader *r, const char *p)
{
	int64_t s = 0;
	unsigned i;

	if (p[0] != '(' || p[N_SECOND - 1] != '.')
		return false;
	for (i = 1; i < N_SECOND - 1; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		s = s * 10 + (p[i] - '0');
	}
	r->fast_second[0] = load(p);
	r->fast_second[1] = load(p + N_SECOND - 8);
	r->fast_second_us = s * 1000000;
	return true;
}

/* "(1436509052.249713) ". */
static bool read_time(struct log_reader *r, const char *p, int64_t *time_us)
{
	uint64_t w = load(p + N_SECOND);

	if ((load(p) != r->fast_second[0] || load(p + N_SECOND - 8) != r->fast_second[1]) &&
	    !learn_second(r, p))
		return false;
	if (w >> 48 != (')' | ' ' << 8))
		return false;
	/* Six digits, with two zeros in front. */
	w = w << 16 | '0' | '0' << 8;
	if (!is_decimal(w))
		return false;
	*time_us = r->fast_second_us + decimal(w);
	return true;
}

static bool is_channel(const struct log_fast_name *f, uint64_t a, uint64_t b)
{
	return f->n && !(((a ^ f->name[0]) & f->mask[0]) | ((b ^ f->name[1]) & f->mask[1]));
}

static bool find_channel(struct log_reader *r, const char *p)
{
	uint64_t a = load(p), b = load(p + 8);
	unsigned i;

	if (is_channel(&r->fast[r->fast_channel], a, b))
		return true;
	for (i = 0; i < r->n_channels; i++) {
		if (is_channel(&r->fast[i], a, b)) {
			r->fast_channel = i;
			return true;
		}
	}
	return false;
}

void log_fast_learn(struct log_reader *r, unsigned channel)
{
	struct log_fast_name *f = &r->fast[channel];
	uint8_t text[16] = {0}, mask[16] = {0};
	size_t n = strlen(r->channel[channel]);

	memset(f, 0, sizeof(*f));
	if (n + 1 > sizeof(text))
		return;
	memcpy(text, r->channel[channel], n);
	text[n] = ' ';
	memset(mask, 0xff, n + 1);
	f->name[0] = msg_load64(text);
	f->name[1] = msg_load64(text + 8);
	f->mask[0] = msg_load64(mask);
	f->mask[1] = msg_load64(mask + 8);
	f->n = (uint32_t)n + 1;
}

/* "123#" or "01234567#": the identifier; returns its characters with the sign, or 0. */
static unsigned read_id(const char *p, canid_t *id)
{
	uint64_t w = load(p);
	unsigned n = count_hex(w);
	uint64_t digit = nibbles(w);

	if (n == 8 && p[8] == '#') {
		*id = __builtin_bswap32(squeeze(digit));
		if (*id > CAN_EFF_MASK)
			return 0;
		*id |= CAN_EFF_FLAG;
		return 9;
	}
	*id = (canid_t)((digit & 0xf) << 8 | (digit >> 8 & 0xf) << 4 | (digit >> 16 & 0xf));
	return n == 3 && p[3] == '#' && *id <= CAN_SFF_MASK ? 4 : 0;
}

/* Up to 16 hex digits; returns how many, or an odd number for what is no data. */
static unsigned read_data(const char *p, struct can_frame *f)
{
	uint64_t a = load(p), b = load(p + 8);
	unsigned n = count_hex(a), m = n == 8 ? count_hex(b) : 0;

	msg_store64(f->data, squeeze(nibbles(first(a, n))) | (uint64_t)squeeze(nibbles(first(b, m))) << 32);
	f->can_dlc = (uint8_t)((n + m) / 2);
	return n + m;
}

/* The end of the line, maybe behind a direction; returns its bytes, or 0. */
static unsigned read_end(const char *p, char *direction)
{
	*direction = 0;
	if (*p == '\n')
		return 1;
	if (p[0] == ' ' && (p[1] == 'R' || p[1] == 'T') && p[2] == '\n') {
		*direction = p[1];
		return 3;
	}
	return p[0] == '\r' && p[1] == '\n' ? 2 : 0;
}

size_t log_fast_read(struct log_reader *r, const char *p, struct log_entry *e)
{
	const char *at = p + N_SECOND + 8;
	unsigned n;

	if (!read_time(r, p, &e->time_us) || !find_channel(r, at))
		return 0;
	at += r->fast[r->fast_channel].n;
	memset(&e->frame, 0, sizeof(e->frame));
	n = read_id(at, &e->frame.can_id);
	if (!n)
		return 0;
	at += n;
	n = read_data(at, &e->frame);
	if (n % 2)
		return 0;
	at += n;
	n = read_end(at, &e->direction);
	if (!n)
		return 0;
	e->channel = (uint8_t)r->fast_channel;
	return (size_t)(at + n - p);
}
