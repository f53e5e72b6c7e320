/* SPDX-License-Identifier: MIT */
/*
 * One charge point of a simulated site: the complete stack of both sides (sim_run_point.h) in a world of its own, the
 * line to the site, and the vehicles that come and go. Pure; the struct is large: on the heap.
 *
 * A vehicle comes with a battery in which the wanted energy is missing up to 80 %, and ends the charge there. At
 * its departure the charge is stopped, as by a person, and the plug pulled as soon as the lock is open.
 */
#ifndef SIM_SIM_RUN_SITE_CAR_H
#define SIM_SIM_RUN_SITE_CAR_H

#include "sim/sim_run_point.h"
#include "sim/sim_run_site_link.h"
#include "site-ctrl/site_model.h"

enum site_car_phase {
	SITE_CAR_AWAY,
	SITE_CAR_HERE,	 /* plugged in, not heard of its need yet */
	SITE_CAR_TOLD,	 /* the point knows energy and departure */
	SITE_CAR_LEAVING /* stopped; waits for the lock */
};

/* A visit, in virtual time. */
struct site_car_visit {
	int64_t arrival_us, departure_us;
	int64_t stated_us; /* departure as told; FC_NEVER: not told */
	int64_t energy_Wh; /* > 0 */
};

struct site_car {
	struct sim_point point;
	struct site_line line;
	const struct site_car_visit *visit; /* the present or next one, in order; the caller's */
	uint32_t n_visits, at;
	enum site_car_phase phase;
	int64_t next_us;	/* when to look again */
	int64_t force_us;	/* the plug is pulled whatever the lock */
	int64_t begin_uWh;	/* meter of the vehicle when it came */
	int64_t *delivered_uWh; /* of each visit; the caller's */
	uint32_t n_forced, n_refused;
};

/*
 * The settings of a point of the site for the stack; further ones (sim_point_set) may follow before the start.
 * number of the line, link and heard are the caller's to set. 0, or a negative errno with a sentence.
 */
int site_car_init(struct site_car *c, const struct site_point_conf *conf, int32_t supply_mV, char *err,
		  size_t err_size);
int site_car_start(struct site_car *c, uint64_t seed, int64_t now_us, char *err, size_t err_size);
/* Lets time pass. */
void site_car_run(struct site_car *c, int64_t end_us);
/* Next event; FC_NEVER never. */
int64_t site_car_next_us(const struct site_car *c);
/* Supply current and power now, from what the power stack gives. */
int32_t site_car_drawn_mA(const struct site_car *c);

#endif
