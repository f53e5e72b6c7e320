/* SPDX-License-Identifier: MIT */
/*
 * What the report knows of a log: sessions with their plots, states over time, messages, events, load of the bus.
 * Collected in one pass by bus_log_report_read.c, written as a page by bus_log_report_html.c. Everything is bounded;
 * what did not fit is counted.
 */
#ifndef MONITOR_BUS_LOG_REPORT_DATA_H
#define MONITOR_BUS_LOG_REPORT_DATA_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "monitor/bus_log_report_track.h"
#include "monitor/log_read.h"
#include "monitor/mon_model.h"

#define REPORT_N_SIDES	    2 /* by enum mon_side */
#define REPORT_MAX_SESSIONS 512
#define REPORT_MAX_PLOTTED  48	    /* sessions of one side that keep their plots */
#define REPORT_MAX_CELLS    1200000 /* of the tables of all finished sessions together */
#define REPORT_MAX_STATES   4096    /* changes of a point */
#define REPORT_MAX_EVENTS   1000    /* of either kind: warnings and faults, and the rest */
#define REPORT_MAX_LOST	    24	    /* silences of a message that are drawn */
#define REPORT_N_PRESENCE   256	    /* steps of a message's presence over the log */
#define REPORT_SILENT	    (-1)    /* instead of a state: the module was not heard */

/* Quantities of a session; the same names serve both sides. Magnitudes of limits; currents + = into the vehicle. */
enum report_series {
	REPORT_mV,	   /* charger output; at the vehicle: inlet */
	REPORT_BATTERY_mV, /* at the charger: what the vehicle told */
	REPORT_TARGET_mV,
	REPORT_CHARGER_MAX_mV,
	REPORT_VEHICLE_MAX_mV,
	REPORT_mA,
	REPORT_REQUEST_mA,
	REPORT_REQUEST_LOW_mA, /* lower end of the range; equal to the upper one in target mode */
	REPORT_CHARGER_MAX_mA,
	REPORT_VEHICLE_MAX_mA,
	REPORT_OCPP_mA,
	REPORT_CHARGER_BACK_mA, /* limits of discharging, as negative numbers */
	REPORT_VEHICLE_BACK_mA,
	REPORT_W,
	REPORT_SOC_permille,
	REPORT_TARGET_SOC_permille,
	REPORT_N_QUANTITIES,
};
_Static_assert(REPORT_N_QUANTITIES <= REPORT_N_SERIES, "a track holds all quantities");

struct report_cfg {
	const char *path;    /* of the log; "-": standard input */
	const char *channel; /* only this one; NULL: all */
	bool has_side[REPORT_N_SIDES];
	unsigned version[REPORT_N_SIDES];
	uint32_t bitrate;
	bool is_quiet; /* no progress on stderr, however long it takes */
};

struct report_change {
	int64_t time_us;
	int16_t state; /* or REPORT_SILENT */
};

struct report_states {
	struct report_change *list; /* REPORT_MAX_STATES */
	uint32_t n;
	uint64_t n_left_out;
};

struct report_silence {
	int64_t from_us, to_us;
};

/*
 * Distances between two frames of a message. A silence (longer than mon_stale_after_us()) is not one of them, and
 * neither is the pause of a message that is sent only in parts of a session.
 */
struct report_msg {
	uint64_t n;
	int64_t first_us, last_us;
	uint64_t n_gaps;
	double mean_us, square_us; /* mean, and sum of squares of the deviations from it */
	int64_t gap_max_us;	   /* silences included, pauses not */
	uint64_t n_silences;
	struct report_silence silence[REPORT_MAX_LOST];
	/* Where there was a frame: steps since the begin of the log, twice as long whenever they do not fit. */
	int64_t step_us;
	uint8_t is_there[REPORT_N_PRESENCE];
};

struct report_point {
	bool is_heard;
	int channel;		  /* of its first frame */
	uint64_t n_other_channel; /* frames that came on another one */
	struct report_states states;
	struct report_msg msg[MON_MAX_MSGS];
	int32_t now[REPORT_N_QUANTITIES];
	bool is_msg_lost[MON_MAX_MSGS];
	uint32_t
		forgotten; /* bit i: message i told of the vehicle before; its next frame counts even if it is the same */
	struct report_track *track; /* of the running session; NULL: none, or no place for its plots */
	bool is_in_session;
	bool is_power_due;
};

