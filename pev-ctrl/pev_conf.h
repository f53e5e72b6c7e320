/* SPDX-License-Identifier: MIT */
/*
 * Settings of the vehicle controller: one table for command line, configuration file and control socket. Pure.
 * Keys carry their unit. What belongs to the battery and the contactors is an option of the driver, not of
 * this table; only the switches per message keep the names that the vendor's simulator uses.
 */
#ifndef PEV_CONF_H
#define PEV_CONF_H

#include <stddef.h>
#include <stdint.h>

#include "lib/core/opts.h"

enum pev_energy_order {
	PEV_ORDER_AUTO,		  /* 2.0-ex: target, minimum, maximum; all others: target, maximum, minimum */
	PEV_ORDER_TARGET_MAX_MIN, /* as in the databases */
	PEV_ORDER_TARGET_MIN_MAX, /* as the vendor's simulator sends; profile 2.0-ex only */
};

struct pev_conf {
	int32_t protocol; /* enum pev_version */
	int32_t is_extended_forced;
	int32_t energy_order; /* enum pev_energy_order */
	int32_t is_bidirectional;
	/* What is asked of the charger. */
	int32_t requested_current_mA;	  /* the user's wish; -1: what the BMS wants */
	int32_t max_charge_current_mA;	  /* pack limit */
	int32_t max_discharge_current_mA; /* used with is_bidirectional */
	int32_t max_battery_voltage_mV;	  /* 0: the driver's */
	int32_t target_voltage_mV;	  /* when the BMS gives none; 0: the module's configuration */
	int32_t energy_capacity_Wh;	  /* when the BMS gives none */
	int32_t taper_start_soc_pct, taper_end_current_mA;
	int32_t taper_start_voltage_mV; /* 0: off */
	int32_t derating_start_mdegC, derating_end_mdegC;
	int32_t is_voltage_controlled; /* ISO 15118-20 Scheduled mode: voltage instead of current */
	/* Normal end by ourselves. */
	int32_t stop_soc_pct;	   /* 0: off */
	int32_t stop_voltage_mV;   /* 0: off */
	int32_t charge_duration_s; /* 0: off */
	/* Checks. */
	int32_t match_limit_mV;
	int32_t open_limit_mA;
	int32_t deviation_ms;
	/* Ages, ms. */
	int32_t dc_control_timeout_ms;
	int32_t evse_information_timeout_ms;
	int32_t measurement_max_age_ms;
	int32_t bms_max_age_ms;
	/* Bounded waits, ms. */
	int32_t open_wait_ms;
	int32_t contactor_timeout_ms;
	int32_t request_hold_ms;
	/* Longest stay in a state, ms; the rows of pev_states.c point here. */
	int32_t negotiation_limit_ms;
	int32_t connected_limit_ms;
	int32_t insulation_limit_ms;
	int32_t precharge_limit_ms;
	int32_t ready_limit_ms;
	int32_t charging_limit_ms;
	int32_t stopping_limit_ms;
	int32_t ending_limit_ms;
	int32_t welding_limit_ms;
	int32_t unknown_limit_ms;
	int32_t shutdown_limit_ms;
	/* Outputs of the module, 0x617. */
	int32_t output[3];
	int32_t led_pct[3];
	char driver_can[128]; /* URL of the driver's own bus; "": none */
	/* One switch per message. */
	int32_t is_ev_information_sent, is_ac_status_sent, is_dc_status1_sent, is_dc_status2_sent;
	int32_t is_energy_request_sent, is_v2x_request_sent, is_extra_bpt_sent;
	int32_t is_outputs_sent, is_ev_status_sent;
};

extern const struct opt pev_conf_table[];
extern const size_t pev_conf_n;

/* Rules between keys. 0, or -EINVAL with a sentence in err. */
int pev_conf_check(const struct pev_conf *conf, char *err, size_t err_size);

#endif
