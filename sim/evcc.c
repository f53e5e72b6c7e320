/* SPDX-License-Identifier: MIT */
/* The stages of the virtual EVCC and what happens in them. Pure. */
#include "sim/evcc_priv.h"

#include <stdio.h>
#include <string.h>

/* Closing lasts at least this long, so that diagnostics can be read after the plug was pulled. */
#define CLOSING_MIN_US (500 * FC_US_PER_MS)

/* Asked to end while plugged in: the charger gets this long for the orderly way. */
#define STOP_GRACE_US (4 * FC_US_PER_S)

#define CPU_mdegC	    40000
#define NOT_CONNECTED_mdegC (-40000)

static bool is_due(int64_t now_us, int64_t since_us, int32_t delay_ms)
{
	return delay_ms >= 0 && now_us - since_us >= evcc_ms(delay_ms);
}

/* ---- transitions ------------------------------------------------------------------------------------------ */

static void reset_signals(struct evcc *e)
{
	memset(&e->diagnostic, 0, sizeof(e->diagnostic));
	e->is_lock_failed = false;
	e->is_emergency = false;
	e->has_energy = false;
	e->flags.iso15118_part20_scheduled_mode_control = 0;
	e->request_mA = e->target_mV = 0;
	evcc_v2g_reset(e);
	e->dirty = ~UINT32_C(0);
}

/* Supervision counts from the later of the last frame and the moment it became necessary. */
static void supervise(struct evcc *e, int64_t now_us)
{
	if (evcc_stage_row(e->stage)->is_supervised) {
		rx_watch_arm(&e->dc1_watch, now_us);
		rx_watch_arm(&e->dc2_watch, now_us);
	} else {
		rx_watch_disarm(&e->dc1_watch);
		rx_watch_disarm(&e->dc2_watch);
	}
}

void evcc_step(struct evcc *e, int64_t now_us, enum evcc_step step)
{
	log_f(&e->log, LOG_DBG, "step stage=%s step=%s", evcc_stage_name(e->stage), evcc_step_name(step));
	e->step = step;
	e->step_us = now_us;
}

void evcc_enter(struct evcc *e, int64_t now_us, enum evcc_stage stage, struct out_queue *out)
{
	log_f(&e->log, LOG_INF, "stage old=%s new=%s", evcc_stage_name(e->stage), evcc_stage_name(stage));
	e->stage = stage;
	e->entered_us = now_us;
	e->was_unplugged = false;
	evcc_step(e, now_us, stage == EVCC_WELDING_DETECTION ? EVCC_STEP_CURRENT : EVCC_STEP_NONE);
	if (stage == EVCC_WAITING_FOR_EVSE)
		reset_signals(e);
	if (stage == EVCC_FULL_INFO)
		evcc_lock(e, now_us, true, out);
	if (stage == EVCC_CHARGING)
		evcc_power_start(e, now_us);
	supervise(e, now_us);
	/* A last word is still to be said under control pilot C. */
	if (stage != EVCC_CLOSING || !e->v2g.is_open)
		e->resistance = evcc_stage_row(stage)->pilot;
	evcc_wire_pilot_changed(e, now_us, out);
	evcc_touch(e, EVCC_F_INFORMATION);
}

static void raise_flag(struct evcc *e, enum evcc_cause cause)
{
	size_t at = evcc_cause_row(cause)->diagnostic;

	if (at == EVCC_NO_FLAG)
		return;
	((uint8_t *)&e->diagnostic)[at] = 1;
	e->is_lock_failed |= cause == EVCC_CAUSE_LOCK;
	evcc_touch(e, EVCC_F_DIAGNOSTIC);
	evcc_touch(e, EVCC_F_CCS);
}

static void go_emergency(struct evcc *e, int64_t now_us, struct out_queue *out)
{
	e->is_emergency = true;
	e->count.n_emergencies++;
	evcc_v2g_close(e, now_us, out);
	evcc_enter(e, now_us, EVCC_CLOSING, out);
}

