/* SPDX-License-Identifier: MIT */
/*
 * The vehicle's side of one session after the other. Pure.
 *
 * Frames of the module, readings of the vehicle's hardware and the operator's words go in; frames and commands
 * come out through the guard. The module leads: its stage moves our state and its DC_Control asks for the
 * contactors; but they close only upon our own checks, and every fault, silence or end of the program takes
 * the one shutdown path: request 0 A, wait for measured low current or a time-out, open, report.
 *
 * The contract of time and memory is that of lib/core/machine.h. Calls in any order after init; `out` gets
 * OUT_FRAME and OUT_COMMAND items.
 */
#ifndef PEV_SESSION_H
#define PEV_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <forecourt/vehicle_hw.h>

#include "lib/core/deadline.h"
#include "lib/core/fault.h"
#include "lib/core/log.h"
#include "lib/core/out_queue.h"
#include "lib/core/rx_watch.h"
#include "pev-ctrl/pev_conf.h"
#include "pev-ctrl/pev_contactors.h"
#include "pev-ctrl/pev_guard.h"
#include "pev-ctrl/pev_limits.h"
#include "pev-ctrl/pev_pulse.h"
#include "pev-ctrl/pev_states.h"
#include "pev-ctrl/pev_wire.h"

#define PEV_CYCLE_US (100 * FC_US_PER_MS) /* all periodic messages, pev-v2.md section 2 */
/* The driver opens by itself when it was not told anything for this long. */
#define PEV_COMMAND_VALID_US (5 * PEV_CYCLE_US)
/* From the request to end to the end, at most (rule P-47: 2 s, with the margin of one wake-up). */
#define PEV_TERMINATE_US (1900 * FC_US_PER_MS)

/* A message that is sent when it changes, once more 100 ms later, and on entering stages 1 and 2 (CP-06). */
struct pev_on_change {
	uint32_t bits; /* content as last sent */
	bool has_sent;
	bool is_forced;
	int64_t repeat_us; /* FC_NEVER: not due */
};

/* What sessions did, for status. */
struct pev_record {
	uint32_t n_sessions;
	uint32_t n_closed;   /* times the contactors closed */
	int64_t energy_mJ;   /* into the battery, of the present or last session */
	int64_t charging_us; /* start of state Charging; FC_NEVER: not reached */
	int32_t peak_mA;
};

struct pev_session {
	struct pev_conf conf;
	struct pev_wire wire;
	struct pev_guard guard;
	struct pev_contactors contactors;
	struct log log;

	enum pev_state state;
	int64_t since_us;   /* when it was entered */
	int64_t due_us;	    /* when it has lasted too long; FC_NEVER: never */
	int64_t settled_us; /* time of the last event that was worked through */

	/* The module. */
	uint16_t stage; /* Communication_Stage; PEV_STAGE_NONE: not heard yet */
	struct rx_watch information, control;
	bool is_armed; /* DC_Control said Open since it was last lost (rule P-12) */
	bool is_bus_down;

	/* The vehicle. */
	struct vh_caps caps;
	struct vh_status hw;
	bool has_hw;
	int64_t hw_us;

	/* Faults. */
	struct fault_set faults;
	uint32_t held;		    /* faults that forbid closing until they are released */
	int64_t differ_since_us;    /* voltages of closed contactors differ; FC_NEVER: do not */
	int64_t forbidden_since_us; /* Close asked where it is forbidden; FC_NEVER: is not */
	bool is_void;		    /* the running session ended by a fault: only a new one may close */
	bool is_urgent;		    /* the running shutdown opens at once */
	int64_t terminate_us;	    /* asked to end: done at the latest; FC_NEVER: not asked */

	/* What is sent. */
	struct pev_pulse end, emergency, pause, resume;
	struct pev_limit_result request;
	struct vh_command command; /* as the driver was told last */
	uint32_t clear_fault;
	struct grid cycle;
	uint32_t n_cycles;
	struct pev_on_change ev_status, outputs;
	struct pev_record record;
};

