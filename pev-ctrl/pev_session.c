/* SPDX-License-Identifier: MIT */
/* One vehicle's sessions: states, events, operator's words. Pure. */
#include "pev-ctrl/pev_session.h"

#include <errno.h>
#include <string.h>

/* A state that raises a fault changes the state, which may raise another; each round moves on for good. */
#define MAX_ROUNDS 4

#define RX_EVSE_INFORMATION 0u
#define RX_DC_CONTROL	    2u

#define MS(member_ms) ((int64_t)(member_ms)*FC_US_PER_MS)

/* ---------------------------------------------------------------------------------------------- freshness */

static bool is_fresh(int64_t now_us, int64_t time_us, int32_t max_age_ms)
{
	/* A time in the future is no time: drivers say FC_NEVER for "not yet". */
	return time_us <= now_us && now_us - time_us <= MS(max_age_ms);
}

bool pev_session_is_control_fresh(const struct pev_session *s, int64_t now_us)
{
	return rx_watch_age_us(&s->control, now_us) < s->control.timeout_us;
}

static bool is_information_fresh(const struct pev_session *s, int64_t now_us)
{
	return rx_watch_age_us(&s->information, now_us) < s->information.timeout_us;
}

bool pev_session_is_readings_fresh(const struct pev_session *s, int64_t now_us)
{
	return s->has_hw && is_fresh(now_us, s->hw.t_vi_us, s->conf.measurement_max_age_ms);
}

bool pev_session_is_bms_fresh(const struct pev_session *s, int64_t now_us)
{
	return s->has_hw && is_fresh(now_us, s->hw.t_bms_us, s->conf.bms_max_age_ms);
}

int32_t pev_session_feedback(const struct pev_session *s, int64_t now_us)
{
	if (!s->has_hw || !is_fresh(now_us, s->hw.t_closed_us, s->conf.measurement_max_age_ms))
		return -1;
	return s->hw.is_closed == 0 || s->hw.is_closed == 1 ? s->hw.is_closed : -1;
}

bool pev_session_is_close_asked(const struct pev_session *s, int64_t now_us)
{
	return s->is_armed && s->wire.module.dc_control.close_contactors &&
	       pev_session_is_control_fresh(s, now_us);
}

enum pev_permit pev_session_permit(const struct pev_session *s)
{
	/* Whatever we are about, stages 0 to 4 want open contactors at once (P-15, P-20). */
	if (s->is_urgent || s->stage <= PEV_STAGE_INSULATION_TEST)
		return PEV_PERMIT_OPEN_NOW;
	return pev_state_row(s->state)->permit;
}

bool pev_session_is_blocked(const struct pev_session *s)
{
	return s->held || s->is_void;
}

/* ------------------------------------------------------------------------------------------------- states */

static void forget_session(struct pev_session *s, int64_t now_us)
{
	int64_t hold_us = MS(s->conf.request_hold_ms);

	pev_pulse_cancel(&s->end, now_us, hold_us);
	pev_pulse_cancel(&s->emergency, now_us, hold_us);
	pev_pulse_cancel(&s->pause, now_us, hold_us);
	pev_pulse_cancel(&s->resume, now_us, hold_us);
}

static void begin_session(struct pev_session *s)
{
	s->record.n_sessions++;
	s->record.energy_mJ = 0;
	s->record.peak_mA = 0;
	s->record.charging_us = FC_NEVER;
}

/* Profile 2.0-ex has no Emergency_Stop: a normal end is all that can be said there. */
static void request_emergency(struct pev_session *s)
{
	pev_pulse_start(s->wire.has_emergency_stop ? &s->emergency : &s->end);
}

