/* SPDX-License-Identifier: MIT */
/* Reports one way, grants the other. Pure. */
#include "gateways/gate_bridge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <forecourt/units.h>

#define NUMBER_MASK 0xffffffu

void gate_bridge_init(struct gate_bridge *b, enum gate_role role, int64_t report_timeout_us)
{
	memset(b, 0, sizeof(*b));
	b->role = role;
	b->report_timeout_us = report_timeout_us;
}

int gate_bridge_find(const struct gate_bridge *b, unsigned number)
{
	uint32_t i;

	for (i = 0; i < b->n_points; i++)
		if (b->point[i].number == number)
			return (int)i;
	return -1;
}

int gate_bridge_add(struct gate_bridge *b, uint8_t number)
{
	struct gate_point *p = &b->point[b->n_points];

	if (b->n_points == GATE_MAX_POINTS || gate_bridge_find(b, number) >= 0)
		return -1;
	memset(p, 0, sizeof(*p));
	p->number = number;
	p->open_until_us = p->silent_at_us = FC_NEVER;
	gate_state_init(&p->state);
	return (int)b->n_points++;
}

/* --- events and states ---------------------------------------------------------------------------------- */

void gate_bridge_log(struct gate_bridge *b, uint32_t i, int64_t now_us, int level, const char *format, ...)
{
	struct gate_event e = {.wall_us = now_us + b->wall_offset_us, .point = i, .level = level};
	va_list args;

	if (!b->events || i > b->n_points)
		return;
	va_start(args, format);
	vsnprintf(e.text, sizeof(e.text), format, args);
	va_end(args);
	e.seq = ++b->event_seq[i];
	gate_queue_push(b->events, &e);
}

static void set_state(struct gate_bridge *b, uint32_t i, int64_t now_us, const struct gate_state *new)
{
	struct gate_point *p = &b->point[i];
	struct gate_change change = {.wall_us = now_us + b->wall_offset_us, .point = i, .state = *new};
	char text[GATE_TEXT_MAX];
	int level;

	if (gate_state_is_same(&p->state, new))
		return;
	level = gate_state_describe(&p->state, new, text);
	p->state = *new;
	change.seq = ++p->change_seq;
	p->change_wall_us = change.wall_us;
	b->count.n_changes++;
	if (b->changes)
		gate_queue_push(b->changes, &change);
	if (text[0])
		gate_bridge_log(b, i, now_us, level, "%s", text);
}

void gate_bridge_set_facts(struct gate_bridge *b, uint32_t i, int64_t now_us, const struct gate_facts *f)
{
	struct gate_state s = b->point[i].state;

	gate_state_set_facts(&s, f);
	set_state(b, i, now_us, &s);
}

static void note_report(struct gate_bridge *b, uint32_t i, int64_t now_us, const struct site_point_report *r)
{
	struct gate_state s = b->point[i].state;

	s.reported = r->state;
	s.is_local = r->is_local != 0;
	s.has_grant = r->ack_age != 255;
	b->point[i].silent_at_us = now_us + b->report_timeout_us;
	set_state(b, i, now_us, &s);
}

static void note_silence(struct gate_bridge *b, uint32_t i, int64_t now_us)
{
	struct gate_state s = b->point[i].state;

	s.reported = GATE_SILENT;
	s.is_local = s.has_grant = GATE_UNKNOWN;
	b->point[i].silent_at_us = FC_NEVER;
	set_state(b, i, now_us, &s);
}

/* --- up ------------------------------------------------------------------------------------------------- */

static void close_open(struct gate_bridge *b, struct gate_point *p, int64_t now_us)
{
	if (p->has_up)
		b->count.n_up_overtaken++;
	p->up = p->open;
	p->up_us = now_us;
	p->has_up = true;
	p->is_open = false;
	p->open.parts = 0;
	p->open_until_us = FC_NEVER;
}

