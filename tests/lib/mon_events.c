/* SPDX-License-Identifier: MIT */
/* Remembers what a monitor's model tells. */
#include "tests/lib/mon_events.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void keep_event(void *ctx, const struct mon_event *e)
{
	struct mon_events *kept = ctx;

	if (kept->n_events < MON_EVENTS_KEPT)
		kept->event[kept->n_events++] = *e;
}

static void keep_change(void *ctx, const struct mon_change *c)
{
	struct mon_events *kept = ctx;

	if (kept->n_changes < MON_EVENTS_KEPT)
		kept->change[kept->n_changes++] = *c;
}

static void keep_session(void *ctx, unsigned point, const struct mon_session *s)
{
	struct mon_events *kept = ctx;

	kept->session = *s;
	kept->session_point = point;
	kept->n_sessions++;
}

struct mon_sink mon_events_sink(struct mon_events *e)
{
	struct mon_sink sink = {e, keep_change, keep_event, keep_session};

	memset(e, 0, sizeof(*e));
	return sink;
}

const struct mon_event *mon_events_find(const struct mon_events *e, const char *words, unsigned n)
{
	for (unsigned i = 0; i < e->n_events; i++)
		if (strstr(e->event[i].text, words) && n-- == 0)
			return &e->event[i];
	return NULL;
}

unsigned mon_events_count(const struct mon_events *e, const char *words)
{
	unsigned n = 0;

	while (mon_events_find(e, words, n))
		n++;
	return n;
}

static void print_all(const struct mon_events *e)
{
	for (unsigned i = 0; i < e->n_events; i++)
		print_message("%10" PRId64 " %s\n", e->event[i].time_us, e->event[i].text);
}

const struct mon_event *mon_events_need(const struct mon_events *e, const char *words)
{
	const struct mon_event *found = mon_events_find(e, words, 0);

	if (!found) {
		print_all(e);
		fail_msg("no event says \"%s\"", words);
	}
	return found;
}

void mon_events_need_none(const struct mon_events *e, const char *words)
{
	if (!mon_events_find(e, words, 0))
		return;
	print_all(e);
	fail_msg("an event says \"%s\"", words);
}
