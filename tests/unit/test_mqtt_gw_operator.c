/* SPDX-License-Identifier: MIT */
/*
 * Commands of operators by a real broker and mqtt-gw to a real evse-ctrl, each to its end; and tariff
 * windows. Skipped where mosquitto is not installed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/lib/json_check.h"
#include "tests/lib/mqtt_gw_rig.h"
#include "tests/lib/process_rig.h"

#define BASE "forecourt/yard/point/bay-1"
#define S    1000000

struct fixture {
	struct mqtt_broker broker;
	struct gw_rig gw;
	struct mqtt_peer peer;
	struct process_rig *evse;
	char url[64];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	void *rig = NULL;
	char why[80];

	*state = f;
	f->peer.fd = f->gw.child.pid_fd = f->gw.child.output_fd = -1;
	f->broker.child.pid_fd = f->broker.child.output_fd = -1;
	if (!mqtt_is_installed(why, sizeof(why)))
		return 0;
	if (process_set_up(&rig))
		return -1;
	f->evse = rig;
	mqtt_broker_open(&f->broker);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	void *rig = f->evse;

	gw_close(&f->gw);
	mqtt_peer_close(&f->peer);
	mqtt_broker_close(&f->broker);
	if (rig)
		process_tear_down(&rig);
	free(f);
	return 0;
}

/* Broker, observer, and a gateway on the bus of the controller, which need not be there yet. */
static void start_gateway(struct fixture *f, const char *const extra[], const char *const env[])
{
	const char *options[24] = {"--broker",	      f->url,	       "--site=yard",
				   "--point-1=bay-1", "--poll-ms=100", "--evse"};
	char why[80];
	size_t n = 6;

	if (!mqtt_is_installed(why, sizeof(why))) {
		print_message("skipped: %s\n", why);
		skip();
	}
	options[n++] = f->evse->socket;
	while (*extra)
		options[n++] = *extra++;
	mqtt_broker_start(&f->broker);
	snprintf(f->url, sizeof(f->url), "mqtt://localhost:%u", f->broker.port);
	gw_open(&f->gw, &f->broker, "gw");
	snprintf(f->gw.url, sizeof(f->gw.url), "%s", f->evse->url);
	mqtt_peer_open(&f->peer, f->broker.port, "observer", true);
	mqtt_peer_subscribe(&f->peer, "forecourt/#", 1);
	gw_start(&f->gw, "point", options, env);
}

static const char *const nothing[] = {NULL};

/* The module is silent while we listen to the broker: that must not end a session here. */
static const char *const patient[] = {PROC_FAST_OPTIONS, "--module-timeout-ms=10000", NULL};

static void start(struct fixture *f)
{
	start_gateway(f, nothing, NULL);
	process_start_points(f->evse, patient, NULL, 1);
	proc_module_state(&f->evse->module, 1, 1);
	mqtt_peer_expect_text(&f->peer, BASE "/state", "\"controller\":\"Idle\"");
}

static void command(struct fixture *f, const char *id, const char *rest)
{
	char text[300];

	snprintf(text, sizeof(text), "{\"v\":1,\"id\":\"%s\",%s}", id, rest);
	mqtt_peer_publish(&f->peer, BASE "/command", text, false);
}

/* The next step of that command must be this one. */
static const struct mqtt_message *step(struct fixture *f, const char *id, const char *status)
{
	char topic[160], text[80];
	const struct mqtt_message *m;

	snprintf(topic, sizeof(topic), BASE "/command/%s/status", id);
	snprintf(text, sizeof(text), "\"status\":\"%s\"", status);
	m = mqtt_peer_expect(&f->peer, topic);
	assert_null(json_check(m->payload, m->n));
	if (!strstr(m->payload, text))
		fail_msg("step %s is due, it is: %s", status, m->payload);
	return m;
}

static void steps_to_executed(struct fixture *f, const char *id)
{
	step(f, id, "requested");
	step(f, id, "delivered");
	step(f, id, "executed");
}

/* --- each command --------------------------------------------------------------------------------------- */

static void test_operator_lock_and_unlock_are_followed_to_confirmed(void **state)
{
	struct fixture *f = *state;

	start(f);
	command(f, "l1", "\"command\":\"lock\"");
	steps_to_executed(f, "l1");
	step(f, "l1", "confirmed");
	assert_true(process_ask(f->evse, "status"));
	assert_int_equal(process_answered(f->evse, "start_allowed"), 0);
	command(f, "u1", "\"command\":\"unlock\"");
	steps_to_executed(f, "u1");
	step(f, "u1", "confirmed");
	assert_true(process_ask(f->evse, "status"));
	assert_int_equal(process_answered(f->evse, "start_allowed"), 1);
}

