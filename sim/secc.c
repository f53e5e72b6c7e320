/* SPDX-License-Identifier: MIT */
/* The states of the virtual SECC and what happens in them. Pure. */
#include "sim/secc_priv.h"

#include <stdio.h>
#include <string.h>

/* Asked to end while power flows: the vehicle gets this long for the orderly way. */
#define STOP_GRACE_US (2 * FC_US_PER_S)

/* Sensors of hardware that does not exist: a plausible processor, pistol sensors not connected. */
#define CPU_mdegC	    40000
#define NOT_CONNECTED_mdegC (-40000)

static int64_t ms(int32_t milliseconds)
{
	return (int64_t)milliseconds * FC_US_PER_MS;
}

static bool is_idle(const struct secc *s)
{
	return s->state == SECC_WAITING_FOR_PEV || s->state == SECC_NOT_AVAILABLE;
}

static bool is_closed_gate(const struct secc *s)
{
	return s->cfg.use_sequence_flags && !s->flags.start_charge_authorisation;
}

/* ---- transitions ------------------------------------------------------------------------------------------ */

static void forget_session(struct secc *s)
{
	uint8_t start = s->flags.start_charge_authorisation, stop = s->flags.user_stop_button;

	/* The permit outlives sessions; the button keeps its level, only its edges count. */
	memset(&s->flags, 0, sizeof(s->flags));
	s->flags.start_charge_authorisation = start;
	s->flags.user_stop_button = stop;
	memset(&s->vehicle, 0, sizeof(s->vehicle));
	memset(&s->power, 0, sizeof(s->power));
	secc_v2g_reset(s);
	s->is_session_announced = s->is_session_sending = false;
	s->info_due = 0;
	s->was_enabled = s->is_pms_armed = false;
	s->is_charge_started = s->is_power_used = s->is_power_cyclic = s->is_vehicle_paced = false;
	s->is_stop_requested = false;
	s->n_good = 0;
}

static void announce_session(struct secc *s)
{
	s->is_session_announced = s->is_session_sending = true;
	s->info_due = SECC_INFO_ALL;
	s->was_enabled = s->pms_us != FC_NEVER && s->pms.system_enable;
}

static void report_stopped(struct secc *s, int64_t now_us, struct out_queue *out)
{
	if (!s->is_charge_started)
		return;
	s->is_charge_started = false;
	secc_wire_charge_status(s, now_us, false, out);
}

/* Lowering is asked for while there is something to lower; at last a plain open Standby (evse-v3.md section 7). */
static void set_closing_power(struct secc *s, int64_t now_us, struct out_queue *out)
{
	if (s->is_power_used)
		secc_power_standby(s, now_us, false, s->pms.present_voltage_mV > s->cfg.lowered_voltage_mV,
				   SECC_CYCLIC, out);
}

static void set_duty(struct secc *s, int64_t now_us, int32_t duty_permille, struct out_queue *out)
{
	s->duty_permille = duty_permille;
	secc_wire_pilot_changed(s, now_us, out);
}

static void on_enter(struct secc *s, int64_t now_us, struct out_queue *out)
{
	switch (s->state) {
	case SECC_WAITING_FOR_PEV:
	case SECC_NOT_AVAILABLE:
		set_duty(s, now_us, CP_DUTY_OFF_PERMILLE, out);
		break;
	case SECC_NEGOTIATING:
		s->session_us = now_us;
		s->v2g.last_rx_us = now_us;
		s->cause = SECC_CAUSE_NONE;
		s->count.n_sessions++;
		set_duty(s, now_us, CP_DUTY_DIGITAL_PERMILLE, out);
		break;
	case SECC_FULL_INFO:
		announce_session(s);
		break;
	case SECC_INSULATION_TEST:
		secc_step(s, now_us, SECC_STEP_WAKE);
		break;
	case SECC_WAITING_FOR_CHARGE:
		s->is_charge_started = true;
		secc_wire_charge_status(s, now_us, true, out);
		secc_power_standby(s, now_us, true, false, SECC_ONCE, out);
		break;
	case SECC_ENDING_CHARGE:
		report_stopped(s, now_us, out);
		secc_step(s, now_us, SECC_STEP_END_CURRENT);
		secc_power_standby(s, now_us, true, false, SECC_CYCLIC, out);
		break;
	case SECC_CLOSING:
		report_stopped(s, now_us, out);
		secc_wire_finished(s, now_us, secc_cause_row(s->cause)->is_rushed, out);
		set_closing_power(s, now_us, out);
		s->is_session_announced = s->is_session_sending = s->is_pms_armed = false;
		s->is_plug_consumed = s->cp != CP_A;
		break;
	case SECC_INITIALISING:
	case SECC_PRECHARGE:
	case SECC_CHARGING:
	case SECC_WELDING_DETECTION:
	case SECC_AUTHORISATION:
	case SECC_CHARGE_PAUSE:
	case SECC_N_STATES:
		break;
	}
}

