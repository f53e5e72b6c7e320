/* SPDX-License-Identifier: MIT */
/*
 * SQLite, loaded when needed. A function is looked up at each call: that costs a microsecond, a session
 * ends every few minutes, and nothing has to be remembered.
 */
#include "monitor/mon_sqlite.h"

#include <dlfcn.h>
#include <string.h>

/* The name of its binary interface, which is the same since 2004. */
#define LIBRARY "libsqlite3.so.0"

/* A function of the library by its name, NULL where there is none. It stays loaded. */
static void *find(const char *name)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

	return library ? dlsym(library, name) : NULL;
}

int mon_sqlite_open_v2(const char *file, sqlite3 **db, int flags, const char *vfs)
{
	int (*f)(const char *file, sqlite3 **db, int flags, const char *vfs);

	*(void **)&f = find("sqlite3_open_v2");
	*db = NULL;
	return f ? f(file, db, flags, vfs) : SQLITE_ERROR;
}

int mon_sqlite_close(sqlite3 *db)
{
	int (*f)(sqlite3 * db);

	*(void **)&f = find("sqlite3_close");
	return f ? f(db) : SQLITE_ERROR;
}

const char *mon_sqlite_errmsg(sqlite3 *db)
{
	const char *(*f)(sqlite3 * db);

	*(void **)&f = find("sqlite3_errmsg");
	return f ? f(db) : LIBRARY " is not installed";
}

int mon_sqlite_busy_timeout(sqlite3 *db, int ms)
{
	int (*f)(sqlite3 * db, int ms);

	*(void **)&f = find("sqlite3_busy_timeout");
	return f ? f(db, ms) : SQLITE_ERROR;
}

int mon_sqlite_db_readonly(sqlite3 *db, const char *name)
{
	int (*f)(sqlite3 * db, const char *name);

	*(void **)&f = find("sqlite3_db_readonly");
	return f ? f(db, name) : -1;
}

int mon_sqlite_exec(sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **), void *ctx,
		    char **err)
{
	int (*f)(sqlite3 * db, const char *sql, int (*row)(void *, int, char **, char **), void *ctx,
		 char **err);

	*(void **)&f = find("sqlite3_exec");
	return f ? f(db, sql, row, ctx, err) : SQLITE_ERROR;
}

int mon_sqlite_prepare_v2(sqlite3 *db, const char *sql, int n, sqlite3_stmt **s, const char **tail)
{
	int (*f)(sqlite3 * db, const char *sql, int n, sqlite3_stmt **s, const char **tail);

	*(void **)&f = find("sqlite3_prepare_v2");
	*s = NULL;
	return f ? f(db, sql, n, s, tail) : SQLITE_ERROR;
}

int mon_sqlite_step(sqlite3_stmt *s)
{
	int (*f)(sqlite3_stmt * s);

	*(void **)&f = find("sqlite3_step");
	return f ? f(s) : SQLITE_ERROR;
}

int mon_sqlite_reset(sqlite3_stmt *s)
{
	int (*f)(sqlite3_stmt * s);

	*(void **)&f = find("sqlite3_reset");
	return f ? f(s) : SQLITE_ERROR;
}

int mon_sqlite_finalize(sqlite3_stmt *s)
{
	int (*f)(sqlite3_stmt * s);

	*(void **)&f = find("sqlite3_finalize");
	return f ? f(s) : SQLITE_ERROR;
}

int mon_sqlite_clear_bindings(sqlite3_stmt *s)
{
	int (*f)(sqlite3_stmt * s);

	*(void **)&f = find("sqlite3_clear_bindings");
	return f ? f(s) : SQLITE_ERROR;
}

int mon_sqlite_bind_null(sqlite3_stmt *s, int at)
{
	int (*f)(sqlite3_stmt * s, int at);

	*(void **)&f = find("sqlite3_bind_null");
	return f ? f(s, at) : SQLITE_ERROR;
}

int mon_sqlite_bind_int(sqlite3_stmt *s, int at, int number)
{
	int (*f)(sqlite3_stmt * s, int at, int number);

	*(void **)&f = find("sqlite3_bind_int");
	return f ? f(s, at, number) : SQLITE_ERROR;
}

int mon_sqlite_bind_int64(sqlite3_stmt *s, int at, sqlite3_int64 number)
{
	int (*f)(sqlite3_stmt * s, int at, sqlite3_int64 number);

	*(void **)&f = find("sqlite3_bind_int64");
	return f ? f(s, at, number) : SQLITE_ERROR;
}

int mon_sqlite_bind_double(sqlite3_stmt *s, int at, double number)
{
	int (*f)(sqlite3_stmt * s, int at, double number);

	*(void **)&f = find("sqlite3_bind_double");
	return f ? f(s, at, number) : SQLITE_ERROR;
}

int mon_sqlite_bind_text(sqlite3_stmt *s, int at, const char *text, int n, void (*destroy)(void *))
{
	int (*f)(sqlite3_stmt * s, int at, const char *text, int n, void (*destroy)(void *));

	*(void **)&f = find("sqlite3_bind_text");
	return f ? f(s, at, text, n, destroy) : SQLITE_ERROR;
}

const unsigned char *mon_sqlite_column_text(sqlite3_stmt *s, int column)
{
	const unsigned char *(*f)(sqlite3_stmt * s, int column);

	*(void **)&f = find("sqlite3_column_text");
	return f ? f(s, column) : NULL;
}

sqlite3_int64 mon_sqlite_column_int64(sqlite3_stmt *s, int column)
{
	sqlite3_int64 (*f)(sqlite3_stmt * s, int column);

	*(void **)&f = find("sqlite3_column_int64");
	return f ? f(s, column) : 0;
}
