/* SPDX-License-Identifier: MIT */
/*
 * The text form of everything that goes over MQTT: against the database of the wire, against itself, and
 * against the schemas in docs/schemas, which a small judge of our own applies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "gateways/mqtt_gw_json.h"
#include "tests/lib/json_check.h"
#include "tests/lib/schema_check.h"

#define TEXT_MAX 70000

static char text[TEXT_MAX];
static const struct mqtt_gw_json_from from = {.gateway = "gw-1", .boot_ms = 1795205520176};

static void must_fit(const char *schema, const char *json)
{
	char err[200];

	assert_null(json_check(json, strlen(json)));
	if (!schema_accepts(schema, json, err, sizeof(err)))
		fail_msg("%s: %s: %s", schema, err, json);
}

/* --- keys and signals ----------------------------------------------------------------------------------- */

static void test_json_every_signal_has_one_key(void **state)
{
	unsigned part, i;
	size_t k, n_fields = 0;

	(void)state;
	for (part = 0; part < GATE_N_PARTS; part++) {
		const struct msg_layout *l = &site_layouts[SITE_V1][part];

		n_fields += l->n_fields;
		for (i = 0; i < l->n_fields; i++) {
			unsigned n = 0;

			for (k = 0; k < gate_n_keys; k++)
				n += gate_keys[k].part == part &&
				     strcmp(gate_keys[k].member, l->fields[i].member) == 0;
			if (n != 1)
				fail_msg("%s.%s has %u keys", l->name, l->fields[i].signal, n);
		}
	}
	assert_int_equal(n_fields, gate_n_keys);
}

static const struct msg_field *field_of(const struct gate_key *k)
{
	const struct msg_layout *l = &site_layouts[SITE_V1][k->part];
	unsigned i;

	for (i = 0; strcmp(l->fields[i].member, k->member) != 0; i++)
		;
	return &l->fields[i];
}

/*
 * Least and greatest value of a key, and its step; a value that means "unknown" is left out at the upper end.
 */
static void range_of(const struct gate_key *k, int64_t *least, int64_t *most, int64_t *step)
{
	const struct msg_field *f = field_of(k);
	int64_t values = INT64_C(1) << f->length;

	*step = (int64_t)k->unit * f->num / f->den;
	*least = f->is_signed ? -values / 2 * *step : 0;
	*most = ((f->is_signed ? values / 2 : values) - 1) * *step;
	if (k->none >= 0)
		*most -= *step;
}

static void test_json_values_beyond_the_wire_or_between_its_steps_are_refused(void **state)
{
	struct gate_record r = {0};
	int64_t least, most, step, value;
	size_t i;

	(void)state;
	for (i = 0; i < gate_n_keys; i++) {
		const struct gate_key *k = &gate_keys[i];

		range_of(k, &least, &most, &step);
		assert_int_equal(gate_key_write(k, &r, least), 0);
		assert_true(gate_key_read(k, &r, &value) && value == least);
		assert_int_equal(gate_key_write(k, &r, most), 0);
		assert_true(gate_key_read(k, &r, &value) && value == most);
		if (gate_key_write(k, &r, least - step) == 0 || gate_key_write(k, &r, most + step) == 0)
			fail_msg("%s: beyond the wire", k->name);
		if (step > 1 &&
		    (gate_key_write(k, &r, least + 1) == 0 || gate_key_write(k, &r, most - 1) == 0))
			fail_msg("%s: between steps", k->name);
		assert_int_not_equal(gate_key_write(k, &r, INT64_MAX), 0);
		assert_int_not_equal(gate_key_write(k, &r, INT64_MIN), 0);
		assert_true(gate_key_read(k, &r, &value) &&
			    value == most); /* untouched by what was refused */
		if (gate_key_write_unknown(k, &r) == 0)
			assert_false(gate_key_read(k, &r, &value));
		else
			assert_int_equal(k->none, -1);
	}
}

/* --- records -------------------------------------------------------------------------------------------- */

