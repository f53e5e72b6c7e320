/* SPDX-License-Identifier: MIT */
/*
 * What a point and its site say to each other, as one record per report and one per grant: frames of
 * dbc/site.dbc on one side, named values for a text form (JSON) on the other. Pure.
 *
 * A record holds the parts (messages) that came together; one of them is its key: Point_Report or Grant.
 * Values keep the resolution of the wire: what the wire cannot carry exactly is refused, nothing is rounded,
 * so that a record is the same after any number of gateways.
 */
#ifndef GATEWAYS_GATE_RECORD_H
#define GATEWAYS_GATE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "site_msgs.h"

#define GATE_N_PARTS	6 /* SITE_POINT_REPORT .. SITE_GRANT_REASON: these numbers are the parts */
#define GATE_MAX_FRAMES 4 /* of one record */

#define GATE_PART(msg) (1u << (msg))
#define GATE_REPORT_PARTS                                                                              \
	(GATE_PART(SITE_POINT_REPORT) | GATE_PART(SITE_POINT_DEMAND) | GATE_PART(SITE_POINT_SESSION) | \
	 GATE_PART(SITE_POINT_METER))
#define GATE_GRANT_PARTS (GATE_PART(SITE_GRANT) | GATE_PART(SITE_GRANT_REASON))

struct gate_record {
	uint32_t parts; /* GATE_PART() of what is there */
	struct site_point_report report;
	struct site_point_demand demand;
	struct site_point_session session;
	struct site_point_meter meter;
	struct site_grant grant;
	struct site_grant_reason reason;
};

/* How one signal is called and counted outside of the bus. */
struct gate_key {
	enum site_msg part;
	const char *name;   /* "energy_wanted_Wh" */
	const char *member; /* of the part's struct */
	int32_t unit;	    /* named value = member x unit */
	bool is_bool;
	int32_t none; /* member value that means "unknown"; -1: there is none */
};

extern const struct gate_key gate_keys[];
extern const size_t gate_n_keys;

/*
 * Name of a part inside a record's text: "demand"; NULL for the two key parts, which are the record itself.
 */
const char *gate_part_name(enum site_msg part);

/* The part of a frame and its number on the bus, or -1: not a frame of these, or too short. */
int gate_frame_part(const struct can_frame *f, unsigned *index);
/* Puts the frame's part into the record. The caller has asked gate_frame_part(). */
void gate_record_put(struct gate_record *r, enum site_msg part, const struct can_frame *f);
/* The parts of the record as frames with that number, key first; returns how many. */
size_t gate_record_frames(const struct gate_record *r, unsigned index, struct can_frame f[GATE_MAX_FRAMES]);

/* False: unknown. */
bool gate_key_read(const struct gate_key *k, const struct gate_record *r, int64_t *value);
/*
 * 0, or -ERANGE: not within what the wire carries, or between its steps. The record's part must be announced
 * by the caller.
 */
int gate_key_write(const struct gate_key *k, struct gate_record *r, int64_t value);
/* -EINVAL where the wire has no "unknown". */
int gate_key_write_unknown(const struct gate_key *k, struct gate_record *r);
/* Name of a value, or NULL; and its number, or -1. For keys with names (state, reason). */
const char *gate_key_value_name(const struct gate_key *k, int64_t value);
int64_t gate_key_value_number(const struct gate_key *k, const char *name);
bool gate_key_has_names(const struct gate_key *k);

#endif