static void enter_actions(struct pev_session *s, int64_t now_us, enum pev_state old)
{
	switch (s->state) {
	case PEV_ST_IDLE:
		forget_session(s, now_us);
		break;
	case PEV_ST_CHARGING:
		if (s->record.charging_us == FC_NEVER)
			s->record.charging_us = now_us;
		break;
	case PEV_ST_STOPPING:
		pev_pulse_start(&s->end);
		break;
	case PEV_ST_SHUTDOWN:
		if (pev_state_row(old)->is_session)
			request_emergency(s);
		break;
	case PEV_ST_OFFLINE:
	case PEV_ST_NEGOTIATING:
	case PEV_ST_CONNECTED:
	case PEV_ST_INSULATION:
	case PEV_ST_PRECHARGE:
	case PEV_ST_READY:
	case PEV_ST_ENDING:
	case PEV_ST_WELDING:
	case PEV_ST_CLOSING:
	case PEV_ST_PAUSED:
	case PEV_ST_UNKNOWN:
	case PEV_ST_BLOCKED:
	case PEV_ST_STOPPED:
	case PEV_N_STATES:
		break;
	}
}

void pev_session_enter(struct pev_session *s, int64_t now_us, enum pev_state state, const char *cause)
{
	const struct pev_state_row *row = pev_state_row(state);
	enum pev_state old = s->state;
	int32_t limit_ms = 0;

	if (row->limit_at)
		memcpy(&limit_ms, (const uint8_t *)&s->conf + row->limit_at, sizeof(limit_ms));
	s->state = state;
	s->since_us = now_us;
	s->due_us = row->limit_at ? deadline_after(now_us, MS(limit_ms)) : FC_NEVER;
	s->is_urgent = false;
	log_f(&s->log, LOG_NOTE, "state %s -> %s cause=%s stage=%d contactors=%s", pev_state_row(old)->name,
	      row->name, cause, s->stage == PEV_STAGE_NONE ? -1 : (int)s->stage,
	      pev_contactors_name(s->contactors.state));
	/* A resumed pause negotiates anew. Shutdown is no beginning, wherever it comes from. */
	if (state == PEV_ST_NEGOTIATING ||
	    (row->is_session && !pev_state_row(old)->is_session && state != PEV_ST_SHUTDOWN))
		begin_session(s);
	enter_actions(s, now_us, old);
}

/* Where our own stop ends: the module has taken it up, or the session is over. */
static bool ends_stopping(enum pev_state state)
{
	return state == PEV_ST_ENDING || state == PEV_ST_WELDING || state == PEV_ST_CLOSING ||
	       state == PEV_ST_PAUSED || state == PEV_ST_IDLE;
}

/* Pause has its name since 2.4; before, 11 is a number like any other (rule P-07). */
static enum pev_state state_of_stage(const struct pev_session *s, uint16_t stage)
{
	if (stage == PEV_STAGE_PAUSE && s->conf.protocol < PEV_V2_4)
		return PEV_ST_UNKNOWN;
	return pev_state_of_stage(stage);
}

static void follow_stage(struct pev_session *s, int64_t now_us)
{
	enum pev_state target = state_of_stage(s, s->stage);

	if (s->stage == PEV_STAGE_NONE || target == s->state)
		return;
	if (s->state == PEV_ST_SHUTDOWN || s->state == PEV_ST_BLOCKED || s->state == PEV_ST_STOPPED)
		return;
	if (s->state == PEV_ST_STOPPING && !ends_stopping(target))
		return;
	pev_session_enter(s, now_us, target, "stage");
}

/* A stage is entered; after a silence of the module also the old one anew. */
static void note_stage(struct pev_session *s, int64_t now_us, uint8_t stage)
{
	s->stage = stage;
	if (state_of_stage(s, stage) == PEV_ST_UNKNOWN)
		log_f(&s->log, LOG_WARN, "stage without a name stage=%u", stage);
	if (stage == PEV_STAGE_WAITING_FOR_EVSE || stage == PEV_STAGE_NEGOTIATING) {
		s->ev_status.is_forced = true;
		s->outputs.is_forced = true;
	}
	if (stage <= PEV_STAGE_WAITING_FOR_EVSE) {
		forget_session(s, now_us);
		s->is_void = false;
	}
	/* Normal_End_of_Charge is heard in stage 7 only: say it again. */
	if (stage == PEV_STAGE_CHARGING && s->state == PEV_ST_STOPPING)
		pev_pulse_start(&s->end);
	follow_stage(s, now_us);
}