static uint64_t random_bits;

static uint32_t roll(void)
{
	random_bits = random_bits * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(random_bits >> 33);
}

static struct gate_record random_record(bool is_grant)
{
	int64_t least, most, step;
	struct gate_record r;
	size_t i;

	memset(&r, 0, sizeof(r)); /* holes too: records are compared whole */
	r.parts = is_grant ? GATE_PART(SITE_GRANT) : GATE_PART(SITE_POINT_REPORT);
	r.parts |= roll() & (is_grant ? GATE_GRANT_PARTS : GATE_REPORT_PARTS);
	for (i = 0; i < gate_n_keys; i++) {
		const struct gate_key *k = &gate_keys[i];

		if (!(r.parts & GATE_PART(k->part)))
			continue;
		range_of(k, &least, &most, &step);
		if (roll() % 8 != 0 || gate_key_write_unknown(k, &r))
			assert_int_equal(
				gate_key_write(k, &r, least + roll() % ((most - least) / step + 1) * step),
				0);
	}
	return r;
}

static void test_json_record_survives_text_and_frames_and_fits_its_schema(void **state)
{
	struct can_frame f[GATE_MAX_FRAMES];
	char err[200];
	unsigned i;

	(void)state;
	random_bits = 20261120;
	for (i = 0; i < 4000; i++) {
		bool is_grant = i % 2;
		const struct gate_record r = random_record(is_grant);
		struct gate_record back, framed;
		uint64_t n_unknown = 0;
		unsigned number;
		size_t k, n;

		memset(&framed, 0, sizeof(framed));
		assert_true(mqtt_gw_json_record(&r, text, sizeof(text)) > 0);
		must_fit(is_grant ? "grant" : "report", text);
		if (mqtt_gw_json_read_record(text, strlen(text), is_grant ? SITE_GRANT : SITE_POINT_REPORT,
					     &back, &n_unknown, err, sizeof(err)))
			fail_msg("%s: %s", err, text);
		assert_memory_equal(&back, &r, sizeof(r));
		assert_int_equal(n_unknown, 0);
		n = gate_record_frames(&r, 16 + i % 16, f);
		for (k = 0; k < n; k++) {
			int part = gate_frame_part(&f[k], &number);

			assert_true(part >= 0 && number == 16 + i % 16);
			gate_record_put(&framed, (enum site_msg)part, &f[k]);
		}
		assert_memory_equal(&framed, &r, sizeof(r));
	}
}

#define REPORT_OF(v, number, age, state, may_draw, restarted)                                       \
	"\"v\":" v ",\"number\":" number ",\"ack_age\":" age ",\"ack_revision\":0,\"state\":" state \
	",\"may_draw_mA\":" may_draw ",\"is_restarted\":" restarted ",\"is_local\":false"
#define REPORT REPORT_OF("1", "7", "null", "\"Idle\"", "0", "false")
#define DEMAND "\"demand\":{\"requested_mA\":0,\"present_mA\":0,\"maximum_mA\":0,\"minimum_mA\":0"

static int read_report(const char *json, struct gate_record *r, uint64_t *n_unknown)
{
	char err[200] = "";
	int ret = mqtt_gw_json_read_record(json, strlen(json), SITE_POINT_REPORT, r, n_unknown, err,
					   sizeof(err));

	assert_true((ret != 0) == (err[0] != '\0'));
	return ret;
}

