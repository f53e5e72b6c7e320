/* SPDX-License-Identifier: MIT */
/* Text and JSON of the monitors: exact numbers, whole lines, valid UTF-8 and JSON whatever is on the bus. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "monitor/mon_decimal.h"
#include "monitor/mon_text.h"
#include "tests/lib/json_check.h"
#include "tests/lib/mon_script.h"
#include "tests/lib/mon_session_rig.h"

#include <evse_msgs.h>
#include <pev_msgs.h>

#define SINK_SIZE (8 << 20)

/* What was written, and with how many calls. */
struct catcher {
	char *text;
	size_t n;
	unsigned n_calls, n_torn; /* calls that did not end with a line */
	int fail;		  /* answer of the next calls */
};

static int catch_text(void *ctx, const char *text, size_t n)
{
	struct catcher *c = ctx;

	c->n_calls++;
	if (c->fail)
		return c->fail;
	assert_true(c->n + n < SINK_SIZE);
	memcpy(c->text + c->n, text, n);
	c->n += n;
	c->text[c->n] = '\0';
	c->n_torn += text[n - 1] != '\n';
	return 0;
}

static void catcher_init(struct catcher *c)
{
	memset(c, 0, sizeof(*c));
	c->text = calloc(1, SINK_SIZE);
	assert_non_null(c->text);
}

static void check_json_lines(const struct catcher *c)
{
	for (const char *line = c->text; *line;) {
		const size_t n = strcspn(line, "\n");
		const char *bad = json_check(line, n);

		if (bad)
			fail_msg("not JSON at \"%.60s\" of %.*s", bad, (int)(n < 400 ? n : 400), line);
		assert_int_equal(line[n], '\n');
		line += n + 1;
	}
}

/* --- numbers ------------------------------------------------------------------------------------------- */

static void assert_decimal(const char *want, int64_t number, unsigned digits, unsigned shown)
{
	char text[MON_DECIMAL_TEXT];

	assert_int_equal(mon_decimal(text, number, digits, shown), strlen(want));
	assert_string_equal(text, want);
}

static void test_decimal_puts_the_point_exactly(void **state)
{
	(void)state;
	assert_decimal("0", 0, 0, 0);
	assert_decimal("0", 0, 3, 0);
	assert_decimal("0.0", 0, 3, 1);
	assert_decimal("-0.001", -1, 3, 1);
	assert_decimal("402.3", 402300, 3, 1);
	assert_decimal("402.350", 402350, 3, 3);
	assert_decimal("402.35", 402350, 3, 0);
	assert_decimal("-55", -55000, 3, 0);
	assert_decimal("1700000000.000001", INT64_C(1700000000000001), 6, 6);
	assert_decimal("-9223372036854775.808", INT64_MIN, 3, 0);
}

/* Every raw value of a signal with a factor of 0.1 comes out as that raw value with a point in it. */
static void test_change_every_raw_value_is_exact(void **state)
{
	static struct mon_model m;
	static struct mon_text t;
	const struct mon_cfg cfg = {.side = MON_EVSE, .version = EVSE_V3_6};
	struct mon_change c = {.point = 1, .msg = EVSE_DC_POWER_CONTROL};
	const int field = (mon_model_init(&m, &cfg, NULL, 0), mon_field_find(&m, c.msg, "Current_Range_Max"));
	struct catcher sink;

	(void)state;
	catcher_init(&sink);
	assert_true(field >= 0);
	c.field = (uint16_t)field;
	mon_text_init(&t, &m, MON_TEXT_LINES, catch_text, &sink);
	for (int32_t raw = -32768; raw <= 32767; raw++) {
		char want[96];

		c.number = raw * 100;
		sink.n = 0;
		mon_text_change(&t, &c);
		assert_int_equal(mon_text_flush(&t), 0);
		snprintf(want, sizeof(want), "0.000000 1 DC_Power_Control.Current_Range_Max %s%d.%d A\n",
			 raw < 0 ? "-" : "", abs(raw) / 10, abs(raw) % 10);
		assert_string_equal(sink.text, want);
	}
	free(sink.text);
}

