/* SPDX-License-Identifier: MIT */
/*
 * The process of an isolated policy: drops what it does not need, opens the policy, locks itself in, and
 * answers one question after the other.
 */
#include "site-ctrl/policy_host_child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_FDS 4096 /* closed one by one where the kernel cannot close a range */

struct child {
	const struct policy_host *h;
	int fd;
	struct policy_shared *shared;
	struct policy_shared_parts parts;
	struct plug plug;
	void *self, *arena;
	struct alloc_run run;
	struct forecourt_host services;
};

static size_t aligned(size_t size)
{
	return (size + 63) / 64 * 64;
}

size_t policy_shared_size(const struct alloc_site *site)
{
	return aligned(sizeof(struct policy_shared)) + aligned(site->n_points * sizeof(struct alloc_point)) +
	       aligned(site->n_points * sizeof(struct alloc_grant)) +
	       2 * aligned(site->n_rows * sizeof(int32_t));
}

struct policy_shared_parts policy_shared_parts(struct policy_shared *shared, const struct alloc_site *site)
{
	struct policy_shared_parts p;
	char *at = (char *)shared + aligned(sizeof(*shared));

	p.point = (struct alloc_point *)(void *)at;
	at += aligned(site->n_points * sizeof(struct alloc_point));
	p.grant = (struct alloc_grant *)(void *)at;
	at += aligned(site->n_points * sizeof(struct alloc_grant));
	p.limit_mA = (int32_t *)(void *)at;
	at += aligned(site->n_rows * sizeof(int32_t));
	p.export_limit_mA = (int32_t *)(void *)at;
	return p;
}

/* Under strict confinement the process may only end itself by this very call. */
static void end(int code)
{
	syscall(SYS_exit, code);
	for (;;)
		;
}

/* --- before the policy ------------------------------------------------------------------------------------- */

static void close_others(int keep)
{
	int fd;

	if (close_range(3, (unsigned)keep - 1, 0) == 0 && close_range((unsigned)keep + 1, ~0u, 0) == 0)
		return;
	for (fd = 3; fd < MAX_FDS; fd++)
		if (fd != keep)
			close(fd);
}

/* A policy must not run at the priority of the control process, and ends with it. */
static void step_back(void)
{
	static const int restored[] = {SIGINT, SIGTERM, SIGHUP,	 SIGPIPE, SIGSEGV,
				       SIGBUS, SIGFPE,	SIGABRT, SIGILL};
	struct sched_param normal = {.sched_priority = 0};
	struct rlimit none = {0, 0};
	sigset_t empty;
	size_t k;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "site-policy");
	sched_setscheduler(0, SCHED_OTHER, &normal);
	setrlimit(RLIMIT_CORE, &none);
	/* Ctrl-C reaches the whole group: it is the host that says when we end. */
	for (k = 0; k < sizeof(restored) / sizeof(restored[0]); k++)
		signal(restored[k], k < 3 ? SIG_IGN : SIG_DFL);
	sigemptyset(&empty);
	sigprocmask(SIG_SETMASK, &empty, NULL);
}

static int detach(int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int kept = fcntl(fd, F_DUPFD, 10); /* out of the way of the three below */

	if (kept < 0 || null < 0)
		return -errno;
	if (dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		return -errno;
	close_others(kept);
	return kept;
}

/* Where the kernel refuses (some containers do), the policy is at least kept from files and more memory. */
static void lock_in(void)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_NOFILE, &none);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		setrlimit(RLIMIT_DATA, &none);
}

/* --- the policy -------------------------------------------------------------------------------------------- */

static void keep_log(void *ctx, int32_t level, const char *text)
{
	struct child *c = ctx;
	struct policy_shared_log *line;

	if (c->shared->n_logs >= POLICY_HOST_LOGS)
		return;
	line = &c->shared->log[c->shared->n_logs++];
	line->level = level;
	snprintf(line->text, sizeof(line->text), "%s", text);
}

static int32_t send_nothing(void *ctx, uint32_t bus, const struct can_frame *frame)
{
	(void)ctx, (void)bus, (void)frame;
	return -EPERM;
}

/* calloc gives memory aligned for any type. */
static void *zeros(uint64_t size)
{
	return calloc(1, size ? size : 1);
}

static int make_policy(struct child *c)
{
	const struct policy_host *h = c->h;
	struct policy_shared *sh = c->shared;
	int ret = plug_load(&c->plug, h->name, FORECOURT_KIND_ALLOC_POLICY, &h->conf.source, sh->start_text,
			    sizeof(sh->start_text));

	if (!ret)
		ret = plug_check_options(&c->plug, h->kv, h->n_kv, sh->start_text, sizeof(sh->start_text));
	if (ret)
		return ret;
	snprintf(sh->title, sizeof(sh->title), "%s", c->plug.record->name);
	c->services = (struct forecourt_host){
		.size = sizeof(c->services), .ctx = c, .log = keep_log, .send = send_nothing};
	c->self = zeros(c->plug.record->state_size);
	if (!c->self)
		return -ENOMEM;
	ret = c->plug.ops.policy.init(c->self, &c->services, h->kv, h->n_kv);
	if (ret) {
		snprintf(sh->start_text, sizeof(sh->start_text), "%s: %s", sh->title,
			 sh->n_logs ? sh->log[sh->n_logs - 1].text : "refused to start");
		return ret > 0 ? -EINVAL : ret;
	}
	if (c->plug.ops.policy.arena_size) {
		c->arena = zeros(c->plug.ops.policy.arena_size(c->self, h->conf.site));
		if (!c->arena)
			return -ENOMEM;
	}
	return 0;
}

static int make_kit(struct child *c)
{
	void *block = zeros(alloc_run_size(c->h->conf.site));

	if (!block)
		return -ENOMEM;
	alloc_run_init(&c->run, c->h->conf.site, block);
	return 0;
}

static void answer(struct child *c)
{
	const struct alloc_site *site = c->h->conf.site;
	struct policy_shared *sh = c->shared;
	struct alloc_call call = {
		.size = sizeof(call),
		.n_points = site->n_points,
		.now_us = sh->now_us,
		.site = site,
		.limit_mA = c->parts.limit_mA,
		.export_limit_mA = sh->has_export ? c->parts.export_limit_mA : NULL,
		.point = c->parts.point,
		.point_stride = sizeof(struct alloc_point),
		.outlook_stride = sizeof(struct alloc_outlook),
		.outlook = sh->outlook,
		.n_outlook = sh->n_outlook,
		.grant_stride = sizeof(struct alloc_grant),
		.grant = c->parts.grant,
		.arena = c->arena,
		.again_us = FC_NEVER,
	};

	alloc_run_begin(&c->run, &call);
	sh->error = c->plug.ops.policy.allocate(c->self, &call);
	sh->again_us = call.again_us;
}

void policy_child_run(const struct policy_host *h, int fd)
{
	struct child c = {.h = h, .shared = h->shared, .parts = policy_shared_parts(h->shared, h->conf.site)};
	char byte = 0;

	step_back();
	c.fd = detach(fd);
	if (c.fd < 0)
		end(1);
	c.shared->start_error = make_policy(&c);
	if (!c.shared->start_error)
		c.shared->start_error = make_kit(&c);
	if (c.shared->start_error)
		byte = 1;
	else
		lock_in();
	if (write(c.fd, &byte, 1) != 1 || byte)
		end(1);
	while (read(c.fd, &byte, 1) == 1) {
		answer(&c);
		if (write(c.fd, &byte, 1) != 1)
			break;
	}
	end(0);
	__builtin_unreachable();
}
