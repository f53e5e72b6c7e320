/* SPDX-License-Identifier: MIT */
/* The generic interface and the control pilot as frames, seen from the virtual SECC. Pure. */
#include "sim/secc_priv.h"

#include <string.h>

#include "plug_msgs.h"

#define INDEX(s) ((unsigned)(s)->cfg.index)

/* Numbers of the PEV side's Pilot_EV and of New_Charge_Session (evse-v3.md section 3). */
enum { NCS_DIN = 0, NCS_ISO2_2013 = 2, PINS_DC_CORE = 0, PINS_DC_EXTENDED = 1 };

static canid_t id_of(const struct secc *s, enum evse_msg msg)
{
	const struct msg_layout *l = &s->layout.evse[msg];

	return msg_exists(l) ? l->id | (canid_t)INDEX(s) << MSG_INDEX_SHIFT : CAN_ERR_FLAG;
}

void secc_wire_send(struct secc *s, int64_t now_us, enum evse_msg msg, const void *m, struct out_queue *out)
{
	const struct msg_layout *l = &s->layout.evse[msg];
	struct can_frame f;

	if (!msg_exists(l))
		return; /* the profile does not know it (rule E-07) */
	s->count.n_clipped += msg_to_frame(l, m, INDEX(s), &f);
	plug_tx_frame(&s->tx, now_us, &f, out);
}

void secc_wire_charge_status(struct secc *s, int64_t now_us, bool is_started, struct out_queue *out)
{
	struct evse_charge_status_change m = {.vehicle_ready_for_charging = is_started};

	secc_wire_send(s, now_us, EVSE_CHARGE_STATUS_CHANGE, &m, out);
}

void secc_wire_finished(struct secc *s, int64_t now_us, bool is_rushed, struct out_queue *out)
{
	struct evse_charge_session_finished m = {.state = is_rushed};

	secc_wire_send(s, now_us, EVSE_CHARGE_SESSION_FINISHED, &m, out);
}

void secc_wire_emergency(struct secc *s, int64_t now_us, struct out_queue *out)
{
	struct evse_emergency_stop m = {.origin = (uint8_t)s->origin};

	secc_wire_send(s, now_us, EVSE_EMERGENCY_STOP, &m, out);
}

void secc_wire_status(struct secc *s, int64_t now_us, struct out_queue *out)
{
	struct evse_advantics_controller_status m = {.state = (uint8_t)s->state};

	if (s->status_us == FC_NEVER || s->status_frame.data[0] != (uint8_t)s->state)
		msg_to_frame(&s->layout.evse[EVSE_ADVANTICS_CONTROLLER_STATUS], &m, INDEX(s),
			     &s->status_frame);
	plug_tx_frame(&s->tx, now_us, &s->status_frame, out);
	s->status_us = now_us;
}

void secc_wire_pilot(struct secc *s, int64_t now_us, struct out_queue *out)
{
	plug_tx_frame(&s->tx, now_us, &s->pilot_frame, out);
}

static void pack_pilot(const struct secc *s, struct can_frame *pilot_frame, struct can_frame *extra_frame)
{
	const struct msg_layout *extra_layout = &s->layout.evse[EVSE_CCS_EXTRA_INFORMATION];
	struct plug_pilot_evse pilot = {0};
	struct evse_ccs_extra_information extra = {0};

	pilot.is_mated = s->is_mated;
	pilot.oscillator = s->duty_permille < CP_DUTY_OFF_PERMILLE && !s->pilot_fault;
	pilot.fault = s->pilot_fault;
	pilot.duty_cycle_permille = s->duty_permille;
	msg_to_frame(&s->layout.plug[PLUG_PILOT_EVSE], &pilot, INDEX(s), pilot_frame);
	extra.cp_state = (uint8_t)cp_nominal_V(s->pilot_fault ? CP_E_F : s->cp);
	extra.cp_duty_cycle_permille = s->duty_permille;
	if (msg_exists(extra_layout))
		msg_to_frame(extra_layout, &extra, INDEX(s), extra_frame);
}

void secc_wire_init(struct secc *s)
{
	s->layout.evse = evse_layouts[s->cfg.protocol];
	s->layout.plug = plug_layouts[0];
	s->pms_id = id_of(s, EVSE_POWER_MODULES_STATUS);
	s->parameters_id = id_of(s, EVSE_DC_POWER_PARAMETERS);
	s->flags_id = id_of(s, EVSE_SEQUENCE_CONTROL);
	s->secc_outputs_id = id_of(s, EVSE_ADM_CS_SECC_OUTPUTS);
	s->spcc_outputs_id = id_of(s, EVSE_ADM_CS_SPCC_OUTPUTS);
	pack_pilot(s, &s->pilot_frame, &s->extra_frame);
}

