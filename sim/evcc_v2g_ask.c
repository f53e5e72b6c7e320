/* SPDX-License-Identifier: MIT */
/* What each request of the virtual EVCC says. Pure. */
#include "sim/evcc_priv.h"

static void fill_handshake(const struct evcc *e, struct plug_supported_app_protocol_req *m)
{
	bool is_din_first =
		e->cfg.enable_din && (!e->cfg.enable_iso2 || e->cfg.din_priority < e->cfg.iso2_priority);

	if (is_din_first) {
		m->protocol_1 = V2G_PROTOCOL_DIN;
		m->protocol_2 = e->cfg.enable_iso2 ? V2G_PROTOCOL_ISO2 : V2G_PROTOCOL_NONE;
	} else if (e->cfg.enable_iso2) {
		m->protocol_1 = V2G_PROTOCOL_ISO2;
		m->protocol_2 = e->cfg.enable_din ? V2G_PROTOCOL_DIN : V2G_PROTOCOL_NONE;
	}
}

static int64_t capacity_Wh(const struct evcc *e)
{
	return e->battery.energy_capacity_Wh > 0 ? e->battery.energy_capacity_Wh : e->cfg.energy_capacity_Wh;
}

/* Absolute levels become a request relative to what is in the battery (pev-v2.md section 3). */
static void send_charge_parameters(struct evcc *e, int64_t now_us, struct out_queue *out)
{
	int64_t present_Wh = capacity_Wh(e) * e->battery.state_of_charge_permille / 1000;
	int64_t target_Wh = e->has_energy ? e->energy.target_energy_request_Wh : e->cfg.max_energy_Wh;
	struct plug_ev_charge_parameters m = {0};

	m.ev_energy_capacity_Wh = capacity_Wh(e);
	if (target_Wh > 0)
		m.ev_energy_request_Wh =
			(target_Wh < capacity_Wh(e) ? target_Wh : capacity_Wh(e)) - present_Wh;
	m.ev_maximum_power_W = e->cfg.max_power_W;
	m.full_state_of_charge_permille = e->cfg.full_soc * 10;
	m.bulk_state_of_charge_permille = e->cfg.bulk_soc * 10;
	evcc_v2g_send(e, now_us, PLUG_EV_CHARGE_PARAMETERS, &m, out);
}

static void fill_delivery(struct evcc *e, struct plug_power_delivery_req *m)
{
	e->v2g.is_start_asked = e->stage == EVCC_WAITING_FOR_CHARGE;
	m->session_tag = e->v2g.tag;
	m->ev_ready = e->v2g.is_start_asked;
	m->state_of_charge_permille = e->battery.state_of_charge_permille;
	m->charging_complete = e->cause == EVCC_CAUSE_FULL;
	m->charge_progress = e->v2g.is_start_asked ? V2G_PROGRESS_START : V2G_PROGRESS_STOP;
}

static void fill_demand(struct evcc *e, int64_t now_us, struct plug_current_demand_req *m)
{
	m->session_tag = e->v2g.tag;
	m->ev_ready = 1;
	m->state_of_charge_permille = e->battery.state_of_charge_permille;
	m->bulk_complete = e->battery.state_of_charge_permille >= e->cfg.bulk_soc * 10;
	m->target_voltage_mV = e->target_mV = evcc_power_target_mV(e);
	if (e->stage == EVCC_CHARGING)
		m->target_current_mA = evcc_power_request_mA(e, now_us);
	else
		e->request_mA = 0;
}

static void fill_setup(const struct evcc *e, struct plug_session_setup_req *m)
{
	m->evcc_id_byte0 = e->evccid[0];
	m->evcc_id_byte1 = e->evccid[1];
	m->evcc_id_byte2 = e->evccid[2];
	m->evcc_id_byte3 = e->evccid[3];
	m->evcc_id_byte4 = e->evccid[4];
	m->evcc_id_byte5 = e->evccid[5];
}

static void fill_precharge(const struct evcc *e, struct plug_pre_charge_req *m)
{
	m->session_tag = e->v2g.tag;
	m->ev_ready = 1;
	m->state_of_charge_permille = e->battery.state_of_charge_permille;
	m->target_voltage_mV = evcc_power_precharge_mV(e);
	m->target_current_mA = e->cfg.precharge_current_mA;
}

void evcc_v2g_fill(struct evcc *e, int64_t now_us, enum v2g_msg msg, union v2g_any *m, struct out_queue *out)
{
	switch (msg) {
	case V2G_SUPPORTED_APP_PROTOCOL:
		fill_handshake(e, &m->supported_app_protocol_req);
		break;
	case V2G_SESSION_SETUP:
		fill_setup(e, &m->session_setup_req);
		break;
	case V2G_SERVICE_DISCOVERY:
		m->service_discovery_req.session_tag = e->v2g.tag;
		break;
	case V2G_PAYMENT_SERVICE_SELECTION:
		m->payment_service_selection_req.session_tag = e->v2g.tag;
		m->payment_service_selection_req.payment_option = V2G_PAY_EXTERNAL;
		m->payment_service_selection_req.service_id = V2G_SERVICE_CHARGING;
		break;
	case V2G_AUTHORIZATION:
		m->authorization_req.session_tag = e->v2g.tag;
		break;
	case V2G_CHARGE_PARAMETER_DISCOVERY:
		m->charge_parameter_discovery_req.session_tag = e->v2g.tag;
		m->charge_parameter_discovery_req.energy_transfer_mode = e->v2g.transfer;
		m->charge_parameter_discovery_req.state_of_charge_permille =
			e->battery.state_of_charge_permille;
		m->charge_parameter_discovery_req.ev_maximum_voltage_mV = e->cfg.max_voltage_mV;
		m->charge_parameter_discovery_req.ev_maximum_current_mA = e->cfg.max_current_mA;
		send_charge_parameters(e, now_us, out);
		break;
	case V2G_CABLE_CHECK:
		m->cable_check_req.session_tag = e->v2g.tag;
		m->cable_check_req.ev_ready = 1;
		m->cable_check_req.state_of_charge_permille = e->battery.state_of_charge_permille;
		break;
	case V2G_PRE_CHARGE:
		fill_precharge(e, &m->pre_charge_req);
		break;
	case V2G_POWER_DELIVERY:
		fill_delivery(e, &m->power_delivery_req);
		break;
	case V2G_CURRENT_DEMAND:
		fill_demand(e, now_us, &m->current_demand_req);
		break;
	case V2G_WELDING_DETECTION:
		m->welding_detection_req.session_tag = e->v2g.tag;
		m->welding_detection_req.state_of_charge_permille = e->battery.state_of_charge_permille;
		break;
	case V2G_SESSION_STOP:
		m->session_stop_req.session_tag = e->v2g.tag;
		m->session_stop_req.charging_session = V2G_TERMINATE;
		break;
	case V2G_N_MSGS:
		break;
	}
}
