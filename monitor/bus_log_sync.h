/* SPDX-License-Identifier: MIT */
/*
 * Brings what was written to a file onto the disk, once a second, in a thread of its own: a slow disk must not keep
 * the recorder from reading its bus.
 */
#ifndef MONITOR_BUS_LOG_SYNC_H
#define MONITOR_BUS_LOG_SYNC_H

#include <pthread.h>
#include <stdbool.h>

struct log_sync {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	/* ---- under the lock */
	int fd;	    /* -1: none */
	int old_fd; /* put aside: to be synchronised a last time and closed; -1: none */
	bool is_stopping;
	int error; /* negative errno of the last failure; 0: none */
};

/* 0 or a negative errno. */
int log_sync_start(struct log_sync *s);
/* From now on this file, which stays the caller's. old_fd is taken over: synchronised and closed; -1: none. */
void log_sync_file(struct log_sync *s, int fd, int old_fd);
/* What went wrong so far. */
int log_sync_error(struct log_sync *s);
/* Synchronises a last time and ends the thread. 0 or the error. */
int log_sync_stop(struct log_sync *s);

#endif
