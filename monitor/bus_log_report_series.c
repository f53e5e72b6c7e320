/* SPDX-License-Identifier: MIT */
/*
 * Which message carries which plotted quantity, and how a change of it reaches the track of the running session.
 */
#include "monitor/bus_log_report_data.h"

#include <stddef.h>

#include "evse_msgs.h"
#include "pev_msgs.h"

enum { PLAIN = 0, ZERO_UNKNOWN = 1, NEGATED = 2 };

struct source {
	uint8_t side, msg;
	uint16_t offset; /* of the member in the message's struct */
	uint8_t series, how;
};

#define EVSE(msg, type, member, series, how)                                                     \
	{                                                                                        \
		MON_EVSE, EVSE_##msg, offsetof(struct evse_##type, member), REPORT_##series, how \
	}
#define PEV(msg, type, member, series, how)                                                   \
	{                                                                                     \
		MON_PEV, PEV_##msg, offsetof(struct pev_##type, member), REPORT_##series, how \
	}

/* Limits of 0 mean "not given" on both interfaces. The last four rows exist in version 3.0 only. */
static const struct source sources[] = {
	EVSE(POWER_MODULES_STATUS, power_modules_status, present_voltage_mV, mV, PLAIN),
	EVSE(POWER_MODULES_STATUS, power_modules_status, present_current_mA, mA, PLAIN),
	EVSE(DC_POWER_PARAMETERS, dc_power_parameters, maximum_voltage_mV, CHARGER_MAX_mV, ZERO_UNKNOWN),
	EVSE(DC_POWER_PARAMETERS, dc_power_parameters, maximum_charge_current_mA, CHARGER_MAX_mA,
	     ZERO_UNKNOWN),
	EVSE(DC_POWER_PARAMETERS, dc_power_parameters, maximum_discharge_current_mA, CHARGER_BACK_mA,
	     ZERO_UNKNOWN | NEGATED),
	EVSE(DC_POWER_CONTROL, dc_power_control, target_voltage_mV, TARGET_mV, PLAIN),
	EVSE(DC_POWER_CONTROL, dc_power_control, current_range_max_mA, REQUEST_mA, PLAIN),
	EVSE(DC_POWER_CONTROL, dc_power_control, current_range_min_mA, REQUEST_LOW_mA, PLAIN),
	EVSE(EV_INFORMATION_BATTERY, ev_information_battery, present_state_of_charge_permille, SOC_permille,
	     PLAIN),
	EVSE(EV_INFORMATION_BATTERY, ev_information_battery, target_state_of_charge_permille,
	     TARGET_SOC_permille, ZERO_UNKNOWN),
	EVSE(EV_INFORMATION_VOLTAGES, ev_information_voltages, ev_present_voltage_mV, BATTERY_mV,
	     ZERO_UNKNOWN),
	EVSE(EV_INFORMATION_VOLTAGES, ev_information_voltages, ev_maximum_voltage_mV, VEHICLE_MAX_mV,
	     ZERO_UNKNOWN),
	EVSE(EV_INFORMATION_CHARGE_LIMITS, ev_information_charge_limits, ev_maximum_charge_current_mA,
	     VEHICLE_MAX_mA, ZERO_UNKNOWN),
	EVSE(EV_INFORMATION_DISCHARGE_LIMITS, ev_information_discharge_limits,
	     ev_maximum_discharge_current_mA, VEHICLE_BACK_mA, ZERO_UNKNOWN | NEGATED),
	EVSE(OCPP_CONTROL, ocpp_control, dynamic_target_current_mA, OCPP_mA, PLAIN),
	PEV(DC_STATUS2, dc_status2, inlet_voltage_mV, mV, PLAIN),
	PEV(DC_STATUS2, dc_status2, battery_voltage_mV, BATTERY_mV, PLAIN),
	PEV(DC_STATUS1, dc_status1, present_current_mA, mA, PLAIN),
	PEV(DC_STATUS1, dc_status1, max_charge_current_mA, REQUEST_mA, PLAIN),
	PEV(DC_STATUS1, dc_status1, target_voltage_mV, TARGET_mV, ZERO_UNKNOWN),
	PEV(EVSE_INFORMATION, evse_information, max_current_mA, CHARGER_MAX_mA, ZERO_UNKNOWN),
	PEV(EV_INFORMATION, ev_information, state_of_charge_permille, SOC_permille, PLAIN),
	EVSE(NEW_CHARGE_SESSION, new_charge_session, ev_maximum_voltage_mV, VEHICLE_MAX_mV, ZERO_UNKNOWN),
	EVSE(NEW_CHARGE_SESSION, new_charge_session, ev_maximum_current_mA, VEHICLE_MAX_mA, ZERO_UNKNOWN),
	EVSE(NEW_CHARGE_SESSION, new_charge_session, state_of_charge_permille, SOC_permille, PLAIN),
	EVSE(DC_POWER_CONTROL, dc_power_control, state_of_charge_permille, SOC_permille, PLAIN),
};

#define N_SOURCES (sizeof(sources) / sizeof(sources[0]))

