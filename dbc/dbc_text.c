/* SPDX-License-Identifier: MIT */
/*
 * The text of a .dbc file as UTF-8, and places in it. Files are Windows-1252 unless all of it is valid UTF-8.
 */
#include "dbc/dbc_lex.h"

/* Windows-1252 0x80..0x9f; its five holes are the control characters of the same number. */
static const uint16_t cp1252[32] = {
	0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
	0x2039, 0x0152, 0x008d, 0x017d, 0x008f, 0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
	0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178,
};

static size_t ascii_length(const unsigned char *s, size_t len)
{
	size_t i = 0;

	for (; len - i >= 8; i += 8) {
		uint64_t w;

		memcpy(&w, s + i, 8);
		if (w & 0x8080808080808080u)
			break;
	}
	while (i < len && s[i] < 0x80)
		i++;
	return i;
}

/* Length of the character at s, 0 if it is none: no overlong forms, surrogates or numbers above 0x10ffff. */
static size_t utf8_length(const unsigned char *s, size_t len)
{
	size_t n = s[0] < 0x80	 ? 1
		   : s[0] < 0xc2 ? 0
		   : s[0] < 0xe0 ? 2
		   : s[0] < 0xf0 ? 3
		   : s[0] < 0xf5 ? 4
				 : 0;

	if (n == 0 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static bool is_utf8(const unsigned char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		i += ascii_length(s + i, len - i);
		if (i == len)
			return true;
		size_t n = utf8_length(s + i, len - i);
		if (!n)
			return false;
		i += n;
	}
	return true;
}

static char *put_cp1252(char *out, unsigned char c)
{
	unsigned u = c < 0xa0 ? cp1252[c - 0x80] : c;

	if (u >= 0x800) {
		*out++ = (char)(0xe0 | u >> 12);
		*out++ = (char)(0x80 | (u >> 6 & 0x3f));
	} else {
		*out++ = (char)(0xc0 | u >> 6);
	}
	*out++ = (char)(0x80 | (u & 0x3f));
	return out;
}

static bool load_cp1252(struct dbc_reader *r, const unsigned char *s, size_t len)
{
	size_t n_high = 0;

	for (size_t i = 0; i < len; i++)
		n_high += s[i] >= 0x80;
	char *text = dbc_arena_alloc(r->arena, len + 2 * n_high + 1), *out = text;
	if (!text)
		return dbc_no_memory(r);
	for (size_t i = 0; i < len; i++) {
		if (s[i] < 0x80)
			*out++ = (char)s[i];
		else
			out = put_cp1252(out, s[i]);
	}
	*out = '\0';
	r->in->text = text;
	r->in->len = (size_t)(out - text);
	r->db->was_cp1252 = true;
	return true;
}

bool dbc_text_load(struct dbc_reader *r, const char *text, size_t len)
{
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	if (!is_utf8((const unsigned char *)text, len))
		return load_cp1252(r, (const unsigned char *)text, len);
	char *copy = dbc_arena_alloc(r->arena, len + 1);
	if (!copy)
		return dbc_no_memory(r);
	if (len)
		memcpy(copy, text, len);
	copy[len] = '\0';
	r->in->text = copy;
	r->in->len = len;
	return true;
}

void dbc_locate(const struct dbc_db *db, uint32_t at, unsigned *line, unsigned *column)
{
	const char *text = db->inside->text;

	*line = 1;
	*column = 1;
	for (uint32_t i = 0; i < at && i < db->inside->len; i++) {
		if (text[i] == '\n') {
			++*line;
			*column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			++*column;
		}
	}
}