void secc_step(struct secc *s, int64_t now_us, enum secc_step step)
{
	log_f(&s->log, LOG_DBG, "step state=%s step=%s", secc_state_name(s->state), secc_step_name(step));
	s->step = step;
	s->step_us = now_us;
}

void secc_enter(struct secc *s, int64_t now_us, enum secc_state state, struct out_queue *out)
{
	/* The steps of Ending_Charge go on in Welding_Detection. */
	bool keeps_step = state == SECC_WELDING_DETECTION;

	log_f(&s->log, LOG_INF, "state old=%s new=%s cp=%s", secc_state_name(s->state),
	      secc_state_name(state), cp_name(s->cp));
	if (!secc_state_row(state)->is_session && state != SECC_CLOSING)
		forget_session(s);
	s->state = state;
	s->entered_us = now_us;
	if (!keeps_step)
		secc_step(s, now_us, SECC_STEP_NONE);
	secc_wire_status(s, now_us, out);
	on_enter(s, now_us, out);
}

void secc_end(struct secc *s, int64_t now_us, enum secc_cause cause, struct out_queue *out)
{
	if (!secc_state_row(s->state)->is_session)
		return;
	log_f(&s->log, cause == SECC_CAUSE_VEHICLE ? LOG_INF : LOG_NOTE, "session ends state=%s cause=%s",
	      secc_state_name(s->state), secc_cause_name(cause));
	s->cause = cause;
	secc_enter(s, now_us, SECC_CLOSING, out);
	secc_v2g_abandon(s, now_us, out);
}

void secc_emergency(struct secc *s, int64_t now_us, enum secc_cause cause, enum secc_origin origin,
		    struct out_queue *out)
{
	if (s->emergency != SECC_CAUSE_NONE)
		return;
	log_f(&s->log, LOG_WARN, "emergency state=%s cause=%s origin=%d", secc_state_name(s->state),
	      secc_cause_name(cause), (int)origin);
	s->count.n_emergencies++;
	s->emergency = cause;
	s->origin = origin;
	grid_start(&s->emergency_grid, now_us, SECC_SLOT_US);
	grid_due(&s->emergency_grid, now_us);
	secc_wire_emergency(s, now_us, out);
	/* The vehicle learns of it at once by the pilot: state F where the charger is the cause. */
	if (origin == SECC_ORIGIN_EVSE)
		s->pilot_fault = PLUG_PILOT_EVSE_FAULT_F;
	set_duty(s, now_us, CP_DUTY_OFF_PERMILLE, out);
	secc_end(s, now_us, cause, out);
}

void secc_request_stop(struct secc *s, const char *why)
{
	if (!secc_state_row(s->state)->is_session || s->is_stop_requested)
		return;
	log_f(&s->log, LOG_NOTE, "stop requested state=%s by=%s", secc_state_name(s->state), why);
	s->is_stop_requested = true;
}

/* ---- emergency -------------------------------------------------------------------------------------------- */

static bool is_cause_present(const struct secc *s, int64_t now_us)
{
	if (s->is_interlock)
		return true;
	/* Within a session everything waits for its end; after it the idle states look anew. */
	if (!is_idle(s))
		return true;
	if (s->emergency == SECC_CAUSE_CUSTOMER_LOST)
		return s->pms_us == FC_NEVER || now_us - s->pms_us >= ms(s->cfg.charger_can_timeout_ms);
	return false;
}

static void emergency_slot(struct secc *s, int64_t now_us, struct out_queue *out)
{
	if (s->emergency == SECC_CAUSE_NONE)
		return;
	if (!is_cause_present(s, now_us)) {
		log_f(&s->log, LOG_NOTE, "emergency over cause=%s", secc_cause_name(s->emergency));
		s->emergency = SECC_CAUSE_NONE;
		s->pilot_fault = PLUG_PILOT_EVSE_FAULT_NONE;
		grid_stop(&s->emergency_grid);
		secc_wire_pilot_changed(s, now_us, out);
	}
}

