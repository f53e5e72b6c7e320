/* SPDX-License-Identifier: MIT */
/* The numbers that rule a site's cycle; see site_conf.c for ranges and defaults. */
#ifndef SITE_SITE_SETTINGS_H
#define SITE_SITE_SETTINGS_H

#include <stdint.h>

struct site_conf {
	int32_t cycle_ms;	       /* 1000 */
	int32_t lease_ms;	       /* 10000, whole units of 2 s */
	int32_t longest_lease_ms;      /* 30000: that any site-ctrl ever gave here */
	int32_t reaction_ms;	       /* 5000 */
	int32_t report_timeout_ms;     /* a point is silent after that: 3500 */
	int32_t ramp_mA_per_s;	       /* of raises; 0: at once */
	int32_t min_on_ms, min_off_ms; /* hold times against flapping */
	int32_t margin_mA;	       /* reclaim: a point gets at most its draw + margin, after reclaim_ms */
	int32_t reclaim_ms;	       /* 60000; 0: nothing is reclaimed */
	int32_t probe_ms;	       /* 600000: offered more again; 0: never */
	int32_t wait_max_ms;	       /* 900000: who waits longest goes first; 0: as the policy likes */
};

#endif