void gate_bridge_rx(struct gate_bridge *b, int64_t now_us, const struct can_frame *f)
{
	uint32_t wanted = b->role == GATE_POINT ? GATE_REPORT_PARTS : GATE_GRANT_PARTS;
	enum site_msg key = b->role == GATE_POINT ? SITE_POINT_REPORT : SITE_GRANT;
	unsigned number;
	int part = gate_frame_part(f, &number), i;
	struct gate_point *p;

	if (part < 0 || !(wanted & GATE_PART(part))) {
		b->count.n_frames_bad++;
		return;
	}
	i = gate_bridge_find(b, number);
	if (i < 0)
		return; /* somebody else's point */
	p = &b->point[i];
	/* The same part again: the next record begins, the rest of the one before was lost or never sent. */
	if (p->open.parts & GATE_PART(part)) {
		if (p->is_open)
			close_open(b, p, now_us);
		p->open.parts = 0;
	}
	gate_record_put(&p->open, (enum site_msg)part, f);
	if ((enum site_msg)part == key) {
		p->is_open = true;
		p->open_until_us = now_us + GATE_COLLECT_US;
		if (key == SITE_POINT_REPORT)
			note_report(b, (uint32_t)i, now_us, &p->open.report);
	}
	if (p->is_open && p->open.parts == wanted)
		close_open(b, p, now_us);
}

void gate_bridge_tick(struct gate_bridge *b, int64_t now_us)
{
	uint32_t i;

	for (i = 0; i < b->n_points; i++) {
		if (now_us >= b->point[i].open_until_us)
			close_open(b, &b->point[i], now_us);
		if (now_us >= b->point[i].silent_at_us)
			note_silence(b, i, now_us);
	}
}

int64_t gate_bridge_next_us(const struct gate_bridge *b)
{
	int64_t next_us = FC_NEVER;
	uint32_t i;

	for (i = 0; i < b->n_points; i++)
		next_us =
			fc_min_i64(next_us, fc_min_i64(b->point[i].open_until_us, b->point[i].silent_at_us));
	return next_us;
}

bool gate_bridge_take_up(struct gate_bridge *b, uint32_t i, int64_t now_us, struct gate_record *r)
{
	struct gate_point *p = &b->point[i];

	if (!p->has_up)
		return false;
	p->has_up = false;
	if (now_us - p->up_us >= GATE_VOID_US) {
		b->count.n_up_void++;
		return false;
	}
	*r = p->up;
	b->count.n_up++;
	return true;
}

/* --- down ----------------------------------------------------------------------------------------------- */

static bool is_late(const struct gate_point *p, uint32_t number, uint8_t revision)
{
	uint32_t behind = (p->last_number - number) & NUMBER_MASK;

	if (!p->has_last || behind > GATE_LATE_NUMBERS)
		return false;
	return behind > 0 || revision <= p->last_revision;
}

bool gate_bridge_put_down(struct gate_bridge *b, uint32_t i, const struct gate_record *r)
{
	struct gate_point *p = &b->point[i];
	bool is_grant = (r->parts & GATE_PART(SITE_GRANT)) != 0;
	uint32_t number = is_grant ? r->grant.number : r->report.number;
	uint8_t revision = is_grant ? r->grant.revision : 0;

	if (is_late(p, number, revision)) {
		b->count.n_down_late++;
		return false;
	}
	if (p->has_down)
		b->count.n_down_overtaken++;
	p->down = *r;
	p->has_down = p->has_last = true;
	p->last_number = number;
	p->last_revision = revision;
	return true;
}

void gate_bridge_send(struct gate_bridge *b, struct out_queue *out)
{
	struct can_frame f[GATE_MAX_FRAMES];
	uint32_t i;

	for (i = 0; i < b->n_points; i++) {
		struct gate_point *p = &b->point[i];
		size_t n, k;

		if (!p->has_down)
			continue;
		n = gate_record_frames(&p->down, p->number, f);
		for (k = 0; k < n; k++)
			out_queue_frame(out, 0, &f[k]);
		p->has_down = false;
		b->count.n_down++;
	}
}
