/* SPDX-License-Identifier: MIT */
/* Screens and outputs beside what they were. */
#include "tests/lib/screen_golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/proc_child.h"

#define FOLDER	     "tests/screen/golden"
#define MAX_LOOKS    40
#define MAX_SHOWN    12
#define UPDATE_MS    300  /* a screen that is stored has stood still that long */
#define DIFFERENT_MS 3000 /* and one that differs */
#define OUTPUT_LIMIT 10000
#define OUTPUT_SIZE  (4 * 1024 * 1024)
#define MAX_ARGS     16

static bool is_update(void)
{
	const char *s = getenv("GOLDEN");

	return s && strcmp(s, "update") == 0;
}

/* --- the text of a screen ---------------------------------------------------------------------------------- */

static void put_look(FILE *f, const struct term_cell *c)
{
	if (c->fg == -2)
		fprintf(f, " fg=#%02x%02x%02x", c->fg_rgb[0], c->fg_rgb[1], c->fg_rgb[2]);
	else if (c->fg >= 0)
		fprintf(f, " fg=%d", c->fg);
	if (c->bg == -2)
		fprintf(f, " bg=#%02x%02x%02x", c->bg_rgb[0], c->bg_rgb[1], c->bg_rgb[2]);
	else if (c->bg >= 0)
		fprintf(f, " bg=%d", c->bg);
	fprintf(f, "%s%s%s%s%s\n", c->is_bold ? " bold" : "", c->is_dim ? " dim" : "",
		c->is_underlined ? " underline" : "", c->is_reverse ? " reverse" : "",
		c->is_blinking ? " blink" : "");
}

/* '.' plain, then letters in order of appearance. A blank shows nothing but its background. */
static char letter_of(struct term_cell c, struct term_cell looks[MAX_LOOKS], int *n)
{
	int i;

	if (c.ch == ' ' && !c.is_reverse && !c.is_underlined) {
		c.is_bold = c.is_dim = c.is_blinking = false;
		c.fg = -1;
		memcpy(c.fg_rgb, looks[0].fg_rgb, 3);
	}
	for (i = 0; i < *n; i++)
		if (term_cell_is_alike(&looks[i], &c))
			break;
	if (i == *n && *n < MAX_LOOKS)
		looks[(*n)++] = c;
	return i == 0 ? '.' : (char)(i <= 26 ? 'a' + i - 1 : 'A' + i - 27);
}

static void put_looks(FILE *f, const struct term_rig *t)
{
	struct term_cell looks[MAX_LOOKS];
	char line[TERM_MAX_COLS + 1];
	int row, col, n = 1, end;

	/* The terminal's own look: a cell below and right of everything that matters, made plain. */
	looks[0] = term_cell(t, 0, 0);
	looks[0].is_bold = looks[0].is_dim = looks[0].is_underlined = looks[0].is_reverse = false;
	looks[0].is_blinking = false;
	looks[0].fg = looks[0].bg = -1;
	memcpy(looks[0].fg_rgb, t->plain_fg, 3);
	memcpy(looks[0].bg_rgb, t->plain_bg, 3);
	for (row = 0; row < t->rows; row++) {
		for (col = end = 0; col < t->cols && col < TERM_MAX_COLS; col++) {
			line[col] = letter_of(term_cell(t, row, col), looks, &n);
			if (line[col] != '.')
				end = col + 1;
		}
		fprintf(f, "%.*s\n", end, line);
	}
	fprintf(f, "=== letters\n");
	for (row = 1; row < n; row++) {
		fprintf(f, "%c", row <= 26 ? 'a' + row - 1 : 'A' + row - 27);
		put_look(f, &looks[row]);
	}
}

static char *text_of(const struct term_rig *t)
{
	char line[TERM_ROW_MAX], *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	int row;

	for (row = 0; row < t->rows; row++) {
		term_row_text(t, row, line);
		fprintf(f, "%s\n", line);
	}
	fprintf(f, "=== looks\n");
	put_looks(f, t);
	fclose(f);
	return text;
}

/* --- files ------------------------------------------------------------------------------------------------- */

static void path_of(const char *name, char path[256])
{
	snprintf(path, 256, FOLDER "/%s.txt", name);
}

/* NULL: there is none. */
static char *load(const char *name)
{
	char path[256], *text;
	struct stat st;
	size_t n;
	FILE *f;

	path_of(name, path);
	f = fopen(path, "r");
	if (!f || fstat(fileno(f), &st))
		return NULL;
	text = malloc((size_t)st.st_size + 1);
	n = fread(text, 1, (size_t)st.st_size, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

static void store(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	path_of(name, path);
	f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f))
		fail_msg("cannot write %s", path);
}