/* The wire or the protocol is gone: under power that is an emergency, before it an end, after it no reason to wait. */
static void lose_link(struct evcc *e, int64_t now_us, enum evcc_cause cause, struct out_queue *out)
{
	bool is_wire = cause == EVCC_CAUSE_UNPLUGGED || cause == EVCC_CAUSE_PILOT || cause == EVCC_CAUSE_DUTY;

	evcc_v2g_close(e, now_us, out);
	if ((evcc_stage_row(e->stage)->is_energised && e->stage != EVCC_ENDING_CHARGE) ||
	    (is_wire && e->stage >= EVCC_ENDING_CHARGE))
		go_emergency(e, now_us, out);
	else if (e->stage == EVCC_ENDING_CHARGE)
		evcc_enter(e, now_us, EVCC_WELDING_DETECTION, out);
	else if (e->stage != EVCC_WELDING_DETECTION)
		evcc_enter(e, now_us, EVCC_CLOSING, out);
}

static void end_in_order(struct evcc *e, int64_t now_us, bool is_fault, struct out_queue *out)
{
	if (e->stage == EVCC_CHARGING || e->stage == EVCC_WAITING_FOR_CHARGE) {
		e->is_lowering = !is_fault && e->stage == EVCC_CHARGING;
		evcc_enter(e, now_us, EVCC_ENDING_CHARGE, out);
	} else if (e->stage == EVCC_ENDING_CHARGE) {
		e->is_lowering &= !is_fault;
	} else if (e->stage < EVCC_ENDING_CHARGE) {
		evcc_enter(e, now_us, EVCC_CLOSING, out);
	}
}

void evcc_finish(struct evcc *e, int64_t now_us, enum evcc_cause cause, struct out_queue *out)
{
	const struct evcc_cause_row *row = evcc_cause_row(cause);

	if (!evcc_stage_row(e->stage)->is_session)
		return;
	log_f(&e->log, row->severity == EVCC_STOP ? LOG_INF : LOG_NOTE, "session ends stage=%s cause=%s",
	      evcc_stage_name(e->stage), row->name);
	/* The first reason stays; a worse one replaces a wish to stop. */
	if (e->cause == EVCC_CAUSE_NONE || evcc_cause_row(e->cause)->severity == EVCC_STOP)
		e->cause = cause;
	raise_flag(e, cause);
	switch (row->severity) {
	case EVCC_STOP:
	case EVCC_FAULT:
		end_in_order(e, now_us, row->severity == EVCC_FAULT, out);
		break;
	case EVCC_LINK:
		lose_link(e, now_us, cause, out);
		break;
	case EVCC_EMERGENCY:
		go_emergency(e, now_us, out);
		break;
	}
}

/* ---- plug ------------------------------------------------------------------------------------------------- */

bool evcc_is_plugged(const struct evcc *e)
{
	return e->is_mated && (e->pilot.last_us == FC_NEVER || e->pilot.is_mated);
}

bool evcc_is_connected(const struct evcc *e, int64_t now_us)
{
	return evcc_is_plugged(e) && e->pilot.last_us != FC_NEVER &&
	       now_us - e->pilot.last_us <= PLUG_STALE_US && e->pilot.fault == PLUG_PILOT_EVSE_FAULT_NONE;
}

static void begin(struct evcc *e, int64_t now_us)
{
	e->v2g.is_begun = true;
	e->v2g.begun_us = now_us;
	e->cause = EVCC_CAUSE_NONE;
	e->count.n_sessions++;
}

void evcc_pilot_update(struct evcc *e, int64_t now_us, struct out_queue *out)
{
	bool is_connected = evcc_is_connected(e, now_us);
	bool is_digital = is_connected && cp_is_digital(e->pilot.duty_permille);

	if (is_connected != e->was_connected) {
		e->was_connected = is_connected;
		evcc_touch(e, EVCC_F_CCS);
	}
	if (e->stage == EVCC_WAITING_FOR_EVSE) {
		if (is_connected && !e->is_stopping)
			evcc_enter(e, now_us, EVCC_NEGOTIATING, out);
	} else if (!evcc_stage_row(e->stage)->is_session) {
		return;
	} else if (!e->v2g.is_begun) {
		if (!is_connected)
			evcc_enter(e, now_us, EVCC_WAITING_FOR_EVSE, out);
		else if (is_digital)
			begin(e, now_us);
	} else if (!evcc_is_plugged(e)) {
		evcc_finish(e, now_us, EVCC_CAUSE_UNPLUGGED, out);
	} else if (!is_connected) {
		evcc_finish(e, now_us, EVCC_CAUSE_PILOT, out);
	} else if (!is_digital) {
		evcc_finish(e, now_us, EVCC_CAUSE_DUTY, out);
	}
}