static void test_json_report_malformed_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"null",
		"[]",
		"7",
		"{}",
		"{" REPORT,
		"{" REPORT "}}",
		"{" REPORT "} {}",
		"{" REPORT ",\"number\":7}",
		"{" REPORT "," DEMAND "}",
		"{" REPORT "," DEMAND ",}}",
		"{" REPORT ",\"demand\":null}",
		"{" REPORT ",\"demand\":{}}",
		"{" REPORT ",\"demand\":[]}",
		"{" REPORT ",\"x\":\"\xff\"}",
		"{" REPORT ",\"x\":\"\\u0000\"}",
		"{\"v\":1}",
		"{" REPORT_OF("2", "7", "null", "\"Idle\"", "0", "false") "}",
		"{" REPORT_OF("1", "7.0", "null", "\"Idle\"", "0", "false") "}",
		"{" REPORT_OF("1", "\"7\"", "null", "\"Idle\"", "0", "false") "}",
		"{" REPORT_OF("1", "null", "null", "\"Idle\"", "0", "false") "}",
		"{" REPORT_OF("1", "7", "255", "\"Idle\"", "0", "false") "}",
		"{" REPORT_OF("1", "7", "null", "\"Lost\"", "0", "false") "}",
		"{" REPORT_OF("1", "7", "null", "\"Idle\"", "-100", "false") "}",
		"{" REPORT_OF("1", "7", "null", "\"Idle\"", "0", "0") "}",
		"{" REPORT_OF("1", "99999999999999999999", "null", "\"Idle\"", "0", "false") "}",
	};
	struct gate_record r;
	uint64_t n_unknown = 0;
	char err[200];
	size_t i;

	(void)state;
	assert_int_equal(read_report("{" REPORT "}", &r, &n_unknown), 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (read_report(bad[i], &r, &n_unknown) == 0)
			fail_msg("taken: %s", bad[i]);
		/* Where it is JSON at all the schema says the same. */
		if (!json_check(bad[i], strlen(bad[i])) &&
		    schema_accepts("report", bad[i], err, sizeof(err)) && !strstr(bad[i], "7.0") &&
		    !strstr(bad[i], "u0000"))
			fail_msg("the schema takes: %s", bad[i]);
	}
	assert_int_equal(n_unknown, 0);
}

static void test_json_report_unknown_keys_are_passed_over_and_counted(void **state)
{
	struct gate_record r;
	uint64_t n_unknown = 0;

	(void)state;
	assert_int_equal(read_report("{" REPORT ",\"colour\":\"blue\"," DEMAND ",\"deep\":{\"er\":[1,2]}}}",
				     &r, &n_unknown),
			 0);
	assert_int_equal(n_unknown, 2);
	assert_int_equal(r.parts, GATE_PART(SITE_POINT_REPORT) | GATE_PART(SITE_POINT_DEMAND));
}

static void test_json_report_numbers_without_name_pass_as_numbers(void **state)
{
	struct gate_record r = {.parts = GATE_PART(SITE_POINT_REPORT), .report = {.state = 11}}, back;
	uint64_t n_unknown = 0;

	(void)state;
	assert_true(mqtt_gw_json_record(&r, text, sizeof(text)) > 0);
	assert_non_null(strstr(text, "\"state\":11,"));
	must_fit("report", text);
	assert_int_equal(read_report(text, &back, &n_unknown), 0);
	assert_int_equal(back.report.state, 11);
}

static void test_json_deep_nesting_is_refused_not_followed(void **state)
{
	char err[200];
	struct gate_record r;
	uint64_t n_unknown = 0;
	struct gate_request q;

	(void)state;
	memset(text, '[', 8000);
	assert_int_not_equal(
		mqtt_gw_json_read_record(text, 8000, SITE_GRANT, &r, &n_unknown, err, sizeof(err)), 0);
	assert_int_not_equal(mqtt_gw_json_read_command(text, 8000, &q, err, sizeof(err)), 0);
	assert_string_equal(q.id, "");
}

/* --- what only goes out --------------------------------------------------------------------------------- */

