/* SPDX-License-Identifier: MIT */
/* The judge of a lot's set-points. */
#include "sim/sim_run_lot_judge.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim_run_lot_csv.h"

#define PATH_MAX_LEN 4096

struct reading {
	struct lot_judge *j;
	const struct site_model *model;
	struct lot_csv csv;
	double size_kW;
	char *err;
	size_t err_size;
};

static int out_of_memory(char *err, size_t err_size)
{
	snprintf(err, err_size, "not enough memory for the network");
	return -ENOMEM;
}

static struct lot_field field_at(const struct lot_csv *c, int at)
{
	return at >= 0 && (unsigned)at < c->n_fields ? c->field[at] : (struct lot_field){"", 0};
}

static int take_real(struct reading *r, int at, const char *what, double *value)
{
	struct lot_field f = field_at(&r->csv, at);

	if (lot_read_real(f, value))
		return 0;
	return lot_csv_error(&r->csv, r->err, r->err_size, "%s takes a number, not \"%.*s\"", what,
			     f.len > 40 ? 40 : (int)f.len, f.text);
}

static int take_station(struct reading *r, int at, uint32_t *station)
{
	struct lot_field f = field_at(&r->csv, at);
	char name[SITE_NAME_MAX];

	*station = UINT32_MAX;
	if (f.len < sizeof(name)) {
		memcpy(name, f.text, f.len);
		name[f.len] = '\0';
		*station = site_model_find_point(r->model, name);
	}
	if (*station < r->j->n_stations)
		return 0;
	return lot_csv_error(&r->csv, r->err, r->err_size, "there is no station \"%.*s\"",
			     f.len > 40 ? 40 : (int)f.len, f.text);
}

/* "1": whole amperes; "8;16;24;32": these. */
static int take_steps(struct reading *r, int at, struct lot_judge_station *s)
{
	struct lot_field all = field_at(&r->csv, at), one;
	const char *end = all.text + all.len, *next;
	double value, *more;

	s->first_level = r->j->n_levels;
	if (lot_field_is(all, "1"))
		return 0;
	for (one.text = all.text; one.text <= end; one.text = next + 1) {
		next = one.text < end ? memchr(one.text, ';', (size_t)(end - one.text)) : NULL;
		if (!next)
			next = end;
		one.len = (size_t)(next - one.text);
		if (!lot_read_real(one, &value))
			return lot_csv_error(&r->csv, r->err, r->err_size,
					     "steps are 1 or currents, as 8;16;24");
		if (r->j->n_levels == r->j->max_levels) {
			r->j->max_levels = r->j->max_levels * 2 + 64;
			more = realloc(r->j->level, r->j->max_levels * sizeof(*more));
			if (!more)
				return out_of_memory(r->err, r->err_size);
			r->j->level = more;
		}
		r->j->level[r->j->n_levels++] = value;
		s->n_levels++;
	}
	return 0;
}

static int read_stations(struct reading *r)
{
	enum { NAME, PHASE, MIN, MAX, STEPS, N };
	static const char *const wanted[N] = {"station", "phase_deg", "min_a", "max_a", "steps"};
	struct lot_judge_station *s;
	double phase;
	uint32_t i;
	int at[N], ret = lot_csv_header(&r->csv, wanted, N, at, r->err, r->err_size);

	while (ret > 0 && (ret = lot_csv_next(&r->csv, r->err, r->err_size)) > 0) {
		if ((ret = take_station(r, at[NAME], &i)) < 0)
			break;
		s = &r->j->station[i];
		if ((ret = take_real(r, at[PHASE], "phase_deg", &phase)) < 0 ||
		    (ret = take_real(r, at[MIN], "min_a", &s->min_a)) < 0 ||
		    (ret = take_real(r, at[MAX], "max_a", &s->max_a)) < 0 ||
		    (ret = take_steps(r, at[STEPS], s)) < 0)
			break;
		s->is_known = true;
		s->cos = cos(phase * (M_PI / 180.0));
		s->sin = sin(phase * (M_PI / 180.0));
		ret = 1;
	}
	return ret;
}

static bool is_name(const struct lot_judge_row *row, struct lot_field f)
{
	return f.len < SITE_NAME_MAX && lot_field_is(f, row->name);
}

