/* SPDX-License-Identifier: MIT */
/*
 * Frames that could not be sent at once. Pure.
 */
#include "lib/can/can_hold.h"

#include <string.h>

enum can_hold_result can_hold_put(struct can_hold *h, const struct can_frame *f, int64_t now_us)
{
	enum can_hold_result result = CAN_HOLD_REPLACED;
	size_t i;

	for (i = 0; i < h->n && h->frame[i].can_id != f->can_id; i++)
		;
	if (i == CAN_HOLD_LEN)
		return CAN_HOLD_FULL;
	if (i == h->n) {
		h->n++;
		result = CAN_HOLD_ADDED;
	}
	h->frame[i] = *f;
	h->since_us[i] = now_us;
	return result;
}

size_t can_hold_expire(struct can_hold *h, int64_t now_us)
{
	size_t i, n_kept = 0, n_before = h->n;

	for (i = 0; i < n_before; i++) {
		if (now_us - h->since_us[i] > CAN_HOLD_MAX_US)
			continue;
		h->frame[n_kept] = h->frame[i];
		h->since_us[n_kept] = h->since_us[i];
		n_kept++;
	}
	h->n = n_kept;
	return n_before - n_kept;
}

void can_hold_pop(struct can_hold *h, size_t n)
{
	if (n > h->n)
		n = h->n;
	h->n -= n;
	memmove(h->frame, h->frame + n, h->n * sizeof(h->frame[0]));
	memmove(h->since_us, h->since_us + n, h->n * sizeof(h->since_us[0]));
}
