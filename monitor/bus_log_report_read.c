/* SPDX-License-Identifier: MIT */
/*
 * Reads a log once, feeds the models of both sides with every frame, and keeps what they tell.
 */
#include "monitor/bus_log_report_data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "evse_msgs.h"
#include "pev_msgs.h"

#define WATCH_US    INT64_C(100000) /* of lost messages; the model's own grid */
#define PROGRESS_NS INT64_C(2000000000)

const char *report_state_name(const struct report_side *s, int state, char *buffer, size_t size)
{
	const struct msg_field *f = &s->model->layouts[s->state_msg].fields[s->state_field];
	const char *name = state == REPORT_SILENT ? "not heard" : msg_value_name(f, state);
	size_t i;

	if (!name) {
		snprintf(buffer, size, "state %d", state);
		return buffer;
	}
	/* "Waiting_For_PEV" to "Waiting for PEV": capitals stay where a second one follows. */
	for (i = 0; name[i] && i + 1 < size; i++) {
		bool is_word = i > 0 && name[i - 1] == '_' && name[i] >= 'A' && name[i] <= 'Z' &&
			       name[i + 1] >= 'a' && name[i + 1] <= 'z';

		buffer[i] = name[i] == '_' ? ' ' : (char)(is_word ? name[i] - 'A' + 'a' : name[i]);
	}
	buffer[i] = '\0';
	return buffer;
}

static void add_state(struct report_states *l, int64_t time_us, int state)
{
	if (l->n > 0 && l->list[l->n - 1].state == state)
		return;
	if (l->n == REPORT_MAX_STATES) {
		l->n_left_out++;
		return;
	}
	l->list[l->n++] = (struct report_change){time_us, (int16_t)state};
}

/* --- what the models tell ------------------------------------------------------------------------------ */

static void on_change(void *ctx, const struct mon_change *c)
{
	struct report_side *s = ctx;
	struct report_point *p = &s->point[c->point % MON_N_POINTS];

	if (c->msg == s->state_msg && c->field == s->state_field && p->states.list)
		add_state(&p->states, c->time_us, (int)c->number);
	report_series_change(s, c);
}

static void on_event(void *ctx, const struct mon_event *e)
{
	struct report_side *s = ctx;
	struct report *r = s->report;
	bool is_grave = e->severity >= MON_WARNING;
	uint32_t n_kind = is_grave ? r->n_grave : r->n_events - r->n_grave;

	/* What concerns the bus is told by both models. */
	for (uint32_t i = r->n_events; i > 0 && i + 4 > r->n_events; i--)
		if (s->side == MON_PEV && r->event[i - 1].side == MON_EVSE &&
		    r->event[i - 1].time_us == e->time_us &&
		    !r->side[MON_EVSE].point[r->event[i - 1].point % MON_N_POINTS].is_heard &&
		    strcmp(r->event[i - 1].text, e->text) == 0)
			return;
	r->n_of_severity[e->severity & 3]++;
	if (n_kind >= REPORT_MAX_EVENTS) {
		r->n_events_left_out++;
		return;
	}
	struct report_event *to = &r->event[r->n_events++];

	r->n_grave += is_grave;
	to->time_us = e->time_us;
	to->side = (uint8_t)s->side;
	to->point = e->point;
	to->severity = e->severity & 3;
	to->session = -1;
	snprintf(to->text, sizeof(to->text), "%s", e->text);
}

static void on_session_end(void *ctx, unsigned point, const struct mon_session *record)
{
	report_session_end(ctx, point % MON_N_POINTS, record, record->end_us);
}

/* --- one frame after the other ------------------------------------------------------------------------- */

static bool make_room(struct report_point *p)
{
	if (!p->states.list)
		p->states.list = calloc(REPORT_MAX_STATES, sizeof(*p->states.list));
	return p->states.list != NULL;
}

static void watch(struct report_side *s, int64_t now_us)
{
	for (unsigned i = 0; i < MON_N_POINTS; i++) {
		struct report_point *p = &s->point[i];
		const struct mon_msg *state = &s->model->point[i].msg[s->state_msg];

		if (!p->is_heard)
			continue;
		report_series_watch(s, i, now_us);
		if (state->n && mon_is_stale(s->model, i, (unsigned)s->state_msg))
			add_state(&p->states, state->last_us, REPORT_SILENT);
		else if (state->n)
			add_state(
				&p->states, now_us,
				(int)mon_field(s->model, i, (unsigned)s->state_msg, (unsigned)s->state_field)
					.number);
	}
}

