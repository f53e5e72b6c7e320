/* SPDX-License-Identifier: MIT */
/* The virtual SECC under random events. */
#include "tests/lib/module_chaos_priv.h"

#include "sim/secc.h"

struct secc_watch {
	struct secc *secc;
	struct out_queue out;
	int64_t now_us, status_us;
	unsigned n_finished, n_started, n_stopped;
	enum secc_state last_state;
	bool is_customer_well, is_vehicle_well; /* behave by themselves, every 100 ms */
	struct module_chaos_result *result;
};

static void check_power(const struct secc_watch *w, const struct can_frame *f)
{
	const struct secc *s = w->secc;
	struct evse_dc_power_control m = {0};

	s->layout.evse[EVSE_DC_POWER_CONTROL].unpack(&m, f->data);
	must(m.current_range_min_mA >= 0 && m.current_range_min_mA <= m.current_range_max_mA);
	must(m.target_voltage_mV <= s->cfg.max_voltage_mV);
	if (m.power_function <= SECC_FN_STANDBY) {
		must(m.target_voltage_mV == 0 && m.current_range_max_mA == 0);
		return;
	}
	must(!m.lower_output_voltage && (m.output_contactors || s->cfg.protocol == EVSE_V3_0));
	must(s->pms.system_enable && s->is_session_announced && s->emergency == SECC_CAUSE_NONE);
	must(m.power_function != SECC_FN_INSULATION || s->state == SECC_INSULATION_TEST);
	must(m.power_function != SECC_FN_PRECHARGE || s->state == SECC_PRECHARGE);
	must(m.power_function != SECC_FN_TRANSFER || s->state == SECC_CHARGING ||
	     s->state == SECC_WAITING_FOR_CHARGE);
	must(s->cp == CP_C || s->cp == CP_D);
}

static void check_secc_frame(struct secc_watch *w, const struct can_frame *f)
{
	canid_t base = f->can_id & (CAN_EFF_FLAG | 0x00FFFFFFu);
	int msg;

	w->result->n_frames++;
	must((f->can_id & (CAN_EFF_FLAG | CAN_RTR_FLAG | CAN_ERR_FLAG)) == CAN_EFF_FLAG);
	if ((base & 0x00FF0000u) == PLUG_BASE_ID)
		return;
	msg = evse_find((enum evse_version)w->secc->cfg.protocol, base);
	must(msg >= 0 && f->can_dlc == w->secc->layout.evse[msg].dlc);
	if (msg == EVSE_ADVANTICS_CONTROLLER_STATUS) {
		must(f->data[0] <= 12);
		must(w->now_us - w->status_us <= 100000);
		w->status_us = w->now_us;
	} else if (msg == EVSE_DC_POWER_CONTROL) {
		check_power(w, f);
	} else if (msg == EVSE_CHARGE_SESSION_FINISHED) {
		must(++w->n_finished == 1);
	} else if (msg == EVSE_CHARGE_STATUS_CHANGE) {
		must(f->data[0] ? ++w->n_started == 1 : ++w->n_stopped <= w->n_started);
	} else if (msg == EVSE_NEW_CHARGE_SESSION) {
		must(w->n_finished == 0);
	}
}

static void check_secc(struct secc_watch *w)
{
	uint32_t i;

	/* A new session begins a new count of the once-only messages. */
	if (w->secc->state != w->last_state && w->secc->state == SECC_NEGOTIATING)
		w->n_finished = w->n_started = w->n_stopped = 0;
	w->last_state = w->secc->state;
	for (i = 0; i < w->out.n; i++)
		check_secc_frame(w, &w->out.item[i].u.frame);
	must(w->out.n_dropped == 0);
	out_queue_clear(&w->out);
	w->result->visited |= UINT32_C(1) << w->secc->state;
}

static void secc_rx(struct secc_watch *w, const struct machine *m, const struct can_frame *f)
{
	m->ops->rx(m->self, w->now_us, f, &w->out);
	check_secc(w);
}