void evcc_set_mated(struct evcc *e, int64_t now_us, bool is_mated, struct out_queue *out)
{
	log_f(&e->log, LOG_INF, "plug %s stage=%s", is_mated ? "in" : "out", evcc_stage_name(e->stage));
	e->is_mated = is_mated;
	if (!is_mated)
		e->was_unplugged = true;
	evcc_wire_pilot_changed(e, now_us, out);
	evcc_pilot_update(e, now_us, out);
}

/* ---- stages ----------------------------------------------------------------------------------------------- */

static void negotiating_slot(struct evcc *e, int64_t now_us)
{
	if (e->v2g.is_begun && !e->v2g.is_open &&
	    now_us - e->v2g.begun_us >= evcc_ms(e->cfg.negotiation_ms)) {
		e->v2g.is_open = true;
		e->v2g.due_us = now_us;
	}
}

static void full_info_slot(struct evcc *e, int64_t now_us, struct out_queue *out)
{
	if (!evcc_is_locked(e) && is_due(now_us, e->entered_us, e->cfg.wait_locked_ms))
		evcc_finish(e, now_us, EVCC_CAUSE_LOCK, out);
	else if (e->flags.hv_preparing_hold_off && is_due(now_us, e->entered_us, e->cfg.wait_hv_ready_ms))
		evcc_finish(e, now_us, EVCC_CAUSE_HOLD_OFF, out);
	else if (evcc_is_locked(e) && !e->flags.hv_preparing_hold_off)
		evcc_enter(e, now_us, EVCC_INSULATION_TEST, out);
}

static void welding_slot(struct evcc *e, int64_t now_us, struct out_queue *out)
{
	switch (e->step) {
	case EVCC_STEP_CURRENT:
		if (fc_abs_i32(e->dc1.present_current_mA) <= e->cfg.open_current_mA) {
			evcc_command_contactors(e, now_us, false);
			evcc_step(e, now_us, EVCC_STEP_OPEN);
		} else if (is_due(now_us, e->step_us, e->cfg.current_zero_timeout_ms)) {
			/* The monitor of Closing goes on waiting, with the inlet locked. */
			evcc_enter(e, now_us, EVCC_CLOSING, out);
		}
		break;
	case EVCC_STEP_OPEN:
		if (!evcc_is_closed(e)) {
			evcc_step(e, now_us, EVCC_STEP_WELDING);
			e->v2g.due_us = now_us;
		} else if (is_due(now_us, e->step_us, e->cfg.contactor_timeout_ms)) {
			raise_flag(e, EVCC_CAUSE_CONTACTOR);
			e->cause = EVCC_CAUSE_CONTACTOR;
			evcc_enter(e, now_us, EVCC_CLOSING, out);
		}
		break;
	case EVCC_STEP_WELDING:
		if (e->dc2.inlet_voltage_mV <= e->cfg.unlock_voltage_mV)
			evcc_step(e, now_us, EVCC_STEP_UNLOCK);
		else if (is_due(now_us, e->step_us, e->cfg.welding_timeout_ms))
			evcc_enter(e, now_us, EVCC_CLOSING, out);
		break;
	case EVCC_STEP_UNLOCK:
		if (e->lock == EVCC_LOCKED && evcc_may_unlock(e, now_us))
			evcc_lock(e, now_us, false, out);
		if (e->lock == EVCC_UNLOCKED)
			evcc_step(e, now_us, EVCC_STEP_GOODBYE);
		else if (is_due(now_us, e->step_us, e->cfg.wait_locked_ms))
			evcc_enter(e, now_us, EVCC_CLOSING, out);
		break;
	case EVCC_STEP_GOODBYE:
		/* Without a link there is nobody to take leave of. */
		if (!e->v2g.is_open)
			evcc_enter(e, now_us, EVCC_CLOSING, out);
		break;
	case EVCC_STEP_NONE:
	case EVCC_N_STEPS:
		break;
	}
}

static void closing_slot(struct evcc *e, int64_t now_us, struct out_queue *out)
{
	if (e->is_mated && !evcc_is_held(e) && is_due(now_us, e->entered_us, e->cfg.unplug_after_ms))
		evcc_set_mated(e, now_us, false, out);
	/* Also when the next plug is in already: pulled and put back between two slots. */
	if ((!evcc_is_plugged(e) || e->was_unplugged) && now_us - e->entered_us >= CLOSING_MIN_US) {
		evcc_v2g_close(e, now_us, out);
		evcc_enter(e, now_us, EVCC_WAITING_FOR_EVSE, out);
	}
}

