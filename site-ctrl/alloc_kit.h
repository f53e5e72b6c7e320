/* SPDX-License-Identifier: MIT */
/*
 * The state behind struct alloc_kit, and the parts its calls are made of. Pure; all memory is cut out of one block.
 * Policies see forecourt/alloc_policy.h only; fills that live in files of their own (alloc_price.c) see this.
 *
 * Exactness. A row carries the sum of coef x current: coef in 1/65536, current in whole mA, so its sum in 1/65536 mA
 * is exact in 64 bits. A plain row keeps what is left of its limit. A phasor row keeps the exact sum of each
 * direction and the exact vector, 76 bits in two limbs; whether it fits is decided by the rule that alloc_check
 * states and computes in its own way: components rounded away from zero to 1/65536 mA, then to 31 bits, squares
 * compared. What fits here passes there, and the other way round.
 *
 * Currents are kept at 0 or min..max in whole steps by everything but the fills, which may leave values between steps
 * for climb to round.
 */
#ifndef SITE_ALLOC_KIT_H
#define SITE_ALLOC_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <forecourt/alloc_policy.h>

#define KIT_PLAIN   UINT32_MAX	       /* kit_member.slot of a member of a plain row */
#define KIT_MAX_Q16 (INT64_C(1) << 49) /* a direction's sum beyond it (8.6 MA) fits nowhere */
#define KIT_LIMB    26		       /* bits of the low limb of a vector */
#define KIT_TRIES   16		       /* rounds of single steps in climb, before the rest goes in order */
#define KIT_PASSES  256 /* work of climb, in points and members, where one's rise makes room for another */
#define KIT_LEAP    (1 << 16) /* times a pass, when passes get small */
#define KIT_SMALL   192	      /* lists up to this are sorted by merging */
#define KIT_IMPORT  0
#define KIT_EXPORT  1

/* A point as the kit has it. wants: 0 < min (or step) <= max. */
struct kit_point {
	int32_t mA;	/* the answer so far */
	int32_t min_mA; /* whole steps: 0, or the least it may have */
	int32_t max_mA; /* whole steps: of its own and by cap(); below min: cannot be served */
	int32_t step_mA;
};

/* The members of the site once more, in the order of the points. */
struct kit_member {
	uint32_t row;
	uint32_t slot; /* of kit_side.sum, or KIT_PLAIN */
	int32_t coef_q16;
	uint32_t dir; /* of site->dir, absolute */
};

/* Sum of current x direction, exact: value = (hi x 2^26 + lo) / 2^46 mA, 0 <= lo < 2^26. */
struct kit_vector {
	int64_t hi_x, lo_x, hi_y, lo_y;
};

/* The rows in one direction of energy. */
struct kit_side {
	int64_t *limit_q16;	   /* of each row */
	int64_t *room_q16;	   /* of each plain row: limit minus sum */
	int64_t *sum_q16;	   /* of each slot: direction of a phasor row */
	struct kit_vector *vector; /* of each row; meaningful for phasor rows */
};

#define KIT_WANTS    1u /* somebody is there who wants current */
#define KIT_ADMITTED 2u /* has its minimum (or needs none) */
#define KIT_CAPPED   4u /* max_mA comes from cap() */

struct kit_sort {
	uint64_t key;
	uint32_t id;
	uint32_t class;
	uint32_t point;
	uint32_t reserved;
};

struct alloc_price; /* alloc_price.h */
struct kit_level;   /* alloc_kit_level.c */

struct alloc_kit_state {
	const struct alloc_site *site;
	const struct alloc_call *call;
	uint32_t n_points, n_rows, n_members, n_slots;
	bool has_phasors; /* some row has several directions */
	bool can_export;  /* this call has export limits */
	uint64_t
		n_work; /* members and rows touched since begin, roughly: what a cycle costs without a clock */
	/* climb could have gone on for long: phasors that make room for each other in ever smaller steps */
	bool is_cut_short;
	bool is_lowered; /* set() has lowered something: rows found full may not be */

	struct kit_point *point;
	uint8_t *flags;
	uint32_t *blocked; /* of each point: row that stopped its last rise, or ALLOC_NO_ROW */
	const uint32_t
		*first_of; /* the site's: members of point i are member[first_of[i]..first_of[i + 1] - 1] */
	struct kit_member *member; /* by point, nearest row first */
	uint32_t *first_slot;	   /* of each row; KIT_PLAIN for plain rows */
	struct kit_side side[2];   /* KIT_IMPORT, KIT_EXPORT */

	/* Scratch: one call of a kit function may use it as it likes. */
	struct kit_sort *sort[2];
	uint32_t *list;	      /* n_points */
	uint32_t *order;      /* n_points; of the host's equal share */
	int64_t *wide[4];     /* n_points each */
	int64_t *gain_mA;     /* n_points; of climb alone, so that fills may call it */
	int64_t *aim_mA;      /* n_points; of climb and repair alone */
	int64_t *row_wide[2]; /* n_rows each */
	struct kit_level *level;
	struct alloc_price *price;
};

