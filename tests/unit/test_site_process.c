/* SPDX-License-Identifier: MIT */
/*
 * The site-ctrl process as a whole, on real UDP buses. A site grants nothing for 36 s after its start, so
 * what it grants is the concern of the tests in virtual time; here: start, reports, words, policies, signals,
 * memory.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "site_msgs.h"
#include "tests/lib/malloc_count.h"
#include "tests/lib/process_rig.h"

#define MS	    1000
#define HANG_MS	    10000 /* for what is only waited for */
#define N_POINTS    3
#define SITE_HEAD   "[node.main]\nlimit_A = 63\nmeter = yes\nbase_load_A = 5\n"
#define POINT(n, b) "[point.P" #n "]\nnode = main\nnumber = " #n "\nbus = " #b "\nmax_A = 32\n"

static const char site_file[] = SITE_HEAD POINT(1, 0) POINT(2, 0) POINT(3, 0);

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_OWN_HEAP true
#else
#define HAS_OWN_HEAP false
#endif

/* What a monitor and points on one bus hear and say. */
struct listener {
	struct can_bus *bus;
	struct site_status status;
	struct site_row_load row;
	uint32_t n_status, n_rows, n_grants, n_reasons;
	uint32_t number;
};

static void listen_on(struct listener *l, const char *url)
{
	const struct can_filter all = can_filter_all();
	char err[160];

	memset(l, 0, sizeof(*l));
	if (can_bus_open(url, &l->bus, err, sizeof(err)))
		fail_msg("%s", err);
	can_bus_set_filters(l->bus, &all, 1);
}

static void hear(struct listener *l, const struct can_frame *f)
{
	int msg = site_find(SITE_V1, msg_base_id(f->can_id));

	if (msg == SITE_STATUS) {
		site_layouts[SITE_V1][msg].unpack(&l->status, f->data);
		l->n_status++;
	} else if (msg == SITE_ROW_LOAD) {
		site_layouts[SITE_V1][msg].unpack(&l->row, f->data);
		l->n_rows++;
	}
	l->n_grants += msg == SITE_GRANT;
	l->n_reasons += msg == SITE_GRANT_REASON;
}

static void receive_for(struct listener *l, int64_t ms)
{
	int64_t end_us = proc_now_us() + ms * MS;
	struct can_rx_info info;
	struct can_frame f;

	do {
		struct pollfd p = {.fd = can_bus_fd(l->bus), .events = POLLIN};

		poll(&p, 1, 10);
		while (can_bus_recv(l->bus, &f, &info) == 1)
			hear(l, &f);
	} while (proc_now_us() < end_us);
}

static bool wait_status(struct listener *l, uint32_t n)
{
	int64_t end_us = proc_now_us() + HANG_MS * MS;

	while (l->n_status < n && proc_now_us() < end_us)
		receive_for(l, 10);
	return l->n_status >= n;
}

static void report(struct listener *l, unsigned number)
{
	struct site_point_report head = {
		.number = ++l->number, .ack_age = 255, .state = SITE_POINT_REPORT_STATE_WAITING};
	struct site_point_demand demand = {
		.requested_mA = 32000, .maximum_mA = 32000, .minimum_mA = 6000, .present_mA = 1500};
	struct can_frame f[2];

	msg_to_frame(&site_layouts[SITE_V1][SITE_POINT_REPORT], &head, number, &f[0]);
	msg_to_frame(&site_layouts[SITE_V1][SITE_POINT_DEMAND], &demand, number, &f[1]);
	can_bus_send_many(l->bus, f, 2);
}

static void launch(struct process_rig *r, const char *const extra[], const char *const env[])
{
	const char *args[PROC_MAX_ARGS] = {"--site", r->config};
	unsigned n = 2;

	while (*extra && n < PROC_MAX_ARGS - 4)
		args[n++] = *extra++;
	args[n] = NULL;
	process_launch(r, "site-ctrl", args, env);
}

static void start(struct process_rig *r, struct listener *l, const char *const extra[])
{
	listen_on(l, r->url);
	process_write_config(r, site_file, sizeof(site_file) - 1);
	launch(r, extra, NULL);
	if (!wait_status(l, 1))
		process_fail(r, "no status after the start");
}

