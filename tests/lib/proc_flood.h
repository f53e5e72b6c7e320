/* SPDX-License-Identifier: MIT */
/*
 * Traffic that is not for us, from a process of its own: a fixed number of frames each second in bursts of a
 * millisecond. Plain: other messages and other pistols. Hostile: also wrong kinds and lengths of our own
 * identifiers, and datagrams that are no frames at all.
 */
#ifndef TESTS_PROC_FLOOD_H
#define TESTS_PROC_FLOOD_H

#include <stdbool.h>

#include "tests/lib/proc_child.h"

struct proc_flood {
	const char *url;
	unsigned frames_per_s; /* a multiple of 1000 gives even bursts */
	unsigned index;	       /* of the pistol under test; 0: none in particular */
	bool is_hostile;
	unsigned seed;
};

/* *flood must stay until the child is started. 0 or a negative errno. */
int proc_flood_start(struct proc_child *c, struct proc_flood *flood);
/* A process that never waits. */
int proc_busy_start(struct proc_child *c);

#endif
