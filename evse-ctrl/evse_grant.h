/* SPDX-License-Identifier: MIT */
/*
 * The point's half of a site: reports and grants as frames (dbc/site.dbc), the lease between them
 * (lib/core/lease_hold), an honest upper bound of the draw, and the conversion between what a DC output
 * gives and what its supply has to carry. Pure, and without any knowledge of the charging session: currents
 * are mA of one supply conductor, positive towards the vehicle, so an AC point or a range mode with feeding
 * back uses the same calls with other facts.
 *
 * Clock: the point's own, monotonic. Nothing here compares two clocks; the first number of a process comes
 * from outside (see lease_hold_first_number()).
 */
#ifndef EVSE_GRANT_H
#define EVSE_GRANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/can.h>

#include "lib/core/deadline.h"
#include "lib/core/lease_hold.h"
#include "site_msgs.h"

#define EVSE_GRANT_N_FRAMES  4				/* of a report at most */
#define EVSE_GRANT_PERIOD_US (1 * (int64_t)FC_US_PER_S) /* of reports, dbc/site.dbc */
#define EVSE_GRANT_FIRST_US \
	(300 * (int64_t)FC_US_PER_MS) /* first report after the start: lease_hold_first_number() */
#define EVSE_GRANT_RESTARTED_US (60 * (int64_t)FC_US_PER_S) /* Is_Restarted is told so long */
/* After a lowering only a sample that is so much newer than it can show that the draw has followed. */
#define EVSE_GRANT_SETTLE_US (200 * (int64_t)FC_US_PER_MS)

/* --- supply <-> DC output ----------------------------------------------------------------------------- */

struct evse_supply {
	int32_t voltage_mV;	     /* three phases: between two conductors; one phase: across the load */
	int32_t n_phases;	     /* 1 or 3 */
	int32_t efficiency_permille; /* lowest of the power stack in use, 1..1000 */
	int32_t no_load_mA;	     /* drawn besides, while the power modules run */
};

/*
 * Power at the DC output for which the supply carries at most supply_mA; rounded down, 0 below the no-load
 * current.
 */
int32_t evse_supply_dc_W(const struct evse_supply *s, int32_t supply_mA);
/*
 * The other way: supply current at most, of so much DC power; rounded up. 0 W and less: the no-load
 * current.
 */
int32_t evse_supply_draw_mA(const struct evse_supply *s, int64_t dc_mW);
/*
 * Fed back into the supply at most, of so much power taken from the vehicle (> 0); without losses, rounded
 * up.
 */
int32_t evse_supply_feed_mA(const struct evse_supply *s, int64_t dc_mW);
/* Power from the vehicle for which at most supply_mA are fed back; rounded down. */
int32_t evse_supply_feed_W(const struct evse_supply *s, int32_t supply_mA);

/* --- reports and grants ------------------------------------------------------------------------------- */

#define EVSE_GRANT_UNKNOWN INT64_MIN

/* What a report says besides what the lease knows. */
struct evse_grant_facts {
	uint8_t state; /* enum site_point_report_state */
	bool is_local; /* taken out of the site's hand by the operator */
	bool has_vehicle;
	int32_t requested_mA, present_mA, maximum_mA, minimum_mA;
	int32_t discharge_maximum_mA;
	int32_t output_voltage_mV;
	int64_t energy_wanted_Wh; /* at the supply; EVSE_GRANT_UNKNOWN */
	int64_t energy_session_Wh;
	int64_t departure_us; /* own clock; EVSE_GRANT_UNKNOWN */
	int64_t plugged_us;
	int32_t soc_percent; /* below 0: unknown */
	uint8_t priority;
};

/* Reading of the draw, in supply mA. */
struct evse_grant_draw {
	int32_t mA;
	int64_t sampled_us;
	bool is_fresh;	 /* false: mA says nothing */
	bool is_powered; /* current may be commanded now */
};

enum evse_grant_event {
	EVSE_GRANT_OTHER,   /* not a frame of the site to this point: nothing was done */
	EVSE_GRANT_DROPPED, /* of the site, but malformed, late, doubled or overtaken: counted */
	EVSE_GRANT_TAKEN,
	EVSE_GRANT_WHY, /* the reason of a grant */
};

struct evse_grant {
	struct lease_hold hold;
	uint8_t index;
	bool is_local;
	int64_t start_us;
	struct grid cycle; /* of reports */
	int64_t report_us; /* last one; FC_NEVER: none yet */
	bool is_due;	   /* something important changed since */
	/* Upper bound of the draw. */
	int32_t allowed_mA, may_draw_mA;
	int64_t lowered_us; /* not yet seen to have followed since then; FC_NEVER: it has */
	uint32_t n_expired; /* as seen by evse_grant_expire() */
	/* As told in the last report. */
	uint8_t told_state;
	int32_t told_may_draw_mA, told_ack_mA;
	/* Newest Grant_Reason. */
	struct site_grant_reason why;
	bool has_why;
	uint32_t n_malformed, n_reports;
};

/* index 1..31. first_number: lease_hold_first_number() at the start of the process. */
void evse_grant_init(struct evse_grant *g, unsigned index, int32_t safe_mA, uint32_t first_number,
		     int64_t now_us);
/* Exact receive filters; returns how many. */
size_t evse_grant_filters(const struct evse_grant *g, struct can_filter *f, size_t n);
enum evse_grant_event evse_grant_rx(struct evse_grant *g, int64_t now_us, const struct can_frame *f);
/* Ends a lease that ran out; true when it just did. */
bool evse_grant_expire(struct evse_grant *g, int64_t now_us);
/* The most that may be drawn, and fed back, now. */
int32_t evse_grant_allowed_mA(const struct evse_grant *g, int64_t now_us);
int32_t evse_grant_feed_mA(const struct evse_grant *g, int64_t now_us);
/*
 * Keeps the upper bound of the draw; call after every grant and in every cycle, with the set point that
 * belongs to the grant already commanded.
 */
void evse_grant_follow(struct evse_grant *g, int64_t now_us, const struct evse_grant_draw *draw);
/*
 * The frames of a report into f[], in the order in which they leave; 0 when none is due: once a second, and
 * at once (LEASE_HOLD_MIN_GAP_US after the last one) when the state, the bound or the grant in force has
 * changed.
 */
unsigned evse_grant_report(struct evse_grant *g, int64_t now_us, const struct evse_grant_facts *facts,
			   struct can_frame f[EVSE_GRANT_N_FRAMES]);
int64_t evse_grant_next_us(const struct evse_grant *g);
/* Frames that were refused: malformed, unknown number, late, overtaken. */
uint32_t evse_grant_n_dropped(const struct evse_grant *g);
const char *evse_grant_reason_name(uint8_t reason);
const char *evse_grant_state_name(uint8_t state);

#endif
