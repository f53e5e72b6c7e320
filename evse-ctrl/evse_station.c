/* SPDX-License-Identifier: MIT */
/* Several charge points as one machine. Pure. */
#include "evse-ctrl/evse_station.h"

#include <string.h>

void evse_station_init(struct evse_station *st)
{
	memset(st, 0, sizeof(*st));
}

void evse_station_add(struct evse_station *st, struct evse_point *p)
{
	unsigned index = p->session.wire.index;

	st->point[index] = p;
	st->next_us[index] = evse_point_next_us(p);
	st->used[st->n_points++] = (uint8_t)index;
}

static void rx_point(struct evse_station *st, unsigned index, int64_t now_us, const struct can_frame *f,
		     struct out_queue *out)
{
	evse_point_rx(st->point[index], now_us, f, out);
	st->next_us[index] = evse_point_next_us(st->point[index]);
}

static void station_rx(void *self, int64_t now_us, const struct can_frame *f, struct out_queue *out)
{
	struct evse_station *st = self;
	unsigned index = (f->can_id >> MSG_INDEX_SHIFT) & 0x1F;
	unsigned i;

	if (f->can_id & CAN_ERR_FLAG) { /* the bus itself: concerns every point */
		for (i = 0; i < st->n_points; i++)
			rx_point(st, st->used[i], now_us, f, out);
		return;
	}
	if ((f->can_id & CAN_EFF_FLAG) && index <= EVSE_INDEX_MAX && st->point[index])
		rx_point(st, index, now_us, f, out);
}

void evse_station_site_rx(struct evse_station *st, int64_t now_us, const struct can_frame *f,
			  struct out_queue *out)
{
	unsigned index = msg_index(f->can_id);

	if (index > EVSE_INDEX_MAX || !st->point[index])
		return;
	evse_point_site_rx(st->point[index], now_us, f, out);
	st->next_us[index] = evse_point_next_us(st->point[index]);
}

static void station_tick(void *self, int64_t now_us, struct out_queue *out)
{
	struct evse_station *st = self;
	unsigned i;

	for (i = 0; i < st->n_points; i++) {
		unsigned index = st->used[i];

		if (now_us < st->next_us[index])
			continue;
		evse_point_tick(st->point[index], now_us, out);
		st->next_us[index] = evse_point_next_us(st->point[index]);
	}
}

static int64_t station_next_us(const void *self)
{
	const struct evse_station *st = self;
	int64_t next = FC_NEVER;
	unsigned i;

	for (i = 0; i < st->n_points; i++)
		next = fc_min_i64(next, st->next_us[st->used[i]]);
	return next;
}

static size_t station_filters(const void *self, struct can_filter *f, size_t n)
{
	const struct evse_station *st = self;
	size_t used = 0;
	unsigned i;

	for (i = 0; i < st->n_points; i++)
		used += evse_point_filters(st->point[st->used[i]], f + used, n - used);
	return used;
}

static void station_stop(void *self, int64_t now_us, struct out_queue *out)
{
	struct evse_station *st = self;
	unsigned i;

	for (i = 0; i < st->n_points; i++) {
		unsigned index = st->used[i];

		evse_session_stop(&st->point[index]->session, now_us, &st->point[index]->inner);
		evse_point_settle(st->point[index], now_us, out);
		st->next_us[index] = evse_point_next_us(st->point[index]);
	}
}

static bool station_is_stopped(const void *self)
{
	const struct evse_station *st = self;
	unsigned i;

	for (i = 0; i < st->n_points; i++) {
		if (!evse_session_is_stopped(&st->point[st->used[i]]->session))
			return false;
	}
	return true;
}

const struct machine_ops evse_station_ops = {
	.rx = station_rx,
	.tick = station_tick,
	.next_us = station_next_us,
	.filters = station_filters,
	.stop = station_stop,
	.is_stopped = station_is_stopped,
	.command = evse_ctl_command,
};
