/* SPDX-License-Identifier: MIT */
/* Option table of the vehicle controller. Pure. */
#include "pev-ctrl/pev_conf.h"

#include <errno.h>
#include <stdio.h>

#include "pev_msgs.h"

#define AT(member) offsetof(struct pev_conf, member), sizeof(((struct pev_conf *)NULL)->member)
#define LIVE	   OPT_LIVE
#define LIMIT_MAX  INT32_MAX

static const struct opt_name protocols[] = {
	{PEV_V2_0_EX, "2.0-ex"}, {PEV_V2_0, "2.0"}, {PEV_V2_1, "2.1"}, {PEV_V2_2, "2.2"},
	{PEV_V2_4, "2.4"},	 {PEV_V2_5, "2.5"}, {0, NULL},
};

static const struct opt_name orders[] = {
	{PEV_ORDER_AUTO, "auto"},
	{PEV_ORDER_TARGET_MAX_MIN, "target-max-min"},
	{PEV_ORDER_TARGET_MIN_MAX, "target-min-max"},
	{0, NULL},
};

/*
 * Sources: pev-v2.md section 5 (time-outs), section 11 (caps), rules.md P-11, P-25, P-26, P-32, P-39, P-43.
 * The limits of the states lie above the module's own, so that the module ends a session that hangs and ours
 * is the net under it: 40 s hold-off, 40 s cable check, 7 to 10 s precharge.
 */