struct report_session {
	enum mon_side side;
	unsigned point;
	struct mon_session record;
	int64_t start_us, end_us;	/* end: of the log when it is still running */
	const char *protocol, *pins;	/* names of the database; "" unknown */
	const char *finished;		/* what the module said at the end; "" nothing */
	struct report_columns *columns; /* NULL: no plots are kept */
	int partner;			/* index of the session of the other side at the same plug, or -1 */
};

struct report_event {
	int64_t time_us;
	uint8_t side, point, severity;
	int session; /* index, or -1 */
	char text[MON_EVENT_TEXT];
};

struct report_side {
	struct report *report;
	enum mon_side side;
	struct mon_model *model; /* NULL: not asked for */
	struct report_point point[MON_N_POINTS];
	/* [message][field of the layout]: enum report_series and how to read the number */
	int8_t series[MON_MAX_MSGS][32];
	bool is_zero_unknown[MON_MAX_MSGS][32], is_negated[MON_MAX_MSGS][32];
	uint32_t msgs_with_series; /* bit i: message i carries a quantity */
	int state_msg, state_field;
	uint32_t n_plotted;
};

struct report_load {
	struct report_track *track; /* series: channel, permille of the bit rate in each second */
	struct report_columns *columns;
	int64_t second_us; /* begin of the second that is being filled */
	uint64_t bits[REPORT_N_SERIES];
	uint64_t n_frames[REPORT_N_SERIES]; /* of the whole log */
};

struct report {
	struct report_cfg cfg;
	struct log_reader *reader;
	char title[256]; /* name of the log without its folder */
	bool has_time;
	/*
	 * All times of the report are the log's plus zone_us, which makes its clock readable as UTC: 0 for times since
	 * 1970; dates without a time zone get back the hour that stands in the log.
	 */
	int64_t zone_us;
	int64_t begin_us, end_us; /* of the frames */
	int64_t tick_us;
	struct report_side side[REPORT_N_SIDES];
	struct report_session *session; /* by start once reading is done */
	uint32_t n_sessions;
	uint64_t n_sessions_left_out;
	struct report_event *event; /* by time once reading is done */
	uint32_t n_events, n_grave; /* n_grave: warnings and faults among n_events */
	uint64_t n_of_severity[4], n_events_left_out;
	uint64_t n_error_frames;
	struct report_load load;
	bool is_out_of_memory;
	int read_error; /* negative errno of reading; what came before it is reported */
};

/* Reads the whole log. `reader` is open and stays the caller's. 0 or -ENOMEM. */
int report_read(struct report *r, const struct report_cfg *cfg, struct log_reader *reader);
void report_free(struct report *r);

/* --- parts of the reading ------------------------------------------------------------------------------ */

/* Quantities: the map of messages to them, a new value, and what to do when a message is lost or back. */
void report_series_init(struct report_side *s);
void report_series_change(struct report_side *s, const struct mon_change *c);
void report_series_watch(struct report_side *s, unsigned point, int64_t now_us);
/* A vehicle has come: what was known of the one before is forgotten. */
void report_series_forget(struct report_side *s, unsigned point);
/* A frame of a message came; it may be one whose content was forgotten. */
void report_series_frame(struct report_side *s, unsigned point, unsigned msg, int64_t now_us);
void report_series_power(struct report_side *s, unsigned point, int64_t now_us);
/* Sessions: begin, end, and at the end of the log pairs of both sides, in order of their start. */
void report_session_begin(struct report_side *s, unsigned point, int64_t now_us);
void report_session_end(struct report_side *s, unsigned point, const struct mon_session *record,
			int64_t end_us);
void report_sessions_finish(struct report *r);
/* Messages and bus load: every frame counts. */
void report_timing_frame(struct report *r, const struct log_entry *e, int64_t now_us);
void report_timing_finish(struct report *r);
/* Is it sent only in parts of a session, so that its absence says nothing outside of them? */
bool report_is_passing(const struct report_side *s, unsigned msg);
/* The message of a frame on a side, or -1; *point is its pistol. */
int report_find(const struct report_side *s, const struct can_frame *f, unsigned *point);

/* Name of a state of the module, as the database has it with blanks; "state 42" in `buffer` for unknown ones. */
const char *report_state_name(const struct report_side *s, int state, char *buffer, size_t size);

#endif
