/* SPDX-License-Identifier: MIT */
/* What the model tells: events in words, and signals that changed. Pure. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "monitor/mon_model_priv.h"

void mon_event_add(struct mon_model *m, int64_t time_us, unsigned point, enum mon_severity severity,
		   const char *format, ...)
{
	struct mon_event *e = &m->event[m->n_events % MON_N_EVENTS];
	va_list args;

	/* What becomes known late, a silence for one, does not overtake what was told already. */
	if (m->n_events > 0 && time_us < m->event[(m->n_events - 1) % MON_N_EVENTS].time_us)
		time_us = m->event[(m->n_events - 1) % MON_N_EVENTS].time_us;
	e->time_us = time_us;
	e->point = (uint8_t)point;
	e->severity = (uint8_t)severity;
	va_start(args, format);
	vsnprintf(e->text, sizeof(e->text), format, args);
	va_end(args);
	m->n_events++;
	if (m->sink.event)
		m->sink.event(m->sink.ctx, e);
}

const char *mon_time_text(int64_t us, char text[MON_TIME_TEXT])
{
	int64_t s = us / FC_US_PER_S;

	if (us < FC_US_PER_S)
		snprintf(text, MON_TIME_TEXT, "%" PRId64 " ms", us / FC_US_PER_MS);
	else if (s < 60)
		snprintf(text, MON_TIME_TEXT, "%" PRId64 ".%d s", s, (int)(us % FC_US_PER_S / 100000));
	else if (s < 3600)
		snprintf(text, MON_TIME_TEXT, "%" PRId64 " min %02d s", s / 60, (int)(s % 60));
	else
		snprintf(text, MON_TIME_TEXT, "%" PRId64 " h %02d min", s / 3600, (int)(s / 60 % 60));
	return text;
}

const char *mon_state_label(const struct mon_model *m, int state, char text[MON_TIME_TEXT])
{
	const char *name = msg_value_name(&m->layouts[m->state_msg].fields[0], state);

	if (name)
		return name;
	snprintf(text, MON_TIME_TEXT, "%d (unknown)", state);
	return text;
}

void mon_tell_change(struct mon_model *m, const struct mon_seen *seen, uint64_t changed)
{
	const struct msg_layout *l = &m->layouts[seen->msg];
	const struct mon_msg *g = &m->point[seen->point].msg[seen->msg];
	struct mon_change c = {
		.time_us = seen->time_us, .point = (uint8_t)seen->point, .msg = (uint8_t)seen->msg};
	union mon_content now, old;
	uint16_t i;

	mon_unpack(m, seen->msg, g->data, &now);
	mon_unpack(m, seen->msg, seen->old, &old);
	for (i = 0; i < l->n_fields; i++) {
		const struct msg_field *f = &l->fields[i];
		unsigned end = f->start_bit + f->length;
		uint64_t mask = f->length < 64 ? (UINT64_C(1) << f->length) - 1 : UINT64_MAX;

		if (end > 8u * g->dlc)
			continue;
		c.is_first = seen->is_first || end > 8u * seen->old_dlc;
		if (!c.is_first && !(changed & mask << f->start_bit))
			continue;
		c.field = i;
		c.number = msg_field_read(f, &now);
		c.old = c.is_first ? c.number : msg_field_read(f, &old);
		m->sink.change(m->sink.ctx, &c);
	}
}
