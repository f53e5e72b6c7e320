/* SPDX-License-Identifier: MIT */
/*
 * The monitors' model of either side, in any version, under random frames, error frames, losses and leaps of time.
 * Input: one byte for side and version, one for the pistols shown, then records of one byte kind and its data. After
 * every record the model's invariants hold, and everything that reads the model is asked.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "evse_msgs.h"
#include "monitor/mon_facts.h"
#include "pev_msgs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
};

struct fuzz {
	struct mon_model model;
	int64_t now_us, last_event_us;
	uint64_t n_events;
	unsigned n_ended;
};

static struct fuzz fuzz;

static void must(bool is_true)
{
	if (!is_true)
		abort();
}

static uint8_t take(struct input *in)
{
	if (in->size == 0)
		return 0;
	in->size--;
	return *in->data++;
}

static int64_t take_time(struct input *in, unsigned n_bytes)
{
	uint64_t us = 0;

	while (n_bytes-- > 0)
		us = us << 8 | take(in);
	return (int64_t)us;
}

/* --- what the model tells ------------------------------------------------------------------------------------------ */

static void on_change(void *ctx, const struct mon_change *c)
{
	const struct fuzz *z = ctx;

	must(c->msg < z->model.n_msgs && c->field < z->model.layouts[c->msg].n_fields);
	must(c->point < MON_N_POINTS);
	must(c->is_first ? c->old == c->number : c->old != c->number);
}

static void on_event(void *ctx, const struct mon_event *e)
{
	struct fuzz *z = ctx;

	must(memchr(e->text, '\0', sizeof(e->text)) && e->text[0] && e->severity <= MON_FAULT);
	must(e->time_us >= z->last_event_us);
	z->last_event_us = e->time_us;
	z->n_events++;
}

static void check_session(const struct mon_session *s)
{
	must(s->n_states <= MON_SESSION_STATES);
	must(s->reason && s->protocol_name);
	for (uint32_t i = 0; i < s->n_faults && i < MON_SESSION_FAULTS; i++)
		must(s->fault[i] && s->fault[i][0]);
	must(s->end_us >= s->start_us);
	must(!s->is_running || s->is_known);
}

static void on_session_end(void *ctx, unsigned point, const struct mon_session *s)
{
	struct fuzz *z = ctx;

	must(mon_point(&z->model, point) && !s->is_running && s->is_known && s->reason[0]);
	check_session(s);
	z->n_ended++;
}

/* --- what must be true ---------------------------------------------------------------------------------------------- */

static void check_history(const struct mon_history *h)
{
	for (unsigned i = 0; i < MON_N_SPANS; i++) {
		const struct mon_track *t = &h->track[i];

		must(t->n <= MON_HISTORY_LEN && t->first < MON_HISTORY_LEN &&
		     t->step_us >= MON_HISTORY_STEP_US);
		if (t->n == 0)
			continue;
		for (unsigned s = 0; s < MON_N_SERIES; s++) {
			struct mon_step step =
				mon_history_step(h, (enum mon_span)i, (enum mon_series)s, t->n - 1);

			must(step.low <= step.last && step.last <= step.high);
		}
	}
}

static void check_facts(const struct mon_model *m, unsigned point)
{
	struct mon_facts f;

	mon_facts(m, point, &f);
	must(f.state_name && f.protocol && f.pins && f.hottest && f.emergency_origin && f.derating);
	must(f.n_limits <= MON_MAX_LIMITS && f.n_diagnostics <= MON_MAX_DIAGNOSTICS);
	must(f.binding >= -1 && f.binding < (int)f.n_limits && f.phase < MON_N_PHASES);
	must(f.binding < 0 || f.limit[f.binding].mA != MON_UNKNOWN);
	must(f.is_derated == (f.derating[0] != '\0'));
	for (uint32_t i = 0; i < f.n_limits; i++)
		must(f.limit[i].name && (f.limit[i].mA >= 0 || f.limit[i].mA == MON_UNKNOWN));
	for (uint32_t i = 0; i < f.n_diagnostics; i++)
		must(f.diagnostic[i].name &&
		     (i == 0 || f.diagnostic[i - 1].severity >= f.diagnostic[i].severity));
}

