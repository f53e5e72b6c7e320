/* SPDX-License-Identifier: MIT */
/*
 * Lock and contactors of the virtual EVCC: when they may move, and the monitor that makes a vehicle safe after
 * an end of any kind. Pure. Rules P-17, P-21, P-22, P-42, P-44, P-46.
 */
#include "sim/evcc_priv.h"

/* Contactors at the module's own outputs follow after this time (dc_contactors_use_ios). */
#define IO_CONTACTOR_US (100 * FC_US_PER_MS)

/* Contactors are never forced open above this current (pev-v2.md section 8). */
#define FORCE_LIMIT_mA 5000

/* Unlocking needs a current below this, whatever opens the contactors (rule P-44). */
#define UNLOCK_CURRENT_mA 1000

bool evcc_is_closed(const struct evcc *e)
{
	if (!e->cfg.contactors_use_ios)
		return e->dc2.contactors_closed != 0;
	return e->cfg.ios_has_feedback ? e->is_io_closed : e->is_close_commanded;
}

bool evcc_is_matched(const struct evcc *e)
{
	return e->dc2.battery_voltage_mV > e->cfg.match_mV &&
	       fc_abs_i32(e->dc2.inlet_voltage_mV - e->dc2.battery_voltage_mV) <= e->cfg.match_mV;
}

void evcc_command_contactors(struct evcc *e, int64_t now_us, bool is_closed)
{
	if (e->is_close_commanded == is_closed)
		return;
	log_f(&e->log, LOG_INF, "contactors command=%s stage=%s battery_mV=%d inlet_mV=%d current_mA=%d",
	      is_closed ? "Close" : "Open", evcc_stage_name(e->stage), (int)e->dc2.battery_voltage_mV,
	      (int)e->dc2.inlet_voltage_mV, (int)e->dc1.present_current_mA);
	e->is_close_commanded = is_closed;
	e->close_us = now_us;
	evcc_touch(e, EVCC_F_DC);
}

void evcc_match(struct evcc *e, int64_t now_us, struct out_queue *out)
{
	if (e->stage != EVCC_PRECHARGE)
		return;
	if (e->is_close_commanded && evcc_is_closed(e)) {
		evcc_enter(e, now_us, EVCC_WAITING_FOR_CHARGE, out);
	} else if (!e->is_close_commanded) {
		if (evcc_is_matched(e) && e->dc2_watch.last_us != FC_NEVER &&
		    e->dc2_watch.last_us >= e->entered_us)
			evcc_command_contactors(e, now_us, true);
	} else if (!evcc_is_matched(e) && now_us - e->close_us >= evcc_ms(e->cfg.inhibit_unmatch_ms)) {
		evcc_command_contactors(e, now_us, false);
	}
}

/* ---- lock ------------------------------------------------------------------------------------------------- */

bool evcc_is_locked(const struct evcc *e)
{
	return e->cfg.no_inlet_lock || e->lock == EVCC_LOCKED;
}

bool evcc_is_held(const struct evcc *e)
{
	return e->lock == EVCC_LOCKED || e->lock == EVCC_UNLOCKING;
}

void evcc_lock(struct evcc *e, int64_t now_us, bool is_locked, struct out_queue *out)
{
	bool is_there = is_locked ? e->lock == EVCC_LOCKED || e->lock == EVCC_LOCKING
				  : e->lock == EVCC_UNLOCKED || e->lock == EVCC_UNLOCKING;

	if (e->cfg.no_inlet_lock || is_there)
		return;
	e->lock = is_locked ? EVCC_LOCKING : EVCC_UNLOCKING;
	e->lock_us = now_us;
	evcc_touch(e, EVCC_F_CCS);
	evcc_wire_pilot_changed(e, now_us, out);
}

static void lock_slot(struct evcc *e, int64_t now_us, struct out_queue *out)
{
	bool is_moving = e->lock == EVCC_LOCKING || e->lock == EVCC_UNLOCKING;

	if (!is_moving || e->is_lock_faked || now_us - e->lock_us < evcc_ms(e->cfg.locking_ms))
		return;
	e->lock = e->lock == EVCC_LOCKING ? EVCC_LOCKED : EVCC_UNLOCKED;
	log_f(&e->log, LOG_INF, "inlet %s", evcc_lock_name(e->lock));
	evcc_touch(e, EVCC_F_CCS);
	evcc_wire_pilot_changed(e, now_us, out);
}

static bool is_fresh(const struct evcc *e, const struct rx_watch *w, int64_t now_us)
{
	return w->last_us != FC_NEVER && now_us - w->last_us < evcc_ms(e->cfg.can_timeout_ms);
}

bool evcc_may_unlock(const struct evcc *e, int64_t now_us)
{
	return !e->is_close_commanded && is_fresh(e, &e->dc1_watch, now_us) &&
	       is_fresh(e, &e->dc2_watch, now_us) && !evcc_is_closed(e) &&
	       fc_abs_i32(e->dc1.present_current_mA) <= UNLOCK_CURRENT_mA &&
	       e->dc2.inlet_voltage_mV <= e->cfg.unlock_voltage_mV;
}

/* ---- monitor ---------------------------------------------------------------------------------------------- */

static bool may_open(const struct evcc *e, int64_t now_us)
{
	int64_t since_us = now_us - e->entered_us;
	int32_t current_mA = fc_abs_i32(e->dc1.present_current_mA);

	if (!is_fresh(e, &e->dc1_watch, now_us)) {
		if (e->cfg.force_open_disabled)
			return false;
		return !e->cfg.force_open_delayed || since_us >= evcc_ms(e->cfg.force_open_delay_ms);
	}
	if (current_mA <= e->cfg.open_current_mA)
		return true;
	return e->cfg.force_open_timed && current_mA <= FORCE_LIMIT_mA &&
	       since_us >= evcc_ms(e->cfg.force_open_timeout_ms);
}

static void monitor(struct evcc *e, int64_t now_us, struct out_queue *out)
{
	if (e->is_close_commanded && may_open(e, now_us))
		evcc_command_contactors(e, now_us, false);
	if (e->lock == EVCC_LOCKING)
		evcc_lock(e, now_us, false, out);
	if (e->lock != EVCC_LOCKED)
		return;
	if (evcc_may_unlock(e, now_us)) {
		evcc_lock(e, now_us, false, out);
	} else if (!e->diagnostic.unlock_declined_inlet_energized) {
		log_f(&e->log, LOG_NOTE, "unlock declined inlet_mV=%d current_mA=%d closed=%d",
		      (int)e->dc2.inlet_voltage_mV, (int)e->dc1.present_current_mA, evcc_is_closed(e));
		e->diagnostic.unlock_declined_inlet_energized = 1;
		evcc_touch(e, EVCC_F_DIAGNOSTIC);
	}
}

void evcc_safety_slot(struct evcc *e, int64_t now_us, struct out_queue *out)
{
	if (e->is_io_closed != e->is_close_commanded && now_us - e->close_us >= IO_CONTACTOR_US) {
		e->is_io_closed = e->is_close_commanded;
		e->is_input_changed |= e->cfg.contactors_use_ios;
	}
	lock_slot(e, now_us, out);
	/* Also while a plugged-in charger does not want to talk: a lock left from before must not trap the plug. */
	if (e->stage == EVCC_CLOSING || e->stage == EVCC_WAITING_FOR_EVSE ||
	    (e->stage == EVCC_NEGOTIATING && !e->v2g.is_begun))
		monitor(e, now_us, out);
}
