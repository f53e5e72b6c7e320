/* SPDX-License-Identifier: MIT */
/*
 * The charging protocol on the virtual EVCC: the client side of DIN 70121 and ISO 15118-2. Pure.
 *
 * What is asked follows from the stage; an answer moves the stage. One request at a time, request_period_ms
 * apart, at least request_pause_ms after the answer.
 */
#include "sim/evcc_priv.h"

#include <string.h>

/* The handshake is tried anew until somebody answers or the set-up time is over. */
#define HANDSHAKE_RETRY_US (500 * FC_US_PER_MS)

void evcc_v2g_reset(struct evcc *e)
{
	memset(&e->v2g, 0, sizeof(e->v2g));
	e->v2g.chain = V2G_SUPPORTED_APP_PROTOCOL;
	e->v2g.asked = e->v2g.last = V2G_NONE;
	evcc_touch(e, EVCC_F_INFORMATION);
}

void evcc_v2g_close(struct evcc *e, int64_t now_us, struct out_queue *out)
{
	e->v2g.is_open = false;
	e->v2g.asked = V2G_NONE;
	/* Control pilot C was kept for the last words. */
	if (e->stage == EVCC_CLOSING && e->resistance != CP_B) {
		e->resistance = CP_B;
		evcc_wire_pilot_changed(e, now_us, out);
	}
}

/* ---- requests --------------------------------------------------------------------------------------------- */

/* Zero current is asked for until it has come, before the end is said. */
static bool is_still_lowering(const struct evcc *e)
{
	return e->is_lowering && fc_abs_i32(e->dc1.present_current_mA) > e->cfg.end_current_mA;
}

static enum v2g_msg wanted(const struct evcc *e)
{
	if (!e->v2g.is_open)
		return V2G_NONE;
	switch (e->stage) {
	case EVCC_NEGOTIATING:
		return e->v2g.chain;
	case EVCC_INSULATION_TEST:
		return V2G_CABLE_CHECK;
	case EVCC_PRECHARGE:
		return V2G_PRE_CHARGE;
	case EVCC_WAITING_FOR_CHARGE:
		return V2G_POWER_DELIVERY;
	case EVCC_CHARGING:
		return V2G_CURRENT_DEMAND;
	case EVCC_ENDING_CHARGE:
		return is_still_lowering(e) ? V2G_CURRENT_DEMAND : V2G_POWER_DELIVERY;
	case EVCC_WELDING_DETECTION:
		if (e->step == EVCC_STEP_GOODBYE)
			return V2G_SESSION_STOP;
		return e->step == EVCC_STEP_WELDING && e->cfg.welding_detection ? V2G_WELDING_DETECTION
										: V2G_NONE;
	case EVCC_CLOSING:
		return e->v2g.tag ? V2G_SESSION_STOP : V2G_NONE;
	case EVCC_INITIALISING:
	case EVCC_WAITING_FOR_EVSE:
	case EVCC_FULL_INFO:
	case EVCC_CHARGE_PAUSE:
	case EVCC_N_STAGES:
		break;
	}
	return V2G_NONE;
}

int64_t evcc_v2g_next_us(const struct evcc *e)
{
	return e->v2g.asked == V2G_NONE && wanted(e) != V2G_NONE ? e->v2g.due_us : FC_NEVER;
}

void evcc_v2g_send(struct evcc *e, int64_t now_us, enum plug_msg msg, const void *m, struct out_queue *out)
{
	struct can_frame f;

	e->count.n_clipped += msg_to_frame(&e->plug[msg], m, (unsigned)e->cfg.pistol_index, &f);
	plug_tx_frame(&e->tx, now_us, &f, out);
}

void evcc_v2g_tick(struct evcc *e, int64_t now_us, struct out_queue *out)
{
	enum v2g_msg msg = wanted(e);
	union v2g_any m;

	if (e->v2g.asked != V2G_NONE || msg == V2G_NONE || now_us < e->v2g.due_us)
		return;
	memset(&m, 0, sizeof(m));
	evcc_v2g_fill(e, now_us, msg, &m, out);
	if (msg != e->v2g.last)
		e->v2g.repeat_us = now_us;
	/* A wake-up that came late must not move the raster. */
	e->v2g.raster_us =
		now_us - e->v2g.due_us < evcc_ms(e->cfg.request_period_ms) ? e->v2g.due_us : now_us;
	e->v2g.last = e->v2g.asked = msg;
	e->v2g.asked_us = now_us;
	evcc_v2g_send(e, now_us, v2g_request_layout(msg), &m, out);
}

