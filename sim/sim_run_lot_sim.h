/* SPDX-License-Identifier: MIT */
/*
 * A lot of charge points as energy models: sessions of a workload, a policy, and time in slots. Shell: allocates before
 * it starts and writes set-points to a file; reads the clock only to say how long cycles took.
 *
 * In each slot, and whenever somebody comes or goes, the policy is asked for everybody who is plugged in and not full.
 * What it grants is the set-point until the next time, and the vehicle draws just that until it is full. Who is full
 * within the slot gets no more than that takes. There are no losses, ramps, tapers and hold times.
 */
#ifndef SIM_SIM_RUN_LOT_SIM_H
#define SIM_SIM_RUN_LOT_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/sim_run_lot_csv.h"
#include "sim/sim_run_lot_judge.h"
#include "site-ctrl/alloc_run.h"
#include "site-ctrl/site_model.h"

#define LOT_SLOT_S 300
#define LOT_NOBODY UINT32_MAX

struct lot_point {
	uint32_t session; /* plugged in, or LOT_NOBODY */
	int32_t departure_s;
	int32_t set_mA;	    /* set-point in force, of this session */
	int32_t written_mA; /* as written last */
	int32_t next_mA;    /* that is about to be in force */
	int32_t pause_s;    /* began then; -1: not in a pause */
	int32_t step_mA;    /* for policies: of its levels too, where they are evenly spaced */
	int64_t mV;	    /* energy of 1 mA in 1 s, in uJ */
	int64_t rest_uJ;
};

struct lot_result {
	const char *policy;
	uint32_t n_sessions;
	uint32_t n_wanting; /* of them with energy above 0: shares are of these */
	uint32_t n_full;    /* got at least 99.9 % of it */
	int64_t wanted_uJ, delivered_uJ;
	double jain, share_5;	  /* Jain's index of the shares; share that 5 % fell short of */
	int64_t peak_mA, peak_mW; /* largest sum of set-points */
	uint64_t n_changes;	  /* of set-points of those who still wanted energy */
	uint64_t n_pauses;	  /* of them, from above 0 to 0 */
	int32_t shortest_pause_s; /* of those that ended within the session; 0: none */
	uint64_t n_slots, n_cycles, n_rows;
	uint64_t n_faults; /* answers of the policy that were refused */
	enum alloc_fault fault;
	uint64_t n_violations;
	double worst_a;
	char worst[SITE_NAME_MAX];
	int32_t worst_s;
	double wall_s, cycle_mean_us, cycle_max_us;
};

struct lot_sim {
	const struct site_model *model;
	const struct lot_workload *work;
	struct lot_judge *judge;
	bool is_stated; /* policies are told the departure that the driver stated, or none */
	/* Now and then; may be NULL. */
	void (*progress)(void *ctx, int32_t now_s, int32_t end_s);
	void *ctx;
	/* ---- the simulation's */
	struct alloc_run run;
	void *run_block;
	struct lot_point *point;
	struct alloc_point *ask;
	struct alloc_grant *grant;
	int32_t *limit_mA;
	double *share;
	int64_t *delivered_uJ; /* of each session */
	struct lot_result *result;
	FILE *out;
	uint32_t next; /* session to arrive */
	uint32_t n_plugged;
	double cycles_us;
};

/* 0 or -ENOMEM with a sentence. model, work and judge are kept. */
int lot_sim_init(struct lot_sim *s, const struct site_model *model, const struct lot_workload *work,
		 struct lot_judge *judge, bool is_stated, char *err, size_t err_size);
/*
 * From the first arrival to the last departure. policy NULL: equal share. arena: zeroed, of the size it asks for. out:
 * time_s,station,amps, or NULL; it is the caller's to look for errors of it.
 */
void lot_sim_run(struct lot_sim *s, const struct alloc_policy_ops *policy, void *self, void *arena, FILE *out,
		 struct lot_result *result);
void lot_sim_free(struct lot_sim *s);
/* Energies and shares of a result from what each session got; share: room for one each. */
void lot_sum_up(struct lot_result *r, const struct lot_workload *w, const int64_t *delivered_uJ,
		double *share);

#endif