/* A quiet stretch of the log: time passes in small steps at first, so that silences are seen when they begin. */
static void pass_time(struct report *r, int64_t now_us)
{
	const int64_t fine_us = 8 * (int64_t)FC_US_PER_S;
	int64_t until = now_us - r->tick_us > fine_us ? r->tick_us + fine_us : now_us;

	for (; r->tick_us + WATCH_US <= until; r->tick_us += WATCH_US)
		for (unsigned i = 0; i < REPORT_N_SIDES; i++)
			if (r->side[i].model) {
				mon_model_tick(r->side[i].model, r->tick_us + WATCH_US);
				watch(&r->side[i], r->tick_us + WATCH_US);
			}
	if (now_us - r->tick_us > WATCH_US)
		r->tick_us = now_us - (now_us - r->tick_us) % WATCH_US;
}

static void take_side(struct report_side *s, const struct log_entry *e, int64_t now_us)
{
	unsigned point = 0;
	int msg = report_find(s, &e->frame, &point);
	struct report_point *p = &s->point[point];

	if (msg >= 0 && !make_room(p)) {
		s->report->is_out_of_memory = true;
		return;
	}
	mon_model_rx(s->model, now_us, &e->frame);
	if (msg < 0)
		return;
	const struct mon_session *session = &s->model->point[point].session;

	if (session->is_running && !p->is_in_session)
		report_session_begin(s, point, session->start_us);
	report_series_frame(s, point, (unsigned)msg, now_us);
}

static void begin(struct report *r, int64_t now_us)
{
	static void (*const change)(void *, const struct mon_change *) = on_change;

	r->has_time = true;
	r->begin_us = r->end_us = r->tick_us = r->load.second_us = now_us;
	r->load.track = report_track_create(now_us);
	r->is_out_of_memory |= !r->load.track;
	for (unsigned i = 0; i < REPORT_N_SIDES; i++) {
		struct report_side *s = &r->side[i];
		const struct mon_sink sink = {s, change, on_event, on_session_end};
		const struct mon_cfg cfg = {
			.side = s->side, .version = r->cfg.version[i], .bitrate = r->cfg.bitrate};

		if (!s->model)
			continue;
		mon_model_init(s->model, &cfg, &sink, now_us);
		s->state_msg =
			i == MON_EVSE ? (int)EVSE_ADVANTICS_CONTROLLER_STATUS : (int)PEV_EVSE_INFORMATION;
		s->state_field = mon_field_find(s->model, (unsigned)s->state_msg,
						i == MON_EVSE ? "State" : "Communication_Stage");
		report_series_init(s);
	}
}

/* What the reader took off a date in local time, at the begin: the log's own clock does not change its zone either. */
static int64_t zone_of(const struct log_reader *reader, int64_t time_us)
{
	time_t s = (time_t)(time_us / FC_US_PER_S);
	struct tm t;

	return reader->is_local && localtime_r(&s, &t) ? t.tm_gmtoff * (int64_t)FC_US_PER_S : 0;
}

static void take(struct report *r, const struct log_entry *e)
{
	int64_t now_us;

	if (r->cfg.channel && strcmp(log_channel(r->reader, e->channel), r->cfg.channel) != 0)
		return;
	if (!r->has_time)
		r->zone_us = zone_of(r->reader, e->time_us);
	/* A step back in time counts as no step: nothing here can go back. */
	now_us = e->time_us + r->zone_us;
	if (r->has_time && now_us < r->end_us)
		now_us = r->end_us;
	if (!r->has_time)
		begin(r, now_us);
	if (r->is_out_of_memory)
		return;
	r->end_us = now_us;
	r->n_error_frames += (e->frame.can_id & CAN_ERR_FLAG) != 0;
	if (now_us - r->tick_us >= WATCH_US)
		pass_time(r, now_us);
	for (unsigned i = 0; e->n_lost && i < REPORT_N_SIDES; i++)
		if (r->side[i].model)
			mon_model_dropped(r->side[i].model, now_us, e->n_lost);
	for (unsigned i = 0; i < REPORT_N_SIDES; i++)
		if (r->side[i].model)
			take_side(&r->side[i], e, now_us);
	report_timing_frame(r, e, now_us);
}

/* --- the whole ----------------------------------------------------------------------------------------- */

static int64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void tell_progress(const struct report *r, bool is_last)
{
	uint64_t size = log_size(r->reader);

	if (size)
		fprintf(stderr, "\rbus-log report: %3.0f %%, %llu frames",
			100.0 * (double)log_position(r->reader) / (double)size,
			(unsigned long long)r->reader->stats.n_frames);
	else
		fprintf(stderr, "\rbus-log report: %llu frames",
			(unsigned long long)r->reader->stats.n_frames);
	if (is_last)
		fputc('\n', stderr);
}

