/* SPDX-License-Identifier: MIT */
/*
 * The part of a log around now: which half of the bus a frame belongs to, the frames still to come, and what a
 * controller of the log measured about now. Pure.
 *
 * A log has two halves that count, the module's frames and the controller's; all others are left out before they
 * come here. The controller's half serves twice: as what is expected, and as the only place where measurements
 * of the plant are found (sim_run_replay_hw.h).
 */
#ifndef SIM_SIM_RUN_REPLAY_LOG_H
#define SIM_SIM_RUN_REPLAY_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dbc/msg_map.h"

/* One controller's interface: all layouts of a version, and which of them the controller sends. */
struct replay_side {
	const struct msg_layout *layouts;
	unsigned n_layouts;
	unsigned first, last; /* the controller's, both included */
	unsigned index;	      /* pistol index; 0: the interface has none */
	int (*find)(unsigned version, canid_t id);
	unsigned version;
};

/* No interface has more messages from one controller, and none a larger struct. */
#define REPLAY_MAX_MSGS	    16
#define REPLAY_MAX_MSG_SIZE 128

/* evse-ctrl with this pistol index (version: enum evse_version); pev-ctrl (enum pev_version). */
struct replay_side replay_side_evse(unsigned version, unsigned index);
struct replay_side replay_side_pev(unsigned version);
/* Number of the layout that a data frame has, or -1: of another pistol or not of this interface. */
int replay_side_find(const struct replay_side *side, const struct can_frame *f);
bool replay_side_is_controllers(const struct replay_side *side, int msg);
/* Signals behind the end of a short frame read 0. `content` holds REPLAY_MAX_MSG_SIZE bytes, aligned as uint64_t. */
void replay_side_unpack(const struct replay_side *side, int msg, const struct can_frame *f, void *content);

struct replay_entry {
	int64_t time_us;
	uint64_t line;
	struct can_frame frame;
	int msg; /* layout; -1: tells about the bus itself */
	bool is_controllers;
};

#define REPLAY_LOG_LEN 8192 /* two seconds of both halves on a bus that carries nothing else */

struct replay_log {
	const struct replay_side *side;
	struct replay_entry entry[REPLAY_LOG_LEN]; /* ring */
	unsigned head, n;
	/* Of the controller's messages, the last one that was taken out; time_us FC_NEVER: none yet. */
	struct replay_entry last[REPLAY_MAX_MSGS];
};

void replay_log_init(struct replay_log *l, const struct replay_side *side);
/* Times must not decrease. False: no room. */
bool replay_log_put(struct replay_log *l, const struct replay_entry *e);
/* The next one, or NULL. */
const struct replay_entry *replay_log_peek(const struct replay_log *l);
void replay_log_take(struct replay_log *l);
/*
 * What the controller of the log said about this moment: the frame of this layout that is nearest in time, one to
 * come only when it is at most half a cycle of 100 ms away or the first of all. NULL: none.
 */
const struct can_frame *replay_log_nearest(const struct replay_log *l, int msg, int64_t now_us);

#endif
