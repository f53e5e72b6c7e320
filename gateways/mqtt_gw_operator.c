/* SPDX-License-Identifier: MIT */
/* Commands and polls of the controllers, and the windows of a tariff. */
#include "gateways/mqtt_gw_bridge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <forecourt/units.h>

#define RETRY_US   FC_US_PER_S	     /* of a controller that cannot be reached */
#define WAITING_US (FC_US_PER_S / 5) /* between polls while a command waits to be confirmed */
#define TARIFF_US  FC_US_PER_S	     /* the wall clock may be set at any time */

/* --- start ---------------------------------------------------------------------------------------------- */

static int32_t local_offset_s(void *ctx, int64_t utc_s)
{
	time_t t = (time_t)utc_s;
	struct tm tm;

	(void)ctx;
	return localtime_r(&t, &tm) ? (int32_t)tm.tm_gmtoff : 0;
}

/* One client per control socket, however many points it controls. */
static struct mqtt_gw_socket *socket_of(struct mqtt_gw *g, const char *target)
{
	uint32_t i;

	for (i = 0; i < g->n_sockets; i++)
		if (strcmp(g->socket[i].evse.target, target) == 0)
			return &g->socket[i];
	mqtt_gw_evse_init(&g->socket[i].evse, target, g->epoll_fd);
	g->n_sockets++;
	return &g->socket[i];
}

void mqtt_gw_operator_init(struct mqtt_gw *g, int64_t now_us)
{
	uint32_t i;

	tzset(); /* localtime_r() need not */
	memcpy(g->tariff.window, g->conf->windows, sizeof(g->tariff.window));
	g->tariff.n_windows = g->conf->n_windows;
	g->tariff.offset_s = local_offset_s;
	g->tariff_us = g->tariff.n_windows > 0 ? now_us : FC_NEVER;
	for (i = 0; i < g->bridge.n_points; i++) {
		struct mqtt_gw_operated *o = &g->operated[i];
		const char *target = mqtt_gw_conf_evse(g->conf, g->bridge.point[i].number);

		o->poll_us = now_us;
		o->is_open = GATE_UNKNOWN;
		o->has_tariff = gate_tariff_has(&g->tariff, mqtt_gw_point_name(g, i));
		if (!target)
			continue;
		o->socket = socket_of(g, target);
		o->socket->points |= 1u << i;
	}
}

/* --- commands ------------------------------------------------------------------------------------------- */

static void forget_result(struct mqtt_gw_result *r)
{
	free(r->status);
	free(r->settings);
	r->status = r->settings = NULL;
}

static void request(struct mqtt_gw *g, int64_t now_us, const struct gate_request *r)
{
	uint32_t n_before = g->ledger.n_taken;
	int slot = gate_ledger_request(&g->ledger, now_us, r);

	if (slot < 0 || g->ledger.n_taken == n_before)
		return;
	forget_result(&g->result[slot]);
	gate_bridge_log(&g->bridge, r->point, now_us, LOG_NOTE, "command %s id=%s", gate_verb_name(r->verb),
			r->id);
	log_f(&g->log, LOG_NOTE, "command: point=%s command=%s id=%s", mqtt_gw_point_name(g, r->point),
	      gate_verb_name(r->verb), r->id);
	if (!g->operated[r->point].socket)
		gate_ledger_unsupported(&g->ledger, now_us, slot, "this point has no control socket here");
}

void mqtt_gw_operator_command(struct mqtt_gw *g, int64_t now_us, uint32_t i, const struct mqtt_gw_item *item)
{
	struct gate_request r;
	char err[GATE_REASON_MAX];

	if (mqtt_gw_json_read_command(item->payload, item->n, &r, err, sizeof(err))) {
		mqtt_gw_refuse(g, item->topic, err);
		r.point = i;
		if (r.id[0])
			gate_ledger_refuse(&g->ledger, now_us, &r, err);
		return;
	}
	r.point = i;
	request(g, now_us, &r);
	if (r.verb == GATE_LOCK)
		g->operated[i].is_locked = true;
	else if (r.verb == GATE_UNLOCK || r.verb == GATE_START)
		g->operated[i].is_locked = false;
}

static void keep_result(struct mqtt_gw *g, int slot, const char *text)
{
	struct gate_command *c = &g->ledger.command[slot];
	struct mqtt_gw_result *r = &g->result[slot];

	if (c->request.verb != GATE_GET_ALL)
		return;
	if (c->n_lines == 0) {
		forget_result(r);
		r->status = strdup(text);
	} else {
		r->settings = strdup(text);
	}
}

static void command_answered(struct mqtt_gw *g, int64_t now_us, const struct mqtt_gw_job *job,
			     enum mqtt_gw_evse_result result, const char *text)
{
	const struct gate_command *c = &g->ledger.command[job->slot];

