/* SPDX-License-Identifier: MIT */
/* Pages of the report for logs of every kind, hostile ones too. */
#include "monitor/bus_log_report_html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "evse_msgs.h"
#include "lib/core/frame_text.h"
#include "pev_msgs.h"

#define S	 INT64_C(1000000)
#define STEP_US	 INT64_C(100000)
#define START_US (INT64_C(1700000000) * S)
#define MAX_PAGE 2000000

/* --- logs ---------------------------------------------------------------------------------------------- */

struct writer {
	FILE *file;
	char *text;
	size_t n;
	int64_t now_us;
	const char *channel;
};

static void open_log(struct writer *w)
{
	*w = (struct writer){.now_us = START_US, .channel = "can0"};
	w->file = open_memstream(&w->text, &w->n);
	assert_non_null(w->file);
}

static void write_frame(struct writer *w, const struct can_frame *f)
{
	char line[FRAME_LOG_LINE_MAX];

	frame_log_write(w->now_us, w->channel, f, line);
	fprintf(w->file, "%s\n", line);
}

static void say_evse(struct writer *w, unsigned pistol, enum evse_msg msg, const void *content)
{
	struct can_frame f;

	msg_to_frame(&evse_layouts[EVSE_N_VERSIONS - 1][msg], content, pistol, &f);
	write_frame(w, &f);
}

static void say_pev(struct writer *w, enum pev_msg msg, const void *content)
{
	struct can_frame f;

	msg_to_frame(&pev_layouts[PEV_N_VERSIONS - 1][msg], content, 0, &f);
	write_frame(w, &f);
}

/* What one step of 100 ms looks like on the charger's side. */
static void step_evse(struct writer *w, unsigned pistol, unsigned state, int32_t voltage_mV,
		      int32_t current_mA)
{
	const struct evse_advantics_controller_status status = {.state = (uint8_t)state};
	const struct evse_power_modules_status power = {
		.present_voltage_mV = voltage_mV, .present_current_mA = current_mA, .system_enable = 1};

	say_evse(w, pistol, EVSE_ADVANTICS_CONTROLLER_STATUS, &status);
	say_evse(w, pistol, EVSE_POWER_MODULES_STATUS, &power);
}

static void step_pev(struct writer *w, unsigned stage, int32_t voltage_mV, int32_t current_mA)
{
	const struct pev_evse_information info = {
		.communication_stage = (uint8_t)stage, .protocol = 3, .pins = 5};
	const struct pev_dc_status1 flow = {.max_charge_current_mA = 120000,
					    .present_current_mA = current_mA};
	const struct pev_dc_status2 volts = {.battery_voltage_mV = voltage_mV,
					     .inlet_voltage_mV = voltage_mV};
	const struct pev_ev_information battery = {.state_of_charge_permille = 420,
						   .energy_capacity_Wh = 60000};

	say_pev(w, PEV_EVSE_INFORMATION, &info);
	say_pev(w, PEV_DC_STATUS1, &flow);
	say_pev(w, PEV_DC_STATUS2, &volts);
	say_pev(w, PEV_EV_INFORMATION, &battery);
}

enum { NO_VEHICLE, WITH_VEHICLE };

/* From waiting for a plug through all states and back; `charging` steps of 100 ms at 400 V and 50 A. */
static void write_session(struct writer *w, unsigned pistol, int vehicle, unsigned charging)
{
	static const uint8_t states[] = {1, 2, 11, 3, 4, 5, 6, 7, 8, 9, 10, 1};
	const struct evse_dc_power_parameters limits = {.maximum_voltage_mV = 500000,
							.maximum_charge_current_mA = 120000};

	for (unsigned i = 0; i < sizeof(states); i++) {
		unsigned state = states[i], n = state == 7 ? charging : 10;

		say_evse(w, pistol, EVSE_DC_POWER_PARAMETERS, &limits);
		for (unsigned k = 0; k < n; k++, w->now_us += STEP_US) {
			step_evse(w, pistol, state, state == 7 ? 400000 : 0, state == 7 ? 50000 : 0);
			if (vehicle)
				step_pev(w, state == 11 ? 2 : state, 399000, state == 7 ? 49800 : 0);
		}
	}
}

