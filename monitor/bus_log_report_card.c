/* SPDX-License-Identifier: MIT */
/*
 * A session on the page: what it came to, its states, its plots, and its record on both sides; and the overview of
 * the whole log with the load of the bus.
 */
#include "monitor/bus_log_report_html.h"

#include <stdlib.h>
#include <string.h>

#define MAX_LINES 16
#define MAX_GRAVE 12

/* --- plots --------------------------------------------------------------------------------------------- */

/* A line of a session's panel before the columns are known. side: whose table it is from. */
struct line_plan {
	enum mon_side side;
	unsigned series;
	const char *name, *css;
	enum report_line_kind kind;
	bool is_filled;
};

static const struct line_plan voltage[] = {
	{MON_EVSE, REPORT_mV, "Charger output", "a", REPORT_MEASURED, false},
	{MON_PEV, REPORT_mV, "Vehicle inlet", "c", REPORT_MEASURED, false},
	{MON_PEV, REPORT_BATTERY_mV, "Battery", "b", REPORT_MEASURED, false},
	{MON_EVSE, REPORT_BATTERY_mV, "Battery, told to the charger", "b2", REPORT_MEASURED, false},
	{MON_EVSE, REPORT_TARGET_mV, "Target", "q", REPORT_WANTED, false},
	{MON_PEV, REPORT_TARGET_mV, "Vehicle target", "q2", REPORT_WANTED, false},
	{MON_EVSE, REPORT_CHARGER_MAX_mV, "Charger maximum", "m", REPORT_LIMIT, false},
	{MON_EVSE, REPORT_VEHICLE_MAX_mV, "Vehicle maximum", "m2", REPORT_LIMIT, false},
};
static const struct line_plan current[] = {
	{MON_EVSE, REPORT_mA, "Charger output", "a", REPORT_MEASURED, false},
	{MON_PEV, REPORT_mA, "Battery", "b", REPORT_MEASURED, false},
	{MON_EVSE, REPORT_REQUEST_mA, "Request", "q", REPORT_WANTED, false},
	{MON_EVSE, REPORT_REQUEST_LOW_mA, "Request, lower end", "q3", REPORT_WANTED, false},
	{MON_PEV, REPORT_REQUEST_mA, "Vehicle request", "q2", REPORT_WANTED, false},
	{MON_EVSE, REPORT_OCPP_mA, "OCPP target", "o", REPORT_LIMIT, false},
	{MON_EVSE, REPORT_CHARGER_MAX_mA, "Charger maximum", "m", REPORT_LIMIT, false},
	{MON_EVSE, REPORT_VEHICLE_MAX_mA, "Vehicle maximum", "m2", REPORT_LIMIT, false},
	{MON_PEV, REPORT_CHARGER_MAX_mA, "Offered to the vehicle", "m3", REPORT_LIMIT, false},
	{MON_EVSE, REPORT_CHARGER_BACK_mA, "Charger maximum, discharging", "m", REPORT_LIMIT, false},
	{MON_EVSE, REPORT_VEHICLE_BACK_mA, "Vehicle maximum, discharging", "m2", REPORT_LIMIT, false},
};
static const struct line_plan power[] = {
	{MON_EVSE, REPORT_W, "Charger output", "a", REPORT_MEASURED, true},
	{MON_PEV, REPORT_W, "Battery", "b", REPORT_MEASURED, false},
};
static const struct line_plan charge[] = {
	{MON_PEV, REPORT_SOC_permille, "Battery", "a", REPORT_MEASURED, false},
	{MON_EVSE, REPORT_SOC_permille, "Told to the charger", "b2", REPORT_MEASURED, false},
	{MON_EVSE, REPORT_TARGET_SOC_permille, "Target", "q", REPORT_LIMIT, false},
};

struct panel_plan {
	struct report_panel panel;
	const struct line_plan *line;
	unsigned n_lines;
};

#define LINES(list) list, sizeof(list) / sizeof(list[0])

