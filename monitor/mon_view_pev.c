/* SPDX-License-Identifier: MIT */
/*
 * Panels of the vehicle's side: every signal of PEV generic interface v2, in all its versions. A message or signal
 * that a version lacks takes no row. Pure.
 */
#include <stddef.h>

#include "monitor/mon_view_draw.h"

#include "pev_msgs.h"

/* Message, struct, member: the offset finds the signal in every version. */
#define F(msg, type, member, text, as)                                             \
	{                                                                          \
		PEV_##msg, offsetof(struct pev_##type, member), text, as, 1, false \
	}
#define FN(msg, type, member, text, as, n)                                         \
	{                                                                          \
		PEV_##msg, offsetof(struct pev_##type, member), text, as, n, false \
	}

static const struct view_field control[] = {
	F(DC_CONTROL, dc_control, close_contactors, "DC contactors", VIEW_CLOSED),
	F(AC_CONTROL, ac_control, ready_to_deliver_power, "AC EVSE ready", VIEW_GATE),
	F(ADM_CS_EVCC_INPUTS, adm_cs_evcc_inputs, dc_contactor_positive_feedback, "Feedback +", VIEW_CLOSED),
	F(ADM_CS_EVCC_INPUTS, adm_cs_evcc_inputs, dc_contactor_negative_feedback, "Feedback -", VIEW_CLOSED),
	F(ADM_CS_EVCC_INPUTS, adm_cs_evcc_inputs, stop_charge, "Stop input", VIEW_REQUEST),
	FN(ADM_CS_EVCC_INPUTS, adm_cs_evcc_inputs, digital_input1, "Digital inputs", VIEW_LEVELS, 2),
	F(ADM_CS_EVCC_INPUTS, adm_cs_evcc_inputs, ptc0_mdegC, "PTC 0", VIEW_TEMP),
	F(ADM_CS_EVCC_INPUTS, adm_cs_evcc_inputs, ptc1_mdegC, "PTC 1", VIEW_TEMP),
	F(ADM_CS_EVCC_INPUTS, adm_cs_evcc_inputs, ptc2_mdegC, "PTC 2", VIEW_TEMP),
	F(ADM_CS_EVCC_INPUTS, adm_cs_evcc_inputs, cpu_temperature_mdegC, "CPU", VIEW_TEMP),
	F(ADM_CS_EVCC_INPUTS, adm_cs_evcc_inputs, can_sensor_temperature_mdegC, "CAN sensor", VIEW_TEMP),
};

static const struct view_field session[] = {
	F(EVSE_INFORMATION, evse_information, communication_stage, "Stage", VIEW_AUTO),
	VIEW_ROW_DERIVED(VIEW_STATE_SPAN, "In stage for"),
	F(EVSE_INFORMATION, evse_information, protocol, "Protocol", VIEW_GIVEN),
	F(EVSE_INFORMATION, evse_information, pins, "Pins", VIEW_GIVEN),
	F(CCS_EXTRA_INFORMATION, ccs_extra_information, cp_duty_cycle_permille, "CP duty cycle", VIEW_AUTO),
	F(CCS_EXTRA_INFORMATION, ccs_extra_information, cp_top_voltage_mV, "CP top voltage", VIEW_AUTO),
	F(CCS_EXTRA_INFORMATION, ccs_extra_information, cp_state, "CP state", VIEW_AUTO),
	F(CCS_EXTRA_INFORMATION, ccs_extra_information, pp_resistance_ohm, "PP resistance", VIEW_AUTO),
	F(CCS_EXTRA_INFORMATION, ccs_extra_information, inlet_lock_state, "Inlet lock", VIEW_AUTO),
	F(MCS_EXTRA_INFORMATION, mcs_extra_information, ce_state, "MCS CE state", VIEW_AUTO),
	F(MCS_EXTRA_INFORMATION, mcs_extra_information, id_state, "MCS ID state", VIEW_AUTO),
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
	F(EV_INFORMATION, ev_information, state_of_charge_permille, "State of charge", VIEW_AUTO),
	F(EV_INFORMATION, ev_information, energy_capacity_Wh, "Energy capacity", VIEW_GIVEN),
	F(DC_STATUS2, dc_status2, inlet_voltage_mV, "DC inlet voltage", VIEW_AUTO),
	F(DC_STATUS2, dc_status2, battery_voltage_mV, "Battery voltage", VIEW_AUTO),
	F(DC_STATUS1, dc_status1, target_voltage_mV, "Target voltage", VIEW_GIVEN),
	F(DC_STATUS1, dc_status1, max_charge_current_mA, "Current request", VIEW_AUTO),
	F(DC_STATUS1, dc_status1, max_discharge_current_mA, "Max discharge", VIEW_AUTO),
	F(DC_STATUS1, dc_status1, present_current_mA, "Present current", VIEW_AUTO),
	F(DC_STATUS2, dc_status2, contactors_closed, "Contactors", VIEW_CLOSED),
	F(DC_STATUS2, dc_status2, normal_end_of_charge, "Normal end", VIEW_REQUEST),
	F(DC_STATUS2, dc_status2, emergency_stop, "Emergency stop", VIEW_FAULT),
	F(AC_STATUS, ac_status, ready_to_charge, "AC vehicle ready", VIEW_GATE),
	F(EV_STATUS, ev_status, hv_preparing_hold_off, "HV hold", VIEW_REQUEST),
	F(EV_STATUS, ev_status, charge_pause_request, "Pause request", VIEW_REQUEST),
	F(EV_STATUS, ev_status, charge_resume_request, "Resume request", VIEW_REQUEST),
	F(EV_STATUS, ev_status, iso15118_part20_scheduled_mode_control, "Scheduled mode", VIEW_AUTO),
};

