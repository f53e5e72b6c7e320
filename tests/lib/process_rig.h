/* SPDX-License-Identifier: MIT */
/*
 * A program of the same build as a real process on a UDP bus of its own, with us as the charge-controller module
 * and as the client of its control socket. For cmocka: what goes wrong fails the test, with what the program
 * printed. Waits on descriptors only, each time with a deadline.
 */
#ifndef TESTS_PROCESS_RIG_H
#define TESTS_PROCESS_RIG_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/lib/proc_child.h"
#include "tests/lib/proc_module.h"

#define PROCESS_TEXT_MAX 32768

struct process_rig {
	const enum proc_step *step; /* initial state of a test that is run for several steps; else NULL */
	struct proc_child child;
	struct proc_module module;
	char url[64];
	char folder[64], socket[96], config[96], counts[96]; /* paths; the files are removed at the end */
	char text[PROCESS_TEXT_MAX];			     /* last answer, or what the program printed */
	char again[PROCESS_TEXT_MAX];			     /* to compare with */
};

/* Options without waiting times, ended by NULL. */
extern const char *const process_fast[];

/* Set-up and tear-down of each test: makes and removes the rig. */
int process_set_up(void **state);
int process_tear_down(void **state);
/* Starts a program with --can, --control, extra options, and env added to ours (NULL: nothing). */
void process_launch(struct process_rig *r, const char *program, const char *const extra[],
		    const char *const env[]);
/* evse-ctrl with pistol 1, or with 1 and 3 for last 3; returns when they are heard. */
void process_start_points(struct process_rig *r, const char *const extra[], const char *const env[],
			  unsigned last);
/* The same with process_fast and pistol 1. */
void process_start(struct process_rig *r);
void process_walk(struct process_rig *r, int from, enum proc_step last);
/* One request of the control socket; the answer is in r->text. True for "ok". */
bool process_ask(struct process_rig *r, const char *request);
/* The number behind "key=" in the last answer. */
long long process_answered(const struct process_rig *r, const char *key);
void process_write_config(const struct process_rig *r, const char *content, size_t n);
/* Fails the test with what the program has printed. */
void process_fail(struct process_rig *r, const char *what);

#endif
