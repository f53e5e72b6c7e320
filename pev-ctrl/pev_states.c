/* SPDX-License-Identifier: MIT */
/* Facts of each state and of each fault of the vehicle controller. Pure. */
#include "pev-ctrl/pev_states.h"

#include "pev-ctrl/pev_conf.h"

#define MAX(member) offsetof(struct pev_conf, member##_limit_ms)
#define FOR_EVER    0
#define MODULE	    (PEV_NEED_INFORMATION | PEV_NEED_CONTROL)
#define ENERGISED   (MODULE | PEV_NEED_READINGS)
#define ALL	    (ENERGISED | PEV_NEED_BMS)
#define NOW	    PEV_PERMIT_OPEN_NOW
#define OPEN	    PEV_PERMIT_OPEN
#define HOLD	    PEV_PERMIT_HOLD
#define CLOSE	    PEV_PERMIT_CLOSE
#define NONE	    PEV_FAULT_NONE
#define LATE	    PEV_FAULT_STATE_TIMEOUT
#define IGNORED	    PEV_FAULT_STOP_IGNORED

/*
 * Columns: name, longest stay, what a longer one means, needs, contactors, session, request, hold-off, phase.
 * Contactors: rule P-20 for stages 0 to 4, P-24 for 5 to 7; from stage 8 on they may only open. Requests:
 * pev-v2.md section 7, steps 9 and 10. Hold-off is level-evaluated until released (CP-11).
 */
static const struct pev_state_row states[PEV_N_STATES] = {
	[PEV_ST_OFFLINE] = {"Offline", FOR_EVER, NONE, 0, NOW, false, true, true, VH_PHASE_IDLE},
	[PEV_ST_IDLE] = {"Idle", FOR_EVER, NONE, 0, NOW, false, true, true, VH_PHASE_IDLE},
	[PEV_ST_NEGOTIATING] = {"Negotiating", MAX(negotiation), LATE, MODULE, NOW, true, true, true,
				VH_PHASE_CONNECTED},
	[PEV_ST_CONNECTED] = {"Connected", MAX(connected), LATE, MODULE, NOW, true, true, true,
			      VH_PHASE_CONNECTED},
	[PEV_ST_INSULATION] = {"Insulation_Test", MAX(insulation), LATE, MODULE, NOW, true, true, false,
			       VH_PHASE_INSULATION},
	[PEV_ST_PRECHARGE] = {"Precharge", MAX(precharge), LATE, ALL, CLOSE, true, true, false,
			      VH_PHASE_PRECHARGE},
	[PEV_ST_READY] = {"Ready", MAX(ready), LATE, ALL, CLOSE, true, true, false, VH_PHASE_TRANSFER},
	[PEV_ST_CHARGING] = {"Charging", MAX(charging), LATE, ALL, CLOSE, true, true, false,
			     VH_PHASE_TRANSFER},
	[PEV_ST_STOPPING] = {"Stopping", MAX(stopping), IGNORED, ENERGISED, HOLD, true, false, false,
			     VH_PHASE_ENDING},
	[PEV_ST_ENDING] = {"Ending", MAX(ending), LATE, ENERGISED, HOLD, true, false, false, VH_PHASE_ENDING},
	[PEV_ST_WELDING] = {"Welding_Detection", MAX(welding), LATE, ENERGISED, HOLD, true, false, false,
			    VH_PHASE_ENDING},
	[PEV_ST_CLOSING] = {"Closing", FOR_EVER, NONE, 0, OPEN, false, false, true, VH_PHASE_ENDING},
	[PEV_ST_PAUSED] = {"Paused", FOR_EVER, NONE, 0, OPEN, true, false, true, VH_PHASE_ENDING},
	[PEV_ST_UNKNOWN] = {"Unknown_Stage", MAX(unknown), LATE, MODULE, CLOSE, true, true, false,
			    VH_PHASE_TRANSFER},
	[PEV_ST_SHUTDOWN] = {"Shutdown", MAX(shutdown), LATE, 0, HOLD, true, false, false, VH_PHASE_ENDING},
	[PEV_ST_BLOCKED] = {"Blocked", FOR_EVER, NONE, 0, NOW, false, false, true, VH_PHASE_ENDING},
	[PEV_ST_STOPPED] = {"Stopped", FOR_EVER, NONE, 0, NOW, false, false, false, VH_PHASE_IDLE},
};

