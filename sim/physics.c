/* SPDX-License-Identifier: MIT */
/* The electrical model: see the header for the circuit and the method. Pure (libm). */
#include "sim/physics.h"

#include <math.h>
#include <string.h>

#include <forecourt/units.h>

/* Longest straight line while something ramps, and how many of them one call may take. */
#define RAMP_STEP_s  0.02
#define MAX_SUBSTEPS 2000
/* Differences below these count as settled. */
#define SETTLED_V 0.01
#define SETTLED_A 0.005
/* Contacts that part with more than this arc: counted for the invariants. */
#define ARC_A	      5.0
#define LEAST_INLET_F 1e-9

static inline double lower(double a, double b)
{
	return a < b ? a : b;
}

static inline double higher(double a, double b)
{
	return a > b ? a : b;
}

void phys_source_defaults(struct phys_source_cfg *cfg)
{
	static const struct phys_source_cfg defaults = {
		.v_max_V = 1000.0,
		.i_max_A = 500.0,
		.p_max_W = 150e3,
		.v_up_Vps = 200.0,
		.v_down_Vps = 100.0,
		.i_up_Aps = 20.0,
		.i_down_Aps = 20.0,
		.dead_s = 1.0,
		.stop_s = 0.3,
		.c_out_F = 1e-3,
		/* 0.2 V/s at 1000 V: standby must float (rule E-46: at most 1 V/s by own action). */
		.g_passive_S = 0.2e-6,
		.r_cable_ohm = 0.02,
		.ambient_degC = 20.0,
		.heat_K = 40.0,
		.heat_s = 120.0,
		.has_bleeder = true,
	};

	*cfg = defaults;
}

static bool is_looped(const struct phys_source *s)
{
	return s->order.is_relay_closed && s->load.is_closed;
}

/* Charge that a capacitor pushes into the battery, or takes from it, in the instant the loop closes. */
static void book_join(struct phys_source *s, double charge_As, double from_V)
{
	double ocv = s->load.ocv_V;
	double out_J = charge_As * (from_V + ocv) / 2.0;

	s->charge_As += charge_As;
	s->out_J += out_J;
	s->inlet_J += charge_As * ocv;
	s->cable_J += out_J - charge_As * ocv;
}

/* The contacts or the load changed: settle the capacitors in the new circuit. */
static void join_nodes(struct phys_source *s, bool was_looped, bool was_relay_closed)
{
	if (is_looped(s)) {
		if (s->load.is_stiff) {
			s->load.ocv_V = s->v_out_V;
		} else if (!was_looped) {
			double across = s->v_out_V - s->load.ocv_V;

			if (fabs(across) > s->worst_join_V)
				s->worst_join_V = fabs(across);
			book_join(s, s->cfg.c_out_F * across, s->v_out_V);
			s->i_A = 0.0;
		}
		if (!s->load.is_stiff) {
			s->v_inlet_V = s->load.ocv_V + s->i_A * s->load.r_ohm;
			s->v_out_V = s->v_inlet_V + s->i_A * s->cfg.r_cable_ohm;
		}
		/* The reference follows the battery, else the source would have to catch up with it. */
		if (!was_looped)
			s->v_ref_V = s->v_out_V;
		return;
	}
	if (was_looped) {
		s->i_A = 0.0;
		s->v_ref_V = s->v_out_V;
	}
	if (s->order.is_relay_closed && !was_relay_closed) {
		double c = s->cfg.c_out_F + s->load.c_inlet_F;

		s->v_out_V = (s->cfg.c_out_F * s->v_out_V + s->load.c_inlet_F * s->v_inlet_V) / c;
		s->v_ref_V = s->v_out_V;
	}
	if (s->order.is_relay_closed)
		s->v_inlet_V = s->v_out_V;
	else if (s->load.is_closed && !s->load.is_stiff)
		s->v_inlet_V = s->load.ocv_V;
}

void phys_source_init(struct phys_source *s, const struct phys_source_cfg *cfg, int64_t now_us)
{
	memset(s, 0, sizeof(*s));
	s->cfg = *cfg;
	s->derate = 1.0;
	s->temp_degC = cfg->ambient_degC;
	s->load.r_ohm = 0.1;
	s->load.c_inlet_F = 1e-6;
	s->conductance_S = 1.0 / (cfg->r_cable_ohm + s->load.r_ohm);
	s->t_us = now_us;
}

