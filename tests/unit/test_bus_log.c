/* SPDX-License-Identifier: MIT */
/*
 * bus-log on files: the real program, on the log of a simulated session and on odd ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/tool_rig.h"

static struct tool_rig r;
static char root[512]; /* where the tests were started: the databases lie below */

static int begin(void **state)
{
	(void)state;
	assert_non_null(getcwd(root, sizeof(root)));
	tool_begin(&r, "bus-log");
	assert_int_equal(tool_run(&r, "sim-run --session dc --log dc.log"), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	tool_end(&r);
	return 0;
}

static void expect_said(const char *text)
{
	if (!strstr(r.said, text))
		fail_msg("said \"%s\", not \"%s\"", r.said, text);
}

/* --- command line ----------------------------------------------------------------------------------------- */

static void test_help_fits_a_screen(void **state)
{
	static const char *const commands[] = {"",	  "record", "decode", "replay",
					       "convert", "cut",    "stats",  "report"};

	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		unsigned n_lines = 0;

		assert_int_equal(tool_run(&r, "bus-log %s --help", commands[i]), 0);
		expect_said("usage: bus-log");
		for (const char *p = r.said; *p; p++)
			n_lines += *p == '\n';
		assert_in_range(n_lines, 5, 24);
	}
}

static void test_wrong_use_is_told_with_status_2(void **state)
{
	static const char *const wrong[] = {
		"",
		"nothing",
		"decode",
		"decode a b",
		"decode --format xml dc.log",
		"decode --protocol 9.9 dc.log",
		"decode --message Nobody dc.log",
		"decode --id xyz dc.log",
		"decode --all --changes dc.log",
		"decode --from soon dc.log",
		"decode --index 32 dc.log",
		"cut dc.log",
		"cut dc.log out.log",
		"cut dc.log out.log --state Nowhere",
		"cut dc.log out.log --state 7 --session 1",
		"cut dc.log out.log --margin 1",
		"replay dc.log --speed 0",
		"replay dc.log --speed fast",
		"replay dc.log --side evse",
		"record --rotate-size 10 -i udp",
		"record --rotate-size ten -i udp file.log",
		"convert dc.log out --to blf",
		"stats dc.log --bitrate 1",
		"decode dc.log --from 5 --to 2",
		"decode dc.log --nonsense",
		"cut dc.log out.log --session 1 --protocol 9.9",
		"report dc.log --protocol 9.9",
		"report",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (tool_run(&r, "bus-log %s", wrong[i]) != 2)
			fail_msg("bus-log %s: %s", wrong[i], r.said);
		expect_said("bus-log");
		if (i > 1)
			expect_said("--help\".\n");
	}
}

static void test_logs_that_cannot_be_read_are_told_with_status_1(void **state)
{
	(void)state;
	tool_write(&r, "blf", "LOGG\x90\x01\x02");
	tool_write(&r, "gz", "\x1f\x8b\x08");
	tool_write(&r, "noise", "x\ny\nz\n");
	assert_int_equal(tool_run(&r, "bus-log decode nowhere.log"), 1);
	expect_said("No such file");
	assert_int_equal(tool_run(&r, "bus-log stats blf"), 1);
	expect_said("BLF");
	assert_int_equal(tool_run(&r, "bus-log stats gz"), 1);
	expect_said("zcat LOG");
	assert_int_equal(tool_run(&r, "bus-log decode noise"), 1);
	expect_said("noise: line 3: not a frame");
	expect_said("3 of 3 lines could not be read");
	expect_said("not a single line could be read");
	assert_int_equal(tool_run(&r, "bus-log decode ."), 1);
	assert_int_equal(tool_run(&r, "bus-log decode dc.log --dbc noise"), 1);
	assert_int_equal(tool_run(&r, "bus-log decode dc.log -o /nowhere/out"), 1);
	assert_int_equal(tool_run(&r, "bus-log decode dc.log > /dev/full"), 1);
	expect_said("standard output: No space left");
	assert_int_equal(tool_run(&r, "bus-log convert dc.log - > /dev/full"), 1);
	expect_said("standard output: No space left");
	assert_int_equal(tool_run(&r, "bus-log report dc.log -o - > /dev/full"), 1);
	expect_said("standard output: No space left");
	/* The page says so too. */
	assert_int_equal(tool_run(&r, "bus-log report noise && false; test $? -eq 1 -a -s noise.html"), 0);
	expect_said("not a single line could be read");
}

