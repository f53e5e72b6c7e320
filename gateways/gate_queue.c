/* SPDX-License-Identifier: MIT */
/* Records on their way to the broker. Pure. */
#include "gateways/gate_queue.h"

#include <string.h>

#define ALIGNMENT 16u

static size_t slots_bytes(uint32_t size)
{
	return (size * sizeof(struct gate_slot) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

size_t gate_queue_bytes(uint32_t size, size_t record_size)
{
	return slots_bytes(size) + size * record_size;
}

void gate_queue_init(struct gate_queue *q, void *block, uint32_t size, size_t record_size)
{
	memset(q, 0, sizeof(*q));
	q->slot = block;
	q->record = (unsigned char *)block + slots_bytes(size);
	q->record_size = record_size;
	q->size = size;
	q->first = q->next = q->end = 1;
}

static struct gate_slot *slot_of(const struct gate_queue *q, uint64_t number)
{
	return &q->slot[number % q->size];
}

static void drop_first(struct gate_queue *q)
{
	const struct gate_slot *s = slot_of(q, q->first);

	if (!s->is_acked) {
		q->n_dropped++;
		q->n_waiting--;
	}
	if (s->is_sent)
		q->n_flying--;
	q->first++;
	if (q->next < q->first)
		q->next = q->first;
}

void gate_queue_push(struct gate_queue *q, const void *record)
{
	struct gate_slot *s;

	if (q->end - q->first == q->size)
		drop_first(q);
	s = slot_of(q, q->end);
	memset(s, 0, sizeof(*s));
	memcpy(q->record + q->end % q->size * q->record_size, record, q->record_size);
	q->end++;
	q->n_waiting++;
}

const void *gate_queue_next(const struct gate_queue *q, uint32_t window, uint64_t *number)
{
	if (q->next == q->end || q->n_flying >= window)
		return NULL;
	*number = q->next;
	return q->record + q->next % q->size * q->record_size;
}

void gate_queue_sent(struct gate_queue *q)
{
	struct gate_slot *s = slot_of(q, q->next);

	if (q->next == q->end)
		return;
	s->is_sent = true;
	q->n_flying++;
	q->next++;
}

bool gate_queue_acked(struct gate_queue *q, uint64_t number, int64_t now_us)
{
	struct gate_slot *s = slot_of(q, number);

	if (number < q->first || number >= q->next || !s->is_sent)
		return false;
	q->n_flying--;
	if (!s->is_acked) {
		q->n_acked++;
		q->n_waiting--;
	}
	s->is_sent = false;
	s->is_acked = true;
	s->acked_us = now_us;
	return true;
}

void gate_queue_rewind(struct gate_queue *q, int64_t now_us, int64_t again_us)
{
	uint64_t from, i;

	for (i = q->first; i < q->next; i++)
		slot_of(q, i)->is_sent =
			false; /* acknowledged ones too: they may have been under way again */
	for (from = q->first; from < q->next; from++) {
		const struct gate_slot *s = slot_of(q, from);

		if (!s->is_acked || now_us - s->acked_us <= again_us)
			break;
	}
	q->n_again += q->next - from;
	q->next = from;
	q->n_flying = 0;
}
