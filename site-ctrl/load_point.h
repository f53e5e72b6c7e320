/* SPDX-License-Identifier: MIT */
/*
 * A charge point and the members of a free constraint from text, for load_conf.c: sections and tables have
 * the same keys. Shell.
 */
#ifndef SITE_LOAD_POINT_H
#define SITE_LOAD_POINT_H

#include "site-ctrl/load_keys.h"
#include "site-ctrl/load_site.h"

enum load_point_key {
	POINT_NODE,
	POINT_MAX,
	POINT_MIN,
	POINT_STEP,
	POINT_LEVELS,
	POINT_SAFE,
	POINT_KIND,
	POINT_PHASES,
	POINT_BUS,
	POINT_NUMBER,
	POINT_PRIORITY,
	POINT_WEIGHT,
	POINT_DISCHARGE,
	POINT_VOLTAGE,
	LOAD_POINT_KEYS
};
extern const char *const load_point_key[LOAD_POINT_KEYS];

/* k: the keys above. 0, or a negative errno with FILE:LINE: sentence in k->err. */
int load_point(struct site_load *l, const struct load_keys *k, const char *name);

/* Terms of a constraint that is being read. Starts as zeros; free(term), free(seen). */
struct load_terms {
	struct site_term *term;
	uint32_t n, max;
	uint8_t *seen; /* of each point: bits of the phases that are in it */
	uint32_t n_points;
};

/*
 * Adds members such as "A01 0.5*A02 -A03.L1", separated by blanks or commas. is_amount: as amounts, without
 * angles. 0 or a negative errno with a sentence (without place).
 */
int load_terms_add(struct load_terms *t, const struct site_model *m, const char *text, bool is_amount,
		   char *err, size_t err_size);
/* Forgets the terms. */
void load_terms_clear(struct load_terms *t);

#endif
