/* SPDX-License-Identifier: MIT */
/*
 * One epoll loop: a fixed table of descriptors, one timer (timerfd, absolute CLOCK_MONOTONIC), and the signals
 * SIGINT, SIGTERM and SIGHUP as input (signalfd). SIGPIPE is ignored. The time is read once per wake-up. Nothing
 * allocates after loop_open().
 */
#ifndef LINUX_LOOP_H
#define LINUX_LOOP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#define LOOP_MAX_FDS	64
#define LOOP_MAX_EVENTS 32 /* handled in one wake-up; the rest comes with the next */

/* events: EPOLLIN etc. as epoll_wait gave them. */
typedef void (*loop_fn)(void *ctx, int64_t now_us, uint32_t events);

struct loop_slot {
	int fd;		     /* -1: free */
	uint32_t generation; /* tells a reused slot from the one an event in flight was for */
	loop_fn fn;
	void *ctx;
};

struct loop {
	int epoll_fd, timer_fd, signal_fd;
	int64_t now_us;	    /* of this wake-up */
	int64_t armed_us;   /* what the timer is set to; FC_NEVER: not set */
	uint32_t n_signals; /* SIGINT and SIGTERM seen, since open */
	sigset_t old_mask;
	sigset_t wait_mask; /* of a wait: as loop_open() left it, whatever was blocked later */
	struct loop_slot slot[LOOP_MAX_FDS];
};

/* 0 or a negative errno. */
int loop_open(struct loop *l);
/* Restores the signal mask; does not close the descriptors of others. */
void loop_close(struct loop *l);

/* events: EPOLLIN, EPOLLOUT. fn may add and remove descriptors, its own too. 0, -ENOSPC or a negative errno. */
int loop_add(struct loop *l, int fd, uint32_t events, loop_fn fn, void *ctx);
/* Before the descriptor is closed. Unknown ones are ignored. */
void loop_remove(struct loop *l, int fd);

/*
 * Wake up at `at_us` at the latest. Set to a later time the timer is left as it is: one early wake-up costs
 * less than setting the timer again for every frame that pushes a timeout out.
 */
int loop_arm(struct loop *l, int64_t at_us);
/*
 * Waits, reads the clock, calls the functions of the ready descriptors. 0 or a negative errno. A signal with a
 * handler ends the wait. Whoever must not miss one that comes between two waits blocks it after loop_open(): then
 * its handler runs while waiting only.
 */
int loop_wait(struct loop *l);

/* CLOCK_MONOTONIC in microseconds. */
int64_t loop_clock_us(void);

#endif
