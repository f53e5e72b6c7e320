/* SPDX-License-Identifier: MIT */
/* The virtual EVCC under random events. */
#include "tests/lib/module_chaos_priv.h"

#include "sim/evcc.h"

struct evcc_watch {
	struct evcc *evcc;
	struct out_queue out;
	int64_t now_us;
	bool was_close;
	enum evcc_lock last_lock;
	bool is_vehicle_well, is_charger_well; /* behave by themselves, every 100 ms */
	struct module_chaos_result *result;
};

static bool is_young(const struct evcc_watch *w, const struct rx_watch *x)
{
	return x->last_us != FC_NEVER && w->now_us - x->last_us < 500000;
}

static void check_evcc_frame(struct evcc_watch *w, const struct can_frame *f)
{
	const struct evcc *e = w->evcc;
	int msg;

	w->result->n_frames++;
	must(!(f->can_id & (CAN_RTR_FLAG | CAN_ERR_FLAG)));
	if (f->can_id & CAN_EFF_FLAG) {
		if (f->can_id == (plug_layouts[0][PLUG_CURRENT_DEMAND_REQ].id | 1u << MSG_INDEX_SHIFT)) {
			struct plug_current_demand_req m = {0};

			plug_layouts[0][PLUG_CURRENT_DEMAND_REQ].unpack(&m, f->data);
			must(m.target_current_mA >= 0 && m.target_current_mA <= e->cfg.max_current_mA);
			must(m.target_current_mA <= fc_max_i32(e->dc1.max_charge_current_mA, 0));
			must(m.target_voltage_mV <= e->cfg.max_voltage_mV);
		}
		return;
	}
	msg = pev_find((enum pev_version)e->cfg.protocol, f->can_id);
	must(msg >= 0 && f->can_dlc == e->pev[msg].dlc);
	must(msg != PEV_EVSE_INFORMATION || f->data[0] <= 10);
}

static void check_evcc(struct evcc_watch *w)
{
	const struct evcc *e = w->evcc;
	int32_t dv_mV = e->dc2.inlet_voltage_mV - e->dc2.battery_voltage_mV;
	uint32_t i;

	/* Close is said only in precharge, on a fresh match with a battery there (rule P-21). */
	if (e->is_close_commanded && !w->was_close)
		must((e->stage == EVCC_PRECHARGE || e->stage == EVCC_WAITING_FOR_CHARGE) &&
		     e->dc2.battery_voltage_mV > 20000 && dv_mV <= 20000 && dv_mV >= -20000 &&
		     is_young(w, &e->dc2_watch));
	must(!e->is_close_commanded || e->stage >= EVCC_PRECHARGE);
	/* The lock lets go only when rule P-44 holds. */
	if (e->lock == EVCC_UNLOCKING && w->last_lock == EVCC_LOCKED)
		must(!e->is_close_commanded && !e->dc2.contactors_closed &&
		     e->dc2.inlet_voltage_mV <= 60000 && fc_abs_i32(e->dc1.present_current_mA) <= 1000 &&
		     is_young(w, &e->dc1_watch) && is_young(w, &e->dc2_watch));
	must(e->stage != EVCC_CHARGING || e->lock == EVCC_LOCKED || e->lock == EVCC_UNLOCKING);
	must(e->resistance != CP_C || (e->stage >= EVCC_INSULATION_TEST && e->stage <= EVCC_ENDING_CHARGE) ||
	     (e->stage == EVCC_CLOSING && e->v2g.is_open));
	w->was_close = e->is_close_commanded;
	w->last_lock = e->lock;
	for (i = 0; i < w->out.n; i++)
		check_evcc_frame(w, &w->out.item[i].u.frame);
	must(w->out.n_dropped == 0);
	out_queue_clear(&w->out);
	w->result->visited |= UINT32_C(1) << e->stage;
}

static void evcc_rx(struct evcc_watch *w, const struct machine *m, const struct can_frame *f)
{
	m->ops->rx(m->self, w->now_us, f, &w->out);
	check_evcc(w);
}

