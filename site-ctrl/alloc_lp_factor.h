/* SPDX-License-Identifier: MIT */
/*
 * Small systems of linear equations in fixed point: a matrix of up to 24 x 24 coefficients of about 1,
 * factored with row exchanges. Pure.
 */
#ifndef SITE_ALLOC_LP_FACTOR_H
#define SITE_ALLOC_LP_FACTOR_H

#include <stdbool.h>
#include <stdint.h>

#define FACTOR_MAX 24
#define FACTOR_Q   20 /* fraction bits of coefficients */
#define FACTOR_ONE (INT64_C(1) << FACTOR_Q)

struct factor {
	int64_t a[FACTOR_MAX][FACTOR_MAX]; /* in: the matrix, Q20; then its factors */
	uint32_t perm[FACTOR_MAX];
	uint32_t n;
};

static inline int64_t factor_size(int64_t v)
{
	return v < 0 ? -v : v;
}

/* Of a coefficient and a number of up to 2^38. */
static inline int64_t factor_mul(int64_t a, int64_t b)
{
	return (a * b) >> FACTOR_Q;
}

/* False: singular, or so nearly that nothing good would come of it. */
bool factor_do(struct factor *f);
/* matrix x x = b; values up to 2^38, larger ones are cut off. */
void factor_solve(const struct factor *f, const int64_t *b, int64_t *x);
/* transposed matrix x x = b. */
void factor_solve_transposed(const struct factor *f, const int64_t *b, int64_t *x);

#endif
