/* SPDX-License-Identifier: MIT */
/* Addresses, names, topics. Pure. */
#include "gateways/gate_url.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PORT_PLAIN 1883
#define PORT_TLS   8883
#define URL_MAX	   200
#define SEPARATORS ", \t"

static bool is_host_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '.' || c == '_';
}

static bool is_address_char(char c)
{
	return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || (c >= '0' && c <= '9') || c == ':' ||
	       c == '.' || c == '%';
}

static int refuse(const char *url, const char *why, char *err, size_t err_size)
{
	snprintf(err, err_size, "broker '%s': %s", url, why);
	return -EINVAL;
}

static int parse_port(const char *text, uint16_t *port)
{
	unsigned long n = 0;
	const char *p;

	for (p = text; *p >= '0' && *p <= '9' && n <= 65535; p++)
		n = n * 10 + (unsigned long)(*p - '0');
	if (*p || p == text || n == 0 || n > 65535)
		return -EINVAL;
	*port = (uint16_t)n;
	return 0;
}

/* "host" or "[address]"; *rest is behind it. */
static int parse_host(const char *text, struct gate_broker *b, const char **rest)
{
	bool is_address = *text == '[';
	const char *p = text + is_address, *start = p;
	size_t n;

	while (is_address ? is_address_char(*p) : is_host_char(*p))
		p++;
	n = (size_t)(p - start);
	if (n == 0 || n >= sizeof(b->host) || (is_address && *p != ']'))
		return -EINVAL;
	memcpy(b->host, start, n);
	b->host[n] = '\0';
	*rest = p + is_address;
	return 0;
}

static int parse_url(const char *url, struct gate_broker *b, char *err, size_t err_size)
{
	const char *p;

	memset(b, 0, sizeof(*b));
	if (strncmp(url, "mqtts://", 8) == 0) {
		b->is_tls = true;
		p = url + 8;
	} else if (strncmp(url, "mqtt://", 7) == 0) {
		p = url + 7;
	} else {
		return refuse(url, "must begin with mqtt:// or mqtts://", err, err_size);
	}
	if (strchr(p, '@'))
		return refuse("...@...", "user and password belong into the file of --credentials", err,
			      err_size);
	b->port = b->is_tls ? PORT_TLS : PORT_PLAIN;
	if (parse_host(p, b, &p))
		return refuse(url, "has no usable host name", err, err_size);
	if (*p == ':' && parse_port(p + 1, &b->port))
		return refuse(url, "the port must be 1 to 65535", err, err_size);
	if (*p && *p != ':')
		return refuse(url, "nothing may follow host and port", err, err_size);
	return 0;
}

int gate_brokers_parse(const char *text, struct gate_broker broker[GATE_MAX_BROKERS], uint32_t *n, char *err,
		       size_t err_size)
{
	char url[URL_MAX];

	*n = 0;
	for (text += strspn(text, SEPARATORS); *text; text += strspn(text, SEPARATORS)) {
		size_t len = strcspn(text, SEPARATORS);
		int r;

		if (len >= sizeof(url))
			return refuse("...", "an address is too long", err, err_size);
		memcpy(url, text, len);
		url[len] = '\0';
		text += len;
		if (*n == GATE_MAX_BROKERS)
			return refuse(url, "is one too many, at most 8", err, err_size);
		r = parse_url(url, &broker[*n], err, err_size);
		if (r)
			return r;
		(*n)++;
	}
	return *n ? 0 : refuse("", "none is given", err, err_size);
}

bool gate_is_name(const char *text, size_t max)
{
	const char *p;

	for (p = text; is_host_char(*p); p++)
		;
	return !*p && p > text && *text != '.' && (size_t)(p - text) < max;
}

bool gate_is_prefix(const char *text)
{
	bool has_level = false;
	const char *p;

	for (p = text; *p; p++) {
		if (*p == '/' && !has_level)
			return false;
		if (*p != '/' && !is_host_char(*p))
			return false;
		has_level = *p != '/';
	}
	return has_level;
}

static const char *const kinds[GATE_N_TOPICS] = {
	[GATE_TOPIC_REPORT] = "report", [GATE_TOPIC_GRANT] = "grant",	  [GATE_TOPIC_STATE] = "state",
	[GATE_TOPIC_LOG] = "log",	[GATE_TOPIC_COMMAND] = "command",
};

const char *gate_topic_point(char text[GATE_TOPIC_MAX], const char *base, const char *name,
			     enum gate_topic kind)
{
	snprintf(text, GATE_TOPIC_MAX, "%s/point/%s/%s", base, name, kinds[kind]);
	return text;
}

const char *gate_topic_gateway(char text[GATE_TOPIC_MAX], const char *base, const char *name,
			       enum gate_topic kind)
{
	snprintf(text, GATE_TOPIC_MAX, "%s/gateway/%s/%s", base, name, kinds[kind]);
	return text;
}

const char *gate_topic_answer(char text[GATE_TOPIC_MAX], const char *base, const char *name, const char *id)
{
	snprintf(text, GATE_TOPIC_MAX, "%s/point/%s/command/%s/status", base, name, id);
	return text;
}

bool gate_topic_parse(const char *topic, const char *base, char name[GATE_NAME_MAX], enum gate_topic *kind)
{
	size_t n = strlen(base);
	unsigned i;

	if (strncmp(topic, base, n) != 0 || strncmp(topic + n, "/point/", 7) != 0)
		return false;
	topic += n + 7;
	n = strcspn(topic, "/");
	if (n == 0 || n >= GATE_NAME_MAX || !topic[n])
		return false;
	memcpy(name, topic, n);
	name[n] = '\0';
	for (i = 0; i < GATE_N_TOPICS; i++) {
		if (strcmp(topic + n + 1, kinds[i]) == 0) {
			*kind = (enum gate_topic)i;
			return true;
		}
	}
	return false;
}
