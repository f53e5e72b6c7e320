/* SPDX-License-Identifier: MIT */
/* Option tables: texts to settings and back. Pure. */
#include "lib/core/opts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MILLI_DECIMALS 3

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* value * 10 + digit; false on overflow. Negative numbers are built downwards, so that INT64_MIN can be read. */
static bool append_digit(int64_t *value, char c, bool is_negative)
{
	int64_t digit = c - '0';

	if (is_negative) {
		if (*value < (INT64_MIN + digit) / 10)
			return false;
		*value = *value * 10 - digit;
	} else {
		if (*value > (INT64_MAX - digit) / 10)
			return false;
		*value = *value * 10 + digit;
	}
	return true;
}

/* Decimal text with at most n_decimals, scaled by 10^n_decimals. */
static int parse_decimal(const char *text, unsigned n_decimals, int64_t *value)
{
	bool is_negative = *text == '-';
	bool has_digit = false;
	unsigned n = 0;
	int64_t v = 0;

	if (*text == '-' || *text == '+')
		text++;
	for (; is_digit(*text); text++) {
		has_digit = true;
		if (!append_digit(&v, *text, is_negative))
			return -ERANGE;
	}
	if (*text == '.' && n_decimals > 0) {
		for (text++; is_digit(*text); text++) {
			has_digit = true;
			if (++n > n_decimals)
				return -EINVAL;
			if (!append_digit(&v, *text, is_negative))
				return -ERANGE;
		}
	}
	if (!has_digit || *text)
		return -EINVAL;
	for (; n < n_decimals; n++)
		if (!append_digit(&v, '0', is_negative))
			return -ERANGE;
	*value = v;
	return 0;
}

int opts_parse_milli(const char *text, int64_t *milli)
{
	return parse_decimal(text, MILLI_DECIMALS, milli);
}

static void write_milli(int64_t milli, char *text, size_t size)
{
	uint64_t magnitude = milli < 0 ? -(uint64_t)milli : (uint64_t)milli;
	int n = snprintf(text, size, "%s%llu.%03u", milli < 0 ? "-" : "",
			 (unsigned long long)(magnitude / 1000), (unsigned)(magnitude % 1000));

	if (n < 0 || (size_t)n >= size)
		return;
	while (text[n - 1] == '0')
		n--;
	if (text[n - 1] == '.')
		n--;
	text[n] = '\0';
}

static void write_number(const struct opt *opt, int64_t value, char *text, size_t size)
{
	if (opt->type == OPT_MILLI)
		write_milli(value, text, size);
	else
		snprintf(text, size, "%lld", (long long)value);
}

static int refuse(int error, const struct opt *opt, char *err, size_t err_size, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

static int refuse(int error, const struct opt *opt, char *err, size_t err_size, const char *format, ...)
{
	va_list args;
	int n = snprintf(err, err_size, "%s ", opt->name);

	if (n < 0 || (size_t)n >= err_size)
		return error;
	va_start(args, format);
	vsnprintf(err + n, err_size - (size_t)n, format, args);
	va_end(args);
	return error;
}

static void store_i32(const struct opt *opt, void *settings, int32_t value)
{
	memcpy((char *)settings + opt->offset, &value, sizeof(value));
}

static int32_t load_i32(const struct opt *opt, const void *settings)
{
	int32_t value;

	memcpy(&value, (const char *)settings + opt->offset, sizeof(value));
	return value;
}

static int set_bool(const struct opt *opt, void *settings, const char *text, char *err, size_t err_size)
{
	static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i]) == 0) {
			store_i32(opt, settings, i % 2);
			return 0;
		}
	}
	return refuse(-EINVAL, opt, err, err_size, "must be yes or no, not '%s'", text);
}

static int set_enum(const struct opt *opt, void *settings, const char *text, char *err, size_t err_size)
{
	const struct opt_name *name;
	char list[160] = "";
	size_t n = 0;

	for (name = opt->names; name->name; name++) {
		if (strcmp(text, name->name) == 0) {
			store_i32(opt, settings, name->value);
			return 0;
		}
		if (n < sizeof(list))
			n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "", name->name);
	}
	return refuse(-EINVAL, opt, err, err_size, "must be one of %s, not '%s'", list, text);
}

