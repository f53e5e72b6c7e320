/* SPDX-License-Identifier: MIT */
/* The gateway's wake-ups, its own control socket, start and end. */
#include "gateways/mqtt_gw_bridge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <forecourt/units.h>

#include "lib/can/can_bus.h"
#include "lib/core/ctl.h"

#define EPOLL_EVENTS 16
/*
 * From a stop to the end of the connection, whatever is still to be said; then for the thread, which may be
 * stuck.
 */
#define STOP_US	 (2 * INT64_C(1000000))
#define LEAVE_US (MQTT_GW_LINK_STOP_US + INT64_C(500000))

const char *mqtt_gw_point_name(const struct mqtt_gw *g, uint32_t i)
{
	return g->conf->point[g->bridge.point[i].number];
}

/* --- wake-ups ------------------------------------------------------------------------------------------- */

static void set_wall_clock(struct mqtt_gw *g, int64_t now_us)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	g->bridge.wall_offset_us = (int64_t)t.tv_sec * FC_US_PER_S + t.tv_nsec / 1000 - now_us;
	g->ledger.wall_offset_us = g->bridge.wall_offset_us;
}

static void rx(void *self, int64_t now_us, const struct can_frame *frame, struct out_queue *out)
{
	struct mqtt_gw *g = self;

	(void)out;
	if (frame->can_id & CAN_ERR_FLAG)
		return; /* the runner has logged it */
	set_wall_clock(g, now_us);
	gate_bridge_rx(&g->bridge, now_us, frame);
	g->is_due = true;
}

static void work_on_stop(struct mqtt_gw *g, int64_t now_us)
{
	bool is_late = now_us >= g->stop_by_us;

	if (!g->is_stopping || g->pub.is_over)
		return;
	if (g->is_leaving) {
		g->pub.is_over = is_late; /* it waits for a name server, and is left behind */
	} else if (is_late || !g->pub.is_up || (g->pub.is_goodbye_said && g->pub.n_own_flying == 0)) {
		g->is_leaving = true;
		g->stop_by_us = now_us + LEAVE_US;
		mqtt_gw_link_stop(&g->link);
	}
}

static void tick(void *self, int64_t now_us, struct out_queue *out)
{
	struct mqtt_gw *g = self;

	g->is_due = false;
	set_wall_clock(g, now_us);
	mqtt_gw_publish_take(g, now_us);
	gate_bridge_tick(&g->bridge, now_us);
	if (!g->is_stopping)
		mqtt_gw_operator_work(g, now_us);
	gate_bridge_send(&g->bridge, out);
	mqtt_gw_publish_send(g, now_us);
	work_on_stop(g, now_us);
}

static int64_t next_us(const void *self)
{
	const struct mqtt_gw *g = self;
	int64_t at_us = gate_bridge_next_us(&g->bridge);

	if (g->is_due)
		return 0;
	if (g->is_stopping)
		return fc_min_i64(at_us, g->pub.is_over ? FC_NEVER : g->stop_by_us);
	return fc_min_i64(at_us, mqtt_gw_operator_next_us(g));
}

static size_t filters(const void *self, struct can_filter *f, size_t n)
{
	const struct mqtt_gw *g = self;
	uint32_t parts = g->conf->role == GATE_SITE ? GATE_GRANT_PARTS : GATE_REPORT_PARTS;
	size_t k = 0;
	uint32_t i;
	unsigned part;

	for (i = 0; i < g->bridge.n_points; i++)
		for (part = 0; part < GATE_N_PARTS; part++)
			if (parts & GATE_PART(part) && k < n)
				f[k++] = can_filter_exact(site_layouts[SITE_V1][part].id |
							  (canid_t)g->bridge.point[i].number
								  << MSG_INDEX_SHIFT);
	return k;
}

static void stop(void *self, int64_t now_us, struct out_queue *out)
{
	struct mqtt_gw *g = self;

	(void)out;
	g->is_stopping = true;
	g->is_due = true;
	g->stop_by_us = now_us + STOP_US;
}

static bool is_stopped(const void *self)
{
	const struct mqtt_gw *g = self;

	return g->is_stopping && g->pub.is_over;
}

int mqtt_gw_fd(const struct mqtt_gw *g)
{
	return g->epoll_fd;
}

void mqtt_gw_io(struct mqtt_gw *g, int64_t now_us)
{
	struct epoll_event events[EPOLL_EVENTS];

	(void)now_us;
	/*
	 * Who it was does not matter: a tick looks at all of them, and each is quiet when it has been read.
	 */
	if (epoll_wait(g->epoll_fd, events, EPOLL_EVENTS, 0) > 0)
		g->is_due = true;
}

