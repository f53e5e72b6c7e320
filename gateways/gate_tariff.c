/* SPDX-License-Identifier: MIT */
/* Tariff windows. Pure. */
#include "gateways/gate_tariff.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MIN_S	   60
#define DAY_S	   86400
#define DAY_MIN	   1440
#define WEEK_DAYS  7
#define EPOCH_DAY  3 /* 1970-01-01 was a Thursday; Monday is 0 */
#define AHEAD_DAYS 9 /* a week, and a day at each end */
#define DAILY	   0x7f
#define STEP_LIMIT (26 * 60) /* minutes that any two offsets can differ */

/* --- text ----------------------------------------------------------------------------------------------- */

static int refuse(const char *text, const char *why, char *err, size_t err_size)
{
	snprintf(err, err_size, "window '%.80s': %s", text, why);
	return -EINVAL;
}

/* A day's number, or -1; *text moves behind it. */
static int parse_day(const char **text)
{
	static const char names[] = "montuewedthufrisatsun";
	int i;

	for (i = 0; i < WEEK_DAYS; i++) {
		if (strncmp(*text, names + i * 3, 3) == 0) {
			*text += 3;
			return i;
		}
	}
	return -1;
}

/* "mon-fri,sun": a range may go over the end of the week. 0: not days. */
static uint8_t parse_days(const char **text)
{
	unsigned days = 0;

	if (strncmp(*text, "daily", 5) == 0) {
		*text += 5;
		return DAILY;
	}
	for (;;) {
		int from = parse_day(text), to = from;

		if (from >= 0 && **text == '-') {
			(*text)++;
			to = parse_day(text);
		}
		if (from < 0 || to < 0)
			return 0;
		for (; from != to; from = (from + 1) % WEEK_DAYS)
			days |= 1u << from;
		days |= 1u << to;
		if (**text != ',')
			return (uint8_t)days;
		(*text)++;
	}
}

/* "22:00" to minutes, or -1. */
static int parse_time(const char **text)
{
	const char *p = *text;
	int minutes, i;

	for (i = 0; i < 5; i++)
		if (i == 2 ? p[i] != ':' : p[i] < '0' || p[i] > '9')
			return -1;
	minutes = ((p[0] - '0') * 10 + p[1] - '0') * 60 + (p[3] - '0') * 10 + p[4] - '0';
	*text += 5;
	return p[3] > '5' || minutes > DAY_MIN ? -1 : minutes;
}

static bool skip_blanks(const char **text)
{
	size_t n = strspn(*text, " \t");

	*text += n;
	return n > 0;
}

int gate_window_parse(const char *text, struct gate_window *w, char *err, size_t err_size)
{
	const char *p = text;
	int from, to;

	memset(w, 0, sizeof(*w));
	skip_blanks(&p);
	w->days = parse_days(&p);
	if (!w->days || !skip_blanks(&p))
		return refuse(text, "must begin with days: mon-fri, sat,sun or daily", err, err_size);
	from = parse_time(&p);
	to = from >= 0 && *p == '-' ? (p++, parse_time(&p)) : -1;
	if (from < 0 || from == DAY_MIN || to < 0)
		return refuse(text, "must have times after the days: 22:00-06:00", err, err_size);
	if (from == to)
		return refuse(text, "is empty; a whole day is 00:00-24:00", err, err_size);
	w->from_min = (uint16_t)from;
	w->to_min = (uint16_t)to;
	if (to == 0) /* midnight at the end of that day */
		w->to_min = DAY_MIN;
	if (skip_blanks(&p) && *p == '@') {
		size_t n = strcspn(p + 1, " \t");

		if (n >= sizeof(w->point))
			return refuse(text, "the name of the point is too long", err, err_size);
		memcpy(w->point, p + 1, n);
		p += 1 + n;
		skip_blanks(&p);
		if (!gate_is_name(w->point, sizeof(w->point)))
			return refuse(text, "has no name of a point behind '@'", err, err_size);
	}
	return *p ? refuse(text, "has something behind the times", err, err_size) : 0;
}

/* --- time ----------------------------------------------------------------------------------------------- */

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t local_s(const struct gate_tariff *t, int64_t utc_s)
{
	return utc_s + t->offset_s(t->ctx, utc_s);
}

/* The first moment at which the local clock shows that time or, where it jumps over it, a later one. */
static int64_t first_utc_s(const struct gate_tariff *t, int64_t local)
{
	int64_t before = t->offset_s(t->ctx, local - DAY_S - t->offset_s(t->ctx, local));
	int64_t after = t->offset_s(t->ctx, local + DAY_S - t->offset_s(t->ctx, local));
	int64_t utc_s = local - (before > after ? before : after);
	unsigned i;

	for (i = 0; i < STEP_LIMIT && local_s(t, utc_s) < local; i++)
		utc_s += MIN_S;
	return utc_s;
}

/* The window's turn of a local day (days since 1970), if it has one. */
static bool turn_of(const struct gate_tariff *t, const struct gate_window *w, int64_t day, int64_t *from_s,
		    int64_t *to_s)
{
	int64_t weekday = (day + EPOCH_DAY) % WEEK_DAYS;

	if (!(w->days & 1u << (weekday < 0 ? weekday + WEEK_DAYS : weekday)))
		return false;
	*from_s = first_utc_s(t, day * DAY_S + w->from_min * MIN_S);
	*to_s = first_utc_s(t, (day + (w->to_min <= w->from_min)) * DAY_S + w->to_min * MIN_S);
	return true;
}

static bool is_for(const struct gate_window *w, const char *point)
{
	return !w->point[0] || strcmp(w->point, point) == 0;
}

bool gate_tariff_has(const struct gate_tariff *t, const char *point)
{
	uint32_t i;

	for (i = 0; i < t->n_windows; i++)
		if (is_for(&t->window[i], point))
			return true;
	return false;
}

bool gate_tariff_is_open(const struct gate_tariff *t, const char *point, int64_t utc_s)
{
	int64_t today = floor_div(local_s(t, utc_s), DAY_S), day, from_s, to_s;
	uint32_t i;

	for (i = 0; i < t->n_windows; i++)
		for (day = today - 1; is_for(&t->window[i], point) && day <= today; day++)
			if (turn_of(t, &t->window[i], day, &from_s, &to_s) && from_s <= utc_s && utc_s < to_s)
				return true;
	return false;
}

int64_t gate_tariff_next_s(const struct gate_tariff *t, const char *point, int64_t utc_s)
{
	int64_t today = floor_div(local_s(t, utc_s), DAY_S), next_s = GATE_TARIFF_NO_END;
	bool is_open = gate_tariff_is_open(t, point, utc_s);
	int64_t day, edge[2];
	uint32_t i, k;

	for (i = 0; i < t->n_windows; i++) {
		if (!is_for(&t->window[i], point))
			continue;
		for (day = today - 1; day < today + AHEAD_DAYS; day++) {
			if (!turn_of(t, &t->window[i], day, &edge[0], &edge[1]))
				continue;
			for (k = 0; k < 2; k++)
				if (edge[k] > utc_s && edge[k] < next_s &&
				    gate_tariff_is_open(t, point, edge[k]) != is_open)
					next_s = edge[k];
		}
	}
	return next_s;
}
