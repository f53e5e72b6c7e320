/* SPDX-License-Identifier: MIT */
/*
 * Latched faults of a machine: a set of stable numbers, each with a name. Pure; header only.
 *
 * `present` follows the conditions, `latched` keeps what was present until it is cleared explicitly. A fault
 * is data about the plant, not an error of the program.
 */
#ifndef CORE_FAULT_H
#define CORE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

struct fault_set {
	uint32_t present; /* bit n: fault n */
	uint32_t latched;
};

static inline bool fault_raise(struct fault_set *f, unsigned number)
{
	uint32_t bit = UINT32_C(1) << number;
	bool is_new = !(f->latched & bit);

	f->present |= bit;
	f->latched |= bit;
	return is_new;
}

/* The condition is gone; the latch stays. */
static inline void fault_lower(struct fault_set *f, unsigned number)
{
	f->present &= ~(UINT32_C(1) << number);
}

/* Clears the latches whose condition is gone; returns true when none is left. */
static inline bool fault_clear(struct fault_set *f)
{
	f->latched = f->present;
	return f->latched == 0;
}

#endif
