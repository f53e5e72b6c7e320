/* SPDX-License-Identifier: MIT */
/* The runner: order and time of a wake-up, stop, requests, trace and notifications. The clock is the test's. */
#include "tests/lib/run_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <forecourt/units.h>

#include "lib/core/frame_text.h"

static void test_run_tick_comes_when_due_and_not_before(void **state)
{
	struct run_rig *f = *state;

	assert_int_equal(run_step(&f->run, 0, true), RUN_RIG_PERIOD_US);
	assert_int_equal(f->tiny.n_ticks, 1);
	assert_int_equal(run_step(&f->run, RUN_RIG_PERIOD_US - 1, true), RUN_RIG_PERIOD_US);
	assert_int_equal(f->tiny.n_ticks, 1);
	assert_int_equal(run_step(&f->run, RUN_RIG_PERIOD_US, true), 2 * RUN_RIG_PERIOD_US);
	assert_int_equal(f->tiny.n_ticks, 2);
	assert_int_equal(f->bus.n_out, 2);
}

static void test_run_frames_of_a_wakeup_share_its_time_and_leave_in_one_send(void **state)
{
	struct run_rig *f = *state;

	run_rig_put_in(&f->bus, 0x200);
	run_rig_put_in(&f->bus, 0x201);
	run_step(&f->run, 70, true);
	assert_int_equal(f->tiny.n_rx, 2);
	assert_int_equal(f->tiny.rx_us, 70);
	assert_int_equal(f->bus.n_sends, 1);
	assert_int_equal(f->bus.n_out, 3);
	assert_int_equal(f->bus.out[0].can_id, 0x200);
	assert_int_equal(f->bus.out[1].can_id, 0x201);
	assert_int_equal(f->bus.out[2].can_id, 0x100);
}

static void test_run_bus_without_input_is_not_read(void **state)
{
	struct run_rig *f = *state;

	run_step(&f->run, 0, false);
	run_rig_put_in(&f->bus, 0x200);
	run_step(&f->run, 1, false);
	assert_int_equal(f->tiny.n_rx, 0);
	f->run.bus[0].is_readable = true;
	run_step(&f->run, 2, false);
	assert_int_equal(f->tiny.n_rx, 1);
}

static void test_run_burst_of_answers_loses_nothing(void **state)
{
	struct run_rig *f = *state;
	int i;

	f->tiny.answers = 3;
	for (i = 0; i < 300; i++)
		run_rig_put_in(&f->bus, 0x200);
	run_step(&f->run, 0, true);
	assert_int_equal(f->bus.n_out, 3 * 300 + 1);
	assert_int_equal(f->run.out.n_dropped, 0);
}

static void test_run_flood_leaves_time_for_the_tick(void **state)
{
	struct run_rig *f = *state;
	int i;

	f->tiny.answers = 0;
	for (i = 0; i < RUN_RIG_BUS_LEN; i++)
		run_rig_put_in(&f->bus, 0x200);
	assert_int_equal(run_step(&f->run, 0, true), 0);
	assert_true(f->tiny.n_rx < RUN_RIG_BUS_LEN);
	assert_int_equal(f->tiny.n_ticks, 1);
	run_step(&f->run, 1, false);
	run_step(&f->run, 2, false);
	assert_int_equal(f->tiny.n_rx, RUN_RIG_BUS_LEN);
}

static void test_run_next_is_the_earliest_of_machine_and_bus(void **state)
{
	struct run_rig *f = *state;

	f->bus.service_us = 40000;
	assert_int_equal(run_step(&f->run, 0, true), 40000);
	assert_int_equal(f->bus.n_services, 1);
	f->bus.service_us = FC_NEVER;
	grid_stop(&f->tiny.grid);
	assert_true(run_step(&f->run, 1, true) == FC_NEVER);
}

static void test_run_machine_that_stays_due_does_not_spin(void **state)
{
	struct run_rig *f = *state;

	f->tiny.is_stuck = true;
	assert_int_equal(run_step(&f->run, 50, true), 50 + FC_US_PER_MS);
	assert_int_equal(f->run.n_late, 1);
}

static void test_run_stop_goes_on_until_the_machine_has_stopped(void **state)
{
	struct run_rig *f = *state;

	f->tiny.n_left_to_stop = 2;
	run_step(&f->run, 0, true);
	run_stop(&f->run, 10);
	run_step(&f->run, 10, true);
	assert_false(run_is_over(&f->run));
	run_step(&f->run, RUN_RIG_PERIOD_US, true);
	assert_false(run_is_over(&f->run));
	run_step(&f->run, 2 * RUN_RIG_PERIOD_US, true);
	assert_true(run_is_over(&f->run));
	assert_int_equal(f->run.state, RUN_STOPPED);
}