/* --- pages --------------------------------------------------------------------------------------------- */

struct page {
	struct report report;
	struct log_reader reader;
	char *text;
	size_t n;
};

static void make_page(struct page *p, struct writer *w, const char *path)
{
	const struct report_cfg cfg = {.path = path,
				       .has_side = {true, true},
				       .version = {EVSE_N_VERSIONS - 1, PEV_N_VERSIONS - 1},
				       .bitrate = 500000,
				       .is_quiet = true};
	FILE *out;

	fclose(w->file);
	memset(p, 0, sizeof(*p));
	log_open_memory(&p->reader, w->text, w->n);
	assert_int_equal(report_read(&p->report, &cfg, &p->reader), 0);
	out = open_memstream(&p->text, &p->n);
	report_fit_page(&p->report);
	report_write(&p->report, out);
	assert_int_equal(fclose(out), 0);
	assert_true(p->n < MAX_PAGE);
}

static void free_page(struct page *p, struct writer *w)
{
	report_free(&p->report);
	free(p->text);
	free(w->text);
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)) != NULL; text += strlen(what))
		n++;
	return n;
}

static void assert_has(const struct page *p, const char *what)
{
	if (!strstr(p->text, what))
		fail_msg("the page lacks: %s", what);
}

static void assert_lacks(const struct page *p, const char *what)
{
	if (strstr(p->text, what))
		fail_msg("the page has: %s", what);
}

/* Every element that is opened is closed in order. Scripts and style sheets are no markup. */
static void assert_well_formed(const struct page *p)
{
	char open[64][16];
	const char *s = p->text;
	unsigned depth = 0;

	while ((s = strchr(s, '<')) != NULL) {
		char name[16] = "";
		bool is_end = s[1] == '/';
		const char *end = strchr(s, '>');

		assert_non_null(end);
		sscanf(s + 1 + is_end, "%15[a-z0-9!]", name);
		if (is_end) {
			assert_true(depth > 0);
			assert_string_equal(open[--depth], name);
		} else if (end[-1] != '/' && name[0] != '!' && strcmp(name, "meta") != 0 &&
			   strcmp(name, "br") != 0) {
			assert_true(depth < 64);
			strcpy(open[depth++], name);
		}
		s = end;
		if (!is_end && strcmp(name, "script") == 0)
			s = strstr(s, "</script>");
		else if (!is_end && strcmp(name, "style") == 0)
			s = strstr(s, "</style>");
		assert_non_null(s);
	}
	assert_int_equal(depth, 0);
}

/* --- pages of all kinds -------------------------------------------------------------------------------- */

static void test_report_empty_log_says_so(void **state)
{
	struct writer w;
	struct page p;

	(void)state;
	open_log(&w);
	make_page(&p, &w, "empty.log");
	assert_has(&p, "No session in this log");
	assert_has(&p, "It has no frame at all.");
	assert_well_formed(&p);
	free_page(&p, &w);
}

static void test_report_foreign_frames_make_a_page_without_sessions(void **state)
{
	const struct can_frame f = {.can_id = 0x123, .can_dlc = 8};
	struct writer w;
	struct page p;

	(void)state;
	open_log(&w);
	for (unsigned i = 0; i < 100; i++, w.now_us += STEP_US)
		write_frame(&w, &f);
	make_page(&p, &w, "foreign.log");
	assert_has(&p, "No session in this log");
	assert_has(&p, "Bus load");
	assert_int_equal(p.report.n_sessions, 0);
	assert_well_formed(&p);
	free_page(&p, &w);
}

