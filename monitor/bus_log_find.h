/* SPDX-License-Identifier: MIT */
/*
 * Finds stretches of time in a log: while the module is in a state, or while a session goes on.
 */
#ifndef MONITOR_BUS_LOG_FIND_H
#define MONITOR_BUS_LOG_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "monitor/mon_model.h"

#define FIND_N_STATES 256 /* numbers that a module's state can have on the wire */

struct stretch {
	int64_t from_us, to_us; /* both inside; INT64_MAX: to the end of the log */
};

struct stretches {
	struct stretch *list;
	size_t n, n_room;
	bool is_out_of_memory;
};

struct finder {
	struct mon_model *model;
	enum mon_side side;
	int point; /* -1: all */
	unsigned state_msg;
	int state_field;
	bool wanted[FIND_N_STATES];
	bool has_begun;
	bool has_states;		 /* the version of the interface knows all that was asked for */
	int64_t inside_us[MON_N_POINTS]; /* since when a point is in a wanted state; -1: it is not */
	struct stretches states, sessions;
};

/* 0 or -ENOMEM. */
int find_begin(struct finder *f, enum mon_side side, unsigned version, int point);
/* "Charging", "7", "4..7", "Precharge..Charging", several with commas between them. False: a name is unknown. */
bool find_want(struct finder *f, const char *states);
/* Frames in order. */
void find_rx(struct finder *f, int64_t time_us, const struct can_frame *frame, uint32_t n_lost);
/* Ends what is still going on; states merged, sessions in order of their start. Was anything heard of the side? */
bool find_end(struct finder *f);
void find_free(struct finder *f);

void stretches_add(struct stretches *s, int64_t from_us, int64_t to_us);
/* In order of time, overlapping ones joined. */
void stretches_merge(struct stretches *s);
/* Is the time in one of them (merged)? *hint: 0 at first, kept by the caller. */
bool stretches_have(const struct stretches *s, int64_t time_us, size_t *hint);
void stretches_free(struct stretches *s);

#endif
