/* SPDX-License-Identifier: MIT */
/* Option tables of the simulated drivers. Pure. */
#include "sim/sim_opts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct opt make_opt(const struct sim_opt *row)
{
	struct opt opt;

	memset(&opt, 0, sizeof(opt));
	opt.name = row->pub.name;
	opt.unit = row->pub.unit;
	opt.def = row->pub.def;
	opt.help = row->pub.help;
	opt.type = row->type;
	opt.min = row->min;
	opt.max = row->max;
	opt.offset = row->offset;
	opt.size = row->size;
	return opt;
}

/* Dashes and underscores are the same letter in a key, as on the command line. */
static const struct sim_opt *find(const struct sim_opt *table, size_t n, const char *key)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct opt opt = make_opt(&table[i]);

		if (opts_find(&opt, 1, key) == 0)
			return &table[i];
	}
	return NULL;
}

int sim_opts_init(const struct sim_opt *table, size_t n, void *settings, const struct forecourt_kv *kv,
		  uint32_t n_kv, char *err, size_t err_size)
{
	uint32_t k;
	size_t i;

	for (i = 0; i < n; i++) {
		struct opt opt = make_opt(&table[i]);

		opts_defaults(&opt, 1, settings);
	}
	for (k = 0; k < n_kv; k++) {
		const struct sim_opt *row = find(table, n, kv[k].key);
		struct opt opt;
		int r;

		if (!row) {
			snprintf(err, err_size, "unknown option %s", kv[k].key);
			return -ENOENT;
		}
		opt = make_opt(row);
		r = opts_set(&opt, settings, kv[k].value, err, err_size);
		if (r)
			return r;
	}
	return 0;
}

int sim_opts_live(const struct sim_opt *table, size_t n, void *settings, const char *key, const char *value,
		  char *answer, size_t answer_size)
{
	const struct sim_opt *row = find(table, n, key);
	struct opt opt;

	if (!row)
		return -ENOENT;
	opt = make_opt(row);
	if (!value) {
		opts_get(&opt, settings, answer, answer_size);
		return 0;
	}
	if (!row->is_live) {
		snprintf(answer, answer_size, "%s cannot be changed while running", row->pub.name);
		return -EINVAL;
	}
	return opts_set(&opt, settings, value, answer, answer_size);
}
