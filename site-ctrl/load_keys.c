/* SPDX-License-Identifier: MIT */
/*
 * Keys of a section or of a row as numbers. Shell.
 */
#include "site-ctrl/load_keys.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "site-ctrl/site_model.h"

int load_keys_error(const struct load_keys *k, uint32_t key, int error, const char *format, ...)
{
	uint32_t line = key < k->n && k->value[key] ? k->line[key] : k->thing_line;
	int n = snprintf(k->err, k->err_size, "%s:%u: ", k->path, (unsigned)line);
	va_list args;

	if (n < 0 || (size_t)n >= k->err_size)
		return error;
	va_start(args, format);
	vsnprintf(k->err + n, k->err_size - (size_t)n, format, args);
	va_end(args);
	return error;
}

int load_keys_section(struct load_keys *k, const struct conf_ini *conf, uint32_t section)
{
	uint32_t i, key;

	k->thing_line = conf->section[section].line;
	memset(k->value, 0, sizeof(k->value));
	for (i = 0; i < conf->n_items; i++) {
		const struct conf_item *item = &conf->item[i];

		if (item->section != section)
			continue;
		for (key = 0; key < k->n && strcmp(k->name[key], item->key) != 0; key++)
			;
		if (key == k->n)
			return conf_ini_error(conf, item->line, -EINVAL, k->err, k->err_size,
					      "unknown key of a %s: %.40s", k->thing, item->key);
		k->value[key] = item->value;
		k->line[key] = item->line;
	}
	return 0;
}

void load_keys_row(struct load_keys *k, const struct load_csv *csv)
{
	uint32_t key;

	k->thing_line = csv->line;
	for (key = 0; key < k->n; key++) {
		const char *text = load_csv_get(csv, key);

		k->value[key] = *text ? text : NULL;
		k->line[key] = csv->line;
	}
}

int load_keys_need(const struct load_keys *k, uint32_t key)
{
	if (k->value[key])
		return 0;
	return load_keys_error(k, key, -EINVAL, "%s is missing", k->name[key]);
}

static int take(const struct load_keys *k, uint32_t key, int digits, enum load_round round, int64_t low,
		int64_t high, int32_t *value)
{
	int64_t scale = digits ? 1000 : 1, v;
	int r;

	if (!k->value[key])
		return 0;
	r = load_decimal(k->value[key], digits, round, &v);
	if (r == -EINVAL)
		return load_keys_error(k, key, r, "%s is not a number: '%.40s'", k->name[key], k->value[key]);
	if (r || v < low || v > high)
		return load_keys_error(k, key, -ERANGE, "%s is not %lld to %lld: %.40s", k->name[key],
				       (long long)(low / scale), (long long)(high / scale), k->value[key]);
	*value = (int32_t)v;
	return 0;
}

int load_keys_milli(const struct load_keys *k, uint32_t key, enum load_round round, int64_t low, int64_t high,
		    int32_t *value)
{
	return take(k, key, 3, round, low, high, value);
}

int load_keys_int(const struct load_keys *k, uint32_t key, int64_t low, int64_t high, int32_t *value)
{
	/* A fraction is no whole number, however it would be rounded. */
	if (k->value[key] && strpbrk(k->value[key], ".eE"))
		return load_keys_error(k, key, -EINVAL, "%s is not a whole number: '%.40s'", k->name[key],
				       k->value[key]);
	return take(k, key, 0, LOAD_ROUND_NEAREST, low, high, value);
}

int load_keys_bool(const struct load_keys *k, uint32_t key, bool *value)
{
	if (!k->value[key])
		return 0;
	if (strcmp(k->value[key], "yes") != 0 && strcmp(k->value[key], "no") != 0)
		return load_keys_error(k, key, -EINVAL, "%s is neither yes nor no: '%.40s'", k->name[key],
				       k->value[key]);
	*value = k->value[key][0] == 'y';
	return 0;
}

bool load_is_name(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

	return n > 0 && n < SITE_NAME_MAX && text[n] == '\0' && *text != '-' && *text != '_';
}