/* ---- answers ---------------------------------------------------------------------------------------------- */

uint8_t evcc_hlc_code(unsigned code)
{
	/* HLC_ResponseCode of the PEV interface (pev-v2.md section 3) by enum v2g_code. */
	static const uint8_t map[V2G_N_CODES] = {1,  3,	 4,  2,	 22, 35, 36, 39, 37, 41, 42, 38, 16, 43,
						 44, 45, 40, 31, 46, 47, 27, 48, 49, 24, 50, 51, 52, 53};

	return code < V2G_N_CODES ? map[code] : 0;
}

static enum evcc_cause cause_of(const struct evcc *e, enum v2g_msg msg, uint8_t code)
{
	if (e->stage >= EVCC_PRECHARGE &&
	    (e->v2g.status == V2G_EVSE_EMERGENCY || e->v2g.status == V2G_EVSE_MALFUNCTION))
		return EVCC_CAUSE_CHARGER_EMERGENCY;
	if (msg == V2G_AUTHORIZATION)
		return EVCC_CAUSE_AUTHORIZATION;
	switch (code) {
	case V2G_FAILED_SEQUENCE_ERROR:
		return EVCC_CAUSE_SEQUENCE_ERROR;
	case V2G_FAILED_UNKNOWN_SESSION:
		return EVCC_CAUSE_SESSION_ID;
	case V2G_FAILED_SERVICE_ID:
	case V2G_FAILED_SERVICE_SELECTION:
	case V2G_FAILED_PAYMENT_SELECTION:
		return EVCC_CAUSE_SERVICE;
	case V2G_FAILED_WRONG_CHARGE_PARAMETER:
		return EVCC_CAUSE_PAYLOAD;
	case V2G_FAILED_WRONG_ENERGY_TRANSFER_MODE:
		return EVCC_CAUSE_TRANSFER_MODE;
	default:
		return EVCC_CAUSE_FAILED;
	}
}

static void fail(struct evcc *e, int64_t now_us, enum evcc_cause cause, struct out_queue *out)
{
	evcc_v2g_close(e, now_us, out);
	evcc_finish(e, now_us, cause, out);
}

/* Numbers of EVSE_StatusCode and EVSE_Isolation_Level: those of the protocol plus one. */
static void show_status(struct evcc *e, uint8_t status)
{
	uint8_t number = status <= V2G_EVSE_MALFUNCTION ? (uint8_t)(status + 1) : 8;

	e->v2g.status = status;
	if (e->diagnostic.evse_status_code != number) {
		e->diagnostic.evse_status_code = number;
		evcc_touch(e, EVCC_F_DIAGNOSTIC);
	}
}

static void show_isolation(struct evcc *e, uint8_t isolation)
{
	uint8_t number = (uint8_t)(isolation + 1);

	if (e->diagnostic.evse_isolation_level != number) {
		e->diagnostic.evse_isolation_level = number;
		evcc_touch(e, EVCC_F_DIAGNOSTIC);
	}
}

/* The charger's wishes in an answer; false when the session is over by them. */
static bool heed(struct evcc *e, int64_t now_us, uint8_t status, uint8_t notification, struct out_queue *out)
{
	show_status(e, status);
	if (e->stage > EVCC_CHARGING)
		return true;
	if (status == V2G_EVSE_EMERGENCY || status == V2G_EVSE_MALFUNCTION) {
		evcc_finish(e, now_us, EVCC_CAUSE_CHARGER_EMERGENCY, out);
		return false;
	}
	if (status == V2G_EVSE_SHUTDOWN || notification == V2G_NOTIFY_STOP) {
		evcc_finish(e, now_us, EVCC_CAUSE_CHARGER_STOP, out);
		return false;
	}
	return true;
}

static void on_handshake(struct evcc *e, int64_t now_us, const struct plug_supported_app_protocol_res *a,
			 struct out_queue *out)
{
	bool is_known = (a->protocol == V2G_PROTOCOL_DIN && e->cfg.enable_din) ||
			(a->protocol == V2G_PROTOCOL_ISO2 && e->cfg.enable_iso2);