	if (result == MQTT_GW_EVSE_OK)
		keep_result(g, job->slot, text);
	gate_ledger_answered(&g->ledger, now_us, job->slot, result == MQTT_GW_EVSE_OK,
			     result == MQTT_GW_EVSE_LOST ? "the controller went away" : text);
	g->operated[c->request.point].poll_us = now_us; /* look at once what became of it */
}

/* --- polls ---------------------------------------------------------------------------------------------- */

static void controller_lost(struct mqtt_gw *g, int64_t now_us, struct mqtt_gw_socket *s, const char *why)
{
	uint32_t i;

	s->retry_us = now_us + RETRY_US;
	if (!s->is_lost)
		log_f(&g->log, LOG_WARN, "controller: socket=%s cannot be asked: %s", s->evse.target, why);
	s->is_lost = true;
	for (i = 0; i < g->bridge.n_points; i++)
		if (s->points & 1u << i)
			gate_bridge_set_facts(&g->bridge, i, now_us, NULL);
}

static void controller_found(struct mqtt_gw *g, struct mqtt_gw_socket *s)
{
	if (s->is_lost)
		log_f(&g->log, LOG_NOTE, "controller: socket=%s answers", s->evse.target);
	s->is_lost = false;
}

static void poll_answered(struct mqtt_gw *g, int64_t now_us, struct mqtt_gw_socket *s,
			  const struct mqtt_gw_job *job, enum mqtt_gw_evse_result result, const char *text)
{
	bool is_status = job->kind == MQTT_GW_POLL_STATUS, has_state;
	struct gate_facts f;

	if (result == MQTT_GW_EVSE_LOST) {
		controller_lost(g, now_us, s, "no answer");
		return;
	}
	controller_found(g, s);
	has_state = gate_facts_parse(&f, result == MQTT_GW_EVSE_OK ? text : "",
				     g->bridge.point[job->point].number);
	if (is_status)
		gate_bridge_set_facts(&g->bridge, job->point, now_us, has_state ? &f : NULL);
	gate_ledger_observe(&g->ledger, now_us, s->evse.asked_us, job->point, &f);
	/* A command that waits for its effect is looked after more often, and by its setting too. */
	if (gate_ledger_is_waiting(&g->ledger, job->point) && is_status) {
		char line[GATE_LINE_MAX];

		snprintf(line, sizeof(line), "%u get maximum_charge_current",
			 g->bridge.point[job->point].number);
		if (mqtt_gw_evse_ask(&s->evse, now_us, line) == 0) {
			s->job = (struct mqtt_gw_job){.kind = MQTT_GW_POLL_CURRENT, .point = job->point};
			return;
		}
	}
	g->operated[job->point].poll_us = now_us + (gate_ledger_is_waiting(&g->ledger, job->point)
							    ? WAITING_US
							    : (int64_t)g->conf->poll_ms * FC_US_PER_MS);
}

static int64_t next_poll_us(const struct mqtt_gw *g, const struct mqtt_gw_socket *s, uint32_t *point)
{
	int64_t next_us = FC_NEVER;
	uint32_t i;

	for (i = 0; i < g->bridge.n_points; i++) {
		if (s->points & 1u << i && g->operated[i].poll_us < next_us) {
			next_us = g->operated[i].poll_us;
			*point = i;
		}
	}
	return next_us;
}

/* --- one socket ----------------------------------------------------------------------------------------- */

static void take_answer(struct mqtt_gw *g, int64_t now_us, struct mqtt_gw_socket *s)
{
	struct mqtt_gw_job job = s->job;
	const char *text;
	enum mqtt_gw_evse_result result = mqtt_gw_evse_read(&s->evse, now_us, &text);

	if (result == MQTT_GW_EVSE_NOTHING)
		return;
	s->job.kind = MQTT_GW_IDLE;
	if (job.kind == MQTT_GW_COMMAND)
		command_answered(g, now_us, &job, result, text);
	else if (job.kind != MQTT_GW_IDLE)
		poll_answered(g, now_us, s, &job, result, text);
}

static void give_command(struct mqtt_gw *g, int64_t now_us, struct mqtt_gw_socket *s, int slot)
{
	const struct gate_command *c = &g->ledger.command[slot];
	char line[GATE_LINE_MAX];
	int r;

	gate_command_line(c, g->bridge.point[c->request.point].number, line);
	r = mqtt_gw_evse_ask(&s->evse, now_us, line);
	if (r) {
		controller_lost(g, now_us, s, strerror(-r));
		return;
	}
	controller_found(g, s);
	s->job = (struct mqtt_gw_job){.kind = MQTT_GW_COMMAND, .slot = slot};
	gate_ledger_delivered(&g->ledger, now_us, slot);
}

