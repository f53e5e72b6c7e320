/* SPDX-License-Identifier: MIT */
/*
 * Screens and outputs of the monitors beside what they were: files under tests/screen/golden. A screen is its rows
 * as UTF-8 text, then the same rows again with one letter for how each cell looks, then what the letters mean.
 *
 * GOLDEN=update in the environment writes the files anew; `git diff` then shows what has changed.
 */
#ifndef TESTS_SCREEN_GOLDEN_H
#define TESTS_SCREEN_GOLDEN_H

#include <stdbool.h>

#include "tests/lib/term_rig.h"

struct screen_case {
	const char *name;    /* of the golden file */
	const char *program; /* "evse-monitor" */
	const char *log;     /* in tests/screen, without ".log" */
	const char *start_s; /* of the replay */
	int rows, cols;
	const char *keys;	/* sent once the first screen is there; NULL: none */
	const char *options[4]; /* in addition, ended by NULL */
	const char *marker;	/* stands on the screen that is wanted */
};

/* What the first line of a monitor begins with, whatever the page. */
const char *screen_title(const char *program);
/* Starts the monitor on the log, paused at start_s, and waits for its first screen. For cmocka. */
void screen_open(struct term_rig *t, const struct screen_case *c);
/* Waits until the screen is as the golden file says; fails the test with the lines that differ. For cmocka. */
void screen_expect(struct term_rig *t, const char *name, const char *marker);
/* The whole of an output. For cmocka. */
void golden_expect(const char *name, const char *text);
/* Runs a program of the build to its end with stdin from nowhere; what it prints on both outputs. For cmocka. */
char *golden_output_of(const char *const args[], const char *const env[], int *exit_code);

#endif
