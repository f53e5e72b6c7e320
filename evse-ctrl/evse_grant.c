/* SPDX-License-Identifier: MIT */
/* The point's half of a site. Pure. */
#include "evse-ctrl/evse_grant.h"

#include <string.h>

#include <forecourt/units.h>

#define SQRT3_E9 INT64_C(1732050807) /* rounded down */

/* Noise of a measurement: this much above the bound is not more than the bound. */
#define TOLERANCE_mA	   200
#define TOLERANCE_PERMILLE 10
#define STEP_mA		   LEASE_HOLD_WIRE_STEP_mA

#define UNKNOWN_16 UINT16_MAX
#define UNKNOWN_8  UINT8_MAX

static const struct msg_layout *layout(enum site_msg msg)
{
	return &site_layouts[SITE_V1][msg];
}

/* --- supply <-> DC output ----------------------------------------------------------------------------- */

/*
 * Volts by which the current of one conductor becomes power. Rounded down, which is safe in both
 * directions.
 */
static int64_t power_mV(const struct evse_supply *s)
{
	return s->n_phases == 3 ? (int64_t)s->voltage_mV * SQRT3_E9 / 1000000000 : s->voltage_mV;
}

int32_t evse_supply_dc_W(const struct evse_supply *s, int32_t supply_mA)
{
	int64_t useful_mA = (int64_t)supply_mA - s->no_load_mA;

	if (useful_mA <= 0)
		return 0;
	return fc_clamp_i32(useful_mA * power_mV(s) / 1000 * s->efficiency_permille / 1000000, 0, INT32_MAX);
}

/* mW over volts, rounded up. */
static int64_t current_mA(const struct evse_supply *s, int64_t power_mW, int32_t efficiency_permille)
{
	int64_t v_mV = power_mV(s) * efficiency_permille;

	if (v_mV <= 0)
		return INT32_MAX;
	if (power_mW > INT64_C(1000000000000)) /* a gigawatt: beyond any point, and of the arithmetic below */
		power_mW = INT64_C(1000000000000);
	return (power_mW * 1000000 + v_mV - 1) / v_mV;
}

int32_t evse_supply_draw_mA(const struct evse_supply *s, int64_t dc_mW)
{
	if (dc_mW <= 0)
		return s->no_load_mA;
	return fc_clamp_i32(current_mA(s, dc_mW, s->efficiency_permille) + s->no_load_mA, 0, INT32_MAX);
}

int32_t evse_supply_feed_mA(const struct evse_supply *s, int64_t dc_mW)
{
	return dc_mW <= 0 ? 0 : fc_clamp_i32(current_mA(s, dc_mW, 1000), 0, INT32_MAX);
}

int32_t evse_supply_feed_W(const struct evse_supply *s, int32_t supply_mA)
{
	return supply_mA <= 0 ? 0 : fc_clamp_i32((int64_t)supply_mA * power_mV(s) / 1000000, 0, INT32_MAX);
}

/* --- lease -------------------------------------------------------------------------------------------- */

void evse_grant_init(struct evse_grant *g, unsigned index, int32_t safe_mA, uint32_t first_number,
		     int64_t now_us)
{
	memset(g, 0, sizeof(*g));
	lease_hold_init(&g->hold, safe_mA, first_number);
	g->index = (uint8_t)index;
	g->start_us = now_us;
	g->report_us = FC_NEVER;
	g->lowered_us = now_us; /* from whatever an earlier process had */
	g->allowed_mA = g->may_draw_mA = safe_mA;
	grid_start(&g->cycle, now_us + EVSE_GRANT_FIRST_US, EVSE_GRANT_PERIOD_US);
}

size_t evse_grant_filters(const struct evse_grant *g, struct can_filter *f, size_t n)
{
	static const enum site_msg received[] = {SITE_GRANT, SITE_GRANT_REASON};
	size_t i;

	for (i = 0; i < 2 && i < n; i++) {
		f[i].can_id = layout(received[i])->id | (canid_t)g->index << MSG_INDEX_SHIFT;
		f[i].can_mask = CAN_EFF_MASK | CAN_EFF_FLAG | CAN_RTR_FLAG;
	}
	return i;
}

static enum evse_grant_event take_grant(struct evse_grant *g, int64_t now_us, const struct can_frame *f)
{
	const struct msg_layout *l = layout(SITE_GRANT);
	struct site_grant m = {0};

	if (!msg_from_frame(l, &m, f, l->dlc)) {
		g->n_malformed++;
		return EVSE_GRANT_DROPPED;
	}
	if (lease_hold_grant(&g->hold, now_us, m.number, m.revision, (int64_t)m.duration * 2 * FC_US_PER_S,
			     m.charge_current_mA, m.discharge_current_mA) != LEASE_TAKEN)
		return EVSE_GRANT_DROPPED; /* counted by verdict */
	return EVSE_GRANT_TAKEN;
}

