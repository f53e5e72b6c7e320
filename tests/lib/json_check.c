/* SPDX-License-Identifier: MIT */
/* A strict judge of JSON and UTF-8. */
#include "tests/lib/json_check.h"

#include <stdint.h>
#include <string.h>

#define MAX_DEPTH 32
#define MAX_KEYS  128

struct judge {
	const char *at, *end;
	unsigned depth;
};

const char *utf8_check(const char *text, size_t n)
{
	const uint8_t *p = (const uint8_t *)text, *end = p + n;

	while (p < end) {
		const uint8_t *begin = p;
		uint32_t code = *p, least = 0;
		unsigned more = 0;

		if (code >= 0xf8 || (code >= 0x80 && code < 0xc0))
			return (const char *)begin;
		if (code >= 0xf0)
			more = 3, code &= 7, least = 0x10000;
		else if (code >= 0xe0)
			more = 2, code &= 15, least = 0x800;
		else if (code >= 0xc0)
			more = 1, code &= 31, least = 0x80;
		for (p++; more; more--, p++) {
			if (p == end || (*p & 0xc0) != 0x80)
				return (const char *)begin;
			code = code << 6 | (*p & 63);
		}
		if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
			return (const char *)begin;
	}
	return NULL;
}

static bool value(struct judge *j);

static void blanks(struct judge *j)
{
	while (j->at < j->end && strchr(" \t\r\n", *j->at) && *j->at)
		j->at++;
}

static bool take(struct judge *j, char c)
{
	if (j->at == j->end || *j->at != c)
		return false;
	j->at++;
	return true;
}

static bool word(struct judge *j, const char *w)
{
	const size_t n = strlen(w);

	if ((size_t)(j->end - j->at) < n || memcmp(j->at, w, n) != 0)
		return false;
	j->at += n;
	return true;
}

static bool string(struct judge *j)
{
	if (!take(j, '"'))
		return false;
	while (j->at < j->end && *j->at != '"') {
		if ((uint8_t)*j->at < 0x20)
			return false;
		if (*j->at++ != '\\')
			continue;
		if (j->at == j->end || !strchr("\"\\/bfnrtu", *j->at) || !*j->at)
			return false;
		if (*j->at++ != 'u')
			continue;
		for (unsigned i = 0; i < 4; i++, j->at++)
			if (j->at == j->end || !strchr("0123456789abcdefABCDEF", *j->at) || !*j->at)
				return false;
	}
	return take(j, '"');
}

static bool digits(struct judge *j)
{
	const char *begin = j->at;

	while (j->at < j->end && *j->at >= '0' && *j->at <= '9')
		j->at++;
	return j->at > begin;
}

static bool number(struct judge *j)
{
	take(j, '-');
	if (!take(j, '0') && !digits(j))
		return false;
	if (take(j, '.') && !digits(j))
		return false;
	if (j->at < j->end && (*j->at == 'e' || *j->at == 'E')) {
		j->at++;
		if (!take(j, '+'))
			take(j, '-');
		return digits(j);
	}
	return true;
}

static bool is_twice(const char *const *keys, const size_t *lengths, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (lengths[i] == lengths[n] && memcmp(keys[i], keys[n], lengths[n]) == 0)
			return true;
	return false;
}

static bool object(struct judge *j)
{
	const char *keys[MAX_KEYS];
	size_t lengths[MAX_KEYS];
	unsigned n = 0;

	blanks(j);
	if (take(j, '}'))
		return true;
	do {
		blanks(j);
		keys[n] = j->at;
		if (!string(j))
			return false;
		lengths[n] = (size_t)(j->at - keys[n]);
		if (is_twice(keys, lengths, n) || ++n == MAX_KEYS)
			return false;
		blanks(j);
		if (!take(j, ':') || !value(j))
			return false;
		blanks(j);
	} while (take(j, ','));
	return take(j, '}');
}

static bool array(struct judge *j)
{
	blanks(j);
	if (take(j, ']'))
		return true;
	do {
		if (!value(j))
			return false;
		blanks(j);
	} while (take(j, ','));
	return take(j, ']');
}

static bool value(struct judge *j)
{
	bool is_good;

	blanks(j);
	if (j->at == j->end || ++j->depth > MAX_DEPTH)
		return false;
	if (*j->at == '"')
		is_good = string(j);
	else if (take(j, '{'))
		is_good = object(j);
	else if (take(j, '['))
		is_good = array(j);
	else
		is_good = word(j, "true") || word(j, "false") || word(j, "null") || number(j);
	j->depth--;
	return is_good;
}

const char *json_check(const char *text, size_t n)
{
	struct judge j = {text, text + n, 0};
	const char *bad = utf8_check(text, n);

	if (bad)
		return bad;
	if (!value(&j))
		return j.at;
	blanks(&j);
	return j.at == j.end ? NULL : j.at;
}
