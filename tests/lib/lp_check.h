/* SPDX-License-Identifier: MIT */
/*
 * The largest weighted sum of currents that the rows of a small site allow, by a textbook simplex in floating
 * point: slow, simple, and with nothing in common with the allocator's own. Minima and steps are not looked
 * at.
 */
#ifndef TESTS_LP_CHECK_H
#define TESTS_LP_CHECK_H

#include "tests/lib/alloc_rig.h"

/*
 * sum of worth x mA over who wants, at best; a phasor row is a polygon around its circle, so the result is at
 * most 0.06 % too large.
 */
double lp_check_best(const struct alloc_rig *g, const int64_t *worth);
/* The same sum of the grants. */
double lp_check_sum(const struct alloc_rig *g, const int64_t *worth);

#endif