/* --- requests ------------------------------------------------------------------------------------------- */

static void put_link(struct mqtt_gw *g, struct ctl_answer *a)
{
	const struct gate_broker *b = &g->conf->brokers[g->pub.broker];

	ctl_put(a, "role", "%s", g->conf->role == GATE_SITE ? "site" : "point");
	ctl_put(a, "gateway", "%s", g->conf->name);
	ctl_put(a, "topics", "%s", g->conf->base);
	ctl_put(a, "connected", "%d", g->pub.is_up);
	ctl_put(a, "broker", "%s", g->pub.is_up ? b->host : "none");
	ctl_put(a, "tls", "%d", g->pub.is_up && b->is_tls);
	ctl_put(a, "not_connected_because", "%s", g->pub.is_up ? "" : g->pub.reason);
	ctl_put(a, "attempts_failed", "%u", g->pub.n_downs);
	ctl_put(a, "n_connections", "%llu", (unsigned long long)g->pub.n_connections);
}

static void put_counts(struct mqtt_gw *g, struct ctl_answer *a)
{
	const struct gate_counts *c = &g->bridge.count;
	const struct {
		const char *name;
		uint64_t n;
	} count[] = {
		{"n_up", c->n_up},
		{"n_up_overtaken", c->n_up_overtaken},
		{"n_up_void", c->n_up_void},
		{"n_down", c->n_down},
		{"n_down_overtaken", c->n_down_overtaken},
		{"n_down_late", c->n_down_late},
		{"n_frames_bad", c->n_frames_bad},
		{"n_messages", g->pub.n_messages},
		{"n_messages_refused", g->pub.n_refused},
		{"n_messages_retained", g->pub.n_retained},
		{"n_messages_foreign", g->pub.n_foreign},
		{"n_messages_lost", mqtt_gw_link_lost(&g->link)},
		{"n_keys_unknown", g->pub.n_keys_unknown},
		{"n_states", c->n_changes},
		{"n_states_acked", g->changes.n_acked},
		{"n_states_waiting", g->changes.n_waiting},
		{"n_states_again", g->changes.n_again},
		{"n_states_dropped", g->changes.n_dropped},
		{"n_events_waiting", g->events.n_waiting},
		{"n_events_dropped", g->events.n_dropped},
		{"n_answers_waiting", g->answers.n_waiting},
		{"n_answers_dropped", g->answers.n_dropped},
		{"n_commands", g->ledger.n_taken},
		{"n_commands_repeated", g->ledger.n_repeated},
		{"n_commands_refused", g->ledger.n_refused},
		{"n_commands_confirmed", g->ledger.n_ended[GATE_CONFIRMED]},
		{"n_commands_expired", g->ledger.n_ended[GATE_EXPIRED]},
	};
	size_t i;

	for (i = 0; i < sizeof(count) / sizeof(count[0]); i++)
		ctl_put(a, count[i].name, "%llu", (unsigned long long)count[i].n);
}

static void put_tariff(const struct mqtt_gw *g, uint32_t i, int64_t now_us, struct ctl_answer *a)
{
	const struct mqtt_gw_operated *o = &g->operated[i];
	int64_t utc_s = (now_us + g->bridge.wall_offset_us) / FC_US_PER_S;
	int64_t next_s = gate_tariff_next_s(&g->tariff, mqtt_gw_point_name(g, i), utc_s);
	char key[40];

	snprintf(key, sizeof(key), "%u.tariff", g->bridge.point[i].number);
	ctl_put(a, key, "%s", o->is_open == 1 ? "open" : "closed");
	snprintf(key, sizeof(key), "%u.tariff_changes_in_s", g->bridge.point[i].number);
	if (next_s != GATE_TARIFF_NO_END)
		ctl_put(a, key, "%lld", (long long)(next_s - utc_s));
}

static void put_points(const struct mqtt_gw *g, int64_t now_us, struct ctl_answer *a)
{
	uint32_t i;

	for (i = 0; i < g->bridge.n_points; i++) {
		const struct gate_point *p = &g->bridge.point[i];
		const char *state = gate_state_name(p->state.reported);
		char key[40];

		snprintf(key, sizeof(key), "%u.name", p->number);
		ctl_put(a, key, "%s", mqtt_gw_point_name(g, i));
		if (g->conf->role == GATE_SITE)
			continue;
		snprintf(key, sizeof(key), "%u.state", p->number);
		ctl_put(a, key, "%s", state ? state : "unnamed");
		snprintf(key, sizeof(key), "%u.controller", p->number);
		ctl_put(a, key, "%s", p->state.controller[0] ? p->state.controller : "none");
		if (g->operated[i].has_tariff)
			put_tariff(g, i, now_us, a);
	}
}