static void test_run_stop_that_takes_too_long_fails(void **state)
{
	struct run_rig *f = *state;
	int64_t next_us;

	run_step(&f->run, 0, true);
	f->tiny.n_left_to_stop = 1;
	grid_stop(&f->tiny.grid);
	run_stop(&f->run, 10);
	next_us = run_step(&f->run, 10, true);
	assert_int_equal(next_us, 10 + RUN_STOP_LIMIT_US);
	run_step(&f->run, next_us - 1, true);
	assert_int_equal(f->run.state, RUN_STOPPING);
	run_step(&f->run, next_us, true);
	assert_int_equal(f->run.state, RUN_FAILED);
}

static void test_run_second_stop_gives_up_at_once(void **state)
{
	struct run_rig *f = *state;

	f->tiny.n_left_to_stop = 1;
	run_step(&f->run, 0, true);
	run_stop(&f->run, 10);
	run_stop(&f->run, 11);
	assert_int_equal(f->run.state, RUN_FAILED);
}

static void second_rx(void *ctx, int64_t now_us, uint32_t bus, const struct can_frame *frame,
		      struct out_queue *out)
{
	struct can_frame answer = *frame;

	(void)now_us;
	*(uint32_t *)ctx = bus;
	answer.can_id++;
	out_queue_frame(out, (uint8_t)bus, &answer);
}

static void test_run_frames_of_a_second_bus_go_to_its_driver_and_back_there(void **state)
{
	struct run_rig *f = *state;
	uint32_t number = 0;

	assert_int_equal(run_add_bus(&f->run, &f->second.bus, "second", second_rx, &number), 1);
	run_rig_put_in(&f->second, 0x400);
	run_step(&f->run, 0, true);
	assert_int_equal(number, 1);
	assert_int_equal(f->tiny.n_rx, 0);
	assert_int_equal(f->second.n_out, 1);
	assert_int_equal(f->second.out[0].can_id, 0x401);
	assert_int_equal(f->bus.n_out, 1);
}

static void test_run_items_that_nobody_performs_are_counted(void **state)
{
	struct run_rig *f = *state;
	struct pm_setpoint sp = {.size = sizeof(sp)};
	struct can_frame frame = {.can_id = 1};

	out_queue_setpoint(&f->run.out, &sp);
	out_queue_frame(&f->run.out, 3, &frame);
	run_step(&f->run, 0, true);
	assert_int_equal(f->run.n_lost_items, 2);
}

static void set_off(void *ctx, int64_t now_us, const struct out_item *item, struct out_queue *out)
{
	struct can_frame frame = {.can_id = 0x500};

	(void)now_us;
	assert_int_equal(item->kind, OUT_SETPOINT);
	++*(int *)ctx;
	out_queue_frame(out, 0, &frame);
}

static void test_run_performer_may_queue_frames_of_its_own(void **state)
{
	struct run_rig *f = *state;
	struct pm_setpoint sp = {.size = sizeof(sp)};
	int n = 0;

	f->run.perform = set_off;
	f->run.perform_ctx = &n;
	out_queue_setpoint(&f->run.out, &sp);
	run_step(&f->run, 0, true);
	assert_int_equal(n, 1);
	assert_int_equal(f->bus.n_out, 2);
	assert_int_equal(f->bus.out[1].can_id, 0x500);
}

static void test_run_bus_edge_is_received_in_the_same_wakeup(void **state)
{
	struct run_rig *f = *state;

	run_step(&f->run, 0, false);
	f->bus.bus.stats.is_up = false;
	run_rig_put_in(&f->bus, CAN_ERR_FLAG | CAN_ERR_BUSOFF);
	run_step(&f->run, 1, false);
	assert_int_equal(f->tiny.n_rx, 1);
}

static void test_run_filters_come_from_the_machine(void **state)
{
	struct run_rig *f = *state;

	assert_int_equal(run_set_filters(&f->run), 0);
	assert_int_equal(f->bus.n_filters, 2);
}

static void test_command_words_of_the_runner_and_of_the_machine(void **state)
{
	struct run_rig *f = *state;
	char answer[1024];

	run_step(&f->run, 0, true);
	assert_int_equal(run_command(&f->run, 3000000, "stats", answer, sizeof(answer)), 0);
	assert_non_null(strstr(answer, "up_s=3\n"));
	assert_non_null(strstr(answer, "bus0.name=fake\n"));
	assert_int_equal(run_command(&f->run, 0, "log debug", answer, sizeof(answer)), 0);
	assert_int_equal(f->sink.level, LOG_DBG);
	assert_int_equal(run_command(&f->run, 0, "log loud", answer, sizeof(answer)), -EINVAL);
	assert_int_equal(run_command(&f->run, 0, "send", answer, sizeof(answer)), 0);
	assert_string_equal(answer, "sent=1\n");
	assert_int_equal(run_command(&f->run, 0, "dance", answer, sizeof(answer)), -ENOENT);
	assert_int_equal(run_command(&f->run, 0, "quit", answer, sizeof(answer)), 0);
	assert_int_equal(f->run.state, RUN_STOPPING);
}