enum evse_grant_event evse_grant_rx(struct evse_grant *g, int64_t now_us, const struct can_frame *f)
{
	const struct msg_layout *why = layout(SITE_GRANT_REASON);
	struct site_grant_reason m = {0};
	canid_t id = f->can_id & ~(canid_t)MSG_INDEX_MASK;

	if ((f->can_id & (CAN_EFF_FLAG | CAN_RTR_FLAG | CAN_ERR_FLAG)) != CAN_EFF_FLAG ||
	    msg_index(f->can_id) != g->index)
		return EVSE_GRANT_OTHER;
	if (id == layout(SITE_GRANT)->id)
		return take_grant(g, now_us, f);
	if (id != why->id)
		return EVSE_GRANT_OTHER;
	if (!msg_from_frame(why, &m, f, why->dlc)) {
		g->n_malformed++;
		return EVSE_GRANT_DROPPED;
	}
	g->why = m;
	g->has_why = true;
	return EVSE_GRANT_WHY;
}

bool evse_grant_expire(struct evse_grant *g, int64_t now_us)
{
	bool has_expired;

	/* Others look at the lease too: the count tells what happened since we did. */
	lease_hold_tick(&g->hold, now_us);
	has_expired = g->hold.n_expired != g->n_expired;
	g->n_expired = g->hold.n_expired;
	return has_expired;
}

int32_t evse_grant_allowed_mA(const struct evse_grant *g, int64_t now_us)
{
	return g->is_local ? g->hold.safe_mA : lease_hold_charge_mA(&g->hold, now_us);
}

int32_t evse_grant_feed_mA(const struct evse_grant *g, int64_t now_us)
{
	return g->is_local ? 0 : lease_hold_discharge_mA(&g->hold, now_us);
}

/* --- upper bound -------------------------------------------------------------------------------------- */

/* Signals of currents round to the nearest step; a bound must not round down. */
static int32_t up(int32_t mA)
{
	return mA > INT32_MAX - STEP_mA ? mA : (mA + STEP_mA - 1) / STEP_mA * STEP_mA;
}

static int32_t down(int32_t mA)
{
	return mA / STEP_mA * STEP_mA;
}

static int32_t with_tolerance(int32_t mA)
{
	return fc_clamp_i32((int64_t)mA + fc_max_i32(TOLERANCE_mA, fc_permille_of(mA, TOLERANCE_PERMILLE)), 0,
			    INT32_MAX);
}

/*
 * What the lease says is the bound. A reading shows that the draw has followed a lowering, when its sample
 * is so much newer that the power stack had time to act; and a reading above the bound counts itself,
 * whatever was commanded.
 */
void evse_grant_follow(struct evse_grant *g, int64_t now_us, const struct evse_grant_draw *draw)
{
	int32_t before_mA = g->may_draw_mA, allowed_mA = evse_grant_allowed_mA(g, now_us);

	if (allowed_mA < g->allowed_mA)
		g->lowered_us = now_us;
	g->allowed_mA = allowed_mA;
	if (g->lowered_us != FC_NEVER && draw->is_fresh &&
	    draw->sampled_us >= g->lowered_us + EVSE_GRANT_SETTLE_US &&
	    draw->mA <= with_tolerance(allowed_mA)) {
		g->lowered_us = FC_NEVER;
		lease_hold_followed(&g->hold, now_us);
	}
	g->may_draw_mA = lease_hold_may_draw_mA(&g->hold, now_us);
	if (draw->is_fresh && draw->mA > with_tolerance(g->may_draw_mA))
		g->may_draw_mA = fc_max_i32(g->may_draw_mA, up(with_tolerance(draw->mA)));
	else if (!draw->is_fresh && draw->is_powered)
		g->may_draw_mA = fc_max_i32(g->may_draw_mA, before_mA);
}

/* --- reports ------------------------------------------------------------------------------------------ */

static int32_t ack_mA(const struct evse_grant *g)
{
	return g->hold.has_grant ? g->hold.charge_mA : -1;
}

static void look_for_changes(struct evse_grant *g, const struct evse_grant_facts *facts)
{
	if (facts->state != g->told_state || ack_mA(g) != g->told_ack_mA ||
	    fc_abs_i32(g->may_draw_mA - g->told_may_draw_mA) >= STEP_mA)
		g->is_due = true;
}

static bool is_report_due(struct evse_grant *g, int64_t now_us)
{
	bool is_slot = grid_due(&g->cycle, now_us);

	if (is_slot)
		g->is_due = true; /* also when it has to wait for the spacing */
	if (g->report_us == FC_NEVER)
		return is_slot;
	return g->is_due && now_us - g->report_us >= LEASE_HOLD_MIN_GAP_US;
}

