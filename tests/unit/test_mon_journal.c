/* SPDX-License-Identifier: MIT */
/*
 * The journal keeps every record that it has accepted, whatever happens to the process; it never touches a
 * file that is not its own.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "monitor/mon_journal.h"
#include "tests/lib/mon_script.h"

#include <evse_msgs.h>

static char folder[] = "/tmp/forecourt-journal-XXXXXX";
static char err[256];

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

/* A name of its own for each test. */
static const char *file_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static struct mon_session a_session(unsigned i)
{
	const struct mon_session s = {
		.is_known = true,
		.start_us = 1000000 * (int64_t)i,
		.end_us = 1000000 * (int64_t)i + 500000,
		.energy_Wus = INT64_C(3600000000) * 81 / 2,
		.peak_mA = 100500,
		.peak_mV = 500000,
		.peak_W = 32190,
		.soc_start_permille = 305,
		.soc_end_permille = MON_UNKNOWN,
		.protocol_name = "CCS_ISO_15118_2013_v2",
		.is_clean = true,
		.reason = "user stop",
		.fault = {"connector lock failed", "too hot"},
		.n_faults = 2,
	};

	return s;
}

static void open_journal(struct mon_journal *j, const char *path)
{
	if (mon_journal_open(j, path, MON_EVSE, EVSE_V3_6, err, sizeof(err)) != 0)
		fail_msg("%s", err);
}

static void add(struct mon_journal *j, unsigned i)
{
	const struct mon_session s = a_session(i);

	if (mon_journal_add(j, 1, &s, 0, err, sizeof(err)) != 0)
		fail_msg("%s", err);
}

/* First row as "a|b|c"; "" without one. */
static const char *ask(const char *path, const char *sql)
{
	static char row[512];
	sqlite3 *db = NULL;
	sqlite3_stmt *s = NULL;

	row[0] = '\0';
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
	if (sqlite3_step(s) == SQLITE_ROW)
		for (int i = 0; i < sqlite3_column_count(s); i++) {
			const char *column = (const char *)sqlite3_column_text(s, i);

			snprintf(row + strlen(row), sizeof(row) - strlen(row), "%s%s", i ? "|" : "",
				 column ? column : "NULL");
		}
	sqlite3_finalize(s);
	sqlite3_close(db);
	return row;
}

/* --- content ------------------------------------------------------------------------------------------- */

static void test_journal_record_has_all_columns(void **state)
{
	const char *path = file_of("columns.db");
	struct mon_journal j;
	const struct mon_session s = a_session(4);

	(void)state;
	open_journal(&j, path);
	assert_int_equal(mon_journal_add(&j, 3, &s, INT64_C(1700000000000001), err, sizeof(err)), 0);
	assert_int_equal(j.n_written, 1);
	mon_journal_close(&j);
	assert_string_equal(
		ask(path,
		    "SELECT side, interface, point, start_us, end_us, start_utc, end_utc FROM sessions"),
		"EVSE|3.6|3|1700000004000001|1700000004500001|2023-11-14T22:13:24.000001Z|"
		"2023-11-14T22:13:24.500001Z");
	assert_string_equal(
		ask(path, "SELECT energy_Wh, peak_A, peak_V, peak_W, soc_start, soc_end, protocol, reason,"
			  " is_clean, is_finished, faults FROM sessions"),
		"40.5|100.5|500.0|32190.0|30.5|NULL|CCS_ISO_15118_2013_v2|user stop|1|1|"
		"connector lock failed; too hot");
	assert_string_equal(ask(path, "PRAGMA user_version"), "1");
	assert_string_equal(ask(path, "PRAGMA journal_mode"), "delete");
	/* SQLite's own functions understand the text. */
	assert_string_equal(ask(path, "SELECT strftime('%s', start_utc) FROM sessions"), "1700000004");
}

static void test_journal_second_start_appends(void **state)
{
	const char *path = file_of("append.db");
	struct mon_journal a, b;

	(void)state;
	open_journal(&a, path);
	open_journal(&b, path); /* the other side's monitor, at the same time */
	add(&a, 1);
	add(&b, 2);
	add(&a, 3);
	mon_journal_close(&a);
	mon_journal_close(&b);
	open_journal(&a, path);
	add(&a, 4);
	mon_journal_close(&a);
	assert_string_equal(ask(path, "SELECT count(*), sum(start_us) FROM sessions"), "4|10000000");
}

static void test_journal_stop_records_running_session_as_unfinished(void **state)
{
	static struct mon_script s;
	const char *path = file_of("stop.db");
	struct mon_journal j;

	(void)state;
	mon_script_init(&s, MON_EVSE, EVSE_V3_6, NULL);
	mon_script_run(
		&s, "Power_Modules Advantics.State=1 +500 Advantics.State=2 +2000 Advantics.State=3 +1000");
	open_journal(&j, path);
	assert_int_equal(mon_journal_stop(&j, &s.model, 0, err, sizeof(err)), 0);
	mon_journal_close(&j);
	assert_string_equal(
		ask(path, "SELECT count(*), reason, is_clean, is_finished, end_us - start_us FROM sessions"),
		"1|monitor stopped|0|0|3000000");
}

