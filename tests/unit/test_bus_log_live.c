/* SPDX-License-Identifier: MIT */
/*
 * bus-log record and replay on a bus: the real program, on UDP. Nothing here looks at the clock but for hangs.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/can/can_bus.h"
#include "monitor/log_read.h"
#include "tests/lib/tool_rig.h"

static struct tool_rig r;
static char url[64];

static int begin(void **state)
{
	(void)state;
	assert_true(proc_pick_bus(url, sizeof(url)));
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

/* Else wake_recorder() would take the recording of the test before for that of a recorder that listens. */
static int forget_recording(void **state)
{
	char path[256];

	(void)state;
	snprintf(path, sizeof(path), "%s/rec.log", r.dir);
	unlink(path);
	return 0;
}

/* Between two looks at a file that another process writes. */
static void nap(void)
{
	const struct timespec t = {0, 2000000};

	nanosleep(&t, NULL);
}

static struct can_bus *open_bus(void)
{
	struct can_bus *bus;
	char err[200];

	assert_int_equal(can_bus_open(url, &bus, err, sizeof(err)), 0);
	return bus;
}

static void await_frame(struct can_bus *bus)
{
	const struct can_filter all = can_filter_all();
	struct pollfd p = {.fd = can_bus_fd(bus), .events = POLLIN};
	struct can_rx_info info;
	struct can_frame f;

	can_bus_set_filters(bus, &all, 1);
	do {
		assert_int_equal(poll(&p, 1, TOOL_LIMIT_MS), 1);
	} while (can_bus_recv(bus, &f, &info) != 1);
}

static uint64_t count_frames(const char *name, struct log_reader *log)
{
	struct log_entry e;
	char path[256], err[200];

	snprintf(path, sizeof(path), "%s/%s", r.dir, name);
	if (log_open(log, path, err, sizeof(err)) != 0)
		return 0;
	while (log_next(log, &e) > 0)
		;
	log_close(log);
	return log->stats.n_frames;
}

/* Sends until the recorder has something in its file: now it listens. Returns what was sent. */
static uint64_t wake_recorder(const char *name)
{
	struct can_frame f = {.can_id = 0x7FF, .can_dlc = 0};
	struct can_bus *bus = open_bus();
	struct log_reader log;
	int64_t limit_us = proc_now_us() + TOOL_LIMIT_MS * INT64_C(1000);
	uint64_t n = 0;

	do {
		can_bus_send(bus, &f);
		n++;
		nap();
		assert_true(proc_now_us() < limit_us);
	} while (count_frames(name, &log) == 0);
	can_bus_close(bus);
	return n;
}

/* Ends it by SIGTERM and expects this exit code. */
static void stop_recorder(struct proc_child *c, int code)
{
	kill(c->pid, SIGTERM);
	assert_true(proc_wait(c, TOOL_LIMIT_MS));
	proc_output(c, r.said, sizeof(r.said));
	assert_int_equal(proc_exit_code(c), code);
	proc_end(c);
}

static void test_replay_recorded_again_is_the_same_log(void **state)
{
	struct proc_child c;

	(void)state;
	tool_start(&r, &c, "bus-log record -i %s rec.log", url);
	wake_recorder("rec.log");
	assert_int_equal(tool_run(&r, "bus-log replay dc.log -i %s --speed 100", url), 0);
	assert_non_null(strstr(r.said, "bus-log replay: "));
	stop_recorder(&c, 0);
	assert_non_null(strstr(r.said, ", 0 lost"));
	assert_int_equal(
		tool_run(&r, "grep -v ' 7FF#$' rec.log | cut -d' ' -f3 >a; cut -d' ' -f3 dc.log >b; cmp a b"),
		0);
}