static const struct view_field charger[] = {
	F(EVSE_INFORMATION, evse_information, max_current_mA, "Max current", VIEW_AUTO),
	F(EVSE_INFORMATION, evse_information, rcd_status, "RCD", VIEW_FAULT),
	F(EVCC_MEVC_DIAGNOSTIC_STATUS, evcc_mevc_diagnostic_status, evse_status_code, "Status code",
	  VIEW_AUTO),
	F(EVCC_MEVC_DIAGNOSTIC_STATUS, evcc_mevc_diagnostic_status, evse_isolation_level, "Isolation level",
	  VIEW_AUTO),
	F(EVCC_MEVC_DIAGNOSTIC_STATUS, evcc_mevc_diagnostic_status, hlc_response_code, "HLC response",
	  VIEW_AUTO),
};

static const struct view_field parameters[] = {
	F(EV_ENERGY_REQUEST, ev_energy_request, target_energy_request_Wh, "Energy target", VIEW_AUTO),
	F(EV_ENERGY_REQUEST, ev_energy_request, minimum_energy_request_Wh, "Energy minimum", VIEW_AUTO),
	F(EV_ENERGY_REQUEST, ev_energy_request, maximum_energy_request_Wh, "Energy maximum", VIEW_AUTO),
	F(EV_V2X_ENERGY_REQUEST, ev_v2x_energy_request, minimum_v2x_energy_request_Wh, "V2X minimum",
	  VIEW_AUTO),
	F(EV_V2X_ENERGY_REQUEST, ev_v2x_energy_request, maximum_v2x_energy_request_Wh, "V2X maximum",
	  VIEW_AUTO),
	F(EV_EXTRA_BPT_INFORMATION, ev_extra_bpt_information, departure_time_s, "Departure in", VIEW_AUTO),
	FN(ADM_CS_EVCC_MEVC_OUTPUTS, adm_cs_evcc_mevc_outputs, digital_output1, "Digital outputs",
	   VIEW_LEVELS, 3),
	FN(ADM_CS_EVCC_MEVC_OUTPUTS, adm_cs_evcc_mevc_outputs, led1, "LED 1 2 3", VIEW_NUMBERS, 3),
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

static const struct view_field troubles[] = {
	VIEW_ROW_TROUBLE(0), VIEW_ROW_TROUBLE(1), VIEW_ROW_TROUBLE(2), VIEW_ROW_TROUBLE(3),
	VIEW_ROW_TROUBLE(4), VIEW_ROW_TROUBLE(5), VIEW_ROW_TROUBLE(6), VIEW_ROW_TROUBLE(7),
};

const struct view_panel view_pev_panels[] = {
	{"Vehicle control", control, VIEW_N(control)},
	{"Vehicle status", vehicle, VIEW_N(vehicle)},
	{"Limits", limits, VIEW_N(limits)},
	{"Charge session", session, VIEW_N(session)},
	{"Charger status", charger, VIEW_N(charger)},
	{"Vehicle parameters", parameters, VIEW_N(parameters)},
	{"Diagnostics", troubles, VIEW_N(troubles)},
};
const unsigned view_pev_n_panels = VIEW_N(view_pev_panels);