void secc_wire_pilot_changed(struct secc *s, int64_t now_us, struct out_queue *out)
{
	struct can_frame before = s->pilot_frame;

	pack_pilot(s, &s->pilot_frame, &s->extra_frame);
	if (memcmp(&before, &s->pilot_frame, sizeof(before)) != 0)
		secc_wire_pilot(s, now_us, out);
}

void secc_wire_new_session(struct secc *s, int64_t now_us, struct out_queue *out)
{
	struct evse_new_charge_session m = {0};

	m.communication_protocol = s->v2g.protocol == V2G_PROTOCOL_DIN ? NCS_DIN : NCS_ISO2_2013;
	m.plug_and_pins = s->cfg.energy_transfer == V2G_DC_CORE ? PINS_DC_CORE : PINS_DC_EXTENDED;
	/* These four travel in profile 3.0 only. */
	m.ev_maximum_voltage_mV = s->vehicle.v_max_mV;
	m.ev_maximum_current_mA = s->vehicle.i_max_mA;
	m.battery_capacity_Wh = s->vehicle.capacity_Wh;
	m.state_of_charge_permille = s->vehicle.soc_permille;
	secc_wire_send(s, now_us, EVSE_NEW_CHARGE_SESSION, &m, out);
}

static void send_battery(struct secc *s, int64_t now_us, struct out_queue *out)
{
	struct evse_ev_information_battery m = {0};

	m.battery_capacity_Wh = s->vehicle.capacity_Wh;
	m.present_state_of_charge_permille = s->vehicle.soc_permille;
	/* Neither DIN 70121 nor ISO 15118-2 has a lowest level; bulk and full are the two they do have. */
	m.target_state_of_charge_permille = s->vehicle.soc_bulk_permille;
	m.maximum_state_of_charge_permille = s->vehicle.soc_full_permille;
	secc_wire_send(s, now_us, EVSE_EV_INFORMATION_BATTERY, &m, out);
}

static void send_rest(struct secc *s, int64_t now_us, struct out_queue *out)
{
	struct evse_ev_information_voltages voltages = {0};
	struct evse_ev_information_charge_limits charge = {0};
	struct evse_ev_information_discharge_limits discharge = {0};
	struct evse_ev_information_energy energy = {0};

	voltages.ev_maximum_voltage_mV = s->vehicle.v_max_mV;
	secc_wire_send(s, now_us, EVSE_EV_INFORMATION_VOLTAGES, &voltages, out);
	charge.ev_maximum_charge_current_mA = s->vehicle.i_max_mA;
	charge.ev_maximum_charge_power_W = s->vehicle.p_max_W;
	secc_wire_send(s, now_us, EVSE_EV_INFORMATION_CHARGE_LIMITS, &charge, out);
	secc_wire_send(s, now_us, EVSE_EV_INFORMATION_DISCHARGE_LIMITS, &discharge, out);
	energy.ev_target_energy_request_Wh = s->vehicle.energy_Wh;
	secc_wire_send(s, now_us, EVSE_EV_INFORMATION_ENERGY, &energy, out);
}

void secc_wire_info(struct secc *s, int64_t now_us, struct out_queue *out)
{
	if (s->info_due & SECC_INFO_BATTERY)
		send_battery(s, now_us, out);
	if (s->info_due & SECC_INFO_REST)
		send_rest(s, now_us, out);
	s->info_due = 0;
}

void secc_wire_inputs(struct secc *s, int64_t now_us, struct out_queue *out)
{
	uint8_t level[SECC_N_INPUTS];
	unsigned i;

	for (i = 0; i < SECC_N_INPUTS; i++)
		level[i] = s->cfg.input[i] == SECC_IN_MONITOR && s->input[i];
	if (s->cfg.hardware == SECC_HW_SPCC && msg_exists(&s->layout.evse[EVSE_ADM_CS_SPCC_INPUTS])) {
		struct evse_adm_cs_spcc_inputs m = {0};

		m.digital_input1 = level[0];
		m.digital_input2 = level[1];
		m.digital_input3 = level[2];
		m.digital_input4 = level[3];
		m.cpu_temperature0_mdegC = s->cpu_mdegC;
		m.cpu_temperature1_mdegC = s->cpu_mdegC;
		m.pt1k_a_mdegC = s->ptc_mdegC[0];
		m.pt1k_b_mdegC = s->ptc_mdegC[1];
		m.pt1ks_c_mdegC = -40000;
		m.pt1ks_d_mdegC = -40000;
		secc_wire_send(s, now_us, EVSE_ADM_CS_SPCC_INPUTS, &m, out);
	} else {
		struct evse_adm_cs_secc_inputs m = {0};

		m.digital_input1 = level[0];
		m.digital_input2 = level[1];
		m.digital_input3 = level[2];
		m.digital_input4 = level[3];
		m.cpu_temperature_mdegC = s->cpu_mdegC;
		m.pistol_ptc1_mdegC = s->ptc_mdegC[0];
		m.pistol_ptc2_mdegC = s->ptc_mdegC[1];
		secc_wire_send(s, now_us, EVSE_ADM_CS_SECC_INPUTS, &m, out);
	}
	s->is_input_changed = false;
}

