/* SPDX-License-Identifier: MIT */
/* Pauses between attempts. Pure. */
#include "gateways/gate_backoff.h"

#include <string.h>

#include <forecourt/units.h>

void gate_backoff_init(struct gate_backoff *b, int64_t min_us, int64_t max_us, uint32_t n_brokers,
		       uint64_t seed)
{
	memset(b, 0, sizeof(*b));
	b->min_us = min_us;
	b->max_us = max_us;
	b->n_brokers = n_brokers;
	b->random = seed | 1;
}

/* xorshift64: an even spread is all that is asked of it. */
static uint64_t next_random(struct gate_backoff *b)
{
	b->random ^= b->random << 13;
	b->random ^= b->random >> 7;
	b->random ^= b->random << 17;
	return b->random;
}

int64_t gate_backoff_failed(struct gate_backoff *b, int64_t held_us)
{
	int64_t pause_us = b->min_us;
	uint32_t round, i;

	if (held_us >= GATE_BACKOFF_HELD_US)
		b->n_failed = 0;
	b->n_failed++;
	b->at = (b->at + 1) % b->n_brokers;
	round = (b->n_failed - 1) / b->n_brokers; /* whole rounds before this one */
	for (i = 0; i < round && pause_us < b->max_us; i++)
		pause_us *= 2;
	if (b->n_failed % b->n_brokers != 0)
		pause_us = b->min_us; /* the next of the list is due */
	pause_us = fc_min_i64(pause_us, b->max_us);
	return pause_us / 2 + (int64_t)(next_random(b) % (uint64_t)(pause_us / 2 + 1));
}
