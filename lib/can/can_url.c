/* SPDX-License-Identifier: MIT */
/*
 * The URL of a bus taken apart. Pure.
 */
#include "lib/can/can_url.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/can/can_bus.h"

/* What is being parsed, and where complaints go. */
struct parser {
	const char *text;
	char *err;
	size_t err_size;
};

static int refuse(const struct parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int refuse(const struct parser *p, const char *format, ...)
{
	char reason[160];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	if (p->err_size > 0)
		snprintf(p->err, p->err_size, "CAN bus \"%.64s\": %s", p->text, reason);
	return -EINVAL;
}

/* Decimal number of the whole text, at most max; no sign, no blanks. False: not that. */
static bool read_number(const char *text, size_t len, uint32_t max, uint32_t *value)
{
	uint64_t v = 0;
	size_t i;

	if (len == 0 || len > 9)
		return false;
	for (i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(text[i] - '0');
	}
	if (v > max)
		return false;
	*value = (uint32_t)v;
	return true;
}

static bool read_ipv4(const char *text, size_t len, uint32_t *address)
{
	uint32_t part, a = 0;
	size_t start = 0, end;
	unsigned i;

	for (i = 0; i < 4; i++) {
		for (end = start; end < len && text[end] != '.'; end++)
			;
		if ((i < 3) != (end < len) || !read_number(text + start, end - start, 255, &part))
			return false;
		a = a << 8 | part;
		start = end + 1;
	}
	*address = a;
	return true;
}

static int read_iface(const struct parser *p, const char *name, size_t len, char iface[CAN_URL_IFACE_MAX])
{
	size_t i;

	if (len == 0)
		return refuse(p, "the interface name is missing");
	if (len >= CAN_URL_IFACE_MAX)
		return refuse(p, "an interface name has at most %d characters", CAN_URL_IFACE_MAX - 1);
	for (i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~' || strchr("/:?&\"", name[i]))
			return refuse(p, "this character cannot be in an interface name: '%c'",
				      name[i] > ' ' && name[i] <= '~' ? name[i] : '?');
	if ((len == 1 && name[0] == '.') || (len == 2 && memcmp(name, "..", 2) == 0))
		return refuse(p, "not an interface name");
	memcpy(iface, name, len);
	iface[len] = '\0';
	return 0;
}

/* "GROUP" or "GROUP:PORT". */
static int read_group(const struct parser *p, const char *text, size_t len, struct can_url *url)
{
	const char *colon = memchr(text, ':', len);
	size_t group_len = colon ? (size_t)(colon - text) : len;
	uint32_t port;

	if (len > 0 && text[0] == '[')
		return refuse(p, "only IPv4 groups are supported");
	if (!read_ipv4(text, group_len, &url->group))
		return refuse(p, "\"%.*s\" is not an IPv4 address", group_len < 64 ? (int)group_len : 64,
			      text);
	if (url->group >> 28 != 0xe)
		return refuse(p, "the group must be a multicast address, 224.0.0.0 to 239.255.255.255");
	if (!colon)
		return 0;
	if (!read_number(colon + 1, len - group_len - 1, 65535, &port) || port == 0)
		return refuse(p, "the port must be a number from 1 to 65535");
	url->port = (uint16_t)port;
	return 0;
}

static bool key_is(const char *key, size_t len, const char *name)
{
	return strlen(name) == len && memcmp(key, name, len) == 0;
}

static int read_option(const struct parser *p, const char *text, size_t len, struct can_url *url,
		       bool *has_ttl)
{
	const char *equals = memchr(text, '=', len);
	size_t key_len = equals ? (size_t)(equals - text) : len;
	const char *value = equals ? equals + 1 : text + len;
	size_t value_len = (size_t)(text + len - value);
	uint32_t number;

	if (key_is(text, key_len, "echo")) {
		if (!read_number(value, value_len, 1, &number))
			return refuse(p, "echo is 0 or 1");
		url->has_echo = number == 1;
		return 0;
	}
	if (url->kind == CAN_URL_UDP && key_is(text, key_len, "iface"))
		return read_iface(p, value, value_len, url->iface);
	if (url->kind == CAN_URL_UDP && key_is(text, key_len, "ttl")) {
		if (!read_number(value, value_len, 255, &number))
			return refuse(p, "ttl is a number from 0 to 255");
		url->ttl = (uint8_t)number;
		*has_ttl = true;
		return 0;
	}
	return refuse(p, "unknown option \"%.*s\"; known are %s", key_len < 32 ? (int)key_len : 32, text,
		      url->kind == CAN_URL_UDP ? "iface, ttl, echo" : "echo");
}

static int read_options(const struct parser *p, const char *text, struct can_url *url)
{
	bool has_ttl = false;
	size_t len;
	int rc;

	for (;;) {
		len = strcspn(text, "&");
		rc = read_option(p, text, len, url, &has_ttl);
		if (rc)
			return rc;
		if (text[len] == '\0')
			break;
		text += len + 1;
	}
	if (url->kind == CAN_URL_UDP && !has_ttl)
		url->ttl = strcmp(url->iface, "lo") == 0 ? 0 : 1;
	return 0;
}

int can_url_parse(const char *text, struct can_url *url, char *err, size_t err_size)
{
	const struct parser p = {text, err, err_size};
	size_t len = strcspn(text, "?");
	struct can_url u;
	int rc;

	memset(&u, 0, sizeof(u));
	if (len == 0)
		return refuse(&p, "empty; give for example can0, vcan0 or udp");
	if (key_is(text, len, "udp") || strncmp(text, "udp:", 4) == 0) {
		u.kind = CAN_URL_UDP;
		u.group = CAN_URL_UDP_GROUP;
		u.port = CAN_URL_UDP_PORT;
		memcpy(u.iface, "lo", 3);
		rc = len > 3 ? read_group(&p, text + 4, len - 4, &u) : 0;
	} else if (strncmp(text, "socketcan:", 10) == 0) {
		rc = read_iface(&p, text + 10, len - 10, u.iface);
	} else if (memchr(text, ':', len)) {
		rc = refuse(&p, "unknown kind of bus; known are socketcan:NAME and udp:GROUP:PORT");
	} else {
		rc = read_iface(&p, text, len, u.iface);
	}
	if (rc == 0 && text[len] == '?')
		rc = read_options(&p, text + len + 1, &u);
	if (rc == 0)
		*url = u;
	return rc;
}

/* Here and not beside can_bus_open(), which refers to the sending halves of the buses. */
bool can_bus_check_url(const char *url, char *err, size_t err_size)
{
	struct can_url u;

	return can_url_parse(url, &u, err, err_size) == 0;
}
