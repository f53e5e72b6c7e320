/* SPDX-License-Identifier: MIT */
/* Frames, differences and the sum of a replay in words. Not pure: prints. */
#ifndef SIM_SIM_RUN_REPLAY_TEXT_H
#define SIM_SIM_RUN_REPLAY_TEXT_H

#include <stdint.h>
#include <stdio.h>

#include "sim/sim_run_replay_cmp.h"

/* The last changes of states and flags on both halves and of ours, to be shown around a difference. */
#define REPLAY_STORY_LEN 10

enum replay_who { REPLAY_MODULE, REPLAY_LOG, REPLAY_OURS, REPLAY_N_WHO };

struct replay_story {
	const struct replay_side *side;
	int64_t start_us; /* of the log: printed times count from here */
	struct {
		int64_t time_us;
		enum replay_who who;
		int msg;
		struct can_frame frame;
	} line[REPLAY_STORY_LEN]; /* ring */
	unsigned n;
	struct can_frame last[REPLAY_N_WHO][64];
	uint64_t is_known[REPLAY_N_WHO]; /* bit per layout */
};

/* Notes a frame when a value without unit differs from the one before. */
void replay_story_note(struct replay_story *s, int64_t time_us, enum replay_who who, int msg,
		       const struct can_frame *f);
/* One line for each difference; everything about it with what happened around it, and `state` of ours (lines). */
void replay_text_line(FILE *out, const struct replay_story *s, const struct replay_difference *d);
void replay_text_full(FILE *out, const struct replay_story *s, const struct replay_difference *d,
		      int64_t tolerance_us, const char *state);
/* Table of messages and what was compared. */
void replay_text_sum(FILE *out, const struct replay_cmp *c);

#endif
