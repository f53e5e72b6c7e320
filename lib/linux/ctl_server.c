/* SPDX-License-Identifier: MIT */
/* Local control socket: the server side. */
#include "lib/linux/ctl_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int ctl_socket_dir(unsigned i, char dir[CTL_PATH_MAX])
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	int n = -1;

	if (i == 0 && runtime && runtime[0] == '/')
		n = snprintf(dir, CTL_PATH_MAX, "%s/forecourt", runtime);
	else if (i == 1 && geteuid() == 0)
		n = snprintf(dir, CTL_PATH_MAX, "/run/forecourt");
	else if (i == 2)
		n = snprintf(dir, CTL_PATH_MAX, "/tmp/forecourt-%u", (unsigned)geteuid());
	if (n < 0)
		return -ENOENT;
	return n < CTL_PATH_MAX ? 0 : -ENAMETOOLONG;
}

int ctl_socket_path(const char *name, unsigned i, char path[CTL_PATH_MAX])
{
	char dir[CTL_PATH_MAX];
	int r = ctl_socket_dir(i, dir);
	int n;

	if (r)
		return r;
	n = snprintf(path, CTL_PATH_MAX, "%s/%s.sock", dir, name);
	return n < CTL_PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* /tmp is everybody's: a directory that another user prepared there must not be trusted. */
static int make_dir(const char *dir)
{
	struct stat st;

	if (mkdir(dir, 0700) && errno != EEXIST)
		return -errno;
	if (lstat(dir, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 077)
		return -EPERM;
	return 0;
}

static int choose_path(struct ctl_server *s, const char *name, char *err, size_t err_size)
{
	char dir[CTL_PATH_MAX] = "";
	int r = -ENOENT;
	unsigned i;

	for (i = 0; i < CTL_N_DIRS; i++) {
		int found = ctl_socket_dir(i, dir);

		if (found == -ENOENT)
			continue;
		r = found ? found : make_dir(dir);
		if (!r)
			r = ctl_socket_path(name, i, s->path);
		if (r != -ENOENT && r != -EACCES && r != -EROFS)
			break;
	}
	if (r == -EPERM)
		snprintf(err, err_size, "control socket: %s is not a directory of this user with mode 0700",
			 dir);
	else if (r)
		snprintf(err, err_size, "control socket: no place for it, %s: %s", dir, strerror(-r));
	return r;
}

static int connect_to(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return -errno;
	memcpy(a.sun_path, path, strlen(path));
	r = connect(fd, (struct sockaddr *)&a, sizeof(a)) ? -errno : 0;
	close(fd);
	return r;
}

/* There is a file of that name already. 0 when it was a stale socket and is gone. */
static int remove_stale(const char *path, char *err, size_t err_size)
{
	struct stat st;
	int r;

	if (lstat(path, &st)) {
		r = errno == ENOENT ? 0 : -errno;
		if (r)
			snprintf(err, err_size, "control socket: %s: %s", path, strerror(-r));
		return r;
	}
	if (!S_ISSOCK(st.st_mode)) {
		snprintf(err, err_size, "control socket: %s exists and is not a socket", path);
		return -EEXIST;
	}
	r = connect_to(path);
	if (r != -ECONNREFUSED) {
		snprintf(err, err_size, "control socket: %s is in use by a running program; see --name",
			 path);
		return -EADDRINUSE;
	}
	if (unlink(path) && errno != ENOENT) {
		r = -errno;
		snprintf(err, err_size, "control socket: cannot remove stale %s: %s", path, strerror(-r));
		return r;
	}
	return 0;
}

static int bind_socket(struct ctl_server *s, char *err, size_t err_size)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	mode_t old_mask = umask(0077);
	struct stat st;
	int r = 0;

	memcpy(a.sun_path, s->path, strlen(s->path));
	if (bind(s->fd, (struct sockaddr *)&a, sizeof(a)) || listen(s->fd, CTL_MAX_CLIENTS) ||
	    lstat(s->path, &st)) {
		r = -errno;
		snprintf(err, err_size, "control socket: %s: %s", s->path, strerror(-r));
	} else {
		s->device = st.st_dev;
		s->inode = st.st_ino;
	}
	umask(old_mask);
	return r;
}

int ctl_server_open(struct ctl_server *s, const char *path, const char *name, char *err, size_t err_size)
{
	unsigned i;
	int r = 0;

	s->fd = -1;
	s->loop = NULL;
	s->n_dropped = 0;
	for (i = 0; i < CTL_MAX_CLIENTS; i++)
		s->client[i].fd = -1;
	if (!path)
		r = choose_path(s, name, err, err_size);
	else if (snprintf(s->path, sizeof(s->path), "%s", path) >= (int)sizeof(s->path)) {
		r = -ENAMETOOLONG;
		snprintf(err, err_size, "control socket: path is longer than %d characters",
			 CTL_PATH_MAX - 1);
	}
	if (!r)
		r = remove_stale(s->path, err, err_size);
	if (r)
		return r;
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0) {
		r = -errno;
		snprintf(err, err_size, "control socket: %s", strerror(-r));
		return r;
	}
	r = bind_socket(s, err, err_size);
	if (r) {
		close(s->fd);
		s->fd = -1;
	}
	return r;
}

