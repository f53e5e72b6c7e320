/* SPDX-License-Identifier: MIT */
/*
 * Units and checked conversions.
 *
 * Quantities are integers in milli-units with the unit in the name: _mV, _mA, _W, _Wh, _ohm, _mdegC,
 * _permille, _us. Products are formed in 64 bits; each helper states its rounding. Limits round towards
 * the safe side (down for maxima). Header only, so that a plug-in needs no host symbol.
 */
#ifndef FORECOURT_UNITS_H
#define FORECOURT_UNITS_H

#include <stdbool.h>
#include <stdint.h>

#define FC_US_PER_MS 1000
#define FC_US_PER_S  1000000

/* "Never": the time of something that is not due. */
#define FC_NEVER INT64_MAX

static inline int32_t fc_clamp_i32(int64_t value, int32_t low, int32_t high)
{
	if (value < low)
		return low;
	if (value > high)
		return high;
	return (int32_t)value;
}

static inline int32_t fc_min_i32(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

static inline int32_t fc_max_i32(int32_t a, int32_t b)
{
	return a > b ? a : b;
}

static inline int64_t fc_min_i64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static inline int32_t fc_abs_i32(int32_t a)
{
	return a >= 0 ? a : (a == INT32_MIN ? INT32_MAX : -a);
}

/* mV x mA in W, rounded towards zero; saturates at the int32 range (2.1 GW). */
static inline int32_t fc_power_W(int32_t voltage_mV, int32_t current_mA)
{
	return fc_clamp_i32((int64_t)voltage_mV * current_mA / 1000000, INT32_MIN, INT32_MAX);
}

/* Largest current that power_W allows at voltage_mV, rounded down; no voltage: no limit (INT32_MAX). */
static inline int32_t fc_current_at_power_mA(int32_t power_W, int32_t voltage_mV)
{
	if (voltage_mV <= 0)
		return INT32_MAX;
	return fc_clamp_i32((int64_t)power_W * 1000000 / voltage_mV, INT32_MIN, INT32_MAX);
}

/* value x permille / 1000, rounded towards zero. */
static inline int32_t fc_permille_of(int32_t value, int32_t permille)
{
	return fc_clamp_i32((int64_t)value * permille / 1000, INT32_MIN, INT32_MAX);
}

/* Change in dt_us at a slope given in milli-units per second, rounded down; saturates. */
static inline int32_t fc_slope_step(int32_t slope_per_s, int64_t dt_us)
{
	if (dt_us <= 0 || slope_per_s <= 0)
		return 0;
	if (dt_us > 1000 * (int64_t)FC_US_PER_S)
		dt_us = 1000 * (int64_t)FC_US_PER_S;
	return fc_clamp_i32(slope_per_s * dt_us / FC_US_PER_S, 0, INT32_MAX);
}

#endif
