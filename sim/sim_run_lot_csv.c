/* SPDX-License-Identifier: MIT */
/* Comma-separated tables. */
#include "sim/sim_run_lot_csv.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NUMBER_MAX   40 /* characters of a number */
#define FILE_CHUNK   65536
#define FILE_LARGEST ((size_t)1 << 30)

void lot_csv_begin(struct lot_csv *c, const char *name, const char *text, size_t len)
{
	*c = (struct lot_csv){.name = name, .at = text, .end = text + len};
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		c->at += 3;
}

int lot_csv_error(const struct lot_csv *c, char *err, size_t err_size, const char *format, ...)
{
	va_list args;
	int n = snprintf(err, err_size, "%s:%u: ", c->name, (unsigned)c->line);

	if (n < 0 || (size_t)n >= err_size)
		return -EINVAL;
	va_start(args, format);
	vsnprintf(err + n, err_size - (size_t)n, format, args);
	va_end(args);
	return -EINVAL;
}

/* One field from *at on; leaves *at on the comma behind it or at the end. False: an open or misplaced quote. */
static bool take_field(const char **at, const char *end, struct lot_field *f)
{
	const char *close;

	if (*at < end && **at == '"') {
		f->text = *at + 1;
		close = memchr(f->text, '"', (size_t)(end - f->text));
		if (!close || (close + 1 < end && close[1] != ','))
			return false;
		f->len = (size_t)(close - f->text);
		*at = close + 1;
		return true;
	}
	f->text = *at;
	while (*at < end && **at != ',') {
		if (**at == '"')
			return false;
		++*at;
	}
	f->len = (size_t)(*at - f->text);
	return true;
}

int lot_csv_next(struct lot_csv *c, char *err, size_t err_size)
{
	const char *at = c->at, *end;

	do {
		if (c->at == c->end)
			return 0;
		c->line++;
		at = c->at;
		end = memchr(at, '\n', (size_t)(c->end - at));
		c->at = end ? end + 1 : c->end;
		if (!end)
			end = c->end;
		if (end > at && end[-1] == '\r')
			end--;
	} while (at == end);
	for (c->n_fields = 0;; at++) {
		if (c->n_fields == LOT_MAX_COLUMNS)
			return lot_csv_error(c, err, err_size, "more than %d columns", LOT_MAX_COLUMNS);
		if (!take_field(&at, end, &c->field[c->n_fields++]))
			return lot_csv_error(c, err, err_size,
					     "quotes must enclose a whole field of column %u", c->n_fields);
		if (at == end)
			break;
	}
	if (c->n_columns && c->n_fields != c->n_columns)
		return lot_csv_error(c, err, err_size, "%u fields where the first line has %u", c->n_fields,
				     c->n_columns);
	return 1;
}

bool lot_field_is(struct lot_field f, const char *text)
{
	return strlen(text) == f.len && memcmp(f.text, text, f.len) == 0;
}

int lot_csv_header(struct lot_csv *c, const char *const *wanted, unsigned n, int *at, char *err,
		   size_t err_size)
{
	unsigned i, k;
	int r = lot_csv_next(c, err, err_size);

	if (r <= 0)
		return r ? r : lot_csv_error(c, err, err_size, "is empty: the first line names the columns");
	c->n_columns = c->n_fields;
	for (k = 0; k < n; k++) {
		at[k] = -1;
		for (i = 0; i < c->n_fields; i++) {
			if (!lot_field_is(c->field[i], wanted[k]))
				continue;
			if (at[k] >= 0)
				return lot_csv_error(c, err, err_size, "column %s stands here twice",
						     wanted[k]);
			at[k] = (int)i;
		}
	}
	return 1;
}

bool lot_read_real(struct lot_field f, double *value)
{
	char text[NUMBER_MAX], *end;
	double x;

	/* strtod also knows blanks, hexadecimal and words. */
	if (f.len == 0 || f.len >= sizeof(text))
		return false;
	memcpy(text, f.text, f.len);
	text[f.len] = '\0';
	if (strspn(text, "0123456789+-.eE") != f.len)
		return false;
	x = strtod(text, &end);
	if (*end != '\0' || end == text || !isfinite(x))
		return false;
	*value = x;
	return true;
}

