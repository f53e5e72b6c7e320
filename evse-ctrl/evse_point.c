/* SPDX-License-Identifier: MIT */
/* Glue between a charge point's session and its power driver. Pure. */
#include "evse-ctrl/evse_point.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A set point changes readings, which may change the set point; two rounds settle everything we know of. */
#define MAX_ROUNDS 4

static void host_log(void *ctx, int32_t level, const char *text)
{
	struct evse_point *p = ctx;

	log_f(&p->session.log, level <= 3 ? LOG_ERR_LEVEL : (enum log_level)level, "driver: %s", text);
}

static int32_t host_send(void *ctx, uint32_t bus, const struct can_frame *frame)
{
	struct evse_point *p = ctx;

	if (!p->out || bus > 1 || (bus == 1 && p->bus_base == 0))
		return -EINVAL;
	return out_queue_frame(p->out, bus == 1 ? p->bus_base : 0, frame) ? 0 : -ENOBUFS;
}

static void read_driver(struct evse_point *p, int64_t now_us)
{
	struct evse_input in;

	memset(&in, 0, sizeof(in));
	in.status.size = sizeof(in.status);
	in.caps.size = sizeof(in.caps);
	p->ops->caps(p->driver_state, &in.caps);
	p->ops->status(p->driver_state, now_us, &in.status);
	evse_session_input(&p->session, now_us, &in, &p->inner);
}

/* Performs the session's items in order; true when the driver got a set point. */
static bool perform(struct evse_point *p, int64_t now_us, struct out_queue *out)
{
	bool has_set = false;
	uint32_t i;

	for (i = 0; i < p->inner.n; i++) {
		const struct out_item *item = &p->inner.item[i];

		switch (item->kind) {
		case OUT_FRAME:
			out_queue_frame(out, item->bus, &item->u.frame);
			break;
		case OUT_SETPOINT:
			p->ops->set(p->driver_state, now_us, &item->u.setpoint);
			has_set = true;
			break;
		case OUT_COMMAND:
			break;
		}
	}
	out_queue_clear(&p->inner);
	return has_set;
}

void evse_point_settle(struct evse_point *p, int64_t now_us, struct out_queue *out)
{
	unsigned round;

	p->out = out;
	for (round = 0; round < MAX_ROUNDS && p->inner.n; round++) {
		if (perform(p, now_us, out))
			read_driver(p, now_us);
	}
	perform(p, now_us, out);
	p->out = NULL;
}

int evse_point_init(struct evse_point *p, const struct evse_point_setup *setup, int64_t now_us, char *err,
		    size_t err_size)
{
	int ret;

	memset(p, 0, sizeof(*p));
	out_queue_init(&p->inner);
	ret = evse_session_init(&p->session, setup->conf, setup->index, setup->sink, now_us);
	if (ret) {
		snprintf(err, err_size, "pistol index %u is not in 1..15", setup->index);
		return ret;
	}
	evse_session_join_site(&p->session, setup->first_number, now_us);
	p->driver = setup->driver;
	p->ops = setup->ops;
	p->driver_state = setup->driver_state;
	p->host.size = sizeof(p->host);
	p->host.index = setup->index;
	p->host.ctx = p;
	p->host.log = host_log;
	p->host.send = host_send;
	ret = p->ops->init(p->driver_state, &p->host, setup->kv, setup->n_kv, now_us, err,
			   (uint32_t)err_size);
	if (ret)
		return ret;
	if (p->ops->filters)
		p->n_driver_filters =
			p->ops->filters(p->driver_state, 0, p->driver_filter, EVSE_POINT_DRIVER_FILTERS);
	return 0;
}

void evse_point_fini(struct evse_point *p)
{
	if (p->ops && p->ops->fini)
		p->ops->fini(p->driver_state);
}

static bool is_for_driver(const struct evse_point *p, canid_t id)
{
	uint32_t i;

	for (i = 0; i < p->n_driver_filters; i++) {
		if ((id & p->driver_filter[i].can_mask) ==
		    (p->driver_filter[i].can_id & p->driver_filter[i].can_mask))
			return true;
	}
	return false;
}

void evse_point_rx(struct evse_point *p, int64_t now_us, const struct can_frame *f, struct out_queue *out)
{
	p->out = out;
	if (p->ops->rx && is_for_driver(p, f->can_id)) {
		p->ops->rx(p->driver_state, now_us, 0, f);
		read_driver(p, now_us);
	} else {
		evse_session_rx(&p->session, now_us, f, &p->inner);
	}
	evse_point_settle(p, now_us, out);
}

void evse_point_driver_rx(struct evse_point *p, int64_t now_us, uint32_t bus, const struct can_frame *f,
			  struct out_queue *out)
{
	p->out = out;
	if (p->ops->rx)
		p->ops->rx(p->driver_state, now_us, bus, f);
	read_driver(p, now_us);
	evse_point_settle(p, now_us, out);
}

void evse_point_site_rx(struct evse_point *p, int64_t now_us, const struct can_frame *f,
			struct out_queue *out)
{
	p->out = out;
	evse_site_rx(&p->session, now_us, f, &p->inner);
	evse_point_settle(p, now_us, out);
}

void evse_point_driver_io(struct evse_point *p, int64_t now_us, struct out_queue *out)
{
	p->out = out;
	if (p->ops->io)
		p->ops->io(p->driver_state, now_us);
	read_driver(p, now_us);
	evse_point_settle(p, now_us, out);
}

void evse_point_tick(struct evse_point *p, int64_t now_us, struct out_queue *out)
{
	p->out = out;
	if (p->ops->tick && p->ops->next_us && now_us >= p->ops->next_us(p->driver_state))
		p->ops->tick(p->driver_state, now_us);
	read_driver(p, now_us);
	evse_session_tick(&p->session, now_us, &p->inner);
	evse_point_settle(p, now_us, out);
}

int64_t evse_point_next_us(const struct evse_point *p)
{
	int64_t next = evse_session_next_us(&p->session);

	if (p->ops->next_us && !evse_session_is_stopped(&p->session))
		next = fc_min_i64(next, p->ops->next_us(p->driver_state));
	return next;
}

size_t evse_point_filters(const struct evse_point *p, struct can_filter *f, size_t n)
{
	size_t used = evse_wire_filters(&p->session.wire, f, n);
	uint32_t i;

	if (p->session.site.bus == 0)
		used += evse_session_site_filters(&p->session, f + used, n - used);
	for (i = 0; i < p->n_driver_filters && used < n; i++)
		f[used++] = p->driver_filter[i];
	return used;
}
