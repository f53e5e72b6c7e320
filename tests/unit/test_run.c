/* SPDX-License-Identifier: MIT */
/*
 * The runner with a small machine on a bus of memory, and a clock that the test turns by hand; and the loop,
 * the control socket and the notifications on real descriptors without waiting.
 */
#include "lib/linux/run.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <forecourt/units.h>

#include "lib/core/deadline.h"
#include "lib/core/frame_text.h"

#define PERIOD_US 100000
#define BUS_LEN	  2048

struct fake_bus {
	struct can_bus bus;
	struct can_frame in[BUS_LEN], out[BUS_LEN];
	size_t n_in, i_in, n_out;
	unsigned n_sends, n_services;
	size_t n_filters;
	int64_t service_us;
};

static int fake_send_many(struct can_bus *b, const struct can_frame *f, size_t n)
{
	struct fake_bus *bus = (struct fake_bus *)b;

	bus->n_sends++;
	assert_true(bus->n_out + n <= BUS_LEN);
	memcpy(bus->out + bus->n_out, f, n * sizeof(*f));
	bus->n_out += n;
	return 0;
}

static int fake_send(struct can_bus *b, const struct can_frame *f)
{
	return fake_send_many(b, f, 1);
}

static int fake_recv(struct can_bus *b, struct can_frame *f, struct can_rx_info *info)
{
	struct fake_bus *bus = (struct fake_bus *)b;

	if (bus->i_in == bus->n_in)
		return 0;
	memset(info, 0, sizeof(*info));
	info->time_us = 5;
	*f = bus->in[bus->i_in++];
	return 1;
}

static int fake_set_filters(struct can_bus *b, const struct can_filter *f, size_t n)
{
	(void)f;
	((struct fake_bus *)b)->n_filters = n;
	return 0;
}

static int fake_fd(const struct can_bus *b)
{
	(void)b;
	return -1;
}

static int64_t fake_service(struct can_bus *b, int64_t now_us)
{
	(void)now_us;
	((struct fake_bus *)b)->n_services++;
	return ((struct fake_bus *)b)->service_us;
}

static void fake_close(struct can_bus *b)
{
	(void)b;
}

static const struct can_bus_ops fake_ops = {fake_send, fake_send_many, fake_recv, fake_set_filters,
					    fake_fd,   fake_service,   fake_close};

/* Sends its count each period, answers each frame with the same one, needs some ticks to stop. */
struct tiny {
	struct grid grid;
	unsigned n_ticks, n_rx, n_left_to_stop;
	unsigned answers; /* frames for each frame received */
	bool is_stopping, is_stuck;
	int64_t rx_us;
};

static void tiny_rx(void *self, int64_t now_us, const struct can_frame *frame, struct out_queue *out)
{
	struct tiny *t = self;
	unsigned i;

	t->n_rx++;
	t->rx_us = now_us;
	for (i = 0; i < t->answers; i++)
		out_queue_frame(out, 0, frame);
}

static void tiny_tick(void *self, int64_t now_us, struct out_queue *out)
{
	struct tiny *t = self;
	struct can_frame f = {.can_id = 0x100, .can_dlc = 1};

	if (t->is_stuck || !grid_due(&t->grid, now_us))
		return;
	t->n_ticks++;
	f.data[0] = (uint8_t)t->n_ticks;
	out_queue_frame(out, 0, &f);
	if (t->is_stopping && t->n_left_to_stop > 0)
		t->n_left_to_stop--;
}

static int64_t tiny_next(const void *self)
{
	return ((const struct tiny *)self)->grid.next_us;
}

static size_t tiny_filters(const void *self, struct can_filter *f, size_t n)
{
	(void)self;
	assert_true(n >= 2);
	f[0] = can_filter_exact(0x200);
	f[1] = can_filter_exact(0x201);
	return 2;
}

static void tiny_stop(void *self, int64_t now_us, struct out_queue *out)
{
	(void)now_us;
	(void)out;
	((struct tiny *)self)->is_stopping = true;
}

static bool tiny_is_stopped(const void *self)
{
	const struct tiny *t = self;

	return t->is_stopping && t->n_left_to_stop == 0;
}

static int tiny_command(void *self, int64_t now_us, const char *line, char *answer, size_t size,
			struct out_queue *out)
{
	struct can_frame f = {.can_id = 0x300};