bool lot_read_int(struct lot_field f, int32_t *value)
{
	int64_t x = 0;
	size_t i = 0;
	bool is_negative = f.len > 1 && f.text[0] == '-';

	if (is_negative)
		i = 1;
	if (f.len == i || f.len > 11)
		return false;
	for (; i < f.len; i++) {
		if (f.text[i] < '0' || f.text[i] > '9')
			return false;
		x = x * 10 + (f.text[i] - '0');
	}
	x = is_negative ? -x : x;
	if (x < INT32_MIN || x > INT32_MAX)
		return false;
	*value = (int32_t)x;
	return true;
}

/* Also of a pipe: the size is found out by reading. */
static int read_all(int fd, char **text, size_t *len)
{
	size_t room = 0, at = 0;
	char *data = NULL, *more;
	ssize_t n;

	do {
		if (room - at < FILE_CHUNK) {
			room = 2 * room + FILE_CHUNK + 1;
			more = room > FILE_LARGEST ? NULL : realloc(data, room);
			if (!more) {
				free(data);
				return room > FILE_LARGEST ? -EFBIG : -ENOMEM;
			}
			data = more;
		}
		n = read(fd, data + at, room - at - 1);
		if (n < 0) {
			free(data);
			return -errno;
		}
		at += (size_t)n;
	} while (n > 0);
	data[at] = '\0';
	*text = data;
	*len = at;
	return 0;
}

int lot_read_file(const char *name, char **text, size_t *len, char *err, size_t err_size)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : read_all(fd, text, len);

	if (fd >= 0)
		close(fd);
	if (r)
		snprintf(err, err_size, "%s: %s", name, strerror(-r));
	return r;
}

/* --- sessions ------------------------------------------------------------------------------------------------ */

enum { COL_STATION, COL_ARRIVAL, COL_DEPARTURE, COL_ENERGY, COL_STATED, N_COLUMNS };
static const char *const columns[N_COLUMNS] = {"station", "arrival_s", "departure_s", "energy_wh",
					       "user_departure_s"};

struct reading {
	struct lot_csv csv;
	const struct site_model *model;
	int at[N_COLUMNS];
	int32_t *free_from_s; /* of each point: departure of the session before */
	int32_t last_s;	      /* arrival of the line before */
	char *err;
	size_t err_size;
};

static struct lot_field field_of(const struct reading *r, unsigned column)
{
	int at = r->at[column];

	return at >= 0 && (unsigned)at < r->csv.n_fields ? r->csv.field[at] : (struct lot_field){"", 0};
}

/* How much of a text is shown in an error. */
static int shown(struct lot_field f)
{
	return f.len > 40 ? 40 : (int)f.len;
}

static int take_time(struct reading *r, unsigned column, int32_t *value)
{
	struct lot_field f = field_of(r, column);

	if (lot_read_int(f, value) && *value >= 0 && *value <= LOT_MAX_TIME_S)
		return 0;
	return lot_csv_error(&r->csv, r->err, r->err_size,
			     "%s takes whole seconds from 0 to %d, not \"%.*s\"", columns[column],
			     LOT_MAX_TIME_S, shown(f), f.text);
}

static int take_station(struct reading *r, uint32_t *point)
{
	struct lot_field f = field_of(r, COL_STATION);
	char name[SITE_NAME_MAX];

	*point = UINT32_MAX;
	if (f.len < sizeof(name) && !memchr(f.text, '\0', f.len)) {
		memcpy(name, f.text, f.len);
		name[f.len] = '\0';
		*point = site_model_find_point(r->model, name);
	}
	if (*point < r->model->n_points)
		return 0;
	return lot_csv_error(&r->csv, r->err, r->err_size, "there is no station \"%.*s\" in the network",
			     shown(f), f.text);
}

static int take_energy(struct reading *r, int64_t *energy_uJ)
{
	struct lot_field f = field_of(r, COL_ENERGY);
	double wh;

	if (!lot_read_real(f, &wh) || wh < 0 || wh > LOT_MAX_WH)
		return lot_csv_error(&r->csv, r->err, r->err_size,
				     "energy_wh takes a number from 0 to %.0f, not \"%.*s\"", LOT_MAX_WH,
				     shown(f), f.text);
	*energy_uJ = llround(wh * (double)LOT_UJ_PER_WH);
	return 0;
}

