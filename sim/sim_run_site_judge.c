/* SPDX-License-Identifier: MIT */
/* The judge of a simulated site. Pure. */
#include "sim/sim_run_site_judge.h"

#include <string.h>

#define LEASE_UNIT_2S_US (2 * (int64_t)FC_US_PER_S)

void site_judge_init(struct site_judge *j, const struct site_model *m, const int32_t *limit_mA,
		     struct site_judge_point *point)
{
	uint32_t i;

	*j = (struct site_judge){.model = m, .limit_mA = limit_mA, .point = point};
	for (i = 0; i < m->n_points; i++) {
		memset(&point[i], 0, sizeof(point[i]));
		point[i].may_draw_mA = point[i].granted_mA = m->point[i].safe_mA;
		point[i].paused_us = FC_NEVER;
	}
}

static void check_row(struct site_judge *j, uint32_t row, int64_t now_us, bool is_drawn)
{
	const struct alloc_site *s = &j->model->site;
	const struct alloc_row *r = &s->row[row];
	int64_t limit_mA = j->limit_mA[row] + (int64_t)1; /* rounding of directions */
	double re = 0, im = 0, size2;
	uint32_t k;

	for (k = r->first_member; k < r->first_member + r->n_members; k++) {
		const struct alloc_member *m = &s->member[k];
		const struct alloc_dir *d = &s->dir[r->first_dir + m->dir];
		const struct site_judge_point *p = &j->point[m->point];
		double mA = (double)m->coef_q16 / ALLOC_Q16 * (is_drawn ? p->drawn_mA : p->may_draw_mA);

		re += mA * d->cos_q30 / ALLOC_Q30;
		im += mA * d->sin_q30 / ALLOC_Q30;
	}
	size2 = re * re + im * im;
	if (size2 <= (double)limit_mA * (double)limit_mA)
		return;
	j->n_violations++;
	/* Larger by how much: without a root, by the first step of Newton's, which is never too low. */
	limit_mA = (int64_t)((size2 / (double)limit_mA + (double)limit_mA) / 2) - limit_mA;
	if (limit_mA > j->worst_mA) {
		j->worst_mA = limit_mA;
		j->worst_us = now_us;
		j->worst_row = row;
	}
}

static void check_point(struct site_judge *j, uint32_t i, int64_t now_us)
{
	const struct alloc_site *s = &j->model->site;
	uint32_t k;

	for (k = s->first_of[i]; k < s->first_of[i + 1]; k++)
		check_row(j, s->member[s->of_point[k]].row, now_us, false);
}

static void note_state(struct site_judge *j, struct site_judge_point *p, uint8_t state, int64_t now_us)
{
	if (p->state == SITE_POINT_REPORT_STATE_CHARGING && state == SITE_POINT_REPORT_STATE_WAITING) {
		p->n_pauses++;
		p->paused_us = now_us;
	} else if (p->paused_us != FC_NEVER && state != SITE_POINT_REPORT_STATE_WAITING) {
		if (state == SITE_POINT_REPORT_STATE_CHARGING &&
		    (j->shortest_pause_us == 0 || now_us - p->paused_us < j->shortest_pause_us))
			j->shortest_pause_us = now_us - p->paused_us;
		p->paused_us = FC_NEVER;
	}
	p->state = state;
}

static bool is_message(const struct can_frame *f, enum site_msg msg)
{
	const struct msg_layout *l = &site_layouts[SITE_V1][msg];

	return (f->can_id & ~(canid_t)MSG_INDEX_MASK) == l->id && f->can_dlc >= l->dlc;
}

void site_judge_left(struct site_judge *j, uint32_t i, int64_t now_us, const struct can_frame *f)
{
	struct site_judge_point *p = &j->point[i];
	struct site_point_report r;

	if (!is_message(f, SITE_POINT_REPORT))
		return;
	site_layouts[SITE_V1][SITE_POINT_REPORT].unpack(&r, f->data);
	j->n_reports++;
	p->number[p->n % SITE_JUDGE_REPORTS] = r.number;
	p->sent_us[p->n % SITE_JUDGE_REPORTS] = now_us;
	p->n++;
	p->may_draw_mA = r.may_draw_mA;
	note_state(j, p, r.state, now_us);
	check_point(j, i, now_us);
}

/* Takes the grant's place in the order of grants; false: void. */
static bool take(struct site_judge_point *p, const struct site_grant *g, int64_t now_us)
{
	unsigned k, oldest = p->n > SITE_JUDGE_REPORTS ? p->n - SITE_JUDGE_REPORTS : 0;

	for (k = p->n; k > oldest && p->number[(k - 1) % SITE_JUDGE_REPORTS] != g->number; k--)
		;
	if (k == oldest || k < p->taken || (k == p->taken && g->revision <= p->taken_revision) ||
	    now_us >= p->sent_us[(k - 1) % SITE_JUDGE_REPORTS] + g->duration * LEASE_UNIT_2S_US)
		return false;
	p->taken = k;
	p->taken_revision = g->revision;
	return true;
}

void site_judge_reached(struct site_judge *j, uint32_t i, int64_t now_us, const struct can_frame *f)
{
	struct site_judge_point *p = &j->point[i];
	struct site_grant g;

	if (!is_message(f, SITE_GRANT))
		return;
	site_layouts[SITE_V1][SITE_GRANT].unpack(&g, f->data);
	j->n_grants++;
	if (!take(p, &g, now_us)) {
		j->n_void++;
		return;
	}
	if (g.charge_current_mA != p->granted_mA && p->state != SITE_POINT_REPORT_STATE_IDLE)
		p->n_changes++;
	p->granted_mA = g.charge_current_mA;
	if (g.charge_current_mA > p->may_draw_mA) {
		p->may_draw_mA = g.charge_current_mA;
		check_point(j, i, now_us);
	}
}

void site_judge_draw(struct site_judge *j, int64_t now_us)
{
	uint32_t row;

	for (row = 0; row < j->model->site.n_rows; row++)
		check_row(j, row, now_us, true);
}
