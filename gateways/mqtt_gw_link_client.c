/* SPDX-License-Identifier: MIT */
/* One client of libmosquitto: from its first attempt to the end of its connection. */
#include "gateways/mqtt_gw_link.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <mosquitto.h>

#include <forecourt/units.h>

#include "lib/linux/loop.h"

#define QOS	    1
#define MAX_WAIT_US (FC_US_PER_S / 2) /* the library wants to be called that often for its life signs */
#define OLDEST_TLS  "tlsv1.2"

struct client {
	struct mqtt_gw_link *link;
	struct mosquitto *mosq;
	uint32_t broker;
	bool is_up, is_over;
	int64_t give_up_us; /* the attempt; then FC_NEVER */
	int64_t up_us;
	int64_t leave_us;   /* FC_NEVER until a stop was asked for */
	uint32_t n_granted; /* subscriptions */
	struct {
		int mid;
		uint64_t tag;
	} flying[MQTT_GW_LINK_FLYING];
	uint32_t n_flying;
	char detail[160]; /* last complaint of the library */
	char *reason;
};

static void end(struct client *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The first reason counts; what follows from it would only hide it. */
static void end(struct client *c, const char *format, ...)
{
	va_list args;

	if (c->is_over)
		return;
	c->is_over = true;
	va_start(args, format);
	vsnprintf(c->reason, MQTT_GW_LINK_REASON_MAX, format, args);
	va_end(args);
}

static void end_with_code(struct client *c, const char *doing, int code)
{
	const char *text = code == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(code);

	if (c->detail[0])
		end(c, "%s: %s (%s)", doing, text, c->detail);
	else
		end(c, "%s: %s", doing, text);
}

/* --- callbacks ------------------------------------------------------------------------------------------ */

static void on_log(struct mosquitto *mosq, void *ctx, int level, const char *text)
{
	struct client *c = ctx;
	size_t n = strcspn(text, "\r\n");

	(void)mosq;
	if (level != MOSQ_LOG_ERR)
		return;
	snprintf(c->detail, sizeof(c->detail), "%.*s", (int)(n < 140 ? n : 140), text);
}

static void subscribe(struct client *c)
{
	const struct mqtt_gw_link_conf *conf = &c->link->conf;
	uint32_t i;

	for (i = 0; i < conf->n_subscriptions; i++) {
		int r = mosquitto_subscribe(c->mosq, NULL, conf->subscription[i].topic,
					    conf->subscription[i].qos);

		if (r != MOSQ_ERR_SUCCESS)
			end_with_code(c, "subscribing", r);
	}
}

static void go_up(struct client *c)
{
	struct mqtt_gw_item *item = mqtt_gw_item_make(MQTT_GW_LINK_UP, "", NULL, 0);

	c->is_up = true;
	c->give_up_us = FC_NEVER;
	c->up_us = loop_clock_us();
	mqtt_gw_link_set_connection(c->link, ++c->link->n_connections);
	if (item) {
		item->connection = c->link->n_connections;
		item->broker = c->broker;
	}
	mqtt_gw_link_give(c->link, item);
}

static void on_connect(struct mosquitto *mosq, void *ctx, int code)
{
	struct client *c = ctx;

	(void)mosq;
	if (code != 0)
		end(c, "the broker refuses us: %s", mosquitto_connack_string(code));
	else if (c->link->conf.n_subscriptions == 0)
		go_up(c);
	else
		subscribe(c);
}

/* A broker that does not let us listen would leave us deaf without a sign. */
static void on_subscribe(struct mosquitto *mosq, void *ctx, int mid, int n, const int *qos)
{
	struct client *c = ctx;
	int i;

	(void)mosq;
	(void)mid;
	for (i = 0; i < n; i++)
		if (qos[i] & 0x80)
			end(c, "the broker refuses a subscription: not authorised");
	c->n_granted++;
	if (!c->is_over && !c->is_up && c->n_granted == c->link->conf.n_subscriptions)
		go_up(c);
}

static void on_publish(struct mosquitto *mosq, void *ctx, int mid)
{
	struct client *c = ctx;
	struct mqtt_gw_item *item;
	uint32_t i;

	(void)mosq;
	for (i = 0; i < c->n_flying && c->flying[i].mid != mid; i++)
		;
	if (i == c->n_flying)
		return;
	item = mqtt_gw_item_make(MQTT_GW_LINK_ACK, "", NULL, 0);
	if (item) {
		item->tag = c->flying[i].tag;
		item->connection = c->link->n_connections;
	}
	c->flying[i] = c->flying[--c->n_flying];
	mqtt_gw_link_give(c->link, item);
}

static void on_message(struct mosquitto *mosq, void *ctx, const struct mosquitto_message *m)
{
	struct client *c = ctx;
	struct mqtt_gw_item *item = NULL;

	(void)mosq;
	/* A length is what the sender says: negative, too large, or without a payload is nothing for us. */
	if (m->topic && strlen(m->topic) < GATE_TOPIC_MAX && m->payloadlen >= 0 &&
	    m->payloadlen <= MQTT_GW_LINK_IN_MAX && (m->payload || m->payloadlen == 0))
		item = mqtt_gw_item_make(MQTT_GW_LINK_MESSAGE, m->topic, m->payload, (size_t)m->payloadlen);
	if (!item) {
		mqtt_gw_link_count_lost(c->link);
		return;
	}
	item->is_retained = m->retain;
	item->connection = c->link->n_connections;
	mqtt_gw_link_give(c->link, item);
}

/* --- set-up --------------------------------------------------------------------------------------------- */

static const char *or_null(const char *text)
{
	return text[0] ? text : NULL;
}

/* A key with a pass phrase would be asked for at a terminal, and we would hang there. */
static int have_no_phrase(char *text, int size, int rwflag, void *ctx)
{
	(void)text, (void)size, (void)rwflag, (void)ctx;
	return 0;
}

static int set_tls(struct client *c)
{
	const struct mqtt_gw_link_conf *conf = &c->link->conf;
	int r = mosquitto_tls_set(c->mosq, or_null(conf->cafile), or_null(conf->capath),
				  or_null(conf->certfile), or_null(conf->keyfile), have_no_phrase);

	if (r == MOSQ_ERR_SUCCESS)
		r = mosquitto_tls_opts_set(c->mosq, 1, OLDEST_TLS, NULL);
	if (r == MOSQ_ERR_SUCCESS)
		r = mosquitto_tls_insecure_set(c->mosq, false);
	return r;
}

static int set_up(struct client *c)
{
	const struct mqtt_gw_link_conf *conf = &c->link->conf;
	int r = MOSQ_ERR_SUCCESS;

	mosquitto_log_callback_set(c->mosq, on_log);
	mosquitto_connect_callback_set(c->mosq, on_connect);
	mosquitto_subscribe_callback_set(c->mosq, on_subscribe);
	mosquitto_publish_callback_set(c->mosq, on_publish);
	mosquitto_message_callback_set(c->mosq, on_message);
	/* A change of state waits for nobody's acknowledgement. */
	mosquitto_int_option(c->mosq, MOSQ_OPT_TCP_NODELAY, 1);
	if (conf->user[0])
		r = mosquitto_username_pw_set(c->mosq, conf->user, conf->password);
	if (r == MOSQ_ERR_SUCCESS && conf->will_topic)
		r = mosquitto_will_set(c->mosq, conf->will_topic, (int)strlen(conf->will_payload),
				       conf->will_payload, QOS, true);
	if (r == MOSQ_ERR_SUCCESS && conf->broker[c->broker].is_tls)
		r = set_tls(c);
	return r;
}

/*
 * The library tries the first address of a name alone, as it does not wait for a connection. A name with
 * addresses of both families, of which one does not work (a broker that listens on 127.0.0.1 while
 * localhost is ::1 first), would never be reached. So every second round goes to the other family, chosen
 * by the address that we bind.
 */
static int choose_family(struct client *c, const char *host, const char **bind_address)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list, *a;
	uint32_t round = c->link->backoff.n_failed / c->link->conf.n_brokers;
	bool has_4 = false, has_6 = false, is_6;
	int r = getaddrinfo(host, NULL, &hints, &list);

	*bind_address = NULL;
	if (r)
		return r;
	is_6 = list->ai_family == AF_INET6;
	for (a = list; a; a = a->ai_next) {
		has_4 |= a->ai_family == AF_INET;
		has_6 |= a->ai_family == AF_INET6;
	}
	if (has_4 && has_6)
		*bind_address = is_6 == (round % 2 == 0) ? "::" : "0.0.0.0";
	freeaddrinfo(list);
	return 0;
}

