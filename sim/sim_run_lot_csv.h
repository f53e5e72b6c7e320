/* SPDX-License-Identifier: MIT */
/*
 * Comma-separated tables of a lot's simulation: sessions in, set-points out. Shell: reads files, allocates.
 *
 * The first line names the columns, in any order; columns that are not known are skipped. Fields may stand in
 * double quotes; empty lines and a byte order mark are skipped; lines end in LF or CR LF.
 *
 *     session,station,arrival_s,departure_s,energy_wh,user_departure_s,...
 *
 * Times are whole seconds from the start of the workload. Lines are in the order of arrival.
 */
#ifndef SIM_SIM_RUN_LOT_CSV_H
#define SIM_SIM_RUN_LOT_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "site-ctrl/site_model.h"

#define LOT_MAX_COLUMNS 32
#define LOT_MAX_TIME_S	(20 * 366 * 86400) /* 20 years */
#define LOT_MAX_WH	1000000.0	   /* of one session */
#define LOT_UJ_PER_WH	INT64_C(3600000000)
#define LOT_NOT_STATED	INT32_MIN

struct lot_field {
	const char *text; /* not terminated */
	size_t len;
};

/* Walks over the lines of a text. */
struct lot_csv {
	const char *name; /* of the file, for errors */
	const char *at, *end;
	uint32_t line; /* of the row that was read last; 1 is the first */
	struct lot_field field[LOT_MAX_COLUMNS];
	unsigned n_fields;
	unsigned n_columns; /* every row has as many; 0: not known yet */
};

void lot_csv_begin(struct lot_csv *c, const char *name, const char *text, size_t len);
/* Next row: 1, 0 at the end, or -EINVAL with a sentence. */
int lot_csv_next(struct lot_csv *c, char *err, size_t err_size);
/* Reads the first line: where each of the wanted columns is, or -1. As above. */
int lot_csv_header(struct lot_csv *c, const char *const *wanted, unsigned n, int *at, char *err,
		   size_t err_size);
/* "FILE:LINE: sentence"; -EINVAL. */
int lot_csv_error(const struct lot_csv *c, char *err, size_t err_size, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Plain decimal numbers, no blanks, nothing behind; false: not one, or out of int32 or of the range of a double. */
bool lot_read_int(struct lot_field f, int32_t *value);
bool lot_read_real(struct lot_field f, double *value);
bool lot_field_is(struct lot_field f, const char *text);

/* The whole file, with a NUL behind; to be freed. 0 or a negative errno with a sentence. */
int lot_read_file(const char *name, char **text, size_t *len, char *err, size_t err_size);

struct lot_session {
	uint32_t point;	   /* of the model */
	int32_t arrival_s; /* from then on, and until just before departure_s, it is plugged in */
	int32_t departure_s;
	int32_t stated_s; /* departure as the driver said; LOT_NOT_STATED */
	int64_t energy_uJ;
};

struct lot_workload {
	struct lot_session *session; /* in the order of arrival */
	uint32_t n_sessions;
	int32_t end_s;	 /* last departure */
	bool has_stated; /* there is a column user_departure_s */
};

/*
 * Sessions that arrive before end_s. 0, or a negative errno with FILE:LINE and a sentence: unknown station, not a
 * number, negative energy, departure not behind arrival, not in order, two at a station at a time.
 */
int lot_workload_read(struct lot_workload *w, const struct site_model *m, const char *name, const char *text,
		      size_t len, int32_t end_s, char *err, size_t err_size);
int lot_workload_load(struct lot_workload *w, const struct site_model *m, const char *name, int32_t end_s,
		      char *err, size_t err_size);
void lot_workload_free(struct lot_workload *w);

#endif
