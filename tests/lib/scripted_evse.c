/* SPDX-License-Identifier: MIT */
/* Scripted customer of the EVSE generic interface. */
#include "tests/lib/scripted_evse.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SLOT_US (100 * FC_US_PER_MS)
#define SLOT_S	0.1

void scripted_evse_init(struct scripted_evse *e, enum evse_version version, unsigned index, int64_t now_us)
{
	memset(e, 0, sizeof(*e));
	e->version = version;
	e->index = index;
	e->authorisation_ms = 3000;
	e->parameters_ms = 1500;
	e->wake_up_ms = 1000;
	e->dead_ms = 1000;
	e->charge_ms = 10000;
	e->is_authorised = e->is_start_allowed = true;
	e->max_mV = 500000;
	e->max_charge_mA = 120000;
	e->insulation_ohm = 100000;
	e->sends_status = e->sends_parameters = e->sends_sequence = true;
	e->force_enable = -1;
	e->state = -1;
	grid_start(&e->grid, now_us + 37000, SLOT_US); /* a phase of its own */
}

static const struct msg_layout *layout(const struct scripted_evse *e, enum evse_msg msg)
{
	return &evse_layouts[e->version][msg];
}

static void send(const struct scripted_evse *e, enum evse_msg msg, const void *m, struct out_queue *out)
{
	struct can_frame f;

	msg_to_frame(layout(e, msg), m, e->index, &f);
	out_queue_frame(out, 0, &f);
}

static void send_flags(struct scripted_evse *e, struct out_queue *out)
{
	if (!e->sends_sequence)
		return;
	send(e, EVSE_SEQUENCE_CONTROL, &e->flags, out);
	e->flags_sent = e->flags;
}

static void raise(struct scripted_evse *e, const char *what, int number)
{
	if (!e->raised[0])
		snprintf(e->raised, sizeof(e->raised), "%s %d", what, number);
}

static void on_state(struct scripted_evse *e, int64_t now_us, int state, struct out_queue *out)
{
	if (state == e->state)
		return;
	e->state = state;
	e->state_us = now_us;
	if (e->n_states < sizeof(e->states))
		e->states[e->n_states++] = (uint8_t)state;
	if (state == 12) {
		e->flags.start_charge_authorisation = e->is_start_allowed;
		send_flags(e, out);
	} else if (state == 1) {
		memset(&e->flags, 0, sizeof(e->flags));
		e->flags.start_charge_authorisation = e->is_start_allowed;
		e->v_V = e->i_A = e->i_target_A = 0;
		e->is_enabled = e->is_insulation_seen = false;
	} else if (state == 7) {
		e->i_target_A = e->range_max_mA / 1000.0;
	}
}

static void on_power(struct scripted_evse *e, int64_t now_us, const struct evse_dc_power_control *m)
{
	if (m->power_function != e->function)
		e->function_us = now_us;
	e->function = m->power_function;
	e->target_mV = m->target_voltage_mV;
	e->range_max_mA = m->current_range_max_mA;
	e->range_min_mA = m->current_range_min_mA;
	e->is_closed = m->output_contactors;
	e->is_lowering = m->lower_output_voltage || m->output_bleed;
	e->is_range = m->setpoints_mode;
	switch (m->power_function) {
	case 0:
		e->v_V = e->i_A = 0;
		break;
	case 1:
		if (!e->is_current_stuck)
			e->i_A = 0;
		if (e->is_lowering)
			e->i_target_A = 0;
		break;
	case 2:
		e->is_insulation_seen = true;
		break;
	case 8:
		e->i_target_A = m->current_range_max_mA / 1000.0;
		break;
	case 4:
		break;
	default:
		raise(e, "Power_Function", m->power_function);
		break;
	}
}

