/* SPDX-License-Identifier: MIT */
/*
 * The evse-ctrl process as a whole, on a real UDP bus: signals in each step of a session, hostile traffic, several
 * pistols, and the control socket.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/proc_flood.h"
#include "tests/lib/process_rig.h"

#define MS	     1000
#define S	     1000000
#define END_LIMIT_US (500 * MS) /* rule E-87 */
#define HANG_US	     (10 * S)	/* for what is only waited for; periods and delays are the benches' */

static bool has_ended(const struct proc_module *m, void *ctx)
{
	(void)m;
	return proc_wait(ctx, 0);
}

/* --- signals ----------------------------------------------------------------------------------------------- */

static void signal_and_check(struct process_rig *r, int number, enum proc_step step)
{
	struct proc_point *p = &r->module.point[1];
	bool is_session = step >= PROC_SESSION && step < PROC_CLOSING;

	process_start(r);
	process_walk(r, -1, step);
	proc_module_receive(&r->module);
	p->n_disabled = 0;
	kill(r->child.pid, number);
	if (!proc_module_wait(&r->module, END_LIMIT_US, has_ended, &r->child))
		process_fail(r, "still there 500 ms after the signal");
	proc_module_receive(&r->module);
	assert_int_equal(proc_exit_code(&r->child), 0);
	assert_true(!is_session || p->n_disabled >= 3); /* rule E-87 */
	assert_int_equal(p->status.system_enable, 0);
	assert_true(abs(p->status.present_current_mA) < 1000);
}

static void test_process_sigterm_ends_ordered(void **state)
{
	struct process_rig *r = *state;

	signal_and_check(r, SIGTERM, *r->step);
}

static void test_process_sigint_ends_ordered(void **state)
{
	struct process_rig *r = *state;

	signal_and_check(r, SIGINT, *r->step);
}

static void test_process_sigterm_without_module_ends(void **state)
{
	struct process_rig *r = *state;

	process_start(r);
	kill(r->child.pid, SIGTERM);
	assert_true(proc_wait(&r->child, END_LIMIT_US / MS));
	assert_int_equal(proc_exit_code(&r->child), 0);
}

/* --- control socket ---------------------------------------------------------------------------------------- */

static bool is_limited(const struct proc_module *m, void *ctx)
{
	(void)ctx;
	return m->point[1].parameters.maximum_charge_current_mA == 50000 &&
	       m->point[1].status.present_current_mA <= 50000;
}

static bool is_stop_pressed(const struct proc_module *m, void *ctx)
{
	return m->point[1].sequence.user_stop_button == *(const uint8_t *)ctx;
}

static void test_control_status_set_stop_act_on_the_session(void **state)
{
	struct process_rig *r = *state;
	uint8_t pressed = 1, released = 0;
	int64_t pressed_us;

	process_start(r);
	process_walk(r, -1, PROC_TRANSFER);
	assert_true(process_ask(r, "status"));
	assert_non_null(strstr(r->text, "state=Transfer\n"));
	assert_non_null(strstr(r->text, "faults=none\n"));
	assert_int_equal(process_answered(r, "target_current_mA"), PROC_TRANSFER_mA);

	assert_true(process_ask(r, "set maximum_charge_current 50"));
	assert_true(proc_module_wait(&r->module, HANG_US, is_limited, NULL));

	assert_true(process_ask(r, "stop"));
	assert_true(proc_module_wait(&r->module, HANG_US, is_stop_pressed, &pressed));
	pressed_us = r->module.point[1].sequence_us;
	assert_true(proc_module_wait(&r->module, HANG_US, is_stop_pressed, &released));
	assert_true(r->module.point[1].sequence_us - pressed_us >=
		    495 * MS); /* rule E-73, as seen from outside */
	process_walk(r, PROC_TRANSFER, PROC_CLOSING);
	assert_true(process_ask(r, "status"));
	assert_non_null(strstr(r->text, "session_cause=user_stop\n"));
}

static void test_control_refuses_what_is_wrong(void **state)
{
	static const char *const wrong[] = {"set maximum_charge_current -1", "set maximum_charge_current",
					    "set no_such_key 1", "dance", "7 status"};
	struct process_rig *r = *state;
	size_t i;

	process_start(r);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_false(process_ask(r, wrong[i]));
		assert_true(strncmp(r->text, "error: ", 7) == 0);
	}
	assert_true(process_ask(r, "status"));
}

/* --- hostile traffic --------------------------------------------------------------------------------------- */

static bool has_sent_cycle(const struct proc_module *m, void *ctx)
{
	return m->n_sent != *(const uint64_t *)ctx;
}

/* Between two cycles of ours, so that everything sent has been handled. */
static long long count_accepted(struct process_rig *r)
{
	uint64_t n = r->module.n_sent;

	proc_module_wait(&r->module, HANG_US, has_sent_cycle, &n);
	proc_module_wait(&r->module, 40 * MS, NULL, NULL);
	assert_true(process_ask(r, "status"));
	return process_answered(r, "rx_accepted");
}

