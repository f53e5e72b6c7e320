/* SPDX-License-Identifier: MIT */
/*
 * inih front end. The file is read into memory first; inih then gets it line by line from a reader that looks
 * at each line before, because inih itself says nothing about long lines, repeated sections and the line of
 * a key.
 */
#include "lib/linux/conf_ini.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ini.h>

struct reading {
	struct conf_ini *c;
	const char *p, *end; /* what inih has not seen yet */
	uint32_t line;
	uint32_t error_line;
	int error;
	char *err;
	size_t err_size;
};

int conf_ini_error(const struct conf_ini *c, uint32_t line, int error, char *err, size_t err_size,
		   const char *format, ...)
{
	va_list args;
	int n = snprintf(err, err_size, "%s:%u: ", c->path, (unsigned)line);

	if (n < 0 || (size_t)n >= err_size)
		return error;
	va_start(args, format);
	vsnprintf(err + n, err_size - (size_t)n, format, args);
	va_end(args);
	return error;
}

static int fail(struct reading *r, int error, const char *sentence, const char *name)
{
	if (!r->error) {
		r->error = conf_ini_error(r->c, r->line, error, r->err, r->err_size, "%s%s", sentence, name);
		r->error_line = r->line;
	}
	return 0;
}

/* Copies n characters into the text pool; NULL when it is full. */
static char *keep(struct conf_ini *c, const char *text, size_t n)
{
	char *copy = c->text + c->n_text;

	if (n >= CONF_TEXT_MAX - c->n_text)
		return NULL;
	memcpy(copy, text, n);
	copy[n] = '\0';
	c->n_text += (uint32_t)n + 1;
	return copy;
}

static void add_section(struct reading *r, const char *name, size_t n)
{
	struct conf_ini *c = r->c;
	uint32_t i;

	for (i = 0; i < c->n_sections; i++) {
		if (strlen(c->section[i].name) == n && memcmp(c->section[i].name, name, n) == 0) {
			fail(r, -EEXIST, n ? "section appears twice" : "section without a name", "");
			return;
		}
	}
	if (c->n_sections == CONF_SECTIONS_MAX) {
		fail(r, -E2BIG, "too many sections", "");
		return;
	}
	c->section[c->n_sections].name = keep(c, name, n);
	c->section[c->n_sections].line = r->line;
	if (!c->section[c->n_sections].name)
		fail(r, -E2BIG, "file is too big", "");
	else
		c->n_sections++;
}

/* Looks at a line before inih does. */
static void check_line(struct reading *r, const char *line, size_t n)
{
	const char *start = line, *end = line + n, *close;

	if (n > CONF_LINE_LEN_MAX) {
		fail(r, -EMSGSIZE, "line is too long, at most 190 characters", "");
		return;
	}
	if (memchr(line, '\0', n)) {
		fail(r, -EINVAL, "zero byte; not a text file", "");
		return;
	}
	while (start < end && (*start == ' ' || *start == '\t' || *start == '\r'))
		start++;
	if (start == end || *start == '#' || *start == ';')
		return;
	if (start > line) {
		fail(r, -EINVAL, "line begins with a blank; lines cannot be indented or continued", "");
		return;
	}
	if (*start != '[')
		return;
	close = memchr(start, ']', (size_t)(end - start));
	if (!close) {
		fail(r, -EINVAL, "section without ']'", "");
		return;
	}
	add_section(r, start + 1, (size_t)(close - start - 1));
	for (start = close + 1; start < end && (*start == ' ' || *start == '\t' || *start == '\r'); start++)
		;
	if (start < end && *start != '#' && *start != ';')
		fail(r, -EINVAL, "text behind the section's name", "");
}

/* fgets for inih: one line into str. After the first error it sees the end of the file. */
static char *next_line(char *str, int num, void *stream)
{
	struct reading *r = stream;
	const char *newline;
	size_t n;

	if (r->error || r->p == r->end)
		return NULL;
	newline = memchr(r->p, '\n', (size_t)(r->end - r->p));
	r->line++;
	n = (size_t)(newline - r->p);
	check_line(r, r->p, n);
	if (!r->error && (num < 0 || n + 2 > (size_t)num))
		fail(r, -EMSGSIZE, "line is too long for the parser", "");
	if (r->error)
		return NULL;
	memcpy(str, r->p, n + 1);
	str[n + 1] = '\0';
	r->p = newline + 1;
	return str;
}

