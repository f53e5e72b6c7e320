/* SPDX-License-Identifier: MIT */
/* Requests to a controller. */
#include "gateways/mqtt_gw_evse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <forecourt/units.h>

void mqtt_gw_evse_init(struct mqtt_gw_evse *e, const char *target, int epoll_fd)
{
	memset(e, 0, sizeof(*e));
	e->target = target;
	e->epoll_fd = epoll_fd;
	e->fd = -1;
}

void mqtt_gw_evse_close(struct mqtt_gw_evse *e)
{
	if (e->fd >= 0)
		close(e->fd);
	e->fd = -1;
	e->is_busy = false;
}

/* A connected socket, or a negative errno. A local connection is there at once or not at all. */
static int connect_path(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t n = strlen(path);
	int fd, r;

	if (n >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	memcpy(a.sun_path, path, n);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	r = -errno;
	close(fd);
	return r;
}

/* A name is looked for in all places. */
static int connect_target(const char *target)
{
	char path[CTL_PATH_MAX];
	int r = -ENOENT;
	unsigned i;

	if (strchr(target, '/'))
		return connect_path(target);
	for (i = 0; i < CTL_N_DIRS; i++) {
		int fd;

		if (ctl_socket_path(target, i, path))
			continue;
		fd = connect_path(path);
		if (fd >= 0)
			return fd;
		if (fd != -ENOENT)
			r = fd;
	}
	return r;
}

static int open_socket(struct mqtt_gw_evse *e)
{
	struct epoll_event watch = {.events = EPOLLIN};

	e->fd = connect_target(e->target);
	if (e->fd < 0) {
		int r = e->fd;

		e->fd = -1;
		return r;
	}
	if (epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, e->fd, &watch) == 0)
		return 0;
	mqtt_gw_evse_close(e);
	return -ENOMEM;
}

int mqtt_gw_evse_ask(struct mqtt_gw_evse *e, int64_t now_us, const char *line)
{
	char request[CTL_LINE_MAX];
	int n = snprintf(request, sizeof(request), "%s\n", line);
	int r = 0;

	if (e->is_busy)
		return -EBUSY;
	if (n >= (int)sizeof(request))
		return -EMSGSIZE;
	if (e->fd < 0)
		r = open_socket(e);
	if (r)
		return r;
	/* The kernel's buffer is larger than any request, and empty: one at a time. */
	if (send(e->fd, request, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) != n) {
		mqtt_gw_evse_close(e);
		return -EPIPE;
	}
	e->is_busy = true;
	e->asked_us = now_us;
	e->n = 0;
	return 0;
}

/* The last line, "ok" or "error: ...", ends an answer. */
static enum mqtt_gw_evse_result find_end(struct mqtt_gw_evse *e, const char **text)
{
	char *last;

	if (e->n == 0 || e->text[e->n - 1] != '\n')
		return MQTT_GW_EVSE_NOTHING;
	e->text[e->n - 1] = '\0';
	last = strrchr(e->text, '\n');
	last = last ? last + 1 : e->text;
	if (strcmp(last, "ok") == 0) {
		*last = '\0';
		*text = e->text;
		return MQTT_GW_EVSE_OK;
	}
	if (strncmp(last, "error: ", 7) == 0) {
		*text = last + 7;
		return MQTT_GW_EVSE_REFUSED;
	}
	e->text[e->n - 1] = '\n';
	return MQTT_GW_EVSE_NOTHING;
}

enum mqtt_gw_evse_result mqtt_gw_evse_read(struct mqtt_gw_evse *e, int64_t now_us, const char **text)
{
	enum mqtt_gw_evse_result result = MQTT_GW_EVSE_NOTHING;
	bool was_busy = e->is_busy;
	ssize_t got = 1;

	*text = "";
	if (e->fd < 0)
		return MQTT_GW_EVSE_NOTHING;
	while (got > 0 && e->n + 1 < sizeof(e->text)) {
		got = recv(e->fd, e->text + e->n, sizeof(e->text) - 1 - e->n, MSG_DONTWAIT);
		if (got > 0)
			e->n += (size_t)got;
	}
	e->text[e->n] = '\0';
	if (was_busy && !memchr(e->text, '\0', e->n))
		result = find_end(e, text);
	if (result != MQTT_GW_EVSE_NOTHING) {
		e->is_busy = false;
		return result;
	}
	/* Gone, silent, more than any answer has, or talking without being asked. */
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR) || e->n + 1 == sizeof(e->text) ||
	    (was_busy && now_us - e->asked_us >= MQTT_GW_EVSE_ANSWER_US) || (!was_busy && e->n > 0)) {
		mqtt_gw_evse_close(e);
		return was_busy ? MQTT_GW_EVSE_LOST : MQTT_GW_EVSE_NOTHING;
	}
	return MQTT_GW_EVSE_NOTHING;
}

int64_t mqtt_gw_evse_next_us(const struct mqtt_gw_evse *e)
{
	return e->is_busy ? e->asked_us + MQTT_GW_EVSE_ANSWER_US : FC_NEVER;
}