static void test_journal_stop_without_session_writes_nothing(void **state)
{
	static struct mon_script s;
	const char *path = file_of("idle.db");
	struct mon_journal j;

	(void)state;
	mon_script_init(&s, MON_EVSE, EVSE_V3_6, NULL);
	mon_script_run(&s, "Power_Modules Advantics.State=1 +500");
	open_journal(&j, path);
	assert_int_equal(mon_journal_stop(&j, &s.model, 0, err, sizeof(err)), 0);
	mon_journal_close(&j);
	assert_string_equal(ask(path, "SELECT count(*) FROM sessions"), "0");
}

/* --- a lock of somebody else --------------------------------------------------------------------------- */

static void test_journal_locked_file_keeps_records_for_later(void **state)
{
	const char *path = file_of("locked.db");
	struct mon_journal j;
	struct mon_session s = a_session(1);
	sqlite3 *other = NULL;
	unsigned i;

	(void)state;
	open_journal(&j, path);
	sqlite3_busy_timeout(j.db, 1); /* the test need not wait */
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(mon_journal_add(&j, 1, &s, 0, err, sizeof(err)), -EAGAIN);
	assert_non_null(strstr(err, "locked"));
	assert_int_equal(j.n_waiting, 1);
	for (i = 2; i <= MON_JOURNAL_WAITING; i++) {
		s = a_session(i);
		assert_int_equal(mon_journal_add(&j, 1, &s, 0, err, sizeof(err)), -EAGAIN);
	}
	s = a_session(i);
	assert_int_equal(mon_journal_add(&j, 1, &s, 0, err, sizeof(err)), -ENOBUFS);
	assert_int_equal(j.n_lost, 1);
	assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	assert_int_equal(mon_journal_retry(&j, err, sizeof(err)), 0);
	assert_int_equal(j.n_waiting, 0);
	mon_journal_close(&j);
	/* In order, without the oldest. */
	assert_string_equal(ask(path, "SELECT count(*), min(start_us), max(start_us) FROM sessions"),
			    "32|2000000|33000000");
	assert_string_equal(ask(path, "SELECT start_us FROM sessions ORDER BY id"), "2000000");
}

static void test_journal_closed_says_so(void **state)
{
	struct mon_journal j;
	const struct mon_session s = a_session(1);

	(void)state;
	open_journal(&j, file_of("closed.db"));
	mon_journal_close(&j);
	assert_int_equal(mon_journal_add(&j, 1, &s, 0, err, sizeof(err)), -EBADF);
	mon_journal_close(&j);
}

/* --- files that are not ours --------------------------------------------------------------------------- */

struct bytes {
	char *data;
	size_t n;
};

static struct bytes read_file(const char *path)
{
	struct bytes b = {calloc(1, 1 << 20), 0};
	FILE *f = fopen(path, "rb");

	assert_non_null(f);
	assert_non_null(b.data);
	b.n = fread(b.data, 1, 1 << 20, f);
	fclose(f);
	return b;
}

static void write_file(const char *path, const void *data, size_t n)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, n, f), n);
	fclose(f);
}

static void assert_refused(const char *path, const char *words)
{
	const struct bytes before = read_file(path);
	struct bytes after;
	struct mon_journal j;

	assert_true(mon_journal_open(&j, path, MON_EVSE, EVSE_V3_6, err, sizeof(err)) < 0);
	if (!strstr(err, words))
		fail_msg("\"%s\" does not say \"%s\"", err, words);
	assert_null(j.db);
	after = read_file(path);
	assert_int_equal(before.n, after.n);
	assert_memory_equal(before.data, after.data, before.n);
	free(before.data);
	free(after.data);
}

static void test_journal_foreign_files_are_refused_and_kept(void **state)
{
	const char *path = file_of("foreign");
	sqlite3 *db = NULL;

	(void)state;
	write_file(path, "These are the notes of somebody, not a database.\n", 49);
	assert_refused(path, "not an SQLite file");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE sessions (a); INSERT INTO sessions VALUES (1)", NULL,
				      NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	assert_refused(path, "another program");
}

static void test_journal_of_later_version_is_refused_and_kept(void **state)
{
	const char *path = file_of("later.db");
	struct mon_journal j;

	(void)state;
	open_journal(&j, path);
	add(&j, 1);
	assert_int_equal(sqlite3_exec(j.db, "PRAGMA user_version=2", NULL, NULL, NULL), SQLITE_OK);
	mon_journal_close(&j);
	assert_refused(path, "version 2, known is 1");
}

