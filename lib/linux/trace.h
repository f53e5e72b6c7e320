/* SPDX-License-Identifier: MIT */
/*
 * Trace file of a process: every frame sent and received, in the form of candump -L -x (wall-clock time, " T" or
 * " R" at the end). Lines are collected and written a few kilobytes at a time, or when a second has passed.
 */
#ifndef LINUX_TRACE_H
#define LINUX_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/can.h>

#define TRACE_BUFFER 8192

struct trace {
	int fd;			/* -1: none, or given up */
	int error;		/* why it was given up, negative errno */
	int64_t wall_offset_us; /* wall clock minus monotonic clock at the start; fixed, so that time cannot jump */
	int64_t flushed_us;
	size_t n;
	char buffer[TRACE_BUFFER];
};

/* Creates or empties the file. 0 or a negative errno. */
int trace_open(struct trace *t, const char *path, int64_t now_us);
void trace_close(struct trace *t);
void trace_frame(struct trace *t, int64_t time_us, const char *channel, const struct can_frame *f,
		 bool is_sent);
/* Writes out what is older than a second. */
void trace_service(struct trace *t, int64_t now_us);

#endif