static void test_log_is_not_overwritten_by_its_own_part(void **state)
{
	(void)state;
	tool_run(&r, "cp dc.log own.log; ln -s own.log link.log");
	assert_int_equal(tool_run(&r, "bus-log cut own.log own.log --from 1"), 1);
	assert_int_equal(tool_run(&r, "bus-log convert own.log link.log"), 1);
	expect_said("this is the log that is read");
	assert_int_equal(tool_run(&r, "cmp dc.log own.log"), 0);
}

static void test_empty_log_is_no_failure(void **state)
{
	(void)state;
	tool_write(&r, "empty", "");
	assert_int_equal(
		tool_run(&r, "bus-log decode empty && bus-log stats empty && bus-log convert empty e.asc &&"
			     "bus-log decode e.asc && bus-log cut empty e.log --from 1"),
		0);
}

/* --- decode ----------------------------------------------------------------------------------------------- */

/* dbc decode has its own reader, codec and printer. */
static void test_decode_agrees_with_dbc_decode(void **state)
{
	static const char *const names[] = {"evse_v3.6", "pev_v2.5", "plug"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(tool_run(&r,
					  "bus-log decode -d %s/dbc/%s.dbc -n 1 dc.log >a && "
					  "dbc decode %s/dbc/%s.dbc --index 1 <dc.log >b && cmp a b",
					  root, names[i], root, names[i]),
				 0);
		assert_int_equal(
			tool_run(&r,
				 "bus-log decode -f json -d %s/dbc/%s.dbc -n 1 dc.log | grep -v null >a && "
				 "dbc decode --json %s/dbc/%s.dbc --index 1 <dc.log | grep -v null >b && "
				 "cmp a b && test $(wc -l <a) -gt 1000",
				 root, names[i], root, names[i]),
			0);
	}
}

/* What is built in are the same databases. */
static void test_decode_own_interfaces_are_those_of_the_databases(void **state)
{
	static const struct {
		const char *side, *file;
	} sides[] = {{"evse", "evse_v3.6"}, {"pev", "pev_v2.5"}, {"plug", "plug"}};

	(void)state;
	for (size_t i = 0; i < 3; i++)
		/* The built-in ones have no reserved signals. */
		assert_int_equal(
			tool_run(&r,
				 "bus-log decode -s %s dc.log | grep -v unknown >a && "
				 "bus-log decode -d %s/dbc/%s.dbc -n 1 dc.log | grep -v unknown | "
				 "sed 's/ Reserved[A-Za-z_0-9]*=[^ ]*//g' >b && cmp a b && test -s a",
				 sides[i].side, root, sides[i].file),
			0);
}

static void test_decode_knows_the_frames_of_a_site(void **state)
{
	(void)state;
	tool_write(&r, "site.log",
		   "(1.000000) can0 030A8000#0102030405060708\n(1.100000) can0 030A8010#1122334455667788\n"
		   "(1.200000) can0 000A8020#8877665544332211\n");
	assert_int_equal(
		tool_run(
			&r,
			"bus-log decode -s site site.log >a && bus-log decode site.log >c && cmp a c && "
			"bus-log decode -d %s/dbc/site.dbc -n 3 site.log >b && grep -v Row_Load a | cmp - b && "
			"grep -q Charge_Current b && test $(wc -l <a) -eq 3",
			root),
		0);
}

static void test_decode_filters_by_message_identifier_and_time(void **state)
{
	(void)state;
	assert_int_equal(tool_run(&r, "bus-log decode dc.log -m Charge_Session_Finished | wc -l"), 0);
	assert_string_equal(r.said, "1\n");
	assert_int_equal(
		tool_run(&r,
			 "bus-log decode dc.log --id 610,01063000 | cut -d' ' -f3 | sort -u | tr '\\n' ' '"),
		0);
	assert_string_equal(r.said, "01063000 610 ");
	tool_write(&r, "wide.log", "(1.000000) a 00000610#00\n(2.000000) a 610#00\n");
	assert_int_equal(tool_run(&r, "bus-log decode wide.log -m EV_Information | wc -l"), 0);
	assert_string_equal(r.said, "2\n");
	assert_int_equal(
		tool_run(&r, "bus-log decode dc.log --id 600:7F0 --from 5 --to 5.05 | cut -d' ' -f1,4"), 0);
	expect_said("(1700000005.000000) EVSE_Information\n");
	assert_null(strstr(r.said, "(1700000005.1"));
}