static void test_operator_set_current_is_in_force_when_confirmed(void **state)
{
	struct fixture *f = *state;

	start(f);
	command(f, "c1", "\"command\":\"set-current\",\"current_mA\":32500");
	steps_to_executed(f, "c1");
	step(f, "c1", "confirmed");
	assert_true(process_ask(f->evse, "get maximum_charge_current"));
	assert_non_null(strstr(f->evse->text, "maximum_charge_current=32.5\n"));
}

static void test_operator_get_all_answers_status_and_settings(void **state)
{
	struct fixture *f = *state;
	const struct mqtt_message *m;

	start(f);
	command(f, "g1", "\"command\":\"get-all\"");
	steps_to_executed(f, "g1");
	m = step(f, "g1", "confirmed");
	assert_non_null(strstr(m->payload, "\"result\":{\"status\":{\"state\":\"Idle\""));
	assert_non_null(strstr(m->payload, "\"maximum_charge_current\":120"));
	/* Asked again, the same answer. */
	command(f, "g1", "\"command\":\"get-all\"");
	m = step(f, "g1", "confirmed");
	assert_non_null(strstr(m->payload, "\"is_repeat\":true"));
	assert_non_null(strstr(m->payload, "\"result\":{\"status\":{"));
}

static void test_operator_start_is_confirmed_by_a_session(void **state)
{
	struct fixture *f = *state;

	start(f);
	command(f, "s1", "\"command\":\"start\"");
	steps_to_executed(f, "s1");
	process_walk(f->evse, -1, PROC_STANDBY);
	proc_module_wait(&f->evse->module, S / 2, NULL, NULL);
	step(f, "s1", "confirmed");
}

static void test_operator_stop_is_confirmed_by_the_end_of_the_session(void **state)
{
	struct fixture *f = *state;

	start(f);
	process_walk(f->evse, -1, PROC_TRANSFER);
	mqtt_peer_expect_text(&f->peer, BASE "/state", "\"is_session_open\":true");
	command(f, "s2", "\"command\":\"stop\"");
	proc_module_wait(&f->evse->module, S / 2, NULL, NULL);
	assert_int_equal(f->evse->module.point[1].sequence.user_stop_button, 1);
	process_walk(f->evse, PROC_TRANSFER, PROC_CLOSING);
	proc_module_wait(&f->evse->module, S / 2, NULL, NULL);
	steps_to_executed(f, "s2");
	step(f, "s2", "confirmed");
}

static void test_operator_reset_clears_faults(void **state)
{
	struct fixture *f = *state;

	start(f);
	assert_true(process_ask(f->evse, "emergency"));
	mqtt_peer_expect_text(&f->peer, BASE "/state", "\"faults\":[\"emergency_button\"]");
	proc_module_wait(&f->evse->module, S, NULL, NULL);
	command(f, "r1", "\"command\":\"reset\"");
	steps_to_executed(f, "r1");
	step(f, "r1", "confirmed");
	assert_true(process_ask(f->evse, "status"));
	assert_non_null(strstr(f->evse->text, "faults=none\n"));
}

/* --- what goes wrong ------------------------------------------------------------------------------------ */

static void test_operator_command_twice_is_executed_once(void **state)
{
	struct fixture *f = *state;

	start(f);
	command(f, "d1", "\"command\":\"lock\"");
	steps_to_executed(f, "d1");
	step(f, "d1", "confirmed");
	assert_true(process_ask(f->evse, "start allow"));
	command(f, "d1", "\"command\":\"lock\"");
	assert_non_null(strstr(step(f, "d1", "confirmed")->payload, "\"is_repeat\":true"));
	command(f, "d1", "\"command\":\"unlock\"");
	assert_non_null(strstr(step(f, "d1", "refused")->payload, "belongs to another command"));
	assert_true(process_ask(f->evse, "status"));
	assert_int_equal(process_answered(f->evse, "start_allowed"), 1);
}

static void test_operator_command_waits_for_controller_then_expires(void **state)
{
	static const char *const soon[] = {"--confirm-timeout-ms=200", NULL};
	struct fixture *f = *state;

	start_gateway(f, soon, NULL);
	command(f, "e1", "\"command\":\"lock\",\"expires_s\":1");
	step(f, "e1", "requested");
	assert_non_null(strstr(step(f, "e1", "expired")->payload, "could not be reached"));
	command(f, "e2", "\"command\":\"lock\",\"expires_s\":60");
	step(f, "e2", "requested");
	process_start(f->evse);
	step(f, "e2", "delivered");
	step(f, "e2", "executed");
	step(f, "e2", "confirmed");
	/* Nobody plugs in. */
	command(f, "e3", "\"command\":\"start\"");
	steps_to_executed(f, "e3");
	assert_non_null(strstr(step(f, "e3", "expired")->payload, "its effect did not show"));
}

