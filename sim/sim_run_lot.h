/* SPDX-License-Identifier: MIT */
/*
 * sim-run's light simulation of a lot: options, policies, and the table of results. Shell: prints and reads files.
 */
#ifndef SIM_SIM_RUN_LOT_H
#define SIM_SIM_RUN_LOT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <forecourt/plugin.h>

#include "sim/sim_run_lot_sim.h"
#include "site-ctrl/site_settings.h"

#define LOT_MAX_POLICIES 16
#define LOT_MAX_KV	 32

struct lot_options {
	const char *workload; /* NULL: no lot */
	const char *network;  /* of the light simulation */
	const char *site;     /* of the full one: site.conf */
	const char *policy;   /* names with commas between, or all */
	const char *out;      /* NULL: none */
	int64_t limit_W;      /* 0: not told */
	int32_t days;	      /* sessions that arrive within; 0: all */
	bool is_continuous, is_stated;
	bool is_json, is_quiet, is_verbose;
	/* Of the full simulation. */
	int32_t loss_ppm, delay_ms; /* of frames between points and site */
	uint64_t seed;
	FILE *log;			    /* frames between points and site; NULL: none */
	struct site_conf conf;		    /* of site-ctrl */
	struct forecourt_kv kv[LOT_MAX_KV]; /* of the policy */
	uint32_t n_kv;
	char kv_text[LOT_MAX_KV][64];
	const struct forecourt_plugin *const *builtin; /* policies; ends with NULL */
};

/* Zeros, and site-ctrl's own defaults. */
void lot_defaults(struct lot_options *o);
/* An option of the command line by its long name. 0, or 2 after a sentence on stderr. */
int lot_option(struct lot_options *o, const char *name, const char *value);
/* "policy.KEY=VALUE" or "site.KEY=VALUE". As above. */
int lot_set(struct lot_options *o, const char *assignment);
bool lot_is_setting(const char *assignment);
/* False after a sentence on stderr: options of a lot, but not those that make one. */
bool lot_is_complete(const struct lot_options *o);
/* Exit status: 0 done, 1 failed or a limit was exceeded, 2 wrong use (a sentence on stderr). */
int lot_run(const struct lot_options *o);

/* --- sim_run_site.c: the full simulation ---------------------------------------------------------------------- */

/* All days with one policy. Exit status, with a sentence on stderr. */
int lot_run_site(const struct lot_options *o, const char *policy, struct lot_result *result);

/* --- sim_run_lot_text.c -------------------------------------------------------------------------------------- */

/* A line on a terminal when it takes longer than two seconds; at_s seconds of end_s are done. last: ends it. */
struct lot_progress {
	double begin_s, shown_s;
	bool is_terminal;
};
void lot_progress_begin(struct lot_progress *p);
void lot_progress_show(struct lot_progress *p, const char *name, int32_t at_s, int32_t end_s);
void lot_progress_end(struct lot_progress *p);
/* One column for each policy. */
void lot_print_table(const struct lot_options *o, const struct lot_result *result, unsigned n);
/* One object; of several policies, with one object each in "results". */
void lot_print_json(const struct lot_options *o, const struct lot_result *result, unsigned n);

#endif
