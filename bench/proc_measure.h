/* SPDX-License-Identifier: MIT */
/*
 * One process under measurement, evse-ctrl or the floor, and what is measured of it from outside: processor time
 * from the scheduler, and times of frames from the kernel's stamps. The bench plays the module's side.
 */
#ifndef BENCH_PROC_MEASURE_H
#define BENCH_PROC_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/lib/proc_child.h"
#include "tests/lib/proc_module.h"

#define MAX_SAMPLES 20000

struct samples {
	size_t n;
	double v[MAX_SAMPLES];
};

void samples_add(struct samples *s, double v);
/* Of the sorted values, p in 0..1; NAN without any. */
double samples_at(struct samples *s, double p);

/* Ours also with SCHED_FIFO, where we may. */
enum subject_kind { SUBJECT_FLOOR, SUBJECT_OURS, SUBJECT_OURS_REALTIME, SUBJECT_N_KINDS };

struct subject {
	enum subject_kind kind;
	unsigned n_points;
	char url[64];
	char config[64]; /* file of several pistols; "": none */
	bool is_charging;
	struct proc_child child;
	struct proc_module module;
};

/* Starts the process on a bus of its own, then the module in state 1. does_watch: the floor watches for silence. */
bool subject_start(struct subject *s, enum subject_kind kind, unsigned n_points, bool does_watch);
void subject_end(struct subject *s);
/* Walks to power transfer (the floor is only told so). */
bool subject_charge(struct subject *s);

/* Percent of one core over that time. */
double measure_cpu(struct subject *s, int64_t us);
/* Intervals between statuses of each point, ms. */
void measure_period(struct subject *s, int64_t us, struct samples *ms);
/* State Not_Available to Sequence_Control, n times, ms; unanswered ones are counted. */
unsigned measure_answers(struct subject *s, unsigned n, struct samples *ms);

enum stop_kind { STOP_OFF, STOP_STANDBY, STOP_EMERGENCY, STOP_SILENCE, STOP_N_KINDS };

/* From the command (silence: from the last status of the module) to a status with 0 A, n times, ms; misses counted. */
unsigned measure_stops(struct subject *s, enum stop_kind kind, unsigned n, struct samples *ms);
/* From exec to the first frame, ms; false: there was none. */
bool measure_start(enum subject_kind kind, struct samples *ms);

#endif