static void test_units_show_the_digits_of_the_wire(void **state)
{
	static const struct {
		unsigned msg;
		const char *signal, *unit;
		unsigned shown;
	} cases[] = {
		{EVSE_POWER_MODULES_STATUS, "Present_Voltage", "V", 1},
		{EVSE_POWER_MODULES_STATUS, "Insulation_Resistance", "kΩ", 0},
		{EVSE_POWER_MODULES_STATUS, "Enclosure_Temperature", "°C", 0},
		{EVSE_EV_INFORMATION_BATTERY, "Battery_Capacity", "kWh", 0},
		{EVSE_EV_INFORMATION_BATTERY, "Present_State_of_Charge", "%", 0},
		{EVSE_EV_INFORMATION_CHARGE_LIMITS, "EV_Maximum_Charge_Power", "kW", 0},
		{EVSE_CCS_EXTRA_INFORMATION, "CP_Duty_Cycle", "%", 1},
		{EVSE_ADVANTICS_CONTROLLER_STATUS, "State", "", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct msg_layout *l = &evse_layouts[EVSE_V3_6][cases[i].msg];

		for (unsigned k = 0; k < l->n_fields; k++) {
			struct mon_unit u;

			if (strcmp(l->fields[k].signal, cases[i].signal) != 0)
				continue;
			u = mon_unit_of(&l->fields[k]);
			assert_string_equal(u.name, cases[i].unit);
			assert_int_equal(u.shown, cases[i].shown);
		}
	}
}

/* --- lines --------------------------------------------------------------------------------------------- */

static void run_words(enum mon_text_form form, const char *words, struct catcher *sink)
{
	static struct mon_script s;
	static struct mon_text t;
	struct mon_sink hooks;

	mon_text_init(&t, &s.model, form, catch_text, sink);
	t.wall_offset_us = INT64_C(1699999000000000);
	mon_text_hook(&t, &hooks);
	mon_script_init(&s, MON_EVSE, EVSE_V3_6, &hooks);
	mon_script_run(&s, words);
	assert_int_equal(mon_text_flush(&t), 0);
}

static void assert_has(const struct catcher *c, const char *line)
{
	if (!strstr(c->text, line))
		fail_msg("no \"%s\" in\n%.2000s", line, c->text);
}

static void test_text_tells_value_unit_and_label(void **state)
{
	struct catcher c;

	(void)state;
	catcher_init(&c);
	run_words(MON_TEXT_LINES,
		  "Advantics.State=4 Power_Modules.Enclosure=-40000 +1000 Power_Modules.Enclosure=21000 "
		  "Power_Modules.Present_C=-55500 +100",
		  &c);
	assert_has(&c, "1700000000.000000 1 Advantics_Controller_Status.State 4 Insulation_Test\n");
	assert_has(&c, "1700000000.000000 1 Power_Modules_Status.Enclosure_Temperature -40 °C\n");
	assert_has(&c, "1700000001.000000 1 Power_Modules_Status.Enclosure_Temperature 21 °C\n");
	assert_has(&c, "1700000001.000000 1 Power_Modules_Status.Present_Current -55.5 A\n");
	assert_has(&c, " 1 event info ");
	assert_null(utf8_check(c.text, c.n));
	free(c.text);
}

static void test_json_tells_value_unit_label_and_old(void **state)
{
	struct catcher c;

	(void)state;
	catcher_init(&c);
	run_words(MON_TEXT_JSON,
		  "Advantics.State=4 +1000 Advantics.State=5 Power_Modules.Present_V=402300 +1000 "
		  "Power_Modules.Present_V=402400",
		  &c);
	check_json_lines(&c);
	assert_has(
		&c,
		"{\"type\":\"change\",\"t\":1700000000.000000,\"point\":1,\"message\":"
		"\"Advantics_Controller_Status\",\"signal\":\"State\",\"value\":4,\"label\":\"Insulation_Test\"}\n");
	assert_has(&c, "\"signal\":\"State\",\"value\":5,\"label\":\"Precharge\",\"old\":4}\n");
	assert_has(&c, "\"signal\":\"Present_Voltage\",\"value\":402.4,\"unit\":\"V\",\"old\":402.3}\n");
	free(c.text);
}

static void test_event_with_broken_text_stays_valid(void **state)
{
	static struct mon_model m;
	static struct mon_text t;
	const struct mon_cfg cfg = {.side = MON_EVSE, .version = EVSE_V3_6};
	static const char *const texts[] = {
		"\"quoted\" \\ and\nnew line\ttab \x7f \x01",
		"cut \xe2\x84",
		"\xff\xfe\xc0\xaf\xed\xa0\x80",
		"\xf4\x90\x80\x80 \xe0\x80\x80 \xc3(",
		"whole \xe2\x84\xa6 \xf0\x9f\x94\x8c",
		"",
	};
	struct catcher c;

	(void)state;
	mon_model_init(&m, &cfg, NULL, 0);
	catcher_init(&c);
	for (int form = 0; form < 2; form++) {
		c.n = 0;
		mon_text_init(&t, &m, (enum mon_text_form)form, catch_text, &c);
		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
			struct mon_event e = {.point = 3, .severity = MON_FAULT};

			snprintf(e.text, sizeof(e.text), "%s", texts[i]);
			mon_text_event(&t, &e);
		}
		assert_int_equal(mon_text_flush(&t), 0);
		assert_int_equal(t.n_lines, sizeof(texts) / sizeof(texts[0]));
		assert_null(utf8_check(c.text, c.n));
		assert_has(&c, "whole \xe2\x84\xa6 \xf0\x9f\x94\x8c");
	}
	check_json_lines(&c);
	free(c.text);
}