static const char *const nothing[] = {NULL};

/* --- running ----------------------------------------------------------------------------------------------- */

static void test_site_says_status_and_rows_and_hears_reports(void **state)
{
	struct process_rig *r = *state;
	struct listener l;
	unsigned k;

	start(r, &l, nothing);
	assert_int_equal(l.status.state, SITE_STATUS_STATE_STARTING);
	assert_int_equal(l.status.policy, SITE_STATUS_POLICY_FAIR);
	assert_int_equal(l.status.points, N_POINTS);
	for (k = 0; k < 40 && l.status.reporting != 2; k++) {
		report(&l, 1);
		report(&l, 2);
		receive_for(&l, 250);
	}
	assert_int_equal(l.status.reporting, 2);
	assert_true(l.n_rows > 0);
	assert_true(l.n_reasons > 0); /* why there is nothing yet */
	assert_int_equal(l.n_grants, 0);
	assert_true(process_ask(r, "points P1"));
	assert_non_null(strstr(r->text, "state waiting"));
	assert_non_null(strstr(r->text, "reason start"));
	can_bus_close(l.bus);
}

static void test_control_socket_changes_limits_and_policies(void **state)
{
	struct process_rig *r = *state;
	struct listener l;

	start(r, &l, nothing);
	assert_true(process_ask(r, "status"));
	assert_non_null(strstr(r->text, "policy=fair\n"));
	assert_true(process_ask(r, "limit main L2 20 600"));
	assert_true(process_ask(r, "meter main 3 3 3"));
	assert_true(process_ask(r, "rows main"));
	assert_non_null(strstr(r->text, "main L1=drawn_mA 0 may_mA 0 limit_mA 60000"));
	assert_non_null(strstr(r->text, "main L2=drawn_mA 0 may_mA 0 limit_mA 17000"));
	assert_true(process_ask(r, "policy edf"));
	assert_true(process_ask(r, "shadow fcfs"));
	assert_true(process_ask(r, "status"));
	assert_non_null(strstr(r->text, "policy=edf\n"));
	assert_non_null(strstr(r->text, "shadow=fcfs\n"));
	assert_false(process_ask(r, "policy nobody"));
	assert_non_null(strstr(r->text, "fair"));
	assert_false(process_ask(r, "policy edf no_such=1"));
	assert_true(process_ask(r, "policy none"));
	assert_true(process_ask(r, "shadow none"));
	assert_true(process_ask(r, "show"));
	assert_non_null(strstr(r->text, "P3"));
	can_bus_close(l.bus);
}

static void test_isolated_policy_lives_and_dies_with_the_site(void **state)
{
	static const char *const extra[] = {"--isolate=always", "--policy-deadline-ms=500", "--cycle-ms=100",
					    NULL};
	struct process_rig *r = *state;
	struct listener l;
	const char *at;
	pid_t pid;
	unsigned k;

	start(r, &l, extra);
	assert_true(process_ask(r, "faults"));
	assert_non_null(strstr(r->text, "policy.host=isolated state ready"));
	at = strstr(r->text, "pid ");
	pid = at ? (pid_t)strtol(at + 4, NULL, 10) : 0;
	assert_true(pid > 1);
	kill(pid, SIGKILL); /* one of ours: the policy's process */
	for (k = 0; k < 100 && !strstr(r->text, "crashed 1"); k++) {
		receive_for(&l, 100);
		assert_true(process_ask(r, "faults"));
	}
	assert_non_null(strstr(r->text, "crashed 1"));
	for (k = 0; k < 100 && !strstr(r->text, "state ready"); k++) {
		receive_for(&l, 100);
		assert_true(process_ask(r, "faults"));
	}
	assert_non_null(strstr(r->text, "starts 2"));
	at = strstr(r->text, "pid ");
	pid = at ? (pid_t)strtol(at + 4, NULL, 10) : 0;
	kill(r->child.pid, SIGKILL);
	assert_true(proc_wait(&r->child, HANG_MS));
	for (k = 0; k < 500 && kill(pid, 0) == 0; k++)
		receive_for(&l, 10);
	assert_true(kill(pid, 0) != 0 || proc_number(pid, "status", "PPid") != r->child.pid);
	can_bus_close(l.bus);
}