/* ---- steps of the states ---------------------------------------------------------------------------------- */

void secc_idle(struct secc *s, int64_t now_us, struct out_queue *out)
{
	if (s->state == SECC_NOT_AVAILABLE && !is_closed_gate(s))
		secc_enter(s, now_us, SECC_WAITING_FOR_PEV, out);
	else if (s->state == SECC_WAITING_FOR_PEV && is_closed_gate(s))
		secc_enter(s, now_us, SECC_NOT_AVAILABLE, out);
	else if (s->state == SECC_WAITING_FOR_PEV && s->cp >= CP_B && s->cp <= CP_D && !s->is_plug_consumed &&
		 s->emergency == SECC_CAUSE_NONE && !s->is_stopping)
		secc_enter(s, now_us, SECC_NEGOTIATING, out);
}

static void start_test(struct secc *s, int64_t now_us, struct out_queue *out)
{
	struct secc_power p = {0};
	int32_t limit_mV = secc_limit_voltage_mV(s);

	p.function = SECC_FN_INSULATION;
	p.v_mV = s->cfg.test_voltage_mV > 0 ? fc_min_i32(s->cfg.test_voltage_mV, limit_mV) : limit_mV;
	p.is_closed = true;
	s->n_good = 0;
	s->is_pms_new = false;
	secc_step(s, now_us, SECC_STEP_TEST);
	secc_power_set(s, now_us, &p, SECC_CYCLIC, out);
}

/* One iteration with the newest sample; without a new one nothing is counted. */
static void sample(struct secc *s, int64_t now_us, struct out_queue *out)
{
	int32_t ohm = s->is_insulation_faked ? 0 : s->pms.insulation_resistance_ohm;

	if (!s->is_pms_new)
		return;
	s->is_pms_new = false;
	if (s->pms.present_voltage_mV < fc_permille_of(s->power.v_mV, s->cfg.test_reached_permille) ||
	    ohm < s->cfg.insulation_pass_kohm * 1000) {
		s->n_good = 0;
		return;
	}
	if (++s->n_good < s->cfg.insulation_iterations)
		return;
	s->v2g.isolation = V2G_ISO_VALID;
	secc_step(s, now_us, SECC_STEP_LOWER);
	secc_power_standby(s, now_us, true, true, SECC_CYCLIC, out);
}

static void insulation_slot(struct secc *s, int64_t now_us, struct out_queue *out)
{
	int64_t age_us = now_us - s->step_us;

	switch (s->step) {
	case SECC_STEP_WAKE:
		if (s->pms_us != FC_NEVER && s->pms.system_enable && !s->is_session_sending) {
			secc_step(s, now_us, SECC_STEP_READY);
			secc_power_standby(s, now_us, false, false, SECC_ONCE, out);
		} else if (age_us >= ms(s->cfg.wake_up_limit_ms)) {
			secc_end(s, now_us, SECC_CAUSE_NOT_ENABLED, out);
		}
		break;
	case SECC_STEP_READY:
		if (!s->cfg.skip_cable_check) {
			start_test(s, now_us, out);
		} else {
			s->v2g.isolation = V2G_ISO_VALID;
			secc_step(s, now_us, SECC_STEP_PASSED);
		}
		break;
	case SECC_STEP_TEST:
		sample(s, now_us, out);
		if (s->step == SECC_STEP_TEST && age_us >= ms(s->cfg.insulation_timeout_ms)) {
			s->v2g.isolation = V2G_ISO_FAULT;
			secc_end(s, now_us, SECC_CAUSE_INSULATION_FAILED, out);
		}
		break;
	case SECC_STEP_LOWER:
		if (s->pms.present_voltage_mV <= s->cfg.lowered_voltage_mV)
			secc_step(s, now_us, SECC_STEP_PASSED);
		else if (age_us >= ms(s->cfg.lowering_timeout_ms))
			secc_end(s, now_us, SECC_CAUSE_NOT_LOWERED, out);
		break;
	case SECC_STEP_PASSED:
	case SECC_STEP_NONE:
	case SECC_STEP_END_CURRENT:
	case SECC_STEP_END_OPEN:
	case SECC_STEP_END_LOWER:
	case SECC_N_STEPS:
		break;
	}
}

