/* SPDX-License-Identifier: MIT */
/*
 * site.conf under any bytes, and behind a byte 1 a schedule for it: refused with a sentence, or a site whose
 * rows are whole, whose limits can be set and whose picture can be drawn. Files that the input would name are
 * not looked for.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "site-ctrl/alloc_run.h"
#include "site-ctrl/load_conf.h"
#include "site-ctrl/load_schedule.h"
#include "site-ctrl/site_show.h"
#include "tests/lib/site_judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

static void must(bool is_true)
{
	if (!is_true)
		abort();
}

/* A file without a name; its path. */
static int put(const uint8_t *text, size_t n, char path[64])
{
	int fd = memfd_create("fuzz", 0);

	must(fd >= 0);
	must(write(fd, text, n) == (ssize_t)n);
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

/* Limits at every place from the bytes of the input; whatever is asked, what results is in its range. */
static void play_limits(const struct site_model *m, const uint8_t *input, size_t len)
{
	void *block = calloc(1, site_limits_size(m));
	struct site_limits l;
	char err[256];
	int64_t now_us = 0, next_us;
	size_t i;
	uint32_t r;

	must(block != NULL);
	site_limits_init(&l, m, block);
	for (i = 0; i + 4 < len && i < 200; i += 5) {
		int32_t mA = (input[i] << 12) - 4096 + input[i + 1];
		int32_t base_mA[3] = {mA, -mA, input[i + 2]};
		uint32_t place = input[i + 3] % (m->n_nodes + m->n_constraints + 1u);

		now_us += (int64_t)input[i + 4] * 100000;
		if (input[i + 2] & 1)
			site_limits_meter(&l, place, base_mA, now_us);
		else
			site_limits_set(&l, input[i + 2] % SITE_N_LIMIT_SOURCES, place, input[i + 1] % 6, mA,
					input[i] & 1 ? FC_NEVER : now_us + input[i] * 1000000, err,
					sizeof(err));
		site_limits_update(&l, now_us, &next_us);
		must(next_us > now_us);
		for (r = 0; r < m->site.n_rows; r++)
			must(l.limit_mA[r] >= 0 && l.limit_mA[r] <= m->info[r].limit_mA &&
			     l.export_limit_mA[r] >= 0 && l.export_limit_mA[r] <= m->info[r].export_limit_mA);
	}
	free(block);
}

static void play_schedule(const struct site_model *m, const uint8_t *text, size_t n)
{
	void *block = calloc(1, site_limits_size(m));
	struct alloc_outlook outlook[16];
	struct load_schedule s;
	struct site_limits l;
	char path[64], err[256] = "";
	int64_t next_s;
	uint32_t k, i;
	int fd = put(text, n, path);

	must(block != NULL);
	site_limits_init(&l, m, block);
	if (load_schedule_open(&s, path, m, err, sizeof(err))) {
		must(strncmp(err, path, strlen(path)) == 0);
	} else {
		must(load_schedule_apply(&s, &l, 1795258800, &next_s, err, sizeof(err)) >= 0);
		k = load_schedule_outlook(&s, 1795258801, 5, 7200, outlook, 16);
		must(k <= 16);
		for (i = 1; i < k; i++)
			must(outlook[i].from_us > outlook[i - 1].from_us);
		load_schedule_close(&s);
	}
	close(fd);
	free(block);
}

static void play_picture(const struct site_model *m)
{
	struct site_show show = {.is_ascii = true};
	size_t n = site_show_write(m, &show, NULL, 0);
	char *text = malloc(n + 1);

	must(text != NULL && site_show_write(m, &show, text, n + 1) == n && strlen(text) == n);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	const uint8_t *mark = len ? memchr(input, 1, len) : NULL;
	size_t n = mark ? (size_t)(mark - input) : len;
	struct site_load l;
	char path[64], err[512] = "";
	int fd;

	if (len == 0 || memchr(input, '/', len))
		return 0;
	fd = put(input, n, path);
	if (site_load_conf(&l, path, err, sizeof(err))) {
		/* The file's own name, or that of a table beside it. */
		must(strncmp(err, "/proc/self/fd/", 14) == 0);
	} else {
		site_judge_rows(&l.model);
		play_limits(&l.model, input, n);
		if (mark)
			play_schedule(&l.model, mark + 1, len - n - 1);
		play_picture(&l.model);
	}
	site_load_free(&l);
	close(fd);
	return 0;
}
