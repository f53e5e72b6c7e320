/* SPDX-License-Identifier: MIT */
/* The site's bus of a simulated site. Pure. */
#include "sim/sim_run_site_link.h"

#include <errno.h>
#include <string.h>

#include <forecourt/units.h>

#include "dbc/msg_map.h"

#define PPM 1000000u

void site_link_init(struct site_link *l, uint64_t seed, uint32_t loss_ppm, int64_t delay_us)
{
	memset(l, 0, sizeof(*l));
	l->random = seed;
	l->loss_ppm = loss_ppm;
	l->delay_us = delay_us;
}

/* splitmix64 */
static uint64_t dice(struct site_link *l)
{
	uint64_t z = l->random += 0x9E3779B97F4A7C15u;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

static bool is_before(const struct site_link_frame *a, const struct site_link_frame *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : a->seq < b->seq;
}

static void swap(struct site_link *l, uint32_t a, uint32_t b)
{
	struct site_link_frame f = l->frame[a];

	l->frame[a] = l->frame[b];
	l->frame[b] = f;
}

void site_link_send(struct site_link *l, int64_t now_us, uint32_t from, uint32_t to,
		    const struct can_frame *f)
{
	uint32_t i = l->n;

	l->n_sent++;
	if (l->loss_ppm && dice(l) % PPM < l->loss_ppm) {
		l->n_lost++;
		return;
	}
	if (l->n == SITE_LINK_LEN) {
		l->n_full++;
		return;
	}
	l->frame[i] = (struct site_link_frame){
		.due_us = now_us + SITE_LINK_WIRE_US, .seq = l->seq++, .from = from, .to = to, .frame = *f};
	if (l->delay_us)
		l->frame[i].due_us += (int64_t)(dice(l) % (uint64_t)(l->delay_us + 1));
	l->n++;
	for (; i && is_before(&l->frame[i], &l->frame[(i - 1) / 2]); i = (i - 1) / 2)
		swap(l, i, (i - 1) / 2);
}

int64_t site_link_next_us(const struct site_link *l)
{
	return l->n ? l->frame[0].due_us : FC_NEVER;
}

void site_link_take(struct site_link *l, struct site_link_frame *f)
{
	uint32_t i = 0, child;

	*f = l->frame[0];
	l->frame[0] = l->frame[--l->n];
	for (; (child = 2 * i + 1) < l->n; i = child) {
		if (child + 1 < l->n && is_before(&l->frame[child + 1], &l->frame[child]))
			child++;
		if (!is_before(&l->frame[child], &l->frame[i]))
			break;
		swap(l, i, child);
	}
}

/* --- one end on the bus of a point --------------------------------------------------------------------------- */

static struct can_frame with_number(const struct can_frame *f, unsigned number)
{
	struct can_frame g = *f;

	g.can_id = (g.can_id & ~(canid_t)MSG_INDEX_MASK) | (canid_t)number << MSG_INDEX_SHIFT;
	return g;
}

bool site_line_put(struct site_line *l, int64_t at_us, const struct can_frame *f)
{
	uint32_t i = (l->head + l->n) % SITE_LINE_LEN;

	if (l->n == SITE_LINE_LEN) {
		l->n_full++;
		return false;
	}
	l->in[i] = with_number(f, 1);
	l->in_us[i] = at_us;
	l->n++;
	return true;
}

static void line_rx(void *self, int64_t now_us, const struct can_frame *f, struct out_queue *out)
{
	struct site_line *l = self;
	struct can_frame g;

	(void)out;
	if (!(f->can_id & CAN_EFF_FLAG) || f->can_id & (CAN_ERR_FLAG | CAN_RTR_FLAG))
		return;
	g = with_number(f, l->number);
	if (l->passed)
		l->passed(l->ctx, l->point, false, now_us, &g);
	site_link_send(l->link, now_us, l->point, SITE_LINK_TO_SITE, &g);
}

static void line_tick(void *self, int64_t now_us, struct out_queue *out)
{
	struct site_line *l = self;

	for (; l->n && l->in_us[l->head] <= now_us; l->n--) {
		out_queue_frame(out, 0, &l->in[l->head]);
		if (l->passed)
			l->passed(l->ctx, l->point, true, now_us, &l->in[l->head]);
		l->head = (l->head + 1) % SITE_LINE_LEN;
	}
}

static int64_t line_next_us(const void *self)
{
	const struct site_line *l = self;

	return l->n ? l->in_us[l->head] : FC_NEVER;
}

static size_t line_filters(const void *self, struct can_filter *f, size_t n)
{
	(void)self;
	if (n)
		f[0] = (struct can_filter){
			.can_id = SITE_LINK_ID_BLOCK | CAN_EFF_FLAG,
			.can_mask = SITE_LINK_ID_MASK | CAN_EFF_FLAG | CAN_RTR_FLAG,
		};
	return n ? 1 : 0;
}

static void line_stop(void *self, int64_t now_us, struct out_queue *out)
{
	(void)self;
	(void)now_us;
	(void)out;
}

static bool line_is_stopped(const void *self)
{
	(void)self;
	return true;
}

static int line_command(void *self, int64_t now_us, const char *line, char *answer, size_t size,
			struct out_queue *out)
{
	(void)self;
	(void)now_us;
	(void)line;
	(void)out;
	if (size)
		answer[0] = '\0';
	return -ENOENT;
}

const struct machine_ops site_line_ops = {
	.rx = line_rx,
	.tick = line_tick,
	.next_us = line_next_us,
	.filters = line_filters,
	.stop = line_stop,
	.is_stopped = line_is_stopped,
	.command = line_command,
};
