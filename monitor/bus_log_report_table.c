/* SPDX-License-Identifier: MIT */
/*
 * Tables of the page: events, timing of the messages, and what is to be said of the file itself.
 */
#include "monitor/bus_log_report_html.h"

#include <math.h>
#include <string.h>

static const char *const signs[] = {"", "•", "▲", "◆"}; /* by severity */

/* --- events -------------------------------------------------------------------------------------------- */

static void put_event(FILE *out, const struct report *r, const struct report_event *e)
{
	unsigned number = report_session_number(r, e->session);
	char text[REPORT_TEXT];

	fprintf(out, "<tr class=\"v%d\"><td>%s</td><td>", e->severity, report_clock(text, e->time_us, 1));
	if (number) {
		const struct report_session *s = &r->session[e->session];
		int64_t start_us = s->start_us;

		if (s->partner >= 0 && r->session[s->partner].start_us < start_us)
			start_us = r->session[s->partner].start_us;
		if (report_has_card(r, e->session))
			fprintf(out, "<a href=\"#s%u\">%u</a> ", number, number);
		else
			fprintf(out, "%u ", number);
		fprintf(out, "%s", report_offset(text, e->time_us - start_us));
	}
	fprintf(out, "</td><td>%s</td>", report_who(text, (enum mon_side)e->side, e->point));
	fprintf(out, "<td class=\"sev\">%s %s</td><td>", signs[e->severity],
		mon_severity_name((enum mon_severity)e->severity));
	report_put_text(out, e->text);
	fputs("</td></tr>\n", out);
}

void report_put_events(FILE *out, const struct report *r)
{
	char text[REPORT_TEXT];

	fputs("<section class=\"card\" id=\"events\"><header><h2>Events</h2>", out);
	fprintf(out, "<p>%s fault%s, ", report_count(text, r->n_of_severity[MON_FAULT]),
		r->n_of_severity[MON_FAULT] == 1 ? "" : "s");
	fprintf(out, "%s warning%s, ", report_count(text, r->n_of_severity[MON_WARNING]),
		r->n_of_severity[MON_WARNING] == 1 ? "" : "s");
	fprintf(out, "%s other</p></header>\n",
		report_count(text, r->n_of_severity[MON_INFO] + r->n_of_severity[MON_NOTICE]));
	if (r->n_events == 0) {
		fputs("<p class=\"note\">Nothing happened.</p></section>\n", out);
		return;
	}
	fputs("<p class=\"filter\"><button type=\"button\" data-least=\"0\" aria-pressed=\"true\">All</button><button "
	      "type=\"button\" data-least=\"1\" aria-pressed=\"false\">Notices and above</button><button type=\"button\" "
	      "data-least=\"2\" aria-pressed=\"false\">Warnings and faults</button></p>\n"
	      "<div class=\"scroll long\" tabindex=\"0\" role=\"region\" aria-label=\"Events\"><table class=\"events\"><thead>"
	      "<tr><th scope=\"col\">Time</th><th scope=\"col\">Session</th><th scope=\"col\">Source</th>"
	      "<th scope=\"col\">Severity</th><th scope=\"col\">What happened</th></tr></thead><tbody>\n",
	      out);
	for (uint32_t i = 0; i < r->n_events; i++)
		put_event(out, r, &r->event[i]);
	fputs("</tbody></table></div>\n", out);
	if (r->n_events_left_out)
		fprintf(out, "<p class=\"note\">%s more events are not listed.</p>\n",
			report_count(text, r->n_events_left_out));
	fputs("</section>\n", out);
}

/* --- timing of the messages ---------------------------------------------------------------------------- */

static void put_silences(FILE *out, const struct report *r, const struct report_msg *m, double scale)
{
	char at[REPORT_TEXT], length[REPORT_TEXT];

	for (uint64_t i = 0; i < m->n_silences && i < REPORT_MAX_LOST; i++) {
		const struct report_silence *s = &m->silence[i];
		double from = (double)(s->from_us - r->begin_us) * scale,
		       to = (double)(s->to_us - r->begin_us) * scale;

		fprintf(out,
			"<path class=\"lost\" d=\"M%.1f 5H%.1f\"><title>silent for %s from %s</title></path>",
			from, to - from < 4 ? from + 4 : to, report_duration(length, s->to_us - s->from_us),
			report_clock(at, s->from_us, 1));
	}
}

