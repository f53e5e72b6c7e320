/* SPDX-License-Identifier: MIT */
/*
 * Supervision: conditions become faults, faults take their action by their row, holds are released. Pure.
 * Sources: pev-v2.md section 5, rules P-11, P-12, P-25, P-26, P-32 and the driver contract of vehicle_hw.h.
 */
#include "pev-ctrl/pev_session.h"

/* A close command may overlap a change of stage by a few frames; longer is worth showing. */
#define FORBIDDEN_US (5 * PEV_CYCLE_US)

static uint32_t bit_of(enum pev_fault fault)
{
	return UINT32_C(1) << fault;
}

static void start_shutdown(struct pev_session *s, int64_t now_us, enum pev_fault fault)
{
	if (s->state != PEV_ST_SHUTDOWN && s->state != PEV_ST_BLOCKED && s->state != PEV_ST_STOPPED)
		pev_session_enter(s, now_us, PEV_ST_SHUTDOWN, pev_fault_row(fault)->name);
}

static void act(struct pev_session *s, int64_t now_us, enum pev_fault fault)
{
	switch (pev_fault_row(fault)->action) {
	case PEV_ACT_SHOW:
		break;
	case PEV_ACT_END:
		if (pev_state_row(s->state)->permit == PEV_PERMIT_CLOSE)
			pev_session_enter(s, now_us, PEV_ST_STOPPING, pev_fault_row(fault)->name);
		break;
	case PEV_ACT_SHUTDOWN:
		start_shutdown(s, now_us, fault);
		break;
	case PEV_ACT_URGENT:
		start_shutdown(s, now_us, fault);
		s->is_urgent = true;
		break;
	}
}

static void raise_fault(struct pev_session *s, int64_t now_us, enum pev_fault fault)
{
	bool was_present = (s->faults.present & bit_of(fault)) != 0;

	fault_raise(&s->faults, fault);
	if (was_present)
		return;
	log_f(&s->log, LOG_WARN, "fault %d %s state=%s stage=%u battery_mV=%d inlet_mV=%d current_mA=%d",
	      fault, pev_fault_row(fault)->name, pev_state_row(s->state)->name, s->stage, s->hw.battery_mV,
	      s->hw.inlet_mV, s->hw.current_mA);
	if (pev_fault_row(fault)->hold != PEV_HOLD_NONE)
		s->held |= bit_of(fault);
	if (pev_fault_row(fault)->hold == PEV_HOLD_CLEAR && pev_state_row(s->state)->is_session)
		s->is_void = true;
	act(s, now_us, fault);
}

void pev_supervise_event(struct pev_session *s, int64_t now_us, enum pev_fault fault)
{
	raise_fault(s, now_us, fault);
	fault_lower(&s->faults, fault);
}

/* A fault that lasts as long as its condition. */
static void watch(struct pev_session *s, int64_t now_us, enum pev_fault fault, bool is_present)
{
	if (is_present)
		raise_fault(s, now_us, fault);
	else if (s->faults.present & bit_of(fault)) {
		fault_lower(&s->faults, fault);
		log_f(&s->log, LOG_INF, "fault %d %s is gone", fault, pev_fault_row(fault)->name);
	}
}

/* True when a condition has lasted for the time; keeps its start in *since_us. */
static bool has_lasted(int64_t *since_us, bool is_now, int64_t now_us, int64_t time_us)
{
	if (!is_now) {
		*since_us = FC_NEVER;
		return false;
	}
	if (*since_us == FC_NEVER)
		*since_us = now_us;
	return now_us - *since_us >= time_us;
}

/* What must be fresh now: by the state, and as long as contactors are commanded closed. */
static uint32_t needs_now(const struct pev_session *s)
{
	uint32_t needs = pev_state_row(s->state)->needs;

	if (s->contactors.is_closed)
		needs |= PEV_NEED_CONTROL | PEV_NEED_READINGS;
	return needs;
}