static void stage_slot(struct evcc *e, int64_t now_us, struct out_queue *out)
{
	switch (e->stage) {
	case EVCC_INITIALISING:
		if (is_due(now_us, e->entered_us, e->cfg.boot_ms))
			evcc_enter(e, now_us, EVCC_WAITING_FOR_EVSE, out);
		break;
	case EVCC_NEGOTIATING:
		negotiating_slot(e, now_us);
		break;
	case EVCC_FULL_INFO:
		full_info_slot(e, now_us, out);
		break;
	case EVCC_PRECHARGE:
		if (is_due(now_us, e->entered_us, e->cfg.precharge_timeout_ms))
			evcc_finish(e, now_us, EVCC_CAUSE_PRECHARGE, out);
		else
			evcc_match(e, now_us, out);
		break;
	case EVCC_CHARGING:
		evcc_power_watch(e, now_us, out);
		if (e->stage == EVCC_CHARGING && is_due(now_us, e->entered_us, e->cfg.stop_after_ms))
			evcc_finish(e, now_us, EVCC_CAUSE_COMMAND, out);
		break;
	case EVCC_ENDING_CHARGE:
		if (e->is_lowering && is_due(now_us, e->entered_us, e->cfg.current_zero_timeout_ms))
			e->is_lowering = false;
		break;
	case EVCC_WELDING_DETECTION:
		welding_slot(e, now_us, out);
		break;
	case EVCC_CLOSING:
		closing_slot(e, now_us, out);
		break;
	case EVCC_WAITING_FOR_EVSE:
	case EVCC_INSULATION_TEST:
	case EVCC_WAITING_FOR_CHARGE:
	case EVCC_CHARGE_PAUSE:
	case EVCC_N_STAGES:
		break;
	}
}

/* ---- the 100 ms slot -------------------------------------------------------------------------------------- */

static void watch_vehicle(struct evcc *e, int64_t now_us, struct out_queue *out)
{
	if (rx_watch_is_lost(&e->dc1_watch, now_us) || rx_watch_is_lost(&e->dc2_watch, now_us))
		evcc_finish(e, now_us, EVCC_CAUSE_CAN_TIMEOUT, out);
}

static void watch_stop(struct evcc *e, int64_t now_us, struct out_queue *out)
{
	if (!e->is_stopping)
		return;
	if (evcc_stage_row(e->stage)->is_session) {
		if (now_us - e->stop_us >= STOP_GRACE_US)
			evcc_finish(e, now_us, EVCC_CAUSE_COMMAND_EMERGENCY, out);
	} else if (!e->v2g.is_open && now_us - e->entered_us >= 2 * EVCC_SLOT_US) {
		e->is_stopped = true;
	}
}

static void watch_scenario(struct evcc *e, int64_t now_us, struct out_queue *out)
{
	if (e->is_plug_done || !is_due(now_us, e->started_us, e->cfg.plug_after_ms))
		return;
	e->is_plug_done = true;
	if (!e->is_mated)
		evcc_set_mated(e, now_us, true, out);
}

static void slot(struct evcc *e, int64_t now_us, struct out_queue *out)
{
	watch_scenario(e, now_us, out);
	evcc_pilot_update(e, now_us, out);
	watch_vehicle(e, now_us, out);
	evcc_safety_slot(e, now_us, out);
	stage_slot(e, now_us, out);
	evcc_v2g_slot(e, now_us, out);
	watch_stop(e, now_us, out);

	evcc_wire_slot(e, now_us, out);
	evcc_wire_pilot(e, now_us, out);
	if (++e->n_slots == 10) {
		e->n_slots = 0;
		evcc_power_derate(e, now_us, out);
		e->is_input_changed = e->stage != EVCC_INITIALISING;
	}
	if (e->is_input_changed && e->stage != EVCC_INITIALISING)
		evcc_wire_inputs(e, now_us, out);
}

/* ---- machine ---------------------------------------------------------------------------------------------- */

static void rx(void *self, int64_t now_us, const struct can_frame *f, struct out_queue *out)
{
	struct evcc *e = self;
	bool is_used;

	if (f->can_id & CAN_ERR_FLAG) {
		e->count.n_bus_errors++;
		return;
	}
	if (plug_is_mine(f, (unsigned)e->cfg.pistol_index))
		is_used = evcc_v2g_rx(e, now_us, f, out) || evcc_wire_pilot_rx(e, now_us, f, out);
	else
		is_used = evcc_wire_rx(e, now_us, f, out);
	if (is_used)
		e->count.n_rx++;
	else
		e->count.n_dropped++;
}

