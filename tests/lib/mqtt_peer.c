/* SPDX-License-Identifier: MIT */
/* A small MQTT 3.1.1 client: packets as in the standard, sections 2 and 3. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/mqtt_rig.h"

#define CONNECT	  0x10
#define CONNACK	  0x20
#define PUBLISH	  0x30
#define PUBACK	  0x40
#define SUBSCRIBE 0x82
#define SUBACK	  0x90
#define LOOK_MS	  20

struct packet {
	unsigned char data[MQTT_TEXT_MAX + 512];
	size_t n;
};

static void put_byte(struct packet *k, unsigned byte)
{
	assert_true(k->n < sizeof(k->data));
	k->data[k->n++] = (unsigned char)byte;
}

static void put_bytes(struct packet *k, const void *bytes, size_t n)
{
	assert_true(k->n + n <= sizeof(k->data));
	if (n > 0)
		memcpy(k->data + k->n, bytes, n);
	k->n += n;
}

static void put_number(struct packet *k, unsigned number)
{
	put_byte(k, number >> 8);
	put_byte(k, number & 0xff);
}

static void put_text(struct packet *k, const char *text)
{
	put_number(k, (unsigned)strlen(text));
	put_bytes(k, text, strlen(text));
}

static void hang_up(struct mqtt_peer *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	p->n = 0;
}

/* Header, length in steps of seven bits, body. */
static void send_packet(struct mqtt_peer *p, unsigned type, const struct packet *body)
{
	static struct packet whole;
	size_t left = body->n;

	whole.n = 0;
	put_byte(&whole, type);
	do {
		put_byte(&whole, (unsigned)(left % 128 | (left >= 128 ? 128 : 0)));
		left /= 128;
	} while (left > 0);
	put_bytes(&whole, body->data, body->n);
	if (send(p->fd, whole.data, whole.n, MSG_NOSIGNAL) != (ssize_t)whole.n)
		hang_up(p);
}

/* The next whole packet: its type byte, and the body's place in p->in; 0: none in time, or hung up. */
static unsigned receive(struct mqtt_peer *p, int64_t end_us, size_t *body, size_t *n)
{
	while (p->fd >= 0) {
		size_t length = 0, at = 1;
		int64_t left_us = end_us - proc_now_us();
		struct pollfd f = {.fd = p->fd, .events = POLLIN};
		ssize_t got;

		while (at < p->n && at <= 4) {
			length |= (size_t)(p->in[at] & 127) << 7 * (at - 1);
			if (!(p->in[at++] & 128)) {
				if (p->n < at + length)
					break;
				*body = at;
				*n = length;
				return p->in[0];
			}
		}
		if (poll(&f, 1, left_us > 0 ? (int)(left_us / 1000 + 1) : 0) <= 0)
			return 0;
		got = recv(p->fd, p->in + p->n, sizeof(p->in) - p->n, 0);
		if (got <= 0)
			hang_up(p);
		else
			p->n += (size_t)got;
	}
	return 0;
}

static void forget_packet(struct mqtt_peer *p, size_t end)
{
	p->n -= end;
	memmove(p->in, p->in + end, p->n);
}

static void take_publish(struct mqtt_peer *p, unsigned type, size_t body, size_t n)
{
	const unsigned char *in = p->in + body;
	size_t topic_n = (size_t)in[0] << 8 | in[1], at = 2 + topic_n;
	struct mqtt_message *m = &p->kept[p->n_kept];
	static struct packet ack;

	assert_true(p->n_kept < MQTT_KEPT_MAX && topic_n < sizeof(m->topic) && at <= n);
	memset(m, 0, sizeof(*m));
	memcpy(m->topic, in + 2, topic_n);
	m->qos = type >> 1 & 3;
	m->is_retained = type & 1;
	m->is_again = type >> 3 & 1;
	ack.n = 0;
	if (m->qos > 0) {
		put_bytes(&ack, in + at, 2);
		at += 2;
	}
	m->n = n - at;
	m->payload = calloc(1, m->n + 1);
	assert_non_null(m->payload);
	memcpy(m->payload, in + at, m->n);
	p->n_kept++;
	if (m->qos > 0)
		send_packet(p, PUBACK, &ack);
}

/*
 * Takes one packet: its type, 0 for none in time. A message is kept; of others the first bytes go to answer.
 */
static unsigned take_packet(struct mqtt_peer *p, int64_t end_us, unsigned char answer[4])
{
	size_t body, n;
	unsigned type = receive(p, end_us, &body, &n);

	if (type == 0)
		return 0;
	if ((type & 0xf0) == PUBLISH)
		take_publish(p, type, body, n);
	else
		memcpy(answer, p->in + body, n < 4 ? n : 4);
	if (p->fd >= 0)
		forget_packet(p, body + n);
	return type & 0xf0;
}

static bool await(struct mqtt_peer *p, unsigned type, int64_t end_us, unsigned char answer[4])
{
	unsigned got;

	while ((got = take_packet(p, end_us, answer)) != 0)
		if (got == type)
			return true;
	return false;
}

