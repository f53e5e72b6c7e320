/* SPDX-License-Identifier: MIT */
/*
 * The site's model without a terminal: a line or a JSON object per event, and snapshots of everything. Not
 * pure: writes through mon_text's buffer.
 *
 *   1700000004.800000 bay-3 info raised from 6.0 A to 16.0 A: its own maximum
 *   1700000005.000000 snapshot site running policy fair main "main power" drawn 31.0 kW may_draw 40.1 kW ...
 *   1700000005.000000 snapshot point bay-3 charging wanted 32.0 A granted 16.0 A ... why limit feeder L1
 *   1700000005.000000 snapshot row "feeder L1" drawn 48.0 A may_draw 64.0 A limit 100.0 A
 *
 * JSON: "type" is event or snapshot, "t" the time in seconds; unknown values are null. Amperes of points are
 * those of one conductor each; of the row of a power limit they are to be multiplied with its power_V to get
 * watts.
 */
#ifndef MONITOR_SITE_MON_TEXT_H
#define MONITOR_SITE_MON_TEXT_H

#include "monitor/mon_text.h"
#include "monitor/site_mon_view.h"

struct smon_text {
	struct mon_text out;
	const struct smon_model *model;
	const struct smon_names *names;
};

/* form and write: as mon_text_init(). */
void smon_text_init(struct smon_text *t, const struct smon_model *model, const struct smon_names *names,
		    enum mon_text_form form, int (*write)(void *ctx, const char *text, size_t n), void *ctx);
/* For smon_sink; ctx is the struct smon_text. */
void smon_text_event(void *text, const struct smon_event *e);
/* Flushes. 0 or the negative errno that ended all writing. */
int smon_text_snapshot(struct smon_text *t);

#endif
