/* SPDX-License-Identifier: MIT */
/* Session records in SQLite. Not pure. */
#include "monitor/mon_journal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "monitor/mon_sqlite.h"

#define FAULTS_TEXT 1024

static const char schema[] = "CREATE TABLE sessions ("
			     " id INTEGER PRIMARY KEY,"
			     " side TEXT NOT NULL,"	   /* EVSE, PEV */
			     " interface TEXT NOT NULL,"   /* version of the interface */
			     " point INTEGER NOT NULL,"	   /* pistol; 0: the vehicle */
			     " start_us INTEGER NOT NULL," /* UTC, microseconds since 1970 */
			     " end_us INTEGER NOT NULL,"
			     " start_utc TEXT NOT NULL," /* the same as 2023-11-14T22:13:20.000000Z */
			     " end_utc TEXT NOT NULL,"
			     " energy_Wh REAL NOT NULL," /* charged minus discharged */
			     " peak_A REAL NOT NULL,"
			     " peak_V REAL NOT NULL,"
			     " peak_W REAL NOT NULL,"
			     " soc_start REAL," /* per cent; NULL: never said */
			     " soc_end REAL,"
			     " protocol TEXT NOT NULL,"
			     " reason TEXT NOT NULL,"
			     " is_clean INTEGER NOT NULL,"
			     " is_finished INTEGER NOT NULL," /* 0: the monitor was stopped while it ran */
			     " faults TEXT NOT NULL"	      /* separated by "; " */
			     ")";

static const char insert[] =
	"INSERT INTO sessions (side, interface, point, start_us, end_us, start_utc, end_utc, energy_Wh, peak_A,"
	" peak_V, peak_W, soc_start, soc_end, protocol, reason, is_clean, is_finished, faults)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";

/* --- errors -------------------------------------------------------------------------------------------- */

static int __attribute__((format(printf, 4, 5)))
say(int error, char *err, size_t err_size, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(err, err_size, format, ap);
	va_end(ap);
	return error;
}

static int error_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
		return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EAGAIN;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_CANTOPEN:
		return -ENOENT;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return -EINVAL;
	default:
		return -EIO;
	}
}

/* --- opening ------------------------------------------------------------------------------------------- */

/* First column of the first row: a number, and as text where there is room. 0 or SQLite's code. */
static int ask(sqlite3 *db, const char *sql, int64_t *number, char *text, size_t size)
{
	sqlite3_stmt *s = NULL;
	int code = mon_sqlite_prepare_v2(db, sql, -1, &s, NULL);

	if (code == SQLITE_OK)
		code = mon_sqlite_step(s);
	if (code == SQLITE_ROW) {
		const char *column = (const char *)mon_sqlite_column_text(s, 0);

		if (number)
			*number = mon_sqlite_column_int64(s, 0);
		if (text)
			snprintf(text, size, "%s", column ? column : "");
		code = SQLITE_OK;
	} else if (code == SQLITE_DONE) {
		code = SQLITE_ERROR;
	}
	mon_sqlite_finalize(s);
	return code;
}

struct marks {
	int64_t application_id, version, n_tables;
};

static int read_marks(sqlite3 *db, struct marks *k)
{
	int code = ask(db, "PRAGMA application_id", &k->application_id, NULL, 0);

	if (code == SQLITE_OK)
		code = ask(db, "PRAGMA user_version", &k->version, NULL, 0);
	if (code == SQLITE_OK)
		code = ask(db, "SELECT count(*) FROM sqlite_master", &k->n_tables, NULL, 0);
	return code;
}

static bool is_blank(const struct marks *k)
{
	return k->application_id == 0 && k->version == 0 && k->n_tables == 0;
}

/* Somebody else may have created it a moment ago: asked again under the lock. */
static int create(sqlite3 *db, struct marks *k)
{
	char marks[96];
	int code = mon_sqlite_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	if (code != SQLITE_OK)
		return code;
	code = read_marks(db, k);
	if (code == SQLITE_OK && is_blank(k)) {
		snprintf(marks, sizeof(marks), "PRAGMA application_id=%d; PRAGMA user_version=%d",
			 MON_JOURNAL_APPLICATION_ID, MON_JOURNAL_VERSION);
		code = mon_sqlite_exec(db, schema, NULL, NULL, NULL);
		if (code == SQLITE_OK)
			code = mon_sqlite_exec(db, marks, NULL, NULL, NULL);
		if (code == SQLITE_OK)
			code = read_marks(db, k);
	}
	if (code == SQLITE_OK)
		code = mon_sqlite_exec(db, "COMMIT", NULL, NULL, NULL);
	if (code != SQLITE_OK)
		mon_sqlite_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return code;
}