static void rx(void *self, int64_t now_us, const struct can_frame *f, struct out_queue *out)
{
	struct scripted_evse *e = self;
	canid_t base = f->can_id & (CAN_EFF_FLAG | 0x00FFFFFFu);
	int msg = evse_find(e->version, base);

	if (e->raised[0] || ((f->can_id >> MSG_INDEX_SHIFT) & 0x1F) != e->index || msg < 0)
		return;
	if (msg == EVSE_ADVANTICS_CONTROLLER_STATUS) {
		struct evse_advantics_controller_status m = {0};

		layout(e, EVSE_ADVANTICS_CONTROLLER_STATUS)->unpack(&m, f->data);
		if (f->can_dlc != layout(e, EVSE_ADVANTICS_CONTROLLER_STATUS)->dlc)
			raise(e, "status length", f->can_dlc);
		else if (layout(e, EVSE_ADVANTICS_CONTROLLER_STATUS)->unknown(&m))
			raise(e, "State", m.state);
		else
			on_state(e, now_us, m.state, out);
	} else if (msg == EVSE_DC_POWER_CONTROL) {
		struct evse_dc_power_control m = {0};

		layout(e, EVSE_DC_POWER_CONTROL)->unpack(&m, f->data);
		if (f->can_dlc != layout(e, EVSE_DC_POWER_CONTROL)->dlc)
			raise(e, "DC_Power_Control length", f->can_dlc);
		else
			on_power(e, now_us, &m);
	} else if (msg == EVSE_OCPP_CONTROL) {
		if (f->can_dlc != 2)
			raise(e, "OCPP_Control length", f->can_dlc);
	} else if (f->can_dlc != evse_layouts[e->version][msg].dlc) {
		raise(e, "length of another message", f->can_dlc);
	}
}

static double towards(double value, double target, double step)
{
	return fabs(target - value) <= step ? target : value + (target > value ? step : -step);
}

static void move(struct scripted_evse *e, int64_t now_us)
{
	bool is_dead = now_us - e->function_us < (int64_t)e->dead_ms * FC_US_PER_MS;

	if ((e->function == 2 || e->function == 4) && !is_dead)
		e->v_V = towards(e->v_V, e->target_mV / 1000.0, 200 * SLOT_S);
	else if (e->function == 1 && e->is_lowering && !e->is_voltage_stuck)
		e->v_V = towards(e->v_V, 0, 100 * SLOT_S);
	/* The careless part: current follows its old target also in Standby, until a frame says 0 again. */
	if (e->function == 1 || (e->function == 8 && !is_dead))
		e->i_A = towards(e->i_A, e->i_target_A, 20 * SLOT_S);
	if (e->function == 0)
		e->v_V = e->i_A = 0;
}

static void script(struct scripted_evse *e, int64_t now_us)
{
	int64_t age_ms = (now_us - e->state_us) / FC_US_PER_MS;

	if (e->state == 11 && age_ms >= e->authorisation_ms) {
		e->flags.ccs_authorisation_done = 1;
		e->flags.ccs_authorisation_valid = e->is_authorised;
	}
	if (e->state == 3 && age_ms >= e->parameters_ms)
		e->flags.charge_parameters_done = 1;
	if (e->state == 4 && age_ms >= e->wake_up_ms)
		e->is_enabled = true;
	if (e->state == 7 && e->charge_ms >= 0 && age_ms >= e->charge_ms)
		e->flags.user_stop_button = 1;
}

static void tick(void *self, int64_t now_us, struct out_queue *out)
{
	struct scripted_evse *e = self;
	struct evse_power_modules_status st = {0};
	struct evse_dc_power_parameters par = {0};

	if (!grid_due(&e->grid, now_us))
		return;
	script(e, now_us);
	st.present_voltage_mV = (int32_t)lrint(e->v_V * 1000);
	st.present_current_mA = (int32_t)lrint(e->i_A * 1000);
	st.power_modules_temperature_mdegC = st.enclosure_temperature_mdegC = 20000;
	st.system_enable = (uint8_t)(e->force_enable >= 0 ? e->force_enable : e->is_enabled);
	st.insulation_resistance_ohm = e->is_insulation_seen ? e->insulation_ohm : 0;
	if (e->sends_status)
		send(e, EVSE_POWER_MODULES_STATUS, &st, out);
	par.maximum_voltage_mV = e->max_mV;
	par.maximum_charge_current_mA = e->max_charge_mA;
	par.maximum_discharge_current_mA = 120000;
	if (e->sends_parameters)
		send(e, EVSE_DC_POWER_PARAMETERS, &par, out);
	if (memcmp(&e->flags, &e->flags_sent, sizeof(e->flags)) != 0)
		send_flags(e, out);
	/* It reports, then moves: after one Standby it shows 0, 2, 4 ... A. */
	move(e, now_us);
}

static int64_t next_us(const void *self)
{
	const struct scripted_evse *e = self;

	return e->grid.next_us;
}

struct machine scripted_evse_machine(struct scripted_evse *e)
{
	static const struct machine_ops ops = {.rx = rx, .tick = tick, .next_us = next_us};
	struct machine m = {.ops = &ops, .self = e, .name = "scripted evse"};

	return m;
}

bool scripted_evse_passed(const struct scripted_evse *e, const int *states)
{
	uint32_t i;

	for (i = 0; states[i] >= 0; i++) {
		if (i >= e->n_states || e->states[i] != states[i])
			return false;
	}
	return i == e->n_states;
}