static const struct panel_plan panels[] = {
	{{"Voltage", "V", "volt", 100, 10, 1, 1000, NULL, 0}, LINES(voltage)},
	{{"Current", "A", "amp tall", 100, 10, 1, 100, NULL, 0}, LINES(current)},
	{{"Power", "kW", "watt", 10, 100, 2, 50, NULL, 0}, LINES(power)},
	{{"State of charge", "%", "soc", 1, 10, 1, 1000, NULL, 0}, LINES(charge)},
};

/* In target mode both ends of the range are one; discharge limits matter only where it flows back or may. */
static bool is_needed(const struct line_plan *l, const struct report_columns *c)
{
	struct report_range low = report_columns_range(c, REPORT_REQUEST_LOW_mA);
	struct report_range high = report_columns_range(c, REPORT_REQUEST_mA);
	struct report_range flow = report_columns_range(c, REPORT_mA);

	switch ((enum report_series)l->series) {
	case REPORT_REQUEST_LOW_mA:
		return low.low != high.low || low.high != high.high;
	case REPORT_CHARGER_BACK_mA:
	case REPORT_VEHICLE_BACK_mA:
		return low.low < 0 || (flow.low != MON_UNKNOWN && flow.low < -500);
	case REPORT_mV:
	case REPORT_BATTERY_mV:
	case REPORT_TARGET_mV:
	case REPORT_CHARGER_MAX_mV:
	case REPORT_VEHICLE_MAX_mV:
	case REPORT_mA:
	case REPORT_REQUEST_mA:
	case REPORT_CHARGER_MAX_mA:
	case REPORT_VEHICLE_MAX_mA:
	case REPORT_OCPP_mA:
	case REPORT_W:
	case REPORT_SOC_permille:
	case REPORT_TARGET_SOC_permille:
	case REPORT_N_QUANTITIES:
		break;
	}
	return true;
}

static void put_panels(FILE *out, const struct report_axis *a,
		       const struct report_session *by_side[REPORT_N_SIDES])
{
	for (unsigned i = 0; i < sizeof(panels) / sizeof(panels[0]); i++) {
		struct report_line line[MAX_LINES];
		struct report_panel p = panels[i].panel;

		for (unsigned k = 0; k < panels[i].n_lines && p.n_lines < MAX_LINES; k++) {
			const struct line_plan *plan = &panels[i].line[k];
			const struct report_session *s = by_side[plan->side];

			if (!s || !s->columns || !is_needed(plan, s->columns))
				continue;
			line[p.n_lines++] = (struct report_line){
				.columns = s->columns,
				.offset = (s->start_us - a->begin_us) / REPORT_UNIT_US,
				.series = plan->series,
				.name = plan->name,
				/* Without the vehicle's own word the charger's is the main one. */
				.css = by_side[MON_PEV] || plan->series != REPORT_SOC_permille ? plan->css
											       : "a",
				.kind = plan->kind,
				.is_filled = plan->is_filled,
			};
		}
		p.line = line;
		report_panel(out, a, &p);
	}
}

static void put_plot(FILE *out, const struct report *r, const struct report_session *by_side[REPORT_N_SIDES])
{
	int64_t begin_us = INT64_MAX, end_us = 0;
	char who[REPORT_TEXT];
	int index[REPORT_N_SIDES];

	for (unsigned i = 0; i < REPORT_N_SIDES; i++) {
		index[i] = by_side[i] ? (int)(by_side[i] - r->session) : -1;
		if (by_side[i] && by_side[i]->start_us < begin_us)
			begin_us = by_side[i]->start_us;
		if (by_side[i] && by_side[i]->end_us > end_us)
			end_us = by_side[i]->end_us;
	}
	const struct report_axis a = {begin_us, (end_us - begin_us) / REPORT_UNIT_US + 1, false, ""};

	report_axis_open(out, &a, "States and plots of the session");
	report_marks(out, r, &a, index[MON_EVSE], index[MON_PEV]);
	for (unsigned i = 0; i < REPORT_N_SIDES; i++)
		if (by_side[i])
			report_band(out, &a, &r->side[i], by_side[i]->point,
				    report_who(who, by_side[i]->side, by_side[i]->point));
	put_panels(out, &a, by_side);
	report_axis_close(out, &a);
}