/* Lines of a constraint usually follow one another, but need not. */
static struct lot_judge_row *find_row(struct lot_judge *j, struct lot_field name)
{
	uint32_t i;

	for (i = j->n_rows; i-- > 0;)
		if (is_name(&j->row[i], name))
			return &j->row[i];
	return NULL;
}

static int take_row(struct reading *r, const int *at, struct lot_judge_row **found)
{
	struct lot_field name = field_at(&r->csv, at[0]);
	struct lot_judge_row *row = find_row(r->j, name);
	int ret;

	*found = row;
	if (row)
		return 0;
	if (name.len == 0 || name.len >= SITE_NAME_MAX)
		return lot_csv_error(&r->csv, r->err, r->err_size,
				     "a constraint's name has 1 to %d characters", SITE_NAME_MAX - 1);
	row = *found = &r->j->row[r->j->n_rows++];
	memset(row, 0, sizeof(*row));
	memcpy(row->name, name.text, name.len);
	if (field_at(&r->csv, at[1]).len)
		return take_real(r, at[1], "limit_a", &row->limit_a);
	ret = take_real(r, at[2], "limit_a_per_kw", &row->limit_a);
	row->limit_a *= r->size_kW;
	return ret;
}

static int read_constraints(struct reading *r)
{
	enum { NAME, LIMIT, PER_KW, STATION, COEF, N };
	static const char *const wanted[N] = {"constraint", "limit_a", "limit_a_per_kw", "station", "coef"};
	struct lot_judge *j = r->j;
	struct lot_judge_member *m;
	struct lot_judge_row *row;
	int at[N], ret = lot_csv_header(&r->csv, wanted, N, at, r->err, r->err_size);

	while (ret > 0 && (ret = lot_csv_next(&r->csv, r->err, r->err_size)) > 0) {
		m = &j->member[j->n_members];
		if ((ret = take_row(r, at, &row)) < 0 ||
		    (ret = take_station(r, at[STATION], &m->station)) < 0 ||
		    (ret = take_real(r, at[COEF], "coef", &m->coef)) < 0)
			break;
		m->row = (uint32_t)(row - j->row);
		row->n++;
		j->station[m->station].n_of++;
		j->n_members++;
		ret = 1;
	}
	return ret;
}

/* Members by row, and of each station its rows. */
static int index_members(struct lot_judge *j, char *err, size_t err_size)
{
	struct lot_judge_member *sorted = calloc(j->n_members + 1u, sizeof(*sorted));
	uint32_t i, at;

	j->of_station = calloc(j->n_members + 1u, sizeof(*j->of_station));
	j->changed = calloc(j->n_rows + 1u, sizeof(*j->changed));
	if (!sorted || !j->of_station || !j->changed) {
		free(sorted);
		return out_of_memory(err, err_size);
	}
	for (at = i = 0; i < j->n_rows; i++) {
		j->row[i].first = at;
		at += j->row[i].n;
		j->row[i].n = 0;
	}
	for (at = i = 0; i < j->n_stations; i++) {
		j->station[i].first_of = at;
		at += j->station[i].n_of;
		j->station[i].n_of = 0;
	}
	for (i = 0; i < j->n_members; i++) {
		const struct lot_judge_member *m = &j->member[i];
		struct lot_judge_row *row = &j->row[m->row];
		struct lot_judge_station *s = &j->station[m->station];

		sorted[row->first + row->n++] = *m;
		j->of_station[s->first_of + s->n_of++] = m->row;
	}
	free(j->member);
	j->member = sorted;
	return 0;
}

static uint32_t count_lines(const char *text, size_t len)
{
	uint32_t n = 1;
	size_t i;

	for (i = 0; i < len; i++)
		n += text[i] == '\n';
	return n;
}

static int load_one(struct reading *r, const char *base, const char *suffix, int (*read)(struct reading *r),
		    bool is_constraints)
{
	char path[PATH_MAX_LEN], *text;
	size_t len;
	uint32_t n;
	int ret;

	snprintf(path, sizeof(path), "%s%s", base, suffix);
	ret = lot_read_file(path, &text, &len, r->err, r->err_size);
	if (ret)
		return ret;
	lot_csv_begin(&r->csv, path, text, len);
	if (is_constraints) {
		n = count_lines(text, len);
		r->j->row = calloc(n, sizeof(*r->j->row));
		r->j->member = calloc(n, sizeof(*r->j->member));
		if (!r->j->row || !r->j->member)
			ret = out_of_memory(r->err, r->err_size);
	}
	if (!ret)
		ret = read(r);
	free(text);
	return ret < 0 ? ret : 0;
}

