/* SPDX-License-Identifier: MIT */
/*
 * The ledger: for every point the most that it may be drawing, whatever was lost, doubled, delayed or swapped on the
 * way and whoever was restarted. Pure. The argument is in docs/leases.md.
 *
 * How a lease works. A point numbers its reports. A grant answers one report: it names its number, and a revision
 * that counts the answers to the same number. The point takes a grant only if it remembers having sent that number,
 * if the lease, counted from the sending of that report by the point's own clock, has not run out, and if
 * (number, revision) is later than those of the last one taken. So a grant that comes late is short, one that comes
 * too late is void, and no clock is ever compared with another. Numbers belong to one process of the point: they
 * begin behind all numbers of earlier processes (from the quarter seconds since boot, at most four reports a second).
 *
 * What the site knows. It received the report after it was sent; so counted from the receiving, with 2.5 % for two
 * clocks that differ by up to 1 % each way, it never believes a lease to be over that is still in force. After the
 * lease the draw falls to the safe current within the reaction time. A report tells which grant is in force
 * (everything sent before that is void) and what the point may draw until the draw has followed; that is believed only
 * as far as it is less than what we count anyway, so a report never raises anything, however late it comes.
 * A report that acknowledges nothing, or a grant that we do not know of, voids nothing: a process that has just
 * started does not know what the one before it was allowed.
 *
 *     U_i = max(safe_i, what it said it may draw, every grant sent that may yet be accepted or still run)
 *
 * After its own start the site gives nothing for one longest lease and reaction: its former self may have promised
 * anything. Until then U is only what the points say.
 *
 * What may be granted. Make an aim that fits every row, where safe currents count, and a point that cannot be answered
 * now (lease_can_grant()) counts with its U. Then give at once, to everybody whose aim is less than
 * lease_will_draw_mA(), his aim; to others the lesser of the two whenever it suits: nothing is raised by that, and when
 * a limit fell the load is within it as soon as everything older has ended. More than that only as far as the sum of
 * all U, with lease_would_draw_mA() of the one who gets it, is within every row.
 */
#ifndef SITE_LEASE_H
#define SITE_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#define LEASE_UNIT_US	     INT64_C(2000000) /* of the grant's Duration */
#define LEASE_MAX_UNITS	     15
#define LEASE_NUMBER_MASK    0xffffffu
#define LEASE_REVISIONS	     16
#define LEASE_NO_ACK	     255
#define LEASE_WIRE_STEP_mA   100 /* grants are rounded down to it, and end at 65535 steps */
#define LEASE_WIRE_MAX_mA    6553500
#define LEASE_REACTION_US    INT64_C(5000000) /* IEC 61851-1: a vehicle follows a new duty cycle within 5 s */
#define LEASE_DRIFT_PERMILLE 25		      /* two clocks, each wrong by up to 1 %: 1.01 / 0.99 and some */
#define LEASE_MAX_GRANTS     24 /* remembered one by one; beyond that the two oldest count as one */

struct lease_sent {
	uint32_t number;
	uint8_t revision;
	int32_t charge_mA, discharge_mA;
	int64_t over_us; /* by our clock: not in force any more and the draw has followed */
};

struct lease_point {
	int32_t safe_mA;
	/* Newest report. */
	bool has_report;
	uint32_t number;
	int64_t report_us;
	uint8_t revision; /* of the next answer to it */
	/*
	 * All that counts, oldest first: the first n_acked - 1 are void and the draw may still have to follow, the
	 * next one is in force as the point said last, those after it were sent later.
	 */
	struct lease_sent grant[LEASE_MAX_GRANTS];
	uint8_t n_grants, n_acked;
};

struct lease_ledger {
	struct lease_point *point; /* n_points, the caller's */
	uint32_t n_points;
	int64_t duration_us; /* of every grant: whole units */
	int64_t longest_us;  /* that anyone ever gave to these points */
	int64_t reaction_us;
	int64_t start_us, quiet_until_us;
};

/* duration_us: rounded down to units, at least one. reaction_us: not less than that of any point. */
void lease_init(struct lease_ledger *l, struct lease_point *point, uint32_t n_points, int64_t duration_us,
		int64_t reaction_us, int64_t now_us);
/*
 * Shortens the quiet time, right after init: no lease longer than this was ever given to these points, by whatever process
 * and configuration. Not less than our own. Without it the longest that the wire can say is waited for.
 */
void lease_set_longest(struct lease_ledger *l, int64_t longest_us);
void lease_set_safe(struct lease_ledger *l, uint32_t i, int32_t safe_mA);

struct lease_report {
	uint32_t number;
	uint8_t ack_age; /* LEASE_NO_ACK: none */
	uint8_t ack_revision;
	int32_t may_draw_mA;
};

/*
 * False: older than one we have, doubled, or impossible; nothing changes then. A point that was silent for as long as
 * the quiet time may begin anywhere: nothing that it was granted is left.
 */
bool lease_report(struct lease_ledger *l, uint32_t i, const struct lease_report *r, int64_t now_us);
/* U: what point i may draw at worst now, in each direction, mA. */
int32_t lease_may_draw_mA(const struct lease_ledger *l, uint32_t i, int64_t now_us);
int32_t lease_may_discharge_mA(const struct lease_ledger *l, uint32_t i, int64_t now_us);
/* U if a grant of so much were sent now. */
int32_t lease_would_draw_mA(const struct lease_ledger *l, uint32_t i, int32_t charge_mA, int64_t now_us);
int32_t lease_would_discharge_mA(const struct lease_ledger *l, uint32_t i, int32_t discharge_mA,
				 int64_t now_us);
/* What U becomes when everything older than the newest grant has ended: that grant or the safe current. <= U. */
int32_t lease_will_draw_mA(const struct lease_ledger *l, uint32_t i, int64_t now_us);
int32_t lease_will_discharge_mA(const struct lease_ledger *l, uint32_t i, int64_t now_us);
/* False: no report to answer, it is too old for a lease, or its revisions are used up. */
bool lease_can_grant(const struct lease_ledger *l, uint32_t i, int64_t now_us);
/*
 * Books a grant, rounded down to what the wire can say; the caller has checked that it fits and sends exactly *sent.
 * -EAGAIN: it cannot be answered now; -EBUSY: quiet time.
 */
int lease_grant(struct lease_ledger *l, uint32_t i, int32_t charge_mA, int32_t discharge_mA, int64_t now_us,
		struct lease_sent *sent);
/* Next time at which some U falls by itself or the quiet time ends; FC_NEVER. */
int64_t lease_next_us(const struct lease_ledger *l, int64_t now_us);
/* Grant in force as far as we know, and when it ends by our clock; false: none. */
bool lease_in_force(const struct lease_ledger *l, uint32_t i, int64_t now_us, int32_t *charge_mA,
		    int64_t *until_us);

#endif
