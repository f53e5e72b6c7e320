/* SPDX-License-Identifier: MIT */
/*
 * Log files that are put aside by number.
 */
#include "monitor/bus_log_rotate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_NUMBER 99999

/* Digits and maybe a letter of `letters`, which stands for the factor with the same place. */
static int parse(const char *text, const char *letters, const uint64_t *factor, uint64_t max, uint64_t *value)
{
	uint64_t v = 0, f = 1;
	const char *letter;
	unsigned n = 0;

	for (; *text >= '0' && *text <= '9'; text++) {
		if (++n > 15)
			return -ERANGE;
		v = v * 10 + (uint64_t)(*text - '0');
	}
	if (n == 0)
		return -EINVAL;
	if (*text) {
		letter = strchr(letters, *text);
		if (!letter || text[1])
			return -EINVAL;
		f = factor[letter - letters];
	}
	if (v > max / f)
		return -ERANGE;
	*value = v * f;
	return 0;
}

int rotate_parse_size(const char *text, uint64_t *bytes)
{
	static const uint64_t factor[] = {1 << 10, 1 << 10, 1 << 20, 1 << 20, 1 << 30, 1 << 30};

	return parse(text, "kKmMgG", factor, (uint64_t)1 << 50, bytes);
}

int rotate_parse_time(const char *text, int64_t *us)
{
	static const uint64_t factor[] = {1, 60, 3600, 86400};
	uint64_t s;
	int rc = parse(text, "smhd", factor, UINT64_C(10000) * 86400, &s);

	if (rc == 0)
		*us = (int64_t)s * 1000000;
	return rc;
}

static bool exists(const char *path, unsigned number)
{
	char name[ROTATE_PATH_MAX];

	snprintf(name, sizeof(name), "%s.%u", path, number);
	return access(name, F_OK) == 0;
}

static int move(const char *path, unsigned from, unsigned to)
{
	char old[ROTATE_PATH_MAX], new[ROTATE_PATH_MAX];

	snprintf(new, sizeof(new), "%s.%u", path, to);
	if (from)
		snprintf(old, sizeof(old), "%s.%u", path, from);
	else
		snprintf(old, sizeof(old), "%s", path);
	return rename(old, new) == 0 ? 0 : -errno;
}

/* FILE becomes FILE.1; the oldest one that is too many is overwritten. */
static int put_aside(const struct rotate_cfg *cfg)
{
	unsigned n = 1;
	int rc = 0;

	while (n < MAX_NUMBER && n != cfg->keep && exists(cfg->path, n))
		n++;
	for (; n > 1 && rc == 0; n--)
		rc = move(cfg->path, n - 1, n);
	if (rc == 0)
		rc = move(cfg->path, 0, 1);
	return rc == -ENOENT ? 0 : rc; /* somebody took it away: nothing is lost by a new one */
}

/* The rest of a line that a crash cut off must not take our first line with it. 0 or a negative errno. */
static int end_last_line(const char *path, int fd, uint64_t *bytes)
{
	int old_fd = *bytes ? open(path, O_RDONLY | O_CLOEXEC) : -1, rc = 0;
	char last = '\n';

	if (old_fd < 0)
		return 0;
	if (pread(old_fd, &last, 1, (off_t)(*bytes - 1)) == 1 && last != '\n') {
		rc = write(fd, "\n", 1) == 1 ? 0 : -errno;
		*bytes += rc == 0;
	}
	close(old_fd);
	return rc;
}

static int open_file(struct rotate_file *f, int flags, int64_t now_us)
{
	struct stat st;
	int fd = open(f->cfg.path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666), rc;
	uint64_t bytes;

	if (fd < 0)
		return -errno;
	bytes = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	rc = end_last_line(f->cfg.path, fd, &bytes);
	if (rc) {
		close(fd);
		return rc;
	}
	f->fd = fd;
	f->bytes = bytes;
	f->opened_us = now_us;
	return 0;
}

int rotate_open(struct rotate_file *f, const struct rotate_cfg *cfg, bool is_append, int64_t now_us)
{
	bool is_rotating = cfg->max_bytes || cfg->max_us;
	struct stat st;
	int rc = 0;

	f->cfg = *cfg;
	if (is_rotating && !is_append && stat(cfg->path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
		rc = put_aside(cfg);
	return rc ? rc : open_file(f, is_append ? O_APPEND : O_TRUNC, now_us);
}

bool rotate_is_due(const struct rotate_file *f, int64_t now_us)
{
	if (f->bytes == 0)
		return false;
	return (f->cfg.max_bytes && f->bytes >= f->cfg.max_bytes) ||
	       (f->cfg.max_us && now_us - f->opened_us >= f->cfg.max_us);
}

int rotate_turn(struct rotate_file *f, int64_t now_us, int *old_fd)
{
	int fd = f->fd, rc = put_aside(&f->cfg);

	if (rc == 0)
		rc = open_file(f, O_TRUNC, now_us);
	if (rc == 0)
		*old_fd = fd;
	return rc;
}

int rotate_reopen(struct rotate_file *f, int64_t now_us, int *old_fd)
{
	int fd = f->fd, rc = open_file(f, O_APPEND, now_us);

	if (rc == 0)
		*old_fd = fd;
	return rc;
}
