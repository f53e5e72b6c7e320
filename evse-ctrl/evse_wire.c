/* SPDX-License-Identifier: MIT */
/* Frames <-> events of the EVSE generic interface, customer's side. Pure. */
#include "evse-ctrl/evse_wire.h"

#include <errno.h>
#include <string.h>

#include <forecourt/power_module.h>

/* Temperature signals: raw 0, that is -40 degrees, means "not provided" (evse-v3.md section 3). */
#define TEMP_NOT_PROVIDED_mdegC (-40000)

#define BASE_MASK (CAN_EFF_FLAG | 0x00FFFFFFu)

static const enum evse_msg received[] = {
	EVSE_ADVANTICS_CONTROLLER_STATUS,
	EVSE_NEW_CHARGE_SESSION,
	EVSE_CHARGE_STATUS_CHANGE,
	EVSE_DC_POWER_CONTROL,
	EVSE_CHARGE_SESSION_FINISHED,
	EVSE_EMERGENCY_STOP,
	EVSE_OCPP_CONTROL,
	EVSE_EV_INFORMATION_BATTERY,
	EVSE_EV_INFORMATION_VOLTAGES,
	EVSE_EV_INFORMATION_CHARGE_LIMITS,
	EVSE_EV_INFORMATION_DISCHARGE_LIMITS,
};

union received_msg {
	struct evse_advantics_controller_status advantics_controller_status;
	struct evse_new_charge_session new_charge_session;
	struct evse_charge_status_change charge_status_change;
	struct evse_dc_power_control dc_power_control;
	struct evse_charge_session_finished charge_session_finished;
	struct evse_emergency_stop emergency_stop;
	struct evse_ocpp_control ocpp_control;
	struct evse_ev_information_battery ev_information_battery;
	struct evse_ev_information_voltages ev_information_voltages;
	struct evse_ev_information_charge_limits ev_information_charge_limits;
	struct evse_ev_information_discharge_limits ev_information_discharge_limits;
};

#define N_RECEIVED (sizeof(received) / sizeof(received[0]))

int evse_wire_init(struct evse_wire *w, enum evse_version version, unsigned index)
{
	if (index < EVSE_INDEX_MIN || index > EVSE_INDEX_MAX || version >= EVSE_N_VERSIONS)
		return -EINVAL;
	memset(w, 0, sizeof(*w));
	w->version = version;
	w->index = (uint8_t)index;
	return 0;
}

void evse_wire_forget_vehicle(struct evse_wire *w)
{
	memset(&w->vehicle, 0, sizeof(w->vehicle));
}

size_t evse_wire_filters(const struct evse_wire *w, struct can_filter *f, size_t n)
{
	size_t i, used = 0;

	for (i = 0; i < N_RECEIVED && used < n; i++) {
		const struct msg_layout *l = &evse_layouts[w->version][received[i]];

		if (msg_exists(l)) {
			f[used].can_id = l->id | (canid_t)w->index << MSG_INDEX_SHIFT;
			f[used].can_mask = CAN_EFF_MASK | CAN_EFF_FLAG | CAN_RTR_FLAG;
			used++;
		}
	}
	return used;
}

/*
 * The shortest length that counts: the profile's own, but the two messages that grew with 3.3 are also taken
 * in their 3.1 form (rule E-08); what is missing reads as 0.
 */
static unsigned min_dlc(const struct evse_wire *w, enum evse_msg msg)
{
	if (msg == EVSE_EV_INFORMATION_BATTERY || msg == EVSE_EV_INFORMATION_VOLTAGES)
		return evse_layouts[EVSE_V3_1][msg].dlc;
	return evse_layouts[w->version][msg].dlc;
}

static void decode_power(const struct evse_wire *w, const struct evse_dc_power_control *m,
			 struct evse_power_command *p)
{
	p->v_mV = m->target_voltage_mV;
	p->i_max_mA = m->current_range_max_mA;
	p->i_min_mA = m->current_range_min_mA;
	p->is_range = m->setpoints_mode != 0;
	switch (m->power_function) {
	case EVSE_FN_OFF:
	case EVSE_FN_STANDBY:
	case EVSE_FN_INSULATION_TEST:
	case EVSE_FN_PRECHARGE:
	case EVSE_FN_POWER_TRANSFER:
		p->function = (enum evse_function)m->power_function;
		break;
	default:
		p->function = EVSE_FN_UNKNOWN;
		break;
	}
	if (w->version == EVSE_V3_0) {
		/* 3.0 has no contactor bit: a power function needs them closed, Standby keeps what is (session). */
		p->is_lowering = m->output_bleed != 0;
		p->is_closed = p->function != EVSE_FN_OFF && !p->is_lowering;
	} else {
		p->is_lowering = m->lower_output_voltage != 0;
		p->is_closed = m->output_contactors != 0;
	}
	if (p->function == EVSE_FN_UNKNOWN)
		p->is_lowering = false;
}

