/* SPDX-License-Identifier: MIT */
/*
 * The policies that are linked in, as plug-in records like any other (include/forecourt/plugin.h). Pure.
 */
#ifndef SITE_POLICIES_POLICIES_H
#define SITE_POLICIES_POLICIES_H

#include <forecourt/plugin.h>

extern const struct forecourt_plugin policy_fcfs;
extern const struct forecourt_plugin policy_fair;
extern const struct forecourt_plugin policy_fair_need;
extern const struct forecourt_plugin policy_priority;
extern const struct forecourt_plugin policy_edf;
extern const struct forecourt_plugin policy_ready;
extern const struct forecourt_plugin policy_sllf;
extern const struct forecourt_plugin policy_plan;

/* All of them; ends with NULL. */
extern const struct forecourt_plugin *const alloc_policies[];

#endif
