/* SPDX-License-Identifier: MIT */
/* The generic interface and the control pilot as frames, seen from the virtual EVCC. Pure. */
#include "sim/evcc_priv.h"

#include <string.h>

/* Proximity resistance of a mated connector with its lever released, and what reads as disconnected. */
#define PP_MATED_ohm	    1500
#define PP_UNMATED_ohm	    2550
#define NOT_CONNECTED_mdegC (-40000)

/* Numbers of EVSE_Information (pev-v2.md section 3). */
enum {
	PROTOCOL_NONE = 0,
	PROTOCOL_DIN = 2,
	PROTOCOL_ISO2 = 3,
	PINS_NONE = 0,
	PINS_DC_CORE = 4,
	PINS_DC_EXTENDED = 5
};
enum { LOCK_STATE_UNLOCKED = 0, LOCK_STATE_LOCKED = 1, LOCK_STATE_FAULT = 2 };

/* Messages to the module have the numbers 0x610 to 0x618 in every profile. */
#define RX_FIRST_ID 0x610u
#define RX_LAST_ID  0x618u

static const enum pev_msg sent[EVCC_N_FRAMES] = {
	[EVCC_F_INFORMATION] = PEV_EVSE_INFORMATION,
	[EVCC_F_AC] = PEV_AC_CONTROL,
	[EVCC_F_DC] = PEV_DC_CONTROL,
	[EVCC_F_CCS] = PEV_CCS_EXTRA_INFORMATION,
	[EVCC_F_DIAGNOSTIC] = PEV_EVCC_MEVC_DIAGNOSTIC_STATUS,
	[EVCC_F_MCS] = PEV_MCS_EXTRA_INFORMATION,
};

void evcc_wire_init(struct evcc *e)
{
	e->pev = pev_layouts[e->cfg.protocol];
	e->plug = plug_layouts[0];
	e->plug_bits = (canid_t)e->cfg.pistol_index << MSG_INDEX_SHIFT;
	e->current_lsb_mA = e->cfg.protocol == PEV_V2_0_EX ? 100 : 1000;
	e->dirty = ~UINT32_C(0);
}

static void to_frame(struct evcc *e, enum pev_msg msg, const void *m, struct can_frame *f)
{
	e->count.n_clipped += msg_to_frame(&e->pev[msg], m, 0, f);
	if (e->cfg.force_extended_ids)
		f->can_id |= CAN_EFF_FLAG;
}

static void pack_information(struct evcc *e)
{
	struct pev_evse_information m = {0};

	m.communication_stage = (uint8_t)e->stage;
	m.protocol = e->v2g.protocol == V2G_PROTOCOL_DIN    ? PROTOCOL_DIN
		     : e->v2g.protocol == V2G_PROTOCOL_ISO2 ? PROTOCOL_ISO2
							    : PROTOCOL_NONE;
	m.pins = e->v2g.transfer == V2G_DC_CORE	      ? PINS_DC_CORE
		 : e->v2g.transfer == V2G_DC_EXTENDED ? PINS_DC_EXTENDED
						      : PINS_NONE;
	/* A limit rounds down to what the wire can say. */
	if (e->v2g.has_limits)
		m.max_current_mA = e->v2g.max_current_mA - e->v2g.max_current_mA % e->current_lsb_mA;
	to_frame(e, PEV_EVSE_INFORMATION, &m, &e->frame[EVCC_F_INFORMATION]);
}

/* The pilot as the vehicle measures it; without a charger behind the line it reads 0 V. */
static enum cp_state measured(const struct evcc *e, int64_t now_us)
{
	if (!evcc_is_plugged(e))
		return CP_A;
	return evcc_is_connected(e, now_us) ? e->resistance : CP_E_F;
}

