/* SPDX-License-Identifier: MIT */
/* Many machines, one clock, one virtual bus. Pure. */
#include "sim/world.h"

#include <errno.h>
#include <string.h>

void world_init(struct world *w, const struct can_hub_cfg *bus, int64_t now_us)
{
	memset(w, 0, sizeof(*w));
	can_hub_init(&w->hub, bus, now_us);
	out_queue_init(&w->out);
	w->now_us = now_us;
}

static void attach(struct world_node *n, const struct machine *m)
{
	struct can_filter filter[MACHINE_MAX_FILTERS];
	size_t count = m->ops->filters(m->self, filter, MACHINE_MAX_FILTERS);

	n->machine = *m;
	n->is_alive = true;
	n->next_us = m->ops->next_us(m->self);
	can_bus_set_filters(n->bus, filter, count);
}

int world_add(struct world *w, const struct machine *m)
{
	struct world_node *n = &w->node[w->n_nodes];
	int number;

	if (w->n_nodes >= WORLD_MAX_MACHINES)
		return -ENOSPC;
	number = can_hub_add_node(&w->hub, &n->bus);
	if (number < 0)
		return number;
	n->bus_node = (unsigned)number;
	attach(n, m);
	return (int)w->n_nodes++;
}

void world_kill(struct world *w, unsigned node)
{
	struct world_node *n = &w->node[node];

	n->is_alive = false;
	n->next_us = FC_NEVER;
	can_bus_set_filters(n->bus, NULL, 0);
}

static void drain(struct world_node *n)
{
	struct can_rx_info info;
	struct can_frame f;

	while (can_bus_recv(n->bus, &f, &info) > 0)
		;
}

void world_restart(struct world *w, unsigned node, const struct machine *m)
{
	drain(&w->node[node]);
	attach(&w->node[node], m);
}

/* Performs what a machine queued, then asks for its next deadline. */
static void settle(struct world *w, unsigned node, struct out_queue *out)
{
	struct world_node *n = &w->node[node];
	uint32_t i;

	for (i = 0; i < out->n; i++) {
		if (out->item[i].kind != OUT_FRAME || out->item[i].bus != 0)
			continue;
		if (can_bus_send(n->bus, &out->item[i].u.frame) < 0)
			w->n_lost++;
	}
	out_queue_clear(out);
	n->next_us = n->machine.ops->next_us(n->machine.self);
	w->n_events++;
	if (w->after_event)
		w->after_event(w->ctx, w, node);
}

void world_touch(struct world *w, unsigned node, struct out_queue *out)
{
	settle(w, node, out);
}

int world_command(struct world *w, unsigned node, const char *line, char *answer, size_t size)
{
	struct machine *m = &w->node[node].machine;
	int ret = m->ops->command(m->self, w->now_us, line, answer, size, &w->out);

	settle(w, node, &w->out);
	return ret;
}

void world_stop(struct world *w, unsigned node)
{
	struct machine *m = &w->node[node].machine;

	m->ops->stop(m->self, w->now_us, &w->out);
	settle(w, node, &w->out);
}

static void receive(struct world *w, unsigned node)
{
	struct world_node *n = &w->node[node];
	struct can_rx_info info;
	struct can_frame f;

	while (can_bus_recv(n->bus, &f, &info) > 0) {
		if (!n->is_alive)
			continue;
		n->machine.ops->rx(n->machine.self, w->now_us, &f, &w->out);
		settle(w, node, &w->out);
	}
}

static void receive_all(struct world *w)
{
	uint64_t pending;

	while ((pending = can_hub_pending(&w->hub)) != 0)
		receive(w, (unsigned)__builtin_ctzll(pending));
}

/* Everything of this instant; frames before ticks, as a process handles them. */
static void run_instant(struct world *w)
{
	unsigned i;

	receive_all(w);
	for (i = 0; i < w->n_nodes; i++) {
		struct world_node *n = &w->node[i];

		if (n->next_us > w->now_us)
			continue;
		n->machine.ops->tick(n->machine.self, w->now_us, &w->out);
		settle(w, i, &w->out);
		receive_all(w);
	}
}

static int64_t next_event_us(const struct world *w)
{
	int64_t next = can_hub_next_us(&w->hub);
	unsigned i;

	if (can_hub_pending(&w->hub)) /* a frame put in from outside */
		return w->now_us;
	for (i = 0; i < w->n_nodes; i++)
		next = fc_min_i64(next, w->node[i].next_us);
	return next;
}

void world_run(struct world *w, int64_t end_us, bool (*is_done)(void *ctx), void *ctx)
{
	for (;;) {
		int64_t next = next_event_us(w);

		if (next > end_us)
			break;
		if (next > w->now_us)
			w->now_us = next;
		can_hub_advance(&w->hub, w->now_us);
		run_instant(w);
		if (is_done && is_done(ctx))
			return;
	}
	if (end_us != FC_NEVER && end_us > w->now_us) {
		w->now_us = end_us;
		can_hub_advance(&w->hub, end_us);
	}
}