static void well_vehicle_frames(struct evcc_watch *w, const struct machine *m)
{
	const struct evcc *e = w->evcc;
	struct pev_dc_status1 dc1 = {.max_charge_current_mA = 150000};
	struct pev_dc_status2 dc2 = {.battery_voltage_mV = 330000,
				     .contactors_closed = e->is_close_commanded};
	struct can_frame f;

	dc2.inlet_voltage_mV = e->stage >= EVCC_PRECHARGE && e->stage <= EVCC_ENDING_CHARGE ? 330000 : 0;
	if (e->stage == EVCC_WELDING_DETECTION && e->is_close_commanded)
		dc2.inlet_voltage_mV = 330000;
	msg_to_frame(&e->pev[PEV_DC_STATUS1], &dc1, 0, &f);
	evcc_rx(w, m, &f);
	msg_to_frame(&e->pev[PEV_DC_STATUS2], &dc2, 0, &f);
	evcc_rx(w, m, &f);
}

static struct can_frame of_next_answer(struct stream *s, const struct evcc *e);

static void well_charger(struct evcc_watch *w, const struct machine *m)
{
	struct plug_pilot_evse pilot = {.is_mated = 1, .oscillator = 1, .duty_cycle_permille = 50};
	struct stream none = {NULL, 0};
	struct can_frame f;

	msg_to_frame(&plug_layouts[0][PLUG_PILOT_EVSE], &pilot, 1, &f);
	evcc_rx(w, m, &f);
	if (w->evcc->v2g.asked != V2G_NONE) {
		f = of_next_answer(&none, w->evcc);
		evcc_rx(w, m, &f);
	}
}

static void evcc_pass(struct evcc_watch *w, const struct machine *m, int64_t until_us)
{
	while (m->ops->next_us(m->self) <= until_us) {
		/* A request may be due since before the event that freed it. */
		if (m->ops->next_us(m->self) > w->now_us)
			w->now_us = m->ops->next_us(m->self);
		if (w->is_vehicle_well)
			well_vehicle_frames(w, m);
		if (w->is_charger_well)
			well_charger(w, m);
		m->ops->tick(m->self, w->now_us, &w->out);
		check_evcc(w);
		must(m->ops->next_us(m->self) > w->now_us);
	}
	w->now_us = until_us;
}

static struct can_frame of_charger_pilot(struct stream *s)
{
	uint8_t how = take(s);
	struct plug_pilot_evse m = {
		.is_mated = how != 255, .oscillator = 1, .fault = how > 250 ? how & 3 : 0};
	struct can_frame f;

	m.duty_cycle_permille = how & 1 && how > 200 ? 1000 : 50;
	msg_to_frame(&plug_layouts[0][PLUG_PILOT_EVSE], &m, 1, &f);
	return f;
}

/* A vehicle that is mostly well: contactors follow, voltages match. */
static struct can_frame of_vehicle(struct stream *s, const struct evcc *e, uint8_t kind)
{
	struct pev_dc_status2 m = {0};
	struct can_frame f;
	uint8_t how = take(s);

	if (kind & 1)
		return of_layout(s, &e->pev[PEV_EV_INFORMATION + take(s) % 9], 0, how >> 6);
	m.contactors_closed = how & 1 ? e->is_close_commanded : (how & 2) != 0;
	m.battery_voltage_mV = 330000;
	m.inlet_voltage_mV = how & 4 ? 330000 : how * 1500;
	m.normal_end_of_charge = how == 254;
	m.emergency_stop = how == 253;
	msg_to_frame(&e->pev[PEV_DC_STATUS2], &m, 0, &f);
	return f;
}

/* The answer that is waited for. */
static struct can_frame of_next_answer(struct stream *s, const struct evcc *e)
{
	enum v2g_msg msg = e->v2g.asked < V2G_NONE ? e->v2g.asked : V2G_SESSION_SETUP;
	union v2g_any m;
	struct can_frame f;
	uint8_t how = take(s);

