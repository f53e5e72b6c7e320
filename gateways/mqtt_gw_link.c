/* SPDX-License-Identifier: MIT */
/* Queues between the program and the thread of the connection; attempts and pauses. */
#include "gateways/mqtt_gw_link.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <mosquitto.h>

#include <forecourt/units.h>

/* --- items and queues ----------------------------------------------------------------------------------- */

struct mqtt_gw_item *mqtt_gw_item_make(enum mqtt_gw_link_kind kind, const char *topic, const void *payload,
				       size_t n)
{
	size_t topic_size = strlen(topic) + 1;
	struct mqtt_gw_item *item = calloc(1, sizeof(*item) + topic_size + n + 1);

	if (!item)
		return NULL;
	item->kind = kind;
	item->topic = (char *)(item + 1);
	item->payload = item->topic + topic_size;
	item->n = n;
	memcpy(item->topic, topic, topic_size);
	if (n > 0)
		memcpy(item->payload, payload, n);
	return item;
}

static void queue_init(struct mqtt_gw_queue *q)
{
	q->first = NULL;
	q->last = &q->first;
	q->n = 0;
}

static void queue_put(struct mqtt_gw_queue *q, struct mqtt_gw_item *item)
{
	item->next = NULL;
	*q->last = item;
	q->last = &item->next;
	q->n++;
}

static struct mqtt_gw_item *queue_take(struct mqtt_gw_queue *q)
{
	struct mqtt_gw_item *item = q->first;

	if (!item)
		return NULL;
	q->first = item->next;
	if (!q->first)
		q->last = &q->first;
	q->n--;
	return item;
}

static void queue_clear(struct mqtt_gw_queue *q)
{
	struct mqtt_gw_item *item;

	while ((item = queue_take(q)))
		free(item);
}

static void ring(int fd)
{
	uint64_t one = 1;
	ssize_t n = write(fd, &one, sizeof(one));

	(void)n; /* a full counter wakes as well */
}

static void hush(int fd)
{
	uint64_t count;
	ssize_t n = read(fd, &count, sizeof(count));

	(void)n; /* nothing there: quiet already */
}

/* --- the owner's side ----------------------------------------------------------------------------------- */

int mqtt_gw_link_fd(const struct mqtt_gw_link *l)
{
	return l->event_fd;
}

struct mqtt_gw_item *mqtt_gw_link_take(struct mqtt_gw_link *l)
{
	struct mqtt_gw_item *item;

	pthread_mutex_lock(&l->lock);
	item = queue_take(&l->in);
	if (!item)
		hush(l->event_fd);
	pthread_mutex_unlock(&l->lock);
	return item;
}

int mqtt_gw_link_publish(struct mqtt_gw_link *l, uint32_t connection, const char *topic, const char *payload,
			 size_t n, bool is_retained, uint64_t tag)
{
	struct mqtt_gw_item *item;
	int r = 0;

	if (n > MQTT_GW_LINK_OUT_MAX)
		return -EMSGSIZE;
	item = mqtt_gw_item_make(MQTT_GW_LINK_MESSAGE, topic, payload, n);
	if (!item)
		return -ENOMEM;
	item->connection = connection;
	item->is_retained = is_retained;
	item->tag = tag;
	pthread_mutex_lock(&l->lock);
	if (connection != l->connection) {
		free(item);
	} else if (l->out.n >= MQTT_GW_LINK_QUEUE) {
		free(item);
		r = -ENOBUFS;
	} else {
		queue_put(&l->out, item);
		ring(l->wake_fd);
	}
	pthread_mutex_unlock(&l->lock);
	return r;
}

uint32_t mqtt_gw_link_lost(struct mqtt_gw_link *l)
{
	uint32_t n;

	pthread_mutex_lock(&l->lock);
	n = l->n_lost_in;
	pthread_mutex_unlock(&l->lock);
	return n;
}

void mqtt_gw_link_stop(struct mqtt_gw_link *l)
{
	pthread_mutex_lock(&l->lock);
	l->is_stopping = true;
	pthread_mutex_unlock(&l->lock);
	ring(l->wake_fd);
}

/* --- the thread's side ---------------------------------------------------------------------------------- */

void mqtt_gw_link_give(struct mqtt_gw_link *l, struct mqtt_gw_item *item)
{
	if (!item)
		return;
	pthread_mutex_lock(&l->lock);
	/*
	 * Messages have a bound; the rest is bounded by what was published and by the pauses between
	 * attempts.
	 */
	if (item->kind == MQTT_GW_LINK_MESSAGE && l->in.n >= MQTT_GW_LINK_QUEUE) {
		l->n_lost_in++;
		free(item);
	} else {
		queue_put(&l->in, item);
		ring(l->event_fd);
	}
	pthread_mutex_unlock(&l->lock);
}

