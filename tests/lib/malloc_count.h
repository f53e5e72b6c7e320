/* SPDX-License-Identifier: MIT */
/* What malloc_count.so counts, in a file that is mapped by the counted program and by the one that asks. */
#ifndef TESTS_MALLOC_COUNT_H
#define TESTS_MALLOC_COUNT_H

#include <stdint.h>

struct malloc_counts {
	uint64_t n_malloc, n_calloc, n_realloc, n_free;
	uint64_t is_loaded; /* the library is at work */
};

#endif
