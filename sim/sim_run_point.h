/* SPDX-License-Identifier: MIT */
/*
 * One complete charge point in one process: controller and module on both sides, plug and physics between them,
 * on a virtual bus in virtual time. Used by sim-run, by the scenario tests and by the benches. Pure; the struct
 * is large (some MB): make it static or on the heap.
 */
#ifndef SIM_SIM_RUN_POINT_H
#define SIM_SIM_RUN_POINT_H

#include <stdbool.h>
#include <stdint.h>

#include "evse-ctrl/evse_station.h"
#include "pev-ctrl/pev_point.h"
#include "sim/evcc.h"
#include "sim/secc.h"
#include "sim/sim_stack.h"
#include "sim/sim_vehicle.h"
#include "sim/world.h"

enum sim_who { SIM_EVSE, SIM_SECC, SIM_EVCC, SIM_PEV, SIM_N_MACHINES };

#define SIM_POINT_KV	     32
#define SIM_POINT_KV_TEXT    64
#define SIM_POINT_MAX_STATES 64

/* Options of a simulated driver, kept as text until it starts. */
struct sim_point_kv {
	struct forecourt_kv kv[SIM_POINT_KV];
	char text[SIM_POINT_KV][2][SIM_POINT_KV_TEXT];
	uint32_t n;
};

/* States a module went through, in order, repeats left out. */
struct sim_point_states {
	uint8_t state[SIM_POINT_MAX_STATES];
	int64_t since_us[SIM_POINT_MAX_STATES];
	unsigned n;
};

struct sim_point {
	struct world world;
	const struct log_sink *sink;
	struct evse_conf evse_conf;
	struct secc_cfg secc_conf;
	struct evcc_cfg evcc_conf;
	struct pev_conf pev_conf;
	struct sim_point_kv stack_kv, vehicle_kv;

	struct evse_station station;
	struct evse_point evse;
	struct sim_stack stack;
	struct secc secc;
	struct evcc evcc;
	struct pev_point pev;
	struct sim_vehicle vehicle;

	struct sim_point_states secc_states, evcc_states;
	bool has_peer[SIM_N_MACHINES]; /* machine takes part */
};

/* Defaults of every machine: a plain session of a car at 30 % with the default limits, plugged in at the start. */
void sim_point_defaults(struct sim_point *p);
/*
 * "evse.charge_duration=60": machine (evse, secc, evcc, pev, stack, vehicle), key, value. 0, or a negative errno
 * with a sentence in err.
 */
int sim_point_set(struct sim_point *p, const char *assignment, char *err, size_t err_size);
/* Makes all machines and joins them. 0, or a negative errno with a sentence. */
int sim_point_start(struct sim_point *p, const struct can_hub_cfg *bus, int64_t now_us, char *err,
		    size_t err_size);
/* A fresh process of the same settings in the place of one that was killed (world_kill). */
int sim_point_restart(struct sim_point *p, enum sim_who who, char *err, size_t err_size);
/* To be called from an own world.after_event, which replaces the one that sim_point_start sets. */
void sim_point_note_states(struct sim_point *p, unsigned node);
/* True when the module has been through a session and is idle again. */
bool sim_point_is_session_over(const struct sim_point *p);
const char *sim_point_name(enum sim_who who);

#endif
