/* SPDX-License-Identifier: MIT */
/* Notification protocol of the service manager, by hand: five datagrams do not need a library. */
#include "lib/linux/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <forecourt/units.h>

static int64_t env_number(const char *name)
{
	const char *text = getenv(name);
	char *end;
	long long v;

	if (!text || !*text)
		return -1;
	errno = 0;
	v = strtoll(text, &end, 10);
	return errno || *end || v <= 0 ? -1 : v;
}

static int open_socket(struct notify *n, const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t len = strlen(path);

	if ((path[0] != '/' && path[0] != '@') || len < 2 || len >= sizeof(a.sun_path))
		return -EINVAL;
	memcpy(a.sun_path, path, len);
	if (a.sun_path[0] == '@')
		a.sun_path[0] = '\0'; /* abstract name */
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (n->fd < 0)
		return -errno;
	if (connect(n->fd, (struct sockaddr *)&a,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len))) {
		int r = -errno;

		notify_close(n);
		return r;
	}
	return 0;
}

int notify_open(struct notify *n, int64_t now_us)
{
	const char *path = getenv("NOTIFY_SOCKET");
	int64_t pid, watchdog_us;
	int r;

	n->fd = -1;
	n->interval_us = 0;
	n->due_us = FC_NEVER;
	if (!path || !*path)
		return 0;
	r = open_socket(n, path);
	if (r)
		return r;
	pid = env_number("WATCHDOG_PID");
	watchdog_us = env_number("WATCHDOG_USEC");
	if (watchdog_us > 1 && (pid < 0 || pid == getpid())) {
		n->interval_us = watchdog_us / 2;
		n->due_us = now_us + n->interval_us;
	}
	return 0;
}

void notify_close(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
	n->due_us = FC_NEVER;
}

/* A service manager that does not listen is no reason to stop charging. */
static void tell(const struct notify *n, const char *text)
{
	if (n->fd >= 0 && send(n->fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		return;
}

void notify_ready(struct notify *n)
{
	tell(n, "READY=1");
}

void notify_stopping(struct notify *n)
{
	tell(n, "STOPPING=1");
}

void notify_alive(struct notify *n, int64_t now_us, bool is_alive)
{
	if (now_us < n->due_us || !is_alive)
		return;
	tell(n, "WATCHDOG=1");
	n->due_us = now_us + n->interval_us;
}

int64_t notify_next_us(const struct notify *n, int64_t machine_next_us)
{
	if (n->due_us == FC_NEVER || machine_next_us <= n->due_us + n->interval_us / 2)
		return FC_NEVER;
	return n->due_us;
}
