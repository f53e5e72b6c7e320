/* SPDX-License-Identifier: MIT */
/*
 * site-monitor without a terminal: text, JSON and snapshots of a log of the site's machine beside golden
 * files, that the JSON is such, and how it ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/json_check.h"
#include "tests/lib/proc_child.h"
#include "tests/lib/screen_golden.h"
#include "tests/lib/tool_rig.h"

#define N_OUTPUTS    (sizeof(outputs) / sizeof(outputs[0]))
#define SITE	     "site-monitor"
#define LOG	     "--replay", "tests/screen/site.log"
#define FILE_OPTIONS "--site", "tests/screen/site.conf"
#define BUS_MAX	     64

struct output {
	const char *name;
	bool is_json;
	const char *args[14];
};

static const struct output outputs[] = {
	{"text_site", false, {SITE, LOG, FILE_OPTIONS, "--text"}},
	{"text_site_once", false, {SITE, LOG, FILE_OPTIONS, "--once", "--start-at", "75"}},
	{"text_site_two_channels",
	 false,
	 {SITE, LOG, "-i", "can1", "-i", "can0", "--once", "--start-at", "49"}},
	{"json_site", true, {SITE, LOG, FILE_OPTIONS, "--json"}},
	{"json_site_once", true, {SITE, LOG, FILE_OPTIONS, "--json", "--once"}},
	{"json_site_every", true, {SITE, LOG, "--json", "--every", "20000", "--start-at", "49"}},
};

static void expect_json_lines(const char *text)
{
	const char *line;
	size_t n;

	assert_true(text[0] != '\0');
	for (line = text; *line; line += n + (line[n] == '\n')) {
		n = strcspn(line, "\n");
		if (line[0] != '{' || json_check(line, n))
			fail_msg("no JSON object: %.*s", (int)n, line);
	}
}

static void test_output_is_as_the_golden_file(void **state)
{
	const struct output *o = *state;
	int exit_code;
	char *text = golden_output_of(o->args, NULL, &exit_code);

	if (exit_code != 0)
		print_message("# %s\n", text);
	assert_int_equal(exit_code, 0);
	if (o->is_json)
		expect_json_lines(text);
	golden_expect(o->name, text);
	free(text);
}

/* The log twenty times, each a thousand seconds later: too long for one stretch of reading. */
static void test_site_every_begins_at_the_start_asked_for(void **state)
{
	struct tool_rig tool;
	char cwd[256];
	int i;

	(void)state;
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	tool_begin(&tool, SITE);
	for (i = 0; i < 20; i++)
		assert_int_equal(tool_run(&tool,
					  "sed 's/^(1700000/(17000%02d/' %s/tests/screen/site.log >>long.log",
					  i, cwd),
				 0);
	assert_int_equal(
		tool_run(&tool, SITE " --replay long.log --text --start-at 19000 --every 10000 >out"), 0);
	assert_int_equal(tool_run(&tool, "grep -c 'snapshot site' out; head -1 out | cut -c 1-31"), 0);
	assert_string_equal(tool.said, "10\n1700019033.000000 snapshot site\n");
	tool_end(&tool);
}

static void test_site_once_of_silence_fails_in_words(void **state)
{
	char url[BUS_MAX];
	const char *args[] = {SITE, "-i", url, "--once", "--json", "--timeout", "0.2", NULL};
	int exit_code;
	char *text;

	(void)state;
	assert_true(proc_pick_bus(url, sizeof(url)));
	text = golden_output_of(args, NULL, &exit_code);

	assert_int_equal(exit_code, 1);
	assert_non_null(strstr(text, "nothing heard of a site"));
	free(text);
}

static void test_site_help_fits_a_terminal(void **state)
{
	static const char *const args[] = {SITE, "-h", NULL};
	int exit_code, lines = 0;
	char *text = golden_output_of(args, NULL, &exit_code), *line;
	size_t n;

	(void)state;
	assert_int_equal(exit_code, 0);
	for (line = text; *line; line += n + (line[n] == '\n')) {
		n = strcspn(line, "\n");
		assert_in_range(n, 1, 100);
		lines++;
	}
	assert_in_range(lines, 10, 24);
	free(text);
}

int main(void)
{
	struct CMUnitTest tests[N_OUTPUTS + 3];
	size_t n;

	for (n = 0; n < N_OUTPUTS; n++)
		tests[n] = (struct CMUnitTest){.name = outputs[n].name,
					       .test_func = test_output_is_as_the_golden_file,
					       .initial_state = (void *)(uintptr_t)&outputs[n]};
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_site_every_begins_at_the_start_asked_for);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_site_once_of_silence_fails_in_words);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_site_help_fits_a_terminal);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
