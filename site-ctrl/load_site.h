/* SPDX-License-Identifier: MIT */
/*
 * A site in memory, as the loaders of files leave it: load_conf.h (site.conf) and load_net.h (network CSV
 * files). Shell: the arrays are from malloc, before the loop starts.
 *
 *     static struct site_load load;
 *
 *     r = site_load_conf(&load, path, err, sizeof(err));      or site_load_net()
 *     ...
 *     use(&load.model);                                       compiled, ready
 *     site_load_free(&load);
 */
#ifndef SITE_LOAD_SITE_H
#define SITE_LOAD_SITE_H

#include "site-ctrl/site_model.h"

#define SITE_PATH_MAX 512

struct site_load {
	struct site_model model;
	char schedule
		[SITE_PATH_MAX]; /* file of limits over time that goes with it (load_schedule.h); "": none */
	/* ---- the loader's */
	struct site_term *term; /* of all constraints */
	uint32_t n_terms, max_terms;
	int32_t *level; /* of all points */
	uint32_t n_levels, max_levels;
	/*
	 * Where the levels of a point, the terms of a constraint begin; made pointers when the arrays have
	 * stopped moving.
	 */
	uint32_t *point_level, *constraint_term;
};

/* Also after a failed load, and twice. */
void site_load_free(struct site_load *l);

/* --- for the loaders ------------------------------------------------------------------------------------ */

/* Zeros, and room for a first few of each. 0 or -ENOMEM with a sentence. */
int site_load_begin(struct site_load *l, char *err, size_t err_size);
/* As site_model_add_...(), growing. The arrays in *n, *p, *c are copied. */
int site_load_add_node(struct site_load *l, const struct site_node_conf *n, char *err, size_t err_size);
int site_load_add_point(struct site_load *l, const struct site_point_conf *p, char *err, size_t err_size);
int site_load_add_constraint(struct site_load *l, const struct site_constraint_conf *c, char *err,
			     size_t err_size);
/* Compiles. */
int site_load_finish(struct site_load *l, char *err, size_t err_size);

#endif