/* --- the record ---------------------------------------------------------------------------------------- */

static void put_start(FILE *out, const struct report_session *s)
{
	char text[REPORT_TEXT];

	fputs(report_clock(text, s->start_us, 1), out);
}

static void put_duration(FILE *out, const struct report_session *s)
{
	char text[REPORT_TEXT];

	fputs(report_duration(text, s->end_us - s->start_us), out);
}

static void put_energy(FILE *out, const struct report_session *s)
{
	char text[REPORT_TEXT];

	fputs(report_energy(text, s->record.energy_Wus), out);
}

static void put_charge(FILE *out, const struct report_session *s)
{
	char text[REPORT_TEXT];

	fprintf(out, "%s Ah", report_decimal(text, s->record.charge_mAus / 3600000, 1000000, 2));
}

static void put_peak_voltage(FILE *out, const struct report_session *s)
{
	char text[REPORT_TEXT];

	fprintf(out, "%s V", report_decimal(text, s->record.peak_mV, 1000, 1));
}

static void put_peak_current(FILE *out, const struct report_session *s)
{
	char text[REPORT_TEXT];

	fprintf(out, "%s A", report_decimal(text, s->record.peak_mA, 1000, 1));
}

static void put_peak_power(FILE *out, const struct report_session *s)
{
	char text[REPORT_TEXT];

	fprintf(out, "%s kW", report_decimal(text, s->record.peak_W, 1000, 2));
}

static void put_charge_state(FILE *out, const struct report_session *s)
{
	char a[REPORT_TEXT], b[REPORT_TEXT];

	if (s->record.soc_start_permille == MON_UNKNOWN)
		fputs("not said", out);
	else
		fprintf(out, "%s to %s %%", report_decimal(a, s->record.soc_start_permille, 10, 1),
			report_decimal(b, s->record.soc_end_permille, 10, 1));
}

static void put_protocol(FILE *out, const struct report_session *s)
{
	report_put_name(out, s->protocol[0] ? s->protocol : "not said");
}

static void put_pins(FILE *out, const struct report_session *s)
{
	report_put_name(out, s->pins[0] ? s->pins : "not said");
}

static void put_end(FILE *out, const struct report_session *s)
{
	const struct mon_session *m = &s->record;
	const char *reason = m->reason && m->reason[0] ? m->reason : "not said";

	report_put_text(out, m->is_running ? "still running when the log ends" : reason);
	if (!s->finished[0])
		return;
	fputs(" (", out);
	report_put_name(out, s->finished);
	fputs(")", out);
}

static void put_faults(FILE *out, const struct report_session *s)
{
	const struct mon_session *m = &s->record;

	for (unsigned i = 0; i < m->n_faults && i < MON_SESSION_FAULTS; i++) {
		fputs(i ? "<br>◆ " : "◆ ", out);
		report_put_text(out, m->fault[i]);
	}
	if (m->n_faults > MON_SESSION_FAULTS)
		fprintf(out, "<br>and %u more", m->n_faults - MON_SESSION_FAULTS);
	if (m->n_faults == 0)
		fputs("none", out);
}

static void put_record(FILE *out, const struct report_session *by_side[REPORT_N_SIDES])
{
	static const struct {
		const char *name;
		void (*put)(FILE *out, const struct report_session *s);
	} rows[] = {
		{"Start", put_start},
		{"Duration", put_duration},
		{"Energy", put_energy},
		{"Charge", put_charge},
		{"Peak voltage", put_peak_voltage},
		{"Peak current", put_peak_current},
		{"Peak power", put_peak_power},
		{"State of charge", put_charge_state},
		{"Protocol", put_protocol},
		{"Pins", put_pins},
		{"End", put_end},
		{"Faults", put_faults},
	};
	char who[REPORT_TEXT];

	fputs("<table class=\"record\"><thead><tr><th scope=\"col\">Record</th>", out);
	for (unsigned i = 0; i < REPORT_N_SIDES; i++)
		if (by_side[i])
			fprintf(out, "<th scope=\"col\">%s</th>",
				report_who(who, by_side[i]->side, by_side[i]->point));
	fputs("</tr></thead><tbody>\n", out);
	for (unsigned k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		fprintf(out, "<tr><th scope=\"row\">%s</th>", rows[k].name);
		for (unsigned i = 0; i < REPORT_N_SIDES; i++) {
			if (!by_side[i])
				continue;
			fputs("<td>", out);
			rows[k].put(out, by_side[i]);
			fputs("</td>", out);
		}
		fputs("</tr>\n", out);
	}
	fputs("</tbody></table>\n", out);
}