static void test_report_session_has_states_plots_record_and_timing(void **state)
{
	struct writer w;
	struct page p;

	(void)state;
	open_log(&w);
	write_session(&w, 1, WITH_VEHICLE, 360);
	make_page(&p, &w, "/var/log/one.log");
	assert_int_equal(report_n_sections(&p.report), 1);
	assert_int_equal(p.report.n_sessions, 2);
	assert_has(&p, "<h1>one.log</h1>");
	assert_has(&p, "Tue 14 Nov 2023, 22:13:20 to 22:14:06 UTC");
	assert_has(&p, "Pistol 1 and vehicle");
	/* 36 s at 20 kW: the trapezoids of half a step at both ends make up for the step between. */
	assert_has(&p, "<dd>200.0 <small>Wh</small></dd>");
	assert_has(&p, "<dd>50.0 <small>A</small></dd>");
	assert_has(&p, "<b>Insulation test</b><span>1.0 s</span>");
	assert_has(&p, "Charging · 36.0 s · from ");
	assert_has(&p, "<h4>Voltage <small>V</small></h4>");
	assert_has(&p, "Charger maximum</span> <output>120.0</output>");
	assert_has(&p, "Vehicle inlet</span>");
	assert_has(&p, "<td>42.0 to 42.0 %</td>");
	assert_has(&p, "CCS ISO 15118 2013 v2");
	assert_has(&p, "Power Modules Status</th><td>controller</td>");
	assert_has(&p, "✓ clean end");
	assert_well_formed(&p);
	free_page(&p, &w);
}

static void test_report_peak_of_one_frame_is_drawn(void **state)
{
	struct writer w;
	struct page p;

	(void)state;
	open_log(&w);
	write_session(&w, 1, NO_VEHICLE, 0);
	w.now_us += 60 * S;
	for (unsigned i = 0; i < 9000; i++, w.now_us += STEP_US)
		step_evse(&w, 1, i < 10 ? 1 : 7, 400000, i == 4567 ? 93700 : 50000);
	make_page(&p, &w, "peak.log");
	assert_has(&p, "<output>max 93.7</output>");
	/* Up from 50.0 A by 43.7 A within the column, and down again. */
	assert_has(&p, "v437");
	assert_has(&p, "running at the end");
	free_page(&p, &w);
}

static void test_report_pistols_and_sessions_have_their_own_cards(void **state)
{
	struct writer w;
	struct page p;

	(void)state;
	open_log(&w);
	write_session(&w, 1, WITH_VEHICLE, 50);
	write_session(&w, 2, NO_VEHICLE, 60);
	write_session(&w, 15, NO_VEHICLE, 70);
	write_session(&w, 2, WITH_VEHICLE, 80);
	make_page(&p, &w, "site.log");
	assert_int_equal(report_n_sections(&p.report), 4);
	assert_int_equal(count(p.text, "<section class=\"card session\""), 4);
	assert_has(&p, "<p>Pistol 1 and vehicle");
	assert_has(&p, "<p>Pistol 2 · ");
	assert_has(&p, "<p>Pistol 15 · ");
	assert_has(&p, "<p>Pistol 2 and vehicle");
	assert_has(&p, "<a href=\"#s4\">4</a>");
	assert_well_formed(&p);
	free_page(&p, &w);
}

static void test_report_next_vehicle_is_unknown_until_it_tells(void **state)
{
	const struct evse_ev_information_battery battery = {.battery_capacity_Wh = 60000,
							    .present_state_of_charge_permille = 700};
	struct report_range first, last;
	struct writer w;
	struct page p;

	(void)state;
	open_log(&w);
	write_session(&w, 1, NO_VEHICLE, 20);
	say_evse(&w, 1, EVSE_EV_INFORMATION_BATTERY, &battery);
	step_evse(&w, 1, 2, 0, 0);
	w.now_us += 10 * STEP_US;
	/* The same vehicle again: its frame brings no change. */
	say_evse(&w, 1, EVSE_EV_INFORMATION_BATTERY, &battery);
	step_evse(&w, 1, 3, 0, 0);
	w.now_us += STEP_US;
	step_evse(&w, 1, 3, 0, 0);
	make_page(&p, &w, "next.log");
	assert_int_equal(p.report.n_sessions, 2);
	first = report_columns_at(p.report.session[1].columns, REPORT_SOC_permille, 5);
	last = report_columns_at(p.report.session[1].columns, REPORT_SOC_permille, 10);
	assert_int_equal(first.high, MON_UNKNOWN);
	assert_int_equal(last.high, 700);
	free_page(&p, &w);
}

