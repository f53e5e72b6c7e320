/* SPDX-License-Identifier: MIT */
/*
 * The page of metrics obeys the grammar of Prometheus' text format, tells exact numbers, and stays valid
 * where there is no room for all of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "monitor/mon_metrics.h"
#include "tests/lib/json_check.h"
#include "tests/lib/mon_script.h"
#include "tests/lib/mon_session_rig.h"

#include <evse_msgs.h>
#include <pev_msgs.h>

/* --- a judge of the format ----------------------------------------------------------------------------- */

#define MAX_SERIES 8000
#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

struct page {
	const char *series[MAX_SERIES]; /* begins of the sample lines, up to the value */
	size_t length[MAX_SERIES];
	unsigned n_series, n_families;
	char families[128][64];
	char family[64]; /* that the samples belong to now */
	bool is_counter;
};

static bool is_name(const char *text, size_t n, const char *more)
{
	char allowed[80];

	snprintf(allowed, sizeof(allowed), "%s%s", NAME_CHARS, more);
	return n > 0 && !(text[0] >= '0' && text[0] <= '9') && strspn(text, allowed) >= n;
}

/* {a="b",c="d"}: the length, or 0 where it is wrong. */
static size_t labels_length(const char *text)
{
	const char *p = text + 1;

	for (;;) {
		const size_t n = strcspn(p, "=");

		if (!is_name(p, n, "") || p[n + 1] != '"')
			return 0;
		for (p += n + 2; *p != '"'; p++) {
			if (*p == '\n' || !*p)
				return 0;
			if (*p == '\\' && !strchr("\\\"n", *++p))
				return 0;
		}
		p++;
		if (*p == '}')
			return (size_t)(p + 1 - text);
		if (*p++ != ',')
			return 0;
	}
}

static const char *judge_sample(struct page *g, const char *line, size_t n)
{
	const size_t name = strcspn(line, "{ ");
	const size_t labels = line[name] == '{' ? labels_length(line + name) : 0;
	const char *number = line + name + labels + 1;
	char *end;

	if (!is_name(line, name, ":") || strlen(g->family) != name || memcmp(line, g->family, name) != 0)
		return "sample outside of its family";
	if (line[name] == '{' && !labels)
		return "labels";
	if (number[-1] != ' ')
		return "no blank before the value";
	strtod(number, &end);
	if (end != line + n || end == number || (g->is_counter && *number == '-'))
		return "value";
	for (unsigned i = 0; i < g->n_series; i++)
		if (g->length[i] == name + labels && memcmp(g->series[i], line, name + labels) == 0)
			return "the same series twice";
	assert_true(g->n_series < MAX_SERIES);
	g->series[g->n_series] = line;
	g->length[g->n_series++] = name + labels;
	return NULL;
}

/* "# HELP name words\n# TYPE name kind": both, in this order, once for a family. */
static const char *judge_head(struct page *g, const char *line, const char **next)
{
	char name[64], typed[64], kind[16];
	const char *type = line + strcspn(line, "\n") + 1;

	if (sscanf(line, "# HELP %63[a-zA-Z0-9_:] %*[^\n]", name) != 1 ||
	    sscanf(type, "# TYPE %63s %15s", typed, kind) != 2)
		return "HELP or TYPE is missing";
	if (strcmp(name, typed) != 0)
		return "HELP and TYPE of different families";
	if (strncmp(name, "forecourt_", 10) != 0)
		return "name without forecourt_";
	g->is_counter = strcmp(kind, "counter") == 0;
	if (!g->is_counter && strcmp(kind, "gauge") != 0)
		return "kind";
	if (g->is_counter != (strlen(name) > 6 && strcmp(name + strlen(name) - 6, "_total") == 0))
		return "_total is for counters, and only for them";
	for (unsigned i = 0; i < g->n_families; i++)
		if (strcmp(g->families[i], name) == 0)
			return "a family twice";
	assert_true(g->n_families < 128);
	strcpy(g->families[g->n_families++], name);
	strcpy(g->family, name);
	*next = type + strcspn(type, "\n") + 1;
	return NULL;
}

