/* SPDX-License-Identifier: MIT */
/*
 * The floor beside a monitor: a process that takes each frame from a UDP bus, with its time stamp, and writes it as
 * a line of candump to /dev/null, one wake-up and one receive call a frame. It knows nothing and shows nothing.
 */
#ifndef BENCH_PROC_DUMP_H
#define BENCH_PROC_DUMP_H

#include "tests/lib/proc_child.h"

/* *url must stay until the child is started. 0 or a negative errno. */
int dump_start(struct proc_child *c, const char *url);

#endif
