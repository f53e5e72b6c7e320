/* SPDX-License-Identifier: MIT */
/*
 * What must arrive, in order: records wait here until the broker has acknowledged them. Pure; all memory is
 * the caller's, and bounded: when it is full the oldest record goes, and is counted.
 *
 *     kept ...  first        next           end
 *               |  acknowledged or under way |  waiting  |
 *
 * A broker that dies may forget what it has acknowledged a moment ago. So acknowledged records stay until
 * their place is needed, and after a lost connection those of the last moments are sent once more. Receivers
 * know duplicates by the sequence number that the record carries.
 */
#ifndef GATEWAYS_GATE_QUEUE_H
#define GATEWAYS_GATE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gate_slot {
	int64_t acked_us;
	bool is_sent, is_acked;
};

struct gate_queue {
	struct gate_slot *slot;
	unsigned char *record;
	size_t record_size;
	uint32_t size;
	uint64_t first, next, end; /* numbers of records; the first ever is 1 */
	uint32_t n_flying;	   /* sent, and the answer to that is missing */
	uint32_t n_waiting;	   /* never acknowledged yet */
	uint64_t n_dropped;	   /* never acknowledged, gone for want of room */
	uint64_t n_acked;	   /* first acknowledgements */
	uint64_t n_again;	   /* sent more than once */
};

/* Bytes of the block for `size` records. */
size_t gate_queue_bytes(uint32_t size, size_t record_size);
/* block: zeroed, max-aligned. */
void gate_queue_init(struct gate_queue *q, void *block, uint32_t size, size_t record_size);
/* Appends a copy. */
void gate_queue_push(struct gate_queue *q, const void *record);
/* The next record to send while fewer than `window` are under way, and its number; NULL: none. */
const void *gate_queue_next(const struct gate_queue *q, uint32_t window, uint64_t *number);
/* That one is under way. */
void gate_queue_sent(struct gate_queue *q);
/* False: not one that is under way. */
bool gate_queue_acked(struct gate_queue *q, uint64_t number, int64_t now_us);
/*
 * The connection is lost: all that is not acknowledged, or was within `again_us` before now, is to be sent
 * again.
 */
void gate_queue_rewind(struct gate_queue *q, int64_t now_us, int64_t again_us);

#endif
