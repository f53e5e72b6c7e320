/* SPDX-License-Identifier: MIT */
/* Trace file of a process. */
#include "lib/linux/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <forecourt/units.h>

#include "lib/core/frame_text.h"

#define LINE_MAX_LEN (FRAME_LOG_LINE_MAX + 3) /* " T\n" */

int trace_open(struct trace *t, const char *path, int64_t now_us)
{
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	t->wall_offset_us = (int64_t)wall.tv_sec * FC_US_PER_S + wall.tv_nsec / 1000 - now_us;
	t->flushed_us = now_us;
	t->n = 0;
	t->error = 0;
	/* Non-blocking, so that a FIFO whose reader stands still ends the trace and not the control cycle. */
	t->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
	return t->fd < 0 ? -errno : 0;
}

static void flush(struct trace *t)
{
	size_t done = 0;

	while (t->fd >= 0 && done < t->n) {
		ssize_t n = write(t->fd, t->buffer + done, t->n - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			t->error = -errno;
			close(t->fd);
			t->fd = -1;
			break;
		}
		done += (size_t)n;
	}
	t->n = 0;
}

void trace_close(struct trace *t)
{
	flush(t);
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

void trace_frame(struct trace *t, int64_t time_us, const char *channel, const struct can_frame *f,
		 bool is_sent)
{
	char *end;

	if (t->fd < 0)
		return;
	if (sizeof(t->buffer) - t->n < LINE_MAX_LEN)
		flush(t);
	end = t->buffer + t->n;
	end += frame_log_write(time_us + t->wall_offset_us, channel, f, end);
	*end++ = ' ';
	*end++ = is_sent ? 'T' : 'R';
	*end++ = '\n';
	t->n = (size_t)(end - t->buffer);
}

void trace_service(struct trace *t, int64_t now_us)
{
	if (now_us - t->flushed_us < FC_US_PER_S)
		return;
	t->flushed_us = now_us;
	flush(t);
}