/* Beside the record: the warnings and faults of the session in order. */
static void put_grave(FILE *out, const struct report *r, const struct report_session *by_side[REPORT_N_SIDES])
{
	char text[REPORT_TEXT];
	unsigned n = 0;

	for (uint32_t i = 0; i < r->n_events; i++) {
		const struct report_event *e = &r->event[i];
		const struct report_session *s = e->session >= 0 ? &r->session[e->session] : NULL;

		if (!s || e->severity < MON_WARNING || s != by_side[s->side])
			continue;
		if (n++ == 0)
			fputs("<div class=\"grave\"><h4>Warnings and faults</h4><ol>\n", out);
		if (n > MAX_GRAVE)
			continue;
		fprintf(out, "<li class=\"v%d\"><b>%s</b> <time>%s</time> %s: ", e->severity,
			e->severity == MON_FAULT ? "◆ fault" : "▲ warning", report_clock(text, e->time_us, 1),
			s->side == MON_PEV ? "vehicle" : "charger");
		report_put_text(out, e->text);
		fputs("</li>\n", out);
	}
	if (n > MAX_GRAVE)
		fprintf(out, "<li>and %u more, see <a href=\"#events\">events</a></li>\n", n - MAX_GRAVE);
	if (n)
		fputs("</ol></div>\n", out);
}

/* --- the card ------------------------------------------------------------------------------------------ */

static void put_hero(FILE *out, const char *name, const char *value)
{
	const char *blank = strrchr(value, ' ');

	/* "38.86 kWh": the unit is smaller; durations have several and stay whole. */
	if (blank && strchr(value, ' ') == blank)
		fprintf(out, "<div><dt>%s</dt><dd>%.*s <small>%s</small></dd></div>", name,
			(int)(blank - value), value, blank + 1);
	else
		fprintf(out, "<div><dt>%s</dt><dd>%s</dd></div>", name, value);
}

/* Most vehicles tell whole percents. */
static char *percent(char text[REPORT_TEXT], int32_t permille)
{
	return report_decimal(text, permille, 10, permille % 10 ? 1 : 0);
}

static void put_heroes(FILE *out, const struct report_session *s, const struct report_session *vehicle)
{
	const struct mon_session *soc = vehicle ? &vehicle->record : &s->record;
	char a[REPORT_TEXT], b[REPORT_TEXT], text[2 * REPORT_TEXT + 8];

	fputs("<dl class=\"heroes\">", out);
	put_hero(out, "Energy", report_energy(a, s->record.energy_Wus));
	put_hero(out, "Duration", report_duration(a, s->end_us - s->start_us));
	snprintf(text, sizeof(text), "%s A", report_decimal(a, s->record.peak_mA, 1000, 1));
	put_hero(out, "Peak current", text);
	snprintf(text, sizeof(text), "%s kW", report_decimal(a, s->record.peak_W, 1000, 1));
	put_hero(out, "Peak power", text);
	if (soc->soc_start_permille != MON_UNKNOWN) {
		snprintf(text, sizeof(text), "%s→%s %%", percent(a, soc->soc_start_permille),
			 percent(b, soc->soc_end_permille));
		put_hero(out, "State of charge", text);
	}
	fputs("</dl>\n", out);
}