/* Cuts aligned pieces off a block; without a block it only counts. */
struct kit_cutter {
	char *block;
	size_t used;
};

static inline void *alloc_kit_cut(struct kit_cutter *c, size_t n, size_t element)
{
	void *p = c->block ? c->block + c->used : NULL;

	c->used += (n * element + 15) / 16 * 16;
	return p;
}

/* --- memory and calls ------------------------------------------------------------------------------------- */

size_t alloc_kit_size(const struct alloc_site *site);
/* block: max-aligned, alloc_kit_size() bytes. The state is at its beginning. */
struct alloc_kit_state *alloc_kit_init(const struct alloc_site *site, void *block);
/* Forgets the last answer; all at 0. */
void alloc_kit_begin(struct alloc_kit_state *k, const struct alloc_call *call);
/* The table for policies. */
void alloc_kit_table(struct alloc_kit_state *k, struct alloc_kit *kit);

/* --- the calls of the table, as functions ------------------------------------------------------------------- */

uint32_t alloc_kit_sort(struct alloc_kit_state *k, const int64_t *key, uint32_t *order);
void alloc_kit_admit(struct alloc_kit_state *k, const uint32_t *order, uint32_t n);
void alloc_kit_fill_order(struct alloc_kit_state *k, const uint32_t *order, uint32_t n);
void alloc_kit_fill_level(struct alloc_kit_state *k, const int64_t *weight, const int64_t *offset_mA);
void alloc_kit_fill_price(struct alloc_kit_state *k, const int64_t *worth); /* alloc_price.c */
void alloc_kit_fill_price_steady(struct alloc_kit_state *k, const int64_t *worth, int32_t hold_permille);
void alloc_kit_climb(struct alloc_kit_state *k, const uint32_t *order, uint32_t n);
int32_t alloc_kit_most(struct alloc_kit_state *k, uint32_t i);
int32_t alloc_kit_set(struct alloc_kit_state *k, uint32_t i, int32_t mA);
void alloc_kit_cap(struct alloc_kit_state *k, uint32_t i, int32_t max_mA);
void alloc_kit_finish(struct alloc_kit_state *k, struct alloc_grant *grant, uint32_t stride);

/* --- rows: what the fills are made of ------------------------------------------------------------------------ */

/* Largest rise of point i (mA, 0..limit_mA) that every row has room for; *row: the first that allows no more. */
int32_t alloc_kit_room_mA(const struct alloc_kit_state *k, uint32_t i, int32_t limit_mA, uint32_t *row);
/* Changes the current of point i by delta_mA on all its rows, without asking. Import only (mA >= 0 before and after). */
void alloc_kit_move(struct alloc_kit_state *k, uint32_t i, int32_t delta_mA);
/* The same, when it fits; false (and *row) when it does not, nothing changed then. */
bool alloc_kit_try(struct alloc_kit_state *k, uint32_t i, int32_t delta_mA, uint32_t *row);
/* The same two for either side; the current itself is the caller's to keep. */
int32_t alloc_kit_side_room_mA(const struct alloc_kit_state *k, const struct kit_side *s, uint32_t i,
			       int32_t limit_mA, uint32_t *row);
void alloc_kit_side_move(struct alloc_kit_state *k, struct kit_side *s, uint32_t i, int32_t delta_mA);
/* True when no row is over its limit. */
bool alloc_kit_rows_fit(const struct alloc_kit_state *k);
/* Lowers what is there until every row fits: minima first, then in the order of classes and ids up to where they were. */
void alloc_kit_repair(struct alloc_kit_state *k);
/* Sorts by (class, key, id), ascending; uses spare. Returns which of the two the result is in. */
struct kit_sort *alloc_kit_sort_list(struct kit_sort *list, struct kit_sort *spare, uint32_t n);
/* Bounds of a point in whole steps, under a cap. */
void alloc_kit_bounds(const struct alloc_point *p, int32_t cap_mA, struct kit_point *out);
/* Vector of a phasor row in 1/65536 mA, rounded down; magnitude of any row in 1/65536 mA, rounded up. */
void alloc_kit_vector_q16(const struct alloc_kit_state *k, uint32_t row, int64_t *x, int64_t *y);
int64_t alloc_kit_used_q16(const struct alloc_kit_state *k, uint32_t row);
/* Floor of the square root. */
uint64_t alloc_isqrt(uint64_t n);

static inline bool alloc_kit_is_admitted(const struct alloc_kit_state *k, uint32_t i)
{
	return k->flags[i] & KIT_ADMITTED;
}

static inline int32_t alloc_kit_down_to_step(int32_t mA, int32_t step_mA)
{
	return step_mA <= 1 ? mA : mA - mA % step_mA;
}

#endif
