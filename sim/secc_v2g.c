/* SPDX-License-Identifier: MIT */
/*
 * The charging protocol on the virtual SECC: the server side of DIN 70121 and ISO 15118-2. Pure.
 *
 * Every request is answered at once with the last readings of the customer (rule E-63). A request out of
 * order, with a foreign session tag or with parameters that do not fit is answered with its failure code and
 * ends the session.
 */
#include "sim/secc_priv.h"

#include <string.h>

#define BIT(msg) (UINT32_C(1) << (msg))

/* EVSE_Limits is repeated in the loop at least this often: a lost one must not stay lost. */
#define LIMITS_PERIOD_US FC_US_PER_S

void secc_v2g_reset(struct secc *s)
{
	uint32_t n_tags = s->v2g.n_tags;

	memset(&s->v2g, 0, sizeof(s->v2g));
	s->v2g.n_tags = n_tags;
	s->v2g.last = V2G_NONE;
	s->v2g.is_finished = true;
	s->v2g.limits_us = FC_NEVER;
}

static void send(struct secc *s, int64_t now_us, enum plug_msg msg, const void *m, struct out_queue *out)
{
	struct can_frame f;

	s->count.n_clipped += msg_to_frame(&s->layout.plug[msg], m, (unsigned)s->cfg.index, &f);
	plug_tx_frame(&s->tx, now_us, &f, out);
}

static void accepted(struct secc *s, enum v2g_msg msg, bool is_finished)
{
	s->v2g.last = msg;
	s->v2g.is_finished = is_finished;
}

/* The head that all answers but the handshake's share: tag, code, and a status in the fourth byte. */
static void answer_failure(struct secc *s, int64_t now_us, enum v2g_msg msg, uint8_t code, uint8_t status,
			   struct out_queue *out)
{
	const struct msg_layout *l = &s->layout.plug[v2g_answer_layout(msg)];
	union v2g_any m;
	struct can_frame f;

	memset(&m, 0, sizeof(m));
	if (msg == V2G_SUPPORTED_APP_PROTOCOL) {
		m.supported_app_protocol_res.handshake_code = V2G_HANDSHAKE_FAILED;
		send(s, now_us, v2g_answer_layout(msg), &m, out);
		return;
	}
	msg_to_frame(l, &m, (unsigned)s->cfg.index, &f);
	f.data[0] = (uint8_t)s->v2g.tag;
	f.data[1] = (uint8_t)(s->v2g.tag >> 8);
	f.data[2] = code;
	if (msg >= V2G_CHARGE_PARAMETER_DISCOVERY && msg <= V2G_WELDING_DETECTION)
		f.data[3] = (uint8_t)(status << 4);
	plug_tx_frame(&s->tx, now_us, &f, out);
}

static void refuse(struct secc *s, int64_t now_us, enum v2g_msg msg, uint8_t code, enum secc_cause cause,
		   struct out_queue *out)
{
	answer_failure(s, now_us, msg, code, secc_cause_row(cause)->status, out);
	log_f(&s->log, LOG_NOTE, "refused request=%s code=%s", v2g_msg_name(msg), v2g_code_name(code));
	secc_end(s, now_us, cause, out);
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
		refuse(s, now_us, V2G_SUPPORTED_APP_PROTOCOL, V2G_FAILED, SECC_CAUSE_NO_PROTOCOL, out);
		return;
	}
	a.handshake_code = V2G_HANDSHAKE_OK;
	a.protocol = (uint8_t)s->v2g.protocol;
	accepted(s, V2G_SUPPORTED_APP_PROTOCOL, true);
	send(s, now_us, PLUG_SUPPORTED_APP_PROTOCOL_RES, &a, out);
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
	send(s, now_us, PLUG_SESSION_SETUP_RES, &a, out);
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
	send(s, now_us, PLUG_SERVICE_DISCOVERY_RES, &a, out);
}

static void on_payment(struct secc *s, int64_t now_us, const union v2g_any *q, struct out_queue *out)
{
	const struct plug_payment_service_selection_req *r = &q->payment_service_selection_req;
	struct plug_payment_service_selection_res a = {0};

	if (r->payment_option != V2G_PAY_EXTERNAL) {
		refuse(s, now_us, V2G_PAYMENT_SERVICE_SELECTION, V2G_FAILED_PAYMENT_SELECTION,
		       SECC_CAUSE_PARAMETERS, out);
		return;
	}
	if (r->service_id != V2G_SERVICE_CHARGING) {
		refuse(s, now_us, V2G_PAYMENT_SERVICE_SELECTION, V2G_FAILED_SERVICE_SELECTION,
		       SECC_CAUSE_PARAMETERS, out);
		return;
	}
	a.session_tag = s->v2g.tag;
	a.response_code = V2G_OK;
	accepted(s, V2G_PAYMENT_SERVICE_SELECTION, true);
	send(s, now_us, PLUG_PAYMENT_SERVICE_SELECTION_RES, &a, out);
}

