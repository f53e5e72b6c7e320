/* SPDX-License-Identifier: MIT */
/*
 * The page of the report: head, what the log comes to, and its sections in order.
 */
#include "monitor/bus_log_report_html.h"

#include <string.h>

/* --- sizes --------------------------------------------------------------------------------------------- */

/* About the bytes of the paths of a table: an unchanged column costs nothing, a changed one a step. */
static uint64_t path_bytes(const struct report_columns *c)
{
	uint64_t sum = 0;

	for (unsigned s = 0; c && s < REPORT_N_SERIES; s++) {
		struct report_range last = {MON_UNKNOWN, MON_UNKNOWN};
		uint64_t n = 0;

		for (uint32_t i = 0; c->slot[s] >= 0 && i < c->n; i++) {
			struct report_range now = report_columns_at(c, s, i);

			if (now.low != last.low || now.high != last.high)
				n += now.low == now.high ? 8 : 14;
			last = now;
		}
		sum += s == REPORT_W ? 2 * n : n; /* its area is drawn, too */
	}
	return sum;
}

void report_fit_page(struct report *r)
{
	uint64_t bytes[REPORT_MAX_SESSIONS], sum = 0;

	for (uint32_t i = 0; i < r->n_sessions; i++)
		sum += bytes[i] = path_bytes(r->session[i].columns);
	while (sum > REPORT_PAGE_PATHS) {
		uint32_t largest = 0;

		for (uint32_t i = 1; i < r->n_sessions; i++)
			if (bytes[i] > bytes[largest])
				largest = i;
		if (!r->session[largest].columns || r->session[largest].columns->n < 16)
			return;
		report_columns_halve(r->session[largest].columns);
		sum -= bytes[largest];
		sum += bytes[largest] = path_bytes(r->session[largest].columns);
	}
}

/* --- numbers of sessions ------------------------------------------------------------------------------- */

static bool has_section(const struct report *r, uint32_t i)
{
	const struct report_session *s = &r->session[i];

	/* Of a pair the charger's half leads. */
	return s->side == MON_EVSE || s->partner < 0;
}

bool report_has_card(const struct report *r, int session)
{
	const struct report_session *s = &r->session[session];

	return s->columns || (s->partner >= 0 && r->session[s->partner].columns);
}

const struct mon_session *report_worst(const struct report *r, const struct report_session *s)
{
	const struct mon_session *own = &s->record,
				 *other = s->partner >= 0 ? &r->session[s->partner].record : own;

	return other->n_faults > own->n_faults ? other : own;
}

unsigned report_session_number(const struct report *r, int session)
{
	unsigned number = 0;

	if (session < 0 || (uint32_t)session >= r->n_sessions)
		return 0;
	if (!has_section(r, (uint32_t)session))
		session = r->session[session].partner;
	for (int i = 0; i <= session; i++)
		number += has_section(r, (uint32_t)i);
	return number;
}

unsigned report_n_sections(const struct report *r)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < r->n_sessions; i++)
		n += has_section(r, i);
	return n;
}

/* --- the head ------------------------------------------------------------------------------------------ */

static void put_head(FILE *out, const struct report *r)
{
	fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
	      "script-src 'unsafe-inline'\">\n<title>",
	      out);
	report_put_text(out, r->title);
	fputs(" · bus log report</title>\n<style>\n", out);
	report_put_style(out);
	fputs("</style>\n</head>\n", out);
}

const char *report_zone(const struct report *r)
{
	return r->reader->is_local ? "local time" : "UTC";
}

static void put_time(FILE *out, const struct report *r)
{
	char a[REPORT_TEXT], b[REPORT_TEXT], text[REPORT_TEXT];

	if (!r->has_time) {
		fputs("no frame in it", out);
		return;
	}
	report_date(a, r->begin_us);
	report_date(b, r->end_us);
	if (a[0])
		fprintf(out, "%s, ", a);
	fprintf(out, "%s to ", report_clock(text, r->begin_us, 0));
	if (strcmp(a, b) != 0)
		fprintf(out, "%s, ", b);
	fprintf(out, "%s", report_clock(text, r->end_us, 0));
	if (a[0])
		fprintf(out, " %s", report_zone(r));
	fprintf(out, " · %s", report_duration(text, r->end_us - r->begin_us));
}

