/* SPDX-License-Identifier: MIT */
/* What every row carried over time: the last ten minutes, and everything since the start. Pure. */
#include "monitor/site_mon_model.h"

#include <string.h>

#define RECENT_STEP_US (2 * FC_US_PER_S)
#define ALL_STEP_US    (1 * FC_US_PER_S)
#define WIRE_mA	       100

static uint16_t to_wire(int32_t mA)
{
	int32_t n = mA / WIRE_mA;

	return n < 0 ? 0 : n >= SMON_GAP ? SMON_GAP - 1 : (uint16_t)n;
}

static uint16_t highest(uint16_t a, uint16_t b)
{
	return a > b ? a : b;
}

static const struct smon_step gap = {SMON_GAP, SMON_GAP, SMON_GAP, false};

static struct smon_step step_of(const struct smon_row *r)
{
	return (struct smon_step){to_wire(r->load.drawn_mA), to_wire(r->load.taken_mA),
				  to_wire(r->load.limit_mA), r->is_over};
}

/* Two steps become one. */
static void fold(struct smon_step *into, const struct smon_step *s)
{
	if (s->drawn == SMON_GAP)
		return;
	if (into->drawn == SMON_GAP) {
		*into = *s;
		return;
	}
	into->drawn = highest(into->drawn, s->drawn);
	into->taken = highest(into->taken, s->taken);
	into->limit = s->limit;
	into->is_over |= s->is_over;
}

static void halve(struct smon_model *m)
{
	struct smon_track *t = &m->history.track[SMON_SPAN_ALL];
	uint32_t row, i;

	for (row = 0; row < m->n_rows; row++) {
		struct smon_step *step = m->history.step[row][SMON_SPAN_ALL];

		if (m->row[row].heard_us == SMON_NEVER)
			continue;
		for (i = 0; i < SMON_HISTORY / 2; i++) {
			struct smon_step s = step[2 * i];

			fold(&s, &step[2 * i + 1]);
			step[i] = s;
		}
	}
	t->n = SMON_HISTORY / 2;
	t->step_us *= 2;
}

/* A row carries what was last heard of it, until it is heard of again or the site falls silent. */
static void begin_step(struct smon_model *m, enum smon_span span)
{
	uint32_t at = m->history.track[span].n++ % SMON_HISTORY, row;

	for (row = 0; row < m->n_rows; row++)
		if (m->row[row].heard_us != SMON_NEVER)
			m->history.step[row][span][at] = m->is_site_silent ? gap : step_of(&m->row[row]);
}

static bool is_behind(const struct smon_model *m, enum smon_span span)
{
	const struct smon_track *t = &m->history.track[span];

	return m->now_us >= t->begin_us + (int64_t)t->n * t->step_us;
}

void smon_history_init(struct smon_model *m)
{
	m->history.track[SMON_SPAN_RECENT] = (struct smon_track){m->now_us, RECENT_STEP_US, 0};
	m->history.track[SMON_SPAN_ALL] = (struct smon_track){m->now_us, ALL_STEP_US, 0};
}

void smon_history_advance(struct smon_model *m)
{
	struct smon_track *t = &m->history.track[SMON_SPAN_RECENT];
	int64_t due = (m->now_us - t->begin_us) / t->step_us + 1;

	/* After a long silence of the log: no step is begun that would be overwritten at once. */
	if (due > (int64_t)t->n + SMON_HISTORY)
		t->n = (uint32_t)(due - SMON_HISTORY);
	while (is_behind(m, SMON_SPAN_RECENT))
		begin_step(m, SMON_SPAN_RECENT);
	while (is_behind(m, SMON_SPAN_ALL)) {
		if (m->history.track[SMON_SPAN_ALL].n == SMON_HISTORY)
			halve(m);
		else
			begin_step(m, SMON_SPAN_ALL);
	}
}

void smon_history_row(struct smon_model *m, uint32_t row, bool is_first)
{
	struct smon_step s = step_of(&m->row[row]);
	unsigned span;

	if (is_first)
		memset(m->history.step[row], 0xff, sizeof(m->history.step[row])); /* SMON_GAP */
	for (span = 0; span < SMON_N_SPANS; span++)
		if (m->history.track[span].n)
			fold(&m->history.step[row][span][(m->history.track[span].n - 1) % SMON_HISTORY], &s);
}

uint32_t smon_history_n(const struct smon_model *m, enum smon_span span)
{
	uint32_t n = m->history.track[span].n;

	return n < SMON_HISTORY ? n : SMON_HISTORY;
}

struct smon_step smon_history_step(const struct smon_model *m, uint32_t row, enum smon_span span, uint32_t i)
{
	uint32_t n = m->history.track[span].n, first = n > SMON_HISTORY ? n - SMON_HISTORY : 0;

	if (!smon_row(m, row) || i >= smon_history_n(m, span))
		return gap;
	return m->history.step[row][span][(first + i) % SMON_HISTORY];
}
