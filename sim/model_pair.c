/* SPDX-License-Identifier: MIT */
/* A virtual module and the model of its peer as one machine. Pure. */
#include "sim/model_pair.h"

#include <string.h>

#include <forecourt/units.h>

/* Answers to answers end because every machine leaves a pause after an answer; this is the net under it. */
#define MAX_ROUNDS 64

static void hand_over(const struct machine *to, int64_t now_us, uint32_t begin, uint32_t end,
		      struct out_queue *out)
{
	uint32_t i;

	for (i = begin; i < end; i++) {
		struct can_frame frame;

		if (out->item[i].kind != OUT_FRAME || out->item[i].bus != 0)
			continue;
		frame = out->item[i].u.frame;
		to->ops->rx(to->self, now_us, &frame, out);
	}
}

/* Items from `begin` on were queued by the first machine (or the second): hand them over until all is quiet. */
static void exchange(const struct model_pair *p, int64_t now_us, uint32_t begin, bool is_first,
		     struct out_queue *out)
{
	unsigned round;

	for (round = 0; round < MAX_ROUNDS && begin < out->n; round++) {
		uint32_t end = out->n;

		hand_over(is_first ? &p->second : &p->first, now_us, begin, end, out);
		begin = end;
		is_first = !is_first;
	}
}

static void rx(void *self, int64_t now_us, const struct can_frame *f, struct out_queue *out)
{
	struct model_pair *p = self;
	uint32_t begin = out->n;

	p->first.ops->rx(p->first.self, now_us, f, out);
	exchange(p, now_us, begin, true, out);
	begin = out->n;
	p->second.ops->rx(p->second.self, now_us, f, out);
	exchange(p, now_us, begin, false, out);
}

static void tick(void *self, int64_t now_us, struct out_queue *out)
{
	struct model_pair *p = self;
	uint32_t begin = out->n;

	if (p->first.ops->next_us(p->first.self) <= now_us)
		p->first.ops->tick(p->first.self, now_us, out);
	exchange(p, now_us, begin, true, out);
	begin = out->n;
	if (p->second.ops->next_us(p->second.self) <= now_us)
		p->second.ops->tick(p->second.self, now_us, out);
	exchange(p, now_us, begin, false, out);
}

static int64_t next_us(const void *self)
{
	const struct model_pair *p = self;

	return fc_min_i64(p->first.ops->next_us(p->first.self), p->second.ops->next_us(p->second.self));
}

static size_t filters(const void *self, struct can_filter *f, size_t n)
{
	const struct model_pair *p = self;
	size_t used = p->first.ops->filters(p->first.self, f, n);

	return used + p->second.ops->filters(p->second.self, f + used, n - used);
}

static void stop(void *self, int64_t now_us, struct out_queue *out)
{
	struct model_pair *p = self;
	uint32_t begin = out->n;

	p->first.ops->stop(p->first.self, now_us, out);
	exchange(p, now_us, begin, true, out);
}

static bool is_stopped(const void *self)
{
	const struct model_pair *p = self;

	return p->first.ops->is_stopped(p->first.self);
}

static bool is_word(const char *line, const char *word)
{
	size_t n = strlen(word);

	return strncmp(line, word, n) == 0 && (line[n] == '\0' || line[n] == ' ');
}

static int command(void *self, int64_t now_us, const char *line, char *answer, size_t size,
		   struct out_queue *out)
{
	struct model_pair *p = self;
	const struct machine *to = &p->first;
	uint32_t begin = out->n;
	unsigned i;
	int r;

	while (*line == ' ')
		line++;
	if (is_word(line, p->second.name)) {
		to = &p->second;
		for (line += strlen(p->second.name); *line == ' '; line++)
			;
	}
	for (i = 0; p->second_words[i] && to == &p->first; i++) {
		if (is_word(line, p->second_words[i]))
			to = &p->second;
	}
	r = to->ops->command(to->self, now_us, line, answer, size, out);
	exchange(p, now_us, begin, to == &p->first, out);
	return r;
}

struct machine model_pair_machine(struct model_pair *p)
{
	static const struct machine_ops ops = {
		.rx = rx,
		.tick = tick,
		.next_us = next_us,
		.filters = filters,
		.stop = stop,
		.is_stopped = is_stopped,
		.command = command,
	};
	struct machine m = {.ops = &ops, .self = p, .name = p->first.name};

	return m;
}
