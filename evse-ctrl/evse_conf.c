/* SPDX-License-Identifier: MIT */
/* Option table of one charge point. Pure. */
#include "evse-ctrl/evse_conf.h"

#include <errno.h>
#include <stdio.h>

#include "evse_msgs.h"

#define AT(member) offsetof(struct evse_conf, member), sizeof(((struct evse_conf *)NULL)->member)
#define P	   OPT_PISTOL
#define L	   (OPT_PISTOL | OPT_LIVE)

static const struct opt_name protocols[] = {
	{EVSE_V3_0, "3.0"}, {EVSE_V3_1, "3.1"}, {EVSE_V3_2, "3.2"}, {EVSE_V3_3, "3.3"},
	{EVSE_V3_5, "3.5"}, {EVSE_V3_6, "3.6"}, {0, NULL},
};

static const struct opt_name sites[] = {{EVSE_SITE_OFF, "off"}, {EVSE_SITE_BUS, "bus"}, {0, NULL}};
static const struct opt_name phases[] = {{1, "1"}, {3, "3"}, {0, NULL}};

/* Times of the vendor's names are seconds with decimals; OPT_MILLI keeps them as ms. */
const struct opt evse_conf_table[] = {
	{"protocol", 'p', OPT_ENUM, P, "", 0, 0, "3.6", AT(protocol), protocols,
	 "version of the EVSE generic interface: 3.0 3.1 3.2 3.3 3.5 3.6"},
	{"ccs_authorisation_duration", 0, OPT_MILLI, L, "s", -1000, 86400000, "3", AT(authorisation_ms), NULL,
	 "state 11 to authorisation done; -1: wait for chargectl"},
	{"ccs_authorisation_success", 0, OPT_BOOL, L, "", 0, 1, "true", AT(is_authorised), NULL,
	 "result given at the end of that time"},
	{"charge_parameters_negotiation_duration", 0, OPT_MILLI, L, "s", 0, 600000, "1.5", AT(parameters_ms),
	 NULL, "state 3 to charge parameters done"},
	{"charge_duration", 0, OPT_MILLI, L, "s", 0, INT32_MAX, "10", AT(charge_duration_ms), NULL,
	 "state 7 to an automatic user stop; 0: none"},
	{"start_authorisation", 0, OPT_BOOL, L, "", 0, 1, "true", AT(is_start_allowed), NULL,
	 "permit to start a session (Start_Charge_Authorisation)"},
	{"keep_start_authorisation", 0, OPT_BOOL, L, "", 0, 1, "true", AT(is_start_kept), NULL,
	 "keep the permit after a session (free service)"},
	{"maximum_voltage", 0, OPT_MILLI, L, "V", 1000, 6553500, "500", AT(max_voltage_mV), NULL,
	 "voltage limit, announced and enforced"},
	{"maximum_charge_current", 0, OPT_MILLI, L, "A", 0, 6553500, "120", AT(max_charge_current_mA), NULL,
	 "charge current limit, announced and enforced"},
	{"maximum_discharge_current", 0, OPT_MILLI, L, "A", 0, 6553500, "120", AT(max_discharge_current_mA),
	 NULL, "discharge current limit, announced and enforced"},
	{"max_power_W", 0, OPT_INT, L, "W", 0, 100000000, "0", AT(max_power_W), NULL,
	 "power limit; 0: voltage times current"},
	{"ramp_up_mA_per_s", 0, OPT_INT, L, "mA/s", 0, 100000000, "0", AT(ramp_up_mA_per_s), NULL,
	 "own limit of rising current; 0: the power modules' own ramp"},
	{"ramp_down_mA_per_s", 0, OPT_INT, L, "mA/s", 0, 100000000, "0", AT(ramp_down_mA_per_s), NULL,
	 "own limit of falling current in transfer; 0: the power modules' own ramp"},
	{"insulation_test_current_mA", 0, OPT_INT, P, "mA", 1, 100000, "1000", AT(insulation_test_current_mA),
	 NULL, "current limit of the insulation test"},
	{"precharge_current_mA", 0, OPT_INT, P, "mA", 1, 2000, "2000", AT(precharge_current_mA), NULL,
	 "precharge current where the vehicle gives no limit"},
	{"has_output_contactors", 0, OPT_BOOL, P, "", 0, 1, "true", AT(has_output_contactors), NULL,
	 "false: lowering is ignored while a battery may be connected"},
	{"module_timeout_ms", 0, OPT_INT, P, "ms", 110, 10000, "200", AT(module_timeout_ms), NULL,
	 "silence of Advantics_Controller_Status that stops all power"},
	{"emergency_clear_ms", 0, OPT_INT, P, "ms", 110, 60000, "200", AT(emergency_clear_ms), NULL,
	 "time without Emergency_Stop before power is possible again"},
	{"power_control_timeout_ms", 0, OPT_INT, P, "ms", 1000, 600000, "60000", AT(power_control_timeout_ms),
	 NULL, "silence of DC_Power_Control in transfer that leads to zero current"},
	{"measurement_timeout_ms", 0, OPT_INT, P, "ms", 100, 10000, "600", AT(measurement_timeout_ms), NULL,
	 "age at which a voltage or current reading is a fault"},
	{"stop_timeout_ms", 0, OPT_INT, P, "ms", 100, 4000, "2000", AT(stop_timeout_ms), NULL,
	 "wait for low current before contactors are forced open"},
	{"user_stop_hold_ms", 0, OPT_INT, P, "ms", 500, 60000, "550", AT(user_stop_hold_ms), NULL,
	 "how long User_Stop_Button stays 1"},
	{"stop_current_mA", 0, OPT_INT, P, "mA", 100, 10000, "1000", AT(stop_current_mA), NULL,
	 "contactors open below this current"},
	{"enable_power_module_status", 0, OPT_BOOL, L, "", 0, 1, "true", AT(is_status_sent), NULL,
	 "send Power_Modules_Status"},
	{"enable_dc_power_parameters", 0, OPT_BOOL, L, "", 0, 1, "true", AT(is_parameters_sent), NULL,
	 "send DC_Power_Parameters"},
	{"enable_sequence_control", 0, OPT_BOOL, L, "", 0, 1, "true", AT(is_sequence_sent), NULL,
	 "send Sequence_Control"},
	{"status_on_stop", 0, OPT_BOOL, L, "", 0, 1, "true", AT(is_status_sent_on_stop), NULL,
	 "send Power_Modules_Status also at once when power has stopped"},
	{"driver_can", 0, OPT_TEXT, P, "", 0, 0, "", AT(driver_can), NULL,
	 "bus of the power modules, where the driver has one of its own"},
	{"site", 0, OPT_ENUM, P, "", 0, 0, "off", AT(site), sites,
	 "who shares out the supply: off (own limits alone), bus (grants of site-ctrl)"},
	{"site_can", 0, OPT_TEXT, P, "", 0, 0, "", AT(site_can), NULL,
	 "bus of the site, where it is not the module's"},
	{"site_safe_current", 0, OPT_MILLI, P, "A", 0, 6553500, "0", AT(site_safe_mA), NULL,
	 "supply current without a grant; the site always counts it as taken"},
	{"site_minimum_current", 0, OPT_MILLI, L, "A", 0, 102300, "2", AT(site_minimum_mA), NULL,
	 "least useful supply current; a session waits for it"},
	{"site_local", 0, OPT_BOOL, L, "", 0, 1, "false", AT(is_site_local), NULL,
	 "out of the site's hand: the safe current, whatever is granted"},
	{"supply_voltage_V", 0, OPT_MILLI, P, "V", 50000, 1000000, "400", AT(supply_voltage_mV), NULL,
	 "supply: between two conductors of three phases, across the load of one"},
	{"supply_phases", 0, OPT_ENUM, P, "", 0, 0, "3", AT(supply_phases), phases, "of the supply: 1 or 3"},
	{"efficiency_permille", 0, OPT_INT, P, "", 500, 1000, "950", AT(efficiency_permille), NULL,
	 "lowest of the power modules in use"},
	{"no_load_current", 0, OPT_MILLI, P, "A", 0, 100000, "0", AT(no_load_mA), NULL,
	 "supply current of the power modules besides; at most the safe current"},
};

const size_t evse_conf_n = sizeof(evse_conf_table) / sizeof(evse_conf_table[0]);

int evse_conf_check(const struct evse_conf *conf, char *err, size_t err_size)
{
	if (conf->site == EVSE_SITE_OFF || conf->no_load_mA <= conf->site_safe_mA)
		return 0;
	/* A grant of nothing switches no power module off. */
	snprintf(err, err_size,
		 "no_load_current (%d mA) is drawn without a grant too: site_safe_current (%d mA) is less",
		 conf->no_load_mA, conf->site_safe_mA);
	return -EINVAL;
}
