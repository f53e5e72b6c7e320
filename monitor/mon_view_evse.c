/* SPDX-License-Identifier: MIT */
/*
 * Panels of the charger's side: every signal of EVSE generic interface v3, in all its versions. A message or signal
 * that a version lacks takes no row. Pure.
 */
#include <stddef.h>

#include "monitor/mon_view_draw.h"

#include "evse_msgs.h"

/* Message, struct, member: the offset finds the signal in every version. */
#define F(msg, type, member, text, as)                                               \
	{                                                                            \
		EVSE_##msg, offsetof(struct evse_##type, member), text, as, 1, false \
	}
#define OR(msg, type, member, text, as)                                             \
	{                                                                           \
		EVSE_##msg, offsetof(struct evse_##type, member), text, as, 1, true \
	}
#define FN(msg, type, member, text, as, n, is_or)                                    \
	{                                                                            \
		EVSE_##msg, offsetof(struct evse_##type, member), text, as, n, is_or \
	}

static const struct view_field control[] = {
	F(DC_POWER_CONTROL, dc_power_control, power_function, "Power function", VIEW_AUTO),
	F(DC_POWER_CONTROL, dc_power_control, setpoints_mode, "Setpoints mode", VIEW_AUTO),
	F(DC_POWER_CONTROL, dc_power_control, output_contactors, "Output contactors", VIEW_CLOSED),
	F(DC_POWER_CONTROL, dc_power_control, lower_output_voltage, "Lower the output", VIEW_REQUEST),
	F(DC_POWER_CONTROL, dc_power_control, output_bleed, "Output bleed", VIEW_REQUEST),
	F(DC_POWER_CONTROL, dc_power_control, target_voltage_mV, "Target voltage", VIEW_AUTO),
	F(DC_POWER_CONTROL, dc_power_control, current_range_max_mA, "Current range max", VIEW_AUTO),
	F(DC_POWER_CONTROL, dc_power_control, current_range_min_mA, "Current range min", VIEW_AUTO),
	F(OCPP_CONTROL, ocpp_control, dynamic_target_current_mA, "OCPP target", VIEW_AUTO),
};

static const struct view_field session[] = {
	F(ADVANTICS_CONTROLLER_STATUS, advantics_controller_status, state, "State", VIEW_AUTO),
	VIEW_ROW_DERIVED(VIEW_STATE_SPAN, "In state for"),
	F(NEW_CHARGE_SESSION, new_charge_session, communication_protocol, "Protocol", VIEW_AUTO),
	F(NEW_CHARGE_SESSION, new_charge_session, plug_and_pins, "Pins", VIEW_AUTO),
	F(CHARGE_SESSION_FINISHED, charge_session_finished, state, "Stop state", VIEW_STOP),
	F(EMERGENCY_STOP, emergency_stop, origin, "E-stop origin", VIEW_STOP),
	VIEW_ROW_DERIVED(VIEW_SESSION_START, "Session since"),
	VIEW_ROW_DERIVED(VIEW_SESSION_SPAN, "Duration"),
	VIEW_ROW_DERIVED(VIEW_SESSION_ENERGY, "Energy"),
	VIEW_ROW_DERIVED(VIEW_SESSION_CHARGE, "Charge"),
	VIEW_ROW_DERIVED(VIEW_SESSION_PEAK_mA, "Peak current"),
	VIEW_ROW_DERIVED(VIEW_SESSION_PEAK_W, "Peak power"),
	VIEW_ROW_DERIVED(VIEW_SESSION_SOC, "State of charge"),
	VIEW_ROW_DERIVED(VIEW_SESSION_REASON, "End"),
	VIEW_ROW_DERIVED(VIEW_SESSION_COUNT, "Sessions finished"),
	VIEW_ROW_DERIVED(VIEW_MODULE_AGE, "Module"),
	VIEW_ROW_DERIVED(VIEW_CONTROLLER_AGE, "Controller"),
};

