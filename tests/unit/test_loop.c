/* SPDX-License-Identifier: MIT */
/* The loop, the control socket and the log on real descriptors. Everything is there before it is waited for. */
#include "tests/lib/run_rig.h"

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

#include "lib/linux/log_stderr.h"

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
	struct run_rig *f = *state;
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
	struct run_rig *f = *state;
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
	struct run_rig *f = *state;
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
	struct run_rig *f = ctx;
	int *fds = (int *)f->path;

	(void)now_us;
	(void)events;
	f->tiny.n_rx++;
	loop_remove(&f->run.loop, fds[0]);
	loop_remove(&f->run.loop, fds[1]);
}

static void test_loop_removed_descriptor_is_not_called_in_the_same_wakeup(void **state)
{
	struct run_rig *f = *state;
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
	struct run_rig *f = *state;
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
	struct run_rig *f = *state;
	char path[] = "/tmp/forecourt-fileXXXXXX";

	close(mkstemp(path));
	assert_int_equal(ctl_server_open(&f->ctl, path, NULL, f->err, sizeof(f->err)), -EEXIST);
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
}

static void test_ctl_directory_that_others_can_enter_is_refused(void **state)
{
	struct run_rig *f = *state;
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
static int serve(struct run_rig *f, struct loop *l)
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
	struct run_rig *f = *state;
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
	struct run_rig *f = *state;
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
	struct run_rig *f = *state;
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
	struct run_rig *f = *state;
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

/* A pipe as stderr; returns its reading end. */
static int open_log(struct log_stderr *l, int pair[2])
{
	assert_int_equal(pipe2(pair, O_NONBLOCK), 0);
	log_stderr_init(l, pair[1], LOG_INF);
	return pair[0];
}

static void put_line(struct log_stderr *l, enum log_level level, const char *text)
{
	l->sink.line(l->sink.ctx, level, text);
}

static void test_log_lines_carry_the_time_since_start(void **state)
{
	struct log_stderr l;
	char text[64] = "";
	int pair[2], fd = open_log(&l, pair);

	(void)state;
	put_line(&l, LOG_INF, "hello");
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_non_null(strstr(text, "0."));
	assert_string_equal(text + strlen(text) - 7, " hello\n");
	close(pair[0]);
	close(pair[1]);
}

static void test_log_journal_gets_the_priority(void **state)
{
	struct log_stderr l;
	struct stat st;
	char text[64] = "", stream[64];
	int pair[2], fd;

	(void)state;
	assert_int_equal(pipe2(pair, O_NONBLOCK), 0);
	assert_int_equal(fstat(pair[1], &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_stderr_init(&l, pair[1], LOG_INF);
	fd = pair[0];
	put_line(&l, LOG_WARN, "careful");
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "<4>careful\n");
	setenv("JOURNAL_STREAM", "1:2", 1); /* of another stream */
	log_stderr_init(&l, pair[1], LOG_INF);
	assert_false(l.is_journal);
	unsetenv("JOURNAL_STREAM");
	close(pair[0]);
	close(pair[1]);
}

static void test_log_reader_that_stands_still_costs_lines_not_time(void **state)
{
	static char text[1 << 20];
	struct log_stderr l;
	int pair[2], fd = open_log(&l, pair), i;

	(void)state;
	for (i = 0; i < 10000; i++)
		put_line(&l, LOG_INF, "a line that nobody reads");
	assert_true(l.n_lost > 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	put_line(&l, LOG_INF, "again");
	assert_int_equal(l.n_lost, 0);
	memset(text, 0, sizeof(text));
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_non_null(strstr(text, "lines lost, stderr was full\n"));
	assert_non_null(strstr(text, "again\n"));
	close(pair[0]);
	close(pair[1]);
}

#define T(name) cmocka_unit_test_setup_teardown(name, run_rig_set_up, run_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
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
		T(test_log_lines_carry_the_time_since_start),
		T(test_log_journal_gets_the_priority),
		T(test_log_reader_that_stands_still_costs_lines_not_time),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
