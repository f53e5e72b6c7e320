/* SPDX-License-Identifier: MIT */
/*
 * States over time as bands, in order with their durations, and warnings and faults as marks above them.
 */
#include "monitor/bus_log_report_html.h"

#include <string.h>

#include "evse_msgs.h"
#include "pev_msgs.h"

#define MAX_MARKS    80
#define MAX_SEGMENTS 1200 /* of one band */
#define MAX_STEPS    40	  /* of one sequence */

/* Colour classes of the style sheet, by what happens on the cable. */
enum colour { SILENT, IDLE, PLUGGED, TALKING, TESTING, PRECHARGE, FLOWING, ENDING, PAUSED };

static enum colour colour_of_stage(int stage)
{
	switch ((enum pev_evse_information_communication_stage)stage) {
	case PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_INITIALISING:
	case PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_WAITING_FOR_EVSE:
		return IDLE;
	case PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_NEGOTIATING_CONNECTION:
	case PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_CONNECTED_WITH_FULL_INFO:
		return TALKING;
	case PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_INSULATION_TEST:
		return TESTING;
	case PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_PRECHARGE:
	case PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_WAITING_FOR_CHARGE:
		return PRECHARGE;
	case PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_CHARGING:
		return FLOWING;
	case PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_ENDING_CHARGE:
	case PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_WELDING_DETECTION:
	case PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_CLOSING_COMMUNICATION:
		return ENDING;
	case PEV_EVSE_INFORMATION_COMMUNICATION_STAGE_CHARGE_PAUSE:
		return PAUSED;
	}
	return IDLE;
}

/* The charger's module numbers its states like the vehicle's up to 10. */
static enum colour colour_of(enum mon_side side, int state)
{
	if (state == REPORT_SILENT)
		return SILENT;
	if (side == MON_PEV || state <= (int)EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_CLOSING_COMMUNICATION)
		return colour_of_stage(state);
	if (state == EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_CCS_AUTHORISATION_PROCESS)
		return PLUGGED;
	return state == EVSE_ADVANTICS_CONTROLLER_STATUS_STATE_CHARGE_PAUSE ? PAUSED : IDLE;
}

char *report_who(char text[REPORT_TEXT], enum mon_side side, unsigned point)
{
	if (side == MON_PEV)
		snprintf(text, REPORT_TEXT, "Vehicle");
	else if (point == 0) /* what concerns all pistols */
		snprintf(text, REPORT_TEXT, "Bus");
	else
		snprintf(text, REPORT_TEXT, "Pistol %u", point);
	return text;
}

/* One stretch of a state, cut to a window; false when it lies outside. */
struct stretch {
	int64_t from_us, to_us; /* inside the window */
	int64_t whole_us;	/* how long it really was */
	int state;
};

static bool stretch_at(const struct report_side *s, unsigned point, uint32_t i, int64_t from_us,
		       int64_t to_us, struct stretch *out)
{
	const struct report_states *l = &s->point[point].states;
	int64_t begin = l->list[i].time_us, end = i + 1 < l->n ? l->list[i + 1].time_us : s->report->end_us;

	out->from_us = begin > from_us ? begin : from_us;
	out->to_us = end < to_us ? end : to_us;
	out->whole_us = end - begin;
	out->state = l->list[i].state;
	return out->to_us > out->from_us;
}

static void put_segment(FILE *out, const struct report_axis *a, const struct report_side *s,
			const struct stretch *t)
{
	char name[REPORT_TEXT], text[REPORT_TEXT];
	double unit = (double)REPORT_UNIT_US;

	report_state_name(s, t->state, name, sizeof(name));
	fprintf(out, "<i class=\"sg c%d\" style=\"--a:%.1f;--b:%.1f\" title=\"",
		(int)colour_of(s->side, t->state), (double)(t->from_us - a->begin_us) / unit,
		(double)(t->to_us - a->begin_us) / unit);
	report_put_text(out, name);
	fprintf(out, " · %s", report_duration(text, t->whole_us));
	fprintf(out, " · from %s", report_clock(text, t->from_us, 1));
	if (!a->is_clock)
		fprintf(out, " (%s)", report_offset(text, t->from_us - a->begin_us));
	fputs("\">", out);
	report_put_text(out, name);
	fputs("</i>", out);
}

void report_band(FILE *out, const struct report_axis *a, const struct report_side *s, unsigned point,
		 const char *label)
{
	const struct report_states *l = &s->point[point].states;
	int64_t end_us = a->begin_us + a->width * REPORT_UNIT_US;
	unsigned n = 0;

	fprintf(out, "<div class=\"pr\"><div class=\"bl\">%s</div><div class=\"band\">", label);
	for (uint32_t i = 0; i < l->n; i++) {
		struct stretch t;

		if (stretch_at(s, point, i, a->begin_us, end_us, &t) && n++ < MAX_SEGMENTS)
			put_segment(out, a, s, &t);
	}
	fputs("</div></div>\n", out);
	if (n > MAX_SEGMENTS || l->n_left_out)
		fprintf(out, "<p class=\"note\">%llu more changes of the state are not drawn.</p>\n",
			(unsigned long long)(l->n_left_out + (n > MAX_SEGMENTS ? n - MAX_SEGMENTS : 0)));
}

void report_sequence(FILE *out, const struct report_side *s, unsigned point, int64_t from_us, int64_t to_us,
		     const char *label)
{
	const struct report_states *l = &s->point[point].states;
	char name[REPORT_TEXT], text[REPORT_TEXT];
	unsigned n = 0;

	fprintf(out, "<div class=\"seqrow\"><div class=\"bl\">%s</div><ol class=\"seq\">", label);
	for (uint32_t i = 0; i < l->n; i++) {
		struct stretch t;

		if (!stretch_at(s, point, i, from_us, to_us, &t) || n++ >= MAX_STEPS)
			continue;
		fprintf(out, "<li class=\"c%d\"><b>", (int)colour_of(s->side, t.state));
		report_put_text(out, report_state_name(s, t.state, name, sizeof(name)));
		fprintf(out, "</b><span>%s</span></li>", report_duration(text, t.to_us - t.from_us));
	}
	if (n > MAX_STEPS)
		fprintf(out, "<li class=\"c1\"><b>and %u more</b></li>", n - MAX_STEPS);
	fputs("</ol></div>\n", out);
}

void report_marks(FILE *out, const struct report *r, const struct report_axis *a, int session, int other)
{
	char text[REPORT_TEXT];
	unsigned n = 0;

	for (uint32_t i = 0; i < r->n_events; i++) {
		const struct report_event *e = &r->event[i];

		if (e->severity < MON_WARNING || e->session < 0 ||
		    (e->session != session && e->session != other))
			continue;
		if (n++ == 0)
			fputs("<div class=\"pr\"><div class=\"bl\"></div><div class=\"marks\">", out);
		if (n > MAX_MARKS)
			break;
		double at = (double)(e->time_us - a->begin_us) / (double)REPORT_UNIT_US;

		fprintf(out, "<i class=\"mk v%d\" style=\"--a:%.1f\" title=\"%s ", e->severity,
			at < (double)a->width ? at : (double)a->width,
			report_offset(text, e->time_us - a->begin_us));
		fprintf(out, "%s: ", report_who(text, (enum mon_side)e->side, e->point));
		report_put_text(out, e->text);
		fputs(e->severity == MON_FAULT ? "\">◆</i>" : "\">▲</i>", out);
	}
	if (n)
		fputs("</div></div>\n", out);
}
