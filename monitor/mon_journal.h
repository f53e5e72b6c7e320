/* SPDX-License-Identifier: MIT */
/*
 * Records of finished sessions in an SQLite file, one row each in the table `sessions`. Not pure.
 *
 * A record that mon_journal_add() has accepted with 0 is in the file for good: each is a transaction of its
 * own, on disk before the call returns. The journal mode is DELETE with synchronous=EXTRA and not WAL:
 * between two records the one file is all there is, so that it may be copied off the machine at any time,
 * also after a kill; EXTRA because FULL does not sync the directory after the rollback journal is gone, and
 * a power failure just then would undo the last record. A session ends every few minutes: the second sync
 * costs nothing that matters.
 *
 * A file that is not ours, is damaged, or was written by a later version is refused and left as it is.
 * Several monitors may write into one file.
 *
 * Only finished sessions are recorded; mon_journal_stop() records the running ones as not finished, with
 * the reason "monitor stopped". After a kill there is no record of the running session.
 */
#ifndef MONITOR_MON_JOURNAL_H
#define MONITOR_MON_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "monitor/mon_model.h"

#define MON_JOURNAL_VERSION	   1	      /* PRAGMA user_version */
#define MON_JOURNAL_APPLICATION_ID 0x46434a31 /* "FCJ1" */
#define MON_JOURNAL_WAITING	   32
#define MON_JOURNAL_BUSY_MS	   250 /* the monitor's loop waits no longer for another program's lock */

struct sqlite3;
struct sqlite3_stmt;

struct mon_journal_record {
	struct mon_session session;
	int64_t wall_offset_us;
	uint8_t point;
	bool is_finished;
};

struct mon_journal {
	struct sqlite3 *db; /* NULL: closed */
	struct sqlite3_stmt *insert;
	enum mon_side side;
	unsigned version;
	/* Records that could not be written yet, oldest first: the file is locked, the disk is full. */
	struct mon_journal_record waiting[MON_JOURNAL_WAITING];
	unsigned n_waiting;
	uint64_t n_written;
	uint64_t n_lost; /* no room to keep them */
};

/* Opens or creates. 0, or a negative errno with a sentence in err. */
int mon_journal_open(struct mon_journal *j, const char *path, enum mon_side side, unsigned version, char *err,
		     size_t err_size);
/*
 * Records a finished session. wall_offset_us makes UTC microseconds since 1970 of the model's times. 0, or
 * a negative errno with a sentence in err: then the record is kept and tried again with the next one, and
 * by mon_journal_retry(). -ENOBUFS: the oldest one that was kept is lost.
 */
int mon_journal_add(struct mon_journal *j, unsigned point, const struct mon_session *s,
		    int64_t wall_offset_us, char *err, size_t err_size);
/* Writes what is waiting: call it now and then while n_waiting > 0. */
int mon_journal_retry(struct mon_journal *j, char *err, size_t err_size);
/* Before a clean exit: also records the sessions that are running. */
int mon_journal_stop(struct mon_journal *j, const struct mon_model *m, int64_t wall_offset_us, char *err,
		     size_t err_size);
/* What is still waiting is lost. */
void mon_journal_close(struct mon_journal *j);

#endif