static void test_decode_counts_broken_lines_and_goes_on(void **state)
{
	(void)state;
	tool_write(&r, "broken",
		   "(1.000000) can0 600#00\nrubbish\n\n(2.000000) can0 600##100\n(3.000000) can0 600#0\n"
		   "(4.000000) can0 600#05");
	assert_int_equal(tool_run(&r, "bus-log decode broken >out"), 0);
	expect_said("broken: line 2: not a frame\n");
	expect_said("broken: line 4: not classic CAN: a CAN FD frame\n");
	expect_said("broken: line 5: not a frame\n");
	expect_said("3 of 6 lines could not be read\n");
	assert_int_equal(tool_run(&r, "wc -l <out"), 0);
	assert_string_equal(r.said, "2\n");
}

static void test_decode_reads_a_pipe_and_survives_a_closed_one(void **state)
{
	(void)state;
	assert_int_equal(
		tool_run(&r, "cat dc.log | bus-log decode - >a && bus-log decode dc.log >b && cmp a b"), 0);
	/* The reader leaves: no failure, no word. */
	assert_int_equal(
		tool_run(&r, "{ bus-log decode dc.log; echo $? >status; } | head -n 1 >first; cat status"),
		0);
	assert_string_equal(r.said, "0\n");
	assert_int_equal(tool_run(&r, "{ bus-log report dc.log -o -; echo $? >status; } | head -n 1 >first;"
				      "cat status"),
			 0);
	assert_string_equal(r.said, "0\n");
}

static void test_decode_older_version_knows_fewer_messages(void **state)
{
	(void)state;
	assert_int_equal(tool_run(&r, "bus-log decode dc.log -s evse -p 3.0 | grep -c CCS_Extra_Information"),
			 1);
	assert_int_equal(tool_run(&r, "bus-log decode dc.log -s evse -p 3.6 | grep -c CCS_Extra_Information"),
			 0);
}

/* --- convert ---------------------------------------------------------------------------------------------- */

static void test_convert_to_asc_and_back_is_the_same(void **state)
{
	(void)state;
	tool_write(&r, "odd.log",
		   "(1436509052.249713) can0 123#R5\n"
		   "# 7 frames lost before the next one\n"
		   "(1436509052.249714) can2 1FFFFFFF#1122334455667788_C\n"
		   "(1436509052.349714) can0 000# T\n"
		   "(1436509053.000000) can0 7FF#00\n"
		   "# 1 frame lost before the next one\n");
	assert_int_equal(tool_run(&r, "bus-log convert odd.log odd.asc && bus-log convert odd.asc odd2.log &&"
				      "cmp odd.log odd2.log"),
			 0);
	assert_int_equal(tool_run(&r, "sed s/sim0/can0/ dc.log >can0.log && bus-log convert can0.log x.asc &&"
				      "bus-log convert x.asc - | cmp - can0.log"),
			 0);
	assert_int_equal(tool_run(&r, "bus-log convert dc.log - --to candump | cmp - dc.log"), 0);
}

static void test_convert_to_asc_is_golden(void **state)
{
	char *text;

	(void)state;
	tool_write(&r, "two.log",
		   "(1436509052.249713) can0 123#11AA\n(1436509053.250000) can1 18EBFF00#\n"
		   "(1436509053.250000) can1 20000004#0001000000000000\n");
	assert_int_equal(tool_run(&r, "bus-log convert two.log two.asc"), 0);
	text = tool_read(&r, "two.asc");
	assert_string_equal(text, "date Fri Jul 10 06:17:32.249 am 2015\n"
				  "base hex  timestamps absolute\n"
				  "internal events logged\n"
				  "Begin Triggerblock Fri Jul 10 06:17:32.249 am 2015\n"
				  "   0.000000 Start of measurement\n"
				  "   0.000713 1  123             Rx   d 2 11 AA\n"
				  "   1.001000 2  18EBFF00x       Rx   d 0\n"
				  "   1.001000 2  ErrorFrame\n"
				  "End TriggerBlock\n");
	free(text);
}

