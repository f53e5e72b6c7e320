/* SPDX-License-Identifier: MIT */
/*
 * SQLite for the journal, loaded when its first function is called: the library and what it brings along
 * take 0.6 MB of a process that shall need 4, and most monitors write no journal. Functions, arguments and
 * results are those of sqlite3.h without the prefix. Where the library is not installed they fail, and
 * mon_sqlite_errmsg() says so.
 */
#ifndef MONITOR_MON_SQLITE_H
#define MONITOR_MON_SQLITE_H

#include <sqlite3.h>

int mon_sqlite_open_v2(const char *file, sqlite3 **db, int flags, const char *vfs);
int mon_sqlite_close(sqlite3 *db);
const char *mon_sqlite_errmsg(sqlite3 *db);
int mon_sqlite_busy_timeout(sqlite3 *db, int ms);
int mon_sqlite_db_readonly(sqlite3 *db, const char *name);
int mon_sqlite_exec(sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **), void *ctx,
		    char **err);
int mon_sqlite_prepare_v2(sqlite3 *db, const char *sql, int n, sqlite3_stmt **s, const char **tail);
int mon_sqlite_step(sqlite3_stmt *s);
int mon_sqlite_reset(sqlite3_stmt *s);
int mon_sqlite_finalize(sqlite3_stmt *s);
int mon_sqlite_clear_bindings(sqlite3_stmt *s);
int mon_sqlite_bind_null(sqlite3_stmt *s, int at);
int mon_sqlite_bind_int(sqlite3_stmt *s, int at, int number);
int mon_sqlite_bind_int64(sqlite3_stmt *s, int at, sqlite3_int64 number);
int mon_sqlite_bind_double(sqlite3_stmt *s, int at, double number);
int mon_sqlite_bind_text(sqlite3_stmt *s, int at, const char *text, int n, void (*destroy)(void *));
const unsigned char *mon_sqlite_column_text(sqlite3_stmt *s, int column);
sqlite3_int64 mon_sqlite_column_int64(sqlite3_stmt *s, int column);

#endif
