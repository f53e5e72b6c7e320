/* SPDX-License-Identifier: MIT */
/*
 * Words and numbers of the report page. Whatever comes from a log goes through report_put_text(): markup is escaped,
 * control characters and broken UTF-8 become U+FFFD.
 */
#ifndef MONITOR_BUS_LOG_REPORT_TEXT_H
#define MONITOR_BUS_LOG_REPORT_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define REPORT_TEXT 64 /* holds every number and time below */

/* For text and for attribute values in double quotes. */
void report_put_text(FILE *out, const char *text);
/* The same with blanks for underscores: names of the databases. */
void report_put_name(FILE *out, const char *name);

/* Each returns `text`. */
char *report_count(char text[REPORT_TEXT], uint64_t n);	   /* "944,268" */
char *report_duration(char text[REPORT_TEXT], int64_t us); /* "4.2 s", "12 min 05 s", "1 h 06 min 35 s" */
char *report_offset(char text[REPORT_TEXT], int64_t us);   /* "+0:12.3", "+1:06:35.0" */
char *report_decimal(char text[REPORT_TEXT], int64_t value, int64_t per_unit,
		     int digits);			  /* 400123, 1000, 1: "400.1" */
char *report_energy(char text[REPORT_TEXT], int64_t Wus); /* "80.9 Wh", "38.86 kWh" */
/* Of a report's time: the clock, or the time since 0 where the log has no date. Tenths of a second if asked. */
char *report_clock(char text[REPORT_TEXT], int64_t time_us, int has_tenths);
/* "Mon 20 Nov 2023", or "" without a date. */
char *report_date(char text[REPORT_TEXT], int64_t time_us);
/* Is it a time since 1970? Logs without a date begin near 0. */
int report_has_date(int64_t time_us);

#endif