static void test_replay_at_full_speed_keeps_the_order(void **state)
{
	struct proc_child c;

	(void)state;
	tool_start(&r, &c, "bus-log record -i %s rec.log", url);
	wake_recorder("rec.log");
	/* One identifier, many times: nothing may be overtaken by its successor. */
	assert_int_equal(
		tool_run(&r, "for i in $(seq 1000 3000); do echo \"(1.000000) a 123#$i\"; done >same.log"),
		0);
	assert_int_equal(tool_run(&r, "bus-log replay same.log -i %s --speed max --loop 2", url), 0);
	stop_recorder(&c, 0);
	assert_int_equal(tool_run(&r,
				  "grep -v ' 7FF#$' rec.log | cut -d' ' -f3 >a; cut -d' ' -f3 same.log >b;"
				  "cat b b | cmp - a"),
			 0);
}

static void test_replay_of_one_half_sends_no_other(void **state)
{
	struct proc_child c;

	(void)state;
	tool_start(&r, &c, "bus-log record -i %s rec.log", url);
	wake_recorder("rec.log");
	assert_int_equal(
		tool_run(&r, "bus-log replay dc.log -i %s --speed max --half module --side evse", url), 0);
	stop_recorder(&c, 0);
	assert_int_equal(tool_run(&r, "bus-log decode rec.log | grep -c ' DC_Power_Control '"), 0);
	assert_int_equal(tool_run(&r, "bus-log decode rec.log | grep -c ' Power_Modules_Status '"), 1);
	assert_int_equal(tool_run(&r, "bus-log decode rec.log | grep -c ' EVSE_Information '"), 1);
}

static void test_replay_selects_by_time_and_identifier(void **state)
{
	struct proc_child c;

	(void)state;
	tool_start(&r, &c, "bus-log record -i %s rec.log", url);
	wake_recorder("rec.log");
	assert_int_equal(
		tool_run(&r,
			 "bus-log replay dc.log -i %s --speed max --only 610,611 --exclude AC_Status "
			 "--from 10 --to 12.05",
			 url),
		0);
	stop_recorder(&c, 0);
	assert_int_equal(
		tool_run(
			&r,
			"grep -v ' 7FF#$' rec.log | cut -d' ' -f3 >a;"
			"bus-log cut dc.log - --from 10 --to 12.05 | cut -d' ' -f3 | grep ^610# >b; cmp a b;"),
		0);
	assert_int_equal(tool_run(&r, "wc -l <a"), 0);
	assert_string_equal(r.said, "21\n");
}

static void test_replay_ends_at_a_signal(void **state)
{
	struct proc_child c;

	(void)state;
	struct can_bus *bus = open_bus();

	tool_start(&r, &c, "bus-log replay dc.log -i %s --loop 0", url);
	await_frame(bus); /* it sends, so it listens to signals */
	kill(c.pid, SIGINT);
	assert_true(proc_wait(&c, TOOL_LIMIT_MS));
	assert_int_equal(proc_exit_code(&c), 0);
	proc_end(&c);
	can_bus_close(bus);
}

static void test_replay_of_a_pipe_plays_once_only(void **state)
{
	(void)state;
	assert_int_equal(tool_run(&r, "head -n 50 dc.log | bus-log replay - -i %s --speed max", url), 0);
	assert_int_equal(tool_run(&r, "cat dc.log | bus-log replay - -i %s --loop 2", url), 1);
	assert_non_null(strstr(r.said, "more than once"));
}

/* --- record ----------------------------------------------------------------------------------------------- */

static void test_record_rotates_by_size_and_loses_nothing(void **state)
{
	struct proc_child c;

	(void)state;
	tool_start(&r, &c, "bus-log record -i %s rot.log --rotate-size 20k --keep 0", url);
	wake_recorder("rot.log");
	for (unsigned i = 0; i < 5; i++) {
		struct log_reader log;
		int64_t limit_us = proc_now_us() + TOOL_LIMIT_MS * INT64_C(1000);
		char name[32];

		assert_int_equal(
			tool_run(&r, "head -n 1000 dc.log | bus-log replay - -i %s --speed max -q", url), 0);
		/* Each piece is a file of its own. */
		snprintf(name, sizeof(name), "rot.log.%u", i + 1);
		while (count_frames(name, &log) == 0) {
			nap();
			assert_true(proc_now_us() < limit_us);
		}
	}
	stop_recorder(&c, 0);
	assert_int_equal(
		tool_run(&r,
			 "for i in 9 8 7 6 5 4 3 2 1; do cat rot.log.$i 2>/dev/null; done | cat - rot.log |"
			 "grep -v ' 7FF#$' | cut -d' ' -f3 >a; head -n 1000 dc.log | cut -d' ' -f3 >b;"
			 "cat b b b b b | cmp - a"),
		0);
}

