/* SPDX-License-Identifier: MIT */
/* The model's hot path: a frame is found, compared and counted; time goes on in steps of 100 ms. Pure. */
#include "monitor/mon_model.h"

#include <string.h>

#include <linux/can/error.h>

#include "monitor/mon_model_priv.h"

#define MAX_HELD_STEPS	 10 /* nothing is fresh for longer than a second */
#define SLOT_US		 INT64_C(500000)
#define TIME_MAX_US	 (INT64_MAX / 64) /* differences times 16 fit: what the means are kept in */
#define DEFAULT_BITRATE	 500000u
#define DEFAULT_STALE_US INT64_C(300000)

/* Classical frames without stuff bits, interframe space included. */
#define STANDARD_BITS 47u
#define EXTENDED_BITS 67u

/* The two edges of lib/can: nothing passes, frames pass again. A bus-off and its end look the same. */
#define ERR_DOWN CAN_ERR_BUSOFF
#define ERR_UP	 CAN_ERR_RESTARTED

_Static_assert(EVSE_N_MSGS <= MON_MAX_MSGS && PEV_N_MSGS <= MON_MAX_MSGS, "a message has no room");

static const uint64_t dlc_mask[9] = {
	0,
	0xff,
	0xffff,
	0xffffff,
	0xffffffff,
	0xffffffffff,
	0xffffffffffff,
	0xffffffffffffff,
	0xffffffffffffffff,
};

/* --- start ---------------------------------------------------------------------------------------------------- */

static int64_t clamp_time(int64_t us)
{
	return us < 0 ? 0 : us > TIME_MAX_US ? TIME_MAX_US : us;
}

static void point_clear(struct mon_point *p)
{
	p->first_us = -1;
	p->last_us = -1;
	p->state_us = -1;
	p->n_sessions = 0;
	memset(p->msg, 0, sizeof(p->msg));
	memset(&p->session, 0, sizeof(p->session));
	p->session.reason = "";
	p->session.protocol_name = "";
	p->session.soc_start_permille = MON_UNKNOWN;
	p->session.soc_end_permille = MON_UNKNOWN;
	memset(&p->own, 0, sizeof(p->own));
	p->own.half_us[MON_MODULE] = -1;
	p->own.half_us[MON_CONTROLLER] = -1;
	p->own.state = -1;
	p->own.was_state = -1;
	p->own.sample_us = -1;
	p->own.sample_mV = MON_UNKNOWN;
	p->own.sample_mA = MON_UNKNOWN;
	p->own.inlet_mV = MON_UNKNOWN;
	p->own.battery_mV = MON_UNKNOWN;
	p->own.soc_permille = MON_UNKNOWN;
	p->own.offered_max_mA = MON_UNKNOWN;
	p->own.power_function = -1;
	p->own.is_enabled = -1;
	p->own.is_closed = -1;
	p->own.short_us = -1;
	p->own.closing_from = -1;
}

static void init_side(struct mon_model *m)
{
	unsigned i;

	if (m->cfg.side == MON_EVSE) {
		if (m->cfg.version >= EVSE_N_VERSIONS)
			m->cfg.version = EVSE_N_VERSIONS - 1;
		m->layouts = evse_layouts[m->cfg.version];
		m->n_msgs = EVSE_N_MSGS;
		m->points = 0xfffeu; /* pistols 1..15 */
		if (m->cfg.points_mask)
			m->points &= m->cfg.points_mask;
	} else {
		if (m->cfg.version >= PEV_N_VERSIONS)
			m->cfg.version = PEV_N_VERSIONS - 1;
		m->layouts = pev_layouts[m->cfg.version];
		m->n_msgs = PEV_N_MSGS;
		m->points = 1;
	}
	for (i = 0; i < m->n_msgs; i++) {
		const struct msg_layout *l = &m->layouts[i];

		m->min_dlc[i] = l->dlc;
		m->stale_us[i] = FC_NEVER;
		if (!msg_exists(l))
			continue;
		if (l->cycle_ms) {
			m->stale_us[i] = 3 * (int64_t)FC_US_PER_MS * l->cycle_ms;
			if (m->stale_us[i] < m->cfg.stale_us)
				m->stale_us[i] = m->cfg.stale_us;
			m->is_watched |= UINT32_C(1) << i;
		}
	}
	if (m->cfg.side == MON_EVSE)
		mon_evse_init(m);
	else
		mon_pev_init(m);
}

