/* SPDX-License-Identifier: MIT */
/*
 * The electrical model: charger source, output relay, cable, inlet, vehicle contactors, battery. Pure (libm).
 *
 * The circuit is cut at the inlet. The charger's half (struct phys_source) solves the whole loop against a
 * description of what hangs on the cable (struct phys_load); the vehicle's half (struct phys_battery, struct
 * phys_contactor) is charged with what came through. So the two halves may live in two processes.
 *
 *   source --+-- relay -- cable --+-- contactors -- battery
 *          c_out                 c_in             r, ocv(soc)
 *          bleeders              leak
 *
 * The RC constants of the closed loop are tens of microseconds, so the closed loop is solved algebraically,
 * and everything that moves (voltage ramp, current ramp, dead time, capacitors) moves in straight lines or by
 * a stable formula: any step from 1 ms to hours is stable, and a settled circuit costs one short step. Ramps
 * are integrated exactly where they end inside a step.
 *
 * Doubles in SI units with the unit in the name; times at the border are microseconds. Charge and energy
 * count positive into the vehicle. No decision of a controller is taken here.
 */
#ifndef SIM_PHYSICS_H
#define SIM_PHYSICS_H

#include <stdbool.h>
#include <stdint.h>

struct phys_source_cfg {
	double v_max_V;
	double i_max_A;		     /* rating in charge direction */
	double i_reverse_A;	     /* rating in discharge direction; 0: an output diode blocks it */
	double p_max_W;		     /* rating; 0: none */
	double v_up_Vps, v_down_Vps; /* ramps, > 0 */
	double i_up_Aps, i_down_Aps; /* away from zero, towards zero; > 0 */
	double dead_s;		     /* before the output moves after the source was switched on */
	double stop_s; /* the source's current is 0 that long after it was switched off; 0: at once */
	double c_out_F;
	double g_passive_S; /* conductance of the passive bleeder at the output */
	double r_cable_ohm; /* both wires */
	double ambient_degC;
	double heat_K;	  /* rise of the hottest part above ambient at p_max_W */
	double heat_s;	  /* its time constant */
	bool has_bleeder; /* an active bleeder can pull the output down at v_down_Vps */
};

/* What hangs on the cable. */
struct phys_load {
	bool is_closed; /* the battery is connected to the inlet */
	bool is_stiff;	/* not a battery: follows any voltage and takes any current (vehicle unknown) */
	double ocv_V;	/* battery, no current; ignored with is_stiff */
	double r_ohm;	/* battery, > 0 */
	double c_inlet_F;
	double g_inlet_S; /* leakage and measuring resistors at the inlet */
};

/* What the source is asked for. */
struct phys_order {
	bool is_on;
	bool is_urgent; /* when off: no stopping ramp */
	bool is_relay_closed;
	bool is_bleeding; /* pull the output to 0 V; only when off */
	double v_V;
	double i_high_A, i_low_A; /* window; both equal: current source within the voltage limit */
	double p_W;		  /* 0: none */
};

enum phys_bound { PHYS_BOUND_NONE, PHYS_BOUND_VOLTAGE, PHYS_BOUND_CURRENT, PHYS_BOUND_POWER };

struct phys_source {
	struct phys_source_cfg cfg;
	struct phys_load load;
	struct phys_order order;
	double conductance_S; /* 1 / (cable + battery) */
	double v_out_V;	      /* source side of the relay */
	double v_inlet_V;
	double i_A;	/* through relay and cable */
	double v_ref_V; /* ramped voltage limit */
	double dead_left_s;
	double stop_Aps;
	double derate; /* 0..1, on current and power */
	double temp_degC;
	int64_t t_us;
	bool is_moving;	       /* something ramps: look again within 50 ms */
	enum phys_bound bound; /* which limit holds the current down */
	/* Totals since init, over the closed loop. */
	double charge_As; /* into the battery */
	double out_J;	  /* at the output terminals, what a meter there counts */
	double cable_J;	  /* lost in the cable */
	double inlet_J;	  /* arrived at the inlet */
	/* For invariants. */
	uint32_t n_relay_opened_loaded; /* relay opened with more than 5 A */
	double worst_relay_open_A;
	double worst_join_V; /* largest voltage across a contact at the moment it closed onto a battery */
};