static int refuse(sqlite3 *db, int code, const char *path, char *err, size_t err_size)
{
	switch (code & 0xff) {
	case SQLITE_NOTADB:
		return say(-EINVAL, err, err_size, "%s is not an SQLite file; it is left as it is", path);
	case SQLITE_CORRUPT:
		return say(-EINVAL, err, err_size, "%s is damaged; it is left as it is: move it away", path);
	default:
		return say(error_of(code), err, err_size, "%s: %s", path, mon_sqlite_errmsg(db));
	}
}

/* It is ours, of a version that we know, and whole. Nothing is written before this. */
static int examine(sqlite3 *db, const char *path, char *err, size_t err_size)
{
	struct marks k = {0, 0, 0};
	char verdict[128];
	int code = read_marks(db, &k);

	if (code == SQLITE_OK && is_blank(&k))
		code = create(db, &k);
	if (code != SQLITE_OK)
		return refuse(db, code, path, err, err_size);
	if (k.application_id != MON_JOURNAL_APPLICATION_ID)
		return say(-EINVAL, err, err_size, "%s is a database of another program; it is left as it is",
			   path);
	if (k.version != MON_JOURNAL_VERSION)
		return say(-EINVAL, err, err_size,
			   "%s has journal version %lld, known is %d; it is left as it is", path,
			   (long long)k.version, MON_JOURNAL_VERSION);
	code = ask(db, "PRAGMA quick_check(1)", NULL, verdict, sizeof(verdict));
	if (code != SQLITE_OK)
		return refuse(db, code, path, err, err_size);
	if (strcmp(verdict, "ok") != 0)
		return say(-EINVAL, err, err_size, "%s is damaged (%s); it is left as it is: move it away",
			   path, verdict);
	return 0;
}