static void on_authorization(struct secc *s, int64_t now_us, struct out_queue *out)
{
	bool is_external = s->cfg.use_sequence_flags && !s->cfg.free_service;
	struct plug_authorization_res a = {0};

	if (is_external && s->state == SECC_NEGOTIATING)
		secc_enter(s, now_us, SECC_AUTHORISATION, out);
	if (is_external && s->flags.ccs_authorisation_done && !s->flags.ccs_authorisation_valid) {
		refuse(s, now_us, V2G_AUTHORIZATION, V2G_FAILED, SECC_CAUSE_REFUSED, out);
		return;
	}
	a.session_tag = s->v2g.tag;
	a.response_code = V2G_OK;
	a.processing = V2G_FINISHED;
	/* Waiting for a person: ISO 15118-2 can say so, which stops the vehicle's time limit. */
	if (is_external && !s->flags.ccs_authorisation_done)
		a.processing = s->v2g.protocol == V2G_PROTOCOL_DIN ? V2G_ONGOING : V2G_ONGOING_CUSTOMER;
	accepted(s, V2G_AUTHORIZATION, a.processing == V2G_FINISHED);
	send(s, now_us, PLUG_AUTHORIZATION_RES, &a, out);
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
	send(s, now_us, PLUG_EVSE_LIMITS, &m, out);
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
		refuse(s, now_us, V2G_CHARGE_PARAMETER_DISCOVERY, code, SECC_CAUSE_PARAMETERS, out);
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
	send(s, now_us, PLUG_CHARGE_PARAMETER_DISCOVERY_RES, &a, out);
}

/* ---- with power ------------------------------------------------------------------------------------------- */

static void keep_soc(struct secc *s, int32_t soc_permille)
{
	if (soc_permille != s->vehicle.soc_permille) {
		s->vehicle.soc_permille = soc_permille;
		s->info_due |= SECC_INFO_BATTERY;
	}
}

/* An error code of the vehicle in a request of a powered phase; true when the session is over by it. */
static bool has_failed(struct secc *s, int64_t now_us, enum v2g_msg msg, uint8_t error, struct out_queue *out)
{
	s->vehicle.error = error;
	if (error == V2G_EV_OK)
		return false;
	answer_failure(s, now_us, msg, V2G_FAILED, V2G_EVSE_EMERGENCY, out);
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
	send(s, now_us, PLUG_CABLE_CHECK_RES, &a, out);
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
	send(s, now_us, PLUG_PRE_CHARGE_RES, &a, out);
}

static void answer_delivery(struct secc *s, int64_t now_us, struct out_queue *out)
{
	struct plug_power_delivery_res a = {0};

	a.session_tag = s->v2g.tag;
	a.response_code = V2G_OK;
	a.notification = notification(s);
	a.status_code = status_now(s);
	a.isolation_status = s->v2g.isolation;
	send(s, now_us, PLUG_POWER_DELIVERY_RES, &a, out);
}

static void on_delivery_start(struct secc *s, int64_t now_us, struct out_queue *out)
{
	if (s->state != SECC_PRECHARGE) {
		refuse(s, now_us, V2G_POWER_DELIVERY, V2G_FAILED_SEQUENCE_ERROR, SECC_CAUSE_SEQUENCE_ERROR,
		       out);
		return;
	}
	/* The vehicle left precharge: float, contactors stay (rule E-53); then state 6 says so again (E-55). */
	secc_power_standby(s, now_us, true, false, SECC_ONCE, out);
	accepted(s, V2G_POWER_DELIVERY, true);
	s->v2g.is_started = true;
	secc_enter(s, now_us, SECC_WAITING_FOR_CHARGE, out);
	s->v2g.is_start_pending = s->cfg.waiting_ms > 0;
	if (!s->v2g.is_start_pending)
		answer_delivery(s, now_us, out);
}