/* The three messages of the end, each repeated until the next is due. */
static void ending_slot(struct secc *s, int64_t now_us, struct out_queue *out)
{
	if (s->step == SECC_STEP_END_CURRENT) {
		if (fc_abs_i32(s->pms.present_current_mA) >= s->cfg.open_current_mA)
			return;
		secc_step(s, now_us, SECC_STEP_END_OPEN);
		secc_power_standby(s, now_us, false, false, SECC_CYCLIC, out);
	} else if (s->step == SECC_STEP_END_OPEN && now_us - s->step_us >= ms(s->cfg.contactor_ms)) {
		secc_step(s, now_us, SECC_STEP_END_LOWER);
		secc_power_standby(s, now_us, false, true, SECC_CYCLIC, out);
	}
}

static void closing_slot(struct secc *s, int64_t now_us, struct out_queue *out)
{
	set_closing_power(s, now_us, out);
	if (now_us - s->entered_us < ms(s->cfg.closing_delay_ms))
		return;
	if (s->is_power_used && s->power.is_lowering)
		secc_power_standby(s, now_us, false, false, SECC_ONCE, out);
	secc_enter(s, now_us, is_closed_gate(s) ? SECC_NOT_AVAILABLE : SECC_WAITING_FOR_PEV, out);
}

/* E-22: with sequence flags the first state after the start is 12, however early the permit came. */
static void boot_slot(struct secc *s, int64_t now_us, struct out_queue *out)
{
	if (now_us - s->entered_us >= ms(s->cfg.boot_ms))
		secc_enter(s, now_us, s->cfg.use_sequence_flags ? SECC_NOT_AVAILABLE : SECC_WAITING_FOR_PEV,
			   out);
}

static void state_slot(struct secc *s, int64_t now_us, struct out_queue *out)
{
	switch (s->state) {
	case SECC_INITIALISING:
		boot_slot(s, now_us, out);
		break;
	case SECC_WAITING_FOR_PEV:
	case SECC_NOT_AVAILABLE:
		secc_idle(s, now_us, out);
		break;
	case SECC_INSULATION_TEST:
		insulation_slot(s, now_us, out);
		break;
	case SECC_PRECHARGE:
		if (now_us - s->entered_us >= ms(s->cfg.precharge_timeout_ms))
			secc_end(s, now_us, SECC_CAUSE_PRECHARGE_TIMEOUT, out);
		break;
	case SECC_ENDING_CHARGE:
	case SECC_WELDING_DETECTION:
		ending_slot(s, now_us, out);
		break;
	case SECC_CLOSING:
		closing_slot(s, now_us, out);
		break;
	case SECC_NEGOTIATING:
	case SECC_AUTHORISATION:
	case SECC_FULL_INFO:
	case SECC_WAITING_FOR_CHARGE:
	case SECC_CHARGING:
	case SECC_CHARGE_PAUSE:
	case SECC_N_STATES:
		break;
	}
}

/* ---- the 100 ms slot -------------------------------------------------------------------------------------- */

static void watch_customer(struct secc *s, int64_t now_us, struct out_queue *out)
{
	if (s->is_pms_armed && secc_state_row(s->state)->is_supervised &&
	    now_us - s->pms_us >= ms(s->cfg.charger_can_timeout_ms))
		secc_emergency(s, now_us, SECC_CAUSE_CUSTOMER_LOST, SECC_ORIGIN_EVSE, out);
}

static void watch_stop(struct secc *s, int64_t now_us, struct out_queue *out)
{
	if (!s->is_stopping)
		return;
	if (now_us - s->stop_us >= STOP_GRACE_US || s->state < SECC_PRECHARGE ||
	    s->state > SECC_WELDING_DETECTION)
		secc_end(s, now_us, SECC_CAUSE_STOPPED, out);
	/* Frames of the end are out by the next slot. */
	if (!secc_state_row(s->state)->is_session && now_us - s->entered_us >= 2 * SECC_SLOT_US)
		s->is_stopped = true;
}

static void send_session(struct secc *s, int64_t now_us, struct out_queue *out)
{
	if (!s->is_session_announced)
		return;
	if (s->is_session_sending) {
		secc_wire_new_session(s, now_us, out);
		if (s->pms_us != FC_NEVER && s->pms.system_enable)
			s->is_session_sending = false;
	}
	if (s->info_due)
		secc_wire_info(s, now_us, out);
}

static void second_slot(struct secc *s, int64_t now_us, struct out_queue *out)
{
	secc_power_derate(s);
	if (s->state != SECC_INITIALISING)
		secc_wire_inputs(s, now_us, out);
	if (s->vehicle.has_evccid && secc_state_row(s->state)->is_session)
		secc_wire_ev_id(s, now_us, out);
}

