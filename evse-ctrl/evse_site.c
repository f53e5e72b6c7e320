/* SPDX-License-Identifier: MIT */
/*
 * What a charge point tells its site and how a grant binds it: facts of a report from the session, the
 * grant as power at the output, the start of power held back until there is a grant. Pure. Does nothing
 * while conf.site is off.
 */
#include "evse-ctrl/evse_session.h"

#include <errno.h>
#include <string.h>

/* Below it the output floats or is being discharged: it says nothing about the battery. */
#define KNOWN_FROM_mV 50000
/* Resolution and noise of the voltage that a current is computed with. */
#define VOLTAGE_MARGIN_PERMILLE 5
#define VOLTAGE_MARGIN_mV	500
/* A vehicle that asks for what was announced, or nearly, is held by it and would take more. */
#define BOUND_MARGIN_mA	      1000
#define BOUND_MARGIN_PERMILLE 30
/* So long after a rise its request may still lag behind: the ramp of a request is 20 A/s. */
#define FOLLOW_US (10 * (int64_t)FC_US_PER_S)
/*
 * Of the reaction time of 5 s, what the modules' ramp may use; the rest is for a cycle and their dead time.
 */
#define RAMP_US	       (4400 * (int64_t)FC_US_PER_MS)
#define NO_CURRENT_mA  100
#define LOG_STEP_mA    500
#define mJ_PER_Wh      3600000
#define UNKNOWN_NUMBER EVSE_GRANT_UNKNOWN

static struct evse_supply supply(const struct evse_session *s)
{
	return (struct evse_supply){
		.voltage_mV = s->conf.supply_voltage_mV,
		.n_phases = s->conf.supply_phases,
		.efficiency_permille = s->conf.efficiency_permille,
		.no_load_mA = s->conf.no_load_mA,
	};
}

static int64_t power_mW(int32_t v_mV, int32_t i_mA)
{
	return (int64_t)v_mV * i_mA / 1000;
}

static void forget_need(struct evse_session *s)
{
	s->site.need = (struct evse_need){.energy_Wh = UNKNOWN_NUMBER, .departure_us = UNKNOWN_NUMBER};
}

void evse_session_site_bus(struct evse_session *s, uint8_t bus)
{
	static const enum site_msg sent[] = {SITE_POINT_REPORT, SITE_POINT_DEMAND, SITE_POINT_SESSION,
					     SITE_POINT_METER};
	unsigned i;

	s->site.bus = bus;
	for (i = 0; i < sizeof(sent) / sizeof(sent[0]); i++)
		evse_guard_allow(&s->guard, &site_layouts[SITE_V1][sent[i]], s->wire.index, bus);
}

void evse_session_join_site(struct evse_session *s, uint32_t first_number, int64_t now_us)
{
	if (s->conf.site == EVSE_SITE_OFF)
		return;
	s->site.is_on = true;
	s->site.plugged_us = FC_NEVER;
	s->site.raised_us = now_us;
	s->site.logged_mA = -1;
	forget_need(s);
	evse_grant_init(&s->site.grant, s->wire.index, s->conf.site_safe_mA, first_number, now_us);
	evse_session_site_bus(s, 0);
	log_f(&s->log, LOG_NOTE, "site: safe_mA=%d minimum_mA=%d first_number=%u", s->conf.site_safe_mA,
	      s->conf.site_minimum_mA, first_number);
}

size_t evse_session_site_filters(const struct evse_session *s, struct can_filter *f, size_t n)
{
	return s->site.is_on ? evse_grant_filters(&s->site.grant, f, n) : 0;
}

/* --- the grant at the output -------------------------------------------------------------------------- */

/* The voltage that the output may have, for a current out of a power; the highest where nobody knows. */
static int32_t reference_mV(const struct evse_session *s, int64_t now_us)
{
	int32_t v_mV = fc_max_i32(s->in.status.v_mV, s->wire.vehicle.v_present_mV);

	if (!evse_session_is_reading_fresh(s, now_us) || v_mV < KNOWN_FROM_mV)
		return s->conf.max_voltage_mV;
	return v_mV + fc_permille_of(v_mV, VOLTAGE_MARGIN_PERMILLE) + VOLTAGE_MARGIN_mV;
}

