/* SPDX-License-Identifier: MIT */
/*
 * A small machine on buses of memory under lib/linux/run, for the tests of the runner, the loop and the control
 * socket. The test turns the clock.
 */
#ifndef TESTS_LIB_RUN_RIG_H
#define TESTS_LIB_RUN_RIG_H

#include "lib/core/deadline.h"
#include "lib/linux/run.h"

#define RUN_RIG_PERIOD_US 100000
#define RUN_RIG_BUS_LEN	  2048

struct run_rig_bus {
	struct can_bus bus;
	struct can_frame in[RUN_RIG_BUS_LEN], out[RUN_RIG_BUS_LEN];
	size_t n_in, i_in, n_out;
	unsigned n_sends, n_services;
	size_t n_filters;
	int64_t service_us;
};

/* Sends its count each period, answers each frame with the same one, needs some ticks to stop. */
struct run_rig_machine {
	struct grid grid;
	unsigned n_ticks, n_rx, n_left_to_stop;
	unsigned answers; /* frames for each frame received */
	bool is_stopping, is_stuck;
	int64_t rx_us;
};

struct run_rig {
	struct run_rig_machine tiny;
	struct machine machine;
	struct run_rig_bus bus, second;
	struct run run;
	struct trace trace;
	struct ctl_server ctl;
	struct log_sink sink;
	char path[64];
	char err[256];
};

/* self is a struct run_rig_machine. */
extern const struct machine_ops run_rig_machine_ops;

/* For cmocka: *state is a struct run_rig. */
int run_rig_set_up(void **state);
int run_rig_tear_down(void **state);
/* A frame waits on the bus. */
void run_rig_put_in(struct run_rig_bus *bus, canid_t id);

#endif
