/* SPDX-License-Identifier: MIT */
/* The charger's end of the plug: what the virtual SECC sees on the control pilot and how it reacts. Pure. */
#include "sim/secc_priv.h"

/* B-C-B: the vehicle goes to C and back to B within this time to wake the charger. */
#define TOGGLE_US (5 * FC_US_PER_S)

/* A plug that had its session counts anew after it was pulled, or after B-C-B outside a session. */
static void watch_toggle(struct secc *s, int64_t now_us, enum cp_state before)
{
	bool is_outside = !secc_state_row(s->state)->is_session;

	if (s->cp == CP_A || (s->is_toggling && s->cp == CP_B && now_us - s->toggle_us <= TOGGLE_US))
		s->is_plug_consumed = false;
	s->is_toggling = is_outside && s->is_plug_consumed && before == CP_B && s->cp == CP_C;
	s->toggle_us = now_us;
}

static void pilot_changed(struct secc *s, int64_t now_us, enum cp_state before, struct out_queue *out)
{
	bool is_gone = s->cp == CP_A;

	watch_toggle(s, now_us, before);
	if (secc_state_row(s->state)->is_energised) {
		if (is_gone || s->cp == CP_B)
			secc_emergency(s, now_us, SECC_CAUSE_VEHICLE_EMERGENCY, SECC_ORIGIN_PEV, out);
	} else if (s->state == SECC_INSULATION_TEST) {
		if (is_gone && s->step >= SECC_STEP_TEST)
			secc_emergency(s, now_us, SECC_CAUSE_VEHICLE_EMERGENCY, SECC_ORIGIN_PEV, out);
		else if (is_gone || s->cp == CP_B)
			secc_end(s, now_us, is_gone ? SECC_CAUSE_UNPLUGGED : SECC_CAUSE_VEHICLE, out);
	} else if (s->state == SECC_ENDING_CHARGE && is_gone) {
		secc_emergency(s, now_us, SECC_CAUSE_VEHICLE_EMERGENCY, SECC_ORIGIN_PEV, out);
	} else if (is_gone) {
		secc_end(s, now_us, SECC_CAUSE_UNPLUGGED, out);
	}
}

void secc_pilot_update(struct secc *s, int64_t now_us, struct out_queue *out)
{
	bool is_fresh = s->pilot_us != FC_NEVER && now_us - s->pilot_us <= PLUG_STALE_US;
	enum cp_state before = s->cp;

	s->cp = s->is_mated && s->is_ev_mated && is_fresh && s->resistance <= CP_D
			? (enum cp_state)s->resistance
			: CP_A;
	if (s->cp == before)
		return;
	log_f(&s->log, LOG_DBG, "control pilot old=%s new=%s", cp_name(before), cp_name(s->cp));
	secc_wire_pilot_changed(s, now_us, out);
	pilot_changed(s, now_us, before, out);
	secc_idle(s, now_us, out);
}
