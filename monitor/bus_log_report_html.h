/* SPDX-License-Identifier: MIT */
/*
 * The page of the report and its parts. The drawings are their own data: the y of a path is the quantity in a tenth of
 * its unit (a hundredth for power), the x is the time in units of REPORT_UNIT_US since the begin of the plot. The
 * script reads the values back from the paths; without it they are seen all the same.
 */
#ifndef MONITOR_BUS_LOG_REPORT_HTML_H
#define MONITOR_BUS_LOG_REPORT_HTML_H

#include "monitor/bus_log_report_data.h"
#include "monitor/bus_log_report_text.h"

#define REPORT_PAGE_PATHS 1400000 /* bytes that the drawings may take of the 2 MB of a page */

/* Thins the tables of the sessions until their drawings fit the page. */
void report_fit_page(struct report *r);
/* The whole page. Errors of writing are left in the stream. */
void report_write(const struct report *r, FILE *out);

/* --- parts of the page --------------------------------------------------------------------------------- */

void report_put_style(FILE *out);
void report_put_script(FILE *out);

/* The axis of time that a group of plots shares. */
struct report_axis {
	int64_t begin_us;
	int64_t width; /* units */
	bool is_clock; /* labels are the clock of the log; else the time since the begin */
	const char *zone;
};

enum report_line_kind { REPORT_MEASURED, REPORT_WANTED, REPORT_LIMIT };

/* One line of a panel. Limits far above everything else do not stretch the scale. */
struct report_line {
	const struct report_columns *columns;
	int64_t offset; /* of the columns' begin on the axis, units */
	unsigned series;
	const char *name, *css; /* name: ours or a channel's, not escaped yet */
	enum report_line_kind kind;
	bool is_filled;
};

struct report_panel {
	const char *title, *unit, *css;
	int32_t per_tenth; /* of our unit in one step of y */
	int32_t per_unit;  /* steps of y in the shown unit */
	int digits;
	int32_t least_top; /* steps of y that the scale reaches at least */
	const struct report_line *line;
	unsigned n_lines;
};

void report_axis_open(FILE *out, const struct report_axis *a, const char *label);
void report_axis_close(FILE *out, const struct report_axis *a);
/* Nothing where none of the lines is known. */
void report_panel(FILE *out, const struct report_axis *a, const struct report_panel *p);

/* States of a point between two times, as a band on the axis; and in order with their durations. */
void report_band(FILE *out, const struct report_axis *a, const struct report_side *s, unsigned point,
		 const char *label);
void report_sequence(FILE *out, const struct report_side *s, unsigned point, int64_t from_us, int64_t to_us,
		     const char *label);
/* Warnings and faults of up to two sessions as marks above the bands; -1: none. */
void report_marks(FILE *out, const struct report *r, const struct report_axis *a, int session, int other);

/* Either may be NULL. `number` from 1. */
void report_put_session(FILE *out, const struct report *r, const struct report_session *charger,
			const struct report_session *vehicle, unsigned number);
void report_put_overview(FILE *out, const struct report *r);
void report_put_events(FILE *out, const struct report *r);
void report_put_messages(FILE *out, const struct report *r);
void report_put_file(FILE *out, const struct report *r);

/* What the clock of the log is in: "UTC", or "local time" where the log says no more. */
const char *report_zone(const struct report *r);
/* "Pistol 2", "Vehicle", or "Bus" for what concerns all pistols. */
char *report_who(char text[REPORT_TEXT], enum mon_side side, unsigned point);
/* Number of the section of a session, from 1; 0: it has none of its own (its partner's counts for both). */
unsigned report_session_number(const struct report *r, int session);
/* Of a session and its partner the record with more faults. */
const struct mon_session *report_worst(const struct report *r, const struct report_session *s);
/* False beyond REPORT_MAX_PLOTTED: only a line in the table. */
bool report_has_card(const struct report *r, int session);
/* Sections of the page: sessions without those that are shown with their partner. */
unsigned report_n_sections(const struct report *r);

#endif
