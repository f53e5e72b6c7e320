/* SPDX-License-Identifier: MIT */
/*
 * Addresses of brokers, names and topics. Pure.
 *
 *     mqtt://HOST[:1883]   mqtts://HOST[:8883]   several, separated by commas or blanks
 *
 *     PREFIX/SITE/point/NAME/KIND
 *     PREFIX/SITE/point/NAME/command/ID/status
 *     PREFIX/SITE/gateway/NAME/KIND
 */
#ifndef GATEWAYS_GATE_URL_H
#define GATEWAYS_GATE_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GATE_MAX_BROKERS 8
#define GATE_HOST_MAX	 128
#define GATE_NAME_MAX	 32 /* of a site, a point, a gateway, with the NUL */
#define GATE_ID_MAX	 65 /* of a command, with the NUL */
#define GATE_BASE_MAX	 100
#define GATE_TOPIC_MAX	 256

struct gate_broker {
	char host[GATE_HOST_MAX]; /* without the brackets of an IPv6 address */
	uint16_t port;
	bool is_tls;
};

/*
 * 0, or -EINVAL with a sentence. A user or password in an address is refused: everybody on the host could
 * read it.
 */
int gate_brokers_parse(const char *text, struct gate_broker broker[GATE_MAX_BROKERS], uint32_t *n, char *err,
		       size_t err_size);

/*
 * Letters, digits, '_', '-', '.'; not empty, not beginning with a dot; shorter than max. Then it is a topic
 * level.
 */
bool gate_is_name(const char *text, size_t max);
/* Levels of such names between slashes. */
bool gate_is_prefix(const char *text);

enum gate_topic {
	GATE_TOPIC_REPORT,
	GATE_TOPIC_GRANT,
	GATE_TOPIC_STATE,
	GATE_TOPIC_LOG,
	GATE_TOPIC_COMMAND,
	GATE_N_TOPICS,
};

/* BASE is PREFIX/SITE. Returns text. */
const char *gate_topic_point(char text[GATE_TOPIC_MAX], const char *base, const char *name,
			     enum gate_topic kind);
const char *gate_topic_gateway(char text[GATE_TOPIC_MAX], const char *base, const char *name,
			       enum gate_topic kind);
const char *gate_topic_answer(char text[GATE_TOPIC_MAX], const char *base, const char *name, const char *id);
/* Takes a point's topic apart; false: it is something else. */
bool gate_topic_parse(const char *topic, const char *base, char name[GATE_NAME_MAX], enum gate_topic *kind);

#endif
