/* SPDX-License-Identifier: MIT */
/* The facts of a vehicle (pev-v2.md). Pure. */
#include "monitor/mon_facts_priv.h"

#define FLOW_mA 500

/* HLC_ResponseCode from the first warning on. */
static const char *const response_text[] = {
	[6] = "response code 6: WARNING_AuthorizationSelectionInvalid",
	[7] = "response code 7: WARNING_CertificateExpired",
	[8] = "response code 8: WARNING_CertificateNotYetValid",
	[9] = "response code 9: WARNING_CertificateRevoked",
	[10] = "response code 10: WARNING_CertificateValidationError",
	[11] = "response code 11: WARNING_ChallengeInvalid",
	[12] = "response code 12: WARNING_EIMAuthorizationFailure",
	[13] = "response code 13: WARNING_eMSPUnknown",
	[14] = "response code 14: WARNING_EVPowerProfileViolation",
	[15] = "response code 15: WARNING_GeneralPnCAuthorizationError",
	[16] = "response code 16: WARNING_NoCertificateAvailable",
	[17] = "response code 17: WARNING_NoContractMatchingPCIDFound",
	[18] = "response code 18: WARNING_PowerToleranceNotConfirmed",
	[19] = "response code 19: WARNING_ScheduleRenegotiationFailed",
	[20] = "response code 20: WARNING_StandbyNotAllowed",
	[21] = "response code 21: WARNING_WPT",
	[22] = "response code 22: FAILED",
	[23] = "response code 23: FAILED_AssociationError",
	[24] = "response code 24: FAILED_ContactorError",
	[25] = "response code 25: FAILED_EVPowerProfileInvalid",
	[26] = "response code 26: FAILED_EVPowerProfileViolation",
	[27] = "response code 27: FAILED_MeteringSignatureNotValid",
	[28] = "response code 28: FAILED_NoEnergyTransferServiceSelected",
	[29] = "response code 29: FAILED_NoServiceRenegotiationSupported",
	[30] = "response code 30: FAILED_PauseNotAllowed",
	[31] = "response code 31: FAILED_PowerDeliveryNotApplied",
	[32] = "response code 32: FAILED_PowerToleranceNotConfirmed",
	[33] = "response code 33: FAILED_ScheduleRenegotiation",
	[34] = "response code 34: FAILED_ScheduleSelectionInvalid",
	[35] = "response code 35: FAILED_SequenceError",
	[36] = "response code 36: FAILED_ServiceIDInvalid",
	[37] = "response code 37: FAILED_ServiceSelectionInvalid",
	[38] = "response code 38: FAILED_SignatureError",
	[39] = "response code 39: FAILED_UnknownSession",
	[40] = "response code 40: FAILED_WrongChargeParameter",
	[41] = "response code 41: FAILED_PaymentSelectionInvalid",
	[42] = "response code 42: FAILED_CertificateExpired",
	[43] = "response code 43: FAILED_CertChainError",
	[44] = "response code 44: FAILED_ChallengeInvalid",
	[45] = "response code 45: FAILED_ContractCanceled",
	[46] = "response code 46: FAILED_TariffSelectionInvalid",
	[47] = "response code 47: FAILED_ChargingProfileInvalid",
	[48] = "response code 48: FAILED_NoChargeServiceSelected",
	[49] = "response code 49: FAILED_WrongEnergyTransferMode",
	[50] = "response code 50: FAILED_CertificateNotAllowedAtThisEVSE",
	[51] = "response code 51: FAILED_CertificateRevoked",
	[52] = "response code 52: FAILED_EVSEPresentVoltageToLow",
	[53] = "response code 53: FAILED_WrongEnergyTransferType",
};

static const struct facts_sensor inlet[3] = {
	{"inlet PTC 0", "inlet PTC 0 hot", "inlet PTC 0 too hot", FACTS_CABLE_WARM_mdegC,
	 FACTS_CABLE_STOP_mdegC},
	{"inlet PTC 1", "inlet PTC 1 hot", "inlet PTC 1 too hot", FACTS_CABLE_WARM_mdegC,
	 FACTS_CABLE_STOP_mdegC},
	{"inlet PTC 2", "inlet PTC 2 hot", "inlet PTC 2 too hot", FACTS_CABLE_WARM_mdegC,
	 FACTS_CABLE_STOP_mdegC},
};
static const struct facts_sensor cpu = {"CPU", NULL, NULL, 0, 0};
static const struct facts_sensor can_sensor = {"CAN sensor", NULL, NULL, 0, 0};

