/* SPDX-License-Identifier: MIT */
/*
 * Judges a simulated site by what is said and drawn at the points alone: no limit may be exceeded by the sum of what the
 * points may draw, nor by what they draw. Pure. Knows nothing of the site's ledger.
 *
 * What a point may draw: as its last report said, and from a grant that reaches it on what that grant allows, if that is
 * more. A grant is void when the lease, counted from the sending of the report that it answers, is over, and when a later
 * one (by the number of the report, then the revision) has reached the point before.
 */
#ifndef SIM_SIM_RUN_SITE_JUDGE_H
#define SIM_SIM_RUN_SITE_JUDGE_H

#include <stdint.h>

#include "site-ctrl/site_model.h"
#include "site_msgs.h"

#define SITE_JUDGE_REPORTS 64 /* remembered: more than a lease can be old */

struct site_judge_point {
	uint32_t number[SITE_JUDGE_REPORTS];
	int64_t sent_us[SITE_JUDGE_REPORTS];
	unsigned n;	/* reports so far */
	unsigned taken; /* report of the latest grant, counted from 1; 0: none */
	uint8_t taken_revision;
	int32_t may_draw_mA, drawn_mA;
	int32_t granted_mA;
	uint8_t state;
	uint64_t n_changes; /* of the grant */
	uint64_t n_pauses;  /* the state went from charging to waiting */
	int64_t paused_us;  /* FC_NEVER: not in a pause */
};

struct site_judge {
	const struct site_model *model;
	const int32_t *limit_mA; /* of each row, in force */
	struct site_judge_point *point;
	int64_t shortest_pause_us; /* 0: none has ended */
	uint64_t n_reports, n_grants, n_void;
	uint64_t n_violations;
	int64_t worst_mA, worst_us;
	uint32_t worst_row;
};

/* point: one for each of the model's. limit_mA is kept and read. */
void site_judge_init(struct site_judge *j, const struct site_model *m, const int32_t *limit_mA,
		     struct site_judge_point *point);
/* A frame leaves point i; a frame reaches it. Others than reports and grants are passed over. */
void site_judge_left(struct site_judge *j, uint32_t i, int64_t now_us, const struct can_frame *f);
void site_judge_reached(struct site_judge *j, uint32_t i, int64_t now_us, const struct can_frame *f);
/* What all points draw, in drawn_mA. */
void site_judge_draw(struct site_judge *j, int64_t now_us);

#endif
