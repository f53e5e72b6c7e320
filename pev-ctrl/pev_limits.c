/* SPDX-License-Identifier: MIT */
/* Caps of the current request and of the energy levels. Pure. */
#include "pev-ctrl/pev_limits.h"

#include <forecourt/units.h>

#define SOC_FULL_permille 1000

static const char *const names[PEV_N_LIMITS] = {
	[PEV_LIMIT_BMS] = "bms",
	[PEV_LIMIT_NO_STATE] = "state",
	[PEV_LIMIT_BMS_STALE] = "bms_stale",
	[PEV_LIMIT_DC_CONTROL_LATE] = "dc_control_late",
	[PEV_LIMIT_CONTACTORS] = "contactors",
	[PEV_LIMIT_USER] = "user",
	[PEV_LIMIT_PACK] = "pack",
	[PEV_LIMIT_TAPER_SOC] = "taper_soc",
	[PEV_LIMIT_TAPER_VOLTAGE] = "taper_voltage",
	[PEV_LIMIT_DERATING] = "derating",
	[PEV_LIMIT_CHARGER] = "charger",
	[PEV_LIMIT_RAW] = "raw",
};

const char *pev_limit_name(enum pev_limit limit)
{
	return names[limit];
}

static void cap(struct pev_limit_result *r, int32_t limit_mA, enum pev_limit by)
{
	if (limit_mA >= r->current_mA)
		return;
	r->current_mA = limit_mA;
	r->by = by;
}

/* From high at x0 straight down to low at x1; x0 < x1. */
static int32_t fall(int32_t x, int32_t x0, int32_t x1, int32_t high, int32_t low)
{
	if (x <= x0)
		return high;
	if (x >= x1)
		return low;
	return high - (int32_t)(((int64_t)high - low) * (x - x0) / (x1 - x0));
}

static void cap_taper(struct pev_limit_result *r, const struct pev_conf *conf,
		      const struct pev_limit_input *in)
{
	int32_t start_permille = conf->taper_start_soc_pct * 10;
	int32_t high_mA = r->current_mA;

	if (start_permille < SOC_FULL_permille && conf->taper_end_current_mA < high_mA)
		cap(r,
		    fall(in->soc_permille, start_permille, SOC_FULL_permille, high_mA,
			 conf->taper_end_current_mA),
		    PEV_LIMIT_TAPER_SOC);
	if (conf->taper_start_voltage_mV > 0 && conf->taper_start_voltage_mV < in->max_battery_mV)
		cap(r, fall(in->battery_mV, conf->taper_start_voltage_mV, in->max_battery_mV, high_mA, 0),
		    PEV_LIMIT_TAPER_VOLTAGE);
}

struct pev_limit_result pev_limits_charge(const struct pev_conf *conf, const struct pev_limit_input *in)
{
	struct pev_limit_result r = {fc_max_i32(in->bms_mA, 0), PEV_LIMIT_BMS};

	if (in->veto != PEV_LIMIT_BMS)
		return (struct pev_limit_result){0, in->veto};
	if (conf->requested_current_mA >= 0)
		cap(&r, conf->requested_current_mA, PEV_LIMIT_USER);
	cap(&r, conf->max_charge_current_mA, PEV_LIMIT_PACK);
	cap(&r, fc_max_i32(in->pack_mA, 0), PEV_LIMIT_PACK);
	cap_taper(&r, conf, in);
	if (in->temp_mdegC != INT32_MIN)
		cap(&r,
		    fall(in->temp_mdegC, conf->derating_start_mdegC, conf->derating_end_mdegC, r.current_mA,
			 0),
		    PEV_LIMIT_DERATING);
	if (in->charger_mA > 0)
		cap(&r, in->charger_mA, PEV_LIMIT_CHARGER);
	cap(&r, in->raw_max_mA, PEV_LIMIT_RAW);
	r.current_mA -= r.current_mA % in->step_mA;
	return r;
}

static int64_t between(int64_t value, int64_t low, int64_t high)
{
	return value < low ? low : value > high ? high : value;
}

void pev_limits_fix_energy(struct pev_energy *e, int64_t capacity_Wh)
{
	e->max_Wh = between(e->max_Wh, 0, capacity_Wh > 0 ? capacity_Wh : INT64_MAX);
	e->min_Wh = between(e->min_Wh, 0, e->max_Wh);
	e->target_Wh = between(e->target_Wh, e->min_Wh, e->max_Wh);
	e->v2x_max_Wh = between(e->v2x_max_Wh, e->min_Wh, e->max_Wh);
	e->v2x_min_Wh = between(e->v2x_min_Wh, e->min_Wh, e->v2x_max_Wh);
}
