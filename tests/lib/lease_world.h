/* SPDX-License-Identifier: MIT */
/*
 * A site in virtual time for the tests of leases: charge points that hold leases (lib/core/lease_hold), a network that
 * loses, delays, doubles and swaps frames, machines whose clocks are wrong and whose processes die, limits that fall
 * and rise, and the judge who watches the frames. The site itself is plugged in: the ledger with a small allocator
 * (lease_alloc.h), or the real one.
 *
 * Deterministic: the same seed gives the same run.
 */
#ifndef TESTS_LEASE_WORLD_H
#define TESTS_LEASE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/can.h>

#include "lib/core/lease_hold.h"
#include "tests/lib/lease_judge.h"

#define WORLD_MAX_EVENTS 16384
#define WORLD_SLOTS	 512 /* of 2^15 us: 16.8 s; events further away are put back until they are near */

struct lease_world;

/*
 * The site's process. All times are by its own clock; it sends with lease_world_send(). Each call returns when it wants
 * to be called next.
 */
struct world_site {
	void *self;
	/* A new process begins; limits as they are now. */
	int64_t (*start)(void *self, struct lease_world *w, int64_t now_us);
	int64_t (*frame)(void *self, struct lease_world *w, unsigned point, const struct can_frame *f,
			 int64_t now_us);
	int64_t (*limit)(void *self, struct lease_world *w, unsigned row, int64_t now_us);
	/* Its time has come. */
	int64_t (*tick)(void *self, struct lease_world *w, int64_t now_us);
};

struct world_conf {
	uint64_t seed;
	unsigned n_points, n_rows; /* row 0 carries all points, the others equal shares of them */
	int64_t lease_us;
	int64_t report_us; /* by the point's clock */
	int32_t loss_permille, double_permille;
	int64_t max_delay_us;
	int32_t drift_ppm; /* of every machine, at most */
	/* Mean times between; 0: never. */
	int64_t point_dies_us, site_dies_us, limit_us;
	int64_t max_down_us;
	bool has_reboots; /* one restart in eight: the numbers begin anywhere else */
	bool has_demand;  /* reports say what vehicles want; else the site makes it up */
	bool has_draw;	  /* also simulates the vehicles and holds them against the judge's figures */
};

struct world_clock {
	int64_t true_us, own_us; /* one moment in both */
	int32_t ppm;
};

/* One direction of a vehicle: it draws the most that it was told now or within its lag. */
struct world_draw {
	int32_t told_mA;
	int32_t past_mA[8];
	int64_t past_until_us[8];
	unsigned n_past;
};

struct world_point {
	struct lease_hold hold;
	struct world_clock clock;
	uint32_t process; /* counts restarts; events of earlier ones are void */
	bool is_up;
	uint64_t rows;
	int32_t want_mA;    /* demanded */
	uint32_t boot_base; /* of its numbers, at true time 0 */
	/* The vehicle: how slowly it follows downwards, and what it was told, in both directions. */
	int64_t lag_us;
	struct world_draw charge, discharge;
};

struct world_event {
	int64_t at_us; /* true time */
	uint32_t next;
	uint32_t process;
	uint8_t kind, point;
	struct can_frame frame;
};

struct lease_world {
	struct world_conf conf;
	struct world_site site;
	struct lease_judge judge;
	uint64_t random;
	int64_t now_us; /* true time */
	struct world_point point[JUDGE_MAX_POINTS];
	struct world_clock site_clock;
	uint32_t site_process;
	bool is_site_up;
	int64_t wake_us; /* true time at which the site is called next */
	int32_t nominal_mA[JUDGE_MAX_ROWS], limit_mA[JUDGE_MAX_ROWS], lowest_mA[JUDGE_MAX_ROWS];
	int32_t export_mA[JUDGE_MAX_ROWS];
	struct world_event event[WORLD_MAX_EVENTS];
	uint32_t slot[WORLD_SLOTS], free;
	int64_t slot_us; /* begin of the slot looked at */
	/* What happened. */
	uint64_t n_events, n_lost, n_delivered, n_taken, n_point_starts, n_site_starts, n_limit_falls,
		n_reboots;
	int64_t drawn_mAs; /* granted current that was in force, integrated by reports */
	/* Draws above the judge's figure or a row's limit. */
	uint64_t n_draw_faults;
	char fault[160]; /* the first one in words */
};

void lease_world_init(struct lease_world *w, const struct world_conf *conf, const struct world_site *site);
/* Runs to the true time, or until so many events have happened since the start. */
void lease_world_run(struct lease_world *w, int64_t until_us, uint64_t max_events);
/* From the site to a point. */
void lease_world_send(struct lease_world *w, unsigned point, const struct can_frame *f);
/* Uniform below n > 0. */
uint64_t lease_world_random(struct lease_world *w, uint64_t n);

#endif