static void test_report_lost_message_is_a_hole_and_a_silence(void **state)
{
	const struct evse_advantics_controller_status charging = {.state = 7};
	struct writer w;
	struct page p;

	(void)state;
	open_log(&w);
	for (unsigned i = 0; i < 10; i++, w.now_us += STEP_US)
		step_evse(&w, 1, 1, 0, 0);
	for (unsigned i = 0; i < 100; i++, w.now_us += STEP_US)
		if (i < 40 || i >= 60)
			step_evse(&w, 1, 7, 400000, 50000);
		else
			say_evse(&w, 1, EVSE_ADVANTICS_CONTROLLER_STATUS, &charging);
	make_page(&p, &w, "hole.log");
	const struct report_msg *m = &p.report.side[MON_EVSE].point[1].msg[EVSE_POWER_MODULES_STATUS];

	assert_int_equal(m->n_silences, 1);
	assert_int_equal(m->silence[0].to_us - m->silence[0].from_us, 21 * STEP_US);
	assert_has(&p, "silent for 2.1 s from 22:13:24.9");
	/* Two pieces of the line, unchanged values on both sides of the hole. */
	assert_int_equal(count(strstr(p.text, "<h4>Power "), "V0Z"), 2);
	free_page(&p, &w);
}

static void test_report_names_from_the_log_cannot_leave_the_text(void **state)
{
	struct writer w;
	struct page p;

	(void)state;
	open_log(&w);
	w.channel = "<script>alert(1)</script>";
	write_session(&w, 1, WITH_VEHICLE, 20);
	make_page(&p, &w, "/tmp/x\"><img onerror='alert(2)'><!--\xff.log");
	assert_lacks(&p, "<script>alert");
	assert_lacks(&p, "<img");
	assert_lacks(&p, "<!--");
	assert_has(&p, "&lt;script&gt;alert(1)&lt;");
	assert_has(&p, "x&quot;&gt;&lt;img onerror=&#39;alert(2)&#39;&gt;&lt;!--\xEF\xBF\xBD.log</h1>");
	assert_int_equal(count(p.text, "<script"), 1);
	assert_well_formed(&p);
	free_page(&p, &w);
}