/* How it ended, as a badge: sign, word and colour say the same. */
static void put_badge(FILE *out, const struct mon_session *m)
{
	if (m->is_running)
		fputs("<span class=\"badge run\">● running at the end</span>", out);
	else if (m->n_faults)
		fprintf(out, "<span class=\"badge bad\">◆ %u fault%s</span>", m->n_faults,
			m->n_faults == 1 ? "" : "s");
	else if (m->is_clean)
		fputs("<span class=\"badge good\">✓ clean end</span>", out);
	else
		fputs("<span class=\"badge warn\">▲ not a clean end</span>", out);
}

void report_put_session(FILE *out, const struct report *r, const struct report_session *charger,
			const struct report_session *vehicle, unsigned number)
{
	const struct report_session *by_side[REPORT_N_SIDES] = {[MON_EVSE] = charger, [MON_PEV] = vehicle};
	const struct report_session *s = charger ? charger : vehicle;
	char text[REPORT_TEXT];

	fprintf(out, "<section class=\"card session\" id=\"s%u\"><header><h3>Session %u</h3>", number,
		number);
	put_badge(out,
		  vehicle && vehicle->record.n_faults > s->record.n_faults ? &vehicle->record : &s->record);
	fprintf(out, "<p>%s%s", report_who(text, s->side, s->point),
		charger && vehicle ? " and vehicle" : "");
	fprintf(out, " · %s", report_clock(text, s->start_us, 0));
	fprintf(out, " to %s", report_clock(text, s->end_us, 0));
	if (s->protocol[0]) {
		fputs(" · ", out);
		report_put_name(out, s->protocol);
	}
	if (!s->record.is_running && s->record.reason && s->record.reason[0]) {
		fputs(" · ended by: ", out);
		report_put_text(out, s->record.reason);
	}
	fputs("</p></header>\n", out);
	put_heroes(out, s, vehicle);
	for (unsigned i = 0; i < REPORT_N_SIDES; i++)
		if (by_side[i])
			report_sequence(out, &r->side[i], by_side[i]->point, by_side[i]->start_us,
					by_side[i]->end_us,
					report_who(text, by_side[i]->side, by_side[i]->point));
	put_plot(out, r, by_side);
	fputs("<div class=\"sides\">", out);
	put_record(out, by_side);
	put_grave(out, r, by_side);
	fputs("</div>", out);
	fputs("</section>\n", out);
}

/* --- the whole log ------------------------------------------------------------------------------------- */

static void put_load(FILE *out, const struct report *r, const struct report_axis *a)
{
	static const char *const css[] = {"a", "b", "c", "q", "m", "m2", "q2", "o"};
	struct report_line line[REPORT_N_SERIES];
	struct report_panel p = {"Bus load", "%", "load", 1, 10, 1, 100, line, 0};

	if (!r->load.columns)
		return;
	for (unsigned c = 0; c < REPORT_N_SERIES && c < r->reader->n_channels; c++)
		if (r->load.n_frames[c])
			line[p.n_lines++] = (struct report_line){.columns = r->load.columns,
								 .series = c,
								 .name = log_channel(r->reader, c),
								 .css = css[c % 8],
								 .kind = REPORT_MEASURED,
								 .is_filled = c == 0};
	report_panel(out, a, &p);
}

void report_put_overview(FILE *out, const struct report *r)
{
	const struct report_axis a = {r->begin_us, (r->end_us - r->begin_us) / REPORT_UNIT_US + 1, true,
				      report_zone(r)};
	char who[REPORT_TEXT];

	fputs("<section class=\"card\" id=\"overview\"><header><h2>The whole log</h2><p>States of the modules, and the "
	      "load of the bus in each second</p></header>\n",
	      out);
	report_axis_open(out, &a, "States and bus load over the whole log");
	for (unsigned i = 0; i < REPORT_N_SIDES; i++)
		for (unsigned k = 0; k < MON_N_POINTS; k++)
			if (r->side[i].point[k].is_heard && r->side[i].point[k].states.n)
				report_band(out, &a, &r->side[i], k, report_who(who, (enum mon_side)i, k));
	put_load(out, r, &a);
	report_axis_close(out, &a);
	fputs("</section>\n", out);
}
