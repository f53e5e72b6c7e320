/* SPDX-License-Identifier: MIT */
/*
 * Timing of every message and load of every channel, from every frame of the log. The model's own means run over the
 * last few frames only; a report wants the whole log.
 */
#include "monitor/bus_log_report_data.h"

#include <string.h>

#include "lib/can/can_frame_bits.h"

int report_find(const struct report_side *s, const struct can_frame *f, unsigned *point)
{
	return f->can_id & (CAN_RTR_FLAG | CAN_ERR_FLAG) ? -1 : mon_msg_find(s->model, f->can_id, point);
}

static void add_gap(struct report_msg *m, int64_t gap_us)
{
	double deviation = (double)gap_us - m->mean_us;

	m->n_gaps++;
	m->mean_us += deviation / (double)m->n_gaps;
	m->square_us += deviation * ((double)gap_us - m->mean_us);
}

static void add_silence(struct report_msg *m, int64_t from_us, int64_t to_us)
{
	if (m->n_silences < REPORT_MAX_LOST)
		m->silence[m->n_silences] = (struct report_silence){from_us, to_us};
	m->n_silences++;
}

bool report_is_passing(const struct report_side *s, unsigned msg)
{
	int64_t cycle_us = s->model->layouts[msg].cycle_ms * (int64_t)FC_US_PER_MS;

	return cycle_us > 0 && mon_stale_after_us(s->model, msg) > 3 * cycle_us + FC_US_PER_S;
}

/* A gap that the message's nature explains: not inside one session, or it had been understood. */
static bool is_pause(const struct report_side *s, unsigned point, unsigned msg, int64_t gap_us)
{
	const struct mon_session *session = &s->model->point[point].session;
	int64_t limit_us = mon_stale_after_us(s->model, msg);
	bool is_inside = session->is_running && session->start_us <= s->point[point].msg[msg].last_us;

	if (!report_is_passing(s, msg) ||
	    gap_us <= 3 * s->model->layouts[msg].cycle_ms * (int64_t)FC_US_PER_MS)
		return false;
	return !is_inside || limit_us == FC_NEVER;
}

static void add_presence(struct report_msg *m, int64_t at_us)
{
	while (at_us / m->step_us >= REPORT_N_PRESENCE) {
		for (unsigned i = 0; i < REPORT_N_PRESENCE; i++)
			m->is_there[i] =
				2 * i < REPORT_N_PRESENCE && (m->is_there[2 * i] || m->is_there[2 * i + 1]);
		m->step_us *= 2;
	}
	m->is_there[at_us / m->step_us] = 1;
}

static void add_frame(const struct report_side *s, unsigned point, unsigned msg, struct report_msg *m,
		      int64_t now_us)
{
	int64_t gap_us = now_us - m->last_us;

	if (m->n == 0) {
		m->first_us = now_us;
		m->step_us = REPORT_UNIT_US;
	} else if (!is_pause(s, point, msg, gap_us)) {
		if (gap_us > m->gap_max_us)
			m->gap_max_us = gap_us;
		if (gap_us > mon_stale_after_us(s->model, msg))
			add_silence(m, m->last_us, now_us);
		else
			add_gap(m, gap_us);
	}
	add_presence(m, now_us - s->report->begin_us);
	m->last_us = now_us;
	m->n++;
}

static void close_second(struct report *r, int64_t length_us)
{
	struct report_load *l = &r->load;
	uint64_t full = (uint64_t)r->cfg.bitrate * (uint64_t)length_us / 1000000;

	for (unsigned c = 0; c < REPORT_N_SERIES; c++) {
		/* A channel begins with its first frame. */
		if (l->n_frames[c])
			report_track_set(l->track, l->second_us, c,
					 (int32_t)(l->bits[c] * 1000 / (full ? full : 1)));
		l->bits[c] = 0;
	}
}

static void add_load(struct report *r, const struct log_entry *e, int64_t now_us)
{
	struct report_load *l = &r->load;
	unsigned c = e->channel < REPORT_N_SERIES ? e->channel : REPORT_N_SERIES - 1;

	if (now_us - l->second_us >= FC_US_PER_S) {
		int64_t n_seconds = (now_us - l->second_us) / FC_US_PER_S;

		close_second(r, FC_US_PER_S);
		l->second_us += FC_US_PER_S;
		if (n_seconds > 1) { /* nothing at all in between */
			close_second(r, FC_US_PER_S);
			l->second_us += (n_seconds - 1) * FC_US_PER_S;
		}
	}
	if (e->frame.can_id & CAN_ERR_FLAG)
		return;
	l->bits[c] += can_frame_bits(&e->frame, CAN_STUFFING_NONE) + CAN_INTERFRAME_BITS;
	l->n_frames[c]++;
}

void report_timing_frame(struct report *r, const struct log_entry *e, int64_t now_us)
{
	add_load(r, e, now_us);
	for (unsigned i = 0; i < REPORT_N_SIDES; i++) {
		struct report_side *s = &r->side[i];
		unsigned point;
		int msg = s->model ? report_find(s, &e->frame, &point) : -1;

		if (msg < 0)
			continue;
		struct report_point *p = &s->point[point];

		if (!p->is_heard)
			p->channel = e->channel;
		p->is_heard = true;
		p->n_other_channel += p->channel != e->channel;
		add_frame(s, point, (unsigned)msg, &p->msg[msg], now_us);
		return;
	}
}

/* A message that was silent when the log ended: its silence has no frame that ends it. */
static void finish_msg(const struct report_side *s, unsigned point, unsigned msg, struct report_msg *m)
{
	int64_t gap_us = s->report->end_us - m->last_us;

	if (m->n == 0 || gap_us <= mon_stale_after_us(s->model, msg) || is_pause(s, point, msg, gap_us))
		return;
	if (gap_us > m->gap_max_us)
		m->gap_max_us = gap_us;
	add_silence(m, m->last_us, s->report->end_us);
}

void report_timing_finish(struct report *r)
{
	int64_t rest_us = r->end_us - r->load.second_us;

	for (unsigned i = 0; i < REPORT_N_SIDES; i++)
		for (unsigned k = 0; r->side[i].model && k < MON_N_POINTS; k++)
			for (unsigned msg = 0; msg < r->side[i].model->n_msgs; msg++)
				finish_msg(&r->side[i], k, msg, &r->side[i].point[k].msg[msg]);

	/* A small rest of a second says nothing; a log shorter than a second has nothing else. */
	if (rest_us >= FC_US_PER_S / 4 || r->end_us - r->begin_us < FC_US_PER_S)
		close_second(r, rest_us > 0 ? rest_us : 1000);
	r->load.columns = report_track_finish(r->load.track, r->end_us);
	r->is_out_of_memory |= !r->load.columns;
	report_track_destroy(r->load.track);
	r->load.track = NULL;
}
