/* SPDX-License-Identifier: MIT */
/* Scripted module and vehicle around a pev-ctrl. */
#include "tests/lib/car.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODULE_PHASE_US 37000 /* the module's grid is not ours */

static void vehicle_defaults(struct car_hw *v)
{
	memset(v, 0, sizeof(*v));
	v->delay_us = CAR_MS(600);
	v->caps.v_min_mV = 274000;
	v->caps.v_max_mV = 400000;
	v->caps.i_charge_max_mA = 200000;
	v->caps.i_discharge_max_mA = 100000;
	v->caps.capacity_Wh = 75500;
	v->caps.has_feedback = 1;
	v->st.is_hv_ready = 1;
	v->st.battery_mV = 330000;
	v->st.soc_permille = 300;
	v->st.capacity_Wh = 75530;
	v->st.i_charge_max_mA = 200000;
	v->st.temp_mdegC = 25000;
	v->st.energy_target_Wh = 60400;
	v->st.energy_max_Wh = 75500;
	v->st.energy_min_Wh = 22700;
	v->st.v2x_min_Wh = 22700;
	v->st.v2x_max_Wh = 60400;
	v->st.departure_s = 86400;
}

/* --------------------------------------------------------------------------------------------- invariants */

static void broken(struct car *r, const char *what)
{
	if (r->n_broken++ == 0)
		r->broken = what;
}

static const struct pev_session *session(const struct car *r)
{
	return &r->point.session;
}

/* In a stage without a name DC_Control alone governs (rule P-07); 11 has its name since 2.4. */
static bool may_close_in(const struct car *r, uint16_t stage)
{
	uint16_t last_named = r->conf.protocol < PEV_V2_4 ? 10 : 11;

	return (stage >= 5 && stage <= 7) || (stage > last_named && stage != PEV_STAGE_NONE);
}

static void check_closing(struct car *r)
{
	const struct car_hw *v = &r->vehicle;
	int64_t gap_mV = llabs((long long)v->st.inlet_mV - v->st.battery_mV);

	if (!may_close_in(r, r->stage_seen))
		broken(r, "closed in a stage that forbids it");
	if (!r->close_seen || !r->open_seen)
		broken(r, "closed without Open and Close of the module");
	if (gap_mV > r->conf.match_limit_mV)
		broken(r, "closed with voltages apart");
	if (r->now_us - v->st.t_vi_us > CAR_MS(r->conf.measurement_max_age_ms))
		broken(r, "closed with stale readings");
	if (session(r)->held)
		broken(r, "closed with a blocking fault");
}

static void check_contactors(struct car *r, bool was_closed)
{
	const struct car_hw *v = &r->vehicle;
	int64_t wait_us = CAR_MS(r->conf.open_wait_ms) + CAR_MS(100);

	if (!v->cmd.is_closed)
		return;
	if (!was_closed)
		check_closing(r);
	if (r->now_us - r->control_rx_us > CAR_MS(r->conf.dc_control_timeout_ms))
		broken(r, "closed without DC_Control");
	if (r->low_stage_us != FC_NEVER && r->now_us > r->low_stage_us)
		broken(r, "closed in stages 0 to 4");
	if (r->open_since_us != FC_NEVER && r->now_us - r->open_since_us > wait_us)
		broken(r, "closed long after Open");
	if (pev_session_is_stopped(session(r)))
		broken(r, "closed after the end");
	if (r->now_us - r->vehicle.cmd_us > PEV_COMMAND_VALID_US)
		broken(r, "command not refreshed");
}

static void check_frame(struct car *r, const struct can_frame *f)
{
	canid_t id = f->can_id & CAN_EFF_MASK;
	const struct msg_layout *l;
	struct pev_dc_status1 m = {0};
	int32_t limit_mA;

	if (((f->can_id & CAN_EFF_FLAG) != 0) != (r->conf.is_extended_forced != 0))
		broken(r, "wrong kind of identifier");
	if (id < PEV_TX_FIRST_ID || id >= PEV_TX_FIRST_ID + PEV_TX_N) {
		broken(r, "foreign identifier sent");
		return;
	}
	l = session(r)->wire.tx[id - PEV_TX_FIRST_ID];
	if (!msg_exists(l) || f->can_dlc != l->dlc)
		broken(r, "wrong length sent");
	if (id != 0x612)
		return;
	l->unpack(&m, f->data);
	limit_mA = fc_min_i32(r->conf.max_charge_current_mA, r->vehicle.caps.i_charge_max_mA);
	if (r->heard.max_current_mA > 0)
		limit_mA = fc_min_i32(limit_mA, r->heard.max_current_mA);
	if (m.max_charge_current_mA < 0 || m.max_charge_current_mA > limit_mA)
		broken(r, "request above a limit");
}

