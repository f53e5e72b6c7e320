/* SPDX-License-Identifier: MIT */
/*
 * Whole sessions of the simulators go through the expected situations on both sides, and the manual lists
 * exactly the table of situations.
 *
 * `test_explain_session --manual` prints docs/monitor-situations.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "monitor/explain.h"
#include "tests/lib/mon_session_rig.h"

/* --- the manual ---------------------------------------------------------------------------------------- */

static const char manual_head[] =
	"# Situations\n"
	"\n"
	"The monitors always say in words what a session is waiting for, and what happens if it does not come. Each\n"
	"such situation has a code that does not change; text and JSON outputs and the metrics carry it too. Exactly\n"
	"one situation fits at any time: the first one of its side, in the order of these tables.\n"
	"\n"
	"Names in braces stand for numbers: voltages and currents as measured (`{V}`, `{A}`), as asked for\n"
	"(`{target V}`, `{asked A}`, `{least A}`) and as offered (`{offered A}`); resistances (`{ohm}`); ages of the\n"
	"last frame; `{in}` for the time that is left, counted from the beginning of the limit. The limits are those\n"
	"of the interfaces; a module can be configured otherwise.\n";

static void put_cell(FILE *f, const char *text)
{
	fprintf(f, " %s |", text);
}

static void put_manual(FILE *f)
{
	char side = ' ';

	fputs(manual_head, f);
	for (size_t i = 0; i < explain_count(); i++) {
		const struct explain_situation *s = explain_get(i);

		if (s->code[0] != side) {
			side = s->code[0];
			fprintf(f,
				"\n## %s\n\n| Code | Situation | Severity | Says | Otherwise | Limit |\n|---|---|---|---|---|---|\n",
				side == 'E' ? "Charger's interface" : "Vehicle's interface");
		}
		fputs("|", f);
		put_cell(f, s->code);
		put_cell(f, s->title);
		put_cell(f, mon_severity_name(s->severity));
		put_cell(f, s->waiting);
		put_cell(f, s->otherwise);
		if (s->limit_ms)
			fprintf(f, " %g s |\n", s->limit_ms / 1000.0);
		else
			fputs(" - |\n", f);
	}
}

static char *read_all(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 1 << 20);

	if (!f)
		fail_msg("cannot read %s", path);
	assert_non_null(text);
	fread(text, 1, (1 << 20) - 1, f);
	fclose(f);
	return text;
}

static void test_explain_manual_lists_the_table(void **state)
{
	char *want = NULL, *have = read_all("docs/monitor-situations.md");
	size_t size = 0;
	FILE *f = open_memstream(&want, &size);

	(void)state;
	put_manual(f);
	fclose(f);
	if (strcmp(want, have) != 0)
		fail_msg(
			"docs/monitor-situations.md is out of step: "
			"build/release/tests/unit/test_explain_session --manual > docs/monitor-situations.md");
	free(want);
	free(have);
}

/* --- a whole session ----------------------------------------------------------------------------------- */

#define MAX_CODES 200

struct codes {
	char text[2][MAX_CODES * 5 + 1];
	const char *last[2];
};

static struct codes codes;

static void note_codes(void *ctx, struct mon_session_rig *r)
{
	struct codes *c = ctx;

	for (unsigned i = 0; i < 2; i++) {
		struct explain x;

		explain_point(&r->model[i], i ? 0 : 1, &x);
		if (c->last[i] == x.situation->code)
			continue;
		c->last[i] = x.situation->code;
		assert_true(strlen(c->text[i]) + 6 < sizeof(c->text[i]));
		strcat(strcat(c->text[i], c->text[i][0] ? " " : ""), x.situation->code);
	}
}

static void run_session(const char *const *settings)
{
	static struct mon_session_rig r;

	memset(&codes, 0, sizeof(codes));
	memset(&r, 0, sizeof(r));
	r.each = note_codes;
	r.ctx = &codes;
	mon_session_rig_run(&r, settings);
}

static void test_explain_whole_session_tells_its_steps_on_both_sides(void **state)
{
	static const char *const settings[] = {NULL};

	(void)state;
	run_session(settings);
	assert_string_equal(
		codes.text[0],
		"E100 E200 E220 E222 E309 E302 E306 E307 E308 E410 E411 E421 E523 E520 E503 E511 E601 "
		"E603 E602 E700 E802 E120");
	assert_string_equal(
		codes.text[1],
		"V100 V110 V200 V212 V301 V302 V303 V401 V406 V403 V404 V410 V513 V517 V518 V600 V701 V702 "
		"V703 V704 V803");
}

/* Slow wherever somebody may be slow: user, power modules, high-voltage system; a battery that gets full. */
static void test_explain_slow_session_tells_who_is_waited_for(void **state)
{
	static const char *const settings[] = {"secc.free_service=false",
					       "evse.ccs_authorisation_duration=25",
					       "stack.power_modules_wake_up_duration=3", NULL};

	(void)state;
	run_session(settings);
	assert_string_equal(
		codes.text[0],
		"E100 E200 E210 E211 E220 E222 E301 E309 E302 E306 E307 E308 E410 E411 E421 E523 E520 E503 "
		"E511 E601 E603 E602 E700 E802 E120");
	assert_string_equal(
		codes.text[1],
		"V100 V110 V200 V201 V212 V301 V302 V303 V401 V406 V403 V404 V410 V513 V517 V518 V600 V701 V702 "
		"V703 V704 V803");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_explain_manual_lists_the_table),
		cmocka_unit_test(test_explain_whole_session_tells_its_steps_on_both_sides),
		cmocka_unit_test(test_explain_slow_session_tells_who_is_waited_for),
	};

	if (argc > 1 && strcmp(argv[1], "--manual") == 0) {
		put_manual(stdout);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
