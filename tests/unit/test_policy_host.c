/* SPDX-License-Identifier: MIT */
/*
 * Policies in this process and in one of their own: right answers, and every way to go wrong. Processes are
 * real; the site's time is virtual, so that back-offs take none.
 */
#include "site-ctrl/policy_host.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "site-ctrl/policies/policies.h"
#include "tests/lib/proc_child.h"
#include "tests/lib/site_rig.h"

#define N	   6
#define PATIENT_ms 5000 /* for answers that do come: the machine may be busy */
#define HASTY_ms   30	/* for those that do not */
#define S	   INT64_C(1000000)

extern const struct forecourt_plugin policy_hostile;

struct fixture {
	struct site_rig *rig;
	struct policy_host host;
	struct policy_host_conf conf;
	const struct forecourt_plugin *builtin[4];
	/* A question of its own, without the site's machine. */
	struct alloc_run run;
	void *block;
	struct alloc_point point[N];
	struct alloc_grant grant[N];
	int32_t limit_mA[64];
	char folder[64], plugin[128], err[512];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	void *rig = NULL;
	uint32_t i;

	site_rig_set_up(&rig);
	f->rig = rig;
	site_rig_points(f->rig, N);
	site_rig_boot(f->rig);
	f->builtin[0] = &policy_hostile;
	f->builtin[1] = &policy_fair;
	f->builtin[2] = &policy_fcfs;
	f->conf = (struct policy_host_conf){.source = {.builtin = f->builtin},
					    .deadline_ms = PATIENT_ms,
					    .isolate = SITE_ISOLATE_ALWAYS,
					    .site = &f->rig->model.site,
					    .sink = &f->rig->sink};
	f->block = malloc(alloc_run_size(f->conf.site));
	alloc_run_init(&f->run, f->conf.site, f->block);
	for (i = 0; i < N; i++)
		f->point[i] = (struct alloc_point){.state = ALLOC_WAITING,
						   .id = i,
						   .weight_permille = 1000 + 100 * (int32_t)i,
						   .min_mA = 6000,
						   .max_mA = 32000,
						   .step_mA = 100,
						   .mW_per_mA = 690,
						   .since_us = N - i,
						   .departure_us = ALLOC_UNKNOWN,
						   .energy_mWh = ALLOC_UNKNOWN};
	f->host.fd = -1;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	void *rig = f->rig;

	policy_host_close(&f->host);
	site_rig_tear_down(&rig);
	free(f->block);
	if (f->plugin[0])
		unlink(f->plugin);
	if (f->folder[0])
		rmdir(f->folder);
	free(f);
	return 0;
}

static void open_policy(struct fixture *f, const char *name, const char *options)
{
	if (policy_host_open(&f->host, &f->conf, name, options, f->err, sizeof(f->err)))
		fail_msg("%s", f->err);
}

static void open_deed(struct fixture *f, const char *deed)
{
	char options[64];

	snprintf(options, sizeof(options), "do=%s", deed);
	open_policy(f, "hostile", options);
}

/* One question; what the proof says of the answer goes back to the host, as the site does it. */
static enum alloc_fault ask(struct fixture *f, int64_t now_us)
{
	struct site_policy p = policy_host_policy(&f->host);
	enum alloc_fault fault;
	struct alloc_call call;
	uint32_t row;

	for (row = 0; row < f->conf.site->n_rows; row++)
		f->limit_mA[row] = 100000;
	call = (struct alloc_call){.size = sizeof(call),
				   .n_points = N,
				   .now_us = now_us,
				   .site = f->conf.site,
				   .limit_mA = f->limit_mA,
				   .point = f->point,
				   .point_stride = sizeof(f->point[0]),
				   .grant_stride = sizeof(f->grant[0]),
				   .grant = f->grant,
				   .again_us = FC_NEVER};
	memset(f->grant, 0, sizeof(f->grant));
	alloc_run_begin(&f->run, &call);
	fault = alloc_run_finish(&f->run, &call, p.allocate(p.ctx, &call));
	p.judged(p.ctx, fault, now_us);
	return fault;
}

/* Asks each second of the site's time until one answer is good; how many seconds that took, or -1. */
static int seconds_to_good(struct fixture *f, int64_t *now_us, int most)
{
	int k;

	for (k = 0; k < most; k++, *now_us += S) {
		if (ask(f, *now_us) == ALLOC_OK)
			return k;
		if (f->host.state == POLICY_HOST_STARTING) {
			int64_t end_us = proc_now_us() + 10 * S;

			/* Its start takes real time. */
			while (f->host.state == POLICY_HOST_STARTING && proc_now_us() < end_us)
				if (ask(f, *now_us) == ALLOC_OK)
					return k;
		}
	}
	return -1;
}