/*
 * When the lease ends the draw has to be at the safe current one reaction time later. Power modules with a
 * slow ramp begin to come down before: never more current than the ramp takes off in the time that is left.
 */
static int32_t brake_mA(const struct evse_session *s, int64_t now_us, const struct evse_grant_cap *cap)
{
	struct evse_supply from = supply(s);
	int64_t left_us = lease_hold_next_us(&s->site.grant.hold);
	int32_t safe_mA;

	if (s->in.caps.ramp_mA_per_s <= 0 || left_us == FC_NEVER || left_us <= now_us)
		return INT32_MAX; /* it is over already: charge_W says so */
	safe_mA = fc_current_at_power_mA(evse_supply_dc_W(&from, s->conf.site_safe_mA), cap->v_mV);
	return fc_clamp_i32((int64_t)safe_mA +
				    fc_slope_step(s->in.caps.ramp_mA_per_s, left_us - now_us + RAMP_US),
			    0, INT32_MAX);
}

void evse_site_cap(const struct evse_session *s, int64_t now_us, struct evse_grant_cap *cap)
{
	struct evse_supply from = supply(s);

	memset(cap, 0, sizeof(*cap));
	if (!s->site.is_on)
		return;
	cap->is_on = true;
	cap->charge_W = evse_supply_dc_W(&from, evse_grant_allowed_mA(&s->site.grant, now_us));
	cap->feed_W = evse_supply_feed_W(&from, evse_grant_feed_mA(&s->site.grant, now_us));
	cap->v_mV = reference_mV(s, now_us);
	cap->brake_mA = brake_mA(s, now_us, cap);
}

/* --- what the point is and wants ---------------------------------------------------------------------- */

static bool has_vehicle(const struct evse_session *s)
{
	if (s->is_status_lost)
		return false;
	switch (s->module_state) {
	case EVSE_MS_NEGOTIATING:
	case EVSE_MS_CONNECTED:
	case EVSE_MS_INSULATION_TEST:
	case EVSE_MS_PRECHARGE:
	case EVSE_MS_WAITING_FOR_CHARGE:
	case EVSE_MS_CHARGING:
	case EVSE_MS_ENDING:
	case EVSE_MS_WELDING_DETECTION:
	case EVSE_MS_CLOSING:
	case EVSE_MS_AUTHORISATION:
	case EVSE_MS_PAUSE:
		return true;
	default:
		return false;
	}
}

/* The vehicle is there and may still get something. */
static bool is_wanting(const struct evse_session *s)
{
	if (s->has_ended || (s->is_open && s->record.cause == EVSE_CAUSE_USER_STOP))
		return false;
	return s->module_state != EVSE_MS_ENDING && s->module_state != EVSE_MS_WELDING_DETECTION &&
	       s->module_state != EVSE_MS_CLOSING && s->module_state != EVSE_MS_PAUSE;
}

/* What is asked is what we announced: the vehicle would take more. */
static bool is_bound(const struct evse_session *s, int64_t now_us)
{
	int32_t margin_mA = BOUND_MARGIN_mA + fc_permille_of(s->site.announced_mA, BOUND_MARGIN_PERMILLE);

	return s->power.i_max_mA >= s->site.announced_mA - margin_mA ||
	       now_us - s->site.raised_us < FOLLOW_US;
}

/* Most power that this point and this vehicle can take, whatever the site says. */
static int64_t own_maximum_mW(const struct evse_session *s, int32_t v_mV)
{
	const struct evse_vehicle *v = &s->wire.vehicle;
	const struct evse_grant_cap none = {.is_on = false};
	struct evse_parameters_out p;
	int64_t most_mW;

	if (!s->has_input)
		return 0;
	evse_limits_announce(&s->conf, &s->in.status, &s->in.caps, &none, 0, &p);
	if (v->i_charge_max_mA > 0)
		p.max_charge_mA = fc_min_i32(p.max_charge_mA, v->i_charge_max_mA);
	most_mW = power_mW(v_mV, fc_max_i32(p.max_charge_mA, 0));
	if (s->conf.max_power_W > 0)
		most_mW = fc_min_i64(most_mW, (int64_t)s->conf.max_power_W * 1000);
	if (v->p_charge_max_W > 0)
		most_mW = fc_min_i64(most_mW, (int64_t)v->p_charge_max_W * 1000);
	return most_mW;
}

