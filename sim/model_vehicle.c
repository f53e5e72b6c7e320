/* SPDX-License-Identifier: MIT */
/* A whole plausible vehicle in one machine. Pure. */
#include "sim/model_vehicle.h"

#include <errno.h>
#include <string.h>

#include "lib/core/ctl.h"

#define SLOT_US (100 * FC_US_PER_MS)

/* A command of ours to the hardware holds for three slots. */
#define COMMAND_US (300 * FC_US_PER_MS)

static int32_t host_send(void *ctx, uint32_t bus, const struct can_frame *frame)
{
	struct model_vehicle *v = ctx;

	if (!v->out)
		return -EAGAIN;
	return out_queue_frame(v->out, (uint8_t)bus, frame) ? 0 : -ENOBUFS;
}

static void host_log(void *ctx, int32_t level, const char *text)
{
	struct model_vehicle *v = ctx;

	log_f(&v->log, (enum log_level)level, "%s", text);
}

/* The EVCC's frames: those of the generic interface are for the controller inside, the rest is the plug. */
static void sort_frames(struct model_vehicle *v, struct out_queue *out)
{
	const struct msg_layout *l = v->evcc.pev;
	uint32_t i;

	for (i = 0; i < v->inner.n; i++) {
		const struct can_frame *f = &v->inner.item[i].u.frame;
		canid_t number = f->can_id & CAN_EFF_MASK;

		if (number == l[PEV_EVSE_INFORMATION].id) {
			struct pev_evse_information m = {0};

			l[PEV_EVSE_INFORMATION].unpack(&m, f->data);
			v->stage = m.communication_stage;
			v->max_current_mA = m.max_current_mA;
		} else if (number == l[PEV_DC_CONTROL].id) {
			struct pev_dc_control m = {0};

			l[PEV_DC_CONTROL].unpack(&m, f->data);
			v->is_close_commanded = m.close_contactors != 0;
		} else if (number > CAN_SFF_MASK) {
			out_queue_frame(out, 0, f);
		}
	}
	out_queue_clear(&v->inner);
}

static void to_module(struct model_vehicle *v, int64_t now_us, enum pev_msg msg, const void *m)
{
	struct can_frame f;

	if (!msg_exists(&v->evcc.pev[msg]))
		return;
	msg_to_frame(&v->evcc.pev[msg], m, 0, &f);
	v->module.ops->rx(v->module.self, now_us, &f, &v->inner);
}

/* What the vehicle wants now: the battery's wish within the charger's limit, nothing in case of a fault. */
static int32_t request_mA(const struct model_vehicle *v, const struct vh_status *st)
{
	int32_t i_mA = st->faults_stop ? 0 : st->i_charge_max_mA;

	return v->max_current_mA > 0 ? fc_min_i32(i_mA, v->max_current_mA) : i_mA;
}

static void report(struct model_vehicle *v, int64_t now_us, const struct vh_status *st)
{
	struct pev_ev_information info = {.state_of_charge_permille = st->soc_permille,
					  .energy_capacity_Wh = st->capacity_Wh};
	struct pev_dc_status1 dc1 = {.max_charge_current_mA = request_mA(v, st),
				     .present_current_mA = st->current_mA,
				     .max_discharge_current_mA = st->i_discharge_max_mA,
				     .target_voltage_mV = st->v_target_mV};
	struct pev_dc_status2 dc2 = {.contactors_closed = st->is_closed == 1,
				     .normal_end_of_charge = st->stop_request != 0,
				     .emergency_stop = (st->faults_stop & ~(uint32_t)VH_FAULT_OVER_TEMP) != 0,
				     .battery_voltage_mV = st->battery_mV,
				     .inlet_voltage_mV = st->inlet_mV};

	to_module(v, now_us, PEV_EV_INFORMATION, &info);
	to_module(v, now_us, PEV_DC_STATUS1, &dc1);
	to_module(v, now_us, PEV_DC_STATUS2, &dc2);
}

static int32_t phase_of(uint8_t stage)
{
	switch (stage) {
	case EVCC_NEGOTIATING:
	case EVCC_FULL_INFO:
		return VH_PHASE_CONNECTED;
	case EVCC_INSULATION_TEST:
		return VH_PHASE_INSULATION;
	case EVCC_PRECHARGE:
		return VH_PHASE_PRECHARGE;
	case EVCC_WAITING_FOR_CHARGE:
	case EVCC_CHARGING:
		return VH_PHASE_TRANSFER;
	case EVCC_ENDING_CHARGE:
	case EVCC_WELDING_DETECTION:
	case EVCC_CLOSING:
		return VH_PHASE_ENDING;
	default:
		return VH_PHASE_IDLE;
	}
}

