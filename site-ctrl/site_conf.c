/* SPDX-License-Identifier: MIT */
/* Option table of site-ctrl. Pure. */
#include "site-ctrl/site_conf.h"

#include <errno.h>
#include <stdio.h>

#include "site-ctrl/lease.h"

#define AT(member) offsetof(struct site_settings, member), sizeof(((struct site_settings *)NULL)->member)
#define L	   OPT_LIVE
#define CYCLE_N	   12

static const struct opt_name isolations[] = {
	{SITE_ISOLATE_AUTO, "auto"},
	{SITE_ISOLATE_ALWAYS, "always"},
	{SITE_ISOLATE_NEVER, "never"},
	{0, NULL},
};

const struct opt site_conf_table[] = {
	{"cycle_ms", 0, OPT_INT, 0, "ms", 100, 5000, "1000", AT(conf.cycle_ms), NULL,
	 "how often the policy is asked and every report answered"},
	{"lease_ms", 0, OPT_INT, 0, "ms", 4000, 30000, "10000", AT(conf.lease_ms), NULL,
	 "how long a grant holds, in units of 2000"},
	{"longest_lease_ms", 0, OPT_INT, 0, "ms", 4000, 30000, "30000", AT(conf.longest_lease_ms), NULL,
	 "longest lease ever given here; after a start we wait for it to end"},
	{"reaction_ms", 0, OPT_INT, 0, "ms", 500, 60000, "5000", AT(conf.reaction_ms), NULL,
	 "until a vehicle follows a lower current; 5 s by IEC 61851-1"},
	{"report_timeout_ms", 0, OPT_INT, L, "ms", 1500, 20000, "3500", AT(conf.report_timeout_ms), NULL,
	 "a point without a report for so long is silent"},
	{"ramp_mA_per_s", 0, OPT_INT, L, "mA/s", 0, 10000000, "0", AT(conf.ramp_mA_per_s), NULL,
	 "slope of rising grants; 0: at once"},
	{"min_on_ms", 0, OPT_INT, L, "ms", 0, 3600000, "60000", AT(conf.min_on_ms), NULL,
	 "who was switched on stays on for so long, where the limits allow"},
	{"min_off_ms", 0, OPT_INT, L, "ms", 0, 3600000, "30000", AT(conf.min_off_ms), NULL,
	 "who was switched off stays off for so long"},
	{"margin_mA", 0, OPT_INT, L, "mA", 200, 100000, "2000", AT(conf.margin_mA), NULL,
	 "a vehicle that draws less keeps its draw and this"},
	{"reclaim_ms", 0, OPT_INT, L, "ms", 0, 3600000, "60000", AT(conf.reclaim_ms), NULL,
	 "after so long of drawing less the rest is taken back; 0: never"},
	{"probe_ms", 0, OPT_INT, L, "ms", 0, 86400000, "600000", AT(conf.probe_ms), NULL,
	 "how often it is offered more again; 0: only when it asks"},
	{"wait_max_ms", 0, OPT_INT, L, "ms", 0, 86400000, "900000", AT(conf.wait_max_ms), NULL,
	 "nobody who could be served waits longer; 0: as the policy likes"},
	{"site", 0, OPT_TEXT, 0, "FILE", 0, 0, "", AT(site), NULL, "the site: limits, points (site.conf(5))"},
	{"show", 0, OPT_BOOL, 0, "", 0, 1, "false", AT(is_shown), NULL,
	 "print the tree of the site, and exit"},
	{"policy", 0, OPT_TEXT, 0, "NAME", 0, 0, "fair", AT(policy), NULL,
	 "who gets how much: a name, or a plug-in's full path; none: equal share"},
	{"shadow", 0, OPT_TEXT, 0, "NAME", 0, 0, "none", AT(shadow), NULL,
	 "a second policy that is asked too; differences are logged"},
	{"policy_options", 0, OPT_TEXT, 0, "KEY=VALUE...", 0, 0, "", AT(policy_options), NULL,
	 "options of the policy, separated by blanks"},
	{"shadow_options", 0, OPT_TEXT, 0, "KEY=VALUE...", 0, 0, "", AT(shadow_options), NULL,
	 "options of the shadow"},
	{"policy_dir", 0, OPT_TEXT, 0, "DIR", 0, 0, "/usr/local/lib/forecourt", AT(policy_dir), NULL,
	 "where policies NAME.so are"},
	{"isolate", 0, OPT_ENUM, 0, "", 0, 0, "auto", AT(isolate), isolations,
	 "policies in a process of their own: auto (loaded ones), always, never"},
	{"policy_deadline_ms", 0, OPT_INT, 0, "ms", 1, 500, "50", AT(policy_deadline_ms), NULL,
	 "an isolated policy that takes longer is ended"},
	{"schedule", 0, OPT_TEXT, 0, "FILE", 0, 0, "", AT(schedule), NULL, "limits and prices over time"},
	{"more_can", 0, OPT_TEXT, 0, "URL...", 0, 0, "", AT(more_can), NULL,
	 "bus 1, 2 and so on of the site, separated by blanks"},
};

const size_t site_conf_n = sizeof(site_conf_table) / sizeof(site_conf_table[0]);
const size_t site_conf_n_cycle = CYCLE_N;

void site_conf_defaults(struct site_conf *c)
{
	opts_defaults(site_conf_table, CYCLE_N, c);
}

int site_conf_check(const struct site_conf *c, char *err, size_t err_size)
{
	if (c->lease_ms % (LEASE_UNIT_US / 1000)) {
		snprintf(err, err_size, "lease_ms %d is no multiple of 2000", c->lease_ms);
		return -EINVAL;
	}
	if (c->longest_lease_ms < c->lease_ms) {
		snprintf(err, err_size, "longest_lease_ms %d is less than lease_ms %d", c->longest_lease_ms,
			 c->lease_ms);
		return -EINVAL;
	}
	/* A grant is up to one cycle old when it leaves, and may be lost twice. */
	if (c->lease_ms < 3 * c->cycle_ms) {
		snprintf(err, err_size, "lease_ms %d is less than three cycles of %d ms", c->lease_ms,
			 c->cycle_ms);
		return -EINVAL;
	}
	if (c->report_timeout_ms >= c->lease_ms) {
		snprintf(err, err_size, "report_timeout_ms %d is not less than lease_ms %d",
			 c->report_timeout_ms, c->lease_ms);
		return -EINVAL;
	}
	return 0;
}
