/* SPDX-License-Identifier: MIT */
/* Order of caps from request to set point. Pure. */
#include "evse-ctrl/evse_limits.h"

#include <stdlib.h>

#include <forecourt/units.h>

#define ANNOUNCE_NOISE_mA	100
#define ANNOUNCE_NOISE_PERMILLE 5

/* Lowers the magnitude to a cap and notes who did it. */
static void cap(struct evse_setpoint *sp, int32_t charge_mA, int32_t discharge_mA, enum evse_limit who)
{
	int32_t limited = fc_clamp_i32(sp->i_mA, -fc_max_i32(discharge_mA, 0), fc_max_i32(charge_mA, 0));

	if (limited != sp->i_mA) {
		sp->i_mA = limited;
		sp->binds = who;
	}
}

static void cap_grant(const struct evse_grant_cap *g, struct evse_setpoint *sp)
{
	if (g->is_on)
		cap(sp, fc_min_i32(fc_current_at_power_mA(g->charge_W, g->v_mV), g->brake_mA),
		    fc_current_at_power_mA(g->feed_W, g->v_mV), EVSE_LIMIT_GRANT);
}

int32_t evse_limits_max_mV(const struct evse_conf *conf, const struct pm_status *st,
			   const struct pm_caps *caps)
{
	int32_t max_mV = fc_min_i32(conf->max_voltage_mV, caps->v_max_mV);

	return st->avail_v_max_mV > 0 ? fc_min_i32(max_mV, st->avail_v_max_mV) : max_mV;
}

static int32_t operating_point(const struct evse_limits_in *in, enum evse_limit *who)
{
	const struct evse_power_command *r = in->request;

	*who = EVSE_LIMIT_REQUEST;
	if (!r->is_range || !in->has_ocpp_target)
		return r->i_max_mA;
	*who = EVSE_LIMIT_OPERATOR;
	if (r->i_min_mA > r->i_max_mA)
		return r->i_max_mA;
	return fc_clamp_i32(in->ocpp_target_mA, r->i_min_mA, r->i_max_mA);
}

static void apply_ramp(const struct evse_limits_in *in, struct evse_setpoint *sp)
{
	int32_t up = in->conf->ramp_up_mA_per_s, down = in->conf->ramp_down_mA_per_s;
	bool is_rising = abs(sp->i_mA) > abs(in->last_mA);
	int32_t slope = is_rising ? up : down;
	int32_t step;

	if (slope <= 0)
		return;
	step = fc_slope_step(slope, in->dt_us);
	if ((int64_t)sp->i_mA - in->last_mA > step)
		sp->i_mA = in->last_mA + step;
	else if ((int64_t)in->last_mA - sp->i_mA > step)
		sp->i_mA = in->last_mA - step;
	else
		return;
	sp->binds = EVSE_LIMIT_RAMP;
}

void evse_limits_apply(const struct evse_limits_in *in, struct evse_setpoint *sp)
{
	const struct evse_conf *conf = in->conf;
	int32_t max_mV = evse_limits_max_mV(conf, in->status, in->caps);
	int32_t discharge_mA, power_mA;

	sp->is_v_clipped = in->request->v_mV > max_mV;
	sp->v_mV = sp->is_v_clipped ? max_mV : in->request->v_mV;
	sp->i_mA = operating_point(in, &sp->binds);
	if (sp->i_mA == 0)
		sp->binds = EVSE_LIMIT_NONE;

	discharge_mA = (in->caps->flags & PM_CAP_BIDIRECTIONAL) ? conf->max_discharge_current_mA : 0;
	cap(sp, conf->max_charge_current_mA, discharge_mA, EVSE_LIMIT_CONFIG);
	cap(sp, fc_min_i32(in->status->avail_i_max_mA, in->caps->i_charge_max_mA),
	    fc_min_i32(-in->status->avail_i_min_mA, in->caps->i_discharge_max_mA), EVSE_LIMIT_HARDWARE);
	if (conf->max_power_W > 0) {
		/* Safe side: the larger of the measured voltage and the set point. */
		power_mA = fc_current_at_power_mA(conf->max_power_W, fc_max_i32(in->status->v_mV, sp->v_mV));
		cap(sp, power_mA, power_mA, EVSE_LIMIT_POWER);
	}
	cap_grant(&in->grant, sp);
	apply_ramp(in, sp);
	cap_grant(&in->grant, sp);
}

static int32_t steady_mA(int32_t mA, int32_t last_mA)
{
	int32_t noise_mA = ANNOUNCE_NOISE_mA + fc_permille_of(last_mA, ANNOUNCE_NOISE_PERMILLE);

	return fc_abs_i32(mA - last_mA) <= noise_mA && mA > noise_mA ? last_mA : mA;
}

void evse_limits_announce(const struct evse_conf *conf, const struct pm_status *st,
			  const struct pm_caps *caps, const struct evse_grant_cap *grant, int32_t last_mA,
			  struct evse_parameters_out *p)
{
	p->max_voltage_mV = evse_limits_max_mV(conf, st, caps);
	p->max_charge_mA = fc_min_i32(conf->max_charge_current_mA,
				      fc_min_i32(st->avail_i_max_mA, caps->i_charge_max_mA));
	/* A charger that cannot take current back still has to announce something other than 0 = "default". */
	p->max_discharge_mA = fc_min_i32(conf->max_discharge_current_mA,
					 fc_min_i32(-st->avail_i_min_mA, caps->i_discharge_max_mA));
	if (!grant->is_on)
		return;
	p->max_charge_mA = fc_min_i32(
		p->max_charge_mA, steady_mA(fc_current_at_power_mA(grant->charge_W, grant->v_mV), last_mA));
	p->max_discharge_mA =
		fc_min_i32(p->max_discharge_mA, fc_current_at_power_mA(grant->feed_W, grant->v_mV));
}

void evse_limits_bind(const struct evse_grant_cap *grant, struct pm_setpoint *sp)
{
	int32_t v_mV = sp->mode == PM_TRANSFER ? grant->v_mV : sp->v_mV;
	int32_t limit_W;

	if (!grant->is_on || sp->mode < PM_INSULATION_TEST)
		return;
	sp->i_max_mA = fc_min_i32(sp->i_max_mA, fc_current_at_power_mA(grant->charge_W, v_mV));
	limit_W = fc_max_i32(sp->i_max_mA < 0 ? grant->feed_W : grant->charge_W, 1); /* 0: no limit */
	sp->p_max_W = sp->p_max_W > 0 ? fc_min_i32(sp->p_max_W, limit_W) : limit_W;
}

const char *evse_limit_name(enum evse_limit limit)
{
	switch (limit) {
	case EVSE_LIMIT_NONE:
		return "none";
	case EVSE_LIMIT_REQUEST:
		return "request";
	case EVSE_LIMIT_OPERATOR:
		return "operator";
	case EVSE_LIMIT_CONFIG:
		return "config";
	case EVSE_LIMIT_HARDWARE:
		return "hardware";
	case EVSE_LIMIT_POWER:
		return "power";
	case EVSE_LIMIT_GRANT:
		return "grant";
	case EVSE_LIMIT_RAMP:
		return "ramp";
	case EVSE_N_LIMITS:
		break;
	}
	return "unknown";
}
