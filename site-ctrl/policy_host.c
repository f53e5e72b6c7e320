/* SPDX-License-Identifier: MIT */
/* The host's side of a policy: starts it, asks it, ends it. */
#include "site-ctrl/policy_host.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/linux/loop.h"
#include "site-ctrl/policy_host_child.h"

#define GOOD_US INT64_C(60000000) /* of good answers, and the back-off begins anew */

static int fail(int error, char *err, size_t err_size, const char *text)
{
	snprintf(err, err_size, "%s", text);
	return error;
}

uint8_t policy_host_code(const char *name)
{
	static const char *const known[] = {"none", "fcfs", "fair",  "fair-need", "priority",
					    "edf",  "sllf", "ready", "plan"};
	size_t k;

	for (k = 0; k < sizeof(known) / sizeof(known[0]); k++)
		if (strcmp(name, known[k]) == 0)
			return (uint8_t)k;
	return SITE_STATUS_POLICY_OTHER;
}

static void *map(size_t size, int flags)
{
	void *p = mmap(NULL, size ? size : 1, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void unmap(void *p, size_t size)
{
	if (p)
		munmap(p, size ? size : 1);
}

/* --- an isolated policy's process -------------------------------------------------------------------------- */

static void collect(struct policy_host *h, bool is_waited_for)
{
	if (h->dying > 0 && waitpid(h->dying, NULL, is_waited_for ? 0 : WNOHANG) != 0)
		h->dying = 0;
}

/* What is killed is collected later: a process that hangs in the kernel must not hang us. */
static void end_child(struct policy_host *h)
{
	if (h->pid > 0) {
		collect(h, true); /* a former one: killed at least one back-off ago */
		kill(h->pid, SIGKILL);
		h->dying = h->pid;
		h->pid = 0;
	}
	if (h->fd >= 0)
		close(h->fd);
	h->fd = -1;
	collect(h, false);
}

static int start_child(struct policy_host *h)
{
	int pair[2];

	collect(h, false);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	h->shared->start_error = -EPROTO; /* until it says otherwise */
	h->shared->start_text[0] = '\0';
	h->shared->n_logs = 0;
	h->pid = fork();
	if (h->pid == 0)
		policy_child_run(h, pair[1]);
	close(pair[1]);
	if (h->pid < 0) {
		int ret = -errno;

		h->pid = 0;
		close(pair[0]);
		return ret;
	}
	h->fd = pair[0];
	h->started_us = loop_clock_us();
	h->state = POLICY_HOST_STARTING;
	h->n_starts++;
	return 0;
}

/* 1: a byte came; 0: not by then; -EPIPE: the process has ended. */
static int wait_byte(const struct policy_host *h, int64_t until_us)
{
	char byte;

	for (;;) {
		struct pollfd p = {.fd = h->fd, .events = POLLIN};
		int64_t left_us = until_us - loop_clock_us();
		struct timespec t = {left_us > 0 ? left_us / 1000000 : 0,
				     left_us > 0 ? left_us % 1000000 * 1000 : 0};
		int n = ppoll(&p, 1, &t, NULL);

		if (n > 0)
			return recv(h->fd, &byte, 1, MSG_DONTWAIT) == 1 ? 1 : -EPIPE;
		if (n == 0 || (errno != EINTR && errno != EAGAIN))
			return 0;
		if (left_us <= 0)
			return 0;
	}
}

/* Ends it and rests; the next start is due after the back-off. */
static void rest(struct policy_host *h, int64_t now_us, const char *why)
{
	end_child(h);
	h->state = POLICY_HOST_RESTING;
	h->n_refused_in_a_row = 0;
	h->retry_us = now_us + h->backoff_us;
	log_f(&h->log, LOG_ERR_LEVEL, "policy %s %s: equal share for backoff_ms=%lld", h->title, why,
	      (long long)(h->backoff_us / FC_US_PER_MS));
	h->backoff_us = fc_min_i64(h->backoff_us * 2, POLICY_HOST_BACKOFF_MAX_US);
	h->good_since_us = ALLOC_UNKNOWN;
}

/* 0: ready; -EAGAIN: not yet; else it has failed, with a sentence in shared->start_text. */
static int wait_start(struct policy_host *h, int64_t until_us)
{
	int got = wait_byte(h, until_us);

	if (got == 0)
		return -EAGAIN;
	h->shared->start_text[sizeof(h->shared->start_text) - 1] = '\0';
	h->shared->title[sizeof(h->shared->title) - 1] = '\0';
	if (got < 0 || h->shared->start_error)
		return h->shared->start_error < 0 && h->shared->start_error > -4096 ? h->shared->start_error
										    : -EPROTO;
	snprintf(h->title, sizeof(h->title), "%s", h->shared->title);
	h->state = POLICY_HOST_READY;
	return 0;
}

static void take_logs(struct policy_host *h)
{
	uint32_t k, n = h->shared->n_logs < POLICY_HOST_LOGS ? h->shared->n_logs : POLICY_HOST_LOGS;

	for (k = 0; k < n; k++) {
		struct policy_shared_log line = h->shared->log[k];

		line.text[sizeof(line.text) - 1] = '\0';
		if (line.level < LOG_ERR_LEVEL || line.level > LOG_DBG)
			line.level = LOG_INF;
		log_f(&h->log, (enum log_level)line.level, "policy %s: %s", h->title, line.text);
	}
	h->shared->n_logs = 0;
}

/* Takes a resting policy back, when its time has come, or sees whether a starting one is ready. */
static int wake(struct policy_host *h, int64_t now_us)
{
	int ret;

	if (h->state == POLICY_HOST_RESTING && now_us >= h->retry_us) {
		ret = start_child(h);
		if (ret) {
			rest(h, now_us, "cannot be started");
			return -EAGAIN;
		}
	}
	if (h->state != POLICY_HOST_STARTING)
		return -EAGAIN;
	ret = wait_start(h, 0);
	if (ret == -EAGAIN && loop_clock_us() - h->started_us < (int64_t)POLICY_HOST_START_MS * FC_US_PER_MS)
		return -EAGAIN;
	if (ret) {
		h->n_crashed++;
		rest(h, now_us, "does not start");
		return -EAGAIN;
	}
	log_f(&h->log, LOG_NOTE, "policy %s: started again", h->title);
	return 0;
}

/* --- asking ------------------------------------------------------------------------------------------------ */

static void put_question(struct policy_host *h, const struct alloc_call *call)
{
	const struct alloc_site *site = h->conf.site;
	struct policy_shared *sh = h->shared;
	struct policy_shared_parts p = policy_shared_parts(sh, site);
	uint32_t i;

	sh->now_us = call->now_us;
	sh->has_export = call->export_limit_mA != NULL;
	sh->n_outlook = call->n_outlook < POLICY_HOST_MAX_OUTLOOK ? call->n_outlook : POLICY_HOST_MAX_OUTLOOK;
	for (i = 0; i < sh->n_outlook; i++)
		memcpy(&sh->outlook[i], (const char *)call->outlook + (size_t)i * call->outlook_stride,
		       sizeof(sh->outlook[i]));
	for (i = 0; i < site->n_points; i++)
		p.point[i] = *alloc_point_at(call, i);
	memset(p.grant, 0, site->n_points * sizeof(*p.grant));
	memcpy(p.limit_mA, call->limit_mA, site->n_rows * sizeof(int32_t));
	if (sh->has_export)
		memcpy(p.export_limit_mA, call->export_limit_mA, site->n_rows * sizeof(int32_t));
	sh->error = -EPROTO;
}

static void take_answer(struct policy_host *h, struct alloc_call *call)
{
	struct policy_shared_parts p = policy_shared_parts(h->shared, h->conf.site);
	uint32_t i;

	for (i = 0; i < call->n_points; i++)
		*alloc_grant_at(call, i) = p.grant[i];
	call->again_us = h->shared->again_us > call->now_us ? h->shared->again_us : FC_NEVER;
	take_logs(h);
}

static int32_t ask_child(struct policy_host *h, struct alloc_call *call)
{
	int64_t begin_us = loop_clock_us();
	char byte = 1;
	int got;

	put_question(h, call);
	if (send(h->fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1)
		got = -EPIPE;
	else
		got = wait_byte(h, begin_us + (int64_t)h->conf.deadline_ms * FC_US_PER_MS);
	h->last_us = loop_clock_us() - begin_us;
	h->longest_us = h->last_us > h->longest_us ? h->last_us : h->longest_us;
	if (got == 1) {
		take_answer(h, call);
		return h->shared->error;
	}
	if (got == 0) {
		h->n_late++;
		rest(h, call->now_us, "did not answer in time");
		return -ETIMEDOUT;
	}
	h->n_crashed++;
	rest(h, call->now_us, "has crashed");
	return -EPIPE;
}

static int32_t ask_here(struct policy_host *h, struct alloc_call *call)
{
	int64_t begin_us = loop_clock_us();
	int32_t error;

	call->arena = h->arena;
	error = h->plug.ops.policy.allocate(h->self, call);
	h->last_us = loop_clock_us() - begin_us;
	h->longest_us = h->last_us > h->longest_us ? h->last_us : h->longest_us;
	return error;
}

/* --- in this process --------------------------------------------------------------------------------------- */

static void log_line(void *ctx, int32_t level, const char *text)
{
	const struct policy_host *h = ctx;
	enum log_level l = level < LOG_ERR_LEVEL || level > LOG_DBG ? LOG_INF : (enum log_level)level;

	log_f(&h->log, l, "policy %s: %s", h->title, text);
}

static int32_t send_nothing(void *ctx, uint32_t bus, const struct can_frame *frame)
{
	(void)ctx, (void)bus, (void)frame;
	return -EPERM;
}

/* State and arena anew; both keep their memory. */
static int init_here(struct policy_host *h)
{
	int32_t ret;

	memset(h->self, 0, h->self_size);
	h->services = (struct forecourt_host){
		.size = sizeof(h->services), .ctx = h, .log = log_line, .send = send_nothing};
	ret = h->plug.ops.policy.init(h->self, &h->services, h->kv, h->n_kv);
	if (ret)
		return ret < 0 ? ret : -EINVAL;
	if (h->arena)
		memset(h->arena, 0, h->arena_size);
	h->n_starts++;
	h->state = POLICY_HOST_READY;
	return 0;
}

static int wake_here(struct policy_host *h, int64_t now_us)
{
	if (h->state != POLICY_HOST_RESTING || now_us < h->retry_us)
		return -EAGAIN;
	if (h->plug.ops.policy.fini)
		h->plug.ops.policy.fini(h->self);
	if (init_here(h)) {
		rest(h, now_us, "does not start");
		return -EAGAIN;
	}
	return 0;
}

static int open_here(struct policy_host *h, char *err, size_t err_size)
{
	int ret = plug_load(&h->plug, h->name, FORECOURT_KIND_ALLOC_POLICY, &h->conf.source, err, err_size);

	if (!ret)
		ret = plug_check_options(&h->plug, h->kv, h->n_kv, err, err_size);
	if (ret)
		return ret;
	snprintf(h->title, sizeof(h->title), "%s", h->plug.record->name);
	h->self_size = h->plug.record->state_size;
	h->self = map(h->self_size, MAP_PRIVATE);
	if (!h->self)
		return fail(-ENOMEM, err, err_size, "not enough memory for the policy");
	ret = init_here(h);
	if (ret)
		return fail(ret, err, err_size, "the policy refused to start; see the log");
	if (h->plug.ops.policy.arena_size) {
		h->arena_size = (size_t)h->plug.ops.policy.arena_size(h->self, h->conf.site);
		h->arena = map(h->arena_size, MAP_PRIVATE);
		if (!h->arena)
			return fail(-ENOMEM, err, err_size, "not enough memory for the policy");
	}
	return 0;
}

static int open_child(struct policy_host *h, char *err, size_t err_size)
{
	int32_t wait_ms = h->conf.open_ms > 0 ? h->conf.open_ms : POLICY_HOST_START_MS;
	int ret;

	h->shared_size = policy_shared_size(h->conf.site);
	h->shared = map(h->shared_size, MAP_SHARED);
	if (!h->shared)
		return fail(-ENOMEM, err, err_size, "not enough memory for the policy");
	ret = start_child(h);
	if (ret)
		return fail(ret, err, err_size, strerror(-ret));
	ret = wait_start(h, h->started_us + (int64_t)wait_ms * FC_US_PER_MS);
	if (ret == -EAGAIN)
		snprintf(err, err_size, "%s: not ready within %d ms", h->name, wait_ms);
	else if (ret)
		snprintf(err, err_size, "%s",
			 h->shared->start_text[0] ? h->shared->start_text
						  : "the policy crashed at its start");
	return ret == -EAGAIN ? -ETIMEDOUT : ret;
}

/* --- the host ---------------------------------------------------------------------------------------------- */

static bool is_builtin(const struct plug_source *source, const char *name)
{
	const struct forecourt_plugin *const *p = source->builtin;

	for (; p && *p; p++)
		if (strcmp((*p)->name, name) == 0)
			return true;
	return false;
}

static int split_options(struct policy_host *h, const char *options, char *err, size_t err_size)
{
	char *word, *rest_of = h->kv_text;

	if (strlen(options) >= sizeof(h->kv_text))
		return fail(-E2BIG, err, err_size, "the options of the policy are too long");
	snprintf(h->kv_text, sizeof(h->kv_text), "%s", options);
	while ((word = strtok_r(rest_of, " \t,", &rest_of)) != NULL) {
		char *equals = strchr(word, '=');

		if (!equals || equals == word || h->n_kv == POLICY_HOST_MAX_KV)
			return fail(-EINVAL, err, err_size, "options of a policy are KEY=VALUE, at most 32");
		*equals = '\0';
		h->kv[h->n_kv++] = (struct forecourt_kv){word, equals + 1};
	}
	return 0;
}

int policy_host_open(struct policy_host *h, const struct policy_host_conf *conf, const char *name,
		     const char *options, char *err, size_t err_size)
{
	int ret;

	memset(h, 0, sizeof(*h));
	h->conf = *conf;
	h->fd = -1;
	h->backoff_us = POLICY_HOST_BACKOFF_US;
	h->good_since_us = ALLOC_UNKNOWN;
	log_init(&h->log, conf->sink, "site");
	if (strlen(name) >= sizeof(h->name))
		return fail(-EINVAL, err, err_size, "the name of the policy is too long");
	snprintf(h->name, sizeof(h->name), "%s", name);
	snprintf(h->title, sizeof(h->title), "%.63s", name);
	ret = split_options(h, options, err, err_size);
	if (ret)
		return ret;
	h->is_isolated = conf->isolate == SITE_ISOLATE_ALWAYS ||
			 (conf->isolate == SITE_ISOLATE_AUTO && !is_builtin(&conf->source, name));
	ret = h->is_isolated ? open_child(h, err, err_size) : open_here(h, err, err_size);
	if (ret)
		policy_host_close(h);
	return ret;
}

int policy_host_check(const struct plug_source *source, const char *name, const char *options, char *err,
		      size_t err_size)
{
	struct policy_host h;
	char path[SITE_CONF_TEXT_MAX + 64];
	int ret;

	memset(&h, 0, sizeof(h));
	ret = split_options(&h, options, err, err_size);
	if (ret)
		return ret;
	if (name[0] == '/')
		snprintf(path, sizeof(path), "%s", name);
	else
		snprintf(path, sizeof(path), "%s/%s.so", source->dir ? source->dir : "", name);
	if (!is_builtin(source, name) && access(path, R_OK) == 0)
		return 0; /* what is in it shows when it is opened */
	ret = plug_load(&h.plug, name, FORECOURT_KIND_ALLOC_POLICY, source, err, err_size);
	return ret ? ret : plug_check_options(&h.plug, h.kv, h.n_kv, err, err_size);
}

void policy_host_close(struct policy_host *h)
{
	if (h->is_isolated) {
		end_child(h);
		collect(h, true);
		unmap(h->shared, h->shared_size);
	} else if (h->self) {
		if (h->state != POLICY_HOST_CLOSED && h->plug.ops.policy.fini)
			h->plug.ops.policy.fini(h->self);
		unmap(h->self, h->self_size);
		unmap(h->arena, h->arena_size);
	}
	h->self = h->arena = NULL;
	h->shared = NULL;
	h->fd = -1;
	h->state = POLICY_HOST_CLOSED;
}

static int32_t allocate(void *ctx, struct alloc_call *call)
{
	struct policy_host *h = ctx;
	int32_t error;

	h->n_calls++;
	if (h->state == POLICY_HOST_CLOSED)
		return -EBADF;
	if (h->state != POLICY_HOST_READY &&
	    (h->is_isolated ? wake(h, call->now_us) : wake_here(h, call->now_us))) {
		h->n_resting++;
		return -EAGAIN;
	}
	error = h->is_isolated ? ask_child(h, call) : ask_here(h, call);
	h->n_errors += error != 0;
	return error > 0 ? -EPROTO : error;
}

static void judged(void *ctx, enum alloc_fault fault, int64_t now_us)
{
	struct policy_host *h = ctx;

	if (h->state != POLICY_HOST_READY)
		return;
	if (fault == ALLOC_OK) {
		h->n_refused_in_a_row = 0;
		if (h->good_since_us == ALLOC_UNKNOWN)
			h->good_since_us = now_us;
		if (now_us - h->good_since_us >= GOOD_US)
			h->backoff_us = POLICY_HOST_BACKOFF_US;
		return;
	}
	h->good_since_us = ALLOC_UNKNOWN;
	if (fault == ALLOC_FAULT_ERROR || ++h->n_refused_in_a_row < POLICY_HOST_MAD)
		return;
	h->n_mad++;
	rest(h, now_us, "gave bad answers");
}

static void describe(const void *ctx, char *text, size_t size)
{
	const struct policy_host *h = ctx;
	static const char *const states[] = {"closed", "starting", "ready", "resting"};

	snprintf(
		text, size,
		"%s state %s pid %d calls %llu late %llu crashed %llu mad %llu errors %llu starts %llu last_us %lld "
		"longest_us %lld",
		h->is_isolated ? "isolated" : "in_process", states[h->state], (int)h->pid,
		(unsigned long long)h->n_calls, (unsigned long long)h->n_late,
		(unsigned long long)h->n_crashed, (unsigned long long)h->n_mad,
		(unsigned long long)h->n_errors, (unsigned long long)h->n_starts, (long long)h->last_us,
		(long long)h->longest_us);
}

struct site_policy policy_host_policy(struct policy_host *h)
{
	return (struct site_policy){
		.name = h->title,
		.code = policy_host_code(h->title),
		.allocate = allocate,
		.ctx = h,
		.judged = judged,
		.describe = describe,
	};
}