/* ----------------------------------------------------------------------------------------------- progress */

static bool is_charging_over(const struct pev_session *s, int64_t now_us, const char **cause)
{
	if (s->hw.stop_request)
		*cause = "vehicle";
	else if (s->state != PEV_ST_CHARGING)
		return false;
	else if (s->conf.stop_soc_pct > 0 && s->hw.soc_permille >= s->conf.stop_soc_pct * 10)
		*cause = "stop_soc";
	else if (s->conf.stop_voltage_mV > 0 && s->hw.battery_mV >= s->conf.stop_voltage_mV)
		*cause = "stop_voltage";
	else if (s->conf.charge_duration_s > 0 && s->record.charging_us != FC_NEVER &&
		 now_us - s->record.charging_us >= (int64_t)s->conf.charge_duration_s * FC_US_PER_S)
		*cause = "charge_duration";
	else
		return false;
	return true;
}

static void progress_shutdown(struct pev_session *s, int64_t now_us)
{
	bool is_late = now_us >= s->due_us;

	if (s->terminate_us != FC_NEVER)
		return; /* its own end is near: progress_termination */
	if (s->contactors.state == PEV_K_OPEN || is_late)
		pev_session_enter(s, now_us, PEV_ST_BLOCKED, is_late ? "timeout" : "open");
}

static void progress_termination(struct pev_session *s, int64_t now_us)
{
	bool is_said = !pev_pulse_is_busy(&s->emergency) && !pev_pulse_is_busy(&s->end);

	if (s->state == PEV_ST_STOPPED || s->terminate_us == FC_NEVER)
		return;
	if (now_us >= s->terminate_us)
		pev_session_enter(s, now_us, PEV_ST_STOPPED, "timeout");
	else if (s->contactors.state == PEV_K_OPEN && is_said)
		pev_session_enter(s, now_us, PEV_ST_STOPPED, "open");
}

static void check_limit(struct pev_session *s, int64_t now_us)
{
	if (now_us < s->due_us || s->state == PEV_ST_SHUTDOWN)
		return;
	s->due_us = FC_NEVER;
	pev_supervise_event(s, now_us, pev_state_row(s->state)->on_timeout);
}

static void progress(struct pev_session *s, int64_t now_us)
{
	const char *cause = "";

	check_limit(s, now_us);
	switch (s->state) {
	case PEV_ST_PRECHARGE:
	case PEV_ST_READY:
	case PEV_ST_CHARGING:
	case PEV_ST_UNKNOWN:
		if (is_charging_over(s, now_us, &cause))
			pev_session_enter(s, now_us, PEV_ST_STOPPING, cause);
		break;
	case PEV_ST_IDLE:
	case PEV_ST_CLOSING:
	case PEV_ST_PAUSED:
		if (!is_information_fresh(s, now_us))
			pev_session_enter(s, now_us, PEV_ST_OFFLINE, "silence");
		break;
	case PEV_ST_SHUTDOWN:
		progress_shutdown(s, now_us);
		break;
	case PEV_ST_BLOCKED:
		/* follow_stage() cannot leave this state, so that it is left in one place only. */
		if (!pev_session_is_blocked(s) && s->terminate_us == FC_NEVER)
			pev_session_enter(s, now_us,
					  is_information_fresh(s, now_us) ? state_of_stage(s, s->stage)
									  : PEV_ST_OFFLINE,
					  "released");
		break;
	case PEV_ST_OFFLINE:
	case PEV_ST_NEGOTIATING:
	case PEV_ST_CONNECTED:
	case PEV_ST_INSULATION:
	case PEV_ST_STOPPING:
	case PEV_ST_ENDING:
	case PEV_ST_WELDING:
	case PEV_ST_STOPPED:
	case PEV_N_STATES:
		break;
	}
	progress_termination(s, now_us);
}

