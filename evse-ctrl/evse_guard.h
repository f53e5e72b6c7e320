/* SPDX-License-Identifier: MIT */
/*
 * The last gate: every frame and every set point of a charge point passes here, and there is no other way to
 * the bus or to the power driver. Pure.
 *
 * The guard trusts nobody: it looks at the state's row, the freshness of the module and of the readings, and
 * the limits, and withholds what does not fit (default deny). A withheld set point becomes "off, contactors
 * open as soon as no current flows". It decides only from its facts, so each rule is a test of a few lines.
 */
#ifndef EVSE_GUARD_H
#define EVSE_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/can.h>

#include <forecourt/power_module.h>

#include "evse-ctrl/evse_states.h"
#include "dbc/msg_map.h"
#include "lib/core/out_queue.h"

struct evse_guard_facts {
	enum evse_state state;
	bool is_status_fresh;  /* module heard within its time-out */
	bool is_emergency;     /* Emergency_Stop present or just gone */
	bool is_reading_fresh; /* voltage and current of the driver */
	bool has_latched_fault;
	int32_t i_mA;		/* measured */
	int32_t max_voltage_mV; /* configuration and hardware */
	int32_t max_charge_mA, max_discharge_mA;
	/* The site's grant: power at the output in each direction, and the voltage to reckon with. */
	bool has_grant;
	int32_t grant_W, grant_feed_W, grant_v_mV;
	int32_t open_limit_mA; /* contactors open below */
	bool is_closed;	       /* as commanded before */
	bool may_force_open;   /* a stated time-out ran out, or an emergency */
};

#define EVSE_GUARD_MAX_TX 8

struct evse_guard {
	canid_t tx_id[EVSE_GUARD_MAX_TX]; /* the only identifiers that may leave */
	uint8_t tx_dlc[EVSE_GUARD_MAX_TX];
	uint8_t tx_bus[EVSE_GUARD_MAX_TX]; /* of the runner; 0: the module's */
	uint8_t n_tx;
	uint32_t n_withheld; /* set points replaced */
	uint32_t n_clipped;  /* set points lowered to a limit */
	uint32_t n_frames_withheld;
};

/* Allowed transmit messages of this version and index. */
void evse_guard_init(struct evse_guard *g, unsigned version, unsigned index);
/*
 * One more, for reports to the site, on bus `bus`; again: on another bus. At most EVSE_GUARD_MAX_TX in all.
 */
void evse_guard_allow(struct evse_guard *g, const struct msg_layout *l, unsigned index, uint8_t bus);
/*
 * Checks and queues a set point; returns false when it was withheld and replaced by a safe one. What was
 * really queued is written back to *sp.
 */
bool evse_guard_setpoint(struct evse_guard *g, const struct evse_guard_facts *facts, struct pm_setpoint *sp,
			 struct out_queue *out);
/* Queues a frame on the bus where it belongs; false when it must not leave. */
bool evse_guard_frame(struct evse_guard *g, const struct can_frame *f, struct out_queue *out);

#endif