static int take_session(struct reading *r, struct lot_session *s)
{
	const char *name;
	int ret = take_station(r, &s->point);

	if (!ret)
		ret = take_time(r, COL_ARRIVAL, &s->arrival_s);
	if (!ret)
		ret = take_time(r, COL_DEPARTURE, &s->departure_s);
	if (!ret)
		ret = take_energy(r, &s->energy_uJ);
	s->stated_s = LOT_NOT_STATED;
	if (!ret && field_of(r, COL_STATED).len)
		ret = take_time(r, COL_STATED, &s->stated_s);
	if (ret)
		return ret;
	name = r->model->point[s->point].name;
	if (s->departure_s <= s->arrival_s)
		return lot_csv_error(&r->csv, r->err, r->err_size,
				     "departure_s %d is not behind arrival_s %d at station %s",
				     s->departure_s, s->arrival_s, name);
	if (s->arrival_s < r->last_s)
		return lot_csv_error(&r->csv, r->err, r->err_size,
				     "not in the order of arrival: arrival_s %d comes after %d", s->arrival_s,
				     r->last_s);
	if (s->arrival_s < r->free_from_s[s->point])
		return lot_csv_error(&r->csv, r->err, r->err_size,
				     "station %s is taken until %d s, this session arrives at %d s", name,
				     r->free_from_s[s->point], s->arrival_s);
	r->last_s = s->arrival_s;
	r->free_from_s[s->point] = s->departure_s;
	return 0;
}

static int read_header(struct reading *r)
{
	unsigned i;
	int ret = lot_csv_header(&r->csv, columns, N_COLUMNS, r->at, r->err, r->err_size);

	for (i = 0; ret > 0 && i < COL_STATED; i++)
		if (r->at[i] < 0)
			return lot_csv_error(&r->csv, r->err, r->err_size, "there is no column %s",
					     columns[i]);
	return ret;
}

/* No more sessions than lines. */
static uint32_t count_lines(const char *text, size_t len)
{
	const char *at = text, *end = text + len;
	uint32_t n = 1;

	while (at < end && (at = memchr(at, '\n', (size_t)(end - at)))) {
		n++;
		at++;
	}
	return n;
}

int lot_workload_read(struct lot_workload *w, const struct site_model *m, const char *name, const char *text,
		      size_t len, int32_t end_s, char *err, size_t err_size)
{
	struct reading r = {.model = m, .err = err, .err_size = err_size};
	struct lot_session s;
	int ret;

	memset(w, 0, sizeof(*w));
	lot_csv_begin(&r.csv, name, text, len);
	w->session = calloc(count_lines(text, len), sizeof(*w->session));
	r.free_from_s = calloc(m->n_points ? m->n_points : 1, sizeof(*r.free_from_s));
	if (!w->session || !r.free_from_s) {
		snprintf(err, err_size, "%s: not enough memory", name);
		ret = -ENOMEM;
	} else {
		ret = read_header(&r);
		w->has_stated = r.at[COL_STATED] >= 0;
	}
	while (ret > 0 && (ret = lot_csv_next(&r.csv, err, err_size)) > 0) {
		if ((ret = take_session(&r, &s)) < 0)
			break;
		ret = 1;
		if (s.arrival_s >= end_s)
			continue;
		w->session[w->n_sessions++] = s;
		if (s.departure_s > w->end_s)
			w->end_s = s.departure_s;
	}
	free(r.free_from_s);
	if (ret < 0)
		lot_workload_free(w);
	return ret;
}

int lot_workload_load(struct lot_workload *w, const struct site_model *m, const char *name, int32_t end_s,
		      char *err, size_t err_size)
{
	char *text;
	size_t len;
	int r = lot_read_file(name, &text, &len, err, err_size);

	memset(w, 0, sizeof(*w));
	if (r)
		return r;
	r = lot_workload_read(w, m, name, text, len, end_s, err, err_size);
	free(text);
	return r;
}

void lot_workload_free(struct lot_workload *w)
{
	free(w->session);
	memset(w, 0, sizeof(*w));
}