static void test_json_states_fit_their_schema(void **state)
{
	struct gate_change c = {.seq = 12, .wall_us = 1795205520176001};
	unsigned i;

	(void)state;
	gate_state_init(&c.state);
	assert_true(mqtt_gw_json_state(&from, &c, 3, text, sizeof(text)) > 0);
	must_fit("state", text);
	assert_non_null(strstr(text, "\"time\":\"2026-11-20T20:12:00.176Z\""));
	assert_non_null(strstr(text, "\"dropped\":3,\"state\":\"Silent\""));
	for (i = 0; i < 16; i++) {
		c.state = (struct gate_state){
			.reported = (uint8_t)i, .controller = "Tr\xffnsfer", .faults = "a,b,,c"};
		assert_true(mqtt_gw_json_state(&from, &c, 0, text, sizeof(text)) > 0);
		must_fit("state", text);
		assert_non_null(strstr(text, "\"faults\":[\"a\",\"b\",\"c\"]"));
		assert_non_null(strstr(text, "\"controller\":\"Tr?nsfer\""));
	}
	c.wall_us = 0;
	assert_true(mqtt_gw_json_state(&from, &c, 0, text, sizeof(text)) > 0);
	must_fit("state", text);
}

static void test_json_events_and_gateway_fit_their_schemas(void **state)
{
	struct gate_event e = {.seq = 1, .wall_us = 1795205520176001, .text = "a \"quoted\" \\ word\n"};
	struct mqtt_gw_json_gateway g = {
		.is_online = true, .role = "point", .point = {"a", "b"}, .n_points = 2, .wall_us = 1};

	(void)state;
	for (e.level = 0; e.level < 9; e.level++) {
		assert_true(mqtt_gw_json_event(&from, &e, 0, text, sizeof(text)) > 0);
		must_fit("log", text);
	}
	assert_true(mqtt_gw_json_gateway(&from, &g, text, sizeof(text)) > 0);
	must_fit("gateway-state", text);
	g.wall_us = 0;
	g.is_online = false;
	assert_true(mqtt_gw_json_gateway(&from, &g, text, sizeof(text)) > 0);
	must_fit("gateway-state", text);
}

static void test_json_answers_fit_their_schema(void **state)
{
	static const char lines[] =
		"a=1\nb=-2.5\nc=007\nd=x=y\ne=\nno line\n=z\nf=1e999\ng=12345678901234567890123\n";
	struct gate_answer a = {.request = {.id = "x1", .verb = GATE_GET_ALL}, .wall_us = 1795205520176001};
	unsigned i;

	(void)state;
	for (i = 0; i < GATE_N_STEPS; i++) {
		a.step = (enum gate_step)i;
		assert_true(mqtt_gw_json_answer(&from, &a, NULL, NULL, text, sizeof(text)) > 0);
		must_fit("command-status", text);
	}
	assert_true(mqtt_gw_json_answer(&from, &a, lines, "", text, sizeof(text)) > 0);
	must_fit("command-status", text);
	assert_non_null(
		strstr(text, "\"status\":{\"a\":1,\"b\":-2.5,\"c\":\"007\",\"d\":\"x=y\",\"e\":\"\","));
	a.request.verb = GATE_N_VERBS;
	snprintf(a.reason, sizeof(a.reason), "why \xfe");
	assert_true(mqtt_gw_json_answer(&from, &a, NULL, NULL, text, sizeof(text)) > 0);
	must_fit("command-status", text);
}

static void test_json_text_that_does_not_fit_is_refused_whole(void **state)
{
	const struct gate_record r = {.parts = GATE_REPORT_PARTS};
	ssize_t whole;
	size_t size;

	(void)state;
	whole = mqtt_gw_json_record(&r, text, sizeof(text));
	assert_true(whole > 0);
	for (size = 1; size <= (size_t)whole; size++) {
		assert_true(mqtt_gw_json_record(&r, text, size) < 0);
		assert_string_equal(text, "");
	}
	assert_int_equal(mqtt_gw_json_record(&r, text, (size_t)whole + 1), whole);
}

/* --- commands ------------------------------------------------------------------------------------------- */

