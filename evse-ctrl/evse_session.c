/* SPDX-License-Identifier: MIT */
/* State machine of one charge point. Pure. Facts of the states are in evse_states.c. */
#include "evse-ctrl/evse_session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CYCLE_US	  (100 * (int64_t)FC_US_PER_MS) /* Power_Modules_Status, evse-v3.md section 5 */
#define SEQUENCE_US	  (1 * (int64_t)FC_US_PER_S)	/* refresh of Sequence_Control, section 2 */
#define URGENT_FORCE_US	  (90 * (int64_t)FC_US_PER_MS)	/* contactors within 100 ms in an emergency, E-76 */
#define N_FINAL_STATUS	  3				/* status frames with System_Enable 0, E-87 */
#define INSULATION_AGE_US (1 * (int64_t)FC_US_PER_S)	/* a reading older than this is no reading, E-41 */

static int64_t ms(int32_t value_ms)
{
	return (int64_t)value_ms * FC_US_PER_MS;
}

int evse_session_init(struct evse_session *s, const struct evse_conf *conf, unsigned index,
		      const struct log_sink *sink, int64_t now_us)
{
	char prefix[16];
	int err;

	memset(s, 0, sizeof(*s));
	err = evse_wire_init(&s->wire, (enum evse_version)conf->protocol, index);
	if (err)
		return err;
	s->conf = *conf;
	snprintf(prefix, sizeof(prefix), "evse.%u", index);
	log_init(&s->log, sink, prefix);
	evse_guard_init(&s->guard, (unsigned)conf->protocol, index);
	s->state = EVSE_ST_NO_MODULE;
	s->state_since_us = now_us;
	s->module_state = EVSE_MS_NONE;
	rx_watch_init(&s->status_watch, ms(conf->module_timeout_ms));
	rx_watch_init(&s->emergency_watch, ms(conf->emergency_clear_ms));
	s->power_us = FC_NEVER;
	s->rearm_us = now_us;
	s->over_until_us = FC_NEVER;
	s->open_force_us = FC_NEVER;
	s->is_start_allowed = conf->is_start_allowed != 0;
	s->flags = s->is_start_allowed ? EVSE_FLAG_START : 0;
	s->flags_sent = s->flags;
	s->auth_us = s->parameters_us = s->charge_end_us = s->user_stop_end_us = FC_NEVER;
	grid_start(&s->cycle, now_us, CYCLE_US);
	grid_start(&s->sequence_cycle, now_us + SEQUENCE_US, SEQUENCE_US);
	s->parameters_next_us = now_us;
	s->parameters_last_us = FC_NEVER;
	s->record.finished = 255;
	log_f(&s->log, LOG_NOTE, "start: protocol=%s index=%u", evse_version_names[conf->protocol], index);
	return 0;
}

const char *evse_cause_name(enum evse_cause cause)
{
	static const char *const names[EVSE_N_CAUSES] = {
		[EVSE_CAUSE_NONE] = "none",
		[EVSE_CAUSE_VEHICLE] = "vehicle_stop",
		[EVSE_CAUSE_USER_STOP] = "user_stop",
		[EVSE_CAUSE_MODULE_LOST] = "module_lost",
		[EVSE_CAUSE_EMERGENCY] = "emergency_stop",
		[EVSE_CAUSE_FAULT] = "fault",
		[EVSE_CAUSE_MODULE_END] = "module_end",
		[EVSE_CAUSE_REFUSED] = "authorisation_refused",
		[EVSE_CAUSE_TERMINATED] = "terminated",
	};

	return cause < EVSE_N_CAUSES ? names[cause] : "unknown";
}

void evse_session_enter(struct evse_session *s, int64_t now_us, enum evse_state state, const char *why)
{
	if (state == s->state)
		return;
	log_f(&s->log, LOG_NOTE, "%s -> %s: %s module_state=%u v_mV=%d i_mA=%d",
	      evse_state_row(s->state)->name, evse_state_row(state)->name, why, s->module_state,
	      s->in.status.v_mV, s->in.status.i_mA);
	s->state = state;
	s->state_since_us = now_us;
}