static void put(const struct evse_grant *g, enum site_msg msg, const void *m, struct can_frame *f)
{
	msg_to_frame(layout(msg), m, g->index, f); /* beyond its signal's range a value saturates */
}

static uint16_t units_of(int64_t value, int64_t unit)
{
	int64_t n = value <= 0 ? 0 : (value + unit - 1) / unit;

	return n >= UNKNOWN_16 ? UNKNOWN_16 - 1 : (uint16_t)n;
}

static void put_vehicle(const struct evse_grant *g, int64_t now_us, const struct evse_grant_facts *facts,
			struct can_frame f[2])
{
	struct site_point_session session = {
		.energy_wanted = facts->energy_wanted_Wh == EVSE_GRANT_UNKNOWN
					 ? UNKNOWN_16
					 : units_of(facts->energy_wanted_Wh, 100),
		.departure = facts->departure_us == EVSE_GRANT_UNKNOWN
				     ? UNKNOWN_16
				     : units_of(facts->departure_us - now_us, 60 * (int64_t)FC_US_PER_S),
		.plugged_for = (uint16_t)fc_clamp_i32(
			(now_us - facts->plugged_us) / (10 * (int64_t)FC_US_PER_S), 0, UINT16_MAX),
		.state_of_charge = facts->soc_percent < 0
					   ? UNKNOWN_8
					   : (uint8_t)fc_min_i32(facts->soc_percent, UNKNOWN_8 - 1),
		.priority = facts->priority,
	};
	struct site_point_meter meter = {
		.energy_session = (uint32_t)(facts->energy_session_Wh / 10) & 0xffffffu,
		.discharge_maximum_mA = down(facts->discharge_maximum_mA),
		.output_voltage_mV = facts->output_voltage_mV,
	};

	put(g, SITE_POINT_SESSION, &session, &f[0]);
	put(g, SITE_POINT_METER, &meter, &f[1]);
}

unsigned evse_grant_report(struct evse_grant *g, int64_t now_us, const struct evse_grant_facts *facts,
			   struct can_frame f[EVSE_GRANT_N_FRAMES])
{
	struct site_point_demand demand = {
		.requested_mA = fc_min_i32(up(facts->requested_mA), down(facts->maximum_mA)),
		.present_mA = facts->present_mA,
		.maximum_mA = down(facts->maximum_mA),
		.minimum_mA = fc_min_i32(up(facts->minimum_mA), down(facts->maximum_mA)),
	};
	struct site_point_report report = {0};

	look_for_changes(g, facts);
	if (!is_report_due(g, now_us))
		return 0;
	g->is_due = false;
	g->report_us = now_us;
	g->n_reports++;
	g->told_state = facts->state;
	g->told_may_draw_mA = g->may_draw_mA;
	g->told_ack_mA = ack_mA(g);
	report.number = lease_hold_report(&g->hold, now_us, &report.ack_age, &report.ack_revision);
	report.state = facts->state;
	report.may_draw_mA = g->may_draw_mA;
	report.is_restarted = now_us - g->start_us < EVSE_GRANT_RESTARTED_US;
	report.is_local = facts->is_local;
	put(g, SITE_POINT_REPORT, &report, &f[0]);
	put(g, SITE_POINT_DEMAND, &demand, &f[1]);
	if (!facts->has_vehicle)
		return 2;
	put_vehicle(g, now_us, facts, &f[2]);
	return EVSE_GRANT_N_FRAMES;
}

int64_t evse_grant_next_us(const struct evse_grant *g)
{
	int64_t next = fc_min_i64(g->cycle.next_us, lease_hold_next_us(&g->hold));

	if (g->is_due && g->report_us != FC_NEVER)
		next = fc_min_i64(next, g->report_us + LEASE_HOLD_MIN_GAP_US);
	return next;
}

uint32_t evse_grant_n_dropped(const struct evse_grant *g)
{
	uint32_t n = g->n_malformed;
	unsigned i;

	for (i = 0; i < LEASE_N_VERDICTS; i++)
		n += i == LEASE_TAKEN ? 0 : g->hold.n_verdicts[i];
	return n;
}

static const char *name_in(enum site_msg msg, const char *signal, int64_t number)
{
	const struct msg_layout *l = layout(msg);
	const char *name = NULL;
	uint16_t i;

	for (i = 0; i < l->n_fields && !name; i++)
		if (strcmp(l->fields[i].signal, signal) == 0)
			name = msg_value_name(&l->fields[i], number);
	return name ? name : "unknown";
}

const char *evse_grant_reason_name(uint8_t reason)
{
	return name_in(SITE_GRANT_REASON, "Reason", reason);
}

const char *evse_grant_state_name(uint8_t state)
{
	return name_in(SITE_POINT_REPORT, "State", state);
}
