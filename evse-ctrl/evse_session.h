/* SPDX-License-Identifier: MIT */
/*
 * One charge point: the customer's side of one session after the other. Pure.
 *
 * Frames of the module, readings of the power stack and operator's words go in; frames and set points come
 * out through the guard. Power follows DC_Power_Control, never the module's State alone (evse-v3.md
 * section 6). Every fault, emergency or loss of the module takes the one shutdown path: zero current, wait
 * for measured low current or a time-out, open contactors.
 *
 * The contract of time and memory is that of lib/core/machine.h. Calls in any order after init; `out` gets
 * OUT_FRAME and OUT_SETPOINT items.
 */
#ifndef EVSE_SESSION_H
#define EVSE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "evse-ctrl/evse_conf.h"
#include "evse-ctrl/evse_grant.h"
#include "evse-ctrl/evse_guard.h"
#include "evse-ctrl/evse_limits.h"
#include "evse-ctrl/evse_states.h"
#include "evse-ctrl/evse_wire.h"
#include "lib/core/deadline.h"
#include "lib/core/fault.h"
#include "lib/core/log.h"
#include "lib/core/out_queue.h"
#include "lib/core/rx_watch.h"

/* Why power ended, also the reason of a session's end. */
enum evse_cause {
	EVSE_CAUSE_NONE,
	EVSE_CAUSE_VEHICLE,	/* the vehicle ended the session */
	EVSE_CAUSE_USER_STOP,	/* our stop button */
	EVSE_CAUSE_MODULE_LOST, /* Advantics_Controller_Status silent */
	EVSE_CAUSE_EMERGENCY,	/* Emergency_Stop received */
	EVSE_CAUSE_FAULT,	/* own fault, see fault numbers */
	EVSE_CAUSE_MODULE_END,	/* the module closed the session before transfer */
	EVSE_CAUSE_REFUSED,	/* authorisation refused */
	EVSE_CAUSE_TERMINATED,	/* our process was asked to end */
	EVSE_N_CAUSES,
};

/* Readings of the power stack, handed in after each driver call. */
struct evse_input {
	struct pm_status status;
	struct pm_caps caps;
};

struct evse_shutdown {
	enum evse_cause cause;
	enum evse_state next; /* state after it */
	bool is_urgent;	      /* stop without ramp, contactors may be forced after 100 ms */
	int64_t force_us;     /* contactors are opened now at the latest */
	int64_t confirm_us;   /* waiting for contactor feedback ends; FC_NEVER: not opened yet */
};

/* What one session did, for status, summary and journal. */
struct evse_record {
	uint32_t n_sessions;
	int64_t start_us, end_us;
	int64_t energy_mJ; /* delivered at the charger's output, counted with sign */
	int32_t peak_mA;
	enum evse_cause cause;
	uint8_t finished;	   /* Charge_Session_Finished.State; 255 not received */
	int64_t max_status_gap_us; /* longest silence of the module's status while in the session */
};

/* What the driver of the vehicle needs, as told by the operator; forgotten when the vehicle has gone. */
struct evse_need {
	int64_t energy_Wh;    /* at the vehicle, from when it was told; EVSE_GRANT_UNKNOWN */
	int64_t from_mJ;      /* energy of the session when it was told */
	int64_t departure_us; /* EVSE_GRANT_UNKNOWN */
	uint8_t priority;
};

/* The point's share of a site; nothing of it is used while conf.site is off. */
struct evse_site {
	bool is_on;
	bool is_holding; /* the start of power waits for a grant */
	uint8_t bus;	 /* the runner's; 0: the module's */
	struct evse_grant grant;
	struct evse_need need;
	int64_t plugged_us; /* FC_NEVER: no vehicle */
	/*
	 * Announced charge current as last seen, and when it last rose: the vehicle needs a moment to
	 * follow.
	 */
	int32_t announced_mA;
	int64_t raised_us;
	int32_t logged_mA; /* grant as last logged */
	struct site_grant_reason logged_why;
};

