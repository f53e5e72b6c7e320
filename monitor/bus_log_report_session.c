/* SPDX-License-Identifier: MIT */
/*
 * Sessions of the report: a track of plots for each that runs, the record when it ends, and in the end who was plugged
 * into whom. The tables of all finished sessions together stay below a fixed size: the largest are halved.
 */
#include "monitor/bus_log_report_data.h"

#include <stdlib.h>
#include <string.h>

#include "evse_msgs.h"
#include "pev_msgs.h"

void report_session_begin(struct report_side *s, unsigned point, int64_t now_us)
{
	struct report_point *p = &s->point[point];

	p->is_in_session = true;
	report_series_forget(s, point);
	if (s->n_plotted >= REPORT_MAX_PLOTTED)
		return;
	p->track = report_track_create(now_us);
	s->report->is_out_of_memory |= !p->track;
	for (unsigned i = 0; p->track && i < REPORT_N_QUANTITIES; i++)
		report_track_set(p->track, now_us, i, p->now[i]);
	s->n_plotted++;
}

static uint32_t n_cells(const struct report_columns *c)
{
	return c ? c->n * c->n_used : 0;
}

static void fit(struct report *r)
{
	for (;;) {
		struct report_columns *largest = NULL;
		uint32_t sum = 0;

		for (uint32_t i = 0; i < r->n_sessions; i++) {
			sum += n_cells(r->session[i].columns);
			if (!largest || n_cells(r->session[i].columns) > n_cells(largest))
				largest = r->session[i].columns;
		}
		if (sum <= REPORT_MAX_CELLS || !largest)
			return;
		report_columns_halve(largest);
	}
}

/* Name of a field's value in the last frame of a message, if that came during the session. */
static const char *name_since(const struct report_side *s, unsigned point, unsigned msg, const char *signal,
			      int64_t since_us)
{
	int field = msg_exists(&s->model->layouts[msg]) ? mon_field_find(s->model, msg, signal) : -1;
	const struct mon_msg *m = &s->model->point[point].msg[msg];

	if (field < 0 || m->n == 0 || m->last_us < since_us)
		return "";
	const char *label = mon_field(s->model, point, msg, (unsigned)field).label;
	return label ? label : "";
}

static void name_parts(struct report_side *s, unsigned point, struct report_session *to)
{
	if (s->side == MON_EVSE) {
		to->protocol =
			name_since(s, point, EVSE_NEW_CHARGE_SESSION, "Communication_Protocol", to->start_us);
		to->pins = name_since(s, point, EVSE_NEW_CHARGE_SESSION, "Plug_and_pins", to->start_us);
		to->finished = name_since(s, point, EVSE_CHARGE_SESSION_FINISHED, "State", to->start_us);
	} else {
		to->protocol = name_since(s, point, PEV_EVSE_INFORMATION, "Protocol", to->start_us);
		to->pins = name_since(s, point, PEV_EVSE_INFORMATION, "Pins", to->start_us);
		to->finished = "";
	}
	/* The record knows what was said before the vehicle's module forgot it. */
	if (!to->protocol[0] && to->record.protocol_name)
		to->protocol = to->record.protocol_name;
}

void report_session_end(struct report_side *s, unsigned point, const struct mon_session *record,
			int64_t end_us)
{
	struct report *r = s->report;
	struct report_point *p = &s->point[point];
	struct report_session *to = &r->session[r->n_sessions];
	struct report_track *track = p->track;

	p->is_in_session = false;
	p->track = NULL;
	if (r->n_sessions >= REPORT_MAX_SESSIONS) {
		r->n_sessions_left_out++;
		report_track_destroy(track);
		return;
	}
	r->n_sessions++;
	memset(to, 0, sizeof(*to));
	to->side = s->side;
	to->point = point;
	to->record = *record;
	to->start_us = record->start_us;
	to->end_us = end_us;
	to->partner = -1;
	name_parts(s, point, to);
	if (track) {
		to->columns = report_track_finish(track, end_us);
		r->is_out_of_memory |= !to->columns;
		report_track_destroy(track);
		fit(r);
	}
}

/* Time that two sessions have in common, in permille of the time that they take together. */
static int64_t likeness(const struct report_session *a, const struct report_session *b)
{
	int64_t from = a->start_us > b->start_us ? a->start_us : b->start_us;
	int64_t to = a->end_us < b->end_us ? a->end_us : b->end_us;
	int64_t first = a->start_us < b->start_us ? a->start_us : b->start_us;
	int64_t last = a->end_us > b->end_us ? a->end_us : b->end_us;

	return to <= from ? 0 : (int64_t)((double)(to - from) * 1000 / (double)(last - first));
}

/*
 * A vehicle belongs to the pistol whose session covers the same time best. Less than a half in common is no pair.
 */
static void pair(struct report *r)
{
	for (uint32_t i = 0; i < r->n_sessions; i++) {
		struct report_session *vehicle = &r->session[i];
		int64_t best = 500;

		if (vehicle->side != MON_PEV)
			continue;
		for (uint32_t k = 0; k < r->n_sessions; k++) {
			const struct report_session *charger = &r->session[k];
			int64_t like = charger->side == MON_EVSE && charger->partner < 0
					       ? likeness(vehicle, charger)
					       : 0;

			if (like > best) {
				best = like;
				vehicle->partner = (int)k;
			}
		}
		if (vehicle->partner >= 0)
			r->session[vehicle->partner].partner = (int)i;
	}
}

static int by_start(const void *a, const void *b)
{
	const struct report_session *x = a, *y = b;

	if (x->start_us != y->start_us)
		return x->start_us < y->start_us ? -1 : 1;
	if (x->side != y->side)
		return x->side < y->side ? -1 : 1;
	return (x->point > y->point) - (x->point < y->point);
}

void report_sessions_finish(struct report *r)
{
	qsort(r->session, r->n_sessions, sizeof(*r->session), by_start);
	pair(r);
}