static enum mon_phase phase_of(unsigned stage)
{
	switch (stage) {
	case PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_NEGOTIATING_CONNECTION:
		return MON_PHASE_PLUG;
	case PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_CONNECTED_WITH_FULL_INFO:
	case PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_CHARGE_PAUSE: /* goes on from there */
		return MON_PHASE_NEGOTIATION;
	case PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_INSULATION_TEST:
		return MON_PHASE_INSULATION;
	case PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_PRECHARGE:
	case PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_WAITING_FOR_CHARGE:
		return MON_PHASE_PRECHARGE;
	case PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_CHARGING:
		return MON_PHASE_CHARGING;
	case PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_ENDING_CHARGE:
	case PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_WELDING_DETECTION:
	case PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_CLOSING_COMMUNICATION:
		return MON_PHASE_ENDING;
	default:
		return MON_PHASE_LINK;
	}
}

static void stage_facts(const struct mon_model *m, struct mon_facts *f, struct pev_evse_information *info)
{
	if (mon_get(m, 0, PEV_EVSE_INFORMATION, info) < 0) {
		if (f->module_age_us >= 0)
			f->phase = MON_PHASE_LINK;
		return;
	}
	f->state = info->communication_stage;
	f->state_name = mon_label(m, PEV_EVSE_INFORMATION, "Communication_Stage", info->communication_stage,
				  "unknown");
	f->phase = phase_of(info->communication_stage);
	if (info->protocol)
		f->protocol = mon_label(m, PEV_EVSE_INFORMATION, "Protocol", info->protocol, "unknown");
	if (info->pins)
		f->pins = mon_label(m, PEV_EVSE_INFORMATION, "Pins", info->pins, "unknown");
	if (info->rcd_status)
		facts_diagnostic(f, MON_FAULT, "residual current device of the charger: error");
}

static void battery_facts(const struct mon_model *m, struct mon_facts *f)
{
	struct pev_ev_information battery;
	struct pev_ev_energy_request energy;

	if (mon_get(m, 0, PEV_EV_INFORMATION, &battery) < 0)
		return;
	f->soc_permille = battery.state_of_charge_permille;
	f->capacity_Wh = battery.energy_capacity_Wh;
	if (f->capacity_Wh > 0 && mon_get(m, 0, PEV_EV_ENERGY_REQUEST, &energy) >= 0)
		f->target_soc_permille = fc_clamp_i32(
			(energy.target_energy_request_Wh * 1000 + f->capacity_Wh / 2) / f->capacity_Wh, 0,
			INT32_MAX);
}

static void measured_facts(const struct mon_model *m, struct mon_facts *f, struct pev_dc_status1 *currents)
{
	struct pev_dc_status2 volts;

	if (mon_get(m, 0, PEV_DC_STATUS1, currents) >= 0) {
		f->present_mA = currents->present_current_mA;
		f->target_mA = currents->max_charge_current_mA;
		if (currents->target_voltage_mV > 0)
			f->target_mV = currents->target_voltage_mV;
	}
	if (mon_get(m, 0, PEV_DC_STATUS2, &volts) < 0)
		return;
	f->present_mV = volts.inlet_voltage_mV;
	f->battery_mV = volts.battery_voltage_mV;
	f->is_contactor_known = true;
	f->are_contactors_closed = volts.contactors_closed != 0;
	if (f->present_mA != MON_UNKNOWN)
		f->power_W = fc_power_W(volts.battery_voltage_mV, f->present_mA);
}