static const struct view_field vehicle[] = {
	F(CHARGE_STATUS_CHANGE, charge_status_change, vehicle_ready_for_charging, "Ready", VIEW_GATE),
	F(EV_INFORMATION_BATTERY, ev_information_battery, battery_capacity_Wh, "Battery capacity",
	  VIEW_GIVEN),
	OR(NEW_CHARGE_SESSION, new_charge_session, battery_capacity_Wh, "Battery capacity", VIEW_GIVEN),
	F(EV_INFORMATION_BATTERY, ev_information_battery, present_state_of_charge_permille, "State of charge",
	  VIEW_AUTO),
	OR(NEW_CHARGE_SESSION, new_charge_session, state_of_charge_permille, "State of charge", VIEW_AUTO),
	F(DC_POWER_CONTROL, dc_power_control, state_of_charge_permille, "SoC in control", VIEW_AUTO),
	F(EV_INFORMATION_BATTERY, ev_information_battery, minimum_state_of_charge_permille, "SoC minimum",
	  VIEW_GIVEN),
	F(EV_INFORMATION_BATTERY, ev_information_battery, target_state_of_charge_permille, "SoC target",
	  VIEW_GIVEN),
	F(EV_INFORMATION_BATTERY, ev_information_battery, maximum_state_of_charge_permille, "SoC maximum",
	  VIEW_GIVEN),
	F(EV_INFORMATION_VOLTAGES, ev_information_voltages, ev_present_voltage_mV, "Vehicle voltage",
	  VIEW_GIVEN),
	F(EV_INFORMATION_VOLTAGES, ev_information_voltages, ev_minimum_voltage_mV, "Minimum voltage",
	  VIEW_GIVEN),
	F(EV_INFORMATION_VOLTAGES, ev_information_voltages, ev_maximum_voltage_mV, "Maximum voltage",
	  VIEW_GIVEN),
	OR(NEW_CHARGE_SESSION, new_charge_session, ev_maximum_voltage_mV, "Maximum voltage", VIEW_GIVEN),
	F(NEW_CHARGE_SESSION, new_charge_session, ev_maximum_current_mA, "Maximum current", VIEW_GIVEN),
	FN(EV_ID_CCS_PART2_DIN, ev_id_ccs_part2_din, byte0, "EV identifier", VIEW_BYTES, 6, false),
};

static const struct view_field vehicle_limits[] = {
	F(EV_INFORMATION_CHARGE_LIMITS, ev_information_charge_limits, ev_minimum_charge_current_mA,
	  "Charge min", VIEW_GIVEN),
	F(EV_INFORMATION_CHARGE_LIMITS, ev_information_charge_limits, ev_maximum_charge_current_mA,
	  "Charge max", VIEW_GIVEN),
	F(EV_INFORMATION_CHARGE_LIMITS, ev_information_charge_limits, ev_minimum_charge_power_W,
	  "Charge power min", VIEW_GIVEN),
	F(EV_INFORMATION_CHARGE_LIMITS, ev_information_charge_limits, ev_maximum_charge_power_W,
	  "Charge power max", VIEW_GIVEN),
	F(EV_INFORMATION_DISCHARGE_LIMITS, ev_information_discharge_limits, ev_minimum_discharge_current_mA,
	  "Discharge min", VIEW_GIVEN),
	F(EV_INFORMATION_DISCHARGE_LIMITS, ev_information_discharge_limits, ev_maximum_discharge_current_mA,
	  "Discharge max", VIEW_GIVEN),
	F(EV_INFORMATION_DISCHARGE_LIMITS, ev_information_discharge_limits, ev_minimum_discharge_power_W,
	  "Disch. power min", VIEW_GIVEN),
	F(EV_INFORMATION_DISCHARGE_LIMITS, ev_information_discharge_limits, ev_maximum_discharge_power_W,
	  "Disch. power max", VIEW_GIVEN),
	F(EV_INFORMATION_ENERGY, ev_information_energy, ev_minimum_energy_request_Wh, "Energy wanted min",
	  VIEW_GIVEN),
	F(EV_INFORMATION_ENERGY, ev_information_energy, ev_target_energy_request_Wh, "Energy wanted",
	  VIEW_GIVEN),
	F(EV_INFORMATION_ENERGY, ev_information_energy, ev_maximum_energy_request_Wh, "Energy wanted max",
	  VIEW_GIVEN),
};