static void well_customer(struct secc_watch *w, const struct machine *m)
{
	const struct secc_power *p = &w->secc->power;
	struct evse_power_modules_status status = {0};
	struct evse_sequence_control flags = {0};
	struct can_frame f;

	status.present_voltage_mV = p->is_lowering ? 0 : p->v_mV;
	status.present_current_mA = p->i_max_mA;
	status.system_enable = 1;
	status.insulation_resistance_ohm = 300000;
	msg_to_frame(&w->secc->layout.evse[EVSE_POWER_MODULES_STATUS], &status, 1, &f);
	secc_rx(w, m, &f);
	flags.start_charge_authorisation = flags.ccs_authorisation_done = flags.ccs_authorisation_valid = 1;
	flags.charge_parameters_done = 1;
	msg_to_frame(&w->secc->layout.evse[EVSE_SEQUENCE_CONTROL], &flags, 1, &f);
	if (!w->secc->flags.charge_parameters_done)
		secc_rx(w, m, &f);
}

static struct can_frame of_next_request(struct stream *s, const struct secc *secc);

static void well_vehicle(struct secc_watch *w, const struct machine *m)
{
	static const uint8_t plain = 20;
	struct stream s = {&plain, 1};
	struct plug_pilot_ev pilot = {.is_mated = 1, .resistance = CP_B};
	struct can_frame f;

	if (w->secc->state >= SECC_FULL_INFO && w->secc->state <= SECC_CHARGING)
		pilot.resistance = CP_C;
	msg_to_frame(&plug_layouts[0][PLUG_PILOT_EV], &pilot, 1, &f);
	secc_rx(w, m, &f);
	f = of_next_request(&s, w->secc);
	secc_rx(w, m, &f);
}

static void secc_pass(struct secc_watch *w, const struct machine *m, int64_t until_us)
{
	while (m->ops->next_us(m->self) <= until_us) {
		w->now_us = m->ops->next_us(m->self);
		if (w->is_customer_well)
			well_customer(w, m);
		if (w->is_vehicle_well)
			well_vehicle(w, m);
		m->ops->tick(m->self, w->now_us, &w->out);
		check_secc(w);
		must(m->ops->next_us(m->self) > w->now_us);
	}
	w->now_us = until_us;
}

/* A customer that is mostly well: enabled, insulated, voltage as asked. */
static struct can_frame of_customer(struct stream *s, const struct secc *secc, uint8_t kind)
{
	struct evse_power_modules_status m = {0};
	struct can_frame f;
	uint8_t how = take(s);

	if (kind & 1)
		return of_layout(s, &secc->layout.evse[take(s) % 3], 1, how >> 6);
	m.present_voltage_mV = how & 1 ? secc->power.v_mV : (how & 2) * 100000;
	m.present_current_mA = how & 4 ? secc->power.i_max_mA : 0;
	m.system_enable = (how & 0x78) != 0;
	m.insulation_resistance_ohm = how & 0x80 ? take(s) * 2000 : 200000;
	msg_to_frame(&secc->layout.evse[EVSE_POWER_MODULES_STATUS], &m, 1, &f);
	return f;
}

static struct can_frame of_pilot(struct stream *s)
{
	uint8_t how = take(s);
	struct plug_pilot_ev m = {
		.resistance = how & 64 ? how & 3 : CP_C, .is_mated = how != 0, .is_locked = how & 4};
	struct can_frame f;

	msg_to_frame(&plug_layouts[0][PLUG_PILOT_EV], &m, 1, &f);
	return f;
}

/* The next request in the right order, so that a short stream gets deep. */
static struct can_frame of_next_request(struct stream *s, const struct secc *secc)
{
	uint32_t allowed = v2g_allowed_after(secc->v2g.last, secc->v2g.is_finished, secc->v2g.is_started);
	union v2g_any m;
	enum v2g_msg msg = V2G_SUPPORTED_APP_PROTOCOL;
	struct can_frame f;
	uint8_t how = take(s);
	/* Some loops, some looks at the contactors, then the end. */
	bool is_stop = how == 255 || secc->grid.next_us - secc->entered_us > 2 * (int64_t)FC_US_PER_S;

