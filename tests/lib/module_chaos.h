/* SPDX-License-Identifier: MIT */
/*
 * The virtual modules under a stream of random events, with the invariants of a safe module checked after each.
 * Used by the fuzzers (the stream is the input) and by a unit test (the stream comes from a seeded generator).
 *
 * A stream is a list of records: one byte kind, then the bytes the kind needs; missing bytes read as 0. Frames
 * are mostly plausible: right identifier, right length, and the tag of the running session.
 */
#ifndef TESTS_MODULE_CHAOS_H
#define TESTS_MODULE_CHAOS_H

#include <stddef.h>
#include <stdint.h>

struct module_chaos_result {
	uint32_t visited; /* bit per state or stage */
	uint64_t n_frames;
};

/* Abort on a broken invariant. */
void module_chaos_secc(const uint8_t *data, size_t size, struct module_chaos_result *result);
void module_chaos_evcc(const uint8_t *data, size_t size, struct module_chaos_result *result);

#endif
