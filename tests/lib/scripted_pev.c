/* SPDX-License-Identifier: MIT */
/* Scripted vehicle on the PEV generic interface. */
#include "tests/lib/scripted_pev.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SLOT_US (100 * FC_US_PER_MS)

void scripted_pev_init(struct scripted_pev *p, enum pev_version version, int64_t now_us)
{
	memset(p, 0, sizeof(*p));
	p->version = version;
	p->soc_permille = 300;
	p->capacity_Wh = 75530;
	p->battery_mV = 330000;
	p->request_mA = 200000;
	p->contactor_ms = 600;
	p->sends_information = p->sends_dc1 = p->sends_dc2 = true;
	p->force_inlet_mV = -1;
	p->stage = -1;
	grid_start(&p->grid, now_us + 53000, SLOT_US); /* a phase of its own */
}

static void raise(struct scripted_pev *p, const char *what, int number)
{
	if (!p->raised[0])
		snprintf(p->raised, sizeof(p->raised), "%s %d", what, number);
}

static void on_information(struct scripted_pev *p, int64_t now_us, const struct can_frame *f)
{
	const struct msg_layout *l = &pev_layouts[p->version][PEV_EVSE_INFORMATION];
	struct pev_evse_information m = {0};

	l->unpack(&m, f->data);
	if (l->unknown(&m))
		raise(p, "unknown stage, protocol or pins", m.communication_stage);
	p->protocol = m.protocol;
	p->pins = m.pins;
	p->max_current_mA = m.max_current_mA;
	if (m.communication_stage == p->stage)
		return;
	p->stage = m.communication_stage;
	p->stage_us = now_us;
	if (p->n_stages < sizeof(p->stages))
		p->stages[p->n_stages++] = (uint8_t)p->stage;
	if (p->stage == 1) {
		p->is_closed = false;
		p->inlet_V = 0;
		p->is_close_commanded = false;
	}
}

static void on_control(struct scripted_pev *p, int64_t now_us, const struct can_frame *f)
{
	struct pev_dc_control m = {0};

	pev_layouts[p->version][PEV_DC_CONTROL].unpack(&m, f->data);
	if (p->is_close_commanded != (m.close_contactors != 0))
		p->command_us = now_us;
	p->is_close_commanded = m.close_contactors != 0;
}

static void rx(void *self, int64_t now_us, const struct can_frame *f, struct out_queue *out)
{
	struct scripted_pev *p = self;
	int msg =
		pev_find(p->version, f->can_id & ((f->can_id & CAN_EFF_FLAG) ? CAN_EFF_MASK : CAN_SFF_MASK));

	(void)out;
	if ((f->can_id & CAN_EFF_FLAG && f->can_id & 0x1FFFF800u) || msg < 0 || p->raised[0])
		return;
	if (f->can_dlc != pev_layouts[p->version][msg].dlc) {
		raise(p, "length", f->can_dlc);
		return;
	}
	if (msg == PEV_EVSE_INFORMATION)
		on_information(p, now_us, f);
	else if (msg == PEV_DC_CONTROL)
		on_control(p, now_us, f);
	else if (msg == PEV_CCS_EXTRA_INFORMATION)
		pev_layouts[p->version][msg].unpack(&p->ccs, f->data);
	else if (msg == PEV_EVCC_MEVC_DIAGNOSTIC_STATUS)
		pev_layouts[p->version][msg].unpack(&p->diagnostic, f->data);
}

static void move(struct scripted_pev *p, int64_t now_us)
{
	bool is_stuck = p->is_close_commanded ? p->is_not_closing : p->is_welded;

	if (p->stage == 5 && now_us - p->stage_us >= FC_US_PER_S && !p->is_closed)
		p->inlet_V = fmin(p->inlet_V + 20, p->battery_mV / 1000.0);
	if (p->is_closed != p->is_close_commanded && !is_stuck &&
	    now_us - p->command_us >= (int64_t)p->contactor_ms * FC_US_PER_MS) {
		p->is_closed = p->is_close_commanded;
		p->inlet_V = p->is_closed ? p->battery_mV / 1000.0 : 0;
	}
}

static void send(const struct scripted_pev *p, enum pev_msg msg, const void *m, struct out_queue *out)
{
	struct can_frame f;

	if (!msg_exists(&pev_layouts[p->version][msg]))
		return;
	msg_to_frame(&pev_layouts[p->version][msg], m, 0, &f);
	if (msg == PEV_DC_STATUS1)
		f.can_dlc = p->is_short_dc1 ? 4 : 8;
	if (p->is_extended)
		f.can_id |= CAN_EFF_FLAG;
	out_queue_frame(out, 0, &f);
}

static void tick(void *self, int64_t now_us, struct out_queue *out)
{
	struct scripted_pev *p = self;
	struct pev_ev_information info = {.state_of_charge_permille = p->soc_permille,
					  .energy_capacity_Wh = p->capacity_Wh};
	struct pev_dc_status1 dc1 = {.max_charge_current_mA = p->request_mA,
				     .present_current_mA = p->force_current_mA,
				     .max_discharge_current_mA = p->discharge_mA,
				     .target_voltage_mV = p->target_mV};
	struct pev_dc_status2 dc2 = {.contactors_closed = p->is_closed,
				     .normal_end_of_charge = p->is_stop_requested,
				     .emergency_stop = p->is_emergency_requested,
				     .battery_voltage_mV = p->battery_mV};

	if (!grid_due(&p->grid, now_us))
		return;
	move(p, now_us);
	dc2.contactors_closed = p->is_closed;
	dc2.inlet_voltage_mV = p->force_inlet_mV >= 0 ? p->force_inlet_mV : (int32_t)lrint(p->inlet_V * 1000);
	if (p->sends_information)
		send(p, PEV_EV_INFORMATION, &info, out);
	if (p->sends_dc1)
		send(p, PEV_DC_STATUS1, &dc1, out);
	if (p->sends_dc2)
		send(p, PEV_DC_STATUS2, &dc2, out);
	if (p->has_hold_off_change)
		send(p, PEV_EV_STATUS, &p->flags, out);
	p->has_hold_off_change = false;
}

void scripted_pev_send_flags(struct scripted_pev *p)
{
	p->has_hold_off_change = true;
}

static int64_t next_us(const void *self)
{
	const struct scripted_pev *p = self;

	return p->grid.next_us;
}

struct machine scripted_pev_machine(struct scripted_pev *p)
{
	static const struct machine_ops ops = {.rx = rx, .tick = tick, .next_us = next_us};
	struct machine m = {.ops = &ops, .self = p, .name = "scripted pev"};

	return m;
}

bool scripted_pev_passed(const struct scripted_pev *p, const int *stages)
{
	uint32_t i;

	for (i = 0; stages[i] >= 0; i++) {
		if (i >= p->n_stages || p->stages[i] != stages[i])
			return false;
	}
	return i == p->n_stages;
}
