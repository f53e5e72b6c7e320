/* SPDX-License-Identifier: MIT */
/*
 * A real broker (mosquitto) on ports of its own, certificates made for it, and a small MQTT 3.1.1 client of
 * our own, so that what a gateway says is judged by somebody who shares no code with it. For cmocka: what
 * goes wrong fails the test. Everything waits on descriptors, with limits; processes die with the test.
 */
#ifndef TESTS_MQTT_RIG_H
#define TESTS_MQTT_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/lib/proc_child.h"

#define MQTT_LIMIT_MS 20000 /* hang limit of one step */
#define MQTT_TEXT_MAX 65536
#define MQTT_KEPT_MAX 8192

/* --- broker --------------------------------------------------------------------------------------------- */

struct mqtt_broker {
	struct proc_child child;
	char folder[64]; /* configuration, certificates, what it keeps */
	unsigned port, tls_port;
	char config[2048]; /* lines besides the listeners */
};

/* False: not installed here; the sentence says what is missing. */
bool mqtt_is_installed(char *why, size_t size);
/* Makes the folder and chooses ports. */
void mqtt_broker_open(struct mqtt_broker *b);
/*
 * Starts it, or starts it again, with a plain listener for everybody and the lines of `config`; returns when
 * it takes connections.
 */
void mqtt_broker_start(struct mqtt_broker *b);
/* Ends it by that signal and waits. */
void mqtt_broker_stop(struct mqtt_broker *b, int signal);
/* Ends it and removes the folder. */
void mqtt_broker_close(struct mqtt_broker *b);
/* Path of a file in the folder. */
const char *mqtt_broker_path(const struct mqtt_broker *b, const char *name, char path[160]);
/* Writes a file there, with that mode. */
void mqtt_broker_write(const struct mqtt_broker *b, const char *name, const char *text, unsigned mode);
/* Runs a program to its end; its exit code must be 0. */
void mqtt_run(const char *const argv[]);
/* An authority NAME.pem, NAME.key. */
void mqtt_make_authority(const struct mqtt_broker *b, const char *name);
/* A certificate NAME.pem, NAME.key of that authority, for a host: "DNS:localhost". */
void mqtt_make_certificate(const struct mqtt_broker *b, const char *authority, const char *name,
			   const char *host);

/* --- client --------------------------------------------------------------------------------------------- */

struct mqtt_message {
	char topic[256];
	char *payload; /* terminated; until the next call */
	size_t n;
	unsigned qos;
	bool is_retained, is_again;
};

struct mqtt_peer {
	int fd; /* -1: not connected */
	unsigned port;
	char id[32];
	bool is_clean;
	uint16_t next_id;
	size_t n;
	unsigned char in[2 * MQTT_TEXT_MAX];
	/* Messages that came while something else was waited for. */
	struct mqtt_message *kept;
	size_t n_kept, first_kept;
	struct mqtt_message m; /* the last one */
};

/*
 * Connects, again and again until the broker is there; the subscriptions of a session that is not clean stay.
 */
void mqtt_peer_open(struct mqtt_peer *p, unsigned port, const char *id, bool is_clean);
void mqtt_peer_close(struct mqtt_peer *p);
void mqtt_peer_subscribe(struct mqtt_peer *p, const char *topic, unsigned qos);
/* QoS 1; returns when it is acknowledged. */
void mqtt_peer_publish(struct mqtt_peer *p, const char *topic, const char *payload, bool is_retained);
void mqtt_peer_publish_bytes(struct mqtt_peer *p, const char *topic, const void *payload, size_t n,
			     bool is_retained);
/* The next message, in p->m, or NULL after that time or when the connection has ended (p->fd is -1 then). */
const struct mqtt_message *mqtt_peer_next(struct mqtt_peer *p, int64_t limit_ms);
/* The next one of that topic (others are passed over); fails the test when none comes. */
const struct mqtt_message *mqtt_peer_expect(struct mqtt_peer *p, const char *topic);
/* The next one of that topic that holds the text. */
const struct mqtt_message *mqtt_peer_expect_text(struct mqtt_peer *p, const char *topic, const char *text);

#endif
