/* SPDX-License-Identifier: MIT */
/*
 * The keys of one thing (a node, a point) as text, from a section of a configuration file or from a row of a
 * table, with the line of each; and their values as numbers. Shell. Every sentence begins with FILE:LINE.
 */
#ifndef SITE_LOAD_KEYS_H
#define SITE_LOAD_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/linux/conf_ini.h"
#include "site-ctrl/load_csv.h"

#define LOAD_KEYS_MAX 32

struct load_keys {
	const char *path;
	const char *thing;	 /* "node main", for sentences */
	const char *const *name; /* of the keys, n of them */
	uint32_t n;
	const char *value[LOAD_KEYS_MAX]; /* NULL: not there */
	uint32_t line[LOAD_KEYS_MAX];
	uint32_t thing_line;
	char *err;
	size_t err_size;
};

/*
 * All keys of a section; one that is not in k->name is an error. k: path, thing, name, n, err, err_size are
 * set.
 */
int load_keys_section(struct load_keys *k, const struct conf_ini *conf, uint32_t section);
/* The present row of a table whose columns are the same names; empty fields are not there. */
void load_keys_row(struct load_keys *k, const struct load_csv *csv);
/* "FILE:LINE: sentence" with the line of a key, or of the thing for key >= n; returns the error. */
int load_keys_error(const struct load_keys *k, uint32_t key, int error, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* These leave *value alone when the key is not there. low and high in thousandths. */
int load_keys_milli(const struct load_keys *k, uint32_t key, enum load_round round, int64_t low, int64_t high,
		    int32_t *value);
int load_keys_int(const struct load_keys *k, uint32_t key, int64_t low, int64_t high, int32_t *value);
int load_keys_bool(const struct load_keys *k, uint32_t key, bool *value);
int load_keys_need(const struct load_keys *k, uint32_t key);
/* Letters, digits, '-', '_', and a letter or digit first; at most 31. */
bool load_is_name(const char *text);

#endif
