/* SPDX-License-Identifier: MIT */
/* Glue between the vehicle's session and its driver. Pure. */
#include "pev-ctrl/pev_point.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pev-ctrl/pev_ctl.h"

/* A command changes readings, which may change the command; two rounds settle all we know of. */
#define MAX_ROUNDS 4

static void host_log(void *ctx, int32_t level, const char *text)
{
	const struct pev_point *p = ctx;

	log_f(&p->session.log, level <= LOG_ERR_LEVEL ? LOG_ERR_LEVEL : (enum log_level)level, "driver: %s",
	      text);
}

static int32_t host_send(void *ctx, uint32_t bus, const struct can_frame *frame)
{
	struct pev_point *p = ctx;

	if (!p->out)
		return -EAGAIN;
	return pev_guard_driver_frame(&p->session.guard, bus, frame, p->out) ? 0 : -EINVAL;
}

/* What a driver of an older contract does not fill says "not known". */
static void read_driver(struct pev_point *p, int64_t now_us, struct out_queue *out)
{
	struct vh_status st;

	memset(&st, 0, sizeof(st));
	st.size = sizeof(st);
	st.is_closed = -1;
	st.t_vi_us = FC_NEVER;
	st.t_closed_us = FC_NEVER;
	st.t_bms_us = FC_NEVER;
	st.temp_mdegC = INT32_MIN;
	st.energy_target_Wh = st.energy_max_Wh = st.energy_min_Wh = -1;
	st.v2x_min_Wh = st.v2x_max_Wh = -1;
	st.departure_s = -1;
	p->ops->status(p->driver_state, now_us, &st);
	pev_session_input(&p->session, now_us, &st, out);
}

/* Hands the commands from item `first` on to the driver and takes them out of the queue. True: one was new. */
static bool perform(struct pev_point *p, int64_t now_us, struct out_queue *out, uint32_t first)
{
	uint32_t i, kept = first;
	bool is_new = false;

	for (i = first; i < out->n; i++) {
		if (out->item[i].kind != OUT_COMMAND) {
			if (kept != i)
				out->item[kept] = out->item[i];
			kept++;
			continue;
		}
		is_new |= out->item[i].u.command.is_closed != p->given.is_closed ||
			  out->item[i].u.command.is_urgent != p->given.is_urgent ||
			  out->item[i].u.command.clear_fault != p->given.clear_fault;
		p->given = out->item[i].u.command;
		p->ops->set(p->driver_state, now_us, &p->given);
	}
	out->n = kept;
	return is_new;
}

static void settle(struct pev_point *p, int64_t now_us, struct out_queue *out, uint32_t first)
{
	unsigned round;

	for (round = 0; round < MAX_ROUNDS && perform(p, now_us, out, first); round++)
		read_driver(p, now_us, out);
	perform(p, now_us, out, first);
	p->out = NULL;
}

int pev_point_init(struct pev_point *p, const struct pev_point_setup *setup, int64_t now_us, char *err,
		   size_t err_size)
{
	struct vh_caps caps;
	int ret;

	memset(p, 0, sizeof(*p));
	p->host.size = sizeof(p->host);
	p->host.ctx = p;
	p->host.log = host_log;
	p->host.send = host_send;
	log_init(&p->session.log, setup->sink, "pev");
	ret = setup->ops->init(setup->driver_state, &p->host, setup->kv, setup->n_kv, now_us, err,
			       (uint32_t)err_size);
	if (ret)
		return ret;
	p->driver = setup->driver;
	p->ops = setup->ops;
	p->driver_state = setup->driver_state;
	memset(&caps, 0, sizeof(caps));
	caps.size = sizeof(caps);
	p->ops->caps(p->driver_state, &caps);
	if (p->ops->filters)
		p->n_driver_filters =
			p->ops->filters(p->driver_state, 0, p->driver_filter, PEV_POINT_DRIVER_FILTERS);
	return pev_session_init(&p->session, setup->conf, &caps, setup->sink, now_us, err, err_size);
}

void pev_point_fini(struct pev_point *p)
{
	if (p->driver_state && p->ops->fini)
		p->ops->fini(p->driver_state);
	p->driver_state = NULL;
}