void secc_wire_ev_id(struct secc *s, int64_t now_us, struct out_queue *out)
{
	struct evse_ev_id_ccs_part2_din m = {0};

	m.byte0 = s->vehicle.evccid[0];
	m.byte1 = s->vehicle.evccid[1];
	m.byte2 = s->vehicle.evccid[2];
	m.byte3 = s->vehicle.evccid[3];
	m.byte4 = s->vehicle.evccid[4];
	m.byte5 = s->vehicle.evccid[5];
	secc_wire_send(s, now_us, EVSE_EV_ID_CCS_PART2_DIN, &m, out);
}

void secc_wire_ocpp(struct secc *s, int64_t now_us, int32_t target_mA, struct out_queue *out)
{
	struct evse_ocpp_control m = {.dynamic_target_current_mA = target_mA};

	secc_wire_send(s, now_us, EVSE_OCPP_CONTROL, &m, out);
}

/* ---- receive ---------------------------------------------------------------------------------------------- */

static bool decode(struct secc *s, enum evse_msg msg, void *m, const struct can_frame *f)
{
	const struct msg_layout *l = &s->layout.evse[msg];

	if (msg_from_frame(l, m, f, l->dlc))
		return true;
	s->count.n_dropped++;
	return false;
}

static void enable_changed(struct secc *s, int64_t now_us, struct out_queue *out)
{
	if (!s->is_session_announced || !secc_state_row(s->state)->is_supervised)
		return;
	if (s->pms.system_enable) {
		s->was_enabled = true;
		return;
	}
	if (!s->was_enabled)
		return;
	if (s->state == SECC_CHARGING)
		secc_emergency(s, now_us, SECC_CAUSE_DISABLED, SECC_ORIGIN_EVSE, out);
	else if (s->state < SECC_CHARGING)
		secc_end(s, now_us, SECC_CAUSE_UNAVAILABLE, out);
}

/* Insulation below the limit per volt while a power function after the test is on (rule E-83). */
static void check_insulation(struct secc *s, int64_t now_us, struct out_queue *out)
{
	int64_t ohm = s->is_insulation_faked ? 0 : s->pms.insulation_resistance_ohm;
	bool is_on = (s->state == SECC_PRECHARGE && s->power.function == SECC_FN_PRECHARGE) ||
		     (s->state == SECC_CHARGING && s->power.function == SECC_FN_TRANSFER);

	if (!is_on || s->cfg.skip_cable_check)
		return;
	if (ohm * 1000 < (int64_t)s->cfg.insulation_alarm_ohm_per_V * s->pms.present_voltage_mV)
		secc_emergency(s, now_us, SECC_CAUSE_INSULATION_ALARM, SECC_ORIGIN_EVSE, out);
}

static void status_rx(struct secc *s, int64_t now_us, const struct can_frame *f, struct out_queue *out)
{
	if (!decode(s, EVSE_POWER_MODULES_STATUS, &s->pms, f))
		return;
	s->pms_us = now_us;
	s->is_pms_new = true;
	if (s->is_session_announced)
		s->is_pms_armed = true;
	enable_changed(s, now_us, out);
	check_insulation(s, now_us, out);
}

static void parameters_rx(struct secc *s, int64_t now_us, const struct can_frame *f, struct out_queue *out)
{
	struct evse_dc_power_parameters before = s->parameters;

	if (!decode(s, EVSE_DC_POWER_PARAMETERS, &s->parameters, f))
		return;
	if (s->state == SECC_CHARGING && s->power.function == SECC_FN_TRANSFER &&
	    (before.maximum_voltage_mV != s->parameters.maximum_voltage_mV ||
	     before.maximum_charge_current_mA != s->parameters.maximum_charge_current_mA))
		secc_power_transfer(s, now_us, out);
}

