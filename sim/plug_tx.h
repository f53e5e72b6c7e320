/* SPDX-License-Identifier: MIT */
/*
 * The way out of a virtual module: counts what it sends and injects faults into it on command. Pure.
 *
 * A rule spoils the frames of one message: drop, duplicate, corrupt (all bits of the first byte inverted), a
 * wrong length, an undefined number in its first enumerated signal, or a delay. A rule may be limited to the
 * next n frames. `silence` stops everything, as a module without power would.
 */
#ifndef SIM_PLUG_TX_H
#define SIM_PLUG_TX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/can.h>

#include "dbc/msg_map.h"
#include "lib/core/ctl.h"
#include "lib/core/out_queue.h"

enum plug_tx_kind {
	PLUG_TX_DROP,
	PLUG_TX_DUPLICATE,
	PLUG_TX_CORRUPT,
	PLUG_TX_DLC,
	PLUG_TX_ENUM,
	PLUG_TX_DELAY
};

#define PLUG_TX_MAX_RULES 8
#define PLUG_TX_MAX_HELD  16

struct plug_tx_rule {
	canid_t id; /* of the frame, with flags; the pistol index is ignored */
	enum plug_tx_kind kind;
	int32_t arg;  /* PLUG_TX_DLC: length; PLUG_TX_DELAY: ms */
	int32_t left; /* frames still to spoil; -1: until cleared */
	const struct msg_layout *layout;
};

struct plug_tx_held {
	int64_t due_us;
	struct can_frame frame;
};

struct plug_tx {
	uint64_t n_tx;
	uint64_t n_injected; /* frames spoiled by a rule or by silence */
	bool is_silent;
	uint8_t n_rules;
	uint8_t n_held;
	struct plug_tx_rule rules[PLUG_TX_MAX_RULES];
	struct plug_tx_held held[PLUG_TX_MAX_HELD];
};

void plug_tx_init(struct plug_tx *t);
/* Queues a frame for bus 0, or what the rules leave of it. */
void plug_tx_frame(struct plug_tx *t, int64_t now_us, const struct can_frame *frame, struct out_queue *out);
/* Releases delayed frames that are due; plug_tx_next_us says when the next one is (FC_NEVER: none). */
void plug_tx_tick(struct plug_tx *t, int64_t now_us, struct out_queue *out);
int64_t plug_tx_next_us(const struct plug_tx *t);
/*
 * "fault" of the control socket, words from word[first] on:
 *   silence on|off | clear | drop|duplicate|corrupt|enum NAME [n] | dlc NAME length [n] | delay NAME ms [n]
 * NAME is looked up in `layouts` (n of them), then in the plug's own. 0, -ENOENT (nothing written) for other
 * first words, so that a module can add its own; -EINVAL or -EBUSY with a reason.
 */
int plug_tx_command(struct plug_tx *t, const struct msg_layout *layouts, size_t n, const struct ctl_words *w,
		    size_t first, struct ctl_answer *a);

#endif
