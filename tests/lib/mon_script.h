/* SPDX-License-Identifier: MIT */
/*
 * Feeds a monitor's model from a line of words, for tests of what reads the model:
 *
 *   Message.Signal=number   sets a member (in our units) of a message that is sent from now on, every 100 ms.
 *                           Names may be cut short where they stay the first that fits; spaces separate words.
 *   Message                 the same without setting anything
 *   -Message                is not sent any more
 *   once:Message            sent once, now
 *   +250                    250 ms pass
 *   down, up                the bus goes down, comes back
 *
 * What was set is sent before time passes, and at the end. A word that fits nothing fails the test.
 */
#ifndef TESTS_MON_SCRIPT_H
#define TESTS_MON_SCRIPT_H

#include "monitor/mon_model.h"

struct mon_script {
	struct mon_model model;
	unsigned point;
	int64_t now_us;
	bool is_sent[MON_MAX_MSGS];
	bool is_due;			    /* something was set and is not sent yet */
	uint64_t content[MON_MAX_MSGS][16]; /* the messages' structs */
};

void mon_script_init(struct mon_script *s, enum mon_side side, unsigned version, const struct mon_sink *sink);
void mon_script_run(struct mon_script *s, const char *words);

#endif
