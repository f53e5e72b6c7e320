/* SPDX-License-Identifier: MIT */
/*
 * A log file that is put aside when it is big or old enough: FILE becomes FILE.1, FILE.1 becomes FILE.2 and so on, as
 * logrotate(8) numbers them, so that the newest has the smallest number and FILE is always the one that grows.
 */
#ifndef MONITOR_BUS_LOG_ROTATE_H
#define MONITOR_BUS_LOG_ROTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROTATE_PATH_MAX 4096

struct rotate_cfg {
	const char *path;
	uint64_t max_bytes; /* 0: never for its size */
	int64_t max_us;	    /* 0: never for its age */
	unsigned keep;	    /* files put aside; 0: all of them */
};

struct rotate_file {
	struct rotate_cfg cfg;
	int fd;
	uint64_t bytes;	   /* in the file */
	int64_t opened_us; /* monotonic clock */
};

/* "100M" (k, M, G: powers of 1024), "1h" (s, m, h, d). 0 or -EINVAL, -ERANGE. */
int rotate_parse_size(const char *text, uint64_t *bytes);
int rotate_parse_time(const char *text, int64_t *us);

/*
 * Opens the file; is_append: behind what it holds. With rotation a file that holds something is put aside first,
 * never emptied. 0 or a negative errno.
 */
int rotate_open(struct rotate_file *f, const struct rotate_cfg *cfg, bool is_append, int64_t now_us);
bool rotate_is_due(const struct rotate_file *f, int64_t now_us);
/*
 * A new file in place of the present one, whose descriptor, *old_fd, is the caller's to close. 0, or a negative
 * errno: then the present one stays.
 */
int rotate_turn(struct rotate_file *f, int64_t now_us, int *old_fd);
/* The file that has the name now, appended to: after somebody else moved ours away. As rotate_turn(). */
int rotate_reopen(struct rotate_file *f, int64_t now_us, int *old_fd);

#endif
