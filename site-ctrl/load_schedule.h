/* SPDX-License-Identifier: MIT */
/*
 * Limits, prices and forecasts over time from a table. Shell: local time is the process's (TZ).
 *
 *     days,from,to,node,phase,limit_A,limit_kW,price,forecast_percent
 *     mon-fri,17:00,20:00,transformer,,80,,,
 *     ,22:00,06:00,,,,,0.18,
 *     ,2026-11-21T10:00,2026-11-21T14:00,,,,,,60
 *
 * A row with times of day holds on its days (none: all) by the local clock, over midnight where `to` is not
 * later than `from`: the days are those on which it begins. So when clocks change, a window begins and ends
 * by what they show. A row with dates holds once; with a Z at the end the times are UTC.
 *
 * Of several limits of a node the least holds; of several prices and forecasts the last in the file. Prices
 * are kept in ten-thousandths of their unit. A forecast is the part of every root's limit that there will be.
 */
#ifndef SITE_LOAD_SCHEDULE_H
#define SITE_LOAD_SCHEDULE_H

#include "site-ctrl/site_model.h"

#define LOAD_SCHEDULE_PRICE_SCALE 10000

struct load_schedule_row {
	uint32_t line;
	bool is_weekly;
	uint8_t days;	  /* bits: 0 Sunday .. 6 Saturday */
	int64_t from, to; /* minutes of the day, or seconds since 1970 */
	uint32_t place;	  /* UINT32_MAX: no limit in this row */
	unsigned phase;	  /* as site_limits_set() */
	int32_t limit_mA; /* SITE_NO_LIMIT_mA: none */
	int32_t power_mA; /* limit_kW at the node's voltage; SITE_NO_LIMIT_mA: none */
	bool has_price, has_forecast;
	int32_t price, forecast_permille;
};

struct load_schedule {
	const struct site_model *model;
	struct load_schedule_row *row;
	uint32_t n_rows, max_rows;
	int32_t (*least)[4]; /* of each place, for apply */
	bool has_outlook;    /* anything that load_schedule_outlook() would tell */
};

/*
 * Reads the file for a compiled model. Rows that are below what the points draw without any grant are refused
 * here, with their line. 0 or a negative errno with a sentence.
 */
int load_schedule_open(struct load_schedule *s, const char *path, const struct site_model *m, char *err,
		       size_t err_size);
void load_schedule_close(struct load_schedule *s);
/*
 * Sets the scheduled limits as of a wall-clock time (seconds since 1970). To be called once a minute:
 * *next_wall_s, and when the clock was set. 1: some changed; 0; negative errno with a sentence when one was
 * refused (the others are set). Allocates nothing.
 */
int load_schedule_apply(struct load_schedule *s, struct site_limits *l, int64_t wall_s, int64_t *next_wall_s,
			char *err, size_t err_size);
/*
 * Steps of price and limits from now on for at most horizon_s, on the clock of now_us; the first begins now.
 * How many, at most max; 0 when the file has neither prices nor forecasts nor limits of a root.
 */
uint32_t load_schedule_outlook(const struct load_schedule *s, int64_t wall_s, int64_t now_us,
			       int64_t horizon_s, struct alloc_outlook *outlook, uint32_t max);

#endif
