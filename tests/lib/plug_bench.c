/* SPDX-License-Identifier: MIT */
/* Machines on a perfect bus in virtual time, for tests. */
#include "tests/lib/plug_bench.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <forecourt/units.h>

struct bench *bench_new(void)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->trace = malloc(BENCH_MAX_TRACE * sizeof(b->trace[0]));
	assert_non_null(b->trace);
	out_queue_init(&b->out);
	return b;
}

void bench_free(struct bench *b)
{
	free(b->trace);
	free(b);
}

unsigned bench_add(struct bench *b, const struct machine *m)
{
	assert_true(b->n_machines < BENCH_MAX_MACHINES);
	b->machine[b->n_machines] = *m;
	return b->n_machines++;
}

static void put(struct bench *b, unsigned sender, const struct can_frame *frame)
{
	struct bench_record r = {b->now_us, sender, *frame};

	if (sender < BENCH_MAX_MACHINES && b->is_mute[sender])
		return;
	if (b->tap && !b->tap(b->ctx, b, sender, &r.frame))
		return;
	if (b->n_trace < BENCH_MAX_TRACE)
		b->trace[b->n_trace++] = r;
	else
		b->n_lost++;
	assert_true(b->n_waiting < BENCH_MAX_WAITING);
	b->waiting[(b->first + b->n_waiting++) % BENCH_MAX_WAITING] = r;
}

static void collect(struct bench *b, unsigned sender)
{
	uint32_t i;

	assert_int_equal(b->out.n_dropped, 0);
	for (i = 0; i < b->out.n; i++) {
		if (b->out.item[i].kind == OUT_FRAME) {
			assert_true(b->out.item[i].u.frame.can_dlc <= 8);
			put(b, sender, &b->out.item[i].u.frame);
		}
	}
	out_queue_clear(&b->out);
}

void bench_inject(struct bench *b, const struct can_frame *f)
{
	put(b, BENCH_MAX_MACHINES, f);
}

static void deliver(struct bench *b)
{
	while (b->n_waiting) {
		struct bench_record r = b->waiting[b->first];
		unsigned i;

		b->first = (b->first + 1) % BENCH_MAX_WAITING;
		b->n_waiting--;
		for (i = 0; i < b->n_machines; i++) {
			if (i == r.sender || b->is_deaf[i])
				continue;
			b->machine[i].ops->rx(b->machine[i].self, b->now_us, &r.frame, &b->out);
			collect(b, i);
		}
	}
}

static int64_t next_us(const struct bench *b)
{
	int64_t next = FC_NEVER;
	unsigned i;

	for (i = 0; i < b->n_machines; i++)
		next = fc_min_i64(next, b->machine[i].ops->next_us(b->machine[i].self));
	return next;
}

static void instant(struct bench *b)
{
	unsigned i, guard = 0;

	do {
		deliver(b);
		for (i = 0; i < b->n_machines; i++) {
			if (b->machine[i].ops->next_us(b->machine[i].self) > b->now_us)
				continue;
			b->machine[i].ops->tick(b->machine[i].self, b->now_us, &b->out);
			collect(b, i);
		}
		assert_true(++guard < 1000); /* a machine that is due for ever */
	} while (b->n_waiting || next_us(b) <= b->now_us);
}

bool bench_run_until(struct bench *b, int64_t us, bool (*is_done)(void *ctx), void *ctx)
{
	int64_t end_us = b->now_us + us;

	for (;;) {
		int64_t next;

		instant(b);
		if (is_done && is_done(ctx))
			return true;
		next = next_us(b);
		if (next > end_us)
			break;
		b->now_us = next;
	}
	b->now_us = end_us;
	return false;
}

void bench_run(struct bench *b, int64_t us)
{
	bench_run_until(b, us, NULL, NULL);
}

int bench_command(struct bench *b, unsigned machine, const char *line)
{
	char answer[4096];
	int r = b->machine[machine].ops->command(b->machine[machine].self, b->now_us, line, answer,
						 sizeof(answer), &b->out);

	collect(b, machine);
	return r;
}

size_t bench_count(const struct bench *b, canid_t id, size_t from)
{
	size_t i, n = 0;

	for (i = from; i < b->n_trace; i++)
		n += b->trace[i].frame.can_id == id;
	return n;
}

const struct bench_record *bench_find(const struct bench *b, canid_t id, size_t from, size_t n)
{
	size_t i;

	for (i = from; i < b->n_trace; i++) {
		if (b->trace[i].frame.can_id == id && n-- == 0)
			return &b->trace[i];
	}
	return NULL;
}

const struct bench_record *bench_last(const struct bench *b, canid_t id)
{
	size_t i = b->n_trace;

	while (i-- > 0) {
		if (b->trace[i].frame.can_id == id)
			return &b->trace[i];
	}
	return NULL;
}

size_t bench_at(const struct bench *b, const struct bench_record *r)
{
	return (size_t)(r - b->trace);
}

void bench_intervals(const struct bench *b, canid_t id, int64_t from_us, int64_t to_us, int64_t *min_us,
		     int64_t *max_us)
{
	int64_t last = -1;
	size_t i;

	*min_us = *max_us = 0;
	for (i = 0; i < b->n_trace; i++) {
		const struct bench_record *r = &b->trace[i];

		if (r->frame.can_id != id || r->time_us < from_us || r->time_us > to_us)
			continue;
		if (last >= 0) {
			if (*max_us == 0 || r->time_us - last < *min_us)
				*min_us = r->time_us - last;
			if (r->time_us - last > *max_us)
				*max_us = r->time_us - last;
		}
		last = r->time_us;
	}
}
