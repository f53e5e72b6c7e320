/* SPDX-License-Identifier: MIT */
/* A program of the build on a bus of its own. */
#include "tests/lib/process_rig.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* Hang limits: what is waited for comes much earlier. */
#define START_LIMIT_US	(10 * INT64_C(1000000))
#define ANSWER_LIMIT_US (10 * INT64_C(1000000))

int process_set_up(void **state)
{
	struct process_rig *r = calloc(1, sizeof(*r));

	r->step = *state;
	r->child.pid_fd = r->child.output_fd = -1;
	snprintf(r->folder, sizeof(r->folder), "/tmp/test_process.XXXXXX");
	if (!mkdtemp(r->folder) || !proc_pick_bus(r->url, sizeof(r->url)))
		return -1;
	snprintf(r->socket, sizeof(r->socket), "%s/control", r->folder);
	snprintf(r->config, sizeof(r->config), "%s/test.conf", r->folder);
	snprintf(r->counts, sizeof(r->counts), "%s/counts", r->folder);
	*state = r;
	return 0;
}

int process_tear_down(void **state)
{
	struct process_rig *r = *state;

	proc_end(&r->child);
	proc_module_close(&r->module);
	unlink(r->socket);
	unlink(r->config);
	unlink(r->counts);
	rmdir(r->folder);
	free(r);
	return 0;
}

void process_fail(struct process_rig *r, const char *what)
{
	if (r->child.output_fd >= 0)
		proc_output(&r->child, r->text, sizeof(r->text));
	fail_msg("%s; it printed:\n%s", what, r->text);
}

void process_launch(struct process_rig *r, const char *program, const char *const extra[],
		    const char *const env[])
{
	const char *argv[PROC_MAX_ARGS + 1];
	char path[PROC_PATH_MAX], can[96], control[128];
	size_t n = 0;

	if (!proc_find_program(program, path))
		fail_msg("%s is not built: make first", program);
	snprintf(can, sizeof(can), "--can=%s", r->url);
	snprintf(control, sizeof(control), "--control=%s", r->socket);
	argv[n++] = path;
	argv[n++] = can;
	argv[n++] = control;
	while (*extra && n < PROC_MAX_ARGS)
		argv[n++] = *extra++;
	argv[n] = NULL;
	assert_int_equal(proc_start(&r->child, argv, env), 0);
}

static bool is_heard(const struct proc_module *m, void *ctx)
{
	unsigned i;

	(void)ctx;
	for (i = 1; i <= PROC_MAX_INDEX; i++)
		if (m->point[i].is_used && m->point[i].n_status == 0)
			return false;
	return true;
}

const char *const process_fast[] = {PROC_FAST_OPTIONS, NULL};

void process_start_points(struct process_rig *r, const char *const extra[], const char *const env[],
			  unsigned last)
{
	char err[160];

	assert_int_equal(proc_module_open(&r->module, r->url, 1, last, err, sizeof(err)), 0);
	process_launch(r, "evse-ctrl", extra, env);
	if (last == 3) /* pistols 1 and 3 */
		r->module.point[2].is_used = false;
	if (!proc_module_wait(&r->module, START_LIMIT_US, is_heard, NULL))
		process_fail(r, "no status after the start");
}

void process_start(struct process_rig *r)
{
	process_start_points(r, process_fast, NULL, 1);
}

void process_walk(struct process_rig *r, int from, enum proc_step last)
{
	char what[80];
	int at;

	if (proc_module_walk(&r->module, from, last, &at))
		return;
	snprintf(what, sizeof(what), "session stuck in %s", proc_step_name(at));
	process_fail(r, what);
}

static int connect_control(const struct process_rig *r)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", r->socket);
	assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

bool process_ask(struct process_rig *r, const char *request)
{
	int64_t end_us = proc_now_us() + ANSWER_LIMIT_US;
	int fd = connect_control(r);
	size_t n = 0;

	dprintf(fd, "%s\n", request);
	r->text[0] = '\0';
	while (n + 1 < sizeof(r->text) && proc_now_us() < end_us) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t got = poll(&p, 1, 100) > 0 ? read(fd, r->text + n, sizeof(r->text) - 1 - n) : 0;

		n += got > 0 ? (size_t)got : 0;
		r->text[n] = '\0';
		if ((n >= 3 && strcmp(r->text + n - 3, "ok\n") == 0) || strncmp(r->text, "error", 5) == 0)
			break;
	}
	close(fd);
	return n >= 3 && strcmp(r->text + n - 3, "ok\n") == 0;
}

long long process_answered(const struct process_rig *r, const char *key)
{
	const char *line = r->text;
	size_t len = strlen(key);

	while (line && (strncmp(line, key, len) != 0 || line[len] != '=')) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (!line)
		fail_msg("no %s in the answer:\n%s", key, r->text);
	return line ? strtoll(line + len + 1, NULL, 10) : 0;
}

void process_write_config(const struct process_rig *r, const char *content, size_t n)
{
	FILE *f = fopen(r->config, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(content, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}
