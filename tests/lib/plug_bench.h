/* SPDX-License-Identifier: MIT */
/*
 * A bench for the virtual modules: some machines on a perfect bus in virtual time, with a record of everything
 * sent. Smaller and stricter than sim/world: no delay, no loss, frames in the order they were queued; every
 * frame is checked to be a data frame that fits its length.
 */
#ifndef TESTS_PLUG_BENCH_H
#define TESTS_PLUG_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/can.h>

#include "lib/core/machine.h"

#define BENCH_MAX_MACHINES 8
#define BENCH_MAX_TRACE	   400000
#define BENCH_MAX_WAITING  4096

struct bench_record {
	int64_t time_us;
	unsigned sender;
	struct can_frame frame;
};

struct bench {
	struct machine machine[BENCH_MAX_MACHINES];
	bool is_deaf[BENCH_MAX_MACHINES]; /* receives nothing */
	bool is_mute[BENCH_MAX_MACHINES]; /* its frames are lost */
	unsigned n_machines;
	int64_t now_us;
	struct bench_record *trace;
	size_t n_trace;
	size_t n_lost; /* records that did not fit */
	struct bench_record waiting[BENCH_MAX_WAITING];
	size_t first, n_waiting;
	struct out_queue out;
	/* May change or swallow a frame before it is seen by anyone (false: swallowed). NULL: none. */
	bool (*tap)(void *ctx, struct bench *b, unsigned sender, struct can_frame *frame);
	void *ctx;
};

/* A zeroed bench at time 0. */
struct bench *bench_new(void);
void bench_free(struct bench *b);
unsigned bench_add(struct bench *b, const struct machine *m);
/* Puts a frame on the bus as if a stranger had sent it. */
void bench_inject(struct bench *b, const struct can_frame *f);
/* Lets time pass by us microseconds. */
void bench_run(struct bench *b, int64_t us);
/* Until is_done(ctx) or us have passed; true when done. Asked after each instant. */
bool bench_run_until(struct bench *b, int64_t us, bool (*is_done)(void *ctx), void *ctx);
/* A request of the control socket; fails the test on an error unless expected. */
int bench_command(struct bench *b, unsigned machine, const char *line);

/* ---- the trace */
/* Records of an identifier (with flags) from record `from` on: how many. */
size_t bench_count(const struct bench *b, canid_t id, size_t from);
/* The n-th (from 0) record of an identifier from record `from` on; NULL: none. */
const struct bench_record *bench_find(const struct bench *b, canid_t id, size_t from, size_t n);
const struct bench_record *bench_last(const struct bench *b, canid_t id);
/* Position of a record in the trace. */
size_t bench_at(const struct bench *b, const struct bench_record *r);
/* Largest and smallest distance between two records of an identifier in [from_us, to_us]; 0 with fewer than two. */
void bench_intervals(const struct bench *b, canid_t id, int64_t from_us, int64_t to_us, int64_t *min_us,
		     int64_t *max_us);

#endif
