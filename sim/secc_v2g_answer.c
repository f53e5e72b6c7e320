/* SPDX-License-Identifier: MIT */
/*
 * The answers of the virtual SECC to each request of the charging protocol. Pure.
 *
 * Every request is answered at once with the last readings of the customer (rule E-63). Parameters that do not
 * fit are answered with their failure code and end the session.
 */
#include "sim/secc_priv.h"

#include <string.h>

/* EVSE_Limits is repeated in the loop at least this often: a lost one must not stay lost. */
#define LIMITS_PERIOD_US FC_US_PER_S

static void accepted(struct secc *s, enum v2g_msg msg, bool is_finished)
{
	s->v2g.last = msg;
	s->v2g.is_finished = is_finished;
}

static uint8_t status_now(const struct secc *s)
{
	if (s->is_stop_requested)
		return V2G_EVSE_SHUTDOWN;
	if (s->state == SECC_INSULATION_TEST && s->step != SECC_STEP_PASSED)
		return V2G_EVSE_ISOLATION_MONITORING;
	return s->state == SECC_FULL_INFO ? V2G_EVSE_NOT_READY : V2G_EVSE_READY;
}

static uint8_t notification(const struct secc *s)
{
	return s->is_stop_requested ? V2G_NOTIFY_STOP : V2G_NOTIFY_NONE;
}

/* ---- set-up ----------------------------------------------------------------------------------------------- */

static bool speaks(const struct secc *s, unsigned protocol)
{
	return (protocol == V2G_PROTOCOL_DIN && s->cfg.enable_din) ||
	       (protocol == V2G_PROTOCOL_ISO2 && s->cfg.enable_iso2);
}

/* wanted[] is in the vehicle's order. */
static enum v2g_protocol choose(const struct secc *s, const unsigned wanted[3])
{
	enum v2g_protocol best = V2G_PROTOCOL_NONE;
	unsigned i;

	for (i = 0; i < 3; i++) {
		if (!speaks(s, wanted[i]))
			continue;
		if (best == V2G_PROTOCOL_NONE ||
		    (s->cfg.priority == SECC_PRIO_LATEST && wanted[i] > (unsigned)best) ||
		    (s->cfg.priority == SECC_PRIO_OLDEST && wanted[i] < (unsigned)best))
			best = (enum v2g_protocol)wanted[i];
	}
	return best;
}

static void on_handshake(struct secc *s, int64_t now_us, const union v2g_any *q, struct out_queue *out)
{
	const unsigned wanted[3] = {q->supported_app_protocol_req.protocol_1,
				    q->supported_app_protocol_req.protocol_2,
				    q->supported_app_protocol_req.protocol_3};
	struct plug_supported_app_protocol_res a = {0};

	s->v2g.protocol = choose(s, wanted);
	if (s->v2g.protocol == V2G_PROTOCOL_NONE) {
		secc_v2g_refuse(s, now_us, V2G_SUPPORTED_APP_PROTOCOL, V2G_FAILED, SECC_CAUSE_NO_PROTOCOL,
				out);
		return;
	}
	a.handshake_code = V2G_HANDSHAKE_OK;
	a.protocol = (uint8_t)s->v2g.protocol;
	accepted(s, V2G_SUPPORTED_APP_PROTOCOL, true);
	secc_v2g_send(s, now_us, PLUG_SUPPORTED_APP_PROTOCOL_RES, &a, out);
}

/* Tags differ from session to session and repeat from run to run; never 0. */
static uint16_t new_tag(struct secc *s)
{
	uint32_t x = (uint32_t)s->cfg.seed * 2654435761u + (uint32_t)s->cfg.index * 40503u +
		     ++s->v2g.n_tags * 7919u;

	x ^= x >> 15;
	return (uint16_t)(x % 65535u + 1);
}

