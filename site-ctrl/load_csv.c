/* SPDX-License-Identifier: MIT */
/*
 * Tables of comma separated values: the whole file in memory, split where it lies. Shell.
 */
#include "site-ctrl/load_csv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_SIZE 65536

int load_csv_error(const struct load_csv *c, int error, char *err, size_t err_size, const char *format, ...)
{
	va_list args;
	int n = snprintf(err, err_size, "%s:%u: ", c->path, (unsigned)c->line);

	if (n < 0 || (size_t)n >= err_size)
		return error;
	va_start(args, format);
	vsnprintf(err + n, err_size - (size_t)n, format, args);
	va_end(args);
	return error;
}

/* --- reading -------------------------------------------------------------------------------------------- */

static int read_all(int fd, struct load_csv *c)
{
	size_t size = 0;

	for (;;) {
		ssize_t got;

		if (c->n_text == size) {
			char *bigger;

			if (size > LOAD_CSV_MAX)
				return -EFBIG;
			size = size ? 2 * size : FIRST_SIZE;
			bigger = realloc(c->text, size);
			if (!bigger)
				return -ENOMEM;
			c->text = bigger;
		}
		got = read(fd, c->text + c->n_text, size - c->n_text);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return c->n_text > LOAD_CSV_MAX ? -EFBIG : 0;
		c->n_text += (size_t)got;
	}
}