struct evse_session {
	struct evse_conf conf;
	struct evse_wire wire;
	struct evse_guard guard;
	struct log log;

	enum evse_state state;
	int64_t state_since_us;
	uint8_t module_state; /* enum evse_module_state, or a number unknown to us */
	bool is_open;	      /* between New_Charge_Session and the end */
	bool has_ended;	      /* end seen, module has not yet left state 10 */
	bool is_terminating;
	bool was_ready; /* System_Enable was 1 in this session */
	struct rx_watch status_watch, emergency_watch;
	bool is_status_lost;
	bool is_emergency;
	uint8_t emergency_origin;

	struct evse_power_command power; /* newest DC_Power_Control */
	int64_t power_us;		 /* its time; FC_NEVER none in this session */
	int64_t rearm_us;		 /* commands up to this time are void */
	int32_t ocpp_target_mA;
	bool has_ocpp_target;

	struct evse_input in;
	bool has_input;
	int64_t input_us;
	int64_t over_until_us; /* current is above the set point, a fault from then on; FC_NEVER: is not */
	int32_t over_asked_mA; /* what was asked meanwhile */
	struct fault_set faults;
	struct evse_shutdown shutdown;

	struct pm_setpoint sp; /* what the driver was told last */
	int64_t sp_us;
	int32_t last_i_mA;
	enum evse_limit binds, told_binds; /* now, and as last logged */
	bool told_v_clipped;
	int64_t open_force_us; /* ordered opening in a running session; FC_NEVER: none */
	bool is_zero_pending;  /* power was stopped, status with 0 A not sent yet */

	uint32_t flags, flags_sent; /* Sequence_Control */
	bool is_start_allowed;
	bool is_auth_given; /* by the operator, while the site holds the start */
	int64_t auth_us, parameters_us, charge_end_us, user_stop_end_us;
	struct grid cycle;	    /* 100 ms: status out, set point refreshed */
	struct grid sequence_cycle; /* 1 s */
	int64_t parameters_next_us; /* DC_Power_Parameters: refresh or pending change */
	int64_t parameters_last_us;
	struct evse_parameters_out parameters_sent;
	bool is_enabled_sent;
	int8_t n_final; /* status frames with System_Enable 0 still to send before the end */

	struct evse_site site;
	struct evse_record record;
};

/* 0 or -EINVAL: index or protocol out of range. The first status frame leaves with the first tick. */
int evse_session_init(struct evse_session *s, const struct evse_conf *conf, unsigned index,
		      const struct log_sink *sink, int64_t now_us);
void evse_session_rx(struct evse_session *s, int64_t now_us, const struct can_frame *f,
		     struct out_queue *out);
void evse_session_input(struct evse_session *s, int64_t now_us, const struct evse_input *in,
			struct out_queue *out);
void evse_session_tick(struct evse_session *s, int64_t now_us, struct out_queue *out);
int64_t evse_session_next_us(const struct evse_session *s);

/*
 * Takes part in the site when the settings say so; before the first tick. first_number: see
 * evse_grant_init().
 */
void evse_session_join_site(struct evse_session *s, uint32_t first_number, int64_t now_us);
/* The site is on a bus of its own, which is the runner's number `bus`; without it: on the module's. */
void evse_session_site_bus(struct evse_session *s, uint8_t bus);
/* Receive filters of the site's bus; returns how many. */
size_t evse_session_site_filters(const struct evse_session *s, struct can_filter *f, size_t n);

