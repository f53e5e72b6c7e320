/* SPDX-License-Identifier: MIT */
/* Limits and maxima without their noise. Pure. */
#include "site-ctrl/site_calm.h"

#include <forecourt/units.h>

static void begin_minute(struct site_calm *c, int32_t limit_mA)
{
	c->low_mA = c->high_mA = limit_mA;
}

static void trim(struct site_calm *c, int32_t limit_mA)
{
	/* A limit that stood still is used to its end; one that trembles keeps its distance. */
	if (c->low_mA == c->high_mA || c->low_mA - c->used_mA > SITE_CALM_SLACK_mA)
		c->used_mA = c->low_mA;
	begin_minute(c, limit_mA);
}

int32_t site_calm_limit_mA(struct site_calm *c, int32_t limit_mA, bool is_trim)
{
	int64_t change = (int64_t)limit_mA - c->used_mA;

	if (!c->is_known || change >= SITE_CALM_STEP_mA || change <= -SITE_CALM_STEP_mA) {
		c->is_known = true;
		c->used_mA = limit_mA;
		begin_minute(c, limit_mA);
		return limit_mA;
	}
	c->low_mA = fc_min_i32(c->low_mA, limit_mA);
	c->high_mA = fc_max_i32(c->high_mA, limit_mA);
	if (change < 0)
		c->used_mA = fc_max_i32(limit_mA - SITE_CALM_GUARD_mA, 0);
	if (is_trim)
		trim(c, limit_mA);
	return fc_min_i32(c->used_mA, limit_mA);
}

int32_t site_calm_point_mA(int32_t used_mA, int32_t new_mA, bool is_trim)
{
	int64_t change = (int64_t)new_mA - used_mA;

	if (is_trim || used_mA == 0 || new_mA == 0 || change > SITE_CALM_POINT_mA ||
	    change < -SITE_CALM_POINT_mA)
		return new_mA;
	return used_mA;
}
