/* SPDX-License-Identifier: MIT */
/*
 * Local control socket of a program: a Unix stream socket that only its owner can reach.
 *
 * One request is one line; the answer is lines "key=value" and then "ok", or "error: sentence". At most
 * CTL_MAX_CLIENTS at a time; one that does not take its answers, sends a line longer than CTL_LINE_MAX or a
 * zero byte is told so where possible and dropped. A stale socket file is replaced; one that somebody answers
 * on is an error.
 *
 * Where it is: NAME.sock in $XDG_RUNTIME_DIR/forecourt, or as root in /run/forecourt, or else in
 * /tmp/forecourt-UID. The directory is made with mode 0700 and must be a directory of our own.
 */
#ifndef LINUX_CTL_SERVER_H
#define LINUX_CTL_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/linux/loop.h"

#define CTL_MAX_CLIENTS 8
#define CTL_LINE_MAX	1024  /* a request, with its line end */
#define CTL_ANSWER_MAX	16384 /* with the final NUL */
#define CTL_PATH_MAX	108   /* size of sun_path */
#define CTL_N_DIRS	3     /* places where a socket may be */

/* Same contract as machine_ops.command. */
typedef int (*ctl_request_fn)(void *ctx, int64_t now_us, const char *line, char *answer, size_t size);

struct ctl_client {
	struct ctl_server *server;
	int fd; /* -1: free */
	size_t n;
	char line[CTL_LINE_MAX];
};

struct ctl_server {
	int fd; /* -1: closed */
	struct loop *loop;
	ctl_request_fn request;
	void *ctx;
	char path[CTL_PATH_MAX];
	dev_t device; /* of our socket file, so that we never remove another's */
	ino_t inode;
	uint32_t n_dropped; /* clients dropped for their behaviour or for want of room */
	struct ctl_client client[CTL_MAX_CLIENTS];
	char answer[CTL_ANSWER_MAX + 128]; /* and the last line */
};

/*
 * The socket path for a program name, in the i-th place, i < CTL_N_DIRS. 0, -ENOENT when that place does not
 * apply, or -ENAMETOOLONG.
 */
int ctl_socket_path(const char *name, unsigned i, char path[CTL_PATH_MAX]);
/* The directory of the i-th place, without a slash at the end. Returns as above. */
int ctl_socket_dir(unsigned i, char dir[CTL_PATH_MAX]);

/* Creates the socket at `path`, or for path NULL at the first usable place for `name`. 0, or a negative errno
 * with a sentence in err. */
int ctl_server_open(struct ctl_server *s, const char *path, const char *name, char *err, size_t err_size);
/* From here on clients are served by this loop. */
int ctl_server_start(struct ctl_server *s, struct loop *loop, ctl_request_fn request, void *ctx);
/* Removes the socket file. */
void ctl_server_close(struct ctl_server *s);

#endif
