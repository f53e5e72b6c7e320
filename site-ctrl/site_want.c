/* SPDX-License-Identifier: MIT */
/* What a point wants: from its reports and the configuration to what policies are told. Pure. */
#include "site-ctrl/site_priv.h"

#include <string.h>

/* Times that come in units of 10 s and minutes move by a unit without meaning anything. */
#define SINCE_JITTER_US	    INT64_C(30000000)
#define DEPARTURE_JITTER_US INT64_C(90000000)
#define UNIT_10S_US	    INT64_C(10000000)
#define MINUTE_US	    INT64_C(60000000)
#define mWh_PER_100Wh	    100000

bool site_wants(const struct site_slot *slot)
{
	return slot->heard.report_us != ALLOC_UNKNOWN &&
	       (slot->heard.state == SITE_POINT_REPORT_STATE_WAITING ||
		slot->heard.state == SITE_POINT_REPORT_STATE_CHARGING ||
		slot->heard.state == SITE_POINT_REPORT_STATE_DISCHARGING);
}

bool site_is_fresh(const struct site *s, const struct site_slot *slot, int64_t now_us)
{
	int64_t timeout_us = (int64_t)s->conf.report_timeout_ms * FC_US_PER_MS;

	return slot->heard.report_us != ALLOC_UNKNOWN && now_us - slot->heard.report_us < timeout_us &&
	       slot->heard.demand_us != ALLOC_UNKNOWN && now_us - slot->heard.demand_us < timeout_us;
}

void site_session(struct site_slot *slot, int64_t now_us)
{
	struct site_heard *h = &slot->heard;

	if (site_wants(slot)) {
		if (slot->since_us == ALLOC_UNKNOWN)
			slot->since_us = now_us;
		return;
	}
	slot->hold.wait_us = ALLOC_UNKNOWN;
	slot->hold.pin_until_us = 0;
	if (h->state != SITE_POINT_REPORT_STATE_IDLE)
		return;
	site_hold_reset(&slot->hold);
	slot->since_us = slot->departure_us = ALLOC_UNKNOWN;
	h->session_us = h->meter_us = ALLOC_UNKNOWN;
	h->energy_100Wh = h->departure_min = SITE_WIRE_NONE;
	h->soc_percent = 255;
	h->priority = 0;
	slot->has_class = false;
}

static void steady(int64_t *kept_us, int64_t new_us, int64_t jitter_us)
{
	int64_t off_us = *kept_us == ALLOC_UNKNOWN ? jitter_us : new_us - *kept_us;

	if (off_us >= jitter_us || off_us <= -jitter_us)
		*kept_us = new_us;
}

static void follow_session(struct site_slot *slot)
{
	const struct site_heard *h = &slot->heard;

	if (h->session_us == ALLOC_UNKNOWN)
		return;
	if (h->plugged_10s != UINT16_MAX)
		steady(&slot->since_us, h->session_us - h->plugged_10s * UNIT_10S_US, SINCE_JITTER_US);
	if (h->departure_min == SITE_WIRE_NONE)
		slot->departure_us = ALLOC_UNKNOWN;
	else
		steady(&slot->departure_us, h->session_us + h->departure_min * MINUTE_US,
		       DEPARTURE_JITTER_US);
}

int32_t site_round_down_mA(const struct site_point_conf *p, int32_t mA)
{
	return mA > 0 ? site_wire_floor_mA(site_point_round_mA(p, mA)) : 0;
}

int32_t site_round_up_mA(const struct site_point_conf *p, int32_t min_mA)
{
	int32_t step_mA = fc_max_i32(p->step_mA, SITE_WIRE_STEP_mA), mA = site_round_down_mA(p, min_mA);
	uint32_t k;

	if (mA >= min_mA)
		return mA;
	for (k = 0; k < p->n_levels; k++)
		if (site_wire_floor_mA(p->level_mA[k]) >= min_mA)
			return site_wire_floor_mA(p->level_mA[k]);
	/* One step up, two where cutting to the wire's 0.1 A took one away, or the minimum of the point. */
	for (k = 1; k <= 2 && p->n_levels == 0 && min_mA < INT32_MAX - 2 * step_mA; k++) {
		mA = site_round_down_mA(p, min_mA + (int32_t)k * step_mA);
		if (mA >= min_mA)
			return mA;
	}
	mA = site_round_down_mA(p, fc_max_i32(p->min_mA, min_mA));
	return mA >= min_mA ? mA : INT32_MAX;
}

static void want_charge(const struct site *s, const struct site_slot *slot, const struct site_point_conf *p,
			struct alloc_point *w)
{
	int32_t most_mA = fc_min_i32(fc_min_i32(p->max_mA, slot->maximum_mA), slot->hold.cap_mA);
	int32_t least_mA = site_round_up_mA(p, fc_max_i32(fc_max_i32(p->min_mA, slot->minimum_mA), 0));
	int32_t safe_mA = site_round_up_mA(p, p->safe_mA);

