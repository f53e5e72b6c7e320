/* SPDX-License-Identifier: MIT */
/*
 * Faults of the virtual bus: rules that lose, delay, duplicate, reorder or corrupt frames, and the heap of
 * what they hold back. Pure.
 */
#include <errno.h>
#include <string.h>

#include "lib/can/can_hub.h"

/* --- frames held back ----------------------------------------------------------------------------------- */

static bool is_before(const struct can_hub_delayed *a, const struct can_hub_delayed *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : (int32_t)(a->seq - b->seq) < 0;
}

static void swap(struct can_hub_delayed *a, struct can_hub_delayed *b)
{
	struct can_hub_delayed t = *a;

	*a = *b;
	*b = t;
}

static void sift_up(struct can_hub *hub, unsigned i)
{
	unsigned parent;

	while (i > 0) {
		parent = (i - 1) / 2;
		if (!is_before(&hub->delayed[i], &hub->delayed[parent]))
			break;
		swap(&hub->delayed[i], &hub->delayed[parent]);
		i = parent;
	}
}

static void sift_down(struct can_hub *hub, unsigned i)
{
	unsigned child;

	for (; (child = 2 * i + 1) < hub->n_delayed; i = child) {
		if (child + 1 < hub->n_delayed && is_before(&hub->delayed[child + 1], &hub->delayed[child]))
			child++;
		if (!is_before(&hub->delayed[child], &hub->delayed[i]))
			break;
		swap(&hub->delayed[child], &hub->delayed[i]);
	}
}

bool can_hub_delay(struct can_hub *hub, const struct can_hub_delayed *d)
{
	struct can_hub_delayed *slot;

	if (hub->n_delayed == CAN_HUB_DELAYED) {
		hub->n_delayed_lost++;
		return false;
	}
	slot = &hub->delayed[hub->n_delayed++];
	*slot = *d;
	slot->seq = hub->seq++;
	sift_up(hub, hub->n_delayed - 1);
	return true;
}

static struct can_hub_delayed take_delayed(struct can_hub *hub, unsigned i)
{
	struct can_hub_delayed d = hub->delayed[i];

	hub->n_delayed--;
	if (i < hub->n_delayed) {
		hub->delayed[i] = hub->delayed[hub->n_delayed];
		sift_down(hub, i);
		sift_up(hub, i);
	}
	return d;
}

int64_t can_hub_delayed_due_us(const struct can_hub *hub)
{
	return hub->n_delayed ? hub->delayed[0].due_us : FC_NEVER;
}

static void perform(struct can_hub *hub, const struct can_hub_delayed *d)
{
	if (d->next_fault != CAN_HUB_RECOVER)
		can_hub_fault_pass(hub, d->next_fault, d->sender, &d->frame, d->receivers);
	else if (hub->node[d->sender].recover_us == d->due_us) /* not of an earlier bus-off */
		can_hub_recover(hub, d->sender);
}

void can_hub_delayed_run(struct can_hub *hub)
{
	struct can_hub_delayed d = take_delayed(hub, 0);

	perform(hub, &d);
}

/* --- rules ---------------------------------------------------------------------------------------------- */

/* xorshift64: good enough to toss coins, the same on every machine. */
static uint64_t next_random(struct can_hub *hub)
{
	uint64_t x = hub->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	hub->random = x;
	return x;
}

static bool toss(struct can_hub *hub, uint32_t probability_ppm)
{
	if (probability_ppm >= CAN_FAULT_ALWAYS)
		return true;
	return (next_random(hub) >> 32) * CAN_FAULT_ALWAYS >> 32 < probability_ppm;
}

/* Of `receivers` those that the rule concerns; 0: it does not apply. No random number is drawn here. */
static uint64_t concerned(const struct can_hub *hub, const struct can_hub_fault *fault, unsigned sender,
			  const struct can_frame *f, uint64_t receivers)
{
	const struct can_fault *r = &fault->rule;

	if (!fault->is_used || (f->can_id & r->mask) != (r->id & r->mask))
		return 0;
	if (r->from && !(r->from & (uint64_t)1 << sender))
		return 0;
	if (hub->now_us < r->since_us || (r->until_us && hub->now_us >= r->until_us))
		return 0;
	return r->to ? receivers & r->to : receivers;
}

