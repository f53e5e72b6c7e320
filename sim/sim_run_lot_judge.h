/* SPDX-License-Identifier: MIT */
/*
 * Judges the set-points of a lot by the published network files alone. Shell: reads files, allocates.
 *
 * Shares no code with the allocator: reads both files again, in double precision, and asks of every set of
 * set-points that is in force at any time whether
 *     | sum of coef x amps x e^(i phase_deg) | <= limit     in every constraint,
 *     amps is 0 or an allowed current of its station (is_continuous: 0 .. max_a).
 */
#ifndef SIM_SIM_RUN_LOT_JUDGE_H
#define SIM_SIM_RUN_LOT_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "site-ctrl/site_model.h"

#define LOT_JUDGE_TOLERANCE_A 1e-6

struct lot_judge_station {
	bool is_known;
	double cos, sin; /* of its angle */
	double min_a, max_a;
	uint32_t first_level, n_levels; /* 0: whole amperes */
	double amps;			/* set-point in force */
	uint32_t first_of, n_of;	/* in of_station: its constraints */
};

struct lot_judge_member {
	uint32_t station, row;
	double coef;
};

struct lot_judge_row {
	char name[SITE_NAME_MAX];
	double limit_a;
	uint32_t first, n; /* in member */
	bool is_changed;
};

struct lot_judge {
	struct lot_judge_station *station; /* numbers of the model's points */
	uint32_t n_stations;
	struct lot_judge_row *row;
	uint32_t n_rows;
	struct lot_judge_member *member; /* by row */
	uint32_t n_members;
	uint32_t *of_station; /* rows, by station */
	uint32_t *changed;    /* rows to be looked at */
	uint32_t n_changed;
	double *level;
	uint32_t n_levels, max_levels;
	bool is_continuous;
	uint64_t n_violations; /* constraints or stations, each time set-points changed */
	double worst_a;	       /* most over a limit */
	char worst[SITE_NAME_MAX];
	int32_t worst_s;
};

/* The model only serves to find stations by name. 0, or a negative errno with a sentence. */
int lot_judge_load(struct lot_judge *j, const struct site_model *m, const char *base, double size_kW,
		   bool is_continuous, char *err, size_t err_size);
void lot_judge_free(struct lot_judge *j);
/* Everything to 0, nothing found yet. */
void lot_judge_restart(struct lot_judge *j);
/* A set-point from time_s on; after all of a time: judges. */
void lot_judge_set(struct lot_judge *j, uint32_t station, double amps, int32_t time_s);
void lot_judge_settle(struct lot_judge *j, int32_t time_s);

#endif