static void test_record_reopens_its_file_at_sighup(void **state)
{
	struct proc_child c;
	struct log_reader log;
	uint64_t n;

	(void)state;
	tool_start(&r, &c, "bus-log record -i %s hup.log", url);
	n = wake_recorder("hup.log");
	assert_int_equal(tool_run(&r, "mv hup.log hup.old"), 0);
	kill(c.pid, SIGHUP);
	n += wake_recorder("hup.log");
	stop_recorder(&c, 0);
	assert_in_range(count_frames("hup.old", &log), 1, n);
	assert_in_range(count_frames("hup.log", &log), 1, n);
}

static void test_record_append_keeps_what_is_there(void **state)
{
	struct proc_child c;
	struct log_reader log;

	(void)state;
	tool_write(&r, "app.log", "(1.000000) a 123#\n");
	tool_start(&r, &c, "bus-log record -i %s app.log --append --only 7F0:7F0", url);
	wake_recorder("app.log"); /* returns at once: it has a frame */
	while (count_frames("app.log", &log) < 2)
		wake_recorder("app.log");
	assert_int_equal(tool_run(&r, "head -n 50 dc.log | bus-log replay - -i %s --speed max -q", url), 0);
	stop_recorder(&c, 0);
	assert_int_equal(tool_run(&r, "head -n 1 app.log; grep -cv ' 7FF#$' app.log"), 0);
	assert_string_equal(r.said, "(1.000000) a 123#\n1\n");
}

static void test_record_full_disk_is_a_clear_error(void **state)
{
	struct can_frame f = {.can_id = 1};
	struct can_bus *bus = open_bus();
	struct proc_child c;
	unsigned i;

	(void)state;
	tool_start(&r, &c, "bus-log record -i %s /dev/full", url);
	for (i = 0; i < TOOL_LIMIT_MS && !proc_wait(&c, 1); i++)
		can_bus_send(bus, &f);
	can_bus_close(bus);
	proc_output(&c, r.said, sizeof(r.said));
	assert_int_equal(proc_exit_code(&c), 1);
	assert_non_null(strstr(r.said, "cannot write to /dev/full: No space left on device"));
	proc_end(&c);
}

/* Stopped while more comes than its buffer holds: what it has and what it says it lost is all that was sent. */
static void test_record_lost_frames_are_written_down(void **state)
{
	static struct can_frame f[64];
	struct can_bus *bus;
	struct proc_child c;
	struct log_reader log;
	uint64_t n;

	(void)state;
	tool_start(&r, &c, "bus-log record -i %s lost.log", url);
	n = wake_recorder("lost.log");
	bus = open_bus();
	kill(c.pid, SIGSTOP);
	for (unsigned i = 0; i < 64; i++)
		f[i].can_id = 0x100 + i;
	for (unsigned k = 0; k < 1000; k++) {
		assert_int_equal(can_bus_send_many(bus, f, 64), 0);
		while (bus->stats.n_tx < (k + 1) * 64)
			can_bus_service(bus, proc_now_us());
	}
	can_bus_close(bus);
	kill(c.pid, SIGCONT);
	n += 64000;
	stop_recorder(&c, 0);
	assert_in_range(count_frames("lost.log", &log), 100, n - 100);
	/* The first ones may have come before it listened. */
	assert_in_range(log.stats.n_frames + log.stats.n_lost, 64001, n);
	assert_null(strstr(r.said, " 0 lost"));
}

