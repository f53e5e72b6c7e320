/* SPDX-License-Identifier: MIT */
/* The monitors as processes, without a terminal: on a live bus, on a log, with metrics and journal. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sqlite3.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "evse_msgs.h"
#include "lib/can/can_bus.h"
#include "tests/lib/proc_child.h"

#define HANG_MS	 20000
#define MAX_ARGS 16
#define TEXT	 65536

struct rig {
	struct proc_child child;
	struct can_bus *bus;
	char url[64], log[64], journal[80], text[TEXT];
};

static int setup(void **state)
{
	static struct rig r;
	char err[160];
	int fd;

	memset(&r, 0, sizeof(r));
	snprintf(r.log, sizeof(r.log), "/tmp/forecourt-monitor-XXXXXX");
	fd = mkstemp(r.log);
	if (fd < 0 || !proc_pick_bus(r.url, sizeof(r.url)) || can_bus_open(r.url, &r.bus, err, sizeof(err)))
		return -1;
	close(fd);
	snprintf(r.journal, sizeof(r.journal), "%s.db", r.log);
	*state = &r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	proc_end(&r->child);
	can_bus_close(r->bus);
	unlink(r->log);
	unlink(r->journal);
	return 0;
}

/* The program's words are given as one text; they hold no blanks. */
static void launch(struct rig *r, const char *program, const char *line)
{
	static char words[512];
	char path[PROC_PATH_MAX], *word;
	const char *argv[MAX_ARGS + 1] = {path};
	int n = 1;

	snprintf(words, sizeof(words), "%s", line);
	for (word = strtok(words, " "); word && n < MAX_ARGS; word = strtok(NULL, " "))
		argv[n++] = word;
	argv[n] = NULL;
	assert_true(proc_find_program(program, path));
	assert_int_equal(proc_start(&r->child, argv, NULL), 0);
}

static int finish(struct rig *r)
{
	if (!proc_wait(&r->child, HANG_MS))
		fail_msg("the monitor does not end");
	proc_output(&r->child, r->text, sizeof(r->text));
	return proc_exit_code(&r->child);
}

static int run(struct rig *r, const char *program, const char *line)
{
	launch(r, program, line);
	return finish(r);
}

static void send_state(struct rig *r, uint8_t number)
{
	struct evse_advantics_controller_status m = {.state = number};
	struct can_frame f;

	msg_to_frame(&evse_layouts[EVSE_V3_6][EVSE_ADVANTICS_CONTROLLER_STATUS], &m, 1, &f);
	assert_int_equal(can_bus_send(r->bus, &f), 0);
}

/* Says the state again and again, as a module does, until it is in the output. */
static void say_until(struct rig *r, uint8_t number, const char *text)
{
	int64_t end_us = proc_now_us() + HANG_MS * 1000;

	do {
		if (proc_now_us() > end_us)
			fail_msg("never printed %s, but:\n%s", text, r->text);
		send_state(r, number);
		poll(NULL, 0, 20);
		proc_output(&r->child, r->text, sizeof(r->text));
	} while (!strstr(r->text, text));
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* --- a live bus --------------------------------------------------------------------------------------------- */

static void test_live_text_tells_changes_and_a_signal_ends_it(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
	struct rig *r = *state;
	char line[128];
	size_t i;

	snprintf(line, sizeof(line), "-i %s --text", r->url);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		launch(r, "evse-monitor", line);
		say_until(r, 2, "Negotiating_Connection");
		say_until(r, 3, "Connected_With_Full_Info");
		kill(r->child.pid, signals[i]);
		assert_int_equal(finish(r), 0);
		proc_end(&r->child);
	}
}

static void test_live_once_tells_what_it_heard(void **state)
{
	struct rig *r = *state;
	char line[128];

	snprintf(line, sizeof(line), "-i %s --once --json --timeout 15", r->url);
	launch(r, "evse-monitor", line);
	while (!proc_wait(&r->child, 0)) {
		send_state(r, 4);
		poll(NULL, 0, 20);
	}
	assert_int_equal(finish(r), 0);
	assert_non_null(strstr(r->text, "\"type\":\"snapshot\""));
	assert_non_null(strstr(r->text, "Insulation_Test"));
}

