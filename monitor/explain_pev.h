/* SPDX-License-Identifier: MIT */
/* Conditions that both halves of the vehicle's table use. Pure. */
#ifndef MONITOR_EXPLAIN_PEV_H
#define MONITOR_EXPLAIN_PEV_H

#include "monitor/explain_priv.h"

#include <forecourt/units.h>

#define MS(ms) ((int64_t)(ms)*FC_US_PER_MS)

#define MATCH_mV  20000 /* inlet against battery, and the least battery voltage: pev-v2.md section 5 */
#define UNLOCK_mV 60000 /* the inlet is safe to unlock up to here: section 5 */
/* Contactors take 0.6 s (simulators.md section 2); the module ignores a mismatch for 1 s (section 5). */
#define SETTLED_us MS(1000)

static inline bool is_ac(struct explain_scene *c)
{
	return c->v.is_ac;
}

/* The vehicle's feedback. */
static inline bool is_closed(struct explain_scene *c)
{
	return c->controller_age_us >= 0 && c->v.voltage.contactors_closed;
}

static inline bool is_close_commanded(struct explain_scene *c)
{
	return c->v.control_age_us >= 0 && c->v.dc_control.close_contactors;
}

static inline bool is_command_settled(const struct explain_scene *c)
{
	return c->since_us[EXPLAIN_COMMAND] >= 0 && c->now_us - c->since_us[EXPLAIN_COMMAND] > SETTLED_us;
}

static inline bool is_apart(struct explain_scene *c)
{
	return c->present_mV != MON_UNKNOWN && fc_abs_i32(fc_clamp_i32((int64_t)c->present_mV - c->battery_mV,
								       -INT32_MAX, INT32_MAX)) > MATCH_mV;
}

static inline bool is_inlet_live(struct explain_scene *c)
{
	return c->present_mV > UNLOCK_mV;
}

static inline bool is_flowing(struct explain_scene *c)
{
	return explain_is_flowing(c);
}

#endif
