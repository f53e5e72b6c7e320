/* SPDX-License-Identifier: MIT */
/* Words for the numbers of dbc/site.dbc. Pure. */
#include "monitor/site_mon_model.h"

static const char *name_of(unsigned value, const char *const *names, unsigned n)
{
	return value < n ? names[value] : "unknown";
}

const char *smon_state_name(unsigned state)
{
	static const char *const names[] = {"idle",	"waiting", "charging",	 "discharging",
					    "finished", "fault",   "unavailable"};

	return name_of(state, names, sizeof(names) / sizeof(names[0]));
}

const char *smon_reason_name(unsigned reason)
{
	static const char *const names[] = {"nothing wanted",
					    "its own maximum",
					    "limit",
					    "its minimum does not fit",
					    "the policy wants it so",
					    "others have not confirmed yet",
					    "rises slowly",
					    "hold time",
					    "silent",
					    "equal share: policy failed",
					    "site has just started"};

	return name_of(reason, names, sizeof(names) / sizeof(names[0]));
}

const char *smon_policy_name(unsigned policy)
{
	static const char *const names[] = {"none", "fcfs", "fair",  "fair-need", "priority",
					    "edf",  "sllf", "ready", "plan"};

	return policy < sizeof(names) / sizeof(names[0]) ? names[policy] : "other";
}

const char *smon_site_state_name(unsigned state)
{
	static const char *const names[] = {"starting", "running", "fallback", "stopping"};

	return name_of(state, names, sizeof(names) / sizeof(names[0]));
}

const char *smon_alarm_text(unsigned bit)
{
	static const char *const texts[SMON_N_ALARMS] = {
		"a limit is below what silent points take", "a meter is stale: its worst load counts",
		"somebody draws more than granted", "the policy failed: equal share",
		"another site speaks on this bus"};

	return bit < SMON_N_ALARMS ? texts[bit] : "unknown";
}

const char *smon_alarm_name(unsigned bit)
{
	static const char *const names[SMON_N_ALARMS] = {"limit_below_safe", "meter_stale", "overdrawn",
							 "fallback", "other_site"};

	return name_of(bit, names, SMON_N_ALARMS);
}