static void on_setup(struct secc *s, int64_t now_us, const union v2g_any *q, struct out_queue *out)
{
	const struct plug_session_setup_req *r = &q->session_setup_req;
	const uint8_t id[V2G_EVCCID_LEN] = {r->evcc_id_byte0, r->evcc_id_byte1, r->evcc_id_byte2,
					    r->evcc_id_byte3, r->evcc_id_byte4, r->evcc_id_byte5};
	struct plug_session_setup_res a = {0};

	memcpy(s->vehicle.evccid, id, sizeof(id));
	s->vehicle.has_evccid = (id[0] | id[1] | id[2] | id[3] | id[4] | id[5]) != 0;
	s->v2g.tag = new_tag(s);
	a.session_tag = s->v2g.tag;
	a.response_code = V2G_OK_NEW_SESSION;
	a.evse_id = (uint32_t)s->cfg.evse_id;
	accepted(s, V2G_SESSION_SETUP, true);
	secc_v2g_send(s, now_us, PLUG_SESSION_SETUP_RES, &a, out);
}

static void on_services(struct secc *s, int64_t now_us, struct out_queue *out)
{
	struct plug_service_discovery_res a = {0};

	a.session_tag = s->v2g.tag;
	a.response_code = V2G_OK;
	a.payment_option = V2G_PAY_EXTERNAL;
	a.free_service = s->cfg.free_service != 0;
	a.energy_transfer_mode = (uint8_t)s->cfg.energy_transfer;
	a.service_id = V2G_SERVICE_CHARGING;
	accepted(s, V2G_SERVICE_DISCOVERY, true);
	secc_v2g_send(s, now_us, PLUG_SERVICE_DISCOVERY_RES, &a, out);
}

static void on_payment(struct secc *s, int64_t now_us, const union v2g_any *q, struct out_queue *out)
{
	const struct plug_payment_service_selection_req *r = &q->payment_service_selection_req;
	struct plug_payment_service_selection_res a = {0};

	if (r->payment_option != V2G_PAY_EXTERNAL) {
		secc_v2g_refuse(s, now_us, V2G_PAYMENT_SERVICE_SELECTION, V2G_FAILED_PAYMENT_SELECTION,
				SECC_CAUSE_PARAMETERS, out);
		return;
	}
	if (r->service_id != V2G_SERVICE_CHARGING) {
		secc_v2g_refuse(s, now_us, V2G_PAYMENT_SERVICE_SELECTION, V2G_FAILED_SERVICE_SELECTION,
				SECC_CAUSE_PARAMETERS, out);
		return;
	}
	a.session_tag = s->v2g.tag;
	a.response_code = V2G_OK;
	accepted(s, V2G_PAYMENT_SERVICE_SELECTION, true);
	secc_v2g_send(s, now_us, PLUG_PAYMENT_SERVICE_SELECTION_RES, &a, out);
}

static void on_authorization(struct secc *s, int64_t now_us, struct out_queue *out)
{
	bool is_external = s->cfg.use_sequence_flags && !s->cfg.free_service;
	struct plug_authorization_res a = {0};

	if (is_external && s->state == SECC_NEGOTIATING)
		secc_enter(s, now_us, SECC_AUTHORISATION, out);
	if (is_external && s->flags.ccs_authorisation_done && !s->flags.ccs_authorisation_valid) {
		secc_v2g_refuse(s, now_us, V2G_AUTHORIZATION, V2G_FAILED, SECC_CAUSE_REFUSED, out);
		return;
	}
	a.session_tag = s->v2g.tag;
	a.response_code = V2G_OK;
	a.processing = V2G_FINISHED;
	/* Waiting for a person: ISO 15118-2 can say so, which stops the vehicle's time limit. */
	if (is_external && !s->flags.ccs_authorisation_done)
		a.processing = s->v2g.protocol == V2G_PROTOCOL_DIN ? V2G_ONGOING : V2G_ONGOING_CUSTOMER;
	accepted(s, V2G_AUTHORIZATION, a.processing == V2G_FINISHED);
	secc_v2g_send(s, now_us, PLUG_AUTHORIZATION_RES, &a, out);
}

static void send_limits(struct secc *s, int64_t now_us, struct out_queue *out)
{
	struct plug_evse_limits m = {0};

	m.evse_maximum_voltage_mV = secc_limit_voltage_mV(s);
	m.evse_maximum_current_mA = secc_limit_current_mA(s, 0);
	m.evse_maximum_power_W = secc_limit_power_W(s);
	m.voltage_limit_achieved = s->v2g.v_limited;
	m.current_limit_achieved = s->v2g.i_limited;
	m.power_limit_achieved = s->v2g.p_limited;
	m.isolation_status = s->v2g.isolation;
	if (s->v2g.limits_us != FC_NEVER && now_us - s->v2g.limits_us < LIMITS_PERIOD_US &&
	    memcmp(&m, &s->v2g.limits, sizeof(m)) == 0)
		return;
	s->v2g.limits = m;
	s->v2g.limits_us = now_us;
	secc_v2g_send(s, now_us, PLUG_EVSE_LIMITS, &m, out);
}