static void put_tile(FILE *out, const char *name, const char *value, const char *css)
{
	const char *unit = strrchr(value, ' ');

	fprintf(out, "<div%s%s%s><dt>%s</dt>", css[0] ? " class=\"" : "", css, css[0] ? "\"" : "", name);
	if (unit && !css[0])
		fprintf(out, "<dd>%.*s <small>%s</small></dd></div>", (int)(unit - value), value, unit + 1);
	else
		fprintf(out, "<dd>%s</dd></div>", value);
}

/* A count that should be 0: when it is not, sign and colour say so. */
static void put_alarm(FILE *out, const char *name, uint64_t n, const char *css, const char *sign)
{
	char text[REPORT_TEXT], value[REPORT_TEXT + 8];

	snprintf(value, sizeof(value), "%s%s", n ? sign : "", report_count(text, n));
	put_tile(out, name, value, n ? css : "");
}

static void put_tiles(FILE *out, const struct report *r)
{
	const struct log_stats *s = &r->reader->stats;
	char text[REPORT_TEXT];
	int64_t energy_Wus = 0;

	for (uint32_t i = 0; i < r->n_sessions; i++)
		if (has_section(r, i))
			energy_Wus += r->session[i].record.energy_Wus;
	fputs("<dl class=\"tiles\">", out);
	put_tile(out, "Sessions", report_count(text, report_n_sections(r)), "");
	put_tile(out, "Energy", report_energy(text, energy_Wus), "");
	put_alarm(out, "Faults", r->n_of_severity[MON_FAULT], "bad", "◆ ");
	put_alarm(out, "Warnings", r->n_of_severity[MON_WARNING], "warn", "▲ ");
	put_tile(out, "Frames", report_count(text, s->n_frames), "");
	put_alarm(out, "Lost frames", s->n_lost, "warn", "▲ ");
	put_alarm(out, "Error frames", r->n_error_frames, "warn", "▲ ");
	put_alarm(out, "Broken lines", s->n_bad, "warn", "▲ ");
	fputs("</dl>\n", out);
}

static void put_links(FILE *out, const struct report *r)
{
	fputs("<nav aria-label=\"Sections\">", out);
	if (r->has_time)
		fputs("<a href=\"#overview\">The whole log</a>", out);
	if (r->n_sessions)
		fputs("<a href=\"#sessions\">Sessions</a>", out);
	if (r->has_time)
		fputs("<a href=\"#events\">Events</a><a href=\"#messages\">Messages</a>", out);
	fputs("<a href=\"#file\">The file</a></nav>\n", out);
}

/* --- sessions ------------------------------------------------------------------------------------------ */

static void put_row(FILE *out, const struct report *r, const struct report_session *s, unsigned number)
{
	const struct report_session *vehicle = s->partner >= 0 ? &r->session[s->partner] : s;
	const struct mon_session *m = &s->record, *soc = &vehicle->record, *worst = report_worst(r, s);
	char a[REPORT_TEXT], b[REPORT_TEXT];

	fputs("<tr><td class=\"n\">", out);
	if (report_has_card(r, (int)(s - r->session)))
		fprintf(out, "<a href=\"#s%u\">%u</a>", number, number);
	else
		fprintf(out, "%u", number);
	fprintf(out, "</td><td>%s</td>", report_who(a, s->side, s->point));
	fprintf(out, "<td class=\"n\">%s</td>", report_clock(a, s->start_us, 0));
	fprintf(out, "<td class=\"n\">%s</td>", report_duration(a, s->end_us - s->start_us));
	fprintf(out, "<td class=\"n\">%s</td>", report_energy(a, m->energy_Wus));
	fprintf(out, "<td class=\"n\">%s A</td>", report_decimal(a, m->peak_mA, 1000, 1));
	if (soc->soc_start_permille == MON_UNKNOWN)
		fputs("<td class=\"n\">–</td>", out);
	else
		fprintf(out, "<td class=\"n\">%s→%s %%</td>",
			report_decimal(a, soc->soc_start_permille, 10, 1),
			report_decimal(b, soc->soc_end_permille, 10, 1));
	fputs("<td>", out);
	report_put_name(out, s->protocol[0] ? s->protocol : "–");
	fprintf(out, "</td><td>%s ", worst->n_faults ? "◆" : m->is_running ? "●" : m->is_clean ? "✓" : "▲");
	if (worst->n_faults)
		fprintf(out, "%u fault%s, ", worst->n_faults, worst->n_faults == 1 ? "" : "s");
	report_put_text(out, m->is_running ? "running" : m->reason && m->reason[0] ? m->reason : "not said");
	fputs("</td></tr>\n", out);
}

