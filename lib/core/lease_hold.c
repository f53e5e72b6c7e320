/* SPDX-License-Identifier: MIT */
/*
 * The point's half of a lease. Pure.
 *
 * Numbers of one process follow each other without gaps, so that the age of a number, counted in reports, says
 * whether it is remembered and which of two is the later one; a wrap of the numbers does not show.
 */
#include "lib/core/lease_hold.h"

#include <string.h>

#include <forecourt/units.h>

void lease_hold_init(struct lease_hold *h, int32_t safe_mA, uint32_t first_number)
{
	memset(h, 0, sizeof(*h));
	h->safe_mA = safe_mA;
	h->reaction_us = LEASE_HOLD_REACTION_US;
	h->number = (first_number - 1) & LEASE_HOLD_NUMBER_MASK;
}

/* In reports before the last one; a number that was not sent yet comes out very old. */
static uint32_t age_of(const struct lease_hold *h, uint32_t number)
{
	return (h->number - number) & LEASE_HOLD_NUMBER_MASK;
}

static int32_t allowed_mA(const struct lease_hold *h)
{
	return h->has_grant ? h->charge_mA : h->safe_mA;
}

/* The most that was allowed within the last reaction time, or more. */
static int32_t bound_mA(const struct lease_hold *h, int64_t now_us)
{
	return now_us < h->fall_until_us ? fc_max_i32(allowed_mA(h), h->fall_mA) : allowed_mA(h);
}

/* Call before `mA` takes the place of what was allowed. */
static void begin_fall(struct lease_hold *h, int64_t now_us, int32_t mA)
{
	if (mA >= allowed_mA(h))
		return;
	h->fall_mA = bound_mA(h, now_us);
	h->fall_until_us = now_us + h->reaction_us;
}

bool lease_hold_tick(struct lease_hold *h, int64_t now_us)
{
	if (!h->has_grant || now_us < h->until_us)
		return false;
	/* The fall began when the lease ended, however late we look. */
	begin_fall(h, h->until_us, h->safe_mA);
	h->has_grant = false;
	h->n_expired++;
	return true;
}

uint32_t lease_hold_report(struct lease_hold *h, int64_t now_us, uint8_t *ack_age, uint8_t *ack_revision)
{
	uint32_t age;

	lease_hold_tick(h, now_us);
	h->number = (h->number + 1) & LEASE_HOLD_NUMBER_MASK;
	h->sent_us[h->number % LEASE_HOLD_MEMORY] = now_us;
	if (h->n_known < LEASE_HOLD_MEMORY)
		h->n_known++;
	age = age_of(h, h->grant_number);
	/* All that is remembered is later than the grant, then: nothing to compare with any more. */
	if (age >= LEASE_HOLD_MEMORY)
		h->has_taken = false;
	if (!h->has_started) {
		h->has_started = true;
		h->ack_from_us = now_us + h->reaction_us;
	}
	*ack_age = LEASE_HOLD_NO_ACK;
	*ack_revision = 0;
	if (h->has_grant && now_us >= h->ack_from_us && age < LEASE_HOLD_NO_ACK) {
		*ack_age = (uint8_t)age;
		*ack_revision = h->grant_revision;
	}
	return h->number;
}

static enum lease_hold_verdict judge(const struct lease_hold *h, int64_t now_us, uint32_t number,
				     uint8_t revision, int64_t duration_us)
{
	uint32_t age = age_of(h, number), taken = age_of(h, h->grant_number);

	if (age >= h->n_known)
		return LEASE_UNKNOWN_NUMBER;
	if (h->has_taken && (age > taken || (age == taken && revision <= h->grant_revision)))
		return LEASE_OVERTAKEN;
	if (now_us >= h->sent_us[number % LEASE_HOLD_MEMORY] + duration_us)
		return LEASE_TOO_LATE;
	return LEASE_TAKEN;
}

enum lease_hold_verdict lease_hold_grant(struct lease_hold *h, int64_t now_us, uint32_t number,
					 uint8_t revision, int64_t duration_us, int32_t charge_mA,
					 int32_t discharge_mA)
{
	enum lease_hold_verdict verdict = LEASE_BAD;

	lease_hold_tick(h, now_us);
	if (duration_us > 0 && duration_us <= LEASE_HOLD_LONGEST_US && charge_mA >= 0 && discharge_mA >= 0)
		verdict = judge(h, now_us, number, revision, duration_us);
	h->n_verdicts[verdict]++;
	if (verdict != LEASE_TAKEN)
		return verdict;
	begin_fall(h, now_us, charge_mA);
	h->has_grant = h->has_taken = true;
	h->grant_number = number;
	h->grant_revision = revision;
	h->charge_mA = charge_mA;
	h->discharge_mA = discharge_mA;
	h->until_us = h->sent_us[number % LEASE_HOLD_MEMORY] + duration_us;
	return LEASE_TAKEN;
}

int32_t lease_hold_charge_mA(const struct lease_hold *h, int64_t now_us)
{
	return h->has_grant && now_us < h->until_us ? h->charge_mA : h->safe_mA;
}

int32_t lease_hold_discharge_mA(const struct lease_hold *h, int64_t now_us)
{
	return h->has_grant && now_us < h->until_us ? h->discharge_mA : 0;
}

int32_t lease_hold_may_draw_mA(struct lease_hold *h, int64_t now_us)
{
	int64_t steps;

	lease_hold_tick(h, now_us);
	steps = ((int64_t)bound_mA(h, now_us) + LEASE_HOLD_WIRE_STEP_mA - 1) / LEASE_HOLD_WIRE_STEP_mA;
	return fc_clamp_i32(steps * LEASE_HOLD_WIRE_STEP_mA, 0, INT32_MAX);
}

void lease_hold_followed(struct lease_hold *h, int64_t now_us)
{
	lease_hold_tick(h, now_us);
	h->fall_until_us = now_us;
	/* Nor is there anything left of what an earlier process had allowed. */
	h->has_started = true;
	h->ack_from_us = now_us;
}

int64_t lease_hold_next_us(const struct lease_hold *h)
{
	return h->has_grant ? h->until_us : FC_NEVER;
}
