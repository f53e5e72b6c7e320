/* SPDX-License-Identifier: MIT */
/*
 * Laxity: the time that would be left if a vehicle charged at its maximum from now on until it has what it
 * wants. Pure, header only.
 */
#ifndef SITE_POLICIES_POLICY_LAXITY_H
#define SITE_POLICIES_POLICY_LAXITY_H

#include <forecourt/alloc_policy.h>

#define POLICY_MAX_mWh	     INT64_C(2000000000) /* 2 MWh */
#define POLICY_US_PER_HOUR   INT64_C(3600000000)
#define POLICY_US_PER_MIN    INT64_C(60000000)
#define POLICY_MAX_LAXITY_us (100 * 24 * POLICY_US_PER_HOUR)

/*
 * Negative: cannot be met any more. Overdue: 0 time left. `unknown_us` where nobody said until when or how
 * much.
 */
static inline int64_t policy_laxity_us(const struct alloc_point *p, int64_t now_us, int64_t unknown_us)
{
	int64_t max_mW = (int64_t)p->max_mA * (p->mW_per_mA > 0 ? p->mW_per_mA : 1), left_us, need_us;

	if (p->departure_us == ALLOC_UNKNOWN || p->energy_mWh == ALLOC_UNKNOWN || max_mW <= 0)
		return unknown_us;
	need_us = fc_min_i64(p->energy_mWh, POLICY_MAX_mWh) * POLICY_US_PER_HOUR / max_mW;
	left_us = p->departure_us <= now_us ? 0
					    : fc_min_i64(p->departure_us - now_us, 2 * POLICY_MAX_LAXITY_us);
	left_us -= fc_min_i64(need_us, 2 * POLICY_MAX_LAXITY_us);
	return left_us > POLICY_MAX_LAXITY_us ? POLICY_MAX_LAXITY_us : left_us;
}

/*
 * Worth of an ampere, 1..2^20: halved by a laxity of half_us; one who is overdue or cannot be met any more:
 * 2^20.
 */
static inline int64_t policy_worth(const struct alloc_point *p, int64_t now_us, int64_t half_us)
{
	int64_t half_s = half_us / FC_US_PER_S, laxity_s = policy_laxity_us(p, now_us, half_us) / FC_US_PER_S;

	return (INT64_C(1) << 20) * half_s / (half_s + (laxity_s > 0 ? laxity_s : 0));
}

#endif
