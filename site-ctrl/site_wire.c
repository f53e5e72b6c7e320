/* SPDX-License-Identifier: MIT */
/* Frames of the site's messages. Pure. */
#include "site-ctrl/site_wire.h"

#include <errno.h>
#include <string.h>

#include <forecourt/alloc_policy.h>

static const struct msg_layout *layout(int msg)
{
	return &site_layouts[SITE_V1][msg];
}

void site_wire_forget(struct site_heard *h)
{
	memset(h, 0, sizeof(*h));
	h->report_us = h->demand_us = h->session_us = h->meter_us = ALLOC_UNKNOWN;
	h->soc_percent = 255;
	h->energy_100Wh = h->departure_min = SITE_WIRE_NONE;
}

/* Status too: two sites on one bus would each think that all is theirs. */
size_t site_wire_filters(struct can_filter *f, size_t n)
{
	static const enum site_msg heard[SITE_WIRE_FILTERS] = {
		SITE_POINT_REPORT, SITE_POINT_DEMAND, SITE_POINT_SESSION, SITE_POINT_METER, SITE_STATUS,
	};
	size_t i;

	for (i = 0; i < SITE_WIRE_FILTERS && i < n; i++) {
		f[i].can_id = layout((int)heard[i])->id;
		f[i].can_mask = (CAN_EFF_MASK & ~MSG_INDEX_MASK) | CAN_EFF_FLAG | CAN_RTR_FLAG;
	}
	return i;
}

int site_wire_find(const struct can_frame *f, unsigned *number)
{
	if (f->can_id & (CAN_ERR_FLAG | CAN_RTR_FLAG) || !(f->can_id & CAN_EFF_FLAG))
		return -1;
	*number = msg_index(f->can_id);
	return site_find(SITE_V1, msg_base_id(f->can_id));
}

static void keep_demand(struct site_heard *h, const struct site_point_demand *m)
{
	h->requested_mA = m->requested_mA;
	h->present_mA = m->present_mA;
	h->maximum_mA = m->maximum_mA;
	h->minimum_mA = m->minimum_mA;
}

static void keep_session(struct site_heard *h, const struct site_point_session *m)
{
	h->energy_100Wh = m->energy_wanted;
	h->departure_min = m->departure;
	h->plugged_10s = m->plugged_for;
	h->soc_percent = m->state_of_charge;
	h->priority = m->priority;
}

int site_wire_take(struct site_heard *h, int64_t now_us, int msg, const struct can_frame *f,
		   struct site_point_report *report, struct lease_report *r)
{
	struct site_point_demand demand;
	struct site_point_session session;
	struct site_point_meter meter;

	if (msg == SITE_POINT_REPORT && msg_from_frame(layout(msg), report, f, layout(msg)->dlc)) {
		r->number = report->number;
		r->ack_age = report->ack_age;
		r->ack_revision = report->ack_revision;
		r->may_draw_mA = report->may_draw_mA;
		return 1;
	}
	if (msg == SITE_POINT_DEMAND && msg_from_frame(layout(msg), &demand, f, layout(msg)->dlc)) {
		keep_demand(h, &demand);
		h->demand_us = now_us;
		return 0;
	}
	if (msg == SITE_POINT_SESSION && msg_from_frame(layout(msg), &session, f, layout(msg)->dlc)) {
		keep_session(h, &session);
		h->session_us = now_us;
		return 0;
	}
	if (msg == SITE_POINT_METER && msg_from_frame(layout(msg), &meter, f, layout(msg)->dlc)) {
		h->energy_session_10Wh = meter.energy_session;
		h->max_discharge_mA = meter.discharge_maximum_mA;
		h->voltage_mV = meter.output_voltage_mV;
		h->meter_us = now_us;
		return 0;
	}
	return -EINVAL;
}

void site_wire_report(struct site_heard *h, int64_t now_us, const struct site_point_report *report)
{
	h->state = report->state;
	h->is_local = report->is_local != 0;
	h->is_restarted = report->is_restarted != 0;
	h->report_us = now_us;
}

void site_wire_grant(struct can_frame *f, unsigned number, const struct lease_sent *sent, int64_t duration_us)
{
	struct site_grant m = {
		.number = sent->number,
		.revision = sent->revision,
		.duration = (uint8_t)(duration_us / LEASE_UNIT_US),
		.charge_current_mA = site_wire_floor_mA(sent->charge_mA),
		.discharge_current_mA = site_wire_floor_mA(sent->discharge_mA),
	};

	msg_to_frame(layout(SITE_GRANT), &m, number, f);
}

void site_wire_reason(struct can_frame *f, unsigned number, const struct site_grant_reason *reason)
{
	msg_to_frame(layout(SITE_GRANT_REASON), reason, number, f);
}

static int32_t wire_mA(int64_t mA)
{
	return fc_clamp_i32(mA, 0, SITE_WIRE_MAX_mA);
}

void site_wire_row(struct can_frame *f, uint32_t row, int64_t drawn_mA, int64_t taken_mA, int64_t limit_mA)
{
	struct site_row_load m = {
		.row = (uint16_t)row,
		.drawn_mA = wire_mA(drawn_mA),
		.taken_mA = wire_mA(taken_mA),
		.limit_mA = wire_mA(limit_mA),
	};

	msg_to_frame(layout(SITE_ROW_LOAD), &m, 0, f);
}

void site_wire_status(struct can_frame *f, const struct site_status *status)
{
	msg_to_frame(layout(SITE_STATUS), status, 0, f);
}