	(void)self;
	(void)now_us;
	if (strcmp(line, "send") == 0) {
		out_queue_frame(out, 0, &f);
		snprintf(answer, size, "sent=1\n");
		return 0;
	}
	if (strcmp(line, "big") == 0) {
		memset(answer, 'x', size - 1);
		answer[size - 1] = '\0';
		return 0;
	}
	snprintf(answer, size, "unknown word");
	return -ENOENT;
}

static const struct machine_ops tiny_ops = {tiny_rx,   tiny_tick,	tiny_next,   tiny_filters,
					    tiny_stop, tiny_is_stopped, tiny_command};

struct fixture {
	struct tiny tiny;
	struct machine machine;
	struct fake_bus bus, second;
	struct run run;
	struct trace trace;
	struct ctl_server ctl;
	struct log_sink sink;
	char path[64];
	char err[256];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	grid_start(&f->tiny.grid, 0, PERIOD_US);
	f->tiny.answers = 1;
	f->machine = (struct machine){.ops = &tiny_ops, .self = &f->tiny, .name = "tiny"};
	f->bus.bus = (struct can_bus){.ops = &fake_ops, .stats = {.is_up = true}};
	f->bus.service_us = FC_NEVER;
	f->second = f->bus;
	run_init(&f->run, &f->machine, &f->sink);
	f->run.sink = &f->sink;
	assert_int_equal(run_add_bus(&f->run, &f->bus.bus, "fake", NULL, NULL), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static void put_in(struct fake_bus *bus, canid_t id)
{
	bus->in[bus->n_in++] = (struct can_frame){.can_id = id};
}

static void test_run_tick_comes_when_due_and_not_before(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run_step(&f->run, 0, true), PERIOD_US);
	assert_int_equal(f->tiny.n_ticks, 1);
	assert_int_equal(run_step(&f->run, PERIOD_US - 1, true), PERIOD_US);
	assert_int_equal(f->tiny.n_ticks, 1);
	assert_int_equal(run_step(&f->run, PERIOD_US, true), 2 * PERIOD_US);
	assert_int_equal(f->tiny.n_ticks, 2);
	assert_int_equal(f->bus.n_out, 2);
}

static void test_run_frames_of_a_wakeup_share_its_time_and_leave_in_one_send(void **state)
{
	struct fixture *f = *state;

	put_in(&f->bus, 0x200);
	put_in(&f->bus, 0x201);
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
	struct fixture *f = *state;

	run_step(&f->run, 0, false);
	put_in(&f->bus, 0x200);
	run_step(&f->run, 1, false);
	assert_int_equal(f->tiny.n_rx, 0);
	f->run.bus[0].is_readable = true;
	run_step(&f->run, 2, false);
	assert_int_equal(f->tiny.n_rx, 1);
}

static void test_run_burst_of_answers_loses_nothing(void **state)
{
	struct fixture *f = *state;
	int i;

	f->tiny.answers = 3;
	for (i = 0; i < 300; i++)
		put_in(&f->bus, 0x200);
	run_step(&f->run, 0, true);
	assert_int_equal(f->bus.n_out, 3 * 300 + 1);
	assert_int_equal(f->run.out.n_dropped, 0);
}

static void test_run_flood_leaves_time_for_the_tick(void **state)
{
	struct fixture *f = *state;
	int i;

	f->tiny.answers = 0;
	for (i = 0; i < BUS_LEN; i++)
		put_in(&f->bus, 0x200);
	assert_int_equal(run_step(&f->run, 0, true), 0);
	assert_true(f->tiny.n_rx < BUS_LEN);
	assert_int_equal(f->tiny.n_ticks, 1);
	run_step(&f->run, 1, false);
	run_step(&f->run, 2, false);
	assert_int_equal(f->tiny.n_rx, BUS_LEN);
}

static void test_run_next_is_the_earliest_of_machine_and_bus(void **state)
{
	struct fixture *f = *state;

	f->bus.service_us = 40000;
	assert_int_equal(run_step(&f->run, 0, true), 40000);
	assert_int_equal(f->bus.n_services, 1);
	f->bus.service_us = FC_NEVER;
	grid_stop(&f->tiny.grid);
	assert_true(run_step(&f->run, 1, true) == FC_NEVER);
}

static void test_run_machine_that_stays_due_does_not_spin(void **state)
{
	struct fixture *f = *state;

	f->tiny.is_stuck = true;
	assert_int_equal(run_step(&f->run, 50, true), 50 + FC_US_PER_MS);
	assert_int_equal(f->run.n_late, 1);
}

static void test_run_stop_goes_on_until_the_machine_has_stopped(void **state)
{
	struct fixture *f = *state;

	f->tiny.n_left_to_stop = 2;
	run_step(&f->run, 0, true);
	run_stop(&f->run, 10);
	run_step(&f->run, 10, true);
	assert_false(run_is_over(&f->run));
	run_step(&f->run, PERIOD_US, true);
	assert_false(run_is_over(&f->run));
	run_step(&f->run, 2 * PERIOD_US, true);
	assert_true(run_is_over(&f->run));
	assert_int_equal(f->run.state, RUN_STOPPED);
}

static void test_run_stop_that_takes_too_long_fails(void **state)
{
	struct fixture *f = *state;
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
	struct fixture *f = *state;

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
	struct fixture *f = *state;
	uint32_t number = 0;

	assert_int_equal(run_add_bus(&f->run, &f->second.bus, "second", second_rx, &number), 1);
	put_in(&f->second, 0x400);
	run_step(&f->run, 0, true);
	assert_int_equal(number, 1);
	assert_int_equal(f->tiny.n_rx, 0);
	assert_int_equal(f->second.n_out, 1);
	assert_int_equal(f->second.out[0].can_id, 0x401);
	assert_int_equal(f->bus.n_out, 1);
}

static void test_run_items_that_nobody_performs_are_counted(void **state)
{
	struct fixture *f = *state;
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
	struct fixture *f = *state;
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
	struct fixture *f = *state;

	run_step(&f->run, 0, false);
	f->bus.bus.stats.is_up = false;
	put_in(&f->bus, CAN_ERR_FLAG | CAN_ERR_BUSOFF);
	run_step(&f->run, 1, false);
	assert_int_equal(f->tiny.n_rx, 1);
}

static void test_run_filters_come_from_the_machine(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run_set_filters(&f->run), 0);
	assert_int_equal(f->bus.n_filters, 2);
}