static void judge_page(const char *text, size_t n, struct page *g)
{
	memset(g, 0, sizeof(*g));
	assert_null(utf8_check(text, n));
	assert_true(n > 0 && text[n - 1] == '\n');
	for (const char *line = text; *line;) {
		const char *next = line + strcspn(line, "\n") + 1;
		const char *bad = *line == '#' ? judge_head(g, line, &next)
					       : judge_sample(g, line, (size_t)(next - 1 - line));

		if (bad)
			fail_msg("%s: %.*s", bad, (int)strcspn(line, "\n"), line);
		line = next;
	}
}

/* The page as a string, judged. */
static const char *page_of(const struct mon_model *m, size_t size, struct page *g)
{
	static char text[MON_METRICS_MAX + 2];
	size_t n;

	memset(text, 'x', sizeof(text));
	n = mon_metrics_write(m, text, size);
	assert_true(n <= size);
	assert_int_equal(text[size], 'x'); /* nothing behind the room */
	text[n] = '\0';
	judge_page(text, n, g);
	return text;
}

static void assert_has(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("no \"%s\" in\n%.3000s", line, text);
}

/* --- tests --------------------------------------------------------------------------------------------- */

static struct page page;

static void test_metrics_silent_bus_is_a_valid_page(void **state)
{
	static struct mon_script s;
	const char *text;

	(void)state;
	mon_script_init(&s, MON_PEV, PEV_V2_5, NULL);
	text = page_of(&s.model, MON_METRICS_MAX, &page);
	assert_has(text, "forecourt_monitor_info{side=\"pev\",version=\"2.5\"} 1\n");
	assert_has(text, "forecourt_bus_frames_total 0\n");
	assert_has(text, "forecourt_metrics_truncated 0\n");
	assert_null(strstr(text, "point="));
}

static void test_metrics_tell_exact_numbers_in_base_units(void **state)
{
	static struct mon_script s;
	const char *text;

	(void)state;
	mon_script_init(&s, MON_EVSE, EVSE_V3_6, NULL);
	mon_script_run(
		&s,
		"Advantics.State=7 Power_Modules.System=1 Power_Modules.Present_V=402300 "
		"Power_Modules.Present_C=-55500 Power_Modules.Insulation=100000 DC_Power_C.Power=8 "
		"DC_Power_C.Target=450000 DC_Power_C.Current_Range_Ma=-60000 DC_Power_C.Current_Range_Mi=-60000 "
		"EV_Information_B.Present=305 +1000");
	text = page_of(&s.model, MON_METRICS_MAX, &page);
	assert_has(text, "forecourt_present_volts{point=\"1\"} 402.3\n");
	assert_has(text, "forecourt_present_amperes{point=\"1\"} -55.5\n");
	assert_has(text, "forecourt_insulation_ohms{point=\"1\"} 100000\n");
	assert_has(text, "forecourt_state{point=\"1\"} 7\n");
	assert_has(text, "forecourt_state_info{point=\"1\",state=\"Charging\",phase=\"charging\"} 1\n");
	assert_has(
		text,
		"forecourt_explain_info{point=\"1\",code=\"E521\",title=\"Discharging\",severity=\"info\"} 1\n");
	assert_has(text, "forecourt_message_frames_total{point=\"1\",message=\"DC_Power_Control\"} 11\n");
	assert_has(text, "forecourt_message_period_seconds{point=\"1\",message=\"DC_Power_Control\"} 0.1\n");
	assert_has(text, "forecourt_message_age_seconds{point=\"1\",message=\"DC_Power_Control\"} 0\n");
	assert_has(text, "forecourt_session_running{point=\"1\"} 1\n");
}