const struct opt pev_conf_table[] = {
	{"protocol", 'p', OPT_ENUM, 0, "", 0, 0, "2.5", AT(protocol), protocols,
	 "version of the PEV generic interface: 2.0-ex 2.0 2.1 2.2 2.4 2.5"},
	{"force_extended_ids", 0, OPT_BOOL, 0, "", 0, 1, "false", AT(is_extended_forced), NULL,
	 "send the same identifiers as 29-bit frames"},
	{"energy_order", 0, OPT_ENUM, 0, "", 0, 0, "auto", AT(energy_order), orders,
	 "EV_Energy_Request: auto, target-max-min, target-min-max (2.0-ex)"},
	{"bidirectional", 0, OPT_BOOL, 0, "", 0, 1, "false", AT(is_bidirectional), NULL,
	 "offer discharging (ISO 15118-20)"},
	{"requested_current_mA", 0, OPT_INT, LIVE, "mA", -1, 2000000, "-1", AT(requested_current_mA), NULL,
	 "current wanted by the user; -1: what the BMS wants"},
	{"max_charge_current_mA", 0, OPT_INT, LIVE, "mA", 0, 2000000, "500000", AT(max_charge_current_mA),
	 NULL, "limit of the pack, never exceeded"},
	{"max_discharge_current_mA", 0, OPT_INT, LIVE, "mA", 0, 2000000, "500000",
	 AT(max_discharge_current_mA), NULL, "limit of the pack, with bidirectional"},
	{"max_battery_voltage_mV", 0, OPT_INT, 0, "mV", 0, 2000000, "0", AT(max_battery_voltage_mV), NULL,
	 "limit of the pack; 0: the driver's"},
	{"target_voltage_mV", 0, OPT_INT, LIVE, "mV", 0, 2000000, "0", AT(target_voltage_mV), NULL,
	 "used when the BMS gives none; 0: the module's own"},
	{"energy_capacity_Wh", 0, OPT_INT, 0, "Wh", 0, 6500000, "0", AT(energy_capacity_Wh), NULL,
	 "used when the BMS gives none"},
	{"taper_start_soc_pct", 0, OPT_INT, LIVE, "%", 0, 100, "100", AT(taper_start_soc_pct), NULL,
	 "from here the current falls linearly to 100 %"},
	{"taper_end_current_mA", 0, OPT_INT, LIVE, "mA", 0, 2000000, "0", AT(taper_end_current_mA), NULL,
	 "current that is left at 100 %"},
	{"taper_start_voltage_mV", 0, OPT_INT, LIVE, "mV", 0, 2000000, "0", AT(taper_start_voltage_mV), NULL,
	 "from here it falls to 0 at the voltage limit; 0: off"},
	{"derating_start_mdegC", 0, OPT_INT, LIVE, "mdegC", -40000, 215000, "50000", AT(derating_start_mdegC),
	 NULL, "pack temperature where derating starts"},
	{"derating_end_mdegC", 0, OPT_INT, LIVE, "mdegC", -40000, 215000, "60000", AT(derating_end_mdegC),
	 NULL, "pack temperature where no current is left"},
	{"voltage_control", 0, OPT_BOOL, LIVE, "", 0, 1, "false", AT(is_voltage_controlled), NULL,
	 "ISO 15118-20 Scheduled mode: request a voltage"},
	{"stop_soc_pct", 0, OPT_INT, LIVE, "%", 0, 100, "100", AT(stop_soc_pct), NULL,
	 "normal end at this state of charge; 0: off"},
	{"stop_voltage_mV", 0, OPT_INT, LIVE, "mV", 0, 2000000, "0", AT(stop_voltage_mV), NULL,
	 "normal end at this battery voltage; 0: off"},
	{"charge_duration_s", 0, OPT_INT, LIVE, "s", 0, 604800, "0", AT(charge_duration_s), NULL,
	 "normal end after this time of charging; 0: off"},
	{"match_limit_mV", 0, OPT_INT, 0, "mV", 1000, 100000, "20000", AT(match_limit_mV), NULL,
	 "largest inlet to battery difference for closing"},
	{"open_limit_mA", 0, OPT_INT, 0, "mA", 0, 100000, "1000", AT(open_limit_mA), NULL,
	 "contactors open without force up to this current"},
	{"deviation_ms", 0, OPT_INT, OPT_HIDDEN, "ms", 100, 60000, "1000", AT(deviation_ms), NULL,
	 "voltages of closed contactors may differ this long"},
	{"dc_control_timeout_ms", 0, OPT_INT, 0, "ms", 200, 1000, "1000", AT(dc_control_timeout_ms), NULL,
	 "silence of DC_Control that opens contactors"},
	{"evse_information_timeout_ms", 0, OPT_INT, 0, "ms", 200, 10000, "1000",
	 AT(evse_information_timeout_ms), NULL, "silence of EVSE_Information that ends a session"},
	{"measurement_max_age_ms", 0, OPT_INT, 0, "ms", 50, 1000, "200", AT(measurement_max_age_ms), NULL,
	 "older readings count as missing"},
	{"bms_max_age_ms", 0, OPT_INT, 0, "ms", 100, 10000, "400", AT(bms_max_age_ms), NULL,
	 "older BMS data: request 0 A, then end"},
	{"open_wait_ms", 0, OPT_INT, 0, "ms", 0, 10000, "1000", AT(open_wait_ms), NULL,
	 "wait for low current before opening by force"},
	{"contactor_timeout_ms", 0, OPT_INT, 0, "ms", 50, 10000, "3000", AT(contactor_timeout_ms), NULL,
	 "command to feedback, both directions"},
	{"request_hold_ms", 0, OPT_INT, OPT_HIDDEN, "ms", 600, 5000, "600", AT(request_hold_ms), NULL,
	 "how long a request bit stays 1"},
	{"negotiation_limit_ms", 0, OPT_INT, OPT_HIDDEN, "ms", 1000, LIMIT_MAX, "600000",
	 AT(negotiation_limit_ms), NULL, "longest stay in stage 2"},
	{"connected_limit_ms", 0, OPT_INT, OPT_HIDDEN, "ms", 1000, LIMIT_MAX, "120000",
	 AT(connected_limit_ms), NULL, "longest stay in stage 3"},
	{"insulation_limit_ms", 0, OPT_INT, OPT_HIDDEN, "ms", 1000, LIMIT_MAX, "120000",
	 AT(insulation_limit_ms), NULL, "longest stay in stage 4"},
	{"precharge_limit_ms", 0, OPT_INT, OPT_HIDDEN, "ms", 1000, LIMIT_MAX, "20000", AT(precharge_limit_ms),
	 NULL, "longest stay in stage 5"},
	{"ready_limit_ms", 0, OPT_INT, OPT_HIDDEN, "ms", 1000, LIMIT_MAX, "600000", AT(ready_limit_ms), NULL,
	 "longest stay in stage 6"},
	{"charging_limit_ms", 0, OPT_INT, OPT_HIDDEN, "ms", 1000, LIMIT_MAX, "604800000",
	 AT(charging_limit_ms), NULL, "longest stay in stage 7"},
	{"stopping_limit_ms", 0, OPT_INT, OPT_HIDDEN, "ms", 1000, LIMIT_MAX, "10000", AT(stopping_limit_ms),
	 NULL, "stop request to stage 8"},
	{"ending_limit_ms", 0, OPT_INT, OPT_HIDDEN, "ms", 1000, LIMIT_MAX, "60000", AT(ending_limit_ms), NULL,
	 "longest stay in stage 8"},
	{"welding_limit_ms", 0, OPT_INT, OPT_HIDDEN, "ms", 1000, LIMIT_MAX, "120000", AT(welding_limit_ms),
	 NULL, "longest stay in stage 9"},
	{"unknown_limit_ms", 0, OPT_INT, OPT_HIDDEN, "ms", 1000, LIMIT_MAX, "604800000", AT(unknown_limit_ms),
	 NULL, "longest stay in a stage without a name"},
	{"shutdown_limit_ms", 0, OPT_INT, OPT_HIDDEN, "ms", 1000, LIMIT_MAX, "15000", AT(shutdown_limit_ms),
	 NULL, "longest ordered shutdown"},
	{"digital_output1", 0, OPT_BOOL, LIVE | OPT_HIDDEN, "", 0, 1, "false", AT(output[0]), NULL,
	 "output 1 of the module"},
	{"digital_output2", 0, OPT_BOOL, LIVE | OPT_HIDDEN, "", 0, 1, "false", AT(output[1]), NULL,
	 "output 2 of the module"},
	{"digital_output3", 0, OPT_BOOL, LIVE | OPT_HIDDEN, "", 0, 1, "false", AT(output[2]), NULL,
	 "output 3 of the module"},
	{"led1_pct", 0, OPT_INT, LIVE | OPT_HIDDEN, "%", 0, 100, "0", AT(led_pct[0]), NULL,
	 "brightness of LED 1"},
	{"led2_pct", 0, OPT_INT, LIVE | OPT_HIDDEN, "%", 0, 100, "0", AT(led_pct[1]), NULL,
	 "brightness of LED 2"},
	{"led3_pct", 0, OPT_INT, LIVE | OPT_HIDDEN, "%", 0, 100, "0", AT(led_pct[2]), NULL,
	 "brightness of LED 3"},
	{"driver_can", 0, OPT_TEXT, 0, "", 0, 0, "", AT(driver_can), NULL,
	 "bus of the driver's own hardware"},
	{"enable_ev_information", 0, OPT_BOOL, LIVE | OPT_HIDDEN, "", 0, 1, "true",
	 AT(is_ev_information_sent), NULL, "send 0x610"},
	{"enable_ac_status", 0, OPT_BOOL, LIVE | OPT_HIDDEN, "", 0, 1, "true", AT(is_ac_status_sent), NULL,
	 "send 0x611"},
	{"enable_dc_status_1", 0, OPT_BOOL, LIVE | OPT_HIDDEN, "", 0, 1, "true", AT(is_dc_status1_sent), NULL,
	 "send 0x612"},
	{"enable_dc_status_2", 0, OPT_BOOL, LIVE | OPT_HIDDEN, "", 0, 1, "true", AT(is_dc_status2_sent), NULL,
	 "send 0x613"},
	{"enable_ev_energy_request", 0, OPT_BOOL, LIVE | OPT_HIDDEN, "", 0, 1, "true",
	 AT(is_energy_request_sent), NULL, "send 0x614"},
	{"enable_ev_v2x_energy_request", 0, OPT_BOOL, LIVE | OPT_HIDDEN, "", 0, 1, "true",
	 AT(is_v2x_request_sent), NULL, "send 0x615"},
	{"enable_ev_extra_bpt_info", 0, OPT_BOOL, LIVE | OPT_HIDDEN, "", 0, 1, "true", AT(is_extra_bpt_sent),
	 NULL, "send 0x616"},
	{"enable_outputs", 0, OPT_BOOL, LIVE | OPT_HIDDEN, "", 0, 1, "true", AT(is_outputs_sent), NULL,
	 "send 0x617"},
	{"enable_ev_status", 0, OPT_BOOL, LIVE | OPT_HIDDEN, "", 0, 1, "true", AT(is_ev_status_sent), NULL,
	 "send 0x618"},
};

const size_t pev_conf_n = sizeof(pev_conf_table) / sizeof(pev_conf_table[0]);

int pev_conf_check(const struct pev_conf *conf, char *err, size_t err_size)
{
	if (conf->protocol < 0 || conf->protocol >= PEV_N_VERSIONS) {
		snprintf(err, err_size, "protocol: unknown version");
		return -EINVAL;
	}
	if (conf->energy_order == PEV_ORDER_TARGET_MIN_MAX && conf->protocol != PEV_V2_0_EX) {
		snprintf(err, err_size, "energy_order: target-min-max exists in protocol 2.0-ex only");
		return -EINVAL;
	}
	if (conf->derating_end_mdegC <= conf->derating_start_mdegC) {
		snprintf(err, err_size, "derating_end_mdegC must be above derating_start_mdegC");
		return -EINVAL;
	}
	if (conf->max_battery_voltage_mV > 0 &&
	    conf->taper_start_voltage_mV >= conf->max_battery_voltage_mV) {
		snprintf(err, err_size, "taper_start_voltage_mV must be below max_battery_voltage_mV");
		return -EINVAL;
	}
	return 0;
}
