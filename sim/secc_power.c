/* SPDX-License-Identifier: MIT */
/* Setpoints of the virtual SECC: what DC_Power_Control says, and how a request is limited. Pure. */
#include "sim/secc_priv.h"

#include <string.h>

/* A vehicle that asks every 100 ms shall not be overtaken by our own repetition. */
#define PACE_SLACK_US (20 * FC_US_PER_MS)

/* One LSB of currents and voltages on the wire. */
#define LSB_milli 100

static bool is_same(const struct secc_power *a, const struct secc_power *b)
{
	return a->function == b->function && a->v_mV == b->v_mV && a->i_max_mA == b->i_max_mA &&
	       a->i_min_mA == b->i_min_mA && a->is_closed == b->is_closed &&
	       a->is_lowering == b->is_lowering && a->is_range == b->is_range;
}

static void pack(struct secc *s)
{
	const struct secc_power *p = &s->power;
	struct evse_dc_power_control m = {0};

	m.target_voltage_mV = p->v_mV;
	m.current_range_max_mA = p->i_max_mA;
	m.current_range_min_mA = p->i_min_mA;
	m.power_function = (uint8_t)p->function;
	m.setpoints_mode = p->is_range;
	m.output_contactors = p->is_closed;
	m.lower_output_voltage = p->is_lowering;
	m.output_bleed = p->is_lowering;
	m.state_of_charge_permille = s->vehicle.soc_permille;
	s->count.n_clipped += msg_to_frame(&s->layout.evse[EVSE_DC_POWER_CONTROL], &m, (unsigned)s->cfg.index,
					   &s->power_frame);
}

void secc_power_refresh(struct secc *s)
{
	/* Profile 3.0 carries the state of charge in this message. */
	if (s->is_power_used && s->cfg.protocol == EVSE_V3_0)
		pack(s);
}

static void send(struct secc *s, int64_t now_us, struct out_queue *out)
{
	plug_tx_frame(&s->tx, now_us, &s->power_frame, out);
	s->power_us = now_us;
	s->is_power_used = true;
}

void secc_power_set(struct secc *s, int64_t now_us, const struct secc_power *p, enum secc_pace pace,
		    struct out_queue *out)
{
	bool is_changed = !s->is_power_used || !is_same(p, &s->power);

	/* The last gate: no power function outside the states that have it. */
	if (!(secc_state_row(s->state)->functions & UINT32_C(1) << p->function)) {
		log_f(&s->log, LOG_WARN, "setpoint withheld state=%s function=%d", secc_state_name(s->state),
		      (int)p->function);
		return;
	}
	s->is_power_cyclic = pace != SECC_ONCE;
	s->is_vehicle_paced = pace == SECC_PACED;
	if (is_changed) {
		s->power = *p;
		pack(s);
	}
	if (is_changed || pace == SECC_ONCE ||
	    (pace == SECC_PACED &&
	     now_us - s->power_us >= (int64_t)s->cfg.power_control_period_ms * FC_US_PER_MS - PACE_SLACK_US))
		send(s, now_us, out);
}

void secc_power_slot(struct secc *s, int64_t now_us, struct out_queue *out)
{
	int64_t period_us = (int64_t)s->cfg.power_control_period_ms * FC_US_PER_MS;
	int64_t age_us = now_us - s->power_us;

	/*
	 * A vehicle that asks in time sets the pace by itself; one that is slow is helped out from then on. On the
	 * module's own grid half a slot of leeway keeps the phase of the grid after a change.
	 */
	if (!s->is_power_cyclic ||
	    age_us < (s->is_vehicle_paced ? period_us + PACE_SLACK_US : period_us - SECC_SLOT_US / 2))
		return;
	s->is_vehicle_paced = false;
	send(s, now_us, out);
}

void secc_power_standby(struct secc *s, int64_t now_us, bool is_closed, bool is_lowering, enum secc_pace pace,
			struct out_queue *out)
{
	struct secc_power p = {0};

	p.function = SECC_FN_STANDBY;
	p.is_closed = is_closed;
	p.is_lowering = is_lowering;
	secc_power_set(s, now_us, &p, pace, out);
}

int32_t secc_limit_voltage_mV(const struct secc *s)
{
	int32_t v_mV = fc_min_i32(s->cfg.max_voltage_mV, s->cfg.max_cable_voltage_mV);

	if (s->parameters.maximum_voltage_mV > 0)
		v_mV = fc_min_i32(v_mV, s->parameters.maximum_voltage_mV);
	return v_mV;
}

static int32_t charger_current_mA(const struct secc *s)
{
	int32_t i_mA = s->cfg.max_current_mA;

	if (s->parameters.maximum_charge_current_mA > 0)
		i_mA = fc_min_i32(i_mA, s->parameters.maximum_charge_current_mA);
	return fc_permille_of(i_mA, s->derate_current_permille);
}

