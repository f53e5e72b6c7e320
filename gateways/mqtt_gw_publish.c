/* SPDX-License-Identifier: MIT */
/* What goes to the broker and comes from it. */
#include "gateways/mqtt_gw_bridge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <forecourt/units.h>

/* Under way at a time: enough to fill a slow line, few enough that a lost connection repeats little. */
#define CHANGES_WINDOW 32
#define EVENTS_WINDOW  8
#define ANSWERS_WINDOW 8

/* Kind of a publication, in the upper byte of its tag; the rest is a number. */
enum tag_kind { TAG_CHANGE, TAG_EVENT, TAG_ANSWER, TAG_RECORD, TAG_OWN };
#define TAG_SHIFT 56

static uint64_t make_tag(enum tag_kind kind, uint64_t number)
{
	return (uint64_t)kind << TAG_SHIFT | number;
}

/* --- start ---------------------------------------------------------------------------------------------- */

static ssize_t write_gateway(struct mqtt_gw *g, bool is_online, int64_t now_us, char *text, size_t size)
{
	struct mqtt_gw_json_gateway w = {
		.is_online = is_online,
		.role = g->conf->role == GATE_SITE ? "site" : "point",
		.n_points = g->bridge.n_points,
		.wall_us = now_us ? now_us + g->bridge.wall_offset_us : 0,
		.n_states_dropped = g->changes.n_dropped,
		.n_events_dropped = g->events.n_dropped,
	};
	uint32_t i;

	for (i = 0; i < w.n_points; i++)
		w.point[i] = mqtt_gw_point_name(g, i);
	return mqtt_gw_json_gateway(&g->from, &w, text, size);
}

static void add_subscription(struct mqtt_gw_link_conf *l, const char *base, const char *name,
			     enum gate_topic kind, int qos)
{
	gate_topic_point(l->subscription[l->n_subscriptions].topic, base, name, kind);
	l->subscription[l->n_subscriptions++].qos = qos;
}

static void fill_subscriptions(struct mqtt_gw *g, struct mqtt_gw_link_conf *l)
{
	bool is_site = g->conf->role == GATE_SITE;
	uint32_t i;

	for (i = 0; i < g->bridge.n_points; i++) {
		const char *name = mqtt_gw_point_name(g, i);

		add_subscription(l, g->conf->base, name, is_site ? GATE_TOPIC_REPORT : GATE_TOPIC_GRANT,
				 g->conf->lease_qos);
		if (!is_site)
			add_subscription(l, g->conf->base, name, GATE_TOPIC_COMMAND, 1);
	}
}

static uint64_t make_seed(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return ((uint64_t)t.tv_nsec << 32 | (uint64_t)t.tv_sec) ^ (uint64_t)getpid() * UINT64_C(2654435761);
}

int mqtt_gw_publish_init(struct mqtt_gw *g, char *err, size_t err_size)
{
	const struct mqtt_gw_conf *conf = g->conf;
	struct mqtt_gw_link_conf *l = &g->link_conf;

	snprintf(g->client_id, sizeof(g->client_id), "%s.%s", conf->site, conf->name);
	gate_topic_gateway(g->will_topic, conf->base, conf->name, GATE_TOPIC_STATE);
	if (write_gateway(g, false, 0, g->will, sizeof(g->will)) < 0) {
		snprintf(err, err_size, "the last will does not fit; shorter names are needed");
		return -EINVAL;
	}
	*l = (struct mqtt_gw_link_conf){
		.broker = conf->brokers,
		.n_brokers = conf->n_brokers,
		.client_id = g->client_id,
		.user = conf->user,
		.password = conf->password,
		.cafile = conf->cafile,
		.capath = conf->capath,
		.certfile = conf->certfile,
		.keyfile = conf->keyfile,
		.keepalive_s = conf->keepalive_s,
		.connect_timeout_ms = conf->connect_timeout_ms,
		.backoff_min_ms = conf->backoff_min_ms,
		.backoff_max_ms = conf->backoff_max_ms,
		.will_topic = g->will_topic,
		.will_payload = g->will,
	};
	fill_subscriptions(g, l);
	return mqtt_gw_link_start(&g->link, l, make_seed(), err, err_size);
}

/* --- in ------------------------------------------------------------------------------------------------- */

