/* SPDX-License-Identifier: MIT */
/* Options, ratings and faults of the simulated vehicle. Pure. */
#include "sim/sim_vehicle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A battery this far beyond its limits is a fault. */
#define VOLTAGE_MARGIN_V 5.0
#define BMS_LOST_US	 (500 * (int64_t)FC_US_PER_MS)
#define STUCK_US	 (300 * (int64_t)FC_US_PER_MS)

#define OFFSET(member) offsetof(struct sim_vehicle_conf, member)
#define MILLI(key, unit_, def_, min_, max_, member, live, help_)                          \
	{                                                                                 \
		{key, unit_, def_, help_}, OPT_MILLI, live, min_, max_, OFFSET(member), 0 \
	}
#define NUMBER(key, type_, unit_, def_, min_, max_, member, live, help_)              \
	{                                                                             \
		{key, unit_, def_, help_}, type_, live, min_, max_, OFFSET(member), 0 \
	}
#define FLAG(key, def_, member, help_)                                       \
	{                                                                    \
		{key, "", def_, help_}, OPT_BOOL, 0, 0, 0, OFFSET(member), 0 \
	}

const struct sim_opt sim_vehicle_options[SIM_VEHICLE_N_OPTIONS] = {
	NUMBER("pistol_index", OPT_INT, "", "1", 1, 15, pistol_index, 0,
	       "pistol the vehicle is plugged into"),
	MILLI("contactors_delay", "s", "0.6", 0, 60000, contactors_delay_ms, 1,
	      "contactor reaction, both ways"),
	MILLI("charger_dead_time", "s", "1", 0, 3600000, charger_dead_time_ms, 1, "imagined charger: delay"),
	MILLI("charger_voltage_ramp_up_slope", "V/s", "200", 1, 1000000000, charger_voltage_up_mVps, 1,
	      "imagined charger: rise of the inlet voltage"),
	MILLI("ev_battery_soc", "%", "30", 0, 100000, soc_permille_x100, 1, "state of charge at the start"),
	MILLI("ev_battery_capacity", "kWh", "75.53", 1, 6000000, capacity_Wh, 1, "energy from 0 to 100 %"),
	MILLI("ev_battery_min_voltage", "V", "274", 1, 2000000, min_mV, 0, "battery voltage at 0 %"),
	MILLI("ev_battery_max_voltage", "V", "400", 1, 2000000, max_mV, 0, "battery voltage at 100 %"),
	{{"ev_battery_ocv_table", "V", "", "eleven voltages from 0 to 100 %, separated by commas"},
	 OPT_TEXT,
	 0,
	 0,
	 0,
	 OFFSET(ocv_table),
	 SIM_VEHICLE_OCV_TEXT},
	MILLI("ev_battery_resistance", "mohm", "80", 1, 1000000, resistance_uohm, 0, "internal resistance"),
	MILLI("ev_cell_limit_voltage", "V", "0", 0, 2000000, cell_limit_mV, 1,
	      "voltage the BMS does not pass, 0: that at 100 %"),
	MILLI("ev_dc_max_charge_current", "A", "120", 0, 2000000, charge_max_mA, 1, "wanted at most"),
	MILLI("ev_dc_max_discharge_current", "A", "120", 0, 2000000, discharge_max_mA, 1, "given at most"),
	MILLI("full_current", "A", "2", 0, 2000000, full_current_mA, 1, "a taper below it means full"),
	MILLI("charging_speed_multiplier", "", "1", 1, 100000000, speed_permille, 1,
	      "battery time runs that much faster"),
	MILLI("maximum_energy_request", "kWh", "75.53", 0, 6000000, energy_max_Wh, 1,
	      "energy wanted at most"),
	MILLI("target_energy_request", "kWh", "60.424", 0, 6000000, energy_target_Wh, 1, "energy wanted"),
	MILLI("minimum_energy_request", "kWh", "22.659", 0, 6000000, energy_min_Wh, 1,
	      "energy wanted at least"),
	MILLI("maximum_v2x_energy_request", "kWh", "60.424", 0, 6000000, v2x_max_Wh, 1, "upper V2X level"),
	MILLI("minimum_v2x_energy_request", "kWh", "22.659", 0, 6000000, v2x_min_Wh, 1, "lower V2X level"),
	NUMBER("departure_time", OPT_LONG, "s", "86400", 0, 4294967295, departure_s, 1,
	       "time until departure"),
	MILLI("hv_ready_delay", "s", "0", 0, 600000, hv_ready_delay_ms, 1, "high voltage is ready after"),
	FLAG("restore_soc", "yes", restores_soc, "state of charge starts anew with each session"),
	FLAG("stop_when_full", "yes", stops_when_full, "asks for a normal end when full"),
	MILLI("ev_temperature", "degC", "20", -40000, 150000, temperature_mdegC, 1, "air around the battery"),
	NUMBER("ev_insulation_resistance", OPT_INT, "kohm", "65535", 0, 65535, insulation_kohm, 1,
	       "of cable and vehicle, 65535: perfect"),
	NUMBER("ev_inlet_capacitance", OPT_INT, "uF", "1", 0, 255, inlet_uF, 0, "at the inlet"),
	FLAG("send_path", "yes", sends_path, "send the power path on the bus"),
};