bool evse_session_is_reading_fresh(const struct evse_session *s, int64_t now_us)
{
	return s->has_input && now_us - s->in.status.t_vi_us <= ms(s->conf.measurement_timeout_ms);
}

bool evse_session_is_enabled(const struct evse_session *s)
{
	if (!s->is_open || s->is_terminating || s->faults.latched || !s->has_input || !s->in.status.is_ready)
		return false;
	/* Never 1 yet in this session: the module waits, as for power modules that wake up. */
	if (s->site.is_holding)
		return false;
	if (s->state == EVSE_ST_SHUTDOWN)
		return s->shutdown.cause == EVSE_CAUSE_MODULE_LOST ||
		       s->shutdown.cause == EVSE_CAUSE_EMERGENCY;
	return s->state != EVSE_ST_FAULT && s->state != EVSE_ST_STOPPED;
}

void evse_session_send_status(struct evse_session *s, struct out_queue *out)
{
	const struct pm_status *st = &s->in.status;
	struct evse_status_out o = {
		.temp_hot_mdegC = PM_TEMP_NONE,
		.temp_inlet_mdegC = PM_TEMP_NONE,
	};
	struct can_frame f;

	if (s->has_input) {
		o.v_mV = st->v_mV;
		o.i_mA = st->i_mA;
		o.temp_hot_mdegC = st->temp_hot_mdegC;
		o.temp_inlet_mdegC = st->temp_inlet_mdegC;
		/* Not measured or stale is reported as 0, never as a good value (rule E-41). */
		if (st->insulation_valid && s->input_us - st->t_iso_us <= INSULATION_AGE_US)
			o.insulation_ohm = st->insulation_ohm;
	}
	o.is_enabled = evse_session_is_enabled(s);
	if (o.is_enabled != s->is_enabled_sent)
		log_f(&s->log, LOG_INF, "System_Enable=%d", o.is_enabled);
	s->is_enabled_sent = o.is_enabled;
	if (o.is_enabled)
		s->was_ready = true;
	if (s->n_final > 0 && !o.is_enabled)
		s->n_final--;
	if (!s->conf.is_status_sent)
		return;
	evse_wire_status(&s->wire, &o, &f);
	evse_guard_frame(&s->guard, &f, out);
}

/* --- shutdown and faults --------------------------------------------------------------------------------- */

static bool has_power(const struct evse_session *s)
{
	return s->sp.mode == PM_INSULATION_TEST || s->sp.mode == PM_PRECHARGE || s->sp.mode == PM_TRANSFER ||
	       s->sp.is_closed || s->in.status.is_closed;
}

void evse_session_shutdown(struct evse_session *s, int64_t now_us, enum evse_cause cause,
			   enum evse_state next, bool is_urgent, struct out_queue *out)
{
	struct evse_shutdown *d = &s->shutdown;

	if (s->state == EVSE_ST_SHUTDOWN && (d->is_urgent || !is_urgent)) {
		if (next == EVSE_ST_FAULT || next == EVSE_ST_STOPPED)
			d->next = next;
		return;
	}
	d->cause = cause;
	d->next = next;
	d->is_urgent = is_urgent;
	d->force_us = now_us + (is_urgent ? URGENT_FORCE_US : ms(s->conf.stop_timeout_ms));
	d->confirm_us = FC_NEVER;
	s->open_force_us = FC_NEVER;
	if (s->record.cause == EVSE_CAUSE_NONE && s->is_open)
		s->record.cause = cause;
	evse_session_enter(s, now_us, EVSE_ST_SHUTDOWN, evse_cause_name(cause));
	evse_power_update(s, now_us, true, out);
	evse_power_shutdown_step(s, now_us, out);
}

