/* SPDX-License-Identifier: MIT */
/*
 * The model without a terminal: one line of text or one JSON object per change, event and finished session
 * as they happen, and snapshots of everything when asked. Not pure: writes through a callback, of which one
 * for a FILE is here.
 *
 * Lines of text, words separated by one blank, so that the usual tools find their way:
 *
 *   1700000004.800000 1 DC_Power_Control.Target_Voltage 500.0 V
 *   1700000004.800000 1 Advantics_Controller_Status.State 4 Insulation_Test
 *   1700000004.800000 1 event info power function Standby -> Insulation_Test
 *   1700000038.900000 1 session clean "user stop" 37.900 s 80.888 Wh peak 500.0 V 100.0 A 32.2 kW charge ...
 *
 * JSON: one object a line; "type" is change, event, session or snapshot, "t" the time in seconds. Numbers
 * are exact decimals in the unit beside them. Both are valid UTF-8 whatever was on the bus.
 */
#ifndef MONITOR_MON_TEXT_H
#define MONITOR_MON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "monitor/mon_model.h"

#define MON_TEXT_BUFFER 8192

enum mon_text_form { MON_TEXT_LINES, MON_TEXT_JSON };

struct mon_text {
	const struct mon_model *model;
	enum mon_text_form form;
	int64_t wall_offset_us; /* added to the model's times: 0 in a replay, start of the clock on a bus */
	/* Whole lines, as long as a line fits the buffer. 0 or a negative errno, which ends all writing. */
	int (*write)(void *ctx, const char *text, size_t n);
	void *ctx;
	int error; /* the first one of write */
	uint64_t n_lines;
	/* ---- its own */
	size_t n, line; /* bytes in the buffer, and where the unfinished line begins */
	bool is_first;	/* nothing in this JSON object or array yet: no comma */
	char buffer[MON_TEXT_BUFFER];
};

/* Does not touch the model, which may be initialised later; it has to stay. */
void mon_text_init(struct mon_text *t, const struct mon_model *model, enum mon_text_form form,
		   int (*write)(void *ctx, const char *text, size_t n), void *ctx);
/*
 * The callbacks of struct mon_sink, ctx: the struct mon_text. Usable alone where the shell has a sink of
 * its own.
 */
void mon_text_change(void *text, const struct mon_change *c);
void mon_text_event(void *text, const struct mon_event *e);
void mon_text_session_end(void *text, unsigned point, const struct mon_session *s);
/* All three of them. */
void mon_text_hook(struct mon_text *t, struct mon_sink *sink);
/* Everything that is known now: a block of text, or one object. Flushes. Returns t->error. */
int mon_text_snapshot(struct mon_text *t);
/* Hands on what is buffered; call it once per wake-up. Returns t->error. */
int mon_text_flush(struct mon_text *t);

/* A write callback; ctx: a FILE, which is flushed too. */
int mon_text_write_file(void *file, const char *text, size_t n);

#endif