static void test_record_to_a_closed_pipe_ends_quietly(void **state)
{
	struct can_frame f = {.can_id = 1};
	struct can_bus *bus = open_bus();
	struct proc_child c;
	unsigned i;

	(void)state;
	tool_start(&r, &c, "sh -c '{ bus-log record -q -i %s; echo $? >status; } | head -n 3'", url);
	for (i = 0; i < TOOL_LIMIT_MS && !proc_wait(&c, 1); i++)
		can_bus_send(bus, &f);
	can_bus_close(bus);
	proc_output(&c, r.said, sizeof(r.said));
	assert_null(strstr(r.said, "bus-log"));
	proc_end(&c);
	assert_int_equal(tool_run(&r, "cat status"), 0);
	assert_string_equal(r.said, "0\n");
}

/* Another log behind the log: it has its own spacing, and does not come at once because it is older. */
static void test_replay_of_two_logs_keeps_the_spacing_of_both(void **state)
{
	const char *in;

	(void)state;
	tool_write(&r, "two.log",
		   "(100.000000) a 001#\n(100.100000) a 001#\n(50.000000) a 001#\n(50.300000) a 001#\n");
	assert_int_equal(tool_run(&r, "bus-log replay two.log -i %s", url), 0);
	in = strstr(r.said, " frames in ");
	assert_non_null(in);
	assert_true(strtod(in + strlen(" frames in "), NULL) >= 0.4);
}

/* Behind what others wrote: a file that may not grow keeps that, and ends with a whole line. */
static void test_record_behind_others_cuts_only_its_own_line(void **state)
{
	struct can_frame f = {.can_id = 1, .can_dlc = 8};
	struct can_bus *bus = open_bus();
	struct proc_child c;
	unsigned i;

	(void)state;
	tool_run(&r, "i=0; while [ $i -lt 500 ]; do echo '(1.000000) a 123#'; i=$((i+1)); done >others.log");
	tool_start(&r, &c, "sh -c 'ulimit -f 40; exec bus-log record -i %s >>others.log'", url);
	for (i = 0; i < TOOL_LIMIT_MS && !proc_wait(&c, 1); i++)
		can_bus_send(bus, &f);
	can_bus_close(bus);
	proc_output(&c, r.said, sizeof(r.said));
	assert_int_equal(proc_exit_code(&c), 1);
	assert_non_null(strstr(r.said, "File too large"));
	proc_end(&c);
	assert_int_equal(
		tool_run(
			&r,
			"grep -c ' a 123#$' others.log; tail -n 1 others.log | grep -c ' 001#0000000000000000$';"
			"test $(wc -c <others.log) -gt 19000"),
		0);
	assert_string_equal(r.said, "500\n1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_replay_recorded_again_is_the_same_log, forget_recording),
		cmocka_unit_test_setup(test_replay_at_full_speed_keeps_the_order, forget_recording),
		cmocka_unit_test_setup(test_replay_of_one_half_sends_no_other, forget_recording),
		cmocka_unit_test_setup(test_replay_selects_by_time_and_identifier, forget_recording),
		cmocka_unit_test(test_replay_ends_at_a_signal),
		cmocka_unit_test(test_replay_of_a_pipe_plays_once_only),
		cmocka_unit_test(test_record_rotates_by_size_and_loses_nothing),
		cmocka_unit_test(test_record_reopens_its_file_at_sighup),
		cmocka_unit_test(test_record_append_keeps_what_is_there),
		cmocka_unit_test(test_record_full_disk_is_a_clear_error),
		cmocka_unit_test(test_record_lost_frames_are_written_down),
		cmocka_unit_test(test_record_to_a_closed_pipe_ends_quietly),
		cmocka_unit_test(test_replay_of_two_logs_keeps_the_spacing_of_both),
		cmocka_unit_test(test_record_behind_others_cuts_only_its_own_line),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
