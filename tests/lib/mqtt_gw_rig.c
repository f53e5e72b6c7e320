/* SPDX-License-Identifier: MIT */
/* A gateway under test. */
#include "tests/lib/mqtt_gw_rig.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define LOOK_MS 20

void gw_fail(struct gw_rig *g, const char *what)
{
	if (g->child.output_fd >= 0)
		proc_output(&g->child, g->text, sizeof(g->text));
	fail_msg("%s; it printed:\n%s", what, g->text);
}

/* Two rigs of one process ask for a port after each other: the first has opened its by then. */
void gw_open(struct gw_rig *g, const struct mqtt_broker *b, const char *name)
{
	struct can_filter all = can_filter_all();
	char err[160];

	memset(g, 0, sizeof(*g));
	g->child.pid_fd = g->child.output_fd = -1;
	snprintf(g->socket, sizeof(g->socket), "%s/%s.sock", b->folder, name);
	assert_true(proc_pick_bus(g->url, sizeof(g->url)));
	if (can_bus_open(g->url, &g->bus, err, sizeof(err)))
		fail_msg("%s", err);
	assert_int_equal(can_bus_set_filters(g->bus, &all, 1), 0);
}

void gw_launch(struct gw_rig *g, const char *role, const char *const more[], const char *const env[])
{
	char path[PROC_PATH_MAX], can[96], control[200];
	const char *argv[PROC_MAX_ARGS + 1];
	size_t n = 0;

	if (!proc_find_program("mqtt-gw", path))
		fail_msg("mqtt-gw is not built: make first");
	snprintf(can, sizeof(can), "--can=%s", g->url);
	snprintf(control, sizeof(control), "--control=%s", g->socket);
	argv[n++] = path;
	argv[n++] = can;
	argv[n++] = control;
	argv[n++] = "--role";
	argv[n++] = role;
	while (*more && n < PROC_MAX_ARGS)
		argv[n++] = *more++;
	argv[n] = NULL;
	proc_end(&g->child);
	assert_int_equal(proc_start(&g->child, argv, env), 0);
}

void gw_start(struct gw_rig *g, const char *role, const char *const more[], const char *const env[])
{
	gw_launch(g, role, more, env);
	gw_wait_value(g, "connected", "1");
}

bool gw_ask(struct gw_rig *g)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = MQTT_LIMIT_MS / 1000};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t n = 0;
	ssize_t got;

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", g->socket);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a))) {
		close(fd);
		return false;
	}
	dprintf(fd, "status\n");
	g->text[0] = '\0';
	while (n + 1 < sizeof(g->text) && (n < 3 || strcmp(g->text + n - 3, "ok\n") != 0) &&
	       (got = recv(fd, g->text + n, sizeof(g->text) - 1 - n, 0)) > 0) {
		n += (size_t)got;
		g->text[n] = '\0';
	}
	close(fd);
	return n >= 3 && strcmp(g->text + n - 3, "ok\n") == 0;
}

const char *gw_value(const struct gw_rig *g, const char *key, char value[200])
{
	const char *line = g->text;
	size_t len = strlen(key);

	value[0] = '\0';
	while (line && (strncmp(line, key, len) != 0 || line[len] != '=')) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (line)
		snprintf(value, 200, "%.*s", (int)strcspn(line + len + 1, "\n"), line + len + 1);
	return value;
}

static bool is_value(const char *value, const char *wanted)
{
	size_t n = strlen(wanted);

	if (n > 0 && wanted[n - 1] == '*')
		return strncmp(value, wanted, n - 1) == 0;
	return strcmp(value, wanted) == 0;
}

/*
 * Between two looks: until the process ends or a moment has gone. False: it has ended, or the limit is over.
 */
static bool look_again(struct gw_rig *g, int64_t end_us)
{
	struct pollfd p = {.fd = g->child.pid_fd, .events = POLLIN};

	return poll(&p, 1, LOOK_MS) == 0 && proc_now_us() < end_us;
}

void gw_wait_value(struct gw_rig *g, const char *key, const char *wanted)
{
	int64_t end_us = proc_now_us() + (int64_t)MQTT_LIMIT_MS * 1000;
	char value[200], what[600];

	do {
		if (gw_ask(g) && is_value(gw_value(g, key, value), wanted))
			return;
	} while (look_again(g, end_us));
	snprintf(what, sizeof(what), "%s is '%s' and not '%s'", key, gw_value(g, key, value), wanted);
	gw_fail(g, what);
}

void gw_wait_number(struct gw_rig *g, const char *key, long long least)
{
	int64_t end_us = proc_now_us() + (int64_t)MQTT_LIMIT_MS * 1000;
	char value[200], what[600];

	do {
		if (gw_ask(g) && strtoll(gw_value(g, key, value), NULL, 10) >= least)
			return;
	} while (look_again(g, end_us));
	snprintf(what, sizeof(what), "%s is '%s', below %lld", key, gw_value(g, key, value), least);
	gw_fail(g, what);
}

int gw_stop(struct gw_rig *g)
{
	assert_int_equal(kill(g->child.pid, SIGTERM), 0);
	if (!proc_wait(&g->child, MQTT_LIMIT_MS))
		gw_fail(g, "does not end");
	return proc_exit_code(&g->child);
}

void gw_close(struct gw_rig *g)
{
	proc_end(&g->child);
	if (g->bus)
		can_bus_close(g->bus);
	g->bus = NULL;
}

/* --- bus ------------------------------------------------------------------------------------------------ */

void gw_send(struct gw_rig *g, enum site_msg msg, unsigned number, const void *content)
{
	struct can_frame f;

	assert_int_equal(msg_to_frame(&site_layouts[SITE_V1][msg], content, number, &f), 0);
	assert_int_equal(can_bus_send(g->bus, &f), 0);
}

bool gw_hears(struct gw_rig *g, enum site_msg msg, unsigned number, void *content, int64_t limit_ms)
{
	const struct msg_layout *l = &site_layouts[SITE_V1][msg];
	int64_t end_us = proc_now_us() + limit_ms * 1000;

	for (;;) {
		struct pollfd p = {.fd = can_bus_fd(g->bus), .events = POLLIN};
		struct can_rx_info info;
		struct can_frame f;
		int64_t left_us;

		while (can_bus_recv(g->bus, &f, &info) == 1)
			if (f.can_id == (l->id | (canid_t)number << MSG_INDEX_SHIFT))
				return msg_from_frame(l, content, &f, l->dlc);
		left_us = end_us - proc_now_us();
		if (left_us <= 0)
			return false;
		poll(&p, 1, (int)(left_us / 1000 + 1));
	}
}

void gw_expect(struct gw_rig *g, enum site_msg msg, unsigned number, void *content)
{
	char what[80];

	if (gw_hears(g, msg, number, content, MQTT_LIMIT_MS))
		return;
	snprintf(what, sizeof(what), "no %s of number %u", site_layouts[SITE_V1][msg].name, number);
	gw_fail(g, what);
}
