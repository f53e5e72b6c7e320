/* SPDX-License-Identifier: MIT */
/*
 * What the files of the site model share: vectors of currents, the directions of a free constraint, sums up
 * the tree. Pure.
 */
#ifndef SITE_SITE_MODEL_PRIV_H
#define SITE_SITE_MODEL_PRIV_H

#include "site-ctrl/site_model.h"

/* "63.000 A" */
#define SITE_A_LEN 24
const char *site_text_A(int64_t mA, char text[SITE_A_LEN]);
/* Writes the sentence and returns the error. */
int site_error(int error, char *err, size_t err_size, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* --- angles (site_model_angle.c) ------------------------------------------------------------------------ */

/* The same angle in 0 .. 359999. */
int32_t site_angle_norm(int64_t angle_mdeg);
/* Between two normal angles: 0 .. 180000. */
int32_t site_angle_between(int32_t a_mdeg, int32_t b_mdeg);
/* A vector in coefficients (Q16 x Q30) as length (rounded up) and direction; 0: it has none. */
int32_t site_vector_split(int64_t x, int64_t y, struct alloc_dir *dir);

/* --- free constraints (site_model_terms.c) -------------------------------------------------------------- */

#define SITE_MAX_SETS (2 * ALLOC_MAX_DIR)

/* The directions of a constraint and the sets of them that become rows. */
struct site_fan {
	uint32_t n_angles, n_sets;
	int32_t angle_mdeg[ALLOC_MAX_DIR]; /* of positive coefficients, normal */
	uint32_t set[SITE_MAX_SETS];	   /* bits */
};

/* Angle of a term when its coefficient is taken as positive. */
int32_t site_term_angle(const struct site_term *t);
/* False: more than ALLOC_MAX_DIR directions. */
bool site_fan_make(const struct site_constraint_conf *c, struct site_fan *fan);
/* Index of an angle, or ALLOC_MAX_DIR. */
uint32_t site_fan_find(const struct site_fan *fan, int32_t angle_mdeg);
/* Limit with its part per kW; SITE_NO_LIMIT_mA at most. */
int32_t site_constraint_limit_mA(const struct site_constraint_conf *c, int64_t size_W);

/* Terms of one constraint as compile handles them. */
struct site_item {
	uint32_t point;
	int32_t angle_mdeg;
	int32_t coef_q16; /* > 0 in the end */
};

/* Compile's hands: where the next row, member and direction go. */
struct site_build {
	struct site_model *m;
	struct alloc_row *row;
	struct alloc_dir *dir;
	struct alloc_member *member;
	struct site_item *item;
	uint32_t n_rows, n_dirs, n_members;
	char *err;
	size_t err_size;
};

/* Opens a row at the end; its members and directions follow. */
struct alloc_row *site_build_row(struct site_build *b, const struct site_row_info *info, uint32_t place);
/* Index of a direction in the row that is being built, added where it is new; -E2BIG. */
int site_build_dir(struct site_build *b, struct alloc_row *row, struct alloc_dir dir);
/* A row with one direction is a plain sum: along the first axis, exactly. */
void site_build_close(struct site_build *b, struct alloc_row *row);
int site_build_constraint(struct site_build *b, uint32_t constraint);

/* --- the tree ------------------------------------------------------------------------------------------- */

/* Adds each node's sum[4 x node + k] to its parent's, leaves first. */
void site_tree_sum(const struct site_model *m, int64_t *sum);
/* mA x mV of the three phases as mA at the node's voltage, rounded up. */
int64_t site_power_mA(const struct site_node_conf *n, int64_t power_uW);

#endif
