/* SPDX-License-Identifier: MIT */
/* The facts of a charger's pistol (evse-v3.md). Pure. */
#include "monitor/mon_facts_priv.h"

#define FN_TRANSFER EVSE_DC_POWER_CONTROL_POWER_FUNCTION_POWER_TRANSFER

/* Below this the direction of the flow is what is wanted, not what is measured. */
#define FLOW_mA 500

static const struct facts_sensor power_modules = {"power modules", "power modules hot",
						  "power modules too hot", FACTS_MODULE_WARM_mdegC,
						  FACTS_MODULE_STOP_mdegC};
static const struct facts_sensor enclosure = {"enclosure", NULL, NULL, 0, 0};
static const struct facts_sensor cpu = {"CPU", NULL, NULL, 0, 0};
static const struct facts_sensor board = {"board", NULL, NULL, 0, 0};
static const struct facts_sensor pistol[2] = {
	{"pistol PTC 1", "pistol PTC 1 hot", "pistol PTC 1 too hot", FACTS_CABLE_WARM_mdegC,
	 FACTS_CABLE_STOP_mdegC},
	{"pistol PTC 2", "pistol PTC 2 hot", "pistol PTC 2 too hot", FACTS_CABLE_WARM_mdegC,
	 FACTS_CABLE_STOP_mdegC},
};
static const struct facts_sensor probe[4] = {
	{"PT1000 A", "PT1000 A hot", "PT1000 A too hot", FACTS_CABLE_WARM_mdegC, FACTS_CABLE_STOP_mdegC},
	{"PT1000 B", "PT1000 B hot", "PT1000 B too hot", FACTS_CABLE_WARM_mdegC, FACTS_CABLE_STOP_mdegC},
	{"PT1000 C", "PT1000 C hot", "PT1000 C too hot", FACTS_CABLE_WARM_mdegC, FACTS_CABLE_STOP_mdegC},
	{"PT1000 D", "PT1000 D hot", "PT1000 D too hot", FACTS_CABLE_WARM_mdegC, FACTS_CABLE_STOP_mdegC},
};

static enum mon_phase phase_of(unsigned state)
{
	switch (state) {
	case EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_NEGOTIATING_CONNECTION:
	case EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_CCS_AUTHORISATION_PROCESS:
		return MON_PHASE_PLUG;
	case EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_CONNECTED_WITH_FULL_INFO:
	case EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_CHARGE_PAUSE: /* goes on from there */
		return MON_PHASE_NEGOTIATION;
	case EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_INSULATION_TEST:
		return MON_PHASE_INSULATION;
	case EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_PRECHARGE:
	case EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_WAITING_FOR_CHARGE:
		return MON_PHASE_PRECHARGE;
	case EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_CHARGING:
		return MON_PHASE_CHARGING;
	case EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_ENDING_CHARGE:
	case EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_WELDING_DETECTION:
	case EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_CLOSING_COMMUNICATION:
		return MON_PHASE_ENDING;
	default:
		return MON_PHASE_LINK;
	}
}

static void state_facts(const struct mon_model *m, unsigned point, struct mon_facts *f)
{
	struct evse_advantics_controller_status status;
	struct evse_new_charge_session session;

	if (mon_get(m, point, EVSE_ADVANTICS_CONTROLLER_STATUS, &status) >= 0) {
		f->state = status.state;
		f->state_name =
			mon_label(m, EVSE_ADVANTICS_CONTROLLER_STATUS, "State", status.state, "unknown");
		f->phase = phase_of(status.state);
	} else if (f->module_age_us >= 0) {
		f->phase = MON_PHASE_LINK;
	}
	if (facts_of_session(m, point, EVSE_NEW_CHARGE_SESSION, &session)) {
		f->protocol = mon_label(m, EVSE_NEW_CHARGE_SESSION, "Communication_Protocol",
					session.communication_protocol, "unknown");
		f->pins = mon_label(m, EVSE_NEW_CHARGE_SESSION, "Plug_and_pins", session.plug_and_pins,
				    "unknown");
	}
}

static void charger_facts(const struct mon_model *m, unsigned point, struct mon_facts *f)
{
	struct evse_power_modules_status s;

	if (mon_get(m, point, EVSE_POWER_MODULES_STATUS, &s) < 0)
		return;
	f->present_mV = s.present_voltage_mV;
	f->present_mA = s.present_current_mA;
	f->power_W = fc_power_W(s.present_voltage_mV, s.present_current_mA);
	f->insulation_ohm = s.insulation_resistance_ohm;
	facts_temperature(f, &power_modules, s.power_modules_temperature_mdegC);
	facts_temperature(f, &enclosure, s.enclosure_temperature_mdegC);
}

