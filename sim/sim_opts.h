/* SPDX-License-Identifier: MIT */
/*
 * One option table for a simulated driver: the list that the plug-in record shows to the host and the parser
 * of its values are the same rows (the record's option_stride is the size of a row). Pure.
 */
#ifndef SIM_SIM_OPTS_H
#define SIM_SIM_OPTS_H

#include <stddef.h>
#include <stdint.h>

#include <forecourt/plugin.h>

#include "lib/core/opts.h"

struct sim_opt {
	struct forecourt_option pub; /* first: the host walks these with the stride of a row */
	enum opt_type type;
	int32_t is_live;
	int64_t min, max;
	size_t offset; /* in the settings struct */
	size_t size;   /* of the member, for OPT_TEXT */
};

/* Defaults, then the given pairs. 0, or a negative errno with a sentence in err. */
int sim_opts_init(const struct sim_opt *table, size_t n, void *settings, const struct forecourt_kv *kv,
		  uint32_t n_kv, char *err, size_t err_size);
/*
 * Live value: NULL reads into answer, otherwise sets and answers the reason of a refusal. 0, -ENOENT unknown,
 * -EINVAL bad value or not live, -ERANGE.
 */
int sim_opts_live(const struct sim_opt *table, size_t n, void *settings, const char *key, const char *value,
		  char *answer, size_t answer_size);

#endif