static int read_file(struct load_csv *c, char *err, size_t err_size)
{
	int fd = open(c->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	int r;

	if (fd < 0) {
		r = -errno;
	} else {
		r = fstat(fd, &st) ? -errno : S_ISDIR(st.st_mode) ? -EISDIR : read_all(fd, c);
		close(fd);
	}
	if (r)
		snprintf(err, err_size, "%s: %s", c->path, strerror(-r));
	return r;
}

/* Lines that are whole and of text; the line of the first that is not in c->line. */
static int check_text(struct load_csv *c, char *err, size_t err_size)
{
	const char *zero = c->n_text ? memchr(c->text, '\0', c->n_text) : NULL;
	const char *end = zero ? zero : c->text + c->n_text, *p;

	if (c->n_text == 0) {
		snprintf(err, err_size, "%s: is empty", c->path);
		return -EINVAL;
	}
	if (!zero && end[-1] == '\n')
		return 0;
	c->line = 1;
	for (p = c->text; (p = memchr(p, '\n', (size_t)(end - p))); p++)
		c->line++;
	if (zero)
		return load_csv_error(c, -EINVAL, err, err_size, "zero byte; not a text file");
	return load_csv_error(c, -EINVAL, err, err_size,
			      "last line has no end; the file was not written to its end");
}

/* --- lines ---------------------------------------------------------------------------------------------- */

/* Takes the quotes off a field that begins with one, in place; *p behind it. False: it has no end. */
static bool take_quoted(char **p, char *end)
{
	char *to = *p, *from = *p + 1;

	for (; from < end; from++) {
		if (*from == '"' && from[1] != '"') {
			*to = '\0';
			*p = from + 1;
			return true;
		}
		if (*from == '"')
			from++;
		*to++ = *from;
	}
	return false;
}

/* Splits the line at p up to its end (a zero). */
static int split(struct load_csv *c, char *p, char *end, char *err, size_t err_size)
{
	c->n_fields = 0;
	for (;;) {
		char *field = p;

		if (*p != '"') {
			p = memchr(p, ',', (size_t)(end - p));
			p = p ? p : end;
		} else if (!take_quoted(&p, end)) {
			return load_csv_error(c, -EINVAL, err, err_size, "quote without an end");
		} else if (p != end && *p != ',') {
			return load_csv_error(c, -EINVAL, err, err_size, "text behind a quote");
		}
		if (c->n_fields == LOAD_CSV_COLUMNS)
			return load_csv_error(c, -EINVAL, err, err_size, "more than %d fields",
					      LOAD_CSV_COLUMNS);
		c->field[c->n_fields++] = field;
		if (p == end)
			return 0;
		*p++ = '\0';
	}
}

/* 1 and the fields of the next line that is not empty. */
static int next_line(struct load_csv *c, char *err, size_t err_size)
{
	while (c->next < c->end) {
		char *p = c->next, *end = memchr(p, '\n', (size_t)(c->end - p));
		int r;

		c->next = end + 1;
		c->line++;
		if (end > p && end[-1] == '\r')
			end--;
		*end = '\0';
		if (end == p)
			continue;
		r = split(c, p, end, err, err_size);
		return r ? r : 1;
	}
	return 0;
}

static int map_columns(struct load_csv *c, const char *const *column, uint32_t n_required, char *err,
		       size_t err_size)
{
	uint32_t i, k;

	for (i = 0; i < c->n_columns; i++)
		c->column_at[i] = UINT32_MAX;
	for (k = 0; k < c->n_fields; k++) {
		for (i = 0; i < c->n_columns && strcmp(column[i], c->field[k]) != 0; i++)
			;
		if (i == c->n_columns)
			return load_csv_error(c, -EINVAL, err, err_size, "unknown column: %.40s",
					      c->field[k]);
		if (c->column_at[i] != UINT32_MAX)
			return load_csv_error(c, -EEXIST, err, err_size, "column appears twice: %s",
					      column[i]);
		c->column_at[i] = k;
	}
	for (i = 0; i < n_required; i++)
		if (c->column_at[i] == UINT32_MAX)
			return load_csv_error(c, -EINVAL, err, err_size, "column is missing: %s", column[i]);
	return 0;
}

int load_csv_open(struct load_csv *c, const char *path, const char *const *column, uint32_t n_required,
		  uint32_t n_columns, char *err, size_t err_size)
{
	uint32_t n_fields;
	int r;

	memset(c, 0, sizeof(*c));
	c->path = path;
	c->n_columns = n_columns;
	r = read_file(c, err, err_size);
	if (!r)
		r = check_text(c, err, err_size);
	if (!r) {
		c->next = c->text;
		c->end = c->text + c->n_text;
		if (c->n_text >= 3 && memcmp(c->text, "\xEF\xBB\xBF", 3) == 0)
			c->next += 3; /* mark of UTF-8, as some editors put it */
		r = next_line(c, err, err_size);
		if (r == 0)
			r = load_csv_error(c, -EINVAL, err, err_size, "no line of column names");
	}
	if (r > 0)
		r = map_columns(c, column, n_required, err, err_size);
	n_fields = c->n_fields;
	if (r)
		load_csv_close(c);
	c->n_fields = n_fields;
	return r;
}

void load_csv_close(struct load_csv *c)
{
	free(c->text);
	c->text = NULL;
	c->next = c->end = NULL;
}

int load_csv_next(struct load_csv *c, char *err, size_t err_size)
{
	uint32_t n_fields = c->n_fields;
	int r = next_line(c, err, err_size);

	if (r > 0 && c->n_fields != n_fields) {
		r = load_csv_error(c, -EINVAL, err, err_size, "%u fields, but %u columns",
				   (unsigned)c->n_fields, (unsigned)n_fields);
		c->n_fields = n_fields;
	}
	return r;
}

const char *load_csv_get(const struct load_csv *c, uint32_t column)
{
	return c->column_at[column] == UINT32_MAX ? "" : c->field[c->column_at[column]];
}

/* --- decimals ------------------------------------------------------------------------------------------- */

struct decimal {
	int64_t digits; /* all of them as one number */
	int exponent;	/* of ten */
	bool is_negative, is_cut;
};

/* The digits at *p; behind a point each lowers the exponent. How many. */
static int take_digits(const char **p, struct decimal *d, bool is_fraction)
{
	int n = 0;

	for (; **p >= '0' && **p <= '9'; (*p)++, n++) {
		if (d->digits > INT64_MAX / 100) {
			d->is_cut |= **p != '0';
			d->exponent += !is_fraction;
			continue;
		}
		d->digits = d->digits * 10 + (**p - '0');
		d->exponent -= is_fraction;
	}
	return n;
}

static int take_exponent(const char **p, struct decimal *d)
{
	int sign = 1, value = 0, n = 0;

	if (**p != 'e' && **p != 'E')
		return 0;
	(*p)++;
	if (**p == '-' || **p == '+')
		sign = *(*p)++ == '-' ? -1 : 1;
	for (; **p >= '0' && **p <= '9' && n < 4; (*p)++, n++)
		value = value * 10 + (**p - '0');
	d->exponent += sign * value;
	return n ? 0 : -EINVAL;
}

static int parse(const char *text, struct decimal *d)
{
	const char *p = text;
	int n;

	memset(d, 0, sizeof(*d));
	if (*p == '-' || *p == '+')
		d->is_negative = *p++ == '-';
	n = take_digits(&p, d, false);
	if (*p == '.') {
		p++;
		n += take_digits(&p, d, true);
	}
	if (n == 0 || take_exponent(&p, d) || *p)
		return -EINVAL;
	return 0;
}

int load_decimal(const char *text, int digits, enum load_round round, int64_t *value)
{
	struct decimal d;
	int64_t last = 0, v;
	int r = parse(text, &d), e;

	if (r)
		return r;
	v = d.digits;
	e = d.exponent + digits;
	for (; e > 0 && v; e--) {
		if (v > INT64_MAX / 100)
			return -ERANGE;
		v *= 10;
	}
	for (; e < 0 && (v || last); e++) {
		d.is_cut |= last != 0;
		last = v % 10;
		v /= 10;
	}
	if (round == LOAD_ROUND_UP)
		v += last || d.is_cut;
	else if (round == LOAD_ROUND_NEAREST)
		v += last >= 5;
	*value = d.is_negative ? -v : v;
	return 0;
}

#define COEF_SCALE INT64_C(1000000000)
#define COEF_MAX   256
#define COEF_Q16   65536

int load_coef_q16(const char *text, int32_t *coef_q16)
{
	int64_t v, size;
	int r = load_decimal(text, 9, LOAD_ROUND_NEAREST, &v);

	if (r)
		return r;
	size = v < 0 ? -v : v;
	if (size == 0)
		return -EINVAL;
	if (size > COEF_MAX * COEF_SCALE)
		return -ERANGE;
	size = (size * COEF_Q16 + COEF_SCALE - 1) / COEF_SCALE;
	*coef_q16 = (int32_t)(v < 0 ? -size : size);
	return 0;
}
