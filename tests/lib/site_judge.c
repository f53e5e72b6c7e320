/* SPDX-License-Identifier: MIT */
/* Are the rows of a compiled site whole? */
#include "tests/lib/site_judge.h"

#include <stdio.h>
#include <stdlib.h>

#include "site-ctrl/alloc_run.h"

static void must(bool is_true, const char *what, uint32_t where)
{
	if (is_true)
		return;
	fprintf(stderr, "site_judge: %s (%u)\n", what, (unsigned)where);
	abort();
}

static void judge_dirs(const struct alloc_site *s, uint32_t r)
{
	const struct alloc_dir *d = &s->dir[s->row[r].first_dir];
	uint32_t i, k;

	must(s->row[r].n_dirs >= 1 && s->row[r].n_dirs <= ALLOC_MAX_DIR, "number of directions", r);
	for (i = 0; i < s->row[r].n_dirs; i++) {
		double x = d[i].cos_q30 / 1073741824.0, y = d[i].sin_q30 / 1073741824.0;

		must(x * x + y * y > 1 - 1e-7 && x * x + y * y < 1 + 1e-7, "length of a direction", r);
		for (k = 0; k < i; k++)
			must(d[i].cos_q30 != d[k].cos_q30 || d[i].sin_q30 != d[k].sin_q30, "direction twice",
			     r);
	}
	if (s->row[r].n_dirs == 1)
		must(d[0].cos_q30 == ALLOC_Q30 && d[0].sin_q30 == 0, "plain sum", r);
}

static uint32_t judge_row(const struct site_model *m, uint32_t r, uint32_t first_member)
{
	const struct alloc_site *s = &m->site;
	const struct alloc_row *row = &s->row[r];
	uint32_t i;
	char text[80];

	must(row->first_member == first_member && row->n_members > 0, "members are one after the other", r);
	must(row->node < m->n_nodes + m->n_constraints && row->phase <= 3, "place", r);
	must(m->first_row[row->node] <= r, "first row of the place", r);
	must(site_row_name(m, r, text, sizeof(text))[0] != '\0', "name", r);
	must(m->info[r].limit_mA >= 0 && m->info[r].export_limit_mA >= 0, "limit", r);
	must(alloc_row_mA(s, r, &m->point[0].safe_mA, sizeof(m->point[0]), false) <= m->info[r].limit_mA,
	     "safe currents", r);
	for (i = row->first_member; i < row->first_member + row->n_members; i++) {
		const struct alloc_member *member = &s->member[i];

		must(i < s->n_members && member->row == r && member->point < s->n_points, "member", i);
		must(member->dir < row->n_dirs && member->coef_q16 > 0, "coefficient, direction", i);
		must(i == row->first_member || member[-1].point < member->point, "order of members", i);
	}
	judge_dirs(s, r);
	return first_member + row->n_members;
}

void site_judge_rows(const struct site_model *m)
{
	const struct alloc_site *s = &m->site;
	uint32_t r, i, k, first_member = 0;

	must(s->n_points == m->n_points && s->n_points > 0, "number of points", s->n_points);
	for (r = 0; r < s->n_rows; r++)
		first_member = judge_row(m, r, first_member);
	must(first_member == s->n_members, "number of members", first_member);
	must(s->first_of[0] == 0 && s->first_of[s->n_points] == s->n_members, "ends of first_of", 0);
	for (i = 0; i < s->n_points; i++) {
		must(site_model_find_point(m, m->point[i].name) == i, "name of a point", i);
		for (k = s->first_of[i]; k < s->first_of[i + 1]; k++)
			must(s->member[s->of_point[k]].point == i &&
				     (k == s->first_of[i] || s->of_point[k - 1] < s->of_point[k]),
			     "view from the points", k);
	}
	for (i = 0; i < m->n_nodes + m->n_constraints; i++)
		must(site_model_find_place(m, site_model_place_name(m, i)) == i, "name of a place", i);
}