void evse_session_fault(struct evse_session *s, int64_t now_us, enum evse_fault fault, struct out_queue *out)
{
	if (!fault_raise(&s->faults, fault))
		return;
	log_f(&s->log, LOG_ERR_LEVEL,
	      "fault %u %s: state=%s v_mV=%d i_mA=%d driver_faults=0x%x vendor_code=%u", (unsigned)fault,
	      evse_fault_name(fault), evse_state_row(s->state)->name, s->in.status.v_mV, s->in.status.i_mA,
	      s->in.status.faults, s->in.status.vendor_code);
	if (s->state == EVSE_ST_FAULT || s->state == EVSE_ST_STOPPED)
		return;
	/* Local power off first; the next status carries System_Enable 0 (rule E-86). */
	evse_session_shutdown(s, now_us, EVSE_CAUSE_FAULT, EVSE_ST_FAULT, true, out);
}

static bool is_module_heard(const struct evse_session *s)
{
	return s->status_watch.last_us != FC_NEVER && !s->is_status_lost;
}

int evse_session_clear_faults(struct evse_session *s, int64_t now_us, struct out_queue *out)
{
	bool is_clear;

	if (s->state == EVSE_ST_SHUTDOWN)
		return -EBUSY;
	is_clear = fault_clear(&s->faults);
	s->sp.clear_fault++;
	if (is_clear && s->state == EVSE_ST_FAULT)
		evse_session_enter(s, now_us,
				   s->is_open		? EVSE_ST_BLOCKED
				   : is_module_heard(s) ? EVSE_ST_IDLE
							: EVSE_ST_NO_MODULE,
				   "faults cleared");
	evse_power_update(s, now_us, true, out);
	return is_clear ? 0 : -EBUSY;
}

/* --- session begin and end ------------------------------------------------------------------------------- */

static void open_session(struct evse_session *s, int64_t now_us, struct out_queue *out)
{
	uint32_t n = s->record.n_sessions;

	if (s->is_open || s->has_ended || s->is_terminating)
		return;
	s->is_open = true;
	s->was_ready = false;
	s->power_us = FC_NEVER;
	memset(&s->record, 0, sizeof(s->record));
	s->record.n_sessions = n + 1;
	s->record.start_us = now_us;
	s->record.finished = 255;
	log_f(&s->log, LOG_NOTE, "session %u opened: protocol=%u pins=%u", n + 1, s->wire.vehicle.protocol,
	      s->wire.vehicle.pins);
	evse_seq_session_opened(s, now_us);
	if (s->state == EVSE_ST_IDLE || s->state == EVSE_ST_CLOSING || s->state == EVSE_ST_NO_MODULE)
		evse_session_enter(s, now_us, EVSE_ST_SESSION, "New_Charge_Session");
	evse_power_update(s, now_us, false, out);
}

static enum evse_cause cause_of_end(const struct evse_session *s)
{
	if (s->record.cause != EVSE_CAUSE_NONE)
		return s->record.cause;
	if ((s->flags & EVSE_FLAG_AUTH_DONE) && !(s->flags & EVSE_FLAG_AUTH_VALID))
		return EVSE_CAUSE_REFUSED;
	return s->record.peak_mA != 0 ? EVSE_CAUSE_VEHICLE : EVSE_CAUSE_MODULE_END;
}

/* Charge_Session_Finished or state 10, in either order: no power, data of the session forgotten (E-81). */
static void end_session(struct evse_session *s, int64_t now_us, enum evse_state after, struct out_queue *out)
{
	if (s->is_open) {
		s->record.cause = cause_of_end(s);
		s->record.end_us = now_us;
		log_f(&s->log, LOG_NOTE,
		      "session %u ended: cause=%s energy_Wh=%lld peak_mA=%d duration_ms=%lld",
		      s->record.n_sessions, evse_cause_name(s->record.cause),
		      (long long)(s->record.energy_mJ / 3600000), s->record.peak_mA,
		      (long long)((now_us - s->record.start_us) / 1000));
	}
	s->is_open = false;
	s->has_ocpp_target = false;
	evse_seq_session_ended(s, out);
	if (s->state == EVSE_ST_SHUTDOWN) {
		if (s->shutdown.next == EVSE_ST_BLOCKED)
			s->shutdown.next = after;
	} else if (s->state != EVSE_ST_FAULT && s->state != EVSE_ST_STOPPED &&
		   s->state != EVSE_ST_NO_MODULE) {
		if (has_power(s) && evse_state_row(s->state)->is_session)
			evse_session_shutdown(s, now_us, cause_of_end(s), after, false, out);
		else
			evse_session_enter(s, now_us, after, "session over");
	}
	evse_power_update(s, now_us, false, out);
}

