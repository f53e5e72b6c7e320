/* SPDX-License-Identifier: MIT */
/*
 * mqtt-gw as a process between a CAN bus and a real broker: what passes, what must not pass, and that nothing
 * that must arrive is lost when the broker is killed and started again. Skipped where mosquitto is not
 * installed.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/json_check.h"
#include "tests/lib/mqtt_gw_rig.h"

#define BASE	 "forecourt/yard/point/bay-1"
#define N_STATES 1000

struct fixture {
	struct mqtt_broker broker;
	struct gw_rig gw, site;
	struct mqtt_peer peer;
	char url[64];
	const char *options[24]; /* of a gateway of one point, ended by NULL */
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char why[80];

	*state = f;
	f->peer.fd = f->gw.child.pid_fd = f->gw.child.output_fd = -1;
	f->site.child.pid_fd = f->site.child.output_fd = -1;
	f->broker.child.pid_fd = f->broker.child.output_fd = -1;
	if (!mqtt_is_installed(why, sizeof(why)))
		return 0; /* each test skips itself */
	mqtt_broker_open(&f->broker);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	gw_close(&f->gw);
	gw_close(&f->site);
	mqtt_peer_close(&f->peer);
	mqtt_broker_close(&f->broker);
	free(f);
	return 0;
}

/* Broker, observer, and the gateway of one point, connected. extra: more options, ended by NULL. */
static void start(struct fixture *f, const char *role, const char *point, const char *const extra[])
{
	char why[80];
	size_t n = 0;

	if (!mqtt_is_installed(why, sizeof(why))) {
		print_message("skipped: %s\n", why);
		skip();
	}
	mqtt_broker_start(&f->broker);
	snprintf(f->url, sizeof(f->url), "mqtt://localhost:%u", f->broker.port);
	f->options[n++] = "--broker";
	f->options[n++] = f->url;
	f->options[n++] = "--site=yard";
	f->options[n++] = "--evse=none";
	f->options[n++] = "--backoff-min-ms=50";
	f->options[n++] = "--backoff-max-ms=200";
	f->options[n++] = point;
	while (*extra)
		f->options[n++] = *extra++;
	f->options[n] = NULL;
	gw_open(&f->gw, &f->broker, "gw");
	mqtt_peer_open(&f->peer, f->broker.port, "observer", false);
	mqtt_peer_subscribe(&f->peer, "forecourt/#", 1);
	gw_start(&f->gw, role, f->options, NULL);
}

static const char *const nothing[] = {NULL};

static struct site_point_report report(uint32_t number, uint8_t state)
{
	return (struct site_point_report){.number = number, .ack_age = 255, .state = state};
}

/* --- reports and grants --------------------------------------------------------------------------------- */

static void test_gw_report_of_bus_becomes_json(void **state)
{
	const struct site_point_report r = {
		.number = 77, .ack_age = 2, .ack_revision = 3, .state = 2, .may_draw_mA = 31500};
	const struct site_point_demand d = {
		.requested_mA = 32000, .present_mA = -1500, .maximum_mA = 63000, .minimum_mA = 6000};
	struct fixture *f = *state;
	const struct mqtt_message *m;

	start(f, "point", "--point-1=bay-1", nothing);
	gw_send(&f->gw, SITE_POINT_REPORT, 1, &r);
	gw_send(&f->gw, SITE_POINT_DEMAND, 1, &d);
	m = mqtt_peer_expect(&f->peer, BASE "/report");
	assert_string_equal(m->payload,
			    "{\"v\":1,\"number\":77,\"ack_age\":2,\"ack_revision\":3,\"state\":\"Charging\","
			    "\"may_draw_mA\":31500,\"is_restarted\":false,\"is_local\":false,"
			    "\"demand\":{\"requested_mA\":32000,\"present_mA\":-1500,\"maximum_mA\":63000,"
			    "\"minimum_mA\":6000}}");
	assert_int_equal(m->qos, 1);
	assert_false(m->is_retained);
}

static void test_gw_grant_of_broker_reaches_bus(void **state)
{
	struct fixture *f = *state;
	struct site_grant_reason why;
	struct site_grant g;

	start(f, "point", "--point-1=bay-1", nothing);
	mqtt_peer_publish(
		&f->peer, BASE "/grant",
		"{\"v\":1,\"number\":77,\"revision\":1,\"duration_s\":10,\"charge_mA\":16000,"
		"\"discharge_mA\":0,\"why\":{\"reason\":\"Limit\",\"row\":4,\"node\":null,\"phase\":2,"
		"\"aim_mA\":20000}}",
		false);
	gw_expect(&f->gw, SITE_GRANT, 1, &g);
	assert_int_equal(g.number, 77);
	assert_int_equal(g.revision, 1);
	assert_int_equal(g.duration, 5);
	assert_int_equal(g.charge_current_mA, 16000);
	gw_expect(&f->gw, SITE_GRANT_REASON, 1, &why);
	assert_int_equal(why.reason, SITE_GRANT_REASON_REASON_LIMIT);
	assert_int_equal(why.row, 4);
	assert_int_equal(why.node, 65535);
	assert_int_equal(why.aim_mA, 20000);
}