/* Everything that follows from an event, until nothing changes any more. */
static void settle(struct pev_session *s, int64_t now_us, struct out_queue *out)
{
	enum pev_contactor_state contactors;
	enum pev_state before;
	unsigned round = 0;

	do {
		before = s->state;
		contactors = s->contactors.state;
		pev_supervise_release(s, now_us);
		pev_supervise(s, now_us);
		progress(s, now_us);
		pev_drive(s, now_us, out);
	} while ((s->state != before || s->contactors.state != contactors) && ++round < MAX_ROUNDS);
	s->settled_us = now_us;
	if (s->state != PEV_ST_STOPPED)
		pev_send_changes(s, now_us, out);
	else /* comes here once: the last word, or the module would think the contactors closed */
		pev_send_cycle(s, now_us, out);
}

/* ------------------------------------------------------------------------------------------------- events */

static void init_times(struct pev_session *s, int64_t now_us)
{
	rx_watch_init(&s->information, MS(s->conf.evse_information_timeout_ms));
	rx_watch_init(&s->control, MS(s->conf.dc_control_timeout_ms));
	s->since_us = now_us;
	s->settled_us = INT64_MIN;
	s->due_us = FC_NEVER;
	s->hw_us = FC_NEVER;
	s->differ_since_us = FC_NEVER;
	s->forbidden_since_us = FC_NEVER;
	s->terminate_us = FC_NEVER;
	s->ev_status.repeat_us = FC_NEVER;
	s->outputs.repeat_us = FC_NEVER;
	s->record.charging_us = FC_NEVER;
	grid_start(&s->cycle, now_us, PEV_CYCLE_US);
}

int pev_session_init(struct pev_session *s, const struct pev_conf *conf, const struct vh_caps *caps,
		     const struct log_sink *sink, int64_t now_us, char *err, size_t err_size)
{
	int ret = pev_conf_check(conf, err, err_size);

	if (ret)
		return ret;
	memset(s, 0, sizeof(*s));
	s->conf = *conf;
	s->caps = *caps;
	log_init(&s->log, sink, "pev");
	ret = pev_wire_init(&s->wire, conf);
	if (ret)
		return ret;
	s->stage = PEV_STAGE_NONE;
	init_times(s, now_us);
	/* One cycle more than the wait itself: the guard is the net under the machine, not its clock. */
	pev_guard_init(&s->guard, MS(conf->open_wait_ms) + PEV_CYCLE_US);
	pev_contactors_init(&s->contactors, now_us, MS(conf->contactor_timeout_ms), MS(conf->open_wait_ms));
	pev_pulse_init(&s->end);
	pev_pulse_init(&s->emergency);
	pev_pulse_init(&s->pause);
	pev_pulse_init(&s->resume);
	/* P-06: a wrong profile means ten times the current; say which one it is. */
	log_f(&s->log, LOG_NOTE, "interface protocol=%s current_step_mA=%d extended=%d",
	      pev_wire_version_name(conf->protocol), s->wire.current_step_mA, conf->is_extended_forced != 0);
	if (!caps->has_feedback)
		log_f(&s->log, LOG_WARN, "driver has no contactor feedback: contactors will not be closed");
	return 0;
}

static void note_information(struct pev_session *s, int64_t now_us, bool is_new, struct out_queue *out)
{
	uint8_t stage = s->wire.module.information.communication_stage;
	bool was_fresh = is_information_fresh(s, now_us);

	rx_watch_seen(&s->information, now_us);
	if (!is_new && was_fresh)
		return;
	if (stage != s->stage || !was_fresh)
		note_stage(s, now_us, stage);
	settle(s, now_us, out);
}

