/* SPDX-License-Identifier: MIT */
/* Reads everything that the situations' conditions ask for out of the model, once per question. Pure. */
#include "monitor/explain_priv.h"

#include <string.h>

#include <forecourt/units.h>

/*
 * A frame that came a moment before the state's change belongs to the new state (either order: evse-v3.md
 * CE-21).
 */
#define EITHER_ORDER_US (5 * (int64_t)FC_US_PER_S)

/* Insulation to pass the test: evse-v3.md section 5. */
#define PASS_CCS_ohm 100000
#define PASS_MCS_ohm 125000

static int64_t since_content(const struct explain_scene *c, unsigned msg)
{
	const struct mon_msg *x = &c->point->msg[msg];

	if (!x->n)
		return -1;
	return x->n_changes ? x->changed_us : x->first_us;
}

static int64_t since_frame(const struct explain_scene *c, unsigned msg)
{
	return c->point->msg[msg].n ? c->point->msg[msg].last_us : -1;
}

static void set_state(struct explain_scene *c, unsigned msg, const char *signal, int64_t age_us, int number)
{
	c->module_age_us = age_us;
	c->state_bit = EXPLAIN_STATE_UNKNOWN;
	if (age_us < 0)
		return;
	c->state = number;
	c->state_us = c->point->state_us;
	c->state_name = mon_label(c->m, msg, signal, number, NULL);
	if (c->state_name && number < EXPLAIN_STATE_UNKNOWN)
		c->state_bit = (unsigned)number;
}

/* The frame came in the session that is going on, as far as its begin is known. */
static bool is_of_session(const struct explain_scene *c, int64_t age_us)
{
	const struct mon_session *s = &c->point->session;

	return age_us >= 0 && (!s->is_running || c->now_us - age_us >= s->start_us - EITHER_ORDER_US);
}

static void look_power(struct explain_scene *c)
{
	struct explain_evse *e = &c->e;

	e->power_age_us = mon_get(c->m, (unsigned)(c->point - c->m->point), EVSE_DC_POWER_CONTROL, &e->power);
	e->has_power = is_of_session(c, e->power_age_us);
	if (!e->has_power)
		memset(&e->power, 0, sizeof(e->power));
	e->is_lowering = e->power.lower_output_voltage || e->power.output_bleed;
	/* Version 3.0 does not show the contactors: they are closed as long as power may flow. */
	e->is_closed = c->m->cfg.version == EVSE_V3_0
			       ? explain_is_flowing(c) || (e->power.power_function > 1 && e->has_power)
			       : e->power.output_contactors != 0;
	if (!e->has_power)
		return;
	c->target_mV = e->power.target_voltage_mV;
	c->high_mA = e->power.current_range_max_mA;
	c->low_mA = e->power.current_range_min_mA;
}

static void look_evse(struct explain_scene *c)
{
	struct explain_evse *e = &c->e;
	const unsigned point = (unsigned)(c->point - c->m->point);
	struct evse_advantics_controller_status status = {0};
	const int64_t age_us = mon_get(c->m, point, EVSE_ADVANTICS_CONTROLLER_STATUS, &status);

	set_state(c, EVSE_ADVANTICS_CONTROLLER_STATUS, "State", age_us, status.state);
	e->pms_age_us = mon_get(c->m, point, EVSE_POWER_MODULES_STATUS, &e->pms);
	c->controller_age_us = e->pms_age_us;
	if (e->pms_age_us >= 0) {
		c->present_mV = e->pms.present_voltage_mV;
		c->present_mA = e->pms.present_current_mA;
		c->insulation_ohm = e->pms.insulation_resistance_ohm;
	}
	e->parameters_age_us = mon_get(c->m, point, EVSE_DC_POWER_PARAMETERS, &e->parameters);
	if (e->parameters_age_us >= 0 && e->parameters.maximum_charge_current_mA > 0)
		c->offer_mA = e->parameters.maximum_charge_current_mA;
	mon_get(c->m, point, EVSE_SEQUENCE_CONTROL, &e->flags);
	mon_get(c->m, point, EVSE_NEW_CHARGE_SESSION, &e->session);
	c->pass_ohm = e->session.plug_and_pins == EVSE_NEW_CHARGE_SESSION_PLUG_AND_PINS_MCS ? PASS_MCS_ohm
											    : PASS_CCS_ohm;
	e->has_started = is_of_session(c, mon_get(c->m, point, EVSE_CHARGE_STATUS_CHANGE, &e->vehicle)) &&
			 e->vehicle.vehicle_ready_for_charging;
	e->finished_age_us = mon_get(c->m, point, EVSE_CHARGE_SESSION_FINISHED, &e->finished);
	e->emergency_age_us = mon_get(c->m, point, EVSE_EMERGENCY_STOP, &e->emergency);
	look_power(c);
	if (c->state_us >= 0 && e->finished_age_us > c->now_us - c->state_us + EITHER_ORDER_US)
		e->finished_age_us = -1; /* of an earlier session */
	c->since_us[EXPLAIN_COMMAND] = since_content(c, EVSE_DC_POWER_CONTROL);
	c->since_us[EXPLAIN_MODULE] = since_frame(c, EVSE_DC_POWER_CONTROL);
	c->since_us[EXPLAIN_CONTROLLER] = since_frame(c, EVSE_POWER_MODULES_STATUS);
	c->since_us[EXPLAIN_FLAGS] = since_content(c, EVSE_SEQUENCE_CONTROL);
}