	if (a->handshake_code == V2G_HANDSHAKE_FAILED || !is_known) {
		fail(e, now_us, EVCC_CAUSE_NO_PROTOCOL, out);
		return;
	}
	e->v2g.protocol = (enum v2g_protocol)a->protocol;
	e->v2g.chain = V2G_SESSION_SETUP;
	evcc_touch(e, EVCC_F_INFORMATION);
}

static void on_services(struct evcc *e, int64_t now_us, const struct plug_service_discovery_res *a,
			struct out_queue *out)
{
	if (a->energy_transfer_mode != V2G_DC_CORE && a->energy_transfer_mode != V2G_DC_EXTENDED) {
		fail(e, now_us, EVCC_CAUSE_TRANSFER_MODE, out);
		return;
	}
	if (a->payment_option != V2G_PAY_EXTERNAL || a->service_id != V2G_SERVICE_CHARGING) {
		fail(e, now_us, EVCC_CAUSE_SERVICE, out);
		return;
	}
	e->v2g.transfer = a->energy_transfer_mode;
	if (e->cfg.energy_transfer == V2G_DC_CORE)
		e->v2g.transfer = V2G_DC_CORE;
	e->v2g.chain = V2G_PAYMENT_SERVICE_SELECTION;
	evcc_touch(e, EVCC_F_INFORMATION);
}

static void on_parameters(struct evcc *e, int64_t now_us, const struct plug_charge_parameter_discovery_res *a,
			  struct out_queue *out)
{
	if (!heed(e, now_us, a->status_code, a->notification, out) || a->processing != V2G_FINISHED)
		return;
	if (e->v2g.has_limits && (e->v2g.max_voltage_mV < e->cfg.min_voltage_mV ||
				  a->evse_minimum_voltage_mV > e->cfg.max_voltage_mV)) {
		evcc_finish(e, now_us, EVCC_CAUSE_INCOMPATIBLE, out);
		return;
	}
	evcc_enter(e, now_us, EVCC_FULL_INFO, out);
}

static void on_cable_check(struct evcc *e, int64_t now_us, const struct plug_cable_check_res *a,
			   struct out_queue *out)
{
	show_isolation(e, a->isolation_status);
	if (!heed(e, now_us, a->status_code, a->notification, out) || a->processing != V2G_FINISHED)
		return;
	if (a->isolation_status == V2G_ISO_INVALID || a->isolation_status == V2G_ISO_FAULT)
		fail(e, now_us, EVCC_CAUSE_FAILED, out);
	else if (e->stage == EVCC_INSULATION_TEST)
		evcc_enter(e, now_us, EVCC_PRECHARGE, out);
}

static void on_delivery(struct evcc *e, int64_t now_us, const struct plug_power_delivery_res *a,
			struct out_queue *out)
{
	if (e->v2g.is_start_asked) {
		if (heed(e, now_us, a->status_code, a->notification, out) &&
		    e->stage == EVCC_WAITING_FOR_CHARGE)
			evcc_enter(e, now_us, EVCC_CHARGING, out);
	} else if (e->stage == EVCC_ENDING_CHARGE) {
		show_status(e, a->status_code);
		evcc_enter(e, now_us, EVCC_WELDING_DETECTION, out);
	}
}

static void on_current_demand(struct evcc *e, int64_t now_us, const struct plug_current_demand_res *a,
			      struct out_queue *out)
{
	e->count.n_loops++;
	e->v2g.present_mV = a->present_voltage_mV;
	e->v2g.present_mA = a->present_current_mA;
	heed(e, now_us, a->status_code, a->notification, out);
}

static void on_session_stop(struct evcc *e, int64_t now_us, struct out_queue *out)
{
	evcc_v2g_close(e, now_us, out);
	if (e->stage == EVCC_WELDING_DETECTION)
		evcc_enter(e, now_us, EVCC_CLOSING, out);
}

