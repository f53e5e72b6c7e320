/* SPDX-License-Identifier: MIT */
/*
 * A charge point on the bench: the real evse_point with a scripted power driver and a scripted module, in
 * virtual time. Every frame that leaves is decoded by the table, counted and kept; invariants are checked
 * after every event, so a test only states what is special about it.
 */
#ifndef TESTS_EVSE_RIG_H
#define TESTS_EVSE_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "evse-ctrl/evse_station.h"
#include "evse_msgs.h"

/* A power stack without dynamics: it does what it is told at once, unless the test says otherwise. */
struct rig_driver {
	struct rig *rig; /* first: the driver's state is a pointer back to the bench */
	struct pm_setpoint sp;
	uint32_t n_set;
	int32_t v_mV, i_mA;
	int32_t insulation_ohm;
	int32_t fall_mA_per_s; /* ramp of falling current, announced; 0: at once */
	int32_t from_mA;
	int64_t from_us;
	int32_t stuck_mA; /* current that flows whatever is asked */
	bool is_ready_after_wake, is_awake;
	int64_t stale_since_us; /* FC_NEVER: readings are fresh */
	uint32_t faults_stop;
	int32_t avail_mA, avail_mV;
	bool relay_stuck;
	int64_t off_at_us; /* when power was last told to be zero; FC_NEVER */
};

/* What the point told its site, newest of each. */
struct rig_site {
	struct site_point_report report;
	struct site_point_demand demand;
	struct site_point_session session;
	struct site_point_meter meter;
	uint32_t n_report, n_session;
	int64_t report_us;
	int64_t gap_min_us; /* between two reports */
	uint32_t answered;  /* number that rig_grant answered last, and how often */
	uint8_t revision;
	bool is_answering; /* every report at once, with grant_mA for 10 s */
	int32_t grant_mA;
	uint32_t n_answered;
};

struct rig {
	struct evse_point point;
	struct evse_conf conf;
	unsigned index;
	struct rig_driver driver;
	struct out_queue out;
	int64_t now_us;
	/* The scripted module: sends these by itself on the 100 ms grid while enabled. */
	bool module_alive, sends_new_session, sends_power, sends_emergency;
	uint8_t module_state;
	struct evse_dc_power_control power;
	int64_t module_next_us;
	/* What left, per message: count, newest content, time of the newest. */
	uint32_t n_tx[EVSE_N_MSGS];
	int64_t tx_us[EVSE_N_MSGS];
	int64_t tx_gap_min_us[EVSE_N_MSGS], tx_gap_max_us[EVSE_N_MSGS];
	struct evse_power_modules_status status;
	struct evse_dc_power_parameters parameters;
	struct evse_sequence_control sequence;
	struct can_frame last[EVSE_N_MSGS];
	struct rig_site site;
};

/* Defaults of the table, index 1; change r->conf between rig_defaults and rig_start. */
void rig_defaults(struct rig *r);
void rig_start(struct rig *r);
/* Lets time pass, in steps of whatever is due next. */
void rig_run_ms(struct rig *r, int64_t ms);
void rig_rx(struct rig *r, const struct can_frame *f);
/* One message of the module, sent now. */
void rig_send(struct rig *r, enum evse_msg msg, const void *m);
void rig_module_state(struct rig *r, uint8_t state);
/* Sets and sends DC_Power_Control; it is repeated every 100 ms from then on. */
void rig_power(struct rig *r, uint8_t function, int32_t v_mV, int32_t i_mA, bool is_closed, bool is_lowering);
void rig_finish(struct rig *r);

/* The site's answer to the newest report, in units of 2 s; as a frame of the bus. */
void rig_grant(struct rig *r, int32_t charge_mA, unsigned units);
/* The site's frames, as they are. */
void rig_site_send(struct rig *r, enum site_msg msg, const void *m);

enum evse_state rig_state(const struct rig *r);

/* Walks a clean session up to the state; from Idle. */
void rig_to(struct rig *r, enum evse_state state);
/* Starts and walks there; fails when another state was reached. */
void rig_start_to(struct rig *r, enum evse_state state);
#define RIG_BATTERY_mV 350000

#endif