static void on_delivery(struct secc *s, int64_t now_us, const union v2g_any *q, struct out_queue *out)
{
	if (q->power_delivery_req.charge_progress == V2G_PROGRESS_START) {
		on_delivery_start(s, now_us, out);
		return;
	}
	if (q->power_delivery_req.charge_progress != V2G_PROGRESS_STOP) {
		refuse(s, now_us, V2G_POWER_DELIVERY, V2G_FAILED, SECC_CAUSE_SEQUENCE_ERROR, out);
		return;
	}
	accepted(s, V2G_POWER_DELIVERY, true);
	s->v2g.is_start_pending = false;
	if (s->v2g.is_started) {
		s->v2g.is_started = false;
		secc_enter(s, now_us, SECC_ENDING_CHARGE, out);
		answer_delivery(s, now_us, out);
	} else {
		/* Given up before it began. */
		answer_delivery(s, now_us, out);
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
	send(s, now_us, PLUG_CURRENT_DEMAND_RES, &a, out);
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
	send(s, now_us, PLUG_WELDING_DETECTION_RES, &a, out);
}

static void on_session_stop(struct secc *s, int64_t now_us, struct out_queue *out)
{
	struct plug_session_stop_res a = {0};

	a.session_tag = s->v2g.tag;
	a.response_code = V2G_OK;
	accepted(s, V2G_SESSION_STOP, true);
	send(s, now_us, PLUG_SESSION_STOP_RES, &a, out);
	secc_end(s, now_us, SECC_CAUSE_VEHICLE, out);
}

/* ---- dispatch --------------------------------------------------------------------------------------------- */

static void dispatch(struct secc *s, int64_t now_us, enum v2g_msg msg, const union v2g_any *q,
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

/* After the end of a session the vehicle's questions still get their answer, and it may say goodbye. */
static void answer_closing(struct secc *s, int64_t now_us, enum v2g_msg msg, struct out_queue *out)
{
	const struct secc_cause_row *row = secc_cause_row(s->cause);

	if (msg == V2G_SESSION_STOP) {
		struct plug_session_stop_res a = {.session_tag = s->v2g.tag, .response_code = V2G_OK};

		send(s, now_us, PLUG_SESSION_STOP_RES, &a, out);
	} else {
		answer_failure(s, now_us, msg, row->code, row->status, out);
	}
}

static void request(struct secc *s, int64_t now_us, enum v2g_msg msg, const struct can_frame *f,
		    struct out_queue *out)
{
	uint16_t tag = (uint16_t)(f->data[0] | f->data[1] << 8);
	bool has_tag = msg != V2G_SUPPORTED_APP_PROTOCOL && msg != V2G_SESSION_SETUP;
	union v2g_any q;

	if (s->state == SECC_CLOSING) {
		answer_closing(s, now_us, msg, out);
		return;
	}
	/* No connection, no answer. */
	if (!secc_state_row(s->state)->is_session)
		return;
	s->v2g.last_rx_us = now_us;
	if (has_tag && tag != s->v2g.tag) {
		refuse(s, now_us, msg, V2G_FAILED_UNKNOWN_SESSION, SECC_CAUSE_UNKNOWN_SESSION, out);
		return;
	}
	if (!(v2g_allowed_after(s->v2g.last, s->v2g.is_finished, s->v2g.is_started) & BIT(msg))) {
		refuse(s, now_us, msg, V2G_FAILED_SEQUENCE_ERROR, SECC_CAUSE_SEQUENCE_ERROR, out);
		return;
	}
	memset(&q, 0, sizeof(q));
	s->layout.plug[v2g_request_layout(msg)].unpack(&q, f->data);
	dispatch(s, now_us, msg, &q, out);
}

static void extra_parameters(struct secc *s, const struct can_frame *f)
{
	struct plug_ev_charge_parameters m = {0};

	s->layout.plug[PLUG_EV_CHARGE_PARAMETERS].unpack(&m, f->data);
	s->vehicle.capacity_Wh = m.ev_energy_capacity_Wh;
	s->vehicle.energy_Wh = m.ev_energy_request_Wh;
	s->vehicle.p_max_W = m.ev_maximum_power_W;
	s->vehicle.soc_full_permille = m.full_state_of_charge_permille;
	s->vehicle.soc_bulk_permille = m.bulk_state_of_charge_permille;
}

bool secc_v2g_rx(struct secc *s, int64_t now_us, const struct can_frame *f, struct out_queue *out)
{
	unsigned offset = plug_offset(f);
	bool is_request = offset - PLUG_V2G_OFFSET < 2 * V2G_N_MSGS && !(offset & 1);

	if (!is_request && offset != (s->layout.plug[PLUG_EV_CHARGE_PARAMETERS].id & 0xFFFFu))
		return false;
	if (f->can_dlc != 8) {
		s->count.n_dropped++;
		return true;
	}
	if (is_request)
		request(s, now_us, (enum v2g_msg)((offset - PLUG_V2G_OFFSET) / 2), f, out);
	else
		extra_parameters(s, f);
	return true;
}

void secc_v2g_abandon(struct secc *s, int64_t now_us, struct out_queue *out)
{
	const struct secc_cause_row *row = secc_cause_row(s->cause);

	if (!s->v2g.is_start_pending)
		return;
	s->v2g.is_start_pending = false;
	answer_failure(s, now_us, V2G_POWER_DELIVERY, row->code, row->status, out);
}

void secc_v2g_slot(struct secc *s, int64_t now_us, struct out_queue *out)
{
	int64_t setup_us = (int64_t)s->cfg.setup_timeout_ms * FC_US_PER_MS;

	if (s->v2g.is_start_pending && s->state == SECC_WAITING_FOR_CHARGE &&
	    now_us - s->entered_us >= (int64_t)s->cfg.waiting_ms * FC_US_PER_MS) {
		s->v2g.is_start_pending = false;
		answer_delivery(s, now_us, out);
	}
	if (!secc_state_row(s->state)->is_session)
		return;
	if (s->v2g.tag == 0 && now_us - s->session_us >= setup_us)
		secc_end(s, now_us, SECC_CAUSE_SETUP_TIMEOUT, out);
	else if (s->v2g.tag != 0 &&
		 now_us - s->v2g.last_rx_us >= (int64_t)s->cfg.sequence_timeout_ms * FC_US_PER_MS)
		secc_end(s, now_us, SECC_CAUSE_SEQUENCE_TIMEOUT, out);
}