/* --- right answers ----------------------------------------------------------------------------------------- */

static void test_isolated_answer_is_that_of_the_same_policy_here(void **state)
{
	struct fixture *f = *state;
	struct alloc_grant here[N];
	uint32_t i;

	f->conf.isolate = SITE_ISOLATE_NEVER;
	open_policy(f, "fair", "");
	assert_false(f->host.is_isolated);
	assert_int_equal(ask(f, S), ALLOC_OK);
	memcpy(here, f->grant, sizeof(here));
	policy_host_close(&f->host);
	f->conf.isolate = SITE_ISOLATE_ALWAYS;
	open_policy(f, "fair", "");
	assert_true(f->host.is_isolated && f->host.pid > 0);
	assert_int_equal(ask(f, S), ALLOC_OK);
	for (i = 0; i < N; i++) {
		assert_int_equal(f->grant[i].mA, here[i].mA);
		assert_int_equal(f->grant[i].reason, here[i].reason);
		assert_int_equal(f->grant[i].row, here[i].row);
	}
	assert_true(f->grant[0].mA > 0);
	assert_true(f->grant[5].mA > f->grant[0].mA); /* weights count */
}

static void test_builtin_runs_here_and_loaded_ones_do_not_by_default(void **state)
{
	struct fixture *f = *state;

	f->conf.isolate = SITE_ISOLATE_AUTO;
	open_policy(f, "fcfs", "");
	assert_false(f->host.is_isolated);
	assert_int_equal(policy_host_policy(&f->host).code, SITE_STATUS_POLICY_FCFS);
	assert_int_equal(policy_host_code("mine"), SITE_STATUS_POLICY_OTHER);
}

static void test_isolated_process_has_one_descriptor_and_no_system_calls(void **state)
{
	struct fixture *f = *state;
	char path[64];
	int fd, n = 0;

	open_policy(f, "fair", "");
	assert_int_equal(ask(f, S), ALLOC_OK);
	for (fd = 0; fd < 1024; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)f->host.pid, fd);
		n += readlink(path, f->err, sizeof(f->err)) > 0;
	}
	assert_int_equal(n, 4); /* three to /dev/null and ours */
	if (proc_number(f->host.pid, "status", "Seccomp") == 0)
		print_message("no seccomp here\n");
	else
		assert_int_equal(proc_number(f->host.pid, "status", "Seccomp"), 1);
}

static void test_close_ends_the_process(void **state)
{
	struct fixture *f = *state;
	pid_t pid;

	open_policy(f, "fair", "");
	pid = f->host.pid;
	assert_int_equal(kill(pid, 0), 0);
	policy_host_close(&f->host);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}

static void test_lines_of_an_isolated_policy_reach_the_log(void **state)
{
	struct fixture *f = *state;

	open_deed(f, "log");
	assert_int_equal(ask(f, S), ALLOC_OK);
	assert_true(site_rig_has_logged(f->rig, "policy hostile: asked and answered"));
}

/* --- starts that fail -------------------------------------------------------------------------------------- */

static void test_wrong_names_and_options_are_refused_with_a_sentence(void **state)
{
	static const struct {
		const char *name, *options, *part;
	} wrong[] = {
		{"nobody", "", "nobody"},	{"/no/such.so", "", "/no/such.so"},
		{"hostile", "dance=1", "do"},	{"hostile", "do", "KEY=VALUE"},
		{"hostile", "=x", "KEY=VALUE"}, {"hostile", "do=no_start", "does not feel like it"},
		{"../x", "", "'../x'"},
	};
	struct fixture *f = *state;
	size_t k;

	for (k = 0; k < sizeof(wrong) / sizeof(wrong[0]); k++) {
		f->err[0] = '\0';
		assert_true(policy_host_open(&f->host, &f->conf, wrong[k].name, wrong[k].options, f->err,
					     sizeof(f->err)) < 0);
		if (!strstr(f->err, wrong[k].part))
			fail_msg("%s %s: %s", wrong[k].name, wrong[k].options, f->err);
		assert_int_equal(f->host.state, POLICY_HOST_CLOSED);
	}
	assert_int_equal(policy_host_check(&f->conf.source, "fair", "", f->err, sizeof(f->err)), 0);
	assert_true(policy_host_check(&f->conf.source, "fairer", "", f->err, sizeof(f->err)) < 0);
}

/* --- loaded plug-ins --------------------------------------------------------------------------------------- */