/* The voltage at which the vehicle will take its current, as well as we know. */
static int32_t battery_mV(const struct evse_session *s, int64_t now_us)
{
	const struct evse_vehicle *v = &s->wire.vehicle;

	if (s->state == EVSE_ST_TRANSFER && evse_session_is_reading_fresh(s, now_us) &&
	    s->in.status.v_mV >= KNOWN_FROM_mV)
		return s->in.status.v_mV;
	if (v->v_present_mV >= KNOWN_FROM_mV)
		return v->v_present_mV;
	return v->v_max_mV > 0 ? fc_min_i32(v->v_max_mV, s->conf.max_voltage_mV) : s->conf.max_voltage_mV;
}

static void fill_demand(const struct evse_session *s, int64_t now_us, struct evse_grant_facts *f)
{
	struct evse_supply from = supply(s);
	int32_t v_mV = battery_mV(s, now_us);
	int64_t most_mW = own_maximum_mW(s, v_mV);

	f->maximum_mA = most_mW > 0 ? evse_supply_draw_mA(&from, most_mW) : 0;
	f->minimum_mA = s->conf.site_minimum_mA;
	if (s->wire.vehicle.i_charge_min_mA > 0)
		f->minimum_mA = fc_max_i32(
			f->minimum_mA,
			evse_supply_draw_mA(&from, power_mW(v_mV, s->wire.vehicle.i_charge_min_mA)));
	f->minimum_mA = fc_min_i32(f->minimum_mA, f->maximum_mA);
	if (!f->has_vehicle || !is_wanting(s))
		return;
	f->requested_mA = f->maximum_mA;
	if (s->state != EVSE_ST_TRANSFER || is_bound(s, now_us))
		return;
	f->requested_mA = s->power.i_max_mA < NO_CURRENT_mA
				  ? 0
				  : fc_min_i32(f->maximum_mA,
					       evse_supply_draw_mA(&from, power_mW(v_mV, s->power.i_max_mA)));
}

static bool is_powered(const struct evse_session *s)
{
	return s->sp.mode == PM_INSULATION_TEST || s->sp.mode == PM_PRECHARGE || s->sp.mode == PM_TRANSFER;
}

int32_t evse_site_drawn_mA(const struct evse_session *s)
{
	int64_t mW = power_mW(s->in.status.v_mV, s->in.status.i_mA);
	struct evse_supply from = supply(s);

	if (mW < 0)
		return -evse_supply_feed_mA(&from, -mW);
	return mW > 0 || is_powered(s) ? evse_supply_draw_mA(&from, mW) : 0;
}

/* Feeding back needs a vehicle in range mode and a stack that can; until then nothing is offered. */
static int32_t discharge_maximum_mA(const struct evse_session *s)
{
	struct evse_supply from = supply(s);
	int32_t most_mA;

	if (s->state != EVSE_ST_TRANSFER || !s->power.is_range || s->power.i_min_mA >= 0 ||
	    !(s->in.caps.flags & PM_CAP_BIDIRECTIONAL))
		return 0;
	most_mA = fc_min_i32(s->conf.max_discharge_current_mA, s->in.caps.i_discharge_max_mA);
	most_mA = fc_min_i32(most_mA, fc_min_i32(-s->power.i_min_mA, -s->in.status.avail_i_min_mA));
	return evse_supply_feed_mA(&from, power_mW(s->in.status.v_mV, most_mA));
}

static uint8_t point_state(const struct evse_session *s, const struct evse_grant_facts *f)
{
	if (s->faults.latched || s->state == EVSE_ST_FAULT || s->is_emergency)
		return SITE_POINT_REPORT_STATE_FAULT;
	if (s->is_terminating || s->state == EVSE_ST_NO_MODULE || s->state == EVSE_ST_BLOCKED ||
	    s->module_state == EVSE_MS_INITIALISING || s->module_state == EVSE_MS_NOT_AVAILABLE)
		return SITE_POINT_REPORT_STATE_UNAVAILABLE;
	if (!f->has_vehicle)
		return SITE_POINT_REPORT_STATE_IDLE;
	if (f->present_mA < -NO_CURRENT_mA)
		return SITE_POINT_REPORT_STATE_DISCHARGING;
	if (!is_wanting(s) || f->requested_mA == 0)
		return SITE_POINT_REPORT_STATE_FINISHED;
	if (s->is_open && s->was_ready && s->site.grant.allowed_mA >= f->minimum_mA)
		return SITE_POINT_REPORT_STATE_CHARGING;
	return SITE_POINT_REPORT_STATE_WAITING;
}