static void vehicle_facts(const struct mon_model *m, unsigned point, struct mon_facts *f)
{
	struct evse_ev_information_battery b;
	struct evse_ev_information_voltages v;
	struct evse_new_charge_session s;

	if (facts_of_session(m, point, EVSE_EV_INFORMATION_BATTERY, &b)) {
		f->capacity_Wh = b.battery_capacity_Wh;
		if (b.target_state_of_charge_permille > 0)
			f->target_soc_permille = b.target_state_of_charge_permille;
	} else if (facts_of_session(m, point, EVSE_NEW_CHARGE_SESSION, &s)) {
		f->capacity_Wh = s.battery_capacity_Wh; /* 3.0; else 0 */
	}
	if (m->point[point].session.is_running)
		f->soc_permille = m->point[point].own.soc_permille;
	if (facts_of_session(m, point, EVSE_EV_INFORMATION_VOLTAGES, &v) && v.ev_present_voltage_mV > 0)
		f->battery_mV = v.ev_present_voltage_mV;
}

static void input_facts(const struct mon_model *m, unsigned point, struct mon_facts *f)
{
	struct evse_adm_cs_secc_inputs secc;
	struct evse_adm_cs_spcc_inputs spcc;
	struct evse_adm_co_cui1_inputs cui1;

	if (mon_get(m, point, EVSE_ADM_CS_SECC_INPUTS, &secc) >= 0) {
		facts_temperature(f, &cpu, secc.cpu_temperature_mdegC);
		facts_temperature(f, &pistol[0], secc.pistol_ptc1_mdegC);
		facts_temperature(f, &pistol[1], secc.pistol_ptc2_mdegC);
	}
	if (mon_get(m, point, EVSE_ADM_CO_CUI1_INPUTS, &cui1) >= 0) {
		facts_temperature(f, &board, cui1.colibri_temperature_mdegC);
		facts_temperature(f, &cpu, cui1.cpu_temperature_mdegC);
		facts_temperature(f, &pistol[0], cui1.pistol_ptc1_mdegC);
		facts_temperature(f, &pistol[1], cui1.pistol_ptc2_mdegC);
	}
	if (mon_get(m, point, EVSE_ADM_CS_SPCC_INPUTS, &spcc) >= 0) {
		facts_temperature(f, &cpu, spcc.cpu_temperature0_mdegC);
		facts_temperature(f, &cpu, spcc.cpu_temperature1_mdegC);
		facts_temperature(f, &probe[0], spcc.pt1k_a_mdegC);
		facts_temperature(f, &probe[1], spcc.pt1k_b_mdegC);
		facts_temperature(f, &probe[2], spcc.pt1ks_c_mdegC);
		facts_temperature(f, &probe[3], spcc.pt1ks_d_mdegC);
	}
}

/* --- limits --------------------------------------------------------------------------------------------------- */

static int32_t unless_zero(int32_t value)
{
	return value > 0 ? value : MON_UNKNOWN;
}

static int32_t current_of_power(int32_t power_W, int32_t voltage_mV)
{
	if (power_W <= 0 || voltage_mV == MON_UNKNOWN || voltage_mV <= 0)
		return MON_UNKNOWN;
	return fc_current_at_power_mA(power_W, voltage_mV);
}

/* The voltage that power limits are turned into currents with: measured, else wanted. */
static int32_t voltage_of(const struct mon_facts *f)
{
	return f->present_mV != MON_UNKNOWN && f->present_mV > 20000 ? f->present_mV : f->target_mV;
}

static void charge_limits(const struct mon_model *m, unsigned point, struct mon_facts *f,
			  const struct evse_dc_power_parameters *charger)
{
	struct evse_ev_information_charge_limits ev;
	struct evse_new_charge_session session;
	int32_t vehicle_mA = MON_UNKNOWN;

	if (facts_of_session(m, point, EVSE_EV_INFORMATION_CHARGE_LIMITS, &ev))
		vehicle_mA = unless_zero(ev.ev_maximum_charge_current_mA);
	else if (facts_of_session(m, point, EVSE_NEW_CHARGE_SESSION, &session))
		vehicle_mA = unless_zero(session.ev_maximum_current_mA); /* 3.0 */
	facts_limit(f, "charger limit", unless_zero(charger->maximum_charge_current_mA));
	facts_limit(f, "vehicle limit", vehicle_mA);
	facts_limit(f, "vehicle power", current_of_power(ev.ev_maximum_charge_power_W, voltage_of(f)));
}

static void discharge_limits(const struct mon_model *m, unsigned point, struct mon_facts *f,
			     const struct evse_dc_power_parameters *charger)
{
	struct evse_ev_information_discharge_limits ev;

	facts_of_session(m, point, EVSE_EV_INFORMATION_DISCHARGE_LIMITS, &ev);
	facts_limit(f, "charger limit", unless_zero(charger->maximum_discharge_current_mA));
	facts_limit(f, "vehicle limit", unless_zero(ev.ev_maximum_discharge_current_mA));
	facts_limit(f, "vehicle power", current_of_power(ev.ev_maximum_discharge_power_W, voltage_of(f)));
}