static void answer(struct evcc *e, int64_t now_us, enum v2g_msg msg, const union v2g_any *a,
		   struct out_queue *out)
{
	switch (msg) {
	case V2G_SUPPORTED_APP_PROTOCOL:
		on_handshake(e, now_us, &a->supported_app_protocol_res, out);
		break;
	case V2G_SESSION_SETUP:
		e->v2g.tag = a->session_setup_res.session_tag;
		e->v2g.chain = V2G_SERVICE_DISCOVERY;
		break;
	case V2G_SERVICE_DISCOVERY:
		on_services(e, now_us, &a->service_discovery_res, out);
		break;
	case V2G_PAYMENT_SERVICE_SELECTION:
		e->v2g.chain = V2G_AUTHORIZATION;
		break;
	case V2G_AUTHORIZATION:
		e->v2g.is_customer_wait = a->authorization_res.processing == V2G_ONGOING_CUSTOMER;
		if (e->v2g.is_customer_wait)
			e->v2g.repeat_us = now_us; /* the limit begins when the person is done */
		if (a->authorization_res.processing == V2G_FINISHED)
			e->v2g.chain = V2G_CHARGE_PARAMETER_DISCOVERY;
		break;
	case V2G_CHARGE_PARAMETER_DISCOVERY:
		on_parameters(e, now_us, &a->charge_parameter_discovery_res, out);
		break;
	case V2G_CABLE_CHECK:
		on_cable_check(e, now_us, &a->cable_check_res, out);
		break;
	case V2G_PRE_CHARGE:
		e->v2g.present_mV = a->pre_charge_res.present_voltage_mV;
		show_isolation(e, a->pre_charge_res.isolation_status);
		heed(e, now_us, a->pre_charge_res.status_code, a->pre_charge_res.notification, out);
		break;
	case V2G_POWER_DELIVERY:
		on_delivery(e, now_us, &a->power_delivery_res, out);
		break;
	case V2G_CURRENT_DEMAND:
		on_current_demand(e, now_us, &a->current_demand_res, out);
		break;
	case V2G_WELDING_DETECTION:
		e->v2g.present_mV = a->welding_detection_res.present_voltage_mV;
		show_status(e, a->welding_detection_res.status_code);
		break;
	case V2G_SESSION_STOP:
		on_session_stop(e, now_us, out);
		break;
	case V2G_N_MSGS:
		break;
	}
}

/* Tag and code lead every answer but the handshake's; true when the answer may be used. */
static bool check_head(struct evcc *e, int64_t now_us, enum v2g_msg msg, const struct can_frame *f,
		       struct out_queue *out)
{
	uint16_t tag = (uint16_t)(f->data[0] | f->data[1] << 8);
	uint8_t code = f->data[2], hlc = evcc_hlc_code(code);

	if (e->diagnostic.hlc_response_code != hlc) {
		e->diagnostic.hlc_response_code = hlc;
		evcc_touch(e, EVCC_F_DIAGNOSTIC);
	}
	if (v2g_is_failure(code)) {
		if (msg >= V2G_CHARGE_PARAMETER_DISCOVERY && msg <= V2G_WELDING_DETECTION)
			show_status(e, f->data[3] >> 4);
		if (msg == V2G_CABLE_CHECK)
			show_isolation(e, f->data[4] & 7);
		log_f(&e->log, LOG_NOTE, "answer stage=%s message=%s code=%s", evcc_stage_name(e->stage),
		      v2g_msg_name(msg), v2g_code_name(code));
		fail(e, now_us, cause_of(e, msg, code), out);
		return false;
	}
	if (msg == V2G_SESSION_SETUP ? tag == 0 : tag != e->v2g.tag) {
		fail(e, now_us, EVCC_CAUSE_SESSION_ID, out);
		return false;
	}
	return true;
}

static void limits_rx(struct evcc *e, const struct can_frame *f)
{
	struct plug_evse_limits m = {0};

	e->plug[PLUG_EVSE_LIMITS].unpack(&m, f->data);
	if (!e->v2g.is_open || (e->v2g.has_limits && e->stage >= EVCC_CHARGING && !e->cfg.dynamic_limits))
		return;
	show_isolation(e, m.isolation_status);
	if (!e->v2g.has_limits || e->v2g.max_current_mA != m.evse_maximum_current_mA)
		evcc_touch(e, EVCC_F_INFORMATION);
	e->v2g.has_limits = true;
	e->v2g.max_voltage_mV = m.evse_maximum_voltage_mV;
	e->v2g.max_current_mA = m.evse_maximum_current_mA;
	e->v2g.max_power_W = m.evse_maximum_power_W;
}

/* Requests keep a raster of their period, so that a slow answer costs whole periods. */
static int64_t after_answer_us(const struct evcc *e, int64_t now_us)
{
	int64_t period_us = evcc_ms(e->cfg.request_period_ms);
	int64_t due_us = e->v2g.raster_us + period_us,
		earliest_us = now_us + evcc_ms(e->cfg.request_pause_ms);

	if (due_us < earliest_us)
		due_us += (earliest_us - due_us + period_us - 1) / period_us * period_us;
	return due_us;
}