/* Compiles the hostile policy as a stranger would; false: no compiler or no sources here. */
static bool make_plugin(struct fixture *f, const char *flags)
{
	char command[512];
	const char *cc = getenv("CC");

	snprintf(f->folder, sizeof(f->folder), "/tmp/test_policy.XXXXXX");
	if (access("tests/lib/policy_hostile.c", R_OK) || !mkdtemp(f->folder))
		return false;
	snprintf(f->plugin, sizeof(f->plugin), "%s/hostile.so", f->folder);
	snprintf(command, sizeof(command),
		 "%s -std=c11 -O1 -fPIC -shared -fvisibility=hidden -Iinclude -DHOSTILE_PLUGIN %s -o %s "
		 "tests/lib/policy_hostile.c",
		 cc && *cc ? cc : "cc", flags, f->plugin);
	return system(command) == 0;
}

static void test_loaded_policy_runs_in_a_process_of_its_own(void **state)
{
	struct fixture *f = *state;

	if (!make_plugin(f, ""))
		skip();
	f->builtin[0] = &policy_fair;
	f->conf.isolate = SITE_ISOLATE_AUTO;
	f->conf.source.dir = f->folder;
	open_policy(f, "hostile", "do=good");
	assert_true(f->host.is_isolated);
	assert_int_equal(ask(f, S), ALLOC_OK);
	assert_true(f->grant[0].mA > 0);
	policy_host_close(&f->host);
	open_policy(f, f->plugin, "do=huge");
	assert_int_equal(ask(f, S), ALLOC_FAULT_RANGE);
	assert_in_range(f->grant[0].mA, 6000, 32000); /* equal share */
}

static void test_loaded_policy_that_crashes_when_opened_harms_nobody(void **state)
{
	struct fixture *f = *state;

	if (!make_plugin(f, "-DHOSTILE_AT_LOAD"))
		skip();
	f->conf.isolate = SITE_ISOLATE_AUTO;
	assert_true(policy_host_open(&f->host, &f->conf, f->plugin, "", f->err, sizeof(f->err)) < 0);
	assert_non_null(strstr(f->err, "crashed"));
}

/* --- harm -------------------------------------------------------------------------------------------------- */

static void test_endless_policy_is_ended_and_started_again_ever_later(void **state)
{
	struct fixture *f = *state;
	int64_t now_us = S, end_us = proc_now_us() + 60 * S;
	unsigned k;

	f->conf.deadline_ms = HASTY_ms;
	open_deed(f, "endless");
	for (k = 0; k < 4; k++) {
		while (f->host.n_late == k && proc_now_us() < end_us) /* its start takes real time */
			assert_int_equal(ask(f, now_us), ALLOC_FAULT_ERROR);
		assert_int_equal(f->host.n_late, k + 1);
		assert_int_equal(f->host.state, POLICY_HOST_RESTING);
		assert_int_equal(f->host.pid, 0);
		assert_true(f->grant[0].mA > 0); /* equal share meanwhile */
		assert_true(f->host.retry_us - now_us == POLICY_HOST_BACKOFF_US << k);
		now_us = f->host.retry_us;
	}
	assert_int_equal(f->host.n_starts, 4);
}

static void test_crash_is_counted_and_equal_share_goes_on(void **state)
{
	struct fixture *f = *state;

	open_deed(f, "crash");
	assert_int_equal(ask(f, S), ALLOC_FAULT_ERROR);
	assert_int_equal(f->host.n_crashed, 1);
	assert_int_equal(f->grant[0].mA, 16700);
	assert_int_equal(ask(f, S + 1000), ALLOC_FAULT_ERROR);
	assert_int_equal(f->host.n_crashed, 1); /* rests */
	assert_true(site_rig_has_logged(f->rig, "has crashed"));
}

static void test_bad_answers_in_a_row_end_it(void **state)
{
	struct fixture *f = *state;
	int64_t now_us = S;
	unsigned k;

	open_deed(f, "huge");
	for (k = 0; k < POLICY_HOST_MAD; k++, now_us += S)
		assert_int_equal(ask(f, now_us), ALLOC_FAULT_RANGE);
	assert_int_equal(f->host.n_mad, 1);
	assert_int_equal(f->host.state, POLICY_HOST_RESTING);
	assert_int_equal(f->host.pid, 0);
}

static void test_policy_that_fails_now_and_then_is_taken_back(void **state)
{
	struct fixture *f = *state;
	int64_t now_us = S;
	unsigned k;

	f->conf.deadline_ms = 1000;
	open_deed(f, "sometimes");
	for (k = 1; k < 5; k++, now_us += S)
		assert_int_equal(ask(f, now_us), ALLOC_OK);
	assert_int_equal(ask(f, now_us), ALLOC_FAULT_ERROR);
	assert_int_equal(f->host.n_late, 1);
	assert_in_range(seconds_to_good(f, &now_us, 10), 1, 3);
	assert_int_equal(f->host.n_starts, 2);
	assert_true(site_rig_has_logged(f->rig, "started again"));
}

