/* SPDX-License-Identifier: MIT */
/*
 * History of the plotted quantities of one point: the last minute in steps of 200 ms, and the whole session in as
 * many steps, each twice as long whenever they do not fit any more. A step keeps lowest, highest and last value, so
 * that no peak is lost. Pure.
 */
#ifndef MONITOR_MON_HISTORY_H
#define MONITOR_MON_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#define MON_HISTORY_LEN	    300 /* more than the widest plot has columns of dots */
#define MON_HISTORY_STEP_US INT64_C(200000)

enum mon_series { MON_SERIES_mV, MON_SERIES_mA, MON_SERIES_W, MON_SERIES_SOC_permille, MON_N_SERIES };
enum mon_span { MON_SPAN_MINUTE, MON_SPAN_SESSION, MON_N_SPANS };

struct mon_step {
	int32_t low, high, last; /* MON_UNKNOWN in all three: nothing was heard in this step */
};

/* The same as it is kept, in steps of mon_history.c that no plot can show: a pistol has 2400 of them. */
struct mon_step_kept {
	int16_t low, high, last;
};

struct mon_track {
	int64_t begin_us; /* of step `first` */
	int64_t step_us;
	uint32_t first, n; /* steps used: (first + i) % MON_HISTORY_LEN for i < n */
	bool is_closed;	   /* the session is over: nothing is added until the next begins */
	struct mon_step_kept step[MON_N_SERIES][MON_HISTORY_LEN];
};

struct mon_history {
	struct mon_track track[MON_N_SPANS];
};

/* Touches no step: those are written when time reaches them. */
void mon_history_init(struct mon_history *h, int64_t now_us);
/* A new session: its track starts again; the minute goes on. Before the first one it runs from init. */
void mon_history_begin_session(struct mon_history *h, int64_t now_us);
/* Its track stays as it is until the next begins. */
void mon_history_end_session(struct mon_history *h);
void mon_history_add(struct mon_history *h, int64_t now_us, enum mon_series series, int32_t value);
/* Lets time pass without a value. */
void mon_history_advance(struct mon_history *h, int64_t now_us);
/*
 * Step i of n (oldest first) of a span, and how long a step is. Rounded to 0.1 V, 0.1 A, 200 W, 0.1 %; beyond
 * 3.2 kV, 3.2 kA or 6.5 MW it is cut there.
 */
struct mon_step mon_history_step(const struct mon_history *h, enum mon_span span, enum mon_series series,
				 uint32_t i);

#endif