static int put_item(void *user, const char *section, const char *name, const char *value)
{
	struct reading *r = user;
	struct conf_ini *c = r->c;
	struct conf_item *item = &c->item[c->n_items];
	uint32_t i;
	char *key, *p;

	(void)section; /* ours is not cut at 49 characters */
	if (c->n_items == CONF_ITEMS_MAX)
		return fail(r, -E2BIG, "too many keys", "");
	key = keep(c, name, strlen(name));
	item->value = keep(c, value, strlen(value));
	item->line = r->line;
	item->section = c->n_sections - 1;
	if (!key || !item->value)
		return fail(r, -E2BIG, "file is too big", "");
	if (!*key)
		return fail(r, -EINVAL, "value without a key", "");
	for (p = key; *p; p++)
		if (*p == '-')
			*p = '_';
	item->key = key;
	for (i = 0; i < c->n_items; i++)
		if (c->item[i].section == item->section && strcmp(c->item[i].key, key) == 0)
			return fail(r, -EEXIST, "key appears twice: ", key);
	c->n_items++;
	return 1;
}

/* 0 and the length, or a negative errno. A file that changes meanwhile is one that somebody is writing. */
static int read_whole(int fd, char *buffer, size_t size, size_t *n)
{
	struct stat before, after;

	*n = 0;
	if (fstat(fd, &before))
		return -errno;
	if (S_ISDIR(before.st_mode))
		return -EISDIR;
	for (;;) {
		ssize_t got = read(fd, buffer + *n, size - *n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		*n += (size_t)got;
		if (*n == size)
			return -EFBIG;
	}
	if (fstat(fd, &after))
		return -errno;
	if (S_ISREG(after.st_mode) &&
	    (after.st_size != (off_t)*n || after.st_mtim.tv_sec != before.st_mtim.tv_sec ||
	     after.st_mtim.tv_nsec != before.st_mtim.tv_nsec))
		return -EBUSY;
	return 0;
}

static int read_file(const char *path, char *buffer, size_t *n, char *err, size_t err_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r;

	if (fd < 0) {
		r = -errno;
	} else {
		r = read_whole(fd, buffer, CONF_TEXT_MAX, n);
		close(fd);
	}
	if (r == -EBUSY)
		snprintf(err, err_size, "%s: is being written", path);
	else if (r)
		snprintf(err, err_size, "%s: %s", path, strerror(-r));
	else if (*n == 0)
		snprintf(err, err_size, "%s: is empty", path);
	if (!r && *n == 0)
		r = -EINVAL;
	return r;
}

static int parse(struct conf_ini *c, const char *text, size_t n, char *err, size_t err_size)
{
	struct reading r = {.c = c, .p = text, .end = text + n, .err = err, .err_size = err_size};
	const char *p;
	int line;

	if (text[n - 1] != '\n') {
		for (p = text; (p = memchr(p, '\n', (size_t)(r.end - p))); p++)
			r.line++;
		r.line++;
		fail(&r, -EINVAL, "last line has no end; the file was not written to its end", "");
		return r.error;
	}
	if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
		r.p += 3; /* mark of UTF-8, as some editors put it */
	line = ini_parse_stream(next_line, &r, put_item, &r);
	/* inih goes on behind a line it cannot read; an error of ours further down must not hide it. */
	if (line && (!r.error || (uint32_t)line < r.error_line)) {
		r.line = line > 0 ? (uint32_t)line : 0;
		r.error = 0;
		fail(&r, -EINVAL, "neither a section, a 'key = value' nor a comment", "");
	}
	return r.error;
}

int conf_ini_load(struct conf_ini *c, const char *path, char *err, size_t err_size)
{
	char *buffer = malloc(CONF_TEXT_MAX);
	size_t n = 0;
	int r;

	if (!buffer) {
		snprintf(err, err_size, "%s: not enough memory", path);
		return -ENOMEM;
	}
	c->path = path;
	c->n_items = 0;
	c->n_text = 0;
	c->section[0].name = "";
	c->section[0].line = 0;
	c->n_sections = 1;
	r = read_file(path, buffer, &n, err, err_size);
	if (!r)
		r = parse(c, buffer, n, err, err_size);
	free(buffer);
	return r;
}

const char *conf_ini_find(const struct conf_ini *c, const char *section, const char *key)
{
	uint32_t i;

	for (i = 0; i < c->n_items; i++)
		if (strcmp(c->item[i].key, key) == 0 &&
		    strcmp(c->section[c->item[i].section].name, section) == 0)
			return c->item[i].value;
	return NULL;
}