static void test_points_of_a_second_bus_are_heard(void **state)
{
	static const char two_buses[] = SITE_HEAD POINT(1, 0) POINT(2, 1);
	struct process_rig *r = *state;
	struct listener one, two;
	char second[64], option[96];
	const char *extra[] = {option, NULL};
	unsigned k;

	assert_true(proc_pick_bus(second, sizeof(second)));
	if (strcmp(second, r->url) == 0) /* its port is free until the program opens it */
		second[strlen(second) - 1] ^= 1;
	snprintf(option, sizeof(option), "--more-can=%s", second);
	process_write_config(r, two_buses, sizeof(two_buses) - 1);
	listen_on(&one, r->url);
	listen_on(&two, second);
	launch(r, extra, NULL);
	if (!wait_status(&one, 1) || !wait_status(&two, 1))
		process_fail(r, "no status on both buses");
	for (k = 0; k < 40 && one.status.reporting != 2; k++) {
		report(&one, 1);
		report(&two, 2);
		receive_for(&two, 10);
		receive_for(&one, 240);
	}
	assert_int_equal(one.status.reporting, 2);
	for (k = 0; k < 100 && two.n_reasons == 0; k++)
		receive_for(&two, 100);
	assert_true(two.n_reasons > 0);
	assert_int_equal(two.n_rows, 0);
	can_bus_close(one.bus);
	can_bus_close(two.bus);
}

static void signal_and_check(struct process_rig *r, int number)
{
	struct listener l;

	start(r, &l, nothing);
	kill(r->child.pid, number);
	if (!proc_wait(&r->child, HANG_MS))
		process_fail(r, "does not end");
	receive_for(&l, 20);
	assert_int_equal(proc_exit_code(&r->child), 0);
	assert_int_equal(l.status.state, SITE_STATUS_STATE_STOPPING);
	can_bus_close(l.bus);
}

static void test_sigterm_says_stopping_and_ends(void **state)
{
	signal_and_check(*state, SIGTERM);
}

static void test_sigint_says_stopping_and_ends(void **state)
{
	signal_and_check(*state, SIGINT);
}

/* --- memory ------------------------------------------------------------------------------------------------ */

static struct malloc_counts *make_counts(const struct process_rig *r, char preload[PROC_PATH_MAX + 64],
					 char where[128])
{
	struct malloc_counts *c;
	char path[PROC_PATH_MAX];
	FILE *f = fopen(r->counts, "w+e");

	assert_non_null(f);
	assert_int_equal(ftruncate(fileno(f), sizeof(*c)), 0);
	c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED, fileno(f), 0);
	assert_true(c != MAP_FAILED);
	fclose(f);
	assert_true(proc_find_program("site-ctrl", path));
	*strrchr(path, '/') = '\0';
	snprintf(preload, PROC_PATH_MAX + 64, "LD_PRELOAD=%s/../tests/lib/malloc_count.so", path);
	snprintf(where, 128, "MALLOC_COUNT=%s", r->counts);
	return c;
}

static void test_site_allocates_nothing_after_start(void **state)
{
	struct process_rig *r = *state;
	struct malloc_counts *counts, then;
	char preload[PROC_PATH_MAX + 64], where[128];
	const char *env[] = {preload, where, NULL};
	struct listener l;
	unsigned k;

	if (HAS_OWN_HEAP)
		skip(); /* the sanitizer has an allocator of its own */
	counts = make_counts(r, preload, where);
	process_write_config(r, site_file, sizeof(site_file) - 1);
	listen_on(&l, r->url);
	launch(r, nothing, env);
	assert_true(wait_status(&l, 1));
	then = *counts;
	assert_int_equal(then.is_loaded, 1);
	assert_true(then.n_malloc + then.n_calloc > 0);
	for (k = 0; k < 6; k++) {
		report(&l, 1 + k % N_POINTS);
		receive_for(&l, 250);
	}
	assert_true(process_ask(r, "limit main 30"));
	assert_true(process_ask(r, "points"));
	assert_true(process_ask(r, "policy edf")); /* what it needs is mapped */
	receive_for(&l, 1100);
	assert_int_equal(counts->n_malloc, then.n_malloc);
	assert_int_equal(counts->n_calloc, then.n_calloc);
	assert_int_equal(counts->n_realloc, then.n_realloc);
	assert_int_equal(counts->n_free, then.n_free);
	munmap(counts, sizeof(*counts));
	can_bus_close(l.bus);
}