static void test_journal_damaged_files_are_refused_and_kept(void **state)
{
	const char *path = file_of("damaged.db");
	struct mon_journal j;
	struct bytes whole;
	char *broken;

	(void)state;
	open_journal(&j, path);
	for (unsigned i = 0; i < 100; i++)
		add(&j, i);
	mon_journal_close(&j);
	whole = read_file(path);
	assert_true(whole.n > 5 * 4096);
	broken = malloc(whole.n);
	assert_non_null(broken);

	memcpy(broken, whole.data, whole.n); /* a page of the table */
	memset(broken + 3 * 4096, 0x5a, 4096);
	write_file(path, broken, whole.n);
	assert_refused(path, "damaged");

	write_file(path, whole.data, whole.n - 2 * 4096 - 100); /* the end is missing */
	assert_refused(path, "damaged");

	memcpy(broken, whole.data, whole.n); /* the head */
	memset(broken, 0, 16);
	write_file(path, broken, whole.n);
	assert_refused(path, "not an SQLite file");

	write_file(path, whole.data, whole.n); /* the judge is right: the whole one is taken */
	open_journal(&j, path);
	mon_journal_close(&j);
	free(broken);
	free(whole.data);
}

static void test_journal_bad_places_are_told(void **state)
{
	struct mon_journal j;
	char path[200];

	(void)state;
	assert_int_equal(mon_journal_open(&j, "", MON_EVSE, EVSE_V3_6, err, sizeof(err)), -EINVAL);
	snprintf(path, sizeof(path), "%s/no/such/folder.db", folder);
	assert_int_equal(mon_journal_open(&j, path, MON_EVSE, EVSE_V3_6, err, sizeof(err)), -ENOENT);
	assert_non_null(strstr(err, path));
	assert_true(mon_journal_open(&j, folder, MON_EVSE, EVSE_V3_6, err, sizeof(err)) < 0);
}

/* --- killed -------------------------------------------------------------------------------------------- */

/* Records without end; each that is finished is told with one byte. */
static void __attribute__((noreturn)) write_for_ever(const char *path, int told, unsigned first)
{
	struct mon_journal j;

	if (mon_journal_open(&j, path, MON_EVSE, EVSE_V3_6, err, sizeof(err)) != 0)
		_exit(2);
	for (unsigned i = first;; i++) {
		const struct mon_session s = a_session(i);

		if (mon_journal_add(&j, 1, &s, 0, err, sizeof(err)) != 0 || write(told, "", 1) != 1)
			_exit(3);
	}
}

/* Kills after `n` bytes and a little work of our own, so that the child is anywhere in the next record. */
static unsigned kill_writer(const char *path, unsigned first, unsigned n, unsigned work)
{
	int ends[2], status;
	unsigned n_told = 0;
	char byte;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(ends[0]);
		write_for_ever(path, ends[1], first);
	}
	close(ends[1]);
	while (n_told < n && read(ends[0], &byte, 1) == 1)
		n_told++;
	for (volatile unsigned i = 0; i < work; i++)
		;
	assert_int_equal(kill(child, SIGKILL), 0);
	while (read(ends[0], &byte, 1) == 1) /* told before it died */
		n_told++;
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_true(n_told >= n);
	return n_told;
}

static void test_journal_killed_at_any_moment_keeps_what_it_accepted(void **state)
{
	const char *path = file_of("killed.db");
	uint32_t seed = 20231114;
	unsigned n_rows = 0;

	(void)state;
	for (unsigned round = 0; round < 40; round++) {
		struct mon_journal j;
		char want[64], sql[128];
		unsigned n_told, n_found;

		seed = seed * 1664525u + 1013904223u;
		n_told = kill_writer(path, n_rows, seed >> 16 & 3, seed >> 4 & 0xfffff);
		/*
		 * A fresh start finds a whole file, with every record that was told and at most the one
		 * after it.
		 */
		open_journal(&j, path);
		mon_journal_close(&j);
		assert_string_equal(ask(path, "PRAGMA integrity_check"), "ok");
		n_found = (unsigned)strtoul(ask(path, "SELECT count(*) FROM sessions"), NULL, 10);
		if (n_found < n_rows + n_told || n_found > n_rows + n_told + 1)
			fail_msg("round %u: %u records, %u before, %u told", round, n_found, n_rows, n_told);
		snprintf(sql, sizeof(sql),
			 "SELECT count(DISTINCT start_us), coalesce(max(start_us), 0) FROM sessions");
		snprintf(want, sizeof(want), "%u|%u", n_found, n_found ? (n_found - 1) * 1000000 : 0);
		assert_string_equal(ask(path, sql), want);
		n_rows = n_found;
	}
	assert_true(n_rows > 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_journal_record_has_all_columns),
		cmocka_unit_test(test_journal_second_start_appends),
		cmocka_unit_test(test_journal_stop_records_running_session_as_unfinished),
		cmocka_unit_test(test_journal_stop_without_session_writes_nothing),
		cmocka_unit_test(test_journal_locked_file_keeps_records_for_later),
		cmocka_unit_test(test_journal_closed_says_so),
		cmocka_unit_test(test_journal_foreign_files_are_refused_and_kept),
		cmocka_unit_test(test_journal_of_later_version_is_refused_and_kept),
		cmocka_unit_test(test_journal_damaged_files_are_refused_and_kept),
		cmocka_unit_test(test_journal_bad_places_are_told),
		cmocka_unit_test(test_journal_killed_at_any_moment_keeps_what_it_accepted),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
