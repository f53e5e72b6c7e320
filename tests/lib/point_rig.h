/* SPDX-License-Identifier: MIT */
/*
 * A complete charge point under test: sim_point with the invariants of a safe session checked after every
 * event, and a hash of the whole trace.
 */
#ifndef TESTS_POINT_RIG_H
#define TESTS_POINT_RIG_H

#include "sim/sim_run_point.h"

struct point_rig {
	struct sim_point point;
	uint64_t trace_hash; /* of every frame with its time and sender */
	uint64_t n_frames;
	int32_t peak_power_mode; /* highest enum pm_mode commanded in the session */
	double max_soc;
	int32_t last_current_mA; /* one minute before now, roughly */
	int64_t last_current_us;
	uint8_t until_state;
};

/* A session of 10 s charging; change with point_rig_set before point_rig_start. */
void point_rig_defaults(struct point_rig *r);
void point_rig_set(struct point_rig *r, const char *assignment);
void point_rig_set2(struct point_rig *r, const char *key, const char *value);
void point_rig_start(struct point_rig *r);
/* Until the charger's module is idle again after a session, at most two hours. */
void point_rig_run_session(struct point_rig *r);
/* Until the charger's module is in a state; fails after ten minutes. */
void point_rig_run_to(struct point_rig *r, uint8_t secc_state);
void point_rig_run_s(struct point_rig *r, int64_t s);
void point_rig_command(struct point_rig *r, enum sim_who who, const char *line);
/* Pulls the plug (by force if need be), waits, plugs in again; the trace of states starts anew. */
void point_rig_replug(struct point_rig *r);

#endif