static int prepare(struct mon_journal *j, const char *path, char *err, size_t err_size)
{
	char mode[16];
	int code;

	if (mon_sqlite_db_readonly(j->db, "main") == 1)
		return say(-EROFS, err, err_size, "%s may not be written", path);
	code = ask(j->db, "PRAGMA journal_mode=DELETE", NULL, mode, sizeof(mode));
	if (code == SQLITE_OK && strcmp(mode, "delete") != 0)
		return say(-EAGAIN, err, err_size, "%s is in use in another journal mode", path);
	if (code == SQLITE_OK)
		code = mon_sqlite_exec(j->db, "PRAGMA synchronous=EXTRA", NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = mon_sqlite_prepare_v2(j->db, insert, -1, &j->insert, NULL);
	if (code != SQLITE_OK)
		return say(error_of(code), err, err_size, "%s: %s", path, mon_sqlite_errmsg(j->db));
	return 0;
}

int mon_journal_open(struct mon_journal *j, const char *path, enum mon_side side, unsigned version, char *err,
		     size_t err_size)
{
	char file[4096];
	int code, error;

	memset(j, 0, sizeof(*j));
	j->side = side;
	j->version = version;
	if (!path[0] || strlen(path) + 3 > sizeof(file))
		return say(-EINVAL, err, err_size, "the journal needs the name of a file");
	/* ":memory:" and the like are files here. */
	snprintf(file, sizeof(file), "%s%s", path[0] == ':' ? "./" : "", path);
	code = mon_sqlite_open_v2(file, &j->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	if (code == SQLITE_OK) {
		mon_sqlite_busy_timeout(j->db, MON_JOURNAL_BUSY_MS);
		error = examine(j->db, path, err, err_size);
		if (error == 0)
			error = prepare(j, path, err, err_size);
	} else {
		error = say(error_of(code), err, err_size, "%s: %s", path, mon_sqlite_errmsg(j->db));
	}
	if (error)
		mon_journal_close(j);
	return error;
}

void mon_journal_close(struct mon_journal *j)
{
	mon_sqlite_finalize(j->insert);
	mon_sqlite_close(j->db);
	j->insert = NULL;
	j->db = NULL;
}

/* --- writing ------------------------------------------------------------------------------------------- */

static void bind_time(sqlite3_stmt *s, int number, int text, int64_t utc_us)
{
	int64_t us = utc_us % 1000000;
	time_t seconds = (time_t)(utc_us / 1000000);
	char iso[40] = "", whole[24];
	struct tm tm;

	if (us < 0) {
		us += 1000000;
		seconds--;
	}
	if (gmtime_r(&seconds, &tm) && strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &tm))
		snprintf(iso, sizeof(iso), "%s.%06dZ", whole, (int)us);
	mon_sqlite_bind_int64(s, number, utc_us);
	mon_sqlite_bind_text(s, text, iso, -1, SQLITE_TRANSIENT);
}

static void bind_percent(sqlite3_stmt *s, int at, int32_t permille)
{
	if (permille == MON_UNKNOWN)
		mon_sqlite_bind_null(s, at);
	else
		mon_sqlite_bind_double(s, at, permille / 10.0);
}

static void bind_static(sqlite3_stmt *s, int at, const char *text)
{
	mon_sqlite_bind_text(s, at, text ? text : "", -1, SQLITE_STATIC);
}

static void bind_faults(sqlite3_stmt *s, int at, const struct mon_session *x)
{
	char text[FAULTS_TEXT] = "";
	size_t n = 0;
	unsigned i;

	for (i = 0; i < x->n_faults && i < MON_SESSION_FAULTS && n < sizeof(text); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i ? "; " : "", x->fault[i]);
	if (x->n_faults > i && n < sizeof(text))
		snprintf(text + n, sizeof(text) - n, "; %u more", (unsigned)(x->n_faults - i));
	mon_sqlite_bind_text(s, at, text, -1, SQLITE_TRANSIENT);
}

static int write_record(struct mon_journal *j, const struct mon_journal_record *r, char *err, size_t err_size)
{
	const struct mon_session *x = &r->session;
	const double Wus_per_Wh = 3.6e9;
	sqlite3_stmt *s = j->insert;
	int code;

	bind_static(s, 1, mon_side_name(j->side));
	bind_static(s, 2, mon_version_name(j->side, j->version));
	mon_sqlite_bind_int(s, 3, r->point);
	bind_time(s, 4, 6, x->start_us + r->wall_offset_us);
	bind_time(s, 5, 7, x->end_us + r->wall_offset_us);
	mon_sqlite_bind_double(s, 8, (double)x->energy_Wus / Wus_per_Wh);
	mon_sqlite_bind_double(s, 9, x->peak_mA / 1000.0);
	mon_sqlite_bind_double(s, 10, x->peak_mV / 1000.0);
	mon_sqlite_bind_double(s, 11, x->peak_W);
	bind_percent(s, 12, x->soc_start_permille);
	bind_percent(s, 13, x->soc_end_permille);
	bind_static(s, 14, x->protocol_name);
	bind_static(s, 15, x->reason);
	mon_sqlite_bind_int(s, 16, x->is_clean);
	mon_sqlite_bind_int(s, 17, r->is_finished);
	bind_faults(s, 18, x);
	/* A single statement is a transaction of its own. */
	code = mon_sqlite_step(s);
	if (code == SQLITE_DONE)
		code = SQLITE_OK;
	else
		say(0, err, err_size, "journal: %s", mon_sqlite_errmsg(j->db));
	mon_sqlite_reset(s);
	mon_sqlite_clear_bindings(s);
	return error_of(code);
}

int mon_journal_retry(struct mon_journal *j, char *err, size_t err_size)
{
	while (j->n_waiting) {
		const int error = write_record(j, &j->waiting[0], err, err_size);

		if (error)
			return error;
		j->n_waiting--;
		j->n_written++;
		memmove(&j->waiting[0], &j->waiting[1], j->n_waiting * sizeof(j->waiting[0]));
	}
	return 0;
}

static int add(struct mon_journal *j, const struct mon_journal_record *r, char *err, size_t err_size)
{
	bool is_lost = false;
	int error;

	if (!j->db)
		return say(-EBADF, err, err_size, "journal: not open");
	if (j->n_waiting == MON_JOURNAL_WAITING) {
		is_lost = true;
		j->n_lost++;
		j->n_waiting--;
		memmove(&j->waiting[0], &j->waiting[1], j->n_waiting * sizeof(j->waiting[0]));
	}
	j->waiting[j->n_waiting++] = *r;
	error = mon_journal_retry(j, err, err_size);
	return is_lost && error ? -ENOBUFS : error;
}

int mon_journal_add(struct mon_journal *j, unsigned point, const struct mon_session *s,
		    int64_t wall_offset_us, char *err, size_t err_size)
{
	const struct mon_journal_record r = {*s, wall_offset_us, (uint8_t)point, true};

	return add(j, &r, err, err_size);
}

int mon_journal_stop(struct mon_journal *j, const struct mon_model *m, int64_t wall_offset_us, char *err,
		     size_t err_size)
{
	int error = mon_journal_retry(j, err, err_size);

	for (unsigned i = 0; i < MON_N_POINTS; i++) {
		const struct mon_point *p = mon_point(m, i);
		struct mon_journal_record r;
		int failed;

		if (!p || !p->session.is_running)
			continue;
		r = (struct mon_journal_record){p->session, wall_offset_us, (uint8_t)i, false};
		r.session.end_us = m->now_us;
		r.session.is_clean = false;
		r.session.reason = "monitor stopped";
		failed = add(j, &r, err, err_size);
		error = failed ? failed : error;
	}
	return error;
}
