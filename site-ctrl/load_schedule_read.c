/* SPDX-License-Identifier: MIT */
/*
 * The table of limits, prices and forecasts over time: reading it. Shell.
 */
#include "site-ctrl/load_schedule.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "site-ctrl/load_keys.h"

#define DAY_min	     (24 * 60)
#define MAX_W	     100000000
#define MAX_PRICE    100000 /* in the file's unit */
#define MAX_FORECAST 1000   /* per cent */

enum key {
	KEY_FROM,
	KEY_TO,
	KEY_DAYS,
	KEY_NODE,
	KEY_PHASE,
	KEY_LIMIT,
	KEY_LIMIT_kW,
	KEY_PRICE,
	KEY_FORECAST,
	N_KEYS
};
static const char *const key_name[] = {
	"from", "to", "days", "node", "phase", "limit_A", "limit_kW", "price", "forecast_percent"};

/* --- times ---------------------------------------------------------------------------------------------- */

/* n digits at *p as a number; -1: there are not so many. */
static int digits(const char **p, int n)
{
	int value = 0;

	for (; n > 0; n--, (*p)++) {
		if (**p < '0' || **p > '9')
			return -1;
		value = value * 10 + (**p - '0');
	}
	return value;
}

/* "17:30" in minutes, up to 24:00; -1. */
static int time_of_day(const char **p)
{
	int hour = digits(p, 2), minute;

	if (hour < 0 || *(*p)++ != ':')
		return -1;
	minute = digits(p, 2);
	if (minute < 0 || minute > 59 || hour * 60 + minute > DAY_min)
		return -1;
	return hour * 60 + minute;
}

/* "2026-11-21T10:00" or with a Z. False: no such time. */
static bool take_date(const char *p, int64_t *wall_s)
{
	int year = digits(&p, 4), month, day, minutes;
	struct tm tm = {0}, back;
	time_t t;

	if (year < 1970 || *p++ != '-')
		return false;
	month = digits(&p, 2);
	if (month < 1 || month > 12 || *p++ != '-')
		return false;
	day = digits(&p, 2);
	if (day < 1 || day > 31 || (*p != 'T' && *p != ' '))
		return false;
	p++;
	minutes = time_of_day(&p);
	if (minutes < 0 || !(*p == '\0' || (*p == 'Z' && p[1] == '\0')))
		return false;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	tm.tm_hour = minutes / 60;
	tm.tm_min = minutes % 60;
	tm.tm_isdst = -1;
	back = tm;
	t = *p == 'Z' ? timegm(&tm) : mktime(&tm);
	*wall_s = t;
	/* The 31st of a short month was moved on; only 24:00 may be. */
	return tm.tm_mday == back.tm_mday || minutes == DAY_min;
}

static int take_times(const struct load_keys *k, struct load_schedule_row *row)
{
	const char *from = k->value[KEY_FROM], *to = k->value[KEY_TO], *p;

	if (strchr(from, '-')) {
		if (!take_date(from, &row->from))
			return load_keys_error(k, KEY_FROM, -EINVAL, "from is no time: '%.40s'", from);
		if (!take_date(to, &row->to))
			return load_keys_error(k, KEY_TO, -EINVAL, "to is no time with a date: '%.40s'", to);
		if (row->to <= row->from)
			return load_keys_error(k, KEY_TO, -EINVAL, "to is not after from");
		return 0;
	}
	row->is_weekly = true;
	p = from;
	row->from = time_of_day(&p);
	if (row->from < 0 || row->from >= DAY_min || *p)
		return load_keys_error(k, KEY_FROM, -EINVAL, "from is no time such as 17:30: '%.40s'", from);
	p = to;
	row->to = time_of_day(&p);
	if (row->to < 0 || *p)
		return load_keys_error(k, KEY_TO, -EINVAL, "to is no time such as 17:30: '%.40s'", to);
	if (row->to == row->from)
		return load_keys_error(k, KEY_TO, -EINVAL,
				       "from and to are the same; a whole day is 00:00 to 24:00");
	return 0;
}

