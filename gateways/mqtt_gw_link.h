/* SPDX-License-Identifier: MIT */
/*
 * The connection to one of several brokers, in a thread of its own. libmosquitto resolves names while its
 * caller waits, up to half a minute where no name server answers; meanwhile the bus goes on, and so must we.
 * All calls of the library are made in that thread; what goes between it and the rest are two bounded queues.
 *
 * Each attempt is a new client, so that nothing of a lost connection lives on in the library: what was
 * published and not acknowledged comes again from the owner of the data, see gate_queue.h. At the broker the
 * session stays (clean session off), so that commands wait there for us.
 *
 * With a broker of mqtts:// the certificate and the host name in it are verified; there is no way to turn
 * that off.
 */
#ifndef GATEWAYS_MQTT_GW_LINK_H
#define GATEWAYS_MQTT_GW_LINK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateways/gate_backoff.h"
#include "gateways/gate_url.h"

#define MQTT_GW_LINK_TOPICS	48
#define MQTT_GW_LINK_QUEUE	512   /* items each way; more are dropped and counted */
#define MQTT_GW_LINK_IN_MAX	8192  /* payload of a message taken in; larger ones are dropped and counted */
#define MQTT_GW_LINK_OUT_MAX	65536 /* payload sent */
#define MQTT_GW_LINK_FLYING	256
#define MQTT_GW_LINK_STOP_US	(1 * INT64_C(1000000)) /* for the last words to be acknowledged */
#define MQTT_GW_LINK_REASON_MAX 256

struct mqtt_gw_link_conf {
	const struct gate_broker *broker;
	uint32_t n_brokers;
	const char *client_id, *user, *password;	  /* user "": none */
	const char *cafile, *capath, *certfile, *keyfile; /* "": none */
	int32_t keepalive_s, connect_timeout_ms, backoff_min_ms, backoff_max_ms;
	const char *will_topic, *will_payload; /* retained, QoS 1 */
	struct {
		char topic[GATE_TOPIC_MAX];
		int qos;
	} subscription[MQTT_GW_LINK_TOPICS];
	uint32_t n_subscriptions;
};

enum mqtt_gw_link_kind {
	MQTT_GW_LINK_UP,   /* connected and subscribed */
	MQTT_GW_LINK_DOWN, /* an attempt failed, or the connection ended: payload says why */
	MQTT_GW_LINK_MESSAGE,
	MQTT_GW_LINK_ACK,
	MQTT_GW_LINK_OVER, /* the thread has ended */
};

/* One allocation; topic and payload point into it. */
struct mqtt_gw_item {
	struct mqtt_gw_item *next;
	enum mqtt_gw_link_kind kind;
	uint32_t connection; /* number of it, from 1 */
	uint64_t tag;	     /* of what was published */
	bool is_retained;
	uint32_t broker;  /* UP, DOWN: index */
	int64_t pause_us; /* DOWN: until the next attempt */
	char *topic;
	char *payload; /* a zero byte follows */
	size_t n;
};

struct mqtt_gw_queue {
	struct mqtt_gw_item *first, **last;
	uint32_t n;
};

struct mqtt_gw_link {
	struct mqtt_gw_link_conf conf;
	pthread_t thread;
	bool is_started;
	int event_fd; /* readable while something is to be taken */
	int wake_fd;  /* of the thread */
	pthread_mutex_t lock;
	/* Under the lock. */
	struct mqtt_gw_queue in, out;
	uint32_t connection; /* the one that is up; 0: none */
	uint32_t n_lost_in;  /* no room, or too large */
	bool is_stopping, is_over;
	/* The thread's own. */
	struct gate_backoff backoff;
	uint32_t n_connections;
};

/*
 * Starts the thread. conf is copied, what it points to stays the caller's. 0, or a negative errno with a
 * sentence.
 */
int mqtt_gw_link_start(struct mqtt_gw_link *l, const struct mqtt_gw_link_conf *conf, uint64_t seed, char *err,
		       size_t err_size);
int mqtt_gw_link_fd(const struct mqtt_gw_link *l);
/* The next one, to be freed with free(); NULL: none, and the descriptor is quiet until there is. */
struct mqtt_gw_item *mqtt_gw_link_take(struct mqtt_gw_link *l);
/*
 * Publishes with QoS 1 on that connection; the ACK names the tag. What belongs to an earlier connection is
 * dropped without a word: its owner has been told. 0, -ENOBUFS, -EMSGSIZE, -ENOMEM.
 */
int mqtt_gw_link_publish(struct mqtt_gw_link *l, uint32_t connection, const char *topic, const char *payload,
			 size_t n, bool is_retained, uint64_t tag);
uint32_t mqtt_gw_link_lost(struct mqtt_gw_link *l);
/* Says goodbye when all that was published is acknowledged, or after MQTT_GW_LINK_STOP_US; then OVER. */
void mqtt_gw_link_stop(struct mqtt_gw_link *l);
/* Waits for the thread if it is over; one that still resolves a name is left behind. Frees what is queued. */
void mqtt_gw_link_close(struct mqtt_gw_link *l);

/* --- for mqtt_gw_link_client.c -------------------------------------------------------------------------- */

struct mqtt_gw_item *mqtt_gw_item_make(enum mqtt_gw_link_kind kind, const char *topic, const void *payload,
				       size_t n);
/* Hands an item to the owner; frees it when there is no room (never an UP, DOWN, ACK or OVER). */
void mqtt_gw_link_give(struct mqtt_gw_link *l, struct mqtt_gw_item *item);
/* One to publish; NULL: none. */
struct mqtt_gw_item *mqtt_gw_link_next_out(struct mqtt_gw_link *l);
void mqtt_gw_link_set_connection(struct mqtt_gw_link *l, uint32_t connection);
void mqtt_gw_link_count_lost(struct mqtt_gw_link *l);
bool mqtt_gw_link_is_stopping(struct mqtt_gw_link *l);
/*
 * One attempt at a broker and the life of its connection. How long that was up, us; reason says why it ended.
 */
int64_t mqtt_gw_client_run(struct mqtt_gw_link *l, uint32_t broker, char reason[MQTT_GW_LINK_REASON_MAX]);

#endif
