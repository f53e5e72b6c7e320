/* SPDX-License-Identifier: MIT */
/* Frames of the power path. Pure. */
#include "sim/path.h"

#include <string.h>

#include <forecourt/units.h>

#include "plug_msgs.h"

#define COUNTER_MODULO (INT64_C(1) << 24)
#define COUNTS_PER_As  10.0
/* No charger delivers more; what implies more is a restarted counter. */
#define MAX_PLAUSIBLE_A 3000.0
#define MAX_JOIN_As	10.0
/* Leakage and measuring resistors of cable and inlet: 1 Mohm. */
#define INLET_LEAK_S 1e-6

static const struct msg_layout *source_layout(void)
{
	return &plug_layouts[PLUG_V1][PLUG_PATH_SOURCE];
}

static const struct msg_layout *load_layout(void)
{
	return &plug_layouts[PLUG_V1][PLUG_PATH_LOAD];
}

canid_t path_source_id(unsigned index)
{
	return source_layout()->id | (canid_t)index << MSG_INDEX_SHIFT;
}

canid_t path_load_id(unsigned index)
{
	return load_layout()->id | (canid_t)index << MSG_INDEX_SHIFT;
}

/* Rounds to nearest; out of range saturates. */
static int32_t to_milli(double value)
{
	double milli = value * 1000.0;

	if (milli >= 2147483647.0)
		return INT32_MAX;
	if (milli <= -2147483647.0)
		return -INT32_MAX;
	return (int32_t)(milli < 0.0 ? milli - 0.5 : milli + 0.5);
}

static uint32_t to_counter(double charge_As)
{
	double counts = charge_As * COUNTS_PER_As;
	int64_t n = (int64_t)counts;

	if (counts < (double)n)
		n--;
	return (uint32_t)((uint64_t)n % COUNTER_MODULO);
}

void path_source_frame(const struct phys_source *s, unsigned index, struct can_frame *f)
{
	struct plug_path_source m;

	memset(&m, 0, sizeof(m));
	m.inlet_voltage_mV = to_milli(s->v_inlet_V);
	m.cable_current_mA = to_milli(s->i_A);
	m.charge_counter = to_counter(s->charge_As);
	msg_to_frame(source_layout(), &m, index, f);
}

void path_load_frame(const struct path_load_data *load, unsigned index, struct can_frame *f)
{
	struct plug_path_load m;

	memset(&m, 0, sizeof(m));
	m.is_present = load->is_present;
	m.contactors_closed = load->is_closed;
	m.battery_voltage_mV = to_milli(load->ocv_V);
	m.battery_resistance = (uint16_t)fc_clamp_i32((int64_t)(load->r_ohm * 1e4 + 0.5), 1, UINT16_MAX);
	m.inlet_capacitance = (uint8_t)fc_clamp_i32((int64_t)(load->c_inlet_F * 1e6 + 0.5), 0, UINT8_MAX);
	m.insulation_resistance = (uint16_t)fc_clamp_i32(load->insulation_kohm, 0, PATH_INSULATION_OPEN);
	msg_to_frame(load_layout(), &m, index, f);
}

bool path_source_read(const struct can_frame *f, unsigned index, struct path_source_data *data)
{
	const struct msg_layout *l = source_layout();
	struct plug_path_source m;

	memset(&m, 0, sizeof(m));
	if (f->can_id != path_source_id(index) || !msg_from_frame(l, &m, f, l->dlc))
		return false;
	data->inlet_V = m.inlet_voltage_mV * 1e-3;
	data->current_A = m.cable_current_mA * 1e-3;
	data->counter = m.charge_counter;
	return true;
}

bool path_load_read(const struct can_frame *f, unsigned index, struct path_load_data *data)
{
	const struct msg_layout *l = load_layout();
	struct plug_path_load m;

	memset(&m, 0, sizeof(m));
	if (f->can_id != path_load_id(index) || !msg_from_frame(l, &m, f, l->dlc))
		return false;
	data->is_present = m.is_present != 0;
	data->is_closed = m.contactors_closed != 0;
	data->ocv_V = m.battery_voltage_mV * 1e-3;
	/* A resistance of 0 would make the loop unsolvable. */
	data->r_ohm = (m.battery_resistance ? m.battery_resistance : 1) * 1e-4;
	data->c_inlet_F = m.inlet_capacitance * 1e-6;
	data->insulation_kohm = m.insulation_resistance;
	return true;
}

bool path_load_is_same(const struct path_load_data *a, const struct path_load_data *b)
{
	return a->is_present == b->is_present && a->is_closed == b->is_closed && a->ocv_V == b->ocv_V &&
	       a->r_ohm == b->r_ohm && a->c_inlet_F == b->c_inlet_F &&
	       a->insulation_kohm == b->insulation_kohm;
}

void path_load_apply(const struct path_load_data *data, struct phys_load *load)
{
	load->is_stiff = false;
	load->is_closed = data->is_present && data->is_closed;
	load->ocv_V = data->ocv_V;
	load->r_ohm = data->r_ohm;
	load->c_inlet_F = data->is_present ? data->c_inlet_F : 0.0;
	load->g_inlet_S = INLET_LEAK_S;
}

void path_watch_reset(struct path_watch *w)
{
	w->last_us = FC_NEVER;
	w->was_present = false;
}

void path_watch_seen(struct path_watch *w, int64_t now_us, bool is_present)
{
	w->last_us = now_us;
	w->was_present = is_present;
}

enum path_link path_watch_state(const struct path_watch *w, int64_t now_us)
{
	if (w->last_us == FC_NEVER)
		return PATH_NEVER;
	if (now_us - w->last_us <= PATH_STALE_US)
		return PATH_FRESH;
	return w->was_present ? PATH_GONE : PATH_NEVER;
}

double path_meter_charge_As(struct path_meter *m, int64_t now_us, uint32_t counter)
{
	int64_t counts = (int64_t)counter - m->counter;
	double charge, limit;

	if (counts >= COUNTER_MODULO / 2)
		counts -= COUNTER_MODULO;
	else if (counts < -COUNTER_MODULO / 2)
		counts += COUNTER_MODULO;
	charge = (double)counts / COUNTS_PER_As;
	limit = MAX_JOIN_As + MAX_PLAUSIBLE_A * (double)(now_us - m->t_us) * 1e-6;
	/*
	 * After a silence a counter of 0 is that of a new process: before a session, nothing was counted
	 * yet.
	 */
	if (counter == 0 && now_us - m->t_us > PATH_STALE_US)
		limit = 0.0;
	if (m->has_base && (charge > limit || charge < -limit)) {
		m->n_rebased++;
		charge = 0.0;
	} else if (!m->has_base) {
		m->has_base = true;
		charge = 0.0;
	}
	m->counter = counter;
	m->t_us = now_us;
	return charge;
}
