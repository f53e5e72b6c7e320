/* SPDX-License-Identifier: MIT */
/*
 * The simulated vehicle: battery, contactors and BMS; pev-ctrl's default hardware driver. Pure.
 *
 * The charger is heard through frames Path_Source of the pistol it is plugged into (option pistol_index); the
 * driver answers with Path_Load every 100 ms and at once when it plugs in or a contactor moves. Charge is taken
 * from the frames' counter, so that lost frames lose none. What it does about a missing charger:
 *   never heard        it imagines one: in precharge the inlet rises to the battery voltage after
 *                      charger_dead_time, contactors closed the current follows the request at 20 A/s
 *   heard, then silent for 500 ms while plugged in: the charger is gone, no voltage, no current
 *
 * Faults are injected with the live key "fault": NAME adds one, -NAME removes it, none removes all; reading
 * lists them. Names: welded, not_closing, bms_silent, over_temp, insulation, internal, frozen (measurement
 * stands still), feedback_unknown, over_voltage. The live key "soc" reads or sets the present SoC in per cent.
 */
#ifndef SIM_SIM_VEHICLE_H
#define SIM_SIM_VEHICLE_H

#include <stdbool.h>
#include <stdint.h>

#include <forecourt/units.h>
#include <forecourt/vehicle_hw.h>

#include "sim/path.h"
#include "sim/physics.h"
#include "sim/sim_opts.h"

#define SIM_VEHICLE_OCV_TEXT 128

/* Settings as the option table stores them: milli-units. */
struct sim_vehicle_conf {
	int32_t pistol_index;
	int32_t contactors_delay_ms;
	int32_t charger_dead_time_ms, charger_voltage_up_mVps;
	int32_t soc_permille_x100; /* 0.001 % */
	int32_t capacity_Wh;
	int32_t min_mV, max_mV, cell_limit_mV;
	int32_t resistance_uohm;
	int32_t charge_max_mA, discharge_max_mA, full_current_mA;
	int32_t speed_permille;
	int32_t energy_max_Wh, energy_target_Wh, energy_min_Wh;
	int32_t v2x_max_Wh, v2x_min_Wh;
	int64_t departure_s;
	int32_t hv_ready_delay_ms;
	int32_t restores_soc, stops_when_full;
	int32_t temperature_mdegC;
	int32_t insulation_kohm, inlet_uF;
	int32_t sends_path;
	char ocv_table[SIM_VEHICLE_OCV_TEXT]; /* eleven voltages from 0 to 100 %; empty: linear */
};

enum sim_vehicle_inject {
	SIM_VEHICLE_WELDED = 1 << 0,
	SIM_VEHICLE_NOT_CLOSING = 1 << 1,
	SIM_VEHICLE_BMS_SILENT = 1 << 2,
	SIM_VEHICLE_OVER_TEMP = 1 << 3,
	SIM_VEHICLE_INSULATION = 1 << 4,
	SIM_VEHICLE_INTERNAL = 1 << 5,
	SIM_VEHICLE_FROZEN = 1 << 6,
	SIM_VEHICLE_FEEDBACK_UNKNOWN = 1 << 7,
	SIM_VEHICLE_OVER_VOLTAGE = 1 << 8,
};

struct sim_vehicle {
	const struct forecourt_host *host;
	struct sim_vehicle_conf conf;
	struct phys_battery battery;
	struct phys_contactor contactor;
	struct path_watch watch;
	struct path_source_data source;
	struct path_meter meter;
	enum path_link link;
	struct vh_command cmd; /* last accepted */
	int32_t phase;	       /* enum vh_phase */
	int64_t phase_us;      /* since */
	int64_t session_us;    /* plugged in since; FC_NEVER: not */
	int64_t force_open_us; /* opening waits for the current until then; FC_NEVER: not waiting */
	double own_inlet_V;    /* of the imagined charger */
	double own_i_A;
	double temp_degC;
	bool wants_stop;   /* battery full, until the transfer ends */
	uint32_t injected; /* enum sim_vehicle_inject */
	uint32_t faults, faults_latched;
	int32_t battery_mV, inlet_mV, i_mA; /* last sample */
	int64_t t_vi_us, t_bms_us;
	int64_t now_us; /* of the last update */
	int64_t next_tx_us;
	uint32_t tx_fail;
	uint32_t n_expired; /* dead man struck */
};

extern const struct forecourt_plugin sim_vehicle_plugin;

/* For tests and invariants; self is the instance block. */
const struct phys_battery *sim_vehicle_battery(const void *self);
const struct phys_contactor *sim_vehicle_contactor(const void *self);
/* Arrived at the inlet since init: stored in the battery plus lost in it. */
int64_t sim_vehicle_energy_uWh(const void *self);

/* --- parts of the driver, for its own files ------------------------------------------------------------------ */

#define SIM_VEHICLE_OPEN_LIMIT_mA 1000

#define SIM_VEHICLE_N_OPTIONS 28
extern const struct sim_opt sim_vehicle_options[SIM_VEHICLE_N_OPTIONS];

/* Settings to the model; -EINVAL with a sentence when they contradict each other. */
int sim_vehicle_battery_cfg(const struct sim_vehicle_conf *c, struct phys_battery_cfg *cfg, char *err,
			    size_t err_size);
void sim_vehicle_caps(void *self, struct vh_caps *out);
/* Recomputes the faults from what is injected and observed. */
void sim_vehicle_fault_watch(struct sim_vehicle *s, int64_t now_us, bool is_clearing);
int32_t sim_vehicle_fault_live(struct sim_vehicle *s, const char *value, char *answer, uint32_t answer_size);

static inline int32_t sim_vehicle_milli(double value)
{
	return (int32_t)(value * 1000.0 + (value < 0.0 ? -0.5 : 0.5));
}

#endif
