/* SPDX-License-Identifier: MIT */
/*
 * Who may be the broker, and who we are to it: certificates, host names, passwords, and files that others can
 * read. With a real broker and certificates made on the spot. Skipped where mosquitto or openssl are not
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

#include "tests/lib/mqtt_gw_rig.h"

#define PROGRAM_LIMIT_MS 20000

struct fixture {
	struct mqtt_broker broker;
	struct gw_rig gw;
	char url[64], ca[160], file[160], second[160];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char why[80];

	*state = f;
	f->gw.child.pid_fd = f->gw.child.output_fd = -1;
	f->broker.child.pid_fd = f->broker.child.output_fd = -1;
	if (!mqtt_is_installed(why, sizeof(why)))
		return 0;
	mqtt_broker_open(&f->broker);
	gw_open(&f->gw, &f->broker, "gw");
	snprintf(f->url, sizeof(f->url), "mqtts://localhost:%u", f->broker.tls_port);
	mqtt_broker_path(&f->broker, "ca.pem", f->ca);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	gw_close(&f->gw);
	mqtt_broker_close(&f->broker);
	free(f);
	return 0;
}

static void skip_without_broker(void)
{
	char why[80];

	if (mqtt_is_installed(why, sizeof(why)))
		return;
	print_message("skipped: %s\n", why);
	skip();
}

/*
 * A broker with a TLS listener whose certificate is for `host`, signed by ca.pem; and more lines for that
 * listener.
 */
static void start_broker(struct fixture *f, const char *host, const char *more)
{
	struct mqtt_broker *b = &f->broker;

	skip_without_broker();
	mqtt_make_authority(b, "ca");
	mqtt_make_certificate(b, "ca", "server", host);
	snprintf(b->config, sizeof(b->config),
		 "listener %u 127.0.0.1\ncafile %s/ca.pem\ncertfile %s/server.pem\nkeyfile %s/server.key\n%s",
		 b->tls_port, b->folder, b->folder, b->folder, more);
	mqtt_broker_start(b);
}

#define OPTIONS(f, ...)                                                                                      \
	(const char *const[])                                                                                \
	{                                                                                                    \
		"--point-1=bay-1", "--evse=none", "--backoff-min-ms=50", "--backoff-max-ms=100", "--broker", \
			(f)->url, __VA_ARGS__, NULL                                                          \
	}

/* It goes on trying, is never connected, and says why. */
static void expect_refusal(struct fixture *f, const char *why)
{
	char value[200];

	gw_wait_number(&f->gw, "attempts_failed", 3);
	assert_string_equal(gw_value(&f->gw, "connected", value), "0");
	assert_string_equal(gw_value(&f->gw, "n_connections", value), "0");
	if (!strstr(gw_value(&f->gw, "not_connected_because", value), why)) {
		char what[400];

		snprintf(what, sizeof(what), "the reason is '%s', without '%s'", value, why);
		gw_fail(&f->gw, what);
	}
}

/* Wrong from the start: it ends with that exit code and sentence. */
static void expect_exit(struct fixture *f, const char *const options[], int code, const char *sentence)
{
	gw_launch(&f->gw, "point", options, NULL);
	if (!proc_wait(&f->gw.child, PROGRAM_LIMIT_MS))
		gw_fail(&f->gw, "does not end");
	proc_output(&f->gw.child, f->gw.text, sizeof(f->gw.text));
	if (proc_exit_code(&f->gw.child) != code || !strstr(f->gw.text, sentence)) {
		char what[200];

		snprintf(what, sizeof(what), "exit code %d, expected %d with '%s'",
			 proc_exit_code(&f->gw.child), code, sentence);
		gw_fail(&f->gw, what);
	}
}

/* --- the broker ----------------------------------------------------------------------------------------- */

static void test_tls_broker_with_right_certificate_is_taken(void **state)
{
	struct fixture *f = *state;

	start_broker(f, "DNS:localhost", "allow_anonymous true\n");
	gw_start(&f->gw, "point", OPTIONS(f, "--tls=required", "--cafile", f->ca), NULL);
	gw_wait_value(&f->gw, "tls", "1");
}

static void test_tls_broker_with_newest_protocol_alone_is_taken(void **state)
{
	struct fixture *f = *state;

	start_broker(f, "DNS:localhost", "allow_anonymous true\ntls_version tlsv1.3\n");
	gw_start(&f->gw, "point", OPTIONS(f, "--tls=required", "--cafile", f->ca), NULL);
}

static void test_tls_broker_by_address_needs_address_in_certificate(void **state)
{
	struct fixture *f = *state;

	start_broker(f, "IP:127.0.0.1", "allow_anonymous true\n");
	snprintf(f->url, sizeof(f->url), "mqtts://127.0.0.1:%u", f->broker.tls_port);
	gw_start(&f->gw, "point", OPTIONS(f, "--tls=required", "--cafile", f->ca), NULL);
}

