/* SPDX-License-Identifier: MIT */
/*
 * Child processes of tests and benches: programs of the same build, or a function in a forked copy of ourselves.
 * A child dies with its parent. What a program prints is kept in memory and can be read at any time, so that
 * nobody blocks on a full pipe.
 */
#ifndef TESTS_PROC_CHILD_H
#define TESTS_PROC_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROC_PATH_MAX 512
#define PROC_MAX_ARGS 48

struct proc_child {
	pid_t pid;	 /* 0: none, or ended and collected */
	int pid_fd;	 /* readable when it has ended; -1: none */
	int output_fd;	 /* stdout and stderr so far; -1: none */
	int64_t exec_us; /* monotonic clock just before the program was started */
	int status;	 /* of waitpid(), once ended */
};

/* Monotonic microseconds. */
int64_t proc_now_us(void);
/* The program NAME of the build this one belongs to: bin/NAME in the nearest folder above. */
bool proc_find_program(const char *name, char path[PROC_PATH_MAX]);
/* "udp:GROUP:PORT" with a port that nobody on this host has open. */
bool proc_pick_bus(char *url, size_t size);

/*
 * Starts argv[0] (a path) with `env`, a list of KEY=VALUE ended by NULL (may be NULL), added to ours. 0 or a
 * negative errno; what exec() itself does not like shows as exit code 127.
 */
int proc_start(struct proc_child *c, const char *const argv[], const char *const env[]);
/* Runs fn in a forked copy of this process; its result is the exit code. */
int proc_fork(struct proc_child *c, int (*fn)(void *ctx), void *ctx);
/* True when it has ended by then; the status is collected. */
bool proc_wait(struct proc_child *c, int64_t timeout_ms);
/* Kills and collects what still runs, and closes what is open. */
void proc_end(struct proc_child *c);
/* Exit code, or minus the number of the signal that ended it. */
int proc_exit_code(const struct proc_child *c);
/* What it has printed so far, always terminated; longer output is cut at its end. */
void proc_output(const struct proc_child *c, char *text, size_t size);

/* Time on a processor so far, from the scheduler; -1 when the kernel does not say. */
int64_t proc_cpu_ns(pid_t pid);
/* A number of /proc/PID/FILE behind "KEY:", as written there (kB or a count); -1 when there is none. */
int64_t proc_number(pid_t pid, const char *file, const char *key);

#endif