static void keep_new_session(struct evse_wire *w, const struct evse_new_charge_session *m)
{
	w->vehicle.protocol = m->communication_protocol;
	w->vehicle.pins = m->plug_and_pins;
	if (w->version == EVSE_V3_0) {
		w->vehicle.v_max_mV = m->ev_maximum_voltage_mV;
		w->vehicle.i_charge_max_mA = m->ev_maximum_current_mA;
		w->vehicle.capacity_Wh = (int32_t)m->battery_capacity_Wh;
		w->vehicle.soc_permille = m->state_of_charge_permille;
	}
}

static bool is_received(enum evse_msg msg)
{
	size_t i;

	for (i = 0; i < N_RECEIVED; i++) {
		if (received[i] == msg)
			return true;
	}
	return false;
}

/* The messages about the vehicle are kept here; nothing is controlled by them. */
static void keep_vehicle_info(struct evse_wire *w, enum evse_msg msg, const union received_msg *m)
{
	struct evse_vehicle *v = &w->vehicle;

	if (msg == EVSE_EV_INFORMATION_BATTERY) {
		v->capacity_Wh = (int32_t)m->ev_information_battery.battery_capacity_Wh;
		v->soc_permille = m->ev_information_battery.present_state_of_charge_permille;
		v->soc_target_permille = m->ev_information_battery.target_state_of_charge_permille;
	} else if (msg == EVSE_EV_INFORMATION_VOLTAGES) {
		v->v_min_mV = m->ev_information_voltages.ev_minimum_voltage_mV;
		v->v_max_mV = m->ev_information_voltages.ev_maximum_voltage_mV;
		v->v_present_mV = m->ev_information_voltages.ev_present_voltage_mV;
	} else if (msg == EVSE_EV_INFORMATION_CHARGE_LIMITS) {
		v->i_charge_min_mA = m->ev_information_charge_limits.ev_minimum_charge_current_mA;
		v->i_charge_max_mA = m->ev_information_charge_limits.ev_maximum_charge_current_mA;
		v->p_charge_max_W = m->ev_information_charge_limits.ev_maximum_charge_power_W;
	} else if (msg == EVSE_EV_INFORMATION_DISCHARGE_LIMITS) {
		v->i_discharge_max_mA = m->ev_information_discharge_limits.ev_maximum_discharge_current_mA;
	}
}

static void fill_event(struct evse_wire *w, enum evse_msg msg, const union received_msg *m,
		       struct evse_event *ev)
{
	if (msg == EVSE_ADVANTICS_CONTROLLER_STATUS) {
		ev->kind = EVSE_EV_STATUS;
		ev->number = m->advantics_controller_status.state;
	} else if (msg == EVSE_NEW_CHARGE_SESSION) {
		ev->kind = EVSE_EV_NEW_SESSION;
		keep_new_session(w, &m->new_charge_session);
	} else if (msg == EVSE_CHARGE_STATUS_CHANGE) {
		ev->kind = EVSE_EV_STATUS_CHANGE;
		ev->number = m->charge_status_change.vehicle_ready_for_charging;
	} else if (msg == EVSE_DC_POWER_CONTROL) {
		ev->kind = EVSE_EV_POWER_CONTROL;
		decode_power(w, &m->dc_power_control, &ev->power);
		if (w->version == EVSE_V3_0)
			w->vehicle.soc_permille = m->dc_power_control.state_of_charge_permille;
	} else if (msg == EVSE_CHARGE_SESSION_FINISHED) {
		ev->kind = EVSE_EV_SESSION_FINISHED;
		ev->number = m->charge_session_finished.state;
	} else if (msg == EVSE_EMERGENCY_STOP) {
		ev->kind = EVSE_EV_EMERGENCY;
		ev->number = m->emergency_stop.origin;
	} else if (msg == EVSE_OCPP_CONTROL) {
		ev->kind = EVSE_EV_OCPP;
		ev->ocpp_target_mA = m->ocpp_control.dynamic_target_current_mA;
	} else {
		ev->kind = EVSE_EV_VEHICLE_INFO;
		keep_vehicle_info(w, msg, m);
	}
}

