/* SPDX-License-Identifier: MIT */
/* Options and ratings of the simulated power stack. Pure. */
#include "sim/sim_stack.h"

#include <string.h>

#include <forecourt/units.h>

#define OFFSET(member) offsetof(struct sim_stack_conf, member)
#define MILLI(key, unit_, def_, min_, max_, member, live, help_)                          \
	{                                                                                 \
		{key, unit_, def_, help_}, OPT_MILLI, live, min_, max_, OFFSET(member), 0 \
	}
#define FLAG(key, def_, member, help_)                                       \
	{                                                                    \
		{key, "", def_, help_}, OPT_BOOL, 0, 0, 0, OFFSET(member), 0 \
	}

const struct sim_opt sim_stack_options[SIM_STACK_N_OPTIONS] = {
	MILLI("power_modules_wake_up_duration", "s", "1", 0, 3600000, wake_up_ms, 1,
	      "time until the modules are ready"),
	MILLI("power_modules_dead_time", "s", "1", 0, 3600000, dead_time_ms, 1,
	      "delay before the output moves"),
	MILLI("voltage_ramp_up_slope", "V/s", "200", 1, 1000000000, voltage_up_mVps, 1,
	      "rise of the output voltage"),
	MILLI("voltage_ramp_down_slope", "V/s", "100", 1, 1000000000, voltage_down_mVps, 1,
	      "fall of the output voltage"),
	MILLI("current_ramp_up_slope", "A/s", "20", 1, 1000000000, current_up_mAps, 1, "rise of the current"),
	MILLI("current_ramp_down_slope", "A/s", "20", 1, 1000000000, current_down_mAps, 1,
	      "fall of the current"),
	MILLI("insulation_resistance", "kohm", "100", 0, 510000, insulation_ohm, 1,
	      "what the insulation monitor reads"),
	MILLI("rated_voltage", "V", "1000", 1000, 2000000, rated_mV, 0, "highest output voltage"),
	MILLI("rated_current", "A", "500", 1000, 2000000, rated_mA, 0, "highest output current"),
	MILLI("rated_power", "kW", "150", 1000, 2000000, rated_W, 0, "highest output power"),
	MILLI("temperature", "degC", "20", -40000, 150000, temperature_mdegC, 1, "air around the modules"),
	MILLI("cable_resistance", "mohm", "20", 0, 1000000, cable_uohm, 0, "both wires of the cable"),
	FLAG("has_output_contactors", "yes", has_output_contactors, "contactors between modules and cable"),
	FLAG("has_bleeder", "yes", has_bleeder, "active discharge of the output"),
	FLAG("bidirectional", "yes", is_bidirectional, "can take current from the vehicle"),
	FLAG("send_path", "yes", sends_path, "send the power path on the bus"),
};

struct phys_source_cfg sim_stack_physics_cfg(const struct sim_stack_conf *c)
{
	struct phys_source_cfg p;

	phys_source_defaults(&p);
	p.v_max_V = c->rated_mV * 1e-3;
	p.i_max_A = c->rated_mA * 1e-3;
	p.i_reverse_A = c->is_bidirectional ? p.i_max_A : 0.0;
	p.p_max_W = c->rated_W;
	p.v_up_Vps = c->voltage_up_mVps * 1e-3;
	p.v_down_Vps = c->voltage_down_mVps * 1e-3;
	p.i_up_Aps = c->current_up_mAps * 1e-3;
	p.i_down_Aps = c->current_down_mAps * 1e-3;
	p.dead_s = c->dead_time_ms * 1e-3;
	p.stop_s = 0.0; /* power electronics stop switching within a millisecond */
	p.r_cable_ohm = c->cable_uohm * 1e-6;
	p.ambient_degC = c->temperature_mdegC * 1e-3;
	p.has_bleeder = c->has_bleeder != 0;
	return p;
}

void sim_stack_caps(void *self, struct pm_caps *out)
{
	const struct sim_stack *s = self;
	struct pm_caps c;

	memset(&c, 0, sizeof(c));
	c.size = out->size;
	c.flags = PM_CAP_MEASURES_VI | PM_CAP_MEASURES_INSULATION;
	if (s->conf.is_bidirectional)
		c.flags |= PM_CAP_BIDIRECTIONAL;
	if (s->conf.has_bleeder)
		c.flags |= PM_CAP_BLEEDER;
	if (s->conf.has_output_contactors)
		c.flags |= PM_CAP_OUTPUT_RELAY;
	c.v_max_mV = s->conf.rated_mV;
	c.i_charge_max_mA = s->conf.rated_mA;
	c.i_discharge_max_mA = s->conf.is_bidirectional ? s->conf.rated_mA : 0;
	c.p_max_W = s->conf.rated_W;
	c.v_step_mV = c.i_step_mA = 1;
	c.i_lowest_mA = 0;
	c.ramp_mV_per_s = s->conf.voltage_up_mVps;
	c.ramp_mA_per_s = fc_min_i32(s->conf.current_up_mAps, s->conf.current_down_mAps);
	c.off_current_mA = SIM_STACK_OFF_CURRENT_mA;
	c.wake_us = (int64_t)s->conf.wake_up_ms * FC_US_PER_MS;
	c.off_us = FC_US_PER_MS;
	c.watchdog_us = SIM_STACK_WATCHDOG_US;
	memcpy(out, &c, out->size < sizeof(c) ? out->size : sizeof(c));
}
