/* SPDX-License-Identifier: MIT */
/* epoll, timerfd and signalfd behind six functions. */
#include "lib/linux/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <forecourt/units.h>

/* Marks of epoll events that are not slots. */
#define TIMER_MARK  UINT64_MAX
#define SIGNAL_MARK (UINT64_MAX - 1)

int64_t loop_clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * FC_US_PER_S + t.tv_nsec / 1000;
}

static int watch(struct loop *l, int fd, uint32_t events, uint64_t mark)
{
	struct epoll_event e = {.events = events, .data.u64 = mark};

	return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &e) ? -errno : 0;
}

static int open_signals(struct loop *l)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGHUP); /* a terminal that is closed must not leave power on */
	if (sigaction(SIGPIPE, &ignore, NULL) || sigprocmask(SIG_BLOCK, &stop, &l->old_mask) ||
	    sigprocmask(SIG_BLOCK, NULL, &l->wait_mask))
		return -errno;
	l->signal_fd = signalfd(-1, &stop, SFD_NONBLOCK | SFD_CLOEXEC);
	if (l->signal_fd < 0) {
		int r = -errno;

		sigprocmask(SIG_SETMASK, &l->old_mask, NULL);
		return r;
	}
	return watch(l, l->signal_fd, EPOLLIN, SIGNAL_MARK);
}

int loop_open(struct loop *l)
{
	size_t i;
	int r;

	memset(l, 0, sizeof(*l));
	for (i = 0; i < LOOP_MAX_FDS; i++)
		l->slot[i].fd = -1;
	l->armed_us = FC_NEVER;
	l->signal_fd = -1;
	l->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->timer_fd < 0 || l->epoll_fd < 0)
		r = -errno;
	else
		r = watch(l, l->timer_fd, EPOLLIN | EPOLLET, TIMER_MARK);
	if (!r)
		r = open_signals(l);
	if (r)
		loop_close(l);
	l->now_us = loop_clock_us();
	return r;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void loop_close(struct loop *l)
{
	if (l->signal_fd >= 0)
		sigprocmask(SIG_SETMASK, &l->old_mask, NULL);
	close_fd(&l->signal_fd);
	close_fd(&l->timer_fd);
	close_fd(&l->epoll_fd);
}

int loop_add(struct loop *l, int fd, uint32_t events, loop_fn fn, void *ctx)
{
	uint32_t i;
	int r;

	for (i = 0; i < LOOP_MAX_FDS && l->slot[i].fd >= 0; i++)
		;
	if (i == LOOP_MAX_FDS)
		return -ENOSPC;
	l->slot[i].generation++;
	r = watch(l, fd, events, (uint64_t)l->slot[i].generation << 32 | i);
	if (r)
		return r;
	l->slot[i].fd = fd;
	l->slot[i].fn = fn;
	l->slot[i].ctx = ctx;
	return 0;
}

void loop_remove(struct loop *l, int fd)
{
	uint32_t i;

	for (i = 0; i < LOOP_MAX_FDS; i++) {
		if (l->slot[i].fd != fd)
			continue;
		epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		l->slot[i].fd = -1;
		l->slot[i].generation++;
		return;
	}
}

int loop_arm(struct loop *l, int64_t at_us)
{
	struct itimerspec t = {0};

	if (at_us >= l->armed_us)
		return 0;
	if (at_us < 1)
		at_us = 1; /* zero would disarm */
	t.it_value.tv_sec = (time_t)(at_us / FC_US_PER_S);
	t.it_value.tv_nsec = (long)(at_us % FC_US_PER_S) * 1000;
	if (timerfd_settime(l->timer_fd, TFD_TIMER_ABSTIME, &t, NULL))
		return -errno;
	l->armed_us = at_us;
	return 0;
}

static void read_signals(struct loop *l)
{
	struct signalfd_siginfo info;

	while (read(l->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		l->n_signals++;
}

static void dispatch(struct loop *l, const struct epoll_event *e)
{
	const struct loop_slot *s = &l->slot[(uint32_t)e->data.u64 % LOOP_MAX_FDS];

	if (s->fd >= 0 && s->generation == (uint32_t)(e->data.u64 >> 32))
		s->fn(s->ctx, l->now_us, e->events);
}

int loop_wait(struct loop *l)
{
	struct epoll_event events[LOOP_MAX_EVENTS];
	int n = epoll_pwait(l->epoll_fd, events, LOOP_MAX_EVENTS, -1, &l->wait_mask);
	int r = n < 0 && errno != EINTR ? -errno : 0;
	int i;

	l->now_us = loop_clock_us();
	for (i = 0; i < n; i++) {
		if (events[i].data.u64 == TIMER_MARK)
			l->armed_us =
				FC_NEVER; /* edge-triggered: no read is needed before the next setting */
		else if (events[i].data.u64 == SIGNAL_MARK)
			read_signals(l);
		else
			dispatch(l, &events[i]);
	}
	return r;
}
