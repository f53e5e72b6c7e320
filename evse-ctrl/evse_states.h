/* SPDX-License-Identifier: MIT */
/*
 * The states of one charge point and the facts of each: what may flow, how long it may last, what must be
 * fresh. Pure. The session, the guard, the log, status and the documentation read the same rows.
 */
#ifndef EVSE_STATES_H
#define EVSE_STATES_H

#include <stdbool.h>
#include <stdint.h>

#include <forecourt/power_module.h>

/* Our states; the module's State signal is an input and not one of these. */
enum evse_state {
	EVSE_ST_NO_MODULE, /* no status frame of the module: it is booting, off or gone */
	EVSE_ST_IDLE,	   /* module alive, no session */
	EVSE_ST_SESSION,   /* New_Charge_Session seen; power modules wake; no function asked yet */
	EVSE_ST_STANDBY,   /* function Standby: zero current, output floats */
	EVSE_ST_LOWERING,  /* function Standby with Lower_Output_Voltage: output is brought to <= 20 V */
	EVSE_ST_INSULATION,
	EVSE_ST_PRECHARGE,
	EVSE_ST_TRANSFER,
	EVSE_ST_CLOSING,  /* session over; only lowering of the output is obeyed */
	EVSE_ST_SHUTDOWN, /* ordered end of power: zero current, wait, open contactors */
	EVSE_ST_BLOCKED,  /* no power until the module is heard again and asks anew */
	EVSE_ST_FAULT,	  /* own fault latched */
	EVSE_ST_STOPPED,  /* asked to end; nothing more is sent */
	EVSE_N_STATES,
};

/* Stable numbers, documented in evse-ctrl(1). */
enum evse_fault {
	EVSE_FAULT_MEASUREMENT_STALE = 1, /* no fresh reading of output voltage and current */
	EVSE_FAULT_POWER_MODULE = 2,	  /* the driver reports a fault that demands a stop */
	EVSE_FAULT_OVER_VOLTAGE = 3,	  /* output above the configured maximum */
	EVSE_FAULT_OVER_CURRENT = 4,	  /* output current beyond the set point */
	EVSE_FAULT_CURRENT_STUCK = 5,	  /* current flows although none is asked */
	EVSE_FAULT_STATE_TIMEOUT = 6,	  /* a state of a running session did not end in time */
	EVSE_FAULT_CONTACTOR = 7,	  /* contactors do not follow */
	EVSE_FAULT_GUARD = 8,		  /* the last gate had to withhold a set point */
	EVSE_FAULT_NOT_READY = 9,	  /* power modules were ready and are not any more */
	EVSE_FAULT_EMERGENCY_BUTTON = 10, /* pressed by the operator */
	EVSE_N_FAULTS = 11,
};

struct evse_state_row {
	const char *name;
	int64_t max_us;	     /* FC_NEVER: may last for ever */
	uint32_t modes;	     /* bit per enum pm_mode that may be commanded */
	bool may_close;	     /* output contactors may be closed */
	bool is_session;     /* belongs to a running session */
	bool needs_status;   /* the module's status must be fresh */
	bool needs_readings; /* voltage and current must be fresh */
};

#define EVSE_MODE_BIT(mode) (UINT32_C(1) << (mode))

const struct evse_state_row *evse_state_row(enum evse_state state);
const char *evse_fault_name(enum evse_fault fault);

#endif
