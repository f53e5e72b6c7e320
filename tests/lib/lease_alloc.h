/* SPDX-License-Identifier: MIT */
/*
 * A small site for the tests of leases: the ledger (site-ctrl/lease) and an allocator that wants something else every
 * few seconds. It grants by the rule of lease.h and by nothing else.
 */
#ifndef TESTS_LEASE_ALLOC_H
#define TESTS_LEASE_ALLOC_H

#include "site-ctrl/lease.h"
#include "tests/lib/lease_world.h"

struct lease_alloc {
	struct lease_ledger ledger;
	struct lease_point point[JUDGE_MAX_POINTS];
	int64_t lease_us;
	unsigned lie_units; /* its grants last so much longer than it books: for a test of the judge */
	int32_t want_mA[JUDGE_MAX_POINTS], want_back_mA[JUDGE_MAX_POINTS];
	unsigned first; /* who is served first */
	uint64_t n_refused;
	uint64_t n_over; /* times the sum of U was over a limit that had not just fallen */
	int64_t next_us; /* cycle */
	int64_t met_from_us[JUDGE_MAX_ROWS]; /* a limit that fell must be met then */
	int32_t known_mA[JUDGE_MAX_ROWS];
};

/* lease_us: of its grants. */
void lease_alloc_init(struct lease_alloc *a, int64_t lease_us, struct world_site *site);

#endif