static void judge(void *ctx, struct mon_session_rig *r)
{
	unsigned *n = ctx;

	if ((*n)++ % 10)
		return;
	for (unsigned i = 0; i < 2; i++)
		page_of(&r->model[i], MON_METRICS_MAX, &page);
}

static void test_metrics_whole_session_is_valid_and_counted(void **state)
{
	static const char *const settings[] = {NULL};
	static struct mon_session_rig r;
	unsigned n = 0;
	const char *text;

	(void)state;
	r.each = judge;
	r.ctx = &n;
	mon_session_rig_run(&r, settings);
	text = page_of(&r.model[0], MON_METRICS_MAX, &page);
	assert_has(text, "forecourt_sessions_total{point=\"1\"} 1\n");
	assert_has(text, "forecourt_session_peak_amperes{point=\"1\"} 100\n");
	assert_has(text, "forecourt_session_peak_volts{point=\"1\"} 500\n");
}

/* All points with all messages and random contents: the fullest page there can be. */
static void fill(struct mon_model *m, const struct mon_cfg *cfg)
{
	uint32_t seed = 99;

	mon_model_init(m, cfg, NULL, 0);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned point = 1; point < MON_N_POINTS; point++) {
			for (unsigned i = 0; i < m->n_msgs; i++) {
				struct can_frame f = {.can_id = m->layouts[i].id | point << MSG_INDEX_SHIFT,
						      .can_dlc = m->layouts[i].dlc};

				for (unsigned k = 0; k < 8; k++) {
					seed = seed * 1664525u + 1013904223u;
					f.data[k] = (uint8_t)(seed >> 24);
				}
				mon_model_rx(m, round * 1000000 + point, &f);
			}
		}
	}
	mon_model_tick(m, 2100000);
}

static void test_metrics_fullest_page_fits_its_room(void **state)
{
	static struct mon_model m;
	const struct mon_cfg cfg = {.side = MON_EVSE, .version = EVSE_V3_6};
	const char *text;

	(void)state;
	fill(&m, &cfg);
	text = page_of(&m, MON_METRICS_MAX, &page);
	assert_has(text, "forecourt_metrics_truncated 0\n");
	assert_has(text, "{point=\"15\",message=\"OCPP_Control\"}");
}

static void test_metrics_without_room_leave_out_whole_families(void **state)
{
	static struct mon_model m;
	const struct mon_cfg cfg = {.side = MON_EVSE, .version = EVSE_V3_6};
	unsigned n_families = 0;
	char tiny[MON_METRICS_MIN - 1];

	(void)state;
	fill(&m, &cfg);
	for (size_t size = MON_METRICS_MIN; size < 40000; size += 331) {
		const char *text = page_of(&m, size, &page);

		assert_has(text, "forecourt_metrics_truncated 1\n");
		assert_true(page.n_families >= n_families);
		n_families = page.n_families;
	}
	assert_true(n_families > 20);
	assert_int_equal(mon_metrics_write(&m, tiny, sizeof(tiny)), 0);
}

static void test_judge_refuses_bad_pages(void **state)
{
	static const char *const bad[] = {"a{} 1", "a{b=\"c} 1", "a{b=c} 1", "a{b=\"c\"}1",
					  "a 1x",  "a ",	 "b 1"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char line[32];

		memset(&page, 0, sizeof(page));
		strcpy(page.family, "a");
		snprintf(line, sizeof(line), "%s\n", bad[i]);
		assert_non_null(judge_sample(&page, line, strlen(bad[i])));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_metrics_silent_bus_is_a_valid_page),
		cmocka_unit_test(test_metrics_tell_exact_numbers_in_base_units),
		cmocka_unit_test(test_metrics_whole_session_is_valid_and_counted),
		cmocka_unit_test(test_metrics_fullest_page_fits_its_room),
		cmocka_unit_test(test_metrics_without_room_leave_out_whole_families),
		cmocka_unit_test(test_judge_refuses_bad_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