void evse_wire_decode(struct evse_wire *w, const struct can_frame *f, struct evse_event *ev)
{
	const struct msg_layout *l;
	union received_msg m;
	int msg;

	ev->kind = EVSE_EV_NONE;
	ev->is_unknown_number = false;
	if ((f->can_id & (CAN_EFF_FLAG | CAN_RTR_FLAG | CAN_ERR_FLAG)) != CAN_EFF_FLAG) {
		w->count.n_kind++;
		return;
	}
	msg = ((f->can_id >> MSG_INDEX_SHIFT) & 0x1F) == w->index
		      ? evse_find(w->version, f->can_id & BASE_MASK)
		      : -1;
	if (msg < 0 || !is_received((enum evse_msg)msg)) {
		w->count.n_foreign++;
		return;
	}
	l = &evse_layouts[w->version][msg];
	memset(&m, 0, sizeof(m));
	if (!msg_from_frame(l, &m, f, min_dlc(w, (enum evse_msg)msg))) {
		w->count.n_short++;
		return;
	}
	w->count.n_accepted++;
	if (l->unknown && l->unknown(&m)) {
		ev->is_unknown_number = true;
		w->count.n_unknown++;
	}
	fill_event(w, (enum evse_msg)msg, &m, ev);
}

static void encode(struct evse_wire *w, enum evse_msg msg, const void *m, struct can_frame *f)
{
	w->count.n_clipped += msg_to_frame(&evse_layouts[w->version][msg], m, w->index, f);
}

static int32_t temperature(int32_t mdegC)
{
	return mdegC == PM_TEMP_NONE ? TEMP_NOT_PROVIDED_mdegC : mdegC;
}

void evse_wire_status(struct evse_wire *w, const struct evse_status_out *st, struct can_frame *f)
{
	struct evse_power_modules_status m = {0};

	m.present_voltage_mV = st->v_mV;
	m.present_current_mA = st->i_mA;
	m.power_modules_temperature_mdegC = temperature(st->temp_hot_mdegC);
	m.enclosure_temperature_mdegC = temperature(st->temp_inlet_mdegC);
	m.system_enable = st->is_enabled;
	/* Good insulation above the signal's range is full scale, not an error. */
	m.insulation_resistance_ohm = st->insulation_ohm > 510000 ? 510000 : st->insulation_ohm;
	encode(w, EVSE_POWER_MODULES_STATUS, &m, f);
}

/* A limit of 0 would mean "use the module's own configuration" (evse-v3.md section 3), so the least is 0.1. */
static int32_t at_least_one_step(int32_t milli)
{
	return milli < 100 ? 100 : milli;
}

void evse_wire_parameters(struct evse_wire *w, const struct evse_parameters_out *p, struct can_frame *f)
{
	struct evse_dc_power_parameters m = {0};

	m.maximum_voltage_mV = at_least_one_step(p->max_voltage_mV);
	m.maximum_charge_current_mA = at_least_one_step(p->max_charge_mA);
	m.maximum_discharge_current_mA = at_least_one_step(p->max_discharge_mA);
	/* Limits round down: what does not fill a step of 0.1 is not announced. */
	m.maximum_voltage_mV -= m.maximum_voltage_mV % 100;
	m.maximum_charge_current_mA -= m.maximum_charge_current_mA % 100;
	m.maximum_discharge_current_mA -= m.maximum_discharge_current_mA % 100;
	encode(w, EVSE_DC_POWER_PARAMETERS, &m, f);
}

void evse_wire_sequence(struct evse_wire *w, uint32_t flags, struct can_frame *f)
{
	struct evse_sequence_control m = {0};

	m.start_charge_authorisation = (flags & EVSE_FLAG_START) != 0;
	m.ccs_authorisation_done = (flags & EVSE_FLAG_AUTH_DONE) != 0;
	m.ccs_authorisation_valid = (flags & EVSE_FLAG_AUTH_VALID) != 0;
	m.charge_parameters_done = (flags & EVSE_FLAG_PARAMETERS_DONE) != 0;
	m.user_stop_button = (flags & EVSE_FLAG_USER_STOP) != 0;
	encode(w, EVSE_SEQUENCE_CONTROL, &m, f);
}

const char *evse_wire_state_name(const struct evse_wire *w, uint8_t state)
{
	const struct msg_layout *l = &evse_layouts[w->version][EVSE_ADVANTICS_CONTROLLER_STATUS];
	uint16_t i;

	for (i = 0; i < l->fields[0].n_values; i++) {
		if (l->fields[0].values[i].number == state)
			return l->fields[0].values[i].name;
	}
	return NULL;
}