/* When the message was there, over the whole log; its silences are drawn over that. */
static void put_presence(FILE *out, const struct report *r, const struct report_msg *m)
{
	double scale = r->end_us > r->begin_us ? 1000.0 / (double)(r->end_us - r->begin_us) : 0;
	double step = (double)m->step_us * scale;

	fprintf(out,
		"<svg class=\"presence\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" role=\"img\" "
		"aria-label=\"%llu silences\"><path class=\"none\" d=\"M0 5H1000\"/><path class=\"there\" d=\"",
		(unsigned long long)m->n_silences);
	for (unsigned i = 0; i < REPORT_N_PRESENCE; i++) {
		unsigned n = 0;

		while (i + n < REPORT_N_PRESENCE && m->is_there[i + n])
			n++;
		if (n == 0)
			continue;
		fprintf(out, "M%.1f 5h%.1f", i * step, n * step < 5 ? 5 : n * step);
		i += n;
	}
	fputs("\"/>", out);
	put_silences(out, r, m, scale);
	fputs("</svg>", out);
}

static void put_ms(FILE *out, double us, bool is_warning)
{
	const char *sign = is_warning ? "▲ " : "";

	fprintf(out, is_warning ? "<td class=\"n warn\">%s" : "<td class=\"n\">%s", sign);
	if (us >= 10e6)
		fprintf(out, "%.1f s</td>", us / 1e6);
	else
		fprintf(out, "%.1f ms</td>", us / 1e3);
}

static void put_message(FILE *out, const struct report *r, const struct report_side *s,
			const struct report_msg *m, unsigned msg)
{
	const struct msg_layout *l = &s->model->layouts[msg];
	double cycle_us = l->cycle_ms * 1e3;
	bool is_bound = l->cycle_ms && !report_is_passing(s, msg);
	static const char none[] = "<td class=\"n\">–</td>";
	double jitter_us = m->n_gaps > 1 ? sqrt(m->square_us / (double)(m->n_gaps - 1)) : 0;
	char text[REPORT_TEXT];

	fputs("<tr><th scope=\"row\">", out);
	report_put_name(out, l->name);
	fprintf(out, "</th><td>%s</td><td class=\"n\">%s</td>",
		mon_half(s->model, msg) == MON_MODULE ? "module" : "controller", report_count(text, m->n));
	if (l->cycle_ms)
		fprintf(out, "<td class=\"n\">%u ms</td>", l->cycle_ms);
	else
		fputs("<td class=\"n\">event</td>", out);
	/* A tenth beside the cycle, or gaps of two cycles, are worth a look, where the cycle binds all the time. */
	if (m->n_gaps)
		put_ms(out, m->mean_us,
		       is_bound && (m->mean_us > cycle_us * 1.1 || m->mean_us < cycle_us * 0.9));
	else
		fputs(none, out);
	if (m->n_gaps > 1 && l->cycle_ms)
		put_ms(out, jitter_us, is_bound && jitter_us > cycle_us * 0.1);
	else
		fputs(none, out);
	if (m->gap_max_us)
		put_ms(out, (double)m->gap_max_us, is_bound && (double)m->gap_max_us > cycle_us * 2);
	else
		fputs(none, out);
	if (mon_stale_after_us(s->model, msg) == FC_NEVER)
		fputs(none, out);
	else
		fprintf(out, m->n_silences ? "<td class=\"n warn\">▲ %llu</td>" : "<td class=\"n\">%llu</td>",
			(unsigned long long)m->n_silences);
	fputs("<td>", out);
	put_presence(out, r, m);
	fputs("</td></tr>\n", out);
}

static bool put_point(FILE *out, const struct report *r, const struct report_side *s, unsigned point)
{
	const struct report_point *p = &s->point[point];
	char who[REPORT_TEXT], text[REPORT_TEXT];

	if (!p->is_heard)
		return false;
	fprintf(out,
		"<tbody><tr class=\"group\"><th colspan=\"9\" scope=\"rowgroup\">%s <small>interface %s on ",
		report_who(who, s->side, point), mon_version_name(s->side, s->model->cfg.version));
	report_put_text(out, log_channel(r->reader, (unsigned)p->channel));
	if (p->n_other_channel)
		fprintf(out,
			"; ▲ %s of its frames came on other channels: two of the same number? <code>--channel</code> picks one",
			report_count(text, p->n_other_channel));
	fputs("</small></th></tr>\n", out);
	for (unsigned i = 0; i < s->model->n_msgs; i++)
		if (p->msg[i].n)
			put_message(out, r, s, &p->msg[i], i);
	fputs("</tbody>\n", out);
	return true;
}