	while (msg < V2G_SESSION_STOP && !(allowed & UINT32_C(1) << msg))
		msg++;
	if (msg == V2G_PRE_CHARGE && secc->state == SECC_PRECHARGE &&
	    (how & 1 || secc->power.v_mV == secc->pms.present_voltage_mV))
		msg = V2G_POWER_DELIVERY;
	else if (msg == V2G_POWER_DELIVERY && secc->v2g.is_started && !is_stop)
		msg = V2G_CURRENT_DEMAND;
	else if (msg == V2G_WELDING_DETECTION && secc->state == SECC_WELDING_DETECTION && is_stop)
		msg = V2G_SESSION_STOP;
	memset(&m, 0, sizeof(m));
	m.session_stop_req.session_tag = secc->v2g.tag; /* the tag leads every request but two */
	if (msg == V2G_SUPPORTED_APP_PROTOCOL)
		m.supported_app_protocol_req.protocol_1 = how & 1 ? V2G_PROTOCOL_DIN : V2G_PROTOCOL_ISO2;
	if (msg == V2G_PAYMENT_SERVICE_SELECTION) {
		m.payment_service_selection_req.payment_option = V2G_PAY_EXTERNAL;
		m.payment_service_selection_req.service_id = V2G_SERVICE_CHARGING;
	}
	if (msg == V2G_CHARGE_PARAMETER_DISCOVERY) {
		m.charge_parameter_discovery_req.energy_transfer_mode = V2G_DC_EXTENDED;
		m.charge_parameter_discovery_req.ev_maximum_voltage_mV = 500000;
	}
	if (msg == V2G_PRE_CHARGE || msg == V2G_CURRENT_DEMAND) {
		m.current_demand_req.target_voltage_mV = 400000;
		m.current_demand_req.target_current_mA = (int8_t)how * 3000;
	}
	if (msg == V2G_POWER_DELIVERY)
		m.power_delivery_req.charge_progress = secc->v2g.is_started;
	msg_to_frame(&plug_layouts[0][v2g_request_layout(msg)], &m, 1, &f);
	return f;
}

static const char *const secc_lines[] = {
	"status",
	"stop",
	"emergency",
	"emergency clear",
	"emergency pev",
	"plug",
	"unplug force",
	"fault isolation on",
	"fault clear",
	"input 2 1",
	"input 2 0",
	"temperature ptc1 95",
	"temperature ptc1 20",
	"set free_service false",
	"set max_charger_current 5",
	"get",
	"fault delay DC_Power_Control 50",
};

static void secc_event(struct secc_watch *w, const struct machine *m, struct stream *s)
{
	char answer[4096];
	uint8_t kind = take(s);
	struct can_frame f;

	switch (kind >> 5) {
	case 0:
		if (kind < 4)
			w->is_customer_well = kind & 1;
		else if (kind < 8)
			w->is_vehicle_well = kind & 1;
		secc_pass(w, m, w->now_us + (int64_t)take(s) * 10000);
		return;
	case 1:
		f = of_customer(s, w->secc, kind);
		break;
	case 2:
	case 3:
		f = of_pilot(s);
		break;
	case 4:
		f = of_v2g(s, v2g_request_layout((enum v2g_msg)(kind % V2G_N_MSGS)), w->secc->v2g.tag, false);
		break;
	case 5: {
		const char *line = secc_lines[take(s) % (sizeof(secc_lines) / sizeof(secc_lines[0]))];

		/* Injected faults break the invariants on purpose; only their clearing is tried here. */
		if (strncmp(line, "fault delay", 11) != 0)
			m->ops->command(m->self, w->now_us, line, answer, sizeof(answer), &w->out);
		check_secc(w);
		return;
	}
	default:
		f = of_next_request(s, w->secc);
		break;
	}
	secc_rx(w, m, &f);
	secc_pass(w, m, w->now_us + (kind & 1 ? 50000 : 0));
}

void module_chaos_secc(const uint8_t *data, size_t size, struct module_chaos_result *result)
{
	static struct secc secc;
	struct secc_watch w = {.secc = &secc, .result = result, .last_state = SECC_INITIALISING};
	struct stream s = {data, size};
	struct secc_cfg cfg;
	struct machine m;

	opts_defaults(secc_conf_table, secc_conf_n, &cfg);
	cfg.protocol = take(&s) % EVSE_N_VERSIONS;
	cfg.use_sequence_flags = take(&s) & 1;
	cfg.skip_cable_check = take(&s) & 1;
	cfg.boot_ms = 100;
	cfg.insulation_iterations = 2;
	out_queue_init(&w.out);
	secc_init(&secc, &cfg, NULL, 0);
	m = secc_machine(&secc);
	w.is_customer_well = w.is_vehicle_well = true;
	secc_pass(&w, &m, 200000 + take(&s) * 20000);
	while (s.size > 0)
		secc_event(&w, &m, &s);
	w.is_customer_well = w.is_vehicle_well = false;
	/* Whatever happened: left alone, the module is idle again in bounded time. */
	secc_pass(&w, &m, w.now_us + 120 * (int64_t)FC_US_PER_S);
	must(secc.state == SECC_WAITING_FOR_PEV || secc.state == SECC_NOT_AVAILABLE);
}