static bool fits(const struct secc *s, const struct plug_charge_parameter_discovery_req *r, uint8_t *code)
{
	if (r->energy_transfer_mode != V2G_DC_CORE && r->energy_transfer_mode != V2G_DC_EXTENDED) {
		*code = V2G_FAILED_WRONG_ENERGY_TRANSFER_MODE;
		return false;
	}
	*code = V2G_FAILED_WRONG_CHARGE_PARAMETER;
	return r->ev_maximum_voltage_mV > 0 && r->ev_maximum_voltage_mV >= s->cfg.min_voltage_mV &&
	       r->ev_error_code == V2G_EV_OK;
}

static void on_parameters(struct secc *s, int64_t now_us, const union v2g_any *q, struct out_queue *out)
{
	const struct plug_charge_parameter_discovery_req *r = &q->charge_parameter_discovery_req;
	struct plug_charge_parameter_discovery_res a = {0};
	bool is_ready = now_us - s->session_us >= (int64_t)s->cfg.negotiation_ms * FC_US_PER_MS;
	uint8_t code;

	if (!fits(s, r, &code)) {
		secc_v2g_refuse(s, now_us, V2G_CHARGE_PARAMETER_DISCOVERY, code, SECC_CAUSE_PARAMETERS, out);
		return;
	}
	s->vehicle.soc_permille = r->state_of_charge_permille;
	s->vehicle.v_max_mV = r->ev_maximum_voltage_mV;
	s->vehicle.i_max_mA = r->ev_maximum_current_mA;
	if (is_ready && s->state != SECC_FULL_INFO)
		secc_enter(s, now_us, SECC_FULL_INFO, out);
	if (s->cfg.use_sequence_flags && !s->flags.charge_parameters_done)
		is_ready = false;
	a.session_tag = s->v2g.tag;
	a.response_code = V2G_OK;
	a.processing = is_ready ? V2G_FINISHED : V2G_ONGOING;
	a.notification = notification(s);
	a.status_code = status_now(s);
	a.evse_minimum_voltage_mV = s->cfg.min_voltage_mV;
	a.evse_minimum_current_mA = s->cfg.min_current_mA;
	accepted(s, V2G_CHARGE_PARAMETER_DISCOVERY, is_ready);
	if (is_ready) {
		s->v2g.limits_us = FC_NEVER;
		send_limits(s, now_us, out);
	}
	secc_v2g_send(s, now_us, PLUG_CHARGE_PARAMETER_DISCOVERY_RES, &a, out);
}

/* ---- with power ------------------------------------------------------------------------------------------- */

static void keep_soc(struct secc *s, int32_t soc_permille)
{
	if (soc_permille != s->vehicle.soc_permille) {
		s->vehicle.soc_permille = soc_permille;
		s->info_due |= SECC_INFO_BATTERY;
		secc_power_refresh(s);
	}
}

/* An error code of the vehicle in a request of a powered phase; true when the session is over by it. */
static bool has_failed(struct secc *s, int64_t now_us, enum v2g_msg msg, uint8_t error, struct out_queue *out)
{
	s->vehicle.error = error;
	if (error == V2G_EV_OK)
		return false;
	secc_v2g_fail(s, now_us, msg, V2G_FAILED, V2G_EVSE_EMERGENCY, out);
	secc_emergency(s, now_us, SECC_CAUSE_VEHICLE_EMERGENCY, SECC_ORIGIN_PEV, out);
	return true;
}

