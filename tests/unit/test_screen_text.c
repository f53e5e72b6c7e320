/* SPDX-License-Identifier: MIT */
/*
 * The monitors without a terminal: text, JSON and snapshots of the logs of the golden screens, beside golden files;
 * and that the JSON is such, by the rules of its grammar.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/screen_golden.h"

#define N_CASES	  (sizeof(cases) / sizeof(cases[0]))
#define LOG(name) "--replay", "tests/screen/" name ".log"
#define EVSE	  "evse-monitor"
#define PEV	  "pev-monitor"

struct output {
	const char *name;
	bool is_json;
	const char *args[12];
};

static const struct output cases[] = {
	{"text_evse_insulation", false, {EVSE, LOG("evse_insulation"), "--text"}},
	{"text_evse_many", false, {EVSE, LOG("evse_many"), "--text", "--pistol-index", "7"}},
	{"text_evse_once", false, {EVSE, LOG("evse_session"), "--text", "--once"}},
	{"text_evse_fault_every", false, {EVSE, LOG("evse_fault"), "--text", "--every", "10000"}},
	{"text_pev_fault", false, {PEV, LOG("pev_fault"), "--text"}},
	{"text_pev_once", false, {PEV, LOG("pev_session"), "--text", "--once"}},
	{"json_evse_insulation", true, {EVSE, LOG("evse_insulation"), "--json"}},
	{"json_evse_session_every", true, {EVSE, LOG("evse_session"), "--json", "--every", "10000"}},
	{"json_evse_fault_once", true, {EVSE, LOG("evse_fault"), "--json", "--once"}},
	{"json_evse_many_once", true, {EVSE, LOG("evse_many"), "--json", "--once"}},
	{"json_pev_fault", true, {PEV, LOG("pev_fault"), "--json"}},
	{"json_pev_session_every", true, {PEV, LOG("pev_session"), "--json", "--every", "5000"}},
	{"json_pev_once", true, {PEV, LOG("pev_session"), "--json", "--once"}},
};

/* --- a reader of JSON that keeps nothing -------------------------------------------------------------------- */

static const char *skip_value(const char *p);

static const char *skip_string(const char *p)
{
	if (*p++ != '"')
		return NULL;
	for (; *p && *p != '"'; p++) {
		if ((unsigned char)*p < 0x20)
			return NULL;
		if (*p == '\\') {
			p++;
			if (!*p || !strchr("\"\\/bfnrtu", *p))
				return NULL;
		}
	}
	return *p ? p + 1 : NULL;
}

/* What stands between the brackets of an object or a list. */
static const char *skip_items(const char *p, char end)
{
	if (*p == end)
		return p + 1;
	for (;;) {
		if (end == '}') {
			p = skip_string(p);
			if (!p || *p++ != ':')
				return NULL;
		}
		p = skip_value(p);
		if (!p || (*p != ',' && *p != end))
			return NULL;
		if (*p++ == end)
			return p;
	}
}

static const char *skip_value(const char *p)
{
	static const char *const words[] = {"true", "false", "null"};
	char *end;
	size_t i;

	for (i = 0; i < 3; i++)
		if (strncmp(p, words[i], strlen(words[i])) == 0)
			return p + strlen(words[i]);
	if (*p == '"')
		return skip_string(p);
	if (*p == '{')
		return skip_items(p + 1, '}');
	if (*p == '[')
		return skip_items(p + 1, ']');
	if (*p != '-' && (*p < '0' || *p > '9'))
		return NULL;
	strtod(p, &end);
	return end;
}

static void expect_json_lines(const char *text)
{
	unsigned line = 1;

	assert_true(*text != '\0');
	while (*text) {
		const char *end = skip_value(text);

		if (*text != '{' || !end || *end != '\n')
			fail_msg("line %u is no JSON object: %.*s", line, (int)strcspn(text, "\n"), text);
		text = end + 1;
		line++;
	}
}

/* ----------------------------------------------------------------------------------------------------------- */

static void test_output_is_as_the_golden_file(void **state)
{
	const struct output *c = *state;
	int exit_code;
	char *text = golden_output_of(c->args, NULL, &exit_code);

	if (exit_code != 0)
		print_message("# %s\n", text);
	assert_int_equal(exit_code, 0);
	if (c->is_json)
		expect_json_lines(text);
	golden_expect(c->name, text);
	free(text);
}

static void test_output_without_a_terminal_is_text(void **state)
{
	static const char *const plain[] = {EVSE, LOG("evse_insulation"), NULL};
	int exit_code;
	char *text = golden_output_of(plain, NULL, &exit_code);

	(void)state;
	assert_int_equal(exit_code, 0);
	assert_null(strchr(text, '\033'));
	golden_expect("text_evse_insulation", text);
	free(text);
}

static void test_output_once_of_silence_fails_in_words(void **state)
{
	static const char *const args[] = {EVSE,  "--can", "udp:239.74.163.2:21999", "--once", "--timeout",
					   "0.2", NULL};
	int exit_code;
	char *text = golden_output_of(args, NULL, &exit_code);

	(void)state;
	assert_int_equal(exit_code, 1);
	assert_true(strlen(text) > 10);
	free(text);
}

int main(void)
{
	struct CMUnitTest tests[N_CASES + 2];
	size_t i;

	for (i = 0; i < N_CASES; i++)
		tests[i] = (struct CMUnitTest){.name = cases[i].name,
					       .test_func = test_output_is_as_the_golden_file,
					       .initial_state = (void *)(uintptr_t)&cases[i]};
	tests[N_CASES] = (struct CMUnitTest)cmocka_unit_test(test_output_without_a_terminal_is_text);
	tests[N_CASES + 1] = (struct CMUnitTest)cmocka_unit_test(test_output_once_of_silence_fails_in_words);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
