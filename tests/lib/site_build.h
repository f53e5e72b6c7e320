/* SPDX-License-Identifier: MIT */
/* A small site for tests: room for some nodes, points and constraints, builders of each, and the compiled model. */
#ifndef TESTS_SITE_BUILD_H
#define TESTS_SITE_BUILD_H

#include "site-ctrl/site_model.h"

#define SITE_BUILD_MAX 64

struct site_build_rig {
	struct site_model m;
	struct site_node_conf node[SITE_BUILD_MAX];
	struct site_point_conf point[SITE_BUILD_MAX];
	struct site_constraint_conf constraint[SITE_BUILD_MAX];
	void *block;
	char err[256];
};

/* For cmocka: *state is a struct site_build_rig. */
int site_build_set_up(void **state);
int site_build_tear_down(void **state);

/* 230 V, the same limit on all phases. */
struct site_node_conf site_build_node(const char *name, uint32_t parent, int32_t limit_mA);
/* 6 to 32 A in whole amperes, phases in turn from `phase`. */
struct site_point_conf site_build_point(const char *name, uint32_t node, enum site_kind kind, uint8_t phase);
struct site_point_conf site_build_line_point(const char *name, uint32_t node, uint8_t from, uint8_t to);

/* As the model's own functions; the sentence is in f->err. */
int site_build_add_node(struct site_build_rig *f, struct site_node_conf n);
int site_build_add_point(struct site_build_rig *f, struct site_point_conf p);
/* n points P0, P1 ... in no tree. */
void site_build_free_points(struct site_build_rig *f, uint32_t n);
/* 100 A. */
int site_build_add_constraint(struct site_build_rig *f, const char *name, const struct site_term *term,
			      uint32_t n, bool is_drawn);
int site_build_compile(struct site_build_rig *f);

/* Index of a row by its name; fails the test where there is none. */
uint32_t site_build_row_named(const struct site_build_rig *f, const char *name);
const struct alloc_member *site_build_member(const struct site_build_rig *f, const char *row, uint32_t i);
/* A small generator: the same numbers everywhere. */
uint32_t site_build_random(uint64_t *seed);

#endif
