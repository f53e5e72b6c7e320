/* SPDX-License-Identifier: MIT */
/*
 * Network tables under any bytes, stations before a byte 1 and constraints behind it: refused with a sentence
 * that begins with the file, or a site whose rows are whole and say what the table says.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "site-ctrl/load_net.h"
#include "tests/lib/site_judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

#define SIZE_W 30000

static void must(bool is_true)
{
	if (!is_true)
		abort();
}

static void put(const char *base, const char *end, const uint8_t *text, size_t n)
{
	char path[80];
	FILE *f;

	snprintf(path, sizeof(path), "%s%s", base, end);
	f = fopen(path, "w");
	must(f != NULL && fwrite(text, 1, n, f) == n && fclose(f) == 0);
}

static void take_away(const char *base)
{
	char path[80];

	snprintf(path, sizeof(path), "%s_stations.csv", base);
	unlink(path);
	snprintf(path, sizeof(path), "%s_constraints.csv", base);
	unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	const uint8_t *mark = len ? memchr(input, 1, len) : NULL;
	char base[64], err[512] = "";
	struct site_load l;

	if (!mark)
		return 0;
	snprintf(base, sizeof(base), "/tmp/forecourt-fuzz-net-%d", (int)getpid());
	put(base, "_stations.csv", input, (size_t)(mark - input));
	put(base, "_constraints.csv", mark + 1, len - (size_t)(mark - input) - 1);
	if (site_load_net(&l, base, SIZE_W, input[0] & 1, err, sizeof(err)))
		must(strncmp(err, base, strlen(base)) == 0);
	else
		site_judge_rows(&l.model);
	site_load_free(&l);
	take_away(base);
	return 0;
}
