/* SPDX-License-Identifier: MIT */
/*
 * Reads a table of comma separated values strictly: a line of column names, then rows with as many fields.
 * Shell. Also exact decimals. Fields may be quoted ("a ""b"", c"), lines end with LF or CR LF, empty lines do
 * not count. A file whose last line has no end was not written to its end and is refused, as are zero bytes
 * and names of columns that are not known, twice or missing.
 */
#ifndef SITE_LOAD_CSV_H
#define SITE_LOAD_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_CSV_COLUMNS 16
#define LOAD_CSV_MAX	 (64 << 20) /* bytes of a file */

struct load_csv {
	const char *path; /* the caller's */
	char *text;
	size_t n_text;
	char *next, *end;
	uint32_t line; /* of the present row */
	uint32_t n_fields;
	char *field[LOAD_CSV_COLUMNS];
	uint32_t n_columns;
	uint32_t column_at[LOAD_CSV_COLUMNS]; /* field of each column; UINT32_MAX: not in the file */
};

/*
 * Reads the file and its first line. column[0..n_required-1] must be there, the others may. 0 or a negative
 * errno with a sentence; nothing to close after an error.
 */
int load_csv_open(struct load_csv *c, const char *path, const char *const *column, uint32_t n_required,
		  uint32_t n_columns, char *err, size_t err_size);
void load_csv_close(struct load_csv *c);
/* 1: a row; 0: the end; negative errno with FILE:LINE: sentence. */
int load_csv_next(struct load_csv *c, char *err, size_t err_size);
/* Text of a column of the present row; "" where the file has no such column. Lives until close. */
const char *load_csv_get(const struct load_csv *c, uint32_t column);
/* Writes "FILE:LINE: sentence" for the present row and returns the error. */
int load_csv_error(const struct load_csv *c, int error, char *err, size_t err_size, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

enum load_round { LOAD_ROUND_DOWN, LOAD_ROUND_NEAREST, LOAD_ROUND_UP }; /* of the magnitude */

/*
 * Text such as "-1.25" or "3e-2" times 10^digits, exactly before it is rounded; at most 18 digits count. 0,
 * -EINVAL: not a number, -ERANGE: too large.
 */
int load_decimal(const char *text, int digits, enum load_round round, int64_t *value);
/*
 * A coefficient in Q16, its magnitude rounded up at the ninth decimal, so that what is counted is never too
 * little; quarters and halves are exact. -EINVAL: not a number, or 0; -ERANGE: beyond 256.
 */
int load_coef_q16(const char *text, int32_t *coef_q16);

#endif
