/* SPDX-License-Identifier: MIT */
/*
 * Sites for the tests, the bench and the fuzzer of the allocator: built row by row or at random, with points whose wants are
 * random too, and a way to store the same site in another order.
 */
#ifndef TESTS_ALLOC_RIG_H
#define TESTS_ALLOC_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "site-ctrl/alloc_run.h"

struct alloc_rig {
	struct alloc_site site;
	struct alloc_row *row;
	struct alloc_dir *dir;
	struct alloc_member *member;
	uint32_t *first_of, *of_point;
	uint32_t max_rows, max_dirs, max_members;
	struct alloc_point *point;
	struct alloc_grant *grant;
	int32_t *limit_mA, *export_limit_mA;
	bool *is_fed; /* of each row: one of the random ones that have little to give */
	struct alloc_call call;
	struct alloc_run run;
	void *block, *arena;
	size_t arena_size;
	uint64_t random;
};

enum rig_kind {
	RIG_SINGLE, /* tree, all single-phase */
	RIG_THREE,  /* tree, all on three phases */
	RIG_MIXED,  /* tree, half and half */
	RIG_LINES,  /* tree, single- and three-phase and between lines: rows with two directions */
	RIG_PHASOR, /* free rows of any directions, besides a tree */
	RIG_N_KINDS,
};

struct rig_conf {
	enum rig_kind kind;
	uint32_t n_points;
	int32_t step_mA;  /* 0: random ones */
	bool has_minimum; /* of 6 A, or random */
	bool has_weights; /* random ones */
	bool has_power;	  /* power rows with odd coefficients */
	uint32_t idle_permille;
	uint32_t depth, fan;	/* of the tree: levels, points of a board and boards of the next; 0: random */
	uint32_t load_permille; /* limits: of what all below could draw; 0: random */
};

uint64_t rig_random(struct alloc_rig *g);
/* 0 .. n - 1 */
uint32_t rig_below(struct alloc_rig *g, uint32_t n);

/* Empty site of so many points, all idle. rig_begin, rows and members, rig_end; then points and limits at will. */
void rig_begin(struct alloc_rig *g, uint32_t n_points, uint32_t max_rows, uint32_t max_members);
uint32_t rig_add_row(struct alloc_rig *g, int32_t limit_mA, const struct alloc_dir *dir, uint32_t n_dirs);
/* In any order; coefficient 1.0: ALLOC_Q16. */
void rig_add_member(struct alloc_rig *g, uint32_t row, uint32_t point, int32_t coef_q16, uint32_t dir);
void rig_end(struct alloc_rig *g);
void rig_free(struct alloc_rig *g);

/* A whole site at random; g->random is the seed. */
void rig_make(struct alloc_rig *g, const struct rig_conf *conf);
/* Other wants and limits for the same site. */
void rig_shake(struct alloc_rig *g, const struct rig_conf *conf);
/* *to: the site and wants of *from, point i stored at place[i] of n_points; at places that are free nobody is there. */
void rig_reorder(struct alloc_rig *to, const struct alloc_rig *from, const uint32_t *place,
		 uint32_t n_points);
/* A car that wants: waiting, no minimum, weight 1, step 1. */
void rig_want(struct alloc_rig *g, uint32_t i, int32_t min_mA, int32_t max_mA);

/* One cycle of a built-in policy by its name (NULL: equal share); the answer is in g->grant. */
enum alloc_fault rig_run(struct alloc_rig *g, const char *policy);
const struct alloc_policy_ops *rig_policy(const char *name);
int32_t rig_mA(const struct alloc_rig *g, uint32_t i);

#endif
