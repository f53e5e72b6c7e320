/* SPDX-License-Identifier: MIT */
/*
 * Who waits for what: one table of situations for both sides. Each has a stable code, says in words what
 * the session is waiting for, and what will happen if it does not come, and by when. Pure.
 */
#ifndef MONITOR_EXPLAIN_H
#define MONITOR_EXPLAIN_H

#include "monitor/mon_facts.h"
#include "monitor/mon_model.h"

#define EXPLAIN_TEXT 160

struct explain_situation {
	const char
		*code; /* "E410": stable, for tests, JSON and the manual; E: charger side, V: vehicle side */
	const char *title; /* a few words, for the manual's table */
	enum mon_severity severity;
	/* The sentences before numbers are put in for {names}; docs/monitor-situations.md lists both. */
	const char *waiting, *otherwise;
	int32_t limit_ms; /* how long it may last at most, from its own beginning; 0: no limit is known */
};

struct explain {
	const struct explain_situation *situation;
	char waiting[EXPLAIN_TEXT]; /* "waiting for the charger: 312.4 V of 400.0 V, insulation test" */
	char otherwise
		[EXPLAIN_TEXT]; /* "the module gives up in 12 s and ends the session"; "" nothing happens */
	int64_t left_us;	/* until then; -1: no limit */
};

/* Exactly one situation fits at any time; an unheard point has one too. */
void explain_point(const struct mon_model *m, unsigned point, struct explain *out);
/* The whole table, for the manual and the tests: charger side first, each side in order of priority. */
size_t explain_count(void);
const struct explain_situation *explain_get(size_t i);

#endif
