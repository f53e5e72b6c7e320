/* SPDX-License-Identifier: MIT */
/* From the session to the contactors: what is wanted, what was found, the driver's command. Pure. */
#include <string.h>

#include "pev-ctrl/pev_session.h"

struct pev_guard_facts pev_session_facts(const struct pev_session *s, int64_t now_us)
{
	const struct pev_state_row *row = pev_state_row(s->state);
	int32_t charger_mA = s->wire.module.information.max_current_mA;
	struct pev_guard_facts facts = {
		.now_us = now_us,
		.permit = pev_session_permit(s),
		.is_control_fresh = pev_session_is_control_fresh(s, now_us),
		.is_close_asked = pev_session_is_close_asked(s, now_us),
		.is_readings_fresh = pev_session_is_readings_fresh(s, now_us),
		.is_feedback_closed = pev_session_feedback(s, now_us) == 1,
		.is_held = pev_session_is_blocked(s),
		.is_ready = s->hw.is_hv_ready != 0,
		.battery_mV = s->hw.battery_mV,
		.inlet_mV = s->hw.inlet_mV,
		.match_limit_mV = s->conf.match_limit_mV,
		.may_request = row->may_request && pev_session_is_bms_fresh(s, now_us),
		.max_request_mA = fc_min_i32(s->conf.max_charge_current_mA, s->caps.i_charge_max_mA),
		.max_voltage_mV =
			s->conf.max_battery_voltage_mV ? s->conf.max_battery_voltage_mV : s->caps.v_max_mV,
	};

	if (charger_mA > 0)
		facts.max_request_mA = fc_min_i32(facts.max_request_mA, charger_mA);
	if (s->conf.is_bidirectional && facts.may_request)
		facts.max_discharge_mA =
			fc_min_i32(s->conf.max_discharge_current_mA, s->caps.i_discharge_max_mA);
	return facts;
}

static bool may_close_now(const struct pev_session *s, int64_t now_us)
{
	return s->hw.is_hv_ready && pev_session_is_readings_fresh(s, now_us) &&
	       s->hw.battery_mV > PEV_BATTERY_MIN_mV &&
	       pev_voltages_match(s->hw.inlet_mV, s->hw.battery_mV, s->conf.match_limit_mV);
}

static enum pev_contactor_want wanted(const struct pev_session *s, int64_t now_us)
{
	enum pev_permit permit = pev_session_permit(s);

	if (permit == PEV_PERMIT_OPEN_NOW || !pev_session_is_control_fresh(s, now_us))
		return PEV_WANT_OPEN_NOW;
	if (pev_session_is_blocked(s) || s->terminate_us != FC_NEVER || s->state == PEV_ST_SHUTDOWN)
		return PEV_WANT_OPEN;
	if (permit == PEV_PERMIT_OPEN || !pev_session_is_close_asked(s, now_us))
		return PEV_WANT_OPEN;
	if (permit == PEV_PERMIT_HOLD)
		return PEV_WANT_HOLD;
	if (s->contactors.state == PEV_K_OPEN && !may_close_now(s, now_us))
		return PEV_WANT_OPEN;
	return PEV_WANT_CLOSED;
}

static bool is_current_low(const struct pev_session *s, int64_t now_us)
{
	return pev_session_is_readings_fresh(s, now_us) &&
	       fc_abs_i32(s->hw.current_mA) <= s->conf.open_limit_mA;
}

static void report(struct pev_session *s, int64_t now_us, uint32_t events)
{
	/* Welding is a condition, seen by pev_supervise() in contactors.is_welded. */
	if (events & PEV_K_EV_NOT_CLOSING)
		pev_supervise_event(s, now_us, PEV_FAULT_NOT_CLOSING);
	if (events & PEV_K_EV_OPENED_BY_ITSELF)
		pev_supervise_event(s, now_us, PEV_FAULT_OPENED_BY_ITSELF);
	if (events & PEV_K_EV_FORCED)
		pev_supervise_event(s, now_us, PEV_FAULT_OPENED_UNDER_LOAD);
}

/* After a fault the row does not know whether the vehicle is still plugged in: the stage does. */
static enum vh_phase phase(const struct pev_session *s)
{
	if (s->state == PEV_ST_BLOCKED &&
	    (s->stage <= PEV_STAGE_WAITING_FOR_EVSE || s->stage == PEV_STAGE_NONE))
		return VH_PHASE_IDLE;
	return pev_state_row(s->state)->phase;
}

void pev_drive_send(struct pev_session *s, int64_t now_us, struct out_queue *out)
{
	const struct pev_state_row *row = pev_state_row(s->state);
	struct pev_guard_facts facts = pev_session_facts(s, now_us);
	struct vh_command *cmd = &s->command;

	memset(cmd, 0, sizeof(*cmd));
	cmd->size = sizeof(*cmd);
	cmd->is_closed = s->contactors.is_closed;
	cmd->is_urgent = !s->contactors.is_closed && s->contactors.is_urgent;
	cmd->is_in_session = row->is_session;
	cmd->i_request_mA = s->request.current_mA;
	cmd->clear_fault = s->clear_fault;
	cmd->valid_until_us = now_us + PEV_COMMAND_VALID_US;
	cmd->phase = (int32_t)phase(s);
	if (pev_guard_command(&s->guard, &facts, cmd, out))
		return;
	pev_contactors_refused(&s->contactors, now_us);
	pev_supervise_event(s, now_us, PEV_FAULT_GUARD);
}

void pev_drive(struct pev_session *s, int64_t now_us, struct out_queue *out)
{
	enum pev_contactor_state before = s->contactors.state;
	struct pev_contactor_input in = {
		.want = wanted(s, now_us),
		.feedback = pev_session_feedback(s, now_us),
		.is_current_low = is_current_low(s, now_us),
	};
	uint32_t events = pev_contactors_step(&s->contactors, now_us, &in);

	if (s->contactors.state != before) {
		log_f(&s->log, LOG_INF, "contactors %s -> %s inlet_mV=%d battery_mV=%d current_mA=%d",
		      pev_contactors_name(before), pev_contactors_name(s->contactors.state), s->hw.inlet_mV,
		      s->hw.battery_mV, s->hw.current_mA);
		if (s->contactors.state == PEV_K_CLOSED)
			s->record.n_closed++;
	}
	report(s, now_us, events);
	if (s->contactors.is_closed != (s->command.is_closed != 0) ||
	    (s->contactors.is_urgent && !s->contactors.is_closed && !s->command.is_urgent) ||
	    s->command.phase != (int32_t)phase(s))
		pev_drive_send(s, now_us, out);
}