static void put_sessions(FILE *out, const struct report *r)
{
	unsigned number = 0;

	if (r->n_sessions == 0)
		return;
	fputs("<section id=\"sessions\">\n", out);
	if (report_n_sections(r) > 1) {
		fputs("<div class=\"card\"><header><h2>Sessions</h2></header><div class=\"scroll\" tabindex=\"0\" "
		      "role=\"region\" aria-label=\"Sessions\"><table class=\"sessions\"><thead><tr><th scope=\"col\" "
		      "class=\"n\">No.</th><th scope=\"col\">Where</th><th scope=\"col\" class=\"n\">Start</th><th "
		      "scope=\"col\" class=\"n\">Duration</th><th scope=\"col\" class=\"n\">Energy</th><th scope=\"col\" "
		      "class=\"n\">Peak</th><th scope=\"col\" class=\"n\">State of charge</th><th scope=\"col\">Protocol</th>"
		      "<th scope=\"col\">End</th></tr></thead><tbody>\n",
		      out);
		for (uint32_t i = 0; i < r->n_sessions; i++)
			if (has_section(r, i))
				put_row(out, r, &r->session[i], ++number);
		fputs("</tbody></table></div>", out);
		if (number > REPORT_MAX_PLOTTED)
			fputs("<p class=\"note\">The first sessions follow with their plots, the others have their line "
			      "only. bus-log cut makes smaller logs.</p>",
			      out);
		fputs("</div>\n", out);
	}
	number = 0;
	for (uint32_t i = 0; i < r->n_sessions; i++) {
		const struct report_session *s = &r->session[i];
		const struct report_session *partner = s->partner >= 0 ? &r->session[s->partner] : NULL;

		if (!has_section(r, i))
			continue;
		number++;
		if (report_has_card(r, (int)i))
			report_put_session(out, r, s->side == MON_EVSE ? s : NULL,
					   s->side == MON_EVSE ? partner : s, number);
	}
	fputs("</section>\n", out);
}

static void put_nothing(FILE *out, const struct report *r)
{
	if (r->n_sessions)
		return;
	fputs("<section class=\"card empty\"><h2>No session in this log</h2><p>", out);
	if (!r->has_time)
		fputs(r->reader->stats.n_frames ? "It has frames, but none on the channel that was asked for."
						: "It has no frame at all.",
		      out);
	else if (!r->side[MON_EVSE].model || !r->side[MON_PEV].model)
		fputs("The side that was asked for waits for a plug all the time, or is not on this bus.",
		      out);
	else
		fputs("Either nobody plugged in, or these are not frames of the generic interfaces: the charger's have 29-bit "
		      "identifiers with a pistol from 1 to 15, the vehicle's have 11 bits.",
		      out);
	fputs("</p></section>\n", out);
}

void report_write(const struct report *r, FILE *out)
{
	put_head(out, r);
	fputs("<body>\n<main>\n<header class=\"top\"><p class=\"kicker\">Bus log report</p><h1>", out);
	report_put_text(out, r->title);
	fputs("</h1><p>", out);
	put_time(out, r);
	fputs("</p>\n", out);
	put_links(out, r);
	fputs("</header>\n", out);
	put_tiles(out, r);
	put_nothing(out, r);
	if (r->has_time)
		report_put_overview(out, r);
	put_sessions(out, r);
	if (r->has_time) {
		report_put_events(out, r);
		report_put_messages(out, r);
	}
	report_put_file(out, r);
	fputs("<footer>forecourt " FORECOURT_VERSION ", bus-log report</footer>\n</main>\n<script>\n", out);
	report_put_script(out);
	fputs("</script>\n</body>\n</html>\n", out);
}