static bool is_for_driver(const struct pev_point *p, canid_t id)
{
	uint32_t i;

	if (!p->ops->rx || (id & CAN_ERR_FLAG))
		return false;
	for (i = 0; i < p->n_driver_filters; i++)
		if ((id & p->driver_filter[i].can_mask) ==
		    (p->driver_filter[i].can_id & p->driver_filter[i].can_mask))
			return true;
	return false;
}

static void point_rx(void *self, int64_t now_us, const struct can_frame *f, struct out_queue *out)
{
	struct pev_point *p = self;
	uint32_t first = out->n;

	p->out = out;
	if (is_for_driver(p, f->can_id)) {
		p->ops->rx(p->driver_state, now_us, 0, f);
		read_driver(p, now_us, out);
	} else {
		/* A decision is near: it shall have readings of this moment. */
		if (pev_wire_is_new(&p->session.wire, f))
			read_driver(p, now_us, out);
		pev_session_rx(&p->session, now_us, f, out);
	}
	settle(p, now_us, out, first);
}

static void point_tick(void *self, int64_t now_us, struct out_queue *out)
{
	struct pev_point *p = self;
	uint32_t first = out->n;

	if (pev_session_is_stopped(&p->session))
		return;
	p->out = out;
	if (p->ops->tick && p->ops->next_us && now_us >= p->ops->next_us(p->driver_state))
		p->ops->tick(p->driver_state, now_us);
	read_driver(p, now_us, out);
	pev_session_tick(&p->session, now_us, out);
	settle(p, now_us, out, first);
}

static int64_t point_next_us(const void *self)
{
	const struct pev_point *p = self;
	int64_t next = pev_session_next_us(&p->session);

	if (p->ops->next_us && !pev_session_is_stopped(&p->session))
		next = fc_min_i64(next, p->ops->next_us(p->driver_state));
	return next;
}

static size_t point_filters(const void *self, struct can_filter *f, size_t n)
{
	const struct pev_point *p = self;
	size_t used = pev_wire_filters(&p->session.wire, f, n);
	uint32_t i;

	for (i = 0; i < p->n_driver_filters && used < n; i++)
		f[used++] = p->driver_filter[i];
	return used;
}

static void point_stop(void *self, int64_t now_us, struct out_queue *out)
{
	struct pev_point *p = self;
	uint32_t first = out->n;

	p->out = out;
	read_driver(p, now_us, out);
	pev_session_stop(&p->session, now_us, out);
	settle(p, now_us, out, first);
}

static bool point_is_stopped(const void *self)
{
	const struct pev_point *p = self;

	return pev_session_is_stopped(&p->session);
}

static int point_command(void *self, int64_t now_us, const char *line, char *answer, size_t size,
			 struct out_queue *out)
{
	struct pev_point *p = self;
	uint32_t first = out->n;
	int ret;

	p->out = out;
	read_driver(p, now_us, out);
	ret = pev_ctl_command(p, now_us, line, answer, size, out);
	settle(p, now_us, out, first);
	return ret;
}

static const struct machine_ops ops = {
	.rx = point_rx,
	.tick = point_tick,
	.next_us = point_next_us,
	.filters = point_filters,
	.stop = point_stop,
	.is_stopped = point_is_stopped,
	.command = point_command,
};

struct machine pev_point_machine(struct pev_point *p)
{
	struct machine m = {&ops, p, "pev-ctrl"};

	return m;
}

void pev_point_driver_rx(void *self, int64_t now_us, uint32_t bus, const struct can_frame *f,
			 struct out_queue *out)
{
	struct pev_point *p = self;
	uint32_t first = out->n;

	if (!p->ops->rx)
		return;
	p->out = out;
	p->ops->rx(p->driver_state, now_us, bus, f);
	read_driver(p, now_us, out);
	settle(p, now_us, out, first);
}

void pev_point_driver_io(void *self, int64_t now_us, struct out_queue *out)
{
	struct pev_point *p = self;
	uint32_t first = out->n;

	if (!p->ops->io)
		return;
	p->out = out;
	p->ops->io(p->driver_state, now_us);
	read_driver(p, now_us, out);
	settle(p, now_us, out, first);
}