static void collect(struct car *r, bool was_closed)
{
	uint32_t i;

	for (i = 0; i < r->out.n; i++) {
		const struct out_item *item = &r->out.item[i];

		if (item->kind != OUT_FRAME) {
			broken(r, "command left in the queue");
			continue;
		}
		if (item->bus == 0)
			check_frame(r, &item->u.frame);
		if (r->n_frames == CAR_N_FRAMES) { /* keep the newer half */
			r->n_frames = CAR_N_FRAMES / 2;
			memcpy(r->frame, r->frame + r->n_frames, r->n_frames * sizeof(r->frame[0]));
		}
		r->frame[r->n_frames++] = (struct car_frame){r->now_us, item->u.frame};
	}
	if (r->out.n_dropped)
		broken(r, "queue overflow");
	out_queue_clear(&r->out);
	check_contactors(r, was_closed);
}

/* ------------------------------------------------------------------------------------------------ running */

void car_conf(struct pev_conf *conf, int32_t protocol)
{
	memset(conf, 0, sizeof(*conf));
	opts_defaults(pev_conf_table, pev_conf_n, conf);
	conf->protocol = protocol;
}

void car_init(struct car *r, int32_t protocol)
{
	struct pev_conf conf;

	car_conf(&conf, protocol);
	car_init_conf(r, &conf);
}

void car_init_conf(struct car *r, const struct pev_conf *conf)
{
	struct pev_point_setup setup = {.conf = &r->conf, .driver = &car_plugin, .ops = &car_ops};
	char err[200] = "";

	memset(r, 0, sizeof(*r));
	r->conf = *conf;
	r->now_us = CAR_START_US;
	vehicle_defaults(&r->vehicle);
	setup.driver_state = &r->vehicle;
	if (pev_point_init(&r->point, &setup, r->now_us, err, sizeof(err))) {
		fprintf(stderr, "car: %s\n", err);
		abort();
	}
	r->m = pev_point_machine(&r->point);
	out_queue_init(&r->out);
	r->module_us = r->now_us + MODULE_PHASE_US;
	r->control_rx_us = CAR_START_US;
	r->stage_seen = PEV_STAGE_NONE;
	r->open_since_us = FC_NEVER;
	r->low_stage_us = FC_NEVER;
}

static void note(struct car *r, const struct can_frame *f)
{
	canid_t id = f->can_id & CAN_EFF_MASK;

	if (f->can_id & (CAN_ERR_FLAG | CAN_RTR_FLAG))
		return;
	if (id == 0x600 && f->can_dlc >= 6) {
		msg_from_frame(&pev_layouts[r->conf.protocol][PEV_EVSE_INFORMATION], &r->heard, f, 6);
		r->stage_seen = f->data[0];
		if (r->stage_seen > 4)
			r->low_stage_us = FC_NEVER;
		else if (r->low_stage_us == FC_NEVER)
			r->low_stage_us = r->now_us;
	}
	if (id == 0x602 && f->can_dlc >= 1) {
		if (r->now_us - r->control_rx_us >= CAR_MS(r->conf.dc_control_timeout_ms))
			r->open_seen = false;
		r->control_rx_us = r->now_us;
		r->close_seen = f->data[0] & 1;
		if (!r->close_seen)
			r->open_seen = true;
		if (r->close_seen)
			r->open_since_us = FC_NEVER;
		else if (r->open_since_us == FC_NEVER)
			r->open_since_us = r->now_us;
	}
}

void car_send(struct car *r, const struct can_frame *f)
{
	bool was_closed = r->vehicle.cmd.is_closed != 0;

	note(r, f);
	r->m.ops->rx(r->m.self, r->now_us, f, &r->out);
	collect(r, was_closed);
}

static void send_message(struct car *r, enum pev_msg msg, const void *value)
{
	struct can_frame f;

	msg_to_frame(&pev_layouts[r->conf.protocol][msg], value, 0, &f);
	if (r->is_extended)
		f.can_id |= CAN_EFF_FLAG;
	car_send(r, &f);
}

void car_stage(struct car *r, uint8_t stage)
{
	r->is_info_sent = true;
	r->info.communication_stage = stage;
	send_message(r, PEV_EVSE_INFORMATION, &r->info);
}

void car_close(struct car *r, bool is_close)
{
	r->is_control_sent = true;
	r->control.close_contactors = is_close;
	send_message(r, PEV_DC_CONTROL, &r->control);
}

void car_tick(struct car *r)
{
	bool was_closed = r->vehicle.cmd.is_closed != 0;

	r->m.ops->tick(r->m.self, r->now_us, &r->out);
	collect(r, was_closed);
}

static void module_cycle(struct car *r)
{
	if (r->is_info_sent)
		send_message(r, PEV_EVSE_INFORMATION, &r->info);
	if (r->is_control_sent)
		send_message(r, PEV_DC_CONTROL, &r->control);
	r->module_us += CAR_MS(100);
}

