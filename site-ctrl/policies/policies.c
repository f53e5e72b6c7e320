/* SPDX-License-Identifier: MIT */
/* The list of the policies that are linked in. Pure. */
#include "site-ctrl/policies/policies.h"

const struct forecourt_plugin *const alloc_policies[] = {
	&policy_fair, &policy_fair_need, &policy_fcfs, &policy_priority, &policy_edf, &policy_ready,
	&policy_sllf, &policy_plan,	 NULL,
};