/* --- events ---------------------------------------------------------------------------------------------- */

/* Commands count only in a session, from a module that is heard, and newer than what stopped power before. */
static bool may_accept_power(const struct evse_session *s, int64_t now_us)
{
	return s->is_open && !s->is_terminating && s->status_watch.last_us != FC_NEVER &&
	       !s->is_status_lost && !s->is_emergency && !s->faults.latched && now_us > s->rearm_us &&
	       s->state != EVSE_ST_SHUTDOWN && s->state != EVSE_ST_FAULT && s->state != EVSE_ST_STOPPED;
}

static void on_power_control(struct evse_session *s, int64_t now_us, const struct evse_event *ev,
			     struct out_queue *out)
{
	if (s->state != EVSE_ST_CLOSING && !may_accept_power(s, now_us))
		return;
	if (ev->power.function == EVSE_FN_UNKNOWN && s->power.function != EVSE_FN_UNKNOWN)
		log_f(&s->log, LOG_WARN, "Power_Function unknown: treated as Standby state=%s",
		      evse_state_row(s->state)->name);
	s->power = ev->power;
	s->power_us = now_us;
	if (s->state != EVSE_ST_CLOSING)
		evse_session_enter(s, now_us, evse_power_state(s, &s->power), "DC_Power_Control");
	evse_power_update(s, now_us, false, out);
}

static void leave_no_module(struct evse_session *s, int64_t now_us)
{
	if (s->state == EVSE_ST_NO_MODULE)
		evse_session_enter(s, now_us, EVSE_ST_IDLE, "module is heard");
}

static void on_module_state(struct evse_session *s, int64_t now_us, uint8_t state, struct out_queue *out)
{
	log_f(&s->log, LOG_INF, "module state %u -> %u %s", s->module_state, state,
	      evse_wire_state_name(&s->wire, state) ? evse_wire_state_name(&s->wire, state) : "(no name)");
	s->module_state = state;
	switch (state) {
	case EVSE_MS_INITIALISING:
	case EVSE_MS_WAITING_FOR_PEV:
	case EVSE_MS_NEGOTIATING:
	case EVSE_MS_NOT_AVAILABLE:
		/* The module is before a session: whatever ran here is over. */
		if (s->is_open || evse_state_row(s->state)->is_session || s->state == EVSE_ST_CLOSING)
			end_session(s, now_us, EVSE_ST_IDLE, out);
		s->has_ended = false;
		evse_wire_forget_vehicle(&s->wire);
		if (s->state == EVSE_ST_FAULT && !s->is_open && s->faults.present == 0)
			evse_session_clear_faults(s, now_us, out);
		break;
	case EVSE_MS_CLOSING:
		if (s->is_open)
			end_session(s, now_us, EVSE_ST_CLOSING, out);
		s->has_ended = true;
		break;
	case EVSE_MS_CONNECTED:
		s->has_ended = false;
		break;
	default:
		break;
	}
	evse_seq_module_state(s, now_us, state, out);
}

static void on_status(struct evse_session *s, int64_t now_us, const struct evse_event *ev,
		      struct out_queue *out)
{
	int64_t gap_us = rx_watch_age_us(&s->status_watch, now_us);

