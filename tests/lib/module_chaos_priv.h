/* SPDX-License-Identifier: MIT */
/* What both halves of module_chaos share: the stream and frames made of it. */
#ifndef TESTS_MODULE_CHAOS_PRIV_H
#define TESTS_MODULE_CHAOS_PRIV_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/plug.h"
#include "tests/lib/module_chaos.h"

struct stream {
	const uint8_t *data;
	size_t size;
};

static inline void must_at(bool is_true, const char *what, int line)
{
	if (is_true)
		return;
	fprintf(stderr, "invariant at line %d: %s\n", line, what);
	abort();
}

#define must(x) must_at((x), #x, __LINE__)

static inline uint8_t take(struct stream *s)
{
	if (s->size == 0)
		return 0;
	s->size--;
	return *s->data++;
}

static inline struct can_frame of_layout(struct stream *s, const struct msg_layout *l, unsigned index,
					 uint8_t spoil)
{
	struct can_frame f = {.can_id = l->id | (canid_t)index << MSG_INDEX_SHIFT, .can_dlc = l->dlc};
	unsigned i;

	for (i = 0; i < l->dlc && i < 8; i++)
		f.data[i] = take(s);
	if (spoil == 1)
		f.can_dlc = take(s) % 9;
	if (spoil == 2)
		f.can_id ^= (canid_t)take(s) << (take(s) % 24);
	return f;
}

/* A request or answer of the charging protocol, mostly with the right tag and, where the layout has one, code OK. */
static inline struct can_frame of_v2g(struct stream *s, enum plug_msg msg, uint16_t tag, bool is_answer)
{
	uint8_t spoil = take(s);
	struct can_frame f = of_layout(s, &plug_layouts[0][msg], 1, spoil >> 6 == 3 ? spoil & 3 : 0);

	if (spoil & 31 && msg > PLUG_SUPPORTED_APP_PROTOCOL_RES) {
		f.data[0] = (uint8_t)tag;
		f.data[1] = (uint8_t)(tag >> 8);
		if (is_answer)
			f.data[2] = 0;
	}
	return f;
}

#endif