static void pack_ccs(struct evcc *e, int64_t now_us)
{
	struct pev_ccs_extra_information m = {0};
	enum cp_state cp = measured(e, now_us);

	m.cp_state = (uint8_t)cp_nominal_V(cp);
	m.cp_top_voltage_mV = cp == CP_A ? 0 : (int32_t)cp_nominal_V(cp) * 1000;
	m.cp_duty_cycle_permille = cp == CP_A || cp == CP_E_F ? 0 : e->pilot.duty_permille;
	m.pp_resistance_ohm = evcc_is_plugged(e) ? PP_MATED_ohm : PP_UNMATED_ohm;
	m.inlet_lock_state = e->is_lock_failed ? LOCK_STATE_FAULT
			     : evcc_is_held(e) ? LOCK_STATE_LOCKED
					       : LOCK_STATE_UNLOCKED;
	to_frame(e, PEV_CCS_EXTRA_INFORMATION, &m, &e->frame[EVCC_F_CCS]);
}

static void pack(struct evcc *e, int64_t now_us, enum evcc_frame which)
{
	struct pev_dc_control dc = {.close_contactors = e->is_close_commanded};
	static const struct pev_ac_control ac = {0};
	static const struct pev_mcs_extra_information mcs = {0};

	switch (which) {
	case EVCC_F_INFORMATION:
		pack_information(e);
		break;
	case EVCC_F_AC:
		to_frame(e, PEV_AC_CONTROL, &ac, &e->frame[which]);
		break;
	case EVCC_F_DC:
		to_frame(e, PEV_DC_CONTROL, &dc, &e->frame[which]);
		break;
	case EVCC_F_CCS:
		pack_ccs(e, now_us);
		break;
	case EVCC_F_DIAGNOSTIC:
		to_frame(e, PEV_EVCC_MEVC_DIAGNOSTIC_STATUS, &e->diagnostic, &e->frame[which]);
		break;
	case EVCC_F_MCS:
		to_frame(e, PEV_MCS_EXTRA_INFORMATION, &mcs, &e->frame[which]);
		break;
	case EVCC_N_FRAMES:
		break;
	}
}

void evcc_wire_slot(struct evcc *e, int64_t now_us, struct out_queue *out)
{
	unsigned i;

	for (i = 0; i < EVCC_N_FRAMES; i++) {
		if (!msg_exists(&e->pev[sent[i]]))
			continue; /* the profile does not know it */
		if (e->dirty & UINT32_C(1) << i)
			pack(e, now_us, (enum evcc_frame)i);
		plug_tx_frame(&e->tx, now_us, &e->frame[i], out);
	}
	e->dirty = 0;
}

void evcc_wire_inputs(struct evcc *e, int64_t now_us, struct out_queue *out)
{
	struct pev_adm_cs_evcc_inputs m = {0};
	struct can_frame f;

	m.dc_contactor_positive_feedback = e->cfg.contactors_use_ios && e->is_io_closed;
	m.dc_contactor_negative_feedback = m.dc_contactor_positive_feedback;
	m.digital_input1 = e->cfg.is_input_monitored[0] && e->input[0];
	m.digital_input2 = e->cfg.is_input_monitored[1] && e->input[1];
	m.stop_charge = e->is_stop_input;
	m.ptc0_mdegC = e->ptc_mdegC[0];
	m.ptc1_mdegC = e->ptc_mdegC[1];
	m.ptc2_mdegC = e->ptc_mdegC[2];
	m.cpu_temperature_mdegC = e->cpu_mdegC;
	m.can_sensor_temperature_mdegC = NOT_CONNECTED_mdegC;
	to_frame(e, PEV_ADM_CS_EVCC_INPUTS, &m, &f);
	plug_tx_frame(&e->tx, now_us, &f, out);
	e->is_input_changed = false;
}

static void pack_pilot(struct evcc *e)
{
	struct plug_pilot_ev m = {0};

	m.resistance = (uint8_t)(e->is_mated ? e->resistance : CP_A);
	m.is_locked = evcc_is_held(e);
	m.is_mated = e->is_mated;
	msg_to_frame(&e->plug[PLUG_PILOT_EV], &m, (unsigned)e->cfg.pistol_index, &e->pilot_frame);
}

void evcc_wire_pilot(struct evcc *e, int64_t now_us, struct out_queue *out)
{
	if (e->pilot_frame.can_id == 0)
		pack_pilot(e);
	plug_tx_frame(&e->tx, now_us, &e->pilot_frame, out);
}

