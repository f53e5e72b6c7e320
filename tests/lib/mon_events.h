/* SPDX-License-Identifier: MIT */
/* A sink that remembers what a monitor's model tells: events, changes, finished sessions. */
#ifndef TESTS_MON_EVENTS_H
#define TESTS_MON_EVENTS_H

#include "monitor/mon_model.h"

#define MON_EVENTS_KEPT 512

struct mon_events {
	struct mon_event event[MON_EVENTS_KEPT];
	struct mon_change change[MON_EVENTS_KEPT];
	struct mon_session session; /* the last one that ended */
	unsigned n_events, n_changes, n_sessions, session_point;
};

struct mon_sink mon_events_sink(struct mon_events *e);
/* Event whose text contains the words, the n-th from 0; NULL: none. */
const struct mon_event *mon_events_find(const struct mon_events *e, const char *words, unsigned n);
unsigned mon_events_count(const struct mon_events *e, const char *words);
/* Fails with a list of what was told instead. */
const struct mon_event *mon_events_need(const struct mon_events *e, const char *words);
void mon_events_need_none(const struct mon_events *e, const char *words);

#endif
