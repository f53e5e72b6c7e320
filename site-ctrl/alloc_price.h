/* SPDX-License-Identifier: MIT */
/*
 * The memory of the kit's filling by price. Pure.
 */
#ifndef SITE_ALLOC_PRICE_H
#define SITE_ALLOC_PRICE_H

#include "site-ctrl/alloc_lp.h"

#define ALLOC_PRICE_WHOLE 256 /* points of one program over all rows; more are looked at node by node */

/* Values of coef[]. */
#define PRICE_UNSEEN 0	  /* no point yet */
#define PRICE_LOOSE  (-1) /* the row holds though all have their maximum */

/* Arrays over points and rows. */
struct alloc_price {
	struct alloc_lp lp;
	size_t g_size;	 /* elements of lp.g */
	int64_t *key;	 /* worth turned round, for sorting; then what the program takes as worth */
	uint32_t *order; /* who takes part, highest class and worth first */
	uint32_t *place; /* in order[] */
	uint32_t *list;	 /* who takes part in some rows */
	int32_t *aim_mA; /* the answer so far */
	int32_t *before_mA;
	uint32_t *above; /* of each row: the next row of all its points */
	int64_t *price;	 /* of each row, of one mA */
	int32_t *coef;	 /* of each row: of all its points, or a value above */
	uint32_t n_order;
	/* of fill_price_steady: everybody who wants, by class */
	uint32_t *wants;
	uint32_t n_wants;
};

/* Cuts its memory off a block. */
void alloc_price_lay_out(struct alloc_price *p, const struct alloc_site *site, struct kit_cutter *c);

/* Raises a point by so much, without asking; it counts as admitted if it has its minimum then. */
void alloc_price_rise(struct alloc_kit_state *k, uint32_t i, int32_t mA);
/*
 * Of the points order[first..end - 1] and the rows that are not loose: each has one next row for all its points,
 * and takes them all alike. Fills above[] and coef[].
 */
bool alloc_price_is_tree(const struct alloc_kit_state *k, struct alloc_price *p, uint32_t first,
			 uint32_t end);
/* Highest worth first. can_give: lowering somebody makes room in all rows, as it does in trees. */
void alloc_price_fill_tree(struct alloc_kit_state *k, struct alloc_price *p, uint32_t first, uint32_t end,
			   bool can_give);

/* Puts everybody who can rise into k->price->order, as fill_price does. */
void alloc_price_sort(struct alloc_kit_state *k, const int64_t *worth);

#endif