void phys_source_defaults(struct phys_source_cfg *cfg);
void phys_source_init(struct phys_source *s, const struct phys_source_cfg *cfg, int64_t now_us);
/* Brings the circuit up to now_us; earlier times are ignored. The setters below advance first. */
void phys_source_advance(struct phys_source *s, int64_t now_us);
void phys_source_configure(struct phys_source *s, int64_t now_us, const struct phys_source_cfg *cfg);
/* Less than the rating, for heat or an injected fault: factor 0..1 on current and power. */
void phys_source_derate(struct phys_source *s, int64_t now_us, double factor);
void phys_source_set_load(struct phys_source *s, int64_t now_us, const struct phys_load *load);
void phys_source_set_order(struct phys_source *s, int64_t now_us, const struct phys_order *order);

#define PHYS_OCV_POINTS 11

struct phys_battery_cfg {
	double capacity_Wh;	       /* chemical energy from 0 to 100 %, > 0 */
	double ocv_V[PHYS_OCV_POINTS]; /* at 0, 10 .. 100 %, rising */
	double r_ohm;		       /* > 0 */
	double v_limit_V;	       /* cells must not exceed it; 0: none */
	double v_floor_V;	       /* nor fall below it */
	double i_charge_A;	       /* wanted at most, >= 0 */
	double i_discharge_A;	       /* given at most, >= 0 */
	double speed;		       /* battery time runs that much faster than the clock, > 0 */
};

struct phys_battery {
	struct phys_battery_cfg cfg;
	double soc;   /* 0..1 of capacity_Wh */
	double ocv_V; /* at soc */
	double i_last_A;
	/* Totals since init; electrical, so not scaled by speed. */
	double charge_As;
	double chemical_J; /* stored, negative: given back */
	double loss_J;	   /* heat in the internal resistance */
};

/* Linear characteristic between two voltages. */
void phys_battery_linear(struct phys_battery_cfg *cfg, double empty_V, double full_V);
void phys_battery_init(struct phys_battery *b, const struct phys_battery_cfg *cfg, double soc);
void phys_battery_configure(struct phys_battery *b, const struct phys_battery_cfg *cfg);
void phys_battery_set_soc(struct phys_battery *b, double soc);
/* charge_As went into the battery while the current moved from the last one to i_A. */
void phys_battery_charge(struct phys_battery *b, double charge_As, double i_A);
/* Terminal voltage at a current. */
double phys_battery_terminal_V(const struct phys_battery *b, double i_A);
/* What the BMS allows now: full current until the limit voltage would be passed, then just that voltage. */
double phys_battery_charge_limit_A(const struct phys_battery *b);
double phys_battery_discharge_limit_A(const struct phys_battery *b);

/* A contactor pair with feedback; opening time and closing time are the same delay. */
struct phys_contactor {
	int64_t delay_us;
	int64_t due_us; /* FC_NEVER: at rest */
	bool is_commanded;
	bool is_closed;	 /* the contacts themselves, and the feedback */
	bool is_welded;	 /* injected: does not open */
	bool is_blocked; /* injected: does not close */
	uint32_t n_switched;
	uint32_t n_opened_loaded; /* opened with more than 5 A */
	double worst_open_A;
	double worst_join_V; /* largest difference across it when it closed */
};

void phys_contactor_init(struct phys_contactor *c, int64_t delay_us);
void phys_contactor_command(struct phys_contactor *c, int64_t now_us, bool is_closed);
/* Moves when due; true when the contacts changed. i_A and dv_V: current and voltage across, for the record. */
bool phys_contactor_advance(struct phys_contactor *c, int64_t now_us, double i_A, double dv_V);

#endif