/* One voltage of the table in mV; moves *text behind it and its comma. */
static int read_volts(const char **text, int64_t *milli)
{
	size_t n = strcspn(*text, ",");
	char word[24];

	if (n >= sizeof(word))
		return -EINVAL;
	memcpy(word, *text, n);
	word[n] = '\0';
	*text += n + ((*text)[n] == ',');
	return opts_parse_milli(word, milli);
}

static int read_table(const char *text, struct phys_battery_cfg *cfg, char *err, size_t err_size)
{
	int64_t milli, last = 0;
	int n;

	for (n = 0; n < PHYS_OCV_POINTS; n++) {
		if (read_volts(&text, &milli) || milli <= 0 || milli > 2000000 || milli < last) {
			snprintf(err, err_size, "ev_battery_ocv_table needs %d rising voltages",
				 PHYS_OCV_POINTS);
			return -EINVAL;
		}
		cfg->ocv_V[n] = (double)milli * 1e-3;
		last = milli;
	}
	if (*text) {
		snprintf(err, err_size, "ev_battery_ocv_table has more than %d voltages", PHYS_OCV_POINTS);
		return -EINVAL;
	}
	return 0;
}

int sim_vehicle_battery_cfg(const struct sim_vehicle_conf *c, struct phys_battery_cfg *cfg, char *err,
			    size_t err_size)
{
	memset(cfg, 0, sizeof(*cfg));
	if (c->min_mV >= c->max_mV) {
		snprintf(err, err_size, "ev_battery_min_voltage must be below ev_battery_max_voltage");
		return -EINVAL;
	}
	phys_battery_linear(cfg, c->min_mV * 1e-3, c->max_mV * 1e-3);
	if (c->ocv_table[0] && read_table(c->ocv_table, cfg, err, err_size))
		return -EINVAL;
	cfg->capacity_Wh = c->capacity_Wh;
	cfg->r_ohm = c->resistance_uohm * 1e-6;
	cfg->v_limit_V = c->cell_limit_mV ? c->cell_limit_mV * 1e-3 : cfg->ocv_V[PHYS_OCV_POINTS - 1];
	cfg->v_floor_V = cfg->ocv_V[0];
	cfg->i_charge_A = c->charge_max_mA * 1e-3;
	cfg->i_discharge_A = c->discharge_max_mA * 1e-3;
	cfg->speed = c->speed_permille * 1e-3;
	return 0;
}

void sim_vehicle_caps(void *self, struct vh_caps *out)
{
	const struct sim_vehicle *s = self;
	struct vh_caps c;

	memset(&c, 0, sizeof(c));
	c.size = out->size;
	c.v_min_mV = sim_vehicle_milli(s->battery.cfg.ocv_V[0]);
	c.v_max_mV = sim_vehicle_milli(s->battery.cfg.v_limit_V);
	c.i_charge_max_mA = s->conf.charge_max_mA;
	c.i_discharge_max_mA = s->conf.discharge_max_mA;
	c.capacity_Wh = s->conf.capacity_Wh;
	c.contactor_delay_us = (int64_t)s->conf.contactors_delay_ms * FC_US_PER_MS;
	c.open_limit_mA = SIM_VEHICLE_OPEN_LIMIT_mA;
	c.has_feedback = 1;
	memcpy(out, &c, out->size < sizeof(c) ? out->size : sizeof(c));
}