static void test_command_words_of_the_runner_and_of_the_machine(void **state)
{
	struct fixture *f = *state;
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
	struct fixture *f = *state;
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
	put_in(&f->bus, 0x200);
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
	struct fixture *f = *state;

	if (trace_open(&f->trace, "/dev/full", 0))
		skip();
	f->run.trace = &f->trace;
	run_step(&f->run, 0, true);
	run_step(&f->run, 2000000, true);
	assert_null(f->run.trace);
	assert_int_equal(f->trace.error, -ENOSPC);
}

static int client_of(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(a.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* The real loop: a client that is there before it starts is answered, then "quit" ends it. No time passes. */
static void test_loop_requests_are_answered_and_quit_ends_it(void **state)
{
	struct fixture *f = *state;
	char answer[256] = "";
	int fd;

	snprintf(f->path, sizeof(f->path), "/tmp/forecourt-run%d.sock", (int)getpid());
	assert_int_equal(ctl_server_open(&f->ctl, f->path, NULL, f->err, sizeof(f->err)), 0);
	f->run.ctl = &f->ctl;
	fd = client_of(f->path);
	assert_int_equal(write(fd, "send\ndance\r\nquit\n", 17), 17);
	assert_int_equal(run_loop(&f->run, f->err, sizeof(f->err)), 0);
	assert_true(read(fd, answer, sizeof(answer) - 1) > 0);
	assert_string_equal(answer, "sent=1\nok\nerror: unknown word\nok\n");
	assert_int_equal(f->bus.out[1].can_id, 0x300);
	assert_int_equal(access(f->path, F_OK), -1);
	close(fd);
}

static void test_loop_signal_stops_in_order_and_a_second_one_at_once(void **state)
{
	struct fixture *f = *state;
	struct loop *l = &f->run.loop;

	assert_int_equal(loop_open(l), 0);
	kill(getpid(), SIGTERM);
	kill(getpid(), SIGINT);
	assert_int_equal(loop_arm(l, 1), 0);
	assert_int_equal(loop_wait(l), 0);
	assert_int_equal(l->n_signals, 2);
	loop_close(l);
}

static void test_loop_timer_is_only_ever_moved_forward(void **state)
{
	struct fixture *f = *state;
	struct loop *l = &f->run.loop;
	int64_t now_us;

	assert_int_equal(loop_open(l), 0);
	now_us = loop_clock_us();
	assert_int_equal(loop_arm(l, now_us + 1000000), 0);
	assert_int_equal(loop_arm(l, now_us + 2000000), 0);
	assert_true(l->armed_us == now_us + 1000000);
	assert_int_equal(loop_arm(l, now_us - 5), 0);
	assert_int_equal(loop_wait(l), 0);
	assert_true(l->armed_us == FC_NEVER);
	assert_true(l->now_us >= now_us);
	loop_close(l);
}

static void remove_both(void *ctx, int64_t now_us, uint32_t events)
{
	struct fixture *f = ctx;
	int *fds = (int *)f->path;

	(void)now_us;
	(void)events;
	f->tiny.n_rx++;
	loop_remove(&f->run.loop, fds[0]);
	loop_remove(&f->run.loop, fds[1]);
}

static void test_loop_removed_descriptor_is_not_called_in_the_same_wakeup(void **state)
{
	struct fixture *f = *state;
	int *fds = (int *)f->path;
	int pair[2];

	assert_int_equal(pipe(pair), 0);
	assert_int_equal(write(pair[1], "x", 1), 1);
	fds[0] = pair[0];
	fds[1] = dup(pair[0]);
	assert_int_equal(loop_open(&f->run.loop), 0);
	assert_int_equal(loop_add(&f->run.loop, fds[0], 1, remove_both, f), 0);
	assert_int_equal(loop_add(&f->run.loop, fds[1], 1, remove_both, f), 0);
	assert_int_equal(loop_wait(&f->run.loop), 0);
	assert_int_equal(f->tiny.n_rx, 1);
	loop_close(&f->run.loop);
	close(fds[0]);
	close(fds[1]);
	close(pair[1]);
}

static void test_ctl_live_socket_of_another_is_an_error_and_a_stale_one_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct ctl_server *other = calloc(1, sizeof(*other));
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd;

	assert_non_null(other);
	snprintf(f->path, sizeof(f->path), "/tmp/forecourt-run%d.sock", (int)getpid());
	assert_int_equal(ctl_server_open(&f->ctl, f->path, NULL, f->err, sizeof(f->err)), 0);
	assert_int_equal(ctl_server_open(other, f->path, NULL, f->err, sizeof(f->err)), -EADDRINUSE);
	assert_non_null(strstr(f->err, "in use"));
	ctl_server_close(&f->ctl);

	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	strcpy(a.sun_path, f->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	close(fd); /* the file stays, nobody answers */
	assert_int_equal(ctl_server_open(&f->ctl, f->path, NULL, f->err, sizeof(f->err)), 0);
	ctl_server_close(&f->ctl);
	free(other);
}

static void test_ctl_file_that_is_no_socket_is_left_alone(void **state)
{
	struct fixture *f = *state;
	char path[] = "/tmp/forecourt-fileXXXXXX";

	close(mkstemp(path));
	assert_int_equal(ctl_server_open(&f->ctl, path, NULL, f->err, sizeof(f->err)), -EEXIST);
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
}

static void test_ctl_directory_that_others_can_enter_is_refused(void **state)
{
	struct fixture *f = *state;
	char dir[] = "/tmp/forecourt-dirXXXXXX", sub[64], sock[96];
	struct stat st;

	assert_non_null(mkdtemp(dir));
	setenv("XDG_RUNTIME_DIR", dir, 1);
	assert_int_equal(ctl_server_open(&f->ctl, NULL, "tiny", f->err, sizeof(f->err)), 0);
	snprintf(sub, sizeof(sub), "%s/forecourt", dir);
	snprintf(sock, sizeof(sock), "%s/tiny.sock", sub);
	assert_int_equal(stat(sub, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(access(sock, F_OK), 0);
	ctl_server_close(&f->ctl);
	chmod(sub, 0755);
	assert_int_equal(ctl_server_open(&f->ctl, NULL, "tiny", f->err, sizeof(f->err)), -EPERM);
	unsetenv("XDG_RUNTIME_DIR");
	rmdir(sub);
	rmdir(dir);
}

static int on_request(void *ctx, int64_t now_us, const char *line, char *answer, size_t size)
{
	return run_command(ctx, now_us, line, answer, size);
}

/* One client on a loop; handles what is there. */
static int serve(struct fixture *f, struct loop *l)
{
	int i;

	snprintf(f->path, sizeof(f->path), "/tmp/forecourt-run%d.sock", (int)getpid());
	assert_int_equal(loop_open(l), 0);
	assert_int_equal(ctl_server_open(&f->ctl, f->path, NULL, f->err, sizeof(f->err)), 0);
	assert_int_equal(ctl_server_start(&f->ctl, l, on_request, &f->run), 0);
	i = client_of(f->path);
	assert_int_equal(loop_wait(l), 0);
	return i;
}

static void test_ctl_request_that_is_too_long_is_refused(void **state)
{
	struct fixture *f = *state;
	char line[CTL_LINE_MAX + 1], answer[128] = "";
	struct loop *l = &f->run.loop;
	int fd = serve(f, l);

	memset(line, 'a', sizeof(line));
	assert_int_equal(send(fd, line, CTL_LINE_MAX, 0), CTL_LINE_MAX);
	assert_int_equal(loop_wait(l), 0);
	assert_true(recv(fd, answer, sizeof(answer) - 1, 0) > 0);
	assert_string_equal(answer, "error: request is too long\n");
	assert_int_equal(recv(fd, answer, sizeof(answer), 0), 0);
	ctl_server_close(&f->ctl);
	loop_close(l);
	close(fd);
}

static void test_ctl_zero_byte_is_refused(void **state)
{
	struct fixture *f = *state;
	char answer[128] = "";
	struct loop *l = &f->run.loop;
	int fd = serve(f, l);

	assert_int_equal(send(fd, "se\0nd\n", 6, 0), 6);
	assert_int_equal(loop_wait(l), 0);
	assert_true(recv(fd, answer, sizeof(answer) - 1, 0) > 0);
	assert_string_equal(answer, "error: zero byte in the request\n");
	ctl_server_close(&f->ctl);
	loop_close(l);
	close(fd);
}

static void test_ctl_client_that_takes_no_answers_is_dropped(void **state)
{
	struct fixture *f = *state;
	struct loop *l = &f->run.loop;
	int fd = serve(f, l), i;

	for (i = 0; i < 1000 && f->ctl.n_dropped == 0; i++) {
		if (send(fd, "big\n", 4, MSG_NOSIGNAL) < 0)
			break;
		assert_int_equal(loop_wait(l), 0);
	}
	assert_int_equal(f->ctl.n_dropped, 1);
	assert_int_equal(f->ctl.client[0].fd, -1);
	ctl_server_close(&f->ctl);
	loop_close(l);
	close(fd);
}

static void test_ctl_ninth_client_is_turned_away(void **state)
{
	struct fixture *f = *state;
	char answer[64] = "";
	struct loop *l = &f->run.loop;
	int fd[CTL_MAX_CLIENTS + 1], i;

	fd[0] = serve(f, l);
	for (i = 1; i <= CTL_MAX_CLIENTS; i++) {
		fd[i] = client_of(f->path);
		assert_int_equal(loop_wait(l), 0);
	}
	assert_true(recv(fd[CTL_MAX_CLIENTS], answer, sizeof(answer) - 1, 0) > 0);
	assert_string_equal(answer, "error: too many clients\n");
	ctl_server_close(&f->ctl);
	loop_close(l);
	for (i = 0; i <= CTL_MAX_CLIENTS; i++)
		close(fd[i]);
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
	struct fixture *f = *state;
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
	struct fixture *f = *state;
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
	struct fixture *f = *state;
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

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

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
		T(test_loop_requests_are_answered_and_quit_ends_it),
		T(test_loop_signal_stops_in_order_and_a_second_one_at_once),
		T(test_loop_timer_is_only_ever_moved_forward),
		T(test_loop_removed_descriptor_is_not_called_in_the_same_wakeup),
		T(test_ctl_live_socket_of_another_is_an_error_and_a_stale_one_is_replaced),
		T(test_ctl_file_that_is_no_socket_is_left_alone),
		T(test_ctl_directory_that_others_can_enter_is_refused),
		T(test_ctl_request_that_is_too_long_is_refused),
		T(test_ctl_zero_byte_is_refused),
		T(test_ctl_client_that_takes_no_answers_is_dropped),
		T(test_ctl_ninth_client_is_turned_away),
		T(test_notify_ready_alive_and_stopping_are_told_in_time),
		T(test_notify_machine_that_hangs_gives_no_sign_of_life),
		T(test_notify_idle_machine_is_woken_for_its_sign_of_life),
	};

	return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
