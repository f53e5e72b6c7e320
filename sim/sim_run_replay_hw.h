/* SPDX-License-Identifier: MIT */
/*
 * Drivers of a plant that is played back from a log: power stack and vehicle. Pure.
 *
 * What a controller measures stands in the frames it sent, so its log holds the plant as it saw it. These drivers
 * give that back at the same times, and a replay compares decisions only. What is played back:
 *   stack    output voltage and current, temperatures, insulation; what it can give as announced
 *   vehicle  voltages and current, state of charge, capacity, energies; the current the battery wants as last
 *            requested; hold-off as "not ready"; target voltage
 * What no frame shows follows our own controller: output contactors act at once; the vehicle's contactors act with
 * those of the log and after a second at the latest; the stack is ready when it is awake and the log has said
 * System_Enable since. Faults of the hardware do not stand in a log and do not happen here.
 */
#ifndef SIM_SIM_RUN_REPLAY_HW_H
#define SIM_SIM_RUN_REPLAY_HW_H

#include <stdbool.h>
#include <stdint.h>

#include <forecourt/plugin.h>
#include <forecourt/power_module.h>
#include <forecourt/vehicle_hw.h>

#include "sim/sim_run_replay_log.h"

/* Instance blocks: `log` is to be set before the point is made. */
struct replay_stack {
	const struct replay_log *log;
	struct pm_setpoint sp;
	bool is_ready; /* since it woke up */
};

struct replay_vehicle {
	const struct replay_log *log;
	struct vh_command cmd;
	int64_t cmd_us;	 /* last change of the contactors' command */
	bool is_closed;	 /* feedback */
	int32_t want_mA; /* newest request above 0 */
};

extern const struct forecourt_plugin replay_stack_plugin;
extern const struct forecourt_plugin replay_vehicle_plugin;

#endif
