/* SPDX-License-Identifier: MIT */
/* Everything that one point said, in sentences. Pure. */
#include "monitor/site_mon_view_draw.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_TEXT 256
#define N_LINES	  5
#define MIN_PLOT  5

/* A line made of parts, each with a separator in front where there is one before. */
struct line {
	char text[LINE_TEXT];
	size_t n;
};

__attribute__((format(printf, 2, 3))) static void say(struct line *l, const char *format, ...)
{
	va_list args;
	int n;

	if (l->n && l->n < sizeof(l->text))
		l->n += (size_t)snprintf(l->text + l->n, sizeof(l->text) - l->n, " · ");
	if (l->n >= sizeof(l->text))
		return;
	va_start(args, format);
	n = vsnprintf(l->text + l->n, sizeof(l->text) - l->n, format, args);
	va_end(args);
	l->n += n > 0 ? (size_t)n : 0;
}

struct number {
	char text[VIEW_TEXT];
};

static struct number amps(int64_t mA)
{
	struct number n = {""};

	view_number(n.text, mA, 1000, 1);
	return n;
}

static struct number span(int64_t us)
{
	struct number n = {""};

	view_span(n.text, us);
	return n;
}

static void say_state(struct line *l, const struct smon_ctx *c, const struct smon_point *p)
{
	const struct site_point_session *s = &p->session;
	bool has_session = p->session_us != SMON_NEVER && p->report.state != SITE_POINT_REPORT_STATE_IDLE;

	say(l, "%s for %s", smon_state_name(p->report.state), span(c->m->now_us - p->since_us).text);
	if (p->is_silent)
		say(l, "silent for %s", span(c->m->now_us - p->report_us).text);
	if (p->report.is_restarted)
		say(l, "has just started");
	if (!has_session)
		return;
	say(l, "plugged in for %s", span(s->plugged_for * INT64_C(10000000)).text);
	if (s->departure != UINT16_MAX)
		say(l, "leaves in %s", span(s->departure * INT64_C(60000000)).text);
	if (s->priority)
		say(l, "priority %u", s->priority);
}

static void say_current(struct line *l, const struct smon_ctx *c, const struct smon_point *p)
{
	if (p->demand_us == SMON_NEVER)
		return;
	say(l, "wants %s A (%s to %s)", amps(p->demand.requested_mA).text, amps(p->demand.minimum_mA).text,
	    amps(p->demand.maximum_mA).text);
	if (smon_lease_left_us(c->m, p) < 0)
		say(l, smon_has_unheard_grant(p) ? "its grant was not heard here" : "no grant in force");
	else if (p->reason_us != SMON_NEVER && p->reason.aim_mA != p->in_force.grant.charge_current_mA)
		say(l, "granted %s, aim %s", amps(p->in_force.grant.charge_current_mA).text,
		    amps(p->reason.aim_mA).text);
	else
		say(l, "granted %s", amps(p->in_force.grant.charge_current_mA).text);
	say(l, "draws %s, may %s", amps(p->demand.present_mA).text, amps(p->report.may_draw_mA).text);
}

static void say_why(struct line *l, const struct smon_ctx *c, const struct smon_point *p)
{
	const struct smon_row *r = smon_row(c->m, p->reason.row);
	char why[128], taken[VIEW_TEXT], limit[VIEW_TEXT];

	smon_why(c->m, c->n, p, why, sizeof(why));
	if (!why[0])
		return;
	say(l, "why: %s", why);
	if (p->reason_us == SMON_NEVER || !r || p->is_silent || c->m->is_site_silent)
		return;
	smon_row_number(c->n, p->reason.row, r->load.taken_mA, taken);
	smon_row_number(c->n, p->reason.row, r->load.limit_mA, limit);
	say(l, "%s of %s %s taken there", taken, limit, smon_row_unit(c->n, p->reason.row));
}

