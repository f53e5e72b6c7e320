/* SPDX-License-Identifier: MIT */
/* sim-run --workload as its user runs it: tables, files, JSON, and what it says of wrong ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/json_check.h"
#include "tests/lib/tool_rig.h"

#define HEAD "session,station,arrival_s,departure_s,energy_wh\n"

/* Three stations of 32 A at 230 V, whole amperes, together 40 A. */
static const char stations[] = "station,phase_deg,volts,min_a,max_a,steps\n"
			       "A,0,230.0,6,32,1\nB,0,230.0,6,32,1\nC,0,230.0,6,32,1\n";
static const char constraints[] = "constraint,limit_a,limit_a_per_kw,station,coef\n"
				  "main,40,,A,1\nmain,40,,B,1\nmain,40,,C,1\n";

static struct tool_rig rig;

static int set_up(void **state)
{
	(void)state;
	tool_begin(&rig, "sim-run");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tool_end(&rig);
	return 0;
}

static void write_files(void)
{
	tool_write(&rig, "net_stations.csv", stations);
	tool_write(&rig, "net_constraints.csv", constraints);
	tool_write(&rig, "w.csv", HEAD "1,A,0,3600,3000\n2,B,0,3600,3000\n3,C,300,3600,3000\n");
}

static void test_program_table_out_and_json(void **state)
{
	char *text;
	const char *json;

	(void)state;
	write_files();
	assert_int_equal(tool_run(&rig, "sim-run --workload w.csv --network net --policy fair --out a.csv"),
			 0);
	assert_non_null(strstr(rig.said, "3 sessions that want 9.0 kWh, 13 slots of 300 s"));
	assert_non_null(strstr(rig.said, "\nviolations                          0\n"));
	text = tool_read(&rig, "a.csv");
	assert_memory_equal(text, "time_s,station,amps\n0,A,", 24);
	free(text);
	assert_int_equal(tool_run(&rig, "sim-run --workload w.csv --network net --policy fair --json"), 0);
	json = json_check(rig.said, strlen(rig.said));
	assert_null(json);
	assert_non_null(strstr(rig.said, "\"violations\":0,"));
	assert_int_equal(tool_run(&rig, "sim-run --workload w.csv --network net --policy all --json"), 0);
	assert_null(json_check(rig.said, strlen(rig.said)));
	assert_non_null(strstr(rig.said, "{\"results\":[{\"policy\":"));
}

static void test_program_wrong_use_and_bad_files(void **state)
{
	static const struct {
		const char *arguments;
		int status;
		const char *says;
	} cases[] = {
		{"--workload w.csv --policy fair", 2, "a lot needs"},
		{"--network net", 2, "a lot needs"},
		{"--workload w.csv --network net --policy nobody", 2, "nobody"},
		{"--workload w.csv --network net --policy fair,", 2, "names with commas"},
		{"--workload w.csv --network net --policy fair --limit-kw x", 2, "--limit-kw takes"},
		{"--workload w.csv --network net --policy fair --limit-kw 0", 2, "--limit-kw takes"},
		{"--workload w.csv --network net --policy fair --days 0", 2, "--days takes"},
		{"--workload w.csv --network net --policy fair --set policy.nonsense=1", 2, "nonsense"},
		{"--workload w.csv --network net --policy all --out a.csv", 2, "one policy"},
		{"--workload none.csv --network net --policy fair", 1, "none.csv: No such file"},
		{"--workload w.csv --network none --policy fair", 1, "none_stations.csv"},
		{"--workload w.csv --network net --policy fair --stated-departures", 1,
		 "w.csv:1: there is no column"},
		{"--workload bad.csv --network net --policy fair", 1, "bad.csv:2: there is no station \"X\""},
		{"--workload w.csv --network net --policy fair --out none/a.csv", 1,
		 "none/a.csv: No such file"},
		{"--workload w.csv --network net --policy fair --out /dev/full", 1,
		 "/dev/full: cannot be written"},
	};

	(void)state;
	write_files();
	tool_write(&rig, "bad.csv", HEAD "1,X,0,3600,3000\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(tool_run(&rig, "sim-run %s", cases[i].arguments), cases[i].status);
		if (!strstr(rig.said, cases[i].says))
			fail_msg("%s: not \"%s\" but %s", cases[i].arguments, cases[i].says, rig.said);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_program_table_out_and_json, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_program_wrong_use_and_bad_files, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
