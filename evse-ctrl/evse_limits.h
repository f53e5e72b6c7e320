/* SPDX-License-Identifier: MIT */
/*
 * How a request becomes a set point: the order of caps, and which one binds. Pure.
 *
 * Order (evse-v3.md section 11, customer): operating point, range of the module, own configuration, hardware
 * at the present voltage, power, own ramp. Every current that leaves carries the reason that capped it.
 */
#ifndef EVSE_LIMITS_H
#define EVSE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include <forecourt/power_module.h>

#include "evse-ctrl/evse_conf.h"
#include "evse-ctrl/evse_wire.h"

enum evse_limit {
	EVSE_LIMIT_NONE,     /* no current is asked */
	EVSE_LIMIT_REQUEST,  /* the vehicle gets what it asked for */
	EVSE_LIMIT_OPERATOR, /* operating point of the back end inside the range */
	EVSE_LIMIT_CONFIG,   /* configured maximum current */
	EVSE_LIMIT_HARDWARE, /* what the power modules can give now */
	EVSE_LIMIT_POWER,    /* configured maximum power at the present voltage */
	EVSE_LIMIT_RAMP,     /* own ramp towards the value above */
	EVSE_N_LIMITS,
};

struct evse_limits_in {
	const struct evse_conf *conf;
	const struct evse_power_command *request;
	const struct pm_status *status;
	const struct pm_caps *caps;
	int32_t ocpp_target_mA;
	bool has_ocpp_target;
	int32_t last_mA; /* set point before, and how long ago */
	int64_t dt_us;
};

struct evse_setpoint {
	int32_t v_mV;
	int32_t i_mA;
	enum evse_limit binds;
	bool is_v_clipped;
};

void evse_limits_apply(const struct evse_limits_in *in, struct evse_setpoint *sp);
/* Highest voltage that may be commanded: configuration and hardware. */
int32_t evse_limits_max_mV(const struct evse_conf *conf, const struct pm_status *st,
			   const struct pm_caps *caps);
/* What is announced in DC_Power_Parameters. */
void evse_limits_announce(const struct evse_conf *conf, const struct pm_status *st,
			  const struct pm_caps *caps, struct evse_parameters_out *p);
const char *evse_limit_name(enum evse_limit limit);

#endif
