/* SPDX-License-Identifier: MIT */
/* The metrics port: one small request, one answer, then the end. */
#include "monitor/mon_serve.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <forecourt/units.h>

#define BACKLOG 16

/* What a client may send behind its request before it is dropped. */
#define MAX_DRAINED 65536

/* Without descriptors nobody can be let in: looked at again after this time. */
#define RETRY_US FC_US_PER_S

static void on_client(void *ctx, int64_t now_us, uint32_t events);
static void on_listener(void *ctx, int64_t now_us, uint32_t events);

/* --- clients -------------------------------------------------------------------------------------------- */

static void listen_again(struct mon_serve *s)
{
	s->retry_us = FC_NEVER;
	if (!s->is_listening && loop_add(s->loop, s->fd, EPOLLIN, on_listener, s) == 0)
		s->is_listening = true;
}

static void client_end(struct mon_serve_client *c, bool is_dropped)
{
	struct mon_serve *s = c->serve;

	loop_remove(s->loop, c->fd);
	close(c->fd);
	c->fd = -1;
	c->state = MON_SERVE_FREE;
	s->n_dropped += is_dropped;
	listen_again(s);
}

/* The loop has no call to change what is waited for. False: the client is gone. */
static bool wait_for(struct mon_serve_client *c, bool is_output)
{
	if (c->waits_for_output == is_output)
		return true;
	loop_remove(c->serve->loop, c->fd);
	c->waits_for_output = is_output;
	if (loop_add(c->serve->loop, c->fd, is_output ? EPOLLOUT : EPOLLIN, on_client, c) == 0)
		return true;
	client_end(c, true);
	return false;
}

static void client_drain(struct mon_serve_client *c)
{
	ssize_t n;

	do {
		n = read(c->fd, c->in, sizeof(c->in));
		c->n_in += n > 0 ? (size_t)n : 0;
	} while ((n > 0 && c->n_in < MAX_DRAINED) || (n < 0 && errno == EINTR));
	if (n >= 0 || errno != EAGAIN)
		client_end(c, n > 0);
}

/* write() and not send(): the loop ignores SIGPIPE, and no program of the monitors links a sending call. */
static void client_write(struct mon_serve_client *c)
{
	ssize_t n;

	while (c->at < c->n_out) {
		n = write(c->fd, c->out + c->at, c->n_out - c->at);
		if (n > 0) {
			c->at += (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			wait_for(c, true);
			return;
		} else if (n == 0 || errno != EINTR) {
			client_end(c, true);
			return;
		}
	}
	c->state = MON_SERVE_DRAINING;
	shutdown(c->fd, SHUT_WR);
	if (wait_for(c, false))
		client_drain(c);
}

/* Puts the head before a body that is already at out + MON_SERVE_HEAD. */
static void answer(struct mon_serve_client *c, const char *status, const char *type, const char *extra,
		   size_t n_body, bool is_head_only)
{
	char head[MON_SERVE_HEAD];
	int n = snprintf(
		head, sizeof(head),
		"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%sConnection: close\r\n\r\n",
		status, type, n_body, extra);

	c->at = MON_SERVE_HEAD - (size_t)n;
	memcpy(c->out + c->at, head, (size_t)n);
	c->n_out = MON_SERVE_HEAD + (is_head_only ? 0 : n_body);
	c->state = MON_SERVE_WRITING;
	client_write(c);
}

static void refuse(struct mon_serve_client *c, const char *status, const char *extra)
{
	int n = snprintf(c->out + MON_SERVE_HEAD, MON_SERVE_BODY, "%s\n", status);

	c->serve->n_refused++;
	answer(c, status, "text/plain; charset=utf-8", extra, (size_t)n, false);
}

static void give_page(struct mon_serve_client *c, int64_t now_us, bool is_head_only)
{
	struct mon_serve *s = c->serve;
	size_t n = s->page(s->ctx, now_us, c->out + MON_SERVE_HEAD, MON_SERVE_BODY);

	s->n_served++;
	answer(c, "200 OK", "text/plain; version=0.0.4; charset=utf-8", "", n, is_head_only);
}

static void give_hint(struct mon_serve_client *c, bool is_head_only)
{
	int n = snprintf(c->out + MON_SERVE_HEAD, MON_SERVE_BODY, "%s: see /metrics\n", c->serve->program);

	answer(c, "200 OK", "text/plain; charset=utf-8", "", (size_t)n, is_head_only);
}

/* Cuts the next word off the line; a word ends at one blank or at the end. */
static char *take_word(char **line)
{
	char *word = *line, *end = strchr(word, ' ');

	if (end)
		*end++ = '\0';
	*line = end ? end : word + strlen(word);
	return word;
}

/* line: the request line, without its end. */
static void client_serve(struct mon_serve_client *c, int64_t now_us, char *line)
{
	const char *method = take_word(&line), *target = take_word(&line), *version = take_word(&line);
	bool is_head_only = strcmp(method, "HEAD") == 0;
	size_t n_path = strcspn(target, "?");

	if (*line || target[0] != '/' ||
	    (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0))
		refuse(c, "400 Bad Request", "");
	else if (!is_head_only && strcmp(method, "GET") != 0)
		refuse(c, "405 Method Not Allowed", "Allow: GET, HEAD\r\n");
	else if (n_path == strlen("/metrics") && strncmp(target, "/metrics", n_path) == 0)
		give_page(c, now_us, is_head_only);
	else if (n_path == 1)
		give_hint(c, is_head_only);
	else
		refuse(c, "404 Not Found", "");
}

/* The request ends with an empty line; lone line feeds count too. */
static bool is_complete(const struct mon_serve_client *c)
{
	return memmem(c->in, c->n_in, "\n\r\n", 3) || memmem(c->in, c->n_in, "\n\n", 2);
}

static void client_read(struct mon_serve_client *c, int64_t now_us)
{
	char *end;
	ssize_t n;

	do
		n = read(c->fd, c->in + c->n_in, sizeof(c->in) - c->n_in);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		client_end(c, n < 0);
		return;
	}
	c->n_in += (size_t)n;
	if (!is_complete(c)) {
		if (c->n_in == sizeof(c->in))
			refuse(c, "431 Request Header Fields Too Large", "");
		return;
	}
	end = memchr(c->in, '\n', c->n_in);
	if (end > c->in && end[-1] == '\r')
		end--;
	*end = '\0';
	if (strlen(c->in) != (size_t)(end - c->in))
		refuse(c, "400 Bad Request", ""); /* a zero byte within */
	else
		client_serve(c, now_us, c->in);
}