int32_t secc_limit_power_W(const struct secc *s)
{
	int32_t p_W = s->cfg.max_power_mkW;

	if (p_W == 0)
		p_W = fc_power_W(secc_limit_voltage_mV(s), charger_current_mA(s));
	if (s->cfg.max_cable_power_mkW > 0)
		p_W = fc_min_i32(p_W, s->cfg.max_cable_power_mkW);
	return p_W;
}

/* The order of evse-v3.md section 11, steps 2 to 5. */
int32_t secc_limit_current_mA(const struct secc *s, int32_t v_mV)
{
	int32_t i_mA = charger_current_mA(s);

	i_mA = fc_min_i32(i_mA, fc_current_at_power_mA(secc_limit_power_W(s), v_mV));
	i_mA = fc_min_i32(i_mA, fc_permille_of(s->cfg.max_cable_current_mA, s->derate_cable_permille));
	if (s->cfg.max_cable_power_mkW > 0)
		i_mA = fc_min_i32(i_mA, fc_current_at_power_mA(s->cfg.max_cable_power_mkW, v_mV));
	if (s->cfg.ocpp_limit_mA > 0)
		i_mA = fc_min_i32(i_mA, s->cfg.ocpp_limit_mA);
	/* Limits round down to what the wire can say. */
	return i_mA - i_mA % LSB_milli;
}

void secc_power_precharge(struct secc *s, int64_t now_us, struct out_queue *out)
{
	struct secc_power p = {0};

	p.function = SECC_FN_PRECHARGE;
	p.v_mV = fc_min_i32(s->vehicle.v_target_mV, secc_limit_voltage_mV(s));
	p.i_max_mA = fc_clamp_i32(s->vehicle.i_target_mA, 0, s->cfg.precharge_current_mA);
	p.is_closed = true;
	p.is_range = true;
	secc_power_set(s, now_us, &p, SECC_PACED, out);
}

/* True where a negative current may be passed on (rule E-70). */
static bool may_discharge(const struct secc *s)
{
	return s->cfg.is_bidirectional || !s->cfg.limit_positive;
}

void secc_power_transfer(struct secc *s, int64_t now_us, struct out_queue *out)
{
	int32_t wanted_mA = s->vehicle.i_target_mA;
	int32_t v_limit_mV = secc_limit_voltage_mV(s);
	int32_t i_limit_mA = secc_limit_current_mA(s, s->pms.present_voltage_mV);
	struct secc_power p = {0};

	p.function = SECC_FN_TRANSFER;
	p.is_closed = true;
	p.v_mV = fc_min_i32(s->vehicle.v_target_mV, v_limit_mV);
	p.i_max_mA = fc_min_i32(wanted_mA, i_limit_mA);
	if (p.i_max_mA < 0)
		p.i_max_mA = may_discharge(s) ? fc_max_i32(p.i_max_mA, -s->cfg.max_discharge_current_mA) : 0;
	p.i_min_mA = p.i_max_mA;
	s->v2g.v_limited = s->vehicle.v_target_mV > v_limit_mV;
	s->v2g.i_limited = wanted_mA > i_limit_mA;
	s->v2g.p_limited =
		s->v2g.i_limited && i_limit_mA < charger_current_mA(s) &&
		i_limit_mA >=
			fc_current_at_power_mA(secc_limit_power_W(s), s->pms.present_voltage_mV) - LSB_milli;
	secc_power_set(s, now_us, &p, SECC_PACED, out);
}

/* Straight line between two points of a derating curve, permille of the limit that is left. */
static int32_t left_permille(int32_t t_mdegC, int32_t from_mdegC, int32_t to_mdegC)
{
	if (t_mdegC <= from_mdegC)
		return 1000;
	if (t_mdegC >= to_mdegC)
		return 500;
	return 1000 - (int32_t)((int64_t)500 * (t_mdegC - from_mdegC) / (to_mdegC - from_mdegC));
}

/* Raw 0 on the wire, -40 degrees, is a sensor that is not connected: no derating by it. */
#define NOT_CONNECTED_mdegC (-40000)

/* The vendor's curves (evse-v3.md section 13): cable 60 to 90 degrees, power modules 75 to 85. */
void secc_power_derate(struct secc *s)
{
	int32_t cable_mdegC = fc_max_i32(s->ptc_mdegC[0], s->ptc_mdegC[1]);
	int32_t stack_mdegC = NOT_CONNECTED_mdegC;

	if (s->pms_us != FC_NEVER)
		stack_mdegC = fc_max_i32(s->pms.power_modules_temperature_mdegC,
					 s->pms.enclosure_temperature_mdegC);
	s->derate_cable_permille = 1000;
	s->derate_current_permille = 1000;
	if (!s->cfg.derate_temperature)
		return;
	s->derate_cable_permille = left_permille(cable_mdegC, 60000, 90000);
	s->derate_current_permille = left_permille(stack_mdegC, 75000, 85000);
	if (cable_mdegC >= 90000 || stack_mdegC >= 85000)
		secc_request_stop(s, "temperature");
}