/* The same on the wire: structs have holes. */
static void assert_same(enum site_msg msg, const void *a, const void *b)
{
	struct can_frame f[2];

	msg_to_frame(&site_layouts[SITE_V1][msg], a, 0, &f[0]);
	msg_to_frame(&site_layouts[SITE_V1][msg], b, 0, &f[1]);
	assert_memory_equal(f[0].data, f[1].data, 8);
}

/* A cabinet's bus, two gateways, the site's bus: what comes out is what went in. */
static void test_gw_pair_carries_report_up_and_grant_down(void **state)
{
	const struct site_point_report r = {
		.number = 0xfffffe, .ack_age = 255, .state = 1, .is_restarted = 1};
	const struct site_point_demand d = {.requested_mA = 100, .maximum_mA = 6553500, .minimum_mA = 102300};
	const struct site_point_session s = {.energy_wanted = 65535,
					     .departure = 90,
					     .plugged_for = 65535,
					     .state_of_charge = 255,
					     .priority = 3};
	const struct site_point_meter m = {.energy_session = 0xffffff, .output_voltage_mV = 399900};
	const struct site_grant g = {
		.number = 0xfffffe, .revision = 15, .duration = 15, .charge_current_mA = 100};
	struct fixture *f = *state;
	struct site_point_report r2;
	struct site_point_demand d2;
	struct site_point_session s2;
	struct site_point_meter m2;
	struct site_grant g2;
	const char *options[24];

	start(f, "point", "--point-3=bay-1", nothing);
	memcpy(options, f->options, sizeof(options));
	options[6] = "--point-17=bay-1";
	gw_open(&f->site, &f->broker, "site");
	gw_start(&f->site, "site", options, NULL);
	gw_send(&f->gw, SITE_POINT_REPORT, 3, &r);
	gw_send(&f->gw, SITE_POINT_DEMAND, 3, &d);
	gw_send(&f->gw, SITE_POINT_SESSION, 3, &s);
	gw_send(&f->gw, SITE_POINT_METER, 3, &m);
	gw_expect(&f->site, SITE_POINT_REPORT, 17, &r2);
	gw_expect(&f->site, SITE_POINT_DEMAND, 17, &d2);
	gw_expect(&f->site, SITE_POINT_SESSION, 17, &s2);
	gw_expect(&f->site, SITE_POINT_METER, 17, &m2);
	assert_same(SITE_POINT_REPORT, &r2, &r);
	assert_same(SITE_POINT_DEMAND, &d2, &d);
	assert_same(SITE_POINT_SESSION, &s2, &s);
	assert_same(SITE_POINT_METER, &m2, &m);
	gw_send(&f->site, SITE_GRANT, 17, &g);
	gw_expect(&f->gw, SITE_GRANT, 3, &g2);
	assert_same(SITE_GRANT, &g2, &g);
}

static void publish_grant(struct fixture *f, unsigned number, const char *more)
{
	char text[300];

	snprintf(text, sizeof(text),
		 "{\"v\":1,\"number\":%u,\"revision\":0,\"duration_s\":10,\"charge_mA\":6000,"
		 "\"discharge_mA\":0%s}",
		 number, more);
	mqtt_peer_publish(&f->peer, BASE "/grant", text, false);
}

static void test_gw_grant_late_doubled_or_malformed_never_reaches_bus(void **state)
{
	struct fixture *f = *state;
	struct site_grant g;

	start(f, "point", "--point-1=bay-1", nothing);
	publish_grant(f, 500, "");
	gw_expect(&f->gw, SITE_GRANT, 1, &g);
	publish_grant(f, 499, "");
	publish_grant(f, 500, "");
	publish_grant(f, 502, "} and more");
	mqtt_peer_publish_bytes(&f->peer, BASE "/grant", "\0\xff\xfe", 3, false);
	mqtt_peer_publish_bytes(&f->peer, BASE "/grant", NULL, 0, false);
	publish_grant(f, 503, ",\"colour\":\"blue\"");
	gw_expect(&f->gw, SITE_GRANT, 1, &g);
	assert_int_equal(g.number, 503);
	gw_wait_value(&f->gw, "n_down_late", "2");
	gw_wait_value(&f->gw, "n_messages_refused", "3");
	gw_wait_value(&f->gw, "n_keys_unknown", "1");
}