void mqtt_gw_refuse(struct mqtt_gw *g, const char *topic, const char *why)
{
	uint64_t n = ++g->pub.n_refused;

	/* One who repeats his mistake for ever must not fill the log: the 1st, 2nd, 4th, 8th ... */
	if ((n & (n - 1)) == 0)
		log_f(&g->log, LOG_WARN, "refused: topic=%.100s n_refused=%llu reason=%.100s", topic,
		      (unsigned long long)n, why);
}

static void take_record(struct mqtt_gw *g, const struct mqtt_gw_item *item, uint32_t i, enum site_msg key)
{
	struct gate_record r;
	char err[160];

	if (mqtt_gw_json_read_record(item->payload, item->n, key, &r, &g->pub.n_keys_unknown, err,
				     sizeof(err)))
		mqtt_gw_refuse(g, item->topic, err);
	else
		gate_bridge_put_down(&g->bridge, i, &r);
}

static int find_name(const struct mqtt_gw *g, const char *name)
{
	uint32_t i;

	for (i = 0; i < g->bridge.n_points; i++)
		if (strcmp(mqtt_gw_point_name(g, i), name) == 0)
			return (int)i;
	return -1;
}

static void take_message(struct mqtt_gw *g, int64_t now_us, const struct mqtt_gw_item *item)
{
	bool is_site = g->conf->role == GATE_SITE;
	char name[GATE_NAME_MAX];
	enum gate_topic kind;
	int i;

	g->pub.n_messages++;
	if (!gate_topic_parse(item->topic, g->conf->base, name, &kind) || (i = find_name(g, name)) < 0) {
		g->pub.n_foreign++; /* subscribed by a former configuration, perhaps */
		return;
	}
	/* What a broker keeps is old by nature: a command would be executed again after each connection. */
	if (item->is_retained) {
		g->pub.n_retained++;
		mqtt_gw_refuse(g, item->topic, "it is retained");
		return;
	}
	if (is_site && kind == GATE_TOPIC_REPORT)
		take_record(g, item, (uint32_t)i, SITE_POINT_REPORT);
	else if (!is_site && kind == GATE_TOPIC_GRANT)
		take_record(g, item, (uint32_t)i, SITE_GRANT);
	else if (!is_site && kind == GATE_TOPIC_COMMAND)
		mqtt_gw_operator_command(g, now_us, (uint32_t)i, item);
	else
		g->pub.n_foreign++;
}

static void take_ack(struct mqtt_gw *g, int64_t now_us, const struct mqtt_gw_item *item)
{
	uint64_t number = item->tag & ((UINT64_C(1) << TAG_SHIFT) - 1);

	if (!g->pub.is_up || item->connection != g->pub.connection)
		return;
	switch ((enum tag_kind)(item->tag >> TAG_SHIFT)) {
	case TAG_CHANGE:
		gate_queue_acked(&g->changes, number, now_us);
		break;
	case TAG_EVENT:
		gate_queue_acked(&g->events, number, now_us);
		break;
	case TAG_ANSWER:
		gate_queue_acked(&g->answers, number, now_us);
		break;
	case TAG_RECORD:
		if (number < GATE_MAX_POINTS)
			g->pub.is_flying[number] = false;
		break;
	case TAG_OWN:
		if (g->pub.n_own_flying > 0)
			g->pub.n_own_flying--;
		break;
	}
}

/* --- up and down ---------------------------------------------------------------------------------------- */

static void go_up(struct mqtt_gw *g, int64_t now_us, const struct mqtt_gw_item *item)
{
	const struct gate_broker *b = &g->conf->brokers[item->broker];
	uint32_t i;

	g->pub.is_up = true;
	g->pub.connection = item->connection;
	g->pub.broker = item->broker;
	g->pub.is_gateway_due = true;
	g->pub.n_own_flying = 0;
	g->pub.n_downs = 0;
	g->pub.n_connections++;
	memset(g->pub.is_flying, 0, sizeof(g->pub.is_flying));
	for (i = 0; i < g->bridge.n_points; i++)
		g->pub.is_state_due[i] = g->conf->role == GATE_POINT;
	log_f(&g->log, LOG_NOTE, "connected: broker=%s port=%u tls=%s", b->host, b->port,
	      b->is_tls ? "yes" : "no");
	gate_bridge_log(&g->bridge, g->bridge.n_points, now_us, LOG_NOTE, "connected to %s:%u", b->host,
			b->port);
}