static void on_client(void *ctx, int64_t now_us, uint32_t events)
{
	struct mon_serve_client *c = ctx;

	(void)events; /* errors show in the call */
	switch (c->state) {
	case MON_SERVE_FREE:
		return;
	case MON_SERVE_READING:
		client_read(c, now_us);
		return;
	case MON_SERVE_WRITING:
		client_write(c);
		return;
	case MON_SERVE_DRAINING:
		client_drain(c);
		return;
	}
}

/* --- the port ------------------------------------------------------------------------------------------- */

static struct mon_serve_client *free_client(struct mon_serve *s)
{
	unsigned i;

	for (i = 0; i < MON_SERVE_CLIENTS; i++)
		if (s->client[i].state == MON_SERVE_FREE)
			return &s->client[i];
	return NULL;
}

/* A listener that stays ready would wake the loop without end. */
static void stop_listening(struct mon_serve *s)
{
	loop_remove(s->loop, s->fd);
	s->is_listening = false;
}

static void client_begin(struct mon_serve *s, struct mon_serve_client *c, int fd, int64_t now_us)
{
	c->serve = s;
	c->fd = fd;
	c->n_in = 0;
	c->waits_for_output = false;
	c->end_us = now_us + MON_SERVE_TIMEOUT_US;
	c->state = MON_SERVE_READING;
	if (loop_add(s->loop, fd, EPOLLIN, on_client, c))
		client_end(c, true);
	else
		loop_arm(s->loop, c->end_us);
}

static void on_listener(void *ctx, int64_t now_us, uint32_t events)
{
	struct mon_serve *s = ctx;
	struct mon_serve_client *c;
	int fd;

	(void)events;
	while ((c = free_client(s)) != NULL) {
		fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			client_begin(s, c, fd, now_us);
		} else if (errno == EAGAIN) {
			return;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			stop_listening(s);
			s->retry_us = now_us + RETRY_US;
			loop_arm(s->loop, s->retry_us);
			return;
		}
	}
	stop_listening(s); /* full; goes on with the first place that is free again */
}

static int bind_and_listen(struct mon_serve *s, const struct mon_serve_address *a)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} u;
	socklen_t len = a->is_v6 ? sizeof(u.v6) : sizeof(u.v4);
	const int on = 1;

	memset(&u, 0, sizeof(u));
	if (a->is_v6) {
		u.v6.sin6_family = AF_INET6;
		u.v6.sin6_port = htons(a->port);
		memcpy(&u.v6.sin6_addr, a->ip, 16);
	} else {
		u.v4.sin_family = AF_INET;
		u.v4.sin_port = htons(a->port);
		memcpy(&u.v4.sin_addr, a->ip, 4);
	}
	s->fd = socket(u.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(s->fd, &u.any, len) != 0 || listen(s->fd, BACKLOG) != 0)
		return -errno;
	return 0;
}