static int find_day(const char *text)
{
	static const char *const name[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
	int i;

	for (i = 0; i < 7; i++)
		if (strncmp(text, name[i], 3) == 0)
			return i;
	return -1;
}

/* "mon-fri sun" */
static int take_days(const struct load_keys *k, struct load_schedule_row *row)
{
	const char *p = k->value[KEY_DAYS];

	row->days = 0x7f;
	if (!p)
		return 0;
	if (!row->is_weekly)
		return load_keys_error(k, KEY_DAYS, -EINVAL, "days stand with times of day, not with dates");
	row->days = 0;
	while (*p) {
		int first = find_day(p), last = first, i;

		if (first >= 0 && p[3] == '-') {
			p += 4;
			last = find_day(p);
		}
		if (first < 0 || last < 0 || (p[3] != ' ' && p[3] != '\0'))
			return load_keys_error(k, KEY_DAYS, -EINVAL,
					       "days is not like 'mon-fri sun': '%.40s'", k->value[KEY_DAYS]);
		for (i = first; i != last; i = (i + 1) % 7)
			row->days |= (uint8_t)(1u << i);
		row->days |= (uint8_t)(1u << last);
		p += 3;
		p += strspn(p, " ");
	}
	return 0;
}

/* --- values --------------------------------------------------------------------------------------------- */

static int take_phase(const struct load_keys *k, struct load_schedule_row *row)
{
	const char *p = k->value[KEY_PHASE];

	if (!p)
		return 0;
	if (p[0] != 'L' || p[1] < '1' || p[1] > '3' || p[2])
		return load_keys_error(k, KEY_PHASE, -EINVAL, "phase is not L1, L2 or L3: '%.40s'", p);
	row->phase = (unsigned)(p[1] - '0');
	return 0;
}

static int take_limits(const struct load_schedule *s, const struct load_keys *k,
		       struct load_schedule_row *row)
{
	bool has_limit = k->value[KEY_LIMIT] || k->value[KEY_LIMIT_kW];
	int32_t W = -1;
	int r;

	row->place = UINT32_MAX;
	row->limit_mA = row->power_mA = SITE_NO_LIMIT_mA;
	if (!k->value[KEY_NODE])
		return has_limit ? load_keys_error(k, KEY_LIMIT, -EINVAL, "a limit, but of no node") : 0;
	if (!has_limit)
		return load_keys_error(k, KEY_NODE, -EINVAL, "a node, but no limit_A or limit_kW");
	row->place = site_model_find_place(s->model, k->value[KEY_NODE]);
	if (row->place == UINT32_MAX)
		return load_keys_error(k, KEY_NODE, -ENOENT, "unknown node or constraint: %.40s",
				       k->value[KEY_NODE]);
	r = load_keys_milli(k, KEY_LIMIT, LOAD_ROUND_DOWN, 0, SITE_MAX_mA, &row->limit_mA);
	if (!r)
		r = load_keys_milli(k, KEY_LIMIT_kW, LOAD_ROUND_DOWN, 0, MAX_W, &W); /* mkW is W */
	if (!r)
		r = take_phase(k, row);
	if (r || W < 0)
		return r;
	if (row->place >= s->model->n_nodes)
		return load_keys_error(k, KEY_LIMIT_kW, -EINVAL, "a constraint has no limit_kW");
	row->power_mA = fc_current_at_power_mA(W, s->model->node[row->place].voltage_mV);
	return 0;
}

static int take_outlook(const struct load_keys *k, struct load_schedule_row *row)
{
	int64_t price;
	int r;

	row->has_price = k->value[KEY_PRICE];
	row->has_forecast = k->value[KEY_FORECAST];
	if (row->has_price) {
		r = load_decimal(k->value[KEY_PRICE], 4, LOAD_ROUND_NEAREST, &price);
		if (r == -EINVAL)
			return load_keys_error(k, KEY_PRICE, r, "price is not a number: '%.40s'",
					       k->value[KEY_PRICE]);
		if (r || price < -MAX_PRICE * LOAD_SCHEDULE_PRICE_SCALE ||
		    price > MAX_PRICE * LOAD_SCHEDULE_PRICE_SCALE)
			return load_keys_error(k, KEY_PRICE, -ERANGE, "price is not -%d to %d: %.40s",
					       MAX_PRICE, MAX_PRICE, k->value[KEY_PRICE]);
		row->price = (int32_t)price;
	}
	if (!row->has_forecast)
		return 0;
	r = load_keys_milli(k, KEY_FORECAST, LOAD_ROUND_DOWN, 0, MAX_FORECAST * 1000,
			    &row->forecast_permille);
	row->forecast_permille /= 100; /* thousandths of a per cent */
	return r;
}

/* --- rows ----------------------------------------------------------------------------------------------- */

static int take_row(const struct load_schedule *s, const struct load_keys *k, struct load_schedule_row *row)
{
	int r = load_keys_need(k, KEY_FROM);

	row->line = k->thing_line;
	if (!r)
		r = load_keys_need(k, KEY_TO);
	if (!r)
		r = take_times(k, row);
	if (!r)
		r = take_days(k, row);
	if (!r)
		r = take_limits(s, k, row);
	if (!r)
		r = take_outlook(k, row);
	if (!r && row->place == UINT32_MAX && !row->has_price && !row->has_forecast)
		r = load_keys_error(k, KEY_FROM, -EINVAL, "neither limit nor price nor forecast");
	return r;
}

/* Would the limit be taken? On a set of limits of its own. */
static int try_row(struct site_limits *l, const struct load_keys *k, const struct load_schedule_row *row)
{
	char sentence[200];
	int r = 0;

	if (row->limit_mA != SITE_NO_LIMIT_mA)
		r = site_limits_set(l, SITE_LIMIT_SCHEDULE, row->place, row->phase, row->limit_mA, FC_NEVER,
				    sentence, sizeof(sentence));
	if (!r && row->power_mA != SITE_NO_LIMIT_mA)
		r = site_limits_set(l, SITE_LIMIT_SCHEDULE, row->place, SITE_PHASE_POWER, row->power_mA,
				    FC_NEVER, sentence, sizeof(sentence));
	return r ? load_keys_error(k, KEY_NODE, r, "%s", sentence) : 0;
}

static int add_row(struct load_schedule *s, const struct load_keys *k, const struct load_schedule_row *row)
{
	if (s->n_rows == s->max_rows) {
		uint32_t max = s->max_rows ? 2 * s->max_rows : 64;
		void *bigger = realloc(s->row, max * sizeof(*s->row));

		if (!bigger)
			return load_keys_error(k, KEY_FROM, -ENOMEM, "not enough memory");
		s->row = bigger;
		s->max_rows = max;
	}
	s->row[s->n_rows++] = *row;
	s->has_outlook |=
		row->has_price || row->has_forecast ||
		(row->place < s->model->n_nodes && s->model->node[row->place].parent == SITE_NO_NODE);
	return 0;
}

static int read_rows(struct load_schedule *s, struct load_csv *csv, struct load_keys *k,
		     struct site_limits *l)
{
	int r;

	while ((r = load_csv_next(csv, k->err, k->err_size)) > 0) {
		struct load_schedule_row row = {0};

		load_keys_row(k, csv);
		r = take_row(s, k, &row);
		if (!r && row.place != UINT32_MAX)
			r = try_row(l, k, &row);
		if (!r)
			r = add_row(s, k, &row);
		if (r)
			break;
	}
	return r;
}

int load_schedule_open(struct load_schedule *s, const char *path, const struct site_model *m, char *err,
		       size_t err_size)
{
	struct load_keys k = {.path = path,
			      .thing = "schedule",
			      .name = key_name,
			      .n = N_KEYS,
			      .err = err,
			      .err_size = err_size};
	struct site_limits limits;
	struct load_csv csv;
	void *block;
	int r = load_csv_open(&csv, path, key_name, KEY_TO + 1, N_KEYS, err, err_size);

	memset(s, 0, sizeof(*s));
	s->model = m;
	if (r)
		return r;
	tzset();
	block = calloc(1, site_limits_size(m));
	s->least = calloc(m->n_nodes + m->n_constraints + 1, sizeof(*s->least));
	if (block && s->least) {
		site_limits_init(&limits, m, block);
		r = read_rows(s, &csv, &k, &limits);
	} else {
		snprintf(err, err_size, "%s: not enough memory", path);
		r = -ENOMEM;
	}
	free(block);
	load_csv_close(&csv);
	if (r)
		load_schedule_close(s);
	return r;
}

void load_schedule_close(struct load_schedule *s)
{
	free(s->row);
	free(s->least);
	memset(s, 0, sizeof(*s));
}