static void name_log(struct report *r)
{
	const char *slash = strrchr(r->cfg.path, '/');

	snprintf(r->title, sizeof(r->title), "%s",
		 strcmp(r->cfg.path, "-") == 0 ? "standard input"
		 : slash && slash[1]	       ? slash + 1
					       : r->cfg.path);
}

static bool prepare(struct report *r)
{
	r->session = calloc(REPORT_MAX_SESSIONS, sizeof(*r->session));
	r->event = calloc(2 * REPORT_MAX_EVENTS, sizeof(*r->event));
	if (!r->session || !r->event)
		return false;
	for (unsigned i = 0; i < REPORT_N_SIDES; i++) {
		struct report_side *s = &r->side[i];

		s->report = r;
		s->side = (enum mon_side)i;
		for (unsigned k = 0; k < MON_N_POINTS; k++)
			for (unsigned q = 0; q < REPORT_N_QUANTITIES; q++)
				s->point[k].now[q] = MON_UNKNOWN;
		if (r->cfg.has_side[i] && !(s->model = calloc(1, sizeof(*s->model))))
			return false;
	}
	return true;
}

static int by_time(const void *a, const void *b)
{
	const struct report_event *x = a, *y = b;

	return (x->time_us > y->time_us) - (x->time_us < y->time_us);
}

/* The last session of the point that had begun; a silence that ended it is told a while after its end. */
static int session_of(const struct report *r, const struct report_event *e)
{
	int found = -1;

	for (uint32_t i = 0; i < r->n_sessions && r->session[i].start_us <= e->time_us; i++)
		if (r->session[i].side == (enum mon_side)e->side && r->session[i].point == e->point)
			found = (int)i;
	if (found < 0)
		return -1;
	const struct report_session *s = &r->session[found];
	int64_t late_us = s->record.is_clean ? 0 : MON_SESSION_SILENCE_US + WATCH_US;

	return e->time_us <= s->end_us + late_us ? found : -1;
}

/* Sessions that the log leaves running end with it. */
static void finish(struct report *r)
{
	if (!r->has_time)
		return;
	for (unsigned i = 0; i < REPORT_N_SIDES; i++)
		for (unsigned k = 0; k < MON_N_POINTS; k++)
			if (r->side[i].point[k].is_in_session)
				report_session_end(&r->side[i], k, &r->side[i].model->point[k].session,
						   r->end_us);
	report_sessions_finish(r);
	report_timing_finish(r);
	qsort(r->event, r->n_events, sizeof(*r->event), by_time);
	for (uint32_t i = 0; i < r->n_events; i++)
		r->event[i].session = session_of(r, &r->event[i]);
}

int report_read(struct report *r, const struct report_cfg *cfg, struct log_reader *reader)
{
	bool has_progress = !cfg->is_quiet && isatty(STDERR_FILENO);
	int64_t start_ns = clock_ns(), told_ns = 0, now_ns;
	struct log_entry e;
	unsigned n = 0;
	int rc;

	memset(r, 0, sizeof(*r));
	r->cfg = *cfg;
	r->reader = reader;
	name_log(r);
	if (!prepare(r))
		return -ENOMEM;
	while ((rc = log_next(reader, &e)) > 0) {
		take(r, &e);
		if (++n % 65536 != 0 || !has_progress)
			continue;
		now_ns = clock_ns();
		if (now_ns - start_ns < PROGRESS_NS || now_ns - told_ns < PROGRESS_NS / 4)
			continue;
		tell_progress(r, false);
		told_ns = now_ns;
	}
	if (told_ns)
		tell_progress(r, true);
	r->read_error = rc;
	finish(r);
	return r->is_out_of_memory ? -ENOMEM : 0;
}

void report_free(struct report *r)
{
	for (unsigned i = 0; i < REPORT_N_SIDES; i++) {
		for (unsigned k = 0; k < MON_N_POINTS; k++) {
			free(r->side[i].point[k].states.list);
			report_track_destroy(r->side[i].point[k].track);
		}
		free(r->side[i].model);
	}
	for (uint32_t i = 0; i < r->n_sessions; i++)
		report_columns_destroy(r->session[i].columns);
	report_columns_destroy(r->load.columns);
	report_track_destroy(r->load.track);
	free(r->session);
	free(r->event);
}
