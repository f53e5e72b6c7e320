/* SPDX-License-Identifier: MIT */
/*
 * What the vehicle says: the cyclic messages on their grid, and those that are sent on change. Pure.
 * Contents by pev-v2.md section 3, periods by the database of the profile (rules P-09, P-10).
 */
#include "pev-ctrl/pev_session.h"

/* Identifier minus PEV_TX_FIRST_ID. */
enum tx {
	TX_EV_INFORMATION,
	TX_AC_STATUS,
	TX_DC_STATUS1,
	TX_DC_STATUS2,
	TX_ENERGY_REQUEST,
	TX_V2X_REQUEST,
	TX_EXTRA_BPT,
	TX_OUTPUTS,
	TX_EV_STATUS,
};

/* Bits of EV_Status and of the outputs, kept to see changes. */
#define BIT_HOLD_OFF 0x1u
#define BIT_PAUSE    0x2u
#define BIT_RESUME   0x4u
#define BIT_VOLTAGE  0x8u

#define CYCLE_MS (PEV_CYCLE_US / FC_US_PER_MS)

static int64_t hold_us(const struct pev_session *s)
{
	return (int64_t)s->conf.request_hold_ms * FC_US_PER_MS;
}

/* ------------------------------------------------------------------------------------------------ request */

static enum pev_limit veto(const struct pev_session *s, int64_t now_us)
{
	if (!pev_state_row(s->state)->may_request)
		return PEV_LIMIT_NO_STATE;
	if (!pev_session_is_bms_fresh(s, now_us))
		return PEV_LIMIT_BMS_STALE;
	/* Before, the request tells the charger what will be wanted; while charging it must be usable. */
	if (s->contactors.state == PEV_K_SHEDDING ||
	    (s->state == PEV_ST_CHARGING && !s->contactors.is_closed))
		return PEV_LIMIT_CONTACTORS;
	/* Half the time to the emergency opening: with luck the current is gone by then. */
	if (s->contactors.is_closed && rx_watch_age_us(&s->control, now_us) >= s->control.timeout_us / 2)
		return PEV_LIMIT_DC_CONTROL_LATE;
	return PEV_LIMIT_BMS;
}

struct pev_limit_result pev_send_request(const struct pev_session *s, int64_t now_us)
{
	struct pev_limit_input in = {
		.veto = veto(s, now_us),
		.bms_mA = s->hw.i_charge_max_mA,
		.pack_mA = s->caps.i_charge_max_mA,
		.soc_permille = s->hw.soc_permille,
		.battery_mV = s->hw.battery_mV,
		.max_battery_mV =
			s->conf.max_battery_voltage_mV ? s->conf.max_battery_voltage_mV : s->caps.v_max_mV,
		.temp_mdegC = s->hw.temp_mdegC,
		.charger_mA = s->wire.module.information.max_current_mA,
		.step_mA = s->wire.current_step_mA,
		.raw_max_mA = s->wire.current_max_mA,
	};

	return pev_limits_charge(&s->conf, &in);
}

static void update_request(struct pev_session *s, int64_t now_us)
{
	enum pev_limit before = s->request.by;

	s->request = pev_send_request(s, now_us);
	if (s->request.by != before)
		log_f(&s->log, LOG_INF, "request limited by=%s current_mA=%d", pev_limit_name(s->request.by),
		      s->request.current_mA);
}

/* ----------------------------------------------------------------------------------------------- messages */

static int64_t capacity_Wh(const struct pev_session *s)
{
	if (s->hw.capacity_Wh > 0)
		return s->hw.capacity_Wh;
	return s->caps.capacity_Wh > 0 ? s->caps.capacity_Wh : s->conf.energy_capacity_Wh;
}

static int64_t or_else(int64_t value, int64_t otherwise)
{
	return value >= 0 ? value : otherwise;
}

static struct pev_energy energy(const struct pev_session *s)
{
	int64_t full_Wh = capacity_Wh(s);
	struct pev_energy e = {
		.target_Wh = or_else(s->hw.energy_target_Wh, full_Wh),
		.max_Wh = or_else(s->hw.energy_max_Wh, full_Wh),
		.min_Wh = or_else(s->hw.energy_min_Wh, 0),
		.v2x_min_Wh = or_else(s->hw.v2x_min_Wh, 0),
		.v2x_max_Wh = or_else(s->hw.v2x_max_Wh, full_Wh),
	};

	pev_limits_fix_energy(&e, full_Wh);
	return e;
}

static void send_ev_information(struct pev_session *s, const struct pev_guard_facts *facts,
				struct out_queue *out)
{
	struct pev_ev_information m = {
		.state_of_charge_permille = s->hw.soc_permille,
		.energy_capacity_Wh = capacity_Wh(s),
	};