	if (gap_us != FC_NEVER && gap_us > s->record.max_status_gap_us && s->is_open)
		s->record.max_status_gap_us = gap_us;
	rx_watch_seen(&s->status_watch, now_us);
	rx_watch_arm(&s->status_watch, now_us);
	if (s->is_status_lost) {
		s->is_status_lost = false;
		s->rearm_us = now_us; /* only a command newer than this counts (rule E-13) */
		log_f(&s->log, LOG_NOTE, "module is heard again: gap_ms=%lld", (long long)(gap_us / 1000));
	}
	leave_no_module(s, now_us);
	if (ev->number != s->module_state)
		on_module_state(s, now_us, ev->number, out);
}

static void on_emergency(struct evse_session *s, int64_t now_us, const struct evse_event *ev,
			 struct out_queue *out)
{
	bool is_new = !s->is_emergency;

	rx_watch_seen(&s->emergency_watch, now_us);
	rx_watch_arm(&s->emergency_watch, now_us);
	s->is_emergency = true;
	s->emergency_origin = ev->number;
	if (!is_new)
		return;
	log_f(&s->log, LOG_ERR_LEVEL, "Emergency_Stop: origin=%s state=%s", ev->number == 3 ? "PEV" : "EVSE",
	      evse_state_row(s->state)->name);
	if (evse_state_row(s->state)->is_session)
		evse_session_shutdown(s, now_us, EVSE_CAUSE_EMERGENCY,
				      s->is_open ? EVSE_ST_BLOCKED : EVSE_ST_IDLE, true, out);
}

static void on_bus_error(struct evse_session *s, int64_t now_us, const struct can_frame *f,
			 struct out_queue *out)
{
	/* Bus-off or interface down: the peer counts as silent at once (rule E-88). */
	if (!(f->can_id & CAN_ERR_FLAG) || !(f->can_id & 0x40u /* CAN_ERR_BUSOFF */))
		return;
	if (s->status_watch.last_us == FC_NEVER || s->is_status_lost)
		return;
	log_f(&s->log, LOG_ERR_LEVEL, "bus off: module counts as silent");
	s->status_watch.armed_us = now_us - s->status_watch.timeout_us;
	s->status_watch.last_us = now_us - s->status_watch.timeout_us;
	evse_session_tick(s, now_us, out);
}

static void on_event(struct evse_session *s, int64_t now_us, const struct evse_event *ev,
		     struct out_queue *out)
{
	switch (ev->kind) {
	case EVSE_EV_STATUS:
		on_status(s, now_us, ev, out);
		break;
	case EVSE_EV_NEW_SESSION:
		open_session(s, now_us, out);
		break;
	case EVSE_EV_POWER_CONTROL:
		on_power_control(s, now_us, ev, out);
		break;
	case EVSE_EV_SESSION_FINISHED:
		s->record.finished = ev->number;
		if (s->is_open) {
			s->has_ended = true;
			end_session(s, now_us, EVSE_ST_CLOSING, out);
		}
		break;
	case EVSE_EV_EMERGENCY:
		on_emergency(s, now_us, ev, out);
		break;
	case EVSE_EV_OCPP:
		s->ocpp_target_mA = ev->ocpp_target_mA;
		s->has_ocpp_target = true;
		evse_power_update(s, now_us, false, out);
		break;
	case EVSE_EV_STATUS_CHANGE:
	case EVSE_EV_VEHICLE_INFO:
	case EVSE_EV_NONE:
		break;
	}
}

void evse_session_rx(struct evse_session *s, int64_t now_us, const struct can_frame *f, struct out_queue *out)
{
	enum evse_state before = s->state;
	struct evse_event ev;

	if (s->site.bus == 0 && evse_site_rx(s, now_us, f, out))
		return;
	if (f->can_id & CAN_ERR_FLAG)
		on_bus_error(s, now_us, f, out);
	evse_wire_decode(&s->wire, f, &ev);
	on_event(s, now_us, &ev, out);
	if (s->state != before) /* the power stack never lags behind the state */
		evse_power_update(s, now_us, false, out);
}

