/* SPDX-License-Identifier: MIT */
/*
 * The power path on the bus: frames Path_Source and Path_Load of dbc/plug.dbc <-> the electrical model. Pure.
 *
 * Used by whoever plays one half of the circuit: the simulated power stack or a virtual EVCC with a charger
 * model send Path_Source and hear Path_Load; the simulated vehicle or a virtual SECC with a vehicle model do
 * the reverse. The charge counter makes up for lost frames: the receiver takes differences modulo 2^24.
 */
#ifndef SIM_PATH_H
#define SIM_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/can.h>

#include "sim/physics.h"

/* Periods: while something ramps, and otherwise. */
#define PATH_FAST_US 50000
#define PATH_SLOW_US 100000
/* No frame for longer than this: the other half is gone. */
#define PATH_STALE_US 500000

/* What is known of the other half. */
enum path_link {
	PATH_NEVER, /* nobody spoke (since the last reset): play the missing half alone */
	PATH_FRESH,
	PATH_GONE, /* it was there and vanished: no voltage, no current from it */
};

struct path_watch {
	int64_t last_us; /* FC_NEVER: not heard */
	bool was_present;
};

struct path_source_data {
	double inlet_V;
	double current_A;
	uint32_t counter; /* 0.1 As, modulo 2^24 */
};

struct path_load_data {
	bool is_present; /* a vehicle hangs on the cable */
	bool is_closed;
	double ocv_V;
	double r_ohm;
	double c_inlet_F;
	int32_t insulation_kohm; /* PATH_INSULATION_OPEN: too large to matter */
};

#define PATH_INSULATION_OPEN 65535

canid_t path_source_id(unsigned index);
canid_t path_load_id(unsigned index);

void path_source_frame(const struct phys_source *s, unsigned index, struct can_frame *f);
void path_load_frame(const struct path_load_data *load, unsigned index, struct can_frame *f);
/* False: not this message of this pistol, remote or error frame, or too short. */
bool path_source_read(const struct can_frame *f, unsigned index, struct path_source_data *data);
bool path_load_read(const struct can_frame *f, unsigned index, struct path_load_data *data);
bool path_load_is_same(const struct path_load_data *a, const struct path_load_data *b);
/* The load as the model wants it; only the open cable when no vehicle is there. */
void path_load_apply(const struct path_load_data *data, struct phys_load *load);

void path_watch_reset(struct path_watch *w);
void path_watch_seen(struct path_watch *w, int64_t now_us, bool is_present);
enum path_link path_watch_state(const struct path_watch *w, int64_t now_us);

/* Receiving end of the charge counter. */
struct path_meter {
	bool has_base;
	uint32_t counter;
	int64_t t_us;
	uint32_t n_rebased; /* the counter jumped: its sender was restarted */
};

/* Charge since the last call, signed. The first call and an impossible jump give 0 and set a new base. */
double path_meter_charge_As(struct path_meter *m, int64_t now_us, uint32_t counter);

#endif
