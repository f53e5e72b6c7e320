/* SPDX-License-Identifier: MIT */
/*
 * From aims to grants: what the ramp and the ledger allow of them, lowered ones first and at once. Pure.
 *
 * The rule of lease.h: the lesser of the aim and what the newest grant gives is always free. More needs every
 * row of the point to be within its limit with all that may be drawn anywhere (U), and what goes beyond the
 * point's own U needs room there.
 */
#include "site-ctrl/site_priv.h"

bool site_is_quiet(const struct site *s, int64_t now_us)
{
	return now_us < s->ledger.quiet_until_us ||
	       (s->other_us != ALLOC_UNKNOWN && now_us - s->other_us < SITE_OTHER_US);
}

static void follow_ledger(struct site *s, uint32_t i, int64_t now_us)
{
	int32_t draw_mA = lease_may_draw_mA(&s->ledger, i, now_us);
	int32_t feed_mA = s->has_export ? lease_may_discharge_mA(&s->ledger, i, now_us) : 0;

	site_rows_add(&s->taken, i, draw_mA - s->may_draw_mA[i]);
	site_rows_add(&s->fed, i, feed_mA - s->may_feed_mA[i]);
	s->may_draw_mA[i] = draw_mA;
	s->may_feed_mA[i] = feed_mA;
}

void site_refresh(struct site *s, int64_t now_us)
{
	uint32_t i;

	for (i = 0; i < s->model->n_points; i++) {
		struct site_slot *slot = &s->slot[i];

		follow_ledger(s, i, now_us);
		if (slot->over_us == ALLOC_UNKNOWN || now_us < slot->over_us)
			continue;
		/* Nobody answered for a whole lease: it keeps to its safe current by itself. */
		slot->over_us = ALLOC_UNKNOWN;
		slot->charge_mA = slot->discharge_mA = 0;
		slot->hold.on_us = slot->hold.off_us = ALLOC_UNKNOWN;
		slot->hold.pin_until_us = 0;
	}
}

/* --- what is due ------------------------------------------------------------------------------------------- */

static int32_t charge_aim(const struct site_slot *slot)
{
	return fc_max_i32(slot->aim_mA, 0);
}

static int32_t feed_aim(const struct site_slot *slot)
{
	return fc_max_i32(-slot->aim_mA, 0);
}

static uint8_t due_of(const struct site *s, uint32_t i, bool is_renewal)
{
	const struct site_slot *slot = &s->slot[i];
	uint8_t due = 0;

	if (charge_aim(slot) < slot->charge_mA || feed_aim(slot) < slot->discharge_mA)
		due |= SITE_DUE_LOWER;
	if (charge_aim(slot) > slot->charge_mA || feed_aim(slot) > slot->discharge_mA)
		due |= SITE_DUE_RAISE;
	if (is_renewal && (!slot->has_answered || slot->answered != s->lease[i].number))
		due |= SITE_DUE_RENEW;
	return due;
}

void site_plan(struct site *s, int64_t now_us, bool is_renewal)
{
	uint32_t i;

	site_refresh(s, now_us);
	s->is_waiting = false;
	if (is_renewal)
		s->first = s->model->n_points ? (s->first + 1) % s->model->n_points : 0;
	for (i = 0; i < s->model->n_points; i++) {
		struct site_slot *slot = &s->slot[i];

		slot->due &= SITE_DUE_REASON;
		if (!s->lease[i].has_report || slot->heard.is_local || s->model->point[i].number == 0)
			continue;
		if (!site_is_quiet(s, now_us)) {
			slot->due |= due_of(s, i, is_renewal);
		} else if (is_renewal && slot->role != SITE_ROLE_SILENT) {
			slot->reason = ALLOC_REASON_START;
			slot->row = ALLOC_NO_ROW;
			slot->due |= SITE_DUE_REASON;
		}
	}
}

/* --- how much ---------------------------------------------------------------------------------------------- */

