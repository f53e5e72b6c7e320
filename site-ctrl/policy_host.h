/* SPDX-License-Identifier: MIT */
/*
 * Runs one allocation policy, in this process or in one of its own, as a struct site_policy. Shell.
 *
 * Isolated: the policy lives in a forked process that shares one memory with us, for the question and the
 * answer alone, without descriptors but one, and, once it has started, without system calls other than read
 * and write on that one. A loaded plug-in is first opened there, so nothing of it ever runs here. We wait for
 * its answer deadline_ms at most. An answer that is late, a process that ended, and the third answer in a row
 * that the proof refused all end it (SIGKILL), are counted, and it is started again after a back-off of 1 s
 * that doubles up to a minute; a minute of good answers brings the back-off back to its beginning. Until then
 * every question gets -EAGAIN, which to the site means equal share.
 *
 * In this process: the same counts for refused answers; its state and arena are made anew. It cannot be ended
 * when it does not return: built-in ones are trusted to.
 *
 * Memory is mapped when the policy is opened or started again, never in between.
 */
#ifndef SITE_POLICY_HOST_H
#define SITE_POLICY_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <forecourt/alloc_policy.h>

#include "lib/core/log.h"
#include "lib/linux/plug_load.h"
#include "site-ctrl/site.h"
#include "site-ctrl/site_conf.h"

#define POLICY_HOST_MAX_KV	   32
#define POLICY_HOST_MAX_OUTLOOK	   1024 /* steps of the outlook that an isolated policy sees */
#define POLICY_HOST_LOGS	   8	/* lines of an isolated policy in one call; more are lost */
#define POLICY_HOST_MAD		   3	/* refused answers in a row */
#define POLICY_HOST_BACKOFF_US	   INT64_C(1000000)
#define POLICY_HOST_BACKOFF_MAX_US INT64_C(60000000)
#define POLICY_HOST_START_MS	   5000 /* a start that takes longer has failed */

struct policy_host_conf {
	struct plug_source source; /* strings and list stay the caller's */
	enum site_isolate isolate;
	int32_t deadline_ms;
	int32_t open_ms; /* policy_host_open() waits so long at most; 0: POLICY_HOST_START_MS */
	const struct alloc_site *site;
	const struct log_sink *sink;
};

struct policy_shared; /* policy_host_child.c */

enum policy_host_state { POLICY_HOST_CLOSED, POLICY_HOST_STARTING, POLICY_HOST_READY, POLICY_HOST_RESTING };

struct policy_host {
	struct policy_host_conf conf;
	struct log log;
	char name[SITE_CONF_TEXT_MAX]; /* as asked for */
	char title[64];		       /* the policy's own name, "name" of site_policy */
	char kv_text[SITE_KV_TEXT_MAX];
	struct forecourt_kv kv[POLICY_HOST_MAX_KV];
	uint32_t n_kv;
	bool is_isolated;
	enum policy_host_state state;
	/* In this process. */
	struct plug plug;
	struct forecourt_host services;
	void *self, *arena;
	size_t self_size, arena_size;
	/* Isolated. */
	pid_t pid;   /* 0: none */
	pid_t dying; /* killed, not collected yet; 0: none */
	int fd;	     /* our end; -1 */
	struct policy_shared *shared;
	size_t shared_size;
	int64_t started_us;
	/* Times by the site's clock. */
	int64_t retry_us, backoff_us, good_since_us;
	unsigned n_refused_in_a_row;
	/* Counted since open. */
	uint64_t n_calls, n_late, n_crashed, n_mad, n_errors, n_starts, n_resting;
	int64_t last_us, longest_us; /* an answer took */
};

/*
 * options: "key=value key=value" or "". 0, or a negative errno with a sentence; then the host is closed. A
 * policy that is not ready within open_ms is refused.
 */
int policy_host_open(struct policy_host *h, const struct policy_host_conf *conf, const char *name,
		     const char *options, char *err, size_t err_size);
/*
 * Without running anything of it: a built-in one and its options, or whether the file of another is there. 0,
 * or a negative errno with a sentence.
 */
int policy_host_check(const struct plug_source *source, const char *name, const char *options, char *err,
		      size_t err_size);
/* Also for a host that is closed (zeros, fd -1). */
void policy_host_close(struct policy_host *h);
/* For site_set_policy(); refers to *h. */
struct site_policy policy_host_policy(struct policy_host *h);
/* Status.Policy of a name: 255 for one that the interface does not know. */
uint8_t policy_host_code(const char *name);

#endif
