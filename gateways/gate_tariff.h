/* SPDX-License-Identifier: MIT */
/*
 * Times of the week in which charging is cheap enough: windows in local time that open and close points.
 * Pure: the clock and the difference of the local time to UTC are handed in.
 *
 *     DAYS FROM-TO [@POINT]      mon-fri 22:00-06:00      sat,sun 00:00-24:00 @bay-1      daily 11:30-13:00
 *
 * A window belongs to the day on which it opens; with TO not after FROM it closes on the next day. Where
 * clocks are set forward, a time that does not exist is the moment of the change; where they are set back,
 * the first of the two counts for both ends. So a window opens and closes once each day, whatever the clocks
 * do. A point is open when one of its windows is; a point that no window names is not touched.
 */
#ifndef GATEWAYS_GATE_TARIFF_H
#define GATEWAYS_GATE_TARIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateways/gate_url.h"

#define GATE_MAX_WINDOWS   16
#define GATE_TARIFF_NO_END INT64_MAX

struct gate_window {
	uint8_t days;		   /* bit 0 Monday .. 6 Sunday */
	uint16_t from_min;	   /* minutes of the day: 0..1439 */
	uint16_t to_min;	   /* 1..1440; at most from_min: of the next day */
	char point[GATE_NAME_MAX]; /* "": every point */
};

/* Local time minus UTC in seconds at that moment (seconds since 1970). */
typedef int32_t (*gate_offset_fn)(void *ctx, int64_t utc_s);

struct gate_tariff {
	struct gate_window window[GATE_MAX_WINDOWS];
	uint32_t n_windows;
	gate_offset_fn offset_s;
	void *ctx;
};

/* 0, or -EINVAL with a sentence. */
int gate_window_parse(const char *text, struct gate_window *w, char *err, size_t err_size);

/* Does any window speak of the point? */
bool gate_tariff_has(const struct gate_tariff *t, const char *point);
bool gate_tariff_is_open(const struct gate_tariff *t, const char *point, int64_t utc_s);
/* When that changes next, within nine days; GATE_TARIFF_NO_END: not then. */
int64_t gate_tariff_next_s(const struct gate_tariff *t, const char *point, int64_t utc_s);

#endif