static void test_operator_command_of_unknown_content_is_refused(void **state)
{
	static const char *const bad[] = {
		"\"command\":\"explode\"",
		"\"command\":\"lock\",\"colour\":\"blue\"",
		"\"command\":\"lock\",\"current_mA\":1",
		"\"command\":\"set-current\"",
		"\"command\":\"set-current\",\"current_mA\":-1",
		"\"command\":\"set-current\",\"current_mA\":6553501",
		"\"command\":\"set-current\",\"current_mA\":1.5",
		"\"command\":\"set-current\",\"current_mA\":\"32000\"",
		"\"command\":\"lock\",\"expires_s\":0",
		"\"command\":\"lock\",\"expires_s\":3601",
		"\"command\":null",
	};
	struct fixture *f = *state;
	char id[16];
	size_t i;

	start_gateway(f, nothing, NULL);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(id, sizeof(id), "b%zu", i);
		command(f, id, bad[i]);
		step(f, id, "refused");
	}
	/* Without a usable id there is no place for an answer. */
	command(f, "a/b", "\"command\":\"lock\"");
	command(f, "#", "\"command\":\"lock\"");
	mqtt_peer_publish(&f->peer, BASE "/command", "{\"command\":\"lock\"}", false);
	mqtt_peer_publish(&f->peer, BASE "/command", "[]", false);
	gw_wait_value(&f->gw, "n_messages_refused", "15");
	gw_wait_value(&f->gw, "n_commands", "0");
}

static void test_operator_command_without_controller_is_unsupported(void **state)
{
	static const char *const none[] = {"--evse-1=none", NULL};
	struct fixture *f = *state;

	start_gateway(f, none, NULL);
	command(f, "n1", "\"command\":\"reset\"");
	step(f, "n1", "requested");
	assert_non_null(strstr(step(f, "n1", "unsupported")->payload, "no control socket"));
}

static void test_operator_steps_while_broker_is_away_arrive_afterwards(void **state)
{
	struct fixture *f = *state;

	start_gateway(f, nothing, NULL);
	/* One whose messages the broker keeps: the gateway may be back before us. */
	mqtt_peer_close(&f->peer);
	mqtt_peer_open(&f->peer, f->broker.port, "keeper", false);
	mqtt_peer_subscribe(&f->peer, BASE "/command/+/status", 1);
	command(f, "w1", "\"command\":\"lock\",\"expires_s\":60");
	step(f, "w1", "requested");
	mqtt_peer_close(&f->peer);
	mqtt_broker_stop(&f->broker, 15);
	gw_wait_value(&f->gw, "connected", "0");
	process_start(f->evse);
	gw_wait_value(&f->gw, "n_commands_confirmed", "1");
	mqtt_broker_start(&f->broker);
	mqtt_peer_open(&f->peer, f->broker.port, "keeper", false);
	mqtt_peer_expect_text(&f->peer, BASE "/command/w1/status", "\"status\":\"confirmed\"");
}

/* --- tariff --------------------------------------------------------------------------------------------- */

static void test_tariff_window_opens_and_closes_the_point(void **state)
{
	static const char *const days[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
	static const char *const utc[] = {"TZ=UTC0", NULL};
	struct fixture *f = *state;
	char window[60], always[] = "--window-1=daily 00:00-24:00 @bay-1";
	const char *closed[] = {window, NULL}, *open[] = {always, NULL};
	time_t now = time(NULL);
	struct tm tm;

	assert_non_null(gmtime_r(&now, &tm));
	snprintf(window, sizeof(window), "--window-1=%s 10:00-10:01", days[(tm.tm_wday + 3) % 7]);
	start_gateway(f, closed, utc);
	process_start(f->evse);
	mqtt_peer_expect_text(&f->peer, BASE "/state", "\"is_start_allowed\":false");
	gw_wait_value(&f->gw, "1.tariff", "closed");
	assert_int_equal(gw_stop(&f->gw), 0);
	gw_close(&f->gw);
	mqtt_broker_stop(&f->broker, 15);
	mqtt_peer_close(&f->peer);
	start_gateway(f, open, utc);
	mqtt_peer_expect_text(&f->peer, BASE "/state", "\"is_start_allowed\":true");
	gw_wait_value(&f->gw, "1.tariff", "open");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_operator_lock_and_unlock_are_followed_to_confirmed),
		TEST(test_operator_set_current_is_in_force_when_confirmed),
		TEST(test_operator_get_all_answers_status_and_settings),
		TEST(test_operator_start_is_confirmed_by_a_session),
		TEST(test_operator_stop_is_confirmed_by_the_end_of_the_session),
		TEST(test_operator_reset_clears_faults),
		TEST(test_operator_command_twice_is_executed_once),
		TEST(test_operator_command_waits_for_controller_then_expires),
		TEST(test_operator_command_of_unknown_content_is_refused),
		TEST(test_operator_command_without_controller_is_unsupported),
		TEST(test_operator_steps_while_broker_is_away_arrive_afterwards),
		TEST(test_tariff_window_opens_and_closes_the_point),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
