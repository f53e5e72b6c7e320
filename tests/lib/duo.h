/* SPDX-License-Identifier: MIT */
/* Both virtual modules with a scripted customer each on one bench: the fixture of their tests. */
#ifndef TESTS_DUO_H
#define TESTS_DUO_H

#include "sim/evcc.h"
#include "sim/secc.h"
#include "tests/lib/plug_bench.h"
#include "tests/lib/scripted_evse.h"
#include "tests/lib/scripted_pev.h"

#define SECONDS(s) ((int64_t)((s)*1000000.0 + 0.5))

struct duo {
	struct bench *bench;
	struct secc_cfg secc_cfg;
	struct evcc_cfg evcc_cfg;
	struct secc secc;
	struct evcc evcc;
	struct scripted_evse evse;
	struct scripted_pev pev;
	unsigned secc_at, evcc_at, evse_at, pev_at; /* machine numbers on the bench */
	int wanted;				    /* for duo_until_* */
};

/* Fixture with defaults; change configurations, then start. */
struct duo *duo_new(enum evse_version evse, enum pev_version pev);
void duo_start(struct duo *d);
void duo_free(struct duo *d);
/* Runs until the SECC's state or the EVCC's stage; false after so many seconds without. */
bool duo_until_state(struct duo *d, enum secc_state state, double seconds);
bool duo_until_stage(struct duo *d, enum evcc_stage stage, double seconds);
void duo_run(struct duo *d, double seconds);
/* Identifiers as this fixture's profiles and index have them. */
canid_t duo_evse_id(const struct duo *d, enum evse_msg msg);
canid_t duo_pev_id(const struct duo *d, enum pev_msg msg);
canid_t duo_plug_id(const struct duo *d, enum plug_msg msg);
/* The DC_Power_Control of a record. */
struct evse_dc_power_control duo_power(const struct duo *d, const struct bench_record *r);
/* Sends a frame of the charging protocol as a foreign vehicle would. */
void duo_inject_plug(struct duo *d, enum plug_msg msg, const void *m);

#endif
