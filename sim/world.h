/* SPDX-License-Identifier: MIT */
/*
 * Many machines, one clock, one virtual bus. Pure; all memory is the caller's.
 *
 * Runs the same machines that the processes run (lib/core/machine.h): at each instant first every frame that
 * is waiting, then the ticks that are due, in the order the machines were added; then time jumps to the next
 * deadline. Two runs from the same start give the same trace, byte for byte.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/can/can_bus_virtual.h"
#include "lib/core/machine.h"

#define WORLD_MAX_MACHINES 40

struct world_node {
	struct machine machine;
	struct can_bus *bus;
	unsigned bus_node; /* number on the hub */
	int64_t next_us;
	bool is_alive; /* false: killed, its frames are not heard */
};

struct world {
	struct can_hub hub;
	struct world_node node[WORLD_MAX_MACHINES];
	unsigned n_nodes;
	int64_t now_us;
	uint64_t n_events; /* ticks and frames handled */
	uint32_t n_lost;   /* frames that a node's queue or the bus did not take */
	/* Called after every event of a machine; for invariants. NULL: none. */
	void (*after_event)(void *ctx, struct world *w, unsigned node);
	void *ctx;
	struct out_queue out;
};

void world_init(struct world *w, const struct can_hub_cfg *bus, int64_t now_us);
/* Adds a running machine; its number, or a negative errno. */
int world_add(struct world *w, const struct machine *m);
/* The process is gone without a last word; nothing of it runs any more. */
void world_kill(struct world *w, unsigned node);
/* A machine (freshly made) in the place of a killed one. */
void world_restart(struct world *w, unsigned node, const struct machine *m);
/* The deadline of a machine may have changed from outside: a command, a stop. Performs what it queued. */
void world_touch(struct world *w, unsigned node, struct out_queue *out);
/* One request of the control socket to a machine. */
int world_command(struct world *w, unsigned node, const char *line, char *answer, size_t size);
/* Ordered stop of a machine, as by a signal. */
void world_stop(struct world *w, unsigned node);
/* Lets time pass up to end_us; `is_done` (may be NULL) is asked after each instant and ends the run. */
void world_run(struct world *w, int64_t end_us, bool (*is_done)(void *ctx), void *ctx);

#endif
