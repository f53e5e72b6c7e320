/* SPDX-License-Identifier: MIT */
/*
 * Two machines as one: a virtual module and the model of its peer in the same process. Pure.
 *
 * What one sends is received by the other at once and also goes out on the bus, so that a monitor or a log
 * shows the plug as if the peer were a process of its own. Frames from the bus go to both.
 *
 * Requests of the control socket go to the first machine; those that begin with the name of the second, and
 * the words of `second_words`, to the second.
 */
#ifndef SIM_MODEL_PAIR_H
#define SIM_MODEL_PAIR_H

#include "lib/core/machine.h"

struct model_pair {
	struct machine first, second;
	const char *const *second_words; /* ends with NULL */
};

/* The machine record; p and both machines must outlive it. */
struct machine model_pair_machine(struct model_pair *p);

#endif
