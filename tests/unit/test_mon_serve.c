/* SPDX-License-Identifier: MIT */
/*
 * The metrics port on a real loopback port, server and clients in one process and one loop: nobody waits for
 * anything that is not already on its way. Time-outs are told, not waited for.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <forecourt/units.h>

#include "monitor/mon_serve.h"

/* Longer than any turn of the loop needs; a hang fails instead of blocking. */
#define HANG_US (10 * FC_US_PER_S)

struct rig {
	struct loop loop;
	struct mon_serve serve;
	const char *page;
	size_t n_page; /* 0: length of the text */
	unsigned n_asked;
};

static size_t page(void *ctx, int64_t now_us, char *text, size_t size)
{
	struct rig *r = ctx;
	size_t n = r->n_page ? r->n_page : strlen(r->page);

	(void)now_us;
	assert_true(n <= size);
	if (r->n_page)
		memset(text, 'x', n);
	else
		memcpy(text, r->page, n);
	r->n_asked++;
	return n;
}

static int setup(void **state)
{
	static struct rig r;
	struct mon_serve_address a;
	char err[160];

	memset(&r, 0, sizeof(r));
	r.page = "up 1\n";
	r.serve.fd = -1;
	assert_int_equal(loop_open(&r.loop), 0);
	assert_int_equal(mon_serve_parse("127.0.0.1:0", &a, err, sizeof(err)), 0);
	assert_int_equal(mon_serve_open(&r.serve, &a, &r.loop, "evse-monitor", page, &r, err, sizeof(err)),
			 0);
	*state = &r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	mon_serve_close(&r->serve);
	loop_close(&r->loop);
	return 0;
}