/* The numbers of the faults are their places here; pev-ctrl(1) lists them. */
static const struct pev_fault_row faults[PEV_N_FAULTS] = {
	[PEV_FAULT_NONE] = {"none", PEV_ACT_SHOW, PEV_HOLD_NONE},
	[PEV_FAULT_DC_CONTROL_LOST] = {"dc_control_lost", PEV_ACT_URGENT, PEV_HOLD_REARM},
	[PEV_FAULT_EVSE_INFORMATION_LOST] = {"evse_information_lost", PEV_ACT_SHUTDOWN, PEV_HOLD_SESSION},
	[PEV_FAULT_READINGS_STALE] = {"readings_stale", PEV_ACT_SHUTDOWN, PEV_HOLD_SESSION},
	[PEV_FAULT_BMS_STALE] = {"bms_stale", PEV_ACT_END, PEV_HOLD_SESSION},
	[PEV_FAULT_VOLTAGE_MISMATCH] = {"voltage_mismatch", PEV_ACT_SHOW, PEV_HOLD_NONE},
	[PEV_FAULT_VOLTAGE_DEVIATION] = {"voltage_deviation", PEV_ACT_SHUTDOWN, PEV_HOLD_SESSION},
	[PEV_FAULT_NOT_CLOSING] = {"not_closing", PEV_ACT_SHUTDOWN, PEV_HOLD_CLEAR},
	[PEV_FAULT_WELDED] = {"welded", PEV_ACT_SHUTDOWN, PEV_HOLD_CLEAR},
	[PEV_FAULT_OPENED_BY_ITSELF] = {"opened_by_itself", PEV_ACT_SHUTDOWN, PEV_HOLD_SESSION},
	[PEV_FAULT_OPENED_UNDER_LOAD] = {"opened_under_load", PEV_ACT_SHOW, PEV_HOLD_NONE},
	[PEV_FAULT_STATE_TIMEOUT] = {"state_timeout", PEV_ACT_SHUTDOWN, PEV_HOLD_SESSION},
	[PEV_FAULT_STOP_IGNORED] = {"stop_ignored", PEV_ACT_SHUTDOWN, PEV_HOLD_SESSION},
	[PEV_FAULT_HARDWARE] = {"hardware", PEV_ACT_SHUTDOWN, PEV_HOLD_SESSION},
	[PEV_FAULT_NOT_READY] = {"not_ready", PEV_ACT_SHUTDOWN, PEV_HOLD_SESSION},
	[PEV_FAULT_BUS_DOWN] = {"bus_down", PEV_ACT_SHUTDOWN, PEV_HOLD_SESSION},
	[PEV_FAULT_EMERGENCY] = {"emergency", PEV_ACT_URGENT, PEV_HOLD_CLEAR},
	[PEV_FAULT_CLOSE_REFUSED] = {"close_refused", PEV_ACT_SHOW, PEV_HOLD_NONE},
	[PEV_FAULT_GUARD] = {"guard", PEV_ACT_SHUTDOWN, PEV_HOLD_CLEAR},
};

static const enum pev_state by_stage[] = {
	PEV_ST_IDLE,	   PEV_ST_IDLE,	     PEV_ST_NEGOTIATING, PEV_ST_CONNECTED,
	PEV_ST_INSULATION, PEV_ST_PRECHARGE, PEV_ST_READY,	 PEV_ST_CHARGING,
	PEV_ST_ENDING,	   PEV_ST_WELDING,   PEV_ST_CLOSING,	 PEV_ST_PAUSED,
};

const struct pev_state_row *pev_state_row(enum pev_state state)
{
	return &states[state];
}

const struct pev_fault_row *pev_fault_row(enum pev_fault fault)
{
	return &faults[fault];
}

enum pev_state pev_state_of_stage(uint16_t stage)
{
	return stage < sizeof(by_stage) / sizeof(by_stage[0]) ? by_stage[stage] : PEV_ST_UNKNOWN;
}