static void go_down(struct mqtt_gw *g, int64_t now_us, const struct mqtt_gw_item *item)
{
	const struct gate_broker *b = &g->conf->brokers[item->broker];
	int64_t again_us = (int64_t)g->conf->resend_ms * FC_US_PER_MS;
	bool was_up = g->pub.is_up, is_news = was_up || strcmp(g->pub.reason, item->payload) != 0;

	g->pub.is_up = false;
	g->pub.n_downs++;
	snprintf(g->pub.reason, sizeof(g->pub.reason), "%s", item->payload);
	/* The same reason at each attempt is one line. */
	if (is_news && !g->is_stopping)
		log_f(&g->log, LOG_WARN, "not connected: broker=%s port=%u again_ms=%lld reason=%s", b->host,
		      b->port, (long long)(item->pause_us / FC_US_PER_MS), g->pub.reason);
	if (!was_up)
		return;
	gate_queue_rewind(&g->changes, now_us, again_us);
	gate_queue_rewind(&g->events, now_us, again_us);
	gate_queue_rewind(&g->answers, now_us, again_us);
	gate_bridge_log(&g->bridge, g->bridge.n_points, now_us, LOG_WARN, "connection to %s:%u lost: %s",
			b->host, b->port, g->pub.reason);
}

void mqtt_gw_publish_take(struct mqtt_gw *g, int64_t now_us)
{
	struct mqtt_gw_item *item;

	while ((item = mqtt_gw_link_take(&g->link))) {
		switch (item->kind) {
		case MQTT_GW_LINK_UP:
			go_up(g, now_us, item);
			break;
		case MQTT_GW_LINK_DOWN:
			go_down(g, now_us, item);
			break;
		case MQTT_GW_LINK_MESSAGE:
			take_message(g, now_us, item);
			break;
		case MQTT_GW_LINK_ACK:
			take_ack(g, now_us, item);
			break;
		case MQTT_GW_LINK_OVER:
			g->pub.is_over = true;
			break;
		}
		free(item);
	}
}

/* --- out ------------------------------------------------------------------------------------------------ */

/* n < 0: it could not be written as text, which its own size limits rule out. False: no room now. */
static bool publish(struct mqtt_gw *g, const char *topic, ssize_t n, bool is_retained, uint64_t tag)
{
	int r;

	if (n < 0) {
		log_f(&g->log, LOG_ERR_LEVEL, "not published, too long: topic=%.120s", topic);
		return false;
	}
	r = mqtt_gw_link_publish(&g->link, g->pub.connection, topic, g->pub.text, (size_t)n, is_retained,
				 tag);
	return r == 0;
}

static bool publish_change(struct mqtt_gw *g, const struct gate_change *c, uint64_t tag)
{
	char topic[GATE_TOPIC_MAX];
	ssize_t n = mqtt_gw_json_state(&g->from, c, g->changes.n_dropped, g->pub.text, sizeof(g->pub.text));

	gate_topic_point(topic, g->conf->base, mqtt_gw_point_name(g, c->point), GATE_TOPIC_STATE);
	return publish(g, topic, n, true, tag);
}

static void send_changes(struct mqtt_gw *g)
{
	const struct gate_change *c;
	uint64_t number;

	while ((c = gate_queue_next(&g->changes, CHANGES_WINDOW, &number)) &&
	       publish_change(g, c, make_tag(TAG_CHANGE, number)))
		gate_queue_sent(&g->changes);
}

static void send_events(struct mqtt_gw *g)
{
	const struct gate_event *e;
	uint64_t number;

	while ((e = gate_queue_next(&g->events, EVENTS_WINDOW, &number))) {
		char topic[GATE_TOPIC_MAX];
		ssize_t n = mqtt_gw_json_event(&g->from, e, g->events.n_dropped, g->pub.text,
					       sizeof(g->pub.text));

		if (e->point < g->bridge.n_points)
			gate_topic_point(topic, g->conf->base, mqtt_gw_point_name(g, e->point),
					 GATE_TOPIC_LOG);
		else
			gate_topic_gateway(topic, g->conf->base, g->conf->name, GATE_TOPIC_LOG);
		if (!publish(g, topic, n, false, make_tag(TAG_EVENT, number)))
			return;
		gate_queue_sent(&g->events);
	}
}