struct offer {
	int32_t charge_mA, discharge_mA;
	uint8_t reason;
	uint32_t row;
};

static void hold_back(struct site *s, struct offer *o, uint32_t row)
{
	o->reason = ALLOC_REASON_LEDGER;
	o->row = row;
	s->is_waiting = true;
}

/* The most of want_mA that the ledger allows now; will, may: of this point, in the direction of `rows`. */
static int32_t ledger_mA(struct site *s, const struct site_rows *rows, const int32_t *limit_mA, uint32_t i,
			 int32_t want_mA, int32_t will_mA, int32_t may_mA, struct offer *o)
{
	uint32_t row;
	int32_t room_mA;

	if (want_mA <= will_mA)
		return want_mA;
	if (!site_rows_is_within(rows, limit_mA, i, &row)) {
		hold_back(s, o, row);
		return will_mA;
	}
	if (want_mA <= may_mA)
		return want_mA;
	room_mA = site_rows_room_mA(rows, limit_mA, i, want_mA - may_mA, &row);
	if (room_mA < want_mA - may_mA)
		hold_back(s, o, row);
	return may_mA + room_mA;
}

static int32_t ramp_mA(const struct site *s, const struct site_slot *slot, int64_t now_us, struct offer *o)
{
	int64_t cycle_us = (int64_t)s->conf.cycle_ms * FC_US_PER_MS, dt_us = cycle_us;
	int32_t mA;

	/* A raise that comes after long rest is not larger than that of one cycle. */
	if (slot->raised_us != ALLOC_UNKNOWN && now_us - slot->raised_us < cycle_us)
		dt_us = now_us - slot->raised_us;
	mA = site_hold_ramp_mA(&s->conf, slot->charge_mA, o->charge_mA, slot->minimum_mA, dt_us);
	if (mA < o->charge_mA)
		o->reason = ALLOC_REASON_RAMP;
	return mA;
}

static void make_offer(struct site *s, uint32_t i, int64_t now_us, struct offer *o)
{
	const struct site_point_conf *p = &s->model->point[i];
	const struct site_slot *slot = &s->slot[i];

	*o = (struct offer){.charge_mA = charge_aim(slot),
			    .discharge_mA = feed_aim(slot),
			    .reason = slot->aim_reason,
			    .row = slot->aim_row};
	o->charge_mA = ramp_mA(s, slot, now_us, o);
	o->charge_mA = ledger_mA(s, &s->taken, s->limits->limit_mA, i, o->charge_mA,
				 lease_will_draw_mA(&s->ledger, i, now_us), s->may_draw_mA[i], o);
	o->charge_mA = site_round_down_mA(p, o->charge_mA);
	if (o->charge_mA < slot->minimum_mA)
		o->charge_mA = 0;
	if (s->has_export)
		o->discharge_mA = site_wire_floor_mA(
			ledger_mA(s, &s->fed, s->limits->export_limit_mA, i, o->discharge_mA,
				  lease_will_discharge_mA(&s->ledger, i, now_us), s->may_feed_mA[i], o));
	else
		o->discharge_mA = 0;
}

/* --- sending ----------------------------------------------------------------------------------------------- */

static void note_sent(struct site *s, uint32_t i, int64_t now_us, const struct lease_sent *sent,
		      const struct offer *o)
{
	struct site_slot *slot = &s->slot[i];
	bool was_on = slot->charge_mA > 0 || slot->discharge_mA > 0;
	bool is_on = sent->charge_mA > 0 || sent->discharge_mA > 0;

	s->count.n_grants++;
	s->count.n_changes += sent->charge_mA != slot->charge_mA || sent->discharge_mA != slot->discharge_mA;
	s->count.n_lowered += sent->charge_mA < slot->charge_mA;
	s->count.n_raised += sent->charge_mA > slot->charge_mA;
	if (sent->charge_mA > slot->charge_mA)
		slot->raised_us = now_us;
	if (was_on != is_on && site_wants(slot))
		site_hold_switched(&slot->hold, now_us, is_on);
	slot->charge_mA = sent->charge_mA;
	slot->discharge_mA = sent->discharge_mA;
	slot->over_us = sent->over_us;
	slot->answered = sent->number;
	slot->has_answered = true;
	slot->reason = o->reason;
	slot->row = o->row;
	slot->due = SITE_DUE_REASON;
}