static void keep_record(struct evse_session *s, int64_t now_us, const struct pm_status *st)
{
	int64_t dt_us = now_us - s->input_us;

	if (!s->is_open || !s->has_input || dt_us <= 0 || dt_us > FC_US_PER_S)
		return;
	/* mV x mA = uW; uW x us = 1e-12 J: kept in mJ after the division by 1e9. */
	s->record.energy_mJ += (int64_t)st->v_mV * st->i_mA / 1000 * dt_us / 1000000;
	if (s->sp.mode == PM_TRANSFER && fc_abs_i32(st->i_mA) > fc_abs_i32(s->record.peak_mA))
		s->record.peak_mA = st->i_mA;
}

void evse_session_input(struct evse_session *s, int64_t now_us, const struct evse_input *in,
			struct out_queue *out)
{
	bool was_enabled = s->is_enabled_sent;

	keep_record(s, now_us, &in->status);
	s->in = *in;
	s->has_input = true;
	s->input_us = now_us;
	evse_power_supervise(s, now_us, out);
	evse_power_shutdown_step(s, now_us, out);
	if (s->open_force_us != FC_NEVER)
		evse_power_update(s, now_us, false, out);
	/* Readiness and the end of power are told at once, not only on the grid. */
	if (s->is_zero_pending && fc_abs_i32(in->status.i_mA) < 100) {
		s->is_zero_pending = false;
		if (s->conf.is_status_sent_on_stop)
			evse_session_send_status(s, out);
	} else if (was_enabled && !evse_session_is_enabled(s) && s->is_open &&
		   s->conf.is_status_sent_on_stop) {
		evse_session_send_status(s, out);
	}
}

/* --- time ------------------------------------------------------------------------------------------------ */

static void check_module(struct evse_session *s, int64_t now_us, struct out_queue *out)
{
	if (s->is_status_lost || !rx_watch_is_lost(&s->status_watch, now_us))
		return;
	s->is_status_lost = true;
	rx_watch_disarm(&s->status_watch);
	log_f(&s->log, LOG_ERR_LEVEL, "module silent: age_ms=%lld state=%s",
	      (long long)(rx_watch_age_us(&s->status_watch, now_us) / 1000), evse_state_row(s->state)->name);
	if (evse_state_row(s->state)->is_session)
		evse_session_shutdown(s, now_us, EVSE_CAUSE_MODULE_LOST,
				      s->is_open ? EVSE_ST_BLOCKED : EVSE_ST_NO_MODULE, true, out);
	else if (s->state == EVSE_ST_IDLE || s->state == EVSE_ST_CLOSING)
		evse_session_enter(s, now_us, EVSE_ST_NO_MODULE, "module silent");
}

static void check_emergency(struct evse_session *s, int64_t now_us)
{
	if (!s->is_emergency || !rx_watch_is_lost(&s->emergency_watch, now_us))
		return;
	s->is_emergency = false;
	rx_watch_disarm(&s->emergency_watch);
	s->rearm_us = now_us; /* rule E-85: a command newer than this moment is needed */
	log_f(&s->log, LOG_NOTE, "Emergency_Stop is gone");
}

static int64_t state_end_us(const struct evse_session *s)
{
	int64_t end_us = deadline_after(s->state_since_us, evse_state_row(s->state)->max_us);

	if (s->state == EVSE_ST_TRANSFER && s->power_us != FC_NEVER)
		end_us = s->power_us + ms(s->conf.power_control_timeout_ms);
	return end_us;
}

static void check_state_time(struct evse_session *s, int64_t now_us, struct out_queue *out)
{
	if (now_us < state_end_us(s))
		return;
	if (s->state == EVSE_ST_TRANSFER) {
		s->rearm_us = now_us;
		evse_session_enter(s, now_us, EVSE_ST_STANDBY, "DC_Power_Control silent");
		evse_power_update(s, now_us, false, out);
	} else if (s->state == EVSE_ST_CLOSING) {
		evse_session_enter(s, now_us, EVSE_ST_IDLE, "closing takes too long");
		evse_power_update(s, now_us, false, out);
	} else if (s->state == EVSE_ST_SHUTDOWN) {
		evse_session_enter(s, now_us, EVSE_ST_FAULT, "shutdown takes too long");
		evse_session_fault(s, now_us, EVSE_FAULT_STATE_TIMEOUT, out);
	} else {
		evse_session_fault(s, now_us, EVSE_FAULT_STATE_TIMEOUT, out);
		fault_lower(&s->faults, EVSE_FAULT_STATE_TIMEOUT);
	}
}

