/* SPDX-License-Identifier: MIT */
/*
 * Settings of one charge point: one table for command line, configuration file and control socket. Pure.
 * The names that the vendor's simulator also has keep its names, units and defaults.
 */
#ifndef EVSE_CONF_H
#define EVSE_CONF_H

#include <stddef.h>
#include <stdint.h>

#include "lib/core/opts.h"

struct evse_conf {
	int32_t protocol; /* enum evse_version */
	/* Operator's side of a session; times in ms. */
	int32_t authorisation_ms; /* state 11 to Done; -1: wait for chargectl */
	int32_t is_authorised;
	int32_t parameters_ms;	    /* state 3 to Charge_Parameters_Done */
	int32_t charge_duration_ms; /* state 7 to user stop; 0: none */
	int32_t is_start_allowed;   /* Start_Charge_Authorisation */
	int32_t is_start_kept;	    /* keep it after a session */
	/* Announced and enforced limits. */
	int32_t max_voltage_mV;
	int32_t max_charge_current_mA;
	int32_t max_discharge_current_mA;
	int32_t max_power_W;			      /* 0: voltage times current */
	int32_t ramp_up_mA_per_s, ramp_down_mA_per_s; /* 0: the power modules' own ramp */
	int32_t insulation_test_current_mA;
	int32_t precharge_current_mA; /* used when the vehicle's limit is 0 */
	int32_t has_output_contactors;
	/* Watchdogs and times, ms. */
	int32_t module_timeout_ms;
	int32_t emergency_clear_ms;
	int32_t power_control_timeout_ms;
	int32_t measurement_timeout_ms;
	int32_t stop_timeout_ms;
	int32_t user_stop_hold_ms;
	int32_t stop_current_mA;
	/* Message switches: let a half-written controller send the rest itself. */
	int32_t is_status_sent, is_parameters_sent, is_sequence_sent;
	int32_t is_status_sent_on_stop;
	char driver_can[64]; /* URL of the power modules' own bus; empty: none */
	/* The site's share; currents are those of one supply conductor. */
	int32_t site;	   /* enum evse_site_mode */
	char site_can[64]; /* URL of the site's bus; empty: the module's */
	int32_t site_safe_mA, site_minimum_mA;
	int32_t is_site_local; /* kept out of the site's hand: safe current */
	int32_t supply_voltage_mV, supply_phases;
	int32_t efficiency_permille;
	int32_t no_load_mA;
};

enum evse_site_mode {
	EVSE_SITE_OFF, /* the point follows its own limits alone */
	EVSE_SITE_BUS, /* and grants on a bus (dbc/site.dbc) */
};

extern const struct opt evse_conf_table[];
extern const size_t evse_conf_n;

/* What the ranges of the table cannot say. 0, or -EINVAL with a sentence. */
int evse_conf_check(const struct evse_conf *conf, char *err, size_t err_size);

#endif