static void note_control(struct pev_session *s, int64_t now_us, bool is_new, struct out_queue *out)
{
	bool was_fresh = pev_session_is_control_fresh(s, now_us);

	/* Whatever it said before the silence is void: Open must be seen first (P-12). */
	if (!was_fresh)
		s->is_armed = false;
	if (!s->wire.module.dc_control.close_contactors)
		s->is_armed = true;
	rx_watch_seen(&s->control, now_us);
	if (is_new || !was_fresh)
		settle(s, now_us, out);
}

static void note_bus(struct pev_session *s, int64_t now_us, bool is_down, struct out_queue *out)
{
	if (s->is_bus_down == is_down)
		return;
	s->is_bus_down = is_down;
	log_f(&s->log, LOG_WARN, "bus is %s", is_down ? "down" : "up");
	settle(s, now_us, out);
}

void pev_session_rx(struct pev_session *s, int64_t now_us, const struct can_frame *f, struct out_queue *out)
{
	struct pev_event ev;

	if (s->state == PEV_ST_STOPPED)
		return;
	ev = pev_wire_decode(&s->wire, f);
	switch (ev.kind) {
	case PEV_EV_NONE:
		break;
	case PEV_EV_SAME:
	case PEV_EV_NEW:
		if (s->is_bus_down)
			note_bus(s, now_us, false, out);
		if (ev.rx == RX_EVSE_INFORMATION)
			note_information(s, now_us, ev.kind == PEV_EV_NEW, out);
		else if (ev.rx == RX_DC_CONTROL)
			note_control(s, now_us, ev.kind == PEV_EV_NEW, out);
		break;
	case PEV_EV_BUS_DOWN:
		note_bus(s, now_us, true, out);
		break;
	case PEV_EV_BUS_UP:
		note_bus(s, now_us, false, out);
		break;
	}
}

/* W x us / 1000 is mJ. Current into the battery while the contactors are closed; gaps are left out. */
static void count_energy(struct pev_session *s, int64_t now_us, const struct vh_status *hw)
{
	int64_t dt_us = s->hw_us == FC_NEVER ? 0 : now_us - s->hw_us;

	s->hw_us = now_us;
	if (s->contactors.state != PEV_K_CLOSED || dt_us <= 0 || dt_us > FC_US_PER_S)
		return;
	s->record.energy_mJ += (int64_t)fc_power_W(hw->battery_mV, hw->current_mA) * dt_us / 1000;
	s->record.peak_mA = fc_max_i32(s->record.peak_mA, hw->current_mA);
}

void pev_session_input(struct pev_session *s, int64_t now_us, const struct vh_status *hw,
		       struct out_queue *out)
{
	if (s->state == PEV_ST_STOPPED)
		return;
	count_energy(s, now_us, hw);
	s->hw = *hw;
	s->has_hw = true;
	settle(s, now_us, out);
}

void pev_session_tick(struct pev_session *s, int64_t now_us, struct out_queue *out)
{
	if (s->state == PEV_ST_STOPPED)
		return;
	if (s->settled_us != now_us) /* else the readings just given did it */
		settle(s, now_us, out);
	if (s->state == PEV_ST_STOPPED || !grid_due(&s->cycle, now_us))
		return;
	pev_send_cycle(s, now_us, out);
	s->n_cycles++;
	pev_drive_send(s, now_us, out);
}

/* What has passed was dealt with; should it still stand, the grid comes back to it. */
static int64_t pending(const struct pev_session *s, int64_t due_us)
{
	return due_us > s->settled_us ? due_us : FC_NEVER;
}