static const struct view_field charger[] = {
	F(POWER_MODULES_STATUS, power_modules_status, present_voltage_mV, "Present voltage", VIEW_AUTO),
	F(POWER_MODULES_STATUS, power_modules_status, present_current_mA, "Present current", VIEW_AUTO),
	F(POWER_MODULES_STATUS, power_modules_status, insulation_resistance_ohm, "Insulation", VIEW_AUTO),
	F(POWER_MODULES_STATUS, power_modules_status, system_enable, "System enable", VIEW_GATE),
	F(ADM_CS_SECC_INPUTS, adm_cs_secc_inputs, pistol_ptc1_mdegC, "Pistol PTC 1", VIEW_TEMP),
	OR(ADM_CO_CUI1_INPUTS, adm_co_cui1_inputs, pistol_ptc1_mdegC, "Pistol PTC 1", VIEW_TEMP),
	OR(ADM_CS_SPCC_INPUTS, adm_cs_spcc_inputs, pt1k_a_mdegC, "PT1000 A", VIEW_TEMP),
	F(ADM_CS_SECC_INPUTS, adm_cs_secc_inputs, pistol_ptc2_mdegC, "Pistol PTC 2", VIEW_TEMP),
	OR(ADM_CO_CUI1_INPUTS, adm_co_cui1_inputs, pistol_ptc2_mdegC, "Pistol PTC 2", VIEW_TEMP),
	OR(ADM_CS_SPCC_INPUTS, adm_cs_spcc_inputs, pt1k_b_mdegC, "PT1000 B", VIEW_TEMP),
	F(ADM_CS_SPCC_INPUTS, adm_cs_spcc_inputs, pt1ks_c_mdegC, "PT1000 C", VIEW_TEMP),
	F(ADM_CS_SPCC_INPUTS, adm_cs_spcc_inputs, pt1ks_d_mdegC, "PT1000 D", VIEW_TEMP),
	F(POWER_MODULES_STATUS, power_modules_status, power_modules_temperature_mdegC, "Power modules",
	  VIEW_TEMP),
	F(POWER_MODULES_STATUS, power_modules_status, enclosure_temperature_mdegC, "Enclosure", VIEW_TEMP),
	F(ADM_CS_SECC_INPUTS, adm_cs_secc_inputs, cpu_temperature_mdegC, "CPU", VIEW_TEMP),
	OR(ADM_CO_CUI1_INPUTS, adm_co_cui1_inputs, cpu_temperature_mdegC, "CPU", VIEW_TEMP),
	OR(ADM_CS_SPCC_INPUTS, adm_cs_spcc_inputs, cpu_temperature0_mdegC, "CPU 0", VIEW_TEMP),
	F(ADM_CO_CUI1_INPUTS, adm_co_cui1_inputs, colibri_temperature_mdegC, "Module board", VIEW_TEMP),
	OR(ADM_CS_SPCC_INPUTS, adm_cs_spcc_inputs, cpu_temperature1_mdegC, "CPU 1", VIEW_TEMP),
	FN(ADM_CS_SECC_INPUTS, adm_cs_secc_inputs, digital_input1, "Digital inputs", VIEW_LEVELS, 4, false),
	FN(ADM_CO_CUI1_INPUTS, adm_co_cui1_inputs, switch0, "Digital inputs", VIEW_LEVELS0, 6, true),
	FN(ADM_CS_SPCC_INPUTS, adm_cs_spcc_inputs, digital_input1, "Digital inputs", VIEW_LEVELS, 4, true),
};

