/* SPDX-License-Identifier: MIT */
/* Lines and JSON of the site. */
#include "monitor/site_mon_text.h"

#include <stdio.h>
#include <string.h>

#include "monitor/mon_text_priv.h"
#include "monitor/site_mon_view_draw.h"

static const char *const severities[] = {"info", "good", "warning", "bad"};

void smon_text_init(struct smon_text *t, const struct smon_model *model, const struct smon_names *names,
		    enum mon_text_form form, int (*write)(void *ctx, const char *text, size_t n), void *ctx)
{
	t->model = model;
	t->names = names;
	mon_text_init(&t->out, NULL, form, write, ctx);
}

static void begin_object(struct smon_text *t, const char *type, int64_t time_us)
{
	t->out.is_first = true;
	mon_json_open(&t->out, NULL, "{");
	mon_json_text(&t->out, "type", type);
	mon_json_time(&t->out, "t", time_us);
}

static void end_object(struct smon_text *t)
{
	mon_json_close(&t->out, "}");
	text_end_line(&t->out);
}

void smon_text_event(void *text, const struct smon_event *e)
{
	struct smon_text *t = text;
	char about[SMON_ROW_NAME_MAX], row[SMON_ROW_NAME_MAX], sentence[160];
	bool is_row = e->number == 0 && e->row != SMON_NO_ROW;

	smon_event_about(t->names, e, about, sizeof(about));
	smon_event_text(t->names, e, sentence, sizeof(sentence));
	if (t->out.form == MON_TEXT_JSON) {
		begin_object(t, "event", e->time_us);
		mon_json_text(&t->out, "about", is_row ? "row" : e->number ? "point" : "site");
		mon_json_text(&t->out, "name", about);
		mon_json_text(&t->out, "severity", severities[e->severity]);
		mon_json_text(&t->out, "text", sentence);
		if (e->row != SMON_NO_ROW)
			mon_json_text(&t->out, "row", smon_row_text(t->names, e->row, row, sizeof(row)));
		end_object(t);
		return;
	}
	text_time(&t->out, e->time_us);
	text_put(&t->out, " ");
	text_utf8(&t->out, about);
	text_put(&t->out, " ");
	text_put(&t->out, severities[e->severity]);
	text_put(&t->out, " ");
	text_utf8(&t->out, sentence);
	text_end_line(&t->out);
}

/* --- lines --------------------------------------------------------------------------------------------- */

static void put_amps(struct smon_text *t, const char *label, bool is_known, int32_t mA)
{
	text_printf(&t->out, " %s ", label);
	if (is_known)
		text_decimal(&t->out, mA, 3, 1);
	else
		text_put(&t->out, "-");
	text_put(&t->out, " A");
}

static void begin_line(struct smon_text *t, const char *what)
{
	text_time(&t->out, t->model->now_us);
	text_printf(&t->out, " snapshot %s", what);
}

/* Of a power limit in kW. */
static void put_row(struct smon_text *t, uint32_t i, const struct smon_row *r)
{
	static const char *const labels[] = {"drawn", "may_draw", "limit"};
	const int32_t mA[] = {r->load.drawn_mA, r->load.taken_mA, r->load.limit_mA};
	char name[SMON_ROW_NAME_MAX], number[VIEW_TEXT];
	unsigned k;

	text_put(&t->out, "\"");
	text_utf8(&t->out, smon_row_text(t->names, i, name, sizeof(name)));
	text_put(&t->out, "\"");
	for (k = 0; k < 3; k++) {
		smon_row_number(t->names, i, mA[k], number);
		text_printf(&t->out, " %s %s %s", labels[k], number, smon_row_unit(t->names, i));
	}
	text_put(&t->out, r->is_over ? " OVER" : "");
}

static void site_line(struct smon_text *t)
{
	const struct smon_model *m = t->model;
	struct smon_totals sum = smon_totals(m);
	uint32_t row = 0;
	const struct smon_row *r = smon_main_row(m, t->names, &row);

	begin_line(t, "site");
	text_printf(&t->out, " %s policy %s",
		    m->status_us == SMON_NEVER ? "unheard"
		    : m->is_site_silent	       ? "silent"
					       : smon_site_state_name(m->status.state),
		    m->status_us == SMON_NEVER ? "-" : smon_policy_name(m->status.policy));
	if (r) {
		text_put(&t->out, " main ");
		put_row(t, row, r);
	}
	text_printf(&t->out, " points %u/%u charging %u over %u", sum.n_reporting, sum.n_points,
		    sum.n_charging, sum.n_rows_over);
	text_end_line(&t->out);
}