static void show_difference(const char *name, const char *golden, const char *text)
{
	unsigned line = 1, n_shown = 0;

	print_message("# %s differs (GOLDEN=update accepts it): - as it was, + as it is\n", name);
	while ((*golden || *text) && n_shown < MAX_SHOWN) {
		int a = (int)strcspn(golden, "\n"), b = (int)strcspn(text, "\n");

		if (a != b || memcmp(golden, text, (size_t)a) != 0) {
			print_message("# line %u\n# -%.*s\n# +%.*s\n", line, a, golden, b, text);
			n_shown++;
		}
		golden += golden[a] ? a + 1 : a;
		text += text[b] ? b + 1 : b;
		line++;
	}
}

void golden_expect(const char *name, const char *text)
{
	char *golden;
	bool is_same;

	if (is_update()) {
		store(name, text);
		return;
	}
	golden = load(name);
	if (!golden)
		fail_msg("no golden file %s: make it with GOLDEN=update", name);
	is_same = strcmp(golden, text) == 0;
	if (!is_same)
		show_difference(name, golden, text);
	free(golden);
	assert_true(is_same);
}

/* --- screens ----------------------------------------------------------------------------------------------- */

const char *screen_title(const char *program)
{
	return program[0] == 'e' ? "EVSE " : program[0] == 's' ? "SITE " : "PEV ";
}

void screen_open(struct term_rig *t, const struct screen_case *c)
{
	const char *argv[MAX_ARGS] = {NULL};
	char program[PROC_PATH_MAX], log[128];
	size_t n = 0, i;

	if (!proc_find_program(c->program, program))
		fail_msg("%s is not built: make first", c->program);
	snprintf(log, sizeof(log), "tests/screen/%s.log", c->log);
	argv[n++] = program;
	argv[n++] = "--replay";
	argv[n++] = log;
	argv[n++] = "--paused";
	argv[n++] = "--start-at";
	argv[n++] = c->start_s;
	for (i = 0; i < 4 && c->options[i]; i++)
		argv[n++] = c->options[i];
	assert_int_equal(term_start(t, argv, NULL, c->rows, c->cols), 0);
	/* The top line begins with the interface, whatever the page. */
	if (!term_wait_text(t, screen_title(c->program))) {
		term_show(t);
		fail_msg("%s shows no first screen", c->program);
	}
	if (c->keys)
		term_send(t, c->keys);
}

struct wanted {
	const char *golden;
	char *text; /* of the screen as last looked at */
};

static bool is_as_wanted(struct term_rig *t, void *ctx)
{
	struct wanted *w = ctx;

	free(w->text);
	w->text = text_of(t);
	return strcmp(w->text, w->golden) == 0;
}

/* A screen that differs may only be late: it must have stood still for long before it counts. */
static bool is_reached(struct term_rig *t, struct wanted *w)
{
	int64_t begin_us = proc_now_us();

	do {
		if (term_wait(t, is_as_wanted, w, 200))
			return true;
		if (t->pid == 0)
			return false;
	} while (proc_now_us() - (t->byte_us > begin_us ? t->byte_us : begin_us) < DIFFERENT_MS * 1000);
	return false;
}

void screen_expect(struct term_rig *t, const char *name, const char *marker)
{
	struct wanted w = {NULL, NULL};
	char *golden = NULL;
	bool is_good;

	if (is_update()) {
		if ((marker && !term_wait_text(t, marker)) || !term_wait_quiet(t, UPDATE_MS)) {
			term_show(t);
			fail_msg("%s: \"%s\" never stands still on the screen", name, marker ? marker : "it");
		}
		w.text = text_of(t);
		store(name, w.text);
		free(w.text);
		return;
	}
	w.golden = golden = load(name);
	if (!golden)
		fail_msg("no golden file %s: make it with GOLDEN=update", name);
	is_good = is_reached(t, &w);
	if (!is_good)
		show_difference(name, golden, w.text);
	free(w.text);
	free(golden);
	assert_true(is_good);
}

/* --- outputs ----------------------------------------------------------------------------------------------- */

char *golden_output_of(const char *const args[], const char *const env[], int *exit_code)
{
	static const char *const utc[] = {"TZ=UTC", "LC_ALL=C.UTF-8", NULL};
	const char *argv[PROC_MAX_ARGS] = {NULL};
	char program[PROC_PATH_MAX], *text = malloc(OUTPUT_SIZE);
	struct proc_child c;
	size_t n = 1;

	if (!proc_find_program(args[0], program))
		fail_msg("%s is not built: make first", args[0]);
	argv[0] = program;
	for (; args[n] && n < PROC_MAX_ARGS - 1; n++)
		argv[n] = args[n];
	assert_int_equal(proc_start(&c, argv, env ? env : utc), 0);
	if (!proc_wait(&c, OUTPUT_LIMIT)) {
		proc_end(&c);
		free(text);
		fail_msg("%s does not end", args[0]);
	}
	*exit_code = proc_exit_code(&c);
	proc_output(&c, text, OUTPUT_SIZE);
	proc_end(&c);
	return text;
}
