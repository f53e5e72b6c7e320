/* SPDX-License-Identifier: MIT */
/* What the contents of the vehicle's interface mean for events, sessions and the history. Pure. */
#include "monitor/mon_model_priv.h"

#define BIT(msg) (UINT32_C(1) << (msg))

/* What the module sends is below (pev-v2.md section 1). */
#define FIRST_VEHICLE_ID 0x610u

/* The module stops at this by itself (pev-v2.md section 12, max_soc). */
#define FULL_SOC_permille 990

enum {
	NEGOTIATING = PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_NEGOTIATING_CONNECTION,
	FULL_INFO = PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_CONNECTED_WITH_FULL_INFO,
	INSULATION = PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_INSULATION_TEST,
	PRECHARGE = PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_PRECHARGE,
	WAITING = PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_WAITING_FOR_CHARGE,
	CHARGING = PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_CHARGING,
	ENDING = PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_ENDING_CHARGE,
	PAUSE = PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_CHARGE_PAUSE,
};

/* Diagnostic bits in words, by their start bit (pev-v2.md section 3). */
static const char *const diagnostic_text[MON_N_PEV_DIAGNOSTICS] = {
	"connector lock failed",
	"unlock refused: inlet energised",
	"over-temperature",
	"contactor fault",
	"voltage deviation",
	"current deviation",
	"precharge not finished in time",
	"proximity pilot not detected",
	"insertion detection missing",
	"control pilot fault",
	"charge enable line fault",
	"control pilot duty cycle unexpected",
	"control pilot state unexpected",
	"charge enable state unexpected",
	"control pilot state not supported",
	"power line link fault",
	"TLS error",
	"authorisation failed",
	"service selection failed",
	"protocol version invalid",
	"session id unexpected",
	"message content invalid",
	"energy transfer mode not supported",
	"message sequence error",
	"message sequence timeout",
	"charger discovery failed",
};

const char *mon_pev_diagnostic(unsigned bit)
{
	return bit < MON_N_PEV_DIAGNOSTICS ? diagnostic_text[bit] : "unknown diagnostic";
}

void mon_pev_init(struct mon_model *m)
{
	unsigned i;

	for (i = 0; i < m->n_msgs; i++)
		if (msg_exists(&m->layouts[i]) && m->layouts[i].id < FIRST_VEHICLE_ID)
			m->is_module |= BIT(i);
	/* The vendor's simulator sends 8 bytes where its database says 4 (pev-v2.md, CP-03). */
	if (m->cfg.version == PEV_V2_0_EX)
		m->min_dlc[PEV_DC_STATUS1] = 4;
	m->is_bearing = BIT(PEV_EVSE_INFORMATION) | BIT(PEV_AC_CONTROL) | BIT(PEV_DC_CONTROL) |
			BIT(PEV_CCS_EXTRA_INFORMATION) | BIT(PEV_ADM_CS_EVCC_INPUTS) |
			BIT(PEV_EVCC_MEVC_DIAGNOSTIC_STATUS) | BIT(PEV_EV_INFORMATION) | BIT(PEV_AC_STATUS) |
			BIT(PEV_DC_STATUS1) | BIT(PEV_DC_STATUS2) | BIT(PEV_EV_STATUS);
	m->sample_msg = PEV_DC_STATUS1;
	m->state_msg = PEV_EVSE_INFORMATION;
}

/* --- what the module says -------------------------------------------------------------------------------------- */

static void see_information(struct mon_model *m, const struct mon_seen *seen,
			    const struct pev_evse_information *now)
{
	struct mon_point *p = &m->point[seen->point];
	union mon_content old;

	mon_state_set(m, seen->point, seen->time_us, now->communication_stage);
	if (now->protocol)
		mon_session_protocol(m, seen->point, seen->msg, "Protocol", now->protocol);
	if (now->communication_stage == ENDING && p->own.was_state == CHARGING &&
	    p->own.soc_permille >= FULL_SOC_permille)
		mon_session_cause(m, seen->point, "vehicle full");
	if (now->max_current_mA > p->own.offered_max_mA)
		p->own.offered_max_mA = now->max_current_mA;
	mon_unpack(m, seen->msg, seen->old, &old);
	if (!seen->is_first && now->communication_stage == CHARGING &&
	    now->max_current_mA != old.info.max_current_mA)
		mon_event_add(m, seen->time_us, seen->point, MON_INFO, "charger limit %d A -> %d A",
			      old.info.max_current_mA / 1000, now->max_current_mA / 1000);
}