static void point_line(struct smon_text *t, const struct smon_point *p)
{
	int64_t left_us = smon_lease_left_us(t->model, p);
	bool has_demand = p->demand_us != SMON_NEVER, has_session = p->session_us != SMON_NEVER;
	char text[96];

	begin_line(t, "point ");
	text_utf8(&t->out, smon_point_name(t->names, p->bus, p->number, text, sizeof(text)));
	text_printf(&t->out, " %s", smon_point_state(p));
	put_amps(t, "wanted", has_demand, p->demand.requested_mA);
	put_amps(t, "granted", left_us >= 0, p->in_force.grant.charge_current_mA);
	if (left_us >= 0 && p->in_force.grant.discharge_current_mA)
		put_amps(t, "may_feed", true, p->in_force.grant.discharge_current_mA);
	put_amps(t, "drawn", has_demand, p->demand.present_mA);
	put_amps(t, "may_draw", p->report_us != SMON_NEVER, p->report.may_draw_mA);
	if (has_session && p->session.state_of_charge <= 100)
		text_printf(&t->out, " soc %u %%", p->session.state_of_charge);
	if (has_session && p->session.energy_wanted != UINT16_MAX)
		text_printf(&t->out, " energy %u.%u kWh", p->session.energy_wanted / 10u,
			    p->session.energy_wanted % 10u);
	if (has_session && p->session.departure != UINT16_MAX)
		text_printf(&t->out, " departure %u min", p->session.departure);
	if (left_us >= 0)
		text_printf(&t->out, " lease %lld.%lld s", (long long)(left_us / FC_US_PER_S),
			    (long long)(left_us / 100000 % 10));
	smon_why(t->model, t->names, p, text, sizeof(text));
	if (text[0]) {
		text_put(&t->out, " why ");
		text_utf8(&t->out, text);
	}
	text_end_line(&t->out);
}

static void row_line(struct smon_text *t, uint32_t i)
{
	begin_line(t, "row ");
	put_row(t, i, &t->model->row[i]);
	text_end_line(&t->out);
}

static void snapshot_lines(struct smon_text *t)
{
	const struct smon_model *m = t->model;
	const struct smon_point *p = NULL;
	uint32_t i;

	site_line(t);
	while ((p = smon_next_point(m, p ? p->bus : 0, p ? p->number : 0)) != NULL)
		point_line(t, p);
	for (i = 0; i < m->n_rows; i++)
		if (m->row[i].heard_us != SMON_NEVER)
			row_line(t, i);
}

/* --- JSON ---------------------------------------------------------------------------------------------- */

static void put_mA(struct smon_text *t, const char *key, bool is_known, int32_t mA)
{
	if (is_known)
		mon_json_decimal(&t->out, key, mA, 3, 1);
	else
		mon_json_null(&t->out, key);
}

static void put_count(struct smon_text *t, const char *key, bool is_known, unsigned value)
{
	if (is_known)
		mon_json_integer(&t->out, key, value);
	else
		mon_json_null(&t->out, key);
}

static void put_text(struct smon_text *t, const char *key, bool is_known, const char *text)
{
	if (is_known)
		mon_json_text(&t->out, key, text);
	else
		mon_json_null(&t->out, key);
}

static void put_tenths(struct smon_text *t, const char *key, bool is_known, unsigned tenths)
{
	if (is_known)
		mon_json_decimal(&t->out, key, tenths, 1, 1);
	else
		mon_json_null(&t->out, key);
}

static void put_alarms(struct smon_text *t)
{
	unsigned i;

	mon_json_open(&t->out, "alarms", "[");
	for (i = 0; i < SMON_N_ALARMS; i++)
		if (t->model->status_us != SMON_NEVER && t->model->status.alarm >> i & 1)
			mon_json_text(&t->out, NULL, smon_alarm_name(i));
	mon_json_close(&t->out, "]");
}

static void site_object(struct smon_text *t)
{
	const struct smon_model *m = t->model;
	struct smon_totals sum = smon_totals(m);
	bool is_heard = m->status_us != SMON_NEVER;
	uint32_t row = 0;
	bool has_row = smon_main_row(m, t->names, &row) != NULL;
	char name[SMON_ROW_NAME_MAX];

	mon_json_open(&t->out, "site", "{");
	put_text(t, "name", t->names->site[0], t->names->site);
	mon_json_text(&t->out, "state",
		      !is_heard		  ? "unheard"
		      : m->is_site_silent ? "silent"
					  : smon_site_state_name(m->status.state));
	put_text(t, "policy", is_heard, smon_policy_name(m->status.policy));
	put_text(t, "shadow", is_heard && m->status.shadow, smon_policy_name(m->status.shadow));
	put_alarms(t);
	put_count(t, "policy_faults", is_heard, m->status.policy_faults);
	put_text(t, "main_row", has_row, smon_row_text(t->names, row, name, sizeof(name)));
	put_count(t, "points", true, sum.n_points);
	put_count(t, "reporting", true, sum.n_reporting);
	put_count(t, "charging", true, sum.n_charging);
	put_count(t, "discharging", true, sum.n_discharging);
	put_count(t, "waiting", true, sum.n_waiting);
	put_count(t, "faulted", true, sum.n_faulted);
	put_count(t, "rows_over", true, sum.n_rows_over);
	mon_json_integer(&t->out, "frames", (int64_t)m->n_frames);
	mon_json_integer(&t->out, "frames_bad", (int64_t)m->n_bad);
	mon_json_integer(&t->out, "frames_lost", (int64_t)m->n_dropped);
	mon_json_close(&t->out, "}");
}