static void test_report_refers_to_nothing_outside(void **state)
{
	static const char *const outside[] = {"http:", "https:", "src=",	   "@import",
					      "url(",  "<link",	 "<iframe",	   "<object",
					      "//cdn", "fetch(", "XMLHttpRequest", "xlink"};
	struct writer w;
	struct page p;

	(void)state;
	open_log(&w);
	write_session(&w, 1, WITH_VEHICLE, 20);
	make_page(&p, &w, "plain.log");
	for (unsigned i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
		assert_lacks(&p, outside[i]);
	free_page(&p, &w);
}

static void test_report_broken_lines_are_told_with_their_numbers(void **state)
{
	struct writer w;
	struct page p;

	(void)state;
	open_log(&w);
	write_session(&w, 1, NO_VEHICLE, 5);
	fputs("(12 nonsense\n", w.file);
	write_session(&w, 1, NO_VEHICLE, 5);
	make_page(&p, &w, "broken.log");
	assert_int_equal(p.reader.stats.n_bad, 1);
	assert_has(&p, "<dt>Broken lines</dt><dd>▲ 1</dd>");
	assert_has(&p, "<li>line 243: ");
	free_page(&p, &w);
}

static void test_report_time_going_back_and_far_ahead_is_borne(void **state)
{
	struct writer w;
	struct page p;

	(void)state;
	open_log(&w);
	w.now_us = 5 * S;
	write_session(&w, 1, WITH_VEHICLE, 50);
	w.now_us = 2 * S;
	write_session(&w, 1, WITH_VEHICLE, 50);
	w.now_us = START_US;
	write_session(&w, 1, WITH_VEHICLE, 50);
	make_page(&p, &w, "jump.log");
	assert_true(p.report.n_sessions >= 4);
	assert_well_formed(&p);
	free_page(&p, &w);
}

static void test_report_step_back_at_the_end_does_not_shorten_the_log(void **state)
{
	struct writer w;
	struct page p;

	(void)state;
	open_log(&w);
	write_session(&w, 1, NO_VEHICLE, 50);
	w.now_us = START_US - 5 * S;
	step_evse(&w, 1, 1, 0, 0);
	make_page(&p, &w, "back.log");
	assert_int_equal(p.report.begin_us, START_US);
	assert_int_equal(p.report.end_us, START_US + 159 * STEP_US);
	assert_has(&p, "Steps back in time</th><td class=\"n\">1</td>");
	free_page(&p, &w);
}

static uint32_t noise(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % below;
}

static void test_report_hour_of_noise_stays_under_two_megabytes(void **state)
{
	uint32_t seed = 1;
	struct writer w;
	struct page p;

	(void)state;
	open_log(&w);
	for (unsigned i = 0; i < 36000; i++, w.now_us += STEP_US) {
		const struct evse_dc_power_control ask = {
			.target_voltage_mV = (int32_t)noise(&seed, 5000) * 100,
			.current_range_max_mA = (int32_t)noise(&seed, 1000) * 100,
			.current_range_min_mA = -(int32_t)noise(&seed, 1000) * 100,
			.power_function = 8,
		};

		step_evse(&w, 1, i % 1500 < 10 ? 1 : 7, (int32_t)noise(&seed, 10000) * 100,
			  (int32_t)noise(&seed, 10000) * 100 - 500000);
		say_evse(&w, 1, EVSE_DC_POWER_CONTROL, &ask);
		step_pev(&w, i % 1500 < 10 ? 1 : 7, (int32_t)noise(&seed, 10000) * 100,
			 (int32_t)noise(&seed, 3000) * 100);
	}
	make_page(&p, &w, "noise.log");
	assert_int_equal(report_n_sections(&p.report), 24);
	assert_true(p.n > 100000);
	free_page(&p, &w);
}

static void test_report_three_hundred_sessions_stay_under_two_megabytes(void **state)
{
	struct writer w;
	struct page p;

	(void)state;
	open_log(&w);
	for (unsigned i = 0; i < 300; i++)
		write_session(&w, 1 + i % 15, i % 3 == 0, 30 + i);
	make_page(&p, &w, "many.log");
	assert_int_equal(report_n_sections(&p.report), 300);
	assert_true(count(p.text, "<section class=\"card session\"") >= REPORT_MAX_PLOTTED);
	assert_well_formed(&p);
	free_page(&p, &w);
}

static void test_report_flapping_states_are_bounded(void **state)
{
	struct writer w;
	struct page p;

	(void)state;
	open_log(&w);
	for (unsigned i = 0; i < 20000; i++, w.now_us += STEP_US)
		step_evse(&w, 1, i % 3, 0, 0);
	make_page(&p, &w, "flap.log");
	assert_has(&p, "more changes of the state are not drawn");
	assert_has(&p, "more events are not listed");
	assert_well_formed(&p);
	free_page(&p, &w);
}

/* Nothing comes after it, yet it is a silence: a controller that died does not look better than one that came back. */
static void test_report_message_silent_until_the_end_is_a_silence(void **state)
{
	const struct evse_advantics_controller_status charging = {.state = 7};
	struct writer w;
	struct page p;

	(void)state;
	open_log(&w);
	for (unsigned i = 0; i < 40; i++, w.now_us += STEP_US)
		step_evse(&w, 1, 7, 400000, 50000);
	for (unsigned i = 0; i < 60; i++, w.now_us += STEP_US)
		say_evse(&w, 1, EVSE_ADVANTICS_CONTROLLER_STATUS, &charging);
	make_page(&p, &w, "dead.log");
	const struct report_msg *m = p.report.side[MON_EVSE].point[1].msg;

	assert_int_equal(m[EVSE_POWER_MODULES_STATUS].n_silences, 1);
	assert_int_equal(m[EVSE_ADVANTICS_CONTROLLER_STATUS].n_silences, 0);
	free_page(&p, &w);
}

/* The clock of the page is the one that stands in the log, wherever it is read; nobody calls it UTC. */
static void test_report_dates_without_a_zone_keep_their_hour(void **state)
{
	struct writer w;
	struct page p;

	(void)state;
	setenv("TZ", "EST5", 1);
	open_log(&w);
	fputs("date Fri Jul 10 06:17:32.249 am 2015\nbase hex  timestamps absolute\n"
	      "0.000000 1 106B000x Rx d 1 01\n9.000000 1 106B000x Rx d 1 01\n",
	      w.file);
	make_page(&p, &w, "local.asc");
	setenv("TZ", "UTC", 1);
	assert_has(&p, "Fri 10 Jul 2015, 06:17:32 to 06:17:41 local time");
	assert_has(&p, "time of day, local time");
	assert_lacks(&p, "UTC");
	free_page(&p, &w);
}

/* The vehicle's module may send the same numbers with 29 bits (rule P-02). */
static void test_report_vehicle_with_wide_identifiers_is_the_vehicle(void **state)
{
	static const char stages[] = "11111222227777711111";
	struct writer w;
	struct page p;

	(void)state;
	open_log(&w);
	for (const char *stage = stages; *stage; stage++, w.now_us += STEP_US)
		fprintf(w.file, "(%.6f) can0 00000600#%02X00000000000000\n", (double)w.now_us / 1e6,
			*stage - '0');
	make_page(&p, &w, "wide.log");
	assert_int_equal(p.report.n_sessions, 1);
	assert_int_equal(p.report.side[MON_PEV].point[0].msg[PEV_EVSE_INFORMATION].n, 20);
	free_page(&p, &w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report_empty_log_says_so),
		cmocka_unit_test(test_report_foreign_frames_make_a_page_without_sessions),
		cmocka_unit_test(test_report_session_has_states_plots_record_and_timing),
		cmocka_unit_test(test_report_peak_of_one_frame_is_drawn),
		cmocka_unit_test(test_report_pistols_and_sessions_have_their_own_cards),
		cmocka_unit_test(test_report_next_vehicle_is_unknown_until_it_tells),
		cmocka_unit_test(test_report_lost_message_is_a_hole_and_a_silence),
		cmocka_unit_test(test_report_names_from_the_log_cannot_leave_the_text),
		cmocka_unit_test(test_report_refers_to_nothing_outside),
		cmocka_unit_test(test_report_broken_lines_are_told_with_their_numbers),
		cmocka_unit_test(test_report_time_going_back_and_far_ahead_is_borne),
		cmocka_unit_test(test_report_step_back_at_the_end_does_not_shorten_the_log),
		cmocka_unit_test(test_report_hour_of_noise_stays_under_two_megabytes),
		cmocka_unit_test(test_report_three_hundred_sessions_stay_under_two_megabytes),
		cmocka_unit_test(test_report_flapping_states_are_bounded),
		cmocka_unit_test(test_report_message_silent_until_the_end_is_a_silence),
		cmocka_unit_test(test_report_dates_without_a_zone_keep_their_hour),
		cmocka_unit_test(test_report_vehicle_with_wide_identifiers_is_the_vehicle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