static void supervise_silence(struct pev_session *s, int64_t now_us, uint32_t needs)
{
	if (needs & PEV_NEED_CONTROL)
		rx_watch_arm(&s->control, now_us);
	else
		rx_watch_disarm(&s->control);
	if (needs & PEV_NEED_INFORMATION)
		rx_watch_arm(&s->information, now_us);
	else
		rx_watch_disarm(&s->information);
	watch(s, now_us, PEV_FAULT_DC_CONTROL_LOST, rx_watch_is_lost(&s->control, now_us));
	watch(s, now_us, PEV_FAULT_EVSE_INFORMATION_LOST, rx_watch_is_lost(&s->information, now_us));
	watch(s, now_us, PEV_FAULT_BUS_DOWN, s->is_bus_down && s->contactors.is_closed);
}

static void supervise_voltages(struct pev_session *s, int64_t now_us)
{
	bool is_fresh = pev_session_is_readings_fresh(s, now_us);
	bool is_match = pev_voltages_match(s->hw.inlet_mV, s->hw.battery_mV, s->conf.match_limit_mV);
	enum pev_permit permit = pev_session_permit(s);
	bool is_asked = pev_session_is_close_asked(s, now_us);
	bool is_apart = is_fresh && !is_match && s->contactors.state == PEV_K_CLOSED;

	watch(s, now_us, PEV_FAULT_VOLTAGE_MISMATCH,
	      permit == PEV_PERMIT_CLOSE && is_asked && is_fresh && !is_match &&
		      s->contactors.state == PEV_K_OPEN);
	watch(s, now_us, PEV_FAULT_VOLTAGE_DEVIATION,
	      has_lasted(&s->differ_since_us, is_apart, now_us,
			 (int64_t)s->conf.deviation_ms * FC_US_PER_MS));
	watch(s, now_us, PEV_FAULT_CLOSE_REFUSED,
	      has_lasted(&s->forbidden_since_us,
			 is_asked && permit < PEV_PERMIT_HOLD && s->state != PEV_ST_BLOCKED, now_us,
			 FORBIDDEN_US));
}

static bool is_about_to_charge(enum pev_state state)
{
	return state == PEV_ST_PRECHARGE || state == PEV_ST_READY || state == PEV_ST_CHARGING;
}

static void supervise_hardware(struct pev_session *s, int64_t now_us, uint32_t needs)
{
	bool is_stale = !pev_session_is_readings_fresh(s, now_us) || pev_session_feedback(s, now_us) < 0;
	bool is_silent = !pev_session_is_bms_fresh(s, now_us);

	watch(s, now_us, PEV_FAULT_READINGS_STALE, (needs & PEV_NEED_READINGS) && is_stale);
	watch(s, now_us, PEV_FAULT_BMS_STALE, (needs & PEV_NEED_BMS) && is_silent);
	if (!s->has_hw)
		return;
	watch(s, now_us, PEV_FAULT_HARDWARE, s->hw.faults_stop != 0);
	watch(s, now_us, PEV_FAULT_NOT_READY, is_about_to_charge(s->state) && !s->hw.is_hv_ready);
	watch(s, now_us, PEV_FAULT_WELDED,
	      s->contactors.is_welded || (s->hw.faults & VH_FAULT_CONTACTOR_WELDED) != 0);
}

void pev_supervise(struct pev_session *s, int64_t now_us)
{
	uint32_t needs;

	if (s->state == PEV_ST_STOPPED)
		return;
	needs = needs_now(s);
	supervise_silence(s, now_us, needs);
	supervise_voltages(s, now_us);
	supervise_hardware(s, now_us, needs);
}

static bool is_released(const struct pev_session *s, int64_t now_us, enum pev_fault_hold hold)
{
	switch (hold) {
	case PEV_HOLD_NONE:
		return true;
	case PEV_HOLD_REARM:
		return s->is_armed && pev_session_is_control_fresh(s, now_us);
	case PEV_HOLD_SESSION:
		return s->stage <= PEV_STAGE_WAITING_FOR_EVSE;
	case PEV_HOLD_CLEAR:
		return false; /* pev_session_clear_faults() */
	}
	return false;
}

void pev_supervise_release(struct pev_session *s, int64_t now_us)
{
	unsigned i;

	if (!s->held)
		return;
	for (i = 1; i < PEV_N_FAULTS; i++) {
		uint32_t bit = UINT32_C(1) << i;

		if ((s->held & bit) && !(s->faults.present & bit) &&
		    is_released(s, now_us, pev_fault_row((enum pev_fault)i)->hold))
			s->held &= ~bit;
	}
}