static void input_facts(const struct mon_model *m, struct mon_facts *f)
{
	struct pev_adm_cs_evcc_inputs inputs;
	struct pev_ccs_extra_information lines;

	if (mon_get(m, 0, PEV_ADM_CS_EVCC_INPUTS, &inputs) >= 0) {
		facts_temperature(f, &inlet[0], inputs.ptc0_mdegC);
		facts_temperature(f, &inlet[1], inputs.ptc1_mdegC);
		facts_temperature(f, &inlet[2], inputs.ptc2_mdegC);
		facts_temperature(f, &cpu, inputs.cpu_temperature_mdegC);
		facts_temperature(f, &can_sensor, inputs.can_sensor_temperature_mdegC);
		if (inputs.stop_charge)
			facts_diagnostic(f, MON_NOTICE, "stop input active");
	}
	if (mon_get(m, 0, PEV_CCS_EXTRA_INFORMATION, &lines) >= 0 &&
	    lines.inlet_lock_state == PEV_CCS_EXTRA_INFORMATION_INLET_LOCK_STATE_FAULT)
		facts_diagnostic(f, MON_FAULT, "inlet lock fault");
}

static void limit_facts(const struct mon_model *m, struct mon_facts *f,
			const struct pev_evse_information *info, const struct pev_dc_status1 *currents)
{
	bool is_flowing = f->present_mA != MON_UNKNOWN && fc_abs_i32(f->present_mA) > FLOW_mA;
	bool is_back = is_flowing ? f->present_mA < 0 : f->target_mA != MON_UNKNOWN && f->target_mA < 0;
	int32_t charger_mA = info->max_current_mA > 0 ? info->max_current_mA : MON_UNKNOWN;
	int32_t request_mA = f->target_mA == MON_UNKNOWN ? MON_UNKNOWN : fc_abs_i32(f->target_mA);

	if (is_back && f->target_mA >= 0) /* Dynamic mode: the request is a limit for charging only */
		request_mA = MON_UNKNOWN;
	facts_limit(f, "request", request_mA);
	facts_limit(f, "charger limit", charger_mA);
	if (is_back)
		facts_limit(f, "discharge limit",
			    currents->max_discharge_current_mA > 0 ? currents->max_discharge_current_mA
								   : MON_UNKNOWN);
	if (f->phase != MON_PHASE_CHARGING || f->target_mA == MON_UNKNOWN || (f->target_mA == 0 && !is_back))
		return;
	facts_bind(f, 0);
	if (!is_back)
		facts_derating(m, 0, f, charger_mA,
			       f->target_mV != MON_UNKNOWN &&
				       f->present_mV >= f->target_mV - f->target_mV / 200);
}

/* --- diagnostics ----------------------------------------------------------------------------------------------- */

static void status_code(struct mon_facts *f, unsigned code)
{
	switch (code) {
	case PEV_EVCC_MEVC_DIAGNOSTIC_STATUS_EVSE_STATUS_CODE_EVSE_SHUTDOWN:
		facts_diagnostic(f, MON_NOTICE, "charger status 3: EVSE_Shutdown");
		break;
	case PEV_EVCC_MEVC_DIAGNOSTIC_STATUS_EVSE_STATUS_CODE_EVSE_UTILITY_INTERRUPT_EVENT:
		facts_diagnostic(f, MON_WARNING, "charger status 4: EVSE_UtilityInterruptEvent");
		break;
	case PEV_EVCC_MEVC_DIAGNOSTIC_STATUS_EVSE_STATUS_CODE_EVSE_EMERGENCY_SHUTDOWN:
		facts_diagnostic(f, MON_FAULT, "charger status 6: EVSE_EmergencyShutdown");
		break;
	case PEV_EVCC_MEVC_DIAGNOSTIC_STATUS_EVSE_STATUS_CODE_EVSE_MALFUNCTION:
		facts_diagnostic(f, MON_FAULT, "charger status 7: EVSE_Malfunction");
		break;
	case PEV_EVCC_MEVC_DIAGNOSTIC_STATUS_EVSE_STATUS_CODE_INVALID:
		facts_diagnostic(f, MON_WARNING, "charger status 8: Invalid");
		break;
	default: /* ready or on the way there */
		break;
	}
}

