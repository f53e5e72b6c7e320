/* SPDX-License-Identifier: MIT */
/*
 * When to try a list of brokers again. Pure.
 *
 * Each broker of the list is tried in turn. After a whole round without success the pause doubles, from the
 * minimum to the maximum; each pause is a random length between half and all of it, so that a hundred
 * gateways that lost the same broker do not come back in the same instant. Between two brokers of one round
 * there is a short pause. Only a connection that held for a while is a success: one that is dropped at once
 * must not be taken up at full speed.
 */
#ifndef GATEWAYS_GATE_BACKOFF_H
#define GATEWAYS_GATE_BACKOFF_H

#include <stdint.h>

#define GATE_BACKOFF_HELD_US (10 * INT64_C(1000000))

struct gate_backoff {
	int64_t min_us, max_us;
	uint32_t n_brokers;
	uint32_t at;	   /* broker of the next attempt */
	uint32_t n_failed; /* attempts since the last success */
	uint64_t random;
};

/* seed: any number, different from gateway to gateway. */
void gate_backoff_init(struct gate_backoff *b, int64_t min_us, int64_t max_us, uint32_t n_brokers,
		       uint64_t seed);
/*
 * The attempt failed, or its connection ended after held_us. Returns the pause before the next one, at
 * another broker.
 */
int64_t gate_backoff_failed(struct gate_backoff *b, int64_t held_us);

#endif