int lot_judge_load(struct lot_judge *j, const struct site_model *m, const char *base, double size_kW,
		   bool is_continuous, char *err, size_t err_size)
{
	struct reading r = {.j = j, .model = m, .size_kW = size_kW, .err = err, .err_size = err_size};
	int ret;

	memset(j, 0, sizeof(*j));
	j->is_continuous = is_continuous;
	j->n_stations = m->n_points;
	j->station = calloc(m->n_points + 1u, sizeof(*j->station));
	if (!j->station)
		return out_of_memory(err, err_size);
	ret = load_one(&r, base, "_stations.csv", read_stations, false);
	if (!ret)
		ret = load_one(&r, base, "_constraints.csv", read_constraints, true);
	if (!ret)
		ret = index_members(j, err, err_size);
	if (ret)
		lot_judge_free(j);
	return ret;
}

void lot_judge_free(struct lot_judge *j)
{
	free(j->station);
	free(j->row);
	free(j->member);
	free(j->of_station);
	free(j->changed);
	free(j->level);
	memset(j, 0, sizeof(*j));
}

void lot_judge_restart(struct lot_judge *j)
{
	uint32_t i;

	for (i = 0; i < j->n_stations; i++)
		j->station[i].amps = 0;
	for (i = 0; i < j->n_rows; i++)
		j->row[i].is_changed = false;
	j->n_changed = 0;
	j->n_violations = 0;
	j->worst_a = 0;
	j->worst[0] = '\0';
}

static void found(struct lot_judge *j, const char *name, double excess_a, int32_t time_s)
{
	j->n_violations++;
	if (excess_a <= j->worst_a)
		return;
	j->worst_a = excess_a;
	j->worst_s = time_s;
	snprintf(j->worst, sizeof(j->worst), "%s", name);
}

static bool is_allowed(const struct lot_judge *j, const struct lot_judge_station *s, double amps)
{
	uint32_t i;

	if (!s->is_known || !(amps >= 0) || amps > s->max_a + LOT_JUDGE_TOLERANCE_A)
		return false;
	if (j->is_continuous || amps == 0)
		return true;
	if (s->n_levels == 0)
		return amps >= s->min_a && amps == floor(amps);
	for (i = 0; i < s->n_levels; i++)
		if (fabs(j->level[s->first_level + i] - amps) < LOT_JUDGE_TOLERANCE_A)
			return true;
	return false;
}

void lot_judge_set(struct lot_judge *j, uint32_t station, double amps, int32_t time_s)
{
	struct lot_judge_station *s = &j->station[station];
	uint32_t i;

	if (!is_allowed(j, s, amps))
		found(j, "set-point of a station", amps > s->max_a ? amps - s->max_a : 0, time_s);
	s->amps = amps;
	for (i = 0; i < s->n_of; i++) {
		uint32_t row = j->of_station[s->first_of + i];

		if (!j->row[row].is_changed) {
			j->row[row].is_changed = true;
			j->changed[j->n_changed++] = row;
		}
	}
}

void lot_judge_settle(struct lot_judge *j, int32_t time_s)
{
	uint32_t i, k;

	for (i = 0; i < j->n_changed; i++) {
		struct lot_judge_row *row = &j->row[j->changed[i]];
		double re = 0, im = 0, over;

		/* From scratch each time: a running sum would gather rounding errors. */
		for (k = row->first; k < row->first + row->n; k++) {
			const struct lot_judge_member *m = &j->member[k];
			const struct lot_judge_station *s = &j->station[m->station];

			re += m->coef * s->amps * s->cos;
			im += m->coef * s->amps * s->sin;
		}
		row->is_changed = false;
		over = hypot(re, im) - row->limit_a;
		if (over > LOT_JUDGE_TOLERANCE_A)
			found(j, row->name, over, time_s);
	}
	j->n_changed = 0;
}