static void give_poll(struct mqtt_gw *g, int64_t now_us, struct mqtt_gw_socket *s, uint32_t point)
{
	char line[GATE_LINE_MAX];
	int r;

	snprintf(line, sizeof(line), "%u status", g->bridge.point[point].number);
	r = mqtt_gw_evse_ask(&s->evse, now_us, line);
	if (r) {
		controller_lost(g, now_us, s, strerror(-r));
		return;
	}
	s->job = (struct mqtt_gw_job){.kind = MQTT_GW_POLL_STATUS, .point = point};
}

static void work_socket(struct mqtt_gw *g, int64_t now_us, struct mqtt_gw_socket *s)
{
	uint32_t point = 0;
	int slot;

	take_answer(g, now_us, s);
	if (s->job.kind != MQTT_GW_IDLE || now_us < s->retry_us)
		return;
	slot = gate_ledger_next(&g->ledger, s->points);
	if (slot >= 0)
		give_command(g, now_us, s, slot);
	else if (next_poll_us(g, s, &point) <= now_us)
		give_poll(g, now_us, s, point);
}

/* --- tariff --------------------------------------------------------------------------------------------- */

static void tariff_request(struct mqtt_gw *g, int64_t now_us, uint32_t i, enum gate_verb verb, int64_t utc_s)
{
	struct gate_request r = {.verb = verb, .point = i};

	snprintf(r.id, sizeof(r.id), "tariff.%lld.%s", (long long)utc_s, gate_verb_name(verb));
	request(g, now_us, &r);
}

/* A vehicle is there and would charge. Nobody is authorised before he comes. */
static bool is_vehicle_waiting(const struct gate_state *s)
{
	return s->is_session_open == 1 || s->reported == SITE_POINT_REPORT_STATE_WAITING ||
	       s->reported == SITE_POINT_REPORT_STATE_FINISHED;
}

static void set_window(struct mqtt_gw *g, int64_t now_us, uint32_t i, bool is_open, int64_t utc_s)
{
	struct mqtt_gw_operated *o = &g->operated[i];

	gate_bridge_log(&g->bridge, i, now_us, LOG_NOTE, "tariff window %s%s", is_open ? "opens" : "closes",
			is_open && o->is_locked ? ", but an operator has locked the point" : "");
	if (is_open && o->is_locked)
		return;
	if (!is_open) {
		tariff_request(g, now_us, i, GATE_LOCK, utc_s);
		tariff_request(g, now_us, i, GATE_STOP, utc_s);
		return;
	}
	tariff_request(g, now_us, i, GATE_UNLOCK, utc_s);
	if (is_vehicle_waiting(&g->bridge.point[i].state))
		tariff_request(g, now_us, i, GATE_START, utc_s);
}

static void work_tariff(struct mqtt_gw *g, int64_t now_us)
{
	int64_t utc_s = (now_us + g->bridge.wall_offset_us) / FC_US_PER_S;
	uint32_t i;

	if (now_us < g->tariff_us)
		return;
	g->tariff_us = now_us + TARIFF_US;
	for (i = 0; i < g->bridge.n_points; i++) {
		struct mqtt_gw_operated *o = &g->operated[i];
		bool is_open;

		if (!o->has_tariff)
			continue;
		is_open = gate_tariff_is_open(&g->tariff, mqtt_gw_point_name(g, i), utc_s);
		if (o->is_open == is_open)
			continue;
		o->is_open = is_open;
		set_window(g, now_us, i, is_open, utc_s);
	}
}

/* --- all of it ------------------------------------------------------------------------------------------ */

void mqtt_gw_operator_work(struct mqtt_gw *g, int64_t now_us)
{
	uint32_t i;

	gate_ledger_tick(&g->ledger, now_us);
	work_tariff(g, now_us);
	for (i = 0; i < g->n_sockets; i++)
		work_socket(g, now_us, &g->socket[i]);
}

int64_t mqtt_gw_operator_next_us(const struct mqtt_gw *g)
{
	int64_t next_us = fc_min_i64(gate_ledger_next_us(&g->ledger), g->tariff_us);
	uint32_t i, point = 0;

	for (i = 0; i < g->n_sockets; i++) {
		const struct mqtt_gw_socket *s = &g->socket[i];
		int64_t due_us = next_poll_us(g, s, &point);

		if (s->job.kind != MQTT_GW_IDLE) {
			next_us = fc_min_i64(next_us, mqtt_gw_evse_next_us(&s->evse));
			continue;
		}
		if (gate_ledger_next(&g->ledger, s->points) >= 0)
			due_us = 0;
		next_us = fc_min_i64(next_us, due_us > s->retry_us ? due_us : s->retry_us);
	}
	return next_us;
}

void mqtt_gw_operator_fini(struct mqtt_gw *g)
{
	uint32_t i;

	for (i = 0; i < g->n_sockets; i++)
		mqtt_gw_evse_close(&g->socket[i].evse);
	for (i = 0; i < GATE_COMMANDS; i++)
		forget_result(&g->result[i]);
}