static void answer_rx(struct evcc *e, int64_t now_us, enum v2g_msg msg, const struct can_frame *f,
		      struct out_queue *out)
{
	union v2g_any a;

	/* Late, double or not for us: nobody asked. */
	if (!e->v2g.is_open || msg != e->v2g.asked) {
		e->count.n_dropped++;
		return;
	}
	e->v2g.asked = V2G_NONE;
	e->v2g.due_us = after_answer_us(e, now_us);
	if (msg != V2G_SUPPORTED_APP_PROTOCOL && !check_head(e, now_us, msg, f, out))
		return;
	memset(&a, 0, sizeof(a));
	e->plug[v2g_answer_layout(msg)].unpack(&a, f->data);
	answer(e, now_us, msg, &a, out);
}

bool evcc_v2g_rx(struct evcc *e, int64_t now_us, const struct can_frame *f, struct out_queue *out)
{
	unsigned offset = plug_offset(f);
	bool is_answer = offset - PLUG_V2G_OFFSET < 2 * V2G_N_MSGS && (offset & 1);

	if (!is_answer && offset != (e->plug[PLUG_EVSE_LIMITS].id & 0xFFFFu))
		return false;
	if (f->can_dlc != 8)
		e->count.n_dropped++;
	else if (is_answer)
		answer_rx(e, now_us, (enum v2g_msg)((offset - PLUG_V2G_OFFSET) / 2), f, out);
	else
		limits_rx(e, f);
	return true;
}

/* ---- time-outs -------------------------------------------------------------------------------------------- */

static int64_t answer_limit_us(const struct evcc *e)
{
	if (e->v2g.asked == V2G_POWER_DELIVERY)
		return evcc_ms(e->cfg.delivery_timeout_ms);
	if (e->v2g.asked == V2G_CURRENT_DEMAND)
		return evcc_ms(e->cfg.current_demand_timeout_ms);
	return evcc_ms(e->cfg.message_timeout_ms);
}

/* Longest repetition of a request while the charger says Ongoing; FC_NEVER: no limit. */
static int64_t repeat_limit_us(const struct evcc *e)
{
	if (wanted(e) != e->v2g.last)
		return FC_NEVER; /* it has come to its end */
	if (e->v2g.last == V2G_CABLE_CHECK && e->stage == EVCC_INSULATION_TEST)
		return evcc_ms(e->cfg.cable_check_timeout_ms);
	if (e->stage == EVCC_NEGOTIATING && ((e->v2g.last == V2G_AUTHORIZATION && !e->v2g.is_customer_wait) ||
					     e->v2g.last == V2G_CHARGE_PARAMETER_DISCOVERY))
		return evcc_ms(e->cfg.ongoing_timeout_ms);
	return FC_NEVER;
}

void evcc_v2g_slot(struct evcc *e, int64_t now_us, struct out_queue *out)
{
	if (!e->v2g.is_open)
		return;
	if (e->stage == EVCC_NEGOTIATING && !e->v2g.tag &&
	    now_us - e->v2g.begun_us >= evcc_ms(e->cfg.setup_timeout_ms)) {
		fail(e, now_us, e->v2g.protocol ? EVCC_CAUSE_TIMEOUT : EVCC_CAUSE_NO_CHARGER, out);
		return;
	}
	if (e->v2g.asked == V2G_SUPPORTED_APP_PROTOCOL) {
		if (now_us - e->v2g.asked_us >= HANDSHAKE_RETRY_US) {
			e->v2g.asked = V2G_NONE;
			e->v2g.due_us = now_us;
		}
	} else if (e->v2g.asked != V2G_NONE && now_us - e->v2g.asked_us >= answer_limit_us(e)) {
		log_f(&e->log, LOG_NOTE, "no answer stage=%s message=%s", evcc_stage_name(e->stage),
		      v2g_msg_name(e->v2g.asked));
		fail(e, now_us, EVCC_CAUSE_TIMEOUT, out);
	} else if (repeat_limit_us(e) != FC_NEVER && now_us - e->v2g.repeat_us >= repeat_limit_us(e)) {
		fail(e, now_us, EVCC_CAUSE_TIMEOUT, out);
	}
}
