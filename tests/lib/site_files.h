/* SPDX-License-Identifier: MIT */
/* Files of a site in a folder of the test's own, and what the loaders make of them. */
#ifndef TESTS_SITE_FILES_H
#define TESTS_SITE_FILES_H

#include "site-ctrl/load_schedule.h"
#include "site-ctrl/load_site.h"

#define SITE_FILES_MAX 8

struct site_files {
	struct site_load l;
	struct load_schedule s;
	char dir[40];
	char path[SITE_FILES_MAX][96];
	uint32_t n_files;
	char err[512];
};

/* For cmocka: *state is a struct site_files. */
int site_files_set_up(void **state);
int site_files_tear_down(void **state);
/* Writes a file; its path. */
const char *site_files_put(struct site_files *f, const char *name, const char *text);
/* Fails unless the sentence is FILE:LINE: with `part` in it (line 0: FILE: only). */
void site_files_assert_sentence(const struct site_files *f, const char *name, unsigned line,
				const char *part);
/* Writes site.conf and loads it into f->l. */
int site_files_load_conf(struct site_files *f, const char *text);

/* Sections of the smallest site. */
#define ROOT  "[node.main]\nlimit_A = 63\n"	     /* 2 lines */
#define POINT "[point.A]\nnode = main\nmax_A = 32\n" /* 3 lines */

#endif