/* What the charger says of itself; a shutdown is its way to ask for a normal end. */
static void see_charger_code(struct mon_model *m, const struct mon_seen *seen, unsigned code)
{
	static const char *const end[] = {
		[PEV_EVCC_MEVC_DIAGNOSTIC_STATUS_EVSE_STATUS_CODE_EVSE_SHUTDOWN] = "charger stopped",
		[PEV_EVCC_MEVC_DIAGNOSTIC_STATUS_EVSE_STATUS_CODE_EVSE_UTILITY_INTERRUPT_EVENT] =
			"interrupt by the utility",
		[PEV_EVCC_MEVC_DIAGNOSTIC_STATUS_EVSE_STATUS_CODE_EVSE_EMERGENCY_SHUTDOWN] =
			"emergency stop by EVSE",
		[PEV_EVCC_MEVC_DIAGNOSTIC_STATUS_EVSE_STATUS_CODE_EVSE_MALFUNCTION] = "charger malfunction",
	};
	const char *text = code < sizeof(end) / sizeof(end[0]) ? end[code] : NULL;
	bool is_fault = code == PEV_EVCC_MEVC_DIAGNOSTIC_STATUS_EVSE_STATUS_CODE_EVSE_EMERGENCY_SHUTDOWN ||
			code == PEV_EVCC_MEVC_DIAGNOSTIC_STATUS_EVSE_STATUS_CODE_EVSE_MALFUNCTION;

	mon_event_add(m, seen->time_us, seen->point,
		      is_fault ? MON_FAULT
		      : text   ? MON_NOTICE
			       : MON_INFO,
		      "charger status: %s",
		      mon_label(m, seen->msg, "EVSE_StatusCode", code, "an unknown value"));
	if (text)
		mon_session_cause(m, seen->point, text);
	if (!is_fault || !m->point[seen->point].session.is_running)
		return;
	m->point[seen->point].own.is_rushed = true;
	mon_session_fault(&m->point[seen->point].session, text);
}

static void see_diagnostic(struct mon_model *m, const struct mon_seen *seen,
			   const struct pev_evcc_mevc_diagnostic_status *now)
{
	const struct mon_msg *g = &m->point[seen->point].msg[seen->msg];
	uint64_t flags = (UINT64_C(1) << MON_N_PEV_DIAGNOSTICS) - 1;
	uint64_t set = msg_load64(g->data) & flags, was = seen->is_first ? 0 : msg_load64(seen->old) & flags;
	union mon_content old;
	uint64_t left;

	for (left = set & ~was; left; left &= left - 1) {
		const char *text = mon_pev_diagnostic((unsigned)__builtin_ctzll(left));

		mon_session_cause(m, seen->point, text);
		mon_session_note(m, seen->point, seen->time_us, MON_FAULT, text);
	}
	for (left = was & ~set; left; left &= left - 1)
		mon_event_add(m, seen->time_us, seen->point, MON_NOTICE, "cleared: %s",
			      mon_pev_diagnostic((unsigned)__builtin_ctzll(left)));
	mon_unpack(m, seen->msg, seen->old, &old);
	if (now->hlc_response_code != old.diagnostic.hlc_response_code &&
	    now->hlc_response_code >= MON_PEV_FIRST_WARNING)
		mon_event_add(m, seen->time_us, seen->point,
			      now->hlc_response_code >= MON_PEV_FIRST_FAILURE ? MON_FAULT : MON_WARNING,
			      "response code %u: %s", now->hlc_response_code,
			      mon_label(m, seen->msg, "HLC_ResponseCode", now->hlc_response_code,
					"an unknown value"));
	if (now->evse_status_code != old.diagnostic.evse_status_code)
		see_charger_code(m, seen, now->evse_status_code);
}