/* --- faults ------------------------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	uint32_t inject;
	uint32_t vh_fault; /* reported while injected; the others are found by observation */
} fault_rows[] = {
	{"welded", SIM_VEHICLE_WELDED, 0},
	{"not_closing", SIM_VEHICLE_NOT_CLOSING, 0},
	{"bms_silent", SIM_VEHICLE_BMS_SILENT, 0},
	{"over_temp", SIM_VEHICLE_OVER_TEMP, VH_FAULT_OVER_TEMP},
	{"insulation", SIM_VEHICLE_INSULATION, VH_FAULT_INSULATION},
	{"internal", SIM_VEHICLE_INTERNAL, VH_FAULT_INTERNAL},
	{"frozen", SIM_VEHICLE_FROZEN, 0},
	{"feedback_unknown", SIM_VEHICLE_FEEDBACK_UNKNOWN, 0},
	{"over_voltage", SIM_VEHICLE_OVER_VOLTAGE, VH_FAULT_OVER_VOLTAGE},
};
#define N_FAULT_ROWS (sizeof(fault_rows) / sizeof(fault_rows[0]))

#define LATCHED_FAULTS (VH_FAULT_CONTACTOR_WELDED | VH_FAULT_CONTACTOR_NOT_CLOSING)

void sim_vehicle_fault_watch(struct sim_vehicle *s, int64_t now_us, bool is_clearing)
{
	const struct phys_contactor *k = &s->contactor;
	uint32_t present = 0;
	size_t i;

	for (i = 0; s->injected && i < N_FAULT_ROWS; i++)
		if (s->injected & fault_rows[i].inject)
			present |= fault_rows[i].vh_fault;
	if (k->is_closed != k->is_commanded && k->due_us != FC_NEVER && now_us - k->due_us >= STUCK_US)
		present |= k->is_closed ? VH_FAULT_CONTACTOR_WELDED : VH_FAULT_CONTACTOR_NOT_CLOSING;
	if (now_us - s->t_bms_us > BMS_LOST_US)
		present |= VH_FAULT_BMS_LOST;
	if (s->battery_mV * 1e-3 > s->battery.cfg.v_limit_V + VOLTAGE_MARGIN_V)
		present |= VH_FAULT_OVER_VOLTAGE;
	else if (s->battery_mV * 1e-3 < s->battery.cfg.v_floor_V - VOLTAGE_MARGIN_V)
		present |= VH_FAULT_UNDER_VOLTAGE;
	s->faults_latched = (present & LATCHED_FAULTS) | (is_clearing ? 0 : s->faults_latched);
	s->faults = present | s->faults_latched;
}

static int32_t list_injected(const struct sim_vehicle *s, char *answer, uint32_t answer_size)
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < N_FAULT_ROWS; i++) {
		if (s->injected & fault_rows[i].inject && n < answer_size)
			n += (uint32_t)snprintf(answer + n, answer_size - n, "%s%s", n ? "," : "",
						fault_rows[i].name);
	}
	if (n == 0)
		snprintf(answer, answer_size, "none");
	return 0;
}

int32_t sim_vehicle_fault_live(struct sim_vehicle *s, const char *value, char *answer, uint32_t answer_size)
{
	bool is_removing;
	size_t i;

	if (!value)
		return list_injected(s, answer, answer_size);
	if (strcmp(value, "none") == 0) {
		s->injected = 0;
		return 0;
	}
	is_removing = *value == '-';
	if (is_removing)
		value++;
	for (i = 0; i < N_FAULT_ROWS; i++) {
		if (strcmp(value, fault_rows[i].name) == 0) {
			s->injected |= fault_rows[i].inject;
			if (is_removing)
				s->injected &= ~fault_rows[i].inject;
			return 0;
		}
	}
	snprintf(answer, answer_size, "unknown fault %s", value);
	return -EINVAL;
}