static void test_write_error_ends_the_writing(void **state)
{
	static struct mon_script s;
	static struct mon_text t;
	struct mon_sink hooks;
	struct catcher c;

	(void)state;
	catcher_init(&c);
	mon_text_init(&t, &s.model, MON_TEXT_JSON, catch_text, &c);
	mon_text_hook(&t, &hooks);
	mon_script_init(&s, MON_EVSE, EVSE_V3_6, &hooks);
	c.fail = -EPIPE;
	mon_script_run(&s, "Advantics.State=4 +100");
	assert_int_equal(mon_text_flush(&t), -EPIPE);
	assert_int_equal(c.n_calls, 1);
	c.fail = 0;
	mon_script_run(&s, "Advantics.State=5 +100");
	assert_int_equal(mon_text_snapshot(&t), -EPIPE);
	assert_int_equal(c.n_calls, 1);
	assert_int_equal(c.n, 0);
	free(c.text);
}

static void test_file_callback_reports_a_full_disk(void **state)
{
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	assert_int_equal(mon_text_write_file(full, "line\n", 5), -ENOSPC);
	fclose(full);
}

/* --- whole sessions ------------------------------------------------------------------------------------ */

struct outputs {
	struct mon_text text[2][2]; /* of each side: lines, JSON */
	struct catcher sink[2][2];
	unsigned n_looks;
};

static void both_change(void *ctx, const struct mon_change *c)
{
	struct mon_text *t = ctx;

	mon_text_change(&t[0], c);
	mon_text_change(&t[1], c);
}

static void both_event(void *ctx, const struct mon_event *e)
{
	struct mon_text *t = ctx;

	mon_text_event(&t[0], e);
	mon_text_event(&t[1], e);
}

static void both_session_end(void *ctx, unsigned point, const struct mon_session *s)
{
	struct mon_text *t = ctx;

	mon_text_session_end(&t[0], point, s);
	mon_text_session_end(&t[1], point, s);
}

/* A snapshot every two seconds, thrown away after it was judged. */
static void look(void *ctx, struct mon_session_rig *r)
{
	static struct mon_text t;
	static struct catcher c;
	struct outputs *o = ctx;

	if (o->n_looks++ % 20)
		return;
	if (!c.text)
		catcher_init(&c);
	for (unsigned i = 0; i < 2; i++) {
		c.n = 0;
		mon_text_init(&t, &r->model[i], MON_TEXT_JSON, catch_text, &c);
		assert_int_equal(mon_text_snapshot(&t), 0);
		assert_int_equal(t.n_lines, 1);
		check_json_lines(&c);
		assert_has(&c, i ? "\"side\":\"PEV\"" : "\"side\":\"EVSE\"");
		assert_has(&c, "\"explain\":{\"code\":");
		c.n = 0;
		mon_text_init(&t, &r->model[i], MON_TEXT_LINES, catch_text, &c);
		assert_int_equal(mon_text_snapshot(&t), 0);
		assert_null(utf8_check(c.text, c.n));
		assert_has(&c, i ? "EVSE_Information" : "Advantics_Controller_Status");
	}
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
		n++;
	return n;
}

/* Without breaking the order: the n-th change of one form is the n-th of the other. */
static void assert_same_changes(const char *lines, const char *json)
{
	unsigned n = 0;

	for (;;) {
		char time[32], point[8], name[96], number[40], want[256], signal[96];
		const char *dot;
		int taken;

		while (*lines &&
		       sscanf(lines, "%31s %7s %95s %39s%n", time, point, name, number, &taken) == 4 &&
		       (strcmp(name, "event") == 0 || strcmp(name, "session") == 0))
			lines += strcspn(lines, "\n") + 1;
		json = strstr(json, "{\"type\":\"change\"");
		if (!*lines || !json)
			break;
		dot = strchr(name, '.');
		assert_non_null(dot);
		snprintf(signal, sizeof(signal), "%s", dot + 1);
		snprintf(
			want, sizeof(want),
			"{\"type\":\"change\",\"t\":%s,\"point\":%s,\"message\":\"%.*s\",\"signal\":\"%s\",\"value\":%s",
			time, point, (int)(dot - name), name, signal, number);
		assert_memory_equal(json, want, strlen(want));
		lines += strcspn(lines, "\n") + 1;
		json++;
		n++;
	}
	assert_true(!*lines && !json);
	assert_true(n > 100);
}

