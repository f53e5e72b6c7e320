/* SPDX-License-Identifier: MIT */
/*
 * The most of sum(worth x current) under some rows: a linear program by the bounded dual simplex method in
 * integers. Pure.
 *
 * All points begin at their maximum. The row that is most overloaded becomes an equation (a phasor row: its
 * tangent at the present angle). The points that are worth least for what they load it with go to their
 * minimum, one after the other, until it holds; the one on the edge is left in between. So the work grows
 * with the number of rows that bind and not with the number of steps, and one row alone costs about what
 * sorting costs. Numbers are fixed point. The matrix of the equations is factored anew in each round, so
 * errors do not add up; what the answer is off the rows (less than 0.1 %) is left to the caller, who puts it
 * through the kit's exact arithmetic.
 */
#ifndef SITE_ALLOC_LP_H
#define SITE_ALLOC_LP_H

#include "site-ctrl/alloc_kit.h"

#define ALLOC_LP_MAX_CUTS 24		     /* equations at a time, as many as alloc_lp_factor.h takes */
#define ALLOC_LP_WORTH	  (INT64_C(1) << 30) /* largest worth */
#define ALLOC_LP_MAX_mA	  (INT32_C(1) << 26) /* largest current */

enum alloc_lp_at { ALLOC_LP_LOW, ALLOC_LP_HIGH, ALLOC_LP_BETWEEN };

/* A point that takes part. */
struct alloc_lp_var {
	uint32_t point;
	/* 0 <= low <= high <= ALLOC_LP_MAX_mA; all at low are within the rows. */
	int32_t low_mA, high_mA;
	int32_t min_mA;	     /* between low and this nothing is allowed; 0: anything is */
	int32_t x_mA;	     /* in: high; out: the answer */
	enum alloc_lp_at at; /* own */
	bool is_raised;	     /* own: low is the minimum now */
	int64_t gain; /* in: worth, 1..ALLOC_LP_WORTH; then what one more mA is worth after all prices */
};

struct alloc_lp_cut {
	uint32_t row;
	uint32_t bits; /* of the largest coefficient, in 1/65536 */
	int32_t *g;    /* of each variable: what one mA takes of it; the largest is about 1, in Q20 */
	int64_t rest;  /* limit less what the variables at their bounds take: mA Q20 */
	int64_t price; /* of a unit of it */
};

struct alloc_lp_break {
	int64_t t;    /* price at which somebody gives way */
	uint32_t who; /* variable, or n + equation */
};

struct alloc_lp {
	const struct alloc_kit_state *kit;
	uint32_t first_row, n_rows; /* that are looked at */
	uint32_t max_cuts;	    /* up to ALLOC_LP_MAX_CUTS */
	uint32_t n;
	struct alloc_lp_var *var;    /* in the order of preference among equals */
	uint32_t *var_of;	     /* of each point: variable or UINT32_MAX */
	int64_t *sum_q16;	     /* of each direction of the site, all at x_mA; <= KIT_MAX_Q16 */
	int32_t *g;		     /* (max_cuts + 1) x n */
	int64_t *effect;	     /* n: of one mA on what has to come down, Q20 */
	struct alloc_lp_break *heap; /* n + max_cuts */
	/* own */
	uint32_t k;	 /* equations, and as many variables in between */
	uint32_t n_cuts; /* k, or one more while a new one comes in */
	uint32_t n_rounds;
	struct alloc_lp_cut cut[ALLOC_LP_MAX_CUTS + 1];
	uint32_t between[ALLOC_LP_MAX_CUTS];
};

/*
 * True: solved. False: more rows bind than there are equations, or the numbers went bad; x_mA are good for
 * nothing.
 */
bool alloc_lp_solve(struct alloc_lp *lp);
/* Sets the current of a variable, with its part of the sums. */
void alloc_lp_set(struct alloc_lp *lp, uint32_t v, int64_t x_mA);
/* Price of one mA in equation c < k, in the units of worth. */
int64_t alloc_lp_price(const struct alloc_lp *lp, uint32_t c);
/*
 * By how much of its limit a row is over, Q20; 0: not worth looking at (a plain row 8 mA, a phasor row 0.05
 * %).
 */
int64_t alloc_lp_excess(const struct alloc_lp *lp, uint32_t row);

#endif
