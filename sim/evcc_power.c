/* SPDX-License-Identifier: MIT */
/* What the virtual EVCC asks of the charger, and what it watches while current flows. Pure. */
#include "sim/evcc_priv.h"

/* One LSB of the plug's currents. */
#define LSB_mA 100

/* The vendor's default curve (pev-v2.md section 13): 0 % at 60 degrees, 50 % and stop at 90. */
#define DERATE_FROM_mdegC 60000
#define DERATE_TO_mdegC	  90000

void evcc_power_start(struct evcc *e, int64_t now_us)
{
	e->request_mA = 0;
	e->request_us = now_us;
	e->deviation_us = FC_NEVER;
	e->is_lowering = false;
}

/* The caps in the vendor's order (pev-v2.md section 11); never above the vehicle's own request. */
int32_t evcc_power_request_mA(struct evcc *e, int64_t now_us)
{
	int32_t v_mV = e->dc2.battery_voltage_mV;
	int32_t i_mA = e->cfg.no_bms ? e->cfg.max_current_mA : e->dc1.max_charge_current_mA;
	int32_t step_mA = fc_slope_step(e->cfg.current_ramp_mA_per_s, now_us - e->request_us);

	i_mA = fc_min_i32(i_mA, e->cfg.max_current_mA);
	if (e->v2g.has_limits)
		i_mA = fc_min_i32(i_mA, e->v2g.max_current_mA);
	if (e->cfg.max_power_W > 0)
		i_mA = fc_min_i32(i_mA, fc_current_at_power_mA(e->cfg.max_power_W, v_mV));
	if (e->v2g.max_power_W > 0)
		i_mA = fc_min_i32(i_mA, fc_current_at_power_mA(e->v2g.max_power_W, v_mV));
	i_mA = fc_permille_of(fc_max_i32(i_mA, 0), e->derate_permille);
	i_mA -= i_mA % LSB_mA;
	i_mA = fc_min_i32(i_mA, fc_clamp_i32((int64_t)e->request_mA + step_mA, 0, INT32_MAX));
	e->request_mA = i_mA;
	e->request_us = now_us;
	return i_mA;
}

int32_t evcc_power_target_mV(const struct evcc *e)
{
	int32_t v_mV = e->cfg.target_voltage_mV;

	if (e->cfg.dynamic_target_voltage && e->dc1.target_voltage_mV > 0)
		v_mV = e->dc1.target_voltage_mV;
	v_mV = fc_min_i32(v_mV, e->cfg.max_voltage_mV);
	return e->v2g.has_limits ? fc_min_i32(v_mV, e->v2g.max_voltage_mV) : v_mV;
}

int32_t evcc_power_precharge_mV(const struct evcc *e)
{
	return fc_min_i32(e->dc2.battery_voltage_mV, e->cfg.max_voltage_mV);
}

static int32_t hottest_mdegC(const struct evcc *e)
{
	return fc_max_i32(e->ptc_mdegC[0], fc_max_i32(e->ptc_mdegC[1], e->ptc_mdegC[2]));
}

void evcc_power_derate(struct evcc *e, int64_t now_us, struct out_queue *out)
{
	int32_t t_mdegC = hottest_mdegC(e);

	e->derate_permille = 1000;
	if (!e->cfg.derate_temperature || t_mdegC <= DERATE_FROM_mdegC)
		return;
	e->derate_permille = 500;
	if (t_mdegC < DERATE_TO_mdegC) {
		e->derate_permille =
			1000 - 500 * (t_mdegC - DERATE_FROM_mdegC) / (DERATE_TO_mdegC - DERATE_FROM_mdegC);
	} else if (e->stage == EVCC_CHARGING) {
		evcc_finish(e, now_us, EVCC_CAUSE_TEMPERATURE, out);
	}
}

/* True when the current is off by more than allowed; less than asked is accepted by default. */
static bool is_deviating(const struct evcc *e)
{
	int32_t off_mA = e->dc1.present_current_mA - e->request_mA;

	if (off_mA > e->cfg.current_deviation_mA)
		return true;
	return !e->cfg.accept_less && -off_mA > e->cfg.current_deviation_mA;
}

static void watch_deviation(struct evcc *e, int64_t now_us, struct out_queue *out)
{
	if (!is_deviating(e))
		e->deviation_us = FC_NEVER;
	else if (e->deviation_us == FC_NEVER)
		e->deviation_us = now_us;
	else if (now_us - e->deviation_us >= evcc_ms(e->cfg.current_deviation_ms))
		evcc_finish(e, now_us, EVCC_CAUSE_CURRENT_DEVIATION, out);
}

void evcc_power_watch(struct evcc *e, int64_t now_us, struct out_queue *out)
{
	int32_t dv_mV = fc_abs_i32(e->dc2.inlet_voltage_mV - e->dc2.battery_voltage_mV);

	if (e->stage != EVCC_CHARGING)
		return;
	if (!evcc_is_closed(e))
		evcc_finish(e, now_us, EVCC_CAUSE_CONTACTOR, out);
	else if (dv_mV > e->cfg.match_mV)
		evcc_finish(e, now_us, EVCC_CAUSE_VOLTAGE_DEVIATION, out);
	else if (e->battery.state_of_charge_permille >= e->cfg.max_soc * 10)
		evcc_finish(e, now_us, EVCC_CAUSE_FULL, out);
	else if (e->cfg.max_charge_voltage_mV > 0 &&
		 e->dc2.battery_voltage_mV >= e->cfg.max_charge_voltage_mV)
		evcc_finish(e, now_us, EVCC_CAUSE_VOLTAGE, out);
	else if (e->is_stop_input)
		evcc_finish(e, now_us, EVCC_CAUSE_INPUT, out);
	else
		watch_deviation(e, now_us, out);
}