int mon_serve_open(struct mon_serve *s, const struct mon_serve_address *a, struct loop *loop,
		   const char *program, mon_serve_fn page, void *ctx, char *err, size_t err_size)
{
	unsigned i;
	int r;

	for (i = 0; i < MON_SERVE_CLIENTS; i++) /* not a memset: the pages of unused places stay untouched */
		s->client[i].state = MON_SERVE_FREE;
	s->loop = loop;
	s->program = program;
	s->page = page;
	s->ctx = ctx;
	s->n_served = s->n_refused = s->n_dropped = 0;
	s->is_listening = false;
	s->retry_us = FC_NEVER;
	r = bind_and_listen(s, a);
	if (!r) {
		r = loop_add(loop, s->fd, EPOLLIN, on_listener, s);
		s->is_listening = !r;
	}
	if (!r)
		return 0;
	snprintf(err, err_size, "metrics port %u: %s", a->port, strerror(-r));
	mon_serve_close(s);
	return r;
}

void mon_serve_close(struct mon_serve *s)
{
	unsigned i;

	if (s->fd < 0)
		return;
	for (i = 0; i < MON_SERVE_CLIENTS; i++)
		if (s->client[i].state != MON_SERVE_FREE)
			client_end(&s->client[i], false);
	stop_listening(s);
	close(s->fd);
	s->fd = -1;
}

uint16_t mon_serve_port(const struct mon_serve *s)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} u;
	socklen_t len = sizeof(u);

	if (getsockname(s->fd, &u.any, &len) != 0)
		return 0;
	return ntohs(u.any.sa_family == AF_INET6 ? u.v6.sin6_port : u.v4.sin_port);
}

int64_t mon_serve_service(struct mon_serve *s, int64_t now_us)
{
	int64_t next_us;
	unsigned i;

	if (s->fd < 0)
		return FC_NEVER;
	if (now_us >= s->retry_us)
		listen_again(s);
	next_us = s->retry_us;
	for (i = 0; i < MON_SERVE_CLIENTS; i++) {
		struct mon_serve_client *c = &s->client[i];

		if (c->state == MON_SERVE_FREE)
			continue;
		if (now_us >= c->end_us)
			client_end(c, c->state != MON_SERVE_DRAINING);
		else
			next_us = fc_min_i64(next_us, c->end_us);
	}
	return next_us;
}

/* --- its address ---------------------------------------------------------------------------------------- */

static int bad_address(const char *text, char *err, size_t err_size)
{
	snprintf(err, err_size, "'%.60s' is not ADDRESS:PORT (127.0.0.1:9100, [::1]:9100 or 9100)", text);
	return -EINVAL;
}

static bool parse_port(const char *text, uint16_t *port)
{
	unsigned long number = 0;
	size_t i;

	for (i = 0; text[i] >= '0' && text[i] <= '9' && i < 6; i++)
		number = number * 10 + (unsigned long)(text[i] - '0');
	*port = (uint16_t)number;
	return i > 0 && text[i] == '\0' && number <= UINT16_MAX;
}

int mon_serve_parse(const char *text, struct mon_serve_address *a, char *err, size_t err_size)
{
	static const uint8_t loopback_v6[16] = {[15] = 1};
	const char *colon = strrchr(text, ':'), *port = colon ? colon + 1 : text;
	size_t n = colon ? (size_t)(colon - text) : 0;
	struct mon_serve_address r = {.ip = {127, 0, 0, 1}};
	char host[64];

	if (n >= sizeof(host) || !parse_port(port, &r.port))
		return bad_address(text, err, err_size);
	memcpy(host, text, n);
	host[n] = '\0';
	if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		r.is_v6 = true;
		if (inet_pton(AF_INET6, host + 1, r.ip) != 1)
			return bad_address(text, err, err_size);
	} else if (n > 0 && strcmp(host, "localhost") != 0 && inet_pton(AF_INET, host, r.ip) != 1) {
		return bad_address(text, err, err_size);
	}
	r.is_loopback = r.is_v6 ? memcmp(r.ip, loopback_v6, sizeof(loopback_v6)) == 0 : r.ip[0] == 127;
	*a = r;
	return 0;
}
