/* SPDX-License-Identifier: MIT */
/* Fixed-size queue of frames and requests. Pure. */
#include "lib/core/out_queue.h"

void out_queue_init(struct out_queue *q)
{
	q->n = 0;
	q->n_dropped = 0;
}

void out_queue_clear(struct out_queue *q)
{
	q->n = 0;
}

static struct out_item *take(struct out_queue *q, enum out_kind kind)
{
	struct out_item *item;

	if (q->n >= OUT_QUEUE_LEN) {
		q->n_dropped++;
		return NULL;
	}
	item = &q->item[q->n++];
	item->kind = kind;
	item->bus = 0;
	return item;
}

bool out_queue_frame(struct out_queue *q, uint8_t bus, const struct can_frame *frame)
{
	struct out_item *item = take(q, OUT_FRAME);

	if (!item)
		return false;
	item->bus = bus;
	item->u.frame = *frame;
	return true;
}

bool out_queue_setpoint(struct out_queue *q, const struct pm_setpoint *sp)
{
	struct out_item *item = take(q, OUT_SETPOINT);

	if (!item)
		return false;
	item->u.setpoint = *sp;
	return true;
}

bool out_queue_command(struct out_queue *q, const struct vh_command *cmd)
{
	struct out_item *item = take(q, OUT_COMMAND);

	if (!item)
		return false;
	item->u.command = *cmd;
	return true;
}
