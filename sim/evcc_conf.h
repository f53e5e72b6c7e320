/* SPDX-License-Identifier: MIT */
/*
 * Settings of the virtual vehicle-side module: one table for command line, file and control socket. Pure.
 * Entries that the vendor's module also has keep its names, units and defaults (pev-v2.md section 12), with
 * one exception: max_current is 500 A here instead of 0, so that a session runs out of the box. Times in
 * seconds are stored in ms.
 */
#ifndef SIM_EVCC_CONF_H
#define SIM_EVCC_CONF_H

#include <stddef.h>
#include <stdint.h>

#include "lib/core/opts.h"

enum evcc_energy_order { EVCC_TARGET_MIN_MAX, EVCC_TARGET_MAX_MIN };

#define EVCC_N_INPUTS  2
#define EVCC_N_OUTPUTS 3

struct evcc_cfg {
	int32_t protocol;     /* enum pev_version */
	int32_t pistol_index; /* of the virtual plug */
	int32_t energy_order; /* enum evcc_energy_order, profile 2.0-ex only */
	int32_t force_extended_ids;
	int32_t can_timeout_ms;
	int32_t max_voltage_mV, min_voltage_mV;
	int32_t max_current_mA;
	int32_t max_power_W;
	int32_t energy_capacity_Wh, max_energy_Wh, min_energy_Wh;
	int32_t target_voltage_mV, dynamic_target_voltage;
	int32_t max_soc, full_soc, bulk_soc; /* per cent */
	int32_t max_charge_voltage_mV;
	int32_t no_bms;
	int32_t current_ramp_mA_per_s;
	int32_t current_deviation_mA, current_deviation_ms, accept_less;
	int32_t contactors_use_ios, ios_has_feedback;
	int32_t no_inlet_lock;
	int32_t enable_din, enable_iso2, din_priority, iso2_priority;
	int32_t dynamic_limits;
	int32_t energy_transfer; /* enum v2g_transfer */
	int32_t derate_temperature;
	int32_t is_input_monitored[EVCC_N_INPUTS];
	int32_t is_output_can[EVCC_N_OUTPUTS];
	int32_t is_led_can[EVCC_N_OUTPUTS];
	int32_t hold_off_until_bms_ready;
	int32_t force_open_disabled, force_open_delayed, force_open_delay_ms;
	int32_t force_open_timed, force_open_timeout_ms;
	/* Times, ms. */
	int32_t boot_ms, negotiation_ms;
	int32_t locking_ms, wait_locked_ms, wait_hv_ready_ms;
	int32_t inhibit_unmatch_ms, precharge_timeout_ms;
	int32_t message_timeout_ms, delivery_timeout_ms, current_demand_timeout_ms;
	int32_t ongoing_timeout_ms, cable_check_timeout_ms, setup_timeout_ms;
	int32_t request_period_ms, request_pause_ms;
	int32_t current_zero_timeout_ms, contactor_timeout_ms, welding_timeout_ms;
	/* Thresholds. */
	int32_t precharge_current_mA, match_mV, open_current_mA, end_current_mA, unlock_voltage_mV;
	int32_t welding_detection;
	/* Scenario. */
	int32_t plug_at_start, plug_after_ms, stop_after_ms, unplug_after_ms; /* ms; -1: never */
	char evccid[20];						      /* twelve hexadecimal digits */
};

extern const struct opt evcc_conf_table[];
extern const size_t evcc_conf_n;

#endif
