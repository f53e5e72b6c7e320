/* SPDX-License-Identifier: MIT */
/*
 * The parser, everything kept, against a floor: one pass over the bytes that finds the lines and reads
 * messages and signals with sscanf, keeping nothing else.
 *
 * bench_parse [FILE]: default dbc/evse_v3.6.dbc; besides a database of some 800 kB made up in memory.
 */
#include "dbc/dbc_parse.h"

#include "bench/bench_time.h"

#include <stdio.h>

#define N_ROUNDS       21
#define SYNTHETIC_SIZE 800000

struct text {
	char *s;
	size_t len;
};

static double parse_ours(const struct text *t, unsigned *n_signals)
{
	struct dbc_db *db;
	struct dbc_error error;
	double start = bench_now_ns();

	if (dbc_parse(t->s, t->len, "bench", &db, &error)) {
		fprintf(stderr, "%s\n", error.text);
		exit(1);
	}
	double ns = bench_now_ns() - start;
	*n_signals = db->n_signals;
	dbc_free(db);
	return ns;
}

static double parse_floor(const struct text *t, unsigned *n_signals)
{
	double start = bench_now_ns();
	const char *end = t->s + t->len;
	unsigned n = 0;

	for (const char *p = t->s; p < end;) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		char line[256], name[128], order[8], sign;
		unsigned start_bit, length;
		double factor, offset, min, max;
		size_t len = (size_t)((eol ? eol : end) - p);

		if (len < sizeof(line) && len > 4) {
			memcpy(line, p, len);
			line[len] = '\0';
			n += sscanf(line, " SG_ %127s : %u|%u@%1s%c (%lf,%lf) [%lf|%lf]", name, &start_bit,
				    &length, order, &sign, &factor, &offset, &min, &max) == 9;
		}
		p = eol ? eol + 1 : end;
	}
	*n_signals = n;
	return bench_now_ns() - start;
}

static void report(const char *what, const struct text *t)
{
	double a[N_ROUNDS], f[N_ROUNDS];
	unsigned n_ours = 0, n_floor = 0;

	for (unsigned r = 0; r < N_ROUNDS; r++) {
		a[r] = parse_ours(t, &n_ours);
		f[r] = parse_floor(t, &n_floor);
	}
	double x = bench_median(a, N_ROUNDS), y = bench_median(f, N_ROUNDS);
	printf("%s: %zu bytes, %u signals: %.3f ms, %.0f MB/s; floor (%u plain signals) %.3f ms; ratio %.2f\n",
	       what, t->len, n_ours, x / 1e6, (double)t->len / x * 1e3, n_floor, y / 1e6, x / y);
}

/* Messages with signals, comments, value names and attributes in the proportions of large real files. */
static void synthesise(struct text *t)
{
	size_t cap = SYNTHETIC_SIZE + 4096, n = 0;
	uint64_t seed = 7;

	t->s = malloc(cap);
	if (!t->s)
		exit(1);
	n += (size_t)snprintf(t->s, cap,
			      "VERSION \"1\"\n\nBS_:\n\nBU_: A B C\n\nBA_DEF_ SG_ \"Start\" INT 0 100;\n");
	for (unsigned m = 1; n < SYNTHETIC_SIZE; m++) {
		n += (size_t)snprintf(t->s + n, cap - n, "\nBO_ %u Message_Number_%u: 8 A\n", m, m);
		for (unsigned k = 0; k < 6; k++)
			n += (size_t)snprintf(
				t->s + n, cap - n,
				" SG_ Some_Signal_%u_%u : %u|10@1%c (0.%u,-40) [-40|%u.5] \"km/h\"  B,C\n", m,
				k, k * 10, bench_random(&seed) & 1 ? '+' : '-',
				(unsigned)(bench_random(&seed) % 99 + 1),
				(unsigned)(bench_random(&seed) % 9999));
		for (unsigned k = 0; k < 3; k++)
			n += (size_t)snprintf(
				t->s + n, cap - n,
				"CM_ SG_ %u Some_Signal_%u_%u \"What it means,\nin two lines.\";\n"
				"BA_ \"Start\" SG_ %u Some_Signal_%u_%u %u;\n"
				"VAL_ %u Some_Signal_%u_%u 3 \"Faulty\" 2 \"NotUsed\" 1 \"On\" 0 \"Off\" ;\n",
				m, m, k, m, m, k, k, m, m, k);
	}
	t->len = n;
}

static bool read_text(const char *path, struct text *t)
{
	FILE *f = fopen(path, "rb");

	if (!f)
		return false;
	t->s = malloc(1 << 24);
	t->len = t->s ? fread(t->s, 1, 1 << 24, f) : 0;
	fclose(f);
	return t->len > 0;
}

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "dbc/evse_v3.6.dbc";
	struct text file = {0}, made = {0};

	if (!read_text(path, &file)) {
		perror(path);
		return 1;
	}
	synthesise(&made);
	report(path, &file);
	report("made up", &made);
	free(file.s);
	free(made.s);
	return 0;
}