static void see_inputs(struct mon_model *m, const struct mon_seen *seen,
		       const struct pev_adm_cs_evcc_inputs *now)
{
	union mon_content old;

	mon_unpack(m, seen->msg, seen->old, &old);
	if (seen->is_first || now->stop_charge == old.inputs.stop_charge)
		return;
	mon_event_add(m, seen->time_us, seen->point, MON_NOTICE, "stop input %s",
		      now->stop_charge ? "active" : "released");
	if (now->stop_charge)
		mon_session_cause(m, seen->point, "stop input");
}

static void see_lock(struct mon_model *m, const struct mon_seen *seen,
		     const struct pev_ccs_extra_information *now)
{
	union mon_content old;

	mon_unpack(m, seen->msg, seen->old, &old);
	if (!seen->is_first && now->inlet_lock_state != old.ccs.inlet_lock_state)
		mon_event_add(m, seen->time_us, seen->point,
			      now->inlet_lock_state == PEV_CCS_EXTRA_INFORMATION_INLET_LOCK_STATE_FAULT
				      ? MON_FAULT
				      : MON_INFO,
			      "inlet lock: %s",
			      mon_label(m, seen->msg, "Inlet_Lock_State", now->inlet_lock_state,
					"an unknown value"));
}

/* An edge of a one-bit signal in words. */
static void tell_edge(struct mon_model *m, const struct mon_seen *seen, unsigned now, unsigned old,
		      const char *set, const char *clear)
{
	if (!seen->is_first && !now != !old)
		mon_event_add(m, seen->time_us, seen->point, MON_INFO, "%s", now ? set : clear);
}

/* --- what the vehicle says ------------------------------------------------------------------------------------- */

/*
 * Less than was asked for and allowed, and not on the way there: what mon_facts calls derating. A vehicle measures
 * in steps of 1 A, which is also what its module lets pass (pev-v2.md section 5).
 */
static void see_shortfall(struct mon_model *m, const struct mon_seen *seen, const struct pev_dc_status1 *now)
{
	struct mon_own *o = &m->point[seen->point].own;
	struct pev_evse_information info;
	int32_t want_mA = now->max_charge_current_mA;

	mon_get(m, seen->point, PEV_EVSE_INFORMATION, &info);
	if (info.max_current_mA > 0)
		want_mA = fc_min_i32(want_mA, info.max_current_mA);
	mon_watch_shortfall(o, seen->time_us, o->state == CHARGING ? want_mA - 2000 - want_mA / 100 : 0,
			    now->present_current_mA);
}

static void see_current(struct mon_model *m, const struct mon_seen *seen, const struct pev_dc_status1 *now)
{
	struct mon_point *p = &m->point[seen->point];
	const struct mon_msg *volts = &p->msg[PEV_DC_STATUS2];
	bool is_fresh = volts->n > 0 && seen->time_us - volts->last_us <= MON_SESSION_GAP_US;

	mon_sample(m, seen, is_fresh ? p->own.inlet_mV : MON_UNKNOWN,
		   is_fresh ? p->own.battery_mV : MON_UNKNOWN, now->present_current_mA);
	see_shortfall(m, seen, now);
}

static void see_stop_bits(struct mon_model *m, const struct mon_seen *seen, const struct pev_dc_status2 *now,
			  const struct pev_dc_status2 *old)
{
	struct mon_own *o = &m->point[seen->point].own;

	if (seen->is_first)
		return;
	if (now->normal_end_of_charge && !old->normal_end_of_charge) {
		mon_event_add(m, seen->time_us, seen->point, MON_NOTICE, "vehicle asks for a normal end");
		if (o->state == CHARGING || o->state == WAITING || o->state == PAUSE)
			mon_session_cause(m, seen->point, "vehicle finished");
	}
	if (now->emergency_stop && !old->emergency_stop)
		mon_emergency_begin(m, seen->point, seen->time_us, "emergency stop by PEV");
	if (!now->emergency_stop && old->emergency_stop)
		mon_emergency_end(m, seen->point, seen->time_us);
}