void report_series_init(struct report_side *s)
{
	unsigned msg, i, k;

	for (msg = 0; msg < MON_MAX_MSGS; msg++)
		for (i = 0; i < 32; i++)
			s->series[msg][i] = -1;
	for (i = 0; i < N_SOURCES; i++) {
		const struct source *from = &sources[i];
		const struct msg_layout *l = &s->model->layouts[from->msg];

		if (from->side != s->side || !msg_exists(l))
			continue;
		for (k = 0; k < l->n_fields && k < 32; k++) {
			if (l->fields[k].offset != from->offset)
				continue;
			s->series[from->msg][k] = (int8_t)from->series;
			s->is_zero_unknown[from->msg][k] = from->how & ZERO_UNKNOWN;
			s->is_negated[from->msg][k] = (from->how & NEGATED) != 0;
			s->msgs_with_series |= 1u << from->msg;
		}
	}
}

static void set(struct report_point *p, int64_t now_us, unsigned series, int32_t value)
{
	p->now[series] = value;
	if (p->track)
		report_track_set(p->track, now_us, series, value);
}

static int32_t number_of(const struct report_side *s, unsigned msg, unsigned field, int64_t number)
{
	if (number == 0 && s->is_zero_unknown[msg][field])
		return MON_UNKNOWN;
	return fc_clamp_i32(s->is_negated[msg][field] ? -number : number, -INT32_MAX, INT32_MAX);
}

void report_series_change(struct report_side *s, const struct mon_change *c)
{
	struct report_point *p = &s->point[c->point % MON_N_POINTS];
	int series = c->msg < MON_MAX_MSGS && c->field < 32 ? s->series[c->msg][c->field] : -1;

	if (series < 0)
		return;
	set(p, c->time_us, (unsigned)series, number_of(s, c->msg, c->field, c->number));
	/* Voltage and current come in one frame, as two changes: their product is due when both are taken. */
	p->is_power_due |= series == REPORT_mV || series == REPORT_mA || series == REPORT_BATTERY_mV;
}

/* The charger measures at its output; the vehicle's own power is that of the battery. */
void report_series_power(struct report_side *s, unsigned point, int64_t now_us)
{
	struct report_point *p = &s->point[point];
	int32_t voltage_mV = p->now[s->side == MON_EVSE ? REPORT_mV : REPORT_BATTERY_mV];
	int32_t current_mA = p->now[REPORT_mA];

	p->is_power_due = false;
	if (voltage_mV == MON_UNKNOWN || current_mA == MON_UNKNOWN)
		set(p, now_us, REPORT_W, MON_UNKNOWN);
	else
		set(p, now_us, REPORT_W, fc_power_W(voltage_mV, current_mA));
}

/* All quantities of a message: as its last frame says, or unknown. */
static void set_all(struct report_side *s, unsigned point, unsigned msg, int64_t now_us, bool is_known)
{
	for (unsigned k = 0; k < s->model->layouts[msg].n_fields && k < 32; k++) {
		int series = s->series[msg][k];

		if (series < 0)
			continue;
		set(&s->point[point], now_us, (unsigned)series,
		    is_known ? number_of(s, msg, k, mon_field(s->model, point, msg, k).number) : MON_UNKNOWN);
		s->point[point].is_power_due = true;
	}
}

void report_series_forget(struct report_side *s, unsigned point)
{
	static const uint8_t of_vehicle[] = {EVSE_EV_INFORMATION_BATTERY, EVSE_EV_INFORMATION_VOLTAGES,
					     EVSE_EV_INFORMATION_CHARGE_LIMITS,
					     EVSE_EV_INFORMATION_DISCHARGE_LIMITS};

	if (s->side != MON_EVSE)
		return;
	for (unsigned i = 0; i < sizeof(of_vehicle); i++) {
		set_all(s, point, of_vehicle[i], s->model->now_us, false);
		s->point[point].forgotten |= 1u << of_vehicle[i];
	}
}

void report_series_frame(struct report_side *s, unsigned point, unsigned msg, int64_t now_us)
{
	struct report_point *p = &s->point[point];

	if (p->forgotten & 1u << msg)
		set_all(s, point, msg, now_us, true);
	p->forgotten &= ~(1u << msg);
	if (p->is_power_due)
		report_series_power(s, point, now_us);
}

/* A value that is not sent any more is no value; when its message is back unchanged, no change says so. */
void report_series_watch(struct report_side *s, unsigned point, int64_t now_us)
{
	struct report_point *p = &s->point[point];

	for (unsigned msg = 0; msg < s->model->n_msgs; msg++) {
		bool is_lost = s->model->point[point].msg[msg].n && mon_is_stale(s->model, point, msg);

		if (!(s->msgs_with_series & 1u << msg) || is_lost == p->is_msg_lost[msg])
			continue;
		p->is_msg_lost[msg] = is_lost;
		set_all(s, point, msg, now_us, !is_lost);
	}
	if (p->is_power_due)
		report_series_power(s, point, now_us);
}
