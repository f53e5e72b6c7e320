/* SPDX-License-Identifier: MIT */
/* Conditions that both halves of the charger's table use. Pure. */
#ifndef MONITOR_EXPLAIN_EVSE_H
#define MONITOR_EXPLAIN_EVSE_H

#include "monitor/explain_priv.h"

#include <forecourt/units.h>

#define MS(ms) ((int64_t)(ms)*FC_US_PER_MS)

#define LOW_mV	   20000 /* an output up to here counts as lowered: section 5 */
#define MATCH_mV   20000 /* precharge match: section 5 */
#define FN_STANDBY EVSE_DC_POWER_CONTROL_POWER_FUNCTION_STANDBY
#define FN_TEST	   EVSE_DC_POWER_CONTROL_POWER_FUNCTION_INSULATION_TEST
#define FN_PRECH   EVSE_DC_POWER_CONTROL_POWER_FUNCTION_PRECHARGE
#define FN_POWER   EVSE_DC_POWER_CONTROL_POWER_FUNCTION_POWER_TRANSFER

/* Asked for in this session; never, where no command has come yet. */
static inline bool is_function(const struct explain_scene *c, unsigned function)
{
	return c->e.has_power && c->e.power.power_function == function;
}

static inline bool is_standby(struct explain_scene *c)
{
	return is_function(c, FN_STANDBY);
}

static inline bool is_output_high(struct explain_scene *c)
{
	return c->present_mV > LOW_mV;
}

static inline bool is_disabled(struct explain_scene *c)
{
	return !c->e.pms.system_enable;
}

#endif