static void connect_to(struct client *c, const struct gate_broker *b)
{
	const char *bind_address;
	int r = choose_family(c, b->host, &bind_address);

	if (r) {
		end(c, "looking up %s: %s", b->host, gai_strerror(r));
		return;
	}
	r = mosquitto_connect_bind_async(c->mosq, b->host, b->port, c->link->conf.keepalive_s, bind_address);
	if (r != MOSQ_ERR_SUCCESS)
		end_with_code(c, "connecting", r);
}

/* --- life ----------------------------------------------------------------------------------------------- */

static void publish_waiting(struct client *c)
{
	struct mqtt_gw_item *item;

	while (c->is_up && !c->is_over && c->n_flying < MQTT_GW_LINK_FLYING &&
	       (item = mqtt_gw_link_next_out(c->link))) {
		int mid, r;

		if (item->connection == c->link->n_connections) {
			r = mosquitto_publish(c->mosq, &mid, item->topic, (int)item->n, item->payload, QOS,
					      item->is_retained);
			if (r == MOSQ_ERR_SUCCESS) {
				c->flying[c->n_flying].mid = mid;
				c->flying[c->n_flying++].tag = item->tag;
			} else {
				end_with_code(c, "publishing", r);
			}
		}
		free(item);
	}
}

/* What is due by itself: the end of an attempt, a stop, and the library's own. */
static void look_at_clock(struct client *c, int64_t now_us)
{
	if (now_us >= c->give_up_us)
		end(c, c->detail[0] ? "no answer in time (%s)" : "no answer in time", c->detail);
	if (c->leave_us == FC_NEVER && mqtt_gw_link_is_stopping(c->link))
		c->leave_us = now_us + MQTT_GW_LINK_STOP_US;
	if (c->leave_us != FC_NEVER && (!c->is_up || c->n_flying == 0 || now_us >= c->leave_us)) {
		if (c->is_up)
			mosquitto_disconnect(c->mosq); /* so that the last will stays unspoken */
		end(c, "stopped");
	}
}