static const struct view_field parameters[] = {
	F(DC_POWER_PARAMETERS, dc_power_parameters, maximum_voltage_mV, "Maximum voltage", VIEW_AUTO),
	F(DC_POWER_PARAMETERS, dc_power_parameters, maximum_charge_current_mA, "Max charge", VIEW_AUTO),
	F(DC_POWER_PARAMETERS, dc_power_parameters, maximum_discharge_current_mA, "Max discharge", VIEW_AUTO),
	F(DC_POWER_PARAMETERS, dc_power_parameters, range_target_current_mA, "Range target", VIEW_AUTO),
	F(SEQUENCE_CONTROL, sequence_control, start_charge_authorisation, "Start authorised", VIEW_GATE),
	F(SEQUENCE_CONTROL, sequence_control, chademo_start_button, "CHAdeMO start", VIEW_REQUEST),
	F(SEQUENCE_CONTROL, sequence_control, ccs_authorisation_done, "CCS authorisation", VIEW_GATE),
	F(SEQUENCE_CONTROL, sequence_control, ccs_authorisation_valid, "CCS result", VIEW_GATE),
	F(SEQUENCE_CONTROL, sequence_control, charge_parameters_done, "Parameters", VIEW_GATE),
	F(SEQUENCE_CONTROL, sequence_control, user_stop_button, "User stop", VIEW_REQUEST),
	FN(ADM_CS_SECC_OUTPUTS, adm_cs_secc_outputs, digital_output1, "Digital outputs", VIEW_LEVELS, 4,
	   false),
	FN(ADM_CS_SPCC_OUTPUTS, adm_cs_spcc_outputs, digital_output1, "Digital outputs", VIEW_LEVELS, 2,
	   true),
	FN(ADM_CS_SECC_OUTPUTS, adm_cs_secc_outputs, led1, "LED 1 2 3", VIEW_NUMBERS, 3, false),
	FN(ADM_CS_SPCC_OUTPUTS, adm_cs_spcc_outputs, led1, "LED 1 2 3", VIEW_NUMBERS, 3, true),
};

static const struct view_field line[] = {
	F(CCS_EXTRA_INFORMATION, ccs_extra_information, cp_state, "CP state", VIEW_AUTO),
	F(CCS_EXTRA_INFORMATION, ccs_extra_information, cp_duty_cycle_permille, "CP duty cycle", VIEW_AUTO),
	F(MCS_EXTRA_INFORMATION, mcs_extra_information, ce_state, "MCS CE state", VIEW_AUTO),
	F(MCS_EXTRA_INFORMATION, mcs_extra_information, id_state, "MCS ID state", VIEW_AUTO),
};

static const struct view_field limits[] = {
	VIEW_ROW_LIMIT(0),
	VIEW_ROW_LIMIT(1),
	VIEW_ROW_LIMIT(2),
	VIEW_ROW_LIMIT(3),
	VIEW_ROW_LIMIT(4),
	VIEW_ROW_DERIVED(VIEW_DERATING, "Derating"),
	VIEW_ROW_DERIVED(VIEW_HOTTEST, "Hottest"),
};

static const struct view_field troubles[] = {VIEW_ROW_TROUBLE(0), VIEW_ROW_TROUBLE(1), VIEW_ROW_TROUBLE(2),
					     VIEW_ROW_TROUBLE(3)};

const struct view_panel view_evse_panels[] = {
	{"Charger control", control, VIEW_N(control)},
	{"Charger status", charger, VIEW_N(charger)},
	{"Limits", limits, VIEW_N(limits)},
	{"Charge session", session, VIEW_N(session)},
	{"Vehicle status", vehicle, VIEW_N(vehicle)},
	{"Charger parameters", parameters, VIEW_N(parameters)},
	{"Vehicle limits", vehicle_limits, VIEW_N(vehicle_limits)},
	{"Diagnostics", troubles, VIEW_N(troubles)},
	{"Lines", line, VIEW_N(line)},
};
const unsigned view_evse_n_panels = VIEW_N(view_evse_panels);