static int set_text(const struct opt *opt, void *settings, const char *text, char *err, size_t err_size)
{
	size_t n = strlen(text);
	size_t i;

	if (n >= opt->size)
		return refuse(-ERANGE, opt, err, err_size, "is too long: %zu characters, at most %zu", n,
			      opt->size - 1);
	for (i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7F)
			return refuse(-EINVAL, opt, err, err_size, "holds a control character");
	memcpy((char *)settings + opt->offset, text, n + 1);
	return 0;
}

static int refuse_range(const struct opt *opt, int64_t min, int64_t max, const char *text, char *err,
			size_t err_size)
{
	char low[32], high[32];

	write_number(opt, min, low, sizeof(low));
	write_number(opt, max, high, sizeof(high));
	return refuse(-ERANGE, opt, err, err_size, "must be %s to %s%s%s, not %s", low, high,
		      opt->unit[0] ? " " : "", opt->unit, text);
}

static int set_number(const struct opt *opt, void *settings, const char *text, char *err, size_t err_size)
{
	bool is_long = opt->type == OPT_LONG;
	bool is_bounded = opt->min != 0 || opt->max != 0;
	int64_t min = is_bounded ? opt->min : is_long ? INT64_MIN : INT32_MIN;
	int64_t max = is_bounded ? opt->max : is_long ? INT64_MAX : INT32_MAX;
	int64_t value = 0;
	int r = parse_decimal(text, opt->type == OPT_MILLI ? MILLI_DECIMALS : 0, &value);

	if (r == -EINVAL)
		return refuse(r, opt, err, err_size, "must be %s%s%s, not '%s'",
			      opt->type == OPT_MILLI ? "a number with at most three decimals"
						     : "a whole number",
			      opt->unit[0] ? " in " : "", opt->unit, text);
	if (r || value < min || value > max)
		return refuse_range(opt, min, max, text, err, err_size);
	if (is_long)
		memcpy((char *)settings + opt->offset, &value, sizeof(value));
	else
		store_i32(opt, settings, (int32_t)value);
	return 0;
}

int opts_set(const struct opt *opt, void *settings, const char *text, char *err, size_t err_size)
{
	switch (opt->type) {
	case OPT_BOOL:
		return set_bool(opt, settings, text, err, err_size);
	case OPT_ENUM:
		return set_enum(opt, settings, text, err, err_size);
	case OPT_TEXT:
		return set_text(opt, settings, text, err, err_size);
	case OPT_INT:
	case OPT_LONG:
	case OPT_MILLI:
		return set_number(opt, settings, text, err, err_size);
	}
	return refuse(-EINVAL, opt, err, err_size, "has no known type");
}

void opts_get(const struct opt *opt, const void *settings, char *text, size_t size)
{
	const struct opt_name *name;
	int64_t value;

	switch (opt->type) {
	case OPT_BOOL:
		snprintf(text, size, "%s", load_i32(opt, settings) ? "yes" : "no");
		return;
	case OPT_ENUM:
		for (name = opt->names; name->name; name++)
			if (name->value == load_i32(opt, settings))
				break;
		snprintf(text, size, "%s", name->name ? name->name : "");
		return;
	case OPT_TEXT:
		snprintf(text, size, "%s", (const char *)settings + opt->offset);
		return;
	case OPT_LONG:
		memcpy(&value, (const char *)settings + opt->offset, sizeof(value));
		write_number(opt, value, text, size);
		return;
	case OPT_INT:
	case OPT_MILLI:
		write_number(opt, load_i32(opt, settings), text, size);
		return;
	}
}

void opts_defaults(const struct opt *table, size_t n, void *settings)
{
	char err[128];
	size_t i;

	for (i = 0; i < n; i++)
		if (opts_set(&table[i], settings, table[i].def, err, sizeof(err)))
			__builtin_trap(); /* the table contradicts itself; every test that starts shows it */
}

static bool is_same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !((*a == '-' || *a == '_') && (*b == '-' || *b == '_')))
			return false;
	return *a == *b;
}

int opts_find(const struct opt *table, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (is_same_name(table[i].name, name))
			return (int)i;
	return -1;
}