	memset(&m, 0, sizeof(m));
	m.session_stop_res.session_tag = e->v2g.tag; /* tag and code lead every answer but one */
	if (msg == V2G_SUPPORTED_APP_PROTOCOL)
		m.supported_app_protocol_res.protocol = how & 1 ? V2G_PROTOCOL_DIN : V2G_PROTOCOL_ISO2;
	if (msg == V2G_SESSION_SETUP)
		m.session_setup_res.session_tag = 0x1234;
	if (msg == V2G_SERVICE_DISCOVERY) {
		m.service_discovery_res.payment_option = V2G_PAY_EXTERNAL;
		m.service_discovery_res.energy_transfer_mode = V2G_DC_EXTENDED;
		m.service_discovery_res.service_id = V2G_SERVICE_CHARGING;
	}
	if (msg == V2G_CABLE_CHECK) {
		m.cable_check_res.isolation_status = V2G_ISO_VALID;
		m.cable_check_res.status_code = V2G_EVSE_READY;
	}
	if (msg == V2G_CURRENT_DEMAND)
		m.current_demand_res.status_code = how == 200 ? V2G_EVSE_SHUTDOWN : V2G_EVSE_READY;
	msg_to_frame(&plug_layouts[0][v2g_answer_layout(msg)], &m, 1, &f);
	if (how == 199)
		f.data[2] = take(s);
	return f;
}

static const char *const evcc_lines[] = {
	"status",
	"stop",
	"emergency",
	"plug",
	"plug",
	"unplug",
	"unplug force",
	"restart",
	"fault lock on",
	"fault lock off",
	"fault clear",
	"input stop 1",
	"input stop 0",
	"temperature ptc0 95",
	"temperature ptc0 20",
	"set max_current 50",
	"get",
};

static void evcc_event(struct evcc_watch *w, const struct machine *m, struct stream *s)
{
	char answer[4096];
	uint8_t kind = take(s);
	struct can_frame f;

	switch (kind >> 5) {
	case 0:
		if (kind < 4)
			w->is_vehicle_well = kind & 1;
		else if (kind < 8)
			w->is_charger_well = kind & 1;
		evcc_pass(w, m, w->now_us + (int64_t)take(s) * 10000);
		return;
	case 1:
	case 2:
		f = of_vehicle(s, w->evcc, kind);
		break;
	case 3:
		f = of_charger_pilot(s);
		break;
	case 4:
		f = of_v2g(s, v2g_answer_layout((enum v2g_msg)(kind % V2G_N_MSGS)), w->evcc->v2g.tag, true);
		break;
	case 5:
		m->ops->command(m->self, w->now_us,
				evcc_lines[take(s) % (sizeof(evcc_lines) / sizeof(evcc_lines[0]))], answer,
				sizeof(answer), &w->out);
		check_evcc(w);
		return;
	default:
		f = of_next_answer(s, w->evcc);
		break;
	}
	evcc_rx(w, m, &f);
	evcc_pass(w, m, w->now_us + (kind & 1 ? 30000 : 0));
}

void module_chaos_evcc(const uint8_t *data, size_t size, struct module_chaos_result *result)
{
	static struct evcc evcc;
	struct evcc_watch w = {.evcc = &evcc, .result = result};
	struct stream s = {data, size};
	struct evcc_cfg cfg;
	struct machine m;

	opts_defaults(evcc_conf_table, evcc_conf_n, &cfg);
	cfg.protocol = take(&s) % PEV_N_VERSIONS;
	cfg.boot_ms = 100;
	cfg.negotiation_ms = 100;
	cfg.locking_ms = 100;
	cfg.plug_at_start = 1;
	out_queue_init(&w.out);
	evcc_init(&evcc, &cfg, NULL, 0);
	m = evcc_machine(&evcc);
	w.is_vehicle_well = w.is_charger_well = true;
	evcc_pass(&w, &m, 200000 + take(&s) * 20000);
	while (s.size > 0)
		evcc_event(&w, &m, &s);
	w.is_vehicle_well = w.is_charger_well = false;
	/* Whatever happened: left alone, the session is over in bounded time. */
	evcc_pass(&w, &m, w.now_us + 300 * (int64_t)FC_US_PER_S);
	must(evcc.stage == EVCC_WAITING_FOR_EVSE || evcc.stage == EVCC_CLOSING);
}