static void test_whole_session_says_the_same_in_both_forms(void **state)
{
	static const char *const settings[] = {NULL};
	static struct mon_session_rig r;
	static struct outputs o;

	(void)state;
	r.each = look;
	r.ctx = &o;
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned k = 0; k < 2; k++) {
			catcher_init(&o.sink[i][k]);
			mon_text_init(&o.text[i][k], &r.model[i], (enum mon_text_form)k, catch_text,
				      &o.sink[i][k]);
		}
		r.sink[i] = (struct mon_sink){o.text[i], both_change, both_event, both_session_end};
	}
	mon_session_rig_run(&r, settings);
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned k = 0; k < 2; k++) {
			assert_int_equal(mon_text_flush(&o.text[i][k]), 0);
			assert_int_equal(o.sink[i][k].n_torn, 0);
		}
		check_json_lines(&o.sink[i][1]);
		assert_null(utf8_check(o.sink[i][0].text, o.sink[i][0].n));
		assert_int_equal(o.text[i][0].n_lines, o.text[i][1].n_lines);
		assert_same_changes(o.sink[i][0].text, o.sink[i][1].text);
	}
	assert_int_equal(count(o.sink[0][0].text, " session clean \""), 1);
	assert_int_equal(count(o.sink[0][1].text, "{\"type\":\"session\""), 1);
	for (unsigned i = 0; i < 4; i++)
		free(o.sink[i / 2][i % 2].text);
}

static void test_random_frames_stay_valid(void **state)
{
	static struct mon_model m;
	static struct mon_text t;
	struct mon_sink hooks;
	uint32_t seed = 4711;
	struct catcher c;

	(void)state;
	catcher_init(&c);
	for (unsigned side = 0; side < 2; side++) {
		const struct mon_cfg cfg = {.side = side ? MON_PEV : MON_EVSE,
					    .version = side ? PEV_V2_5 : EVSE_V3_6};

		mon_text_init(&t, &m, MON_TEXT_JSON, catch_text, &c);
		mon_text_hook(&t, &hooks);
		mon_model_init(&m, &cfg, &hooks, 0);
		for (unsigned i = 0; i < 30000; i++) {
			struct can_frame f = {0};

			seed = seed * 1664525u + 1013904223u;
			f.can_id = m.layouts[(seed >> 16) % m.n_msgs].id |
				   (side ? 0 : (seed >> 8 & 15) << MSG_INDEX_SHIFT);
			f.can_dlc = (uint8_t)((seed >> 4) % 9);
			for (unsigned k = 0; k < 8; k++) {
				seed = seed * 1664525u + 1013904223u;
				f.data[k] = (uint8_t)(seed >> 24);
			}
			mon_model_rx(&m, (int64_t)i * 3000, &f);
			if (i % 1000 == 0)
				assert_int_equal(mon_text_snapshot(&t), 0);
			if (i % 200)
				continue;
			assert_int_equal(mon_text_flush(&t), 0);
			check_json_lines(&c);
			c.n = 0;
			c.text[0] = '\0';
		}
	}
	free(c.text);
}

static void test_json_check_knows_bad_json(void **state)
{
	static const char *const bad[] = {"",
					  "{",
					  "{}}",
					  "{\"a\":1,}",
					  "[1,]",
					  "01",
					  "1.",
					  "-",
					  "{a:1}",
					  "\"a",
					  "\"\n\"",
					  "[1 2]",
					  "nul",
					  ".5",
					  "\"\\x\"",
					  "\"\xff\"",
					  "{\"a\":1,\"a\":2}",
					  "{\"a\" 1}",
					  "\"\\u12g4\""};
	static const char *const good[] = {"{}", "[]", "-0.5e+3",
					   "{\"a\":[1,{\"b\":null}],\"c\":\"\\u00e4\xc3\xa4\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(json_check(bad[i], strlen(bad[i])));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_null(json_check(good[i], strlen(good[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decimal_puts_the_point_exactly),
		cmocka_unit_test(test_change_every_raw_value_is_exact),
		cmocka_unit_test(test_units_show_the_digits_of_the_wire),
		cmocka_unit_test(test_text_tells_value_unit_and_label),
		cmocka_unit_test(test_json_tells_value_unit_label_and_old),
		cmocka_unit_test(test_event_with_broken_text_stays_valid),
		cmocka_unit_test(test_write_error_ends_the_writing),
		cmocka_unit_test(test_file_callback_reports_a_full_disk),
		cmocka_unit_test(test_whole_session_says_the_same_in_both_forms),
		cmocka_unit_test(test_random_frames_stay_valid),
		cmocka_unit_test(test_json_check_knows_bad_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
