/* SPDX-License-Identifier: MIT */
/*
 * Counts of a log: every identifier on every channel with its period, and the load of the bus. A frame costs a look
 * into a table and a few additions. Pure but for the table, which grows.
 */
#ifndef MONITOR_BUS_LOG_COUNT_H
#define MONITOR_BUS_LOG_COUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "monitor/log_read.h"

#define COUNT_MAX_IDS 65536

struct count_id {
	canid_t id; /* with its flags */
	uint8_t channel;
	uint8_t dlc_min, dlc_max;
	bool is_used;
	uint64_t n;
	int64_t first_us, last_us;
	/* Between two frames; times that go back are left out. */
	uint64_t n_gaps;
	int64_t gap_min_us, gap_max_us;
	double gap_sum_us, gap_squares; /* us^2: sums of absurd times do not overflow */
};

struct counts {
	struct count_id *id; /* hash table of n_room places */
	size_t n_ids, n_room;
	uint64_t n_other; /* frames of identifiers beyond COUNT_MAX_IDS */
	uint64_t n_frames, n_errors, n_remote, n_bytes;
	uint64_t bits; /* nominal, interframe space included */
	int64_t first_us, last_us;
	/* The second being filled, and the busiest one. */
	int64_t window_us;
	uint64_t window_bits, window_frames, peak_bits, peak_frames;
	bool is_out_of_memory;
};

void count_init(struct counts *c);
void count_entry(struct counts *c, const struct log_entry *e);
/* Closes the last second, and sorts: c->id[0 .. n_ids) by channel, then identifier. No entry may follow. */
void count_end(struct counts *c);
void count_free(struct counts *c);
/* Mean distance in us, and its standard deviation; 0 without any. */
double count_mean_us(const struct count_id *i);
double count_jitter_us(const struct count_id *i);

#endif