static void flags_rx(struct secc *s, int64_t now_us, const struct can_frame *f, struct out_queue *out)
{
	uint8_t stop_before = s->flags.user_stop_button;

	if (!decode(s, EVSE_SEQUENCE_CONTROL, &s->flags, f))
		return;
	if (!s->cfg.use_sequence_flags)
		return;
	if (s->flags.user_stop_button && !stop_before)
		secc_request_stop(s, "user");
	secc_idle(s, now_us, out);
}

static uint8_t led(uint8_t brightness)
{
	return brightness > 100 ? 100 : brightness;
}

/* Outputs count only on channels that are CAN controlled (rule E-95). */
static void outputs_set(struct secc *s, const uint8_t *level, unsigned n, const uint8_t *leds)
{
	unsigned i;

	for (i = 0; i < n; i++)
		s->output[i] = s->cfg.is_output_can[i] ? level[i] : 0;
	for (i = 0; i < SECC_N_LEDS; i++)
		s->led[i] = s->cfg.is_led_can[i] ? led(leds[i]) : 0;
}

static void secc_outputs_rx(struct secc *s, const struct can_frame *f)
{
	struct evse_adm_cs_secc_outputs m = {0};

	if (s->cfg.hardware == SECC_HW_SECC && decode(s, EVSE_ADM_CS_SECC_OUTPUTS, &m, f)) {
		const uint8_t level[] = {m.digital_output1, m.digital_output2, m.digital_output3,
					 m.digital_output4};
		const uint8_t leds[] = {m.led1, m.led2, m.led3};

		outputs_set(s, level, 4, leds);
	}
}

static void spcc_outputs_rx(struct secc *s, const struct can_frame *f)
{
	struct evse_adm_cs_spcc_outputs m = {0};

	if (s->cfg.hardware == SECC_HW_SPCC && decode(s, EVSE_ADM_CS_SPCC_OUTPUTS, &m, f)) {
		const uint8_t level[] = {m.digital_output1, m.digital_output2};
		const uint8_t leds[] = {m.led1, m.led2, m.led3};

		outputs_set(s, level, 2, leds);
	}
}

bool secc_wire_rx(struct secc *s, int64_t now_us, const struct can_frame *f, struct out_queue *out)
{
	if (f->can_id == s->pms_id)
		status_rx(s, now_us, f, out);
	else if (f->can_id == s->parameters_id)
		parameters_rx(s, now_us, f, out);
	else if (f->can_id == s->flags_id)
		flags_rx(s, now_us, f, out);
	else if (f->can_id == s->secc_outputs_id)
		secc_outputs_rx(s, f);
	else if (f->can_id == s->spcc_outputs_id)
		spcc_outputs_rx(s, f);
	else
		return false;
	return true;
}

bool secc_wire_pilot_rx(struct secc *s, int64_t now_us, const struct can_frame *f, struct out_queue *out)
{
	const struct msg_layout *l = &s->layout.plug[PLUG_PILOT_EV];
	struct plug_pilot_ev m = {0};

	if (plug_offset(f) != (l->id & 0xFFFFu))
		return false;
	if (!msg_from_frame(l, &m, f, l->dlc)) {
		s->count.n_dropped++;
		return true;
	}
	s->pilot_us = now_us;
	s->is_ev_mated = m.is_mated != 0;
	s->is_locked = m.is_locked != 0;
	s->resistance = m.resistance;
	secc_pilot_update(s, now_us, out);
	return true;
}

size_t secc_wire_filters(const struct secc *s, struct can_filter *f, size_t n)
{
	const canid_t ids[] = {s->pms_id,
			       s->parameters_id,
			       s->flags_id,
			       s->secc_outputs_id,
			       s->spcc_outputs_id,
			       s->layout.plug[PLUG_PILOT_EV].id | (canid_t)INDEX(s) << MSG_INDEX_SHIFT,
			       s->layout.plug[PLUG_EV_CHARGE_PARAMETERS].id | (canid_t)INDEX(s)
										      << MSG_INDEX_SHIFT};
	size_t i, used = 0;

	for (i = 0; i < sizeof(ids) / sizeof(ids[0]) && used < n; i++) {
		if (ids[i] == CAN_ERR_FLAG)
			continue;
		f[used].can_id = ids[i];
		f[used++].can_mask = CAN_EFF_MASK | CAN_EFF_FLAG | CAN_RTR_FLAG;
	}
	/* The requests of the charging protocol: the even ones of a block of 32, in one filter. */
	if (used < n) {
		f[used].can_id =
			CAN_EFF_FLAG | PLUG_BASE_ID | PLUG_V2G_OFFSET | (canid_t)INDEX(s) << MSG_INDEX_SHIFT;
		f[used++].can_mask = (CAN_EFF_MASK & ~0x1Eu) | CAN_EFF_FLAG | CAN_RTR_FLAG;
	}
	return used;
}
