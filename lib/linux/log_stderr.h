/* SPDX-License-Identifier: MIT */
/*
 * The log sink of a process: one line on stderr per call. Under the journal ($JOURNAL_STREAM names our stderr)
 * with the priority prefix "<6>", else with the seconds since start.
 *
 * A reader of stderr that stands still (a pager, a full pipe) must not stop the control cycle: such lines are
 * dropped, and their number is reported as soon as there is room again.
 */
#ifndef LINUX_LOG_STDERR_H
#define LINUX_LOG_STDERR_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/log.h"

struct log_stderr {
	struct log_sink sink; /* give this to log_init(); sink.level may be changed while running */
	int fd;
	bool is_journal;
	int64_t start_us;
	uint32_t n_lost; /* lines dropped and not yet reported */
	uint32_t n_lost_total;
};

/* fd: 2, or another one in tests. The record must not move afterwards. */
void log_stderr_init(struct log_stderr *l, int fd, enum log_level level);

#endif
