/* SPDX-License-Identifier: MIT */
/*
 * How a current request is limited before it is sent, and which cap binds (pev-v2.md section 11). Pure.
 *
 * In this order: request (BMS, user), pack limit, taper, derating, the charger's announced maximum, what the
 * signal can carry. Every cap only lowers; all rounding is down.
 */
#ifndef PEV_LIMITS_H
#define PEV_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "pev-ctrl/pev_conf.h"

enum pev_limit {
	PEV_LIMIT_BMS,	    /* nothing below the BMS's own wish */
	PEV_LIMIT_NO_STATE, /* the state permits no request: stop, fault, end */
	PEV_LIMIT_BMS_STALE,
	PEV_LIMIT_DC_CONTROL_LATE, /* module silent: first step towards opening */
	PEV_LIMIT_CONTACTORS,	   /* open, or about to open */
	PEV_LIMIT_USER,
	PEV_LIMIT_PACK,
	PEV_LIMIT_TAPER_SOC,
	PEV_LIMIT_TAPER_VOLTAGE,
	PEV_LIMIT_DERATING,
	PEV_LIMIT_CHARGER,
	PEV_LIMIT_RAW,
	PEV_N_LIMITS,
};

struct pev_limit_input {
	enum pev_limit veto; /* a reason for 0 A, or PEV_LIMIT_BMS: none */
	int32_t bms_mA;
	int32_t pack_mA; /* the driver's rating */
	int32_t soc_permille;
	int32_t battery_mV;
	int32_t max_battery_mV;
	int32_t temp_mdegC; /* INT32_MIN: unknown, no derating */
	int32_t charger_mA; /* EVSE_Information.Max_Current; <= 0: not known (CP-23) */
	int32_t step_mA;    /* of the signal */
	int32_t raw_max_mA;
};

struct pev_limit_result {
	int32_t current_mA;
	enum pev_limit by;
};

struct pev_energy {
	int64_t target_Wh, max_Wh, min_Wh;
	int64_t v2x_min_Wh, v2x_max_Wh;
};

struct pev_limit_result pev_limits_charge(const struct pev_conf *conf, const struct pev_limit_input *in);
/* Makes min <= target <= max <= capacity and min <= V2X min <= V2X max <= max hold (rule P-35). Capacity 0: not known. */
void pev_limits_fix_energy(struct pev_energy *e, int64_t capacity_Wh);
const char *pev_limit_name(enum pev_limit limit);

#endif
