/* SPDX-License-Identifier: MIT */
/*
 * Stretches of time in a log, found by the model that the monitors use.
 */
#include "monitor/bus_log_find.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "evse_msgs.h"
#include "pev_msgs.h"

/* --- stretches -------------------------------------------------------------------------------------------- */

void stretches_add(struct stretches *s, int64_t from_us, int64_t to_us)
{
	if (s->n == s->n_room) {
		size_t room = s->n_room ? 2 * s->n_room : 64;
		struct stretch *list = realloc(s->list, room * sizeof(*list));

		if (!list) {
			s->is_out_of_memory = true;
			return;
		}
		s->list = list;
		s->n_room = room;
	}
	s->list[s->n].from_us = from_us;
	s->list[s->n++].to_us = to_us;
}

static int by_start(const void *a, const void *b)
{
	const struct stretch *x = a, *y = b;

	return x->from_us < y->from_us ? -1 : x->from_us > y->from_us;
}

static void sort(struct stretches *s)
{
	if (s->n)
		qsort(s->list, s->n, sizeof(*s->list), by_start);
}

void stretches_merge(struct stretches *s)
{
	size_t i, n = 0;

	sort(s);
	for (i = 0; i < s->n; i++) {
		if (n && s->list[i].from_us <= s->list[n - 1].to_us) {
			if (s->list[i].to_us > s->list[n - 1].to_us)
				s->list[n - 1].to_us = s->list[i].to_us;
		} else {
			s->list[n++] = s->list[i];
		}
	}
	s->n = n;
}

bool stretches_have(const struct stretches *s, int64_t time_us, size_t *hint)
{
	/* Times mostly go forward. */
	while (*hint > 0 && time_us < s->list[*hint].from_us)
		(*hint)--;
	while (*hint + 1 < s->n && time_us > s->list[*hint].to_us)
		(*hint)++;
	return s->n > 0 && time_us >= s->list[*hint].from_us && time_us <= s->list[*hint].to_us;
}

void stretches_free(struct stretches *s)
{
	free(s->list);
	memset(s, 0, sizeof(*s));
}

/* --- finding ---------------------------------------------------------------------------------------------- */

static bool is_meant(const struct finder *f, unsigned point)
{
	return f->point < 0 || (unsigned)f->point == point;
}

static void on_change(void *ctx, const struct mon_change *c)
{
	struct finder *f = ctx;
	bool is_in;

	if (c->msg != f->state_msg || c->field != f->state_field || !is_meant(f, c->point))
		return;
	is_in = c->number >= 0 && c->number < FIND_N_STATES && f->wanted[c->number];
	if (is_in && f->inside_us[c->point] < 0)
		f->inside_us[c->point] = c->time_us;
	if (!is_in && f->inside_us[c->point] >= 0) {
		/* The frame that tells the next state is not of this one any more. */
		stretches_add(&f->states, f->inside_us[c->point], c->time_us - 1);
		f->inside_us[c->point] = -1;
	}
}

static void on_session_end(void *ctx, unsigned point, const struct mon_session *s)
{
	struct finder *f = ctx;

	if (is_meant(f, point))
		stretches_add(&f->sessions, s->start_us, s->end_us);
}

int find_begin(struct finder *f, enum mon_side side, unsigned version, int point)
{
	const struct mon_cfg cfg = {.side = side, .version = version};
	const struct mon_sink sink = {.ctx = f, .change = on_change, .session_end = on_session_end};
	unsigned i;

	memset(f, 0, sizeof(*f));
	f->model = malloc(sizeof(*f->model));
	if (!f->model)
		return -ENOMEM;
	mon_model_init(f->model, &cfg, &sink, 0);
	f->side = side;
	f->point = point;
	f->state_msg = side == MON_EVSE ? (unsigned)EVSE_ADVANTICS_CONTROLLER_STATUS
					: (unsigned)PEV_EVSE_INFORMATION;
	f->state_field =
		mon_field_find(f->model, f->state_msg, side == MON_EVSE ? "State" : "Communication_Stage");
	for (i = 0; i < MON_N_POINTS; i++)
		f->inside_us[i] = -1;
	return 0;
}

/* Number of one state: digits or a name; -1: unknown. */
static int state_number(const struct finder *f, const char *p, size_t n)
{
	const struct msg_field *field = &f->model->layouts[f->state_msg].fields[f->state_field];
	int number = 0;
	size_t i;

	for (i = 0; i < n && p[i] >= '0' && p[i] <= '9' && number < FIND_N_STATES; i++)
		number = number * 10 + (p[i] - '0');
	if (n && i == n)
		return number < FIND_N_STATES ? number : -1;
	for (i = 0; i < field->n_values; i++)
		if (strlen(field->values[i].name) == n && strncasecmp(field->values[i].name, p, n) == 0)
			return (int)field->values[i].number;
	return -1;
}

static bool want_item(struct finder *f, const char *p, size_t n)
{
	const char *dots = memmem(p, n, "..", 2);
	size_t n_first = dots ? (size_t)(dots - p) : n;
	int first = state_number(f, p, n_first);
	int last = dots ? state_number(f, dots + 2, n - n_first - 2) : first;

	if (first < 0 || last < first || last >= FIND_N_STATES)
		return false;
	for (; first <= last; first++)
		f->wanted[first] = true;
	return true;
}

bool find_want(struct finder *f, const char *states)
{
	f->has_states = f->state_field >= 0;
	while (f->has_states) {
		size_t n = strcspn(states, ",");

		f->has_states = want_item(f, states, n);
		if (!states[n])
			break;
		states += n + 1;
	}
	return f->has_states;
}

void find_rx(struct finder *f, int64_t time_us, const struct can_frame *frame, uint32_t n_lost)
{
	if (!f->has_begun) {
		/* Its time begins with the log. */
		const struct mon_cfg cfg = f->model->cfg;
		const struct mon_sink sink = f->model->sink;

		f->has_begun = true;
		mon_model_init(f->model, &cfg, &sink, time_us);
	}
	if (n_lost)
		mon_model_dropped(f->model, time_us, n_lost);
	mon_model_rx(f->model, time_us, frame);
}

bool find_end(struct finder *f)
{
	unsigned i;

	for (i = 0; i < MON_N_POINTS; i++) {
		const struct mon_point *p = mon_point(f->model, i);

		if (f->inside_us[i] >= 0)
			stretches_add(&f->states, f->inside_us[i], INT64_MAX);
		if (p && is_meant(f, i) && p->session.is_running)
			stretches_add(&f->sessions, p->session.start_us, INT64_MAX);
	}
	stretches_merge(&f->states);
	sort(&f->sessions);
	return f->model->bus.n_ours > 0;
}

void find_free(struct finder *f)
{
	free(f->model);
	stretches_free(&f->states);
	stretches_free(&f->sessions);
	memset(f, 0, sizeof(*f));
}
