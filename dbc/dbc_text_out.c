/* SPDX-License-Identifier: MIT */
/*
 * Numbers and names as text. Decimal fractions are printed from a whole number: the value times the power of
 * ten that the factor and offset of the signal have, so no digit of the binary representation shows.
 */
#include "dbc/dbc_text_out.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Products up to there are off by less than half a step. */
#define EXACT_MAX 1e14

static const double powers[] = {1e0, 1e1, 1e2,	1e3,  1e4,  1e5,  1e6,	1e7,
				1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

static size_t format_unsigned(uint64_t v, char *text)
{
	char digits[20];
	size_t n = 0, len = 0;

	do
		digits[n++] = (char)('0' + v % 10);
	while (v /= 10);
	while (n)
		text[len++] = digits[--n];
	text[len] = '\0';
	return len;
}

static size_t format_signed(int64_t v, char *text)
{
	if (v >= 0)
		return format_unsigned((uint64_t)v, text);
	text[0] = '-';
	return 1 + format_unsigned(0 - (uint64_t)v, text + 1);
}

/* v / 10^decimals without trailing zeros. */
static size_t format_decimal(int64_t v, unsigned decimals, char *text)
{
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v, unit = 1;
	size_t len = 0;

	while (decimals && u % 10 == 0) {
		u /= 10;
		decimals--;
	}
	for (unsigned i = 0; i < decimals; i++)
		unit *= 10;
	if (v < 0)
		text[len++] = '-';
	len += format_unsigned(u / unit, text + len);
	if (decimals) {
		text[len++] = '.';
		for (uint64_t rest = u % unit; decimals--; rest %= unit) {
			unit /= 10;
			text[len++] = (char)('0' + rest / unit);
		}
	}
	text[len] = '\0';
	return len;
}

size_t dbc_format_double(double v, char text[DBC_NUMBER_MAX])
{
	int n = 0;

	if (v != v || v - v != 0)
		return (size_t)snprintf(text, DBC_NUMBER_MAX, v != v ? "nan" : v > 0 ? "inf" : "-inf");
	if (v > -EXACT_MAX && v < EXACT_MAX && v == (double)(int64_t)v)
		return format_signed((int64_t)v, text);
	for (int digits = 15; digits <= 17; digits++) {
		n = snprintf(text, DBC_NUMBER_MAX, "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	return (size_t)n;
}

static size_t format_float(float v, char text[DBC_NUMBER_MAX])
{
	int n = 0;

	if (v != v || v - v != 0)
		return dbc_format_double((double)v, text);
	for (int digits = 6; digits <= 9; digits++) {
		n = snprintf(text, DBC_NUMBER_MAX, "%.*g", digits, (double)v);
		if (strtof(text, NULL) == v)
			break;
	}
	return (size_t)n;
}

size_t dbc_format_physical(const struct dbc_codec_signal *s, uint64_t raw, char text[DBC_NUMBER_MAX])
{
	bool is_plain = s->factor == 1 && s->offset == 0;
	double v = dbc_raw_to_physical(s, raw);

	if (s->number == DBC_FLOAT32 && is_plain)
		return format_float((float)v, text);
	if (s->number != DBC_INTEGER)
		return dbc_format_double(v, text);
	if (is_plain)
		return s->is_signed ? format_signed((int64_t)raw, text) : format_unsigned(raw, text);
	unsigned decimals = s->def->decimals;
	if (decimals < sizeof(powers) / sizeof(powers[0])) {
		double scaled = v * powers[decimals];

		if (scaled > -EXACT_MAX && scaled < EXACT_MAX)
			return format_decimal(llround(scaled), decimals, text);
	}
	return dbc_format_double(v, text);
}

const char *dbc_format_label(const struct dbc_codec_signal *s, uint64_t raw)
{
	return s->def->values.n ? dbc_value_name(s->def, (int64_t)raw) : NULL;
}

void dbc_json_string(FILE *out, const char *text)
{
	putc_unlocked('"', out);
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p == '"' || *p == '\\')
			fprintf(out, "\\%c", *p);
		else if (*p == '\n')
			fputs("\\n", out);
		else if (*p < ' ' || *p == 0x7f)
			fprintf(out, "\\u%04x", *p);
		else
			putc_unlocked(*p, out);
	}
	putc_unlocked('"', out);
}

void dbc_json_number(FILE *out, const char *number)
{
	bool is_none = strstr(number, "nan") || strstr(number, "inf");

	fputs(is_none ? "null" : number, out);
}

void dbc_json_double(FILE *out, double v)
{
	char text[DBC_NUMBER_MAX];

	dbc_format_double(v, text);
	dbc_json_number(out, text);
}