static void test_flood_changes_nothing_and_loses_nothing(void **state)
{
	struct process_rig *r = *state;
	struct proc_flood flood = {
		.url = r->url, .frames_per_s = 8000, .index = 1, .is_hostile = true, .seed = 1};
	struct proc_point *p = &r->module.point[1];
	struct proc_child c;
	long long accepted;
	uint64_t sent;

	process_start(r);
	process_walk(r, -1, PROC_TRANSFER);
	accepted = count_accepted(r);
	sent = r->module.n_sent;
	p->n_status = p->n_disabled = p->n_powerless = 0;
	assert_int_equal(proc_flood_start(&c, &flood), 0);
	proc_module_wait(&r->module, 2 * S, NULL, NULL);
	accepted = count_accepted(r) - accepted;
	proc_end(&c);

	assert_int_equal(accepted, (long long)(r->module.n_sent - sent));
	assert_non_null(strstr(r->text, "state=Transfer\n"));
	assert_non_null(strstr(r->text, "faults=none\n"));
	assert_true(p->n_status >= 10); /* it went on sending */
	assert_int_equal(p->n_disabled, 0);
	assert_int_equal(p->n_powerless, 0);
	assert_true(process_ask(r, "stats"));
	assert_int_equal(process_answered(r, "bus0.n_rx_dropped"), 0);
	assert_int_equal(process_answered(r, "n_items_lost"), 0);
	assert_true(process_answered(r, "bus0.n_rx_bad") > 1000); /* the flood was one */
}

/* --- several pistols --------------------------------------------------------------------------------------- */

static bool is_third_charging(const struct proc_module *m, void *ctx)
{
	(void)ctx;
	return m->point[3].status.present_current_mA == 60000;
}

static bool is_first_powerless(const struct proc_module *m, void *ctx)
{
	(void)ctx;
	return m->point[1].n_powerless > 0;
}

static void test_pistols_are_independent(void **state)
{
	static const char file[] = "[pistol.1]\n[pistol.3]\nmaximum_charge_current = 60\n";
	struct process_rig *r = *state;
	struct proc_point *one = &r->module.point[1], *three = &r->module.point[3];
	const char *args[] = {"--config", r->config, PROC_FAST_OPTIONS, NULL};
	struct evse_dc_power_control power = proc_power_transfer();

	process_write_config(r, file, sizeof(file) - 1);
	process_start_points(r, args, NULL, 3);
	three->is_resting = true;
	proc_module_state(&r->module, 3, 1);
	process_walk(r, -1, PROC_TRANSFER);
	assert_int_equal(three->status.system_enable, 0);
	assert_int_equal(three->status.present_voltage_mV, 0);
	assert_int_equal(three->parameters.maximum_charge_current_mA, 60000);
	assert_int_equal(one->parameters.maximum_charge_current_mA, 120000);

	one->is_resting = true;
	three->is_resting = false;
	process_walk(r, -1, PROC_FLOATING);
	proc_module_state(&r->module, 3, 7);
	proc_module_power(&r->module, 3, &power);
	assert_true(proc_module_wait(&r->module, HANG_US, is_third_charging, NULL));
	assert_int_equal(one->status.present_current_mA, PROC_TRANSFER_mA);

	one->sends_status = false; /* its module is gone */
	one->n_powerless = three->n_powerless = 0;
	assert_true(proc_module_wait(&r->module, HANG_US, is_first_powerless, NULL));
	proc_module_wait(&r->module, 300 * MS, NULL, NULL);
	assert_int_equal(three->n_powerless, 0);
	assert_int_equal(three->status.present_current_mA, 60000);
	assert_true(process_ask(r, "3 status"));
	assert_non_null(strstr(r->text, "3.state=Transfer\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, process_set_up, process_tear_down)
/* The same test in a step of the session; the step is in its name. */
#define TEST_IN(test, step, value)                                                  \
	{                                                                           \
#test " in " #step, test, process_set_up, process_tear_down, &value \
	}

int main(void)
{
	static enum proc_step in[PROC_N_STEPS] = {
		PROC_IDLE,	 PROC_AUTHORISATION, PROC_SESSION,   PROC_STANDBY,
		PROC_INSULATION, PROC_LOWERING,	     PROC_PRECHARGE, PROC_FLOATING,
		PROC_TRANSFER,	 PROC_ENDING,	     PROC_OPEN,	     PROC_CLOSING,
	};
	const struct CMUnitTest tests[] = {
		TEST(test_process_sigterm_without_module_ends),
		TEST_IN(test_process_sigterm_ends_ordered, idle, in[PROC_IDLE]),
		TEST_IN(test_process_sigterm_ends_ordered, authorisation, in[PROC_AUTHORISATION]),
		TEST_IN(test_process_sigterm_ends_ordered, session, in[PROC_SESSION]),
		TEST_IN(test_process_sigterm_ends_ordered, standby, in[PROC_STANDBY]),
		TEST_IN(test_process_sigterm_ends_ordered, insulation_test, in[PROC_INSULATION]),
		TEST_IN(test_process_sigterm_ends_ordered, lowering, in[PROC_LOWERING]),
		TEST_IN(test_process_sigterm_ends_ordered, precharge, in[PROC_PRECHARGE]),
		TEST_IN(test_process_sigterm_ends_ordered, floating, in[PROC_FLOATING]),
		TEST_IN(test_process_sigterm_ends_ordered, transfer, in[PROC_TRANSFER]),
		TEST_IN(test_process_sigterm_ends_ordered, ending, in[PROC_ENDING]),
		TEST_IN(test_process_sigterm_ends_ordered, open, in[PROC_OPEN]),
		TEST_IN(test_process_sigterm_ends_ordered, closing, in[PROC_CLOSING]),
		TEST_IN(test_process_sigint_ends_ordered, idle, in[PROC_IDLE]),
		TEST_IN(test_process_sigint_ends_ordered, transfer, in[PROC_TRANSFER]),
		TEST(test_flood_changes_nothing_and_loses_nothing),
		TEST(test_pistols_are_independent),
		TEST(test_control_status_set_stop_act_on_the_session),
		TEST(test_control_refuses_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