void report_put_messages(FILE *out, const struct report *r)
{
	bool is_any = false;

	for (unsigned i = 0; i < REPORT_N_SIDES; i++)
		for (unsigned k = 0; k < MON_N_POINTS; k++)
			is_any |= r->side[i].point[k].is_heard;
	if (!is_any)
		return;
	fputs("<section class=\"card\" id=\"messages\"><header><h2>Timing of the messages</h2><p>Mean and jitter (standard "
	      "deviation) of the distance between frames, silences left out. ▲ marks what is off: mean or jitter by a tenth "
	      "of the cycle, a gap of two cycles, a silence of three. What is sent only in parts of a session may pause.</p></header>\n"
	      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Timing of the messages\"><table "
	      "class=\"timing\"><thead><tr><th scope=\"col\">Message</th><th scope=\"col\">From</th><th "
	      "scope=\"col\" class=\"n\">Frames</th><th scope=\"col\" class=\"n\">Cycle</th><th scope=\"col\" "
	      "class=\"n\">Mean</th><th scope=\"col\" class=\"n\">Jitter</th><th scope=\"col\" class=\"n\">Longest gap</th>"
	      "<th scope=\"col\" class=\"n\">Silences</th><th scope=\"col\" class=\"pc\">Over the log</th></tr></thead>\n",
	      out);
	for (unsigned i = 0; i < REPORT_N_SIDES; i++)
		for (unsigned k = 0; k < MON_N_POINTS; k++)
			put_point(out, r, &r->side[i], k);
	fputs("</table></div></section>\n", out);
}

/* --- the file ------------------------------------------------------------------------------------------ */

static void put_fact(FILE *out, const char *name, uint64_t n, const char *remark)
{
	char text[REPORT_TEXT];

	fprintf(out, "<tr><th scope=\"row\">%s</th><td class=\"n\">%s</td><td>%s</td></tr>\n", name,
		report_count(text, n), remark);
}

static void put_channels(FILE *out, const struct report *r)
{
	char text[REPORT_TEXT];

	for (unsigned c = 0; c < r->reader->n_channels && c < REPORT_N_SERIES; c++) {
		if (!r->load.n_frames[c])
			continue;
		fputs("<tr><th scope=\"row\">Frames on ", out);
		report_put_text(out, log_channel(r->reader, c));
		fprintf(out, "</th><td class=\"n\">%s</td><td></td></tr>\n",
			report_count(text, r->load.n_frames[c]));
	}
}

static void put_bad_lines(FILE *out, const struct log_stats *s)
{
	char text[REPORT_TEXT];

	if (s->n_bad == 0)
		return;
	fputs("<h3>Broken lines</h3><ul class=\"bad\">\n", out);
	for (uint64_t i = 0; i < s->n_bad && i < LOG_MAX_BAD_KEPT; i++) {
		fprintf(out, "<li>line %s: ", report_count(text, s->bad_line[i]));
		report_put_text(out, s->bad_reason[i] ? s->bad_reason[i] : "");
		fputs("</li>\n", out);
	}
	if (s->n_bad > LOG_MAX_BAD_KEPT)
		fprintf(out, "<li>and %s more</li>\n", report_count(text, s->n_bad - LOG_MAX_BAD_KEPT));
	fputs("</ul>\n", out);
}

void report_put_file(FILE *out, const struct report *r)
{
	const struct log_stats *s = &r->reader->stats;
	const struct mon_model *charger = r->side[MON_EVSE].model, *vehicle = r->side[MON_PEV].model;

	fputs("<section class=\"card\" id=\"file\"><header><h2>The file</h2><p>", out);
	report_put_text(out, r->cfg.path);
	fputs("</p></header>\n<table class=\"facts\"><tbody>\n", out);
	put_fact(out, "Lines", s->n_lines,
		 r->reader->format == LOG_ASC	    ? "Vector ASC"
		 : r->reader->format == LOG_CANDUMP ? "candump"
						    : "no frame in them");
	put_fact(out, "Comments", s->n_comments, "");
	put_fact(out, "Broken lines", s->n_bad, s->n_bad ? "▲ skipped" : "");
	put_fact(out, "Frames", s->n_frames, "");
	if (r->has_time) {
		put_channels(out, r);
		if (charger)
			put_fact(out, "Frames of the charger's interface", charger->bus.n_ours,
				 "29-bit identifiers");
		if (vehicle)
			put_fact(out, "Frames of the vehicle's interface", vehicle->bus.n_ours,
				 "11-bit identifiers");
	}
	put_fact(out, "Error frames", r->n_error_frames, r->n_error_frames ? "▲ trouble on the bus" : "");
	put_fact(out, "Lost frames", s->n_lost,
		 s->n_lost ? "▲ lost by the recorder" : "as far as the recorder tells");
	put_fact(out, "Steps back in time", s->n_backwards, s->n_backwards ? "▲ counted as no step" : "");
	if (r->n_sessions_left_out)
		put_fact(out, "Sessions left out", r->n_sessions_left_out, "more than fit the page");
	fputs("</tbody></table>\n", out);
	put_bad_lines(out, s);
	if (r->read_error) {
		fputs("<p class=\"note\">▲ The file could not be read to its end: ", out);
		report_put_text(out, strerror(-r->read_error));
		fputs(".</p>\n", out);
	}
	fputs("</section>\n", out);
}