void evcc_wire_pilot_changed(struct evcc *e, int64_t now_us, struct out_queue *out)
{
	struct can_frame before = e->pilot_frame;

	pack_pilot(e);
	evcc_touch(e, EVCC_F_CCS);
	if (memcmp(&before, &e->pilot_frame, sizeof(before)) != 0)
		plug_tx_frame(&e->tx, now_us, &e->pilot_frame, out);
}

/* ---- receive ---------------------------------------------------------------------------------------------- */

static bool decode(struct evcc *e, enum pev_msg msg, void *m, const struct can_frame *f)
{
	const struct msg_layout *l = &e->pev[msg];
	unsigned min_dlc = l->dlc;

	/* The database of 2.0-ex says 4 bytes, the vendor's simulator sends 8: both count (rule P-05). */
	if (msg == PEV_DC_STATUS1 && e->cfg.protocol == PEV_V2_0_EX)
		min_dlc = 4;
	if (msg_from_frame(l, m, f, min_dlc))
		return true;
	e->count.n_dropped++;
	return false;
}

static void dc2_rx(struct evcc *e, int64_t now_us, const struct can_frame *f, struct out_queue *out)
{
	struct pev_dc_status2 before = e->dc2;

	if (!decode(e, PEV_DC_STATUS2, &e->dc2, f))
		return;
	rx_watch_seen(&e->dc2_watch, now_us);
	if (e->dc2.emergency_stop && !before.emergency_stop)
		evcc_finish(e, now_us, EVCC_CAUSE_VEHICLE_EMERGENCY, out);
	if (e->dc2.normal_end_of_charge && !before.normal_end_of_charge)
		evcc_finish(e, now_us, EVCC_CAUSE_VEHICLE_STOP, out);
	evcc_match(e, now_us, out);
	evcc_power_watch(e, now_us, out);
}

static void energy_rx(struct evcc *e, const struct can_frame *f)
{
	int64_t swap_Wh;

	if (!decode(e, PEV_EV_ENERGY_REQUEST, &e->energy, f))
		return;
	e->has_energy = true;
	if (e->cfg.protocol == PEV_V2_0_EX && e->cfg.energy_order == EVCC_TARGET_MIN_MAX) {
		swap_Wh = e->energy.maximum_energy_request_Wh;
		e->energy.maximum_energy_request_Wh = e->energy.minimum_energy_request_Wh;
		e->energy.minimum_energy_request_Wh = swap_Wh;
	}
}

static uint8_t led(uint8_t brightness)
{
	return brightness > 100 ? 100 : brightness;
}

static void outputs_rx(struct evcc *e, const struct can_frame *f)
{
	struct pev_adm_cs_evcc_mevc_outputs m = {0};
	unsigned i;

	if (!decode(e, PEV_ADM_CS_EVCC_MEVC_OUTPUTS, &m, f))
		return;
	const uint8_t level[EVCC_N_OUTPUTS] = {m.digital_output1, m.digital_output2, m.digital_output3};
	const uint8_t leds[EVCC_N_OUTPUTS] = {m.led1, m.led2, m.led3};

	e->outputs = 0;
	for (i = 0; i < EVCC_N_OUTPUTS; i++) {
		if (e->cfg.is_output_can[i] && level[i])
			e->outputs |= (uint8_t)(1u << i);
		e->leds[i] = e->cfg.is_led_can[i] ? led(leds[i]) : 0;
	}
}

/* Message of a number to the module in this profile, or PEV_N_MSGS. */
static enum pev_msg find(const struct evcc *e, canid_t number)
{
	static const enum pev_msg map[RX_LAST_ID - RX_FIRST_ID + 1] = {
		PEV_EV_INFORMATION,
		PEV_AC_STATUS,
		PEV_DC_STATUS1,
		PEV_DC_STATUS2,
		PEV_EV_ENERGY_REQUEST,
		PEV_EV_V2X_ENERGY_REQUEST,
		PEV_EV_EXTRA_BPT_INFORMATION,
		PEV_ADM_CS_EVCC_MEVC_OUTPUTS,
		PEV_EV_STATUS,
	};

