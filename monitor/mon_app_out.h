/* SPDX-License-Identifier: MIT */
/*
 * What a monitor writes: text or JSON on a descriptor, session records into the journal. Lines are
 * collected and written at the latest when the wake-up that made them ends.
 */
#ifndef MONITOR_MON_APP_OUT_H
#define MONITOR_MON_APP_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "monitor/mon_app_opts.h"
#include "monitor/mon_journal.h"
#include "monitor/mon_model.h"
#include "monitor/mon_text.h"

struct mon_out {
	const struct mon_opts *opts;
	const struct mon_model *model;
	int fd;
	bool is_muted; /* on the way to --start-at: nothing is shown, nothing recorded
                  */
	struct mon_sink sink;
	int64_t next_us; /* the next snapshot of --every, on the model's clock;
                      FC_NEVER: none */
	int64_t wall_offset_us;
	struct mon_text text;
	/* ---- the journal */
	int64_t recorded_us; /* end of the newest record: a log that is sought back ends its sessions again */
	int64_t retry_us;    /* of the loop's clock: when to try again what could not be written */
	char journal_err[160]; /* the last failure; "": none */
	struct mon_journal journal;
};

/* The model may be initialised later, with mon_out_sink(). 0, or a negative errno with a sentence in err. */
int mon_out_open(struct mon_out *o, const struct mon_opts *opts, const struct mon_model *model, int fd,
		 char *err, size_t err_size);
/*
 * Writes what is left; of a bus also the sessions that are running. Says on `out` what the journal has
 * lost.
 */
void mon_out_close(struct mon_out *o, const char *program, FILE *out);
/* The source is open: where the model's clock begins, and what to add to its times. */
void mon_out_begin(struct mon_out *o, int64_t begin_us, int64_t wall_offset_us);
const struct mon_sink *mon_out_sink(const struct mon_out *o);
void mon_out_mute(struct mon_out *o, bool is_muted);
/*
 * When the model is wanted, on its own clock: a source must not go past it before mon_out_run() has been
 * called. FC_NEVER: it may go on.
 */
int64_t mon_out_next_us(const struct mon_out *o);
/*
 * At the end of a wake-up, at now_us of the loop; *next_us is brought forward as everywhere. 0, or the
 * negative errno that ended all writing; -EPIPE: whoever read has gone.
 */
int mon_out_run(struct mon_out *o, int64_t now_us, int64_t *next_us);
/* All that is known now. Returns as mon_out_run(). */
int mon_out_snapshot(struct mon_out *o);

#endif