static void test_tls_broker_of_unknown_authority_is_refused(void **state)
{
	struct fixture *f = *state;
	char other[160];

	start_broker(f, "DNS:localhost", "allow_anonymous true\n");
	mqtt_make_authority(&f->broker, "other");
	gw_launch(&f->gw, "point",
		  OPTIONS(f, "--tls=required", "--cafile", mqtt_broker_path(&f->broker, "other.pem", other)),
		  NULL);
	expect_refusal(f, "certificate verify failed");
}

static void test_tls_broker_without_our_authority_is_refused_by_system_ones(void **state)
{
	struct fixture *f = *state;

	start_broker(f, "DNS:localhost", "allow_anonymous true\n");
	gw_launch(&f->gw, "point", OPTIONS(f, "--tls=required"), NULL);
	expect_refusal(f, "certificate verify failed");
}

static void test_tls_broker_of_other_host_name_is_refused(void **state)
{
	struct fixture *f = *state;

	start_broker(f, "DNS:elsewhere.example", "allow_anonymous true\n");
	gw_launch(&f->gw, "point", OPTIONS(f, "--tls=required", "--cafile", f->ca), NULL);
	expect_refusal(f, "verif");
}

/* Its own certificate, signed by nobody: what an impostor has. */
static void test_tls_broker_signed_by_itself_is_refused(void **state)
{
	struct fixture *f = *state;
	struct mqtt_broker *b = &f->broker;

	skip_without_broker();
	mqtt_make_authority(b, "ca");
	mqtt_make_authority(b, "self");
	snprintf(b->config, sizeof(b->config),
		 "listener %u 127.0.0.1\ncertfile %s/self.pem\nkeyfile %s/self.key\nallow_anonymous true\n",
		 b->tls_port, b->folder, b->folder);
	mqtt_broker_start(b);
	gw_launch(&f->gw, "point", OPTIONS(f, "--tls=required", "--cafile", f->ca), NULL);
	expect_refusal(f, "certificate verify failed");
}

static void test_tls_plain_broker_behind_tls_address_is_refused(void **state)
{
	struct fixture *f = *state;

	skip_without_broker();
	mqtt_broker_start(&f->broker);
	snprintf(f->url, sizeof(f->url), "mqtts://localhost:%u", f->broker.port);
	gw_launch(&f->gw, "point", OPTIONS(f, "--connect-timeout-ms=1000"), NULL);
	expect_refusal(f, "");
}

static void test_tls_required_with_plain_address_ends_at_once(void **state)
{
	struct fixture *f = *state;

	skip_without_broker();
	snprintf(f->url, sizeof(f->url), "mqtts://localhost,mqtt://localhost");
	expect_exit(f, OPTIONS(f, "--tls=required"), 1, "not encrypted and the broker could be anybody");
	expect_exit(f, OPTIONS(f, "--tls=required", "--check-config"), 1, "mqtt:// is not encrypted");
}

/* --- who we are ----------------------------------------------------------------------------------------- */

static void test_tls_client_certificate_is_shown_to_broker(void **state)
{
	struct fixture *f = *state;

	start_broker(f, "DNS:localhost", "allow_anonymous true\nrequire_certificate true\n");
	mqtt_make_certificate(&f->broker, "ca", "client", "DNS:gateway");
	gw_start(&f->gw, "point",
		 OPTIONS(f, "--tls=required", "--cafile", f->ca, "--certfile",
			 mqtt_broker_path(&f->broker, "client.pem", f->file), "--keyfile",
			 mqtt_broker_path(&f->broker, "client.key", f->second)),
		 NULL);
}

static void test_tls_missing_client_certificate_is_said(void **state)
{
	struct fixture *f = *state;

	start_broker(f, "DNS:localhost", "allow_anonymous true\nrequire_certificate true\n");
	gw_launch(&f->gw, "point", OPTIONS(f, "--tls=required", "--cafile", f->ca), NULL);
	expect_refusal(f, "");
}

/* A broker that wants a password: user "gw", password "correct horse". */
static void make_password_broker(struct fixture *f)
{
	struct mqtt_broker *b = &f->broker;
	const char *argv[] = {"/usr/bin/mosquitto_passwd", "-b", "-c", f->file, "gw", "correct horse", NULL};
	char more[260];

	skip_without_broker();
	mqtt_broker_path(b, "passwords", f->file);
	mqtt_run(argv);
	snprintf(more, sizeof(more), "allow_anonymous false\npassword_file %s\n", f->file);
	start_broker(f, "DNS:localhost", more);
	mqtt_broker_path(b, "credentials", f->second);
}

static void test_password_of_file_opens_the_broker(void **state)
{
	struct fixture *f = *state;

	make_password_broker(f);
	mqtt_broker_write(&f->broker, "credentials", "gw\ncorrect horse\n", 0600);
	gw_start(&f->gw, "point", OPTIONS(f, "--cafile", f->ca, "--credentials", f->second), NULL);
}

