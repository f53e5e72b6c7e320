/* SPDX-License-Identifier: MIT */
/*
 * Numbers among a policy's options. Pure, header only.
 */
#ifndef SITE_POLICIES_POLICY_OPTION_H
#define SITE_POLICIES_POLICY_OPTION_H

#include <stdio.h>
#include <string.h>

#include <forecourt/alloc_policy.h>

/* The host may hand on dashes as the user wrote them. */
static inline bool policy_option_is(const struct forecourt_kv *kv, const char *name)
{
	const char *k = kv->key;

	for (; *k && *name; k++, name++)
		if (*k != *name && !(*k == '-' && *name == '_'))
			return false;
	return !*k && !*name;
}

/* A whole number between bounds. False after a line in the log: it is none. *value is left alone then. */
static inline bool policy_number(const struct forecourt_host *host, const struct forecourt_kv *kv,
				 int64_t low, int64_t high, int64_t *value)
{
	const char *t = kv->value;
	bool is_negative = *t == '-';
	int64_t v = 0;
	char line[160];

	t += is_negative;
	if (*t < '0' || *t > '9')
		t = "x";
	for (; *t >= '0' && *t <= '9' && v <= INT64_MAX / 100; t++)
		v = v * 10 + (*t - '0');
	v = is_negative ? -v : v;
	if (!*t && v >= low && v <= high) {
		*value = v;
		return true;
	}
	if (host && host->log) {
		snprintf(line, sizeof(line), "%.40s=%.40s: want a whole number %lld..%lld", kv->key,
			 kv->value, (long long)low, (long long)high);
		host->log(host->ctx, FORECOURT_LOG_ERROR, line);
	}
	return false;
}

#endif
