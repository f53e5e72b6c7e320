/* SPDX-License-Identifier: MIT */
/*
 * What every row carries for one current per point, kept up to date one point at a time, so that a raise
 * costs the rows of that point and not those of the site. Pure; the memory is the caller's.
 *
 * Never below what alloc_row_mA() says of the same currents: plain sums are the same number, phasors are
 * taken 1 mA larger at most. Only currents >= 0 (one direction of power) are summed.
 */
#ifndef SITE_SITE_ROWS_H
#define SITE_SITE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <forecourt/alloc_policy.h>

struct site_rows {
	const struct alloc_site *site;
	uint32_t *first; /* of each row: its first sum; n_rows + 1 */
	int64_t *sum;	 /* of each row and direction, in mA x ALLOC_Q16 */
};

size_t site_rows_size(const struct alloc_site *site);
/* block: 8-byte aligned, site_rows_size() bytes, kept as long as *r. Starts as 0 everywhere. */
void site_rows_init(struct site_rows *r, const struct alloc_site *site, void *block);
void site_rows_clear(struct site_rows *r);
/* Point i has so much more (less) than before. */
void site_rows_add(struct site_rows *r, uint32_t i, int32_t delta_mA);
/* Magnitude of a row, rounded up. */
int64_t site_rows_mA(const struct site_rows *r, uint32_t row);
/*
 * How much more point i may have, 0 .. want_mA, with every row of it within its limit (limit_mA of each row).
 * *row: the one that allows least, ALLOC_NO_ROW when all of it fits. A row that is over its limit already
 * allows 0.
 */
int32_t site_rows_room_mA(const struct site_rows *r, const int32_t *limit_mA, uint32_t i, int32_t want_mA,
			  uint32_t *row);

/* True when every row of point i is within its limit as it is; else *row is one that is not. */
bool site_rows_is_within(const struct site_rows *r, const int32_t *limit_mA, uint32_t i, uint32_t *row);

#endif
