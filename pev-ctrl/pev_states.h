/* SPDX-License-Identifier: MIT */
/*
 * The states of the vehicle controller and the facts of each: how long it may last and where that leads, which
 * inputs must be fresh, what the contactors may do, whether current may be asked. Pure. The session, the
 * guard, the log, status and the documentation read the same rows.
 */
#ifndef PEV_STATES_H
#define PEV_STATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <forecourt/vehicle_hw.h>

/* Our states. The module's Communication_Stage is an input and not one of these. */
enum pev_state {
	PEV_ST_OFFLINE,	    /* the module is not heard: off, booting, asleep */
	PEV_ST_IDLE,	    /* stages 0 and 1 */
	PEV_ST_NEGOTIATING, /* stage 2 */
	PEV_ST_CONNECTED,   /* stage 3 */
	PEV_ST_INSULATION,  /* stage 4: the charger tests its cable, the inlet is live */
	PEV_ST_PRECHARGE,   /* stage 5 */
	PEV_ST_READY,	    /* stage 6 */
	PEV_ST_CHARGING,    /* stage 7 */
	PEV_ST_STOPPING,    /* we asked for a normal end; 0 A requested; waits for stage 8 */
	PEV_ST_ENDING,	    /* stage 8 */
	PEV_ST_WELDING,	    /* stage 9 */
	PEV_ST_CLOSING,	    /* stage 10, until unplugged */
	PEV_ST_PAUSED,	    /* stage 11 */
	PEV_ST_UNKNOWN,	    /* a stage without a name: DC_Control alone governs */
	PEV_ST_SHUTDOWN,    /* the one ordered shutdown: 0 A, low current or time-out, open */
	PEV_ST_BLOCKED,	    /* contactors open after a fault; waits for its release */
	PEV_ST_STOPPED,	    /* asked to end; nothing more is sent */
	PEV_N_STATES,
};

/* What a state permits the contactors. */
enum pev_permit {
	PEV_PERMIT_OPEN_NOW, /* must be open; opened at once, under load too */
	PEV_PERMIT_OPEN,     /* must be open; opened in order */
	PEV_PERMIT_HOLD,     /* may stay closed while DC_Control says Close, never close */
	PEV_PERMIT_CLOSE,    /* may close when DC_Control says Close and the checks are good */
};

enum pev_need { /* bits: inputs that must be fresh */
		PEV_NEED_INFORMATION = 1 << 0,
		PEV_NEED_CONTROL = 1 << 1,
		PEV_NEED_READINGS = 1 << 2,
		PEV_NEED_BMS = 1 << 3,
};

/* Stable numbers, documented in pev-ctrl(1). */
enum pev_fault {
	PEV_FAULT_NONE = 0,
	PEV_FAULT_DC_CONTROL_LOST = 1,	     /* DC_Control missing for 1 s */
	PEV_FAULT_EVSE_INFORMATION_LOST = 2, /* EVSE_Information missing during a session */
	PEV_FAULT_READINGS_STALE = 3,	     /* voltages, current or feedback too old while energised */
	PEV_FAULT_BMS_STALE = 4,	     /* BMS silent while charging */
	PEV_FAULT_VOLTAGE_MISMATCH = 5,	     /* close command with inlet and battery too far apart */
	PEV_FAULT_VOLTAGE_DEVIATION = 6,     /* contactors closed, but inlet and battery differ */
	PEV_FAULT_NOT_CLOSING = 7,	     /* no feedback after the close command */
	PEV_FAULT_WELDED = 8,		     /* feedback still closed after the open command */
	PEV_FAULT_OPENED_BY_ITSELF = 9,	     /* feedback open although commanded closed */
	PEV_FAULT_OPENED_UNDER_LOAD = 10,    /* opened by force above the current limit */
	PEV_FAULT_STATE_TIMEOUT = 11,	     /* a state of a session did not end in time */
	PEV_FAULT_STOP_IGNORED = 12,	     /* the module did not react to our normal end */
	PEV_FAULT_HARDWARE = 13,	     /* the driver reports a fault that demands a stop */
	PEV_FAULT_NOT_READY = 14,	     /* high-voltage system not ready while energised */
	PEV_FAULT_BUS_DOWN = 15,	     /* bus-off or interface down while energised */
	PEV_FAULT_EMERGENCY = 16,	     /* emergency stop by command */
	PEV_FAULT_CLOSE_REFUSED = 17,	     /* close command in a state that forbids it */
	PEV_FAULT_GUARD = 18,		     /* the guard had to refuse a command: a mistake of ours */
	PEV_N_FAULTS = 19,
};

enum pev_fault_action {
	PEV_ACT_SHOW,	  /* shown only */
	PEV_ACT_END,	  /* 0 A and a normal end */
	PEV_ACT_SHUTDOWN, /* emergency request and ordered opening */
	PEV_ACT_URGENT,	  /* emergency request, contactors open at once */
};

enum pev_fault_hold { /* what must happen before contactors may close again */
		      PEV_HOLD_NONE,
		      PEV_HOLD_REARM,	/* DC_Control heard again, with Open first (rule P-12) */
		      PEV_HOLD_SESSION, /* the condition gone and a new session begun (stage 0 or 1) */
		      PEV_HOLD_CLEAR,	/* the condition gone and the command clear-fault */
};

struct pev_fault_row {
	const char *name;
	enum pev_fault_action action;
	enum pev_fault_hold hold;
};

struct pev_state_row {
	const char *name;
	size_t limit_at; /* offset of the longest stay (int32_t, ms) in struct pev_conf; 0: for ever */
	enum pev_fault on_timeout; /* raised then; its action leads on */
	uint32_t needs;		   /* enum pev_need */
	enum pev_permit permit;
	bool is_session;  /* ends with an emergency request when cut short */
	bool may_request; /* Max_Charge_Current may be above 0 */
	bool may_hold_off;
	enum vh_phase phase; /* as the driver is told */
};

const struct pev_state_row *pev_state_row(enum pev_state state);
const struct pev_fault_row *pev_fault_row(enum pev_fault fault);
/* The state that follows a stage of the module. */
enum pev_state pev_state_of_stage(uint16_t stage);

#endif