void mon_model_init(struct mon_model *m, const struct mon_cfg *cfg, const struct mon_sink *sink,
		    int64_t now_us)
{
	unsigned i;

	m->cfg = *cfg;
	if (m->cfg.bitrate == 0)
		m->cfg.bitrate = DEFAULT_BITRATE;
	if (m->cfg.stale_us <= 0)
		m->cfg.stale_us = DEFAULT_STALE_US;
	if (sink)
		m->sink = *sink;
	else
		memset(&m->sink, 0, sizeof(m->sink));
	memset(&m->bus, 0, sizeof(m->bus));
	m->bus.is_up = true;
	m->start_us = clamp_time(now_us);
	m->now_us = m->start_us;
	m->n_events = 0;
	m->due_us = m->start_us + MON_STEP_US;
	m->watch_due_us = FC_NEVER;
	m->heard = 0;
	m->is_module = m->is_watched = m->is_each = m->is_bearing = 0;
	m->bucket = m->n_buckets = 0;
	memset(m->bucket_bits, 0, sizeof(m->bucket_bits));
	memset(m->bucket_frames, 0, sizeof(m->bucket_frames));
	m->drops_pending = 0;
	m->drops_us = -1;
	m->controller_state = 0;
	for (i = 0; i < MON_N_POINTS; i++)
		point_clear(&m->point[i]);
	init_side(m);
}

/* --- time ----------------------------------------------------------------------------------------------------- */

static void roll_load(struct mon_model *m, int64_t n_steps)
{
	uint64_t bits = 0, frames = 0;
	int64_t k;
	unsigned i;

	for (k = 0; k < n_steps && k < MON_LOAD_BUCKETS; k++) {
		m->bucket = (m->bucket + 1) % MON_LOAD_BUCKETS;
		m->bucket_bits[m->bucket] = 0;
		m->bucket_frames[m->bucket] = 0;
		if (m->n_buckets < MON_LOAD_BUCKETS - 1)
			m->n_buckets++;
	}
	for (i = 0; i < MON_LOAD_BUCKETS; i++) {
		if (i == m->bucket)
			continue;
		bits += m->bucket_bits[i];
		frames += m->bucket_frames[i];
	}
	/* n_buckets steps of 100 ms: per second is sum * 10 / n_buckets. */
	m->bus.frames_per_s = (uint32_t)(frames * 10 / m->n_buckets);
	m->bus.load_permille = (uint32_t)(bits * 10 * 1000 / m->n_buckets / m->cfg.bitrate);
}

static void tell_drops(struct mon_model *m)
{
	mon_event_add(m, m->now_us, 0, MON_WARNING, "%u frame%s lost between the bus and us",
		      m->drops_pending, m->drops_pending == 1 ? "" : "s");
	m->drops_pending = 0;
	m->drops_us = m->now_us;
}

static void advance(struct mon_model *m)
{
	int64_t n_steps = (m->now_us - m->due_us) / MON_STEP_US + 1, at_us;
	uint32_t left;

	m->due_us += n_steps * MON_STEP_US;
	at_us = m->due_us - fc_min_i64(n_steps, MAX_HELD_STEPS) * MON_STEP_US;
	roll_load(m, n_steps);
	if (m->now_us >= m->watch_due_us)
		mon_watch(m);
	if (m->drops_pending && m->now_us - m->drops_us >= FC_US_PER_S)
		tell_drops(m);
	for (; at_us <= m->now_us; at_us += MON_STEP_US)
		for (left = m->heard; left; left &= left - 1)
			mon_sample_hold(m, (unsigned)__builtin_ctz(left), at_us);
}

static int64_t take_time(struct mon_model *m, int64_t time_us)
{
	time_us = clamp_time(time_us);
	if (time_us > m->now_us)
		m->now_us = time_us;
	if (MSG_UNLIKELY(m->now_us >= m->due_us))
		advance(m);
	return m->now_us;
}

void mon_model_tick(struct mon_model *m, int64_t now_us)
{
	take_time(m, now_us);
}

void mon_model_dropped(struct mon_model *m, int64_t time_us, uint32_t n)
{
	take_time(m, time_us);
	if (n == 0)
		return;
	m->bus.n_dropped += n;
	m->drops_pending = m->drops_pending > UINT32_MAX - n ? UINT32_MAX : m->drops_pending + n;
	if (m->drops_us < 0 || m->now_us - m->drops_us >= FC_US_PER_S)
		tell_drops(m);
}

/* --- the bus -------------------------------------------------------------------------------------------------- */