static void test_live_once_of_the_other_interface_fails(void **state)
{
	struct rig *r = *state;
	char line[128];

	snprintf(line, sizeof(line), "-i %s --once --timeout 0.5", r->url);
	launch(r, "pev-monitor", line);
	while (!proc_wait(&r->child, 0)) {
		send_state(r, 4);
		poll(NULL, 0, 20);
	}
	assert_int_equal(finish(r), 1);
	assert_non_null(strstr(r->text, "nothing heard"));
}

/* A page of the metrics port, or "". */
static void get_page(unsigned port, char *page, size_t size)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\n\r\n";
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t n = 0;
	ssize_t got = 1;

	a.sin_port = htons((uint16_t)port);
	assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(write(fd, request, sizeof(request) - 1), sizeof(request) - 1);
	while (got > 0 && n + 1 < size) {
		got = read(fd, page + n, size - 1 - n);
		n += got > 0 ? (size_t)got : 0;
	}
	page[n] = '\0';
	close(fd);
}

static unsigned long long number_in(const char *page, const char *name)
{
	const char *line = page;

	while ((line = strstr(line, name)) != NULL) {
		if ((line == page || line[-1] == '\n') && line[strlen(name)] == ' ')
			return strtoull(line + strlen(name), NULL, 10);
		line++;
	}
	fail_msg("no %s in:\n%s", name, page);
	return 0;
}

/* Bursts far above what a bus of 1 Mbit/s carries, and a scrape that sees each frame of them at once. */
static void test_live_metrics_count_every_frame_of_a_burst(void **state)
{
	static char page[512 * 1024];
	struct rig *r = *state;
	char line[128];
	unsigned port, burst, i;
	uint64_t n_before;

	snprintf(line, sizeof(line), "-i %s --text --metrics 0", r->url);
	launch(r, "evse-monitor", line);
	say_until(r, 2, "Negotiating_Connection");
	assert_int_equal(sscanf(strstr(r->text, "metrics on port "), "metrics on port %u", &port), 1);
	get_page(port, page, sizeof(page));
	assert_non_null(strstr(page, "HTTP/1.1 200 OK\r\n"));
	assert_non_null(strstr(page, "# TYPE "));
	n_before = number_in(page, "forecourt_bus_frames_total");
	for (burst = 1; burst <= 5; burst++) {
		for (i = 0; i < 300; i++) /* what the smallest receive buffer holds */
			send_state(r, (uint8_t)(2 + i % 3));
		get_page(port, page, sizeof(page));
		assert_int_equal(number_in(page, "forecourt_bus_frames_total"), n_before + burst * 300);
	}
	assert_int_equal(number_in(page, "forecourt_bus_dropped_frames_total"), 0);
}

