/* SPDX-License-Identifier: MIT */
/* Child processes of tests and benches. */
#include "tests/lib/proc_child.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BUS_GROUP      "239.74.163.2"
#define BUS_FIRST_PORT 20000
#define BUS_N_PORTS    12000 /* below the ports that the kernel gives away */

int64_t proc_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

bool proc_find_program(const char *name, char path[PROC_PATH_MAX])
{
	char folder[PROC_PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", folder, sizeof(folder) - 1);
	char *slash;

	if (n <= 0)
		return false;
	folder[n] = '\0';
	while ((slash = strrchr(folder, '/')) != NULL) {
		*slash = '\0';
		if (snprintf(path, PROC_PATH_MAX, "%s/bin/%s", folder, name) < PROC_PATH_MAX &&
		    access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* Without address reuse the port can be had only while no socket at all is bound to it. */
static bool is_port_free(unsigned port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool is_free;

	if (fd < 0)
		return false;
	is_free = bind(fd, (const struct sockaddr *)&a, sizeof(a)) == 0;
	close(fd);
	return is_free;
}

bool proc_pick_bus(char *url, size_t size)
{
	unsigned i, start = (unsigned)getpid() * 16 % BUS_N_PORTS;

	for (i = 0; i < BUS_N_PORTS; i++) {
		unsigned port = BUS_FIRST_PORT + (start + i) % BUS_N_PORTS;

		if (is_port_free(port)) {
			snprintf(url, size, "udp:" BUS_GROUP ":%u", port);
			return true;
		}
	}
	return false;
}

/* --- start ------------------------------------------------------------------------------------------------- */

static int open_pid(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static void reset(struct proc_child *c)
{
	memset(c, 0, sizeof(*c));
	c->pid_fd = c->output_fd = -1;
}

static void become_child(pid_t parent)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(126);
}

static void exec_program(const struct proc_child *c, const char *const argv[], const char *const env[])
{
	char *args[PROC_MAX_ARGS + 1];
	size_t i;

	for (i = 0; argv[i] && i < PROC_MAX_ARGS; i++)
		args[i] = strdup(argv[i]);
	args[i] = NULL;
	for (i = 0; env && env[i]; i++)
		putenv(strdup(env[i]));
	if (dup2(c->output_fd, 1) < 0 || dup2(c->output_fd, 2) < 0)
		_exit(125);
	execv(args[0], args);
	_exit(127);
}

int proc_start(struct proc_child *c, const char *const argv[], const char *const env[])
{
	pid_t parent = getpid();

	reset(c);
	c->output_fd = memfd_create("output", MFD_CLOEXEC);
	if (c->output_fd < 0)
		return -errno;
	c->exec_us = proc_now_us();
	c->pid = fork();
	if (c->pid < 0) {
		c->pid = 0;
		return -errno;
	}
	if (c->pid == 0) {
		become_child(parent);
		exec_program(c, argv, env);
	}
	c->pid_fd = open_pid(c->pid);
	return c->pid_fd < 0 ? -errno : 0;
}

int proc_fork(struct proc_child *c, int (*fn)(void *ctx), void *ctx)
{
	pid_t parent = getpid();

	reset(c);
	fflush(NULL);
	c->exec_us = proc_now_us();
	c->pid = fork();
	if (c->pid < 0) {
		c->pid = 0;
		return -errno;
	}
	if (c->pid == 0) {
		become_child(parent);
		_exit(fn(ctx));
	}
	c->pid_fd = open_pid(c->pid);
	return c->pid_fd < 0 ? -errno : 0;
}

/* --- end --------------------------------------------------------------------------------------------------- */

bool proc_wait(struct proc_child *c, int64_t timeout_ms)
{
	int64_t end_us = proc_now_us() + timeout_ms * 1000;

	while (c->pid > 0) {
		struct pollfd p = {.fd = c->pid_fd, .events = POLLIN};
		int64_t left_us = end_us - proc_now_us();
		int n = poll(&p, 1, left_us > 0 ? (int)((left_us + 999) / 1000) : 0);

		if (n > 0 && waitpid(c->pid, &c->status, 0) == c->pid)
			c->pid = 0;
		else if (left_us <= 0)
			return false;
	}
	return true;
}

void proc_end(struct proc_child *c)
{
	if (c->pid > 0) {
		kill(c->pid, SIGKILL);
		waitpid(c->pid, &c->status, 0);
	}
	if (c->pid_fd >= 0)
		close(c->pid_fd);
	if (c->output_fd >= 0)
		close(c->output_fd);
	c->pid = 0;
	c->pid_fd = c->output_fd = -1;
}

int proc_exit_code(const struct proc_child *c)
{
	return WIFEXITED(c->status) ? WEXITSTATUS(c->status) : -WTERMSIG(c->status);
}

void proc_output(const struct proc_child *c, char *text, size_t size)
{
	ssize_t n = pread(c->output_fd, text, size - 1, 0);

	text[n > 0 ? n : 0] = '\0';
}

/* --- figures of a process ---------------------------------------------------------------------------------- */

int64_t proc_cpu_ns(pid_t pid)
{
	long long ns = -1;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return -1;
	if (fscanf(f, "%lld", &ns) != 1)
		ns = -1;
	fclose(f);
	return ns;
}

int64_t proc_number(pid_t pid, const char *file, const char *key)
{
	size_t len = strlen(key);
	int64_t number = -1;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	f = fopen(path, "re");
	if (!f)
		return -1;
	while (number < 0 && fgets(line, sizeof(line), f))
		if (strncmp(line, key, len) == 0 && line[len] == ':')
			number = strtoll(line + len + 1, NULL, 10);
	fclose(f);
	return number;
}