void phys_source_configure(struct phys_source *s, int64_t now_us, const struct phys_source_cfg *cfg)
{
	phys_source_advance(s, now_us);
	/* A new ambient temperature is felt at once: the parts keep their rise above it. */
	s->temp_degC += cfg->ambient_degC - s->cfg.ambient_degC;
	s->cfg = *cfg;
	s->conductance_S = 1.0 / (cfg->r_cable_ohm + s->load.r_ohm);
	s->is_moving = true;
}

void phys_source_derate(struct phys_source *s, int64_t now_us, double factor)
{
	phys_source_advance(s, now_us);
	s->derate = lower(1.0, higher(0.0, factor));
	s->is_moving = true;
}

void phys_source_set_load(struct phys_source *s, int64_t now_us, const struct phys_load *load)
{
	bool was_looped = is_looped(s);

	phys_source_advance(s, now_us);
	if (load->r_ohm != s->load.r_ohm)
		s->conductance_S = 1.0 / (s->cfg.r_cable_ohm + load->r_ohm);
	s->load = *load;
	s->load.c_inlet_F = higher(load->c_inlet_F, LEAST_INLET_F);
	join_nodes(s, was_looped, s->order.is_relay_closed);
	s->is_moving = true;
}

void phys_source_set_order(struct phys_source *s, int64_t now_us, const struct phys_order *order)
{
	bool was_looped = is_looped(s);
	bool was_on = s->order.is_on;
	bool was_relay_closed = s->order.is_relay_closed;

	phys_source_advance(s, now_us);
	if (was_relay_closed && !order->is_relay_closed) {
		if (fabs(s->i_A) > s->worst_relay_open_A)
			s->worst_relay_open_A = fabs(s->i_A);
		s->n_relay_opened_loaded += fabs(s->i_A) > ARC_A;
	}
	s->order = *order;
	s->is_moving = true;
	if (order->is_on && !was_on) {
		s->dead_left_s = s->cfg.dead_s;
		s->v_ref_V = s->v_out_V;
	}
	if (!order->is_on && was_on)
		s->stop_Aps =
			s->cfg.stop_s > 0.0 ? higher(s->cfg.i_down_Aps, fabs(s->i_A) / s->cfg.stop_s) : 0.0;
	if (!order->is_on && (order->is_urgent || s->cfg.stop_s <= 0.0)) {
		s->i_A = 0.0;
		join_nodes(s, was_looped, was_relay_closed);
		return;
	}
	if (was_looped != is_looped(s) || was_relay_closed != order->is_relay_closed)
		join_nodes(s, was_looped, was_relay_closed);
}

/* Moves the voltage reference towards the ordered voltage. */
static void ramp_reference(struct phys_source *s, double h_s)
{
	double target = lower(s->order.v_V, s->cfg.v_max_V);

	if (s->v_ref_V < target) {
		s->v_ref_V = lower(target, s->v_ref_V + s->cfg.v_up_Vps * h_s);
	} else if (s->v_ref_V > target) {
		/* Headroom that was never used is given up at once, so that the limit bites without delay. */
		if (is_looped(s) && s->v_ref_V > s->v_out_V)
			s->v_ref_V = higher(target, s->v_out_V);
		s->v_ref_V = higher(target, s->v_ref_V - s->cfg.v_down_Vps * h_s);
	}
}

/* Highest current that the power limit allows through the loop. */
static double power_limit_A(const struct phys_source *s, double i_high_A)
{
	double p = s->cfg.p_max_W > 0.0 ? s->cfg.p_max_W * s->derate : INFINITY;
	double r = s->load.is_stiff ? 0.0 : s->cfg.r_cable_ohm + s->load.r_ohm;
	double v = s->load.ocv_V;

	if (s->order.p_W > 0.0)
		p = lower(p, s->order.p_W);
	if (i_high_A <= 0.0 || (v + r * i_high_A) * i_high_A <= p)
		return INFINITY;
	if (r <= 0.0)
		return v > 0.0 ? p / v : INFINITY;
	return (sqrt(v * v + 4.0 * r * p) - v) / (2.0 * r);
}

