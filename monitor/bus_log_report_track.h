/* SPDX-License-Identifier: MIT */
/*
 * Many quantities over time in a bounded number of columns. A column keeps the lowest and the highest value, so that
 * no peak is lost. Columns of the middle become twice as wide whenever they do not fit any more; the first and the
 * last minute stay in steps of 100 ms, because that is where a session negotiates, tests and ends. Pure, but for
 * the allocation of the memory.
 */
#ifndef MONITOR_BUS_LOG_REPORT_TRACK_H
#define MONITOR_BUS_LOG_REPORT_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "monitor/mon_model.h"

#define REPORT_UNIT_US	 INT64_C(100000) /* finest column; x of all plots is in these units */
#define REPORT_N_SERIES	 18
#define REPORT_N_COLUMNS 2048 /* of the whole: between half of them and all of them are in use */
#define REPORT_N_FINE	 600  /* of the first and the last minute */

struct report_range {
	int32_t low, high; /* both MON_UNKNOWN: nobody said */
};

struct report_lane {
	bool is_ring;	/* keeps the last n_slots columns instead of the first */
	bool is_scaled; /* widens its columns instead of dropping any */
	bool is_over;	/* all columns are filled */
	uint32_t n_slots;
	int64_t width;		   /* of a column, in units */
	int64_t last;		   /* column being filled; -1: none yet */
	struct report_range *cell; /* [slot * REPORT_N_SERIES + series] */
};

struct report_track {
	int64_t begin_us;
	int32_t held[REPORT_N_SERIES]; /* what is said until somebody says otherwise */
	struct report_lane head, whole, tail;
};

/* The finished table: n columns from begin[i] to begin[i + 1] (the last to `end`), in units since the track's begin. */
struct report_columns {
	uint32_t n;
	int64_t end;
	int64_t *begin;
	unsigned n_used;	      /* quantities that were ever known */
	int8_t slot[REPORT_N_SERIES]; /* -1: never known */
	struct report_range *cell;    /* [slot * n + column] */
};

/* NULL: no memory. */
struct report_track *report_track_create(int64_t begin_us);
void report_track_destroy(struct report_track *t);
/* From now_us on the quantity has this value; MON_UNKNOWN: nobody knows it any more. Times never go backwards. */
void report_track_set(struct report_track *t, int64_t now_us, unsigned series, int32_t value);
/* Table from the begin to end_us, at least one column; the track is used up. NULL: no memory. */
struct report_columns *report_track_finish(struct report_track *t, int64_t end_us);

void report_columns_destroy(struct report_columns *c);
/* Half as many columns, each twice as wide. */
void report_columns_halve(struct report_columns *c);
/* Lowest and highest value of all columns; both MON_UNKNOWN when it was never known. */
struct report_range report_columns_range(const struct report_columns *c, unsigned series);
/* Column i of a quantity. */
struct report_range report_columns_at(const struct report_columns *c, unsigned series, uint32_t i);

#endif
