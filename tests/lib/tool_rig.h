/* SPDX-License-Identifier: MIT */
/*
 * Command line programs under test: shell commands in a folder of their own, with the programs of this build in PATH.
 */
#ifndef TESTS_TOOL_RIG_H
#define TESTS_TOOL_RIG_H

#include <stddef.h>

#include "tests/lib/proc_child.h"

#define TOOL_LIMIT_MS 60000 /* a hang */

struct tool_rig {
	char dir[64];
	char path[2 * PROC_PATH_MAX]; /* PATH=... */
	char said[16384];	      /* stdout and stderr of the last command */
};

/* A new folder in /tmp. Fails the test when the program of this name is not built. */
void tool_begin(struct tool_rig *r, const char *program);
/* Removes the folder. */
void tool_end(struct tool_rig *r);
/* Runs a shell command in the folder; its exit status (a hang fails the test). */
int tool_run(struct tool_rig *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same without waiting; sh -c "exec COMMAND", so that signals reach the program. */
void tool_start(struct tool_rig *r, struct proc_child *c, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* A file of the folder as text, to be freed; fails the test when there is none. */
char *tool_read(const struct tool_rig *r, const char *name);
void tool_write(const struct tool_rig *r, const char *name, const char *text);

#endif