static void say_battery(struct line *l, const struct smon_point *p)
{
	const struct site_point_session *s = &p->session;
	int32_t fed_mA = p->in_force.grant.discharge_current_mA;
	char text[VIEW_TEXT];

	if (p->report.state == SITE_POINT_REPORT_STATE_IDLE)
		return;
	if (p->session_us != SMON_NEVER && s->state_of_charge <= 100)
		say(l, "battery %u %%", s->state_of_charge);
	if (p->session_us != SMON_NEVER && s->energy_wanted != UINT16_MAX) {
		view_number(text, s->energy_wanted, 10, 1);
		say(l, "wants %s kWh", text);
	}
	if (p->meter_us == SMON_NEVER)
		return;
	view_number(text, p->meter.energy_session, 100, 2);
	say(l, "got %s kWh", text);
	if (p->meter.output_voltage_mV)
		say(l, "%s V", amps(p->meter.output_voltage_mV).text);
	if (p->meter.discharge_maximum_mA || fed_mA)
		say(l, "could feed back %s A, may %s", amps(p->meter.discharge_maximum_mA).text,
		    amps(p->in_force.heard_us == SMON_NEVER ? 0 : fed_mA).text);
}

static void say_lease(struct line *l, const struct smon_ctx *c, const struct smon_point *p)
{
	int64_t left_us = smon_lease_left_us(c->m, p);

	say(l, "%u reports heard, %u missed", p->n_reports, p->n_missed);
	if (left_us < 0)
		return;
	say(l, "lease of %u s: %d s left", p->in_force.grant.duration * 2u, (int)(left_us / FC_US_PER_S));
	/* One is as it should be: the grant came after the report before. */
	if (p->report.ack_age > 1)
		say(l, "it answers the last report but %u", p->report.ack_age);
}

static void draw(const struct smon_ctx *c, const struct line *l, struct grid_rect r, int *at)
{
	if (l->n && *at < r.rows)
		view_cut(c->g, r.row + (*at)++, 2, c->g->cols - 3, GRID_PLAIN, l->text);
}

static void draw_title(const struct smon_ctx *c, const struct smon_line *line, int row)
{
	const struct smon_named_point *known = &c->n->point[line->bus][line->number];
	char name[SMON_NAME_MAX], title[LINE_TEXT + 8];
	struct line l = {.n = 0};

	say(&l, "%s", smon_point_name(c->n, line->bus, line->number, name, sizeof(name)));
	if (known->name[0])
		say(&l, "number %u on bus %u", line->number, line->bus);
	if (known->node < c->n->n_nodes)
		say(&l, "at %s", c->n->node[known->node].name);
	if (known->phases[0])
		say(&l, "%s", known->phases);
	if (known->max_mA)
		say(&l, "up to %s A", amps(known->max_mA).text);
	snprintf(title, sizeof(title), " %s", l.text);
	view_rule(c->g, row, 0, c->g->cols, title);
}

/* What limits it, or the whole site. */
static void draw_limit(const struct smon_ctx *c, const struct smon_point *p, struct grid_rect r)
{
	uint32_t row = p ? p->reason.row : SMON_NO_ROW;

	if (r.rows >= MIN_PLOT && (smon_row(c->m, row) || smon_main_row(c->m, c->n, &row)))
		smon_plot(c, row, r);
}

void smon_detail(const struct smon_ctx *c, const struct smon_line *line, struct grid_rect r)
{
	const struct smon_point *p = smon_point(c->m, line->bus, line->number);
	struct line l[N_LINES] = {0};
	int at = 1, i;

	draw_title(c, line, r.row);
	draw_limit(c, p, (struct grid_rect){r.row + N_LINES + 1, r.col, r.rows - N_LINES - 1, r.cols});
	if (!p || p->report_us == SMON_NEVER) {
		grid_text(c->g, r.row + 1, 2, -1, GRID_DIM,
			  "It has not reported since this monitor listens.");
		return;
	}
	say_state(&l[0], c, p);
	say_current(&l[1], c, p);
	say_why(&l[2], c, p);
	say_battery(&l[3], p);
	say_lease(&l[4], c, p);
	for (i = 0; i < N_LINES; i++)
		draw(c, &l[i], r, &at);
}
