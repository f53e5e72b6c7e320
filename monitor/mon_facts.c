/* SPDX-License-Identifier: MIT */
/* The facts that are worked out alike on both sides. Pure. */
#include "monitor/mon_facts.h"

#include "monitor/mon_facts_priv.h"

static void facts_clear(struct mon_facts *f)
{
	memset(f, 0, sizeof(*f));
	f->state = -1;
	f->state_name = f->protocol = f->pins = f->hottest = f->emergency_origin = f->derating = "";
	f->state_for_us = f->module_age_us = f->controller_age_us = -1;
	f->target_mV = f->target_mA = f->present_mV = f->present_mA = MON_UNKNOWN;
	f->battery_mV = f->power_W = f->soc_permille = f->target_soc_permille = MON_UNKNOWN;
	f->insulation_ohm = f->hottest_mdegC = MON_UNKNOWN;
	f->binding = -1;
}

bool facts_of_session(const struct mon_model *m, unsigned point, unsigned msg, void *content)
{
	const struct mon_point *p = &m->point[point];

	if (mon_get(m, point, msg, content) < 0)
		return false;
	if (p->session.is_running && p->msg[msg].last_us >= p->session.start_us)
		return true;
	memset(content, 0, m->layouts[msg].msg_size);
	return false;
}

bool facts_is_silent(const struct mon_model *m, unsigned point, unsigned msg, enum mon_half half)
{
	const struct mon_msg *g = &m->point[point].msg[msg];
	int64_t age_us = g->n ? m->now_us - g->last_us : mon_half_age_us(m, point, half);

	return age_us > mon_silence_limit_us(m, half);
}

void facts_limit(struct mon_facts *f, const char *name, int32_t mA)
{
	if (f->n_limits < MON_MAX_LIMITS)
		f->limit[f->n_limits++] = (struct mon_limit){name, mA};
}

void facts_bind(struct mon_facts *f, int request)
{
	const int32_t equal_mA =
		100; /* one step of the charger's interface, and 1 % for limits in whole kW */
	uint32_t i;

	f->binding = -1;
	for (i = 0; i < f->n_limits; i++) {
		if ((int)i == request || f->limit[i].mA == MON_UNKNOWN)
			continue;
		if (f->binding < 0 || f->limit[i].mA < f->limit[f->binding].mA)
			f->binding = (int)i;
	}
	if (request < 0 || f->limit[request].mA == MON_UNKNOWN)
		return;
	if (f->binding < 0 ||
	    f->limit[request].mA < f->limit[f->binding].mA - f->limit[f->binding].mA / 100 - equal_mA)
		f->binding = request;
}

void facts_derating(const struct mon_model *m, unsigned point, struct mon_facts *f, int32_t offered_mA,
		    bool is_at_voltage)
{
	const struct mon_own *o = &m->point[point].own;
	bool is_lowered = offered_mA != MON_UNKNOWN && o->offered_max_mA != MON_UNKNOWN &&
			  offered_mA < o->offered_max_mA;
	bool is_short =
		o->short_us >= 0 && m->now_us - o->short_us >= FACTS_SHORT_US && f->present_mA != MON_UNKNOWN;
	bool is_warm = false;
	uint32_t i;

	for (i = 0; i < f->n_diagnostics; i++)
		is_warm |= strstr(f->diagnostic[i].name, "hot") != NULL;
	f->is_derated = is_lowered || is_short;
	if (!f->is_derated)
		return;
	if (is_warm)
		f->derating = is_lowered ? "charger lowered its limit: hot" : "hot";
	else if (is_lowered)
		f->derating = "charger lowered its limit";
	else
		f->derating = is_at_voltage ? "target voltage reached" : "charger gives less than asked";
}

void facts_diagnostic(struct mon_facts *f, enum mon_severity severity, const char *name)
{
	uint32_t at = f->n_diagnostics;

	if (at >= MON_MAX_DIAGNOSTICS)
		return;
	f->n_diagnostics++;
	for (; at > 0 && f->diagnostic[at - 1].severity < (uint8_t)severity; at--)
		f->diagnostic[at] = f->diagnostic[at - 1];
	f->diagnostic[at] = (struct mon_diagnostic){name, (uint8_t)severity};
}

void facts_temperature(struct mon_facts *f, const struct facts_sensor *sensor, int32_t mdegC)
{
	if (mdegC <= FACTS_NO_SENSOR_mdegC)
		return;
	if (f->hottest_mdegC == MON_UNKNOWN || mdegC > f->hottest_mdegC) {
		f->hottest_mdegC = mdegC;
		f->hottest = sensor->name;
	}
	if (sensor->stop && mdegC >= sensor->stop_mdegC)
		facts_diagnostic(f, MON_FAULT, sensor->stop);
	else if (sensor->warm && mdegC >= sensor->warm_mdegC)
		facts_diagnostic(f, MON_WARNING, sensor->warm);
}

void mon_facts(const struct mon_model *m, unsigned point, struct mon_facts *f)
{
	const struct mon_point *p = mon_point(m, point);

	facts_clear(f);
	if (!p)
		return;
	f->is_heard = true;
	f->module_age_us = mon_half_age_us(m, point, MON_MODULE);
	f->controller_age_us = mon_half_age_us(m, point, MON_CONTROLLER);
	if (p->state_us >= 0)
		f->state_for_us = m->now_us - p->state_us;
	if (!m->bus.is_up)
		facts_diagnostic(f, MON_FAULT, "bus down");
	if (m->cfg.side == MON_EVSE)
		mon_facts_evse(m, point, f);
	else
		mon_facts_pev(m, point, f);
	if (f->is_module_silent)
		facts_diagnostic(f, MON_FAULT, "module silent");
	if (f->is_controller_silent)
		facts_diagnostic(f, MON_WARNING, "controller silent");
	if (f->module_age_us < 0 || f->module_age_us > MON_SESSION_SILENCE_US)
		f->phase = MON_PHASE_NONE;
}