/* True when a frame was queued. */
static bool grant(struct site *s, uint32_t i, int64_t now_us, struct out_queue *out)
{
	const struct site_point_conf *p = &s->model->point[i];
	struct site_slot *slot = &s->slot[i];
	bool must = (slot->due & (SITE_DUE_RENEW | SITE_DUE_LOWER)) != 0;
	struct lease_sent sent;
	struct can_frame f;
	struct offer o;

	make_offer(s, i, now_us, &o);
	if (!must && o.charge_mA == slot->charge_mA && o.discharge_mA == slot->discharge_mA) {
		slot->due &= SITE_DUE_REASON;
		return false;
	}
	if (lease_grant(&s->ledger, i, o.charge_mA, o.discharge_mA, now_us, &sent)) {
		/* Its next report will be answered. */
		slot->due &= SITE_DUE_REASON;
		s->count.n_not_granted++;
		return false;
	}
	follow_ledger(s, i, now_us);
	site_wire_grant(&f, p->number, &sent, s->ledger.duration_us);
	note_sent(s, i, now_us, &sent, &o);
	return site_send(s, out, p->bus, &f);
}

static bool say_reason(struct site *s, uint32_t i, struct out_queue *out)
{
	const struct site_point_conf *p = &s->model->point[i];
	struct site_slot *slot = &s->slot[i];
	const struct alloc_row *row =
		slot->row < s->model->site.n_rows ? &s->model->site.row[slot->row] : NULL;
	struct site_grant_reason m = {
		.reason = slot->reason,
		.row = row && slot->row < SITE_WIRE_NONE ? (uint16_t)slot->row : SITE_WIRE_NONE,
		.node = row && row->node < SITE_WIRE_NONE ? (uint16_t)row->node : SITE_WIRE_NONE,
		.phase = row ? (uint8_t)row->phase : 0,
		.aim_mA = charge_aim(slot),
	};
	struct can_frame f;

	slot->due &= (uint8_t)~SITE_DUE_REASON;
	site_wire_reason(&f, p->number, &m);
	return site_send(s, out, p->bus, &f);
}

/* Frames for everybody with one of these due, beginning at s->first. Returns how many are left over. */
static uint32_t pump(struct site *s, int64_t now_us, struct out_queue *out, unsigned which, uint32_t *budget)
{
	uint32_t n = s->model->n_points, k, left = 0;

	for (k = 0; k < n; k++) {
		uint32_t i = s->first + k < n ? s->first + k : s->first + k - n;

		if (!(s->slot[i].due & which))
			continue;
		if (*budget == 0 || out->n >= OUT_QUEUE_LEN)
			left++;
		else if (which == SITE_DUE_REASON ? say_reason(s, i, out) : grant(s, i, now_us, out))
			--*budget;
	}
	return left;
}

void site_pump(struct site *s, int64_t now_us, struct out_queue *out)
{
	uint32_t lowered = UINT32_MAX, budget, left;

	if (s->is_stopping)
		return;
	left = pump(s, now_us, out, SITE_DUE_LOWER, &lowered);
	lowered = UINT32_MAX - lowered;
	budget = lowered < SITE_FRAMES_PER_TICK ? SITE_FRAMES_PER_TICK - lowered : 0;
	left += pump(s, now_us, out, SITE_DUE_RAISE | SITE_DUE_RENEW, &budget);
	left += pump(s, now_us, out, SITE_DUE_REASON, &budget);
	s->pump_us = left > 0 ? now_us + SITE_PUMP_GAP_US : FC_NEVER;
}
