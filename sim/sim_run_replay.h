/* SPDX-License-Identifier: MIT */
/*
 * sim-run --replay: the module's half of a log goes to one of our controllers in virtual time, and what it sends
 * is compared with the controller's half. Not pure: reads the log and prints. sim-run(1) says what is compared.
 */
#ifndef SIM_SIM_RUN_REPLAY_H
#define SIM_SIM_RUN_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "evse-ctrl/evse_conf.h"
#include "pev-ctrl/pev_conf.h"
#include "lib/core/log.h"
#include "sim/sim_run_replay_cmp.h"

#define REPLAY_MAX_IGNORED 16

enum replay_against { REPLAY_NOBODY, REPLAY_EVSE, REPLAY_PEV };

/* The operator's words that are played back from the log, for they are not on the bus. */
enum replay_word {
	REPLAY_WORD_AUTHORISE = 1 << 0,
	REPLAY_WORD_START = 1 << 1,
	REPLAY_WORD_STOP = 1 << 2,
	REPLAY_WORD_PAUSE = 1 << 3,
	REPLAY_WORD_RESUME = 1 << 4,
	REPLAY_WORD_EMERGENCY = 1 << 5,
};

struct replay_options {
	const char *log; /* NULL: no replay; "-": standard input */
	enum replay_against against;
	struct replay_tolerance tolerance;
	unsigned index; /* of the pistol, for evse-ctrl */
	uint32_t words; /* enum replay_word */
	const char *ignored[REPLAY_MAX_IGNORED];
	unsigned n_ignored;
	bool is_all, is_json, is_quiet;
	struct evse_conf evse_conf;
	struct pev_conf pev_conf;
	const struct log_sink *sink; /* of the controller; may be NULL */
	int64_t *now_us;	     /* where the time is put for it; may be NULL */
};

void replay_defaults(struct replay_options *o);
/* One option of the command line by its long name. 0, or 2 after a sentence on stderr. */
int replay_option(struct replay_options *o, const char *name, const char *value);
/* Exit status: 0 the same, 1 different, 2 wrong use, or a log that cannot be compared (a sentence on stderr). */
int replay_run(const struct replay_options *o);

#endif