static void command_hw(struct model_vehicle *v, int64_t now_us)
{
	struct vh_status st = {.size = sizeof(st)};
	struct vh_command cmd = {.size = sizeof(cmd)};

	v->hw->status(v->hw_self, now_us, &st);
	report(v, now_us, &st);
	cmd.is_closed = v->is_close_commanded;
	cmd.phase = phase_of(v->stage);
	cmd.is_in_session = cmd.phase != VH_PHASE_IDLE;
	cmd.i_request_mA = request_mA(v, &st);
	cmd.valid_until_us = now_us + COMMAND_US;
	v->hw->set(v->hw_self, now_us, &cmd);
}

static void rx(void *self, int64_t now_us, const struct can_frame *f, struct out_queue *out)
{
	struct model_vehicle *v = self;

	v->out = out;
	/* The generic interface of this vehicle is its own affair: 11-bit frames on the bus are another's. */
	if (f->can_id & CAN_EFF_FLAG) {
		v->module.ops->rx(v->module.self, now_us, f, &v->inner);
		sort_frames(v, out);
		if (v->hw->rx)
			v->hw->rx(v->hw_self, now_us, 0, f);
	}
	v->out = NULL;
}

static int64_t hw_next_us(const struct model_vehicle *v)
{
	return v->hw->next_us ? v->hw->next_us(v->hw_self) : FC_NEVER;
}

static void tick(void *self, int64_t now_us, struct out_queue *out)
{
	struct model_vehicle *v = self;

	v->out = out;
	if (v->hw->tick && hw_next_us(v) <= now_us)
		v->hw->tick(v->hw_self, now_us);
	if (grid_due(&v->grid, now_us))
		command_hw(v, now_us);
	if (v->module.ops->next_us(v->module.self) <= now_us)
		v->module.ops->tick(v->module.self, now_us, &v->inner);
	sort_frames(v, out);
	v->out = NULL;
}

static int64_t next_us(const void *self)
{
	const struct model_vehicle *v = self;
	int64_t next = fc_min_i64(v->grid.next_us, v->module.ops->next_us(v->module.self));

	return fc_min_i64(next, hw_next_us(v));
}

static size_t filters(const void *self, struct can_filter *f, size_t n)
{
	const struct model_vehicle *v = self;
	struct can_filter all[64];
	size_t i, used = 0, got = v->module.ops->filters(v->module.self, all, sizeof(all) / sizeof(all[0]));

	for (i = 0; i < got && used < n; i++) {
		if ((all[i].can_id & CAN_EFF_MASK) > CAN_SFF_MASK)
			f[used++] = all[i];
	}
	if (v->hw->filters && used < n)
		used += v->hw->filters(v->hw_self, 0, f + used, (uint32_t)(n - used));
	return used;
}

static void stop(void *self, int64_t now_us, struct out_queue *out)
{
	struct model_vehicle *v = self;

	v->module.ops->stop(v->module.self, now_us, &v->inner);
	sort_frames(v, out);
}

static bool is_stopped(const void *self)
{
	const struct model_vehicle *v = self;

	return v->module.ops->is_stopped(v->module.self);
}

static int command(void *self, int64_t now_us, const char *line, char *answer, size_t size,
		   struct out_queue *out)
{
	struct model_vehicle *v = self;
	struct ctl_answer a;
	struct ctl_words w;
	int r;

	if (ctl_split(line, &w) == 0 && ctl_word_is(&w, 0, "hw")) {
		ctl_answer_init(&a, answer, size);
		v->out = out;
		r = ctl_live(&w, 1, v->hw->live, v->hw_self, now_us, &a);
		v->out = NULL;
		return r;
	}
	r = v->module.ops->command(v->module.self, now_us, line, answer, size, &v->inner);
	sort_frames(v, out);
	return r;
}

int model_vehicle_init(struct model_vehicle *v, const struct evcc_cfg *cfg, const struct vehicle_hw_ops *hw,
		       void *hw_self, const struct forecourt_kv *kv, uint32_t n_kv,
		       const struct log_sink *sink, int64_t now_us, char *err, size_t err_size)
{
	memset(v, 0, sizeof(*v));
	evcc_init(&v->evcc, cfg, sink, now_us);
	v->module = evcc_machine(&v->evcc);
	v->hw = hw;
	v->hw_self = hw_self;
	log_init(&v->log, sink, "vehicle");
	out_queue_init(&v->inner);
	grid_start(&v->grid, now_us, SLOT_US);
	v->host = (struct forecourt_host){
		.size = sizeof(v->host), .index = 0, .ctx = v, .log = host_log, .send = host_send};
	return hw->init(hw_self, &v->host, kv, n_kv, now_us, err, (uint32_t)err_size);
}

void model_vehicle_fini(struct model_vehicle *v)
{
	if (v->hw && v->hw->fini)
		v->hw->fini(v->hw_self);
}

struct machine model_vehicle_machine(struct model_vehicle *v)
{
	static const struct machine_ops ops = {
		.rx = rx,
		.tick = tick,
		.next_us = next_us,
		.filters = filters,
		.stop = stop,
		.is_stopped = is_stopped,
		.command = command,
	};
	struct machine m = {.ops = &ops, .self = v, .name = "vehicle"};

	return m;
}