/* Warning and passive states of the controller, as data[1] of an error frame tells them; 0: active. */
static uint8_t controller_state(const struct can_frame *f)
{
	if (f->data[1] & (CAN_ERR_CRTL_RX_PASSIVE | CAN_ERR_CRTL_TX_PASSIVE))
		return 2;
	return f->data[1] & (CAN_ERR_CRTL_RX_WARNING | CAN_ERR_CRTL_TX_WARNING) ? 1 : 0;
}

static void bus_down(struct mon_model *m, int64_t time_us)
{
	unsigned i;

	if (!m->bus.is_up)
		return;
	m->bus.is_up = false;
	mon_event_add(m, time_us, 0, MON_FAULT, "bus down or bus-off: no frame passes");
	for (i = 0; i < MON_N_POINTS; i++)
		if (m->heard >> i & 1 && m->point[i].session.is_running)
			mon_session_fault(&m->point[i].session, "bus down");
}

static void error_frame(struct mon_model *m, int64_t time_us, const struct can_frame *f)
{
	static const char *const name[] = {"active again", "at the warning limit", "error-passive"};

	m->bus.n_errors++;
	if (f->can_id & ERR_DOWN)
		bus_down(m, time_us);
	if (f->can_id & ERR_UP && !m->bus.is_up) {
		m->bus.is_up = true;
		mon_event_add(m, time_us, 0, MON_NOTICE, "bus up again");
	}
	if (f->can_id & CAN_ERR_CRTL && controller_state(f) != m->controller_state) {
		m->controller_state = controller_state(f);
		mon_event_add(m, time_us, 0, m->controller_state ? MON_WARNING : MON_NOTICE,
			      "CAN controller %s", name[m->controller_state]);
	}
}

/* --- a frame of ours ------------------------------------------------------------------------------------------- */

int mon_msg_find(const struct mon_model *m, canid_t id, unsigned *point)
{
	id &= ~CAN_RTR_FLAG;
	if (m->cfg.side == MON_EVSE) {
		*point = msg_index(id);
		if (!(id & CAN_EFF_FLAG) || *point >= MON_N_POINTS || !(m->points >> *point & 1))
			return -1;
		return evse_find((enum evse_version)m->cfg.version, msg_base_id(id));
	}
	/* The vehicle's module may be told to send the same numbers with 29 bits (rule P-02). */
	*point = 0;
	return pev_find((enum pev_version)m->cfg.version,
			id & (id & CAN_EFF_FLAG ? CAN_EFF_MASK : CAN_SFF_MASK));
}

static void first_frame(struct mon_model *m, struct mon_point *p, unsigned point, unsigned msg,
			int64_t time_us)
{
	struct mon_msg *g = &p->msg[msg];

	if (p->first_us < 0) {
		p->first_us = time_us;
		m->heard |= UINT32_C(1) << point;
		mon_history_init(&p->history, time_us);
		if (m->cfg.side == MON_EVSE)
			mon_event_add(m, time_us, point, MON_INFO, "pistol %u is heard", point);
		else
			mon_event_add(m, time_us, point, MON_INFO, "the vehicle interface is heard");
	}
	g->first_us = time_us;
	g->recent_us = time_us;
	if (m->is_watched >> msg & 1)
		m->watch_due_us = fc_min_i64(m->watch_due_us, time_us + m->stale_us[msg]);
	/* A half may be silent before its only message is stale: half a second, see mon_watch(). */
	m->watch_due_us = fc_min_i64(m->watch_due_us, time_us + m->cfg.stale_us);
}

static void time_msg(struct mon_msg *g, int64_t gap_us)
{
	int64_t off;

	if (g->n == 2) {
		g->period_x16 = gap_us * 16;
		g->period_us = gap_us;
	} else {
		off = gap_us - g->period_us;
		g->jitter_x16 += (off < 0 ? -off : off) - g->jitter_x16 / 16;
		g->jitter_us = g->jitter_x16 / 16;
		g->period_x16 += gap_us - g->period_x16 / 16;
		g->period_us = g->period_x16 / 16;
	}
	if (gap_us > g->gap_max_us)
		g->gap_max_us = gap_us;
}

/* Which bits changed lately, in slots, so that a field is marked for at least a second whatever the others do. */
static void mark_changed(struct mon_msg *g, int64_t time_us, uint64_t changed)
{
	int64_t slots = (time_us - g->recent_us) / SLOT_US;

	if (slots > 0) {
		g->recent[2] = slots == 1 ? g->recent[1] : slots == 2 ? g->recent[0] : 0;
		g->recent[1] = slots == 1 ? g->recent[0] : 0;
		g->recent[0] = 0;
		g->recent_us += slots * SLOT_US;
	}
	g->recent[0] |= changed;
}