/* Where the current wants to be (*goal), and the level it must not exceed at any moment (*cap). */
static void find_goal(struct phys_source *s, double *goal_A, double *cap_A)
{
	double high = lower(s->order.i_high_A, s->cfg.i_max_A * s->derate);
	double low = lower(0.0, higher(s->order.i_low_A, -s->cfg.i_reverse_A * s->derate));
	double by_voltage = s->load.is_stiff ? INFINITY : (s->v_ref_V - s->load.ocv_V) * s->conductance_S;
	double by_power = power_limit_A(s, high);
	double cap = lower(by_voltage, by_power);

	/* Cut to zero at once, but reverse only by ramp. */
	*cap_A = higher(cap, 0.0);
	*goal_A = higher(lower(high, cap), low);
	s->bound = high <= cap ? PHYS_BOUND_CURRENT
			       : (by_power < by_voltage ? PHYS_BOUND_POWER : PHYS_BOUND_VOLTAGE);
}

static void book_loop(struct phys_source *s, double i0_A, double i1_A, double h_s)
{
	double charge = (i0_A + i1_A) * 0.5 * h_s;
	double squares = (i0_A * i0_A + i0_A * i1_A + i1_A * i1_A) * h_s / 3.0;
	double r_battery = s->load.is_stiff ? 0.0 : s->load.r_ohm;
	double r_cable = s->load.is_stiff ? 0.0 : s->cfg.r_cable_ohm;
	double inlet = s->load.ocv_V * charge + r_battery * squares;
	double cable = r_cable * squares;

	s->charge_As += charge;
	s->inlet_J += inlet;
	s->cable_J += cable;
	s->out_J += inlet + cable;
}

/*
 * One straight piece of the current towards the goal: away from zero at one slope, towards zero at the other,
 * never through zero in one piece. Returns the time it took, at most h_s.
 */
static double move_current(struct phys_source *s, double goal_A, double h_s, double up_Aps, double down_Aps)
{
	double i = s->i_A;
	double stop = goal_A;
	double slope, need;

	if ((i > 0.0 && goal_A < 0.0) || (i < 0.0 && goal_A > 0.0))
		stop = 0.0;
	slope = fabs(stop) > fabs(i) ? up_Aps : down_Aps;
	need = fabs(stop - i);
	if (need <= 0.0 || slope <= 0.0 || need <= slope * h_s) {
		double used = slope > 0.0 ? need / slope : 0.0;

		book_loop(s, i, stop, used);
		s->i_A = stop;
		if (stop == goal_A) { /* arrived: the rest is level */
			book_loop(s, stop, stop, h_s - used);
			return h_s;
		}
		return used;
	}
	s->i_A = i + (stop > i ? slope : -slope) * h_s;
	book_loop(s, i, s->i_A, h_s);
	return h_s;
}

static void settle_loop_voltages(struct phys_source *s)
{
	if (s->load.is_stiff) {
		s->load.ocv_V = s->v_inlet_V = s->v_out_V = s->v_ref_V;
		return;
	}
	s->v_inlet_V = s->load.ocv_V + s->i_A * s->load.r_ohm;
	s->v_out_V = s->v_inlet_V + s->i_A * s->cfg.r_cable_ohm;
}

/* The loop is closed: the battery sets the voltage, the source the current. */
static void step_looped(struct phys_source *s, double h_s, bool is_driven)
{
	double goal = 0.0, cap = INFINITY;
	double up = s->cfg.i_up_Aps, down = s->cfg.i_down_Aps;
	double left = h_s;
	int pieces;

	if (is_driven) {
		ramp_reference(s, h_s);
		find_goal(s, &goal, &cap);
		/* Voltage and power limits act without a ramp: they protect, the current window does not. */
		if (s->i_A > cap)
			s->i_A = cap;
	} else {
		s->bound = PHYS_BOUND_NONE;
		down = s->order.is_on ? down : s->stop_Aps;
		/* The active bleeder on a connected battery draws what the output capacitor alone would give. */
		if (s->order.is_bleeding && s->cfg.has_bleeder && !s->load.is_stiff)
			goal = -s->cfg.c_out_F * s->cfg.v_down_Vps;
	}
	/* At most two pieces: to zero, and on from there. */
	for (pieces = 0; pieces < 3 && left > 0.0; pieces++)
		left -= move_current(s, goal, left, up, down);
	settle_loop_voltages(s);
	s->is_moving = fabs(s->i_A - goal) > SETTLED_A ||
		       (is_driven && (s->bound == PHYS_BOUND_VOLTAGE || s->load.is_stiff) &&
			fabs(s->v_ref_V - lower(s->order.v_V, s->cfg.v_max_V)) > SETTLED_V);
}

