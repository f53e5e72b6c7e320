/* SPDX-License-Identifier: MIT */
/*
 * Frames of dbc/site.dbc <-> what the site knows and says. Pure. The 29-bit identifiers carry the number of
 * the point on its bus; 0 is the site itself.
 */
#ifndef SITE_SITE_WIRE_H
#define SITE_SITE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/can.h>

#include "site-ctrl/lease.h"
#include "site_msgs.h"

#define SITE_WIRE_STEP_mA    100 /* of currents */
#define SITE_WIRE_MAX_mA     6553500
#define SITE_WIRE_MAX_NUMBER 31	    /* of a point on its bus */
#define SITE_WIRE_NONE	     0xffff /* no row, no node, unknown energy or departure */
#define SITE_WIRE_FILTERS    5

/* The newest word of a point, each part with its time; ALLOC_UNKNOWN: never heard. */
struct site_heard {
	int64_t report_us, demand_us, session_us, meter_us;
	uint8_t state; /* enum site_point_report_state, or a number that we do not know */
	bool is_local, is_restarted;
	uint8_t soc_percent;	/* 255: unknown */
	uint8_t priority;	/* class of the session */
	uint16_t energy_100Wh;	/* still wanted; SITE_WIRE_NONE: unknown */
	uint16_t departure_min; /* from session_us; SITE_WIRE_NONE: unknown */
	uint16_t plugged_10s;	/* at session_us */
	int32_t requested_mA, present_mA, maximum_mA, minimum_mA;
	int32_t max_discharge_mA, voltage_mV;
	uint32_t energy_session_10Wh;
};

void site_wire_forget(struct site_heard *h);
/* What the site listens to, on any of its buses. Returns how many, at most n. */
size_t site_wire_filters(struct can_filter *f, size_t n);
/* enum site_msg of a data frame, or -1: not of this interface. *number: of the point. */
int site_wire_find(const struct can_frame *f, unsigned *number);
/*
 * Takes one frame of a point. 1: a Point_Report, *r is for the ledger (h is untouched until
 * site_wire_report()); 0: another part of a report, taken; -EINVAL: too short, or nothing that points send.
 */
int site_wire_take(struct site_heard *h, int64_t now_us, int msg, const struct can_frame *f,
		   struct site_point_report *report, struct lease_report *r);
/* The ledger accepted that report: it counts. */
void site_wire_report(struct site_heard *h, int64_t now_us, const struct site_point_report *report);

/* Frames of ours. Currents beyond the wire's range are cut; the rest is exact for multiples of 0.1 A. */
void site_wire_grant(struct can_frame *f, unsigned number, const struct lease_sent *sent,
		     int64_t duration_us);
void site_wire_reason(struct can_frame *f, unsigned number, const struct site_grant_reason *reason);
void site_wire_row(struct can_frame *f, uint32_t row, int64_t drawn_mA, int64_t taken_mA, int64_t limit_mA);
void site_wire_status(struct can_frame *f, const struct site_status *status);
/* Rounded down to what the wire can say. */
static inline int32_t site_wire_floor_mA(int32_t mA)
{
	return mA <= 0			? 0
	       : mA >= SITE_WIRE_MAX_mA ? SITE_WIRE_MAX_mA
					: mA / SITE_WIRE_STEP_mA * SITE_WIRE_STEP_mA;
}

#endif