static void tick(void *self, int64_t now_us, struct out_queue *out)
{
	struct evcc *e = self;

	if (grid_due(&e->grid, now_us))
		slot(e, now_us, out);
	evcc_v2g_tick(e, now_us, out);
	if (e->tx.n_held)
		plug_tx_tick(&e->tx, now_us, out);
}

static int64_t next_us(const void *self)
{
	const struct evcc *e = self;
	int64_t next = fc_min_i64(e->grid.next_us, evcc_v2g_next_us(e));

	return e->tx.n_held ? fc_min_i64(next, plug_tx_next_us(&e->tx)) : next;
}

static size_t filters(const void *self, struct can_filter *f, size_t n)
{
	return evcc_wire_filters(self, f, n);
}

static void stop(void *self, int64_t now_us, struct out_queue *out)
{
	struct evcc *e = self;

	e->is_stopping = true;
	e->stop_us = now_us;
	evcc_finish(e, now_us, EVCC_CAUSE_PROGRAM_END, out);
}

static bool is_stopped(const void *self)
{
	const struct evcc *e = self;

	return e->is_stopped;
}

static unsigned hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	return c >= 'a' && c <= 'f'   ? (unsigned)(c - 'a') + 10
	       : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
				      : 0;
}

/* What a power cycle sets; plug, lock and counters are the caller's. */
static void start(struct evcc *e, int64_t now_us)
{
	e->stage = EVCC_INITIALISING;
	e->step = EVCC_STEP_NONE;
	e->cause = EVCC_CAUSE_NONE;
	e->entered_us = e->started_us = now_us;
	e->resistance = CP_B;
	e->pilot.last_us = FC_NEVER;
	e->flags.hv_preparing_hold_off = e->cfg.hold_off_until_bms_ready != 0;
	e->derate_permille = 1000;
	e->deviation_us = FC_NEVER;
	e->is_close_commanded = false;
	e->close_us = now_us;
	e->was_connected = false;
	rx_watch_init(&e->dc1_watch, evcc_ms(e->cfg.can_timeout_ms));
	rx_watch_init(&e->dc2_watch, evcc_ms(e->cfg.can_timeout_ms));
	memset(&e->dc1, 0, sizeof(e->dc1));
	memset(&e->dc2, 0, sizeof(e->dc2));
	reset_signals(e);
	grid_start(&e->grid, now_us, EVCC_SLOT_US);
}

void evcc_restart(struct evcc *e, int64_t now_us)
{
	log_f(&e->log, LOG_NOTE, "restart stage=%s lock=%s", evcc_stage_name(e->stage),
	      evcc_lock_name(e->lock));
	/* A motor that was moving when the power failed is taken for locked: the safe reading. */
	if (e->lock != EVCC_UNLOCKED)
		e->lock = EVCC_LOCKED;
	start(e, now_us);
}

void evcc_init(struct evcc *e, const struct evcc_cfg *cfg, const struct log_sink *sink, int64_t now_us)
{
	char prefix[sizeof(e->log.prefix)];
	unsigned i;

	memset(e, 0, sizeof(*e));
	e->cfg = *cfg;
	snprintf(prefix, sizeof(prefix), "evcc.%d", (int)cfg->pistol_index);
	log_init(&e->log, sink, prefix);
	plug_tx_init(&e->tx);
	evcc_wire_init(e);
	for (i = 0; i < V2G_EVCCID_LEN && cfg->evccid[2 * i] && cfg->evccid[2 * i + 1]; i++)
		e->evccid[i] =
			(uint8_t)(hex_digit(cfg->evccid[2 * i]) << 4 | hex_digit(cfg->evccid[2 * i + 1]));
	e->is_mated = cfg->plug_at_start != 0;
	e->cpu_mdegC = CPU_mdegC;
	for (i = 0; i < 3; i++)
		e->ptc_mdegC[i] = NOT_CONNECTED_mdegC;
	start(e, now_us);
}

struct machine evcc_machine(struct evcc *e)
{
	static const struct machine_ops ops = {
		.rx = rx,
		.tick = tick,
		.next_us = next_us,
		.filters = filters,
		.stop = stop,
		.is_stopped = is_stopped,
		.command = evcc_command,
	};
	struct machine m = {.ops = &ops, .self = e, .name = "evcc"};

	return m;
}