static bool dial(struct mqtt_peer *p, int64_t end_us)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				.sin_port = htons((uint16_t)p->port)};
	unsigned char answer[4] = {0};
	static struct packet k;
	int at_once = 1;

	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(p->fd >= 0);
	setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once));
	if (connect(p->fd, (const struct sockaddr *)&a, sizeof(a))) {
		hang_up(p);
		return false;
	}
	k.n = 0;
	put_text(&k, "MQTT");
	put_byte(&k, 4); /* level: 3.1.1 */
	put_byte(&k, p->is_clean ? 2 : 0);
	put_number(&k, 0); /* no life signs */
	put_text(&k, p->id);
	send_packet(p, CONNECT, &k);
	if (await(p, CONNACK, end_us, answer) && answer[1] == 0)
		return true;
	hang_up(p);
	return false;
}

void mqtt_peer_open(struct mqtt_peer *p, unsigned port, const char *id, bool is_clean)
{
	int64_t end_us = proc_now_us() + (int64_t)MQTT_LIMIT_MS * 1000;

	if (!p->kept)
		p->kept = calloc(MQTT_KEPT_MAX, sizeof(*p->kept));
	assert_non_null(p->kept);
	p->fd = -1;
	p->n = 0;
	p->port = port;
	p->is_clean = is_clean;
	snprintf(p->id, sizeof(p->id), "%s", id);
	while (!dial(p, end_us)) {
		if (proc_now_us() > end_us)
			fail_msg("%s cannot connect to the broker", id);
		poll(NULL, 0, LOOK_MS);
	}
}

void mqtt_peer_close(struct mqtt_peer *p)
{
	hang_up(p);
	while (p->first_kept < p->n_kept)
		free(p->kept[p->first_kept++].payload);
	free(p->kept);
	free(p->m.payload);
	memset(p, 0, sizeof(*p));
	p->fd = -1;
}

static uint16_t new_id(struct mqtt_peer *p)
{
	if (++p->next_id == 0)
		p->next_id = 1;
	return p->next_id;
}

void mqtt_peer_subscribe(struct mqtt_peer *p, const char *topic, unsigned qos)
{
	unsigned char answer[4] = {0};
	static struct packet k;

	k.n = 0;
	put_number(&k, new_id(p));
	put_text(&k, topic);
	put_byte(&k, qos);
	send_packet(p, SUBSCRIBE, &k);
	if (!await(p, SUBACK, proc_now_us() + (int64_t)MQTT_LIMIT_MS * 1000, answer) || answer[2] > 2)
		fail_msg("%s cannot subscribe %s", p->id, topic);
}

void mqtt_peer_publish_bytes(struct mqtt_peer *p, const char *topic, const void *payload, size_t n,
			     bool is_retained)
{
	unsigned char answer[4];
	static struct packet k;

	k.n = 0;
	put_text(&k, topic);
	put_number(&k, new_id(p));
	put_bytes(&k, payload, n);
	send_packet(p, PUBLISH | 2 | is_retained, &k);
	if (!await(p, PUBACK, proc_now_us() + (int64_t)MQTT_LIMIT_MS * 1000, answer))
		fail_msg("%s cannot publish %s", p->id, topic);
}

void mqtt_peer_publish(struct mqtt_peer *p, const char *topic, const char *payload, bool is_retained)
{
	mqtt_peer_publish_bytes(p, topic, payload, strlen(payload), is_retained);
}

const struct mqtt_message *mqtt_peer_next(struct mqtt_peer *p, int64_t limit_ms)
{
	int64_t end_us = proc_now_us() + limit_ms * 1000;
	unsigned char answer[4];

	if (p->first_kept == p->n_kept)
		p->first_kept = p->n_kept = 0;
	while (p->first_kept == p->n_kept)
		if (take_packet(p, end_us, answer) == 0)
			return NULL;
	free(p->m.payload);
	p->m = p->kept[p->first_kept++];
	return &p->m;
}

const struct mqtt_message *mqtt_peer_expect_text(struct mqtt_peer *p, const char *topic, const char *text)
{
	int64_t end_us = proc_now_us() + (int64_t)MQTT_LIMIT_MS * 1000;
	const struct mqtt_message *m;

	while (proc_now_us() < end_us) {
		m = mqtt_peer_next(p, MQTT_LIMIT_MS);
		if (m && strcmp(m->topic, topic) == 0 && strstr(m->payload, text))
			return m;
		if (!m && p->fd < 0)
			break;
	}
	fail_msg("no message of %s with '%s'; the last one was %s %.300s", topic, text, p->m.topic,
		 p->m.payload ? p->m.payload : "(none)");
	return NULL;
}

const struct mqtt_message *mqtt_peer_expect(struct mqtt_peer *p, const char *topic)
{
	return mqtt_peer_expect_text(p, topic, "");
}