/* Operator's words. */
void evse_session_user_stop(struct evse_session *s, int64_t now_us, struct out_queue *out);
void evse_session_authorise(struct evse_session *s, bool is_valid, struct out_queue *out);
void evse_session_allow_start(struct evse_session *s, bool is_allowed, struct out_queue *out);
/* Stops power at once, as for a fault; not latched, the module decides how the session ends. */
void evse_session_emergency(struct evse_session *s, int64_t now_us, struct out_queue *out);
/* 0, or -EBUSY while a fault's condition is still present. */
int evse_session_clear_faults(struct evse_session *s, int64_t now_us, struct out_queue *out);
/* Ordered end in any state; done when is_stopped (at most 500 ms, rule E-87). */
void evse_session_stop(struct evse_session *s, int64_t now_us, struct out_queue *out);
bool evse_session_is_stopped(const struct evse_session *s);

/*
 * What the driver needs; EVSE_GRANT_UNKNOWN and a negative priority leave a value as it is. -ENOTSUP
 * without a site. energy_Wh counts from now, departure is on our clock.
 */
int evse_session_need(struct evse_session *s, int64_t energy_Wh, int64_t departure_us, int32_t priority);

/* Supply current as measured at the output and converted; negative: fed back. */
int32_t evse_site_drawn_mA(const struct evse_session *s);

/* System_Enable as it would be sent now. */
bool evse_session_is_enabled(const struct evse_session *s);
const char *evse_cause_name(enum evse_cause cause);

/* --- for the session's own files ---------------------------------------------------------------------- */

/* The only writer of the state. */
void evse_session_enter(struct evse_session *s, int64_t now_us, enum evse_state state, const char *why);
/* Starts the shutdown path unless it runs already; then only an urgent one overrides. */
void evse_session_shutdown(struct evse_session *s, int64_t now_us, enum evse_cause cause,
			   enum evse_state next, bool is_urgent, struct out_queue *out);
void evse_session_fault(struct evse_session *s, int64_t now_us, enum evse_fault fault, struct out_queue *out);
bool evse_session_is_reading_fresh(const struct evse_session *s, int64_t now_us);
/* Sends Power_Modules_Status now (readings of the present). */
void evse_session_send_status(struct evse_session *s, struct out_queue *out);

/* evse_power.c: set points, supervision, progress of the shutdown. */
void evse_power_update(struct evse_session *s, int64_t now_us, bool is_refresh, struct out_queue *out);
void evse_power_supervise(struct evse_session *s, int64_t now_us, struct out_queue *out);
void evse_power_shutdown_step(struct evse_session *s, int64_t now_us, struct out_queue *out);
/* State that a DC_Power_Control asks for. */
enum evse_state evse_power_state(const struct evse_session *s, const struct evse_power_command *p);

/* evse_seq.c: flags of Sequence_Control and the operator's timers. */
void evse_seq_module_state(struct evse_session *s, int64_t now_us, uint8_t state, struct out_queue *out);
void evse_seq_session_opened(struct evse_session *s, int64_t now_us);
void evse_seq_session_ended(struct evse_session *s, struct out_queue *out);
void evse_seq_user_stop(struct evse_session *s, int64_t now_us, struct out_queue *out);
void evse_seq_tick(struct evse_session *s, int64_t now_us, struct out_queue *out);
int64_t evse_seq_next_us(const struct evse_session *s);
void evse_seq_send_if_changed(struct evse_session *s, struct out_queue *out);

/* evse_site.c: the site's part of an event. */
/* A frame of the site's bus. True: it was one of the site, and is done with. */
bool evse_site_rx(struct evse_session *s, int64_t now_us, const struct can_frame *f, struct out_queue *out);
/* At the beginning of a tick: leases that are over, holding the start. */
void evse_site_begin(struct evse_session *s, int64_t now_us, struct out_queue *out);
/* At its end: the upper bound of the draw, reports. */
void evse_site_end(struct evse_session *s, int64_t now_us, struct out_queue *out);
int64_t evse_site_next_us(const struct evse_session *s);
/* The grant as it binds the output now. */
void evse_site_cap(const struct evse_session *s, int64_t now_us, struct evse_grant_cap *cap);

#endif