static void content_changed(struct mon_model *m, struct mon_msg *g, struct mon_seen *seen, uint64_t content,
			    uint8_t dlc)
{
	uint64_t changed = content ^ msg_load64(g->data);

	msg_store64(g->data, content);
	g->dlc = dlc;
	g->changed_us = seen->time_us;
	if (!seen->is_first) {
		g->changed = changed;
		g->n_changes++;
		mark_changed(g, seen->time_us, changed);
	}
	if (m->sink.change)
		mon_tell_change(m, seen, changed);
}

static void look_at(struct mon_model *m, const struct mon_seen *seen)
{
	if (m->cfg.side == MON_EVSE)
		mon_evse_seen(m, seen);
	else
		mon_pev_seen(m, seen);
}

/* Everything that a frame with the same content as before does not need. */
static void take_slowly(struct mon_model *m, struct mon_point *p, struct mon_seen *seen, uint64_t content,
			uint8_t dlc)
{
	struct mon_msg *g = &p->msg[seen->msg];
	bool is_back = g->is_lost || p->own.is_silent[mon_half(m, seen->msg)];

	memcpy(seen->old, g->data, 8);
	seen->old_dlc = g->dlc;
	if (seen->is_first)
		first_frame(m, p, seen->point, seen->msg, seen->time_us);
	if (is_back)
		mon_watch_back(m, seen->point, seen->msg, seen->time_us, seen->gap_us);
	if (seen->is_first || content != msg_load64(g->data) || dlc != g->dlc)
		content_changed(m, g, seen, content, dlc);
	if (m->is_bearing >> seen->msg & 1)
		look_at(m, seen);
}

static void bad_frame(struct mon_model *m, struct mon_msg *g, const struct can_frame *f)
{
	m->bus.n_bad++;
	if (!(f->can_id & CAN_RTR_FLAG))
		g->n_short++;
}

static void take_frame(struct mon_model *m, unsigned point, unsigned msg, int64_t time_us,
		       const struct can_frame *f)
{
	struct mon_point *p = &m->point[point];
	struct mon_msg *g = &p->msg[msg];
	unsigned half = mon_is_module(m, msg) ? MON_MODULE : MON_CONTROLLER;
	uint8_t dlc = f->can_dlc;
	uint64_t content;
	int64_t gap_us;
	bool is_slow;

	m->bus.n_ours++;
	if (MSG_UNLIKELY(dlc < m->min_dlc[msg] || dlc > 8 || f->can_id & CAN_RTR_FLAG)) {
		bad_frame(m, g, f);
		return;
	}
	if (dlc > m->layouts[msg].dlc)
		dlc = m->layouts[msg].dlc;
	content = msg_load64(f->data) & dlc_mask[dlc];
	gap_us = g->n ? time_us - g->last_us : 0;
	is_slow = content != msg_load64(g->data) || dlc != g->dlc || g->n == 0 || g->is_lost ||
		  p->own.is_silent[half] || m->is_each >> msg & 1 ||
		  (msg == m->sample_msg && time_us >= p->own.sample_due_us) ||
		  (msg == m->state_msg && p->own.state < 0);
	if (MSG_UNLIKELY(is_slow)) {
		struct mon_seen seen = {.point = point,
					.msg = msg,
					.time_us = time_us,
					.gap_us = gap_us,
					.is_first = g->n == 0};

		take_slowly(m, p, &seen, content, dlc);
	}
	if (g->n != UINT32_MAX)
		g->n++;
	g->last_us = time_us;
	p->last_us = time_us;
	p->own.half_us[half] = time_us;
	if (g->n > 1)
		time_msg(g, gap_us);
}

void mon_model_rx(struct mon_model *m, int64_t time_us, const struct can_frame *f)
{
	unsigned point, payload;
	int msg;

	time_us = take_time(m, time_us);
	if (MSG_UNLIKELY(f->can_id & CAN_ERR_FLAG)) {
		error_frame(m, time_us, f);
		return;
	}
	payload = f->can_id & CAN_RTR_FLAG || f->can_dlc > 8 ? 0 : 8u * f->can_dlc;
	m->bus.n_frames++;
	m->bucket_frames[m->bucket]++;
	m->bucket_bits[m->bucket] += payload + (f->can_id & CAN_EFF_FLAG ? EXTENDED_BITS : STANDARD_BITS);
	msg = mon_msg_find(m, f->can_id, &point);
	if (msg < 0)
		m->bus.n_foreign++;
	else
		take_frame(m, point, (unsigned)msg, time_us, f);
}