static void check_point(const struct mon_model *m, unsigned point)
{
	const struct mon_point *p = mon_point(m, point);

	check_facts(m, point);
	if (!p)
		return;
	must(p->first_us >= 0 && p->last_us >= p->first_us && p->last_us <= m->now_us);
	for (unsigned i = 0; i < m->n_msgs; i++) {
		const struct mon_msg *g = &p->msg[i];

		must(g->n == 0 || (g->first_us <= g->last_us && g->last_us <= p->last_us));
		must(g->period_us >= 0 && g->jitter_us >= 0 && g->period_us <= g->gap_max_us);
		must(g->dlc <= m->layouts[i].dlc && g->n_changes <= g->n);
	}
	check_session(&p->session);
	check_history(&p->history);
}

static void check(const struct fuzz *z, unsigned point)
{
	const struct mon_model *m = &z->model;

	must(m->bus.n_frames == m->bus.n_ours + m->bus.n_foreign && m->bus.n_bad <= m->bus.n_ours);
	must(m->n_events == z->n_events);
	check_point(m, point);
}

/* --- what happens --------------------------------------------------------------------------------------------------- */

static void begin(struct fuzz *z, struct input *in)
{
	struct mon_sink sink = {z, on_change, on_event, on_session_end};
	struct mon_cfg cfg = {.stale_us = 0};
	uint8_t kind = take(in);

	cfg.side = kind & 1 ? MON_PEV : MON_EVSE;
	cfg.version = kind >> 1 & 7;
	cfg.bitrate = kind & 16 ? 1 : 0;
	cfg.points_mask = (uint16_t)(take(in) << 8 | (kind & 32 ? 2 : 0));
	z->now_us = kind & 64 ? INT64_C(1700000000000000) : 0;
	z->last_event_us = 0;
	z->n_events = 0;
	mon_model_init(&z->model, &cfg, kind & 128 ? NULL : &sink, z->now_us);
	if (kind & 128) /* events are still counted against the model's */
		z->model.sink.event = on_event, z->model.sink.ctx = z;
}

/* A frame of the interface, now and then bent. Returns the pistol. */
static unsigned send_ours(struct fuzz *z, struct input *in)
{
	const struct mon_model *m = &z->model;
	uint8_t which = take(in), bend = take(in);
	const struct msg_layout *l = &m->layouts[which % m->n_msgs];
	unsigned point = m->cfg.side == MON_EVSE ? 1u + (bend & 1) : 0;
	struct can_frame f = {.can_id = l->id, .can_dlc = l->dlc};

	f.can_id |= (canid_t)point << MSG_INDEX_SHIFT;
	if ((bend & 0xC0) == 0xC0)
		f.can_id ^= (canid_t)take(in) << 24;
	if ((bend & 0x30) == 0x30)
		f.can_dlc = take(in) & 15;
	for (unsigned i = 0; i < l->dlc; i++)
		f.data[i] = take(in);
	mon_model_rx(&z->model, z->now_us, &f);
	return point;
}

static void send_any(struct fuzz *z, struct input *in)
{
	struct can_frame f = {.can_id = 0};

	f.can_id = (canid_t)take_time(in, 4);
	f.can_dlc = take(in);
	for (unsigned i = 0; i < 8; i++)
		f.data[i] = take(in);
	mon_model_rx(&z->model, z->now_us, &f);
}

static void pass(struct fuzz *z, struct input *in, uint8_t kind)
{
	static const unsigned n_bytes[] = {1, 2, 3, 3, 3, 4, 6, 8}; /* from micro-seconds to ages, and back */

	z->now_us = (int64_t)((uint64_t)z->now_us + (uint64_t)take_time(in, n_bytes[kind >> 4 & 7]));
	if (kind & 128)
		mon_model_tick(&z->model, z->now_us);
}

static void step(struct fuzz *z, struct input *in)
{
	uint8_t kind = take(in);
	unsigned point = z->model.cfg.side == MON_EVSE;

	switch (kind & 7) {
	case 0:
	case 1:
	case 2:
	case 3:
		z->now_us += (int64_t)(kind >> 3) * 5000;
		point = send_ours(z, in);
		break;
	case 4:
		send_any(z, in);
		break;
	case 5:
		mon_model_dropped(&z->model, z->now_us, (uint32_t)take_time(in, 4));
		break;
	case 6:
		for (unsigned i = 0; i < z->model.n_msgs; i++)
			mon_field(&z->model, kind >> 3, i, take(in) & 31);
		break;
	default:
		pass(z, in, kind);
		break;
	}
	check(z, point);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};

	begin(&fuzz, &in);
	while (in.size > 0)
		step(&fuzz, &in);
	for (unsigned i = 0; i < MON_N_POINTS; i++)
		check(&fuzz, i);
	return 0;
}
