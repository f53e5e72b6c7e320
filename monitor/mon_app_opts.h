/* SPDX-License-Identifier: MIT */
/*
 * The command line of both monitors. Reads nothing but its arguments.
 */
#ifndef MONITOR_MON_APP_OPTS_H
#define MONITOR_MON_APP_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "monitor/mon_model.h"
#include "monitor/mon_serve.h"

#define MON_SPEED_MAX	  INT32_C(0)	 /* as fast as it goes */
#define MON_SPEED_HIGHEST INT32_C(64000) /* above it there is only the maximum */
#define MON_SPEED_LOWEST  INT32_C(10)

enum mon_output {
	MON_OUTPUT_AUTO, /* the screen on a terminal, text elsewhere */
	MON_OUTPUT_SCREEN,
	MON_OUTPUT_TEXT,
	MON_OUTPUT_JSON,
};

enum mon_task { MON_TASK_RUN, MON_TASK_HELP, MON_TASK_VERSION };

struct mon_opts {
	enum mon_task task;
	const char *can; /* NULL: not given */
	struct mon_cfg model;
	enum mon_output output;
	int64_t every_us; /* one object per so much; 0: per change */
	bool is_once;
	int64_t timeout_us;	/* of is_once */
	const char *replay;	/* NULL: a bus */
	int32_t speed_permille; /* 1000: as it was; MON_SPEED_MAX */
	bool has_speed;
	bool has_start;
	int64_t start_us; /* from the log's first frame */
	bool is_paused;
	bool has_metrics, is_metrics_any;
	struct mon_serve_address metrics;
	const char *journal; /* NULL: none */
	bool is_ascii, no_color;
};

/* "evse-monitor" or "pev-monitor". */
const char *mon_opts_program(enum mon_side side);
/* 0, or -EINVAL with a sentence in err. Texts point into argv. */
int mon_opts_parse(struct mon_opts *o, enum mon_side side, int argc, char **argv, char *err, size_t err_size);
void mon_opts_help(enum mon_side side);

#endif
