/* SPDX-License-Identifier: MIT */
/*
 * A policy for a simulation: found by name, checked, made, and ended. Shell: loads files, allocates, prints what the
 * policy logs.
 */
#ifndef SIM_SIM_RUN_LOT_POLICY_H
#define SIM_SIM_RUN_LOT_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/linux/plug_load.h"

struct lot_policy {
	struct plug plug;
	struct forecourt_host host;
	const char *name;
	void *self;
	bool is_verbose;
	void *arena; /* see lot_policy_arena() */
};

struct lot_policy_setup {
	const struct forecourt_plugin *const *builtin; /* ends with NULL */
	const struct forecourt_kv *kv;
	uint32_t n_kv;
	bool is_verbose; /* all log lines of the policy, not only warnings */
};

/* The policy must not move in memory. 0; 1 failed or 2 wrong use, with a sentence on stderr. */
int lot_policy_open(struct lot_policy *p, const char *name, const struct lot_policy_setup *setup);
/* Its arena for a site, zeroed, in p->arena. False: not enough memory. */
bool lot_policy_arena(struct lot_policy *p, const struct alloc_site *site);
/* Also after a failed open. */
void lot_policy_close(struct lot_policy *p);

#endif