static void test_json_commands_are_judged_like_the_schema(void **state)
{
	static const struct {
		const char *json;
		bool is_good;
	} cases[] = {
		{"{\"v\":1,\"id\":\"a\",\"command\":\"start\"}", true},
		{"{\"v\":1,\"id\":\"a\",\"command\":\"get-all\",\"expires_s\":3600}", true},
		{"{\"v\":1,\"id\":\"a\",\"command\":\"stop\",\"not_after_ms\":1795205520176}", true},
		{"{\"v\":1,\"id\":\"a\",\"command\":\"set-current\",\"current_mA\":0}", true},
		{"{\"v\":1,\"id\":\"a\",\"command\":\"set-current\",\"current_mA\":6553500}", true},
		{"{\"v\":1,\"id\":\"a\",\"command\":\"set-current\"}", false},
		{"{\"v\":1,\"id\":\"a\",\"command\":\"start\",\"current_mA\":0}", false},
		{"{\"v\":1,\"id\":\"a\",\"command\":\"set-current\",\"current_mA\":6553501}", false},
		{"{\"v\":1,\"id\":\"a\",\"command\":\"start\",\"colour\":1}", false},
		{"{\"v\":1,\"id\":\"a\",\"command\":\"START\"}", false},
		{"{\"v\":1,\"id\":\"\",\"command\":\"start\"}", false},
		{"{\"v\":1,\"id\":\".a\",\"command\":\"start\"}", false},
		{"{\"v\":1,\"id\":\"a/b\",\"command\":\"start\"}", false},
		{"{\"v\":1,\"id\":\"a+\",\"command\":\"start\"}", false},
		{"{\"v\":1,\"id\":7,\"command\":\"start\"}", false},
		{"{\"v\":1,\"command\":\"start\"}", false},
		{"{\"v\":1,\"id\":\"a\"}", false},
		{"{\"id\":\"a\",\"command\":\"start\"}", false},
		{"{\"v\":2,\"id\":\"a\",\"command\":\"start\"}", false},
		{"{\"v\":1,\"id\":\"a\",\"command\":\"start\",\"expires_s\":0}", false},
		{"{\"v\":1,\"id\":\"a\",\"command\":\"start\",\"expires_s\":null}", false},
		{"{\"v\":1,\"id\":\"a\",\"command\":\"start\",\"not_after_ms\":0}", false},
		{"[]", false},
		{"{\"v\":1,\"id\":\"1234567890123456789012345678901234567890123456789012345678901234\","
		 "\"command\":\"start\"}",
		 true},
		{"{\"v\":1,\"id\":\"12345678901234567890123456789012345678901234567890123456789012345\","
		 "\"command\":\"start\"}",
		 false},
	};
	struct gate_request r;
	char err[200];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool is_taken = mqtt_gw_json_read_command(cases[i].json, strlen(cases[i].json), &r, err,
							  sizeof(err)) == 0;

		if (is_taken != cases[i].is_good)
			fail_msg("%s: %s", is_taken ? "taken" : err, cases[i].json);
		if (schema_accepts("command", cases[i].json, err, sizeof(err)) != cases[i].is_good)
			fail_msg("the schema says otherwise: %s", cases[i].json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_every_signal_has_one_key),
		cmocka_unit_test(test_json_values_beyond_the_wire_or_between_its_steps_are_refused),
		cmocka_unit_test(test_json_record_survives_text_and_frames_and_fits_its_schema),
		cmocka_unit_test(test_json_report_malformed_is_refused),
		cmocka_unit_test(test_json_report_unknown_keys_are_passed_over_and_counted),
		cmocka_unit_test(test_json_report_numbers_without_name_pass_as_numbers),
		cmocka_unit_test(test_json_deep_nesting_is_refused_not_followed),
		cmocka_unit_test(test_json_states_fit_their_schema),
		cmocka_unit_test(test_json_events_and_gateway_fit_their_schemas),
		cmocka_unit_test(test_json_answers_fit_their_schema),
		cmocka_unit_test(test_json_text_that_does_not_fit_is_refused_whole),
		cmocka_unit_test(test_json_commands_are_judged_like_the_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