struct mqtt_gw_item *mqtt_gw_link_next_out(struct mqtt_gw_link *l)
{
	struct mqtt_gw_item *item;

	pthread_mutex_lock(&l->lock);
	item = queue_take(&l->out);
	if (!item)
		hush(l->wake_fd);
	pthread_mutex_unlock(&l->lock);
	return item;
}

void mqtt_gw_link_set_connection(struct mqtt_gw_link *l, uint32_t connection)
{
	pthread_mutex_lock(&l->lock);
	l->connection = connection;
	queue_clear(&l->out);
	pthread_mutex_unlock(&l->lock);
}

void mqtt_gw_link_count_lost(struct mqtt_gw_link *l)
{
	pthread_mutex_lock(&l->lock);
	l->n_lost_in++;
	pthread_mutex_unlock(&l->lock);
}

bool mqtt_gw_link_is_stopping(struct mqtt_gw_link *l)
{
	bool is_stopping;

	pthread_mutex_lock(&l->lock);
	is_stopping = l->is_stopping;
	pthread_mutex_unlock(&l->lock);
	return is_stopping;
}

/* Until then or a stop, whichever is first. */
static void wait_pause(struct mqtt_gw_link *l, int64_t pause_us)
{
	struct pollfd p = {.fd = l->wake_fd, .events = POLLIN};

	/* Nothing is published while there is no connection: what wakes us is a stop. */
	hush(l->wake_fd);
	if (!mqtt_gw_link_is_stopping(l))
		poll(&p, 1, (int)((pause_us + FC_US_PER_MS - 1) / FC_US_PER_MS));
}

static void *run_thread(void *arg)
{
	struct mqtt_gw_link *l = arg;
	char reason[MQTT_GW_LINK_REASON_MAX];

	while (!mqtt_gw_link_is_stopping(l)) {
		uint32_t broker = l->backoff.at;
		int64_t held_us = mqtt_gw_client_run(l, broker, reason);
		struct mqtt_gw_item *item = mqtt_gw_item_make(MQTT_GW_LINK_DOWN, "", reason, strlen(reason));
		int64_t pause_us = gate_backoff_failed(&l->backoff, held_us);

		if (item) {
			item->broker = broker;
			item->pause_us = pause_us;
		}
		mqtt_gw_link_give(l, item);
		wait_pause(l, pause_us);
	}
	pthread_mutex_lock(&l->lock);
	l->is_over = true;
	pthread_mutex_unlock(&l->lock);
	mqtt_gw_link_give(l, mqtt_gw_item_make(MQTT_GW_LINK_OVER, "", NULL, 0));
	return NULL;
}

/* --- start and end -------------------------------------------------------------------------------------- */

/* Signals belong to the loop of the main thread. */
static int start_thread(struct mqtt_gw_link *l)
{
	sigset_t all, old;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	r = -pthread_create(&l->thread, NULL, run_thread, l);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	l->is_started = r == 0;
	return r;
}

int mqtt_gw_link_start(struct mqtt_gw_link *l, const struct mqtt_gw_link_conf *conf, uint64_t seed, char *err,
		       size_t err_size)
{
	int r = 0;

	memset(l, 0, sizeof(*l));
	l->conf = *conf;
	queue_init(&l->in);
	queue_init(&l->out);
	pthread_mutex_init(&l->lock, NULL);
	gate_backoff_init(&l->backoff, (int64_t)conf->backoff_min_ms * FC_US_PER_MS,
			  (int64_t)conf->backoff_max_ms * FC_US_PER_MS, conf->n_brokers, seed);
	l->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (l->event_fd < 0 || l->wake_fd < 0)
		r = -errno;
	else if (mosquitto_lib_init() != MOSQ_ERR_SUCCESS)
		r = -ENOMEM;
	else
		r = start_thread(l);
	if (r)
		snprintf(err, err_size, "cannot start the connection: %s", strerror(-r));
	return r;
}

void mqtt_gw_link_close(struct mqtt_gw_link *l)
{
	bool is_over;

	if (!l->is_started)
		return;
	mqtt_gw_link_stop(l);
	pthread_mutex_lock(&l->lock);
	is_over = l->is_over;
	pthread_mutex_unlock(&l->lock);
	l->is_started = false;
	if (!is_over) {
		/* It waits for a name server and holds nothing but memory; the end of the process ends it. */
		pthread_detach(l->thread);
		return;
	}
	pthread_join(l->thread, NULL);
	mosquitto_lib_cleanup();
	queue_clear(&l->in);
	queue_clear(&l->out);
	close(l->event_fd);
	close(l->wake_fd);
	pthread_mutex_destroy(&l->lock);
}
