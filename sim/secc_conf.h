/* SPDX-License-Identifier: MIT */
/*
 * Settings of the virtual charger-side module: one table for command line, file and control socket. Pure.
 * Entries that the vendor's module also has keep its names, units and defaults (evse-v3.md section 12); times
 * in seconds are stored in ms.
 */
#ifndef SIM_SECC_CONF_H
#define SIM_SECC_CONF_H

#include <stddef.h>
#include <stdint.h>

#include "lib/core/opts.h"

#define SECC_N_INPUTS  4
#define SECC_N_OUTPUTS 4
#define SECC_N_LEDS    3

enum secc_hardware { SECC_HW_SECC, SECC_HW_SPCC };
enum secc_priority { SECC_PRIO_STANDARD, SECC_PRIO_LATEST, SECC_PRIO_OLDEST };
enum secc_input { SECC_IN_NONE, SECC_IN_MONITOR, SECC_IN_STOP, SECC_IN_CCS_DC_STOP };

struct secc_cfg {
	int32_t protocol; /* enum evse_version */
	int32_t index;	  /* pistol, 1..15 */
	int32_t hardware; /* enum secc_hardware: whose inputs message is sent */
	int32_t use_sequence_flags, free_service;
	int32_t charger_can_timeout_ms;
	int32_t min_voltage_mV, max_voltage_mV;
	int32_t min_current_mA, max_current_mA;
	int32_t max_power_mkW; /* thousandths of a kW, that is W; 0: voltage times current */
	int32_t max_discharge_current_mA;
	int32_t max_cable_voltage_mV, max_cable_current_mA, max_cable_power_mkW;
	int32_t is_bidirectional, supports_range_mode, limit_positive;
	int32_t skip_cable_check;
	int32_t enable_din, enable_iso2;
	int32_t priority;	      /* enum secc_priority */
	int32_t energy_transfer;      /* enum v2g_transfer */
	int32_t input[SECC_N_INPUTS]; /* enum secc_input */
	int32_t is_output_can[SECC_N_OUTPUTS];
	int32_t is_led_can[SECC_N_LEDS];
	int32_t ocpp_limit_mA;	    /* smart-charging limit; 0: none */
	int32_t derate_temperature; /* apply the vendor's derating and stop curves */
	/* Times, ms. */
	int32_t boot_ms, negotiation_ms, setup_timeout_ms, sequence_timeout_ms;
	int32_t wake_up_limit_ms, insulation_timeout_ms, lowering_timeout_ms, precharge_timeout_ms;
	int32_t waiting_ms, contactor_ms, closing_delay_ms;
	int32_t power_control_period_ms;
	/* Thresholds. */
	int32_t test_voltage_mV; /* 0: the announced maximum */
	int32_t test_reached_permille;
	int32_t insulation_pass_kohm;
	int32_t insulation_alarm_ohm_per_V;
	int32_t insulation_iterations;
	int32_t lowered_voltage_mV, open_current_mA, precharge_current_mA;
	int32_t seed;	  /* of the session tags */
	int32_t evse_id;  /* told to the vehicle in SessionSetupRes */
	int32_t is_mated; /* the charger's half of the plug at the start */
};

extern const struct opt secc_conf_table[];
extern const size_t secc_conf_n;

#endif
