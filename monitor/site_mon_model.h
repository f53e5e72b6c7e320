/* SPDX-License-Identifier: MIT */
/*
 * What a listener knows of a site from the frames of dbc/site.dbc alone: every point's reports and grants,
 * the load of every row and its history, what the site says of itself, and events. Pure; nothing here is
 * believed that was not heard. Names and the tree come from the site's file, where one is given
 * (site_mon_view.h), and only for showing.
 *
 * A grant counts as in force when a report acknowledges it and its lease, counted from the sending of the
 * report it answers as we heard it, has not run out. The listener hears what the site and the point hear on
 * one bus; behind a gateway it hears the gateway.
 *
 * Currents are those of one supply conductor, as on the wire: those of points on one and on three phases do
 * not add up. What adds up is in the rows, which the site reckons itself.
 */
#ifndef MONITOR_SITE_MON_MODEL_H
#define MONITOR_SITE_MON_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/can.h>

#include <forecourt/units.h>

#include "site_msgs.h"

#define SMON_MAX_BUSES	17 /* as many as site-ctrl has */
#define SMON_N_NUMBERS	32 /* numbers of points on one bus; 0 is the site */
#define SMON_MAX_ROWS	1024
#define SMON_N_EVENTS	512
#define SMON_EVENT_TEXT 80
#define SMON_HISTORY	300
#define SMON_SENT	16 /* reports and grants remembered for the lease */
#define SMON_NEVER	INT64_MIN
#define SMON_NO_ROW	UINT16_MAX
#define SMON_GAP	UINT16_MAX
#define SMON_SILENT_US	INT64_C(3500000) /* three reports and a half */
#define SMON_N_ALARMS	5
#define SMON_CHANGED_US FC_US_PER_S

enum smon_severity { SMON_INFO, SMON_GOOD, SMON_WARN, SMON_BAD };

enum smon_event_kind {
	SMON_EVENT_WORDS, /* all is said in the text */
	SMON_EVENT_GRANT, /* so too; of them there are many */
	SMON_EVENT_LIMIT, /* of a row: was and is */
	SMON_EVENT_OVER	  /* a row: what may be drawn, and its limit */
};

struct smon_event {
	int64_t time_us;
	uint8_t kind; /* enum smon_event_kind */
	/* Of the kinds with numbers: a power limit is shown in another unit than its text has. */
	int32_t a_mA, b_mA;
	uint8_t bus, number; /* number 0: the site, or a row */
	uint8_t severity;    /* enum smon_severity */
	uint16_t row;	     /* of a point: the one that limits it; SMON_NO_ROW: none */
	char text[SMON_EVENT_TEXT];
};

struct smon_grant {
	struct site_grant grant;
	int64_t heard_us;
	int64_t until_us; /* end of the lease; SMON_NEVER: the report it answers was not heard */
};

struct smon_point {
	bool is_silent;
	uint8_t bus, number;
	struct site_point_report report;
	struct site_point_demand demand;
	struct site_point_session session;
	struct site_point_meter meter;
	struct site_grant_reason reason;
	int64_t report_us, demand_us, session_us, meter_us, reason_us; /* SMON_NEVER: not heard */
	struct smon_grant sent;					       /* newest grant on the bus */
	struct smon_grant in_force; /* as acknowledged; heard_us SMON_NEVER: none, or not heard by us */
	int64_t changed_us;	    /* of the grant's amount */
	int64_t since_us;	    /* in this state */
	/* Of the grant, as last told by an event. */
	int32_t told_mA, told_discharge_mA;
	uint32_t number_sent[SMON_SENT];
	int64_t sent_us[SMON_SENT];
	uint8_t newest;
	struct smon_grant recent[SMON_SENT];
	uint8_t newest_grant;
	uint32_t n_reports, n_grants, n_missed; /* missed: numbers that were skipped */
};

struct smon_row {
	struct site_row_load load;
	int64_t heard_us; /* SMON_NEVER: not heard */
	bool is_over;	  /* taken is over the limit */
	uint32_t n_over;
	int32_t told_limit_mA; /* by the last event */
	int64_t told_us;
};

/* --- history of every row ------------------------------------------------------------------------------ */

enum smon_span {
	SMON_SPAN_RECENT, /* ten minutes in steps of 2 s */
	SMON_SPAN_ALL,	  /* since the start; steps twice as long whenever they do not fit any more */
	SMON_N_SPANS
};