static void on_cable_check(struct secc *s, int64_t now_us, const union v2g_any *q, struct out_queue *out)
{
	struct plug_cable_check_res a = {0};
	bool is_passed;

	if (has_failed(s, now_us, V2G_CABLE_CHECK, q->cable_check_req.ev_error_code, out))
		return;
	keep_soc(s, q->cable_check_req.state_of_charge_permille);
	/* The vehicle may come to pilot C a little after its first request; the test does not start before. */
	if (s->state == SECC_FULL_INFO && (s->cp == CP_C || s->cp == CP_D))
		secc_enter(s, now_us, SECC_INSULATION_TEST, out);
	is_passed = s->state == SECC_INSULATION_TEST && s->step == SECC_STEP_PASSED;
	a.session_tag = s->v2g.tag;
	a.response_code = V2G_OK;
	a.processing = is_passed ? V2G_FINISHED : V2G_ONGOING;
	a.notification = notification(s);
	a.status_code = status_now(s);
	a.isolation_status = s->v2g.isolation;
	accepted(s, V2G_CABLE_CHECK, is_passed);
	secc_v2g_send(s, now_us, PLUG_CABLE_CHECK_RES, &a, out);
}

static void on_precharge(struct secc *s, int64_t now_us, const union v2g_any *q, struct out_queue *out)
{
	const struct plug_pre_charge_req *r = &q->pre_charge_req;
	struct plug_pre_charge_res a = {0};

	if (has_failed(s, now_us, V2G_PRE_CHARGE, r->ev_error_code, out))
		return;
	s->vehicle.v_target_mV = r->target_voltage_mV;
	s->vehicle.i_target_mA = r->target_current_mA;
	keep_soc(s, r->state_of_charge_permille);
	if (s->state != SECC_PRECHARGE)
		secc_enter(s, now_us, SECC_PRECHARGE, out);
	secc_power_precharge(s, now_us, out);
	a.session_tag = s->v2g.tag;
	a.response_code = V2G_OK;
	a.notification = notification(s);
	a.status_code = status_now(s);
	a.isolation_status = s->v2g.isolation;
	a.present_voltage_mV = s->pms.present_voltage_mV;
	accepted(s, V2G_PRE_CHARGE, true);
	secc_v2g_send(s, now_us, PLUG_PRE_CHARGE_RES, &a, out);
}

void secc_v2g_answer_delivery(struct secc *s, int64_t now_us, struct out_queue *out)
{
	struct plug_power_delivery_res a = {0};

	a.session_tag = s->v2g.tag;
	a.response_code = V2G_OK;
	a.notification = notification(s);
	a.status_code = status_now(s);
	a.isolation_status = s->v2g.isolation;
	secc_v2g_send(s, now_us, PLUG_POWER_DELIVERY_RES, &a, out);
}

static void on_delivery_start(struct secc *s, int64_t now_us, struct out_queue *out)
{
	if (s->state != SECC_PRECHARGE) {
		secc_v2g_refuse(s, now_us, V2G_POWER_DELIVERY, V2G_FAILED_SEQUENCE_ERROR,
				SECC_CAUSE_SEQUENCE_ERROR, out);
		return;
	}
	/* The vehicle left precharge: float, contactors stay (rule E-53); then state 6 says so again (E-55). */
	secc_power_standby(s, now_us, true, false, SECC_ONCE, out);
	accepted(s, V2G_POWER_DELIVERY, true);
	s->v2g.is_started = true;
	secc_enter(s, now_us, SECC_WAITING_FOR_CHARGE, out);
	s->v2g.is_start_pending = s->cfg.waiting_ms > 0;
	if (!s->v2g.is_start_pending)
		secc_v2g_answer_delivery(s, now_us, out);
}

static void on_delivery(struct secc *s, int64_t now_us, const union v2g_any *q, struct out_queue *out)
{
	if (q->power_delivery_req.charge_progress == V2G_PROGRESS_START) {
		on_delivery_start(s, now_us, out);
		return;
	}
	if (q->power_delivery_req.charge_progress != V2G_PROGRESS_STOP) {
		secc_v2g_refuse(s, now_us, V2G_POWER_DELIVERY, V2G_FAILED, SECC_CAUSE_SEQUENCE_ERROR, out);
		return;
	}
	accepted(s, V2G_POWER_DELIVERY, true);
	s->v2g.is_start_pending = false;
	if (s->v2g.is_started) {
		s->v2g.is_started = false;
		secc_enter(s, now_us, SECC_ENDING_CHARGE, out);
		secc_v2g_answer_delivery(s, now_us, out);
	} else {
		/* Given up before it began. */
		secc_v2g_answer_delivery(s, now_us, out);
		secc_end(s, now_us, SECC_CAUSE_VEHICLE, out);
	}
}