static void send_answers(struct mqtt_gw *g)
{
	const struct gate_answer *a;
	uint64_t number;

	while ((a = gate_queue_next(&g->answers, ANSWERS_WINDOW, &number))) {
		const struct mqtt_gw_result none = {NULL, NULL}, *result = &none;
		char topic[GATE_TOPIC_MAX];
		ssize_t n;

		/* The slot may belong to another command by now. */
		if (a->request.verb == GATE_GET_ALL && a->step == GATE_CONFIRMED && a->slot < GATE_COMMANDS &&
		    strcmp(g->ledger.command[a->slot].request.id, a->request.id) == 0)
			result = &g->result[a->slot];
		n = mqtt_gw_json_answer(&g->from, a, result->status, result->settings, g->pub.text,
					sizeof(g->pub.text));
		if (n < 0) /* too much was answered: the step alone */
			n = mqtt_gw_json_answer(&g->from, a, NULL, NULL, g->pub.text, sizeof(g->pub.text));
		gate_topic_answer(topic, g->conf->base, mqtt_gw_point_name(g, a->request.point),
				  a->request.id);
		if (!publish(g, topic, n, false, make_tag(TAG_ANSWER, number)))
			return;
		gate_queue_sent(&g->answers);
	}
}

/* One at a time of each point: while it is under way only the newest of the next ones stays. */
static void send_records(struct mqtt_gw *g, int64_t now_us)
{
	enum gate_topic kind = g->conf->role == GATE_SITE ? GATE_TOPIC_GRANT : GATE_TOPIC_REPORT;
	uint32_t i;

	for (i = 0; i < g->bridge.n_points; i++) {
		char topic[GATE_TOPIC_MAX];
		struct gate_record r;
		ssize_t n;

		if (g->pub.is_flying[i] || !gate_bridge_take_up(&g->bridge, i, now_us, &r))
			continue;
		n = mqtt_gw_json_record(&r, g->pub.text, sizeof(g->pub.text));
		gate_topic_point(topic, g->conf->base, mqtt_gw_point_name(g, i), kind);
		g->pub.is_flying[i] = publish(g, topic, n, false, make_tag(TAG_RECORD, i));
	}
}

/*
 * States that are retained at the broker, unless it is a new one; only when no change of any point is left to
 * send.
 */
static void send_states(struct mqtt_gw *g)
{
	uint64_t number;
	uint32_t i;

	if (gate_queue_next(&g->changes, UINT32_MAX, &number))
		return;
	for (i = 0; i < g->bridge.n_points; i++) {
		const struct gate_point *p = &g->bridge.point[i];
		struct gate_change c = {
			.seq = p->change_seq, .wall_us = p->change_wall_us, .point = i, .state = p->state};

		if (!g->pub.is_state_due[i] || !publish_change(g, &c, make_tag(TAG_OWN, 0)))
			continue;
		g->pub.is_state_due[i] = false;
		g->pub.n_own_flying++;
	}
}

static void send_gateway(struct mqtt_gw *g, bool is_online, int64_t now_us)
{
	ssize_t n = write_gateway(g, is_online, now_us, g->pub.text, sizeof(g->pub.text));

	if (!publish(g, g->will_topic, n, true, make_tag(TAG_OWN, 0)))
		return;
	g->pub.is_gateway_due = false;
	g->pub.n_own_flying++;
}

void mqtt_gw_publish_send(struct mqtt_gw *g, int64_t now_us)
{
	if (!g->pub.is_up)
		return;
	if (g->pub.is_gateway_due)
		send_gateway(g, true, now_us);
	send_records(g, now_us);
	send_changes(g);
	send_answers(g);
	send_events(g);
	send_states(g);
	/* Last words, once all else has arrived: a clean end keeps the last will unspoken. */
	if (g->is_stopping && !g->pub.is_goodbye_said && g->changes.n_waiting == 0) {
		g->pub.is_goodbye_said = true;
		send_gateway(g, false, now_us);
	}
}