static void corrupt(struct can_hub *hub, const struct can_fault *r, struct can_frame *f)
{
	static const uint8_t no_mask[8];
	unsigned i, bit;

	if (memcmp(r->set_mask, no_mask, sizeof(no_mask)) != 0) {
		for (i = 0; i < f->can_dlc; i++)
			f->data[i] = (uint8_t)((f->data[i] & ~r->set_mask[i]) |
					       (r->set_value[i] & r->set_mask[i]));
	} else if (f->can_dlc > 0 && !(f->can_id & CAN_RTR_FLAG)) {
		bit = (unsigned)(next_random(hub) >> 32) % (8u * f->can_dlc);
		f->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void delay(struct can_hub *hub, unsigned idx, unsigned sender, const struct can_frame *f,
		  uint64_t receivers)
{
	const struct can_fault *r = &hub->fault[idx].rule;
	struct can_hub_delayed d;

	d.due_us = hub->now_us + r->delay_us;
	d.seq = 0;
	d.sender = (uint8_t)sender;
	d.next_fault = (uint8_t)(idx + 1);
	d.held_by = (uint8_t)(r->kind == CAN_FAULT_REORDER ? idx : CAN_HUB_FAULTS);
	d.receivers = receivers;
	d.frame = *f;
	can_hub_delay(hub, &d);
	can_hub_update_due(hub);
}

/* The frame this rule holds back, into *d. */
static bool take_held(struct can_hub *hub, unsigned idx, struct can_hub_delayed *d)
{
	unsigned i;

	for (i = 0; i < hub->n_delayed; i++) {
		if (hub->delayed[i].held_by != idx)
			continue;
		*d = take_delayed(hub, i);
		can_hub_update_due(hub);
		return true;
	}
	return false;
}

/* One rule hit. Returns the receivers that the frame as it is still has to go to. */
static uint64_t apply(struct can_hub *hub, unsigned idx, unsigned sender, const struct can_frame *f,
		      uint64_t receivers, uint64_t hit)
{
	const struct can_fault *r = &hub->fault[idx].rule;
	struct can_frame changed = *f;

	switch (r->kind) {
	case CAN_FAULT_LOSE:
		break;
	case CAN_FAULT_DELAY:
	case CAN_FAULT_REORDER:
		delay(hub, idx, sender, f, hit);
		break;
	case CAN_FAULT_DUPLICATE:
		if (r->delay_us > 0) {
			delay(hub, idx, sender, f, hit);
			return receivers;
		}
		can_hub_fault_pass(hub, idx + 1, sender, f, receivers);
		can_hub_fault_pass(hub, idx + 1, sender, f, hit);
		return 0;
	case CAN_FAULT_CORRUPT:
		corrupt(hub, r, &changed);
		can_hub_fault_pass(hub, idx + 1, sender, &changed, hit);
		break;
	}
	return receivers & ~hit;
}

/* Depth of recursion: at most the number of rules, as each call starts behind the rule that made it. */
void can_hub_fault_pass(struct can_hub *hub, unsigned first_fault, unsigned sender, const struct can_frame *f,
			uint64_t receivers)
{
	struct can_hub_delayed held;
	struct can_hub_fault *fault;
	uint64_t hit;
	unsigned i;

	for (i = first_fault; i < hub->n_faults && receivers; i++) {
		fault = &hub->fault[i];
		hit = concerned(hub, fault, sender, f, receivers);
		if (!hit)
			continue;
		if (fault->rule.kind == CAN_FAULT_REORDER && take_held(hub, i, &held)) {
			can_hub_fault_pass(hub, i + 1, sender, f, receivers);
			perform(hub, &held);
			return;
		}
		if ((fault->rule.max_hits && fault->n_hits >= fault->rule.max_hits) ||
		    !toss(hub, fault->rule.probability_ppm))
			continue;
		fault->n_hits++;
		receivers = apply(hub, i, sender, f, receivers, hit);
	}
	if (receivers)
		can_hub_put(hub, sender, f, receivers);
}

int can_hub_add_fault(struct can_hub *hub, const struct can_fault *fault)
{
	unsigned i;

	if (fault->probability_ppm > CAN_FAULT_ALWAYS || fault->delay_us < 0)
		return -EINVAL;
	if (fault->kind == CAN_FAULT_REORDER && fault->delay_us == 0)
		return -EINVAL;
	for (i = 0; i < CAN_HUB_FAULTS && hub->fault[i].is_used; i++)
		;
	if (i == CAN_HUB_FAULTS)
		return -ENOSPC;
	hub->fault[i].rule = *fault;
	hub->fault[i].is_used = true;
	hub->fault[i].n_hits = 0;
	if (hub->n_faults <= i)
		hub->n_faults = i + 1;
	return (int)i;
}

uint32_t can_hub_fault_hits(const struct can_hub *hub, int handle)
{
	return handle >= 0 && handle < CAN_HUB_FAULTS ? hub->fault[handle].n_hits : 0;
}

void can_hub_remove_fault(struct can_hub *hub, int handle)
{
	unsigned i;

	if (handle < 0 || handle >= CAN_HUB_FAULTS)
		return;
	hub->fault[handle].is_used = false;
	for (i = 0; i < hub->n_delayed; i++) /* a later rule in this place must not find them */
		if (hub->delayed[i].held_by == handle)
			hub->delayed[i].held_by = CAN_HUB_FAULTS;
	while (hub->n_faults > 0 && !hub->fault[hub->n_faults - 1].is_used)
		hub->n_faults--;
}

void can_hub_remove_faults(struct can_hub *hub)
{
	int i;

	for (i = 0; i < CAN_HUB_FAULTS; i++)
		can_hub_remove_fault(hub, i);
}
