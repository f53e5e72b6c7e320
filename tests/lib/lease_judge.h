/* SPDX-License-Identifier: MIT */
/*
 * The independent judge of leases: an onlooker who sees the frames that charge points send and are delivered, and the
 * limits, and works out for every instant what each point may draw at most. It shares no code with ledger and hold.
 *
 * What it takes for granted: a point keeps to the last grant it took, by clocks wrong by up to 1 %, and the draw follows
 * a lowering within the reaction time, or by the time that a report under the new grant says so. It knows of no
 * restarts: whoever restarts may draw what the frames before allowed.
 *
 * What it demands: after each frame, and when the time to meet a fallen limit is over, every row carries at most the
 * largest limit that it had within that time.
 */
#ifndef TESTS_LEASE_JUDGE_H
#define TESTS_LEASE_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/can.h>

#define JUDGE_MAX_POINTS  64
#define JUDGE_MAX_ROWS	  24
#define JUDGE_MAX_REPORTS 128 /* remembered of each point: more than are sent within the longest lease */
#define JUDGE_MAX_CLAIMS  48
#define JUDGE_MAX_FALLS	  64

/* What a point may be drawing until then, and the grant that says so. */
struct judge_claim {
	uint64_t report; /* which of the point's reports it answers, counted from 1; 0: none any more */
	uint8_t revision;
	int32_t charge_mA, discharge_mA;
	int64_t until_us;
};

struct judge_point {
	int32_t safe_mA;
	uint64_t rows; /* bit mask */
	uint64_t n_reports;
	uint32_t number[JUDGE_MAX_REPORTS];
	int64_t sent_us[JUDGE_MAX_REPORTS];
	struct judge_claim claim[JUDGE_MAX_CLAIMS];
	unsigned n_claims;
	/* Last grant surely taken. */
	uint64_t taken_report;
	uint8_t taken_revision;
	/* Counted in the rows: never less than what may be drawn now. */
	int32_t charge_mA, discharge_mA;
};

struct judge_row {
	uint64_t points; /* bit mask */
	int32_t limit_mA, export_limit_mA;
	int64_t charge_mA, discharge_mA; /* sums of what is counted */
	/* Limits of before, until they must be met: largest first. */
	struct {
		int32_t mA;
		int64_t until_us;
	} fall[JUDGE_MAX_FALLS];
	unsigned n_falls;
	bool is_over;
	int64_t over_from_us;
};

struct lease_judge {
	unsigned n_points, n_rows;
	int64_t reaction_us, meet_us;
	struct judge_point point[JUDGE_MAX_POINTS];
	struct judge_row row[JUDGE_MAX_ROWS];
	/* The verdict. */
	uint64_t n_reports, n_grants, n_over;
	int64_t over_us;      /* sum over the rows of the time over the limit */
	int64_t worst_mA;     /* over a limit */
	uint64_t n_overflows; /* of the arrays above: the judge could not follow */
};

/* lease_us: the longest that a grant may say. */
void lease_judge_init(struct lease_judge *j, int64_t lease_us, int64_t reaction_us);
void lease_judge_add_row(struct lease_judge *j, int32_t limit_mA, int32_t export_limit_mA);
/* rows: bit mask of the rows that carry the point's current. */
void lease_judge_add_point(struct lease_judge *j, int32_t safe_mA, uint64_t rows);

/* All times are true ones and never go back. */
void lease_judge_limit(struct lease_judge *j, unsigned row, int32_t limit_mA, int64_t now_us);
/* A frame that point i sent, or that was delivered to it; others than reports and grants are passed over. */
void lease_judge_frame(struct lease_judge *j, unsigned i, const struct can_frame *f, int64_t now_us);
/* What point i may draw now. */
int32_t lease_judge_may_draw_mA(struct lease_judge *j, unsigned i, int64_t now_us);
int32_t lease_judge_may_discharge_mA(struct lease_judge *j, unsigned i, int64_t now_us);
/* Most that the row may carry now: the limit, or one that it had not long ago. */
int32_t lease_judge_allowed_mA(struct lease_judge *j, unsigned row, int64_t now_us);

#endif