int64_t pev_session_next_us(const struct pev_session *s)
{
	int64_t next = s->cycle.next_us;

	if (s->state == PEV_ST_STOPPED)
		return FC_NEVER;
	next = fc_min_i64(next, pending(s, s->due_us));
	next = fc_min_i64(next, pending(s, s->contactors.due_us));
	next = fc_min_i64(next, pending(s, s->terminate_us));
	next = fc_min_i64(next, pending(s, s->ev_status.repeat_us));
	next = fc_min_i64(next, pending(s, s->outputs.repeat_us));
	next = fc_min_i64(next, pending(s, rx_watch_due_us(&s->control)));
	return fc_min_i64(next, pending(s, rx_watch_due_us(&s->information)));
}

/* --------------------------------------------------------------------------------------- operator's words */

int pev_session_request_end(struct pev_session *s, int64_t now_us, struct out_queue *out)
{
	enum pev_state state = s->state;

	if (!pev_state_row(state)->may_request || !pev_state_row(state)->is_session)
		return -EBUSY;
	pev_session_enter(s, now_us, PEV_ST_STOPPING, "command");
	settle(s, now_us, out);
	return 0;
}

int pev_session_request_emergency(struct pev_session *s, int64_t now_us, struct out_queue *out)
{
	if (s->state == PEV_ST_STOPPED)
		return -EBUSY;
	pev_supervise_event(s, now_us, PEV_FAULT_EMERGENCY);
	settle(s, now_us, out);
	return 0;
}

int pev_session_request_pause(struct pev_session *s, int64_t now_us, struct out_queue *out)
{
	if (s->wire.version < PEV_V2_4)
		return -ENOTSUP;
	if (s->state != PEV_ST_CHARGING)
		return -EBUSY;
	pev_pulse_start(&s->pause);
	settle(s, now_us, out);
	return 0;
}

int pev_session_request_resume(struct pev_session *s, int64_t now_us, struct out_queue *out)
{
	if (s->wire.version < PEV_V2_4)
		return -ENOTSUP;
	if (s->state != PEV_ST_PAUSED && (s->state != PEV_ST_CLOSING || s->wire.version < PEV_V2_5))
		return -EBUSY;
	pev_pulse_start(&s->resume);
	settle(s, now_us, out);
	return 0;
}

int pev_session_clear_faults(struct pev_session *s, int64_t now_us, struct out_queue *out)
{
	uint32_t before = s->held;
	unsigned i;
	bool is_clear = fault_clear(&s->faults);

	for (i = 1; i < PEV_N_FAULTS; i++) {
		uint32_t bit = UINT32_C(1) << i;

		if (pev_fault_row((enum pev_fault)i)->hold == PEV_HOLD_CLEAR && !(s->faults.present & bit))
			s->held &= ~bit;
	}
	/* A word of the operator must not close contactors in the same moment: too late for this session. */
	if (s->held != before && s->stage > PEV_STAGE_CONNECTED && s->stage != PEV_STAGE_NONE)
		s->is_void = true;
	s->clear_fault++;
	log_f(&s->log, LOG_NOTE, "faults cleared present=0x%x held=0x%x", s->faults.present, s->held);
	settle(s, now_us, out);
	pev_drive_send(s, now_us, out);
	return is_clear ? 0 : -EBUSY;
}

void pev_session_reconfigured(struct pev_session *s, int64_t now_us, struct out_queue *out)
{
	if (s->state != PEV_ST_STOPPED)
		settle(s, now_us, out);
}

void pev_session_stop(struct pev_session *s, int64_t now_us, struct out_queue *out)
{
	if (s->state == PEV_ST_STOPPED || s->terminate_us != FC_NEVER)
		return;
	s->terminate_us = now_us + PEV_TERMINATE_US;
	if (pev_state_row(s->state)->is_session && s->state != PEV_ST_SHUTDOWN)
		pev_session_enter(s, now_us, PEV_ST_SHUTDOWN, "terminated");
	settle(s, now_us, out);
}

bool pev_session_is_stopped(const struct pev_session *s)
{
	return s->state == PEV_ST_STOPPED;
}