static void test_error_of_the_policy_alone_does_not_end_it(void **state)
{
	struct fixture *f = *state;
	unsigned k;

	open_deed(f, "error");
	for (k = 0; k < 10; k++)
		assert_int_equal(ask(f, (int64_t)(k + 1) * S), ALLOC_FAULT_ERROR);
	assert_int_equal(f->host.state, POLICY_HOST_READY);
	assert_int_equal(f->host.n_errors, 10);
}

static void test_mad_policy_here_is_made_anew_after_a_rest(void **state)
{
	struct fixture *f = *state;
	int64_t now_us = S;
	unsigned k;

	f->conf.isolate = SITE_ISOLATE_NEVER;
	open_deed(f, "unfair");
	f->point[0].state = ALLOC_IDLE;
	for (k = 0; k < POLICY_HOST_MAD; k++, now_us += S)
		assert_true(ask(f, now_us) != ALLOC_OK);
	assert_int_equal(f->host.state, POLICY_HOST_RESTING);
	now_us += S;
	f->point[0].state = ALLOC_WAITING;
	assert_in_range(seconds_to_good(f, &now_us, 5), 0, 2);
	assert_int_equal(f->host.n_starts, 2);
}

/* Property 11 of allocation.md, with the machine, the ledger and cars around: the rig checks every row. */
static void run_site_with(struct fixture *f, const char *deed, unsigned n_steps)
{
	struct site_policy p;
	struct site_rig *r = f->rig;
	unsigned k;

	open_deed(f, deed);
	p = policy_host_policy(&f->host);
	site_rig_start(r);
	site_set_policy(&r->site, &p);
	for (k = 0; k < n_steps; k++) {
		uint32_t i = site_rig_random(r) % N;

		if (r->car[i].state == SITE_POINT_REPORT_STATE_IDLE)
			site_rig_plug(r, i);
		else if (k % 3 == 0)
			site_rig_unplug(r, i);
		site_rig_run_ms(r, 3000);
	}
	for (k = 0; k < N; k++)
		site_rig_plug(r, k);
	site_rig_run_ms(r, 8000);
	/* Whatever it does, the cars are charged: with 6 A at least. */
	if (site_rig_granted_mA(r) < (N - 1) * 6000)
		fail_msg("%s: only %lld mA are granted", deed, (long long)site_rig_granted_mA(r));
	policy_host_close(&f->host);
}

static void test_no_hostile_policy_gets_a_row_over_its_limit(void **state)
{
	static const char *const deeds[] = {"good",	"huge",	 "negative",  "random", "endless", "crash",
					    "scribble", "error", "sometimes", "later",	"unfair"};
	struct fixture *f = *state;
	size_t k;

	f->conf.deadline_ms = HASTY_ms;
	for (k = 0; k < sizeof(deeds) / sizeof(deeds[0]); k++) {
		f->rig->loss_permille = 100;
		run_site_with(f, deeds[k], 20);
	}
}

static void test_hostile_answers_in_this_process_are_caught_too(void **state)
{
	static const char *const deeds[] = {"huge", "negative", "random", "error", "unfair"};
	struct fixture *f = *state;
	size_t k;

	f->conf.isolate = SITE_ISOLATE_NEVER;
	for (k = 0; k < sizeof(deeds) / sizeof(deeds[0]); k++)
		run_site_with(f, deeds[k], 60);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_isolated_answer_is_that_of_the_same_policy_here),
		TEST(test_builtin_runs_here_and_loaded_ones_do_not_by_default),
		TEST(test_isolated_process_has_one_descriptor_and_no_system_calls),
		TEST(test_close_ends_the_process),
		TEST(test_lines_of_an_isolated_policy_reach_the_log),
		TEST(test_wrong_names_and_options_are_refused_with_a_sentence),
		TEST(test_loaded_policy_runs_in_a_process_of_its_own),
		TEST(test_loaded_policy_that_crashes_when_opened_harms_nobody),
		TEST(test_endless_policy_is_ended_and_started_again_ever_later),
		TEST(test_crash_is_counted_and_equal_share_goes_on),
		TEST(test_bad_answers_in_a_row_end_it),
		TEST(test_policy_that_fails_now_and_then_is_taken_back),
		TEST(test_error_of_the_policy_alone_does_not_end_it),
		TEST(test_mad_policy_here_is_made_anew_after_a_rest),
		TEST(test_no_hostile_policy_gets_a_row_over_its_limit),
		TEST(test_hostile_answers_in_this_process_are_caught_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