/* The record of a session stays until the next one begins, which may be another vehicle. */
static int64_t session_mJ(const struct evse_session *s)
{
	return s->is_open || s->has_ended ? s->record.energy_mJ : 0;
}

/* What is left of the driver's wish and of the room in the battery, whichever is less; at the supply. */
static int64_t energy_wanted_Wh(const struct evse_session *s)
{
	const struct evse_vehicle *v = &s->wire.vehicle;
	const struct evse_need *need = &s->site.need;
	int64_t room_Wh = UNKNOWN_NUMBER, left_Wh = UNKNOWN_NUMBER;

	if (v->capacity_Wh > 0) {
		int32_t target_permille = v->soc_target_permille > 0 ? v->soc_target_permille : 1000;

		room_Wh = (int64_t)v->capacity_Wh * fc_max_i32(target_permille - v->soc_permille, 0) / 1000;
	}
	if (need->energy_Wh != UNKNOWN_NUMBER)
		left_Wh = need->energy_Wh - (session_mJ(s) - need->from_mJ) / mJ_PER_Wh;
	if (room_Wh == UNKNOWN_NUMBER && left_Wh == UNKNOWN_NUMBER)
		return UNKNOWN_NUMBER;
	if (room_Wh == UNKNOWN_NUMBER || (left_Wh != UNKNOWN_NUMBER && left_Wh < room_Wh))
		room_Wh = left_Wh < 0 ? 0 : left_Wh;
	return room_Wh * 1000 / s->conf.efficiency_permille;
}

static void fill_facts(const struct evse_session *s, int64_t now_us, struct evse_grant_facts *f)
{
	const struct evse_vehicle *v = &s->wire.vehicle;

	memset(f, 0, sizeof(*f));
	f->has_vehicle = has_vehicle(s);
	f->is_local = s->conf.is_site_local != 0;
	fill_demand(s, now_us, f);
	f->present_mA = evse_site_drawn_mA(s);
	f->discharge_maximum_mA = discharge_maximum_mA(s);
	f->state = point_state(s, f);
	f->output_voltage_mV = s->in.status.v_mV;
	f->energy_wanted_Wh = energy_wanted_Wh(s);
	/* At the supply by the same efficiency; without the no-load current. */
	f->energy_session_Wh = session_mJ(s) / mJ_PER_Wh * 1000 / s->conf.efficiency_permille;
	f->departure_us = s->site.need.departure_us;
	f->plugged_us = s->site.plugged_us == FC_NEVER ? now_us : s->site.plugged_us;
	f->soc_percent = v->soc_permille > 0 || v->capacity_Wh > 0 ? v->soc_permille / 10 : -1;
	f->priority = s->site.need.priority;
}

/* --- events ------------------------------------------------------------------------------------------- */

/*
 * Power must not start with less than the least that is useful; once started, the set point follows the
 * grant.
 */
static void refresh_hold(struct evse_session *s, int64_t now_us)
{
	struct evse_grant_facts f = {.has_vehicle = has_vehicle(s)};
	bool was_holding = s->site.is_holding;
	int32_t allowed_mA = evse_grant_allowed_mA(&s->site.grant, now_us);

	s->site.is_holding = false;
	if (!(s->is_open && s->was_ready)) {
		fill_demand(s, now_us, &f);
		s->site.is_holding = allowed_mA < f.minimum_mA || allowed_mA == 0;
	}
	if (s->site.is_holding != was_holding && f.has_vehicle)
		log_f(&s->log, LOG_INF, "start %s: allowed_mA=%d minimum_mA=%d",
		      was_holding ? "free" : "waits for a grant", allowed_mA, f.minimum_mA);
}

static void refresh_vehicle(struct evse_session *s, int64_t now_us)
{
	if (has_vehicle(s) == (s->site.plugged_us != FC_NEVER))
		return;
	if (s->site.plugged_us != FC_NEVER)
		forget_need(s);
	s->site.plugged_us = s->site.plugged_us != FC_NEVER ? FC_NEVER : now_us;
}

