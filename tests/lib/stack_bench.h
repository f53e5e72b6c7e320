/* SPDX-License-Identifier: MIT */
/*
 * The simulated power stack alone on a bench in virtual time: a host that refreshes its set point every 100 ms,
 * and, where wanted, a vehicle that only speaks Path_Load. Pistol 3.
 */
#ifndef TESTS_STACK_BENCH_H
#define TESTS_STACK_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/sim_stack.h"

#define MS ((int64_t)FC_US_PER_MS)
#define S  ((int64_t)FC_US_PER_S)

struct stack_bench {
	struct sim_stack stack;
	struct forecourt_host host;
	const struct power_module_ops *ops;
	struct pm_setpoint sp;
	struct pm_status st;
	struct path_load_data load;
	bool has_vehicle, is_refreshing;
	int64_t now_us;
	unsigned n_tx;
	struct path_source_data last;
};

void stack_bench_start(struct stack_bench *b);
void stack_bench_start_with(struct stack_bench *b, const struct forecourt_kv *kv, uint32_t n_kv);
/* Time passes; afterwards b->st is the status. */
void stack_bench_run(struct stack_bench *b, int64_t for_us);
/* The set point from now on; contactors closed unless off. */
void stack_bench_order(struct stack_bench *b, int32_t mode, int32_t v_mV, int32_t i_mA);
/* Sets a live value, which must be accepted. */
void stack_bench_live(struct stack_bench *b, const char *key, const char *value);
/* A session up to the point where a vehicle takes i_mA. */
void stack_bench_deliver(struct stack_bench *b, int32_t i_mA);

#endif