/* x falls with rate k (1/s) for h; second order in k*h, stable for any h, no transcendental function. */
static double decay(double x, double rate_per_s, double h_s)
{
	double a = rate_per_s * h_s;

	if (x < SETTLED_V)
		return 0.0;
	return x / (1.0 + a + 0.5 * a * a);
}

/* The inlet while the relay is open: held by the battery, or its own capacitor runs down. */
static void step_inlet(struct phys_source *s, double h_s)
{
	if (s->load.is_stiff)
		return;
	if (s->load.is_closed)
		s->v_inlet_V = s->load.ocv_V;
	else if (s->v_inlet_V > 0.0)
		s->v_inlet_V = decay(s->v_inlet_V, s->load.g_inlet_S / s->load.c_inlet_F, h_s);
}

/* The loop is open: the source charges capacitors, or they run down. */
static void step_open(struct phys_source *s, double h_s, bool is_driven)
{
	bool with_inlet = s->order.is_relay_closed;
	double c = s->cfg.c_out_F + (with_inlet ? s->load.c_inlet_F : 0.0);
	double g = s->load.is_stiff ? 0.0 : s->cfg.g_passive_S + (with_inlet ? s->load.g_inlet_S : 0.0);
	double v0 = s->v_out_V;

	s->bound = PHYS_BOUND_NONE;
	if (!is_driven)
		s->v_ref_V = v0;
	if (is_driven) {
		double i_limit = lower(s->order.i_high_A, s->cfg.i_max_A * s->derate);

		ramp_reference(s, h_s);
		/* The limit is that of the output terminals: only the inlet's capacitor is behind them. */
		if (with_inlet && i_limit > 0.0)
			s->v_ref_V = lower(s->v_ref_V, v0 + i_limit * h_s / s->load.c_inlet_F);
		if (s->v_ref_V >= v0 || s->cfg.has_bleeder)
			s->v_out_V = s->v_ref_V;
		else
			s->v_out_V = higher(s->v_ref_V, decay(v0, g / c, h_s));
		s->is_moving = fabs(s->v_out_V - lower(s->order.v_V, s->cfg.v_max_V)) > SETTLED_V;
	} else if (s->order.is_bleeding && s->cfg.has_bleeder) {
		s->v_out_V = higher(0.0, v0 - s->cfg.v_down_Vps * h_s);
		s->is_moving = s->v_out_V > 0.0;
	} else {
		if (v0 > 0.0 && g > 0.0)
			s->v_out_V = decay(v0, g / c, h_s);
		s->is_moving = false;
	}
	if (with_inlet) {
		s->i_A = s->load.c_inlet_F * (s->v_out_V - v0) / h_s;
		s->v_inlet_V = s->v_out_V;
	} else {
		s->i_A = 0.0;
		step_inlet(s, h_s);
	}
}

static void step_heat(struct phys_source *s, double h_s)
{
	double p = fabs(s->v_out_V * s->i_A);
	double goal = s->cfg.ambient_degC;

	if (s->cfg.p_max_W > 0.0)
		goal += s->cfg.heat_K * p / s->cfg.p_max_W;
	s->temp_degC += (goal - s->temp_degC) * (h_s < s->cfg.heat_s ? h_s / s->cfg.heat_s : 1.0);
}

void phys_source_advance(struct phys_source *s, int64_t now_us)
{
	double left, all;
	int n;

	if (now_us <= s->t_us)
		return;
	left = all = (double)(now_us - s->t_us) * 1e-6;
	s->t_us = now_us;
	for (n = 0; left > 0.0; n++) {
		bool is_dead = s->order.is_on && s->dead_left_s > 0.0;
		bool is_driven = s->order.is_on && !is_dead;
		double h = left;

		if (is_dead)
			h = lower(h, s->dead_left_s);
		else if (s->is_moving && n < MAX_SUBSTEPS)
			h = lower(h, RAMP_STEP_s);
		if (is_looped(s))
			step_looped(s, h, is_driven);
		else
			step_open(s, h, is_driven);
		if (is_dead) {
			s->dead_left_s -= h;
			s->is_moving = true;
		}
		left -= h;
	}
	step_heat(s, all);
}

