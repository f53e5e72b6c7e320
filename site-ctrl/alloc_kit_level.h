/* SPDX-License-Identifier: MIT */
/*
 * State of the rising level: see alloc_kit_level.c. Pure.
 */
#ifndef SITE_ALLOC_KIT_LEVEL_H
#define SITE_ALLOC_KIT_LEVEL_H

#include "site-ctrl/alloc_kit.h"

/*
 * The level t. A point of weight w (24 bits) rises by w in 2^-32 mA for each unit of t; a row of slope B by B in
 * 2^-36 mA, and what is left of it is kept in 2^-24 mA.
 */
#define LEVEL_RISE_BITS	 32
#define LEVEL_SLOPE_BITS 12
#define LEVEL_LEFT_BITS	 8		    /* below 1/65536 mA */
#define LEVEL_MAX_WEIGHT 24		    /* bits */
#define LEVEL_MAX_mA	 (INT64_C(1) << 29) /* largest rise or offset looked at: 537 kA */
#define LEVEL_HAIR	 (1 << 12)	    /* 2^-20 mA, in a rise */
#define LEVEL_MAX_T	 (INT64_C(1) << 60)

struct level_row {
	int64_t left_q24; /* of the limit at `last`; of phasor rows: nothing */
	int64_t last;
	int64_t slope; /* of all that rise, up to 2^57 */
	int64_t key;   /* full then, or later; FC_NEVER while nothing rises */
	uint32_t at;   /* place in the heap, or ALLOC_NO_ROW */
	bool is_full;
	bool is_dirty; /* key is to be computed anew before time goes on */
};

enum level_state { LEVEL_OUT, LEVEL_LOW, LEVEL_RISES, LEVEL_DONE };

struct level_point {
	int64_t start, end;	 /* leaves its present current; reaches its maximum */
	int32_t way_mA, rise_mA; /* from the offset to where it begins; from there to its maximum */
	int32_t weight;
	int32_t from_mA, mA; /* where it begins and ends */
	uint32_t state;
};

struct kit_level {
	struct level_row *row;
	struct level_point *point;
	int64_t *sum_q24;  /* of each slot, at `last` of its row */
	int64_t *slope;	   /* of each slot */
	uint32_t *n_risen; /* of each row, where there are phasors: members that began to rise */
	uint32_t *heap, n_heap;
	uint32_t *dirty, n_dirty;
	uint32_t *full;	       /* rows found full at one level */
	uint32_t *start, *end; /* points by start and by end */
	uint32_t n_rises;      /* points that could rise: length of start and end */
	uint32_t n_left;       /* not done */
};

void alloc_kit_level_lay_out(struct kit_level *l, const struct alloc_site *site, uint32_t n_slots,
			     struct kit_cutter *c);

/* Rows under the level (alloc_kit_level_row.c). */
void level_row_begin(struct alloc_kit_state *k);
void level_row_advance(struct alloc_kit_state *k, uint32_t row, int64_t t);
void level_row_add(struct alloc_kit_state *k, const struct kit_member *m, int64_t t, int32_t weight,
		   int sign);
int64_t level_row_full_at(const struct alloc_kit_state *k, uint32_t row);
/* Keys and the heap of rows. */
void level_row_settle(struct alloc_kit_state *k);
void level_row_set_key(struct kit_level *l, uint32_t row, int64_t key);
static inline int64_t level_row_first(const struct kit_level *l)
{
	return l->n_heap ? l->row[l->heap[0]].key : FC_NEVER;
}

#endif