static void test_password_wrong_or_missing_is_said_and_tried_again(void **state)
{
	struct fixture *f = *state;

	make_password_broker(f);
	mqtt_broker_write(&f->broker, "credentials", "gw\nwrong\n", 0600);
	gw_launch(&f->gw, "point", OPTIONS(f, "--cafile", f->ca, "--credentials", f->second), NULL);
	expect_refusal(f, "the broker refuses us");
	gw_launch(&f->gw, "point", OPTIONS(f, "--cafile", f->ca), NULL);
	expect_refusal(f, "the broker refuses us");
}

static void test_password_never_shows_in_log_or_settings(void **state)
{
	struct fixture *f = *state;

	make_password_broker(f);
	mqtt_broker_write(&f->broker, "credentials", "gw\ncorrect horse\n", 0600);
	gw_start(&f->gw, "point", OPTIONS(f, "-vv", "--cafile", f->ca, "--credentials", f->second), NULL);
	assert_null(strstr(f->gw.text, "horse"));
	assert_int_equal(gw_stop(&f->gw), 0);
	proc_output(&f->gw.child, f->gw.text, sizeof(f->gw.text));
	assert_null(strstr(f->gw.text, "horse"));
}

static void test_password_file_of_others_or_without_both_lines_ends_at_once(void **state)
{
	static const char *const bad[] = {"", "gw\n", "gw\n\n", "\nword\n", "gw\nword\nmore\n"};
	struct fixture *f = *state;
	size_t i;

	skip_without_broker();
	mqtt_broker_path(&f->broker, "credentials", f->second);
	mqtt_broker_write(&f->broker, "credentials", "gw\nsecret-word\n", 0640);
	expect_exit(f, OPTIONS(f, "--credentials", f->second), 1, "others could read or write it");
	assert_null(strstr(f->gw.text, "secret-word"));
	mqtt_broker_write(&f->broker, "credentials", "gw\nsecret-word\n", 0602);
	expect_exit(f, OPTIONS(f, "--credentials", f->second), 1, "others could read or write it");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		mqtt_broker_write(&f->broker, "credentials", bad[i], 0600);
		expect_exit(f, OPTIONS(f, "--credentials", f->second), 1, "must hold two lines");
	}
	expect_exit(f, OPTIONS(f, "--credentials=/nowhere/at-all"), 1, "/nowhere/at-all: No such file");
}

static void test_settings_that_cannot_work_end_at_once(void **state)
{
	struct fixture *f = *state;

	skip_without_broker();
	expect_exit(f, OPTIONS(f, "--cafile=/nowhere/ca.pem"), 1, "/nowhere/ca.pem: No such file");
	expect_exit(f, OPTIONS(f, "--certfile=/etc/hostname"), 1, "only both together");
	expect_exit(f, OPTIONS(f, "--point-2=bay-1"), 1, "another point has this name");
	expect_exit(f, OPTIONS(f, "--point-16=bay-9"), 1, "pistols have the numbers 1 to 15");
	expect_exit(f, OPTIONS(f, "--point-2=bay/9"), 1, "make a name");
	expect_exit(f, OPTIONS(f, "--window-1=mon 9-17"), 1, "must have times after the days");
	expect_exit(f, OPTIONS(f, "--window-1=mon 09:00-17:00 @bay-7"), 1, "no such point here");
	expect_exit(f, OPTIONS(f, "--site=a#b"), 1, "make a name");
	snprintf(f->url, sizeof(f->url), "mqtt://gw:secret-word@localhost");
	expect_exit(f, OPTIONS(f, "--check-config"), 1, "--credentials");
	assert_null(strstr(f->gw.text, "secret-word"));
	snprintf(f->url, sizeof(f->url), "tcp://localhost");
	expect_exit(f, OPTIONS(f, "--check-config"), 1, "must begin with mqtt:// or mqtts://");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tls_broker_with_right_certificate_is_taken),
		TEST(test_tls_broker_with_newest_protocol_alone_is_taken),
		TEST(test_tls_broker_by_address_needs_address_in_certificate),
		TEST(test_tls_broker_of_unknown_authority_is_refused),
		TEST(test_tls_broker_without_our_authority_is_refused_by_system_ones),
		TEST(test_tls_broker_of_other_host_name_is_refused),
		TEST(test_tls_broker_signed_by_itself_is_refused),
		TEST(test_tls_plain_broker_behind_tls_address_is_refused),
		TEST(test_tls_required_with_plain_address_ends_at_once),
		TEST(test_tls_client_certificate_is_shown_to_broker),
		TEST(test_tls_missing_client_certificate_is_said),
		TEST(test_password_of_file_opens_the_broker),
		TEST(test_password_wrong_or_missing_is_said_and_tried_again),
		TEST(test_password_never_shows_in_log_or_settings),
		TEST(test_password_file_of_others_or_without_both_lines_ends_at_once),
		TEST(test_settings_that_cannot_work_end_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