static void test_live_journal_records_the_session_that_was_running(void **state)
{
	struct rig *r = *state;
	sqlite3_stmt *s;
	sqlite3 *db;
	char line[256];

	snprintf(line, sizeof(line), "-i %s --text --journal %s", r->url, r->journal);
	launch(r, "evse-monitor", line);
	say_until(r, 2, "Negotiating_Connection");
	say_until(r, 3, "Connected_With_Full_Info");
	kill(r->child.pid, SIGTERM);
	assert_int_equal(finish(r), 0);
	assert_int_equal(sqlite3_open(r->journal, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT COUNT(*) FROM sessions", -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(s, 0), 1);
	sqlite3_finalize(s);
	sqlite3_close(db);
}

/* --- a log -------------------------------------------------------------------------------------------------- */

static void test_replay_broken_lines_are_told_with_their_numbers(void **state)
{
	struct rig *r = *state;
	char line[128];

	write_file(r->log,
		   "(1700000000.000000) can0 0106B000#02\nnonsense\n(1700000001.000000) can0 0106B000#03\n"
		   "(1700000002.0000x0) can0 0106B000#04\n");
	snprintf(line, sizeof(line), "--replay %s", r->log);
	assert_int_equal(run(r, "evse-monitor", line), 0);
	assert_non_null(strstr(r->text, "Connected_With_Full_Info"));
	assert_non_null(strstr(r->text, "evse-monitor: line 2: "));
	assert_non_null(strstr(r->text, "evse-monitor: line 4: "));
}

static void test_replay_start_at_shows_nothing_of_before(void **state)
{
	struct rig *r = *state;
	char line[128];

	write_file(r->log, "(1700000000.000000) can0 0106B000#02\n(1700000001.000000) can0 0106B000#03\n"
			   "(1700000002.000000) can0 0106B000#04\n");
	snprintf(line, sizeof(line), "--replay %s --text --start-at 1.5", r->log);
	assert_int_equal(run(r, "evse-monitor", line), 0);
	assert_null(strstr(r->text, "Negotiating_Connection"));
	assert_non_null(strstr(r->text, "State 4 Insulation_Test"));
	proc_end(&r->child);
	snprintf(line, sizeof(line), "--replay %s --once --start-at 1.5", r->log);
	assert_int_equal(run(r, "evse-monitor", line), 0);
	assert_non_null(strstr(r->text, "1700000001.500000"));
	assert_non_null(strstr(r->text, "Connected"));
}

static unsigned count(const char *text, const char *word)
{
	unsigned n = 0;

	while ((text = strstr(text, word)) != NULL) {
		n++;
		text++;
	}
	return n;
}

static void test_replay_every_gives_a_snapshot_per_step_of_the_log(void **state)
{
	struct rig *r = *state;
	char line[128];

	write_file(r->log, "(1700000000.000000) can0 0106B000#02\n(1700000010.000000) can0 0106B000#03\n");
	snprintf(line, sizeof(line), "--replay %s --json --every 2500", r->log);
	assert_int_equal(run(r, "evse-monitor", line), 0);
	assert_int_equal(count(r->text, "\"type\":\"snapshot\""), 4);
	assert_int_equal(count(r->text, "\n"), 4);
	assert_non_null(strstr(r->text, "\"t\":1700000002.500000"));
	assert_non_null(strstr(r->text, "\"t\":1700000010.000000"));
}

static void test_replay_reader_that_leaves_ends_it_quietly(void **state)
{
	struct rig *r = *state;
	char path[PROC_PATH_MAX], command[1024];
	const char *argv[] = {"/bin/sh", "-c", command, NULL};
	FILE *f = fopen(r->log, "w");
	int i;

	for (i = 0; i < 20000; i++)
		fprintf(f, "(%d.000000) can0 0106B000#0%d\n", 1700000000 + i, 2 + i % 2);
	assert_int_equal(fclose(f), 0);
	assert_true(proc_find_program("evse-monitor", path));
	snprintf(command, sizeof(command), "{ '%s' --replay %s; echo \"status $?\" >&2; } | head -n 1", path,
		 r->log);
	assert_int_equal(proc_start(&r->child, argv, NULL), 0);
	assert_int_equal(finish(r), 0);
	assert_non_null(strstr(r->text, "status 0\n"));
	assert_int_equal(count(r->text, "\n"), 2);
}

static void test_help_fits_a_plain_terminal(void **state)
{
	struct rig *r = *state;

	assert_int_equal(run(r, "evse-monitor", "--help"), 0);
	assert_true(count(r->text, "\n") <= 24);
	proc_end(&r->child);
	assert_int_equal(run(r, "pev-monitor", "-h"), 0);
	assert_null(strstr(r->text, "pistol"));
}

#define PROCESS(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROCESS(test_live_text_tells_changes_and_a_signal_ends_it),
		PROCESS(test_live_once_tells_what_it_heard),
		PROCESS(test_live_once_of_the_other_interface_fails),
		PROCESS(test_live_metrics_count_every_frame_of_a_burst),
		PROCESS(test_live_journal_records_the_session_that_was_running),
		PROCESS(test_replay_broken_lines_are_told_with_their_numbers),
		PROCESS(test_replay_start_at_shows_nothing_of_before),
		PROCESS(test_replay_every_gives_a_snapshot_per_step_of_the_log),
		PROCESS(test_replay_reader_that_leaves_ends_it_quietly),
		PROCESS(test_help_fits_a_plain_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