/* What a broker keeps comes again with each connection. */
static void test_gw_grant_retained_at_broker_never_reaches_bus(void **state)
{
	struct fixture *f = *state;
	struct site_grant g;

	start(f, "point", "--point-1=bay-1", nothing);
	mqtt_peer_publish(&f->peer, BASE "/grant", "{}", true);
	gw_wait_value(&f->gw, "n_messages_refused", "1");
	mqtt_broker_stop(&f->broker, SIGTERM);
	mqtt_broker_start(&f->broker);
	gw_wait_value(&f->gw, "n_messages_retained", "1");
	mqtt_peer_open(&f->peer, f->broker.port, "observer", false);
	publish_grant(f, 1, "");
	gw_expect(&f->gw, SITE_GRANT, 1, &g);
}

static void test_gw_payload_too_large_is_counted_and_dropped(void **state)
{
	static char large[20000];
	struct fixture *f = *state;
	struct site_grant g;

	start(f, "point", "--point-1=bay-1", nothing);
	memset(large, '[', sizeof(large));
	mqtt_peer_publish_bytes(&f->peer, BASE "/grant", large, sizeof(large), false);
	mqtt_peer_publish_bytes(&f->peer, BASE "/grant", large, 8000, false);
	publish_grant(f, 1, "");
	gw_expect(&f->gw, SITE_GRANT, 1, &g);
	gw_wait_value(&f->gw, "n_messages_lost", "1");
	gw_wait_value(&f->gw, "n_messages_refused", "1");
}

/* --- states --------------------------------------------------------------------------------------------- */

/* What an observer has: each number of a state once, in order; more than once is allowed. */
struct seen {
	unsigned next;
	unsigned n_again;
};

static unsigned number_behind(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	assert_non_null(at);
	return (unsigned)strtoul(at + strlen(key), NULL, 10);
}

static void note(struct seen *s, const struct mqtt_message *m)
{
	unsigned seq;

	if (strcmp(m->topic, BASE "/state") != 0)
		return;
	assert_null(json_check(m->payload, m->n));
	seq = number_behind(m->payload, "\"seq\":");
	if (seq > s->next)
		fail_msg("state %u came where %u was due", seq, s->next);
	s->n_again += seq < s->next;
	s->next += seq == s->next;
}

static void take_all(struct fixture *f, struct seen *s, unsigned until)
{
	int64_t end_us = proc_now_us() + 3 * (int64_t)MQTT_LIMIT_MS * 1000;

	while (s->next < until) {
		const struct mqtt_message *m = mqtt_peer_next(&f->peer, MQTT_LIMIT_MS);

		if (m)
			note(s, m);
		else if (f->peer.fd < 0)
			mqtt_peer_open(&f->peer, f->broker.port, "observer", false);
		if (proc_now_us() > end_us)
			gw_fail(&f->gw, "states are missing");
	}
}

/* States from..to, each different from the one before; the gateway has taken them when this returns. */
static void change_states(struct fixture *f, unsigned from, unsigned to)
{
	unsigned i;

	for (i = from; i < to; i++) {
		const struct site_point_report r = report(i, (uint8_t)(1 + i % 2));

		gw_send(&f->gw, SITE_POINT_REPORT, 1, &r);
		if (i % 50 == 49) /* no faster than its receive buffer */
			gw_wait_number(&f->gw, "n_states", i + 1);
	}
	gw_wait_number(&f->gw, "n_states", to);
}

static void lose_no_state_over_restart(struct fixture *f, int signal)
{
	/* A pause of ours is no silence of the point: that would be one more state. */
	static const char *const patient[] = {"--report-timeout-ms=60000", NULL};
	struct seen seen = {0};
	char value[200];

	/* A broker that is killed must have kept what its subscribers asked for. */
	snprintf(f->broker.config, sizeof(f->broker.config),
		 "autosave_on_changes true\nautosave_interval 1\n");
	start(f, "point", "--point-1=bay-1", patient);
	change_states(f, 0, 300);
	take_all(f, &seen, 100); /* some are still on their way to us */
	mqtt_broker_stop(&f->broker, signal);
	gw_wait_value(&f->gw, "connected", "0");
	change_states(f, 300, 700);
	mqtt_broker_start(&f->broker);
	mqtt_peer_open(&f->peer, f->broker.port, "observer", false);
	change_states(f, 700, N_STATES);
	take_all(f, &seen, N_STATES + 1);
	gw_wait_value(&f->gw, "n_states_waiting", "0");
	assert_string_equal(gw_value(&f->gw, "n_states", value), "1000");
	assert_string_equal(gw_value(&f->gw, "n_states_dropped", value), "0");
	print_message("# 1000 states seen, %u of them more than once\n", seen.n_again);
}