/* 0 or -EINVAL with a sentence in err. The first frames leave with the first tick. */
int pev_session_init(struct pev_session *s, const struct pev_conf *conf, const struct vh_caps *caps,
		     const struct log_sink *sink, int64_t now_us, char *err, size_t err_size);
void pev_session_rx(struct pev_session *s, int64_t now_us, const struct can_frame *f, struct out_queue *out);
/* Readings of the vehicle; to be given before each tick, and whenever they may have changed. */
void pev_session_input(struct pev_session *s, int64_t now_us, const struct vh_status *hw,
		       struct out_queue *out);
void pev_session_tick(struct pev_session *s, int64_t now_us, struct out_queue *out);
int64_t pev_session_next_us(const struct pev_session *s);

/* Operator's words. 0, -EBUSY where there is nothing to do so in, -ENOTSUP where the version cannot. */
int pev_session_request_end(struct pev_session *s, int64_t now_us, struct out_queue *out);
int pev_session_request_emergency(struct pev_session *s, int64_t now_us, struct out_queue *out);
int pev_session_request_pause(struct pev_session *s, int64_t now_us, struct out_queue *out);
int pev_session_request_resume(struct pev_session *s, int64_t now_us, struct out_queue *out);
/* Forgets the faults whose condition is gone. 0, or -EBUSY when one is still present. */
int pev_session_clear_faults(struct pev_session *s, int64_t now_us, struct out_queue *out);
/* Settings changed: lets them take effect. */
void pev_session_reconfigured(struct pev_session *s, int64_t now_us, struct out_queue *out);
/* Ordered end in any state; done when is_stopped (at most PEV_TERMINATE_US). */
void pev_session_stop(struct pev_session *s, int64_t now_us, struct out_queue *out);
bool pev_session_is_stopped(const struct pev_session *s);

/* --- for the session's own files ------------------------------------------------------------------------- */

/* The only writer of the state. */
void pev_session_enter(struct pev_session *s, int64_t now_us, enum pev_state state, const char *cause);
struct pev_guard_facts pev_session_facts(const struct pev_session *s, int64_t now_us);
bool pev_session_is_control_fresh(const struct pev_session *s, int64_t now_us);
bool pev_session_is_readings_fresh(const struct pev_session *s, int64_t now_us);
bool pev_session_is_bms_fresh(const struct pev_session *s, int64_t now_us);
/* Fresh contactor feedback: 1 closed, 0 open, -1 unknown. */
int32_t pev_session_feedback(const struct pev_session *s, int64_t now_us);
/* What the contactors may do now: by the state, and by the stage where that is stricter. */
enum pev_permit pev_session_permit(const struct pev_session *s);
/* Something forbids closing until it is released. */
bool pev_session_is_blocked(const struct pev_session *s);
/* The module asks for closed contactors and may (after an Open). */
bool pev_session_is_close_asked(const struct pev_session *s, int64_t now_us);

/* pev_supervise.c: conditions to faults, faults to actions, releases. */
void pev_supervise(struct pev_session *s, int64_t now_us);
void pev_supervise_release(struct pev_session *s, int64_t now_us);
/* A fault that is an event: latched, not present. */
void pev_supervise_event(struct pev_session *s, int64_t now_us, enum pev_fault fault);

/* pev_drive.c: the contactors and the driver's command. */
void pev_drive(struct pev_session *s, int64_t now_us, struct out_queue *out);
void pev_drive_send(struct pev_session *s, int64_t now_us, struct out_queue *out);

/* pev_send.c: messages. */
void pev_send_cycle(struct pev_session *s, int64_t now_us, struct out_queue *out);
void pev_send_changes(struct pev_session *s, int64_t now_us, struct out_queue *out);
/* The request as it would be sent now. */
struct pev_limit_result pev_send_request(const struct pev_session *s, int64_t now_us);
bool pev_send_is_held_off(const struct pev_session *s, int64_t now_us);

#endif
