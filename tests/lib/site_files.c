/* SPDX-License-Identifier: MIT */
/* Files of a site for tests. */
#include "tests/lib/site_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "site-ctrl/load_conf.h"

int site_files_set_up(void **state)
{
	struct site_files *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	snprintf(f->dir, sizeof(f->dir), "/tmp/forecourt-testXXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	*state = f;
	return 0;
}

int site_files_tear_down(void **state)
{
	struct site_files *f = *state;
	uint32_t i;

	load_schedule_close(&f->s);
	site_load_free(&f->l);
	for (i = 0; i < f->n_files; i++)
		unlink(f->path[i]);
	rmdir(f->dir);
	free(f);
	return 0;
}

/* A file of the test's folder; its path. */
const char *site_files_put(struct site_files *f, const char *name, const char *text)
{
	char path[96];
	uint32_t i;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	for (i = 0; i < f->n_files && strcmp(f->path[i], path) != 0; i++)
		;
	assert_true(i < SITE_FILES_MAX);
	snprintf(f->path[i], sizeof(f->path[i]), "%s", path);
	f->n_files += i == f->n_files;
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
	return f->path[i];
}

/* The sentence is FILE:LINE: with `part` in it (line 0: FILE: only). */
void site_files_assert_sentence(const struct site_files *f, const char *name, unsigned line, const char *part)
{
	char place[128];

	if (line)
		snprintf(place, sizeof(place), "%s/%s:%u: ", f->dir, name, line);
	else
		snprintf(place, sizeof(place), "%s/%s: ", f->dir, name);
	if (strstr(f->err, place) != f->err || !strstr(f->err, part))
		fail_msg("'%s' does not begin with '%s', or has no '%s'", f->err, place, part);
}

int site_files_load_conf(struct site_files *f, const char *text)
{
	site_load_free(&f->l);
	f->err[0] = '\0';
	return site_load_conf(&f->l, site_files_put(f, "site.conf", text), f->err, sizeof(f->err));
}
