/* SPDX-License-Identifier: MIT */
/*
 * The traffic of charging sessions on a UDP bus, from a process of its own: the messages of the EVSE interface in
 * the proportion of a real session, voltages and currents that move a little each time, one frame after the other
 * at even distances, as a bus delivers them. What was sent last is in memory that both processes see.
 */
#ifndef BENCH_PROC_TRAFFIC_H
#define BENCH_PROC_TRAFFIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/lib/proc_child.h"

#define TRAFFIC_MAX_POINTS 15
#define TRAFFIC_FULL_FPS \
	7634		   /* 1 Mbit/s in frames of 131 bits: 29-bit identifier, 8 bytes, nothing stuffed */
#define TRAFFIC_ONE_FPS 60 /* one session */

struct traffic_shared {
	/* Set by the bench. */
	_Atomic unsigned frames_per_s; /* 0: silence */
	_Atomic unsigned n_points;     /* sessions that share them */
	_Atomic bool is_status_ours;   /* Power_Modules_Status of pistol 1 is left to the bench */
	/* Set by the traffic. */
	_Atomic uint64_t n_sent;
	_Atomic int32_t present_mV[TRAFFIC_MAX_POINTS + 1], present_mA[TRAFFIC_MAX_POINTS + 1];
};

struct traffic {
	struct proc_child child;
	struct traffic_shared *shared;
	char url[64];
};

/* Joins the bus, silent. False: it cannot. */
bool traffic_start(struct traffic *t, const char *url);
/* From now on; the messages that a session sends once come first, for each point. */
void traffic_set(struct traffic *t, unsigned frames_per_s, unsigned n_points);
void traffic_end(struct traffic *t);

#endif