void evse_session_tick(struct evse_session *s, int64_t now_us, struct out_queue *out)
{
	enum evse_state before = s->state;

	if (s->state == EVSE_ST_STOPPED)
		return;
	evse_site_begin(s, now_us, out);
	check_module(s, now_us, out);
	check_emergency(s, now_us);
	check_state_time(s, now_us, out);
	evse_power_supervise(s, now_us, out);
	evse_power_shutdown_step(s, now_us, out);
	evse_seq_tick(s, now_us, out);
	if (grid_due(&s->cycle, now_us)) {
		evse_power_update(s, now_us, true, out);
		evse_session_send_status(s, out);
	}
	if (s->is_terminating && s->n_final <= 0 && s->state != EVSE_ST_SHUTDOWN)
		evse_session_enter(s, now_us, EVSE_ST_STOPPED, "stopped");
	if (s->state != before)
		evse_power_update(s, now_us, false, out);
	evse_site_end(s, now_us, out);
}

int64_t evse_session_next_us(const struct evse_session *s)
{
	int64_t next;

	if (s->state == EVSE_ST_STOPPED)
		return FC_NEVER;
	next = fc_min_i64(s->cycle.next_us, evse_seq_next_us(s));
	next = fc_min_i64(next, evse_site_next_us(s));
	next = fc_min_i64(next, rx_watch_due_us(&s->status_watch));
	next = fc_min_i64(next, rx_watch_due_us(&s->emergency_watch));
	next = fc_min_i64(next, s->open_force_us);
	if (s->state == EVSE_ST_SHUTDOWN)
		next = fc_min_i64(next, s->sp.is_closed ? s->shutdown.force_us : s->shutdown.confirm_us);
	return fc_min_i64(next, state_end_us(s));
}

/* --- operator -------------------------------------------------------------------------------------------- */

void evse_session_user_stop(struct evse_session *s, int64_t now_us, struct out_queue *out)
{
	log_f(&s->log, LOG_NOTE, "user stop: state=%s", evse_state_row(s->state)->name);
	if (s->is_open && s->record.cause == EVSE_CAUSE_NONE)
		s->record.cause = EVSE_CAUSE_USER_STOP;
	evse_seq_user_stop(s, now_us, out);
}

void evse_session_emergency(struct evse_session *s, int64_t now_us, struct out_queue *out)
{
	log_f(&s->log, LOG_ERR_LEVEL, "emergency button: state=%s", evse_state_row(s->state)->name);
	/* System_Enable goes to 0 while the fault is latched: the module ends the session (rule E-82). */
	evse_session_fault(s, now_us, EVSE_FAULT_EMERGENCY_BUTTON, out);
	fault_lower(&s->faults, EVSE_FAULT_EMERGENCY_BUTTON);
	evse_session_send_status(s, out);
}

void evse_session_stop(struct evse_session *s, int64_t now_us, struct out_queue *out)
{
	if (s->is_terminating || s->state == EVSE_ST_STOPPED)
		return;
	log_f(&s->log, LOG_NOTE, "asked to end: state=%s", evse_state_row(s->state)->name);
	s->is_terminating = true;
	if (!s->is_open && !has_power(s)) {
		evse_session_enter(s, now_us, EVSE_ST_STOPPED, "stopped");
		return;
	}
	s->n_final = N_FINAL_STATUS;
	evse_session_shutdown(s, now_us, EVSE_CAUSE_TERMINATED, EVSE_ST_IDLE, true, out);
	evse_session_send_status(s, out);
}

bool evse_session_is_stopped(const struct evse_session *s)
{
	return s->state == EVSE_ST_STOPPED;
}