static void point_currents(struct smon_text *t, const struct smon_point *p)
{
	bool has_demand = p->demand_us != SMON_NEVER, has_lease = smon_lease_left_us(t->model, p) >= 0;

	put_mA(t, "wanted_A", has_demand, p->demand.requested_mA);
	put_mA(t, "granted_A", has_lease, p->in_force.grant.charge_current_mA);
	put_mA(t, "granted_discharge_A", has_lease, p->in_force.grant.discharge_current_mA);
	put_mA(t, "drawn_A", has_demand, p->demand.present_mA);
	put_mA(t, "may_draw_A", p->report_us != SMON_NEVER, p->report.may_draw_mA);
	put_mA(t, "minimum_A", has_demand, p->demand.minimum_mA);
	put_mA(t, "maximum_A", has_demand, p->demand.maximum_mA);
	put_mA(t, "aim_A", p->reason_us != SMON_NEVER, p->reason.aim_mA);
}

static void point_session(struct smon_text *t, const struct smon_point *p)
{
	bool is_there = p->session_us != SMON_NEVER && p->report.state != SITE_POINT_REPORT_STATE_IDLE;
	const struct site_point_session *s = &p->session;

	put_count(t, "soc_percent", is_there && s->state_of_charge <= 100, s->state_of_charge);
	put_tenths(t, "energy_wanted_kWh", is_there && s->energy_wanted != UINT16_MAX, s->energy_wanted);
	if (is_there && p->meter_us != SMON_NEVER)
		mon_json_decimal(&t->out, "energy_drawn_kWh", p->meter.energy_session, 2, 2);
	else
		mon_json_null(&t->out, "energy_drawn_kWh");
	put_count(t, "departure_min", is_there && s->departure != UINT16_MAX, s->departure);
	put_count(t, "plugged_s", is_there, s->plugged_for * 10u);
	put_count(t, "priority", is_there, s->priority);
}

static void point_object(struct smon_text *t, const struct smon_point *p)
{
	bool has_reason = p->reason_us != SMON_NEVER;
	char text[128];

	mon_json_open(&t->out, NULL, "{");
	mon_json_text(&t->out, "name", smon_point_name(t->names, p->bus, p->number, text, sizeof(text)));
	mon_json_integer(&t->out, "bus", p->bus);
	mon_json_integer(&t->out, "number", p->number);
	mon_json_text(&t->out, "state", smon_point_state(p));
	mon_json_bool(&t->out, "is_local", p->report.is_local);
	point_currents(t, p);
	point_session(t, p);
	mon_json_seconds(&t->out, "lease_left_s", smon_lease_left_us(t->model, p));
	put_text(t, "reason", has_reason, smon_reason_name(p->reason.reason));
	put_text(t, "row", has_reason && p->reason.row != SMON_NO_ROW,
		 smon_row_text(t->names, p->reason.row, text, sizeof(text)));
	smon_why(t->model, t->names, p, text, sizeof(text));
	put_text(t, "why", text[0], text);
	put_count(t, "reports", true, p->n_reports);
	put_count(t, "reports_missed", true, p->n_missed);
	mon_json_close(&t->out, "}");
}

static void row_object(struct smon_text *t, uint32_t i)
{
	const struct smon_row *r = &t->model->row[i];
	int32_t power_mV = i < t->names->n_rows ? t->names->row[i].power_mV : 0;
	char name[SMON_ROW_NAME_MAX];

	mon_json_open(&t->out, NULL, "{");
	mon_json_integer(&t->out, "row", i);
	mon_json_text(&t->out, "name", smon_row_text(t->names, i, name, sizeof(name)));
	put_mA(t, "drawn_A", true, r->load.drawn_mA);
	put_mA(t, "may_draw_A", true, r->load.taken_mA);
	put_mA(t, "limit_A", true, r->load.limit_mA);
	put_mA(t, "power_V", power_mV > 0, power_mV);
	mon_json_bool(&t->out, "is_over", r->is_over);
	mon_json_seconds(&t->out, "age_s", t->model->now_us - r->heard_us);
	mon_json_close(&t->out, "}");
}

static void snapshot_json(struct smon_text *t)
{
	const struct smon_model *m = t->model;
	const struct smon_point *p = NULL;
	uint32_t i;

	begin_object(t, "snapshot", m->now_us);
	site_object(t);
	mon_json_open(&t->out, "points", "[");
	while ((p = smon_next_point(m, p ? p->bus : 0, p ? p->number : 0)) != NULL)
		point_object(t, p);
	mon_json_close(&t->out, "]");
	mon_json_open(&t->out, "rows", "[");
	for (i = 0; i < m->n_rows; i++)
		if (m->row[i].heard_us != SMON_NEVER)
			row_object(t, i);
	mon_json_close(&t->out, "]");
	end_object(t);
}

int smon_text_snapshot(struct smon_text *t)
{
	if (t->out.form == MON_TEXT_JSON)
		snapshot_json(t);
	else
		snapshot_lines(t);
	return mon_text_flush(&t->out);
}