	pev_guard_send(&s->guard, facts, &s->wire, TX_EV_INFORMATION, &m, out);
}

static void send_ac_status(struct pev_session *s, const struct pev_guard_facts *facts, struct out_queue *out)
{
	/* There is no on-board charger behind vehicle_hw.h: never ready. */
	struct pev_ac_status m = {.ready_to_charge = 0};

	pev_guard_send(&s->guard, facts, &s->wire, TX_AC_STATUS, &m, out);
}

static void send_dc_status1(struct pev_session *s, const struct pev_guard_facts *facts, struct out_queue *out)
{
	struct pev_dc_status1 m = {
		.max_charge_current_mA = s->request.current_mA,
		.present_current_mA = s->hw.current_mA,
		.max_discharge_current_mA = fc_min_i32(facts->max_discharge_mA, s->hw.i_discharge_max_mA),
		.target_voltage_mV = s->hw.v_target_mV > 0 ? s->hw.v_target_mV : s->conf.target_voltage_mV,
	};

	pev_guard_send(&s->guard, facts, &s->wire, TX_DC_STATUS1, &m, out);
}

static void send_dc_status2(struct pev_session *s, const struct pev_guard_facts *facts, struct out_queue *out)
{
	struct pev_dc_status2 m = {
		.contactors_closed = facts->is_feedback_closed,
		.normal_end_of_charge = pev_pulse_bit(&s->end, facts->now_us, hold_us(s)),
		.emergency_stop = pev_pulse_bit(&s->emergency, facts->now_us, hold_us(s)),
		.battery_voltage_mV = s->hw.battery_mV,
		.inlet_voltage_mV = s->hw.inlet_mV,
	};

	pev_guard_send(&s->guard, facts, &s->wire, TX_DC_STATUS2, &m, out);
}

static void send_energy(struct pev_session *s, const struct pev_guard_facts *facts, struct out_queue *out)
{
	struct pev_energy e = energy(s);
	bool is_swapped = s->wire.is_order_swapped;
	struct pev_ev_energy_request request = {
		.target_energy_request_Wh = e.target_Wh,
		.maximum_energy_request_Wh = is_swapped ? e.min_Wh : e.max_Wh,
		.minimum_energy_request_Wh = is_swapped ? e.max_Wh : e.min_Wh,
	};
	struct pev_ev_v2x_energy_request v2x = {
		.minimum_v2x_energy_request_Wh = e.v2x_min_Wh,
		.maximum_v2x_energy_request_Wh = e.v2x_max_Wh,
	};
	struct pev_ev_extra_bpt_information extra = {
		.departure_time_s =
			(uint32_t)(s->hw.departure_s > UINT32_MAX ? UINT32_MAX : s->hw.departure_s),
	};

	if (s->conf.is_energy_request_sent)
		pev_guard_send(&s->guard, facts, &s->wire, TX_ENERGY_REQUEST, &request, out);
	if (s->conf.is_v2x_request_sent)
		pev_guard_send(&s->guard, facts, &s->wire, TX_V2X_REQUEST, &v2x, out);
	if (s->conf.is_extra_bpt_sent && s->hw.departure_s >= 0)
		pev_guard_send(&s->guard, facts, &s->wire, TX_EXTRA_BPT, &extra, out);
}

static bool send_ev_status(struct pev_session *s, const struct pev_guard_facts *facts, uint32_t bits,
			   struct out_queue *out)
{
	struct pev_ev_status m = {
		.hv_preparing_hold_off = (bits & BIT_HOLD_OFF) != 0,
		.charge_pause_request = (bits & BIT_PAUSE) != 0,
		.charge_resume_request = (bits & BIT_RESUME) != 0,
		.iso15118_part20_scheduled_mode_control = (bits & BIT_VOLTAGE) != 0,
	};

	return pev_guard_send(&s->guard, facts, &s->wire, TX_EV_STATUS, &m, out);
}

static bool send_outputs(struct pev_session *s, const struct pev_guard_facts *facts, uint32_t bits,
			 struct out_queue *out)
{
	struct pev_adm_cs_evcc_mevc_outputs m = {
		.digital_output1 = bits & 1,
		.digital_output2 = bits >> 1 & 1,
		.digital_output3 = bits >> 2 & 1,
		.led1 = (uint8_t)(bits >> 8),
		.led2 = (uint8_t)(bits >> 16),
		.led3 = (uint8_t)(bits >> 24),
	};

	return pev_guard_send(&s->guard, facts, &s->wire, TX_OUTPUTS, &m, out);
}

