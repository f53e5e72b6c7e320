/* SPDX-License-Identifier: MIT */
/* Are the rows of a compiled site whole? Aborts where not. For fuzzers and tests. */
#ifndef TESTS_SITE_JUDGE_H
#define TESTS_SITE_JUDGE_H

#include "site-ctrl/site_model.h"

/*
 * Every reference inside its array, members by row and then point, no point twice in a row, the view from the
 * points the same members, directions of length 1 and different, names found, safe currents within the
 * limits.
 */
void site_judge_rows(const struct site_model *m);

#endif
