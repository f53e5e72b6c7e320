/* SPDX-License-Identifier: MIT */
/*
 * Takes the tremble out of numbers that come from measurements, so that grants do not follow noise: at most
 * one change a minute where nothing really changed. Pure.
 *
 * Limits fall at once, whatever the reason; a fall as small as noise falls a little further, so that the next
 * one finds room. They rise at once by steps that no noise makes, and by less only once a minute, to the
 * lowest of that minute.
 */
#ifndef SITE_SITE_CALM_H
#define SITE_SITE_CALM_H

#include <stdbool.h>
#include <stdint.h>

#define SITE_CALM_PERIOD_US INT64_C(60000000)
#define SITE_CALM_STEP_mA   2000 /* a change of a limit by so much is none of noise: four times 0.5 A */
#define SITE_CALM_GUARD_mA  500	 /* a small fall is taken so much larger */
#define SITE_CALM_SLACK_mA  1000 /* of a trembling limit, that stays unused for good */
#define SITE_CALM_POINT_mA  1000 /* a point's own maximum follows changes over this at once: twice 0.5 A */

/* Of one row. Starts as zeros. */
struct site_calm {
	int32_t used_mA;
	int32_t low_mA, high_mA; /* in this minute */
	bool is_known;
};

/*
 * Next reading of a limit; is_trim: a minute is over. Returns what to use: never over limit_mA.
 */
int32_t site_calm_limit_mA(struct site_calm *c, int32_t limit_mA, bool is_trim);
/* The same for a point's own number, where being over or under for a minute does no harm. */
int32_t site_calm_point_mA(int32_t used_mA, int32_t new_mA, bool is_trim);

#endif