void car_run(struct car *r, int64_t us)
{
	int64_t end_us = r->now_us + us;
	unsigned n_at_once = 0;

	for (;;) {
		int64_t own_us = r->m.ops->next_us(r->m.self);
		int64_t next_us = fc_min_i64(own_us, r->module_us);

		if (next_us > end_us)
			break;
		n_at_once = next_us > r->now_us ? 0 : n_at_once + 1;
		if (n_at_once > 8) {
			broken(r, "machine is due again and again");
			break;
		}
		r->now_us = next_us > r->now_us ? next_us : r->now_us;
		if (next_us == r->module_us)
			module_cycle(r);
		else
			car_tick(r);
	}
	r->now_us = end_us;
}

void car_run_ms(struct car *r, int64_t ms)
{
	car_run(r, CAR_MS(ms));
}

int car_command_answer(struct car *r, const char *line, char *answer, size_t size)
{
	bool was_closed = r->vehicle.cmd.is_closed != 0;
	int ret = r->m.ops->command(r->m.self, r->now_us, line, answer, size, &r->out);

	collect(r, was_closed);
	return ret;
}

int car_command(struct car *r, const char *line)
{
	char answer[8192];

	return car_command_answer(r, line, answer, sizeof(answer));
}

void car_stop(struct car *r)
{
	bool was_closed = r->vehicle.cmd.is_closed != 0;

	r->m.ops->stop(r->m.self, r->now_us, &r->out);
	collect(r, was_closed);
}

void car_match(struct car *r, bool is_match)
{
	r->vehicle.st.inlet_mV = is_match ? r->vehicle.st.battery_mV : 0;
}

void car_to_stage(struct car *r, uint8_t stage)
{
	uint8_t i;

	for (i = 1; i <= stage; i++) {
		car_stage(r, i);
		if (i == 1)
			car_close(r, false);
		car_run_ms(r, 300);
		if (i == 5) {
			car_match(r, true);
			car_run_ms(r, 200);
			car_close(r, true);
			car_run_ms(r, 800);
		}
		if (i == 7)
			r->vehicle.st.current_mA = 100000;
		if (i == 8)
			r->vehicle.st.current_mA = 0;
		if (i == 9) {
			car_close(r, false);
			car_run_ms(r, 800);
			car_match(r, false);
		}
	}
}

/* --------------------------------------------------------------------------------------------- looking at */

const struct can_frame *car_last(const struct car *r, canid_t id)
{
	uint32_t i;

	for (i = r->n_frames; i > 0; i--)
		if ((r->frame[i - 1].f.can_id & CAN_EFF_MASK) == id)
			return &r->frame[i - 1].f;
	return NULL;
}

uint32_t car_count(const struct car *r, canid_t id, int64_t since_us)
{
	uint32_t i, n = 0;

	for (i = 0; i < r->n_frames; i++)
		n += r->frame[i].time_us >= since_us && (r->frame[i].f.can_id & CAN_EFF_MASK) == id;
	return n;
}

struct pev_dc_status1 car_status1(const struct car *r)
{
	struct pev_dc_status1 m = {0};
	const struct can_frame *f = car_last(r, 0x612);

	if (f)
		session(r)->wire.tx[2]->unpack(&m, f->data);
	return m;
}

struct pev_dc_status2 car_status2(const struct car *r)
{
	struct pev_dc_status2 m = {0};
	const struct can_frame *f = car_last(r, 0x613);

	if (f)
		session(r)->wire.tx[3]->unpack(&m, f->data);
	return m;
}

struct pev_ev_status car_ev_status(const struct car *r)
{
	struct pev_ev_status m = {0};
	const struct can_frame *f = car_last(r, 0x618);

	if (f)
		session(r)->wire.tx[8]->unpack(&m, f->data);
	return m;
}

enum pev_state car_state(const struct car *r)
{
	return session(r)->state;
}

bool car_has_fault(const struct car *r, enum pev_fault fault)
{
	return (session(r)->faults.latched & UINT32_C(1) << fault) != 0;
}

int64_t car_bit_time_us(const struct car *r, unsigned bit, int64_t since_us)
{
	int64_t first_us = FC_NEVER, longest_us = 0;
	uint32_t i;

	for (i = 0; i < r->n_frames; i++) {
		const struct car_frame *f = &r->frame[i];

		if (f->time_us < since_us || (f->f.can_id & CAN_EFF_MASK) != 0x613)
			continue;
		if (f->f.data[0] >> bit & 1) {
			if (first_us == FC_NEVER)
				first_us = f->time_us;
		} else if (first_us != FC_NEVER) {
			if (f->time_us - first_us > longest_us)
				longest_us = f->time_us - first_us;
			first_us = FC_NEVER;
		}
	}
	return longest_us;
}

void car_check(const struct car *r)
{
	if (r->n_broken) {
		fprintf(stderr, "invariant: %s (%u times)\n", r->broken, r->n_broken);
		abort();
	}
}