static void test_gw_thousand_states_survive_restart_of_broker(void **state)
{
	lose_no_state_over_restart(*state, SIGTERM);
}

static void test_gw_thousand_states_survive_killed_broker(void **state)
{
	lose_no_state_over_restart(*state, SIGKILL);
}

/* It has acknowledged them, and died before anybody had them. */
static void test_gw_states_of_the_last_moments_come_again_after_a_broker_that_forgot(void **state)
{
	static const char *const patient[] = {"--report-timeout-ms=60000", NULL};
	struct fixture *f = *state;
	struct seen seen = {.next = 1};
	char path[160];

	start(f, "point", "--point-1=bay-1", patient);
	change_states(f, 0, 20);
	gw_wait_value(&f->gw, "n_states_waiting", "0");
	kill(f->gw.child.pid, SIGSTOP); /* until there is somebody to listen */
	mqtt_broker_stop(&f->broker, SIGKILL);
	remove(mqtt_broker_path(&f->broker, "mosquitto.db", path));
	mqtt_peer_close(&f->peer);
	mqtt_broker_start(&f->broker);
	mqtt_peer_open(&f->peer, f->broker.port, "observer", false);
	mqtt_peer_subscribe(&f->peer, "forecourt/#", 1);
	kill(f->gw.child.pid, SIGCONT);
	take_all(f, &seen, 21);
	assert_int_equal(seen.n_again, 0);
}

/* One that was acknowledged long ago is not sent again, but a broker without memory must get to know it. */
static void test_gw_state_reaches_a_broker_that_knows_nothing(void **state)
{
	static const char *const options[] = {"--report-timeout-ms=60000", "--resend-ms=0", NULL};
	struct fixture *f = *state;
	char path[160];

	start(f, "point", "--point-1=bay-1", options);
	change_states(f, 0, 3);
	gw_wait_value(&f->gw, "n_states_waiting", "0");
	mqtt_broker_stop(&f->broker, SIGKILL);
	remove(mqtt_broker_path(&f->broker, "mosquitto.db", path));
	mqtt_peer_close(&f->peer);
	mqtt_broker_start(&f->broker);
	gw_wait_value(&f->gw, "n_connections", "2");
	mqtt_peer_open(&f->peer, f->broker.port, "late", true);
	mqtt_peer_subscribe(&f->peer, BASE "/state", 1);
	mqtt_peer_expect_text(&f->peer, BASE "/state", "\"seq\":3,");
}

static void test_gw_state_is_retained_with_all_members(void **state)
{
	const struct site_point_report r = {.number = 1, .ack_age = 0, .state = 5, .is_local = 1};
	struct fixture *f = *state;
	struct mqtt_peer late = {.fd = -1};
	const struct mqtt_message *m;

	start(f, "point", "--point-1=bay-1", nothing);
	gw_send(&f->gw, SITE_POINT_REPORT, 1, &r);
	mqtt_peer_expect_text(&f->peer, BASE "/state", "\"state\":\"Fault\"");
	mqtt_peer_open(&late, f->broker.port, "late", true);
	mqtt_peer_subscribe(&late, BASE "/state", 1);
	m = mqtt_peer_expect(&late, BASE "/state");
	assert_true(m->is_retained);
	assert_null(json_check(m->payload, m->n));
	assert_non_null(strstr(m->payload, "\"state\":\"Fault\",\"is_local\":true,\"has_grant\":true,"
					   "\"controller\":null,\"is_session_open\":null"));
	mqtt_peer_close(&late);
}

static void test_gw_silent_point_is_told(void **state)
{
	static const char *const soon[] = {"--report-timeout-ms=500", NULL};
	const struct site_point_report r = report(1, 2);
	struct fixture *f = *state;

	start(f, "point", "--point-1=bay-1", soon);
	gw_send(&f->gw, SITE_POINT_REPORT, 1, &r);
	mqtt_peer_expect_text(&f->peer, BASE "/state", "\"state\":\"Charging\"");
	mqtt_peer_expect_text(&f->peer, BASE "/state", "\"state\":\"Silent\"");
	mqtt_peer_expect_text(&f->peer, BASE "/log", "Charging -> Silent");
}

/* --- logs ----------------------------------------------------------------------------------------------- */