/* --- vehicle side ------------------------------------------------------------------------------------------ */

void phys_battery_linear(struct phys_battery_cfg *cfg, double empty_V, double full_V)
{
	int n;

	for (n = 0; n < PHYS_OCV_POINTS; n++)
		cfg->ocv_V[n] = empty_V + (full_V - empty_V) * n / (PHYS_OCV_POINTS - 1);
}

static void look_up_ocv(struct phys_battery *b)
{
	double x = b->soc * (PHYS_OCV_POINTS - 1);
	int n = (int)x;

	if (n >= PHYS_OCV_POINTS - 1)
		n = PHYS_OCV_POINTS - 2;
	b->ocv_V = b->cfg.ocv_V[n] + (b->cfg.ocv_V[n + 1] - b->cfg.ocv_V[n]) * (x - n);
}

void phys_battery_set_soc(struct phys_battery *b, double soc)
{
	b->soc = lower(1.0, higher(0.0, soc));
	look_up_ocv(b);
}

void phys_battery_init(struct phys_battery *b, const struct phys_battery_cfg *cfg, double soc)
{
	memset(b, 0, sizeof(*b));
	b->cfg = *cfg;
	phys_battery_set_soc(b, soc);
}

void phys_battery_configure(struct phys_battery *b, const struct phys_battery_cfg *cfg)
{
	b->cfg = *cfg;
	look_up_ocv(b);
}

void phys_battery_charge(struct phys_battery *b, double charge_As, double i_A)
{
	double stored_J = charge_As * b->ocv_V;

	b->charge_As += charge_As;
	b->chemical_J += stored_J;
	b->loss_J += charge_As * (b->i_last_A + i_A) * 0.5 * b->cfg.r_ohm;
	b->i_last_A = i_A;
	if (charge_As != 0.0)
		phys_battery_set_soc(b, b->soc + b->cfg.speed * stored_J / (3600.0 * b->cfg.capacity_Wh));
}

double phys_battery_terminal_V(const struct phys_battery *b, double i_A)
{
	return b->ocv_V + i_A * b->cfg.r_ohm;
}

double phys_battery_charge_limit_A(const struct phys_battery *b)
{
	double taper = (b->cfg.v_limit_V - b->ocv_V) / b->cfg.r_ohm;

	if (b->soc >= 1.0)
		return 0.0;
	return b->cfg.v_limit_V > 0.0 ? higher(0.0, lower(b->cfg.i_charge_A, taper)) : b->cfg.i_charge_A;
}

double phys_battery_discharge_limit_A(const struct phys_battery *b)
{
	double taper = (b->ocv_V - b->cfg.v_floor_V) / b->cfg.r_ohm;

	if (b->soc <= 0.0)
		return 0.0;
	return higher(0.0, lower(b->cfg.i_discharge_A, taper));
}

void phys_contactor_init(struct phys_contactor *c, int64_t delay_us)
{
	memset(c, 0, sizeof(*c));
	c->delay_us = delay_us;
	c->due_us = FC_NEVER;
}

void phys_contactor_command(struct phys_contactor *c, int64_t now_us, bool is_closed)
{
	if (is_closed == c->is_commanded)
		return;
	c->is_commanded = is_closed;
	c->due_us = is_closed == c->is_closed ? FC_NEVER : now_us + c->delay_us;
}

bool phys_contactor_advance(struct phys_contactor *c, int64_t now_us, double i_A, double dv_V)
{
	if (now_us < c->due_us)
		return false;
	/* A stuck contact moves the moment the fault is taken away. */
	if (c->is_commanded ? c->is_blocked : c->is_welded)
		return false;
	c->due_us = FC_NEVER;
	if (c->is_closed == c->is_commanded)
		return false;
	c->is_closed = c->is_commanded;
	c->n_switched++;
	if (c->is_closed) {
		if (fabs(dv_V) > c->worst_join_V)
			c->worst_join_V = fabs(dv_V);
	} else {
		if (fabs(i_A) > c->worst_open_A)
			c->worst_open_A = fabs(i_A);
		c->n_opened_loaded += fabs(i_A) > ARC_A;
	}
	return true;
}