static int wait_and_work(struct client *c)
{
	struct pollfd p[2] = {{.fd = mosquitto_socket(c->mosq)}, {.fd = c->link->wake_fd, .events = POLLIN}};
	int64_t now_us = loop_clock_us(), wait_us = MAX_WAIT_US;
	int r = MOSQ_ERR_SUCCESS;

	if (p[0].fd < 0)
		return MOSQ_ERR_CONN_LOST;
	wait_us = fc_min_i64(wait_us, fc_min_i64(c->give_up_us, c->leave_us) - now_us);
	p[0].events = (short)(POLLIN | (mosquitto_want_write(c->mosq) ? POLLOUT : 0));
	if (!c->is_up || c->n_flying == MQTT_GW_LINK_FLYING)
		p[1].fd = -1; /* nothing could be published: what wakes would go on waking */
	if (!c->is_up && wait_us > FC_US_PER_S / 10)
		wait_us = FC_US_PER_S / 10; /* but a stop must be noticed */
	if (poll(p, 2, wait_us > 0 ? (int)((wait_us + FC_US_PER_MS - 1) / FC_US_PER_MS) : 0) < 0)
		return errno == EINTR ? MOSQ_ERR_SUCCESS : MOSQ_ERR_ERRNO;
	if (p[0].revents & (POLLIN | POLLHUP | POLLERR))
		r = mosquitto_loop_read(c->mosq, 1);
	if (r == MOSQ_ERR_SUCCESS && p[0].revents & POLLOUT)
		r = mosquitto_loop_write(c->mosq, 1);
	if (r == MOSQ_ERR_SUCCESS)
		r = mosquitto_loop_misc(c->mosq);
	return r;
}

static void live(struct client *c)
{
	while (!c->is_over) {
		int r;

		publish_waiting(c);
		look_at_clock(c, loop_clock_us());
		if (c->is_over)
			return;
		r = wait_and_work(c);
		if (r != MOSQ_ERR_SUCCESS)
			end_with_code(c, c->is_up ? "connection lost" : "connecting", r);
	}
}

int64_t mqtt_gw_client_run(struct mqtt_gw_link *l, uint32_t broker, char reason[MQTT_GW_LINK_REASON_MAX])
{
	struct client c = {.link = l, .broker = broker, .leave_us = FC_NEVER, .reason = reason};
	int64_t held_us = 0;
	int r;

	c.give_up_us = loop_clock_us() + (int64_t)l->conf.connect_timeout_ms * FC_US_PER_MS;
	c.mosq = mosquitto_new(l->conf.client_id, false, &c);
	if (!c.mosq) {
		end(&c, "no memory for a client");
		return 0;
	}
	r = set_up(&c);
	if (r != MOSQ_ERR_SUCCESS)
		end_with_code(&c, "settings of the connection", r);
	else
		connect_to(&c, &l->conf.broker[broker]);
	live(&c);
	if (c.is_up)
		held_us = loop_clock_us() - c.up_us;
	mqtt_gw_link_set_connection(l, 0);
	mosquitto_destroy(c.mosq);
	return held_us;
}
