/* SPDX-License-Identifier: MIT */
/*
 * The thread that calls fdatasync().
 */
#include "monitor/bus_log_sync.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

/* Of a descriptor that nobody else closes. Pipes and terminals cannot be synchronised, and need not be. */
static int sync_and_close(int fd)
{
	int rc;

	if (fd < 0)
		return 0;
	rc = fdatasync(fd) == 0 || errno == EINVAL || errno == EROFS ? 0 : -errno;
	close(fd);
	return rc;
}

/* Once, what is there; the lock is open meanwhile. */
static void sync_files(struct log_sync *s)
{
	int fd = s->fd >= 0 ? dup(s->fd) : -1, old_fd = s->old_fd, rc, old_rc;

	s->old_fd = -1;
	pthread_mutex_unlock(&s->lock);
	old_rc = sync_and_close(old_fd);
	rc = sync_and_close(fd);
	pthread_mutex_lock(&s->lock);
	if (rc || old_rc)
		s->error = rc ? rc : old_rc;
}

static void *run(void *ctx)
{
	struct log_sync *s = ctx;
	struct timespec next;

	pthread_mutex_lock(&s->lock);
	while (!s->is_stopping) {
		/* After a slow one a second passes before the next. */
		clock_gettime(CLOCK_MONOTONIC, &next);
		next.tv_sec++;
		while (!s->is_stopping && pthread_cond_timedwait(&s->wake, &s->lock, &next) == 0)
			;
		if (!s->is_stopping)
			sync_files(s);
	}
	sync_files(s); /* what came while the one before was going on */
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int log_sync_start(struct log_sync *s)
{
	pthread_condattr_t attr;
	sigset_t all, before;
	int rc;

	s->fd = -1;
	s->old_fd = -1;
	s->is_stopping = false;
	s->error = 0;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, &attr);
	pthread_condattr_destroy(&attr);
	/* Signals are for the one that reads the bus. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&s->thread, NULL, run, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -rc;
}

void log_sync_file(struct log_sync *s, int fd, int old_fd)
{
	int older_fd;

	pthread_mutex_lock(&s->lock);
	s->fd = fd;
	older_fd = s->old_fd;
	s->old_fd = old_fd;
	pthread_mutex_unlock(&s->lock);
	/* Files are put aside faster than the disk takes them. */
	(void)sync_and_close(older_fd);
}

int log_sync_error(struct log_sync *s)
{
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = s->error;
	pthread_mutex_unlock(&s->lock);
	return rc;
}

int log_sync_stop(struct log_sync *s)
{
	pthread_mutex_lock(&s->lock);
	s->is_stopping = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	return s->error;
}