static void drop(struct ctl_client *c)
{
	if (c->server->loop)
		loop_remove(c->server->loop, c->fd);
	close(c->fd);
	c->fd = -1;
}

/* The kernel's buffer is the queue; a client that lets it fill up is too slow. False: it was dropped. */
static bool reply(struct ctl_client *c, const char *text, size_t n)
{
	if (send(c->fd, text, n, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)n)
		return true;
	c->server->n_dropped++;
	drop(c);
	return false;
}

static void refuse(struct ctl_client *c, const char *reason)
{
	c->server->n_dropped++;
	if (reply(c, reason, strlen(reason)))
		drop(c);
}

static bool handle_line(struct ctl_client *c, int64_t now_us, const char *line)
{
	struct ctl_server *s = c->server;
	char reason[100];
	size_t n;
	int r;

	if (!*line)
		return true;
	s->answer[0] = '\0';
	r = s->request(s->ctx, now_us, line, s->answer, CTL_ANSWER_MAX);
	if (!r) {
		n = strlen(s->answer);
		if (n > 0 && s->answer[n - 1] != '\n')
			s->answer[n++] = '\n';
		memcpy(s->answer + n, "ok\n", 4);
		return reply(c, s->answer, n + 3);
	}
	snprintf(reason, sizeof(reason), "%.*s", (int)strcspn(s->answer, "\n"), s->answer);
	n = (size_t)snprintf(s->answer, sizeof(s->answer), "error: %s\n", reason[0] ? reason : strerror(-r));
	return reply(c, s->answer, n);
}

/* Handles the complete lines; what is left moves to the front. False: the client is gone. */
static bool handle_lines(struct ctl_client *c, int64_t now_us)
{
	char *start = c->line, *end = c->line + c->n, *newline;

	while ((newline = memchr(start, '\n', (size_t)(end - start)))) {
		*newline = '\0';
		if (newline > start && newline[-1] == '\r')
			newline[-1] = '\0';
		if (!handle_line(c, now_us, start))
			return false;
		start = newline + 1;
	}
	c->n = (size_t)(end - start);
	memmove(c->line, start, c->n);
	return true;
}

static void on_client(void *ctx, int64_t now_us, uint32_t events)
{
	struct ctl_client *c = ctx;
	ssize_t n = recv(c->fd, c->line + c->n, sizeof(c->line) - c->n, MSG_DONTWAIT);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(c);
		return;
	}
	if (memchr(c->line + c->n, '\0', (size_t)n)) {
		refuse(c, "error: zero byte in the request\n");
		return;
	}
	c->n += (size_t)n;
	if (handle_lines(c, now_us) && c->n == sizeof(c->line))
		refuse(c, "error: request is too long\n");
}

static void on_connect(void *ctx, int64_t now_us, uint32_t events)
{
	static const char full[] = "error: too many clients\n";
	struct ctl_server *s = ctx;
	int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ctl_client *c;
	unsigned i;

	(void)now_us;
	(void)events;
	if (fd < 0)
		return;
	for (i = 0; i < CTL_MAX_CLIENTS && s->client[i].fd >= 0; i++)
		;
	c = i < CTL_MAX_CLIENTS ? &s->client[i] : NULL;
	if (!c || loop_add(s->loop, fd, EPOLLIN, on_client, c)) {
		s->n_dropped++;
		send(fd, full, sizeof(full) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		close(fd);
		return;
	}
	c->server = s;
	c->fd = fd;
	c->n = 0;
}

int ctl_server_start(struct ctl_server *s, struct loop *loop, ctl_request_fn request, void *ctx)
{
	s->loop = loop;
	s->request = request;
	s->ctx = ctx;
	return loop_add(loop, s->fd, EPOLLIN, on_connect, s);
}

void ctl_server_close(struct ctl_server *s)
{
	struct stat st;
	unsigned i;

	if (s->fd < 0)
		return;
	for (i = 0; i < CTL_MAX_CLIENTS; i++)
		if (s->client[i].fd >= 0)
			drop(&s->client[i]);
	if (s->loop)
		loop_remove(s->loop, s->fd);
	close(s->fd);
	s->fd = -1;
	if (lstat(s->path, &st) == 0 && st.st_dev == s->device && st.st_ino == s->inode)
		unlink(s->path);
}
