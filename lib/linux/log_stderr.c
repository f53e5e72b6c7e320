/* SPDX-License-Identifier: MIT */
/* Log sink of a process. */
#include "lib/linux/log_stderr.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <forecourt/units.h>

#include "lib/linux/loop.h"

/* $JOURNAL_STREAM is "DEVICE:INODE" of the stream that the service manager made; ours may have been redirected. */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(fd, &st) == 0 &&
	       st.st_dev == device && st.st_ino == inode;
}

static bool has_room(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	return poll(&p, 1, 0) == 1 && p.revents & POLLOUT;
}

static void write_line(struct log_stderr *l, enum log_level level, const char *text)
{
	char line[LOG_LINE_MAX + 32];
	int64_t t_us = loop_clock_us() - l->start_us;
	int n;

	if (l->is_journal)
		n = snprintf(line, sizeof(line), "<%d>%s\n", (int)level, text);
	else
		n = snprintf(line, sizeof(line), "%7lld.%03d %s\n", (long long)(t_us / FC_US_PER_S),
			     (int)(t_us % FC_US_PER_S / 1000), text);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof(line)) {
		n = sizeof(line) - 1;
		line[n - 1] = '\n';
	}
	if (!has_room(l->fd) || write(l->fd, line, (size_t)n) < 0) {
		l->n_lost++;
		l->n_lost_total++;
	}
}

static void put_line(void *ctx, enum log_level level, const char *text)
{
	struct log_stderr *l = ctx;

	if (l->n_lost && has_room(l->fd)) {
		char note[64];

		snprintf(note, sizeof(note), "log: %u lines lost, stderr was full", (unsigned)l->n_lost);
		l->n_lost = 0;
		write_line(l, LOG_WARN, note);
	}
	write_line(l, level, text);
}

void log_stderr_init(struct log_stderr *l, int fd, enum log_level level)
{
	memset(l, 0, sizeof(*l));
	l->sink.line = put_line;
	l->sink.ctx = l;
	l->sink.level = level;
	l->fd = fd;
	l->is_journal = is_journal(fd);
	l->start_us = loop_clock_us();
}