/* --- settings ---------------------------------------------------------------------------------------------- */

static int run(struct process_rig *r, const char *const extra[])
{
	proc_end(&r->child);
	process_launch(r, "site-ctrl", extra, NULL);
	if (!proc_wait(&r->child, HANG_MS))
		process_fail(r, "does not end");
	proc_output(&r->child, r->text, sizeof(r->text));
	return proc_exit_code(&r->child);
}

static void test_show_prints_the_tree_and_opens_nothing(void **state)
{
	struct process_rig *r = *state;
	const char *args[] = {"--site", r->config, "--show", "--can=nocan0", NULL};

	process_write_config(r, site_file, sizeof(site_file) - 1);
	assert_int_equal(run(r, args), 0);
	assert_non_null(strstr(r->text, "main"));
	assert_non_null(strstr(r->text, "P3"));
}

static void test_wrong_settings_are_refused_with_a_sentence(void **state)
{
	struct process_rig *r = *state;
	const struct {
		const char *args[8];
		const char *part;
		int status;
	} wrong[] = {
		{{"--check-config", NULL}, "no site", 1},
		{{"--site", "/no/such/file", "--check-config", NULL}, "/no/such/file", 1},
		{{"--site", r->config, "--policy=nobody", NULL}, "nobody", 1},
		{{"--site", r->config, "--policy-options=x=1", "--check-config", NULL}, "x", 1},
		{{"--site", r->config, "--lease-ms=9000", "--check-config", NULL}, "9000", 1},
		{{"--site", r->config, "--lease-ms=4000", "--check-config", "--cycle-ms=2000", NULL},
		 "cycles",
		 1},
		{{"--site", r->config, "--schedule=/no/such.csv", "--check-config", NULL}, "/no/such.csv", 1},
		{{"--site", r->config, "--cycle-ms=7", NULL}, "cycle-ms", 2},
		{{"--no-such-option", NULL}, "no-such-option", 2},
	};
	const char *good[] = {"--site", r->config, "--check-config", NULL}, *dump[] = {"--dump-config", NULL};
	size_t k;

	process_write_config(r, site_file, sizeof(site_file) - 1);
	for (k = 0; k < sizeof(wrong) / sizeof(wrong[0]); k++) {
		int status = run(r, wrong[k].args);

		if (status != wrong[k].status || !strstr(r->text, wrong[k].part))
			fail_msg("case %zu: %d, %s", k, status, r->text);
	}
	assert_int_equal(run(r, good), 0);
	assert_int_equal(run(r, dump), 0);
	assert_non_null(strstr(r->text, "lease_ms = 10000"));
}

static void test_point_on_a_bus_that_is_not_there_is_refused(void **state)
{
	static const char text[] = SITE_HEAD POINT(1, 2);
	struct process_rig *r = *state;
	const char *args[] = {"--site", r->config, NULL};

	process_write_config(r, text, sizeof(text) - 1);
	assert_int_equal(run(r, args), 1);
	assert_non_null(strstr(r->text, "P1 is on bus 2"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, process_set_up, process_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_site_says_status_and_rows_and_hears_reports),
		TEST(test_control_socket_changes_limits_and_policies),
		TEST(test_isolated_policy_lives_and_dies_with_the_site),
		TEST(test_points_of_a_second_bus_are_heard),
		TEST(test_sigterm_says_stopping_and_ends),
		TEST(test_sigint_says_stopping_and_ends),
		TEST(test_site_allocates_nothing_after_start),
		TEST(test_show_prints_the_tree_and_opens_nothing),
		TEST(test_wrong_settings_are_refused_with_a_sentence),
		TEST(test_point_on_a_bus_that_is_not_there_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