/* The older of two supervised messages; -1: one was never heard. */
static int64_t older_us(int64_t a_us, int64_t b_us)
{
	if (a_us < 0 || b_us < 0)
		return -1;
	return a_us > b_us ? a_us : b_us;
}

static bool is_ac(const struct pev_evse_information *i)
{
	return i->pins == PEV_EVSE_INFORMATION_PINS_CCS_AC ||
	       i->pins == PEV_EVSE_INFORMATION_PINS_CCS_AC_SINGLE_PHASE_CORE ||
	       i->pins == PEV_EVSE_INFORMATION_PINS_CCS_AC_THREE_PHASE_CORE;
}

static void look_vehicle(struct explain_scene *c, unsigned point)
{
	struct explain_pev *v = &c->v;
	const int64_t current_us = mon_get(c->m, point, PEV_DC_STATUS1, &v->current);
	const int64_t voltage_us = mon_get(c->m, point, PEV_DC_STATUS2, &v->voltage);
	const int64_t ac_us = mon_get(c->m, point, PEV_AC_STATUS, &v->ac_status);

	v->battery_age_us = mon_get(c->m, point, PEV_EV_INFORMATION, &v->battery);
	c->controller_age_us = v->is_ac ? ac_us : older_us(current_us, voltage_us);
	if (c->controller_age_us >= 0)
		c->since_us[EXPLAIN_CONTROLLER] = c->now_us - c->controller_age_us;
	if (v->battery_age_us >= 0)
		c->soc_permille = v->battery.state_of_charge_permille;
	if (current_us >= 0) {
		c->present_mA = v->current.present_current_mA;
		c->high_mA = v->current.max_charge_current_mA;
	}
	if (voltage_us >= 0) {
		c->present_mV = v->voltage.inlet_voltage_mV;
		c->battery_mV = c->target_mV = v->voltage.battery_voltage_mV;
	}
	mon_get(c->m, point, PEV_EV_STATUS, &v->status);
}

static void look_pev(struct explain_scene *c)
{
	struct explain_pev *v = &c->v;
	const unsigned point = (unsigned)(c->point - c->m->point);
	const int64_t age_us = mon_get(c->m, point, PEV_EVSE_INFORMATION, &v->information);

	set_state(c, PEV_EVSE_INFORMATION, "Communication_Stage", age_us, v->information.communication_stage);
	v->is_ac = is_ac(&v->information);
	if (age_us >= 0 && v->information.max_current_mA > 0)
		c->offer_mA = v->information.max_current_mA;
	mon_get(c->m, point, PEV_AC_CONTROL, &v->ac_control);
	v->control_age_us = mon_get(c->m, point, PEV_DC_CONTROL, &v->dc_control);
	v->lines_age_us = mon_get(c->m, point, PEV_CCS_EXTRA_INFORMATION, &v->lines);
	mon_get(c->m, point, PEV_ADM_CS_EVCC_INPUTS, &v->inputs);
	v->diagnostic_age_us = mon_get(c->m, point, PEV_EVCC_MEVC_DIAGNOSTIC_STATUS, &v->diagnostic);
	explain_group_faults(&v->diagnostic, v);
	look_vehicle(c, point);
	c->since_us[EXPLAIN_COMMAND] = since_content(c, v->is_ac ? PEV_AC_CONTROL : PEV_DC_CONTROL);
	c->since_us[EXPLAIN_MODULE] = since_frame(c, PEV_DC_CONTROL);
}

void explain_look(const struct mon_model *m, unsigned point, struct explain_scene *c)
{
	memset(c, 0, sizeof(*c));
	c->m = m;
	c->now_us = m->now_us;
	c->state = -1;
	c->state_bit = EXPLAIN_STATE_UNKNOWN;
	c->state_us = c->module_age_us = c->controller_age_us = -1;
	c->present_mV = c->target_mV = c->battery_mV = c->present_mA = c->high_mA = c->low_mA = MON_UNKNOWN;
	c->offer_mA = c->insulation_ohm = c->pass_ohm = c->soc_permille = MON_UNKNOWN;
	for (unsigned i = 0; i <= EXPLAIN_FLAGS; i++)
		c->since_us[i] = -1;
	c->point = mon_point(m, point);
	if (!c->point)
		return;
	c->since_us[EXPLAIN_FIRST] = c->point->first_us;
	if (m->cfg.side == MON_EVSE)
		look_evse(c);
	else
		look_pev(c);
	c->since_us[EXPLAIN_STATE] = c->state_us;
	if (c->since_us[EXPLAIN_FLAGS] < c->state_us)
		c->since_us[EXPLAIN_FLAGS] = c->state_us;
}

bool explain_is_bus_down(struct explain_scene *c)
{
	return !c->m->bus.is_up;
}

bool explain_is_unheard(struct explain_scene *c)
{
	return !c->point;
}

bool explain_is_module_unheard(struct explain_scene *c)
{
	return c->module_age_us < 0;
}

bool explain_is_setup(struct explain_scene *c)
{
	return c->state_us < 0 || c->now_us - c->state_us <= 20 * (int64_t)FC_US_PER_S;
}