static void log_why(struct evse_session *s)
{
	const struct site_grant_reason *why = &s->site.grant.why;

	if (why->reason == s->site.logged_why.reason && why->node == s->site.logged_why.node &&
	    why->phase == s->site.logged_why.phase)
		return;
	s->site.logged_why = *why;
	log_f(&s->log, LOG_INF, "grant reason=%s node=%u phase=%u row=%u aim_mA=%d",
	      evse_grant_reason_name(why->reason), why->node, why->phase, why->row, why->aim_mA);
}

static void on_grant(struct evse_session *s, int64_t now_us, struct out_queue *out)
{
	const struct lease_hold *h = &s->site.grant.hold;

	if (s->site.logged_mA < 0 || fc_abs_i32(h->charge_mA - s->site.logged_mA) >= LOG_STEP_mA) {
		s->site.logged_mA = h->charge_mA;
		log_f(&s->log, LOG_INF, "grant charge_mA=%d feed_mA=%d lease_ms=%lld", h->charge_mA,
		      h->discharge_mA, (long long)((h->until_us - now_us) / FC_US_PER_MS));
	}
	refresh_hold(s, now_us);
	evse_power_update(s, now_us, false, out); /* a lowered one counts at once */
	evse_site_end(s, now_us, out);
}

bool evse_site_rx(struct evse_session *s, int64_t now_us, const struct can_frame *f, struct out_queue *out)
{
	enum evse_grant_event event =
		s->site.is_on ? evse_grant_rx(&s->site.grant, now_us, f) : EVSE_GRANT_OTHER;

	if (event == EVSE_GRANT_TAKEN && s->state != EVSE_ST_STOPPED)
		on_grant(s, now_us, out);
	else if (event == EVSE_GRANT_WHY)
		log_why(s);
	return event != EVSE_GRANT_OTHER;
}

void evse_site_begin(struct evse_session *s, int64_t now_us, struct out_queue *out)
{
	if (!s->site.is_on)
		return;
	s->site.grant.is_local = s->conf.is_site_local != 0;
	refresh_vehicle(s, now_us);
	refresh_hold(s, now_us);
	if (!evse_grant_expire(&s->site.grant, now_us))
		return;
	s->site.logged_mA = -1;
	log_f(&s->log, LOG_WARN, "lease over: safe_mA=%d state=%s", s->conf.site_safe_mA,
	      evse_state_row(s->state)->name);
	evse_power_update(s, now_us, false, out);
}

static void note_announced(struct evse_session *s, int64_t now_us)
{
	if (s->parameters_sent.max_charge_mA > s->site.announced_mA)
		s->site.raised_us = now_us;
	s->site.announced_mA = s->parameters_sent.max_charge_mA;
}

void evse_site_end(struct evse_session *s, int64_t now_us, struct out_queue *out)
{
	struct evse_grant_draw draw = {
		.is_fresh = evse_session_is_reading_fresh(s, now_us),
		.is_powered = is_powered(s),
	};
	struct can_frame frame[EVSE_GRANT_N_FRAMES];
	struct evse_grant_facts facts;
	unsigned i, n;

	if (!s->site.is_on)
		return;
	note_announced(s, now_us);
	draw.mA = fc_max_i32(evse_site_drawn_mA(s), 0);
	draw.sampled_us = s->in.status.t_vi_us;
	evse_grant_follow(&s->site.grant, now_us, &draw);
	fill_facts(s, now_us, &facts);
	n = evse_grant_report(&s->site.grant, now_us, &facts, frame);
	for (i = 0; i < n; i++)
		evse_guard_frame(&s->guard, &frame[i], out);
}

int64_t evse_site_next_us(const struct evse_session *s)
{
	return s->site.is_on ? evse_grant_next_us(&s->site.grant) : FC_NEVER;
}

int evse_session_need(struct evse_session *s, int64_t energy_Wh, int64_t departure_us, int32_t priority)
{
	struct evse_need *need = &s->site.need;

	if (!s->site.is_on)
		return -ENOTSUP;
	if (energy_Wh != UNKNOWN_NUMBER) {
		need->energy_Wh = energy_Wh;
		need->from_mJ = session_mJ(s);
	}
	if (departure_us != UNKNOWN_NUMBER)
		need->departure_us = departure_us;
	if (priority >= 0)
		need->priority = (uint8_t)fc_min_i32(priority, UINT8_MAX);
	return 0;
}