static void limit_facts(const struct mon_model *m, unsigned point, struct mon_facts *f,
			const struct evse_dc_power_control *want)
{
	struct evse_dc_power_parameters charger;
	struct evse_ocpp_control ocpp;
	bool is_range = want->setpoints_mode == EVSE_DC_POWER_CONTROL_SETPOINTS_MODE_RANGE_MODE;
	bool is_flowing = f->present_mA != MON_UNKNOWN && fc_abs_i32(f->present_mA) > FLOW_mA;
	bool is_back = is_flowing ? f->present_mA < 0 : f->target_mA != MON_UNKNOWN && f->target_mA < 0;
	int32_t end_mA = is_back && is_range ? want->current_range_min_mA : want->current_range_max_mA;

	mon_get(m, point, EVSE_DC_POWER_PARAMETERS, &charger);
	facts_limit(f, is_range ? "range" : "request",
		    want->power_function == FN_TRANSFER ? fc_abs_i32(end_mA) : MON_UNKNOWN);
	if (is_back)
		discharge_limits(m, point, f, &charger);
	else
		charge_limits(m, point, f, &charger);
	if (is_range && facts_of_session(m, point, EVSE_OCPP_CONTROL, &ocpp) &&
	    (ocpp.dynamic_target_current_mA < 0) == is_back)
		facts_limit(f, "OCPP target", fc_abs_i32(ocpp.dynamic_target_current_mA));
	if (f->phase != MON_PHASE_CHARGING || want->power_function != FN_TRANSFER || f->target_mA == 0)
		return;
	facts_bind(f, 0);
	if (!is_back)
		facts_derating(m, point, f, unless_zero(charger.maximum_charge_current_mA),
			       f->present_mV >= want->target_voltage_mV - want->target_voltage_mV / 200);
}

static bool is_function_known(unsigned function)
{
	return function <= FN_TRANSFER && (function & (function - 1)) == 0; /* Off, or one bit */
}

/* What the module wants now. */
static void want_facts(const struct mon_model *m, unsigned point, struct mon_facts *f,
		       struct evse_dc_power_control *want)
{
	struct evse_ocpp_control ocpp;

	if (mon_get(m, point, EVSE_DC_POWER_CONTROL, want) < 0)
		return;
	f->target_mV = want->target_voltage_mV;
	f->target_mA = want->current_range_max_mA;
	if (want->setpoints_mode && want->power_function == FN_TRANSFER &&
	    facts_of_session(m, point, EVSE_OCPP_CONTROL, &ocpp) &&
	    want->current_range_min_mA <= want->current_range_max_mA)
		f->target_mA = fc_clamp_i32(ocpp.dynamic_target_current_mA, want->current_range_min_mA,
					    want->current_range_max_mA);
	if (m->cfg.version != EVSE_V3_0) {
		f->is_contactor_known = true;
		f->are_contactors_closed = want->output_contactors != 0;
	}
	if (!is_function_known(want->power_function))
		facts_diagnostic(f, MON_WARNING, "power function unknown: no power"); /* rule E-04 */
}

static void fault_facts(const struct mon_model *m, unsigned point, struct mon_facts *f)
{
	const struct mon_point *p = &m->point[point];
	struct evse_emergency_stop e;

	f->is_emergency = p->own.is_emergency;
	if (f->is_emergency) {
		mon_get(m, point, EVSE_EMERGENCY_STOP, &e);
		f->emergency_origin = mon_label(m, EVSE_EMERGENCY_STOP, "Origin", e.origin, "unknown");
		facts_diagnostic(f, MON_FAULT,
				 e.origin == EVSE_EMERGENCY_STOP_ORIGIN_EVSE ? "emergency stop by EVSE"
				 : e.origin == EVSE_EMERGENCY_STOP_ORIGIN_PEV
					 ? "emergency stop by PEV"
					 : "emergency stop of unknown origin");
	}
	if (p->own.is_insulation_low)
		facts_diagnostic(f, MON_FAULT, "insulation below 100 ohm per volt"); /* rule E-83 */
	if (p->session.is_running && p->own.is_enable_lost)
		facts_diagnostic(f, MON_FAULT, "System_Enable withdrawn");
	if (p->session.is_known && p->own.is_rushed && !f->is_emergency)
		facts_diagnostic(f, MON_NOTICE,
				 p->session.is_running ? "rushed stop" : "last session: rushed stop");
}

void mon_facts_evse(const struct mon_model *m, unsigned point, struct mon_facts *f)
{
	struct evse_dc_power_control want;

	f->is_module_silent = facts_is_silent(m, point, EVSE_ADVANTICS_CONTROLLER_STATUS, MON_MODULE);
	f->is_controller_silent = facts_is_silent(m, point, EVSE_POWER_MODULES_STATUS, MON_CONTROLLER);
	state_facts(m, point, f);
	fault_facts(m, point, f);
	charger_facts(m, point, f);
	vehicle_facts(m, point, f);
	input_facts(m, point, f);
	want_facts(m, point, f, &want);
	limit_facts(m, point, f, &want);
}