static void slot(struct secc *s, int64_t now_us, struct out_queue *out)
{
	secc_pilot_update(s, now_us, out);
	watch_customer(s, now_us, out);
	secc_v2g_slot(s, now_us, out);
	state_slot(s, now_us, out);
	emergency_slot(s, now_us, out);
	watch_stop(s, now_us, out);

	if (s->status_us != now_us)
		secc_wire_status(s, now_us, out);
	send_session(s, now_us, out);
	secc_power_slot(s, now_us, out);
	if (msg_exists(&s->layout.evse[EVSE_CCS_EXTRA_INFORMATION]))
		plug_tx_frame(&s->tx, now_us, &s->extra_frame, out);
	secc_wire_pilot(s, now_us, out);
	if (++s->n_slots == 10) {
		s->n_slots = 0;
		second_slot(s, now_us, out);
	} else if (s->is_input_changed) {
		secc_wire_inputs(s, now_us, out);
	}
}

/* ---- machine ---------------------------------------------------------------------------------------------- */

static void rx(void *self, int64_t now_us, const struct can_frame *f, struct out_queue *out)
{
	struct secc *s = self;
	bool is_used = false;

	if (f->can_id & CAN_ERR_FLAG) {
		s->count.n_bus_errors++;
		return;
	}
	if (plug_is_mine(f, (unsigned)s->cfg.index))
		is_used = secc_v2g_rx(s, now_us, f, out) || secc_wire_pilot_rx(s, now_us, f, out);
	else
		is_used = secc_wire_rx(s, now_us, f, out);
	if (is_used)
		s->count.n_rx++;
	else
		s->count.n_dropped++;
}

static void tick(void *self, int64_t now_us, struct out_queue *out)
{
	struct secc *s = self;

	if (grid_due(&s->grid, now_us))
		slot(s, now_us, out);
	if (grid_due(&s->emergency_grid, now_us))
		secc_wire_emergency(s, now_us, out);
	if (s->tx.n_held)
		plug_tx_tick(&s->tx, now_us, out);
}

static int64_t next_us(const void *self)
{
	const struct secc *s = self;
	int64_t next = fc_min_i64(s->grid.next_us, s->emergency_grid.next_us);

	return s->tx.n_held ? fc_min_i64(next, plug_tx_next_us(&s->tx)) : next;
}

static size_t filters(const void *self, struct can_filter *f, size_t n)
{
	return secc_wire_filters(self, f, n);
}

static void stop(void *self, int64_t now_us, struct out_queue *out)
{
	struct secc *s = self;

	(void)out;
	s->is_stopping = true;
	s->stop_us = now_us;
	secc_request_stop(s, "program end");
}

static bool is_stopped(const void *self)
{
	const struct secc *s = self;

	return s->is_stopped;
}

void secc_init(struct secc *s, const struct secc_cfg *cfg, const struct log_sink *sink, int64_t now_us)
{
	char prefix[sizeof(s->log.prefix)];

	memset(s, 0, sizeof(*s));
	s->cfg = *cfg;
	snprintf(prefix, sizeof(prefix), "secc.%d", (int)cfg->index);
	log_init(&s->log, sink, prefix);
	plug_tx_init(&s->tx);
	secc_v2g_reset(s);
	s->state = SECC_INITIALISING;
	s->entered_us = now_us;
	s->pms_us = s->pilot_us = FC_NEVER;
	s->status_us = FC_NEVER;
	s->faked_answer = V2G_NONE;
	s->is_mated = cfg->is_mated != 0;
	s->duty_permille = CP_DUTY_OFF_PERMILLE;
	s->cpu_mdegC = CPU_mdegC;
	s->ptc_mdegC[0] = s->ptc_mdegC[1] = NOT_CONNECTED_mdegC;
	s->derate_cable_permille = s->derate_current_permille = 1000;
	grid_start(&s->grid, now_us, SECC_SLOT_US);
	grid_stop(&s->emergency_grid);
	secc_wire_init(s);
}

struct machine secc_machine(struct secc *s)
{
	static const struct machine_ops ops = {
		.rx = rx,
		.tick = tick,
		.next_us = next_us,
		.filters = filters,
		.stop = stop,
		.is_stopped = is_stopped,
		.command = secc_command,
	};
	struct machine m = {.ops = &ops, .self = s, .name = "secc"};

	return m;
}