static int command(void *self, int64_t now_us, const char *line, char *answer, size_t size,
		   struct out_queue *out)
{
	struct mqtt_gw *g = self;
	struct ctl_answer a;
	struct ctl_words w;

	(void)out;
	ctl_answer_init(&a, answer, size);
	if (ctl_split(line, &w))
		return ctl_refuse(&a, -E2BIG, "request too long");
	if (ctl_word_is(&w, 0, "get"))
		return ctl_get(&w, 1, mqtt_gw_conf_table, mqtt_gw_conf_n, g->conf, &a);
	if (!ctl_word_is(&w, 0, "status"))
		return ctl_refuse(&a, -ENOENT, "unknown request; known: status get");
	put_link(g, &a);
	put_counts(g, &a);
	put_points(g, now_us, &a);
	return 0;
}

const struct machine_ops mqtt_gw_ops = {
	.rx = rx,
	.tick = tick,
	.next_us = next_us,
	.filters = filters,
	.stop = stop,
	.is_stopped = is_stopped,
	.command = command,
};

/* --- start and end -------------------------------------------------------------------------------------- */

size_t mqtt_gw_changes_bytes(const struct mqtt_gw_conf *conf)
{
	return gate_queue_bytes((uint32_t)conf->state_entries, sizeof(struct gate_change));
}

size_t mqtt_gw_events_bytes(const struct mqtt_gw_conf *conf)
{
	return gate_queue_bytes((uint32_t)conf->log_entries, sizeof(struct gate_event));
}

size_t mqtt_gw_answers_bytes(void)
{
	return gate_queue_bytes(MQTT_GW_ANSWERS, sizeof(struct gate_answer));
}

static void init_cores(struct mqtt_gw *g, const struct mqtt_gw_memory *memory)
{
	const struct mqtt_gw_conf *conf = g->conf;
	unsigned i;

	gate_queue_init(&g->changes, memory->changes, (uint32_t)conf->state_entries,
			sizeof(struct gate_change));
	gate_queue_init(&g->events, memory->events, (uint32_t)conf->log_entries, sizeof(struct gate_event));
	gate_queue_init(&g->answers, memory->answers, MQTT_GW_ANSWERS, sizeof(struct gate_answer));
	gate_bridge_init(&g->bridge, (enum gate_role)conf->role,
			 (int64_t)conf->report_timeout_ms * FC_US_PER_MS);
	for (i = 1; i < MQTT_GW_NUMBERS; i++)
		if (conf->point[i][0])
			gate_bridge_add(&g->bridge, (uint8_t)i);
	g->bridge.changes = conf->role == GATE_POINT ? &g->changes : NULL;
	g->bridge.events = &g->events;
	gate_ledger_init(&g->ledger, &g->answers, (int64_t)conf->execute_timeout_ms * FC_US_PER_MS,
			 (int64_t)conf->confirm_timeout_ms * FC_US_PER_MS);
}

int mqtt_gw_init(struct mqtt_gw *g, const struct mqtt_gw_conf *conf, const struct mqtt_gw_memory *memory,
		 const struct log_sink *sink, int64_t now_us, char *err, size_t err_size)
{
	struct epoll_event watch = {.events = EPOLLIN};
	int r;

	memset(g, 0, sizeof(*g));
	g->conf = conf;
	g->stop_by_us = FC_NEVER;
	log_init(&g->log, sink, "gw");
	init_cores(g, memory);
	set_wall_clock(g, now_us);
	g->from = (struct mqtt_gw_json_from){.gateway = conf->name,
					     .boot_ms = (now_us + g->bridge.wall_offset_us) / FC_US_PER_MS};
	g->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (g->epoll_fd < 0) {
		r = -errno;
		snprintf(err, err_size, "epoll: %s", strerror(-r));
		return r;
	}
	mqtt_gw_operator_init(g, now_us);
	r = mqtt_gw_publish_init(g, err, err_size);
	if (r)
		return r;
	if (epoll_ctl(g->epoll_fd, EPOLL_CTL_ADD, mqtt_gw_link_fd(&g->link), &watch)) {
		r = -errno;
		snprintf(err, err_size, "epoll: %s", strerror(-r));
	}
	return r;
}

void mqtt_gw_fini(struct mqtt_gw *g)
{
	if (!g->conf)
		return;
	mqtt_gw_link_close(&g->link);
	mqtt_gw_operator_fini(g);
	if (g->epoll_fd >= 0)
		close(g->epoll_fd);
}