	if (number < RX_FIRST_ID || number > RX_LAST_ID || !msg_exists(&e->pev[map[number - RX_FIRST_ID]]))
		return PEV_N_MSGS;
	return map[number - RX_FIRST_ID];
}

bool evcc_wire_rx(struct evcc *e, int64_t now_us, const struct can_frame *f, struct out_queue *out)
{
	enum pev_msg msg;

	if (f->can_id & (CAN_RTR_FLAG | CAN_ERR_FLAG))
		return false;
	/* The same numbers as 11-bit and as 29-bit frames (rule P-02). */
	msg = find(e, f->can_id & ((f->can_id & CAN_EFF_FLAG) ? CAN_EFF_MASK : CAN_SFF_MASK));
	if (msg == PEV_DC_STATUS2) {
		dc2_rx(e, now_us, f, out);
	} else if (msg == PEV_DC_STATUS1) {
		if (decode(e, msg, &e->dc1, f)) {
			rx_watch_seen(&e->dc1_watch, now_us);
			evcc_power_watch(e, now_us, out);
		}
	} else if (msg == PEV_EV_INFORMATION) {
		decode(e, msg, &e->battery, f);
	} else if (msg == PEV_EV_STATUS) {
		decode(e, msg, &e->flags, f);
	} else if (msg == PEV_EV_ENERGY_REQUEST) {
		energy_rx(e, f);
	} else if (msg == PEV_ADM_CS_EVCC_MEVC_OUTPUTS) {
		outputs_rx(e, f);
	} else {
		/* AC and ISO 15118-20 only: known, of no use here. */
		return msg != PEV_N_MSGS;
	}
	return true;
}

bool evcc_wire_pilot_rx(struct evcc *e, int64_t now_us, const struct can_frame *f, struct out_queue *out)
{
	const struct msg_layout *l = &e->plug[PLUG_PILOT_EVSE];
	struct plug_pilot_evse m = {0};

	if (plug_offset(f) != (l->id & 0xFFFFu))
		return false;
	if (!msg_from_frame(l, &m, f, l->dlc)) {
		e->count.n_dropped++;
		return true;
	}
	if (e->pilot.duty_permille != m.duty_cycle_permille || e->pilot.fault != m.fault ||
	    e->pilot.is_mated != (m.is_mated != 0))
		evcc_touch(e, EVCC_F_CCS);
	e->pilot.last_us = now_us;
	e->pilot.is_mated = m.is_mated != 0;
	e->pilot.fault = m.fault;
	e->pilot.duty_permille = m.duty_cycle_permille;
	evcc_pilot_update(e, now_us, out);
	return true;
}

size_t evcc_wire_filters(const struct evcc *e, struct can_filter *f, size_t n)
{
	const canid_t plug_ids[] = {e->plug[PLUG_PILOT_EVSE].id, e->plug[PLUG_EVSE_LIMITS].id};
	size_t i, used = 0;
	canid_t id;

	for (id = RX_FIRST_ID; id <= RX_LAST_ID && used + 2 <= n; id++) {
		if (find(e, id) == PEV_N_MSGS)
			continue;
		f[used++] = (struct can_filter){id, CAN_SFF_MASK | CAN_EFF_FLAG | CAN_RTR_FLAG};
		f[used++] =
			(struct can_filter){id | CAN_EFF_FLAG, CAN_EFF_MASK | CAN_EFF_FLAG | CAN_RTR_FLAG};
	}
	for (i = 0; i < sizeof(plug_ids) / sizeof(plug_ids[0]) && used < n; i++)
		f[used++] = (struct can_filter){plug_ids[i] | e->plug_bits,
						CAN_EFF_MASK | CAN_EFF_FLAG | CAN_RTR_FLAG};
	/* The answers of the charging protocol: the odd ones of a block of 32, in one filter. */
	if (used < n)
		f[used++] =
			(struct can_filter){CAN_EFF_FLAG | PLUG_BASE_ID | PLUG_V2G_OFFSET | 1u | e->plug_bits,
					    (CAN_EFF_MASK & ~0x1Eu) | CAN_EFF_FLAG | CAN_RTR_FLAG};
	return used;
}
