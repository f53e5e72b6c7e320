/* SPDX-License-Identifier: MIT */
/*
 * Settings of site-ctrl: one table for the command line, the configuration file and the control socket. Pure.
 */
#ifndef SITE_SITE_CONF_H
#define SITE_SITE_CONF_H

#include "lib/core/opts.h"
#include "site-ctrl/site_settings.h"

#define SITE_CONF_TEXT_MAX 256
#define SITE_CAN_MAX	   16 /* further buses */
#define SITE_KV_TEXT_MAX   512

enum site_isolate {
	SITE_ISOLATE_AUTO, /* loaded policies in a process of their own, built-in ones here */
	SITE_ISOLATE_ALWAYS,
	SITE_ISOLATE_NEVER,
};

/*
 * Everything that can be set. conf comes first: the first site_conf_n_cycle entries of the table are of it
 * alone.
 */
struct site_settings {
	struct site_conf conf;
	char site[SITE_CONF_TEXT_MAX];
	char schedule[SITE_CONF_TEXT_MAX];
	char policy[SITE_CONF_TEXT_MAX], shadow[SITE_CONF_TEXT_MAX];
	char policy_options[SITE_KV_TEXT_MAX]; /* "key=value key=value" */
	char shadow_options[SITE_KV_TEXT_MAX];
	char policy_dir[SITE_CONF_TEXT_MAX];
	char more_can[SITE_KV_TEXT_MAX]; /* URLs of bus 1, 2, ..., separated by blanks */
	int32_t isolate;		 /* enum site_isolate */
	int32_t policy_deadline_ms;
	int32_t is_shown; /* prints the tree and ends */
};

extern const struct opt site_conf_table[];
extern const size_t site_conf_n, site_conf_n_cycle;

/* What ranges cannot say. 0 or -EINVAL with a sentence. */
int site_conf_check(const struct site_conf *c, char *err, size_t err_size);
/* Defaults of the table. */
void site_conf_defaults(struct site_conf *c);

#endif