static void see_voltages(struct mon_model *m, const struct mon_seen *seen, const struct pev_dc_status2 *now)
{
	struct mon_own *o = &m->point[seen->point].own;
	union mon_content old;

	mon_unpack(m, seen->msg, seen->old, &old);
	if (o->inlet_mV != now->inlet_voltage_mV || o->battery_mV != now->battery_voltage_mV) {
		o->inlet_mV = now->inlet_voltage_mV;
		o->battery_mV = now->battery_voltage_mV;
		o->sample_due_us = 0; /* the next current counts with it */
		mon_history_add(&m->point[seen->point].history, seen->time_us, MON_SERIES_mV,
				now->inlet_voltage_mV);
	}
	if (o->is_closed != now->contactors_closed) {
		if (o->is_closed >= 0)
			mon_event_add(m, seen->time_us, seen->point, MON_INFO, "contactors %s",
				      now->contactors_closed ? "closed" : "open");
		o->is_closed = (int8_t)now->contactors_closed;
	}
	see_stop_bits(m, seen, now, &old.dc2);
}

static void see_requests(struct mon_model *m, const struct mon_seen *seen, const struct pev_ev_status *now)
{
	union mon_content old;

	mon_unpack(m, seen->msg, seen->old, &old);
	tell_edge(m, seen, now->hv_preparing_hold_off, old.ev_status.hv_preparing_hold_off,
		  "vehicle holds the session off", "vehicle ready: hold-off over");
	if (now->charge_pause_request && !old.ev_status.charge_pause_request)
		tell_edge(m, seen, 1, 0, "vehicle asks for a pause", "");
	if (now->charge_resume_request && !old.ev_status.charge_resume_request)
		tell_edge(m, seen, 1, 0, "vehicle asks to go on", "");
}

static void see_bits(struct mon_model *m, const struct mon_seen *seen, const union mon_content *c)
{
	union mon_content old;

	mon_unpack(m, seen->msg, seen->old, &old);
	switch (seen->msg) {
	case PEV_AC_CONTROL:
		tell_edge(m, seen, c->ac_control.ready_to_deliver_power,
			  old.ac_control.ready_to_deliver_power, "AC charger ready", "AC charger not ready");
		break;
	case PEV_DC_CONTROL:
		tell_edge(m, seen, c->dc_control.close_contactors, old.dc_control.close_contactors,
			  "module commands contactors closed", "module commands contactors open");
		break;
	case PEV_AC_STATUS:
		tell_edge(m, seen, c->ac_status.ready_to_charge, old.ac_status.ready_to_charge,
			  "on-board charger ready", "on-board charger not ready");
		break;
	default:
		break;
	}
}

void mon_pev_seen(struct mon_model *m, const struct mon_seen *seen)
{
	union mon_content c;

	mon_unpack(m, seen->msg, m->point[seen->point].msg[seen->msg].data, &c);
	switch (seen->msg) {
	case PEV_EVSE_INFORMATION:
		see_information(m, seen, &c.info);
		break;
	case PEV_CCS_EXTRA_INFORMATION:
		see_lock(m, seen, &c.ccs);
		break;
	case PEV_ADM_CS_EVCC_INPUTS:
		see_inputs(m, seen, &c.inputs);
		break;
	case PEV_EVCC_MEVC_DIAGNOSTIC_STATUS:
		see_diagnostic(m, seen, &c.diagnostic);
		break;
	case PEV_EV_INFORMATION:
		mon_soc(m, seen->point, seen->time_us, c.vehicle.state_of_charge_permille);
		break;
	case PEV_DC_STATUS1:
		see_current(m, seen, &c.dc1);
		break;
	case PEV_DC_STATUS2:
		see_voltages(m, seen, &c.dc2);
		break;
	case PEV_EV_STATUS:
		see_requests(m, seen, &c.ev_status);
		break;
	default:
		see_bits(m, seen, &c);
		break;
	}
}

const char *mon_pev_reason(const struct mon_model *m, unsigned point, unsigned state)
{
	(void)m;
	(void)point;
	switch (state) {
	case NEGOTIATING:
		return "ended while negotiating";
	case FULL_INFO:
		return "ended before the insulation test";
	case INSULATION:
		return "ended in the insulation test";
	case PRECHARGE:
		return "precharge failed";
	case WAITING:
		return "ended before charging";
	case CHARGING:
		return "broken off while charging";
	case PAUSE:
		return "ended in a pause";
	default:
		return "stopped by charger or module";
	}
}