/* ------------------------------------------------------------------------------------------------- timing */

bool pev_send_is_held_off(const struct pev_session *s, int64_t now_us)
{
	if (!pev_state_row(s->state)->may_hold_off)
		return false;
	return pev_session_is_blocked(s) || !s->hw.is_hv_ready || !pev_session_is_bms_fresh(s, now_us) ||
	       !pev_session_is_readings_fresh(s, now_us);
}

static uint32_t ev_status_bits(struct pev_session *s, int64_t now_us)
{
	uint32_t bits = 0;

	if (pev_send_is_held_off(s, now_us))
		bits |= BIT_HOLD_OFF;
	if (pev_pulse_bit(&s->pause, now_us, hold_us(s)))
		bits |= BIT_PAUSE;
	if (pev_pulse_bit(&s->resume, now_us, hold_us(s)))
		bits |= BIT_RESUME;
	if (s->conf.is_voltage_controlled)
		bits |= BIT_VOLTAGE;
	return bits;
}

static uint32_t output_bits(const struct pev_session *s)
{
	const int32_t *on = s->conf.output, *led = s->conf.led_pct;

	return (on[0] ? 1u : 0u) | (on[1] ? 2u : 0u) | (on[2] ? 4u : 0u) | (uint32_t)led[0] << 8 |
	       (uint32_t)led[1] << 16 | (uint32_t)led[2] << 24;
}

/* Is a message without a period due: changed, asked for by a stage, or its one repetition. */
static bool is_change_due(struct pev_on_change *c, uint32_t bits, int64_t now_us)
{
	if (bits != c->bits || c->is_forced) {
		c->bits = bits;
		c->is_forced = false;
		c->repeat_us = now_us + PEV_CYCLE_US;
		return true;
	}
	if (now_us < c->repeat_us)
		return false;
	c->repeat_us = FC_NEVER;
	return true;
}

static bool is_on_change(const struct pev_session *s, enum tx tx)
{
	return msg_exists(s->wire.tx[tx]) && s->wire.tx[tx]->cycle_ms == 0;
}

void pev_send_changes(struct pev_session *s, int64_t now_us, struct out_queue *out)
{
	uint32_t status = ev_status_bits(s, now_us), outputs = output_bits(s);
	struct pev_guard_facts facts;
	bool is_status_due, are_outputs_due;

	if (is_on_change(s, TX_EV_STATUS) && !s->conf.is_ev_status_sent)
		s->ev_status.is_forced = true; /* to be said when it is switched on again */
	/* Outputs that nobody ever set are left to the module. */
	if (!outputs && !s->outputs.has_sent)
		s->outputs.is_forced = false;
	is_status_due = s->conf.is_ev_status_sent && is_on_change(s, TX_EV_STATUS) &&
			is_change_due(&s->ev_status, status, now_us);
	are_outputs_due = s->conf.is_outputs_sent && is_on_change(s, TX_OUTPUTS) &&
			  is_change_due(&s->outputs, outputs, now_us);
	if (!is_status_due && !are_outputs_due)
		return;
	facts = pev_session_facts(s, now_us);
	if (is_status_due)
		s->ev_status.has_sent = send_ev_status(s, &facts, status, out);
	if (are_outputs_due)
		s->outputs.has_sent = send_outputs(s, &facts, outputs, out);
}

/* A cyclic message whose period is a multiple of the grid's. */
static bool is_cycle_due(const struct pev_session *s, enum tx tx)
{
	uint16_t cycle_ms = s->wire.tx[tx]->cycle_ms;

	return cycle_ms >= CYCLE_MS && s->n_cycles % (cycle_ms / (uint32_t)CYCLE_MS) == 0;
}

void pev_send_cycle(struct pev_session *s, int64_t now_us, struct out_queue *out)
{
	struct pev_guard_facts facts = pev_session_facts(s, now_us);

	update_request(s, now_us);
	if (s->conf.is_ev_information_sent)
		send_ev_information(s, &facts, out);
	if (s->conf.is_ac_status_sent)
		send_ac_status(s, &facts, out);
	if (s->conf.is_dc_status1_sent)
		send_dc_status1(s, &facts, out);
	if (s->conf.is_dc_status2_sent)
		send_dc_status2(s, &facts, out);
	send_energy(s, &facts, out);
	if (s->conf.is_outputs_sent && is_cycle_due(s, TX_OUTPUTS))
		send_outputs(s, &facts, output_bits(s), out);
	if (s->conf.is_ev_status_sent && is_cycle_due(s, TX_EV_STATUS))
		send_ev_status(s, &facts, ev_status_bits(s, now_us), out);
}
