/* SPDX-License-Identifier: MIT */
/*
 * Judges an allocation by what must be true of it, without knowing how it was found. Shares nothing with the kit; with
 * alloc_check only what alloc_row_mA says a row carries, and that is measured here against a sum of its own.
 */
#ifndef TESTS_ALLOC_JUDGE_H
#define TESTS_ALLOC_JUDGE_H

#include "tests/lib/alloc_rig.h"

struct judge {
	const struct alloc_rig *g;
	char text[200];	   /* what is wrong */
	bool is_cut_short; /* an answer was not judged: climb had been ended */
};

/* Rows within their limits (properties 1), currents in their ranges and only for who wants (2, 3, 4). */
bool judge_is_safe(struct judge *j);
/* Nobody could rise by a step, or begin with his minimum, alone (5). */
bool judge_is_conserving(struct judge *j);
/*
 * Rows of one direction: who has less than his maximum is in a full row where nobody above his minimum has more for his
 * weight (7), up to rounding: full is a row with less room than a step for each member; currents within `tolerance`
 * steps are equal. has_classes: only against others of the class.
 */
bool judge_is_max_min(struct judge *j, const int64_t *weight, int32_t tolerance, bool has_classes);
/*
 * One step taken from one who is behind and given to one who is ahead would never fit: key low first, class high first
 * (8). Trees of single-phase points.
 */
bool judge_is_in_order(struct judge *j, const int64_t *key);
/* Sum of all. */
int64_t judge_total_mA(const struct alloc_rig *g);

#endif
