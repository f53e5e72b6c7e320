/* SPDX-License-Identifier: MIT */
/*
 * The process of an isolated policy, and the memory that it shares with its host. Shell. The host trusts
 * nothing that it reads there: numbers are checked, texts are cut, the grants go through the site's proof.
 */
#ifndef SITE_POLICY_HOST_CHILD_H
#define SITE_POLICY_HOST_CHILD_H

#include "site-ctrl/policy_host.h"

struct policy_shared {
	/* The child's. */
	int32_t start_error; /* 0: ready */
	char start_text[400];
	char title[64];
	int32_t error;
	int64_t again_us;
	uint32_t n_logs;
	struct policy_shared_log {
		int32_t level;
		char text[200];
	} log[POLICY_HOST_LOGS];
	/* The host's. */
	int64_t now_us;
	uint32_t n_outlook;
	uint32_t has_export;
	struct alloc_outlook outlook[POLICY_HOST_MAX_OUTLOOK];
	/* Behind it: points, grants, limits, export limits; see policy_shared_parts(). */
};

struct policy_shared_parts {
	struct alloc_point *point;
	struct alloc_grant *grant;
	int32_t *limit_mA, *export_limit_mA;
};

size_t policy_shared_size(const struct alloc_site *site);
struct policy_shared_parts policy_shared_parts(struct policy_shared *shared, const struct alloc_site *site);

/* Never returns. fd: the child's end, on which one byte asks and one byte answers. */
void policy_child_run(const struct policy_host *h, int fd) __attribute__((noreturn));

#endif
