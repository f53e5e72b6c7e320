/* SPDX-License-Identifier: MIT */
/*
 * How a request becomes a set point: the order of caps, and which one binds. Pure.
 *
 * Order (evse-v3.md section 11, customer): operating point, range of the module, own configuration,
 * hardware at the present voltage, power, grant of the site, own ramp; and the grant once more, since a
 * slow ramp must not keep a lowered grant waiting. Every current that leaves carries the reason that capped
 * it.
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
	EVSE_LIMIT_GRANT,    /* the site's grant, or the safe current without one */
	EVSE_LIMIT_RAMP,     /* own ramp towards the value above */
	EVSE_N_LIMITS,
};

/* The site's grant as power at the output. */
struct evse_grant_cap {
	bool is_on;		  /* false: nobody grants, the rest is unused */
	int32_t charge_W, feed_W; /* at most, rounded down */
	int32_t v_mV;		  /* voltage that the output may have, rounded up; > 0 */
	/* Most current from which the modules' own ramp comes down in time when the lease ends. */
	int32_t brake_mA;
};

struct evse_limits_in {
	const struct evse_conf *conf;
	const struct evse_power_command *request;
	const struct pm_status *status;
	const struct pm_caps *caps;
	int32_t ocpp_target_mA;
	bool has_ocpp_target;
	struct evse_grant_cap grant;
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
/*
 * What is announced in DC_Power_Parameters. last_mA: charge current announced before; a grant moves it only
 * when it differs by more than the noise of the voltage that it was computed with.
 */
void evse_limits_announce(const struct evse_conf *conf, const struct pm_status *st,
			  const struct pm_caps *caps, const struct evse_grant_cap *grant, int32_t last_mA,
			  struct evse_parameters_out *p);
/*
 * Holds a set point of any power mode to the grant: current at the voltage that the output will have, and
 * the power limit of the modules, which acts without waiting for us.
 */
void evse_limits_bind(const struct evse_grant_cap *grant, struct pm_setpoint *sp);
const char *evse_limit_name(enum evse_limit limit);

#endif
