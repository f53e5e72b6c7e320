/* SPDX-License-Identifier: MIT */
/*
 * A site in virtual time for tests: the site's machine, and cars with lease_hold on the other end of the bus
 * that report once a second and draw what they are granted, as far as they like. Frames may be lost. After
 * every step the rig holds the ledger and the cars against every row; what it finds fails the test.
 */
#ifndef TESTS_SITE_RIG_H
#define TESTS_SITE_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/lease_hold.h"
#include "site-ctrl/site.h"

#define SITE_RIG_POINTS	  64
#define SITE_RIG_NODES	  8
#define SITE_RIG_LINES	  64	/* log lines kept */
#define SITE_RIG_QUIET_MS 37000 /* after its start a site grants nothing for 36 s */

struct rig_car {
	struct lease_hold hold;
	uint8_t state; /* enum site_point_report_state */
	int32_t maximum_mA, minimum_mA;
	int32_t appetite_mA;  /* draws so much where it may; INT32_MAX: all it may */
	int32_t requested_mA; /* -1: as the appetite */
	int32_t noise_mA;     /* reported draw and maximum tremble by so much each way */
	int32_t max_discharge_mA;
	uint16_t energy_100Wh, departure_min;
	int64_t plugged_us; /* since; told in units of 10 s */
	uint8_t priority;
	bool is_mute; /* sends nothing */
	bool is_deaf; /* hears nothing */
	bool is_local;
	int64_t report_us; /* next one */
	uint32_t n_grants, n_changes, n_ons;
	int32_t granted_mA; /* newest grant taken */
	uint8_t reason;
	uint16_t row;
	int64_t on_us; /* granted something since; ALLOC_UNKNOWN */
};

struct site_rig {
	/* Set before site_rig_start(). */
	struct site_conf conf;
	const struct alloc_policy_ops *policy; /* NULL: equal share */
	void *policy_self;
	unsigned loss_permille;
	uint32_t seed;
	bool is_checked; /* rows are held against limits after every step; on from the start */
	/* ---- */
	struct site_model model;
	struct site_node_conf node[SITE_RIG_NODES];
	struct site_point_conf point[SITE_RIG_POINTS];
	struct site_constraint_conf constraint[2];
	struct site_limits limits;
	struct site site;
	void *block[3];
	struct out_queue out;
	int64_t now_us;
	struct rig_car car[SITE_RIG_POINTS];
	/* What the site said. */
	struct site_status status;
	uint32_t n_status, n_rows, n_frames;
	uint32_t n_most_frames; /* in one wake-up */
	char line[SITE_RIG_LINES][256];
	uint32_t n_lines;
	struct log_sink sink;
	char text[8192]; /* last answer of the control socket */
};

/* Defaults, and a root "main" with a limit on each phase. Test state: *state becomes the rig. */
int site_rig_set_up(void **state);
int site_rig_tear_down(void **state);
/* A node below another; returns its number. */
uint32_t site_rig_node(struct site_rig *r, const char *name, uint32_t parent, int32_t limit_mA);
/* A point of 6 to 32 A on phase 1, 2 or 3, or with phase 0 on all three. Returns its number. */
uint32_t site_rig_point(struct site_rig *r, uint32_t node, unsigned phase);
/* n points on all three phases at the root. */
void site_rig_points(struct site_rig *r, uint32_t n);
/* Everybody idle; then the quiet time passes. */
void site_rig_start(struct site_rig *r);
/* Without waiting for the end of the quiet time. */
void site_rig_boot(struct site_rig *r);
void site_rig_run_ms(struct site_rig *r, int64_t ms);
/* A vehicle that wants all it can get plugs in; leaves. */
void site_rig_plug(struct site_rig *r, uint32_t i);
void site_rig_unplug(struct site_rig *r, uint32_t i);
/* A request of the control socket; what is queued is delivered. 0 or the error. */
int site_rig_ask(struct site_rig *r, const char *line);
/* A limit by the operator; delivered at once. */
void site_rig_limit(struct site_rig *r, uint32_t node, int32_t mA);
/* Sums over all cars, mA of all their grants. */
int64_t site_rig_granted_mA(const struct site_rig *r);
bool site_rig_has_logged(const struct site_rig *r, const char *part);
uint32_t site_rig_random(struct site_rig *r);
/* Fails the test when a row is over its limit, in the ledger or at the cars. */
void site_rig_check(struct site_rig *r);

/* Policies made for tests: first come first served, and one that does what *self (struct rig_mad) says. */
extern const struct alloc_policy_ops rig_fcfs;

#endif