static void test_trace_holds_both_directions_and_reads_back(void **state)
{
	struct run_rig *f = *state;
	char path[] = "/tmp/forecourt-traceXXXXXX";
	char line[128], channel[FRAME_CHANNEL_MAX], first[16] = "";
	struct can_frame frame;
	int64_t t_us, n = 0;
	int fd = mkstemp(path);
	FILE *file;

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(trace_open(&f->trace, path, 0), 0);
	f->run.trace = &f->trace;
	run_rig_put_in(&f->bus, 0x200);
	run_step(&f->run, 0, true);
	trace_close(&f->trace);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		assert_int_equal(frame_log_read(line, strlen(line), &t_us, channel, &frame), 0);
		assert_string_equal(channel, "fake");
		first[n++] = line[strlen(line) - 2];
	}
	fclose(file);
	unlink(path);
	assert_string_equal(first, "RTT");
}

static void test_trace_that_cannot_be_written_is_given_up(void **state)
{
	struct run_rig *f = *state;

	if (trace_open(&f->trace, "/dev/full", 0))
		skip();
	f->run.trace = &f->trace;
	run_step(&f->run, 0, true);
	run_step(&f->run, 2000000, true);
	assert_null(f->run.trace);
	assert_int_equal(f->trace.error, -ENOSPC);
}

static int notify_socket(char path[64])
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	snprintf(path, 64, "/tmp/forecourt-notify%d.sock", (int)getpid());
	unlink(path);
	strcpy(a.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	setenv("NOTIFY_SOCKET", path, 1);
	setenv("WATCHDOG_USEC", "1000000", 1);
	unsetenv("WATCHDOG_PID");
	return fd;
}

static void assert_told(int fd, const char *expected)
{
	char text[64] = "";

	if (recv(fd, text, sizeof(text) - 1, 0) < 0)
		text[0] = '\0';
	assert_string_equal(text, expected);
}

static void test_notify_ready_alive_and_stopping_are_told_in_time(void **state)
{
	struct run_rig *f = *state;
	struct notify n;
	int fd = notify_socket(f->path);

	assert_int_equal(notify_open(&n, 0), 0);
	f->run.notify = &n;
	run_step(&f->run, 0, true);
	assert_told(fd, "READY=1");
	run_step(&f->run, 499999, true);
	assert_told(fd, "");
	run_step(&f->run, 500000, true);
	assert_told(fd, "WATCHDOG=1");
	run_step(&f->run, 600000, true);
	assert_told(fd, "");
	run_stop(&f->run, 600000);
	assert_told(fd, "STOPPING=1");
	notify_close(&n);
	close(fd);
	unlink(f->path);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
}

static void test_notify_machine_that_hangs_gives_no_sign_of_life(void **state)
{
	struct run_rig *f = *state;
	struct notify n;
	int fd = notify_socket(f->path);

	assert_int_equal(notify_open(&n, 0), 0);
	f->run.notify = &n;
	run_step(&f->run, 0, true);
	assert_told(fd, "READY=1");
	f->tiny.is_stuck = true;
	run_step(&f->run, 700000, true);
	assert_told(fd, "");
	f->tiny.is_stuck = false;
	run_step(&f->run, 800000, true);
	assert_told(fd, "WATCHDOG=1");
	notify_close(&n);
	close(fd);
	unlink(f->path);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
}

static void test_notify_idle_machine_is_woken_for_its_sign_of_life(void **state)
{
	struct run_rig *f = *state;
	struct notify n;
	int fd = notify_socket(f->path);

	assert_int_equal(notify_open(&n, 0), 0);
	f->run.notify = &n;
	grid_stop(&f->tiny.grid);
	assert_int_equal(run_step(&f->run, 0, true), 500000);
	notify_close(&n);
	close(fd);
	unlink(f->path);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
}

#define T(name) cmocka_unit_test_setup_teardown(name, run_rig_set_up, run_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_run_tick_comes_when_due_and_not_before),
		T(test_run_frames_of_a_wakeup_share_its_time_and_leave_in_one_send),
		T(test_run_bus_without_input_is_not_read),
		T(test_run_burst_of_answers_loses_nothing),
		T(test_run_flood_leaves_time_for_the_tick),
		T(test_run_next_is_the_earliest_of_machine_and_bus),
		T(test_run_machine_that_stays_due_does_not_spin),
		T(test_run_stop_goes_on_until_the_machine_has_stopped),
		T(test_run_stop_that_takes_too_long_fails),
		T(test_run_second_stop_gives_up_at_once),
		T(test_run_frames_of_a_second_bus_go_to_its_driver_and_back_there),
		T(test_run_items_that_nobody_performs_are_counted),
		T(test_run_performer_may_queue_frames_of_its_own),
		T(test_run_bus_edge_is_received_in_the_same_wakeup),
		T(test_run_filters_come_from_the_machine),
		T(test_command_words_of_the_runner_and_of_the_machine),
		T(test_trace_holds_both_directions_and_reads_back),
		T(test_trace_that_cannot_be_written_is_given_up),
		T(test_notify_ready_alive_and_stopping_are_told_in_time),
		T(test_notify_machine_that_hangs_gives_no_sign_of_life),
		T(test_notify_idle_machine_is_woken_for_its_sign_of_life),
	};

	return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