/* --- cut -------------------------------------------------------------------------------------------------- */

static void test_cut_by_time_takes_both_ends(void **state)
{
	(void)state;
	tool_write(&r, "t.log",
		   "(100.000000) a 001#\n(101.000000) a 002#\n(102.000000) a 003#\n(103.000000) a 004#\n");
	assert_int_equal(tool_run(&r, "bus-log cut t.log - --from 1 --to 2 | cut -d' ' -f3 | tr '\\n' ' '"),
			 0);
	assert_string_equal(r.said, "002# 003# ");
	assert_int_equal(
		tool_run(&r,
			 "bus-log cut t.log - --from 1970-01-01T00:01:42Z | cut -d' ' -f3 | tr '\\n' ' '"),
		0);
	assert_string_equal(r.said, "003# 004# ");
	assert_int_equal(tool_run(&r, "bus-log cut t.log - --from 9"), 0);
	expect_said("nothing of the log is in there");
	assert_int_equal(tool_run(&r, "cat t.log | bus-log cut - u.log --to 0 && wc -l <u.log"), 0);
	assert_string_equal(r.said, "1\n");
}

/*
 * The part begins with the frame that says Charging and ends before the one that says the next state. In simulated time
 * a last Charging can have the same microsecond as that one.
 */
static void test_cut_by_state_is_while_the_module_is_in_it(void **state)
{
	(void)state;
	assert_int_equal(tool_run(&r, "bus-log cut dc.log c.log --state Charging"), 0);
	assert_int_equal(
		tool_run(&r,
			 "bus-log decode c.log -m Advantics_Controller_Status | grep -c State=Charging >in;"
			 "bus-log decode dc.log -m Advantics_Controller_Status | grep -c State=Charging >all;"
			 "test $(cat in) -ge $(($(cat all) - 1)) -a $(cat in) -gt 100"),
		0);
	assert_int_equal(tool_run(&r, "bus-log cut dc.log c2.log --state 7 && cmp c.log c2.log"), 0);
	assert_int_equal(tool_run(&r, "bus-log cut dc.log c3.log --state Charging --margin 1 &&"
				      "test $(wc -l <c3.log) -gt $(wc -l <c.log)"),
			 0);
	assert_int_equal(tool_run(&r, "cat dc.log | bus-log cut - x --state 7"), 1);
	expect_said("read twice");
}

static void test_cut_by_session_finds_the_one(void **state)
{
	(void)state;
	assert_int_equal(
		tool_run(&r,
			 "bus-log cut dc.log s.log --session 1 && bus-log cut dc.log l.log --session -1 &&"
			 "cmp s.log l.log && test $(wc -l <s.log) -lt $(wc -l <dc.log)"),
		0);
	assert_int_equal(tool_run(&r, "bus-log decode s.log -m Charge_Session_Finished | wc -l"), 0);
	assert_string_equal(r.said, "1\n");
	assert_int_equal(tool_run(&r, "bus-log cut dc.log p.log --session 1 --side pev && test -s p.log"), 0);
	assert_int_equal(tool_run(&r, "bus-log cut dc.log x.log --session 2"), 1);
	expect_said("there is 1 session in the log");
}

/* --- stats ------------------------------------------------------------------------------------------------ */

static void test_stats_count_what_is_there(void **state)
{
	(void)state;
	tool_write(&r, "s.log",
		   "(10.000000) a 01063000#0000000000000000\n(10.100000) a 01063000#0000000000000000\n"
		   "(10.200000) a 01063000#0000000000000000\nbroken\n# 3 frames lost before the next one\n"
		   "(10.250000) b 123#R\n(10.150000) b 123#\n(11.000000) b 20000004#0000000000000000\n");
	assert_int_equal(tool_run(&r, "bus-log stats s.log 2>/dev/null"), 0);
	expect_said("lines     8: 6 frames, 1 comments, 1 broken\n");
	expect_said("5: 24 bytes of data, 1 remote; 3 identifiers on 2 channels\n");
	expect_said("1 error frames, 3 frames lost by the recorder, 1 times out of order\n");
	expect_said(
		"a        01063000 Power_Modules_Status             8           3    100.000    100.000    100.000     "
		"0.000\n");
	assert_int_equal(
		tool_run(&r, "bus-log stats --json s.log 2>/dev/null | python3 -m json.tool >/dev/null"), 0);
	assert_int_equal(tool_run(&r, "bus-log stats --json s.log 2>/dev/null"), 0);
	expect_said("\"lost\": 3, \"backwards\": 1");
	expect_said(
		"\"count\": 3, \"length_min\": 8, \"length_max\": 8, \"min_ms\": 100.000, \"mean_ms\": 100.000");
}