static void on_current_demand(struct secc *s, int64_t now_us, const union v2g_any *q, struct out_queue *out)
{
	const struct plug_current_demand_req *r = &q->current_demand_req;
	struct plug_current_demand_res a = {0};

	if (has_failed(s, now_us, V2G_CURRENT_DEMAND, r->ev_error_code, out))
		return;
	s->v2g.is_start_pending = false;
	s->vehicle.v_target_mV = r->target_voltage_mV;
	s->vehicle.i_target_mA = r->target_current_mA;
	keep_soc(s, r->state_of_charge_permille);
	/* The first setpoint goes out before state 7: customers take their start value from it (evse-v3.md section 14). */
	secc_power_transfer(s, now_us, out);
	if (s->state != SECC_CHARGING)
		secc_enter(s, now_us, SECC_CHARGING, out);
	if (s->state != SECC_CHARGING)
		return;
	send_limits(s, now_us, out);
	a.session_tag = s->v2g.tag;
	a.response_code = V2G_OK;
	a.notification = notification(s);
	a.status_code = status_now(s);
	a.present_voltage_mV = s->pms.present_voltage_mV;
	a.present_current_mA = s->pms.present_current_mA;
	accepted(s, V2G_CURRENT_DEMAND, true);
	secc_v2g_send(s, now_us, PLUG_CURRENT_DEMAND_RES, &a, out);
}

static void on_welding(struct secc *s, int64_t now_us, const union v2g_any *q, struct out_queue *out)
{
	struct plug_welding_detection_res a = {0};

	keep_soc(s, q->welding_detection_req.state_of_charge_permille);
	if (s->state != SECC_WELDING_DETECTION)
		secc_enter(s, now_us, SECC_WELDING_DETECTION, out);
	a.session_tag = s->v2g.tag;
	a.response_code = V2G_OK;
	a.status_code = status_now(s);
	a.isolation_status = s->v2g.isolation;
	a.present_voltage_mV = s->pms.present_voltage_mV;
	accepted(s, V2G_WELDING_DETECTION, true);
	secc_v2g_send(s, now_us, PLUG_WELDING_DETECTION_RES, &a, out);
}

static void on_session_stop(struct secc *s, int64_t now_us, struct out_queue *out)
{
	struct plug_session_stop_res a = {0};

	a.session_tag = s->v2g.tag;
	a.response_code = V2G_OK;
	accepted(s, V2G_SESSION_STOP, true);
	secc_v2g_send(s, now_us, PLUG_SESSION_STOP_RES, &a, out);
	secc_end(s, now_us, SECC_CAUSE_VEHICLE, out);
}

void secc_v2g_answer(struct secc *s, int64_t now_us, enum v2g_msg msg, const union v2g_any *q,
		     struct out_queue *out)
{
	switch (msg) {
	case V2G_SUPPORTED_APP_PROTOCOL:
		on_handshake(s, now_us, q, out);
		break;
	case V2G_SESSION_SETUP:
		on_setup(s, now_us, q, out);
		break;
	case V2G_SERVICE_DISCOVERY:
		on_services(s, now_us, out);
		break;
	case V2G_PAYMENT_SERVICE_SELECTION:
		on_payment(s, now_us, q, out);
		break;
	case V2G_AUTHORIZATION:
		on_authorization(s, now_us, out);
		break;
	case V2G_CHARGE_PARAMETER_DISCOVERY:
		on_parameters(s, now_us, q, out);
		break;
	case V2G_CABLE_CHECK:
		on_cable_check(s, now_us, q, out);
		break;
	case V2G_PRE_CHARGE:
		on_precharge(s, now_us, q, out);
		break;
	case V2G_POWER_DELIVERY:
		on_delivery(s, now_us, q, out);
		break;
	case V2G_CURRENT_DEMAND:
		on_current_demand(s, now_us, q, out);
		break;
	case V2G_WELDING_DETECTION:
		on_welding(s, now_us, q, out);
		break;
	case V2G_SESSION_STOP:
		on_session_stop(s, now_us, out);
		break;
	case V2G_N_MSGS:
		break;
	}
}