static void test_gw_log_while_broker_is_away_comes_in_order_with_drops_counted(void **state)
{
	static const char *const few[] = {"--log-entries=16", NULL};
	struct fixture *f = *state;
	unsigned first, last, i;
	const struct mqtt_message *m;

	start(f, "point", "--point-1=bay-1", few);
	mqtt_broker_stop(&f->broker, SIGTERM);
	gw_wait_value(&f->gw, "connected", "0");
	change_states(f, 0, 50);
	mqtt_broker_start(&f->broker);
	mqtt_peer_open(&f->peer, f->broker.port, "observer", false);
	m = mqtt_peer_expect(&f->peer, BASE "/log");
	assert_null(json_check(m->payload, m->n));
	first = last = number_behind(m->payload, "\"seq\":");
	assert_true(first > 1);
	for (i = last + 1; i <= 50; i++) {
		m = mqtt_peer_expect(&f->peer, BASE "/log");
		assert_int_equal(number_behind(m->payload, "\"seq\":"), i);
	}
	/* One of the 16 places is the gateway's own word that the connection is back. */
	assert_true(number_behind(m->payload, "\"dropped\":") >= first - 1);
	gw_wait_number(&f->gw, "n_events_dropped", first - 1);
}

/* --- last will, stop ------------------------------------------------------------------------------------ */

static void test_gw_killed_leaves_its_last_will(void **state)
{
	struct fixture *f = *state;
	const struct mqtt_message *m;

	start(f, "point", "--point-1=bay-1", nothing);
	mqtt_peer_expect_text(&f->peer, "forecourt/yard/gateway/point-bay-1/state", "\"is_online\":true");
	kill(f->gw.child.pid, SIGKILL);
	m = mqtt_peer_expect_text(&f->peer, "forecourt/yard/gateway/point-bay-1/state",
				  "\"is_online\":false");
	assert_null(json_check(m->payload, m->n));
}

static void test_gw_stopped_says_goodbye_and_ends_well(void **state)
{
	const struct site_point_report r = report(1, 2);
	struct fixture *f = *state;

	start(f, "point", "--point-1=bay-1", nothing);
	gw_send(&f->gw, SITE_POINT_REPORT, 1, &r);
	gw_wait_value(&f->gw, "n_states", "1");
	assert_int_equal(gw_stop(&f->gw), 0);
	mqtt_peer_expect_text(&f->peer, BASE "/state", "\"state\":\"Charging\"");
	mqtt_peer_expect_text(&f->peer, "forecourt/yard/gateway/point-bay-1/state", "\"is_online\":false");
}

static void test_gw_without_broker_tries_the_next_one_and_says_why(void **state)
{
	struct fixture *f = *state;
	char urls[128];
	const char *options[] = {"--broker", urls, "--point-1=bay-1", "--backoff-min-ms=50", NULL};
	char why[80];

	if (!mqtt_is_installed(why, sizeof(why)))
		skip();
	mqtt_broker_start(&f->broker);
	snprintf(urls, sizeof(urls), "mqtt://127.0.0.1:1, mqtt://localhost:%u", f->broker.port);
	gw_open(&f->gw, &f->broker, "gw");
	gw_start(&f->gw, "point", options, NULL);
	mqtt_broker_stop(&f->broker, SIGKILL);
	gw_wait_value(&f->gw, "connected", "0");
	gw_wait_number(&f->gw, "attempts_failed", 3);
	gw_wait_value(&f->gw, "not_connected_because", "connecting: Connection refused*");
	assert_int_equal(gw_stop(&f->gw), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_gw_report_of_bus_becomes_json),
		TEST(test_gw_grant_of_broker_reaches_bus),
		TEST(test_gw_pair_carries_report_up_and_grant_down),
		TEST(test_gw_grant_late_doubled_or_malformed_never_reaches_bus),
		TEST(test_gw_grant_retained_at_broker_never_reaches_bus),
		TEST(test_gw_payload_too_large_is_counted_and_dropped),
		TEST(test_gw_thousand_states_survive_restart_of_broker),
		TEST(test_gw_thousand_states_survive_killed_broker),
		TEST(test_gw_states_of_the_last_moments_come_again_after_a_broker_that_forgot),
		TEST(test_gw_state_reaches_a_broker_that_knows_nothing),
		TEST(test_gw_state_is_retained_with_all_members),
		TEST(test_gw_silent_point_is_told),
		TEST(test_gw_log_while_broker_is_away_comes_in_order_with_drops_counted),
		TEST(test_gw_killed_leaves_its_last_will),
		TEST(test_gw_stopped_says_goodbye_and_ends_well),
		TEST(test_gw_without_broker_tries_the_next_one_and_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