	(void)s;
	/* A cap that reclaim has set must not keep someone from his minimum. */
	most_mA = site_round_down_mA(p, fc_max_i32(most_mA, fc_min_i32(least_mA, slot->maximum_mA)));
	if (least_mA > most_mA)
		return;
	w->max_mA = most_mA;
	/* What it may draw without us is taken in any case: less would save nothing. */
	w->min_mA = safe_mA <= most_mA ? fc_max_i32(least_mA, safe_mA) : least_mA;
}

static void want_session(const struct site_slot *slot, const struct site_point_conf *p, struct alloc_point *w)
{
	const struct site_heard *h = &slot->heard;

	w->class = slot->has_class ? slot->class : p->class + h->priority;
	w->since_us = slot->since_us;
	w->departure_us = slot->departure_us;
	w->energy_mWh = ALLOC_UNKNOWN;
	/* Less than half a unit, but it still asks. */
	if (h->session_us != ALLOC_UNKNOWN && h->energy_100Wh != SITE_WIRE_NONE)
		w->energy_mWh =
			h->energy_100Wh ? h->energy_100Wh * (int64_t)mWh_PER_100Wh : mWh_PER_100Wh / 2;
	w->changed_us = slot->hold.on_us > slot->hold.off_us ? slot->hold.on_us : slot->hold.off_us;
}

static enum site_role role_of(const struct site *s, uint32_t i, const struct alloc_point *w, int64_t now_us)
{
	const struct site_slot *slot = &s->slot[i];

	/* Who cannot be answered now is as good as silent: what he has is set aside (lease.h). */
	if (!site_is_fresh(s, slot, now_us) || !lease_can_grant(&s->ledger, i, now_us))
		return SITE_ROLE_SILENT;
	if (slot->heard.is_local || slot->heard.state == SITE_POINT_REPORT_STATE_FAULT ||
	    slot->heard.state == SITE_POINT_REPORT_STATE_UNAVAILABLE)
		return SITE_ROLE_OUT;
	if (!site_wants(slot) || (w->max_mA == 0 && w->max_discharge_mA == 0))
		return SITE_ROLE_IDLE;
	if (slot->charge_mA == 0 && slot->discharge_mA == 0 &&
	    site_hold_is_fixed_off(&slot->hold, &s->conf, now_us))
		return SITE_ROLE_HELD;
	return SITE_ROLE_ASKED;
}

static int32_t state_of(enum site_role role, const struct site_slot *slot)
{
	switch (role) {
	case SITE_ROLE_SILENT:
	case SITE_ROLE_OUT:
		return ALLOC_GONE;
	case SITE_ROLE_IDLE:
	case SITE_ROLE_HELD:
		return ALLOC_IDLE;
	case SITE_ROLE_ASKED:
		break;
	}
	return slot->charge_mA > 0 || slot->discharge_mA > 0 ? ALLOC_CHARGING : ALLOC_WAITING;
}

static void log_edge(const struct site *s, uint32_t i, struct site_slot *slot)
{
	bool is_silent = slot->role == SITE_ROLE_SILENT;

	if (is_silent == slot->was_silent)
		return;
	slot->was_silent = is_silent;
	log_f(&s->log, is_silent ? LOG_WARN : LOG_NOTE, "point %s %s may_draw_mA=%d", s->model->point[i].name,
	      is_silent ? "silent" : "reports", s->may_draw_mA[i]);
}

void site_want(struct site *s, uint32_t i, int64_t now_us)
{
	const struct site_point_conf *p = &s->model->point[i];
	struct site_slot *slot = &s->slot[i];
	struct alloc_point *w = &s->want[i];
	const struct site_heard *h = &slot->heard;

	memset(w, 0, sizeof(*w));
	w->id = i;
	w->weight_permille = p->weight_permille > 0 ? p->weight_permille : 1000;
	w->step_mA = p->step_mA > 0 && p->step_mA % SITE_WIRE_STEP_mA == 0 ? p->step_mA : SITE_WIRE_STEP_mA;
	w->mW_per_mA = site_point_mW_per_mA(p);
	w->grant_mA = slot->charge_mA > 0 ? slot->charge_mA : -slot->discharge_mA;
	w->drawn_mA = h->present_mA;
	slot->pin_mA = 0;
	if (site_is_fresh(s, slot, now_us)) {
		slot->maximum_mA = site_calm_point_mA(slot->maximum_mA, h->maximum_mA, s->is_trim);
		slot->minimum_mA = site_calm_point_mA(slot->minimum_mA, h->minimum_mA, s->is_trim);
		follow_session(slot);
		site_hold_probe(&slot->hold, &s->conf, now_us);
		want_charge(s, slot, p, w);
		if (h->meter_us != ALLOC_UNKNOWN)
			w->max_discharge_mA =
				site_wire_floor_mA(fc_min_i32(p->max_discharge_mA, h->max_discharge_mA));
	}
	want_session(slot, p, w);
	slot->role = (uint8_t)role_of(s, i, w, now_us);
	w->state = state_of((enum site_role)slot->role, slot);
	log_edge(s, i, slot);
}