static int client(struct rig *r)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_port = htons(mon_serve_port(&r->serve));
	assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof(a)),
			 0); /* into the backlog: at once */
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static void tell(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* One turn: waits for the server to have something to do. */
static void turn(struct rig *r)
{
	int64_t begin_us = loop_clock_us();

	loop_arm(&r->loop, begin_us + HANG_US);
	assert_int_equal(loop_wait(&r->loop), 0);
	if (r->loop.now_us - begin_us >= HANG_US)
		fail_msg("the server did nothing");
	r->loop.armed_us = FC_NEVER;
}

/* Turns the loop until the connection has ended; what came is in text. Returns its length. */
static size_t hear(struct rig *r, int fd, char *text, size_t size)
{
	size_t n = 0;
	ssize_t got;

	for (;;) {
		struct pollfd p[] = {{.fd = fd, .events = POLLIN},
				     {.fd = r->loop.epoll_fd, .events = POLLIN}};

		got = read(fd, text + n, size - 1 - n);
		if (got == 0 || (got < 0 && errno != EAGAIN))
			break;
		n += got > 0 ? (size_t)got : 0;
		if (poll(p, 2, (int)(HANG_US / 1000)) == 0)
			fail_msg("neither side did anything");
		if (p[1].revents) {
			r->loop.armed_us = FC_NEVER;
			loop_arm(&r->loop, 0); /* what poll() saw may be gone: look, do not wait */
			assert_int_equal(loop_wait(&r->loop), 0);
		}
	}
	text[n] = '\0';
	close(fd);
	return n;
}

static const char *ask(struct rig *r, const char *request)
{
	static char text[2048];
	int fd = client(r);

	tell(fd, request);
	hear(r, fd, text, sizeof(text));
	return text;
}

static unsigned n_open(const struct rig *r)
{
	unsigned i, n = 0;

	for (i = 0; i < MON_SERVE_CLIENTS; i++)
		n += r->serve.client[i].state != MON_SERVE_FREE;
	return n;
}

/* The server has seen that they have left. */
static void turn_until_open(struct rig *r, unsigned n)
{
	while (n_open(r) > n)
		turn(r);
}

/* --- answers ----------------------------------------------------------------------------------------------- */

static void test_serve_metrics_answers_with_type_length_and_page(void **state)
{
	struct rig *r = *state;

	assert_string_equal(ask(r, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"),
			    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
			    "Content-Length: 5\r\nConnection: close\r\n\r\nup 1\n");
	assert_int_equal(r->serve.n_served, 1);
}

static void test_serve_query_and_bare_line_feeds_are_taken(void **state)
{
	struct rig *r = *state;

	assert_non_null(strstr(ask(r, "GET /metrics?name=x HTTP/1.0\n\n"), "\r\n\r\nup 1\n"));
}

static void test_serve_head_answers_without_page(void **state)
{
	struct rig *r = *state;
	const char *text = ask(r, "HEAD /metrics HTTP/1.1\r\n\r\n");

	assert_non_null(strstr(text, "Content-Length: 5\r\n"));
	assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");
}

static void test_serve_root_hints_at_metrics(void **state)
{
	struct rig *r = *state;

	assert_non_null(strstr(ask(r, "GET / HTTP/1.1\r\n\r\n"), "evse-monitor: see /metrics"));
	assert_int_equal(r->n_asked, 0);
}

static void test_serve_anything_else_is_refused_with_its_status(void **state)
{
	static const struct {
		const char *request, *status;
	} cases[] = {
		{"GET /metric HTTP/1.1\r\n\r\n", "HTTP/1.1 404 "},
		{"GET /metrics/ HTTP/1.1\r\n\r\n", "HTTP/1.1 404 "},
		{"GET /metricsx HTTP/1.1\r\n\r\n", "HTTP/1.1 404 "},
		{"POST /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 405 "},
		{"DELETE / HTTP/1.1\r\n\r\n", "HTTP/1.1 405 "},
		{"GET /metrics\r\n\r\n", "HTTP/1.1 400 "},
		{"GET /metrics HTTP/2\r\n\r\n", "HTTP/1.1 400 "},
		{"GET /metrics HTTP/1.1 more\r\n\r\n", "HTTP/1.1 400 "},
		{"GET  /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
		{"GET http://x/metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
		{"\r\n\r\n", "HTTP/1.1 400 "},
		{"\x16\x03\x01\x02 hello\r\n\r\n", "HTTP/1.1 400 "},
	};
	struct rig *r = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *text = ask(r, cases[i].request);

		if (strncmp(text, cases[i].status, strlen(cases[i].status)) != 0)
			fail_msg("%s answered %s", cases[i].request, text);
		assert_true(strncmp(cases[i].status + 9, "405", 3) != 0 ||
			    strstr(text, "\r\nAllow: GET, HEAD\r\n"));
	}
	assert_int_equal(r->serve.n_refused, i);
	assert_int_equal(r->n_asked, 0);
}

static void test_serve_zero_byte_in_request_line_is_refused(void **state)
{
	static const char request[] = "GET /metrics\0 HTTP/1.1\r\n\r\n";
	struct rig *r = *state;
	char text[512];
	int fd = client(r);

	assert_int_equal(write(fd, request, sizeof(request) - 1), sizeof(request) - 1);
	hear(r, fd, text, sizeof(text));
	assert_memory_equal(text, "HTTP/1.1 400 ", 13);
}

static void test_serve_request_in_single_bytes_is_put_together(void **state)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
	struct rig *r = *state;
	char text[512];
	int fd = client(r);
	size_t i;

	for (i = 0; i < sizeof(request) - 1; i++) {
		assert_int_equal(write(fd, &request[i], 1), 1);
		turn(r);
		if (i == 0)
			turn(r); /* the first one brought the connection */
	}
	hear(r, fd, text, sizeof(text));
	assert_non_null(strstr(text, "\r\n\r\nup 1\n"));
}

static void test_serve_request_over_4_kB_is_refused(void **state)
{
	struct rig *r = *state;
	char request[MON_SERVE_REQUEST + 3000], text[512];
	int fd = client(r);

	memset(request, 'a', sizeof(request));
	memcpy(request, "GET /metrics HTTP/1.1\r\nX: ", 26);
	assert_int_equal(write(fd, request, sizeof(request)), sizeof(request));
	hear(r, fd, text, sizeof(text)); /* the rest of it does not cost the answer */
	assert_memory_equal(text, "HTTP/1.1 431 ", 13);
	turn_until_open(r, 0);
}

static void test_serve_largest_page_to_a_slow_reader_arrives_whole(void **state)
{
	static char text[MON_SERVE_BODY + 1024];
	struct rig *r = *state;
	int fd = client(r), small = 16384;
	size_t n, i;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	r->n_page = MON_SERVE_BODY;
	tell(fd, "GET /metrics HTTP/1.1\r\n\r\n");
	n = hear(r, fd, text, sizeof(text));
	assert_true(n > MON_SERVE_BODY);
	for (i = n - MON_SERVE_BODY; i < n; i++)
		assert_int_equal(text[i], 'x');
}

/* --- clients that behave badly ------------------------------------------------------------------------------ */

static void test_serve_silent_client_is_dropped_when_its_time_is_over(void **state)
{
	struct rig *r = *state;
	int fd = client(r);
	int64_t at_us;
	char c;

	turn(r);
	assert_int_equal(n_open(r), 1);
	at_us = mon_serve_service(&r->serve, r->loop.now_us);
	assert_int_equal(at_us, r->loop.now_us + MON_SERVE_TIMEOUT_US);
	assert_true(r->loop.armed_us <= at_us || r->loop.armed_us == FC_NEVER);
	mon_serve_service(&r->serve, at_us - 1);
	assert_int_equal(n_open(r), 1);
	assert_int_equal(mon_serve_service(&r->serve, at_us), FC_NEVER);
	assert_int_equal(n_open(r), 0);
	assert_int_equal(r->serve.n_dropped, 1);
	assert_int_equal(read(fd, &c, 1), 0);
	close(fd);
}

static void test_serve_reader_that_stands_still_is_dropped_and_others_are_served(void **state)
{
	struct rig *r = *state;
	int fd = client(r), small = 1024;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	r->n_page = MON_SERVE_BODY;
	small = 4096;
	tell(fd, "GET /metrics HTTP/1.1\r\n\r\n");
	turn(r);
	setsockopt(r->serve.client[0].fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	turn(r);
	assert_int_equal(r->serve.client[0].state, MON_SERVE_WRITING);
	r->n_page = 0;
	assert_non_null(strstr(ask(r, "GET /metrics HTTP/1.1\r\n\r\n"), "\r\n\r\nup 1\n"));
	mon_serve_service(&r->serve, r->loop.now_us + MON_SERVE_TIMEOUT_US);
	assert_int_equal(n_open(r), 0);
	assert_int_equal(r->serve.n_dropped, 1);
	close(fd);
}

static void test_serve_ninth_client_waits_for_a_place(void **state)
{
	struct rig *r = *state;
	int fd[MON_SERVE_CLIENTS], ninth;
	char text[512];
	unsigned i;

	for (i = 0; i < MON_SERVE_CLIENTS; i++)
		fd[i] = client(r);
	while (n_open(r) < MON_SERVE_CLIENTS)
		turn(r);
	ninth = client(r);
	tell(ninth, "GET /metrics HTTP/1.1\r\n\r\n");
	assert_false(r->serve.is_listening); /* else the loop would spin */
	close(fd[3]);
	hear(r, ninth, text, sizeof(text));
	assert_non_null(strstr(text, "\r\n\r\nup 1\n"));
	turn_until_open(r, MON_SERVE_CLIENTS - 1);
	assert_true(r->serve.is_listening);
	for (i = 0; i < MON_SERVE_CLIENTS; i++)
		if (i != 3)
			close(fd[i]);
	turn_until_open(r, 0);
	assert_int_equal(r->serve.n_dropped, 0); /* who leaves by himself is not dropped */
}

static void test_serve_client_that_sends_without_end_is_dropped(void **state)
{
	struct rig *r = *state;
	char noise[4096];
	int fd = client(r);

	memset(noise, 'n', sizeof(noise));
	tell(fd, "GET /metrics HTTP/1.1\r\n\r\n");
	turn(r);
	turn(r);
	assert_int_equal(r->serve.client[0].state, MON_SERVE_DRAINING);
	while (n_open(r) > 0) {
		if (write(fd, noise, sizeof(noise)) < 0)
			assert_true(errno == EAGAIN || errno == EPIPE || errno == ECONNRESET);
		if (n_open(r) > 0)
			turn(r);
	}
	close(fd);
	assert_non_null(strstr(ask(r, "GET /metrics HTTP/1.1\r\n\r\n"), "\r\n\r\nup 1\n"));
}

static void test_serve_reset_while_reading_and_writing_is_survived(void **state)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	struct rig *r = *state;
	unsigned i;

	r->n_page = MON_SERVE_BODY;
	for (i = 0; i < 2; i++) {
		int fd = client(r);

		tell(fd, i == 0 ? "GET /met" : "GET /metrics HTTP/1.1\r\n\r\n");
		turn(r);
		turn(r);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		close(fd);
		turn_until_open(r, 0);
	}
	r->n_page = 0;
	assert_non_null(strstr(ask(r, "GET /metrics HTTP/1.1\r\n\r\n"), "\r\n\r\nup 1\n"));
}

/* Bytes of every kind, cut anywhere, from a fixed seed. */
static void test_serve_garbage_never_stops_it(void **state)
{
	static const char *const parts[] = {"GET ", "/metrics", " HTTP/1.1", "\r\n", "\n",
					    "\r",   " ",	"HEAD ",     "?",    "\x80"};
	struct rig *r = *state;
	uint32_t random = 12345;
	unsigned i, k;

	for (i = 0; i < 500; i++) {
		char text[512];
		int fd = client(r);

		for (k = 0; k < 12; k++) {
			const char *part;

			random = random * 1664525 + 1013904223;
			part = parts[(random >> 16) % (sizeof(parts) / sizeof(parts[0]))];
			if (write(fd, part, strlen(part)) < 0)
				break;
		}
		shutdown(fd, SHUT_WR);
		hear(r, fd, text, sizeof(text));
	}
	turn_until_open(r, 0);
	assert_non_null(strstr(ask(r, "GET /metrics HTTP/1.1\r\n\r\n"), "\r\n\r\nup 1\n"));
}

static void test_serve_port_in_use_is_an_error_with_its_reason(void **state)
{
	static struct mon_serve second = {.fd = -1};
	struct rig *r = *state;
	struct mon_serve_address a;
	char text[32], err[160];

	snprintf(text, sizeof(text), "%u", mon_serve_port(&r->serve));
	assert_int_equal(mon_serve_parse(text, &a, err, sizeof(err)), 0);
	assert_int_equal(mon_serve_open(&second, &a, &r->loop, "x", page, r, err, sizeof(err)), -EADDRINUSE);
	assert_non_null(strstr(err, text));
	assert_int_equal(second.fd, -1);
}

/* --- addresses --------------------------------------------------------------------------------------------- */

static void test_address_forms_are_read(void **state)
{
	static const struct {
		const char *text;
		bool is_good, is_v6, is_loopback;
		uint16_t port;
	} cases[] = {
		{"9100", true, false, true, 9100},
		{":9100", true, false, true, 9100},
		{"127.0.0.1:0", true, false, true, 0},
		{"127.9.9.9:1", true, false, true, 1},
		{"localhost:65535", true, false, true, 65535},
		{"0.0.0.0:80", true, false, false, 80},
		{"192.0.2.1:80", true, false, false, 80},
		{"[::1]:9100", true, true, true, 9100},
		{"[::]:9100", true, true, false, 9100},
		{"", false, false, false, 0},
		{":", false, false, false, 0},
		{"65536", false, false, false, 0},
		{"99999999999", false, false, false, 0},
		{"-1", false, false, false, 0},
		{"127.0.0.1", false, false, false, 0},
		{"example.com:80", false, false, false, 0},
		{"[::1]", false, false, false, 0},
		{"::1:80", false, false, false, 0},
		{"[]:80", false, false, false, 0},
		{"127.0.0.1:80x", false, false, false, 0},
	};
	struct mon_serve_address a;
	char err[160];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int rc = mon_serve_parse(cases[i].text, &a, err, sizeof(err));

		if ((rc == 0) != cases[i].is_good)
			fail_msg("'%s' gave %d", cases[i].text, rc);
		if (rc)
			continue;
		assert_int_equal(a.is_v6, cases[i].is_v6);
		assert_int_equal(a.is_loopback, cases[i].is_loopback);
		assert_int_equal(a.port, cases[i].port);
	}
}

#define ON_PORT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_PORT(test_serve_metrics_answers_with_type_length_and_page),
		ON_PORT(test_serve_query_and_bare_line_feeds_are_taken),
		ON_PORT(test_serve_head_answers_without_page),
		ON_PORT(test_serve_root_hints_at_metrics),
		ON_PORT(test_serve_anything_else_is_refused_with_its_status),
		ON_PORT(test_serve_zero_byte_in_request_line_is_refused),
		ON_PORT(test_serve_request_in_single_bytes_is_put_together),
		ON_PORT(test_serve_request_over_4_kB_is_refused),
		ON_PORT(test_serve_largest_page_to_a_slow_reader_arrives_whole),
		ON_PORT(test_serve_silent_client_is_dropped_when_its_time_is_over),
		ON_PORT(test_serve_reader_that_stands_still_is_dropped_and_others_are_served),
		ON_PORT(test_serve_ninth_client_waits_for_a_place),
		ON_PORT(test_serve_client_that_sends_without_end_is_dropped),
		ON_PORT(test_serve_reset_while_reading_and_writing_is_survived),
		ON_PORT(test_serve_garbage_never_stops_it),
		ON_PORT(test_serve_port_in_use_is_an_error_with_its_reason),
		cmocka_unit_test(test_address_forms_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