/* "Invalid" is what a charger says until its test has passed. */
static void isolation_level(struct mon_facts *f, unsigned level)
{
	bool is_tested = f->phase == MON_PHASE_PRECHARGE || f->phase == MON_PHASE_CHARGING;

	switch (level) {
	case PEV_EVCC_MEVC_DIAGNOSTIC_STATUS_EVSE_ISOLATION_LEVEL_INVALID:
		if (is_tested)
			facts_diagnostic(f, MON_WARNING, "isolation level: Invalid");
		break;
	case PEV_EVCC_MEVC_DIAGNOSTIC_STATUS_EVSE_ISOLATION_LEVEL_WARNING:
		facts_diagnostic(f, MON_WARNING, "isolation level: Warning");
		break;
	case PEV_EVCC_MEVC_DIAGNOSTIC_STATUS_EVSE_ISOLATION_LEVEL_FAULT:
		facts_diagnostic(f, MON_FAULT, "isolation level: Fault");
		break;
	case PEV_EVCC_MEVC_DIAGNOSTIC_STATUS_EVSE_ISOLATION_LEVEL_NO_IMD:
		facts_diagnostic(f, MON_NOTICE, "isolation level: No_IMD");
		break;
	default: /* Undefined, Valid */
		break;
	}
}

static void diagnostic_facts(const struct mon_model *m, struct mon_facts *f)
{
	struct pev_evcc_mevc_diagnostic_status d;
	uint64_t left;
	unsigned code;

	if (mon_get(m, 0, PEV_EVCC_MEVC_DIAGNOSTIC_STATUS, &d) < 0)
		return;
	left = msg_load64(m->point[0].msg[PEV_EVCC_MEVC_DIAGNOSTIC_STATUS].data) &
	       ((UINT64_C(1) << MON_N_PEV_DIAGNOSTICS) - 1);
	for (; left; left &= left - 1)
		facts_diagnostic(f, MON_FAULT, mon_pev_diagnostic((unsigned)__builtin_ctzll(left)));
	code = d.hlc_response_code;
	if (code >= sizeof(response_text) / sizeof(response_text[0]))
		facts_diagnostic(f, MON_WARNING, "response code unknown");
	else if (code >= MON_PEV_FIRST_WARNING)
		facts_diagnostic(f, code >= MON_PEV_FIRST_FAILURE ? MON_FAULT : MON_WARNING,
				 response_text[code]);
	status_code(f, d.evse_status_code);
	isolation_level(f, d.evse_isolation_level);
	if (d.evse_status_code == PEV_EVCC_MEVC_DIAGNOSTIC_STATUS_EVSE_STATUS_CODE_EVSE_EMERGENCY_SHUTDOWN) {
		f->is_emergency = true;
		f->emergency_origin = "EVSE";
	}
}

static void request_facts(const struct mon_model *m, struct mon_facts *f)
{
	struct pev_ev_status status;
	struct pev_dc_status2 volts;

	if (mon_get(m, 0, PEV_EV_STATUS, &status) >= 0 && status.hv_preparing_hold_off)
		facts_diagnostic(f, MON_NOTICE, "vehicle holds the session off");
	if (mon_get(m, 0, PEV_DC_STATUS2, &volts) >= 0 && volts.emergency_stop) {
		f->is_emergency = true;
		f->emergency_origin = "PEV";
		facts_diagnostic(f, MON_FAULT, "emergency stop by PEV");
	}
}

/* The older one of the two that the module watches; a vehicle without them by its newest frame. */
static bool is_vehicle_silent(const struct mon_model *m)
{
	const struct mon_msg *g = m->point[0].msg;

	if (g[PEV_DC_STATUS1].n && g[PEV_DC_STATUS2].n &&
	    g[PEV_DC_STATUS2].last_us < g[PEV_DC_STATUS1].last_us)
		return facts_is_silent(m, 0, PEV_DC_STATUS2, MON_CONTROLLER);
	return facts_is_silent(m, 0, g[PEV_DC_STATUS1].n ? PEV_DC_STATUS1 : PEV_DC_STATUS2, MON_CONTROLLER);
}

void mon_facts_pev(const struct mon_model *m, unsigned point, struct mon_facts *f)
{
	struct pev_evse_information info;
	struct pev_dc_status1 currents;

	(void)point; /* one vehicle, point 0 */
	f->is_module_silent = facts_is_silent(m, 0, PEV_DC_CONTROL, MON_MODULE);
	f->is_controller_silent = is_vehicle_silent(m);
	stage_facts(m, f, &info);
	battery_facts(m, f);
	measured_facts(m, f, &currents);
	input_facts(m, f);
	diagnostic_facts(m, f);
	request_facts(m, f);
	limit_facts(m, f, &info, &currents);
}