/* --- what all of them take alike --------------------------------------------------------------------------- */

static void test_protocol_is_given_once_for_each_side(void **state)
{
	static const char versions[] = "--protocol 3.2 --protocol 2.0";

	(void)state;
	assert_int_equal(tool_run(&r, "bus-log decode dc.log %s >a && bus-log decode dc.log >b; ! cmp -s a b",
				  versions),
			 0);
	assert_int_equal(tool_run(&r, "bus-log cut dc.log v.log --session 1 %s && test -s v.log", versions),
			 0);
	assert_int_equal(
		tool_run(
			&r,
			"bus-log report dc.log -q -o v.html %s && grep -c 'interface 3.2 on\\|interface 2.0 on' v.html",
			versions),
		0);
	assert_string_equal(r.said, "2\n");
}

/* Lost behind the last frame: the comment has no frame to go with. */
static void test_loss_at_the_end_is_passed_on(void **state)
{
	(void)state;
	tool_write(&r, "lost.log",
		   "(1.000000) a 001#\n(2.000000) b 002#\n# 5 frames lost before the next one\n");
	assert_int_equal(tool_run(&r, "bus-log decode lost.log | tail -n 1"), 0);
	assert_string_equal(r.said, "# 5 frames lost before the next one\n");
	assert_int_equal(tool_run(&r, "bus-log cut lost.log - --from 1 | tail -n 1"), 0);
	assert_string_equal(r.said, "# 5 frames lost before the next one\n");
	/* Of a part that ends before, nothing is known to be lost. */
	assert_int_equal(tool_run(&r, "bus-log cut lost.log - --to 0 | tail -n 1"), 0);
	assert_string_equal(r.said, "(0000000001.000000) a 001#\n");
	assert_int_equal(tool_run(&r, "bus-log decode lost.log --to 0 | grep -c lost"), 1);
}

static void test_log_that_is_being_written_is_told(void **state)
{
	(void)state;
	tool_write(&r, "live.log", "(1.000000) a 001#\n(2.000000) a 002#11");
	assert_int_equal(tool_run(&r, "bus-log decode live.log >/dev/null"), 0);
	assert_string_equal(r.said,
			    "bus-log decode: live.log: line 2 has no end: cut off, or still being written\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_help_fits_a_screen),
		cmocka_unit_test(test_wrong_use_is_told_with_status_2),
		cmocka_unit_test(test_logs_that_cannot_be_read_are_told_with_status_1),
		cmocka_unit_test(test_log_is_not_overwritten_by_its_own_part),
		cmocka_unit_test(test_empty_log_is_no_failure),
		cmocka_unit_test(test_decode_agrees_with_dbc_decode),
		cmocka_unit_test(test_decode_own_interfaces_are_those_of_the_databases),
		cmocka_unit_test(test_decode_knows_the_frames_of_a_site),
		cmocka_unit_test(test_decode_filters_by_message_identifier_and_time),
		cmocka_unit_test(test_decode_counts_broken_lines_and_goes_on),
		cmocka_unit_test(test_decode_reads_a_pipe_and_survives_a_closed_one),
		cmocka_unit_test(test_decode_older_version_knows_fewer_messages),
		cmocka_unit_test(test_convert_to_asc_and_back_is_the_same),
		cmocka_unit_test(test_convert_to_asc_is_golden),
		cmocka_unit_test(test_cut_by_time_takes_both_ends),
		cmocka_unit_test(test_cut_by_state_is_while_the_module_is_in_it),
		cmocka_unit_test(test_cut_by_session_finds_the_one),
		cmocka_unit_test(test_stats_count_what_is_there),
		cmocka_unit_test(test_protocol_is_given_once_for_each_side),
		cmocka_unit_test(test_loss_at_the_end_is_passed_on),
		cmocka_unit_test(test_log_that_is_being_written_is_told),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
