/* SPDX-License-Identifier: MIT */
/*
 * The last gate: every frame and every command of the vehicle controller passes here, and there is no other
 * way to the bus or to the driver. Pure.
 *
 * The guard trusts nobody: it looks at the state's permission, the freshness of inputs and the limits, and
 * withholds or corrects what does not fit (default deny). It decides only from its facts and from what it let
 * pass before, so each rule is a test of a few lines.
 */
#ifndef PEV_GUARD_H
#define PEV_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/can.h>

#include <forecourt/vehicle_hw.h>

#include "lib/core/out_queue.h"
#include "pev-ctrl/pev_states.h"
#include "pev-ctrl/pev_wire.h"

/* The module too closes only above this battery voltage (rule P-21). */
#define PEV_BATTERY_MIN_mV 20000

struct pev_guard_facts {
	int64_t now_us;
	enum pev_permit permit;	 /* of the present state */
	bool is_control_fresh;	 /* DC_Control heard within its time-out */
	bool is_close_asked;	 /* it says Close, after an Open since it was last lost */
	bool is_readings_fresh;	 /* voltages and current */
	bool is_feedback_closed; /* fresh contactor feedback says closed */
	bool is_held;		 /* a fault forbids closing */
	bool is_ready;		 /* high-voltage system ready */
	int32_t battery_mV, inlet_mV;
	int32_t match_limit_mV;
	bool may_request;	/* the state permits a current request */
	int32_t max_request_mA; /* smallest of all static limits and the charger's maximum */
	int32_t max_discharge_mA;
	int32_t max_voltage_mV; /* of the pack; 0: not known */
};

struct pev_guard {
	int64_t hold_us;     /* longest time closed after the permission went */
	int64_t lost_us;     /* since when it is gone; FC_NEVER: is not */
	bool is_closed;	     /* last command that passed */
	uint32_t n_withheld; /* close commands replaced by open */
	uint32_t n_clipped;  /* values lowered to a limit */
	uint32_t n_masked;   /* stale readings replaced by safe values */
	uint32_t n_frames_withheld;
};

bool pev_voltages_match(int32_t a_mV, int32_t b_mV, int32_t limit_mV);
void pev_guard_init(struct pev_guard *g, int64_t hold_us);
/*
 * Queues a command for the driver. False when closed was asked and may not be: then open, at once, is queued
 * instead. *cmd holds what was queued.
 */
bool pev_guard_command(struct pev_guard *g, const struct pev_guard_facts *facts, struct vh_command *cmd,
		       struct out_queue *out);
/*
 * Corrects, encodes and queues one message of ours; `tx` is the identifier minus PEV_TX_FIRST_ID and `msg` the
 * generated struct of it. False when nothing was queued.
 */
bool pev_guard_send(struct pev_guard *g, const struct pev_guard_facts *facts, struct pev_wire *w, unsigned tx,
		    void *msg, struct out_queue *out);
/* A frame of the driver: any on its own buses, on bus 0 none of the interface's identifiers. */
bool pev_guard_driver_frame(struct pev_guard *g, uint32_t bus, const struct can_frame *f,
			    struct out_queue *out);

#endif
