/* SPDX-License-Identifier: MIT */
/*
 * The point's half of a lease (site-ctrl/lease.h has the site's, docs/leases.md the argument): numbers its reports,
 * takes or refuses grants, and says what the point may draw now. Pure. Used by evse-ctrl for each pistol, by gateways
 * and by simulated points.
 *
 * Once a second, and when something changed, but not within 250 ms of the last one:
 *
 *     r.number = lease_hold_report(h, now_us, &r.ack_age, &r.ack_revision);
 *     r.may_draw_mA = lease_hold_may_draw_mA(h, now_us);
 *
 * and in every cycle of the point: the draw is held to lease_hold_charge_mA(). Time is a monotonic clock that may be
 * wrong by 1 %; a machine that drives a point does not sleep.
 */
#ifndef CORE_LEASE_HOLD_H
#define CORE_LEASE_HOLD_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Reports remembered, a power of two: at four a second those of the last 16 s, at one a second more than any lease.
 * A grant that answers an older one is refused.
 */
#define LEASE_HOLD_MEMORY	64
#define LEASE_HOLD_NUMBER_MASK	0xffffffu
#define LEASE_HOLD_LONGEST_US	INT64_C(30000000) /* 15 units of 2 s, as the wire can say */
#define LEASE_HOLD_MIN_GAP_US	INT64_C(250000)	  /* between two reports */
#define LEASE_HOLD_NO_ACK	255
#define LEASE_HOLD_WIRE_STEP_mA 100 /* of May_Draw and of grants */
/* IEC 61851-1: a vehicle follows a new duty cycle within 5 s; 2 % more by a clock that may be fast. */
#define LEASE_HOLD_REACTION_US INT64_C(5100000)

enum lease_hold_verdict {
	LEASE_TAKEN,
	LEASE_UNKNOWN_NUMBER, /* not ours, or too old */
	LEASE_TOO_LATE,	      /* the lease was over when it came */
	LEASE_OVERTAKEN,      /* a later one was taken, or this one twice */
	LEASE_BAD,	      /* duration 0 or over the longest, a negative current */
	LEASE_N_VERDICTS,
};

struct lease_hold {
	int32_t safe_mA;
	int64_t reaction_us;		    /* LEASE_HOLD_REACTION_US after init */
	uint32_t number;		    /* of the last report */
	uint32_t n_known;		    /* reports remembered, this one and those before it */
	int64_t sent_us[LEASE_HOLD_MEMORY]; /* of each, by number modulo LEASE_HOLD_MEMORY */
	bool has_grant;			    /* in force, until until_us */
	bool has_taken;	  /* grant_number and grant_revision are of the last one taken, which is remembered */
	bool has_started; /* the first report has left */
	uint8_t grant_revision; /* of the last one taken */
	uint32_t grant_number;
	int32_t charge_mA, discharge_mA;
	int64_t until_us;
	/* What was allowed before the last lowering, and until when the draw may still be there. */
	int32_t fall_mA;
	int64_t fall_until_us;
	int64_t ack_from_us; /* nothing is acknowledged before: an earlier process may have allowed more */
	uint32_t n_verdicts[LEASE_N_VERDICTS];
	uint32_t n_expired;
};

/*
 * The first number of a process: quarter seconds since the machine was booted, from a base that is the same for all
 * processes of one boot. The wall clock has no part in it: it may be set back. The first report leaves 250 ms after
 * the clock was read at the soonest, so that whoever starts later begins behind all numbers used before.
 */
static inline uint32_t lease_hold_first_number(uint32_t boot, int64_t since_boot_us)
{
	return (boot + (uint32_t)((uint64_t)since_boot_us / (uint64_t)LEASE_HOLD_MIN_GAP_US)) &
	       LEASE_HOLD_NUMBER_MASK;
}

/* first_number: behind, modulo 2^24, all numbers of earlier processes whose frames may still be under way. */
void lease_hold_init(struct lease_hold *h, int32_t safe_mA, uint32_t first_number);
/*
 * A report leaves now: its number and what it acknowledges (age LEASE_HOLD_NO_ACK: nothing). Not more often than
 * every LEASE_HOLD_MIN_GAP_US. For one reaction time after the first report nothing is acknowledged.
 */
uint32_t lease_hold_report(struct lease_hold *h, int64_t now_us, uint8_t *ack_age, uint8_t *ack_revision);
enum lease_hold_verdict lease_hold_grant(struct lease_hold *h, int64_t now_us, uint32_t number,
					 uint8_t revision, int64_t duration_us, int32_t charge_mA,
					 int32_t discharge_mA);
/* Ends a lease that has run out; true when it just did. */
bool lease_hold_tick(struct lease_hold *h, int64_t now_us);
/* The most that may be drawn now: the grant in force, else the safe current. */
int32_t lease_hold_charge_mA(const struct lease_hold *h, int64_t now_us);
int32_t lease_hold_discharge_mA(const struct lease_hold *h, int64_t now_us);
/*
 * For the report: the most that may be drawn from now on until another grant is taken or the lease ends. After a
 * lowering that is what was allowed before, for one reaction time or until lease_hold_followed(). Rounded up to what the
 * wire can say.
 */
int32_t lease_hold_may_draw_mA(struct lease_hold *h, int64_t now_us);
/*
 * The draw is certain to be within lease_hold_charge_mA() and to stay there: the output is off, or a setpoint that the
 * source enforces was lowered and measured. Not for a vehicle that has just been told.
 */
void lease_hold_followed(struct lease_hold *h, int64_t now_us);
/* End of the grant in force; FC_NEVER: none. */
int64_t lease_hold_next_us(const struct lease_hold *h);

#endif
