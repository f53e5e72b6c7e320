/* SPDX-License-Identifier: MIT */
/*
 * The simulated power stack: evse-ctrl's default power-module driver. Pure.
 *
 * One module, an output relay, a bleeder and an insulation monitor on the circuit of sim/physics.h. The
 * vehicle is heard through frames Path_Load of its pistol; the driver answers with Path_Source (every 50 ms
 * while something ramps, else every 100 ms). What it does about a missing vehicle:
 *   never heard        a stiff load: insulation test and precharge reach their targets, in transfer the
 *                      current ramps to its target at the precharge voltage (bench without a vehicle)
 *   heard, then silent for 500 ms while plugged in: the vehicle is gone, no current; back when it speaks
 *
 * Faults are injected with the live key "fault": NAME adds one, -NAME removes it, none removes all; reading
 * lists them. Names: over_temp hardware short_circuit over_voltage mains fan imbalance interlock (as in enum
 * pm_fault), comm_lost (deaf and mute, the module's own watchdog ends delivery after 2 s), stuck_on (ignores
 * off), isolation (monitor reads 1 kohm), imd_silent (monitor does not measure), bleeder_open, relay_welded,
 * frozen (measurement stands still), derate (half current), not_ready.
 */
#ifndef SIM_SIM_STACK_H
#define SIM_SIM_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include <forecourt/power_module.h>
#include <forecourt/units.h>

#include "sim/path.h"
#include "sim/physics.h"
#include "sim/sim_opts.h"

/* Settings as the option table stores them: milli-units. */
struct sim_stack_conf {
	int32_t wake_up_ms, dead_time_ms;
	int32_t voltage_up_mVps, voltage_down_mVps;
	int32_t current_up_mAps, current_down_mAps;
	int32_t insulation_ohm;
	int32_t rated_mV, rated_mA, rated_W;
	int32_t has_output_contactors, has_bleeder, is_bidirectional;
	int32_t temperature_mdegC;
	int32_t cable_uohm;
	int32_t sends_path;
};

struct sim_stack_relay {
	bool is_closed;
	bool is_commanded;
	int64_t due_us;	  /* the contacts move then; FC_NEVER: at rest */
	int64_t force_us; /* opening waits for the current until then; FC_NEVER: not waiting */
};

struct sim_stack {
	const struct forecourt_host *host;
	uint32_t index;
	struct sim_stack_conf conf;
	struct phys_source phys;
	struct path_watch watch;
	struct path_load_data load;
	enum path_link link;
	bool was_stiff_loaded; /* nobody heard: the imagined battery is connected */
	double stiff_hold_V;
	struct pm_setpoint sp; /* last accepted */
	int32_t mode;	       /* what is done now, enum pm_mode */
	int64_t ready_us;      /* awake from then on; FC_NEVER: asleep */
	struct sim_stack_relay relay;
	int64_t bleed_since_us; /* last time the voltage was seen to fall while bleeding */
	double bleed_mark_V;
	bool has_bleed_failed;
	bool is_iso_running, is_iso_settled;
	int64_t t_iso_us;
	uint32_t injected; /* bits of the fault table in sim_stack_fault.c */
	uint32_t faults, faults_stop, faults_latched;
	bool demand_mains_cut;
	int64_t comm_lost_us; /* since; FC_NEVER: link is fine */
	int64_t stuck_us;     /* off was asked, current still flows, since */
	int32_t v_mV, i_mA;   /* last sample */
	int64_t t_vi_us;
	int64_t now_us; /* of the last update */
	int64_t next_tx_us;
	uint32_t tx_fail;
	uint32_t n_expired; /* dead man struck */
};

extern const struct forecourt_plugin sim_stack_plugin;

/* For tests and invariants; self is the instance block. */
const struct phys_source *sim_stack_physics(const void *self);
/* What a meter at the output terminals counted since init, positive into the vehicle. */
int64_t sim_stack_energy_uWh(const void *self);
int64_t sim_stack_cable_loss_uWh(const void *self);

/* --- parts of the driver, for its own files ------------------------------------------------------------------ */

/* Contract of the driver: contacts open below 1 A, else after 2 s with a fault. */
#define SIM_STACK_OFF_CURRENT_mA 1000
#define SIM_STACK_OPEN_FORCE_US	 (2 * (int64_t)FC_US_PER_S)
/* The module's own watchdog. */
#define SIM_STACK_WATCHDOG_US (2 * (int64_t)FC_US_PER_S)

#define SIM_STACK_N_OPTIONS 16
extern const struct sim_opt sim_stack_options[SIM_STACK_N_OPTIONS];

enum sim_stack_inject {
	SIM_STACK_COMM_LOST = 1 << 0,
	SIM_STACK_STUCK_ON = 1 << 1,
	SIM_STACK_ISOLATION = 1 << 2,
	SIM_STACK_IMD_SILENT = 1 << 3,
	SIM_STACK_BLEEDER_OPEN = 1 << 4,
	SIM_STACK_RELAY_WELDED = 1 << 5,
	SIM_STACK_FROZEN = 1 << 6,
	SIM_STACK_DERATE = 1 << 7,
	SIM_STACK_NOT_READY = 1 << 8,
};

struct phys_source_cfg sim_stack_physics_cfg(const struct sim_stack_conf *c);
void sim_stack_caps(void *self, struct pm_caps *out);
/* Recomputes the faults from what is injected and observed, and derates by heat. */
void sim_stack_fault_watch(struct sim_stack *s, int64_t now_us, bool is_clearing);
/* The live key "fault". */
int32_t sim_stack_fault_live(struct sim_stack *s, const char *value, char *answer, uint32_t answer_size);

static inline bool sim_stack_is_power(int32_t mode)
{
	return mode == PM_INSULATION_TEST || mode == PM_PRECHARGE || mode == PM_TRANSFER;
}

/* The module does not hear us, nor we it. */
static inline bool sim_stack_is_deaf(const struct sim_stack *s)
{
	return s->comm_lost_us != FC_NEVER;
}

static inline int32_t sim_stack_milli(double value)
{
	return (int32_t)(value * 1000.0 + (value < 0.0 ? -0.5 : 0.5));
}

#endif