/* In 0.1 A, as on the wire: the highest of a step, and its last limit. drawn SMON_GAP: nothing was heard. */
struct smon_step {
	uint16_t drawn, taken, limit;
	bool is_over; /* taken was over the limit of its time */
};

struct smon_track {
	int64_t begin_us, step_us; /* of step 0 */
	uint32_t n;		   /* begun; the last SMON_HISTORY are kept */
};

struct smon_history {
	struct smon_track track[SMON_N_SPANS];
	struct smon_step step[SMON_MAX_ROWS][SMON_N_SPANS][SMON_HISTORY]; /* written when time reaches them */
};

/* ------------------------------------------------------------------------------------------------------- */

/* Over the points: of one conductor each. fed: of those that discharge. */
struct smon_totals {
	int32_t drawn_mA, fed_mA, granted_mA, may_draw_mA, requested_mA;
	uint32_t n_points, n_reporting, n_charging, n_discharging, n_waiting, n_faulted;
	uint32_t n_rows, n_rows_over;
};

/* Called for each event, where set. */
struct smon_sink {
	void *ctx;
	void (*event)(void *ctx, const struct smon_event *e);
};

struct smon_model {
	struct smon_sink sink;
	int64_t start_us, now_us;
	uint32_t n_buses;
	uint32_t known[SMON_MAX_BUSES]; /* bits: points that were heard of */
	uint32_t n_rows;		/* highest number heard + 1 */
	struct site_status status;
	int64_t status_us; /* SMON_NEVER */
	bool is_site_silent;
	uint32_t n_events; /* since start; the ring holds the last ones */
	/* changes: of what is shown, and not of numbers that count on. */
	uint64_t n_frames, n_ours, n_bad, n_errors, n_dropped, n_changes;
	struct smon_row row[SMON_MAX_ROWS];
	/* Large, and written only as far as needed. */
	struct smon_event event[SMON_N_EVENTS];
	struct smon_point point[SMON_MAX_BUSES][SMON_N_NUMBERS];
	struct smon_history history;
};

void smon_init(struct smon_model *m, const struct smon_sink *sink, int64_t now_us);
void smon_rx(struct smon_model *m, int64_t now_us, unsigned bus, const struct can_frame *f);
void smon_dropped(struct smon_model *m, int64_t now_us, uint32_t n);
/* Lets time pass: silences, leases, the history. */
void smon_tick(struct smon_model *m, int64_t now_us);
struct smon_totals smon_totals(const struct smon_model *m);
/* NULL: not heard of. */
const struct smon_point *smon_point(const struct smon_model *m, unsigned bus, unsigned number);
/*
 * Points in order of bus and number: the next known one after (bus, number), starting from 0, 0; NULL: no
 * more.
 */
const struct smon_point *smon_next_point(const struct smon_model *m, unsigned bus, unsigned number);
/* Left of the lease in force; -1: none. */
int64_t smon_lease_left_us(const struct smon_model *m, const struct smon_point *p);
/* It says that a grant is in force, which we have not heard. */
bool smon_has_unheard_grant(const struct smon_point *p);
/* NULL: not heard. */
const struct smon_row *smon_row(const struct smon_model *m, uint32_t row);
/*
 * Rows are told one after the other: what is older than two rounds counts as old, and all of a site that is
 * silent.
 */
bool smon_row_is_old(const struct smon_model *m, const struct smon_row *r);
/* i-th newest event, 0 the newest; NULL: not kept. */
const struct smon_event *smon_event(const struct smon_model *m, uint32_t i);
const char *smon_state_name(unsigned state);
const char *smon_reason_name(unsigned reason);
const char *smon_policy_name(unsigned policy);
const char *smon_site_state_name(unsigned state);
/* Bits of Status.Alarm: a sentence, and a word for programs. */
const char *smon_alarm_text(unsigned bit);
const char *smon_alarm_name(unsigned bit);

/* site_mon_model_history.c: steps kept of a span, and the i-th of them, oldest first. */
void smon_history_init(struct smon_model *m);
void smon_history_advance(struct smon_model *m);
/* A row was heard; is_first: for the first time. */
void smon_history_row(struct smon_model *m, uint32_t row, bool is_first);
uint32_t smon_history_n(const struct smon_model *m, enum smon_span span);
struct smon_step smon_history_step(const struct smon_model *m, uint32_t row, enum smon_span span, uint32_t i);

#endif
